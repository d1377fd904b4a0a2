"""A number, or whatever was pasted, with what it means.

    -2147418111 = 80 01 00 01
      what it is      the first 4 bytes of a strict binary CALL
      who sent it     a client with an unframed (buffered) transport
      who read it     a server with a framed transport, as the length of a frame
      what to change  Use a framed transport in the client, or an unframed one in the server.
      how sure        certain: too many bytes agree for chance
      written down    doc/specs/thrift-binary-protocol.md, Message

``pasted`` shows all that a text holds: numbers first, since they are the answer if there is
one, then known words, then bytes.  What the bytes say is for the other views, once they are
decoded.
"""

from __future__ import annotations

from typing import Final

from ..hints.complaints import Complaint, TextVerdict
from ..hints.magic_numbers import Certainty, NumberVerdict, Reading, Role, in_mib
from ..hints.pasted import Block
from ..protocols.purposes import counted
from .text import WORDS, Line, Run, elide, escape, pad, quote, wrap, wrapped

__all__ = ["number", "pasted"]

_SURE: Final = {
    Certainty.CERTAIN: "certain: too many bytes agree for chance",
    Certainty.LIKELY: "likely: such bytes are seldom anything else",
    Certainty.POSSIBLE: "possible: one explanation among others",
}

_LABELS: Final = 16
_INDENT: Final = 2

# Blocks that are listed, and bytes that are shown of each.
_MAX_BLOCKS: Final = 20
_MAX_BYTES: Final = 16


def number(verdict: NumberVerdict, *, width: int = 100) -> list[Line]:
    """A number, its bytes, and what they mean, the best explanation first: in ``width`` columns,
    of which it needs 38."""
    lines: list[Line] = [[Run(elide(_heading(verdict), width), "title")]]
    for at, reading in enumerate(verdict.readings):
        lines += _reading(reading, at, width, verdict.role)
    for remark in verdict.remarks:
        lines += _row("", remark, width)
    return lines


def pasted(verdict: TextVerdict, *, width: int = 100) -> list[Line]:
    """All that was found in a text, in ``width`` columns, of which it needs 38."""
    lines: list[Line] = []
    for one in verdict.numbers:
        lines += [*number(one, width=width), []]
    for complaint in verdict.complaints:
        lines += [*_complaint(complaint, width), []]
    for block in verdict.blocks[:_MAX_BLOCKS]:
        lines += wrapped(_block(block), width, "title")
    if len(verdict.blocks) > _MAX_BLOCKS:
        lines += wrapped(f"… {len(verdict.blocks) - _MAX_BLOCKS} more, not shown", width, "dim")
    if verdict.is_empty:
        text = "No number, no bytes and no words that are known here."
        lines += wrapped(text, width, "warning")
    if verdict.is_cut:
        text = "Only the beginning of the text was looked at."
        lines += wrapped(text, width, "warning")
    while lines and not lines[-1]:
        lines.pop()
    return lines


def _heading(verdict: NumberVerdict) -> str:
    """``1195725856 = 47 45 54 20 "GET "``; a limit is ``16777216 = 16 MiB``"""
    value = verdict.number
    if verdict.role is Role.LIMIT:
        return f"{value} = {in_mib(value)}"
    if value.bit_length() > 64:
        return f"a number of {value.bit_length()} bits"
    # A byte that Java printed with its sign: ffffff80.
    is_long = len(verdict.data) == 1 and value > 255
    shown = f"{value:x}" if is_long else str(value)
    text = verdict.text
    return f"{shown} = {verdict.data.hex(' ')}" + ("" if text is None else f" {quote(text)}")


def _reading(reading: Reading, at: int, width: int, role: Role) -> list[Line]:
    sure = "certain: the words say so" if role is Role.LIMIT else _SURE[reading.certainty]
    text = quote(reading.text) if reading.text else ""
    return [
        *_row("or" if at else "what it is", reading.what, width),
        *_row("what it says", text, width),
        *_row("who sent it", reading.sender, width),
        *_row("who read it", reading.reader, width),
        *_row("what to change", reading.remedy, width, "good"),
        *_row("how sure", sure, width, "dim"),
        *_row("written down", reading.source, width, "dim"),
    ]


def _complaint(complaint: Complaint, width: int) -> list[Line]:
    lines: list[Line] = [[Run(elide(quote(complaint.phrase), width), "title")]]
    lines += _row("what it says", complaint.meaning, width)
    for at, cause in enumerate(complaint.causes, 1):
        lines += _row("" if at > 1 else "likely causes", f"{at}. {cause}", width)
    lines += _row("look next at", complaint.look_at, width, "good")
    return lines + _row("written by", complaint.source, width, "dim")


def _row(label: str, text: str, width: int, style: str = "") -> list[Line]:
    """A label and what is said under it, wrapped; nothing if there is nothing to say."""
    lines: list[Line] = []
    room = max(width - _INDENT - _LABELS, WORDS)
    for at, piece in enumerate(wrap(escape(text), room) if text else []):
        shown = pad("" if at else label, _LABELS)
        lines.append([Run(" " * _INDENT + shown, "head"), Run(piece, style)])
    return lines


def _block(block: Block) -> str:
    """``30 bytes: 80 01 00 01 …``; a packet with its ends and the size of its payload."""
    if not block.is_packet:
        return f"{counted(len(block.data), 'byte')}{_first(block.data)}"
    payload = counted(len(block.payload), "byte") + " of payload" if block.payload else "no payload"
    return (
        f"a packet of {counted(len(block.data), 'byte')}, {block.source} → {block.target}, "
        f"{payload}{_first(block.payload)}"
    )


def _first(data: bytes) -> str:
    if not data:
        return ""
    return f": {data[:_MAX_BYTES].hex(' ')}{' …' if len(data) > _MAX_BYTES else ''}"
