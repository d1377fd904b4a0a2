"""Choosing exchanges: by method, by outcome, by how long they took, and by values.

get*                   a method, with or without its service before it
late,closed-by-server  outcomes; "failed" and "unclear" stand for several
1=root                 a value: a path through fields, "=", and what it has to be
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fnmatch import translate
from typing import Final

from ..model import Entries, Exchange, Field, Items, Outcome, Struct, Value
from .exchanges import bare_method

__all__ = ["OUTCOME_NAMES", "Condition", "Filter", "condition", "outcomes"]

# The outcomes by the names that a user writes; some names stand for several.
OUTCOME_NAMES: Final = {outcome.name.lower().replace("_", "-"): [outcome] for outcome in Outcome}
OUTCOME_NAMES["failed"] = [outcome for outcome in Outcome if outcome.failed]
OUTCOME_NAMES["unclear"] = [outcome for outcome in Outcome if outcome.unclear]

# For how many methods it is remembered whether the patterns match.
_MAX_KNOWN: Final = 4096


def outcomes(text: str) -> list[Outcome]:
    """The outcomes that a text names, as ``late,closed-by-server`` or ``failed`` does.

    Raises ValueError for a name that is not an outcome.

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
    """A value that an exchange has to have.

    ``path`` leads to it through fields, by their ids or names, in the call or (``of_reply``) in
    the reply.  Lists, sets and maps on the way are searched completely.
    """

    __slots__ = ("of_reply", "path", "wanted")

    def __init__(self, path: tuple[str, ...], wanted: str, of_reply: bool) -> None:
        self.path = path
        self.wanted = re.compile(translate(wanted))
        self.of_reply = of_reply

    def holds(self, exchange: Exchange) -> bool:
        """Whether the exchange has such a value; False if the message was not captured."""
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
    """A value as a user writes it in a condition."""
    content = value.content
    if isinstance(content, bool):
        return "true" if content else "false"
    if isinstance(content, bytes):
        text = value.text
        return content.hex() if text is None else text
    return "" if content is None else str(content)


def condition(text: str) -> Condition:
    """The Condition that a text describes: a path through fields, "=", and what has to be there.

    Examples are ``1=root``, ``login.username=root``, ``user.1.name=r*`` and ``reply.0=pong``.  The
    path may begin with the method; in the value "*" and "?" match anything.  Raises ValueError for
    a text that is not a condition.
    """
    path, equals, wanted = text.partition("=")
    steps = tuple(path.split("."))
    of_reply = len(steps) > 1 and steps[0] == "reply"
    steps = steps[1:] if of_reply else steps
    if not equals or not all(steps):
        raise ValueError(f'"{text}" is no condition, want FIELD=VALUE')
    return Condition(steps, wanted, of_reply)


class Filter:
    """Chooses exchanges: everything that is given has to be true of them.

    ``methods`` are patterns with "*" and "?"; one of them has to match the name, with or without
    its service.  ``outcomes``: one of these.  ``slower``: the client waited longer than that many
    nanoseconds, for a reply or in vain.  ``where``: all of these conditions hold.  ``is_all``:
    nothing was given, so every exchange is chosen.
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
        """Whether this exchange is chosen; its fields are read only if a condition asks for it."""
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
        """The chosen ones among ``exchanges``, in the same order."""
        return [one for one in exchanges if self.is_all or self.has(one)]

    def _named(self, method: str) -> bool:
        known = self._known.get(method)
        if known is None:
            names = (method, bare_method(method))
            known = any(one.match(name) for one in self._patterns for name in names)
            if len(self._known) < _MAX_KNOWN:
                self._known[method] = known
        return known
