"""Where the struct is, in bytes that are not one struct from first to last.

    PAR1 pages … footer 19 02 00 00 PAR1     a Parquet file: the footer is a struct
    00 00 00 00 2a  0a 00 01 …  00           a Kafka value: a mark and the number of a schema before
    00 00 01 5c     0a 00 01 …  00           a length before it
    0a 00 01 …  00  0a 00 01 …  00           one after the other
    80 01 00 01 00 00 00 04 70 69 6e 67 …    not a struct but a message

What is unmistakable is tried first.  A place counts only if a whole struct is there and ends where
it has to: a struct that begins just anywhere in other bytes is there by chance.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, NamedTuple

from ..capture import decode
from ..errors import DecodeError
from ..model import Limits, Protocol, Struct, TType
from ..protocols.encodings.binary import BINARY
from ..protocols.encodings.compact import COMPACT
from ..protocols.encodings.reading import too_many

__all__ = ["StructPlace", "places", "remark_on"]


class StructPlace(NamedTuple):
    """A struct: ``length`` bytes from ``offset`` on, in ``protocol``; ``what`` says what it is."""

    offset: int
    length: int
    protocol: str
    what: str


# How far into the bytes a struct may begin if nothing says where, and the fewest bytes that are
# then too many for chance.
_MAX_PREFIX: Final = 64
_FEWEST: Final = 12
# More bytes than this are read from a few places only, because each try may read all of them.
_MAX_SEARCHED: Final = 1 << 16
# This many values of each try are read first; and if those are good, the rest of this many tries.
_FIRST: Final = 64
_MAX_TRIES: Final = 4
# How many structs, one after the other, are listed.
_MAX_STRUCTS: Final = 60

_PARQUET: Final = b"PAR1"
_ENCRYPTED: Final = b"PARE"
_TAIL: Final = 8

# What may precede a value: how it begins, how many bytes it has, what it is.
_PREFIXES: Final = (
    (b"\0", 5, "a zero byte and the number of a schema, as Confluent's serializers write"),
    (b"\x03", 18, "the header of AWS Glue's schema registry"),
)

_PACKED: Final = (
    (b"\x1f\x8b", "gzip", "gunzip"),
    (b"\x28\xb5\x2f\xfd", "Zstandard", "zstd -d"),
    (b"\x04\x22\x4d\x18", "LZ4", "lz4 -d"),
    (b"BZh", "bzip2", "bunzip2"),
    (b"\xfd7zXZ", "xz", "unxz"),
    (b"PK\x03\x04", "a zip archive", "unzip"),
    (b"\xff\x06\x00\x00sNaPpY", "Snappy", "snzip -d"),
    (b"\x78\x01", "zlib", "zlib-flate -uncompress"),
    (b"\x78\x9c", "zlib", "zlib-flate -uncompress"),
    (b"\x78\xda", "zlib", "zlib-flate -uncompress"),
)
_CAPTURES: Final = (
    *(b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d"),
    b"\x0a\x0d\x0d\x0a",
)


def places(data: bytes, limits: Limits) -> list[StructPlace]:
    """Where whole structs are in ``data``; none if that cannot be told."""
    if data[:4] in (_PARQUET, _ENCRYPTED) or data[-4:] in (_PARQUET, _ENCRYPTED):
        return _parquet(data, limits)
    if _is_message(data, limits):
        return []
    return (
        _behind_prefix(data, limits)
        or _behind_lengths(data, limits)
        or _one_after_another(data, limits)
        or _page(data, limits)
        or _further_on(data, limits)
    )


def remark_on(data: bytes, limits: Limits) -> str:
    """A sentence about bytes in which no struct was found; "" if there is nothing to say."""
    for start, name, command in _PACKED:
        if data.startswith(start):
            return f"The bytes begin like {name}: unpack them first ({command})."
    if data[:4] in _CAPTURES:
        return "It is a capture: pingpong show FILE reads it."
    if data[:4] == _PARQUET or data[-4:] == _PARQUET:
        return (
            "It begins like a Parquet file, and does not end like one: the footer comes last, so "
            "the file is cut off or still being written."
            if data[-4:] != _PARQUET
            else "It ends like a Parquet file, but its footer is not where its last 8 bytes say."
        )
    if _ENCRYPTED in (data[:4], data[-4:]):
        return "It is a Parquet file with an encrypted footer: without its key nobody reads it."
    if _is_message(data, limits):
        return (
            "It is a message, with a header before its struct: xxd FILE | pingpong explain reads "
            "it."
        )
    if data and all(byte in b"0123456789abcdefABCDEF \t\r\n:x," for byte in data[:4096]):
        return "It is text, and looks like hex: pingpong explain - < FILE reads it."
    return (
        "If TTupleProtocol wrote it (Java's TSerializer can), it has no types and no field ids: "
        "only code made from its IDL reads it."
    )


def _is_message(data: bytes, limits: Limits) -> bool:
    """Whether it is a message, framed or not, that can be read."""
    try:
        message = decode(data, limits)
    except DecodeError:
        return False
    return not message.findings and message.protocol is not None and message.size > 0


def _parquet(data: bytes, limits: Limits) -> list[StructPlace]:
    """The footer, whose length is in the last 8 bytes: little-endian, before the magic."""
    if data[-4:] != _PARQUET or len(data) < _TAIL + len(_PARQUET):
        return []
    length = int.from_bytes(data[-_TAIL:-4], "little")
    offset = len(data) - _TAIL - length
    if length == 0 or offset < 0:
        return []
    body = _read(data[offset : offset + length], COMPACT, 0, limits)
    if body is None or body.stop is None or body.stop.stop != length:
        return []
    what = "the footer (FileMetaData) of a Parquet file, as its last 8 bytes say"
    return [StructPlace(offset, length, COMPACT.name, what)]


def _behind_prefix(data: bytes, limits: Limits) -> list[StructPlace]:
    for start, size, what in _PREFIXES:
        if not data.startswith(start) or len(data) <= size:
            continue
        found = _whole(data, size, limits)
        if found is not None:
            number = int.from_bytes(data[1:5], "big")
            more = f": schema {number}" if size == 5 else ""
            return [StructPlace(size, len(data) - size, found.name, f"behind {what}{more}")]
    return []


def _behind_lengths(data: bytes, limits: Limits) -> list[StructPlace]:
    """One struct or several, each after its length: 4 bytes, or a varint."""
    for read_length, words in (
        (_big, "a length of 4 bytes"),
        (_little, "a length of 4 bytes, little-endian"),
        (_varint, "a length as a varint"),
    ):
        for protocol in (BINARY, COMPACT):
            found: list[StructPlace] = []
            at = 0
            while at < len(data) and len(found) < _MAX_STRUCTS:
                size, length = read_length(data, at)
                start = at + size
                if not 2 <= length <= len(data) - start:
                    found = []
                    break
                body = _read(data[start : start + length], protocol, 0, limits)
                if body is None or body.stop is None or body.stop.stop != length:
                    found = []
                    break
                found.append(StructPlace(start, length, protocol.name, f"behind {words}"))
                at = start + length
            if found:
                return found
    return []


def _one_after_another(data: bytes, limits: Limits) -> list[StructPlace]:
    for protocol in (BINARY, COMPACT):
        found: list[StructPlace] = []
        at = 0
        while at < len(data):
            body = _read(data, protocol, at, limits)
            if body is None or body.stop is None or body.stop.stop - at < 4:
                break
            number = len(found) + 1
            length = body.stop.stop - at
            if len(found) < _MAX_STRUCTS:
                found.append(StructPlace(at, length, protocol.name, f"struct {number} of several"))
            at += length
        if at == len(data) and len(found) > 1:
            return found
    return []


def _page(data: bytes, limits: Limits) -> list[StructPlace]:
    """A Parquet page: a header in compact, then as many bytes as the header says."""
    body = _read(data, COMPACT, 0, limits)
    if body is None or body.stop is None:
        return []
    ids = {field.field_id: field.value.content for field in body.fields}
    if any(body_field.ttype is not TType.I32 for body_field in body.fields[:3]):
        return []
    kind, unpacked, packed = ids.get(1), ids.get(2), ids.get(3)
    length = body.stop.stop
    if not (isinstance(kind, int) and isinstance(unpacked, int) and isinstance(packed, int)):
        return []
    if kind in range(4) and 0 <= packed <= len(data) - length and unpacked >= 0:
        what = f"the header of a Parquet page: {packed} bytes of the page follow it"
        return [StructPlace(0, length, COMPACT.name, what)]
    return []


def _further_on(data: bytes, limits: Limits) -> list[StructPlace]:
    """A struct after bytes that are unknown here: it has to reach to the very end."""
    if len(data) > _MAX_SEARCHED:
        return []
    few = replace(limits, values=min(_FIRST, limits.values))
    tries = 0
    for at in range(1, min(_MAX_PREFIX, len(data) - _FEWEST) + 1):
        if not any(_begins(data, protocol, at, few) for protocol in (BINARY, COMPACT)):
            continue
        tries += 1
        if tries > _MAX_TRIES:
            break
        found = _whole(data, at, limits)
        if found is not None:
            count = "1 byte" if at == 1 else f"{at} bytes"
            what = f"behind {count} that are no part of it, whatever they are"
            return [StructPlace(at, len(data) - at, found.name, what)]
    return []


def _begins(data: bytes, protocol: Protocol, at: int, few: Limits) -> bool:
    """Whether a struct may begin there: its first values are good, or all of it is."""
    if at >= len(data):
        return False
    body = protocol.read_struct(data, at, len(data), (), few)
    if body.stop is not None:
        return body.stop.stop == len(data)
    return [one for one in body.findings if one != too_many(few, one.offset or 0)] == []


def _whole(data: bytes, at: int, limits: Limits) -> Protocol | None:
    """The protocol in which all bytes from ``at`` on are one struct that has fields."""
    for protocol in (BINARY, COMPACT):
        body = _read(data, protocol, at, limits)
        if body is None or body.stop is None or body.stop.stop != len(data):
            continue
        ids = [field.field_id for field in body.fields]
        if len(ids) >= 2 and ids == sorted(set(ids)) and 0 < ids[0] <= 256 and ids[-1] < 4096:
            return protocol
    return None


def _read(data: bytes, protocol: Protocol, at: int, limits: Limits) -> Struct | None:
    """The struct that begins at ``at``; None if there is nothing to read it from."""
    if at >= len(data):
        return None
    body = protocol.read_struct(data, at, len(data), (), limits)
    # What comes after the struct is no fault of the struct.
    end = len(data) if body.stop is None else body.stop.stop
    places = (-1 if finding.offset is None else finding.offset for finding in body.findings)
    return body if all(place >= end for place in places) else None


def _big(data: bytes, at: int) -> tuple[int, int]:
    return 4, int.from_bytes(data[at : at + 4], "big")


def _little(data: bytes, at: int) -> tuple[int, int]:
    return 4, int.from_bytes(data[at : at + 4], "little")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for size, byte in enumerate(data[at : at + 5], 1):
        value |= (byte & 127) << (7 * (size - 1))
        if byte < 128:
            return size, value
    return 5, -1
