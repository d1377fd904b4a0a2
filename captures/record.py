"""Records the captures of this folder: ``python captures/record.py [FOLDER]``.

A real thriftpy2 server and client talk in a private network, and their packets become
pcap files.  Times differ from run to run; the messages are the same, byte for byte.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import thriftpy2
from thriftpy2.transport import (
    TBufferedTransportFactory,
    TFramedTransportFactory,
    TTransportException,
)

from pingpong.live.private import PrivateNetwork
from pingpong.live.recording import Recording, recording
from pingpong.live.serving import connect, serving

HERE = Path(__file__).resolve().parent
PORT = 9000

# File by file: the transport that both ends use.
TRANSPORTS: dict[str, Any] = {
    "ping_login.pcap": TBufferedTransportFactory,
    "ping_login_framed.pcap": TFramedTransportFactory,
}


class Dispatcher:
    """The article's handler; it knows nobody but root, and does not say so in the IDL."""

    def ping(self) -> str:
        return "pong"

    def login(self, username: str, password: str) -> str:
        return {"root": "登录成功!"}[username]


def record(folder: Path) -> None:
    """Record every capture into ``folder``."""
    service = thriftpy2.load(str(HERE.parent / "foo.thrift"), module_name="foo_thrift").PingPong
    for name, factory in TRANSPORTS.items():
        with (
            PrivateNetwork() as network,
            serving(
                service, Dispatcher(), port=PORT, transport=factory(), network=network
            ) as server,
            recording(server) as wire,
        ):
            with server.client() as client:
                client.ping()
                client.login("root", "pwd")
            save(wire, folder / name)
    record_trouble(service, folder / "trouble.pcap")


def record_trouble(service: Any, path: Path) -> None:
    """A client that does well, one that is framed, one whose call the handler fails on, and a
    health check that speaks HTTP; the server is unframed."""
    with (
        PrivateNetwork() as network,
        serving(service, Dispatcher(), port=PORT, network=network) as server,
        recording(server) as wire,
    ):
        with server.client() as client:
            client.ping()
            client.login("root", "pwd")
        framed = TFramedTransportFactory()
        with (
            connect(service, server.address, transport=framed, network=network) as client,
            suppress(TTransportException),
        ):
            client.ping()
        with server.client() as client, suppress(TTransportException):
            client.login("nobody", "pwd")
        with network.client_socket(server.host) as check:
            check.connect(server.address)
            check.sendall(b"GET /health HTTP/1.1\r\nHost: pingpong\r\n\r\n")
            check.recv(100)
        save(wire, path)


def save(wire: Recording, path: Path) -> None:
    wire.save(path)
    print(f"{path.name}: {len(wire.raw)} packets, {len(wire.messages)} messages")


if __name__ == "__main__":
    record(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
