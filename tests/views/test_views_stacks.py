"""Bars made of parts: the numbers, their signs, the words; and what bytes are spent on."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pages import Page
from places import ROOT

from pingpong import lab, read, views
from pingpong.views.html import MAX_HTML
from pingpong.views.stacks import Stacks
from pingpong.views.text import STYLES, display_width, plain

PARTS = {
    "one": {"framing": 8, "addressing": 26, "payload": 47},
    "登录": {"framing": 32, "addressing": 64, "payload": 46},
    "nothing": {"framing": 0, "addressing": 0, "payload": 0},
}
CHART = """\
a login

         ░ framing  ▒ addressing  ▓ payload  bytes
────────────────────────────────────────────────────────────────────────────────────────────
one              8            26         47     81  ░░▒▒▒▒▒▒▒▒▓▓▓▓▓▓▓▓▓▓▓▓▓
登录            32            64         46    142  ░░░░░░░░░▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▓▓▓▓▓▓▓▓▓▓▓▓▓
nothing          0             0          0      0
From 0 bytes (nothing) to 142 bytes (登录)."""


def test_stacks_look_like_this() -> None:
    chart = Stacks(PARTS, "bytes", "a login")
    assert str(chart) == views.text(chart)
    assert [line.rstrip() for line in str(chart).splitlines()] == CHART.splitlines()
    assert repr(chart) == "<Stacks of 3, in bytes>"


def test_the_page_has_the_same_facts() -> None:
    chart = Stacks(PARTS, "bytes", "a < b")
    page = Page(chart._repr_html_())
    (table,) = page.tables
    lines = str(chart).splitlines()[2:]
    del lines[1]
    assert ["".join(row).replace(" ", "") for row in table] == [
        line.replace(" ", "") for line in lines
    ]
    assert "a < b" in page.words


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(ValueError, match="parts: are 5, want at most 4"):
        Stacks({"a": dict.fromkeys("abcde", 1)}, "bytes")
    with pytest.raises(ValueError, match=r"b: has the parts \('x',\), want \('y',\)"):
        Stacks({"a": {"y": 1}, "b": {"x": 1}}, "bytes")
    with pytest.raises(ValueError, match="a, y: is -1"):
        Stacks({"a": {"y": -1}}, "bytes")


NUMBERS = st.floats(min_value=0, max_value=1e9) | st.integers(0, 10**6)
NAMES = st.text(max_size=50)


@settings(max_examples=30)
@given(
    st.dictionaries(NAMES, st.tuples(NUMBERS, NUMBERS), max_size=8),
    st.lists(NAMES, min_size=2, max_size=2, unique=True),
    st.integers(120, 200),
)
def test_nothing_gets_out_and_everything_fits(
    numbers: dict[str, tuple[float, float]], parts: list[str], width: int
) -> None:
    chart = Stacks(
        {name: dict(zip(parts, two, strict=True)) for name, two in numbers.items()},
        "bytes\x1b[31m",
        "title\x1b[31m",
    )
    lines = views.lines(chart, width=width)
    assert all(run.style in STYLES for line in lines for run in line)
    text = plain(lines)
    assert "\x1b" not in text
    assert all(display_width(line) <= width for line in text.splitlines())
    assert len(views.html(chart)) <= MAX_HTML


def test_no_bar_for_nothing() -> None:
    chart = Stacks({}, "bytes")
    assert "nothing to compare" in str(chart)


def test_a_login_by_purpose() -> None:
    """Counted by hand, from the bytes of the two messages."""
    login = read(ROOT / "captures" / "ping_login.pcap").exchanges[1]
    assert login.call is not None
    # version and type 4; a name of 5 behind its length, seqid 4; two fields of 7 + text, STOP
    call = {"framing": 4, "addressing": 13, "metadata": 0, "payload": 2 * 7 + 4 + 3 + 1}
    reply = {"framing": 4, "addressing": 13, "metadata": 0, "payload": 7 + 13 + 1}
    both = {part: call[part] + reply[part] for part in call}
    chart = lab.by_purpose({"both": login, "call": login.call, "list": [login.call, login.call]})
    assert chart.numbers == {
        "both": both,
        "call": call,
        "list": {part: 2 * size for part, size in call.items()},
    }
