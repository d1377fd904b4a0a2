"""The heads of Motan's two protocols.

Motan 1   F1 F1  00 00|01  id ×8  length   F0 F0  variant  kind  id ×8  length   Java stream
Motan 2   F1 F1  flags  version, status  serialization << 3  id ×8
          length, metadata   length, body

flags of Motan 2   10 heartbeat   08 gzip   04 oneway   02 proxy   01 response
"""

from __future__ import annotations

import re
from typing import Final

from ....errors import DecodeError, Incomplete
from ....model import Span
from ...framings.java_blocks import Blocks

__all__ = [
    "ERROR",
    "EXCEPTION_FLAG",
    "FIXED1",
    "FIXED2",
    "GZIP",
    "HEARTBEAT",
    "INNER",
    "KINDS",
    "MAGIC",
    "ONEWAY",
    "PROXY",
    "READ",
    "RESPONSE",
    "SERIALIZATIONS",
    "SIGNED",
    "TIMEOUT",
    "Motan2Head",
    "Names",
    "begins1",
    "begins2",
    "read_names",
    "split",
    "written",
]

MAGIC: Final = b"\xf1\xf1"

_MOST_LENGTH: Final = 64 << 20


def split(method: str) -> tuple[str, str]:
    """Split into the interface and the method.

    >>> split("com.shop.Orders.get"), split("ping…")
    (('com.shop.Orders', 'get'), ('', 'ping…'))
    """
    path, dot, name = method.rpartition(".")
    return (path, name) if dot else ("", method)


# ── Motan 2 ──────────────────────────────────────────────────────────────────────────

# Everything before the metadata.
FIXED2: Final = 17

HEARTBEAT: Final = 0x10
GZIP: Final = 0x08
ONEWAY: Final = 0x04
PROXY: Final = 0x02
RESPONSE: Final = 0x01
_FLAGS: Final = 0x1F

SERIALIZATIONS: Final = (
    "hessian2", "grpc-pb", "json", "msgpack", "hprose", "pb", "simple", "grpc-pb-json", "breeze",
)  # fmt: skip

# All but hprose are read here.
READ: Final = frozenset((0, 1, 2, 3, 5, 6, 7, 8))


def written(serialization: int) -> str:
    """Return a serialization's name and number, for a sentence.

    >>> written(4), written(20)
    ('hprose (4)', 'a serialization of no known name (20)')
    """
    is_known = serialization < len(SERIALIZATIONS)
    name = SERIALIZATIONS[serialization] if is_known else "a serialization of no known name"
    return f"{name} ({serialization})"


# Keys of the metadata, and what those that Motan writes begin with.
_KEYS: Final = b"M_"
PATH: Final = "M_p"
METHOD: Final = "M_m"
ERROR: Final = "M_e"
TIMEOUT: Final = "M_tmo"

_MOST_METADATA: Final = 1 << 20
# How much metadata has to be text, to tell a frame from other bytes.
_LOOK: Final = 32
_CONTROL: Final = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class Motan2Head:
    """What precedes a body, as places in ``data``, which begins with the frame.

    ``metadata`` is its place, ``start`` where the body begins and ``stop`` where the frame ends.
    Raises Incomplete, and DecodeError for bytes that are not a head.
    """

    __slots__ = ("flags", "metadata", "seqid", "serialization", "start", "status", "stop")

    def __init__(self, data: bytes) -> None:
        if len(data) < FIXED2:
            raise Incomplete("Motan head", 0, needs=FIXED2, left=len(data))
        if data[:2] != MAGIC:
            raise DecodeError("magic", 0, found=data[:2].hex(" "), wanted="f1 f1", size=2)
        if data[3] >> 3 != 1:
            found = str(data[3] >> 3)
            raise DecodeError("version of Motan", 3, found=found, wanted="1", size=1)
        self.flags: int = data[2]
        self.status = data[3] & 7
        self.serialization = data[4] >> 3
        self.seqid = int.from_bytes(data[5:13], "big")
        end = FIXED2 + int.from_bytes(data[13:17], "big")
        if len(data) < end + 4:
            raise Incomplete("metadata", FIXED2, needs=end + 4 - FIXED2, left=len(data) - FIXED2)
        self.metadata = Span(FIXED2, end)
        self.start = end + 4
        self.stop = self.start + int.from_bytes(data[end : end + 4], "big")

    def pairs(self, data: bytes) -> list[tuple[Span, Span]]:
        """Return where the keys and the values of the metadata are: alternate lines."""
        found: list[tuple[Span, Span]] = []
        at, stop = self.metadata.start, self.metadata.stop
        while at < stop:
            middle = data.find(b"\n", at, stop)
            if middle < 0:
                return found
            end = data.find(b"\n", middle + 1, stop)
            if end < 0:
                end = stop
            found.append((Span(at, middle), Span(middle + 1, end)))
            at = end + 1
        return found

    def value(self, data: bytes, wanted: str) -> tuple[str, Span] | None:
        """Return what the metadata says under a key, and where."""
        for key, value in self.pairs(data):
            if key.of(data) == wanted.encode():
                return value.of(data).decode("utf-8", "backslashreplace"), value
        return None


def begins2(data: bytes | bytearray) -> bool | None:
    """Say whether these first bytes of a direction begin a Motan 2 frame; None: too few yet."""
    head = bytes(data[:FIXED2])
    if not MAGIC.startswith(head[:2]):
        return False
    if len(head) > 2 and head[2] & ~_FLAGS:
        return False
    if len(head) > 3 and (head[3] >> 3 != 1 or head[3] & 7 > 1):
        return False
    if len(head) > 4 and head[4] & 7:
        return False
    if len(head) < FIXED2:
        return None
    size = int.from_bytes(head[13:17], "big")
    is_heartbeat = head[2] & HEARTBEAT != 0
    is_request = not head[2] & RESPONSE
    if size >= _MOST_METADATA or (not size and is_request and not is_heartbeat):
        return False
    look = min(size, _LOOK)
    if _CONTROL.search(data, FIXED2, FIXED2 + look):
        return False
    if size and head[4] >> 3 >= len(SERIALIZATIONS) and len(data) >= FIXED2 + look:
        # A serialization of the user's own: Motan's keys have to speak for the frame.
        return data.find(_KEYS, FIXED2, FIXED2 + look) >= 0
    if size:
        return True if len(data) >= FIXED2 + look else None
    if len(data) < FIXED2 + 4:
        return None
    length = int.from_bytes(data[FIXED2 : FIXED2 + 4], "big")
    return not length if is_heartbeat else length <= _MOST_LENGTH


# ── Motan 1 ──────────────────────────────────────────────────────────────────────────

# The outer head, and both heads.
FIXED1: Final = 16
INNER: Final = 32
_INNER_MAGIC: Final = b"\xf0\xf0"

# The variant whose calls have a signature instead of names.
SIGNED: Final = 2

EXCEPTION_FLAG: Final = 5
VALUE: Final = 1
NULL: Final = 3
ATTACHED: Final = 7
KINDS: Final = {
    0: "a request",
    VALUE: "a value",
    NULL: "null",
    EXCEPTION_FLAG: "an exception",
    ATTACHED: "a value, then attachments",
}

# A signature: up to 4 letters of a method, then a part of a hash.
_LETTERS: Final = 4
_HASH: Final = 12
_SIGNATURE: Final = re.compile(r"[^\s]{1,4}[0-9a-f]{12}\Z")


class Names:
    """What precedes the values of Motan 1.

    ``texts`` with what each is and where (``whats``, ``spans``), and the blocks that they are in.
    """

    __slots__ = ("blocks", "spans", "texts", "whats")

    def __init__(self, data: bytes, at: int, stop: int) -> None:
        self.blocks = Blocks(data, at, stop)
        self.texts: list[str] = []
        self.whats: list[str] = []
        self.spans: list[Span] = []

    def read(self, what: str) -> str:
        """Read and keep the next text, which is ``what``.  Raises DecodeError, Incomplete."""
        at = self.blocks.at
        text = self.blocks.text(what)
        self.texts.append(text)
        self.whats.append(what)
        self.spans.append(Span(at, self.blocks.at))
        return text

    def method(self, variant: int) -> str:
        """Return the method, as far as it is there."""
        if variant != SIGNED:
            path, name = self.texts[0], self.texts[1]
            return f"{path}.{name}" if path else name
        signature = self.texts[1]
        if not _SIGNATURE.match(signature):
            return signature
        letters = signature[:-_HASH]
        # Four letters may be the whole name, or its beginning.
        return letters + "…" if len(letters) == _LETTERS else letters


def read_names(data: bytes, base: int, stop: int) -> Names:
    """Read what precedes the values of a message whose Java stream begins at ``base``.

    Raises DecodeError, and Incomplete if it is cut off.
    """
    variant, kind = data[18], data[19]
    names = Names(data, base, stop)
    names.blocks.head()
    if kind == 0:
        wanted = ("version", "signature") if variant == SIGNED else ("interface", "method", "types")
        for what in wanted:
            names.read(what)
        return names
    at = names.blocks.at
    took = names.blocks.number(8, "time")
    names.texts.append(str(took))
    names.whats.append("time")
    names.spans.append(Span(at, names.blocks.at))
    if kind != NULL:
        names.read("class")
    return names


def begins1(data: bytes | bytearray) -> bool | None:
    """Say whether these first bytes of a direction begin a Motan 1 frame; None: too few yet."""
    head = bytes(data[:INNER])
    for fixed in (b"\xf1\xf1\0\0", b"\xf1\xf1\0\x01"):
        if not fixed.startswith(head[:4]):
            continue
        if len(head) < FIXED1:
            return None
        length = int.from_bytes(head[12:16], "big")
        if not INNER - FIXED1 <= length <= _MOST_LENGTH:
            return False
        if not _INNER_MAGIC.startswith(head[16:18]):
            return False
        if len(head) > 18 and head[18] not in (1, SIGNED):
            return False
        if len(head) > 19 and (head[19] not in KINDS or (head[19] == 0) == (head[3] == 1)):
            return False
        if len(head) < INNER:
            return None
        inner = int.from_bytes(head[28:32], "big")
        return head[4:12] == head[20:28] and inner == length - 16
    return False
