"""Every protocol in every transport: what other libraries write is read, byte for byte.

``dialects.py`` has the conversation, its writers and what has to hold; README's table of what
is read is made from the same rows.
"""

from __future__ import annotations

import functools
import itertools

import dialects
import fuzz
import pytest
from dialects import (
    COLUMNS,
    LEFT_OUT,
    MULTIPLEXED,
    ROWS,
    TOGETHER,
    TRACED,
    WHOLE,
    WRITERS,
    Piece,
    Row,
    check,
    check_late,
    check_message,
    check_tracked,
    conversation,
    is_picked_up,
    packets,
    told,
    written_again,
)
from making import Talk, framed
from surrounding import step
from thriftpy2.protocol.compact import TCompactProtocol

from pingpong import read_packets
from pingpong.model import Severity
from pingpong.protocols.detect import protocols, transports
from pingpong.protocols.families.thrift.answers import THRIFT
from pingpong.protocols.families.thrift.sasl import WRAPPED

pytestmark = pytest.mark.many

# What a row reads is read once: no test here changes it.
checked = functools.cache(check)
TCP = [row for row in ROWS if row.transport != dialects.DATAGRAM]
ONE_CONNECTION = [row for row in TCP if not dialects.CARRIERS[row.carrier].apart]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_it_is_read_to_the_last_byte(row: Row) -> None:
    checked(row)


@pytest.mark.parametrize("cut", [TOGETHER, 1, 7], ids=["together", "1", "7"])
@pytest.mark.parametrize("row", TCP, ids=str)
def test_how_it_is_cut_does_not_matter(row: Row, cut: int) -> None:
    """All that an end says in one segment; one byte in each; seven."""
    whole, other = checked(row), check(row, cut)
    for by_client in (True, False):
        one, two = (
            [(m.offset, m.size, m.data) for m in capture.messages if m.from_client == by_client]
            for capture in (whole, other)
        )
        assert one == two


# What else has these ports: Thrift's own, UPnP's, SMPP's, HTTP's, HTTPS's.
PORTS = (9090, 5000, 2775, 80, 443)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_port_says_nothing(row: Row) -> None:
    for port in PORTS:
        check(row, port=port)


@pytest.mark.parametrize("row", MULTIPLEXED, ids=str)
def test_multiplexed(row: Row) -> None:
    """A call has the service's name before the method's, a reply has not."""
    capture = check(row)
    assert [exchange.method for exchange in capture.exchanges][:2] == ["Calc:add", "Calc:look"]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_what_was_read_is_written_again(row: Row) -> None:
    """To the same bytes.  thriftpy2 spells Apache's JSON in its own way: there, what is
    written again says the same."""
    for message in checked(row).messages:
        again = written_again(message)
        start = message.header.span.start
        if (row.protocol, row.writer) == ("json", dialects.THRIFTPY2):
            header = message.protocol.read_header(again, 0, len(again), message.limits)
            body = message.protocol.read_struct(
                again, header.span.stop, len(again), (), message.limits
            )
            assert (header.method, header.type, header.seqid, body.plain) == (
                message.method, message.type, message.seqid, message.body.plain,
            )  # fmt: skip
        else:
            assert again == message.data[start:]


@pytest.mark.parametrize("row", ONE_CONNECTION, ids=str)
def test_a_capture_may_begin_in_mid_stream(row: Row) -> None:
    if is_picked_up(row):
        check_late(row)
        return
    capture = read_packets(dialects.late(row))
    if row.column == "WebSocket":
        # What a client sends is masked; what a server sends may stand there as it is.
        assert not any(message.from_client for message in capture.messages)
        return
    assert len(capture.messages) == 0
    assert capture.findings == ()
    assert capture.flows[0].detection is not None
    assert "no message proves itself" in capture.flows[0].detection.evidence


@pytest.mark.parametrize("row", [row for row in ONE_CONNECTION if is_picked_up(row)], ids=str)
def test_a_capture_may_begin_inside_a_head(row: Row) -> None:
    """Of the second call a part is missing: of what the transport put before it, or all of
    that.  Whatever is made of the rest of it, all that follows is read as what it is."""
    (pieces,) = conversation(row)
    begin = [at for at, piece in enumerate(pieces) if piece.is_message][2]
    second = checked(row).messages[2]
    head = second.data.index(b"\r\n\r\n") + 4 if row.column == "HTTP" else second.header.span.start
    transport = "framed" if row.column == "SASL" else row.transport
    following = dialects.wanted(row)[3:]
    for missing in sorted({1, head // 2, head}):
        talk = Talk()
        talk.send(True, pieces[begin].data[missing:])
        for piece in pieces[begin + 1 :]:
            talk.send(piece.by_client, piece.data)
        capture = read_packets(talk.close().packets)
        read = [message for message in capture.messages if message.seqid != second.seqid]
        read += [m for m in capture.messages if m.seqid == second.seqid and not m.from_client]
        assert sorted(map(str, map(told, read))) == sorted(map(str, following)), missing
        assert {(m.protocol.name, m.transport) for m in read} == {(row.protocol, transport)}
        assert [f.text for f in capture.findings if f.severity is Severity.ERROR] == [], missing


@pytest.mark.parametrize("row", ONE_CONNECTION, ids=str)
def test_a_lost_segment_costs_its_message_alone(row: Row) -> None:
    """In a zlib stream, or a WebSocket, all that its end sent later too: and that is told."""
    (pieces,) = conversation(row)
    lost = [at for at, piece in enumerate(pieces) if piece.is_message][2]
    talk = Talk().open()
    for at, piece in enumerate(pieces):
        if at == lost:
            talk.skip(piece.by_client, len(piece.data))
        else:
            talk.send(piece.by_client, piece.data)
    capture = read_packets(talk.close().packets)
    wanted = dialects.wanted(row)
    del wanted[2]
    is_leaning = row.column in ("zlib", "WebSocket")
    if is_leaning:
        wanted = [one for one in wanted if one[0] not in dialects.FROM_CLIENT or one[1] == "add"]
    for by_client in (True, False):
        got = [told(one) for one in capture.messages if one.from_client == by_client]
        assert got == [one for one in wanted if (one[0] in dialects.FROM_CLIENT) == by_client]
    texts = " ".join(finding.text for finding in capture.findings)
    assert f"from the client: the capture lost {len(pieces[lost].data)} bytes" in texts
    assert (f"{row.transport} cannot be picked up in mid-stream" in texts) == is_leaning


# ── Tracing headers ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("cut", [WHOLE, TOGETHER, 1, 7], ids=["whole", "together", "1", "7"])
@pytest.mark.parametrize("column", TRACED)
def test_tracing_headers(column: str, cut: int) -> None:
    check_tracked(column, cut)


UPGRADE = "__thriftpy_tracing_method_name__v2"


@pytest.mark.parametrize("column", TRACED)
@pytest.mark.parametrize("by_client", [True, False], ids=["client", "server"])
def test_tracing_headers_in_another_protocol_do_no_harm(column: str, by_client: bool) -> None:
    """Only binary ones are looked for; the others must not stop the reader, or make it run
    for ever."""
    pieces = dialects.tracked(column, TCompactProtocol)
    data = b"".join(piece.data for piece in pieces if piece.by_client == by_client)
    fuzz.run("plain", data, measured=True)


@pytest.mark.parametrize(
    "data",
    [
        b'[1,"%s",1,0,{}][1,"add",1,0,{}]' % UPGRADE.encode(),
        bytes.fromhex("82210022") + UPGRADE.encode() + bytes.fromhex("00 8221000361646400"),
    ],
    ids=["json", "compact"],
)
def test_an_upgrade_and_no_header_behind_it(data: bytes) -> None:
    fuzz.run("plain", data, measured=True)


# ── SASL ─────────────────────────────────────────────────────────────────────────────


def wrapped(data: bytes) -> bytes:
    """A frame whose content a mechanism has hidden."""
    return framed(bytes.fromhex("0504 06ff 0000 0000") + bytes(byte ^ 0x5A for byte in data))


def sasl(*messages: tuple[bool, bytes]) -> list[Piece]:
    return [
        Piece(True, step(1, b"GSSAPI"), False),
        Piece(True, step(2, b"token"), False),
        Piece(False, step(5), False),
        *(Piece(by_client, data) for by_client, data in messages),
    ]


PLAIN = [
    (piece.by_client, framed(piece.data))
    for piece in conversation(Row("binary", "unframed", dialects.APACHE))[0]
]


def test_wrapped_content_is_told() -> None:
    pieces = sasl(*((by_client, wrapped(data)) for by_client, data in PLAIN))
    capture = read_packets(packets([pieces]))
    assert len(capture.messages) == 0
    seen = capture.flows[0].detection
    assert seen is not None
    assert (seen.transport, seen.protocol) == ("sasl", None)
    assert WRAPPED in seen.evidence
    assert "GSSAPI" in seen.evidence
    assert "token" not in seen.evidence


def test_wrapped_content_among_messages_is_told() -> None:
    """What cannot be read never goes without a word."""
    pieces = sasl(*PLAIN[:2], *((by_client, wrapped(data)) for by_client, data in PLAIN[2:4]))
    capture = read_packets(packets([pieces]))
    assert [message.method for message in capture.messages] == ["add", "add"]
    for message in capture.messages:
        check_message(message)
    seen = capture.flows[0].detection
    assert seen is not None
    assert WRAPPED in " ".join([seen.evidence, *(found.text for found in capture.findings)])


# ── The table itself ─────────────────────────────────────────────────────────────────


def test_every_cell_is_a_row_or_has_a_reason() -> None:
    rows = {(row.protocol, row.column) for row in ROWS}
    assert rows.isdisjoint(LEFT_OUT)
    assert rows | set(LEFT_OUT) == set(itertools.product(WRITERS, COLUMNS))
    assert all(LEFT_OUT.values())


def test_every_protocol_and_every_transport_of_the_package_is_here() -> None:
    assert {row.protocol for row in ROWS} == set(protocols())
    ours = {one for one in transports() if getattr(one, "family", None) is THRIFT}
    assert {row.transport for row in ROWS} == {*ours, dialects.DATAGRAM}


def test_most_rows_have_two_writers() -> None:
    """Apache's library and thriftpy2: the same values, and not one witness alone."""
    for protocol in ("binary", "binary-old", "compact", "json"):
        assert {row.writer for row in ROWS if row.protocol == protocol} == {
            dialects.APACHE, dialects.THRIFTPY2,
        }  # fmt: skip
