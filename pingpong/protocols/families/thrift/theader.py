"""THeader, as in Apache's doc/specs/HeaderFormat.md: a frame with a head of its own.

    ┌───────────────────┬─────────┬─────────┬───────────────────┬─────────┐
    │  length, i32      │  0F FF  │  flags  │  sequence number  │  words  │
    ├───────────────────┴─────────┴─────────┴───────────────────┴─────────┤
    │  protocol id · transform count, ids · info blocks · 00 to a word    │  words × 4 bytes
    ├─────────────────────────────────────────────────────────────────────┤
    │  payload: one message, through the transforms in their order        │
    └─────────────────────────────────────────────────────────────────────┘

``FrameHead`` walks over the head once, and its result serves two purposes: the transport takes the
transforms and undoes them, ``describe`` turns the parts into notes.  zlib is undone here, up to the
size that a message may have.  What cannot be undone or read is passed over as a whole frame, with a
finding: the length still says where the next one begins.

TTHeader (``ttheader.py``) is the same frame with other numbers in it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ....errors import DecodeError, Incomplete
from ....model import Finding, Limits, Protocol, Severity
from ...encodings.compact import COMPACT as COMPACT_PROTOCOL
from ...family import MAX_NAME, NAME
from ...framing import ProtocolAt, Transport, Unit
from ...unpacking import Allowance, inflate
from .framed import EMPTY, HEAD, read_frame_length

__all__ = [
    "FrameHead",
    "FramedHeaderTransport",
    "HeaderTransport",
    "ProtocolAt",
    "begins",
    "begins_frame",
    "begins_framed",
    "describe",
    "describe_framed",
    "describe_head",
    "like_message",
    "plain_number",
    "size_of",
]

# size, label, meaning, why
Part = tuple[int, str, str, str]

# Everything up to and including the number of words.
FIXED: Final = 14

# The number of words has 16 bits; but nobody writes more than 64 KiB.
MAX_HEAD: Final = 65_536

# "Max frame size is 0x3FFFFFFF": a frame with a greater length is not one.
MAX_FRAME: Final = 0x3FFFFFFF

# A payload that was packed more often than this is left alone: each layer may be a bomb.
MAX_TRANSFORMS: Final = 8

ZLIB: Final = 1

# fbthrift writes 2, 4 and 5 too; the specification ends with 3.
TRANSFORMS: Final = {1: "zlib", 2: "hmac", 3: "snappy", 4: "qlz", 5: "zstd"}
PROTOCOLS: Final = {0: "binary", 1: "JSON", 2: "compact"}
COMPACT: Final = 2

_KEY_VALUES: Final = 1
_LASTING_KEY_VALUES: Final = 2  # fbthrift's: they hold for the whole connection
_INFOS: Final = {_KEY_VALUES: "key/values", _LASTING_KEY_VALUES: "lasting key/values"}


class FrameHead:
    """A frame's head, walked from left to right: ``data[:limit]`` is looked at.

    ``walk`` raises DecodeError if it cannot be a head; ``parts`` has what was read until then.  The
    head begins at ``base``; the payload begins at ``stop``.  Faults in the info blocks do not hide
    the payload: they are in ``findings``.
    """

    title = "THeader"
    magic = 0x0FFF
    protocols = PROTOCOLS
    infos = _INFOS

    def __init__(self, data: bytes | bytearray, limit: int, base: int = 0) -> None:
        self.data = data
        self.limit = limit
        self.base = base
        self.at = base
        self.stop = 0
        self.protocol_id = -1
        self.transforms: list[int] = []
        self.transform_at = 0
        self.parts: list[Part] = []
        self.findings: list[Finding] = []

    def walk(self) -> None:
        """Read the head up to the payload, filling ``parts``.  Raises DecodeError, Incomplete."""
        self.fixed()
        self.protocol_id = self.number("protocol id", self._protocol)
        count = self.number("transform count", plain_number)
        self.transform_at = self.at
        for _ in range(count):
            self.transforms.append(self.number("transform id", _transform))
            if self.transforms[-1] not in (ZLIB, 3):
                # "The data for each transform is defined by the transform ID": without knowing
                # it, one cannot tell where the info blocks begin.
                self._unknown("Nothing says how many bytes belong to that transform.")
                return
        try:
            while self.at < self.stop:
                self._info()
        except DecodeError as error:
            self.findings.append(Finding(Severity.WARNING, str(error), error.offset))
            self._unknown("The info blocks cannot be read on.")

    def fixed(self) -> None:
        """Read the part of fixed size, which every head has."""
        base = self.base
        data = bytes(self.data[base : base + FIXED])
        if self.limit < base + FIXED:
            left = max(0, self.limit - base)
            raise Incomplete(f"{self.title} head", base, needs=FIXED, left=left)
        length = int.from_bytes(data[:HEAD], "big", signed=True)
        self.check_magic()
        words = int.from_bytes(data[12:14], "big")
        self.part(4, "frame length", str(length), "Bytes that follow, without these 4.")
        self.part(2, "magic", f"0x{self.magic:04x}", f"Marks a {self.title} frame.")
        self.part(2, "flags", f"0x{int.from_bytes(data[6:8], 'big'):04x}")
        seq = int.from_bytes(data[8:12], "big", signed=True)
        self.part(4, "sequence number", str(seq), "The transport's own; the seqid comes later.")
        why = f"In words of 4 bytes: the payload begins {4 * words} bytes behind this."
        self.part(2, "head size", str(words), why)
        self.stop = base + FIXED + 4 * words
        if self.stop > base + HEAD + length:
            most = (length - FIXED + HEAD) // 4
            wanted = f"at most {most}"
            raise DecodeError("head size", base + 12, found=str(words), wanted=wanted, size=2)

    def check_magic(self) -> None:
        """Raise DecodeError unless the magic is there."""
        at = self.base + HEAD
        magic = int.from_bytes(self.data[at : at + 2], "big")
        if magic != self.magic:
            found, wanted = f"0x{magic:04x}", f"0x{self.magic:04x}"
            raise DecodeError(f"{self.title} magic", at, found=found, wanted=wanted, size=2)

    def part(self, size: int, label: str, meaning: str, why: str = "") -> None:
        """Record the next ``size`` bytes as a part."""
        if size:
            self.parts.append((size, label, meaning, why))
            self.at += size

    def need(self, what: str, size: int) -> None:
        """Raise Incomplete unless the head has that many more bytes."""
        left = min(self.stop, self.limit) - self.at
        if size > left:
            raise Incomplete(what, self.at, needs=size, left=max(0, left))

    # ── What differs between the relatives ───────────────────────────────────────────

    def number(self, label: str, meaning: Callable[[int], tuple[str, str]]) -> int:
        """Read a varint of at most 32 bits."""
        value = shift = size = 0
        while True:
            self.need(label, size + 1)
            byte = self.data[self.at + size]
            value |= (byte & 0x7F) << shift
            size += 1
            shift += 7
            if byte < 0x80:
                break
            if size == 5:
                raise DecodeError(label, self.at, found="over 5 bytes", wanted="a varint", size=5)
        self.part(size, label, *meaning(value))
        return value

    def count(self, label: str, meaning: Callable[[int], tuple[str, str]]) -> int:
        """Read a length or a count in an info block."""
        return self.number(label, meaning)

    def info(self, info_id: int) -> bool:
        """Read the info block after its id; False if the id is unknown."""
        if info_id not in self.infos:
            return False
        for _ in range(self.count("count", plain_number)):
            self.text("key")
            self.text("value")
        return True

    # ── What they share ──────────────────────────────────────────────────────────────

    def text(self, label: str) -> None:
        """Read a string that follows its length."""
        size = self.count(f"{label} length", _in_bytes)
        self.need(label, size)
        raw = bytes(self.data[self.at : self.at + size])
        self.part(size, label, f'"{raw.decode("utf-8", "backslashreplace")}"')

    def _info(self) -> None:
        self.need("info id", 1)
        if self.data[self.at] == 0:
            size = 1
            end = min(self.stop, self.limit)
            while self.at + size < end and self.data[self.at + size] == 0:
                size += 1
            self.part(size, "padding", "1 byte" if size == 1 else f"{size} bytes", "To a word.")
            if self.at < self.stop:
                self.need("info id", 1)
            return
        at = self.at
        info_id = self.number("info id", self._named_info)
        if not self.info(info_id):
            known = ", ".join(f"{number} {name}" for number, name in self.infos.items())
            raise DecodeError(
                "info id", at, found=str(info_id), wanted=f"one of {known}", size=self.at - at
            )

    def _named_info(self, value: int) -> tuple[str, str]:
        return f"{value} {self.infos.get(value, '')}".rstrip(), ""

    def _protocol(self, value: int) -> tuple[str, str]:
        return f"{value} {self.protocols.get(value, 'unknown')}", "The protocol of the payload."

    def _unknown(self, why: str) -> None:
        size = max(0, min(self.stop, self.limit) - self.at)
        self.part(size, "not read", "1 byte" if size == 1 else f"{size} bytes", why)


def plain_number(value: int) -> tuple[str, str]:
    """Describe a number that needs no explanation: its meaning and why."""
    return str(value), ""


def _in_bytes(value: int) -> tuple[str, str]:
    return str(value), "In bytes."


def _transform(value: int) -> tuple[str, str]:
    why = "The payload was packed; below it is unpacked." if value == ZLIB else ""
    return f"{value} {TRANSFORMS.get(value, 'unknown')}", why


# ── The transport ────────────────────────────────────────────────────────────────────


class HeaderTransport(Transport):
    """THeader frames.  ``protocol_at`` says which protocol a payload is in."""

    name = "theader"

    # Bytes before each THeader frame.
    base: int = 0

    def __init__(self, limits: Limits, protocol_at: ProtocolAt) -> None:
        self._limits = limits
        self._protocol_at = protocol_at
        self.allowance = Allowance(limits)

    def head(self, data: bytes | bytearray, limit: int) -> FrameHead:
        """Make a FrameHead over ``data[:limit]``; the relatives have classes of their own."""
        return FrameHead(data, limit, self.base)

    def next(self, buffer: bytearray, have: int) -> Unit | None:
        base = self.base
        if have < base + HEAD:
            return None
        length = read_frame_length(buffer, base, have, self._limits)
        if length < FIXED - HEAD:
            wanted = f"{FIXED - HEAD} or more"
            raise DecodeError("frame length", base, found=str(length), wanted=wanted, size=HEAD)
        stop = base + HEAD + length
        if base and read_frame_length(buffer, 0, have, self._limits) != stop - HEAD:
            found = str(int.from_bytes(buffer[:HEAD], "big"))
            wanted = f"{stop - HEAD}: the THeader frame in it"
            raise DecodeError("frame length", 0, found=found, wanted=wanted, size=HEAD)
        if have >= base + HEAD + 2:
            self.head(buffer, have).check_magic()
        return self._unit(bytes(buffer[:stop])) if have >= stop else None

    def _unit(self, frame: bytes) -> Unit:
        """Make the unit of a frame, or of what is there of one."""
        head = self.head(frame, len(frame))
        try:
            head.walk()
        except DecodeError as error:
            return self._unreadable(frame, f"{head.title} frame whose head cannot be read", error)
        findings = list(head.findings)
        payload = frame[head.stop :]
        if not payload:
            # Apache's C++ server sends one when it closes.
            return Unit(len(frame), frame, len(frame), None, EMPTY, tuple(findings))
        if head.transforms:
            left = [one for one in head.transforms if one != ZLIB]
            if left or len(head.transforms) > MAX_TRANSFORMS:
                return self._not_undone(frame, head, left)
            assert self.allowance is not None
            earned = len(payload)
            for _ in head.transforms:
                payload, wrong = inflate(payload, self.allowance, earned)
                earned = 0
                if wrong:
                    self.seen_thrift = True
                    text = f"zlib payload at offset {head.stop}: {wrong}"
                    findings.append(Finding(Severity.ERROR, text, head.stop))
            data = frame[: head.stop] + payload
        else:
            data = frame
        if len(data) == head.stop and not findings:
            return Unit(len(frame), data, head.stop, None, EMPTY)
        start, protocol = self._protocol_of(data, head.stop)
        named = f"protocol {head.protocol_id} {head.protocols.get(head.protocol_id, 'unknown')}"
        if protocol is None:
            what = f"{head.title} frame with a payload, {named}, that begins no Thrift message"
            if not findings and head.protocol_id in (0, COMPACT):
                text = f"payload at offset {head.stop}: no Thrift message begins there"
                findings.append(Finding(Severity.ERROR, text, head.stop))
            return Unit(len(frame), data, head.stop, None, what, tuple(findings))
        said = head.protocol_id == COMPACT
        if head.protocol_id in (0, COMPACT) and said != (protocol is COMPACT_PROTOCOL):
            text = f"the head says {named}, and the message is {protocol.name}"
            findings.append(Finding(Severity.WARNING, text, self.base + FIXED))
        return Unit(len(frame), data, start, protocol, "", tuple(findings))

    def _protocol_of(self, data: bytes, start: int) -> tuple[int, Protocol | None]:
        """Return where the message begins, perhaps after a frame's length, and its protocol."""
        protocol = self._protocol_at(data, start, len(data))
        if protocol is None and len(data) - start > HEAD:
            inside = start + HEAD
            if int.from_bytes(data[start:inside], "big") == len(data) - inside:
                return inside, self._protocol_at(data, inside, len(data))
        return start, protocol

    def _not_undone(self, frame: bytes, head: FrameHead, left: list[int]) -> Unit:
        number = left[0] if left else ZLIB
        named = f"{number} {TRANSFORMS.get(number, 'unknown')}"
        if not left:
            named = f"{len(head.transforms)} times {named}"
        what = f"{head.title} frame with transform {named}, which is not undone"
        error = DecodeError("transform", head.transform_at, found=named, wanted=f"{ZLIB} zlib")
        return self._unreadable(frame, what, error)

    def _unreadable(self, frame: bytes, what: str, error: DecodeError) -> Unit:
        self.seen_thrift = True
        finding = Finding(Severity.ERROR, str(error), error.offset)
        return Unit(len(frame), frame, len(frame), None, what, (finding,))

    def known_until(self, buffer: bytearray, have: int) -> int:
        head = self.head(buffer, have)
        try:
            head.walk()
        except DecodeError:
            return 0
        # Packed bytes cannot be unpacked if some of them are lost.
        if head.transforms or have < head.stop:
            return 0
        return self.frame_stop(buffer, have)

    def frame_stop(self, buffer: bytearray, have: int) -> int:
        try:
            return HEAD + read_frame_length(buffer, 0, have, self._limits)
        except DecodeError:
            return 0

    def rest(self, buffer: bytearray, have: int) -> Unit | None:
        head = self.head(buffer, have)
        try:
            head.fixed()
        except DecodeError:
            return None
        if have <= head.stop:
            return None
        unit = self._unit(bytes(buffer[:have]))
        return unit if unit.protocol is not None else None


class FramedHeaderTransport(HeaderTransport):
    """THeader frames, each in a frame of its own, as Go writes them over a framed transport."""

    name = "framed-theader"
    base = HEAD


# ── What tells it from others, and what its bytes say ────────────────────────────────


def begins(data: bytes | bytearray) -> bool | None:
    """Say whether these first bytes of a direction begin a THeader frame; None: too few yet."""
    return begins_frame(data, FrameHead(data, len(data)))


def size_of(data: bytes | bytearray, magic: int) -> int:
    """Return how many bytes of a head follow its magic, according to the head."""
    return FIXED - HEAD + 4 * int.from_bytes(data[magic + 8 : magic + 10], "big")


def begins_framed(data: bytes | bytearray) -> bool | None:
    """Say the same of THeader frames in frames."""
    have = len(data)
    outer, inner = bytes(data[:HEAD]), bytes(data[HEAD : 2 * HEAD])
    if have >= 2 * HEAD:
        if int.from_bytes(outer, "big") != int.from_bytes(inner, "big") + HEAD:
            return False
    elif any(outer[:1]):
        return False
    elif have <= HEAD:
        return None
    return begins(data[HEAD:])


def begins_frame(data: bytes | bytearray, head: FrameHead) -> bool | None:
    """Say the same for THeader's relatives: ``head`` is one of theirs over ``data``.

    The whole head has to make sense, and if nothing packs the payload, it has to begin like a
    message.
    """
    have = len(data)
    if data[4:6] != head.magic.to_bytes(2, "big")[: max(0, have - 4)] or (have and data[0] > 0x3F):
        return False
    if have < FIXED:
        return None
    stop = FIXED + 4 * int.from_bytes(data[12:14], "big")
    length = int.from_bytes(data[:HEAD], "big")
    if stop == FIXED or stop > MAX_HEAD or not stop < HEAD + length <= HEAD + MAX_FRAME:
        return False
    if have < stop:
        return None
    try:
        head.walk()
    except DecodeError:
        return False
    if head.findings or head.protocol_id not in head.protocols or len(head.transforms) > 4:
        return False
    if head.transforms:
        return all(one in TRANSFORMS for one in head.transforms)
    plain = like_message(data, stop)
    if plain is False and have >= stop + HEAD:
        inner = int.from_bytes(data[stop : stop + HEAD], "big")
        return like_message(data, stop + HEAD) if stop + inner == length else False
    return plain


def like_message(data: bytes | bytearray, at: int) -> bool | None:
    """Say whether the bytes at ``at`` begin like any protocol's message; None: too few to tell."""
    head = bytes(data[at : at + 8])
    if head[:1] == b"\x80":
        if len(head) < 4:
            return None
        return head[1] == 1 and 1 <= head[3] <= 4
    if head[:1] == b"\x82":
        if len(head) < 2:
            return None
        return head[1] & 0x1F == 1 and 1 <= head[1] >> 5 <= 4
    if head[:1] == b"\0" and len(head) < 5:
        return None
    if head[:1] == b"\0" and head[4:5] == b"{":
        # thriftpy2's JSON has a length of its own.
        inside = bytes(data[at + 4 : at + 15])
        if len(inside) < 11 and b'{"metadata"'.startswith(inside):
            return None
        return inside == b'{"metadata"'
    if head[:1] == b"[":
        return True if head[:4] == b'[1,"' else None if b'[1,"'.startswith(head) else False
    if head[:2] != b"\0\0"[: len(head)]:
        return False
    if len(head) < 4:
        return None
    # Old binary: a name of plausible length, then a message type.
    size = head[2] << 8 | head[3]
    name = bytes(data[at + 4 : at + 4 + size]) if size <= MAX_NAME else b""
    if not size or size > MAX_NAME or (name and not NAME.match(name)):
        return False
    behind = bytes(data[at + 4 + size : at + 5 + size])
    return 1 <= behind[0] <= 4 if behind else None


def describe(data: bytes, stop: int) -> list[Part]:
    """Return the parts of what precedes the message: size, label, meaning and why."""
    return describe_head(FrameHead(data, stop), stop)


def describe_framed(data: bytes, stop: int) -> list[Part]:
    """Return the same for THeader frames in frames."""
    length = str(int.from_bytes(data[:HEAD], "big", signed=True))
    outer = (HEAD, "frame length", length, "Of the frame around the THeader frame.")
    return [outer, *describe_head(FrameHead(data, stop, HEAD), stop)]


def describe_head(head: FrameHead, stop: int) -> list[Part]:
    """Return the parts of a head, and of everything up to ``stop``, where the message begins."""
    try:
        head.walk()
    except DecodeError as error:
        if head.at < stop:
            head.part(stop - head.at, "not read", f"{stop - head.at} bytes", str(error))
    left = stop - head.at
    if left == HEAD:
        length = int.from_bytes(head.data[head.at : stop], "big", signed=True)
        head.part(HEAD, "frame length", str(length), "The payload is framed once more.")
    elif left > 0:
        head.part(left, "not read", f"{left} bytes", "Between the head and the message.")
    return head.parts
