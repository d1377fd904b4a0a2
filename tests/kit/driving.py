"""What the tests of the transports share: a driver that feeds one the way the reader does, and
the streams of captures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from pingpong.errors import DecodeError
from pingpong.model import DEFAULT_LIMITS, Chunk, Gap, Header, Limits, Protocol
from pingpong.protocols.encodings.binary import BINARY, write_header
from pingpong.protocols.encodings.compact import COMPACT
from pingpong.protocols.encodings.thrift_json import JSON
from pingpong.protocols.families.thrift.theader import ProtocolAt
from pingpong.protocols.framing import Transport, Unit
from pingpong.protocols.reader import Found, MessageReader
from pingpong.wire.capturefile import open_capture
from pingpong.wire.link import TCP, Peeler
from pingpong.wire.streams import Connections

Maker = Callable[[Limits, ProtocolAt], Transport]


def protocol_at(data: bytes, start: int, stop: int) -> Protocol | None:
    """What the first bytes say; enough for what the tests write."""
    head = data[start : min(stop, start + 4)]
    if head[:2] == b"\x80\x01":
        return BINARY
    if head[:1] == b"\x82":
        return COMPACT
    return JSON if head == b'[1,"' else None


class Seen(NamedTuple):
    """A unit, so that it can be compared; ``at`` is its place in the stream."""

    at: int
    stop: int
    data: bytes
    start: int
    protocol: str
    what: str
    findings: tuple[str, ...]

    @property
    def header(self) -> Header:
        protocol = {"binary": BINARY, "compact": COMPACT, "json": JSON}[self.protocol]
        return protocol.read_header(self.data, self.start, len(self.data), DEFAULT_LIMITS)


class Driven(NamedTuple):
    units: list[Seen]
    error: str  # the DecodeError that ended it, else ""
    rest: Seen | None
    left: int  # bytes that no unit took


def drive(transport: Transport, data: bytes, step: int = 0) -> Driven:
    """Feed ``data``, ``step`` bytes at a time (0: all at once), and take what comes."""
    units: list[Seen] = []
    buffer = bytearray()
    at = idle = place_of_error = 0
    error = ""
    for place in range(0, len(data), step or max(1, len(data))):
        buffer += data[place : place + step] if step else data
        while buffer and not error:
            try:
                unit = transport.next(buffer, len(buffer))
            except DecodeError as caught:
                error = str(caught)
                place_of_error = caught.offset
                break
            if unit is None:
                break
            assert 0 <= unit.stop <= len(buffer)
            # What takes nothing must take from what is unpacked already.
            idle = 0 if unit.stop else idle + 1
            assert idle < 1_000_000
            assert unit.stop or unit.data
            units.append(_seen(unit, at))
            del buffer[: unit.stop]
            at += unit.stop
    rest = None
    assert 0 <= place_of_error <= len(buffer)
    assert transport.known_until(buffer, len(buffer)) >= 0
    assert transport.frame_stop(buffer, len(buffer)) >= 0
    if not error:
        last = transport.rest(buffer, len(buffer)) if buffer else None
        rest = _seen(last, at) if last is not None else None
    return Driven(units, error, rest, len(buffer))


def _seen(unit: Unit, at: int) -> Seen:
    name = unit.protocol.name if unit.protocol is not None else ""
    texts = tuple(finding.text for finding in unit.findings)
    return Seen(at, unit.stop, unit.data, unit.start, name, unit.what, texts)


def drive_all(make: Maker, data: bytes, limits: Limits = DEFAULT_LIMITS) -> Driven:
    """Feed ``data`` at once, and hold that byte by byte and in pieces it gives the same."""
    whole = drive(make(limits, protocol_at), data)
    for step in (1, 2, 3, 7, 64, 1000):
        assert drive(make(limits, protocol_at), data, step) == whole, step
    return whole


def begins_of(begins: Callable[[bytes], bool | None], data: bytes) -> bool | None:
    """The answer for all of ``data``; holds that a longer prefix never takes an answer back."""
    settled: bool | None = None
    for stop in (*range(min(len(data), 300)), len(data)):
        answer = begins(data[:stop])
        if settled is not None:
            assert answer is settled, stop
        settled = answer
    return settled


def streams(path: Path) -> dict[tuple[int, str], bytes]:
    """The bytes of each direction up to its first gap, by connection and sender."""
    peeler = Peeler()
    connections = Connections()
    found: dict[tuple[int, str], bytes] = {}
    broken: set[tuple[int, str]] = set()
    with open_capture(path) as capture:
        packets = list(capture)
    for packet in packets:
        segment = peeler.segment(packet)
        if segment is None or segment.protocol != TCP:
            continue
        connection, _ = connections.of(segment)
        from_client, from_server, _ = connection.add(segment)
        for side, pieces in (("client", from_client), ("server", from_server)):
            key = (connection.flow.number, side)
            for piece in pieces:
                if not isinstance(piece, Chunk):
                    broken.add(key)
                elif key not in broken:
                    found[key] = found.get(key, b"") + piece.data
    return found


def other_streams(folder: Path, own: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
    """The streams of all captures in ``folder`` and beside it but those that begin with one
    of the names in ``own``."""
    for path in sorted((*folder.glob("*.pcap"), *folder.parent.glob("[fr]*/*.pcap"))):
        if not path.name.startswith(own):
            for (number, side), data in streams(path).items():
                yield f"{path.name} {number} {side}", data


# The conversation of the captures in edge/: methods as the client calls, as the server answers.
CALLS = ["add", "look", "look", "nope", "fire"]
REPLIES = ["add", "look", "look", "nope"]


def methods(seen: list[Seen]) -> list[str]:
    return [unit.header.method for unit in seen if unit.protocol]


def whole_streams(path: Path) -> list[bytes]:
    """The bytes of each direction of the capture's connections."""
    peeler, connections = Peeler(), Connections()
    found: dict[tuple[int, bool], bytes] = {}
    with open_capture(path) as capture:
        for packet in capture:
            segment = peeler.segment(packet)
            if segment is None or segment.protocol != TCP:
                continue
            connection, _ = connections.of(segment)
            to_server, to_client, _ = connection.add(segment)
            for by_client, pieces in ((True, to_server), (False, to_client)):
                key = (connection.flow.number, by_client)
                for piece in pieces:
                    assert isinstance(piece, Chunk)
                    found[key] = found.get(key, b"") + piece.data
    return list(found.values())


BIG = (
    write_header(b"big", 1, 3)
    + bytes.fromhex("0b000100000fa0") + b"x" * 4000
    + bytes.fromhex("080002000000ff00")
)  # fmt: skip


def lose(data: bytes, start: int, size: int, step: int = 0) -> tuple[list[Found], MessageReader]:
    """What a reader finds in ``data`` of which ``size`` bytes from ``start`` on are lost."""
    reader = MessageReader(True, DEFAULT_LIMITS)
    found: list[Found] = []
    for part_start, part in ((0, data[:start]), (start + size, data[start + size :])):
        for at in range(0, len(part), step or max(1, len(part))):
            found += reader.feed(Chunk(part_start + at, part[at : at + (step or len(part))]))
        if part_start == 0:
            found += reader.lose(Gap(start, size))
    return found + reader.close("the bytes end"), reader
