"""What servers with words of their own say of a call that they do not make: the sentences.

Dubbo, Motan and rpcx say it in a text, each in its own.  Their rules (``dubbo``, ``motan``,
``rpcx``) know these texts, and here is what each of them means, whoever said it.

A server passes on what it was told itself: its handler calls another one, and that one's text
becomes a part of its own.  So a text counts as this server's only where its library begins with it,
and where the names in it are those of the call; otherwise it speaks of someone ``behind`` it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ...model import Outcome, Severity
from ..evidence import ApplicationException, Case, shown
from ..phrases import is_masked
from ..verdict import Kind, Verdict, unbraced

__all__ = [
    "behind",
    "by_the_client",
    "by_the_service",
    "handler_failed",
    "masked_text",
    "no_such_method",
    "no_such_service",
    "no_thread",
    "other_serialization",
    "too_long",
]

_COVERS: Final = (Outcome.APPLICATION_EXCEPTION,)
# How many of the services that a server offers are named.
_NAMED: Final = 8
# How much of a text is quoted (characters).
_QUOTED: Final = 160


def _said(one: ApplicationException) -> str:
    """With what the server answers, and the beginning of its text."""
    kind = "" if one.title.endswith(f" {one.type}") else f", {one.type}"
    words = " ".join(one.text.split())
    text = f": “{unbraced(words[:_QUOTED])}{'…' if len(words) > _QUOTED else ''}”" if words else ""
    return f"{one.title}{kind}{text}"


def no_such_service(
    case: Case,
    one: ApplicationException,
    evidence: list[str],
    service: str,
    offered: Sequence[str] | None,
    advice: str,
    is_whole: bool = True,
) -> Verdict:
    """Say that the server has no such service.

    ``offered`` is what it says that it has, None if it does not say; ``is_whole``: all of it.
    """
    if offered is None:
        rest = ""
    elif not offered and is_whole:
        rest = " It says that it has no service at all on this port."
    else:
        names = ", ".join(unbraced(name[:120]) for name in offered[:_NAMED])
        left = len(offered) - _NAMED
        more = (
            f", and {left} more" if left > 0 and is_whole else "" if is_whole else ", and many more"
        )
        rest = f" It says what it has: {names}{more}."
    return Verdict(
        case.flow,
        Kind.UNKNOWN_METHOD,
        Severity.ERROR,
        f"The server has no service {shown(service)}, which {shown(one.call.method)} is called "
        f"of: it answers with {_said(one)}. It understands the client's bytes.{rest}",
        evidence=evidence,
        advice=advice,
        alike=(case.flow.server, one.call.method, "service"),
        covers=_COVERS,
    )


def no_such_method(
    case: Case, one: ApplicationException, evidence: list[str], method: str, service: str
) -> Verdict:
    """The server has the service, and no such method in it."""
    inside = f" in {shown(service)}" if service else ""
    return Verdict(
        case.flow,
        Kind.UNKNOWN_METHOD,
        Severity.ERROR,
        f"The server has no method {shown(method)}{inside}: it answers with {_said(one)}. It "
        "understands the client's bytes, and has the service, in another version than the client "
        "was written for; or the parameters differ in number or type.",
        evidence=evidence,
        advice="Compare the interface of both sides: the method's name, case counts, and the types "
        "of its parameters. Mostly one side was deployed and the other not yet.",
        alike=(case.flow.server, one.call.method, "method"),
        covers=_COVERS,
    )


def no_thread(
    case: Case, one: ApplicationException, evidence: list[str], numbers: str, advice: str
) -> Verdict:
    """The server has no thread for the call.  ``numbers`` is what it says of its pool."""
    running = sum(begun < one.call.time < ended for begun, ended in case.recent)
    others = (
        f"{running} other call{'s' if running != 1 else ''} of this connection "
        f"{'were' if running != 1 else 'was'} under way when it came"
        if running
        else ""
    )
    return Verdict(
        case.flow,
        Kind.OVERLOADED,
        Severity.ERROR,
        f"The server had no thread free for the call {shown(one.call.method)}, and did not begin "
        f"it: it answers with {_said(one)}. So it may be sent again, elsewhere or later."
        + (f" {numbers}" if numbers else ""),
        evidence=[*evidence, others],
        advice=advice,
        alike=(case.flow.server, one.call.method, one.type),
        covers=_COVERS,
    )


def too_long(
    case: Case, one: ApplicationException, evidence: list[str], numbers: str, advice: str
) -> Verdict:
    """A message is longer than who should read it, or write it, allows."""
    return Verdict(
        case.flow,
        Kind.FRAME_TOO_LARGE,
        Severity.ERROR,
        f"A message of {shown(one.call.method)} is longer than the server allows, and it says so: "
        f"{_said(one)}.{f' {numbers}' if numbers else ''}",
        evidence=evidence,
        advice=advice,
        alike=(case.flow.server, one.call.method, one.type),
        covers=_COVERS,
    )


def other_serialization(
    case: Case, one: ApplicationException, evidence: list[str], sent: str, advice: str
) -> Verdict:
    """The server does not take values that are written so."""
    return Verdict(
        case.flow,
        Kind.OTHER_SERIALIZATION,
        Severity.ERROR,
        f"The client writes the values of {shown(one.call.method)} in {sent}, and the server does "
        f"not take that: it answers with {_said(one)}.",
        evidence=evidence,
        advice=advice,
        alike=(case.flow.server, one.call.method, sent),
        covers=_COVERS,
    )


def handler_failed(case: Case, one: ApplicationException, evidence: list[str]) -> Verdict:
    """The method itself failed, in a way that it did not mean to."""
    return Verdict(
        case.flow,
        Kind.HANDLER_CRASHED,
        Severity.ERROR,
        f"The handler of {shown(one.call.method)} failed: the server answers with {_said(one)}.",
        evidence=evidence,
        advice="Look at the server's log at that time: the handler's own stack is there.",
        alike=(case.flow.server, one.call.method, one.type),
        covers=_COVERS,
    )


def behind(case: Case, one: ApplicationException, evidence: list[str], other: str) -> Verdict:
    """What the server answers with are a library's words, and they are not about this call.

    ``other`` is the service, the method or whatever else they name, "" if that is not plain.
    """
    about = f"about {shown(other)}, which is not what is called here" if other else ""
    return Verdict(
        case.flow,
        Kind.APPLICATION_EXCEPTION,
        Severity.ERROR,
        f"The server could not make the call {shown(one.call.method)}: it answers with "
        f"{_said(one)}. In it are a library's words {about or 'inside other words'}: most likely "
        "the service called another one, and passes on what that said.",
        evidence=evidence,
        advice="Look for that other call in this server's log: whom did it call? Nothing in the "
        "text says that what is called here is missing or refused.",
        alike=(case.flow.server, one.call.method, one.type, "behind", other),
        covers=_COVERS,
    )


def by_the_client(case: Case, one: ApplicationException, evidence: list[str]) -> Verdict:
    """The server called the client, and that could not make the call."""
    return Verdict(
        case.flow,
        Kind.ENDED_OTHERWISE,
        Severity.ERROR,
        f"The server calls {shown(one.call.method)} of the client, as services that call back do, "
        f"and the client could not make the call: it answers with {_said(one)}.",
        evidence=evidence,
        advice="Here the client is the one that is called: its log at that time says more.",
        alike=(case.flow.server, one.call.method, one.type, "backward"),
        covers=_COVERS,
    )


def masked_text(
    case: Case, one: ApplicationException, evidence: list[str], meaning: str = ""
) -> Verdict:
    """An error whose text would say what it means, in a capture from which it was taken.

    ``meaning`` is what its number alone says.
    """
    return Verdict(
        case.flow,
        Kind.APPLICATION_EXCEPTION,
        Severity.ERROR,
        f"The server could not make the call {shown(one.call.method)}: it answers with "
        f"{_said(one)}. The text is masked, and with it goes whether the library says this or the "
        f"service.{f' {meaning}' if meaning else ''}",
        evidence=evidence,
        advice="Look at the capture from which this one was made, or at the server's log.",
        alike=(case.flow.server, one.call.method, one.type, "masked"),
        covers=_COVERS,
    )


_OWN: Final = "The answer marks it as the service's own, and not the framework's."
_NOT_KNOWN: Final = (
    "These are not words that its library is known to write: most likely they are the service's "
    "own."
)


def by_the_service(case: Case, one: ApplicationException, evidence: list[str]) -> Verdict:
    """An error whose text no library is known to write: the service's own, as far as it shows."""
    if is_masked(one.text):
        return masked_text(case, one, evidence)
    whose = _OWN if one.is_own else _NOT_KNOWN
    if not one.text:
        whose = "It has no text, or one of so many that they are not told."
    return Verdict(
        case.flow,
        Kind.APPLICATION_EXCEPTION,
        Severity.ERROR,
        f"The server could not make the call {shown(one.call.method)}: it answers with "
        f"{_said(one)}. {whose}",
        evidence=evidence,
        advice="The text says what the service minds; its log may say more.",
        alike=(case.flow.server, one.call.method, one.type),
        covers=_COVERS,
    )
