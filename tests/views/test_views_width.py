"""No line is wider than it was asked to be, whatever the wire says; and no width breaks a view.

Each view has a least width, which its docstring names: what has to be shown whole needs its room.
"""

from __future__ import annotations

import sys
from typing import Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from making import Talk, framed, message
from places import ROOT
from rich.cells import cell_len
from views_samples import MESSAGES, call, field, lesson, odd, string

from pingpong import cli, views
from pingpong.capture import Capture, read_packets
from pingpong.cli import printing
from pingpong.hints.complaints import explain_text
from pingpong.hints.magic_numbers import explain_number
from pingpong.model import Message
from pingpong.views.bars import Bars
from pingpong.views.diagnosis import diagnosis_lines
from pingpong.views.hexdump import hexdump
from pingpong.views.hint import number, pasted
from pingpong.views.ladder import ladder
from pingpong.views.side import MAX_SIDES, Sides, sides
from pingpong.views.table import exchange_table, message_table
from pingpong.views.table import lines as table_lines
from pingpong.views.text import Line, Run, clip, display_width, escape, plain, wrapped
from pingpong.views.tree import tree

# Wide, joined, combining, invisible, obeyed, from right to left, and what is none of that.
LETTERS: Final = [
    *(
        "a",
        "z",
        " ",
        ":",
        "登",
        "录",
        "ｆ",
        "한",
        "👩",
        "\u200d",
        "🇩",
        "🇪",
        "\U0001f3fd",
        "❤",
        "\ufe0f",
    ),
    *(
        "e",
        "\u0301",
        "\u0489",
        "\u200b",
        "\u00ad",
        "א",
        "ع",
        "\u202e",
        "\x1b",
        "\n",
        "\x00",
        "\x9b",
    ),
]
TEXTS: Final = st.text(st.sampled_from(LETTERS), max_size=90)
WIDTHS: Final = st.integers(20, 200)


def widest(lines: list[Line]) -> int:
    """Of the lines; each can be shown, and is one."""
    for line in lines:
        text = "".join(run.text for run in line)
        assert text.isprintable()
    return max((display_width(line) for line in plain(lines).split("\n")), default=0)


def said(method: str, text: str, key: str) -> Message:
    """A call with these words in it."""
    fields = field(11, 1, string(text.encode()))
    one = string(key.encode())
    fields += field(13, 2, b"\x0b\x0b\0\0\0\1" + one + one)
    fields += field(15, 3, b"\x0b\0\0\0\2" + one + string(text.encode()))
    inner = field(12, 1, field(12, 1, field(11, 1, one) + b"\0") + b"\0") + b"\0"
    return message(call(method.encode() or b"m", fields + field(12, 4, inner)))


def conversation(method: str, text: str) -> Capture:
    one = call(method.encode() or b"m", field(11, 1, string(text.encode())))
    failed = call(
        method.encode() or b"m", field(11, 1, string(text.encode())) + field(8, 2, b"\0\0\0\6"), 3
    )
    talk = Talk().open().call(one).reply(failed).call(framed(one)).close()
    return read_packets(talk.packets, f"{text}.pcap")


@given(TEXTS, TEXTS, TEXTS, WIDTHS)
@example("登" * 40, "❤\ufe0f" * 40, "👩\u200d" * 30, 65)
def test_messages_fit(method: str, text: str, key: str, width: int) -> None:
    one = said(method, text, key)
    places = max(len(str(len(one.data))), 4)
    for exact in (False, True):
        assert widest(tree(one, exact=exact, width=width)) <= width
        assert widest(hexdump(one, exact=exact, width=width)) <= max(width, 61 + places)


@given(st.sampled_from(sorted(MESSAGES)), WIDTHS)
def test_odd_messages_fit(name: str, width: int) -> None:
    one = MESSAGES[name]
    places = max(len(str(len(one.data))), 4)
    assert widest(tree(one, width=width)) <= width
    assert widest(hexdump(one, width=width)) <= max(width, 61 + places)


@given(TEXTS, TEXTS, WIDTHS)
def test_captures_fit(method: str, text: str, width: int) -> None:
    capture = conversation(method, text)
    for exact, least in ((False, 65), (True, 87)):
        for acks in (False, True):
            drawn = ladder(capture.steps, exact=exact, acks=acks, width=width)
            assert widest(list(drawn)) <= max(width, least)
        for flow in capture.flows:
            assert widest(views.lines(flow, exact=exact, width=width)) <= width
        for exchange in capture.exchanges:
            assert widest(views.lines(exchange, exact=exact, width=width)) <= width
    assert widest(views.lines(capture, width=width)) <= max(width, 90)


@given(TEXTS, TEXTS, WIDTHS)
def test_tables_fit(method: str, text: str, width: int) -> None:
    """Down to the room for what is shown whole, and for 8 columns of what is not."""
    capture = conversation(method, text)
    for table, least in (
        (message_table(capture.messages), 70),
        (exchange_table(capture.exchanges), 90),
        (message_table(capture.messages, exact=True), 130),
        (exchange_table(capture.exchanges, exact=True), 100),
    ):
        assert widest(table_lines(table, 1)) <= least
        assert widest(table_lines(table, width)) <= max(width, widest(table_lines(table, 1)))
        assert widest(table_lines(table, None)) <= widest(table_lines(table, 1000))


@given(st.lists(TEXTS, min_size=1, max_size=MAX_SIDES), TEXTS, TEXTS, WIDTHS)
@example(["a", "b", "c", "d"], "m", "x" * 80, 80)
def test_sides_fit(names: list[str], method: str, text: str, width: int) -> None:
    odd = [MESSAGES["lossy"], said("long", "x" * 4000, "k"), said(method, text, text)]
    thing = Sides([odd[at % 3] for at in range(len(names))], names)
    assert widest(sides(thing, width=width)) <= max(width, 12 + 10 * len(names))


@given(st.dictionaries(TEXTS, st.floats(0, 1e12), max_size=5), TEXTS, TEXTS, WIDTHS)
def test_bars_fit(numbers: dict[str, float], unit: str, title: str, width: int) -> None:
    chart = Bars(numbers, unit, title)
    least = widest(views.lines(chart, width=20))
    assert least <= 40 + 40 + 12
    assert widest(views.lines(chart, width=width)) <= max(width, least)


@given(TEXTS, st.integers(-(2**31), 2**64), WIDTHS)
def test_answers_without_a_capture_fit(text: str, value: int, width: int) -> None:
    for words in (text, f"{text} {value}", f"Frame size {value} larger than max {text}"):
        assert widest(pasted(explain_text(words), width=width)) <= max(width, 38)
    assert widest(number(explain_number(value), width=width)) <= max(width, 38)


@given(TEXTS, TEXTS, WIDTHS)
def test_diagnoses_fit(method: str, text: str, width: int) -> None:
    for capture in (conversation(method, text), odd(), lesson()):
        for exact in (False, True):
            drawn = diagnosis_lines(capture.diagnosis, exact=exact, width=width)
            assert widest(drawn) <= max(width, 38)


@pytest.mark.parametrize("width", [-1, 0, 1, 2, 3, 5, 8, 13, 19])
def test_no_width_breaks_a_view(width: int) -> None:
    capture = odd()
    things = [
        *(capture, capture.messages, capture.exchanges, *capture.exchanges, *capture.flows),
        *(capture.diagnosis, capture.exchanges.totals(), *MESSAGES.values()),
        Sides([*MESSAGES.values()][:MAX_SIDES]),
        Bars({"登" * 40: 1, "b": 3}, "登" * 40, "a title"),
        explain_number(1195725856),
        explain_text("登" * 30),
    ]
    for thing in things:
        assert views.text(thing, width=width, exact=True)
    for one in MESSAGES.values():
        assert tree(one, width=width)
    assert list(ladder(capture.steps, width=width))


def test_clip() -> None:
    line = [Run("abc", "dim"), Run("登录", "value")]
    assert clip(line, 7) == line
    assert clip(line, 6) == [Run("abc", "dim"), Run("登…", "value")]
    assert clip(line, 4) == [Run("abc…", "dim")]
    assert clip(line, 1) == clip(line, 0) == [Run("…", "dim")]


def test_wrapped() -> None:
    assert wrapped("one two", 4, "dim") == [[Run("one", "dim")], [Run("two", "dim")]]
    assert wrapped("登录", 1) == [[Run("登")], [Run("录")]]


def test_letters_are_as_wide_as_others_say() -> None:
    """rich measures for a terminal; joined and marked letters may be narrower than we think."""
    # Scripts that no edition of Unicode has made wider since.
    scripts = [
        (0x20, 0x900),
        (0x3041, 0x3100),
        (0x4E00, 0x9FFF),
        (0xAC00, 0xD7A4),
        (0xFF01, 0xFFE7),
    ]
    for code in (
        one for start, stop in [*scripts, (0x1F300, 0x1F6D0)] for one in range(start, stop)
    ):
        shown = escape(chr(code))
        assert display_width(shown) >= cell_len(shown), ascii(shown)


@pytest.mark.parametrize("columns", ["1", "20"])
@pytest.mark.parametrize(
    "words",
    [["diagnose"], ["show"], ["show", "-m", "3"], ["calls", "--total"], ["messages"]],
    ids=" ".join,
)
def test_a_narrow_terminal(
    words: list[str],
    columns: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert printing.width() == int(columns)
    path = str(ROOT / "captures" / "incident.pcap")
    assert cli.run([words[0], path, *words[1:]]) in (0, cli.TROUBLE)
    assert capsys.readouterr().out
