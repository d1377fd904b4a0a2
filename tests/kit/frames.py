"""Frames of Dubbo, Motan and rpcx, and streams of HTTP/2, written here byte by byte, as their
specifications lay them out (see the pictures in pingpong/protocols/families)."""

from __future__ import annotations

import json
import struct

from http2s import enveloped, frame, request, response, trailers
from making import Talk

from pingpong.model import Packet
from pingpong.protocols.framings.h2 import PREFACE

# ── hessian2, as much of it as is needed ─────────────────────────────────────────────


def text(words: str | None, raw: bytes | None = None) -> bytes:
    """A string as Java writes one: its length in UTF-16 units, surrogates in 3 bytes each.

    ``raw`` are other bytes in its place, which have that length.
    """
    if words is None:
        return b"N"
    units = words.encode("utf-16-be", "surrogatepass")
    count = len(units) // 2
    if raw is None:
        parts = struct.unpack(f">{count}H", units)
        raw = b"".join(chr(one).encode("utf-8", "surrogatepass") for one in parts)
    if count < 0x20:
        return bytes((count,)) + raw
    if count < 0x400:
        return bytes((0x30 + (count >> 8), count & 0xFF)) + raw
    return b"S" + struct.pack(">H", count) + raw


def thrown(name: str, message: str) -> bytes:
    """An exception with its text alone."""
    return b"C" + text(name) + b"\x91" + text("detailMessage") + b"\x60" + text(message)


# ── Dubbo ────────────────────────────────────────────────────────────────────────────


def dubbo(flags: int, status: int, seqid: int, body: bytes) -> bytes:
    return struct.pack(">HBBQI", 0xDABB, flags, status, seqid, len(body)) + body


def dubbo_call(
    seqid: int,
    method: str = "get",
    path: str = "com.shop.Orders",
    types: str = "",
    values: bytes = b"",
    flags: int = 0xC2,
    **attached: str,
) -> bytes:
    names = (text("2.0.2"), text(path), text("1.0.0"), text(method), text(types))
    pairs = b"".join(text(key) + text(value) for key, value in attached.items())
    return dubbo(flags, 0, seqid, b"".join(names) + values + b"H" + pairs + b"Z")


def dubbo_reply(seqid: int, value: bytes = b"\x04pong", kind: int = 4) -> bytes:
    return dubbo(0x02, 20, seqid, bytes((0x90 + kind,)) + value + b"HZ")


def dubbo_error(seqid: int, status: int, words: str) -> bytes:
    return dubbo(0x02, status, seqid, text(words))


def dubbo_heartbeat(seqid: int) -> bytes:
    return dubbo(0xE2, 0, seqid, b"N")


def dubbo_alive(seqid: int) -> bytes:
    return dubbo(0x22, 20, seqid, b"N")


DUBBO_READONLY = dubbo(0xA2, 0, 99, b"\x01R")


# ── Motan ────────────────────────────────────────────────────────────────────────────


def motan2(
    flags: int, seqid: int, pairs: dict[str, str], body: bytes, status: int = 0, kind: int = 6
) -> bytes:
    lines = "\n".join(f"{key}\n{value}" for key, value in pairs.items()).encode()
    head = struct.pack(">HBBBQI", 0xF1F1, flags, 8 | status, kind << 3, seqid, len(lines))
    return head + lines + struct.pack(">I", len(body)) + body


def motan2_call(
    seqid: int, method: str = "get", path: str = "com.shop.Orders", kind: int = 6, **more: str
) -> bytes:
    return motan2(0, seqid, {"M_p": path, "M_m": method, **more}, b"\1\0\0\0\2hi", kind=kind)


def motan2_reply(seqid: int) -> bytes:
    return motan2(1, seqid, {"M_pt": "1"}, b"\1\0\0\0\4pong")


def motan2_error(seqid: int, code: int, words: str, whose: int = 1) -> bytes:
    said = json.dumps({"errcode": code, "errmsg": words, "errtype": whose})
    return motan2(1, seqid, {"M_e": said}, b"", status=1)


def motan2_heartbeat(seqid: int, answer: bool = False) -> bytes:
    return motan2(0x11 if answer else 0x10, seqid, {}, b"")


def motan1(seqid: int, kind: int, stream: bytes) -> bytes:
    inner = struct.pack(">HBBQI", 0xF0F0, 1, kind, seqid, len(stream)) + stream
    return struct.pack(">HHQI", 0xF1F1, int(kind != 0), seqid, len(inner)) + inner


_STREAM = bytes.fromhex("aced0005")
_ARRAY = bytes.fromhex("757200025b42acf317f8060854e00200007870")


def _utf(words: str) -> bytes:
    return struct.pack(">H", len(words.encode())) + words.encode()


def _block(data: bytes) -> bytes:
    return b"z" + struct.pack(">I", len(data)) + data


def motan1_call(seqid: int, method: str = "get", path: str = "com.shop.Orders") -> bytes:
    names = _utf(path) + _utf(method) + _utf("void") + struct.pack(">I", 0)
    return motan1(seqid, 0, _STREAM + _block(names))


def motan1_reply(seqid: int, value: bytes = b"\x04pong") -> bytes:
    head = _block(struct.pack(">q", 1) + _utf("java.lang.String"))
    return motan1(seqid, 1, _STREAM + head + _ARRAY + struct.pack(">I", len(value)) + value)


def motan1_error(seqid: int, code: int, words: str) -> bytes:
    name = "com.weibo.api.motan.exception.MotanServiceException"
    head = _block(struct.pack(">q", 1) + _utf(name))
    inner = b"C" + text("com.weibo.api.motan.exception.MotanErrorMsg") + b"\x91"
    inner += text("errorcode") + b"\x61I" + struct.pack(">i", code)
    value = b"C" + text(name) + b"\x92" + text("motanErrorMsg") + text("errorMsg")
    value += b"\x60" + inner + text(words)
    return motan1(seqid, 5, _STREAM + head + _ARRAY + struct.pack(">I", len(value)) + value)


# ── rpcx ─────────────────────────────────────────────────────────────────────────────


def _sized(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def rpcx(
    flags: int,
    seqid: int,
    path: str,
    method: str,
    pairs: dict[str, str],
    payload: bytes,
    kind: int = 3,
) -> bytes:
    lines = b"".join(_sized(one.encode()) for pair in pairs.items() for one in pair)
    parts = b"".join(map(_sized, (path.encode(), method.encode(), lines, payload)))
    return struct.pack(">BBBBQI", 8, 0, flags, kind << 4, seqid, len(parts)) + parts


def rpcx_call(
    seqid: int, method: str = "Get", path: str = "Orders", kind: int = 3, **more: str
) -> bytes:
    return rpcx(0, seqid, path, method, more, b"\x81\xa1a\x01", kind)


def rpcx_reply(seqid: int, method: str = "Get", path: str = "Orders") -> bytes:
    return rpcx(0x80, seqid, path, method, {}, b"\xa4pong")


def rpcx_error(seqid: int, words: str, method: str = "Get", path: str = "Orders") -> bytes:
    return rpcx(0x81, seqid, path, method, {"__rpcx_error__": words}, b"")


def rpcx_heartbeat(seqid: int, answer: bool = False) -> bytes:
    return rpcx(0xC0 if answer else 0x40, seqid, "", "", {}, b"\xd3" + bytes(8))


# ── HTTP/2, and connections together ─────────────────────────────────────────────────

SETTINGS = frame(4, 0, 0, bytes.fromhex("000400100000"))
HELLO = PREFACE + SETTINGS
ASKED = request(1) + frame(0, 1, 1, enveloped(b"\x08\x01"))
ANSWERED = response(1) + frame(0, 0, 1, enveloped(b"\x08\x02")) + trailers(1)


def together(*talks: Talk) -> list[Packet]:
    """The packets of several connections, one after the other, each with its pauses."""
    packets: list[Packet] = []
    for talk in talks:
        base = packets[-1].time + 1_000_000 if packets else 0
        first = talk.packets[0].time
        for one in talk.packets:
            at = base + one.time - first
            packets.append(Packet(len(packets) + 1, at, 1, one.data, one.length))
    return packets
