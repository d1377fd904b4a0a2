"""A reply may be captured before the call that it answers: the acknowledgement tells."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from doors import captures, streamed
from making import Talk

from pingpong import read_packets
from pingpong.capture import Capture
from pingpong.model import TCP, MessageType, Outcome, Packet
from pingpong.protocols.encodings.binary import write_header
from pingpong.verdicts.verdict import Kind
from pingpong.wire.capturefile import open_capture

# One of each way to pair: by order, by seqid, by HTTP, by streams, by ids of 64 bits, by none.
NAMES = (
    "ping_login.pcap",
    "01_bin_unframed.pcap",
    "11_theader_compact_zlib.pcap",
    "12_http_xthrift_bin.pcap",
    "18_pipelined_ooo.pcap",
    "two-methods-fail.pcap",
    "uvicorn.pcap",
    "grpc_node_gzip.pcap",
    "triple.pcap",
    "dubbo2_sofa.pcap",
    "motan2_go_simple.pcap",
    "motan_java_motan_hessian2_rich.pcap",
    "rpcx_msgpack_heartbeat.pcap",
    "rpcx_msgpack_rich.pcap",
)
SWAPS = 8  # of each capture, so many places


def message_of(method: str, mtype: MessageType) -> bytes:
    return write_header(method.encode(), mtype, 0) + b"\0"


def told(capture: Capture) -> tuple[Counter[tuple[str, str]], list[str]]:
    """Calls and verdicts, but for the note that a reply was captured before its call."""
    calls = Counter((one.method, one.outcome.name) for one in capture.exchanges)
    kinds = [one.verdict.kind for one in capture.diagnosis.groups]
    return calls, sorted(one.value for one in kinds if one is not Kind.OUT_OF_ORDER)


def turned(packets: list[Packet], at: int) -> list[Packet]:
    """The packet at that place and its next, in the other order; times still go up."""
    first, second = packets[at], packets[at + 1]
    both = [
        Packet(first.number, first.time, second.link, second.data, second.length),
        Packet(second.number, second.time, first.link, first.data, first.length),
    ]
    return [*packets[:at], *both, *packets[at + 2 :]]


@pytest.mark.parametrize("name", NAMES)
def test_behind_its_reply(name: str) -> None:
    path = next((one for one in captures() if one.name == name), None)
    if path is None:
        pytest.skip(f"{name} lies beside the checkout, in shared/")
    with open_capture(str(path)) as file:
        packets = list(file)[:120]
    whole = read_packets(packets)
    expected = told(whole)
    places = []
    for at, (one, other) in enumerate(pairwise(whole.steps)):
        if one.segment is None or other.segment is None or one.flow is not other.flow:
            continue
        is_answer = one.from_client and not other.from_client
        has_both = one.segment.payload and other.segment.payload and one.segment.protocol == TCP
        if is_answer and has_both and one.flow is not None and one.flow.opened:
            places.append(at)
    assert places
    for at in places[:SWAPS]:
        some = turned(packets, at)
        capture = read_packets(some)
        assert told(capture) == expected, f"packet {at + 1}"
        assert all(one.latency is None or one.latency >= 0 for one in capture.exchanges)
        long_way = streamed(some, len(some), False, None)
        assert streamed(some, len(some), True, None) == long_way


def test_a_reply_that_acknowledges_nothing_new_has_no_call() -> None:
    """The call that comes later is the next one, though its name and its seqid are the same."""
    talk = Talk().open()
    talk.reply(message_of("ping", MessageType.REPLY)).call(message_of("ping", MessageType.CALL))
    outcomes = [one.outcome for one in read_packets(talk.packets).exchanges]
    assert outcomes == [Outcome.NO_CALL, Outcome.WAITING]
