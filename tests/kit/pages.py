"""A page of HTML as its reader sees it."""

from __future__ import annotations

import re
from html.parser import HTMLParser

VOID = {"br"}

# What GitHub and JupyterLab's sanitizer keep.
TAGS = {
    *("div", "p", "pre", "span", "strong", "code", "br", "style"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}

ATTRIBUTES = {"class", "style", "colspan", "scope"}


class Page(HTMLParser):
    """The tables of a page, cell by cell; fails on markup that we never write."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[list[list[str]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(source)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS
        assert {name for name, _ in attrs} <= ATTRIBUTES
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")
        elif tag == "br":
            self.handle_data(" ")
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag
        if tag == "div":
            self.handle_data(" ")

    def handle_data(self, data: str) -> None:
        if "style" in self._open:
            return
        self.words.append(data)
        if "td" in self._open or "th" in self._open:
            self.tables[-1][-1][-1] += data


def squeezed(text: str) -> str:
    """Without white space, which lines and cells break at different places."""
    return re.sub(r"\s", "", text)
