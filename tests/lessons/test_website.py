"""The lessons as plain pages: complete, and asking nobody for anything."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import course
import pytest
import website
from places import ROOT

pytestmark = pytest.mark.once

SOURCES = sorted([*(ROOT / "notebooks").glob("*.ipynb"), *(ROOT / "notebooks").glob("*.md")])
# What makes a browser fetch something, or run it.
STYLES = re.compile(r"<style>(.*?)</style>|style=\"(.*?)\"", re.S)
FETCHES = {"src", "srcset", "data", "poster", "background", "action"}
FORBIDDEN = {"script", "link", "iframe", "object", "embed", "base", "form", "video", "audio"}
VOID = {"br", "hr", "img", "meta", "input", "col", "wbr"}


class Looked(HTMLParser):
    """What a page holds; what is opened and never closed is an error."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.ids: list[str] = []
        self.fetched: list[str] = []
        self.scripts: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag not in VOID:
            self._open.append(tag)
        for name, value in attrs:
            if name == "href":
                self.links.append(value or "")
            if name == "id":
                self.ids.append(value or "")
            if name in FETCHES:
                self.fetched.append(value or "")
            if name.startswith("on"):
                self.scripts.append(name)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self._open.pop() == tag


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The pages by name."""
    made = website.build(tmp_path_factory.mktemp("site"))
    return {path.name: path.read_text(encoding="utf-8") for path in made}


def test_every_source_has_its_page(pages: dict[str, str]) -> None:
    assert "index.html" in pages
    assert len(pages) == len(SOURCES) == len({website.page_address(p.name) for p in SOURCES})


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_a_page_asks_nobody_for_anything(source: Path, pages: dict[str, str]) -> None:
    text = pages[website.page_address(source.name)]
    looked = Looked(text)
    assert looked.tags & FORBIDDEN == set()
    assert [one for one in looked.fetched if not one.startswith("data:")] == []
    assert looked.scripts == []
    style = " ".join(block + inline for block, inline in STYLES.findall(text))
    assert "max-width" in style
    assert not re.search(r"url\(|@import", style)
    assert "prefers-color-scheme: dark" in text


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_links_lead_to_pages(source: Path, pages: dict[str, str]) -> None:
    name = website.page_address(source.name)
    links = Looked(pages[name]).links
    assert links
    for link in links:
        if link.startswith(("https://", "http://")):
            continue
        page, _, place = link.partition("#")
        assert (page or name) in pages, link
        if place:
            assert place in Looked(pages[page or name]).ids, link


def test_the_contents_lead_to_every_page(pages: dict[str, str]) -> None:
    assert {*Looked(pages["index.html"]).links, "index.html"} >= set(pages)


def words(text: str) -> str:
    """A page's or a cell's words, whatever is around them."""
    return " ".join(unescape(re.sub(r"<[^>]*>", "", text)).split())


@pytest.mark.parametrize("lesson", course.read_course(), ids=lambda lesson: lesson.path.stem)
def test_a_lesson_is_all_there(lesson: course.Lesson, pages: dict[str, str]) -> None:
    text = pages[website.page_address(lesson.name)]
    all_words = words(text)
    folded = words("".join(re.findall(r"<details>.*?</details>", text, re.S)))
    assert f"<title>{lesson.title.replace('`', '')} · pingpong</title>" in text
    for cell in course.read_notebook(lesson.path)["cells"]:
        if cell["cell_type"] == "code":
            code = " ".join(course.text_of(cell).split())
            assert code in (folded if course.is_solution(cell) else all_words)
            for output in printed(cell):
                assert " ".join(output.split()) in all_words


def printed(cell: course.Cell) -> Iterator[str]:
    for output in cell["outputs"]:
        if "text" in output:
            yield "".join(output["text"])
        elif "text/html" not in output.get("data", {"text/html": ""}):
            yield "".join(output["data"]["text/plain"])


@pytest.mark.parametrize(
    ("link", "address"),
    [
        ("README.md", "index.html"),
        ("02-x.ipynb#What's", "02-x.html#What's"),
        ("TEACHING.md", "TEACHING.html"),
        ("https://example.org/x.ipynb", "https://example.org/x.ipynb"),
        ("#here", "#here"),
    ],
)
def test_addresses(link: str, address: str) -> None:
    assert website.page_address(link) == address


def test_outputs() -> None:
    def shown(**data: object) -> str:
        return website.output_body({"output_type": "execute_result", "data": data})

    assert shown(**{"text/plain": ["1 < 2"]}) == "<pre>1 &lt; 2</pre>"
    assert shown(**{"text/plain": ["x"], "text/html": ["<b>", "x</b>"]}) == "<b>x</b>"
    png = shown(**{"text/plain": ['a "picture"'], "image/png": "iVBO\nRw==\n"})
    assert png == '<img src="data:image/png;base64,iVBORw==" alt="a &quot;picture&quot;">'
    stream = {"output_type": "stream", "text": ["<a>\n", "b"]}
    assert website.output_body(stream) == "<pre>&lt;a&gt;\nb</pre>"
    error = {"output_type": "error", "traceback": ["E: <v>"]}
    assert website.output_body(error) == "<pre>E: &lt;v&gt;</pre>"


def test_markdown_is_coloured_and_linked() -> None:
    made = website.text("## What's up?\n\n```python\nimport x\n```\n\n```text\n<1>\n```\n")
    assert '<h2 id="whats-up">What\'s up?</h2>' in made
    assert '<span class="kn">import</span>' in made
    assert "&lt;1&gt;" in made
    assert "&lt;1&gt;" in website.text("```nonsense\n<1>\n```")
