"""What is not Thrift: first bytes of other protocols, and captures of other people."""

from __future__ import annotations

from pathlib import Path

from making import SYN

from pingpong.errors import CaptureError
from pingpong.model import Packet
from pingpong.wire.capturefile import open_capture
from pingpong.wire.link import TCP, Peeler

# It names a folder of captures, Wireshark's and others': the fixture ``foreign`` reads it.
VARIABLE = "PINGPONG_FOREIGN_CAPTURES"

ENDINGS = (".pcap", ".pcapng", ".cap", ".pcap.gz", ".pcapng.gz", ".cap.gz")

# Captures that do hold Thrift, by name, and what it is.
HOLD_THRIFT: dict[str, str] = {}


def packets_of(path: Path) -> list[Packet]:
    """All packets; none of a file that cannot be opened, because it is no capture."""
    try:
        with open_capture(path) as file:
            return list(file)
    except CaptureError:
        return []


def without_syn(packets: list[Packet]) -> list[Packet]:
    peeler = Peeler()
    segments = ((one, peeler.segment(one)) for one in packets)
    return [
        one
        for one, segment in segments
        if segment is None or segment.protocol != TCP or not segment.flags & SYN
    ]


FOREIGN = {
    "HTTP": b"GET / HTTP/1.1\r\nHost: example\r\n\r\n",
    "TLS": bytes.fromhex("16030100a5010000a10303") + bytes(range(160)),
    "JSON": b'{"method": "ping"}\n',
    "zeros": bytes(64),
}
