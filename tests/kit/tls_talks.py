"""Conversations in TLS: stored ones, ones that OpenSSL makes of others, and ones written by hand.

stored     tests/kit/tls/*.pcap with their key logs
wrapped    what two ends say, through Python's ``ssl`` in memory: OpenSSL writes the records
Sealer     records with secrets that are chosen here, for what OpenSSL does not do by itself
"""

from __future__ import annotations

import contextlib
import hashlib
import random
import ssl
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from making import Talk
from places import KIT

from pingpong.live.tls import make_certificate
from pingpong.model import Packet
from pingpong.wire.capturefile import open_capture

Said = tuple[bool, bytes]  # by the client?

STORED = KIT / "tls"
NAMES = sorted(path.stem for path in STORED.glob("*.pcap"))


def packets_of(name: str) -> list[Packet]:
    with open_capture(STORED / f"{name}.pcap") as file:
        return list(file)


def keys_of(name: str) -> str:
    return str(STORED / f"{name}.keys")


# ── OpenSSL ──────────────────────────────────────────────────────────────────────────


@cache
def certificate() -> tuple[str, str]:
    return make_certificate()


def wrapped(
    said: Iterable[Said], folder: Path, version: ssl.TLSVersion, cipher: str = ""
) -> tuple[list[Said], str]:
    """The records of a connection in which that is said, and the path of its key log."""
    text, key = certificate()
    pem = folder / "server.pem"
    pem.write_text(key + text)
    here = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    here.load_cert_chain(pem)
    there = ssl.create_default_context(cadata=text)
    there.minimum_version = there.maximum_version = version
    if cipher:
        for context in (here, there):
            context.set_ciphers(cipher)
    log = folder / "keys.log"
    there.keylog_filename = str(log)
    # What an end sends is recorded on its way into what comes to the other.
    going = {True: ssl.MemoryBIO(), False: ssl.MemoryBIO()}
    coming = {True: ssl.MemoryBIO(), False: ssl.MemoryBIO()}
    ends = {
        True: there.wrap_bio(coming[True], going[True], server_hostname="localhost"),
        False: here.wrap_bio(coming[False], going[False], server_side=True),
    }
    out: list[Said] = []

    def move() -> None:
        for by_client in (True, False):
            data = going[by_client].read()
            if data:
                out.append((by_client, data))
                coming[not by_client].write(data)

    done = {True: False, False: False}
    while not all(done.values()):
        for by_client, end in ends.items():
            try:
                end.do_handshake()
                done[by_client] = True
            except ssl.SSLWantReadError:
                pass
            move()
    for by_client, data in said:
        ends[by_client].write(data)
        move()
        got = b""
        while len(got) < len(data):
            got += ends[not by_client].read(len(data))
        assert got == data
    for by_client in (True, False):
        with contextlib.suppress(ssl.SSLWantReadError):
            ends[by_client].unwrap()
        move()
    return out, str(log)


def talked(said: Iterable[Said], size: int = 0) -> list[Packet]:
    """The packets of a connection in which that is said, ``size`` bytes in each."""
    talk = Talk().open()
    for by_client, data in said:
        step = size or len(data)
        for at in range(0, len(data), max(step, 1)):
            talk.send(by_client, data[at : at + step])
    return talk.close().packets


# ── By hand ──────────────────────────────────────────────────────────────────────────

CIPHERS = {0x1301: 16, 0x1302: 32, 0x1303: 32, 0x1304: 16, 0x1305: 16}


class Sealer:
    """Both ends of a connection of TLS 1.3, whose secrets come from a random number.

    ``seal`` gives the next record of an end; ``keys`` are the lines of its key log.
    """

    def __init__(self, seed: int = 1, suite: int = 0x1301) -> None:
        rng = random.Random(f"tls {seed}")
        self.suite = suite
        self.random = rng.randbytes(32)
        self._hash = hashes.SHA384() if suite == 0x1302 else hashes.SHA256()
        size = self._hash.digest_size
        self.secrets = {
            label: rng.randbytes(size)
            for label in (
                "CLIENT_EARLY_TRAFFIC_SECRET",
                "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
                "SERVER_HANDSHAKE_TRAFFIC_SECRET",
                "CLIENT_TRAFFIC_SECRET_0",
                "SERVER_TRAFFIC_SECRET_0",
            )
        }
        self._now = dict(self.secrets)
        self._numbers = dict.fromkeys(self.secrets, 0)

    @property
    def keys(self) -> bytes:
        lines = (f"{one} {self.random.hex()} {key.hex()}\n" for one, key in self.secrets.items())
        return "".join(lines).encode()

    def hellos(self, early: bool = False) -> list[Said]:
        """Both hellos, as far as anybody reads them."""
        extensions = _extension(43, b"\x02\x03\x04")
        if early:
            extensions += _extension(42, b"")
        client = b"\3\3" + self.random + b"\0" + _sized(2, self.suite.to_bytes(2, "big"))
        client += b"\1\0" + _sized(2, extensions)
        server = b"\3\3" + hashlib.sha256(self.random).digest() + b"\0"
        server += self.suite.to_bytes(2, "big") + b"\0" + _sized(2, _extension(43, b"\3\4"))
        return [
            (True, record(22, handshake(1, client))),
            (False, record(22, handshake(2, server))),
        ]

    def handshakes(self, *extensions: bytes) -> list[Said]:
        """The encrypted part of a handshake: what the server says, then what the client does."""
        told = handshake(8, _sized(2, b"".join(extensions))) + handshake(20, bytes(32))
        return [
            (False, self.seal("SERVER_HANDSHAKE_TRAFFIC_SECRET", told, 22)),
            (True, self.seal("CLIENT_HANDSHAKE_TRAFFIC_SECRET", handshake(20, bytes(32)), 22)),
        ]

    def data(self, by_client: bool, data: bytes, padding: int = 0) -> Said:
        label = "CLIENT_TRAFFIC_SECRET_0" if by_client else "SERVER_TRAFFIC_SECRET_0"
        return by_client, self.seal(label, data, 23, padding)

    def update(self, by_client: bool) -> Said:
        """A KeyUpdate: what follows has the next key."""
        label = "CLIENT_TRAFFIC_SECRET_0" if by_client else "SERVER_TRAFFIC_SECRET_0"
        sent = self.seal(label, handshake(24, b"\0"), 22)
        size = self._hash.digest_size
        self._now[label] = self._expand(self._now[label], b"traffic upd", size)
        self._numbers[label] = 0
        return by_client, sent

    def seal(self, label: str, data: bytes, kind: int, padding: int = 0) -> bytes:
        inside = data + bytes((kind,)) + bytes(padding)
        tag = 8 if self.suite == 0x1305 else 16
        head = b"\x17\x03\x03" + (len(inside) + tag).to_bytes(2, "big")
        secret = self._now[label]
        key = self._expand(secret, b"key", CIPHERS[self.suite])
        iv = int.from_bytes(self._expand(secret, b"iv", 12), "big")
        nonce = (iv ^ self._numbers[label]).to_bytes(12, "big")
        self._numbers[label] += 1
        cipher: AESGCM | ChaCha20Poly1305 | AESCCM
        if self.suite in (0x1301, 0x1302):
            cipher = AESGCM(key)
        elif self.suite == 0x1303:
            cipher = ChaCha20Poly1305(key)
        else:
            cipher = AESCCM(key, tag)
        return head + cipher.encrypt(nonce, inside, head)

    def _expand(self, secret: bytes, label: bytes, size: int) -> bytes:
        info = size.to_bytes(2, "big") + _sized(1, b"tls13 " + label) + b"\0"
        return HKDFExpand(self._hash, size, info).derive(secret)


def conversation(
    said: Iterable[Said], seed: int = 1, suite: int = 0x1301
) -> tuple[list[Said], bytes]:
    """A whole connection in which that is said, a record for each, and its key log."""
    sealer = Sealer(seed, suite)
    out = [*sealer.hellos(), *sealer.handshakes()]
    out += [sealer.data(by_client, data) for by_client, data in said]
    return out, sealer.keys


def record(kind: int, body: bytes, version: bytes = b"\3\3") -> bytes:
    return bytes((kind,)) + version + len(body).to_bytes(2, "big") + body


def handshake(kind: int, body: bytes) -> bytes:
    return bytes((kind,)) + len(body).to_bytes(3, "big") + body


def _extension(number: int, body: bytes) -> bytes:
    return number.to_bytes(2, "big") + _sized(2, body)


def _sized(width: int, body: bytes) -> bytes:
    return len(body).to_bytes(width, "big") + body


def records_of(data: bytes) -> Iterator[bytes]:
    """The records that bytes are made of."""
    at = 0
    while at < len(data):
        stop = at + 5 + int.from_bytes(data[at + 3 : at + 5], "big")
        yield data[at:stop]
        at = stop


# What the server says of early data that it takes.
EARLY_TAKEN = _extension(42, b"")
