"""What was found in a text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...model import Shown

if TYPE_CHECKING:
    from ..magic_numbers import NumberVerdict
    from ..pasted import Block

__all__ = ["Complaint", "TextVerdict"]


@dataclass(frozen=True, slots=True)
class Complaint:
    """Words that a library writes when it cannot read on.

    ``phrase`` is the words in the text, ``meaning`` what they say; ``causes`` are the likely
    ones, in order; ``look_at`` says where to look next; ``source`` who writes such words.
    """

    phrase: str
    meaning: str
    causes: tuple[str, ...]
    look_at: str
    source: str


@dataclass(frozen=True, slots=True)
class TextVerdict(Shown):
    """What a pasted text holds: known words, numbers, bytes; all empty if nothing is known.

    ``is_cut``: the text is longer than MAX_TEXT, and the rest of it was not looked at.
    """

    complaints: tuple[Complaint, ...]
    numbers: tuple[NumberVerdict, ...]
    blocks: tuple[Block, ...]
    is_cut: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all was found."""
        return not (self.complaints or self.numbers or self.blocks)
