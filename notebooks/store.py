"""Run lessons and store their outputs: the same bytes on every run.

    python notebooks/store.py                 all lessons
    python notebooks/store.py FILE.ipynb ...  these

Times, ids, widget state and tracebacks differ from run to run or from machine to machine,
so none of them is stored.  A cell that fails without the tag ``raises-exception`` ends the
run, and the file stays as it was.  What a cell with the tag ``measured`` shows is a matter of the
machine: it runs, and nothing of it is stored.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).resolve().parent
WIDGET = "application/vnd.jupyter.widget-view+json"


def run(path: Path) -> dict[str, Any]:
    """The notebook with fresh outputs.  Its folder is the working folder, as in JupyterLab."""
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=60,
        kernel_name="python3",
        record_timing=False,
        store_widget_state=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(path.resolve().parent)}},
    )
    done: dict[str, Any] = client.execute()
    return done


def tidy(notebook: dict[str, Any]) -> None:
    """Drop everything that says when, where or by whom it was run."""
    notebook["nbformat"], notebook["nbformat_minor"] = 4, 5
    notebook["metadata"] = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for number, cell in enumerate(notebook["cells"], 1):
        cell["id"] = f"cell-{number}"
        tags = cell["metadata"].get("tags")
        cell["metadata"] = {"tags": tags} if tags else {}
        if "measured" in (tags or ()):
            cell["outputs"] = []
        for output in cell.get("outputs", []):
            tidy_output(output)


def tidy_output(output: dict[str, Any]) -> None:
    if output["output_type"] == "error":
        # A traceback names this machine's folders.  What it ends with is what a reader needs.
        output["traceback"] = [f"{output['ename']}: {output['evalue']}"]
    if "data" in output:
        output["metadata"] = {}
        output["data"].pop(WIDGET, None)


def store(path: Path) -> None:
    notebook = run(path)
    tidy(notebook)
    nbformat.write(nbformat.from_dict(notebook), path)


if __name__ == "__main__":
    for path in [Path(name) for name in sys.argv[1:]] or sorted(HERE.glob("*.ipynb")):
        print(path)
        store(path)
