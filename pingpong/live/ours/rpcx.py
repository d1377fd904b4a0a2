"""rpcx with MessagePack, as the one in Go speaks it: a Speaker of ours.

    08 │ 00 │ flags │ 30, MessagePack │ number, 8 │ length, 4
    four times a length, 4, and so many bytes: service, method, metadata, payload

A call's arguments are one value: in Go a struct, whose fields have names that begin with a capital.
So do methods.  The real ones wrote the same: ``captures/login_rpcx.pcap``.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from pingpong.live.ours.speaking import Speaker
from pingpong.model import Message

__all__ = ["Rpcx", "msgpack"]

# Byte 2: a response, a heartbeat, oneway; and whether it is an error.
RESPONSE, HEARTBEAT, ERROR = 0x80, 0x40, 0x01
MSGPACK: Final = 3 << 4  # byte 3

ERROR_KEY: Final = "__rpcx_error__"


def msgpack(value: Any) -> bytes:
    """Return a text, a whole number, True, False, None, or a dict of them.  Raises TypeError."""
    if value is None:
        return b"\xc0"
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        return whole(value)
    if isinstance(value, str):
        raw = value.encode()
        if len(raw) < 32:
            return bytes((0xA0 + len(raw),)) + raw
        at = next(at for at, size in enumerate((1, 2, 4)) if len(raw) < 1 << 8 * size)
        return bytes((0xD9 + at,)) + len(raw).to_bytes(1 << at, "big") + raw
    if isinstance(value, Mapping) and len(value) < 16:
        inside = (msgpack(one) for pair in value.items() for one in pair)
        return bytes((0x80 + len(value),)) + b"".join(inside)
    raise TypeError(f"value is {value!r}, want a text, a whole number, True, False, None or a dict")


def whole(number: int) -> bytes:
    """Return a whole number in the shortest form: with its type in one byte, or behind it."""
    if -32 <= number < 128:
        return struct.pack(">b", number)
    first = 0xCC if number > 0 else 0xD0
    bits = number if number > 0 else -number * 2 - 1
    at = next((at for at in range(4) if bits < 1 << (8 << at)), 3)
    return bytes((first + at,)) + number.to_bytes(1 << at, "big", signed=number < 0)


def sized(data: bytes) -> bytes:
    """Return bytes with their length before them, in 4 bytes."""
    return struct.pack(">I", len(data)) + data


class Rpcx(Speaker):
    """rpcx with MessagePack."""

    title: ClassVar[str] = "rpcx"
    port: ClassVar[int] = 8972
    magic: ClassVar[bytes] = b"\x08\x00"
    head: ClassVar[int] = 16

    def size(self, data: bytes | bytearray) -> int:
        return 16 + int.from_bytes(data[12:16], "big")

    def call(
        self, number: int, method: str, arguments: Mapping[str, Any], metadata: Mapping[str, str]
    ) -> bytes:
        named = {_capital(name): value for name, value in arguments.items()}
        return self.frame(0, number, self.service, _capital(method), metadata, msgpack(named))

    def method(self, call: Message) -> str:
        return _small(call.bare_method)

    def arguments(self, call: Message) -> tuple[list[Any], dict[str, Any]]:
        fields = call.body.fields
        return [], {_small(field.name or ""): field.value.plain for field in fields}

    def reply(self, call: Message, value: Any) -> bytes:
        return self._answer(call, RESPONSE, {}, msgpack(value))

    def error(self, call: Message, error: Exception) -> bytes:
        """The payload is what the handler had filled in: here, as most often, an empty text."""
        return self._answer(call, RESPONSE | ERROR, {ERROR_KEY: str(error)}, msgpack(""))

    def missing(self, call: Message) -> bytes:
        known = call.service == self.service
        what = f"method {call.bare_method}" if known else f"service {call.service}"
        told = {ERROR_KEY: f"rpcx: can't find {what}"}
        return self._answer(call, RESPONSE | ERROR, told, b"")

    def said(self, reply: Message) -> str:
        told = reply.family.error(reply).text
        return "no reason given" if told is None else str(told.content)

    def alive(self, event: Message) -> bytes:
        """A heartbeat comes back as it was, with the bit of a response."""
        if event.data[2] & RESPONSE:
            return b""
        return event.data[:2] + bytes((event.data[2] | RESPONSE,)) + event.data[3:]

    def _answer(
        self, call: Message, flags: int, metadata: Mapping[str, str], payload: bytes
    ) -> bytes:
        names = call.service, call.bare_method
        return self.frame(flags, call.seqid, *names, metadata, payload)

    def frame(
        self,
        flags: int,
        number: int,
        service: str,
        method: str,
        metadata: Mapping[str, str],
        payload: bytes,
    ) -> bytes:
        """Return a whole frame: 16 bytes of head, and the four parts."""
        pairs = b"".join(sized(word.encode()) for pair in metadata.items() for word in pair)
        parts = b"".join(map(sized, (service.encode(), method.encode(), pairs, payload)))
        head = struct.pack(">BBQI", flags, MSGPACK, number, len(parts))
        return self.magic + head + parts


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]


def _small(name: str) -> str:
    return name[:1].lower() + name[1:]
