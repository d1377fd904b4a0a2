"""The lessons as they are stored, and as other people run them.

nbval runs every lesson and compares every output: `make test` asks pytest for it.  But a cell
that was never run passes there with nothing compared, so what is stored is checked here.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import RunAsNobody
from places import ROOT

FOLDER = ROOT / "notebooks"
LESSONS = sorted(FOLDER.glob("*.ipynb"))
MAX_SIZE = 400_000  # bytes; GitHub shows larger ones slowly or not at all

# Both differ from machine to machine or from run to run.
ABSOLUTE_PATH = re.compile(r"(?<![\w.:/<-])(?:/(?:home|root|tmp|usr|opt|work|Users|var)/|[A-Z]:\\)")
ADDRESS = re.compile(r"\b0x[0-9a-f]{9,16}\b")

Notebook = dict[str, Any]


def problems(path: Path) -> list[str]:
    """What keeps a stored notebook from being a lesson: nothing, if it is one."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    code = [cell for cell in code if "".join(cell["source"]).strip()]
    counts = [cell["execution_count"] for cell in code]
    found = []
    if not code:
        found.append("has no code")
    if counts != list(range(1, len(code) + 1)):
        found.append(f"cells count {counts}, not 1 to {len(code)}")
    if path.stat().st_size >= MAX_SIZE:
        found.append(f"is {path.stat().st_size} bytes, not under {MAX_SIZE}")
    if notebook["metadata"].get("kernelspec", {}).get("name") != "python3":
        found.append("kernel is not python3")
    if "widgets" in notebook["metadata"] or "widget-view" in json.dumps(notebook["cells"]):
        found.append("stores widget state")
    for number, cell in enumerate(code, 1):
        tags = cell["metadata"].get("tags", [])
        kinds = [output["output_type"] for output in cell["outputs"]]
        if "error" in kinds and "raises-exception" not in tags:
            found.append(f"cell {number} ends in an error")
    for what, pattern in (("path", ABSOLUTE_PATH), ("address", ADDRESS)):
        found += [f"holds the {what} {hit}" for hit in pattern.findall(words(notebook))]
    return found


def words(notebook: Notebook) -> str:
    """All that a reader sees, sources and outputs, images aside."""
    lines = []
    for cell in notebook["cells"]:
        lines += cell["source"]
        for output in cell.get("outputs", []):
            texts = [output.get("text", []), output.get("traceback", [])]
            texts += [t for kind, t in output.get("data", {}).items() if kind.startswith("text/")]
            lines += [line for text in texts for line in text]
    return "".join(lines)


def test_there_are_lessons() -> None:
    assert LESSONS, f"no notebook in {FOLDER}"


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_stored_lesson(lesson: Path) -> None:
    assert problems(lesson) == []


# ── The check itself ─────────────────────────────────────────────────────────────────


def good_notebook() -> Notebook:
    data = {"text/plain": ["2"]}
    result = {"output_type": "execute_result", "execution_count": 1, "metadata": {}, "data": data}
    cell = {
        "cell_type": "code",
        "id": "one",
        "metadata": {},
        "source": ["1 + 1"],
        "execution_count": 1,
        "outputs": [result],
    }
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    metadata = {"kernelspec": kernel}
    return {"cells": [cell], "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def write(path: Path, notebook: Notebook) -> Path:
    path.write_text(json.dumps(notebook), encoding="utf-8")
    return path


def fail(cell: Notebook) -> None:
    error = {"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["E: v"]}
    cell["outputs"] = [error]


BREAKS: dict[str, Callable[[Notebook, Notebook], object]] = {
    "has no code": lambda book, cell: book["cells"].clear(),
    "cells count [None], not 1 to 1": lambda book, cell: cell.update(execution_count=None),
    "cells count [2], not 1 to 1": lambda book, cell: cell.update(execution_count=2),
    "kernel is not python3": lambda book, cell: book["metadata"].clear(),
    "stores widget state": lambda book, cell: book["metadata"].update(widgets={}),
    "cell 1 ends in an error": lambda book, cell: fail(cell),
    "holds the path /home/": lambda book, cell: cell.update(source=["open('/home/ann/x')"]),
    "holds the address 0x7f12ab34cd56": lambda book, cell: cell["outputs"][0]["data"].update(
        {"text/plain": ["<object at 0x7f12ab34cd56>"]}
    ),
}


def test_a_good_notebook_has_no_problems(tmp_path: Path) -> None:
    assert problems(write(tmp_path / "good.ipynb", good_notebook())) == []


@pytest.mark.parametrize("problem", BREAKS)
def test_a_bad_notebook_is_found(problem: str, tmp_path: Path) -> None:
    notebook = good_notebook()
    BREAKS[problem](notebook, notebook["cells"][0])
    assert problems(write(tmp_path / "bad.ipynb", notebook)) == [problem]


def test_a_large_notebook_is_found(tmp_path: Path) -> None:
    notebook = good_notebook()
    notebook["cells"][0]["outputs"][0]["data"]["text/plain"] = ["x" * MAX_SIZE]
    assert "bytes, not under" in problems(write(tmp_path / "large.ipynb", notebook))[0]


# ── With a kernel ────────────────────────────────────────────────────────────────────


@pytest.mark.notebook
def test_storing_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    notebook = good_notebook()
    cell = notebook["cells"][0]
    raising = {**cell, "id": "two", "source": ["1 / 0"]}
    raising["metadata"] = {"tags": ["raises-exception"], "collapsed": True}
    timing = {**cell, "id": "three", "source": ["import time; time.time()"]}
    timing["metadata"] = {"tags": ["measured", "nbval-ignore-output"]}
    notebook["cells"] += [raising, timing]
    path = write(tmp_path / "tiny.ipynb", notebook)
    stored = []
    for _ in range(2):
        subprocess.run(
            [sys.executable, FOLDER / "store.py", path],
            capture_output=True,
            check=True,
            timeout=120,
        )
        stored.append(path.read_bytes())
    assert stored[0] == stored[1]
    assert problems(path) == []
    cells = json.loads(stored[0])["cells"]
    assert cells[0]["outputs"][0]["data"]["text/plain"] == ["2"]
    assert cells[1]["metadata"] == {"tags": ["raises-exception"]}
    assert cells[1]["outputs"][0]["traceback"] == ["ZeroDivisionError: division by zero"]
    assert (cells[2]["execution_count"], cells[2]["outputs"]) == (3, [])


@pytest.mark.notebook
def test_lessons_run_as_nobody(course: Path, as_nobody: RunAsNobody) -> None:
    """Those that ask most of the machine: they record, cut packets and speak TLS."""
    nbval = ("--nbval", "--nbval-current-env", "--nbval-cell-timeout=60")
    lessons = [path.name for path in LESSONS if path.name[:2] in ("02", "05", "11")]
    assert len(lessons) == 3
    done = as_nobody("-m", "pytest", *nbval, *lessons, cwd=course)
    assert done.returncode == 0, done.stdout
