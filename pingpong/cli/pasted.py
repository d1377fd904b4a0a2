"""``pingpong struct``, ``pingpong explain``: bytes and numbers with no capture around them."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

from ..capture import decode, decode_struct, read_packets
from ..errors import CaptureError, DecodeError, IdlError
from ..hints.complaints import explain_text
from ..hints.magic_numbers import explain_bytes
from ..hints.pasted import MAX_TEXT
from ..model import Definitions, Finding, Packet, Record, Severity
from ..protocols.detect import protocols
from ..views.hexdump import MAX_BYTES, MAX_NOTES, hexdump
from ..views.hint import number as number_lines
from ..views.hint import pasted
from ..views.json import record_row
from ..views.text import escape
from .find_structs import StructPlace, places, remark_on
from .options import (
    Command,
    add_idl,
    add_limits,
    add_redaction,
    idl_of,
    limits_of,
    redactor_of,
    size,
)
from .printing import NO_THRIFT, READ_ALL, InputReport, say, say_text, say_unmatched, width

__all__ = ["add"]

# How many places are listed in which a struct was found.
_MAX_PLACES: Final = 8

# How many messages in pasted bytes are explained.
MESSAGES: Final = 60

STRUCT: Final = """\
  pingpong struct value.bin
  pingpong struct table.parquet
  pingpong struct value.bin --protocol compact --offset 5 --length 340
  pingpong struct value.bin --idl events.thrift --type Event

The bytes of a file, of a Kafka value, of a Parquet footer.  With no --protocol it is the one in
which all the bytes are one struct.  Where the bytes are more than one struct (a Parquet file, the
number of a schema or a length before it, several structs), it says where the struct is.
"""

EXPLAIN: Final = """\
  pingpong explain -- -2147418111
  pingpong explain "Frame size (1213486160) larger than max length (16384000)!"
  pingpong explain 80 01 00 01 00 00 00 04 70 69 6e 67 00 00 00 00 00
  xxd message.bin | pingpong explain

Numbers as they stand in logs; bytes as hex, as a string with \\x in it, or as tcpdump -X, xxd,
hexdump -C and WireShark print them, with or without the packet around.  No capture is needed.
With --idl, the fields of messages have their names.
"""


def add(command: Command) -> None:
    """Add the commands of this file."""
    one = command("struct", struct, "explain a struct that has no message around it", STRUCT)
    one.add_argument("file", help='a file of bytes; "-" is standard input')
    one.add_argument("--offset", type=size, default=0, help="where it begins in the file (0)")
    one.add_argument("--length", type=size, help="how long it is (to the end)")
    one.add_argument("--json", action="store_true", help="as a JSON object")
    one.add_argument("--all", action="store_true", help="leave nothing out, however long it is")
    # A variant differs only in the header of a message.
    what = sorted(name for name, one in protocols().items() if one.variant_of is None)
    one.add_argument("--protocol", choices=what, help="what it is in (its bytes tell)")
    add_redaction(one)
    names = add_idl(one)
    names.add_argument("--type", metavar="NAME", help="the struct that it is")
    add_limits(one)

    one = command("explain", explain, "explain a number, a line of a log, or pasted bytes", EXPLAIN)
    one.add_argument("text", nargs="*", help='what was pasted; nothing, or "-": standard input')
    add_idl(one)


def struct(args: argparse.Namespace) -> int:
    """``pingpong struct``: every byte of a struct that has no message around it."""
    verdict = InputReport()
    data = _bytes_of(args.file)
    stop = len(data) if args.length is None else min(len(data), args.offset + args.length)
    interface = idl_of(args)
    redactor = redactor_of(args)
    asked = [StructPlace(args.offset, stop - args.offset, args.protocol or "", "")]
    try:
        records = [_struct_at(data, place, args, interface) for place in asked]
    except DecodeError as error:
        records = []
        if args.offset == 0 and args.length is None:
            found = places(data, limits_of(args))
            _tell_places(args, data, found, error)
            records = [_struct_at(data, place, args, interface) for place in found]
        if not records:
            raise
    verdict.any_thrift = True
    for at, record in enumerate(records):
        if redactor is not None:
            redactor.redact(record)
        if args.json:
            sys.stdout.write(record_row(record) + "\n")
        else:
            limit, notes = (None, None) if args.all else (MAX_BYTES, MAX_NOTES)
            if at:
                say_text()
            say(hexdump(record, limit=limit, notes=notes, width=width()))
        verdict.report(_findings_of(record))
    if args.protocol and args.offset == 0 and args.length is None and verdict.exit_code:
        _tell_places(args, data, places(data, limits_of(args)), None)
    say_unmatched(redactor)
    return verdict.end()


def _findings_of(record: Record) -> list[Finding]:
    """What is odd about a struct in a file, where what follows it may be something else."""
    end = record.body.stop
    return [
        Finding(Severity.WARNING, one.text, one.offset)
        if end is not None and one.offset == end.stop
        else one
        for one in record.findings
    ]


def _struct_at(
    data: bytes, place: StructPlace, args: argparse.Namespace, interface: Definitions | None
) -> Record:
    """The struct in that place, with names.  Raises DecodeError, and IdlError for a wrong name."""
    try:
        return decode_struct(
            data[place.offset : place.offset + place.length],
            limits_of(args),
            protocol=place.protocol or None,
            idl=interface,
            struct=args.type or "",
        )
    except ValueError as error:
        raise IdlError(str(error)) from None


def _tell_places(
    args: argparse.Namespace, data: bytes, found: list[StructPlace], error: DecodeError | None
) -> None:
    """Say where the struct is, since the bytes are not one struct from first to last."""
    lines = [
        f"{place.what}: pingpong struct {args.file} --protocol {place.protocol} "
        f"--offset {place.offset} --length {place.length}"
        for place in found[:_MAX_PLACES]
    ]
    if len(found) > _MAX_PLACES:
        lines.append(f"… {len(found) - _MAX_PLACES} more, not named")
    if not found and error is not None:
        remark = remark_on(data, limits_of(args))
        lines = [remark] if remark else []
    for line in lines:
        if args.json or not found:
            sys.stderr.write(f"{escape(line)}\n")
        else:
            say_text(escape(line), "dim")
    if found and not args.json:
        say_text()


def explain(args: argparse.Namespace) -> int:
    """``pingpong explain``: a number, a line of a log or bytes, with no capture at all."""
    interface = idl_of(args)
    typed = args.text and args.text != ["-"]
    text = " ".join(args.text) if typed else sys.stdin.read(MAX_TEXT + 1)
    verdict = explain_text(text)
    say(pasted(verdict, width=width()))
    packets = [
        Packet(at, 0, block.link, block.data, len(block.data))
        for at, block in enumerate(verdict.blocks, 1)
        if block.link is not None
    ]
    found = list(read_packets(packets, idl=interface).messages) if packets else []
    for message in found[:MESSAGES]:
        say_text()
        say(hexdump(message, width=width()))
    if packets and not found:
        payload = next((block.payload for block in verdict.blocks if block.payload), b"")
        _explain_bytes(payload, interface)
    for block in verdict.blocks:
        if not block.is_packet:
            _explain_bytes(block.data, interface)
    return NO_THRIFT if verdict.is_empty else READ_ALL


def _explain_bytes(data: bytes, interface: Definitions | None) -> None:
    """Explain the messages in ``data``, in turn; if there are none, say what begins like it."""
    for _ in range(MESSAGES):
        if not data:
            return
        say_text()
        try:
            message = decode(data, idl=interface)
        except DecodeError as error:
            say_text(f"no Thrift message here: {escape(str(error))}", "dim")
            say(number_lines(explain_bytes(data), width=width()))
            return
        say(hexdump(message, width=width()))
        data = data[message.size :]


def _bytes_of(path: str) -> bytes:
    source = None if path != "-" else sys.stdin.buffer
    try:
        return Path(path).read_bytes() if source is None else source.read()
    except OSError as error:
        raise CaptureError(f"{path} cannot be read: {error.strerror}") from None
