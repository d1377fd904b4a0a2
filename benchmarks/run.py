"""Measures pingpong against its peers: ``python benchmarks/run.py [CAPTURE…]``.

    write a capture ──▶ count: do all see what was written? ──▶ rounds ──▶ tables
    captures.py         pingpong, tshark, capinfos              measure.py

In a round every command runs once, in turn, so that a slow minute of the machine falls on all of
them.  There are ``--runs`` rounds; a command that would go over its ``--budget`` of seconds on a
capture leaves the rounds, after one run at least.  Figures are medians; a ratio compares medians
of the same invocation.

Tables go to standard output, progress and trouble to standard error.  The exit code is 0 if all
was measured, 1 if a tool failed or saw other counts than were written, 130 after Ctrl-C.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import re
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Final, NamedTuple

from measure import Failed, Run, count, floor, median, output, run
from report import Page, Results, grouped, rate, seconds

from captures import CAPTURES, PORT, Capture, Written, stored

HERE: Final = Path(__file__).resolve().parent
SAMPLE: Final = HERE.parent / "captures" / "ping_login.pcap"
PINGPONG: Final = (sys.executable, "-m", "pingpong")

# The name, among those of captures, of the start-up times; and how often as many runs it gets.
START: Final = "start"
START_RUNS: Final = 4

# ── What is measured ─────────────────────────────────────────────────────────────────


class Command(NamedTuple):
    """Something to run on a capture, and in a few words what it prints."""

    name: str
    title: str
    argv: Sequence[str]  # without the capture, which comes last
    prints: str

    @property
    def tool(self) -> str:
        return self.title.split()[0]


# In place of these words tshark is told what to decode, and which fields of it to print.
DECODE: Final = "DECODE"
FIELDS: Final = "FIELDS"
FOR_TSHARK: Final = {
    "thrift": {DECODE: (), FIELDS: ("-e", "thrift.method")},
    "grpc": {
        DECODE: ("-d", f"tcp.port=={PORT},http2"),
        FIELDS: ("-e", "grpc.message_length", "-e", "http2.headers.path"),
    },
}


def argv_of(argv: Sequence[str], capture: Capture) -> list[str]:
    """The words of a command for that capture, which comes last."""
    words = FOR_TSHARK[capture.family]
    return [each for word in argv for each in words.get(word, (word,))]


COMMANDS: Final = (
    Command(
        "messages",
        "pingpong messages",
        (*PINGPONG, "messages"),
        "a line a message: time, ends, protocol, method, type, seqid, size",
    ),
    Command(
        "messages-json",
        "pingpong messages --json",
        (*PINGPONG, "messages", "--json"),
        "the same as a JSON object, with flow and offset",
    ),
    Command(
        "calls",
        "pingpong calls",
        (*PINGPONG, "calls"),
        "a line a call and its reply: outcome, latency",
    ),
    Command(
        "show-json",
        "pingpong show --json",
        (*PINGPONG, "show", "--json"),
        "a JSON object a message, with every field: id, type, value, offset, length",
    ),
    Command(
        "tshark-fields",
        "tshark -T fields",
        ("tshark", DECODE, "-T", "fields", FIELDS, "-r"),
        "a line a packet: the methods in it; for gRPC the length of each message, and the path",
    ),
    Command(
        "tshark-summary",
        "tshark",
        ("tshark", DECODE, "-r"),
        "a line a packet: number, time, ends, protocol, length, types and methods",
    ),
    Command(
        "tshark-json",
        "tshark -T json",
        ("tshark", DECODE, "-T", "json", "-r"),
        "every field of every layer as JSON",
    ),
    Command(
        "tshark-pdml",
        "tshark -T pdml",
        ("tshark", DECODE, "-T", "pdml", "-r"),
        "every field of every layer as XML, with its offset and bytes",
    ),
    Command(
        "capinfos",
        "capinfos -c",
        ("capinfos", "-c"),
        "the number of packets; it looks into none",
    ),
)

# Which command is held against which: the peer whose output comes nearest.
PAIRS: Final = (
    ("messages", "tshark-fields"),
    ("messages", "tshark-summary"),
    ("messages", "capinfos"),
    ("messages-json", "tshark-fields"),
    ("calls", "tshark-fields"),
    ("show-json", "tshark-json"),
    ("show-json", "tshark-pdml"),
)

STARTS: Final = (
    Command("python", "python -c pass", (sys.executable, "-c", "pass"), ""),
    Command("import", "import pingpong", (sys.executable, "-c", "import pingpong"), ""),
    Command("show", "pingpong show", (*PINGPONG, "show", str(SAMPLE)), ""),
    Command("messages", "pingpong messages", (*PINGPONG, "messages", str(SAMPLE)), ""),
    Command("tshark", "tshark -r", ("tshark", "-r", str(SAMPLE)), ""),
    Command("capinfos", "capinfos -c", ("capinfos", "-c", str(SAMPLE)), ""),
)

START_PAIRS: Final = (("show", "tshark"), ("messages", "tshark"))

# ── Counting ─────────────────────────────────────────────────────────────────────────


def count_lines(printed: IO[bytes]) -> int:
    return sum(block.count(b"\n") for block in iter(lambda: printed.read(1 << 20), b""))


def count_methods(printed: IO[bytes]) -> int:
    """tshark's lines: empty, or a word for each of the packet's messages, between commas.

    Behind a tab comes what is not counted.
    """
    words = (line.strip(b"\n").partition(b"\t")[0] for line in printed)
    return sum(word.count(b",") + 1 for word in words if word)


def last_number(printed: IO[bytes]) -> int:
    numbers = re.findall(rb"\d+", printed.read())
    return int(numbers[-1]) if numbers else -1


class Check(NamedTuple):
    """How to ask a tool what it sees in a capture."""

    tool: str
    argv: Sequence[str]
    counter: Callable[[IO[bytes]], int]
    counts: str


CHECKS: Final = (
    Check("pingpong", (*PINGPONG, "messages", "--json"), count_lines, "messages"),
    Check("tshark", ("tshark", DECODE, "-T", "fields", FIELDS, "-r"), count_methods, "messages"),
    # -M: without it 20 006 packets are "20 k".
    Check("capinfos", ("capinfos", "-M", "-c"), last_number, "packets"),
)


def good_codes(tool: str, written: Written) -> tuple[int, ...]:
    """pingpong ends with 2 where something is missing in the input."""
    return (0, 2) if tool == "pingpong" and written.torn else (0,)


def agreement(check: Check, seen: int, written: Written) -> tuple[bool, str]:
    """Is that what was written?  And a sentence about it."""
    text = f"{check.tool} sees {grouped(seen)} {check.counts}"
    if check.counts == "packets":
        return seen == written.packets, text
    if check.tool == "tshark" and not written.is_packed:
        # It lists a message once for each of its segments, and loses its way where bytes are lost.
        return True, f"{text}; not compared, because messages lie across segments"
    return written.messages <= seen <= written.messages + written.torn, text


# ── Running ──────────────────────────────────────────────────────────────────────────


class Progress:
    """What is being done, on standard error.

    On a terminal it is one line that changes; elsewhere it is a line for each step, without the
    details.
    """

    def __init__(self) -> None:
        self.failed = False
        self._stream = sys.stderr
        self._is_terminal = self._stream.isatty()

    def __call__(self, text: str) -> None:
        self._write(f"\r\x1b[K{text}" if self._is_terminal else f"{text}\n")

    def detail(self, text: str) -> None:
        if self._is_terminal:
            self(text)

    def done(self) -> None:
        """Leave the line to others."""
        if self._is_terminal:
            self._write("\r\x1b[K")

    def trouble(self, text: str) -> None:
        self.done()
        self._write(f"run.py: {text}\n")

    def fail(self, text: str) -> None:
        """Something was not measured that should have been."""
        self.failed = True
        self.trouble(text)

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def titles(commands: Sequence[Command]) -> dict[str, str]:
    return {command.name: command.title for command in commands}


class Plan(NamedTuple):
    """What was asked for."""

    commands: Sequence[Command]
    runs: int
    peers_runs: int
    budget: float

    def runs_of(self, command: Command) -> int:
        return self.runs if command.tool == "pingpong" else self.peers_runs


def rounds(
    commands: Sequence[Command],
    one: Callable[[Command], Run],
    runs_of: Callable[[Command], int],
    budget: float,
    name: str,
    say: Progress,
) -> Results:
    """Every command in turn, again and again, until each has its runs or has used its budget.

    One that fails is out, and its figures with it.
    """
    results: Results = {command.name: [] for command in commands}
    going = list(commands)
    for number in itertools.count(1):
        if not going:
            break
        say(f"{name}: round {number}")
        for command in list(going):
            done = results[command.name]
            say.detail(f"{name}: round {number}, {command.title}")
            try:
                done.append(one(command))
            except Failed as error:
                say.fail(f"{name}: {error}")
                done.clear()
                going.remove(command)
                continue
            spent = sum(each.wall for each in done)
            enough = len(done) >= runs_of(command)
            if enough or spent + median(each.wall for each in done) > budget:
                going.remove(command)
    say.done()
    return results


def written_capture(folder: Path, capture: Capture, messages: int, say: Progress) -> Written:
    """What is in the capture, which is written first if it is not there."""
    path = folder / f"{capture.name}.pcap"
    known = stored(path, capture, messages)
    if known is not None:
        return known
    say(f"{capture.name}: writing {grouped(messages)} messages")
    # In a child, so that this process stays small: see measure.py.
    program = str(HERE / "captures.py")
    run([sys.executable, program, capture.name, str(path), "--messages", str(messages)])
    say.done()
    known = stored(path, capture, messages)
    if known is None:
        raise Failed(f"{path} was written, and is not what was asked for")
    return known


def measure_capture(
    folder: Path, capture: Capture, messages: int, plan: Plan, page: Page, say: Progress
) -> None:
    """Write, count, measure, print."""
    written = written_capture(folder, capture, messages, say)
    path = str(folder / f"{capture.name}.pcap")
    page.heading(capture.name)
    kind = f", and {grouped(written.torn)} in part" if written.torn else ""
    page.text(
        f"{capture.about}.\n{grouped(written.messages)} messages{kind}, "
        f"{grouped(written.packets)} packets, {written.size / 1e6:.1f} MB."
    )
    tools = {command.tool for command in plan.commands}
    agree, seen = True, []
    for check in CHECKS:
        if check.tool in tools:
            say(f"{capture.name}: counting with {check.tool}")
            codes = good_codes(check.tool, written)
            number = count([*argv_of(check.argv, capture), path], check.counter, codes)
            fits, sentence = agreement(check, number, written)
            agree = agree and fits
            seen.append(f"{sentence}." if fits else f"{sentence}. That is wrong.")
    say.done()
    page.text("\n".join(seen))
    if not agree:
        say.fail(f"{capture.name}: not measured, because the counts are wrong")
        return

    results = rounds(
        plan.commands,
        lambda command: run(
            [*argv_of(command.argv, capture), path], good_codes(command.tool, written)
        ),
        plan.runs_of,
        plan.budget,
        capture.name,
        say,
    )
    page.table(
        ("command", "runs", "CPU s", "least–most", "packets/s", "messages/s", "memory"),
        [
            (
                command.title,
                str(len(runs)),
                *seconds(runs, 1),
                rate(written.packets, runs),
                rate(written.messages, runs) if command.tool != "capinfos" else "–",
                page.memory(runs),
            )
            if (runs := results[command.name])
            else (command.title, "failed", *("–" * 5))
            for command in plan.commands
        ],
    )
    page.ratios(titles(plan.commands), PAIRS, results)


def measure_start(plan: Plan, page: Page, say: Progress) -> None:
    """How long it takes until anything happens."""
    tools = {command.tool for command in plan.commands} | {"python", "import"}
    commands = [command for command in STARTS if command.tool in tools]
    results = rounds(
        commands,
        lambda command: run(command.argv),
        lambda _: plan.runs * START_RUNS,
        plan.budget,
        START,
        say,
    )
    page.heading(START)
    page.text(f"From start to end, on a capture of 12 packets ({SAMPLE.name}).")
    page.table(
        ("command", "runs", "CPU ms", "least–most", "wall ms", "memory"),
        [
            (
                command.title,
                str(len(runs)),
                *seconds(runs, 1000),
                f"{1000 * median(each.wall for each in runs):.0f}",
                page.memory(runs),
            )
            if (runs := results[command.name])
            else (command.title, "failed", *("–" * 4))
            for command in commands
        ],
    )
    page.ratios(titles(commands), START_PAIRS, results)


# ── The lines at the top ─────────────────────────────────────────────────────────────


def machine() -> str:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    system = os.uname()
    return f"{cores} cores, {memory / 1e9:.0f} GB, {system.sysname} {system.machine}"


def build() -> str:
    """Is pingpong compiled?  The file of a module of its core tells."""
    code = "import pingpong.wire.streams as module; print(module.__file__)"
    file = output([sys.executable, "-c", code]).strip()
    return "plain Python" if file.endswith(".py") else "compiled"


def about(tools: set[str], quick: bool) -> Iterator[str]:
    """When, where, what."""
    yield f"{time.strftime('%Y-%m-%d')}, {machine()}, Python {sys.version.split()[0]}"
    if "pingpong" in tools:
        version = output([*PINGPONG, "--version"]).strip().replace("\n", ", ")
        yield version if "compiled" in version else f"{version}, {build()}"
    if "tshark" in tools:
        yield output(["tshark", "--version"]).partition("\n")[0]
    yield "CPU is user and system time; rates are per CPU second; memory is the peak."
    if quick:
        yield "Quick: on captures as small as these, much of every figure is the tool's start."


# ── The command line ─────────────────────────────────────────────────────────────────


def is_there(command: Command, say: Progress) -> bool:
    """Is its program installed?  Says so if not."""
    if not shutil.which(command.argv[0]):
        say.trouble(f"{command.title}: left out, {command.argv[0]} is not installed")
        return False
    return True


def has_calls() -> bool:
    return bool(re.search(r"^\s+calls\b", output([*PINGPONG, "--help"]), re.MULTILINE))


def chosen_commands(only: Sequence[str], say: Progress) -> list[Command]:
    commands = [command for command in COMMANDS if not only or command.name in only]
    commands = [command for command in commands if is_there(command, say)]
    names = [command.name for command in commands]
    if "calls" in names and not has_calls():
        say.trouble("pingpong calls: left out, this pingpong has no such command")
        del commands[names.index("calls")]
    return commands


def chosen_captures(names: Sequence[str], quick: bool) -> list[tuple[str, int]]:
    """Names and sizes: ``small`` has its own, ``small=20000`` says one."""
    chosen = []
    for text in names or [*CAPTURES, START]:
        name, _, size = text.partition("=")
        if name == START and not size:
            chosen.append((name, 0))
        elif name in CAPTURES and (not size or (size.isdecimal() and int(size) >= 2)):
            capture = CAPTURES[name]
            own = capture.quick if quick else capture.messages
            chosen.append((name, int(size) if size else own))
        else:
            known = ", ".join([*CAPTURES, START])
            raise SystemExit(f'run.py: no capture "{text}"; there are {known}, or NAME=MESSAGES')
    return chosen


def listing(quick: bool) -> None:
    for name, size in chosen_captures((), quick):
        if name != START:
            print(f"{name:<22}{grouped(size):>10} messages: {CAPTURES[name].about}")
    print(f"{START:<22}{'':>20} how long the programs take to start\n")
    for command in COMMANDS:
        words = argv_of(command.argv, CAPTURES["small"])
        argv = " ".join(words).replace(sys.executable, "python")
        print(f"{command.name:<16}{argv} FILE\n{'':<16}prints {command.prints}")


def positive(text: str) -> int:
    number = int(text) if text.isdecimal() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f'"{text}" is no number of runs')
    return number


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Measure pingpong against tshark and capinfos, on captures made here.",
        epilog="--list says which captures and commands there are.",
    )
    parser.add_argument(
        "captures", nargs="*", metavar="CAPTURE", help="NAME or NAME=MESSAGES (all of them)"
    )
    parser.add_argument("--list", action="store_true", help="list captures and commands, and end")
    parser.add_argument("--quick", action="store_true", help="small captures: some minutes in all")
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="COMMAND",
        choices=[command.name for command in COMMANDS],
        help="run this command; may be given again (all)",
    )
    parser.add_argument("--runs", type=positive, default=5, help="runs of each command (5)")
    parser.add_argument("--peers-runs", type=positive, metavar="RUNS", help="of tshark, capinfos")
    parser.add_argument(
        "--budget",
        type=float,
        default=300,
        metavar="SECONDS",
        help="fewer runs, but at least one, if a command would take longer on a capture (300)",
    )
    parser.add_argument("--markdown", action="store_true", help="print Markdown")
    parser.add_argument(
        "--dir", type=Path, help="keep the captures here and use them again (a temporary folder)"
    )
    return parser.parse_args()


@contextlib.contextmanager
def capture_folder(wanted: Path | None) -> Iterator[Path]:
    if wanted is not None:
        wanted.mkdir(parents=True, exist_ok=True)
        yield wanted
        return
    with tempfile.TemporaryDirectory(prefix="pingpong-benchmarks-") as folder:
        yield Path(folder)


def benchmark(args: argparse.Namespace, say: Progress) -> None:
    chosen = chosen_captures(args.captures, args.quick)
    commands = chosen_commands(args.only, say)
    plan = Plan(commands, args.runs, args.peers_runs or args.runs, args.budget)
    page = Page(args.markdown, floor())
    page.text("\n".join(about({command.tool for command in commands}, args.quick)))
    with capture_folder(args.dir) as folder:
        for name, size in chosen:
            try:
                if name == START:
                    measure_start(plan, page, say)
                else:
                    measure_capture(folder, CAPTURES[name], size, plan, page, say)
            except Failed as error:
                say.fail(f"{name}: {error}")
            if args.dir is None:
                # One at a time is enough of a temporary folder.
                (folder / f"{name}.pcap").unlink(missing_ok=True)


def main() -> int:
    # Ends children and half files as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    args = arguments()
    if args.list:
        listing(args.quick)
        return 0
    say = Progress()
    try:
        benchmark(args, say)
    except Failed as error:
        say.fail(str(error))
    except KeyboardInterrupt:
        say.trouble("stopped")
        return 130
    return 1 if say.failed else 0


if __name__ == "__main__":
    sys.exit(main())
