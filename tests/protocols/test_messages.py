"""Ordered bytes → messages: every cut, every loss, every stumble."""

from __future__ import annotations

import pytest
from driving import BIG, lose
from hypothesis import given
from hypothesis import strategies as st
from making import ADD, PING, PONG, framed, message

from pingpong.model import DEFAULT_LIMITS, Chunk, Gap, Limits
from pingpong.protocols.encodings import compact
from pingpong.protocols.encodings.binary import write_header
from pingpong.protocols.reader import Found, MessageReader


def _rewritten(data: bytes, protocol: str) -> bytes:
    """The same message in another protocol."""
    one = message(data)
    method, mtype, seqid = one.method.encode(), int(one.type), one.seqid
    if protocol == "compact":
        return compact.write_header(method, mtype, seqid) + compact.write_struct(one.body)
    head = len(method).to_bytes(4, "big") + method + bytes((mtype,)) + seqid.to_bytes(4, "big")
    return head + data[one.header.span.stop :]


STREAMS = {
    "unframed": PING + ADD + BIG + PONG,
    "framed": framed(PING) + framed(ADD) + framed(BIG) + framed(PONG),
}
STREAMS |= {
    f"{protocol} {transport}": b"".join(
        (framed if transport == "framed" else bytes)(_rewritten(one, protocol))
        for one in (PING, ADD, BIG, PONG)
    )
    for protocol in ("old", "compact")
    for transport in ("unframed", "framed")
}
METHODS = ["ping", "add", "big", "ping"]


def feed(
    data: bytes, step: int = 0, from_start: bool = True, limits: Limits = DEFAULT_LIMITS
) -> tuple[list[Found], MessageReader]:
    reader = MessageReader(from_start, limits)
    found: list[Found] = []
    step = step or max(1, len(data))
    for at in range(0, len(data), step):
        found += reader.feed(Chunk(at, data[at : at + step], at, at))
    found += reader.close("the bytes end")
    return found, reader


def facts(found: list[Found]) -> list[tuple[object, ...]]:
    return [
        (one.header.method, one.header.type, one.header.seqid, one.offset, one.data, one.findings,
         one.gaps, one.transport)
        for one in found
    ]  # fmt: skip


@pytest.mark.parametrize("transport", STREAMS)
def test_whole(transport: str) -> None:
    found, reader = feed(STREAMS[transport])
    assert [one.header.method for one in found] == METHODS
    assert b"".join(one.data for one in found) == STREAMS[transport]
    assert {one.transport for one in found} == {transport.split()[-1]}
    assert reader.findings == []
    assert reader.detection is not None
    assert reader.detection.transport == transport.split()[-1]


@pytest.mark.parametrize("transport", STREAMS)
@pytest.mark.parametrize("step", [*range(1, 80), 500, 1448, 4000])
def test_messages_do_not_depend_on_how_the_stream_is_cut(transport: str, step: int) -> None:
    data = STREAMS[transport]
    assert facts(feed(data, step)[0]) == facts(feed(data)[0])


@pytest.mark.parametrize("transport", STREAMS)
def test_a_stream_in_two_parts_cut_anywhere(transport: str) -> None:
    data = STREAMS[transport]
    whole = facts(feed(data)[0])
    for at in [*range(1, 130), *range(len(data) - 60, len(data))]:
        reader = MessageReader(True, DEFAULT_LIMITS)
        found = reader.feed(Chunk(0, data[:at])) + reader.feed(Chunk(at, data[at:]))
        assert facts(found) == whole


def test_a_message_knows_its_packets() -> None:
    found, _ = feed(PING + ADD, 10)
    assert [one.packets for one in found] == [(0, 10), (10, 20, 30, 40)]
    assert (found[1].time, found[1].end_time) == (10, 40)


# ── Cut off ──────────────────────────────────────────────────────────────────────────


def test_every_end_of_a_message_is_told() -> None:
    for stop in range(1, len(ADD)):
        found, reader = feed(ADD[:stop])
        if stop < 8:
            # Too little to be recognised as Thrift.
            assert found == []
            assert reader.detection is not None
            assert reader.detection.transport is None
        elif stop < 15:
            assert found == []
            assert f"the {stop} bytes at stream offset" in reader.findings[0].text
            assert "no whole message header" in reader.findings[0].text
        else:
            (one,) = found
            assert one.data == ADD[:stop]
            assert one.findings[0].text == f"message cut off at offset {stop}: the bytes end"


def test_a_frame_cut_off() -> None:
    (one,), _ = feed(framed(ADD)[:-5])
    assert one.findings[0].text == "frame at offset 4: needs 30 bytes, 25 left: the bytes end"


# ── Lost bytes ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("transport", STREAMS)
def test_bytes_lost_inside_a_string(transport: str) -> None:
    data = STREAMS[transport]
    start = data.index(b"x" * 4000) + 1000
    found, reader = lose(data, start, 1500)
    assert [one.header.method for one in found] == METHODS
    assert found[2].gaps == (Gap(start - found[2].offset, 1500),)
    assert reader.findings == []


@pytest.mark.parametrize("transport", STREAMS)
@pytest.mark.parametrize("step", [0, 1, 7])
def test_bytes_lost_anywhere_cost_no_message_but_theirs(transport: str, step: int) -> None:
    """Whatever is lost, messages that were not hit come out as they were."""
    data = STREAMS[transport]
    whole = {one.offset: one for one in feed(data)[0]}
    # Old binary is found behind a loss only where it was known before.
    first = min(offset for offset in whole if offset) if transport.startswith("old") else 0
    size = 9
    # Byte by byte, which is slow, a loss at every third place will do.
    for start in range(first, 75, 3 if step == 1 else 1):
        found, _ = lose(data, start, size, step)
        for one in found:
            stop = one.offset + len(one.data)
            assert one.data[: max(0, start - one.offset)] == data[one.offset : min(stop, start)]
        hit = {
            offset
            for offset, one in whole.items()
            if offset < start + size and start < offset + len(one.data)
        }
        got = {one.offset for one in found if not one.findings and not one.gaps}
        # Behind a loss, PING or BIG have to prove themselves; ADD always can.
        assert set(whole) - hit <= got


def test_a_frame_whose_header_was_lost_ends_where_it_says() -> None:
    data = framed(PING) + framed(ADD) + framed(PONG)
    start = len(framed(PING)) + 6
    found, reader = lose(data, start, 5)
    assert [one.header.method for one in found] == ["ping", "ping"]
    assert "no whole message header" in reader.findings[0].text


def test_lost_bytes_are_not_made_up_beyond_measure() -> None:
    """A few packets that claim a long string and a long loss cost little memory."""
    head = write_header(b"m", 1, 0) + bytes.fromhex("0b000103000000")
    reader = MessageReader(True, DEFAULT_LIMITS)
    reader.feed(Chunk(0, head))
    found = reader.lose(Gap(len(head), 40_000_000))
    assert len(found[0].data) == len(head)
    assert "the capture lost 40000000 bytes here" in found[0].findings[0].text


# ── Not what it should be ────────────────────────────────────────────────────────────


@pytest.mark.parametrize("step", [0, 1, 5])
def test_a_message_that_breaks_is_given_out_and_the_next_is_found(step: int) -> None:
    broken = PING[:-1] + bytes.fromhex("08 0001 00000005 63 0002".replace(" ", ""))
    found, reader = feed(PING + broken + ADD + PONG, step)
    assert [one.header.method for one in found] == ["ping", "ping", "add", "ping"]
    assert found[1].findings[0].text.startswith("field type at offset 23: is 99, want one of")
    assert found[1].data == broken[:-2]
    assert [f.text for f in reader.findings] == [
        "skipped 2 bytes before stream offset 43: what follows is no message"
    ]


def test_a_frame_too_large_is_told_and_the_next_is_found() -> None:
    data = framed(PING) + b"\x7f\xff\xff\xff" + b"?" * 50 + framed(ADD) + framed(PONG)
    found, reader = feed(data)
    assert [one.header.method for one in found] == ["ping", "add", "ping"]
    assert "is 2147483647, want at most 16384000" in reader.findings[0].text
    assert "skipped 54 bytes" in reader.findings[1].text


def test_limits_can_be_set() -> None:
    found, reader = feed(framed(BIG) + framed(PING), limits=Limits(frame=1000))
    assert [one.header.method for one in found] == []
    assert reader.detection is not None
    found, reader = feed(PING + BIG + ADD, limits=Limits(message=1000))
    assert [one.header.method for one in found] == ["ping", "big", "add"]
    assert "is 4000, want at most 1000" in found[1].findings[0].text


# ── Mid-stream ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("transport", [name for name in STREAMS if not name.startswith("old")])
@pytest.mark.parametrize("step", [0, 1, 13])
def test_mid_stream(transport: str, step: int) -> None:
    """Wherever the capture begins, the next whole message is found, and the one after it."""
    data = STREAMS[transport]
    whole = feed(data)[0]
    # One place in the long row of x is like the other.
    first = data.index(b"x" * 4000)
    starts = [*range(1, first, 3), *range(first, first + 4000, 173)]
    starts += range(first + 4000, len(data) - 60)
    for start in starts:
        found, _ = feed(data[start:], step, from_start=False)
        got = [(one.header.method, one.offset + start, one.data) for one in found]
        want = [(one.header.method, one.offset, one.data) for one in whole if one.offset >= start]
        # The rest of a frame that lost its length still holds a message that proves itself.
        assert got[-len(want) :] == want
        assert len(got) <= len(want) + 1


def test_old_binary_is_not_guessed_in_mid_stream() -> None:
    """Its header is too weak a sign: "I don't know" is the answer."""
    found, reader = feed(STREAMS["old unframed"][3:], from_start=False)
    assert found == []
    assert reader.detection is not None
    assert reader.detection.transport is None


def test_mid_stream_foreign_bytes() -> None:
    found, reader = feed(b"GET / HTTP/1.1\r\n\r\n" * 100, from_start=False)
    assert found == []
    assert reader.findings == []
    assert reader.detection is not None
    assert reader.detection.transport is None


@pytest.mark.parametrize("size", [1100, 3000])
def test_a_message_that_does_not_end_in_its_frame_is_none(size: int) -> None:
    """However much of what follows is there when the end of the frame is."""
    head = b'[1,"ping",1,1,{"1":{"str":"'
    frame = size.to_bytes(4, "big") + (head + b"a" * size)[:size]
    data = b"noise" + frame + b"a" * 500 + b'"xx, and that is no JSON' * 9
    results = {tuple(facts(feed(data, step, False)[0])) for step in (0, 1, 7, 500, len(frame) + 5)}
    assert len(results) == 1


# ── Hostile bytes ────────────────────────────────────────────────────────────────────

PIECES = st.one_of(
    st.binary(max_size=40),
    st.sampled_from([PING, ADD, PONG, framed(PING), framed(ADD), BIG[:40], b"\x80\x01\x00\x01"]),
)


@given(st.lists(PIECES, max_size=12), st.integers(1, 50), st.booleans())
def test_any_bytes(parts: list[bytes], step: int, from_start: bool) -> None:
    """Any bytes, any cut: messages do not overlap, and none has a byte that was not there."""
    data = b"".join(parts)
    found, _ = feed(data, step, from_start)
    at = 0
    for one in found:
        assert one.offset >= at
        assert one.data == data[one.offset : one.offset + len(one.data)]
        at = one.offset + len(one.data)
    assert facts(found) == facts(feed(data, 0, from_start)[0])
