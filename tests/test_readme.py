"""The README shows what the commands really print, and its Python runs."""

from __future__ import annotations

import re
import shlex

import pytest
from making import ROOT
from test_capture import DATAGRAMS
from test_dialects import DIALECTS

from pingpong import cli

README = (ROOT / "README.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"^```\n\$ pingpong (.+)\n((?:.*\n)*?)```$", README, re.MULTILINE)


def test_it_shows_commands() -> None:
    assert len(SHOWN) == 2


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
    assert re.findall(r"\(notebooks/([^)]+)\)", README) == lessons


def test_the_table_of_dialects_is_what_the_tests_read() -> None:
    """A "yes" stands where a test reads that dialect, and nowhere else."""
    names = {"binary": "binary, strict", "binary-old": "binary, old", "compact": "compact"}
    read = {(names[protocol], transport) for protocol, transport in DIALECTS.values()}
    read |= {(names[protocol], "UDP datagram") for protocol in DATAGRAMS}
    head, _, *rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in README[README.index("| protocol |") :].split("\n\n")[0].splitlines()
    ]
    said = {(row[0], head[at]) for row in rows for at in range(1, len(head)) if row[at] == "yes"}
    assert said == read
