"""thriftpy2's own TJSONProtocol (thriftpy2/protocol/json.py), which is not Apache's.

    ┌────────────┐
    │ length u32 │ {"metadata": {"version": 1, "name": "add", "ttype": 1, "seqid": 1},
    └────────────┘  "payload": {"a": 2, "b": 40}}
                      fields by name; no ids, no types

The length belongs to the protocol: in a framed transport it is there too, after the frame's own.
It does not count itself.

Types are those of JSON, because there are no others on the wire: a whole number is an I64, one with
a fraction or an exponent a DOUBLE, an object a STRUCT, ``[…]`` a LIST.  A set is written as a list,
a map as a list of objects with a "key" and a "value", binary as base64 in a string: nothing on the
wire tells them apart, so they stay what they look like.
"""

from __future__ import annotations

import json
import re
from typing import ClassVar, Final

from ...errors import DecodeError, Incomplete, LimitExceeded
from ...model import (
    MESSAGE_TYPES,
    NO_ID,
    Entries,
    Field,
    Gap,
    Header,
    Items,
    Limits,
    Listener,
    Note,
    Protocol,
    Record,
    Run,
    Skipper,
    Span,
    Struct,
    TType,
    Value,
)
from .thrift_json import (
    CLOSE,
    LIST,
    MORE,
    OBJECT,
    STRING,
    WORD,
    Scanner,
    TokenWalk,
    read_number,
    refused,
    unescape,
)

__all__ = [
    "THRIFTPY2_JSON",
    "NamedWalk",
    "ThriftPy2JsonProtocol",
    "ThriftPy2JsonSkipper",
    "read_header",
    "write_message",
    "write_struct",
]

# Size in bytes of the length.
HEAD: Final = 4

_INTEGER: Final = re.compile(rb"-?[0-9]{1,1100}")

_WANTED_MTYPES: Final = "one of " + ", ".join(f"{t.value} {t.name}" for t in MESSAGE_TYPES[1:5])

_NAMES: Final = (b'"version"', b'"name"', b'"ttype"', b'"seqid"')
_WHATS: Final = ("version", "method name", "message type", "seqid")
_ENTRY: Final = "metadata's entry"


# ── Header ───────────────────────────────────────────────────────────────────────────


def _read_length(data: bytes | bytearray, start: int, stop: int, limits: Limits) -> int:
    """Return the length at ``start``.  Raises what a frame's length raises."""
    what = "message length"
    if stop - start < HEAD:
        raise Incomplete(what, start, needs=HEAD, left=stop - start)
    length = int.from_bytes(data[start : start + HEAD], "big", signed=True)
    if length <= 0:
        raise DecodeError(what, start, found=str(length), wanted="1 or more", size=HEAD)
    if length > limits.message:
        raise LimitExceeded(what, start, found=str(length), limit=limits.message, size=HEAD)
    return length


# How far a header has been read.
_AT_MESSAGE: Final = 0
_AT_NAME: Final = 1
_AT_METADATA: Final = 2
_IN_METADATA: Final = 3
_BEHIND_METADATA: Final = 4


class _HeaderReader:
    """Reads a header one token at a time, so that it can wait for more in between.

    The metadata's four entries may come in any order, with others in between.
    """

    __slots__ = ("_is_done", "_numbers", "_start", "_state", "_what", "method_span", "scanner")

    def __init__(self, start: int, limits: Limits) -> None:
        self.scanner = Scanner(start + HEAD, limits)
        self.method_span = Span(start, start)
        self._start = start
        self._what = "message"
        self._state = _AT_MESSAGE
        self._numbers: dict[int, int] = {}
        self._is_done = False

    @property
    def what(self) -> str:
        """Name what is read next."""
        return self._what

    def advance(self, data: bytes | bytearray, stop: int) -> bool:
        """Read on; True once the header is there, up to the comma before the payload."""
        scanner = self.scanner
        while not self._is_done:
            is_there = scanner.ready(data, stop)
            if self._state == _BEHIND_METADATA and scanner.separator > scanner.start:
                self._is_done = True
            elif not is_there:
                break
            elif self._state == _BEHIND_METADATA:
                wanted = "',' and \"payload\""
                raise refused("payload", data, scanner.at, scanner.at + 1, wanted)
            elif self._state == _AT_MESSAGE and data[scanner.at] != 0x7B:
                raise refused("message", data, scanner.at, scanner.at + 1, "'{'")
            else:
                kind = scanner.next(data, stop)
                if kind == MORE:
                    break
                self._take(kind, data)
        return self._is_done

    def _take(self, kind: int, data: bytes | bytearray) -> None:
        scanner = self.scanner
        start, stop = scanner.start, scanner.at
        text = bytes(data[start:stop])
        if self._state == _AT_MESSAGE:
            self._state = _AT_NAME
            self._what = "metadata"
        elif self._state == _AT_NAME:
            if text != b'"metadata"':
                raise refused("metadata", data, start, stop, '"metadata"')
            self._state = _AT_METADATA
        elif self._state == _AT_METADATA:
            if kind != OBJECT:
                raise refused("metadata", data, start, stop, "'{'")
            self._state = _IN_METADATA
            self._what = _ENTRY
        elif kind == CLOSE and scanner.depth == 1:
            for place, name in enumerate(_NAMES):
                if place not in self._numbers:
                    wanted = name.decode("ascii")
                    raise DecodeError("metadata", start, found="without it", wanted=wanted, size=1)
            self._state = _BEHIND_METADATA
            self._what = "payload"
        elif scanner.depth == 2 and not scanner.has_pair:
            # A key: its value comes after its colon.
            self._what = _WHATS[_NAMES.index(text)] if text in _NAMES else _ENTRY
        elif self._what != _ENTRY:
            self._value(_WHATS.index(self._what), kind, text, data)
            self._what = _ENTRY

    def _value(self, place: int, kind: int, text: bytes, data: bytes | bytearray) -> None:
        what = self._what
        start, stop = self.scanner.start, self.scanner.at
        if place == 1:
            if kind != STRING:
                raise refused(what, data, start, stop, "a string")
            self.method_span = Span(start + 1, stop - 1)
            self._numbers[1] = 0
            return
        if place == 0 and text != b"1":
            raise refused(what, data, start, stop, "1")
        if not _INTEGER.fullmatch(text):
            raise refused(what, data, start, stop, "a whole number")
        if place == 2 and not 1 <= int(text) <= 4:
            raise refused(what, data, start, stop, _WANTED_MTYPES)
        self._numbers[place] = int(text)

    def header(self, data: bytes | bytearray) -> Header:
        name, _ = unescape(bytes(data[self.method_span.start : self.method_span.stop]))
        return Header(
            name.decode("utf-8", "backslashreplace"),
            MESSAGE_TYPES[self._numbers[2]],
            self._numbers[3],
            True,
            Span(self._start, self.scanner.separator + 1),
            self.method_span,
        )


def read_header(data: bytes | bytearray, start: int, stop: int, limits: Limits) -> Header:
    """Read the header at ``data[start:stop]``: the length, and the metadata up to its comma.

    Raises Incomplete if it is cut off, DecodeError if it is not such JSON, LimitExceeded for a
    length over ``limits.message``.
    """
    end = start + HEAD + _read_length(data, start, stop, limits)
    reader = _HeaderReader(start, limits)
    if not reader.advance(data, min(stop, end)):
        raise Incomplete(reader.what, min(stop, end), needs=1, left=0)
    return reader.header(data)


# ── Skipping ─────────────────────────────────────────────────────────────────────────


class ThriftPy2JsonSkipper(Skipper):
    """Finds where a message ends: its length says so, once its header has proved itself."""

    __slots__ = ("_end", "_head", "_limits", "_proved", "_start")

    def __init__(self, start: int, limits: Limits) -> None:
        self._start = start
        self._limits = limits
        self._head = _HeaderReader(start, limits)
        self._end = -1
        self._proved = False

    def known_until(self) -> int:
        return self._end if self._proved else self._start

    def advance(self, data: bytes | bytearray, stop: int) -> int:
        if self._end < 0:
            if stop - self._start < HEAD:
                return -1
            length = _read_length(data, self._start, stop, self._limits)
            self._end = self._start + HEAD + length
        if not self._proved:
            self._proved = self._head.advance(data, min(stop, self._end))
            if not self._proved and stop >= self._end:
                raise Incomplete(self._head.what, self._end, needs=1, left=0)
        return self._end if self._proved and stop >= self._end else -1


# ── Reading ──────────────────────────────────────────────────────────────────────────


class NamedWalk(TokenWalk):
    """Reports JSON's values, objects by their names.

    What cannot be read is passed over, as in ``thrift_json.py``.
    """

    __slots__ = ()

    text_type: ClassVar[TType] = TType.STRING  # what a string is

    def struct(self, depth: int) -> None:
        """Report the struct whose opening brace is the last token."""
        scanner, listener = self.scanner, self.listener
        listener.struct(scanner.start)
        seen: set[str] = set()
        level = scanner.depth
        while not self.broken:
            kind = self.next("field name")
            if kind == CLOSE:
                listener.struct_end(scanner.start, scanner.at)
                return
            if kind == MORE:
                break
            self.field(kind, depth, seen)
            self.finish_pair(level)
        listener.struct_end(-1, scanner.at)

    def field(self, kind: int, depth: int, seen: set[str]) -> None:
        """Report a field; its name is the last token.  ``seen`` has the names before it."""
        start = self.scanner.start
        if kind != STRING:
            self.refuse("field name", "a string")
            return
        key = self.token().decode("utf-8", "backslashreplace")
        name = self.text().decode("utf-8", "backslashreplace")
        self.listener.field(NO_ID, name, start)
        if self.value(self.next("value"), depth) == TType.STOP:
            return
        if name in seen:
            shown = key.encode("ascii", "backslashreplace").decode("ascii")
            self.warn(f"field name at offset {start}: is {shown}, which was there before", start)
        seen.add(name)

    def value(self, kind: int, depth: int) -> TType:
        """Report the value that begins with the last token.

        Returns its type; STOP, with a finding, if it cannot be read.
        """
        if kind == MORE:
            return self.text_type if self.cut_string() else TType.STOP
        if kind == CLOSE:
            self.refuse("value", "a value")
            return TType.STOP
        if self.is_full():
            return TType.STOP
        if kind == STRING:
            self.string()
            return self.text_type
        if kind == WORD:
            return self.word()
        if self.is_too_deep(depth + 1):
            return TType.STOP
        if kind == LIST:
            self.items(depth + 1)
            return TType.LIST
        self.struct(depth + 1)
        return TType.STRUCT

    def word(self) -> TType:
        """Report the last token: a number, true, false or null; STOP if it is none of these."""
        text = self.token()
        listener, start, stop = self.listener, self.scanner.start, self.scanner.at
        if text in (b"true", b"false"):
            listener.truth(text == b"true", start, stop)
            return TType.BOOL
        if _INTEGER.fullmatch(text):
            number = int(text)
            if not -(1 << 63) <= number < 1 << 63:
                self.warn(f"value at offset {start}: is {number}, want 64 bits at most", start)
            listener.number(TType.I64, number, start, stop)
            return TType.I64
        double = read_number(text)
        if double is None:
            self.refuse("value", "true, false, a number, a string, '{' or '['")
            return TType.STOP
        listener.double(double, start, stop)
        return TType.DOUBLE

    def items(self, depth: int) -> None:
        """Report the list whose opening bracket is the last token."""
        scanner, listener = self.scanner, self.listener
        start = scanner.start
        level = scanner.depth
        listener.items(TType.LIST, TType.STOP, -1, 0, start, 0)
        types: set[TType] = set()
        count = 0
        while True:
            kind = self.next("end of the list")
            if kind == CLOSE:
                break
            ttype = self.value(kind, depth)
            if ttype != TType.STOP:
                types.add(ttype)
                count += 1
            if ttype == TType.STOP or self.broken:
                self.leave(level)
                break
        # No elements, or elements of several types, have no type to name.
        listener.settle(types.pop() if len(types) == 1 else TType.STOP, count)
        listener.end(scanner.at)


class _Walk(NamedWalk):
    """Reports a message."""

    __slots__ = ()

    def payload(self) -> None:
        """Report the struct under "payload", and what else is in the message's object."""
        has_payload = False
        level = self.scanner.depth
        while not self.broken:
            kind = self.next('"payload"' if not has_payload else "end of the message")
            if kind in (MORE, CLOSE):
                break
            name = self.token()
            if name == b'"payload"' and not has_payload:
                has_payload = True
                if self.expect("payload", OBJECT):
                    self.struct(1)
            else:
                self.refuse("message", '"payload" alone' if has_payload else '"payload"')
            self.finish_pair(level)
        if not self.broken:
            if not has_payload:
                self.refuse("message", '"payload"')
            self.finish()


class ThriftPy2JsonProtocol(Protocol):
    """The JSON of thriftpy2."""

    name = "thriftpy2-json"
    title = "thriftpy2's JSON"
    classes = "thriftpy2's TJSONProtocolFactory"
    is_text = True
    has_names = True

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
        # The struct under "payload", after the metadata's comma; or one without a message.
        in_message = data[max(0, start - 1) : start] == b","
        scanner = Scanner(start, limits, in_object=in_message)
        walk = _Walk(data, start, stop, gaps, limits, scanner, listener)
        if in_message:
            walk.payload()
        elif walk.expect("struct", OBJECT):
            walk.struct(1)
            if not walk.broken:
                walk.finish()

    def skipper(self, start: int, limits: Limits) -> ThriftPy2JsonSkipper:
        return ThriftPy2JsonSkipper(start, limits)

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


THRIFTPY2_JSON: Final = ThriftPy2JsonProtocol()


# ── Writing ──────────────────────────────────────────────────────────────────────────


def write_message(header: Header, body: Struct) -> bytes:
    """Write a message as thriftpy2 does: what that wrote comes back byte for byte.

    Raises ValueError for a value that was lost, or that this protocol cannot hold.
    """
    text = (
        f'{{"metadata": {{"version": 1, "name": {json.dumps(header.method)}, '
        f'"ttype": {header.type.value}, "seqid": {header.seqid}}}, "payload": '
    )
    written = text.encode("ascii") + write_struct(body) + b"}"
    return len(written).to_bytes(HEAD, "big") + written


def write_struct(value: Struct) -> bytes:
    """Write a struct, from brace to brace.  Raises what ``write_message`` raises."""
    return _struct(value).encode("ascii")


def _struct(value: Struct) -> str:
    return "{" + ", ".join(_field(field) for field in value.fields) + "}"


def _field(field: Field) -> str:
    if field.name is None:
        raise ValueError(f"field {field.field_id} has no name, and this protocol writes names")
    return f"{json.dumps(field.name)}: {_value(field.value)}"


def _value(value: Value) -> str:
    content = value.content
    if content is None or value.lost:
        raise ValueError(f"{value.ttype.name}: part of it was lost, so it cannot be written")
    if isinstance(content, Struct):
        return _struct(content)
    if isinstance(content, Items):
        return "[" + ", ".join(_value(item) for item in content.items) + "]"
    if isinstance(content, Entries):
        raise ValueError("MAP: the wire has none; thriftpy2 writes a list of keys and values")
    if isinstance(content, bytes):
        return json.dumps(content.decode("utf-8", "surrogatepass"))
    if isinstance(content, (bool, int, float)):
        return json.dumps(content)
    return json.dumps(str(content))
