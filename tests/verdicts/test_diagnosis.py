"""The verdict, from packets that are written here: what tells two kinds apart, and that nothing
is said that the wire does not say.  Each kind is made live in test_diagnosis_live.py."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import ACK, CLIENT, FIN, PING, PONG, RST, SERVER, SYN, Talk, framed, packet, udp
from making import ethernet as in_ethernet
from making import ipv4 as in_ipv4
from strangers import packets_of, without_syn
from views_samples import DECLARED, FAILED, LOGIN, ONEWAY, call

from pingpong import is_compiled, read, read_packets
from pingpong.calls.exchanges import Pairing
from pingpong.capture import Pipeline
from pingpong.model import Flow, Packet, Severity
from pingpong.protocols.encodings.binary import BINARY, OLD_BINARY
from pingpong.protocols.encodings.compact import COMPACT
from pingpong.protocols.encodings.thrift_json import JSON
from pingpong.protocols.families.thrift.transports import (
    DATAGRAM,
    FRAMED,
    HTTP,
    SASL,
    THEADER,
    UNFRAMED,
)
from pingpong.verdicts import diagnosis as diagnosis_module
from pingpong.verdicts.diagnosis import Diagnoser
from pingpong.verdicts.rules import ALSO, CALLS, FIRST, LAST, REPLIES, verdicts
from pingpong.verdicts.verdict import OF_ANY_CONNECTION, Diagnosis, Dialect, Kind, Verdict, lasted
from pingpong.wire import streams

COMPACT_PING = bytes.fromhex("8221000470696e6700")
OLD_PING = bytes.fromhex("0000000470696e67010000002a00")
MULTIPLEXED = call(b"Calc:ping", b"", seqid=1)
BOOM = call(b"boom", b"")


def numbered(*talks: Talk) -> list[Packet]:
    """The packets of several connections, one after the other."""
    packets = [one for talk in talks for one in talk.packets]
    return [packet(at, one.data) for at, one in enumerate(packets, 1)]


def diagnosed(*talks: Talk, ports: Any = ()) -> Diagnosis:
    return read_packets(numbered(*talks), ports=ports).diagnosis


def kinds(diagnosis: Diagnosis) -> list[Kind]:
    return [one.kind for one in diagnosis.verdicts]


def well(port: int, ask: bytes = PING, answer: bytes = PONG) -> Talk:
    return Talk(port).open().call(ask).reply(answer).close()


def closed(port: int, ask: bytes) -> Talk:
    """The server closes upon a call."""
    return Talk(port).open().call(ask).fin(False).fin(True)


def was_reset(port: int, ask: bytes) -> Talk:
    return Talk(port).open().call(ask).add(False, RST | ACK)


def gave_up(port: int, ask: bytes) -> Talk:
    return Talk(port).open().call(ask).close()


# ── A close says little ──────────────────────────────────────────────────────────────


def test_a_close_alone_is_one_of_two() -> None:
    (one,) = diagnosed(closed(1, framed(PING))).verdicts
    assert one.kind is Kind.CLOSED_ON_CALL
    assert one.sentence.startswith(
        "The client speaks framed binary and calls ping; the server closed 1 ms after the "
        "client's first 21 bytes and sent none. Either it cannot read that (it is unframed, "
        "speaks another protocol, or wants a service's name), or its handler failed"
    )


@pytest.mark.parametrize("before", [True, False])
def test_what_others_are_answered_decides(before: bool) -> None:
    talks = [well(2), closed(3, framed(PING))] if before else [closed(3, framed(PING)), well(2)]
    diagnosis = diagnosed(*talks)
    assert kinds(diagnosis) == [Kind.FRAMED_ON_UNFRAMED, Kind.ALL_WELL]
    assert diagnosis.verdicts[0].sentence == (
        "The client speaks framed binary; the server closed 1 ms after the client's first 21 bytes "
        "and sent none: it speaks unframed binary."
    )


def test_the_same_dialect_makes_it_the_handler() -> None:
    assert kinds(diagnosed(well(2), closed(3, BOOM))) == [Kind.HANDLER_CRASHED, Kind.ALL_WELL]


def test_an_answer_on_the_same_connection_makes_it_the_handler() -> None:
    talk = Talk().open().call(PING).reply(PONG).call(BOOM).fin(False).fin(True)
    (one,) = diagnosed(talk).verdicts
    assert one.kind is Kind.HANDLER_CRASHED
    assert "closed 1 ms after the call boom, without an answer" in one.sentence


def test_another_server_says_nothing_of_this_one() -> None:
    other = Talk(2, server_port=9091).open().call(PING).reply(PONG).close()
    assert Kind.CLOSED_ON_CALL in kinds(diagnosed(other, closed(3, framed(PING))))


def test_a_reset_says_that_bytes_were_left() -> None:
    (one,) = diagnosed(was_reset(1, PING)).verdicts
    assert one.kind is Kind.UNFRAMED_ON_FRAMED
    assert "-2147418111" in one.sentence
    (one,) = diagnosed(was_reset(1, framed(PING))).verdicts
    assert one.kind is Kind.FRAMED_ON_UNFRAMED


@pytest.mark.parametrize(
    ("ill", "kind"),
    [
        (COMPACT_PING, Kind.COMPACT_ON_BINARY),
        (OLD_PING, Kind.OLD_ON_STRICT),
        (framed(PING), Kind.FRAMED_ON_UNFRAMED),
        (framed(COMPACT_PING), Kind.DIALECTS_DIFFER),
        (bytes.fromhex("0000001f0fff0000000000010001000000000000") + PING[:15], None),
    ],
)
@pytest.mark.parametrize("how", [closed, was_reset, gave_up])
def test_how_it_ends_does_not_matter_if_it_is_known(
    ill: bytes, kind: Kind | None, how: Any
) -> None:
    found = kinds(diagnosed(well(2), how(3, ill)))
    if kind is not None:
        assert found == [kind, Kind.ALL_WELL]


def test_a_call_that_names_no_service_on_a_server_where_all_do() -> None:
    ping = call(b"ping", b"", seqid=1)
    answer = PONG.replace(b"\0\0\0\x2a", b"\0\0\0\x01", 1)
    diagnosis = diagnosed(well(2, MULTIPLEXED, answer), closed(3, ping))
    assert kinds(diagnosis) == [Kind.PLAIN_ON_MULTIPLEXED, Kind.ALL_WELL]


def test_a_call_that_names_a_service_on_a_server_where_none_does() -> None:
    """A plain server would have answered that it knows no such method: it may have failed."""
    assert kinds(diagnosed(well(2), closed(3, MULTIPLEXED)))[0] is Kind.CLOSED_ON_CALL


def test_a_plain_client_on_a_server_that_wants_sasl() -> None:
    talk = Talk(2).open().call(bytes.fromhex("01 00000005 504c41494e 02 00000003 006100"))
    talk.reply(bytes.fromhex("05 00000000")).call(framed(PING)).reply(framed(PONG)).close()
    diagnosis = diagnosed(talk, closed(3, framed(PING)))
    assert kinds(diagnosis) == [Kind.SASL, Kind.ALL_WELL]
    assert "it speaks binary in SASL" in diagnosis.verdicts[0].sentence
    assert "TSaslClientTransport" in diagnosis.verdicts[0].advice


def test_a_server_that_takes_both_names_is_not_accused() -> None:
    """Apache's multiplexed processor may have a default service."""
    answer = PONG.replace(b"\0\0\0\x2a", b"\0\0\0\x01", 1)
    diagnosis = diagnosed(well(2, MULTIPLEXED, answer), well(3), closed(4, BOOM))
    assert kinds(diagnosis)[0] is Kind.HANDLER_CRASHED


# ── What has no answer, and why that may be nothing ──────────────────────────────────


def test_a_oneway_method_sent_as_call() -> None:
    talk = Talk().open().call(BOOM).call(PING).reply(PONG).close()
    (one,) = diagnosed(talk).verdicts
    assert one.kind is Kind.ALL_WELL
    assert "2 calls in unframed binary, 1 answered" in one.sentence
    assert "oneway, most likely" in one.evidence[0]


def test_a_oneway_method_sent_as_call_is_the_last() -> None:
    """On one connection it is seen that nothing answers it; on another it is the last call."""
    first = Talk(2).open().call(BOOM).call(PING).reply(PONG).close()
    last = Talk(3).open().call(PING).reply(PONG).call(BOOM).close()
    assert kinds(diagnosed(first, last)) == [Kind.ALL_WELL]
    assert kinds(diagnosed(last)) == [Kind.CLIENT_GAVE_UP]


def test_many_oneway_methods_sent_as_call_hide_no_crash() -> None:
    talk = Talk().open()
    for _ in range(200):
        talk.call(BOOM)
    talk.call(PING).reply(PONG).call(LOGIN).fin(False).fin(True)
    (one,) = diagnosed(talk).verdicts
    assert one.kind is Kind.HANDLER_CRASHED
    assert "the call login" in one.sentence


def test_oneway() -> None:
    (one,) = diagnosed(Talk().open().call(ONEWAY).close()).verdicts
    assert one.sentence == "Nothing is wrong: 1 oneway call in unframed binary."


def test_a_reply_that_was_lost_accuses_nobody() -> None:
    talk = Talk().open().call(PING).reply(PONG).call(PING).skip(False, len(PONG))
    talk.add(True, ACK).close()
    diagnosis = diagnosed(talk)
    assert kinds(diagnosis) == [Kind.LOST_PACKETS]
    assert not diagnosis.is_trouble


def test_a_connection_that_was_there_before() -> None:
    diagnosis = diagnosed(Talk().call(PING).reply(PONG).call(PING).reply(PONG))
    assert kinds(diagnosis) == [Kind.ALL_WELL, Kind.BEGAN_LATE]


def test_an_idle_connection_that_nobody_used_again() -> None:
    """The server closes, the client too: that is what idle connections are for."""
    talk = Talk().open().call(PING).reply(PONG).fin(False).fin(True)
    assert kinds(diagnosed(talk)) == [Kind.ALL_WELL]


def test_an_idle_connection_that_was_used_again() -> None:
    talk = Talk().open().call(PING).reply(PONG).fin(False).call(BOOM).add(False, RST)
    (one,) = diagnosed(talk).verdicts
    assert one.kind is Kind.IDLE_DROPPED
    assert "sent boom into it 1 ms later" in one.sentence


def test_pipelined_calls_are_no_late_replies() -> None:
    """They are sent together, or the client goes on."""
    one, two = call(b"ping", b"", seqid=1), call(b"ping", b"", seqid=2)
    answers = [PONG.replace(b"\0\0\0\x2a", seqid, 1) for seqid in (b"\0\0\0\x01", b"\0\0\0\x02")]
    talk = Talk().open().call(one).call(two).reply(answers[0]).reply(answers[1]).close()
    assert kinds(diagnosed(talk)) == [Kind.ALL_WELL]
    assert kinds(diagnosed(Talk().open().call(PING + PING).reply(PONG).reply(PONG).close())) == [
        Kind.ALL_WELL
    ]


def later(packets: list[Packet], at: int, time: int) -> list[Packet]:
    """The same, with a pause before packet ``at``."""
    return [
        Packet(one.number, one.time + (time if one.number >= at else 0), 1, one.data, one.length)
        for one in packets
    ]


def test_a_late_reply() -> None:
    talk = Talk().open().call(LOGIN).call(call(b"ping", b"")).reply(DECLARED).close()
    packets = later(talk.packets, 5, 3_000_000_000)
    one, other = read_packets(packets).diagnosis.verdicts
    assert (one.kind, other.kind) == (Kind.LATE_REPLY, Kind.DECLARED_EXCEPTIONS)
    assert "gave up on login 3 s after" in one.sentence
    assert one.plainly.startswith("The client gave up on login after it had sent it, and went on")


def test_times_are_told_and_left_out() -> None:
    talk = gave_up(1, PING)
    (one,) = read_packets(later(talk.packets, 5, 3_000_000_000)).diagnosis.verdicts
    assert one.sentence.startswith("The client closed the connection 3 s after it had sent ping")
    assert one.plainly.startswith("The client closed the connection after it had sent ping")
    assert "3 s are thriftpy2's default timeout" in one.evidence


# ── What the server says ─────────────────────────────────────────────────────────────


def test_exceptions_of_the_idl_are_answers() -> None:
    (one,) = diagnosed(Talk().open().call(LOGIN).reply(DECLARED).close()).verdicts
    assert (one.kind, one.severity) == (Kind.DECLARED_EXCEPTIONS, Severity.NOTE)
    assert one.evidence == ("login: field 1 of its result",)
    assert "1 answered, 1 of them with an exception that the IDL declares" in one.sentence


def test_an_exception_of_the_servers_own() -> None:
    talk = Talk().open().call(BOOM).reply(FAILED).call(PING).reply(PONG).close()
    (one,) = diagnosed(talk).verdicts
    assert one.kind is Kind.HANDLER_CRASHED
    assert one.evidence == (
        "CALL boom, 17 bytes (message 1)",
        "EXCEPTION boom, INTERNAL_ERROR: “Internal error”",
        "1 other call on this connection had an answer",
    )


def test_a_server_that_knows_nothing_of_tracing() -> None:
    """It says so, and the client goes on without: that is how it is meant."""
    ask = call(b"__thriftpy_tracing_method_name__v2", b"")
    answer = FAILED.replace(b"\0\0\0\x04boom", ask[4:42]).replace(b"\0\0\0\x06", b"\0\0\0\x01")
    diagnosis = diagnosed(Talk().open().call(ask).reply(answer).call(PING).reply(PONG).close())
    assert kinds(diagnosis) == [Kind.ALL_WELL]
    assert "2 calls in unframed binary, 2 answered" in diagnosis.verdicts[0].sentence


def test_thrift_over_http_that_is_answered_without_thrift() -> None:
    ask = b"POST /rpc HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(PING) + PING
    answer = b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone"
    (one,) = diagnosed(Talk().open().call(ask).reply(answer).close()).verdicts
    assert one.kind is Kind.HTTP
    assert "HTTP answers the call ping with 404 Not Found" in one.sentence
    assert "path of the URL" in one.advice


def test_sasl_that_hides_what_is_said() -> None:
    """No message can be read, and nothing is wrong with that."""
    talk = Talk().open().call(bytes.fromhex("01 00000006 475353415049 02 00000002 6162"))
    talk.reply(bytes.fromhex("05 00000000")).call(framed(b"\x05\x04\x06\xff" + bytes(12)))
    (one,) = diagnosed(talk.reply(framed(b"\x05\x04\x07\xff" + bytes(12))).close()).verdicts
    assert (one.kind, one.severity) == (Kind.NOT_RECOGNISED, Severity.NOTE)
    assert "Both sides speak SASL" in one.sentence


def test_a_server_that_takes_any_transport_is_not_accused() -> None:
    """THeader's servers answer framed and unframed clients: the handler may have failed."""
    talks = [well(2), well(3, framed(PING), framed(PONG)), closed(4, framed(COMPACT_PING))]
    assert kinds(diagnosed(*talks)) == [Kind.CLOSED_ON_CALL, Kind.ALL_WELL, Kind.ALL_WELL]


def test_one_direction_alone() -> None:
    whole = well(2).packets
    mine = [one for one in whole if one.data[34:36] == (2).to_bytes(2, "big")]
    theirs = [one for one in whole if one not in mine]
    for some, who in ((mine, "client"), (theirs, "server")):
        (one,) = read_packets(some).diagnosis.verdicts
        assert one.kind is Kind.ONE_DIRECTION
        assert f"only what the {who} sends" in one.sentence


def test_a_frame_of_17_megabytes() -> None:
    head = (16_384_001).to_bytes(4, "big") + LOGIN
    (one,) = diagnosed(Talk().open().call(head).add(False, RST)).verdicts
    assert one.kind is Kind.FRAME_TOO_LARGE
    assert "a frame of 16384001 bytes, more than the 16384000" in one.sentence


def test_a_call_that_is_larger_than_all_others() -> None:
    big = framed(call(b"ping", b"\x0b\0\x01" + (9000).to_bytes(4, "big") + bytes(9000), seqid=42))
    diagnosis = diagnosed(well(2, framed(PING), framed(PONG)), was_reset(3, big))
    assert kinds(diagnosis) == [Kind.FRAME_TOO_LARGE, Kind.ALL_WELL]
    assert "largest call that it answered has 21 bytes" in diagnosis.verdicts[0].sentence


# ── They never spoke ─────────────────────────────────────────────────────────────────


def test_refused_and_unanswered() -> None:
    refused = Talk(2).add(True, SYN).add(False, RST | ACK)
    silent = Talk(3).add(True, SYN).add(True, SYN)
    assert kinds(diagnosed(refused)) == [Kind.REFUSED]
    assert kinds(diagnosed(silent)) == [Kind.NO_ANSWER]
    for talk in (refused, silent):
        assert not diagnosed(talk).is_trouble
        assert diagnosed(talk, ports=[9090]).is_trouble
        assert diagnosed(well(4), talk).is_trouble


def test_a_health_check() -> None:
    assert kinds(diagnosed(well(2), Talk(3).open().close())) == [Kind.ALL_WELL, Kind.ALL_WELL]


# ── Together ─────────────────────────────────────────────────────────────────────────


def test_connections_that_are_alike_are_told_once() -> None:
    talks = [well(2)] + [closed(port, framed(PING)) for port in range(100, 400)] + [well(3)]
    diagnosis = diagnosed(*talks)
    assert kinds(diagnosis) == [Kind.FRAMED_ON_UNFRAMED, Kind.ALL_WELL]
    first, second = diagnosis.groups
    assert (first.connections, first.flows[:3]) == (300, (2, 3, 4))
    assert len(first.flows) == diagnosis_module.MAX_FLOWS
    assert (second.connections, second.flows) == (2, (1, 302))
    assert second.verdict.sentence == "Nothing is wrong: 2 calls in unframed binary, 2 answered."
    assert (diagnosis.connections, diagnosis.calls) == (302, 302)


def test_nothing_at_all() -> None:
    diagnosis = read_packets([]).diagnosis
    assert len(diagnosis) == 0
    assert not diagnosis.any_thrift
    assert not diagnosis.is_trouble


def test_what_differs_without_end_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A capture may have a new kind of trouble with every connection: memory is bounded."""
    monkeypatch.setattr(diagnosis_module, "MAX_ALIKE", 10)
    talks = [closed(port, call(b"m%d" % port, b"")) for port in range(100, 200)]
    diagnosis = diagnosed(*talks)
    assert sum(group.connections for group in diagnosis.groups) == 100
    assert len(diagnosis) <= 11


def streamed(packets: list[Packet]) -> Diagnosis:
    """As the command does it: what has ended long ago is dropped."""
    diagnoser, pairing = Diagnoser(), Pairing()
    gone: list[Flow] = []
    pipeline = Pipeline(keep=False, dropped=gone.append, pairing=pairing)

    for one in packets:
        pipeline.take(one)
        diagnoser.take(pairing.take(), gone)
        gone.clear()
    pipeline.close()
    diagnoser.take(pairing.take(), [*gone, *pipeline.flows])
    return diagnoser.diagnosis()


def told(diagnosis: Diagnosis) -> list[tuple[str, int, tuple[int, ...]]]:
    return [(group.verdict.sentence, group.connections, group.flows) for group in diagnosis.groups]


def test_a_long_capture_gives_the_same_as_one_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """More connections than are remembered once they have ended."""
    if not is_compiled():  # compiled, the number is part of the code
        monkeypatch.setattr(streams, "MAX_ENDED", 100)
    talks = [well(port + 1) for port in range(streams.MAX_ENDED + 100)]
    talks += [closed(40_000 + port, framed(PING)) for port in range(10)]
    packets = numbered(*talks)
    assert told(streamed(packets)) == told(read_packets(packets).diagnosis)


# ── It never raises, and says nothing of what is no Thrift ───────────────────────────


def shown(diagnosis: Diagnosis) -> None:
    """All that can be asked of it, once."""
    assert diagnosis._repr_html_()
    assert str(diagnosis)
    assert repr(diagnosis)
    for one in diagnosis.verdicts:
        assert one.sentence[-1] == "."
        assert "{" not in one.sentence + one.plainly


PIECES = [
    PING, PONG, framed(PING), framed(PONG), COMPACT_PING, OLD_PING, BOOM, FAILED, DECLARED,
    MULTIPLEXED, ONEWAY, b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 400 Bad\r\n\r\n",
    bytes.fromhex("160301003001000000"), b"\x01\0\0\0\x05PLAIN", b"\x03\0\0\0\x03bad",
    b"SSH-2.0-x\r\n", b"\x99" * 9, (20_000_000).to_bytes(4, "big") + PING,
]  # fmt: skip
MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("send"), st.booleans(), st.sampled_from(PIECES)),
        st.tuples(st.just("send"), st.booleans(), st.binary(min_size=1, max_size=40)),
        st.tuples(st.just("flag"), st.booleans(), st.sampled_from([FIN | ACK, RST, SYN, ACK])),
        st.tuples(st.just("skip"), st.booleans(), st.just(7)),
    ),
    max_size=8,
)


@given(st.lists(st.tuples(st.booleans(), MOVES), min_size=1, max_size=4))
def test_any_talk_has_a_verdict(conversations: list[tuple[bool, list[Any]]]) -> None:
    """One for each connection, the same however it is asked for."""
    talks = []
    for at, (opened, moves) in enumerate(conversations):
        talk = Talk(100 + at)
        if opened:
            talk.open()
        for what, by_client, more in moves:
            if what == "send":
                talk.send(by_client, more)
            elif what == "flag":
                talk.fin(by_client) if more & FIN else talk.add(by_client, more)
            else:
                talk.skip(by_client, more)
        talks.append(talk)
    packets = numbered(*talks)
    capture = read_packets(packets)
    diagnosis = capture.diagnosis
    shown(diagnosis)
    assert diagnosis.connections == len(capture.flows)
    assert sum(group.connections for group in diagnosis.groups) >= len(capture.flows)
    assert told(streamed(packets)) == told(diagnosis)


def test_what_is_not_thrift_is_one_line_a_kind() -> None:
    talks = []
    for port in range(100, 120):
        talk = Talk(port, server_port=80).open().call(b"GET / HTTP/1.1\r\n\r\n")
        talks.append(talk.reply(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").close())
    for port in range(200, 220):
        talks.append(Talk(port, server_port=port + 1).open().call(b"\x99" * 20).close())
    diagnosis = diagnosed(*talks)
    assert kinds(diagnosis) == [Kind.NOT_THRIFT, Kind.NOT_THRIFT]
    assert [group.connections for group in diagnosis.groups] == [20, 20]
    assert not diagnosis.any_thrift


def test_udp_that_is_not_thrift() -> None:
    one = packet(
        1, in_ethernet(in_ipv4(udp(1000, 53, b"\x12\x34\x01\0\0\x01"), 17, CLIENT, SERVER))
    )
    assert kinds(read_packets([one]).diagnosis) == [Kind.NOT_THRIFT]


def test_no_foreign_capture_is_in_trouble(foreign: list[Path]) -> None:
    """Of other people's captures nothing is said that would be of Thrift, and few lines."""
    wrong = {}
    for path in foreign:
        packets = packets_of(path)
        for some in (packets, without_syn(packets)):
            diagnosis = read_packets(some).diagnosis
            shown(diagnosis)
            bad = [repr(one) for one in diagnosis.verdicts if one.kind not in OF_ANY_CONNECTION]
            if bad or diagnosis.is_trouble or diagnosis.any_thrift or len(diagnosis) > 12:
                wrong[path.name] = bad or [f"{len(diagnosis)} verdicts"]
    assert wrong == {}


# What is wrong in the captures of hard cases: they say so themselves.
EDGE = {
    "23_unframed_to_framed_rst": Kind.UNFRAMED_ON_FRAMED,
    "24_framed_to_unframed_close": Kind.CLIENT_GAVE_UP,
    "25_http_get_on_9090": Kind.NOT_THRIFT,
    "26_lost_segment": Kind.LOST_PACKETS,
    "live_scapy_lo_thriftpy2": Kind.HANDLER_CRASHED,
}


def test_the_captures_of_hard_cases(edge_captures: Path) -> None:
    paths = sorted(edge_captures.glob("*.pcap"))
    assert len(paths) > 20
    for path in paths:
        diagnosis = read(path).diagnosis
        shown(diagnosis)
        # The conversation of 01 to 15 asks for a method that is none.
        number = re.match(r"(\d\d)b?_", path.name)
        first = Kind.UNKNOWN_METHOD if number and int(number[1]) <= 15 else Kind.ALL_WELL
        assert diagnosis.verdicts[0].kind is EDGE.get(path.stem, first), path.name


def test_the_captures_of_other_projects(real_captures: Path) -> None:
    fine = {Kind.ALL_WELL, Kind.DECLARED_EXCEPTIONS}
    for path in sorted(real_captures.glob("*cap*")):
        diagnosis = read(path).diagnosis
        assert set(kinds(diagnosis)) <= fine, (path.name, diagnosis.verdicts)


# ── Its parts ────────────────────────────────────────────────────────────────────────


def test_a_rule_for_each_kind() -> None:
    """Each says in its docstring what it is after, and no kind is without one."""
    folder = Path(verdicts.__code__.co_filename).parent
    source = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    asked = (*FIRST, *(rule for rule, _ in (*CALLS, *REPLIES)), *LAST, *ALSO)
    assert all(rule.__doc__ for rule in asked)
    assert {kind for kind in Kind if f"Kind.{kind.name}" not in source} == set()


@pytest.mark.parametrize(
    ("dialect", "words"),
    [
        (Dialect(BINARY, FRAMED), "framed binary"),
        (Dialect(OLD_BINARY, UNFRAMED), "unframed old binary"),
        (Dialect(COMPACT, THEADER), "compact in THeader"),
        (Dialect(None, SASL), "SASL"),
        (Dialect(JSON, HTTP), "JSON in HTTP"),
        (Dialect(COMPACT, DATAGRAM), "compact in datagrams"),
    ],
)
def test_the_words_for_a_dialect(dialect: Dialect, words: str) -> None:
    assert str(dialect) == words


def test_a_verdict_says_what_it_is() -> None:
    flow = read_packets(well(2).packets).flows[0]
    one = Verdict(flow, Kind.WAITING, Severity.NOTE, "It waits {long}here.", long=1_500_000)
    assert one.sentence == "It waits 1.5 ms here."
    assert one.plainly == "It waits here."
    assert repr(one) == "<Verdict WAITING, flow 1: It waits 1.5 ms here.>"


def test_braces_of_the_wire_are_no_times() -> None:
    """A method may be called {after}."""
    (one,) = diagnosed(closed(1, call(b"{after}", b""))).verdicts
    assert "calls {after};" in one.sentence
    assert "calls {after};" in one.plainly


def test_lengths_of_time() -> None:
    times = (0, 312, 51_930, 999_700, 2_345_678, 999_499_999, 61_000_000_000, 3_600_000_000_000)
    assert [lasted(time) for time in times] == [
        "0 µs", "0.312 µs", "51.9 µs", "1 ms", "2.35 ms", "999 ms", "61 s", "3600 s",
    ]  # fmt: skip
