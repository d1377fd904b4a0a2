"""One interface to record a conversation, and three ways to do it.

    way        what it sees                      what it needs
    private    real packets, a private loopback  Linux; a server in a PrivateNetwork
    sniff      real packets, a real interface    the right to capture; scapy opens it
    tap        the bytes at the socket           nothing; its packet headers are made up

``recording`` takes the first one that works here, says which it is, and keeps the reason why
each better one did not work.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Final, Protocol

from pingpong.calls.ledger import Exchanges
from pingpong.capture import Capture, Idl, Keys, interface_of, keys_of, read_packets
from pingpong.errors import CaptureError, LiveError, NotAllowed
from pingpong.live.private import PrivateNetwork
from pingpong.live.serving import Client, connect, resolve
from pingpong.live.sniffing import Relief, sniff_interface, sniff_network
from pingpong.live.streams import pieces_of
from pingpong.live.tap import Tap, Watcher
from pingpong.live.tls_records import TlsRecord, read_records
from pingpong.model import Definitions, Endpoint, Messages, Packet
from pingpong.tls import KeyLog
from pingpong.wire.capturefile import open_capture, write_capture

__all__ = ["WAYS", "Recorded", "Recording", "recording", "use_layers"]

# Best first.
WAYS: Final = ("private", "sniff", "tap")

HOW: Final = {
    "private": "Recorded in a private network: real packets of its loopback, where nobody "
    "else is. No rights were needed.",
    "sniff": "Recorded by scapy on a real interface: real packets, of this server only.",
    "tap": "Recorded at the socket: the bytes, their order and their times are true, the "
    "packet headers around them are made up.",
}


_layers: list[Callable[[], None]] = []


def use_layers(load: Callable[[], None]) -> None:
    """Register what teaches scapy more layers; it is called before packets are dissected.

    A door calls this once, because this room may not import a door.
    """
    _layers[:] = [load]


class Recorder(Protocol):
    """What every way of recording has to offer; Sniffer and Tap do."""

    @property
    def packets(self) -> list[Packet]:
        """All packets recorded so far."""

    @property
    def dropped(self) -> int:
        """How many packets the kernel had no room for."""

    def stop(self) -> None:
        """Record no more.  ``packets`` still works."""


class Recorded(Protocol):
    """What a server needs so that it can be recorded: thriftpy2's and others have it.

    Its connections, or those of its clients, tell ``watchers`` what passes.
    """

    watchers: list[Watcher]

    @property
    def address(self) -> Endpoint:
        """Where the server listens."""

    @property
    def network(self) -> PrivateNetwork | None:
        """The private network that it is in; None if it is on this machine's own network."""


class Recording:
    """What passes to and from one server, until ``stop()``.

    ``way`` is "private", "sniff" or "tap"; ``how`` says in words what that means, and ``refused``
    why each better way did not work.  It holds everything that was sent before you ask for it,
    even while it is still running.  With a tap, clients that are made elsewhere tell ``watchers``
    what passes.  It prints and displays itself as its Capture does.
    """

    def __init__(
        self, server: Recorded | None, address: Endpoint, way: str, refused: dict[str, str]
    ) -> None:
        self.server = server
        self.address = address
        self.way = way
        self.how = HOW[way]
        self.refused = refused
        # The server's connections, or the clients made here, tell these what they send.
        self.watchers: list[Watcher] = [] if server is None else server.watchers
        self._watcher: Watcher | None = None
        self._recorder: Recorder = Tap()
        self._stopped = False
        self._capture: Capture | None = None
        self._interface: Definitions | None = None
        self._keys: KeyLog | None = None
        self._packets_read = 0

    @property
    def is_running(self) -> bool:
        """True until ``stop()``."""
        return not self._stopped

    @property
    def raw(self) -> list[Packet]:
        """The packets, not dissected, in the order in which they were sent."""
        return self._recorder.packets

    @property
    def dropped(self) -> int:
        """How many packets the kernel had no room for.  Unless it is 0, there are gaps."""
        return self._recorder.dropped

    @property
    def capture(self) -> Capture:
        """The packets as read by the pipeline: flows, messages, exchanges."""
        packets = self.raw
        if self._capture is None or self._packets_read != len(packets):
            self._capture = read_packets(packets, name="live", idl=self._interface, keys=self._keys)
            self._packets_read = len(packets)
        return self._capture

    def use_idl(self, idl: Idl | None) -> Recording:
        """Name fields as this IDL does, and compare the messages with it, as a Capture does.

        ``idl`` may also be the thriftpy2 module that the server was made from.
        """
        self._interface = interface_of(idl)
        self._capture = None
        return self

    def use_keys(self, keys: Keys | None) -> Recording:
        """Open TLS with a key log, as ``read`` does; None leaves it closed.

        Secrets that are written to the file later are found, too.  Raises KeyLogError.
        """
        self._keys = keys_of(keys)
        self._capture = None
        return self

    @property
    def messages(self) -> Messages:
        """The messages recorded so far, as in ``capture``."""
        return self.capture.messages

    @property
    def exchanges(self) -> Exchanges:
        """The exchanges so far, as in ``capture``: calls with what became of them."""
        return self.capture.exchanges

    @property
    def sent(self) -> bytes:
        """All that clients sent to the server, in order; bytes that were lost are left out."""
        return self._bytes_of(client=True)

    @property
    def received(self) -> bytes:
        """All that the server sent to clients, likewise."""
        return self._bytes_of(client=False)

    def _bytes_of(self, *, client: bool) -> bytes:
        port, data = self.address.port, []
        for said in pieces_of(self.raw):
            # Of a connection that is older than the recording, who speaks first is taken for the
            # client.  But here it is known which end the server is.
            swapped = said.flow.client.port == port != said.flow.server.port
            if (said.from_client != swapped) == client:
                data.append(said.data)
        return b"".join(data)

    def tls_records(self, key_log: str | os.PathLike[str] | None = None) -> list[TlsRecord]:
        """Its TLS records, opened with ``key_log`` as far as that goes: see ``read_records``."""
        return read_records(self.raw, key_log)

    @property
    def packets(self) -> Any:
        """The same packets as a scapy PacketList, dissected now.

        They go down to Thrift's fields if scapy knows the Thrift layer: ``lab`` sees to that, and
        other programs import pingpong.layers.thrift.
        """
        from scapy.config import conf
        from scapy.layers import inet, inet6, l2  # noqa: F401  # scapy learns the layers
        from scapy.plist import PacketList
        from scapy.utils import EDecimal

        for load in _layers:
            load()
        dissected = []
        for packet in self.raw:
            made = conf.l2types[packet.link](packet.data)
            made.time = EDecimal(packet.time) / 1_000_000_000
            made.wirelen = packet.length
            dissected.append(made)
        return PacketList(dissected, name="Recording")

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a pcap file.

        An existing capture is replaced, because a cell that is run again writes its file again.
        Raises CaptureError; the existing file is then unchanged.
        """
        if os.path.isfile(path) and os.path.getsize(path):
            try:
                open_capture(path).close()
            except CaptureError as error:
                raise CaptureError(f"not replaced: {error}") from None
        write_capture(path, self.raw)

    def client(
        self,
        service: Any,
        *,
        protocol: Any = None,
        transport: Any = None,
        timeout_ms: int | None = None,
    ) -> Client:
        """A client of the recorded server whose bytes this recording sees.

        This is how to record with a tap when the server is another process.
        """
        return connect(
            service,
            self.address,
            protocol=protocol,
            transport=transport,
            timeout_ms=timeout_ms,
            network=None if self.server is None else self.server.network,
            # Our own server tells them already.
            watchers=self.watchers if self.server is None else None,
        )

    def stop(self) -> None:
        """Stop recording; what was recorded stays.  Calling it again does nothing."""
        if self._stopped:
            return
        self._stopped = True
        if self._watcher is not None:
            self.watchers.remove(self._watcher)
        self._recorder.stop()

    def __enter__(self) -> Recording:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<Recording of {self.address}, {'stopped' if self._stopped else 'running'}>"

    def __str__(self) -> str:
        return str(self.capture)

    def _repr_html_(self) -> str:
        return self.capture._repr_html_()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return self.capture._repr_mimebundle_(include, exclude)

    def _start(self, host: str | None, interface: str | None) -> None:
        """Start; ``host`` None means any.  Raises LiveError if this way does not work."""
        network = None if self.server is None else self.server.network
        if self.way == "private":
            if network is None:
                raise LiveError(
                    "the server is not in a private network",
                    "Start it there: serving(..., network=PrivateNetwork())",
                )
            sniffer = sniff_network(network, host, self.address.port)
            self._recorder, self._watcher = sniffer, Relief(sniffer)
        elif self.way == "sniff":
            if network is not None:
                raise LiveError(
                    "the server is in a private network, which no interface here sees",
                    'Record it with way="private"',
                )
            self._recorder = sniff_interface(interface, host, self.address.port)
        else:
            self._recorder = self._watcher = Tap()
        if self._watcher is not None:
            self.watchers.append(self._watcher)


def recording(
    server: Recorded | None = None,
    *,
    host: str | None = None,
    port: int | None = None,
    interface: str | None = None,
    way: str | None = None,
) -> Recording:
    """Record what passes to and from a server from now on.

    The server is one of ours, or whatever is at ``port`` and ``host`` (None: any host).  ``way``
    asks for one particular way; None takes the best that works.  ``interface`` asks for sniffing
    on that interface.

    Raises NotAllowed, with every reason, if no way works; LiveError for an interface that does
    not exist.
    """
    if way is not None and way not in WAYS:
        raise ValueError(f'way is "{way}", want one of {", ".join(WAYS)}')
    if interface is not None:
        if way not in (None, "sniff"):
            raise ValueError(f'way "{way}" has no interface; only "sniff" has')
        way = "sniff"
    if server is not None:
        address, host = server.address, server.address.host
    elif port is not None:
        _, found = resolve("127.0.0.1" if host is None else host, port)
        address = Endpoint(*found[:2])
        host = None if host is None else address.host
    else:
        raise TypeError("recording needs a server, or a port and perhaps a host")
    refused: dict[str, str] = {}
    for one in WAYS if way is None else (way,):
        made = Recording(server, address, one, refused)
        try:
            made._start(host, interface)
            return made
        except LiveError as error:
            if way is not None:
                raise
            refused[one] = str(error)
    reasons = " ".join(f"{one}: {reason}" for one, reason in refused.items())
    raise NotAllowed(f"no way to record works here. {reasons}")
