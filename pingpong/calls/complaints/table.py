"""All words that are known, of every language, and who writes the same words."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from . import cpp, frameworks, go, java, others, python, scripts, system
from .troubles import Trouble
from .wordings import Wording, fixed

__all__ = ["PHRASES", "WORDINGS", "Phrase"]

WORDINGS: Final = (
    *java.WORDINGS,
    *python.WORDINGS,
    *cpp.WORDINGS,
    *go.WORDINGS,
    *scripts.WORDINGS,
    *others.WORDINGS,
    *frameworks.WORDINGS,
    *system.WORDINGS,
)


class Phrase(NamedTuple):
    """Words, whoever writes them: see ``wordings.Wording``."""

    start: str
    pattern: re.Pattern[str]
    trouble: Trouble
    writers: tuple[Wording, ...]
    literal: int  # how many of its characters are fixed

    @property
    def source(self) -> str:
        """Who writes these words: up to three of them."""
        names = list(dict.fromkeys(wording.writer for wording in self.writers))
        more = f"; and {len(names) - _WRITERS} more" if len(names) > _WRITERS else ""
        return "; ".join(names[:_WRITERS]) + more


_WRITERS: Final = 3


def _phrases() -> tuple[Phrase, ...]:
    """Each pattern once.  Raises ValueError if one stands for two kinds of trouble."""
    by_pattern: dict[str, list[Wording]] = {}
    for wording in WORDINGS:
        by_pattern.setdefault(wording.pattern.pattern, []).append(wording)
    phrases = []
    for writers in by_pattern.values():
        first = writers[0]
        for other in writers[1:]:
            if other.trouble != first.trouble:
                raise ValueError(f"{first.template!r} stands for two kinds of trouble")
        literal = len(fixed(first.template))
        phrases.append(Phrase(first.start, first.pattern, first.trouble, tuple(writers), literal))
    return tuple(phrases)


PHRASES: Final = _phrases()
