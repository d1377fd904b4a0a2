"""``pingpong lab``: the lessons, in JupyterLab."""

from __future__ import annotations

import argparse
from pathlib import Path

from .options import Command

__all__ = ["add"]


def add(command: Command) -> None:
    """The commands of this file."""
    one = command("lab", lab, "open the lessons in JupyterLab")
    one.add_argument("--no-browser", action="store_true", help="print the address, open nothing")


def lab(args: argparse.Namespace) -> int:
    """``pingpong lab``: JupyterLab on the first lesson."""
    from ..live.course import course_file
    from ..live.jupyter import run_lab

    lessons = course_file("notebooks")
    first = min((path.name for path in Path(lessons).glob("*.ipynb")), default="01.ipynb")
    return run_lab(lessons, first, False if args.no_browser else None)
