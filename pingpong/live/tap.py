"""A tap: bytes recorded where a program reads and writes its socket.

    thriftpy2 ──▶ WatchedSocket ──▶ kernel
                      │ bytes, direction, time
                      ▼
                     Tap ──▶ Packets with made-up headers

It works everywhere and needs no rights.  The bytes, their order and their times are true.  The
Ethernet, IP and TCP headers are made up, so that the same pipeline reads them and the same tools
open the file: a handshake, data, an acknowledgement for each, the FINs.  Sequence numbers start
at 0.  Data is cut as the program wrote and read it, and at MAX_PAYLOAD; what TCP really did
(segments, retransmissions, windows) does not show.
"""

from __future__ import annotations

import ipaddress
import socket
import struct
import threading
import time
from array import array
from collections.abc import Sequence
from contextlib import suppress
from typing import Final, NamedTuple, NoReturn, Protocol

# thriftpy2 claims to be typed, but its sockets are not: hence no-untyped-call below.
from thriftpy2.transport import TSocket, TTransportException

from pingpong.model import Endpoint, Packet
from pingpong.wire.link import ACK, FIN, PSH, SYN

RST: Final = 0x04

__all__ = ["Ends", "Tap", "WatchedSocket", "Watcher"]

ETHERNET: Final = 1
# What a segment on Linux's loopback holds: its MTU of 65536, less headers and options.
MAX_PAYLOAD: Final = 65483


class Ends(NamedTuple):
    """The two ends of a connection."""

    client: Endpoint
    server: Endpoint


class Watcher(Protocol):
    """Is told what passes through a WatchedSocket, before it passes."""

    def opened(self, line: Ends) -> None:
        """A connection was made."""

    def carried(self, line: Ends, from_client: bool, data: bytes) -> None:
        """One end sends ``data`` to the other."""

    def ended(self, line: Ends, from_client: bool, *, reset: bool = False) -> None:
        """One end sends no more, or (``reset``) breaks the connection off.  Told once for each."""


class Tap:
    """A Watcher that turns what it is told into packets.  Any thread may use it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._packets: list[Packet] = []
        # The next sequence number of the client, and of the server.
        self._next: dict[Ends, list[int]] = {}
        self._stopped = False

    @property
    def packets(self) -> list[Packet]:
        """The packets made so far."""
        with self._lock:
            return list(self._packets)

    def opened(self, line: Ends) -> None:
        """Make a handshake of three packets."""
        with self._lock:
            self._next[line] = [0, 0]
            self._send(line, True, SYN)
            self._send(line, False, SYN | ACK)
            self._send(line, True, ACK)

    def carried(self, line: Ends, from_client: bool, data: bytes) -> None:
        """Make segments of at most MAX_PAYLOAD bytes, each with its acknowledgement."""
        with self._lock:
            for start in range(0, len(data), MAX_PAYLOAD):
                self._send(line, from_client, PSH | ACK, data[start : start + MAX_PAYLOAD])
                self._send(line, not from_client, ACK)

    def ended(self, line: Ends, from_client: bool, *, reset: bool = False) -> None:
        """Make a FIN and its acknowledgement, or a RST."""
        with self._lock:
            self._send(line, from_client, RST | ACK if reset else FIN | ACK)
            if not reset:
                self._send(line, not from_client, ACK)

    @property
    def dropped(self) -> int:
        """Always 0: a tap loses nothing."""
        return 0

    def stop(self) -> None:
        """Keep nothing from now on."""
        with self._lock:
            self._stopped = True

    def _send(self, line: Ends, from_client: bool, flags: int, payload: bytes = b"") -> None:
        if self._stopped:
            return
        # A connection that is older than the tap has no handshake to show.
        numbers = self._next.setdefault(line, [1, 1])
        mine, theirs = (0, 1) if from_client else (1, 0)
        source, target = line if from_client else (line.server, line.client)
        ack = numbers[theirs] if flags & ACK else 0
        data = _packet(source, target, numbers[mine], ack, flags, payload)
        numbers[mine] += len(payload) + (1 if flags & (SYN | FIN) else 0)
        number = len(self._packets) + 1
        self._packets.append(Packet(number, time.time_ns(), ETHERNET, data, len(data)))


class WatchedSocket(TSocket):
    """A thriftpy2 socket that tells its watchers what passes.

    ``watchers`` is the owner's own list: one added later sees what passes from then on.
    """

    def __init__(
        self, sock: socket.socket, watchers: Sequence[Watcher], *, from_client: bool
    ) -> None:
        super().__init__(sock=sock, socket_timeout=None)  # type: ignore[no-untyped-call]
        here, there = Endpoint(*sock.getsockname()[:2]), Endpoint(*sock.getpeername()[:2])
        self.line = Ends(here, there) if from_client else Ends(there, here)
        self._watchers = watchers
        self._from_client = from_client
        # The ends that are known to send no more: each is told once.
        self._ended: set[bool] = set()
        self._lock = threading.Lock()
        for watcher in tuple(watchers):
            watcher.opened(self.line)

    def read(self, size: int) -> bytes:
        """At most ``size`` bytes that the other end sent.  Raises as thriftpy2's TSocket does."""
        self._check_open()
        try:
            data: bytes = super().read(size)  # type: ignore[no-untyped-call]
        except TTransportException:
            self._tell_end(not self._from_client)
            raise
        except OSError as error:
            if isinstance(error, ConnectionResetError):
                self._tell_end(not self._from_client, reset=True)
            self._raise(error)
        self._tell(not self._from_client, data)
        return data

    def write(self, data: bytes) -> None:
        """Send ``data``, all of it.  Raises TTransportException, or OSError to a client."""
        self._check_open()
        if self._from_client in self._ended:  # hung up by another thread
            raise TTransportException(TTransportException.NOT_OPEN, "this connection is closed")
        # Told before it is sent, so that when the answer is there, the call is recorded.
        self._tell(self._from_client, data)
        try:
            super().write(data)  # type: ignore[no-untyped-call]
        except OSError as error:
            self._raise(error)

    def close(self) -> None:
        """Close it at once, without waiting for the other end."""
        if self.sock is not None:
            self._tell_end(self._from_client)
        self._let_go()

    def say_end(self) -> None:
        """Say that no more comes; what the other end still sends can be read."""
        sock = self.sock
        if sock is not None:
            self._tell_end(self._from_client)
            with suppress(OSError):
                sock.shutdown(socket.SHUT_WR)

    def finish(self, patience: float) -> None:
        """Say that no more comes, wait until the other end has said so too, and close.

        So the connection's last packets are not left to chance.  ``patience`` is how many seconds
        to wait for each thing that the other end still sends.
        """
        sock = self.sock
        if sock is None:
            return
        self.say_end()
        with suppress(OSError):
            sock.settimeout(patience)
            while sock.recv(65536):
                pass
            self._tell_end(not self._from_client)
        self._let_go()

    def _let_go(self) -> None:
        # A server that ends and the client's own thread may both do this at once.
        with self._lock:
            super().close()  # type: ignore[no-untyped-call]

    def hang_up(self) -> None:
        """End it from another thread: a thread that reads from it reads the end."""
        self._tell_end(self._from_client)
        with self._lock:
            # What is read from here on is our own doing, not the other end's.
            self._ended.add(not self._from_client)
        sock = self.sock
        if sock is not None:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def _raise(self, error: OSError) -> NoReturn:
        """Raise what thriftpy2 expects: to a client the socket's error, to a server the end."""
        if self._from_client:
            raise error
        raise TTransportException(TTransportException.UNKNOWN, str(error)) from error

    def _check_open(self) -> None:
        if self.sock is None:
            raise TTransportException(TTransportException.NOT_OPEN, "this connection is closed")

    def _tell(self, from_client: bool, data: bytes) -> None:
        for watcher in tuple(self._watchers):
            watcher.carried(self.line, from_client, data)

    def _tell_end(self, from_client: bool, *, reset: bool = False) -> None:
        with self._lock:
            if from_client in self._ended:
                return
            self._ended.add(from_client)
        for watcher in tuple(self._watchers):
            watcher.ended(self.line, from_client, reset=reset)


def _packet(
    source: Endpoint, target: Endpoint, seq: int, ack: int, flags: int, payload: bytes
) -> bytes:
    """Ethernet (all zeros, as on a loopback), IP and TCP headers around ``payload``."""
    here = ipaddress.ip_address(source.host.partition("%")[0])
    there = ipaddress.ip_address(target.host.partition("%")[0])
    tcp = struct.pack(
        "!HHIIBBHHH",
        source.port,
        target.port,
        seq & 0xFFFFFFFF,
        ack & 0xFFFFFFFF,
        5 << 4,  # the header's length in words of four bytes
        flags,
        65535,
        0,
        0,
    )
    length = len(tcp) + len(payload)
    ends = here.packed + there.packed
    # RFC 9293, 3.1: the checksum also covers the addresses, the protocol and the length.
    check = _checksum(ends + struct.pack("!II", 6, length) + tcp + payload)
    tcp = tcp[:16] + check + tcp[18:]
    if here.version == 6:
        ip = struct.pack("!IHBB", 6 << 28, length, 6, 64) + ends
        return bytes(12) + b"\x86\xdd" + ip + tcp + payload
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + length, 0, 0x4000, 64, 6, 0) + ends
    ip = ip[:10] + _checksum(ip) + ip[12:]
    return bytes(12) + b"\x08\x00" + ip + tcp + payload


def _checksum(data: bytes) -> bytes:
    """RFC 1071.  It sums in the machine's byte order, and the result is in that order too."""
    words = array("H", data + bytes(len(data) % 2))
    total = sum(words)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return struct.pack("=H", ~total & 0xFFFF)
