"""Capture files: pcap, pcapng, snoop and netmon, plain or packed, from a path or standard input.

    pcap      one header, then one record per packet       (draft-ietf-opsawg-pcap)
    pcapng    blocks: section ▸ interface ▸ packet …       (draft-ietf-opsawg-pcapng)
    snoop     like pcap, big-endian, records padded        (RFC 1761)
    netmon    like pcap, then a table of the records       (Network Monitor 2)

There are variants of pcap with longer records, which the libpcap of some Linux distributions
used to write.

One record is read at a time, so memory does not grow with the file.  A file that is not a capture
raises CaptureError at once.  A file that goes bad later ends there: the packets before that stand,
and ``findings`` says where and why.

Times become nanoseconds, whatever the file's own unit is.  Files are written as pcap with
nanoseconds, which tshark, tcpdump and scapy can read.
"""

from __future__ import annotations

import io
import os
import struct
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from ..errors import CaptureError
from ..model import Finding, Packet, Severity
from .containers import BROKEN, ByteSource, unpacked, what_it_is
from .newfile import NewFile

if TYPE_CHECKING:
    from mypy_extensions import i64

__all__ = ["CaptureFile", "CaptureWriter", "open_capture", "write_capture", "write_packets"]

_SNOOP: Final = b"snoop\0\0\0"
_NETMON: Final = b"GMBU"
_PCAPNG: Final = b"\x0a\x0d\x0d\x0a"

# By the first four bytes of a pcap: its byte order, and the length of a tick in nanoseconds.
_PCAP: Final[dict[bytes, tuple[str, int]]] = {
    b"\xd4\xc3\xb2\xa1": ("<", 1000),
    b"\xa1\xb2\xc3\xd4": (">", 1000),
    b"\x4d\x3c\xb2\xa1": ("<", 1),
    b"\xa1\xb2\x3c\x4d": (">", 1),
    # Alexey Kuznetzov's version of libpcap: records name their interface.
    b"\x34\xcd\xb2\xa1": ("<", 1000),
    b"\xa1\xb2\xcd\x34": (">", 1000),
}
_MODIFIED: Final = (b"\x34\xcd\xb2\xa1", b"\xa1\xb2\xcd\x34")

# How long a record's header may be, in bytes: the usual one, then those of Red Hat 6.1, SuSE 6.3
# and Nokia, which have the usual magic number.
_RECORD: Final = 16
_RECORDS: Final = (16, 24, 28, 20)
_MODIFIED_RECORDS: Final = (24, 28)

# The link type for snoop's datalink type (RFC 1761, and what Solaris added) and for netmon's media
# type.  Above 0xE000, what netmon adds to that is the link type itself.
_SNOOP_LINKS: Final[dict[int, int]] = {0: 1, 2: 6, 4: 1, 8: 10, 18: 123, 26: 226}
_NETMON_LINKS: Final[dict[int, int]] = {1: 1, 2: 6, 3: 10, 7: 101, 8: 101, 9: 101}
_NETMON_PCAP: Final = 0xE000

# From 1601, where Windows' time begins, to 1970, in units of 100 nanoseconds.
_FROM_1601: Final = 116_444_736_000_000_000

# libpcap's MAXIMUM_SNAPLEN: it writes no larger packets.
MAX_PACKET: Final = 262_144
# The largest pcapng block, in bytes; Wireshark has the same limit.
MAX_BLOCK: Final = 16 * 1024 * 1024

# More interfaces than any machine has.  Each takes memory, even if no packet comes from it.
MAX_INTERFACES: Final = 65_536

# Bytes per read: they and everything made of them fit into a processor's cache.
_READ: Final = 1 << 17

_SECTION: Final = 0x0A0D0D0A
_INTERFACE: Final = 1
_OLD_PACKET: Final = 2
_SIMPLE_PACKET: Final = 3
_STATISTICS: Final = 5
_PACKET: Final = 6


class _NetworkInterface:
    """What a pcapng section says about one interface."""

    __slots__ = ("link", "offset", "snaplen", "ticks")

    def __init__(self, link: int, snaplen: int) -> None:
        self.link = link
        self.snaplen = snaplen
        self.ticks = 1_000_000  # per second: if_tsresol
        self.offset = 0  # in seconds: if_tsoffset

    def time(self, high: int, low: int) -> int:
        """Nanoseconds since 1970, from the two halves of a block's time."""
        return self.offset * 1_000_000_000 + (high << 32 | low) * 1_000_000_000 // self.ticks


class CaptureFile:
    """The packets of a capture file; iterate over it, once.

    Or go from packet to packet with ``advance``, which makes no Packet.  The bytes of the current
    packet are then ``data[start:stop]``, and ``number``, ``time``, ``link``, ``length`` and
    ``interface`` are as a Packet has them.

    ``findings`` grows while packets are read.
    """

    def __init__(self, source: io.BufferedReader, name: str) -> None:
        self.name = name
        self.findings: list[Finding] = []
        self._raw = source
        self._stream: ByteSource = source
        self.data = b""
        self.start: i64 = 0
        self.stop: i64 = 0
        self.number: i64 = 0
        self.time = 0
        self.link: i64 = -1  # -1: the file's head was not read yet
        self.length: i64 = 0
        self.interface: i64 = 0
        self._buffer = b""
        self._at: i64 = 0
        self._passed: i64 = 0  # bytes of the (unpacked) file before the buffer
        self._said: set[str] = set()
        self._dropped = -1  # the index of the finding about dropped packets; -1: there is none
        self._blocks = 0  # how many blocks reported dropped packets
        self._broken = ""  # why the source could not be read any further
        self._is_done = False
        # What the file's head, or the current section, says.
        self._order = "<"
        self._is_little = True
        self._tick: i64 = 1
        self._snaplen: i64 = 0
        self._interfaces: list[_NetworkInterface] = []
        self._record: i64 = _RECORD
        self._is_snoop = False
        self._netmon = 0  # netmon's minor version plus 1; 0: it is another format
        self._began = 0  # netmon's times count from here (ns since 1970)
        self._table = 0  # the offset at which netmon's packets end
        try:
            self._stream, self._packed = unpacked(source, name)
        except OSError as error:
            raise CaptureError(f"{name}: cannot be read: {error.strerror or error}") from error
        magic = self._peek(4)
        if self._broken:
            raise CaptureError(f"{name}: {self._broken}", 0)
        if not magic:
            raise CaptureError(f"{name}: is empty, want a pcap or pcapng capture", 0)
        self._is_pcapng = magic == _PCAPNG
        if magic == _SNOOP[:4] and self._peek(8) == _SNOOP:
            self._is_snoop = True
        elif magic == _NETMON:
            self._netmon = 1
        elif not self._is_pcapng and magic not in _PCAP:
            what = what_it_is(self._peek(512), name)
            if what:
                inside = f" (packed with {self._packed})" if self._packed else ""
                raise CaptureError(f"{name}: is not a capture{inside}: {what}", 0)
            raise CaptureError(
                f"{name}: is not a capture: begins with {magic.hex(' ')}, want a pcap "
                f"(d4 c3 b2 a1 or a1 b2 c3 d4, nanoseconds 4d 3c b2 a1 or a1 b2 3c 4d), a pcapng "
                f"(0a 0d 0d 0a), or one of them gzipped (1f 8b)",
                0,
            )
        if self._is_pcapng:
            head = self._peek(12)
            if len(head) < 12 or head[8:12] not in (b"\x1a\x2b\x3c\x4d", b"\x4d\x3c\x2b\x1a"):
                raise CaptureError(
                    f"{name}: section header at offset 0: byte order is "
                    f"{head[8:12].hex(' ') or 'missing'}, want 1a 2b 3c 4d or 4d 3c 2b 1a",
                    0,
                )
        else:
            kind, size = "pcap", 24
            if self._is_snoop:
                kind, size = "snoop", 16
            elif self._netmon:
                kind, size = "netmon", 128
            have = len(self._peek(size))
            if have < size:
                raise CaptureError(
                    f"{name}: {kind} header at offset 0: needs {size} bytes, {have} left", 0
                )

    def __iter__(self) -> Iterator[Packet]:
        while packets := self.batch():
            yield from packets

    def batch(self) -> list[Packet]:
        """The next packets, as many as one read brought; an empty list is the end of the file.

        It waits for one packet at most, so that a live capture can be read while it grows.
        """
        packets: list[Packet] = []
        while self.advance(not packets):
            packets.append(self.packet())
        return packets

    def packet(self) -> Packet:
        """The current packet: the one that ``advance`` went to."""
        data = self.data[self.start : self.stop]
        return Packet(self.number, self.time, self.link, data, self.length, self.interface)

    def advance(self, wait: bool = True) -> bool:
        """Go to the next packet; False at the end of the file.

        Without ``wait`` it is also False where more of the file would have to be read.
        """
        if self._is_done:
            return False
        if self._next_pcapng_here() if self._is_pcapng else self._next_pcap_here():
            return True
        while not self._is_done:
            if not wait and not self._is_next_there():
                return False
            if self._is_pcapng:
                is_there = self._next_pcapng()
            elif self._is_snoop:
                is_there = self._next_snoop()
            elif self._netmon:
                is_there = self._next_netmon()
            else:
                is_there = self._next_pcap()
            if is_there:
                return True
        return False

    @property
    def consumed(self) -> int:
        """How many bytes of the source were taken so far, for a progress bar.

        Of a packed file these are packed bytes; of a pipe, which has no position, unpacked ones.
        """
        try:
            return self._raw.tell()
        except (OSError, ValueError):
            return self._passed + self._at

    def close(self) -> None:
        """Close the source; a ``with`` does the same."""
        self._raw.close()

    def __enter__(self) -> CaptureFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ── Reading bytes ────────────────────────────────────────────────────────────────

    def _fill(self, size: int) -> int:
        """Get ``size`` bytes into the buffer, if there are as many; returns how many there are."""
        have = len(self._buffer) - self._at
        if have >= size:
            return have
        # Joined once: a long block may come in thousands of pieces.
        pieces = [self._buffer[self._at :]]
        while have < size and not self._broken:
            try:
                more = self._stream.read1(_READ)
            except BROKEN as error:
                self._broken = f"{self._packed} data ends or breaks ({error})"
                break
            except OSError as error:
                self._broken = f"cannot be read ({error.strerror or error})"
                break
            if not more:
                break
            pieces.append(more)
            have += len(more)
        if len(pieces) > 1:
            self._passed += self._at
            self._buffer = b"".join(pieces)
            self._at = 0
        return have

    def _peek(self, size: int) -> bytes:
        self._fill(size)
        return self._buffer[self._at : self._at + size]

    def _take(self, what: str, size: int) -> bytes | None:
        """The next ``size`` bytes; None, with a finding, if the file ends before."""
        have = self._fill(size)
        if have < size:
            why = f" ({self._broken})" if self._broken else ""
            self._say(
                Severity.ERROR,
                f"{what} at offset {self._offset}: needs {size} bytes, {have} left{why}: "
                f"the file is cut off after packet {self.number}",
                self._offset,
            )
            return None
        data = self._buffer[self._at : self._at + size]
        self._at += size
        return data

    @property
    def _offset(self) -> int:
        return self._passed + self._at

    def _ended(self) -> bool:
        """Whether the file ends here, between records, where it may end."""
        if self._fill(1):
            return False
        if self._broken:
            self._say(
                Severity.ERROR,
                f"offset {self._offset}: {self._broken}, after packet {self.number}",
                self._offset,
            )
        return True

    def _say(self, severity: Severity, text: str, offset: int | None, once: str = "") -> None:
        if once in self._said:
            return
        if once:
            self._said.add(once)
        self.findings.append(Finding(severity, f"{self.name}: {text}", offset))

    def _check_snaplen(self, kept: int, length: int, snaplen: int, offset: int) -> None:
        """Report, once each, that a packet is larger than the file allows, or was cut."""
        if snaplen and kept > snaplen:
            self._say(
                Severity.ERROR,
                f"packet {self.number} at offset {offset}: has {kept} bytes, the file's snaplen "
                f"wants at most {snaplen}. The packets were read nevertheless",
                offset,
                "snaplen",
            )
        elif kept < length:
            self._say(
                Severity.WARNING,
                f"packet {self.number} at offset {offset}: {kept} of its {length} bytes were "
                f"captured (snaplen {snaplen}). Capture with a larger snaplen (tcpdump -s 0)",
                offset,
                "cut",
            )

    # ── pcap ─────────────────────────────────────────────────────────────────────────

    def _number_at(self, at: i64) -> i64:
        """The 32 bits at ``at`` of the buffer, in the file's byte order."""
        data = self._buffer
        a: i64 = data[at]
        b: i64 = data[at + 1]
        c: i64 = data[at + 2]
        d: i64 = data[at + 3]
        if self._is_little:
            return d << 24 | c << 16 | b << 8 | a
        return a << 24 | b << 16 | c << 8 | d

    def _is_next_there(self) -> bool:
        """Whether the next record, or block, is in the buffer already."""
        have = len(self._buffer) - self._at
        if have < 16:
            return False
        if self._is_pcapng:
            return have >= self._number_at(self._at + 4)
        if self._is_snoop:
            return have >= 24 and have >= self._number_at(self._at + 8)
        if self._netmon:
            return have >= self._number_at(self._at + 12) + 40
        return have >= self._record + self._number_at(self._at + 8)

    def _read_pcap_head(self) -> None:
        head = self._take("pcap header", 24)
        assert head is not None  # __init__ has looked
        self._order, self._tick = _PCAP[head[:4]]
        self._is_little = self._order == "<"
        self._snaplen, link = struct.unpack_from(self._order + "II", head, 16)
        self.link = link & 0xFFFF  # above it is the length of the frame check sequence
        self._record = self._record_size(head[:4] in _MODIFIED)
        if self._snaplen == 0:
            self._say(Severity.ERROR, "snaplen at offset 16: is 0, want 1 or more", 16)

    def _record_size(self, modified: bool) -> int:
        """How long the headers of records are: the length with which the first make sense.

        Only what is in the buffer already is looked at: a live capture may have no more.
        """
        sizes = _MODIFIED_RECORDS if modified else _RECORDS
        if self._sensible(sizes[0]) >= 0:
            return sizes[0]
        for size in sizes[1:]:
            if self._sensible(size) > 1:
                return size
        return sizes[0]

    def _sensible(self, size: int) -> int:
        """How many of the first records, 4 at most, make sense with headers of ``size`` bytes.

        -1: one of them makes no sense.
        """
        at = self._at
        before: i64 = 0
        for count in range(4):
            if len(self._buffer) < at + 16:
                return count
            second, ticks = self._number_at(at), self._number_at(at + 4) * self._tick
            kept, length = self._number_at(at + 8), self._number_at(at + 12)
            if kept > MAX_PACKET or kept > length or length > 1 << 24 or ticks >= 1_000_000_000:
                return -1
            if count and not -1_000_000 < second - before < 1_000_000:
                return -1
            before = second
            at += size + kept
        return 4

    def _next_pcap_here(self) -> bool:
        """The short way: a packet that is whole in the buffer, with nothing to report about it.

        False means that nothing was changed, and ``_next_pcap`` has to look.
        """
        at = self._at
        stop = at + self._record
        if self.link < 0 or stop > len(self._buffer) or self._is_snoop or self._netmon:
            return False
        kept = self._number_at(at + 8)
        stop += kept
        if (
            stop > len(self._buffer)
            or kept != self._number_at(at + 12)
            or kept > MAX_PACKET
            or (self._snaplen and kept > self._snaplen)
        ):
            return False
        self.data = self._buffer
        self.start = at + self._record
        self.stop = stop
        self.length = kept
        second: i64 = self._number_at(at)
        self.time = second * 1000000000 + self._number_at(at + 4) * self._tick
        self.number += 1
        self._at = stop
        return True

    def _next_pcap(self) -> bool:
        """The next packet; False at the end, with a finding if the file ends badly."""
        if self.link < 0:
            self._read_pcap_head()
        self._is_done = True  # unless it goes well
        if self._ended():
            return False
        offset = self._offset
        raw = self._take("packet record", self._record)
        if raw is None:
            return False
        seconds, fraction, kept, length = struct.unpack_from(self._order + "IIII", raw)
        if self._record in (24, 28):
            self.interface = struct.unpack_from(self._order + "I", raw, 16)[0]
        if self._is_too_large(kept, offset):
            return False
        data = self._take("packet", kept)
        if data is None:
            return False
        self._is_done = False
        self.number += 1
        self._check_snaplen(kept, length, self._snaplen, offset)
        self._came_to(data, seconds * 1_000_000_000 + fraction * self._tick, max(kept, length))
        return True

    def _is_too_large(self, kept: int, offset: int) -> bool:
        if kept <= MAX_PACKET:
            return False
        self._say(
            Severity.ERROR,
            f"packet record at offset {offset}: has {kept} bytes, want at most {MAX_PACKET}. "
            f"Nothing behind it was read, after packet {self.number}",
            offset,
        )
        return True

    def _came_to(self, data: bytes, time: int, length: int) -> None:
        self.data, self.start, self.stop = data, 0, len(data)
        self.time, self.length = time, length

    # ── snoop ────────────────────────────────────────────────────────────────────────

    def _next_snoop(self) -> bool:
        """RFC 1761: the header once, then the next packet."""
        self._is_done = True  # unless it goes well
        if self.link < 0:
            head = self._take("snoop header", 16)
            assert head is not None  # __init__ has looked
            version, link = struct.unpack_from(">II", head, 8)
            self._is_little = False
            self.link = _SNOOP_LINKS.get(link, -1)
            if version != 2 or self.link < 0:
                self._say(
                    Severity.ERROR,
                    f"snoop header at offset 8: version {version} with datalink type {link}, want "
                    f"version 2 and Ethernet (4) or IP (26). Wireshark's editcap may make a pcap "
                    f"of it: editcap -F pcap FILE OUT.pcap",
                    8,
                )
                return False
        if self._ended():
            return False
        offset = self._offset
        raw = self._take("packet record", 24)
        if raw is None:
            return False
        length, kept, whole, _, seconds, micros = struct.unpack(">IIIIII", raw)
        if self._is_too_large(max(kept, whole - 24), offset):
            return False
        if whole < 24 + kept:
            self._bad_block(offset, "packet record", 24 + kept, whole)
            return False
        data = self._take("packet", whole - 24)
        if data is None:
            return False
        self._is_done = False
        self.number += 1
        self._check_snaplen(kept, length, 0, offset)
        self._came_to(data[:kept], seconds * 1_000_000_000 + micros * 1000, max(kept, length))
        return True

    # ── netmon ───────────────────────────────────────────────────────────────────────

    def _next_netmon(self) -> bool:
        """Network Monitor 2.0 to 2.3: the header once, then the next packet.

        After the packets comes a table of where each of them is.  It is not needed here: they
        follow one another.
        """
        self._is_done = True  # unless it goes well
        if self._began == 0 and not self._read_netmon_head():
            return False
        offset = self._offset
        if 0 < self._table <= offset or self._ended():
            return False
        raw = self._take("packet record", 16)
        if raw is None:
            return False
        ticks, length, kept = struct.unpack("<QII", raw)
        if self._is_too_large(kept, offset):
            return False
        data = self._take("packet", kept)
        minor = self._netmon - 1
        tail = self._take("packet record", (0, 2, 6, 18)[minor]) if data is not None else None
        if data is None or tail is None:
            return False
        time = self._began + ticks * 1000
        if minor:
            media = struct.unpack_from("<H", tail)[0] & 0xFFFF
            link = _NETMON_LINKS.get(media, media - _NETMON_PCAP if media > _NETMON_PCAP else -1)
            if link < 0:
                self._is_done = False
                if media < _NETMON_PCAP:
                    self._say(
                        Severity.WARNING,
                        f"packet record at offset {offset}: has media type {media}, want 1 "
                        f"(Ethernet) or 7 to 9 (IP). Such packets are passed over",
                        offset,
                        f"media type {media}",
                    )
                return False  # above 0xE000: what the machine or the program says about itself
            self.link = link
        if minor == 3:
            time = (struct.unpack_from("<Q", tail, 6)[0] - _FROM_1601) * 100
        self._is_done = False
        self.number += 1
        self._check_snaplen(kept, length, 0, offset)
        self._came_to(data, time, max(kept, length))
        return True

    def _read_netmon_head(self) -> bool:
        head = self._take("netmon header", 128)
        assert head is not None  # __init__ has looked
        minor, major, media = struct.unpack_from("<BBH", head, 4)
        self.link = _NETMON_LINKS.get(media, 1)
        year, month, _, day, hour, minute, second, milli = struct.unpack_from("<8H", head, 8)
        if major != 2 or minor > 3 or not (1970 <= year < 2500 and 1 <= month <= 12 and day):
            self._say(
                Severity.ERROR,
                f"netmon header at offset 4: version {major}.{minor}, begun {year}-{month}-{day}, "
                f"want 2.0 to 2.3. Wireshark's editcap may make a pcap of it: editcap -F pcap FILE "
                f"OUT.pcap",
                4,
            )
            return False
        self._netmon = minor + 1
        self._table = struct.unpack_from("<I", head, 24)[0]
        days = _days(year, month) + day - 1
        seconds = ((days * 24 + hour) * 60 + minute) * 60 + second
        self._began = seconds * 1_000_000_000 + milli * 1_000_000
        return True

    # ── pcapng ───────────────────────────────────────────────────────────────────────

    def _next_pcapng_here(self) -> bool:
        """The same as ``_next_pcap_here``, for an enhanced packet block."""
        at = self._at
        if at + 32 > len(self._buffer) or self._number_at(at) != 6:
            return False
        size = self._number_at(at + 4)
        index = self._number_at(at + 8)
        kept = self._number_at(at + 20)
        if (
            size % 4
            or size > MAX_BLOCK
            or at + size > len(self._buffer)
            or kept > size - 32
            or kept != self._number_at(at + 24)
            or index >= len(self._interfaces)
            or self._number_at(at + size - 4) != size
        ):
            return False
        interface = self._interfaces[index]
        if interface.snaplen and kept > interface.snaplen:
            return False
        self.link = interface.link
        self.interface = index
        self.data = self._buffer
        self.start = at + 28
        self.stop = at + 28 + kept
        self.length = kept
        self.time = interface.time(self._number_at(at + 12), self._number_at(at + 16))
        self.number += 1
        self._at = at + size
        return True

    def _next_pcapng(self) -> bool:
        """Read the next block; False at the end, or if there is no packet in it."""
        self._is_done = True  # unless it goes well
        if self._ended():
            return False
        offset = self._offset
        # A section's byte order comes after its type and length, which already depend on it.
        head = self._peek(12)
        if head[:4] == _PCAPNG and len(head) == 12:
            self._order = "<" if head[8:12] == b"\x4d\x3c\x2b\x1a" else ">"
            self._is_little = self._order == "<"
            self._interfaces = []
        order = self._order
        block = self._block(order)
        if block is None:
            return False
        kind, body = block
        is_packet = kind in (_PACKET, _OLD_PACKET, _SIMPLE_PACKET)
        if kind == _INTERFACE:
            if len(body) < 8:
                self._bad_block(offset, "interface block", 8, len(body))
                return False
            if len(self._interfaces) >= MAX_INTERFACES:
                self._say(
                    Severity.ERROR,
                    f"interface block at offset {offset}: has {MAX_INTERFACES} before it, and more "
                    f"are not read. Nothing behind it was read, after packet {self.number}",
                    offset,
                )
                return False
            self._interfaces.append(_interface(body, order))
        elif kind == _STATISTICS:
            self._drops(body, order, offset)
        elif is_packet and not self._packet(kind, body, order, self._interfaces, offset):
            return False
        self._is_done = False
        return is_packet

    def _block(self, order: str) -> tuple[int, bytes] | None:
        """The type and body of the next block; None, with a finding, if it is malformed."""
        offset = self._offset
        head = self._take("block", 8)
        if head is None:
            return None
        kind, length = struct.unpack(order + "II", head)
        if length < 12 or length % 4 or length > MAX_BLOCK:
            self._say(
                Severity.ERROR,
                f"block at offset {offset}: length is {length}, want a multiple of 4 from 12 to "
                f"{MAX_BLOCK}. Nothing behind it was read, after packet {self.number}",
                offset,
            )
            return None
        body = self._take("block", length - 8)
        if body is None:
            return None
        again = struct.unpack_from(order + "I", body, len(body) - 4)[0]
        if again != length:
            self._say(
                Severity.ERROR,
                f"block at offset {offset}: its second length is {again}, want {length}. Nothing "
                f"behind it was read, after packet {self.number}",
                offset,
            )
            return None
        return kind, body[:-4]

    def _bad_block(self, offset: int, what: str, needs: int, left: int) -> None:
        self._say(
            Severity.ERROR,
            f"{what} at offset {offset}: needs {needs} bytes, {left} left: nothing behind it was "
            f"read, after packet {self.number}",
            offset,
        )

    def _packet(
        self, kind: int, body: bytes, order: str, interfaces: list[_NetworkInterface], offset: int
    ) -> bool:
        needs = 4 if kind == _SIMPLE_PACKET else 20
        if len(body) < needs:
            self._bad_block(offset, "packet block", needs, len(body))
            return False
        high = low = 0
        if kind == _SIMPLE_PACKET:
            length = struct.unpack_from(order + "I", body)[0]
            index = 0
            kept = min(length, len(body) - 4)
            if interfaces and interfaces[0].snaplen:
                kept = min(kept, interfaces[0].snaplen)
        else:
            if kind == _PACKET:
                index = struct.unpack_from(order + "I", body)[0]
            else:
                index = struct.unpack_from(order + "H", body)[0]
            high, low, kept, length = struct.unpack_from(order + "IIII", body, 4)
        if index >= len(interfaces):
            self._say(
                Severity.ERROR,
                f"packet block at offset {offset}: interface is {index}, want less than "
                f"{len(interfaces)}. Nothing behind it was read, after packet {self.number}",
                offset,
            )
            return False
        if kept > len(body) - needs:
            self._bad_block(offset, "packet block", needs + kept, len(body))
            return False
        interface = interfaces[index]
        self.number += 1
        self._check_snaplen(kept, length, interface.snaplen, offset)
        self.link = interface.link
        self.interface = index
        self._came_to(body[needs : needs + kept], interface.time(high, low), max(kept, length))
        return True

    def _drops(self, body: bytes, order: str, offset: int) -> None:
        """Read isb_ifdrop: the packets that the interface dropped while capturing."""
        for code, value in _options(body[12:], order):
            if code == 5 and len(value) == 8:
                count = struct.unpack(order + "Q", value)[0]
                if count:
                    self._say_dropped(count, offset)

    def _say_dropped(self, count: int, offset: int) -> None:
        """Report dropped packets: each block counts from the start, so the last says it all."""
        if self._dropped >= 0:
            del self.findings[self._dropped]
        self._dropped = len(self.findings)
        self._blocks += 1
        times = f" ({self._blocks} blocks say so, this one last)" if self._blocks > 1 else ""
        self._say(
            Severity.WARNING,
            f"statistics at offset {offset}: {count} packets were dropped while capturing{times}",
            offset,
        )


def _days(year: int, month: int) -> int:
    """The days from 1970 to the beginning of a month."""
    days = 365 * (year - 1970) + (year - 1969) // 4 - (year - 1901) // 100 + (year - 1601) // 400
    is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return (
        days
        + (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334)[month - 1]
        + (is_leap and month > 2)
    )


def _interface(body: bytes, order: str) -> _NetworkInterface:
    link, snaplen = struct.unpack_from(order + "HxxI", body)
    interface = _NetworkInterface(link, snaplen)
    for code, value in _options(body[8:], order):
        if code == 9 and len(value) == 1:  # if_tsresol: a power of 10, or of 2
            power = value[0] & 0x7F
            interface.ticks = 2**power if value[0] & 0x80 else 10**power
        elif code == 14 and len(value) == 8:  # if_tsoffset
            interface.offset = struct.unpack(order + "q", value)[0]
    return interface


def _options(data: bytes, order: str) -> Iterator[tuple[int, bytes]]:
    """The options of a block as code and value; each is padded to four bytes."""
    at = 0
    while at + 4 <= len(data):
        code, length = struct.unpack_from(order + "HH", data, at)
        if code == 0 or at + 4 + length > len(data):
            return
        yield code, data[at + 4 : at + 4 + length]
        at += 4 + (length + 3) // 4 * 4


def open_capture(path: str | os.PathLike[str]) -> CaptureFile:
    """Open a capture; "-" is standard input.

    Raises CaptureError if it cannot be opened or is not a capture.
    """
    name = os.fspath(path)
    if name == "-":
        return CaptureFile(open(sys.stdin.fileno(), "rb", closefd=False), "standard input")
    try:
        source = open(name, "rb")  # noqa: SIM115  (CaptureFile closes it)
    except OSError as error:
        raise CaptureError(f"{name}: cannot be opened: {error.strerror or error}") from error
    try:
        return CaptureFile(source, name)
    except BaseException:
        source.close()
        raise


def write_capture(path: str | os.PathLike[str], packets: Iterable[Packet]) -> int:
    """Write ``packets`` as a pcap; returns how many there were.  "-" is standard output.

    The file appears whole or not at all: an interrupted call leaves what was there before.
    Raises CaptureError if the file must not be written (see NewFile), if the packets have
    different link types (a pcap has one) or times that a pcap cannot hold; OutputError if the
    machine cannot write it.
    """
    with NewFile(path) as out:
        return write_packets(out, packets)


def write_packets(out: NewFile, packets: Iterable[Packet]) -> int:
    """Write ``packets`` as a pcap into ``out``; returns how many there were.

    Raises as ``write_capture`` does.
    """
    writer = CaptureWriter(out)
    for packet in packets:
        writer.write(packet)
    if writer.link < 0:
        writer.begin(1)
    return writer.count


class CaptureWriter:
    """Writes a pcap into ``out``, a packet at a time.

    ``count`` is how many were written; ``link`` their link type, -1 before the first.
    """

    def __init__(self, out: NewFile) -> None:
        self.link: i64 = -1
        self.count: i64 = 0
        self._out = out

    def begin(self, link: int) -> None:
        """Write the file's head; ``write`` does it too, so only a file without packets needs it."""
        self.link = link
        self._out.write(
            struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, MAX_PACKET, link)  # nanoseconds
        )

    def write(self, packet: Packet) -> None:
        """Write a packet.

        Raises CaptureError for what a pcap cannot hold (see ``write_capture``), and what
        ``NewFile.write`` raises.
        """
        if self.link < 0:
            self.begin(packet.link)
        if packet.link != self.link:
            raise CaptureError(
                f"{self._out.name}: packet {packet.number} has link type {packet.link}, want "
                f"{self.link} as the packets before it: a pcap has one link type"
            )
        seconds, fraction = divmod(packet.time, 1_000_000_000)
        if not 0 <= seconds < 1 << 32:
            raise CaptureError(
                f"{self._out.name}: packet {packet.number} is {seconds} seconds from 1970, want 0 "
                f"to {(1 << 32) - 1}: a pcap has 32 bits for them"
            )
        head = struct.pack("<IIII", seconds, fraction, len(packet.data), packet.length)
        self._out.write(head + packet.data)
        self.count += 1
