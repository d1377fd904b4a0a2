"""The shell's door: ``pingpong COMMAND``.

    look at captures     show, messages
    look at bytes        struct, explain
    make one             demo, record
    be one end           serve, call
    learn                lab

What is asked for goes to standard output: coloured on a terminal, plain in a pipe.  What is
wrong goes to standard error, a line each, beginning with ``pingpong:``.  The exit code says
the same to a script:

    0    all of it was read                  2    something in the input was bad, or the
    1    there is no Thrift in it                 command could not be carried out
                                             130  Ctrl-C
"""

from __future__ import annotations

import argparse
import gc
import os
import select
import shutil
import signal
import socket
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from . import __version__, is_compiled
from .calls.complaints import explain_text
from .calls.exchanges import Pairing
from .calls.numbers import explain_bytes
from .calls.pasted import MAX_TEXT
from .capture import Pipeline, batches, decode, decode_struct, odd, read_packets
from .errors import CaptureError, DecodeError, LiveError, PingpongError
from .model import (
    DEFAULT_LIMITS,
    Exchange,
    Exchanges,
    Finding,
    Limits,
    Message,
    Packet,
    Severity,
    Step,
)
from .thrift.detect import PROTOCOLS, TRANSPORTS, tell
from .views.hexdump import MAX_BYTES, MAX_NOTES, hexdump
from .views.json import Rows, record_row
from .views.ladder import ladder
from .views.listing import Lister, listing
from .views.number import number as number_lines
from .views.number import pasted
from .views.table import exchange_table, lines
from .views.text import Line, Run, escape, plain
from .wire.capturefile import CaptureFile, open_capture, write_capture

if TYPE_CHECKING:
    from .live.recording import Recording

__all__ = ["run"]

READ_ALL: Final = 0
NO_THRIFT: Final = 1
BAD: Final = 2
INTERRUPTED: Final = 128 + signal.SIGINT

HOST: Final = "127.0.0.1"
PORT: Final = 9000

# How many rows of a ladder, and of a table of exchanges, ``show`` prints.
ROWS: Final = 60

# How many messages have their fields read at a time, where all of a capture is shown.
FEW: Final = 500

# Width of lines where no terminal says its own.
WIDTH: Final = 100

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


# ── Printing ─────────────────────────────────────────────────────────────────────────


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
    say([[Run(part, style)] for part in text.split("\n")])


def complain(text: str) -> None:
    """A line on standard error."""
    sys.stderr.write(f"pingpong: {escape(text)}\n")


def width() -> int:
    return shutil.get_terminal_size((WIDTH, 24)).columns if sys.stdout.isatty() else WIDTH


class Verdict:
    """What is wrong with the input, said while it is read, and the exit code of it all."""

    def __init__(self) -> None:
        self.bad = False
        self.any_thrift = False

    def report(self, findings: Iterable[Finding], about: str = "") -> None:
        for finding in findings:
            if finding.severity is Severity.NOTE:
                continue
            self.bad = self.bad or finding.severity is Severity.ERROR
            complain(f"{finding.severity.name.lower()}: {about}{finding.text}")

    @property
    def exit_code(self) -> int:
        if self.bad:
            return BAD
        return READ_ALL if self.any_thrift else NO_THRIFT


@contextmanager
def progress_of(file: CaptureFile, path: str) -> Iterator[Callable[[], None] | None]:
    """What to call now and then to show how much of ``file`` is read; None where nobody
    waits, or where lines on the terminal show it."""
    total = os.path.getsize(path) if path != "-" and os.path.isfile(path) else 0
    if not sys.stderr.isatty() or sys.stdout.isatty() or total < 8_000_000:
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(escape(os.path.basename(path)), total=total)
        yield lambda: progress.update(task, completed=file.consumed)


@contextmanager
def few_collections() -> Iterator[None]:
    """Let Python look for cycles seldom: nothing here makes any, and looking at every message
    again and again takes longer than reading it."""
    before = gc.get_threshold()
    gc.set_threshold(100_000, 50, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def steps(file: CaptureFile, pipeline: Pipeline, path: str) -> Iterator[Step]:
    """What each packet of ``file`` does, and its end; shows how far it is."""
    with progress_of(file, path) as progress:
        while packets := file.batch():
            for packet in packets:
                yield pipeline.feed(packet)
            if progress is not None:
                progress()
    yield pipeline.close()


# ── Looking at captures ──────────────────────────────────────────────────────────────


def show(args: argparse.Namespace) -> int:
    """``pingpong show``: ladder and exchanges; one message; or all of it as JSON lines."""
    verdict = Verdict()
    pipeline = _pipeline(args)
    with open_capture(args.file) as file:
        if args.json:
            rows = Rows()
            for batch in _batches(args, file, pipeline, verdict, deep=True):
                sys.stdout.write(rows.wholes(batch))
        elif args.message is not None:
            if not _show_message(args, file, pipeline, verdict):
                complain(f"error: {file.name}: there is no message {args.message}")
                verdict.bad = True
        else:
            _show_all(args, steps(file, pipeline, args.file), pipeline, verdict)
        verdict.report(file.findings)
        verdict.report(pipeline.findings)
    if not verdict.any_thrift and not verdict.bad:
        _say_no_thrift(pipeline)
    return verdict.exit_code


def messages(args: argparse.Namespace) -> int:
    """``pingpong messages``: a line a message, nothing decoded that is not shown."""
    verdict = Verdict()
    pipeline = _pipeline(args)
    with open_capture(args.file) as file:
        found = _batches(args, file, pipeline, verdict, deep=False)
        if args.json:
            rows = Rows()
            for batch in found:
                sys.stdout.write(rows.listings(batch))
        elif sys.stdout.isatty():
            say(listing(message for batch in found for message in batch))
        else:
            _list(found)
        verdict.report(file.findings)
        verdict.report(pipeline.findings)
    if not verdict.any_thrift and not verdict.bad:
        _say_no_thrift(pipeline)
    return verdict.exit_code


def _list(batches: Iterator[list[Message]]) -> None:
    first = next(batches, [])
    lister = Lister(first)
    sys.stdout.write(lister.heading() + "\n" + lister.rows(first))
    for batch in batches:
        sys.stdout.write(lister.rows(batch))
        sys.stdout.flush()


def _batches(
    args: argparse.Namespace,
    file: CaptureFile,
    pipeline: Pipeline,
    verdict: Verdict,
    *,
    deep: bool,
) -> Iterator[list[Message]]:
    """The messages of a file.  ``deep`` reports what is wrong inside them too."""
    with progress_of(file, args.file) as progress, few_collections():
        for batch in batches(file, pipeline, progress):
            verdict.any_thrift = True
            # The fields of a few messages at a time, so that they do not all lie in memory.
            size = FEW if deep else len(batch)
            for start in range(0, len(batch), size):
                part = batch[start : start + size]
                yield part
                for message in odd(part, deep):
                    findings = message.findings if deep else message.listed
                    verdict.report(findings, f"message {message.number}: ")
                for message in part if deep else ():
                    message.forget()


def _limits(args: argparse.Namespace) -> Limits:
    return Limits(args.max_depth, args.max_frame, args.max_message)


def _pipeline(args: argparse.Namespace) -> Pipeline:
    told = tell(args.protocol, args.transport)
    return Pipeline(_limits(args), told, frozenset(args.port or ()), keep=False)


def struct(args: argparse.Namespace) -> int:
    """``pingpong struct``: every byte of a struct that has no message around it."""
    verdict = Verdict()
    data = _bytes_of(args.file)
    stop = len(data) if args.length is None else min(len(data), args.offset + args.length)
    record = decode_struct(data[args.offset : stop], _limits(args), protocol=args.protocol)
    verdict.any_thrift = True
    if args.json:
        sys.stdout.write(record_row(record) + "\n")
    else:
        limit, notes = (None, None) if args.all else (MAX_BYTES, MAX_NOTES)
        say(hexdump(record, limit=limit, notes=notes, width=width()))
    verdict.report(record.findings)
    return verdict.exit_code


def explain(args: argparse.Namespace) -> int:
    """``pingpong explain``: a number, a line of a log or bytes, with no capture at all."""
    typed = args.text and args.text != ["-"]
    text = " ".join(args.text) if typed else sys.stdin.read(MAX_TEXT + 1)
    verdict = explain_text(text)
    say(pasted(verdict, width=width()))
    packets = [
        Packet(at, 0, block.link, block.data, len(block.data))
        for at, block in enumerate(verdict.blocks, 1)
        if block.link is not None
    ]
    found = list(read_packets(packets).messages) if packets else []
    for message in found[:ROWS]:
        say_text()
        say(hexdump(message, width=width()))
    if packets and not found:
        _explain_bytes(next((block.payload for block in verdict.blocks if block.payload), b""))
    for block in verdict.blocks:
        if not block.is_packet:
            _explain_bytes(block.data)
    return NO_THRIFT if verdict.is_empty else READ_ALL


def _explain_bytes(data: bytes) -> None:
    """The messages in ``data``, one after the other; where there is none, what begins so."""
    for _ in range(ROWS):
        if not data:
            return
        say_text()
        try:
            message = decode(data)
        except DecodeError as error:
            say_text(f"no message here: {escape(str(error))}", "dim")
            say(number_lines(explain_bytes(data), width=width()))
            return
        say(hexdump(message, width=width()))
        data = data[message.size :]


def _bytes_of(path: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except OSError as error:
        raise CaptureError(f"{path} cannot be read: {error.strerror}") from None


def _show_message(
    args: argparse.Namespace, file: CaptureFile, pipeline: Pipeline, verdict: Verdict
) -> bool:
    for batch in _batches(args, file, pipeline, verdict, deep=False):
        for message in batch:
            if message.number == args.message:
                limit = None if args.all else MAX_BYTES
                say(hexdump(message, exact=True, limit=limit, width=width()))
                verdict.report(message.findings, f"message {message.number}: ")
                return True
    return False


def _show_all(
    args: argparse.Namespace, steps: Iterable[Step], pipeline: Pipeline, verdict: Verdict
) -> None:
    """The ladder, then the exchanges.  Memory holds what is shown, not what is read."""
    most = sys.maxsize if args.all else ROWS
    pairing = Pairing()
    shown: dict[int, Exchange] = {}
    counts = {"packets": 0, "messages": 0, "exchanges": 0}

    def counted() -> Iterator[Step]:
        for step in steps:
            counts["packets"] += step.packet is not None
            for message in step.messages:
                verdict.any_thrift = True
                verdict.report(message.findings, f"message {message.number}: ")
                counts["messages"] += 1
                exchange = pairing.add(message)
                counts["exchanges"] = max(counts["exchanges"], exchange.number)
                if exchange.number <= most:
                    shown[exchange.number] = exchange
            yield step

    line = counted()
    rungs = ladder(line, exact=True, acks=args.acks, width=width())
    say(islice(rungs, most))
    left = sum(1 for step in line if step.packet is not None)
    if left:
        say_text(f"… {left} more packets, not shown; --all shows them", "dim")
    say_text()
    if shown:
        rows = exchange_table(Exchanges(list(shown.values())), exact=True, limit=None)
        say(lines(rows, width()))
        if counts["exchanges"] > len(shown):
            rest = counts["exchanges"] - len(shown)
            say_text(f"… {rest} more exchanges, not shown; --all shows them", "dim")
        say_text()
    flows = pipeline.connections
    say_text(
        f"{_count(counts['packets'], 'packet')}, {_count(flows, 'connection')}, "
        f"{_count(counts['messages'], 'message')}, {_count(counts['exchanges'], 'exchange')}",
        "dim",
    )


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _say_no_thrift(pipeline: Pipeline) -> None:
    """Say what was there instead, of a few connections."""
    count = pipeline.connections
    complain(f"no Thrift message that can be read in {_count(count, 'connection')}")
    for flow in pipeline.flows[:5]:
        seen = flow.detection.evidence if flow.detection else "carries no bytes"
        complain(f"flow {flow.number}, {flow.client} to {flow.server}: {seen}")
    if count > 5:
        complain(f"and {count - 5} more")


# ── Being one end ────────────────────────────────────────────────────────────────────


class Handler:
    """What the lessons' server does: the article's two methods."""

    def ping(self) -> str:
        return "pong"

    def login(self, username: str, password: str) -> str:
        return "登录成功!"


def _service() -> Any:
    from .live.course import course_file
    from .live.idl import load_idl

    return load_idl(course_file("foo.thrift"), "pingpong_thrift").PingPong


def _factories(args: argparse.Namespace) -> dict[str, Any]:
    if not args.framed:
        return {}
    from thriftpy2.transport import TFramedTransportFactory

    return {"transport": TFramedTransportFactory()}


def demo(args: argparse.Namespace) -> int:
    """``pingpong demo``: the whole of it, in a second."""
    from .live.private import PrivateNetwork, unavailable
    from .live.recording import recording
    from .live.serving import serving

    network = None if unavailable() else PrivateNetwork()
    try:
        with serving(_service(), Handler(), network=network, **_factories(args)) as server:
            with recording(server) as wire, server.client() as client:
                said = [client.ping(), client.login("root", "pwd")]
            say_text(f'ping() → "{said[0]}"', "good")
            say_text(f'login("root", "pwd") → "{said[1]}"', "good")
            say_text()
            say_text("\n".join(textwrap.wrap(wire.how, width())), "dim")
            say_text()
            say(ladder(wire.capture.steps, width=width()))
            for message in wire.messages:
                say_text()
                say(hexdump(message, width=width()))
            if args.save:
                wire.save(args.save)
                say_text(f"\nSaved to {escape(args.save)}", "dim")
    finally:
        if network is not None:
            network.close()
    return READ_ALL


def serve(args: argparse.Namespace) -> int:
    """``pingpong serve``: the article's server, until Ctrl-C."""
    from .live.serving import serving

    with (
        _Stop() as stop,
        serving(
            _service(), Handler(), host=args.host, port=args.port, **_factories(args)
        ) as server,
    ):
        say_text(f"PingPong listens on {server.address}; Ctrl-C stops it")
        sys.stdout.flush()
        stop.wait()
    return READ_ALL


def call(args: argparse.Namespace) -> int:
    """``pingpong call``: one call, as the article's client makes it."""
    from thriftpy2.thrift import TApplicationException, TException

    from .live.recording import recording

    service = _service()
    wanted = getattr(service, f"{args.method}_args", None)
    if wanted is None:
        methods = ", ".join(service.thrift_services)
        raise LiveError(f"the service has no method {args.method}; it has {methods}")
    names = [wanted.thrift_spec[field_id][1] for field_id in sorted(wanted.thrift_spec)]
    if len(names) != len(args.arguments):
        form = " ".join(["pingpong call", args.method, *names])
        raise LiveError(
            f"{args.method} takes {_count(len(names), 'argument')}, not {len(args.arguments)}",
            f"Write: {form}",
        )
    with recording(host=args.host, port=args.port, way="tap") as wire:
        try:
            with wire.client(
                service, timeout_ms=round(args.timeout * 1000), **_factories(args)
            ) as client:
                answer = getattr(client, args.method)(*args.arguments)
        except TApplicationException as error:
            _say_wire(args, wire)
            raise LiveError(f"the server could not make the call: {error}") from None
        except (TException, OSError, EOFError) as error:
            _say_wire(args, wire)
            raise LiveError(
                f"{wire.address} did not answer as a Thrift server of this kind: {error}",
                "Does it speak the same protocol and transport (--framed)?",
            ) from None
    _say_wire(args, wire)
    say_text(escape(str(answer)))
    return READ_ALL


def _say_wire(args: argparse.Namespace, wire: Recording) -> None:
    if not args.wire:
        return
    wire.stop()
    say_text("\n".join(textwrap.wrap(wire.how, width())), "dim")
    say_text()
    say(ladder(wire.capture.steps, width=width()))
    for message in wire.messages:
        say_text()
        say(hexdump(message, width=width()))
    say_text()


def record(args: argparse.Namespace) -> int:
    """``pingpong record``: packets of one port into a file, until Ctrl-C."""
    from .live.recording import recording

    # Find out now that the file cannot be written, not after an hour of recording.
    write_capture(args.file, [])
    with _Stop() as stop:
        with recording(
            host=args.host, port=args.port, interface=args.interface, way="sniff"
        ) as wire:
            say_text(f"Recording port {args.port}; Ctrl-C stops and saves")
            sys.stdout.flush()
            stop.wait(args.seconds)
        wire.save(args.file)
    say_text(
        f"{_count(len(wire.raw), 'packet')}, {_count(len(wire.messages), 'message')} "
        f"in {escape(args.file)}"
    )
    if wire.dropped:
        complain(f"warning: the kernel had no room for {wire.dropped} packets: they are missing")
    return READ_ALL


class _Stop:
    """Ctrl-C and SIGTERM, asked for instead of being interrupted by: whatever runs inside
    the ``with`` is not cut in the middle."""

    def __enter__(self) -> _Stop:
        self._wake, self._asleep = socket.socketpair()
        self._before = {
            number: signal.signal(number, lambda *_: self._wake.send(b"!"))
            for number in (signal.SIGINT, signal.SIGTERM)
        }
        return self

    def wait(self, seconds: float | None = None) -> None:
        """Until a signal came, or for ``seconds``."""
        select.select([self._asleep], [], [], seconds)

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._wake.close()
        self._asleep.close()


def lab(args: argparse.Namespace) -> int:
    """``pingpong lab``: JupyterLab on the first lesson."""
    from .live.course import course_file
    from .live.jupyter import run_lab

    lessons = course_file("notebooks")
    first = min((path.name for path in Path(lessons).glob("*.ipynb")), default="01.ipynb")
    return run_lab(lessons, first, False if args.no_browser else None)


# ── The commands and their help ──────────────────────────────────────────────────────

TOP: Final = """\
Run a remote call, then see all of it: the packets, the stream, the message, every byte
explained. Or point it at any capture of Thrift.

  pingpong demo                          make two calls and explain every byte of them
  pingpong show trouble.pcap             who called what, when, and what came back
  pingpong show trouble.pcap --message 3     every byte of one message
  pingpong lab                           the lessons, in JupyterLab
"""

SHOW: Final = """\
  pingpong show trouble.pcap             ladder and exchanges
  pingpong show trouble.pcap --message 3     message 3 (the numbers of `messages`)
  tcpdump -i lo -w - port 9090 | pingpong show -

With --json, one object a line a message: number, time (seconds since 1970), client, server,
flow, protocol, transport, type (CALL, REPLY, EXCEPTION, ONEWAY), method, seqid, offset (in
the stream), size, and fields, in order, each with id, type, value, offset and length.  A
field's offset and length are those of its type, id and value together, counted from the
message's first byte, a frame's length included.  thriftpy2's JSON has names and no ids: there
id is -1, and name says which.

  pingpong show trouble.pcap --json | jq 'select(.type == "EXCEPTION")'
"""

STRUCT: Final = """\
  pingpong struct value.bin
  pingpong struct footer.parquet --protocol compact --offset 1200 --length 340

The bytes of a file, of a Kafka value, of a Parquet footer.  With no --protocol it is the one in
which all the bytes are one struct.
"""

EXPLAIN: Final = """\
  pingpong explain -- -2147418111
  pingpong explain "Frame size (1213486160) larger than max length (16384000)!"
  pingpong explain 80 01 00 01 00 00 00 04 70 69 6e 67 00 00 00 00 00
  xxd message.bin | pingpong explain

Numbers as they stand in logs; bytes as hex, as a string with \\x in it, or as tcpdump -X, xxd,
hexdump -C and WireShark print them, with or without the packet around.  No capture is needed.
"""

CODES: Final = """\
exit codes: 0 all was read, 1 no Thrift in it, 2 something in it is bad (standard error says
what and where; what could be read is printed)"""


def _parser() -> argparse.ArgumentParser:
    raw = argparse.RawDescriptionHelpFormatter
    top = argparse.ArgumentParser(prog="pingpong", description=TOP, formatter_class=raw)
    how = "compiled" if is_compiled() else "plain Python (no C compiler built it)"
    top.add_argument("--version", action="version", version=f"pingpong {__version__}, {how}")
    commands = top.add_subparsers(metavar="COMMAND", required=True, title="commands")

    def command(
        name: str, do: Callable[[argparse.Namespace], int], about: str, more: str = ""
    ) -> Any:
        one = commands.add_parser(
            name, help=about, description=about, epilog=more, formatter_class=raw
        )
        one.set_defaults(do=do)
        return one

    one = command("lab", lab, "open the lessons in JupyterLab")
    one.add_argument("--no-browser", action="store_true", help="print the address, open nothing")

    one = command("demo", demo, "serve, call, capture, and explain every byte, with no rights")
    one.add_argument("--framed", action="store_true", help="use the framed transport")
    one.add_argument("--save", metavar="FILE", help="write the packets to a pcap file too")

    one = command("serve", serve, "run the PingPong server until Ctrl-C")
    _where(one)

    one = command(
        "call",
        call,
        "call the PingPong server",
        "  pingpong call ping\n  pingpong call login root pwd --wire",
    )
    one.add_argument("method", help="ping or login")
    one.add_argument("arguments", nargs="*", help="login takes a user name and a password")
    one.add_argument("--wire", action="store_true", help="show the bytes of the call")
    one.add_argument("--timeout", type=_positive, default=5.0, help="seconds to wait (5)")
    _where(one)

    one = command(
        "record",
        record,
        "record the packets of a port into a pcap file, until Ctrl-C (needs rights)",
        "  sudo pingpong record trouble.pcap -i lo -p 9090",
    )
    one.add_argument("file", help="the pcap file to write")
    one.add_argument("-i", "--interface", help="where to listen (the loopback)")
    one.add_argument("-p", "--port", type=_port, default=PORT, help=f"the server's port ({PORT})")
    one.add_argument("--host", help="the server's address (any)")
    one.add_argument("--seconds", type=_positive, help="stop after so long")

    one = command("show", show, "show what is in a capture", f"{SHOW}\n{CODES}")
    one.add_argument("file", help='a pcap or pcapng file, gzipped or not; "-" is standard input')
    one.add_argument("-m", "--message", type=int, metavar="N", help="every byte of message N")
    one.add_argument("--json", action="store_true", help="all of it, a JSON object a message")
    one.add_argument("--acks", action="store_true", help="draw segments that only acknowledge")
    one.add_argument("--all", action="store_true", help="leave nothing out, however long it is")
    _reading(one)

    one = command("messages", messages, "list the messages of a capture, a line each", CODES)
    one.add_argument("file", help='a pcap or pcapng file, gzipped or not; "-" is standard input')
    one.add_argument("--json", action="store_true", help="a JSON object a message")
    _reading(one)

    one = command("struct", struct, "explain a struct that has no message around it", STRUCT)
    one.add_argument("file", help='a file of bytes; "-" is standard input')
    one.add_argument("--offset", type=_size, default=0, help="where it begins in the file (0)")
    one.add_argument("--length", type=_size, help="how long it is (to the end)")
    one.add_argument("--json", action="store_true", help="as a JSON object")
    one.add_argument("--all", action="store_true", help="leave nothing out, however long it is")
    what = sorted(set(PROTOCOLS) - {"binary-old"})  # it differs in the header of a message
    one.add_argument("--protocol", choices=what, help="what it is in (its bytes tell)")
    _allowing(one)

    one = command("explain", explain, "explain a number, a line of a log, or pasted bytes", EXPLAIN)
    one.add_argument("text", nargs="*", help='what was pasted; nothing, or "-": standard input')
    return top


def _reading(one: argparse.ArgumentParser) -> None:
    """Options of what reads captures."""
    what = one.add_argument_group("what connections speak (their bytes tell)")
    what.add_argument("--protocol", choices=sorted(PROTOCOLS), help="take it for this")
    what.add_argument("--transport", choices=TRANSPORTS, help="take it for this")
    what.add_argument(
        "-p", "--port", type=_port, action="append", help="only connections with this port"
    )
    _allowing(one)


def _allowing(one: argparse.ArgumentParser) -> None:
    most = one.add_argument_group("what is allowed to be claimed")
    for name, number, what in (
        ("depth", DEFAULT_LIMITS.depth, "structs and containers in each other"),
        ("frame", DEFAULT_LIMITS.frame, "bytes in a frame"),
        ("message", DEFAULT_LIMITS.message, "bytes in a message"),
    ):
        most.add_argument(
            f"--max-{name}", type=_size, default=number, metavar="N", help=f"{what} ({number})"
        )


def _size(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) >= 1 << 31:
        raise argparse.ArgumentTypeError(f'"{text}" is no number from 0 to 2147483647')
    return int(text)


def _where(one: argparse.ArgumentParser) -> None:
    one.add_argument("--host", default=HOST, help=f"the server's address ({HOST})")
    one.add_argument("-p", "--port", type=_port, default=PORT, help=f"its port ({PORT})")
    one.add_argument("--framed", action="store_true", help="use the framed transport")


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f'"{text}" is no port, want 1 to 65535')
    return int(text)


def _positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < 1e9:
        raise argparse.ArgumentTypeError(f'"{text}" is no number of seconds above 0')
    return number


def run(arguments: list[str]) -> int:
    """Carry out a command line; the exit code.  No traceback reaches the shell."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        args = _parser().parse_args(arguments)
        code: int = args.do(args)
        sys.stdout.flush()
        return code
    except (PingpongError, DecodeError) as error:
        complain(f"error: {error}")
        return BAD
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Who read from us has gone (`| head`): nobody is left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return READ_ALL
