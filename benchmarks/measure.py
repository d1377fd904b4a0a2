"""Runs a program and says what it cost: CPU seconds, peak memory.

    run      output to /dev/null          CPU time and memory, from wait4's rusage of this child
    count    output through a pipe        what it printed, counted; nothing is measured

The two are apart, so that nobody who counts slows down a program that is measured.

Linux counts what the runner itself holds when it starts a child as the child's: no child seems
smaller than that.  So the runner stays small, writes captures in a child of its own, and
``floor`` says what the smallest program seems to need.

A child has a process group of its own: Ctrl-C reaches the runner, which ends the child and waits
for it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import IO, Final, NamedTuple

# What ru_maxrss counts in.
UNIT: Final = 1 if sys.platform == "darwin" else 1024


class Failed(Exception):
    """A program did not end as it should: which, its exit code, and what it said last."""


class Run(NamedTuple):
    """What one run cost: seconds, and bytes of memory at most."""

    cpu: float
    wall: float
    memory: int


def median(values: Iterable[float]) -> float:
    """The value in the middle.

    >>> median([3, 1, 2]), median([4, 1, 2, 3])
    (2, 2.5)
    """
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def run(argv: Sequence[str], good: Sequence[int] = (0,)) -> Run:
    """Run a program to its end, its output thrown away.  ``good``: exit codes that are."""
    with open(os.devnull, "wb") as nothing, tempfile.TemporaryFile() as errors:
        before = time.monotonic()
        with _child(argv, nothing, errors) as pid:
            _, status, usage = os.wait4(pid, 0)
        wall = time.monotonic() - before
        _check(argv, status, good, errors)
    return Run(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss * UNIT)


def count(
    argv: Sequence[str], counter: Callable[[IO[bytes]], int], good: Sequence[int] = (0,)
) -> int:
    """Run a program to its end and count what it prints."""
    reader, writer = os.pipe()
    with open(reader, "rb") as output, tempfile.TemporaryFile() as errors:
        with open(writer, "wb") as end, _child(argv, end, errors) as pid:
            end.close()
            counted = counter(output)
            _, status = os.waitpid(pid, 0)
        _check(argv, status, good, errors)
    return counted


def output(argv: Sequence[str]) -> str:
    """What a program prints."""
    printed: list[bytes] = []

    def take(output: IO[bytes]) -> int:
        printed.append(output.read())
        return 1

    count(argv, take)
    return printed[0].decode(errors="replace")


def floor() -> int:
    """The memory of a program that does nothing, as it is measured here."""
    return run(["true"]).memory


@contextlib.contextmanager
def _child(argv: Sequence[str], output: IO[bytes], errors: IO[bytes]) -> Iterator[int]:
    """Start a program; the body waits for it.  If it does not come to that, end it."""
    pid = os.fork()
    if not pid:
        _become(argv, output, errors)
    try:
        yield pid
    except BaseException:
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(pid, signal.SIGTERM)
            os.waitpid(pid, 0)
        raise


def _become(argv: Sequence[str], output: IO[bytes], errors: IO[bytes]) -> None:
    try:
        os.setpgid(0, 0)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(output.fileno(), 1)
        os.dup2(errors.fileno(), 2)
        os.execvp(argv[0], list(argv))
    finally:
        os._exit(127)


def _check(argv: Sequence[str], status: int, good: Sequence[int], errors: IO[bytes]) -> None:
    code = os.waitstatus_to_exitcode(status)
    if code in good:
        return
    errors.seek(0)
    said = errors.read().decode(errors="replace").strip().splitlines()[-3:]
    raise Failed("\n  ".join([f"{' '.join(argv)}: exit code {code}", *said]))
