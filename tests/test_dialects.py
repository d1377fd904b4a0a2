"""The captures of hard cases, and of whole conversations, read as their README says."""

from __future__ import annotations

from pathlib import Path

import pytest

from pingpong import check_cover, explain, read
from pingpong.capture import Capture
from pingpong.model import Field, Plain, Struct

INNER = {1: True, 2: False, 3: -5, 4: [True, False, True], 5: 2.5}

# Every dialect has the same conversation.
CONVERSATION: list[tuple[str, str, int, dict[int, Plain]]] = [
    ("CALL", "add", 1, {1: 2, 2: 40}),
    ("REPLY", "add", 1, {0: 42}),
    ("CALL", "look", 2, {1: INNER}),
    ("REPLY", "look", 2, {0: INNER}),
    ("CALL", "look", 3, {1: INNER}),
    ("REPLY", "look", 3, {1: {1: "nope", 2: 7}}),
    ("CALL", "nope", 4, {1: 2, 2: 40}),
    ("EXCEPTION", "nope", 4, {1: "Unknown method nope", 2: 1}),
    ("ONEWAY", "fire", 5, {1: "boom"}),
]
OUTCOMES = ["SUCCESS", "SUCCESS", "DECLARED_EXCEPTION", "APPLICATION_EXCEPTION", "ONEWAY"]

DIALECTS = {
    "01_bin_unframed": ("binary", "unframed"),
    "02_bin_framed": ("binary", "framed"),
    "03_old_unframed": ("binary-old", "unframed"),
    "04_old_framed": ("binary-old", "framed"),
    "05_compact_unframed": ("compact", "unframed"),
    "06_compact_framed": ("compact", "framed"),
}


def covered(capture: Capture) -> Capture:
    """The capture, after its every byte was explained."""
    for message in capture.messages:
        check_cover(explain(message), len(message.data))
    return capture


@pytest.mark.parametrize("name", DIALECTS)
def test_a_dialect(name: str, edge_captures: Path) -> None:
    capture = covered(read(edge_captures / f"{name}.pcap"))
    assert [
        (m.type.name, m.method, m.seqid, m.body.plain) for m in capture.messages
    ] == CONVERSATION
    assert {(m.protocol.name, m.transport) for m in capture.messages} == {DIALECTS[name]}
    assert [e.outcome.name for e in capture.exchanges] == OUTCOMES
    assert capture.findings == ()
    assert all(message.findings == () for message in capture.messages)


FAMILY = {
    "thrift_binary_buffered": ("binary", "unframed"),
    "thrift_binary_framed": ("binary", "framed"),
    "thrift_compact_buffered": ("compact", "unframed"),
    "thrift_compact_framed": ("compact", "framed"),
}


@pytest.mark.parametrize("name", FAMILY)
def test_ping_and_login(name: str, edge_captures: Path) -> None:
    capture = covered(read(edge_captures.parent / "family" / f"{name}.pcap"))
    said = [(m.type.name, m.method, m.body.plain) for m in capture.messages]
    assert said[0] == ("CALL", "ping", {})
    assert said[1] == ("REPLY", "ping", {0: "pong"})
    assert said[2][:2] == ("CALL", "login")
    assert said[3] == ("REPLY", "login", {0: "登录成功!"})
    assert {(m.protocol.name, m.transport) for m in capture.messages} == {FAMILY[name]}
    assert capture.findings == ()


def test_tracing_headers(edge_captures: Path) -> None:
    capture = covered(read(edge_captures.parent / "family" / "thrift_tracked.pcap"))
    assert [(m.type.name, m.method) for m in capture.messages][2:] == [
        ("CALL", "ping"), ("REPLY", "ping"), ("CALL", "login"), ("REPLY", "login"),
    ]  # fmt: skip
    assert capture.findings == ()


def edge(folder: Path, name: str) -> Capture:
    return covered(read(folder / f"{name}.pcap"))


def told(capture: Capture) -> list[tuple[str, str]]:
    return [(e.method, e.outcome.name) for e in capture.exchanges]


def test_multiplexed(edge_captures: Path) -> None:
    assert told(edge(edge_captures, "17_multiplexed")) == [("Calc:add", "SUCCESS")]


def test_pipelined_out_of_order(edge_captures: Path) -> None:
    capture = edge(edge_captures, "18_pipelined_ooo")
    assert [e.outcome.name for e in capture.exchanges] == ["SUCCESS"] * 3
    for exchange in capture.exchanges:
        assert exchange.call is not None
        assert exchange.reply is not None
        assert exchange.call.seqid == exchange.reply.seqid


@pytest.mark.parametrize("name", ["19_dribble4_unframed", "20_dribble4_framed"])
def test_a_few_bytes_a_segment(name: str, edge_captures: Path) -> None:
    assert told(edge(edge_captures, name)) == [("add", "SUCCESS"), ("look", "SUCCESS")]


@pytest.mark.parametrize("name", ["21_midstream_framed", "22_midstream_unframed"])
def test_mid_stream(name: str, edge_captures: Path) -> None:
    capture = edge(edge_captures, name)
    assert told(capture)[-1][1] == "SUCCESS"
    assert "the capture begins in mid-stream" in capture.findings[0].text


@pytest.mark.parametrize(
    ("name", "ended"),
    [("23_unframed_to_framed_rst", "RST"), ("24_framed_to_unframed_close", "FIN")],
)
def test_ends_that_do_not_understand_each_other(name: str, ended: str, edge_captures: Path) -> None:
    capture = edge(edge_captures, name)
    assert [outcome for _, outcome in told(capture)] == ["NO_REPLY"]
    assert capture.flows[0].ended == ended


def test_http_on_a_thrift_port(edge_captures: Path) -> None:
    capture = edge(edge_captures, "25_http_get_on_9090")
    assert len(capture.messages) == 0
    assert capture.flows[0].detection is not None
    assert capture.flows[0].detection.evidence.startswith("begins with 47 45 54 20")


def test_a_lost_segment(edge_captures: Path) -> None:
    capture = edge(edge_captures, "26_lost_segment")
    assert told(capture) == [("blob", "SUCCESS"), ("add", "SUCCESS")]
    blob = capture.exchanges[0].call
    assert blob is not None
    assert blob.fields[0].value.lost == 1000
    assert "the capture lost 1000 bytes" in capture.findings[0].text


def test_out_of_order_and_sent_again(edge_captures: Path) -> None:
    capture = edge(edge_captures, "27_ooo_retrans")
    assert [outcome for _, outcome in told(capture)] == ["SUCCESS"]
    assert capture.findings == ()


def test_nesting_40_deep(edge_captures: Path) -> None:
    capture = edge(edge_captures, "28_deep40")
    call = capture.exchanges[0].call
    assert call is not None
    assert call.findings == ()

    def depth(fields: tuple[Field, ...]) -> int:
        contents = [field.value.content for field in fields]
        return 1 + max((depth(c.fields) for c in contents if isinstance(c, Struct)), default=0)

    assert depth(call.fields) > 40


def test_every_packet_twice(edge_captures: Path) -> None:
    capture = edge(edge_captures, "live_scapy_lo_thriftpy2")
    assert len({(m.flow, m.from_client, m.offset) for m in capture.messages}) == len(
        capture.messages
    )


def test_no_foreign_capture_is_called_thrift(edge_captures: Path) -> None:
    """The relatives: gRPC, Dubbo, Motan, rpcx, HTTP, etcd."""
    foreign = [
        path
        for path in sorted((edge_captures.parent / "family").glob("*.pcap"))
        if not path.name.startswith("thrift_")
    ]
    assert len(foreign) > 20
    for path in foreign:
        capture = read(path)
        assert len(capture.messages) == 0, path.name
        assert capture.findings == (), path.name
