"""An explained run of bytes."""

from __future__ import annotations

from typing import ClassVar, Final

from .places import Facts, Span

__all__ = ["Note"]


class Note(Facts):
    """An explained run of bytes.

    ``kind`` is one of frame, header, field, size, value, stop, lost, unread: what sort of bytes
    they are, for colour and for filters.  ``label`` names them ("method name length"), ``meaning``
    says what they say ("4"), ``why`` adds a sentence if one helps, else "".  ``depth`` is 0 for a
    frame's length and a header, 1 for fields of the outer struct, and so on.  ``path`` names the
    value that they belong to: (1,) is field 1, (1, 3) is field 3 of the struct in field 1.
    """

    __slots__ = ("depth", "kind", "label", "meaning", "path", "span", "why")
    __match_args__: ClassVar = ("span", "kind", "label", "meaning", "why", "depth", "path")

    def __init__(
        self,
        span: Span,
        kind: str,
        label: str,
        meaning: str,
        why: str = "",
        depth: int = 0,
        path: tuple[int, ...] = (),
    ) -> None:
        self.span: Final = span
        self.kind: Final = kind
        self.label: Final = label
        self.meaning: Final = meaning
        self.why: Final = why
        self.depth: Final = depth
        self.path: Final = path

    def facts(self) -> tuple[object, ...]:
        return (self.span, self.kind, self.label, self.meaning, self.why, self.depth, self.path)
