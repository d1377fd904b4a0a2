"""A number and a paste as text: what is said, how it is wrapped, and that nothing gets out."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import ADD, Talk
from pasting import LINES, tcpdump, xxd
from pasting import NUMBERS as TABLE

from pingpong.hints.complaints import TextVerdict, explain_text
from pingpong.hints.magic_numbers import NumberVerdict, Role, explain_bytes, explain_number
from pingpong.hints.pasted import blocks_in
from pingpong.views.hint import number, pasted
from pingpong.views.text import STYLES, Line, display_width, plain


def text_of(pasted_text: str, width: int = 100) -> str:
    return plain(pasted(explain_text(pasted_text), width=width))


def test_a_number_looks_like_this() -> None:
    assert plain(number(explain_number(-2147418111))).splitlines() == [
        "-2147418111 = 80 01 00 01",
        "  what it is      the first 4 bytes of a strict binary CALL",
        "  who sent it     a client with an unframed (buffered) transport",
        "  who read it     a server with a framed transport, as the length of a frame",
        "  what to change  Use a framed transport in the client, or an unframed one in the server.",
        "  how sure        certain: too many bytes agree for chance",
        "  written down    doc/specs/thrift-binary-protocol.md, Message",
    ]


@pytest.mark.parametrize("thing", [explain_number(1195725856), explain_text("<b> Bad version 72")])
def test_it_shows_itself(thing: NumberVerdict | TextVerdict) -> None:
    lines = number(thing) if isinstance(thing, NumberVerdict) else pasted(thing)
    assert str(thing) == plain(lines)
    shown = thing._repr_html_()
    assert html.unescape(re.sub("<[^>]*>", "", shown)) == str(thing)


def test_a_line_of_a_log_looks_like_this() -> None:
    lines = text_of("Error: Invalid status 72", 72).splitlines()
    assert lines[0] == '72 = 48 "H"'
    assert lines[1] == "  what it is      the first byte of an HTTP response"
    at = lines.index('"Invalid status 72"')
    assert lines[at - 1] == ""
    assert lines[at + 1].startswith("  what it says    A reader with a SASL transport got a byte")
    causes = [line for line in lines if line[18:20] in ("1.", "2.", "3.")]
    assert causes[0].startswith("  likely causes   1. The sender does not use SASL")
    assert [line[:18].strip() for line in causes] == ["likely causes", "", ""]
    assert any(line.startswith("  look next at    the number, and the") for line in lines)


def test_text_beside_the_bytes() -> None:
    assert plain(number(explain_number(1195725856))).startswith('1195725856 = 47 45 54 20 "GET "')
    shown = plain(number(explain_number(0x2A31_0D0A)))
    assert shown.startswith("707857674 = 2a 31 0d 0a " + r'"*1\r\n"')
    assert plain(number(explain_bytes(ADD))).startswith("-2147418111 = 80 01 00 01 00 00 00 03")


def test_a_byte_that_was_printed_with_its_sign() -> None:
    assert text_of("Expected protocol id ffffff82 but got ffffff80").startswith("ffffff80 = 80\n")


def test_other_explanations_follow() -> None:
    lines = plain(number(explain_number(30))).splitlines()
    assert [line[2:18].strip() for line in lines if line[2:4] in ("wh", "or")] == [
        *("what it is", "who sent it", "who read it", "what to change"),
        *("or", "who sent it", "who read it", "what to change"),
    ]


def test_what_cannot_be_said_is_not() -> None:
    lines = plain(number(explain_number(-5000))).splitlines()
    assert lines == [
        "-5000 = ff ff ec 78",
        " " * 18 + "Nothing that is known here begins with these bytes.",
    ]
    limit = plain(number(explain_number(16_384_000)))
    assert "who sent it" not in limit
    assert "longest frame" in limit
    assert plain(number(explain_number(10**5000))).startswith("a number of 16610 bits\n")


def test_blocks_are_listed() -> None:
    assert text_of(xxd(ADD)) == "30 bytes: 80 01 00 01 00 00 00 03 61 64 64 00 00 00 01 08 …"
    talk = Talk().open().call(ADD)
    lines = text_of("\n".join(tcpdump(packet.data[14:]) for packet in talk.packets)).splitlines()
    assert lines[0] == "a packet of 40 bytes, 10.0.0.1:50001 → 10.0.0.2:9090, no payload"
    assert " ".join(lines[3:]) == (
        "a packet of 70 bytes, 10.0.0.1:50001 → 10.0.0.2:9090, 30 bytes of payload: "
        "80 01 00 01 00 00 00 03 61 64 64 00 00 00 01 08 …"
    )


def test_many_blocks_are_counted() -> None:
    blocks = blocks_in("b'x' " * 25)
    shown = plain(pasted(TextVerdict((), (), blocks)))
    assert shown.count("1 byte: 78") == 20
    assert shown.endswith("… 5 more, not shown")


def test_nothing_and_too_much() -> None:
    assert text_of("hello") == "No number, no bytes and no words that are known here."
    cut = plain(pasted(TextVerdict((), (), (), True)))
    assert cut.endswith("Only the beginning of the text was looked at.")


HOSTILE = (
    "Could not connect to \x1b[31m evil \u202egnp.exe \x07",
    "Invalid method name: 'a\x9b31m'",
    "Peer indicated failure: \x1b]0;title\x07 登录失败 \u2066x",
    "Unsupported mechanism type PLAIN\x00\x1b",
)


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_hostile_text_is_shown_and_not_obeyed(text: str) -> None:
    shown = text_of(text)
    assert all(line.isprintable() for line in shown.splitlines())
    assert explain_text(text).complaints


def check(lines: list[Line], width: int) -> None:
    for line in lines:
        assert display_width(plain([line])) <= width, plain([line])
        assert plain([line]).isprintable()
        assert all(run.style in STYLES for run in line)


@pytest.mark.parametrize("width", [40, 72, 100, 200])
@pytest.mark.parametrize("line", [*LINES, *HOSTILE], ids=ascii)
def test_lines_fit(line: str, width: int) -> None:
    check(pasted(explain_text(line), width=width), width)


@pytest.mark.parametrize("width", [40, 72, 100, 200])
def test_numbers_fit(width: int) -> None:
    for value in [*TABLE, 0, 30, -1, 2**40, 2**80, 17_000_000]:
        for role in Role:
            check(number(explain_number(value, role), width=width), width)


@given(st.one_of(st.text(), st.sampled_from([*LINES])), st.integers(40, 120))
def test_anything_fits(text: str, width: int) -> None:
    check(pasted(explain_text(text), width=width), width)
