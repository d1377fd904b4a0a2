"""What to put in place of values that say their own types: as long, of the same type and form.

So that readers find the same places.

    04  61 ED A0 BD ED B8 80     "a😀b"                 before
    04  78 78 E2 96 A1 …         (redacted)             after: as many units in as many bytes
"""

from __future__ import annotations

from typing import Final

from ...errors import DecodeError
from ...model import DEFAULT_LIMITS, LETTER, Listener, Run, TType, Value
from . import java_stream, msgpack
from .hessian2 import BINARY, INT, KINDS, LONG, REFERENCE, STRING, Hessian2Walk, Said, pieces
from .masks import compact_mask

__all__ = [
    "hessian2_blank",
    "in_breeze",
    "in_hessian2",
    "in_java_stream",
    "in_msgpack",
    "in_plain_json",
    "in_simple",
    "text_like",
    "text_mask",
]

# A reserved first byte: what could not be read stays unreadable.
_RESERVED: Final = b"\x40"


def text_mask(units: int, size: int) -> bytes:
    """Return text of ``units`` characters in ``size`` bytes of UTF-8.

    >>> text_mask(3, 3), text_mask(2, 4).decode()
    (b'xxx', 'x□')
    """
    more = size - units
    longest = b""
    while more > 2 * units and units:
        # Characters of three bytes are not enough: some have four.
        longest += "\U0001f7e6".encode()
        units -= 1
        more -= 3
    threes, twos = divmod(more, 2)
    ones = units - threes - twos
    if ones < 0:
        return (LETTER * size)[:size]
    return LETTER * ones + "·".encode() * twos + "□".encode() * threes + longest


def in_hessian2(data: bytes, value: Value) -> Run:
    """Return the mask for a value of hessian2."""
    start, stop = value.span.start, value.span.stop
    tag = data[start]
    kind = KINDS[tag]
    if kind in (STRING, BINARY):
        return start, _chunks(data, start, stop)
    if kind == REFERENCE:
        return start, b"\x51" + _zero(data[start + 1], stop - start - 1)
    return start, _zero(tag, stop - start)


def _zero(tag: int, size: int) -> bytes:
    """Return a value of that type, in as many bytes, that says nothing."""
    kind = KINDS[tag]
    if kind in (INT, LONG):
        if 0x80 <= tag <= 0xBF:
            tag = 0x90
        elif 0xC0 <= tag <= 0xCF:
            tag = 0xC8
        elif 0xD0 <= tag <= 0xD7:
            tag = 0xD4
        elif 0xD8 <= tag <= 0xEF:
            tag = 0xE0
        elif tag >= 0xF0:
            tag = 0xF8
        elif tag < 0x40:
            tag = 0x3C
    elif tag == 0x54:
        tag = 0x46
    elif tag == 0x5C:
        tag = 0x5B
    return bytes((tag,)) + bytes(size - 1)


def _chunks(data: bytes, start: int, stop: int) -> bytes:
    out = bytearray(data[start:stop])
    # A character of four bytes counts as one unit or as two: the lengths fit only one of these.
    wide = 2 if _fits(data, start, stop, 2) or not _fits(data, start, stop, 1) else 1
    for begin, inside, end in pieces(data, start, stop, wide):
        mask = bytes(end - inside)
        if KINDS[data[begin]] == STRING:
            mask = text_like(data[inside:end], wide)
        out[inside - start : end - start] = mask
    return bytes(out)


def _fits(data: bytes, start: int, stop: int, wide: int) -> bool:
    said = Said()
    said.wide = wide
    walk = Hessian2Walk(data, start, stop, (), DEFAULT_LIMITS, Listener(), said)
    return walk.value(1) > 0 and walk.at == stop


def text_like(raw: bytes, wide: int = 1) -> bytes:
    """Return text with as many units as ``raw``, in as many bytes.

    Half a character at its end stays half of one.
    """
    size = len(raw)
    half = b""
    for back in range(1, min(4, size + 1)):
        lead = raw[-back]
        if lead >= 0xC0:
            whole = "·" if lead < 0xE0 else "□" if lead < 0xF0 else "\U0001f7e6"
            if len(whole.encode()) > back:
                half = whole.encode()[:back]
                raw = raw[:-back]
        if lead & 0xC0 != 0x80:
            break
    units = sum(wide if byte >= 0xF0 else 1 for byte in raw if byte & 0xC0 != 0x80)
    return text_mask(units, size - len(half)) + half


def hessian2_blank(text: bytes) -> bytes:
    """Mask text; class definitions and end marks are structure that later values need, and stay."""
    if not text.strip(b"Z"):
        return text
    walk = Hessian2Walk(text, 0, len(text), (), DEFAULT_LIMITS, Listener(), Said())
    try:
        while walk.at < len(text) and text[walk.at] == 0x43 and not walk.broken:
            walk.definition()
    except DecodeError:
        return _RESERVED * len(text)
    return text if walk.at == len(text) and not walk.broken else _RESERVED * len(text)


# ── MessagePack ──────────────────────────────────────────────────────────────────────


def in_msgpack(data: bytes, value: Value) -> Run:
    """Return the mask for a value of MessagePack."""
    start, stop = value.span.start, value.span.stop
    tag, size = data[start], stop - start
    kind = msgpack.KINDS[tag]
    if kind == msgpack.STR:
        return start + value.head, LETTER * (size - value.head)
    if kind in (msgpack.BIN, msgpack.EXT):
        head = msgpack.HEADS[tag]
        return start + head, bytes(size - head)
    if kind == msgpack.INT:
        # One type, whatever the sign was.
        return start, bytes((_UINTS.get(size, 0),)) + bytes(size - 1)
    if kind == msgpack.BOOL:
        tag = 0xC2
    return start, bytes((tag,)) + bytes(size - 1)


_UINTS: Final = {2: 0xCC, 3: 0xCD, 5: 0xCE, 9: 0xCF}


# ── JSON ─────────────────────────────────────────────────────────────────────────────


def in_plain_json(data: bytes, value: Value) -> Run:
    """Return the mask for a value of plain JSON."""
    token = value.span.of(data)
    size = len(token)
    if token[:1] == b'"':
        end = b"" if value.lost else b'"'
        return value.span.start, b'"' + LETTER * (size - 1 - len(end)) + end
    if value.ttype is TType.NULL:
        return value.span.start, token
    if value.ttype is TType.BOOL:
        return value.span.start, b"true" if size == 4 else b"false"
    if value.ttype is TType.DOUBLE:
        return value.span.start, b"0." + b"0" * (size - 2)
    return value.span.start, b"0" if size == 1 else b"1" + b"0" * (size - 1)


# ── Motan's ──────────────────────────────────────────────────────────────────────────


def in_simple(data: bytes, value: Value) -> Run:
    """Return the mask for a value of Motan's simple serialization."""
    start, size = value.span.start, len(value.span)
    ttype = value.ttype
    if value.head:
        return _content(value)
    if ttype in (TType.I32, TType.I64):
        return start + 1, compact_mask(ttype, size - 1)
    return start + 1, bytes(size - 1)


def in_breeze(data: bytes, value: Value) -> Run:
    """Return the mask for a value of breeze.

    Packed ones have no type before them; where that is unknown, the mask is good either way.
    """
    start, size = value.span.start, len(value.span)
    ttype, tag = value.ttype, data[start]
    if value.head:
        return _content(value)
    if ttype is TType.BOOL:
        return start + size - 1, b"\x9b"
    if ttype is TType.NULL:
        return start, data[start : start + size]
    if ttype in (TType.I32, TType.I64):
        if size == 1:
            return start, b"\x88" if tag >= 0x80 else b"\x50"
        if tag == (0x7F if ttype is TType.I32 else 0x98):
            return start + 1, compact_mask(ttype, size - 1)
        return start, compact_mask(ttype, size)
    head = size & 1 if ttype is not TType.INT else size - 1
    return start + head, bytes(size - head)


def _content(value: Value) -> Run:
    """Return the mask for what follows a length in bytes."""
    size = len(value.span) - value.head
    letter = b"\0" if value.ttype is TType.BYTES else LETTER
    return value.span.start + value.head, letter * size


# ── Java object streams ──────────────────────────────────────────────────────────────


def in_java_stream(data: bytes, value: Value) -> Run:
    """Return the mask for a value of a Java object stream."""
    start, stop = value.span.start, value.span.stop
    tag = data[start]
    if tag in (0x77, 0x7A) and value.head:
        out = bytearray(data[start:stop])
        for _, inside, end in java_stream.blocks(data, start, stop):
            out[inside - start : end - start] = bytes(end - inside)
        return start, bytes(out)
    if value.head:
        return _content(value)
    if value.ttype is TType.REFERENCE:
        return start, data[start : start + 2] + b"\x7e\0\0"
    # Its first byte shows that it is not decoded; its class is no secret.
    name, end = java_stream.class_of(data, start, stop)
    inside = end if java_stream.is_class(name) else start + 1
    return inside, bytes(stop - inside)
