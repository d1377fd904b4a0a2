"""All known words, in every language, and who writes the same ones."""

from __future__ import annotations

import re
from functools import cache
from typing import Final, NamedTuple

from . import cpp, frameworks, go, grpc, java, others, python, scripts, system
from .troubles import Trouble
from .wordings import Wording, fixed, pattern_of

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
    *system.WORDINGS,
)


class Phrase(NamedTuple):
    """Words, with all who write them: see ``wordings.Wording``."""

    start: str
    words: str  # a pattern
    trouble: Trouble
    writers: tuple[Wording, ...]
    literal: int  # how many of its characters are fixed

    @property
    def pattern(self) -> re.Pattern[str]:
        """``words`` compiled, to be matched against text in lower case."""
        return _compiled(self.words)

    @property
    def source(self) -> str:
        """Who writes these words: up to three writers, and how many more there are."""
        names = list(dict.fromkeys(wording.writer for wording in self.writers))
        more = f"; and {len(names) - _WRITERS} more" if len(names) > _WRITERS else ""
        return "; ".join(names[:_WRITERS]) + more


_WRITERS: Final = 3


@cache
def _compiled(words: str) -> re.Pattern[str]:
    """Compiles a pattern when its beginning is first found: there are a thousand of them."""
    return re.compile(words)


@cache
def phrases() -> tuple[Phrase, ...]:
    """Each pattern once.  Raises ValueError if one stands for two kinds of trouble."""
    by_pattern: dict[tuple[str, str], list[Wording]] = {}
    for wording in WORDINGS:
        by_pattern.setdefault(pattern_of(wording.template), []).append(wording)
    made = []
    for (start, words), writers in by_pattern.items():
        first = writers[0]
        for other in writers[1:]:
            if other.trouble != first.trouble:
                raise ValueError(f"{first.template!r} stands for two kinds of trouble")
        literal = len(fixed(first.template))
        made.append(Phrase(start, words, first.trouble, tuple(writers), literal))
    return tuple(made)
