"""Situations of which the truth is known, because they are made here: what has to be said of each.

A row is what an engineer meets, the packets of it, and the right answer: the exit code of
``diagnose``, the kinds of its verdicts, the outcomes of the calls, words that have to be said, and
words that must not be.  All doors are held against each other on each of them, and the answer is
the same however the bytes were cut into segments.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from doors import check, check_commands, renumbered, rows_of, run, written
from making import ACK, FIN, PSH, RST, Talk, ethernet, framed, ipv4, packet, udp
from views_samples import call, field, string

from pingpong import read_packets
from pingpong.model import Packet

SECOND = 1_000_000_000


def ask(method: str, seqid: int = 0, fields: bytes = b"", mtype: int = 1) -> bytes:
    return call(method.encode(), fields, mtype, seqid)


def answer(method: str, seqid: int = 0, fields: bytes = field(11, 0, string(b"ok"))) -> bytes:
    return call(method.encode(), fields, 2, seqid)


def refusal(method: str, kind: int, seqid: int = 0, text: bytes = b"no") -> bytes:
    said = field(11, 1, string(text)) + field(8, 2, struct.pack(">i", kind))
    return call(method.encode(), said, 3, seqid)


def compact(method: str, mtype: int = 1) -> bytes:
    return bytes([0x82, 1 | mtype << 5, 0, len(method)]) + method.encode() + b"\0"


def opened(port: int = 50001) -> Talk:
    return Talk(port).open()


def good(talk: Talk, count: int = 1, seqid: int = 0) -> Talk:
    for at in range(seqid, seqid + count):
        talk.call(framed(ask("ping", at))).reply(framed(answer("ping", at)))
    return talk


def sent_again(talk: Talk, data: bytes) -> Talk:
    """Sent, and sent again, and nobody acknowledges it."""
    talk.call(data)
    for pause in (2, 4, 8, 16, 32):
        talk.wait(pause * SECOND // 10).add(True, ACK | PSH, data, back=len(data))
    return talk


def post(body: bytes) -> bytes:
    return b"POST /rpc HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def response(status: str, body: bytes = b"") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def together(*talks: Talk) -> list[Packet]:
    packets = [one for talk in talks for one in talk.packets]
    return list(renumbered(sorted(packets, key=lambda one: one.time)))


def only(packets: list[Packet], by_client: bool) -> list[Packet]:
    end = bytes((10, 0, 0, 1 if by_client else 2))
    return list(renumbered([one for one in packets if one.data[26:30] == end]))


def snapped(packets: list[Packet], size: int) -> list[Packet]:
    return [Packet(p.number, p.time, p.link, p.data[:size], p.length) for p in packets]


def datagrams(*payloads: tuple[int, bytes]) -> list[Packet]:
    """To the port of Jaeger's agent, from ports below and above it."""
    return [
        packet(at, ethernet(ipv4(udp(source, 6831, payload), 17)))
        for at, (source, payload) in enumerate(payloads, 1)
    ]


BIG = field(11, 1, string(b"x" * 9000))
CUT_REPLY = framed(answer("list", 5, field(11, 0, string(b"z" * 9000))))
LARGE = (20_000_000).to_bytes(4, "big") + ask("put", 5, BIG)[:1000]
HALF = framed(ask("put", 5, BIG))[:100]
PROXY = b"PROXY TCP4 1.2.3.4 10.0.0.2 5555 9090\r\n"
PROBE = "__can__finagle__trace__v3__"


class Truth(NamedTuple):
    packets: Callable[[], Talk | list[Packet]]
    code: int
    kinds: str
    outcomes: str
    words: tuple[str, ...] = ()
    never: tuple[str, ...] = ()


TRUTHS: dict[str, Truth] = {
    # ── Something between the two ────────────────────────────────────────────────────
    "a RST while it was idle, and a call into it": Truth(
        lambda: (
            good(opened()).wait(350 * SECOND).add(False, RST).wait(5 * SECOND)
            .call(framed(ask("ping", 9))).add(False, RST)
        ),
        3, "IDLE_DROPPED", "1 SUCCESS, 1 CLOSED_BY_SERVER",
        ("the call was never made",),
    ),
    "a RST while it was idle, and nothing more": Truth(
        lambda: good(opened()).wait(350 * SECOND).add(False, RST), 0, "ALL_WELL", "1 SUCCESS",
    ),
    "forgotten when idle, dropped without a word": Truth(
        lambda: (
            sent_again(good(opened()).wait(600 * SECOND), framed(ask("ping", 9)))
            .wait(SECOND).fin(True)
        ),
        3, "IDLE_DROPPED", "1 SUCCESS, 1 CLOSED_BY_CLIENT",
        ("did not arrive", "keepalive"), ("takes that long",),
    ),
    "a machine that is gone": Truth(
        lambda: sent_again(opened(), framed(ask("ping"))),
        3, "NO_ANSWER", "1 WAITING", ("did not arrive",),
    ),
    "a first call that is reset after 350 s": Truth(
        lambda: (
            opened().call(framed(ask("slow"))).add(False, ACK).wait(350 * SECOND).add(False, RST)
        ),
        3, "CLOSED_ON_CALL", "1 RESET_BY_SERVER",
        ("350 s", "load balancer", "timeout"), ("at once",),
    ),
    "a PROXY header that nobody takes": Truth(
        lambda: opened().call(PROXY + framed(ask("ping"))).add(False, RST),
        3, "OTHER_PROTOCOL", "1 RESET_BY_SERVER",
        ("PROXY",),
    ),
    # ── Limits, halves ───────────────────────────────────────────────────────────────
    "a frame above the limit, the second": Truth(
        lambda: good(opened()).call(LARGE).fin(False).fin(True),
        3, "FRAME_TOO_LARGE", "1 SUCCESS", ("20000000", "It may also be no length"),
    ),
    "a first call, cut while it was sent": Truth(
        lambda: opened().call(HALF).fin(False).add(True, RST),
        3, "CLOSED_ON_CALL", "1 CLOSED_BY_SERVER", ("never came whole", "limit"),
        ("handler failed",),
    ),
    "half a call, and the next one behind it": Truth(
        lambda: good(opened()).call(HALF).wait(SECOND).call(framed(ask("ping", 6))).fin(False),
        3, "OUT_OF_STEP", "1 SUCCESS, 1 CLOSED_BY_SERVER", ("another call begins inside",),
        ("handler failed",),
    ),
    "a reply that the client does not want": Truth(
        lambda: (
            good(opened()).call(framed(ask("list", 5))).reply(CUT_REPLY[:5000]).fin(True)
            .add(True, RST)
        ),
        3, "CLIENT_GAVE_UP", "1 SUCCESS, 1 CLOSED_BY_CLIENT", ("would not take more", "limit"),
        ("IDL", "takes that long"),
    ),
    "a server that closes in its reply": Truth(
        lambda: good(opened()).call(framed(ask("list", 5))).reply(CUT_REPLY[:5000]).fin(False),
        3, "UNREADABLE", "1 SUCCESS, 1 UNREADABLE", ("in the midst of a reply",), ("IDL",),
    ),
    "the capture ends in a reply": Truth(
        lambda: good(opened()).call(framed(ask("list", 5))).reply(CUT_REPLY[:5000]),
        2, "WAITING", "1 SUCCESS, 1 WAITING", ("a reply had begun",), ("cannot read",),
    ),
    "the capture ends in a call": Truth(
        lambda: good(opened()).call(HALF), 2, "WAITING", "1 SUCCESS, 1 WAITING",
    ),
    # ── HTTP ─────────────────────────────────────────────────────────────────────────
    "401, then the same again with credentials": Truth(
        lambda: (
            opened().call(post(ask("ping"))).reply(response("401 Unauthorized", b"no"))
            .call(post(ask("ping"))).reply(response("200 OK", answer("ping"))).close()
        ),
        0, "HTTP", "1 APPLICATION_EXCEPTION, 1 SUCCESS", ("401", "credentials"), ("gave up",),
    ),
    "HTTP, pipelined, without seqids": Truth(
        lambda: (
            opened().call(post(ask("ping"))).wait(SECOND).call(post(ask("ping")))
            .reply(response("200 OK", answer("ping"))).reply(response("200 OK", answer("ping")))
            .close()
        ),
        0, "ALL_WELL", "2 SUCCESS",
    ),
    "oneway by HTTP, refused": Truth(
        lambda: (
            opened().call(post(ask("log", mtype=4))).reply(response("404 Not Found", b"no")).close()
        ),
        3, "HTTP", "1 APPLICATION_EXCEPTION", ("404 Not Found", "path"), ("Nothing is wrong",),
    ),
    "a login page": Truth(
        lambda: (
            opened().call(post(ask("ping"))).reply(response("200 OK", b"<html>hello</html>"))
            .close()
        ),
        3, "UNREADABLE", "1 UNREADABLE", ("<html>", "login page"), ("TFramedTransport",),
    ),
    # ── Out of step ──────────────────────────────────────────────────────────────────
    "an exception without a name or a seqid is the call's": Truth(
        lambda: (
            opened().call(framed(compact("ping"))).reply(framed(refusal("", 7))).fin(False)
            .fin(True)
        ),
        3, "COMPACT_ON_BINARY", "1 APPLICATION_EXCEPTION", ("could not read the call",),
        ("factories for what it reads",),
    ),
    "arguments that cannot be read, and a call that hangs": Truth(
        lambda: (
            opened().call(ask("get", 1)).reply(refusal("get", 7, 1)).call(ask("ping", 2))
            .add(False, ACK).wait(20 * SECOND).fin(True)
        ),
        3, "CLIENT_GAVE_UP APPLICATION_EXCEPTION",
        "1 APPLICATION_EXCEPTION, 1 CLOSED_BY_CLIENT", ("out of step",),
    ),
    "a reply with another seqid": Truth(
        lambda: opened().call(framed(ask("a", 5))).reply(framed(answer("a"))).close(),
        3, "OUT_OF_STEP", "1 CLOSED_BY_CLIENT, 1 NO_CALL", ("seqid 0", "seqid 5"),
        ("not captured", "gave up"),
    ),
    "a call that is answered twice": Truth(
        lambda: good(opened(), 2).reply(framed(answer("ping", 1))).close(),
        3, "OUT_OF_STEP", "2 SUCCESS, 1 NO_CALL", ("answered twice",), ("not captured",),
    ),
    "a late reply under another seqid, and the end": Truth(
        lambda: (
            opened().call(framed(ask("slow", 1))).wait(3 * SECOND).call(framed(ask("ping", 2)))
            .reply(framed(answer("slow", 1))).fin(True).reply(framed(answer("ping", 2)))
            .add(True, RST)
        ),
        3, "LATE_REPLY", "1 SUCCESS, 1 LATE", ("gave up on slow", "several calls under way"),
    ),
    "several at once, without seqids, answered in order": Truth(
        lambda: (
            opened().call(framed(ask("a")) + framed(ask("b"))).reply(framed(answer("a")))
            .reply(framed(answer("b"))).close()
        ),
        0, "ALL_WELL", "2 SUCCESS",
    ),
    "a call, and the client closes at once": Truth(
        lambda: good(opened()).call(framed(ask("log", 7))).close(),
        0, "CLIENT_GAVE_UP", "1 SUCCESS, 1 CLOSED_BY_CLIENT", ("oneway",), ("takes that long",),
    ),
    "a plain client on a multiplexed server that says so": Truth(
        lambda: (
            opened().call(framed(ask("ping")))
            .reply(framed(refusal("ping", 1, 0, b"Service name not found in message name: ping.")))
            .close()
        ),
        3, "PLAIN_ON_MULTIPLEXED", "1 APPLICATION_EXCEPTION",
        ("TMultiplexedProtocol",), ("knows no method",),
    ),
    "a probe that is passed over": Truth(
        lambda: (
            opened().call(framed(ask(PROBE))).add(False, ACK).wait(5 * SECOND).fin(True).fin(False)
        ),
        3, "PROBE_REFUSED", "1 CLOSED_BY_CLIENT", ("withNoAttemptTTwitterUpgrade",),
    ),
    # ── Another service ──────────────────────────────────────────────────────────────
    "a banner before any call": Truth(
        lambda: (
            opened().reply(b"Welcome to FooBar 1.2\r\n").call(framed(ask("ping"))).fin(False)
            .fin(True)
        ),
        3, "OTHER_PROTOCOL", "1 CLOSED_BY_SERVER", ("Welcome to FooBar 1.2",),
        ("handler failed",),
    ),
    "text for an answer": Truth(
        lambda: opened().call(framed(ask("ping"))).reply(b"ERROR\r\n").fin(False).fin(True),
        3, "OTHER_PROTOCOL", "1 UNREADABLE", ("“ERROR”",), ("TBufferedTransport",),
    ),
    # ── What the capture lacks ───────────────────────────────────────────────────────
    "only the server, and what it says is that it failed": Truth(
        lambda: only(
            good(opened()).call(framed(ask("boom", 4))).reply(framed(refusal("boom", 6, 4)))
            .close().packets,
            by_client=False,
        ),
        3, "HANDLER_CRASHED ONE_DIRECTION", "2 NO_CALL", ("its call was not captured",),
    ),
    "a snaplen that cuts": Truth(
        lambda: snapped(
            opened().call(framed(ask("put", 1, field(11, 1, string(b"q" * 200)))))
            .reply(framed(answer("put", 1, field(11, 0, string(b"z" * 300))))).close().packets,
            96,
        ),
        2, "LOST_PACKETS", "1 SUCCESS", (), ("two threads", "reads something else"),
    ),
    "datagrams from a port below the agent's, in two protocols": Truth(
        lambda: datagrams((6000, compact("emit", 4)), (6001, ask("emit", mtype=4))),
        3, "TWO_PROTOCOLS", "2 ONEWAY", ("2 protocols",),
    ),
    "datagrams that nobody answers": Truth(
        lambda: datagrams((6000, ask("ping", 1)), (6000, ask("ping", 2))),
        0, "WAITING", "2 WAITING", (), ("The server sent",),
    ),
}  # fmt: skip


def packets_of(name: str) -> list[Packet]:
    made = TRUTHS[name].packets()
    return made.packets if isinstance(made, Talk) else made


def counts(outcomes: list[str]) -> str:
    seen: dict[str, int] = {}
    for one in outcomes:
        seen[one] = seen.get(one, 0) + 1
    return ", ".join(f"{count} {one}" for one, count in sorted(seen.items()))


@pytest.mark.parametrize("name", TRUTHS)
def test_what_is_true_is_said(name: str, tmp_path: Path) -> None:
    truth, packets = TRUTHS[name], packets_of(name)
    capture = check(packets)
    path = written(tmp_path, packets)
    check_commands(path)
    code, out, _ = run("diagnose", str(path), "--json")
    verdicts = rows_of(out)
    text = " ".join(
        " ".join([one["sentence"], *one["evidence"], one["advice"] or ""]) for one in verdicts
    )
    assert code == truth.code, text
    assert sorted(one.verdict.kind.name for one in capture.diagnosis.groups) == sorted(
        truth.kinds.split()
    ), text
    outcomes = [one.outcome.name for one in capture.exchanges]
    assert sorted(counts(outcomes).split(", ")) == sorted(truth.outcomes.split(", ")), text
    for words in truth.words:
        assert words in text
    for words in truth.never:
        assert words not in text


def cut_small(packets: list[Packet], size: int) -> Iterator[Packet]:
    """The same bytes, in segments of ``size`` at most."""
    for one in packets:
        data = one.data
        inside = 54  # Ethernet, IPv4 and TCP without options
        if data[23] != 6 or len(data) - inside <= size or one.length != len(data):
            yield one
            continue
        for at in range(inside, len(data), size):
            head, piece = bytearray(data[:inside]), data[at : at + size]
            head[16:18] = (40 + len(piece)).to_bytes(2, "big")
            seq = int.from_bytes(data[38:42], "big") + at - inside
            head[38:42] = (seq & 0xFFFFFFFF).to_bytes(4, "big")
            if at + size < len(data):
                head[47] &= ~(FIN | PSH)
            yield Packet(0, one.time, one.link, bytes(head) + piece, inside + len(piece))


@pytest.mark.parametrize("size", [1, 7])
@pytest.mark.parametrize("name", TRUTHS)
def test_how_it_was_cut_does_not_matter(name: str, size: int) -> None:
    packets = packets_of(name)
    if sum(len(one.data) for one in packets) > 20_000 and size == 1:
        size = 97
    whole, cut = read_packets(packets), read_packets(list(renumbered([*cut_small(packets, size)])))
    told = [
        (
            sorted(one.verdict.kind.name for one in some.diagnosis.groups),
            [(one.method, one.outcome, one.why) for one in some.exchanges],
        )
        for some in (whole, cut)
    ]
    assert told[0] == told[1]
