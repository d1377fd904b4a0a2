"""Holds the compiled program against its own source: the same input, and the same has to come out.

                ┌─▶ a child that runs what was compiled ─▶ what it says ─┐
    an input ───┤                                                        ├─▶ the same?
                └─▶ a child that runs the source        ─▶ what it says ─┘

An input is one of fuzz.py's, of which the result or the exception is compared, or a capture that
was mistreated, of which all that commands print and write is.  Each child lives long, so that an
input costs what the program takes, and no start.  What ends a child is a find as well: nothing may
end the compiled one that does not end the plain one, neither a signal nor a loop.

A request and its answer are JSON behind their length, in 4 bytes.  A child whose parent is gone
reads the end of its input, and goes too.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import random
import select
import signal
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import IO, Any, Final

import doors
import fuzz
import leaks
from places import KIT

import pingpong
from pingpong.errors import CaptureError
from pingpong.model import Packet
from pingpong.wire.capturefile import open_capture

PACKAGE: Final = Path(pingpong.__file__ or "").resolve().parent

# The longest that a child may take for one input: plain Python reads some of them for seconds.
SECONDS: Final = 120

# Why this search is left out; "" where it is not.
WHY_NOT: Final = (
    "" if pingpong.is_compiled() else "nothing is compiled here: the program is its own source"
)

COMMANDS: Final = (
    ("messages",),
    ("messages", "--json"),
    ("calls",),
    ("calls", "--json"),
    ("calls", "--csv"),
    ("calls", "--totals"),
    ("diagnose",),
    ("diagnose", "--json"),
    ("show",),
    ("show", "--all"),
    ("show", "--json"),
    ("show", "-m", "1"),
)

# Run by a child before pingpong is imported: in its folders only the sources are looked at.
ONLY_SOURCES: Final = """
from importlib.machinery import SOURCE_SUFFIXES, FileFinder, SourceFileLoader

sources = FileFinder.path_hook((SourceFileLoader, SOURCE_SUFFIXES))

def only_sources(path):
    if path != package and not path.startswith(package + os.sep):
        raise ImportError(path)
    return sources(path)

sys.path_hooks.insert(0, only_sources)
"""


# ── In the child ─────────────────────────────────────────────────────────────────────


def of_target(name: str, data: bytes) -> str:
    """What a target of fuzz.py says of an input, or raises."""
    try:
        return str(fuzz.TARGETS[name].run(data))
    except Exception as error:
        return f"raises {type(error).__name__}: {error}"


def of_commands(path: str) -> str:
    """What commands print of a capture, with their exit codes, and the bytes that ``redact``
    writes."""
    told = [f"{' '.join(words)}: {doors.run(*words, path)}" for words in COMMANDS]
    with tempfile.TemporaryDirectory() as folder:
        # Its name is in what is printed: the same for both.
        out = Path(folder, "out.pcap")
        done = doors.run("redact", path, str(out), "-f", "*.*", "--text")
        told.append(f"redact: {done}".replace(folder, ""))
        told.append(out.read_bytes().hex() if out.exists() else "nothing written")
    return "\n".join(told)


def answer() -> None:
    """Read requests and answer each, until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent's: then our input ends
    asked = sys.stdin.buffer
    with os.fdopen(os.dup(1), "wb") as out:
        os.dup2(2, 1)  # nothing else may print between the answers
        _send(out, pingpong.is_compiled())
        while (request := _received(asked)) is not None:
            signal.alarm(2 * SECONDS)  # should nobody be there to end us
            if "target" in request:
                said = of_target(request["target"], bytes.fromhex(request["data"]))
            else:
                said = of_commands(request["path"])
            signal.alarm(0)
            _send(out, said)


def _send(out: IO[bytes], thing: object) -> None:
    data = json.dumps(thing).encode()
    out.write(struct.pack(">I", len(data)) + data)
    out.flush()


def _received(asked: IO[bytes]) -> Any:
    head = asked.read(4)
    return json.loads(asked.read(*struct.unpack(">I", head))) if len(head) == 4 else None


# ── The children ─────────────────────────────────────────────────────────────────────


class Ended(Exception):
    """A child that gives no answer any more; its text says how it ended."""


class Twin:
    """A child that answers: ``compiled``, as the program is here, or from its sources alone.

    ``patch`` is what it runs once all is imported.  It ends where the ``with`` does.
    """

    def __init__(self, compiled: bool, patch: str = "") -> None:
        start = f"import os, sys\npackage = {str(PACKAGE)!r}\n"
        start += "" if compiled else ONLY_SOURCES
        start += f"import twins\n{patch}\ntwins.answer()\n"
        paths = [str(PACKAGE.parent), str(KIT), os.environ.get("PYTHONPATH", "")]
        self.name = "compiled" if compiled else "plain"
        self._child = subprocess.Popen(
            [sys.executable, "-B", "-c", start],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=KIT,  # with -c, Python looks there first for what is imported
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
        )
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._asked, self._said = self._child.stdin, self._child.stdout
        try:
            if self.said() and not compiled:
                raise Ended(f"{self.name}: it does not run its sources")
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Twin:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(self, **request: str) -> None:
        """Begin with an input; ``said`` has the answer."""
        with contextlib.suppress(BrokenPipeError):  # said() tells why
            _send(self._asked, request)

    def said(self, seconds: float = SECONDS) -> Any:
        """The answer to what was asked; Ended if there is none within so many seconds."""
        until = time.monotonic() + seconds
        size = int.from_bytes(self._read(4, until), "big")
        return json.loads(self._read(size, until))

    def _read(self, size: int, until: float) -> bytes:
        data = b""
        file = self._said.fileno()
        while len(data) < size:
            if not select.select([file], [], [], max(until - time.monotonic(), 0))[0]:
                self.close()
                raise Ended("has no answer, and takes too long")
            more = os.read(file, size - len(data))
            if not more:
                code = self._child.wait()
                self.close()
                raise Ended(f"was ended by signal {-code}" if code < 0 else f"ended with {code}")
            data += more
        return data

    @property
    def ended(self) -> bool:
        return self._child.poll() is not None

    def close(self) -> None:
        """End it.  A second time, nothing happens."""
        self._child.kill()
        self._child.wait()
        for pipe in (self._asked, self._said):
            with contextlib.suppress(BrokenPipeError):
                pipe.close()


_twins: dict[bool, Twin] = {}


def twin(compiled: bool) -> Twin:
    """The child that is there, or a new one where there is none; gone when the program ends."""
    if compiled not in _twins or _twins[compiled].ended:
        if not _twins:
            atexit.register(_close_all)
        _twins[compiled] = Twin(compiled)
    return _twins[compiled]


def _close_all() -> None:
    for one in _twins.values():
        one.close()


def compared(one: Twin, other: Twin, **request: str) -> str:
    """The first line in which two children differ about an input; "" if there is none."""
    one.ask(**request)
    other.ask(**request)
    lines = [_lines(child) for child in (one, other)]
    for pair in zip(*lines, strict=False):
        if pair[0] != pair[1]:
            alike = (at for at, (a, b) in enumerate(zip(*pair, strict=False)) if a != b)
            start = max(next(alike, min(map(len, pair))) - 40, 0)
            parts = [repr(line[start : start + 120]) for line in pair]
            return f"{one.name} says {parts[0]}, {other.name} {parts[1]}"
    if len(lines[0]) != len(lines[1]):
        return f"{one.name} says {len(lines[0])} lines, {other.name} {len(lines[1])}"
    return ""


def _lines(child: Twin) -> list[str]:
    try:
        text: str = child.said()
    except Ended as error:
        return [str(error)]
    return text.split("\n")


# ── The search ───────────────────────────────────────────────────────────────────────


@cache
def captures() -> list[Path]:
    return doors.captures()


def mistreated(name: str, seed: int) -> list[Packet]:
    """The packets of the capture of that name, or for "" of a conversation of leaks.py, after a bad
    day.  None where that capture is not on this machine, or cannot be read."""
    if name:
        path = next((path for path in captures() if path.name == name), None)
        try:
            if path is None:
                return []
            with open_capture(str(path)) as file:
                packets = [one for one, _ in zip(file, range(400), strict=False)]
        except CaptureError:
            return []
        return doors.mutated(packets, seed) if packets else []
    one = leaks.made(seed)
    rng = random.Random(seed)
    return leaks.mistreated(rng, leaks.packets(rng, one.pieces, one.carrier), leaks.HARMS)


@contextlib.contextmanager
def file_of(packets: list[Packet]) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        yield str(doors.written(Path(folder), packets))


def of_input(name: str, data: bytes) -> str:
    """What the twins disagree about in an input of a target; "" if about nothing."""
    return compared(twin(True), twin(False), target=name, data=data.hex())


def of_capture(name: str, seed: int) -> str:
    """The same, of a capture that was mistreated."""
    packets = mistreated(name, seed)
    if not packets:
        return ""
    with file_of(packets) as path:
        return compared(twin(True), twin(False), path=path)


def differ(seed: int) -> str:
    """Twins that say different things: of an input of fuzz.py, or of a capture."""
    rng = random.Random(seed)
    if rng.random() < 0.5:
        names = list(fuzz.TARGETS)
        name = names[seed % len(names)]
        data = fuzz.make(name, seed, 0)
        told = of_input(name, data)
        if not told:
            return ""
        small = fuzz.smaller(data, lambda less: bool(of_input(name, less)))
        return f'test_twins.py, in FOUND:\n    ("{name}", "{small.hex()}"),  # {told}'
    path = rng.choice(captures()).name if rng.random() < 0.5 else ""
    told = of_capture(path, seed)
    return f'test_twins.py, in FOUND_IN:\n    ("{path}", {seed}),  # {told}' if told else ""
