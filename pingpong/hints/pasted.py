r"""Bytes in text that people paste: a packet dump, a literal of some language, plain hex.

    0x0000:  4500 0052 …  E..R        tcpdump -X, xxd, hexdump, od, Wireshark, tshark, scapy, gdb
    b'\x80\x01\x00\x01ping'           Python, C, Go, JavaScript; Wireshark's escaped string
    {0x80, 0x01}  [-128, 1, 0, 1]     C, xxd -i; Java, Python and Go print lists
    80 01 00 01 · 80010001 · 80:01    a hex stream, grouped or not
    [1,"ping",1,0,{}]                 Apache's JSON protocol, which is text already

Layouts are tried in that order, unmistakable ones first.  A layout says what the bytes are, or
leaves the text alone; none of them fills in what is missing.  A dump may hold several packets:
each time its offsets start again, a new Block begins.

Where a dump's hex ends and its ASCII column begins is told by the next row's offset, or by the
column itself, which has to say the same as the bytes.

Every search goes forward, and no pattern can go over the same characters twice: the time that it
takes grows only with the text, whatever is in it, and at most MAX_TEXT of it is looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from ..model import Endpoint, Packet, Segment
from ..wire.link import TCP, UDP, Peeler, endpoint
from .magic_numbers import Certainty, explain_bytes

__all__ = ["MAX_TEXT", "Block", "blocks_in", "bytes_in", "payload_of"]

# How many characters are looked at, and how many bytes a dump with omitted rows may stand for.
MAX_TEXT: Final = 1 << 20

# More bytes in a row than any dumper writes (xxd -c 256), and more characters.
_MAX_ROW: Final = 1_500


@dataclass(frozen=True, slots=True)
class Block:
    """Bytes that were found in a text.

    ``data`` is all of them.  If they are a packet, ``link`` is the link type that they begin
    with (see model.Packet), ``source`` and ``target`` are its ends, and ``payload`` is what TCP
    or UDP carries; otherwise ``link`` is None and ``payload`` is the same as ``data``.
    """

    data: bytes
    payload: bytes
    link: int | None = None
    source: Endpoint | None = None
    target: Endpoint | None = None

    @property
    def is_packet(self) -> bool:
        """Whether the bytes are a packet, so that ``payload`` is without its headers."""
        return self.link is not None


def blocks_in(text: str) -> tuple[Block, ...]:
    """The bytes in ``text``, taken out of packets; empty if there are none.  Raises nothing.

    A lone decimal number of up to 10 digits is a number, not hex: ``magic_numbers`` explains it.
    """
    return tuple(_block(data) for data in _found(text[:MAX_TEXT]) if data)


def bytes_in(text: str) -> bytes | None:
    r"""The first bytes in ``text``, with any packet headers; None if there are none.

    >>> bytes_in("80 01 00 01"), bytes_in(r"got b'\x80\x01\x00\x01'"), bytes_in("no bytes")
    (b'\x80\x01\x00\x01', b'\x80\x01\x00\x01', None)
    """
    for block in blocks_in(text):
        return block.data
    return None


def _found(text: str) -> list[bytes]:
    stripped = text.strip()
    if stripped.startswith('[1,"'):
        return [_encoded(stripped)]
    found = _dump(text)
    if found:
        return found
    data = _braced(text)
    if not data:
        found = _literals(text)
        if found:
            return found
        data = _decimals(text) or _hex(stripped) or _escaped_text(stripped)
    if not data:
        data = _node_buffer(text) or _run_of_pairs(text)
    return [data] if data else []


# ── Dumps: rows that begin with an offset ────────────────────────────────────────────

_OFFSET: Final = re.compile(r"([ \t]*)(0x)?([0-9A-Fa-f]{3,16})(:?)([ \t]*)")
_BYTES: Final = re.compile(r"[ \t]*(?:0x|\\x)?((?:[0-9A-Fa-f]{2}){1,64})(?![^ \t])")
# hexdump and all others; od -A d; od.  Where rows were omitted, the offsets of od -x could be
# hexdump's, and are read as such.
_BASES: Final = (16, 10, 8)


class _Row(NamedTuple):
    """A line of a dump.

    ``ends`` holds, for each group, how many bytes there are so far and where in ``rest`` the group
    stops.  Without groups, the line has only an offset.
    """

    indent: str
    offset: str
    marked: bool  # what follows the first number cannot be taken for more hex
    bases: tuple[int, ...]  # the bases in which the offset may be written
    swapped: bool  # 16-bit words in the byte order of a PC
    rest: str
    data: bytes
    ends: tuple[tuple[int, int], ...]


def _dump(text: str) -> list[bytes]:
    rows: list[_Row | str] = []
    for line in text.split("\n"):
        line = line.rstrip()
        if line.strip() == "*":
            rows.append("*")
        elif len(line) <= _MAX_ROW and (row := _row(line)) is not None:
            rows.append(row)
    if not any(isinstance(row, _Row) and row.ends for row in rows):
        return []
    best: list[bytes] = []
    most = 0
    for base in _BASES:
        found, agreed = _put_together(rows, base)
        if agreed > most:
            best, most = found, agreed
    return best


def _row(line: str) -> _Row | None:
    head = _OFFSET.match(line)
    if head is None:
        return None
    indent, prefix, offset, colon, gap = head.groups()
    rest = line[head.end() :]
    if rest and not gap and not colon:
        return None
    data = bytearray()
    ends: list[tuple[int, int]] = []
    at = 0
    sizes: set[int] = set()
    while (group := _BYTES.match(rest, at)) is not None:
        data += bytes.fromhex(group[1])
        sizes.add(len(group[1]))
        at = group.end()
        ends.append((len(data), at))
    if rest and not ends:
        return None
    # hexdump and od write 7 digits and no colon; every other dump has an even number of them.
    seven = len(offset) == 7 and not prefix and not colon
    if seven and not sizes <= {2, 4}:
        return None  # od writes words in octal, unless told otherwise
    bases: tuple[int, ...] = _BASES if seven else (16,)
    if sizes == {2}:
        bases = bases[1:] or bases  # hexdump writes words, od bytes too; hexdump -C has 8 digits
    marked = bool(prefix or colon) or seven or len(gap) > 1 or "\t" in gap
    swapped = seven and sizes == {4}
    return _Row(indent, offset, marked, bases, swapped, rest, bytes(data), tuple(ends))


def _put_together(rows: list[_Row | str], base: int) -> tuple[list[bytes], int]:
    """The blocks of a dump whose offsets are in that base, and how many signs speak for it.

    Rows with different indents are different blocks: that is how Wireshark writes the two
    directions of a stream.
    """
    collapsed = not any(isinstance(row, _Row) and "  " in row.rest for row in rows)
    blocks: list[bytearray] = []
    current: dict[str, tuple[bytearray, int]] = {}  # by indent: the block, its next offset
    agreed = total = 0
    for at, row in enumerate(rows):
        if not isinstance(row, _Row) or not row.ends or base not in row.bases:
            continue
        offset = _number(row.offset, base)
        if offset is None:
            continue
        block, wanted = current.get(row.indent, (bytearray(), -1))
        after, stars = _next_offset(rows, at, row.indent, base)
        size, sure = _row_size(row, after - offset if after is not None else 0, collapsed, stars)
        if offset != wanted:
            # A new block begins here; its rows start at a round offset, or it is not a dump.
            if not row.marked and not sure:
                continue
            if offset % 8 and not sure:
                continue
            block = bytearray()
            blocks.append(block)
        agreed += 1 + 2 * sure if row.marked or sure else 0
        data = row.data[:size]
        if row.swapped:
            data = _swapped(row.data)[:size]
        repeats = 1
        if stars and after is not None and data:
            # "*" stands for rows like this one.
            repeats = min(max((after - offset) // len(data), 1), MAX_TEXT // len(data) + 1)
        if total + len(data) * repeats > MAX_TEXT:
            break
        total += len(data) * repeats
        block += data * repeats
        current[row.indent] = (block, offset + len(data) * repeats)
    return [bytes(block) for block in blocks], agreed


def _next_offset(
    rows: list[_Row | str], at: int, indent: str, base: int
) -> tuple[int | None, bool]:
    """The offset of the row after ``rows[at]``, and whether rows between were omitted."""
    stars = False
    for row in rows[at + 1 : at + 3]:
        if not isinstance(row, _Row):
            stars = True
        elif row.indent == indent or not row.ends:
            return _number(row.offset, base), stars
        else:
            return None, stars
    return None, stars


def _number(digits: str, base: int) -> int | None:
    try:
        return int(digits, base)
    except ValueError:
        return None


def _row_size(row: _Row, step: int, collapsed: bool, stars: bool) -> tuple[int, bool]:
    """How many bytes of ``row`` are bytes, and whether something else in the dump says so."""
    whole = row.ends[-1][0]
    if not stars and 0 < step <= whole:
        if any(count == step for count, _ in row.ends):
            return step, True
        if row.swapped and step == whole - 1:
            return step, True  # hexdump fills up its last word
    found = 0
    column = row.data.translate(_SHOWN).decode("ascii")
    for count, end in row.ends:
        tail = row.rest[end:]
        gap = len(tail) - len(tail.lstrip())
        if (gap > 1 or collapsed) and _is_text_column(tail.strip(), column[:count]):
            found = count
    if found:
        return found, True
    if stars and step > 0 and step % whole == 0:
        return whole, True
    rest = row.rest[row.ends[-1][1] :]
    if rest.strip():
        # Something else follows: its first characters may look like hex.
        for count, end in row.ends:
            if row.rest[end : end + 2] == "  " and count == 16:
                return count, False
    return whole, False


# What dumps show for a byte: "." stands for anything that is not a character.
_SHOWN: Final = bytes(byte if 0x20 <= byte < 0x7F else 0x2E for byte in range(256))


def _is_text_column(text: str, column: str) -> bool:
    """Whether ``text`` is what a dump writes beside bytes that show as ``column``."""
    if not text or len(text) > len(column) + 8:
        return False
    halves = column[:8] + " " + column[8:]  # tshark's follow
    text = text.replace("·", ".")
    for bare in (text, text[1:-1] if text[0] in "|>" else text):
        if bare.strip() in (column.strip(), halves.strip()):
            return True
    return False


def _swapped(data: bytes) -> bytes:
    """16-bit words with their two bytes swapped."""
    turned = bytearray(data)
    turned[0::2], turned[1::2] = data[1::2], data[0::2]
    return bytes(turned)


# ── Literals and escapes ─────────────────────────────────────────────────────────────

_BYTES_LITERAL: Final = re.compile(r"(?<![0-9A-Za-z_\\])[bB](['\"])")
_ESCAPE: Final = re.compile(
    r"\\x(?P<hex>[0-9A-Fa-f]{2})|\\u(?P<unicode>[0-9A-Fa-f]{4})|\\(?P<octal>[0-7]{1,3})"
    r"|\\(?P<letter>.)|(?P<plain>[^\\'\"]+|['\"]|\\)",
    re.DOTALL,
)
# What makes text a run of escapes: ordinary prose has none of these.
_TELLING: Final = re.compile(r"\\x[0-9A-Fa-f]{2}|\\u00[0-9A-Fa-f]{2}|\\[0-3][0-7]{2}")
# A backslash at the end of a line joins it to the next one.
_LETTERS: Final = dict(zip("nrtabfv\\'\"", "\n\r\t\a\b\f\v\\'\"", strict=True)) | {"\n": ""}


def _literals(text: str) -> list[bytes]:
    """Every b'…' in the text.  One that is cut off reaches to the end of the text.

    Python also writes text like that where a program did not decode it: b'Error in …' inside an
    exception's words is not a paste.  A literal counts if it stands alone, if it holds bytes that
    are not text, or if it begins like something known.
    """
    found: list[bytes] = []
    others: list[str] = []
    at = 0
    while (head := _BYTES_LITERAL.search(text, at)) is not None:
        others.append(text[at : head.start()])
        data, at = _unescaped(text, head.end(), head[1])
        found.append(data)
    others.append(text[at:])
    if all(_LABEL.match(other) for other in others):
        return [data for data in found if data]
    return [data for data in found if data and _is_no_prose(data)]


# What may surround a literal that was pasted: a name, a call, brackets.
_LABEL: Final = re.compile(
    r"[\s(){}\[\],;>]*(?:\w{1,40} ?[=:] ?)?(?:bytearray|bytes|memoryview)?[\s(){}\[\],;]*\Z"
)
_PROSE: Final = re.compile(rb"[\x20-\x7e\n\r\t]*\Z")


def _is_no_prose(data: bytes) -> bool:
    """Whether some bytes are not text, or it begins like something known."""
    if not _PROSE.match(data):
        return True
    return len(data) >= 4 and _is_known(data)


def _escaped_text(text: str) -> bytes | None:
    r"""Text that is escapes and characters between: ``\x80\x01\x00\x01…ping``, quoted or not."""
    first = _TELLING.search(text)
    if first is None:
        return None
    if text[0] in "'\"":
        return _quoted(text)
    for mark in "'\"":
        if text.count(mark, 0, first.start()) % 2:
            return _unescaped(text, text.rfind(mark, 0, first.start()) + 1, mark)[0]
    # After what a log writes before a value.
    start = max(text.rfind(": ", 0, first.start()) + 2, text.rfind("=", 0, first.start()) + 1)
    return _unescaped(text, start if start > 1 else 0, "")[0]


def _quoted(text: str) -> bytes:
    """Quoted pieces, one after the other, as C and Wireshark break up long strings."""
    out = bytearray()
    at = 0
    while at < len(text):
        if text[at] in "'\"":
            data, at = _unescaped(text, at + 1, text[at])
            out += data
        else:
            at += 1
    return bytes(out)


def _unescaped(text: str, start: int, quote: str) -> tuple[bytes, int]:
    """The bytes from ``start`` to the quote that ends them, and the place after it."""
    out = bytearray()
    for piece in _ESCAPE.finditer(text, start):
        kind, found = piece.lastgroup, piece[0]
        if kind == "plain":
            if found == quote:
                return bytes(out), piece.end()
            out += _encoded(found)
        elif kind == "hex":
            out.append(int(found[2:], 16))
        elif kind == "octal":
            out.append(int(found[1:], 8) & 255)
        elif kind == "unicode":
            code = int(found[2:], 16)
            out += bytes((code,)) if code < 256 else _encoded(chr(code))
        else:
            out += _encoded(_LETTERS.get(found[1], found))
    return bytes(out), len(text)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


# ── Lists ────────────────────────────────────────────────────────────────────────────

_HEX_LIST: Final = re.compile(r"0[xX]([0-9A-Fa-f]{1,2})(?![0-9A-Za-z])")
_BETWEEN: Final = re.compile(r"[\s,;]*")
_SMALL: Final = re.compile(r"(?:0|-?[1-9][0-9]{0,2})\Z")

# A list of numbers in a log line may be anything; a list of at least this length is bytes.
_LONG_LIST: Final = 8


def _braced(text: str) -> bytes | None:
    """The contents of a C array: ``{ 0x80, 0x01 }``, with comments, as xxd -i writes it."""
    at = text.find("{")
    if at < 0 or "0x" not in text[at:]:
        return None
    text = _without_comments(text)
    at = text.find("{")
    while at >= 0:
        stop = text.find("}", at)
        stop = len(text) if stop < 0 else stop
        data = _hex_list(text[text.rfind("{", at, stop) + 1 : stop])
        if data:
            return data
        at = text.find("{", stop)
    return None


def _without_comments(text: str) -> str:
    out: list[str] = []
    at = 0
    while (start := text.find("/*", at)) >= 0:
        out.append(text[at:start])
        stop = text.find("*/", start + 2)
        at = len(text) if stop < 0 else stop + 2
    out.append(text[at:])
    return " ".join(out)


def _hex_list(text: str) -> bytes | None:
    """``0x80, 0x01``: bytes that all have a prefix, and nothing else."""
    out = bytearray()
    at = _past(text, 0)
    while (byte := _HEX_LIST.match(text, at)) is not None:
        out.append(int(byte[1], 16))
        at = _past(text, byte.end())
    return bytes(out) if at == len(text) else None


def _past(text: str, at: int) -> int:
    """The place after any separators at ``at``."""
    between = _BETWEEN.match(text, at)
    return at if between is None else between.end()


def _decimals(text: str) -> bytes | None:
    """A list of numbers from -128 to 255 in brackets, as Java, Python and Go print bytes."""
    stripped = text.strip()
    at = text.find("[")
    while at >= 0:
        stop = text.find("]", at)
        if stop < 0:
            return None
        at = text.rfind("[", at, stop)
        data = _small_numbers(text[at + 1 : stop])
        enough = 2 if stripped == text[at : stop + 1] else _LONG_LIST
        if data is not None and len(data) >= enough:
            return data
        at = text.find("[", stop)
    return None


def _small_numbers(text: str) -> bytes | None:
    out = bytearray()
    for word in text.replace(",", " ").split():
        if not _SMALL.match(word) or not -128 <= int(word) <= 255:
            return None
        out.append(int(word) & 255)
    return bytes(out)


_NODE_BUFFER: Final = re.compile(r"<Buffer((?: [0-9a-f]{2})+)")


def _node_buffer(text: str) -> bytes | None:
    """``<Buffer 80 01 00 01 ... 14 more bytes>``: the bytes that it shows."""
    found = _NODE_BUFFER.search(text)
    return bytes.fromhex(found[1]) if found else None


# ── Plain hex ────────────────────────────────────────────────────────────────────────

_HEX: Final = re.compile(r"[0-9A-Fa-f]+\Z")
_PAIR_MARKS: Final = re.compile(r"[:-]")
_RUN: Final = re.compile(r"(?<![^\s\"'(\[=:])(?:[0-9A-Fa-f]{2} ){5,}[0-9A-Fa-f]{2}(?![0-9A-Za-z])")

# How many digits a number may have: 2³² - 1 has 10, 2⁶⁴ - 1 has 20.
_NUMBER_DIGITS: Final = 10
_LONG_NUMBER_DIGITS: Final = 20

_CLOSING: Final = {"[": "]", "(": ")", "<": ">", "{": "}", '"': '"', "'": "'"}


def _hex(text: str) -> bytes | None:
    """Text that is hex and nothing else."""
    text = text.removesuffix("…").rstrip(".").strip()
    if len(text) > 1 and _CLOSING.get(text[0]) == text[-1]:
        text = text[1:-1].strip()
    prefixed = _hex_list(text)
    if prefixed is not None:
        return prefixed if len(prefixed) > 1 else None
    words = text.replace(",", " ").split()
    if len(words) == 1:
        return _stream(words[0])
    return _groups(words, text) if words else None


def _stream(word: str) -> bytes | None:
    """One word: a hex stream, or pairs with marks between them."""
    pairs = _PAIR_MARKS.split(word)
    if len(pairs) >= (4 if pairs[0].isdecimal() else 2) and all(
        len(pair) == 2 and _HEX.match(pair) for pair in pairs
    ):
        return bytes.fromhex("".join(pairs))
    long = word[:2] in ("0x", "0X") and len(word) > 18  # otherwise it is a number
    if long or word[:2] in ("x'", "X'") or (word[:2] == "\\x" and len(word) > 8):
        word = word[2:].removesuffix("'")  # SQL has all three
    elif word.isdecimal() and (len(word) <= _NUMBER_DIGITS or _is_long_number(word)):
        return None
    return bytes.fromhex(word) if _HEX.match(word) and len(word) % 2 == 0 else None


def _is_long_number(word: str) -> bool:
    """Whether digits that may be hex are a number of 8 bytes: if only as such they are known."""
    if len(word) > _LONG_NUMBER_DIGITS or word.startswith("0") or int(word) >= 2**64:
        return False
    return _is_known(int(word).to_bytes(8, "big")) and not (
        len(word) % 2 == 0 and _is_known(bytes.fromhex(word))
    )


def _is_known(data: bytes) -> bool:
    """Whether it begins like something known."""
    readings = explain_bytes(data).readings
    return bool(readings) and readings[0].certainty > Certainty.POSSIBLE


def _groups(words: list[str], text: str) -> bytes | None:
    """Several words of hex.  Words of digits only may be numbers: see ``_may_be_numbers``."""
    if not all(_HEX.match(word) for word in words):
        return None
    if any(len(word) % 2 for word in words):
        # A stream that was wrapped at an odd column: all lines but the last have one length.
        size = len(words[0])
        wrapped = len(words) == len(text.split("\n")) and size >= 16
        same = all(len(word) == size for word in words[:-1]) and len(words[-1]) <= size
        digits = "".join(words)
        return bytes.fromhex(digits) if wrapped and same and len(digits) % 2 == 0 else None
    return None if _may_be_numbers(words) else bytes.fromhex("".join(words))


def _may_be_numbers(words: list[str]) -> bool:
    if any(not word.isdecimal() or word.startswith("0") for word in words):
        return False
    size = len(words[0])
    same = all(len(word) == size for word in words[:-1]) and len(words[-1]) <= size
    usual = size in (4, 8, 16) or size > _LONG_NUMBER_DIGITS or (size == 2 and len(words) >= 4)
    return not (same and usual)


def _run_of_pairs(text: str) -> bytes | None:
    """``… begins with 80 01 00 01 00 00: …``: six pairs or more in a line of a log."""
    for run in _RUN.finditer(text):
        if not run[0].replace(" ", "").isdecimal() or "00" in run[0].split(" "):
            return bytes.fromhex(run[0])
    return None


# ── Packets ──────────────────────────────────────────────────────────────────────────

# tcpdump.org/linktypes.html, and where in each header the type of what follows is: raw IP has no
# header, and BSD loopback has an address family instead.
_RAW: Final = 101
_LOOPBACK: Final = 0
_TYPED: Final = ((1, 12, 14), (113, 14, 16), (276, 0, 20))

# AF_INET, and what the BSDs, macOS and Windows say for AF_INET6, in either byte order.
_FAMILIES: Final = (2, 10, 23, 24, 28, 30)

_IP_TYPES: Final = (b"\x08\x00", b"\x86\xdd")
_VLANS: Final = (b"\x81\x00", b"\x88\xa8", b"\x91\x00")

# Ethernet pads a packet to 60 bytes, and some captures add its checksum of 4.
_MAX_PADDING: Final = 50


def payload_of(data: bytes) -> bytes:
    """What TCP or UDP carries, if ``data`` is a packet; otherwise ``data`` itself.

    It takes off Ethernet, Linux cooked, BSD loopback or nothing, then IPv4 or IPv6.  A packet
    without payload (a SYN, an ACK) gives b"".
    """
    return _block(data).payload


def _block(data: bytes) -> Block:
    for link, at in _ip_places(data):
        if not _is_ip(data, at, link):
            continue
        segment = _segment(data, link)
        if segment is not None:
            return Block(
                data, segment.payload, link, endpoint(segment.source), endpoint(segment.target)
            )
    return Block(data, data)


def _segment(data: bytes, link: int) -> Segment | None:
    return Peeler().segment(Packet(1, 0, link, data, len(data)))


def _ip_places(data: bytes) -> Iterator[tuple[int, int]]:
    """Link types that ``data`` may begin with, and where IP would begin in each case."""
    yield _RAW, 0
    for link, at, inside in _TYPED:
        kind = data[at : at + 2]
        while kind in _VLANS:
            kind = data[inside + 2 : inside + 4]
            inside += 4
        if kind in _IP_TYPES:
            yield link, inside
    family = data[:4]
    if int.from_bytes(family, "big") in _FAMILIES or int.from_bytes(family, "little") in _FAMILIES:
        yield _LOOPBACK, 4


def _is_ip(data: bytes, at: int, link: int) -> bool:
    """Whether an IP packet begins there.

    Its length has to agree or, if it was cut off, its checksum.
    """
    there = len(data) - at
    if there < 28:
        return False
    version = data[at] >> 4
    if version == 4:
        head = (data[at] & 15) * 4
        total = int.from_bytes(data[at + 2 : at + 4], "big")
        if not 20 <= head <= there or data[at + 9] not in (TCP, UDP):
            return False
        return _agrees(there - total, link) or _sum(data[at : at + head]) == 0xFFFF
    if version == 6 and there >= 40:
        total = 40 + int.from_bytes(data[at + 4 : at + 6], "big")
        return _agrees(there - total, link)
    return False


def _agrees(left: int, link: int) -> bool:
    return left == 0 or (link != _RAW and 0 < left <= _MAX_PADDING)


def _sum(data: bytes) -> int:
    """The one's complement sum of 16-bit words (RFC 1071): 0xFFFF over a correct header."""
    total = sum(data[0::2]) * 256 + sum(data[1::2])
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total
