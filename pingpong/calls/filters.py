"""Which exchanges are asked for: by method, outcome, how long it took, and values.

get*                   a method, with its service before it or without
late,closed-by-server  outcomes; "failed" and "unclear" are several
1=root                 a value: a path through fields, "=", and what is to stand there
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fnmatch import translate
from typing import Final

from ..model import Entries, Exchange, Field, Items, Outcome, Struct, Value
from .exchanges import bare_method

__all__ = ["OUTCOME_NAMES", "Condition", "Wanted", "condition", "outcomes"]

# The outcomes as one writes them, and what stands for several.
OUTCOME_NAMES: Final = {outcome.name.lower().replace("_", "-"): [outcome] for outcome in Outcome}
OUTCOME_NAMES["failed"] = [outcome for outcome in Outcome if outcome.failed]
OUTCOME_NAMES["unclear"] = [outcome for outcome in Outcome if outcome.unclear]

# How many methods' names are remembered.
_MAX_KNOWN: Final = 4096


def outcomes(text: str) -> list[Outcome]:
    """``late,closed-by-server``, ``failed``: the outcomes of those names.  Raises ValueError for
    a name that is none.

    >>> outcomes("success")
    [<Outcome.SUCCESS: 0>]
    """
    found: list[Outcome] = []
    for name in text.lower().replace("_", "-").split(","):
        if name not in OUTCOME_NAMES:
            raise ValueError(f'"{name}" is no outcome, want one of {", ".join(OUTCOME_NAMES)}')
        found += OUTCOME_NAMES[name]
    return found


class Condition:
    """A value that an exchange has to have: ``path`` leads to it through fields, by their ids or
    names, in the call or (``of_reply``) in the reply; lists and maps on the way are all looked
    into."""

    __slots__ = ("of_reply", "path", "wanted")

    def __init__(self, path: tuple[str, ...], wanted: str, of_reply: bool) -> None:
        self.path = path
        self.wanted = re.compile(translate(wanted))
        self.of_reply = of_reply

    def holds(self, exchange: Exchange) -> bool:
        message = exchange.reply if self.of_reply else exchange.call
        if message is None:
            return False
        path = self.path
        if len(path) > 1 and path[0] == bare_method(exchange.method):
            path = path[1:]
        was_read = message.is_read
        held = self._in_fields(message.body.fields, path)
        if not was_read:
            message.forget()
        return held

    def _in_fields(self, fields: tuple[Field, ...], path: tuple[str, ...]) -> bool:
        for field in fields:
            if path[0] in (str(field.field_id), field.name) and self._in_value(
                field.value, path[1:]
            ):
                return True
        return False

    def _in_value(self, value: Value, path: tuple[str, ...]) -> bool:
        content = value.content
        if isinstance(content, Struct):
            return bool(path) and self._in_fields(content.fields, path)
        if isinstance(content, Items):
            return any(self._in_value(item, path) for item in content.items)
        if isinstance(content, Entries):
            return any(
                self._in_value(key, path) or self._in_value(one, path) for key, one in content.items
            )
        if path or value.redacted:
            return False
        # An enum's number, or what the IDL calls it.
        return bool(
            self.wanted.match(_words(value)) or (value.label and self.wanted.match(value.label))
        )


def _words(value: Value) -> str:
    """A value as it is written in a condition."""
    content = value.content
    if isinstance(content, bool):
        return "true" if content else "false"
    if isinstance(content, bytes):
        text = value.text
        return content.hex() if text is None else text
    return "" if content is None else str(content)


def condition(text: str) -> Condition:
    """``1=root``, ``login.username=root``, ``user.1.name=r*``, ``reply.0=pong``: a path through
    fields (with the method before it, or not), "=", and what is to stand there, where "*" and "?"
    stand for anything.  Raises ValueError for text that is none."""
    path, equals, wanted = text.partition("=")
    steps = tuple(path.split("."))
    of_reply = len(steps) > 1 and steps[0] == "reply"
    steps = steps[1:] if of_reply else steps
    if not equals or not all(steps):
        raise ValueError(f'"{text}" is no condition, want FIELD=VALUE')
    return Condition(steps, wanted, of_reply)


class Wanted:
    """Which exchanges are asked for; all of what is given has to be true.

    ``methods`` are patterns with "*" and "?", against the name with its service or without;
    ``slower``: waited longer than so many nanoseconds, for a reply or in vain.
    """

    def __init__(
        self,
        methods: Sequence[str] = (),
        outcomes: Iterable[Outcome] = (),
        slower: int | None = None,
        where: Sequence[Condition] = (),
    ) -> None:
        self._patterns = [re.compile(translate(pattern)) for pattern in methods]
        self._known: dict[str, bool] = {}
        self._outcomes = frozenset(outcomes)
        self._slower = slower
        self._where = list(where)
        self.is_all = not (self._patterns or self._outcomes or self._where or slower is not None)

    def has(self, exchange: Exchange) -> bool:
        if self._patterns and not self._named(exchange.method):
            return False
        if self._outcomes and exchange.outcome not in self._outcomes:
            return False
        if self._slower is not None:
            waited = exchange.waited
            if waited is None or waited <= self._slower:
                return False
        return all(one.holds(exchange) for one in self._where)

    def of(self, exchanges: Sequence[Exchange]) -> list[Exchange]:
        return [one for one in exchanges if self.is_all or self.has(one)]

    def _named(self, method: str) -> bool:
        known = self._known.get(method)
        if known is None:
            names = (method, bare_method(method))
            known = any(one.match(name) for one in self._patterns for name in names)
            if len(self._known) < _MAX_KNOWN:
                self._known[method] = known
        return known
