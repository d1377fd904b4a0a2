"""The ledger on what thriftpy2's servers and clients really do to each other.

Each story is played in every way of recording that works here; resets need real packets.
"""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import thriftpy2
from making import foo
from networks import EACH_WAY, private
from places import ROOT
from stage import LIMIT
from thriftpy2.thrift import TApplicationException, TMessageType
from thriftpy2.transport import TTransportException

from pingpong.live.private import PrivateNetwork
from pingpong.live.recording import Recording, recording
from pingpong.live.serving import Server, serving
from pingpong.views import html, text

shop: Any = thriftpy2.load(str(ROOT / "captures" / "shop.thrift"), module_name="orders_thrift")

SLOW, BROKEN, UNKNOWN = 1, 2, 3


class Orders:
    """A handler that can be held up, breaks, and does not know everything."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.go_on = threading.Event()

    def get(self, id: int) -> Any:  # noqa: A002  # the IDL's word
        if id == SLOW:
            self.reached.set()
            assert self.go_on.wait(LIMIT)
        if id == BROKEN:
            raise OSError("the store's file is broken")
        if id == UNKNOWN:
            raise shop.NoSuchOrder(id=id)
        return shop.Order(id=id, customer="ann", items=[], state=shop.State.PAID)

    def of_customer(self, customer: str) -> list[int]:
        return []

    def seen(self, id: int) -> None:  # noqa: A002
        pass


class Play:
    """A server, its handler, and what is recorded of it."""

    def __init__(self, server: Server, handler: Orders, wire: Recording) -> None:
        self.server = server
        self.handler = handler
        self.wire = wire

    def outcomes(self) -> list[tuple[str, str, str]]:
        return [
            (one.method, one.outcome.name, one.exception) for one in self.wire.capture.exchanges
        ]

    def wait_for(self, messages: int) -> None:
        """Until a reply that nobody waits for has been sent."""
        self.wait_until(lambda: len(self.wire.messages) >= messages)

    def wait_until(self, is_so: Callable[[], bool]) -> None:
        for _ in range(100_000):
            if is_so():
                return
        raise AssertionError(f"this never came: {self.wire.capture}")


@contextmanager
def playing(way: str, inside: PrivateNetwork | None) -> Iterator[Play]:
    handler = Orders()
    network_ = inside if way == "private" else None
    try:
        with (
            serving(shop.Orders, handler, network=network_) as server,
            recording(server, way=way) as wire,
        ):
            yield Play(server, handler, wire)
    finally:
        handler.go_on.set()


@pytest.mark.parametrize("way", EACH_WAY)
def test_what_goes_well_and_what_servers_say(way: str, network: Any) -> None:
    with playing(way, network) as play:
        with play.server.client() as client:
            client.get(10)
            with pytest.raises(shop.NoSuchOrder):
                client.get(UNKNOWN)
            client.seen(10)
        with play.wire.client(foo().PingPong) as stranger, pytest.raises(TApplicationException):
            stranger.ping()
        assert play.outcomes() == [
            ("get", "SUCCESS", ""),
            ("get", "DECLARED_EXCEPTION", "1"),
            ("seen", "ONEWAY", ""),
            ("ping", "APPLICATION_EXCEPTION", "UNKNOWN_METHOD"),
        ]


@pytest.mark.parametrize("way", EACH_WAY)
def test_a_handler_that_crashes(way: str, network: Any) -> None:
    with playing(way, network) as play:
        with play.server.client() as client, pytest.raises(TTransportException):
            client.get(BROKEN)
        assert play.outcomes() == [("get", "CLOSED_BY_SERVER", "")]


@pytest.mark.parametrize("way", EACH_WAY)
def test_a_oneway_method_sent_as_call(way: str, network: Any) -> None:
    """As old clients do; thriftpy2's server answers no method that is oneway."""
    with playing(way, network) as play:
        with play.server.client() as client:
            client._oprot.write_message_begin("seen", TMessageType.CALL, 0)
            shop.Orders.seen_args(id=1).write(client._oprot)
            client._oprot.write_message_end()
            client._oprot.trans.flush()
            client.get(10)
        assert play.outcomes() == [("seen", "ONEWAY", ""), ("get", "SUCCESS", "")]


# A tap at the server's socket hears a call when the server reads it: behind the reply before.
@pytest.mark.parametrize("way", EACH_WAY[:2])
def test_the_reply_to_the_call_before(way: str, network: Any) -> None:
    """A client that gives up and goes on with the connection reads each reply one call late."""
    with playing(way, network) as play:
        with play.server.client(timeout_ms=200) as client:
            with pytest.raises(OSError, match="timed out"):
                client.get(SLOW)
            client._connection.sock.settimeout(LIMIT)  # what comes now may take its time
            client._send("get", id=10)
            play.handler.go_on.set()
            assert client._recv("get").id == SLOW
            assert client.get(11).id == 10
            play.wait_for(6)
        assert [outcome for _, outcome, _ in play.outcomes()] == [
            "LATE",
            "OUT_OF_SEQUENCE",
            "OUT_OF_SEQUENCE",
        ]
        late = play.wire.exchanges[0]
        assert late.latency is not None
        assert late.latency >= 200_000_000
        for shown in (text(play.wire.exchanges), html(play.wire.exchanges)):
            assert "the client read exchange 1" in shown


@pytest.mark.parametrize("way", EACH_WAY)
def test_still_waiting(way: str, network: Any) -> None:
    with playing(way, network) as play:
        with play.server.client() as client:
            client._send("get", id=SLOW)
            assert play.handler.reached.wait(LIMIT)
            assert play.outcomes() == [("get", "WAITING", "")]
            play.handler.go_on.set()
            client._recv("get")
        assert play.outcomes() == [("get", "SUCCESS", "")]


@pytest.mark.parametrize("way", EACH_WAY)
def test_a_server_that_is_shut_down(way: str, network: Any) -> None:
    with playing(way, network) as play:
        client = play.server.client()
        client._send("get", id=SLOW)
        assert play.handler.reached.wait(LIMIT)
        closing = threading.Thread(target=play.server.close)
        closing.start()
        with pytest.raises(TTransportException):
            client._recv("get")
        client.close()
        play.handler.go_on.set()
        closing.join()
        assert [outcome for _, outcome, _ in play.outcomes()] == ["CLOSED_BY_SERVER"]


@private
def test_a_client_that_closes(network: PrivateNetwork) -> None:
    """The late reply is on the wire, and the client's system resets the connection."""
    with playing("private", network) as play:
        client = play.server.client()
        client._send("get", id=SLOW)
        assert play.handler.reached.wait(LIMIT)
        client._connection.close()
        assert play.outcomes() == [("get", "CLOSED_BY_CLIENT", "")]
        play.handler.go_on.set()
        play.wait_for(2)
        play.wait_until(lambda: play.wire.capture.flows[0].ended == "RST")
        assert play.outcomes() == [("get", "LATE", "")]


def reset(connection: Any) -> None:
    """End it with a RST.  thriftpy2's own close would send a FIN first."""
    sock, connection.sock = connection.sock, None
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


@private
def test_a_client_that_resets(network: PrivateNetwork) -> None:
    with playing("private", network) as play:
        client = play.server.client()
        client._send("get", id=SLOW)
        assert play.handler.reached.wait(LIMIT)
        reset(client._connection)
        assert play.outcomes() == [("get", "RESET_BY_CLIENT", "")]
        play.handler.go_on.set()


@private
def test_a_server_that_resets(network: PrivateNetwork) -> None:
    with playing("private", network) as play:
        client = play.server.client()
        client._send("get", id=SLOW)
        assert play.handler.reached.wait(LIMIT)
        (theirs,) = play.server._connections.values()
        reset(theirs)
        with pytest.raises(OSError, match="reset"):
            client._recv("get")
        client.close()
        assert play.outcomes() == [("get", "RESET_BY_SERVER", "")]
        play.handler.go_on.set()
