"""Calls with their replies."""

from __future__ import annotations

from abc import ABC, abstractmethod

from .messages import Message, MessageType, Naming
from .outcomes import Outcome
from .shown import Shown
from .values import TType

__all__ = ["Definitions", "Exchange", "Namer"]


class Exchange(Shown):
    """A call with its reply.  One of them may be missing, never both.

    ``fate`` is how it ended, once that is settled; None before.  ``ended`` is when the wait for a
    reply that never came was over (-1: not known): when the connection was closed or reset, or its
    last packet in the capture.  ``misled_by`` is the number of the exchange whose reply the client
    read, or may have read, as this one's; for a reply to a oneway call, that call's; 0 if none.
    ``why`` adds a few words to the outcome if they help, else "".

    For a stream, ``parts_sent`` and ``parts_received`` count the messages besides call and reply,
    ``stream_sent`` and ``stream_received`` their bytes on the wire; they are not kept.
    ``parts_in_time`` are those received before its stream was reset: more may come after that.
    """

    __slots__ = (
        "_answer",
        "_exception",
        "call",
        "ended",
        "fate",
        "misled_by",
        "number",
        "parts_in_time",
        "parts_received",
        "parts_sent",
        "reply",
        "stream_received",
        "stream_sent",
        "why",
    )

    def __init__(self, number: int, call: Message | None, reply: Message | None = None) -> None:
        self.number = number
        self.call = call
        self.reply = reply
        self.fate: Outcome | None = None
        self.ended = -1
        self.misled_by = 0
        self.why = ""
        self.parts_sent = 0
        self.parts_received = 0
        self.parts_in_time = 0
        self.stream_sent = 0
        self.stream_received = 0
        # What ``answer`` and ``exception`` said before the reply let its bytes go.
        self._answer: Outcome | None = None
        self._exception = ""

    def let_go(self) -> None:
        """Drop the bytes of its messages, once it is settled: see ``Message.let_go``.

        What the ledger and totals say about it stays.
        """
        if self.call is not None:
            self.call.let_go()
        if self.reply is not None:
            self.let_reply_go()

    def let_reply_go(self) -> None:
        """Drop the bytes of its reply, but remember what it says."""
        if self._answer is None:
            assert self.reply is not None
            answer = Outcome.SUCCESS if self.fate is Outcome.SUCCESS else self.reply.answer
            self._exception = self._exception_of(answer)
            self._answer = answer
            self.reply.let_go()

    @property
    def first(self) -> Message:
        """The call; the reply if the call was not captured."""
        message = self.call if self.call is not None else self.reply
        assert message is not None
        return message

    @property
    def method(self) -> str:
        """The call's method; the reply's if the call was not captured."""
        return self.first.method

    @property
    def flow(self) -> int:
        """The number of its connection."""
        return self.first.flow

    @property
    def time(self) -> int:
        """When it began: the time of its first captured packet."""
        return self.first.time

    @property
    def sent(self) -> int:
        """The call's bytes on the wire, including its stream's; 0 if it was not captured."""
        return self.stream_sent + (0 if self.call is None else self.call.size)

    @property
    def received(self) -> int:
        """The reply's bytes on the wire, including its stream's; 0 if there is none."""
        return self.stream_received + (0 if self.reply is None else self.reply.size)

    @property
    def has_received(self) -> bool:
        """Whether any answer came: the reply, or a message of its stream."""
        return self.reply is not None or self.stream_received > 0

    def add_part(self, part: Message) -> None:
        """Count a message of its stream."""
        if self.call is None:
            by_caller = self.reply is not None and part.from_client != self.reply.from_client
        else:
            by_caller = part.from_client == self.call.from_client
        if by_caller:
            self.parts_sent += 1
            self.stream_sent += part.size
        else:
            self.parts_received += 1
            self.stream_received += part.size

    @property
    def latency(self) -> int | None:
        """Nanoseconds from the call's first packet to the reply's last; None without both.

        This is what the caller waited, as seen where the packets were captured.  None also if the
        reply was captured before its call: then the order and the times of packets are not true.
        """
        if self.call is None or self.reply is None or self.is_backwards:
            return None
        return self.reply.end_time - self.call.time

    @property
    def is_backwards(self) -> bool:
        """Whether the reply was captured before its call, or the clock was set back between."""
        call, reply = self.call, self.reply
        if call is None or reply is None:
            return False
        return reply.time < call.time or reply.end_time < call.time

    @property
    def waited(self) -> int | None:
        """Nanoseconds until the reply came, or until it was clear that none would.

        None if that is not known.
        """
        if self.reply is not None or self.ended < 0 or self.call is None:
            return self.latency
        waited = self.ended - self.call.time
        return waited if waited >= 0 else None

    @property
    def outcome(self) -> Outcome:
        """How it ended: its ``fate``, or before that is settled, what its messages say so far."""
        if self.fate is not None:
            return self.fate
        if self.reply is None:
            assert self.call is not None
            return Outcome.ONEWAY if self.call.type is MessageType.ONEWAY else Outcome.NO_REPLY
        if self.call is None:
            return Outcome.NO_CALL
        return self.answer

    @property
    def answer(self) -> Outcome:
        """What the reply alone says: see ``Message.answer``."""
        if self._answer is not None:
            return self._answer
        assert self.reply is not None
        return self.reply.answer

    @property
    def faulty(self) -> tuple[Message, ...]:
        """Its messages that cannot be read to their end, or that have bytes left over.

        Their ``faults`` say more.
        """
        both = (self.call, self.reply)
        return tuple(one for one in both if one is not None and one.fault is not None)

    @property
    def exception(self) -> str:
        """Which exception came back, "" if none did.

        A TApplicationException has the name of its type ("UNKNOWN_METHOD"), or "type 77"; HTTP's
        refusal is "HTTP 401 Unauthorized"; a declared one has the IDL's name for its type, or
        without an IDL the field's number ("1").
        """
        if self._answer is not None:
            return self._exception
        if self.reply is None:
            response = None if self.call is None else self.call.response
            return "" if response is None or response.is_good else str(response)
        return self._exception_of(self.reply.answer)

    def _exception_of(self, answer: Outcome) -> str:
        assert self.reply is not None
        if answer is Outcome.DECLARED_EXCEPTION:
            fields = self.reply.body.fields
            for field in fields:
                # In a Java stream, other things may come before what has a class.
                if field.value.label and field.value.ttype is not TType.REFERENCE:
                    return field.value.label
            for field in fields:
                return str(field.field_id) if field.name is None else field.name
        if answer is not Outcome.APPLICATION_EXCEPTION:
            return ""
        error = self.reply.family.error(self.reply)
        if error.name or error.number is not None:
            return error.name or f"type {error.number}"
        is_lost = self.reply.gaps or self.reply.cut
        return "its type is lost" if is_lost else "UNKNOWN"

    def __repr__(self) -> str:
        return f"<Exchange {self.number}: {self.method!r}, {self.outcome.name}>"


class Namer(ABC):
    """Tells each message of a capture which naming it has."""

    @abstractmethod
    def give(self, message: Message, exchange: Exchange) -> None:
        """Give ``message``, which belongs to ``exchange``, its naming.

        If a reply was given out before its call, it gets its naming too.
        """


class Definitions(Naming):
    """What an IDL defines: services with their methods, and structs.  ``name`` is its file's.

    By itself it names a message from what that says; ``namer`` knows the exchange too.
    """

    name: str

    @abstractmethod
    def namer(self) -> Namer:
        """Return what names the messages of a capture."""

    @abstractmethod
    def of_struct(self, name: str) -> Naming:
        """Return the naming for such a struct.  Raises ValueError if there is none."""

    @property
    @abstractmethod
    def struct_names(self) -> list[str]:
        """Return the names of its structs."""
