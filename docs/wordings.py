"""Writes into docs/errors.md how many words of which library are known to ``pingpong explain``.

python docs/wordings.py
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pingpong.hints.complaints.table import WORDINGS

PAGE: Final = Path(__file__).with_name("errors.md")
BEGIN: Final = "<!-- wordings -->\n"
END: Final = "<!-- end of wordings -->\n"


def table() -> str:
    """A row a language: its libraries, and how many wordings of each are known."""
    counts: dict[str, dict[str, int]] = {}
    for wording in WORDINGS:
        libraries = counts.setdefault(wording.language or "any", {})
        libraries[wording.library] = libraries.get(wording.library, 0) + 1
    rows = ["| language | wordings | of which |", "|---|---|---|"]
    for language, libraries in sorted(counts.items(), key=lambda row: -sum(row[1].values())):
        parts = ", ".join(f"{library} {count}" for library, count in libraries.items())
        rows.append(f"| {language} | {sum(libraries.values())} | {parts} |")
    rows.append(f"| all | {len(WORDINGS)} | |")
    return "\n".join(rows) + "\n"


def page() -> str:
    """The whole page, with the table of today."""
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    return f"{before}{BEGIN}\n{table()}\n{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
