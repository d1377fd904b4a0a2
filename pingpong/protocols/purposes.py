"""What the parts of a message are for, in words that hold for every protocol.

A field's number means nothing without the IDL, but its place says a little: an argument, a result,
an exception.  With an IDL, the field's name is shown beside the number.  The note writers
(``encodings/*_notes.py``) ask here.
"""

from __future__ import annotations

from typing import Final

from ..model import Field, Message, MessageType, Record, Value

__all__ = [
    "REDACTED",
    "REDACTED_WHY",
    "TYPE_WHY",
    "called",
    "counted",
    "declared",
    "labelled",
    "numbered",
    "role",
    "whole",
]

# What is said about a value that was masked.
REDACTED: Final = "redacted"
REDACTED_WHY: Final = "The bytes are a mask, as long as what it covers."

TYPE_WHY: Final = {
    MessageType.CALL: "The client waits for a reply.",
    MessageType.REPLY: "A result, or an exception of the IDL.",
    MessageType.EXCEPTION: "The server could not make the call.",
    MessageType.ONEWAY: "No reply will come.",
}

_IN_EXCEPTION: Final = {1: "What went wrong, in words.", 2: "What went wrong, by number."}


def called(field: Field) -> str:
    """Return a field's number, and its name if the IDL has it."""
    return str(field.field_id) if field.name is None else f"{field.field_id} {field.name}"


def declared(field: Field) -> str:
    """Return what the IDL says about a field besides its name, if that is more than its type.

    >>> from pingpong.model import Span, TType, Value
    >>> field = Field(1, Value(TType.I64, 7, Span(3, 11)), Span(0, 11))
    >>> field.declared = "optional UserId (i64)"
    >>> declared(field)
    'The IDL says: optional UserId (i64).'
    """
    return f"The IDL says: {field.declared}." if field.declared else ""


def labelled(value: Value) -> str:
    """Return a number, with its name if it is an enum's."""
    number = str(value.content)
    return f"{number} {value.label}" if value.label else number


def numbered(record: Record, path: tuple[int, ...], value: Value) -> tuple[str, str]:
    """Return a number with the name that its message's family or the IDL gives it, and why."""
    number = value.content
    is_error = isinstance(record, Message) and record.type is MessageType.EXCEPTION
    if isinstance(record, Message) and is_error and isinstance(number, int):
        name, why = record.family.numbered(path, number)
        if name:
            return f"{number} {name}", why
    return labelled(value), ""


def role(kind: MessageType | None, field_id: int, has_names: bool = False) -> str:
    """Say what a field of the outermost struct is for.

    ``kind`` is None for a bare struct.  ``has_names``: there is an IDL, and what it says is shown
    beside the field's number.
    """
    if kind is None:
        return "" if has_names else f"Field {field_id}. Its name stays in the IDL."
    if kind in (MessageType.CALL, MessageType.ONEWAY):
        return "An argument." if has_names else f"Argument {field_id}. Its name stays in the IDL."
    if kind is MessageType.EXCEPTION:
        return _IN_EXCEPTION.get(field_id, "")
    if field_id == 0:
        return "Field 0 of a reply: the result."
    return f"Field {field_id} of a reply: an exception of the IDL."


def whole(kind: MessageType | None) -> str:
    """Say what the outermost struct is."""
    if kind is None:
        return "the struct"
    if kind in (MessageType.CALL, MessageType.ONEWAY):
        return "the arguments"
    return "the result" if kind is MessageType.REPLY else "the exception"


def counted(number: int, thing: str, things: str = "") -> str:
    """Return a number with its noun, in the right form.

    >>> counted(1, "byte"), counted(2, "byte"), counted(0, "reply", "replies")
    ('1 byte', '2 bytes', '0 replies')
    """
    return f"{number} {thing if number == 1 else things or thing + 's'}"
