"""Captures that were made to cost much: each at a size, and at twice that size.

    make search is for what nobody knows; this is for what is known:
    .venv/bin/python tests/kit/attacks.py                all of them, as a table in Markdown
    .venv/bin/python tests/kit/attacks.py search holes   those whose names begin so
    .venv/bin/python tests/kit/attacks.py --list

An Attack makes the bytes of a file for a number, and has the commands that it is for.  Each runs in
a child with LIMIT bytes of address space and TIME seconds, and the table says what it took: CPU
seconds and the most memory, at n and at 2n.  What is linear takes twice the time at most, above
the start; what is bounded takes no more memory.  test_attacks.py holds the same by counting.
"""

# ruff: noqa: E501  (a table, a line or two for each attack)

from __future__ import annotations

import argparse
import bz2
import gzip
import lzma
import os
import resource
import struct
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from places import ROOT

LIMIT: Final = 6_000_000_000
TIME: Final = 120

CLIENT: Final = bytes((10, 0, 0, 1))
SERVER: Final = bytes((10, 0, 0, 2))
SEGMENT: Final = 1400
SYN, ACK, PUSH, FIN = 2, 16, 8, 1

PING: Final = bytes.fromhex("80010001 00000004 70696e67 00000000 00")
PONG: Final = bytes.fromhex("80010002 00000004 70696e67 00000000 0b0000 00000004 706f6e67 00")
COMPACT: Final = bytes.fromhex("822100 0470696e67 00")


# ── Captures ─────────────────────────────────────────────────────────────────────────


def packets(frames: Iterable[bytes], step: int = 1_000_000) -> Iterator[bytes]:
    """A pcap in pieces: a frame each ``step`` nanoseconds."""
    yield struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262_144, 1)
    for number, frame in enumerate(frames):
        second, rest = divmod(number * step, 1_000_000_000)
        yield struct.pack("<IIII", 1_700_000_000 + second, rest, len(frame), len(frame)) + frame


def pcap(frames: Iterable[bytes]) -> bytes:
    return b"".join(packets(frames))


def packed(frames: Iterable[bytes]) -> bytes:
    return gzip.compress(pcap(frames), 6)


def _frame(source: bytes, target: bytes, protocol: int, inner: bytes) -> bytes:
    size = 20 + len(inner)
    head = struct.pack(">BBHHHBBH", 0x45, 0, size, 0, 0, 64, protocol, 0) + source + target
    return bytes(12) + b"\x08\0" + head + inner


def tcp(
    by_client: bool, port: int, seq: int, flags: int, payload: bytes = b"", ack: int = 0
) -> bytes:
    """A segment between ``port`` of the client and 9090 of the server."""
    ends = (port, 9090) if by_client else (9090, port)
    hosts = (CLIENT, SERVER) if by_client else (SERVER, CLIENT)
    head = struct.pack(">HHIIBBHHH", *ends, seq % (1 << 32), ack, 0x50, flags, 65535, 0, 0)
    return _frame(*hosts, 6, head + payload)


def udp(port: int, host: int, payload: bytes) -> bytes:
    head = struct.pack(">HHHH", port, 9090, 8 + len(payload), 0)
    return _frame(
        bytes((10, host >> 16 & 255, host >> 8 & 255, host & 255)), SERVER, 17, head + payload
    )


def stream(
    data: bytes, opened: bool = True, port: int = 40000, missing: int = 0, by_client: bool = True
) -> Iterator[bytes]:
    """What one end sends; without every ``missing``-th segment, if that is asked for."""
    if opened:
        yield tcp(by_client, port, 999, SYN)
    for number, at in enumerate(range(0, len(data), SEGMENT)):
        if not missing or number % missing != missing - 1:
            yield tcp(by_client, port, 1000 + at, ACK | PUSH, data[at : at + SEGMENT])


# ── What is in them ──────────────────────────────────────────────────────────────────


def framed(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def call(method: bytes, body: bytes) -> bytes:
    return b"\x80\x01\0\1" + framed(method) + bytes(4) + body


def list_of(count: int, element: int, data: bytes) -> bytes:
    """A struct with one list in it."""
    return b"\x0f\0\1" + struct.pack(">BI", element, count) + data + b"\0"


def theader(payload: bytes, transforms: int = 1) -> bytes:
    """A THeader frame whose payload is packed so many times with zlib."""
    for _ in range(transforms):
        payload = zlib.compress(payload, 9)
    head = bytes((0, transforms)) + bytes((1,)) * transforms
    head += bytes(-len(head) % 4)
    inside = b"\x0f\xff\0\0" + bytes(4) + struct.pack(">H", len(head) // 4) + head + payload
    return framed(inside)


EMPTIES: Final = 12  # a list of empty structs: a byte each


def bomb(size: int) -> bytes:
    """A message of so many bytes, of which each is a value."""
    return call(b"bomb", list_of(size, EMPTIES, bytes(size)))


def _deflated(parts: Iterable[bytes]) -> bytes:
    """A zlib stream with a flush behind each part."""
    packer = zlib.compressobj(9)
    return b"".join(packer.compress(one) + packer.flush(zlib.Z_SYNC_FLUSH) for one in parts)


def _chunks(count: int) -> bytes:
    """A body in chunks of a byte, each behind a long extension."""
    head = b"POST /calc HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    body = call(b"ping", b"\x0b\0\1" + struct.pack(">I", 1 << 20))
    chunk = b"1;" + b"x" * 1200 + b"\r\n"
    return (
        head
        + f"{len(body):x}\r\n".encode() + body + b"\r\n"
        + b"".join(chunk + b"a\r\n" for _ in range(count))
    )  # fmt: skip


def _post(body: bytes, coding: str = "") -> bytes:
    more = f"Content-Encoding: {coding}\r\n" if coding else ""
    head = f"POST /calc HTTP/1.1\r\n{more}Content-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def _websocket(payloads: Iterable[bytes]) -> bytes:
    out = [b"GET /calc HTTP/1.1\r\nUpgrade: websocket\r\n\r\n"]
    for payload in payloads:
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        data = (packer.compress(payload) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]
        out.append(b"\xc2\x7f" + struct.pack(">Q", len(data)) + data)
    return b"".join(out)


def nested(depth: int) -> bytes:
    """A call with structs in each other."""
    return call(b"deep", b"\x0c\0\1" * (depth - 1) + bytes(depth))


def nested_compact(depth: int) -> bytes:
    return b"\x82\x21\x00\x04deep" + b"\x1c" * (depth - 1) + bytes(depth)


def nested_json(depth: int) -> bytes:
    inside = '{"1":{"rec":' * (depth - 1) + "{}" + "}}" * (depth - 1)
    return f'[1,"deep",1,0,{inside}]'.encode()


def nested_lists(depth: int) -> bytes:
    inside = b"\x0f\0\0\0\1" * (depth - 2) + b"\x03\0\0\0\0"
    return call(b"deep", b"\x0f\0\1" + inside + b"\0")


def nested_maps(depth: int) -> bytes:
    inside = b"\x08\x0d\0\0\0\1\0\0\0\7" * (depth - 2) + b"\x08\x08\0\0\0\0"
    return call(b"deep", b"\x0d\0\1" + inside + b"\0")


def _pairs(count: int) -> Iterator[bytes]:
    """Connections that were opened and never closed, and whole ones beside them."""
    for number in range(count):
        port = 1024 + number % 60_000
        yield _frame(
            bytes((11, number >> 16 & 255, number >> 8 & 255, number & 255)), SERVER, 6,
            struct.pack(">HHIIBBHHH", port, 9090, 999, 0, 0x50, SYN, 65535, 0, 0),
        )  # fmt: skip
        yield tcp(True, port, 999, SYN)
        yield tcp(True, port, 1000, ACK | PUSH, PING)
        yield tcp(False, port, 1000, ACK | PUSH, PONG, 1000 + len(PING))
        yield tcp(True, port, 1000 + len(PING), ACK | FIN)
        yield tcp(False, port, 1000 + len(PONG), ACK | FIN)


def _pcapng(blocks: Iterable[bytes]) -> bytes:
    section = struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28)
    interface = struct.pack("<IIHHII", 1, 20, 1, 0, 0, 20)
    return section + interface + b"".join(blocks)


def _statistics(count: int) -> bytes:
    drops = struct.pack("<HHQ", 5, 8, 7)
    size = 12 + 12 + len(drops)
    one = struct.pack("<II", 5, size) + bytes(12) + drops + struct.pack("<I", size)
    return _pcapng([one] * count)


def _large_blocks(count: int) -> bytes:
    size = 15 << 20
    one = struct.pack("<II", 77, size) + bytes(size - 12) + struct.pack("<I", size)
    return gzip.compress(_pcapng([one] * count), 1)


def _opened(count: int) -> Iterator[bytes]:
    for number in range(count):
        source = bytes((11, number >> 16 & 255, number >> 8 & 255, number & 255))
        for seq, flags, data in ((999, SYN, b""), (1000, ACK | PUSH, PING)):
            head = struct.pack(">HHIIBBHHH", 40000, 9090, seq, 0, 0x50, flags, 65535, 0, 0)
            yield _frame(source, SERVER, 6, head + data)


def _zstandard(count: int) -> bytes:
    """A block as it is, and then blocks that are one byte again and again."""
    head = pcap([])
    first = struct.pack("<I", len(head) << 3)[:3] + head
    return b"\x28\xb5\x2f\xfd\0\x88" + first + (struct.pack("<I", 1 << 20 | 2)[:3] + b"\0") * count


def _fragments(count: int) -> Iterator[bytes]:
    for number in range(count):
        head = struct.pack(">BBHHHBBH", 0x45, 0, 1420, number & 65535, 0x2000, 64, 17, 0)
        source = bytes((10, number >> 16 & 255, 1, 1))
        yield bytes(12) + b"\x08\0" + head + source + SERVER + bytes(1400)


class Attack(NamedTuple):
    """``make`` gives the file for a number; ``size`` is the smaller number; ``commands`` are what
    it is shown to."""

    name: str
    what: str
    make: Callable[[int], bytes]
    size: int
    commands: tuple[str, ...] = ("messages",)


ALL: Final = ("messages", "calls", "diagnose", "show", "show -m 1", "show --json")

ATTACKS: Final = (
    Attack("bomb", "THeader frames that zlib packs three times: 90 MB from 350 bytes",
           lambda n: pcap(stream(theader(bomb(90_000_000), 3) * n)), 50, ALL),
    Attack("bomb-below", "the same, just below the limit: 16 MB, each byte a value",
           lambda n: pcap(stream(theader(bomb(16_000_000), 2) * n)), 1, ALL),
    Attack("bomb-zlib", "a zlib stream, 10 MB a message",
           lambda n: pcap(stream(_deflated([bomb(10_000_000)] * n))), 4, ("messages", "show --json")),
    Attack("bomb-http", "bodies with gzip, 15 MB each",
           lambda n: pcap(stream(_post(gzip.compress(bomb(15_000_000)), "gzip") * n)), 8,
           ("messages", "calls")),
    Attack("bomb-websocket", "permessage-deflate, 15 MB each",
           lambda n: pcap(stream(_websocket([bomb(15_000_000)] * n))), 4),
    Attack("bomb-tiny", "a zlib stream of messages of 17 bytes, a million in a few packets",
           lambda n: pcap(stream(_deflated([PING * n]))), 500_000, ("messages", "calls")),
    Attack("values", "a list of empty structs: a byte each",
           lambda n: pcap(stream(framed(bomb(n)))), 4_000_000, ("messages", "show -m 1", "show --json", "show")),
    Attack("search-compact", "beginnings of compact, each to be read far",
           lambda n: pcap(stream(b"\x82\x21\x11\x01a" * (n // 5), opened=False)), 200_000),
    Attack("search-binary", "beginnings of strict binary",
           lambda n: pcap(stream(call(b"a", b"\x0b\0\1\0\0\0\0" * 4) * (n // 41), opened=False)), 200_000),
    Attack("search-theader", "THeader heads of 64 KiB, of which each is none",
           lambda n: pcap(stream((b"\0\1\0\0\x0f\xff\0\0\0\0\0\0\x3f\xf0" + b"\0\0\1\x7f") * (n // 18), opened=False)), 200_000),
    Attack("search-http", "request lines that end far away",
           lambda n: pcap(stream(b"GET /" * (n // 5), opened=False)), 200_000),
    Attack("zeros", "zeros, gzipped", lambda n: packed(stream(bytes(n))), 50_000_000),
    Attack("holes", "a string of which every second segment is missing",
           lambda n: pcap(stream(call(b"ping", b"\x0b\0\1" + struct.pack(">I", n) + bytes(n) + b"\0"), missing=2)),
           2_000_000, ("messages", "show -m 1", "show --json")),
    Attack("open", "connections that are opened, with a call that nobody answers",
           lambda n: packed(_opened(n)), 40_000, ("messages", "calls")),
    Attack("half-open", "connections that were only opened, beside whole ones",
           lambda n: packed(_pairs(n)), 10_000, ("messages", "calls", "diagnose")),
    Attack("waiting", "frames of 16 MB that lack their last byte, each in a connection of its own",
           lambda n: packed(one for port in range(n) for one in stream(
               framed(call(b"a", b"\x0b\0\1" + struct.pack(">I", 16_000_000) + bytes(16_000_000) + b"\0"))[:-1],
               port=2000 + port)), 10, ("messages", "calls")),
    Attack("udp", "each datagram from another end",
           lambda n: packed(udp(40000, number, PING) for number in range(n)), 50_000, ("calls",)),
    Attack("no-replies", "calls that nobody answers, each with its own seqid",
           lambda n: packed(stream(b"".join(PING[:12] + struct.pack(">I", one) + PING[16:] for one in range(n)))),
           100_000, ("calls", "diagnose")),
    Attack("chunks", "chunks of a byte behind extensions of 1200", lambda n: packed(stream(_chunks(n))), 5_000),
    Attack("odd", "bytes that are no message, again and again",
           lambda n: packed(stream(PING + (b"\0\0\0\x08\xff\xff\xff\xff\xff\xff\xff\xff" + framed(PING)) * n)), 50_000),
    Attack("statistics", "pcapng blocks that say that packets were dropped", _statistics, 50_000),
    Attack("blocks", "pcapng blocks of 15 MB that gzip packs", _large_blocks, 2),
    Attack("parts", "empty gzip members, one behind the other",
           lambda n: gzip.compress(b"") * n + packed([tcp(True, 4000, 1, PUSH, PING)]), 200_000),
    Attack("parts-lz4", "empty LZ4 frames",
           lambda n: b"\x04\x22\x4d\x18\x64\x40\xa7\0\0\0\0\0\0\0\0" * n, 300_000),
    Attack("zeros-bzip2", "zeros, of which bzip2 makes some thousandth",
           lambda n: bz2.compress(pcap([]) + bytes(n)), 100_000_000),
    Attack("zeros-xz", "zeros, and xz", lambda n: lzma.compress(pcap([]) + bytes(n)), 100_000_000),
    Attack("zeros-zstd", "zeros, 128 kB in four bytes of Zstandard, that remembers 128 MiB", _zstandard, 1_000),
    Attack("fragments", "first fragments without an end", lambda n: packed(_fragments(n)), 20_000),
)  # fmt: skip


# ── Running ──────────────────────────────────────────────────────────────────────────


class Cost(NamedTuple):
    """CPU seconds, bytes of memory at most, and the exit code (negative: a signal)."""

    seconds: float
    memory: int
    code: int


def run(command: str, file: Path) -> Cost:
    """``pingpong command file`` in a child of its own, with bounds."""
    words = [sys.executable, "-m", "pingpong", *command.split(), str(file)]

    def bound() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (LIMIT, LIMIT))
        resource.setrlimit(resource.RLIMIT_CPU, (TIME, TIME))

    where = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=bound, env=where
    ) as child:
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    unit = 1 if sys.platform == "darwin" else 1024
    return Cost(used.ru_utime + used.ru_stime, used.ru_maxrss * unit, child.returncode)


def _row(attack: Attack, command: str, sizes: list[int], costs: list[Cost]) -> str:
    size = " → ".join(
        f"{one / 1000:.0f} kB" if one < 10**6 else f"{one / 10**6:.1f} MB" for one in sizes
    )
    seconds = " → ".join(f"{one.seconds:.1f} s" for one in costs)
    memory = " → ".join(f"{one.memory / 10**6:.0f} MB" for one in costs)
    codes = {one.code for one in costs if not 0 <= one.code <= 3}
    failed = f", exit code {', '.join(map(str, codes))}" if codes else ""
    return f"| {attack.name} | `{command}` | {size} | {seconds} | {memory}{failed} |"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", help="attacks whose names begin so (all)")
    parser.add_argument("--list", action="store_true", help="say what there is")
    args = parser.parse_args(arguments)
    chosen = [one for one in ATTACKS if not args.names or one.name.startswith(tuple(args.names))]
    if args.list or not chosen:
        for one in ATTACKS:
            print(f"{one.name:16} {one.what}")
        return 0 if args.list else 2
    print("| attack | command | file, and doubled | CPU | memory |\n|---|---|---|---|---|")
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        for attack in chosen:
            files = [Path(folder, str(times)) for times in (1, 2)]
            for times, file in enumerate(files, 1):
                file.write_bytes(attack.make(attack.size * times))
            for command in attack.commands:
                costs = [run(command, file) for file in files]
                failed = failed or any(not 0 <= one.code <= 3 for one in costs)
                sizes = [file.stat().st_size for file in files]
                print(_row(attack, command, sizes, costs), flush=True)
            for file in files:
                file.unlink()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
