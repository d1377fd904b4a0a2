"""The course hangs together: lessons, the ways between them, contents, the teacher's page."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import course
import pytest
from places import ROOT

from pingpong.live.exercises import ASKS_WITH_SOLUTION

pytestmark = pytest.mark.once

FOLDER = ROOT / "notebooks"
LESSONS = sorted(FOLDER.glob("*.ipynb"))
TO_DO = "run: python notebooks/course.py"

Cell = dict[str, Any]

PREDICT = re.compile(r"^\*\*Predict\.\*\*|^## Predict\b", re.MULTILINE)
CHECK = re.compile(r"^my_\w+ = ", re.MULTILINE)
EXERCISE = re.compile(r"^\*\*(\d+)\.\*\* ", re.MULTILINE)
POINTS = re.compile(r"You will be able to\n\n((?:- .*\n(?:  .*\n)*)+)")
LINK = re.compile(r"\]\(([^)\s]+)\)")


def missing(notebook: course.Notebook) -> list[str]:
    """The parts of a lesson that this notebook lacks."""
    cells: list[Cell] = notebook["cells"]
    first = course.text_of(cells[0]) + "\n"
    found = []
    if not re.match(r"# \d+\. .+\?\n", first):
        found.append("a question in the title")
    for words in ("**Before this lesson** ", "**After it** you "):
        if words not in " ".join(first.split("\n")):
            found.append(f'"{words.strip()}"')
    points = POINTS.search(first)
    if points is None or not 3 <= points[1].count("\n- ") + 1 <= 5:
        found.append('3 to 5 points below "You will be able to"')
    return [*found, *_missing_prediction(cells), *_missing_exercises(cells)]


def _missing_prediction(cells: list[Cell]) -> list[str]:
    asked = [
        number for number, cell in enumerate(cells)
        if cell["cell_type"] == "markdown" and PREDICT.search(course.text_of(cell))
    ]  # fmt: skip
    if not asked:
        return ["a prediction"]
    checks = [
        cell for cell in cells[asked[0] :]
        if cell["cell_type"] == "code" and CHECK.search(course.text_of(cell))
    ]  # fmt: skip
    if not checks:
        return ["a check of a prediction: a cell that begins with my_… ="]
    return [
        f'"not yet" below the check {course.text_of(check).splitlines()[0]}'
        for check in checks
        if not re.search("not yet|to do", _printed(check))
    ]


def _printed(cell: Cell) -> str:
    return "".join("".join(output.get("text", [])) for output in cell["outputs"])


def _missing_exercises(cells: list[Cell]) -> list[str]:
    """Each is asked, and has a solution before the next one is."""
    texts = [course.text_of(cell) if cell["cell_type"] == "markdown" else "" for cell in cells]
    starts = [at for at, text in enumerate(texts) if re.search(r"^## Exercises$", text, re.M)]
    if len(starts) != 1:
        return ["exercises"]
    found = []
    if any(course.is_solution(cell) for cell in cells[: starts[0]]):
        found.append("solutions that are all below the exercises")
    if ASKS_WITH_SOLUTION not in texts[starts[0]]:
        found.append(f'"{ASKS_WITH_SOLUTION}"')
    numbers: list[int] = []
    solved: list[int] = []
    for cell, text in zip(cells[starts[0] :], texts[starts[0] :], strict=True):
        numbers += [int(number) for number in EXERCISE.findall(text)]
        if course.is_solution(cell) and cell["cell_type"] == "code":
            solved += numbers[-1:]
    if len(numbers) < 3 or numbers != list(range(1, len(numbers) + 1)):
        found.append(f"exercises 1, 2, 3 …: they are {numbers}")
    found += [f"a solution of exercise {n}" for n in numbers if n not in solved]
    return found


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_has_its_parts(lesson: Path) -> None:
    assert missing(course.read_notebook(lesson)) == []


def test_numbers_have_no_holes() -> None:
    lessons = course.read_course()
    assert [lesson.number for lesson in lessons] == list(range(1, len(LESSONS) + 1))
    assert [int(lesson.name[:2]) for lesson in lessons] == list(range(1, len(LESSONS) + 1))


def test_what_follows_from_the_lessons_is_written() -> None:
    stale = [
        path.name for path, text in course.wanted_files().items()
        if path.read_text(encoding="utf-8") != text
    ]  # fmt: skip
    assert stale == [], TO_DO


@pytest.mark.parametrize("lesson", course.read_course(), ids=lambda lesson: lesson.path.stem)
def test_a_lesson_has_its_section_for_teachers(lesson: course.Lesson) -> None:
    text = course.section((FOLDER / course.TEACHING).read_text(encoding="utf-8"), lesson)
    assert text is not None, f'TEACHING.md has no section "{lesson.title}"'
    assert re.search(r"^\*\*Time\*\*: \d+ minutes", text, re.MULTILINE)
    assert re.search(r"^\*\*Needs\*\*: .", text, re.MULTILINE)
    for part in ("What goes wrong", "Ask"):
        assert re.search(rf"^\*\*{part}\*\*\n\n- ", text, re.MULTILINE), part


def test_the_teachers_page_is_about_these_lessons() -> None:
    page = (FOLDER / course.TEACHING).read_text(encoding="utf-8")
    numbered = re.findall(r"^## (\d+\. .*)$", page, re.MULTILINE)
    assert numbered == [lesson.title for lesson in course.read_course()]


@pytest.mark.parametrize("page", [*LESSONS, *FOLDER.glob("*.md")], ids=lambda path: path.name)
def test_links_lead_somewhere(page: Path) -> None:
    if page.suffix == ".ipynb":
        cells = course.read_notebook(page)["cells"]
        text = "\n\n".join(course.text_of(c) for c in cells if c["cell_type"] == "markdown")
    else:
        text = page.read_text(encoding="utf-8")
    for link in LINK.findall(re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.S)):
        if not link.startswith(("https://", "http://", "#")):
            assert (FOLDER / link.partition("#")[0]).is_file(), link


# ── The check itself ─────────────────────────────────────────────────────────────────


def markdown(text: str, *tags: str) -> Cell:
    metadata = {"tags": list(tags)} if tags else {}
    return {"cell_type": "markdown", "id": "", "metadata": metadata, "source": _lines(text)}


def code(text: str, *tags: str, prints: str = "") -> Cell:
    output = {"output_type": "stream", "name": "stdout", "text": _lines(prints)}
    return {
        **markdown(text, *tags),
        "cell_type": "code",
        "outputs": [output] if prints else [],
    }


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


FIRST = """\
# 1. Why?

**Before this lesson** you
ask. **After it** you know foo.thrift,
and can say why. You rest.

You will be able to

- one,
- two
  and a half,
- three.
"""


def good() -> list[Cell]:
    return [
        markdown(FIRST),
        markdown("**Predict.** Which?"),
        code("my_answer = ...", prints="not yet\n"),
        markdown(f"## Exercises\n\n{ASKS_WITH_SOLUTION}\n\n**1.** A?"),
        code("1", "solution"),
        markdown("So it is.\nYes.\n\n**2.** B?"),
        code("2", "solution"),
        markdown("**3.** C?"),
        code("3", "solution"),
        markdown("Well."),
    ]


def test_a_good_lesson_lacks_nothing() -> None:
    assert missing({"cells": good()}) == []


def _say(at: int, text: str) -> Callable[[list[Cell]], object]:
    return lambda cells: cells[at].update(source=_lines(text))


BREAKS: dict[str, Callable[[list[Cell]], object]] = {
    "a question in the title": _say(0, FIRST.replace("Why?", "Why.")),
    '"**After it** you"': _say(0, FIRST.replace("**After it**", "Then")),
    '3 to 5 points below "You will be able to"': _say(0, FIRST.replace("- two", "  two")),
    "a prediction": _say(1, "Look."),
    "a check of a prediction: a cell that begins with my_… =": _say(2, "..."),
    '"not yet" below the check my_answer = ...': lambda cells: cells[2].update(outputs=[]),
    "exercises": _say(3, "## More"),
    f'"{ASKS_WITH_SOLUTION}"': _say(3, "## Exercises\n\n**1.** A?"),
    "a solution of exercise 2": lambda cells: cells[6].update(metadata={}),
    "exercises 1, 2, 3 …: they are [1, 2, 4]": _say(7, "**4.** C?"),
    "solutions that are all below the exercises": lambda cells: cells[2]["metadata"].update(
        tags=["solution"]
    ),
}


@pytest.mark.parametrize("what", BREAKS)
def test_what_a_lesson_lacks_is_found(what: str) -> None:
    cells = good()
    BREAKS[what](cells)
    assert missing({"cells": cells}) == [what]


# ── Writing it ───────────────────────────────────────────────────────────────────────


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A course of three lessons as their authors leave them, with pages around it."""
    folder = tmp_path / "notebooks"
    folder.mkdir()
    for number, question in ((1, "Why?"), (2, "How?"), (3, "When?")):
        cells = [markdown(FIRST.replace("1. Why?", f"{number}. {question}")), *good()[1:]]
        notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
        path = folder / f"0{number}-{question[:-1].lower()}.ipynb"
        path.write_text(course.notebook_text(notebook), encoding="utf-8")
    (folder / "README.md").write_text("# All\n\n| | x |\n|---|---|\n\nBelow.\n")
    (folder / "TEACHING.md").write_text("## 2. How?\n\n**Time**: 25 minutes.\n")
    (tmp_path / "README.md").write_text(
        "| other |\n|---|\n\n## Lessons\n\n| a |\n|---|\n| 1 |\n\n## More\n\n| b |\n|---|\n"
    )
    return folder


def write(folder: Path) -> None:
    for path, text in course.wanted_files(folder).items():
        path.write_text(text, encoding="utf-8")


def test_ways_between_lessons(small: Path) -> None:
    write(small)
    ways = {
        1: "[Contents](README.md) · [2. How? →](02-how.ipynb)",
        2: "[← 1. Why?](01-why.ipynb) · [Contents](README.md) · [3. When? →](03-when.ipynb)",
        3: "[← 2. How?](02-how.ipynb) · [Contents](README.md)",
    }
    for lesson in course.read_course(small):
        cells = course.read_notebook(lesson.path)["cells"]
        way = ways[lesson.number]
        assert course.text_of(cells[0]).startswith(f"# {lesson.title}\n\n{way}\n\n**Before")
        assert course.text_of(cells[-1]) == way
        assert [cell["id"] for cell in cells] == [f"cell-{n + 1}" for n in range(len(cells))]


def test_what_is_said_about_a_solution_stands_apart(small: Path) -> None:
    write(small)
    cells = course.read_notebook(small / "01-why.ipynb")["cells"]
    said = [(course.text_of(cell), course.is_solution(cell)) for cell in cells[4:-1]]
    assert said == [
        ("1", True),
        ("So it is.\nYes.", True),
        ("**2.** B?", False),
        ("2", True),
        ("**3.** C?", False),
        ("3", True),
        ("Well.", True),
    ]


def test_contents(small: Path) -> None:
    write(small)
    assert (small / "README.md").read_text(encoding="utf-8") == (
        "# All\n\n"
        "| | question | after it you | minutes |\n|---|---|---|---:|\n"
        "| 1 | [Why?](01-why.ipynb) | know foo.thrift, and can say why | ? |\n"
        "| 2 | [How?](02-how.ipynb) | know foo.thrift, and can say why | 25 |\n"
        "| 3 | [When?](03-when.ipynb) | know foo.thrift, and can say why | ? |\n"
        "\nBelow.\n"
    )
    assert (small.parent / "README.md").read_text(encoding="utf-8") == (
        "| other |\n|---|\n\n## Lessons\n\n"
        "| lesson | question |\n|---|---|\n"
        "| 1 | [Why?](notebooks/01-why.ipynb) |\n"
        "| 2 | [How?](notebooks/02-how.ipynb) |\n"
        "| 3 | [When?](notebooks/03-when.ipynb) |\n"
        "\n## More\n\n| b |\n|---|\n"
    )


def test_a_lesson_that_goes_leaves_no_trace(small: Path) -> None:
    write(small)
    (small / "02-how.ipynb").unlink()
    write(small)
    for path in small.rglob("*"):
        assert "02-how" not in path.read_text(encoding="utf-8")
    write(small)
    once = {path: path.read_bytes() for path in small.iterdir()}
    write(small)
    assert {path: path.read_bytes() for path in small.iterdir()} == once


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("Hello", 'x.ipynb begins with "Hello"'), ("# 1. Why?\n\nAfter", r"After it\*\* you")],
)
def test_a_lesson_that_does_not_say_what_it_is(tmp_path: Path, text: str, wanted: str) -> None:
    path = tmp_path / "x.ipynb"
    path.write_text(course.notebook_text({"cells": [markdown(text)]}), encoding="utf-8")
    with pytest.raises(SystemExit, match=wanted):
        course.read_course(tmp_path)
