"""Bounds on what whole commands take, whatever they read: memory, and CPU time for each MB.

    seed ─▶ an attack of another size, a capture on a bad day, or values in each other
             └─▶ a command, in a child ─▶ exit code, CPU seconds, memory ─▶ within the bounds?

    python tests/kit/costs.py 4711      that seed again, with what it took

fuzz.py counts calls and bytes of readers; here is what only a whole command does: files that are
packed, all packets of a long one, tables, rows, pictures.  No count can be had of that, since what
is compiled calls nothing that Python could count; so CPU seconds it is, with bounds that are far
from what is usual, and a second try before anything is called a find.  For the tests, which measure
no time, a find is held by counting (test_attacks.py).
"""

from __future__ import annotations

import gzip
import os
import random
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

import attacks
import doors
import fuzz
import leaks
from places import KIT

import pingpong
from pingpong.errors import CaptureError
from pingpong.model import MAX_DEPTH
from pingpong.wire.capturefile import open_capture

# Above the start, whatever the file.
MEMORY: Final = 200_000_000

# CPU seconds: for any file, for each MB of it once it is unpacked, and, where messages are packed
# as well, for what may be unpacked (Limits.unpacked, 16 MB at once).
#
# Those of plain Python are three times the worst that was measured, on two shared cores that had
# other work (CPython 3.11): 1.2 s for zeros-bzip2, whose 142 bytes hold 1 MB of packets; 16 s/MB
# for search-compact; 22 s for bomb-websocket.  These are of attacks.py, which has the worst that is
# known of each kind.  33 tries of this file, from the seed 1127, took 0.5 s, 13 s/MB and 21 s at
# most.  Those of compiled code were not measured again.
PLAIN: Final = (4.0, 50.0, 66.0)
COMPILED: Final = (4.0, 15.0, 20.0)

COMMANDS: Final = (
    *attacks.ALL,
    *("messages --json", "calls --json", "calls --csv", "calls --totals", "calls --sort latency"),
    *("diagnose --json", "diagnose --all", "show --all", "show --acks", "redact -f *.* --text"),
)

# How large a file of an attack is made, in MB, at most: a try has to end soon.
LARGEST: Final = 1.0


class Cost(NamedTuple):
    """The exit code (negative: a signal), CPU seconds and bytes of memory above the start."""

    code: int
    seconds: float
    memory: int


class Try(NamedTuple):
    """A file for a command; ``what`` is said of it, ``packs`` whether it holds packed messages."""

    command: str
    what: str
    data: bytes
    packs: bool = False


# ── Inputs ───────────────────────────────────────────────────────────────────────────


def attacked(rng: random.Random) -> tuple[str, bytes, bool]:
    """An attack of another size; now and then with bytes of the file changed."""
    one = rng.choice(attacks.ATTACKS)
    packs = one.name.startswith("bomb")
    # A bomb has 10 MB and more for each of its number.
    size = rng.randint(1, 2) if one.size < 100 else int(one.size * 10 ** rng.uniform(-2.5, -0.5))
    data = one.make(max(size, 50) if one.size >= 100 else size)
    what = f"{one.name} of {size}"
    is_packed = data[:2] == b"\x1f\x8b"
    inside = gzip.decompress(data) if is_packed else data
    if rng.random() < 0.3:
        inside, what = fuzz.mutate(rng, inside), f"{what}, changed"
    # Packed by whatever made it, it holds the time.
    return what, gzip.compress(inside, 6, mtime=0) if is_packed else inside, packs


def repeated(rng: random.Random) -> tuple[str, bytes, bool]:
    """A capture, or a conversation of leaks.py, on a bad day: many times behind each other."""
    if rng.random() < 0.5:
        path = rng.choice(doors.captures())
        what = path.name
        try:
            with open_capture(str(path)) as file:
                packets = [one for one, _ in zip(file, range(400), strict=False)]
        except CaptureError:
            packets = []
    else:
        one = leaks.made(rng.randrange(1 << 32), 10)
        what = one.name
        packets = leaks.packets(rng, one.pieces, one.carrier)
    size = sum(len(one.data) for one in packets) or 1
    times = rng.choice((1, 10, max(1, min(2000, int(LARGEST * 1e6 / size)))))
    many = list(doors.renumbered(packets * times))
    bad = doors.mutated(many, rng.randrange(1 << 32)) if many else []
    return f"{what} {times} times", fuzz.pcap_of(bad), True


Maker = Callable[[int], bytes]

DEEP: Final[tuple[Maker, ...]] = (
    attacks.nested,
    attacks.nested_compact,
    attacks.nested_json,
    attacks.nested_lists,
    attacks.nested_maps,
)


def nested(rng: random.Random) -> tuple[str, bytes, bool]:
    """Values in each other: as deep as may be, a little deeper, and far deeper."""
    deep = rng.choice(DEEP)
    depth = rng.choice((2, 63, 64, 65, 99, 100, 101, 1000, 30_000))
    data = deep(depth)
    if deep is not attacks.nested_json and rng.random() < 0.5:
        data = attacks.framed(data)
    return f"{deep.__name__} of {depth}", attacks.pcap(attacks.stream(data)), False


def made(seed: int) -> Try:
    rng = random.Random(seed)
    maker = rng.choice((attacked, attacked, repeated, nested))
    what, data, packs = maker(rng)
    command = rng.choice(COMMANDS)
    if rng.random() < (0.8 if maker is nested else 0.1):
        command += f" --max-depth {rng.choice((0, 1, 64, MAX_DEPTH))}"
    if rng.random() < 0.2 and not command.startswith("redact"):
        command += " --redact *.*"
    return Try(command, what, data, packs)


# ── What they take ───────────────────────────────────────────────────────────────────


def taken(command: str, data: bytes) -> Cost:
    """What a command takes for a file with these bytes."""
    package = Path(pingpong.__file__ or "").resolve().parent.parent
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "in")
        path.write_bytes(data)
        words = [*command.split(), str(path)]
        if words[0] == "redact":
            words.append(str(Path(folder, "out")))
        done = subprocess.run(
            [sys.executable, str(KIT / "measured.py"), *words],
            env={**os.environ, "PYTHONPATH": str(package)},
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        return Cost(-abs(done.returncode), 0, 0)
    code, seconds, memory = done.stdout.split()
    return Cost(int(code), float(seconds), int(memory))


def unpacked(data: bytes) -> int:
    """How many bytes the file has once it is unpacked, as far as that goes."""
    if data[:2] != b"\x1f\x8b":
        return len(data)
    try:
        return len(gzip.decompress(data))
    except (OSError, EOFError, zlib.error):
        return len(data)


def allowed(data: bytes, packs: bool) -> float:
    """CPU seconds that a file may take."""
    start, each, held = COMPILED if pingpong.is_compiled() else PLAIN
    return start + each * unpacked(data) / 1e6 + held * packs


def over(one: Try, measure: Callable[[str, bytes], Cost] = taken) -> str:
    """Which bound is not kept; "" if all are.  What takes too long is tried again."""
    cost = measure(one.command, one.data)
    if cost.code < 0:
        return f"ended by signal {-cost.code}"
    if cost.code > 3:
        return f"exit code {cost.code}"
    if cost.memory > MEMORY:
        return f"{cost.memory / 1e6:.0f} MB of memory, want at most {MEMORY / 1e6:.0f}"
    most = allowed(one.data, one.packs)
    if cost.seconds > most and measure(one.command, one.data).seconds > most:
        return f"{cost.seconds:.1f} s for {len(one.data) / 1e6:.3f} MB, want at most {most:.1f}"
    return ""


def costly(seed: int) -> str:
    """What takes too much, or ends as it should not; "" for nothing."""
    one = made(seed)
    told = over(one)
    if not told:
        return ""
    return f"`{one.command}` on {one.what}: {told}; python tests/kit/costs.py {seed} tries it again"


def main() -> int:
    found = 0
    for seed in map(int, sys.argv[1:]):
        one = made(seed)
        cost, most = taken(one.command, one.data), allowed(one.data, one.packs)
        print(f"{one.command}, {one.what}, {len(one.data)} bytes, at most {most:.1f} s: {cost}")
        found += bool(over(one))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
