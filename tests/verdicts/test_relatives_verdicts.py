"""Dubbo, Motan and rpcx: what is said of calls that failed, of late answers, of heartbeats and
farewells, of emoji that were lost, and of clients of the wrong kind.

The recorded conversations lie beside the checkout; what is in none of them is made here, frame by
frame (``frames``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from doors import check, mutated
from frames import (
    ANSWERED,
    ASKED,
    DUBBO_READONLY,
    HELLO,
    SETTINGS,
    dubbo,
    dubbo_alive,
    dubbo_call,
    dubbo_error,
    dubbo_heartbeat,
    dubbo_reply,
    motan1_call,
    motan1_error,
    motan1_reply,
    motan2_call,
    motan2_error,
    motan2_heartbeat,
    motan2_reply,
    rpcx_call,
    rpcx_error,
    rpcx_heartbeat,
    rpcx_reply,
    text,
    thrown,
    together,
)
from making import PING, PONG, Talk
from relatives import packets_of

from pingpong import read_packets
from pingpong.model import Packet, Severity
from pingpong.verdicts.verdict import Kind, Verdict

MS = 1_000_000
SECOND = 1_000 * MS


def opened(port: int = 50001) -> Talk:
    return Talk(port, server_port=20880).open()


def good(talk: Talk, count: int = 2) -> Talk:
    for at in range(1, count + 1):
        talk.call(dubbo_call(at)).reply(dubbo_reply(at))
    return talk


def verdicts(packets: list[Packet]) -> tuple[Verdict, ...]:
    return read_packets(packets).diagnosis.verdicts


def of(kind: Kind, *talks: Talk) -> Verdict:
    """The one verdict of that kind; and nothing else is wrong."""
    found = verdicts(together(*talks))
    mine = [one for one in found if one.kind is kind]
    assert len(mine) == 1, found
    assert all(one.severity is Severity.NOTE for one in found if one is not mine[0]), found
    return mine[0]


def kinds(*talks: Talk) -> set[Kind]:
    return {one.kind for one in verdicts(together(*talks))}


# ── What the recorded ones say ───────────────────────────────────────────────────────

RECORDED = {
    "dubbo2_java_pool": (Kind.OVERLOADED, "no thread free", "1 at work, 1 at most"),
    "dubbo2_java_rich": (
        Kind.UNKNOWN_METHOD,
        "no service com.thinkrpc.Nowhere:1.0.0:20880",
        "It says what it has: com.thinkrpc.Shop:1.0.0:20880.",
    ),
    "dubbo2_telnet": (Kind.ALL_WELL, "lines of text", "takes commands"),
    "dubbo2_x_sofa_java": (Kind.TOO_LATE, "Nothing in the call says", "on the server's side"),
    "motan2_go_breeze": (Kind.HANDLER_CRASHED, "Shop.panic failed", "provider call panic"),
    "motan2_go_simple": (Kind.UNKNOWN_METHOD, "no service com.thinkrpc.Nowhere", "404"),
    "rpcx_msgpack_rich": (Kind.UNKNOWN_METHOD, "no method NoSuchMethod in Shop", "can't find"),
    "rpcx_json_concurrent": (Kind.APPLICATION_EXCEPTION, "out of stock", "service's own"),
}


@pytest.mark.parametrize("name", RECORDED)
def test_a_recorded_conversation(name: str) -> None:
    kind, *words = RECORDED[name]
    found = [one for one in verdicts(packets_of("relatives", name)) if one.kind is kind]
    assert any(all(word in one.sentence for word in words) for one in found), found


@pytest.mark.parametrize("name", ["dubbo2_java_heartbeat", "rpcx_msgpack_heartbeat"])
def test_heartbeats_that_are_answered_are_no_trouble(name: str) -> None:
    assert {one.kind for one in verdicts(packets_of("relatives", name))} == {Kind.ALL_WELL}


# ── What a server says of a call ─────────────────────────────────────────────────────

LENGTH = "Data length too large: 9000000, max payload: 8388608, channel: NettyChannel"
SERIAL = (
    "Fail to decode request due to: java.io.IOException: Unexpected serialization id:3 received "
    "from network, please check if the peer send the right id."
)
NO_SERVICE = (
    "org.apache.dubbo.remoting.RemotingException: Not found exported service: "
    "com.shop.Orders:1.0.0:20880 in [{}], may be version or group mismatch , channel: x"
)
POOL = "process thread pool is full, reject by server: 10.0.0.2"
MOTAN_LENGTH = (
    "NettyDecoder transport data content length over of limit, size: 20000000  > 10485760"
)

REFUSALS: list[tuple[bytes, bytes, Kind, str]] = [
    (dubbo_call(1), dubbo_error(1, 25, LENGTH), Kind.FRAME_TOO_LARGE, "8388608 are allowed"),
    (dubbo_call(1), dubbo_error(1, 50, f"x: {LENGTH}"), Kind.FRAME_TOO_LARGE, "the answer that"),
    (dubbo_call(1), dubbo_error(1, 40, SERIAL), Kind.OTHER_SERIALIZATION, "does not take that"),
    (dubbo_call(1), dubbo_error(1, 40, "Fail to decode"), Kind.APPLICATION_EXCEPTION, "not read"),
    (dubbo_call(1), dubbo_error(1, 60, "?"), Kind.UNKNOWN_METHOD, "no service com.shop.Orders"),
    (
        dubbo_call(1),
        dubbo_error(1, 70, NO_SERVICE.format("com.shop.Orders:2.0.0:20880")),
        Kind.UNKNOWN_METHOD,
        "It says what it has: com.shop.Orders:2.0.0:20880.",
    ),
    (
        dubbo_call(1),
        dubbo_error(1, 70, NO_SERVICE.format("")),
        Kind.UNKNOWN_METHOD,
        "no service at all",
    ),
    (dubbo_call(1), dubbo_error(1, 70, "boom {x}"), Kind.APPLICATION_EXCEPTION, "SERVICE_ERROR"),
    (dubbo_call(1), dubbo_error(1, 80, "?"), Kind.APPLICATION_EXCEPTION, "SERVER_ERROR"),
    (motan2_call(1), motan2_error(1, 10002, POOL), Kind.OVERLOADED, "no thread free"),
    (motan2_call(1), motan2_error(1, 10001, MOTAN_LENGTH), Kind.FRAME_TOO_LARGE, "10485760"),
    (
        motan2_call(1),
        motan2_error(1, 10101, "Service method not exist: com.shop.Orders.get(int)"),
        Kind.UNKNOWN_METHOD,
        "no method get in com.shop.Orders",
    ),
    (
        motan2_call(1),
        motan2_error(1, 500, "deserialize fail. err:x method:get"),
        Kind.OTHER_SERIALIZATION,
        "could not read the values",
    ),
    (motan2_call(1), motan2_error(1, 10003, "?"), Kind.APPLICATION_EXCEPTION, "the time was over"),
    (motan2_call(1), motan2_error(1, 1, "sold out"), Kind.APPLICATION_EXCEPTION, "service's own"),
    (
        motan1_call(1),
        motan1_error(1, 404, "provider not exist serviceKey=g/com.shop.Orders/1.0"),
        Kind.UNKNOWN_METHOD,
        "no service g/com.shop.Orders/1.0",
    ),
    (
        rpcx_call(9) + rpcx_call(1, kind=7),
        rpcx_reply(9) + rpcx_error(1, "can not find codec for 7"),
        Kind.OTHER_SERIALIZATION,
        "number 7",
    ),
    (rpcx_call(1), rpcx_error(1, "request reached rate limit"), Kind.OVERLOADED, "in a time"),
    (rpcx_call(1), rpcx_error(1, "[service internal error]: x"), Kind.HANDLER_CRASHED, "failed"),
    (
        rpcx_call(1),
        rpcx_error(1, "context deadline exceeded"),
        Kind.APPLICATION_EXCEPTION,
        "ran out of the time",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("call", "answer", "kind", "words"), REFUSALS)
def test_a_refusal(call: bytes, answer: bytes, kind: Kind, words: str) -> None:
    verdict = of(kind, opened().call(call).reply(answer).close())
    assert verdict.severity is Severity.ERROR
    assert words in verdict.sentence
    assert verdict.advice
    assert any(one.startswith("CALL ") for one in verdict.evidence)


# What a server passes on: somebody else's words are no news of the server itself.
OTHERS: list[tuple[bytes, bytes, str]] = [
    (dubbo_call(1), dubbo_error(1, 80, f"a.E: b: {NO_SERVICE.format('')}"), "inside other words"),
    (
        dubbo_call(1, path="com.shop.Cart"),
        dubbo_error(1, 70, NO_SERVICE.format("com.shop.Pay:1.0.0:20880")),
        "about com.shop.Orders:1.0.0:20880",
    ),
    (dubbo_call(1), dubbo_error(1, 70, f"a.Exception: it said {LENGTH}"), "inside other words"),
    (
        motan2_call(1),
        motan2_error(1, 404, "provider not exist serviceKey=com.shop.Stock"),
        "about com.shop.Stock",
    ),
    (
        motan2_call(1),
        motan2_error(1, 500, "method put is not found in provider."),
        "about put",
    ),
    (motan2_call(1), motan2_error(1, 404, "x: provider not exist"), "inside other words"),
    (motan2_call(1), motan2_error(1, 404, "user 17 not found", 2), "as the service's own"),
    (motan2_call(1), motan2_error(1, 10002, f"no: {POOL}", 2), "as the service's own"),
    (rpcx_call(1), rpcx_error(1, "rpcx: can't find service Stock"), "about Stock"),
    (rpcx_call(1), rpcx_error(1, "rpcx: can't find method Put"), "about Put"),
    (rpcx_call(1), rpcx_error(1, "can not find codec for 7"), "serialization number 7"),
    (rpcx_call(1), rpcx_error(1, "x: rpcx: can't find service Orders"), "the service's own"),
]


@pytest.mark.parametrize(("call", "answer", "words"), OTHERS)
def test_words_of_a_server_further_behind(call: bytes, answer: bytes, words: str) -> None:
    verdict = of(Kind.APPLICATION_EXCEPTION, opened().call(call).reply(answer).close())
    assert words in verdict.sentence


def test_a_name_with_dots_is_the_one_that_is_called() -> None:
    ask = rpcx_call(1, "do.it"), rpcx_error(1, "rpcx: can't find method do.it", "do.it")
    of(Kind.UNKNOWN_METHOD, opened().call(ask[0]).reply(ask[1]).close())


def test_a_server_with_more_services_than_are_kept() -> None:
    offered = ", ".join(f"com.shop.catalogue.Service{at}:1.0.0:20880" for at in range(400))
    answer = dubbo_error(1, 70, NO_SERVICE.format(offered))
    verdict = of(Kind.UNKNOWN_METHOD, opened().call(dubbo_call(1)).reply(answer).close())
    assert "com.shop.catalogue.Service0:1.0.0:20880, " in verdict.sentence
    assert "and many more." in verdict.sentence


def failing(answers: list[bytes], first: int = 1) -> Talk:
    talk = opened(50000 + first)
    for at, answer in enumerate(answers, 1):
        talk.call(rpcx_call(at)).reply(answer)
    return talk.close()


TEXTS = ["sold out", "no 17", "no 18", "request reached rate limit", "rpcx: can't find method Get"]


@pytest.mark.parametrize("is_apart", [False, True])
def test_one_method_that_fails_in_several_ways(is_apart: bool) -> None:
    """On one connection, and on one each."""
    if is_apart:
        talks = [failing([rpcx_error(1, words)], at) for at, words in enumerate(TEXTS, 1)]
    else:
        talks = [failing([rpcx_error(at, words) for at, words in enumerate(TEXTS, 1)])]
    found = verdicts(together(*talks))
    assert {one.kind for one in found} == {
        *(Kind.OVERLOADED, Kind.UNKNOWN_METHOD, Kind.APPLICATION_EXCEPTION),
    }
    (own,) = (one for one in found if one.kind is Kind.APPLICATION_EXCEPTION)
    assert "with other texts, too" in own.sentence
    told = [one for one in own.evidence if one.startswith("EXCEPTION")]
    assert len(told) == 2
    assert {"sold out", "no 1"} == {text[:8].rstrip("78") for text in (
        one.partition("“")[2].partition("”")[0] for one in told
    )}  # fmt: skip


def test_more_texts_than_are_kept_are_not_taken_for_the_first() -> None:
    words = ["".join(chr(ord("g") + int(c)) for c in str(at)) for at in range(300)]
    (verdict,) = verdicts(together(failing([rpcx_error(at, w) for at, w in enumerate(words, 1)])))
    assert len(verdict.evidence) <= 13
    assert "EXCEPTION Orders.Get, error, 292 times" in verdict.evidence


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("com.shop.RpcException", "declined"),
        ("com.shop.NoSuchMethodException", 'Not found method "get" in class com.shop.Orders.'),
        ("java.lang.NoSuchMethodException", "com.shop.Bean.setPrice(java.lang.String)"),
    ],
)
def test_an_exception_that_only_looks_like_the_frameworks(name: str, said: str) -> None:
    talk = opened().call(dubbo_call(3)).reply(dubbo_reply(3, thrown(name, said), 3)).close()
    verdict = of(Kind.THROWN_EXCEPTIONS, talk)
    assert "an exception that the handler threw" in verdict.sentence
    assert "IDL" not in verdict.sentence


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "org.apache.dubbo.rpc.RpcException",
            "Failed to invoke service {} because exceed max service tps.",
        ),
        (
            "org.apache.dubbo.common.bytecode.NoSuchMethodException",
            'Not found method "{}" in class x',
        ),
    ],
)
def test_what_the_framework_says_of_another_call(name: str, said: str) -> None:
    def answered(words: str) -> Talk:
        reply = dubbo_reply(3, thrown(name, said.format(words)), 3)
        return opened().call(dubbo_call(3)).reply(reply).close()

    named = "com.shop.Orders.get" if "tps" in said else "get"
    assert kinds(answered(named)) & {Kind.OVERLOADED, Kind.UNKNOWN_METHOD}
    assert "not what is called here" in of(Kind.APPLICATION_EXCEPTION, answered("x")).sentence


# ── Values that are not read ─────────────────────────────────────────────────────────


@pytest.mark.parametrize(("kind", "name"), [(8, "kryo (8)"), (23, "fastjson2 (23)")])
def test_a_serialization_that_is_not_read(kind: int, name: str) -> None:
    def talk(status: int, body: bytes) -> Talk:
        ask = dubbo(0xC0 | kind, 0, 1, b"\x85abc\1")
        return opened().call(ask).reply(dubbo(kind, status, 1, body)).close()

    verdict = of(Kind.ALL_WELL, talk(20, b"\2\1\3pong"))
    assert f"1 of them in {name}, which is not read here" in verdict.sentence
    assert "seen to be wrong" in verdict.sentence
    assert any("whether the method returned or threw" in one for one in verdict.evidence)
    refused = of(
        Kind.OTHER_SERIALIZATION, talk(40, b"Unexpected serialization id:8 received from network")
    )
    assert f"{name}, and the server does not take that" in refused.sentence


def test_fastjson_that_is_none_is_not_called_well() -> None:
    ask = dubbo(0xC6, 0, 1, b'"2.0.2"\n"com.shop.Orders"\n"1"\n"get"\n""\n{}\n')
    good_one, bad = dubbo(6, 20, 1, b'1\n"pong"\n'), dubbo(6, 20, 1, b"\2\1pong\n")
    assert kinds(opened().call(ask).reply(good_one).close()) == {Kind.ALL_WELL}
    of(Kind.UNREADABLE, opened().call(ask).reply(bad).close())


@pytest.mark.parametrize(
    ("name", "said", "kind", "words"),
    [
        (
            "org.apache.dubbo.common.bytecode.NoSuchMethodException",
            'Not found method "put" in class com.shop.OrdersImpl.',
            Kind.UNKNOWN_METHOD,
            "no method put in it",
        ),
        (
            "org.apache.dubbo.rpc.RpcException",
            "Failed to invoke method put in provider dubbo://10.0.0.2:20880/com.shop.Orders?a=b, "
            "cause: The service using threads greater than "
            '<dubbo:service executes="10" /> limited.',
            Kind.OVERLOADED,
            "lets 10 calls",
        ),
        (
            "com.alibaba.dubbo.rpc.RpcException",
            "Invoke remote method timeout. method: stock, provider: dubbo://10.0.0.3",
            Kind.APPLICATION_EXCEPTION,
            "the server itself called another one",
        ),
    ],
)
def test_an_exception_that_the_framework_throws(
    name: str, said: str, kind: Kind, words: str
) -> None:
    answer = dubbo_reply(3, thrown(name, said), 3)
    verdict = of(kind, good(opened()).call(dubbo_call(3, "put")).reply(answer).close())
    assert verdict.severity is Severity.ERROR
    assert words in verdict.sentence
    assert said[:40] in verdict.evidence[0]


def test_an_exception_of_the_services_own_is_none_of_the_frameworks() -> None:
    answer = dubbo_reply(3, thrown("com.shop.NoSuchOrderException", "no"), 3)
    talk = good(opened()).call(dubbo_call(3)).reply(answer).close()
    assert kinds(talk) == {Kind.THROWN_EXCEPTIONS}


def test_a_close_is_no_handler_that_failed() -> None:
    """These families answer for such a handler."""
    verdict = of(Kind.CLOSED_ON_CALL, good(opened()).call(dubbo_call(3)).fin(False).fin(True))
    assert "A handler that fails is no reason" in verdict.sentence


def test_another_serialization_to_which_nothing_is_said() -> None:
    well = opened(101).call(rpcx_call(1)).reply(rpcx_reply(1)).close()
    closed = opened(102).call(rpcx_call(1, kind=1)).fin(False).fin(True)
    verdict = of(Kind.OTHER_SERIALIZATION, well, closed)
    assert "in JSON" in verdict.sentence
    assert "in MessagePack" in verdict.sentence
    assert "it may take both" in verdict.sentence


# ── Late answers ─────────────────────────────────────────────────────────────────────

BIG = dubbo_reply(8, text("x" * 900))
LATE = dubbo_call(8, timeout="300")


@pytest.mark.parametrize(
    ("talk", "where"),
    [
        (lambda: opened().call(LATE).wait(600 * MS).reply(dubbo_reply(8)), "on the server's side"),
        (
            lambda: opened().call(LATE).reply(BIG[:500]).wait(600 * MS).reply(BIG[500:]),
            "had begun early enough",
        ),
        (
            lambda: opened().call(LATE[:40]).wait(600 * MS).call(LATE[40:]).reply(dubbo_reply(8)),
            "while the call was being sent",
        ),
        (
            lambda: (
                opened()
                .call(rpcx_call(8, __ServerTimeout="300"))
                .wait(600 * MS)
                .reply(rpcx_reply(8))
            ),
            "on the server's side",
        ),
        (
            lambda: (
                opened().call(motan2_call(8, M_tmo="300")).wait(600 * MS).reply(motan2_reply(8))
            ),
            "on the server's side",
        ),
    ],
)
def test_an_answer_behind_the_time_that_the_call_gives(
    talk: Callable[[], Talk], where: str
) -> None:
    verdict = of(Kind.TOO_LATE, talk().close())
    assert verdict.severity is Severity.WARNING
    assert "says that its client waits 300 ms for it" in verdict.sentence
    assert where in verdict.sentence
    assert "300 ms" not in verdict.plainly


def test_a_slow_answer_to_a_call_that_does_not_say_is_a_note() -> None:
    talk = opened().call(dubbo_call(8)).wait(1_200 * MS).reply(dubbo_reply(8)).close()
    verdict = of(Kind.TOO_LATE, talk)
    assert verdict.severity is Severity.NOTE
    assert "Nothing in the call says" in verdict.sentence
    assert Kind.ALL_WELL in kinds(talk)


@pytest.mark.parametrize("timeout", ["700", "soon", "-1", ""])
def test_an_answer_in_time(timeout: str) -> None:
    ask = dubbo_call(8, timeout=timeout)
    talk = opened().call(ask).wait(600 * MS).reply(dubbo_reply(8)).close()
    assert kinds(talk) == {Kind.ALL_WELL}


# ── Heartbeats ───────────────────────────────────────────────────────────────────────

Beat = Callable[[int], bytes]


@pytest.mark.parametrize(
    ("call", "reply", "ask", "answer"),
    [
        (dubbo_call(1), dubbo_reply(1), dubbo_heartbeat, dubbo_alive),
        (motan2_call(1), motan2_reply(1), motan2_heartbeat, lambda at: motan2_heartbeat(at, True)),
        (rpcx_call(1), rpcx_reply(1), rpcx_heartbeat, lambda at: rpcx_heartbeat(at, True)),
    ],
)
def test_heartbeats(call: bytes, reply: bytes, ask: Beat, answer: Beat) -> None:
    def begun() -> Talk:
        return opened().call(call).reply(reply).wait(SECOND)

    assert kinds(begun().call(ask(5)).reply(answer(5)).wait(9 * SECOND).close()) == {Kind.ALL_WELL}
    assert kinds(begun().call(ask(5)).wait(MS).close()) == {Kind.ALL_WELL}  # it did not wait

    dead = begun().call(ask(5)).wait(2 * SECOND).call(ask(6)).wait(2 * SECOND).close()
    verdict = of(Kind.HEARTBEATS, dead)
    assert verdict.severity is Severity.WARNING
    assert "The client sent 2 heartbeats, and both had no answer" in verdict.sentence
    assert "Or it never answers heartbeats" in verdict.sentence

    died = begun().call(ask(5)).reply(answer(5)).wait(SECOND).call(ask(6)).wait(3 * SECOND).close()
    verdict = of(Kind.HEARTBEATS, died)
    assert verdict.severity is Severity.ERROR
    assert "1 of them had no answer" in verdict.sentence
    assert "never answers" not in verdict.sentence


@pytest.mark.parametrize(
    ("ask", "answer"),
    [
        (dubbo_heartbeat, dubbo_alive),
        (motan2_heartbeat, lambda at: motan2_heartbeat(at, True)),
        (rpcx_heartbeat, lambda at: rpcx_heartbeat(at, True)),
    ],
)
@pytest.mark.parametrize("is_whole", [True, False])
def test_a_connection_with_heartbeats_alone(ask: Beat, answer: Beat, is_whole: bool) -> None:
    talk = opened() if is_whole else Talk(50001, server_port=20880)
    for at in range(1, 4):
        talk.call(ask(at)).reply(answer(at)).wait(SECOND)
    verdict = of(Kind.ALL_WELL, talk)
    assert "No call is in the capture of this connection" in verdict.sentence
    assert "3 heartbeats of the client, 3 answered by the server" in verdict.evidence


@pytest.mark.parametrize("is_whole", [True, False])
def test_a_connection_with_a_farewell_alone(is_whole: bool) -> None:
    talk = opened() if is_whole else Talk(50001, server_port=20880)
    of(Kind.GOAWAY, talk.reply(DUBBO_READONLY).wait(SECOND).fin(False).fin(True))


@pytest.mark.parametrize("name", ["dubbo2_java_pool", "motan_java_motan2_hessian2_heartbeat"])
@pytest.mark.parametrize("size", [100, 114, 140])
def test_packets_that_were_cut_off(name: str, size: int) -> None:
    packets = [
        Packet(one.number, one.time, one.link, one.data[:size], one.length)
        for one in packets_of("relatives", name)
    ]
    for one in verdicts(packets):
        assert one.kind is not Kind.OTHER_PROTOCOL, one
        assert one.kind is not Kind.NOT_RECOGNISED, one


def test_heartbeats_of_a_server() -> None:
    talk = good(opened()).wait(SECOND).reply(dubbo_heartbeat(7)).wait(5 * SECOND)
    verdict = of(Kind.HEARTBEATS, talk.fin(False).fin(True))
    assert "The server sent 1 heartbeat, and it had no answer" in verdict.sentence


def test_one_that_goes_on_answering_calls_is_alive() -> None:
    talk = good(opened()).call(dubbo_heartbeat(7)).wait(SECOND)
    verdict = of(Kind.HEARTBEATS, talk.call(dubbo_call(9)).reply(dubbo_reply(9)).wait(SECOND))
    assert "is alive, though" in verdict.sentence


def test_what_the_capture_lost_is_no_heartbeat_without_an_answer() -> None:
    talk = good(opened()).call(dubbo_heartbeat(7))
    talk.skip(False, len(dubbo_alive(7))).wait(5 * SECOND).call(dubbo_call(9))
    assert Kind.HEARTBEATS not in kinds(talk.reply(dubbo_reply(9)).close())


# ── Farewells ────────────────────────────────────────────────────────────────────────


def test_a_readonly_in_good_order_is_a_note() -> None:
    talk = good(opened()).reply(DUBBO_READONLY).wait(SECOND).fin(False).fin(True)
    assert kinds(talk) == {Kind.GOAWAY, Kind.ALL_WELL}
    assert "No call was under way" in of(Kind.GOAWAY, talk).sentence


@pytest.mark.parametrize("is_after", [True, False])
def test_calls_that_a_readonly_cost(is_after: bool) -> None:
    talk = good(opened())
    talk = talk.reply(DUBBO_READONLY).wait(SECOND).call(dubbo_call(8)) if is_after else (
        talk.call(dubbo_call(8)).reply(DUBBO_READONLY).wait(SECOND)
    )  # fmt: skip
    verdict = of(Kind.GOAWAY, talk.fin(False).fin(True))
    assert verdict.severity is Severity.ERROR
    when = "that the client sent after it had none" if is_after else "had been sent before had no"
    assert when in verdict.sentence
    assert "CALL com.shop.Orders.get" in verdict.evidence[0]


def test_a_call_that_ran_on_behind_a_readonly() -> None:
    talk = good(opened()).call(dubbo_call(8)).reply(DUBBO_READONLY + dubbo_reply(8)).wait(SECOND)
    verdict = of(Kind.GOAWAY, talk.call(dubbo_call(9)).reply(dubbo_reply(9)).fin(False).fin(True))
    assert verdict.severity is Severity.NOTE
    assert "had an answer all the same" in verdict.sentence


def test_an_event_is_no_answer() -> None:
    """A heartbeat that comes while a call waits is not what came upon it."""
    talk = good(opened()).call(dubbo_call(8)).wait(SECOND).reply(dubbo_heartbeat(3))
    found = kinds(talk.call(dubbo_alive(3)).wait(SECOND).close())
    assert found == {Kind.CLIENT_GAVE_UP}


# ── Emoji ────────────────────────────────────────────────────────────────────────────

EMOJI = "a😀b"


def echoed(said: bytes, back: bytes) -> Talk:
    ask = dubbo_call(8, "echo", types="Ljava/lang/String;", values=said)
    return opened().call(ask).reply(dubbo_reply(8, back)).close()


@pytest.mark.parametrize(
    ("said", "back"),
    [
        (text(EMOJI), text(EMOJI)),  # as Java writes it
        (text(EMOJI), text(EMOJI, EMOJI.encode())),  # in 4 bytes, as two units
        (text(EMOJI), b"\x03" + EMOJI.encode()),  # and as one
        (text("why?"), text("why?")),
        (text("😀"), text("?")),  # an answer, perhaps
        (text(EMOJI), text("ab")),
        (text("price😀"), text("no such price?")),  # a question
        (text("hello 😀"), text("hello 😀, or hello ? to all")),
        (text("\\ud83d"), text("\\ud83d")),  # it is written so
        (text("金"), text("\uf90a")),
    ],
)
def test_texts_that_are_whole(said: bytes, back: bytes) -> None:
    assert kinds(echoed(said, back)) == {Kind.ALL_WELL}


@pytest.mark.parametrize(
    ("said", "back", "severity", "words"),
    [
        (text(EMOJI), text("a?b"), Severity.ERROR, "The call has “a😀b”"),
        (text(EMOJI), text("a????b"), Severity.ERROR, "something else in the place"),
        (text(EMOJI), text("you said a\ufffdb"), Severity.NOTE, ""),  # too little of it
        (text("hello 😀"), text("you said hello \ufffd"), Severity.ERROR, "something else"),
        (text(EMOJI), text("a\ud83db"), Severity.ERROR, "half of a character"),
        (text(EMOJI), text("a\uf600b"), Severity.ERROR, "a character of private use"),
        (text("x\uf600"), text("ok"), Severity.WARNING, "on purpose"),
        (text("x\ud83d"), text("ok"), Severity.WARNING, "In the client's call"),
    ],
)
def test_an_emoji_that_was_lost(said: bytes, back: bytes, severity: Severity, words: str) -> None:
    talk = echoed(said, back)
    if severity is Severity.NOTE:
        assert kinds(talk) == {Kind.ALL_WELL}
        return
    verdict = of(Kind.TEXT_LOST, talk)
    assert verdict.severity is severity
    assert words in verdict.sentence
    verdict.sentence.encode()  # what cannot be written is escaped


# ── Wrong clients ────────────────────────────────────────────────────────────────────

GET = b"GET /ping HTTP/1.1\r\nHost: a\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
BAD = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

SPOKEN: dict[str, tuple[list[bytes], list[bytes]]] = {
    "Thrift": ([PING], [PONG]),
    "gRPC": ([HELLO, ASKED], [SETTINGS, ANSWERED]),
    "HTTP": ([GET], [OK]),
    "Dubbo": ([dubbo_call(1)], [dubbo_reply(1)]),
    "Motan 1": ([motan1_call(1)], [motan1_reply(1)]),
    "Motan 2": ([motan2_call(1)], [motan2_reply(1)]),
    "rpcx": ([rpcx_call(1)], [rpcx_reply(1)]),
}
# How a server of that kind answers what it does not understand, beside closing and silence.
ANSWERS = {"gRPC": SETTINGS, "HTTP": BAD, "Dubbo": b"Unsupported command: GET\r\ndubbo>"}


def spoke(port: int, name: str) -> Talk:
    talk = opened(port)
    for ask, answer in zip(*SPOKEN[name], strict=True):
        talk.call(ask).reply(answer)
    return talk.close()


def met(name: str, how: str, answer: bytes) -> Talk:
    talk = opened(102).call(b"".join(SPOKEN[name][0]))
    if how == "silence":
        return talk.wait(1_500 * MS).close()
    if how == "reset":
        return talk.add(False, 0x14)
    return (talk.reply(answer) if how == "answer" else talk).fin(False).fin(True)


@pytest.mark.parametrize("server", SPOKEN)
@pytest.mark.parametrize("client", SPOKEN)
def test_a_client_of_another_kind(client: str, server: str) -> None:
    """wire-relatives.md, section 11, and the pairs that it has not."""
    if client.split()[0] == server.split()[0]:
        return
    ways = ["closed", "reset", "silence"]
    if server in ANSWERS and (server != "Dubbo" or client == "HTTP"):
        ways.append("answer")
    title = server.split()[0]
    for how in ways:
        well, lost = spoke(101, server), met(client, how, ANSWERS.get(server, b""))
        found = [one for one in verdicts(together(well, lost)) if one.flow == 2]
        assert len(found) == 1, (how, found)
        (verdict,) = found
        assert verdict.severity is Severity.ERROR, (how, verdict)
        assert verdict.kind in (Kind.OTHER_PROTOCOL, Kind.DIALECTS_DIFFER, Kind.HTTP), verdict
        said = f"{verdict.sentence} {verdict.advice}"
        assert title in said or (title == "gRPC" and "HTTP/2" in said), (how, said)
        assert client.split()[0] in said or client == "gRPC", (how, said)
        if "Thrift" not in (client, server):
            assert "Thrift" not in said, (how, said)


@pytest.mark.parametrize("client", ["Dubbo", "Motan 1", "Motan 2", "rpcx", "gRPC"])
@pytest.mark.parametrize("how", ["closed", "reset", "silence"])
def test_a_client_of_which_nobody_knows_the_server(client: str, how: str) -> None:
    (verdict,) = verdicts(together(met(client, how, b"")))
    assert verdict.severity is Severity.ERROR
    for empty in ("use  in", "try .", "use ,"):
        assert empty not in verdict.advice
    assert "Thrift" not in f"{verdict.sentence} {verdict.advice}"


def test_http_on_the_console_of_a_server_of_which_nothing_else_is_known() -> None:
    verdict = of(Kind.HTTP, opened().call(GET).reply(ANSWERS["Dubbo"]).fin(False).fin(True))
    assert "a Dubbo server" in verdict.sentence


def test_http_on_the_gateway_of_rpcx() -> None:
    said = b"HTTP/1.1 200 OK\r\nX-Rpcx-Errormessage: empty servicepath\r\nContent-Length: 0\r\n\r\n"
    well, lost = spoke(101, "rpcx"), opened(102).call(GET).reply(said).close()
    (verdict,) = (one for one in verdicts(together(well, lost)) if one.flow == 2)
    assert "Its gateway for HTTP answers on the same port: “empty servicepath”" in verdict.sentence


# ── Bad days ─────────────────────────────────────────────────────────────────────────

NEW = {Kind.OVERLOADED, Kind.OTHER_SERIALIZATION, Kind.HEARTBEATS, Kind.TEXT_LOST}


@pytest.mark.parametrize(
    "name", ["dubbo2_java_pool", "dubbo2_java_heartbeat", "rpcx_msgpack_heartbeat"]
)
@pytest.mark.parametrize("seed", range(6))
def test_captures_that_were_mistreated_get_no_new_verdict(name: str, seed: int) -> None:
    packets = packets_of("relatives", name)
    before: Any = {one.kind for one in verdicts(packets)}
    capture = check(mutated(packets, seed), deep=False)
    assert not ({one.kind for one in capture.diagnosis.verdicts} & NEW) - before


# ── Who said it, and what the capture supports ───────────────────────────────────────


def backward(talk: Talk, after: int, answer: bytes | None) -> Talk:
    """The server calls the client, which answers so, or closes."""
    talk.reply(dubbo_call(7, "changed", "com.shop.Listener", timeout="1000")).wait(after)
    return talk.fin(True).fin(False) if answer is None else talk.call(answer)


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        (None, Kind.CLOSED_ON_CALL, "the client closed the connection"),
        (dubbo_error(7, 100, "full"), Kind.ENDED_OTHERWISE, "client could not make the call"),
        (dubbo_reply(7), Kind.TOO_LATE, "on the client's side of this capture, not on the"),
    ],
)
def test_the_server_calls_the_client(answer: bytes | None, kind: Kind, said: str) -> None:
    talk = backward(good(opened()), 3 * SECOND, answer)
    one = of(kind, talk)
    assert said in one.sentence, one.sentence
    for words in ("client gave up", "the client waits", "The server had no thread"):
        assert words not in one.sentence


@pytest.mark.parametrize(
    "ask",
    [dubbo_call(1, timeout="2000"), motan2_call(1, M_tmo="2000"), rpcx_call(1)],
    ids=["Dubbo", "Motan 2", "rpcx"],
)
def test_words_of_another_family(ask: bytes) -> None:
    """A deadline that passed, and an answer to nobody: neither gRPC's words nor Thrift's."""
    talk = opened().call(ask).wait(2_300 * MS).fin(True).fin(False)
    told = of(Kind.CLIENT_GAVE_UP, talk)
    twice = of(Kind.OUT_OF_STEP, good(opened(50002)).reply(dubbo_reply(2)))
    for one in (told, twice):
        words = " ".join((one.sentence, *one.evidence, one.advice))
        assert "DEADLINE_EXCEEDED" not in words
        assert "BAD_SEQUENCE_ID" not in words
        assert "seqid" not in words


@pytest.mark.parametrize("ask", [dubbo_call(3, timeout="0"), motan2_call(3, M_tmo="0")])
def test_a_timeout_of_0_says_nothing(ask: bytes) -> None:
    answer = dubbo_reply(3) if ask[:1] == b"\xda" else motan2_reply(3)
    talk = opened().call(ask).wait(50 * MS).reply(answer)
    assert kinds(talk) == {Kind.ALL_WELL}


def test_an_answer_behind_another() -> None:
    large = dubbo_reply(1, b"S" + (900).to_bytes(2, "big") + b"y" * 900)
    talk = opened().call(dubbo_call(1)).call(dubbo_call(2, timeout="1000"))
    talk.reply(large[:500]).wait(3 * SECOND).reply(large[500:]).reply(dubbo_reply(2))
    found = [one for one in verdicts(talk.packets) if one.kind is Kind.TOO_LATE]
    (told,) = [one for one in found if one.severity is Severity.WARNING]
    assert "another answer came on the same connection" in told.sentence
    assert "server's side" not in told.sentence


def test_a_reply_that_may_be_lost() -> None:
    """The client closed when its deadline had passed, and the capture lacks the server's bytes."""
    talk = good(opened()).call(dubbo_call(3, timeout="1000")).skip(False, 40).wait(2 * SECOND)
    found = verdicts(talk.reply(dubbo_reply(4)).fin(True).fin(False).packets)
    assert Kind.CLIENT_GAVE_UP not in {one.kind for one in found}
    assert Kind.LOST_PACKETS in {one.kind for one in found}


@pytest.mark.parametrize("by_client", [True, False])
@pytest.mark.parametrize("is_whole", [True, False])
def test_a_farewell_of_either_end(by_client: bool, is_whole: bool) -> None:
    talk = good(opened() if is_whole else Talk(server_port=20880)).send(by_client, DUBBO_READONLY)
    found = verdicts(talk.wait(SECOND).fin(by_client).fin(not by_client).packets)
    (told,) = [one for one in found if one.kind is Kind.GOAWAY]
    assert ("No call was under way" in told.sentence) is (is_whole and not by_client)
    assert ("the server should not call it" in told.sentence) is by_client


def test_a_pool_that_says_it_is_free() -> None:
    words = "Pool Size: 100 (active: 0, core: 100, max: 100"
    talk = good(opened()).call(dubbo_call(3)).reply(dubbo_error(3, 100, words))
    assert "threads were free when it wrote this" in of(Kind.OVERLOADED, talk).sentence
