"""The captures of hard cases, and of whole conversations, read as their README says.

Those recorded by other projects are in ``test_capture.py``, held against tshark's list.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from dialects import told as told_of

from pingpong import check_cover, cli, explain, read
from pingpong.capture import Capture
from pingpong.model import Field, Gap, Message, Plain, Span, Struct
from pingpong.protocols.families.thrift.answers import THRIFT

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

# The same where the wire has names and no ids: thriftpy2's JSON.
NAMED_INNER = {"yes": True, "no": False, "n": -5, "flags": [True, False, True], "d": 2.5}
NAMED: list[tuple[str, str, int, dict[str, Any]]] = [
    ("CALL", "add", 1, {"a": 2, "b": 40}),
    ("REPLY", "add", 1, {"success": 42}),
    ("CALL", "look", 2, {"x": NAMED_INNER}),
    ("REPLY", "look", 2, {"success": NAMED_INNER}),
    ("CALL", "look", 3, {"x": NAMED_INNER}),
    ("REPLY", "look", 3, {"e": {"why": "nope", "code": 7}}),
    ("CALL", "nope", 4, {"a": 2, "b": 40}),
    ("EXCEPTION", "nope", 4, {"message": "Unknown method nope", "type": 1}),
    ("ONEWAY", "fire", 5, {"s": "boom"}),
]

DIALECTS = {
    "01_bin_unframed": ("binary", "unframed"),
    "02_bin_framed": ("binary", "framed"),
    "03_old_unframed": ("binary-old", "unframed"),
    "04_old_framed": ("binary-old", "framed"),
    "05_compact_unframed": ("compact", "unframed"),
    "06_compact_framed": ("compact", "framed"),
    "07_tpy2json": ("thriftpy2-json", "unframed"),
    "08_apachejson": ("json", "unframed"),
    "09_apachejson_framed": ("json", "framed"),
    "10_theader_bin": ("binary", "theader"),
    "11_theader_compact_zlib": ("compact", "theader"),
    "12_http_xthrift_bin": ("binary", "http"),
    "13_http_vnd_compact": ("compact", "http"),
    "14_http_vnd_json": ("json", "http"),
    "14b_http_xthrift_compact": ("compact", "http"),
    "15_zlib": ("binary", "zlib"),
}


def covered(path: Path) -> Capture:
    """The capture, after its every byte was explained."""
    capture = read(path)
    for message in capture.messages:
        check_cover(explain(message), len(message.data))
    return capture


def notes(message: Message, label: str) -> list[str]:
    """What the notes with that label say."""
    return [note.meaning for note in explain(message) if note.label == label]


def speaks(capture: Capture) -> set[tuple[str, str | None]]:
    """The dialects of the messages and of the connections."""
    seen = [flow.detection for flow in capture.flows]
    return {(m.protocol.name, m.transport) for m in capture.messages} | {
        (one.protocol.name if one.protocol else "", one.transport) for one in seen if one
    }


@pytest.mark.parametrize("name", DIALECTS)
def test_a_dialect(name: str, edge_captures: Path) -> None:
    capture = covered(edge_captures / f"{name}.pcap")
    protocol, transport = DIALECTS[name]
    wanted: list[Any] = [*(NAMED if protocol == "thriftpy2-json" else CONVERSATION)]
    assert [told_of(message) for message in capture.messages] == wanted
    assert speaks(capture) == {(protocol, transport)}
    assert [exchange.outcome.name for exchange in capture.exchanges] == OUTCOMES
    assert capture.findings == ()
    for message in capture.messages:
        assert message.findings == ()
        assert {note.kind for note in explain(message)}.isdisjoint({"unread", "lost"})


@pytest.mark.parametrize("name", DIALECTS)
def test_every_byte_of_both_directions_is_a_message_s(name: str, edge_captures: Path) -> None:
    capture = covered(edge_captures / f"{name}.pcap")
    (flow,) = capture.flows
    for by_client, total in ((True, flow.sent), (False, flow.received)):
        places = [
            (one.offset, one.offset + one.size)
            for one in capture.messages
            if one.from_client == by_client
        ]
        assert [start for start, _ in places] == [0, *(stop for _, stop in places[:-1])]
        assert places[-1][1] == total


@pytest.mark.parametrize("name", ["10_theader_bin", "11_theader_compact_zlib"])
def test_key_values_of_theader(name: str, edge_captures: Path) -> None:
    messages = covered(edge_captures / f"{name}.pcap").messages
    assert len(messages) > 0
    for message in messages:
        assert notes(message, "key") == ['"trace-id"']
        assert notes(message, "value")[0] == '"abc123"'
        packed = "zlib" in name
        assert notes(message, "transform id") == (["1 zlib"] if packed else [])


# ── Ping and login ───────────────────────────────────────────────────────────────────

LOGIN: list[tuple[str, str, dict[int, Plain]]] = [
    ("CALL", "ping", {}),
    ("REPLY", "ping", {0: "pong"}),
    ("CALL", "login", {1: "admin", 2: "123456"}),
    ("REPLY", "login", {0: "登录成功!"}),
]
NAMED_LOGIN: list[tuple[str, str, dict[str, Any]]] = [
    ("CALL", "ping", {}),
    ("REPLY", "ping", {"success": "pong"}),
    ("CALL", "login", {"username": "admin", "password": "123456"}),
    ("REPLY", "login", {"success": "登录成功!"}),
]

FAMILY = {
    "thrift_binary_buffered": ("binary", "unframed"),
    "thrift_binary_framed": ("binary", "framed"),
    "thrift_compact_buffered": ("compact", "unframed"),
    "thrift_compact_framed": ("compact", "framed"),
    "thrift_json_buffered": ("thriftpy2-json", "unframed"),
    "thrift_json_framed": ("thriftpy2-json", "framed"),
}


@pytest.fixture
def family(edge_captures: Path) -> Path:
    return edge_captures.parent / "family"


@pytest.mark.parametrize("name", FAMILY)
def test_ping_and_login(name: str, family: Path) -> None:
    capture = covered(family / f"{name}.pcap")
    wanted: list[Any] = [*(NAMED_LOGIN if "json" in name else LOGIN)]
    said = [(kind, method, values) for kind, method, _, values in map(told_of, capture.messages)]
    assert said == wanted
    assert speaks(capture) == {FAMILY[name]}
    assert told(capture) == [("ping", "SUCCESS"), ("login", "SUCCESS")]
    assert capture.findings == ()


TRACED = "thrift_tracked"
UPGRADE = "__thriftpy_tracing_method_name__v2"


def test_tracing_headers(family: Path) -> None:
    capture = covered(family / f"{TRACED}.pcap")
    said = [(kind, method, values) for kind, method, _, values in map(told_of, capture.messages)]
    assert said == [("CALL", UPGRADE, {2: 2}), ("REPLY", UPGRADE, {1: 2}), *LOGIN]
    assert speaks(capture) == {("binary", "unframed")}
    assert capture.findings == ()
    requests = [m for m in capture.messages if m.from_client and m.method != UPGRADE]
    assert [notes(m, "tracing header value")[1:] for m in requests] == [['"1"'], ['"2"']]
    replies = [m for m in capture.messages if not m.from_client and m.method != UPGRADE]
    for message in replies:
        # Its header is empty: the STOP alone.
        assert message.header.span.start == 1
        assert explain(message)[0].label == "tracing header STOP"


def test_an_upgrade_that_was_agreed_to_is_no_exception(family: Path) -> None:
    """Field 1 of its reply is a version: thriftpy2's tracking.thrift, UpgradeReply."""
    capture = covered(family / f"{TRACED}.pcap")
    assert told(capture) == [(UPGRADE, "SUCCESS"), ("ping", "SUCCESS"), ("login", "SUCCESS")]


# ── Hard cases ───────────────────────────────────────────────────────────────────────


def edge(folder: Path, name: str) -> Capture:
    return covered(folder / f"{name}.pcap")


def told(capture: Capture) -> list[tuple[str, str]]:
    return [(exchange.method, exchange.outcome.name) for exchange in capture.exchanges]


def test_sasl(edge_captures: Path) -> None:
    capture = edge(edge_captures, "16_sasl_framed")
    assert [told_of(message) for message in capture.messages] == CONVERSATION[:2]
    assert speaks(capture) == {("binary", "sasl")}
    assert told(capture) == [("add", "SUCCESS")]
    assert capture.findings == ()
    (flow,) = capture.flows
    # The negotiation, then the frames, to the last byte.
    assert [(one.offset, one.size) for one in capture.messages] == [(23, 34), (5, 27)]
    assert (flow.sent, flow.received) == (23 + 34, 5 + 27)
    assert flow.detection is not None
    assert "SASL START, mechanism PLAIN" in flow.detection.evidence


def test_multiplexed(edge_captures: Path) -> None:
    capture = edge(edge_captures, "17_multiplexed")
    assert [(m.type.name, m.method) for m in capture.messages] == [
        ("CALL", "Calc:add"),
        ("REPLY", "add"),
    ]
    assert told(capture) == [("Calc:add", "SUCCESS")]


def test_pipelined_out_of_order(edge_captures: Path) -> None:
    capture = edge(edge_captures, "18_pipelined_ooo")
    assert [(m.type.name, m.method, m.seqid) for m in capture.messages] == [
        ("CALL", "add", 1), ("CALL", "add", 2), ("CALL", "look", 3),
        ("REPLY", "look", 3), ("REPLY", "add", 2), ("REPLY", "add", 1),
    ]  # fmt: skip
    assert [exchange.outcome.name for exchange in capture.exchanges] == ["SUCCESS"] * 3
    for exchange in capture.exchanges:
        assert exchange.call is not None
        assert exchange.reply is not None
        assert exchange.call.seqid == exchange.reply.seqid


@pytest.mark.parametrize(
    ("name", "transport"), [("19_dribble4_unframed", "unframed"), ("20_dribble4_framed", "framed")]
)
def test_a_few_bytes_a_segment(name: str, transport: str, edge_captures: Path) -> None:
    capture = edge(edge_captures, name)
    assert [told_of(message) for message in capture.messages] == CONVERSATION[:4]
    assert speaks(capture) == {("binary", transport)}
    assert capture.findings == ()
    assert all(len(message.packets) > 5 for message in capture.messages)


@pytest.mark.parametrize(
    ("name", "transport", "skipped"),
    [("21_midstream_framed", "framed", 3428), ("22_midstream_unframed", "unframed", 3424)],
)
def test_mid_stream(name: str, transport: str, skipped: int, edge_captures: Path) -> None:
    capture = edge(edge_captures, name)
    assert [told_of(message)[:3] for message in capture.messages] == [
        ("CALL", "add", 2),
        ("REPLY", "add", 2),
    ]
    assert speaks(capture) == {("binary", transport)}
    assert told(capture) == [("add", "SUCCESS")]
    assert capture.messages[0].offset == skipped
    assert [finding.text for finding in capture.findings] == [
        f"flow 1, from the client: skipped {skipped} bytes before stream offset {skipped}: "
        "the capture begins in mid-stream"
    ]


@pytest.mark.parametrize(
    ("name", "transport", "ended", "outcome"),
    [
        ("23_unframed_to_framed_rst", "unframed", "RST", "RESET_BY_SERVER"),
        ("24_framed_to_unframed_close", "framed", "FIN", "CLOSED_BY_CLIENT"),
    ],
)
def test_ends_that_do_not_understand_each_other(
    name: str, transport: str, ended: str, outcome: str, edge_captures: Path
) -> None:
    capture = edge(edge_captures, name)
    assert told(capture) == [("add", outcome)]
    assert speaks(capture) == {("binary", transport)}
    assert (capture.flows[0].ended, capture.flows[0].received) == (ended, 0)


def test_http_on_a_thrift_port(edge_captures: Path) -> None:
    capture = edge(edge_captures, "25_http_get_on_9090")
    assert len(capture.messages) == 0
    assert capture.findings == ()
    seen = capture.flows[0].detection
    assert seen is not None
    assert seen.transport is None
    assert seen.evidence.startswith("begins with 47 45 54 20 ")
    assert "HTTP GET /" in seen.evidence


def test_a_lost_segment(edge_captures: Path) -> None:
    """Which 1000 bytes they are: in the message, in its value, in its notes."""
    capture = edge(edge_captures, "26_lost_segment")
    assert told(capture) == [("blob", "SUCCESS"), ("add", "SUCCESS")]
    blob = capture.exchanges[0].call
    assert blob is not None
    assert blob.gaps == (Gap(1000, 1000),)
    assert blob.size == 3028
    (value,) = (field.value for field in blob.fields)
    assert value.lost == 1000
    assert isinstance(value.content, bytes)
    assert value.content == blob.data[27:1000]
    assert [note.span for note in explain(blob) if note.kind == "lost"] == [Span(1000, 2000)]
    assert [finding.text for finding in blob.findings] == [
        "string at offset 27: 1000 of its 3000 bytes were lost"
    ]
    assert [finding.text for finding in capture.findings] == [
        "flow 1, from the client: the capture lost 1000 bytes"
    ]
    assert capture.flows[0].lost == 1000


def test_out_of_order_and_sent_again(edge_captures: Path) -> None:
    capture = edge(edge_captures, "27_ooo_retrans")
    assert told(capture) == [("blob", "SUCCESS")]
    assert capture.messages[0].body.plain == {1: "A" * 3000}
    assert capture.findings == ()
    assert capture.flows[0].lost == 0


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
    """On the loopback scapy hears each packet as it goes out and as it comes in."""
    capture = edge(edge_captures, "live_scapy_lo_thriftpy2")
    assert [told_of(message) for message in capture.messages] == [
        ("CALL", "add", 0, {1: 2, 2: 40}),
        ("REPLY", "add", 0, {0: 42}),
        ("CALL", "add", 0, {1: 1, 2: 1}),
        ("REPLY", "add", 0, {0: 2}),
        ("ONEWAY", "fire", 0, {1: "x"}),
        ("CALL", "deep", 0, {1: {1: 1}}),
    ]
    assert capture.findings == ()
    payloads = [step for step in capture.steps if step.segment and step.segment.payload]
    assert [step.remark for step in payloads] == ["", "retransmission"] * 6


# ── At the shell ─────────────────────────────────────────────────────────────────────

HOLD_THRIFT = [
    *(f"edge/{name}" for name in DIALECTS),
    *(
        f"edge/{name}"
        for name in (
            "16_sasl_framed",
            "17_multiplexed",
            "18_pipelined_ooo",
            "19_dribble4_unframed",
            "20_dribble4_framed",
            "21_midstream_framed",
            "22_midstream_unframed",
            "23_unframed_to_framed_rst",
            "24_framed_to_unframed_close",
            "26_lost_segment",
            "27_ooo_retrans",
            "28_deep40",
            "live_scapy_lo_thriftpy2",
        )
    ),
    *(f"family/{name}" for name in (*FAMILY, TRACED)),
    *(
        f"real/{name}"
        for name in (
            "calc-service-binary",
            "ipv6_thrift",
            "thrift_echo_binary",
            "thrift_integration",
            "thrift_tutorial",
            "thrift_tutorial_framed_transport",
        )
    ),
]


@pytest.mark.parametrize("name", HOLD_THRIFT)
def test_show_needs_no_option(
    name: str, edge_captures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = edge_captures.parent / f"{name}.pcap"
    capture = read(path)
    assert cli.run(["show", str(path)]) == 0
    out = capsys.readouterr().out
    # Long names are cut in the ladder, in their middle.
    assert f"{capture.messages[0].type.name} {capture.messages[0].method[:8]}" in out
    count = len(capture.messages)
    assert f"{len(capture.packets)} packets, " in out
    assert f", {count} message{'s' if count > 1 else ''}, " in out


def test_names_are_shown_where_the_wire_has_them(
    edge_captures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """thriftpy2's JSON has no ids: nothing is shown, or kept, under one."""
    path = edge_captures / "07_tpy2json.pcap"
    assert cli.run(["show", str(path)]) == 0
    out = capsys.readouterr().out
    assert "-1: " not in out
    assert "CALL add a: 2, b: 40" in out
    assert "REPLY add 42" in out
    assert "UNKNOWN_METHOD" in out
    assert cli.run(["show", str(path), "--json"]) == 0
    assert '"name": "a"' in capsys.readouterr().out
    call = read(path).messages[0]
    assert len(call.body.plain) == len(call.fields) == 2


def test_every_capture_is_read_by_a_test(edge_captures: Path) -> None:
    """All of edge/ and real/, and what is Thrift in family/."""
    folder = edge_captures.parent
    there = {f"{path.parent.name}/{path.stem}" for path in folder.glob("*/*.pcap")}
    # Those of other families are read by test_doors.
    foreign = {name for name in there if name.startswith("relatives/")}
    foreign |= {name for name in there if name.startswith("family/") and "/thrift_" not in name}
    assert there - foreign == {*HOLD_THRIFT, "edge/25_http_get_on_9090"}


def test_no_relative_is_called_thrift(family: Path) -> None:
    """gRPC, Dubbo, Motan, rpcx, HTTP, etcd."""
    foreign = [path for path in sorted(family.glob("*.pcap")) if "thrift_" not in path.name]
    assert len(foreign) > 20
    for path in foreign:
        capture = read(path)
        assert not [one for one in capture.messages if one.family is THRIFT], path.name
        for flow in capture.flows:
            spoken = None if flow.detection is None else flow.detection.transport
            assert spoken is None or spoken.family is not THRIFT, path.name
