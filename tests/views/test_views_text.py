"""Escaping, widths and numbers: what every view stands on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pingpong.views.text import (
    Run,
    clock,
    display_width,
    duration,
    elide,
    escape,
    pad,
    plain,
    quote,
    wrap,
)

ESCAPED = {
    "plain": "plain",
    "登录成功!": "登录成功!",
    "é ñ 🙂": "é ñ 🙂",
    "a\nb\r\tc": "a\\nb\\r\\tc",
    "\x00\x07\x1b[31m\x7f": "\\x00\\x07\\x1b[31m\\x7f",
    "\x9b31m": "\\x9b31m",  # the one-byte form of ESC [
    "\u202egnp.exe": "\\u202egnp.exe",
    "\u2066x\u2069": "\\u2066x\\u2069",
    "a\u200bb\ufeff": "a\\u200bb\\ufeff",
    "a\u2028b\u2029": "a\\u2028b\\u2029",
    "\ud800": "\\ud800",
    "\U000e0041": "\\U000e0041",
    "e\u0301": "e\u0301",
    "\u0301e": "\\u0301e",  # it would sit on what stands before
    "z" + "\u0301" * 5: "z" + "\u0301" * 3 + "\\u0301" * 2,
    "a\\x1b": "a\\x1b",
}


@pytest.mark.parametrize("text", ESCAPED, ids=ascii)
def test_escape(text: str) -> None:
    assert escape(text) == ESCAPED[text]


@given(st.text())
def test_what_is_escaped_can_be_shown_and_escaped_again(text: str) -> None:
    once = escape(text)
    assert once.isprintable()
    assert escape(once) == once


def test_quoted_text_cannot_look_like_two() -> None:
    assert quote('a", 2: "b') == r'"a\", 2: \"b"'
    assert quote("a\\") == r'"a\\"'


WIDTHS = {"": 0, "abc": 3, "登录成功!": 9, "e\u0301": 1, "é": 1, "ｆ": 2, "─▶": 2}


@pytest.mark.parametrize("text", WIDTHS, ids=ascii)
def test_display_width(text: str) -> None:
    assert display_width(text) == WIDTHS[text]


@given(st.text(), st.integers(0, 30))
def test_elided_text_fits(text: str, width: int) -> None:
    text = escape(text)
    got = elide(text, width)
    assert display_width(got) <= width
    assert got == text or got == "" or got.endswith("…")


@given(st.text(), st.integers(2, 30))
def test_wrapped_text_fits_and_keeps_every_word(text: str, width: int) -> None:
    text = escape(text)
    pieces = wrap(text, width)
    assert all(display_width(piece) <= width for piece in pieces)
    assert "".join(pieces).replace(" ", "") == text.replace(" ", "")


def test_wide_text_is_not_cut_through_a_character() -> None:
    assert elide("登录成功!", 6) == "登录…"
    assert wrap("登录成功!", 5) == ["登录", "成功!"]


def test_pad() -> None:
    assert [pad("登", 4), pad("登", 4, ">"), pad("登", 5, "^")] == ["登  ", "  登", " 登  "]
    assert pad("too long", 3) == "too long"


def test_lines_end_without_spaces() -> None:
    assert plain([[Run("a "), Run("b  ", "dim")], []]) == "a b\n"


DURATIONS = {
    0: "0 ns",
    999: "999 ns",
    312_400: "312 µs",
    12_345_678: "12.35 ms",
    999_994_999: "999.99 ms",
    999_999_999: "1.000 s",
    1_204_000_000: "1.204 s",
    86_400_000_000_000: "86400.000 s",
    -312_000: "-312 µs",
}


@pytest.mark.parametrize("time", DURATIONS)
def test_duration(time: int) -> None:
    assert duration(time) == DURATIONS[time]


CLOCKS = {
    0: "1970-01-01 00:00:00.000000",
    1_700_000_000_000_312_999: "2023-11-14 22:13:20.000312",
    -1: "1969-12-31 23:59:59.999999",
    10**21: "1000000000000.000000 s since 1970",
}


@pytest.mark.parametrize("time", CLOCKS)
def test_clock(time: int) -> None:
    assert clock(time) == CLOCKS[time]
