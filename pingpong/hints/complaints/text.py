"""A line of a log → what its words mean, its numbers explained, its bytes dug out.

    Frame size (1213486160) larger than max length (16384000)!
    └ words: a framed reader ┘ └ the reader's limit, 15.6 MiB ┘
            └ number: "HTTP", taken for the length of a frame

Where the words of several rows overlap, the longest say most: "open() timed out" is about a
connection that did not come about, "timed out" alone is about anything.  Words of the operating
system add nothing to a line that a library's words explain, and are left out.

A number that the words do not name is explained if its bytes begin like something known; in a text
that is nothing but numbers, all of them are explained.

The texts are what people paste, so they may be anything: no pattern repeats a repetition, and at
most MAX_TEXT characters are looked at.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import Final, NamedTuple

from ..magic_numbers import (
    Certainty,
    NumberVerdict,
    Role,
    explain_bytes,
    explain_number,
    read_by,
)
from ..pasted import MAX_TEXT, blocks_in
from . import troubles
from .found import Complaint, TextVerdict
from .matching import RowMatch
from .table import Phrase, phrases
from .troubles import Trouble

__all__ = ["Complaint", "TextVerdict", "explain_text"]


# At most this many are listed.
_MAX_COMPLAINTS: Final = 8
_MAX_NUMBERS: Final = 20

# How often the words of one row are looked for: a log repeats itself.
_MAX_MATCHES: Final = 20

# A longer phrase is cut: it is there only to be recognised.
_MAX_PHRASE: Final = 160

# The kinds that say least, and add nothing to other words in their line: how a connection ended,
# that time was up, or that a server met an error.
_LEAST: Final = frozenset(
    {
        *(troubles.CLOSED, troubles.RESET, troubles.BROKEN_PIPE, troubles.NOT_OPEN),
        *(troubles.TIMEOUT, troubles.GAVE_UP, troubles.READ_TIMEOUT, troubles.REFUSED),
        *(troubles.SERVER_FAILED, troubles.CLIENT_GONE, troubles.NO_SERVER, troubles.HANDLER),
        *(
            troubles.ARGUMENTS,
            troubles.PROTOCOL_ERROR,
            troubles.INTERNAL_ERROR,
            troubles.SASL,
            troubles.BEGINNING,
        ),
        *(troubles.DEADLINE, troubles.STREAM_RESET, troubles.H2_FAILED, troubles.H2_ENDED),
    }
)
# The bare name of an exception: it counts only if the text has nothing else.
_NOTHING: Final = frozenset({troubles.TRANSPORT_ERROR, troubles.SAYS_NO})
_VAGUE: Final = frozenset({troubles.SERVER_FAILED, troubles.NOT_OPEN, troubles.NO_SERVER})

# In these words, a small number is how many bytes the reader wanted, whatever for.
_ASKED_FOR: Final = frozenset({troubles.WAITS_FOR, troubles.SHORT})


# How many bytes the decimal number in these placeholders is.
_SIZES: Final = {"byte": 1, "short": 2}


class _Match(NamedTuple):
    start: int
    stop: int
    phrase: Phrase
    found: RowMatch


# What Netty writes as the id of a channel ([id: 0x16030100]) is random.
_NUMBER: Final = re.compile(
    r"(?<![\w.:/-])(?<!\[id: )"
    r"(?:(?P<hex>-?0[xX][0-9A-Fa-f]{1,16})|(?P<number>-?[0-9]{1,20}))(?![\w:/-]|\.[0-9])"
)
_ONLY_NUMBERS: Final = re.compile(r"[\s,;]*\Z")
_GROUPED: Final = re.compile(r"-?[0-9]{1,3}(?:[,_'][0-9]{3}){1,6}\Z")
_DIGITS: Final = re.compile(r"(?:[0-9]{8}|[0-9]{4}|[0-9]{2} [0-9]{2}(?: [0-9]{2})?)\Z")

# What comes before a number that is a limit.
_LIMIT: Final = re.compile(
    r"(?:max|limit|allowed|exceeds|exceeded|larger than|greater than|bigger than|more than|at most|"
    r"up to|quota|threshold|capacity)[a-z_.\s:=(]*\Z"
)
# … or after it.
_LIMIT_BEHIND: Final = re.compile(r"\)? ?(?:-?bytes?|b)?,? ?(?:limit|max|allowed|exceeded|quota)")
_BEFORE: Final = 40


def explain_text(text: str) -> TextVerdict:
    """What a number, a line of a log or bytes in any layout mean, with no capture at all.

    The bytes are not decoded here: to decode them, use ``capture.decode``.
    """
    is_cut = len(text) > MAX_TEXT
    text = text[:MAX_TEXT].replace("\N{MINUS SIGN}", "-")
    blocks = blocks_in(text)
    lower = _lower(text)
    matches = _matches(lower)
    numbers = _named_numbers(lower, matches)
    if not blocks:
        numbers += _plain_numbers(text, matches, bool(numbers))
    numbers.sort(key=lambda item: item[0])
    verdicts = _once([verdict for _, verdict in numbers])[:_MAX_NUMBERS]
    if verdicts or blocks:
        matches = [match for match in matches if match.phrase.trouble not in _NOTHING]
    return TextVerdict(_complaints(text, matches), tuple(verdicts), blocks, is_cut)


def _lower(text: str) -> str:
    """The text in lower case, with each character in its place."""
    lower = text.lower()
    if len(lower) == len(text):
        return lower
    return "".join(low if len(low := char.lower()) == 1 else char for char in text)


# ── Words ────────────────────────────────────────────────────────────────────────────


def _matches(text: str) -> list[_Match]:
    """The known words in the text, in order; where some overlap, the longest."""
    found: list[_Match] = []
    for phrase in phrases():
        for match in islice(phrase.find(text), _MAX_MATCHES):
            if _stands_alone(text, match):
                found.append(_Match(match.start, match.stop, phrase, match))
    found.sort(key=lambda one: (one.start - one.stop, -one.phrase.literal, one.start))
    kept: list[_Match] = []
    taken = bytearray(len(text))
    for one in found:
        if taken.find(1, one.start, one.stop) < 0:
            taken[one.start : one.stop] = b"\1" * (one.stop - one.start)
            kept.append(one)
    kept.sort(key=lambda one: one.start)
    return kept


def _stands_alone(text: str, match: RowMatch) -> bool:
    """Whether the match is of whole words: "EPIPE" is not in "recEPIPEs"."""
    start, stop = match.start, match.stop
    before = text[start - 1 : start]
    after = text[stop : stop + 1]
    return not (before.isalnum() and text[start].isalnum()) and not (
        after.isalnum() and text[stop - 1].isalnum()
    )


def _complaints(text: str, matches: list[_Match]) -> tuple[Complaint, ...]:
    """Each kind of trouble once, where it is first mentioned."""
    found: dict[str, Complaint] = {}
    lines = _lines(text, matches)
    told: dict[int, set[Trouble]] = {}
    for line, match in zip(lines, matches, strict=True):
        told.setdefault(line, set()).add(match.phrase.trouble)
    says_more = any(match.phrase.trouble not in _NOTHING for match in matches)
    for line, match in zip(lines, matches, strict=True):
        trouble = match.phrase.trouble
        if says_more and trouble in _NOTHING:
            continue
        beside = told[line] - _NOTHING - {trouble}
        if trouble in _VAGUE and beside - _VAGUE:
            continue
        if trouble in _LEAST and beside - _LEAST:
            continue
        if trouble.meaning not in found:
            phrase = text[match.start : match.stop][:_MAX_PHRASE].strip()
            found[trouble.meaning] = Complaint(
                phrase, trouble.meaning, trouble.causes, trouble.look_at, match.phrase.source
            )
    return tuple(found.values())[:_MAX_COMPLAINTS]


def _lines(text: str, matches: list[_Match]) -> list[int]:
    """The number of the line that each match is in."""
    lines: list[int] = []
    line = at = 0
    for match in matches:
        line += text.count("\n", at, match.start)
        at = match.start
        lines.append(line)
    return lines


# ── Numbers ──────────────────────────────────────────────────────────────────────────


def _named_numbers(text: str, matches: list[_Match]) -> list[tuple[int, NumberVerdict]]:
    """The numbers that the words are about, and where they are."""
    numbers: list[tuple[int, NumberVerdict]] = []
    for match in matches:
        trouble = match.phrase.trouble
        for name, place, digits in match.found.numbers:
            if name == "number" and trouble in _ASKED_FOR and 0 <= int(digits) < 2**20:
                continue
            if (
                name in _SIZES
                and not -(256 ** _SIZES[name]) // 2 <= int(digits) < 256 ** _SIZES[name]
            ):
                continue  # no number of so few bytes
            before = text[max(0, match.start - _BEFORE) : place]
            verdict = read_by(_named(name, digits, trouble, before), match.phrase.side)
            if trouble.role is Role.BODY and name == "number" and not _is_known(verdict):
                continue  # an ordinary size, as the words say
            numbers.append((place, verdict))
    return numbers


def _named(name: str, digits: str, trouble: Trouble, before: str) -> NumberVerdict:
    """What stands for the placeholder ``name``; ``before`` is what the line says before it."""
    role = trouble.role
    if name == "limit":
        return explain_number(int(digits), Role.LIMIT)
    if name == "number":
        limit = role is Role.FRAME and _is_limit(int(digits), before)
        return explain_number(int(digits) - trouble.added, Role.LIMIT if limit else role)
    if name == "hex":
        return explain_number(int(digits, 16), role)
    if name in _SIZES:
        size = _SIZES[name]
        return explain_bytes((int(digits) % 256**size).to_bytes(size, "big"), role)
    if name == "bytes":
        return explain_bytes(bytes(int(one) & 255 for one in digits.split(",")), role)
    if name == "hexes":
        digits = "".join(f"{one:0>2}" for one in digits.split(","))
    return explain_bytes(bytes.fromhex(digits), role)


def _plain_numbers(
    text: str, matches: list[_Match], has_named: bool
) -> list[tuple[int, NumberVerdict]]:
    """The other numbers: all if the text has nothing else, or those that begin something known.

    ``has_named``: the words have already named their number.
    """
    stripped = text.strip()
    if _GROUPED.match(stripped):
        return [(0, explain_number(int(re.sub(r"[,_']", "", stripped))))]
    found = []
    others: list[str] = []
    in_hex: set[int] = set()
    at = 0
    for match in _NUMBER.finditer(text):
        others.append(text[at : match.start()])
        at = match.end()
        number = int(match["hex"], 16) if match["hex"] else int(match["number"])
        found.append((match.start(), number))
        if match["hex"]:
            in_hex.add(match.start())
        if len(found) > 1000:
            break
    others.append(text[at:])
    if found and all(_ONLY_NUMBERS.match(other) for other in others):
        verdicts = [(place, explain_number(number)) for place, number in found[:_MAX_NUMBERS]]
        return [*_as_hex(stripped), *verdicts]
    lower = _lower(text)
    numbers: list[tuple[int, NumberVerdict]] = []
    for place, number in found:
        if any(match.start <= place < match.stop for match in matches):
            continue
        before = lower[max(0, place - _BEFORE) : place]
        behind = lower[place + len(str(number)) : place + len(str(number)) + _BEFORE]
        # A small number is a count, unless it is written or named as something else.
        small = 0 <= number < 2**20 and place not in in_hex and "magic" not in before
        if _is_limit(number, before, behind):
            numbers.append((place, explain_number(number, Role.LIMIT)))
        elif not has_named and not small:
            verdict = explain_number(number)
            if _is_known(verdict):
                numbers.append((place, verdict))
    return numbers[:_MAX_NUMBERS]


def _is_limit(number: int, before: str, behind: str = "") -> bool:
    """Whether it is a round number, and the words around it call it a limit."""
    if number < 2**16 or (number % 1000 and number % 1024):
        return False
    return bool(_LIMIT.search(before)) or bool(_LIMIT_BEHIND.match(behind))


def _as_hex(text: str) -> list[tuple[int, NumberVerdict]]:
    """Digits that may mean more as hex than as decimal numbers: ``80010001``, ``82 21``, ``8221``.

    Four of them are a number first of all, unless they begin with a zero.
    """
    if not _DIGITS.match(text):
        return []
    verdict = explain_bytes(bytes.fromhex(text))
    is_hex = text.startswith("0")
    if not (_is_known(verdict) or (is_hex and verdict.readings)):
        return []
    return [(len(text) if len(text) == 4 and not is_hex else -1, verdict)]


def _is_known(verdict: NumberVerdict) -> bool:
    return bool(verdict.readings) and verdict.readings[0].certainty > Certainty.POSSIBLE


def _once(numbers: list[NumberVerdict]) -> list[NumberVerdict]:
    """Each number once for each thing that it was taken for."""
    seen: set[tuple[bytes, int, Role]] = set()
    kept: list[NumberVerdict] = []
    for verdict in numbers:
        key = (verdict.data, verdict.number, verdict.role)
        if key not in seen:
            seen.add(key)
            kept.append(verdict)
    return kept
