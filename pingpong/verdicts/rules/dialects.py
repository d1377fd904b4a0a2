"""Both speak Thrift, but not the same dialect."""

from __future__ import annotations

from typing import Final

from ...hints.magic_numbers import explain_bytes
from ...model import UDP, Carrier, Half, Outcome, Protocol, Severity
from ...protocols.encodings.binary import BINARY, OLD_BINARY
from ...protocols.encodings.compact import COMPACT
from ..evidence import NOT_READ, UNREAD, Case, Known, Summary, shown
from ..phrases import ended_after, ending, failed, first_bytes, how_it_ended, others
from ..verdict import Dialect, Kind, Verdict, unbraced

__all__ = [
    "answers_differ",
    "change",
    "check",
    "doubt",
    "is_usual",
    "mismatch",
    "multiplexed_on_plain",
    "not_answered",
    "same_naming",
    "sasl",
    "sasl_alone",
    "two_protocols",
]

# The statuses of a SASL negotiation: doc/specs/thrift-sasl-spec.txt.
_BAD, _ERROR, _COMPLETE = 3, 4, 5


def sasl(case: Case, known: Known) -> Verdict | None:
    """A negotiation that one side refuses, or that only one side knows about."""
    flow = case.flow
    client, server = case.client, case.server
    asks = client is not None and client.transport.negotiates
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
            covers=NOT_READ,
        )
    if server is not None or flow.from_server.first:
        return None
    if any(dialect.transport.negotiates for dialect, _ in known.answered) or not (
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
        covers=NOT_READ,
        **ended_after(case),
    )


_USE_SASL: Final = (
    "Use SASL on both sides, or on neither: TSaslClientTransport (thriftpy2, thrift_sasl) "
    "in the client, and in Hive and Impala the server's authentication; NOSASL is without."
)


def _refusal(half: Half) -> tuple[int, str]:
    """The status with which a server refuses a negotiation (0 if it does not), and its text."""
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
    """A negotiation that went well, and nothing readable after it."""
    client, server = case.client, case.server
    if case.first is not None or client is None or server is None or case.tally.replies:
        return None
    if not (client.transport.negotiates and server.transport.negotiates):
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
    """The server answers in another dialect than the client speaks."""
    client, server = case.client, case.server
    if client is None or server is None or client == server or not case.flow.opened:
        return None
    if None in (client.protocol, server.protocol) or case.tally.calls > 1:
        return None  # SASL and the like; or the client read the answer and went on
    both = (client.transport, server.transport)
    is_http = both[0].around == both[1].around and all(one.family.has_statuses for one in both)
    if client.transport.has_ids and (both[0] == both[1] or is_http):
        return None  # HTTP, Dubbo and their like: each message says which encoding it is in
    evidence = [
        first_bytes("client", case.flow.from_client),
        first_bytes("server", case.flow.from_server),
        ending(case),
    ]
    alike = (case.flow.server, client, server)
    if client.transport == server.transport:
        if _is_variant(client, server):
            return None  # an old client that gets a strict answer: such clients read both
        if _is_variant(server, client):
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
                covers=Outcome,
            )
    refused = [one for _, one in case.failures.values() if one.type in UNREAD or not one.replied]
    if refused:
        text = f": “{unbraced(refused[0].text[:100])}”" if refused[0].text else ""
        return Verdict(
            case.flow,
            _differs(client, server),
            Severity.ERROR,
            f"The client speaks {client}, and the server speaks {server}, and says in it that it "
            f"could not read the call ({refused[0].type}{text}).",
            evidence=evidence,
            advice=change(client, server),
            alike=alike,
            covers=Outcome,
        )
    return Verdict(
        case.flow,
        Kind.DIALECTS_DIFFER,
        Severity.ERROR,
        f"The client speaks {client}, and the server answers in {server}: the client cannot "
        "read it.",
        evidence=evidence,
        advice=_OF_TWO_FAMILIES.format(*_titles(client, server))
        if client.transport.family is not server.transport.family
        else "Give the server the same factories for what it reads and for what it writes "
        "(itrans_factory and otrans_factory, iprot_factory and oprot_factory in thriftpy2).",
        alike=alike,
        covers=Outcome,
    )


def _is_variant(one: Dialect, other: Dialect) -> bool:
    """Does one of them write headers without the mark that the other's have?"""
    marked = None if one.protocol is None else one.protocol.variant_of
    return marked is not None and marked is other.protocol


def is_usual(dialect: Dialect) -> bool:
    """Is it in the protocol that nearly all servers of its family speak, where nothing tells?"""
    return dialect.protocol is not None and dialect.protocol is dialect.transport.family.usual


def _usual_class(dialect: Dialect) -> str:
    usual = dialect.transport.family.usual
    return "" if usual is None else usual.classes


def multiplexed_on_plain(case: Case, known: Known) -> Verdict | None:
    """The server does not know the name ``Service:method`` that a multiplexed client sends."""
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
                covers=(Outcome.APPLICATION_EXCEPTION,),
            )
    return None


def mismatch(case: Case, known: Known, call: Summary) -> Verdict | None:
    """The server answers clients that speak another dialect.

    Not a rule by itself: the rules of ``endings`` ask it about a call that had no answer.
    """
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
        if example is None or same_naming(call, known):
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
            covers=NOT_READ,
            **ended_after(case),
        )
    usual = known.usual
    assert usual is not None
    if call.dialect.transport == usual.transport and usual.transport.has_ids:
        return Verdict(
            case.flow,
            Kind.OTHER_SERIALIZATION,
            Severity.ERROR,
            f"The client writes its values in {_written(call.dialect)}; the server {how}. All "
            f"that it answers in this capture is in {_written(usual)}: most likely it does not "
            "take "
            "anything else. But it may take both: then it was stopped, or a limit of its was "
            "reached.",
            evidence=[*evidence, known.words(usual)],
            advice=f"Write {_written(usual)} in the client, or give the server the other "
            "serialization; its log says what it could not read.",
            alike=(case.flow.server, call.dialect, usual),
            covers=NOT_READ,
            **ended_after(case),
        )
    return Verdict(
        case.flow,
        _differs(call.dialect, usual),
        Severity.ERROR,
        f"The client speaks {call.dialect}; the server {how}: it speaks {usual}.",
        evidence=[*evidence, known.words(usual)],
        advice=change(call.dialect, usual),
        alike=(case.flow.server, call.dialect, usual),
        covers=NOT_READ,
        **ended_after(case),
    )


def not_answered(case: Case, known: Known) -> Verdict | None:
    """Bytes of a message that was never complete, and then the end."""
    flow = case.flow
    client = case.client
    if client is None or case.first is not None or case.tally.replies or case.server is not None:
        return None
    if flow.events:
        return None  # whole messages of another kind, which are about the connection
    if client.transport.answers_always and not flow.received:
        return _posted_in_vain(case, known)
    return Verdict(
        case.flow,
        Kind.NOT_RECOGNISED,
        Severity.WARNING,
        f"The client begins as {client} does, but no message of it is whole; the server "
        f"{how_it_ended(case)}.",
        evidence=[first_bytes("client", flow.from_client), ending(case)],
        advice="",
        alike=(flow.server, client),
        covers=(),
        **ended_after(case),
    )


def _posted_in_vain(case: Case, known: Known) -> Verdict:
    """Thrift by HTTP, to a server that does not answer as an HTTP server would."""
    usual = known.usual
    speaks = f": it speaks {usual}" if usual is not None else ""
    client = case.client
    assert client is not None
    took = explain_bytes(case.flow.from_client.first[:4]).number
    return Verdict(
        case.flow,
        Kind.HTTP,
        Severity.ERROR,
        f"The client speaks Thrift by HTTP; the server {how_it_ended(case)}, as no HTTP server "
        f"does{speaks}. One that is framed took the first 4 bytes for the length of a frame, "
        f"{took}.",
        evidence=[first_bytes("client", case.flow.from_client), others(known), ending(case)],
        advice="Use the server's transport in the client instead of THttpClient: "
        f"{_plain(client)}; or put the server behind HTTP.",
        alike=(case.flow.server, "posted"),
        covers=NOT_READ,
        **ended_after(case),
    )


def doubt(call: Summary) -> tuple[str, str]:
    """Why a server may not be able to read a call, and what to change in the client.

    The second part names the words in the server's log that would show it.
    """
    protocol, transport = call.dialect.protocol, call.dialect.transport
    if transport.is_datagram:
        spoken = "" if protocol is None else protocol.title
        why = f"it listens for another protocol than {spoken}"
        return why, "“Bad version” there: use another protocol in the client."
    other = transport.other
    if other is None:
        why = f"it knows nothing of {Dialect(None, transport)}, or speaks another protocol"
        if not transport.plain:
            return why, (
                "Words there about a magic number, a version or a length: another kind of server "
                "listens, so check host and port on the client's side."
            )
        use = _plain(call.dialect)
        return why, f"“Bad version” or “Frame size” there: use {use} in the client."
    why = f"it is {other}, or speaks another protocol"
    if ":" not in call.method:
        why = f"it is {other}, speaks another protocol, or wants a service's name"
    use = _class_of(other)
    if is_usual(call.dialect):
        return why, (
            "“No protocol version header”, “Bad version” or “Frame size” there: use "
            f"{use} in the client."
        )
    # If the transport is right, a server of the usual protocol complains about the first bytes.
    return why, (
        "“Bad version”, “Bad protocol id” or “No protocol version header” there: use the server's "
        f"protocol in the client, {_usual_class(call.dialect)} most likely. “Frame size”, or a "
        f"length that is none: use {use}."
    )


def _written(dialect: Dialect) -> str:
    """How values are written in a dialect, for a sentence."""
    if dialect.protocol is None or dialect.protocol.is_raw:
        return f"a serialization of {dialect.transport.family.title} that is not read here"
    return dialect.protocol.title


def same_naming(call: Summary, known: Known) -> bool:
    """Whether the server answers calls that are named like this one, with a service or without."""
    return any(
        one == call.dialect and multiplexed == (":" in call.method)
        for one, multiplexed in known.answered
    )


def _differs(client: Dialect, server: Dialect) -> Kind:
    """The kind of the difference between two dialects."""
    if client.transport.is_headed:
        return Kind.THEADER_ON_PLAIN
    both = (client.transport, server.transport)
    if any(one.answers_always for one in both):
        return Kind.HTTP
    if any(one.negotiates for one in both):
        return Kind.SASL
    if client.transport == server.transport:
        return _PROTOCOLS_DIFFER.get((client.protocol, server.protocol), Kind.DIALECTS_DIFFER)
    if client.protocol == server.protocol and client.transport.other is server.transport:
        is_framed = client.transport.has_length
        return Kind.FRAMED_ON_UNFRAMED if is_framed else Kind.UNFRAMED_ON_FRAMED
    return Kind.DIALECTS_DIFFER


_PROTOCOLS_DIFFER: Final[dict[tuple[Protocol | None, Protocol | None], Kind]] = {
    (COMPACT, BINARY): Kind.COMPACT_ON_BINARY,
    (COMPACT, OLD_BINARY): Kind.COMPACT_ON_BINARY,
    (BINARY, COMPACT): Kind.BINARY_ON_COMPACT,
    (OLD_BINARY, COMPACT): Kind.BINARY_ON_COMPACT,
    (OLD_BINARY, BINARY): Kind.OLD_ON_STRICT,
    (BINARY, OLD_BINARY): Kind.STRICT_ON_OLD,
}


def _class_of(transport: Carrier) -> str:
    return transport.classes or str(transport)


def _plain(dialect: Dialect) -> str:
    """Return what to use in place of that, if nobody knows which of the plain ones."""
    return " or ".join(_class_of(one) for one in dialect.transport.plain)


# If no setting of one side makes it understand the other.
_OF_TWO_FAMILIES: Final = (
    "{} is not {}: check host and port on the client's side, or take a client for what the server "
    "speaks."
)


def _titles(client: Dialect, server: Dialect) -> tuple[str, str]:
    return client.transport.family.title, server.transport.family.title


def change(client: Dialect, server: Dialect) -> str:
    """What to change so that both speak the same dialect."""
    parts = []
    if client.transport.family is not server.transport.family:
        return _OF_TWO_FAMILIES.format(*_titles(client, server))
    if client.transport != server.transport:
        theirs = _class_of(server.transport)
        if client.transport.is_headed:
            parts.append(
                f"Use {theirs} in the client, or THeaderProtocolFactory in the server "
                "(Apache's; it reads framed and unframed clients too)."
            )
        else:
            mine = _class_of(client.transport)
            parts.append(f"Use {theirs} in the client, or {mine} in the server.")
    if _is_variant(client, server):
        parts.append(
            "Switch strict_write on in the client (strictWrite in Apache's), or strict_read off "
            "in the server."
        )
    elif client.protocol != server.protocol:
        mine, theirs = (
            "" if one.protocol is None else one.protocol.classes for one in (client, server)
        )
        parts.append(f"Use {theirs} in the client, or {mine} in the server.")
    return " ".join(parts)


def check(call: Summary) -> str:
    """What to try if the server never answers any call; "" if there is nothing to try."""
    transport = call.dialect.transport
    if transport.is_datagram:
        return ""
    other = transport.other
    if other is None:
        if transport.answers_always:
            return "If no call to this server is ever answered: is it one of HTTP?"
        if not transport.plain:
            return (
                "If no call to this server is ever answered, check host and port: is it one of "
                f"{transport.family.title}?"
            )
        return f"If no call to this server is ever answered, try {_plain(call.dialect)}."
    try_this = _class_of(other)
    if not is_usual(call.dialect):
        try_this += f", and {_usual_class(call.dialect)}"
    return f"If no call to this server is ever answered, try {try_this}."


def two_protocols(case: Case, known: Known) -> Verdict | None:
    """Datagrams in two protocols are sent to one port.

    Nobody answers them, so the wire does not show which of the two is understood.
    """
    if case.flow.protocol != UDP or len(known.heard) < 2 or known.answered:
        return None
    told = [
        f"connection {flow} speaks {dialect}" for dialect, flow in list(known.heard.items())[:8]
    ]
    return Verdict(
        case.flow,
        Kind.TWO_PROTOCOLS,
        Severity.ERROR,
        f"This port is sent datagrams in {len(known.heard)} protocols, and whoever listens there "
        "most likely reads one of them: the others are dropped, and no client learns of it.",
        evidence=told,
        advice="Give each protocol a port of its own: Jaeger's agent takes compact on 6831 and "
        "binary on 6832.",
        alike=(case.flow.server, "protocols"),
    )
