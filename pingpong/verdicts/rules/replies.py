"""What the server said, which part of it cannot be read, and when all is well."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from ...model import CUT_CLOSED, UDP, Family, Outcome, Severity
from ...protocols.encodings.reading import BEGINS_INSIDE
from ...protocols.purposes import counted
from ..evidence import (
    CLOSED,
    UNREAD,
    ApplicationException,
    Case,
    Ended,
    Fault,
    Known,
    Summary,
    Tally,
    shown,
)
from ..phrases import LOST_HERE, ending, failed, first_bytes, how_it_ended, is_masked, text_in
from ..verdict import Dialect, Kind, Verdict, unbraced
from .dubbo import DUBBO_WORDS
from .grpc import in_its_own_stream, is_sent_away, of_status
from .motan import MOTAN_WORDS
from .refusals import by_the_client
from .rpcx import RPCX_WORDS

__all__ = [
    "all_well",
    "answers_nothing",
    "declared",
    "ended_otherwise",
    "http_never_answered",
    "is_well",
    "not_unpacked",
    "oneway_answered",
    "out_of_step",
    "structs_alone",
    "unreadable",
    "well",
    "wrong_words",
]

# How many kinds of failures of a connection are reported one by one.
_TOLD: Final = 8
# How many lines of evidence a verdict on failures has that differ in their texts only.
_MOST_EVIDENCE: Final = 12
_OTHER_TEXTS: Final = " There are answers of that kind with other texts, too."


# Families whose servers say in words of their own what they do not do, and who knows these.
_OWN_WORDS: Final[dict[Family, Callable[[Case, ApplicationException, list[str]], Verdict]]] = dict(
    (DUBBO_WORDS, MOTAN_WORDS, RPCX_WORDS)
)


def wrong_words(case: Case, known: Known) -> Iterator[Verdict]:
    """Exceptions in which the server says what is wrong: each method and type once."""
    ranked = sorted(case.failures.values(), key=lambda one: -one[0])
    told: dict[tuple[object, ...], Verdict] = {}
    for count, one in ranked:
        if is_sent_away(case, one):
            continue  # the connection's GOAWAY says it
        verdict = _failure(case, count, one)
        known_one = told.setdefault(verdict.alike, verdict)
        if known_one is not verdict and len(known_one.evidence) < _MOST_EVIDENCE:
            known_one.join(failed(count, one), _OTHER_TEXTS)
    for verdict in list(told.values())[:_TOLD]:
        if len(told) > _TOLD:
            verdict.join(
                f"{len(told)} kinds of such failures on this connection, of which {_TOLD} are told",
                "",
            )
        yield verdict
    yield from _http_refusals(case, known)


def _http_refusals(case: Case, known: Known) -> Iterator[Verdict]:
    """HTTP answered calls itself: they never reached Thrift, or the Thrift server failed."""
    refused: dict[tuple[str, int], list[Ended]] = {}
    for one in case.of(Outcome.APPLICATION_EXCEPTION):
        if one.reply is None and one.call is not None and one.response is not None:
            refused.setdefault((one.call.method, one.response.status), []).append(one)
    for (method, status), calls in list(refused.items())[:_TOLD]:
        call, response = calls[0].call, calls[0].response
        assert call is not None
        assert response is not None
        asks = status in (401, 407) or status // 100 == 3
        asked_for = asks and known.answers(call.dialect)
        then = ""
        if asked_for:
            then = " Other calls in the same dialect were answered: so it goes where a client "
            then += (
                "follows it to another URL."
                if status // 100 == 3
                else "sends its credentials only when it is asked for them."
            )
        times = f", {len(calls)} times" if len(calls) > 1 else ""
        yield Verdict(
            case.flow,
            Kind.HTTP,
            Severity.WARNING if asked_for else Severity.ERROR,
            f"HTTP answers the call {shown(method)} with {unbraced(str(response)[5:])}{times}, and "
            f"without a Thrift message.{then}",
            evidence=[
                f"CALL {call}",
                f"its body is {unbraced(response.content_type) or 'of no named type'}, "
                f"{counted(response.size, 'byte')}"
                if response.size
                else "",
                f"it begins with “{unbraced(response.text[:120])}”" if response.text else "",
            ],
            advice="" if asked_for else _STATUSES.get(status, _STATUSES[status // 100 * 100]),
            alike=(case.flow.server, method, status, asked_for),
            covers=(Outcome.APPLICATION_EXCEPTION,),
        )


_STATUSES: Final = {
    400: "Look at the path of the URL and at the headers, and at the log of the HTTP server.",
    401: "Give the client the user and password, or the token, that the HTTP server asks for.",
    403: "The HTTP server knows who asks, and does not let them: look at its rules for that path.",
    404: "The path of the URL is not the one where Thrift is served: compare it with the server's.",
    405: "Thrift goes by POST, and what is there takes other verbs: look at the path of the URL.",
    407: "A proxy on the way asks for user and password: give them to the client, or go around it.",
    408: "The server waited too long for the rest of the request: see what keeps the client.",
    429: "The server, or a proxy before it, lets through only so many calls in a time: send fewer.",
    413: "Send less at a time, or raise the limit of the HTTP server or of a proxy before it.",
    415: "Send the content type that the server wants: application/x-thrift, most often.",
    500: "Look at the server's log at that time: the handler failed, or what is around it.",
    501: "Thrift goes by POST, and what is there does not know it: look at host, port and path.",
    502: "A proxy could not reach the server behind it, or did not understand what it answered.",
    503: "A proxy has no server to hand the call to, or the server takes no more calls.",
    504: "A proxy waited too long for the server behind it: raise its limit, or see what takes so "
    "long.",
    300: "The server is elsewhere: use the URL that its Location names.",
    100: "",
}


# A client that has waited this long for HTTP's answer does wait for it (ns).
_WAITED: Final = 1_000_000_000


def http_never_answered(case: Case, known: Known) -> Verdict | None:
    """A oneway call by HTTP without an answer, though HTTP answers everything."""
    found = [
        one
        for one in case.of(Outcome.ONEWAY)
        if one.call is not None
        and one.call.dialect.transport.answers_always
        and one.response is None
    ]
    flow = case.flow
    if not found or flow.lacks or not flow.opened:
        return None
    call = found[0].call
    assert call is not None
    end = case.client_end if case.client_end >= 0 else flow.last
    is_over = case.client_end >= 0 or case.server_end >= 0
    waited = max(end - call.end_time, 0)
    if waited < _WAITED:
        return None  # the client did not wait
    return Verdict(
        flow,
        Kind.HTTP_UNANSWERED,
        Severity.ERROR if is_over else Severity.WARNING,
        f"The client calls {shown(call.method)}, oneway, by HTTP, and {{waited}}later "
        f"HTTP has not answered{'' if is_over else ': the capture ends'}. Clients of Java and "
        "Python wait for a response, whatever the IDL says.",
        evidence=[f"CALL {call}", ending(case)],
        advice="Let the server answer a oneway call with an empty 200 (C++'s THttpServer sends "
        "nothing), or set a timeout in the client, or make the method return void.",
        alike=(flow.server, call.method, is_over),
        waited=waited,
    )


def structs_alone(case: Case, known: Known) -> Verdict | None:
    """A client posts structs without a message, and HTTP's status is the only answer."""
    structs = case.flow.structs
    if structs is None or case.ended:
        return None
    told = [
        f"{counted(count, 'answer')} with HTTP {status}"
        for status, count in sorted(structs.statuses.items())[:_TOLD]
    ]
    bad = any(status >= 400 for status in structs.statuses)
    return Verdict(
        case.flow,
        Kind.HTTP if bad else Kind.STRUCTS_ALONE,
        Severity.ERROR if bad else Severity.NOTE,
        f"The client posts structs in {structs.protocol.name}, without a message around them, by "
        f"HTTP: {counted(structs.count, 'struct')}, "
        f"{', '.join(told) if told else 'and no answer in the capture'}.",
        evidence=[first_bytes("client", case.flow.from_client)],
        advice="Look at the path of the URL, and at the log of the HTTP server." if bad else "",
        alike=(case.flow.server, structs.protocol.name, bad),
        covers=Outcome,
    )


def _failure(case: Case, count: int, one: ApplicationException) -> Verdict:
    family = one.call.dialect.transport.family
    method, kind = shown(one.call.method), one.type
    rest = case.tally.answered - case.tally.failed
    evidence = [
        f"CALL {one.call}" if one.is_called else "its call was not captured",
        failed(count, one),
        f"{counted(rest, 'other call')} on this connection had an answer" if rest else "",
    ]
    if is_masked(one.text):
        evidence.append("its text is masked, as in a redacted capture: it is not judged")
    covers = (Outcome.APPLICATION_EXCEPTION,)
    if one.by_client and one.call.dialect.transport.is_two_way:
        return by_the_client(case, one, evidence)
    if family.has_statuses:
        return of_status(case, one, evidence)
    tell = _OWN_WORDS.get(family)
    if tell is not None:
        return tell(case, one, evidence)
    if not one.replied and kind in UNREAD:
        went_on = case.tally.answered > 1
        why = (
            "it is out of step, behind a call whose bytes it did not read to the end, or the call "
            "is written in another way than those before."
            if went_on
            else "it reads the client's bytes, and wants another dialect or version of them."
        )
        return Verdict(
            case.flow,
            Kind.OUT_OF_STEP if went_on else Kind.APPLICATION_EXCEPTION,
            Severity.ERROR,
            f"The server could not read the beginning of the call {method}: it answers with "
            f"{one.title}, {kind}, that names no method. Most likely {why}",
            evidence=evidence,
            advice="After such an exception, close the connection and open a new one; and compare "
            "the IDL of both sides."
            if went_on
            else "Compare the protocol and the transport of both sides.",
            alike=(case.flow.server, one.call.method, "nameless"),
            covers=covers,
        )
    if ":" not in one.call.method and _WANTS_SERVICE in one.text.lower():
        return Verdict(
            case.flow,
            Kind.PLAIN_ON_MULTIPLEXED,
            Severity.ERROR,
            f"The client calls {method}, without a service's name, and the server is multiplexed: "
            f"it says so itself ({kind}).",
            evidence=evidence,
            advice="Use TMultiplexedProtocol with the service's name in the client "
            "(TMultiplexedProtocolFactory in thriftpy2).",
            alike=(case.flow.server,),
            covers=covers,
        )
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
            covers=covers,
        )
    if kind in ("INTERNAL_ERROR", "UNKNOWN"):
        return Verdict(
            case.flow,
            Kind.HANDLER_CRASHED,
            Severity.ERROR,
            f"The handler of {method} failed {family.undeclared}: the server answers with "
            f"{one.title}, {kind}.",
            evidence=evidence,
            advice="Look at the server's log at that time: the handler's own traceback is there. "
            f"{family.exception_advice}".rstrip(),
            alike=(case.flow.server, one.call.method, kind),
            covers=covers,
        )
    # Some families only say that it is an error, and then its text.
    said = one.title if one.title.endswith(f" {kind}") else f"{one.title}, {kind}"
    return Verdict(
        case.flow,
        Kind.APPLICATION_EXCEPTION,
        Severity.ERROR,
        f"The server could not make the call {method}: it answers with {said}.",
        evidence=evidence,
        advice=_TYPES.get(kind, "The text of the exception says more; so does the server's log."),
        alike=(case.flow.server, one.call.method, kind),
        covers=covers,
    )


# How Apache's multiplexed processors complain about a call that names no service.
_WANTS_SERVICE: Final = "service name not found in message name"

_TYPES: Final = {
    "INVALID_MESSAGE_TYPE": "The server takes only CALL and ONEWAY: look at what the client sends.",
    "WRONG_METHOD_NAME": "The names in call and reply differ: look for a client that two threads "
    "use at once.",
    "BAD_SEQUENCE_ID": "Look for a client that two threads use at once, or that went on after a "
    "timeout.",
    "MISSING_RESULT": "The handler returned nothing where the IDL wants a result.",
    "PROTOCOL_ERROR": "The server could not read the arguments: compare the IDL of both sides; "
    "mostly the client is newer than the server.",
}


def oneway_answered(case: Case, known: Known) -> Verdict | None:
    """A reply to a call that wants none, which the next call reads."""
    found = [one for one in case.of(Outcome.NO_CALL) if one.misled_by]
    if not found:
        return None
    reply = found[0].message
    misled = case.of(Outcome.OUT_OF_SEQUENCE)
    victim = ""
    if misled and misled[0].call is not None:
        victim = f" The client reads it as the answer to its next call, {misled[0].call.method}."
    return Verdict(
        case.flow,
        Kind.ONEWAY_ANSWERED,
        Severity.ERROR,
        f"The client calls {shown(reply.method)} as oneway, which wants no reply, and the server "
        f"sends one.{unbraced(victim)}",
        evidence=[f"REPLY {reply}", found[0].why],
        advice="The IDL of both sides differs: the method is oneway in the client's alone. Take "
        "the same for both.",
        alike=(case.flow.server, reply.method),
        covers=(Outcome.NO_CALL, Outcome.OUT_OF_SEQUENCE),
    )


def answers_nothing(case: Case, known: Known) -> Verdict | None:
    """A reply without a call, although all was captured: another seqid or name, or a repeat."""
    found = [one for one in case.of(Outcome.NO_CALL) if not one.misled_by]
    if not found or not case.is_whole or case.flow.protocol == UDP or not case.tally.calls:
        return None
    reply = found[0].message
    waiting = [one.call for one in case.unanswered if one.call is not None]
    rest = ""
    if waiting:
        rest = f" The call {shown(waiting[0].method)} with seqid {waiting[0].seqid} had no answer."
    count = case.tally.outcomes[Outcome.NO_CALL]
    more = f" So it is with {count} replies in all." if count > 1 else ""
    if reply.dialect.transport.has_ids:
        return _answers_no_id(case, reply, waiting, more)
    return Verdict(
        case.flow,
        Kind.OUT_OF_STEP,
        Severity.ERROR,
        f"The server sends a reply {shown(reply.method)} with seqid {reply.seqid}, and no call of "
        f"that name and seqid waits for it.{rest}{more} It wrote another seqid or name than the "
        "call's, or answered twice; or something between the two mixed up connections.",
        evidence=[
            f"REPLY {reply}",
            f"CALL {waiting[0]}" if waiting else "",
            f"{counted(case.tally.answered, 'call')} on this connection had been answered",
            "clients that check the seqid say “out of sequence response”, or BAD_SEQUENCE_ID; "
            "others read it as the answer to their next call",
        ],
        advice="Look at what writes the reply: it has to take over method and seqid of the call. "
        "Let one thread at a time write to a connection.",
        alike=(case.flow.server, reply.method, bool(waiting)),
        covers=(Outcome.NO_CALL, *(CLOSED if waiting else ()), Outcome.WAITING),
    )


def _answers_no_id(case: Case, reply: Summary, waiting: list[Summary], more: str) -> Verdict:
    """A reply whose id no call has that waits; whoever gets it tells calls by their ids."""
    who, other = ("client", "server") if reply.from_client else ("server", "client")
    calls = [one for one in waiting if one.from_client != reply.from_client]
    rest = (
        f" The call {shown(calls[0].method)} with id {calls[0].seqid} had no answer."
        if calls
        else ""
    )
    return Verdict(
        case.flow,
        Kind.OUT_OF_STEP,
        Severity.ERROR,
        f"The {who} sends a reply {shown(reply.method)} with id {reply.seqid}, and no call of that "
        f"id waits for it.{rest}{more} It wrote another id than the call's, or answered twice; or "
        "something between the two mixed up connections.",
        evidence=[
            f"REPLY {reply}",
            f"CALL {calls[0]}" if calls else "",
            f"{counted(case.tally.answered, 'call')} on this connection had been answered",
            f"the {other} finds the call of an answer by its id, and drops what nobody waits for",
        ],
        advice="Look at what writes the reply: it has to take over the id of the call, and answer "
        "it once.",
        alike=(case.flow.server, reply.method, bool(calls)),
        covers=(Outcome.NO_CALL, *(CLOSED if calls else ()), Outcome.WAITING),
    )


def out_of_step(case: Case, known: Known) -> Verdict | None:
    """One direction that cannot be read from some byte on, after messages that could be."""
    flow = case.flow
    if flow.lacks or not flow.opened or not (case.tally.calls or case.tally.replies):
        return None
    for who, half in (("client", flow.from_client), ("server", flow.from_server)):
        spoken = half.detection
        if half.broke < 0 or spoken is None or spoken.transport is None:
            continue
        if not spoken.transport.is_plain:
            continue
        text = f"at byte {half.broke} of its stream, {unbraced(half.why) or 'and that is hidden'}"
        if who == "client":
            why = (
                "Either two threads use one client at once, so that one writes into the other's "
                "message, or a call that failed halfway was left in its buffer."
            )
            advice = "Give each thread a client of its own, and open a new connection after a call "
            advice += "that failed."
        else:
            why = (
                "Either two threads write to one connection, or an exception was written behind "
                "the beginning of a reply."
            )
            advice = "Look at the server's log: writing a reply failed there. Let one thread write."
        return Verdict(
            flow,
            Kind.OUT_OF_STEP,
            Severity.ERROR,
            f"What the {who} sends can be read up to a point: {text}. {why}",
            evidence=[
                f"{counted(case.tally.answered, 'call')} on this connection had been answered",
                f"the server {how_it_ended(case).replace('{after}', '')}",
            ],
            advice=advice,
            alike=(flow.server, who),
            covers=(*CLOSED, Outcome.UNREADABLE, Outcome.WAITING, Outcome.NO_CALL),
        )
    return None


def unreadable(case: Case, known: Known) -> Verdict | None:
    """Messages whose bytes are not what they should be."""
    # If a call was not sent to its end, the rule about its outcome says so.
    # If the capture lost a part of it, it is nobody's fault.
    faults = [
        one
        for one in case.faults
        if not (one.lost or (one.cut and _is_told(one)) or _is_cut_short(one))
    ]
    if not faults:
        return _unread(case)
    first = faults[0]
    who = "client" if first.by_client else "server"
    kind = "CALL" if first.is_call else "REPLY"
    text, *more = (unbraced(one) for one in first.texts)
    meant, mend = _meant(first)
    return Verdict(
        case.flow,
        Kind.UNREADABLE,
        Severity.ERROR,
        f"The {who}'s {kind} {shown(first.message.method)} cannot be read as it should: {text}. "
        f"{meant}",
        evidence=[
            f"{kind} {first.message}",
            *more,
            f"{len(faults)} messages of this connection have such faults" if faults[1:] else "",
        ],
        advice=mend,
        alike=(
            case.flow.server,
            first.by_client,
            first.is_call,
            first.message.method,
            _without_numbers(text),
        ),
        covers=(Outcome.UNREADABLE,),
    )


def not_unpacked(case: Case, known: Known) -> Verdict | None:
    """Bodies that are packed in a way that is not known here: nothing is wrong with them."""
    if not case.packed:
        return None
    text, (_, first) = next(iter(case.packed.items()))
    total = sum(count for count, _ in case.packed.values())
    return Verdict(
        case.flow,
        Kind.NOT_UNPACKED,
        Severity.NOTE,
        f"{counted(total, 'message')} could not be looked into: {unbraced(text)}. That says "
        "nothing about whether the other side can read it; the status says how the call went.",
        evidence=[f"{first}", *(unbraced(one) for one in list(case.packed)[1:4])],
        alike=(case.flow.server, text),
    )


def _is_cut_short(fault: Fault) -> bool:
    """Whether a request or a reply of HTTP was not sent to its end.

    An end may stop at any time: how the call ended says why.  What else is wrong with the message
    follows from that.
    """
    family = fault.message.dialect.transport.family
    return family.has_statuses and any(one.startswith("message cut off at ") for one in fault.texts)


def _is_told(fault: Fault) -> bool:
    if not fault.is_call or fault.outcome in (*CLOSED, Outcome.WAITING, Outcome.LOST):
        return True
    # A stream may be answered before its call was sent to its end: that is no more needed then.
    return fault.cut == CUT_CLOSED and fault.message.dialect.transport.is_woven


def _without_numbers(text: str) -> str:
    """What a finding is about, without places and sizes, so that like ones count as one."""
    return "".join(c for c in text.partition(": ")[0] if not c.isdigit())


def _meant(fault: Fault) -> tuple[str, str]:
    """What it means that this message cannot be read, and what to change."""
    if fault.message.dialect.transport.has_ids:
        return in_its_own_stream(fault)
    if fault.cut and fault.message.dialect.transport.is_datagram:
        return (
            "Whoever received it reads no more of it than that, or drops it.",
            "Look at the client's library: it wrote less than a whole message into the datagram "
            "(a missing flush or STOP, or a limit on a packet's size).",
        )
    begins = any(BEGINS_INSIDE in text for text in fault.texts)
    if fault.is_call:
        why = "Another call begins inside it. " if begins else ""
        return (
            f"{why}The server reads something else than the client meant, if it reads it at all.",
            "Most likely a call that failed halfway was left in the client's buffer, or two "
            "threads use one client: open a new connection after a call that failed, and give each "
            "thread a client of its own.",
        )
    if begins:
        return (
            "Another message begins inside it: the server failed while it wrote the reply, and "
            "wrote an exception behind what it had written. The client cannot read it.",
            "Look at the server's log: there is why the reply could not be written (a value of "
            "another type than the IDL's, a required field that is not set).",
        )
    return (
        "The client cannot read it either.",
        "Look at the server's log, and compare the IDL of both sides.",
    )


def _what_came(one: Ended) -> str:
    method = shown(one.message.method)
    if one.response is None:
        return f"The server sent something upon {method}, and it is no message that can be read."
    return (
        f"HTTP answers the call {method} with {unbraced(str(one.response)[5:])} and "
        f"{counted(one.response.size, 'byte')}, and there is no Thrift message in it."
    )


def _no_message(one: Ended) -> str:
    """What to look at if a server answers, but not in Thrift."""
    if one.response is not None:
        if not one.response.size:
            return (
                "HTTP's answer is empty, as it is to a oneway method. If this one is not, look at "
                "the log of the HTTP server: the handler wrote nothing, or failed."
            )
        return (
            "HTTP answers, and no Thrift server wrote that: look at the path of the URL, and at "
            "what a proxy or a login page before the server sends."
        )
    title = one.message.dialect.transport.family.title
    return f"Check host and port: most likely no {title} server listens there."


def _unread(case: Case) -> Verdict | None:
    """Bytes that are not part of any message."""
    flow = case.flow
    wrong = [
        unbraced(one.text)
        for one in flow.findings
        # What the capture lost is said of the capture.
        if one.severity is Severity.ERROR and LOST_HERE not in one.text
    ]
    calls = case.of(Outcome.UNREADABLE)
    if flow.from_server.shut:
        return None  # its TLS was not opened: see half_opened
    if calls:
        one = calls[0]
        count = case.tally.outcomes[Outcome.UNREADABLE]
        if one.reply is not None and one.why and one.message.dialect.transport.has_ids:
            # It was read, except for a status that nobody can know.
            calls_of = "1 call" if count == 1 else f"{count} calls"
            return Verdict(
                flow,
                Kind.LOST_PACKETS if flow.opened else Kind.BEGAN_LATE,
                Severity.NOTE,
                f"How {calls_of} ended cannot be known: of a reply to "
                f"{shown(one.message.method)}, {one.why}.",
                evidence=[f"CALL {one.message}", f"REPLY {one.reply}"],
                alike=(flow.server, one.why),
                covers=(Outcome.UNREADABLE,),
            )
        more = f" So it is with {counted(count, 'call')} in all." if count > 1 else ""
        half = flow.from_server
        text = text_in(half.first) if half.detection is None or not half.detection.transport else ""
        return Verdict(
            flow,
            Kind.UNREADABLE,
            Severity.ERROR,
            _what_came(one) + more,
            evidence=[
                f"CALL {one.message}",
                one.why,
                *wrong[:2],
                first_bytes("server", half) if not wrong else "",
                f"in them is the text “{text}”" if text else "",
                f"it begins with “{unbraced(one.response.text[:120])}”"
                if one.response is not None and one.response.text
                else "",
                ending(case),
            ],
            advice=_no_message(one) if half.first or one.response else "",
            alike=(flow.server, one.message.method),
            covers=(Outcome.UNREADABLE,),
        )
    if not wrong or not case.is_thrift:
        return None
    return Verdict(
        flow,
        Kind.UNREADABLE,
        Severity.ERROR,
        f"Not all that was sent here can be read: {wrong[0]}.",
        evidence=[*wrong[1:3], ending(case)],
        alike=(flow.server, _without_numbers(wrong[0])),
        covers=(Outcome.UNREADABLE,),
    )


# ── What is left to say ──────────────────────────────────────────────────────────────

_WORDS: Final = {
    Outcome.APPLICATION_EXCEPTION: "an exception of the server's own",
    Outcome.NO_REPLY: "no reply, and nothing tells why",
    Outcome.NO_CALL: "a reply, and the call was not captured",
    Outcome.UNREADABLE: "a reply that cannot be read",
    Outcome.WAITING: "no reply when the capture ends",
    Outcome.CLOSED_BY_SERVER: "the server closed",
    Outcome.CLOSED_BY_CLIENT: "the client closed",
    Outcome.RESET_BY_SERVER: "the server reset the connection",
    Outcome.RESET_BY_CLIENT: "the client reset the connection",
    Outcome.LOST: "the reply is in bytes that the capture lost",
    Outcome.LATE: "the reply came when the client had given up",
    Outcome.OUT_OF_SEQUENCE: "the client read the reply to an earlier call",
}


def ended_otherwise(case: Case, left: set[Outcome]) -> Verdict:
    """Calls that no other rule explains: what they came to, with an example of each outcome."""
    parts = []
    evidence = []
    for outcome in sorted(left):
        one = case.ended[outcome][0]
        count = case.tally.outcomes[outcome]
        words = _WORDS.get(outcome, "")
        if outcome is Outcome.DECLARED_EXCEPTION:
            words = one.message.dialect.transport.family.thrown_title
        if outcome is Outcome.APPLICATION_EXCEPTION:
            words = one.message.dialect.transport.family.error_title
        if outcome is Outcome.NO_CALL and case.is_whole:
            words = "a reply, and no call that it answers"
        parts.append(f"{counted(count, 'call')}: {words}")
        kind = "REPLY" if one.call is None else "CALL"
        evidence.append(f"{kind} {one.message}{f': {one.why}' if one.why else ''}")
    is_failed = any(outcome.failed for outcome in left)
    return Verdict(
        case.flow,
        Kind.ENDED_OTHERWISE,
        Severity.ERROR if is_failed else Severity.WARNING,
        f"Not all calls had an answer that can be used. {'; '.join(parts)}.",
        evidence=evidence,
        alike=(case.flow.server, *sorted(left)),
        covers=left,
    )


def is_well(case: Case) -> bool:
    """Whether every call got what it wanted, and everything could be read."""
    left = case.amiss
    # A capture may begin between a call and its reply.
    if not case.flow.opened and case.tally.answered:
        left.discard(Outcome.NO_CALL)
    return not left and not case.faults and not case.streams


def declared(case: Case, known: Known) -> Verdict | None:
    """Answers, some of which are exceptions of the IDL, or of the methods where there is none.

    That is business as usual, and yet the callers did not get what they asked for.
    """
    if not case.declared:
        return None
    ranked = sorted(case.declared.items(), key=lambda one: (-one[1], one[0]))
    told = [
        f"{shown(method)}: {_exception(name)}{f', {count} times' if count > 1 else ''}"
        for (method, name), count in ranked[:_TOLD]
    ]
    more = f", and {len(ranked) - _TOLD} more kinds" if len(ranked) > _TOLD else ""
    return Verdict(
        case.flow,
        _thrown(case)[0],
        Severity.NOTE,
        f"{_numbers(case, case.tally)}.",
        evidence=[*told, more.lstrip(", "), _not_read(case, case.tally)],
        alike=(case.flow.server, case.client or case.server, case.flow.lacks),
        covers=(Outcome.DECLARED_EXCEPTION,),
    )


def _exception(name: str) -> str:
    return f"field {name} of its result" if name.isdigit() else shown(name)


def well(case: Case, known: Known) -> Verdict | None:
    """Calls and their answers, and nothing wrong with any of them."""
    if (case.first is None and not case.tally.replies) or not is_well(case):
        return None
    return all_well(case, case.tally)


def all_well(case: Case, tally: Tally) -> Verdict:
    """The verdict that all is well, with the numbers of one connection or of many."""
    dialect = case.client or case.server
    is_blind = case.flow.lacks or tally.unread or case.packed
    return Verdict(
        case.flow,
        Kind.ALL_WELL,
        Severity.NOTE,
        f"Nothing is {'seen to be ' if is_blind else ''}wrong: {_numbers(case, tally)}.",
        evidence=[
            f"{counted(tally.silent, 'call')} without an answer, as the methods never have one: "
            "oneway, most likely, which old libraries send as CALL"
            if tally.silent
            else "",
            f"{counted(tally.replies, 'reply', 'replies')} to calls that were not captured"
            if tally.replies
            else "",
            _not_read(case, tally),
        ],
        alike=(case.flow.server, dialect, case.flow.lacks, bool(case.packed)),
    )


def _dialect(case: Case) -> Dialect | None:
    """How the connection speaks; None if no end of it says so."""
    dialect = case.client or case.server
    if case.first is not None and case.first.dialect.transport.has_ids:
        return case.first.dialect  # that of a connection knows its frames only
    return dialect


def _thrown(case: Case) -> tuple[Kind, str]:
    """The exceptions that methods throw: the kind of a verdict on them, and one in a sentence."""
    dialect = _dialect(case)
    if dialect is None:
        return Kind.DECLARED_EXCEPTIONS, "an exception that the IDL declares"
    family = dialect.transport.family
    kind = Kind.DECLARED_EXCEPTIONS if family.has_idl else Kind.THROWN_EXCEPTIONS
    return kind, family.thrown_title


def _not_read(case: Case, tally: Tally) -> str:
    """Evidence: what is not known of answers whose values are not read; "" if nothing is."""
    dialect = _dialect(case)
    if not tally.unread or dialect is None or dialect.transport.family.tells_outcome:
        return ""
    names = ", ".join(sorted(tally.unread)[:_TOLD])
    count = sum(tally.unread.values())
    return (
        f"{counted(count, 'answer')} in {names}: the status is OK, and whether "
        "the method returned or threw is in what is not read"
    )


def _numbers(case: Case, tally: Tally) -> str:
    dialect = _dialect(case)
    inside = f" in {dialect}" if dialect is not None else ""
    if len(case.titles) > 1:
        inside = " in " + " and ".join(sorted(case.titles))
    parts = []
    if tally.calls:
        parts.append(f"{counted(tally.calls, 'call')}{inside}, {tally.answered} answered")
    elif tally.oneway:
        parts.append(f"{counted(tally.oneway, 'oneway call')}{inside}")
    else:
        parts.append(f"{counted(tally.replies, 'reply', 'replies')}{inside}")
    if tally.declared:
        parts.append(f"{tally.declared} of them with {_thrown(case)[1]}")
    parts += [
        f"{count} of them in {name}, which is not read here"
        for name, count in sorted(tally.unread.items())[:_TOLD]
    ]
    if tally.oneway and tally.calls:
        parts.append(f"{counted(tally.oneway, 'oneway call')}")
    return ", ".join(parts)
