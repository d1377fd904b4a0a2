"""How Thrift is recognised by its first bytes.

    80 01 ?? tt  nn nn nn nn          strict binary, if tt is a message type and n a name's length
    82 t1                             compact, if t is a message type
    nn nn nn nn  name  tt             old binary
    [1,"                              Apache's JSON
    ll ll ll ll  {"metadata"          thriftpy2's JSON
    ll ll ll ll  and any of them      framed, if the message ends where l says

    ll ll ll ll  0f ff                THeader (10 00: TTHeader), if its head makes sense
    POST …  HTTP/1.1 …                HTTP, if a body has a message
    GET …  Upgrade: websocket         WebSocket
    78 ..                             zlib, if it inflates to the beginning of a message
    ll ll ll ll  and THeader, zlib    these in frames
    01 00 00 00 nn  mechanism         SASL

For strict binary the header is enough at the first byte of a connection: five of the bytes are
fixed or nearly so, and nothing else begins like it.  A wrapper alone proves nothing yet: a
connection speaks Thrift once it has had a message in it.
"""

from __future__ import annotations

from typing import Final

from ....model import Limits
from ...encodings.binary import BINARY, OLD_BINARY, VERSION_1
from ...encodings.compact import COMPACT
from ...encodings.thrift_json import JSON
from ...encodings.thriftpy2_json import THRIFTPY2_JSON
from ...family import FAIR, MAX_NAME, NAME, STRONG, WEAK, Plain, Sign, Wrapper
from ...framing import ProtocolAt, Transport
from ...framings.contents import Contents
from . import deflate, http, sasl, ttheader, websocket
from . import theader as header
from .framed import HEAD, Framed, read_frame_length
from .transports import (
    FRAMED,
    FRAMED_THEADER,
    FRAMED_ZLIB,
    HTTP,
    SASL,
    THEADER,
    TTHEADER,
    UNFRAMED,
    WEBSOCKET,
    ZLIB,
)
from .unframed import Unframed

__all__ = ["PLAINS", "SIGNS", "WRAPPERS", "nearly"]

_VERSION: Final = VERSION_1.to_bytes(2, "big")
_JSON_BEGIN: Final = b'[1,"'
_METADATA: Final = b'{"metadata"'


def _strict(data: bytes | bytearray, at: int) -> bool | None:
    head = data[at : at + 8]
    if len(head) < 8:
        return None if _VERSION.startswith(head[:2]) else False
    name = int.from_bytes(head[4:8], "big")
    return head[:2] == _VERSION and 1 <= head[3] <= 4 and name <= MAX_NAME


def _strict_least(data: bytes | bytearray, at: int) -> int:
    """A version, a name with its length and STOP: with a seqid too it would be a whole message."""
    return 4 + 4 + int.from_bytes(data[at + 4 : at + 8], "big") + 1


def _compact(data: bytes | bytearray, at: int) -> bool | None:
    head = data[at : at + 2]
    if len(head) < 2:
        return None if b"\x82".startswith(head) else False
    return head[0] == 0x82 and head[1] & 0x1F == 1 and 1 <= head[1] >> 5 <= 4


def _old(data: bytes | bytearray, at: int) -> bool | None:
    head = data[at : at + 4]
    if len(head) < 4:
        return None if not any(head[:2]) else False
    length = int.from_bytes(head, "big")
    name = data[at + 4 : at + 4 + length] if length <= MAX_NAME else b""
    if not length or (name and not NAME.match(name)) or length > MAX_NAME:
        return False
    behind = data[at + 4 + length : at + 5 + length]
    return 1 <= behind[0] <= 4 if behind else None


def _json(data: bytes | bytearray, at: int) -> bool | None:
    return _starts(data, at, _JSON_BEGIN)


def _thriftpy2_json(data: bytes | bytearray, at: int) -> bool | None:
    # A length of 2**24 or more would be a message that nobody sends as text.
    if data[at : at + 1] not in (b"", b"\0"):
        return False
    return _starts(data, at + HEAD, _METADATA)


def _starts(data: bytes | bytearray, at: int, wanted: bytes) -> bool | None:
    head = bytes(data[at : at + len(wanted)])
    if len(head) < len(wanted):
        return None if wanted.startswith(head) else False
    return head == wanted


SIGNS: Final = (
    Sign(BINARY, "a strict binary header", _strict, _VERSION, STRONG, 0, _strict_least),
    Sign(COMPACT, "a compact header", _compact, b"\x82", FAIR),
    Sign(JSON, "a message in Apache's JSON", _json, _JSON_BEGIN, FAIR),
    Sign(THRIFTPY2_JSON, "a message in thriftpy2's JSON", _thriftpy2_json, _METADATA, FAIR, HEAD),
    Sign(OLD_BINARY, "an old binary header", _old, b"\0\0", WEAK),
)


PLAINS: Final = (Plain(UNFRAMED, Unframed), Plain(FRAMED, Framed, HEAD, read_frame_length))


def _woven_http(limits: Limits, contents: Contents, inside: ProtocolAt) -> Transport:
    return http.HttpTransport(limits, inside, contents)


WRAPPERS: Final = (
    Wrapper(
        FRAMED_THEADER, "the length of a frame, then a THeader frame", header.begins_framed,
        header.FramedHeaderTransport, (b"\x0f\xff",), 8, behind=header.size_of,
    ),
    Wrapper(
        THEADER, "a THeader frame", header.begins, header.HeaderTransport, (b"\x0f\xff",), 4,
        behind=header.size_of,
    ),
    Wrapper(
        TTHEADER, "a TTHeader frame", ttheader.begins, ttheader.TTHeaderTransport,
        (b"\x10\0",), 4, behind=header.size_of,
    ),
    Wrapper(
        WEBSOCKET, "HTTP's upgrade to WebSocket", websocket.begins,
        websocket.WebSocketTransport, (),
    ),
    Wrapper(HTTP, "HTTP", http.begins, http.HttpTransport, http.STARTS, 0, _woven_http),
    Wrapper(ZLIB, "a zlib stream", deflate.begins, deflate.DeflateTransport, ()),
    Wrapper(
        FRAMED_ZLIB, "the length of a frame, then a zlib stream", deflate.begins_framed,
        deflate.FramedDeflateTransport, (),
    ),
    Wrapper(
        SASL, "a SASL negotiation", sasl.begins, sasl.SaslTransport, (), answers=sasl.answers,
    ),
)  # fmt: skip


def nearly(data: bytes | bytearray) -> str:
    """Say what is wrong with bytes that are a strict header except for the version; else ""."""
    for at in (0, HEAD):
        head = bytes(data[at : at + 8])
        name = int.from_bytes(head[4:8], "big")
        if len(head) == 8 and head[0] == 0x80 and 1 <= head[3] <= 4 and 0 < name <= MAX_NAME:
            found = int.from_bytes(head[:2], "big")
            if found != VERSION_1 and NAME.match(data[at + 8 : at + 8 + name]):
                return f"version at offset {at}: is 0x{found:04x}, want 0x{VERSION_1:04x}"
    return ""
