"""``pingpong watch``: calls as they happen, one line each, until Ctrl-C; then their totals."""

from __future__ import annotations

import argparse
import errno
import io
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from types import FrameType
from typing import Any, Final, TypeVar

from ..calls.exchanges import Pairing
from ..calls.totals import Totals
from ..capture import Pipeline
from ..errors import CaptureError
from ..model import Exchange, Message, Packet
from ..views.text import escape
from ..wire.capturefile import CaptureFile, open_capture
from .calls import add_choice, say_totals, wanted_of, writer
from .options import Command, add_idl, add_reading, pipeline_of, positive
from .printing import BAD, InputReport, complain, counted, say_text
from .show import say_bystanders
from .streams import ENDINGS

__all__ = ["Growing", "Until", "add", "follow"]

# How often a file is checked for growth, in seconds.
PERIOD: Final = 0.1

T = TypeVar("T")

WATCH: Final = """\
  sudo pingpong watch -i lo -p 9000
  pingpong watch -p 9000 --outcome failed
  pingpong watch --follow trouble.pcap     while somebody still writes it
  ssh host sudo tcpdump -i any -U -w - port 9000 | pingpong watch -

A line a call, in the columns of `pingpong calls`, as soon as it is clear what became of it; and at
the end, or at Ctrl-C, the totals of each method.  From standard input or a file it needs no rights:
whoever captures has them.  tcpdump's -U lets packets through at once.  A file is read
to its end; with --follow what is written to it later is shown too, until Ctrl-C, or for --seconds.
What comes through a pipe ends with it.
"""


def add(command: Command) -> None:
    """Add the command of this file."""
    one = command(
        "watch",
        watch,
        "show calls as they happen, until Ctrl-C (needs rights)",
        WATCH,
    )
    one.add_argument(
        "file",
        nargs="?",
        help='a capture; "-" is standard input',
    )
    one.add_argument("--follow", action="store_true", help="wait for what is written to it later")
    one.add_argument("-i", "--interface", help="where to listen (the loopback)")
    one.add_argument("--seconds", type=positive, help="stop after so long")
    add_choice(one)
    one.add_argument("--json", action="store_true", help="a JSON object a call, and no totals")
    one.set_defaults(csv=False, limit=None)
    add_idl(one)
    add_reading(one)


def watch(args: argparse.Namespace) -> int:
    """``pingpong watch``: the ledger, live."""
    if args.file is not None and args.interface is not None:
        complain("error: a file has no interface: give one of them")
        return BAD
    verdict = InputReport()
    pipeline = pipeline_of(args, pairing=Pairing(keeps_bytes=bool(args.where)))
    totals = Totals()
    with Until(args.seconds) as until:
        if args.file is not None:
            # Its header may have to be waited for too.
            opened = partial(follow, args.file, _pause) if args.follow else None
            file = until(opened or partial(open_capture, args.file))
            if file is not None:
                with file:
                    pipeline.use_secrets_of(file)
                    _watch(args, until, pipeline, verdict, totals, _read(file, until))
                    verdict.report(file.findings)
        else:
            dropped = _watch_interface(args, until, pipeline, verdict, totals)
            if dropped:
                complain(f"warning: the kernel had no room for {counted(dropped, 'packet')}")
    verdict.report(pipeline.findings)
    if not verdict.any_thrift:
        say_bystanders(pipeline)
    return verdict.end()


class Growing(io.RawIOBase):
    """A file that is still being written: at its end, reading waits until there is more.

    ``wait`` is called at the end, again and again; when it returns False, that is the end.
    """

    def __init__(self, file: io.FileIO, wait: Callable[[], bool]) -> None:
        self._file = file
        self._wait = wait

    def readable(self) -> bool:
        """Always True: it is only for reading."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read at least one byte into ``buffer``; 0 is the end.

        Raises OSError if the file has become shorter.
        """
        while not (count := self._file.readinto(buffer) or 0):
            if os.fstat(self._file.fileno()).st_size < self._file.tell():
                raise OSError(errno.ESTALE, "it became shorter: somebody writes it anew")
            if not self._wait():
                return 0
        return count

    def close(self) -> None:
        """Close the file as well."""
        self._file.close()
        super().close()


def _pause() -> bool:
    time.sleep(PERIOD)
    return True


def follow(path: str, wait: Callable[[], bool]) -> CaptureFile:
    """Open a capture that is still being written; ``wait`` is as for Growing.

    A pipe, or standard input, is not followed: it has an end of its own.  Raises as
    ``open_capture`` does.
    """
    if path == "-" or not os.path.isfile(path):
        return open_capture(path)
    try:
        file = io.FileIO(path)
    except OSError as error:
        raise CaptureError(f"{path}: cannot be opened: {error.strerror or error}") from None
    try:
        return CaptureFile(io.BufferedReader(Growing(file, wait)), path)
    except BaseException:
        file.close()
        raise


def _watch_interface(
    args: argparse.Namespace, until: Until, pipeline: Pipeline, verdict: InputReport, totals: Totals
) -> int:
    from ..live.watching import watch_interface

    with watch_interface(args.interface) as source:
        where = escape(args.interface or "the loopback")
        ports = " and ".join(str(port) for port in args.port or ())
        complain(f"Watching {where}{f', port {ports}' if ports else ''}; Ctrl-C ends it")

        def packets() -> Iterator[list[Packet]]:
            while found := until(source.batch):
                yield found
            yield source.rest()

        _watch(args, until, pipeline, verdict, totals, packets())
        return source.dropped


def _read(file: CaptureFile, until: Until) -> Iterator[list[Packet]]:
    while packets := until(file.batch):
        yield packets


def _watch(
    args: argparse.Namespace,
    until: Until,
    pipeline: Pipeline,
    verdict: InputReport,
    totals: Totals,
    packets: Iterator[list[Packet]],
) -> None:
    wanted = wanted_of(args)
    write: Callable[[Sequence[Exchange]], str] | None = None
    for exchanges in _settled(packets, pipeline, verdict):
        chosen = wanted.of(exchanges)
        if not chosen:
            continue
        totals.add(chosen)
        if write is None:
            write = writer(args, chosen, live=True)
        sys.stdout.write(write(chosen))
        sys.stdout.flush()
    if not args.json:
        say_text()
        say_totals(args, totals)


def _settled(
    packets: Iterator[list[Packet]], pipeline: Pipeline, verdict: InputReport
) -> Iterator[list[Exchange]]:
    """The exchanges as they are settled, whatever their order."""
    pairing = pipeline.pairing
    assert pairing is not None

    def report(found: Sequence[Message]) -> None:
        verdict.any_thrift = verdict.any_thrift or bool(found)
        for message in found:
            verdict.report(message.listed, f"message {message.number}: ")

    for batch in packets:
        for packet in batch:
            report(pipeline.take(packet))
        yield pairing.take()
    report(pipeline.close().messages)
    yield pairing.take()


class Until:
    """Ends the waiting for more, on Ctrl-C, SIGTERM, SIGHUP or after ``seconds``.

    It never interrupts what is being done with what has already come.  ``seconds`` None means no
    limit of time.
    """

    def __init__(self, seconds: float | None) -> None:
        self._seconds = seconds
        self._is_over = False
        self._is_waiting = False

    def __call__(self, wait: Callable[[], T]) -> T | None:
        """What ``wait`` returns; None if it is over, before or during that."""
        self._is_waiting = True
        try:
            return None if self._is_over else wait()
        except KeyboardInterrupt:
            return None
        finally:
            self._is_waiting = False

    def _end(self, number: int, frame: FrameType | None) -> None:
        self._is_over = True
        if self._is_waiting:
            raise KeyboardInterrupt

    def __enter__(self) -> Until:
        signals = [*ENDINGS]
        if self._seconds is not None and os.name == "posix":
            signals.append(signal.SIGALRM)
        self._before = {number: signal.signal(number, self._end) for number in signals}
        if self._seconds is not None:
            signal.setitimer(signal.ITIMER_REAL, self._seconds)
        return self

    def __exit__(self, *_: object) -> None:
        if self._seconds is not None:
            signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in self._before.items():
            signal.signal(number, handler)
