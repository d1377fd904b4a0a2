"""What the rules look at: a connection that has ended, and what is known about its server.

    a connection's exchanges, settled ─▶ Case    how each ended; its Flow says who closed, and when
    a server's connections            ─▶ Known   in which dialects it answers, and which methods

Both are small, however long the connection is: no message is kept.  Neither of them pairs
anything: ``exchanges.Pairing`` says what became of a call.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from typing import Final, NamedTuple

from ..hints.magic_numbers import Reading
from ..model import (
    CUT_LOST,
    TCP,
    Endpoint,
    Exchange,
    Flow,
    Half,
    Message,
    MessageType,
    Outcome,
    Response,
    Severity,
    Struct,
)
from ..protocols.encodings.reading import BEGINS_INSIDE
from ..protocols.purposes import counted
from ..protocols.unpacking import NOT_UNPACKED
from .texts import Garbled, garbled
from .verdict import Dialect, sized, unbraced

__all__ = [
    "BY_CLIENT",
    "BY_SERVER",
    "CLOSED",
    "MAX_EXAMPLES",
    "NOTHING_KNOWN",
    "NOT_READ",
    "REFUSED",
    "STREAM_RESET",
    "UNREAD",
    "ApplicationException",
    "Case",
    "Ended",
    "Fault",
    "Known",
    "Slow",
    "Summary",
    "Tally",
    "dialect_of",
    "shown",
    "summary_of",
]

# How many exchanges of a connection with the same outcome are remembered, and how many faults: the
# first ones.
MAX_EXAMPLES: Final = 64
# How many kinds of failures of a connection are remembered; a kind is a method, a type, and a text
# but for its numbers.  And how many texts of each method and type: others are counted as one kind,
# whose text is not kept, so that nothing is said of it that only some of them say.
MAX_FAILURES: Final = 64
MAX_TEXTS: Final = 8
# The types with which a server says that it could not read what it was sent.
UNREAD: Final = frozenset(
    {"PROTOCOL_ERROR", "INVALID_PROTOCOL", "INVALID_TRANSFORM", "INVALID_MESSAGE_TYPE"}
)
# Outcomes of calls without an answer: the server closed or reset, the client did, either did; and
# everything that can happen if a server cannot read a call.
BY_SERVER: Final = (Outcome.CLOSED_BY_SERVER, Outcome.RESET_BY_SERVER)
BY_CLIENT: Final = (Outcome.CLOSED_BY_CLIENT, Outcome.RESET_BY_CLIENT)
CLOSED: Final = (*BY_SERVER, *BY_CLIENT)
NOT_READ: Final = (*CLOSED, Outcome.WAITING, Outcome.UNREADABLE, Outcome.NO_REPLY)
# How many methods of a server are remembered, and how many dialects.
MAX_NAMES: Final = 256

_UNANSWERED: Final = (*CLOSED, Outcome.WAITING)


class Summary(NamedTuple):
    """What is kept of a message; its attributes are as those of a Message.

    ``announced`` is the size that it says it has: more than ``size`` if it was cut off, and then
    ``cut`` says why (see ``Message.cut``).  ``unread`` names the encoding of its values if that is
    not read here: see ``Family.unread``.
    """

    number: int
    method: str
    seqid: int
    time: int
    end_time: int
    size: int
    announced: int
    dialect: Dialect
    cut: str = ""
    is_upgrade: bool = False
    unread: str = ""
    from_client: bool = True

    def __str__(self) -> str:
        return f"{shown(self.method)}, {sized(self.size)} (message {self.number})"


def summary_of(message: Message) -> Summary:
    """What is kept of ``message``; it holds on to none of its bytes."""
    return Summary(
        message.number,
        message.method,
        message.seqid,
        message.time,
        message.end_time,
        message.size,
        message.announced,
        Dialect(message.protocol, message.transport),
        message.cut,
        message.family.is_upgrade(message.method),
        message.family.unread(message) if message.protocol.is_raw else "",
        message.from_client,
    )


# How ``Ended.why`` begins if the stream of a call was reset, and if it was refused; HTTP/2's name
# for the reason follows.
STREAM_RESET: Final = "RST_STREAM "
REFUSED: Final = "GOAWAY "


class Ended(NamedTuple):
    """What is kept of an exchange: how it ended, and at which ``time`` (ns; -1: not known).

    ``why`` and ``misled_by`` are as an Exchange has them; ``response`` is HTTP's to its call.
    ``parts`` are the messages of the answer that had come by then.  ``deadline`` is how long
    the client said that it would wait (ns), if it had no answer; -1: it did not say.
    """

    number: int
    outcome: Outcome
    call: Summary | None
    reply: Summary | None
    time: int
    why: str
    misled_by: int
    response: Response | None
    parts: int = 0
    deadline: int = -1

    @property
    def is_stream(self) -> bool:
        """Whether its stream ended, or was refused, while the connection went on."""
        return self.why.startswith((STREAM_RESET, REFUSED))

    @property
    def waited(self) -> int:
        """How long the call had waited when it ended (ns), 0 if that is not known."""
        if self.call is None or self.time < 0:
            return 0
        return max(self.time - self.call.time, 0)

    @property
    def is_overdue(self) -> bool:
        """Whether the time was over that the client had said it would wait.

        Its clock began to run before the call was on the wire, and is exact to the millisecond.
        """
        return 0 <= self.deadline <= self.waited + self.deadline // 20 + 2_000_000

    @property
    def message(self) -> Summary:
        """The call, or the reply if the call was not captured."""
        message = self.call if self.call is not None else self.reply
        assert message is not None
        return message


class Fault(NamedTuple):
    """What is wrong with the bytes of a message: up to four sentences, the first fault first.

    ``is_call``: it is a call, and no reply; either end may have sent it.
    ``cut``: its end is missing (see ``Message.cut``); ``lost``: the capture lost bytes of it.
    ``outcome`` is that of its exchange.
    """

    message: Summary
    is_call: bool
    texts: tuple[str, ...]
    cut: str
    outcome: Outcome
    lost: bool

    @property
    def by_client(self) -> bool:
        """Whether the client sent it."""
        return self.message.from_client


class ApplicationException(NamedTuple):
    """The framework's own exception: the call that it answers, the name of its type, its text.

    ``title`` is what the family calls it.  ``page`` is how the body begins if the answer is HTTP's
    own instead of the family's: in one line, "" if there is none.  ``code`` is
    its number, None if it has none; ``is_own`` is as an Error has it.  ``sent_type`` and
    ``answer_type`` are the content types of the call and of the answer, "" if they have none.
    """

    call: Summary
    type: str
    text: str
    title: str
    replied: str  # the method that the reply names
    is_called: bool  # False: the call was not captured, and ``call`` is the exception itself
    page: str = ""
    code: int | None = None
    is_own: bool | None = None
    sent_type: str = ""
    answer_type: str = ""

    @property
    def by_client(self) -> bool:
        """Whether the client says it, of a call that the server sent."""
        return self.call.from_client != self.is_called


class Thrown(NamedTuple):
    """An exception that a method threw: how often, with which text, and whether at the client."""

    times: int
    text: str
    by_client: bool


class Slow(NamedTuple):
    """A call whose answer came later than its caller waits.

    ``patience`` is how long it waits (ns), as the call says or, if not ``is_told``, as its family's
    clients do where nothing is set.  ``behind`` is how long other answers came on the same
    connection after the call was sent, before a byte of its own did (ns).
    """

    call: Summary
    reply: Summary
    patience: int
    is_told: bool
    behind: int = 0

    @property
    def waited(self) -> int:
        """How long it was from the call's first byte to the answer's last (ns)."""
        return self.reply.end_time - self.call.time

    @property
    def sending(self) -> int:
        """How long the call took to be sent (ns)."""
        return max(self.call.end_time - self.call.time, 0)

    @property
    def working(self) -> int:
        """How long no byte of the answer came, once the call was sent (ns)."""
        return max(self.reply.time - self.call.end_time, 0)

    @property
    def coming(self) -> int:
        """How long the answer took to come (ns)."""
        return max(self.reply.end_time - self.reply.time, 0)


class Tally:
    """Counts of exchanges, which can be added up over connections."""

    __slots__ = (
        *("answered", "calls", "declared", "failed", "oneway", "outcomes", "replies", "unread"),
    )

    def __init__(self) -> None:
        self.calls = 0  # calls that want an answer, according to their type
        self.oneway = 0
        self.answered = 0
        self.declared = 0  # answered by an exception of the IDL
        self.failed = 0  # answered by an exception of the server's library
        self.replies = 0  # replies whose call was not captured
        self.outcomes = [0] * len(Outcome)
        # Answered without an error, by the encoding of their values, which is not read here.
        self.unread: dict[str, int] = {}

    def add(self, other: Tally) -> None:
        """Add the counts of another tally to these."""
        self.calls += other.calls
        self.oneway += other.oneway
        self.answered += other.answered
        self.declared += other.declared
        self.failed += other.failed
        self.replies += other.replies
        for outcome, count in enumerate(other.outcomes):
            self.outcomes[outcome] += count
        for name, count in other.unread.items():
            self.unread[name] = self.unread.get(name, 0) + count

    @property
    def silent(self) -> int:
        """How many calls of oneway methods were sent as CALL."""
        return self.outcomes[Outcome.ONEWAY] - self.oneway


class Case:
    """A connection as the rules see it: its Flow, and what its exchanges came to.

    - ``first``, ``last_call``: the first and the last call.
    - ``last_reply``: when the last reply ended (ns, -1: there was none); ``last_answered``: the
      call that was answered last, and when the answer ended.
    - ``largest``: the size of the largest call that was answered, in bytes.
    - ``last_unread``: the last answer in which the server says that it could not read its call.
    - ``ended``: exchanges by their outcome, in order, MAX_EXAMPLES of each at most; ``tally``
      counts them all.
    - ``failures``: by method, type and text but for its numbers, how often the server answered with
      its library's own exception, and an example; ``declared``: by method and type, the same count
      for exceptions that methods throw.
    - ``faults``: messages whose bytes are not right; ``packed``: how many bodies are packed in a
      way that is not unpacked here, by what is said of it, and an example.
    - ``streams``: calls whose stream was reset or refused while the connection went on, by method
      and reason: how many, and an example.  They are not in ``ended``.
    - ``backward``: calls of the server's that the client did not answer, like ``streams``.
    - ``recent``: when the last answered calls of the client began and ended (ns), if each has an
      id; ``came``: when the last answers began and ended, and whether the client sent them.
    - ``slow``: calls whose answer came later than their callers wait, by method and by whether the
      call says how long that is: how many, and an example.
    - ``titles``: what the families of its calls are called.
    - ``thrown``: by method, type and text, how many of the ``declared`` there are.
    - ``garbled``: exchanges with a text that did not survive, and how many there are of each kind.
    """

    __slots__ = (
        *("backward", "came"),
        *("declared", "ended", "failures", "faults", "first", "flow", "largest", "last_answered"),
        *("garbled", "last_call", "last_reply", "last_unread", "packed", "recent", "slow"),
        *("streams", "tally", "thrown", "titles"),
    )

    def __init__(self) -> None:
        self.flow = _NO_FLOW
        self.tally = Tally()
        self.titles: set[str] = set()
        self.first: Summary | None = None
        self.last_call: Summary | None = None
        self.last_reply = -1
        self.last_answered: tuple[Summary, int] | None = None
        self.last_unread: ApplicationException | None = None
        self.largest = 0
        self.ended: dict[Outcome, list[Ended]] = {}
        self.failures: dict[_Kind, tuple[int, ApplicationException]] = {}
        self.declared: dict[tuple[str, str], int] = {}
        self.faults: list[Fault] = []
        self.packed: dict[str, tuple[int, Summary]] = {}
        self.streams: dict[tuple[str, Outcome, str, bool], tuple[int, Ended]] = {}
        self.backward: dict[tuple[str, Outcome], tuple[int, Ended]] = {}
        self.came: deque[tuple[int, int, bool]] = deque(maxlen=MAX_EXAMPLES)
        self.recent: deque[tuple[int, int]] = deque(maxlen=MAX_EXAMPLES)
        self.slow: dict[tuple[str, bool], tuple[int, Slow]] = {}
        self.thrown: dict[_Kind, Thrown] = {}
        self.garbled: dict[tuple[bool, bool, bool, bool], tuple[int, Summary, Garbled]] = {}

    def _find_packed(self, message: Message, kept: Summary) -> None:
        for one in message.listed:
            if one.text.endswith(NOT_UNPACKED):
                count, first = self.packed.get(one.text, (0, kept))
                if count or len(self.packed) < MAX_EXAMPLES:
                    self.packed[one.text] = (count + 1, first)

    def add(self, exchange: Exchange) -> Summary | None:
        """Take a settled exchange; returns its call if that wanted an answer and got one."""
        call = None if exchange.call is None else summary_of(exchange.call)
        reply = None if exchange.reply is None else summary_of(exchange.reply)
        outcome = exchange.outcome
        tally = self.tally
        tally.outcomes[outcome] += 1
        ended = Ended(
            exchange.number,
            outcome,
            call,
            reply,
            exchange.ended,
            exchange.why,
            exchange.misled_by,
            None if exchange.call is None else exchange.call.response,
            exchange.parts_in_time or exchange.parts_received,
            exchange.call.family.patience(exchange.call)
            if exchange.call is not None and outcome in BY_CLIENT
            else -1,
        )
        if ended.is_stream:
            self._add_stream(ended)
        elif call is not None and not call.from_client and outcome in _UNANSWERED:
            self._add_backward(ended)
        else:
            same = self.ended.setdefault(outcome, [])
            same.append(ended)
            if len(same) > 1 and same[-2].number > ended.number:
                same.sort()
            del same[MAX_EXAMPLES:]
        if call is not None:
            if self.first is None or call.number < self.first.number:
                self.first = call
            if self.last_call is None or call.number > self.last_call.number:
                self.last_call = call
        for message in exchange.faulty:
            if len(self.faults) < MAX_EXAMPLES:
                is_call = message is exchange.call
                texts = [one.text for one in message.faults if one.severity is Severity.ERROR]
                inside = _INSIDE.search(message.data, message.start) if message.cut else None
                if is_call and inside is not None:
                    texts.insert(1, f"{BEGINS_INSIDE} {inside.start()}, inside this one")
                kept = summary_of(message)
                lost = bool(message.gaps) or message.cut == CUT_LOST
                fault = Fault(kept, is_call, tuple(texts[:4]), message.cut, outcome, lost)
                self.faults.append(fault)
        for whole, short in ((exchange.call, call), (exchange.reply, reply)):
            if whole is not None and short is not None and whole.listed:
                self._find_packed(whole, short)
        if reply is not None:
            self.last_reply = max(self.last_reply, reply.end_time)
        self._read_texts(exchange, call, reply)
        if call is None:
            tally.replies += 1
            if reply is not None and exchange.reply is not None and not exchange.misled_by:
                self._fail(exchange, exchange.reply, reply)
            return None
        if exchange.call is not None and exchange.call.type is MessageType.ONEWAY:
            tally.oneway += 1
            return None
        tally.calls += 1
        if len(self.titles) < MAX_NAMES:
            self.titles.add(call.dialect.transport.family.title)
        if reply is None or exchange.reply is None:
            return None
        if outcome is Outcome.WAITING:
            return None  # the reply has only begun
        tally.answered += 1
        self.largest = max(self.largest, call.size)
        if call.dialect.transport.has_ids:
            if call.from_client:
                self.recent.append((call.time, reply.end_time))
            if exchange.answer is not Outcome.APPLICATION_EXCEPTION:
                self._wait_for(exchange.call, call, reply)
            self.came.append((reply.time, reply.end_time, reply.from_client))
        if self.last_answered is None or reply.end_time >= self.last_answered[1]:
            self.last_answered = (call, reply.end_time)
        answer = exchange.answer
        if answer is Outcome.DECLARED_EXCEPTION:
            tally.declared += 1
            key = (call.method, exchange.exception)
            if key in self.declared or len(self.declared) < MAX_FAILURES:
                self.declared[key] = self.declared.get(key, 0) + 1
                text = _thrown_text(exchange.reply)
                kind = _kind(self.thrown, *key, text)
                if kind is not None:
                    one = self.thrown.get(kind)
                    if one is None:
                        one = Thrown(0, text if kind.gist else "", reply.from_client)
                    self.thrown[kind] = one._replace(times=one.times + 1)
        elif answer is Outcome.APPLICATION_EXCEPTION:
            tally.failed += 1
            self._fail(exchange, exchange.reply, call)
        elif reply.unread:
            tally.unread[reply.unread] = tally.unread.get(reply.unread, 0) + 1
        return call

    def blend(self, other: Case) -> None:
        """Take the kinds of failures of a connection to the same server that this one lacks."""
        for key, failure in other.failures.items():
            if key not in self.failures and _kind(self.failures, *key) == key:
                self.failures[key] = failure
        for key, thrown in other.thrown.items():
            if key not in self.thrown and _kind(self.thrown, *key) == key:
                self.thrown[key] = thrown

    def _add_stream(self, ended: Ended) -> None:
        """Take a call whose stream ended without an answer."""
        key = (ended.message.method, ended.outcome, ended.why, ended.is_overdue)
        count, first = self.streams.get(key, (0, ended))
        if count or len(self.streams) < MAX_FAILURES:
            self.streams[key] = (count + 1, first)

    def _add_backward(self, ended: Ended) -> None:
        """Take a call of the server's without an answer."""
        key = (ended.message.method, ended.outcome)
        count, first = self.backward.get(key, (0, ended))
        if count or len(self.backward) < MAX_FAILURES:
            self.backward[key] = (count + 1, first)

    def _behind(self, call: Summary, reply: Summary) -> int:
        """How long other answers came between a call's end and its answer's begin (ns)."""
        return sum(
            max(min(end, reply.time) - max(begun, call.end_time), 0)
            for begun, end, by_client in self.came
            if by_client == reply.from_client
        )

    def _wait_for(self, asked: Message | None, call: Summary, reply: Summary) -> None:
        """Take note of an answer that came later than its caller waits."""
        waited = reply.end_time - call.time
        if asked is None or waited < _SLOW:
            return
        family = asked.family
        told = family.patience(asked)
        patience = told if told >= 0 else family.usual_wait
        if 0 <= patience < waited:
            key = (call.method, told >= 0)
            one = Slow(call, reply, patience, told >= 0, self._behind(call, reply))
            count, first = self.slow.get(key, (0, one))
            if count or len(self.slow) < MAX_FAILURES:
                self.slow[key] = (count + 1, first)

    def _read_texts(self, exchange: Exchange, call: Summary | None, reply: Summary | None) -> None:
        """Take note of a text that did not survive the way."""
        found = garbled(exchange)
        if found is None:
            return
        where = call if found.in_call or reply is None else reply
        key = (found.in_call, bool(found.was), found.is_half, found.is_shrunk)
        if where is not None:
            count, first, example = self.garbled.get(key, (0, where, found))
            self.garbled[key] = (count + 1, first, example)

    def _fail(self, exchange: Exchange, reply: Message, subject: Summary) -> None:
        """Count the exception of the server's library, if that is what ``reply`` is.

        ``subject`` is its call or, if that was not captured, the exception itself.
        """
        if exchange.answer is not Outcome.APPLICATION_EXCEPTION:
            return
        name = exchange.exception
        is_called = exchange.call is not None
        title = reply.family.error_title
        error = _error_of(reply)
        sample = ApplicationException(
            *(subject, name, error.text, title, reply.method, is_called, _page_of(reply)),
            *(error.code, error.is_own, _type_of(exchange.call), _type_of(reply)),
        )
        last = self.last_unread
        if name in UNREAD and (last is None or last.call.number < subject.number):
            self.last_unread = sample
        key = _kind(self.failures, subject.method, name, error.text)
        if key is not None:
            if not key.gist:
                sample = sample._replace(text="")
            count, sample = self.failures.get(key, (0, sample))
            self.failures[key] = (count + 1, sample)

    def of(self, *outcomes: Outcome) -> list[Ended]:
        """The exchanges that ended with one of these outcomes, by number."""
        return sorted(one for outcome in outcomes for one in self.ended.get(outcome, ()))

    @property
    def amiss(self) -> set[Outcome]:
        """A new set: the outcomes with which callers did not get, or may lack, their answer."""
        return {one for one in self.ended if one.failed or one.unclear}

    # ── Who did what ─────────────────────────────────────────────────────────────────

    @property
    def client_end(self) -> int:
        """When the client closed or reset (ns); -1 if it did not."""
        return end_of(self.flow.from_client)

    @property
    def server_end(self) -> int:
        """When the server closed or reset (ns); -1 if it did not."""
        return end_of(self.flow.from_server)

    @property
    def closed_by_server(self) -> bool:
        """Whether the server closed or reset before the client did."""
        mine, other = self.server_end, self.client_end
        return mine >= 0 and (other < 0 or mine <= other)

    @property
    def closed_by_client(self) -> bool:
        """Whether the client closed or reset before the server did."""
        return self.client_end >= 0 and not self.closed_by_server

    @property
    def left_bytes_unread(self) -> bool:
        """Whether the server reset without a FIN, while the client waited.

        A kernel does so when a program closes before it has read everything that came.
        """
        server = self.flow.from_server
        return self.closed_by_server and server.rst >= 0 and server.fin < 0

    @property
    def client(self) -> Dialect | None:
        """What the client speaks; None if that is not Thrift."""
        return dialect_of(self.flow.from_client)

    @property
    def server(self) -> Dialect | None:
        """What the server speaks; None if that is not Thrift, or if it says nothing."""
        return dialect_of(self.flow.from_server)

    @property
    def is_thrift(self) -> bool:
        """Whether either end was seen to speak Thrift."""
        if self.flow.structs is not None:
            return True
        return self.first is not None or self.client is not None or self.server is not None

    @property
    def unanswered(self) -> list[Ended]:
        """The calls that still waited when the connection or the capture ended."""
        return self.of(*CLOSED, Outcome.WAITING)

    @property
    def is_whole(self) -> bool:
        """Whether all of it is in the capture; otherwise an answer may be what is missing."""
        return self.flow.opened and not self.flow.lacks


# A strict binary CALL or ONEWAY, with the beginning of a name.
_INSIDE: Final = re.compile(rb"\x80\x01\0[\x01\x04]\0\0\0[\x01-\x7f][\x20-\x7e]")


# A call that was answered sooner has made nobody wait (ns).
_SLOW: Final = 10_000_000

# How much of the text of an exception is kept (characters).
_MOST_TEXT: Final = 8192

# How much of a page is kept (characters), and of how many bytes.
_PAGE: Final = 120


def _page_of(reply: Message) -> str:
    """How the body of HTTP's own answer begins, if it is text."""
    if not reply.family.is_http or reply.redacted:
        return ""
    body = reply.data[reply.start : min(reply.stop, reply.start + 4 * _PAGE)]
    text = " ".join(body.decode("utf-8", "replace").split())
    return text[:_PAGE] if text.isprintable() else ""


def _type_of(message: Message | None) -> str:
    """The content type of a message of HTTP's; "" if it has none, or is another's."""
    if message is None or not message.family.has_statuses or message.redacted:
        return ""
    said = [one.value or "" for one in message.metadata if _is_content_type(one.name)]
    return said[-1][:_PAGE] if said and said[-1].isprintable() else ""


def _is_content_type(name: str | None) -> bool:
    return name is not None and name.lower() == "content-type"


class _Kind(NamedTuple):
    """What failures have in common: ``gist`` is their text but for its numbers."""

    method: str
    type: str
    gist: str


# How much of a text tells it from others (characters).
_GIST: Final = 240
# A number or an address, a part of an id.
_NUMBER: Final = re.compile(r"[0-9A-Fa-f]{0,40}[0-9][0-9A-Fa-f.:-]*")


def _kind(known: Mapping[_Kind, object], method: str, name: str, text: str) -> _Kind | None:
    """The kind of a failure; None if there are too many kinds already."""
    kind = _Kind(method, name, _NUMBER.sub("#", " ".join(text[: 2 * _GIST].split())[:_GIST]))
    if kind in known:
        return kind
    texts = sum(one.method == method and one.type == name for one in known)
    if texts >= MAX_TEXTS:
        kind = _Kind(method, name, "")
    return kind if kind in known or len(known) < MAX_FAILURES else None


class _Error(NamedTuple):
    text: str
    code: int | None
    is_own: bool | None


def _error_of(exception: Message) -> _Error:
    """The text of an exception of the framework's own, "" if it has none, and its number."""
    error = exception.family.error(exception)
    return _Error(error.said[:_MOST_TEXT], error.number, error.is_own)


# What the exceptions of Java call their text.
_MESSAGES: Final = ("detailMessage", "message", "errorMsg")


def _thrown_text(reply: Message) -> str:
    """The text of an exception that a method threw, "" if it has none."""
    for field in reply.fields:
        if isinstance(field.value.content, Struct):
            for inner in field.value.content.fields:
                if inner.name in _MESSAGES and not inner.value.redacted:
                    return (inner.value.text or "")[:_MOST_TEXT]
    return ""


_NO_FLOW: Final = Flow(0, TCP, Endpoint("0.0.0.0", 0), Endpoint("0.0.0.0", 0))


def end_of(half: Half) -> int:
    """When that end closed or reset, whichever came first (ns); -1 if it did neither."""
    times = [time for time in (half.fin, half.rst) if time >= 0]
    return min(times, default=-1)


def dialect_of(half: Half) -> Dialect | None:
    """How that end speaks; None if it was not seen to speak Thrift."""
    seen = half.detection
    if seen is None or seen.transport is None:
        return None
    return Dialect(seen.protocol, seen.transport)


class Known:
    """What all the connections of a server tell about it.

    ``answered`` counts the calls that it answered, by dialect and by whether they named a service
    (multiplexed); ``flows`` has the number of one connection for each.  ``methods`` are the names
    of those calls, ``largest`` is the size of the largest in bytes.  ``heard`` has the dialects in
    which it was spoken to, with one connection for each.  ``foreign`` is what it began with on a
    connection that is not Thrift, and the number of that.
    """

    __slots__ = (
        *("answered", "flows", "foreign", "heard", "largest", "methods", "takes_proxy", "told"),
    )

    def __init__(self) -> None:
        self.answered: dict[tuple[Dialect, bool], int] = {}
        self.flows: dict[tuple[Dialect, bool], int] = {}
        self.methods: set[str] = set()
        self.heard: dict[Dialect, int] = {}
        self.largest = 0
        self.takes_proxy = False  # it answered a call that came after a PROXY header
        self.told = False  # the user says that Thrift is spoken there
        self.foreign: tuple[Reading, int] | None = None

    def answer(self, call: Summary, flow: int) -> None:
        """Record that it has answered that call, on connection ``flow``."""
        key = (call.dialect, ":" in call.method)
        self.answered[key] = self.answered.get(key, 0) + 1
        self.flows.setdefault(key, flow)
        if len(self.methods) < MAX_NAMES:
            self.methods.add(call.method)

    def hear(self, dialect: Dialect, flow: int) -> None:
        """Record that it was spoken to in that dialect, on connection ``flow``."""
        if len(self.heard) < MAX_NAMES:
            self.heard.setdefault(dialect, flow)

    def answers(self, dialect: Dialect) -> bool:
        """Whether it answered any call in that dialect."""
        return any(one == dialect for one, _ in self.answered)

    @property
    def takes_any(self) -> bool:
        """Whether it answers in more than one transport, as THeader servers do.

        Then an unusual transport is no sign of trouble.
        """
        transports = {dialect.transport for dialect, _ in self.answered}
        return len(transports) > 1 or any(one.reads_others for one in transports)

    @property
    def usual(self) -> Dialect | None:
        """The dialect of most of the calls that it answered; None if it answered none."""
        if not self.answered:
            return None
        return max(self.answered, key=lambda one: self.answered[one])[0]

    def words(self, dialect: Dialect) -> str:
        """Evidence: ``this server answered 12 calls in framed binary (connection 3 for one)``.

        "" if it answered none in that dialect.
        """
        found = [one for one in self.answered if one[0] == dialect]
        count = sum(self.answered[one] for one in found)
        if not count:
            return ""
        return (
            f"this server answered {counted(count, 'call')} in {dialect} "
            f"(connection {self.flows[found[0]]} for one)"
        )


NOTHING_KNOWN: Final = Known()


# How much of a method's name is shown (characters): of its end twice as much as of its begin.
_MOST_SHOWN: Final = 60


def shown(method: str) -> str:
    """A method's name, fit for a sentence: 60 characters at most, "(no name)" if it is empty.

    A longer one lacks its middle: its own name stands at the end.

    >>> shown("com.alibaba.cloud.dubbo.service.metadata.DubboMetadataService.getExportedURLs")
    'com.alibaba.cloud.d…ata.DubboMetadataService.getExportedURLs'
    """
    if len(method) > _MOST_SHOWN:
        head = (_MOST_SHOWN - 1) // 3
        method = f"{method[:head]}…{method[head + 1 - _MOST_SHOWN :]}"
    return unbraced(method) or "(no name)"
