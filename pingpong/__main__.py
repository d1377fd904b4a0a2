"""``python -m pingpong``, and the command ``pingpong``."""

from __future__ import annotations

import gc
import sys

__all__ = ["main"]


def main() -> int:
    """Run the command line; return its exit code."""
    try:
        from .cli import run

        gc.freeze()  # what is imported stays: see pingpong/__init__.py
        return run(sys.argv[1:])
    except KeyboardInterrupt:  # before there was anything to end
        return 130


if __name__ == "__main__":
    sys.exit(main())
