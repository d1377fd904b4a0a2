"""One lesson in JupyterLab, in a real browser, from its first cell to its last."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import browser
import pytest
from playwright.sync_api import Locator

pytestmark = [
    pytest.mark.notebook,
    pytest.mark.skipif(not find_spec("jupyterlab"), reason="JupyterLab is not installed"),
    pytest.mark.skipif(not browser.find_chromium(), reason="Chromium is not installed"),
]

# views/html.py: what belongs to note n, its bytes and its row, has the class pp-n.
BYTES = "span.pp-{}"
ROW = "tr.pp-{}"
LOOKS = """inspector => [...inspector.querySelectorAll("tr[class], span[class]")]
    .map(element => [element.tagName, element.className, getComputedStyle(element).background])"""


def lit(inspector: Locator, dark: list[list[str]]) -> set[tuple[str, str]]:
    """Tag and class of what looks different now than it did with nothing hovered."""
    return {
        (tag, name)
        for (tag, name, now), (_, _, before) in zip(inspector.evaluate(LOOKS), dark, strict=True)
        if now != before
    }


def test_lesson_runs_and_a_byte_lights_its_field(course: Path, tmp_path: Path) -> None:
    lesson = next(course.glob("*byte*.ipynb"))
    with browser.open_lesson(lesson) as page:
        cells = browser.run_all(page)
        assert browser.failures(cells, lesson) == []
        assert len(cells) > 5

        inspector = page.locator(".pp-message").first
        page.mouse.move(0, 0)
        dark = inspector.evaluate(LOOKS)
        notes = inspector.locator("tr[class]").count()
        assert notes > 5  # a header alone has five
        for note in range(notes):
            both = {("TR", f"pp-{note}"), ("SPAN", f"pp-{note}")}
            inspector.locator(BYTES.format(note)).first.hover()
            assert lit(inspector, dark) == both
            inspector.locator(ROW.format(note)).hover()
            assert lit(inspector, dark) == both

        count = browser.take_pictures(page, "lesson", tmp_path)
        taken = {path.name for path in tmp_path.glob("*.png")}
        assert taken == {f"lesson-{number + 1}.png" for number in range(count)}
        assert count > 3
        browser.shut_down(page)


def test_what_went_wrong_is_told(tmp_path: Path) -> None:
    code = {"cell_type": "code", "metadata": {}, "source": ["1"]}
    failing = {**code, "metadata": {"tags": ["raises-exception"]}}
    empty = {**code, "source": []}
    lesson = tmp_path / "x.ipynb"
    lesson.write_text(json.dumps({"cells": [code, code, empty, failing, code, code]}))
    cells = [
        browser.Cell(1, ""),
        browser.Cell(3, ""),
        browser.Cell(3, "Traceback\nValueError: meant\n"),
        browser.Cell(4, "Traceback\nNameError: x\n"),
        browser.Cell(None, ""),
    ]
    assert browser.failures(cells, lesson) == [
        "cell 2: has the number 3",
        "cell 4: NameError: x",
        "cell 5: did not run",
    ]
