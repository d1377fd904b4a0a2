"""No foreign capture is called Thrift: of other people's, where they are, and of what is
made here.

The captures lie in a folder that PINGPONG_FOREIGN_CAPTURES names.  The sources of Wireshark,
nDPI and tcpdump have a thousand of them; in Debian:

    apt-get source --download-only wireshark ndpi tcpdump      and unpack what came

Each is read as it is, and with every SYN left out, so that every connection begins in
mid-stream, where any byte may be the first of a message.
"""

from __future__ import annotations

import json
import random
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from making import Talk, ethernet, ipv4, packet, udp
from strangers import packets_of, without_syn

from pingpong import read_packets
from pingpong.capture import Capture
from pingpong.model import Carrier, Packet
from pingpong.protocols.families.thrift.answers import THRIFT


def called_in(capture: Capture) -> list[tuple[Carrier, str]]:
    """What is called by a name in it, and in which words."""
    seen = [flow.detection for flow in capture.flows]
    return [(message.transport, repr(message)) for message in capture.messages] + [
        (one.transport, f"{one.transport}: {one.evidence}")
        for one in seen
        if one and one.transport is not None
    ]


def thrift_in(capture: Capture) -> list[str]:
    """What is called Thrift in it: nothing should be."""
    return [text for carrier, text in called_in(capture) if carrier.family is THRIFT]


def test_no_foreign_capture_is_called_thrift(foreign: list[Path]) -> None:
    wrong = {}
    count = 0
    for path in foreign:
        packets = packets_of(path)
        count += bool(packets)
        for how, some in (("as it is", packets), ("in mid-stream", without_syn(packets))):
            called = thrift_in(read_packets(some))
            if called:
                wrong[f"{path.name}, {how}"] = called[:3]
    assert wrong == {}
    assert count > len(foreign) // 2, f"only {count} of {len(foreign)} files could be opened"


# ── Made here ────────────────────────────────────────────────────────────────────────


def tls(kind: int, size: int, seed: int) -> bytes:
    return struct.pack(">BHH", kind, 0x0303, size) + random.Random(seed).randbytes(size)


def tls_hello() -> bytes:
    body = b"\x03\x03" + random.Random(1).randbytes(32) + b"\x20" + random.Random(2).randbytes(32)
    body += bytes.fromhex("0002 1301 0100 0000")
    hello = b"\x01" + len(body).to_bytes(3, "big") + body
    return struct.pack(">BHH", 22, 0x0301, len(hello)) + hello


def http2(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "big") + struct.pack(">BBI", kind, flags, stream) + payload


def grpc(message: bytes) -> bytes:
    return b"\0" + len(message).to_bytes(4, "big") + message


def mysql(number: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "little") + bytes((number,)) + payload


def protobuf(seed: int) -> bytes:
    """Fields 1 to 5: numbers, texts and a message in the message."""
    rng = random.Random(seed)
    text = bytes(rng.choice(b"abcdefgh ") for _ in range(20))
    inner = b"\x08\x96\x01\x12\x05hello"
    return (
        b"\x08" + bytes((rng.randrange(128),))
        + b"\x12" + bytes((len(text),)) + text
        + b"\x1a" + bytes((len(inner),)) + inner
        + b"\x25" + rng.randbytes(4) + b"\x29" + rng.randbytes(8)
    )  # fmt: skip


def delimited(data: bytes) -> bytes:
    """Behind its length: four bytes, as Thrift's frames have."""
    return len(data).to_bytes(4, "big") + data


def websocket(text: bytes) -> bytes:
    mask = b"\x12\x34\x56\x78"
    masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(text))
    return bytes((0x81, 0x80 | len(text))) + mask + masked


def http(start: str, body: bytes = b"", *heads: str) -> bytes:
    lines = [start, *heads, *([f"Content-Length: {len(body)}"] if body else []), "", ""]
    return "\r\n".join(lines).encode() + body


def bodies(*values: object) -> list[tuple[bool, bytes]]:
    """Calls and answers over HTTP, with JSON in them."""
    kind = "Content-Type: application/json"
    said = []
    for value in values:
        body = json.dumps(value).encode()
        said.append((True, http("POST /api HTTP/1.1", body, "Host: x.example", kind)))
        said.append((False, http("HTTP/1.1 200 OK", body, kind)))
    return said


LOREM = b"the quick brown fox jumps over the lazy dog, again and again; " * 40

# name: who says what, the client first.
TALKS: dict[str, list[tuple[bool, bytes]]] = {
    "TLS": [
        (True, tls_hello()),
        (False, tls(22, 90, 3) + tls(20, 1, 4)),
        *((by_client, tls(23, 400, seed)) for seed in range(20) for by_client in (True, False)),
    ],
    "gRPC": [
        (True, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + http2(4, 0, 0, b"\0\x03\0\0\0\x64")),
        (False, http2(4, 0, 0, b"") + http2(4, 1, 0, b"")),
        (True, http2(1, 4, 1, b"\x83\x86\x44\x0b/shop.S/Get\x5f\x10application/grpc")),
        (True, http2(0, 1, 1, grpc(protobuf(1)))),
        (
            False,
            http2(1, 4, 1, b"\x88\x5f\x10application/grpc") + http2(0, 0, 1, grpc(protobuf(2))),
        ),
        (False, http2(1, 5, 1, b"\x40\x0bgrpc-status\x010")),
    ],
    "Redis": [
        (True, b"*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$5\r\nvalue\r\n"),
        (False, b"+OK\r\n"),
        (True, b"*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n"),
        (False, b"$5\r\nvalue\r\n"),
        (True, b"*1\r\n$4\r\nPING\r\n"),
        (False, b"+PONG\r\n:1000\r\n-ERR unknown command\r\n"),
    ],
    "MySQL": [
        (False, mysql(0, b"\x0a8.0.36\0\x08\0\0\0abcdefgh\0\xff\xf7\x21\x02\0" + bytes(31))),
        (True, mysql(1, b"\x85\xa6\xff\x01\0\0\0\x01\x21" + bytes(23) + b"root\0")),
        (False, mysql(2, b"\0\0\0\x02\0\0\0")),
        (True, mysql(0, b"\x03select @@version_comment limit 1")),
        (False, mysql(1, b"\x01") + mysql(2, b"\x03def\0\0\0\x11@@version_comment\0")),
    ],
    "SSH": [
        (False, b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u2\r\n"),
        (True, b"SSH-2.0-OpenSSH_9.6\r\n"),
        (True, delimited(b"\x06\x14" + random.Random(6).randbytes(16) + b"\0\0\0\x1acurve25519")),
        (False, delimited(b"\x06\x14" + random.Random(7).randbytes(500))),
        *((True, delimited(random.Random(seed).randbytes(60))) for seed in range(20)),
    ],
    "protobuf": [(at % 2 == 0, protobuf(at)) for at in range(20)],
    "protobuf behind lengths": [(at % 2 == 0, delimited(protobuf(at))) for at in range(20)],
    "HTTP with JSON": bodies({"method": "add", "params": [2, 40]}, [1, 2, 3], "text", None, {}),
    "HTTP with JSON that is nearly Thrift's": bodies(
        [1, "add", 1], [1, "add", 1, 1], [2, "add", 1, 1, {}], {"metadata": {}, "payload": {}}
    ),
    "HTTP, a page": [
        (True, http("GET / HTTP/1.1", b"", "Host: x.example")),
        (False, http("HTTP/1.1 200 OK", LOREM, "Content-Type: text/html")),
        (True, http("HEAD /thrift HTTP/1.1", b"", "Host: x.example")),
        (False, http("HTTP/1.1 304 Not Modified")),
    ],
    "a websocket": [
        (True, http("GET /chat HTTP/1.1", b"", "Upgrade: websocket", "Connection: Upgrade")),
        (False, http("HTTP/1.1 101 Switching Protocols", b"", "Upgrade: websocket")),
        (True, websocket(b'[1,"add",1]')),
        (False, b"\x81\x0bhello there"),
        (True, websocket(b'{"id": 1, "method": "add"}')),
    ],
    "JSON arrays": [
        (True, b'[1,"a",2]\n[1,"b",{"x":1}]\n'),
        (False, b'[1,"a",true]\n["add",1,1,{}]\n'),
        (True, b'[1,"add",9,1,{}]\n[1,"add",1,1,[]]\n[1,"",[],{}]\n'),
        (False, b'[1, "add", {"1": {"i32": 2}}]\n[1,"add"]\n[1,"'),
    ],
    "lines of JSON": [
        (True, b'{"jsonrpc": "2.0", "method": "add", "params": [2, 40], "id": 1}\n'),
        (False, b'{"jsonrpc": "2.0", "result": 42, "id": 1}\n'),
    ],
    "JSON behind lengths": [
        (True, delimited(b'{"method": "add", "payload": {"a": 2}}')),
        (False, delimited(b'{"meta": {"version": 1}, "payload": {}}')),
        (True, delimited(b'{"metadata": 1}') + delimited(b'{"metadata": {"name": "x"}}')),
    ],
    "zlib streams of text": [
        (True, zlib.compress(LOREM)),
        (False, zlib.compress(b'{"a": 1}' * 50) + zlib.compress(b"")),
        (True, zlib.compress(b"\0\0\0\x05hello" * 9, 9) + zlib.compress(bytes(1000), 1)),
    ],
    "SOCKS5": [
        (True, b"\x05\x01\x00"),
        (False, b"\x05\x00"),
        (True, b"\x05\x01\x00\x03\x0bexample.com\x01\xbb"),
        (False, bytes.fromhex("05 00 00 01 00000000 0000")),
        (True, tls_hello()),
        (False, tls(22, 200, 8)),
    ],
    "Kafka": [
        (True, delimited(b"\0\x12\0\x03\0\0\0\x01\0\x07console\x0fapache-kafka-java\x063.6.0\0")),
        (False, delimited(b"\0\0\0\x01\0\0\x3a\0\0\0\0\0\x09\0\0\x01\0\0\0\x0f\0")),
        (True, delimited(b"\0\x03\0\x0c\0\0\0\x02\0\x07console\0\x01\0\0")),
    ],
    "PostgreSQL": [
        (True, struct.pack(">II", 41, 196608) + b"user\0root\0database\0postgres\0\0"),
        (False, b"R\0\0\0\x08\0\0\0\0S\0\0\0\x16server_version\0" + b"15.5\0Z\0\0\0\x05I"),
        (True, b"Q\0\0\0\x0eselect 1;\0"),
        (False, b"T\0\0\0\x21\0\x01?column?\0" + bytes(18) + b"D\0\0\0\x0b\0\x01\0\0\0\x011"),
    ],
    "LDAP": [
        (True, bytes.fromhex("30 0c 02 01 01 60 07 02 01 03 04 00 80 00")),
        (False, bytes.fromhex("30 0c 02 01 01 61 07 0a 01 00 04 00 04 00")),
    ],
    "DNS over TCP": [
        (True, b"\0\x1d\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x07example\x03com\0\0\x01\0\x01"),
        (False, b"\0\x2d\x12\x34\x81\x80\0\x01\0\x01\0\0\0\0\x07example\x03com\0\0\x01\0\x01"),
    ],
    "zeros": [(True, bytes(3000)), (False, bytes(3000))],
    "text": [(True, LOREM), (False, LOREM[7:])],
}


# What is read, and by its own name: it is HTTP.
READ = {"gRPC", "HTTP with JSON", "HTTP with JSON that is nearly Thrift's"}


def tcp(said: list[tuple[bool, bytes]], opened: bool, cut: int = 0) -> list[Packet]:
    talk = Talk()
    if opened:
        talk.open()
    for by_client, payload in said:
        for at in range(0, len(payload), cut or len(payload)):
            talk.send(by_client, payload[at : at + cut] if cut else payload)
    return talk.close().packets


@pytest.mark.parametrize("cut", [0, 1, 13], ids=["whole", "1", "13"])
@pytest.mark.parametrize("opened", [True, False], ids=["from the start", "in mid-stream"])
@pytest.mark.parametrize("name", TALKS)
def test_no_other_talk_is_called_thrift(name: str, opened: bool, cut: int) -> None:
    capture = read_packets(tcp(TALKS[name], opened, cut))
    assert thrift_in(capture) == []
    assert name in READ or called_in(capture) == []
    # Where it is picked up in mid-stream, it is said how many bytes were passed over.
    assert opened or name in READ or capture.findings == ()
    assert not opened or capture.findings == ()


@pytest.mark.parametrize("name", TALKS)
def test_nor_is_what_follows_in_it(name: str) -> None:
    """From every one of its segments on, as a capture that begins there has it."""
    for begin in range(1, len(TALKS[name])):
        for opened in (False, True):
            capture = read_packets(tcp(TALKS[name][begin:], opened))
            assert thrift_in(capture) == [], begin
            assert name in READ or called_in(capture) == [], begin


def noise(seed: int) -> Iterator[bytes]:
    """Random bytes, of several kinds: any, few different ones, many zeros."""
    rng = random.Random(seed)
    size = rng.choice((10, 100, 1000, 5000))
    yield rng.randbytes(size)
    yield bytes(
        rng.choice(b'\0\0\0\x01\x02\x08\x0b\x0c\x0f\x80\x82\x21[1,"{a') for _ in range(size)
    )
    yield bytes(rng.randrange(256) if rng.random() < 0.2 else 0 for _ in range(size))
    yield delimited(rng.randbytes(size)) + delimited(rng.randbytes(20))


@pytest.mark.parametrize("opened", [True, False], ids=["from the start", "in mid-stream"])
@pytest.mark.parametrize("seed", range(40))
def test_random_bytes_are_not_called_thrift(seed: int, opened: bool) -> None:
    for data, answer in zip(noise(seed), noise(seed + 1000), strict=True):
        capture = read_packets(tcp([(True, data), (False, answer)], opened))
        assert called_in(capture) == [], data.hex()


DNS = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x03www\x07example\x03com\0\0\x01\0\x01"
ANSWER = b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\x5d\xb8\xd8\x22"
SSDP = "HOST: 239.255.255.250:1900"
DATAGRAMS = {
    "DNS": [DNS, DNS[:2] + b"\x81\x80" + DNS[4:] + ANSWER],
    "SSDP": [
        http("M-SEARCH * HTTP/1.1", b"", SSDP, 'MAN: "ssdp:discover"', "MX: 3"),
        http("HTTP/1.1 200 OK", b"", "ST: upnp:rootdevice", "CACHE-CONTROL: max-age=100"),
        http("NOTIFY * HTTP/1.1", b"", SSDP, "NTS: ssdp:alive"),
    ],
    "NTP": [b"\x23\x02\x06\xe8" + bytes(44), b"\x24\x01\x06\xe8" + random.Random(9).randbytes(44)],
    "syslog": [b"<34>1 2026-11-23T09:14:29Z host su - ID47 - 'su root' failed"],
    "StatsD": [b"calls.add:1|c\ncalls.latency:320|ms"],
    "QUIC": [b"\xc3\0\0\0\x01\x08" + random.Random(10).randbytes(1194)],
    "SIP": [b"OPTIONS sip:bob@x.example SIP/2.0\r\nVia: SIP/2.0/UDP a.example\r\n\r\n"],
    "RTP": [b"\x80\x00" + struct.pack(">HII", at, at * 160, 7) + bytes(160) for at in range(9)],
    "RTP, another payload": [b"\x80\x01\0\x01" + struct.pack(">II", 160, 7) + bytes(99)],
    "JSON": [b'[1,"a",2]', b'{"metadata": {}}', b'[1,"add",1,1]'],
    "zeros": [bytes(size) for size in (1, 4, 8, 40)],
    "nothing": [b""],
}  # fmt: skip


@pytest.mark.parametrize("name", DATAGRAMS)
def test_no_other_datagram_is_called_thrift(name: str) -> None:
    capture = read_packets(
        packet(number, ethernet(ipv4(udp(50001, 6831, payload), 17)))
        for number, payload in enumerate(DATAGRAMS[name], 1)
    )
    assert called_in(capture) == []
    assert capture.findings == ()


def test_random_datagrams_are_not_called_thrift() -> None:
    payloads = [data[:1400] for seed in range(200) for data in noise(seed)]
    for payload in payloads:
        capture = read_packets([packet(1, ethernet(ipv4(udp(50001, 6831, payload), 17)))])
        assert called_in(capture) == [], payload.hex()
