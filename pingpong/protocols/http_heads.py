"""HTTP heads that may be shown: the words that everybody writes, and ``x`` for all others.

    POST /calc?user=7 HTTP/1.1            POST /xxxxxxxxxxx HTTP/1.1
    Host: calc.example                    Host: xxxxxxxxxxxx
    X-Acme-Token-Of-Bob: 17               xxxxxxxxxxxxxxxxxxx: xx
    Content-Length: 30                    Content-Length: 30

Nothing in a head is shown because of its name: a line stays only where it is, word for word, one of
those below.  So no way of writing a line (a bare LF or CR, no colon, digits that look like a size)
opens it.  Masks are as long as what they cover, and the result is still a head.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Final

from ..model import LETTER, Run

__all__ = ["mask_head_lines", "mask_lines", "mask_trailers"]

# The methods that IANA's registry knows, and those of UPnP and of caches: no others stay.
_METHODS: Final = b"|".join(
    b"""
    ACL BASELINE-CONTROL BIND CHECKIN CHECKOUT CONNECT COPY DELETE GET HEAD LABEL LINK LOCK M-SEARCH
    MERGE MKACTIVITY MKCALENDAR MKCOL MKREDIRECTREF MKWORKSPACE MOVE NOTIFY OPTIONS ORDERPATCH PATCH
    POST PROPFIND PROPPATCH PURGE PUT QUERY REBIND REPORT SEARCH SUBSCRIBE TRACE UNBIND UNCHECKOUT
    UNLINK UNLOCK UNSUBSCRIBE UPDATE UPDATEREDIRECTREF VERSION-CONTROL
    """.split()
)
_REQUEST: Final = re.compile(rb"((?:" + _METHODS + rb") )(/?)([^ ]*)( HTTP/1\.[01])\Z", re.DOTALL)
_STATUS: Final = re.compile(rb"(HTTP/1\.[01] [1-5][0-9][0-9])(?: (.*))?\Z", re.DOTALL)
_PHRASES: Final = frozenset(one.phrase.encode() for one in HTTPStatus)

# The names of headers that stay: those of RFC 9110 to 9112, and what is in wide use.
_NAMES: Final = frozenset(
    b"""
    accept accept-charset accept-encoding accept-language accept-ranges
    access-control-allow-credentials access-control-allow-headers access-control-allow-methods
    access-control-allow-origin access-control-expose-headers access-control-max-age
    access-control-request-headers access-control-request-method age allow alt-svc authorization b3
    cache-control client-ip connect-accept-encoding connect-content-encoding
    connect-protocol-version connect-timeout-ms connection content-disposition content-encoding
    content-language content-length content-location content-md5 content-range
    content-security-policy
    content-type
    cookie correlation-id date dnt etag expect expires forwarded from grpc-accept-encoding
    grpc-encoding grpc-message grpc-status grpc-timeout host http2-settings if-match
    if-modified-since if-none-match if-range if-unmodified-since keep-alive last-modified link
    location max-forwards mime-version origin p3p pragma proxy-authenticate proxy-authorization
    proxy-connection range referer referrer-policy retry-after sec-websocket-accept
    sec-websocket-extensions sec-websocket-key sec-websocket-protocol sec-websocket-version server
    set-cookie strict-transport-security te timing-allow-origin traceparent tracestate trailer
    transfer-encoding tri-protocol-version upgrade user-agent vary via warning www-authenticate
    x-amzn-trace-id
    x-api-key x-auth-token x-b3-flags x-b3-parentspanid x-b3-sampled x-b3-spanid x-b3-traceid
    x-cloud-trace-context x-content-type-options x-correlation-id x-csrf-token x-forwarded-for
    x-forwarded-host x-forwarded-port x-forwarded-proto x-frame-options x-grpc-web x-powered-by
    x-real-ip
    x-request-id x-requested-with x-thrift-protocol x-trace-id x-xss-protection
    """.split()
)

_CODING: Final = rb"(?:chunked|gzip|x-gzip|deflate|compress|identity|br|zstd|trailers)"
_TYPE: Final = (
    rb"(?:\*/\*|text/(?:plain|html|xml)|application/(?:x-thrift|vnd\.apache\.thrift"
    rb"(?:\.(?:binary|compact|json))?|json|xml|octet-stream|x-www-form-urlencoded"
    rb"|proto|(?:connect|grpc|grpc-web|grpc-web-text)(?:\+(?:proto|json))?))"
    rb"(?:; ?(?:charset=(?:utf-8|us-ascii|iso-8859-1)|protocol=(?:binary|compact|json)))?"
)
_DEFLATE: Final = (
    rb"permessage-deflate(?:; ?(?:client|server)_(?:no_context_takeover"
    rb"|max_window_bits(?:=[0-9]{1,2})?))*"
)

# Values that stay: they say how to read the message, in words that everybody uses.
_OPEN: Final = {
    name: re.compile(b"(?:" + one + rb")(?:, ?(?:" + one + rb"))*\Z", re.IGNORECASE)
    for name, one in {
        b"accept": _TYPE,
        b"accept-encoding": _CODING,
        b"connect-accept-encoding": _CODING,
        b"connect-content-encoding": _CODING,
        b"connect-protocol-version": rb"[0-9]",
        b"connection": rb"keep-alive|close|upgrade",
        b"content-encoding": _CODING,
        b"content-length": rb"[0-9]{1,9}",
        b"content-type": _TYPE,
        b"expect": rb"100-continue",
        b"grpc-accept-encoding": _CODING,
        b"grpc-encoding": _CODING,
        b"grpc-status": rb"[0-9]{1,2}",
        b"sec-websocket-extensions": _DEFLATE,
        b"sec-websocket-version": rb"[0-9]{1,2}",
        b"te": _CODING,
        b"transfer-encoding": _CODING,
        b"upgrade": rb"websocket|h2c",
        b"x-grpc-web": rb"[01]",
    }.items()
}

# What Connect's end of a stream says in JSON (connectrpc.com/docs/protocol): its own words, and
# its codes.
_JSON_TOKEN: Final = re.compile(rb'"(?:[^"\\]|\\.)*"?|[^"{}\[\],: \t\r\n]+', re.DOTALL)
_JSON_WORDS: Final = frozenset(
    b'"%s"' % word
    for word in b"""
    error code message details type value debug metadata
    canceled unknown invalid_argument deadline_exceeded not_found already_exists permission_denied
    resource_exhausted failed_precondition aborted out_of_range unimplemented internal unavailable
    data_loss unauthenticated
    """.split()
)

# A chunk's size, and the rest of its line.  Five digits are too few to tell a word.
_SIZE: Final = re.compile(rb"(0*([0-9A-Fa-f]{1,16}))([ \t]*)(.*)\Z", re.DOTALL)
_SHORT: Final = 5


def mask_head_lines(head: bytes) -> list[Run]:
    """Return the masks for an HTTP head."""
    runs: list[Run] = []
    at = 0
    while at < len(head):
        end = head.find(b"\r\n", at)
        stop = len(head) if end < 0 else end
        line = head[at:stop]
        runs += [(at + start, text) for start, text in (_line(line) if at else _start(line))]
        at = stop + 2
    return runs


def mask_lines(lines: Sequence[tuple[int, bytes]]) -> list[Run]:
    """Return the masks for what surrounds chunks: lines with their ends, and their places."""
    runs: list[Run] = []
    for number, (at, whole) in enumerate(lines):
        line = whole[:-2] if whole.endswith(b"\r\n") else whole
        follows = lines[number + 1][0] if number + 1 < len(lines) else -1
        runs += [(at + start, text) for start, text in _chunk(line, follows - at - len(whole))]
    return runs


def mask_trailers(text: bytes) -> bytes:
    r"""Mask trailers that stand in the body: gRPC-Web's lines, or Connect's JSON.

    The status stays.

    >>> mask_trailers(b"grpc-status: 5\r\ngrpc-message: no bob\r\n")
    b'grpc-status: 5\r\ngrpc-message: xxxxxx\r\n'
    >>> mask_trailers(b'{"error":{"code":"not_found","message":"no bob"}}')
    b'{"error":{"code":"not_found","message":"xxxxxx"}}'
    """
    if text.lstrip(b" \t\r\n")[:1] == b"{":
        return _JSON_TOKEN.sub(_json_token, text)
    out = bytearray(text)
    at = 0
    while at < len(text):
        end = text.find(b"\r\n", at)
        stop = len(text) if end < 0 else end
        for start, mask in _line(text[at:stop]):
            out[at + start : at + start + len(mask)] = mask
        at = stop + 2
    return bytes(out)


def _json_token(match: re.Match[bytes]) -> bytes:
    token = match.group()
    if token in _JSON_WORDS or token in (b"true", b"false", b"null"):
        return token
    if token[:1] != b'"':
        return b"1" * len(token)
    is_closed = len(token) > 1 and token.endswith(b'"')
    return b'"' + LETTER * (len(token) - 1 - is_closed) + b'"' * is_closed


def _covered(start: int, size: int) -> Iterable[Run]:
    return ((start, LETTER * size),) if size > 0 else ()


def _start(line: bytes) -> Iterable[Run]:
    """Yield the masks for a start line."""
    request = _REQUEST.match(line)
    if request is not None:
        return _covered(request.start(3), len(request[3]))
    status = _STATUS.match(line)
    if status is None:
        return _covered(0, len(line))
    if status[2] is None or status[2] in _PHRASES:
        return ()
    return _covered(status.start(2), len(status[2]))


def _line(line: bytes) -> Iterable[Run]:
    """Yield the masks for a header's line."""
    name, colon, value = line.partition(b":")
    if not colon or line[:1] in b" \t":
        at = len(line) - len(line.lstrip(b" \t"))  # it continues the line before
        return _covered(at, len(line) - at)
    runs = list(() if name.lower() in _NAMES else _covered(0, len(name)))
    bare = value.strip(b" \t")
    known = _OPEN.get(name.lower())
    if known is None or not known.match(bare):
        runs += _covered(len(name) + 1 + len(value) - len(value.lstrip(b" \t")), len(bare))
    return runs


def _chunk(line: bytes, follow: int) -> Iterable[Run]:
    """Yield the masks for a line around chunks.

    It is the size of one, followed by ``follow`` bytes of content, or a line of the trailer.
    """
    size = _SIZE.match(line)
    if size is None:
        return _line(line)
    digits = len(size[2])
    if size[4][:1] not in (b"", b";"):
        return _line(line)
    if digits > _SHORT and int(size[2], 16) != follow:
        return _covered(0, len(line))
    rest = 1 if size[4] else 0
    return _covered(size.start(4) + rest, len(size[4]) - rest)
