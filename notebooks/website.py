"""The lessons as plain pages, for a web server or a USB stick.

    python notebooks/website.py FOLDER

    README.md      ──▶ index.html          links between them lead to the pages
    TEACHING.md    ──▶ TEACHING.html
    03-every-….ipynb ▶ 03-every-byte.html  solutions are folded away

A page is one file that asks nobody for anything: no script, no font, no picture from elsewhere.
Its looks (``website.css``) are in it, and follow the light or dark of the reader's system.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from html import escape
from itertools import groupby
from pathlib import Path

import mistune
from course import CONTENTS, HERE, Cell, is_solution, read_notebook, text_of
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · pingpong</title>
<style>
{style}</style>
</head>
<body>
<main>
{body}</main>
</body>
</html>
"""


class Html(mistune.HTMLRenderer):
    """Markdown's HTML: with links to the pages, and coloured code."""

    def link(self, text: str, url: str, title: str | None = None) -> str:
        return super().link(text, page_address(url), title)

    def heading(self, text: str, level: int, **attrs: object) -> str:
        return f'<h{level} id="{anchor(text)}">{text}</h{level}>\n'

    def block_code(self, code: str, info: str | None = None) -> str:
        return f'<pre tabindex="0"><code>{coloured(code, info or "")}</code></pre>\n'


_markdown = mistune.create_markdown(renderer=Html(escape=False), plugins=["table"])


def page_address(url: str) -> str:
    """Where a link of a lesson leads to among the pages."""
    path, mark, place = url.partition("#")
    if "://" not in path and "/" not in path:
        path = "index.html" if path == CONTENTS else re.sub(r"\.(ipynb|md)$", ".html", path)
    return path + mark + place


def anchor(text: str) -> str:
    """The name of a heading in an address: "What's up?" is whats-up, as on GitHub."""
    words = re.sub(r"<[^>]*>|&\w+;", "", text).lower()
    return re.sub(r"[^\w-]", "", words.replace(" ", "-"))


def coloured(code: str, language: str) -> str:
    try:
        lexer = get_lexer_by_name(language)
    except ClassNotFound:
        return escape(code)
    return str(highlight(code, lexer, HtmlFormatter(nowrap=True)))


def text(markdown: str) -> str:
    return f'<div class="text">\n{_markdown(markdown)}</div>\n'


def notebook_body(cells: list[Cell]) -> Iterator[str]:
    """The cells; those of a solution are folded away together."""
    for solved, some in groupby(cells, key=is_solution):
        if solved:
            yield "<details>\n<summary>A solution</summary>\n"
        for cell in some:
            yield from cell_body(cell)
        if solved:
            yield "</details>\n"


def cell_body(cell: Cell) -> Iterator[str]:
    if cell["cell_type"] == "markdown":
        yield text(text_of(cell))
        return
    code = coloured(text_of(cell), "python").rstrip("\n")
    yield f'<div class="code"><pre tabindex="0"><code>{code}</code></pre></div>\n'
    shown = "\n".join(output_body(output) for output in cell["outputs"])
    if shown:
        yield f'<div class="output" tabindex="0">\n{shown}\n</div>\n'


def output_body(output: Cell) -> str:
    """An output in the best form it has: HTML, else text."""
    if output["output_type"] == "stream":
        return f"<pre>{escape(''.join(output['text']))}</pre>"
    if output["output_type"] == "error":
        return f"<pre>{escape(''.join(output['traceback']))}</pre>"
    data = output["data"]
    if "text/html" in data:
        return "".join(data["text/html"])
    if "image/svg+xml" in data:
        return "".join(data["image/svg+xml"])
    if "image/png" in data:
        png = "".join(data["image/png"]).replace("\n", "")
        words = escape("".join(data.get("text/plain", [])), quote=True)
        return f'<img src="data:image/png;base64,{png}" alt="{words}">'
    return f"<pre>{escape(''.join(data.get('text/plain', [])))}</pre>"


def page(path: Path) -> str:
    """The page of a lesson or a text."""
    if path.suffix == ".ipynb":
        cells = [cell for cell in read_notebook(path)["cells"] if text_of(cell).strip()]
        body = "".join(notebook_body(cells))
        first = text_of(cells[0])
    else:
        first = path.read_text(encoding="utf-8")
        body = text(first)
    title = re.sub(r"[`*_]", "", first.partition("\n")[0].lstrip("# "))
    style = (HERE / "website.css").read_text(encoding="utf-8")
    return PAGE.format(title=escape(title), style=style, body=body)


def build(target: Path, source: Path = HERE) -> list[Path]:
    """Write all pages into ``target``; their paths."""
    target.mkdir(parents=True, exist_ok=True)
    made = []
    for path in sorted([*source.glob("*.ipynb"), *source.glob("*.md")]):
        made.append(target / page_address(path.name))
        made[-1].write_text(page(path), encoding="utf-8")
    return made


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python notebooks/website.py FOLDER")
    print(f"{len(build(Path(sys.argv[1])))} pages, begin with {Path(sys.argv[1], 'index.html')}")
