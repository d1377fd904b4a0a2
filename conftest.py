"""Doctests of modules that are compiled here are left out: pytest can read those of plain
Python only.  Where nothing is compiled, they run."""

from __future__ import annotations

from pathlib import Path


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """A module of the package, with its compiled form beside it?"""
    if collection_path.suffix != ".py" or "pingpong" not in collection_path.parts:
        return None
    built = collection_path.parent.glob(f"{collection_path.stem}.*.so")
    return True if any(built) else None
