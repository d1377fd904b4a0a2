"""Tests stand in folders named after the rooms; what two of them share is in tests/kit.

So each room's tests run alone, in any order, and nobody loses them by moving a file.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from places import KIT, ROOT, TESTS

pytestmark = pytest.mark.once

SOURCES = {path.relative_to(TESTS).as_posix(): path for path in sorted(TESTS.rglob("*.py"))}
# They mirror no room: the notebooks with what runs them, and what is true of the whole house.
OF_THEIR_OWN = {"kit", "lessons", "house"}


def imported(source: str) -> Iterator[str]:
    """The first names of all that is imported, at the top or inside a function."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            # `from . import test_x` names a module, too.
            names = [alias.name for alias in node.names] if node.level else []
            yield from ((node.module or "").partition(".")[0], *names)


def imports_of_tests(source: str) -> list[str]:
    return [name for name in imported(source) if name.startswith("test_")]


@pytest.mark.parametrize("name", SOURCES)
def test_no_test_is_imported(name: str) -> None:
    assert imports_of_tests(SOURCES[name].read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "line",
    [
        "import test_binary",
        "from test_binary import RICH",
        "def f():\n    from . import test_binary",
    ],
)
def test_a_test_that_is_imported_is_seen(line: str) -> None:
    assert imports_of_tests(line) == ["test_binary"]


def test_tests_and_helpers_are_apart() -> None:
    wrong = [
        name
        for name, path in SOURCES.items()
        if path.name != "conftest.py" and path.name.startswith("test_") != (KIT not in path.parents)
    ]
    assert wrong == []


def test_names_of_files_are_unique() -> None:
    """Folders of tests are no packages: two files of one name would be one module."""
    names = Counter(path.name for path in SOURCES.values())
    assert [name for name, times in names.items() if times > 1] == []


def test_folders_are_named_after_rooms() -> None:
    folders = {Path(name).parts[0] for name in SOURCES if "/" in name} - OF_THEIR_OWN
    rooms = {path.stem for path in (ROOT / "pingpong").iterdir()}
    assert folders <= rooms
