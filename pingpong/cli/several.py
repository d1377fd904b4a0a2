"""Several files at once, on all cores: what is printed does not depend on how many there are.

    file 1 ─▶ process ─▶ pipe ─▶ printed: its turn is now
    file 2 ─▶ process ─▶ pipe ─▶ a temporary file without a name ─▶ printed in its turn
    file 3 ─▶ (waits for a core)

A process does one file.  What it says is printed at once if it is that file's turn, and otherwise
when its turn comes.  If there is no room for what has to wait, the process waits: no line is lost.
Ctrl-C ends them all.
"""

from __future__ import annotations

import contextlib
import errno
import io
import multiprocessing
import os
import signal
import struct
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import IO, Any, Final

from ..errors import DecodeError, PingpongError
from .printing import (
    BAD,
    BROKEN,
    NO_THRIFT,
    READ_ALL,
    UNABLE,
    bar,
    complain,
    forget_bars,
    say_wrong,
    why_unable,
)
from .streams import ENDINGS

__all__ = ["Work", "cores", "each"]

# Does one file and reports how many bytes of it are done; returns the exit code.
Work = Callable[[str, Callable[[int], None]], int]

# How often the bar is drawn, in seconds.
PERIOD: Final = 0.05

# What begins a piece of what was said.
_OUT: Final = b"o"
_ERR: Final = b"e"
# The length of a piece that waits in a file, in bytes.
_HEAD: Final = struct.Struct("<I")


def cores() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def each(work: Work, paths: Sequence[str], jobs: int) -> int:
    """Do all files, ``jobs`` of them at a time, and return one exit code for all.

    With more than one job, ``work`` has to be something that can be sent to another process.
    """
    if jobs > 1 and len(paths) > 1 and "-" not in paths:
        return together(list(_side_by_side(work, paths, min(jobs, len(paths)))))
    return together([_one(work, path, lambda done: None) for path in paths])


def together(codes: Sequence[int]) -> int:
    """One exit code for several.

    What could not be done comes first, then something bad; messages in one file are messages.
    """
    for code in (UNABLE, BAD, READ_ALL):
        if code in codes:
            return code
    return NO_THRIFT


def _one(work: Work, path: str, report: Callable[[int], None]) -> int:
    """Do one file.  One that cannot be read does not keep the others from being read."""
    try:
        return work(path, report)
    except (PingpongError, DecodeError) as error:
        complain(f"error: {error}")
        return BAD


class _Job:
    """A file, the process that does it, and what it said that is not printed yet."""

    def __init__(self, path: str, context: Any) -> None:
        self.path = path
        self.done: Any = context.RawValue("q", 0)  # bytes of the file that have been read
        self.process: BaseProcess | None = None
        self.pipe: Connection | None = None  # None: not started, or all of it was said
        self.held = b""  # a piece that there was no room for: none is taken until it is printed
        self._spool: IO[bytes] | None = None
        self._kept = 0

    def take(self) -> bytes:
        """The next piece that it says; b"" if that was all."""
        assert self.pipe is not None
        try:
            return self.pipe.recv_bytes()
        except (EOFError, OSError):  # it has ended, or it was cut off
            self.pipe.close()
            self.pipe = None
            return b""

    def keep(self, piece: bytes) -> None:
        """Let a piece wait for its turn.  Raises OSError if there is no room for it."""
        self.held = piece
        if self._spool is None:
            self._spool = tempfile.TemporaryFile(prefix="pingpong-", buffering=0)  # noqa: SIM115
        data = memoryview(_HEAD.pack(len(piece)) + piece)
        self._spool.seek(self._kept)
        while data:
            data = data[self._spool.write(data) :]
        self._kept = self._spool.tell()
        self.held = b""

    def kept(self) -> Iterator[bytes]:
        """What waited for its turn, which has come now."""
        if self._spool is not None:
            with self._spool as spool:
                spool.seek(0)
                while spool.tell() < self._kept:
                    (size,) = _HEAD.unpack(_all(spool, _HEAD.size))
                    yield _all(spool, size)
        if self.held:
            yield self.held


def _all(source: IO[bytes], size: int) -> bytes:
    """``size`` bytes: a file without a buffer may give fewer at a time."""
    data = b""
    while len(data) < size:
        more = source.read(size - len(data))
        if not more:
            raise OSError(errno.EIO, "ends too soon", "temporary file")
        data += more
    return data


def _side_by_side(work: Work, paths: Sequence[str], jobs: int) -> Iterator[int]:
    """The exit codes of the files, in their order, as each was printed."""
    # Forking is quick, but unsafe where threads run.
    is_alone = sys.platform.startswith("linux") and threading.active_count() == 1
    context: Any = multiprocessing.get_context("fork" if is_alone else "spawn")
    all_jobs = [_Job(path, context) for path in paths]
    waiting = list(all_jobs)
    running: list[_Job] = []

    def start() -> None:
        """Start as many processes as may run."""
        running[:] = [one for one in running if one.pipe is not None]
        while waiting and len(running) < jobs:
            one = waiting.pop(0)
            one.pipe, end = context.Pipe(duplex=False)
            # A forked process has every pipe, and a pipe breaks only when nobody has its other end.
            not_its_own = [each.pipe for each in (*running, one)] if is_alone else []
            what = (work, one.path, end, not_its_own, sys.stdout.encoding, one.done)
            sys.stdout.flush()
            sys.stderr.flush()
            with _undisturbed():
                one.process = context.Process(target=_in_process, args=what, daemon=True)
                one.process.start()
                running.append(one)
            end.close()

    try:
        with _progress(all_jobs) as show:
            for one in all_jobs:
                start()
                for piece in one.kept():
                    _print(piece)
                while one.pipe is not None:
                    _next(one, running, PERIOD if show is not None else None)
                    start()
                    if show is not None:
                        show()
                assert one.process is not None
                one.process.join()
                yield _code(one)
    finally:
        begun = [one.process for one in all_jobs if one.process is not None]
        for process in begun:
            if process.is_alive():
                process.terminate()
        for process in begun:
            process.join()


def _next(turn: _Job, running: Sequence[_Job], seconds: float | None) -> None:
    """Wait for what the processes say, and print it if it is that one's turn."""
    heard: dict[Any, _Job] = {one.pipe: one for one in running if one.pipe and not one.held}
    heard[turn.pipe] = turn
    for pipe in wait(heard, seconds):
        one = heard[pipe]
        piece = one.take()
        if not piece:
            continue
        if one is turn:
            _print(piece)
            continue
        try:
            one.keep(piece)
        except OSError as error:
            complain(
                f"warning: {one.path}: no room in a temporary file for lines that wait for their "
                f"turn ({error.strerror or error}): it is read when that has come"
            )


def _code(job: _Job) -> int:
    assert job.process is not None
    code = job.process.exitcode
    if code in (READ_ALL, NO_THRIFT, BAD, UNABLE):
        return code
    how = f"exit code {code}" if code is not None and code > 0 else f"signal {-(code or 0)}"
    complain(f"error: {job.path}: its process ended with {how}, and what it had to say is missing")
    return BAD


def _print(piece: bytes) -> None:
    """Print what a process said where the process would have printed it."""
    data = piece[1:]
    if piece[:1] == _ERR:
        say_wrong(data.decode(sys.stdout.encoding, "replace"))
        return
    # A character may have been written in part: the rest of it will come.
    binary: IO[bytes] | None = getattr(sys.stdout, "buffer", None)
    if binary is None:
        sys.stdout.write(data.decode(errors="replace"))
    else:
        sys.stdout.flush()
        binary.write(data)
    sys.stdout.flush()


class _Pipe(io.RawIOBase):
    """Standard output, or standard error, of a process: each write is one piece."""

    def __init__(self, end: Connection, mark: bytes) -> None:
        self._end = end
        self._mark = mark

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        with memoryview(data) as view:
            if view.nbytes:
                self._end.send_bytes(self._mark + view)
            return view.nbytes


def _said(end: Connection, mark: bytes, encoding: str) -> IO[str]:
    return io.TextIOWrapper(
        io.BufferedWriter(_Pipe(end, mark), 1 << 16),
        encoding=encoding,
        errors="backslashreplace",
        line_buffering=mark == _ERR,
    )


def _in_process(
    work: Work, path: str, end: Connection, others: Sequence[Connection], encoding: str, done: Any
) -> None:
    """The body of a process."""
    for number in ENDINGS:
        signal.signal(number, signal.SIG_DFL)
    # Ctrl-C reaches all processes of a terminal: the one that started this one will end it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDINGS)
    for other in others:
        other.close()
    forget_bars()
    sys.stdout, sys.stderr = _said(end, _OUT, encoding), _said(end, _ERR, encoding)

    def report(count: int) -> None:
        done.value = count

    code = BROKEN
    try:
        code = _one(work, path, report)
        sys.stdout.flush()
    except BrokenPipeError:
        pass  # the process that started this one has gone
    except (OSError, MemoryError) as error:
        complain(f"error: {path}: {why_unable(error)}")
        code = UNABLE
    except BaseException:
        traceback.print_exc()
    with contextlib.suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    # At once, without what the parent has registered for its own end.
    os._exit(code)


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Hold signals back until the process just started is known, so that it can be ended."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDINGS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _progress(jobs: Sequence[_Job]) -> Iterator[Callable[[], None] | None]:
    """Show how much of all files is done, where somebody is waiting; yields None elsewhere."""
    total = sum(os.path.getsize(one.path) for one in jobs if os.path.isfile(one.path))
    names = ", ".join(os.path.basename(one.path) for one in jobs[:2])
    # Without a thread of its own: processes are still to be forked.
    with bar(names + (", …" if len(jobs) > 2 else ""), total, threaded=False) as tell:
        if tell is None:
            yield None
        else:
            yield lambda: tell(sum(one.done.value for one in jobs))
