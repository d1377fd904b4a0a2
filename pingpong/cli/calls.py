"""``pingpong calls``: the ledger, one line per call, or what each method's calls came to."""

from __future__ import annotations

import argparse
import heapq
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Final

from ..calls.exchanges import Pairing
from ..calls.filters import Condition, Filter, condition, outcomes
from ..calls.ledger import Ledger
from ..calls.totals import Totals
from ..errors import CaptureError
from ..model import Exchange, Message, Outcome
from ..views.json import Rows, total_rows
from ..views.ledger import (
    CSV_COLUMNS,
    CSV_TOTALS,
    LIVE,
    CallLister,
    csv_rows,
    csv_totals,
    sum_line,
    totals_table,
)
from ..views.listing import SAMPLE
from ..views.table import lines, outcome_style
from ..views.text import Run, escape
from ..wire.capturefile import open_capture
from ..wire.newfile import NewFile
from .options import Command, add_idl, add_reading, pipeline_of, size
from .printing import InputReport, complain, counted, room, say, say_text, say_unmatched, width
from .show import batches_of, conclude

__all__ = ["add", "add_choice", "say_totals", "wanted_of", "writer"]

CALLS: Final = """\
  pingpong calls trouble.pcap                      a line a call
  pingpong calls trouble.pcap --totals             ... a method
  pingpong calls trouble.pcap --outcome failed     those that went wrong
  pingpong calls trouble.pcap --slower 10ms --sort latency --limit 20
  pingpong calls trouble.pcap --method 'get*' --where 1=root --json

Outcomes of a call:
  success               the reply has a result, or is void
  declared-exception    ... an exception of the IDL: which, by its type, or without --idl
                        by its field's number
  application-exception the server's own: UNKNOWN_METHOD, INTERNAL_ERROR ...
  oneway                no reply was asked for, or this method never gives one
  closed-by-server      it closed the connection instead: so does a handler that crashed
  closed-by-client      the client gave up and closed
  reset-by-server, reset-by-client
  late                  the reply came when the client had given up
  out-of-sequence       the client read the late reply of an earlier call as this one's
  waiting               the capture ended before anything else did
  lost                  the capture lost bytes where the reply would be
  unreadable            what the server sent there cannot be read
  no-call               the capture has the reply alone
  no-reply              none came, and nothing tells why
"failed" stands for the exceptions, closed-, reset-, late and out-of-sequence, "unclear" for the
last five.

With --json, one object a line a call: number, time (seconds since 1970), client, server, flow,
method, outcome (CLOSED_BY_SERVER), exception, latency and waited (seconds; waited also where no
reply came), call and reply (the numbers of `messages`), sent and received (bytes), why.  What is
not there is null.  --csv has the same columns, and so has the file of --arrow, with latency_ns and
waited_ns.  With --totals: method, calls, failed, unclear, outcomes (JSON only), p50, p90, p99 and
slowest (seconds), sent, received.
"""

# How ``--sort`` ranks: the smallest key comes first.
SORTS: Final[dict[str, Callable[[Exchange], int]]] = {
    "latency": lambda exchange: -(exchange.waited or 0),
    "time": lambda exchange: exchange.time,
    "bytes": lambda exchange: -(exchange.sent + exchange.received),
}


def add(command: Command) -> None:
    """Add the command of this file."""
    one = command("calls", calls, "list the calls of a capture, and how each ended", CALLS)
    one.add_argument("file", help='a capture, packed or not; "-" is standard input')
    add_choice(one)
    how = one.add_argument_group("how they are shown")
    how.add_argument("--sort", choices=SORTS, help="slowest, first or largest at the top")
    how.add_argument("--limit", type=size, metavar="N", help="so many at most")
    how.add_argument("--totals", action="store_true", help="a line a method: how many, how long")
    form = how.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="a JSON object a line")
    form.add_argument("--csv", action="store_true", help="comma-separated values")
    form.add_argument(
        "--arrow",
        metavar="FILE",
        help='write a Parquet file (needs pyarrow); "-" is standard output',
    )
    add_idl(one)
    add_reading(one)


def add_choice(one: argparse.ArgumentParser) -> None:
    """Add the options that say which calls are shown: see ``wanted_of``."""
    which = one.add_argument_group("which calls (all)")
    which.add_argument(
        "--method", action="append", metavar="GLOB", help='of these methods; "*" and "?" work'
    )
    which.add_argument(
        "--outcome",
        action="append",
        type=_outcomes,
        metavar="NAME",
        help="that ended so; several with commas between",
    )
    which.add_argument(
        "--slower", type=nanoseconds, metavar="TIME", help="that took longer: 300us, 10ms, 2s"
    )
    which.add_argument(
        "--where",
        action="append",
        type=_condition,
        metavar="FIELD=VALUE",
        help="with that value: 1=root, login.username=root, 2.1=r*; in the reply: reply.0=pong",
    )


def wanted_of(args: argparse.Namespace) -> Filter:
    """The calls that the options of ``add_choice`` ask for; without any, all."""
    return Filter(
        args.method or (),
        [one for group in args.outcome or () for one in group],
        args.slower,
        args.where or (),
    )


def calls(args: argparse.Namespace) -> int:
    """``pingpong calls``: every call once, when it is clear what became of it."""
    if args.arrow and (args.totals or args.sort or args.limit is not None):
        raise CaptureError("--arrow writes all calls, in their order: no --totals, --sort, --limit")
    verdict = InputReport()
    pairing = Pairing(keeps_bytes=bool(args.where))
    pipeline = pipeline_of(args, pairing=pairing)
    totals = Totals()
    wanted = wanted_of(args)
    with open_capture(args.file) as file:
        pipeline.use_secrets_of(file)
        found = _in_order(batches_of(args, file, pipeline, verdict, deep=False), pairing)
        chosen = _counted((wanted.of(batch) for batch in found), totals)
        if args.arrow:
            _write_arrow(args, chosen)
        elif args.totals:
            for _ in chosen:
                pass
            say_totals(args, totals)
        else:
            _say_calls(args, chosen, totals)
        verdict.report(file.findings)
        verdict.report(pipeline.findings)
    say_unmatched(pipeline.redactor)
    conclude(verdict, pipeline)
    return verdict.end()


def _in_order(batches: Iterable[Sequence[Message]], pairing: Pairing) -> Iterator[list[Exchange]]:
    """The exchanges of ``batches`` of messages as they are settled, in the order of calls."""
    ledger = Ledger()
    for _ in batches:
        yield ledger.take(pairing.take())
    yield ledger.take(pairing.take()) + ledger.close()


def _counted(batches: Iterable[list[Exchange]], totals: Totals) -> Iterator[list[Exchange]]:
    for batch in batches:
        totals.add(batch)
        yield batch


# ── Showing ──────────────────────────────────────────────────────────────────────────


def _say_calls(args: argparse.Namespace, batches: Iterator[list[Exchange]], totals: Totals) -> None:
    first: list[Exchange] = []
    for batch in batches:
        first += batch
        if len(first) >= SAMPLE:  # enough to know how wide the columns are
            break
    write = writer(args, first)
    rest = chain([first], batches)
    if args.sort:
        _say_sorted(args, rest, write)
    else:
        left = sys.maxsize if args.limit is None else args.limit
        for batch in rest:
            if left > 0 and batch:
                _print(args, write, batch[:left])
            left -= len(batch)
    if args.json or args.csv:
        return
    left = totals.all.calls - (totals.all.calls if args.limit is None else args.limit)
    if left > 0:
        say_text(f"… {counted(left, 'more call')}, not shown", "dim")
    if first:
        say_text()
    say_text(sum_line(totals), "dim")


def writer(
    args: argparse.Namespace, first: Sequence[Exchange], *, live: bool = False
) -> Callable[[Sequence[Exchange]], str]:
    """A function that turns exchanges into lines; prints the heading, if there is one.

    ``first`` are the first exchanges, which say how wide the columns have to be.  ``live`` makes
    room for the kinds of values that may come later.
    """
    if args.json:
        return Rows().exchanges
    if args.csv:
        sys.stdout.write(",".join(CSV_COLUMNS) + "\n")
        return csv_rows
    lister = CallLister(first, LIVE if live else (), room())
    if first:
        say([[Run(lister.heading(), "head")]])
    return lister.rows


def _print(
    args: argparse.Namespace,
    write: Callable[[Sequence[Exchange]], str],
    exchanges: Sequence[Exchange],
) -> None:
    if sys.stdout.isatty() and not (args.json or args.csv):
        say([Run(write([one])[:-1], _style(one))] for one in exchanges)
    else:
        sys.stdout.write(write(exchanges))
    sys.stdout.flush()


def _style(exchange: Exchange) -> str:
    """A colour for what did not go well; none for what did."""
    style = outcome_style(exchange)
    return "" if style == "good" else style


def _say_sorted(
    args: argparse.Namespace,
    batches: Iterable[list[Exchange]],
    write: Callable[[Sequence[Exchange]], str],
) -> None:
    """Print the calls sorted.  Only their rows are kept, not the messages that they are about."""
    rank = SORTS[args.sort]
    rows: Iterator[tuple[int, int, str, str]] = (
        (rank(one), one.number, write([one]), _style(one)) for batch in batches for one in batch
    )
    ranked = sorted(rows) if args.limit is None else heapq.nsmallest(args.limit, rows)
    if sys.stdout.isatty() and not (args.json or args.csv):
        say([Run(row[:-1], style)] for _, _, row, style in ranked)
    else:
        sys.stdout.writelines(row for _, _, row, _ in ranked)


def _write_arrow(args: argparse.Namespace, batches: Iterable[list[Exchange]]) -> None:
    from ..arrow import write

    out = NewFile(args.arrow, force=True, reads=args.file)
    count = write(out, batches)
    say = complain if out.is_standard_output else say_text
    say(f"{counted(count, 'call')} in {escape(out.name)}")


def say_totals(args: argparse.Namespace, totals: Totals) -> None:
    """Print what the calls of each method came to, in the format that was asked for."""
    if args.json:
        sys.stdout.write(total_rows(totals))
    elif args.csv:
        sys.stdout.write(",".join(CSV_TOTALS) + "\n" + csv_totals(totals))
    else:
        say(lines(totals_table(totals, exact=True, limit=args.limit), width()))
        say_text()
        say_text(sum_line(totals), "dim")


# ── Options ──────────────────────────────────────────────────────────────────────────


def _outcomes(text: str) -> list[Outcome]:
    try:
        return outcomes(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


_TIME: Final = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m)", re.ASCII)
_UNITS: Final = {"ns": 1, "us": 10**3, "µs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9}


def nanoseconds(text: str) -> int:
    """``300us``, ``1.5ms`` or ``2s`` as nanoseconds.

    Raises argparse's error for anything else.
    """
    found = _TIME.fullmatch(text)
    if found is None or len(text) > 20:
        raise argparse.ArgumentTypeError(f'"{text}" is no time, want one as 300us, 10ms or 2s')
    return round(float(found[1]) * _UNITS[found[2]])


def _condition(text: str) -> Condition:
    try:
        return condition(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
