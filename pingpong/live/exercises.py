"""Copies of the lessons to practise with: no solutions, no outputs.

    the course                          FOLDER
    notebooks/03-every-byte.ipynb  ──▶  notebooks/03-every-byte.ipynb    without them
    notebooks/README.md …          ──▶  notebooks/README.md …            as it is
    foo.thrift, captures/…         ──▶  foo.thrift, captures/…           as they are

The lessons are stored solved.  A cell tagged ``solution`` is emptied if it holds code, so that
there is somewhere to write, and dropped if it holds text.  Everything else keeps its place, so
``../foo.thrift`` still works.

What somebody wrote into a copy is never lost: an existing file is left alone, unless ``force``
is given.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pingpong.errors import LiveError

from .course import course_file

__all__ = ["ASKS_WITH_SOLUTION", "SOLUTION", "Written", "without_solutions", "write_exercises"]

SOLUTION: Final = "solution"
# The programs that make the course's pages, and their styles: nobody practises with them.
LEFT_OUT: Final = (".py", ".css")
BLANK: Final = "# Your solution\n"

# Every lesson has the first sentence above its exercises; a copy has the second.
ASKS_WITH_SOLUTION: Final = "Write your own answer first. A solution is in the cell below each."
ASKS: Final = "Write your answer into the cell below each."


@dataclass
class Written:
    """What became of each file: paths below the folder."""

    new: list[Path] = field(default_factory=list)
    kept: list[Path] = field(default_factory=list)  # was there, and is no fresh copy


def without_solutions(notebook: dict[str, Any]) -> dict[str, Any]:
    """A copy of the notebook, as loaded from JSON, with its solutions emptied and no outputs."""
    return {**notebook, "cells": list(_blank_cells(notebook["cells"]))}


def _blank_cells(cells: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for cell in cells:
        metadata = dict(cell["metadata"])
        tags = metadata.pop("tags", [])
        text = "".join(cell["source"])
        if SOLUTION in tags:
            if cell["cell_type"] != "code":
                continue
            text = BLANK
        elif tags:
            metadata["tags"] = tags
        text = text.replace(ASKS_WITH_SOLUTION, ASKS)
        made = {**cell, "metadata": metadata, "source": text.splitlines(keepends=True)}
        if cell["cell_type"] == "code":
            made |= {"outputs": [], "execution_count": None}
        yield made


def write_exercises(folder: Path, *, force: bool = False) -> Written:
    """Write the course without its solutions below ``folder``, which is created if need be.

    An existing file is kept; with ``force`` it is overwritten.  Raises LiveError if the
    course cannot be found or a file cannot be written.
    """
    written = Written()
    for source, name in _files():
        target = folder / name
        data = _blank(source.read_bytes()) if source.suffix == ".ipynb" else source.read_bytes()
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LiveError(
                f"{target.parent} cannot be made a folder: {error.strerror}", "Name another one"
            ) from None
        try:
            if force:
                target.unlink(missing_ok=True)  # removes a link, not its target
            with open(target, "xb") as file:
                file.write(data)
            written.new.append(name)
        except FileExistsError:
            if not target.is_file():
                raise LiveError(f"{target} is in the way", "Name another folder") from None
            if target.read_bytes() != data:
                written.kept.append(name)
        except OSError as error:
            raise LiveError(
                f"{target} cannot be written: {error.strerror}", "Name another folder"
            ) from None
    return written


def _blank(data: bytes) -> bytes:
    blank = without_solutions(json.loads(data))
    return (json.dumps(blank, indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode()


def _files() -> Iterator[tuple[Path, Path]]:
    """Each file of the course, and its path below the folder."""
    idl = course_file("foo.thrift")
    yield idl, Path(idl.name)
    for part in ("notebooks", "captures"):
        folder = course_file(part)
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder)
            hidden = any(each.startswith((".", "__")) for each in name.parts)
            if path.is_file() and path.suffix not in LEFT_OUT and not hidden:
                yield path, part / name
