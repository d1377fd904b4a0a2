"""Heads and bodies of HTTP/1 (RFC 9112): what the start line and headers say, where a body ends.

    head    GET /calc HTTP/1.1 ⏎ name: value ⏎ … ⏎ ⏎       a bare LF counts as CRLF
    body    none; as long as Content-Length says; in chunks; or all that comes

Also how HTTP/1 is told from other protocols by its first bytes.
"""

from __future__ import annotations

import re
import zlib
from typing import Final

from ...errors import DecodeError, LimitExceeded
from ...model import Finding, Limits, Protocol, Response
from ..framing import Turn
from ..raw import RAW
from ..unpacking import NOT_UNPACKED, Allowance, grave, inflate
from .contents import NOT_NAMED, Content, Head

__all__ = [
    "ANSWER",
    "CLOSE",
    "DEFLATE",
    "DONE",
    "GZIP",
    "HEAD_END",
    "LENGTH",
    "MAX_HEAD",
    "MAX_START",
    "NO_BODY",
    "STARTS",
    "TELLING",
    "Body",
    "Start",
    "add_lines",
    "begin_of",
    "begins",
    "describe",
    "in_head",
    "is_packed",
    "no_start",
    "opened",
    "shown",
    "unpacked",
]

MAX_HEAD: Final = 65_536
MAX_START: Final = 8192  # the start line
MAX_LINE: Final = 4096  # a chunk's size with its extensions, or a line of a trailer

# How much may surround the chunks of a body: so much, plus so much for each byte in them.
MAX_AROUND: Final = 65_536
SHARE_AROUND: Final = 16

# How much of a body shows whether it is a message: room for the longest name too.
TELLING: Final = 2048

# How much of a body's text is shown.
_MOST_TEXT: Final = 160

# The ways to pack a body that are unpacked here (RFC 9110, 8.4.1).
GZIP: Final = (b"gzip", b"x-gzip")
DEFLATE: Final = b"deflate"

# The end of a head.  RFC 9112, 2.2: a bare LF counts as CRLF.
HEAD_END: Final = re.compile(rb"\n\r?\n")
_LINE_END: Final = re.compile(rb"\r?\n")
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
ANSWER: Final = b"HTTP/1."
STARTS: Final[tuple[bytes, ...]] = (*_METHODS, ANSWER)
# RFC 9110, 9.1: any word may be a method.  All that are in use are in capitals.
_METHOD: Final = re.compile(rb"[A-Z][A-Z-]{0,19}(?: |\Z)")
_REQUEST_LINE: Final = re.compile(rb"[A-Z][A-Z-]{0,19} [\x21-\x7e]+ HTTP/1\.[01]\Z")
_STATUS_LINE: Final = re.compile(rb"HTTP/1\.[01] [1-5][0-9][0-9](?: [^\r\n]*)?\Z")
_CHUNK_SIZE: Final = re.compile(rb"[0-9A-Fa-f]{1,16}\Z")
# How a body ends.
NO_BODY: Final = 0
LENGTH: Final = 1
_CHUNKED: Final = 2
CLOSE: Final = 3


class Start:
    """The start line and the headers, as far as they say what the body is."""

    __slots__ = (
        *("coding", "content_type", "data", "ends", "is_answer", "length", "start", "stop"),
        "upgrade",
    )

    def __init__(self, data: bytes) -> None:
        lines = _lines_of(data)
        self.data = data
        self.stop = len(data)
        self.is_answer = lines[0].startswith(ANSWER)
        self.start = lines[0]
        if not (_STATUS_LINE if self.is_answer else _REQUEST_LINE).match(lines[0]):
            raise no_start()
        self.content_type = b""
        self.coding = b""
        self.length = -1
        self.upgrade = b""
        chunked: bool | None = None
        at = data.find(b"\n") + 1
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
            elif name == b"upgrade":
                self.upgrade = value.lower()
            at = data.find(b"\n", at) + 1
        self.ends = self._ends(chunked)

    def _set_length(self, value: bytes, at: int) -> None:
        # RFC 9112, 6.3: a list of the same numbers is that number.
        for part in value.split(b","):
            part = part.strip()
            number = int(part) if part.isdigit() and len(part) < 20 else -1
            if number < 0 or self.length not in (-1, number):
                raise DecodeError(
                    "Content-Length", at, found=shown(value), wanted="one number of bytes"
                )
            self.length = number

    def _ends(self, chunked: bool | None) -> int:
        """Decide how the body ends (RFC 9112, 6.3, "Message Body Length")."""
        if self.is_answer and (self.status < 200 or self.status in (204, 304)):
            return NO_BODY
        if chunked:
            return _CHUNKED
        if chunked is None and self.length >= 0:
            return LENGTH if self.length else NO_BODY
        return CLOSE if self.is_answer or chunked is False else NO_BODY

    @property
    def status(self) -> int:
        """The status code of a response."""
        return int(self.start[9:12])

    @property
    def reason(self) -> str:
        """The reason phrase of a response, shortened and readable."""
        return shown(self.start[13:])

    @property
    def opens_http2(self) -> bool:
        """Does it say that HTTP/2 follows (RFC 7540, 3.2)?"""
        return self.is_answer and self.status == 101 and self.upgrade == b"h2c"

    @property
    def can_unpack(self) -> bool:
        """Whether its body is packed in a way that can be unpacked here."""
        return self.coding in GZIP or self.coding == DEFLATE

    def turn(self, response: Response | None = None, struct: Protocol | None = None) -> Turn | None:
        """Make its Turn; None for a 1xx, since the response is still to come."""
        if self.is_answer and self.status < 200:
            return None
        return Turn(not self.is_answer, response, struct)

    def response(self, size: int, begin: bytes) -> Response | None:
        """Make the Response, with a body of ``size`` bytes that begins so and is not a message."""
        if not self.is_answer:
            return None
        kind = shown(self.content_type) if size else ""
        return Response(self.status, self.reason, kind, size, _readable(begin))

    def head(self) -> Head:
        """Return the same as readers of bodies want it; the start line's parts as in HTTP/2."""
        head = Head(not self.is_answer, 1)
        if self.is_answer:
            head.lines[":status"] = str(self.status)
        else:
            method, target, _ = self.start.split(b" ")
            head.lines[":method"] = _whole(method)
            head.lines[":path"] = _whole(target)
        add_lines(head, _lines_of(self.data)[1:])
        return head

    def what(self, size: int) -> str:
        """Describe the message in a few words, with a body of ``size`` bytes."""
        if self.is_answer:
            words = [f"HTTP {self.status}"]
        else:
            method, target, _ = self.start.split(b" ")
            words = [f"HTTP {shown(method)} {shown(target)}"]
        if size:
            words += [shown(value) for value in (self.content_type, self.coding) if value]
        words.append(("1 byte" if size == 1 else f"{size} bytes") if size else "no body")
        return ", ".join(words)


def _lines_of(head: bytes) -> list[bytes]:
    """Return the lines of a head, without their ends and without the empty one."""
    return [line.removesuffix(b"\r") for line in head.split(b"\n")[:-2]]


def _whole(value: bytes) -> str:
    return value.decode("utf-8", "backslashreplace")


def add_lines(head: Head, lines: list[bytes]) -> None:
    """Add header lines to ``head``; lines without a colon are ignored."""
    for line in lines:
        name, colon, value = line.partition(b":")
        if colon:
            head.lines[_whole(name.strip().lower())] = _whole(value.strip())


def shown(value: bytes) -> str:
    """Return a value of a head as it may appear in a sentence: not too much of it."""
    text = value[:80].decode("utf-8", "backslashreplace")
    return text if len(value) <= 80 else text + "…"


def _readable(begin: bytes) -> str:
    """Return how a text begins, on one line; "" if it is not text."""
    text = begin[:_MOST_TEXT].decode("utf-8", "replace").rstrip("\ufffd")
    words = " ".join(text.split())
    return words if words.isprintable() and "\ufffd" not in words else ""


# ── What is packed ───────────────────────────────────────────────────────────────────


def _bits(coding: bytes, data: bytes) -> int:
    """Return zlib's number for that coding.  "deflate" is zlib's format; some write it bare."""
    if coding in GZIP:
        return 31
    is_zlib = len(data) > 1 and data[0] & 15 == 8 and not (data[0] << 8 | data[1]) % 31
    return 15 if is_zlib else -15


def begin_of(coding: bytes, data: bytes) -> bytes:
    """Return a little of what a packed body begins with, unpacked."""
    try:
        return zlib.decompressobj(_bits(coding, data)).decompress(data, TELLING)
    except zlib.error:
        return b""


def unpacked(coding: bytes, data: bytes, allowance: Allowance | None) -> tuple[bytes, str]:
    """Return the content of a packed body, and what is wrong with it, else "": see ``inflate``."""
    assert allowance is not None
    bits = _bits(coding, data)
    return inflate(data, allowance, len(data), bits, bits == 31)


# How often a body may be packed: once is usual, twice happens behind a proxy.
_MOST_CODINGS: Final = 4


def opened(packing: str, data: bytes, allowance: Allowance | None) -> tuple[bytes | None, str]:
    """Return the content of bytes packed with each of the codings, and what is wrong with it.

    The last one named was applied last (RFC 9110, 8.4).  None: nothing of the content is there.
    """
    if packing == NOT_NAMED:
        return None, "the flag says that it is packed, and no header names the encoding"
    codings = [one.strip() for one in packing.lower().encode().split(b",")]
    codings = [one for one in codings if one not in (b"", b"identity")]
    known = all(one in GZIP or one == DEFLATE for one in codings)
    if not known or len(codings) > _MOST_CODINGS or allowance is None:
        return None, f"content packed with {packing}, {NOT_UNPACKED}"
    earned = len(data)
    for at in range(len(codings) - 1, -1, -1):
        bits = _bits(codings[at], data)
        content, wrong = inflate(data, allowance, earned, bits, bits == 31)
        if wrong:
            some = content if content and not at else None
            return some, f"content packed with {packing}: {wrong}"
        data, earned = content, 0
    return data, ""


def in_head(
    content: Content,
    head: Head,
    protocol: Protocol,
    allowance: Allowance | None,
    findings: list[Finding],
) -> tuple[Protocol, bytes | None]:
    """Return the encoding of a call without a body, and its message, if that stands in its head.

    None: it does not, and the encoding is ``protocol``.  What is wrong with it is a finding.
    """
    found = content.in_head(head)
    if found is None:
        return protocol, None
    data: bytes | None = found.content
    wrong = found.wrong
    if found.packing and found.content and not wrong:
        data, wrong = opened(found.packing, found.content, allowance)
    if wrong:
        findings.append(Finding(grave(wrong), wrong, 0))
    if wrong or data is None:
        return (found.protocol, data) if data else (RAW, None)
    return found.protocol, data


def is_packed(head: bytes) -> bool:
    """Say whether a head says that its body is packed."""
    return bool(Start(head).coding)


def no_start() -> DecodeError:
    """Make the error for a line that begins neither a request nor a response."""
    return DecodeError(
        "HTTP start line", 0, found="neither a request nor a status", wanted="one of them"
    )


# ── The body ─────────────────────────────────────────────────────────────────────────

_SIZE: Final = 0  # of a chunk
_DATA: Final = 1
_DATA_END: Final = 2
_TRAILER: Final = 3
DONE: Final = 4


class Body:
    """A body, read as it comes.

    ``at`` is the next byte of the buffer to look at.  ``total`` counts the body's own bytes,
    ``before`` those that left the buffer; ``content`` has the others while ``keeps`` is true,
    otherwise ``first`` has a few of them.  ``is_message``: it may not be longer than a message.
    ``most``: beyond so many bytes it is not kept; -1: no limit.  ``lines`` are those around its
    chunks, with their places in the buffer, if it ``keeps_lines``; ``runs`` are the places of its
    content, between them.
    """

    __slots__ = (
        "at",
        "before",
        "begin",
        "content",
        "ends",
        "first",
        "is_message",
        "keeps",
        "keeps_lines",
        "left",
        "limits",
        "lines",
        "most",
        "runs",
        "state",
        "total",
        "trailer",
    )

    def __init__(self, head: Start, limits: Limits, keeps_lines: bool) -> None:
        self.keeps_lines = keeps_lines
        self.ends = head.ends
        self.begin = self.at = head.stop
        self.left = head.length if head.ends == LENGTH else 0  # of the chunk, or of the whole body
        self.state = {NO_BODY: DONE, _CHUNKED: _SIZE}.get(head.ends, _DATA)
        self.limits = limits
        self.keeps = True
        self.is_message = False
        self.most = -1
        self.before = 0
        self.runs: list[tuple[int, int]] = []
        self.first = b""
        self.content = bytearray()
        self.total = 0
        self.trailer = 0
        self.lines: list[tuple[int, bytes]] = []

    def advance(self, buffer: bytearray, have: int, most: int) -> None:
        """Read on in ``buffer[:have]``, until ``total`` is ``most``."""
        while self.state != DONE and self.total < most:
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
                    self.state = DONE
                if self.keeps_lines:
                    self.lines.append((self.at, line + b"\r\n"))
                self.at += len(line) + 2

    def _data(self, buffer: bytearray, have: int, most: int) -> bool:
        """Take content; False if there is none."""
        size = min(have - self.at, most - self.total)
        if self.ends != CLOSE:
            size = min(size, self.left)
        if size <= 0:
            return False
        if self.keeps:
            self.content += buffer[self.at : self.at + size]
            if self.is_message and len(self.content) > self.limits.message:
                raise self._too_long(f"over {self.limits.message}")
            if self.runs and self.runs[-1][1] == self.at:
                self.runs[-1] = (self.runs[-1][0], self.at + size)
            else:
                self.runs.append((self.at, self.at + size))
            if 0 <= self.most < len(self.content):
                self.pass_over()
        self.at += size
        self.total += size
        if self.ends != CLOSE:
            self.left -= size
            if not self.left:
                self.state = _DATA_END if self.ends == _CHUNKED else DONE
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
            found = repr(shown(line))
            raise DecodeError("chunk size", self.at, found=found, wanted="hexadecimal digits")
        self.left = int(number, 16)
        self.check()
        if self.keeps:
            self._check_around()
        self.state = _DATA if self.left else _TRAILER

    def _check_around(self) -> None:
        """Raise LimitExceeded if a kept body has more around its chunks than anybody writes.

        A chunk's line may be a thousand times as long as the chunk.
        """
        there = self.total - self.before
        around = self.at - self.begin - there
        most = MAX_AROUND + SHARE_AROUND * there
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
        """Record that this body is not a message: keep only its beginning."""
        self.keeps = False
        self.first = bytes(self.content[:TELLING])
        self.content.clear()

    def cut(self, stop: int, size: int) -> None:
        """Record that the buffer up to ``stop``, with ``size`` bytes of content, was taken."""
        self.at -= stop
        self.begin = 0
        self.before += size
        del self.content[:size]
        self.lines = [(at - stop, line) for at, line in self.lines if at >= stop]
        self.runs = [(max(a - stop, 0), b - stop) for a, b in self.runs if b > stop]

    def place(self, size: int) -> int:
        """Return where in the buffer the first ``size`` bytes of content end."""
        for start, stop in self.runs:
            if size <= stop - start:
                return start + size
            size -= stop - start
        return self.at


# ── What tells it from others, and what its bytes say ────────────────────────────────


def begins(data: bytes | bytearray) -> bool | None:
    """Say whether these first bytes of a direction begin HTTP/1; None: too few bytes yet.

    What it is used for, its bodies tell.
    """
    word = bytes(data[:20])
    if not (ANSWER.startswith(word[:7]) or word.startswith(ANSWER) or _METHOD.match(word)):
        return False
    end = data.find(b"\n", 0, MAX_START)
    if end < 0:
        return None if len(data) < MAX_START else False
    line = bytes(data[:end]).removesuffix(b"\r")
    return bool((_STATUS_LINE if line.startswith(ANSWER) else _REQUEST_LINE).match(line))


_HEADER_WHY: Final = {
    b"content-type": "What the body claims to be; its own bytes decide.",
    b"content-length": "Bytes of the body.",
    b"content-encoding": "The body was packed; below it is unpacked.",
    b"transfer-encoding": "Sizes stood between parts of the body; they are left out below.",
    b"http2-settings": "The client's SETTINGS in base64: it can go on in HTTP/2.",
    b"upgrade": "What may be spoken from here on.",
}


def describe(data: bytes, stop: int) -> list[tuple[int, str, str, str]]:
    """Return the parts of what precedes the message: size, label, meaning and why."""
    parts: list[tuple[int, str, str, str]] = []
    at = 0
    while at < stop:
        end = data.find(b"\n", at, stop)
        size = (stop if end < 0 else end + 1) - at
        line = data[at : at + size].rstrip(b"\r\n")
        meaning = line.decode("utf-8", "backslashreplace")
        if not at:
            is_answer = line.startswith(ANSWER)
            parts.append((size, "status line" if is_answer else "request line", meaning, ""))
        elif line:
            why = _HEADER_WHY.get(line.partition(b":")[0].lower(), "")
            why = "" if line.lower().endswith(b"identity") else why
            parts.append((size, "HTTP header", meaning, why))
        else:
            parts.append((size, "end of head", "an empty line", "The body follows."))
        at += size
    return parts
