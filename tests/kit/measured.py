"""Runs one pingpong command, and says what it took above the start: for costs.py, in a child.

    python tests/kit/measured.py messages FILE     prints exit code, CPU seconds, bytes of memory

Only this child knows what the start took: what it had before the command is not counted.  And it
reads its own memory, since what the system says of a child includes what its parent had.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from pathlib import Path

from pingpong import cli

# Against what has no end: bytes of address space, and CPU seconds.
SPACE = 3_000_000_000
SECONDS = 240


def most() -> int:
    """The most bytes of memory that this process ever had."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (SPACE, SPACE))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    told = os.dup(1)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 1)
    memory, seconds = most(), time.process_time()
    try:
        code = cli.run(sys.argv[1:])
    except SystemExit as end:  # words that are no command
        code = -1000 if end.code else 0
    sys.stdout.flush()
    took = time.process_time() - seconds
    os.write(told, f"{code} {took} {most() - memory}".encode())


if __name__ == "__main__":
    main()
