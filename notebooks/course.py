"""The course, from its lessons: its order, its contents, the ways from one lesson to the next.

    python notebooks/course.py     write what follows from the lessons

A lesson says what it is in its first cell.  All else follows from that:

    01-a-remote-call.ipynb      "# 1. What is …?"   "**After it** you know …"
    02-watch-the-wire.ipynb            │                      │           TEACHING.md
    …                                  ▼                      ▼           "**Time**: 25 minutes"
                               [← 1. What …?] · [Contents]   README.md          │
                               in the first cell of lesson   | 1 | What …? | know … | 25 |
                               2, and in its last            also in ../README.md

The order is the order of the files.  ``tests/lessons/test_course.py`` holds that all of it agrees.

An author writes what is said about a solution behind its cell, as it is read.  It gives the
answer away, so it is put into a cell of its own, tagged ``solution`` too: a copy to practise
with (``pingpong lab --exercises``) has neither.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pingpong.live.exercises import SOLUTION

HERE = Path(__file__).resolve().parent
CONTENTS = "README.md"
TEACHING = "TEACHING.md"

Notebook = dict[str, Any]
Cell = dict[str, Any]

_TITLE = re.compile(r"# ((\d+)\. (.+))\n?")
_AFTER = re.compile(r"\*\*After it\*\* you\s+(.+?)\.(?=\s|$)", re.DOTALL)
_TIME = re.compile(r"^\*\*Time\*\*: (\d+) minutes", re.MULTILINE)
_NAVIGATION = re.compile(rf"^.*\[Contents\]\({CONTENTS}\).*\n*", re.MULTILINE)
# Where an exercise or a chapter begins: what stands before it is still about the last one.
_BEGINS = re.compile(r"^(?:\*\*\d+\.\*\*|#)", re.MULTILINE)
_TABLE = re.compile(r"^(?:\|.*\n)+", re.MULTILINE)


@dataclass(frozen=True)
class Lesson:
    """What a lesson says of itself."""

    path: Path
    title: str  # "2. What really goes over the wire?"
    number: int
    question: str
    after: str  # what you know or can do after it: "**After it** you …"

    @property
    def name(self) -> str:
        return self.path.name


def read_course(folder: Path = HERE) -> list[Lesson]:
    """The lessons in their order.  Raises SystemExit naming what a lesson does not say."""
    return [read_lesson(path) for path in sorted(folder.glob("*.ipynb"))]


def read_lesson(path: Path) -> Lesson:
    first = text_of(read_notebook(path)["cells"][0])
    title, after = _TITLE.match(first), _AFTER.search(first)
    if title is None:
        raise SystemExit(f'{path.name} begins with "{first[:40]}", want "# N. The question?"')
    if after is None:
        raise SystemExit(f'{path.name} does not say "**After it** you … ." in its first cell')
    words = " ".join(after[1].split())
    return Lesson(path, title[1], int(title[2]), title[3], words)


def read_notebook(path: Path) -> Notebook:
    found: Notebook = json.loads(path.read_text(encoding="utf-8"))
    return found


def notebook_text(notebook: Notebook) -> str:
    """As nbformat writes it, so that only what was changed is a difference."""
    return json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def text_of(cell: Cell) -> str:
    return "".join(cell["source"])


def is_solution(cell: Cell) -> bool:
    return SOLUTION in cell["metadata"].get("tags", [])


# ── What follows ─────────────────────────────────────────────────────────────────────


def navigation(course: Sequence[Lesson], at: int) -> str:
    """The line that leads from a lesson to those beside it."""
    ways = [f"[Contents]({CONTENTS})"]
    if at > 0:
        ways.insert(0, f"[← {course[at - 1].title}]({course[at - 1].name})")
    if at + 1 < len(course):
        ways.append(f"[{course[at + 1].title} →]({course[at + 1].name})")
    return " · ".join(ways)


def finished(notebook: Notebook, way: str) -> Notebook:
    """The notebook with its navigation, and with each solution apart from the next exercise."""
    cells = list(_without_navigation(notebook["cells"]))
    title, _, rest = text_of(cells[0]).partition("\n")
    cells[0] = _with_text(cells[0], f"{title}\n\n{way}\n\n{rest.lstrip()}")
    cells = [*_apart(cells), _markdown(way)]
    for number, cell in enumerate(cells, 1):
        cell["id"] = f"cell-{number}"
    return {**notebook, "cells": cells}


def contents_table(course: Sequence[Lesson], teaching: str) -> str:
    """The table of the course's own page."""
    lines = ["| | question | after it you | minutes |", "|---|---|---|---:|"]
    for lesson in course:
        time = _TIME.search(section(teaching, lesson) or "")
        minutes = time[1] if time else "?"
        lines.append(
            f"| {lesson.number} | [{lesson.question}]({lesson.name}) | {lesson.after} | {minutes} |"
        )
    return "\n".join(lines) + "\n"


def questions_table(course: Sequence[Lesson]) -> str:
    """The table of the project's page."""
    lines = ["| lesson | question |", "|---|---|"]
    lines += [
        f"| {lesson.number} | [{lesson.question}](notebooks/{lesson.name}) |" for lesson in course
    ]
    return "\n".join(lines) + "\n"


def section(page: str, lesson: Lesson) -> str | None:
    """The teacher's page on one lesson; None if it has nothing on it."""
    return chapter(page, lesson.title)


def chapter(page: str, title: str) -> str | None:
    """What a page says below ``## title``."""
    for part in re.split(r"^## ", page, flags=re.MULTILINE)[1:]:
        head, _, text = part.partition("\n")
        if head == title:
            return text
    return None


def with_table(page: str, table: str, title: str = "") -> str:
    """The page with its first table (below ``## title``) replaced by this one."""
    before, mark, after = page.partition(f"\n## {title}\n") if title else ("", "", page)
    return before + mark + _TABLE.sub(lambda _: table, after, count=1)


def wanted_files(folder: Path = HERE) -> dict[Path, str]:
    """Every file that follows from the lessons, as it should read."""
    course = read_course(folder)
    files = {
        lesson.path: notebook_text(finished(read_notebook(lesson.path), navigation(course, at)))
        for at, lesson in enumerate(course)
    }
    contents, project = folder / CONTENTS, folder.parent / "README.md"
    teaching = (folder / TEACHING).read_text(encoding="utf-8")
    files[contents] = with_table(
        contents.read_text(encoding="utf-8"), contents_table(course, teaching)
    )
    if project.is_file():
        page = project.read_text(encoding="utf-8")
        files[project] = with_table(page, questions_table(course), "Lessons")
    return files


# ── Cells ────────────────────────────────────────────────────────────────────────────


def _without_navigation(cells: Sequence[Cell]) -> Iterator[Cell]:
    for cell in cells:
        text = text_of(cell)
        if cell["cell_type"] != "markdown" or not _NAVIGATION.search(text):
            yield cell
        elif left := _NAVIGATION.sub("", text).strip("\n"):
            yield _with_text(cell, left)


def _apart(cells: Sequence[Cell]) -> Iterator[Cell]:
    """Each cell; what is said about a solution in one of its own."""
    behind_solution = False
    for cell in cells:
        remark = ""
        if behind_solution and cell["cell_type"] == "markdown" and not is_solution(cell):
            text = text_of(cell)
            next_one = _BEGINS.search(text)
            at = len(text) if next_one is None else next_one.start()
            remark, rest = text[:at].strip("\n"), text[at:]
            if remark:
                yield _markdown(remark, SOLUTION)
            if not rest:
                continue
            cell = _with_text(cell, rest)
        behind_solution = is_solution(cell)
        yield cell


def _with_text(cell: Cell, text: str) -> Cell:
    return {**cell, "source": text.splitlines(keepends=True)}


def _markdown(text: str, *tags: str) -> Cell:
    metadata = {"tags": list(tags)} if tags else {}
    return _with_text({"cell_type": "markdown", "id": "", "metadata": metadata}, text)


def main() -> None:
    for path, text in wanted_files().items():
        if path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"written: {path.name}", file=sys.stderr)


if __name__ == "__main__":
    main()
