"""Lessons in JupyterLab in a real browser, for the tests and by hand:

    python tests/kit/browser.py notebooks/03-every-byte.ipynb picture.png [--dark]

runs every cell and takes a picture of the last output.

    python tests/kit/browser.py --look build/look [notebooks/03-every-byte.ipynb ...]

runs every cell of all lessons (of these) and takes pictures from top to bottom, light and dark:
``make look``.  It exits with 1 if a cell failed.

JupyterLab starts as ``pingpong lab`` starts it, with a home of its own, so that neither its
settings nor its open windows are the user's.  Nothing sleeps: the server is up when it has
printed its address, a cell is done when it shows its number.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import quote

from places import ROOT
from playwright.sync_api import Browser, Page, sync_playwright

LESSONS = ROOT / "notebooks"
PATIENCE = 120  # seconds for anything that is waited for
PICTURE = 1600  # pixels from top to bottom of a picture of a part of a lesson
OVERLAP = 60  # pixels that it shares with the next one
SERVE = """
import sys
from pathlib import Path
from pingpong.live.jupyter import run_lab
sys.exit(run_lab(Path(sys.argv[1]), sys.argv[2], browser=False))
"""
FLAGS = [
    "--no-sandbox",  # which root needs
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass(frozen=True)
class Cell:
    """A code cell after it ran: its number, and what it wrote to stderr: an error too."""

    count: int | None
    error: str


def find_chromium() -> str | None:
    """Where the browser is; None if this machine has none."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    return None


@dataclass(frozen=True)
class Lab:
    """A JupyterLab and a browser."""

    browser: Browser
    address: str  # of the lesson that it was started on

    def open(self, lesson: str) -> Page:
        """A lesson of that name, not yet run, in a window and a workspace of its own."""
        page = self.browser.new_page(viewport={"width": 1280, "height": 960})
        page.set_default_timeout(PATIENCE * 1000)
        workspace = f"/lab/workspaces/{Path(lesson).stem}/tree/{quote(lesson)}"
        page.goto(re.sub(r"/lab/tree/[^?]+", workspace, self.address))
        page.locator(".jp-NotebookPanel .jp-CodeCell").first.wait_for()
        return page


@contextmanager
def open_lab(lesson: Path, *, dark: bool = False) -> Iterator[Lab]:
    """JupyterLab on the lesson's folder.  Everything is stopped on the way out."""
    with (
        tempfile.TemporaryDirectory() as home,
        jupyterlab(lesson, Path(home), dark) as address,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        yield Lab(browser, address)
        browser.close()


@contextmanager
def open_lesson(lesson: Path, *, dark: bool = False) -> Iterator[Page]:
    """The lesson in JupyterLab, not yet run.  Everything is stopped on the way out."""
    with open_lab(lesson, dark=dark) as lab:
        yield lab.open(lesson.name)


@contextmanager
def jupyterlab(lesson: Path, home: Path, dark: bool) -> Iterator[str]:
    """The address of a JupyterLab on the lesson."""
    settings = home / "settings"
    write_settings(settings, dark)
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("JUPYTER", "IPYTHON", "XDG_"))
    }
    environment |= {"HOME": str(home), "JUPYTERLAB_SETTINGS_DIR": str(settings)}
    server = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(lesson.parent), lesson.name],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert server.stderr is not None
    lines: queue.Queue[str] = queue.Queue()
    # The reader goes on after the address was found: a full pipe would stop the server.
    reader = threading.Thread(target=read_lines, args=(server.stderr, lines))
    reader.start()
    try:
        yield wait_for_address(lines)
    finally:
        server.terminate()
        server.wait(PATIENCE)
        reader.join()
        server.stderr.close()


def read_lines(stream: IO[str], lines: queue.Queue[str]) -> None:
    for line in stream:
        lines.put(line)
    lines.put("")  # the end


def wait_for_address(lines: queue.Queue[str]) -> str:
    seen = []
    while line := lines.get(timeout=PATIENCE):
        if found := re.search(r"http://127\.0\.0\.1:\d+/lab/tree/\S+", line):
            return found[0]
        seen.append(line)
    raise RuntimeError("JupyterLab ended before it gave an address:\n" + "".join(seen))


def write_settings(folder: Path, dark: bool) -> None:
    """No question about news, nothing saved, the wanted theme, every cell in the page at once."""
    chosen = {
        "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
        "docmanager-extension/plugin": {"autosave": False},
        "apputils-extension/themes": {"theme": "JupyterLab Dark" if dark else "JupyterLab Light"},
        "notebook-extension/tracker": {"windowingMode": "none"},
    }
    for name, values in chosen.items():
        path = folder / f"@jupyterlab/{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values), encoding="utf-8")


def run_all(page: Page) -> list[Cell]:
    """Clear every output, run every cell and wait until none is left to run.

    Cells behind one that failed do not run and have no number.
    """
    # The toolbar's circle looks idle before there is a kernel; the status bar tells the truth.
    page.locator("#jp-main-statusbar").get_by_text("| Idle").wait_for()
    choose(page, "Edit", "Clear Outputs of All Cells")
    choose(page, "Run", "Run All Cells")
    page.wait_for_function(f"""() => {{
        const numbers = ({CELLS})().map(cell => cell[0]);
        const indicator = document.querySelector("{INDICATOR}");
        return numbers.some(text => /[0-9]/.test(text)) && !numbers.some(text => /[*]/.test(text))
            && indicator.dataset.status == "idle";
    }}""")
    return [
        Cell(int(digits[0]) if (digits := re.search("[0-9]+", prompt)) else None, error)
        for prompt, error in page.evaluate(CELLS)
    ]


def meant_to_fail(lesson: Path) -> set[int]:
    """The numbers of the code cells that have the tag for it."""
    cells = json.loads(lesson.read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code" and "".join(cell["source"])]
    return {
        number for number, cell in enumerate(code, 1)
        if "raises-exception" in cell["metadata"].get("tags", [])
    }  # fmt: skip


def failures(cells: list[Cell], lesson: Path) -> list[str]:
    """What is wrong with how they ran, a line each: an error that is not meant, or a cell that
    did not run."""
    found = []
    meant = meant_to_fail(lesson)
    for number, cell in enumerate(cells, 1):
        if cell.error and number not in meant:
            found.append(f"cell {number}: {cell.error.strip().splitlines()[-1]}")
        elif cell.count is None:
            found.append(f"cell {number}: did not run")
        elif cell.count != number:
            found.append(f"cell {number}: has the number {cell.count}")
    return found


def shut_down(page: Page) -> None:
    """End the kernel, and close the window."""
    choose(page, "Kernel", "Shut Down Kernel")
    page.locator("#jp-main-statusbar").get_by_text("No Kernel").wait_for()
    page.close()


def take_pictures(page: Page, name: str, folder: Path) -> int:
    """The lesson from top to bottom in ``folder / name-1.png``, -2 …; how many there are."""
    page.set_viewport_size({"width": 1280, "height": PICTURE})
    scroller = page.locator(".jp-NotebookPanel .jp-WindowedPanel-outer")
    panel = page.locator(".jp-NotebookPanel")
    bottom = scroller.evaluate(BOTTOM)
    number = top = 0
    while top < bottom:
        scroller.evaluate("(element, top) => element.scrollTop = top", top)
        number += 1
        panel.screenshot(path=folder / f"{name}-{number}.png")
        top += scroller.evaluate("element => element.clientHeight") - OVERLAP
    return number


def look(lessons: list[Path], folder: Path) -> int:
    """Run the lessons and take their pictures, light and dark; how many did not run well."""
    folder.mkdir(parents=True, exist_ok=True)
    bad = 0
    for dark in (False, True):
        with open_lab(lessons[0], dark=dark) as lab:
            for lesson in lessons:
                page = lab.open(lesson.name)
                wrong = failures(run_all(page), lesson)
                name = f"{lesson.stem}-{'dark' if dark else 'light'}"
                count = take_pictures(page, name, folder)
                print(f"{folder / name}-1 to -{count}.png", *wrong, sep="\n  ", flush=True)
                bad += bool(wrong)
                shut_down(page)
    return bad


def choose(page: Page, menu: str, item: str) -> None:
    page.get_by_role("menuitem", name=menu, exact=True).click()
    page.get_by_role("menuitem", name=item, exact=True).click()


INDICATOR = ".jp-NotebookPanel .jp-Notebook-ExecutionIndicator"
# Where the last cell ends, from the top of the first: JupyterLab lets one scroll beyond.
BOTTOM = """scroller => [...scroller.querySelectorAll(".jp-Cell")].pop()
    .getBoundingClientRect().bottom - scroller.getBoundingClientRect().top + scroller.scrollTop"""
# For each code cell that is not empty its prompt, "[3]:", and what stands on stderr, where
# JupyterLab shows an error too.
CELLS = """() => [...document.querySelectorAll(".jp-NotebookPanel .jp-CodeCell")]
    .filter(cell => cell.querySelector(".cm-content").innerText.trim())
    .map(cell => [
        cell.querySelector(".jp-InputPrompt").innerText,
        [...cell.querySelectorAll("[data-mime-type='application/vnd.jupyter.stderr']")]
            .map(output => output.innerText).join(""),
    ])"""


def main() -> int:
    parser = argparse.ArgumentParser(description="Run lessons and take their pictures.")
    parser.add_argument("--look", type=Path, metavar="FOLDER", help="all of them, all of each")
    parser.add_argument("--dark", action="store_true", help="JupyterLab's dark theme")
    parser.add_argument("--select", default=".jp-OutputArea-output", help="CSS; the last match")
    parser.add_argument("what", nargs="*", type=Path, help="a lesson and its picture; or lessons")
    wanted = parser.parse_args()
    what = [path.resolve() for path in wanted.what]
    if wanted.look is not None:
        return min(1, look(what or sorted(LESSONS.glob("*.ipynb")), wanted.look))
    if len(what) != 2:
        parser.error("want a lesson and its picture, or --look FOLDER")
    with open_lesson(what[0], dark=wanted.dark) as page:
        for number, cell in enumerate(run_all(page), 1):
            print(f"cell {number}: [{cell.count}] {cell.error}".rstrip())
        page.locator(wanted.select).last.screenshot(path=what[1], timeout=10_000)
    return 0


if __name__ == "__main__":
    sys.exit(main())
