"""What there is to say about a connection: one sentence, its evidence, and what to change.

    Kind ──▶ Verdict ──▶ Group: how many connections it holds for ──▶ Diagnosis: of a capture

``rules`` makes verdicts, ``diagnosis`` collects them.  The sentences contain times; ``plainly``
leaves them out, for text that is compared from run to run.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Final, NamedTuple

from ..model import Carrier, Flow, Outcome, Protocol, Severity, Shown
from ..protocols.purposes import counted

__all__ = [
    "OF_ANY_CONNECTION",
    "Diagnosis",
    "Dialect",
    "Group",
    "Kind",
    "Verdict",
    "lasted",
    "sized",
    "unbraced",
]


class Kind(Enum):
    """What a verdict is about.  docs/errors.md has a chapter on each."""

    # Both speak Thrift, but not the same dialect.
    FRAMED_ON_UNFRAMED = "framed client, unframed server"
    UNFRAMED_ON_FRAMED = "unframed client, framed server"
    COMPACT_ON_BINARY = "compact client, binary server"
    BINARY_ON_COMPACT = "binary client, compact server"
    OLD_ON_STRICT = "old client, strict server"
    STRICT_ON_OLD = "strict client, old server"
    THEADER_ON_PLAIN = "THeader client, server without it"
    MULTIPLEXED_ON_PLAIN = "multiplexed client, plain server"
    PLAIN_ON_MULTIPLEXED = "plain client, multiplexed server"
    DIALECTS_DIFFER = "client and server speak differently"
    # One of them speaks something else.
    HTTP = "HTTP on one side"
    TLS = "TLS on one side"
    HTTP_UNANSWERED = "a oneway call that HTTP never answers"
    SASL = "SASL on one side, or refused"
    OTHER_PROTOCOL = "another protocol"
    OTHER_SERIALIZATION = "values that the server does not take"
    # They understand each other, and still something went wrong.
    HELD_UP = "held up by flow control"
    CLOSED_ON_CALL = "closed without an answer"
    HANDLER_CRASHED = "the handler failed"
    UNKNOWN_METHOD = "unknown method"
    APPLICATION_EXCEPTION = "the server could not make the call"
    FRAME_TOO_LARGE = "frame too large"
    OVERLOADED = "the server takes no more calls now"
    IDLE_DROPPED = "an idle connection was dropped"
    CLIENT_GAVE_UP = "the client gave up"
    LATE_REPLY = "a late reply, read by the next call"
    TOO_LATE = "an answer that came late"
    ONEWAY_ANSWERED = "a oneway call was answered"
    OUT_OF_STEP = "out of step"
    UNREADABLE = "a message that cannot be read"
    NOT_UNPACKED = "a packing that is not read here"
    CUT_OFF = "cut off while it waited"
    PROBE_REFUSED = "a probe that the server does not take"
    TWO_PROTOCOLS = "two protocols on one port"
    GOAWAY = "the other end takes no more calls"
    HEARTBEATS = "heartbeats without an answer"
    TEXT_LOST = "characters that did not survive"
    ENDED_OTHERWISE = "calls without a usable answer"
    WAITING = "still waiting"
    # They never spoke.
    REFUSED = "connection refused"
    NO_ANSWER = "nobody answers"
    UNREACHABLE = "not reached"
    # Nobody can say what it is.
    NOT_RECOGNISED = "not recognised"
    # Nothing is wrong between them.
    STRUCTS_ALONE = "structs without a message"
    DECLARED_EXCEPTIONS = "exceptions that the IDL declares"
    THROWN_EXCEPTIONS = "exceptions that the handler threw"
    SERVICE_ERRORS = "errors of the service's own"
    ALL_WELL = "all is well"
    NOT_THRIFT = "nothing known here"
    # It is about the capture.
    SAME_AS_ANOTHER = "the same connection, captured twice"
    ONE_DIRECTION = "only one direction was captured"
    OPENED_IN_PART = "TLS that was opened in part"
    OUT_OF_ORDER = "packets out of order in the capture"
    LOST_PACKETS = "the capture lost packets"
    BEGAN_LATE = "the capture began too late"


# The kinds that are possible for connections without any Thrift in them.
OF_ANY_CONNECTION: Final = frozenset(
    {
        Kind.REFUSED,
        Kind.NO_ANSWER,
        Kind.UNREACHABLE,
        Kind.BEGAN_LATE,
        Kind.SAME_AS_ANOTHER,
        Kind.NOT_THRIFT,
    }
)


class Dialect(NamedTuple):
    """How an end speaks: its protocol (None if no message told) in its transport."""

    protocol: Protocol | None
    transport: Carrier

    def __str__(self) -> str:
        protocol = "" if self.protocol is None or self.protocol.is_raw else self.protocol.title
        around = self.transport.around
        if around:
            return f"{protocol} in {around}" if protocol else around
        return f"{self.transport} {protocol}".strip()


class Verdict:
    """What there is to say about a connection, or about several that are alike.

    ``sentence`` says all of it, ``plainly`` the same without times.  ``evidence`` is what was
    seen, one line each; ``advice`` is what to change, "" if there is nothing to change.
    ``server`` is the server's end, ``flow`` the number of the (first) connection, ``client`` its
    client, and ``proxied`` the one that the client connected for, if a PROXY header says so.
    ``covers`` are the outcomes of calls that it explains.
    """

    __slots__ = (
        *("_text", "_times", "advice", "alike", "client", "covers"),
        *("evidence", "flow", "kind", "proxied", "server", "severity"),
    )

    def __init__(
        self,
        flow: Flow,
        kind: Kind,
        severity: Severity,
        text: str,
        *,
        evidence: Iterable[str] = (),
        advice: str = "",
        alike: tuple[object, ...] = (),
        covers: Iterable[Outcome] = (),
        **times: int,
    ) -> None:
        # ``{name}`` in the text stands for a time in ns and the space after it; see ``unbraced``.
        self._text = text
        self._times = times
        self.kind = kind
        self.severity = severity
        self.evidence = tuple(_braced(one) for one in evidence if one)
        self.advice = _braced(advice)
        self.covers = frozenset(covers)
        self.server = flow.server
        self.client = flow.client
        self.proxied = flow.proxied
        self.flow = flow.number
        # Verdicts for which these are equal become one Group.
        self.alike = (kind, severity, *alike)

    @property
    def sentence(self) -> str:
        """All of the verdict in one or a few sentences, with times."""
        shown = {name: f"{lasted(time)} " for name, time in self._times.items()}
        return self._filled(shown)

    @property
    def plainly(self) -> str:
        """The sentence without its times, so that it is the same on every run."""
        return self._filled(dict.fromkeys(self._times, ""))

    def _filled(self, shown: dict[str, str]) -> str:
        text = self._text
        for name, words in shown.items():
            text = text.replace(f"{{{name}}}", words)
        return _braced(text)

    def join(self, line: str, remark: str) -> None:
        """Add evidence of the same from elsewhere, and, once, a remark on it to the sentence."""
        if _braced(line) not in self.evidence:
            self.evidence += (_braced(line),)
            if not self._text.endswith(remark):
                self._text += remark

    def __repr__(self) -> str:
        return f"<Verdict {self.kind.name}, flow {self.flow}: {self.sentence}>"


class Group(NamedTuple):
    """A Verdict and the connections that it holds for: how many, and the numbers of the first."""

    verdict: Verdict
    connections: int
    flows: tuple[int, ...]


class Diagnosis(Shown):
    """The verdicts on a capture, the most telling first; shows itself as text.

    ``connections`` counts those that were looked at, ``calls`` the exchanges in them.
    ``any_thrift``: some connection spoke Thrift.  ``is_unread``: some bytes could not be read,
    perhaps because the capture ended, or lost some.
    """

    __slots__ = ("any_thrift", "calls", "connections", "groups", "is_unread")

    def __init__(
        self, groups: tuple[Group, ...], connections: int, calls: int, any_thrift: bool
    ) -> None:
        self.groups = groups
        self.connections = connections
        self.calls = calls
        self.any_thrift = any_thrift
        self.is_unread = False

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """The verdicts of all groups, in the same order."""
        return tuple(group.verdict for group in self.groups)

    @property
    def is_trouble(self) -> bool:
        """Whether something is wrong between a client and a server: an ERROR among the verdicts."""
        return any(group.verdict.severity is Severity.ERROR for group in self.groups)

    def __len__(self) -> int:
        return len(self.groups)

    def __repr__(self) -> str:
        kinds = ", ".join(group.verdict.kind.name for group in self.groups)
        return f"<Diagnosis of {self.connections} connections: {kinds or 'nothing'}>"


def sized(count: int) -> str:
    """A number of bytes, for a sentence: "1 byte", "12 bytes"."""
    return counted(count, "byte")


# What stands for the braces of the wire until the times are in: two code points that Unicode keeps
# for a program's own use, and that are no characters.
_BRACES: Final = {"{": "\ufdd0", "}": "\ufdd1"}
_HIDE: Final = str.maketrans(_BRACES)
_SHOW: Final = str.maketrans({inside: brace for brace, inside in _BRACES.items()})


def unbraced(text: str) -> str:
    """Text from the wire without braces: in a sentence they enclose the name of a time.

    A Verdict shows them as they were.
    """
    return text.translate(_HIDE)


def _braced(text: str) -> str:
    return text.translate(_SHOW)


def lasted(time: int) -> str:
    """Nanoseconds as a length of time, to three digits.

    >>> lasted(51_930), lasted(1_204_000), lasted(61_000_000_000)
    ('51.9 µs', '1.2 ms', '61 s')
    """
    value, unit = time / 1_000, "µs"
    for larger in ("ms", "s"):
        if value < 999.5:
            break
        value, unit = value / 1_000, larger
    return f"{value:.0f} {unit}" if value >= 99.5 else f"{value:.3g} {unit}"
