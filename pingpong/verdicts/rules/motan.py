"""Motan: what its servers say of a call that they do not make.

Motan 2 says it in JSON ({"errcode": 404, "errmsg": "…", "errtype": 1}), Motan 1 with an exception
of its own, with the same numbers (MotanErrorMsgConstant): 404 and 10101 nothing of that name,
10002 rejected, 10201 too long, 10003 in time, 2000n the framework itself, 30001 the method.  The
texts are the Java library's (ProviderMessageRouter, NettyDecoder, DefaultProvider) and Go's
(server/server.go, provider/provider.go).  errtype 2 marks what the service itself threw: whatever
its number and text are, they are the service's own.
"""

from __future__ import annotations

import re
from typing import Final

from ...model import Outcome, Severity
from ...protocols.families.motan.answers import MOTAN
from ..evidence import ApplicationException, Case, shown
from ..phrases import is_masked
from ..verdict import Kind, Verdict, unbraced
from .refusals import (
    behind,
    by_the_service,
    handler_failed,
    masked_text,
    no_such_method,
    no_such_service,
    no_thread,
    other_serialization,
    too_long,
)

__all__ = ["MOTAN_WORDS", "of_motan"]

_NO_PROVIDER: Final = re.compile(
    r"(?:\w{1,80} handler Error: )?provider not exist(?: serviceKey=(?P<key>\S{0,300}))?"
    r"|not found provider for (?P<name>\S{0,300})"
)
_NO_METHOD: Final = re.compile(
    r"method (?P<go>\S{0,200}) is not found in provider|Service method not exist: "
    r"(?P<java>\S{0,300})"
)
_FULL: Final = re.compile(
    r"(?:process )?thread pool is full|ThreadProtectedRequestRouter reject request"
)
_COUNTERS: Final = re.compile(r"total_counter=(\d{1,9}) max_thread=(\d{1,9})")
_TOO_LONG: Final = re.compile(
    r"(?:\w{1,80} )?(?:transport )?(?:data )?content length over of limit, "
    r"size: (\d{1,19}) {1,3}> {1,3}(\d{1,19})"
)
_SERIALIZATION: Final = re.compile(
    r"can not found serialization (\S{0,80})|message serialize (?:not found|number not correct)"
)
_VALUES: Final = re.compile(r"deserialize (?:fail|arguments fail|parameters fail)")
_FAILED: Final = re.compile(r"provider call panic|provider has encountered a fatal error")
# DefaultProvider's words around what the method threw.
_AROUND: Final = "provider call process error"

# MotanErrorMsgConstant.
_REJECTED, _TIMEOUT, _OVER_LIMIT, _DECODE = 10002, 10003, 10201, 20003
_NOT_FOUND: Final = (404, 10101)
_BUSINESS: Final = 30001

_POOL_ADVICE: Final = (
    "Find out what keeps the server's threads: a method that waits for something slow, most often "
    "(jstack at that time). maxWorkerThread of the service's protocol is how many there are; the "
    "pool that is shared counts for all services on that port."
)
_LENGTH_ADVICE: Final = (
    "Send less at a time, or raise maxContentLength of the protocol on the side that complains "
    "(10 MiB where nothing is set, in Java)."
)
_SERVICE_ADVICE: Final = (
    "Compare interface, group and version of the referer with what the server exports; then "
    "whether the address came from the registry or was written down: another application may "
    "listen there now. Motan's clients in Java close the connection upon this answer."
)


def of_motan(case: Case, one: ApplicationException, evidence: list[str]) -> Verdict:
    """What a Motan server says in M_e, or with an exception."""
    text, code = one.text, one.code
    service, own = MOTAN.parts(one.call.method)
    if one.is_own:
        tell = handler_failed if text.startswith(_AROUND) else by_the_service
        return tell(case, one, evidence)
    found = _TOO_LONG.match(text)
    if found is not None or code == _OVER_LIMIT:
        numbers = "" if found is None else f"It has {found[1]} bytes, and {found[2]} are allowed."
        return too_long(case, one, evidence, numbers, _LENGTH_ADVICE)
    if _FULL.match(text):
        counters = _COUNTERS.search(text)
        numbers = (
            ""
            if counters is None
            else f"{counters[1]} calls were under way in the server, which has {counters[2]} "
            "threads."
        )
        return no_thread(case, one, evidence, numbers, _POOL_ADVICE)
    if code == _REJECTED:
        return Verdict(
            case.flow,
            Kind.OVERLOADED,
            Severity.ERROR,
            f"The server rejects the call {shown(one.call.method)} ({one.type}), and most likely "
            "did not begin it: a limit of its own, on threads or on calls, or a filter.",
            evidence=evidence,
            advice="The text says which limit, if anything does; so does the server's log.",
            alike=(case.flow.server, one.call.method, one.type),
            covers=(Outcome.APPLICATION_EXCEPTION,),
        )
    found = _NO_METHOD.match(text)
    if found is not None:
        java = (found["java"] or "").partition("(")[0]
        named = found["go"] or java.rpartition(".")[2] or own
        if not _is_part(java or named, one.call.method):
            return behind(case, one, evidence, java or named)
        return no_such_method(case, one, evidence, named, service)
    if code in _NOT_FOUND and is_masked(text):
        meaning = "By its number, the server has no such service, or no such method in it."
        return masked_text(case, one, evidence, meaning)
    found = _NO_PROVIDER.match(text)
    if found is not None:
        wanted = (found["key"] or found["name"] or "").rstrip(",") or service
        if service and not any(
            _is_part(part, one.call.method) for part in (wanted, *wanted.split("/"))
        ):
            return behind(case, one, evidence, wanted)
    if found is None and (_NO_PROVIDER.search(text) or _NO_METHOD.search(text)):
        return behind(case, one, evidence, "")
    if found is not None or code in _NOT_FOUND:
        wanted = service if found is None else wanted
        return no_such_service(case, one, evidence, wanted, None, _SERVICE_ADVICE)
    found = _SERIALIZATION.search(text)
    if found is not None:
        sent = _sent(one)
        return other_serialization(case, one, evidence, sent, _OTHER_ADVICE)
    if _VALUES.search(text) or code == _DECODE:
        return Verdict(
            case.flow,
            Kind.OTHER_SERIALIZATION,
            Severity.ERROR,
            f"The server found the method {shown(one.call.method)}, and could not read the values "
            f"of the call, which are in {_sent(one)}: it answers with {one.title}, {one.type}. "
            "Either it does not take that serialization, or the parameters differ in number or "
            "type.",
            evidence=evidence,
            advice=_OTHER_ADVICE,
            alike=(case.flow.server, one.call.method, "values"),
            covers=(Outcome.APPLICATION_EXCEPTION,),
        )
    if _FAILED.search(text):
        return handler_failed(case, one, evidence)
    if code == _TIMEOUT:
        return Verdict(
            case.flow,
            Kind.APPLICATION_EXCEPTION,
            Severity.ERROR,
            f"The server says of {shown(one.call.method)} that the time was over ({one.type}): "
            "what it called itself, or an agent before the server, did not answer in time.",
            evidence=evidence,
            advice="Look behind it: whom does it call for that? An agent writes that in its log.",
            alike=(case.flow.server, one.call.method, one.type),
            covers=(Outcome.APPLICATION_EXCEPTION,),
        )
    if code == _BUSINESS:
        return handler_failed(case, one, evidence)
    return by_the_service(case, one, evidence)


def _is_part(name: str, called: str) -> bool:
    """Is it what was called, its service or its own name?  It may be, where that is not known."""
    whole = f".{called}."
    return (
        not called
        or called.endswith("…")
        or whole.startswith(f".{name}.")
        or whole.endswith(f".{name}.")
    )


_OTHER_ADVICE: Final = (
    "Let both sides name the same serialization (serialization of the protocol: hessian2 in Java "
    "and simple in Go where nothing is set), and compare the types of the parameters; simple has "
    "no objects."
)


def _sent(one: ApplicationException) -> str:
    spoken = one.call.dialect.protocol
    return "a serialization that is not read here" if spoken is None else unbraced(spoken.title)


# Who speaks so, and what is told of it.
MOTAN_WORDS: Final = (MOTAN, of_motan)
