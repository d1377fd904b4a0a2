"""Flow control of HTTP/2: who may send no more, since when, and what is said of it."""

from __future__ import annotations

import pytest
from http2s import (
    DATA,
    END_STREAM,
    OPENING,
    PING,
    SETTINGS,
    Said,
    enveloped,
    frame,
    request,
    response,
    talked,
    trailers,
)
from making import Talk

from pingpong import read_packets
from pingpong.model import Packet
from pingpong.protocols.framings.h2 import PREFACE

ASKED = request(1) + frame(DATA, END_STREAM, 1, enveloped(b""))
FULL = [frame(DATA, 0, 1, enveloped(bytes(16_379)))] * 3 + [frame(DATA, 0, 1, bytes(16_383))]
WINDOW_UPDATE = 8


def granted(stream: int, more: int) -> Said:
    return True, frame(WINDOW_UPDATE, 0, stream, more.to_bytes(4, "big"))


def late(said: list[Said]) -> list[Packet]:
    """The packets of a connection that goes on for half a minute behind the last of these."""
    packets = talked([*said, (True, frame(PING, 0, 0, bytes(8)))])
    return [
        Packet(one.number, one.time + 30 * 10**9 * (one.number > len(packets) - 4), one.link,
               one.data, one.length)
        for one in packets
    ]  # fmt: skip


SENT: list[Said] = [*OPENING, (True, ASKED), (False, response(1)), *((False, one) for one in FULL)]


@pytest.mark.parametrize(
    ("more", "stream"),
    [
        ([], 0),
        ([granted(0, 65_535)], 1),
        ([granted(1, 65_535)], 0),
        ([granted(0, 1), granted(1, 1)], -1),
        ([granted(0, 1), (True, frame(SETTINGS, 0, 0, bytes.fromhex("0004 00020000")))], -1),
        ([granted(0, 1), (False, frame(DATA, END_STREAM, 1))], -1),
    ],
)
def test_a_window_that_is_used_up(more: list[Said], stream: int) -> None:
    capture = read_packets(late([*SENT, *more]))
    (flow,) = capture.flows
    half = flow.from_server
    assert (half.held_on if half.held_since >= 0 else -1) == stream
    assert flow.from_client.held_since < 0
    said = str(capture.diagnosis)
    assert ("Flow control st" in said) is (stream >= 0)
    assert ("The client d" in " ".join(said.split())) is (stream >= 0)


Step = Said | int  # of an int: so many seconds pass


def told(*steps: Step, opened: bool = True) -> list[tuple[str, str, str]]:
    """The verdicts on these steps; a number is that of seconds that pass."""
    talk = Talk(server_port=50051)
    if opened:
        talk.open()
    for step in steps:
        if isinstance(step, int):
            talk.wait(step * 10**9)
        else:
            by_client, data = step
            for at in range(0, len(data), 9000):
                talk.send(by_client, data[at : at + 9000])
    verdicts = read_packets(talk.close().packets).diagnosis.verdicts
    return [(one.kind.name, one.severity.name, one.sentence) for one in verdicts]


def held_up(*steps: Step, opened: bool = True) -> list[str]:
    """What is said of what was held up, and how bad that is."""
    return [
        f"{severity}: {text}"
        for kind, severity, text in told(*steps, opened=opened)
        if kind == "HELD_UP"
    ]


def initial(window: int) -> bytes:
    return frame(SETTINGS, 0, 0, (4).to_bytes(2, "big") + window.to_bytes(4, "big"))


def ours(body: int, sent: int) -> bytes:
    """The first bytes of an answer whose message has so many."""
    return frame(DATA, 0, 1, enveloped(bytes(body))[:sent])


def rest(body: int, sent: int) -> Said:
    return False, frame(DATA, 0, 1, enveloped(bytes(body))[sent:]) + trailers(1)


ACKED = frame(SETTINGS, 1, 0)
AGREED: list[Said] = [*OPENING, (False, ACKED), (True, ACKED)]
BEGUN: list[Said] = [*AGREED, (True, ASKED), (False, response(1))]
LONG = enveloped(bytes(20_000))
PART: Said = (
    False,
    FULL[0] + FULL[1] + FULL[2] + frame(DATA, 0, 1, LONG[:16_383]),
)
REST: Said = (False, frame(DATA, 0, 1, LONG[16_383:]) + trailers(1))
ALL_ENDS: Said = (False, trailers(1))
RESET = frame(3, 0, 1, (8).to_bytes(4, "big"))
WIDE = [granted(0, 1 << 20)]
HELD: dict[str, tuple[list[Step], str, str]] = {
    "the stream's": ([*BEGUN, *WIDE, PART, 20, granted(1, 1 << 20), REST], "WARNING", "stream 1"),
    "the connection's": (
        [*BEGUN, granted(1, 1 << 20), PART, 20, granted(0, 1 << 20), REST],
        *("WARNING", "the connection"),
    ),
    "by SETTINGS": (
        [*BEGUN, *WIDE, PART, 20, (True, initial(1 << 20)), (False, ACKED), REST],
        *("WARNING", "stream 1"),
    ),
    "0 from the begin": (
        [*AGREED, (True, initial(0) + ASKED), (False, ACKED + response(1)), 20, granted(1, 99),
         rest(5, 0)],
        *("WARNING", "stream 1"),
    ),
    "0 in the first SETTINGS": (
        [(True, PREFACE + initial(0)), (False, frame(SETTINGS, 0, 0) + ACKED),
         (True, ACKED + ASKED), (False, response(1)), 20, granted(1, 99), rest(5, 0)],
        *("WARNING", "stream 1"),
    ),
    "below 0": (
        [*BEGUN, (False, ours(500, 100)), (True, initial(10)), (False, ACKED), 20,
         (True, initial(10_000)), (False, ACKED), rest(500, 100)],
        *("WARNING", "stream 1"),
    ),
    "until it was cancelled": ([*BEGUN, PART, 20, (True, RESET)], "ERROR", "stream 1"),
    "another stream": (
        [*BEGUN, (True, request(3) + frame(DATA, END_STREAM, 3, enveloped(b""))), PART,
         granted(1, 1 << 20), 20, granted(0, 1 << 20),
         (False, response(3) + frame(DATA, 0, 3, enveloped(b"7")) + trailers(3)), REST],
        *("WARNING", "the connection"),
    ),
    "what a body's length leaves": (
        [*AGREED, (True, ASKED), (False, response(1, content_type="text/x",
         content_length="70000")), (False, b"".join(frame(DATA, 0, 1, bytes(13_107)) for _ in
         range(5))), 20, (True, RESET)],
        *("ERROR", "stream 1"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HELD)
def test_a_time_in_which_nothing_might_be_sent(name: str) -> None:
    steps, severity, where = HELD[name]
    (said,) = held_up(*steps)
    assert said.startswith(f"{severity}: ")
    assert " on " + where in said
    assert "for 20" in said
    assert not held_up(*(0 if step == 20 else step for step in steps))
    assert not held_up(*steps, opened=False)


def test_a_server_that_does_not_read() -> None:
    body = enveloped(bytes(99_999))
    sent = [body[at : at + 13_107] for at in range(0, 65_535, 13_107)]
    asked = [request(1), *(frame(DATA, 0, 1, one) for one in sent)]
    answer = (False, response(1) + trailers(1, "4"))
    said = told(*AGREED, *((True, one) for one in asked), 20, answer)
    assert [kind for kind, _, _ in said] == ["HELD_UP", "APPLICATION_EXCEPTION"]
    assert "the server's answer ended that" in said[0][2]


ENOUGH: Said = (False, b"".join(FULL[:3]) + frame(DATA, 0, 1, enveloped(bytes(16_378))))
NOT_HELD: dict[str, list[Step]] = {
    "there was no more to send": [*BEGUN, ENOUGH, 20, ALL_ENDS],
    "no more than trailers, behind a grant": [*BEGUN, ENOUGH, 20, granted(1, 1 << 20), ALL_ENDS],
    "it was not waiting": [*BEGUN, ENOUGH, 20, *WIDE, granted(1, 1 << 20), 20,
                           (False, frame(DATA, 0, 1, enveloped(b"8")) + ALL_ENDS[1])],
    "it was granted before": [*AGREED, (True, ASKED), granted(1, 1 << 20), *WIDE,
                              (False, response(1)), PART, 20, REST],
    "it was granted at first": [(True, PREFACE + initial(1 << 20) + granted(0, 1 << 20)[1]),
                                (False, frame(SETTINGS, 0, 0) + ACKED), (True, ACKED + ASKED),
                                (False, response(1)), PART, 20, REST],
    "less is allowed from an ACK on": [*BEGUN, (True, initial(10)), (False, ours(500, 100)),
                                       (False, ACKED), (True, initial(10_000)), (False, ACKED), 20,
                                       rest(500, 100)],
    "a grant was missed": [*BEGUN, PART, (False, frame(DATA, 0, 1, bytes(100))), 20,
                           granted(1, 1 << 20), *WIDE, (False, REST[1])],
}  # fmt: skip


@pytest.mark.parametrize("name", NOT_HELD)
def test_a_window_at_0_that_held_nobody_up(name: str) -> None:
    assert held_up(*NOT_HELD[name]) == []


def test_a_stream_that_ended_holds_nobody() -> None:
    """Only trailers end it, and the connection's window is used up: there is nothing to send."""
    said = told(*BEGUN, ENOUGH, ALL_ENDS, 20, (True, request(3)), 20)
    assert "Flow control" not in str(said)
