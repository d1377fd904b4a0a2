"""Dubbo 2: recorded with Dubbo's own Java and with others (the truth tables lie with the captures),
and what was not recorded, by hand: other serializations, events, text among frames."""

from __future__ import annotations

import re
import struct

import pytest
from making import Talk, message
from relatives import (
    cut_everywhere,
    is_text,
    look_at,
    look_at_all,
    lose_everywhere,
    mutants,
    said_by,
    seen,
    seen_in,
    talk_of,
    truth,
    values,
)

from pingpong import check_cover, explain
from pingpong.model import Exchange, MessageType, Outcome
from pingpong.protocols.families.dubbo.heads import begins, count_of

CAPTURES = [
    ("relatives", "dubbo2_java_heartbeat"),
    ("relatives", "dubbo2_java_pool"),
    ("relatives", "dubbo2_java_rich"),
    ("relatives", "dubbo2_java_ser_java"),
    ("relatives", "dubbo2_x_sofa_java"),
    ("family", "dubbo2_apachejs"),
    ("family", "dubbo2_dubbopy"),
    ("family", "dubbo2_dubbossl"),
    ("family", "dubbo2_java26"),
    ("family", "dubbo2_nodecli_pysrv"),
    ("family", "dubbo2_python3dubbo"),
    ("family", "dubbo2_sofa"),
    ("family", "x_javacli_dubbopysrv"),
]
TABLES = [name for folder, name in CAPTURES if folder == "relatives"]

# The client gave up by its own clock; on the wire the reply came late, and was one.
TIMEOUT = re.compile("method timeout|TimeoutError")


def outcome_of(row: dict[str, str], exchange: Exchange) -> Outcome:
    """How a call ended on the wire, by what its client says."""
    if row["kind"] == "oneway":
        return Outcome.ONEWAY
    if row["outcome"] == "reply" or TIMEOUT.search(row["value"]):
        return Outcome.SUCCESS
    is_own = row["value"].startswith("com.alibaba.dubbo.rpc.RpcException")
    return Outcome.APPLICATION_EXCEPTION if is_own else Outcome.DECLARED_EXCEPTION


@pytest.mark.parametrize("name", TABLES)
def test_the_truth_table_is_met(name: str) -> None:
    rows = truth(name)
    # By their ids; a table has them in the order of the program.
    calls = {one.call.seqid: one for one in seen("relatives", name).calls if one.call}
    assert len(calls) == len(rows)
    texts = 0
    waiting = sorted(calls)
    for row in rows:
        place = next(
            at
            for at, seqid in enumerate(waiting)
            if (call := calls[seqid].call) is not None and call.bare_method == row["method"]
        )
        exchange = calls[waiting.pop(place)]
        assert exchange.outcome is outcome_of(row, exchange), row
        reply = exchange.reply
        if reply is None or exchange.outcome is Outcome.APPLICATION_EXCEPTION:
            continue
        if exchange.outcome is Outcome.DECLARED_EXCEPTION:
            if reply.protocol.name == "hessian2":
                assert said_by(reply.fields[0].value) == row["value"]
            continue
        said = [one for one in values(reply) if isinstance(one, str)]
        if said and len(reply.fields) == 1 and not TIMEOUT.search(row["value"]):
            assert is_text(said[0], row["value"].strip('"'))
            texts += 1
        if row["value"] == "null" and reply.protocol.name == "hessian2":
            assert reply.fields == ()
    assert texts or name == "dubbo2_java_ser_java"


def test_arguments_are_those_of_the_program() -> None:
    calls = [one.call for one in seen("relatives", "dubbo2_java_rich").calls]
    by_id = {one.seqid: one for one in calls if one is not None}
    assert values(by_id[1]) == ["admin", "123456"]
    assert values(by_id[2]) == [True, -1, 300, 70000, 1 << 40, 0.5, 2.5, "中"]
    assert values(by_id[3]) == [None] * 10
    assert values(by_id[16]) == ["a😀b"]
    assert values(by_id[23]) == [b"\xab" * 9000]
    assert values(by_id[34]) == [1_795_767_150_123]
    assert values(by_id[50]) == ["login", ["java.lang.String"] * 2, ["root", "pwd"]]
    assert [field.field_id for field in by_id[2].fields] == list(range(1, 9))


def test_attachments_are_metadata() -> None:
    calls = [one.call for one in seen("relatives", "dubbo2_java_rich").calls]
    attach = next(one for one in calls if one is not None and one.bare_method == "attach")
    said = {datum.name: datum.value for datum in attach.metadata}
    assert said["用户"] == "小明"
    assert said["traceparent"] == "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    assert said["timeout"] == "2000"
    assert attach.fields == ()
    for datum in attach.metadata:
        # Where it stands: both are in these bytes.
        assert (datum.value or "").encode() in datum.span.of(attach.data)


def test_errors_have_a_status_and_a_text() -> None:
    (failed,) = [
        one.reply
        for one in seen("relatives", "dubbo2_java_pool").exchanges
        if one.outcome is Outcome.APPLICATION_EXCEPTION
    ]
    assert failed is not None
    error = failed.family.error(failed)
    assert (error.name, error.number) == ("SERVER_THREADPOOL_EXHAUSTED", 100)
    assert error.text is not None
    assert "threadpool is exhausted" in str(error.text.content)
    assert (failed.service, failed.bare_method) == ("com.thinkrpc.Shop", "ping")


def test_either_end_beats() -> None:
    found = seen("relatives", "dubbo2_java_heartbeat")
    events = [one for one in found.messages if one.type is MessageType.EVENT]
    assert [(one.method, one.from_client, one.seqid) for one in events] == [
        ("heartbeat", False, 0),
        ("heartbeat", True, 0),
        ("heartbeat", False, 1),
        ("heartbeat", True, 1),
    ]
    assert [one.outcome for one in found.exchanges] == [Outcome.SUCCESS] * 3


def test_it_is_found_in_mid_stream() -> None:
    whole = [one.data for one in seen("relatives", "dubbo2_java_rich").messages]
    some = seen("relatives", "dubbo2_java_rich_midstream")
    assert [one.data for one in some.messages] == whole[-len(some.messages) :]
    assert len(some.messages) > 70
    assert {one.transport for one in some.messages} == {"dubbo"}


@pytest.mark.parametrize(("folder", "name"), CAPTURES)
def test_every_byte_has_a_note(folder: str, name: str) -> None:
    look_at_all(folder, name, "dubbo")


@pytest.mark.parametrize(("folder", "name"), CAPTURES)
def test_cuts_change_nothing(folder: str, name: str) -> None:
    cut_everywhere(folder, name)


@pytest.mark.parametrize("name", ["dubbo2_java_heartbeat", "dubbo2_x_sofa_java"])
def test_lost_bytes_hide_no_other_message(name: str) -> None:
    lose_everywhere("relatives", name)


def test_no_mutant_raises() -> None:
    for name in ("dubbo2_java_rich", "dubbo2_x_sofa_java", "dubbo2_java_ser_java"):
        lines = [line for line in seen("relatives", name).lines if len(line[2]) < 4000]
        for some in mutants(lines[-30:], 60, seed=20):
            look_at(seen_in(talk_of(some)).messages)


# ── Not recorded ─────────────────────────────────────────────────────────────────────


def frame(body: bytes, flags: int = 0xC2, status: int = 0, seqid: int = 7) -> bytes:
    return struct.pack(">HBBQI", 0xDABB, flags, status, seqid, len(body)) + body


def text(said: str) -> bytes:
    return bytes((len(said),)) + said.encode()


def call_of(types: str, arguments: bytes) -> bytes:
    names = ("2.0.2", "com.shop.Orders", "1.0.0", "get", types)
    return b"".join(map(text, names)) + arguments


def test_an_id_is_shown_without_a_sign() -> None:
    one = message(frame(call_of("I", b"\x91HZ"), seqid=0x9E77_0B0A_0000_0001), "dubbo")
    assert one.seqid == 0x9E77_0B0A_0000_0001
    assert values(one) == [1]


def test_what_the_arguments_define_the_attachments_refer_to() -> None:
    definition = b"C" + text("com.shop.Who") + b"\x91" + text("name")
    body = call_of("Lcom/shop/Who;", definition + b"`" + text("me") + b"H\x03who`\x03youZ")
    one = message(frame(body), "dubbo")
    assert values(one) == [{"name": "me"}]
    assert [datum.name for datum in one.metadata] == ["who"]
    assert "you" in str(one.metadata[0].value)
    check_cover(explain(one), len(one.data))


@pytest.mark.parametrize(
    ("body", "flags", "name"),
    [
        (b"N", 0xE2, "heartbeat"),
        (b"\x01R", 0xA2, "readonly"),
        (b"\x01W", 0xA2, "writeable"),
        (b"\x01Q", 0xA2, "event"),
        (b"null", 0xE6, "event"),
    ],
)
def test_events_have_names(body: bytes, flags: int, name: str) -> None:
    one = message(frame(body, flags), "dubbo")
    assert (one.type, one.method) == (MessageType.EVENT, name)
    assert one.fields == ()
    check_cover(explain(one), len(one.data))


@pytest.mark.parametrize("kind", [8, 11, 22, 28])
def test_other_serializations_are_named_and_not_guessed(kind: int) -> None:
    packets = Talk().open()
    packets.call(frame(b"\x01\x02whatever", 0xC0 | kind))
    packets.reply(frame(b"\x05what", kind, 20))
    found = seen_in(packets.packets)
    asked, answered = found.messages
    assert (asked.method, asked.protocol.name) == ("", "raw")
    assert f"serialization {kind} (" in explain(asked)[1].meaning
    # Whether it is a result or an exception is in what nobody here reads; the status says OK.
    assert answered.answer is Outcome.SUCCESS
    (exchange,) = found.exchanges
    assert f"({kind}), which is not read here" in exchange.why
    assert "not read here" in explain(answered)[1].why
    look_at(found.messages)


def test_fastjson_says_whom_it_calls() -> None:
    lines = ("2.0.2", "com.shop.Orders", "1.0.0", "get", "I")
    body = b"".join(b'"%s"\r\n' % line.encode() for line in lines) + b'1\r\n{"path": "x"}\r\n'
    packets = (
        Talk().open().call(frame(body, 0xC6)).reply(frame(b'0\r\n{"a": 1}\r\n', 6, 20)).packets
    )
    found = seen_in(packets)
    assert [one.method for one in found.messages] == ["com.shop.Orders.get"] * 2
    assert [one.outcome for one in found.exchanges] == [Outcome.DECLARED_EXCEPTION]
    look_at(found.messages)


def test_text_among_frames_is_an_event() -> None:
    talk = Talk().open().call(frame(call_of("", b"HZ"))).reply(frame(b"\x95HZ", 2, 20))
    talk.call(b"ls -l com.shop.Orders\r\n").reply(b"get\r\ndubbo>")
    found = seen_in(talk.call(frame(call_of("", b"HZ"), seqid=8)).packets)
    assert [one.method for one in found.messages] == [
        "com.shop.Orders.get",
        "com.shop.Orders.get",
        "telnet line",
        "telnet line",
        "telnet answer",
        "com.shop.Orders.get",
    ]
    look_at(found.messages)


def test_a_console_alone_is_said_to_be_one() -> None:
    found = seen("relatives", "dubbo2_telnet")
    assert found.messages == []
    assert any("the answer of Dubbo's console" in one for one in found.findings)


def test_a_body_that_is_none_keeps_its_frame() -> None:
    packets = Talk().open().call(frame(call_of("", b"HZ"))).call(frame(b"\x052.0.2\x93", seqid=8))
    found = seen_in(packets.call(frame(call_of("", b"HZ"), seqid=9)).packets)
    assert [one.seqid for one in found.messages] == [7, 8, 9]
    assert [bool(one.findings) for one in found.messages] == [False, True, False]
    look_at(found.messages)


@pytest.mark.parametrize(
    "data",
    [
        frame(b"N", 0xC2, 20),  # a request with a status
        frame(b"\x94N", 0x42, 20),  # a reply that wants a reply
        frame(b"\x94N", 0x02, 21),
        frame(b"\x94N", 0x05, 20),  # a serialization that nobody has
        frame(b"\x97N", 0x02, 20),
        frame(b"\x03abc"[:1] + b"\0\0\0", 0xC2),
        frame(b""),
        struct.pack(">HBBQI", 0xDABB, 0xC2, 0, 1, 1 << 30) + b"\x052.0.2",
    ],
)
def test_what_is_nearly_dubbo_is_not(data: bytes) -> None:
    assert begins(data) is False


def test_the_begin_of_a_frame_is_waited_for() -> None:
    data = frame(call_of("I", b"\x91HZ"))
    told_at = [begins(data[:at]) for at in range(1, len(data) + 1)]
    assert False not in told_at
    assert told_at[-1] is True


def test_descriptors_are_counted() -> None:
    assert count_of("ZBCSIJFD") == 8
    assert count_of("[[Ljava/lang/String;[I") == 2
    assert count_of("Q") == -1
