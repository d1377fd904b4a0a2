"""Frames of HTTP/2 (RFC 9113): what each says, and where the next one begins.

    ┌────────────┬──────┬───────┬─┬─────────────┬───────────────────────────────
    │ length, 24 │ type │ flags │R│ stream id   │ payload: ``length`` bytes
    └────────────┴──────┴───────┴─┴─────────────┴───────────────────────────────
     0            3      4       5                9

    DATA, HEADERS, PUSH_PROMISE     [pad length] [priority | promised stream] content [padding]

The client sends PREFACE first, then frames; the server sends frames only.  All numbers are
big-endian and unsigned.  Sections in comments are the RFC's.

Nothing here has state and nothing raises: a frame is read by itself, and what is wrong with it is
said in words.  Which frame may follow which, and what its headers mean, is for the reader of the
connection.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Final

from ...model import Facts, Note, Span
from ...wire.link import number as u32
from ..purposes import counted

if TYPE_CHECKING:
    from mypy_extensions import i64

__all__ = [
    "ACK",
    "CONTINUATION",
    "DATA",
    "END_HEADERS",
    "END_STREAM",
    "ERROR_NAMES",
    "FRAME_NAMES",
    "GOAWAY",
    "HEAD",
    "HEADERS",
    "IN_A_ROW",
    "MAX_FRAME",
    "PADDED",
    "PING",
    "PREFACE",
    "PRIORITY",
    "PRIORITY_FLAG",
    "PUSH_PROMISE",
    "RST_STREAM",
    "SETTINGS",
    "SETTINGS_NAMES",
    "WINDOW_UPDATE",
    "Frame",
    "Parts",
    "error_name",
    "farewell",
    "faults",
    "find_frames",
    "flag_names",
    "frame_name",
    "may_be_frame",
    "note_of_preface",
    "notes_of_frame",
    "notes_of_head",
    "parts",
    "placed",
    "read_frame",
    "settings",
]

# 3.4: what a client sends before its first frame.
PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

# 4.1: the bytes before the payload.
HEAD: Final = 9

# 6.5.2: SETTINGS_MAX_FRAME_SIZE, unless the receiver says otherwise.
MAX_FRAME: Final = 16_384

_MAX_WINDOW: Final = 0x7FFFFFFF
_MAX_STREAM: Final = 0x7FFFFFFF
_LAST_ERROR: Final = 13

# ── Numbers and their names ──────────────────────────────────────────────────────────

# 6
DATA: Final = 0
HEADERS: Final = 1
PRIORITY: Final = 2
RST_STREAM: Final = 3
SETTINGS: Final = 4
PUSH_PROMISE: Final = 5
PING: Final = 6
GOAWAY: Final = 7
WINDOW_UPDATE: Final = 8
CONTINUATION: Final = 9

# Above 9: RFC 7838, 8336 and 9218.
FRAME_NAMES: Final[dict[int, str]] = {
    DATA: "DATA",
    HEADERS: "HEADERS",
    PRIORITY: "PRIORITY",
    RST_STREAM: "RST_STREAM",
    SETTINGS: "SETTINGS",
    PUSH_PROMISE: "PUSH_PROMISE",
    PING: "PING",
    GOAWAY: "GOAWAY",
    WINDOW_UPDATE: "WINDOW_UPDATE",
    CONTINUATION: "CONTINUATION",
    10: "ALTSVC",
    12: "ORIGIN",
    16: "PRIORITY_UPDATE",
}

END_STREAM: Final = 0x01
ACK: Final = 0x01
END_HEADERS: Final = 0x04
PADDED: Final = 0x08
PRIORITY_FLAG: Final = 0x20

_FLAG_NAMES: Final[dict[int, dict[int, str]]] = {
    DATA: {END_STREAM: "END_STREAM", PADDED: "PADDED"},
    HEADERS: {
        END_STREAM: "END_STREAM",
        END_HEADERS: "END_HEADERS",
        PADDED: "PADDED",
        PRIORITY_FLAG: "PRIORITY",
    },
    SETTINGS: {ACK: "ACK"},
    PUSH_PROMISE: {END_HEADERS: "END_HEADERS", PADDED: "PADDED"},
    PING: {ACK: "ACK"},
    CONTINUATION: {END_HEADERS: "END_HEADERS"},
}

# 6.5.2, RFC 8441, RFC 9218; the last is grpc-core's.
SETTINGS_NAMES: Final[dict[int, str]] = {
    1: "HEADER_TABLE_SIZE",
    2: "ENABLE_PUSH",
    3: "MAX_CONCURRENT_STREAMS",
    4: "INITIAL_WINDOW_SIZE",
    5: "MAX_FRAME_SIZE",
    6: "MAX_HEADER_LIST_SIZE",
    8: "ENABLE_CONNECT_PROTOCOL",
    9: "NO_RFC7540_PRIORITIES",
    0xFE03: "GRPC_ALLOW_TRUE_BINARY_METADATA",
}

_SETTINGS_WHY: Final[dict[int, str]] = {
    1: "Bytes that the other's table of headers (HPACK) may have.",
    2: "Whether the server may push: 1 yes, 0 no.",
    3: "Streams that the other may have open at once.",
    4: "Bytes that the other may send on a stream before it waits for a WINDOW_UPDATE.",
    5: "Bytes that the payload of a frame to this end may have.",
    6: "Bytes that the headers of a message to this end should have at most, unpacked.",
    8: "Whether CONNECT may open another protocol in a stream: 1 yes.",
    9: "1: priorities as RFC 7540 had them are not used.",
    0xFE03: "1: values of -bin headers may travel as they are, without base64 (gRPC).",
}

# 7
ERROR_NAMES: Final[dict[int, str]] = {
    0: "NO_ERROR",
    1: "PROTOCOL_ERROR",
    2: "INTERNAL_ERROR",
    3: "FLOW_CONTROL_ERROR",
    4: "SETTINGS_TIMEOUT",
    5: "STREAM_CLOSED",
    6: "FRAME_SIZE_ERROR",
    7: "REFUSED_STREAM",
    8: "CANCEL",
    9: "COMPRESSION_ERROR",
    10: "CONNECT_ERROR",
    11: "ENHANCE_YOUR_CALM",
    12: "INADEQUATE_SECURITY",
    13: "HTTP_1_1_REQUIRED",
}

_ERROR_WHY: Final[dict[int, str]] = {
    0: "Nothing is wrong.",
    1: "The other end broke a rule of HTTP/2.",
    2: "Something went wrong inside this end.",
    3: "The other end sent more than its window allows.",
    4: "The other end did not acknowledge SETTINGS in time.",
    5: "A frame came for a stream that was closed.",
    6: "A frame had a length that it may not have.",
    7: "The stream was not looked at: the call can be made again.",
    8: "The stream is no longer wanted.",
    9: "The headers (HPACK) could not be read.",
    10: "The connection behind a CONNECT was reset.",
    11: "The other end makes too much work.",
    12: "TLS is not good enough.",
    13: "HTTP/1.1 is wanted instead.",
}

# By type, for 0 to 9.  The payload's size: exact, or 0 if it varies.
_EXACT: Final[list[int]] = [0, 0, 5, 4, 0, 0, 8, 0, 4, 0]
# 1: for a stream, never stream 0; 0: for the connection, only stream 0; 2: for either.
_OF_STREAM: Final[list[int]] = [1, 1, 1, 1, 0, 1, 0, 0, 2, 1]
# All defined flags.
_FLAGS: Final[list[int]] = [sum(_FLAG_NAMES.get(kind, {})) for kind in range(10)]


def frame_name(kind: int) -> str:
    """Return the name of a frame type, or words for an unknown one."""
    return FRAME_NAMES.get(kind) or f"of unknown type {kind}"


# How many characters of a GOAWAY's text are kept.
_MOST_WORDS: Final = 120


def farewell(frame: bytes) -> tuple[str, int, str] | None:
    """Return what a GOAWAY frame says: its error code's name, the last stream, its debug data.

    The data are returned as text.  None if the frame is cut off.

    >>> farewell(bytes.fromhex("000008 07 00 00000000 00000003 0000000b"))
    ('ENHANCE_YOUR_CALM', 3, '')
    """
    if len(frame) < HEAD + 8:
        return None
    last = u32(frame, HEAD) & 0x7FFFFFFF
    text = frame[HEAD + 8 : HEAD + 8 + _MOST_WORDS].decode("utf-8", "backslashreplace")
    return error_name(u32(frame, HEAD + 4)), last, text


def error_name(code: int) -> str:
    """Return the name of an error code, or its number in words."""
    return ERROR_NAMES.get(code) or f"error 0x{code:x}"


def flag_names(kind: int, flags: int) -> list[str]:
    """Return the names of the flags that are set; those without one, as one number.

    >>> flag_names(HEADERS, 0x45)
    ['END_STREAM', 'END_HEADERS', '0x40']
    """
    known = _FLAG_NAMES.get(kind, {})
    names = [name for flag, name in known.items() if flags & flag]
    rest = flags & ~sum(known)
    return [*names, f"0x{rest:02x}"] if rest else names


# ── The frame's head ─────────────────────────────────────────────────────────────────


class Frame(Facts):
    """The head of the frame at ``start``; its payload has ``length`` bytes.

    ``kind`` is the type.  ``reserved``: the bit before the stream id, which should be 0, is set.
    """

    __slots__ = ("flags", "kind", "length", "reserved", "start", "stream")
    __match_args__: ClassVar = ("start", "length", "kind", "flags", "stream", "reserved")

    def __init__(
        self, start: int, length: int, kind: int, flags: int, stream: int, reserved: bool = False
    ) -> None:
        self.start: Final = start
        self.length: Final = length
        self.kind: Final = kind
        self.flags: Final = flags
        self.stream: Final = stream
        self.reserved: Final = reserved

    def facts(self) -> tuple[object, ...]:
        return (self.start, self.length, self.kind, self.flags, self.stream, self.reserved)

    @property
    def inside(self) -> int:
        """Where its payload begins."""
        return self.start + HEAD

    @property
    def stop(self) -> int:
        """Where its payload ends, and the next frame begins."""
        return self.start + HEAD + self.length

    @property
    def name(self) -> str:
        """The name of its type, or words for an unknown one."""
        return frame_name(self.kind)


def read_frame(data: bytes, at: i64, stop: i64) -> Frame | None:
    """Return the head of the frame at ``at``; None if some of its nine bytes are missing."""
    if at + HEAD > stop:
        return None
    length = u32(data, at) >> 8
    stream = u32(data, at + 5)
    return Frame(at, length, data[at + 3], data[at + 4], stream & _MAX_STREAM, stream > _MAX_STREAM)


# ── The parts of a payload ───────────────────────────────────────────────────────────


class Parts(Facts):
    """Where the parts of a frame's payload are, as far as it is there.

    ``pad_length`` (1 byte), ``priority`` (5 bytes) and ``promised`` (4 bytes) are None if absent.
    ``content`` is the data, the fragment of a header block, or a whole payload without such parts;
    ``padding`` follows it.  ``lost`` is how many bytes of the payload are missing.  ``fault`` says
    in words why it cannot be divided as its flags say, else "": the content is then everything that
    could not be.
    """

    __slots__ = ("content", "fault", "lost", "pad_length", "padding", "priority", "promised")
    __match_args__: ClassVar = (
        *("pad_length", "priority", "promised", "content", "padding", "lost", "fault"),
    )

    def __init__(
        self,
        pad_length: Span | None,
        priority: Span | None,
        promised: Span | None,
        content: Span,
        padding: Span,
        lost: int,
        fault: str = "",
    ) -> None:
        self.pad_length: Final = pad_length
        self.priority: Final = priority
        self.promised: Final = promised
        self.content: Final = content
        self.padding: Final = padding
        self.lost: Final = lost
        self.fault: Final = fault

    def facts(self) -> tuple[object, ...]:
        return (
            *(self.pad_length, self.priority, self.promised, self.content, self.padding),
            *(self.lost, self.fault),
        )


def parts(data: bytes, frame: Frame, stop: int) -> Parts:
    """Return the parts of the frame's payload, of which ``data[:stop]`` is there."""
    kind, flags = frame.kind, frame.flags
    at = min(frame.inside, stop)
    have = min(frame.stop, stop)
    end = frame.stop
    lost = frame.stop - max(have, frame.inside)
    nothing = Span(have, have)
    pad_length = priority = promised = None
    padding = 0
    if flags & PADDED and kind in (DATA, HEADERS, PUSH_PROMISE):
        if not frame.length:
            fault = "it is PADDED, and there is no byte for the length of the padding"
            return Parts(None, None, None, Span(at, have), nothing, lost, fault)
        if at == have:
            return Parts(None, None, None, Span(at, have), nothing, lost)
        pad_length = Span(at, at + 1)
        padding = data[at]
        at += 1
    # How much has to come before the content.
    before = 0
    if kind == HEADERS and flags & PRIORITY_FLAG:
        before = 5
    elif kind == PUSH_PROMISE:
        before = 4
    if at + before > end:
        what = "a priority" if kind == HEADERS else "the promised stream"
        fault = f"it needs {before} bytes for {what}, and has {end - at}"
        return Parts(pad_length, None, None, Span(at, have), nothing, lost, fault)
    if at + before > have:
        return Parts(pad_length, None, None, Span(at, have), nothing, lost)
    if before and kind == HEADERS:
        priority = Span(at, at + before)
    elif before:
        promised = Span(at, at + before)
    at += before
    fault = ""
    if padding > end - at:
        # 6.1: "If the length of the padding is the length of the frame payload or greater".
        fault = f"it has {counted(end - at, 'byte')} for {padding} of padding"
        padding = 0
    content = max(at, min(have, end - padding))
    rest = Span(content, have)
    return Parts(pad_length, priority, promised, Span(at, content), rest, lost, fault)


def settings(data: bytes, start: int, stop: int) -> list[tuple[int, int]]:
    """Return the ids and values in a SETTINGS payload, ignoring an incomplete last one."""
    return [(data[at] << 8 | data[at + 1], u32(data, at + 2)) for at in range(start, stop - 5, 6)]


# ── What is wrong with a frame ───────────────────────────────────────────────────────

# How many wrong settings of one frame are reported.
_FEW: Final = 8


def faults(data: bytes, frame: Frame, stop: int, most: int = MAX_FRAME) -> list[str]:
    """Say in words what is wrong with a frame by itself; ``data[:stop]`` is there of it.

    ``most`` is the SETTINGS_MAX_FRAME_SIZE of the end that receives it.  If some of the payload is
    missing, only what does not depend on it is judged.
    """
    kind = frame.kind
    said: list[str] = []
    if frame.length > most:
        said.append(f"its length is {frame.length}, and the receiver takes {most} at most")
    if kind > CONTINUATION:
        return said  # 4.1: "MUST ignore and discard"
    if _OF_STREAM[kind] == 0 and frame.stream:
        said.append(f"it is on stream {frame.stream}, and belongs to the connection: stream 0")
    elif _OF_STREAM[kind] == 1 and not frame.stream:
        said.append("it is on stream 0, and belongs to a stream of its own")
    if _EXACT[kind] and frame.length != _EXACT[kind]:
        said.append(f"its length is {frame.length}, want {_EXACT[kind]}")
        return said
    is_there = frame.stop <= stop
    if kind == SETTINGS:
        if frame.flags & ACK and frame.length:
            said.append(f"it is an ACK, and has {counted(frame.length, 'byte')}, want 0")
        elif frame.length % 6:
            said.append(f"its length is {frame.length}, want a multiple of 6")
        said += _wrong_settings(data, frame.inside, min(frame.stop, stop))
    elif kind == GOAWAY and frame.length < 8:
        said.append(f"its length is {frame.length}, want at least 8")
    elif kind == WINDOW_UPDATE and is_there and not u32(data, frame.inside) & _MAX_WINDOW:
        said.append("its increment is 0, want at least 1")
    elif kind == PRIORITY and is_there:
        said += _wrong_dependency(data, frame.inside, frame.stream)
    elif kind in (DATA, HEADERS, PUSH_PROMISE):
        found = parts(data, frame, stop)
        if found.fault:
            said.append(found.fault)
        if found.priority is not None:
            said += _wrong_dependency(data, found.priority.start, frame.stream)
        if found.promised is not None:
            promised = u32(data, found.promised.start) & _MAX_STREAM
            if not promised or promised % 2:
                # 5.1.1: streams of the server are even.
                said.append(f"it promises stream {promised}, want an even number above 0")
        if any(found.padding.of(data)):
            said.append("its padding is not all zeros")  # 6.1: "MUST be set to zero"
    return said


def _wrong_dependency(data: bytes, at: int, stream: int) -> list[str]:
    # RFC 7540, 5.3.1: "A stream cannot depend on itself."
    if stream and u32(data, at) & _MAX_STREAM == stream:
        return [f"stream {stream} depends on itself"]
    return []


def _wrong_settings(data: bytes, start: int, stop: int) -> list[str]:
    said: list[str] = []
    for number, value in settings(data, start, stop):
        wanted = ""
        if number in (2, 8, 9) and value > 1:
            wanted = "0 or 1"
        elif number == 4 and value > _MAX_WINDOW:
            wanted = f"at most {_MAX_WINDOW}"
        elif number == 5 and not MAX_FRAME <= value <= 0xFFFFFF:
            wanted = f"{MAX_FRAME} to {0xFFFFFF}"
        if wanted:
            said.append(f"{SETTINGS_NAMES[number]} is {value}, want {wanted}")
            if len(said) == _FEW:
                return said
    return said


# ── Where frames begin, in mid-stream ────────────────────────────────────────────────

# This many heads, each where the one before says.
IN_A_ROW: Final = 3


def may_be_frame(data: bytes, at: i64, most: i64 = MAX_FRAME) -> bool:
    """Say whether a frame could begin here, looking only at nine bytes, which are there.

    It has a known type, only flags of that type, a size and a stream that the type may have, and it
    is no longer than ``most``.
    """
    kind: i64 = data[at + 3]
    if kind > 9:
        return False
    length: i64 = u32(data, at) >> 8
    flags: i64 = data[at + 4]
    stream: i64 = u32(data, at + 5)
    if length > most or stream > _MAX_STREAM:
        return False
    known: i64 = _FLAGS[kind]
    if flags & ~known:
        return False
    of: i64 = _OF_STREAM[kind]
    if (stream == 0 and of == 1) or (stream != 0 and of == 0):
        return False
    exact: i64 = _EXACT[kind]
    if exact:
        return length == exact
    if kind == SETTINGS:
        return length == 0 if flags & 1 else length % 6 == 0
    if kind == GOAWAY:
        return length >= 8
    least: i64 = 1 if flags & PADDED else 0
    if kind == HEADERS and flags & PRIORITY_FLAG:
        least += 5
    elif kind == PUSH_PROMISE:
        least += 4
    return length >= least


def _is_likely(data: bytes, at: i64, stop: i64) -> bool:
    """Say whether somebody would send this frame.

    That is more than ``may_be_frame`` asks, since streams of small numbers are full of what may be
    a head.  Looks at the first 8 bytes of the payload, if they are there.
    """
    if not may_be_frame(data, at):
        return False
    kind: i64 = data[at + 3]
    flags: i64 = data[at + 4]
    length: i64 = u32(data, at) >> 8
    stream: i64 = u32(data, at + 5)
    inside: i64 = at + HEAD
    if stream and not stream & 1:
        return False  # of a push: browsers no longer accept them, and RPC has none
    if length == 0:
        # Empty data end a stream, and headers are never empty.
        return kind == SETTINGS or (kind == DATA and flags & END_STREAM != 0)
    if inside + (length if length < 8 else 8) > stop:
        return True
    first: i64 = u32(data, inside) if length > 3 else 0
    if kind == WINDOW_UPDATE:
        return 0 < first <= _MAX_WINDOW
    if kind == RST_STREAM:
        return first <= _LAST_ERROR
    if kind == GOAWAY:
        return first <= _MAX_STREAM and u32(data, inside + 4) <= _LAST_ERROR
    if kind == SETTINGS:
        number: i64 = first >> 16
        return 0 < number < 16 or number == 0xFE03 or number & 0x0F0F == 0x0A0A  # GREASE
    if kind == PRIORITY:
        return first & _MAX_STREAM != stream
    return True


def find_frames(data: bytes, start: i64, stop: i64, ended: bool) -> tuple[int, bool]:
    """Find where in ``data[start:stop]`` frames begin that nobody announced: (place, True).

    IN_A_ROW heads, each where the one before says, are the proof; the first must not be that of an
    empty frame, which would prove almost nothing among zeros.  If nothing comes after ``stop``
    (``ended``), one head fewer is enough, if the last of those frames ends exactly there.  Frames
    of pushed streams, which have even numbers, prove nothing: zeros make too many of them.

    What looks like a head may come before a true one, and end where another frame does: if its
    payload can be read as frames too, the place is theirs, or where both readings meet.

    (place, False): none before ``place``; ask again from there with more bytes.  If ``ended``,
    there are none.

    Each place is looked at once, at IN_A_ROW heads at most, whatever the bytes are; only the place
    that was returned as undecided is looked at again.  The payload of the frame that is found is
    looked at once more.
    """
    at: i64 = start
    while at + HEAD <= stop:
        heads: i64 = 0
        place: i64 = at
        is_open = False
        while heads < IN_A_ROW:
            size: i64 = 0
            if place + HEAD <= stop:
                size = u32(data, place) >> 8
            # As many bytes as are looked at, so that the answer does not depend on the cut.
            if not ended and place + HEAD + (size if size < 8 else 8) > stop:
                is_open = place + HEAD > stop or may_be_frame(data, place)
                break
            if place + HEAD > stop or not _is_likely(data, place, stop):
                break
            if not heads and not size:
                break
            heads += 1
            place += HEAD + size
        if is_open:
            return at, False
        if heads == IN_A_ROW or (ended and heads == IN_A_ROW - 1 and place == stop):
            return _meeting(data, at, stop), True
        at += 1
    return (stop, False) if ended else (min(at, stop), False)


def _meeting(data: bytes, at: i64, stop: i64) -> int:
    """Return ``at``, where a frame begins, unless frames in its payload end where it does.

    Then return the first of them if they are many, since those were sent; else their end.
    """
    end: i64 = at + HEAD + (u32(data, at) >> 8)
    # Places that lead elsewhere, so that none is looked at twice.
    elsewhere: set[int] = set()
    place: i64 = at + 1
    while place + HEAD <= end:
        here: i64 = place
        walked: list[int] = []
        while here + HEAD <= end and here not in elsewhere and _is_likely(data, here, stop):
            walked.append(here)
            here += HEAD + (u32(data, here) >> 8)
        if walked and here == end:
            return place if len(walked) >= IN_A_ROW else end
        elsewhere.update(walked)
        place += 1
    return at


# ── Notes ────────────────────────────────────────────────────────────────────────────

_FRAME_WHY: Final[dict[int, str]] = {
    DATA: "Bytes of a request's or a reply's body.",
    HEADERS: "Headers, or the trailers behind a body.",
    PRIORITY: "How streams are to be preferred; no longer used.",
    RST_STREAM: "Ends a stream at once.",
    SETTINGS: "What this end wants of the other.",
    PUSH_PROMISE: "The server announces a request that it answers by itself.",
    PING: "Asks for an answer, to see that the connection lives or how long it takes.",
    GOAWAY: "This end takes no new streams.",
    WINDOW_UPDATE: "The other end may send more.",
    CONTINUATION: "Goes on with the headers of the frame before.",
    10: "Where else the same is served (RFC 7838).",
    12: "Of which servers this one speaks (RFC 8336).",
    16: "How a stream is to be preferred (RFC 9218).",
}


def note_of_preface(at: int = 0) -> Note:
    """Return the note of the client's 24 bytes."""
    why = "A client of HTTP/2 sends it first; no server of HTTP/1 takes it for a request."
    return Note(Span(at, at + len(PREFACE)), "frame", "preface", "HTTP/2", why)


def notes_of_frame(data: bytes, at: int, stop: int, inner: Sequence[Note] = ()) -> list[Note]:
    """Return a note for every byte of the frame at ``at``, of which ``data[at:stop]`` is there.

    ``inner``: notes of its content (a fragment of headers, see ``placed``; or data), in order, if
    somebody has them; they have to cover it.
    """
    frame = read_frame(data, at, stop)
    writer = _Writer(data, at, min(stop, len(data)))
    if frame is None:
        size = counted(writer.stop - at, "byte")
        writer.rest("unread", "not read", size, f"A frame begins with {HEAD} bytes.")
        return writer.notes
    writer.stop = min(writer.stop, frame.stop)
    found = parts(data, frame, writer.stop)
    _head(writer, frame, found.lost)
    if frame.kind in _WRITERS:
        _WRITERS[frame.kind](writer, frame)
    else:
        _parts(writer, frame, found, inner)
    why = f"Its {frame.name} frame has a length that it may not have."
    if found.lost:
        why = f"{counted(found.lost, 'byte')} of the frame are not there."
    writer.rest("unread", "not read", counted(writer.stop - writer.at, "byte"), why)
    return writer.notes


class _Writer:
    """Writes notes from left to right; ``at`` is the first byte without one."""

    __slots__ = ("at", "data", "notes", "stop")

    def __init__(self, data: bytes, at: int, stop: int) -> None:
        self.data = data
        self.at = at
        self.stop = stop
        self.notes: list[Note] = []

    def note(self, size: int, kind: str, label: str, meaning: str, why: str, depth: int) -> None:
        if size:
            span = Span(self.at, self.at + size)
            self.notes.append(Note(span, kind, label, meaning, why, depth))
            self.at = span.stop

    def rest(self, kind: str, label: str, meaning: str, why: str = "") -> None:
        self.note(self.stop - self.at, kind, label, meaning, why, 1)

    def has(self, size: int) -> bool:
        return self.stop - self.at >= size

    def u32(self) -> int:
        return u32(self.data, self.at)


def _head(writer: _Writer, frame: Frame, lost: int) -> None:
    why = "Bytes of payload behind these nine."
    if lost:
        why += f" {lost} of them are not there."
    writer.note(3, "frame", "frame length", str(frame.length), why, 0)
    meaning = f"{frame.kind} {FRAME_NAMES.get(frame.kind, 'unknown')}"
    why = _FRAME_WHY.get(frame.kind, "Who does not know a type passes over it.")
    writer.note(1, "frame", "frame type", meaning, why, 0)
    names = flag_names(frame.kind, frame.flags)
    meaning = f"0x{frame.flags:02x}"
    if names:
        meaning += f" {', '.join(names)}"
    writer.note(1, "frame", "flags", meaning, _flags_why(frame), 0)
    why = "0: the connection as a whole." if not frame.stream else ""
    if frame.stream:
        opener = "client" if frame.stream % 2 else "server"
        why = f"The number of the request: the {opener} opened it."
    if frame.reserved:
        why += " The bit before it, which should be 0, is set."
    writer.note(4, "header", "stream id", str(frame.stream), why, 0)


def _flags_why(frame: Frame) -> str:
    said = ""
    if frame.kind in (DATA, HEADERS) and frame.flags & END_STREAM:
        said = "END_STREAM: this side of the stream says no more."
    if frame.kind in (HEADERS, PUSH_PROMISE, CONTINUATION) and not frame.flags & END_HEADERS:
        return (
            "No END_HEADERS: a CONTINUATION follows."
            if not said
            else (f"{said} No END_HEADERS: a CONTINUATION follows first.")
        )
    if frame.kind in (SETTINGS, PING) and frame.flags & ACK:
        said = "ACK: the answer to the other's."
    return said


def _parts(writer: _Writer, frame: Frame, found: Parts, inner: Sequence[Note]) -> None:
    if found.pad_length is not None:
        size = writer.data[writer.at]
        why = "Bytes of padding at the frame's end."
        writer.note(1, "size", "pad length", str(size), why, 1)
    if found.priority is not None:
        _priority(writer)
    if found.promised is not None:
        why = "The server's stream for what it pushes."
        writer.note(4, "header", "promised stream", str(writer.u32() & _MAX_STREAM), why, 1)
    if inner:
        writer.notes += inner
        writer.at = found.content.stop
    else:
        size = len(found.content)
        label, why = "payload", ""
        if frame.kind == DATA:
            label = "data"
        elif frame.kind in (HEADERS, PUSH_PROMISE, CONTINUATION):
            label, why = "headers", "A fragment of a header block (HPACK)."
        if found.fault:
            why = f"{found.fault[0].upper()}{found.fault[1:]}."
        kind = "unread" if found.fault else "value"
        writer.note(size, kind, label, counted(size, "byte"), why, 1)
    size = len(found.padding)
    why = "It hides how long the content is."
    if any(found.padding.of(writer.data)):
        why = "It should be zeros, and is not."
    writer.note(size, "frame", "padding", counted(size, "byte"), why, 1)


def _priority(writer: _Writer) -> None:
    number = writer.u32()
    why = "Priorities of this kind are no longer used."
    if number > _MAX_STREAM:
        why = f"Exclusive. {why}"
    writer.note(4, "value", "depends on stream", str(number & _MAX_STREAM), why, 1)
    weight = writer.data[writer.at] + 1
    writer.note(1, "value", "weight", str(weight), "The byte and 1.", 1)


def _of_priority(writer: _Writer, frame: Frame) -> None:
    if frame.length == 5 and writer.has(5):
        _priority(writer)


def _error(writer: _Writer) -> None:
    code = writer.u32()
    meaning = f"{code} {ERROR_NAMES.get(code, 'unknown')}"
    writer.note(4, "value", "error code", meaning, _ERROR_WHY.get(code, ""), 1)


def _of_rst_stream(writer: _Writer, frame: Frame) -> None:
    if frame.length == 4 and writer.has(4):
        _error(writer)


def _of_settings(writer: _Writer, frame: Frame) -> None:
    while writer.has(6):
        number = writer.data[writer.at] << 8 | writer.data[writer.at + 1]
        name = SETTINGS_NAMES.get(number, "unknown")
        writer.note(2, "field", "setting", f"{number} {name}", _SETTINGS_WHY.get(number, ""), 1)
        wrong = _wrong_settings(writer.data, writer.at - 2, writer.at + 4)
        why = f"{wrong[0]}." if wrong else ""
        writer.note(4, "value", "value", str(writer.u32()), why, 1)


def _of_ping(writer: _Writer, frame: Frame) -> None:
    if frame.length == 8 and writer.has(8):
        meaning = writer.data[writer.at : writer.at + 8].hex(" ")
        why = "Any 8 bytes; the answer has the same."
        writer.note(8, "value", "opaque data", meaning, why, 1)


def _of_goaway(writer: _Writer, frame: Frame) -> None:
    if not writer.has(8) or frame.length < 8:
        return
    last = writer.u32() & _MAX_STREAM
    why = "Streams of the other end above it were not looked at."
    if last == _MAX_STREAM:
        why = "The highest there is: which was the last is told later."
    writer.note(4, "header", "last stream", str(last), why, 1)
    _error(writer)
    raw = writer.data[writer.at : writer.stop]
    try:
        meaning, why = f'"{raw.decode("utf-8")}"', "Why, in the sender's words."
    except UnicodeDecodeError:
        meaning, why = f"{counted(len(raw), 'byte')}: {raw.hex(' ')}", "Not UTF-8: binary data."
    writer.rest("value", "debug data", meaning, why)


def _of_window_update(writer: _Writer, frame: Frame) -> None:
    if frame.length == 4 and writer.has(4):
        number = writer.u32() & _MAX_WINDOW
        why = "Bytes more that the other end may send "
        why += f"on stream {frame.stream}." if frame.stream else "on all streams together."
        if not number:
            why = "0 is an error: want at least 1."
        writer.note(4, "value", "window increment", str(number), why, 1)


_WRITERS: Final = {
    PRIORITY: _of_priority,
    RST_STREAM: _of_rst_stream,
    SETTINGS: _of_settings,
    PING: _of_ping,
    GOAWAY: _of_goaway,
    WINDOW_UPDATE: _of_window_update,
}


def placed(notes: Sequence[Note], fragments: Sequence[Span]) -> list[list[Note]]:
    """Return the notes of a header block where its bytes are: a list for each fragment.

    The block is the fragments joined, and the notes count from its beginning.  A note that crosses
    the end of a fragment is cut there; its second part says so.
    """
    out: list[list[Note]] = [[] for _ in fragments]
    base = 0
    index = 0
    for number, fragment in enumerate(fragments):
        end = base + len(fragment)
        shift = fragment.start - base
        while index < len(notes) and base < end:
            note = notes[index]
            start, stop = max(note.span.start, base), min(note.span.stop, end)
            if start >= end:
                break
            span = Span(start + shift, stop + shift)
            if start > note.span.start:
                why = "It began in the frame before."
                cut = Note(span, note.kind, note.label, "goes on", why, note.depth, note.path)
            else:
                cut = Note(
                    *(span, note.kind, note.label, note.meaning, note.why, note.depth, note.path)
                )
            out[number].append(cut)
            if note.span.stop > end:
                break
            index += 1
        base = end
    return out


def notes_of_head(data: bytes, at: int, stop: int) -> list[Note]:
    """Return the notes of the frame's head at ``at``; its content is elsewhere.

    The length of its padding is noted too, if it is in ``data[at:stop]``.
    """
    frame = read_frame(data, at, stop)
    writer = _Writer(data, at, stop)
    if frame is None:
        writer.rest("unread", "not read", counted(stop - at, "byte"))
        return writer.notes
    _head(writer, frame, 0)
    if writer.at < stop:
        why = "Bytes of padding at the frame's end."
        writer.note(1, "size", "pad length", str(data[writer.at]), why, 1)
    writer.rest("unread", "not read", counted(stop - writer.at, "byte"))
    return writer.notes
