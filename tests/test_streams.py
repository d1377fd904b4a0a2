"""Reassembly: order, retransmission, overlap and loss; a Gap is a value, never zeros."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import ACK, FIN, PSH, RST, SYN, Talk

from pingpong.model import Chunk, Gap, Packet
from pingpong.wire.link import Peeler
from pingpong.wire.streams import MAX_WAITING, PATIENCE, Connection, Connections, Piece


def run(packets: list[Packet]) -> tuple[list[Connection], dict[bool, list[Piece]], list[str]]:
    """All connections; of the first, the pieces by direction and the remark on each packet."""
    peeler = Peeler()
    connections = Connections()
    seen: list[Connection] = []
    pieces: dict[bool, list[Piece]] = {True: [], False: []}
    remarks = []
    for packet in packets:
        segment = peeler.segment(packet)
        assert segment is not None
        connection, _ = connections.of(segment)
        if connection not in seen:
            seen.append(connection)
        client, server, remark = connection.add(segment)
        if connection is seen[0]:
            pieces[True] += client
            pieces[False] += server
        remarks.append(remark)
    client, server = seen[0].close()
    pieces[True] += client
    pieces[False] += server
    return seen, pieces, remarks


def short(pieces: list[Piece]) -> list[object]:
    """Chunks as (offset, bytes), Gaps as they are."""
    return [piece if isinstance(piece, Gap) else (piece.offset, piece.data) for piece in pieces]


def test_in_order() -> None:
    (one,), pieces, remarks = run(
        Talk().open().call(b"abc").reply(b"de").call(b"fg").close().packets
    )
    assert short(pieces[True]) == [(0, b"abc"), (3, b"fg")]
    assert short(pieces[False]) == [(0, b"de")]
    assert set(remarks) == {""}
    assert (one.flow.ended, one.flow.opened, one.flow.lost) == ("FIN", True, 0)
    assert (one.flow.sent, one.flow.received) == (5, 2)
    assert str(one.flow.client) == "10.0.0.1:50001"


def test_a_chunk_names_its_packet() -> None:
    _, pieces, _ = run(Talk().open().call(b"abc").packets)
    (chunk,) = pieces[True]
    assert isinstance(chunk, Chunk)
    assert chunk.number == 4
    assert chunk.time == 1_700_000_000_004_000_000


def test_out_of_order() -> None:
    talk = Talk().open().call(b"abc").call(b"de").call(b"fgh")
    _, pieces, remarks = run(talk.in_order(1, 2, 3, 6, 5, 4))
    assert short(pieces[True]) == [(0, b"abc"), (3, b"de"), (5, b"fgh")]
    assert remarks == ["", "", "", "out of order", "out of order", ""]


def test_retransmission() -> None:
    talk = Talk().open().call(b"abc").call(b"de")
    _, pieces, remarks = run(talk.in_order(1, 2, 3, 4, 4, 5, 4, 5))
    assert short(pieces[True]) == [(0, b"abc"), (3, b"de")]
    assert remarks[3:] == ["", "retransmission", "", "retransmission", "retransmission"]


def test_what_waits_is_kept_once() -> None:
    talk = Talk().open().call(b"abc").call(b"de")
    _, pieces, remarks = run(talk.in_order(1, 2, 3, 5, 5, 4))
    assert short(pieces[True]) == [(0, b"abc"), (3, b"de")]
    assert remarks[3:] == ["out of order", "retransmission", ""]


def test_overlap_brings_only_what_is_new() -> None:
    talk = Talk().open().call(b"abcd").add(True, ACK | PSH, b"cdef", back=2)
    _, pieces, remarks = run(talk.packets)
    assert short(pieces[True]) == [(0, b"abcd"), (4, b"ef")]
    assert remarks[-1] == "overlap"


def test_overlap_while_waiting() -> None:
    talk = Talk().open().skip(True, 2)
    talk.add(True, ACK, b"cdef").skip(True, 3).add(True, ACK, b"fgh").skip(True, -5)
    talk.add(True, ACK, b"ab")
    _, pieces, _ = run(talk.packets)
    assert short(pieces[True]) == [(0, b"ab"), (2, b"cdef"), (6, b"gh")]


def test_what_never_comes_is_a_gap() -> None:
    (one,), pieces, _ = run(Talk().open().call(b"abc").skip(True, 10).call(b"de").packets)
    assert short(pieces[True]) == [(0, b"abc"), Gap(3, 10), (13, b"de")]
    assert one.flow.lost == 10


def test_what_was_acknowledged_and_never_seen_is_a_gap() -> None:
    _, pieces, _ = run(Talk().open().skip(True, 30).reply(b"pong").packets)
    assert short(pieces[True]) == [Gap(0, 30)]
    assert short(pieces[False]) == [(0, b"pong")]


def test_the_number_of_a_fin_is_no_lost_byte() -> None:
    talk = Talk().open().call(b"abc").skip(True, 1)  # its FIN was not captured
    talk.fin(False)
    _, pieces, _ = run(talk.packets)
    assert short(pieces[True]) == [(0, b"abc")]


def test_an_acknowledged_hole_is_given_up_after_a_while() -> None:
    talk = Talk().open().call(b"abc").skip(True, 10).call(b"de")
    for _ in range(PATIENCE):
        talk.add(False, ACK)
    peeler, connections = Peeler(), Connections()
    pieces: list[Piece] = []
    for packet in talk.packets:
        segment = peeler.segment(packet)
        assert segment is not None
        pieces += connections.of(segment)[0].add(segment)[0]
    assert short(pieces) == [(0, b"abc"), Gap(3, 10), (13, b"de")]


def test_a_late_segment_is_still_welcome_before_that() -> None:
    talk = Talk().open().call(b"abc").skip(True, 2).call(b"fg")
    for _ in range(PATIENCE - 1):
        talk.add(False, ACK)
    talk.add(True, ACK, b"de", back=4)
    _, pieces, _ = run(talk.packets)
    assert short(pieces[True]) == [(0, b"abc"), (3, b"de"), (5, b"fg")]


def test_what_waits_is_bounded() -> None:
    part = bytes(60_000)
    talk = Talk().open().skip(True, 1)
    for _ in range(MAX_WAITING // len(part) + 2):
        talk.call(part)
    peeler, connections = Peeler(), Connections()
    pieces: list[Piece] = []
    for packet in talk.packets:
        segment = peeler.segment(packet)
        assert segment is not None
        pieces += connections.of(segment)[0].add(segment)[0]
    assert pieces[0] == Gap(0, 1)
    assert len(pieces) > 2


def test_a_cut_packet_leaves_a_gap() -> None:
    talk = Talk().open().call(b"abcdef").call(b"gh")
    whole = talk.packets[3]
    talk.packets[3] = Packet(4, whole.time, 1, whole.data[:-4], whole.length)
    _, pieces, _ = run(talk.packets)
    assert short(pieces[True]) == [(0, b"ab"), Gap(2, 4), (6, b"gh")]


def test_sequence_numbers_wrap() -> None:
    talk = Talk(start=2**32 - 4).open().call(b"abc").call(b"defgh").call(b"ij")
    _, pieces, _ = run(talk.in_order(1, 2, 3, 4, 6, 5))
    assert short(pieces[True]) == [(0, b"abc"), (3, b"defgh"), (8, b"ij")]


def test_mid_stream_begins_at_what_is_seen_first() -> None:
    (one,), pieces, _ = run(Talk().call(b"abc").reply(b"de").call(b"fg").packets)
    assert short(pieces[True]) == [(0, b"abc"), (3, b"fg")]
    assert not one.flow.opened
    assert one.flow.client.port == 50001


def test_reset() -> None:
    (one,), pieces, _ = run(Talk().open().call(b"abc").add(False, RST | ACK).packets)
    assert one.flow.ended == "RST"
    assert short(pieces[True]) == [(0, b"abc")]


def test_keep_alive() -> None:
    talk = Talk().open().call(b"abc").add(True, ACK, back=1)
    _, pieces, remarks = run(talk.packets)
    assert remarks[-1] == "keep-alive"
    assert short(pieces[True]) == [(0, b"abc")]


def test_data_with_syn_and_with_fin() -> None:
    talk = Talk()
    talk.add(True, SYN, b"ab")
    talk.skip(True, 3).add(True, ACK | FIN, b"cd")
    _, pieces, _ = run(talk.packets)
    assert short(pieces[True]) == [(0, b"ab"), (2, b"cd")]


def test_ports_used_again_are_a_new_connection() -> None:
    first = Talk().open().call(b"abc").close()
    second = Talk(start=900_000).open().call(b"xyz")
    seen, _, _ = run(first.packets + second.packets)
    assert [one.flow.number for one in seen] == [1, 2]
    again, _, remarks = run(first.packets[:1] + first.packets)
    assert len(again) == 1
    assert remarks[1] == "retransmission"


@given(st.data())
def test_any_order_and_any_cut_gives_the_same_bytes(data: st.DataObject) -> None:
    text = bytes(data.draw(st.lists(st.integers(0, 255), min_size=1, max_size=60)))
    cuts = sorted({0, len(text)} | set(data.draw(st.lists(st.integers(0, len(text)), max_size=8))))
    talk = Talk(start=data.draw(st.sampled_from([0, 1000, 2**32 - 20])))
    talk.open()
    for start, stop in itertools.pairwise(cuts):
        talk.call(text[start:stop])
    order = list(range(4, len(talk.packets) + 1))
    order += data.draw(st.lists(st.sampled_from(order), max_size=5))
    random.Random(data.draw(st.integers(0, 999))).shuffle(order)
    _, pieces, _ = run(talk.in_order(1, 2, 3, *order))
    assert all(isinstance(piece, Chunk) for piece in pieces[True])
    assert b"".join(piece.data for piece in pieces[True] if isinstance(piece, Chunk)) == text
    at = 0
    for piece in pieces[True]:
        assert piece.offset == at
        at += len(piece.data) if isinstance(piece, Chunk) else piece.length


@pytest.mark.parametrize("flags", range(64))
def test_any_flags(flags: int) -> None:
    talk = Talk().open().call(b"abc").add(True, flags, b"de").add(False, flags).call(b"fg")
    _, pieces, _ = run(talk.packets)
    assert pieces[True]
    at = 0
    for piece in pieces[True]:
        assert piece.offset == at
        at += len(piece.data) if isinstance(piece, Chunk) else piece.length
