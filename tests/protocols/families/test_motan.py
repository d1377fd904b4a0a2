"""Motan 1 and 2: recorded with Motan's own Java and Go (the truth tables lie with the captures),
and what was not recorded, by hand: gzip, heartbeats of Motan 1, lengths that lie."""

from __future__ import annotations

import gzip
import struct
from typing import Any

import pytest
from making import Talk, message
from relatives import (
    cut_everywhere,
    go_prints,
    java_prints,
    look_at,
    look_at_all,
    lose_everywhere,
    meet_the_article,
    mutants,
    said_by,
    seen,
    seen_in,
    talk_of,
    truth,
    values,
)

from pingpong import check_cover, explain
from pingpong.model import MessageType, Outcome, Severity, Struct
from pingpong.protocols.families.motan.heads import begins1, begins2

CAPTURES = [
    ("relatives", "motan2_go_simple", "motan2"),
    ("relatives", "motan2_go_breeze", "motan2"),
    ("relatives", "motan_java_motan2_hessian2_heartbeat", "motan2"),
    ("relatives", "motan_java_motan_hessian2_rich", "motan"),
    ("relatives", "motan_java_motan1z_hessian2_rich", "motan"),
    ("family", "motan2", "motan2"),
    ("family", "java_motan2", "motan2"),
    ("family", "java_motan", "motan"),
]


# What the tables say of arguments, in words.
ARGUMENTS: dict[str, list[object]] = {
    "": [],
    "admin, 123456": ["admin", "123456"],
    "true, -1, 300, 70000, 1<<40, 0.5f, 2.5, 中": [
        *(True, {"_value": -1}, {"_value": 300}, 70000),
        *(1 << 40, {"_value": 0.5}, 2.5, "中"),
    ],
    "40000": [40000],
    "with attachments": ["a", "b"],
    "1200 with timeout 1000": [1200],
    "1300: timeout; then heartbeats": [1300],
    "after the late reply": [],
}


@pytest.mark.parametrize(
    "name", ["motan_java_motan_hessian2_rich", "motan_java_motan1z_hessian2_rich"]
)
def test_the_truth_table_of_motan_1_is_met(name: str) -> None:
    rows = truth(name)
    calls = seen("relatives", name).calls
    assert len(calls) == len(rows)
    for row, exchange in zip(rows, calls, strict=True):
        call, reply = exchange.call, exchange.reply
        assert call is not None
        assert reply is not None
        wanted = row["method"]
        if "1z" in name and len(wanted) > 3:
            wanted = wanted[:4] + "…"  # more of it is not on the wire
        assert call.bare_method == reply.bare_method == wanted
        is_late = "request timeout" in row["value"]
        if row["outcome"] == "reply" or is_late:
            assert exchange.outcome is Outcome.SUCCESS
            assert (row["value"] == "null") == (reply.fields == ())
            said = values(reply)
            if row["method"] == "tree":
                (root,) = said
                assert isinstance(root, dict)
                assert (row["value"], root["children"][0]["parent"]) == ("true", 0)
            elif row["method"] == "buy":
                (order,) = said
                assert isinstance(order, dict)
                # Both refer to the first line, the fourth object.
                assert (order["gift"], order["same"], order["lines"][1]["note"]) == (3, 3, "易碎")
                assert row["value"] == f"{order['who']}true"
            elif said:
                printed = java_prints(said[0])
                length = f"{len(printed.encode('utf-16-le')) // 2} chars"
                assert (row["value"] if not is_late else "late") in (printed, length)
            if row["method"] in ("echo", "bytes", "buy", "tree", "map", "date"):
                assert values(call) == (said or [None])
            elif row["args"] in ARGUMENTS:
                assert values(call) == ARGUMENTS[row["args"]]
            continue
        assert exchange.outcome is Outcome.DECLARED_EXCEPTION
        (thrown,) = reply.fields
        assert thrown.field_id == 1
        assert isinstance(thrown.value.content, Struct)
        cause = {one.name: one.value for one in thrown.value.content.fields}["cause"]
        assert said_by(cause) == row["value"]


@pytest.mark.parametrize("name", ["motan2_go_simple", "motan2_go_breeze"])
def test_the_truth_table_of_motan_2_is_met(name: str) -> None:
    rows = [row for row in truth(name) if row.get("error") is not None]
    calls = seen("relatives", name).calls
    # What failed before it was sent is not on the wire.
    sent = [row for row in rows if "not support type" not in row["error"]]
    later = iter(calls)
    for row in sent:
        # Between them are calls that the table has no row for.
        exchange = next(one for one in later if one.call and one.call.bare_method == row["method"])
        call, reply = exchange.call, exchange.reply
        assert call is not None
        assert reply is not None
        call_values = values(call)
        if row["error"] == "<nil>" or "cluster call panic" in row["error"]:
            assert exchange.outcome is Outcome.SUCCESS
            printed = go_prints(call_values)
            # A map without pairs looks like a list here.
            assert row["args"] in (printed, printed.replace("[]", "map[]"))
            (said,) = values(reply)
            if "panic" not in row["error"] and row["args"] != "[map[]]":  # the client's own
                printed = said.hex() if isinstance(said, bytes) else go_prints(said)
                assert row["reply"] in (printed, f"{len(printed.encode())} bytes")
        else:
            assert exchange.outcome is Outcome.APPLICATION_EXCEPTION
            error = reply.family.error(reply)
            assert error.text is not None
            assert error.text.content == row["error"]
            assert error.number == 500


def test_the_truth_table_of_heartbeats_is_met() -> None:
    name = "motan_java_motan2_hessian2_heartbeat"
    later = iter(seen("relatives", name).calls)
    for row in truth(name):
        # The client has sent the slow one again, until it found the server well.
        exchange = next(one for one in later if one.call and one.call.bare_method == row["method"])
        assert exchange.call is not None
        assert exchange.reply is not None
        assert exchange.outcome is Outcome.SUCCESS
        assert values(exchange.call) == ARGUMENTS[row["args"]]
        assert values(exchange.reply) == [row["value"] if row["outcome"] == "reply" else "late"]
    assert next(later, None) is None


@pytest.mark.parametrize("name", [name for folder, name, _ in CAPTURES if folder == "family"])
def test_the_articles_calls(name: str) -> None:
    meet_the_article("family", name)


def test_arguments_are_those_of_the_program() -> None:
    for name in ("motan2_go_simple", "motan2_go_breeze"):
        calls = [one.call for one in seen("relatives", name).calls]
        (types,) = [one for one in calls if one is not None and one.bare_method == "types"]
        assert values(types)[:9] == [
            *(True, 200, -2, -3, 1099511627776, 0.5, 2.5, "串"),
            b"\x00\xff",
        ]
    java = [one.call for one in seen("relatives", "motan_java_motan_hessian2_rich").calls]
    login, prims = java[1], java[2]
    assert login is not None
    assert prims is not None
    assert values(login) == ["admin", "123456"]
    assert values(prims) == [
        *(True, {"_value": -1}, {"_value": 300}, 70000),
        *(1 << 40, {"_value": 0.5}, 2.5, "中"),
    ]


def test_a_oneway_call_keeps_its_answer() -> None:
    found = seen("relatives", "motan2_go_simple")
    (oneway,) = [one for one in found.exchanges if one.outcome is Outcome.ONEWAY]
    assert oneway.call is not None
    assert oneway.call.type is MessageType.ONEWAY
    assert (oneway.parts_sent, oneway.parts_received) == (0, 1)
    assert {one.outcome for one in found.exchanges} == {
        Outcome.SUCCESS,
        Outcome.APPLICATION_EXCEPTION,
        Outcome.ONEWAY,
    }


def test_metadata_and_attachments() -> None:
    for name in ("motan2_go_simple", "motan_java_motan_hessian2_rich"):
        said = [
            {datum.name: datum.value for datum in one.metadata}
            for one in seen("relatives", name).messages
        ]
        assert any(one.get("用户") == "小明" for one in said), name
    for one in seen("relatives", "motan_java_motan1z_hessian2_rich").messages[:1]:
        said_1 = {datum.name: datum.value for datum in one.metadata}
        assert said_1["_A"] == "46f8"
        for datum in one.metadata:
            assert (datum.value or "").encode() in datum.span.of(one.data)


@pytest.mark.parametrize(("folder", "name", "transport"), CAPTURES)
def test_every_byte_has_a_note(folder: str, name: str, transport: str) -> None:
    look_at_all(folder, name, transport)


@pytest.mark.parametrize(("folder", "name", "transport"), CAPTURES)
def test_cuts_change_nothing(folder: str, name: str, transport: str) -> None:
    cut_everywhere(folder, name)


@pytest.mark.parametrize(
    ("folder", "name"),
    [("family", "motan2"), ("family", "java_motan"), ("relatives", "motan2_go_breeze")],
)
def test_lost_bytes_hide_no_other_message(folder: str, name: str) -> None:
    lose_everywhere(folder, name)


def test_no_mutant_raises() -> None:
    for folder, name, _ in CAPTURES[:5]:
        lines = [line for line in seen(folder, name).lines if len(line[2]) < 4000]
        for some in mutants(lines[-30:], 50, seed=3):
            look_at(seen_in(talk_of(some)).messages)


# ── Not recorded ─────────────────────────────────────────────────────────────────────


def frame2(
    body: bytes = b"\x01\0\0\0\x02me",
    metadata: bytes = b"M_p\ncom.shop.Orders\nM_m\nget",
    flags: int = 0,
    status: int = 0,
    kind: int = 6,
) -> bytes:
    head = struct.pack(">HBBBQ", 0xF1F1, flags, 8 | status, kind << 3, 7)
    return head + struct.pack(">I", len(metadata)) + metadata + struct.pack(">I", len(body)) + body


def utf(text: str) -> bytes:
    return struct.pack(">H", len(text.encode())) + text.encode()


def block(data: bytes) -> bytes:
    return b"\x77" + bytes((len(data),)) + data


def frame1(body: bytes, kind: int = 0, variant: int = 1, seqid: int = 7) -> bytes:
    inner = struct.pack(">HBBQI", 0xF0F0, variant, kind, seqid, len(body)) + body
    return struct.pack(">HHQI", 0xF1F1, int(kind > 0), seqid, len(inner)) + inner


def named(interface: str, method: str) -> bytes:
    names = utf(interface) + utf(method) + utf("void")
    return b"\xac\xed\0\x05" + block(names + b"\0\0\0\0")


def test_gzip_of_motan_2() -> None:
    inside = b"\x01" + struct.pack(">I", 3000) + b"pong" * 750
    one = message(frame2(gzip.compress(inside, mtime=0), flags=8), "motan2")
    assert values(one) == ["pong" * 750]
    check_cover(explain(one), len(one.data))


def test_gzip_of_motan_1() -> None:
    array = bytes.fromhex("75 72 0002 5b42 acf317f8060854e0 02 0000 78 70") + b"\0\0\0\x03\x02me"
    call = b"\xac\xed\0\x05" + block(utf("1") + utf("greet67f415341aba"[1:])) + array
    call += block(struct.pack(">H", 1) + utf("a") + utf("b"))
    packed = gzip.compress(call, mtime=0)
    packets = Talk().open().call(frame1(packed, variant=2)).packets
    (one,) = seen_in(packets).messages
    assert (one.method, values(one)) == ("reet…", ["me"])
    assert [(datum.name, datum.value) for datum in one.metadata] == [("a", "b")]
    look_at([one])
    assert one.size == 32 + len(packed)


def test_a_heartbeat_of_motan_1_is_an_event() -> None:
    array = bytes.fromhex("75 72 0002 5b42 acf317f8060854e0 02 0000 78 70")
    answer = b"\xac\xed\0\x05" + block(bytes(8) + utf("java.lang.String")) + array
    answer += b"\0\0\0\x0a\x09heartbeat"
    talk = Talk().open().call(frame1(named("com.weibo.api.motan.rpc.heartbeat", "heartbeat")))
    found = seen_in(talk.reply(frame1(answer, kind=1)).packets)
    assert [(one.type.name, one.method) for one in found.messages] == [("EVENT", "heartbeat")] * 2
    assert found.exchanges == []
    look_at(found.messages)


def test_an_error_need_not_be_json() -> None:
    talk = Talk().open().call(frame2())
    talk.reply(frame2(b"", b"M_e\nno such thing", flags=1, status=1))
    found = seen_in(talk.packets)
    failed = found.messages[1]
    error = failed.family.error(failed)
    assert (failed.type.name, failed.method) == ("EXCEPTION", "com.shop.Orders.get")
    assert error.text is not None
    assert error.text.content == "no such thing"
    look_at(found.messages)


@pytest.mark.parametrize(
    ("kind", "body", "encoding", "said"),
    [
        (1, b"\x0a\x02me", "protobuf", ["me"]),
        (2, b'["me", 7]', "plain-json", [["me", 7]]),
        (3, b"\xa2me", "msgpack", ["me"]),
        (4, b's2"me"z', "raw", ['s2"me"z']),
        (5, b"\0\2me\1\0\3you", "motan-pb", ["me", None, "you"]),
        (5, b"\1\0\x0a\2me", "motan-pb", [None, b"\x0a\2me"]),  # a message
        (5, b"\0\0", "motan-pb", [b"\0"]),  # "", 0 or false
        (5, b"\0\x06\0\2me", "motan-pb", [b"\x06\0\2me"]),  # 3, then a string
        (5, b"", "motan-pb", []),
        (7, b'{"name": "me"}', "plain-json", ["me"]),
        (9, b"whatever", "raw", ["whatever"]),
    ],
)
def test_serializations_of_motan_2(kind: int, body: bytes, encoding: str, said: list[Any]) -> None:
    talk = Talk().open().call(frame2(body, kind=kind)).reply(frame2(body, b"M_pt\n1", 1, kind=kind))
    found = seen_in(talk.packets)
    assert [one.protocol.name for one in found.messages] == [encoding] * 2
    assert [values(one) for one in found.messages] == [said] * 2
    told = [finding.severity for one in found.messages for finding in one.faults]
    assert set(told) <= {Severity.NOTE}
    assert [one.outcome for one in found.exchanges] == [Outcome.SUCCESS]
    is_named = found.exchanges[0].why.startswith("what came is in ")
    assert is_named is (encoding == "raw")
    look_at(found.messages)


def test_no_mutant_of_pb_raises() -> None:
    lines = [(1, True, frame2(b"\0\2me\1\0\3you", kind=5)), (1, True, frame2(b"\0\7", kind=5))]
    for some in mutants(lines, 60, seed=5):
        look_at(seen_in(talk_of(some)).messages)


@pytest.mark.parametrize(
    "data",
    [
        frame2(flags=0x20),
        frame2(status=2),
        frame2(kind=9, metadata=b"who\nme"),
        frame2(metadata=b""),  # who is called?
        frame2(metadata=b"M_p\n\x00\x01\x02"),
        b"\xf1\xf1\0\x10" + frame2()[4:],
        frame1(b"\xac\xed\0\x05", kind=4),
        frame1(b"\xac\xed\0\x05", variant=3),
        frame1(b"")[:20] + bytes(8) + frame1(b"")[28:],
        frame1(b"")[:28] + b"\0\0\0\x09",
    ],
)
def test_what_is_nearly_motan_is_not(data: bytes) -> None:
    assert begins1(data) is False
    assert begins2(data) is False


def test_the_begin_of_a_frame_is_waited_for() -> None:
    for data, begins in ((frame2(), begins2), (frame1(named("a.B", "get")), begins1)):
        told_at = [begins(data[:at]) for at in range(1, len(data) + 1)]
        assert False not in told_at
        assert told_at[-1] is True
