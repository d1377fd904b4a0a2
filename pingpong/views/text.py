"""Text that is safe to show, and as wide as it looks.

    wire ─▶ escape ─▶ elide, pad, wrap, clip ─▶ Run (text, style) ─▶ Line ─▶ plain

Captured bytes are hostile.  Whatever a terminal or a page would obey instead of show (control
characters, ANSI escapes, overrides of the writing direction, line ends) is made visible.
Escaping twice changes nothing, so a backslash stays as it is.

A Line is a list of Runs.  A style only repeats what the text says: nothing is told by colour
alone.  The command line turns styles into colours; ``plain`` drops them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from typing import Final, NamedTuple

__all__ = [
    "STYLES",
    "WORDS",
    "Line",
    "Run",
    "clip",
    "clock",
    "display_width",
    "duration",
    "elide",
    "elide_middle",
    "escape",
    "pad",
    "plain",
    "quote",
    "seconds",
    "trim",
    "wrap",
    "wrapped",
]

# Styles: "" is ordinary text; each kind of Note is a style of the same name.
STYLES: Final = (
    "",
    "title",
    "head",
    "dim",
    "good",
    "warning",
    "error",
    "call",
    "reply",
    "frame",
    "header",
    "field",
    "size",
    "value",
    "stop",
    "lost",
    "unread",
)

# How many columns a view keeps for words, however narrow it has to be.
WORDS: Final = 20

# More combining marks than this on one letter are no longer writing.
_MAX_MARKS = 3

# The mark that turns the letter before it into a picture (emoji), which is two columns wide.
_AS_EMOJI: Final = "\ufe0f"


class Run(NamedTuple):
    """Some text in one style, one of STYLES."""

    text: str
    style: str = ""


Line = list[Run]


def plain(lines: Iterable[Line]) -> str:
    """The lines as one string, without styles and without a line end after the last."""
    return "\n".join("".join(run.text for run in line).rstrip() for line in lines)


# ── What is shown ────────────────────────────────────────────────────────────────────


def escape(text: str) -> str:
    r"""``text`` with everything made visible that a terminal or a page would obey.

    >>> escape("登录成功!\x1b[31m\n")
    '登录成功!\\x1b[31m\\n'
    """
    if text.isascii() and text.isprintable():
        return text
    out = []
    marks = _MAX_MARKS  # a mark at the very start would sit on whatever comes before the text
    for char in text:
        if _is_mark(char):
            marks += 1
            out.append(_escaped(char) if marks > _MAX_MARKS else char)
        else:
            marks = 0
            out.append(char if char.isprintable() else _escaped(char))
    return "".join(out)


def quote(text: str) -> str:
    r"""``text`` escaped and in double quotes, as Python and JSON would write it.

    Quotes and backslashes inside are escaped too, so that no text can look like two.

    >>> print(quote('say "hi"'))
    "say \"hi\""
    """
    return '"' + escape(text.replace("\\", "\\\\").replace('"', '\\"')) + '"'


def _escaped(char: str) -> str:
    short = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(char)
    if short:
        return short
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _is_mark(char: str) -> bool:
    return char > "\u02ff" and unicodedata.category(char) in ("Mn", "Me")


# ── How wide it is ───────────────────────────────────────────────────────────────────


def display_width(text: str) -> int:
    """How many columns an escaped text takes in a terminal.

    East Asian wide characters take 2, combining marks take 0.

    >>> display_width("登录成功!"), display_width("❤\ufe0f")
    (9, 2)
    """
    if text.isascii():
        return len(text)
    used = at = 0
    while at < len(text):
        width, at = _letter(text, at)
        used += width
    return used


def _letter(text: str, at: int) -> tuple[int, int]:
    """How many columns the letter at ``at`` takes with its marks, and where these end."""
    char = text[at]
    width = 1
    if char >= "\u0300":
        if _is_mark(char):
            width = 0
        elif unicodedata.east_asian_width(char) in "WF":
            width = 2
    at += 1
    while at < len(text) and _is_mark(text[at]):
        if text[at] == _AS_EMOJI:
            width = 2
        at += 1
    return width, at


def trim(text: str, limit: int) -> str:
    """The first ``limit`` characters of ``text``, and "…" if there are more.

    For long values, before anything else costs time.
    """
    return text if len(text) <= limit else text[:limit] + "…"


def elide(text: str, width: int) -> str:
    """``text`` in at most ``width`` columns; "…" stands for what was cut off.

    >>> elide("abcdef", 4)
    'abc…'
    """
    if len(text) * 2 <= width or display_width(text) <= width:
        return text
    return _head(text, width - 1) + "…" if width > 0 else ""


def elide_middle(text: str, width: int) -> str:
    """Return ``text`` in at most ``width`` columns, with "…" for what its middle had.

    Its end mostly says more than its begin.

    >>> elide_middle("com.shop.Orders.get", 12)
    'com…ders.get'
    """
    if len(text) * 2 <= width or display_width(text) <= width:
        return text
    if width < 1:
        return ""
    head = _head(text, (width - 1) // 3)
    return head + "…" + _tail(text, width - 1 - display_width(head))


def _tail(text: str, width: int) -> str:
    """The longest end that takes at most ``width`` columns."""
    at, left = 0, display_width(text)
    while at < len(text) and left > width:
        columns, at = _letter(text, at)
        left -= columns
    return text[at:]


def _head(text: str, width: int) -> str:
    """The longest beginning that takes at most ``width`` columns."""
    used = at = 0
    while at < len(text):
        columns, stop = _letter(text, at)
        used += columns
        if used > width:
            return text[:at]
        at = stop
    return text


def pad(text: str, width: int, align: str = "<") -> str:
    """``text`` with spaces up to ``width`` columns: "<" left, ">" right, "^" in the middle."""
    room = max(width - display_width(text), 0)
    if align == ">":
        return " " * room + text
    if align == "^":
        return " " * (room // 2) + text + " " * (room - room // 2)
    return text + " " * room


def wrap(text: str, width: int) -> list[str]:
    """``text`` in pieces of at most ``width`` columns, cut at spaces where there are any.

    A piece has at least one letter, which may be wider than that.

    >>> wrap("one two three", 8)
    ['one two', 'three']
    """
    pieces: list[str] = []
    start = 0
    while True:
        # Marks take no columns, so a piece may have more characters than columns.
        some = text[start : start + (max(width, 1) + 1) * (1 + _MAX_MARKS)]
        stop = start + len(_head(some, width))
        if stop == start < len(text):
            stop = _letter(text, start)[1]
        while stop < len(text) and _is_mark(text[stop]):
            stop += 1
        if stop >= len(text):
            return [*pieces, text[start:]]
        if text[stop] != " ":
            space = text.rfind(" ", start, stop)
            stop = space if space > start + width // 3 else stop
        pieces.append(text[start:stop].rstrip())
        start = stop + 1 if text[stop] == " " else stop


def wrapped(text: str, width: int, style: str = "") -> list[Line]:
    """``text`` as Lines of at most ``width`` columns, cut as ``wrap`` does, all in one style."""
    return [[Run(piece, style)] for piece in wrap(text, width)]


def clip(line: Line, width: int) -> Line:
    """The Line in at most ``width`` columns; "…" stands for what was cut off."""
    if sum(display_width(run.text) for run in line) <= width:
        return line
    clipped: Line = []
    room = max(width, 1) - 1
    for text, style in line:
        shown = _head(text, room)
        room -= display_width(shown)
        if len(shown) < len(text) or not room:
            return [*clipped, Run(shown + "…", style)]
        clipped.append(Run(text, style))
    return clipped


# ── Numbers ──────────────────────────────────────────────────────────────────────────


def clock(time: int) -> str:
    """Nanoseconds since 1970 as wall time in UTC, to the microsecond.

    >>> clock(1_700_000_000_000_312_999)
    '2023-11-14 22:13:20.000312'
    """
    seconds, rest = divmod(time, 1_000_000_000)
    try:
        moment = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=seconds)
    except OverflowError:
        return f"{seconds}.{rest // 1000:06d} s since 1970"
    return f"{moment:%Y-%m-%d %H:%M:%S}.{rest // 1000:06d}"


def seconds(time: int) -> str:
    """Nanoseconds as seconds with nine decimals, for a program to read.

    >>> seconds(1_204_000_000), seconds(-5)
    ('1.204000000', '-0.000000005')
    """
    sign, time = ("-", -time) if time < 0 else ("", time)
    return f"{sign}{time // 1_000_000_000}.{time % 1_000_000_000:09d}"


def duration(time: int) -> str:
    """Nanoseconds as a readable length of time; negative ones keep their sign.

    >>> duration(312_400), duration(1_204_000_000), duration(-5)
    ('312 µs', '1.204 s', '-5 ns')
    """
    if time < 0:
        return "-" + duration(-time)
    if time < 1_000:
        return f"{time} ns"
    if time < 1_000_000:
        return f"{time // 1_000} µs"
    if time < 1_000_000_000:
        return f"{time // 1_000 / 1_000:.2f} ms" if time < 999_995_000 else "1.000 s"
    return f"{time // 1_000_000 / 1_000:.3f} s"
