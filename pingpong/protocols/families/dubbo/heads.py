"""The head of a Dubbo frame, and the names before a call's arguments.

┌───────┬────────┬────────┬─────────────────┬─────────────┐
│ DA BB │ flags  │ status │ request id, u64 │ length, u32 │      ExchangeCodec
└───────┴────────┴────────┴─────────────────┴─────────────┘

flags   80 request   40 two-way: a reply is wanted   20 event   1F serialization
"""

from __future__ import annotations

import json
import re
from typing import Final

from ....errors import DecodeError, Incomplete
from ....model import Span
from ...encodings.hessian2 import read_int, read_string
from ...framings.java_blocks import STREAM, Blocks

__all__ = [
    "ERRORS",
    "EVENT",
    "FIXED",
    "HESSIAN",
    "JAVA",
    "JSON",
    "MAGIC",
    "NAMES",
    "OK",
    "READ",
    "REQUEST",
    "SERIALIZATIONS",
    "STATUSES",
    "TIMEOUT",
    "TWO_WAY",
    "DubboHead",
    "Names",
    "begins",
    "count_of",
    "read_names",
    "read_result",
    "split",
    "written",
]

FIXED: Final = 16
MAGIC: Final = b"\xda\xbb"

REQUEST: Final = 0x80
TWO_WAY: Final = 0x40
EVENT: Final = 0x20

HESSIAN: Final = 2
# Java object streams: 3 and 4 write a length before each string, 7 does not.
JAVA: Final = (3, 4, 7)
_NATIVE: Final = 7
# Values in JSON, each in a line: fastjson, gson, jackson, protobuf-json.
JSON: Final = (6, 16, 18, 21)

SERIALIZATIONS: Final = {
    2: "hessian2",
    3: "java",
    4: "compactedjava",
    6: "fastjson",
    7: "nativejava",
    8: "kryo",
    9: "fst",
    10: "nativehessian",
    11: "avro",
    12: "protostuff",
    16: "gson",
    18: "jackson",
    21: "protobuf-json",
    22: "protobuf",
    23: "fastjson2",
    25: "kryo2",
    27: "msgpack",
    28: "fury",
    31: "custom msgpack",
}

# Those whose values are read here.
READ: Final = frozenset((HESSIAN, *JAVA, *JSON))

OK: Final = 20
STATUSES: Final = {
    20: "OK",
    25: "SERIALIZATION_ERROR",
    30: "CLIENT_TIMEOUT",
    31: "SERVER_TIMEOUT",
    35: "CHANNEL_INACTIVE",
    40: "BAD_REQUEST",
    50: "BAD_RESPONSE",
    60: "SERVICE_NOT_FOUND",
    70: "SERVICE_ERROR",
    80: "SERVER_ERROR",
    90: "CLIENT_ERROR",
    100: "SERVER_THREADPOOL_EXHAUSTED",
}

# The first value of a reply: what follows it.
ERRORS: Final = (0, 3)
_RESULTS: Final = 6

# What comes before the arguments, in order.
NAMES: Final = ("Dubbo version", "path", "service version", "method", "parameter types")

# The attachment that says how long the caller waits, in milliseconds.
TIMEOUT: Final = "timeout"

_MOST_LENGTH: Final = 64 << 20
_MOST_EVENT: Final = 4096
# How much of a body is looked at to tell a frame from other bytes.
_LOOK: Final = 8
_KINDS_OF_RESULT: Final = tuple(bytes((0x90 + kind,)) for kind in range(_RESULTS))
_WORDS: Final = re.compile(rb"[\t\n\r\x20-\x7e\x80-\xff]*\Z")
_VERSION: Final = re.compile(rb"[0-9A-Za-z][0-9A-Za-z._-]*\Z")
# A line of JSON with a string or a null, and what such a line may begin with.
_LINE: Final = re.compile(
    rb'[ \t\r]*(?:(?P<text>"(?:[^"\\\n]|\\[^\n])*")|(?P<null>null))[ \t\r]*\n'
)
_MAY_BE_LINE: Final = re.compile(rb'[ \t\r]*(?:\Z|"|n)')
_TYPE: Final = re.compile(r"\[*(?:[BCDFIJSVZ]|L[^;\[]+;)")


def split(method: str) -> tuple[str, str]:
    """Split into the interface and the method.

    >>> split("com.shop.Orders.get")
    ('com.shop.Orders', 'get')
    """
    path, dot, name = method.rpartition(".")
    return (path, name) if dot else ("", method)


def count_of(types: str) -> int:
    """Count the parameters in a JVM descriptor; -1 if it is malformed.

    >>> count_of("Ljava/lang/String;I[[JZ"), count_of(""), count_of("Lx")
    (4, 0, -1)
    """
    at = count = 0
    while at < len(types):
        found = _TYPE.match(types, at)
        if found is None:
            return -1
        at = found.end()
        count += 1
    return count


def written(serialization: int) -> str:
    """Return a serialization's name and number, for a sentence.

    >>> written(8), written(29)
    ('kryo (8)', 'a serialization of no known name (29)')
    """
    name = SERIALIZATIONS.get(serialization, "a serialization of no known name")
    return f"{name} ({serialization})"


class DubboHead:
    """The first 16 bytes of ``data``.  Raises Incomplete, and DecodeError for another magic."""

    __slots__ = ("flags", "seqid", "serialization", "status", "stop")

    def __init__(self, data: bytes) -> None:
        if len(data) < FIXED:
            raise Incomplete("Dubbo head", 0, needs=FIXED, left=len(data))
        if data[:2] != MAGIC:
            found = data[:2].hex(" ")
            raise DecodeError("magic", 0, found=found, wanted="da bb", size=2)
        self.flags: int = data[2]
        self.serialization = data[2] & 0x1F
        self.status: int = data[3]
        self.seqid = int.from_bytes(data[4:12], "big")
        self.stop = FIXED + int.from_bytes(data[12:16], "big")

    @property
    def is_request(self) -> bool:
        """Whether it is a request, be it a call or an event."""
        return self.flags & REQUEST != 0

    @property
    def is_event(self) -> bool:
        """Whether it belongs to the connection: a heartbeat, or a request to stop calling."""
        return self.flags & EVENT != 0

    @property
    def is_error(self) -> bool:
        """Whether it is a reply in which Dubbo itself reports an error."""
        return not self.flags & REQUEST and self.status != OK


class Names:
    """What comes before a call's arguments.

    ``texts`` are in the order of NAMES ("" for a null), ``spans`` their places, ``insides`` those
    of the texts alone, without lengths or quotation marks; ``start`` is where the arguments begin.
    """

    __slots__ = ("insides", "spans", "start", "texts")

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.spans: list[Span] = []
        self.insides: list[Span] = []
        self.start = FIXED

    def add(self, text: str, at: int, end: int) -> None:
        """Take a text that lies, with its length before it, from ``at`` to ``end``."""
        self.texts.append(text)
        self.spans.append(Span(at, end))
        # A text in several pieces is longer than it says.
        size = len(text.encode("utf-8", "surrogatepass"))
        self.insides.append(Span(max(at, end - size), end))

    def add_line(self, text: str, at: int, quote: int, end: int, stop: int) -> None:
        """Take a line of JSON from ``at`` to ``stop``; its string is from ``quote`` to ``end``."""
        self.texts.append(text)
        self.spans.append(Span(at, stop))
        self.insides.append(Span(min(quote + 1, end), max(quote + 1, end - 1)))

    @property
    def method(self) -> str:
        """The interface and the method, joined with a dot."""
        path, name = self.texts[1], self.texts[3]
        return f"{path}.{name}" if path else name

    @property
    def count(self) -> int:
        """How many arguments follow; -1 if that is not said."""
        return count_of(self.texts[4])


def read_names(data: bytes, serialization: int, stop: int) -> Names | None:
    """Read the names before the arguments of a call; None if they cannot be read here.

    Raises DecodeError, and Incomplete if they are cut off.
    """
    names = Names()
    if serialization == HESSIAN:
        at = FIXED
        for what in NAMES:
            text, end = read_string(data, at, stop, what)
            names.add(text or "", at, end)
            at = end
    elif serialization in JAVA:
        blocks = Blocks(data, FIXED, stop)
        blocks.head()
        at = blocks.at
        for what in NAMES:
            # -1 means null, and no string follows.
            is_null = serialization != _NATIVE and blocks.number(4, what) == 0xFFFFFFFF
            names.add("" if is_null else blocks.text(what), at, blocks.at)
            at = blocks.at
    elif serialization in JSON:
        at = FIXED
        for what in NAMES:
            at = _read_line(data, at, stop, what, names)
    else:
        return None
    names.start = at
    return names


def _read_line(data: bytes, at: int, stop: int, what: str, names: Names) -> int:
    """Read a line with a text in JSON, or null, into ``names``; return where the next one begins.

    Raises DecodeError, and Incomplete if it is cut off.
    """
    found = _LINE.match(data, at, stop)
    if found is None:
        there = data[at : min(stop, at + 8)]
        if _MAY_BE_LINE.match(there) is not None and not data.count(b"\n", at, stop):
            raise Incomplete(what, at, needs=stop - at + 1, left=stop - at)
        shown = there.decode("ascii", "backslashreplace")
        wanted = "a text in JSON, in a line of its own"
        raise DecodeError(what, at, found=shown, wanted=wanted, size=len(there))
    text = ""
    if found["text"]:
        try:
            text = str(json.loads(found["text"], strict=False))
        except ValueError:  # no UTF-8, or an escape that stands for nothing
            text = found["text"][1:-1].decode("utf-8", "backslashreplace")
    quote, end = found.span("text") if found["text"] else (found.start("null"), found.end("null"))
    names.add_line(text, at, quote, end, found.end())
    return found.end()


def read_result(data: bytes, serialization: int, stop: int) -> tuple[int, int]:
    """Return how the body of a good reply begins, 0 to 5, and where the rest begins.

    -1 if it cannot be read here.

    Raises DecodeError, and Incomplete if it is cut off.
    """
    result, end = -1, FIXED
    if serialization == HESSIAN:
        result, end = read_int(data, FIXED, stop, "kind of result")
    elif serialization in JAVA:
        blocks = Blocks(data, FIXED, stop)
        blocks.head()
        result, end = blocks.number(1, "kind of result"), blocks.at
    elif serialization in JSON:
        line = data.find(b"\n", FIXED, stop) + 1
        if not line:
            raise Incomplete("kind of result", FIXED, needs=stop - FIXED + 1, left=stop - FIXED)
        word = data[FIXED:line].strip()
        if not word.isdigit() or len(word) > 1:
            found = word[:8].decode("ascii", "backslashreplace")
            raise DecodeError(
                "kind of result", FIXED, found=found, wanted="0 to 5", size=line - FIXED
            )
        result, end = int(word), line
    else:
        return -1, FIXED
    if not 0 <= result < _RESULTS:
        found = str(result)
        raise DecodeError("kind of result", FIXED, found=found, wanted="0 to 5", size=end - FIXED)
    return result, end


def begins(data: bytes | bytearray) -> bool | None:
    """Say whether these first bytes of a direction begin a Dubbo frame; None: too few yet."""
    head = bytes(data[:FIXED])
    if not MAGIC.startswith(head[:2]):
        return False
    flags = head[2] if len(head) > 2 else REQUEST | HESSIAN
    if flags & 0x1F not in SERIALIZATIONS:
        return False
    is_request = flags & REQUEST != 0
    if not is_request and flags & TWO_WAY:
        return False
    if len(head) > 3 and head[3] and is_request:
        return False
    if len(head) < FIXED:
        return None
    length = int.from_bytes(head[12:16], "big")
    if not length or length > (_MOST_EVENT if flags & EVENT else _MOST_LENGTH):
        return False
    look = min(length, _LOOK)
    body = bytes(data[FIXED : FIXED + look])
    if not _may_be_body(body, flags, head[3]):
        return False
    return True if len(body) == look else None


def _may_be_body(body: bytes, flags: int, status: int) -> bool:
    """Say whether the body of such a frame can begin like this."""
    kind = flags & 0x1F
    if not flags & REQUEST and status not in STATUSES:
        # Nobody defines it, so that the body has to speak for the frame: a text, which says why,
        # or a result.
        is_text = not body or body[:1] in _KINDS_OF_RESULT or _begins_text(body)
        return not flags & EVENT and kind == HESSIAN and is_text
    if not body or flags & EVENT:
        return True
    if kind in JAVA:
        return body.startswith(STREAM) or STREAM.startswith(body)
    if kind != HESSIAN:
        return True
    first = body[0]
    is_string = first == 0x4E or _begins_string(first)
    if not flags & REQUEST:
        return 0x90 <= first < 0x90 + _RESULTS if status == OK else is_string
    text = body[1 : 1 + first] if first < 0x20 else b""
    return is_string and (not text or _VERSION.match(text) is not None)


def _begins_string(first: int) -> bool:
    return first < 0x20 or 0x30 <= first < 0x34 or first in (0x52, 0x53)


def _begins_text(body: bytes) -> bool:
    """Say whether it is the beginning of a string of hessian2 with text in it."""
    first = body[0]
    size = 1 if first < 0x20 else 2 if first < 0x34 else 3
    return _begins_string(first) and _WORDS.match(body, size) is not None
