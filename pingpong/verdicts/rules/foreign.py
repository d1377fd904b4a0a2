"""One of the two speaks something that is not Thrift."""

from __future__ import annotations

import re
from typing import Final

from ...calls.exchanges import BEGUN
from ...hints.magic_numbers import Certainty, Family, Reading, explain_bytes
from ...model import UDP, Half, Outcome, Severity
from ...model import Family as Rpc
from ..evidence import Case, Known, Summary, dialect_of
from ..phrases import (
    ended_after,
    ending,
    first_bytes,
    how_it_ended,
    line_of,
    others,
    text_in,
    text_of,
)
from ..verdict import Kind, Verdict, unbraced

__all__ = [
    "elsewhere",
    "foreign_client",
    "foreign_in",
    "foreign_server",
    "not_thrift",
    "spoke_otherwise",
    "unrecognised",
]


def foreign_client(case: Case, known: Known) -> Verdict | None:
    """Something connects to a Thrift server and is not a Thrift client."""
    flow = case.flow
    if case.client is not None or not (known.answered or known.told or case.server is not None):
        return None
    reading = foreign_in(flow.from_client)
    if reading is None:
        return None
    if reading.family is Family.PROXY and known.takes_proxy:
        return Verdict(
            flow,
            Kind.ALL_WELL,
            Severity.NOTE,
            "A load balancer connected, sent a PROXY header and nothing behind it, as its health "
            "checks do.",
            evidence=[first_bytes("client", flow.from_client), others(known), ending(case)],
            alike=(flow.server, "PROXY"),
        )
    family = _family(case, known)
    title = "Thrift" if family is None else family.title
    if title in reading.sender.split() and reading.family is not Family.HTTP:
        return None  # it is of the server's kind, and still cannot be read
    return Verdict(
        case.flow,
        _kind_of(reading),
        Severity.ERROR,
        f"This {title} server was reached by {_sender(reading, family)}. It sends "
        f"{reading.what}; the server "
        f"{how_it_ended(case)}.{_console(case)}",
        evidence=[first_bytes("client", flow.from_client), others(known), ending(case)],
        advice=_remedy(reading, family, by_client=True),
        alike=(flow.server, reading.what),
        covers=Outcome,
        **ended_after(case),
    )


def foreign_server(case: Case, known: Known) -> Verdict | None:
    """A Thrift client has reached something that is not a Thrift server."""
    flow = case.flow
    if case.server is not None or case.client is None:
        return None
    reading = foreign_in(flow.from_server)
    if reading is None or reading.family is Family.SASL:
        return None
    over = ""
    if reading.family is Family.HTTP and case.client.transport.answers_always:
        if case.ended:
            return None  # HTTP answers the calls, in its own way
        over = " The answer is HTTP, as it should be, but there is no Thrift in it: "
        over += line_of(flow.from_server)
    family = case.client.transport.family
    if family.title in reading.sender.split():
        return None  # it is of the client's kind, and still cannot be read
    greets = 0 <= flow.from_server.last <= flow.from_client.last and flow.from_client.first
    return Verdict(
        case.flow,
        _kind_of(reading),
        Severity.ERROR,
        f"The client speaks {case.client} and has reached {_sender(reading, family)}, which sends "
        f"{reading.what}.{over}",
        evidence=[
            first_bytes("client", flow.from_client),
            first_bytes("server", flow.from_server),
            "the server spoke first" if greets else "",
        ],
        advice="Look at the path of the URL, and at the log of the HTTP server."
        if over
        else _remedy(reading, family, by_client=False),
        alike=(flow.server, reading.what),
        covers=Outcome,
    )


# What the readings say of HTTP is said to people with Thrift.
_OF_THRIFT: Final = ", or Thrift over HTTP"


def _sender(reading: Reading, family: Rpc | None) -> str:
    """Who sent such bytes, to or from a side of that family; None: nobody knows of which."""
    if family is None or family.goes_by_http:
        return reading.sender
    return reading.sender.replace(_OF_THRIFT, "").replace("health check, a", "health check or a")


def _remedy(reading: Reading, family: Rpc | None, by_client: bool) -> str:
    """What to change where such bytes came to or from a side of that family."""
    if family is None or family.goes_by_http or reading.family is not Family.HTTP:
        return reading.remedy
    title = family.title
    if by_client:
        return (
            f"Keep browsers, health checks and scrapers off this port, and let health checks only "
            f"open a connection. If it is meant to be a call, use a client of {title}, or let the "
            "server serve HTTP, on a port of its own where it cannot on this one."
        )
    return (
        f"Check host and port on the client's side: what answers there is a web server, or a "
        "proxy, "
        f"and none of {title}."
    )


def _console(case: Case) -> str:
    """What the port says to that, if it takes other things than calls, too: a sentence, or ""."""
    reply = case.flow.from_server.first
    if reply.startswith(_NO_COMMAND):
        return f" It took that for a command of its console: “{unbraced(text_of(reply))}”."
    said = _GATEWAY.search(reply)
    if said is not None:
        words = unbraced(said[1].decode("utf-8", "backslashreplace").strip()[:100])
        return f" Its gateway for HTTP answers on the same port: “{words}”."
    return ""


_GATEWAY: Final = re.compile(rb"(?i)\nx-rpcx-errormessage:([^\r\n]{0,200})")
_NO_COMMAND: Final = b"Unsupported command: "


def _family(case: Case, known: Known) -> Rpc | None:
    """What the server speaks, where that is known: it is told to be Thrift's otherwise."""
    spoken = known.usual or case.server
    return None if spoken is None else spoken.transport.family


_KINDS: Final = {
    Family.HTTP: Kind.HTTP,
    Family.TLS: Kind.TLS,
    Family.SASL: Kind.SASL,
    Family.REFUSAL: Kind.SASL,
}


def _kind_of(reading: Reading) -> Kind:
    family = reading.family
    return Kind.OTHER_PROTOCOL if family is None else _KINDS.get(family, Kind.OTHER_PROTOCOL)


# Families with which no Thrift message begins, and which first bytes show beyond doubt.
_FOREIGN: Final = frozenset({Family.HTTP, Family.GRPC, Family.TLS, Family.PROXY, Family.FOREIGN})


def foreign_in(half: Half) -> Reading | None:
    """What a direction begins with, if that is known and not Thrift; else None."""
    if not half.from_start or not half.first or dialect_of(half) is not None:
        return None
    readings = explain_bytes(half.first).readings
    if not readings or readings[0].certainty is Certainty.POSSIBLE:
        return None
    return readings[0] if readings[0].family in _FOREIGN else None


def elsewhere(case: Case, known: Known, call: Summary) -> Verdict | None:
    """The server speaks something else on other connections."""
    if known.answered or known.foreign is None:
        return None
    reading, flow = known.foreign
    return Verdict(
        case.flow,
        _kind_of(reading),
        Severity.ERROR,
        f"The client speaks {call.dialect}; the server {how_it_ended(case)}. On other "
        f"connections it sends {reading.what}: it is no server of plain "
        f"{call.dialect.transport.family.title}.",
        evidence=[
            first_bytes("client", case.flow.from_client),
            f"CALL {call}",
            f"on connection {flow} the server sends {reading.what}",
            ending(case),
        ],
        advice=_remedy(reading, call.dialect.transport.family, by_client=False),
        alike=(case.flow.server, reading.what),
        covers=Outcome,
        **ended_after(case),
    )


def spoke_otherwise(case: Case, known: Known) -> Verdict | None:
    """The server sent a Thrift client bytes that are nothing known."""
    flow, server = case.flow, case.flow.from_server
    call = case.first
    if case.client is None or case.server is not None or call is None or not case.is_whole:
        return None
    if case.tally.answered or case.tally.replies or not server.from_start or not server.first:
        return None
    spoken = case.client.transport
    if (
        spoken.answers_always
        or spoken.negotiates
        or (flow.received <= BEGUN and not text_of(server.first))
    ):
        return None
    first = 0 <= flow.from_server.last <= call.time
    text = text_in(server.first) or text_of(server.first)
    title = spoken.family.title
    wrong = unbraced(server.detection.wrong) if server.detection is not None else ""
    return Verdict(
        flow,
        Kind.OTHER_PROTOCOL if first or text else Kind.UNREADABLE,
        Severity.ERROR,
        f"The client speaks {case.client}, and what the server sends"
        f"{', before any call,' if first else ''} is no {title} message that can be read"
        f"{f': “{text}”' if text else ''}. Most likely another kind of server listens there, or "
        "one that speaks another dialect.",
        evidence=[
            first_bytes("client", flow.from_client),
            first_bytes("server", server),
            wrong,
            ending(case),
        ],
        advice="Check host and port: which program listens there?",
        alike=(flow.server, case.client, text),
        covers=(
            *_ENDED,
            Outcome.UNREADABLE,
            Outcome.NO_REPLY,
        ),
    )


_ENDED: Final = (
    Outcome.CLOSED_BY_SERVER,
    Outcome.RESET_BY_SERVER,
    Outcome.CLOSED_BY_CLIENT,
    Outcome.RESET_BY_CLIENT,
    Outcome.WAITING,
)


def unrecognised(case: Case, known: Known) -> Verdict | None:
    """A connection to a Thrift server, or one that is nearly Thrift, but nothing is recognised."""
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
            *(
                f"the {who} sends the text “{text}”"
                for who, half in (("client", flow.from_client), ("server", flow.from_server))
                if (text := text_in(half.first))
            ),
            others(known),
            ending(case),
        ],
        advice="Find out what connects to this port: no client of Thrift begins so."
        if case.client is None
        and case.server is None
        and flow.from_client.from_start
        and flow.sent > BEGUN
        and not wrong
        else "",
        alike=(flow.server, *wrong),
        covers=(),
        **ended_after(case),
    )


def not_thrift(case: Case, known: Known) -> Verdict | None:
    """A connection that has nothing to do with Thrift: one sentence says what it was."""
    flow = case.flow
    reading = foreign_in(flow.from_client) or foreign_in(flow.from_server)
    udp = flow.protocol == UDP
    if reading is not None:
        what = f"The first bytes are {reading.what}"
    elif (
        not (flow.sent or flow.received) and max(flow.from_client.acked, flow.from_server.acked) > 1
    ):
        what = "Only acknowledgements were captured, and none of the bytes that they acknowledge"
    elif not (flow.sent or flow.received):
        what = "Nothing was sent"
    elif udp:
        what = "UDP that begins as nothing does that is known here"
    elif not flow.opened:
        what = "The capture began in the middle, and nothing in the rest proves itself"
    else:
        what = "It begins as nothing does that is known here"
    nobody = reading is None and not (flow.sent or flow.received)
    advice = (
        "If it should be Thrift or a relative, say so: pingpong diagnose FILE -p PORT."
        if reading is not None and not flow.received and flow.protocol != UDP
        else ""
    )
    return Verdict(
        case.flow,
        Kind.NOT_THRIFT,
        Severity.NOTE,
        f"{what}: no call that is read here." if reading is not None else f"{what}.",
        evidence=[]
        if nobody
        else [
            first_bytes("client", flow.from_client),
            first_bytes("server", flow.from_server),
            f"it was not opened: {flow.shut}" if flow.shut else "",
        ],
        advice=advice,
        alike=(what, advice),
    )
