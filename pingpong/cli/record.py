"""``pingpong record``: the packets of a port into a pcap file, as they arrive.

    kernel ──▶ Watch ──▶ is it of the port? ──▶ k.pcap.….part ──▶ k.pcap, at the end

What has arrived is in the file a moment later, and none of it is kept in memory.  However it ends,
what came before stays.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from ..capture import Pipeline, batches
from ..errors import LiveError
from ..model import Packet
from ..views.text import escape
from ..wire.capturefile import CaptureWriter, open_capture
from ..wire.newfile import NewFile
from .options import PORT, Command, add_force, port, positive
from .printing import BAD, READ_ALL, complain, counted, say_text
from .serve import Stop

__all__ = ["add"]

RECORD: Final = """\
  sudo pingpong record trouble.pcap -i lo -p 9090
  sudo pingpong record - -i lo -p 9090 | pingpong watch -

Packets are written as they come, into a file beside FILE whose name is FILE.….part; at the end it
becomes FILE. Ctrl-C, SIGTERM, SIGHUP and a full disk are such ends. After kill -9, or when the
machine is switched off, the part stays: a capture, whole but for its last packet perhaps. A pipe
and a device are written into directly."""


def add(command: Command) -> None:
    """Add the command of this file."""
    about = "record the packets of a port into a pcap file, until Ctrl-C (needs rights)"
    one = command("record", record, about, RECORD)
    one.add_argument("file", metavar="FILE", help='the pcap to write; "-" is standard output')
    one.add_argument("-i", "--interface", help="where to listen (the loopback)")
    one.add_argument("-p", "--port", type=port, default=PORT, help=f"the server's port ({PORT})")
    one.add_argument("--host", help="the server's address (any)")
    one.add_argument("--seconds", type=positive, help="stop after so long")
    add_force(one)


def record(args: argparse.Namespace) -> int:
    """``pingpong record``: packets of one port into a file, until Ctrl-C."""
    from ..live.watching import watch_port

    code = READ_ALL
    # The right to capture comes first: without it nothing is created, and nothing replaced.
    with (
        watch_port(args.interface, args.host, args.port) as watch,
        NewFile(args.file, force=args.force, keep=True) as out,
    ):
        say = complain if out.is_standard_output else say_text
        writer = CaptureWriter(out)
        writer.begin(watch.link)
        out.mark()
        with Stop() as stop:
            with suppress(OSError):  # nobody has to be watching
                say(f"Recording port {args.port}; Ctrl-C stops and saves")
                sys.stdout.flush()
            until = None if args.seconds is None else time.monotonic() + args.seconds
            try:
                while stop.wait(_left(until), watch.fileno()):
                    _write(writer, out, watch.rest())
                _write(writer, out, watch.rest())
            except LiveError as error:
                complain(f"error: {error}")
                code = BAD
            out.close()
    _say_done(args, out, writer, say)
    if watch.dropped:
        complain(
            f"warning: the kernel had no room for {counted(watch.dropped, 'packet')}: "
            f"{'it is' if watch.dropped == 1 else 'they are'} missing"
        )
    return code


def _left(until: float | None) -> float | None:
    return None if until is None else max(until - time.monotonic(), 0)


def _write(writer: CaptureWriter, out: NewFile, packets: list[Packet]) -> None:
    for packet in packets:
        writer.write(packet)
    out.mark()


def _say_done(
    args: argparse.Namespace, out: NewFile, writer: CaptureWriter, say: Callable[[str], None]
) -> None:
    """Say what is in the file.  After a pipe, there is no file to look at."""
    count = counted(writer.count, "packet")
    if out.is_in_place:
        pipeline = Pipeline(keep=False)
        with open_capture(args.file) as file:
            found = sum(len(batch) for batch in batches(file, pipeline))
        count = f"{count}, {counted(found, 'message')}"
    say(f"{count} in {escape(out.name)}")
