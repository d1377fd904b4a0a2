"""Standard input, output and error, and signals: closed, full or cut off, and never a traceback.

closed           what is read from it or written to it fails with a sentence
full             likewise: the error says which of them it was
nobody reads     BrokenPipeError: the command ends without a word, as others do
SIGTERM, SIGHUP  end a command as Ctrl-C does: temporary files go, results stay
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from typing import IO, Any, Final

__all__ = ["ENDINGS", "let_go", "prepared"]

# The signals that end a command from outside.
ENDINGS: Final = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)


@contextlib.contextmanager
def prepared() -> Iterator[None]:
    """Standard streams that can be used, and signals that clean up; restored afterwards."""
    before = sys.stdin, sys.stdout, sys.stderr
    _open_what_is_closed()
    for stream in before:
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    if sys.stdin is None:
        sys.stdin = _Closed()
    if sys.stdout is None or (sys.stdout is sys.__stdout__ and os.name == "posix"):
        sys.stdout = _named(sys.stdout, 1)
    if sys.stderr is None:
        sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115  (nothing to close)
    try:
        with _signals_as_ctrl_c():
            yield
    finally:
        let_go(sys.stdout)
        let_go(sys.stderr)
        sys.stdin, sys.stdout, sys.stderr = before


def let_go(stream: IO[str]) -> None:
    """Print what waits in ``stream``, and forget what cannot be printed.

    Otherwise Python would try again when it ends, and complain.
    """
    try:
        stream.flush()
    except (OSError, ValueError):
        with contextlib.suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
            stream.flush()


def _open_what_is_closed() -> None:
    """Put something at 0, 1 and 2 that fails when it is used.

    Otherwise a file that is opened later would be taken for a standard stream.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # The writing end of a pipe cannot be read, and the reading end cannot be written.
            ends = os.pipe()
            end = ends[1] if number == 0 else ends[0]
            if end != number:
                os.dup2(end, number)
            for each in ends:
                if each != number:
                    os.close(each)


class _Closed:
    """A standard input that is closed."""

    def __getattr__(self, name: str) -> Any:
        raise OSError(errno.EBADF, "is closed", "standard input")


class _Output(io.FileIO):
    """A descriptor whose errors say that they are about standard output."""

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except OSError as error:
            error.filename = "standard output"
            raise


def _named(stream: Any, number: int) -> IO[str]:
    """The same standard output, whose errors say that they are about it."""
    if stream is not None:
        stream.flush()
    output = _Output(number, "w", closefd=False)
    return io.TextIOWrapper(
        io.BufferedWriter(output, 1 << 16),
        encoding=getattr(stream, "encoding", None) or "utf-8",
        errors="backslashreplace",
        line_buffering=getattr(stream, "line_buffering", False),
        write_through=getattr(stream, "write_through", False),
    )


@contextlib.contextmanager
def _signals_as_ctrl_c() -> Iterator[None]:
    """Let signals that end a command end it as Ctrl-C does.

    One that was to be ignored (nohup) still is.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may say what a signal does
        return
    before: dict[int, Callable[..., Any] | int | None] = {}
    for number in ENDINGS:
        if signal.getsignal(number) is signal.SIG_DFL:
            before[number] = signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
