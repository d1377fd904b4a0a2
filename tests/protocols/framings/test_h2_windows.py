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
)

from pingpong import read_packets
from pingpong.model import Packet

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
    assert ("Flow control stands still" in said) is (stream >= 0)
    assert ("The client does not read" in " ".join(said.split())) is (stream >= 0)
