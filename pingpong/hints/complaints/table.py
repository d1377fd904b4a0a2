"""All known words, in every language, and who writes the same ones."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Final, NamedTuple

from . import cpp, frameworks, go, grpc, java, others, python, relatives, scripts, system
from .matching import RowMatch, RowPiece, find
from .troubles import Trouble
from .wordings import Wording, fixed, pieces_of

__all__ = ["WORDINGS", "Phrase", "phrases"]

WORDINGS: Final = (
    *java.WORDINGS,
    *python.WORDINGS,
    *cpp.WORDINGS,
    *go.WORDINGS,
    *scripts.WORDINGS,
    *others.WORDINGS,
    *frameworks.WORDINGS,
    *grpc.WORDINGS,
    *relatives.WORDINGS,
    *system.WORDINGS,
)


class Phrase(NamedTuple):
    """Words, with all who write them: see ``wordings.Wording``."""

    start: str
    pieces: tuple[RowPiece, ...]
    trouble: Trouble
    writers: tuple[Wording, ...]
    literal: int  # how many of its characters are fixed

    def find(self, text: str) -> Iterator[RowMatch]:
        """Where these words are in ``text``, which is in lower case."""
        return find(self.pieces, text) if self.start in text else iter(())

    @property
    def side(self) -> str:
        """The side that writes these words: "client" or "server"; "" if both may, or it is open."""
        sides = {wording.side for wording in self.writers}
        return sides.pop() if len(sides) == 1 else ""

    @property
    def source(self) -> str:
        """Who writes these words: up to three writers, and how many more there are."""
        names = list(dict.fromkeys(wording.writer for wording in self.writers))
        more = f"; and {len(names) - _WRITERS} more" if len(names) > _WRITERS else ""
        return "; ".join(names[:_WRITERS]) + more


_WRITERS: Final = 3


@cache
def phrases() -> tuple[Phrase, ...]:
    """All words once.  Raises ValueError if one stands for two kinds of trouble."""
    by_words: dict[tuple[str, tuple[RowPiece, ...]], list[Wording]] = {}
    for wording in WORDINGS:
        by_words.setdefault(pieces_of(wording.template), []).append(wording)
    made = []
    for (start, pieces), writers in by_words.items():
        first = writers[0]
        for other in writers[1:]:
            if other.trouble != first.trouble:
                raise ValueError(f"{first.template!r} stands for two kinds of trouble")
        literal = len(fixed(first.template))
        made.append(Phrase(start, pieces, first.trouble, tuple(writers), literal))
    return tuple(made)
