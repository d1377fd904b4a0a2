"""What the bytes of a message are spent on: four purposes, the same in every family.

    framing      where a message and its parts begin and end, and how they are written
    addressing   which call this is, and of which method of which service
    metadata     what is said besides: headers, attachments, a status
    payload      the arguments or the result, with what their encoding says about them

    explain ─▶ notes ─▶ purpose of each ─▶ how many bytes each of the four has

A length counts as what it measures: that of a method's name is addressing, that of a whole message
is framing.  An EVENT, which belongs to the connection, is framing.
"""

from __future__ import annotations

from typing import Final

from ..model import Message, MessageType, Metadatum, Note
from .explain import explain

__all__ = ["ADDRESSING", "FRAMING", "METADATA", "PAYLOAD", "PURPOSES", "purposes", "shares"]

FRAMING: Final = "framing"
ADDRESSING: Final = "addressing"
METADATA: Final = "metadata"
PAYLOAD: Final = "payload"
PURPOSES: Final = (FRAMING, ADDRESSING, METADATA, PAYLOAD)

# Notes of headers whose bytes say what is called, and which call it is.
_ADDRESSES: Final = frozenset(
    (
        *("method name", "method", "seqid", "sequence number", "request id", "stream id"),
        *("path", "service path", "service version", "interface", "parameter types", "types"),
        "request line",
    )
)
# ... and whose bytes say something besides.
_SAYS: Final = frozenset(("key", "line feed", "value", "time", "status line"))
_BEHIND: Final = "attachments"
_TRACING: Final = "tracing header"
_LENGTH: Final = " length"


def shares(message: Message) -> dict[str, int]:
    """Return how many bytes each of PURPOSES has: in all, the message's."""
    found = dict.fromkeys(PURPOSES, 0)
    for note, purpose in purposes(message):
        found[purpose] += len(note.span)
    return found


def purposes(message: Message) -> list[tuple[Note, str]]:
    """Return a message's notes, in order, each with what its bytes are for."""
    notes = explain(message)
    if message.type is MessageType.EVENT:
        return [(note, FRAMING) for note in notes]
    metadata = list(message.metadata)
    fields = message.body.fields
    values_end = fields[-1].span.stop if fields else message.start
    is_behind = False
    found = []
    for at, note in enumerate(notes):
        following = notes[at + 1].label if at + 1 < len(notes) else ""
        purpose = _said(message, note, metadata)
        # Dubbo's attachments, and Motan 1's, are the end of the body, behind all values.
        is_behind |= note.label.startswith(_BEHIND) and note.span.start >= values_end
        if not purpose and message.start <= note.span.start < message.stop:
            purpose = METADATA if is_behind else PAYLOAD
        found.append((note, purpose or _around(note, following)))
    return found


def _said(message: Message, note: Note, metadata: list[Metadatum]) -> str:
    """Return what the metadatum is for that the note is in, or that is in it; "": there is none."""
    for one in metadata:
        # A line of HTTP/1 is one note, with its end.
        if note.span.start < one.span.stop and one.span.start < note.span.stop:
            name = (one.name or "").lower()
            if name in message.transport.measures:
                return FRAMING
            return ADDRESSING if name in message.transport.addresses else METADATA
    return ""


def _around(note: Note, following: str) -> str:
    """Return what a note is for that is neither in a metadatum nor among the values."""
    label = note.label
    if label.endswith(_LENGTH) and label.removesuffix(_LENGTH) == following:
        label = following
    if label in _ADDRESSES:
        return ADDRESSING
    if label in _SAYS or label.startswith(_TRACING):
        return METADATA
    return FRAMING
