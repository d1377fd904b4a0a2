"""``python -m pingpong``, and the command ``pingpong``."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> int:
    """Run the command line; return its exit code."""
    try:
        from .cli import run

        return run(sys.argv[1:])
    except KeyboardInterrupt:  # before there was anything to end
        return 130


if __name__ == "__main__":
    sys.exit(main())
