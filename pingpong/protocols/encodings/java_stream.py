"""Java object streams (the Object Serialization Stream Protocol), block by block.

    AC ED 00 05                                     what each begins with
    77 n, bytes                                     block data: what a program wrote itself
    7A n4, bytes                                    the same, a long one
    75 72 00 02 "[B" … 78 70 n4, bytes              a byte array
    75 71 00 7E 00 00 n4, bytes                     another: its class by its number
    74 n2, text   7C n8, text                       a string
    70                                              null
    71 00 7E 00 00                                  one that came before, by its number

Motan 1 writes names into blocks and each argument, in hessian2, into a byte array; Dubbo's "java"
writes strings and objects.  Blocks are cut at 1024 bytes, wherever that is: neighbours are joined.
What an object contains depends on its class, and classes may write what they like, so an object and
all that follows it is one run of bytes, of which the names of the classes are told.  Classes,
strings and arrays are numbered as they come.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ...errors import DecodeError, Incomplete
from ...model import (
    Field,
    Finding,
    Gap,
    Limits,
    Listener,
    Note,
    Record,
    Run,
    Severity,
    TType,
    Value,
)
from .values_walk import ValuesProtocol, ValuesWalk, with_pairs

if TYPE_CHECKING:
    from mypy_extensions import i64

__all__ = [
    "BYTE_ARRAY",
    "JAVA_STREAM",
    "JavaStreamProtocol",
    "blocks",
    "class_of",
    "classes",
    "is_class",
    "modified_utf8",
    "read_utf",
]

MAGIC: Final = b"\xac\xed\x00\x05"

# The class of byte arrays: its name, its number, its flags, no fields, no superclass.
BYTE_ARRAY: Final = bytes.fromhex("72 0002 5b42 acf317f8060854e0 02 0000 78 70")
_FIRST_HANDLE: Final = 0x7E0000

# How a class is described: 72, and the length of its name, which has a dot or is an array's.
# Dubbo's "compactedjava" has a 1 before it, and nothing but the end, 78, after the name.
_DESCRIPTION: Final = re.compile(rb"\x72(\x01?)(\x00[\x02-\xc8])")
_CLASS: Final = re.compile(rb"\[*(?:[BCDFIJSZ]|L?(?:[A-Za-z_$][\w$]*\.)+[A-Za-z_$][\w$]*;?)")
_MOST_CLASSES: Final = 16
_FLAGS: Final = 0x1F
_END: Final = 0x78

_NULL: Final = 0x70
_REFERENCE: Final = 0x71
_OBJECT: Final = 0x73
_STRING: Final = 0x74
_ARRAY: Final = 0x75
_BLOCK: Final = 0x77
_LONG_BLOCK: Final = 0x7A
_LONG_STRING: Final = 0x7C


def modified_utf8(raw: bytes) -> str:
    r"""Decode text as Java writes it: U+0000 in two bytes, surrogates in three each.

    Other bytes become ``\xff``.

    >>> modified_utf8(bytes.fromhex("61 C0 80 ED A0 BD ED B8 80"))
    'a\x00😀'
    """
    raw = raw.replace(b"\xc0\x80", b"\0")
    try:
        text = raw.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        text = raw.decode("utf-8", "backslashreplace")
    return with_pairs(text)


def read_utf(data: bytes, at: int, stop: int, what: str) -> tuple[str, int]:
    """Return what ``writeUTF`` wrote at ``at``, and where it ends; raise Incomplete if cut."""
    if at + 2 > stop:
        raise Incomplete(f"length of the {what}", at, needs=2, left=max(0, stop - at))
    end = at + 2 + int.from_bytes(data[at : at + 2], "big")
    if end > stop:
        raise Incomplete(what, at + 2, needs=end - at - 2, left=stop - at - 2)
    return modified_utf8(data[at + 2 : end]), end


def blocks(data: bytes, at: int, stop: int) -> list[tuple[int, int, int]]:
    """Return the blocks that were joined to one value from ``at`` to ``stop``.

    For each: where it begins, where its content begins, and where that ends.
    """
    found: list[tuple[int, int, int]] = []
    while at < stop and data[at] in (_BLOCK, _LONG_BLOCK):
        inside = at + (2 if data[at] == _BLOCK else 5)
        end = min(stop, inside + int.from_bytes(data[at + 1 : inside], "big"))
        found.append((at, inside, end))
        at = max(end, inside)
    return found


def class_of(data: bytes, at: int, stop: int) -> tuple[str, int]:
    """Return the class of the object at ``at``, and where its name ends; "" if it is not there."""
    if at + 3 > stop or data[at + 1 : at + 2] != b"\x72":
        return "", at
    # A name is not so long that its length begins with a 1.
    inside = at + (3 if data[at + 2 : at + 3] == b"\x01" else 2)
    try:
        return read_utf(data, inside, stop, "class")
    except DecodeError:
        return "", at


def is_class(name: str) -> bool:
    """Say whether it is a class's name, with its package."""
    return name.isascii() and _CLASS.fullmatch(name.encode()) is not None


def classes(data: bytes, at: int, stop: int) -> list[str]:
    """Return the names of the classes that are described between two places, each once.

    They are found by their form, since nobody here knows where an object ends: 72, a name, a number
    of 8 bytes, flags.  The first ones are enough.  Takes time in proportion to the bytes.
    """
    found: dict[str, None] = {}
    for one in _DESCRIPTION.finditer(data, at, stop):
        inside = one.end()
        end = inside + int.from_bytes(one[2], "big")
        name = data[inside:end]
        after = end if one[1] else end + 8
        if after >= stop or _CLASS.fullmatch(name) is None:
            continue
        if data[after] == _END if one[1] else not data[after] & ~_FLAGS:
            found[name.decode("ascii")] = None
            if len(found) >= _MOST_CLASSES:
                break
    return list(found)


class _Walk(ValuesWalk):
    __slots__ = ("counted",)

    def __init__(
        self,
        data: bytes,
        start: i64,
        stop: i64,
        gaps: tuple[Gap, ...],
        limits: Limits,
        listener: Listener,
    ) -> None:
        super().__init__(data, start, stop, gaps, limits, listener)
        # What was numbered: the field of a string or an array; 0 for the class of byte arrays.
        self.counted: list[int] = []

    def stream(self) -> None:
        self.listener.struct(self.at)
        if self.has("stream's magic", 4):
            found = self.data[self.at : self.at + 4]
            if found == MAGIC:
                self.at += 4
                self.fields(1, -1)
            else:
                wanted = MAGIC.hex(" ")
                error = DecodeError("stream's magic", self.at, found=found.hex(" "), wanted=wanted)
                self.fail(error)
        self.listener.struct_end(-1 if self.broken else self.at, self.at)

    def value(self, depth: i64) -> i64:
        if not self.has("value", 1) or self.is_full():
            return 0
        start = self.at
        tag: i64 = self.data[start]
        if tag == _NULL:
            self.at = start + 1
            self.listener.null(start, start + 1)
            return 17
        if tag in (_BLOCK, _LONG_BLOCK):
            return self.block()
        if tag in (_STRING, _LONG_STRING):
            return self.string(3 if tag == _STRING else 9)
        if tag == _REFERENCE:
            return self.reference()
        if tag == _ARRAY:
            if not self.has("array", 2):
                return 0
            made = self.array()
            if made or self.broken:
                return made
        return self.rest(tag)

    def block(self) -> i64:
        start = self.at
        pieces: list[bytes] = []
        head: i64 = 0
        lost: i64 = 0
        while self.at < self.sure or (not self.broken and self.at < self.solid()):
            begin = self.at
            tag: i64 = self.data[begin]
            size: i64 = 2 if tag == _BLOCK else 5
            if (tag != _BLOCK and tag != _LONG_BLOCK) or not self.has("block data", size):
                break
            inside = begin + size
            head = head or size
            claimed = int.from_bytes(self.data[begin + 1 : inside], "big")
            end = self.blob(inside, claimed, "block data")
            if not lost:
                pieces.append(self.data[inside:end])
            lost += self.lost
            if self.broken:
                break
        if not head:
            return 0
        self.listener.own("block data")
        self.listener.binary(b"".join(pieces), start, head, self.at, lost)
        return 0 if self.broken else 21

    def string(self, head: i64) -> i64:
        start = self.at
        if not self.has("length of the string", head):
            return 0
        self.counted.append(self.field_id)
        inside = start + head
        size = int.from_bytes(self.data[start + 1 : inside], "big")
        if size > self.limits.message:
            error = Incomplete("string", inside, needs=size, left=self.stop - inside)
            self.fail(error)
            return 0
        end = self.blob(inside, size, "string")
        text = modified_utf8(self.data[inside:end])
        self.listener.text(text, start, head, self.at, self.lost)
        return 0 if self.broken else 20

    def reference(self) -> i64:
        start = self.at
        if not self.has("reference", 5):
            return 0
        self.at = start + 5
        number = int.from_bytes(self.data[start + 1 : start + 5], "big") - _FIRST_HANDLE
        if 0 <= number < len(self.counted) and self.counted[number]:
            self.listener.label(f"field {self.counted[number]}")
        else:
            text = f"reference at offset {start}: is number {number}, want one that was there"
            self.listener.warn(Finding(Severity.ERROR, text, start))
        self.listener.number(TType.REFERENCE, number, start, self.at)
        return 23

    def array(self) -> i64:
        """Read a byte array; return 0 and stay in place if it is an array of another kind."""
        start = self.at
        head: i64 = 10
        if self.data[start + 1] == 0x72:
            head = 5 + len(BYTE_ARRAY)
            stop = min(self.solid(), start + 1 + len(BYTE_ARRAY))
            if not BYTE_ARRAY.startswith(self.data[start + 1 : stop]):
                return 0
        elif self.data[start + 1] != _REFERENCE:
            return 0
        if not self.has("byte array", head):
            return 0
        if head > 10:
            self.counted.append(0)
        else:
            number = int.from_bytes(self.data[start + 2 : start + 6], "big") - _FIRST_HANDLE
            if not 0 <= number < len(self.counted) or self.counted[number]:
                return 0
        self.counted.append(self.field_id)
        inside = start + head
        size = int.from_bytes(self.data[inside - 4 : inside], "big")
        end = self.blob(inside, size, "byte array")
        self.listener.own("byte[]")
        self.listener.binary(self.data[inside:end], start, head, self.at, self.lost)
        return 0 if self.broken else 21

    def rest(self, tag: i64) -> i64:
        """Report what is not decoded: everything from here to the end."""
        start = self.at
        name = ""
        if tag == _OBJECT:
            name, _ = class_of(self.data, start, self.solid())
        what = "object" if tag == _OBJECT else f"0x{tag:02x}"
        of = f" of class {name[:200]}" if name else ""
        text = f"{what} at offset {start}{of}: it and what follows are told as bytes"
        others = [one for one in classes(self.data, start, self.solid()) if one != name]
        if others:
            text += f"; classes in them: {', '.join(others)}"
        size = self.stop - start
        end = self.blob(start, size, "object")
        self.listener.warn(Finding(Severity.NOTE, text, start))
        self.listener.own("object stream")
        if name:
            self.listener.label(name[:200])
        self.listener.binary(self.data[start:end], start, 0, self.at, self.lost)
        return 0 if self.broken else 21


class JavaStreamProtocol(ValuesProtocol):
    """A Java object stream, block by block."""

    name = "java-stream"
    title = "a Java object stream"
    classes = "ObjectOutputStream"

    def walk(
        self,
        data: bytes,
        start: int,
        stop: int,
        gaps: tuple[Gap, ...],
        limits: Limits,
        listener: Listener,
    ) -> None:
        _Walk(data, start, stop, gaps, limits, listener).stream()

    # Notes and masks are for one message at a time: their writers are loaded when asked for.

    def notes(self, record: Record) -> list[Note]:
        from .java_stream_notes import JavaStreamWriter

        return JavaStreamWriter(record).written()

    def mask(self, data: bytes, value: Value, field: Field | None, is_key: bool) -> Run:
        from .value_masks import in_java_stream

        return in_java_stream(data, value)

    def blank(self, data: bytes) -> bytes:
        # Nothing that a stream could contain.
        return bytes(len(data))


JAVA_STREAM: Final = JavaStreamProtocol()
