"""Looking at captures: ``pingpong show`` and ``pingpong messages``."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from itertools import chain, islice
from typing import Final

from ..calls.exchanges import Pairing
from ..calls.ledger import Exchanges
from ..capture import Pipeline, batches, odd
from ..model import Differences, Exchange, Message, Step
from ..views.hexdump import MAX_BYTES, hexdump
from ..views.json import Rows
from ..views.ladder import ladder
from ..views.listing import Lister, listing
from ..views.one_line import DIFFER
from ..views.table import difference_table, exchange_table, lines
from ..views.text import escape
from ..wire.capturefile import CaptureFile, open_capture
from .options import Command, add_idl, add_reading, pipeline_of, size
from .printing import (
    BAD,
    InputReport,
    bar,
    complain,
    counted,
    room,
    say,
    say_text,
    say_unmatched,
    width,
)
from .several import cores, each

__all__ = [
    "add",
    "batches_of",
    "conclude",
    "few_collections",
    "progress_of",
    "say_bystanders",
    "steps",
]

# How many rows of a ladder, and of a table of exchanges, ``show`` prints.
ROWS: Final = 60

# How many messages have their fields read at a time when all of a capture is shown.
FEW: Final = 500
MANY_BYTES: Final = 1 << 18

SHOW: Final = """\
  pingpong show trouble.pcap             ladder and exchanges
  pingpong show trouble.pcap --message 3     every byte of message 3
  pingpong show trouble.pcap --idl a.thrift  names, and where the wire is not what a.thrift says
  tcpdump -i lo -w - port 9090 | pingpong show -

Messages have numbers, which --message takes: #3 in the ladder, the columns call and reply of the
exchanges (of `pingpong calls` too), "number" in `pingpong messages --json`.

With --json, one object a line a message: number, time (seconds since 1970), client, server,
flow, protocol, transport, type (CALL, REPLY, EXCEPTION, ONEWAY), method, seqid, offset (in
the stream), size, and fields, in order, each with id, type, value, offset and length.  A
field's offset and length are those of its type, id and value together, counted from the
message's first byte, a frame's length included.  thriftpy2's JSON has names and no ids: there
id is -1, and name says which.  With --idl, fields have names, an enum's numbers and structs have
a label, and a finding of where wire and IDL differ has difference (which kind) and place.  A value
that --redact masked has "redacted": true in its place.  Where a PROXY header names the client for
whom a proxy connected, proxied has it.

  pingpong show trouble.pcap --json | jq 'select(.type == "EXCEPTION")'
"""

SEVERAL: Final = """\
Several files are read on all cores (--jobs), and printed in their order: each under a line with its
name; with --json, each row begins with "file".  Lines that wait for their turn lie in a temporary
file.  Messages are numbered from 1 in each.

  pingpong messages --json *.pcap | jq -r .method | sort | uniq -c
"""


def add(command: Command) -> None:
    """Add the commands of this file."""
    file = 'a capture, packed or not; "-" is standard input'
    one = command("show", show, "show what is in a capture", SHOW)
    one.add_argument("file", help=file)
    one.add_argument(
        "-m", "--message", type=int, metavar="N", help="message N alone: every byte of it"
    )
    one.add_argument("--json", action="store_true", help="a JSON object a message")
    one.add_argument("--acks", action="store_true", help="draw segments that only acknowledge")
    one.add_argument("--all", action="store_true", help="leave nothing out, however long it is")
    add_idl(one)
    _add_several(one, "with --json: ")
    add_reading(one)

    what = "list the messages of a capture, a line each"
    one = command("messages", messages, what, SEVERAL)
    one.add_argument("file", help=file)
    one.add_argument("--json", action="store_true", help="a JSON object a message")
    one.set_defaults(message=None)
    _add_several(one)
    add_reading(one)


def _add_several(one: argparse.ArgumentParser, when: str = "") -> None:
    one.add_argument("others", nargs="*", metavar="file", help=f"{when}more of them")
    one.add_argument(
        "--jobs", type=size, metavar="N", help="how many files at a time (as many as cores)"
    )


@contextmanager
def progress_of(file: CaptureFile, path: str) -> Iterator[Callable[[], None] | None]:
    """Yield a function to call now and then, which shows how much of ``file`` has been read.

    It is None if nobody is waiting, or if lines on the terminal show it anyway.
    """
    total = os.path.getsize(path) if path != "-" and os.path.isfile(path) else 0
    with bar(os.path.basename(path), total) as tell:
        yield None if tell is None else lambda: tell(file.consumed)


@contextmanager
def few_collections() -> Iterator[None]:
    """Have Python look for cycles seldom, inside the ``with``.

    Nothing here makes any, and looking at every message again and again takes longer than
    reading it.
    """
    before = gc.get_threshold()
    gc.set_threshold(1_000_000, 50, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def steps(file: CaptureFile, pipeline: Pipeline, path: str) -> Iterator[Step]:
    """What each packet of ``file`` does, and then its end; shows how far it has got."""
    with progress_of(file, path) as progress:
        while packets := file.batch():
            for packet in packets:
                yield pipeline.feed(packet)
            if progress is not None:
                progress()
    yield pipeline.close()


def show(args: argparse.Namespace) -> int:
    """``pingpong show``: ladder and exchanges; one message; or all of it as JSON lines."""
    if args.json:
        return _each_file(args, _rows, deep=True)
    if args.others:
        complain("error: several files can be shown with --json only; or list their messages")
        return BAD
    verdict = InputReport()
    pipeline = pipeline_of(args, pairing=Pairing() if args.message is None else None)
    with open_capture(args.file) as file:
        pipeline.use_secrets_of(file)
        if args.message is not None:
            limit = None if args.all else MAX_BYTES
            for message in chain.from_iterable(_that_one(args, file, pipeline, verdict)):
                say(hexdump(message, exact=True, limit=limit, width=width()))
        else:
            _show_all(args, file, pipeline, verdict)
        verdict.report(file.findings)
        verdict.report(pipeline.findings)
    say_unmatched(pipeline.redactor)
    conclude(verdict, pipeline)
    return verdict.end()


def messages(args: argparse.Namespace) -> int:
    """``pingpong messages``: a line per message; what is not shown is not decoded."""
    return _each_file(args, _rows if args.json else _listing, deep=False)


Printer = Callable[[Iterator[list[Message]], str, bool], None]


def _each_file(args: argparse.Namespace, printer: Printer, *, deep: bool) -> int:
    """Print the messages of all files that were named."""
    paths = [args.file, *args.others]
    jobs = (args.jobs or cores()) if args.others else 1
    return each(partial(_one_file, args, printer, deep), paths, jobs)


def _one_file(
    args: argparse.Namespace,
    printer: Printer,
    deep: bool,
    path: str,
    report: Callable[[int], None],
) -> int:
    """Print the messages of one file; returns the exit code."""
    verdict = InputReport()
    pipeline = pipeline_of(args)
    with open_capture(path) as file:
        pipeline.use_secrets_of(file)
        if args.message is None:
            found = batches_of(args, file, pipeline, verdict, deep=deep, report=report)
        else:
            found = _that_one(args, file, pipeline, verdict)
        differences = Differences()
        if deep and args.idl:
            found = _compared(found, differences)
        printer(found, file.name if args.others else "", deep)
        verdict.differ(differences)
        verdict.report(file.findings)
        verdict.report(pipeline.findings, whose(args, file))
    say_unmatched(pipeline.redactor)
    conclude(verdict, pipeline, whose(args, file))
    return verdict.end()


def _compared(
    batches: Iterator[list[Message]], differences: Differences
) -> Iterator[list[Message]]:
    """The same messages, while noting where they are not what the IDL says."""
    for batch in batches:
        yield batch
        for message in batch:
            differences.add(message)


def _rows(found: Iterator[list[Message]], name: str, deep: bool) -> None:
    """Print the messages as JSON; ``name`` is the file's, if there are several."""
    rows = Rows(name)
    for batch in found:
        sys.stdout.write(rows.wholes(batch) if deep else rows.listings(batch))


def _listing(found: Iterator[list[Message]], name: str, deep: bool) -> None:
    """Print a line per message, under the file's name if there are several."""
    if name:
        sys.stdout.write(f"{escape(name)}:\n")
        _list(found)
        sys.stdout.write("\n")
    elif sys.stdout.isatty():
        say(listing((message for batch in found for message in batch), room()))
    else:
        _list(found)


def _list(batches: Iterator[list[Message]]) -> None:
    first = next(batches, [])
    lister = Lister(first, room())
    sys.stdout.write(lister.heading() + "\n" + lister.rows(first))
    for batch in batches:
        sys.stdout.write(lister.rows(batch))
        sys.stdout.flush()


def batches_of(
    args: argparse.Namespace,
    file: CaptureFile,
    pipeline: Pipeline,
    verdict: InputReport,
    *,
    deep: bool,
    report: Callable[[int], None] | None = None,
) -> Iterator[list[Message]]:
    """The messages of a file.

    ``deep`` also reports faults inside them.  ``report`` is for one of several files: it is
    told how many bytes have been read.
    """
    about = whose(args, file)
    shown: AbstractContextManager[Callable[[], None] | None]
    if report is None or not args.others:
        shown = progress_of(file, args.file)
    else:
        shown = nullcontext(partial(_tell, file, report))
    with shown as progress, few_collections():
        for batch in batches(file, pipeline, progress):
            verdict.any_thrift = verdict.any_thrift or bool(batch)
            # The fields of a few messages at a time, so that they do not all lie in memory.
            for part in _parts(batch) if deep else (batch,):
                yield part
                for message in odd(part, deep):
                    verdict.report(message.faults, f"{about}message {message.number}: ")
                for message in part if deep else ():
                    message.forget()


def _parts(batch: list[Message]) -> Iterator[list[Message]]:
    """FEW messages at a time, and fewer long ones."""
    part: list[Message] = []
    size = 0
    for message in batch:
        part.append(message)
        size += len(message.data)
        if len(part) == FEW or size > MANY_BYTES:
            yield part
            part = []
            size = 0
    if part or not batch:
        yield part


def _tell(file: CaptureFile, report: Callable[[int], None]) -> None:
    report(file.consumed)


def whose(args: argparse.Namespace, file: CaptureFile) -> str:
    """What a complaint begins with: the name of the file, if there are several."""
    return f"{file.name}: " if args.others else ""


def _that_one(
    args: argparse.Namespace, file: CaptureFile, pipeline: Pipeline, verdict: InputReport
) -> Iterator[list[Message]]:
    """The message that was asked for; nothing after it is read."""
    about = whose(args, file)
    for batch in batches_of(args, file, pipeline, verdict, deep=False):
        for message in batch:
            if message.number == args.message:
                yield [message]
                verdict.report(message.findings, f"{about}message {message.number}: ")
                return
    complain(f"error: {file.name}: there is no message {args.message}")
    verdict.bad = True


def _show_all(
    args: argparse.Namespace, file: CaptureFile, pipeline: Pipeline, verdict: InputReport
) -> None:
    """Print the ladder, then the exchanges.  Memory holds what is shown, not what is read."""
    most = sys.maxsize if args.all else ROWS
    pairing = pipeline.pairing
    assert pairing is not None
    shown: list[Exchange] = []
    counts = {"messages": 0}
    differences = Differences()

    def note(found: Sequence[Message]) -> None:
        for message in found:
            verdict.any_thrift = True
            if message.listed or not message.is_sound:
                verdict.report(message.faults, f"message {message.number}: ")
            if args.idl:
                differences.add(message)
            message.forget()
        keep()
        counts["messages"] += len(found)

    def keep() -> None:
        shown.extend(one for one in pairing.take() if one.number <= most)

    def told() -> Iterator[Step]:
        while file.advance():
            step = pipeline.feed(file.packet())
            note(step.messages)
            yield step
        step = pipeline.close()
        note(step.messages)
        yield step

    line = told()
    rungs = ladder(line, exact=True, numbers=True, acks=args.acks, width=width())
    say(islice(rungs, most))
    # What is not drawn is only counted, and takes the short way.
    drawn = file.number
    with progress_of(file, args.file) as progress, few_collections():
        for batch in batches(file, pipeline, progress):
            note(batch)
    keep()
    left = file.number - drawn
    if left:
        say_text(f"… {left} more packets, not shown; --all shows them", "dim")
    say_text()
    if shown:
        shown.sort(key=lambda one: one.number)
        rows = exchange_table(Exchanges(shown), exact=True, numbers=True, limit=None)
        # Without a screen, none is too narrow, and no value is cut.
        say(lines(rows, width() if sys.stdout.isatty() else None))
        if pairing.count > len(shown):
            rest = pairing.count - len(shown)
            say_text(f"… {rest} more exchanges, not shown; --all shows them", "dim")
        say_text()
    if len(differences):
        say_text(DIFFER, "title")
        say_text()
        say(lines(difference_table(differences, limit=most), width()))
        say_text()
        ways = counted(len(differences), "way")
        complain(f"warning: the wire differs from {args.idl} in {ways}, listed above")
    flows = pipeline.connections
    say_text(
        f"{counted(file.number, 'packet')}, {counted(flows, 'connection')}, "
        f"{counted(counts['messages'], 'message')}, {counted(pairing.count, 'exchange')}",
        "dim",
    )


def conclude(verdict: InputReport, pipeline: Pipeline, about: str = "") -> None:
    """Say what there is to say at the end of a file that had no messages.

    ``about`` is put before each sentence.
    """
    if verdict.any_thrift or verdict.bad:
        return
    if pipeline.structs:
        verdict.any_thrift = True
        structs = counted(pipeline.structs, "struct")
        complain(f"{about}no message, but {structs} without one, posted by HTTP: see diagnose")
        return
    _say_nothing_known(pipeline, about)


def _say_nothing_known(pipeline: Pipeline, about: str = "") -> None:
    """Say what was there instead, for a few connections."""
    count = pipeline.connections
    complain(f"{about}nothing known here in {counted(count, 'connection')}")
    for flow in pipeline.flows[:5]:
        seen = flow.detection.evidence if flow.detection else "carries no bytes"
        complain(f"{about}flow {flow.number}, {flow.client} to {flow.server}: {seen}")
    if count > 5:
        complain(f"{about}and {count - 5} more")
    say_bystanders(pipeline, about)


def say_bystanders(pipeline: Pipeline, about: str = "") -> None:
    """Say what the packets without RPC are, if there is nothing else to say."""
    for finding in pipeline.bystanders:
        complain(f"{about}{finding.text}")
