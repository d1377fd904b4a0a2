"""The incident: a shop where customers see the orders of others.

    ann, bob    ask for their orders, on a connection each
    a probe     asks over HTTP whether the shop is well
    hasty       gives up waiting for 7003, and goes on with its connection: from then on each answer
                is one call late
    a stranger  calls a method that the shop does not have
    unlucky     asks for 7005, at which the handler breaks

Lesson 13 finds out which of them it was.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import thriftpy2
from thriftpy2.thrift import TApplicationException
from thriftpy2.transport import TTransportException

from pingpong.live.private import PrivateNetwork
from pingpong.live.recording import Recording, recording
from pingpong.live.serving import serving

HERE = Path(__file__).resolve().parent

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


def record_incident(path: Path) -> Recording:
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
                hasty._send("get", id=7002)
                handler.found.set()
                assert hasty._recv("get").id == 7003
                wait_for(wire, 15)  # its own reply is behind that, before the next call
                assert hasty.get(7004).id == 7002
                wait_for(wire, 17)  # the last reply is on its way, though nobody reads it
            with wire.client(foo.PingPong) as stranger:
                expect(TApplicationException, stranger.ping)
            with server.client() as unlucky:
                expect(TTransportException, unlucky.get, 7005)
            bob.get(7004)
        wire.save(path)
        return wire


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
