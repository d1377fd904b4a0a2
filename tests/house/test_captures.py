"""The captures of this repository: recorded again they hold the same messages; tshark agrees."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from places import ROOT, SHARED

from pingpong import read
from pingpong.live.private import unavailable
from pingpong.model import Message

CAPTURES = sorted((ROOT / "captures").glob("*.pcap"))

# Recordings of the real ones, which cannot be made again here; and where each is from.
ELSEWHERE = {
    "error_dubbo.pcap": "relatives/dubbo2_x_sofa_java.pcap",
    "error_motan.pcap": "relatives/motan2_go_breeze.pcap",
    "error_rpcx.pcap": "relatives/rpcx_json_concurrent.pcap",
    "login_dubbo.pcap": "family/dubbo2_java26.pcap",
    "login_motan.pcap": "family/motan2.pcap",
    "login_rpcx.pcap": "family/rpcx_msgpack.pcap",
}
# Others spoke here too: what they would say today has other ids.
OTHERS = {"attachments_dubbo.pcap", "etcd.pcap"}
RECORDED_HERE = [path for path in CAPTURES if path.name not in {*ELSEWHERE, *OTHERS}]

# Of gRPC one header says which grpcio it is: another version writes another.
SAYS_WHO = "login_grpc.pcap"

# It has no THeader, and of the others it was told no port.
KNOWN_TO_TSHARK = [
    path for path in RECORDED_HERE
    if "theader" not in path.name and path.name.partition(".")[0] not in (
        "login_grpc", "login_http1", "login_http2")
]  # fmt: skip

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


@pytest.mark.parametrize("path", RECORDED_HERE, ids=lambda path: path.name)
def test_recorded_again_the_messages_are_the_same(path: Path, recorded_again: Path) -> None:
    if not (recorded_again / path.name).is_file():
        pytest.skip("needs the packages of the extras lab and relatives")
    stored, again = read(path), read(recorded_again / path.name)
    if path.name == SAYS_WHO:
        assert [_without_agent(one) for one in stored.messages] == [
            _without_agent(one) for one in again.messages
        ]
        return
    assert stored.findings == again.findings
    assert [finding.text for finding in stored.findings] == LOST.get(path.name, [])
    assert [e.outcome for e in stored.exchanges] == [e.outcome for e in again.exchanges]
    assert [m.data for m in stored.messages] == [m.data for m in again.messages]
    assert [m.transport for m in stored.messages] == [m.transport for m in again.messages]
    assert [str(m.server) for m in stored.messages] == [str(m.server) for m in again.messages]


def _without_agent(message: Message) -> list[object]:
    """What a message of gRPC says, but for the version of the library that said it."""
    said = [(one.name, one.value) for one in message.metadata if one.name != "user-agent"]
    return [message.type, message.method, message.seqid, message.body.plain, *said]


@pytest.mark.parametrize("name", ELSEWHERE)
def test_what_others_recorded_is_as_it_was(name: str) -> None:
    source = SHARED / "captures" / ELSEWHERE[name]
    if not source.is_file():
        pytest.skip(f"the captures of relatives are not on this machine (looked for {source})")
    assert (ROOT / "captures" / name).read_bytes() == source.read_bytes()


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
