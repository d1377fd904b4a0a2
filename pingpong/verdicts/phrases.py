"""Phrases for the rules, about what is on the wire: who closed after what, first bytes, answers.

A ``{name}`` in a phrase stands for a time: see ``Verdict``.
"""

from __future__ import annotations

import re
from typing import Final

from ..hints.magic_numbers import Certainty, Family, explain_bytes
from ..model import DEFAULT_LIMITS, Half
from ..protocols.detect import protocol_at
from ..protocols.families.thrift.framed import HEAD
from .evidence import ApplicationException, Case, Known, Summary, dialect_of, shown
from .verdict import sized, unbraced

__all__ = [
    "LOST_HERE",
    "as_length",
    "ended_after",
    "ending",
    "failed",
    "first_bytes",
    "frame_above_limit",
    "how_it_ended",
    "is_masked",
    "line_of",
    "now_and_then",
    "others",
    "patience",
    "refused_length",
    "text_in",
    "text_of",
]

# What a finding says of bytes that are missing because the capture does not have them.
LOST_HERE: Final = "the capture lost"

# How many bytes of a direction are shown as evidence.
_SHOWN: Final = 12


def frame_above_limit(half: Half) -> int:
    """The length of a direction's first frame, if that is above the limit; 0 if it is not.

    It counts only if a message follows: other bytes could be read as a length too.
    """
    head = half.first
    if not half.from_start or len(head) < HEAD + 2:
        return 0
    length = int.from_bytes(head[:HEAD], "big")
    if not DEFAULT_LIMITS.frame < length < 2**31:
        return 0
    inside = protocol_at(head, HEAD, len(head), DEFAULT_LIMITS)
    return length if inside is not None and inside.is_marked else 0


_REFUSED: Final = re.compile(r"frame length at offset 0: is (\d+), want at most")

# Four bytes of text, read as a length, are at least this.
_TEXT: Final = 0x20000000


def refused_length(half: Half) -> int:
    """The length of a later frame that is above the limit; 0 if there is none.

    A length as large as four bytes of text would be does not count.
    """
    found = _REFUSED.match(half.why) if half.broke > 0 else None
    length = 0 if found is None else int(found[1])
    return length if DEFAULT_LIMITS.frame < length < _TEXT else 0


def how_it_ended(case: Case, call: Summary | None = None) -> str:
    """What the server did: ``closed {after}after the client's first 21 bytes and sent none``.

    ``call`` is what it did that after; without one, it is what the client has sent.
    """
    flow = case.flow
    client, server = flow.from_client, flow.from_server
    sent = "" if server.first or call is not None else " and sent none"
    if call is not None:
        upon = f"after the call {shown(call.method)}"
    elif flow.sent:
        upon = f"after the client's {'first ' if client.from_start else ''}{sized(flow.sent)}"
    else:
        upon = "after it was opened"
    if case.closed_by_server:
        verb = "reset the connection" if server.fin < 0 else "closed"
        return f"{verb} {{after}}{upon}{sent}"
    if case.closed_by_client:
        said = "said nothing" if not server.first else "said no more"
        return f"{said} until the client closed {{after}}{upon}"
    said = "said nothing" if not server.first else "said no more"
    return f"{said} until the capture ends, {{after}}{upon}"


def ended_after(case: Case) -> dict[str, int]:
    """The time in ``how_it_ended``, in ns: from the client's last call or bytes to the end."""
    flow = case.flow
    if case.closed_by_server:
        end = case.server_end
    elif case.closed_by_client:
        end = case.client_end
    else:
        end = flow.last
    calls = [one.call for one in case.unanswered if one.call is not None]
    since = max(call.end_time for call in calls) if calls else flow.from_client.last
    if since < 0:
        since = flow.began
    return {"after": max(end - since, 0)}


def ending(case: Case) -> str:
    """Evidence of how the connection ended: bytes received, then each FIN and RST in order."""
    flow = case.flow
    done = []
    for who, half in (("client", flow.from_client), ("server", flow.from_server)):
        if half.fin >= 0:
            done.append((half.fin, f"FIN from the {who}"))
        if half.rst >= 0:
            done.append((half.rst, f"RST from the {who}"))
    if not done:
        return "the connection is open at the end of the capture"
    words = [text for _, text in sorted(done, key=lambda one: one[0])]
    received = sized(flow.received) if flow.received else "no byte"
    return f"{received} from the server, then {', '.join(words)}"


def first_bytes(who: str, half: Half) -> str:
    """Evidence: the first bytes of a direction and what they are; "" if there are none.

    ``who`` is "client" or "server".
    """
    if not half.first:
        return ""
    shown = half.first[:_SHOWN].hex(" ")
    more = " …" if len(half.first) > _SHOWN else ""
    which = "first bytes" if half.from_start else "first captured bytes"
    readings = explain_bytes(half.first).readings if half.from_start else ()
    if who == "client" and half.first[:1] != b"\x01":
        # A SASL negotiation begins with START; only a server begins with another status.
        readings = tuple(one for one in readings if one.family is not Family.SASL)
    length = frame_above_limit(half)
    what = ""
    if length:
        what = f": the length of a frame of {length} bytes, then a message"
    elif readings and readings[0].certainty is not Certainty.POSSIBLE:
        what = f": {readings[0].what}"
        if readings[0].text:
            what += f", which says “{unbraced(readings[0].text[:160])}”"
    elif half.detection is not None and half.detection.transport is not None:
        what = f": {dialect_of(half)}"
    elif (text := text_of(half.first)) != "":
        what = f": the text “{text}”"
    return f"the {who}'s {which} are {shown}{more}{what}"


_PRINTABLE: Final = re.compile(rb"[\x20-\x7e\r\n\t]{4,}")


def text_of(data: bytes) -> str:
    """The first line of text that ``data`` begins with, at most 60 characters; "" if none.

    It is as it came from the wire: ``unbraced`` makes it fit for a sentence.
    """
    found = _PRINTABLE.match(data)
    if found is None:
        return ""
    line = found.group().splitlines()[0] if found.group().splitlines() else b""
    return line[:60].decode("ascii").strip()


_SENTENCE: Final = re.compile(rb"[\x20-\x7e]{12,}")


def text_in(data: bytes) -> str:
    """The longest run of readable text in ``data``; "" if none has 12 characters.

    160 characters of it at most, fit for a sentence.
    """
    runs = [one.group() for one in _SENTENCE.finditer(data)]
    return unbraced(max(runs, key=len, default=b"")[:160].decode("ascii").strip())


def line_of(half: Half) -> str:
    """The text that a direction begins with, in quotation marks, as the end of a sentence."""
    return f"“{unbraced(text_of(half.first))}”."


def as_length(case: Case) -> str:
    """What the client's first four bytes are if they are read as a signed length."""
    return str(int.from_bytes(case.flow.from_client.first[:4], "big", signed=True))


def others(known: Known) -> str:
    """Evidence that Thrift is spoken at this server: answers, or the user's word; else ""."""
    usual = known.usual
    if usual is None:
        return "that port was named as one of Thrift's" if known.told else ""
    return known.words(usual)


def now_and_then(known: Known) -> str:
    """Evidence that the server answers on other connections; "" if it was not seen to."""
    return f"on other connections {known.words(known.usual)}" if known.usual is not None else ""


def failed(count: int, one: ApplicationException) -> str:
    """Evidence of a failure: ``EXCEPTION method, TYPE: “text”, 3 times``."""
    text = f": {quoted(one.text)}" if one.text else ""
    # Texts that differ in their numbers alone count as one: see evidence.py.
    some = ", with these numbers or others" if any(map(str.isdigit, one.text)) else ""
    times = f", {count} times{some}" if count > 1 else ""
    return f"EXCEPTION {shown(one.replied)}, {one.type}{text}{times}"


# What ``pingpong redact`` puts in the place of a text (encodings/masks.py, framings/hpack.py).  No
# library says anything in three letters: shorter texts can be judged as they are.
_MASK: Final = re.compile("(?=.{4})(?:[x·□\U0001f7e6]+|a*A*B*X*)\\Z")


def is_masked(text: str) -> bool:
    """Whether a text is such as is left of one in a redacted capture, and says nothing.

    >>> is_masked("xxxx·□"), is_masked("aaAAAB"), is_masked("x"), is_masked("no bob")
    (True, True, False, False)
    """
    return _MASK.match(text) is not None


# Times that programs wait by default (ns), and which programs.
_DEFAULTS: Final = (
    (3_000_000_000, "3 s are thriftpy2's default timeout"),
    (60_000_000_000, "60 s are the default of many load balancers"),
    (350_000_000_000, "350 s are the default of AWS's network load balancers"),
)


def patience(waited: int) -> str:
    """Which programs wait that long (ns) by default; "" if none is known to."""
    for usual, words in _DEFAULTS:
        if usual * 0.98 <= waited <= usual * 1.03:
            return words
    return ""


def quoted(text: str) -> str:
    """The text in quotation marks, 100 characters of it at most."""
    return f"“{text[:100]}{'…' if len(text) > 100 else ''}”"
