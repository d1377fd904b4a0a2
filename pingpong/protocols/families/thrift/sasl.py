"""SASL (Apache's TSaslTransport): a negotiation, then frames (doc/specs/thrift-sasl-spec.txt).

    client  ▷ 01 START mechanism   ▷ 02 OK response …   ▷ 00 00 00 1e  message
    server                         ◁ 02 OK challenge …  ◁ 05 COMPLETE  ◁ 00 00 00 17  message

    ┌────┬───────────────────┬────────────       ┌───────────────────┬──────────────
    │ st │  length, i32      │ payload …         │  length, i32      │ one message …
    └────┴───────────────────┴────────────       └───────────────────┴──────────────

Each direction is read on its own.  The first byte shows where the negotiation ends: a status is 1
to 5, and the first byte of a length is 0, since no frame may have 2²⁴ bytes; and neither end
negotiates any further after its own COMPLETE.

A mechanism may wrap the content of the frames, to sign it or to hide it.  Then no message begins in
them, and that is reported; nothing is guessed.  What a client says to prove who it is stays out of
every text here.
"""

from __future__ import annotations

import re
from typing import Final

from ....errors import DecodeError, LimitExceeded
from ....model import Finding, Limits, Severity
from ...framing import ProtocolAt, Transport, Unit
from .framed import EMPTY, HEAD, read_frame_length
from .theader import Part, like_message

__all__ = ["MECHANISM", "SaslTransport", "answers", "begins", "describe"]

WRAPPED: Final = "SASL-wrapped content, which cannot be read"

START: Final = 1
OK: Final = 2
BAD: Final = 3
ERROR: Final = 4
COMPLETE: Final = 5
_STATUSES: Final = {START: "START", OK: "OK", BAD: "BAD", ERROR: "ERROR", COMPLETE: "COMPLETE"}

# Size of a status and a length.
_STEP_HEAD: Final = 5

# More than any mechanism sends at a time.
MAX_STEP: Final = 1 << 20

# How much a server may have said before its first frame, for ``begins`` to wait for that.
_MAX_TALK: Final = 16_384

# IANA's registry of SASL mechanisms, and what Hadoop's relatives use.
MECHANISM: Final = re.compile(
    rb"(?:ANONYMOUS|CRAM-MD5|CUSTOM|DIGEST-MD5|ECDSA-NIST256P-CHALLENGE|EXTERNAL|GS2-[A-Z0-9-]+"
    rb"|GSS-SPNEGO|GSSAPI|JWT|KERBEROS_V[45]|LOGIN|NMAS[A-Z_-]+|NTLM|OAUTHBEARER|OPENID20|OTP"
    rb"|PLAIN|SAML20|SCRAM-[A-Z0-9-]+|SECURID|SKEY|SPNEGO|TOKEN|XOAUTH2)\Z"
)


class SaslTransport(Transport):
    """One direction of a SASL transport.  ``protocol_at`` says which protocol a frame is in.

    ``mechanism`` is what the client asked for, "" until then and in the other direction.  No other
    user of SASL frames it like this, so a single step is a sign of Thrift.
    """

    name = "sasl"

    def __init__(self, limits: Limits, protocol_at: ProtocolAt) -> None:
        self.mechanism = ""
        self._limits = limits
        self._protocol_at = protocol_at
        self._in_frames = False

    def next(self, buffer: bytearray, have: int) -> Unit | None:
        if not have:
            return None
        # A status cannot be a length: the frame would have 16 MiB or more.
        if self._in_frames or buffer[0] == 0:
            return self._frame(buffer, have)
        return self._step(buffer, have)

    # ── The negotiation ──────────────────────────────────────────────────────────────

    def _step(self, buffer: bytearray, have: int) -> Unit | None:
        status = buffer[0]
        if status not in _STATUSES:
            wanted = "one of " + ", ".join(f"{n} {name}" for n, name in _STATUSES.items())
            raise DecodeError("SASL status", 0, found=str(status), wanted=wanted, size=1)
        if have < _STEP_HEAD:
            return None
        length = int.from_bytes(buffer[1:_STEP_HEAD], "big")
        if length > MAX_STEP:
            raise LimitExceeded(
                "SASL payload length", 1, found=str(length), limit=MAX_STEP, size=HEAD
            )
        stop = _STEP_HEAD + length
        if have < stop:
            return None
        self._in_frames = status == COMPLETE
        self.seen_thrift = True
        payload = bytes(buffer[_STEP_HEAD:stop])
        name = _STATUSES[status]
        what = f"SASL {name}"
        findings: tuple[Finding, ...] = ()
        if status == START:
            self.mechanism = _text(payload)
            what = f"{what}, mechanism {self.mechanism}"
        elif status in (BAD, ERROR):
            what = f'{what}, "{_text(payload)}"'
            text = f"the negotiation failed: {what}"
            findings = (Finding(Severity.WARNING, text, 0),)
        elif length:
            # It may contain a password.
            what = f"{what}, {length} bytes"
        return Unit(stop, bytes(buffer[:stop]), stop, None, what, findings)

    # ── The frames ───────────────────────────────────────────────────────────────────

    def _frame(self, buffer: bytearray, have: int) -> Unit | None:
        if have < HEAD:
            return None
        if self._in_frames and not any(buffer[:HEAD]):
            # A writer that flushes with nothing to send writes an empty frame.
            return Unit(HEAD, bytes(buffer[:HEAD]), HEAD, None, EMPTY)
        stop = HEAD + read_frame_length(buffer, 0, have, self._limits)
        if have < stop:
            return None
        self._in_frames = True
        frame = bytes(buffer[:stop])
        protocol = self._protocol_at(frame, HEAD, stop)
        unit = Unit(stop, frame, HEAD, protocol)
        if protocol is None:
            unit.what = WRAPPED
            unit.hides = True
        return unit

    def known_until(self, buffer: bytearray, have: int) -> int:
        return self.frame_stop(buffer, have)

    def frame_stop(self, buffer: bytearray, have: int) -> int:
        if not have or not (self._in_frames or buffer[0] == 0):
            return 0
        try:
            return HEAD + read_frame_length(buffer, 0, have, self._limits)
        except DecodeError:
            return 0

    def rest(self, buffer: bytearray, have: int) -> Unit | None:
        if have <= HEAD or not (self._in_frames or buffer[0] == 0):
            return None
        data = bytes(buffer[:have])
        protocol = self._protocol_at(data, HEAD, have)
        return Unit(have, data, HEAD, protocol) if protocol is not None else None


def _text(payload: bytes) -> str:
    return payload[:200].decode("utf-8", "backslashreplace")


# ── What tells it from others, and what its bytes say ────────────────────────────────


def begins(data: bytes | bytearray) -> bool | None:
    """Say whether these first bytes of a direction begin SASL for Thrift; None: too few yet.

    A client begins with START and a mechanism.  What a server sends first is too little to tell: it
    has to reach COMPLETE, and a frame with a message that is not wrapped.  So ask about the
    client's direction first.
    """
    have = len(data)
    if not have:
        return None
    if data[0] == START:
        return _begins_start(data)
    if data[0] not in (OK, COMPLETE):
        return False
    at = 0
    while at < _MAX_TALK:
        if have < at + _STEP_HEAD:
            return None
        status = data[at]
        length = int.from_bytes(data[at + 1 : at + _STEP_HEAD], "big")
        if status not in (OK, COMPLETE) or length > _MAX_TALK:
            return False
        at += _STEP_HEAD + length
        if status == COMPLETE:
            return _begins_frame(data, at)
    return False


def answers(data: bytes | bytearray) -> str:
    """What first bytes are that may answer a client's START; "" if they do not."""
    # What a server says first is too little to be told from anything else.
    is_step = bool(data) and data[0] in _STATUSES
    return "the answer to a SASL START" if is_step else ""


def _begins_start(data: bytes | bytearray) -> bool | None:
    if bytes(data[1:4]) != b"\0\0\0"[: max(0, len(data) - 1)]:
        return False
    if len(data) < _STEP_HEAD:
        return None
    stop = _STEP_HEAD + data[4]
    name = bytes(data[_STEP_HEAD:stop])
    if not 3 <= data[4] <= 32 or not all(0x2D <= byte <= 0x5F for byte in name):
        return False
    if len(data) < stop:
        return None
    return MECHANISM.match(name) is not None


def _begins_frame(data: bytes | bytearray, at: int) -> bool | None:
    if len(data) < at + HEAD:
        return False if any(data[at : at + 1]) else None
    length = int.from_bytes(data[at : at + HEAD], "big")
    return like_message(data, at + HEAD) if 0 < length < 1 << 24 else False


def describe(data: bytes, stop: int) -> list[Part]:
    """Return the parts of what precedes the message: size, label, meaning and why."""
    length = int.from_bytes(data[:stop], "big", signed=True)
    return [(stop, "frame length", str(length), "Bytes that follow, without these 4.")]
