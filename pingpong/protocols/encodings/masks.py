"""What to put in place of values: just as long, and decoded by the same readers.

    00 00 00 03  70 77 64        "pwd"                  before
    00 00 00 03  78 78 78        (redacted, 3 bytes)    after

Text becomes ``xxx``, numbers become 0, or one that takes as many bytes if the length of a number
varies (a varint, digits).  Values of one type and one length have the same mask, whatever their
sign, their exponent, their escapes or the padding of their base64.
"""

from __future__ import annotations

import re
from typing import Final

from ...model import LETTER, Field, Header, Run, TType, Value
from .protobuf import I32, I64, LEN, VARINT, fields_of
from .thrift_json import TAGS

__all__ = [
    "BLANK",
    "compact_mask",
    "in_binary",
    "in_compact",
    "in_json",
    "in_protobuf",
    "json_blank",
    "json_mask",
    "with_seqid",
]

# In place of bytes that belong to no value: neither a type nor text, and a length that never ends,
# so that what was cut off stays cut off, and what was not a message does not become one.
BLANK: Final = b"\x80"

_BITS: Final = {TType.I8: 8, TType.I16: 16, TType.I32: 32, TType.I64: 64}
_TOKEN: Final = re.compile(
    rb'"(?:[^"\\]|\\.)*"?|[ \t\r\n,:{}\[\]]+|[^" \t\r\n,:{}\[\]]+', re.DOTALL
)
_TAGS: Final = frozenset(f'"{tag}"'.encode() for tag in TAGS.values())
_NO_UUID: Final = b"00000000-0000-0000-0000-000000000000"


# ── Binary, compact ──────────────────────────────────────────────────────────────────


def in_binary(value: Value) -> Run:
    """Return the mask for a value of the binary protocol."""
    return (
        _text(value) if value.ttype is TType.STRING else (value.span.start, bytes(len(value.span)))
    )


def _text(value: Value) -> Run:
    inside = value.span.start + value.head
    return inside, LETTER * (value.span.stop - inside)


def with_seqid(header: Header, masked: tuple[list[Run], Header]) -> tuple[list[Run], Header]:
    """Add to ``masked`` the mask for a seqid of 4 bytes at the header's end.

    After a name with a wrong length, these may be any bytes.
    """
    runs, after = masked
    seqid = (header.span.stop - 4, bytes(4))
    after = Header(after.method, after.type, 0, after.strict, after.span, after.method_span)
    return [*runs, seqid], after


def in_compact(data: bytes, value: Value, field: Field | None) -> Run:
    """Return the mask for a value of the compact protocol."""
    if value.ttype is TType.STRING:
        return _text(value)
    size = len(value.span)
    if not size and field is not None:
        # A bool in its field's head: 1 true, 2 false.
        at = field.span.start
        return at, bytes((data[at] & 0xF0 | 2,))
    return value.span.start, compact_mask(value.ttype, size) if size else b""


def compact_mask(ttype: TType, size: int) -> bytes:
    """Return a value of the compact protocol that takes ``size`` bytes.

    >>> compact_mask(TType.I32, 2).hex(" ")
    '80 01'
    """
    if ttype is TType.BOOL:
        return b"\x02"
    bits = _BITS.get(ttype, 0)
    if not bits or ttype is TType.I8:
        return bytes(size)
    if size == 1:
        return b"\0"
    # The smallest number that takes so many bytes; if the type has none, zeros that continue.
    last = b"\1" if 7 * (size - 1) < bits else b"\0"
    return b"\x80" * (size - 1) + last


# ── Protobuf ─────────────────────────────────────────────────────────────────────────

# Always written in 4 or 8 bytes.
_FIXED: Final = frozenset({"fixed32", "fixed64", "sfixed32", "sfixed64"})


def in_protobuf(data: bytes, value: Value) -> Run:
    """Return the mask for a value of protobuf.

    A value that is a message on the wire (a Timestamp) keeps its keys, and the rest is masked.
    """
    span, ttype = value.span, value.ttype
    size = len(span)
    if value.lost:
        inside = span.start + value.head
        return inside, (LETTER if value.head else b"\0") * (span.stop - inside)
    if ttype in (TType.STRING, TType.BYTES):
        return _text(value)
    if ttype is TType.TIME or ttype is TType.TEXT:
        out = bytearray(span.of(data))
        start = next((at for at, byte in enumerate(out) if byte < 128), size - 1) + 1
        _mask_message(out, start, size)
        return span.start, bytes(out)
    if value.own in _FIXED or ttype in (TType.DOUBLE, TType.FLOAT):
        return span.start, bytes(size)
    return span.start, _varint_mask(size)


def _varint_mask(size: int) -> bytes:
    """Return zero in ``size`` bytes.

    >>> _varint_mask(3).hex(" ")
    '80 80 00'
    """
    return b"\x80" * (size - 1) + b"\0" if size else b""


def _mask_message(out: bytearray, start: int, stop: int) -> None:
    """Mask the content of a message: numbers, and what follows lengths."""
    for one in fields_of(bytes(out), start, stop, stop - start) or ():
        if one.wire == VARINT:
            out[one.value : one.stop] = _varint_mask(one.stop - one.value)
        elif one.wire == LEN:
            out[one.inside : one.stop] = LETTER * (one.stop - one.inside)
        elif one.wire in (I64, I32):
            out[one.value : one.stop] = bytes(one.stop - one.value)


# ── JSON ─────────────────────────────────────────────────────────────────────────────


def in_json(data: bytes, value: Value, is_key: bool) -> Run:
    """Return the mask for a value in JSON."""
    token, is_cut = value.span.of(data), bool(value.lost)
    return value.span.start, json_mask(value.ttype, token, is_key=is_key, is_cut=is_cut)


def json_mask(ttype: TType, token: bytes, *, is_key: bool = False, is_cut: bool = False) -> bytes:
    r"""Return JSON that is as long as ``token`` and may take its place.

    ``is_key``: numbers are in quotes there.  ``is_cut``: a string's closing quote was lost.

    >>> json_mask(TType.STRING, b'"a\\"b"'), json_mask(TType.I8, b"-128")
    (b'"xxxx"', b'-100')
    """
    if token[:1] != b'"' or (ttype is TType.DOUBLE and not is_key):
        # NaN and the infinities may be in quotes everywhere: the quotes would give them away.
        return _word_mask(ttype, len(token))
    end = b"" if is_cut else b'"'
    size = len(token) - 1 - len(end)
    if ttype is TType.STRING:
        return b'"' + LETTER * size + end
    if ttype is TType.UUID:
        return b'"' + _NO_UUID[:size].ljust(size, b"0") + end
    return b'"' + _number_mask(ttype, size) + end


def _word_mask(ttype: TType, size: int) -> bytes:
    if ttype is TType.BOOL and size in (4, 5):
        return b"true" if size == 4 else b"false"  # the length gives it away anyway
    return _number_mask(ttype, size)


def _number_mask(ttype: TType, size: int) -> bytes:
    if size <= 1 or ttype is TType.BOOL:
        return b"0" * size
    if ttype is TType.DOUBLE:
        return b"0." + b"0" * (size - 2) if size > 2 else b"10"
    number = b"1" + b"0" * (size - 1)
    bits = _BITS.get(ttype, 64)
    if size > 19 or int(number) >= 1 << (bits - 1):
        number = b"-1" + b"0" * (size - 2)
    return number


def json_blank(text: bytes, tags: frozenset[bytes] = _TAGS) -> bytes:
    """Mask JSON of which nothing is known: brackets, separators and the tags of types stay."""

    def one(match: re.Match[bytes]) -> bytes:
        token = match.group()
        if token[:1] in b" \t\r\n,:{}[]" or token in tags:
            return token
        if token[:1] == b'"':
            closed = len(token) > 1 and token[-1:] == b'"'
            return b'"' + LETTER * (len(token) - 1 - closed) + (b'"' if closed else b"")
        return b"0" * len(token)

    return _TOKEN.sub(one, text)
