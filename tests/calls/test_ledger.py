"""The ledger: what became of each call, from packets written here, line by line."""

from __future__ import annotations

import random
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from doors import captures, mutated
from hypothesis import given
from hypothesis import strategies as st
from making import (
    ACK,
    ADD,
    CALL,
    EXCEPTION,
    ONEWAY,
    PING,
    PONG,
    REPLY,
    RST,
    Talk,
    call,
    packet,
    reply,
    said,
)
from places import ROOT

from pingpong import cli, read_interface
from pingpong.calls import exchanges as exchanges_module
from pingpong.calls import ledger as ledger_module
from pingpong.calls.exchanges import Pairing
from pingpong.calls.ledger import Exchanges, Ledger
from pingpong.calls.totals import MAX_METHODS, Totals
from pingpong.capture import Capture, Pipeline, read, read_packets
from pingpong.errors import CaptureError
from pingpong.model import Exchange, Message, Outcome, Packet
from pingpong.views.json import Rows, total_rows
from pingpong.views.ledger import CallLister, csv_rows
from pingpong.wire.capturefile import open_capture


def settled(packets: list[Packet], by_take: bool = True, batch: int = 3) -> list[Exchange]:
    """The exchanges, as a capture of any length gives them out."""
    pairing = Pairing()
    pipeline = Pipeline(keep=False, pairing=pairing)
    ledger = Ledger()
    found = []
    for start in range(0, len(packets), batch):
        for one in packets[start : start + batch]:
            if by_take:
                pipeline.take(one)
            else:
                pipeline.feed(one)
        found += ledger.take(pairing.take())
    pipeline.close()
    return found + ledger.take(pairing.take()) + ledger.close()


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


# Longer than any call that its client does not wait for.
LONG = exchanges_module.HURRIED


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
        lambda: (
            talk().call(call("slow")).wait(LONG).call(call("b"))
            .reply(reply("slow")).reply(reply("b"))
        ),
        [("slow", "LATE"), ("b", "OUT_OF_SEQUENCE")],
    ),
    "and so does each behind it": (
        lambda: (
            talk().call(call("slow")).wait(LONG).call(call("b")).reply(reply("slow"))
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
            talk().call(call("a")).wait(LONG).call(call("b")).wait(LONG).call(call("c"))
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
    "oneway, sent as CALL with a seqid of its own": (
        lambda: (
            talk().call(call("zip", 1)).call(call("a", 2)).reply(reply("a", 2))
            .call(call("zip", 3)).close()
        ),
        [("zip", "ONEWAY"), ("a", "SUCCESS"), ("zip", "ONEWAY")],
    ),
    "not answered, and nobody knows whether it was waited for": (
        lambda: (
            talk().call(call("zip", 1)).wait(10 * LONG).call(call("a", 2)).reply(reply("a", 2))
            .close()
        ),
        [("zip", "NO_REPLY"), ("a", "SUCCESS")],
    ),
    "one that is answered at other times is not oneway": (
        lambda: (
            talk().call(call("a", 1)).reply(reply("a", 1)).call(call("a", 2)).call(call("b", 3))
            .reply(reply("b", 3)).close()
        ),
        [("a", "SUCCESS"), ("a", "CLOSED_BY_CLIENT"), ("b", "SUCCESS")],
    ),
    "a lost reply makes no method oneway": (
        lambda: (
            talk().call(call("a")).skip(False, len(reply("a"))).call(call("b")).reply(reply("b"))
            .call(call("a")).fin(False).fin(True)
        ),
        [("a", "LOST"), ("b", "SUCCESS"), ("a", "CLOSED_BY_SERVER")],
    ),
    "a oneway call that is answered": (
        lambda: (
            talk().call(said("zip", ONEWAY)).reply(reply("zip")).call(call("a")).reply(reply("a"))
        ),
        [("zip", "ONEWAY"), ("zip", "NO_CALL"), ("a", "OUT_OF_SEQUENCE")],
    ),
    "out of order": (
        lambda: (
            talk().call(call("a", 1)).call(call("a", 2)).reply(reply("a", 2)).reply(reply("a", 1))
        ),
        [("a", "SUCCESS"), ("a", "SUCCESS")],
    ),
    "other seqids, and closed when a late reply had come": (
        lambda: (
            talk().call(call("slow", 7)).wait(LONG).call(call("b", 8)).reply(reply("slow", 7))
            .fin(True).fin(False)
        ),
        [("slow", "SUCCESS"), ("b", "CLOSED_BY_CLIENT")],
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


def test_a_reply_that_may_have_been_read_as_the_next() -> None:
    """A client that checks seqids, as Java's does, stops there: "out of sequence response"."""
    packets = STORIES["other seqids, and closed when a late reply had come"][0]().packets
    assert [one.why for one in read_packets(packets).exchanges] == [
        "",
        "exchange 1's reply came late: it may have been read as this",
    ]


def test_a_server_that_had_closed_before_the_call() -> None:
    packets = STORIES["closed before the call"][0]().packets
    last = read_packets(packets).exchanges[1]
    assert (last.why, last.waited) == ("it had closed before the call was sent", 0)


def test_a_connection_ends_where_it_ended_however_packets_are_batched() -> None:
    """The client closes at once behind the first zip, and only later does another show that zip is
    oneway: until then it is in doubt."""
    one, other = Talk(50001).open().call(call("zip")).close(), Talk(50002).open()
    other.call(call("zip")).call(call("a")).reply(reply("a"))
    both = one.packets + other.packets
    again = [packet(number, each.data) for number, each in enumerate(both, 1)]
    assert outcomes(again) == [
        ("zip", "ONEWAY"),
        ("zip", "ONEWAY"),
        ("a", "SUCCESS"),
    ]


def test_every_outcome_has_a_story() -> None:
    told = {outcome for _, rows in STORIES.values() for _, outcome in rows}
    assert told == {outcome.name for outcome in Outcome}


def test_the_worst_day_of_the_shop() -> None:
    """All that can be played for real, in one recording."""
    told = Counter(one.outcome.name for one in read(ROOT / "captures" / "trouble.pcap").exchanges)
    once = {
        outcome.name: 1 for outcome in Outcome if outcome.name not in ("UNREADABLE", "NO_REPLY")
    }
    assert told == once | {"SUCCESS": 4, "ONEWAY": 2, "LATE": 2}


# ── Any number of connections, any order ─────────────────────────────────────────────

SEQIDS = st.sampled_from([0, 1, 2])
METHODS = st.sampled_from(["a", "b", "S:a", ""])
ACTS = st.one_of(
    st.builds(lambda m, s: (True, said(m, CALL, s)), METHODS, SEQIDS),
    st.builds(lambda m, s: (True, said(m, ONEWAY, s)), METHODS, SEQIDS),
    st.builds(lambda m, s: (False, reply(m, s)), METHODS, SEQIDS),
    st.builds(lambda m, s: (False, said(m, EXCEPTION, s)), METHODS, SEQIDS),
)
ENDS = st.sampled_from(["", "client", "server", "reset", "reset by server", "both"])


def interleaved(talks: list[Talk], dice: random.Random, loss: float = 0.0) -> list[Packet]:
    """The packets of several connections, each in its order, with some of them lost."""
    queues = [list(one.packets) for one in talks]
    mixed: list[bytes] = []
    while any(queues):
        queue = dice.choice([one for one in queues if one])
        data = queue.pop(0).data
        if dice.random() >= loss:
            mixed.append(data)
    return [packet(number, data) for number, data in enumerate(mixed, 1)]


def played(acts: list[tuple[bool, bytes]], end: str, port: int) -> Talk:
    one = Talk(port).open()
    for by_client, data in acts:
        one.send(by_client, data)
    if end in ("client", "server"):
        one.fin(end == "client")
    elif end.startswith("reset"):
        one.add(end == "reset", RST | ACK)
    elif end:
        one.close()
    return one


@given(
    st.lists(st.tuples(st.lists(ACTS, max_size=12), ENDS), min_size=1, max_size=4),
    st.randoms(use_true_random=False),
    st.sampled_from([0.0, 0.0, 0.2]),
)
def test_every_message_is_in_one_exchange_whatever_happens(
    stories: list[tuple[list[tuple[bool, bytes]], str]], dice: random.Random, loss: float
) -> None:
    talks = [played(acts, end, 50001 + at) for at, (acts, end) in enumerate(stories)]
    packets = interleaved(talks, dice, loss)
    capture = read_packets(packets)
    outcomes(packets)
    found = [*capture.exchanges]
    assert [one.number for one in found] == list(range(1, len(found) + 1))
    there = Counter(
        part.number for one in found for part in (one.call, one.reply) if part is not None
    )
    assert there == Counter(message.number for message in capture.messages)
    assert all(one.fate is not None for one in found)
    for one in found:
        if one.call is not None and one.reply is not None:
            assert one.call.flow == one.reply.flow
            nameless = one.reply.type is EXCEPTION and not one.reply.method
            assert one.call.seqid == one.reply.seqid or nameless
            assert one.reply.method in (one.call.method, one.call.method.split(":")[-1], "")


@given(
    st.lists(st.lists(st.booleans(), max_size=8), min_size=1, max_size=3),
    st.randoms(use_true_random=False),
)
def test_pipelined_calls_find_their_replies_in_any_order(
    wanted: list[list[bool]], dice: random.Random
) -> None:
    """The model: a reply belongs to the call of its connection with its seqid."""
    talks, model = [], Counter[tuple[int, int, bool]]()
    for at, answered in enumerate(wanted):
        one = Talk(50001 + at).open()
        left = list(enumerate(answered))
        owed: list[int] = []
        while left or owed:
            if left and (not owed or dice.random() < 0.5):
                seqid, is_answered = left.pop(0)
                one.call(call("a", seqid))
                model[50001 + at, seqid, is_answered] += 1
                if is_answered:
                    owed.append(seqid)
            else:
                seqid = owed.pop(dice.randrange(len(owed)))
                one.reply(reply("a", seqid))
        talks.append(one.close())
    packets = interleaved(talks, dice)
    found = read_packets(packets).exchanges
    assert model == Counter(
        (one.first.client.port, one.first.seqid, one.reply is not None) for one in found
    )
    wants = {True: Outcome.SUCCESS, False: Outcome.CLOSED_BY_CLIENT}
    assert all(one.outcome is wants[one.reply is not None] for one in found)


# ── Memory ───────────────────────────────────────────────────────────────────────────


def test_calls_that_are_never_answered_do_not_pile_up() -> None:
    for seqids in (1, 1000):
        pairing = Pairing()
        pipeline = Pipeline(pairing=pairing)
        most = exchanges_module.MAX_SAME if seqids == 1 else exchanges_module.MAX_WAITING
        count = most + 50
        one = talk()
        for at in range(count):
            one.call(call("a", at % seqids if seqids == 1 else at))
        for each in one.packets:
            pipeline.take(each)
        dropped = pairing.take()
        assert [each.outcome for each in dropped] == [Outcome.NO_REPLY] * 50
        pipeline.close()
        rest = pairing.take()
        assert len(rest) == most
        assert {each.outcome for each in rest} == {Outcome.WAITING}


@pytest.mark.usefixtures("plain_python")
def test_one_that_waits_does_not_hold_up_all_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_module, "MAX_BEHIND", 10)
    one, other = Talk(50001).open(), Talk(50002).open()
    one.call(PING)
    for _ in range(30):
        other.call(PING).reply(PONG)
    one.reply(PONG)
    packets = one.packets[:4] + other.packets + one.packets[4:]
    again = [packet(number, each.data) for number, each in enumerate(packets, 1)]
    numbers = [each.number for each in settled(again)]
    assert sorted(numbers) == list(range(1, 32))
    assert numbers == [*range(2, 32), 1]


# ── What is asked for, and sums ──────────────────────────────────────────────────────


def incident() -> Capture:
    return read(ROOT / "captures" / "incident.pcap")


def numbers(exchanges: Exchanges) -> list[int]:
    return [one.number for one in exchanges]


def test_where() -> None:
    all_ = incident().exchanges
    assert numbers(all_.where()) == list(range(1, 13))
    assert numbers(all_.where(method="of_*")) == [1, 4]
    assert numbers(all_.where(method=["ping", "seen"])) == [3, 10]
    assert numbers(all_.where(outcome="late,out-of-sequence")) == [7, 8, 9]
    assert numbers(all_.where(outcome="failed")) == [6, 7, 8, 9, 10, 11]
    assert numbers(all_.where(outcome=Outcome.ONEWAY)) == [3]
    assert numbers(all_.where(outcome=[Outcome.ONEWAY, Outcome.LATE])) == [3, 7]
    assert numbers(all_.where(outcome="unclear")) == []
    assert numbers(all_.where(slower=100_000_000)) == [7, 8]
    assert numbers(all_.where(value="1=7002")) == [5, 8]
    assert numbers(all_.where(value="get.1=700?")) == [2, 5, 7, 8, 9, 11, 12]
    assert numbers(all_.where(value="reply.0.3.1=teapot")) == [5, 8]
    assert numbers(all_.where(value=["1=7002", "reply.0.2=bob"], outcome="failed")) == [8]
    assert numbers(all_.where(value="1.2=x")) == []
    assert numbers(all_[2:4]) == [3, 4]
    assert all(message.is_read is False for message in incident().messages)


@pytest.mark.parametrize("text", ["", "1", "=3", "1.=3", "reply.=3"])
def test_what_is_no_condition(text: str) -> None:
    with pytest.raises(ValueError, match="is no condition, want FIELD=VALUE"):
        incident().exchanges.where(value=text)


def test_what_is_no_outcome() -> None:
    with pytest.raises(ValueError, match='"slow" is no outcome, want one of success, '):
        incident().exchanges.where(outcome="slow")


def test_a_value_in_any_place() -> None:
    body = (
        "0d 0001 0b 08 00000001 00000001 6b 00000007"  # {"k": 7}
        "0f 0002 02 00000002 01 00"  # [true, false]
        "0b 0003 00000002 ff00 00"
    )
    one = read_packets(talk().call(said("a", CALL, 0, body)).packets).exchanges
    for held in ("1=k", "1=7", "2=true", "2=false", "3=ff00", "a.3=*"):
        assert len(one.where(value=held)) == 1, held
    for other in ("1=8", "2.1=true", "3.1=*", "4=*", "b.3=*"):
        assert len(one.where(value=other)) == 0, other


def test_totals() -> None:
    totals = incident().exchanges.totals()
    get = totals["get"]
    assert (get.calls, get.failed, get.unclear, get.answered) == (8, 5, 0, 7)
    assert (get.sent, get.received) == (216, 613)
    assert get.outcomes[Outcome.OUT_OF_SEQUENCE] == 2
    assert get.slowest > 500_000_000
    assert get.percentile(100) == get.slowest
    assert [one.method for one in totals] == ["of_customer", "get", "seen", "ping"]
    assert totals["seen"].percentile(50) is None
    assert totals.all.calls == 12


@given(st.lists(st.integers(0, 1 << 50), min_size=1, max_size=60), st.floats(0, 100))
def test_percentiles_are_right_to_0_4_percent(latencies: list[int], percent: float) -> None:
    totals = Totals()
    for latency in latencies:
        one = read_packets(talk().call(PING).reply(PONG).packets).exchanges[0]
        assert one.call is not None
        assert one.reply is not None
        one.reply.end_time = one.call.time + latency
        totals.add([one])
    rank = max(1, -int(-percent * len(latencies) // 100))
    right = sorted(latencies)[rank - 1]
    said_ = totals["ping"].percentile(percent)
    assert said_ is not None
    assert abs(said_ - right) <= right * 0.004


def test_a_million_methods_have_no_totals_of_their_own() -> None:
    one = talk()
    for at in range(MAX_METHODS + 5):
        one.call(said(f"m{at}", ONEWAY))
    totals = read_packets(one.packets).exchanges.totals()
    assert len(totals) == MAX_METHODS
    assert totals.others is not None
    assert totals.others.calls == 5
    assert totals.all.calls == MAX_METHODS + 5


# ── Witnesses ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["incident", "trouble", "ping_login_framed"])
def test_latencies_are_those_between_tsharks_packets(name: str, tshark: str) -> None:
    path = ROOT / "captures" / f"{name}.pcap"
    done = subprocess.run(
        [tshark, "-r", str(path), "-T", "fields", "-e", "frame.number", "-e", "frame.time_epoch"],
        capture_output=True,
        text=True,
        check=True,
    )
    times = {}
    for line in done.stdout.splitlines():
        number, time = line.split("\t")
        seconds, _, rest = time.partition(".")
        times[int(number)] = int(seconds) * 10**9 + int(rest.ljust(9, "0"))
    checked = 0
    for one in read(path).exchanges:
        if one.call is not None and one.reply is not None:
            assert one.latency == times[one.reply.packets[-1]] - times[one.call.packets[0]]
            checked += 1
    assert checked


def test_the_first_field_is_what_reading_the_struct_finds(
    edge_captures: Path, real_captures: Path
) -> None:
    """A look at a message's first bytes, against all of it being read, on every capture."""
    looked = 0
    folders = (edge_captures, real_captures, ROOT / "captures")
    for path in sorted(path for folder in folders for path in folder.glob("*.pcap*")):
        for message in read(path).messages:
            told = message.first_field
            fields = message.body.fields
            if told < 1 << 15:
                assert fields[0].field_id == told, path
            elif told == 1 << 16:
                assert (fields, message.body.stop is None) == ((), False), path
            looked += told != 1 << 17
    assert looked > 100


# ── Without bytes ────────────────────────────────────────────────────────────────────


def told(packets: list[Packet], keeps_bytes: bool, batch: int, idl: bool) -> tuple[str, ...]:
    """What `calls` shows, as JSON, as CSV, as lines and as totals, and the bytes that are left."""
    pairing = Pairing(keeps_bytes)
    pipeline = Pipeline(keep=False, pairing=pairing, interface=SHOP if idl else None)
    ledger, totals = Ledger(), Totals()
    found = []
    for start in range(0, len(packets), batch):
        for one in packets[start : start + batch]:
            pipeline.take(one)
        found += ledger.take(pairing.take())
    pipeline.close()
    found += ledger.take(pairing.take()) + ledger.close()
    pairing.take()
    totals.add(found)
    if not keeps_bytes:
        for exchange in found:
            for message in (exchange.call, exchange.reply):
                assert message is None or len(message.data) <= message.start
    lister = CallLister(found)
    return Rows().exchanges(found), csv_rows(found), lister.rows(found), total_rows(totals)


SHOP = read_interface(str(ROOT / "captures" / "shop.thrift"))


@pytest.mark.parametrize("path", captures(), ids=lambda path: str(path.name))
def test_rows_are_the_same_without_bytes(path: Path) -> None:
    try:
        with open_capture(str(path)) as file:
            packets = list(file)[:400]
    except CaptureError:
        pytest.skip(f"{path.name} is no capture: its own tests say what is wrong with it")
    for some in (packets, mutated(packets, 11) if packets else []):
        for batch, idl in ((1, False), (1, True), (7, False), (1000, False)):
            assert told(some, False, batch, idl) == told(some, True, batch, idl)


@pytest.mark.parametrize("by_client", [True, False])
def test_what_waits_lets_its_bytes_go(by_client: bool) -> None:
    """Calls that nobody answers, and replies that nobody asked for."""
    body = "0b 0001 00000400" + "41" * 1024 + "00"
    talk = Talk()
    for seqid in range(50):
        talk.send(by_client, said("put", CALL if by_client else REPLY, seqid, body))
    left = []
    for keeps in (True, False):
        pairing = Pairing(keeps)
        pipeline = Pipeline(keep=False, pairing=pairing)
        messages: list[Message] = []
        for one in talk.packets:
            messages += pipeline.take(one)
            pairing.take()
        assert len(messages) == 50
        left.append(sum(len(one.data) for one in messages))
    assert left[0] > 50 * 1024
    assert left[1] < 50 * 64 + 2 * 1100


def test_whoever_looks_at_values_has_them(capsys: pytest.CaptureFixture[str]) -> None:
    path = str(ROOT / "captures" / "ping_login.pcap")
    assert cli.run(["calls", path, "--where", "1=root", "--json"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1
