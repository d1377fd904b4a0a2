"""Records the captures of this folder: ``python captures/record.py [FOLDER]``.

A real thriftpy2 server and its clients talk in a private network, and their packets become
pcap files.  Times differ from run to run; the messages are the same, byte for byte.

    ping_login*   the article's two calls
    incident      a shop where customers see the orders of others: lesson 13 finds out why

thriftpy2 has no THeader: there its protocol writes into Apache's transport (the package
``thrift``, which the tests need too).
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import thriftpy2
from thrift.transport.THeaderTransport import THeaderTransport
from thrift.transport.TTransport import TTransportBase
from thriftpy2.protocol import TBinaryProtocolFactory
from thriftpy2.protocol.binary import TBinaryProtocolFactory as TPlainBinaryProtocolFactory
from thriftpy2.thrift import TApplicationException
from thriftpy2.transport import (
    TBufferedTransportFactory,
    TFramedTransportFactory,
    TTransportException,
)

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


# File by file: the transport and the protocol that both ends use.  thriftpy2's fast protocol
# takes no transport but its own.
SPOKEN: dict[str, tuple[Any, Any]] = {
    "ping_login.pcap": (TBufferedTransportFactory, TBinaryProtocolFactory),
    "ping_login_framed.pcap": (TFramedTransportFactory, TBinaryProtocolFactory),
    "ping_login_theader.pcap": (HeaderFactory, TPlainBinaryProtocolFactory),
}


class Dispatcher:
    """The article's handler."""

    def ping(self) -> str:
        return "pong"

    def login(self, username: str, password: str) -> str:
        return "登录成功!"


foo: Any = thriftpy2.load(str(HERE.parent / "foo.thrift"), module_name="foo_thrift")
shop: Any = thriftpy2.load(str(HERE / "shop.thrift"), module_name="shop_thrift")


class Orders:
    """The shop's handler.  Order 7003 lies in a slow part of the store; 7005 is broken."""

    def __init__(self) -> None:
        tea = shop.Item(name="green tea", count=2, cents=450)
        pot = shop.Item(name="teapot", count=1, cents=3900)
        cup = shop.Item(name="cup", count=6, cents=700)
        self.found = threading.Event()
        self.orders = {
            order.id: order
            for order in (
                shop.Order(id=7001, customer="ann", items=[tea], state=shop.State.SENT),
                shop.Order(id=7002, customer="bob", items=[pot], state=shop.State.PAID),
                shop.Order(
                    id=7003,
                    customer="ann",
                    items=[tea, cup],
                    state=shop.State.OPEN,
                    note="Please ring twice.",
                ),
                shop.Order(id=7004, customer="bob", items=[cup], state=shop.State.OPEN),
            )
        }

    def get(self, id: int) -> Any:  # noqa: A002  # the IDL's word
        if id == 7003:
            self.found.wait(10)
        if id == 7005:
            raise OSError("the store's file is broken")
        if id not in self.orders:
            raise shop.NoSuchOrder(id=id)
        return self.orders[id]

    def of_customer(self, customer: str) -> list[int]:
        return [order.id for order in self.orders.values() if order.customer == customer]

    def seen(self, id: int) -> None:  # noqa: A002
        pass


def record_incident(path: Path) -> None:
    """Some minutes in the life of the shop, made in a second."""
    handler = Orders()
    with (
        PrivateNetwork() as network,
        serving(shop.Orders, handler, port=9090, network=network) as server,
        recording(server) as wire,
    ):
        with server.client() as ann, server.client() as bob:
            ann.of_customer("ann")
            ann.get(7001)
            ann.seen(7001)
            bob.of_customer("bob")
            bob.get(7002)
            # A load balancer asks over HTTP whether the shop is well.
            with server.connect() as probe:
                probe.sendall(b"GET /health HTTP/1.1\r\nHost: shop\r\n\r\n")
                probe.recv(100)
            expect(shop.NoSuchOrder, ann.get, 9999)
            # This one gives up, and goes on with the same connection.
            with server.client(timeout_ms=400) as hasty:
                expect(OSError, hasty.get, 7003)
                threading.Timer(0.1, handler.found.set).start()
                assert hasty.get(7002).id == 7003
                assert hasty.get(7004).id == 7002
                wait_for(wire, 17)  # the last reply is on its way, though nobody reads it
            with wire.client(foo.PingPong) as stranger:
                expect(TApplicationException, stranger.ping)
            with server.client() as unlucky:
                expect(TTransportException, unlucky.get, 7005)
            bob.get(7004)
        save(wire, path)


def expect(kind: type[BaseException], call: Callable[..., object], *arguments: object) -> None:
    """The call fails in this way, or the story is not the one that was meant."""
    try:
        call(*arguments)
    except kind:
        return
    raise AssertionError(f"no {kind.__name__}")


def wait_for(wire: Recording, messages: int) -> None:
    deadline = time.monotonic() + 10
    while len(wire.messages) < messages:
        assert time.monotonic() < deadline, f"{len(wire.messages)} messages, want {messages}"


def save(wire: Recording, path: Path) -> None:
    wire.save(path)
    print(f"{path.name}: {len(wire.raw)} packets, {len(wire.messages)} messages")


def record(folder: Path) -> None:
    """Record every capture into ``folder``."""
    record_incident(folder / "incident.pcap")
    for name, (transport, protocol) in SPOKEN.items():
        with (
            PrivateNetwork() as network,
            serving(
                foo.PingPong,
                Dispatcher(),
                port=PORT,
                protocol=protocol(),
                transport=transport(),
                network=network,
            ) as server,
            recording(server) as wire,
        ):
            with server.client() as client:
                client.ping()
                client.login("root", "pwd")
            save(wire, folder / name)


if __name__ == "__main__":
    record(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
