"""What precedes a message: its notes, and which parts of it others may see.

The transport describes its own bytes; a struct of a tracing system may follow them.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Final

from ....errors import DecodeError
from ....model import LETTER, HeadMasks, Message, Note, Record, Run
from ...encodings.binary import BINARY
from ...encodings.binary_notes import BinaryWriter
from ...encodings.masks import BLANK
from ...encodings.notes import Writer
from ...purposes import counted
from .framed import HEAD
from .sasl import START
from .theader import FrameHead, Part

__all__ = ["BLANK", "head_masks", "notes", "own_of_sasl", "struct_masks"]


def notes(message: Message, describe: Callable[[bytes, int], list[Part]]) -> list[Note]:
    """Return the notes for what precedes the message's header.

    That is the transport's own head, as ``describe`` gives it, then perhaps a struct of a tracing
    system.
    """
    stop = message.header.span.start
    writer = Writer(message)
    if any(gap.offset < stop for gap in message.gaps):
        writer.rest(stop)
        return writer.notes
    if stop:
        for size, label, meaning, why in describe(message.data, stop):
            writer.note(min(size, stop - writer.at), "frame", label, meaning, why)
    if writer.at < stop:
        _tracing(writer, message, stop)
    return writer.notes


def _tracing(writer: Writer, message: Message, stop: int) -> None:
    """Note the headers that Finagle and thriftpy2.contrib.tracking put before a message."""
    struct = BINARY.read_struct(message.data, writer.at, stop, (), message.limits)
    if struct.findings:
        size = stop - writer.at
        writer.note(size, "frame", "before the message", counted(size, "byte"))
        return
    inner = BinaryWriter(message)
    inner.prefix = "tracing header"
    inner.at = writer.at
    inner.struct(struct, 1, ())
    writer.notes += inner.notes
    writer.at = stop


# ── What may be shown ────────────────────────────────────────────────────────────────


def struct_masks(message: Message, at: int) -> HeadMasks:
    """Mask what precedes a message if that is only tracing headers, from ``at`` on."""
    data, start = message.data, message.header.span.start
    if at >= start:
        return HeadMasks([])
    struct = BINARY.read_struct(data[:start], at, start, (), message.limits)
    if struct.stop is None or struct.findings:
        return HeadMasks([(at, BLANK * (start - at))])
    values = Record(data=data[:start], protocol=BINARY, start=at, limits=message.limits)
    return HeadMasks([], -1, values)


def head_masks(head: FrameHead) -> HeadMasks:
    """Mask a (TT)THeader head: keys and values that are text, its token, and what was not read.

    The keys that TTHeader has numbers for stay.
    """
    runs: list[Run] = []
    with suppress(DecodeError):
        head.walk()
    at = head.base
    for size, label, meaning, _ in head.parts:
        if label in ("key", "value", "token") and meaning[:1] == '"':
            runs.append((at, LETTER * size))
        elif label == "not read":
            runs.append((at, bytes(size)))
        at += size
    if at < head.stop:
        runs.append((at, bytes(head.stop - at)))
    return HeadMasks(runs, head.stop if head.transforms else -1)


# Size of a SASL step's status and length.
_STEP: Final = 5

# Names of mechanisms (IANA's registry of SASL, and Hadoop's): anything else in their place may be
# a secret with a lying status before it.
_MECHANISMS: Final = frozenset(
    b"ANONYMOUS CRAM-MD5 DIGEST-MD5 EXTERNAL GS2-KRB5 GSSAPI GSS-SPNEGO KERBEROS_V4 KERBEROS_V5 "
    b"LOGIN NTLM OAUTHBEARER OTP PLAIN SCRAM-SHA-1 SCRAM-SHA-256 SCRAM-SHA-512 SRP XOAUTH2".split()
)


def own_of_sasl(data: bytes) -> tuple[list[tuple[int, int]], list[Run]]:
    """Mask a step of a negotiation, or a frame that could not be read."""
    if data[:1] == b"\0":
        return [(0, HEAD)], []
    if data[:1] == bytes((START,)) and data[_STEP:] in _MECHANISMS:
        return [(0, len(data))], []
    # These bytes prove who somebody is.
    return [(0, len(data))], [(_STEP, LETTER * (len(data) - _STEP))]
