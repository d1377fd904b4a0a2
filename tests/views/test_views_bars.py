"""Bars: the numbers, their proportions, the words, and that nothing gets out."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pages import Page

from pingpong import lab, views
from pingpong.views.bars import BAR, MAX_BARS, Bars
from pingpong.views.html import MAX_HTML
from pingpong.views.text import STYLES, display_width, plain

SIZES = {"binary": 39, "compact": 25, "nothing": 0, "登录": 0.25}
CHART = """\
login, in one message

         bytes
────────────────────────────────────────────────────────
binary      39  ████████████████████████████████████████
compact     25  █████████████████████████▋
nothing      0
登录      0.25  ▎
From 0 bytes (nothing) to 39 bytes (binary)."""


def test_bars_look_like_this() -> None:
    chart = lab.bars(SIZES, title="login, in one message")
    assert str(chart) == views.text(chart) == CHART
    assert repr(chart) == "<Bars of 4, in bytes>"


def test_the_page_has_the_same_facts() -> None:
    chart = lab.bars(SIZES, title="a < b")
    page = Page(chart._repr_html_())
    (table,) = page.tables
    lines = str(chart).splitlines()[2:]
    del lines[1]
    assert ["".join(row).replace(" ", "") for row in table] == [
        line.replace(" ", "") for line in lines
    ]
    assert "a < b" in page.words


@pytest.mark.parametrize(
    ("numbers", "unit", "words"),
    [
        ({}, "bytes", "nothing to compare"),
        ({"a": 1}, "bytes", "1 byte: a."),
        ({"a": 0, "b": 0}, "ms", "0 ms: all of them."),
        ({"a": 1, "b": 2}, "bytes", "From 1 byte (a) to 2 bytes (b)."),
        ({"a": 3, "b": 1, "c": 3}, "calls", "From 1 calls (b) to 3 calls (a, c)."),
        (
            {"z": 9, **dict.fromkeys("abcde", 1)},
            "bytes",
            "From 1 byte (a, b, c and 2 more) to 9 bytes (z).",
        ),
        ({"a": 2**60, "b": 0.3333}, "", "From 0.333 (b) to 1.15e+18 (a)."),
    ],
)
def test_the_picture_in_words(numbers: dict[str, float], unit: str, words: str) -> None:
    assert Bars(numbers, unit).summary == words
    assert str(Bars(numbers, unit)).endswith(words)


@pytest.mark.parametrize("number", [-1, float("nan"), float("inf")])
def test_what_no_bar_can_show(number: float) -> None:
    with pytest.raises(ValueError, match=r"ping: is .*, want a number that is 0 or more"):
        lab.bars({"ping": number})


def test_a_long_chart_says_what_it_leaves_out() -> None:
    chart = lab.bars({f"call {at}": at for at in range(MAX_BARS + 7)}, title="x" * 10_000)
    assert "… 7 more, not shown. From 0 bytes (call 0) to 56 bytes (call 56)." in str(chart)
    assert len(chart._repr_html_()) < MAX_HTML / 4


def test_names_are_shown_and_not_obeyed() -> None:
    chart = lab.bars({"<script>\x1b[31m" + "n" * 100: 1}, unit="<i>\x07", title="\u202e<b>")
    assert all(line.isprintable() for line in str(chart).splitlines())
    source = chart._repr_html_()
    Page(source)
    assert source.isprintable()
    assert not re.search("<(script|i|b)>", source)


@given(st.dictionaries(st.text(), st.floats(0, 1e300), max_size=8), st.text(), st.integers(64, 120))
def test_bars_fit_and_keep_their_order(numbers: dict[str, float], title: str, width: int) -> None:
    chart = Bars(numbers, "bytes", title)
    for line in views.lines(chart, width=width):
        assert display_width(plain([line])) <= width
        assert plain([line]).isprintable()
        assert all(run.style in STYLES for run in line)
    (table,) = Page(views.html(chart)).tables
    long = [len(row[2]) for row in table[1 : 1 + len(numbers)]]
    assert max(long, default=0) <= BAR
    for one, number in zip(long, numbers.values(), strict=True):
        assert bool(one) == bool(number)
        assert all(
            other >= one
            for other, more in zip(long, numbers.values(), strict=True)
            if more >= number
        )
