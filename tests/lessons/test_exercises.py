"""Copies of the lessons to practise with: what is taken out, what stays, what is never lost."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest
from places import ROOT

from pingpong import cli
from pingpong.errors import LiveError
from pingpong.live import jupyter
from pingpong.live.course import course_file
from pingpong.live.exercises import ASKS_WITH_SOLUTION, without_solutions, write_exercises

NOTEBOOKS = ROOT / "notebooks"
LESSONS = sorted(NOTEBOOKS.glob("*.ipynb"))


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def code(text: str, *tags: str) -> dict[str, Any]:
    output = {"output_type": "stream", "name": "stdout", "text": ["42\n"]}
    return {
        "cell_type": "code",
        "id": "x",
        "metadata": {"tags": list(tags)} if tags else {},
        "execution_count": 7,
        "source": text.splitlines(keepends=True),
        "outputs": [output],
    }


def markdown(text: str, *tags: str) -> dict[str, Any]:
    metadata = {"tags": list(tags)} if tags else {}
    return {"cell_type": "markdown", "id": "x", "metadata": metadata, "source": [text]}


def test_what_is_taken_out() -> None:
    solved = {
        "nbformat": 4,
        "cells": [
            code("1 / 0", "raises-exception"),
            markdown(f"## Exercises\n\n{ASKS_WITH_SOLUTION}\n\n**1.** Why?"),
            code("secret = 1\nsecret", "solution"),
            markdown("Because of the secret.", "solution"),
            markdown("**2.** How?"),
            code("1 / secret", "solution", "raises-exception"),
        ],
    }
    before = json.dumps(solved)
    made = without_solutions(solved)
    assert json.dumps(solved) == before
    assert made["nbformat"] == 4
    kinds = [cell["cell_type"] for cell in made["cells"]]
    assert kinds == ["code", "markdown", "code", "markdown", "code"]
    assert made["cells"][0] == {
        **code("1 / 0", "raises-exception"),
        "outputs": [],
        "execution_count": None,
    }
    blank = {**code("# Your solution\n"), "outputs": [], "execution_count": None}
    assert made["cells"][2] == made["cells"][4] == blank
    assert "solution" not in "".join(made["cells"][1]["source"])
    assert "secret" not in json.dumps(made)


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_the_copy_of_a_lesson(lesson: Path, tmp_path: Path) -> None:
    solved = read(lesson)["cells"]
    write_exercises(tmp_path)
    blank = read(tmp_path / "notebooks" / lesson.name)["cells"]
    kept = [
        cell for cell in solved
        if cell["cell_type"] == "code" or "solution" not in cell["metadata"].get("tags", [])
    ]  # fmt: skip
    assert len(blank) == len(kept)
    for was, now in zip(kept, blank, strict=True):
        assert not now.get("outputs")
        assert now.get("execution_count") is None
        if "solution" in was["metadata"].get("tags", []):
            assert now["source"] == ["# Your solution\n"]
        elif ASKS_WITH_SOLUTION not in "".join(was["source"]):
            assert now["source"] == was["source"]


def names(cell: dict[str, Any], kind: type[ast.expr_context]) -> set[str]:
    """The names that a cell's code reads (ast.Load) or gives (ast.Store)."""
    nodes = list(ast.walk(ast.parse("".join(cell["source"]))))
    found = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, kind)}
    if kind is ast.Store:
        found |= {
            node.name
            for node in nodes
            if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.ExceptHandler)) and node.name
        }
        found |= {
            alias.asname or alias.name.partition(".")[0]
            for node in nodes
            if isinstance(node, (ast.Import, ast.ImportFrom))
            for alias in node.names
        }
    return found


def leaning(cells: list[dict[str, Any]]) -> set[str]:
    """The names that cells of the lesson read, and that only a solution gives."""
    given: set[str] = set()
    solved: set[str] = set()
    found: set[str] = set()
    for cell in cells:
        if cell["cell_type"] != "code":
            continue
        if "solution" in cell["metadata"].get("tags", []):
            solved |= names(cell, ast.Store)
        else:
            given |= names(cell, ast.Store)
            found |= (names(cell, ast.Load) & solved) - given
    return found


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_nothing_leans_on_a_solution(lesson: Path) -> None:
    """In a copy it would fail."""
    assert leaning(read(lesson)["cells"]) == set()


def test_what_leans_on_a_solution_is_found() -> None:
    cells = [
        code("import a.b\nx = 1"),
        code("def f(): pass\nx = 2\nfrom c import d as e\ny = 3", "solution"),
        code("f(x, a)"),
        code("y = 4\ny + e"),
    ]
    assert leaning(cells) == {"f", "e"}


def test_what_the_lessons_read_is_beside_them(tmp_path: Path) -> None:
    write_exercises(tmp_path / "deep" / "er")
    made = {path.relative_to(tmp_path / "deep" / "er").as_posix() for path in files(tmp_path)}
    wanted = {"foo.thrift"}
    for part in ("notebooks", "captures"):
        wanted |= {
            path.relative_to(ROOT).as_posix()
            for path in files(ROOT / part)
            if path.suffix not in (".py", ".pyc", ".css") and ".ipynb_checkpoints" not in path.parts
        }
    assert made == wanted
    for name in wanted:
        if not name.endswith(".ipynb"):
            copied = (tmp_path / "deep" / "er" / name).read_bytes()
            assert copied == (ROOT / name).read_bytes()


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_what_a_learner_wrote_is_kept(tmp_path: Path) -> None:
    write_exercises(tmp_path)
    mine, gone = (tmp_path / "notebooks" / lesson.name for lesson in LESSONS[:2])
    original = mine.read_bytes()
    mine.write_text("my answers")
    gone.unlink()
    written = write_exercises(tmp_path)
    assert mine.read_text() == "my answers"
    assert written.new == [Path("notebooks", gone.name)]
    assert written.kept == [Path("notebooks", mine.name)]

    written = write_exercises(tmp_path, force=True)
    assert mine.read_bytes() == original
    assert written.kept == []
    assert len(written.new) == len(files(tmp_path))


def test_force_replaces_a_link_and_not_what_it_leads_to(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious")
    link = tmp_path / "made" / "foo.thrift"
    link.parent.mkdir()
    link.symlink_to(precious)
    write_exercises(tmp_path / "made", force=True)
    assert precious.read_text() == "precious"
    assert not link.is_symlink()


def test_a_place_where_nothing_can_be_written(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(LiveError, match=r"file cannot be made a folder: File exists"):
        write_exercises(file)
    (tmp_path / "foo.thrift").mkdir()
    for force in (False, True):
        with pytest.raises(LiveError, match=r"Name another folder"):
            write_exercises(tmp_path, force=force)


# ── At the shell ─────────────────────────────────────────────────────────────────────


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Path]:
    """The lessons that JupyterLab would have opened; the working folder is empty."""
    monkeypatch.chdir(tmp_path)
    lessons: list[Path] = []

    def run_lab(notebooks: Path, first: str, browser: bool | None) -> int:
        lessons.append(notebooks / first)
        return 0

    monkeypatch.setattr(jupyter, "run_lab", run_lab)
    return lessons


def test_lab_opens_the_lessons(opened: list[Path]) -> None:
    assert cli.run(["lab"]) == 0
    assert opened == [course_file("notebooks") / LESSONS[0].name]
    assert list(Path().iterdir()) == []


def test_lab_opens_the_copies(opened: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["lab", "--exercises"]) == 0
    first = Path("pingpong-lessons", "notebooks", LESSONS[0].name)
    assert opened == [first]
    first.write_text("mine")
    assert cli.run(["lab", "--exercises"]) == 0
    assert capsys.readouterr().out == (
        f"{len(LESSONS)} lessons without solutions written to pingpong-lessons/notebooks\n"
        f"kept as it is: {first}\n"
        "(--force would write these anew: what you changed in them would be lost)\n"
    )
    assert cli.run(["lab", "--exercises", "--force"]) == 0
    assert first.read_text(encoding="utf-8") != "mine"


def test_lab_writes_the_copies_where_one_says(opened: list[Path]) -> None:
    assert cli.run(["lab", "--exercises", "mine"]) == 0
    assert opened == [Path("mine", "notebooks", LESSONS[0].name)]


def test_force_alone_is_a_mistake(opened: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["lab", "--force"]) == 2
    assert capsys.readouterr().err == (
        "pingpong: error: --force says what --exercises may do. Use both\n"
    )
    assert opened == []
