"""gRPC, and HTTP/2 on one side or on both.

    first bytes      a preface, SETTINGS: which of the two speaks HTTP/2, and which does not
    streams          a call whose stream was reset or refused, while the connection goes on
    statuses         what the server, or HTTP in its place, says about a call that failed
    farewells        GOAWAY: which calls it refused, which ran on

A deadline never travels as a status: with the call, the client says how long it will wait, and it
resets the stream when that time is over.  So the verdict says what is seen, and what the client's
program learns from that.  The error codes are RFC 9113's, 7; what a client makes of them is in
PROTOCOL-HTTP2.md, the statuses and which side produces them in statuscodes.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Final

from ...hints.magic_numbers import Family, Reading
from ...model import UDP, Goaway, Half, Outcome, Severity, Stall
from ...protocols.framings.h2 import PREFACE
from ...protocols.framings.http2 import begins
from ...protocols.purposes import counted
from ..evidence import (
    BY_CLIENT,
    REFUSED,
    STREAM_RESET,
    ApplicationException,
    Case,
    Ended,
    Fault,
    Known,
    dialect_of,
    shown,
)
from ..phrases import ended_after, ending, first_bytes, how_it_ended, line_of
from ..verdict import Kind, Verdict, lasted, unbraced
from .foreign import foreign_in

__all__ = [
    "answered_in_http1",
    "held_up",
    "http2_alone",
    "http2_refused",
    "http2_server",
    "in_its_own_stream",
    "is_sent_away",
    "looked_in",
    "of_status",
    "sent_away",
    "stands_still",
    "streams",
]

_TLS_ADVICE: Final = (
    "Use TLS on both sides, or on neither: a secure channel with credentials needs a port with "
    "TLS, an insecure one (plaintext, h2c) one without."
)

# ── First bytes ──────────────────────────────────────────────────────────────────────


def _is_preface(half: Half) -> bool:
    return half.from_start and half.first.startswith(PREFACE)


def _is_settings(half: Half) -> bool:
    """Say whether a server begins like one that speaks HTTP/2."""
    return half.from_start and half.first[:1] == b"\0" and begins(half.first) is True


def looked_in(case: Case, known: Known) -> Verdict | None:
    """A connection to an HTTP/2 server on which the client says nothing."""
    flow = case.flow
    if flow.sent or not _is_settings(flow.from_server):
        return None
    return Verdict(
        flow,
        Kind.ALL_WELL,
        Severity.NOTE,
        "The client connected and sent nothing, as health checks and pools of connections do; the "
        "server sent its SETTINGS, as one of HTTP/2 does unasked.",
        evidence=[first_bytes("server", flow.from_server), ending(case)],
        alike=(flow.server, "nothing"),
    )


def http2_server(case: Case, known: Known) -> Verdict | None:
    """Something that does not speak HTTP/2 has reached a server that does."""
    flow = case.flow
    client = flow.from_client
    if not _is_settings(flow.from_server) or not client.first or not client.from_start:
        return None
    if PREFACE.startswith(client.first[: len(PREFACE)]):
        return None
    reading = foreign_in(client)
    spoken = dialect_of(client)
    advice = _wrong_client(reading)
    if spoken is not None:
        who = f"the client speaks {spoken}"
        title = spoken.transport.family.title
        if not spoken.transport.family.is_http:
            advice = f"{title} is not gRPC: check host and port on the client's side."
    elif reading is not None:
        who = f"the client sends {reading.what}"
    else:
        who = "what the client sends is nothing of that"
    length = int.from_bytes(flow.from_server.first[:4], "big")
    return Verdict(
        flow,
        _kind_of(reading),
        Severity.ERROR,
        "The server speaks HTTP/2, as gRPC's do: it begins with SETTINGS. But "
        f"{who}; the server {how_it_ended(case)}.",
        evidence=[
            first_bytes("client", client),
            first_bytes("server", flow.from_server),
            f"a client that wants the length of a frame there reads {length}",
            ending(case),
        ],
        advice=advice,
        alike=(flow.server, who),
        covers=Outcome,
        **ended_after(case),
    )


def _kind_of(reading: Reading | None) -> Kind:
    if reading is not None and reading.family is Family.TLS:
        return Kind.TLS
    if reading is not None and reading.family is Family.HTTP:
        return Kind.HTTP
    return Kind.OTHER_PROTOCOL


def _wrong_client(reading: Reading | None) -> str:
    """Return what to change if that reaches an HTTP/2 server without TLS."""
    kind = _kind_of(reading)
    if kind is Kind.TLS:
        return _TLS_ADVICE
    if kind is Kind.HTTP:
        return (
            "A gRPC server takes no HTTP/1.1: keep browsers, health checks and scrapers off this "
            "port, or give the client HTTP/2 (curl --http2-prior-knowledge); for a browser, put a "
            "proxy for gRPC-Web before the server."
        )
    return "Find out who connects to this port." if reading is None else reading.remedy


def answered_in_http1(case: Case, known: Known) -> Verdict | None:
    """An HTTP/1.1 server answers an HTTP/2 client."""
    flow = case.flow
    if not _is_preface(flow.from_client) or not flow.from_server.first.startswith(b"HTTP/1."):
        return None
    text = flow.from_server.first.decode("ascii", "replace").lower()
    wants_tls = "https" in text
    line = line_of(flow.from_server)
    advice = (
        _TLS_ADVICE
        if wants_tls
        else "Check host and port. If a proxy is before the gRPC server, let it take HTTP/2 "
        "without TLS (h2c) on this port, or use TLS; clients go through an HTTP proxy, too, where "
        "http_proxy or https_proxy is set: no_proxy keeps a host out of that."
    )
    return Verdict(
        flow,
        Kind.TLS if wants_tls else Kind.HTTP,
        Severity.ERROR,
        f"The client speaks HTTP/2, and the server answers in HTTP/1.1: {line} "
        + (
            "It wants TLS on this port, and says so."
            if wants_tls
            else "It does not take HTTP/2, or not without TLS."
        ),
        evidence=[
            first_bytes("client", flow.from_client),
            first_bytes("server", flow.from_server),
            "clients take its first bytes, HTT, for a frame's length, 4740180",
            ending(case),
        ],
        advice=advice,
        alike=(flow.server, "HTTP/1", wants_tls),
        covers=Outcome,
    )


# An HTTP/2 server sends its SETTINGS sooner than this (ns).
_SETTINGS_COME: Final = 1_000_000_000


def http2_refused(case: Case, known: Known) -> Verdict | None:
    """An HTTP/2 client, and a server that says nothing to it."""
    flow = case.flow
    if not _is_preface(flow.from_client) or flow.received or flow.lacks or flow.protocol == UDP:
        return None
    if not flow.opened or not flow.from_server.is_seen or flow.from_client.acked < len(PREFACE):
        return None
    usual = known.usual
    if usual is not None and usual.transport.is_woven:
        return None
    after = ended_after(case)
    if not case.closed_by_server and after["after"] < _SETTINGS_COME:
        return None
    advice = f"Check host and port. {_TLS_ADVICE}"
    kind = Kind.OTHER_PROTOCOL
    what = (
        "Either it expects TLS, or it speaks something else: one of HTTP/2 sends its SETTINGS at "
        "once"
    )
    if usual is not None:
        title = usual.transport.family.title
        what = f"It speaks {usual}"
        advice = f"gRPC is not {title}: check host and port on the client's side."
    elif known.foreign is not None:
        reading, number = known.foreign
        what = f"On connection {number} it sends {reading.what}"
        advice = (
            "Check host and port: what answers there speaks HTTP/1.1."
            if reading.family is Family.HTTP
            else reading.remedy
        )
        kind = _kind_of(reading)
    return Verdict(
        flow,
        kind,
        Severity.ERROR,
        f"The client speaks HTTP/2; the server {how_it_ended(case)}. {what}.",
        evidence=[
            first_bytes("client", flow.from_client),
            "" if usual is None else known.words(usual),
            ending(case),
        ],
        advice=advice,
        alike=(flow.server, "HTTP/2", what),
        covers=Outcome,
        **after,
    )


def http2_alone(case: Case, known: Known) -> Verdict | None:
    """Both ends speak HTTP/2, and no call was made."""
    client, server = case.client, case.server
    if client is None or server is None or case.first is not None or case.tally.replies:
        return None
    if client.transport != server.transport or not client.transport.is_woven:
        return None
    if case.flow.from_client.broke >= 0 or case.flow.from_server.broke >= 0:
        return None
    return Verdict(
        case.flow,
        Kind.ALL_WELL,
        Severity.NOTE,
        "Both sides speak HTTP/2, and no call was made.",
        evidence=[ending(case)],
        alike=(case.flow.server, "no call"),
    )


# ── Flow control ─────────────────────────────────────────────────────────────────────

# A window at 0 for a shorter time is a reader that takes its time (ns).
_LONG: Final = 1_000_000_000


def stands_still(case: Case, known: Known) -> Verdict | None:
    """An end may send no more, since the other does not read."""
    flow = case.flow
    for half, sender, reader in (
        (flow.from_server, "server", "client"),
        (flow.from_client, "client", "server"),
    ):
        waited = flow.last - half.held_since
        if half.held_since < 0 or waited < _LONG:
            continue
        where = f"stream {half.held_on}" if half.held_on else "the connection"
        is_over = bool(flow.ended) or max(flow.from_client.fin, flow.from_server.fin) >= 0
        used = f"the {sender} has used up the window of {where}, and for {{waited}}the {reader} has"
        return Verdict(
            flow,
            Kind.HELD_UP if is_over else Kind.WAITING,
            Severity.ERROR,
            f"Flow control stood still to the end: {used} granted no more. The {reader} did not "
            "read what had come."
            if is_over
            else f"Flow control stands still: {used} granted no more. The {reader} does not read "
            "what has come.",
            evidence=[f"no WINDOW_UPDATE of the {reader} for {where} since", ending(case)],
            advice=_reads_not(reader),
            alike=(flow.server, "window", sender),
            covers=Outcome,
            waited=waited,
        )
    return None


def _reads_not(reader: str) -> str:
    return (
        f"Look at what the {reader}'s program does with the messages of a stream: as long as it "
        "takes none, no more can be sent. A stream that is no longer wanted has to be cancelled."
    )


def _long_stall(half: Half) -> Stall | None:
    stall = half.stall
    return None if stall is None or stall.until - stall.since < _LONG else stall


def held_up(case: Case, known: Known) -> Verdict | None:
    """An end had to wait for the other's leave to send: the longest time of that, if it is over."""
    flow = case.flow
    found: list[Verdict] = []
    for half, sender, reader in (
        (flow.from_server, "server", "client"),
        (flow.from_client, "client", "server"),
    ):
        stall = _long_stall(half)
        if stall is None:
            continue
        where = f"stream {stall.stream}" if stall.stream else "the connection"
        what = f"{shown(stall.method)} was held up" if stall.method else "A call was held up"
        found.append(
            Verdict(
                flow,
                Kind.HELD_UP,
                Severity.ERROR if stall.why else Severity.WARNING,
                f"{what} by flow control: for {{waited}}the {sender} had more of it to send, and "
                f"was not allowed to on {where}. The {reader} grants more when it has read what "
                "came" + (f"; {stall.why} ended that, and the call." if stall.why else "."),
                evidence=[
                    f"the window of {where} stood at {stall.window}, and no WINDOW_UPDATE or "
                    f"SETTINGS of the {reader} raised it in that time",
                    stall.why,
                ],
                advice=_reads_not(reader),
                alike=(flow.server, sender, stall.method, bool(stall.stream), bool(stall.why)),
                waited=stall.until - stall.since,
            )
        )
    return max(found, key=lambda one: one.severity, default=None)


# ── Streams ──────────────────────────────────────────────────────────────────────────

# What a client makes of a server's RST_STREAM: PROTOCOL-HTTP2.md, Errors.
_SEEN_AS: Final = {
    "REFUSED_STREAM": "UNAVAILABLE",
    "CANCEL": "CANCELLED",
    "ENHANCE_YOUR_CALM": "RESOURCE_EXHAUSTED",
    "INADEQUATE_SECURITY": "PERMISSION_DENIED",
}
_RESET_ADVICE: Final = {
    "REFUSED_STREAM": "The call was not worked on and can be sent again. Look whether the server "
    "was stopping, and at its limit of streams (SETTINGS_MAX_CONCURRENT_STREAMS).",
    "CANCEL": "Look at the server's log, and at what lies between: proxies cancel calls that take "
    "longer than their own timeout.",
    "ENHANCE_YOUR_CALM": "The server, or a proxy, finds that this client asks too much: send less "
    "at a time.",
    "NO_ERROR": "The server was done before the client: it reads no more of the request. Without "
    "a status, look at its log, or at a proxy that took the trailers away.",
}
_MOST: Final = 8


def streams(case: Case, known: Known) -> Iterator[Verdict]:
    """Calls whose stream was reset: each method and reason once."""
    for count, one in list(case.streams.values())[:_MOST]:
        if one.why.startswith(REFUSED):
            continue
        code = one.why[len(STREAM_RESET) :].partition(";")[0]
        times = f" So it was {counted(count, 'time')}." if count > 1 else ""
        stall = _long_stall(case.flow.from_server)
        is_held = stall is not None and stall.why != "" and stall.method == one.message.method
        if is_held and one.outcome in BY_CLIENT and count == 1 and not one.is_overdue:
            continue  # see held_up
        if one.outcome in BY_CLIENT:
            yield _given_up(case, one, code, times)
        else:
            yield _reset_by_server(case, one, code, times)


def _came(one: Ended) -> str:
    return f"{counted(one.parts, 'message')} of the answer had come" if one.parts else ""


def _given_up(case: Case, one: Ended, code: str, times: str) -> Verdict:
    method = shown(one.message.method)
    limit = f"the client said that it would wait {lasted(one.deadline)}" if one.deadline > 0 else ""
    evidence = [f"{'CALL' if one.call else 'REPLY'} {one.message}", one.why, limit, _came(one)]
    alike = (case.flow.server, one.message.method, code, one.is_overdue)
    if code != "CANCEL":
        return Verdict(
            case.flow,
            Kind.CLIENT_GAVE_UP,
            Severity.ERROR,
            f"The client reset the stream of {method} {{waited}}after it had sent the call: "
            f"{code}. That is no cancelling: it could not go on with what came.{times}",
            evidence=evidence,
            advice="Look at the client's log at that time.",
            alike=alike,
            waited=one.waited,
        )
    if one.is_overdue:
        return Verdict(
            case.flow,
            Kind.CLIENT_GAVE_UP,
            Severity.ERROR,
            f"The deadline of {method} passed: the client gave it {{deadline}}to answer, and "
            "cancelled the stream {waited}after it had sent the call. Its program gets "
            "DEADLINE_EXCEEDED, which the client says itself; the server may have worked on, and "
            f"what it did is not undone.{times}",
            evidence=evidence,
            advice="Find out why the server takes that long, or let the client wait longer: its "
            f"timeout is set {one.message.dialect.transport.family.timeouts_in}.",
            alike=alike,
            waited=one.waited,
            deadline=one.deadline,
        )
    begun = one.parts > 0
    return Verdict(
        case.flow,
        Kind.CLIENT_GAVE_UP,
        Severity.NOTE if begun else Severity.WARNING,
        f"The client cancelled {method} {{waited}}after it had sent the call"
        + (", when it had enough of the answers, or ended. " if begun else ", without an answer. ")
        + f"Its program gets CANCELLED; the server may have worked on.{times}",
        evidence=evidence,
        advice=""
        if begun
        else "If nobody cancelled it, the client ended, or the one that it works for did: its own "
        "caller's deadline ends its calls, too.",
        alike=alike,
        waited=one.waited,
    )


def _reset_by_server(case: Case, one: Ended, code: str, times: str) -> Verdict:
    seen_as = _SEEN_AS.get(code, "INTERNAL")
    return Verdict(
        case.flow,
        Kind.CLOSED_ON_CALL,
        Severity.ERROR,
        f"The server reset the stream of {shown(one.message.method)} {{waited}}after the call, and "
        f"sent no status: {code}. Clients of gRPC take it for {seen_as}; the connection stands."
        f"{times}",
        evidence=[f"{'CALL' if one.call else 'REPLY'} {one.message}", one.why, _came(one)],
        advice=_RESET_ADVICE.get(
            code,
            "Look at the server's log at that time; if there is nothing, at what lies between: a "
            "proxy resets a stream where it, or the server behind it, failed.",
        ),
        alike=(case.flow.server, one.message.method, code),
        waited=one.waited,
    )


# ── Farewells ────────────────────────────────────────────────────────────────────────

_PINGS: Final = "too_many_pings"


def _farewell(case: Case) -> Goaway | None:
    """Return the GOAWAY that says most: one with an error, or else the server's last."""
    said = case.flow.goaways
    bad = [one for one in said if one.code != "NO_ERROR"]
    ordinary = [one for one in said if not one.by_client]
    told = bad or ordinary
    return told[-1] if told else None


def is_sent_away(case: Case, one: ApplicationException) -> bool:
    """Say whether this status is of a call that ended with the connection: see ``sent_away``."""
    said = _farewell(case)
    if said is None or said.code != "ENHANCE_YOUR_CALM":
        return False
    return _PINGS in one.text.lower().replace(" ", "_")


def sent_away(case: Case, known: Known) -> Verdict | None:
    """An end takes no more calls (GOAWAY): which calls were refused, which ran on."""
    said = _farewell(case)
    if said is None:
        return None
    flow = case.flow
    refused = [(count, one) for count, one in case.streams.values() if one.why.startswith(REFUSED)]
    gone = sum(count for count, _ in refused)
    failed = sum(count for count, one in case.failures.values() if is_sent_away(case, one))
    ran_on = sum(begun < said.time < ended for begun, ended in case.recent) - failed
    if said.code == "NO_ERROR" and not gone and ran_on <= 0:
        return None  # nobody was disturbed
    who = "client" if said.by_client else "server"
    words = f" “{unbraced(said.text)}”" if said.text else ""
    last = "" if said.last >= 2**31 - 1 else f", last stream {said.last}"
    is_pings = said.code == "ENHANCE_YOUR_CALM" and _PINGS in said.text
    parts = []
    if ran_on > 0:
        parts.append(f"{counted(ran_on, 'call')} that {_was(ran_on)} under way ran on to the end")
    if failed:
        parts.append(f"{counted(failed, 'call')} that {_was(failed)} under way failed with it")
    if gone:
        parts.append(
            f"{counted(gone, 'call')} beyond the last stream {_was(gone)} refused: not worked on, "
            "so that clients may send such calls again on another connection"
        )
    rest = f" {'; '.join(parts)}." if parts else ""
    pings = flow.events.get("PING", 0)
    if is_pings:
        advice = (
            "Let the client ping less often (keepalive_time, at least what the server allows: 5 "
            "minutes where nothing is set), and not without a call "
            "(keepalive_permit_without_calls); or let the server allow more."
        )
    elif said.code != "NO_ERROR":
        advice = f"Look at the log of the {who} at that time: it found that the other side broke "
        advice += "HTTP/2's rules."
    else:
        advice = (
            "Most clients send refused calls again by themselves. If callers saw errors, let them "
            "retry UNAVAILABLE."
            if gone
            else ""
        )
    return Verdict(
        flow,
        Kind.GOAWAY,
        Severity.ERROR if said.code != "NO_ERROR" else Severity.WARNING if gone else Severity.NOTE,
        f"The {who} ends the connection: GOAWAY {said.code}{words}{last}."
        + (" It got more PING frames than it allows." if is_pings else "")
        + rest,
        evidence=[
            *(f"CALL {one.message}: {one.why}" for _, one in refused[:_MOST]),
            f"{counted(pings, 'PING frame')} on this connection, both ways, answers with them"
            if is_pings and pings
            else "",
        ],
        advice=advice,
        alike=(flow.server, said.code, said.text, bool(gone)),
        covers=(Outcome.APPLICATION_EXCEPTION,) if failed == case.tally.failed else (),
    )


def _was(count: int) -> str:
    return "was" if count == 1 else "were"


# ── Statuses ─────────────────────────────────────────────────────────────────────────

# statuscodes.md: no library of gRPC makes these, so they are the handler's own words.
_OF_THE_SERVICE: Final = frozenset(
    {
        *("INVALID_ARGUMENT", "NOT_FOUND", "ALREADY_EXISTS", "FAILED_PRECONDITION"),
        *("ABORTED", "OUT_OF_RANGE", "DATA_LOSS"),
    }
)
_STATUS_ADVICE: Final = {
    "CANCELLED": "The client, or something on its behalf, cancelled: look whose deadline it was.",
    "DEADLINE_EXCEEDED": "The server says it itself: it, or a server behind it, was still at work "
    "when the call's time was over. Find out what takes that long.",
    "PERMISSION_DENIED": "The server knows who asks and does not let them: look at its rules.",
    "RESOURCE_EXHAUSTED": "The text says what is used up: a quota, memory, the number of calls at "
    "a time.",
    "UNAUTHENTICATED": "The server does not know who asks: look at the token or the certificate "
    "that the client sends (the header authorization).",
    "UNAVAILABLE": "The server, or a proxy before it, does not take the call now; a call that had "
    "not begun may be sent again. Look at the log of who answers.",
    "INTERNAL": "The library or the handler of the server failed: its log says more. So it is, "
    "too, where a message could not be read as what the .proto file says.",
}
_HTTP_STATUS: Final = re.compile(r"HTTP (\d{3})\b")
_TOO_LARGE: Final = re.compile(r"larger than|exceeds maximum size|too large|size limit")
_NO_STATUS: Final = "no grpc-status was sent"


def of_status(case: Case, one: ApplicationException, evidence: list[str]) -> Verdict:
    """What the server, or HTTP in its place, says about a call that failed."""
    call, name = one.call, one.type
    method = shown(call.method)
    family = call.dialect.transport.family
    server = case.flow.server
    covers = (Outcome.APPLICATION_EXCEPTION,)
    in_words = _HTTP_STATUS.match(name) or (
        _HTTP_STATUS.match(one.text) if one.text.endswith("no grpc-status") else None
    )
    if in_words is not None:
        return _refused_by_http(case, one, int(in_words[1]), evidence)
    if one.sent_type and _is_type_refused(one):
        return Verdict(
            case.flow,
            Kind.DIALECTS_DIFFER,
            Severity.ERROR,
            f"The server does not take {method} in the content type {_quoted(one.sent_type)}: it "
            f"answers {name}, “{unbraced(one.text[:160])}”.",
            evidence=[*evidence, _types(one)],
            advice=_HTTP_ADVICE[415],
            alike=(server, call.method, one.sent_type),
            covers=covers,
        )
    if _NO_STATUS in one.text:
        return Verdict(
            case.flow,
            Kind.APPLICATION_EXCEPTION,
            Severity.ERROR,
            f"The answer to {method} ends, and no grpc-status says how it went: clients take that "
            "for an error (UNKNOWN or INTERNAL).",
            evidence=evidence,
            advice="Look at what lies between: a proxy that speaks HTTP/1.1 to the server, or "
            "takes trailers away. If there is none, the server ended in the midst of the call.",
            alike=(server, call.method, "no status"),
            covers=covers,
        )
    if name == "UNIMPLEMENTED" and "compress" not in one.text.lower():
        service, own = family.parts(call.method)
        inside = f" in the service {shown(service)}, or no such service" if service else ""
        return Verdict(
            case.flow,
            Kind.UNKNOWN_METHOD,
            Severity.ERROR,
            f"The server has no method {shown(own)}{inside}: it answers UNIMPLEMENTED. It "
            "understands the client's bytes; another server listens there, or one that was made "
            "from another version of the .proto file, or nobody wrote the method yet.",
            evidence=evidence,
            advice="Compare the path with what the server has registered: the package of the "
            ".proto file is a part of it, and case counts (grpcurl HOST:PORT list).",
            alike=(server, call.method),
            covers=covers,
        )
    if name == "RESOURCE_EXHAUSTED" and _TOO_LARGE.search(one.text.lower()):
        return Verdict(
            case.flow,
            Kind.FRAME_TOO_LARGE,
            Severity.ERROR,
            f"A message of {method} is larger than its limit, and the server says so: "
            f"{name}, “{unbraced(one.text[:160])}”.",
            evidence=evidence,
            advice="Send less at a time, or as a stream; or raise the limit in the server, 4 MiB "
            "for what it receives where nothing is set (max_receive_message_length, "
            "MaxRecvMsgSize, maxInboundMessageSize).",
            alike=(server, call.method, name),
            covers=covers,
        )
    if name == "UNKNOWN":
        return Verdict(
            case.flow,
            Kind.HANDLER_CRASHED,
            Severity.ERROR,
            f"The handler of {method} failed, most likely, {family.undeclared}: the server answers "
            f"with {one.title}, {name}, as libraries do then.",
            evidence=evidence,
            advice="Look at the server's log at that time: the handler's own traceback is there. "
            f"{family.exception_advice}".rstrip(),
            alike=(server, call.method, name),
            covers=covers,
        )
    if name in _OF_THE_SERVICE:
        return Verdict(
            case.flow,
            Kind.SERVICE_ERRORS,
            Severity.NOTE,
            f"The service answers {method} with an error of its own: {name}"
            + (f", “{unbraced(one.text[:160])}”." if one.text else "."),
            evidence=evidence,
            alike=(server, call.method, name),
            covers=covers,
        )
    return Verdict(
        case.flow,
        Kind.APPLICATION_EXCEPTION,
        Severity.ERROR,
        f"The server could not make the call {method}: it answers with {one.title}, {name}.",
        evidence=evidence,
        advice=_PACKED_ADVICE
        if name == "UNIMPLEMENTED"
        else _STATUS_ADVICE.get(name, "Its text says more; so does the server's log."),
        alike=(server, call.method, name),
        covers=covers,
    )


_PACKED_ADVICE: Final = (
    "The server does not know how the client packs its messages (grpc-encoding): in Go, gzip has "
    "to be imported; or let the client pack nothing."
)

_HTTP_ADVICE: Final = {
    401: "Give the client the token that is asked for: a proxy or the server wants to know who "
    "asks.",
    403: "A proxy, or the server, does not let this client through: look at its rules.",
    404: "There is no route for that path: compare it with what the server, or the proxy before "
    "it, serves.",
    415: "The server takes another content type: gRPC (application/grpc), gRPC-Web "
    "(application/grpc-web) and Connect (application/proto, application/json) are three ways to "
    "carry a call. Use the client for the one that is served.",
    429: "The server, or a proxy before it, lets through only so many calls in a time.",
    502: "A proxy could not reach the server behind it, or did not understand it: it has to speak "
    "HTTP/2 to a gRPC server.",
    503: "A proxy has no server to hand the call to, or the server takes no more calls.",
    504: "A proxy waited too long for the server behind it: raise its limit, or see what takes so "
    "long.",
}

# Where HTTP is all there is.
_OWN_HTTP_ADVICE: Final = {
    415: "The server takes another content type: its documentation says which.",
    502: "A proxy could not reach the server behind it, or did not understand it.",
}


_TYPE: Final = re.compile(r"content[- ]?type", re.I)


def _is_type_refused(one: ApplicationException) -> bool:
    """Whether the text is about the content type that was sent, and names it."""
    kind = one.sent_type.partition(";")[0].strip().lower()
    return _TYPE.search(one.text) is not None and kind in one.text.lower()


def _quoted(kind: str) -> str:
    return f"“{unbraced(kind)}”"


def _types(one: ApplicationException) -> str:
    """Evidence: the content types of the call and of the answer."""
    said = [f"the call's is {_quoted(one.sent_type)}" if one.sent_type else ""]
    said.append(f"the answer's is {_quoted(one.answer_type)}" if one.answer_type else "")
    words = ", ".join(part for part in said if part)
    return f"content types: {words}" if words else ""


def _refused_by_http(
    case: Case, one: ApplicationException, code: int, evidence: list[str]
) -> Verdict:
    method = shown(one.call.method)
    is_rpc = not one.call.dialect.transport.family.is_http
    words = next((f"{code} {one.phrase}" for one in HTTPStatus if one == code), str(code))
    advice = _HTTP_ADVICE.get(code, "The body of the answer, or the log of who sent it, says why.")
    return Verdict(
        case.flow,
        Kind.HTTP if is_rpc else Kind.APPLICATION_EXCEPTION,
        Severity.ERROR,
        f"HTTP answers the call {method} with {words}"
        + (", and there is no gRPC status." if is_rpc else ".")
        + (
            f" The server does not take the content type {_quoted(one.sent_type)}."
            if code == 415 and one.sent_type
            else ""
        ),
        evidence=[
            *evidence,
            f"it begins with “{unbraced(one.page)}”" if one.page else "",
            _types(one) if code == 415 else "",
        ],
        advice=advice if is_rpc else _OWN_HTTP_ADVICE.get(code, advice),
        alike=(case.flow.server, one.call.method, code),
        covers=(Outcome.APPLICATION_EXCEPTION,),
    )


# ── Messages that cannot be read ─────────────────────────────────────────────────────


def in_its_own_stream(fault: Fault) -> tuple[str, str]:
    """Say what it means that a message cannot be read whose place does not depend on others."""
    if any("no header names the encoding" in text for text in fault.texts):
        return (
            "Its reader cannot unpack it: libraries end such a call with INTERNAL.",
            "Look at grpc-encoding in the headers: whoever packs has to name it there, and a "
            "proxy has to leave it.",
        )
    other = "server" if fault.by_client else "client"
    if any("(--max-unpacked)" in text for text in fault.texts):
        return (
            f"That is the limit of what is unpacked here; the {other} has one of its own, or none.",
            "If it is not meant to be that large, look at who sent it: so little that unpacks to "
            "so much is how servers are attacked. If it is, read it with a larger --max-unpacked.",
        )
    if any(text.startswith("content packed with ") for text in fault.texts):
        return (
            f"It says that it is packed so, and is not, or not rightly: the {other} cannot unpack "
            "it either.",
            f"Look at what packs the {'request' if fault.by_client else 'answer'}: the program, "
            "its library, or a proxy that changes the body or the header, and not the other of "
            "them.",
        )
    family = fault.message.dialect.transport.family
    if family.is_http:
        mend = "Look at what the program puts into the message."
    elif family.has_statuses:
        mend = (
            "Compare the .proto files (the IDL) of both sides, and what the program puts into the "
            "message."
        )
    else:
        mend = (
            "Compare what both sides know of the method and its types, and the serialization that "
            "each of them writes."
        )
    return (
        f"The {other} cannot read it either, unless it knows that it is written in another way.",
        mend,
    )
