"""A note for every byte of an HTTP/1 message except its content; its metadata, and its masks.

Its layout says where heads and chunk lines are in the message's data.
"""

from __future__ import annotations

from ...model import Gap, HeadMasks, Message, Metadatum, Note, Run, Span
from ..http_heads import mask_head_lines, mask_lines
from ..purposes import counted
from .http1 import Kept1
from .http1_bodies import describe
from .http2_notes import envelope_notes, trailers_masks

__all__ = ["is_its", "masked", "masks", "metadata", "metadata_of", "notes"]


def is_its(message: Message) -> bool:
    """Say whether the message came over HTTP/1."""
    return isinstance(message.kept, Kept1)


def notes(message: Message) -> list[Note]:
    """Return the notes of everything but the message's content, in order."""
    out: list[Note] = []
    data = message.data
    is_in_head = _is_in_head(message)
    for stretch in message.layout:
        start, stop = stretch.start, stretch.start + stretch.size
        if not stretch.size or stretch.what == "body":
            continue
        lost = _lost(message.gaps, start, stop)
        if lost:
            out.append(Note(Span(start, stop), "lost", stretch.what, f"{lost} bytes were lost"))
        elif stretch.what == "head":
            at = start
            for size, label, meaning, why in describe(data[start:stop], stop - start):
                if is_in_head:
                    why = "" if at else "The message stands in its query; below it is decoded."
                out.append(Note(Span(at, at + size), "frame", label, meaning, why))
                at += size
        elif stretch.what == "chunk":
            out.append(_chunk_note(data, start, stop))
        elif stretch.what == "envelope":
            out += envelope_notes(data, start, stop)
        elif stretch.what in ("packed", "base64"):
            why = "Below it is unpacked."
            size_words = counted(stop - start, "byte")
            out.append(Note(Span(start, stop), "size", stretch.what, size_words, why))
        else:
            meaning = data[start:stop].decode("utf-8", "backslashreplace")
            out.append(Note(Span(start, stop), "header", stretch.what, meaning.rstrip("\r\n")))
    return out


def _is_in_head(message: Message) -> bool:
    """Say whether the message stands in its head, as in Connect's GET, and not in a body."""
    whats = {stretch.what for stretch in message.layout}
    return whats == {"head", "body"} and message.layout[-1].is_packed


def _lost(gaps: tuple[Gap, ...], start: int, stop: int) -> int:
    return sum(max(0, min(stop, gap.offset + gap.length) - max(start, gap.offset)) for gap in gaps)


def _chunk_note(data: bytes, start: int, stop: int) -> Note:
    line = data[start:stop].rstrip(b"\r\n")
    if not line:
        why = "The line break behind a chunk, or behind the trailers."
        return Note(Span(start, stop), "frame", "end of chunk", "an empty line", why)
    size = line.partition(b";")[0].strip()
    try:
        number = int(size, 16)
    except ValueError:
        text = line.decode("utf-8", "backslashreplace")
        return Note(Span(start, stop), "frame", "chunk line", text)
    why = "So many bytes of the body follow on the wire." if number else "No more chunks follow."
    label = "chunk size" if number else "last chunk"
    return Note(Span(start, stop), "size", label, counted(number, "byte"), why)


# ── Metadata ─────────────────────────────────────────────────────────────────────────


def metadata(message: Message) -> tuple[Metadatum, ...]:
    """Return the headers of a message, then its trailers."""
    out: list[Metadatum] = []
    for stretch in message.layout:
        start, stop = stretch.start, stretch.start + stretch.size
        if stretch.what == "head":
            out += metadata_of(message.data, start, stop)
        elif stretch.what == "trailer":
            out += _lines(message.data, start, stop)
    return tuple(out)


def metadata_of(data: bytes, start: int, stop: int) -> list[Metadatum]:
    """Return the headers of the head at ``data[start:stop]``, without its start line."""
    line_end = data.find(b"\n", start, stop) + 1
    return _lines(data, line_end, stop) if line_end else []


def _lines(data: bytes, start: int, stop: int) -> list[Metadatum]:
    out: list[Metadatum] = []
    at = start
    while at < stop:
        end = data.find(b"\n", at, stop)
        end = stop if end < 0 else end
        name, colon, value = data[at:end].partition(b":")
        if colon:
            span = Span(at, at + len(data[at:end].rstrip(b"\r")))
            out.append(Metadatum(_text(name), _text(value.strip()), span))
        at = end + 1
    return out


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace")


# ── Masks ────────────────────────────────────────────────────────────────────────────


def masks(message: Message) -> HeadMasks:
    """Return the masks for what a message says in its heads and between its chunks."""
    runs: list[Run] = []
    packed = -1
    lines: list[tuple[int, bytes]] = []
    places: dict[int, int] = {}
    for stretch in message.layout:
        part = message.data[stretch.start : stretch.start + stretch.size]
        if stretch.is_packed:
            packed = stretch.start if packed < 0 else packed
        elif _lost(message.gaps, stretch.start, stretch.start + stretch.size):
            runs.append((stretch.start, bytes(stretch.size)))
        elif stretch.what == "head":
            runs += [(stretch.start + at, text) for at, text in mask_head_lines(part)]
        elif stretch.what in ("chunk", "trailer"):
            lines.append((stretch.offset, part))
            places[stretch.offset] = stretch.start
        elif stretch.what == "trailers":
            pass  # all of them at once: see below
        elif stretch.what not in ("body", "envelope"):
            runs.append((stretch.start, bytes(stretch.size)))
    runs += trailers_masks(message)
    for at, text in mask_lines(sorted(lines)):
        begin = max(place for place in places if place <= at)
        runs.append((places[begin] + at - begin, text))
    return HeadMasks(sorted(runs), packed)


def masked(message: Message) -> object:
    """Return what is kept with a message, as it may be shown."""
    kept = message.kept
    assert isinstance(kept, Kept1)
    hidden = Kept1(kept.ending.hushed())
    hidden.is_redacted = True
    return hidden
