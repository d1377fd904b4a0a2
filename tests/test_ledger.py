"""The ledger: what became of each call, from packets written here, line by line."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from making import ACK, ADD, PING, PONG, RST, Talk

from pingpong.calls.ledger import Ledger
from pingpong.capture import Pipeline, read_packets
from pingpong.model import Exchange, Message, Outcome, Packet
from pingpong.thrift.binary import write_header

CALL, REPLY, EXCEPTION, ONEWAY = 1, 2, 3, 4


def said(method: str, mtype: int, seqid: int = 0, body: str = "00") -> bytes:
    return write_header(method.encode(), mtype, seqid) + bytes.fromhex(body)


def call(method: str, seqid: int = 0) -> bytes:
    return said(method, CALL, seqid)


def reply(method: str, seqid: int = 0, body: str = "08 0000 00000001 00") -> bytes:
    return said(method, REPLY, seqid, body)


def settled(packets: list[Packet], by_take: bool = True, batch: int = 3) -> list[Exchange]:
    """The exchanges, as a capture of any length gives them out."""
    pipeline = Pipeline(keep=False)
    pipeline.ended = []
    ledger = Ledger(pipeline.flow)
    found = []
    for start in range(0, len(packets), batch):
        messages: list[Message] = []
        for one in packets[start : start + batch]:
            messages += pipeline.take(one) if by_take else pipeline.feed(one).messages
        found += ledger.take(messages, pipeline.ended)
    found += ledger.take(pipeline.close().messages, pipeline.ended)
    return found + ledger.close(pipeline.time)


Row = tuple[int, str, str, object, object, object, int, str]


def rows(exchanges: list[Exchange]) -> list[Row]:
    return [
        (
            one.number,
            one.method,
            one.outcome.name,
            one.call and one.call.number,
            one.reply and one.reply.number,
            one.waited,
            one.flow,
            one.why,
        )
        for one in exchanges
    ]


def outcomes(packets: list[Packet]) -> list[tuple[str, str]]:
    """Method and outcome of each exchange; in all ways of reading the same."""
    whole = [*read_packets(packets).exchanges]
    for by_take in (False, True):
        for batch in (1, 3, 1000):
            assert rows(settled(packets, by_take, batch)) == rows(whole)
    return [(one.method, one.outcome.name) for one in whole]


def talk() -> Talk:
    return Talk().open()


# What happens on a connection, and what becomes of its calls.
STORIES: dict[str, tuple[Callable[[], Talk], list[tuple[str, str]]]] = {
    "success": (
        lambda: talk().call(PING).reply(PONG).close(),
        [("ping", "SUCCESS")],
    ),
    "void": (
        lambda: talk().call(call("a")).reply(reply("a", body="00")).close(),
        [("a", "SUCCESS")],
    ),
    "declared exception": (
        lambda: talk().call(call("a")).reply(reply("a", body="0c 0002 00 00")).close(),
        [("a", "DECLARED_EXCEPTION")],
    ),
    "the server's exception": (
        lambda: talk().call(call("a")).reply(said("a", EXCEPTION)).close(),
        [("a", "APPLICATION_EXCEPTION")],
    ),
    "oneway": (
        lambda: talk().call(said("a", ONEWAY)).close(),
        [("a", "ONEWAY")],
    ),
    "oneway, sent as CALL": (
        lambda: talk().call(call("zip")).call(call("a")).reply(reply("a")).close(),
        [("zip", "ONEWAY"), ("a", "SUCCESS")],
    ),
    "oneway, sent as CALL, and the last": (
        lambda: (
            talk().call(call("zip")).call(call("a")).reply(reply("a")).call(call("zip")).close()
        ),
        [("zip", "ONEWAY"), ("a", "SUCCESS"), ("zip", "ONEWAY")],
    ),
    "still waiting": (
        lambda: talk().call(PING),
        [("ping", "WAITING")],
    ),
    "a handler that crashed": (
        lambda: talk().call(PING).add(False, ACK).fin(False).fin(True),
        [("ping", "CLOSED_BY_SERVER")],
    ),
    "closed before the call": (
        lambda: talk().call(PING).reply(PONG).fin(False).call(PING).add(False, RST),
        [("ping", "SUCCESS"), ("ping", "CLOSED_BY_SERVER")],
    ),
    "given up": (
        lambda: talk().call(PING).fin(True).fin(False),
        [("ping", "CLOSED_BY_CLIENT")],
    ),
    "reset by the server": (
        lambda: talk().call(PING).add(False, RST | ACK),
        [("ping", "RESET_BY_SERVER")],
    ),
    "reset by the client": (
        lambda: talk().call(PING).add(True, RST | ACK),
        [("ping", "RESET_BY_CLIENT")],
    ),
    "a reply to who has closed": (
        lambda: talk().call(PING).fin(True).reply(PONG).add(True, RST),
        [("ping", "LATE")],
    ),
    "a reply to who has closed one direction": (
        lambda: talk().call(PING).fin(True).reply(PONG).add(True, ACK).fin(False),
        [("ping", "SUCCESS")],
    ),
    "the next call reads the old reply": (
        lambda: talk().call(call("slow")).call(call("b")).reply(reply("slow")).reply(reply("b")),
        [("slow", "LATE"), ("b", "OUT_OF_SEQUENCE")],
    ),
    "and so does each behind it": (
        lambda: (
            talk().call(call("slow")).call(call("b")).reply(reply("slow"))
            .call(call("c")).reply(reply("b")).reply(reply("c")).call(call("d")).reply(reply("d"))
        ),
        [
            ("slow", "LATE"),
            ("b", "OUT_OF_SEQUENCE"),
            ("c", "OUT_OF_SEQUENCE"),
            ("d", "OUT_OF_SEQUENCE"),
        ],
    ),
    "two given up": (
        lambda: (
            talk().call(call("a")).call(call("b")).call(call("c"))
            .reply(reply("a")).reply(reply("b")).reply(reply("c"))
        ),
        [("a", "LATE"), ("b", "LATE"), ("c", "OUT_OF_SEQUENCE")],
    ),
    "pipelined": (
        lambda: (
            talk().call(call("a", 1)).call(call("b", 2)).reply(reply("a", 1)).reply(reply("b", 2))
        ),
        [("a", "SUCCESS"), ("b", "SUCCESS")],
    ),
    "pipelined in one go, without seqids": (
        lambda: talk().call(call("a") + call("b")).reply(reply("a")).reply(reply("b")),
        [("a", "SUCCESS"), ("b", "SUCCESS")],
    ),
    "out of order": (
        lambda: (
            talk().call(call("a", 1)).call(call("a", 2)).reply(reply("a", 2)).reply(reply("a", 1))
        ),
        [("a", "SUCCESS"), ("a", "SUCCESS")],
    ),
    "a lost reply, the last": (
        lambda: talk().call(PING).skip(False, len(PONG)).add(True, ACK).close(),
        [("ping", "LOST")],
    ),
    "a lost reply, with others of the same method behind it": (
        lambda: (
            talk().call(call("a")).skip(False, len(reply("a"))).call(call("a")).reply(reply("a"))
            .call(call("a")).reply(reply("a")).close()
        ),
        [("a", "LOST"), ("a", "SUCCESS"), ("a", "SUCCESS")],
    ),
    "a reply of which the begin was lost": (
        lambda: talk().call(PING).skip(False, 20).reply(PONG[20:]).call(ADD).close(),
        [("ping", "LOST"), ("add", "CLOSED_BY_CLIENT")],
    ),
    "a lost reply among others under way": (
        lambda: (
            talk().call(call("a", 1)).call(call("a", 2)).skip(False, len(reply("a", 1)))
            .reply(reply("a", 2)).call(call("a", 3)).close()
        ),
        [("a", "LOST"), ("a", "SUCCESS"), ("a", "CLOSED_BY_CLIENT")],
    ),
    "a reply that the capture cut": (
        lambda: (
            talk().call(PING).reply(PONG[:17]).skip(False, len(PONG) - 17).call(PING).reply(PONG)
            .close()
        ),
        [("ping", "LOST"), ("ping", "SUCCESS")],
    ),
    "a reply that ends in its header": (
        lambda: talk().call(PING).reply(PONG).call(ADD).reply(b"\x80\x01\0\2\0\0").fin(False),
        [("ping", "SUCCESS"), ("add", "UNREADABLE")],
    ),
    "a reply that ends behind its header": (
        lambda: talk().call(PING).reply(PONG[:17]).fin(False),
        [("ping", "UNREADABLE")],
    ),
    "a call that was not captured": (
        lambda: talk().call(PING).reply(PONG).skip(True, len(ADD)).reply(reply("add", 1)).close(),
        [("ping", "SUCCESS"), ("add", "NO_CALL")],
    ),
    "the port is used again": (
        lambda: again(),
        [("ping", "NO_REPLY"), ("ping", "SUCCESS")],
    ),
}  # fmt: skip


def again() -> Talk:
    one = talk().call(PING)
    one.seq = {True: 90_000, False: 70_000}
    return one.open().call(PING).reply(PONG)


@pytest.mark.parametrize("story", STORIES)
def test_what_becomes_of_a_call(story: str) -> None:
    packets, told = STORIES[story]
    assert outcomes(packets().packets) == told


def test_every_outcome_has_a_story() -> None:
    told = {outcome for _, rows in STORIES.values() for _, outcome in rows}
    assert told == {outcome.name for outcome in Outcome}
