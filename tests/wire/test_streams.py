"""Reassembly: order, retransmission, overlap and loss; a Gap is a value, never zeros."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import ACK, FIN, PING, PONG, PSH, RST, SYN, Talk, framed
from making import packet as made

from pingpong import Capture, read_packets
from pingpong.capture import Pipeline
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


# ── What does not end a connection ───────────────────────────────────────────────────

CALL, ANSWER = b"call", b"answer"


def carried(talk: Talk) -> tuple[list[Connection], dict[bool, bytes], list[str]]:
    seen, pieces, remarks = run(renumbered(talk.packets))
    assert all(isinstance(piece, Chunk) for way in pieces.values() for piece in way)
    both = {
        way: b"".join(piece.data for piece in pieces[way] if isinstance(piece, Chunk))
        for way in pieces
    }
    return seen, both, remarks


def renumbered(packets: list[Packet]) -> list[Packet]:
    return [made(at, one.data) for at, one in enumerate(packets, 1)]


STRAYS = {
    "far behind": (RST, -500_000_000),
    "far ahead": (RST, 1 << 30),
    "with an acknowledgement": (RST | ACK, 77_000_000),
    "a SYN-ACK of somebody else": (SYN | ACK, 123_456_789),
}


@pytest.mark.parametrize("by_client", [False, True])
@pytest.mark.parametrize("name", STRAYS)
def test_a_stray_packet_ends_nothing(name: str, by_client: bool) -> None:
    flags, off = STRAYS[name]
    talk = Talk().open().call(CALL).reply(ANSWER)
    talk.add(by_client, flags, back=-off).call(CALL).reply(ANSWER).close()
    (one,), both, remarks = carried(talk)
    assert both == {True: CALL * 2, False: ANSWER * 2}
    assert remarks[5] == "stray"
    assert (one.flow.ended, one.flow.lost, one.strays, one.first_stray) == ("FIN", 0, 1, 6)
    assert one.flow.from_client.rst == one.flow.from_server.rst == -1


def test_a_reset_before_the_handshake() -> None:
    for by_client in (True, False):
        talk = Talk().add(by_client, RST, back=4000)
        talk.open().call(CALL).reply(ANSWER).close()
        (one,), both, _ = carried(talk)
        assert both == {True: CALL, False: ANSWER}
        assert (one.flow.ended, one.flow.opened, str(one.flow.client)) == (
            "FIN", True, "10.0.0.1:50001"
        )  # fmt: skip
        assert one.flow.from_client.rst == one.flow.from_server.rst == -1
        assert one.flow.from_client.from_start


def test_who_has_reset_says_no_more() -> None:
    """The other end's bytes may have been under way."""
    talk = Talk().open().call(CALL).add(False, RST | ACK).call(CALL)
    (one,), _, _ = carried(talk)
    assert one.flow.ended == "RST"
    talk.reply(ANSWER)
    (one,), both, _ = carried(talk)
    assert one.flow.ended == ""
    assert (one.is_back, one.strays, one.first_stray) == (True, 1, 5)
    assert both == {True: CALL * 2, False: ANSWER}


def test_what_was_sent_before_a_reset_does_not_undo_it() -> None:
    talk = Talk().open().call(CALL).reply(ANSWER).add(False, RST | ACK)
    talk.add(False, ACK | PSH, ANSWER, back=len(ANSWER))
    (one,), _, remarks = carried(talk)
    assert (one.flow.ended, remarks[-1]) == ("RST", "retransmission")


def test_a_refused_connection_is_reset() -> None:
    talk = Talk().add(True, SYN)
    talk.seq[True] += 1
    talk.seq[False] = 0
    (one,), _, _ = carried(talk.add(False, RST | ACK))
    assert one.flow.ended == "RST"
    assert one.flow.from_server.rst > 0


def test_a_reset_from_an_end_that_was_not_seen() -> None:
    """The other end's acknowledgements say where it was."""
    talk = Talk().call(CALL).call(CALL)
    (one,), _, _ = carried(talk.add(False, RST))
    assert one.flow.ended == "RST"
    talk = Talk().call(CALL).call(CALL)
    (one,), _, _ = carried(talk.add(False, RST, back=1 << 29))
    assert one.flow.ended == ""


@pytest.mark.parametrize("off", [-3, 1 << 29])
def test_a_fin_that_is_not_the_end(off: int) -> None:
    talk = Talk().open().call(CALL).reply(ANSWER).add(True, FIN | ACK, back=-off)
    talk.call(CALL).reply(ANSWER).close()
    (one,), both, _ = carried(talk)
    assert both == {True: CALL * 2, False: ANSWER * 2}
    assert one.flow.ended == "FIN"


def test_a_fin_sent_again() -> None:
    talk = Talk().open().call(CALL).fin(True).add(True, FIN | ACK, back=1)
    talk.reply(ANSWER).fin(False).add(False, FIN | ACK, back=1)
    (one,), both, _ = carried(talk)
    assert both == {True: CALL, False: ANSWER}
    assert one.flow.ended == "FIN"


@pytest.mark.parametrize("order", sorted(itertools.permutations((1, 2, 3))))
@pytest.mark.parametrize("port", [50001, 80])
def test_a_handshake_in_any_order(order: tuple[int, ...], port: int) -> None:
    talk = Talk(port=port).open().call(CALL).reply(ANSWER).close()
    pipeline = Pipeline()
    for one in talk.in_order(*order, 4, 5, 6, 7, 8):
        pipeline.feed(one)
    pipeline.close()
    (flow,) = pipeline.flows
    assert str(flow.client) == f"10.0.0.1:{port}"
    assert (flow.sent, flow.received, flow.ended, flow.opened) == (4, 6, "FIN", True)
    assert flow.from_client.from_start
    assert flow.from_server.from_start


# ── A SYN that comes late ────────────────────────────────────────────────────────────

FIRST_DATA = 4  # the packets before it are the handshake


def numbered(count: int) -> Talk:
    """So many calls and replies, each with a seqid of its own."""
    talk = Talk().open()
    for seqid in range(count):
        number = seqid.to_bytes(4, "big")
        talk.call(framed(PING[:12] + number + PING[16:]))
        talk.reply(framed(PONG[:12] + number + PONG[16:]))
    return talk.close()


def told(packets: list[Packet]) -> tuple[list[tuple[str, int]], Capture]:
    capture = read_packets(packets)
    return sorted((one.type.name, one.seqid) for one in capture.messages), capture


@pytest.mark.parametrize("again", [True, False])
@pytest.mark.parametrize("first", range(FIRST_DATA, FIRST_DATA + 8))
def test_data_before_its_syn(first: int, again: bool) -> None:
    """Whether it comes again or not, whoever sent it: one connection, and all is told once."""
    talk = numbered(4)
    every = range(1, len(talk.packets) + 1)
    order = [first] + [one for one in every if again or one != first]
    want, _ = told(talk.packets)
    got, capture = told(talk.in_order(*order))
    assert got == want
    (flow,) = capture.flows
    assert (flow.opened, flow.ended, flow.lost) == (True, "FIN", 0)
    assert str(flow.client) == "10.0.0.1:50001"
    assert capture.findings == ()
    sent = {(one.from_client, one.offset) for one in capture.messages}
    assert len(sent) == len(want)  # no two stand in the same place


@pytest.mark.parametrize("cut", range(1, 21))
def test_a_message_around_what_came_before_its_syn(cut: int) -> None:
    """Its end was read before its begin came: it is cut off, and not made up."""
    one, two = framed(PING), framed(PING[:12] + b"\0\0\0\7" + PING[16:])
    talk = Talk().open().call(one[:cut]).call(one[cut:] + two).call(two).close()
    _, capture = told(talk.in_order(5, 1, 2, 3, 4, 5, 6, 7, 8, 9))
    (flow,) = capture.flows
    whole = [message.seqid for message in capture.messages if not message.findings]
    assert whole == ([7, 7] if cut > 4 else [42, 7, 7])  # of a frame's length, nothing is missed
    assert flow.lost == 0
    told_of = [one.text for one in capture.findings if "captured before its SYN" in one.text]
    assert len(told_of) == 1


def test_what_is_lost_before_what_came_before_its_syn() -> None:
    talk = numbered(4)
    order = [8, *(one for one in range(1, len(talk.packets) + 1) if one not in (6, 8))]
    got, capture = told(talk.in_order(*order))
    want, _ = told(talk.packets)
    assert got == [one for one in want if one != ("CALL", 1)]
    (flow,) = capture.flows
    assert flow.lost == flow.from_client.lost == len(framed(PING))
    assert flow.from_client.unseen == 0


@pytest.mark.parametrize("far", [10, 3_000_000])
def test_ports_used_again_behind_a_connection_without_syn(far: int) -> None:
    """A new connection may have a number that fits: it comes later."""
    first = Talk(start=900_000).open().call(CALL)
    second = Talk(start=900_000 - far).open().call(CALL)
    late = [
        Packet(one.number, one.time + (2_000_000_000 if far == 10 else 0), 1, one.data, one.length)
        for one in second.packets
    ]
    seen, _, _ = run(first.packets[3:] + late)
    assert [one.flow.number for one in seen] == [1, 2]


def test_bytes_in_mid_stream_behind_those_that_follow_them_are_said_to_be_missed() -> None:
    talk = numbered(4)
    got, capture = told(talk.in_order(6, 4, 5, 7, 8, 9, 10, 11))
    assert ("CALL", 0) not in got
    size = len(framed(PING))
    assert [one.text for one in capture.findings] == [
        f"flow 1, from the client: {size} bytes at its beginning were captured behind those that "
        "follow them, and were not read"
    ]


@given(st.data())
def test_any_order_of_a_whole_connection_gives_each_byte_once(data: st.DataObject) -> None:
    talk = numbered(3)
    order = list(range(2, len(talk.packets) - 2))  # FINs and what is behind them stay away
    moved = data.draw(st.permutations(order))
    again = data.draw(st.lists(st.sampled_from(order), max_size=4))
    got, capture = told(talk.in_order(*again, 1, *moved))
    assert len(capture.flows) == 1
    assert len(set(got)) == len(got)
    want, _ = told(talk.packets)
    assert set(got) <= set(want)


# ── What is known of a direction that was not seen ───────────────────────────────────


def one_way(talk: Talk, by_client: bool) -> list[Packet]:
    port = talk.port.to_bytes(2, "big")
    return renumbered([one for one in talk.packets if (one.data[34:36] == port) == by_client])


@pytest.mark.parametrize("by_client", [False, True])
@pytest.mark.parametrize("with_syn", [False, True])
def test_one_direction_alone(by_client: bool, with_syn: bool) -> None:
    talk = Talk().open()
    if not with_syn:
        talk.packets.clear()
    talk.call(CALL).reply(ANSWER).call(b"").call(CALL).reply(ANSWER).call(b"").reply(b"").close()
    pipeline = Pipeline()
    for one in one_way(talk, by_client):
        pipeline.take(one)
    pipeline.close()
    (flow,) = pipeline.flows
    ours, theirs = flow.from_client, flow.from_server
    if not by_client:
        ours, theirs = theirs, ours
    assert ours.seen > 0
    assert theirs.seen == -1
    size = len(ANSWER if by_client else CALL) * 2
    # The first acknowledgement is where counting begins; the last may count the FIN.
    assert theirs.acked in (size, size + 1, size // 2, size // 2 + 1)
    assert ours.acked == 0


def test_acknowledged_bytes_are_counted() -> None:
    pipeline = Pipeline()
    for one in Talk().open().call(CALL).reply(ANSWER).call(CALL).close().packets:
        pipeline.take(one)
    pipeline.close()
    (flow,) = pipeline.flows
    assert (flow.from_client.acked, flow.from_server.acked) == (8, 6)


# ── NAT ──────────────────────────────────────────────────────────────────────────────


def translated(talk: Talk, address: str, port: int | None = None) -> list[Packet]:
    """The packets, with the client at another address: what stands behind a NAT."""
    old, new = bytes((10, 0, 0, 1)), bytes(int(part) for part in address.split("."))
    out = []
    for one in talk.packets:
        data = one.data[:26] + one.data[26:34].replace(old, new) + one.data[34:]
        if port is not None:
            ports = data[34:38].replace(talk.port.to_bytes(2, "big"), port.to_bytes(2, "big"))
            data = data[:34] + ports + data[38:]
        out.append(made(one.number, data))
    return out


def natted(number: int, talk: Talk, port: int | None = None) -> Pipeline:
    """Every packet twice, before and behind a NAT, with so many as IP's identification."""
    pipeline = Pipeline()
    for at, (one, other) in enumerate(
        zip(talk.packets, translated(talk, "192.0.2.9", port), strict=True)
    ):
        for copy in (one, other):
            data = copy.data[:18] + number.to_bytes(2, "big") + copy.data[20:]
            pipeline.take(made(at, data))
    pipeline.close()
    return pipeline


def test_a_connection_before_and_behind_a_nat_is_said_to_be_one() -> None:
    talk = Talk().open().call(CALL).reply(ANSWER).close()
    for pipeline in (natted(0, talk), natted(777, talk, 61000)):
        first, second = pipeline.flows
        assert (first.copy_of, second.copy_of) == (0, 1)
        (finding,) = [one for one in pipeline.findings if "NAT" in one.text]
        assert "carries the same bytes as flow 1 (10.0.0.1:50001 to 10.0.0.2:9090)" in finding.text


def test_two_clients_are_two() -> None:
    # Another port, and nothing that says that the packets are the same.
    talk = Talk().open().call(CALL).reply(ANSWER).close()
    pipeline = natted(0, talk, 61000)
    assert [flow.copy_of for flow in pipeline.flows] == [0, 0]
    # One after the other.
    pipeline = Pipeline()
    for one in renumbered(talk.packets + translated(talk, "192.0.2.9")):
        pipeline.take(one)
    pipeline.close()
    assert [flow.copy_of for flow in pipeline.flows] == [0, 0]
