"""Writes the captures that are measured: ``python benchmarks/captures.py NAME FILE``.

    exchanges ──▶ segments of a Connection ──▶ packets, one by one ──▶ pcap file
    (bytes)       SYN, seq, ack, FIN           lost, late (``loss``)   times, nanoseconds

Every capture is a generator of packets, so memory holds one packet and not the file.  A message
is a template whose seqid and numbers are patched: writing 2 000 000 messages takes seconds.
Everything comes from counters and one seed, so the same name and size give the same bytes.  What
grpcio says in ``grpc`` is taken from a real conversation: it is the same but for its PINGs.

The writer knows how many packets and messages it wrote (``Written``).  It stores that beside the
capture, as ``FILE.json``, and the runner holds every tool against it.  A file is written under
another name and renamed when it is complete.

Checksums are zero, as if a network card had been meant to fill them in.
"""

from __future__ import annotations

import argparse
import io
import itertools
import json
import os
import random
import selectors
import signal
import socket
import struct
import sys
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

PORT: Final = 9090

# Clients' ports, of those that tshark takes for no protocol: 34980 would be EtherCAT, 57000 IRC.
FIRST_CLIENT_PORT: Final = 49_152
CLIENT_PORTS: Final = 7_000

SEED: Final = 20261123

# ── Packets ──────────────────────────────────────────────────────────────────────────

FIN: Final = 0x01
SYN: Final = 0x02
PSH: Final = 0x08
ACK: Final = 0x10

# The payload of a full segment on Ethernet, and the option of a SYN that says so.
MSS: Final = 1460
MSS_OPTION: Final = struct.pack(">BBH", 2, 4, MSS)

# Ethernet, IPv4 and TCP without options: constant, total length, constant, seq, ack, header
# length and flags, constant.
HEADERS: Final = struct.Struct(">16sH20sIIH6s")
WINDOW: Final = struct.pack(">HHH", 65_535, 0, 0)

# Nanosecond pcap, little-endian, link type 1 (Ethernet).
FILE_HEAD: Final = struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262_144, 1)
RECORD: Final = struct.Struct("<IIII")
START: Final = 1_795_425_269  # seconds since 1970
TICK: Final = 10_000  # nanoseconds from one packet to the next

SECOND: Final = 1_000_000_000


class End:
    """One end of a connection: its part of the headers, and its next sequence number."""

    __slots__ = ("head", "middle", "seq")

    def __init__(self, own: bytes, other: bytes, seq: int) -> None:
        # An endpoint is an address and a port, 6 bytes.  MAC addresses are made from it.
        self.head = b"\x02\0" + other[:4] + b"\x02\0" + own[:4] + b"\x08\0\x45\0"
        ports = own[4:] + other[4:]
        # Identification 0, don't fragment, TTL 64, TCP, no checksum.
        self.middle = b"\0\0\x40\0\x40\x06\0\0" + own[:4] + other[:4] + ports
        self.seq = seq


class Connection:
    """Makes the packets of one TCP connection; ``number`` gives its client's address and port."""

    __slots__ = ("_client", "_server")

    def __init__(self, number: int = 0) -> None:
        host, port = divmod(number, CLIENT_PORTS)
        client = struct.pack(">BBHH", 10, 0, 1 + host, FIRST_CLIENT_PORT + port)
        server = struct.pack(">BBHH", 10, 1, 1, PORT)
        numbers = random.Random(SEED + number)
        self._client = End(client, server, numbers.getrandbits(32))
        self._server = End(server, client, numbers.getrandbits(32))

    def packet(self, by_client: bool, flags: int, data: bytes = b"", options: bytes = b"") -> bytes:
        """The next packet of one end."""
        one, other = self._client, self._server
        if not by_client:
            one, other = other, one
        packed = HEADERS.pack(
            one.head,
            40 + len(options) + len(data),
            one.middle,
            one.seq,
            other.seq if flags & ACK else 0,
            (5 + len(options) // 4) << 12 | flags,
            WINDOW,
        )
        used = len(data) + (1 if flags & (SYN | FIN) else 0)
        one.seq = (one.seq + used) & 0xFFFF_FFFF
        return packed + options + data

    def open(self) -> Iterator[bytes]:
        yield self.packet(True, SYN, options=MSS_OPTION)
        yield self.packet(False, SYN | ACK, options=MSS_OPTION)
        yield self.packet(True, ACK)

    def send(self, by_client: bool, data: bytes) -> Iterator[bytes]:
        """``data`` in full segments; every second one is acknowledged on its own."""
        for number, start in enumerate(range(0, len(data), MSS)):
            part = data[start : start + MSS]
            yield self.packet(by_client, ACK | (PSH if start + MSS >= len(data) else 0), part)
            if number % 2:
                yield self.packet(not by_client, ACK)

    def close(self) -> Iterator[bytes]:
        yield self.packet(True, FIN | ACK)
        yield self.packet(False, FIN | ACK)
        yield self.packet(True, ACK)


def write_packets(path: Path, packets: Iterable[bytes]) -> int:
    """Write a capture file; how many packets it has."""
    seconds, nanoseconds, count = START, 0, 0
    with open(path, "wb", buffering=1 << 20) as file:
        file.write(FILE_HEAD)
        write, record = file.write, RECORD.pack
        for packet in packets:
            size = len(packet)
            write(record(seconds, nanoseconds, size, size) + packet)
            count += 1
            nanoseconds += TICK
            if nanoseconds >= SECOND:
                seconds, nanoseconds = seconds + 1, nanoseconds - SECOND
    return count


# ── Messages ─────────────────────────────────────────────────────────────────────────

# The call and the reply of exchange number n.
Exchanges = Callable[[int], tuple[bytes, bytes]]

VERSION_1: Final = 0x8001_0000
CALL: Final = 1
REPLY: Final = 2

# The method and its STOP aside, all of ``i32 add(1: i32 a, 2: i32 b)`` in strict binary.
ADD_CALL: Final = struct.Struct(">11sI3sI3sIB")
ADD_REPLY: Final = struct.Struct(">11sI3sIB")


def header(method: str, mtype: int) -> bytes:
    """A strict header up to its seqid."""
    name = method.encode()
    return struct.pack(">II", VERSION_1 | mtype, len(name)) + name


def binary_add(n: int) -> tuple[bytes, bytes]:
    a, b = n & 0xFFFF, n * 3 & 0xFF_FFFF
    return (
        ADD_CALL.pack(_ADD_CALL, n, b"\x08\0\x01", a, b"\x08\0\x02", b, 0),
        ADD_REPLY.pack(_ADD_REPLY, n, b"\x08\0\0", a + b, 0),
    )


_ADD_CALL: Final = header("add", CALL)
_ADD_REPLY: Final = header("add", REPLY)


def varint(n: int) -> bytes:
    out = bytearray()
    while n > 0x7F:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


def compact_add(n: int) -> tuple[bytes, bytes]:
    """The same in compact: type and version in one byte, numbers as (zigzag) varints."""
    a, b = n & 0xFFFF, n * 3 & 0xFF_FFFF
    seqid = varint(n)
    # Field headers: 0x15 is "one after the last, i32"; 0x05 0x00 is "i32, number 0".
    call = b"\x82\x21" + seqid + b"\x03add\x15" + varint(a << 1) + b"\x15" + varint(b << 1)
    reply = b"\x82\x41" + seqid + b"\x03add\x05\0" + varint((a + b) << 1)
    return call + b"\0", reply + b"\0"


def framed(exchanges: Exchanges) -> Exchanges:
    """The same exchanges with each message's length before it."""

    def both(n: int) -> tuple[bytes, bytes]:
        call, reply = exchanges(n)
        return len(call).to_bytes(4, "big") + call, len(reply).to_bytes(4, "big") + reply

    return both


RICH_IDL: Final = """
struct Tag { 1: string key, 2: i64 value, 3: double weight }
struct Line { 1: i32 article, 2: i16 count, 3: list<Tag> tags }
struct Order {
    1: i64 id, 2: string customer, 3: bool paid,
    4: list<Line> lines, 5: map<string, i32> stock, 6: list<i32> visits
}
service Shop { Order place(1: Order order, 2: map<string, string> context) }
"""


def rich() -> Exchanges:
    """Structs in lists in structs, maps and strings, as thriftpy2 writes them."""
    import thriftpy2
    from thriftpy2.protocol.binary import TBinaryProtocol
    from thriftpy2.thrift import TMessageType
    from thriftpy2.transport import TMemoryBuffer

    idl: Any = thriftpy2.load_fp(io.StringIO(RICH_IDL), "benchmark_thrift")
    dice = random.Random(SEED)

    def word(least: int, most: int) -> str:
        return "".join(dice.choices("abcdefghijklmnopqrstuvwxyzäß", k=dice.randint(least, most)))

    def tag() -> Any:
        return idl.Tag(key=word(3, 8), value=dice.getrandbits(40), weight=dice.random())

    def line() -> Any:
        tags = [tag() for _ in range(dice.randint(0, 2))]
        return idl.Line(article=dice.getrandbits(24), count=dice.randint(1, 9), tags=tags)

    def order() -> Any:
        return idl.Order(
            id=dice.getrandbits(48),
            customer=word(6, 20),
            paid=dice.random() < 0.5,
            lines=[line() for _ in range(dice.randint(1, 3))],
            stock={word(3, 8): dice.getrandbits(16) for _ in range(2)},
            visits=[dice.getrandbits(20) for _ in range(dice.randint(0, 6))],
        )

    def message(mtype: int, struct_: Any) -> tuple[bytes, bytes]:
        """What stands before the seqid, and what after it."""
        buffer = TMemoryBuffer()
        protocol = TBinaryProtocol(buffer)
        protocol.write_message_begin("place", mtype, 0)
        protocol.write_struct(struct_)
        protocol.write_message_end()
        data = bytes(buffer.getvalue())
        at = len(header("place", mtype))
        return data[:at], data[at + 4 :]

    calls, replies = [], []
    for _ in range(300):
        context = {word(3, 8): word(6, 16) for _ in range(2)}
        arguments = idl.Shop.place_args(order=order(), context=context)
        calls.append(message(TMessageType.CALL, arguments))
        replies.append(message(TMessageType.REPLY, idl.Shop.place_result(success=order())))

    def exchange(n: int) -> tuple[bytes, bytes]:
        seqid = n.to_bytes(4, "big")
        call, reply = calls[n % len(calls)], replies[n % len(replies)]
        return call[0] + seqid + call[1], reply[0] + seqid + reply[1]

    return exchange


def large() -> Exchanges:
    """``list<Row> read(1: i32 page)``: a small call, and a reply of 100 rows, about 10 kB."""
    dice = random.Random(SEED)

    def row() -> bytes:
        text = "".join(dice.choices("abcdefghijklmnopqrstuvwxyz     ", k=dice.randint(60, 85)))
        one = struct.pack(">BHQ", 10, 1, dice.getrandbits(48))  # 1: i64 time
        two = struct.pack(">BHI", 8, 2, dice.randint(1, 7))  # 2: i32 level
        three = struct.pack(">BHI", 11, 3, len(text)) + text.encode()  # 3: string text
        return one + two + three + b"\0"

    bodies = []
    for _ in range(30):
        rows = b"".join(row() for _ in range(100))
        bodies.append(struct.pack(">BHBI", 15, 0, 12, 100) + rows + b"\0")
    call, reply = header("read", CALL), header("read", REPLY)

    def exchange(n: int) -> tuple[bytes, bytes]:
        seqid = n.to_bytes(4, "big")
        return call + seqid + struct.pack(">BHIB", 8, 1, n, 0), reply + seqid + bodies[n % 30]

    return exchange


# ── Captures ─────────────────────────────────────────────────────────────────────────


@dataclass
class Written:
    """What the writer knows about a capture.

    ``messages`` are those that are in it whole; of ``torn`` ones a part is missing.
    ``is_packed``: every message lies in one segment, alone.
    """

    name: str
    is_packed: bool
    messages: int = 0
    torn: int = 0
    packets: int = 0
    size: int = 0


# Yields the packets of a capture with so many messages, and notes what it wrote.
Make = Callable[[int, Written], Iterator[bytes]]


class Capture(NamedTuple):
    """A capture that can be written: how many messages it has, and what is in it."""

    name: str
    about: str
    messages: int
    quick: int
    make: Make
    is_packed: bool = True
    family: str = "thrift"


def talk(connection: Connection, exchanges: Exchanges, numbers: range) -> Iterator[bytes]:
    """A connection from SYN to FIN, a call and its reply after the other."""
    yield from connection.open()
    packet = connection.packet
    for n in numbers:
        call, reply = exchanges(n)
        for by_client, data in ((True, call), (False, reply)):
            if len(data) > MSS:
                yield from connection.send(by_client, data)
            else:
                yield packet(by_client, PSH | ACK, data)
    yield from connection.close()


def one_connection(exchanges: Callable[[], Exchanges]) -> Make:
    def make(messages: int, written: Written) -> Iterator[bytes]:
        written.messages = messages // 2 * 2
        return talk(Connection(), exchanges(), range(1, messages // 2 + 1))

    return make


# The calls of each connection of ``connections``, and how many connections are open at a time.
CALLS_EACH: Final = 10
OPEN: Final = 500


def connections(messages: int, written: Written) -> Iterator[bytes]:
    """Many connections, of which any may send the next packet."""
    dice = random.Random(SEED)
    count = max(messages // (2 * CALLS_EACH), 1)
    written.messages = count * 2 * CALLS_EACH
    coming = iter(
        talk(Connection(number), binary_add, range(1, CALLS_EACH + 1)) for number in range(count)
    )
    going = [one for _, one in zip(range(OPEN), coming, strict=False)]
    while going:
        at = int(dice.random() * len(going))
        packet = next(going[at], None)
        if packet is not None:
            yield packet
            continue
        new = next(coming, None)
        if new is not None:
            going[at] = new
        else:
            going[at] = going[-1]
            going.pop()


LOST: Final = 0.01
LATE: Final = 0.03
BURST: Final = 25


def loss(messages: int, written: Written) -> Iterator[bytes]:
    """Rich messages back to back, in bursts.  The capture missed a segment in a hundred, which
    its receiver acknowledges all the same; three in a hundred come one to four packets late."""
    dice = random.Random(SEED)
    exchanges = rich()
    connection = Connection()
    # Of each direction: bytes sent so far, where each message ends, and which bytes were lost.
    sent = {True: 0, False: 0}
    ends: dict[bool, list[int]] = {True: [0], False: [0]}
    lost: dict[bool, list[range]] = {True: [], False: []}
    waiting: list[list[Any]] = []  # packets to let pass before this one, and the one itself

    def burst(by_client: bool, parts: Iterable[bytes]) -> Iterator[bytes]:
        for part in parts:
            data.append(part)
            ends[by_client].append(ends[by_client][-1] + len(part))
        for packet in connection.send(by_client, b"".join(data)):
            size = len(packet) - HEADERS.size
            start = sent[by_client]
            sent[by_client] += size
            chance = dice.random() if size else 1.0
            if chance < LOST:
                lost[by_client].append(range(start, start + size))
            elif chance < LOST + LATE:
                waiting.append([dice.randint(1, 4), packet])
                continue
            else:
                yield packet
            for one in waiting:
                one[0] -= 1
            for one in [one for one in waiting if one[0] <= 0]:
                waiting.remove(one)
                yield one[1]
        data.clear()

    data: list[bytes] = []
    yield from connection.open()
    for first in range(1, messages // 2 + 1, BURST):
        pairs = [exchanges(n) for n in range(first, min(first + BURST, messages // 2 + 1))]
        yield from burst(True, (call for call, _ in pairs))
        yield from burst(False, (reply for _, reply in pairs))
    yield from (packet for _, packet in waiting)
    yield from connection.close()
    for by_client in (True, False):
        whole, torn = count_whole(ends[by_client], lost[by_client])
        written.messages += whole
        written.torn += torn


def grpc(messages: int, written: Written) -> Iterator[bytes]:
    """Unary calls of grpcio, one after the other, as they pass between its client and server.

    ``login`` takes two strings and returns one, with metadata of the client's beside it.
    """
    from concurrent.futures import ThreadPoolExecutor

    import grpc as grpcio

    def login(request: bytes, context: Any) -> bytes:
        return REPLY_BODY

    handlers = {"login": grpcio.unary_unary_rpc_method_handler(login)}
    server = grpcio.server(ThreadPoolExecutor(1))
    server.add_generic_rpc_handlers([grpcio.method_handlers_generic_handler("foo.Foo", handlers)])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    written.messages = messages // 2 * 2
    said: list[tuple[bool, bytes]] = []
    with Between(port, said) as between:
        options = [("grpc.enable_http_proxy", 0)]
        with grpcio.insecure_channel(f"127.0.0.1:{between.port}", options) as channel:
            call = channel.unary_unary("/foo.Foo/login")
            for number in range(messages // 2):
                call(CALL_BODY, metadata=[("trace-id", f"{number:016x}")])
    server.stop(None).wait()
    connection = Connection()
    yield from connection.open()
    for by_client, data in said:
        yield from connection.send(by_client, data)
    yield from connection.close()


# {1: "root", 2: "pwd"} and {1: "登录成功!"} in protobuf.
CALL_BODY: Final = b"\x0a\x04root\x12\x03pwd"
REPLY_BODY: Final = b"\x0a\x0d" + "登录成功!".encode()


class Between:
    """Hands bytes on between one client and the server at ``port``, and keeps them in ``said``."""

    def __init__(self, port: int, said: list[tuple[bool, bytes]]) -> None:
        self._target = port
        self._said = said
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._carry)

    def __enter__(self) -> Between:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()

    def _carry(self) -> None:
        """Until either end closes."""
        client, _ = self._listener.accept()
        self._listener.close()
        server = socket.create_connection(("127.0.0.1", self._target))
        with client, server, selectors.DefaultSelector() as ready:
            ready.register(client, selectors.EVENT_READ, (True, server))
            ready.register(server, selectors.EVENT_READ, (False, client))
            while True:
                for key, _events in ready.select():
                    by_client, other = key.data
                    data = key.fileobj.recv(1 << 16)  # type: ignore[union-attr]
                    if not data:
                        return
                    self._said.append((by_client, data))
                    other.sendall(data)


def count_whole(ends: list[int], lost: list[range]) -> tuple[int, int]:
    """How many messages, given where each ends, have lost no byte; and how many a part.

    >>> count_whole([0, 10, 20, 30, 40], [range(5, 8), range(20, 30)])
    (2, 1)
    """
    whole = torn = at = 0
    for start, stop in itertools.pairwise(ends):
        while at < len(lost) and lost[at].stop <= start:
            at += 1
        missing = 0
        for gap in lost[at:]:
            if gap.start >= stop:
                break
            missing += min(gap.stop, stop) - max(gap.start, start)
        whole += not missing
        torn += 0 < missing < stop - start
    return whole, torn


CAPTURES: Final = {
    capture.name: capture
    for capture in (
        Capture(
            "small",
            "Calls of add(i32, i32) and replies, strict binary, unframed, a message a packet",
            1_900_000,
            50_000,
            one_connection(lambda: binary_add),
        ),
        Capture(
            "small-framed",
            "The messages of small, framed",
            500_000,
            20_000,
            one_connection(lambda: framed(binary_add)),
        ),
        Capture(
            "small-compact",
            "The messages of small in compact, unframed",
            500_000,
            20_000,
            one_connection(lambda: compact_add),
        ),
        Capture(
            "small-compact-framed",
            "The messages of small in compact, framed",
            500_000,
            20_000,
            one_connection(lambda: framed(compact_add)),
        ),
        Capture(
            "rich",
            "Nested structs, lists, maps and strings, strict binary, unframed, a message a packet",
            100_000,
            10_000,
            one_connection(rich),
        ),
        Capture(
            "large",
            "Replies of 10 kB over several segments, strict binary, unframed",
            100_000,
            4_000,
            one_connection(large),
            is_packed=False,
        ),
        Capture(
            "connections",
            "The messages of small in connections of 20 messages, interleaved",
            200_000,
            10_000,
            connections,
        ),
        Capture(
            "loss",
            "The messages of rich back to back; 1 % of the segments missing, 3 % late",
            100_000,
            10_000,
            loss,
            is_packed=False,
        ),
        Capture(
            "grpc",
            "Unary calls of grpcio, two strings for one, one connection",
            200_000,
            10_000,
            grpc,
            family="grpc",
        ),
    )
}


# ── Files ────────────────────────────────────────────────────────────────────────────


def fingerprint(capture: Capture, messages: int) -> int:
    """What a stored capture was made from: this program, its name and its size."""
    return zlib.crc32(Path(__file__).read_bytes() + f"{capture.name} {messages}".encode())


def stored(path: Path, capture: Capture, messages: int) -> Written | None:
    """What is known about the capture at ``path``; None if it has to be written (again)."""
    try:
        facts = json.loads(Path(f"{path}.json").read_text())
        if facts.pop("fingerprint") != fingerprint(capture, messages):
            return None
        written = Written(**facts)
        return written if path.stat().st_size == written.size else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write(path: Path, capture: Capture, messages: int) -> Written:
    """Write the capture and, last, what is known about it."""
    beside = Path(f"{path}.json")
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    written = Written(capture.name, capture.is_packed)
    beside.unlink(missing_ok=True)
    try:
        written.packets = write_packets(part, capture.make(messages, written))
        written.size = part.stat().st_size
        part.replace(path)
        facts = {**asdict(written), "fingerprint": fingerprint(capture, messages)}
        part.write_text(json.dumps(facts) + "\n")
        part.replace(beside)
    finally:
        part.unlink(missing_ok=True)
    return written


def main() -> int:
    parser = argparse.ArgumentParser(description="Write one of the captures that are measured.")
    parser.add_argument("name", choices=CAPTURES)
    parser.add_argument("file", type=Path)
    parser.add_argument("--messages", type=int, help="how many (its own number)")
    args = parser.parse_args()
    capture = CAPTURES[args.name]
    # Whoever ends this program leaves no half file behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        written = write(args.file, capture, args.messages or capture.messages)
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        print(f"captures.py: {error}", file=sys.stderr)
        return 2
    print(json.dumps(asdict(written)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
