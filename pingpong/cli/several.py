"""Several files at once, on all cores: what is printed does not depend on how many there are.

    file 1 ─▶ process ─▶ its lines, in a temporary file ─┐
    file 2 ─▶ process ─▶ …                               ├─▶ printed in the order of the files
    file 3 ─▶ (waits for a core)                         ─┘

A process does one file.  What it says is printed while it comes if its turn is now, and else when
its turn has come.  Ctrl-C ends them all.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.process import BaseProcess
from typing import IO, Any, Final

from ..errors import DecodeError, PingpongError
from ..views.text import escape
from .printing import BAD, NO_THRIFT, READ_ALL, complain

__all__ = ["Work", "cores", "each"]

# Does a file, and says how much of it is done; the exit code.
Work = Callable[[str, Callable[[int], None]], int]

# How often is looked for what the process whose turn it is has said, in seconds.
PERIOD: Final = 0.05


def cores() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def each(work: Work, paths: Sequence[str], jobs: int) -> int:
    """Do all files, ``jobs`` of them at a time; the exit code of all.

    With more than one job, ``work`` has to be such that it can be sent to another process.
    """
    if jobs > 1 and len(paths) > 1 and "-" not in paths:
        return together(list(_side_by_side(work, paths, min(jobs, len(paths)))))
    return together([_one(work, path, lambda done: None) for path in paths])


def together(codes: Sequence[int]) -> int:
    """Something bad in one of them is bad; Thrift in one of them is Thrift."""
    if BAD in codes:
        return BAD
    return READ_ALL if READ_ALL in codes else NO_THRIFT


def _one(work: Work, path: str, report: Callable[[int], None]) -> int:
    """Do a file.  One that cannot be read keeps no other from being read."""
    try:
        return work(path, report)
    except (PingpongError, DecodeError) as error:
        complain(f"error: {error}")
        return BAD


class _Job:
    """A file, the process that does it, and where that writes."""

    def __init__(self, folder: str, path: str, number: int) -> None:
        self.path = path
        self.out = os.path.join(folder, f"{number}.out")
        self.err = os.path.join(folder, f"{number}.err")
        self.done: Any = None  # bytes of the file that were read, shared with the process
        self.process: BaseProcess | None = None
        for name in (self.out, self.err):
            open(name, "wb").close()


def _side_by_side(work: Work, paths: Sequence[str], jobs: int) -> Iterator[int]:
    """The exit codes of the files, in their order, as each was printed."""
    # A fork is quick, and unsafe where threads run.
    is_alone = sys.platform.startswith("linux") and threading.active_count() == 1
    context: Any = multiprocessing.get_context("fork" if is_alone else "spawn")
    folder = tempfile.mkdtemp(prefix="pingpong-")
    all_jobs = [_Job(folder, path, number) for number, path in enumerate(paths)]
    waiting = list(all_jobs)
    running: list[_Job] = []

    def start() -> None:
        """Have as many processes as may be."""
        running[:] = [one for one in running if one.process is not None and one.process.is_alive()]
        while waiting and len(running) < jobs:
            one = waiting.pop(0)
            one.done = context.RawValue("q", 0)
            what = (work, one.path, one.out, one.err, sys.stdout.encoding, one.done)
            process = context.Process(target=_in_process, args=what, daemon=True)
            one.process = process
            sys.stdout.flush()
            sys.stderr.flush()
            with _undisturbed():
                process.start()
                running.append(one)

    try:
        with _ended_by_sigterm(), _progress(all_jobs) as show:
            for one in all_jobs:
                start()
                assert one.process is not None
                with open(one.out, "rb") as out:
                    while one.process.is_alive():
                        _pass_on(out, sys.stdout)
                        show()
                        one.process.join(PERIOD)
                        start()
                    _pass_on(out, sys.stdout)
                with open(one.err, "rb") as err:
                    _pass_on(err, sys.stderr)
                os.unlink(one.out)
                yield _code(one)
    finally:
        for one in running:
            if one.process is not None and one.process.is_alive():
                one.process.terminate()
        for one in running:
            if one.process is not None:
                one.process.join()
        shutil.rmtree(folder, ignore_errors=True)


def _code(job: _Job) -> int:
    assert job.process is not None
    code = job.process.exitcode
    if code in (READ_ALL, NO_THRIFT, BAD):
        return code
    how = f"exit code {code}" if code is not None and code > 0 else f"signal {-(code or 0)}"
    complain(f"error: {job.path}: its process ended with {how}, and what it had to say is missing")
    return BAD


def _pass_on(source: IO[bytes], target: IO[str]) -> None:
    """Print what is new there."""
    # A character may have been written in part: its rest comes.
    binary: IO[bytes] | None = getattr(target, "buffer", None)
    while block := source.read(1 << 20):
        if binary is None:
            target.write(block.decode(errors="replace"))
        else:
            target.flush()
            binary.write(block)
    target.flush()


def _in_process(work: Work, path: str, out: str, err: str, encoding: str, done: Any) -> None:
    """The body of a process."""
    # Ctrl-C reaches all processes of a terminal: who started this one ends it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    code = 70  # sysexits.h: the program's own fault
    with (
        open(out, "w", encoding=encoding, errors="backslashreplace") as sys.stdout,
        open(err, "w", encoding=encoding, errors="backslashreplace") as sys.stderr,
    ):

        def report(count: int) -> None:
            done.value = count

        try:
            code = _one(work, path, report)
        except BaseException:
            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        # Not by way of what the parent wants done at its end.
        os._exit(code)


@contextlib.contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """SIGTERM ends this as Ctrl-C does: no process and no temporary file is left."""
    if threading.current_thread() is not threading.main_thread():
        yield  # nobody but the main thread may say what a signal does
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """A signal waits until the process that was begun is known, so that it can be ended."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _progress(jobs: Sequence[_Job]) -> Iterator[Callable[[], None]]:
    """Shows how much of all files is done, where somebody waits."""
    total = sum(os.path.getsize(one.path) for one in jobs if os.path.isfile(one.path))
    if not sys.stderr.isatty() or sys.stdout.isatty() or total < 8_000_000:
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import Progress

    # Without a thread of its own: processes are still to be forked.
    with Progress(console=Console(stderr=True), transient=True, auto_refresh=False) as progress:
        names = ", ".join(escape(os.path.basename(one.path)) for one in jobs[:2])
        task = progress.add_task(names + (", …" if len(jobs) > 2 else ""), total=total)

        def show() -> None:
            done = sum(one.done.value for one in jobs if one.done is not None)
            progress.update(task, completed=done, refresh=True)

        yield show
