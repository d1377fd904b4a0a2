"""Captures of the relatives, whole: every byte of each direction is in one message, or a finding
says why it is in none."""

from __future__ import annotations

import pytest
from http2s import CAPTURES
from relatives import Seen, seen

from pingpong.model import NOWHERE, Message

ALL = sorted(
    (folder, path.stem)
    for folder in ("relatives", "family")
    for path in (CAPTURES / folder).glob("*.pcap")
)
# Connections in which a wrong client, a console or a browser talks, and bytes are nobody's.
FOREIGN = {
    *("dubbo2_telnet", "mismatch_on_dubbo", "mismatch_on_grpc", "rpcx_gateway", "std", "uvicorn"),
    *("triple_node_h1", "x_dubbopy_node"),
}


def places(found: Seen) -> dict[tuple[int, bool], list[tuple[int, int]]]:
    """Where each message has its bytes, by direction, in order."""
    out: dict[tuple[int, bool], list[tuple[int, int]]] = {}
    for one in found.messages:
        mine = out.setdefault((one.flow, one.from_client), [])
        mine += _parts(one)
    for mine in out.values():
        mine.sort()
    return out


def _parts(one: Message) -> list[tuple[int, int]]:
    if one.layout:
        return [
            (each.offset, each.size) for each in one.layout if each.offset != NOWHERE and each.size
        ]
    return [(one.offset, one.size)]


@pytest.mark.parametrize(("folder", "name"), ALL)
def test_every_byte_is_in_one_message(folder: str, name: str) -> None:
    found = seen(folder, name)
    there = places(found)
    for flow in found.flows:
        for by_client, total in ((True, flow.sent), (False, flow.received)):
            at = 0
            for offset, size in there.get((flow.number, by_client), []):
                assert offset >= at, "in two messages"
                if name not in FOREIGN and not flow.findings:
                    assert offset == at, "in none"
                at = offset + size
            if name not in FOREIGN and not flow.findings:
                assert at == total, (flow.number, by_client)
