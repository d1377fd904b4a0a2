"""A note for every byte of an rpcx message except its payload; its metadata, and its masks."""

from __future__ import annotations

from ....errors import DecodeError
from ....model import LETTER, HeadMasks, Message, MessageType, Metadatum, Note, Run, Span
from ...encodings.notes import Writer
from ...framings.headed_carriers import hide_unless_name, is_time
from ...purposes import REDACTED, REDACTED_WHY, counted
from .rpcx import (
    COMPRESSIONS,
    ERROR,
    HEARTBEAT,
    ONEWAY,
    RESPONSE,
    SERIALIZATIONS,
    STATUS,
    TIMEOUT,
    RpcxHead,
)

__all__ = ["masks", "metadata", "notes"]


def _head(message: Message) -> RpcxHead | None:
    """Return its head; None for what comes before the first frame."""
    try:
        return RpcxHead(message.data)
    except DecodeError:
        return None


def notes(message: Message) -> list[Note]:
    """Return the notes of what precedes the payload, in order."""
    writer = Writer(message)
    head = _head(message)
    data = message.data
    if head is None:
        text = data[: message.start].decode("utf-8", "backslashreplace")
        if message.kept is not None:
            text = REDACTED
        writer.note(message.start, "header", "prelude", text, "HTTP asks for the connection first.")
        return writer.notes
    writer.note(1, "frame", "magic", "08", "Each frame begins with it.")
    writer.note(1, "frame", "version", str(data[1]))
    writer.note(1, "frame", "flags", _flags(head), "Which way, what kind, how it is packed.")
    kind = head.serialization
    called = SERIALIZATIONS[kind] if kind < len(SERIALIZATIONS) else "the user's own"
    why = "In the upper half of the byte."
    if kind >= len(SERIALIZATIONS):
        why += " Values that are written so are not read here."
    writer.note(1, "frame", "serialization", f"{kind} {called}", why)
    why = "The sender's number for this call." if not head.flags & RESPONSE else "The call's."
    writer.note(8, "header", "sequence number", str(head.seqid), why)
    length = str(head.stop - writer.at - 4)
    writer.note(4, "frame", "length", length, "Bytes that follow: 16 and the four parts.")
    for what, place in (("service path", 0), ("method", 1)):
        span = head.parts[place]
        writer.note(4, "size", f"{what} length", str(len(span)), "In bytes.")
        writer.note(len(span), "header", what, f'"{head.text(data, place)}"')
    span = head.parts[2]
    writer.note(4, "size", "metadata length", str(len(span)), "In bytes.")
    for key, value in head.pairs(data):
        name = key.of(data).decode("utf-8", "backslashreplace")
        text = f'"{value.of(data).decode("utf-8", "backslashreplace")}"'
        writer.note(4, "size", "key length", str(len(key)), "In bytes.")
        writer.note(len(key), "header", "key", f'"{name}"')
        writer.note(4, "size", "value length", str(len(value)), "In bytes.")
        why = "What went wrong, in words." if name == ERROR else ""
        if message.kept is not None:
            text, why = REDACTED, REDACTED_WHY
        writer.note(len(value), "header", "value", text, why)
    if writer.at < span.stop:
        size = span.stop - writer.at
        why = "No key with a value: a length among them is wrong."
        writer.note(size, "unread", "not read", counted(size, "byte"), why)
    length = str(head.stop - head.start)
    writer.note(4, "size", "payload length", length, "In bytes, as they are on the wire.")
    packed = message.start - writer.at
    if message.type is MessageType.EVENT:
        why = "Whoever asks puts in its clock; the answer brings it back."
        meaning = REDACTED if message.kept is not None else data[writer.at :].hex(" ")
        writer.note(packed, "frame", "payload", meaning, why)
        return writer.notes
    writer.note(packed, "size", "packed", counted(packed, "byte"), "Below it is unpacked.")
    return writer.notes


def _flags(head: RpcxHead) -> str:
    flags = head.flags
    words = ["response" if flags & RESPONSE else "request"]
    if flags & HEARTBEAT:
        words.append("heartbeat")
    if flags & ONEWAY:
        words.append("oneway")
    packing = head.compression
    if packing:
        known = COMPRESSIONS[packing] if packing < len(COMPRESSIONS) else "the user's own"
        words.append(f"compression {packing} ({known})")
    status = flags & STATUS
    if status:
        words.append("error" if status == 1 else f"status {status}")
    return f"{flags:02x} {', '.join(words)}"


def metadata(message: Message) -> tuple[Metadatum, ...]:
    """Return the keys and values of a message."""
    head = _head(message)
    if head is None:
        return ()
    out: list[Metadatum] = []
    is_shut = message.kept is not None
    for key, value in head.pairs(message.data):
        name = key.of(message.data).decode("utf-8", "backslashreplace")
        text = None if is_shut else value.of(message.data).decode("utf-8", "backslashreplace")
        span = Span(key.start - 4, value.stop)
        out.append(Metadatum(name, text, span, REDACTED if is_shut else ""))
    return tuple(out)


def masks(message: Message) -> HeadMasks:
    """Return the masks for the values of the metadata, and for packed bytes."""
    head = _head(message)
    data = message.data
    runs: list[Run] = []
    if head is None:
        return HeadMasks(runs)
    hide_unless_name(data, head.parts[0], runs)
    end = head.parts[2].start
    for key, value in head.pairs(data):
        hide_unless_name(data, key, runs)
        if key.of(data) != TIMEOUT.encode() or not is_time(value.of(data)):
            runs.append((value.start, LETTER * len(value)))
        end = value.stop
    if end < head.parts[2].stop:
        runs.append((end, bytes(head.parts[2].stop - end)))
    if message.start > head.start:
        runs.append((head.start, bytes(message.start - head.start)))
        if message.type is not MessageType.EVENT:
            return HeadMasks(runs, message.start)
    return HeadMasks(runs)
