"""Connections: what each end did, and what a packet did to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from .messages import Carrier, Message, Protocol
from .packets import Packet, Segment
from .places import Endpoint, Facts, Finding
from .shown import Shown

__all__ = ["Detection", "Flow", "Goaway", "Half", "Stall", "Step", "Structs", "backwards"]


@dataclass(frozen=True, slots=True)
class Detection:
    """What a connection speaks, and how that is known.

    ``transport`` is None if nothing was recognised: ``evidence`` says what was seen instead.
    ``protocol`` is None then too, and if no message could be read (SASL that wraps its content);
    ``wrong`` is what keeps bytes that are almost Thrift from being Thrift ("version at offset 0: is
    0x8002, want 0x8001"), else "".
    """

    protocol: Protocol | None
    transport: Carrier | None
    evidence: str
    wrong: str = ""


class Stall:
    """A time for which an end had something to send, and might not: HTTP/2's flow control.

    ``since`` and ``until`` are in ns.  ``stream`` is the one that was held, 0 if all were, and
    ``window`` how many bytes it might send: 0, or less.  ``method`` is that of the call, "" if it
    is not known.  ``why`` says what ended the stream before it might send again, "" if it did.
    """

    __slots__ = ("method", "since", "stream", "until", "why", "window")

    def __init__(
        self, since: int, until: int, stream: int, window: int, method: str, why: str
    ) -> None:
        self.since = since
        self.until = until
        self.stream = stream
        self.window = window
        self.method = method
        self.why = why


class Half:
    """One direction of a connection: what its end did, and when.

    ``first`` are its first bytes, FIRST of them at most and only up to the first that the capture
    lost; they begin the stream if ``from_start``.  ``detection`` is what this direction speaks.
    Times are -1 for what was not seen: ``syn``, ``fin`` and ``rst`` when this end opened, closed
    and reset; ``seen`` when its first packet was captured, with or without bytes, and ``last`` when
    it last sent new bytes.  ``lost`` counts the bytes of it that the capture does not have,
    ``unseen`` those of them that came after all others: the other end acknowledged them.  ``acked``
    is how many bytes of it the other end acknowledged, even if no packet of it was seen: in that
    case counted from the first acknowledgement, and perhaps one too many, for its FIN.  ``skipped``
    counts the bytes between that one and the first that was captured: they are lost, or had passed
    before the capture began.

    ``broke`` is where Thrift's bytes could first not be read, -1 if all could; ``why`` says what is
    wrong there.  Bytes that the capture lost do not count.  ``begun`` counts its last bytes if they
    began something that never became complete, and are too few to tell what.

    ``held_since`` is when it had used up what the other end grants it (HTTP/2's flow control), -1
    if it may send; ``held_on`` is the stream that is held, 0 if all are.  ``stall`` is the longest
    such time that has ended, None if there was none.
    ``beats`` counts the heartbeats of this end that want an answer; ``unanswered`` says, by their
    ids, when those were sent that have none (ns).  ``left`` is when this end said that it takes no
    more calls (-1: it did not).  ``told`` is where the last of its events ends in its stream.
    """

    FIRST: ClassVar = 256

    __slots__ = (
        "acked",
        "beats",
        "begun",
        "broke",
        "detection",
        "fin",
        "first",
        "from_start",
        "held_on",
        "held_since",
        "last",
        "left",
        "lost",
        "rst",
        "seen",
        "shut",
        "skipped",
        "stall",
        "syn",
        "told",
        "unanswered",
        "unseen",
        "why",
    )

    def __init__(self) -> None:
        self.begun = 0
        self.broke = -1
        self.why = ""
        self.held_since = -1
        self.held_on = 0
        self.stall: Stall | None = None
        self.first = b""
        self.from_start = False
        self.detection: Detection | None = None
        self.syn = -1
        self.fin = -1
        self.rst = -1
        self.seen = -1
        self.last = -1
        self.lost = 0
        self.shut = ""
        self.unseen = 0
        self.acked = 0
        self.skipped = 0
        self.beats = 0
        self.unanswered: dict[int, int] = {}
        self.left = -1
        self.told = 0

    def forget_bytes(self) -> None:
        """Forget what its bytes said: they are TLS, and what was inside comes now."""
        self.begun = 0
        self.broke = -1
        self.why = ""
        self.first = b""
        self.detection = None
        self.from_start = True

    @property
    def lacks(self) -> bool:
        """Whether bytes of it cannot be read: the capture lost them, or TLS keeps them shut."""
        return self.lost > 0 or self.shut != ""

    @property
    def is_seen(self) -> bool:
        """Whether the capture has any packet of this end."""
        return self.seen >= 0


class Structs:
    """Structs without a message that a client posts over HTTP, as OpenTelemetry's Jaeger exporter.

    There are ``count`` of them, and ``protocol`` reads each of them whole; ``statuses`` says how
    many answers had which status.
    """

    __slots__ = ("count", "protocol", "statuses")

    def __init__(self, protocol: Protocol) -> None:
        self.count = 0
        self.protocol = protocol
        self.statuses: dict[int, int] = {}

    def __repr__(self) -> str:
        return f"<{self.count} structs, {self.protocol.name}>"


class Goaway(Facts):
    """One end says that it takes no more calls (HTTP/2's GOAWAY).

    When (ns), who, the name of the error code ("NO_ERROR"), the last stream that it still works on,
    and what it says in words.
    """

    __slots__ = ("by_client", "code", "last", "text", "time")
    __match_args__: ClassVar = ("time", "by_client", "code", "last", "text")

    def __init__(self, time: int, by_client: bool, code: str, last: int, text: str) -> None:
        self.time: Final = time
        self.by_client: Final = by_client
        self.code: Final = code
        self.last: Final = last
        self.text: Final = text

    def facts(self) -> tuple[object, ...]:
        return (self.time, self.by_client, self.code, self.last, self.text)


class Flow(Shown):
    """One connection (for UDP: two ends that talk), both directions of it.

    ``client`` is the end that sent the SYN; without one, the end that sent the first CALL; else
    that with the higher port.  ``opened``: its first packet was captured.  ``ended`` is "", "FIN"
    (both directions closed) or "RST".  ``sent`` and ``received`` count the client's and the
    server's stream bytes, ``lost`` those of both that the capture does not have.  ``began`` and
    ``last`` are the times of its first and its last packet; ``from_client`` and ``from_server`` say
    what each end did.  ``proxied`` is the client for whom a proxy connected, if a PROXY header says
    so.  ``structs``: a client posts structs without a message over HTTP.  ``events`` counts what
    its ends said for the connection itself, by name ("PING", "GOAWAY"); ``goaways`` are the first
    of its GOAWAYs.

    ``tls`` says in what it was encrypted, if a key log opened it ("TLS 1.3 (…)"): then all that is
    said of its bytes is said of those inside, and ``lost`` counts also what a loss kept from being
    opened, but not what stays shut for want of a secret.
    ``shut`` says why TLS could not be opened, or not all of it.  Else they are "".

    ``backwards`` is None, or how many replies were captured before their calls, or at an earlier
    time, and the first packet of the first.

    ``unreachable`` is None, or what an ICMP error said about its packets: when, who said it, and
    what ("port unreachable").  ``copy_of`` is 0, or the number of the connection that this one
    repeats: the capture saw it on both sides of a NAT.
    """

    __slots__ = (
        "backwards",
        "began",
        "client",
        "copy_of",
        "detection",
        "ended",
        "events",
        "findings",
        "from_client",
        "from_server",
        "goaways",
        "last",
        "lost",
        "number",
        "opened",
        "protocol",
        "proxied",
        "received",
        "sent",
        "server",
        "shut",
        "structs",
        "tls",
        "unreachable",
    )

    def __init__(self, number: int, protocol: int, client: Endpoint, server: Endpoint) -> None:
        self.number = number
        self.protocol = protocol
        self.client = client
        self.server = server
        self.opened = False
        self.ended = ""
        self.began = -1
        self.last = -1
        self.from_client = Half()
        self.from_server = Half()
        self.sent = 0
        self.received = 0
        self.lost = 0
        self.backwards: tuple[int, int] | None = None
        self.unreachable: tuple[int, str, str] | None = None
        self.copy_of = 0
        self.detection: Detection | None = None
        self.findings: list[Finding] = []
        self.proxied: Endpoint | None = None
        self.tls = ""
        self.shut = ""
        self.structs: Structs | None = None
        self.events: dict[str, int] = {}
        self.goaways: list[Goaway] = []

    @property
    def lacks(self) -> bool:
        """Whether bytes of it cannot be read: the capture lost them, or TLS keeps them shut."""
        return self.lost > 0 or self.from_client.lacks or self.from_server.lacks

    def __repr__(self) -> str:
        return f"<Flow {self.number}: {self.client} → {self.server}>"


def backwards(flow: Flow) -> str:
    """What there is to say of a connection with replies before their calls; "" if there is none."""
    if flow.backwards is None:
        return ""
    count, first = flow.backwards
    replies = "1 reply was" if count == 1 else f"{count} replies were"
    its = "its call" if count == 1 else "their calls"
    long = "that call" if count == 1 else "those calls"
    return (
        f"{replies} captured before {its} (first in packet {first}): packets are out of order in "
        f"the capture, or its clock was set back, so how long {long} took is not known"
    )


class Step:
    """What one packet did: a row of a ladder.

    ``segment`` and ``flow`` are None for a packet that has neither TCP nor UDP.  ``remark`` is ""
    or says what is odd about the segment ("retransmission", "out of order", "overlap",
    "keep-alive"; "stray": it belongs to another connection; "copy": captured before, elsewhere).
    ``messages`` are those that became complete with this packet.  The last Step of a capture may
    have no packet: it brings what ended with the capture.
    """

    __slots__ = ("flow", "from_client", "messages", "packet", "remark", "segment")

    def __init__(
        self,
        packet: Packet | None,
        segment: Segment | None,
        flow: Flow | None,
        from_client: bool,
        remark: str,
        messages: tuple[Message, ...],
    ) -> None:
        self.packet = packet
        self.segment = segment
        self.flow = flow
        self.from_client = from_client
        self.remark = remark
        self.messages = messages
