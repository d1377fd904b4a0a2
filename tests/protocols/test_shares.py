"""What bytes are spent on: every byte once, and by hand for one message of each family."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from places import ROOT, SHARED

from pingpong import decode, read
from pingpong.capture import Pipeline
from pingpong.live.ours.dubbo import Dubbo
from pingpong.model import Message, MessageType
from pingpong.protocols.shares import (
    ADDRESSING,
    FRAMING,
    METADATA,
    PAYLOAD,
    PURPOSES,
    purposes,
    shares,
)
from pingpong.wire.capturefile import open_capture

CAPTURES = sorted((ROOT / "captures").glob("*.pcap"))
CAPTURES += sorted((SHARED / "captures" / "family").glob("*.pcap"))

# By hand: framing, addressing, metadata and payload of a call and of its reply.  Lengths count as
# what they measure; the number of a call is addressing.
HAND = {
    # 14 = magic 2, flags, status, length 4, and "2.0.2" behind its length; the version of the
    # protocol is no address.  162 = id 8, path 25, version 6, method 6, types 38, and of the
    # attachments path 30, interface 35, version 14.  15 = timeout 13, H, Z.
    "login_dubbo": ((14, 162, 15, 13), (9, 8, 14, 14)),
    # 13 = magic, flags, version, serialization, two lengths.  57 = id 8, M_p 28, M_m 9, M_g 12.
    # 27 = M_s 12, M_pp 11, and the line feeds between five pairs.
    "login_motan": ((13, 57, 27, 21), (13, 8, 6, 18)),
    # 16 = magic … serialization 4, length 4, those of metadata and payload.
    # 32 = number 8, service 4 + 11, method 4 + 5.
    "login_rpcx": ((16, 32, 0, 32), (16, 32, 0, 14)),
    # 4 = version, type.  13 = method 4 + 5, seqid 4.
    "login_thrift": ((4, 13, 0, 26), (4, 13, 0, 21)),
    # 22 = content-length 20 with its end, the empty line.  44 = request line 22, host 22.
    "login_http1": ((22, 44, 32, 40), (22, 0, 47, 15)),
}


@pytest.mark.parametrize("name", HAND)
def test_a_login_by_hand(name: str) -> None:
    exchange = read(ROOT / "captures" / f"{name}.pcap").exchanges[1]
    for message, wanted in zip((exchange.call, exchange.reply), HAND[name], strict=True):
        assert message is not None
        assert shares(message) == dict(zip(PURPOSES, wanted, strict=True))


def messages(path: Path) -> list[Message]:
    pipeline = Pipeline(events=True)
    found: list[Message] = []
    with open_capture(path) as packets:
        for packet in packets:
            found += pipeline.feed(packet).messages
    return [*found, *pipeline.close().messages]


# What the notes of heads say besides addresses; each was looked at.
KNOWN = {
    FRAMING: {
        *("version", "unused", "message type", "version and message type", "protocol id"),
        *("message begins", "metadata", "payload", "Dubbo version", "kind of result", "kind"),
        *("class", "tracing header STOP"),
    },
    METADATA: {"key", "line feed", "value", "time"},
    PAYLOAD: {"payload"},
}


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.stem)
def test_every_byte_is_spent_once(path: Path) -> None:
    unknown = set()
    for message in messages(path):
        found = shares(message)
        assert tuple(found) == PURPOSES
        assert sum(found.values()) == len(message.data)
        if message.type is MessageType.EVENT:
            assert found[FRAMING] == len(message.data)
            continue
        for note, purpose in purposes(message):
            if note.kind == "header" and purpose != ADDRESSING:
                known = note.label in KNOWN.get(purpose, ())
                in_pair = any(one.span.start <= note.span.start < one.span.stop
                              for one in message.metadata)  # fmt: skip
                if not known and not in_pair:
                    unknown.add((note.label, purpose))
    assert unknown == set()


def test_attachments_behind_the_values_are_metadata() -> None:
    """Dubbo's and Motan 1's stand at the end of the body, and belong to no argument."""
    call = read(ROOT / "captures" / "login_dubbo.pcap").messages[2]
    behind = [purpose for note, purpose in purposes(call) if note.span.start >= 110]
    assert set(behind) == {ADDRESSING, METADATA}
    assert [behind[0], behind[-1]] == [METADATA, METADATA]
    # Also where there are none: the map is empty.
    bare = decode(Bare("com.thinkrpc.UserService").call(0, "get", {"a": "b"}, {}))
    assert [(note.label, purpose) for note, purpose in purposes(bare)][-3:] == [
        ("value", PAYLOAD),
        ("attachments type", METADATA),
        ("end", METADATA),
    ]


class Bare(Dubbo):
    def attached(self, metadata: Mapping[str, str]) -> dict[str, str]:
        return {}
