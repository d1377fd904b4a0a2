"""Messages side by side: every byte in one cell, in the row of what it is for."""

from __future__ import annotations

import re

import pytest
from dialects import SAID, THRIFTPY2, WRITERS, Said
from hypothesis import given
from hypothesis import strategies as st
from making import PING, message
from pages import Page
from views_samples import MESSAGES

import pingpong
from pingpong import lab, views
from pingpong.model import Record
from pingpong.views.html import MAX_HTML
from pingpong.views.side import MAX_ROWS, MAX_SIDES, MORE, NOTHING, Sides, rows
from pingpong.views.text import STYLES, display_width, plain


def in_all(said: Said) -> list[Record]:
    """A message in every protocol that thriftpy2 has."""
    return [pingpong.decode(write[THRIFTPY2](name, said, "")) for name, write in WRITERS.items()]


def cells(thing: Sides, title: str) -> list[list[str]]:
    """What stands in the rows of that title."""
    found = rows(thing, 1000)[0]
    return [["".join(cell) for cell in row.cells] for row in found if row.title == title]


ADD = """\
CALL add: binary 30 bytes, compact 12 bytes, json 44 bytes

what                 binary       compact   json
───────────────────────────────────────────────────────
version and type     80 01 00 01  82 21     [1,1,
method name length   00 00 00 03  03        –
method name          61 64 64     61 64 64  "add",
seqid                00 00 00 01  01        1,
struct begins        –            –         {
field 1 type and id  08 00 01     15        "1":{"i32":
field 1 value        00 00 00 02  04        2},
field 2 type and id  08 00 02     15        "2":{"i32":
field 2 value        00 00 00 28  50        40}
end                  00           00        }]
bytes in all         30           12        44"""


def test_side_by_side_looks_like_this() -> None:
    binary, _, compact, json, _ = in_all(SAID[0])
    thing = lab.side_by_side(binary, compact, json)
    assert str(thing) == ADD
    assert repr(thing) == "<Sides of 3: binary, compact, json>"


def test_another_order_and_names_for_ids_stand_in_the_same_rows() -> None:
    call = Sides(in_all(SAID[0]))
    assert cells(call, "version and type")[0][:4] == ["80 01 00 01", "01", "82 21", "[1,1,"]
    assert cells(call, "before the message") == [[NOTHING] * 4 + ["00 00 00 61"]]
    assert cells(call, "field 2 type and id")[0][3:] == ['"2":{"i32":', '"b":']
    reply = Sides(in_all(SAID[1]))
    assert cells(reply, "field 0 value") == [["00 00 00 2a", "00 00 00 2a", "54", "42}", "42"]]


def test_elements_of_lists_stay_apart() -> None:
    everything = Sides([one for one in in_all(SAID[2]) if one.protocol.name != "thriftpy2-json"])
    assert cells(everything, "field 1.13.2 type and id") == [
        ["08 00 02", "08 00 02", "15", '"2":{"i32":'] for _ in range(2)
    ]
    assert cells(everything, "field 1.10 types and count") == [
        ["02 00 00 00 03", "02 00 00 00 03", "31", '["tf",3,']
    ]
    assert cells(everything, "field 1.12 key 0 length")[0][2:] == ["03", NOTHING]


def test_transports_are_named_where_protocols_do_not_tell() -> None:
    framed = message(len(PING).to_bytes(4, "big") + PING, "framed")
    assert Sides([message(PING), framed]).names == ("binary unframed", "binary framed")
    assert Sides([message(PING), framed], ["a", "b"]).names == ("a", "b")
    struct = pingpong.decode_struct(b"\x08\x00\x01\x00\x00\x00\x02\x00")
    assert str(Sides([struct])).startswith("struct: binary 8 bytes\n")


def test_what_cannot_be_lined_up() -> None:
    one = message(PING)
    with pytest.raises(ValueError, match="messages: are 0, want 1 to 8"):
        lab.side_by_side()
    with pytest.raises(ValueError, match="messages: are 9, want 1 to 8"):
        lab.side_by_side(*[one] * (MAX_SIDES + 1))
    with pytest.raises(ValueError, match="names: are 1, want one a message, 2"):
        lab.side_by_side(one, one, names=["a"])


@pytest.mark.parametrize("said", SAID, ids=lambda said: f"{said.type} {said.method}")
def test_every_byte_is_in_one_cell(said: Said) -> None:
    records = in_all(said)
    for at, record in enumerate(records[:3]):
        for group in ([record], records[:3]):
            found, is_cut = rows(Sides(group), 10_000)
            hidden = "".join("".join(row.cells[min(at, len(group) - 1)]) for row in found)
            if not is_cut:
                left = bytes.fromhex(hidden.replace(NOTHING, " ").replace(" ", ""))
                assert sorted(left) == sorted(record.data)


def test_the_page_has_the_same_facts() -> None:
    for group in (in_all(SAID[0]), in_all(SAID[4]), [MESSAGES["lossy"], MESSAGES["add"]]):
        thing = Sides(group)
        (table,) = Page(views.html(thing)).tables
        text = views.text(thing, width=1000).splitlines()[2:]
        squeezed = re.sub(r"[\s─]", "", "".join("".join(row) for row in table))
        words = re.sub(r"[\s─]", "", "".join(text))
        assert sorted(squeezed) == sorted(words)


@pytest.mark.parametrize("name", ["long", "hostile", "deep", "every type", "lossy", "cut off"])
def test_what_is_long_or_damaged(name: str) -> None:
    thing = Sides([MESSAGES[name], MESSAGES["ping"]])
    source = views.html(thing)
    Page(source)
    assert len(source) < MAX_HTML
    assert "<script" not in source
    text = str(thing)
    assert all(line.isprintable() for line in text.splitlines())
    if name == "long":
        assert MORE in text
        assert MORE in source
        assert len(text.splitlines()) < 5 * MAX_ROWS
        assert " more\n" in text
    if name == "lossy":
        assert "10 bytes lost" in text


@given(
    st.lists(st.sampled_from([*MESSAGES.values(), *in_all(SAID[2])]), min_size=1, max_size=4),
    st.integers(52, 160),
)
def test_sides_fit(records: list[Record], width: int) -> None:
    for line in views.lines(Sides(records), width=width):
        assert display_width(plain([line]).rstrip()) <= width
        assert plain([line]).isprintable()
        assert all(run.style in STYLES for run in line)
