"""Ordinary JSON (RFC 8259), as in rpcx, Motan and Connect.  Thrift's own two are elsewhere.

    {"Username": "admin", "tags": ["a", 1, 2.5, null]}      names, and values that say their types

An object is a struct with named fields, however often a name comes; a whole number is an INT of any
size, one with a fraction or an exponent a DOUBLE.  Tokens, places and the grammar of brackets are
``thrift_json.py``'s.  What Python and JavaScript write although JSON forbids it (NaN, Infinity,
bare control characters in strings) is read, and reported as odd.
"""

from __future__ import annotations

import re
from typing import Final

from ...model import (
    Field,
    Gap,
    Limits,
    Listener,
    Note,
    Record,
    Run,
    TType,
    Value,
)
from .thrift_json import Scanner, read_number
from .thriftpy2_json import NamedWalk
from .values_walk import ONLY_VALUE, ValuesProtocol, with_pairs

__all__ = ["PLAIN_JSON", "PlainJsonProtocol", "PlainJsonWalk"]

_SPACE: Final = re.compile(rb"[ \t\r\n]*")
_WORD: Final = re.compile(rb"[0-9A-Za-z+.\-]*")
_WHOLE: Final = re.compile(rb"-?[0-9]+")
_STRICT: Final = re.compile(rb"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_CONTROL: Final = re.compile(rb"[\x00-\x1f]")


class PlainJsonWalk(NamedWalk):
    """Walks over one value, or over several, one after the other."""

    __slots__ = ()

    text_type = TType.TEXT

    def payload(self) -> None:
        """Report the payload: an object is the struct itself."""
        start = self.scanner.at
        at = _end(_SPACE, self.data, start, self.stop)
        if self.data[at : min(at + 1, self.stop)] == b"{":
            self.next("value")
            self.struct(1)
        else:
            self.alone(start, at)
        if not self.broken:
            self.finish()

    def alone(self, start: int, at: int) -> None:
        """Report a payload that is not an object."""
        self.listener.struct(start)
        self.listener.field(ONLY_VALUE, None, at)
        is_whole = self.another()
        self.listener.struct_end(self.scanner.at if is_whole else -1, self.scanner.at)

    def skip_space(self) -> int:
        """Pass over white space; return where it ends."""
        self.scanner.at = _end(_SPACE, self.data, self.scanner.at, self.stop)
        return self.scanner.at

    def another(self) -> bool:
        """Report the next value, which is in no other; False if it cannot be read."""
        at = self.skip_space()
        # A scanner reads one value: what follows that is no part of it.
        self.scanner = Scanner(at, self.limits)
        end = _end(_WORD, self.data, at, self.stop)
        if end == self.stop and end > at and not self.why:
            # No bracket will come to say where a word ends.
            self.scanner.start = at
            self.scanner.at = end
            ttype = TType.STOP if self.is_full() else self.word()
        else:
            ttype = self.value(self.next("value"), 1)
        return ttype != TType.STOP and not self.broken

    def word(self) -> TType:
        text = self.token()
        listener, start, stop = self.listener, self.scanner.start, self.scanner.at
        if text == b"null":
            listener.null(start, stop)
            return TType.NULL
        if text in (b"true", b"false"):
            listener.truth(text == b"true", start, stop)
            return TType.BOOL
        if len(text) <= 1100 and _WHOLE.fullmatch(text):
            self.check_number(text, start)
            listener.number(TType.INT, int(text), start, stop)
            return TType.INT
        double = read_number(text)
        if double is None:
            self.refuse("value", "null, true, false, a number, a string, '{' or '['")
            return TType.STOP
        self.check_number(text, start)
        listener.double(double, start, stop)
        return TType.DOUBLE

    def check_number(self, text: bytes, start: int) -> None:
        """Report a number that JSON does not allow."""
        if not _STRICT.fullmatch(text):
            shown = text[:40].decode("ascii", "backslashreplace")
            self.warn(f"number at offset {start}: is {shown}, want one of JSON's", start)

    def tell_text(self, text: bytes, lost: int) -> None:
        listener, start, stop = self.listener, self.scanner.start, self.scanner.at
        control = _CONTROL.search(self.data, start, stop)
        if control is not None:
            byte, at = control.group()[0], control.start()
            self.warn(
                f"string at offset {start}: has 0x{byte:02x} at offset {at}, want \\u{byte:04x}", at
            )
        try:
            said = text.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            self.warn(f"string at offset {start}: is no UTF-8", start)
            listener.string(text, 0, len(text), start, 0, stop, lost)
            return
        # Half of a surrogate pair is no character: it stays as it was written.
        listener.text(with_pairs(said), start, 0, stop, lost)


def _end(pattern: re.Pattern[bytes], data: bytes, at: int, stop: int) -> int:
    match = pattern.match(data, at, stop)
    return at if match is None else match.end()


class PlainJsonProtocol(ValuesProtocol):
    """JSON."""

    name = "plain-json"
    title = "JSON"
    classes = "JSON"
    is_text = True
    has_names = True

    def walk(
        self,
        data: bytes,
        start: int,
        stop: int,
        gaps: tuple[Gap, ...],
        limits: Limits,
        listener: Listener,
    ) -> None:
        scanner = Scanner(start, limits)
        PlainJsonWalk(data, start, stop, gaps, limits, scanner, listener).payload()

    # Notes and masks are for one message at a time: their writers are loaded when asked for.

    def notes(self, record: Record) -> list[Note]:
        from .plain_json_notes import PlainJsonWriter

        return PlainJsonWriter(record).written()

    def mask(self, data: bytes, value: Value, field: Field | None, is_key: bool) -> Run:
        from .value_masks import in_plain_json

        return in_plain_json(data, value)

    def blank(self, data: bytes) -> bytes:
        from .masks import json_blank

        return json_blank(data, frozenset())


PLAIN_JSON: Final = PlainJsonProtocol()
