"""Who loses packets when they come in bursts?  ``sudo python benchmarks/live.py``

    sender ──── calls, a TCP segment each, in bursts ────▶ receiver          on the loopback
                  └─▶ pingpong record │ tcpdump │ dumpcap  ─▶ a file ─▶ counted

One tool after the other records the same bursts; then so does what records the lessons, in a
private network.  Then the messages that it has are counted, and
what the kernel told it of packets that it had no room for.  The messages are as thriftpy2 writes
them, about 40 bytes each; Nagle's algorithm is off, so that each has a packet of its own as long as
the receiver keeps up.

It needs the right to capture on the loopback.  A tool that is not installed is left out.  The table
goes to standard output, what is going on to standard error.  The exit code is 0 if pingpong lost
nothing that both others kept, 1 if it did, 2 if it could not be measured, 130 after Ctrl-C.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

PINGPONG: Final = (sys.executable, "-m", "pingpong")
METHOD: Final = b"add"
# add(1: i32, 2: i32), strict binary.  The seqid is 0, as thriftpy2's is.
CALL: Final = bytes.fromhex(
    "80010001 00000003 616464 00000000 08 0001 00000001 08 0002 00000002 00"
)

LESSONS: Final = "pingpong, as in the lessons"

# How long a tool may take to begin, and to end once it was asked to.
PATIENCE: Final = 120.0
# How long a file has to stay as it is until all of it is there.
QUIET: Final = 0.7


class Tool(NamedTuple):
    """A program that records.

    ``ready`` is what it says once it does; ``dropped`` finds in its words how many packets the
    kernel had no room for.  ``prints``: it writes messages to its output, a line each, and no file.
    """

    name: str
    argv: Sequence[str]
    ready: str
    dropped: str
    prints: bool = False


def tools(port: int) -> list[Tool]:
    only = f"tcp port {port}"
    return [
        Tool(
            "pingpong record",
            (*PINGPONG, "record", "{file}", "-i", "lo", "-p", str(port)),
            "Recording",
            r"no room for (\d+)",
        ),
        Tool(
            "tcpdump",
            ("tcpdump", "-i", "lo", "-n", "-w", "{file}", only),
            "listening on",
            r"(\d+) packets dropped by kernel",
        ),
        Tool(
            "dumpcap",
            ("dumpcap", "-q", "-P", "-i", "lo", "-f", only, "-w", "{file}"),
            "File:",
            r"received/dropped on interface .*: \d+/(\d+)",
        ),
        Tool(
            "pingpong watch",
            (*PINGPONG, "watch", "-i", "lo", "-p", str(port)),
            "Watching",
            r"no room for (\d+)",
            prints=True,
        ),
    ]


class Result(NamedTuple):
    """What a tool recorded: messages, and packets that the kernel dropped (-1: it did not say)."""

    sent: int
    seconds: float  # of the bursts, without what is between them
    messages: int
    dropped: int
    cpu: float


# ── Sending ──────────────────────────────────────────────────────────────────────────


def send(sock: socket.socket, bursts: int, size: int, pause: float) -> float:
    """Send the bursts; the seconds that they took."""
    spent = 0.0
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for _ in range(bursts):
        began = time.monotonic()
        for _ in range(size):
            sock.sendall(CALL)
        spent += time.monotonic() - began
        time.sleep(pause)
    return spent


def converse(client: socket.socket, server: socket.socket, args: argparse.Namespace) -> float:
    """Send the bursts from one to the other; the seconds that they took.

    The sender is another process: two threads of one would take turns.
    """
    receiver = threading.Thread(target=receive, args=(server,), daemon=True)
    receiver.start()
    what = [str(client.fileno()), str(args.bursts), str(args.size), str(args.pause)]
    with client:
        sender = subprocess.run(
            [sys.executable, __file__, "--send", *what],
            stdout=subprocess.PIPE,
            check=True,
            pass_fds=[client.fileno()],
        )
    receiver.join()
    return float(sender.stdout)


def receive(sock: socket.socket) -> None:
    """Take what comes, until the other end has said all."""
    with sock:
        while sock.recv(1 << 20):
            pass


# ── Recording ────────────────────────────────────────────────────────────────────────


class Recorder:
    """A tool that runs, and what it said."""

    def __init__(self, tool: Tool, file: Path) -> None:
        self._tool = tool
        self._lines = 0
        self._said: list[str] = []
        self._is_ready = threading.Event()
        argv = [word.format(file=file) for word in tool.argv]
        # In a group of its own: Ctrl-C reaches this program, which ends it.
        self._process = subprocess.Popen(
            argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
        )
        self._threads = [
            threading.Thread(target=self._listen, args=(stream,), daemon=True)
            for stream in (self._process.stdout, self._process.stderr)
        ]
        for thread in self._threads:
            thread.start()

    def _listen(self, stream: object) -> None:
        assert hasattr(stream, "readline")
        for line in iter(stream.readline, b""):
            if self._tool.prints and METHOD in line and b":" in line:  # not the totals
                self._lines += 1
                continue
            text = line.decode(errors="replace").rstrip()
            self._said.append(text)
            if self._tool.ready in text:
                self._is_ready.set()
        self._is_ready.set()

    def wait_until_ready(self) -> bool:
        self._is_ready.wait(PATIENCE)
        return self._process.poll() is None

    def end(self) -> tuple[int, float]:
        """Ask it to end, and wait until it has: the lines it printed, and its CPU seconds."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        try:
            _, _, usage = os.wait4(self._process.pid, 0)
            self._process.returncode = 0
        except ChildProcessError:
            return self._lines, 0.0
        for thread in self._threads:
            thread.join(PATIENCE)
        return self._lines, usage.ru_utime + usage.ru_stime

    def kill(self) -> None:
        if self._process.returncode is None:
            self._process.kill()
            self._process.wait()

    @property
    def said(self) -> str:
        return "\n".join(self._said)

    @property
    def dropped(self) -> int:
        found = re.search(self._tool.dropped, self.said)
        if found:
            return int(found.group(1))
        return 0 if "pingpong" in self._tool.name else -1  # it speaks only of what it lost


def settle(file: Path) -> None:
    """Wait until the file stays as it is: a tool writes what it has, then."""
    before, since = -1, time.monotonic()
    end = since + PATIENCE
    while time.monotonic() < end and time.monotonic() - since < QUIET:
        now = file.stat().st_size if file.exists() else 0
        if now != before:
            before, since = now, time.monotonic()
        time.sleep(QUIET / 10)


def count_messages(file: Path) -> int:
    """The calls in a file that a tool wrote."""
    printed = subprocess.run(
        [*PINGPONG, "messages", "--json", str(file)], capture_output=True, check=False
    ).stdout
    return printed.count(b'"type": "CALL"')


def measure(tool: Tool, listener: socket.socket, args: argparse.Namespace) -> Result | None:
    """Let a tool record the bursts; None, said on standard error, if it could not."""
    with tempfile.TemporaryDirectory(prefix="pingpong-live-") as folder:
        os.chmod(folder, 0o777)  # tcpdump gives up its rights before it writes
        file = Path(folder, "live.pcap")
        recorder = Recorder(tool, file)
        try:
            if not recorder.wait_until_ready():
                print(f"live.py: {tool.name} does not record: {recorder.said}", file=sys.stderr)
                return None
            client = socket.create_connection(listener.getsockname())
            spent = converse(client, listener.accept()[0], args)
            settle(file)
            lines, cpu = recorder.end()
            messages = lines if tool.prints else count_messages(file)
            sent = args.bursts * args.size
            return Result(sent, spent, messages, recorder.dropped, cpu)
        finally:
            recorder.kill()


def measure_lessons(args: argparse.Namespace) -> Result | None:
    """The same with what records the lessons: a private network, and nobody's rights."""
    from pingpong import read_packets
    from pingpong.errors import LiveError
    from pingpong.live.private import PrivateNetwork
    from pingpong.live.sniffing import sniff_network

    try:
        network = PrivateNetwork()
    except LiveError as error:
        print(f"live.py: {error}", file=sys.stderr)
        return None
    with network, network.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        began = time.process_time()
        sniffer = sniff_network(network, None, listener.getsockname()[1])
        client = network.socket(socket.AF_INET, socket.SOCK_STREAM)
        client.connect(listener.getsockname())
        spent = converse(client, listener.accept()[0], args)
        sniffer.stop()
        cpu = time.process_time() - began
        messages = len(read_packets(sniffer.packets).messages)
        return Result(args.bursts * args.size, spent, messages, sniffer.dropped, cpu)


# ── The command line ─────────────────────────────────────────────────────────────────


def row(name: str, result: Result) -> str:
    missing = result.sent - result.messages
    told = "not said" if result.dropped < 0 else f"{result.dropped}"
    return (
        f"| {name} | {result.sent} | {result.sent / result.seconds:.0f} | {result.messages} "
        f"| {missing} | {told} | {result.cpu:.1f} |"
    )


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--bursts", type=int, default=5, help="how many (5)")
    parser.add_argument("--size", type=int, default=80_000, help="messages in a burst (80000)")
    parser.add_argument("--pause", type=float, default=0.5, help="seconds between them (0.5)")
    parser.add_argument("--rounds", type=int, default=1, help="how often each tool records (1)")
    parser.add_argument("--watch", action="store_true", help="run pingpong watch too")
    parser.add_argument("--send", nargs=4, help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> int:
    args = arguments()
    if args.send:
        number, bursts, size, pause = args.send
        with socket.socket(fileno=int(number)) as sock:
            print(send(sock, int(bursts), int(size), float(pause)))
        return 0
    results: dict[str, list[Result]] = {}
    print("| tool | sent | a second | in its file | missing | dropped, it says | CPU s |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        chosen = tools(listener.getsockname()[1])
        for _ in range(args.rounds):
            for tool in chosen:
                if tool.prints and not args.watch:
                    continue
                if not shutil.which(tool.argv[0]):
                    print(f"live.py: {tool.name} is not installed: left out", file=sys.stderr)
                    continue
                result = measure(tool, listener, args)
                if result is None:
                    return 2
                print(row(tool.name, result), flush=True)
                results.setdefault(tool.name, []).append(result)
            lessons = measure_lessons(args)
            if lessons is not None:
                print(row(LESSONS, lessons), flush=True)
                results.setdefault(LESSONS, []).append(lessons)
    lost = {name: max(one.sent - one.messages for one in runs) for name, runs in results.items()}
    ours = max(count for name, count in lost.items() if name.startswith("pingpong"))
    theirs = max((count for name, count in lost.items() if "pingpong" not in name), default=0)
    return 1 if ours > theirs else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
