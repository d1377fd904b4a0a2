"""Looks for what no test has met yet: tests on fresh examples, until the time is up.

    make search MINUTES=5        .venv/bin/python tests/kit/search.py readers --minutes 60 --seed 7

`make test` says the same each time: what it draws, it draws from fixed seeds.  This draws from a
new one, prints it, and prints each find as it goes into the tests: an ``@example(...)`` above the
test, a row of a table.  Then it is met on every run.

A Search is a name and one try: a seed goes in, and what was found comes out, "" for nothing.  An
oracle is added by a function and a line in SEARCHES.  A test with ``@given`` needs neither:
"examples" has them all.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import costs
import doors
import fuzz
import leaks
import twins
from places import KIT, ROOT, TESTS

from pingpong.errors import CaptureError
from pingpong.wire.capturefile import open_capture

# How hypothesis begins the arguments of what it found: older, and newer.
_FOUND: Final = re.compile(
    r"^E?\s*(?:Falsifying example|Failing test case): (\w+)\((.*?)^E?\s*\)",
    re.DOTALL | re.MULTILINE,
)


def examples(seed: int, folder: Path = TESTS) -> str:
    """The tests with ``@given`` of one file, which the seed chooses."""
    files = [path for path in sorted(folder.rglob("test_*.py")) if "@given" in path.read_text()]
    path = files[seed % len(files)]
    options = ["-q", "-m", "hypothesis", "-p", "no:cacheprovider", "--tb=short", "--no-header"]
    command = [sys.executable, "-m", "pytest", *options, "--hypothesis-profile=search"]
    done = subprocess.run(
        [*command, f"--hypothesis-seed={seed}", str(path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{KIT}"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode in (0, 5):  # 5: all of them were left out
        return ""
    rows = [
        f"{path.name}, above {found[1]}:\n    @example({_on_one_line(found[2])})"
        for found in _FOUND.finditer(done.stdout)
    ]
    return "\n".join(dict.fromkeys(rows)) or f"{path.name}:\n{done.stdout}{done.stderr}"


def _on_one_line(arguments: str) -> str:
    lines = (line.removeprefix("E").strip() for line in arguments.splitlines())
    return " ".join(line for line in lines if line).rstrip(",")


def readers(seed: int) -> str:
    """Hostile bytes for every reader (fuzz.py)."""
    names = list(fuzz.TARGETS)
    name = names[seed % len(names)]
    data = fuzz.make(name, seed, 0)
    broken = fuzz.failure(name, data)
    if not broken:
        return ""
    small = fuzz.shrink(name, data, broken)
    return f'test_fuzz.py, in REGRESSIONS:\n    "{broken}": ("{name}", "{small.hex()}"),'


def leaked(seed: int) -> str:
    """Secrets that are left in what is redacted (leaks.py)."""
    found = leaks.leak(seed)
    return f'test_leaks.py, in FOUND:\n    {seed}: "{_quoted(found)}",' if found else ""


def made_up(seed: int) -> str:
    """Messages that nobody sent, behind losses (leaks.py)."""
    found = leaks.untrue(seed)
    return f'test_leaks.py, in FOUND:\n    {seed}: "{_quoted(found)}",' if found else ""


def disagreed(seed: int) -> str:
    """Doors that tell different things of a capture that was mistreated (doors.py)."""
    captures = doors.captures()
    path = captures[seed % len(captures)]
    try:
        with open_capture(str(path)) as file:
            packets = list(file)[:400]
    except CaptureError:
        return ""
    some = doors.mutated(packets, seed) if packets else []
    if not some:
        return ""
    with tempfile.TemporaryDirectory() as folder:
        try:
            doors.check(some)
            doors.check_commands(doors.written(Path(folder), some))
        except AssertionError as error:
            told = str(error).partition("\n")[0][:200]
            return f'test_doors.py, in FOUND:\n    ("{path.name}", {seed}),  # {_quoted(told)}'
    return ""


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


Search = Callable[[int], str]

SEARCHES: Final[dict[str, Search]] = {
    "examples": examples,
    "readers": readers,
    "leaks": leaked,
    "truths": made_up,
    "doors": disagreed,
    "twins": twins.differ,
    "costs": costs.costly,
}

# Those that cannot be run here, with the reason.
LEFT_OUT: Final = {"twins": twins.WHY_NOT} if twins.WHY_NOT else {}


def search(
    names: Iterable[str], seed: int, seconds: float, clock: Callable[[], float] = time.monotonic
) -> int:
    """Try them with new seeds drawn from ``seed``; how many different finds there were.

    Whichever has had the least time is next, so that a slow one does not starve the others.
    """
    rng = random.Random(seed)
    finds: dict[str, set[str]] = {name: set() for name in names}
    tries = dict.fromkeys(finds, 0)
    spent = dict.fromkeys(finds, 0.0)
    start = now = clock()
    while now - start < seconds:
        name = min(spent, key=spent.__getitem__)
        one = rng.randrange(1 << 32)
        found = SEARCHES[name](one)
        tries[name] += 1
        if found and found not in finds[name]:
            finds[name].add(found)
            print(f"{name}, seed {one}: {found}", flush=True)
        before, now = now, clock()
        spent[name] += now - before
    for name, known in finds.items():
        print(f"{name}: {tries[name]} tries, {len(known)} finds")
    return sum(map(len, finds.values()))


def main() -> int:
    parser = argparse.ArgumentParser(description="Look for new failures, with fresh seeds.")
    parser.add_argument("searches", nargs="*", metavar="search", help="all, where none is named")
    parser.add_argument("--minutes", type=float, default=5, help="in all (default: 5)")
    parser.add_argument("--seed", type=int, help="that of another run, to find the same again")
    options = parser.parse_args()
    unknown = [name for name in options.searches if name not in SEARCHES]
    if unknown:
        parser.error(f"no search {', '.join(unknown)}: want some of {', '.join(SEARCHES)}")
    for name in filter(LEFT_OUT.get, options.searches):
        parser.error(f"{name} cannot be searched: {LEFT_OUT[name]}")
    seed = random.SystemRandom().randrange(1 << 32) if options.seed is None else options.seed
    print(f"seed {seed}", flush=True)
    for name, reason in LEFT_OUT.items():
        print(f"{name}: left out: {reason}")
    names = options.searches or [name for name in SEARCHES if name not in LEFT_OUT]
    return 1 if search(names, seed, options.minutes * 60) else 0


if __name__ == "__main__":
    sys.exit(main())
