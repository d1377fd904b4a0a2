"""The comparison of compiled and plain: it sees what differs, however, and nothing where nothing
does."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import fuzz
import pytest
import search
import twins
from attacks import PING, framed, pcap, stream
from places import KIT

# Each makes one of the children say something else, or nothing.
ANOTHER_RESULT = "twins.fuzz.TARGETS['binary'].run.__globals__['skip'] = lambda *_: (-1, 'no')"
ANOTHER_FAULT = """
def another(*_):
    raise KeyError("a fault")
twins.fuzz.TARGETS["binary"] = twins.fuzz.Target(another, another)
"""
PAUSE = "import signal; twins.of_target = lambda *_: signal.pause()"
ANOTHER_WORD = """
real = twins.doors.run
twins.doors.run = lambda *words: (0, "other", "") if "calls" in words else real(*words)
"""
NO_ANSWER = "twins.of_target = lambda *_: os._exit(7)"
A_SIGNAL = "twins.of_target = lambda *_: os.kill(os.getpid(), 11)"


@pytest.fixture(scope="module")
def good() -> Iterator[twins.Twin]:
    with twins.Twin(compiled=False) as one:
        yield one


@pytest.fixture
def capture(tmp_path: Path) -> str:
    path = tmp_path / "one.pcap"
    path.write_bytes(pcap(stream(framed(PING) * 2)))
    return str(path)


@pytest.mark.parametrize(
    ("patch", "told"),
    [
        (ANOTHER_RESULT, "plain says "),
        (ANOTHER_FAULT, "plain says \"raises KeyError: 'a fault'\""),
        (NO_ANSWER, "plain says 'ended with 7'"),
        (A_SIGNAL, "plain says 'was ended by signal 11'"),
    ],
)
def test_what_differs_is_told(good: twins.Twin, patch: str, told: str) -> None:
    with twins.Twin(compiled=False, patch=patch) as other:
        found = twins.compared(other, good, target="binary", data=PING.hex())
    assert found.startswith(told)
    assert twins.compared(good, good, target="binary", data=PING.hex()) == ""


def test_what_commands_print_is_compared(good: twins.Twin, capture: str) -> None:
    with twins.Twin(compiled=False, patch=ANOTHER_WORD) as other:
        assert "calls: (0, 'other', '')" in twins.compared(other, good, path=capture)


def test_who_does_not_answer_in_time_is_ended() -> None:
    with twins.Twin(compiled=False, patch=PAUSE) as one:
        one.ask(target="binary", data="")
        with pytest.raises(twins.Ended, match="takes too long"):
            one.said(seconds=0)
        assert one.ended


def test_the_plain_twin_runs_sources() -> None:
    """Where something is compiled, too."""
    patch = "twins.of_target = lambda *_: twins.pingpong.wire.streams.__file__"
    with twins.Twin(compiled=False, patch=patch) as one:
        one.ask(target="", data="")
        assert Path(one.said()).name == "streams.py"


ORPHAN = """
import os, twins
one = twins.Twin(compiled=False)
one.ask(target="binary", data="")
os._exit(3)
"""


def test_a_child_ends_with_its_parent() -> None:
    """It has our pipe too: run() would wait for it."""
    command = [sys.executable, "-c", ORPHAN]
    paths = os.pathsep.join([str(twins.PACKAGE.parent), str(KIT)])
    done = subprocess.run(
        command,
        capture_output=True,
        cwd=KIT,
        env={**os.environ, "PYTHONPATH": paths},
        check=False,
    )
    assert done.returncode == 3, done.stderr


# ── Nothing differs ──────────────────────────────────────────────────────────────────

compiled = pytest.mark.skipif(twins.WHY_NOT != "", reason=twins.WHY_NOT)


@compiled
@pytest.mark.parametrize("name", fuzz.TARGETS)
def test_compiled_and_plain_say_the_same_of_inputs(name: str) -> None:
    for number in range(5):
        assert twins.of_input(name, fuzz.make(name, 0, number)) == "", number


@compiled
@pytest.mark.parametrize("seed", range(10))
def test_compiled_and_plain_say_the_same_of_captures(seed: int) -> None:
    path = twins.captures()[seed].name if seed % 2 else ""
    assert twins.of_capture(path, seed) == ""


# What `make search` found: an input of a target, and a capture with the seed of its bad day.
FOUND: tuple[tuple[str, str], ...] = ()
FOUND_IN: tuple[tuple[str, int], ...] = ()


@compiled
@pytest.mark.parametrize(("name", "data"), FOUND)
def test_what_was_found(name: str, data: str) -> None:
    assert twins.of_input(name, bytes.fromhex(data)) == ""


@compiled
@pytest.mark.parametrize(("name", "seed"), FOUND_IN)
def test_what_was_found_in_captures(name: str, seed: int) -> None:
    assert twins.of_capture(name, seed) == ""


# ── The search ───────────────────────────────────────────────────────────────────────


def test_a_find_is_told_as_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = fuzz.Target(lambda rng: rng.randbytes(500), lambda data: None)
    monkeypatch.setattr(fuzz, "TARGETS", {"broken": broken})
    monkeypatch.setattr(twins, "of_input", lambda name, data: "other" * (b"\x2a" in data))
    monkeypatch.setattr(twins, "of_capture", lambda name, seed: f"all of {name}" * (name == ""))
    rows = {twins.differ(seed) for seed in range(20)}
    assert 'test_twins.py, in FOUND:\n    ("broken", "2a"),  # other' in rows
    assert any(row.startswith('test_twins.py, in FOUND_IN:\n    ("", ') for row in rows)


def test_without_anything_compiled_it_is_left_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(search, "LEFT_OUT", {"twins": "nothing is compiled"})
    monkeypatch.setattr(sys, "argv", ["search.py", "--minutes", "0", "--seed", "1"])
    assert search.main() == 0
    out = capsys.readouterr().out
    assert "twins: left out: nothing is compiled\n" in out
    assert "twins: 0 tries" not in out
    assert "doors: 0 tries" in out
    monkeypatch.setattr(sys, "argv", ["search.py", "twins"])
    with pytest.raises(SystemExit):
        search.main()
    assert "twins cannot be searched: nothing is compiled" in capsys.readouterr().err
