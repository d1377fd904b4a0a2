"""JupyterLab on a lesson, for somebody who typed one command.

It listens on 127.0.0.1 only.  Where no browser can open (in a container, over ssh, as root on a
server), the address is printed instead.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import webbrowser
from pathlib import Path
from urllib.parse import quote

from pingpong.errors import LiveError

__all__ = ["run_lab"]


def run_lab(notebooks: Path, first: str, browser: bool | None = None) -> int:
    """Run JupyterLab on ``notebooks / first`` until it is stopped; its exit code.

    ``browser`` says whether to open one; None opens one where that can work.  On Linux and macOS
    this process becomes JupyterLab, and the function does not return.  Raises LiveError if
    JupyterLab is not installed or there is no such lesson.
    """
    if importlib.util.find_spec("jupyterlab") is None:
        raise LiveError(
            f"JupyterLab is not installed for {sys.executable}",
            "Install it with: pip install 'pingpong[lab]'",
        )
    lesson = notebooks / first
    if not lesson.is_file():
        raise LiveError(
            f"there is no lesson {lesson}",
            "The lessons are in the folder 'notebooks' of a checkout of pingpong",
        )
    command = lab_command(lesson, can_open_browser() if browser is None else browser)
    print(f"JupyterLab opens {lesson}. Press Ctrl-C twice to stop it.", flush=True)
    # Of two kernels named python3, use this environment's, not one in the home folder.
    os.environ.setdefault("JUPYTER_PREFER_ENV_PATH", "1")
    if os.name != "nt":  # on Windows, exec would start a second process and end this one
        os.execv(command[0], command)
    return subprocess.call(command)


def lab_command(lesson: Path, browser: bool) -> list[str]:
    """The command line for JupyterLab, which then prints the lesson's address and little else."""
    command = [
        *(sys.executable, "-m", "jupyter", "lab"),
        "--ip=127.0.0.1",
        "--log-level=WARN",
        f"--ServerApp.root_dir={lesson.resolve().parent}",
        f"--LabApp.default_url=/lab/tree/{quote(lesson.name)}",
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")  # otherwise it refuses to start as root
    if not browser:
        command.append("--no-browser")
    return command


def can_open_browser() -> bool:
    """Whether a browser would open in a window: a text browser would take over the terminal."""
    if sys.platform.startswith("linux") and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        return False
    try:
        webbrowser.get()
    except webbrowser.Error:
        return False
    return True
