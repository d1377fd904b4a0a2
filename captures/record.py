"""Records the captures of this folder: ``python captures/record.py [FOLDER]``.

A real thriftpy2 server and its clients talk in a private network, and their packets become
pcap files.  Times differ from run to run; the messages are the same, byte for byte.

    ping_login*, long_login   the article's calls
    incident                  a shop with a problem: see shop.py

thriftpy2 has no THeader: there its protocol writes into Apache's transport (the package
``thrift``, which the tests need too).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import shop
import thriftpy2
from thrift.transport.THeaderTransport import THeaderTransport
from thrift.transport.TTransport import TTransportBase
from thriftpy2.protocol import TBinaryProtocolFactory
from thriftpy2.protocol.binary import TBinaryProtocolFactory as TPlainBinaryProtocolFactory
from thriftpy2.transport import TBufferedTransportFactory, TFramedTransportFactory

from pingpong.live.private import PrivateNetwork
from pingpong.live.recording import recording
from pingpong.live.serving import serving

HERE = Path(__file__).resolve().parent
PORT = 9000


class _Socket(TTransportBase):  # type: ignore[misc]  # thrift has no types
    """thriftpy2's socket, by the names that Apache's transports call."""

    def __init__(self, trans: Any) -> None:
        self.trans = trans
        self.isOpen = trans.is_open
        self.open = trans.open
        self.close = trans.close
        self.read = trans.read
        self.write = trans.write
        self.flush = trans.flush


class _Header(THeaderTransport):  # type: ignore[misc]  # the same
    def is_open(self) -> bool:
        return bool(self.isOpen())


class HeaderFactory:
    """Makes Apache's THeader, for thriftpy2's servers and clients."""

    def get_transport(self, trans: Any) -> Any:
        return _Header(_Socket(trans), allowed_client_types=[0])  # 0: HEADERS


def ping_login(client: Any) -> None:
    """The article's two calls."""
    client.ping()
    client.login("root", "pwd")


def long_login(client: Any) -> None:
    """A call that no packet of 1500 bytes can carry, and one behind it."""
    client.login("root " * 1000, "pwd")
    client.ping()


# File by file: the transport and the protocol that both ends use, the largest packet, what the
# client does.  thriftpy2's fast protocol takes no transport but its own.
BINARY, PLAIN = TBinaryProtocolFactory(), TPlainBinaryProtocolFactory()
BUFFERED, FRAMED = TBufferedTransportFactory(), TFramedTransportFactory()
CAPTURES: dict[str, tuple[Any, Any, int, Callable[[Any], None]]] = {
    "long_login.pcap": (BUFFERED, BINARY, 1500, long_login),
    "ping_login.pcap": (BUFFERED, BINARY, 65536, ping_login),
    "ping_login_framed.pcap": (FRAMED, BINARY, 65536, ping_login),
    "ping_login_theader.pcap": (HeaderFactory(), PLAIN, 65536, ping_login),
}


class Dispatcher:
    """The article's handler."""

    def ping(self) -> str:
        return "pong"

    def login(self, username: str, password: str) -> str:
        return "登录成功!"


def record(folder: Path) -> None:
    """Record every capture into ``folder``."""
    service = thriftpy2.load(str(HERE.parent / "foo.thrift"), module_name="foo_thrift").PingPong
    wires = {"incident.pcap": shop.record_incident(folder / "incident.pcap")}
    for name, (transport, protocol, mtu, calls) in CAPTURES.items():
        with (
            PrivateNetwork() as network,
            serving(
                service,
                Dispatcher(),
                port=PORT,
                protocol=protocol,
                transport=transport,
                network=network,
            ) as server,
            recording(server) as wire,
        ):
            network.set_mtu(mtu)
            with server.client() as client:
                calls(client)
            wire.save(folder / name)
            wires[name] = wire
    for name, wire in wires.items():
        print(f"{name}: {len(wire.raw)} packets, {len(wire.messages)} messages")


if __name__ == "__main__":
    record(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
