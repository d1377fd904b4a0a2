"""What a transport is: it says where the next message begins and ends.

    bytes of one direction ─▶ Transport.next ─▶ Unit: the bytes of one message, and where
                                                      its Thrift header begins in them

One object per direction; it may have state (a deflate stream does).  ``framed.py`` and
``unframed.py`` are the plain ones.  A transport that wraps or packs (HTTP, THeader, zlib) returns
``data`` as the message is to be read: its own head, unchanged, then the payload, unpacked.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from ..model import Carrier, Finding, Gap, Header, Protocol, Response, Stall, Stretch
from .unpacking import Allowance

if TYPE_CHECKING:
    from mypy_extensions import i64

__all__ = [
    *("NOT_KNOWN", "Brought", "Found", "Passed", "ProtocolAt", "Transport", "Turn", "Unit"),
]

# What carries messages while the bytes have not told.
NOT_KNOWN: Final = Carrier("")

# Which protocol's message begins at data[start:stop]; None: no known one.
ProtocolAt = Callable[[bytes, int, int], Protocol | None]


class Unit:
    """What a transport found at the start of the buffer.

    ``stop``: how many bytes of the buffer it takes.  ``data``: what the message is read from; its
    Thrift header begins at ``start``, in ``protocol``.  ``protocol`` is None for bytes that belong
    to the transport alone (a negotiation): they hold no message, and ``what`` says in a few words
    what they are; ``hides``: nobody can read them.  ``lines``: the transport's own bytes between
    those in ``data`` (the sizes of chunks), with their places in the buffer.  ``turn``: it is a
    request or a response.

    ``header`` is the message's, if its framing says everything that a header says: method, type
    and id; None: its encoding has headers of its own.  ``body_stop`` is where the values end in
    ``data``, -1: at its end.  ``kept`` is the Message's, or what ``Transport.take`` wants to know
    about it, and ``layout`` the Message's, with offsets from the start of the unit.  ``is_piece``:
    the messages that ``take`` makes have all of its bytes.  ``switches``: what the direction
    speaks behind it.
    """

    __slots__ = (
        "body_stop",
        "data",
        "findings",
        "header",
        "hides",
        "is_piece",
        "kept",
        "layout",
        "lines",
        "protocol",
        "start",
        "stop",
        "switches",
        "turn",
        "what",
    )

    def __init__(
        self,
        stop: int,
        data: bytes,
        start: int,
        protocol: Protocol | None,
        what: str = "",
        findings: tuple[Finding, ...] = (),
    ) -> None:
        self.stop = stop
        self.data = data
        self.start = start
        self.protocol = protocol
        self.what = what
        self.findings = findings
        self.lines: tuple[tuple[int, bytes], ...] = ()
        self.turn: Turn | None = None
        self.header: Header | None = None
        self.body_stop = -1
        self.kept: object = None
        self.layout: tuple[Stretch, ...] = ()
        self.is_piece = False
        self.switches: Carrier | None = None
        self.hides = False


class Turn:
    """A request or a response of HTTP, so that the two can be joined.

    ``response`` is None for a request.  ``struct``: the request contains a struct without a
    message, which that protocol reads.  ``found`` is the message in it, None without one.
    """

    __slots__ = ("found", "is_request", "response", "struct")

    def __init__(
        self,
        is_request: bool,
        response: Response | None = None,
        struct: Protocol | None = None,
    ) -> None:
        self.is_request = is_request
        self.response = response
        self.struct = struct
        self.found: Found | None = None


class Found:
    """A message as its direction gives it out; who sent it is known one level up.

    ``offset`` is its place in the direction, ``size`` how many of its bytes it took; ``time``,
    ``end_time`` and ``packets`` are those of the packets that brought it.  ``lines`` is as in its
    Unit.  ``cut``, ``announced``, ``end``, ``layout`` and ``kept`` are the Message's; ``body_stop``
    is where its values end in ``data``, -1 if that is its end.  ``from_client`` is None if its type
    tells who sent it.  ``is_others``: the other direction brought it, and this one showed what it
    is.
    """

    __slots__ = (
        "announced",
        "body_stop",
        "cut",
        "data",
        "end",
        "end_time",
        "findings",
        "from_client",
        "gaps",
        "header",
        "is_others",
        "kept",
        "layout",
        "lines",
        "offset",
        "packets",
        "protocol",
        "size",
        "time",
        "transport",
    )

    def __init__(
        self,
        header: Header,
        protocol: Protocol,
        transport: Carrier,
        offset: int,
        size: int,
        data: bytes,
        gaps: tuple[Gap, ...],
        findings: tuple[Finding, ...],
        time: int,
        end_time: int,
        packets: tuple[int, ...],
    ) -> None:
        self.header = header
        self.protocol = protocol
        self.transport = transport
        self.offset = offset
        self.size = size
        self.data = data
        self.gaps = gaps
        self.findings = findings
        self.time = time
        self.end_time = end_time
        self.packets = packets
        self.cut = ""
        self.announced = 0
        self.end = ""
        self.from_client: bool | None = None
        self.is_others = False
        self.layout: tuple[Stretch, ...] = ()
        self.kept: object = None
        self.body_stop = -1
        self.lines: tuple[tuple[int, bytes], ...] = ()


class Brought:
    """Which packets brought a unit: its place in the direction, and their times and numbers.

    ``gaps`` are the bytes of it that the capture lost; they count from its start.
    """

    __slots__ = ("end_time", "gaps", "offset", "packets", "time")

    def __init__(
        self,
        offset: int,
        time: int,
        end_time: int,
        packets: tuple[int, ...],
        gaps: tuple[Gap, ...] = (),
    ) -> None:
        self.gaps = gaps
        self.offset = offset
        self.time = time
        self.end_time = end_time
        self.packets = packets


class Passed:
    """A unit without a message (a negotiation, HTTP without Thrift).

    ``offset`` is its place in the direction.
    """

    __slots__ = ("offset", "transport", "unit")

    def __init__(self, offset: int, transport: Carrier, unit: Unit) -> None:
        self.offset = offset
        self.transport = transport
        self.unit = unit


class Transport(ABC):
    """Where messages begin and end in one direction of a connection.

    ``prefixed``: the ends have agreed on something that comes before messages: see ``hear``.
    ``seen_thrift``: its own bytes say that it has Thrift in it, whether or not a message could be
    read.  ``is_whole``: the unit that ``rest`` gave last is complete, since nothing more of it
    could have come.  ``keeps_lines``: somebody needs the ``lines`` of units.  ``allowance`` is what
    a transport that unpacks draws on: its own, unless it is given another.

    ``is_woven``: a unit is a piece of one message or has several, with pieces of other messages in
    between: ``next`` gives units without a protocol, and ``take`` makes messages of them.
    ``waiting`` counts the bytes that it keeps for them.  ``holds``, if it is woven: what ``end``
    was asked about was such a piece; otherwise ``rest`` knows it.  ``from_start``: its first byte
    is the direction's.  ``time`` is that of the next unit's first byte, if it is woven; ``heard``
    is how many bytes of the other direction the sender had acknowledged by then.  ``is_inside``:
    what was lost may be the rest of a unit that was given out, or of one that was not seen.
    """

    name: str
    prefixed: bool = False
    seen_thrift: bool = False
    is_whole: bool = False
    keeps_lines: bool = False
    allowance: Allowance | None = None
    is_woven: bool = False
    waiting: i64 = 0
    holds: bool = True
    from_start: bool = False
    time: int = 0
    heard: int = 0
    is_inside: bool = False

    def meet(self, other: Transport) -> None:
        """Learn the transport of the other direction, once both are known to speak the same."""
        return

    def held(self) -> tuple[int, int]:
        """Return since when (ns) the other end lets this direction send nothing.

        Also returns on which stream, 0 for all of them; (-1, 0): it may send.
        """
        return -1, 0

    def stalled(self) -> Stall | None:
        """Return the longest time that has ended for which this direction might send nothing."""
        return None

    def follow(self, before: Transport) -> None:
        """The transport that read the direction up to here, where it switched to this one."""
        return

    def take(self, unit: Unit, brought: Brought) -> list[Found]:
        """Return the messages that are complete with this unit, if ``is_woven``."""
        return []

    def end(
        self, data: bytes, brought: Brought | None, reason: str, cut: str, is_all: bool
    ) -> list[Found]:
        """Return what is there of messages that will not be completed, if ``is_woven``.

        ``data`` is what is there of the next unit; the rest will not come, because of ``reason``.
        ``brought`` is None if none of it is there.  ``is_all``: what comes next need not begin with
        a unit; otherwise only the rest of this one is lost.
        """
        return []

    def broken(self, data: bytes, brought: Brought, why: str) -> list[Found]:
        """Return what is there of a message that continues in ``data``, which cannot be read."""
        return []

    @abstractmethod
    def next(self, buffer: bytearray, have: int) -> Unit | None:
        """Return the unit at the start of ``buffer[:have]``; None if some of it is missing.

        Called again with the same start and more bytes until it returns a unit, then with the bytes
        after it.  Raises DecodeError (its offset counts from the buffer's start) for bytes that
        cannot be a unit.  Claimed lengths are checked against limits, and nothing is allocated for
        them.
        """

    def whole(self, data: bytes, at: i64, stop: i64) -> tuple[Header | None, i64]:
        """Return the header of the message that begins ``data[at:stop]``, and the message's end.

        The short way for messages that are completely there and have nothing odd; otherwise the
        header is None: call ``next``.  ``data[at]`` begins a unit.  It changes nothing:
        ``pass_whole`` says that the message was taken.
        """
        return None, 0

    def pass_whole(self) -> None:
        """Record that the unit that ``whole`` found was taken: the next begins after it."""
        return

    def hear(self, header: Header, protocol: Protocol) -> None:
        """Take note of a message that the long way has read.

        It may change what comes before the next ones.
        """
        return

    def known_until(self, buffer: bytearray, have: int) -> int:
        """Return up to which offset of the buffer the bytes are content of known size.

        Bytes lost before it do not hide where the unit ends.  0: they do.
        """
        return 0

    def give_up(self) -> None:
        """Record that the rest of the unit was lost.

        What was known about it no longer holds, and the next call of ``next`` begins with what
        follows it.
        """
        return

    def rest(self, buffer: bytearray, have: int) -> Unit | None:
        """Return what is there of a unit that will never be complete, to be read up to its end.

        None if it cannot have a Thrift header.
        """
        return None

    def frame_stop(self, buffer: bytearray, have: int) -> int:
        """Return where the unit at the buffer's start will end, if its own bytes say so; else 0."""
        return 0
