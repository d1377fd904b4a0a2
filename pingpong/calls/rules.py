"""The rules: a connection, and what is known of its server, to a Verdict.

    RULES   the first that has something to say is the verdict
    ALSO    what the capture lacks, said besides

A verdict stands on what is on the wire: the first bytes of each direction, who closed when,
which calls were answered.  Much of it looks alike: a server that cannot read a call and a
handler that failed both close the connection without a word.  What tells them apart is what
the same server did elsewhere: it answered this client before, or others in another dialect.
Where nothing does, the verdict says so, and names both.

Two signs need no second connection.  A server that resets at once has closed with bytes
unread (RFC 2525, 2.17), so it had not read the call to its end.  And an answer in another
dialect needs no comment.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ..model import DEFAULT_LIMITS, Half, Severity
from .case import Case, Known, Said, Tally, dialect_of, shown
from .numbers import Certainty, Family, Reading, explain_bytes
from .roles import counted
from .verdict import Dialect, Kind, Verdict, sized, unbraced
from .wording import (
    as_length,
    ended_after,
    ending,
    failed,
    first_bytes,
    frame_above_limit,
    how_it_ended,
    line_of,
    now_and_then,
    others,
    patience,
)

__all__ = ["ALSO", "RULES", "all_well", "verdicts"]

# ── The rules ────────────────────────────────────────────────────────────────────────

# Each looks at a Case and at what is Known of its server, and gives a Verdict or None.  The
# first of RULES that gives one counts; all of ALSO are asked.
Rule = Callable[[Case, Known], "Verdict | None"]


def refused(case: Case, known: Known) -> Verdict | None:
    """A SYN, and a RST for an answer."""
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
    """A SYN, sent and sent again, and nothing."""
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


def _if_thrift(known: Known) -> Severity:
    """Nothing shows that a connection that never was would have been Thrift, but its server."""
    return Severity.ERROR if known.answered or known.told else Severity.WARNING


def _if_known(case: Case, known: Known) -> object:
    """One by one for servers of Thrift; all others together, such as those of a scan."""
    return case.flow.server if known.answered or known.told else None


def one_direction(case: Case, known: Known) -> Verdict | None:
    """Bytes of one end, and not even the SYN of the other."""
    flow = case.flow
    client, server = flow.from_client, flow.from_server
    if not flow.opened or not case.is_thrift or (client.syn >= 0) == (server.syn >= 0):
        return None
    who, other = ("client", "server") if client.syn >= 0 else ("server", "client")
    if flow.received if who == "client" else flow.sent:
        return None
    return Verdict(
        flow,
        Kind.LOST_PACKETS,
        Severity.WARNING,
        f"The capture has only what the {who} sends: whether there were answers cannot be told.",
        evidence=[first_bytes(who, client if who == "client" else server)],
        advice=f"Capture where both directions pass, or without a filter that leaves out the "
        f"{other}'s packets.",
        alike=(flow.server, who),
    )


def began_late(case: Case, known: Known) -> Verdict | None:
    """Mid-stream, and no message proved itself."""
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


def too_large(case: Case, known: Known) -> Verdict | None:
    """A frame whose length is above what readers take, or that stopped a reader at once."""
    for who, other, half in (
        ("client", "server", case.flow.from_client),
        ("server", "client", case.flow.from_server),
    ):
        length = frame_above_limit(half)
        if length:
            return Verdict(
                case.flow,
                Kind.FRAME_TOO_LARGE,
                Severity.ERROR,
                f"The {who} announces a frame of {length} bytes, more than the "
                f"{DEFAULT_LIMITS.frame} that Thrift's readers take by default; the {other} "
                f"{how_it_ended(case)}.",
                evidence=[first_bytes(who, half), ending(case)],
                advice=_SMALLER.format(other),
                alike=(case.flow.server, who),
                **ended_after(case),
            )
    waiting = case.waiting
    if not waiting or not case.left_bytes_unread:
        return None
    call, largest = waiting[0], max(case.largest, known.largest)
    if not known.answers(call.dialect) or call.size <= max(largest, _LARGE):
        return None
    return Verdict(
        case.flow,
        Kind.FRAME_TOO_LARGE,
        Severity.ERROR,
        f"The server reset the connection {{after}}after a call of {sized(call.size)}, with "
        f"bytes of it unread; the largest that it answered has {largest}: its limit lies "
        "between them.",
        evidence=[f"CALL {call}", known.words(call.dialect), ending(case)],
        advice=_SMALLER.format("server"),
        alike=(case.flow.server, call.method),
        **ended_after(case),
    )


# A smaller call is refused for other reasons.
_LARGE: Final = 1024

_SMALLER: Final = (
    "Send less at a time, or raise the limit of the {}: TConfiguration (maxFrameSize, "
    "maxMessageSize) in Apache's libraries for Java, C++ and Go, setMaxFrameSize in THeader."
)


def foreign_client(case: Case, known: Known) -> Verdict | None:
    """What connects to a Thrift server is no Thrift client."""
    flow = case.flow
    if case.client is not None or not (known.answered or known.told or case.server is not None):
        return None
    reading = foreign_in(flow.from_client)
    if reading is None:
        return None
    return Verdict(
        case.flow,
        _kind_of(reading),
        Severity.ERROR,
        f"This Thrift server was reached by {reading.sender}. It sends {reading.what}; the server "
        f"{how_it_ended(case)}.",
        evidence=[first_bytes("client", flow.from_client), others(known), ending(case)],
        advice=reading.remedy,
        alike=(flow.server, reading.what),
        **ended_after(case),
    )


def foreign_server(case: Case, known: Known) -> Verdict | None:
    """What a Thrift client has reached is no Thrift server."""
    flow = case.flow
    if case.server is not None or case.client is None:
        return None
    reading = foreign_in(flow.from_server)
    if reading is None or reading.family is Family.SASL:
        return None
    over = ""
    if reading.family is Family.HTTP and case.client.transport == "http":
        over = " The answer is HTTP, as it should be, but there is no Thrift in it: "
        over += line_of(flow.from_server)
    greets = 0 <= flow.from_server.last <= flow.from_client.last and flow.from_client.first
    return Verdict(
        case.flow,
        _kind_of(reading),
        Severity.ERROR,
        f"The client speaks {case.client} and has reached {reading.sender}, which sends "
        f"{reading.what}.{over}",
        evidence=[
            first_bytes("client", flow.from_client),
            first_bytes("server", flow.from_server),
            "the server spoke first" if greets else "",
        ],
        advice="Look at the path of the URL, and at the log of the HTTP server."
        if over
        else reading.remedy,
        alike=(flow.server, reading.what),
    )


_KINDS: Final = {
    Family.HTTP: Kind.HTTP,
    Family.TLS: Kind.TLS,
    Family.SASL: Kind.SASL,
    Family.REFUSAL: Kind.SASL,
}


def _kind_of(reading: Reading) -> Kind:
    family = reading.family
    return Kind.OTHER_PROTOCOL if family is None else _KINDS.get(family, Kind.OTHER_PROTOCOL)


# What first bytes say beyond doubt that no Thrift message begins with.
_FOREIGN: Final = frozenset({Family.HTTP, Family.GRPC, Family.TLS, Family.PROXY, Family.FOREIGN})


def foreign_in(half: Half) -> Reading | None:
    """What a direction begins with, if that is known and no Thrift."""
    if not half.from_start or not half.first or dialect_of(half) is not None:
        return None
    readings = explain_bytes(half.first).readings
    if not readings or readings[0].certainty is Certainty.POSSIBLE:
        return None
    return readings[0] if readings[0].family in _FOREIGN else None


# The statuses of a SASL negotiation: doc/specs/thrift-sasl-spec.txt.
_BAD, _ERROR, _COMPLETE = 3, 4, 5


def sasl(case: Case, known: Known) -> Verdict | None:
    """A negotiation that one side refuses, or that only one side knows of."""
    flow = case.flow
    client, server = case.client, case.server
    asks = client is not None and client.transport == "sasl"
    status, text = _refusal(flow.from_server)
    if client is None or case.tally.answered or not (asks or status):
        return None
    if status:
        what = "BAD" if status == _BAD else "ERROR"
        begin = (
            "The server refuses the SASL negotiation"
            if asks
            else f"The server wants SASL, and the client speaks {client} without it: it answers"
        )
        return Verdict(
            case.flow,
            Kind.SASL,
            Severity.ERROR,
            f"{begin} with {what}{f': {text}' if text else ''}.",
            evidence=[
                first_bytes("client", flow.from_client),
                first_bytes("server", flow.from_server),
            ],
            advice="Check user, password or ticket, and that both sides name the same mechanism "
            "(PLAIN, GSSAPI)."
            if asks
            else _USE_SASL,
            alike=(flow.server, what, asks),
        )
    if server is not None or flow.from_server.first:
        return None
    if any(dialect.transport == "sasl" for dialect, _ in known.answered) or not (
        known.answered or case.closed_by_server or case.closed_by_client
    ):
        return None
    return Verdict(
        case.flow,
        Kind.SASL,
        Severity.ERROR,
        f"The client begins a SASL negotiation; the server {how_it_ended(case)}: "
        + ("it does without SASL." if known.answered else "it does not seem to know SASL."),
        evidence=[first_bytes("client", flow.from_client), others(known), ending(case)],
        advice=_USE_SASL,
        alike=(flow.server,),
        **ended_after(case),
    )


_USE_SASL: Final = (
    "Use SASL on both sides, or on neither: TSaslClientTransport (thriftpy2, thrift_sasl) "
    "in the client, and in Hive and Impala the server's authentication; NOSASL is without."
)


def _refusal(half: Half) -> tuple[int, str]:
    """The status with which a server refuses a negotiation, and its text; 0 if it does not."""
    data = half.first
    at = 0
    while half.from_start and len(data) >= at + 5 and 1 <= data[at] <= _COMPLETE:
        length = int.from_bytes(data[at + 1 : at + 5], "big")
        if length > 65_536:
            break
        if data[at] in (_BAD, _ERROR):
            text = data[at + 5 : at + 5 + length].decode("utf-8", "backslashreplace")
            return data[at], unbraced(text[:120])
        at += 5 + length
    return 0, ""


def sasl_alone(case: Case, known: Known) -> Verdict | None:
    """A negotiation that went well, and nothing behind it that can be read."""
    client, server = case.client, case.server
    if case.first is not None or client is None or server is None or case.tally.replies:
        return None
    if client.transport != "sasl" or server.transport != "sasl":
        return None
    return Verdict(
        case.flow,
        Kind.NOT_RECOGNISED,
        Severity.NOTE,
        "Both sides speak SASL, and no message behind it can be read: the mechanism signs or hides "
        "what they say, or they said nothing.",
        evidence=[
            first_bytes("client", case.flow.from_client),
            first_bytes("server", case.flow.from_server),
        ],
        alike=(case.flow.server,),
    )


def answers_differ(case: Case, known: Known) -> Verdict | None:
    """The server answers, and not as it was spoken to."""
    client, server = case.client, case.server
    if client is None or server is None or client == server or not case.flow.opened:
        return None
    if "" in (client.protocol, server.protocol) or case.tally.calls > 1:
        return None  # SASL and its like; or the client read the answer, and went on
    evidence = [
        first_bytes("client", case.flow.from_client),
        first_bytes("server", case.flow.from_server),
        ending(case),
    ]
    alike = (case.flow.server, client, server)
    if {client.protocol, server.protocol} == {"binary", "binary-old"}:
        if client.transport == server.transport and server.protocol == "binary":
            return None  # an old client that is answered strictly: its readers take both
        if client.transport == server.transport:
            return Verdict(
                case.flow,
                Kind.STRICT_ON_OLD,
                Severity.WARNING,
                f"The client speaks {client}, and the server answers in {server}, without a "
                "version. Some clients take both; strict ones, as thriftpy2's are by default, "
                "refuse it.",
                evidence=evidence,
                advice="Switch strict_write on in the server (strictWrite in Apache's), or "
                "strict_read off in the client.",
                alike=alike,
            )
    return Verdict(
        case.flow,
        Kind.DIALECTS_DIFFER,
        Severity.ERROR,
        f"The client speaks {client}, and the server answers in {server}: the client cannot "
        "read it.",
        evidence=evidence,
        advice="Give the server the same factories for what it reads and for what it writes "
        "(itrans_factory and otrans_factory, iprot_factory and oprot_factory in thriftpy2).",
        alike=alike,
    )


def multiplexed_on_plain(case: Case, known: Known) -> Verdict | None:
    """ "Service:method" is the name of no method here."""
    for count, one in case.failures.values():
        # A multiplexed server answers with the method alone.
        if one.type == "UNKNOWN_METHOD" and ":" in one.call.method and ":" in one.replied:
            return Verdict(
                case.flow,
                Kind.MULTIPLEXED_ON_PLAIN,
                Severity.ERROR,
                f"The client is multiplexed: it calls {shown(one.call.method)}. The server is "
                "not: it takes all of that for a method's name, and knows no such method.",
                evidence=[f"CALL {one.call}", failed(count, one)],
                advice="Take TMultiplexedProtocol out of the client, or use a "
                "TMultiplexedProcessor in the server.",
                alike=(case.flow.server,),
            )
    return None


def dropped_when_idle(case: Case, known: Known) -> Verdict | None:
    """The server closed between two calls, and the client wrote into it."""
    server = case.flow.from_server
    end, call = case.server_end, case.last_call
    if call is None or end < 0 or call.time <= end or not case.open:
        return None
    earlier = [one for one in case.open.values() if _waited_at(one, case, end)]
    if earlier:
        return None
    idle = end - max(case.last_reply, case.flow.from_server.syn, case.flow.began)
    return Verdict(
        case.flow,
        Kind.IDLE_DROPPED,
        Severity.ERROR,
        "The server closed the connection {idle}after it was last used, with no call open. The "
        f"client did not notice, and sent {shown(call.method)} into it {{later}}later: the call "
        "was never made.",
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
        idle=idle,
        later=call.time - end,
    )


def _waited_at(call: Said, case: Case, end: int) -> bool:
    """Did that call wait when the server closed?"""
    return case.last_reply <= call.time <= end


def late_reply(case: Case, known: Known) -> Verdict | None:
    """A reply that came when the client had already sent its next call."""
    if case.late is None:
        return None
    first, second, came = case.late
    same = first.seqid == second.seqid
    if not same and (case.after_late or case.client_end < 0):
        return None  # it went on: a client that sends calls without waiting
    told = (
        "Both have the same seqid, so that nothing tells the client which call it answers"
        if same
        else "Clients that check the seqid say “out of sequence response”"
    )
    return Verdict(
        case.flow,
        Kind.LATE_REPLY,
        Severity.ERROR,
        f"The client gave up on {shown(first.method)} {{gave}}after it had sent it, and went on "
        f"with {shown(second.method)} on the same connection. Then the reply to the first came, "
        f"{{late}}after its call, and was read as that to the second. {told}.",
        evidence=[f"CALL {first}", f"CALL {second}"],
        advice="After a timeout, close the connection and open a new one. Let only one thread "
        "at a time use a client.",
        alike=(case.flow.server, first.method, second.method),
        gave=second.time - first.end_time,
        late=came - first.time,
    )


def closed_on_call(case: Case, known: Known) -> Verdict | None:
    """The server closed, and a call had no answer."""
    call = _unanswered(case)
    if call is None or not case.closed_by_server:
        return None
    if _is_oneway(case, known):
        return None
    how = how_it_ended(case)
    evidence = [f"CALL {call}", first_bytes("client", case.flow.from_client), ending(case)]
    also = ended_after(case)
    if case.tally.answered or (known.answers(call.dialect) and _same_naming(call, known)):
        return _crashed(case, known, call)
    odd = _mismatch(case, known, call) or _elsewhere(case, known, call)
    if odd is not None:
        return odd
    unread = case.left_bytes_unread and case.flow.from_client.from_start
    if unread and call.dialect.transport == "unframed":
        return Verdict(
            case.flow,
            Kind.UNFRAMED_ON_FRAMED,
            Severity.ERROR,
            f"The client speaks {call.dialect}; the server {how}, with bytes of the call unread: "
            "it took the first of them for something else. Most likely it is framed, and took "
            f"them for the length of a frame, {as_length(case)}.",
            evidence=[*evidence, _UNREAD],
            advice=_change(call.dialect, Dialect(call.dialect.protocol, "framed")),
            alike=(case.flow.server, call.dialect),
            **also,
        )
    if unread and call.dialect.transport == "framed":
        return Verdict(
            case.flow,
            Kind.FRAMED_ON_UNFRAMED,
            Severity.ERROR,
            f"The client speaks {call.dialect}; the server {how}, with bytes of the call unread: "
            "it took the first of them for something else. Most likely it is unframed, and took "
            "the length of the frame for the begin of a message.",
            evidence=[*evidence, _UNREAD],
            advice=_change(call.dialect, Dialect(call.dialect.protocol, "unframed")),
            alike=(case.flow.server, call.dialect),
            **also,
        )
    why, use = _doubt(call)
    seen = known.words(known.usual) if known.usual is not None else ""
    return Verdict(
        case.flow,
        Kind.CLOSED_ON_CALL,
        Severity.ERROR,
        f"The client speaks {call.dialect} and calls {shown(call.method)}; the server {how}. "
        f"Either it cannot read that ({why}), or its handler failed in a way that the IDL does not "
        "declare: the two look alike here.",
        evidence=[*evidence, seen or "this server answers no call in this capture"],
        advice="The server's log tells. “No protocol version header”, “Bad version” or “Frame "
        f"size” there: use {use} in the client. A traceback of the handler: mend that.",
        alike=(case.flow.server, call.dialect, call.method),
        **also,
    )


def _doubt(call: Said) -> tuple[str, str]:
    """Why a server may not be able to read that, and what to use in the client then."""
    transport = call.dialect.transport
    other = {"framed": "unframed", "unframed": "framed"}.get(transport)
    if other is None:
        around = Dialect("", transport)
        both = f"{_class_of(Dialect('', 'framed'))} or {_class_of(Dialect('', 'unframed'))}"
        return f"it knows nothing of {around}, or speaks another protocol", both
    why = f"it is {other}, or speaks another protocol"
    if ":" not in call.method:
        why = f"it is {other}, speaks another protocol, or wants a service's name"
    return why, _class_of(Dialect("", other))


_UNREAD: Final = "a reset at once, without a FIN: the server closed before it had read all bytes"


def _crashed(case: Case, known: Known, call: Said) -> Verdict:
    before = (
        f"{counted(case.tally.answered, 'call')} on this connection had been answered"
        if case.tally.answered
        else ""
    )
    return Verdict(
        case.flow,
        Kind.HANDLER_CRASHED,
        Severity.ERROR,
        f"The server understands the client, and {how_it_ended(case, call)}, without an answer: "
        "its handler failed in a way that the IDL does not declare, or the server died.",
        evidence=[f"CALL {call}", before, known.words(call.dialect), ending(case)],
        advice="Look at the server's log at that time: the handler's own traceback is there. "
        "Declare the exception in the IDL (throws), so that the client learns of it.",
        alike=(case.flow.server, call.method),
        **ended_after(case),
    )


def _mismatch(case: Case, known: Known, call: Said) -> Verdict | None:
    """The server answers others, who speak otherwise."""
    if not known.answered or known.takes_any:
        return None
    evidence = [
        first_bytes("client", case.flow.from_client),
        f"CALL {call}",
        ending(case),
    ]
    how = how_it_ended(case)
    if known.answers(call.dialect):
        example = next((one for one in sorted(known.methods) if ":" in one), None)
        if example is None or _same_naming(call, known):
            return None
        return Verdict(
            case.flow,
            Kind.PLAIN_ON_MULTIPLEXED,
            Severity.ERROR,
            f"The client calls {shown(call.method)}, without a service's name; the server {how}. "
            f"All that it answers name one, as {shown(example)} does: it is multiplexed.",
            evidence=[*evidence, known.words(call.dialect)],
            advice="Use TMultiplexedProtocol with the service's name in the client "
            "(TMultiplexedProtocolFactory in thriftpy2).",
            alike=(case.flow.server,),
            **ended_after(case),
        )
    usual = known.usual
    assert usual is not None
    return Verdict(
        case.flow,
        _differs(call.dialect, usual),
        Severity.ERROR,
        f"The client speaks {call.dialect}; the server {how}: it speaks {usual}.",
        evidence=[*evidence, known.words(usual)],
        advice=_change(call.dialect, usual),
        alike=(case.flow.server, call.dialect, usual),
        **ended_after(case),
    )


def _elsewhere(case: Case, known: Known, call: Said) -> Verdict | None:
    """The server speaks something else, on other connections."""
    if known.answered or known.foreign is None:
        return None
    reading, flow = known.foreign
    return Verdict(
        case.flow,
        _kind_of(reading),
        Severity.ERROR,
        f"The client speaks {call.dialect}; the server {how_it_ended(case)}. On other "
        f"connections it sends {reading.what}: it is no server of plain Thrift.",
        evidence=[
            first_bytes("client", case.flow.from_client),
            f"CALL {call}",
            f"on connection {flow} the server sends {reading.what}",
            ending(case),
        ],
        advice=reading.remedy,
        alike=(case.flow.server, reading.what),
        **ended_after(case),
    )


def gave_up(case: Case, known: Known) -> Verdict | None:
    """The client closed while a call waited."""
    if not case.closed_by_client:
        return None
    call = _unanswered(case) or _answered_to_nobody(case)
    if call is None or _is_oneway(case, known):
        return None
    if not case.tally.answered:
        odd = _mismatch(case, known, call) or _elsewhere(case, known, call)
        if odd is not None:
            return odd
    waited = case.client_end - call.end_time
    after = case.flow.from_server.last
    came = after if after > case.client_end else -1
    understood = bool(case.tally.answered) or known.answers(call.dialect)
    doubt = (
        ""
        if understood
        else " Or the server waits too: nothing shows that it could read the call. One that took "
        "the first bytes for a length waits for that many."
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
        f"without an answer: it gave up.{later}{doubt}",
        evidence=[
            f"CALL {call}",
            ending(case),
            patience(waited),
            known.words(call.dialect),
        ],
        advice="Find out why the server takes that long, or let the client wait longer: its "
        "timeout is set in TSocket (set_timeout in thriftpy2 and setTimeout in Apache's, in ms)."
        + ("" if understood else f" {_check(call)}"),
        alike=(case.flow.server, call.dialect, call.method),
        **times,
    )


def still_waiting(case: Case, known: Known) -> Verdict | None:
    """The capture ends, and a call waits."""
    call = _unanswered(case)
    if call is None or case.client_end >= 0 or case.server_end >= 0 or _is_oneway(case, known):
        return None
    if not case.tally.answered and case.is_whole:
        odd = _mismatch(case, known, call)
        if odd is not None:
            return odd
    understood = bool(case.tally.answered) or known.answers(call.dialect)
    return Verdict(
        case.flow,
        Kind.WAITING,
        Severity.NOTE,
        f"The capture ends {{after}}after the call {shown(call.method)}, which has no answer yet.",
        evidence=[
            f"CALL {call}",
            "the connection is open",
            ""
            if understood
            else "nothing shows that the server can read the call: one that took its first bytes "
            "for a length waits for that many more",
        ],
        advice="" if understood else _check(call),
        alike=(case.flow.server, call.dialect, call.method),
        after=max(case.flow.last - call.end_time, 0),
    )


def not_answered(case: Case, known: Known) -> Verdict | None:
    """Bytes of a message that never was whole, and an end."""
    flow = case.flow
    client = case.client
    if client is None or case.first is not None or case.tally.replies or case.server is not None:
        return None
    return Verdict(
        case.flow,
        Kind.NOT_RECOGNISED,
        Severity.WARNING,
        f"The client begins as {client} does, but no message of it is whole; the server "
        f"{how_it_ended(case)}.",
        evidence=[first_bytes("client", flow.from_client), ending(case)],
        advice="",
        alike=(flow.server, client),
        **ended_after(case),
    )


def wrong_words(case: Case, known: Known) -> Verdict | None:
    """The server told what was wrong: a TApplicationException."""
    if not case.failures:
        return None
    kind = max(case.failures, key=lambda one: case.failures[one][0])
    count, one = case.failures[kind]
    method = shown(one.call.method)
    rest = case.tally.answered - case.tally.failed
    evidence = [
        f"CALL {one.call}",
        failed(count, one),
        f"{counted(rest, 'other call')} on this connection had an answer" if rest else "",
    ]
    if kind == "UNKNOWN_METHOD":
        service, colon, _ = one.call.method.rpartition(":")
        which = f" in its service {shown(service)}, or no such service" if colon else ""
        return Verdict(
            case.flow,
            Kind.UNKNOWN_METHOD,
            Severity.ERROR,
            f"The server knows no method {method}{which}: it understands the client's bytes, but "
            "another service listens there, or one of another version of the IDL.",
            evidence=evidence,
            advice="Compare the IDL of both sides, and the service with which the server was "
            "started; case counts.",
            alike=(case.flow.server, one.call.method),
        )
    if kind in ("INTERNAL_ERROR", "UNKNOWN"):
        return Verdict(
            case.flow,
            Kind.HANDLER_CRASHED,
            Severity.ERROR,
            f"The handler of {method} failed in a way that the IDL does not declare: the server "
            f"answers with a TApplicationException, {kind}.",
            evidence=evidence,
            advice="Look at the server's log at that time: the handler's own traceback is there. "
            "Declare the exception in the IDL (throws), so that the client learns of it.",
            alike=(case.flow.server, one.call.method, kind),
        )
    return Verdict(
        case.flow,
        Kind.APPLICATION_EXCEPTION,
        Severity.ERROR,
        f"The server could not make the call {method}: it answers with a TApplicationException, "
        f"{kind}.",
        evidence=evidence,
        advice=_TYPES.get(kind, "The text of the exception says more; so does the server's log."),
        alike=(case.flow.server, one.call.method, kind),
    )


_TYPES: Final = {
    "INVALID_MESSAGE_TYPE": "The server takes only CALL and ONEWAY: look at what the client sends.",
    "WRONG_METHOD_NAME": "The names in call and reply differ: look for a client that two threads "
    "use at once.",
    "BAD_SEQUENCE_ID": "Look for a client that two threads use at once, or that went on after a "
    "timeout.",
    "MISSING_RESULT": "The handler returned nothing where the IDL wants a result.",
    "PROTOCOL_ERROR": "The server could not read the arguments: compare the IDL of both sides.",
}


def well(case: Case, known: Known) -> Verdict | None:
    """Calls, and answers to them."""
    if case.first is None and not case.tally.replies:
        return None
    return all_well(case, case.tally)


def all_well(case: Case, tally: Tally) -> Verdict:
    """That all is well, in numbers, of one connection or of many."""
    dialect = case.client or case.server
    inside = f" in {dialect}" if dialect is not None else ""
    parts = []
    if tally.calls:
        parts.append(f"{counted(tally.calls, 'call')}{inside}, {tally.answered} answered")
    elif tally.oneway:
        parts.append(f"{counted(tally.oneway, 'oneway call')}{inside}")
    else:
        parts.append(f"{counted(tally.replies, 'reply', 'replies')}{inside}")
    if tally.declared:
        parts.append(f"{tally.declared} of them with an exception that the IDL declares")
    if tally.oneway and tally.calls:
        parts.append(f"{counted(tally.oneway, 'oneway call')}")
    silent = tally.calls - tally.answered
    why = "the capture may have lost it"
    if not case.flow.lost:
        why = "later ones had theirs: oneway methods, most likely, which old libraries send as CALL"
    return Verdict(
        case.flow,
        Kind.ALL_WELL,
        Severity.NOTE,
        f"Nothing is {'seen to be ' if case.flow.lost else ''}wrong: {', '.join(parts)}.",
        evidence=[
            f"{counted(silent, 'call')} without an answer: {why}" if silent else "",
            f"{counted(tally.replies, 'reply', 'replies')} to calls that were not captured"
            if tally.replies
            else "",
        ],
        alike=(case.flow.server, dialect, case.flow.lost > 0),
    )


def opened_only(case: Case, known: Known) -> Verdict | None:
    """A connection to a Thrift server that carried nothing: a health check, a pool."""
    flow = case.flow
    if flow.sent or flow.received or not (known.answered or known.told):
        return None
    return Verdict(
        case.flow,
        Kind.ALL_WELL,
        Severity.NOTE,
        "The client connected and sent nothing, as health checks and pools of connections do.",
        evidence=[ending(case)],
        alike=(flow.server, "nothing"),
    )


def unreadable(case: Case, known: Known) -> Verdict | None:
    """To a Thrift server, or nearly Thrift, and neither recognised nor known."""
    flow = case.flow
    wrong = [
        half.detection.wrong
        for half in (flow.from_client, flow.from_server)
        if half.detection is not None and half.detection.wrong
    ]
    if not (wrong or case.is_thrift or known.answered or known.told):
        return None
    return Verdict(
        case.flow,
        Kind.NOT_RECOGNISED,
        Severity.ERROR,
        "What passed here is not recognised"
        + (f": {unbraced(wrong[0])}" if wrong else "")
        + f". The server {how_it_ended(case)}.",
        evidence=[
            first_bytes("client", flow.from_client),
            first_bytes("server", flow.from_server),
            others(known),
            ending(case),
        ],
        advice="",
        alike=(flow.server, *wrong),
        **ended_after(case),
    )


def not_thrift(case: Case, known: Known) -> Verdict | None:
    """Nothing to do with Thrift: one line says what it was."""
    flow = case.flow
    reading = foreign_in(flow.from_client) or foreign_in(flow.from_server)
    udp = flow.protocol == _UDP
    if reading is not None:
        what = f"The first bytes are {reading.what}"
    elif not (flow.sent or flow.received):
        what = "Nothing was sent"
    elif udp:
        what = "UDP that begins as nothing does that is known here"
    elif not flow.opened:
        what = "The capture began in the middle, and nothing in the rest proves itself"
    else:
        what = "It begins as nothing does that is known here"
    nobody = reading is None and not (flow.sent or flow.received)
    return Verdict(
        case.flow,
        Kind.NOT_THRIFT,
        Severity.NOTE,
        f"{what}: no Thrift.",
        evidence=[]
        if nobody
        else [first_bytes("client", flow.from_client), first_bytes("server", flow.from_server)],
        advice="If the server is one of Thrift, say so: pingpong diagnose FILE -p PORT."
        if reading is not None and not flow.received and flow.protocol != _UDP
        else "",
        alike=(what, not flow.received),
    )


_UDP: Final = 17


def lost_packets(case: Case, known: Known) -> Verdict | None:
    """Holes in what should be whole."""
    flow = case.flow
    if not flow.lost or not (case.is_thrift or known.answered):
        return None
    return Verdict(
        case.flow,
        Kind.LOST_PACKETS,
        Severity.WARNING,
        f"The capture lost {sized(flow.lost)} of this connection: what seems to be missing may "
        "have been there.",
        evidence=[one.text for one in flow.findings if "the capture lost" in one.text][:2],
        advice="Capture on the machine itself, with whole packets (tcpdump -s 0), a larger buffer "
        "(-B), and a filter for the port.",
        alike=(flow.server,),
    )


def began_in_the_middle(case: Case, known: Known) -> Verdict | None:
    """Messages were found, but not the first ones."""
    flow = case.flow
    if flow.opened or flow.protocol == _UDP or not case.is_thrift:
        return None
    return Verdict(
        case.flow,
        Kind.BEGAN_LATE,
        Severity.NOTE,
        "The capture began when this connection was already there: what was said before is not "
        "in it.",
        advice="Start the capture before the client connects, if the first calls matter.",
        alike=(flow.server,),
    )


# In order: what was never a connection, what is no Thrift, how the two differ, what happened
# to a call, what the server said of it, and that nothing is wrong.
RULES: Final[tuple[Rule, ...]] = (
    refused,
    no_answer,
    one_direction,
    began_late,
    too_large,
    foreign_client,
    foreign_server,
    sasl,
    sasl_alone,
    answers_differ,
    multiplexed_on_plain,
    dropped_when_idle,
    late_reply,
    closed_on_call,
    gave_up,
    still_waiting,
    not_answered,
    wrong_words,
    well,
    opened_only,
    unreadable,
    not_thrift,
)
ALSO: Final[tuple[Rule, ...]] = (lost_packets, began_in_the_middle)


def verdicts(case: Case, known: Known) -> tuple[Verdict, ...]:
    """All that there is to say of a connection, the most telling first."""
    main = next(found for rule in RULES if (found := rule(case, known)) is not None)
    also = [found for rule in ALSO if (found := rule(case, known)) is not None]
    return (main, *(one for one in also if one.kind is not main.kind))


# ── What the rules ask ───────────────────────────────────────────────────────────────


def _unanswered(case: Case) -> Said | None:
    """The first call that waited at the end; None if none did, or the capture may have lost
    its answer."""
    waiting = case.waiting
    if not waiting or case.flow.lost:
        return None
    return waiting[0]


def _answered_to_nobody(case: Case) -> Said | None:
    """A call whose answer came when the client had closed, and its machine refused it."""
    client = case.flow.from_client
    if case.last_answered is None or not 0 <= client.fin < client.rst:
        return None
    call, came = case.last_answered
    return call if came > case.client_end else None


def _is_oneway(case: Case, known: Known) -> bool:
    """Do only methods wait to which this server sends no reply, whoever calls them?"""
    return bool(case.waiting) and all(one.method in known.skipped for one in case.waiting)


def _same_naming(call: Said, known: Known) -> bool:
    """Does the server answer calls that are named as this one is, with a service or without?"""
    return any(
        one == call.dialect and multiplexed == (":" in call.method)
        for one, multiplexed in known.answered
    )


def _differs(client: Dialect, server: Dialect) -> Kind:
    """The kind of the difference between two dialects."""
    if client.transport in ("theader", "ttheader"):
        return Kind.THEADER_ON_PLAIN
    for transport, kind in (("http", Kind.HTTP), ("sasl", Kind.SASL)):
        if transport in (client.transport, server.transport):
            return kind
    if client.transport == server.transport:
        return _PROTOCOLS_DIFFER.get((client.protocol, server.protocol), Kind.DIALECTS_DIFFER)
    if client.protocol == server.protocol:
        pair = (client.transport, server.transport)
        if pair == ("framed", "unframed"):
            return Kind.FRAMED_ON_UNFRAMED
        if pair == ("unframed", "framed"):
            return Kind.UNFRAMED_ON_FRAMED
    return Kind.DIALECTS_DIFFER


_PROTOCOLS_DIFFER: Final = {
    ("compact", "binary"): Kind.COMPACT_ON_BINARY,
    ("compact", "binary-old"): Kind.COMPACT_ON_BINARY,
    ("binary", "compact"): Kind.BINARY_ON_COMPACT,
    ("binary-old", "compact"): Kind.BINARY_ON_COMPACT,
    ("binary-old", "binary"): Kind.OLD_ON_STRICT,
    ("binary", "binary-old"): Kind.STRICT_ON_OLD,
}

# The names that programs give to what a dialect is made of: thriftpy2 and Apache's Python
# have the same transports; other languages leave "Factory" out in the client.
_TRANSPORT_CLASSES: Final = {
    "framed": "TFramedTransportFactory (thriftpy2; TFramedTransport in Apache's)",
    "unframed": "TBufferedTransportFactory (thriftpy2; TBufferedTransport in Apache's)",
    "theader": "THeaderTransport (Apache's; thriftpy2 has none)",
    "http": "THttpClient and THttpServer",
    "zlib": "TZlibTransportFactory",
    "sasl": "TSaslClientTransport",
}
_PROTOCOL_CLASSES: Final = {
    "binary": "TBinaryProtocolFactory",
    "binary-old": "TBinaryProtocolFactory with strict_write off (strictWrite in Apache's)",
    "compact": "TCompactProtocolFactory",
    "json": "TJSONProtocolFactory of Apache's (TApacheJSONProtocolFactory in thriftpy2)",
    "thriftpy2-json": "thriftpy2's TJSONProtocolFactory",
}


def _class_of(dialect: Dialect) -> str:
    return _TRANSPORT_CLASSES.get(dialect.transport, dialect.transport)


def _change(client: Dialect, server: Dialect) -> str:
    """What to change so that both speak alike."""
    parts = []
    if client.transport != server.transport:
        if client.transport in ("theader", "ttheader"):
            parts.append(
                f"Use {_class_of(server)} in the client, or THeaderProtocolFactory in the server "
                "(Apache's; it reads framed and unframed clients too)."
            )
        else:
            parts.append(
                f"Use {_class_of(server)} in the client, or {_class_of(client)} in the server."
            )
    pair = (client.protocol, server.protocol)
    if pair == ("binary-old", "binary"):
        parts.append(
            "Switch strict_write on in the client (strictWrite in Apache's), or strict_read off "
            "in the server."
        )
    elif client.protocol != server.protocol:
        mine = _PROTOCOL_CLASSES.get(client.protocol, client.protocol)
        theirs = _PROTOCOL_CLASSES.get(server.protocol, server.protocol)
        parts.append(f"Use {theirs} in the client, or {mine} in the server.")
    return " ".join(parts)


def _check(call: Said) -> str:
    return f"If no call to this server is ever answered, try {_doubt(call)[1]}."
