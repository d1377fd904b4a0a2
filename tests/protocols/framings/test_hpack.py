"""HPACK: the RFC's own examples, then another's encoder and decoder, then what is missing or
hostile."""

from __future__ import annotations

from typing import Any, SupportsIndex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pingpong.errors import DecodeError, Incomplete, LimitExceeded
from pingpong.model import Span
from pingpong.protocols.explain import check_cover
from pingpong.protocols.framings import hpack
from pingpong.protocols.framings.hpack import (
    ADDED,
    INDEXED,
    MAX_TABLE,
    NEVER_INDEXED,
    NOT_ADDED,
    SIZE_UPDATE,
    STATIC,
    UNREAD,
    DynamicTable,
    FieldLine,
    HeaderBlock,
    String,
    TableEntry,
    notes_of_block,
    read_block,
    unpack_huffman,
)

other = pytest.importorskip("hpack", reason="the library hpack is the witness here")
from hpack.huffman_table import decode_huffman  # noqa: E402
from hpack.table import HeaderTable  # noqa: E402

Header = tuple[bytes, bytes]


def raw(text: str) -> bytes:
    return bytes.fromhex(text.replace(" ", "").replace("|", ""))


def read(data: bytes, table: DynamicTable | None = None, added: int = 0) -> HeaderBlock:
    """The block, of which each byte is in one line and in one note."""
    block = read_block(data, 0, len(data), table or DynamicTable(), added)
    check(block, data)
    return block


def check(block: HeaderBlock, data: bytes) -> None:
    at = 0
    for line in block.lines:
        assert line.start == at
        assert line.start < line.stop
        at = line.stop
    assert at == len(data)
    check_cover(notes_of_block(block), len(data))


# ── Appendix C ───────────────────────────────────────────────────────────────────────

GET = [(b":method", b"GET"), (b":scheme", b"http"), (b":path", b"/")]
EXAMPLE = (b":authority", b"www.example.com")
FIRST = [*GET, EXAMPLE]
SECOND = [*FIRST, (b"cache-control", b"no-cache")]
THIRD = [
    *((b":method", b"GET"), (b":scheme", b"https"), (b":path", b"/index.html"), EXAMPLE),
    (b"custom-key", b"custom-value"),
]
DATE = b"Mon, 21 Oct 2013 20:13:21 GMT"
COOKIE = b"foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"


def answer(status: bytes, date: bytes) -> list[Header]:
    return [
        *((b":status", status), (b"cache-control", b"private"), (b"date", date)),
        (b"location", b"https://www.example.com"),
    ]


LAST = [
    *answer(b"200", b"Mon, 21 Oct 2013 20:13:22 GMT"),
    *((b"content-encoding", b"gzip"), (b"set-cookie", COOKIE)),
]

# For each: the table's limit, and blocks with their headers and the table's size behind them.
EXAMPLES: dict[str, tuple[int, list[tuple[str, list[Header], int]]]] = {
    "C.2.1": (
        4096,
        [
            (
                "40 0a 637573746f6d2d6b6579 0d 637573746f6d2d686561646572",
                [(b"custom-key", b"custom-header")],
                55,
            )
        ],
    ),
    "C.2.2": (4096, [("04 0c 2f73616d706c652f70617468", [(b":path", b"/sample/path")], 0)]),
    "C.2.3": (4096, [("10 08 70617373776f7264 06 736563726574", [(b"password", b"secret")], 0)]),
    "C.2.4": (4096, [("82", [(b":method", b"GET")], 0)]),
    "C.3": (
        4096,
        [
            ("82 86 84 41 0f 7777772e6578616d706c652e636f6d", FIRST, 57),
            ("82 86 84 be 58 08 6e6f2d6361636865", SECOND, 110),
            (
                "82 87 85 bf 40 0a 637573746f6d2d6b6579 0c 637573746f6d2d76616c7565",
                THIRD,
                164,
            ),
        ],
    ),
    "C.4": (
        4096,
        [
            ("82 86 84 41 8c f1e3c2e5f23a6ba0ab90f4ff", FIRST, 57),
            ("82 86 84 be 58 86 a8eb10649cbf", SECOND, 110),
            ("82 87 85 bf 40 88 25a849e95ba97d7f 89 25a849e95bb8e8b4bf", THIRD, 164),
        ],
    ),
    "C.5": (
        256,
        [
            (
                "48 03 333032 58 07 70726976617465 61 1d"
                "4d6f6e2c203231204f637420323031332032303a31333a323120474d54"
                "6e 17 68747470733a2f2f7777772e6578616d706c652e636f6d",
                answer(b"302", DATE),
                222,
            ),
            ("48 03 333037 c1 c0 bf", answer(b"307", DATE), 222),
            (
                "88 c1 61 1d 4d6f6e2c203231204f637420323031332032303a31333a323220474d54"
                "c0 5a 04 677a6970 77 38"
                "666f6f3d4153444a4b48514b425a584f5157454f50495541585157454f49553b20"
                "6d61782d6167653d333630303b2076657273696f6e3d31",
                LAST,
                215,
            ),
        ],
    ),
    "C.6": (
        256,
        [
            (
                "48 82 6402 58 85 aec3771a4b 61 96 d07abe941054d444a8200595040b8166e082a62d1bff"
                "6e 91 9d29ad171863c78f0b97c8e9ae82ae43d3",
                answer(b"302", DATE),
                222,
            ),
            ("48 83 640eff c1 c0 bf", answer(b"307", DATE), 222),
            (
                "88 c1 61 96 d07abe941054d444a8200595040b8166e084a62d1bff c0 5a 83 9bd9ab"
                "77 ad 94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed"
                "4ee5b1063d5007",
                LAST,
                215,
            ),
        ],
    ),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_of_the_rfc(name: str) -> None:
    limit, blocks = EXAMPLES[name]
    table = DynamicTable()
    table.resize(limit)
    for number, (text, headers, size) in enumerate(blocks):
        block = read(raw(text), table, number)
        assert (block.error, block.warnings) == (None, [])
        assert block.headers == headers
        assert table.size == size


def test_a_line_knows_its_bytes() -> None:
    block = read(raw("82 | 40 88 25a849e95ba97d7f 0c 637573746f6d2d76616c7565"))
    indexed, literal = block.lines
    assert (indexed.form, indexed.index, indexed.span) == (INDEXED, 2, Span(0, 1))
    assert (indexed.name_span, indexed.value_span, indexed.added) == (None, None, None)
    assert (literal.form, literal.index, literal.span) == (ADDED, 0, Span(1, 24))
    assert literal.name_at == String(2, 3, 11, True)
    assert literal.value_at == String(11, 12, 24, False)
    assert literal.name_span == Span(2, 11)
    assert literal.value_span == Span(11, 24)


def test_integers() -> None:
    """C.1.2: 1337 with 5 bits, as a size update."""
    (line,) = read(raw("3f 9a 0a")).lines
    assert (line.form, line.size, line.span) == (SIZE_UPDATE, 1337, Span(0, 3))
    (line,) = read(raw("2a")).lines
    assert line.size == 10


def test_forms() -> None:
    block = read(raw("20 | 82 | 44 012f | 04 012f | 14 012f"))
    assert [line.form for line in block.lines] == [
        *(SIZE_UPDATE, INDEXED, ADDED, NOT_ADDED, NEVER_INDEXED)
    ]
    assert [line.empties for line in block.lines] == [False, False, True, False, False]


def test_the_static_table_is_the_librarys() -> None:
    assert tuple((entry.name, entry.value) for entry in STATIC) == HeaderTable.STATIC_TABLE


# ── Notes ────────────────────────────────────────────────────────────────────────────


def whys(data: bytes, table: DynamicTable, added: int) -> list[tuple[str, str, str]]:
    notes = notes_of_block(read(data, table, added), by="by packet")
    return [(note.label, note.meaning, note.why) for note in notes]


def test_notes_say_where_a_header_is_from() -> None:
    table = DynamicTable()
    assert whys(raw("82 41 8c f1e3c2e5f23a6ba0ab90f4ff"), table, 12) == [
        ("header", '":method": "GET"', "Indexed: entry 2 (static table)."),
        (
            "header",
            '":authority"',
            "Its name is that of entry 1 (static table). Literal, added to the table as entry 62.",
        ),
        ("value length", "12", "In bytes, of Huffman's code."),
        ("value", '"www.example.com"', "Huffman: 12 bytes for 15 characters."),
    ]
    assert whys(raw("be"), table, 13) == [
        ("header", '":authority": "www.example.com"', "Indexed: entry 62, added by packet 12.")
    ]


def test_notes_of_what_is_not_known() -> None:
    table = DynamicTable(is_whole=False)
    assert whys(raw("c0 | 7f 01 01 61 | be"), table, 7) == [
        ("header", "unknown: unknown", "Indexed: entry 64, added before the capture."),
        (
            "header",
            "unknown",
            "Its name is that of entry 64, added before the capture. "
            "Literal, added to the table as entry 62.",
        ),
        ("value length", "1", "In bytes."),
        ("value", '"a"', ""),
        (
            "header",
            'unknown: "a"',
            "Indexed: entry 62, added by packet 7; "
            "its name was that of entry 64, added before the capture.",
        ),
    ]


def test_a_binary_value_is_shown_in_hex() -> None:
    assert whys(raw("00 01 61 02 00ff"), DynamicTable(), 0)[-1] == ("value", "2 bytes: 00 ff", "")


# ── What is wrong ────────────────────────────────────────────────────────────────────

WRONG = {
    "index 0": ("82 80", 1, "index at offset 1: is 0, want at least 1"),
    "index beyond": ("be", 0, "index at offset 0: is 62, want at most 61, the last entry"),
    "name beyond": ("7f 00 01 61", 0, "index at offset 0: is 63, want at most 61, the last entry"),
    "cut integer": ("ff 80", 0, "index at offset 0: needs 3 bytes, 2 left"),
    "long integer": ("ff 808080808080 00", 0, "index at offset 0: is over 6 bytes long, want at m"),
    "no value": ("82 44", 1, "value length at offset 2: needs 1 byte, 0 left"),
    "cut value": ("44 05 2f", 0, "value at offset 2: needs 5 bytes, 1 left"),
    "cut name": ("00 7f ff ff 03", 0, "name at offset 5: needs 65662 bytes, 0 left"),
    "size over": ("3f e2 1f", 0, "table size update at offset 0: is 4097, want at most 4096"),
    "zeros behind": ("44 81 18", 0, "end of the Huffman code of a value at offset 2: is the begin"),
    "8 ones": ("44 82 1fff", 0, "end of the Huffman code of a value at offset 3: is 11 ones, wan"),
    "ones alone": (
        "44 81 ff",
        0,
        "end of the Huffman code of a value at offset 2: is 8 ones, want",
    ),
    "EOS": ("44 84 ffffffff", 0, "Huffman code of a value at offset 5: is EOS, want no EOS in a"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said(name: str) -> None:
    text, start, said = WRONG[name]
    data = raw(text)
    table = DynamicTable()
    block = read(data, table)
    assert str(block.error).startswith(said)
    assert (block.lines[-1].form, block.lines[-1].span) == (UNREAD, Span(start, len(data)))
    assert len(block.lines) == (2 if start else 1)
    assert not table.is_whole
    assert (table.count, table.older) == (0, "added before a block that could not be read")


def test_a_size_update_comes_first() -> None:
    table = DynamicTable()
    block = read(raw("82 20 82"), table)
    assert block.error is None
    assert block.headers == GET[:1] * 2
    said = "table size update at offset 1: is behind a header, want where the block begins"
    assert [str(one) for one in block.warnings] == [said]
    assert table.limit == 0


def test_a_lowered_maximum_is_answered() -> None:
    table = DynamicTable()
    table.allow(100)
    assert [one.found for one in read(raw("82"), table).warnings] == ["missing"]
    assert read(raw("3f 45"), table).warnings == []
    assert table.limit == 100
    assert read(raw("82"), table).warnings == []
    assert isinstance(read(raw("3f 46"), table).error, LimitExceeded)


def test_a_larger_table_has_to_be_allowed() -> None:
    table = DynamicTable()
    table.allow(1 << 32 - 1)
    block = read(raw("3f e1 ff 03 82"), table)
    assert (block.error, table.limit) == (None, 65536)


def test_an_entry_that_is_too_large_empties_the_table() -> None:
    table = DynamicTable()
    read(raw("44 012f"), table)
    block = read(raw("44 7f a1 1f") + b"a" * 4128, table)
    assert (block.error, block.lines[0].empties) == (None, True)
    assert (table.count, table.size, table.is_whole) == (0, 0, True)
    assert "larger than that" in notes_of_block(block)[0].why
    assert read(raw("be"), table).error is not None


# ── Another's encoder and decoder ────────────────────────────────────────────────────

NAMES = st.one_of(
    st.sampled_from([b":path", b":status", b"cookie", b"x-a", b"x-b", b"grpc-timeout", b"te"]),
    st.binary(max_size=12),
)
VALUES = st.one_of(st.sampled_from([b"", b"/", b"200", b"/a.B/C", b"1S"]), st.binary(max_size=40))
HEADERS = st.lists(st.tuples(NAMES, VALUES), max_size=8)
SIZES = st.one_of(st.none(), st.integers(0, 4096), st.sampled_from([0, 40, 100, 200]))
BLOCKS = st.lists(st.tuples(SIZES, st.booleans(), HEADERS), min_size=1, max_size=12)


def encoded(blocks: list[tuple[int | None, bool, list[Header]]]) -> list[tuple[bytes, Any]]:
    """The blocks as the library writes them, which adds everything that is no secret."""
    encoder = other.Encoder()
    out = []
    for size, huffman, headers in blocks:
        if size is not None:
            encoder.header_table_size = size
        fields = [
            (name, value, len(value) % 5 == 4)  # some are secrets
            for name, value in headers
        ]
        out.append((encoder.encode(fields, huffman=huffman), headers))
    return out


@given(BLOCKS)
def test_the_librarys_blocks_are_read(blocks: list[Any]) -> None:
    table = DynamicTable()
    for number, (data, headers) in enumerate(encoded(blocks)):
        block = read(data, table, number)
        assert (block.error, block.warnings) == (None, [])
        assert block.headers == headers


# Blocks of all forms, with indices of any kind, and what the library does not write.
INDICES = st.one_of(st.integers(1, 61), st.integers(62, 70))


def integer(first: int, mask: int, value: int) -> bytes:
    if value < mask:
        return bytes((first | value,))
    out = [first | mask]
    value -= mask
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes((*out, value))


def string(text: bytes, is_huffman: bool) -> bytes:
    if is_huffman:
        code = other.huffman.HuffmanEncoder(
            other.huffman_constants.REQUEST_CODES, other.huffman_constants.REQUEST_CODES_LENGTH
        ).encode(text)
        return integer(128, 127, len(code)) + bytes(code)
    return integer(0, 127, len(text)) + text


@st.composite
def lines(draw: st.DrawFn) -> bytes:
    form = draw(st.sampled_from([128, 128, 64, 64, 64, 16, 0]))
    if form == 128:
        return integer(128, 127, draw(INDICES))
    name = draw(st.one_of(NAMES, INDICES))
    mask = 63 if form == 64 else 15
    head = integer(form, mask, name if isinstance(name, int) else 0)
    if isinstance(name, bytes):
        head += string(name, draw(st.booleans()))
    return head + string(draw(VALUES), draw(st.booleans()))


@st.composite
def written(draw: st.DrawFn) -> bytes:
    size = draw(SIZES)
    update = b"" if size is None else integer(32, 31, size)
    return update + b"".join(draw(st.lists(lines(), max_size=8)))


def agree(decoder: Any, table: DynamicTable, data: bytes) -> bool:
    """Do both read the same?  False if both refuse it."""
    block = read(data, table)
    try:
        wanted = [(bytes(name), bytes(value)) for name, value in decoder.decode(data, raw=True)]
    except (other.HPACKError, IndexError):
        assert block.error is not None or block.warnings
        return False
    if block.error is not None:
        assert "bytes long" in block.error.found  # the library lets longer integers pass
        return False
    assert block.headers == wanted
    assert table.size == decoder.header_table._current_size
    assert table.count == len(decoder.header_table.dynamic_entries)
    return True


@given(st.lists(written(), min_size=1, max_size=8))
def test_the_library_reads_the_same(blocks: list[bytes]) -> None:
    decoder, table = other.Decoder(), DynamicTable()
    for data in blocks:
        if not agree(decoder, table, data):
            break


@given(BLOCKS, st.data())
def test_the_library_reads_the_same_of_mutated_blocks(
    blocks: list[Any], data: st.DataObject
) -> None:
    decoder, table = other.Decoder(), DynamicTable()
    for block, _ in encoded(blocks):
        changed = bytearray(block)
        for _ in range(data.draw(st.integers(0, 2))):
            at = data.draw(st.integers(0, len(changed)))
            changed[at : at + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=2))
        if not agree(decoder, table, bytes(changed)):
            break


@given(st.binary(max_size=60))
def test_any_bytes(data: bytes) -> None:
    agree(other.Decoder(), DynamicTable(), data)
    block = read(data, DynamicTable(is_whole=False))
    for line in block.lines:
        if line.is_header:
            assert bool(line.unknown) == (line.name is None or line.value is None)


@given(st.binary(max_size=60))
def test_huffman_of_any_bytes(text: bytes) -> None:
    code = string(text, True)
    (line,) = read(b"\x04" + code).lines
    assert line.value == text
    try:
        wanted: bytes | None = decode_huffman(text)
    except other.HPACKDecodingError:
        wanted = None
    try:
        got: bytes | None = unpack_huffman(text, 0, len(text))
    except DecodeError:
        got = None
    assert got == wanted


@pytest.mark.parametrize("byte", range(256))
def test_huffman_of_each_byte(byte: int) -> None:
    for text in (bytes((byte,)), bytes((byte, byte, 97))):
        code = string(text, True)
        assert unpack_huffman(code, 1, len(code)) == text


# ── What is missing ──────────────────────────────────────────────────────────────────


def never_wrong(mine: FieldLine, whole: FieldLine, since: int) -> None:
    """What is said is right, and what was added since is known."""
    assert (mine.form, mine.span, mine.index) == (whole.form, whole.span, whole.index)
    assert mine.name in (None, whole.name)
    assert mine.value in (None, whole.value)
    is_static = 0 < mine.index <= 61
    if not mine.is_header:
        return
    if mine.value_at is not None:
        assert mine.value == whole.value
    if mine.name_at is not None or is_static:
        assert mine.name == whole.name
    if is_static and mine.form == INDEXED:
        assert (mine.value, mine.added) == (whole.value, None)
    if whole.added is not None:
        if whole.added >= since:
            assert mine.added == whole.added
            assert mine.form != INDEXED or mine.value == whole.value
        else:
            assert mine.name is None
            assert mine.added is None
            assert f"entry {mine.index}, added before" in mine.unknown
    assert bool(mine.unknown) == (mine.name is None or mine.value is None)


def read_with_holes(blocks: list[bytes], first: int, holes: set[int]) -> int:
    """Read from block ``first`` on, without those in ``holes``; how many headers were known."""
    whole, mine = DynamicTable(), DynamicTable(is_whole=first == 0)
    since, known = first, 0
    for number, data in enumerate(blocks):
        right = read(data, whole, number)
        if right.error is not None:
            break
        if number < first:
            continue
        if number in holes:
            mine.lose()
            since = number + 1
            continue
        block = read(data, mine, number)
        assert block.error is None
        assert len(block.lines) == len(right.lines)
        for line, wanted in zip(block.lines, right.lines, strict=True):
            never_wrong(line, wanted, since)
            known += line.is_header and not line.unknown
        # What is taken for whole lacks nothing; it may have what an unknown limit has evicted.
        if mine.is_whole:
            assert mine.count >= whole.count
    return known


@given(BLOCKS, st.integers(0, 12), st.sets(st.integers(0, 12), max_size=3))
def test_what_is_lost_is_never_guessed(blocks: list[Any], first: int, holes: set[int]) -> None:
    read_with_holes([data for data, _ in encoded(blocks)], first, holes)


@given(
    st.lists(written(), min_size=1, max_size=12),
    st.integers(0, 6),
    st.sets(st.integers(0, 12), max_size=3),
)
def test_what_is_lost_of_any_forms(blocks: list[bytes], first: int, holes: set[int]) -> None:
    read_with_holes(blocks, first, holes)


def test_what_is_added_since_is_known() -> None:
    headers = [(b":path", b"/a"), (b"x-a", b"1")]
    blocks = [data for data, _ in encoded([(None, True, headers)] * 2)]
    new = [data for data, _ in encoded([(None, True, headers), (None, True, [(b"x-b", b"2")])])]
    assert read_with_holes([*blocks, new[1], raw("be")], 1, set()) == 2
    assert read_with_holes([*blocks, new[1], raw("be")], 0, {1}) == 4
    assert read_with_holes([*blocks, new[1], raw("be")], 0, {2}) == 4


def test_an_empty_table_is_whole_again() -> None:
    table = DynamicTable(is_whole=False)
    assert read(raw("20 3f e1 1f 44 012f be"), table).error is None
    assert table.is_whole
    assert "at most 62, the last entry" in str(read(raw("bf"), table).error)


def test_a_limit_that_is_not_known_does_not_evict() -> None:
    """An entry of 5000 bytes may have been added: a size update may stand before the capture."""
    table = DynamicTable(is_whole=False)
    large = b"a" * 5000
    block = read(b"\x44" + string(large, False) + raw("44 012f bf"), table)
    assert block.headers[-1] == (b":path", large)


def test_an_index_that_no_table_has_is_wrong_with_a_known_limit() -> None:
    table = DynamicTable(is_whole=False)
    assert read(raw("ff ff 7f"), table).headers == [(None, None)]
    assert read(raw("3f e1 1f"), table).error is None
    assert read(raw("ff 3e"), table).headers == [(None, None)]  # 189: 128 entries of 32 bytes
    assert "at most 189" in str(read(raw("ff 3f"), table).error)


# ── Too much ─────────────────────────────────────────────────────────────────────────


def test_a_bomb_is_not_unpacked() -> None:
    table = DynamicTable()
    large = b"a" * 4000
    data = b"\x44" + string(large, False) + b"\xbe" * 100_000 + raw("44 012f")
    block = read(data, table)
    assert block.error is None
    (warning,) = block.warnings
    assert isinstance(warning, LimitExceeded)
    assert "header list at offset" in str(warning)
    *told, rest = block.lines
    assert rest.form == UNREAD
    assert rest.stop == len(data)
    assert sum(len(line.name or b"") + len(line.value or b"") + 32 for line in told) <= hpack.MOST
    # The table is in step all the same.
    assert read(raw("be bf"), table).headers == [(b":path", b"/"), (b":path", large)]


def test_many_small_lines_are_too_much_too() -> None:
    block = read(b"\x82" * 1_000_000)
    assert len(block.lines) < 30_000
    assert len(block.warnings) == 1


def test_an_error_behind_too_much_is_told() -> None:
    block = read(b"\x82" * 100_000 + b"\x80")
    assert isinstance(block.warnings[0], LimitExceeded)
    assert block.error is not None
    assert block.error.offset == 100_000


def test_the_table_has_an_end() -> None:
    """4 GiB are allowed and announced; what is not kept is unknown, what is kept is right."""
    table = DynamicTable()
    table.allow((1 << 32) - 1)
    assert read(integer(32, 31, (1 << 32) - 1), table).error is None
    value = b"a" * 10_000
    for number in range(100):
        data = b"\x44" + string(b"%03d" % number + value, False)
        assert read(data, table, number).error is None
        assert table.size <= MAX_TABLE
    assert 20 < table.count < 30
    assert len(table._entries) < 100
    assert not table.is_whole
    (line,) = read(integer(128, 127, 61 + table.count), table).lines
    assert line.value is not None
    assert line.value.startswith(b"%03d" % (100 - table.count))
    (line,) = read(integer(128, 127, 62 + table.count), table).lines
    assert (line.value, line.unknown) == (
        None,
        f"entry {62 + table.count}, no longer kept: the table is too large",
    )
    assert read(b"\x44" + string(b"b" * MAX_TABLE, False), table).error is None
    assert read(raw("be"), table).headers == [(None, None)]


class Counted(bytes):
    """Counts the bytes that are looked at."""

    looks = 0

    def __getitem__(self, key: SupportsIndex | slice) -> Any:
        got = super().__getitem__(key)
        type(self).looks += len(got) if isinstance(got, bytes) else 1
        return got


HOSTILE = {
    "indexed": b"\x82" * 20_000,
    "added": raw("40 00 00") * 7000,
    "added by a large name": raw("40 8f") + b"\xff" * 14 + b"\xfe\x00" + raw("7e 00") * 9000,
    "Huffman": b"\x44" + string(b"\n" * 9000, True),
    "updates": raw("20 3f e1 1f") * 5000,
    "long integers": raw("ff 80 80 80 80 00") * 3000,
    "strings that are cut": b"\x44" + integer(0, 127, 30_000) + b"a" * 20_000,
}


@pytest.mark.usefixtures("plain_python")
@pytest.mark.parametrize("is_whole", [True, False])
@pytest.mark.parametrize("name", HOSTILE)
def test_no_byte_is_looked_at_often(name: str, is_whole: bool) -> None:
    data = Counted(HOSTILE[name])
    Counted.looks = 0
    read_block(data, 0, len(data), DynamicTable(is_whole), 0)
    assert Counted.looks <= 3 * len(data) + 10


def test_incomplete_says_so() -> None:
    assert isinstance(read(raw("44 05 2f")).error, Incomplete)


def test_an_entry_that_just_fits() -> None:
    """:path and / are 6 bytes, and the entry counts for 32."""
    for limit, count in ((38, 1), (37, 0)):
        table = DynamicTable()
        table.resize(limit)
        read(raw("44 012f"), table)
        assert (table.count, table.size) == (count, 38 * count)


def test_a_table_without_room_is_whole() -> None:
    table = DynamicTable(is_whole=False)
    table.resize(31)
    assert table.is_whole


def test_a_loss_hides_the_limit_too() -> None:
    """A size update may be among what is lost: the entry may have been added."""
    table = DynamicTable()
    table.lose()
    large = b"a" * 5000
    block = read(b"\x44" + string(large, False) + raw("44 012f bf"), table)
    assert block.headers[-1] == (b":path", large)


def test_what_is_dropped_without_a_limit_leaves_older_ones_unknown() -> None:
    table = DynamicTable(is_whole=False)
    for _ in range(30):
        read(b"\x44" + string(b"a" * 10_000, False), table)
    assert not table.is_whole
    assert read(integer(128, 127, 62 + table.count), table).headers == [(None, None)]


# ── Blocks that came before ──────────────────────────────────────────────────────────

# They add, refer to what was added, change the limit, name, and end too early.
SAID = [
    raw(one)
    for one in (
        "82 86 84 be", "82 bf be", "c0", "be", "40 01 61 01 62", "40 01 61 01 63", "00 01 61 01 62",
        "20", "3f 01", "3f 21 be", "be 40 01 61 01 62", "10 01 61", "80", "ff 40", "82",
    )
]  # fmt: skip


@given(st.lists(st.sampled_from(SAID), max_size=40), st.booleans(), st.sampled_from([4096, 64, -1]))
def test_a_block_that_was_read_before_means_what_it_would_mean_now(
    blocks: list[bytes], is_whole: bool, allowed: int
) -> None:
    one, two = DynamicTable(is_whole), DynamicTable(is_whole)
    for number, data in enumerate(blocks):
        if number == 7 and allowed >= 0:
            one.allow(allowed)
            two.allow(allowed)
        if number == 23:
            one.lose()
            two.lose()
        two.known.clear()
        first, second = read(data, one, number), read(data, two, number)
        assert first.lines == second.lines
        assert (str(first.error), [str(each) for each in first.warnings]) == (
            str(second.error), [str(each) for each in second.warnings]
        )  # fmt: skip


def test_few_blocks_are_remembered() -> None:
    table = DynamicTable()
    for number in range(1000):
        read(bytes((0, 2)) + number.to_bytes(2, "big") + b"\x01b", table)
    assert 0 < len(table.known) <= 64
    read(b"\0\x01a\x7f\xe0\x0f" + bytes(2143), table)
    assert max(len(data) for data in table.known) < 2000
    table.add(TableEntry(b"a", b"b", 1))
    assert not table.known
