"""Connections that never came about, that carried nothing, or that are not all in the capture."""

from __future__ import annotations

from typing import Final

from ...model import UDP, Outcome, Severity, backwards
from ...protocols.purposes import counted
from ..evidence import Case, Known
from ..phrases import LOST_HERE, ending, first_bytes, now_and_then
from ..verdict import Kind, Verdict, sized, unbraced

__all__ = [
    "began_in_the_middle",
    "began_late",
    "disordered",
    "half_opened",
    "lost_packets",
    "no_answer",
    "nothing_called",
    "one_direction",
    "opened_only",
    "refused",
    "same_as_another",
    "unreachable",
]

# The largest size of a THeader frame with nothing in it, in bytes.
_EMPTY: Final = 64
THEADER_MAGIC: Final = b"\x0f\xff"


def refused(case: Case, known: Known) -> Verdict | None:
    """A SYN, and a RST in answer."""
    flow = case.flow
    if flow.from_client.syn < 0 or flow.from_server.syn >= 0 or flow.from_server.rst < 0:
        return None
    if flow.sent or flow.received:
        return None
    return Verdict(
        case.flow,
        Kind.REFUSED,
        _if_thrift(known),
        "The server's machine refused the connection: nobody listens on that port there.",
        evidence=["the client's SYN was answered with RST", now_and_then(known)],
        advice="Start the server, or correct host and port in the client. On the server's "
        "machine, ss -ltn lists what listens, and on which address: 127.0.0.1 takes no "
        "connection from elsewhere.",
        alike=(_if_known(case, known),),
    )


def no_answer(case: Case, known: Known) -> Verdict | None:
    """A SYN, perhaps sent again and again, and no answer."""
    flow = case.flow
    client, server = flow.from_client, flow.from_server
    if client.syn < 0 or max(server.syn, server.rst, server.fin, server.last) >= 0 or flow.sent:
        return None
    return Verdict(
        case.flow,
        Kind.NO_ANSWER,
        _if_thrift(known),
        "Nobody answered the client's SYN: there was no connection.",
        evidence=[
            "the capture has the client's SYN, and no packet of the server",
            now_and_then(known),
        ],
        advice="A firewall that drops packets, a machine that is down or a wrong address look "
        "like this, and so does a server that is too busy to accept (its backlog is full). It "
        "also looks like this where only one direction was captured.",
        alike=(_if_known(case, known),),
    )


def unreachable(case: Case, known: Known) -> Verdict | None:
    """The server's machine, or one on the way, says by ICMP that what was sent did not arrive."""
    flow = case.flow
    if flow.unreachable is None or flow.received:
        return None
    _, who, words = flow.unreachable
    udp = flow.protocol == UDP
    by_server = who == flow.server.host
    nobody = by_server and words == "port unreachable"
    meaning = "nobody listens on that port there" if nobody else "what was sent did not arrive"
    unnoticed = " The client learns of it with its next send, if at all." if udp else ""
    whose = "The server’s machine" if by_server else "A machine on the way"
    return Verdict(
        flow,
        Kind.UNREACHABLE,
        Severity.ERROR if case.is_thrift else _if_thrift(known),
        f"{whose} answers by ICMP: {words}: {meaning}.{unnoticed}",
        evidence=[
            "" if by_server else f"it is {who} that says so",
            first_bytes("client", flow.from_client),
            now_and_then(known),
        ],
        advice="Start the server (an agent, a collector), or correct host and port in the client. "
        f"On the server's machine, ss -l{'u' if udp else 't'}n lists what listens, and on which "
        "address."
        if nobody
        else "Look at the route, the address and the firewall between the two.",
        # Whatever is not Thrift counts together, as refused connections do.
        alike=(flow.server if case.is_thrift else _if_known(case, known), by_server, words),
        covers=Outcome,
    )


def same_as_another(case: Case, known: Known) -> Verdict | None:
    """The same connection, seen on both sides of a NAT."""
    flow = case.flow
    if not flow.copy_of:
        return None
    return Verdict(
        flow,
        Kind.SAME_AS_ANOTHER,
        Severity.NOTE,
        f"It carries the same bytes as connection {flow.copy_of}: the capture saw one connection "
        "before and behind a NAT, and counts its calls twice.",
        advice="Capture on one interface, or read one of the two: -p PORT, or a filter for an "
        "address.",
        alike=(flow.server, "copy"),
    )


def _if_thrift(known: Known) -> Severity:
    """An error if the server is known to speak Thrift: the connection itself cannot show it."""
    return Severity.ERROR if known.answered or known.told else Severity.WARNING


def _if_known(case: Case, known: Known) -> object:
    """For ``alike``: servers of Thrift one by one; all others, as those of a scan, together."""
    return case.flow.server if known.answered or known.told else None


def one_direction(case: Case, known: Known) -> Verdict | None:
    """Bytes from one end, and nothing from the other."""
    flow = case.flow
    client, server = flow.from_client, flow.from_server
    if not case.is_thrift or flow.protocol == UDP or client.is_seen == server.is_seen:
        return None
    who, other = ("client", "server") if client.is_seen else ("server", "client")
    told = (
        "whether there were answers"
        if who == "client"
        else "what was called, and how long it took,"
    )
    return Verdict(
        flow,
        Kind.ONE_DIRECTION,
        Severity.WARNING,
        f"The capture has only what the {who} sends: {told} cannot be told.",
        evidence=[first_bytes(who, client if who == "client" else server)],
        advice=f"Capture where both directions pass, or without a filter that leaves out the "
        f"{other}'s packets.",
        alike=(flow.server, who),
        covers=Outcome,
    )


def began_late(case: Case, known: Known) -> Verdict | None:
    """A capture that begins in mid-stream, with no message that proves itself."""
    flow = case.flow
    if case.is_thrift or flow.opened or not (known.answered or known.told):
        return None
    if not (flow.sent or flow.received):
        return None
    return Verdict(
        case.flow,
        Kind.BEGAN_LATE,
        Severity.NOTE,
        "The capture began when this connection was already there, and no message in the rest "
        "of it proves itself.",
        evidence=[first_bytes("client", flow.from_client), first_bytes("server", flow.from_server)],
        advice="Start the capture before the client connects, or make the client connect anew.",
        alike=(flow.server,),
    )


def opened_only(case: Case, known: Known) -> Verdict | None:
    """A connection to a Thrift server that carried nothing: a health check, a pool."""
    flow = case.flow
    half = flow.from_server
    # The THeader server of C++ writes a frame with nothing in it when it closes.
    is_empty_frame = 0 < flow.received <= _EMPTY and half.first[4:6] == THEADER_MAGIC
    if flow.sent or (flow.received and not is_empty_frame):
        return None
    if not (known.answered or known.told):
        return None
    return Verdict(
        case.flow,
        Kind.ALL_WELL,
        Severity.NOTE,
        "The client connected and sent nothing, as health checks and pools of connections do.",
        evidence=[
            "the server wrote a THeader frame without a message, as C++'s does when it closes"
            if is_empty_frame
            else "",
            ending(case),
        ],
        alike=(flow.server, "nothing"),
    )


def disordered(case: Case, known: Known) -> Verdict | None:
    """Replies that were captured before their calls."""
    flow = case.flow
    said = backwards(flow)
    if not said:
        return None
    return Verdict(
        flow,
        Kind.OUT_OF_ORDER,
        Severity.NOTE,
        f"{said[:1].upper()}{said[1:]}.",
        advice="Capture on one interface, at one end, with one clock (a capture of several queues "
        "or of two files may be sorted by time: reordercap).",
        alike=(flow.server,),
    )


def half_opened(case: Case, known: Known) -> Verdict | None:
    """TLS of which one direction stays shut, for want of its secret."""
    flow = case.flow
    ends = (("client", flow.from_client), ("server", flow.from_server))
    shut = [(who, half.shut) for who, half in ends if half.shut]
    if not shut:
        return None
    words = " and ".join(f"the {who}'s ({why})" for who, why in shut)
    return Verdict(
        flow,
        Kind.OPENED_IN_PART,
        Severity.WARNING,
        f"Not all of this connection's TLS could be opened: what is missing is {words}. The "
        "capture has those bytes, but what is in them cannot be read.",
        evidence=[unbraced(flow.shut)],
        advice="Let whichever end writes the key log (SSLKEYLOGFILE) write all of its lines, and "
        "give all of them: TLS 1.3 has a secret for each direction.",
        alike=(flow.server, *shut),
        covers=(Outcome.LOST, Outcome.NO_CALL, Outcome.NO_REPLY, Outcome.UNREADABLE),
    )


def nothing_called(case: Case, known: Known) -> Verdict | None:
    """Both ends are known, and all that they say is about the connection itself."""
    flow = case.flow
    spoken = case.client or case.server
    if case.first is not None or case.tally.replies or not flow.events or spoken is None:
        return None
    client, server = flow.from_client, flow.from_server
    if not spoken.transport.has_ids or client.broke >= 0 or server.broke >= 0:
        return None
    said = ", ".join(
        f"{unbraced(name)} ({counted(count, 'time')})" for name, count in flow.events.items()
    )
    told = []
    for who, half, peer in (("client", client, "server"), ("server", server, "client")):
        if half.beats:
            answered = half.beats - sum(time >= 0 for time in half.unanswered.values())
            told.append(
                f"{counted(half.beats, 'heartbeat')} of the {who}, {answered} answered by the "
                f"{peer}"
            )
    if flow.lost:
        return Verdict(
            flow,
            Kind.LOST_PACKETS,
            Severity.WARNING,
            f"The capture lost {sized(flow.lost)} of this connection, perhaps with calls: its ends "
            f"speak {spoken}, and all that can be read is about the connection itself: {said}.",
            evidence=[*told, ending(case)],
            advice=_CAPTURE_ADVICE,
            alike=(flow.server, "no call", "lost", tuple(sorted(flow.events))),
        )
    return Verdict(
        flow,
        Kind.ALL_WELL,
        Severity.NOTE,
        f"No call is in the capture of this connection: its ends speak {spoken}, and all that "
        f"passed is about the connection itself: {said}.",
        evidence=[*told, ending(case)],
        alike=(flow.server, "no call", tuple(sorted(flow.events))),
    )


_CAPTURE_ADVICE: Final = (
    "Capture on the machine itself, with whole packets (tcpdump -s 0), a larger buffer (-B), and a "
    "filter for the port."
)


def lost_packets(case: Case, known: Known) -> Verdict | None:
    """Bytes that the capture lost, which explain what seems to be missing."""
    flow = case.flow
    if not flow.lost or not (case.is_thrift or known.answered):
        return None
    return Verdict(
        case.flow,
        Kind.LOST_PACKETS,
        Severity.WARNING,
        f"The capture lost {sized(flow.lost)} of this connection: what seems to be missing may "
        "have been there.",
        evidence=[one.text for one in flow.findings if LOST_HERE in one.text][:2],
        advice=_CAPTURE_ADVICE,
        alike=(flow.server,),
        covers=(Outcome.LOST, Outcome.NO_CALL, Outcome.NO_REPLY, Outcome.UNREADABLE),
    )


def began_in_the_middle(case: Case, known: Known) -> Verdict | None:
    """Messages, but not the first ones of the connection."""
    flow = case.flow
    if flow.opened or flow.protocol == UDP or not case.is_thrift:
        return None
    return Verdict(
        case.flow,
        Kind.BEGAN_LATE,
        Severity.NOTE,
        "The capture began when this connection was already there: what was said before is not "
        "in it.",
        advice="Start the capture before the client connects, if the first calls matter.",
        alike=(flow.server,),
        covers=(Outcome.NO_CALL,),
    )
