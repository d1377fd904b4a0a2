"""The search with fresh seeds: it finds what is planted; and `make test` draws none of its own."""

from __future__ import annotations

import ast
import itertools
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import fuzz
import pytest
import search
from hypothesis import settings
from places import ROOT, TESTS

pytestmark = pytest.mark.once

PLANTED = """
import pytest
from hypothesis import example, given, strategies as st

@pytest.mark.parametrize("base", [1])
@given(number=st.integers(0, 10**6))
def test_planted(base, number):
    assert number < 1000

def test_without_examples():
    raise AssertionError("is not run")
"""


def ticks() -> Iterator[float]:
    yield from itertools.count()


def test_a_planted_example_is_found(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text((TESTS / "conftest.py").read_text())
    (tmp_path / "test_planted.py").write_text(PLANTED)
    found = search.examples(1, tmp_path)
    assert found.startswith("test_planted.py, above test_planted:\n    @example(")
    assert "number=1000" in found
    assert "is not run" not in found
    (tmp_path / "test_planted.py").write_text(PLANTED.replace("< 1000", ">= 0"))
    assert search.examples(1, tmp_path) == ""


def test_a_planted_input_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(data: bytes) -> None:
        if b"\x2a" in data:
            raise KeyError

    broken = fuzz.Target(lambda rng: rng.randbytes(1000), run)
    monkeypatch.setattr(fuzz, "TARGETS", {"broken": broken})
    assert search.readers(1).endswith('": ("broken", "2a"),')
    monkeypatch.setattr(fuzz, "TARGETS", {"sound": fuzz.Target(lambda rng: b"", run)})
    assert search.readers(1) == ""


def test_finds_are_told_once_and_all_have_their_time(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seeds: list[int] = []

    def odd(seed: int) -> str:
        seeds.append(seed)
        return "an odd one" if seed % 2 else ""

    monkeypatch.setattr(search, "SEARCHES", {"odd": odd, "none": lambda seed: ""})
    assert search.search(["odd", "none"], 3, 40, ticks().__next__) == 1
    out = capsys.readouterr().out
    assert out.count("an odd one") == 1
    assert out.endswith("odd: 20 tries, 1 finds\nnone: 20 tries, 0 finds\n")
    first = [*seeds]
    search.search(["odd", "none"], 3, 40, ticks().__next__)
    assert seeds == first * 2


def test_by_hand() -> None:
    command = [sys.executable, search.__file__, "--minutes", "0"]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("seed ")
    assert "examples: 0 tries, 0 finds" in done.stdout
    wrong = subprocess.run([*command, "x"], capture_output=True, text=True, check=False)
    assert "no search x: want some of examples, readers, leaks, truths" in wrong.stderr


# ── The same on every run ────────────────────────────────────────────────────────────


def test_examples_are_the_same_on_every_run() -> None:
    if settings.get_current_profile_name() == "search":
        pytest.skip("this is the search")
    now = settings()
    assert now.derandomize
    assert now.database is None
    assert now.deadline is None


# What draws from the system's own chance, or from a generator that all share.
CHANCE = re.compile(
    r"os\.urandom|secrets\.\w+|uuid\.uuid[14]|random\.(?!Random$)\w+"  # and Random without a seed
)


def drawn(tree: ast.AST) -> Iterator[str]:
    """Calls whose outcome nobody can know."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            is_unseeded = called == "random.Random" and not node.args
            if is_unseeded or CHANCE.fullmatch(called):
                yield ast.unparse(node)


@pytest.mark.parametrize("path", sorted(TESTS.rglob("*.py")), ids=lambda path: path.name)
def test_no_test_draws_from_chance(path: Path) -> None:
    is_search = path.name == "search.py"
    assert list(drawn(ast.parse(path.read_text()))) == ["random.SystemRandom()"] * is_search


def test_what_draws_from_chance_is_seen() -> None:
    text = "os.urandom(3); random.Random(); random.Random(3).choice('ab'); random.random()"
    assert len(list(drawn(ast.parse(text)))) == 3
