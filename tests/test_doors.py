"""Whoever asks twice gets the same answer: every door, on every capture at hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from doors import captures, check, check_commands, mutated, written

from pingpong.errors import CaptureError
from pingpong.model import Packet
from pingpong.wire.capturefile import open_capture

CAPTURES = captures()


def packets_of(path: Path) -> list[Packet]:
    try:
        with open_capture(str(path)) as file:
            return list(file)
    except CaptureError:
        return []


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.name)
def test_all_doors_tell_the_same(path: Path) -> None:
    found = packets_of(path)
    if found:
        check(found)
        check_commands(path)


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.name)
def test_all_doors_tell_the_same_of_what_was_mistreated(path: Path, tmp_path: Path) -> None:
    found = packets_of(path)
    if not found:
        return
    for seed in range(2):
        some = mutated(found[:400], seed)
        if some:
            check(some)
            check_commands(written(tmp_path, some))
