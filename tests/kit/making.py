"""What the tests are made from: packets, written here byte by byte, and messages, written by
thriftpy2, so that what reads them is held against somebody else's bytes."""

from __future__ import annotations

import functools
import struct
from collections.abc import Iterable
from typing import Any

import thriftpy2
from places import ROOT
from thriftpy2.protocol import TBinaryProtocol
from thriftpy2.thrift import TMessageType
from thriftpy2.transport import TMemoryBuffer

from pingpong.model import DEFAULT_LIMITS, Chunk, Endpoint, Finding, Message, MessageType, Packet
from pingpong.protocols.encodings.binary import write_header
from pingpong.protocols.reader import Found, MessageReader

CLIENT = "10.0.0.1"
SERVER = "10.0.0.2"

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16

# The specification's example, as hex grouped by meaning: add(2, 40), seqid 1.
ADD = bytes.fromhex(
    "8001 00 01 00000003 616464 00000001 08 0001 00000002 08 0002 00000028 00".replace(" ", "")
)
PING = bytes.fromhex("8001 00 01 00000004 70696e67 0000002a 00".replace(" ", ""))
PONG = bytes.fromhex(
    "8001 00 02 00000004 70696e67 0000002a 0b 0000 00000004 706f6e67 00".replace(" ", "")
)
SUM = bytes.fromhex("80010002 00000003 616464 00000001 08 0000 0000002a 00".replace(" ", ""))

CALL, REPLY, EXCEPTION, ONEWAY = 1, 2, 3, 4


def raw(text: str) -> bytes:
    """Bytes from hex in groups."""
    return bytes.fromhex(text.replace(" ", ""))


def framed(message: bytes) -> bytes:
    return struct.pack(">i", len(message)) + message


def said(method: str, mtype: int, seqid: int = 0, body: str = "00") -> bytes:
    """A message in strict binary; ``body`` is the hex of its struct."""
    return write_header(method.encode(), mtype, seqid) + bytes.fromhex(body)


def call(method: str, seqid: int = 0) -> bytes:
    return said(method, CALL, seqid)


def reply(method: str, seqid: int = 0, body: str = "08 0000 00000001 00") -> bytes:
    return said(method, REPLY, seqid, body)


@functools.cache
def foo() -> Any:
    """The module of the project's foo.thrift."""
    return thriftpy2.load(str(ROOT / "foo.thrift"), module_name="foo_thrift")


def thriftpy2_message(
    struct_: Any, method: str, mtype: int = TMessageType.CALL, seqid: int = 0
) -> bytes:
    """A message as thriftpy2 writes it."""
    buffer = TMemoryBuffer()
    protocol = TBinaryProtocol(buffer)
    protocol.write_message_begin(method, mtype, seqid)
    protocol.write_struct(struct_)
    protocol.write_message_end()
    return bytes(buffer.getvalue())


def message(data: bytes, transport: str = "unframed", **also: Any) -> Message:
    """The one message in ``data``, as the pipeline would give it out."""
    reader = MessageReader(True, DEFAULT_LIMITS)
    found = reader.feed(Chunk(0, data)) + reader.close("the bytes end")
    assert len(found) == 1, (found, reader.detection, reader.findings)
    one = found[0]
    assert one.transport == transport
    return as_message(one, **also)


def as_message(found: Found, **also: Any) -> Message:
    return Message(
        header=found.header,
        data=found.data,
        protocol=found.protocol,
        transport=found.transport,
        client=Endpoint(CLIENT, 50001),
        server=Endpoint(SERVER, 9090),
        from_client=found.header.type in (MessageType.CALL, MessageType.ONEWAY),
        offset=found.offset,
        size=found.size,
        gaps=found.gaps,
        listed=found.findings,
        **also,
    )


def misread(findings: Iterable[Finding]) -> list[Finding]:
    """The findings, without those on the order of ids: a random struct has any order."""
    return [one for one in findings if not one.text.startswith("field id at")]


# ── Packets ──────────────────────────────────────────────────────────────────────────


def tcp(
    sport: int,
    dport: int,
    seq: int,
    ack: int,
    flags: int,
    payload: bytes = b"",
    options: bytes = b"",
) -> bytes:
    size = (20 + len(options)) // 4 << 4
    head = struct.pack(
        ">HHIIBBHHH", sport, dport, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, size, flags, 65535, 0, 0
    )
    return head + options + payload


def udp(sport: int, dport: int, payload: bytes) -> bytes:
    return struct.pack(">HHHH", sport, dport, 8 + len(payload), 0) + payload


def ipv4(inner: bytes, protocol: int = 6, source: str = CLIENT, target: str = SERVER) -> bytes:
    return (
        struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(inner), 0, 0, 64, protocol, 0)
        + bytes(int(part) for part in source.split("."))
        + bytes(int(part) for part in target.split("."))
        + inner
    )


def ipv6(
    inner: bytes, protocol: int = 6, extensions: bytes = b"", first: int | None = None
) -> bytes:
    kind = protocol if first is None else first
    body = extensions + inner
    return (
        struct.pack(">IHBB", 6 << 28, len(body), kind, 64)
        + bytes(15) + b"\x01"
        + bytes(15) + b"\x02"
        + body
    )  # fmt: skip


def ethernet(inner: bytes, kind: int = 0x0800) -> bytes:
    return bytes(12) + struct.pack(">H", kind) + inner


def packet(number: int, data: bytes, link: int = 1, length: int | None = None) -> Packet:
    """The ``number``-th packet, a millisecond after the one before."""
    time = 1_700_000_000_000_000_000 + number * 1_000_000
    return Packet(number, time, link, data, len(data) if length is None else length)


class Talk:
    """Packets of one TCP connection, one line a packet; sequence numbers keep themselves.

    ``skip`` moves a direction's number on without a packet: those bytes are lost.
    """

    def __init__(self, port: int = 50001, start: int = 1000, server_port: int = 9090) -> None:
        self.packets: list[Packet] = []
        self.port = port
        self.server_port = server_port
        self.seq = {True: start, False: 5000}
        self.later = 0

    def wait(self, time: int) -> Talk:
        """Let so many nanoseconds pass."""
        self.later += time
        return self

    def open(self) -> Talk:
        self.add(True, SYN)
        self.seq[True] += 1
        self.add(False, SYN | ACK)
        self.seq[False] += 1
        return self.add(True, ACK)

    def call(self, payload: bytes) -> Talk:
        return self.send(True, payload)

    def reply(self, payload: bytes) -> Talk:
        return self.send(False, payload)

    def send(self, by_client: bool, payload: bytes) -> Talk:
        self.add(by_client, ACK | PSH, payload)
        self.seq[by_client] += len(payload)
        return self

    def skip(self, by_client: bool, size: int) -> Talk:
        self.seq[by_client] += size
        return self

    def fin(self, by_client: bool) -> Talk:
        self.add(by_client, FIN | ACK)
        self.seq[by_client] += 1
        return self

    def close(self) -> Talk:
        self.fin(True)
        self.fin(False)
        return self.add(True, ACK)

    def add(self, by_client: bool, flags: int, payload: bytes = b"", back: int = 0) -> Talk:
        """Any packet; ``back`` bytes before where the direction is."""
        ports = (self.port, self.server_port) if by_client else (self.server_port, self.port)
        ends = (CLIENT, SERVER) if by_client else (SERVER, CLIENT)
        ack = self.seq[not by_client] if flags & ACK else 0
        data = tcp(*ports, self.seq[by_client] - back, ack, flags, payload)
        one = packet(len(self.packets) + 1, ethernet(ipv4(data, source=ends[0], target=ends[1])))
        one.time += self.later
        self.packets.append(one)
        return self

    def in_order(self, *numbers: int) -> list[Packet]:
        """The packets in another order, numbered and timed as they then come."""
        return [packet(at + 1, self.packets[number - 1].data) for at, number in enumerate(numbers)]
