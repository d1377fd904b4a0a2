"""The captures of this repository: recorded again they hold the same messages; tshark agrees."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from places import ROOT

from pingpong import read
from pingpong.live.private import unavailable

CAPTURES = sorted((ROOT / "captures").glob("*.pcap"))

# Others spoke: what they would say today has other ids.  No Thrift is in them.
OTHERS = {"attachments_dubbo.pcap", "etcd.pcap"}
OURS = [path for path in CAPTURES if path.name not in OTHERS]

# It has no THeader.
KNOWN_TO_TSHARK = [path for path in OURS if "theader" not in path.name]

# Of this one two packets were taken out: a call and a reply.
LOST = {
    "trouble.pcap": [
        "flow 1, from the client: the capture lost 34 bytes",
        "flow 1, from the server: the capture lost 88 bytes",
    ]
}


@pytest.fixture(scope="session")
def recorded_again(tmp_path_factory: pytest.TempPathFactory) -> Path:
    reason = unavailable()
    if reason:
        pytest.skip(f"the captures are recorded in a private network: {reason}")
    folder = tmp_path_factory.mktemp("again")
    program = str(ROOT / "captures" / "record.py")
    subprocess.run([sys.executable, program, str(folder)], cwd=ROOT, check=True)
    return folder


def test_there_are_captures() -> None:
    assert CAPTURES


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_recorded_again_the_messages_are_the_same(path: Path, recorded_again: Path) -> None:
    stored, again = read(path), read(recorded_again / path.name)
    assert stored.findings == again.findings
    assert [finding.text for finding in stored.findings] == LOST.get(path.name, [])
    assert [e.outcome for e in stored.exchanges] == [e.outcome for e in again.exchanges]
    assert [m.data for m in stored.messages] == [m.data for m in again.messages]
    assert [m.transport for m in stored.messages] == [m.transport for m in again.messages]
    assert [str(m.server) for m in stored.messages] == [str(m.server) for m in again.messages]


@pytest.mark.parametrize("name", sorted(OTHERS))
def test_what_others_said_is_read_to_its_end(name: str) -> None:
    capture = read(ROOT / "captures" / name)
    assert list(capture.findings) == []
    assert {exchange.outcome.name for exchange in capture.exchanges} == {"SUCCESS"}


@pytest.mark.parametrize("path", KNOWN_TO_TSHARK, ids=lambda path: path.name)
def test_tshark_agrees(path: Path, tshark: str) -> None:
    """Method, type and seqid of every message, in order: tshark repeats them for each packet that
    carries a part."""
    done = subprocess.run(
        [tshark, "-r", str(path), "-Y", "thrift", "-T", "fields",
         "-e", "frame.number", "-e", "thrift.method", "-e", "thrift.mtype", "-e", "thrift.seq_id"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    theirs = [line.split("\t") for line in done.stdout.splitlines()]
    ours = [
        [str(packet), m.method, f"0x{m.type:02x}", str(m.seqid)]
        for m in read(path).messages
        for packet in m.packets
    ]
    ours.sort(key=lambda row: int(row[0]))  # what is behind lost bytes is given out when they are
    assert [[row[0], row[1], row[2], row[3]] for row in theirs] == ours


def test_every_capture_has_a_row_and_every_row_a_capture() -> None:
    text = (ROOT / "captures" / "README.md").read_text(encoding="utf-8")
    rows = [line.split("`")[1] for line in text.splitlines() if line.startswith("| `")]
    assert rows == [path.name for path in CAPTURES]
