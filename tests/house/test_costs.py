"""The bounds of costs.py can fail, its measure measures, and depth ends no command."""

from __future__ import annotations

from pathlib import Path

import attacks
import costs
import pytest
from doors import run

from pingpong.model import MAX_DEPTH

pytestmark = pytest.mark.many

ONE = attacks.pcap(attacks.stream(attacks.framed(attacks.PING)))
GOOD = costs.Cost(0, 0.1, 1_000_000)


@pytest.mark.parametrize(
    ("costs_of", "told"),
    [
        ([GOOD], ""),
        ([GOOD._replace(code=-11)], "ended by signal 11"),
        ([GOOD._replace(code=70)], "exit code 70"),
        ([GOOD._replace(code=4)], "exit code 4"),
        ([GOOD._replace(memory=201_000_000)], "201 MB of memory, want at most 200"),
        ([GOOD._replace(seconds=1e6), GOOD], ""),  # the machine had other work
        ([GOOD._replace(seconds=1e6)] * 2, "1000000.0 s for 0.000 MB, want at most "),
    ],
)
def test_what_is_over_a_bound_is_told(costs_of: list[costs.Cost], told: str) -> None:
    left = iter(costs_of)
    found = costs.over(costs.Try("messages", "", ONE), lambda command, data: next(left))
    assert found.startswith(told)
    assert bool(found) == bool(told)
    assert next(left, None) is None


def test_a_try_is_measured() -> None:
    cost = costs.taken("messages", ONE)
    assert cost.code == 0
    assert cost.seconds > 0
    assert 0 <= cost.memory < costs.MEMORY
    assert costs.taken("redact -f *.*", ONE).code == 2  # it holds no value
    assert costs.taken("messages", b"no capture").code == 2


def test_memory_is_measured() -> None:
    """A list of many values, all of them read: more than of one message without any."""
    many = attacks.pcap(attacks.stream(attacks.framed(attacks.bomb(50_000))))
    assert costs.taken("show -m 1", many).memory > 10_000_000


def test_a_file_is_as_large_as_it_is_unpacked() -> None:
    data = attacks.packed(attacks.stream(bytes(1_000_000)))
    assert len(data) < 100_000
    assert costs.unpacked(data) > 1_000_000
    assert costs.unpacked(data[:50]) == 50
    assert costs.unpacked(ONE) == len(ONE)
    assert costs.allowed(data, False) < costs.allowed(data, True)


def test_a_seed_is_always_the_same_try() -> None:
    tries = [costs.made(seed) for seed in range(12)]
    assert tries == [costs.made(seed) for seed in range(12)]
    assert len({one.what for one in tries}) > 8


# ── Depth ────────────────────────────────────────────────────────────────────────────

IDL = """
struct S { 1: optional S rec, 2: optional list<S> l }
service X { S deep(1: S rec) }
"""


@pytest.mark.parametrize("depth", [MAX_DEPTH, MAX_DEPTH + 1])
@pytest.mark.parametrize("deep", costs.DEEP, ids=lambda deep: deep.__name__)
def test_depth_ends_no_command(deep: costs.Maker, depth: int, tmp_path: Path) -> None:
    """At the limit and above it, no command has a fault, and none a recursion that Python ends."""
    path, idl, out = tmp_path / "deep.pcap", tmp_path / "x.thrift", tmp_path / "out.pcap"
    path.write_bytes(attacks.pcap(attacks.stream(deep(depth))))
    idl.write_text(IDL)
    for command in (*costs.COMMANDS, f"show -m 1 --idl {idl}", f"calls --idl {idl}", "watch"):
        words = [*command.split(), "--max-depth", str(MAX_DEPTH), str(path)]
        if words[0] == "redact":
            words.append(str(out))
        code, _, err = run(*words)
        assert code in (0, 1, 2, 3), (command, err)
        assert "Recursion" not in err
