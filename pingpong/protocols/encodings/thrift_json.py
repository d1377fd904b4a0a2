"""TJSONProtocol, as Apache's libraries write it (lib/py/src/protocol/TJSONProtocol.py).

    [1,"add",1,1,{"1":{"i32":2},"2":{"i32":40}}]
     │   │   │ │   │     │   └ value
     │   │   │ │   │     └ type tag: tf i8 i16 i32 i64 dbl str rec lst set map uid
     │   │   │ │   └ field id, always in quotes: it is an object's key
     │   │   │ └ seqid
     │   │   └ message type            list, set   ["tf",3,1,0,1]      tag, count, elements
     │   └ method                      map         ["str","i32",1,{"a":5}]
     └ version                         bool 1 or 0;  binary: base64, under "str" like text

Nothing says how long a message is: it ends with the bracket that closes its first one.

Three parts.  The Scanner finds tokens, with their places, and checks the grammar of brackets,
commas and colons; when more bytes come, it goes on where it stopped.  The Skipper drives it to the
last bracket.  The walk drives it and reports values.  So both refuse the same text with the same
words.  What is good JSON but not good Thrift (an unknown tag, a word for a number), only the walk
sees: it says so and goes on after it, because the brackets say where that is.

Apache's own libraries depart from the grammar of JSON in three places, and so does the Scanner: a
map's key may be an object or a list, strings may contain bare control characters, and ``nan``,
``inf`` and ``-inf`` are written without quotes.
"""

from __future__ import annotations

import re
import uuid
from typing import Final

from ...errors import DecodeError, Incomplete, LimitExceeded
from ...model import (
    MESSAGE_TYPES,
    Entries,
    Field,
    Finding,
    Gap,
    Header,
    Items,
    Limits,
    Listener,
    Note,
    Protocol,
    Record,
    Run,
    Severity,
    Skipper,
    Span,
    Struct,
    TType,
    Value,
)
from .reading import NO_FIELDS, too_many, unordered

__all__ = [
    "CLOSE",
    "JSON",
    "LIST",
    "MORE",
    "OBJECT",
    "STRING",
    "TAGS",
    "WORD",
    "JsonProtocol",
    "JsonSkipper",
    "Scanner",
    "TokenWalk",
    "next_token",
    "read_header",
    "read_number",
    "refused",
    "unescape",
    "write_message",
    "write_struct",
]

VERSION: Final = b"1"

# The longest number: a double in full, without an exponent, has 1077 digits.
MAX_WORD: Final = 1100

# What a Scanner finds.
MORE: Final = 0  # some of the next token is missing
OBJECT: Final = 1
LIST: Final = 2
CLOSE: Final = 3
STRING: Final = 4
WORD: Final = 5  # a number, or another run of letters and digits

TAGS: Final[dict[TType, str]] = {
    TType.BOOL: "tf",
    TType.I8: "i8",
    TType.I16: "i16",
    TType.I32: "i32",
    TType.I64: "i64",
    TType.DOUBLE: "dbl",
    TType.STRING: "str",
    TType.STRUCT: "rec",
    TType.MAP: "map",
    TType.SET: "set",
    TType.LIST: "lst",
    TType.UUID: "uid",
}
_TYPES: Final[dict[bytes, TType]] = {tag.encode(): ttype for ttype, tag in TAGS.items()}

_WANTED_TAGS: Final = "one of " + ", ".join(f'"{tag}" {ttype.name}' for ttype, tag in TAGS.items())
_WANTED_MTYPES: Final = "one of " + ", ".join(f"{t.value} {t.name}" for t in MESSAGE_TYPES[1:5])

_BITS: Final[dict[TType, int]] = {TType.I8: 8, TType.I16: 16, TType.I32: 32, TType.I64: 64}

_QUOTE: Final = 0x22
_COMMA: Final = 0x2C
_COLON: Final = 0x3A
_OPEN_LIST: Final = 0x5B
_BACKSLASH: Final = 0x5C
_CLOSE_LIST: Final = 0x5D
_OPEN_OBJECT: Final = 0x7B
_CLOSE_OBJECT: Final = 0x7D

_SPACE: Final = re.compile(rb"[ \t\r\n]*")
_SEPARATORS: Final = re.compile(rb"[ \t\r\n,:]*")
_PLAIN: Final = re.compile(rb'[^"\\]*')
_WORD: Final = re.compile(rb"[0-9A-Za-z+.\-]*")
_INTEGER: Final = re.compile(rb"[+-]?[0-9]+")
_NUMBER: Final = re.compile(rb"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_NOT_FINITE: Final = re.compile(rb"[+-]?(?:nan|inf|NaN|Infinity)")
_UUID: Final = re.compile(rb"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_HEX4: Final = re.compile(rb"[0-9A-Fa-f]{4}")


def _end_of(pattern: re.Pattern[bytes], data: bytes | bytearray, at: int, stop: int) -> int:
    """Return where the run of ``pattern`` at ``at`` ends; ``at`` if none begins there."""
    match = pattern.match(data, at, stop)
    return at if match is None else match.end()


# ── Tokens ───────────────────────────────────────────────────────────────────────────

# What is expected next.
_VALUE: Final = 0
_FIRST: Final = 1  # a value, or the bracket that closes an empty list or object
_NAMED: Final = 2  # the colon after a key
_NEXT: Final = 3  # a comma, or the closing bracket

# What is open; in an object, also which part of a pair comes next.
_IN_LIST: Final = 0
_AT_KEY: Final = 1
_AT_VALUE: Final = 2


class Scanner:
    """Finds tokens one by one, however the bytes are cut, and checks JSON's grammar.

    ``start`` and ``at`` are where the last token begins and ends; ``at`` moves on over the
    separators to the next one.  ``separator`` is the place of the last comma or colon, -1 before
    the first.  ``in_list`` and ``in_object``: the text begins inside one, after a comma.
    """

    __slots__ = ("_due", "_levels", "_most", "_seen", "at", "separator", "start")

    def __init__(
        self, at: int, limits: Limits, in_list: bool = False, in_object: bool = False
    ) -> None:
        self.at = at
        self.start = at
        self.separator = -1
        self._levels = bytearray()
        if in_list or in_object:
            self._levels.append(_IN_LIST if in_list else _AT_KEY)
        self._due = _VALUE
        # A level of Thrift takes at most two brackets; the message's own is one more.
        self._most = 2 * limits.depth + 1
        self._seen = at  # in a string whose end is missing: looked at up to here

    @property
    def depth(self) -> int:
        """How many brackets are open."""
        return len(self._levels)

    @property
    def has_pair(self) -> bool:
        """Whether the last pair of the open object is complete."""
        return self._due == _NEXT

    def ready(self, data: bytes | bytearray, stop: int) -> bool:
        """Pass over white space and the separator that is expected.

        False if the bytes end before the next token.  Raises DecodeError if there is something
        else in place of the separator.
        """
        while True:
            at = self.at = _end_of(_SPACE, data, self.at, stop)
            if at >= stop:
                return False
            byte = data[at]
            if self._due == _NAMED:
                if byte != _COLON:
                    raise refused("separator", data, at, at + 1, "':'")
            elif self._due == _NEXT:
                if byte == self._closer():
                    return True
                if byte != _COMMA:
                    wanted = f"',' or '{chr(self._closer())}'"
                    raise refused("separator", data, at, at + 1, wanted)
                if self._levels[-1] == _AT_VALUE:
                    self._levels[-1] = _AT_KEY
            else:
                return True
            self._due = _VALUE
            self.separator = at
            self.at = at + 1

    def next(self, data: bytes | bytearray, stop: int) -> int:
        """Return what the next token is; MORE if some of it is missing.

        Raises DecodeError if there is no token, or one that is not allowed here; LimitExceeded for
        brackets nested too deep and numbers that are too long.
        """
        if not self.ready(data, stop):
            return MORE
        at = self.at
        byte = data[at]
        if byte == _QUOTE:
            end = self._string(data, stop)
            kind = STRING
        elif byte in (_OPEN_OBJECT, _OPEN_LIST):
            return self._open(byte, at)
        elif byte in (_CLOSE_OBJECT, _CLOSE_LIST):
            if self._due == _VALUE or byte != self._closer():
                raise refused("value", data, at, at + 1, self._wanted())
            self._levels.pop()
            end = at + 1
            kind = CLOSE
        else:
            end = self._word(data, at, stop)
            kind = WORD
        if end < 0:
            return MORE
        self.start = at
        self.at = end
        self._ended()
        return kind

    def _open(self, byte: int, at: int) -> int:
        if len(self._levels) >= self._most:
            found = f"{len(self._levels) + 1} brackets deep"
            raise LimitExceeded("nesting", at, found=found, limit=self._most, size=1)
        is_list = byte == _OPEN_LIST
        self._levels.append(_IN_LIST if is_list else _AT_KEY)
        self._due = _FIRST
        self.start = at
        self.at = at + 1
        return LIST if is_list else OBJECT

    def _string(self, data: bytes | bytearray, stop: int) -> int:
        """Return the place after the closing quote; -1 if it is not there yet."""
        at = max(self._seen, self.at + 1)
        while True:
            at = _end_of(_PLAIN, data, at, stop)
            if at < stop and data[at] == _QUOTE:
                return at + 1
            if at + 1 >= stop:
                self._seen = at
                return -1
            at += 2

    def _word(self, data: bytes | bytearray, at: int, stop: int) -> int:
        """Return the place after a number; -1 if it may go on."""
        end = _end_of(_WORD, data, at, min(stop, at + MAX_WORD + 1))
        if end == at:
            raise refused("value", data, at, at + 1, self._wanted())
        if end - at > MAX_WORD:
            found = f"over {MAX_WORD} bytes long"
            raise LimitExceeded("number", at, found=found, limit=MAX_WORD, size=MAX_WORD)
        return end if end < stop else -1

    def _ended(self) -> None:
        """Record that a value is complete: its level goes on."""
        if self._levels and self._levels[-1] == _AT_KEY:
            self._levels[-1] = _AT_VALUE
            self._due = _NAMED
        else:
            self._due = _NEXT

    def _closer(self) -> int:
        """Return the bracket that closes what is open; -1 if nothing is."""
        if not self._levels:
            return -1
        return _CLOSE_LIST if self._levels[-1] == _IN_LIST else _CLOSE_OBJECT

    def _wanted(self) -> str:
        return f"a value or '{chr(self._closer())}'" if self._due == _FIRST else "a value"


def refused(what: str, data: bytes | bytearray, start: int, stop: int, wanted: str) -> DecodeError:
    """Make the error that says what is at ``start`` in place of what is wanted."""
    text = bytes(data[start : min(stop, start + 40)]).decode("ascii", "backslashreplace")
    shown = "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)
    if stop - start > 40:
        shown += "…"
    elif len(shown) == 1 and not shown.isalnum():
        shown = f"'{shown}'"
    return DecodeError(what, start, found=shown, wanted=wanted, size=stop - start)


def next_token(data: bytes, at: int, stop: int) -> Span:
    """Return the token after the separators at ``at``, in text that a reader has accepted.

    It is empty if ``stop`` comes first.
    """
    start = _end_of(_SEPARATORS, data, at, stop)
    if start >= stop:
        return Span(stop, stop)
    if data[start] != _QUOTE:
        return Span(start, max(start + 1, _end_of(_WORD, data, start, stop)))
    end = start + 1
    while True:
        end = _end_of(_PLAIN, data, end, stop)
        if end >= stop or data[end] == _QUOTE:
            return Span(start, min(end + 1, stop))
        end += 2


_ESCAPES: Final[dict[int, bytes]] = {
    0x22: b'"',
    0x5C: b"\\",
    0x2F: b"/",
    0x62: b"\b",
    0x66: b"\f",
    0x6E: b"\n",
    0x72: b"\r",
    0x74: b"\t",
}


def unescape(raw: bytes, is_cut: bool = False) -> tuple[bytes, int]:
    """Return what is between a string's quotes, as UTF-8; and where its first odd escape is.

    An odd escape is unknown to JSON, or half of a surrogate pair: the first stays as it was
    written, the second becomes its three bytes.  The place is -1 if there is none.  ``is_cut``: the
    text goes on after ``raw``, so an escape that breaks off is left out.
    """
    at = raw.find(b"\\")
    if at < 0:
        return raw, -1
    out = [raw[:at]]
    odd = -1
    while 0 <= at < len(raw):
        if is_cut and _is_cut_escape(raw, at):
            break
        size, text = _escape(raw, at)
        if not size or (len(text) == 3 and 0xD800 <= _unit(raw, at) < 0xE000):
            odd = at if odd < 0 else odd
        size = size or 2
        following = raw.find(b"\\", at + size)
        out.append(text)
        out.append(raw[at + size :] if following < 0 else raw[at + size : following])
        at = following
    return b"".join(out), odd


def _is_cut_escape(raw: bytes, at: int) -> bool:
    left = len(raw) - at
    if left < 2:
        return True
    if raw[at + 1] != 0x75:
        return False
    if left < 6:
        return True
    # This is the first half of a pair, and the second may still come.
    return left < 12 and 0xD800 <= _unit(raw, at) < 0xDC00 and b"\\u".startswith(raw[at + 6 :][:2])


def _escape(raw: bytes, at: int) -> tuple[int, bytes]:
    """Return the bytes of the escape at ``at`` and their meaning; 0 and itself if it is unknown."""
    if raw[at + 1 : at + 2] != b"u":
        text = _ESCAPES.get(raw[at + 1]) if at + 1 < len(raw) else None
        return (2, text) if text is not None else (0, raw[at : at + 2])
    unit = _unit(raw, at)
    if unit < 0:
        return 0, raw[at : at + 2]
    if 0xD800 <= unit < 0xDC00:
        low = _unit(raw, at + 6)
        if 0xDC00 <= low < 0xE000:
            return 12, chr(0x10000 + ((unit & 0x3FF) << 10 | low & 0x3FF)).encode()
    return 6, chr(unit).encode("utf-8", "surrogatepass")


def _unit(raw: bytes, at: int) -> int:
    r"""Return the four hex digits of the ``\u`` escape at ``at``; -1 if there is none."""
    if raw[at : at + 2] == b"\\u" and _HEX4.match(raw, at + 2):
        return int(raw[at + 2 : at + 6], 16)
    return -1


def read_number(text: bytes) -> float | None:
    """Return the double that ``text`` spells, including NaN and the infinities; None: no number."""
    if len(text) <= MAX_WORD and (_NUMBER.fullmatch(text) or _NOT_FINITE.fullmatch(text)):
        return float(text)
    return None


# ── Header ───────────────────────────────────────────────────────────────────────────

_PARTS: Final = ("message", "version", "method name", "message type", "seqid", "struct")


class _HeaderReader:
    """Reads a header one token at a time, so that it can wait for more in between."""

    __slots__ = ("_is_done", "_numbers", "_part", "_start", "method_span", "scanner")

    def __init__(self, start: int, limits: Limits) -> None:
        self.scanner = Scanner(start, limits)
        self.method_span = Span(start, start)
        self._start = start
        self._part = 0
        self._is_done = False
        self._numbers: list[int] = []

    @property
    def what(self) -> str:
        """Name what is read next."""
        return _PARTS[self._part]

    def advance(self, data: bytes | bytearray, stop: int) -> bool:
        """Read on; True once the header is there, up to the comma before the struct."""
        scanner = self.scanner
        while self._part < 5:
            if not scanner.ready(data, stop):
                return False
            at = scanner.at
            if self._part == 0 and data[at] != _OPEN_LIST:
                raise refused("message", data, at, at + 1, "'['")
            kind = scanner.next(data, stop)
            if kind == MORE:
                return False
            self._take(kind, data)
            self._part += 1
        if not self._is_done:
            is_there = scanner.ready(data, stop)
            if scanner.separator > scanner.start:
                self._is_done = True
            elif is_there:
                raise refused("struct", data, scanner.at, scanner.at + 1, "',' and a struct")
        return self._is_done

    def _take(self, kind: int, data: bytes | bytearray) -> None:
        start, stop = self.scanner.start, self.scanner.at
        what = self.what
        if self._part == 2:
            if kind != STRING:
                raise refused(what, data, start, stop, "a string")
            self.method_span = Span(start + 1, stop - 1)
        elif self._part:
            text = bytes(data[start:stop])
            if self._part == 1:
                if text != VERSION:
                    raise refused(what, data, start, stop, "1")
            elif not _INTEGER.fullmatch(text):
                raise refused(what, data, start, stop, "a whole number")
            elif self._part == 3 and not 1 <= int(text) <= 4:
                raise refused(what, data, start, stop, _WANTED_MTYPES)
            self._numbers.append(int(text))

    def header(self, data: bytes | bytearray) -> Header:
        name, _ = unescape(bytes(data[self.method_span.start : self.method_span.stop]))
        return Header(
            name.decode("utf-8", "backslashreplace"),
            MESSAGE_TYPES[self._numbers[1]],
            self._numbers[2],
            True,
            Span(self._start, self.scanner.separator + 1),
            self.method_span,
        )


def read_header(data: bytes | bytearray, start: int, stop: int, limits: Limits) -> Header:
    """Read the header at ``data[start:stop]``: from the first bracket to the comma before the body.

    ``method_span`` is what is between the method's quotes, as it is written.  Raises Incomplete if
    it is cut off, DecodeError for another version, an unknown message type, or text that is not
    JSON.
    """
    reader = _HeaderReader(start, limits)
    if not reader.advance(data, stop):
        raise _cut(reader.what, reader.scanner.at, stop, "")
    return reader.header(data)


def _cut(what: str, at: int, stop: int, why: str) -> Incomplete:
    """Make the error for bytes that end at ``stop``, in the token at ``at`` or before it."""
    begun = f"end of the {what}" if at < stop else what
    return Incomplete(begun + why, stop, needs=1, left=0)


# ── Skipping ─────────────────────────────────────────────────────────────────────────


class JsonSkipper(Skipper):
    """Finds the bracket that closes a message."""

    __slots__ = ("_has_struct", "_head", "_limits", "_start")

    def __init__(self, start: int, limits: Limits) -> None:
        self._start = start
        self._limits = limits
        self._head = _HeaderReader(start, limits)
        self._has_struct = False

    def known_until(self) -> int:
        # Any lost byte may have been a quote or a bracket.
        return self._head.scanner.at

    def advance(self, data: bytes | bytearray, stop: int) -> int:
        scanner = self._head.scanner
        most = self._limits.message
        if self._head.advance(data, stop):
            kind = LIST
            while kind != MORE and scanner.at - self._start <= most:
                kind = scanner.next(data, stop)
                depth = scanner.depth
                if depth == 0:
                    return scanner.at
                if depth <= 2 and kind != MORE:
                    self._outermost(kind, depth, data)
        if stop - self._start > most:
            found = f"over {most} bytes"
            raise LimitExceeded("message", self._start, found=found, limit=most)
        return -1

    def _outermost(self, kind: int, depth: int, data: bytes | bytearray) -> None:
        """Check that the message's own list has one struct after the header, and nothing else."""
        is_opened = depth == 2 and kind in (OBJECT, LIST)
        if not is_opened and not (depth == 1 and kind != CLOSE):
            return
        scanner = self._head.scanner
        _check_outermost(self._has_struct, kind, scanner, data)
        self._has_struct = True


def _check_outermost(
    has_struct: bool, kind: int, scanner: Scanner, data: bytes | bytearray
) -> None:
    if has_struct:
        raise refused("end of the message", data, scanner.start, scanner.at, "']'")
    if kind != OBJECT:
        raise refused("struct", data, scanner.start, scanner.at, "'{'")


# ── Reading ──────────────────────────────────────────────────────────────────────────


class TokenWalk:
    """Pulls tokens from a text, and tells ``listener`` what is odd about them.

    ``broken``: the text ends here, or is not JSON from here on; every level ends where it is.
    ``is_cut``: it is broken because the text ends, at ``stop``, the end or the first lost byte.
    """

    __slots__ = ("broken", "data", "is_cut", "left", "limits", "listener", "scanner", "stop", "why")

    def __init__(
        self,
        data: bytes,
        start: int,
        stop: int,
        gaps: tuple[Gap, ...],
        limits: Limits,
        scanner: Scanner,
        listener: Listener,
    ) -> None:
        self.data = data
        self.limits = limits
        self.scanner = scanner
        self.listener = listener
        self.broken = False
        self.is_cut = False
        self.left = limits.values  # how many may still be read
        self.stop = stop
        self.why = ""
        # Every byte of the text is structure, or may end it: a lost one ends the reading.
        for gap in gaps:
            if gap.stop > start and gap.offset < self.stop:
                self.stop = max(start, gap.offset)
                self.why = " (lost by the capture)"

    def next(self, what: str) -> int:
        """Return what the next token is; MORE if there is none, and then ``broken`` is set."""
        if self.broken:
            return MORE
        try:
            kind = self.scanner.next(self.data, self.stop)
            if kind == MORE:
                self.is_cut = True
                raise _cut(what, self.scanner.at, self.stop, self.why)
        except DecodeError as error:
            self.fail(error)
            return MORE
        return kind

    def expect(self, what: str, wanted: int) -> bool:
        """Say whether the next token is of that kind; report it if not."""
        kind = self.next(what)
        if kind != MORE and kind != wanted:
            self.refuse(what, _WANTED_KINDS[wanted])
        return kind == wanted

    def fail(self, error: DecodeError) -> None:
        """Report an error, and end the reading."""
        self.add(error)
        self.broken = True

    def is_full(self) -> bool:
        """Say whether as many values were read as allowed; if so, report that and stop reading."""
        self.left -= 1
        if self.left >= 0:
            return False
        if not self.broken:
            self.listener.fail(too_many(self.limits, self.scanner.start))
            self.broken = True
        return True

    def add(self, error: DecodeError) -> None:
        """Report an error after which the reading goes on."""
        self.listener.warn(Finding(Severity.ERROR, str(error), error.offset))

    def refuse(self, what: str, wanted: str) -> None:
        """Report that the last token is not what it should be.  Reading can go on."""
        self.add(refused(what, self.data, self.scanner.start, self.scanner.at, wanted))

    def warn(self, text: str, offset: int) -> None:
        """Report something odd at ``offset``."""
        self.listener.warn(Finding(Severity.WARNING, text, offset))

    def is_too_deep(self, depth: int) -> bool:
        """Say whether the nesting is over the limit; report it if so."""
        if depth <= self.limits.depth:
            return False
        place = self.scanner.start
        self.add(
            LimitExceeded("nesting", place, found=f"{depth} deep", limit=self.limits.depth, size=1)
        )
        return True

    @property
    def span(self) -> Span:
        """Return the place of the last token."""
        return Span(self.scanner.start, self.scanner.at)

    def token(self) -> bytes:
        """Return the bytes of the last token."""
        return bytes(self.data[self.scanner.start : self.scanner.at])

    def text(self) -> bytes:
        """Return the content of the last token, a string."""
        start = self.scanner.start
        text, odd = unescape(self.token()[1:-1])
        if odd >= 0:
            at = start + 1 + odd
            size = 6 if self.data[at + 1] == 0x75 else 2
            shown = self.data[at : min(at + size, self.scanner.at - 1)]
            found = bytes(shown).decode("ascii", "backslashreplace")
            self.warn(f"escape at offset {at}: is {found}, want one that stands for text", at)
        return text

    def cut_string(self) -> bool:
        """Report what is there of a string in which the text ends; False if nothing is.

        Nobody can tell how much of it is missing: ``lost`` is 1, its closing quote.
        """
        at = self.scanner.at
        if not self.is_cut or at >= self.stop or self.data[at] != _QUOTE:
            return False
        text, _ = unescape(bytes(self.data[at + 1 : self.stop]), True)
        self.scanner.start = at
        self.scanner.at = self.stop
        self.tell_text(text, 1)
        return True

    def string(self) -> None:
        """Report the last token, a string."""
        self.tell_text(self.text(), 0)

    def tell_text(self, text: bytes, lost: int) -> None:
        """Report ``text``, the content of the last token."""
        scanner = self.scanner
        self.listener.string(text, 0, len(text), scanner.start, 0, scanner.at, lost)

    def finish_pair(self, depth: int) -> None:
        """Pass over the unread rest of a pair in the object at that depth."""
        scanner = self.scanner
        while scanner.depth > depth or not scanner.has_pair:
            if self.next("end of the field") == MORE:
                return

    def leave(self, depth: int) -> None:
        """Pass over the unread rest of the list or object at that depth."""
        while self.scanner.depth >= depth:
            if self.next("closing bracket") == MORE:
                return

    def finish(self) -> None:
        """Report anything but white space after the message."""
        at = _end_of(_SPACE, self.data, self.scanner.at, self.stop)
        if at < self.stop:
            left = self.stop - at
            what = "byte" if left == 1 else "bytes"
            text = f"{left} {what} left over behind the message at offset {at}"
            self.listener.fail(Finding(Severity.ERROR, text, at))


_WANTED_KINDS: Final[dict[int, str]] = {
    OBJECT: "'{'",
    LIST: "'['",
    CLOSE: "a closing bracket",
    STRING: "a string",
    WORD: "a number",
}


class _Order:
    """The ids of a struct's fields, as far as it was read; ``is_odd``: one did not rise."""

    __slots__ = ("before", "ids", "is_odd")

    def __init__(self) -> None:
        self.before = NO_FIELDS
        self.ids: set[int] = set()
        self.is_odd = False


class _Walk(TokenWalk):
    """Reports Thrift's values from the tokens.

    A field that cannot be read is passed over, and the next one is read.  A list, set or map ends
    at the first element that cannot be read: after that, positions would be wrong.
    """

    __slots__ = ()

    def struct(self, depth: int) -> None:
        """Report the struct whose opening brace is the last token."""
        scanner, listener = self.scanner, self.listener
        listener.struct(scanner.start)
        order = _Order()
        level = scanner.depth
        while not self.broken:
            kind = self.next("field id")
            if kind == CLOSE:
                listener.struct_end(scanner.start, scanner.at)
                return
            if kind == MORE:
                break
            self.field(kind, depth, order)
            self.finish_pair(level)
        listener.struct_end(-1, scanner.at)

    def field(self, kind: int, depth: int, order: _Order) -> None:
        start = self.scanner.start
        field_id = self.integer("field id", kind, 16, True)
        if field_id is None or not self.expect("field", OBJECT):
            return
        ttype = self.tag("field type")
        if ttype is None:
            return
        self.listener.field(field_id, None, start)
        if not self.value(ttype, self.next(ttype.name), depth, False):
            return
        if not self.broken and self.expect("end of the field", CLOSE):
            self.listener.field_end(self.scanner.at)
        if 0 <= field_id <= order.before and not order.is_odd:
            order.is_odd = True
            is_there = field_id in order.ids
            self.listener.warn(unordered(field_id, order.before, is_there, start))
        order.before = field_id
        order.ids.add(field_id)

    def tag(self, what: str) -> TType | None:
        if not self.expect(what, STRING):
            return None
        ttype = _TYPES.get(self.token()[1:-1])
        if ttype is None:
            self.refuse(what, _WANTED_TAGS)
        return ttype

    def integer(self, what: str, kind: int, bits: int, is_key: bool) -> int | None:
        """Return the last token as a whole number; None, with a finding, if it is not one.

        Only numbers that are keys are in quotes; one too large for its type is kept, with a
        finding.
        """
        text = self.number_text(what, kind, is_key)
        if not _INTEGER.fullmatch(text) or len(text) > MAX_WORD:
            self.refuse(what, '"a whole number" in quotes' if is_key else "a whole number")
            return None
        number = int(text)
        most = 1 << (bits - 1)
        if not -most <= number < most:
            place = self.scanner.start
            self.warn(f"{what} at offset {place}: is {number}, want {bits} bits at most", place)
        return number

    def number_text(self, what: str, kind: int, is_key: bool) -> bytes:
        """Return the last token without its quotes; empty if it is a bracket.

        Quotes where there should be none, and missing quotes, are reported.
        """
        if kind != STRING and kind != WORD:
            return b""
        if (kind == STRING) == is_key:
            return self.token()[1:-1] if is_key else self.token()
        text = self.token()[1:-1] if kind == STRING else self.token()
        if _NUMBER.fullmatch(text):
            place = self.scanner.start
            wanted = "quotes around a key" if is_key else "a number without quotes"
            shown = self.token().decode("ascii")
            self.warn(f"{what} at offset {place}: is {shown}, want {wanted}", place)
        return text

    def value(self, ttype: TType, kind: int, depth: int, is_key: bool) -> bool:
        """Report the value that begins with the last token, of kind ``kind``.

        False, with a finding, if it cannot be read.
        """
        if kind == MORE:
            return self.cut_string() if ttype is TType.STRING else False
        if self.is_full():
            return False
        if ttype in _OPENERS:
            return self.nested(ttype, kind, depth + 1)
        if ttype is TType.STRING or ttype is TType.UUID:
            if kind != STRING:
                self.refuse(ttype.name, "a string")
                return False
            if ttype is TType.UUID:
                return self.uuid()
            self.string()
            return True
        if ttype is TType.DOUBLE:
            return self.double(kind, is_key)
        if ttype is TType.BOOL:
            return self.boolean(kind, is_key)
        number = self.integer(ttype.name, kind, _BITS[ttype], is_key)
        if number is None:
            return False
        self.listener.number(ttype, number, self.scanner.start, self.scanner.at)
        return True

    def nested(self, ttype: TType, kind: int, depth: int) -> bool:
        if kind != _OPENERS[ttype]:
            self.refuse(ttype.name, _WANTED_KINDS[_OPENERS[ttype]])
            return False
        if self.is_too_deep(depth):
            return False
        if ttype is TType.MAP:
            return self.map(depth)
        if ttype is not TType.STRUCT:
            return self.items(ttype, depth)
        self.struct(depth)
        return True

    def boolean(self, kind: int, is_key: bool) -> bool:
        start, stop = self.scanner.start, self.scanner.at
        if kind == WORD and self.token() in (b"true", b"false"):
            is_true = self.token() == b"true"
        else:
            number = self.integer("BOOL", kind, 64, is_key)
            if number is None:
                return False
            is_true = number != 0
            if number in (0, 1):
                self.listener.truth(is_true, start, stop)
                return True
        shown = self.token().decode("ascii")
        self.warn(f"BOOL at offset {start}: is {shown}, want 0 or 1", start)
        self.listener.truth(is_true, start, stop)
        return True

    def double(self, kind: int, is_key: bool) -> bool:
        # NaN and the infinities may be in quotes everywhere.
        number = read_number(self.number_text("DOUBLE", kind, is_key))
        if number is None:
            self.refuse("DOUBLE", "a number")
            return False
        self.listener.double(number, self.scanner.start, self.scanner.at)
        return True

    def uuid(self) -> bool:
        text = self.token()[1:-1]
        if not _UUID.fullmatch(text):
            self.refuse("UUID", "8-4-4-4-12 hex digits")
            return False
        value = uuid.UUID(text.decode("ascii"))
        self.listener.uuid(value, self.scanner.start, self.scanner.at)
        return True

    def count(self, what: str) -> int | None:
        kind = self.next(what)
        return None if kind == MORE else self.integer(what, kind, 32, False)

    def items(self, ttype: TType, depth: int) -> bool:
        """Report the list or set whose opening bracket is the last token."""
        scanner, listener = self.scanner, self.listener
        start = scanner.start
        level = scanner.depth
        what = "set" if ttype is TType.SET else "list"
        etype = self.tag(f"{what} element type")
        count = None if etype is None else self.count(f"{what} count")
        if etype is None or count is None:
            self.leave(level)
            return False
        count_at = scanner.start
        listener.items(ttype, etype, count, 0, start, 0)
        told = 0
        while True:
            kind = self.next(f"end of the {what}")
            if kind == CLOSE:
                self.check_count(f"{what} count", count_at, count, told)
                break
            is_read = self.value(etype, kind, depth, False)
            told += 1
            if not is_read or self.broken:
                self.leave(level)
                break
        listener.end(scanner.at)
        return True

    def map(self, depth: int) -> bool:
        """Report the map whose opening bracket is the last token."""
        scanner, listener = self.scanner, self.listener
        start = scanner.start
        level = scanner.depth
        ktype = self.tag("map key type")
        vtype = None if ktype is None else self.tag("map value type")
        count = None if vtype is None else self.count("map count")
        count_at = scanner.start
        if ktype is None or vtype is None or count is None or not self.expect("map", OBJECT):
            self.leave(level)
            return False
        listener.entries(ktype, vtype, count, 0, start, 0)
        told = 0
        while True:
            kind = self.next("map key")
            if kind == CLOSE:
                self.check_count("map count", count_at, count, told)
                self.expect("end of the map", CLOSE)
                break
            if not self.value(ktype, kind, depth, True) or self.broken:
                break
            if not self.value(vtype, self.next("map value"), depth, False):
                break
            told += 1
        self.leave(level)
        listener.end(scanner.at)
        return True

    def check_count(self, what: str, offset: int, count: int, there: int) -> None:
        if count != there:
            self.warn(
                f"{what} at offset {offset}: is {count}, want {there}: so many follow", offset
            )


_OPENERS: Final[dict[TType, int]] = {
    TType.STRUCT: OBJECT,
    TType.MAP: LIST,
    TType.SET: LIST,
    TType.LIST: LIST,
}


class JsonProtocol(Protocol):
    """The JSON of Apache's libraries."""

    name = "json"
    title = "JSON"
    classes = "TJSONProtocolFactory of Apache's (TApacheJSONProtocolFactory in thriftpy2)"
    is_text = True

    def read_header(self, data: bytes | bytearray, start: int, stop: int, limits: Limits) -> Header:
        return read_header(data, start, stop, limits)

    def walk(
        self,
        data: bytes,
        start: int,
        stop: int,
        gaps: tuple[Gap, ...],
        limits: Limits,
        listener: Listener,
    ) -> None:
        # After a header's comma, the struct is in the message's own list.  A struct without a
        # message has no comma before it.
        in_message = data[max(0, start - 1) : start] == b","
        scanner = Scanner(start, limits, in_message)
        walk = _Walk(data, start, stop, gaps, limits, scanner, listener)
        kind = walk.next("struct")
        if kind == MORE:
            return
        if kind != OBJECT:
            walk.refuse("struct", "'{'")
            return
        walk.struct(1)
        if in_message and not walk.broken:
            kind = walk.next("end of the message")
            if kind != MORE and kind != CLOSE:
                walk.refuse("end of the message", "']'")
                walk.broken = True
        if not walk.broken:
            walk.finish()

    def skipper(self, start: int, limits: Limits) -> JsonSkipper:
        return JsonSkipper(start, limits)

    # Notes and masks are for one message at a time: their writers are loaded when asked for.

    def notes(self, record: Record) -> list[Note]:
        from .json_notes import explain_json

        return explain_json(record)

    def mask(self, data: bytes, value: Value, field: Field | None, is_key: bool) -> Run:
        from .masks import in_json

        return in_json(data, value, is_key)

    def blank(self, data: bytes) -> bytes:
        from .masks import json_blank

        return json_blank(data)


JSON: Final = JsonProtocol()


# ── Writing ──────────────────────────────────────────────────────────────────────────

_ESCAPED: Final[dict[int, bytes]] = {
    byte: b"\\" + chr(letter).encode()
    for letter, text in _ESCAPES.items()
    for byte in text
    if byte != 0x2F
}
_TO_ESCAPE: Final = re.compile(rb'["\\\b\f\n\r\t]')


def write_message(header: Header, body: Struct) -> bytes:
    r"""Write a message as Apache's Python does: what that wrote comes back byte for byte.

    Other writers differ in white space, doubles, ``"NaN"`` in quotes, and characters as ``\u``
    escapes.  Raises ValueError for a value that was lost.
    """
    method = _quoted(header.method.encode("utf-8", "surrogatepass"))
    head = b"[1,%s,%d,%d," % (method, header.type, header.seqid)
    return head + write_struct(body) + b"]"


def write_struct(value: Struct) -> bytes:
    """Write a struct, from brace to brace.  Raises ValueError for a value that was lost."""
    return b"{" + b",".join(_written_field(field) for field in value.fields) + b"}"


def _written_field(field: Field) -> bytes:
    tag = TAGS[field.ttype].encode()
    return b'"%d":{"%s":%s}' % (field.field_id, tag, _written(field.value, False))


def _written(value: Value, is_key: bool) -> bytes:
    content = value.content
    if content is None or value.lost:
        raise ValueError(f"{value.ttype.name}: part of it was lost, so it cannot be written")
    if isinstance(content, Struct):
        return write_struct(content)
    if isinstance(content, Items):
        parts = [b'"%s"' % TAGS[content.element_type].encode(), b"%d" % content.count]
        parts += [_written(item, False) for item in content.items]
        return b"[" + b",".join(parts) + b"]"
    if isinstance(content, Entries):
        tags = TAGS[content.key_type].encode(), TAGS[content.value_type].encode()
        pairs = b",".join(
            _written(key, True) + b":" + _written(item, False) for key, item in content.items
        )
        return b'["%s","%s",%d,{%s}]' % (*tags, content.count, pairs)
    if isinstance(content, (bytes, str)):
        return _quoted(content if isinstance(content, bytes) else content.encode())
    if isinstance(content, uuid.UUID):
        return b'"%s"' % str(content).encode()
    # 17 digits distinguish all doubles.
    number = format(content, ".17g").encode() if isinstance(content, float) else b"%d" % content
    return b'"%s"' % number if is_key else number


def _quoted(text: bytes) -> bytes:
    return b'"' + _TO_ESCAPE.sub(lambda match: _ESCAPED[match.group()[0]], text) + b'"'
