"""Dubbo: what its servers say of a call that they do not make.

    status 100        no thread was free
    status 25, 50     the answer is longer than the payload limit (50 in Dubbo 2.6)
    status 40         the call cannot be read: another serialization, or other classes
    status 60, 70     no such service: the text names all that there are
    status 20         … and an RpcException, or NoSuchMethodException: the framework says it as the
                      method would

The texts are those of the Java library, which others write after it (WrappedChannelHandler,
AbstractCodec, CodecSupport, DubboProtocol, Wrapper); Go's are in its protocol/dubbo.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from ...hints.magic_numbers import Family
from ...model import Outcome, Severity
from ...protocols.families.dubbo.answers import DUBBO
from ...protocols.purposes import counted
from ..evidence import ApplicationException, Case, Known, shown
from ..phrases import ending, first_bytes, is_masked, text_of
from ..verdict import Kind, Verdict, unbraced
from .foreign import foreign_in
from .refusals import (
    behind,
    masked_text,
    no_such_service,
    no_thread,
    other_serialization,
    too_long,
)

__all__ = ["DUBBO_WORDS", "console", "of_dubbo", "thrown_by_dubbo"]

_COVERS: Final = (Outcome.APPLICATION_EXCEPTION,)

# The list may be cut off: of a long text only the beginning is kept.
_NOT_EXPORTED: Final = re.compile(
    r"Not found exported service: (\S{1,300}) in \[([^\]\n]{0,8192})(\]|\Z)"
)
_NO_EXPORTER: Final = re.compile(r"don't have th(?:is exporter|e invoker), key: ?(\S{0,300})")
_POOL: Final = re.compile(
    r"Pool Size: (\d{1,9}) \(active: (\d{1,9}), core: \d{1,9}, max: (\d{1,9})"
)
_TOO_LONG: Final = re.compile(
    r"Data length (?:too large: )?(\d{1,19})(?: too large)?, max payload:? (\d{1,19})"
)
_SERIALIZATION: Final = re.compile(r"Unexpected serialization (?:id|type):\s?(\S{1,40})")
# An exception in words begins with its class, and so does its cause inside it.
_CLASSES: Final = re.compile(
    r"\s{0,8}(?:(?:[\w$]{1,200}\.){0,30}[\w$]{0,200}(?:Exception|Error|Throwable): ){0,8}"
)
# Dubbo's own code has written the text, with no method of the service between.
_ITS_OWN: Final = frozenset(
    {
        *("SERIALIZATION_ERROR", "BAD_REQUEST", "BAD_RESPONSE", "SERVICE_NOT_FOUND"),
        "SERVER_THREADPOOL_EXHAUSTED",
    }
)
_POOL_ADVICE: Final = (
    "Find out what keeps the server's threads: a method that waits for something slow, most often "
    "(jstack at that time; Dubbo writes one by itself where its pool is exhausted). More threads "
    "(dubbo.protocol.threads, 200 where nothing is set) only help if it has the machine for them; "
    "executes limits a single method before it takes all."
)
_PAYLOAD_ADVICE: Final = (
    "Return less at a time (pages, a stream, a reference to a file), or raise payload of the "
    "protocol on both sides (dubbo.protocol.payload, 8 MiB where nothing is set)."
)
_NO_SERVICE_ADVICE: Final = (
    "Compare interface, group and version of the reference with what the server exports, case "
    "counts; then whether the address came from the registry or was written down (url=): another "
    "application may listen there now."
)


def _name(key: str) -> str:
    """The interface of a service's key, ``group/interface:version:port``."""
    return key.rpartition("/")[2].partition(":")[0]


def _is_of(service: str, method: str) -> bool:
    """Is it the service that was called?  A callback's has a number behind its name."""
    called = DUBBO.parts(method)[0]
    return not called or service == called or service.startswith(f"{called}.")


def _said(pattern: re.Pattern[str], one: ApplicationException) -> re.Match[str] | None:
    """Where Dubbo says so of this call: behind the names of exceptions, and nothing else."""
    if one.type in _ITS_OWN:
        return pattern.search(one.text)
    begin = _CLASSES.match(one.text)
    return pattern.match(one.text, 0 if begin is None else begin.end())


def of_dubbo(case: Case, one: ApplicationException, evidence: list[str]) -> Verdict:
    """What a Dubbo server says with its status."""
    text = one.text
    found = _said(_TOO_LONG, one)
    if found is not None:
        size, most = found.groups()
        numbers = f"It has {size} bytes, and {most} are allowed."
        if one.call.announced < int(size):
            numbers += " The call is smaller: it is the answer that is too long."
        return too_long(case, one, evidence, numbers, _PAYLOAD_ADVICE)
    if one.type == "SERVER_THREADPOOL_EXHAUSTED":
        pool = _POOL.search(text)
        numbers = ""
        if pool is not None:
            numbers = f"It says how full: {pool[2]} at work, {pool[3]} at most."
            if int(pool[2]) < int(pool[3]):
                # Its executor fills its numbers in when it refuses, and others may have left since.
                numbers += (
                    " By that, threads were free when it wrote this: others had just come free, or "
                    "the pool was being shut down."
                )
        return no_thread(case, one, evidence, numbers, _POOL_ADVICE)
    found = _said(_NOT_EXPORTED, one)
    if found is not None and not _is_of(_name(found[1]), one.call.method):
        return behind(case, one, evidence, found[1])
    if found is not None:
        wanted, offered = found[1], [part for part in found[2].split(", ") if part]
        if not found[3]:
            del offered[-1:]  # it was cut in two
        other = [key for key in offered if _name(key) == _name(wanted)]
        advice = _NO_SERVICE_ADVICE
        if other:
            advice = (
                f"It has {unbraced(_name(wanted)[:120])}, but with another group, version or port: "
                f"{unbraced(', '.join(other[:4])[:300])}, where the client wants "
                f"{unbraced(wanted[:200])}. Give both sides the same."
            )
        return no_such_service(
            case, one, evidence, wanted, offered, advice, is_whole=bool(found[3])
        )
    found = _said(_NO_EXPORTER, one)
    if found is not None and found[1] and not _is_of(_name(found[1]), one.call.method):
        return behind(case, one, evidence, found[1])
    if found is not None or one.type == "SERVICE_NOT_FOUND":
        wanted = DUBBO.parts(one.call.method)[0] if found is None else found[1]
        return no_such_service(case, one, evidence, wanted, None, _NO_SERVICE_ADVICE)
    found = _said(_SERIALIZATION, one)
    if found is not None:
        spoken = one.call.dialect.protocol
        title = spoken.title if spoken is not None and spoken.classes else "a serialization"
        sent = one.call.unread or f"{title} ({unbraced(found[1])})"
        return other_serialization(case, one, evidence, sent, _SERIALIZATION_ADVICE)
    if is_masked(text):
        return masked_text(case, one, evidence)
    if one.type in ("BAD_REQUEST", "BAD_RESPONSE"):
        return _not_read(case, one, evidence)
    for pattern in (_NOT_EXPORTED, _NO_EXPORTER):
        found = pattern.search(text)
        if found is not None:
            is_same = _is_of(_name(found[1]), one.call.method)
            return behind(case, one, evidence, "" if is_same else found[1])
    if _TOO_LONG.search(text) or _SERIALIZATION.search(text) or _POOL.search(text):
        return behind(case, one, evidence, "")
    return Verdict(
        case.flow,
        Kind.APPLICATION_EXCEPTION,
        Severity.ERROR,
        f"The server could not make the call {shown(one.call.method)}: it answers with "
        f"{one.title}, {one.type}.",
        evidence=evidence,
        advice=_ADVICE.get(one.type, "Its text says more; so does the server's log."),
        alike=(case.flow.server, one.call.method, one.type),
        covers=_COVERS,
    )


_SERIALIZATION_ADVICE: Final = (
    "Let both sides name the same serialization (dubbo.protocol.serialization; since 3.2 "
    "prefer-serialization, too): hessian2 is what all of them have. A server that checks "
    "(serialization.security.check) refuses what it does not name."
)

_ADVICE: Final = {
    "SERVICE_ERROR": "The server failed around the method, not in it: a filter, the invoker. Its "
    "log has the whole stack.",
    "SERVER_ERROR": "The server failed before it found a method: its log has the whole stack.",
    "SERVER_TIMEOUT": "The server says that it took too long itself: see what it waits for.",
}


def _not_read(case: Case, one: ApplicationException, evidence: list[str]) -> Verdict:
    """One side cannot read, or write, what the other has sent."""
    is_call = one.type == "BAD_REQUEST"
    what = (
        "could not read the call" if is_call else "could not write the answer, or could not read it"
    )
    return Verdict(
        case.flow,
        Kind.APPLICATION_EXCEPTION,
        Severity.ERROR,
        f"The server {what} {shown(one.call.method)}: it answers with {one.title}, {one.type}. "
        "The text says why: a class that it does not have or does not allow, a type that differs, "
        "or another serialization.",
        evidence=evidence,
        advice="Compare the classes of both sides (the same version of the jar with the "
        "interfaces), then the serialization. Since 3.2 classes have to be allowed: the file "
        "security/serialize.allowlist, dubbo.application.serialize-check-status.",
        alike=(case.flow.server, one.call.method, one.type),
        covers=_COVERS,
    )


# ── What the framework throws in place of the method ─────────────────────────────────

# The classes, in full: a service may have an RpcException of its own.
_RPC: Final = ("org.apache.dubbo.rpc.RpcException", "com.alibaba.dubbo.rpc.RpcException")
_NO_METHOD: Final = (
    "org.apache.dubbo.common.bytecode.NoSuchMethodException",
    "com.alibaba.dubbo.common.bytecode.NoSuchMethodException",
    "java.lang.NoSuchMethodException",
)
# Wrapper writes the first, Class.getMethod the second (proxy="jdk").
_NAMED: Final = re.compile(
    r'Not found method "(?P<own>[^"]{0,300})" in class'
    r"|(?:[\w$]{1,200}\.){1,30}(?P<jdk>[\w$]{1,200})\("
)
_LIMITED: Final = re.compile(
    r"Failed to invoke method (\S{1,300}) in provider (\S{1,2000}), cause: "
    r"The service using threads greater than <dubbo:service executes=\"?(\d{1,9})"
)
_TPS: Final = re.compile(r"Failed to invoke service (\S{1,600}) because exceed max service tps")
_BEHIND: Final = re.compile(r"Invoke remote method timeout|Waiting server-side response timeout")
_NO_TIME: Final = re.compile(r"No time left for making the following call")
_NO_PROVIDER: Final = re.compile(r"No provider available|Forbid consumer")


def thrown_by_dubbo(case: Case, known: Known) -> Iterator[Verdict]:
    """Replies with an exception that the framework has thrown, and no method of the service."""
    if case.first is None or case.first.dialect.transport.family is not DUBBO:
        return
    told: dict[tuple[object, ...], Verdict] = {}
    for (method, name, _), (count, text) in case.thrown.items():
        said = _thrown(method, name, text)
        if said is None:
            continue
        kind, sentence, advice = said
        times = f" So it is {counted(count, 'time')}." if count > 1 else ""
        words = " ".join(text.split())
        line = f"{shown(method)} is answered with {shown(name)}" + (
            f": “{unbraced(words[:200])}”" if words else ""
        )
        verdict = Verdict(
            case.flow,
            kind,
            Severity.ERROR,
            f"{sentence}{times}",
            evidence=[line],
            advice=advice,
            alike=(case.flow.server, method, sentence),
        )
        if verdict.alike in told:
            told[verdict.alike].join(line, "")
        elif len(told) < _MOST_TOLD:
            told[verdict.alike] = verdict
    yield from told.values()


# How many verdicts there are on what Dubbo threw.
_MOST_TOLD: Final = 8


def _thrown(method: str, name: str, text: str) -> tuple[Kind, str, str] | None:
    """What to say of an exception that came as a result; None if Dubbo did not throw it."""
    if name in _NO_METHOD:
        return _no_method(method, name, text)
    return _rpc(method, text) if name in _RPC else None


def _no_method(method: str, name: str, text: str) -> tuple[Kind, str, str] | None:
    service, own = DUBBO.parts(method)
    found = _NAMED.match(text)
    named = "" if found is None else found["own"] or found["jdk"]
    if found is None or (found["own"] is None and named != own):
        return None  # reflection of the service's own, most likely
    if named != own:
        return _of_another(method, named)
    return (
        Kind.UNKNOWN_METHOD,
        f"The server has the service {shown(service)}, and no method {shown(own)} in it, or "
        "none with such parameters: it says so with an exception, which looks like one of the "
        "service's own.",
        "Compare the interface of both sides: the method's name, case counts, and the types of "
        "its parameters. Mostly one side was deployed and the other not yet.",
    )


def _of_another(method: str, other: str) -> tuple[Kind, str, str]:
    return (
        Kind.APPLICATION_EXCEPTION,
        f"{shown(method)} is answered with an exception of the framework about {shown(other)}, "
        "which is not what is called here: most likely the service called it, and passes on what "
        "it was told.",
        "Look for that other call in this server's log.",
    )


def _rpc(method: str, text: str) -> tuple[Kind, str, str]:
    service, own = DUBBO.parts(method)
    limit = _LIMITED.match(text)
    if limit is not None and (limit[1] != own or service not in limit[2]):
        return _of_another(method, f"{limit[1]} in {limit[2]}")
    if limit is not None:
        return (
            Kind.OVERLOADED,
            f"The server lets {limit[3]} calls of {shown(method)} run at a time (executes), and "
            "there were more: it did not begin this one.",
            "Find out what makes the method slow, or raise executes.",
        )
    rate = _TPS.match(text)
    if rate is not None and rate[1] != method:
        return _of_another(method, rate[1])
    if rate is not None:
        return (
            Kind.OVERLOADED,
            f"The server lets only so many calls of {shown(method)} through in a time (tps), and "
            "there were more: it did not begin this one.",
            "Send fewer, or raise the limit (tps, tps.interval).",
        )
    if _BEHIND.search(text):
        return (
            Kind.APPLICATION_EXCEPTION,
            f"{shown(method)} failed because the server itself called another one, which did not "
            "answer in time: the text names it.",
            "Look at that one: it, or what it waits for, was slow, and not the server here.",
        )
    if _NO_TIME.search(text):
        return (
            Kind.APPLICATION_EXCEPTION,
            f"{shown(method)} was given up on the way: the time that its first caller gave it was "
            "over before the next call could be made.",
            "See what took the time before: the timeout counts for the whole chain of calls.",
        )
    if _NO_PROVIDER.search(text):
        return (
            Kind.APPLICATION_EXCEPTION,
            f"{shown(method)} failed because the server found nobody to make a call of its own.",
            "Look at the registry, and whether the provider that the text names is up.",
        )
    if is_masked(text):
        return (
            Kind.APPLICATION_EXCEPTION,
            f"{shown(method)} is answered with an exception of the framework, RpcException. Its "
            "text is masked: it would say what has failed.",
            "Look at the capture from which this one was made, or at the server's log.",
        )
    return (
        Kind.APPLICATION_EXCEPTION,
        f"{shown(method)} is answered with an exception of a class of the framework, RpcException: "
        "a filter of the server, or a call that the server made itself, has failed; or the service "
        "threw it.",
        "The text of the exception says more; so does the server's log.",
    )


# ── The console ──────────────────────────────────────────────────────────────────────


def console(case: Case, known: Known) -> Verdict | None:
    """Somebody talks to Dubbo's port in lines of text, and it answers them."""
    flow = case.flow
    reply = flow.from_server.first
    if case.first is not None or case.tally.replies or not reply:
        return None
    if not flow.events.get("telnet answer", 0) and _PROMPT not in reply:
        return None
    if reply.startswith(b"Unsupported command: "):
        return _no_command(case)
    lines = [line for line in flow.from_client.first.split(b"\n") if line.strip()]
    told = [unbraced(line.strip()[:60].decode("ascii", "backslashreplace")) for line in lines[:4]]
    return Verdict(
        flow,
        Kind.ALL_WELL,
        Severity.NOTE,
        "Somebody talks to the Dubbo server in lines of text, as with telnet: its port takes "
        "commands, too, and answers them.",
        evidence=[f"the client sends “{line}”" for line in told],
        advice="",
        alike=(flow.server, "console"),
    )


_PROMPT: Final = b"dubbo>"


def _no_command(case: Case) -> Verdict:
    """What was sent to the console is none of its commands: a client of another kind, mostly."""
    flow = case.flow
    reading = foreign_in(flow.from_client)
    is_http = reading is not None and reading.family is Family.HTTP
    words = unbraced(text_of(flow.from_server.first))
    sent = "something else than Dubbo" if reading is None else reading.what
    return Verdict(
        flow,
        Kind.HTTP if is_http else Kind.OTHER_PROTOCOL,
        Severity.ERROR,
        f"The client sends {sent}, and has reached a Dubbo server: that takes it for a command of "
        f"its console, and answers “{words}”.",
        evidence=[
            first_bytes("client", flow.from_client),
            first_bytes("server", flow.from_server),
            ending(case),
        ],
        advice="Check host and port on the client's side; keep browsers, health checks and "
        "scrapers "
        "off this port.",
        alike=(flow.server, sent),
        covers=Outcome,
    )


# Who speaks so, and what is told of it.
DUBBO_WORDS: Final = (DUBBO, of_dubbo)
