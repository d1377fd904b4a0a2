"""Pairing: by order, by seqid and by method together."""

from __future__ import annotations

from typing import Any

import pytest
from http2s import DATA, END_STREAM, OPENING, PING, Read, enveloped, frame, request, talked
from making import Talk, foo, framed, message, packet, said, thriftpy2_message

from pingpong.calls.exchanges import Pairing, bare_method
from pingpong.calls.totals import Total
from pingpong.capture import read_packets
from pingpong.model import Endpoint, Exchange, Flow, Message, MessageType, Outcome
from pingpong.protocols.encodings.binary import write_header

CALL, REPLY, EXCEPTION, ONEWAY = 1, 2, 3, 4


def made(method: str, mtype: int, seqid: int = 0, body: str = "00", **also: Any) -> Message:
    return message(write_header(method.encode(), mtype, seqid) + bytes.fromhex(body), **also)


def pairs(*messages: Message) -> list[tuple[int | None, int | None]]:
    """The numbers of each exchange's call and reply; messages are numbered as they come."""
    pairing = Pairing()
    exchanges: dict[int, Exchange] = {}
    for number, one in enumerate(messages, 1):
        one.number = number
        exchange = pairing.add(one)
        exchanges[exchange.number] = exchange
    return [
        (e.call.number if e.call else None, e.reply.number if e.reply else None)
        for e in exchanges.values()
    ]


def test_in_turn() -> None:
    assert pairs(made("a", CALL), made("a", REPLY), made("a", CALL), made("a", REPLY)) == [
        (1, 2), (3, 4),
    ]  # fmt: skip


def test_pipelined_out_of_order() -> None:
    one, two = made("a", CALL, 1), made("a", CALL, 2)
    assert pairs(one, two, made("a", REPLY, 2), made("a", REPLY, 1)) == [(1, 4), (2, 3)]


def test_pipelined_with_the_same_seqid_goes_by_order() -> None:
    assert pairs(made("a", CALL), made("a", CALL), made("a", REPLY), made("a", REPLY)) == [
        (1, 3), (2, 4),
    ]  # fmt: skip


def test_a_oneway_sent_as_call_takes_no_reply_from_another() -> None:
    assert pairs(made("zip", CALL), made("ping", CALL), made("ping", REPLY)) == [
        (1, None), (2, 3),
    ]  # fmt: skip


def test_multiplexed() -> None:
    assert pairs(made("Calc:add", CALL), made("add", REPLY)) == [(1, 2)]
    assert bare_method("add") == "add"


def test_an_exception_without_a_name() -> None:
    assert pairs(made("a", CALL), made("", EXCEPTION)) == [(1, 2)]
    assert pairs(made("a", CALL, 1), made("", EXCEPTION, 2)) == [(1, None), (None, 2)]


def test_a_call_given_out_late_finds_its_reply() -> None:
    assert pairs(made("a", REPLY, time=5), made("a", CALL, time=1)) == [(2, 1)]
    assert pairs(made("a", REPLY, time=5), made("a", CALL, time=9)) == [(None, 1), (2, None)]


def test_connections_are_apart() -> None:
    assert pairs(made("a", CALL), made("a", CALL, flow=2), made("a", REPLY, flow=2)) == [
        (1, None), (2, 3),
    ]  # fmt: skip


def test_nothing_is_remembered_of_a_connection_that_is_over() -> None:
    pairing = Pairing()
    call = pairing.add(made("a", CALL))
    pairing.end(Flow(1, 6, Endpoint("a", 1), Endpoint("b", 2)))
    assert pairing.settled == [call]
    assert pairing.add(made("a", REPLY)).call is None


OUTCOMES = {
    Outcome.SUCCESS: (made("a", CALL), made("a", REPLY, 0, "0b0000 00000001 61 00")),
    Outcome.DECLARED_EXCEPTION: (made("a", CALL), made("a", REPLY, 0, "0c0001 00 00")),
    Outcome.APPLICATION_EXCEPTION: (made("a", CALL), made("a", EXCEPTION)),
    Outcome.ONEWAY: (made("a", ONEWAY), None),
    Outcome.NO_REPLY: (made("a", CALL), None),
    Outcome.NO_CALL: (None, made("a", REPLY)),
}


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_outcome(outcome: Outcome) -> None:
    call, reply = OUTCOMES[outcome]
    assert Exchange(1, call, reply).outcome is outcome


def test_a_reply_without_fields_is_void() -> None:
    assert Exchange(1, made("a", CALL), made("a", REPLY)).outcome is Outcome.SUCCESS


def test_a_reply_that_cannot_be_read() -> None:
    broken = message(write_header(b"a", 2, 0) + bytes.fromhex("0b00"))
    assert Exchange(1, made("a", CALL), broken).outcome is Outcome.UNREADABLE


def test_latency_is_what_the_caller_waited() -> None:
    call, reply = made("a", CALL, time=10, end_time=20), made("a", REPLY, time=50, end_time=70)
    assert Exchange(1, call, reply).latency == 60
    assert Exchange(1, call).latency is None


def test_thriftpy2_sends_0_for_every_call() -> None:
    data = thriftpy2_message(foo().PingPong.ping_args(), "ping")
    assert message(data).seqid == 0
    assert message(data).type is MessageType.CALL


def test_an_outcome_outlives_what_is_masked() -> None:
    """It was settled from the true bytes; of what is left of them no field may be readable."""
    call, reply = made("a", CALL), made("a", REPLY, 0, "0c0001 00 00")
    exchange = Exchange(1, call, reply)
    exchange.fate = exchange.outcome
    reply.redact(reply.data[:-5] + bytes(5), frozenset(), ())
    assert reply.fields == ()
    assert str(exchange).startswith("exchange 1: a, declared exception, ")
    assert exchange._repr_html_()


def test_what_a_server_says_for_the_connection_is_no_reply_that_cannot_be_read() -> None:
    asked = request(1) + frame(DATA, END_STREAM, 1, enveloped(b""))
    read = Read(talked([*OPENING, (True, asked), (False, frame(PING, 1, 0, bytes(8)))]))
    assert [one.outcome for one in read.exchanges] == [Outcome.CLOSED_BY_CLIENT]


# ── A reply that was captured first ──────────────────────────────────────────────────


@pytest.mark.parametrize("way", ["order", "clock"])
def test_a_reply_before_its_call_has_no_latency(way: str) -> None:
    talk = Talk().open()
    for seqid in (1, 2):
        talk.call(framed(said("ping", 1, seqid)))
        if way == "clock":
            talk.wait(-60_000_000_000)
        talk.reply(framed(said("ping", 2, seqid)))
    found = talk.packets
    if way == "order":
        # In each pair the reply was captured first.
        swapped = [*found[:3], found[4], found[3], found[6], found[5]]
        found = [packet(number, one.data) for number, one in enumerate(swapped, 1)]
    capture = read_packets(found)
    calls = [*capture.exchanges]
    assert [one.outcome for one in calls] == [Outcome.SUCCESS] * 2
    assert [(one.latency, one.waited) for one in calls] == [(None, None)] * 2
    assert not [*capture.exchanges.where(slower=0)]
    total = Total("ping")
    for one in calls:
        total.add(one)
    assert (total.calls, total.answered) == (2, 0)
    told = [one.text for one in capture.findings if "captured before" in one.text]
    assert len(told) == 1
    assert "2 replies" in told[0]
    assert "OUT_OF_ORDER" in {one.kind.name for one in capture.diagnosis.verdicts}
