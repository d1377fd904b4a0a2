"""Frames of HTTP/2: tables of bytes and meanings, another's library, real captures, and where
frames begin in bytes that nobody announced."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pingpong.model import Chunk, Gap, Note, Span
from pingpong.protocols.explain import check_cover
from pingpong.protocols.framings import h2
from pingpong.protocols.framings.h2 import (
    ACK,
    CONTINUATION,
    DATA,
    END_HEADERS,
    ERROR_NAMES,
    FRAME_NAMES,
    GOAWAY,
    HEAD,
    HEADERS,
    MAX_FRAME,
    PADDED,
    PING,
    PREFACE,
    PUSH_PROMISE,
    RST_STREAM,
    SETTINGS,
    SETTINGS_NAMES,
    WINDOW_UPDATE,
    Frame,
    Parts,
    faults,
    find_frames,
    flag_names,
    may_be_frame,
    note_of_preface,
    notes_of_frame,
    parts,
    placed,
    read_frame,
    settings,
)
from pingpong.protocols.framings.hpack import DynamicTable, notes_of_block, read_block
from pingpong.wire.capturefile import open_capture
from pingpong.wire.link import Peeler
from pingpong.wire.streams import Connections

hyperframe = pytest.importorskip("hyperframe.frame", reason="the library hyperframe is the witness")
hpack = pytest.importorskip("hpack", reason="the library hpack is the witness")
from hyperframe.exceptions import HyperframeError  # noqa: E402

ROOT = Path(__file__).resolve().parents[3]


def raw(text: str) -> bytes:
    return bytes.fromhex(text.replace(" ", "").replace("|", ""))


def made(kind: int, flags: int = 0, stream: int = 1, payload: bytes = b"") -> bytes:
    head = len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big")
    return head + payload


def head_of(data: bytes, at: int = 0) -> Frame:
    frame = read_frame(data, at, len(data))
    assert frame is not None
    return frame


def noted(data: bytes) -> list[tuple[int, str, str, str]]:
    """Size, label, meaning and why of each note, of which each byte has one."""
    notes = notes_of_frame(data, 0, len(data))
    check_cover(notes, len(data))
    return [(len(note.span), note.label, note.meaning, note.why) for note in notes]


def wrong(data: bytes, most: int = MAX_FRAME) -> list[str]:
    return faults(data, head_of(data), len(data), most)


# ── Heads ────────────────────────────────────────────────────────────────────────────


def test_a_head() -> None:
    data = raw("000102 01 2d 80000003") + bytes(0x102)
    frame = head_of(data)
    assert frame == Frame(0, 0x102, HEADERS, 0x2D, 3, True)
    assert (frame.inside, frame.stop, frame.name) == (9, len(data), "HEADERS")
    assert read_frame(data, 0, 8) is None
    assert head_of(b"?" + data, 1).start == 1


def test_flags_have_names() -> None:
    assert flag_names(HEADERS, 0x2D) == ["END_STREAM", "END_HEADERS", "PADDED", "PRIORITY"]
    assert flag_names(SETTINGS, ACK) == ["ACK"]
    assert flag_names(WINDOW_UPDATE, 1) == ["0x01"]
    assert flag_names(99, 0) == []


def test_names_are_the_librarys() -> None:
    errors = pytest.importorskip("h2.errors")
    assert {int(code): code.name for code in errors.ErrorCodes} == ERROR_NAMES
    for kind, known in hyperframe.FRAMES.items():
        ours = {(name, flag) for flag, name in h2._FLAG_NAMES.get(kind, {}).items()}
        assert {(flag.name, flag.bit) for flag in known.defined_flags} == ours or kind > 9
        assert FRAME_NAMES[kind].replace("_", "") == known.__name__[:-5].upper()
    codes = pytest.importorskip("h2.settings").SettingCodes
    for code in codes:
        assert SETTINGS_NAMES[int(code)] == code.name


# ── Parts ────────────────────────────────────────────────────────────────────────────


def test_parts_of_headers() -> None:
    data = made(HEADERS, 0x2C, 3, raw("02 | 80000001 0f | 82 86 | 0000"))
    found = parts(data, head_of(data), len(data))
    assert found.pad_length == Span(9, 10)
    assert found.priority == Span(10, 15)
    assert found.promised is None
    assert (found.content, found.padding) == (Span(15, 17), Span(17, 19))
    assert (found.lost, found.fault) == (0, "")
    assert wrong(data) == []


def test_parts_of_a_push_promise() -> None:
    data = made(PUSH_PROMISE, 0x0C, 1, raw("01 | 00000002 | 82 | 00"))
    found = parts(data, head_of(data), len(data))
    assert (found.pad_length, found.promised) == (Span(9, 10), Span(10, 14))
    assert (found.content, found.padding) == (Span(14, 15), Span(15, 16))


def test_parts_of_what_is_not_all_there() -> None:
    data = made(HEADERS, 0x2C, 3, raw("02 | 80000001 0f | 82 86 | 0000"))
    for stop in range(HEAD, len(data)):
        found = parts(data, head_of(data), stop)
        assert found.lost == len(data) - stop
        assert found.fault == ""
        assert found.padding.stop == stop
        assert (found.priority is not None) == (stop >= 15)
    assert parts(data, head_of(data), 16).content == Span(15, 16)


# ── What is wrong ────────────────────────────────────────────────────────────────────

WRONG = {
    "PING of 7": (made(PING, 0, 0, bytes(7)), "its length is 7, want 8"),
    "RST of 5": (made(RST_STREAM, 0, 1, bytes(5)), "its length is 5, want 4"),
    "PRIORITY of 4": (made(2, 0, 1, bytes(4)), "its length is 4, want 5"),
    "PRIORITY of itself": (made(2, 0, 3, raw("00000003 00")), "stream 3 depends on itself"),
    "WINDOW_UPDATE of 3": (made(WINDOW_UPDATE, 0, 0, bytes(3)), "its length is 3, want 4"),
    "no increment": (
        made(WINDOW_UPDATE, 0, 0, raw("80000000")),
        "its increment is 0, want at least 1",
    ),
    "SETTINGS of 7": (made(SETTINGS, 0, 0, bytes(7)), "its length is 7, want a multiple of 6"),
    "SETTINGS of a stream": (
        made(SETTINGS, 0, 1),
        "it is on stream 1, and belongs to the connection: stream 0",
    ),
    "ACK with content": (made(SETTINGS, ACK, 0, bytes(6)), "it is an ACK, and has 6 bytes, want 0"),
    "ENABLE_PUSH": (
        made(SETTINGS, 0, 0, raw("0002 00000002")),
        "ENABLE_PUSH is 2, want 0 or 1",
    ),
    "large window": (
        made(SETTINGS, 0, 0, raw("0004 80000000")),
        "INITIAL_WINDOW_SIZE is 2147483648, want at most 2147483647",
    ),
    "small frames": (
        made(SETTINGS, 0, 0, raw("0005 00003fff")),
        "MAX_FRAME_SIZE is 16383, want 16384 to 16777215",
    ),
    "GOAWAY of 7": (made(GOAWAY, 0, 0, bytes(7)), "its length is 7, want at least 8"),
    "DATA of stream 0": (made(DATA, 0, 0), "it is on stream 0, and belongs to a stream of its own"),
    "no pad length": (
        made(DATA, PADDED),
        "it is PADDED, and there is no byte for the length of the padding",
    ),
    "padding over": (made(DATA, PADDED, 1, raw("03 6100")), "it has 2 bytes for 3 of padding"),
    "padding of a priority": (
        made(HEADERS, 0x28, 3, raw("01 00000000 00")),
        "it has 0 bytes for 1 of padding",
    ),
    "padding not zero": (made(DATA, PADDED, 1, raw("01 61 01")), "its padding is not all zeros"),
    "half a priority": (
        made(HEADERS, 0x20, 3, raw("00000000")),
        "it needs 5 bytes for a priority, and has 4",
    ),
    "no promise": (
        made(PUSH_PROMISE, 0, 1, raw("0000")),
        "it needs 4 bytes for the promised stream, and has 2",
    ),
    "odd promise": (
        made(PUSH_PROMISE, 0, 1, raw("00000003")),
        "it promises stream 3, want an even number above 0",
    ),
    "too long": (
        made(DATA, 0, 1, bytes(16_385)),
        "its length is 16385, and the receiver takes 16384 at most",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said(name: str) -> None:
    data, said = WRONG[name]
    assert wrong(data) == [said]
    assert noted(data)  # every byte has a note all the same


RIGHT = {
    "empty DATA": made(DATA),
    "padding alone": made(DATA, PADDED, 1, raw("02 0000")),
    "SETTINGS ACK": made(SETTINGS, ACK, 0),
    "unknown type": made(99, 0xFF, 7, b"anything"),
    "unknown setting": made(SETTINGS, 0, 0, raw("5a5a ffffffff")),
    "GOAWAY": made(GOAWAY, 0, 0, bytes(8)),
    "WINDOW_UPDATE of a stream": made(WINDOW_UPDATE, 0, 5, raw("00000001")),
}


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_right(name: str) -> None:
    assert wrong(RIGHT[name]) == []
    assert noted(RIGHT[name])


def test_the_receiver_says_how_long_a_frame_may_be() -> None:
    assert wrong(made(DATA, 0, 1, bytes(16_385)), 16_385) == []


# ── Notes ────────────────────────────────────────────────────────────────────────────


def test_notes_of_settings() -> None:
    data = made(SETTINGS, 0, 0, raw("0003 00000064 | fe03 00000001 | 0002 00000007"))
    assert noted(data) == [
        (3, "frame length", "18", "Bytes of payload behind these nine."),
        (1, "frame type", "4 SETTINGS", "What this end wants of the other."),
        (1, "flags", "0x00", ""),
        (4, "stream id", "0", "0: the connection as a whole."),
        (
            *(2, "setting", "3 MAX_CONCURRENT_STREAMS"),
            "Streams that the other may have open at once.",
        ),
        (4, "value", "100", ""),
        (
            *(2, "setting", "65027 GRPC_ALLOW_TRUE_BINARY_METADATA"),
            "1: values of -bin headers may travel as they are, without base64 (gRPC).",
        ),
        (4, "value", "1", ""),
        (2, "setting", "2 ENABLE_PUSH", "Whether the server may push: 1 yes, 0 no."),
        (4, "value", "7", "ENABLE_PUSH is 7, want 0 or 1."),
    ]
    assert settings(data, 9, len(data)) == [(3, 100), (0xFE03, 1), (2, 7)]


def test_notes_of_goaway() -> None:
    data = made(GOAWAY, 0, 0, raw("7fffffff 0000000b") + b"too_many_pings")
    assert noted(data)[4:] == [
        (4, "last stream", "2147483647", "The highest there is: which was the last is told later."),
        (4, "error code", "11 ENHANCE_YOUR_CALM", "The other end makes too much work."),
        (14, "debug data", '"too_many_pings"', "Why, in the sender's words."),
    ]
    binary = made(GOAWAY, 0, 0, bytes(8) + b"\xff\x00")
    assert noted(binary)[-1] == (2, "debug data", "2 bytes: ff 00", "Not UTF-8: binary data.")


def test_notes_of_the_others() -> None:
    assert noted(made(PING, ACK, 0, bytes(range(8))))[2:] == [
        (1, "flags", "0x01 ACK", "ACK: the answer to the other's."),
        (4, "stream id", "0", "0: the connection as a whole."),
        (8, "opaque data", "00 01 02 03 04 05 06 07", "Any 8 bytes; the answer has the same."),
    ]
    assert noted(made(RST_STREAM, 0, 3, raw("00000008")))[3:] == [
        (4, "stream id", "3", "The number of the request: the client opened it."),
        (4, "error code", "8 CANCEL", "The stream is no longer wanted."),
    ]
    assert noted(made(WINDOW_UPDATE, 0, 3, raw("00000005")))[-1] == (
        *(4, "window increment", "5"),
        "Bytes more that the other end may send on stream 3.",
    )
    assert noted(made(2, 0, 3, raw("80000001 0f")))[-2:] == [
        (4, "depends on stream", "1", "Exclusive. Priorities of this kind are no longer used."),
        (1, "weight", "16", "The byte and 1."),
    ]
    assert noted(made(DATA, PADDED | 1, 4, raw("02 | 6162 | 0000")))[2:] == [
        (
            *(1, "flags", "0x09 END_STREAM, PADDED"),
            "END_STREAM: this side of the stream says no more.",
        ),
        (4, "stream id", "4", "The number of the request: the server opened it."),
        (1, "pad length", "2", "Bytes of padding at the frame's end."),
        (2, "data", "2 bytes", ""),
        (2, "padding", "2 bytes", "It hides how long the content is."),
    ]
    assert noted(made(99, 4, 0, b"abc"))[1:] == [
        (1, "frame type", "99 unknown", "Who does not know a type passes over it."),
        (1, "flags", "0x04 0x04", ""),
        (4, "stream id", "0", "0: the connection as a whole."),
        (3, "payload", "3 bytes", ""),
    ]


def test_the_preface_has_a_note() -> None:
    check_cover([note_of_preface()], len(PREFACE))


def test_headers_over_several_frames() -> None:
    """A line that goes over the end of a frame has a note in each."""
    block = raw("82 86 84 41 8c f1e3c2e5f23a6ba0ab90f4ff")
    data = made(HEADERS, 0x28, 1, raw("01 00000000 0f") + block[:7] + b"\0")
    data += made(CONTINUATION, 0, 1, b"") + made(CONTINUATION, END_HEADERS, 1, block[7:])
    frames, at = [], 0
    while at < len(data):
        frames.append(head_of(data, at))
        at = frames[-1].stop
    fragments = [parts(data, frame, len(data)).content for frame in frames]
    read = read_block(
        b"".join(span.of(data) for span in fragments), 0, len(block), DynamicTable(), 0
    )
    inner = placed(notes_of_block(read), fragments)
    notes: list[Note] = []
    for frame, mine in zip(frames, inner, strict=True):
        notes += notes_of_frame(data, frame.start, len(data), mine)
    check_cover(notes, len(data))
    assert [note.meaning for note in inner[0]][-1] == '"www.example.com"'
    assert [(note.label, note.meaning) for note in inner[2]] == [("value", "goes on")]


FLAGS = st.sampled_from([0, 1, 4, 5, 8, 0x0C, 0x20, 0x28, 0x2D, 0xFF])
KINDS = st.one_of(st.integers(0, 10), st.integers(0, 255))
PAYLOADS = st.one_of(st.binary(max_size=20), st.sampled_from([bytes(n) for n in (4, 5, 6, 8, 12)]))
FRAMES = st.builds(made, KINDS, FLAGS, st.integers(0, 4), PAYLOADS)


@given(FRAMES, st.integers(0, 40), st.binary(max_size=4))
def test_every_byte_has_a_note(data: bytes, stop: int, behind: bytes) -> None:
    assert sum(size for size, *_ in noted(data)) == len(data)
    assert notes_of_frame(data + behind, 0, len(data + behind)) == notes_of_frame(
        data, 0, len(data)
    )
    cut = data[:stop]
    if cut:
        noted(cut)
        if len(cut) >= HEAD:
            faults(cut, head_of(cut), len(cut))


# ── Another's library ────────────────────────────────────────────────────────────────


@given(FRAMES)
def test_the_library_reads_the_same(data: bytes) -> None:
    frame = head_of(data)
    said = faults(data, frame, len(data))
    body = memoryview(data)[HEAD:]
    try:
        theirs, length = hyperframe.Frame.parse_frame_header(memoryview(data[:HEAD]))
        theirs.parse_body(body)
    except HyperframeError:
        assert said or frame.kind > CONTINUATION
        return
    assert (frame.length, frame.stream) == (length, theirs.stream_id)
    if said or frame.kind > CONTINUATION:
        return
    assert set(flag_names(frame.kind, frame.flags)) >= set(theirs.flags)
    check_parts(data, parts(data, frame, len(data)), theirs)
    if frame.kind == SETTINGS:
        assert dict(settings(data, HEAD, len(data))) == theirs.settings


def check_parts(data: bytes, found: Parts, theirs: Any) -> None:
    if hasattr(theirs, "data"):
        assert found.content.of(data) == theirs.data
    if found.pad_length is not None:
        assert len(found.padding) == theirs.pad_length
    if found.promised is not None:
        assert int.from_bytes(found.promised.of(data), "big") & 0x7FFFFFFF == (
            theirs.promised_stream_id
        )
    if found.priority is not None:
        assert int.from_bytes(found.priority.of(data)[:4], "big") & 0x7FFFFFFF == theirs.depends_on
        assert found.priority.of(data)[4] == theirs.stream_weight


# ── Where frames begin ───────────────────────────────────────────────────────────────

THREE = made(DATA, 0, 3, b"x" * 30) + made(PING, 0, 0, bytes(8)) + made(DATA, 1, 3, b"y" * 9)


def test_three_in_a_row_are_found() -> None:
    for before in (b"", b"\0", b"\0" * 50, b"abc" * 20, bytes(range(256))):
        data = before + THREE
        assert find_frames(data, 0, len(data), False) == (len(before), True)


@pytest.mark.parametrize("cut", range(1, len(THREE)))
def test_where_frames_begin_does_not_depend_on_the_cut(cut: int) -> None:
    data = b"\1\2\3" * 7 + THREE
    at, found = find_frames(data, 0, cut, False)
    if not found:
        assert at <= cut
        at, found = find_frames(data, at, len(data), False)
    assert (at, found) == (21, True)


def test_a_head_that_ends_where_another_does() -> None:
    """Before the true ones stands what looks like one, which passes over some of them."""
    for false in (raw("00 0000"), raw("00 0000 00 00 00000007")[:5]):
        data = false + THREE
        assert find_frames(data, 0, len(data), False) == (len(false), True)
    ping = made(PING, 0, 0, bytes(8))
    for count, place in ((1, 9 + 17), (2, 9 + 34), (3, 9), (9, 9)):
        false = made(DATA, 0, 0x0F0A0D, ping * count)
        data = false + ping * 3
        assert find_frames(data, 0, len(data), False) == (place, True)


def test_an_empty_frame_is_no_beginning() -> None:
    data = raw("000000 00 01 00000005") + THREE
    assert find_frames(data, 0, len(data), False) == (9, True)


def test_two_and_the_end() -> None:
    two = made(DATA, 0, 3, b"x" * 30) + made(PING, 0, 0, bytes(8))
    assert find_frames(b"??" + two, 0, 2 + len(two), True) == (2, True)
    assert find_frames(b"??" + two, 0, 2 + len(two), False) == (2, False)
    # One head proves nothing, and neither do two that end elsewhere.
    one = made(PING, 0, 0, bytes(8))
    assert find_frames(b"??" + one, 0, 2 + len(one), True) == (2 + len(one), False)
    assert find_frames(two[:-1], 0, len(two) - 1, True) == (len(two) - 1, False)


@pytest.mark.parametrize(
    "text",
    [
        *("004001 00 00 00000001", "000000 0a 00 00000001", "000000 00 00 80000001"),
        *("000000 00 00 00000000", "000007 06 00 00000000", "000008 06 00 00000001"),
        *("000001 04 00 00000000", "000006 04 01 00000000", "000000 04 00 00000001"),
        *("000003 08 00 00000000", "000005 03 00 00000001", "000004 02 00 00000001"),
        *("000007 07 00 00000000", "000000 00 08 00000001", "000004 01 20 00000001"),
        *("000003 05 00 00000001", "000000 00 02 00000001"),
    ],
)
def test_what_cannot_be_a_frame(text: str) -> None:
    assert not may_be_frame(raw(text), 0)


@given(FRAMES)
def test_what_is_right_may_be_a_frame(data: bytes) -> None:
    frame = head_of(data)
    if frame.kind <= CONTINUATION and not faults(data, frame, len(data)):
        unknown = any(name.startswith("0x") for name in flag_names(frame.kind, frame.flags))
        assert may_be_frame(data, 0) is not unknown


@given(st.binary(max_size=60), st.booleans())
def test_a_search_ends_and_goes_on(data: bytes, ended: bool) -> None:
    at, found = find_frames(data, 0, len(data), ended)
    assert 0 <= at <= len(data)
    if found:
        assert may_be_frame(data, at)
    elif ended:
        assert at == len(data)


NOISE = {
    "zeros": bytes(30_000),
    "heads of nothing": made(DATA, 0, 1) * 1 + b"\0" * 9,
    "two, then none": (made(DATA, 0, 1) * 2 + b"\xff") * 1000,
    "heads inside of heads": raw("000000 01 00 00000001") * 2 + b"\xff",
    "ones": b"\1" * 30_000,
    "a payload that leads elsewhere": made(DATA, 0, 1, made(DATA, 0, 1, b"?") * 200 + b"?")
    + made(PING, 0, 0, bytes(8)) * 3,
}


@pytest.mark.usefixtures("plain_python")
@pytest.mark.parametrize("name", NOISE)
@pytest.mark.parametrize("step", [1, 7, 100_000])
def test_no_place_is_looked_at_often(name: str, step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """However the bytes come: each place once, and once more for each time that more come."""
    data, looks = NOISE[name][:3000], 0

    def counting(data: bytes, at: int, most: int = MAX_FRAME) -> bool:
        nonlocal looks
        looks += 1
        return may_be_frame(data, at, most)

    monkeypatch.setattr(h2, "may_be_frame", counting)
    at, calls = 0, 0
    for stop in [*range(step, len(data), step), len(data)]:
        at, found = find_frames(data, at, stop, stop == len(data))
        calls += 1
        if found:
            break
    assert looks <= h2.IN_A_ROW * (len(data) + 2 * calls) + len(data)


# ── Captures ─────────────────────────────────────────────────────────────────────────

RELATIVES = (
    *("grpc_py_rich", "grpc_node_rich", "h2_nghttp", "triple_java_rich", "grpc_py_many"),
    *("grpc_node_gzip", "grpc_py_goaway", "grpc_py_stream", "grpc_toomanypings", "triple_py_rich"),
)


@pytest.fixture(scope="session")
def relatives() -> Path:
    path = ROOT.parent / "shared/captures/relatives"
    if not path.is_dir():
        pytest.skip(f"captures of other protocols are not on this machine (looked in {path})")
    return path


def connections(path: Path) -> list[tuple[bytes, bytes]]:
    """The bytes of both directions of each connection of which none are missing."""
    peeler, known = Peeler(), Connections()
    sent: dict[int, tuple[bytearray, bytearray]] = {}
    broken = set()
    with open_capture(path) as file:
        for packet in file:
            segment = peeler.segment(packet)
            if segment is None:
                continue
            one, _ = known.of(segment)
            both = sent.setdefault(id(one), (bytearray(), bytearray()))
            for data, pieces in zip(both, one.add(segment)[:2], strict=True):
                for piece in pieces:
                    if isinstance(piece, Gap):
                        broken.add(id(one))
                    else:
                        assert isinstance(piece, Chunk)
                        data += piece.data
    return [(bytes(one), bytes(other)) for key, (one, other) in sent.items() if key not in broken]


def frames_of(data: bytes, at: int) -> Iterator[Frame]:
    while at + HEAD <= len(data):
        frame = head_of(data, at)
        yield frame
        at = frame.stop


def table_sizes(data: bytes, at: int) -> list[int]:
    """What each of the SETTINGS of one end says of the other's table, 4096 if nothing."""
    out, now = [], 4096
    for frame in frames_of(data, at):
        if frame.kind == SETTINGS and not frame.flags & ACK:
            now = dict(settings(data, frame.inside, frame.stop)).get(1, now)
            out.append(now)
    return out


def check_direction(data: bytes, at: int, theirs: list[int], most: int) -> int:
    """Every frame and every header as the libraries have them; how many blocks there were."""
    table, decoder = DynamicTable(), hpack.Decoder(1 << 24)
    allowed = iter(theirs)
    fragments: list[Span] = []
    frames: list[Frame] = []
    blocks, end = 0, at
    notes: list[Note] = []
    for frame in frames_of(data, at):
        assert faults(data, frame, len(data), most) == []
        known, _ = hyperframe.Frame.parse_frame_header(memoryview(data)[frame.start : frame.inside])
        found = parts(data, frame, len(data))
        end = frame.stop
        if not found.lost:
            known.parse_body(memoryview(data)[frame.inside : frame.stop])
            check_parts(data, found, known)
        if frame.kind == SETTINGS and frame.flags & ACK:
            table.allow(next(allowed))
            decoder.max_allowed_table_size = table.allowed
        if frame.kind not in (HEADERS, PUSH_PROMISE, CONTINUATION) or found.lost:
            notes += notes_of_frame(data, frame.start, len(data))
            continue
        frames.append(frame)
        fragments.append(found.content)
        if not frame.flags & END_HEADERS:
            continue
        joined = b"".join(span.of(data) for span in fragments)
        block = read_block(joined, 0, len(joined), table, frame.start)
        assert (block.error, block.warnings) == (None, [])
        wanted = [(bytes(name), bytes(value)) for name, value in decoder.decode(joined, raw=True)]
        assert block.headers == wanted
        inner = placed(notes_of_block(block), fragments)
        for one, mine in zip(frames, inner, strict=True):
            notes += notes_of_frame(data, one.start, len(data), mine)
        frames, fragments = [], []
        blocks += 1
    if end <= len(data):
        check_cover([Note(Span(0, at), "frame", "before", "")] * (at > 0) + notes, end)
    return blocks


@pytest.mark.parametrize("name", RELATIVES)
def test_real_connections(name: str, relatives: Path) -> None:
    blocks = 0
    for client, server in connections(relatives / f"{name}.pcap"):
        if not client.startswith(PREFACE):
            continue
        at = len(PREFACE)
        sizes = [4_194_304, 1 << 24]
        blocks += check_direction(client, at, table_sizes(server, 0), max(sizes))
        blocks += check_direction(server, 0, table_sizes(client, at), max(sizes))
    assert blocks > 1


@pytest.mark.parametrize("name", RELATIVES)
def test_real_connections_in_mid_stream(name: str, relatives: Path) -> None:
    """Begun anywhere, also inside of frames, the search finds none but true beginnings."""
    searches, late = 0, 0
    whole = [both for both in connections(relatives / f"{name}.pcap") if both[0][:24] == PREFACE]
    for client, server in whole[:4]:
        for data, at in ((client, len(PREFACE)), (server, 0)):
            frames = list(frames_of(data, at))
            true = {frame.start for frame in frames}
            for start in range(at + 1, len(data), max(1, len(data) // 60)):
                place, found = find_frames(data, start, len(data), True)
                assert not found or place in true
                searches += 1
                passed = [one for one in frames if start <= one.start < place]
                if any(one.stream and one.stream % 2 == 0 for one in passed):
                    continue  # pushed: not looked for
                late += sum(one.length > 0 for one in passed[:-1])
                if not found:
                    # Long frames prove nothing, nor do two and a half.
                    passed = [one for one in passed if one.length <= MAX_FRAME]
                    assert len(passed) <= 3
    assert searches
    assert late <= searches  # little is passed over


def blocks_of(data: bytes, at: int) -> list[bytes]:
    """The header blocks of one direction."""
    blocks: list[bytes] = []
    is_open = False
    for frame in frames_of(data, at):
        if frame.kind in (HEADERS, CONTINUATION):
            content = parts(data, frame, len(data)).content.of(data)
            blocks[-1:] = [blocks[-1] + content] if is_open else [*blocks[-1:], content]
            is_open = not frame.flags & END_HEADERS
    return blocks


@pytest.mark.parametrize("name", ["grpc_node_rich", "triple_java_rich", "grpc_py_rich"])
def test_headers_of_a_real_connection_cut_anywhere(name: str, relatives: Path) -> None:
    known = 0
    for client, server in connections(relatives / f"{name}.pcap"):
        for data, at in ((client, len(PREFACE)), (server, 0)):
            blocks = blocks_of(data, at)
            for first in range(len(blocks)):
                whole, late = DynamicTable(), DynamicTable(is_whole=False)
                for number, block in enumerate(blocks):
                    right = read_block(block, 0, len(block), whole, number)
                    if number < first:
                        continue
                    mine = read_block(block, 0, len(block), late, number)
                    assert mine.error is None
                    for one, other in zip(mine.lines, right.lines, strict=True):
                        assert one.name in (None, other.name)
                        assert one.value in (None, other.value)
                        if other.added is None or other.added >= first:
                            assert one.value == other.value
                            known += 1
    assert known
