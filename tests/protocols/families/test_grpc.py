"""gRPC, Triple and HTTP/2: what the peers say that they said is what is read, however it came.

The captures lie beside the checkout, with tables that the peers wrote themselves.
"""

from __future__ import annotations

import csv
import gzip
import json
import re
import subprocess
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from http2s import (
    CONTINUATION,
    DATA,
    END_STREAM,
    GOAWAY,
    HEADERS,
    IDL,
    OPENING,
    PATHS,
    RST_STREAM,
    Read,
    Said,
    block,
    conversations,
    enveloped,
    frame,
    packets_of,
    request,
    response,
    talked,
    trailers,
)
from making import Talk

from pingpong import explain, read_packets
from pingpong.calls.totals import Totals
from pingpong.model import Exchange, Message, MessageType, Outcome, Severity
from pingpong.protocols.explain import check_cover
from pingpong.views.json import exchange_row, message_row
from pingpong.views.one_line import call_line, exchange_line, header_line

STATUSES = (
    *("OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND"),
    *("ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION"),
    *("ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"),
    "UNAUTHENTICATED",
)


def capture(name: str) -> Path:
    path = PATHS[name]
    if not path.is_file():
        pytest.skip(f"the captures of the relatives are not on this machine (looked for {path})")
    return path


# ── The truth ────────────────────────────────────────────────────────────────────────


def rows_of(name: str) -> list[dict[str, str]]:
    text = capture(name).with_suffix(".tsv").read_text("utf-8")
    return list(csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))


def has_content(message: Message) -> bool:
    return any(one.what == "envelope" for one in message.layout)


def status_of(one: Exchange) -> tuple[int | None, str]:
    """The status that a reply brought, and its message."""
    if one.reply is None:
        return None, ""
    error = one.reply.family.error(one.reply)
    if one.reply.type is not MessageType.EXCEPTION:
        return 0, ""
    text = "" if error.text is None else str(error.text.content)
    return error.number, text


def agrees(message: Message, wanted: dict[str, object]) -> None:
    """That a message has the values of a row, as far as they are simple."""
    found = {field.name: field.value for field in message.fields}
    for key, value in wanted.items():
        name = re.sub(r"[A-Z]", lambda m: "_" + m.group().lower(), key)
        if isinstance(value, (dict, list)) or re.fullmatch(r"(Bytes\()?\d+( bytes|\))", str(value)):
            assert name in found
            continue
        if name not in found:
            assert value in (0, "0", "", False), name
            continue
        content, text = found[name].content, found[name].text
        if text is not None and name not in ("f_bytes", "took"):
            match = re.fullmatch(r"z x (\d+)", str(value))
            assert text == (value if match is None else "z" * int(match[1]))
        elif isinstance(value, bool) or name in ("f_float", "f_double"):
            assert content == pytest.approx(value)
        elif isinstance(content, int) and re.fullmatch(r"-?\d+", str(value)):
            assert content == int(str(value)), name


@pytest.mark.parametrize(
    "name",
    [
        *("grpc_py_rich", "grpc_py_stream", "grpc_py_goaway", "grpc_py_many"),
        *("grpc_node_rich", "grpc_node_gzip"),
    ],
)
def test_the_truth_is_met_value_by_value(name: str) -> None:
    rows = [row for row in rows_of(name) if row.get("stream") != "-"]
    read = Read(packets_of(capture(name)), IDL)
    assert len(read.exchanges) == len(rows)
    for row, one in zip(rows, read.exchanges, strict=True):
        path = row["method"].replace("/thinkrpc.Shop/../", "/")
        assert one.method == path
        assert one.call is not None
        if row.get("stream"):
            assert one.call.seqid == int(row["stream"])
        stream = [
            each
            for each in read.messages
            if each.flow == one.flow and each.seqid == one.call.seqid
            if each.type is not MessageType.EVENT and has_content(each)
        ]
        sent = [each for each in stream if each.from_client]
        came = [each for each in stream if not each.from_client]
        requests = [each for each in row["requests"].split(" | ") if each]
        responses = [each for each in row["responses"].split(" | ") if each]
        if path != "/thinkrpc.Nowhere/Do":
            assert len(sent) == len(requests)
        assert len(came) == len(responses)
        if row["kind"] == "unary":
            assert (one.parts_sent, one.parts_received) == (0, one.parts_received)
            assert all(each.type is not MessageType.PART for each in sent)
        for message, said in zip(sent + came, requests + responses, strict=False):
            if said.startswith("{"):
                agrees(message, json.loads(said))
        wanted = row["status"]
        code = int(wanted) if wanted.isdigit() else STATUSES.index(wanted)
        if row.get("note", "").startswith(("deadline", "client cancels")):
            assert one.outcome is Outcome.RESET_BY_CLIENT
            assert "RST_STREAM CANCEL" in one.why
            said_so = re.search(r"its deadline was 1(49|5.) ms", one.why) is not None
            assert said_so == row["note"].startswith("deadline")
            continue
        told = row["message"]
        text = json.loads(told) if told.startswith('"') else told[1:-1].replace("\\n", "\n")
        assert status_of(one) == (code, text if code else "")
        assert one.outcome is (Outcome.APPLICATION_EXCEPTION if code else Outcome.SUCCESS)
        assert one.exception == (STATUSES[code] if code else "")


def test_replies_in_reverse_find_their_calls() -> None:
    read = Read(packets_of(capture("grpc_py_stream")))
    last = [one.reply for one in read.exchanges[-4:]]
    assert [one.seqid for one in last if one is not None] == [15, 17, 19, 21]
    times = [one.time for one in last if one is not None]
    assert times == sorted(times, reverse=True)


def test_triple_says_what_its_table_says() -> None:
    read = Read(packets_of(capture("triple_py_rich")))
    rows = rows_of("triple_py_rich")
    assert [one.method for one in read.exchanges] == [row["method"] for row in rows]
    # The empty message that its clients write behind the last one is no request.
    for one, row in zip(read.exchanges, rows, strict=True):
        is_stream = row["kind"] in ("client-stream", "bidi")
        assert bool(one.parts_sent) == is_stream or one.call is None
    failed = [status_of(one) for one in read.exchanges if one.outcome.failed]
    assert failed == [(13, "Invoke method failed: handler exploded: 炸")]


# ── Every byte ───────────────────────────────────────────────────────────────────────


def covered(read: Read) -> None:
    """That every byte of each direction is in one message or event, and has one note there."""
    for flow in read.pipeline.flows:
        for by_client, size in ((True, flow.sent), (False, flow.received)):
            places = sorted(
                (stretch.offset, stretch.offset + stretch.size)
                for message in read.messages
                if message.flow == flow.number and message.from_client == by_client
                for stretch in message.layout
                if stretch.offset >= 0 and stretch.size
            )
            at = 0
            for start, stop in places:
                assert start == at
                at = stop
            assert at == size
    for message in read.messages:
        check_cover(explain(message), len(message.data))


@pytest.mark.parametrize("name", [one for one in PATHS if not one.endswith("midstream")])
def test_every_byte_is_in_one_message(name: str) -> None:
    covered(Read(packets_of(capture(name))))


def outline(message: Message) -> tuple[object, ...]:
    head = message.header
    return (
        *(message.from_client, head.type, head.method, head.seqid, message.data, message.layout),
        *(tuple(one.text for one in message.findings), message.end),
    )


SMALL = ("grpc", "triple", "granian_h2", "x_dubbocli_grpcsrv", "x_grpccli_dubbosrv")


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("size", [1, 2, 7, 9, 64])
def test_however_it_is_cut_it_says_the_same(name: str, size: int) -> None:
    for said in conversations(capture(name)):
        whole = [outline(one) for one in Read(talked(said)).messages]
        assert [outline(one) for one in Read(talked(said, size)).messages] == whole


@pytest.mark.parametrize("name", ["grpc_py_rich", "grpc_py_stream", "grpc_node_rich"])
def test_long_ones_too(name: str) -> None:
    (said, *_) = conversations(capture(name))
    whole = [outline(one) for one in Read(talked(said)).messages]
    for size, first in ((0, 1), (0, 10), (0, 14), (13, 0), (100, 5)):
        assert [outline(one) for one in Read(talked(said, size, first)).messages] == whole


@pytest.mark.parametrize("name", ["grpc_py_stream", "grpc_node_rich", "triple_py_rich"])
def test_a_prefix_gives_the_first_messages(name: str) -> None:
    packets = packets_of(capture(name))
    whole = Read(packets)
    before = 0
    for count in range(0, len(packets), 3):
        read = Read(packets[:count])
        complete = [one for one in read.messages if not one.cut and not one.findings]
        sure = [outline(one) for one in complete if one.type is not MessageType.PART]
        wanted = [outline(one) for one in whole.messages]
        assert all(one in wanted for one in sure if one[1] is MessageType.EVENT)
        assert len(read.messages) >= before or count < 3
        before = min(len(read.messages), before)
        nothing_is_made_up(read, whole)


# ── Bytes that are missing ───────────────────────────────────────────────────────────


def known(message: Message) -> set[tuple[str, str]]:
    return {
        (one.name, one.value)
        for one in message.metadata
        if one.name is not None and one.value is not None
    }


def key_of(message: Message) -> tuple[object, ...]:
    return message.source, message.target, message.seqid


def nothing_is_made_up(read: Read, whole: Read) -> None:
    """That what is read of a capture that lacks packets is in the whole one."""
    there: dict[tuple[object, ...], list[Message]] = {}
    for message in whole.messages:
        there.setdefault(key_of(message), []).append(message)
    for message in read.messages:
        check_cover(explain(message), len(message.data))
        same = there.get(key_of(message), [])
        if message.type is not MessageType.EVENT:  # those are called as their frames
            # Behind a loss a path is known at times, and not what is to be done with it.
            assert not message.method or any(one.method.endswith(message.method) for one in same)
        said = set().union(*(known(one) for one in same))
        assert known(message) <= said
        if message.type is MessageType.EVENT or message.findings or message.end:
            continue
        # Of events alone nobody knows who the client is.
        assert message.from_client == same[0].from_client
        body = message.data[message.start : message.stop]
        assert not body or any(body == one.data[one.start : one.stop] for one in same)
    ended = {(one.first.client, one.first.seqid): one for one in whole.exchanges}
    for exchange in read.exchanges:
        true = ended[exchange.first.client, exchange.first.seqid]
        if exchange.outcome is Outcome.SUCCESS:
            assert true.outcome is Outcome.SUCCESS
            assert exchange.reply is not None
            status = dict(known(exchange.reply))
            assert status.get("grpc-status", status.get(":status")) in ("0", "200", "304")
            if exchange.reply.transport in ("grpc", "triple"):
                assert status["grpc-status"] == "0"
        elif exchange.outcome is Outcome.APPLICATION_EXCEPTION:
            # A caller's RST_STREAM may be what is lost: then what the server said is the answer.
            assert exchange.reply is not None
            errors = [
                one.family.error(one).name
                for one in there[key_of(exchange.reply)]
                if one.type is MessageType.EXCEPTION
            ]
            assert exchange.exception in errors


LOSSY = ("grpc_node_rich", "grpc_node_gzip", "grpc_py_rich", "grpc_py_stream", "triple_py_rich")


@pytest.mark.parametrize("name", LOSSY)
def test_a_packet_is_lost(name: str) -> None:
    packets = packets_of(capture(name))
    whole = Read(packets)
    for at in range(3, len(packets), 2):
        nothing_is_made_up(Read(packets[:at] + packets[at + 1 :]), whole)


@pytest.mark.parametrize("name", LOSSY)
def test_neighbours_are_swapped(name: str) -> None:
    packets = packets_of(capture(name))
    whole = Read(packets)
    for at in range(3, len(packets) - 1, 3):
        swapped = [*packets[:at], packets[at + 1], packets[at], *packets[at + 2 :]]
        nothing_is_made_up(Read(swapped), whole)


@pytest.mark.parametrize("name", [*LOSSY, "granian_h2", "triple_java_rich"])
def test_the_capture_begins_in_mid_stream(name: str) -> None:
    packets = packets_of(capture(name))
    whole = Read(packets)
    for first in range(1, len(packets), 3):
        nothing_is_made_up(Read(packets[first:]), whole)


def test_a_capture_begins_behind_the_handshake() -> None:
    """The preface is there: the client is who sent it, whoever has the lower port."""
    said = [*OPENING, *call(1, b"\x0a\x01x", b"\x0a\x01y")]
    packets = talked(said)[3:]
    (one,) = Read(packets).exchanges
    assert (one.method, one.outcome) == ("/shop.Orders/Get", Outcome.SUCCESS)
    assert one.call is not None
    assert one.call.from_client


@pytest.mark.parametrize("ports", [(50001, 9090), (50001, 50051), (50051, 50001)])
@pytest.mark.parametrize("comes_first", [True, False])
def test_one_call_of_an_older_connection(ports: tuple[int, int], comes_first: bool) -> None:
    """Its answer has so few frames that only the end shows what they are: the call waits for it."""
    asked = bytes.fromhex(
        "000008 01 04 0000000b be c3 83 86 c2 c1 c0 bf 000004 08 00 0000000b 00000005"
        "000012 00 01 0000000b 00 0000000d 0a04726f6f74 120577726f6e67"
    )
    answered = bytes.fromhex(
        "00001d 01 05 0000000b 88 c0 00 0b 677270632d737461747573 02 3136"
        "00 07 677270632d6d73 01 78 000004 08 00 00000000 00000012"
    )
    talk = Talk(port=ports[0], server_port=ports[1])
    for by_client in (comes_first, not comes_first):
        talk.send(by_client, asked if by_client else answered)
    said = {message.type.name: message for message in read_packets(talk.packets).messages}
    assert sorted(said) == ["CALL", "EXCEPTION"]
    assert said["CALL"].body.plain == {1: "root", 2: "wrong"}


# ── Written by hand ──────────────────────────────────────────────────────────────────


def call(stream: int, body: bytes, answer: bytes | None, status: str = "0") -> list[Said]:
    asked = request(stream) + frame(DATA, END_STREAM, stream, enveloped(body))
    said = b"" if answer is None else response(stream) + frame(DATA, 0, stream, enveloped(answer))
    return [(True, asked), (False, said + trailers(stream, status))]


def test_a_reply_that_is_cut_is_no_success() -> None:
    said = [*OPENING, *call(1, b"\x0a\x01x", b"\x0a\x01y")]
    said[-1] = (False, response(1) + frame(DATA, 0, 1, enveloped(b"\x0a\x01y")))
    (one,) = Read(talked(said)).exchanges
    assert one.outcome is not Outcome.SUCCESS
    assert one.outcome is not Outcome.APPLICATION_EXCEPTION


@pytest.mark.parametrize("ticks", [0, 1, 2, 3])
def test_a_stream_that_its_caller_resets(ticks: int) -> None:
    """However much of it came, and with what came later."""
    asked = request(1, grpc_timeout="150m") + frame(DATA, END_STREAM, 1, enveloped(b"\x08\x04"))
    tick = frame(DATA, 0, 1, enveloped(b"\x0a\x01t"))
    said: list[Said] = [*OPENING, (True, asked), (False, response(1) + tick * ticks)]
    said.append((True, frame(RST_STREAM, 0, 1, b"\0\0\0\x08")))
    said.append((False, tick + trailers(1)))
    read = Read(talked(said))
    covered(read)
    (one,) = read.exchanges
    assert one.outcome is Outcome.RESET_BY_CLIENT
    assert one.why == "RST_STREAM CANCEL; its deadline was 150 ms"
    assert sum(has_content(each) for each in read.messages if not each.from_client) >= ticks


def test_a_servers_goaway_refuses_and_a_clients_does_not() -> None:
    asked = request(5) + frame(DATA, END_STREAM, 5, enveloped(b""))
    away = frame(GOAWAY, 0, 0, b"\0\0\0\x01\0\0\0\0")
    (one,) = Read(talked([*OPENING, (True, asked), (False, away)])).exchanges
    assert (one.outcome, "last stream 1" in one.why) == (Outcome.RESET_BY_SERVER, True)
    answer = response(5) + frame(DATA, 0, 5, enveloped(b"")) + trailers(5)
    (one,) = Read(talked([*OPENING, (True, asked + away), (False, answer)])).exchanges
    assert (one.outcome, one.why) == (Outcome.SUCCESS, "")


def test_packed_content_without_a_head_is_not_read_as_if_it_were_plain() -> None:
    body = gzip.compress(b"\x0a\x01x" * 20)
    said: list[Said] = [
        *OPENING,
        (True, request(1) + frame(DATA, END_STREAM, 1, enveloped(body, 1))),
    ]
    (message,) = Read(talked(said), events=False).messages
    assert [one.severity for one in message.findings] == [Severity.ERROR]
    assert message.protocol.name == "raw"


def test_the_words_are_those_of_grpc() -> None:
    read = Read(talked([*OPENING, *call(1, b"", b""), *call(3, b"\x0a\x01x", None, "5")]))
    empty, error = (one.reply for one in read.exchanges)
    assert empty is not None
    assert error is not None
    assert call_line(empty) == "REPLY /shop.Orders/Get (empty)"
    assert "stream 1, server → client" in header_line(empty)
    row = json.loads(message_row(error))
    assert row["error"] == {"code": 5, "name": "NOT_FOUND", "text": None}
    assert "error" not in json.loads(message_row(empty))


# ── The doors ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", [*LOSSY, "grpc_py_goaway", "h2_nghttp", "triple_java_rich"])
def test_the_doors_agree(name: str) -> None:
    packets = packets_of(capture(name))
    whole, streamed = read_packets(packets), Read(packets, events=False)
    told = [(one.number, one.method, one.outcome, one.why) for one in whole.exchanges]
    assert [(one.number, one.method, one.outcome, one.why) for one in streamed.exchanges] == told
    assert [outline(one) for one in streamed.messages] == [outline(one) for one in whole.messages]
    assert whole.diagnosis.calls == len(told)
    for message in whole.messages:
        row = json.loads(message_row(message))
        assert (row["type"], row["method"]) == (message.type.name, message.method)
        assert ("error" in row) == (message.type is MessageType.EXCEPTION)


def test_tshark_reads_the_same(tshark: str) -> None:
    for name, port in (
        ("grpc_py_rich", 50061),
        ("grpc_py_stream", 50061),
        ("grpc_node_rich", 50071),
    ):
        path = capture(name)
        fields = [part for one in ("http2.streamid", "http2.headers.path") for part in ("-e", one)]
        done = subprocess.run(
            [
                *(tshark, "-r", str(path), "-d", f"tcp.port=={port},http2"),
                *("-Y", "http2.headers.path", "-T", "fields", *fields),
            ],
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        theirs: list[str] = []
        for line in done.stdout.splitlines():
            theirs += line.rpartition("\t")[2].split(",")
        mine = [
            one.method for one in Read(packets_of(path)).messages if one.type is MessageType.CALL
        ]
        assert sorted(mine) == sorted(theirs), name


# ── Hostile ──────────────────────────────────────────────────────────────────────────


def cost(said: list[Said]) -> tuple[int, Read]:
    """The most memory that reading it takes, and what came of it."""
    packets = talked(said, 1400)
    tracemalloc.start()
    try:
        read = Read(packets, events=False)
        return tracemalloc.get_traced_memory()[1], read
    finally:
        tracemalloc.stop()


def many(count: int) -> bytes:
    return b"".join(request(2 * one + 1) for one in range(count))


FLOODS: dict[str, Callable[[int], bytes]] = {
    "streams": many,
    "RST": lambda count: request(1) + frame(RST_STREAM, 0, 1, b"\0\0\0\x08") * count * 8,
    "empty DATA": lambda count: request(1) + frame(DATA, 0, 1) * count * 8,
    "CONTINUATION": lambda count: frame(HEADERS, 0, 1, block(x="y"))
    + frame(CONTINUATION, 0, 1, b"") * count * 8,
    "GOAWAY": lambda count: frame(GOAWAY, 0, 0, b"\0\0\0\0\0\0\0\0") * count * 8,
    "empty messages": lambda count: request(1) + frame(DATA, 0, 1, enveloped(b"") * count * 2),
}  # fmt: skip


@pytest.mark.parametrize("name", FLOODS)
@pytest.mark.parametrize("by_client", [True, False])
def test_floods_cost_what_they_have_in_bytes(name: str, by_client: bool) -> None:
    small = [*OPENING, (True, many(200)), (by_client, FLOODS[name](200))]
    large = [*OPENING, (True, many(200)), (by_client, FLOODS[name](800))]
    one, read_small = cost(small)
    four, read_large = cost(large)
    assert four < 6 * one + 2_000_000
    assert len(read_large.messages) <= 4 * len(read_small.messages) + 10


def test_a_message_that_claims_4_gib_is_not_waited_for() -> None:
    huge = b"\0\xff\xff\xff\xff" + b"x" * 1000
    said: list[Said] = [
        *OPENING,
        (True, request(1) + frame(DATA, 0, 1, huge)),
        *call(3, b"\x0a\x01x", b"\x0a\x01y"),
    ]
    most, read = cost(said)
    assert most < 2_000_000
    assert any("4294967295 bytes" in one.text for each in read.messages for one in each.findings)
    assert [one.outcome for one in read.exchanges if one.first.seqid == 3] == [Outcome.SUCCESS]


def test_what_unpacks_to_a_lot_is_not_all_unpacked() -> None:
    bomb = gzip.compress(bytes(200_000_000))
    asked = request(1, grpc_encoding="gzip")
    data = enveloped(bomb, 1)
    frames = b"".join(frame(DATA, 0, 1, data[at : at + 16000]) for at in range(0, len(data), 16000))
    most, read = cost([*OPENING, (True, asked + frames + frame(DATA, END_STREAM, 1))])
    assert most < 60_000_000
    assert any(one.severity is Severity.ERROR for one in read.messages[0].findings)


def test_headers_without_end_are_given_up() -> None:
    flood = frame(HEADERS, 0, 1, block(__method="POST")) + b"".join(
        frame(CONTINUATION, 0, 1, block(x="y" * 16000)) for _ in range(200)
    )
    after = request(3, end=True)
    most, read = cost([*OPENING, (True, flood + after)])
    assert most < 20_000_000
    assert [one.method for one in read.exchanges][-1] == "/shop.Orders/Get"


def test_what_a_server_pushes_is_asked_for_by_nobody() -> None:
    read = Read(packets_of(capture("h2_nghttp")))
    pushed = [one for one in read.messages if one.method == "GET /style.css"]
    assert {one.type for one in pushed} == {MessageType.ONEWAY}
    assert not any(one.from_client for one in pushed)
    assert {one.outcome for one in read.exchanges} == {Outcome.SUCCESS, Outcome.ONEWAY}


def test_what_was_sent_and_received_has_the_stream_in_it() -> None:
    """At every door: a call's bytes are those of all its messages."""
    read = Read(packets_of(capture("grpc_py_stream")), IDL, events=False)
    totals = Totals()
    for one in read.exchanges:
        assert one.call is not None
        its = [m for m in read.messages if (m.flow, m.seqid) == (one.flow, one.call.seqid)]
        sent = sum(m.size for m in its if m.from_client)
        received = sum(m.size for m in its if not m.from_client)
        row = json.loads(exchange_row(one))
        assert (row["sent"], row["received"] or 0) == (sent, received) == (one.sent, one.received)
        assert f"{sent} bytes sent" in exchange_line(one)
    totals.add(read.exchanges)
    upload = totals.methods["/thinkrpc.Shop/Upload"]
    assert upload.sent > 20_000
    watched = totals.methods["/thinkrpc.Shop/Watch"]
    assert watched.received == sum(
        one.received for one in read.exchanges if one.method == "/thinkrpc.Shop/Watch"
    )
