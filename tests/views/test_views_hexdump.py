"""Every byte of a message is in its hexdump once, at its place."""

from __future__ import annotations

import re

import pytest
from views_samples import MESSAGES

from pingpong.model import Message
from pingpong.protocols.explain import explain
from pingpong.views.hexdump import hexdump, note_rows
from pingpong.views.text import STYLES, display_width, plain

ROW = re.compile(r" *(\d+)  ((?:[0-9a-f]{2}|··)(?: (?:[0-9a-f]{2}|··))*)(?:  |$)")


def dumped(message: Message, text: str) -> dict[int, str]:
    """Offset → two hex digits, of every byte in the dump."""
    found: dict[int, str] = {}
    for line in text.splitlines():
        if row := ROW.match(line):
            for at, pair in enumerate(row[2].split(" ")):
                assert found.setdefault(int(row[1]) + at, pair) == pair
    return found


@pytest.mark.parametrize("name", MESSAGES)
def test_every_byte_is_there_once_and_in_order(name: str) -> None:
    message = MESSAGES[name]
    text = plain(hexdump(message, limit=None, notes=None))
    found = dumped(message, text)
    assert list(found) == list(range(message.size))
    lost = {at for gap in message.gaps for at in range(gap.offset, gap.stop)}
    for at, pair in found.items():
        assert pair == ("··" if at in lost else f"{message.data[at]:02x}")


def test_a_small_message_looks_like_this() -> None:
    lines = plain(hexdump(MESSAGES["add"], why=False)).splitlines()
    assert lines[0] == "CALL add, seqid 1, client → server, 30 bytes, binary unframed"
    assert lines[1] == ""
    assert lines[2] == "   0  80 01                    version             1, strict"
    assert [line[6:29].rstrip() for line in lines[2:]] == [
        *("80 01", "00", "01", "00 00 00 03", "61 64 64", "00 00 00 01"),
        *("08", "00 01", "00 00 00 02", "08", "00 02", "00 00 00 28", "00"),
    ]
    assert lines[-2].split() == ["25", "00", "00", "00", "28", "value", "40"]


def test_long_values_and_long_messages_say_what_is_left_out() -> None:
    message = MESSAGES["long"]
    text = plain(hexdump(message))
    assert "… 3936 bytes more" in text
    rows, hidden = note_rows(message)
    assert len(rows) == 200
    assert len(rows) + hidden == len(explain(message))
    assert f"… {hidden} more notes, not shown" in text
    assert max(dumped(message, text)) < message.size


@pytest.mark.parametrize("limit", [1, 8, 16, 100, 3999, 4000])
def test_a_limit_shows_a_beginning_and_an_end(limit: int) -> None:
    rows, _ = note_rows(MESSAGES["long"], limit)
    value = next(row for row in rows if len(row.note.span) == 4000)
    shown = sum(len(text.split()) for offset, text in value.rows if offset is not None)
    told = [int(text.split()[1]) for offset, text in value.rows if offset is None]
    assert shown + sum(told) == 4000
    assert value.rows[0][0] == value.note.span.start


def test_lost_bytes_are_dots_and_named() -> None:
    text = plain(hexdump(MESSAGES["lossy"]))
    assert "  40  ·· ·· ·· ·· ·· ·· ·· ··  lost" in text
    assert "  48  ·· ··\n" in text
    assert text.splitlines()[-1].startswith("warning: ")


def test_fields_are_indented_by_depth() -> None:
    lines = plain(hexdump(MESSAGES["every type"], why=False)).splitlines()
    version = next(line for line in lines if "version" in line).index("version")
    types = [line.index("field type") - version for line in lines if "field type" in line]
    assert set(types) == {2, 4, 6}  # a struct in a list is two deeper
    assert types[0] == 2


def test_a_sentence_is_said_once() -> None:
    text = plain(hexdump(MESSAGES["framed login"], width=200))
    assert text.count("In bytes.") == 1
    assert "Argument 1." in text
    assert "Argument 2." in text


def test_ports_only_where_asked_for() -> None:
    message = MESSAGES["add"]
    assert "50001" not in plain(hexdump(message))
    assert "client 10.0.0.1:50001 → server 10.0.0.2:9090" in plain(hexdump(message, exact=True))


@pytest.mark.parametrize("name", MESSAGES)
def test_lines_are_printable_no_wider_than_the_screen_and_of_known_styles(name: str) -> None:
    lines = hexdump(MESSAGES[name])
    for line in lines[1:]:
        assert display_width(plain([line])) <= 100, plain([line])
    for line in lines:
        assert plain([line]).isprintable()
        assert all(run.style in STYLES for run in line)
