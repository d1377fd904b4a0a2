"""A diagnosis: what is wrong, why one can say so, and what to change.

    error: unframed client, framed server
      The client speaks unframed binary; the server reset the connection 0.2 ms after …
      seen            the client's first bytes are 80 01 00 01 …: a strict binary CALL
                      …
      what to change  Use TFramedTransportFactory … in the client.
      where           connection 3; the same for 411 more: 4, 5, 6, …

``exact`` has the times and the addresses, which differ from run to run.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from ..model import Severity
from ..protocols.purposes import counted
from ..verdicts.verdict import Diagnosis, Group, Kind
from .text import WORDS, Line, Run, escape, pad, wrap, wrapped

__all__ = [
    "MAX_GROUPS",
    "diagnosis_lines",
    "diagnosis_rows",
    "head",
    "more",
    "rows",
    "sentence",
    "summary",
]

# How many groups a view shows, and how many numbers of connections of each.
MAX_GROUPS: Final = 40
_FLOWS: Final = 8

_LABELS: Final = 16
_INDENT: Final = 2
_STYLES: Final = {Severity.NOTE: "dim", Severity.WARNING: "warning", Severity.ERROR: "error"}
_WORDS: Final = {Severity.NOTE: "", Severity.WARNING: "warning", Severity.ERROR: "error"}


def diagnosis_lines(
    diagnosis: Diagnosis, *, exact: bool = False, limit: int | None = MAX_GROUPS, width: int = 100
) -> list[Line]:
    """The verdicts, the most telling first, and how many connections they are on: in ``width``
    columns, of which it needs 38."""
    lines: list[Line] = []
    for group in diagnosis.groups[:limit]:
        lines += [*_group(group, exact, width), []]
    left_out = more(diagnosis, len(diagnosis.groups[:limit]))
    if left_out:
        lines += [*wrapped(left_out, width, "dim"), []]
    return lines + wrapped(summary(diagnosis), width, "dim")


def diagnosis_rows(diagnosis: Diagnosis) -> Iterator[str]:
    """A JSON object a verdict."""
    for group in diagnosis.groups:
        verdict = group.verdict
        proxied = {} if verdict.proxied is None else {"proxied": str(verdict.proxied)}
        row = json.dumps(
            {
                "kind": verdict.kind.name.lower(),
                "severity": verdict.severity.name.lower(),
                "sentence": verdict.sentence,
                "evidence": list(verdict.evidence),
                "advice": verdict.advice,
                "client": str(verdict.client),
                "server": str(verdict.server),
                **proxied,
                "connections": group.connections,
                "flows": list(group.flows),
            },
            ensure_ascii=False,
        )
        # What a terminal would obey is written as an escape; a reader gives it back as it was.
        yield "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in row)


def head(group: Group) -> list[Run]:
    """What a verdict is about: ``error: connection refused``."""
    verdict = group.verdict
    style = "good" if verdict.kind is Kind.ALL_WELL else _STYLES[verdict.severity]
    word = _WORDS[verdict.severity]
    return [Run(f"{word}: {verdict.kind.value}" if word else verdict.kind.value, style)]


def rows(group: Group, exact: bool) -> list[tuple[str, str, str]]:
    """What is said besides the sentence: a label ("" as the one above), the text, its style."""
    verdict = group.verdict
    said = [("" if at else "seen", escape(one), "") for at, one in enumerate(verdict.evidence)]
    if verdict.advice:
        said.append(("what to change", escape(verdict.advice), "good"))
    return [*said, ("where", _where(group, exact), "dim")]


def sentence(group: Group, exact: bool) -> str:
    return escape(group.verdict.sentence if exact else group.verdict.plainly)


def summary(diagnosis: Diagnosis) -> str:
    return f"{counted(diagnosis.connections, 'connection')}, {counted(diagnosis.calls, 'call')}"


def more(diagnosis: Diagnosis, shown: int) -> str:
    """That some verdicts are left out; "" if none is."""
    left = len(diagnosis) - shown
    return f"… {counted(left, 'more verdict')}, not shown" if left else ""


def _group(group: Group, exact: bool, width: int) -> list[Line]:
    lines: list[Line] = [
        line for run in head(group) for line in wrapped(run.text, width, run.style)
    ]
    for piece in wrap(sentence(group, exact), max(width - _INDENT, WORDS)):
        lines.append([Run(" " * _INDENT), Run(piece, "title")])
    room = max(width - _INDENT - _LABELS, WORDS)
    for label, text, style in rows(group, exact):
        for at, piece in enumerate(wrap(text, room)):
            shown = pad("" if at else label, _LABELS)
            lines.append([Run(" " * _INDENT + shown, "head"), Run(piece, style)])
    return lines


def _where(group: Group, exact: bool) -> str:
    """The first connection, and the numbers of some others."""
    first, *rest = group.flows
    ends = f", {group.verdict.client} → {group.verdict.server}" if exact else ""
    if exact and group.verdict.proxied is not None:
        ends += f" for {group.verdict.proxied} (PROXY header)"
    text = f"connection {first}{ends}"
    if group.connections > 1:
        numbers = ", ".join(map(str, rest[:_FLOWS]))
        more = ", …" if group.connections - 1 > len(rest[:_FLOWS]) else ""
        text += f"; the same for {group.connections - 1} more: {numbers}{more}"
    return text
