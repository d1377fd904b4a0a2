"""The README shows what the commands really print, and its Python runs."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import dialects
import logins
import pytest
from places import ROOT

from pingpong import cli

pytestmark = pytest.mark.once

README = (ROOT / "README.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"^```\n\$ pingpong (.+)\n((?:.*\n)*?)```$", README, re.MULTILINE)
# What is shown in part: … stands for the rest.
PARTS = re.findall(r"^```text\n\$ pingpong (.+)\n((?:.*\n)*?)```$", README, re.MULTILINE)


def test_it_shows_commands() -> None:
    assert len(SHOWN) == 5
    assert len(PARTS) == 3


@pytest.mark.parametrize(("command", "output"), SHOWN, ids=[command for command, _ in SHOWN])
def test_what_it_shows_is_what_is_printed(
    command: str,
    output: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(ROOT)
    assert cli.run(shlex.split(command)) == 0
    assert capsys.readouterr().out == output


@pytest.mark.parametrize(("command", "output"), PARTS, ids=[command for command, _ in PARTS])
def test_what_it_shows_a_part_of_is_printed_so(
    command: str,
    output: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    shutil.copytree(ROOT / "captures", tmp_path / "captures")
    shutil.copy(ROOT / "foo.thrift", tmp_path)
    monkeypatch.chdir(tmp_path)
    cli.run(shlex.split(command))
    out = capsys.readouterr().out
    for part in output.split("…\n"):
        assert part in out


def test_its_first_example_runs(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    (example,) = [
        code for code in re.findall(r"```python\n(.*?)```", README, re.S) if "explain" in code
    ]
    exec(example, {})
    out = capsys.readouterr().out
    assert "login SUCCESS" in out
    assert "{1: 'root', 2: 'pwd'}" in out


def test_every_lesson_has_a_row() -> None:
    lessons = sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))
    assert re.findall(r"\(notebooks/([^)]+\.ipynb)\)", README) == lessons


def test_the_table_of_dialects_is_what_is_read() -> None:
    """``python tests/kit/dialects.py`` prints it: a "yes" stands where that dialect is read now."""
    assert section("What it reads").count(dialects.table()) == 1


def test_the_table_of_others_is_what_is_known_of_them() -> None:
    assert section("What it reads").count(dialects.peers_table()) == 1


def test_the_table_of_logins_is_what_was_recorded() -> None:
    """``python docs/logins.py`` prints it."""
    assert section("What it reads").count(logins.table()) == 1


def section(title: str) -> str:
    """The README's section of that title."""
    return README.split(f"\n## {title}\n")[1].split("\n## ")[0]
