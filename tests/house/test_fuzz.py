"""Hostile input, a bounded number of examples for each target of fuzz.py.

The same examples on every run.  What was found by hand and mended stands in REGRESSIONS.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import fuzz
import pytest
from places import ROOT

pytestmark = pytest.mark.many

# Examples a target: more of what is quick.  Every one of MEASURED counts memory and calls.
EXAMPLES = {
    "capture": 1000,
    "link": 500,
    "streams": 500,
    "listing": 300,
    "pipeline": 25,
    "redact": 25,
    "hpack": 200,
    "h2 frames": 20,
    **{name: 10 for name in fuzz.TARGETS if name.endswith(" talk")},
    **{name: 25 for name in fuzz.TARGETS if name.endswith(" body")},
}
OTHERWISE = 60
MEASURED = 20


@pytest.mark.parametrize("name", fuzz.TARGETS)
def test_nothing_breaks(name: str) -> None:
    for number in range(EXAMPLES.get(name, OTHERWISE)):
        fuzz.run(name, fuzz.make(name, 0, number), measured=number % MEASURED == 0)


# What broke once: the target and its input.
REGRESSIONS = {
    "http: an empty line between messages, a byte at a time": ("http alone", "0d0a"),
    "THeader: a frame of one byte": (
        "theader alone",
        "000000230fff0000000000070001020101020000000060d0a8201230fefffff72e0300063616c2000000010fff",
    ),
    "zlib: a message that was refused": (
        "zlib alone",
        "789c8a36d45132d4a9aecdc94fcfcc5302326201000000ffff8a8a",
    ),
    "THeader: thriftpy2's JSON, known by its fifth byte": (
        "theader",
        "0000254c0fff000100000007000100000000000025347b226d65746164617461223a7b2276657273696f6e22"
        "3a312c226e616d65223a2267222c227474797065223a312c227365716964223a307d2c",
    ),
    "thriftpy2's JSON: complete before its length says": (
        "thriftpy2json",
        "000000667b226d65746164617461223a7b2276657273696f6e223a312c226e616d65223a22222c22747479706522"
        "3a312c227365716964223a337d2c227061796c6f6164223a7b22223a377d7d",
    ),
    "gRPC-Web: a message that claims too much, in a piece of its own": (
        "grpc-web talk",
        "0a3e3e3e0a485454502f312e31203230300a436f6e74656e742d547970653a6170706c69636174696f6e2f677270"
        "632d7765620a0a31630d0a0d0a",
    ),
    "gRPC-Web: a chunk that is wrong, behind a message": (
        "grpc-web talk",
        "485454502f312e31203230300a436f6e74656e742d547970653a6170706c69636174696f6e2f677270632d776562"
        "0a5472616e736665722d456e636f64696e673a6368756e6b65640a0a630d0a00000000023a20300d0a0d0a100a",
    ),
    "protobuf: a length beyond the end, with bytes lost": (
        "protobuf body",
        "0a5b71dda09f0fef4e5454a0702f5e4a882df7dd3ac037241580754bf31580754b7b9b027469636b2031",
    ),
}


@pytest.mark.parametrize("name", REGRESSIONS)
def test_what_broke_once(name: str) -> None:
    target, data = REGRESSIONS[name]
    fuzz.run(target, bytes.fromhex(data), measured=True)


def test_inputs_are_the_same_on_every_run() -> None:
    for name in fuzz.TARGETS:
        assert fuzz.make(name, 1, 2) == fuzz.make(name, 1, 2)
    assert len({fuzz.make("binary", 1, number) for number in range(20)}) > 10


# ── The instrument itself ────────────────────────────────────────────────────────────


def _loop(data: bytes) -> None:
    while True:
        len(data)


def _hoard(data: bytes) -> None:
    bytearray(fuzz.MEMORY + 1)


def _raise(data: bytes) -> None:
    raise KeyError("inside")


@pytest.mark.parametrize(
    ("run", "what"),
    [
        (_loop, "over 1000 calls"),
        (_hoard, "bytes of memory for 3 bytes of input"),
        (_raise, "inside"),
    ],
)
def test_what_is_wrong_is_seen(monkeypatch: pytest.MonkeyPatch, run: object, what: str) -> None:
    broken = fuzz.Target(lambda rng: b"abc", run, 0)  # type: ignore[arg-type]
    monkeypatch.setitem(fuzz.TARGETS, "broken", broken)
    monkeypatch.setattr(fuzz, "CALLS", 1000)
    monkeypatch.setattr(fuzz, "CALLS_A_BYTE", 0)
    with pytest.raises((fuzz.Broken, KeyError), match=what):
        fuzz.run("broken", b"abc", measured=True)
    assert sys.getprofile() is None
    assert fuzz.failure("broken", b"abc", measured=True)


def test_a_failure_is_made_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(data: bytes) -> None:
        if b"x" in data and b"y" in data:
            raise KeyError

    monkeypatch.setitem(fuzz.TARGETS, "broken", fuzz.Target(lambda rng: b"", run))
    data = b"aaaaxbbbbbbybbb"
    assert fuzz.shrink("broken", data, fuzz.failure("broken", data)) == b"xy"


def test_by_hand(tmp_path: Path) -> None:
    command = [sys.executable, fuzz.__file__, "link", "--seconds", "0.2", "--seed", "1"]
    done = subprocess.run(
        [*command, "--save", str(tmp_path / "found")],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "inputs, 0 failures" in done.stdout
    assert (tmp_path / "found" / "link-slowest.bin").exists()
