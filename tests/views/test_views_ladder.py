"""A conversation as a ladder, a row a packet."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from making import ACK, CLIENT, PING, PONG, SERVER, Talk, ethernet, ipv4, packet, udp
from views_samples import crowd, lesson, odd

from pingpong.capture import Capture, Pipeline, read_packets, steps_of
from pingpong.model import Step
from pingpong.views.ladder import NO_ACKS, ladder
from pingpong.views.text import STYLES, display_width, plain

LESSON = """\
flow  client                                server
   1     │─── SYN ───────────────────────▶│
   1     │◀─────────────────── SYN ACK ───│
   1     │─── 17 bytes ──────────────────▶│  CALL ping
   1     │◀────────────────── 28 bytes ───│  REPLY ping "pong"
   1     │─── 39 bytes ──────────────────▶│  CALL login 1: "root", 2: "pwd"
   1     │◀────────────────── 38 bytes ───│  REPLY login "登录成功!"
   1     │─── FIN ───────────────────────▶│
   1     │◀─────────────────────── FIN ───│
      Empty ACKs are not drawn."""


def test_the_lesson() -> None:
    assert plain(ladder(lesson().steps)) == LESSON


def test_what_differs_from_run_to_run_is_not_drawn() -> None:
    talk = Talk(60000).open().call(PING).reply(PONG)
    other = Talk(60001).open().add(True, ACK).call(PING).add(False, ACK).add(False, ACK)
    other.reply(PONG)
    first, second = (read_packets(one.packets) for one in (talk, other))
    assert plain(ladder(first.steps)) == plain(ladder(second.steps))


def test_exact_adds_packets_times_and_ends() -> None:
    lines = plain(ladder(lesson().steps, exact=True, acks=True)).splitlines()
    assert lines[1].strip() == (
        f"flow 1: client {CLIENT}:50001, server {SERVER}:9090, 2023-11-14 22:13:20.001000 UTC"
    )
    assert lines[5] == (
        "     4    +3.00 ms     1     │─── 17 bytes ──────────────────▶│  CALL ping"
    )
    assert [line.split()[0] for line in lines[2:]] == [str(n) for n in range(1, 13)]
    assert sum(" ACK ─" in line and "SYN" not in line for line in lines) == 4
    assert NO_ACKS not in lines[-1]


def rows(capture: Capture) -> list[str]:
    return plain(ladder(capture.steps, width=200)).splitlines()


def test_what_is_odd_is_said() -> None:
    text = "\n".join(rows(odd()))
    assert "28 bytes ───│  retransmission" in text
    assert '│  EXCEPTION boom INTERNAL_ERROR (6) "Internal error"' in text
    assert '│  REPLY login 1: {1: "who?"}' in text
    assert '│  ONEWAY log 1: "x"' in text
    assert "the capture ends" in text


def test_reset() -> None:
    assert "│◀─────────────────────── RST ───│" in "\n".join(
        rows(read_packets(Talk().open().add(False, 4).packets))
    )


def test_two_messages_in_one_packet_have_two_rows() -> None:
    lines = rows(read_packets(Talk().open().call(PING + PING).packets))
    assert lines[3].endswith("│─── 34 bytes ──────────────────▶│  CALL ping")
    assert lines[4] == "         │                                │  CALL ping"


def test_connections_keep_their_numbers() -> None:
    one, two = Talk(50001).open(), Talk(50002).open()
    one.call(PING)
    two.call(PING)
    both = [packet(at, p.data) for at, p in enumerate([*one.packets, *two.packets], 1)]
    numbers = [line[3] for line in rows(read_packets(both))[1:-1]]
    assert numbers == ["1"] * 3 + ["2"] * 3
    exact = plain(ladder(read_packets(both).steps, exact=True))
    assert exact.count("flow 1: client") == exact.count("flow 2: client") == 1


def test_lost_bytes_and_what_ends_with_the_capture() -> None:
    talk = Talk().open().reply(PONG[:-3])
    assert rows(read_packets(talk.packets))[-2] == (
        '         │· · · · the capture ends · · · ·│  flow 1: REPLY ping "po" (2 bytes missing)'
    )


def test_other_packets_go_neither_way() -> None:
    lines = rows(read_packets([packet(1, ethernet(b"x" * 28, 0x806))]))
    assert "other, 42 bytes" in lines[1]
    assert not any(arrow in line for line in lines for arrow in "▶◀")


def test_datagrams_say_that_they_are() -> None:
    lines = rows(read_packets([packet(1, ethernet(ipv4(udp(2, 1, b"abc"), 17)))]))
    assert "UDP, 3 bytes ─" in lines[1]
    assert "▶" in lines[1]


def test_nothing() -> None:
    assert rows(read_packets([]))[1].strip() == "no packet"


def test_a_limit_says_how_many_are_left_out() -> None:
    lines = plain(ladder(crowd(20).steps, limit=5)).splitlines()
    assert len(lines) == 1 + 5 + 2
    assert lines[-2].strip() == "… 37 more packets, not shown"


def test_it_takes_steps_one_at_a_time() -> None:
    taken = []

    def steps() -> Iterator[Step]:
        for step in steps_of(crowd(3).packets, Pipeline()):
            taken.append(step)
            yield step

    drawn = ladder(steps())
    for _ in range(3):  # the head, SYN, SYN ACK
        next(drawn)
    assert len(taken) == 2


@pytest.mark.parametrize("exact", [False, True])
def test_lines_are_printable_no_wider_than_the_screen_and_of_known_styles(exact: bool) -> None:
    for line in ladder(odd().steps, exact=exact, acks=True):
        text = plain([line])
        assert text.isprintable()
        assert display_width(text) <= 100 or "flow 1: client" in text
        assert all(run.style in STYLES for run in line)
