"""Captures of Thrift's relatives with their truth tables, and what can be done to their bytes.

They lie beside the checkout: shared/captures/family, shared/captures/relatives.
"""

from __future__ import annotations

import csv
import math
import random
import re
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import NamedTuple

import pytest
from making import Talk
from places import SHARED

from pingpong import check_cover, explain
from pingpong.calls.exchanges import Pairing
from pingpong.capture import Pipeline
from pingpong.model import (
    DEFAULT_LIMITS,
    Chunk,
    Exchange,
    Flow,
    Message,
    MessageType,
    Outcome,
    Packet,
    Struct,
    TType,
    Value,
)
from pingpong.protocols.reader import MessageReader
from pingpong.redaction.messages import Redactor
from pingpong.wire.capturefile import open_capture

# A message as it stood on the wire: its connection, who sent it, its bytes.
Line = tuple[int, bool, bytes]


class Seen(NamedTuple):
    """What was read of packets."""

    messages: list[Message]
    exchanges: list[Exchange]
    flows: list[Flow]
    findings: list[str]

    @property
    def calls(self) -> list[Exchange]:
        return [one for one in self.exchanges if one.call is not None]

    @property
    def lines(self) -> list[Line]:
        return [(one.flow, one.from_client, one.data[: one.size]) for one in self.messages]


def path_of(folder: str, name: str) -> Path:
    path = SHARED / "captures" / folder / f"{name}.pcap"
    if not path.is_file():
        pytest.skip(f"the captures of relatives are not on this machine (looked for {path})")
    return path


def packets_of(folder: str, name: str) -> list[Packet]:
    with open_capture(path_of(folder, name)) as file:
        return list(file)


def seen_in(packets: list[Packet], redactor: Redactor | None = None) -> Seen:
    """All messages, events among them, and the exchanges in the order of their calls."""
    pairing = Pairing()
    pipeline = Pipeline(pairing=pairing, events=True, redactor=redactor)
    messages: list[Message] = []
    for packet in packets:
        messages += pipeline.feed(packet).messages
    messages += pipeline.close().messages
    exchanges = sorted(pairing.take(), key=lambda one: one.number)
    return Seen(messages, exchanges, pipeline.flows, [one.text for one in pipeline.findings])


def seen(folder: str, name: str) -> Seen:
    return seen_in(packets_of(folder, name))


def truth(name: str) -> list[dict[str, str]]:
    """The rows of a truth table; those that have no columns are left out."""
    path = path_of("relatives", name).with_suffix(".tsv")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    head = rows[0]
    return [dict(zip(head, row, strict=False)) for row in rows[1:] if len(row) > 1]


# More than this is in no packet.
_MOST = 60_000


def talk_of(lines: list[Line], size: int = _MOST) -> list[Packet]:
    """Packets that carry these messages again, not more than ``size`` bytes in each."""
    talks: dict[int, Talk] = {}
    packets: list[Packet] = []
    for flow, by_client, data in lines:
        talk = talks.get(flow)
        if talk is None:
            talk = talks[flow] = Talk(50000 + flow).open()
            packets += talk.packets
        before = len(talk.packets)
        for at in range(0, len(data), size):
            talk.send(by_client, data[at : at + size])
        packets += talk.packets[before:]
    return [
        Packet(number, 10**18 + number * 10**6, one.link, one.data, one.length)
        for number, one in enumerate(packets, 1)
    ]


def streams(lines: list[Line]) -> list[bytes]:
    """The bytes of each direction of each connection."""
    joined: dict[tuple[int, bool], bytes] = {}
    for flow, by_client, data in lines:
        joined[flow, by_client] = joined.get((flow, by_client), b"") + data
    return list(joined.values())


def told(messages: list[Message]) -> list[tuple[object, ...]]:
    """What has to be the same, however bytes were cut."""
    return [(one.method, one.type, one.seqid, one.from_client, one.data) for one in messages]


def found_in(pieces: list[bytes]) -> list[tuple[MessageType, int, bytes]]:
    """The messages of one direction, whose bytes come in these pieces."""
    reader = MessageReader(True, DEFAULT_LIMITS)
    found = []
    at = 0
    for piece in pieces:
        if piece:
            found += reader.feed(Chunk(at, piece))
            at += len(piece)
    found += reader.close("the bytes end")
    return [(one.header.type, one.header.seqid, one.data) for one in found]


def look_at(messages: list[Message]) -> None:
    """Ask all there is to be asked of messages: nothing may raise, and every byte has a note."""
    for one in messages:
        check_cover(explain(one), len(one.data))
        assert isinstance(one.service, str)
        assert all(datum.span.stop <= len(one.data) for datum in one.metadata)
        one.transport.masks(one)
        if one.type is MessageType.EXCEPTION:
            one.family.error(one)
        if one.type in (MessageType.REPLY, MessageType.EXCEPTION):
            assert isinstance(one.answer, Outcome)


def look_at_all(folder: str, name: str, transport: str) -> None:
    """Every byte of a capture has a note, as it is and masked, and nothing in it is odd."""
    found = seen(folder, name)
    look_at(found.messages)
    assert found.findings == []
    assert [one.findings for one in found.messages if one.fault is not None] == []
    assert {one.transport for one in found.messages} == {transport}
    hidden = seen_in(talk_of(found.lines), Redactor((), texts=True)).messages
    for before, one in zip(found.messages, hidden, strict=True):
        assert one.method == before.method or not before.method.isascii()
        check_cover(explain(one), len(one.data))


def cut_everywhere(folder: str, name: str) -> None:
    """However the bytes of a capture are cut, its messages are the same."""
    lines = seen(folder, name).lines
    total = sum(len(data) for _, _, data in lines)
    wanted = told(seen_in(talk_of(lines)).messages)
    for size in (1, 7, 1460):
        if size > 1 or total < 8000:
            assert told(seen_in(talk_of(lines, size)).messages) == wanted, size
    for stream in streams(lines):
        whole = found_in([stream])
        for at in range(0, len(stream), 1 if total < 8000 else max(1, len(stream) // 200)):
            assert found_in([stream[:at], stream[at:]]) == whole, at


def lose_everywhere(folder: str, name: str, most: int = 120) -> None:
    """A capture that lost some bytes of its messages: what is told of the others is the same, and
    every byte has a note."""
    lines = [line for line in seen(folder, name).lines if len(line[2]) < 4000][:12]
    count = 0
    for place, (flow, by_client, data) in enumerate(lines):
        for at in range(1, len(data) - 4, 5):
            if count >= most * (place + 1) / len(lines):
                break
            count += 1
            talk = Talk(50000 + flow).open()
            for index, (_, from_client, other) in enumerate(lines):
                if index == place:
                    talk.send(by_client, data[:at]).skip(by_client, 3)
                    talk.send(by_client, data[at + 3 :])
                else:
                    talk.send(from_client, other)
            found = seen_in(talk.packets).messages
            look_at(found)
            whole = [one for one in found if not one.gaps and not one.cut]
            known = [(one.from_client, one.data[: one.size]) for one in whole]
            assert all((by, sent) in [(b, d) for _, b, d in lines] for by, sent in known), at


def mutants(lines: list[Line], count: int, seed: int) -> Iterator[list[Line]]:
    """The same messages with bytes changed, cut out or put in."""
    chance = random.Random(seed)
    for _ in range(count):
        some = list(lines)
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(some))
            flow, by_client, data = some[at]
            place = chance.randrange(min(len(data), 400))
            way = chance.randrange(3)
            if way == 0:
                data = data[:place] + bytes((chance.randrange(256),)) + data[place + 1 :]
            elif way == 1:
                data = data[:place] + data[place + chance.randint(1, 8) :]
            else:
                data = data[:place] + chance.randbytes(chance.randint(1, 8)) + data[place:]
            if data:
                some[at] = flow, by_client, data
        yield some


def plain(value: Value) -> object:
    """A value as Python would hold it: objects as dicts, a time in milliseconds."""
    content = value.content
    if value.ttype is TType.TIME and isinstance(content, int):
        return content // 10**6
    if isinstance(content, Struct):
        return {field.name or field.field_id: plain(field.value) for field in content.fields}
    return value.plain


def values(message: Message) -> list[object]:
    return [plain(field.value) for field in message.fields]


def said_by(thrown: Value) -> str:
    """A Java exception as it prints itself: its class and its text."""
    assert isinstance(thrown.content, Struct)
    inside = {field.name: field.value for field in thrown.content.fields}
    text = inside["detailMessage"].content
    return f"{thrown.label}: {'null' if text is None else str(text)}"


def meet_the_article(folder: str, name: str) -> None:
    """Hold that a capture has the two calls of the article, with their values, and no others."""
    wanted = {"ping": ([], ["pong"]), "login": (["admin", "123456"], ["登录成功!"])}
    found = seen(folder, name).calls
    assert len(found) in (2, 4)
    for exchange in found:
        call, reply = exchange.call, exchange.reply
        assert call is not None
        assert reply is not None
        assert exchange.outcome is Outcome.SUCCESS
        assert (values(call), values(reply)) == wanted[call.bare_method.lower()]


# ── As their programs print it ───────────────────────────────────────────────────────


def java_prints(value: object) -> str:
    """A value as Java prints it; an object of one field, as hessian writes an enum, as that."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return _java_double(value)
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    if isinstance(value, str) and _TIME.fullmatch(value):
        time = datetime.strptime(value, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)
        return time.strftime("%a %b %d %H:%M:%S UTC %Y")
    if isinstance(value, list) and value and isinstance(value[0], tuple):
        inside = ", ".join(f"{java_prints(key)}={java_prints(item)}" for key, item in value)
        return f"{{{inside}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(java_prints, value))}]"
    if isinstance(value, dict) and len(value) == 1:
        return java_prints(next(iter(value.values())))
    return str(value)


_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def _java_double(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    digits, is_large, power = repr(value).partition("e")
    point = "" if "." in digits else ".0"
    return f"{digits}{point}E{int(power)}" if is_large else digits


def go_prints(value: object) -> str:
    """A value as Go prints it with %v."""
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, bytes):
        return f"[{' '.join(map(str, value))}]"
    if isinstance(value, list) and value and isinstance(value[0], tuple):
        pairs = sorted((go_prints(key), go_prints(item)) for key, item in value)
        return f"map[{' '.join(f'{key}:{item}' for key, item in pairs)}]"
    if isinstance(value, list):
        return f"[{' '.join(map(go_prints, value))}]"
    return str(value)
