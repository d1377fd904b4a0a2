"""The PROXY protocol: a line, or a block of bytes, in which a proxy says for whom it connects.

    PROXY TCP4 203.0.113.7 192.0.2.1 51234 9090 ⏎         version 1: text

    0d 0a 0d 0a 00 0d 0a 51 55 49 54 0a                    version 2: always these twelve bytes,
    ┌────┬────┬─────────┬──────────────────────┬──────     then version and command, family,
    │ 21 │ 11 │ length  │ addresses and ports  │ TLVs      length; TLVs hold more of the same
    └────┴────┴─────────┴──────────────────────┴──────

It comes once, before the first byte of a connection of any protocol.  As HAProxy's
doc/proxy-protocol.txt lays it out.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final

from mypy_extensions import mypyc_attr

from ..model import Carrier, Endpoint, Run

__all__ = ["ADDRESSES", "PROXY", "Proxied", "begins", "read"]

_TEXT: Final = b"PROXY "
_BINARY: Final = b"\r\n\r\n\0\r\nQUIT\n"

# "a 108-byte buffer is always enough to store all the line and a trailing zero".
_MAX_LINE: Final = 107
_LINE: Final = re.compile(
    rb"PROXY (?:UNKNOWN[^\r\n]*"
    rb"|TCP[46] ([0-9A-Fa-f.:]+) ([0-9A-Fa-f.:]+) ([0-9]{1,5}) [0-9]{1,5})\Z"
)

# After the signature: version and command, family and protocol, a length.
_FIXED: Final = 16
# Size of the addresses with their ports, by family.
ADDRESSES: Final = {1: 12, 2: 36, 3: 216}
_LOCAL: Final = 0


@mypyc_attr(native_class=False)
class _Proxy(Carrier):
    """What a header is passed as: no message comes in it."""

    __slots__ = ()

    def own_bytes(
        self, data: bytes, start: int, lines: tuple[tuple[int, bytes], ...]
    ) -> tuple[list[tuple[int, int]], list[Run]]:
        return [(0, len(data))], []


PROXY: Final = _Proxy("proxy")


class Proxied:
    """What a header says.

    ``stop``: its size in bytes; ``open_to``: how many of them, from its start, have addresses and
    nothing else.  ``client`` is None if it names none.
    """

    __slots__ = ("client", "open_to", "stop", "what")

    def __init__(self, stop: int, open_to: int, client: Endpoint | None, version: int) -> None:
        self.stop = stop
        self.open_to = open_to
        self.client = client
        whom = "" if client is None else f", for {client}"
        self.what = f"a PROXY header, version {version}{whom}"


def begins(data: bytes | bytearray) -> bool | None:
    """Say whether these first bytes begin such a header; None: too few yet."""
    for sign in (_TEXT, _BINARY):
        head = bytes(data[: len(sign)])
        if head == sign:
            return True
        if sign.startswith(head):
            return None
    return False


def read(data: bytes | bytearray) -> Proxied | None:
    """Return the header that ``data`` begins with; None if some of it is missing.

    Raises ValueError if it turns out not to be one.
    """
    return _binary(data) if data[:1] == b"\r" else _text(data)


def _text(data: bytes | bytearray) -> Proxied | None:
    end = data.find(b"\r\n", 0, _MAX_LINE)
    if end < 0:
        if len(data) >= _MAX_LINE:
            raise ValueError("the line does not end")
        return None
    line = _LINE.match(bytes(data[:end]))
    if line is None:
        raise ValueError("the line has another form")
    host, target, port = line.group(1), line.group(2), line.group(3)
    if host is None:
        return Proxied(end + 2, len(b"PROXY UNKNOWN"), None, 1)
    address = ipaddress.ip_address(host.decode())
    ipaddress.ip_address(target.decode())
    number = int(port)
    if number > 65535:
        raise ValueError("the port is none")
    return Proxied(end + 2, end + 2, Endpoint(str(address), number), 1)


def _binary(data: bytes | bytearray) -> Proxied | None:
    if len(data) < _FIXED:
        return None
    command, family = data[12], data[13] >> 4
    if command >> 4 != 2 or command & 15 > 1 or family > 3:
        raise ValueError("the version is another")
    stop = _FIXED + int.from_bytes(data[14:_FIXED], "big")
    if len(data) < stop:
        return None
    size = ADDRESSES.get(family, 0)
    if command & 15 == _LOCAL or not size or _FIXED + size > stop or family == 3:
        # A health check by the proxy itself, or a socket without an address to show.
        return Proxied(stop, _FIXED, None, 2)
    block = bytes(data[_FIXED : _FIXED + size])
    width = 4 if family == 1 else 16
    address = ipaddress.ip_address(block[:width])
    port = int.from_bytes(block[2 * width : 2 * width + 2], "big")
    return Proxied(stop, _FIXED + size, Endpoint(str(address), port), 2)
