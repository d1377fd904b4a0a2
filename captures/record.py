"""Records the captures of this folder: ``python captures/record.py [FOLDER]``.

A real thriftpy2 server and client talk in a private network, and their packets become
pcap files.  Times differ from run to run; the messages are the same, byte for byte.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import thriftpy2
from thriftpy2.transport import TBufferedTransportFactory, TFramedTransportFactory

from pingpong.live.private import PrivateNetwork
from pingpong.live.recording import recording
from pingpong.live.serving import serving

HERE = Path(__file__).resolve().parent
PORT = 9000

# File by file: the transport that both ends use.
TRANSPORTS: dict[str, Any] = {
    "ping_login.pcap": TBufferedTransportFactory,
    "ping_login_framed.pcap": TFramedTransportFactory,
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
            wire.save(folder / name)
            print(f"{name}: {len(wire.raw)} packets, {len(wire.messages)} messages")


if __name__ == "__main__":
    record(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
