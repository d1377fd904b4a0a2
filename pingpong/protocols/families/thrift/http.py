"""Thrift over HTTP/1: a request or a response whose body is one message (RFC 9112).

    POST /calc HTTP/1.1 ⏎                  HTTP/1.1 200 OK ⏎
    Content-Type: application/x-thrift ⏎   Transfer-Encoding: chunked ⏎
    Content-Length: 30 ⏎                   ⏎
    ⏎                                      17 ⏎ 23 bytes ⏎  0 ⏎ ⏎
    30 bytes

A body ends where its length says, or with its last chunk, or with the stream; some heads
have none.  The body's own bytes tell its protocol: application/x-thrift is said of all of
them.  A message's ``data`` is its head and then the body, without its chunks' sizes and,
where it was packed (Content-Encoding: gzip, deflate), unpacked.

Not all HTTP is Thrift.  A body that does not begin like a message is passed over, a window
at a time, so that a long download does not wait in memory; ``seen_thrift`` says whether
anything was Thrift so far.  One that says it is Thrift may be a struct without a message, as
OpenTelemetry's exporter for Jaeger posts them.

Every request gets a response, a oneway call's too, and those without a message settle what
became of a call: each is a ``Turn``.
"""

from __future__ import annotations

import re
import zlib
from typing import Final

from ....errors import DecodeError, LimitExceeded
from ....model import Finding, Limits, Protocol, Response, Severity
from ...encodings.binary import BINARY
from ...encodings.compact import COMPACT
from ...encodings.thrift_json import JSON
from ...framing import ProtocolAt, Transport, Turn, Unit
from ...unpacking import Allowance, inflate
from .theader import Part

__all__ = ["STARTS", "HttpTransport", "begins", "describe", "is_packed"]

MAX_HEAD: Final = 65_536
MAX_START: Final = 8192  # the start line
MAX_LINE: Final = 4096  # a chunk's size with its extensions, or a line of a trailer

# How much may stand around the chunks of a body: so much, and so much for each byte in them.
MAX_AROUND: Final = 65_536
SHARE_AROUND: Final = 16

# How much of a body tells whether it is a message: room for the longest name too.
_TELLING: Final = 2048

# How much of a body that is none is taken in one go.
_WINDOW: Final = 65_536

# How much of a body that says it is Thrift and begins no message is kept, to be read as a struct.
_MOST_STRUCT: Final = 1 << 20

# How much of a body's text is told.
_MOST_TEXT: Final = 160

# How a body may be packed that is unpacked here (RFC 9110, 8.4.1).
_GZIP: Final = (b"gzip", b"x-gzip")
_DEFLATE: Final = b"deflate"

_END: Final = b"\r\n\r\n"
_METHODS: Final = (
    b"GET ",
    b"POST ",
    b"PUT ",
    b"HEAD ",
    b"OPTIONS ",
    b"DELETE ",
    b"PATCH ",
    b"TRACE ",
    b"CONNECT ",
)
_ANSWER: Final = b"HTTP/1."
STARTS: Final[tuple[bytes, ...]] = (*_METHODS, _ANSWER)
_REQUEST_LINE: Final = re.compile(rb"[A-Z]+ [\x21-\x7e]+ HTTP/1\.[01]\Z")
_STATUS_LINE: Final = re.compile(rb"HTTP/1\.[01] [1-5][0-9][0-9](?: [^\r\n]*)?\Z")
_CHUNK_SIZE: Final = re.compile(rb"[0-9A-Fa-f]{1,16}\Z")
_THRIFT_TYPES: Final = (b"application/x-thrift", b"application/vnd.apache.thrift")

# How a body ends.
_NO_BODY: Final = 0
_LENGTH: Final = 1
_CHUNKED: Final = 2
_CLOSE: Final = 3


class _Head:
    """The start line and the headers, as far as they say what the body is."""

    __slots__ = ("coding", "content_type", "ends", "is_answer", "length", "start", "stop")

    def __init__(self, data: bytes) -> None:
        lines = data[: -len(_END)].split(b"\r\n")
        self.stop = len(data)
        self.is_answer = lines[0].startswith(_ANSWER)
        self.start = lines[0]
        if not (_STATUS_LINE if self.is_answer else _REQUEST_LINE).match(lines[0]):
            raise _no_start()
        self.content_type = b""
        self.coding = b""
        self.length = -1
        chunked: bool | None = None
        at = len(lines[0]) + 2
        for line in lines[1:]:
            name, _, value = line.partition(b":")
            name, value = name.lower(), value.strip()
            if name == b"content-type":
                self.content_type = value.partition(b";")[0].strip().lower()
            elif name == b"content-encoding" and value.lower() != b"identity":
                self.coding = value.lower()
            elif name == b"content-length":
                self._set_length(value, at)
            elif name == b"transfer-encoding":
                chunked = value.lower().rpartition(b",")[2].strip() == b"chunked"
            at += len(line) + 2
        self.ends = self._ends(chunked)

    def _set_length(self, value: bytes, at: int) -> None:
        # RFC 9112, 6.3: a list of the same numbers is that number.
        for part in value.split(b","):
            part = part.strip()
            number = int(part) if part.isdigit() and len(part) < 20 else -1
            if number < 0 or self.length not in (-1, number):
                raise DecodeError(
                    "Content-Length", at, found=_text(value), wanted="one number of bytes"
                )
            self.length = number

    def _ends(self, chunked: bool | None) -> int:
        """RFC 9112, 6.3, "Message Body Length"."""
        if self.is_answer and (self.status < 200 or self.status in (204, 304)):
            return _NO_BODY
        if chunked:
            return _CHUNKED
        if chunked is None and self.length >= 0:
            return _LENGTH if self.length else _NO_BODY
        return _CLOSE if self.is_answer or chunked is False else _NO_BODY

    @property
    def status(self) -> int:
        return int(self.start[9:12])

    @property
    def reason(self) -> str:
        return _text(self.start[13:])

    @property
    def can_unpack(self) -> bool:
        return self.coding in _GZIP or self.coding == _DEFLATE

    def turn(self, response: Response | None = None, struct: Protocol | None = None) -> Turn | None:
        """What it is in the talk; None for a 1xx, behind which the response comes."""
        if self.is_answer and self.status < 200:
            return None
        return Turn(not self.is_answer, response, struct)

    def response(self, size: int, begin: bytes) -> Response | None:
        """What it answers, with a body of ``size`` bytes that begins so and is no message."""
        if not self.is_answer:
            return None
        kind = _text(self.content_type) if size else ""
        return Response(self.status, self.reason, kind, size, _readable(begin))

    @property
    def is_thrift(self) -> bool:
        """Does it say so itself?"""
        return self.content_type.startswith(_THRIFT_TYPES)

    def what(self, size: int) -> str:
        """The message in a few words, with a body of ``size`` bytes."""
        if self.is_answer:
            words = [f"HTTP {self.status}"]
        else:
            method, target, _ = self.start.split(b" ")
            words = [f"HTTP {_text(method)} {_text(target)}"]
        if size:
            words += [_text(value) for value in (self.content_type, self.coding) if value]
        words.append(("1 byte" if size == 1 else f"{size} bytes") if size else "no body")
        return ", ".join(words)


def _text(value: bytes) -> str:
    text = value[:80].decode("utf-8", "backslashreplace")
    return text if len(value) <= 80 else text + "…"


def _readable(begin: bytes) -> str:
    """How a text begins, on one line; "" if it is none."""
    text = begin[:_MOST_TEXT].decode("utf-8", "replace").rstrip("\ufffd")
    words = " ".join(text.split())
    return words if words.isprintable() and "\ufffd" not in words else ""


# ── What is packed ───────────────────────────────────────────────────────────────────


def _bits(coding: bytes, data: bytes) -> int:
    """What zlib calls that coding.  "deflate" is zlib's format, and some write it bare."""
    if coding in _GZIP:
        return 31
    is_zlib = len(data) > 1 and data[0] & 15 == 8 and not (data[0] << 8 | data[1]) % 31
    return 15 if is_zlib else -15


def _begin_of(coding: bytes, data: bytes) -> bytes:
    """How a packed body begins, unpacked: a little of it."""
    try:
        return zlib.decompressobj(_bits(coding, data)).decompress(data, _TELLING)
    except zlib.error:
        return b""


def _unpacked(coding: bytes, data: bytes, allowance: Allowance | None) -> tuple[bytes, str]:
    """What a packed body holds, and what is wrong with it, else "": see ``inflate``."""
    assert allowance is not None
    bits = _bits(coding, data)
    return inflate(data, allowance, len(data), bits, bits == 31)


def is_packed(head: bytes) -> bool:
    """Does a head say that its body is packed?"""
    return bool(_Head(head).coding)


def _struct_of(content: bytes, limits: Limits) -> Protocol | None:
    """Who reads all of that as one struct; None: nobody."""
    for protocol in (BINARY, COMPACT):
        if protocol.struct_end(content, 0, len(content), limits) == len(content):
            return protocol
    if content[:1] == b"{":
        struct = JSON.read_struct(content, 0, len(content), (), limits)
        if struct.stop is not None and struct.fields and not struct.findings:
            return JSON
    return None


def _no_start() -> DecodeError:
    return DecodeError(
        "HTTP start line", 0, found="neither a request nor a status", wanted="one of them"
    )


# ── The body ─────────────────────────────────────────────────────────────────────────

_SIZE: Final = 0  # of a chunk
_DATA: Final = 1
_DATA_END: Final = 2
_TRAILER: Final = 3
_DONE: Final = 4


class _Body:
    """A body, read as it comes.

    ``at`` is the next byte of the buffer to look at.  ``total`` counts the body's own bytes,
    ``content`` has them while ``keeps`` is true, ``first`` a few of them then.  ``is_message``: it
    begins like one; ``is_struct``: it says that it is Thrift, and may be a struct alone.
    ``lines`` are those around its chunks, with their places in the buffer, if it
    ``keeps_lines``.
    """

    __slots__ = (
        "at",
        "begin",
        "content",
        "ends",
        "first",
        "is_message",
        "is_struct",
        "keeps",
        "keeps_lines",
        "left",
        "limits",
        "lines",
        "state",
        "total",
        "trailer",
    )

    def __init__(self, head: _Head, limits: Limits, keeps_lines: bool) -> None:
        self.keeps_lines = keeps_lines
        self.ends = head.ends
        self.begin = self.at = head.stop
        self.left = head.length if head.ends == _LENGTH else 0  # of the chunk, or of all
        self.state = {_NO_BODY: _DONE, _CHUNKED: _SIZE}.get(head.ends, _DATA)
        self.limits = limits
        self.keeps = True
        self.is_message = False
        self.is_struct = False
        self.first = b""
        self.content = bytearray()
        self.total = 0
        self.trailer = 0
        self.lines: list[tuple[int, bytes]] = []

    def advance(self, buffer: bytearray, have: int, most: int) -> None:
        """Read on in ``buffer[:have]``, until ``total`` is ``most``."""
        while self.state != _DONE and self.total < most:
            if self.state == _DATA:
                if not self._data(buffer, have, most):
                    return
            elif self.state == _DATA_END:
                if have < self.at + 2:
                    return
                end = bytes(buffer[self.at : self.at + 2])
                if end != b"\r\n":
                    found = end.hex(" ")
                    raise DecodeError("end of a chunk", self.at, found=found, wanted="0d 0a")
                if self.keeps_lines:
                    self.lines.append((self.at, end))
                self.at += 2
                self.state = _SIZE
            else:
                line = self._line(buffer, have)
                if line is None:
                    return
                if self.state == _SIZE:
                    self._size(line)
                elif line:
                    self.trailer += len(line)
                    if self.trailer > MAX_HEAD:
                        found = f"over {MAX_HEAD} bytes"
                        raise LimitExceeded("HTTP trailer", self.at, found=found, limit=MAX_HEAD)
                else:
                    self.state = _DONE
                if self.keeps_lines:
                    self.lines.append((self.at, line + b"\r\n"))
                self.at += len(line) + 2

    def _data(self, buffer: bytearray, have: int, most: int) -> bool:
        """Take content; False if there is none."""
        size = min(have - self.at, most - self.total)
        if self.ends != _CLOSE:
            size = min(size, self.left)
        if size <= 0:
            return False
        if self.keeps:
            self.content += buffer[self.at : self.at + size]
            if self.is_message and len(self.content) > self.limits.message:
                raise self._too_long(f"over {self.limits.message}")
            if self.is_struct and len(self.content) > _MOST_STRUCT:
                self.pass_over()
        self.at += size
        self.total += size
        if self.ends != _CLOSE:
            self.left -= size
            if not self.left:
                self.state = _DATA_END if self.ends == _CHUNKED else _DONE
        return True

    def _line(self, buffer: bytearray, have: int) -> bytes | None:
        end = buffer.find(b"\r\n", self.at, min(have, self.at + MAX_LINE + 2))
        if end < 0:
            if have - self.at >= MAX_LINE + 2:
                found = f"over {MAX_LINE} bytes"
                raise LimitExceeded("HTTP chunk line", self.at, found=found, limit=MAX_LINE)
            return None
        return bytes(buffer[self.at : end])

    def _size(self, line: bytes) -> None:
        number = line.partition(b";")[0].strip()
        if not _CHUNK_SIZE.match(number):
            found = repr(_text(line))
            raise DecodeError("chunk size", self.at, found=found, wanted="hexadecimal digits")
        self.left = int(number, 16)
        self.check()
        if self.keeps:
            self._check_around()
        self.state = _DATA if self.left else _TRAILER

    def _check_around(self) -> None:
        """Raise LimitExceeded if what stands around the chunks of a body that is kept is more than
        anybody writes: a chunk's line may be a thousand times as long as the chunk."""
        around = self.at - self.begin - self.total
        most = MAX_AROUND + SHARE_AROUND * self.total
        if around > most:
            raise LimitExceeded("HTTP chunk lines", self.begin, found=f"{around} bytes", limit=most)

    def check(self) -> None:
        """Raise LimitExceeded if a message's body claims more than a message may have."""
        claimed = self.total + self.left
        if self.is_message and claimed > self.limits.message:
            raise self._too_long(str(claimed))

    def _too_long(self, found: str) -> LimitExceeded:
        return LimitExceeded("HTTP body", self.begin, found=found, limit=self.limits.message)

    def pass_over(self) -> None:
        """This body is no message: keep nothing of it but its begin."""
        self.keeps = False
        self.first = bytes(self.content[:_TELLING])
        self.content.clear()


# ── The transport ────────────────────────────────────────────────────────────────────


class HttpTransport(Transport):
    """One direction of HTTP/1.  ``protocol_at`` says which protocol a body is in.

    ``seen_thrift``: a body was a message, or a head said that it is one.  ``is_whole``: such
    a body ends with the stream.
    """

    name = "http"

    def __init__(self, limits: Limits, protocol_at: ProtocolAt) -> None:
        self._limits = limits
        self._protocol_at = protocol_at
        self.allowance = Allowance(limits)
        self._reset()

    def _reset(self) -> None:
        """The next head begins at the buffer's start."""
        self._scanned = 0  # no head ends before this
        self._head: _Head | None = None
        self._body: _Body | None = None
        self._protocol: Protocol | None = None

    def give_up(self) -> None:
        self._reset()

    def next(self, buffer: bytearray, have: int) -> Unit | None:
        if not have:
            return None
        if self._body is None:
            if self._head is None and buffer[0] == 0x0D:
                # RFC 9112, 2.2: an empty line before a request is to be ignored.
                if have < 2:
                    return None
                if buffer[1] == 0x0A:
                    unit = Unit(2, b"", 0, None)
                    unit.lines = ((0, b"\r\n"),)
                    return unit
            if not self._begin(buffer, have):
                return None
        assert self._body is not None
        body = self._body
        if body.keeps and self._protocol is None and not body.is_struct:
            body.advance(buffer, have, _TELLING)
            if body.state != _DONE and body.total < _TELLING:
                return None
            self._settle(buffer)
        return self._read(buffer, have) if body.keeps else self._pass(buffer, have)

    def _begin(self, buffer: bytearray, have: int) -> bool:
        """Read the head; False if it, or what tells whether it has a body, is not there."""
        if self._head is None:
            if begins(bytes(buffer[: min(have, MAX_START)])) is False:
                raise _no_start()
            end = buffer.find(_END, self._scanned, min(have, MAX_HEAD))
            if end < 0:
                self._scanned = max(0, have - len(_END) + 1)
                if have >= MAX_HEAD:
                    found = f"over {MAX_HEAD} bytes"
                    raise LimitExceeded("HTTP head", 0, found=found, limit=MAX_HEAD)
                return False
            self._head = _Head(bytes(buffer[: end + len(_END)]))
        head = self._head
        if head.is_answer and head.ends != _NO_BODY:
            # The answer to a HEAD has the head of a body and no body: then the next answer
            # begins here.  No message begins like one.
            room = min(len(_ANSWER), head.length) if head.ends == _LENGTH else len(_ANSWER)
            seen = bytes(buffer[head.stop : min(have, head.stop + room)])
            if room > 4 and _ANSWER.startswith(seen):
                if len(seen) < room:
                    return False
                head.ends = _NO_BODY
        self._body = _Body(head, self._limits, self.keeps_lines)
        self.seen_thrift = self.seen_thrift or head.is_thrift
        return True

    def _settle(self, buffer: bytearray) -> None:
        """Enough of the body is there to tell whether it is a message."""
        assert self._head is not None
        assert self._body is not None
        head, body = self._head, self._body
        content = bytes(body.content)
        if content and head.can_unpack:
            content = _begin_of(head.coding, content)
        elif head.coding:
            content = b""
        if content:
            self._protocol = self._protocol_at(content, 0, len(content))
        if self._protocol is None:
            if content and head.is_thrift and not head.is_answer:
                body.is_struct = True
            else:
                body.pass_over()
            return
        self.seen_thrift = body.is_message = True
        body.check()

    def _read(self, buffer: bytearray, have: int) -> Unit | None:
        """A body that is a message, or may be a struct."""
        assert self._body is not None
        body = self._body
        body.advance(buffer, have, self._limits.message + 1)
        if not body.keeps:
            return self._pass(buffer, have)
        if body.state != _DONE:
            return None
        return self._struct(buffer) if body.is_struct else self._unit(buffer)

    def _content(self) -> tuple[bytes, tuple[Finding, ...]]:
        """What there is of the body, unpacked, and what is wrong with how it is packed."""
        assert self._head is not None
        assert self._body is not None
        head, content = self._head, bytes(self._body.content)
        if not head.coding:
            return content, ()
        content, wrong = _unpacked(head.coding, content, self.allowance)
        if not wrong:
            return content, ()
        text = f"body at offset {head.stop}, packed with {_text(head.coding)}: {wrong}"
        return content, (Finding(Severity.ERROR, text, head.stop),)

    def _unit(self, buffer: bytearray) -> Unit:
        assert self._head is not None
        assert self._body is not None
        start = self._head.stop
        content, findings = self._content()
        if findings and not content:
            unit = self._passed(buffer, self._head.what(self._body.total), findings)
            unit.turn = self._turn()
            self._reset()
            return unit
        data = bytes(buffer[:start]) + content
        unit = Unit(self._body.at, data, start, self._protocol, "", findings)
        unit.lines = tuple(self._body.lines)
        unit.turn = self._turn()
        self._reset()
        return unit

    def _struct(self, buffer: bytearray) -> Unit:
        """A body that says it is Thrift, and begins no message."""
        assert self._head is not None
        assert self._body is not None
        head, body = self._head, self._body
        content, _ = self._content()
        protocol = _struct_of(content, self._limits)
        what = head.what(body.total)
        findings: tuple[Finding, ...] = ()
        if protocol is None:
            findings = (Finding(Severity.ERROR, f"{what}: the body begins no message", 0),)
        else:
            what = f"{what}: a struct in {protocol.name}, without a message"
        unit = self._passed(buffer, what, findings)
        unit.turn = head.turn(None, protocol)
        self._reset()
        return unit

    def _pass(self, buffer: bytearray, have: int) -> Unit | None:
        """A body that is none: windows without a word, and at its end what it was."""
        assert self._head is not None
        assert self._body is not None
        head, body = self._head, self._body
        body.advance(buffer, min(have, _WINDOW), body.total + _WINDOW)
        if body.state != _DONE:
            if have < _WINDOW or not body.at:
                return None
            unit = self._passed(buffer, "", ())
            body.at = body.begin = 0
            body.lines.clear()
            return unit
        findings: tuple[Finding, ...] = ()
        if head.is_thrift and body.total:
            why = "begins no message"
            if head.coding:
                why = f"is packed with {_text(head.coding)}"
                why += ", and begins no message" if head.can_unpack else ", which is not unpacked"
            text = f"{head.what(body.total)}: the body {why}"
            findings = (Finding(Severity.ERROR, text, 0),)
        unit = self._passed(buffer, head.what(body.total), findings)
        unit.turn = self._turn()
        self._reset()
        return unit

    def _turn(self) -> Turn | None:
        """What it is in the talk; with the begin of its body, if that is no message."""
        assert self._head is not None
        head, body = self._head, self._body
        begin, total = b"", 0
        if body is not None:
            begin, total = body.first or bytes(body.content[:_TELLING]), body.total
        if self._protocol is not None:
            begin = b""
        elif head.coding:
            begin = _begin_of(head.coding, begin) if head.can_unpack else b""
        return head.turn(head.response(total, begin))

    def _passed(self, buffer: bytearray, what: str, findings: tuple[Finding, ...]) -> Unit:
        """What there is of a body that is none; its head is the unit's data, before the first."""
        assert self._body is not None
        body = self._body
        unit = Unit(body.at, bytes(buffer[: body.begin]), body.begin, None, what, findings)
        unit.lines = tuple(body.lines)
        return unit

    def _rest(self, buffer: bytearray, have: int, what: str) -> Unit:
        """All that is left, where it is no message."""
        assert self._head is not None
        begin = self._head.stop if self._body is None else self._body.begin
        unit = Unit(have, bytes(buffer[:begin]), begin, None, what)
        unit.lines = () if self._body is None else tuple(self._body.lines)
        unit.turn = self._turn()
        return unit

    def known_until(self, buffer: bytearray, have: int) -> int:
        # Behind a chunk the offsets of the body are no longer those of the stream.
        body = self._body
        if body is None or body.ends != _LENGTH or not body.keeps or body.is_struct:
            return 0
        if self._head is not None and self._head.coding:
            return 0  # what was packed cannot be unpacked without the bytes that are lost
        return body.at + body.left

    def frame_stop(self, buffer: bytearray, have: int) -> int:
        body = self._body
        return body.at + body.left if body is not None and body.ends == _LENGTH else 0

    def rest(self, buffer: bytearray, have: int) -> Unit | None:
        head, body = self._head, self._body
        self.is_whole = body is not None and body.ends == _CLOSE
        if head is None:
            return None
        if body is None or not body.total:
            # A body that ends with the stream may be none at all.
            if have == head.stop and head.ends == _CLOSE:
                return self._rest(buffer, have, head.what(0))
            if have == head.stop and head.is_thrift:
                unit = self._rest(buffer, have, head.what(0))
                size = "" if head.length < 0 else f" of {head.length} bytes"
                text = f"{_text(head.start)}: nothing of its body{size} was sent"
                unit.findings = (Finding(Severity.ERROR, text, 0),)
                return unit
            return None
        if not body.keeps:
            return self._rest(buffer, have, head.what(body.total))
        packed = bytes(body.content)
        content = packed if not head.coding else b""
        if head.can_unpack:
            content, _ = _unpacked(head.coding, packed, self.allowance)
        protocol = self._protocol or self._protocol_at(content, 0, len(content))
        if protocol is None or not content:
            return self._rest(buffer, have, head.what(body.total))
        self.seen_thrift = True
        unit = Unit(have, bytes(buffer[: head.stop]) + content, head.stop, protocol)
        unit.lines = tuple(body.lines)
        self._protocol = protocol
        unit.turn = self._turn()
        return unit


# ── What tells it from others, and what its bytes say ────────────────────────────────


def begins(data: bytes | bytearray) -> bool | None:
    """Do these first bytes of a direction begin HTTP/1?  None: too few bytes yet.

    Whether it is Thrift too, its bodies tell: see ``seen_thrift``.
    """
    word = bytes(data[:8])
    starts = [one for one in STARTS if one.startswith(word) or word.startswith(one)]
    if not starts:
        return False
    end = data.find(b"\r\n", 0, MAX_START)
    if end < 0:
        return None if len(data) < MAX_START else False
    line = bytes(data[:end])
    return bool((_STATUS_LINE if line.startswith(_ANSWER) else _REQUEST_LINE).match(line))


_HEADER_WHY: Final = {
    b"content-type": "What the body claims to be; its own bytes decide.",
    b"content-length": "Bytes of the body.",
    b"content-encoding": "The body was packed; below it is unpacked.",
    b"transfer-encoding": "Sizes stood between parts of the body; they are left out below.",
}


def describe(data: bytes, stop: int) -> list[Part]:
    """What stands before the message: size, label, meaning and why of each part."""
    parts: list[Part] = []
    at = 0
    while at < stop:
        end = data.find(b"\r\n", at, stop)
        size = (stop if end < 0 else end + 2) - at
        line = data[at : at + size].rstrip(b"\r\n")
        meaning = line.decode("utf-8", "backslashreplace")
        if not at:
            is_answer = line.startswith(_ANSWER)
            parts.append((size, "status line" if is_answer else "request line", meaning, ""))
        elif line:
            why = _HEADER_WHY.get(line.partition(b":")[0].lower(), "")
            why = "" if line.lower().endswith(b"identity") else why
            parts.append((size, "HTTP header", meaning, why))
        else:
            parts.append((size, "end of head", "an empty line", "The body follows."))
        at += size
    return parts
