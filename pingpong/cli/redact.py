"""A capture to hand on: ``pingpong redact IN OUT --field FIELDS``.

The file is read twice: once to find out what may be shown, once to write it.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from typing import IO, Final

from ..errors import CaptureError, OutputError
from ..model import Packet
from ..redaction.messages import Redactor
from ..redaction.packets import Plan, Rewriter
from ..views.text import escape
from ..wire.capturefile import CaptureFile, open_capture, write_packets
from ..wire.newfile import NewFile
from .options import SELECTORS, Command, add_idl, add_reading, pipeline_of, selectors
from .printing import BAD, InputReport, complain, counted, say_text, say_unmatched
from .show import conclude, progress_of, steps

__all__ = ["add"]

REDACT: Final = """\
  pingpong redact trouble.pcap safe.pcap --field login.2,login.0
  pingpong redact trouble.pcap safe.pcap --field '*.token' --keep-unknown

What was not read and understood becomes zeros, and in messages the fields that are named are
masked: with as many x as they have bytes, or with a number. Packets keep their number, times,
lengths and headers, messages their sizes, ids and types; a checksum is that of what now stands
there, or 0 where that cannot be known. So tshark and pingpong read it as before.

Always masked, whatever is named:
  HTTP's targets, headers, trailers and reason phrases, but for words of the standards, and those
  that say how to read the message (Content-Type: application/x-thrift);
  keys and values of THeader and TTHeader, tracing headers; what authenticates in SASL; what a
  PROXY header says beside addresses;
  all values of a message that is cut, broken, or lacks bytes;
  where a name is asked for (password): every field whose name nobody knows, without --idl, or in
  methods and fields that the IDL lacks. Exit code 2 says that there were some.

Always left:
  addresses, ports, what TCP and IP say; methods and their services; types, ids, numbers of
  elements, names of fields on the wire, and every length;
  how a call ended: the kind of its result, and of which kind an exception of the framework's own is
  (Thrift's type, gRPC's and Connect's code, errcode and errtype of Motan);
  fields that are not named. The texts of exceptions are such fields, and handlers quote in them
  what they were given: --text masks them, and without it their number is said.

What is packed (zlib, gzip, WebSocket) is hidden whole, as soon as one field in it is to be masked.
How a call ended goes with it where only the packed bytes say it: Thrift in zlib or gzip, Motan 1,
an error of Connect's in gzip. So does a type of Thrift's exceptions that has no name.
TLS is not opened: all of it becomes zeros, and secrets that the capture brings are left out.
OUT is a pcap: comments, names and keys of a pcapng stay behind. It is never IN, and it is whole or
not there; what only some may read of IN, only they may read of OUT.

With exit code 1, nothing known in it, OUT holds zeros. A field that was met nowhere is exit code
2: OUT is written, but look whether it was misspelt."""


def add(command: Command) -> None:
    """Add the command of this file."""
    about = "write a capture without its secrets: the same packets, the values masked"
    one = command("redact", redact, about, REDACT)
    one.add_argument("file", metavar="IN", help='a pcap or pcapng file; "-" is standard input')
    one.add_argument("out", metavar="OUT", help='the pcap to write; "-" is standard output')
    one.add_argument(
        "-f",
        "--field",
        dest="fields",
        type=selectors,
        action="append",
        required=True,
        metavar="FIELDS",
        help=f"what to mask: {SELECTORS}",
    )
    one.add_argument(
        "--text",
        action="store_true",
        help="mask the texts of exceptions too, of all methods",
    )
    one.add_argument(
        "--keep-unknown",
        action="store_true",
        help="leave bytes as they are that were not read: other protocols, other packets",
    )
    add_idl(one)
    add_reading(one, shows=False)


def redact(args: argparse.Namespace) -> int:
    """``pingpong redact``: a capture whose values are masked."""
    # The output comes first: whether it can be written is known before all of a long capture has
    # been read.
    with (
        NewFile(args.out, force=True, reads=args.file) as out,
        _again(args.file) as opened,
    ):
        return _redact(args, opened, out)


def _redact(args: argparse.Namespace, opened: Callable[[], CaptureFile], out: NewFile) -> int:
    verdict = InputReport()
    chosen = [one for part in args.fields for one in part]
    redactor = Redactor(chosen, texts=args.text, nameless=True)
    plan = Plan()
    pipeline = pipeline_of(args, redactor=redactor, plan=plan)
    with opened() as file:
        for step in steps(file, pipeline, args.file):
            for message in step.messages:
                verdict.any_thrift = True
                verdict.report(message.findings, f"message {message.number}: ")
        verdict.report(file.findings)
        verdict.report(pipeline.findings)
    if len(plan.links) > 1:
        links = ", ".join(str(link) for link in sorted(plan.links))
        raise CaptureError(
            f"{args.file}: has packets of several link types ({links}), and a pcap has one. Take "
            f"one interface at a time: tshark -r IN -Y 'frame.interface_id == 0' -w ONE"
        )
    rewriter = Rewriter(plan, keep_unknown=args.keep_unknown)
    if rewriter.has_fragments:
        with opened() as file:
            for packet in file:
                rewriter.look(packet)
        rewriter.start()
    with opened() as file:
        count = write_packets(out, _packets(file, args.file, rewriter))
    out.close()
    say = complain if out.is_standard_output else say_text
    for line in _what_was_done(args, out, redactor, plan, rewriter, count):
        say(line)
    unmatched = say_unmatched(redactor)
    if redactor.doubtful:
        what = counted(redactor.doubtful, "message")
        complain(
            f"warning: {what} had fields whose names are not known, which were masked whole: give "
            "an IDL that has their methods (--idl)"
        )
    conclude(verdict, pipeline)
    code = verdict.end()
    return BAD if unmatched or redactor.doubtful else code


def _packets(file: CaptureFile, path: str, rewriter: Rewriter) -> Iterator[Packet]:
    with progress_of(file, path) as progress:
        while packets := file.batch():
            for packet in packets:
                yield rewriter.packet(packet)
            if progress is not None:
                progress()


def _what_was_done(
    args: argparse.Namespace,
    out: NewFile,
    redactor: Redactor,
    plan: Plan,
    rewriter: Rewriter,
    count: int,
) -> Iterator[str]:
    """What was masked, and what was hidden."""
    yield f"{escape(out.name)}: {counted(count, 'packet')}, as many as before"
    for selector, number in zip(redactor.selectors, redactor.counts, strict=True):
        yield f"  {selector.text}: {counted(number, 'value')} masked"
    for number, thing, what in (
        (redactor.heads, "value", "masked in headers before messages"),
        (redactor.masked_texts, "text", "of exceptions masked"),
        (redactor.left_texts, "text", "of exceptions left as they are: --text masks them"),
        (redactor.unsure, "message", "not read to the end: all values masked"),
        (plan.packed, "message", "in packed bytes: these are hidden whole"),
        (rewriter.unread, "byte", "in no message"),
        (rewriter.again, "byte", "sent again, and not known to be the same"),
        (rewriter.other, "packet", "of something else than TCP and UDP"),
    ):
        if number:
            is_told = what.startswith(("masked", "not", "in packed", "of exceptions"))
            hidden = "" if is_told else _hidden(args)
            yield f"  {counted(number, thing)} {what}{hidden}"


def _hidden(args: argparse.Namespace) -> str:
    return ": left as they are (--keep-unknown)" if args.keep_unknown else ": hidden"


@contextlib.contextmanager
def _again(path: str) -> Iterator[Callable[[], CaptureFile]]:
    """Yield a function that opens a capture, as often as it is called.

    For that, what comes through a pipe is kept in a temporary file without a name: however this
    ends, nothing is left of it.
    """
    if path != "-" and not _is_pipe(path):
        yield partial(open_capture, path)
        return
    name = "standard input" if path == "-" else path
    with tempfile.TemporaryFile(prefix="pingpong-") as spool:
        source = sys.stdin.buffer if path == "-" else open(path, "rb")  # noqa: SIM115
        with source:
            _keep(source, spool, name)

        def opened() -> CaptureFile:
            spool.seek(0)
            return CaptureFile(open(spool.fileno(), "rb", closefd=False), name)

        yield opened


def _is_pipe(path: str) -> bool:
    return os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path)


def _keep(source: IO[bytes], spool: IO[bytes], name: str) -> None:
    try:
        shutil.copyfileobj(source, spool, 1 << 20)
        spool.flush()
    except OSError as error:
        raise OutputError(
            f"{name}: is read twice, and cannot be kept for that in {tempfile.gettempdir()}: "
            f"{error.strerror or error}. TMPDIR names another folder"
        ) from None
