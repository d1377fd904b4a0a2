"""The pipeline: packets in at one end, messages and exchanges out at the other.

    Packet ─▶ Peeler ─▶ Connections ─▶ MessageReader ─▶ Pairing
              segment   pieces in       messages         exchanges
                        order, Gaps

``Pipeline`` takes one packet at a time and returns a Step that says what it did.  A stream of any
length needs no more than that.  ``Capture`` keeps every Step, so that all can be looked at.
"""

from __future__ import annotations

import gc
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Final, Union

from .calls.exchanges import Pairing
from .calls.ledger import Exchanges
from .errors import DecodeError, KeyLogError
from .model import (
    CUT_CLOSED,
    CUT_ENDED,
    CUT_LOST,
    DEFAULT_LIMITS,
    Chunk,
    Definitions,
    Detection,
    Differences,
    Endpoint,
    Exchange,
    Finding,
    Findings,
    Flow,
    Goaway,
    Half,
    Limits,
    Message,
    Messages,
    MessageType,
    Packet,
    Pulse,
    Record,
    Segment,
    Severity,
    Shown,
    Step,
    Structs,
    add_finding,
    backwards,
)
from .protocols import proxy
from .protocols.detect import UNTOLD, Told, check_header, tell
from .protocols.encodings.binary import BINARY
from .protocols.encodings.compact import COMPACT
from .protocols.encodings.thrift_json import JSON
from .protocols.encodings.thriftpy2_json import THRIFTPY2_JSON
from .protocols.framing import Found, Turn
from .protocols.framings.h2 import farewell
from .protocols.reader import MessageReader
from .protocols.unpacking import Allowance
from .redaction.messages import Redactor, hushed
from .redaction.packets import Plan, Rewriter
from .redaction.selectors import parse_selectors
from .tls import KeyLog, Opener, Tls
from .verdicts.verdict import Diagnosis
from .wire.capturefile import CaptureFile, open_capture
from .wire.copies import Copies, Original
from .wire.link import RST, SYN, TCP, Peeler, Unreachable, endpoint, number, usual
from .wire.streams import Connection, Connections, Direction, Piece

if TYPE_CHECKING:
    from mypy_extensions import i64

# How many bytes of messages are handed on together, about.
BATCH: Final = 4 << 20

# How many HTTP requests of a connection may wait for their responses, and the other way round.
MAX_REQUESTS: Final = 64

# How many segments after a RST are kept, in case the connection goes on.
MAX_HELD: Final = 16

# How long to wait after a RST that may not be the connection's own, before what waits in it is
# settled (ns); and how many such connections may be waited for.
GRACE: Final = 1_000_000_000
MAX_GRACE: Final = 1024

# Looked up once, and not for each message.
_CALL: Final = MessageType.CALL
_ONEWAY: Final = MessageType.ONEWAY

# A method's name that nothing else looks like.  And how near to the end of a datagram a struct has
# to be readable if it is cut off there (bytes): no value of fixed size is longer.
_METHOD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.:$/-]{2,255}\Z")
_NEARLY: Final = 16

# Why a message ends where a connection was first captured, if its SYN came later.
_BEHIND: Final = "what follows was captured before its SYN"

# How many kinds of events of a connection are counted, and how many GOAWAYs are kept.
MAX_EVENTS: Final = 64
MAX_GOAWAYS: Final = 8

# How many heartbeats of an end without an answer are remembered.
MAX_BEATS: Final = 64

# How many findings on the datagrams of a connection are kept.
MAX_FINDINGS: Final = 1000

__all__ = [
    "Capture",
    "Idl",
    "Pipeline",
    "decode",
    "decode_struct",
    "interface_of",
    "keys_of",
    "read",
    "read_packets",
    "steps_of",
    "use_idl_reader",
]

# ── Where names come from ────────────────────────────────────────────────────────────

# Definitions, or what they are made from: the path of a .thrift or a .proto file or of a set of
# descriptors, or thriftpy2's module.
Idl = Union[Definitions, str, "os.PathLike[str]", ModuleType]

_idl_readers: list[Callable[[object], Definitions]] = []


def use_idl_reader(reader: Callable[[object], Definitions]) -> None:
    """Set how a file, or thriftpy2's module of one, becomes Definitions.

    ``pingpong`` calls this once, because reading them needs packages that this room does not know.
    """
    _idl_readers[:] = [reader]


def interface_of(idl: Idl | None) -> Definitions | None:
    """The Definitions that ``idl=`` stands for; None for None.

    Raises IdlError if a file cannot be read.
    """
    if idl is None or isinstance(idl, Definitions):
        return idl
    return _idl_readers[0](idl)


# A key log that was read, or the path of one, or several of them.
Keys = Union[KeyLog, str, "os.PathLike[str]", Sequence[Union[str, "os.PathLike[str]"]]]


def keys_of(keys: Keys | None) -> KeyLog | None:
    """The KeyLog that ``keys=`` stands for; None for None.

    Raises KeyLogError if a file cannot be read.
    """
    if keys is None or isinstance(keys, KeyLog):
        return keys
    paths: Sequence[str | os.PathLike[str]] = (
        [keys] if isinstance(keys, (str, os.PathLike)) else keys
    )
    log = KeyLog()
    for path in paths:
        log.read(os.fspath(path))
    return log


def _before_tls(data: bytes) -> int | None:
    """How many of a connection's first bytes stand before TLS; None: too few yet."""
    begins = proxy.begins(data)
    if not begins:
        return 0 if begins is False or not data else None
    try:
        told = proxy.read(data)
    except ValueError:
        return 0
    return None if told is None else told.stop


class _Talk:
    """One connection with the readers of its two directions."""

    __slots__ = (
        "before",
        "closed",
        "connection",
        "early",
        "ends",
        "from_client",
        "from_server",
        "held",
        "is_clean",
        "is_late",
        "is_opened",
        "requests",
        "said",
        "tls",
        "waiting",
    )

    def __init__(self, connection: Connection) -> None:
        self.waiting: i64 = 0  # bytes that wait in it, as last counted: see ``count``
        self.ends: list[bytes] = []  # the keys of its lanes
        self.held: list[tuple[Direction, list[Piece]]] = []  # what came after it was reset
        self.said = 0  # how many findings there were when it was closed
        self.connection = connection
        self.from_client: MessageReader | None = None
        self.from_server: MessageReader | None = None
        # By direction (the client's?): what reads the bytes before offset 0, after a late SYN.
        self.before: dict[bool, MessageReader] = {}
        self.closed = False
        self.is_clean = True  # when it was closed, no message of the client was incomplete
        self.is_late = False  # the server had reset it, and the client says more
        # HTTP's requests that wait for a response: the message in each, and whether it is a bare
        # struct.  And responses that came before the end of their requests.
        self.requests: list[tuple[Message | None, bool]] = []
        self.early: list[Turn] = []
        self.tls: Tls | None = None  # what may open it; None: it is no TLS, or nobody has secrets
        self.is_opened = False  # it did: readers get what is inside

    def count(self) -> i64:
        """Count the bytes that wait in it; return how many more there are than before."""
        before = self.waiting
        after: i64 = self.connection.from_client.waiting + self.connection.from_server.waiting
        if self.from_client is not None:
            after += self.from_client.waiting
        if self.from_server is not None:
            after += self.from_server.waiting
        for reader in self.before.values():
            after += reader.waiting
        if self.tls is not None:
            after += self.tls.waiting
        for _, pieces in self.held:
            for piece in pieces:
                if isinstance(piece, Chunk):
                    after += len(piece.data)
        self.waiting = after
        return after - before


class _Lane:
    """One direction of a connection, found at once by its addresses and ports."""

    __slots__ = (
        "by_client",
        "direction",
        "flow",
        "half",
        "other",
        "other_half",
        "reader",
        "talk",
    )

    def __init__(self, talk: _Talk, by_client: bool, reader: MessageReader) -> None:
        connection = talk.connection
        self.talk = talk
        self.flow = connection.flow
        self.by_client = by_client
        self.half = self.flow.from_client if by_client else self.flow.from_server
        self.other_half = self.flow.from_server if by_client else self.flow.from_client
        self.direction = connection.from_client if by_client else connection.from_server
        self.other = connection.from_server if by_client else connection.from_client
        self.reader = reader


class Pipeline:
    """Reads packets one by one: ``feed`` returns what each did, ``take`` only the messages.

    ``told`` is what the user says that connections speak.  ``ports``: only connections with one of
    these at either end are read (none named: all).  ``interface`` has the names for messages.
    ``redactor`` masks messages before anybody gets them.  ``plan`` records what may be shown
    of the capture; it needs ``feed``.

    ``flows`` are all connections seen.  Without ``keep``, those that ended long ago and pairs of
    UDP ends that were idle for long are dropped, so that a capture of any length fits, and
    ``dropped`` is called with each.  ``connections`` counts all of them, ``structs`` the structs
    that HTTP posted without a message.  ``time`` is that of the last packet (ns since 1970), -1
    before the first.

    ``events``: what connections say for themselves (heartbeats, settings) is given out too, as
    messages of the type EVENT.

    ``keys`` are secrets of TLS.  What they open is read as if it had not been encrypted; so is
    what the secrets in a pcapng open (see ``use_secrets_of``).  What is redacted packet by packet
    (``plan``) stays closed.  Raises KeyLogError if the ciphers are not installed.

    ``pairing`` is for callers that want exchanges.  It gets each message when that is given out,
    and each connection when it is over.  This happens in step with the packets, so that an outcome
    does not depend on how many of them are read at a time.
    """

    def __init__(
        self,
        limits: Limits = DEFAULT_LIMITS,
        told: Told = UNTOLD,
        ports: frozenset[int] = frozenset(),
        *,
        keep: bool = True,
        interface: Definitions | None = None,
        dropped: Callable[[Flow], None] | None = None,
        redactor: Redactor | None = None,
        plan: Plan | None = None,
        pairing: Pairing | None = None,
        events: bool = False,
        keys: KeyLog | None = None,
    ) -> None:
        self._events = events
        self._opener = None if keys is None else Opener(keys, _before_tls)
        self._secrets = 0  # blocks of the capture itself that nothing could be done with
        self._why_closed = ""
        self.redactor = redactor
        self.plan = plan
        self.pairing = pairing
        self.connections = 0
        self.structs = 0
        self.time = -1
        self._keep = keep
        self._dropped = dropped
        self._findings = Findings()  # those of flows that were dropped
        self._limits = limits
        self._told = told
        self._ports = {port.to_bytes(2, "big") for port in ports}
        self._peeler = Peeler()
        self._connections = Connections(limits.connections)
        self._left = 0  # open connections given up because there were too many
        self._waiting: i64 = 0  # bytes that wait, in all connections
        self._full = 0  # connections given up because too many bytes waited in them
        self._talks: dict[int, _Talk] = {}
        self._lanes: dict[bytes, _Lane] = {}
        self._known: dict[int, Flow] = {}  # by number, in that order
        self._allowance = Allowance(limits)
        self._copies = Copies()
        self._twins = 0  # connections that are copies of another
        self._example: tuple[Flow, Flow] | None = None  # the first of them, and the original
        self._messages = 0
        self._namer = None if interface is None else interface.namer()
        # The names in a reply depend on its call.
        self._pairs = pairing
        # Names that the capture tells itself, if no IDL was given.
        self.learned: Definitions | None = None
        self._may_learn = interface is None
        self._taught_by = 0
        self._reset: list[Flow] = []  # connections whose RST may not be their own
        if interface is not None and pairing is None:
            self._pairs = Pairing()

    @property
    def findings(self) -> list[Finding]:
        """What was odd about packets and connections so far; a message has its own findings."""
        return (
            self.of_packets
            + self._findings.kept
            + self._findings.rest
            + [finding for flow in self.flows for finding in flow.findings]
        )

    @property
    def flows(self) -> list[Flow]:
        """The connections that are remembered, in the order of their numbers."""
        return list(self._known.values())

    def _of_copies(self) -> list[Finding]:
        """Return findings on what was captured more than once."""
        out = self._copies.findings
        if self._twins:
            assert self._example is not None
            second, first = self._example
            others = f"; so do {self._twins - 1} more" if self._twins > 1 else ""
            out.append(
                Finding(
                    Severity.WARNING,
                    f"flow {second.number} ({second.client} to {second.server}) carries the same "
                    f"bytes as flow {first.number} ({first.client} to {first.server}): the capture "
                    f"saw it before and behind a NAT, and its calls are counted twice{others}",
                )
            )
        return out

    def _of_left(self) -> list[Finding]:
        """Return findings on the connections that were given up for others."""
        found = []
        if self._full:
            one = self._full == 1
            text = (
                f"more than {self._limits.waiting} bytes waited for others: of {self._full} "
                f"connection{'' if one else 's'}, in which most did, what came until then was read "
                "as if the capture had ended, and what came later as of "
                f"{'a new one' if one else 'new ones'} (--max-waiting, Limits.waiting)"
            )
            found.append(Finding(Severity.WARNING, text))
        if not self._left:
            return found
        one = self._left == 1
        text = (
            f"more than {self._limits.connections} connections were open at once: of "
            f"{self._left}, idle the longest, what came until then was read as if the capture had "
            f"ended, and what came later as of {'a new one' if one else 'new ones'} "
            "(--max-connections, Limits.connections)"
        )
        return [*found, Finding(Severity.WARNING, text)]

    def use_secrets_of(self, file: CaptureFile) -> None:
        """Use the secrets of TLS that a pcapng brings, besides those that were given."""
        if not file.may_have_secrets or self.plan is not None:
            return
        if self._opener is None:
            try:
                self._opener = Opener(KeyLog(), _before_tls)
            except KeyLogError as error:
                self._why_closed = str(error)
                file.tell_secrets = self._pass_secrets
                return
        file.tell_secrets = self._opener.keys.add

    def _pass_secrets(self, data: bytes, where: str) -> None:
        self._secrets += 1

    def _of_keys(self) -> list[Finding]:
        """What is wrong with secrets of TLS."""
        if self._secrets:
            text = f"the capture brings secrets of TLS, and {self._why_closed}"
            return [Finding(Severity.WARNING, text)]
        return [] if self._opener is None else self._opener.findings

    @property
    def of_packets(self) -> list[Finding]:
        """The findings on packets: what was not looked into, what was captured twice."""
        return (
            self._peeler.findings
            + self._of_copies()
            + self._of_left()
            + self._of_names()
            + self._of_keys()
        )

    def _of_names(self) -> list[Finding]:
        """Return findings on where names come from that no IDL gave."""
        if not self._taught_by:
            return []
        text = (
            f"names are those that a server told in the capture itself (reflection, message "
            f"{self._taught_by}); --idl gives others"
        )
        return [Finding(Severity.NOTE, text)]

    @property
    def bystanders(self) -> list[Finding]:
        """The findings on packets without RPC that every network has (see Peeler)."""
        return self._peeler.bystanders

    def flow(self, number: int) -> Flow | None:
        """The connection with that number; None if there is none, or if it was dropped."""
        return self._known.get(number)

    def feed(self, packet: Packet) -> Step:
        """Take the next packet; returns what it did, with the messages that it completes."""
        self.time = packet.time
        if self._reset:
            self._settle_resets()
        segment = self._peeler.segment(packet)
        if self.plan is not None:
            self.plan.links.add(packet.link)
        if segment is None:
            if self._peeler.unreachable is not None:
                self._note_unreachable(packet, self._peeler.unreachable)
            return Step(packet, None, None, True, "", ())
        if not self._is_wanted(segment):
            return Step(packet, None, None, True, "", ())
        if segment.protocol != TCP:
            return self._datagram(packet, segment)
        found: list[Message] = []
        talk, by_client, remark = self._find_talk(segment, found)
        for message in found:
            if message.data == segment.payload:
                message.data = segment.payload  # the same bytes, once in memory
        return Step(packet, segment, talk.connection.flow, by_client, remark, tuple(found))

    def _is_wanted(self, segment: Segment) -> bool:
        return not self._ports or (
            segment.source[-2:] in self._ports or segment.target[-2:] in self._ports
        )

    def _find_talk(self, segment: Segment, found: list[Message]) -> tuple[_Talk, bool, str]:
        """Find the connection of a segment, and add the messages that it completes to ``found``.

        Returns the connection, whether the client sent the segment, and a remark about it.
        """
        connection, replaced = self._connections.of(segment)
        if replaced is not None:
            found += self._end(replaced, "its ports were used for a new connection", True)
        talk = self._talks.get(connection.flow.number)
        if talk is None:
            talk = self._talks[connection.flow.number] = _Talk(connection)
            self._add(connection.flow)
            if self._opener is not None:
                talk.tls = self._opener.connection(bool(segment.flags & SYN))
        if segment.flags & SYN and connection.is_wrong_way(segment):
            self._swap(talk)
        by_client = connection.is_from_client(segment)
        # One object for each end, and not one per segment: a Capture keeps all segments.
        client, server = connection.client_key, connection.server_key
        segment.source, segment.target = (client, server) if by_client else (server, client)
        remark = self._add_segment(talk, segment, found)
        self._waiting += talk.count()
        if self._waiting > self._limits.waiting:
            found += self._leave_fullest()
        if self._connections.are_too_many:
            found += self._leave_idlest()
        return talk, by_client, remark

    def _add_segment(self, talk: _Talk, segment: Segment, found: list[Message]) -> str:
        """Add the messages that a segment completes to ``found``; returns a remark about it."""
        connection = talk.connection
        from_client, from_server, remark = connection.add(segment)
        if talk.is_opened:
            self._count_inside(talk)
        if connection.is_back:
            found += self._go_on(talk)
        if self.plan is not None and segment.payload and not (segment.parts and segment.depth):
            pieces = from_client if connection.is_from_client(segment) else from_server
            self._plan_segment(self.plan, connection, segment, pieces)
        # Reading the first may swap the ends; the second still belongs to the same direction.
        one, other = connection.from_client, connection.from_server
        if from_client:
            found += self._read(talk, one is connection.from_client, from_client)
        if from_server:
            found += self._read(talk, other is connection.from_client, from_server)
        if (
            connection.flow.ended
            and not talk.closed
            and not (talk.is_late and not segment.flags & RST)
        ):
            how = "was reset" if connection.flow.ended == "RST" else "was closed"
            found += self._end(connection, f"the connection {how}")
        return remark

    def _plan_segment(
        self, plan: Plan, connection: Connection, segment: Segment, pieces: list[Piece]
    ) -> None:
        by_client = connection.is_from_client(segment)
        direction = connection.from_client if by_client else connection.from_server
        if direction.is_known and not segment.flags & RST:
            size = len(segment.payload)
            is_new = any(
                isinstance(one, Chunk) and one.number == segment.number and len(one.data) == size
                for one in pieces
            )
            plan.carries(segment, connection.flow.number, direction.place(segment), is_new)

    def take(self, packet: Packet) -> Sequence[Message]:
        """Take the next packet; returns the messages that it completes.

        They are the same as ``feed(packet).messages``, only faster.  Most packets come in order and
        hold whole messages or none: these are read in place.  All others go the long way.
        """
        found: list[Message] = []
        data = packet.data
        if not self._take(data, 0, len(data), packet.link, packet.time, packet.number, found):
            found += self.feed(packet).messages
        return found

    def take_from(self, file: CaptureFile, found: list[Message]) -> None:
        """Do as ``take`` does for the current packet of ``file``, and add messages to ``found``."""
        if not self._take(
            file.data, file.start, file.stop, file.link, file.time, file.number, found
        ):
            found += self.feed(file.packet()).messages

    def _take(
        self,
        data: bytes,
        start: i64,
        stop: i64,
        link: i64,
        time: int,
        packet: i64,
        found: list[Message],
    ) -> bool:
        """The short way; False, with nothing changed, for a packet that only a Peeler can read."""
        ends, tcp, inside, end = usual(data, start, stop, link)
        if ends < 0:
            return False
        self.time = time
        if self._reset:
            self._settle_resets()
        key = data[ends : tcp + 4]
        lane = self._lanes.get(key)
        if (
            lane is not None
            and (data[tcp + 13] & 0xF7) == 0x10  # ACK, perhaps PSH, and no other flag
            and lane.other.is_patient
            and lane.direction.goes_on_at(number(data, tcp + 4))
        ):
            lane.other.note(number(data, tcp + 8))
            if lane.other.is_behind:
                lane.other_half.acked = lane.other.acked
            lane.flow.last = time
            if inside < end:
                self._straight(lane, data, inside, end, time, packet, found)
            return True
        host: i64 = (tcp - ends) >> 1
        segment = Segment(
            packet,
            time,
            TCP,
            key[:host] + key[-4:-2],
            key[host:-4] + key[-2:],
            number(data, tcp + 4),
            number(data, tcp + 8),
            data[tcp + 13],
            data[inside:end],
            0,
        )
        if not self._is_wanted(segment):
            return True
        if host == 4:
            segment.ident = data[tcp - 16] << 8 | data[tcp - 15]
        talk, by_client, _ = self._find_talk(segment, found)
        if lane is None:
            self._open_lane(key, talk, by_client)
        return True

    def _open_lane(self, ends: bytes, talk: _Talk, by_client: bool) -> None:
        reader = talk.from_client if by_client else talk.from_server
        if reader is not None and not talk.closed and talk.tls is None:
            self._lanes[ends] = _Lane(talk, by_client, reader)
            talk.ends.append(ends)

    def _close_lanes(self, talk: _Talk) -> None:
        for ends in talk.ends:
            self._lanes.pop(ends, None)
        talk.ends.clear()

    def _straight(
        self,
        lane: _Lane,
        data: bytes,
        inside: i64,
        end: i64,
        time: int,
        packet: i64,
        found: list[Message],
    ) -> None:
        """Read ``data[inside:end]``, the next bytes of a direction.

        Whole messages are read in place; what is left goes to the reader.
        """
        flow, half, reader, direction = lane.flow, lane.half, lane.reader, lane.direction
        offset = direction.offset
        direction.go_on(end - inside)
        half.last = time
        if offset < 256 and offset == len(half.first) and self.redactor is None:
            half.first += data[inside:end][: Half.FIRST - len(half.first)]
        if lane.by_client:
            flow.sent = direction.offset
        else:
            flow.received = direction.offset
        at = inside
        if reader.is_ready:
            packets = (int(packet),)
            while at < end:
                header, stop = reader.whole(data, at, end)
                if header is None:
                    break
                by_client = header.type is _CALL or header.type is _ONEWAY
                if by_client != lane.by_client and at == inside and not flow.opened:
                    break  # the ends may have to be swapped
                reader.pass_whole()
                self._messages += 1
                message = Message(
                    header=header,
                    data=data[at:stop],
                    protocol=reader.protocol,
                    transport=reader.speaks,
                    client=flow.client,
                    server=flow.server,
                    from_client=by_client,
                    number=self._messages,
                    flow=flow.number,
                    offset=offset + (at - inside),
                    size=stop - at,
                    time=time,
                    end_time=time,
                    packets=packets,
                    limits=self._limits,
                )
                message.proxied = flow.proxied
                if self._pairs is not None:
                    self._pair(message, flow)
                if self.redactor is not None:
                    self.redactor.redact(message)
                found.append(message)
                at = stop
        if at < end:
            rest = Chunk(offset + (at - inside), data[at:end], time, packet)
            reader.heard = lane.other.acked
            made = reader.feed(rest)
            found += self._report(lane.talk, reader, lane.by_client, made, at == inside)
            self._waiting += lane.talk.count()
            if self._waiting > self._limits.waiting:
                found += self._leave_fullest()

    def close(self) -> Step:
        """There are no more packets: end what is still open.

        Returns a Step without a packet, with the messages that came of it.
        """
        self._peeler.close()
        found: list[Message] = []
        for connection in self._connections.all():
            found += self._close(connection, "the capture ends", CUT_ENDED)
        if self._pairs is not None:
            self._pairs.close(self.time)
            if self.pairing is None:
                self._pairs.settled.clear()
        return Step(None, None, None, True, "", tuple(found))

    # ── A datagram ───────────────────────────────────────────────────────────────────

    def _datagram(self, packet: Packet, segment: Segment) -> Step:
        """Read a UDP datagram: it holds whole messages, or it is not Thrift."""
        original = self._copies.of(segment)
        if original is not None:
            return self._copy(packet, segment, original)
        connection, _ = self._connections.of(segment)
        flow = connection.flow
        by_client = connection.is_from_client(segment)
        direction = connection.from_client if by_client else connection.from_server
        self._copies.remember(segment, flow.number, direction.offset)
        reader = MessageReader(True, self._limits, self._told, False, self._allowance)
        if self.plan is not None and not (segment.parts and segment.depth):
            # Fragments of a tunnel are hidden as a whole.
            self.plan.carries(segment, flow.number, direction.offset, True)
        found = reader.feed(Chunk(direction.offset, segment.payload, segment.time, segment.number))
        found += reader.close("the datagram ends")
        direction.offset += len(segment.payload)
        if flow.number > self.connections:
            self._add(flow)
            forgotten = self._connections.forget_pair()
            if forgotten is not None:
                self._forget(forgotten.flow)
        half = flow.from_client if by_client else flow.from_server
        if half.seen < 0:
            half.seen = segment.time
        if self.redactor is None:
            half.first = half.first or segment.payload[: Half.FIRST]
        flow.last = half.last = segment.time
        flow.sent, flow.received = connection.from_client.offset, connection.from_server.offset
        whole = sum(one.size for one in found) == len(segment.payload)
        known = flow.detection is not None and flow.detection.transport is not None
        if found and not known and _is_call(found[0]) != by_client:
            connection.swap()  # the ends had been guessed from their ports
            by_client = not by_client
            flow.sent, flow.received = connection.from_client.offset, connection.from_server.offset
        if not known:
            flow.detection = reader.detection
        sound = whole and not any(one.findings for one in found)
        if not found or not (known or sound or _is_meant(found[0], self._limits)):
            if not known and flow.detection is not None:
                flow.detection = self._seen(Detection(None, None, flow.detection.evidence))
            return Step(packet, segment, flow, by_client, "", ())
        if not known and flow.detection is not None:
            told = flow.detection
            transport = None if told.transport is None else told.transport.in_datagram
            flow.detection = self._seen(Detection(told.protocol, transport, told.evidence))
        if not whole:
            self._tell_unread(flow, by_client, reader, packet.number)
        if _is_call(found[0]) != by_client:
            connection.swap()
            by_client = not by_client
        messages = []
        for one in found:
            one.transport = one.transport.in_datagram
            messages.append(self._given_out(flow, segment.source, one))
        return Step(packet, segment, flow, by_client, "", tuple(messages))

    def _copy(self, packet: Packet, segment: Segment, original: Original) -> Step:
        """The Step of a datagram that was captured before, at another place."""
        flow = self._known.get(original.flow)
        if self.plan is not None and not (segment.parts and segment.depth):
            segment.source = original.source
            self.plan.carries(segment, original.flow, original.offset, True)
        is_back = flow is not None and endpoint(original.source) != flow.client
        return Step(packet, segment, flow, not is_back, "copy", ())

    def _note_unreachable(self, packet: Packet, error: Unreachable) -> None:
        """Note an ICMP error as a fact about the connection whose packet it quotes."""
        connection = self._connections.find(error.protocol, error.source, error.target)
        if connection is None or connection.flow.unreachable is not None:
            return
        flow = connection.flow
        flow.unreachable = (packet.time, error.who, error.words)
        by_client = error.source == connection.client_key
        whose, what = "client" if by_client else "server", "segment"
        if error.protocol != TCP:
            what = "datagram"
        text = (
            f"flow {flow.number}: {error.who} answered a {what} of the {whose} with ICMP "
            f"{error.words} (packet {packet.number})"
        )
        flow.findings.append(Finding(Severity.WARNING, text))

    def _tell_unread(self, flow: Flow, by_client: bool, reader: MessageReader, number: int) -> None:
        """Report which part of a datagram with a message in it was not read."""
        who = "client" if by_client else "server"
        for finding in reader.findings:
            if len(flow.findings) < MAX_FINDINGS:
                text = f"flow {flow.number}, from the {who}, packet {number}: {finding.text}"
                said = Finding(finding.severity, text, finding.offset)
                flow.findings.append(said if self.redactor is None else hushed(said))

    # ── A connection ─────────────────────────────────────────────────────────────────

    def _reader(self, talk: _Talk, by_client: bool) -> MessageReader:
        reader = talk.from_client if by_client else talk.from_server
        if reader is None:
            connection = talk.connection
            direction = connection.from_client if by_client else connection.from_server
            watched = self.plan is not None
            from_start = direction.from_start or talk.is_opened
            reader = MessageReader(from_start, self._limits, self._told, watched, self._allowance)
            reader.is_lossy = direction.skipped > 0
            if by_client:
                talk.from_client = reader
            else:
                talk.from_server = reader
            if talk.from_client is not None and talk.from_server is not None:
                talk.from_client.peer = talk.from_server
                talk.from_server.peer = talk.from_client
        return reader

    def _read(self, talk: _Talk, by_client: bool, pieces: list[Piece]) -> list[Message]:
        if self.plan is not None:
            for piece in pieces:
                if isinstance(piece, Chunk):
                    self.plan.gave(piece.number, piece.offset, len(piece.data))
        if talk.closed and by_client and pieces and self._reads_on(talk):
            pass  # a call that nobody will answer
        elif talk.closed:
            # Something was sent again after the end, or the connection has not ended.
            if talk.connection.flow.ended == "RST" and len(talk.held) < MAX_HELD:
                connection = talk.connection
                direction = connection.from_client if by_client else connection.from_server
                talk.held.append((direction, pieces))
            return []
        found_before: list[Message] = []
        if pieces and pieces[0].offset < 0:
            found_before = self._read_before(talk, by_client, pieces)
            pieces = [piece for piece in pieces if piece.offset >= 0]
            if not pieces:
                return found_before
        if talk.tls is not None:
            return found_before + self._open(talk, talk.tls, by_client, pieces)
        return found_before + self._read_in_order(talk, by_client, pieces)

    def _open(self, talk: _Talk, tls: Tls, by_client: bool, pieces: list[Piece]) -> list[Message]:
        """Read what TLS opens of these pieces, or the pieces themselves if they are no TLS."""
        tls.feed(by_client, pieces)
        if tls.is_tls is False:
            talk.tls = None
        messages: list[Message] = []
        if not talk.is_opened and not tls.opened and (not tls.is_tls or self._told.is_open):
            # What a stranger sees of it.
            messages = self._read_in_order(talk, by_client, pieces)
        return messages + self._read_opened(talk, tls)

    def _read_opened(self, talk: _Talk, tls: Tls) -> list[Message]:
        """Read what was inside TLS, if there is anything new."""
        messages: list[Message] = []
        if tls.opened and not talk.is_opened:
            flow = talk.connection.flow
            talk.is_opened = True
            talk.from_client = talk.from_server = None
            talk.requests.clear()
            talk.early.clear()
            flow.tls = tls.words
            flow.detection = None
            flow.from_client.forget_bytes()
            flow.from_server.forget_bytes()
        if talk.is_opened:
            self._count_inside(talk)
        while tls.opened:
            # Reading one may swap the ends of those that wait.
            by_client, piece = tls.opened.pop(0)
            messages += self._read_in_order(talk, by_client, [piece])
        return messages

    def _count_inside(self, talk: _Talk) -> None:
        """Say of a connection that was opened what is true of the bytes inside."""
        tls, connection = talk.tls, talk.connection
        if tls is None:
            return
        flow = connection.flow
        for half, direction, by_client in (
            (flow.from_client, connection.from_client, True),
            (flow.from_server, connection.from_server, False),
        ):
            size, half.last, closed, half.unseen = tls.inside(by_client)
            half.acked = max(0, size - max(0, direction.offset - direction.acked))
            half.shut = tls.lacking(by_client) if closed else ""
            half.lost = direction.lost if half.shut else max(direction.lost, closed)
            if by_client:
                flow.sent = size
            else:
                flow.received = size
        flow.lost = flow.from_client.lost + flow.from_server.lost

    def _tell_closed(self, talk: _Talk, tls: Tls) -> None:
        """Say what of a connection's TLS stays closed, and why."""
        flow = talk.connection.flow
        if not tls.is_tls or self._opener is None or not len(self._opener.keys):
            return
        client, server = tls.shut(True), tls.shut(False)
        head = f"flow {flow.number}"
        version = f"{tls.words} connection" if tls.words else "TLS connection"
        if client and client == server:
            flow.shut = client
        else:
            ends = (("client", client), ("server", server))
            flow.shut = "; ".join(f"from the {who}: {why}" for who, why in ends if why)
        seen = flow.detection
        if not flow.tls and seen is not None and seen.transport is not None:
            flow.shut = ""  # it was read as it is
        if flow.shut:
            text = f"{head}: {version}, not opened: {flow.shut}"
            if flow.tls:
                text = f"{head}: {version}, opened in part: {flow.shut}"
            flow.findings.append(Finding(Severity.WARNING, text))
        if tls.was_early_refused:
            text = f"{head}: the server did not take the client's early data (0-RTT)"
            flow.findings.append(Finding(Severity.NOTE, text))
        for who, by_client in (("client", True), ("server", False)):
            for alert in tls.alerts(by_client):
                text = f"{head}: the {who} sent the TLS alert {alert}"
                flow.findings.append(Finding(Severity.WARNING, text))

    def _read_in_order(self, talk: _Talk, by_client: bool, pieces: list[Piece]) -> list[Message]:
        """Read the next pieces of a direction."""
        reader = self._reader(talk, by_client)
        other = talk.from_server if by_client else talk.from_client
        if other is not None and not reader.other:
            reader.other = other.speaks
        connection = talk.connection
        flow = connection.flow
        half = flow.from_client if by_client else flow.from_server
        reader.heard = (connection.from_server if by_client else connection.from_client).acked
        found: list[Found] = []
        for piece in pieces:
            is_first = isinstance(piece, Chunk) and piece.offset == len(half.first)
            if isinstance(piece, Chunk) and is_first and self.redactor is None:
                half.first += piece.data[: Half.FIRST - len(half.first)]
            if isinstance(piece, Chunk):
                found += reader.feed(piece)
            else:
                found += reader.lose(piece, not talk.is_opened)
        return self._report(talk, reader, by_client, found)

    def _read_before(self, talk: _Talk, by_client: bool, pieces: list[Piece]) -> list[Message]:
        """Read what lies between a SYN that came late and what had been captured before it.

        What follows has been read, so a message that reaches into that is cut off.
        """
        reader = talk.before.get(by_client)
        if reader is None:
            reader = MessageReader(
                True, self._limits, self._told, self.plan is not None, self._allowance
            )
            talk.before[by_client] = reader
        stop = -1
        found: list[Found] = []
        for piece in pieces:
            if piece.offset < 0:
                found += reader.feed(piece) if isinstance(piece, Chunk) else reader.lose(piece)
                stop = piece.offset + (
                    len(piece.data) if isinstance(piece, Chunk) else piece.length
                )
        if stop == 0:
            found += reader.close(_BEHIND, CUT_LOST)
            behind = self._reader(talk, by_client)
            if reader.begun and behind.is_settled and not reader.is_settled:
                flow, who = talk.connection.flow, "client" if by_client else "server"
                text = (
                    f"flow {flow.number}, from the {who}: {reader.begun} bytes before stream "
                    f"offset 0 are no whole message: {_BEHIND}"
                )
                flow.findings.append(Finding(Severity.WARNING, text, -reader.begun))
        return self._report(talk, reader, by_client, found)

    def _end(self, connection: Connection, reason: str, is_replaced: bool = False) -> list[Message]:
        """End a connection while the capture goes on; returns the messages that came of it."""
        messages = self._close(connection, reason)
        flow = connection.flow
        if flow.ended == "RST" and not is_replaced and self._pairs is not None:
            self._reset.append(flow)
            if len(self._reset) > MAX_GRACE:
                self._end_pairs(self._reset.pop(0))
        else:
            self._end_pairs(flow)
        return messages

    def _leave_idlest(self) -> list[Message]:
        """Give up a connection, because too many are open; return what was waiting in it."""
        idlest = self._connections.idlest()
        talk = None if idlest is None else self._talks.get(idlest.flow.number)
        if talk is None:
            return []
        self._left += 1
        return self._leave(talk, "more are open than may be")

    def _leave_fullest(self) -> list[Message]:
        """Give up the connection in which most bytes wait, because too many wait in all of them.

        All are looked at for that.  Before the next time, at least as much has to come as waited in
        the one that was given up, so that this costs little.
        """
        fullest = max(self._talks.values(), key=_waiting)
        if fullest.closed:
            # It has ended, and this would only have been read if it had not.
            fullest.held.clear()
            self._waiting += fullest.count()
            return []
        self._full += 1
        return self._leave(fullest, "more bytes wait than may")

    def _leave(self, talk: _Talk, why: str) -> list[Message]:
        """Stop looking at an open connection; return what was waiting in it."""
        connection = talk.connection
        messages = self._finish(talk, why, CUT_ENDED)
        if self._pairs is not None:
            self._pairs.leave(connection.flow, self.time)
            if self.pairing is None:
                self._pairs.settled.clear()
        self._connections.forget(connection)
        self._forget(connection.flow)
        return messages

    def _settle_resets(self) -> None:
        """Settle the connections that were reset, and did not go on in time."""
        while self._reset and self.time - self._reset[0].last >= GRACE:
            self._end_pairs(self._reset.pop(0))

    def _reads_on(self, talk: _Talk) -> bool:
        """Whether to read what a client begins after the server has reset the connection.

        It is read if the client had completed everything that it had begun before.
        """
        flow = talk.connection.flow
        if flow.ended != "RST" or flow.from_server.rst < 0 or flow.from_client.rst >= 0:
            return False
        if not talk.is_clean or flow.from_client.fin >= 0 or flow.detection is None:
            return False
        self._reopen(talk)
        talk.is_late = True
        return True

    def _reopen(self, talk: _Talk) -> None:
        flow = talk.connection.flow
        talk.closed = False
        if flow in self._reset:
            self._reset.remove(flow)
        del flow.findings[talk.said :]
        self._connections.revive(talk.connection)

    def _go_on(self, talk: _Talk) -> list[Message]:
        """Read on after a reset: the connection goes on, so the RST was not its own."""
        connection = talk.connection
        connection.is_back = False
        talk.is_late = False
        if not talk.closed:
            return []
        self._reopen(talk)
        held, talk.held = talk.held, []
        messages: list[Message] = []
        for direction, pieces in held:
            messages += self._read(talk, direction is connection.from_client, pieces)
        return messages

    def _swap(self, talk: _Talk) -> None:
        """Swap client and server, because they were guessed, and wrongly."""
        talk.connection.swap()
        self._close_lanes(talk)
        talk.from_client, talk.from_server = talk.from_server, talk.from_client
        if talk.tls is not None:
            talk.tls.swap()
            if talk.is_opened:
                self._count_inside(talk)

    def _close(self, connection: Connection, reason: str, cut: str = CUT_CLOSED) -> list[Message]:
        talk = self._talks.get(connection.flow.number)
        if talk is None or talk.closed:
            return []
        messages = self._finish(talk, reason, cut)
        # The connection is remembered, so that its ports can be used again; what read it is not.
        forgotten = self._connections.end(connection)
        if forgotten is not None:
            self._forget(forgotten.flow)
        return messages

    def _finish(self, talk: _Talk, reason: str, cut: str) -> list[Message]:
        """Finish a connection: give out what waits in it, and report what is odd about it."""
        connection = talk.connection
        messages: list[Message] = []
        directions = (connection.from_client, connection.from_server)
        # Any message may show that the ends have to be swapped.
        for direction, pieces in zip(directions, connection.close(), strict=True):
            if pieces:
                messages += self._read(talk, direction is connection.from_client, pieces)
        tls = talk.tls
        if tls is not None:
            tls.close()
            messages += self._read_opened(talk, tls)
            self._tell_closed(talk, tls)
        for by_client, reader_before in talk.before.items():
            rest = reader_before.close(reason, cut)
            messages += self._report(talk, reader_before, by_client, rest)
        for reader in (talk.from_client, talk.from_server):
            if reader is not None:
                reader.look()
        for direction in directions:
            by_client = direction is connection.from_client
            reader = talk.from_client if by_client else talk.from_server
            if reader is not None:
                rest = reader.close(reason, cut)
                messages += self._report(talk, reader, by_client, rest)
                if by_client:
                    talk.is_clean = not rest and not reader.begun and reader.broke < 0
        talk.closed = True
        if self.plan is not None:
            seen = connection.flow.detection
            is_thrift = seen is not None and seen.transport is not None
            for source in (connection.client_key, connection.server_key):
                self.plan.settle(connection.flow.number, source, is_thrift)
        self._close_lanes(talk)
        talk.said = len(connection.flow.findings)
        self._compare(talk)
        self._compare_twins(connection)
        for reader in (talk.from_client, talk.from_server):
            if reader is not None:
                reader.peer = None
        talk.from_client = talk.from_server = None
        talk.before.clear()
        self._waiting += talk.count()
        return messages

    def _add(self, flow: Flow) -> None:
        self._known[flow.number] = flow
        self.connections += 1

    def _forget(self, flow: Flow) -> None:
        self._end_pairs(flow)  # for UDP, which has no other end
        if self._pairs is not None:
            self._pairs.forget(flow.number)
        talk = self._talks.pop(flow.number, None)
        if talk is not None:
            self._waiting -= talk.waiting
        if not self._keep:
            for finding in flow.findings:
                self._findings.add(finding)
            del self._known[flow.number]
            if self._dropped is not None:
                self._dropped(flow)

    def _report(
        self,
        talk: _Talk,
        reader: MessageReader,
        by_client: bool,
        found: list[Found],
        are_first: bool = True,
    ) -> list[Message]:
        """Make messages of what was found in a direction, and give its findings to the flow.

        ``are_first``: no other message was found in this segment before them.
        """
        flow = talk.connection.flow
        source = talk.connection.client_key if by_client else talk.connection.server_key
        if found and are_first and not flow.opened and _is_turned(found, by_client, flow):
            self._swap(talk)
            by_client = not by_client
        seen = None if reader.detection is None else self._seen(reader.detection)
        half = flow.from_client if by_client else flow.from_server
        half.detection = seen
        if seen is not None and (flow.detection is None or _says_more(seen, flow.detection)):
            flow.detection = seen
        if reader.findings and reader.is_settled:
            who = "client" if by_client else "server"
            for finding in reader.findings:
                text = f"flow {flow.number}, from the {who}: {finding.text}"
                said = Finding(finding.severity, text, finding.offset)
                add_finding(flow.findings, said if self.redactor is None else hushed(said))
            reader.findings.clear()
        if self.plan is not None:
            for passed in reader.passed:
                self.plan.passed(flow.number, source, passed)
            reader.passed.clear()
        if reader is not talk.before.get(by_client):
            half.begun = reader.begun
            half.broke = reader.broke
            half.why = reader.why if self.redactor is None else ""
            half.held_since, half.held_on = reader.held
            half.stall = reader.stalled
        if reader.proxied is not None:
            flow.proxied = reader.proxied
        messages = []
        for item in found:
            if item.from_client is None and item.transport.is_two_way:
                item.from_client = by_client != item.is_others
            sender = source
            if item.is_others:
                connection = talk.connection
                sender = connection.server_key if by_client else connection.client_key
            if item.header.type is MessageType.EVENT and not self._is_event_given(flow, item):
                if item.end and self._pairs is not None:
                    self._pair(_message(flow, item, 0, self._limits), flow)
                if self.redactor is not None and self.plan is not None:
                    message = _message(flow, item, 0, self._limits)
                    self.plan.message(flow.number, sender, item, self.redactor.mask(message))
                continue
            messages.append(self._given_out(flow, sender, item))
        if reader.turns:
            self._take_turns(talk, reader, found, messages)
        return messages

    def _is_event_given(self, flow: Flow, event: Found) -> bool:
        """Count an event of the connection; return whether to give it out like a message."""
        if self._pairs is not None and event.from_client is False:
            self._pairs.note_event(flow, event.offset + event.size)
        name = event.header.method
        if name in flow.events or len(flow.events) < MAX_EVENTS:
            flow.events[name] = flow.events.get(name, 0) + 1
        if name == "GOAWAY" and len(flow.goaways) < MAX_GOAWAYS:
            said = farewell(event.data)
            if said is not None:
                code, last, text = said
                if self.redactor is not None:
                    text = ""
                by_client = event.from_client is True
                flow.goaways.append(Goaway(event.time, by_client, code, last, text))
        half = flow.from_client if event.from_client else flow.from_server
        half.told = max(half.told, event.offset + event.size)
        pulse = event.transport.pulse(name, event.data)
        if pulse is not Pulse.NONE:
            _felt(flow, event, pulse)
        return self._events

    def _take_turns(
        self, talk: _Talk, reader: MessageReader, found: list[Found], messages: list[Message]
    ) -> None:
        """Join HTTP's requests and responses: one without a message may answer a call too."""
        at = 0
        for turn in reader.turns:
            message: Message | None = None
            if turn.found is not None:
                while at < len(found) and found[at] is not turn.found:
                    at += 1
                message = messages[at] if at < len(found) else None
            if turn.is_request:
                self._request(talk, turn, message)
            else:
                self._response(talk, turn)
        reader.turns.clear()

    def _request(self, talk: _Talk, turn: Turn, message: Message | None) -> None:
        flow = talk.connection.flow
        if turn.struct is not None:
            if flow.structs is None:
                flow.structs = Structs(turn.struct)
            flow.structs.count += 1
            self.structs += 1
        asked = (message, turn.struct is not None)
        if talk.early:
            self._respond(talk, asked, talk.early.pop(0))
            return
        if len(talk.requests) >= MAX_REQUESTS:
            talk.requests.pop(0)
        talk.requests.append(asked)

    def _response(self, talk: _Talk, turn: Turn) -> None:
        client, server = talk.from_client, talk.from_server
        if client is None or server is None or client.is_lossy or server.is_lossy:
            # Some are missing.  A client that does not pipeline waits for the answer to its last.
            time = 0 if turn.response is None else turn.response.time
            asked = len([1 for one, _ in talk.requests if one is None or one.time <= time])
            del talk.requests[: max(0, asked - 1)]
            if not asked:
                return
        if talk.requests:
            self._respond(talk, talk.requests.pop(0), turn)
        elif turn.response is not None and turn.response.status == 408:
            pass  # a server says so unasked, when a connection was idle
        elif talk.connection.flow.opened and len(talk.early) < MAX_REQUESTS:
            talk.early.append(turn)

    def _respond(self, talk: _Talk, asked: tuple[Message | None, bool], turn: Turn) -> None:
        message, is_struct = asked
        response = turn.response
        if response is None:
            return
        if turn.found is not None and (message is None or message.type is not _ONEWAY):
            return  # a message answers
        flow = talk.connection.flow
        is_thrift = message is not None or is_struct
        if is_struct and flow.structs is not None:
            statuses = flow.structs.statuses
            statuses[response.status] = statuses.get(response.status, 0) + 1
        if message is not None:
            if self.redactor is not None:
                response = response.bare()
            message.response = response
        if is_thrift and response.is_good and talk.from_server is not None:
            talk.from_server.note_thrift()
            seen = talk.from_server.detection
            if seen is not None:
                flow.from_server.detection = self._seen(seen)

    def _seen(self, detection: Detection) -> Detection:
        """The detection as it may be shown: without bytes of the capture, if they may be secret."""
        if self.redactor is None:
            return detection
        return Detection(detection.protocol, detection.transport, "its bytes tell (redacted)")

    def _given_out(self, flow: Flow, source: bytes, found: Found) -> Message:
        """Give out the next message, which ``source`` sent: number it, pair it, mask it."""
        self._messages += 1
        message = _message(flow, found, self._messages, self._limits)
        message.proxied = flow.proxied
        message.tls = flow.tls
        if self._pairs is not None:
            self._pair(message, flow)
        elif message.transport.teaches and self._may_learn:
            self._learn(message)
        if self.redactor is not None:
            mask = self.redactor.redact(message)
            if self.plan is not None:
                self.plan.message(flow.number, source, found, mask)
        return message

    def _compare_twins(self, connection: Connection) -> None:
        """See whether two connections that may be one carry the same, once both are over."""
        twin = connection.twin
        talk = None if twin is None else self._talks.get(twin.flow.number)
        if twin is None or (talk is not None and not talk.closed):
            return
        connection.twin = twin.twin = None
        first, second = sorted((connection.flow, twin.flow), key=_flow_number)
        if (first.sent, first.received) != (second.sent, second.received) or (
            first.from_client.first != second.from_client.first
            or first.from_server.first != second.from_server.first
        ):
            return
        second.copy_of = first.number
        self._twins += 1
        if self._twins == 1:
            self._example = (second, first)

    def _pair(self, message: Message, flow: Flow) -> None:
        """Find the exchange of a message, and give the message its names."""
        pairs = self._pairs
        assert pairs is not None
        if message.type is MessageType.EVENT and not message.end:
            return
        exchange = pairs.add(message, flow)
        if exchange.is_backwards and (message is exchange.call or message is exchange.reply):
            assert exchange.reply is not None
            count, first = flow.backwards or (0, next(iter(exchange.reply.packets), 0))
            flow.backwards = (count + 1, first)
        if message.transport.teaches and self._may_learn:
            self._learn(message)
        if self._namer is not None:
            self._namer.give(message, exchange)
        if self.pairing is None:
            pairs.settled.clear()

    def _learn(self, message: Message) -> None:
        """Take the names that a message tells; those of an IDL that was given come first."""
        learned = message.transport.learn(message, self.learned)
        if isinstance(learned, Definitions):
            self.learned = learned
            self._namer = learned.namer()
            if self._pairs is None:
                self._pairs = Pairing()
            if not self._taught_by:
                self._taught_by = message.number

    def _end_pairs(self, flow: Flow) -> None:
        if self._pairs is not None:
            self._pairs.end(flow)
            if self.pairing is None:
                self._pairs.settled.clear()

    def _compare(self, talk: _Talk) -> None:
        """Report what is odd about a connection as a whole."""
        flow = talk.connection.flow
        strays = talk.connection.strays
        if strays:
            packets = "packet" if strays == 1 else "packets"
            text = (
                f"flow {flow.number}: {strays} {packets} with RST or SYN did not end or begin it "
                f"and may be of another connection (the first is packet "
                f"{talk.connection.first_stray})"
            )
            flow.findings.append(Finding(Severity.WARNING, text))
        for who, direction in (
            ("client", talk.connection.from_client),
            ("server", talk.connection.from_server),
        ):
            if direction.missed:
                text = (
                    f"flow {flow.number}, from the {who}: {direction.missed} bytes at its "
                    "beginning were captured behind those that follow them, and were not read"
                )
                flow.findings.append(Finding(Severity.WARNING, text))
            if direction.lost:
                text = (
                    f"flow {flow.number}, from the {who}: the capture lost {direction.lost} bytes"
                )
                flow.findings.append(Finding(Severity.WARNING, text))
        if flow.backwards is not None:
            flow.findings.append(
                Finding(Severity.WARNING, f"flow {flow.number}: {backwards(flow)}")
            )
        spoken = []
        for who, reader in (("client", talk.from_client), ("server", talk.from_server)):
            if reader is None or reader.detection is None:
                continue
            if reader.detection.wrong:
                text = f"flow {flow.number}, from the {who}: {reader.detection.wrong}"
                said = Finding(Severity.ERROR, text, 0)
                flow.findings.append(said if self.redactor is None else hushed(said))
            if reader.detection.transport is not None:
                spoken.append(reader.speaks or reader.detection.transport)
        if len(spoken) == 2 and spoken[0] != spoken[1]:
            text = f"flow {flow.number}: the client speaks {spoken[0]}, the server {spoken[1]}"
            flow.findings.append(Finding(Severity.WARNING, text))


def _felt(flow: Flow, event: Found, pulse: Pulse) -> None:
    """Take note of a heartbeat, or of an end that takes no more calls."""
    mine, other = flow.from_client, flow.from_server
    if not event.from_client:
        mine, other = other, mine
    seqid = event.header.seqid
    if pulse is Pulse.ASK:
        mine.beats += 1
        # An answer may be read first; its -1 stands for it.
        if mine.unanswered.pop(seqid, 0) != -1 and len(mine.unanswered) < MAX_BEATS:
            mine.unanswered[seqid] = event.time
    elif pulse is Pulse.ANSWER:
        if other.unanswered.pop(seqid, -1) == -1 and len(other.unanswered) < MAX_BEATS:
            other.unanswered[seqid] = -1
    else:
        mine.left = event.time if pulse is Pulse.LEAVE else -1


def _says_more(one: Detection, other: Detection) -> bool:
    """Whether ``one`` tells more about a connection than ``other`` does."""
    if one.transport is None or other.protocol is not None:
        return False
    return other.transport is None or one.protocol is not None


def _message(flow: Flow, found: Found, number: int, limits: Limits) -> Message:
    message = Message(
        header=found.header,
        data=found.data,
        protocol=found.protocol,
        transport=found.transport,
        client=flow.client,
        server=flow.server,
        from_client=_is_call(found) if found.from_client is None else found.from_client,
        number=number,
        flow=flow.number,
        offset=found.offset,
        size=found.size,
        time=found.time,
        end_time=found.end_time,
        packets=found.packets,
        gaps=found.gaps,
        listed=found.findings,
        limits=limits,
        stop=found.body_stop,
    )
    if found.cut:
        message.cut_off(found.cut, found.announced)
    message.layout = found.layout
    message.end = found.end
    message.kept = found.kept
    return message


def _is_turned(found: list[Found], by_client: bool, flow: Flow) -> bool:
    """Say whether the messages show that it was the other end that sent them."""
    if found[0].from_client is not None:
        return found[0].from_client != (by_client != found[0].is_others)
    if not found[0].transport.is_two_way:
        return _is_call(found[0]) != by_client
    if flow.detection is not None and flow.detection.protocol is not None:
        return False
    for one in found:
        if one.header.type is not MessageType.EVENT and one.header.type is not _ONEWAY:
            return _is_call(one) != by_client
    return False


def _is_meant(found: Found, limits: Limits) -> bool:
    """Whether a datagram does hold a message, though something is wrong with it or after it.

    It does if the method has a name, and the struct was read to its end, or nearly to the end of
    the datagram.
    """
    header, size = found.header, len(found.data)
    if not _METHOD.match(header.method):
        return False
    start = header.span.stop
    struct = found.protocol.read_struct(found.data, start, size, (), limits)
    if struct.stop is not None:
        return True
    last = struct.fields[-1].span.stop if struct.fields else 0
    return last - start >= _NEARLY and last >= size - _NEARLY


def _is_call(found: Found) -> bool:
    return found.header.type is _CALL or found.header.type is _ONEWAY


class Capture(Shown):
    """A capture that was read as a whole; shows itself as a ladder, a table and findings.

    ``name`` is what it was read from.  ``steps`` is what each packet did; the last one is the end
    of the capture, and has no packet.  ``flows`` are its connections, ``messages`` all messages in
    the order in which they were complete, ``exchanges`` the calls with their replies.
    """

    def __init__(
        self,
        name: str,
        steps: list[Step],
        flows: list[Flow],
        findings: list[Finding],
        exchanges: Exchanges,
        ports: frozenset[int] = frozenset(),
    ) -> None:
        self.name = name
        self.steps = steps
        self.flows = flows
        self.messages = Messages([message for step in steps for message in step.messages])
        self.exchanges = exchanges
        self._findings = findings
        self._differences: Differences | None = None
        self._ports = ports
        self._diagnosis: Diagnosis | None = None

    @property
    def packets(self) -> list[Packet]:
        """The packets, in order; if fields are redacted, as they are after that."""
        return [step.packet for step in self.steps if step.packet is not None]

    @property
    def diagnosis(self) -> Diagnosis:
        """What is wrong between clients and servers, and what to change.

        Every connection has a verdict; connections that are alike share one.
        """
        if self._diagnosis is None:
            # Most readers of a capture never ask, so the rules are loaded only now.
            from .verdicts.diagnosis import Diagnoser

            diagnoser = Diagnoser(self._ports)
            diagnoser.take(self.exchanges, self.flows)
            self._diagnosis = diagnoser.diagnosis()
        return self._diagnosis

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was odd about the file, its packets, its connections and its messages.

        Of the messages, it has what listing them showed; ``message.findings`` has the rest.
        """
        listed = [finding for message in self.messages for finding in message.listed]
        return tuple(self._findings + listed)

    def use_idl(self, idl: Idl | None) -> Capture:
        """Name fields as this IDL does, and compare the messages with it; None removes the names.

        ``idl`` is as for ``read``.  Returns the capture itself.
        """
        interface = interface_of(idl)
        namer = None if interface is None else interface.namer()
        self._differences = None
        for exchange in self.exchanges:
            for message in (exchange.call, exchange.reply):
                if message is not None and namer is not None:
                    namer.give(message, exchange)
                elif message is not None:
                    message.use_names(None)
        return self

    @property
    def differences(self) -> Differences:
        """Where the messages differ from the IDL, each kind of difference once; empty without one.

        The first time, all messages are read for this.
        """
        if self._differences is None:
            self._differences = found = Differences()
            for message in self.messages:
                if message.names is None:
                    continue
                was_read = message.is_read
                found.add(message)
                if not was_read:
                    message.forget()
        return self._differences

    def __repr__(self) -> str:
        return (
            f"<Capture {self.name!r}: {len(self.packets)} packets, {len(self.flows)} connections, "
            f"{len(self.messages)} messages>"
        )


def _waiting(talk: _Talk) -> int:
    return talk.waiting


def _flow_number(flow: Flow) -> int:
    return flow.number


def _number(exchange: Exchange) -> int:
    return exchange.number


def steps_of(packets: Iterable[Packet], pipeline: Pipeline) -> Iterator[Step]:
    """The Steps of ``packets``, one at a time; the last one is the end of the capture."""
    for packet in packets:
        yield pipeline.feed(packet)
    yield pipeline.close()


def batches(
    file: CaptureFile, pipeline: Pipeline, progress: Callable[[], None] | None = None
) -> Iterator[list[Message]]:
    """Yield the messages of a file, as many at a time as one read brings.

    For callers that do not need Steps (see ``Pipeline.take``).  A batch may be empty, if exchanges
    were settled without a message.  ``progress`` is called once for each batch.
    """
    while file.advance():
        batch: list[Message] = []
        pipeline.take_from(file, batch)
        held = seen = 0
        while held < BATCH and file.advance(False):
            pipeline.take_from(file, batch)
            while seen < len(batch):
                held += len(batch[seen].data)
                seen += 1
        if progress is not None:
            progress()
        if batch or (pipeline.pairing is not None and pipeline.pairing.settled):
            yield batch
    yield list(pipeline.close().messages)


def odd(messages: Sequence[Message], deep: bool) -> list[Message]:
    """The messages with findings: those that are cut off or cannot be read to their end.

    With ``deep``, also those in which reading the fields finds something.  Differences from an IDL
    do not count.
    """
    return [
        one
        for one in messages
        if one.listed or (not one.is_sound if deep else one.fault is not None)
    ]


def read_packets(
    packets: Iterable[Packet],
    name: str = "packets",
    limits: Limits = DEFAULT_LIMITS,
    *,
    protocol: str | None = None,
    transport: str | None = None,
    ports: Iterable[int] = (),
    idl: Idl | None = None,
    redact: Iterable[str] = (),
    keys: Keys | None = None,
    http: bool = False,
) -> Capture:
    """Read packets that are at hand, whether they come from a file or from a wire.

    ``protocol`` and ``transport`` say what connections speak, if their bytes do not tell.
    ``ports``: only connections with one of these are read.  ``redact`` selects fields
    (``redaction.selectors``).  Their values are masked in the messages and in the packets, and
    nothing in the Capture holds them any more; in the packets, what was not read is masked too.
    Raises ValueError for a name that is unknown, or a selector that cannot be read.

    ``idl`` names the fields, and shows where the messages differ from it.  It is the path of a
    .thrift or a .proto file or of a set of descriptors, thriftpy2's module, or what
    ``read_interface`` gave.  Raises IdlError for a bad file.

    ``keys`` is the path of a key log, as SSLKEYLOGFILE names one, or several, or a KeyLog: what it
    opens of TLS is read as if it had not been encrypted.  A pcapng may bring its own.  With
    ``redact`` TLS stays closed, and ``keys`` are refused: ValueError.  Raises KeyLogError if a key
    log cannot be read, or if the ciphers are not installed.

    ``http``: read all that HTTP carries, pages, pictures and downloads too.
    """
    of_thrift = frozenset(ports)
    selectors = parse_selectors(redact)
    plan = Plan() if selectors else None
    if plan is not None and keys is not None:
        raise ValueError("keys and redact: what TLS hides stays hidden in what is redacted")
    pairing = Pairing()
    pipeline = Pipeline(
        limits,
        tell(protocol, transport, http),
        of_thrift,
        interface=interface_of(idl),
        redactor=Redactor(selectors, nameless=True) if selectors else None,
        plan=plan,
        pairing=pairing,
        keys=keys_of(keys),
    )
    if isinstance(packets, CaptureFile):
        pipeline.use_secrets_of(packets)
    # Nothing here makes reference cycles, and everything stays: to look for garbage would take
    # longer than to read.
    was_on = gc.isenabled()
    gc.disable()
    try:
        steps = list(steps_of(packets, pipeline))
        if plan is not None:
            _rewrite(steps, Rewriter(plan))
    finally:
        if was_on:
            gc.enable()
    findings = list(packets.findings) if isinstance(packets, CaptureFile) else []
    exchanges = Exchanges(sorted(pairing.take(), key=_number))
    capture = Capture(
        name, steps, pipeline.flows, findings + pipeline.findings, exchanges, of_thrift
    )
    # What the capture told in its middle holds for what came before, too.
    return capture if pipeline.learned is None else capture.use_idl(pipeline.learned)


def _rewrite(steps: Sequence[Step], rewriter: Rewriter) -> None:
    """Replace the packets that were read, and the segments in them, by redacted ones."""
    packets = [step.packet for step in steps if step.packet is not None]
    if rewriter.has_fragments:
        for packet in packets:
            rewriter.look(packet)
        rewriter.start()
    for step in steps:
        segment = step.segment
        if step.packet is not None:
            step.packet = rewriter.packet(step.packet)
        if step.packet is not None and segment is not None:
            if segment.parts:
                segment.payload = rewriter.payload(segment.number, segment.payload)
            else:
                stop = segment.inside + len(segment.payload)
                segment.payload = step.packet.data[segment.inside : stop]


def decode(
    data: bytes,
    limits: Limits = DEFAULT_LIMITS,
    *,
    protocol: str | None = None,
    transport: str | None = None,
    idl: Idl | None = None,
) -> Message:
    """The message that ``data`` begins with: bytes from a log, from a test, or typed by hand.

    It may be cut off or broken; then its ``findings`` say where.  Bytes after its end are not
    looked at: compare its ``size``.  Its client and server are 0.0.0.0:0.  ``protocol``,
    ``transport`` and ``idl`` are as for ``read_packets``.  Raises DecodeError if ``data`` does not
    begin with a header that can be read.

    >>> decode(bytes.fromhex("80010001 00000004 70696e67 00000000 00")).method
    'ping'
    """
    interface = interface_of(idl)
    reader = MessageReader(True, limits, tell(protocol, transport))
    found = reader.feed(Chunk(0, data)) or reader.close("the bytes end")
    if not found:
        check_header(data, limits)
        shown = data[:8].hex(" ") or "nothing"
        raise DecodeError("message", 0, found=shown, wanted="one that Thrift's libraries write")
    flow = Flow(1, TCP, Endpoint("0.0.0.0", 0), Endpoint("0.0.0.0", 0))
    message = _message(flow, found[0], 1, limits)
    message.use_names(interface)
    return message


def decode_struct(
    data: bytes,
    limits: Limits = DEFAULT_LIMITS,
    *,
    protocol: str | None = None,
    idl: Idl | None = None,
    struct: str = "",
) -> Record:
    """The struct that ``data`` holds without a message around it, as in a file or a Kafka value.

    ``protocol`` is "binary", "compact", "json" or "thriftpy2-json"; None takes the one in which
    ``data`` is a struct from its first byte to its last, with nothing odd about it.  Raises
    DecodeError if there is none; ValueError for a name that is not a protocol's.

    ``idl`` is as for ``read_packets``; ``struct`` is the name that this struct has in it.  Raises
    ValueError if the IDL has no struct of that name, or if only one of the two is given.

    >>> decode_struct(bytes.fromhex("08 0001 0000002a 00")).body.plain
    {1: 42}
    """
    interface = interface_of(idl)
    if struct and interface is None:
        raise ValueError(f"the struct {struct!r} of which idl?")
    if interface is not None and not struct:
        raise ValueError(f"idl needs struct, the name of one: {', '.join(interface.struct_names)}")
    record = _told_struct(data, limits, protocol)
    if interface is not None:
        record.use_names(interface.of_struct(struct))
    return record


def _told_struct(data: bytes, limits: Limits, protocol: str | None) -> Record:
    if protocol is not None:
        told = tell(protocol, None).protocol
        assert told is not None
        return Record(data=data, protocol=told, limits=limits)
    tried = []
    for one in (BINARY, COMPACT, JSON, THRIFTPY2_JSON):
        record = Record(data=data, protocol=one, limits=limits)
        if record.body.stop is not None and not record.findings:
            return record
        tried.append(f"{one.name} says {record.findings[0].text}" if record.findings else one.name)
    shown = data[:8].hex(" ") or "nothing"
    wanted = f"a struct in one of the protocols ({'; '.join(tried)})"
    raise DecodeError("struct", 0, found=shown, wanted=wanted)


def read(
    path: str | os.PathLike[str],
    limits: Limits = DEFAULT_LIMITS,
    *,
    protocol: str | None = None,
    transport: str | None = None,
    ports: Iterable[int] = (),
    idl: Idl | None = None,
    redact: Iterable[str] = (),
    keys: Keys | None = None,
    http: bool = False,
) -> Capture:
    """Read a capture file: pcap, pcapng, snoop or netmon, packed or not; "-" is standard input.

    If a file goes bad midway, you get what was read before that; ``findings`` says where it ended
    and why.  The other arguments are as for ``read_packets``.  Raises CaptureError if the file
    cannot be opened or is not a capture.
    """
    interface = interface_of(idl)
    with open_capture(path) as file:
        return read_packets(
            file,
            file.name,
            limits,
            protocol=protocol,
            transport=transport,
            ports=ports,
            idl=interface,
            redact=redact,
            keys=keys,
            http=http,
        )
