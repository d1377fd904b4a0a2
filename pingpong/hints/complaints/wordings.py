"""A row of the table: what a library writes, with placeholders for what changes.

    Frame size ({number}) larger than max length ({limit})!
                └ explained as bytes          └ explained as a limit

The words are the library's own, exactly as in its source, and ``source`` says where.  A pattern
is made from them, and so is the line with which the row is tested.

    {number}  a number that is explained        {hex}    the same, in hexadecimal
    {limit}   the reader's limit                {bytes}  a list of bytes, as Rust prints one
    {hexes}   a list of bytes in hexadecimal    {pair}   two bytes in hexadecimal
    {dump}    bytes in hexadecimal, in a row    {byte}   one byte, as a decimal number
    {n}       a number that says nothing here   {short}  two bytes, as a decimal number
    {word}    a name                            {text}   anything in the line, or nothing

Names and texts may be as long as ``matching.MAX_GAP``.  Patterns are for text in lower case.  Each
begins with words that can be searched for, and no pattern repeats a repetition: the time that a
search takes grows only with the text.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple, Union

from ..magic_numbers import Role
from .matching import RowPiece
from .troubles import Trouble

__all__ = ["Wording", "example", "fixed", "pieces_of", "wordings"]

# What may stand for each placeholder, but for those in which a row is cut.
_PLACES: Final = {
    "number": r"(?P<number>-?[0-9]{1,20})",
    "hex": r"(?:0x)?(?P<hex>[0-9a-f]{1,16})",
    "pair": r"(?:0x)?(?P<pair>[0-9a-f]{4})",
    "limit": r"(?P<limit>[0-9]{1,20})",
    "dump": r"(?P<dump>(?:[0-9a-f]{2}){1,24})",
    "hexes": r"(?P<hexes>[0-9a-f]{1,2}(?:,[0-9a-f]{1,2}){1,7})",
    "bytes": r"\[(?P<bytes>[0-9]{1,3}(?:, ?[0-9]{1,3}){0,15})\]",
    "byte": r"(?P<byte>-?[0-9]{1,3})(?![0-9])",
    "short": r"(?P<short>-?[0-9]{1,5})(?![0-9])",
    "n": r"-?[0-9]{1,20}",
}
_CUTS: Final = ("word", "text")
_PLACE: Final = re.compile(rf"\{{({'|'.join((*_PLACES, *_CUTS))})\}}")

# What stands for the placeholders in the line that tests a row.
_SAMPLES: Final = {
    "limit": "16777216",
    "pair": "0x8221",
    "dump": "485454502f",
    "bytes": "[130, 33]",
    "hexes": "47,45,54,20",
    "byte": "72",
    "short": "18245",
    "n": "3",
}
_NUMBERS: Final = {
    Role.VERSION: "-2113863679",
    Role.PROTOCOL_ID: "128",
    Role.STATUS: "-128",
    Role.HTTP2: "4740180",
}
_HEXES: Final = {Role.PROTOCOL_ID: "80"}


class Wording(NamedTuple):
    """Words that a program writes: which ``trouble`` they mean, and who writes them.

    ``side`` is "client" or "server" if only one of them writes this, otherwise "".
    """

    trouble: Trouble
    template: str
    language: str
    library: str
    source: str
    side: str

    @property
    def writer(self) -> str:
        """Who writes it: ``Apache Thrift in Java (transport/TSocket.java), a client``."""
        where = f"{self.library} ({self.source})"
        if self.language not in ("", self.library):
            where = f"{self.library} in {self.language} ({self.source})"
        return f"{where}, a {self.side}" if self.side else where


_Row = Union[tuple[Trouble, str, str], tuple[Trouble, str, str, str]]


def wordings(language: str, library: str, *rows: _Row) -> tuple[Wording, ...]:
    """Rows of one library: trouble, words, where they are in its source, perhaps the side."""
    made = []
    for row in rows:
        trouble, template, source = row[:3]
        side = row[3] if len(row) == 4 else ""
        made.append(Wording(trouble, template, language, library, source, side))
    return tuple(made)


def pieces_of(template: str) -> tuple[str, tuple[RowPiece, ...]]:
    """What every match begins with, and the patterns, for text in lower case.

    Raises ValueError if the template begins with a placeholder.
    """
    parts = _PLACE.split(template)
    start = parts[0].lower().split("\n")[0].split(" ")[0]
    if not start:
        raise ValueError(f"{template!r} begins with no words to search for")
    pieces = [RowPiece("", _literal(parts[0]))]
    for name, words in zip(parts[1::2], parts[2::2], strict=True):
        if name in _CUTS:
            pieces.append(RowPiece(name, _literal(words)))
        else:
            gap, before = pieces[-1]
            pieces[-1] = RowPiece(gap, before + _PLACES[name] + _literal(words))
    return start, tuple(pieces)


def _literal(words: str) -> str:
    """The words in lower case; where they have a space, a log may have broken the line."""
    return re.escape(words.lower()).replace(r"\ ", r"[ \n]{1,3}")


def fixed(template: str) -> str:
    """The words without their placeholders."""
    return _PLACE.sub("", template)


def example(wording: Wording, *, word: str = "login", text: str = "(text)") -> str:
    """A line of a log with these words; ``word`` and ``text`` stand for names and texts."""
    role = wording.trouble.role
    samples = {
        **_SAMPLES,
        "number": _NUMBERS.get(role, "1213486160"),
        "hex": _HEXES.get(role, "48545450"),
        "word": word,
        "text": text,
    }
    return _PLACE.sub(lambda place: samples[place[1]], wording.template)
