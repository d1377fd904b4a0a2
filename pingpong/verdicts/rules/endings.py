"""They understand each other, or did, and then a call had no answer.

What became of a call is settled before any rule is asked (``exchanges.Pairing``).  These rules say
why, as far as the wire shows it.  A server that closes with FIN has closed in good order, as it
does when a handler fails.  A RST means that it left bytes unread, that its program was killed, or
that a device between the two has sent it: to be sure of one of them is often to be wrong.
"""

from __future__ import annotations

import re
from typing import Final

from ...calls.exchanges import HURRIED, bare_method
from ...model import CUT_CLOSED, DEFAULT_LIMITS, Outcome, Severity
from ...protocols.encodings.reading import BEGINS_INSIDE
from ...protocols.purposes import counted
from ..evidence import (
    BY_CLIENT,
    BY_SERVER,
    CLOSED,
    NOT_READ,
    ApplicationException,
    Case,
    Ended,
    Known,
    Summary,
    shown,
)
from ..phrases import (
    as_length,
    ended_after,
    ending,
    first_bytes,
    frame_above_limit,
    how_it_ended,
    patience,
    refused_length,
    text_in,
)
from ..verdict import Dialect, Kind, Verdict, lasted, sized, unbraced
from .dialects import change, check, doubt, is_usual, mismatch, same_naming
from .foreign import elsewhere

__all__ = [
    "closed_on_call",
    "closed_unasked",
    "cut_call",
    "cut_reply",
    "dropped_when_idle",
    "gave_up",
    "late_reply",
    "left_stream",
    "not_arrived",
    "still_waiting",
    "too_large",
]

# A call smaller than this, in bytes, is refused for other reasons than its size.
_LARGE: Final = 1024

# No connection is dropped sooner than this for being idle (ns).
_IDLE: Final = 10_000_000_000

# A server that cannot read what it got resets at once, or when its program gets round to it (ns).
_AT_ONCE: Final = 2_000_000_000

# A question that needs no work is answered sooner than this (ns).
_PATIENT: Final = 1_000_000_000

# A handler that fails for reasons of its own does so sooner than this; later, it is often because
# what it waited for has failed (ns).
_LONG: Final = 5_000_000_000

_SMALLER: Final = (
    "Send less at a time, or raise the limit of the {}: TConfiguration (maxFrameSize, "
    "maxMessageSize) in Apache's libraries for Java, C++ and Go, setMaxFrameSize in THeader."
)


def too_large(case: Case, known: Known) -> Verdict | None:
    """A frame whose length is above what readers accept, or that stopped a reader at once."""
    for who, other, half in (
        ("client", "server", case.flow.from_client),
        ("server", "client", case.flow.from_server),
    ):
        length = frame_above_limit(half) or refused_length(half)
        doubt = (
            " It may also be no length: bytes of something else, where two threads use one client "
            "at once, or a message that failed halfway was left in a buffer."
            if half.broke > 0
            else ""
        )
        if length:
            return Verdict(
                case.flow,
                Kind.FRAME_TOO_LARGE,
                Severity.ERROR,
                f"The {who} announces a frame of {length} bytes, more than the "
                f"{DEFAULT_LIMITS.frame} that Thrift's readers take by default"
                + (f"; the server {how_it_ended(case)}" if who == "client" else "")
                + f".{doubt}",
                evidence=[
                    f"at byte {half.broke} of what the {who} sends" if doubt else "",
                    first_bytes(who, half),
                    ending(case),
                ],
                advice=_SMALLER.format(other),
                alike=(case.flow.server, who, bool(doubt)),
                covers=NOT_READ,
                **ended_after(case),
            )
    waiting = case.of(*BY_SERVER)
    call = waiting[0].call if waiting else None
    if call is None or not case.closed_by_server or _begins_inside(case, call):
        return None
    largest = max(case.largest, known.largest)
    is_cut = call.size < call.announced
    if not known.answers(call.dialect) or call.announced <= max(largest, _LARGE):
        return None
    if not (case.left_bytes_unread or is_cut):
        return None
    how = "while it was still being sent" if is_cut else "with bytes of it unread"
    captured = f", of which {call.size} were sent" if is_cut else ""
    verb = "reset" if case.left_bytes_unread else "closed"
    return Verdict(
        case.flow,
        Kind.FRAME_TOO_LARGE,
        Severity.ERROR,
        f"The server {verb} the connection {{after}}after a call of {sized(call.announced)} had "
        f"begun{captured}, {how}: its limit is most likely below that. The largest call that it "
        f"answered has {sized(largest)}.",
        evidence=[f"CALL {call}", known.words(call.dialect), ending(case)],
        advice=_SMALLER.format("server"),
        alike=(case.flow.server, call.method),
        covers=BY_SERVER,
        **ended_after(case),
    )


# A machine that gets a segment acknowledges it sooner than this (ns).
_ACKNOWLEDGED: Final = 1_000_000_000


def not_arrived(case: Case, known: Known) -> Verdict | None:
    """A call that the other end never acknowledged: it was gone, or did not get it."""
    waiting = [one for one in case.unanswered if one.call is not None and one.reply is None]
    flow = case.flow
    if not waiting or not flow.from_server.is_seen or flow.lacks:
        return None
    first = waiting[0].call
    assert first is not None
    size = sum(one.call.size for one in waiting if one.call is not None)
    last = max(one.call.end_time for one in waiting if one.call is not None)
    if flow.sent - flow.from_client.acked < size:
        return None
    over = [time for time in (case.server_end, case.client_end) if time > first.time]
    waited = min(over, default=flow.last) - last
    if waited < _ACKNOWLEDGED or 0 <= case.server_end < first.time:
        return None
    idle = first.time - case.last_reply if case.last_reply >= 0 else 0
    was_idle = idle >= _IDLE
    begin = (
        f"The connection was idle for {{idle}}before {shown(first.method)} was sent, and n"
        if (was_idle)
        else f"The client sent {shown(first.method)}, and n"
    )
    why = (
        "Most likely a device between the two (a load balancer, a firewall, NAT) had forgotten the "
        "connection and drops what it is sent; or the server's machine is down, or cannot be "
        "reached."
        if was_idle
        else "The server's machine is down, or cannot be reached any more, or something between "
        "the two drops what it is sent."
    )
    more = f" So it is with {counted(len(waiting), 'call')} in all." if waiting[1:] else ""
    return Verdict(
        flow,
        Kind.IDLE_DROPPED if was_idle else Kind.NO_ANSWER,
        Severity.ERROR,
        f"{begin}othing acknowledged it in the {{waited}}that followed: it did not arrive.{more} "
        f"{why}",
        evidence=[
            f"{counted(case.tally.answered, 'call')} on this connection had been answered",
            f"CALL {first}",
            ending(case),
            patience(idle),
        ],
        advice="Let the client connect anew when a call on an idle connection fails, close idle "
        "connections sooner than the device does, or switch TCP keepalive on."
        if was_idle
        else "Look at the server's machine, the route to it, and what filters between the two.",
        alike=(flow.server, was_idle),
        covers=(*CLOSED, Outcome.WAITING),
        idle=idle,
        waited=waited,
    )


def _begins_inside(case: Case, call: Summary) -> list[str]:
    """The findings that say that another call begins inside this one."""
    return [
        one
        for fault in case.faults
        for one in fault.texts
        if fault.message.number == call.number and BEGINS_INSIDE in one
    ]


def cut_call(case: Case, known: Known) -> Verdict | None:
    """A call that ends before it is complete: no handler has seen it."""
    ended = [one for one in case.of(*CLOSED) if one.call is not None and one.call.cut]
    call = ended[0].call if ended else None
    if call is None:
        return None
    if not (case.tally.answered or known.answers(call.dialect)):
        odd = mismatch(case, known, call) or elsewhere(case, known, call)
        if odd is not None:
            return odd
    whole = f" of {call.announced}" if call.announced > call.size else ""
    text = f"{call.size}{whole} bytes"
    by_server = case.closed_by_server
    how = f"{{after}}after its last bytes, the {'server' if by_server else 'client'} " + (
        "reset the connection" if case.left_bytes_unread else "closed"
    )
    inside = _begins_inside(case, call)
    if inside:
        return Verdict(
            case.flow,
            Kind.OUT_OF_STEP,
            Severity.ERROR,
            f"The call {shown(call.method)} never came whole, {text}, and another call begins "
            "inside it: either it failed halfway in the client, and the next one was written "
            "behind it, or two threads use one client at once (or its own data look like a call). "
            f"The server waits for its end, and takes for it all that comes; {how}.",
            evidence=[f"CALL {call}", *inside[:1], ending(case)],
            advice="Open a new connection after a call that failed, and give each thread a client "
            "of its own: what was left of a call must not stay in a buffer.",
            alike=(case.flow.server, call.method),
            covers=CLOSED,
            **ended_after(case),
        )
    why, what_to_change = doubt(call)
    understood = case.tally.answered or known.answers(call.dialect)
    if by_server:
        reasons = (
            "the server's limit on the size of a message may be below that, it failed while it "
            "read (another version of the IDL) or was stopped, or the client sent only half of it"
        )
        if not understood:
            reasons += f", or it cannot read what this client speaks ({why})"
        advice = "The server's log at that time tells. " + _SMALLER.format("server")
        advice += "" if understood else f" {what_to_change}"
    else:
        reasons = (
            "it failed while it wrote, ended, or its timeout ran out because the server did not "
            "read on"
        )
        advice = "Look at the client's log at that time, and whether the server reads at all."
    return Verdict(
        case.flow,
        Kind.CLOSED_ON_CALL if by_server else Kind.CLIENT_GAVE_UP,
        Severity.ERROR,
        f"The call {shown(call.method)} never came whole, {text}: {how}. So no handler has seen "
        f"it: {reasons}.",
        evidence=[
            f"CALL {call}",
            first_bytes("client", case.flow.from_client),
            known.words(call.dialect),
            ending(case),
        ],
        advice=advice,
        alike=(case.flow.server, call.method, by_server),
        covers=BY_SERVER if by_server else BY_CLIENT,
        **ended_after(case),
    )


def left_stream(case: Case, known: Known) -> Verdict | None:
    """A connection that was closed in the midst of a stream of answers."""
    ended = [
        one
        for one in case.of(*BY_CLIENT, *BY_SERVER, Outcome.UNREADABLE)
        if one.parts
        and one.call is not None
        and not one.is_stream
        and (one.reply is None or one.reply.cut == CUT_CLOSED)
    ]
    if not ended:
        return None
    one = ended[0]
    call = one.call
    assert call is not None
    by_client = one.outcome in BY_CLIENT
    more = f", and so are {counted(len(ended) - 1, 'other call')}" if len(ended) > 1 else ""
    came = f"{counted(one.parts, 'message')} of the answer to {shown(call.method)} had come"
    evidence = [f"CALL {call}", ending(case)]
    if by_client:
        return Verdict(
            case.flow,
            Kind.CLIENT_GAVE_UP,
            Severity.WARNING,
            f"The client closed the connection while the answer was coming: {came}, and no end of "
            f"it{more}. Its program wanted no more, or ended.",
            evidence=evidence,
            advice="If the program was to read on: its log at that time tells.",
            alike=(case.flow.server, call.method, "left stream"),
            covers=BY_CLIENT,
            **ended_after(case),
        )
    return Verdict(
        case.flow,
        Kind.CLOSED_ON_CALL,
        Severity.ERROR,
        f"The server closed the connection in the midst of its answer: {came}, and nothing that "
        f"says how the call went{more}. It failed while it answered, or was stopped; or a device "
        "between the two cut it off.",
        evidence=evidence,
        advice="Look at the server's log at that time; if there is nothing, at what lies between "
        "(a proxy, a load balancer) and its limits.",
        alike=(case.flow.server, call.method, "left stream"),
        covers=(*BY_SERVER, Outcome.UNREADABLE),
        **ended_after(case),
    )


def cut_reply(case: Case, known: Known) -> Verdict | None:
    """A reply that was not sent to its end, or not accepted to its end."""
    ended = [
        one
        for one in case.of(*BY_CLIENT, Outcome.UNREADABLE)
        if one.reply is not None and one.reply.cut == CUT_CLOSED
    ] + [one for one in case.of(Outcome.UNREADABLE) if one.reply is not None and one.reply.cut]
    if not ended:
        return None
    one = ended[0]
    reply, call = one.reply, one.call
    assert reply is not None
    by_client = one.outcome in BY_CLIENT
    whole = f" of {reply.announced}" if reply.announced > reply.size else ""
    text = f"{reply.size}{whole} bytes of the reply {shown(reply.method)}"
    evidence = [f"CALL {call}" if call is not None else "", f"REPLY {reply}", ending(case)]
    if by_client:
        took = case.client_end - reply.time
        verb = "reset" if case.flow.from_client.fin < 0 else "closed"
        is_http = reply.dialect.transport.family.has_statuses
        return Verdict(
            case.flow,
            Kind.CLIENT_GAVE_UP,
            Severity.ERROR,
            f"The client {verb} the connection when {text} had come, {{took}}after the first of "
            "them: it would not take more. Its limit on the size of a message may be below that, "
            "its timeout may have run out while the reply came, or it could not read it and "
            f"failed{', or it had what it wanted' if is_http else ''}.",
            evidence=evidence,
            advice="The client's log at that time tells."
            + ("" if is_http else f" {_SMALLER.format('client')}"),
            alike=(case.flow.server, reply.method, "reply"),
            covers=BY_CLIENT,
            took=took,
        )
    verb = "reset" if case.left_bytes_unread else "closed"
    return Verdict(
        case.flow,
        Kind.UNREADABLE,
        Severity.ERROR,
        f"The server {verb} the connection in the midst of a reply: {text} had come, and no more "
        "did. It failed while it wrote, or was stopped; or a device between the two cut it off.",
        evidence=evidence,
        advice="Look at the server's log at that time; if there is nothing, at what lies between "
        "(a proxy, a load balancer) and its limits.",
        alike=(case.flow.server, reply.method, "cut"),
        covers=(Outcome.UNREADABLE,),
    )


# RFC 9110, 15.5.9: 408 is what a server says that closes a connection nobody used.
_UNASKED: Final = re.compile(rb"HTTP/1\.[01] 408\b")


def closed_unasked(case: Case, known: Known) -> Verdict | None:
    """The server says in HTTP that it closes a connection on which it got no request yet."""
    flow, server, call = case.flow, case.flow.from_server, case.first
    if not server.from_start or not flow.opened or _UNASKED.match(server.first) is None:
        return None
    if flow.lacks or case.tally.answered:
        return None
    if max(flow.sent, flow.from_client.acked - 1) > 0 if call is None else server.last > call.time:
        return None  # the beginning of a request, perhaps
    line = unbraced(text_in(server.first))
    said = f"The server closed an idle connection: before any request came, it sent “{line}”"
    evidence = [first_bytes("server", server), ending(case)]
    if call is None:
        return Verdict(
            flow,
            Kind.IDLE_DROPPED,
            Severity.NOTE,
            f"{said}, which nobody had asked for. No call was made.",
            evidence=evidence,
            alike=(flow.server, "unasked"),
            covers=Outcome,
        )
    return Verdict(
        flow,
        Kind.IDLE_DROPPED,
        Severity.ERROR,
        f"{said}. {shown(call.method)} was under way to it, {{later}}later: that is no answer to "
        "the call, which was never made.",
        evidence=[f"CALL {call}", *evidence],
        advice="Let the client send the call again on a new connection: nothing of it was worked "
        "on. Close idle connections in the client before the server does, or raise the server's "
        "timeout for a request's head.",
        alike=(flow.server, "unasked"),
        covers=Outcome,
        later=max(0, call.time - server.last),
    )


def dropped_when_idle(case: Case, known: Known) -> Verdict | None:
    """A call on a connection that was idle too long.

    The server had closed it before the client wrote, or a device between them had forgotten it.
    """
    ended = case.of(*BY_SERVER)
    call = case.last_call
    if not ended or call is None:
        return None
    server = case.flow.from_server
    end = case.server_end
    if all(one.call is not None and one.call.time > end for one in ended):
        idle = end - max(case.last_reply, server.syn, case.flow.began)
        return Verdict(
            case.flow,
            Kind.IDLE_DROPPED,
            Severity.ERROR,
            "The server closed the connection {idle}after it was last used, with no call open. The "
            f"client did not notice, and sent {shown(call.method)} into it {{later}}later: the "
            "call was never made.",
            evidence=[
                f"{counted(case.tally.answered, 'call')} on it had been answered",
                f"CALL {call}",
                "the server answered that with RST" if server.rst >= 0 else "",
                patience(idle),
            ],
            advice="Let the client connect anew when a call on an idle connection fails, close it "
            "before the server does, or raise the server's timeout (client_timeout in thriftpy2's "
            "make_server, 3000 ms by default; a load balancer has its own).",
            alike=(case.flow.server,),
            covers=BY_SERVER,
            idle=idle,
            later=call.time - end,
        )
    idle = call.time - case.last_reply
    waited = end - call.end_time
    if not case.tally.answered or server.fin >= 0 or server.rst < 0 or len(ended) > 1:
        return None
    if idle < _IDLE or waited > idle // 10:
        return None
    return Verdict(
        case.flow,
        Kind.IDLE_DROPPED,
        Severity.ERROR,
        f"The connection was idle for {{idle}}before {shown(call.method)} was sent, and a RST was "
        "the answer, {waited}later. Most likely a device between the two (a load balancer, a "
        "firewall, NAT) had forgotten the connection, or the server had been started anew: the "
        "call was never made.",
        evidence=[
            f"{counted(case.tally.answered, 'call')} on it had been answered",
            f"CALL {call}",
            "no FIN of the server was seen",
            patience(idle),
        ],
        advice="Let the client connect anew when a call on an idle connection fails, close idle "
        "connections sooner than the device does, or switch TCP keepalive on.",
        alike=(case.flow.server, "device"),
        covers=BY_SERVER,
        idle=idle,
        waited=waited,
    )


def late_reply(case: Case, known: Known) -> Verdict | None:
    """A reply that came after the client had sent its next call."""
    late = case.of(Outcome.LATE, Outcome.OUT_OF_SEQUENCE, *BY_CLIENT)
    reader = next((one for one in late if one.misled_by and one.call is not None), None)
    given_up = next((one for one in late if one.outcome is Outcome.LATE), None)
    if reader is None:
        return None
    everyone = [one for group in case.ended.values() for one in group]
    first = next((one for one in everyone if one.number == reader.misled_by), given_up)
    if first is None or first.call is None or first.reply is None or reader.call is None:
        return None
    if first.outcome is not Outcome.LATE and reader.outcome is Outcome.OUT_OF_SEQUENCE:
        first = given_up or first
    assert first.call is not None
    assert first.reply is not None
    second = reader.call
    same = first.call.seqid == second.seqid
    told = (
        "Both have the same seqid, so that nothing tells the client which call it answers"
        if same
        else "Clients that check the seqid say “out of sequence response”"
    )
    read = (
        "and was read as that to the second" if same else "and may have been read as the second's"
    )
    begin = "The" if same else "Either the"
    or_else = "" if same else ", or it has several calls under way, or two threads use it at once"
    threads = " It looks the same where two threads use one client at once." if same else ""
    count = len(case.of(Outcome.OUT_OF_SEQUENCE))
    more = f" In all, {count} calls read the reply to an earlier one." if count > 1 else ""
    return Verdict(
        case.flow,
        Kind.LATE_REPLY,
        Severity.ERROR,
        f"{begin} client gave up on {shown(first.call.method)} {{gave}}after it had sent it, and "
        f"went on with {shown(second.method)} on the same connection{or_else}. Then the reply to "
        f"the first came, {{late}}after its call, {read}. {told}.{more}{threads}",
        evidence=[f"CALL {first.call}", f"CALL {second}"],
        advice="After a timeout, close the connection and open a new one. Let only one thread "
        "at a time use a client.",
        alike=(case.flow.server, first.call.method, second.method),
        covers=(Outcome.LATE, Outcome.OUT_OF_SEQUENCE, *(() if same else BY_CLIENT)),
        gave=second.time - first.call.end_time,
        late=first.reply.end_time - first.call.time,
    )


# ── The server closed, and a call had no answer ──────────────────────────────────────


def closed_on_call(case: Case, known: Known) -> Verdict | None:
    """The server closed, and a call had no answer: what it did elsewhere may say why."""
    ended = [one for one in case.of(*BY_SERVER) if one.call is not None]
    call = ended[0].call if ended else None
    if call is None:
        return None
    if call.is_upgrade:
        return _probe(case, known, call)
    if case.flow.proxied is not None and not case.tally.answered and not known.takes_proxy:
        return _proxied(case, known, call)
    how = how_it_ended(case)
    evidence = [f"CALL {call}", first_bytes("client", case.flow.from_client), ending(case)]
    also = ended_after(case)
    if case.tally.answered or (known.answers(call.dialect) and same_naming(call, known)):
        return _understood(case, known, ended[0], call)
    odd = mismatch(case, known, call) or elsewhere(case, known, call)
    if odd is not None:
        return odd
    waited = ended[0].time - call.end_time
    unread = case.left_bytes_unread and case.flow.from_client.from_start and waited < _AT_ONCE
    other = call.dialect.transport.other
    if unread and other is not None and is_usual(call.dialect):
        framed = other.has_length
        took = (
            f"it is framed, and took them for the length of a frame, {as_length(case)}."
            if framed
            else "it is unframed, and took the length of the frame for the beginning of a message."
        )
        return Verdict(
            case.flow,
            Kind.UNFRAMED_ON_FRAMED if framed else Kind.FRAMED_ON_UNFRAMED,
            Severity.ERROR,
            f"The client speaks {call.dialect}; the server {how}, as one does that has not read "
            f"all bytes of the call. Most likely {took} Or it speaks something else than Thrift; "
            "or a device between the two, with no server behind it, sent the RST.",
            evidence=[*evidence, _UNREAD],
            advice=change(call.dialect, Dialect(call.dialect.protocol, other)),
            alike=(case.flow.server, call.dialect),
            covers=BY_SERVER,
            **also,
        )
    why, what_to_change = doubt(call)
    family = call.dialect.transport.family
    reason = (
        "it was stopped" if family.answers_failures else f"its handler failed {family.undeclared}"
    )
    seen = known.words(known.usual) if known.usual is not None else ""
    begin = f"The client speaks {call.dialect} and calls {shown(call.method)}; the server {how}. "
    if waited >= _LONG or patience(waited) or is_round(waited):
        return Verdict(
            case.flow,
            Kind.CLOSED_ON_CALL,
            Severity.ERROR,
            f"{begin}Either it took what it got for the beginning of something longer, waited for "
            f"the rest, and its timeout ran out ({why}); or the call was under way, and a limit of "
            "the server, or of a device between the two (a load balancer, a firewall, NAT), cut it "
            "off; or its handler failed. Nothing here tells which.",
            evidence=[
                *evidence,
                f"it waited {lasted(waited)}",
                patience(waited),
                seen or "this server answers no call in this capture",
            ],
            advice=f"The server's log tells. {what_to_change} Nothing there: find who counts, the "
            "timeouts of the server and of what lies between.",
            alike=(case.flow.server, call.dialect, call.method, "long"),
            covers=BY_SERVER,
            **also,
        )
    return Verdict(
        case.flow,
        Kind.CLOSED_ON_CALL,
        Severity.ERROR,
        f"{begin}Either it cannot read that ({why}), or {reason}: the two look alike here.",
        evidence=[*evidence, seen or "this server answers no call in this capture"],
        advice=f"The server's log tells. {what_to_change}"
        + ("" if family.answers_failures else " A traceback of the handler: mend that."),
        alike=(case.flow.server, call.dialect, call.method),
        covers=BY_SERVER,
        **also,
    )


_UNREAD: Final = "a reset at once, without a FIN: the server closed before it had read all bytes"


def _probe(case: Case, known: Known, call: Summary) -> Verdict:
    """The client asks for an upgrade before its first call; a server without it may close."""
    finagle = "finagle" in call.method
    advice = (
        "Switch the attempt off in the client: withNoAttemptTTwitterUpgrade in Finagle, "
        "attempt_ttwitter_upgrade: false in linkerd."
        if finagle
        else "Use the client without thriftpy2.contrib.tracking, or the tracking processor in the "
        "server."
    )
    return Verdict(
        case.flow,
        Kind.PROBE_REFUSED,
        Severity.ERROR,
        f"The client asks whether the server knows {'Finagle’s' if finagle else 'tracing'} headers "
        f"({shown(call.method)}); the server {how_it_ended(case, call)}, where it should answer "
        "that it knows no such method.",
        evidence=[f"CALL {call}", known.words(call.dialect), ending(case)],
        advice=advice,
        alike=(case.flow.server, call.method),
        covers=(*CLOSED, Outcome.WAITING, Outcome.LATE),
        **ended_after(case),
    )


def _proxied(case: Case, known: Known, call: Summary) -> Verdict:
    """A PROXY header, to a server that was never seen to accept one."""
    return Verdict(
        case.flow,
        Kind.OTHER_PROTOCOL,
        Severity.ERROR,
        "A load balancer writes a PROXY header before what the client sends; the server "
        f"{how_it_ended(case)}. Most likely it does not know such headers, and took it for the "
        "begin of a message; or it cannot read the call behind it, or its handler failed.",
        evidence=[
            first_bytes("client", case.flow.from_client),
            f"CALL {call}",
            known.words(known.usual) if known.usual is not None else "",
            ending(case),
        ],
        advice="Switch the PROXY protocol off for this port in the load balancer, or on in the "
        "server or in a proxy before it.",
        alike=(case.flow.server, "PROXY"),
        covers=(*CLOSED, Outcome.WAITING),
        **ended_after(case),
    )


def _understood(case: Case, known: Known, ended: Ended, call: Summary) -> Verdict:
    """The server has answered such calls, but not this one."""
    odd = _lost_its_place(case, call) or _timed_out(case, known, ended, call)
    if odd is not None:
        return odd
    last = case.last_answered
    if last is not None and last[0].is_upgrade:
        return Verdict(
            case.flow,
            Kind.CLOSED_ON_CALL,
            Severity.ERROR,
            f"The server answered the client's question {shown(last[0].method)}, and then "
            f"{how_it_ended(case, call)}, without an answer. Either bytes of the question were "
            "left unread, so that it took them for the beginning of the call, or its handler "
            "failed: the wire does not say which.",
            evidence=[f"CALL {last[0]}", f"CALL {call}", ending(case)],
            advice="Look at the server's log at that time, and try the client without that "
            "question (withNoAttemptTTwitterUpgrade in Finagle).",
            alike=(case.flow.server, call.method, "asked"),
            covers=BY_SERVER,
            **ended_after(case),
        )
    before = (
        f"{counted(case.tally.answered, 'call')} on this connection had been answered"
        if case.tally.answered
        else ""
    )
    evidence = [f"CALL {call}", before, known.words(call.dialect), ending(case)]
    how = how_it_ended(case, call)
    waited = ended.time - call.end_time
    family = call.dialect.transport.family
    # Only the server can tell which of the two it was.
    if case.left_bytes_unread or waited > _LONG:
        why = (
            "A RST without a FIN is not how a program ends whose handler failed: it left bytes "
            "unread (a limit, another version of the IDL), was killed, or a device between the two "
            "sent the RST."
            if case.left_bytes_unread
            else "Its handler failed, its own timeout ran out, or it was stopped: the wire does "
            "not say which."
        )
        return Verdict(
            case.flow,
            Kind.CLOSED_ON_CALL,
            Severity.ERROR,
            f"The server understands the client, and {how}, without an answer. {why}",
            evidence=[*evidence, patience(waited)],
            advice="Look at the server's log at that time: a traceback, a limit or a restart is "
            "there. If there is nothing, look at what lies between (load balancer, firewall, NAT).",
            alike=(case.flow.server, call.method, case.left_bytes_unread),
            covers=BY_SERVER,
            **ended_after(case),
        )
    if family.answers_failures:
        return Verdict(
            case.flow,
            Kind.CLOSED_ON_CALL,
            Severity.ERROR,
            f"The server understands the client, and {how}, without an answer. A handler that "
            f"fails is no reason for that: {family.title} answers so with an exception. It was "
            "stopped or killed; or it could not read the call, since that is longer than its limit "
            "or its values are of a kind that it does not have.",
            evidence=evidence,
            advice="Look at the server's log at that time: a restart, or what it could not read. "
            "Nothing there: look at what lies between (load balancer, firewall, NAT).",
            alike=(case.flow.server, call.method, "stopped"),
            covers=BY_SERVER,
            **ended_after(case),
        )
    return Verdict(
        case.flow,
        Kind.HANDLER_CRASHED,
        Severity.ERROR,
        f"The server understands the client, and {how}, without an answer: most likely its handler "
        f"failed {family.undeclared}, or the server was stopped.",
        evidence=evidence,
        advice="Look at the server's log at that time: the handler's own traceback is there. "
        f"{family.exception_advice}".rstrip(),
        alike=(case.flow.server, call.method),
        covers=BY_SERVER,
        **ended_after(case),
    )


def _lost_its_place(case: Case, call: Summary) -> Verdict | None:
    """The server said that it could not read the call before, and then refused this one."""
    unread = _unread_before(case, call)
    if unread is None:
        return None
    before, said = unread
    text = f": “{unbraced(said.text[:100])}”" if said.text else ""
    return Verdict(
        case.flow,
        Kind.OUT_OF_STEP,
        Severity.ERROR,
        f"The server could not read the arguments of {shown(before.method)} and said so "
        f"({said.type}{text}). It then took what follows for something else, and "
        f"{how_it_ended(case, call)}: most likely bytes of the call before were left unread, so "
        "that it is out of step.",
        evidence=[f"CALL {before}", f"CALL {call}", ending(case)],
        advice="Compare the IDL of both sides: a field's type, an enum's value or a required field "
        "that one of them does not know; mostly the client is newer than the server. After such an "
        "exception, close the connection and open a new one.",
        alike=(case.flow.server, before.method, call.method),
        covers=BY_SERVER,
        **ended_after(case),
    )


def _unread_before(case: Case, call: Summary) -> tuple[Summary, ApplicationException] | None:
    """The call answered last before this one, if the answer was that it could not be read."""
    before = case.last_unread
    if before is None or before.call.dialect.transport.answers_always:
        return None
    last = case.last_answered
    if last is None or last[0].number != before.call.number or before.call.number > call.number:
        return None
    return before.call, before


def _timed_out(case: Case, known: Known, ended: Ended, call: Summary) -> Verdict | None:
    """The call waited for a round time and was cut off: somebody's timer ran out."""
    waited = ended.time - call.end_time
    told = patience(waited)
    if ended.time < 0 or not (told or is_round(waited)):
        return None
    return Verdict(
        case.flow,
        Kind.CUT_OFF,
        Severity.ERROR,
        f"{shown(call.method)} waited {{waited}}for its answer, and then the connection was "
        f"{'reset' if case.left_bytes_unread else 'closed'} from the server's side: so exact a "
        "time is a limit that somebody has set. It may be a device between the two (a load "
        "balancer, a firewall, NAT), and the call may go on in the server; or the server's own.",
        evidence=[f"CALL {call}", f"it waited {lasted(waited)}", told, ending(case)],
        advice="Find who counts: the idle timeouts of load balancer, firewall and NAT, then the "
        "server's. Switch TCP keepalive on, raise that limit, or make the call asynchronous.",
        alike=(case.flow.server, call.method),
        covers=BY_SERVER,
        waited=waited,
    )


def is_round(waited: int) -> bool:
    """Whether somebody set that time (ns): whole tens of seconds, to 10 ms or a thousandth of it.

    The thousandth counts up to 100 ms.
    """
    ten = 10_000_000_000
    off = min(waited % ten, ten - waited % ten)
    return waited >= ten // 2 and off <= max(10_000_000, min(waited // 1000, 100_000_000))


# ── The client closed, or nobody did ─────────────────────────────────────────────────


def gave_up(case: Case, known: Known) -> Verdict | None:
    """The client closed while a call waited, or before its answer had come."""
    # Late replies that another call may have read are reported with that call.
    told = {one.misled_by for group in case.ended.values() for one in group}
    ended = [
        one
        for one in case.of(*BY_CLIENT, Outcome.LATE)
        if one.call is not None and one.number not in told
    ]
    call = ended[0].call if ended else None
    if call is None:
        return None
    if call.is_upgrade:
        return _probe(case, known, call)
    if not case.tally.answered:
        odd = mismatch(case, known, call) or elsewhere(case, known, call)
        if odd is not None:
            return odd
    if ended[0].is_overdue:
        return _overdue(case, ended[0], call)
    waited = case.client_end - call.end_time
    if waited < HURRIED:
        return _did_not_wait(case, known, call, waited)
    unread = _unread_before(case, call)
    after = case.flow.from_server.last
    came = after if after > case.client_end else -1
    understood = bool(case.tally.answered) or known.answers(call.dialect)
    doubtful = (
        ""
        if understood
        else " Or the server waits too: nothing shows that it could read the call. One that took "
        "the first bytes for a length waits for that many."
    )
    if unread is not None:
        doubtful = (
            f" Or the server waits too: it could not read the arguments of the call before, "
            f"{shown(unread[0].method)} ({unread[1].type}), and where bytes of that were left "
            "unread, it is out of step and takes them for the beginning of this one."
        )
    later = " The server answered {came}later, to nobody." if came >= 0 else ""
    times = {"waited": waited}
    if came >= 0:
        times["came"] = came - case.client_end
    return Verdict(
        case.flow,
        Kind.CLIENT_GAVE_UP,
        Severity.ERROR,
        f"The client closed the connection {{waited}}after it had sent {shown(call.method)}, "
        f"without an answer: it gave up.{later}{doubtful}",
        evidence=[
            f"CALL {call}",
            ending(case),
            patience(waited),
            known.words(call.dialect),
        ],
        advice="Find out why the server takes that long, or let the client wait longer: its "
        f"timeout is set {call.dialect.transport.family.timeouts_in}."
        + ("" if understood else f" {check(call)}"),
        alike=(case.flow.server, call.dialect, call.method),
        covers=(*BY_CLIENT, Outcome.LATE),
        **times,
    )


def _overdue(case: Case, one: Ended, call: Summary) -> Verdict:
    """The client had said with its call how long it would wait, and closed when that was over."""
    family = call.dialect.transport.family
    return Verdict(
        case.flow,
        Kind.CLIENT_GAVE_UP,
        Severity.ERROR,
        f"The deadline of {shown(call.method)} passed: the client gave it {{deadline}}to answer, "
        "and closed the connection {waited}after it had sent the call. Its program gets "
        f"{family.overdue}, which the client says itself; the server may have worked on, and what "
        "it did is not undone.",
        evidence=[f"CALL {call}", one.why, ending(case)],
        advice="Find out why the server takes that long, or let the client wait longer: its "
        f"timeout is set {family.timeouts_in}.",
        alike=(case.flow.server, call.method, "deadline"),
        covers=(*BY_CLIENT, Outcome.LATE),
        waited=one.waited,
        deadline=one.deadline,
    )


def _did_not_wait(case: Case, known: Known, call: Summary, waited: int) -> Verdict:
    """The client closed sooner than any timeout would run out."""
    answered = {bare_method(one) for one in known.methods}
    is_answered = bare_method(call.method) in answered
    # What HTTP carries has a reply, always.
    is_asking = is_answered or call.dialect.transport.family.has_statuses
    why = (
        "The client ended or failed, be it about what it had read before, or another of its "
        "threads closed the connection."
        if is_asking
        else "Either the method is oneway, which old libraries and Go's send as CALL, or the "
        "client ended or failed."
    )
    advice = "" if is_asking else "If the IDL says that the method is oneway, nothing is wrong. "
    understood = case.tally.answered or known.answers(call.dialect)
    return Verdict(
        case.flow,
        Kind.CLIENT_GAVE_UP,
        Severity.ERROR if is_answered else Severity.WARNING,
        f"The client closed the connection {{waited}}after it had sent {shown(call.method)}, "
        f"and did not wait for an answer: no timeout is so short. {why}",
        evidence=[f"CALL {call}", ending(case), known.words(call.dialect)],
        advice=f"{advice}Look at the client's log at that time. "
        f"{'' if understood else check(call)}".rstrip(),
        alike=(case.flow.server, call.dialect, call.method, "at once"),
        covers=(*BY_CLIENT, Outcome.LATE),
        waited=waited,
    )


def still_waiting(case: Case, known: Known) -> Verdict | None:
    """The capture ends while a call waits."""
    ended = [one for one in case.of(Outcome.WAITING) if one.call is not None]
    call = ended[0].call if ended else None
    if call is None:
        return None
    if not case.tally.answered and case.is_whole:
        odd = mismatch(case, known, call)
        if odd is not None:
            return odd
    waited = max(case.flow.last - call.end_time, 0)
    if waited >= _PATIENT:
        if call.is_upgrade:
            return _probe(case, known, call)
        if case.flow.proxied is not None and not case.tally.answered and not known.takes_proxy:
            return _proxied(case, known, call)
    understood = bool(case.tally.answered) or known.answers(call.dialect) or ended[0].why
    unread = _unread_before(case, call)
    more = f", and {counted(len(ended) - 1, 'other call')}" if len(ended) > 1 else ""
    return Verdict(
        case.flow,
        Kind.WAITING,
        Severity.NOTE if waited < _IDLE else Severity.WARNING,
        f"The capture ends {{after}}after the call {shown(call.method)}, which has no answer "
        f"yet{more}.",
        evidence=[
            f"CALL {call}",
            ended[0].why,
            "the connection is open",
            f"{call.size} of its {call.announced} bytes were sent"
            if call.announced > call.size
            else "it was not sent to its end"
            if call.cut
            else "",
            f"the server could not read the arguments of the call before, "
            f"{shown(unread[0].method)} ({unread[1].type}): it may be out of step"
            if unread is not None
            else "",
            "the client went on without an answer, as it does where a method is oneway and sent "
            "as CALL"
            if len(ended) > 1 and not case.tally.answered
            else "",
            ""
            if understood
            else "nothing shows that the server can read the call: one that took its first bytes "
            "for a length waits for that many more",
        ],
        advice="" if understood else check(call),
        alike=(case.flow.server, call.dialect, call.method, bool(more)),
        covers=(Outcome.WAITING,),
        after=waited,
    )
