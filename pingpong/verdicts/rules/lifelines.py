"""What an end says of itself, and how long it took: heartbeats, farewells, answers that are late.

Dubbo, Motan and rpcx give each call an id of its own, so that a late answer misleads nobody: it is
dropped, and the wire shows a call that went well.  Only its times tell: how long the caller said
that it would wait, and who let that time go by.

    client │── call ──▶│   sending: the client's
           │           │   working: the server's, or of what lies between it and the capture
           │◀─ answer ─│   coming:  the network's, or of a client that reads slowly
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ...model import Half, Outcome, Severity
from ...protocols.purposes import counted
from ..evidence import BY_SERVER, Case, Known, Slow, shown
from ..phrases import ending
from ..verdict import Kind, Verdict, lasted, unbraced

__all__ = [
    "broken_text",
    "called_back",
    "left_first",
    "too_late",
    "took_leave",
    "unanswered_heartbeats",
]

_MOST: Final = 8

# ── Answers that came too late ───────────────────────────────────────────────────────


def too_late(case: Case, known: Known) -> Iterator[Verdict]:
    """Answers that came when the time was over that their calls say: each method once."""
    told = [(count, one) for count, one in case.slow.values() if one.is_told]
    for count, one in told[:_MOST]:
        family = one.call.dialect.transport.family
        who, where = _slowest(one)
        caller, callee = _ends(one)
        doubt = f" {family.patience_doubt}" if family.patience_doubt else ""
        yield Verdict(
            case.flow,
            Kind.TOO_LATE,
            Severity.WARNING,
            f"The answer to {shown(one.call.method)} came {{waited}}after the call, and the call "
            f"says that {_whose(one)} waits {{patience}}for it: most likely that had given up, its "
            f"program got a timeout, and the answer was dropped. {where}{_in_all(count)}{doubt}",
            evidence=_times(case, one),
            advice=f"Find out why it takes that long, or let the {caller} wait longer: its timeout "
            f"is set {family.timeouts_in}. What the {callee} did is not undone: a call that is "
            "sent again does it twice.",
            alike=(case.flow.server, one.call.method, who, caller),
            waited=one.waited,
            patience=one.patience,
        )


def took_long(case: Case, known: Known) -> Verdict | None:
    """Answers that came later than clients wait where nothing is set; these do not say."""
    found = [(count, one) for count, one in case.slow.values() if not one.is_told]
    if not found:
        return None
    count, one = max(found, key=lambda each: each[1].waited)
    family = one.call.dialect.transport.family
    who, where = _slowest(one)
    caller, _ = _ends(one)
    others = [
        f"so it is with {shown(each.call.method)}, {counted(times, 'call')}"
        for times, each in found[:_MOST]
        if each is not one
    ]
    return Verdict(
        case.flow,
        Kind.TOO_LATE,
        Severity.NOTE,
        f"The answer to {shown(one.call.method)} came {{waited}}after the call. Nothing in the "
        f"call says how long {_whose(one)} waits; {family.usual_waiter} wait {{patience}}where "
        "nothing is set, and one that does had given up, and dropped the answer. "
        f"{where}{_in_all(count)}",
        evidence=[*_times(case, one), *others],
        advice=f"If the {caller}'s log has a timeout at that time, find out why it takes that "
        f"long, or let it wait longer: its timeout is set {family.timeouts_in}.",
        alike=(case.flow.server, one.call.method, who, caller, "usual"),
        waited=one.waited,
        patience=one.patience,
    )


_PASSED: Final = {
    "client": "Most of it passed while the call was being sent: the {caller} wrote slowly, or the "
    "network or the {callee} did not take it.",
    "server": "Most of it passed between the last byte of the call and the first of the answer: on "
    "the {callee}'s side of this capture, not on the {caller}'s.",
    "behind": "Most of it passed while another answer came on the same connection, which this one "
    "stood behind: the network is slow, or the {caller} does not read, or the other answer is "
    "large.",
    "way": "The answer had begun early enough, and most of it passed while it came: the network is "
    "slow, or the {caller} does not read.",
    "": "It passed in several places, none of which stands out.",
}


def _slowest(one: Slow) -> tuple[str, str]:
    """Who let most of the time go by, and that in a sentence."""
    parts = {
        "client": one.sending,
        "server": one.working - one.behind,
        "behind": one.behind,
        "way": one.coming,
    }
    who = max(parts, key=lambda name: parts[name])
    if parts[who] < one.waited // 2:
        who = ""
    caller, callee = _ends(one)
    return who, _PASSED[who].format(caller=caller, callee=callee)


def _whose(one: Slow) -> str:
    """Who waits for the answer, after "the call says that"."""
    return "its client" if one.call.from_client else "the server"


def _ends(one: Slow) -> tuple[str, str]:
    """Who sent the call, and who answers it: either end may call the other."""
    return ("client", "server") if one.call.from_client else ("server", "client")


def _in_all(count: int) -> str:
    return f" So it is with {counted(count, 'call')} in all." if count > 1 else ""


def _times(case: Case, one: Slow) -> list[str]:
    """Evidence: the call, its answer, and where the time went by."""
    client, server = case.flow.from_client.syn, case.flow.from_server.syn
    trip = server - client if 0 <= client < server else 0
    return [
        f"CALL {one.call}",
        f"REPLY {one.reply}",
        f"the call took {lasted(one.sending)} to be sent; for {lasted(one.working)} no byte of the "
        f"answer came; the answer took {lasted(one.coming)} to come",
        f"for {lasted(one.behind)} of that time other answers came" if one.behind else "",
        f"when the connection was opened, a round trip to the server took {lasted(trip)}"
        if trip
        else "",
    ]


# ── Heartbeats ───────────────────────────────────────────────────────────────────────

# An answer to a heartbeat needs no work, and comes sooner than this (ns).
_AT_ONCE: Final = 1_000_000_000


def unanswered_heartbeats(case: Case, known: Known) -> Verdict | None:
    """An end asks whether the other is alive, and gets no answer."""
    flow = case.flow
    if flow.lacks:
        return None
    for who, half, other in (
        ("client", flow.from_client, flow.from_server),
        ("server", flow.from_server, flow.from_client),
    ):
        waited = sorted(time for time in half.unanswered.values() if time >= 0)
        over = _end_of_waiting(case)
        # The end of the other comes first: it cannot answer behind it.
        gone = min([time for time in (other.fin, other.rst) if time >= 0], default=over)
        open_ = [time for time in waited if min(over, gone) - time >= _AT_ONCE]
        if not open_ or not other.is_seen or min(half.unanswered.values()) < 0:
            continue  # or it answers, with other ids
        return _unanswered(case, who, half, other, open_, over)
    return None


def _end_of_waiting(case: Case) -> int:
    ends = [time for time in (case.client_end, case.server_end) if time >= 0]
    return min(ends, default=case.flow.last)


def _unanswered(
    case: Case, who: str, half: Half, other: Half, waited: list[int], over: int
) -> Verdict:
    flow = case.flow
    peer = "server" if who == "client" else "client"
    first = waited[0]
    speaks = other.last > first
    answered = half.beats - len(half.unanswered)
    is_open = case.client_end < 0 and case.server_end < 0
    first_one, last_one = ("the first of them", "the last of them") if waited[1:] else ("it", "it")
    closed = (
        f", and the {who} closed the connection {{closed}}after {last_one}"
        if (case.client_end if who == "client" else case.server_end) == over
        else ""
    )
    if speaks:
        why = (
            f"The {peer} is alive, though: it sent bytes after {first_one}. So it does not "
            "answer heartbeats (another version, or a library that does not know them), or it was "
            f"late with {'them' if waited[1:] else 'this one'}."
        )
    else:
        why = (
            f"Nothing at all came from the {peer} after {first_one}. A heartbeat is answered "
            "by the other program itself, without a handler: that one hangs (a long garbage "
            "collection, its threads for input and output are taken), its machine is gone, or "
            "something between the two drops what it is sent."
        )
        if not answered:
            why += " Or it never answers heartbeats, and had nothing to say."
    took = half.acked >= (flow.sent if who == "client" else flow.received)
    return Verdict(
        flow,
        Kind.HEARTBEATS,
        Severity.ERROR if answered > 0 and not speaks else Severity.WARNING,
        f"The {who} sent {counted(half.beats, 'heartbeat')}, and "
        f"{_had_none(len(waited), half.beats)}{closed}. {why}",
        evidence=[
            f"{counted(answered, 'heartbeat')} of the {who} {'was' if answered == 1 else 'were'} "
            "answered"
            if answered > 0
            else "",
            f"the {peer}’s machine acknowledged all that the {who} sent: it is its program that "
            "says nothing"
            if took
            else f"the {peer}’s machine did not acknowledge all that the {who} sent",
            f"the connection is open {lasted(over - waited[-1])} after {last_one}"
            if is_open
            else ending(case),
        ],
        advice=f"Look at the {peer}: its log at that time, its pauses (jstat -gc, a log of the "
        "garbage collector), its threads. If nothing is wrong there, look at what lies between. "
        f"The {who} closes such a connection, and opens another, after some more (three times the "
        "interval in Dubbo).",
        alike=(flow.server, who, speaks),
        closed=over - waited[-1],
    )


def _had_none(count: int, of: int) -> str:
    """``count`` of ``of`` heartbeats had no answer, after "sent … heartbeats, and"."""
    if count < of:
        return f"{count} of them had no answer"
    return "it had no answer" if of == 1 else f"{'neither' if of == 2 else 'none'} had an answer"


# ── Farewells ────────────────────────────────────────────────────────────────────────


def left_first(case: Case, known: Known) -> Verdict | None:
    """Calls that had no answer because the server had said that it takes no more, and closed."""
    if case.flow.from_server.left < 0 or not case.closed_by_server:
        return None
    return _leave(case, True)


def took_leave(case: Case, known: Known) -> Verdict | None:
    """A server says that it takes no more calls (Dubbo's readonly)."""
    if case.flow.from_server.left < 0 and case.flow.from_client.left < 0:
        return None
    return _leave(case, False)


def _leave(case: Case, covers: bool) -> Verdict:
    flow = case.flow
    who = "server" if flow.from_server.left >= 0 else "client"
    said = flow.from_server.left if who == "server" else flow.from_client.left
    end = case.server_end if who == "server" else case.client_end
    closed = "and closed the connection {closed}later" if end >= said else "and did not close yet"
    if who == "client":
        return Verdict(
            flow,
            Kind.GOAWAY,
            Severity.NOTE,
            "The client says that it takes no more calls (readonly), as one does that is being "
            f"stopped, {closed}. So the server should not call it any more; calls of the client's "
            "own are not meant.",
            evidence=[ending(case)],
            alike=(flow.server, who),
            closed=max(end - said, 0),
        )
    later = [ended - begun for begun, ended in case.recent if begun > said]
    under_way = sum(begun < said < ended for begun, ended in case.recent)
    open_ = [one for one in case.unanswered if one.call is not None]
    after = [one for one in open_ if one.call is not None and one.call.time > said]
    parts = []
    if under_way:
        parts.append(
            f"{counted(under_way, 'call')} that had been sent before had an answer after it"
        )
    if later:
        parts.append(
            f"{counted(len(later), 'call')} that the client sent after it had an answer all the "
            "same"
        )
    if after:
        parts.append(f"{counted(len(after), 'call')} that the client sent after it had none")
    if len(open_) > len(after):
        parts.append(
            f"{counted(len(open_) - len(after), 'call')} that had been sent before had no answer"
        )
    is_all = case.is_whole and flow.from_client.is_seen and flow.from_server.is_seen
    none = (
        " No call was under way." if is_all else " Which calls were under way, the capture lacks."
    )
    bad = bool(open_)
    return Verdict(
        flow,
        Kind.GOAWAY,
        Severity.ERROR if bad and covers else Severity.WARNING if bad else Severity.NOTE,
        f"The {who} says that it takes no more calls (readonly), as one does that is being "
        "stopped, "
        f"{closed}." + (f" {'; '.join(parts)}." if parts else none),
        evidence=[*(f"CALL {one.call}" for one in open_[:_MOST]), ending(case)],
        advice="Calls that the server did not answer may have been worked on: only what may be "
        "done "
        "twice can be sent again. Let the server wait longer for what is under way before it "
        "closes "
        "(dubbo.service.shutdown.wait, 10 s where nothing is set), and take it out of the registry "
        "first."
        if bad
        else "",
        alike=(flow.server, who, bool(open_), bool(later)),
        covers=BY_SERVER if covers else (),
        closed=max(end - said, 0),
    )


# ── Calls of the server's ──


def called_back(case: Case, known: Known) -> Iterator[Verdict]:
    """Calls that the server sent and the client did not answer: either end may call the other."""
    for (method, outcome), (count, one) in list(case.backward.items())[:_MOST]:
        call = one.call
        assert call is not None
        more = f" So it is with {counted(count, 'call')} in all." if count > 1 else ""
        is_open = outcome is Outcome.WAITING
        by_server = outcome in BY_SERVER
        if is_open:
            how = "the capture ends {after}after that, and no answer has come yet"
        else:
            who, did = (
                "server" if by_server else "client",
                "reset"
                if outcome in (Outcome.RESET_BY_SERVER, Outcome.RESET_BY_CLIENT)
                else "closed",
            )
            how = f"the {who} {did} the connection {{after}}after that, and no answer had come"
        yield Verdict(
            case.flow,
            Kind.WAITING if is_open else Kind.CLOSED_ON_CALL,
            Severity.NOTE if is_open else Severity.ERROR,
            f"The server calls {shown(method)} of the client, as services that call back do: "
            f"{how}.{more}",
            evidence=[f"CALL {call}", one.why, ending(case)],
            advice=""
            if is_open
            else "Here the client is the one that is called: look at its log at that time, whether "
            "it was still at work on the call, or was stopped. It is the server's program that "
            "lacks the answer.",
            alike=(case.flow.server, method, outcome, "backward"),
            after=max((case.flow.last if is_open else one.time) - call.end_time, 0),
        )


# ── Characters that did not survive ──────────────────────────────────────────────────


def broken_text(case: Case, known: Known) -> Iterator[Verdict]:
    """A text whose characters above U+FFFF were lost by who wrote it, or on the way."""
    for count, where, one in list(case.garbled.values())[:_MOST]:
        sender = "client" if where.from_client else "server"
        who = f"{sender}'s {'call' if one.in_call else 'answer'}"
        times = f" So it is with {counted(count, 'call')} in all." if count > 1 else ""
        was = f" The call has “{unbraced(one.was)}”." if one.was else ""
        if one.is_half:
            what = "half of a character, a surrogate without its other half"
            why = (
                "Either an encoder writes characters above U+FFFF, such as emoji, wrongly, or the "
                "program cut the text in the midst of one (substring counts such a character as "
                "two)."
            )
        elif one.is_shrunk:
            what = "a character of private use, such as is left of an emoji if only 16 bits of it "
            what += "are kept"
            why = (
                "U+F600, for one, is what becomes of 😀, U+1F600, in an encoder that knows no "
                "character above U+FFFF (python3-dubbo and dubbo-ssl-python 0.9.6 are such)."
                + (
                    ""
                    if one.was
                    else " Or the text has such a character on purpose: some fonts do."
                )
            )
        else:
            what = "something else in the place of a character above U+FFFF"
            why = (
                "Either an encoder does not know such characters, or the service kept the text "
                "where there is no room for them (utf8 in place of utf8mb4 in MySQL, a charset of "
                "8 "
                "bits): the wire does not say which."
            )
        yield Verdict(
            case.flow,
            Kind.TEXT_LOST,
            Severity.ERROR if one.was else Severity.WARNING,
            f"In the {who} {shown(where.method)} is {what}: “{unbraced(one.now)}”.{was} "
            f"{why}{times}",
            evidence=[f"{'CALL' if one.in_call else 'REPLY'} {where}"],
            advice="Use a library on the side that writes it which writes such characters in 4 "
            "bytes, or as the two surrogates of 3 bytes each that Java's hessian writes and all "
            "read; and try both directions with 😀."
            if one.is_half or one.is_shrunk
            else "Look at the value in the service's own store and log: if it is whole there, it "
            "is "
            "the encoder.",
            alike=(case.flow.server, where.method, one.in_call, bool(one.was), one.is_half),
        )
