"""Capture files, written here byte by byte."""

from __future__ import annotations

import io
import struct

from pingpong.wire.capturefile import CaptureFile

NANOS = 1_700_000_000_123_456_789


def opened(data: bytes) -> CaptureFile:
    return CaptureFile(io.BufferedReader(io.BytesIO(data)), "x")


def pcap(
    *packets: bytes, order: str = "<", nanos: bool = True, snaplen: int = 262144, link: int = 1
) -> bytes:
    magic = 0xA1B23C4D if nanos else 0xA1B2C3D4
    out = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, snaplen, link)
    for data in packets:
        fraction = 123_456_789 if nanos else 123_456
        out += struct.pack(order + "IIII", 1_700_000_000, fraction, len(data), len(data)) + data
    return out
