"""A note for every byte of a message, whatever its protocol and its transport.

    frame length │ header: version, type, name, seqid │ fields: type, id, value … │ STOP
    (transport)    (protocol)                           (protocol)

The message's transport explains what precedes the message, its protocol the rest: both are asked,
and nobody else knows their bytes.

The notes tile the message: each byte is in exactly one of them, in order.  ``check_cover`` enforces
that.
"""

from __future__ import annotations

from bisect import bisect_right

from ..model import Message, Note, Record

__all__ = ["check_cover", "explain"]


def explain(record: Record) -> list[Note]:
    """Return the notes of a message, or of a bare struct, in order: they cover its ``data``."""
    around = record.transport.notes(record) if isinstance(record, Message) else []
    inside = record.protocol.notes(record)
    before = [note for note in around if note.span.start < record.stop]
    behind = around[len(before) :]
    return _with_remarks(record, before + inside + behind)


def _with_remarks(record: Record, notes: list[Note]) -> list[Note]:
    """Add to each note what the IDL says where the record differs from it."""
    starts = [note.span.start for note in notes]
    for offset, remark in record.remarks.items():
        at = bisect_right(starts, offset) - 1
        if isinstance(record, Message) and offset == record.header.span.start:
            # A difference of the header is about its type: nothing else in it can differ.
            types = (i for i, one in enumerate(notes) if one.label.endswith("message type"))
            at = next(types, at)
        note = notes[at]
        meaning = f"{note.meaning} {remark}"
        notes[at] = Note(note.span, note.kind, note.label, meaning, note.why, note.depth, note.path)
    return notes


def check_cover(notes: list[Note], length: int) -> None:
    """Raise ValueError unless every byte from 0 to ``length`` is in exactly one note.

    >>> from pingpong.model import Span
    >>> check_cover([Note(Span(0, 4), "frame", "frame length", "12")], 6)
    Traceback (most recent call last):
    ValueError: bytes 4 to 6 have no note
    """
    at = 0
    for note in notes:
        if note.span.start > at:
            raise ValueError(f"bytes {at} to {note.span.start} have no note")
        if note.span.start < at:
            raise ValueError(f"bytes {note.span.start} to {at} have two notes")
        if note.span.stop <= note.span.start:
            raise ValueError(f"the note {note.label!r} at {note.span.start} covers no byte")
        at = note.span.stop
    if at < length:
        raise ValueError(f"bytes {at} to {length} have no note")
    if at > length:
        raise ValueError(f"bytes {length} to {at} are not there")
