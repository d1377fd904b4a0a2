"""What the tests put around messages: HTTP's heads and bodies, SASL's steps, TTHeader's frames."""

from __future__ import annotations

import struct


def lines(*heads: str) -> bytes:
    return "".join(f"{one}\r\n" for one in (*heads, "")).encode()


def post(body: bytes, kind: str = "application/x-thrift") -> bytes:
    return (
        lines("POST /calc HTTP/1.1", f"Content-Type: {kind}", f"Content-Length: {len(body)}") + body
    )


def answer(body: bytes, *heads: str, status: str = "200 OK") -> bytes:
    return lines(f"HTTP/1.1 {status}", *heads, f"Content-Length: {len(body)}") + body


def chunks(*parts: bytes, trailer: str = "") -> bytes:
    out = b"".join(b"%x;x=1\r\n%s\r\n" % (len(part), part) for part in parts)
    return out + b"0\r\n" + trailer.encode() + b"\r\n"


def chunked(*parts: bytes, trailer: str = "", start: str = "HTTP/1.1 200 OK") -> bytes:
    return lines(start, "Transfer-Encoding: chunked") + chunks(*parts, trailer=trailer)


# What PLAIN sends: a name and a password.
SECRET = b"\0bob\0pwd"


def step(status: int, payload: bytes = b"") -> bytes:
    return struct.pack(">BI", status, len(payload)) + payload


def ttheader_frame(head: str, payload: bytes) -> bytes:
    """A frame: ``head`` is the hex of what follows the fixed part, without its padding."""
    info = bytes.fromhex(head)
    info += bytes(-len(info) % 4)
    body = struct.pack(">HHIH", 0x1000, 0, 1, len(info) // 4) + info + payload
    return struct.pack(">I", len(body)) + body
