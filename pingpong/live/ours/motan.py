r"""Motan 2 as motan-go speaks it, with its "simple" serialization: a Speaker of ours.

    f1 f1 │ flags │ 08, version and status │ 30, simple │ id, 8
    length, 4 │ metadata: "key\nvalue\nkey\nvalue …"
    length, 4 │ body: each value with a byte for its type, and a text with its length

Service and method are metadata like any other.  The real ones wrote the same:
``captures/login_motan.pcap``.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from pingpong.live.ours.speaking import Speaker
from pingpong.model import Message

__all__ = ["Motan", "simple"]

# Byte 2: a response, a heartbeat.
RESPONSE, HEARTBEAT = 0x01, 0x10
# Byte 3: version 1 in the upper five bits; status 1 is an exception.
VERSION, EXCEPTION = 0x08, 0x01
SIMPLE: Final = 6 << 3  # byte 4

# A call's metadata.  A map has no order in Go: each call writes them in another one.
ORDER: Final = ("M_p", "M_m", "M_s", "M_g", "M_pp")


def simple(value: Any) -> bytes:
    """Return a text, a whole number, True, False or None, behind its type.  Raises TypeError."""
    if value is None:
        return b"\x00"
    if isinstance(value, bool):
        return b"\x05\x01" if value else b"\x05\x00"
    if isinstance(value, int):
        number = (value << 1) ^ (value >> 63)  # zigzag: small negative numbers are short, too
        return b"\x09" + _varint(number & (1 << 64) - 1)
    if isinstance(value, str):
        raw = value.encode()
        return b"\x01" + struct.pack(">I", len(raw)) + raw
    raise TypeError(f"value is {value!r}, want a text, a whole number, True, False or None")


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes((*out, number))


class Motan(Speaker):
    """Motan 2 with "simple".

    ``group`` is the service's, ``source`` who asks, ``order`` in which order a call says what it is
    about.  ``first`` is the id of a client's first call: real ones take the time.
    """

    title: ClassVar[str] = "Motan"
    port: ClassVar[int] = 8100
    magic: ClassVar[bytes] = b"\xf1\xf1"
    head: ClassVar[int] = 17

    def __init__(
        self,
        service: str,
        *,
        group: str = "thinkrpc",
        source: str = "thinkrpc",
        order: Sequence[str] = ORDER,
        first: int = 1,
    ) -> None:
        super().__init__(service)
        self.group = group
        self.source = source
        self.order = order
        self.first = first

    def size(self, data: bytes | bytearray) -> int:
        body = 17 + int.from_bytes(data[13:17], "big") + 4
        if len(data) < body:
            return body
        return body + int.from_bytes(data[body - 4 : body], "big")

    def call(
        self, number: int, method: str, arguments: Mapping[str, Any], metadata: Mapping[str, str]
    ) -> bytes:
        known = {
            "M_p": self.service,
            "M_m": method,
            "M_s": self.source,
            "M_g": self.group,
            "M_pp": "motan2",
        }
        pairs = {key: known[key] for key in self.order} | dict(metadata)
        body = b"".join(map(simple, arguments.values()))
        return self.frame(0, 0, self.first + number, pairs, body)

    def reply(self, call: Message, value: Any) -> bytes:
        # M_pt is how many milliseconds the server took.  Ours does not look at the clock.
        return self.frame(RESPONSE, 0, call.seqid, {"M_pt": "0"}, simple(value))

    def error(self, call: Message, error: Exception) -> bytes:
        return self._failed(call, 500, str(error))

    def missing(self, call: Message) -> bytes:
        if call.service != self.service:
            return self._failed(call, 404, f"provider not exist serviceKey={call.service}")
        return self._failed(call, 500, f"method {call.bare_method} is not found in provider.")

    def said(self, reply: Message) -> str:
        told = reply.family.error(reply).text
        return "no reason given" if told is None else str(told.content)

    def alive(self, event: Message) -> bytes:
        if event.data[2] & RESPONSE:
            return b""
        return self.frame(RESPONSE | HEARTBEAT, 0, event.seqid, {}, b"")

    def _failed(self, call: Message, code: int, words: str) -> bytes:
        said = {"errcode": code, "errmsg": words, "errtype": 1}
        told = json.dumps(said, separators=(",", ":"), ensure_ascii=False)
        return self.frame(RESPONSE, EXCEPTION, call.seqid, {"M_pt": "0", "M_e": told}, b"")

    def frame(
        self, flags: int, status: int, number: int, pairs: Mapping[str, str], body: bytes
    ) -> bytes:
        """Return a whole frame: 13 bytes of head, metadata, body."""
        lines = "\n".join(word for pair in pairs.items() for word in pair).encode()
        head = struct.pack(">BBBQI", flags, VERSION | status, SIMPLE, number, len(lines))
        return self.magic + head + lines + struct.pack(">I", len(body)) + body
