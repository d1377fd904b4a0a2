"""HTTP/2 of which one direction was captured, and not from its beginning."""

from __future__ import annotations

from pathlib import Path

import pytest
from places import ROOT, SHARED

from pingpong import read_packets
from pingpong.capture import Capture
from pingpong.model import Packet
from pingpong.wire.capturefile import open_capture

OURS = sorted((ROOT / "captures").glob("*.pcap"))
OTHERS = sorted((SHARED / "captures").glob("*/*.pcap"))
SPEAK = ("grpc", "h2", "http2", "triple", "etcd", "connect", "mismatch", "x_")

# With how many calls each direction begins when its first packets are missing.
MANY = [path for path in (*OURS, *OTHERS) if path.name in ("login_grpc.pcap", "login_http2.pcap")]
MANY += [path for path in OTHERS if path.name in ("grpc_py_many.pcap", "grpc_node_rich.pcap")]


def one_way(path: Path, by_client: bool) -> tuple[Capture, list[Packet]]:
    """The whole capture, and the packets with payload of one direction."""
    with open_capture(str(path)) as file:
        packets = list(file)[:400]
    whole = read_packets(packets)
    return whole, [
        step.packet
        for step in whole.steps
        if step.packet is not None
        and step.segment is not None
        and step.segment.payload
        and step.from_client == by_client
    ]


@pytest.mark.parametrize("path", MANY, ids=lambda path: path.name)
@pytest.mark.parametrize("first", [0, 3, 7])
def test_a_direction_proves_itself(path: Path, first: int) -> None:
    for by_client in (True, False):
        whole, packets = one_way(path, by_client)
        capture = read_packets(packets[first:])
        bodies = {one.data[one.start : one.stop] for one in whole.messages}
        assert len(capture.messages) >= (len(whole.messages) // 2 - first) * 2 // 3
        for message in capture.messages:
            assert message.from_client == by_client
            # The head of a stream that is under way is missing: its rest is shown as bytes.
            known = message.data[message.start : message.stop] in bodies
            assert known or message.protocol.is_raw
        told = {one.method for one in whole.messages}
        assert {one.method for one in capture.messages} <= told | {""}


def test_the_preface_is_enough() -> None:
    _, packets = one_way(ROOT / "captures" / "login_grpc.pcap", True)
    methods = [one.method for one in read_packets(packets[:6]).messages]
    assert "/pingpong.v1.PingPong/ping" in methods


def test_few_frames_prove_nothing() -> None:
    _, packets = one_way(ROOT / "captures" / "login_grpc.pcap", False)
    assert not read_packets(packets[9:10]).messages


@pytest.mark.parametrize("path", [*OURS, *OTHERS], ids=lambda path: path.name)
def test_nothing_else_is_taken_for_it(path: Path) -> None:
    if any(word in path.name for word in SPEAK):
        return
    for by_client in (True, False):
        _, packets = one_way(path, by_client)
        for first in (0, 1):
            for message in read_packets(packets[first:]).messages:
                assert message.transport not in ("http2", "grpc")
