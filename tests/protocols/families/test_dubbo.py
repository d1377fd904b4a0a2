"""Dubbo 2: recorded with Dubbo's own Java and with others (the truth tables lie with the captures),
and what was not recorded, by hand: other serializations, events, text among frames."""

from __future__ import annotations

import json
import re
import struct

import pytest
from making import Talk, message
from relatives import (
    cut_everywhere,
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
from pingpong.model import Exchange, Message, MessageType, Outcome
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
    met = 0
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
            assert exchange.exception == row["value"].partition(": ")[0]
            continue
        met += is_met(row, reply)
    # The others failed, are oneway, or came late.
    assert met == sum(row["outcome"] == "reply" for row in rows)


def is_met(row: dict[str, str], reply: Message) -> bool:
    """Whether a reply is one of those of which the table says what is in them; they are checked."""
    said, wanted = values(reply), row["value"]
    if row["outcome"] != "reply":
        assert said == ["late"]
        return False
    if reply.protocol.name != "hessian2":  # of strings its stream is read
        assert wanted in ("null", *map(str, said))
    elif wanted == "null":
        assert reply.fields == ()
    elif row["method"] == "buy":
        (order,) = said
        assert isinstance(order, dict)
        if wanted[:1] == "{":
            assert in_js(order) == json.loads(wanted)
        else:
            lines = order["lines"]
            # Its gift, and its first line, are what came before as ``same``: a reference to it.
            assert lines[0] == order["gift"]
            assert wanted == f"{order['who']} truetrue"
            assert lines[1]["note"] == "易碎"
    elif row["method"] == "tree":
        (root,) = said
        assert isinstance(root, dict)
        assert [one["parent"] for one in root["children"]] == [0, 0]  # the first object
        assert wanted == "true"
    else:
        (only,) = said
        printed = java_prints(only)
        assert wanted.strip('"') in (printed, f"{len(printed.encode('utf-16-le')) // 2} chars")
    return True


def in_js(value: object) -> object:
    """A value as JavaScript's library has it: a long above 2^53 is a string, a map an object."""
    if isinstance(value, dict):
        return {key: in_js(item) for key, item in value.items()}
    if isinstance(value, list) and value and isinstance(value[0], tuple):
        return {key: in_js(item) for key, item in value}
    if isinstance(value, list):
        return [in_js(one) for one in value]
    is_large = isinstance(value, int) and value > 1 << 53
    return str(value) if is_large else value


# What a table says of arguments, in words.
ARGUMENTS: dict[str, list[object]] = {
    "admin, 123456": ["admin", "123456"],
    "true, -1, 300, 70000, 1<<40, 0.5f, 2.5, 中": [True, -1, 300, 70000, 1 << 40, 0.5, 2.5, "中"],
    "null x 8, null, null": [None] * 10,
    "FALSE, 1, 2, 3, 4, 5f, 6d, x, empty, new Object": [
        *(False, 1, 2, 3, 4, 5.0, 6.0, "x", "", []),
    ],
    "a😀b": ["a😀b"],
    "33000": [33000],
    "2026-11-27T08:09:10.123Z": [1795767150123],
    "19.99, 2^80": [{"value": "19.99"}, {"mag": [65536, 0, 0], "signum": 1}],
    "RED": [{"name": "RED"}],
    "sku": ["sku"],
    "x": ["x"],
    "hello": ["hello"],
    "any": ["echo!"],
    "600 with timeout 300: late reply": [600],
    "login(root, pwd)": ["login", ["java.lang.String"] * 2, ["root", "pwd"]],
}
SENT_BACK = {"echo", "$echo", "bytes", "ints", "longs", "doubles", "map", "date", "buy", "tree"}


def test_the_arguments_of_the_table_are_met() -> None:
    """What is sent back is, by the rows before, what it should be; so the arguments are, too."""
    found = seen("relatives", "dubbo2_java_rich").calls
    calls = {one.call.seqid: one for one in found if one.call is not None}
    for row, seqid in zip(truth("dubbo2_java_rich"), sorted(calls), strict=True):
        exchange = calls[seqid]
        call = exchange.call
        assert call is not None
        said, words = values(call), row["args"]
        made = re.fullmatch(r"(String of|byte)\W?(\d+)(?: x 中|\])", words)
        if made is not None:
            count = int(made[2])
            assert said == [b"\xab" * count if made[1] == "byte" else "中" * count]
        elif words in ARGUMENTS:
            for one, wanted in zip(said, ARGUMENTS[words], strict=True):
                assert one == wanted or (
                    isinstance(one, dict)
                    and isinstance(wanted, dict)
                    and one.items() >= wanted.items()
                )
        elif row["method"] not in SENT_BACK:
            assert said == []
        if row["method"] in SENT_BACK:
            assert exchange.reply is not None
            assert repr(said) == repr(values(exchange.reply))


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


def test_what_others_meet_on_its_port() -> None:
    """The table has the bytes that a client received, and the lines that were sent by hand."""
    received = {flow.from_server.first for flow in seen("relatives", "mismatch_on_dubbo").flows}
    cells = [list(row.values()) for row in truth("mismatch_on_dubbo")]
    answers = [bytes.fromhex(one[3]) for one in cells if one[2] == "received"]
    assert len(answers) == 2
    assert received == {b"", *answers}
    (flow,) = seen("relatives", "dubbo2_telnet").flows
    lines = [row["client sends"] for row in truth("dubbo2_telnet")]
    sent = "".join(line.removesuffix(" CRLF") + "\r\n" for line in lines)
    assert flow.from_client.first.decode() == sent


FAMILY = [name for folder, name in CAPTURES if folder == "family"]


@pytest.mark.parametrize("name", FAMILY)
def test_the_articles_calls(name: str) -> None:
    meet_the_article("family", name)


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
        (b"null\n", 0xE6, "heartbeat"),
        (b'"R"\r\n', 0xB0, "readonly"),
        (b"\xac\xed\0\x05\x77\x01\0", 0xE3, "heartbeat"),
        (b"\xac\xed\0\x05\x77\x01\x01\x74\0\x01R", 0xA4, "readonly"),
        (b"\xac\xed\0\x05\x74\0\x01W", 0xA7, "writeable"),
        (b"\x01R", 0xA8, "event"),  # kryo's: nobody here knows
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


def in_lines(*values: str, end: str = "\n") -> bytes:
    """Values in JSON, as fastjson, gson, jackson and protobuf-json write them: one in a line."""
    return "".join(f"{one}{end}" for one in values).encode()


def json_call(types: str, *values: str, end: str = "\n") -> bytes:
    names = ('"2.0.2"', '"com.shop.Orders"', "null", '"get"', f'"{types}"')
    return in_lines(*names, *values, end=end)


@pytest.mark.parametrize("kind", [6, 16, 18, 21])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_values_in_json_are_read_line_by_line(kind: int, end: str) -> None:
    types = "Ljava/lang/String;I[ILcom/shop/Who;Ljava/lang/Object;"
    arguments = (r'"a\"b\n\u4e2d😀"', "-7", "[1,2.5,null]", '{"name":"me","in":{"x":[]}}', "null")
    body = json_call(types, *arguments, '{"path":"com.shop.Orders","timeout":"1000"}', end=end)
    talk = Talk().open().call(frame(body, 0xC0 | kind))
    talk.reply(frame(in_lines("4", '{"id":1}', '{"dubbo":"2.0.2"}', end=end), kind, 20))
    found = seen_in(talk.packets)
    asked, answered = found.messages
    assert [one.method for one in found.messages] == ["com.shop.Orders.get"] * 2
    assert values(asked) == [
        *('a"b\n中😀', -7, [1, 2.5, None], {"name": "me", "in": {"x": []}}, None),
    ]
    assert [one.field_id for one in asked.fields] == [1, 2, 3, 4, 5]
    assert values(answered) == [{"id": 1}]
    assert [(one.name, one.value) for one in asked.metadata] == [
        ("path", "com.shop.Orders"),
        ("timeout", "1000"),
    ]
    assert [(one.name, one.value) for one in answered.metadata] == [("dubbo", "2.0.2")]
    assert [one.outcome for one in found.exchanges] == [Outcome.SUCCESS]
    assert not any(one.findings for one in found.messages)
    look_at(found.messages)


@pytest.mark.parametrize(
    ("body", "status", "outcome", "fields"),
    [
        (in_lines("1", "7"), 20, Outcome.SUCCESS, [(0, 7)]),
        (b"1\n7", 20, Outcome.SUCCESS, [(0, 7)]),  # the last line need not end
        (in_lines("2"), 20, Outcome.SUCCESS, []),
        (in_lines("5", "{}"), 20, Outcome.SUCCESS, []),
        (in_lines("0", '{"message":"no"}'), 20, Outcome.DECLARED_EXCEPTION, [
            (1, {"message": "no"})
        ]),
        (in_lines('"no such"'), 70, Outcome.APPLICATION_EXCEPTION, [(1, "no such")]),
    ],
)  # fmt: skip
def test_results_in_json(
    body: bytes, status: int, outcome: Outcome, fields: list[tuple[int, object]]
) -> None:
    packets = Talk().open().call(frame(json_call("", "{}"), 0xC6)).reply(frame(body, 6, status))
    found = seen_in(packets.packets)
    answered = found.messages[1]
    assert [one.outcome for one in found.exchanges] == [outcome]
    ids = [one.field_id for one in answered.fields]
    assert list(zip(ids, values(answered), strict=True)) == fields
    assert not answered.findings
    look_at(found.messages)


@pytest.mark.parametrize(
    "body",
    [
        b"\x85abc" * 4,
        b'"2.0.2"\n"com.shop.Orders"\n7\n',
        json_call("I", "tru", "{}"),
        json_call("I", '{"a"', "{}"),
        json_call("", "{}", "{}"),
        json_call("I", "1", "{") + b"}}",
    ],
)
def test_json_that_is_none_keeps_its_frame(body: bytes) -> None:
    talk = Talk().open().call(frame(json_call("", "{}"), 0xC6)).call(frame(body, 0xC6, seqid=8))
    found = seen_in(talk.call(frame(json_call("", "{}"), 0xC6, seqid=9)).packets)
    assert [one.seqid for one in found.messages] == [7, 8, 9]
    assert [bool(one.faults) for one in found.messages] == [False, True, False]
    look_at(found.messages)


@pytest.mark.parametrize("seed", range(3))
def test_no_mutant_of_json_raises(seed: int) -> None:
    body = json_call("IZ", "1", "true", '{"a":"b"}')
    lines = [(1, True, frame(body, 0xC6)), (1, False, frame(in_lines("1", "[7]"), 6, 20))]
    for some in mutants(lines, 40, seed=seed):
        look_at(seen_in(talk_of(some)).messages)


def test_a_status_that_nobody_defines() -> None:
    assert begins(frame(b"\x94N", 2, 0))
    for status in (0, 21, 255):
        talk = Talk().open().call(frame(call_of("", b"HZ")))
        found = seen_in(talk.reply(frame(text("no such thing"), 2, status)).packets)
        (failed,) = [one.reply for one in found.exchanges]
        assert failed is not None
        error = failed.family.error(failed)
        assert (error.number, error.text and error.text.content) == (status, "no such thing")
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
        frame(b"N", 0x02, 21),
        frame(b"\x03\0\1\2", 0x02, 21),
        frame(b"\x03abc", 0x08, 21),
        frame(b"\x94N", 0x05, 20),  # a serialization that nobody has
        frame(b"\x97N", 0x02, 20),
        frame(b"\x03abc"[:1] + b"\0\0\0", 0xC2),
        frame(b""),
        struct.pack(">HBBQI", 0xDABB, 0xC2, 0, 1, 1 << 30) + b"\x052.0.2",
    ],
)
def test_what_is_nearly_dubbo_is_not(data: bytes) -> None:
    assert begins(data) is False


@pytest.mark.parametrize(
    "data",
    [
        frame(call_of("I", b"\x91HZ")),
        frame(json_call("I", "7", "{}"), 0xC6),
        frame(text("no such thing"), 2, 99),
        frame(b"\x94\x91HZ", 2, 0),
    ],
)
def test_the_begin_of_a_frame_is_waited_for(data: bytes) -> None:
    told_at = [begins(data[:at]) for at in range(1, len(data) + 1)]
    assert False not in told_at
    assert told_at[-1] is True


def test_descriptors_are_counted() -> None:
    assert count_of("ZBCSIJFD") == 8
    assert count_of("[[Ljava/lang/String;[I") == 2
    assert count_of("Q") == -1
