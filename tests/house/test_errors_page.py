"""docs/errors.md: every verdict is on it, and every error that it quotes is known to
``pingpong explain``."""

from __future__ import annotations

import re
import runpy

import pytest
from places import ROOT

from pingpong.hints.complaints import explain_text, troubles
from pingpong.hints.complaints.troubles import Trouble
from pingpong.verdicts.verdict import Kind

PAGE = (ROOT / "docs/errors.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```text\n(.*?)^```$", PAGE, re.S | re.M)
QUOTED = [line for block in BLOCKS for line in block.splitlines()]
UNKNOWN = PAGE.split("## Words that say too little")[1].split("```\n")[1].splitlines()
TABLE = PAGE.split("## All verdicts")[1]
NAMES = {kind.name for kind in Kind}


@pytest.mark.parametrize("line", QUOTED)
def test_a_quoted_error_is_known(line: str) -> None:
    assert explain_text(line).complaints


@pytest.mark.parametrize("line", UNKNOWN)
def test_what_is_said_to_be_unknown_is(line: str) -> None:
    assert explain_text(line).is_empty


TROUBLES = {name: one for name, one in vars(troubles).items() if isinstance(one, Trouble)}
TOLD = {complaint.meaning for line in QUOTED for complaint in explain_text(line).complaints}


@pytest.mark.parametrize("name", TROUBLES)
def test_every_trouble_that_is_known_is_quoted(name: str) -> None:
    assert TROUBLES[name].meaning in TOLD


def test_the_table_of_wordings_is_of_today() -> None:
    """``python docs/wordings.py`` writes it."""
    space = runpy.run_path(str(ROOT / "docs/wordings.py"))
    assert space["page"]() == PAGE


def test_every_verdict_has_a_row() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", TABLE, re.M)
    assert rows == [kind.name for kind in Kind]


def test_every_section_names_verdicts_that_there_are() -> None:
    """Behind each block of errors, before the next."""
    parts = re.split(r"^```text\n.*?^```$", PAGE.split("## All verdicts")[0], flags=re.S | re.M)
    for part in parts[1:]:
        named = set(re.findall(r"`([A-Z_]{3,})`", part))
        assert named, part
        assert named <= NAMES, named - NAMES
