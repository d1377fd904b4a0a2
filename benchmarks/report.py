"""Turns runs into a report: plain text for a terminal, or Markdown.

    pingpong messages : tshark -T fields    1 : 3.1     it takes a third of what tshark takes
    pingpong messages : tshark              1.7 : 1     it takes 1.7 times as much

Every figure is the median of its runs.  A peak of memory that is no higher than that of a program
that does nothing is shown as "under" that, and has no ratio.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from measure import Run, median

# The runs of each command, by its name.
Results = dict[str, list[Run]]


def grouped(number: int) -> str:
    """12345678 → 12 345 678"""
    return f"{number:,}".replace(",", " ")


def seconds(runs: Sequence[Run], times: int) -> tuple[str, str]:
    """The median of the CPU seconds ``times`` so many, and their range."""
    values = sorted(each.cpu * times for each in runs)
    digits = 0 if values[-1] >= 100 else 1 if values[-1] >= 10 else 2
    return f"{median(values):.{digits}f}", f"{values[0]:.{digits}f}–{values[-1]:.{digits}f}"


def rate(things: int, runs: Sequence[Run]) -> str:
    """How many in a CPU second, to three digits."""
    cpu = median(each.cpu for each in runs)
    return grouped(int(float(f"{things / cpu:.3g}"))) if cpu else "–"


def ratio(own: float, peer: float) -> str:
    """
    >>> ratio(1, 3.14159), ratio(25, 2)
    ('1 : 3.1', '12 : 1')
    """
    if not own or not peer:
        return "–"
    more = max(own, peer) / min(own, peer)
    text = f"{more:.1f}" if more < 10 else f"{more:.0f}"
    return f"1 : {text}" if own <= peer else f"{text} : 1"


class Page:
    """The report, as plain text or as Markdown."""

    def __init__(self, markdown: bool, least: int) -> None:
        self._markdown = markdown
        self._least = least

    def _print(self, text: str) -> None:
        print(text, flush=True)

    def heading(self, text: str) -> None:
        self._print(f"## {text}\n" if self._markdown else f"── {text} {'─' * (88 - len(text))}\n")

    def text(self, text: str) -> None:
        # In Markdown a line break would be a space.
        self._print(text.replace("\n", "  \n" if self._markdown else "\n") + "\n")

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """The first column is text, the others are numbers."""
        widths = [max(len(row[at]) for row in (head, *rows)) for at in range(len(head))]

        def line(row: Sequence[str]) -> str:
            first, *others = zip(row, widths, strict=True)
            cells = [first[0].ljust(first[1]), *(text.rjust(width) for text, width in others)]
            return f"| {' | '.join(cells)} |" if self._markdown else "  ".join(cells).rstrip()

        if self._markdown:
            rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
            under = f"| {' | '.join(rule)} |"
        else:
            under = "─" * (sum(widths) + 2 * len(widths) - 2)
        self._print("\n".join([line(head), under, *map(line, rows), ""]))

    def memory(self, runs: Sequence[Run]) -> str:
        """The peak of the median run."""
        if not self._peak(runs):
            return f"under {self._least / 1e6:.0f} MB"
        return f"{self._peak(runs) / 1e6:.0f} MB"

    def _peak(self, runs: Sequence[Run]) -> float:
        """0: less than can be measured."""
        most = median(each.memory for each in runs)
        return most if most > self._least * 1.02 else 0.0

    def ratios(
        self, titles: Mapping[str, str], pairs: Sequence[tuple[str, str]], results: Results
    ) -> None:
        """What each command costs against its peers, where both were run."""
        rows = []
        for own, peer in pairs:
            if not results.get(own) or not results.get(peer):
                continue
            runs, others = results[own], results[peer]
            cpu = ratio(median(each.cpu for each in runs), median(each.cpu for each in others))
            memory = ratio(self._peak(runs), self._peak(others))
            rows.append((f"{titles[own]} : {titles[peer]}", cpu, memory))
        if rows:
            self.table(("pingpong : peer", "CPU", "memory"), rows)
