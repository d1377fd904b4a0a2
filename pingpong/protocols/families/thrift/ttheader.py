"""TTHeader, CloudWeGo's (Kitex, Volo): THeader's frame with plain numbers in its head.

    ┌───────────────────┬─────────┬─────────┬───────────────────┬─────────┐
    │  length, i32      │  10 00  │  flags  │  sequence number  │  words  │
    ├───────────────────┴─────────┴─────────┴───────────────────┴─────────┤
    │  protocol id u8 · transform count u8, ids u8 · info blocks · 00     │  words × 4 bytes
    ├─────────────────────────────────────────────────────────────────────┤
    │  payload: one message, often with a frame's length before it        │
    └─────────────────────────────────────────────────────────────────────┘

An info block is an id and then, with all numbers in 16 bits: 01 a count of key/values, each a
string; 10 the same with numbers as keys; 11 one string, the access token.  The source is
cloudwego.io/docs/kitex/reference/transport_protocol_ttheader and Kitex itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from .theader import FrameHead, HeaderTransport, Part, begins_frame, describe_head, plain_number

__all__ = ["TTHead", "TTHeaderTransport", "begins", "describe"]

_KEY_VALUES: Final = 0x01
_NUMBERED: Final = 0x10
_TOKEN: Final = 0x11
_INFOS: Final = {_KEY_VALUES: "key/values", _NUMBERED: "numbered values", _TOKEN: "access token"}

_PROTOCOLS: Final = {
    0x00: "binary",
    0x02: "compact",
    0x03: "compact, version 2",
    0x04: "protobuf",
    0x10: "bare Thrift struct",
    0x11: "bare protobuf struct",
}

# The names of numbered keys, from 0 on.
_KEYS: Final = (
    "mesh version",
    "transport type",
    "log id",
    "from service",
    "from cluster",
    "from IDC",
    "to service",
    "to cluster",
    "to IDC",
    "to method",
    "environment",
    "destination address",
    "RPC timeout",
    "read timeout",
    "ring hash key",
    "DDP tag",
    "with mesh header",
    "connect timeout",
    "span context",
    "short connection",
    "from method",
    "stress tag",
    "message type",
    "HTTP content type",
    "raw ring hash key",
    "load balancer type",
    "cluster shard id",
    "frame type",
)


class TTHead(FrameHead):
    """The head of a TTHeader frame."""

    title = "TTHeader"
    magic = 0x1000
    protocols = _PROTOCOLS
    infos = _INFOS

    def number(self, label: str, meaning: Callable[[int], tuple[str, str]]) -> int:
        """Read one byte."""
        self.need(label, 1)
        value = self.data[self.at]
        self.part(1, label, *meaning(value))
        return value

    def count(self, label: str, meaning: Callable[[int], tuple[str, str]]) -> int:
        """Read two bytes."""
        self.need(label, 2)
        value = self.data[self.at] << 8 | self.data[self.at + 1]
        self.part(2, label, *meaning(value))
        return value

    def info(self, info_id: int) -> bool:
        if info_id == _TOKEN:
            self.text("token")
            return True
        if info_id not in _INFOS:
            return False
        for _ in range(self.count("count", plain_number)):
            if info_id == _NUMBERED:
                self.count("key", _key)
            else:
                self.text("key")
            self.text("value")
        return True


def _key(value: int) -> tuple[str, str]:
    return f"{value} {_KEYS[value] if value < len(_KEYS) else 'unknown'}", ""


class TTHeaderTransport(HeaderTransport):
    """TTHeader frames.  ``protocol_at`` says which protocol a payload is in."""

    name = "ttheader"

    def head(self, data: bytes | bytearray, limit: int) -> FrameHead:
        return TTHead(data, limit, self.base)


def begins(data: bytes | bytearray) -> bool | None:
    """Say whether these first bytes of a direction begin a TTHeader frame; None: too few yet."""
    return begins_frame(data, TTHead(data, len(data)))


def describe(data: bytes, stop: int) -> list[Part]:
    """Return the parts of what precedes the message: size, label, meaning and why."""
    return describe_head(TTHead(data, stop), stop)
