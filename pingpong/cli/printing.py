"""What every command prints with: lines, complaints, and the exit code of what was read."""

from __future__ import annotations

import shutil
import signal
import sys
from collections.abc import Iterable
from itertools import islice
from typing import Final

from ..calls.redact import Redactor
from ..calls.roles import counted
from ..model import Differences, Finding, Severity
from ..views.text import Line, Run, escape, plain

__all__ = [
    "BAD",
    "INTERRUPTED",
    "NO_THRIFT",
    "READ_ALL",
    "TROUBLE",
    "Verdict",
    "complain",
    "counted",
    "say",
    "say_text",
    "say_unmatched",
    "width",
]

READ_ALL: Final = 0
NO_THRIFT: Final = 1
BAD: Final = 2
TROUBLE: Final = 3
INTERRUPTED: Final = 128 + signal.SIGINT

# Width of lines where no terminal says its own.
WIDTH: Final = 100

# How many ways in which wire and IDL differ are told.
WAYS: Final = 60

# What the styles of ``views`` look like on a terminal.
COLOURS: Final = {
    "title": "bold",
    "head": "bold",
    "dim": "dim",
    "good": "green",
    "warning": "yellow",
    "error": "bold red",
    "call": "cyan",
    "reply": "green",
    "frame": "magenta",
    "header": "blue",
    "field": "yellow",
    "size": "dim cyan",
    "value": "bold green",
    "stop": "dim",
    "lost": "bold red",
    "unread": "red",
}


def say(lines: Iterable[Line]) -> None:
    """Print lines: in colour on a terminal, plain elsewhere."""
    if not sys.stdout.isatty():
        for line in lines:
            sys.stdout.write(plain([line]) + "\n")
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
    for line in lines:
        console.print(Text.assemble(*((run.text, COLOURS.get(run.style, "")) for run in line)))


def say_text(text: str = "", style: str = "") -> None:
    say([[Run(part, style)] for part in text.split("\n")])


def complain(text: str) -> None:
    """A line on standard error."""
    sys.stderr.write(f"pingpong: {escape(text)}\n")


def width() -> int:
    return shutil.get_terminal_size((WIDTH, 24)).columns if sys.stdout.isatty() else WIDTH


class Verdict:
    """What is wrong with the input, said while it is read, and the exit code of it all."""

    def __init__(self) -> None:
        self.bad = False
        self.any_thrift = False

    def report(self, findings: Iterable[Finding], about: str = "") -> None:
        for finding in findings:
            if finding.severity is Severity.NOTE:
                continue
            self.bad = self.bad or finding.severity is Severity.ERROR
            complain(f"{finding.severity.name.lower()}: {about}{finding.text}")

    def differ(self, differences: Differences) -> None:
        """Say where wire and IDL differ, a line for each way."""
        for one in islice(differences, WAYS):
            complain(f"warning: {one.summary}")
        rest = max(len(differences) - WAYS, 0)
        if rest or differences.more:
            complain(f"warning: and wire and IDL differ in {rest or 'many'} more ways")

    @property
    def exit_code(self) -> int:
        if self.bad:
            return BAD
        return READ_ALL if self.any_thrift else NO_THRIFT


def say_unmatched(redactor: Redactor | None) -> bool:
    """Warn of selectors that met no value: were there any?"""
    if redactor is None:
        return False
    unmatched = [
        one for one, count in zip(redactor.selectors, redactor.counts, strict=True) if not count
    ]
    for one in unmatched:
        hint = "is it spelt as in the messages?"
        if one.has_names:
            hint += " Names need --idl, or a protocol that writes them; ids need neither (login.2)"
        complain(f'warning: no value was met by "{one.text}": {hint}')
    return bool(unmatched)
