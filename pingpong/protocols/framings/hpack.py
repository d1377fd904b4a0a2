"""HPACK, the headers of HTTP/2 (RFC 7541): a reader that knows where everything is.

    first byte   form                   then
    1xxxxxxx     indexed                index of name and value
    01xxxxxx     literal, added         index of the name, or 0 and a string; the value, a string
    001xxxxx     table size update      the table's new limit; only where a block begins
    0001xxxx     literal, never indexed as for "added"
    0000xxxx     literal, not added     as for "added"

    integer      the x bits; all ones: 7 bits more with each byte, the lowest first, while its top
                 bit is set
    string       Hxxxxxxx, an integer: the length in bytes; then the bytes, in Huffman's code if H

Indices 1 to 61 are the static table's.  From 62 on they are the dynamic table's, the newest entry
first: there is one table per direction, and it lives as long as the connection.

Since indices count from the newest entry, in a capture that begins in mid-stream, or that lost
bytes, each entry added since is known, and no older one.  What is not known is None, with words
that say why; it is never guessed.  For the same reason eviction can only be too late, never wrong:
an encoder does not name an entry that is gone.  So if sizes or the limit are not known, entries are
kept for as long as they may be there.

Work and memory grow with the bytes of a block and no faster: an integer has at most 6 bytes, a
string no more than there are, the table no more than MAX_TABLE, and what the lines of a block stand
for no more than ``most``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from ...errors import DecodeError, Incomplete, LimitExceeded
from ...model import LETTER, Facts, Note, Span
from ..purposes import counted
from .contents import Head

if TYPE_CHECKING:
    from mypy_extensions import i64

__all__ = [
    "ADDED",
    "DEFAULT_TABLE",
    "FORMS",
    "INDEXED",
    "MAX_TABLE",
    "MOST",
    "NEVER_INDEXED",
    "NOT_ADDED",
    "SIZE_UPDATE",
    "STATIC",
    "UNREAD",
    "DynamicTable",
    "FieldLine",
    "HeaderBlock",
    "String",
    "TableEntry",
    "mask_string",
    "notes_of_block",
    "read_block",
    "unpack_huffman",
]

# RFC 9113, 6.5.2: SETTINGS_HEADER_TABLE_SIZE, unless an end says otherwise.
DEFAULT_TABLE: Final = 4096

# An encoder may be allowed 4 GiB.  Browsers and servers ask for 64 KiB at most; of a larger table
# only the newest entries are kept, and the others are unknown.
MAX_TABLE: Final = 262_144

# How much the lines of one block may stand for, counted like SETTINGS_MAX_HEADER_LIST_SIZE: names,
# values, and 32 bytes for each line.  One byte of a block can stand for a whole table.
MOST: Final = 1_048_576

# 4.1: the size of an entry besides its name and its value.
_OVERHEAD: Final = 32

# How many blocks a table remembers, and how long they may be.
_MOST_KNOWN: Final = 64
_LONG: Final = 1024

# 5.1 sets no limit.  32 bits need 5 bytes after the first; nothing in HTTP/2 is larger.
_MAX_SHIFT: Final = 28

# ── Forms of a line ──────────────────────────────────────────────────────────────────

INDEXED: Final = 0
ADDED: Final = 1
NOT_ADDED: Final = 2
NEVER_INDEXED: Final = 3
SIZE_UPDATE: Final = 4
UNREAD: Final = 5  # not HPACK's: the rest of a block that was not read

FORMS: Final = (
    *("indexed", "literal, added", "literal, not added", "literal, never indexed"),
    *("table size update", "not read"),
)

# ── Appendix A: the static table ─────────────────────────────────────────────────────

# In order, name|value; "_" is a space.
_STATIC_TABLE: Final = """
:authority :method|GET :method|POST :path|/ :path|/index.html :scheme|http :scheme|https
:status|200 :status|204 :status|206 :status|304 :status|400 :status|404 :status|500
accept-charset accept-encoding|gzip,_deflate accept-language accept-ranges accept
access-control-allow-origin age allow authorization cache-control content-disposition
content-encoding content-language content-length content-location content-range content-type
cookie date etag expect expires from host if-match if-modified-since if-none-match if-range
if-unmodified-since last-modified link location max-forwards proxy-authenticate
proxy-authorization range referer refresh retry-after server set-cookie
strict-transport-security transfer-encoding user-agent vary via www-authenticate
"""


class TableEntry:
    """An entry of a table.

    ``added`` is the caller's number for the block that added it, None in the static table.
    ``name`` and ``value`` are None if they are not known; ``unknown`` says why.
    """

    __slots__ = ("added", "name", "size", "unknown", "value")

    def __init__(
        self, name: bytes | None, value: bytes | None, added: int | None, unknown: str = ""
    ) -> None:
        self.name = name
        self.value = value
        self.added = added
        self.unknown = unknown
        size = _OVERHEAD
        if name is not None:
            size += len(name)
        if value is not None:
            size += len(value)
        self.size = size  # a minimum: a name may be unknown


def _static() -> list[TableEntry]:
    entries = []
    for row in _STATIC_TABLE.split():
        name, _, value = row.partition("|")
        entries.append(TableEntry(name.encode(), value.replace("_", " ").encode(), None))
    return entries


# STATIC[0] is index 1.
STATIC: Final[list[TableEntry]] = _static()
_STATIC_SIZE: Final = 61

# In place of an entry that is gone.
_GONE: Final = TableEntry(None, None, None)

# ── The dynamic table ────────────────────────────────────────────────────────────────

_BEFORE: Final = "added before the capture"
_LOST: Final = "added before bytes that are lost"
_FAULT: Final = "added before a block that could not be read"
_OLD: Final = "no longer kept: the table is too large"


class DynamicTable:
    """The dynamic table of one direction (2.3.2, 4).

    ``is_whole``: every entry is known, so that an index beyond the last is an error.  Otherwise it
    names an older entry, and ``older`` says why those are not known.  ``limit``: how large the
    encoder lets it become, in bytes; -1 if that is not known.  ``allowed``: what the decoder's end
    allows, -1 if that is not known.  ``known`` has blocks that it read and that left it as it
    was, by their bytes, until something changes it: until then they mean the same.
    """

    __slots__ = (
        *("_entries", "_first", "_size", "allowed", "is_whole", "known", "limit", "older"),
    )

    def __init__(self, is_whole: bool = True) -> None:
        """Start empty; ``is_whole=False``: the capture began in mid-stream."""
        # The oldest first; those before _first are gone.
        self._entries: list[TableEntry] = []
        self._first = 0
        self._size = 0
        self.known: dict[bytes, HeaderBlock] = {}
        self.is_whole = is_whole
        self.older = "" if is_whole else _BEFORE
        self.limit = DEFAULT_TABLE if is_whole else -1
        self.allowed = DEFAULT_TABLE if is_whole else -1

    @property
    def count(self) -> int:
        """How many entries are known."""
        return len(self._entries) - self._first

    @property
    def size(self) -> int:
        """How many bytes the known entries count for."""
        return self._size

    def allow(self, size: int) -> None:
        """Set the maximum that the encoder may choose from here on.

        The decoder's end set SETTINGS_HEADER_TABLE_SIZE, and the encoder's end has acknowledged it.
        That changes no limit: a size update of the encoder does (4.2), and stays below this.
        """
        self.allowed = size
        self._change()

    def lose(self, why: str = _LOST) -> None:
        """Forget all entries, since bytes of this direction are missing.

        Nobody knows what they added, nor whether they changed the limit.
        """
        self._clear()
        self._change()
        self.is_whole = False
        self.older = why
        self.limit = -1

    def find(self, index: i64, offset: int, size: int) -> TableEntry:
        """Return the entry with this index; an unknown one has neither name nor value.

        Raises DecodeError if there cannot be one; ``offset`` and ``size`` say where the index is
        written.
        """
        if 0 < index <= _STATIC_SIZE:
            return STATIC[index - 1]
        if index <= 0:
            raise DecodeError("index", offset, found="0", wanted="at least 1", size=size)
        place: i64 = len(self._entries) - (index - _STATIC_SIZE)
        if place >= self._first:
            return self._entries[place]
        if self.is_whole:
            words = f"at most {_STATIC_SIZE + self.count}, the last entry"
            raise DecodeError("index", offset, found=str(index), wanted=words, size=size)
        if self.limit >= 0 and index > _STATIC_SIZE + self.limit // _OVERHEAD:
            words = f"at most {_STATIC_SIZE + self.limit // _OVERHEAD}: the table has "
            words += counted(self.limit, "byte")
            raise DecodeError("index", offset, found=str(index), wanted=words, size=size)
        return TableEntry(None, None, None, f"entry {index}, {self.older}")

    def add(self, entry: TableEntry) -> bool:
        """Add the newest entry; the oldest make room for it (4.4).

        False if it is too large for the table: it only empties it.
        """
        most = self._most()
        self._change()
        if entry.size > most:
            # "An attempt to add an entry larger than the maximum size causes the table to be
            # emptied."
            self._clear()
            self._know_end()
            return self.limit < 0 or entry.size <= self.limit
        self._entries.append(entry)
        self._size += entry.size
        self._evict(most)
        return True

    def resize(self, size: int) -> None:
        """Apply a size update of the encoder (4.3)."""
        self.limit = size
        self._change()
        self._evict(self._most())
        if size < _OVERHEAD:
            self._know_end()

    def _change(self) -> None:
        if self.known:
            self.known = {}

    def _most(self) -> int:
        return MAX_TABLE if self.limit < 0 or self.limit > MAX_TABLE else self.limit

    def _evict(self, most: int) -> None:
        if self._size <= most:
            return
        while self._size > most:
            self._size -= self._entries[self._first].size
            self._entries[self._first] = _GONE
            self._first += 1
        if self._first > 64 and self._first * 2 > len(self._entries):
            del self._entries[: self._first]
            self._first = 0
        self._know_end()

    def _know_end(self) -> None:
        """Take what is left for the whole table, if the encoder's limit is why an entry had to go.

        Then all that were older are gone too.
        """
        if 0 <= self.limit <= MAX_TABLE:
            self.is_whole = True
            self.older = ""
        elif self.is_whole:
            self.is_whole = False
            self.older = _OLD

    def _clear(self) -> None:
        self._entries = []
        self._first = 0
        self._size = 0


# ── Lines ────────────────────────────────────────────────────────────────────────────


class String(Facts):
    """Where a string is: its length at ``start``, its bytes from ``inside`` to ``stop``."""

    __slots__ = ("inside", "is_huffman", "start", "stop")
    __match_args__: ClassVar = ("start", "inside", "stop", "is_huffman")

    def __init__(self, start: int, inside: int, stop: int, is_huffman: bool) -> None:
        self.start: Final = start
        self.inside: Final = inside
        self.stop: Final = stop
        self.is_huffman: Final = is_huffman

    def facts(self) -> tuple[object, ...]:
        return (self.start, self.inside, self.stop, self.is_huffman)

    @property
    def span(self) -> Span:
        """The string with its length."""
        return Span(self.start, self.stop)


class FieldLine(Facts):
    """A header field of a block, or a size update: ``data[start:stop]``.

    ``form`` is one of FORMS, by number.  ``index``: that of the entry (INDEXED), or of the name's,
    0 for a name that is written out; ``inside`` is where index or size end.  ``size``: the new
    limit of a SIZE_UPDATE.  ``name`` and ``value`` are None if they are not known, and ``unknown``
    says why.  ``added`` is the number of the block that added the entry, None for one of the static
    table and for an unknown one.  ``name_at`` and ``value_at`` are the strings that are written
    here, None for what is not.  ``empties``: it was to be added, but is too large: the table is
    empty after it.
    """

    __slots__ = (
        *("added", "empties", "form", "index", "inside", "name", "name_at", "size"),
        *("start", "stop", "unknown", "value", "value_at"),
    )
    __match_args__: ClassVar = (
        *("form", "start", "stop", "name", "value", "index", "size", "name_at", "value_at"),
        *("added", "unknown", "empties"),
    )

    def __init__(
        self,
        form: int,
        start: int,
        inside: int,
        stop: int,
        name: bytes | None = None,
        value: bytes | None = None,
        index: int = 0,
        size: int = 0,
        name_at: String | None = None,
        value_at: String | None = None,
        added: int | None = None,
        unknown: str = "",
        empties: bool = False,
    ) -> None:
        self.form: Final = form
        self.start: Final = start
        self.inside = inside
        self.stop: Final = stop
        self.name: Final = name
        self.value: Final = value
        self.index: Final = index
        self.size: Final = size
        self.name_at: Final = name_at
        self.value_at: Final = value_at
        self.added: Final = added
        self.unknown: Final = unknown
        self.empties: Final = empties

    def facts(self) -> tuple[object, ...]:
        return (
            *(self.form, self.start, self.stop, self.name, self.value, self.index, self.size),
            *(self.name_at, self.value_at, self.added, self.unknown, self.empties),
        )

    @property
    def is_header(self) -> bool:
        """Whether it is a header field, not a size update or an unread rest."""
        return self.form < SIZE_UPDATE

    @property
    def span(self) -> Span:
        """Where it is in the block's bytes."""
        return Span(self.start, self.stop)

    @property
    def name_span(self) -> Span | None:
        """The name's string with its length, None if it is not written here."""
        return None if self.name_at is None else self.name_at.span

    @property
    def value_span(self) -> Span | None:
        """The value's string with its length, None if it is not written here."""
        return None if self.value_at is None else self.value_at.span


class HeaderBlock:
    """What was read of a header block: each of its bytes is in exactly one of its ``lines``.

    ``error``: why it could not be read to its end; the last line, UNREAD, is the rest.
    ``warnings``: what is wrong with it although it was read, so that the table is in step.  One of
    them is a LimitExceeded if the lines would stand for too much: from there on they are one line,
    UNREAD.  ``head``: what it says, once somebody has made that of it.
    """

    __slots__ = ("error", "head", "lines", "warnings")

    def __init__(self) -> None:
        self.lines: list[FieldLine] = []
        self.head: Head | None = None
        self.error: DecodeError | None = None
        self.warnings: list[DecodeError] = []

    def again(self) -> HeaderBlock:
        """Return a block of its own with the same lines."""
        same = HeaderBlock()
        same.lines = self.lines
        same.head = self.head
        return same

    @property
    def headers(self) -> list[tuple[bytes | None, bytes | None]]:
        """Return the name and value of each header, None for what is not known."""
        return [(line.name, line.value) for line in self.lines if line.is_header]


# ── Reading ──────────────────────────────────────────────────────────────────────────


def read_block(
    data: bytes, start: int, stop: int, table: DynamicTable, added: int, most: int = MOST
) -> HeaderBlock:
    """Read the header block at ``data[start:stop]``.

    That is the block of a HEADERS or a PUSH_PROMISE and of its CONTINUATIONs, joined.  ``added`` is
    the number to give to entries that it adds: a packet's number, an offset.  It raises nothing:
    what is wrong is in the HeaderBlock.  After an error the table counts as lost, since nobody
    knows what the rest of the block would have added.
    """
    is_usual = not start and stop == len(data) <= _LONG and most == MOST
    if is_usual:
        known = table.known.get(data)
        if known is not None:
            return known.again()
    block = HeaderBlock()
    lines = block.lines
    reader = _BlockReader(data, start, stop, table, added)
    begun: i64 = start
    unread: i64 = -1
    room: i64 = most
    if 0 <= table.allowed < table.limit and not (start < stop and data[start] >> 5 == 1):
        # 4.2: a lowered maximum is answered where the next block begins.
        wanted = f"one to at most {table.allowed}"
        block.warnings.append(
            DecodeError("table size update", start, found="missing", wanted=wanted)
        )
    seen_header = False
    told = False
    changes = False
    try:
        while reader.at < stop:
            begun = reader.at
            line = reader.line()
            room -= _OVERHEAD
            if line.name is not None:
                room -= len(line.name)
            if line.value is not None:
                room -= len(line.value)
            if room < 0:
                if unread < 0:
                    unread = begun
                    found = f"over {most} bytes with this line"
                    size = line.stop - line.start
                    block.warnings.append(
                        LimitExceeded("header list", unread, found=found, limit=most, size=size)
                    )
                continue
            lines.append(line)
            if line.form == ADDED or line.form == SIZE_UPDATE:
                changes = True
            if line.form != SIZE_UPDATE:
                seen_header = True
            elif seen_header and not told:
                # 4.2: "at the beginning of the first header block".
                told = True
                block.warnings.append(
                    DecodeError(
                        "table size update",
                        begun,
                        found="behind a header",
                        wanted="where the block begins",
                        size=line.stop - line.start,
                    )
                )
    except DecodeError as error:
        block.error = error
        table.lose(_FAULT)
        if unread < 0:
            unread = begun
    if unread >= 0:
        lines.append(FieldLine(UNREAD, unread, stop, stop))
    elif is_usual and not changes and not block.warnings and len(table.known) < _MOST_KNOWN:
        table.known[data] = block
    return block


class _BlockReader:
    """Reads a block from left to right; ``at`` is the first unread byte."""

    __slots__ = ("added", "at", "data", "stop", "table")

    def __init__(self, data: bytes, start: i64, stop: i64, table: DynamicTable, added: int) -> None:
        self.data = data
        self.at: i64 = start
        self.stop: i64 = stop
        self.table = table
        self.added = added

    def line(self) -> FieldLine:
        """Return the next line; raise DecodeError.  The table changes only if it could be read."""
        at = self.at
        first: i64 = self.data[at]
        if first >= 128:  # 6.1
            index = self.integer("index", 127)
            entry = self.table.find(index, at, self.at - at)
            stop = self.at
            return FieldLine(
                INDEXED,
                at,
                stop,
                stop,
                entry.name,
                entry.value,
                index,
                added=entry.added,
                unknown=entry.unknown,
            )
        if first >= 64:  # 6.2.1
            return self.literal(ADDED, 63)
        if first >= 32:  # 6.3
            size = self.integer("table size update", 31)
            allowed = self.table.allowed
            if 0 <= allowed < size:
                raise LimitExceeded(
                    "table size update", at, found=str(size), limit=allowed, size=self.at - at
                )
            self.table.resize(size)
            return FieldLine(SIZE_UPDATE, at, self.at, self.at, size=size)
        # 6.2.3, 6.2.2
        return self.literal(NEVER_INDEXED if first >= 16 else NOT_ADDED, 15)

    def literal(self, form: int, mask: i64) -> FieldLine:
        at = self.at
        index = self.integer("index of a name", mask)
        inside = self.at
        name_at: String | None = None
        name: bytes | None
        added: int | None = None
        unknown = ""
        if index:
            entry = self.table.find(index, at, self.at - at)
            name = entry.name
            added = entry.added
            if name is None:
                unknown = entry.unknown
        else:
            name_at = self.string("name", "name length")
            name = self.text(name_at, "name")
        value_at = self.string("value", "value length")
        value = self.text(value_at, "value")
        empties = False
        if form == ADDED:
            why = unknown
            if name is None and not why.startswith("its name"):
                why = f"its name was that of {why}"
            empties = not self.table.add(TableEntry(name, value, self.added, why))
        return FieldLine(
            form,
            at,
            inside,
            self.at,
            name,
            value,
            index,
            0,
            name_at,
            value_at,
            added,
            unknown,
            empties,
        )

    def integer(self, what: str, mask: i64) -> i64:
        """Read the integer (5.1) whose first byte, which is there, has these bits for it."""
        data = self.data
        stop = self.stop
        at = self.at
        value: i64 = data[at] & mask
        at += 1
        if value == mask:
            shift: i64 = 0
            byte: i64 = 128
            while byte > 127:
                if at >= stop:
                    have = stop - self.at
                    raise Incomplete(what, self.at, needs=have + 1, left=have)
                if shift > _MAX_SHIFT:
                    size = at - self.at
                    raise DecodeError(
                        what,
                        self.at,
                        found=f"over {size} bytes long",
                        wanted=f"at most {size}",
                        size=size,
                    )
                byte = data[at]
                at += 1
                value += (byte & 127) << shift
                shift += 7
        self.at = at
        return value

    def string(self, what: str, length_of: str) -> String:
        """Return where the next string (5.2) is, and pass over it."""
        start = self.at
        if start >= self.stop:
            raise Incomplete(length_of, start, needs=1, left=0)
        is_huffman = self.data[start] > 127
        length = self.integer(length_of, 127)
        inside = self.at
        if length > self.stop - inside:
            raise Incomplete(what, inside, needs=length, left=self.stop - inside)
        self.at = inside + length
        return String(start, inside, self.at, is_huffman)

    def text(self, string: String, what: str) -> bytes:
        if string.is_huffman:
            return unpack_huffman(self.data, string.inside, string.stop, what)
        return self.data[string.inside : string.stop]


# ── Appendix B: Huffman's code ───────────────────────────────────────────────────────

# Length of the code in bits, and the bytes that have a code of that length, in hex.  The codes are
# canonical (5.2): each is the one before it plus one, with zeros appended where it is longer.  The
# last, 30 ones, is EOS.
_CODES: Final = (
    (5, "303132616365696f7374"),
    (6, "20252d2e2f333435363738393d415f62646667686c6d6e707275"),
    (7, "3a42434445464748494a4b4c4d4e4f5051525354555657596a6b71767778797a"),
    (8, "262a2c3b585a"),
    (10, "212228293f"),
    (11, "272b7c"),
    (12, "233e"),
    (13, "0024405b5d7e"),
    (14, "5e7d"),
    (15, "3c607b"),
    (19, "5cc3d0"),
    (20, "808283a2b8c2e0e2"),
    (21, "99a1a7acb0b1b3d1d8d9e3e5e6"),
    (22, "8184858688929a9ca0a3a4a9aaadb2b5b9babbbdbec4c6e4e8e9"),
    (23, "0187898a8b8c8d8f93959697989b9d9ea5a6a8aeafb4b6b7bcbfc5e7ef"),
    (24, "098e9091949fabced7e1eced"),
    (25, "c7cfeaeb"),
    (26, "c0c1c8c9cacdd2d5dadbeef0f2f3ff"),
    (27, "cbccd3d4d6dddedff1f4f5f6f7f8fafbfcfdfe"),
    (28, "020304050607080b0c0e0f1011121314151718191a1b1c1d1e1f7fdcf9"),
    (30, "0a0d16"),
)

_EOS: Final = 256


class _Tree:
    """Huffman's tree, turned into steps of four bits each.

    ``steps[node * 16 + bits]`` is the node that these bits lead to, plus 256 × (1 + byte) if a byte
    ended on the way (no code is shorter than 5 bits, so there is one at most); -1 if EOS did.
    ``ones[node]`` is how many bits lead to a node by ones alone, else -1.
    """

    __slots__ = ("_next", "ones", "steps")

    def __init__(self) -> None:
        # For each node and bit: the node there, or -1 - symbol at a leaf, or 0 for none yet.
        self._next: list[int] = [0, 0]
        code = 0
        length = 0
        for bits, symbols in (*_CODES, (30, "")):
            for symbol in [*bytes.fromhex(symbols)] or [_EOS]:
                code <<= bits - length
                length = bits
                self._plant(code, bits, symbol)
                code += 1
        count = len(self._next) // 2
        self.ones = [-1] * count
        node, depth = 0, 0
        while node >= 0:
            self.ones[node] = depth
            node, depth = self._next[node * 2 + 1], depth + 1
        self.steps = [self._step(node, bits) for node in range(count) for bits in range(16)]

    def _plant(self, code: int, bits: int, symbol: int) -> None:
        node = 0
        for shift in range(bits - 1, 0, -1):
            place = node * 2 + (code >> shift & 1)
            if not self._next[place]:
                self._next[place] = len(self._next) // 2
                self._next += [0, 0]
            node = self._next[place]
        self._next[node * 2 + (code & 1)] = -1 - symbol

    def _step(self, node: int, bits: int) -> int:
        ended = 0
        for shift in (3, 2, 1, 0):
            node = self._next[node * 2 + (bits >> shift & 1)]
            if node < 0:
                symbol = -1 - node
                if symbol == _EOS:
                    return -1
                ended = 256 * (1 + symbol)
                node = 0
        return ended + node


_TREE: Final = _Tree()
_STEPS: Final[list[int]] = _TREE.steps
_ONES: Final[list[int]] = _TREE.ones


def unpack_huffman(data: bytes, start: i64, stop: i64, what: str = "string") -> bytes:
    """Return the bytes that ``data[start:stop]`` is the Huffman code of.

    Raises DecodeError where 5.2 says so: EOS in it, or an end that is not up to 7 ones.
    """
    out = bytearray()
    steps = _STEPS
    node: i64 = 0
    at: i64 = start
    while at < stop:
        byte: i64 = data[at]
        step: i64 = steps[node * 16 + (byte >> 4)]
        if step >= 256:
            out.append((step >> 8) - 1)
        elif step < 0:
            break
        step = steps[(step & 255) * 16 + (byte & 15)]
        if step >= 256:
            out.append((step >> 8) - 1)
        elif step < 0:
            break
        node = step & 255
        at += 1
    if at < stop:
        raise DecodeError(
            f"Huffman code of a {what}", at, found="EOS", wanted="no EOS in a string", size=1
        )
    ones: i64 = _ONES[node]
    if ones < 0 or ones > 7:
        found = "the beginning of a code" if ones < 0 else f"{ones} ones"
        raise DecodeError(
            f"end of the Huffman code of a {what}",
            stop - 1,
            found=found,
            wanted="at most 7 ones",
            size=1,
        )
    return bytes(out)


# ── Masks ────────────────────────────────────────────────────────────────────────────


def mask_string(data: bytes, string: String) -> bytes:
    """Return bytes that may take the string's place: as many, for as many characters.

    So the table of whoever reads them evicts the same entries.  They tell nothing else.  Huffman's
    code has a character of nearly every length: with the same number of bits for the same number of
    characters, all strings of one size look alike.
    """
    size = string.stop - string.inside
    if not string.is_huffman:
        return LETTER * size
    try:
        count = len(unpack_huffman(data, string.inside, string.stop))
    except DecodeError:
        return bytes(size)
    bits = 8 * size
    value = 0
    used = 0
    for left in range(count, 0, -1):
        # The longest code that leaves at least 5 bits for each of the others.
        room = bits - used - 5 * (left - 1)
        even = (bits - used) // left
        length = max(one for one in _MASKS if one <= room and (one <= even or one == 5))
        value = value << length | _MASKS[length]
        used += length
    rest = bits - used
    if rest > 7:
        return bytes(size)
    return (value << rest | (1 << rest) - 1).to_bytes(size, "big") if size else b""


def _mask_codes() -> dict[int, int]:
    """Return a letter's code for each length of a code; without a letter, the first byte's."""
    codes: dict[int, int] = {}
    code = length = 0
    for bits, symbols in _CODES:
        code <<= bits - length
        length = bits
        letters = [at for at, one in enumerate(bytes.fromhex(symbols)) if chr(one).isalpha()]
        codes[bits] = code + (letters[0] if letters and bits < 10 else 0)
        code += len(symbols) // 2
    return codes


_MASKS: Final = _mask_codes()


# ── Notes ────────────────────────────────────────────────────────────────────────────


def notes_of_block(block: HeaderBlock, by: str = "by the block at", depth: int = 1) -> list[Note]:
    """Return a note for every byte of a block; places are those that it was read from.

    ``by`` comes before a block's number: "by packet" makes "added by packet 12".
    """
    notes: list[Note] = []
    for line in block.lines:
        span = Span(line.start, line.inside)
        if line.form == UNREAD:
            errors = (*block.warnings, block.error)
            why = "; ".join(str(error) for error in errors if error is not None)
            size = counted(len(line.span), "byte")
            notes.append(Note(line.span, "unread", "not read", size, why, depth))
            continue
        if line.form == SIZE_UPDATE:
            why = "The encoder's table of headers is no larger from here on; 0 empties it."
            meaning = counted(line.size, "byte")
            notes.append(Note(span, "field", FORMS[SIZE_UPDATE], meaning, why, depth))
            continue
        name = "unknown" if line.name is None else _said(line.name)
        if line.form == INDEXED:
            value = "unknown" if line.value is None else _said(line.value)
            why = f"Indexed: {_entry(line, by)}."
            notes.append(Note(span, "field", "header", f"{name}: {value}", why, depth))
            continue
        how = _EMPTIES if line.empties else _FORM_WHY[line.form]
        if line.name_at is None:
            why = f"Its name is that of {_entry(line, by)}. {how}"
            notes.append(Note(span, "field", "header", name, why, depth))
        else:
            notes.append(Note(span, "field", "header", FORMS[line.form], how, depth))
            _string(notes, line.name_at, line.name or b"", "name", depth)
        if line.value_at is not None:
            _string(notes, line.value_at, line.value or b"", "value", depth)
    return notes


_FORM_WHY: Final = {
    ADDED: "Literal, added to the table as entry 62.",
    NOT_ADDED: "Literal, not added to the table.",
    NEVER_INDEXED: "Literal, never to be added to a table by anybody on the way.",
}

_EMPTIES: Final = "Literal, to be added to the table; it is larger than that, which it empties."


def _entry(line: FieldLine, by: str) -> str:
    """Say which entry a line names, and where that comes from."""
    if line.added is None:
        return line.unknown or f"entry {line.index} (static table)"
    text = f"entry {line.index}, added {by} {line.added}"
    return f"{text}; {line.unknown}" if line.unknown else text


def _string(notes: list[Note], string: String, text: bytes, label: str, depth: int) -> None:
    size = string.stop - string.inside
    why = "In bytes, of Huffman's code." if string.is_huffman else "In bytes."
    span = Span(string.start, string.inside)
    notes.append(Note(span, "size", f"{label} length", str(size), why, depth))
    if size:
        why = ""
        if string.is_huffman:
            thing = "character" if text.isascii() else "byte"
            why = f"Huffman: {counted(size, 'byte')} for {counted(len(text), thing)}."
        notes.append(
            Note(Span(string.inside, string.stop), "value", label, _said(text), why, depth)
        )


def _said(raw: bytes) -> str:
    """Quote it if it is text; views escape it."""
    try:
        return f'"{raw.decode("utf-8")}"'
    except UnicodeDecodeError:
        return f"{counted(len(raw), 'byte')}: {raw.hex(' ')}"
