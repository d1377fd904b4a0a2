"""How a capture may be packed, and what to say about a file that is not one.

    gzip, bzip2, xz     the standard library unpacks them
    LZ4                 here: a frame of blocks, of literals and repetitions
    Zstandard           Python 3.14, or the package zstandard (the extra ``containers``)

Everything is unpacked as it is read, so a small file that unpacks to a huge one costs time but no
memory, and no more time than gzip could cost (``RATIO``).  Formats that are known but not read are
named, with a way to turn them into a pcap (``what_it_is``).
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import sys
import zlib
from typing import Any, Final, Protocol

from ..errors import CaptureError

__all__ = ["BROKEN", "ByteSource", "unpacked", "what_it_is"]

# How much of what was unpacked an xz or Zstandard file may refer back to, in bytes.
MAX_WINDOW: Final = 128 << 20

# Unpacked bytes for a packed one, above FREE of them.  Deflate has 1032 at most; bzip2, xz and
# Zstandard can have many thousands, but no packets do.  FREE is small: of zeros, 16 bytes are a
# packet, and that takes longer to look at than to unpack.
RATIO: Final = 1100
FREE: Final = 1 << 20

_READ: Final = 1 << 17
_PIECE: Final = 1 << 14
# The package zstandard has no bound on what comes out: of four bytes it may be 128 KiB.
_LITTLE: Final = 1 << 8

_GZIP: Final = b"\x1f\x8b"
_BZIP2: Final = b"BZh"
_XZ: Final = b"\xfd7zXZ\0"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_LZ4: Final = b"\x04\x22\x4d\x18"
_LZ4_LEGACY: Final = b"\x02\x21\x4c\x18"
# A frame to be skipped, of LZ4 and of Zstandard: its first byte's low half may be anything.
_SKIPPED: Final = b"\x2a\x4d\x18"


class ByteSource(Protocol):
    """Where bytes come from: a file, or something that unpacks one."""

    def read1(self, size: int = -1, /) -> bytes:
        """At most ``size`` bytes (-1: as many as are at hand); b"" at the end."""
        ...


class _Behind:
    """A source whose first bytes were read already."""

    def __init__(self, head: bytes, source: ByteSource) -> None:
        self._head = head
        self._source = source

    def read1(self, size: int = -1, /) -> bytes:
        head, self._head = self._head, b""
        return head or self._source.read1(size)


class Broken(Exception):
    """Packed data that cannot be unpacked further."""


_UNPACK: Final = "unpack it, and give the capture in it"

# Everything that reading packed data may raise.
BROKEN: Final = (EOFError, gzip.BadGzipFile, zlib.error, lzma.LZMAError, Broken)


def unpacked(source: io.BufferedReader, name: str) -> tuple[ByteSource, str]:
    """A source of the file's unpacked bytes, and the name of the packing ("" if there is none).

    Raises CaptureError if the file is packed in a way that cannot be unpacked here.
    """
    head = source.peek(6)[:6]
    behind: ByteSource = source
    if _is_skipped(head):
        head = _skip_frames(source, name)
        behind = _Behind(head, source)
        if not head.startswith((_LZ4, _LZ4_LEGACY, _ZSTD)):
            raise CaptureError(
                f"{name}: begins with frames that LZ4 and Zstandard skip, and behind them has "
                f"{head[:4].hex(' ') or 'nothing'}, want 04 22 4d 18 or 28 b5 2f fd",
                0,
            )
    if head.startswith(_GZIP):
        return gzip.GzipFile(fileobj=source), "gzip"
    if head.startswith(_BZIP2):
        return _Unpacker(source, _bzip2), "bzip2"
    if head.startswith(_XZ):
        return _Unpacker(source, _xz), "xz"
    if head.startswith((_LZ4, _LZ4_LEGACY)):
        return Lz4(behind), "LZ4"
    if head.startswith(_ZSTD):
        return _zstandard(behind, name), "Zstandard"
    return source, ""


def _is_skipped(head: bytes) -> bool:
    return head[1:4] == _SKIPPED and head[0] >> 4 == 5


def _skip_frames(source: io.BufferedReader, name: str) -> bytes:
    """Pass over the skippable frames at the beginning of a file, such as pzstd's.

    Returns the four bytes after them.
    """
    while True:
        head = source.read(4)
        if not _is_skipped(head):
            return head
        left = int.from_bytes(source.read(4), "little")
        while left:
            size = len(source.read(min(left, _READ)))
            if not size:
                raise CaptureError(f"{name}: ends in a frame to be skipped, {left} bytes early", 0)
            left -= size


def _bzip2() -> Any:
    return bz2.BZ2Decompressor()


def _xz() -> Any:
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MAX_WINDOW)


def _zstd() -> Any:
    from compression import zstd

    option = {zstd.DecompressionParameter.window_log_max: MAX_WINDOW.bit_length() - 1}
    return zstd.ZstdDecompressor(options=option)


def _zstandard(source: ByteSource, name: str) -> ByteSource:
    """Unpack Zstandard with the standard library (Python 3.14) or the package zstandard."""
    if sys.version_info >= (3, 14):
        return _Unpacker(source, _zstd)
    try:
        import zstandard
    except ImportError:
        raise CaptureError(
            f"{name}: is packed with Zstandard, which needs the package zstandard (pip install "
            f"'pingpong[containers]'); or unpack it first: zstd -d FILE",
            0,
        ) from None
    package: Any = zstandard
    return _Unpacker(source, lambda: _OfPackage(package), _LITTLE)


class _OfPackage:
    """The package zstandard, behaving as the standard library's decompressors do."""

    def __init__(self, package: Any) -> None:
        self._one = package.ZstdDecompressor(max_window_size=MAX_WINDOW).decompressobj()

    @property
    def eof(self) -> bool:
        return bool(self._one.eof)

    @property
    def needs_input(self) -> bool:
        return True

    @property
    def unused_data(self) -> bytes:
        return bytes(self._one.unused_data)

    def decompress(self, data: bytes, size: int) -> bytes:
        return bytes(self._one.decompress(data))


class _Unpacker:
    """Unpacks one stream, or several in a row with zeros between them.

    It uses a decompressor of the standard library.  ``piece`` is how much is handed to it at a
    time.
    """

    def __init__(self, source: ByteSource, make: Any, piece: int = _PIECE) -> None:
        self._source = source
        self._make = make
        self._piece = piece
        self._one = make()
        self._buffer = b""
        self._at = 0
        self._took = self._gave = 0

    def read1(self, size: int = -1, /) -> bytes:
        while True:
            if self._one.eof:
                self._at -= len(self._one.unused_data)
                if not self._goes_on():
                    return b""
                self._one = self._make()
            data = b""
            if self._one.needs_input:
                if not self._is_there():
                    raise EOFError("it ends before its end")
                data = self._buffer[self._at : self._at + self._piece]
                self._at += len(data)
            try:
                out: bytes = self._one.decompress(data, size)
            except Exception as error:  # each module has an error of its own, bzip2 OSError
                raise Broken(_words(error)) from error
            if out:
                self._gave += len(out)
                if self._gave > FREE + RATIO * self._took:
                    raise Broken(
                        f"{self._took} bytes hold over {self._gave}, which no packets do: {_UNPACK}"
                    )
                return out

    def _is_there(self) -> bool:
        """Get more packed bytes; return whether there are any."""
        if self._at >= len(self._buffer):
            self._buffer = self._source.read1(_READ)
            self._at = 0
            self._took += len(self._buffer)
        return bool(self._buffer)

    def _goes_on(self) -> bool:
        """Pass over zeros after a stream; return whether another one begins."""
        while self._is_there():
            if self._buffer[self._at]:
                return True
            self._at = len(self._buffer) - len(self._buffer[self._at :].lstrip(b"\0"))
        return False


def _words(error: Exception) -> str:
    """Return what one of their errors says; if it is about memory, also what to do."""
    text = str(error)
    if "memory" in text.lower() or "window" in text.lower():
        text += f"; at most {MAX_WINDOW >> 20} MiB of it are kept in memory: {_UNPACK}"
    return text


# ── LZ4 ──────────────────────────────────────────────────────────────────────────────

# lz4_Frame_format.md: the size of the largest block, by the number in the frame descriptor.
_SIZES: Final = {4: 64 << 10, 5: 256 << 10, 6: 1 << 20, 7: 4 << 20}
_LEGACY_SIZE: Final = 8 << 20
_WINDOW: Final = 64 << 10


class Lz4:
    """Unpacks LZ4 frames, as lz4_Frame_format.md describes them.

    A frame is a run of blocks, and a block may refer back 64 KiB into the blocks before it.
    Checksums are not verified.
    """

    def __init__(self, source: ByteSource) -> None:
        self._source = source
        self._buffer = b""
        self._at = 0
        self._window = b""
        self._size = 0  # of the largest block; 0: a frame's head comes next
        self._is_legacy = False
        self._has_sums = False
        self._has_sum = False
        self._is_linked = False

    def read1(self, size: int = -1, /) -> bytes:
        """The next block, unpacked, whatever ``size`` says; b"" at the end.

        Raises Broken for data that no LZ4 frame holds, EOFError if a frame has no end.
        """
        while True:
            if not self._size and not self._begin():
                return b""
            out = self._block()
            if out:
                return out

    def _take(self, size: int) -> bytes:
        have = len(self._buffer) - self._at
        if have < size:
            pieces = [self._buffer[self._at :]]
            while have < size:
                more = self._source.read1(_READ)
                if not more:
                    raise EOFError("it ends before its end")
                pieces.append(more)
                have += len(more)
            self._buffer = b"".join(pieces)
            self._at = 0
        out = self._buffer[self._at : self._at + size]
        self._at += size
        return out

    def _is_over(self) -> bool:
        if self._at >= len(self._buffer):
            self._buffer = self._source.read1(_READ)
            self._at = 0
        return not self._buffer

    def _begin(self) -> bool:
        """Read a frame's head; False if there is no more."""
        while True:
            if self._is_over():
                return False
            magic = self._take(4)
            if _is_skipped(magic):
                left = int.from_bytes(self._take(4), "little")
                while left:
                    left -= len(self._take(min(left, _READ)))
                continue
            break
        self._window = b""
        self._is_legacy = magic == _LZ4_LEGACY
        if self._is_legacy:
            self._size, self._is_linked, self._has_sums = _LEGACY_SIZE, False, False
            return True
        if magic != _LZ4:
            raise Broken(f"a frame begins with {magic.hex(' ')}")
        flags, sizes = self._take(2)
        if flags >> 6 != 1 or sizes >> 4 & 7 not in _SIZES:
            raise Broken(f"its descriptor is {flags:02x} {sizes:02x}")
        if flags & 1:
            raise Broken("it needs a dictionary")
        self._take((8 if flags & 8 else 0) + 1)
        self._is_linked = not flags & 0x20
        self._has_sums = flags & 0x10 != 0
        self._has_sum = flags & 0x04 != 0
        self._size = _SIZES[sizes >> 4 & 7]
        return True

    def _block(self) -> bytes:
        if self._is_legacy:
            if self._is_over():
                self._size = 0
                return b""
            head = self._take(4)
            if head == _LZ4_LEGACY:
                return b""
            length = int.from_bytes(head, "little")
            if length > _LEGACY_SIZE + (_LEGACY_SIZE >> 7):
                self._size = 0  # the next frame's magic
                self._at -= len(head)
                return b""
            return unpack_block(self._take(length), b"", self._size)
        length = int.from_bytes(self._take(4), "little")
        if not length:
            self._size = 0
            if self._has_sum:
                self._take(4)
            return b""
        is_plain = length >> 31
        length &= 0x7FFFFFFF
        if length > self._size:
            raise Broken(f"a block has {length} bytes, want at most {self._size}")
        data = self._take(length)
        if self._has_sums:
            self._take(4)
        out = data if is_plain else unpack_block(data, self._window, self._size)
        if self._is_linked:
            self._window = (self._window + out)[-_WINDOW:]
        return out


def unpack_block(data: bytes, before: bytes, most: int) -> bytes:
    """Unpack one LZ4 block (lz4_Block_format.md): literals, then a copy of earlier output; repeat.

    ``before`` is the output that the block may refer back to; ``most`` is how many bytes it may
    unpack to.  Raises Broken if it refers to what is not there, or becomes larger.
    """
    out = bytearray(before)
    most += len(before)
    at, stop = 0, len(data)
    while at < stop:
        token = data[at]
        at += 1
        count = token >> 4
        if count == 15:
            while at < stop:
                more = data[at]
                at += 1
                count += more
                if more != 255:
                    break
        if at + count > stop or len(out) + count > most:
            raise Broken("a block's literals end behind it")
        out += data[at : at + count]
        at += count
        if at == stop:
            break
        if at + 2 > stop:
            raise Broken("a block ends in the midst of it")
        back = data[at] | data[at + 1] << 8
        at += 2
        count = token & 15
        if count == 15:
            while at < stop:
                more = data[at]
                at += 1
                count += more
                if more != 255:
                    break
        count += 4
        if not 0 < back <= len(out) or len(out) + count > most:
            raise Broken("a block repeats what is not there")
        start = len(out) - back
        if back >= count:
            out += out[start : start + count]
        else:
            piece = bytes(out[start:])
            out += (piece * (count // back + 1))[:count]
    return bytes(out[len(before) :])


# ── Files that are not captures ──────────────────────────────────────────────────────

_EDITCAP: Final = "Wireshark's editcap makes a pcap of it: editcap -F pcap FILE OUT.pcap"

# The first bytes of a file, what it is, and what to do with it.
_MAGICS: Final[tuple[tuple[bytes, str, str], ...]] = (
    (_GZIP, "packed with gzip once more", _UNPACK),
    (_BZIP2, "packed with bzip2 once more", _UNPACK),
    (_XZ, "packed with xz once more", _UNPACK),
    (_ZSTD, "packed with Zstandard once more", _UNPACK),
    (_LZ4, "packed with LZ4 once more", _UNPACK),
    (b"PK\x03\x04", "a zip file", f"{_UNPACK}: unzip FILE"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z file", f"{_UNPACK}: 7z x FILE"),
    (b"Rar!", "a rar file", _UNPACK),
    (b"\x1f\x9d", "packed with compress", f"{_UNPACK}: uncompress FILE"),
    (b"RTSS", "a capture of Microsoft's Network Monitor 1", _EDITCAP),
    (b"iptrace 1.0", "a capture of AIX's iptrace", _EDITCAP),
    (b"iptrace 2.0", "a capture of AIX's iptrace", _EDITCAP),
    (b"XCP\0", "a capture of NetXRay or Sniffer", _EDITCAP),
    (b"TRSNIFF data    \x1a", "a capture of Sniffer", _EDITCAP),
    (b"\x54\x52\x00\x64\x00", "a capture of HP-UX's nettl", _EDITCAP),
    (b"\x7fver", "a capture of OmniPeek or EtherPeek", _EDITCAP),
    (b"\x00\x00\x02\x00\x12\x05\x10\x07", "a capture of a K12 or K15", _EDITCAP),
    (b"\xaa\xaa\xaa\xaa", "a capture of 5View", _EDITCAP),
    (b"5VNF", "a capture of Visual Networks", _EDITCAP),
    (b"\xce\xfa\xed\xfe", "a program of macOS", "give a capture"),
    (b"\x1c\x00\x01\xac", "a capture of an Ixia", _EDITCAP),
    (b"\x1c\x00\x01\xab", "a capture of an Ixia", _EDITCAP),
    (b"btsnoop\0", "a capture of Bluetooth", "there is no TCP in it"),
    (b"LPKSHHRH", "a journal of systemd", "give a capture"),
    (
        b"+---------+---------------+----------+",
        "a K12 text file, packets as hex",
        "Wireshark's editcap makes a pcap of it: editcap -F pcap FILE OUT.pcap",
    ),
    (b"<?xml", "XML, perhaps Wireshark's PDML", "give the capture that it was made from"),
    (b"\x7fELF", "a program", "give a capture"),
    (b"PAR1", "a Parquet file", "give a capture; calls --arrow writes such files"),
    (b"SQLite format 3", "a SQLite database", "give a capture"),
)


def what_it_is(head: bytes, name: str) -> str:
    """A sentence that says what a file is that is not a capture we read, and what to do.

    ``head`` is the beginning of the file, 512 bytes if there are so many.  "" means that nothing
    is known about it.
    """
    for magic, what, to_do in _MAGICS:
        if head.startswith(magic):
            return f"this is {what}: {to_do}"
    if head[257:262] == b"ustar":
        return f"this is a tar file: {_UNPACK}: tar xf FILE"
    if name.lower().endswith(".etl"):
        return (
            "this is Windows' trace log: Microsoft's etl2pcapng makes a pcapng of it, or pktmon "
            "etl2pcap"
        )
    if name.lower().endswith(".erf"):
        return f"this is a capture of an Endace card: {_EDITCAP}"
    return _what_text(head)


def _what_text(head: bytes) -> str:
    """Return what ``what_it_is`` says about a text file."""
    if not head or any(byte > 126 or (byte < 32 and byte not in b"\t\r\n") for byte in head[:64]):
        return ""
    text = head[:512].decode("ascii", "replace").lstrip()
    packed = "".join(text.split())
    if packed.startswith('{"log":'):
        return (
            "this is a HAR file, what a browser says of its requests: it has no packets. Capture "
            "with tcpdump"
        )
    if packed.startswith(('[{"_index"', '{"timestamp"', "{", "[")):
        return "this is JSON, no packets: give the capture that it was made from (tshark -w)"
    first = text.split(None, 1)[0] if text else ""
    if 4 <= len(first) <= 9 and not first.rstrip(":").strip("0"):
        return (
            "this is a hex dump: text2pcap FILE OUT.pcap makes a pcap of it; of a message's bytes "
            "alone, pingpong explain - < FILE"
        )
    if first.count(":") == 2 and "." in first and " IP" in text:
        return "this is what tcpdump prints: write packets instead, with tcpdump -w FILE"
    return ""
