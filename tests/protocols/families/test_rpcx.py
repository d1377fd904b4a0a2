"""rpcx: recorded with rpcx itself at both ends (its truth tables lie with the captures), and what
was not recorded, by hand: gzip, the prelude, lengths that lie."""

from __future__ import annotations

import gzip
import json
import struct

import pytest
from making import Talk, message
from relatives import (
    cut_everywhere,
    look_at,
    look_at_all,
    lose_everywhere,
    meet_the_article,
    mutants,
    path_of,
    seen,
    seen_in,
    talk_of,
    truth,
    values,
)

from pingpong import check_cover, explain
from pingpong.model import NOWHERE, Message, MessageType, Outcome
from pingpong.protocols.families.rpcx.rpcx import RpcxHead, begins

CAPTURES = [
    ("relatives", "rpcx_json_concurrent"),
    ("relatives", "rpcx_msgpack_heartbeat"),
    ("relatives", "rpcx_msgpack_rich"),
    ("relatives", "rpcx_protobuf_rich"),
    ("relatives", "rpcx_thrift_rich"),
    ("family", "rpcx_json"),
    ("family", "rpcx_msgpack"),
]
TABLES = [name for folder, name in CAPTURES if folder == "relatives"]
KINDS = {
    "call": (MessageType.CALL, True),
    "reply": (MessageType.REPLY, False),
    "exception": (MessageType.EXCEPTION, False),
    "oneway": (MessageType.ONEWAY, True),
    "server-oneway": (MessageType.ONEWAY, False),
    "heartbeat": (MessageType.EVENT, True),
    "heartbeat-reply": (MessageType.EVENT, False),
}


def part(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def frame(
    path: bytes = b"Shop",
    method: bytes = b"Ping",
    payload: bytes = b'"pong"',
    flags: int = 0,
    kind: int = 1,
    seqid: int = 7,
    metadata: bytes = b"",
) -> bytes:
    parts = b"".join(map(part, (path, method, metadata, payload)))
    return struct.pack(">BBBBQI", 8, 0, flags, kind << 4, seqid, len(parts)) + parts


def payload_of(one: Message) -> bytes:
    head = RpcxHead(one.data)
    return one.data[head.start : head.stop]


@pytest.mark.parametrize("name", TABLES)
def test_the_truth_table_is_met(name: str) -> None:
    messages = seen("relatives", name).messages
    rows = truth(name)
    assert len(messages) == len(rows)
    for row, one in zip(rows, messages, strict=True):
        mtype, by_client = KINDS[row["kind"]]
        is_event = mtype is MessageType.EVENT
        assert (one.type, one.from_client, one.seqid) == (mtype, by_client, int(row["seq"]))
        assert one.method == ("heartbeat" if is_event else row["method"])
        payload = payload_of(one)
        assert len(payload) == int(row["payload_len"])
        if "bytes" not in row["payload_hex"]:
            assert payload.hex() == row["payload_hex"]
        said = {datum.name: datum.value for datum in one.metadata}
        assert said == (json.loads(row["metadata"]) or {})
        if mtype is MessageType.EXCEPTION:
            text = one.family.error(one).text
            assert text is not None
            assert text.content == said["__rpcx_error__"]


def test_calls_are_paired_and_ended_as_the_peer_says() -> None:
    rich = seen("relatives", "rpcx_msgpack_rich")
    outcomes = [one.outcome for one in rich.exchanges]
    assert outcomes.count(Outcome.SUCCESS) == 8
    assert outcomes.count(Outcome.APPLICATION_EXCEPTION) == 5
    # One of the client's, and what the server pushes.
    assert [one.call.method for one in rich.calls if one.outcome is Outcome.ONEWAY if one.call] == [
        "Shop.Note",
        "notice.sale",
    ]
    # A reply overtakes that of an earlier call.
    late = seen("relatives", "rpcx_json_concurrent").calls[0]
    assert late.call is not None
    assert late.reply is not None
    assert (late.call.method, values(late.reply)) == ("Shop.Slow", ["late"])


@pytest.mark.parametrize("name", ["rpcx_json", "rpcx_msgpack"])
def test_the_articles_calls(name: str) -> None:
    meet_the_article("family", name)


def test_payloads_are_read_by_their_serialization() -> None:
    login = seen("family", "rpcx_msgpack").messages[2]
    assert (login.service, login.bare_method) == ("UserService", "Login")
    assert values(login) == ["admin", "123456"]
    assert [field.name for field in login.fields] == ["Username", "Password"]
    assert values(seen("family", "rpcx_json").messages[3]) == ["登录成功!"]
    bare = seen("relatives", "rpcx_thrift_rich").messages
    assert [values(one) for one in bare] == [["登录", 7], ["登录!", 14]]
    assert values(seen("relatives", "rpcx_protobuf_rich").messages[1]) == ["登录成功!"]


@pytest.mark.parametrize(("folder", "name"), CAPTURES)
def test_every_byte_has_a_note(folder: str, name: str) -> None:
    look_at_all(folder, name, "rpcx")


@pytest.mark.parametrize(("folder", "name"), CAPTURES)
def test_cuts_change_nothing(folder: str, name: str) -> None:
    cut_everywhere(folder, name)


@pytest.mark.parametrize("name", ["rpcx_msgpack_heartbeat", "rpcx_protobuf_rich"])
def test_lost_bytes_hide_no_other_message(name: str) -> None:
    lose_everywhere("relatives", name)


def test_no_mutant_raises() -> None:
    for name in ("rpcx_msgpack_rich", "rpcx_protobuf_rich", "rpcx_thrift_rich"):
        lines = [line for line in seen("relatives", name).lines if len(line[2]) < 4000]
        for some in mutants(lines, 60, seed=8):
            look_at(seen_in(talk_of(some)).messages)


# ── Not recorded ─────────────────────────────────────────────────────────────────────


def test_gzip_is_unpacked_and_its_bytes_stay() -> None:
    inside = b'{"text": "' + b"pong " * 300 + b'"}'
    packed = gzip.compress(inside, mtime=0)
    one = message(frame(payload=packed, flags=0x84), "rpcx")
    assert one.data.endswith(packed + inside)
    assert one.size == len(one.data) - len(inside)
    assert values(one) == ["pong " * 300]
    check_cover(explain(one), len(one.data))
    packets = Talk().open().call(frame(payload=packed, flags=4)).packets
    (given,) = seen_in(packets).messages
    assert [(part.offset, part.what) for part in given.layout] == [
        (0, "frame"),
        (given.size - len(packed), "packed"),
        (NOWHERE, "body"),
    ]


def test_what_cannot_be_unpacked_is_said() -> None:
    broken = gzip.compress(b'"pong"' * 300)[:-9]
    one = message(frame(payload=broken, flags=0x84), "rpcx")
    assert any("gzip at offset" in finding.text for finding in one.findings)
    # Registered by the user: nobody knows what it is.
    other = message(frame(payload=b"\x0c\x2cpong", flags=0x88), "rpcx")
    assert other.protocol.name == "raw"
    assert "compression 2 (the user's own)" in explain(other)[2].meaning


def test_the_prelude_is_an_event() -> None:
    asked = b"CONNECT /_rpcx_ HTTP/1.0\n\n"
    answer = b"HTTP/1.0 200 Connected to rpcx\n\n"
    packets = Talk().open().call(asked).reply(answer).call(frame()).reply(frame(flags=0x80)).packets
    found = seen_in(packets)
    assert [(one.type.name, one.method) for one in found.messages] == [
        ("EVENT", "connect"),
        ("EVENT", "connected"),
        ("CALL", "Shop.Ping"),
        ("REPLY", "Shop.Ping"),
    ]
    look_at(found.messages)
    assert [one.outcome for one in found.exchanges] == [Outcome.SUCCESS]


@pytest.mark.parametrize(
    ("kind", "flags", "named"),
    [(5, 0, "the user's own (5)"), (15, 0, "the user's own (15)"), (1, 0x08, "user's own (2)")],
)
def test_what_users_write_is_named(kind: int, flags: int, named: str) -> None:
    talk = Talk().open().call(frame(payload=b"s2", flags=flags, kind=kind))
    found = seen_in(talk.reply(frame(payload=b"s2", flags=0x80 | flags, kind=kind)).packets)
    assert [one.protocol.name for one in found.messages] == ["raw"] * 2
    (exchange,) = found.exchanges
    assert exchange.outcome is Outcome.SUCCESS
    assert named in exchange.why
    look_at(found.messages)


@pytest.mark.parametrize(
    "data",
    [
        frame()[:12] + b"\0\0\0\x05" + frame()[16:],  # shorter than four lengths
        frame()[:19] + b"\x05" + frame()[20:],  # a path that takes the next length's byte
        frame(path=b"\x01\x02\x03\x04"),
        frame(method=b""),
        b"\x08\x01" + frame()[2:],
        frame(flags=2),
        b"\x08\0\0\x01" + frame()[4:],
    ],
)
def test_what_is_nearly_rpcx_is_not(data: bytes) -> None:
    assert begins(data) is False


def test_the_begin_of_a_frame_is_waited_for() -> None:
    data = frame()
    told_at = [begins(data[:at]) for at in range(1, len(data) + 1)]
    assert False not in told_at
    assert told_at[-1] is True


def test_a_length_that_lies_is_told_and_the_next_frame_found() -> None:
    wrong = bytearray(frame(seqid=1))
    wrong[19] = 200
    packets = Talk().open().call(frame()).call(bytes(wrong)).call(frame(seqid=9)).packets
    found = seen_in(packets)
    assert [one.seqid for one in found.messages] == [7, 9]
    assert any("service path length at offset 16: is 200" in text for text in found.findings)


def test_http_on_the_same_port_is_not_rpcx() -> None:
    path_of("relatives", "rpcx_gateway")
    assert {one.transport for one in seen("relatives", "rpcx_gateway").messages} <= {
        "http",
        "http1",
    }
