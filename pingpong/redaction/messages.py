"""Masked values in a message, lengths unchanged: what ``--redact`` and ``pingpong redact`` do.

    00 00 00 03  70 77 64        2: "pwd"              before
    00 00 00 03  78 78 78        2: (redacted, 3 bytes)  after; every other byte is as it was

A mask is as long as what it covers and may take its place: the message's protocol makes it (see
``Protocol.mask``), and its transport makes those for what precedes the message.  So ids, types,
counts, lengths and places stay, and whatever read the message before reads it again.  A length says
something too: it is not hidden, and it is all that a mask says.

    selected field       everything in it, however deep
    without a name       if a selector asks for a name: the field may be the one that is meant
    before the message   HTTP heads, key/values of (TT)THeader, tracing headers: always, except
                         words that transports need and that tell nothing
    not read             bytes of a message that belong to no value: always
    broken, cut, lost    if reading ended before the message did, no field is where it seems to be:
                         every value
    a method             that is not a name: a wrong length may have made it swallow what follows
    HTTP's own           calls of no family: the path, and every value, whatever is selected
    a status as a body   Connect's errors: all but the code, as where headers say it
    an exception's text  with ``texts``: a handler may quote in it what it was given

Not masked, so that a call ends as it did: names and the kind of a result, also where they are among
the values (a Java stream), and which kind of exception the framework's own is, by its own number or
word.

A message in which nothing is masked stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from ..model import (
    LETTER,
    Entries,
    Field,
    Finding,
    Header,
    Items,
    Message,
    MessageType,
    Record,
    Run,
    Severity,
    Span,
    Struct,
    TType,
    Value,
)
from .selectors import Selector

__all__ = ["Mask", "Redactor", "hushed", "masked_with"]

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_METHOD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.:$/-]*\Z")

# What a finding may say about what is wrong, before it says what was found: our words, places.
_PLAIN: Final = re.compile(
    r"(?:[A-Za-z][A-Za-z0-9' /-]*? )?at (?:stream )?offset \d+"
    r"|skipped \d+ bytes? before stream offset \d+"
    r"|nothing was read from stream offset \d+ on"
    r"|the \d+ bytes? at stream offset \d+(?:, of a frame of \d+,)? (?:is|are) no whole message "
    r"header(?: \([a-z ]+ at offset \d+)?"
    r"|\d+ [a-z ]+ left over behind the (?:struct|message) at offset \d+"
    r"|message cut off at offset \d+"
    r"|the negotiation failed"
    r"|the head says protocol \d+ [A-Za-z]+, and the message is [a-z0-9-]+"
)
# And after that: counts, and how it came about.
_KNOWN: Final = re.compile(
    r"needs \d+ bytes?, \d+ left"
    r"|\d+ of its \d+ bytes (?:were|are) lost"
    r"|the capture (?:lost bytes|lost \d+ bytes here|ends|begins in mid-stream)"
    r"|the connection was (?:closed|reset)"
    r"|its ports were used for a new connection"
    r"|the datagram ends"
    r"|what follows is no message"
)
_WHERE: Final = re.compile(r"flow \d+, from the (?:client|server)(?:, packet \d+)?: ")


class Mask:
    """What is to be masked in a message, as places in its ``data``.

    ``runs`` are the masks, in order.  ``redacted`` is where the masked values begin.  ``packed`` is
    the offset from which the data's bytes are no longer those of the wire; -1: all are.
    ``is_sure``: the message was read to its end, so that its fields are what they seem.
    """

    __slots__ = ("is_sure", "packed", "redacted", "runs")

    def __init__(self) -> None:
        self.runs: list[Run] = []
        self.redacted: set[int] = set()
        self.packed = -1
        self.is_sure = True


class Redactor:
    """Masks what ``selectors`` select.

    ``texts``: those of exceptions too.  ``nameless``: if a selector asks for a name, also fields
    whose names nobody knows, since each of them may be the one.

    ``counts`` has how many values each selector has masked; ``unsure`` counts the messages whose
    values were all masked, ``doubtful`` those in which fields were masked because nobody knows
    their names, ``heads`` the values before messages; ``masked_texts`` and ``left_texts`` the texts
    of exceptions.
    """

    def __init__(
        self, selectors: Sequence[Selector], *, texts: bool = False, nameless: bool = False
    ) -> None:
        self.selectors = tuple(selectors)
        self.texts = texts
        self.nameless = nameless
        self.counts = [0] * len(self.selectors)
        self.unsure = 0
        self.doubtful = 0
        self.heads = 0
        self.masked_texts = 0
        self.left_texts = 0
        self._keeps: tuple[Span, ...] = ()

    def mask(self, record: Record) -> Mask:
        """Return what is to be masked in a message, or in a bare struct."""
        mask = Mask()
        self._keeps = ()
        if isinstance(record, Message):
            self._before(record, mask)
            mask.runs += _header(record)[0]
        walk = _Walk(self, record, mask)
        walk.whole()
        if mask.is_sure and self._keeps:
            mask.runs = _without(mask.runs, record.data, self._keeps)
        if not mask.is_sure:
            self.unsure += 1
        elif walk.is_nameless:
            self.doubtful += 1
        return mask

    def redact(self, record: Record) -> Mask:
        """Mask a message in place.  Findings of listing it no longer say what was found."""
        mask = self.mask(record)
        data = masked_with(record.data, mask.runs)
        if isinstance(record, Message):
            record.header = _header(record)[1]
            record.kept = record.transport.masked(record)
        listed = tuple(hushed(finding) for finding in record.listed)
        told = None
        if not mask.is_sure:
            told = tuple(hushed(finding) for finding in record.body.findings)
        record.redact(data, frozenset(mask.redacted), listed, told)
        return mask

    def _before(self, message: Message, mask: Mask) -> None:
        """Add the masks for what precedes the message's own header."""
        before = message.transport.masks(message)
        runs = before.runs
        if before.values is not None:
            runs = runs + self._all_of(before.values)
        mask.packed = before.packed
        self._keeps = before.keeps
        if message.type is MessageType.EXCEPTION:
            text = message.family.error(message).text
            # It is in the head, where it is masked in any case, or in trailers, without a body.
            is_before = text is not None and text.span.start < text.span.stop <= message.start
            if text is not None and text.content and (is_before or not message.fields):
                self.masked_texts += 1
        self.heads += len(runs)
        mask.runs += runs

    def _all_of(self, record: Record) -> list[Run]:
        """Return the masks for every value of a struct."""
        mask = Mask()
        walk = _Walk(self, record, mask)
        walk.all = True
        walk.struct(record.body, (), ())
        return mask.runs


def masked_with(data: bytes, runs: Iterable[Run]) -> bytes:
    """Return ``data`` with the masks laid over it."""
    out = bytearray(data)
    for at, text in runs:
        out[at : at + len(text)] = text
    return bytes(out)


def _without(runs: list[Run], data: bytes, keeps: Iterable[Span]) -> list[Run]:
    """Return the masks with what stays put back into them."""
    out: list[Run] = []
    for at, text in runs:
        shown = bytearray(text)
        for one in keeps:
            start, stop = max(one.start, at), min(one.stop, at + len(text))
            if start < stop:
                shown[start - at : stop - at] = data[start:stop]
        out.append((at, bytes(shown)))
    return out


def hushed(finding: Finding) -> Finding:
    """Return the finding without what was found, which may be a secret.

    What is wrong, and where, stays as far as our own words say it.
    """
    where = _WHERE.match(finding.text)
    start = 0 if where is None else where.end()
    what, *parts = finding.text[start:].split(": ")
    if not _PLAIN.fullmatch(what):
        what, parts = "something is wrong", [""]
    said = [what]
    for part in parts:
        if not _KNOWN.fullmatch(part):
            said.append("(redacted)")
            break
        said.append(part)
    return Finding(finding.severity, finding.text[:start] + ": ".join(said), finding.offset)


# ── Fields ───────────────────────────────────────────────────────────────────────────

# A selector, by its index, and which part of it comes next.
State = tuple[int, int]

# Instead of a selector's index: some selector asks for a name, and the field has none.
NAMELESS: Final = -1


class _Walk:
    """Goes through a message's fields in order and masks what is selected.

    ``all``: every value is.  ``known`` then collects what is structure or a value, so that the rest
    can be found.
    """

    def __init__(self, redactor: Redactor, record: Record, mask: Mask) -> None:
        self.redactor = redactor
        self.selectors = redactor.selectors
        self.record = record
        self.data = record.data
        self.mask = mask
        self.protocol = record.protocol
        self.all = False
        self.has_idl = record.names is not None
        self.is_nameless = False
        self.is_text = False  # what is being walked over is an exception's
        self.known: list[tuple[int, int]] = []
        self.kind = record.type if isinstance(record, Message) else None
        self.family = record.family if isinstance(record, Message) else None
        self.is_exception = self.kind is MessageType.EXCEPTION
        self.kind_at = -1  # where an exception of the framework's own says of which kind it is

    def whole(self) -> None:
        record, body = self.record, self.record.body
        method = record.method if isinstance(record, Message) else ""
        bare = record.bare_method if isinstance(record, Message) else ""
        states = [
            (number, 0) for number, one in enumerate(self.selectors) if one.is_of(method, bare)
        ]
        findings = body.findings + record.listed
        self.all = (
            body.stop is None
            or bool(record.gaps)
            or any(one.severity is Severity.ERROR for one in findings)
        )
        self.mask.is_sure = not self.all
        # In HTTP that belongs to no family, nobody knows which value is a secret.  And an error
        # that is a body says what is masked where it is in headers: its words, and its details.
        if isinstance(record, Message):
            self.all = self.all or record.family.is_http
            if self.is_exception and not self.all:
                self.kind_at = record.family.kind_at(record)
            self.all = self.all or (self.is_exception and record.family.has_statuses)
        self._head(record.start, body)
        self.struct(body, tuple(states), (), True)
        stop = record.stop
        if self.all:
            self._unread(record.start, stop)
        elif body.stop is not None and body.stop.stop < stop:
            self._blank(body.stop.stop, stop)

    # ── What is selected ─────────────────────────────────────────────────────────────

    def struct(
        self, struct: Struct, states: tuple[State, ...], hits: tuple[int, ...], outer: bool = False
    ) -> None:
        """Mask in the fields of a struct.

        ``states`` are the selectors that may go on in it, ``hits`` those that selected all of it.
        """
        for field in struct.fields:
            inner, chosen = self._step(field, states, hits, outer) if states else (states, hits)
            if self.all and (field.name is None or _NAME.match(field.name)):
                self.known.append((field.span.start, field.value.span.start))
            was_text = self.is_text
            if outer:
                self.is_text = self._is_text(field)
            self.value(field.value, inner, chosen, field)
            self.is_text = was_text
        if self.all and struct.stop is not None:
            self.known.append((struct.stop.start, struct.stop.stop))

    def _head(self, start: int, struct: Struct) -> None:
        """Record the head of a struct at ``start``, if its encoding has one."""
        if not self.all or self.protocol.is_text:
            return
        if struct.fields:
            self.known.append((start, struct.fields[0].span.start))
        elif struct.stop is not None:
            self.known.append((start, struct.stop.start))

    def _step(
        self, field: Field, states: tuple[State, ...], hits: tuple[int, ...], outer: bool
    ) -> tuple[tuple[State, ...], tuple[int, ...]]:
        """Return the selectors that may go on in a field, and those that have selected it."""
        inner: list[State] = []
        chosen = list(hits)
        for number, place in states:
            selector = self.selectors[number]
            is_name = not selector.method
            if is_name:
                inner.append((number, place))
            if not selector.meets(place, field, outer, self.is_exception):
                if self.redactor.nameless and selector.may_meet(
                    place, field, outer, self.kind, self.family, self.has_idl
                ):
                    self.is_nameless = True
                    if NAMELESS not in chosen:
                        chosen.append(NAMELESS)
                continue
            if place + 1 < len(selector.parts):
                inner.append((number, place + 1))
            elif number not in chosen:
                chosen.append(number)
        return tuple(inner), tuple(chosen)

    def _is_text(self, field: Field) -> bool:
        """Say whether that field of an outermost struct is an exception, or the text of one."""
        if self.kind is MessageType.EXCEPTION:
            return True
        if self.kind is not MessageType.REPLY or self.family is None:
            return False
        return self.family.has_results and not self.family.is_result(field)

    def value(
        self,
        value: Value,
        states: tuple[State, ...],
        hits: tuple[int, ...],
        field: Field | None = None,
        is_key: bool = False,
    ) -> None:
        """Mask in a value: ``field``'s; None for an element.  ``is_key``: it is a map's key."""
        content = value.content
        if not (states or hits or self.all or self.is_text):
            return
        if value.span.start == self.kind_at:
            self.known.append((value.span.start, value.span.stop))
            return
        if self.all and value.head and not self.protocol.is_text:
            self.known.append((value.span.start, value.span.start + value.head))
        if isinstance(content, Struct):
            self._head(value.span.start, content)
            self.struct(content, states, hits)
        elif isinstance(content, Items):
            for item in content.items:
                self.value(item, states, hits)
        elif isinstance(content, Entries):
            for key, item in content.items:
                self.value(key, states, hits, None, True)
                self.value(item, states, hits)
        elif hits or self.all or (self.is_text and self._has_text(value)):
            self._leaf(value, field, is_key)
            for number in hits:
                if number != NAMELESS:
                    self.redactor.counts[number] += 1

    def _has_text(self, value: Value) -> bool:
        """Say whether it is an exception's text, and to be masked.  It is counted either way."""
        if value.ttype is not TType.STRING and value.ttype is not TType.TEXT:
            return False
        if self.redactor.texts:
            self.redactor.masked_texts += 1
        else:
            self.redactor.left_texts += 1
        return self.redactor.texts

    def _leaf(self, value: Value, field: Field | None, is_key: bool) -> None:
        span = value.span
        self.mask.redacted.add(span.start)
        if self.all:
            self.known.append((span.start, span.stop))
        self._add(*self.protocol.mask(self.data, value, field, is_key))

    def _add(self, at: int, text: bytes) -> None:
        if text:
            self.mask.runs.append((at, text))

    # ── What was not read ────────────────────────────────────────────────────────────

    def _unread(self, start: int, stop: int) -> None:
        at = start
        for one, end in sorted(self.known):
            if one > at:
                self._blank(at, one)
            at = max(at, end)
        if at < stop:
            self._blank(at, stop)
        self.mask.runs.sort(key=_place)

    def _blank(self, start: int, stop: int) -> None:
        """Mask bytes that belong to no value."""
        self._add(start, self.protocol.blank(self.data[start:stop]))


def _place(run: Run) -> int:
    return run[0]


def _header(message: Message) -> tuple[list[Run], Header]:
    """Return the masks for a method that is not a name, and for what follows it; and the header.

    The header is as it is with the masks.
    """
    head = message.header
    if not head.span:
        # The carrier knows its name, and masks that: see ``Carrier.masks``.
        if not head.method or message.transport.is_open(head.method):
            return [], head
        if head.type is MessageType.EVENT:
            return [], head  # "PING", "heartbeat": no framing takes an event's name from the wire
        name = LETTER.decode() * len(head.method)
        kept = (head.type, head.seqid, head.strict, head.span, head.method_span)
        return [], Header(name, *kept)
    if _METHOD.match(head.method) or not head.method_span:
        return [], head
    return message.protocol.mask_header(head)
