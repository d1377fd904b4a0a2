"""Dubbo 2 as Java's 2.6 speaks it, with hessian2: a Speaker of ours.

    call    da bb c2 00 │ id, 8 │ length, 4 │ version, path, service version, method,
                                              parameter types, arguments, attachments
    reply   da bb 02 14 │ id, 8 │ length, 4 │ what kind, value, attachments

All behind the length is hessian2: each text has its length before it, and a small number is one
byte.  The real ones wrote the same: ``captures/login_dubbo.pcap``.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from pingpong.live.ours.speaking import Speaker
from pingpong.model import Message, MessageType, Struct

__all__ = ["Dubbo", "hessian"]

# Byte 2: a request, two-way, an event; hessian2 is number 2.
REQUEST, TWO_WAY, EVENT, HESSIAN2 = 0x80, 0x40, 0x20, 0x02
# Byte 3 of a reply.  Java's 2.6 says 70 of a service that it does not have.
OK, SERVICE_ERROR = 20, 70
# What kind of result: those of 2.0.2, with attachments behind them, and those of older callers.
EXCEPTION, VALUE, NULL = 3, 4, 5
WITHOUT_ATTACHMENTS = 3

VERSION: Final = "2.0.2"
# The callers to whom a server sends attachments.
HAS_ATTACHMENTS: Final = re.compile(rb"2\.0\.(?:[2-9]|[1-9][0-9])\Z")

# How a call says which types its parameters have: as Java's class files do.
DESCRIPTORS: Final = {
    str: "Ljava/lang/String;",
    bool: "Z",
    int: "J",
    type(None): "Ljava/lang/Object;",
}


def hessian(value: Any) -> bytes:
    """Return a text, a whole number, True, False or None in hessian2.  Raises TypeError."""
    if value is None:
        return b"N"
    if isinstance(value, bool):
        return b"T" if value else b"F"
    if isinstance(value, int):
        return whole(value)
    if isinstance(value, str):
        return text(value)
    raise TypeError(f"value is {value!r}, want a text, a whole number, True, False or None")


def whole(number: int) -> bytes:
    """Return a whole number as a long, in the shortest of the five forms."""
    if -8 <= number < 16:
        return bytes((0xE0 + number,))
    if -0x800 <= number < 0x800:
        return bytes((0xF8 + (number >> 8), number & 0xFF))
    if -0x40000 <= number < 0x40000:
        return bytes((0x3C + (number >> 16), *(number & 0xFFFF).to_bytes(2, "big")))
    if -(1 << 31) <= number < 1 << 31:
        return b"Y" + struct.pack(">i", number)
    return b"L" + struct.pack(">q", number)


def text(words: str) -> bytes:
    """Return a text as Java writes it: what is counted are UTF-16's units, not bytes.

    A character beyond U+FFFF is two units, and Java writes each of them in 3 bytes.
    """
    raw = words.encode("utf-16-be", "surrogatepass")
    units = [chr(unit) for unit in struct.unpack(f">{len(raw) // 2}H", raw)]
    out = b""
    while len(units) > 0x7FFF:  # a chunk, which never ends in the middle of a character
        size = 0x7FFF if "\ud800" <= units[0x7FFE] < "\udc00" else 0x8000
        out += b"R" + struct.pack(">H", size) + _utf8(units[:size])
        units = units[size:]
    if len(units) < 0x20:
        head = bytes((len(units),))
    elif len(units) < 0x400:
        head = bytes((0x30 + (len(units) >> 8), len(units) & 0xFF))
    else:
        head = b"S" + struct.pack(">H", len(units))
    return out + head + _utf8(units)


def _utf8(units: list[str]) -> bytes:
    return b"".join(unit.encode("utf-8", "surrogatepass") for unit in units)


def attachments(pairs: Mapping[str, str]) -> bytes:
    """Return a map of texts: H, keys and values in turn, Z."""
    return b"H" + b"".join(text(word) for pair in pairs.items() for word in pair) + b"Z"


class Dubbo(Speaker):
    """Dubbo 2 with hessian2.

    ``version`` is the service's; ``timeout`` is what a call says of it, in milliseconds (None: it
    says nothing); ``dubbo`` the version of the protocol that a caller claims to speak: with 2.0.2
    and later, replies have attachments.
    """

    title: ClassVar[str] = "Dubbo"
    port: ClassVar[int] = 20880
    magic: ClassVar[bytes] = b"\xda\xbb"
    head: ClassVar[int] = 16

    def __init__(
        self,
        service: str,
        *,
        version: str = "1.0.0",
        timeout: int | None = 3000,
        dubbo: str = VERSION,
    ) -> None:
        super().__init__(service)
        self.version = version
        self.timeout = timeout
        self.dubbo = dubbo

    def size(self, data: bytes | bytearray) -> int:
        return 16 + int.from_bytes(data[12:16], "big")

    def call(
        self, number: int, method: str, arguments: Mapping[str, Any], metadata: Mapping[str, str]
    ) -> bytes:
        values = arguments.values()
        types = "".join(DESCRIPTORS.get(type(value), "") for value in values)
        words = (self.dubbo, self.service, self.version, method, types)
        body = b"".join(map(text, words)) + b"".join(map(hessian, values))
        body += attachments(self.attached(metadata))
        return self.frame(REQUEST | TWO_WAY | HESSIAN2, 0, number, body)

    def attached(self, metadata: Mapping[str, str]) -> dict[str, str]:
        """Return the attachments of a call: what Java's clients say, and ``metadata``."""
        said = {"path": self.service, "interface": self.service, "version": self.version}
        if self.timeout is not None:
            said["timeout"] = str(self.timeout)
        return said | dict(metadata)

    def reply(self, call: Message, value: Any) -> bytes:
        result = b"" if value is None else hessian(value)
        return self._result(call, NULL if value is None else VALUE, result)

    def error(self, call: Message, error: Exception) -> bytes:
        """An exception travels as a value: an object with its text.  Java adds all of its stack."""
        thrown = b"C" + text(type(error).__name__) + b"\x91" + text("detailMessage")
        return self._result(call, EXCEPTION, thrown + b"\x60" + text(str(error)))

    def missing(self, call: Message) -> bytes:
        return self.frame(HESSIAN2, SERVICE_ERROR, call.seqid, text(f"no method {call.method}"))

    def said(self, reply: Message) -> str:
        if reply.type is MessageType.EXCEPTION:  # Dubbo itself says it
            told = reply.family.error(reply).text
            return "no reason given" if told is None else str(told.content)
        thrown = reply.body.fields[0].value
        inside = thrown.content.fields if isinstance(thrown.content, Struct) else ()
        words = (field.value.content for field in inside if field.name == "detailMessage")
        text_of = next((said for said in words if isinstance(said, str)), "")
        return f"{thrown.label}: {text_of}"

    def alive(self, event: Message) -> bytes:
        """A heartbeat that wants an answer gets one: null, as it was itself."""
        if not event.data[2] & REQUEST or not event.data[2] & TWO_WAY:
            return b""
        return self.frame(EVENT | HESSIAN2, OK, event.seqid, b"N")

    def _result(self, call: Message, kind: int, value: bytes) -> bytes:
        if HAS_ATTACHMENTS.match(call.data, 17, 17 + call.data[16]):
            body = bytes((0x90 + kind,)) + value + attachments({"dubbo": VERSION})
        else:
            body = bytes((0x90 + kind - WITHOUT_ATTACHMENTS,)) + value
        return self.frame(HESSIAN2, OK, call.seqid, body)

    def frame(self, flags: int, status: int, number: int, body: bytes) -> bytes:
        """Return a whole frame: 16 bytes of head, and the body."""
        return self.magic + struct.pack(">BBQI", flags, status, number, len(body)) + body
