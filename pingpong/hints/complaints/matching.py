"""Where the words of a row are in a text, however much stands for its placeholders.

    not found exported service: {word} in [{text}]
    └ piece ──────────────────┘      └ piece    └ piece

A row is cut into pieces where it has {word} or {text}: names and lists can be long.  Each piece is
looked for behind the one before it, and the nearest one counts, if no end of the line or of the
word stands between the two and there are at most MAX_GAP characters.

Every search goes forward.  What was found farther on is kept until the search has come so far: the
time grows only with the text, however often a row begins in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Final, NamedTuple

__all__ = ["MAX_GAP", "RowMatch", "RowPiece", "find"]

# How many characters may stand for one {text} or {word}.
MAX_GAP: Final = 1 << 14

# What ends each of them.
_ENDS: Final = {"text": r"\n", "word": r"[\s'\"]"}


class RowPiece(NamedTuple):
    """Words of a row, and the placeholder before them: "text", "word", or "" at the beginning."""

    gap: str
    words: str  # a pattern for text in lower case; "" if the row ends with the placeholder


class RowMatch(NamedTuple):
    """A row's words in a text, and its numbers: placeholder, place and digits of each."""

    start: int
    stop: int
    numbers: tuple[tuple[str, int, str], ...]


class _Nearest:
    """The nearest match of a pattern at or behind places that only grow."""

    __slots__ = ("_found", "_is_new", "_pattern", "_text")

    def __init__(self, pattern: str, text: str) -> None:
        self._pattern = _compiled(pattern)
        self._text = text
        self._found: re.Match[str] | None = None
        self._is_new = True

    def behind(self, at: int) -> re.Match[str] | None:
        """The first match that begins at ``at`` or later; None if there is none any more."""
        if self._is_new or (self._found is not None and self._found.start() < at):
            self._found = self._pattern.search(self._text, at)
            self._is_new = False
        return self._found


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Compiles a pattern when it is first needed: there are more than a thousand of them."""
    return re.compile(pattern)


def find(pieces: tuple[RowPiece, ...], text: str) -> Iterator[RowMatch]:
    """Each place, from left to right, where all the pieces are in ``text``."""
    if len(pieces) == 1:
        for match in _compiled(pieces[0].words).finditer(text):
            yield RowMatch(match.start(), match.end(), _numbers(match))
        return
    words = [_Nearest(piece.words, text) for piece in pieces]
    ends = [_Nearest(_ENDS.get(piece.gap, r"\n"), text) for piece in pieces]
    at = 0
    while (first := words[0].behind(at)) is not None:
        stop = first.end()
        numbers = _numbers(first)
        for piece, word, end in zip(pieces[1:], words[1:], ends[1:], strict=True):
            ended = end.behind(stop)
            limit = min(len(text) if ended is None else ended.start(), stop + MAX_GAP)
            least = stop + (piece.gap == "word")
            if not piece.words:
                stop = limit if piece.gap == "word" else stop
                if stop < least:
                    break
                continue
            found = word.behind(least)
            if found is None:
                return  # nor for a later beginning
            if found.start() > limit:
                break
            stop = found.end()
            numbers += _numbers(found)
        else:
            yield RowMatch(first.start(), stop, numbers)
            at = stop
            continue
        at = first.start() + 1


def _numbers(match: re.Match[str]) -> tuple[tuple[str, int, str], ...]:
    return tuple((name, match.start(name), digits) for name, digits in match.groupdict().items())
