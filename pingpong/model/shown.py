"""How objects show themselves: ``views`` provides the two renderers, which is all that it knows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mypy_extensions import mypyc_attr

__all__ = ["Shown", "use_renderers"]

_renderers: list[Callable[[object], str]] = []


def use_renderers(text: Callable[[object], str], html: Callable[[object], str]) -> None:
    """Set how every Shown object becomes text, and HTML.  ``views`` calls this once."""
    _renderers[:] = [text, html]


# For mypyc: classes in modules that are not compiled may have this base too.
@mypyc_attr(allow_interpreted_subclasses=True)
class Shown:
    """Prints itself as text in a terminal and shows itself as HTML in a notebook."""

    __slots__ = ()

    def __str__(self) -> str:
        return _renderers[0](self) if _renderers else repr(self)

    def _repr_html_(self) -> str:
        return _renderers[1](self) if _renderers else ""

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        # IPython asks here for both forms.  Inside a list it takes the short repr.
        return {"text/plain": str(self), "text/html": self._repr_html_()}
