"""What every command prints with: lines, complaints, and the exit code of what was read."""

from __future__ import annotations

import shutil
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from ..model import Differences, Finding, Findings, Severity
from ..protocols.purposes import counted
from ..redaction.messages import Redactor
from ..views.text import Line, Run, escape, plain

if TYPE_CHECKING:
    from rich.progress import Progress

__all__ = [
    "BAD",
    "BROKEN",
    "INTERRUPTED",
    "NOBODY_READS",
    "NO_THRIFT",
    "READ_ALL",
    "TROUBLE",
    "UNABLE",
    "InputReport",
    "bar",
    "complain",
    "counted",
    "forget_bars",
    "room",
    "say",
    "say_text",
    "say_unmatched",
    "say_wrong",
    "why_unable",
    "width",
]

READ_ALL: Final = 0
NO_THRIFT: Final = 1
BAD: Final = 2
TROUBLE: Final = 3
UNABLE: Final = 4
BROKEN: Final = 70  # sysexits.h: the program's own fault
INTERRUPTED: Final = 128 + signal.SIGINT
NOBODY_READS: Final = 128 + 13  # SIGPIPE, which not every system has

# Width of lines, in columns, if no terminal has a width of its own.
WIDTH: Final = 100

# How many differences between wire and IDL are listed.
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
    """Print text in one of the styles of COLOURS: a line, or several."""
    say([[Run(part, style)] for part in text.split("\n")])


def complain(text: str) -> None:
    """Print a line on standard error, escaped and after ``pingpong:``."""
    say_wrong(f"pingpong: {escape(text)}\n")


def say_wrong(text: str) -> None:
    """Print lines on standard error, above the bar if one is drawn there."""
    with suppress(OSError):  # there is nobody left to tell
        if _bars:
            how: Any = {"markup": False, "highlight": False, "emoji": False, "soft_wrap": True}
            _bars[-1].console.print(text, end="", **how)
        else:
            sys.stderr.write(text)
            sys.stderr.flush()


def why_unable(error: OSError | MemoryError) -> str:
    """What the machine refused, and about which file if the error names one."""
    if isinstance(error, MemoryError):
        return "there is no memory left; --max-message and --max-frame bound what a message takes"
    reason = error.strerror or str(error)
    return f"{error.filename}: {reason}" if error.filename is not None else reason


# The bars that are drawn now: one, or none.
_bars: list[Progress] = []


@contextmanager
def bar(name: str, total: int, *, threaded: bool = True) -> Iterator[Callable[[int], None] | None]:
    """Show on standard error how much of ``total`` bytes is done.

    Yields a function that takes the bytes done so far; None if nobody is waiting, or if lines on
    the terminal show it anyway.  ``threaded`` redraws the bar from a thread of its own.
    """
    if not sys.stderr.isatty() or sys.stdout.isatty() or total < 8_000_000:
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    drawn = Progress(
        console=Console(stderr=True),
        transient=True,
        auto_refresh=threaded,
        # What is printed goes where it would have gone.
        redirect_stdout=False,
        redirect_stderr=False,
    )
    with drawn:
        task = drawn.add_task(escape(name), total=total)
        _bars.append(drawn)
        try:
            yield lambda done: drawn.update(task, completed=done, refresh=not threaded)
        finally:
            _bars.remove(drawn)


def forget_bars() -> None:
    """Forget the bars of the parent process: a process that was forked has none."""
    _bars.clear()


def width() -> int:
    """Columns that a line may have: the terminal's, or WIDTH in a pipe."""
    return shutil.get_terminal_size((WIDTH, 24)).columns if sys.stdout.isatty() else WIDTH


def room() -> int | None:
    """Columns that a line of a list may have; None in a pipe, where nothing is to be cut."""
    return width() if sys.stdout.isatty() else None


class InputReport:
    """What is wrong with the input, said while it is read, and the exit code of it all."""

    def __init__(self) -> None:
        self.bad = False
        self.any_thrift = False
        self._said = Findings()

    def report(self, findings: Iterable[Finding], about: str = "") -> None:
        """Print what was found.

        Only a few of each kind are printed, and ``end`` says how many more there were.  ``about``
        is put before each sentence.
        """
        for finding in findings:
            if finding.severity is Severity.NOTE:
                continue
            self.bad = self.bad or finding.severity is Severity.ERROR
            if self._said.add(Finding(finding.severity, about + finding.text)):
                complain(f"{finding.severity.name.lower()}: {about}{finding.text}")
            self._said.kept.clear()

    def end(self) -> int:
        """Report what was only counted, and return the exit code."""
        for one in self._said.rest:
            complain(f"{one.severity.name.lower()}: {one.text}")
        self._said = Findings()
        return self.exit_code

    def differ(self, differences: Differences) -> None:
        """Say where wire and IDL differ, one line for each way."""
        for one in islice(differences, WAYS):
            complain(f"warning: {one.summary}")
        rest = max(len(differences) - WAYS, 0)
        if rest or differences.more:
            complain(f"warning: and wire and IDL differ in {rest or 'many'} more ways")

    @property
    def exit_code(self) -> int:
        """BAD after an error; else READ_ALL, or NO_THRIFT if nothing was known in it."""
        if self.bad:
            return BAD
        return READ_ALL if self.any_thrift else NO_THRIFT


def say_unmatched(redactor: Redactor | None) -> bool:
    """Warn of selectors that matched no value, and return whether there were any."""
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
