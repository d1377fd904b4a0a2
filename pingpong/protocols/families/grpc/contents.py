"""How the messages of gRPC, gRPC-Web, Connect and Triple are laid out in HTTP's bodies.

    application/grpc[+proto|+json…]        flag, length, message …; trailers are HTTP's
    application/grpc-web[+proto…]          the same; trailers are a last message with flag 80
    application/connect+proto|json         the same; the end is a last message with flag 02, in JSON
    application/proto|json, with Connect's headers, or a method of an RPC's form
                                           the body is the message
    GET …?connect=v1&encoding=json|proto&message=…[&base64=1][&compression=gzip]
                                           the message stands in the query

grpc/doc/PROTOCOL-HTTP2.md, PROTOCOL-WEB.md, http-grpc-status-mapping.md; connectrpc.com's protocol.
"""

from __future__ import annotations

import json
from typing import Final
from urllib.parse import unquote_to_bytes

from ....model import Carrier, Protocol
from ...bodies import by_word, of_type
from ...encodings.protobuf import PROTOBUF
from ...framings.contents import NOT_KNOWN, NOT_NAMED, Content, Ending, Head, InHead
from ...framings.pieces import from_base64
from .answers import CODES, STATUSES, status_name
from .carriers import CONNECT, GRPC_CARRIER, GRPC_OLD, GRPC_WEB, TRIPLE, TRIPLE_UNARY
from .wrapped import is_wrapper, wrapped

__all__ = ["reads"]

# doc/http-grpc-status-mapping.md.
_OF_HTTP: Final = {400: 13, 401: 16, 403: 7, 404: 12, 429: 14, 431: 13, 502: 14, 503: 14, 504: 14}
_UNKNOWN: Final = 2

# connectrpc.com/docs/protocol, "HTTP to Error Code": for replies without an error in JSON.
_CONNECT_OF_HTTP: Final = {400: 13, 401: 16, 403: 7, 404: 12, 429: 14, 502: 14, 503: 14, 504: 14}


_URL_SAFE: Final = bytes.maketrans(b"-_", b"+/")


def _message(raw: str) -> str:
    """Decode grpc-message: UTF-8 with percent signs; anything else stays as it is."""
    return unquote_to_bytes(raw).decode("utf-8", "backslashreplace") if "%" in raw else raw


class _Grpc(Content):
    """gRPC's own."""

    is_enveloped = True

    def __init__(self, carrier: Carrier) -> None:
        self.carrier = carrier

    def protocol(self, head: Head) -> Protocol:
        kind = head.content_type.partition("+")[2] or "proto"
        return by_word(kind)

    def ending(self, head: Head, trailers: Head | None, body: bytes) -> Ending:
        said = head if trailers is None or "grpc-status" not in trailers.lines else trailers
        status = said.get("grpc-status")
        if status.isdigit() and len(status) < 6:
            code = int(status)
            return Ending(code != 0, code, status_name(code), _message(said.get("grpc-message")))
        http = head.get(":status")
        if http.isdigit() and http != "200":
            code = _OF_HTTP.get(int(http), _UNKNOWN)
            text = f"HTTP {http}, and no grpc-status"
            return Ending(True, code, status_name(code), text)
        if head.unknown or (trailers is not None and trailers.unknown):
            return NOT_KNOWN
        return Ending(True, _UNKNOWN, "UNKNOWN", "the reply ended, and no grpc-status was sent")

    def packing(self, head: Head, flag: int) -> str:
        if not flag & 1:
            return ""
        return head.get("grpc-encoding") or NOT_NAMED


class _Triple(_Grpc):
    """Dubbo's Triple: gRPC.

    Its Python clients write an empty message after the last one; Java's objects are in a wrapper.
    """

    has_stray = True

    def reads_as(self, protocol: Protocol, body: bytes, from_client: bool) -> Protocol:
        is_wrapped = protocol is PROTOBUF and is_wrapper(body)
        return wrapped(from_client) if is_wrapped else protocol


class _GrpcWeb(_Grpc):
    ends_at = 0x80

    def read_trailers(self, raw: bytes) -> Head:
        head = Head(False)
        for line in raw.split(b"\r\n"):
            name, colon, value = line.partition(b":")
            if colon:
                key = name.strip().lower().decode("utf-8", "backslashreplace")
                head.lines[key] = value.strip().decode("utf-8", "backslashreplace")
        head.unknown = not head.lines and bool(raw)  # packed, masked, or damaged
        return head


class _GrpcWebText(_GrpcWeb):
    """All of it in base64."""

    is_base64 = True


class _ConnectStream(_Grpc):
    ends_at = 0x02

    def ending(self, head: Head, trailers: Head | None, body: bytes) -> Ending:
        if trailers is not None and "error" in trailers.lines:
            return _connect_error(trailers.lines["error"].encode(), Ending(True, None, "", ""))
        if trailers is not None and trailers.unknown:
            return NOT_KNOWN
        http = head.get(":status")
        return Ending(http not in ("", "200"), None, "", f"HTTP {http}" if http != "200" else "")

    def packing(self, head: Head, flag: int) -> str:
        return (head.get("connect-content-encoding") or NOT_NAMED) if flag & 1 else ""

    def read_trailers(self, raw: bytes) -> Head:
        head = Head(False)
        try:
            said = json.loads(raw)
        except (ValueError, RecursionError):
            said = None
        if not isinstance(said, dict):
            head.unknown = True  # packed, masked, or damaged
        elif isinstance(said.get("error"), dict):
            head.lines["error"] = json.dumps(said["error"])
        return head


class _ConnectUnary(Content):
    """A body that is the message; an error is JSON, whatever the request was."""

    def __init__(self, carrier: Carrier) -> None:
        self.carrier = carrier

    def protocol(self, head: Head) -> Protocol:
        return of_type(head.content_type)

    def ending(self, head: Head, trailers: Head | None, body: bytes) -> Ending:
        http = head.get(":status")
        if http in ("", "200"):
            return Ending(False, None, "", "")
        code = _CONNECT_OF_HTTP.get(int(http), _UNKNOWN) if http.isdigit() else _UNKNOWN
        return _connect_error(body, Ending(True, code, status_name(code), f"HTTP {http}"))

    def method(self, head: Head) -> str:
        return head.get(":path").partition("?")[0]

    def in_head(self, head: Head) -> InHead | None:
        path = head.get(":path")
        if head.get(":method") != "GET" or not _asks_connect(path):
            return None
        said: dict[str, str] = {}
        for one in path.partition("?")[2].split("&"):
            name, _, value = one.partition("=")
            said.setdefault(name, value.replace("+", " "))
        content, wrong = unquote_to_bytes(said.get("message", "")), ""
        if said.get("base64") == "1":
            # RFC 4648, 5; the padding may be left out.
            text = content.translate(_URL_SAFE).rstrip(b"=")
            opened, _ = from_base64(text + b"=" * (-len(text) % 4))
            wrong = "message= in its query is no base64" if opened is None else ""
            content = opened or b""
        coding = unquote_to_bytes(said.get("compression", "")).decode("ascii", "replace")
        packing = "" if coding == "identity" else coding
        return InHead(content, by_word(said.get("encoding", "")), packing, wrong)

    def packing(self, head: Head, flag: int) -> str:
        coding = head.get("content-encoding")
        return "" if coding == "identity" else coding


def _connect_error(raw: bytes, otherwise: Ending) -> Ending:
    """Read {"code": "not_found", "message": …}; ``otherwise`` if it is anything else."""
    try:
        said = json.loads(raw)
    except (ValueError, RecursionError):
        return otherwise
    if not isinstance(said, dict) or not isinstance(said.get("code"), str):
        return otherwise
    code = CODES.get(said["code"])
    text = said.get("message")
    name = said["code"] if code is None else STATUSES[code]
    return Ending(True, code, name, text if isinstance(text, str) else "")


_GRPC: Final = _Grpc(GRPC_CARRIER)
_GRPC_OLD: Final = _Grpc(GRPC_OLD)
_TRIPLE: Final = _Triple(TRIPLE)
_WEB: Final = _GrpcWeb(GRPC_WEB)
_WEB_TEXT: Final = _GrpcWebText(GRPC_WEB)
_CONNECT_STREAM: Final = _ConnectStream(CONNECT)
_CONNECT: Final = _ConnectUnary(CONNECT)
_TRIPLE_UNARY: Final = _ConnectUnary(TRIPLE_UNARY)


def reads(head: Head, asked: Head | None) -> Content | None:
    """Return what reads the body of a message with this head; None: not this family's.

    ``asked`` is the request's head, if this is a reply's and the request is known.
    """
    kind = head.content_type
    if kind.startswith("application/grpc-web"):
        return _WEB_TEXT if kind.startswith("application/grpc-web-text") else _WEB
    if kind == "application/grpc" or kind.startswith("application/grpc+"):
        if head.version == 1:
            return _GRPC_OLD
        is_triple = kind == "application/grpc+data" or _is_of_dubbo(head)
        return _TRIPLE if is_triple or (asked is not None and _is_of_dubbo(asked)) else _GRPC
    if kind.startswith("application/connect+"):
        return _CONNECT_STREAM
    request = head if asked is None else asked
    if kind in ("application/proto", "application/json") or (not kind and head.is_request):
        if "connect-protocol-version" in request.lines or _asks_connect(request.get(":path")):
            return _CONNECT
        if kind and _is_of_dubbo(request):
            return _TRIPLE_UNARY
    if not kind and asked is not None and asked.content_type.startswith("application/grpc"):
        # A reply whose head does not describe its body: HEADERS alone, or trailers alone.
        return reads(asked, None) if "grpc-status" in head.lines else None
    return None


def _is_of_dubbo(head: Head) -> bool:
    return any(name.startswith("tri-") for name in head.lines)


def _asks_connect(path: str) -> bool:
    """Say whether it is a Connect call in the query of a GET."""
    return "connect=v1" in path.partition("?")[2].split("&")
