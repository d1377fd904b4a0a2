"""Records the captures of this folder: ``python captures/record.py [FOLDER]``.

A real thriftpy2 server and its clients talk in a private network, and their packets become
pcap files.  Times differ from run to run; the messages are the same, byte for byte.

    ping_login*, long_login   the article's calls
    login_thrift, login_grpc, login_http1, login_http2
                              ping once, and login a hundred times on one more connection
    incident                  a shop with a problem: see shop.py
    trouble                   every way in which a call can end: see trouble.py

What is behind gRPC and HTTP comes with the extras ``relatives`` and ``lab``; without them those two
are left out, and that is said.  ``login_dubbo``, ``login_motan``, ``login_rpcx`` and ``error_*``
are others' recordings: see README.md.

thriftpy2 has no THeader: there its protocol writes into Apache's transport (the package
``thrift``, which the tests need too).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import shop
import thriftpy2
from thrift.transport.THeaderTransport import THeaderTransport
from thrift.transport.TTransport import TTransportBase
from thriftpy2.protocol import TBinaryProtocolFactory
from thriftpy2.protocol.binary import TBinaryProtocolFactory as TPlainBinaryProtocolFactory
from thriftpy2.transport import TBufferedTransportFactory, TFramedTransportFactory
from trouble import record_trouble

from pingpong.errors import LiveError
from pingpong.live.grpc import serving_grpc
from pingpong.live.idl.services import load_services
from pingpong.live.private import PrivateNetwork
from pingpong.live.recording import Recording, recording
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


def logins(new_client: Callable[[], Any], call: Callable[..., Any]) -> None:
    """Ping once, and log in a hundred times over another connection."""
    with new_client() as client:
        call(client, "ping")
    with new_client() as client:
        for _ in range(100):
            call(client, "login", username="admin", password="123456")


def record_logins(folder: Path) -> dict[str, Recording]:
    """The same login behind Thrift, gRPC, HTTP/1.1 and HTTP/2, as far as they can be had here."""
    foo = thriftpy2.load(str(HERE.parent / "foo.thrift"), module_name="foo_thrift")
    ways: list[tuple[str, Callable[[PrivateNetwork], Any], Callable[..., Any], dict[str, Any]]] = [
        (
            "login_thrift.pcap",
            lambda network: serving(foo.PingPong, Dispatcher(), port=PORT, network=network),
            lambda client, method, **arguments: getattr(client, method)(*arguments.values()),
            {},
        ),
        ("login_grpc.pcap", _serve_grpc, _call, {}),
        ("login_http1.pcap", _serve_http, _call, {}),
        ("login_http2.pcap", _serve_http, _call, {"http2": True}),
    ]
    wires = {}
    for name, serve, call, how in ways:
        with PrivateNetwork() as network:
            try:
                server = serve(network)
            except (ImportError, LiveError) as error:
                print(f"{name}: not recorded: {error}")
                continue
            with server, recording(server) as wire:
                logins(partial(server.client, **how), call)
                wire.save(folder / name)
                wires[name] = wire
    return wires


def _call(client: Any, method: str, **arguments: str) -> None:
    client.call(method, **arguments)


def _serve_grpc(network: PrivateNetwork) -> Any:
    service = load_services(HERE.parent / "notebooks" / "idl" / "foo.proto").PingPong
    return serving_grpc(service, Dispatcher(), port=50051, network=network)


def _serve_http(network: PrivateNetwork) -> Any:
    from pingpong.live.http import serving_http

    return serving_http(Dispatcher(), port=8000, network=network)


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
    wires |= record_logins(folder)
    for name, wire in wires.items():
        print(f"{name}: {len(wire.raw)} packets, {len(wire.messages)} messages")
    kept = record_trouble(folder / "trouble.pcap")
    print(f"trouble.pcap: {len(kept.packets)} packets, {len(kept.messages)} messages")


if __name__ == "__main__":
    record(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
