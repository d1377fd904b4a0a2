"""A note for every byte of an HTTP/2 message except its content; its metadata, and its masks.

The layout says where the frames are in the message's data; what their header blocks said is in
``Heads``, which is kept with the message.  HPACK's strings are masked in place, with as many
characters in as many bytes, so that the table of whoever reads it stays in step.
"""

from __future__ import annotations

import re

from ...model import LETTER, Gap, HeadMasks, Message, Metadatum, Note, Run, Span, Stretch
from ..http_heads import mask_trailers
from ..purposes import REDACTED, REDACTED_WHY, counted
from .h2 import (
    CONTINUATION,
    DATA,
    GOAWAY,
    HEADERS,
    PRIORITY,
    PUSH_PROMISE,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    note_of_preface,
    notes_of_frame,
    notes_of_head,
    parts,
    placed,
    read_frame,
)
from .hpack import UNREAD, FieldLine, mask_string, notes_of_block
from .http2 import HeadBlock, Heads

__all__ = ["envelope_notes", "is_open", "masked", "masks", "metadata", "notes", "trailers_masks"]

# A path that names a service and a method, or a page, and contains nothing else.
_PATH = re.compile(r"[A-Za-z0-9_.:$/-]{1,200}|\*")


def notes(message: Message) -> list[Note]:
    """Return the notes of everything but the message's content, in order."""
    out: list[Note] = []
    data, kept = message.data, message.kept
    inner: dict[int, list[Note]] = {}
    if isinstance(kept, Heads):
        for one in kept.blocks:
            said = notes_of_block(one.block, by="by packet")
            if kept.is_redacted:
                said = _hidden(said, one.block.lines)
            for fragment, its in zip(one.fragments, placed(said, one.fragments), strict=True):
                inner[fragment.start] = its
    for stretch in message.layout:
        start, stop = stretch.start, stretch.start + stretch.size
        if not stretch.size or stretch.what == "body":
            continue
        lost = _lost(message.gaps, start, stop)
        if lost:
            out.append(Note(Span(start, stop), "lost", stretch.what, f"{lost} bytes were lost"))
        elif stretch.what == "preface":
            out.append(note_of_preface(start))
        elif stretch.what == "frame":
            its = [note for at, some in inner.items() if start <= at < stop for note in some]
            out += notes_of_frame(data, start, stop, its)
        elif stretch.what == "data head":
            out += notes_of_head(data, start, stop)
        elif stretch.what == "envelope":
            out += envelope_notes(data, start, stop)
        elif stretch.what in ("packed", "base64"):
            why = "Below it is unpacked."
            out.append(
                Note(Span(start, stop), "size", stretch.what, counted(stop - start, "byte"), why)
            )
        elif stretch.what == "padding":
            why = "It means nothing; it hides how long the content is."
            size = counted(stop - start, "byte")
            out.append(Note(Span(start, stop), "frame", "padding", size, why))
        else:
            text = data[start:stop].decode("utf-8", "backslashreplace")
            out.append(Note(Span(start, stop), "header", stretch.what, text))
    return out


def _lost(gaps: tuple[Gap, ...], start: int, stop: int) -> int:
    return sum(max(0, min(stop, gap.offset + gap.length) - max(start, gap.offset)) for gap in gaps)


def envelope_notes(data: bytes, start: int, stop: int) -> list[Note]:
    """Return the notes of the flag and the length before a message; they may be cut in two."""
    out: list[Note] = []
    size = stop - start
    if size == 5:
        flag = data[start]
        words = {0: "plain", 1: "packed", 2: "the end", 0x80: "trailers"}.get(flag, "")
        meaning = f"{flag:02x} {words}".rstrip()
        out.append(Note(Span(start, start + 1), "frame", "flag", meaning, "How the message lies."))
        length = int.from_bytes(data[start + 1 : stop], "big")
        out.append(Note(Span(start + 1, stop), "size", "message length", str(length), "In bytes."))
    elif size:
        why = "Flag and length, cut where a frame ends."
        out.append(Note(Span(start, stop), "size", "envelope", counted(size, "byte"), why))
    return out


def _hidden(notes: list[Note], lines: list[FieldLine]) -> list[Note]:
    """Return the notes of a block without the values that were masked."""
    shut = [
        line.span for line in lines if line.is_header and _name(line) not in _OPEN and line.value
    ]
    out: list[Note] = []
    for note in notes:
        is_shut = any(span.start <= note.span.start < span.stop for span in shut)
        if is_shut and (note.kind == "value" or ": " in note.meaning):
            note = Note(
                *(note.span, note.kind, note.label, REDACTED, REDACTED_WHY, note.depth, note.path)
            )
        out.append(note)
    return out


def _name(line: FieldLine) -> str | None:
    return None if line.name is None else _text(line.name)


# ── Metadata ─────────────────────────────────────────────────────────────────────────


def metadata(message: Message) -> tuple[Metadatum, ...]:
    """Return the headers of a message, then its trailers."""
    kept = message.kept
    if not isinstance(kept, Heads):
        return ()
    out: list[Metadatum] = []
    for one in kept.blocks:
        for line in one.block.lines:
            if line.is_header:
                name = _name(line)
                value = None if line.value is None else _text(line.value)
                if kept.is_redacted and name not in _OPEN:
                    value = None
                why = line.unknown or (REDACTED if kept.is_redacted and value is None else "")
                out.append(Metadatum(name, value, _span(line, one.fragments), why))
    return tuple(out)


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace")


def _span(line: FieldLine, fragments: tuple[Span, ...]) -> Span:
    """Return where a line is in the message's data; if it is cut in two, where it begins."""
    at = line.start
    for fragment in fragments:
        if at < len(fragment):
            stop = min(fragment.start + at + line.stop - line.start, fragment.stop)
            return Span(fragment.start + at, stop)
        at -= len(fragment)
    return Span(0, 0)


# ── Masks ────────────────────────────────────────────────────────────────────────────

# Values that stay: they say how to read the message, in words that everybody uses.
_OPEN = frozenset(
    {
        *(":method", ":scheme", ":status", "accept-encoding", "connect-accept-encoding"),
        *("connect-content-encoding", "connect-protocol-version", "content-encoding"),
        *("content-length", "content-type", "grpc-accept-encoding", "grpc-encoding"),
        *("grpc-status", "grpc-timeout", "te"),
    }
)


def masks(message: Message) -> HeadMasks:
    """Return the masks for what a message says in its headers."""
    kept = message.kept
    runs: list[Run] = []
    packed = -1
    read: set[int] = set()  # where fragments begin that were read
    if isinstance(kept, Heads):
        for one in kept.blocks:
            read.update(fragment.start for fragment in one.fragments)
            runs += _masks_of(one, message)
    for stretch in message.layout:
        if stretch.what in ("packed", "base64", "padding"):
            runs.append((stretch.start, bytes(stretch.size)))
        elif stretch.what == "frame":
            runs += _masks_of_frame(message.data, stretch, read)
        if stretch.is_packed:
            packed = stretch.start if packed < 0 else packed
    return HeadMasks(sorted(runs + trailers_masks(message)), packed)


def trailers_masks(message: Message) -> list[Run]:
    """The masks for trailers that stand in the body, in however many pieces."""
    pieces = [one for one in message.layout if one.what == "trailers"]
    text = b"".join([message.data[one.start : one.start + one.size] for one in pieces])
    if any(gap.offset < one.start + one.size and gap.stop > one.start
           for gap in message.gaps for one in pieces):  # fmt: skip
        text = bytes(len(text))
    masked_text = mask_trailers(text)
    runs: list[Run] = []
    at = 0
    for one in pieces:
        runs.append((one.start, masked_text[at : at + one.size]))
        at += one.size
    return runs


def is_open(method: str) -> bool:
    """Say whether a path may be shown: no query, and nothing that looks unlike one of ours."""
    return _PATH.fullmatch(method) is not None


def _masks_of(one: HeadBlock, message: Message) -> list[Run]:
    """Return the masks for the values in a header block, and for the unread part of it."""
    data = message.data
    joined = b"".join(fragment.of(data) for fragment in one.fragments)
    runs: list[Run] = []
    for line in one.block.lines:
        name = _name(line)
        if line.form == UNREAD:
            runs += _split(line.start, bytes(line.stop - line.start), one.fragments)
        elif line.value_at is not None and name not in _OPEN:
            is_path = name == ":path" and line.value is not None
            if is_path and message.transport.is_open(_text(line.value or b"")):
                continue
            text = mask_string(joined, line.value_at)
            runs += _split(line.value_at.inside, text, one.fragments)
    return runs


def _masks_of_frame(data: bytes, stretch: Stretch, read: set[int]) -> list[Run]:
    """Return the masks for what a frame contains besides headers that were read.

    Padding, the words of a GOAWAY and what nobody has read may be anything.
    """
    at, stop = stretch.start, stretch.start + stretch.size
    frame = read_frame(data, at, stop)
    if frame is None:
        return [(at, bytes(stop - at))]
    found = parts(data, frame, stop)
    runs = [(found.padding.start, bytes(len(found.padding)))]
    if frame.kind in (HEADERS, PUSH_PROMISE, CONTINUATION):
        if found.content.start not in read:
            runs.append((found.content.start, bytes(len(found.content))))
    elif frame.kind == GOAWAY:
        words = min(frame.inside + 8, stop)
        runs.append((words, LETTER * (stop - words)))
    elif frame.kind not in (SETTINGS, WINDOW_UPDATE, RST_STREAM, PRIORITY):
        inside = min(frame.inside, stop)
        if frame.kind == DATA:
            inside = found.content.start
        runs.append((inside, bytes(stop - inside)))
    return [run for run in runs if run[1]]


def _split(at: int, text: bytes, fragments: tuple[Span, ...]) -> list[Run]:
    """Split a mask of a block's bytes among the places where they are."""
    out: list[Run] = []
    for fragment in fragments:
        size = len(fragment)
        if at < size and text:
            part = text[: size - at]
            out.append((fragment.start + at, part))
            text = text[len(part) :]
            at = 0
        else:
            at -= size
            at = max(at, 0)
    return out


def masked(message: Message) -> object:
    """Return what is kept with a message, as it may be shown."""
    kept = message.kept
    if not isinstance(kept, Heads):
        return kept
    hidden = Heads(kept.blocks, kept.ending.hushed())
    hidden.is_redacted = True
    return hidden
