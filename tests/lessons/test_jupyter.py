"""The command line that opens JupyterLab.  tests/lessons/test_browser.py runs it."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import webbrowser
from pathlib import Path

import pytest

from pingpong.errors import LiveError
from pingpong.live import jupyter


def started(
    monkeypatch: pytest.MonkeyPatch, lesson: Path, browser: bool | None, user: int
) -> list[str]:
    """The command that would run for that user."""
    ran: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda path, command: ran.append(command))
    monkeypatch.setattr(subprocess, "call", lambda command: 0)
    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "1")
    jupyter.run_lab(lesson.parent, lesson.name, browser)
    return ran[0]


@pytest.fixture
def lesson(tmp_path: Path) -> Path:
    path = tmp_path / "01-a lesson.ipynb"
    path.write_text("{}")
    return path


def test_it_listens_on_this_machine_only(monkeypatch: pytest.MonkeyPatch, lesson: Path) -> None:
    command = started(monkeypatch, lesson, True, user=1000)
    assert command[:4] == [sys.executable, "-m", "jupyter", "lab"]
    assert [part for part in command if part.startswith("--ip")] == ["--ip=127.0.0.1"]
    assert "--LabApp.default_url=/lab/tree/01-a%20lesson.ipynb" in command


@pytest.mark.parametrize(("user", "allowed"), [(0, True), (1000, False)])
def test_root_is_allowed(
    monkeypatch: pytest.MonkeyPatch, lesson: Path, user: int, allowed: bool
) -> None:
    assert ("--allow-root" in started(monkeypatch, lesson, True, user)) == allowed


@pytest.mark.parametrize(
    ("browser", "platform", "display", "opens"),
    [
        (True, "linux", "", True),
        (False, "linux", ":0", False),
        (None, "linux", ":0", True),
        (None, "linux", "", False),
        (None, "darwin", "", True),
    ],
)
def test_a_browser_opens_where_it_can(
    monkeypatch: pytest.MonkeyPatch,
    lesson: Path,
    browser: bool | None,
    platform: str,
    display: str,
    opens: bool,
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setenv("DISPLAY", display)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr(webbrowser, "get", lambda: object())
    assert ("--no-browser" not in started(monkeypatch, lesson, browser, 1000)) == opens


def test_no_browser_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> None:
        raise webbrowser.Error("could not locate runnable browser")

    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(webbrowser, "get", none)
    assert not jupyter.can_open_browser()


def test_without_jupyterlab_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, lesson: Path
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(LiveError, match=r"pip install 'pingpong\[lab\]'"):
        jupyter.run_lab(lesson.parent, lesson.name)


def test_without_the_lesson_it_says_where_lessons_are(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    with pytest.raises(LiveError, match=r"no lesson .*01\.ipynb"):
        jupyter.run_lab(tmp_path, "01.ipynb")
