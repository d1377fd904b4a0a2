"""Whoever asks twice gets the same answer: every door, on every capture at hand."""

from __future__ import annotations

from pathlib import Path
from zlib import crc32

import pytest
from doors import captures, check, check_commands, mutated, written

from pingpong.errors import CaptureError
from pingpong.model import Packet
from pingpong.wire.capturefile import open_capture

pytestmark = pytest.mark.many

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


# What `make search` found: the name of a capture, and the seed with which it was mistreated.
FOUND = (
    # diagnose was silent where messages could not be read.
    ("thrift_tutorial.pcap", 4),
    ("half-client-with-syn.pcap", 5),
)


@pytest.mark.parametrize(("name", "seed"), FOUND)
def test_what_was_found(name: str, seed: int, tmp_path: Path) -> None:
    there = {path.name: path for path in CAPTURES}
    if name not in there:
        pytest.skip(f"{name} is not on this machine")
    some = mutated(packets_of(there[name])[:400], seed)
    check(some)
    check_commands(written(tmp_path, some))


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.name)
def test_all_doors_tell_the_same_of_what_was_mistreated(path: Path, tmp_path: Path) -> None:
    found = packets_of(path)
    # In another way each, so that all ways come.
    some = mutated(found[:400], crc32(path.name.encode())) if found else []
    if some:
        check(some)
        check_commands(written(tmp_path, some))
