"""thriftpy2 as a witness: with an empty memory, so that no test gets the includes of another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from thriftpy2.parser import parser as thriftpy2_parser

__all__ = ["empty_memory"]


@contextmanager
def empty_memory() -> Iterator[None]:
    """Let thriftpy2 remember no file, and afterwards those that it did before."""
    # Older versions have their memory under another name, and no lock.
    parser: Any = thriftpy2_parser
    memory: dict[str, Any] = getattr(parser, "_thrift_cache", None) or getattr(
        parser, "thrift_cache", {}
    )
    lock = getattr(parser, "_parse_lock", None)
    if lock is not None:
        lock.acquire()
    before = dict(memory)
    memory.clear()
    try:
        yield
    finally:
        memory.clear()
        memory.update(before)
        if lock is not None:
            lock.release()
