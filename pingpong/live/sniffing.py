"""Packets as the kernel saw them, of one server and of nobody else.

    Ring         a private network's lo: the kernel writes into memory that we share
    ScapySocket  an interface of this machine: scapy opens the socket (rights needed)
        │ time, length, bytes
        ▼
    Sniffer      a thread that takes them out and keeps what is wanted, raw

On a loopback the kernel shows every packet twice, going out and coming in.  We take the first one:
it is recorded while the sender is still in ``send``, so a program that has sent something finds it
recorded.  To get everything that was sent so far, the Sniffer sends a marker datagram and reads
until that arrives: no sleeping, nothing lost.  Bytes are not dissected here.
"""

from __future__ import annotations

import ctypes
import ipaddress
import mmap
import os
import select
import socket
import struct
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final, NamedTuple, Protocol

from pingpong.errors import LiveError, NotAllowed
from pingpong.live.private import PrivateNetwork
from pingpong.live.tap import Ends
from pingpong.model import Packet
from pingpong.wire.link import LINK_NAMES, TCP, Peeler

__all__ = [
    "PacketSource",
    "Ring",
    "ScapySocket",
    "Sniffer",
    "Wanted",
    "interface_source",
    "interface_to",
    "sniff_interface",
    "sniff_network",
]

# linux/if_packet.h
SOL_PACKET: Final = 263
PACKET_RX_RING, PACKET_STATISTICS, PACKET_VERSION = 5, 6, 10
TPACKET_V3: Final = 2
TP_STATUS_KERNEL, TP_STATUS_USER = 0, 1
ETH_P_ALL: Final = 3
# asm-generic/socket.h
SO_ATTACH_FILTER, SO_RCVBUFFORCE = 26, 33

# tcpdump.org/linktypes.html
ETHERNET: Final = 1

# No packet is larger, not even one that the kernel cuts only later (GSO).
SNAPLEN: Final = 0x40000
SOCKET_BUFFER: Final = 64 * 1024 * 1024
# A marker that does not arrive is sent again: a full ring may have dropped it.
MARKER_SECONDS, MARKER_TRIES = 1.0, 5


class Captured(NamedTuple):
    """A packet: when, in ns since 1970; its length on the wire; the bytes that were kept."""

    time: int
    length: int
    data: bytes


class PacketSource(Protocol):
    """Where packets come from.  ``read`` yields what is there and does not wait for more."""

    link: int

    def fileno(self) -> int:
        """A descriptor that ``select`` finds readable when packets are there."""

    def read(self) -> Iterator[Captured]:
        """The packets that are there now.  Raises OSError when no more can come."""

    def drops(self) -> int:
        """How many packets the kernel had no room for since this was last called."""

    def close(self) -> None:
        """Let go of the socket; nothing may be read afterwards."""


class Ring:
    """A packet socket whose packets the kernel writes into shared memory (TPACKET_V3).

    Without rights a socket's own buffer is small: it holds three packets of a large reply.  The
    kernel hands over a block when it is full or RETIRE_MS milliseconds old.

        block   ┌ version, offset ┬ status ┬ packets ┬ first ┬ … ┐
        packet  ┌ next ┬ sec ┬ nsec ┬ kept ┬ length ┬ status ┬ mac ┬ … ┐ … bytes at mac
    """

    # 80 000 small packets take 16 MB: a burst of them fits, however late the thread gets to it.
    BLOCK_SIZE, BLOCKS, RETIRE_MS = 1 << 20, 32, 4
    BLOCK_HEAD = struct.Struct("=8xIII")
    PACKET_HEAD = struct.Struct("=IIIIIIH")
    link = ETHERNET  # what a Linux loopback calls itself

    def __init__(self, sock: socket.socket, interface: str) -> None:
        self._sock = sock
        _only_outgoing(sock)
        sock.setsockopt(SOL_PACKET, PACKET_VERSION, TPACKET_V3)
        frame = 2048  # means nothing in version 3, but has to fit
        shape = (self.BLOCK_SIZE, self.BLOCKS, frame, self.BLOCK_SIZE // frame * self.BLOCKS)
        request = struct.pack("7I", *shape, self.RETIRE_MS, 0, 0)
        sock.setsockopt(SOL_PACKET, PACKET_RX_RING, request)
        self._memory = mmap.mmap(sock.fileno(), self.BLOCK_SIZE * self.BLOCKS)
        self._next_block = 0
        # Bound last: nothing arrives before the filter and the ring are in place.
        sock.bind((interface, ETH_P_ALL))

    def fileno(self) -> int:
        """The packet socket's descriptor."""
        return self._sock.fileno()

    def read(self) -> Iterator[Captured]:
        """The packets of all blocks that the kernel has handed over, which it then gets back."""
        while True:
            start = self._next_block * self.BLOCK_SIZE
            status, count, first = self.BLOCK_HEAD.unpack_from(self._memory, start)
            if not status & TP_STATUS_USER:
                return
            at = start + first
            for _ in range(count):
                step, sec, nsec, kept, length, _, mac = self.PACKET_HEAD.unpack_from(
                    self._memory, at
                )
                data = self._memory[at + mac : at + mac + kept]
                yield Captured(sec * 1_000_000_000 + nsec, length, data)
                at += step
            struct.pack_into("=I", self._memory, start + 8, TP_STATUS_KERNEL)
            self._next_block = (self._next_block + 1) % self.BLOCKS

    def drops(self) -> int:
        """Packets for which the ring had no room, since this was last called."""
        return _drops(self._sock, 12)

    def close(self) -> None:
        """Unmap the ring and close the socket."""
        self._memory.close()
        self._sock.close()


class ScapySocket:
    """An interface of this machine, through the socket that scapy opens on it.

    Raises NotAllowed without the right to capture; LiveError for an interface that does not
    exist.  Its times are scapy's: floats, exact to a quarter of a microsecond.
    """

    def __init__(self, interface: str) -> None:
        from scapy.config import conf
        from scapy.error import Scapy_Exception
        from scapy.layers import inet, inet6, l2  # noqa: F401  # they tell scapy the link types

        try:
            self._scapy: Any = conf.L2listen(iface=interface, promisc=False)
        except PermissionError:
            raise NotAllowed(f"no right to capture on {interface}", _HOW_TO_CAPTURE) from None
        except (OSError, Scapy_Exception, ValueError) as error:
            raise LiveError(
                f"cannot capture on {interface}: {error}", "Is there such an interface?"
            ) from None
        layer: Any = getattr(self._scapy, "LL", None)
        self.link: int = conf.l2types.layer2num.get(layer, -1)
        if self.link not in LINK_NAMES:
            self._scapy.close()
            raise LiveError(f"{interface} is of a kind whose packets cannot be read here")
        self._packet_socket = self._scapy.ins if sys.platform.startswith("linux") else None
        if self._packet_socket is not None:
            if interface == conf.loopback_name:
                _only_outgoing(self._packet_socket)
            self._enlarge(self._packet_socket)

    def fileno(self) -> int:
        """The descriptor of scapy's socket."""
        number: int = self._scapy.fileno()
        return number

    def read(self) -> Iterator[Captured]:
        """The packets that are there now; one without a time is given the present one."""
        while self._scapy.select([self._scapy], 0):
            _, data, seconds = self._scapy.recv_raw(SNAPLEN)
            if data is not None:
                when = time.time_ns() if seconds is None else int(seconds * 1_000_000_000)
                yield Captured(when, len(data), data)

    def drops(self) -> int:
        """Packets dropped since this was last called; always 0 if the system does not tell."""
        return 0 if self._packet_socket is None else _drops(self._packet_socket, 8)

    def close(self) -> None:
        """Close scapy's socket."""
        self._scapy.close()

    @staticmethod
    def _enlarge(sock: socket.socket) -> None:
        try:
            sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, SOCKET_BUFFER)
        except OSError:  # CAP_NET_RAW without CAP_NET_ADMIN: as much as anybody gets
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SOCKET_BUFFER)


class Wanted:
    """Tells whether a packet is TCP to or from a port, of one host or of any."""

    def __init__(self, host: str | None, port: int) -> None:
        address = b"" if host is None else ipaddress.ip_address(host).packed
        self._end = address + port.to_bytes(2, "big")
        self._peeler = Peeler()

    def __call__(self, packet: Packet) -> bool:
        """Whether it is; a packet that cannot be read as TCP is not."""
        segment = self._peeler.segment(packet)
        if segment is None or segment.protocol != TCP:
            return False
        return segment.source.endswith(self._end) or segment.target.endswith(self._end)


class Marker:
    """A datagram to oneself, which shows how far the capture has come."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        sock.bind(("127.0.0.1", 0))
        sock.connect(sock.getsockname())
        sock.setblocking(False)
        self._content = b""

    def send(self) -> None:
        """Send a new marker, with random content.  Raises OSError."""
        self._content = os.urandom(16)
        with suppress(BlockingIOError):
            self._sock.recv(64)  # the previous one
        self._sock.send(self._content)

    def is_in(self, data: bytes) -> bool:
        """Whether a packet with these bytes is the marker that was sent last."""
        return bool(self._content) and data.endswith(self._content)

    def close(self) -> None:
        """Close the socket that it is sent from, and to."""
        self._sock.close()


class Sniffer:
    """Takes packets out of a source as they arrive, and keeps those that are wanted."""

    def __init__(self, source: PacketSource, wanted: Wanted, marker: Marker | None) -> None:
        self._source = source
        self._wanted = wanted
        self._marker = marker
        self._packets: list[Packet] = []
        self._dropped = 0
        self._lock = threading.Lock()
        self._stopped = False
        self._waker, self._alarm = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="pingpong sniffer", daemon=True)
        self._thread.start()

    @property
    def packets(self) -> list[Packet]:
        """Everything that was sent before this was asked for.  Raises LiveError."""
        with self._lock:
            if not self._stopped:
                self._read_to_the_end()
            return list(self._packets)

    @property
    def dropped(self) -> int:
        """How many packets the kernel had no room for.  It should be 0."""
        return self._dropped

    def stop(self) -> None:
        """Read to the end, end the thread, close the sockets.  Raises LiveError."""
        try:
            with self._lock:
                if self._stopped:
                    return
                self._read_to_the_end()
        finally:
            self._end()

    def _end(self) -> None:
        with self._lock:
            if self._stopped:
                return
            self._stopped = True
        self._alarm.send(b"!")
        self._thread.join()
        for each in (self._alarm, self._waker, self._source, self._marker):
            if each is not None:
                each.close()

    def _run(self) -> None:
        """Empty the source whenever there is something in it: the body of the thread."""
        while not self._stopped:
            select.select([self._source.fileno(), self._waker.fileno()], [], [])
            try:
                self.take()
            except OSError:
                return  # the next look, or the stop, meets the error again and reports it

    def take(self) -> None:
        """Take out what is there now.  Raises OSError."""
        with self._lock:
            if not self._stopped:
                self._take()

    def _take(self) -> bool:
        """Keep what is there, and say whether the marker was in it."""
        marked = False
        for when, length, data in self._source.read():
            number = len(self._packets) + 1
            packet = Packet(number, when, self._source.link, data, length)
            if self._wanted(packet):
                self._packets.append(packet)
            elif self._marker is not None and self._marker.is_in(data):
                marked = True
        self._dropped += self._source.drops()
        return marked

    def _read_to_the_end(self) -> None:
        try:
            self._read_to_the_marker()
        except OSError as error:
            raise LiveError(f"the capture broke off: {error.strerror or error}") from None

    def _read_to_the_marker(self) -> None:
        if self._marker is None:
            # A network card's packets are here before the program that waits for them has them; so
            # what is here now is all that anybody on this machine has seen.
            self._take()
            return
        for _ in range(MARKER_TRIES):
            self._marker.send()
            deadline = time.monotonic() + MARKER_SECONDS
            while not self._take():
                left = deadline - time.monotonic()
                if left <= 0:
                    break
                select.select([self._source.fileno()], [], [], left)
            else:
                return
        raise LiveError("the capture does not see the machine's own packets any more")


class Relief:
    """A Watcher that empties the source whenever somebody is about to speak.

    When many threads speak at once, the Sniffer's own thread may be kept waiting for longer than
    the ring has room.
    """

    def __init__(self, sniffer: Sniffer) -> None:
        self._sniffer = sniffer

    def opened(self, line: Ends) -> None:
        """Nothing to do: the handshake is three small packets."""

    def carried(self, line: Ends, from_client: bool, data: bytes) -> None:
        """Empty the source.  ``data`` is ignored: the source has it."""
        self._sniffer.take()

    def ended(self, line: Ends, from_client: bool, *, reset: bool = False) -> None:
        """Nothing to do: an end is a few small packets."""


def sniff_network(network: PrivateNetwork, host: str | None, port: int) -> Sniffer:
    """Record what a server in a private network receives and sends.  Raises LiveError."""
    sock = network.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    try:
        source = Ring(sock, "lo")
        marker = Marker(network.socket(socket.AF_INET, socket.SOCK_DGRAM))
    except OSError as error:
        sock.close()
        raise LiveError(f"cannot capture in the private network: {error}") from None
    return Sniffer(source, Wanted(host, port), marker)


def interface_source(interface: str | None) -> PacketSource:
    """The packets of an interface of this machine; None: of the loopback.

    Raises NotAllowed without the rights, LiveError for an interface that does not exist.
    """
    from scapy.config import conf

    return ScapySocket(str(conf.loopback_name) if interface is None else interface)


def interface_to(host: str | None) -> str:
    """The name of the interface on which ``host`` is reached; None: of the loopback."""
    from scapy.config import conf

    local = host is None or ipaddress.ip_address(host).is_loopback
    return str(conf.loopback_name if local else conf.iface)


def sniff_interface(interface: str | None, host: str | None, port: int) -> Sniffer:
    """Record on an interface of this machine; None: the one on which ``host`` is reached.

    Raises NotAllowed without the rights, LiveError for an interface that does not exist.
    """
    from scapy.config import conf

    interface = interface_to(host) if interface is None else interface
    source = interface_source(interface)
    marker = None
    try:
        wanted = Wanted(host, port)
        if interface == conf.loopback_name:
            marker = Marker(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    except BaseException:
        source.close()
        raise
    return Sniffer(source, wanted, marker)


_HOW_TO_CAPTURE: Final = {
    "linux": "Run it as root, or give Python the capability CAP_NET_RAW (sudo setcap "
    "cap_net_raw+ep on the real file of python3), or let tcpdump do it: "
    "sudo tcpdump -i lo -U -w - | pingpong watch -",
    "darwin": "Run it with sudo, or let WireShark's ChmodBPF give you the right",
}.get(sys.platform, "Run it with the right to capture (on Windows: install Npcap)")


def _only_outgoing(sock: socket.socket) -> None:
    """Let the kernel drop the second sight of each loopback packet, the one coming in."""
    program = b"".join(
        struct.pack("HBBI", *instruction)
        for instruction in (
            (0x20, 0, 0, 0xFFFFF004),  # load the packet's type (SKF_AD_OFF + SKF_AD_PKTTYPE)
            (0x15, 0, 1, socket.PACKET_OUTGOING if sys.platform == "linux" else 4),  # is it?
            (0x06, 0, 0, SNAPLEN),  # yes: keep it
            (0x06, 0, 0, 0),  # no
        )
    )
    memory = ctypes.create_string_buffer(program, len(program))
    pointer = struct.pack("HP", len(program) // 8, ctypes.addressof(memory))
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, pointer)


def _drops(sock: socket.socket, size: int) -> int:
    """Packets dropped since this was last asked; ``size`` is that of the kernel's struct."""
    _, drops = struct.unpack_from("II", sock.getsockopt(SOL_PACKET, PACKET_STATISTICS, size))
    return int(drops)
