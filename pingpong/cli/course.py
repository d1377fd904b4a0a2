"""``pingpong lab``: the lessons, in JupyterLab."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from ..errors import LiveError
from .options import Command

__all__ = ["add"]

FOLDER: Final = "pingpong-lessons"

MORE: Final = """\
The lessons are stored with their outputs and solutions. --exercises copies them without either,
to work in. Files that are in the folder already stay as they are."""


def add(command: Command) -> None:
    """Add the command of this file."""
    one = command("lab", lab, "open the lessons in JupyterLab", MORE)
    one.add_argument("--no-browser", action="store_true", help="print the address, open nothing")
    one.add_argument(
        "--exercises",
        nargs="?",
        type=Path,
        const=Path(FOLDER),
        metavar="FOLDER",
        help=f"copy the lessons without solutions there first ({FOLDER})",
    )
    one.add_argument(
        "--force", action="store_true", help="with --exercises: replace what is there, answers too"
    )


def lab(args: argparse.Namespace) -> int:
    """``pingpong lab``: JupyterLab on the first lesson."""
    from ..live.course import course_file
    from ..live.jupyter import run_lab

    if args.exercises is not None:
        lessons = _exercises(args.exercises, args.force)
    elif args.force:
        raise LiveError("--force says what --exercises may do", "Use both")
    else:
        lessons = course_file("notebooks")
    first = min((path.name for path in lessons.glob("*.ipynb")), default="01.ipynb")
    return run_lab(lessons, first, False if args.no_browser else None)


def _exercises(folder: Path, force: bool) -> Path:
    """Write the copies and say what was done; returns the folder of the lessons."""
    from ..live.exercises import write_exercises

    written = write_exercises(folder, force=force)
    lessons = folder / "notebooks"
    new = sum(path.suffix == ".ipynb" for path in written.new)
    if new:
        print(f"{_lessons(new)} without solutions written to {lessons}")
    for path in written.kept:
        print(f"kept as it is: {folder / path}")
    if written.kept:
        print("(--force would write these anew: what you changed in them would be lost)")
    return lessons


def _lessons(count: int) -> str:
    return f"{count} lesson" if count == 1 else f"{count} lessons"
