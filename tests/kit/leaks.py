"""Two oracles over captures that had a bad day: nothing leaks, and nothing is made up.

    what is said ─▶ a dialect's bytes ─▶ packets ─▶ mistreated ─┬─▶ redact, views ─▶ no secret?
    (with secrets)   (with secrets)                             └─▶ messages ─▶ all of them said?

``leak``: secrets stand wherever a dialect has room: in values, keys of maps, targets, headers,
reason phrases, trailers, key/values, negotiations, PROXY's TLVs, exceptions, behind packed streams.
Packets are lost, doubled, moved, damaged, cut off.  Then no 6 bytes in a row of a secret that has
to be gone are left: in no packet, no view, no finding, as text, as hex.  What has to be gone is
what `pingpong redact --help` promises.

``untrue``: packets are lost and moved, and not damaged.  Then every message that is given out with
nothing wrong about it was sent, by that end, and no more often than that.

A try is a seed: `tests/kit/search.py leaks truths --minutes 60`; `make test` runs the first few.
"""

from __future__ import annotations

import base64
import gzip
import random
import string
import struct
import tempfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import dialects
from dialects import CARRIERS, DATAGRAM, LEFT_OUT, SERVICE, WRITERS, Piece, Said
from doors import renumbered, run
from making import ACK, CLIENT, PSH, SERVER, Talk, ethernet, framed, ipv4, packet, udp

from pingpong import explain, read_interface, read_packets
from pingpong.capture import Capture, Pipeline, decode
from pingpong.model import Message, Packet
from pingpong.protocols.families.thrift.names import Interface
from pingpong.redaction.messages import Redactor
from pingpong.redaction.packets import Plan, Rewriter
from pingpong.redaction.selectors import parse_selectors
from pingpong.views import html, text
from pingpong.views.json import exchange_row, message_row
from pingpong.views.ledger import csv_rows
from pingpong.wire.capturefile import write_capture

RUN = 6  # so many bytes in a row of a secret tell of it
DIGITS = 10
TRIES = 20  # what is done to one conversation
LETTERS = string.ascii_letters + string.digits


class Planted:
    """Secrets: those that are hidden whatever is named, and those in values."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.always: list[bytes] = []
        self.values: list[bytes] = []
        self.texts: list[bytes] = []  # of exceptions

    def word(self, into: list[bytes]) -> str:
        rng = self.rng
        some = string.hexdigits if rng.random() < 0.2 else LETTERS
        word = "".join(rng.choices(some, k=rng.randint(12, 20)))
        into.append(word.encode())
        return word

    def around(self) -> bytes:
        return self.word(self.always).encode()

    def value(self) -> str:
        return self.word(self.values)

    def raw(self) -> bytes:
        raw = self.rng.randbytes(self.rng.randint(12, 18))
        self.values += [raw, base64.b64encode(raw)[:16]]
        return raw

    def number(self) -> int:
        number = self.rng.randrange(1 << 61, 1 << 62)
        self.values += [struct.pack(">q", number), str(number).encode()]
        return number


def _everything(planted: Planted) -> dict[int, Any]:
    """A struct Everything with a few of its fields, all of them secret."""
    rng = planted.rng
    some: dict[int, Callable[[], Any]] = {
        5: lambda: rng.randrange(1 << 31),
        6: planted.number,
        8: planted.value,
        9: planted.raw,
        11: lambda: [planted.value() for _ in range(rng.randint(1, 3))],
        12: lambda: [(planted.value(), planted.number()) for _ in range(rng.randint(1, 3))],
        14: lambda: [(rng.randrange(1 << 31), {1: 0, 2: 300})],
        40: lambda: {1: 5, 2: rng.randrange(1 << 31)},
    }
    chosen = sorted(rng.sample(sorted(some), rng.randint(1, 4)))
    return {field: some[field]() for field in chosen}


def said(planted: Planted, calls: int) -> list[Said]:
    """A conversation: calls and their replies."""
    rng = planted.rng
    made: list[Said] = []
    for seqid in range(1, calls + 1):
        kind = rng.randrange(6)
        if kind < 2:
            made += [
                Said("CALL", "look", seqid, "look_args", {1: _everything(planted)}),
                Said("REPLY", "look", seqid, "look_result", {0: _everything(planted)}),
            ]
        elif kind == 2:
            why = {1: {1: planted.word(planted.texts), 2: 7}}
            made += [
                Said("CALL", "look", seqid, "look_args", {1: _everything(planted)}),
                Said("REPLY", "look", seqid, "look_result", why),
            ]
        elif kind == 3:
            made.append(Said("ONEWAY", "fire", seqid, "fire_args", {1: planted.value()}))
        elif kind == 4:
            made += [
                Said("CALL", "stray", seqid, "look_args", {1: _everything(planted)}),
                Said("EXCEPTION", "stray", seqid, "", {1: planted.word(planted.texts), 2: 1}),
            ]
        else:
            made += [
                Said("CALL", "add", seqid, "add_args", {1: 2, 2: 40}),
                Said("REPLY", "add", seqid, "add_result", {0: 42}),
            ]
    return made


# ── Around messages ──────────────────────────────────────────────────────────────────


def _http_head(planted: Planted, start: bytes, more: Iterable[bytes]) -> bytes:
    rng = planted.rng
    lines: list[Callable[[], bytes]] = [
        lambda: b"Host: " + planted.around(),
        lambda: b"User-Agent: " + planted.around(),
        lambda: b"Server: " + planted.around(),
        lambda: b"Via: 1.1 " + planted.around(),
        lambda: b"Date: " + planted.around(),
        lambda: b"Cookie: a=" + planted.around() + b"; " + planted.around(),
        lambda: b"Authorization: Bearer " + planted.around(),
        lambda: b"X-" + planted.around() + b": 1",
        lambda: b"Accept: text/html, " + planted.around(),
        lambda: b"X-A: b\n" + planted.around() + b": c",
        lambda: b"Connection: close\r" + planted.around(),
        planted.around,
        lambda: b"X-Request-Id: 1\r\n  " + planted.around(),
    ]
    chosen = [one() for one in rng.sample(lines, rng.randint(0, 3))]
    return b"\r\n".join([start, *chosen, *more, b"", b""])


def _http(planted: Planted, by_client: bool, body: bytes) -> bytes:
    rng = planted.rng
    if by_client:
        target = rng.choice([
            b"/", b"/calc", b"/" + planted.around(), b"/calc?token=" + planted.around(),
            b"/a;jsessionid=" + planted.around(), b"http://me:" + planted.around() + b"@calc/",
        ])  # fmt: skip
        start = b"POST " + target + b" HTTP/1.1"
    else:
        start = b"HTTP/1.1 200 " + rng.choice([b"OK", planted.around()])
    more = [rng.choice([b"Content-Type: application/x-thrift", b"Content-Type: text/html"])]
    how = rng.randrange(5)
    if how == 0:
        body = gzip.compress(body, mtime=0) + rng.choice([b"", planted.around()])
        more.append(b"Content-Encoding: gzip")
    if how in (1, 2):
        more.append(b"Transfer-Encoding: chunked")
        out, at = b"", 0
        while at < len(body):
            part = body[at : at + rng.randint(1, len(body))]
            extension = b";a=" + planted.around() if rng.random() < 0.3 else b""
            out += b"%x%s\r\n%s\r\n" % (len(part), extension, part)
            at += len(part)
        trailer = rng.choice([b"", planted.around() + b"\r\n", b"X-Sum: " + planted.around()])
        body = out + b"0\r\n" + trailer + (b"\r\n" if trailer and trailer[-1] != 10 else b"")
        return _http_head(planted, start, more) + body + b"\r\n"
    more.append(b"Content-Length: %d" % len(body))
    return _http_head(planted, start, more) + body


def _no_thrift(planted: Planted) -> bytes:
    """A request between the others that holds no Thrift."""
    body = b'{"password": "' + planted.around() + b'"}'
    return _http_head(planted, b"PUT /" + planted.around() + b" HTTP/1.1", [
        b"Content-Type: application/json", b"Content-Length: %d" % len(body),
    ]) + body  # fmt: skip


def _theader(planted: Planted, body: bytes, magic: int) -> bytes:
    rng = planted.rng
    wide = magic == 0x1000

    def string(value: bytes) -> bytes:
        return (struct.pack(">H", len(value)) if wide else bytes((len(value),))) + value

    pairs = [
        string(rng.choice([b"trace-id", planted.around()])) + string(planted.around())
        for _ in range(rng.randint(0, 2))
    ]
    protocol = 2 if body[:1] == b"\x82" else 0
    packs = not wide and rng.random() < 0.3
    info = bytes((protocol, 1, 1) if packs else (protocol, 0))
    if pairs:
        count = struct.pack(">H", len(pairs)) if wide else bytes((len(pairs),))
        info += b"\x01" + count + b"".join(pairs)
    if rng.random() < 0.2:
        info += b"\x63" + planted.around()  # an info block that nobody knows
    info += bytes(-len(info) % 4)
    if packs:
        body = zlib.compress(body) + rng.choice([b"", planted.around()])
    inner = struct.pack(">HHIH", magic, 0, 1, len(info) // 4) + info + body
    return struct.pack(">I", len(inner)) + inner


def _step(status: int, payload: bytes) -> bytes:
    return struct.pack(">BI", status, len(payload)) + payload


def _before(planted: Planted, carrier: str) -> list[Piece]:
    """What ends say before their first messages."""
    rng = planted.rng
    made: list[Piece] = []
    if rng.random() < 0.15 and carrier != DATAGRAM:
        block = bytes((203, 0, 113, 7, 192, 0, 2, 1)) + struct.pack(">HH", 51234, 9090)
        tlv = b"\x02" + struct.pack(">H", 12) + planted.around()[:12]
        size = struct.pack(">H", len(block) + len(tlv))
        two = b"\r\n\r\n\0\r\nQUIT\n\x21\x11" + size + block + tlv
        one = b"PROXY UNKNOWN " + planted.around() + b"\r\n"
        made.append(Piece(True, rng.choice([one, two]), False))
    if carrier == "SASL":
        made += [
            Piece(True, _step(1, b"PLAIN") + _step(2, planted.around()), False),
            Piece(False, _step(2, planted.around()) + _step(5, planted.around()), False),
        ]
    return made


def _carried(planted: Planted, carrier: str, messages: list[tuple[bool, bytes]]) -> list[Piece]:
    rng = planted.rng
    pieces = _before(planted, carrier)
    if carrier in ("WebSocket", "WebSocket, packed", "zlib, one stream", "zlib, in frames"):
        inner = CARRIERS[carrier].carry(messages)
        if carrier == "zlib, one stream" and rng.random() < 0.2:
            inner.append(Piece(True, planted.around(), False))
        return pieces + inner
    for by_client, body in messages:
        if carrier == "HTTP":
            data = _http(planted, by_client, body)
            if by_client and rng.random() < 0.2:
                data = _no_thrift(planted) + data
        elif carrier in ("THeader", "TTHeader"):
            data = _theader(planted, body, 0x0FFF if carrier == "THeader" else 0x1000)
        elif carrier in ("framed", "SASL"):
            behind = planted.around() if rng.random() < 0.05 else b""
            data = framed(body + behind)
        else:
            data = body
        pieces.append(Piece(by_client, data))
    return pieces


CARRIES = (
    *("unframed", "framed", "THeader", "TTHeader", "HTTP", "HTTP", "SASL", DATAGRAM),
    *("zlib, one stream", "zlib, in frames", "WebSocket", "WebSocket, packed"),
)


class Made(NamedTuple):
    """A conversation: its messages, the pieces in which they are carried, and what is secret."""

    planted: Planted
    protocol: str
    carrier: str
    messages: list[tuple[bool, bytes]]
    pieces: list[Piece]

    @property
    def name(self) -> str:
        return f"{self.protocol} over {self.carrier}"


def made(seed: int, calls: int = 0) -> Made:
    rng = random.Random(seed)
    planted = Planted(rng)
    while True:
        protocol, carrier = rng.choice(list(WRITERS)), rng.choice(CARRIES)
        column = CARRIERS[carrier].column if carrier in CARRIERS else carrier
        if (protocol, column) not in LEFT_OUT:
            break
    writer = rng.choice(list(WRITERS[protocol]))
    service = SERVICE if rng.random() < 0.2 else ""
    messages = [
        (one.by_client, WRITERS[protocol][writer](protocol, one, service))
        for one in said(planted, calls or rng.randint(1, 4))
    ]
    pieces = _carried(planted, carrier, messages)
    return Made(planted, protocol, carrier, messages, pieces)


# ── A bad day ────────────────────────────────────────────────────────────────────────


def _cut(rng: random.Random, pieces: list[Piece]) -> Iterable[tuple[bool, bytes]]:
    most = rng.choice([20, 60, 300, 5000])
    for piece in pieces:
        at = 0
        while at < len(piece.data):
            size = rng.randint(1, most)
            yield piece.by_client, piece.data[at : at + size]
            at += size


def packets(rng: random.Random, pieces: list[Piece], carrier: str) -> list[Packet]:
    port = rng.choice([9090, 9090, 60000])
    if carrier == DATAGRAM:
        found = []
        for number, piece in enumerate(pieces, 1):
            ports = (50001, port) if piece.by_client else (port, 50001)
            ends = (CLIENT, SERVER) if piece.by_client else (SERVER, CLIENT)
            found.append(packet(number, ethernet(ipv4(udp(*ports, piece.data), 17, *ends))))
        return found
    talk = Talk(server_port=port)
    if rng.random() < 0.7:
        talk.open()
    for by_client, data in _cut(rng, pieces):
        talk.send(by_client, data)
        if rng.random() < 0.05:
            talk.add(not by_client, ACK)
        if rng.random() < 0.03:
            # Sent again, and some of it is something else.
            talk.add(by_client, ACK | PSH, data, back=len(data))
    if rng.random() < 0.6:
        talk.close()
    return talk.packets


def mistreated(rng: random.Random, found: list[Packet], harms: tuple[str, ...]) -> list[Packet]:
    for _ in range(rng.choice((0, 1, 1, 1, 2, 3))):
        if not found:
            break
        how = rng.choice(harms)
        some = max(1, len(found) // rng.choice((5, 10, 30)))
        if how == "lose":
            gone = set(rng.sample(range(len(found)), min(some, len(found))))
            found = [one for at, one in enumerate(found) if at not in gone]
        elif how == "double":
            at = rng.randrange(len(found))
            found = [*found[: at + 1], *found[at:]]
        elif how == "move":
            found = list(found)
            for _ in range(some):
                at = rng.randrange(len(found))
                to = min(max(at + rng.randint(-4, 4), 0), len(found) - 1)
                found.insert(to, found.pop(at))
        elif how == "late":
            found = found[rng.randrange(len(found)) :]
        elif how == "early":
            found = found[: rng.randrange(1, len(found) + 1)]
        elif how == "one way":
            ends = rng.choice(found).data[26:30]
            found = [one for one in found if one.data[26:30] == ends]
        elif how == "snap":
            size = rng.randrange(54, 200)
            found = [one if rng.random() < 0.5 else _with(one, one.data[:size]) for one in found]
        elif how == "damage":
            found = list(found)
            for _ in range(rng.randint(1, 2)):
                at = rng.randrange(len(found))
                data = bytearray(found[at].data)
                if len(data) > 55:
                    data[rng.randrange(54, len(data))] ^= 1 << rng.randrange(8)
                found[at] = _with(found[at], bytes(data))
    return list(renumbered(found))


def _with(one: Packet, data: bytes) -> Packet:
    return Packet(one.number, one.time, one.link, data, one.length)


LOSSES = ("lose", "lose", "move", "double", "late", "early", "one way")
HARMS = (*LOSSES, "snap", "damage", "damage")

# ── Nothing leaks ────────────────────────────────────────────────────────────────────

EVERY = ("*.*",)
PATHS = ("look.1", "look.0", "look.x", "look.success", "look.2", "fire.1", "fire.s")
NAMES = ("text", "raw", "big", "tags", "counts", "s")


@cache
def interface() -> Interface:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "calc.thrift")
        path.write_text(dialects.IDL)
        read = read_interface(str(path))
    assert isinstance(read, Interface)
    return read


def secret(planted: Planted, fields: tuple[str, ...]) -> list[bytes]:
    """What has to be gone where these fields are named."""
    if fields == EVERY:
        return planted.always + planted.values + planted.texts
    return planted.always + (planted.values if fields == NAMES else [])


def runs_of(words: Iterable[bytes]) -> set[bytes]:
    """Every RUN bytes in a row; DIGITS of digits alone, since two numbers share 6 at times."""
    return {
        word[at : at + size]
        for word in words
        for size in (RUN, DIGITS)
        for at in range(len(word) - size + 1)
        if size == DIGITS or not word[at : at + size].isdigit()
    }


def told(runs: set[bytes], data: bytes) -> str:
    """Which run is in ``data``; "" if none is."""
    return next((repr(one) for one in runs if one in data), "")


def redacted(found: list[Packet], fields: tuple[str, ...], names: Interface | None) -> bytes:
    """The bytes that ``pingpong redact`` writes: of each packet, and of each direction."""
    chosen = parse_selectors(fields)
    redactor, plan = Redactor(chosen, texts=fields == EVERY, nameless=True), Plan()
    pipeline = Pipeline(redactor=redactor, plan=plan, interface=names)
    for one in found:
        pipeline.feed(one)
    pipeline.close()
    rewriter = Rewriter(plan)
    for one in found:
        rewriter.look(one)
    rewriter.start()
    out = [rewriter.packet(one).data for one in found]
    ways: dict[bytes, bytes] = {}
    for data in out:
        ways[data[26:34]] = ways.get(data[26:34], b"") + data[54:]
    findings = "\n".join(str(one) for one in pipeline.findings)
    return b"\0\0".join([*out, *ways.values(), findings.encode()])


def shown(found: list[Packet], fields: tuple[str, ...], names: Interface | None) -> str:
    """All that is shown of a capture with ``--redact``."""
    capture = read_packets(found, redact=fields, idl=names)
    some: list[Any] = [text(capture), html(capture), capture.findings, capture, str(capture)]
    some += [capture._repr_html_(), capture.diagnosis, text(capture.diagnosis)]
    for flow in capture.flows:
        some += [flow, text(flow), flow.facts() if hasattr(flow, "facts") else "", flow.detection]
        some += [flow.from_client.first, flow.from_server.first, flow.from_client.why]
    for message in capture.messages:
        some += [text(message), html(message), message_row(message), message, message.listed]
        some += [message.findings, message.differences, message.header, explain(message)]
        some += [message.body, message.response]
    for exchange in capture.exchanges:
        some += [text(exchange), exchange_row(exchange), exchange]
    some += [csv_rows(list(capture.exchanges))]
    # With spaces: in a row, the digits of any bytes may read like a word.
    some += [one.packet.data.hex(" ") for one in capture.steps if one.packet is not None]
    return "\n".join(one if isinstance(one, str) else repr(one) for one in some)


COMMANDS = (
    *(("show",), ("show", "-m", "1"), ("show", "-m", "2"), ("show", "--json")),
    *(("calls",), ("calls", "--json"), ("calls", "--csv"), ("diagnose",), ("diagnose", "--json")),
    *(("messages",), ("messages", "--json")),
)


def printed(found: list[Packet], fields: tuple[str, ...], rng: random.Random) -> str:
    """What a command prints, on both of its outputs; and what ``redact`` does, and writes."""
    with tempfile.TemporaryDirectory() as folder:
        path, out = str(Path(folder, "in.pcap")), Path(folder, "out.pcap")
        write_capture(path, found)
        more: tuple[str, ...] = ()
        if fields == NAMES:
            idl = Path(folder, "calc.thrift")
            idl.write_text(dialects.IDL)
            more = ("--idl", str(idl))
        one = rng.choice(COMMANDS)
        names = () if one[0] in NAMELESS else more
        said = run(*one, path, "--redact", ",".join(fields), *names)
        also = ("--text",) if fields == EVERY else ()
        done = run("redact", path, str(out), "-f", ",".join(fields), *more, *also)
        return f"{said}\n{done}\n" + out.read_bytes().hex()


def _as_text(runs: set[bytes]) -> set[str]:
    """How runs would be shown.  Times and sizes are digits too: those alone tell nothing."""
    words = {one.hex(" ") for one in runs} | {one.hex() for one in runs if not one.isdigit()}
    words |= {one.decode() for one in runs if one.isascii() and one.isalnum() and not one.isdigit()}
    return {one for one in words if not one.isdigit()}


NAMELESS = ("messages", "diagnose")  # these take no IDL

# Of how many captures all views are asked, and of how many the commands.
VIEWS_OF = 25
COMMANDS_OF = 50


def leak(seed: int, tries: int = TRIES) -> str:
    """One conversation, mistreated in so many ways: what leaked, "" if nothing did."""
    one = made(seed)
    rng = random.Random(seed + 1)
    for number in range(tries):
        found = mistreated(rng, packets(rng, one.pieces, one.carrier), HARMS)
        fields = rng.choice([EVERY, EVERY, PATHS, NAMES])
        names = interface() if fields == NAMES else None
        runs = runs_of(secret(one.planted, fields))
        where = f"{one.name}, try {number}, {','.join(fields)}"
        out = told(runs, redacted(found, fields, names))
        if out:
            return f"{where}: {out} in what redact writes"
        if rng.randrange(VIEWS_OF) == 0:
            views = shown(found, fields, names)
            for word in _as_text(runs):
                if word in views:
                    return f"{where}: {word} in a view"
        if rng.randrange(COMMANDS_OF) == 0:
            views = printed(found, fields, rng)
            for word in _as_text(runs):
                if word in views:
                    return f"{where}: {word} in what a command printed"
    return ""


# ── Nothing is made up ───────────────────────────────────────────────────────────────

# Who sent it, its type, method and seqid, and its values.
Heard = tuple[str, str, str, int, str]


def _key(sender: str, one: Message) -> Heard:
    return sender, one.type.name, one.method, one.seqid, repr(one.body.plain)


def _sent(one: Made) -> Counter[Heard]:
    """What was sent, of itself: no transport around it."""
    return Counter(
        _key(CLIENT if by_client else SERVER, decode(data, protocol=one.protocol))
        for by_client, data in one.messages
    )


def _heard(capture: Capture) -> Counter[Heard]:
    """Who said what, of the messages about which there is nothing to say."""
    return Counter(
        _key((one.client if one.from_client else one.server).host, one)
        for one in capture.messages
        # Other HTTP stands between; it was sent too, and is called by its own name.
        if not (one.findings or one.gaps or one.family.is_http)
    )


def untrue(seed: int, tries: int = TRIES) -> str:
    """One conversation, of which packets are lost and moved: what was not said, "" if nothing."""
    return listened(seed, tries)[0]


def listened(seed: int, tries: int) -> tuple[str, int]:
    """The same, and how many messages were heard."""
    rng = random.Random(seed)
    one = made(seed, rng.choice((3, 10, 30)))
    sent = _sent(one)
    # A datagram that comes twice was said twice, as far as anybody can tell.
    harms = tuple(how for how in LOSSES if how != "double" or one.carrier != DATAGRAM)
    count = 0
    for number in range(tries):
        capture = read_packets(mistreated(rng, packets(rng, one.pieces, one.carrier), harms))
        heard = _heard(capture)
        count += sum(heard.values())
        more = heard - sent
        if more:
            return f"{one.name}, try {number}: never sent {next(iter(more))}", count
    return "", count
