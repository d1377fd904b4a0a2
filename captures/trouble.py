"""The shop on its worst day: a call for each way in which a call can end.

    what happens                                    what becomes of the call
    an order, one that is not there, a wrong method success, declared and application exception
    a oneway method, also as old clients send it    oneway
    the handler breaks                              closed by server
    the client goes, before or after the reply      closed by client, late reply
    it gives up, and goes on with its connection    late reply, out of sequence
    a client's RST, the server's                    reset by client, by server
    a packet of a reply is lost, of a call          reply lost, call not captured
    the recording ends                              still waiting

The packets are real; two of them are taken out, as if the capture had lost them.
"""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from shop import Orders, expect, foo, shop
from thriftpy2.thrift import TApplicationException, TMessageType
from thriftpy2.transport import TTransportException

from pingpong.capture import Capture, read_packets
from pingpong.live.private import PrivateNetwork
from pingpong.live.recording import recording
from pingpong.live.serving import Server, serving
from pingpong.wire.capturefile import write_capture

__all__ = ["record_trouble"]

SLOW = 7003
NOBODY = 7006


class Trouble(Orders):
    """Whoever asks for SLOW or NOBODY waits until ``found``; then the handler breaks at NOBODY."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = threading.Semaphore(0)

    def get(self, id: int) -> Any:  # noqa: A002  # the IDL's word
        if id in (SLOW, NOBODY):
            self.asked.release()
            self.found.wait(10)
        if id == NOBODY:
            raise OSError("who asked is gone")
        return super().get(id)


def record_trouble(path: Path) -> Capture:
    """Record all of it, one after the other; what is in the file."""
    handler = Trouble()
    with (
        PrivateNetwork() as network,
        serving(shop.Orders, handler, port=9090, network=network) as server,
        recording(server) as wire,
    ):

        def ask(client: Any, order: int) -> None:
            """Send the call, and be sure that the handler has it."""
            handler.found.clear()
            client._send("get", id=order)
            assert handler.asked.acquire(timeout=10)

        with server.client() as client:
            client.get(7001)
            expect(shop.NoSuchOrder, client.get, 9999)
            client.seen(7001)
            send_as_call(client, "seen", id=7002)
            client.of_customer("ann")
            client.get(7002)  # the reply to this will be lost
            client.get(7004)
            client.of_customer("bob")  # and this call
            client.get(7001)
        with wire.client(foo.PingPong) as stranger:
            expect(TApplicationException, stranger.ping)
        with server.client() as client:
            expect(TTransportException, client.get, 7005)
        # It goes while the handler is busy, which then has nothing to say.
        client = server.client()
        ask(client, NOBODY)
        client._connection.close()
        wait_until(lambda: wire.capture.flows[-1].from_client.fin > 0)
        handler.found.set()
        wait_until(lambda: wire.capture.flows[-1].ended != "")
        # It goes, and then comes the reply.
        client = server.client()
        ask(client, SLOW)
        client._connection.close()
        wait_until(lambda: wire.capture.flows[-1].from_client.fin > 0)
        handler.found.set()
        wait_until(lambda: wire.capture.flows[-1].ended == "RST")
        # It waits for a moment, and goes on: it gets the order before the one that it asks for.
        with server.client(timeout_ms=50) as client:
            ask(client, SLOW)
            expect(OSError, client._recv, "get")
            client._send("get", id=7002)
            handler.found.set()
            assert client._recv("get").id == SLOW
            assert client._recv("get").id == 7002  # to the end, so that the recording has it
        for is_client in (True, False):
            client = server.client()
            ask(client, NOBODY)
            reset(client._connection if is_client else theirs(server))
            wait_until(lambda: wire.capture.flows[-1].ended == "RST")
            handler.found.set()
            client.close()
        with server.client() as client:
            ask(client, SLOW)
            wire.stop()
            handler.found.set()
            client._recv("get")
    exchanges = wire.capture.exchanges
    lost = [exchanges.where(value="1=7002", method="get")[0].reply, *[
        one.call for one in exchanges.where(value="1=bob")
    ]]  # fmt: skip
    missing = {number for message in lost if message is not None for number in message.packets}
    packets = [packet for packet in wire.raw if packet.number not in missing]
    write_capture(path, packets)
    return read_packets(packets)


def theirs(server: Server) -> Any:
    """The server's end of the newest connection."""
    return list(server._connections.values())[-1]


def send_as_call(client: Any, method: str, **arguments: object) -> None:
    """A oneway method as CALL, as old clients send it."""
    client._oprot.write_message_begin(method, TMessageType.CALL, 0)
    getattr(client._service, f"{method}_args")(**arguments).write(client._oprot)
    client._oprot.write_message_end()
    client._oprot.trans.flush()


def reset(connection: Any) -> None:
    """End a connection with a RST.  thriftpy2's own close would send a FIN first."""
    sock, connection.sock = connection.sock, None
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < deadline, "this never came"
