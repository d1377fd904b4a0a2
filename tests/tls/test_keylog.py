"""The key log: what its lines mean, what is said of others, and how much is kept of it."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import pytest
from making import call, framed, reply
from tls_talks import STORED, conversation, keys_of, packets_of, talked

from pingpong import read, read_packets
from pingpong.capture import Pipeline, batches
from pingpong.errors import KeyLogError
from pingpong.model import Packet
from pingpong.tls import KeyLog, keylog
from pingpong.wire.capturefile import CaptureFile

RANDOM, SECRET, MASTER = "5a" * 32, "c3" * 32, "d4" * 48


def text(log: KeyLog) -> str:
    return "\n".join(one.text for one in log.findings)


def test_lines_of_both_versions(tmp_path: Path) -> None:
    path = tmp_path / "keys.log"
    path.write_bytes(
        f"# SSL/TLS secrets log file\r\n\r\nCLIENT_RANDOM {RANDOM} {MASTER}\r\n"
        f"CLIENT_TRAFFIC_SECRET_0 {RANDOM.upper()} {SECRET}\n"
        f"EXPORTER_SECRET {RANDOM} {SECRET}\nQUIC_CLIENT_TRAFFIC_SECRET_0 {RANDOM} {SECRET}\n"
        f"RSA {RANDOM[:16]} {MASTER}\nECH_CONFIG {RANDOM} {'ab' * 400}\n"
        f"SERVER_TRAFFIC_SECRET_0 {RANDOM} {MASTER}".encode()
    )
    log = KeyLog()
    log.read(str(path))
    random = bytes.fromhex(RANDOM)
    assert log.secret("CLIENT_RANDOM", random) == bytes.fromhex(MASTER)
    assert log.secret("CLIENT_TRAFFIC_SECRET_0", random) == bytes.fromhex(SECRET)
    assert log.secret("SERVER_TRAFFIC_SECRET_0", random) == bytes.fromhex(MASTER)
    assert log.secret("SERVER_TRAFFIC_SECRET_0", bytes(32)) is None
    assert not log.findings


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (f"CLIENT_RANDOM {RANDOM}", "CLIENT_RANDOM has 1 words behind it, want 2"),
        (f"CLIENT_RANDOM {RANDOM} {SECRET}", "the secret has 64 digits, want 96 hex digits"),
        (f"CLIENT_RANDOM {RANDOM[2:]} {MASTER}", "the random has 62 digits, want 64 hex digits"),
        (f"CLIENT_RANDOM {RANDOM} {MASTER[:-1]}x", "the secret has what is no hex digit"),
        (f"SERVER_TRAFFIC_SECRET_0 {RANDOM} {SECRET}00", "has 66 digits, want 64 or 96"),
        ("client_random 1 2", "is other text"),
        ("-----BEGIN PRIVATE KEY-----", "is a key or a certificate"),
        ("x" * 100_000, "is other text"),
    ],
)
def test_a_line_that_is_wrong_is_said_without_its_secret(line: str, said: str) -> None:
    log = KeyLog()
    log.add(f"CLIENT_RANDOM {RANDOM} {MASTER}\n{line}\n\n{line}\n".encode(), "keys.log")
    assert "2 lines of key logs were not understood, first keys.log, line 2: " in text(log)
    assert said in text(log)
    assert MASTER[:8] not in text(log)
    assert SECRET[:8] not in text(log)


def test_what_is_no_key_log_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyLogError, match="cannot be opened"):
        KeyLog().read(str(tmp_path / "none"))
    with pytest.raises(KeyLogError, match="cannot be"):
        KeyLog().read(str(tmp_path))
    for junk in (b"\0" * 1000, b"hello", b"hello\nworld\n", bytes(range(256)) * 9):
        path = tmp_path / "junk"
        path.write_bytes(junk)
        with pytest.raises(KeyLogError, match=r"is no key log: .*, line 1: is other text"):
            KeyLog().read(str(path))


def test_an_empty_one_is_said(tmp_path: Path) -> None:
    path = tmp_path / "keys.log"
    path.write_bytes(b"")
    log = KeyLog()
    log.read(str(path))
    assert "has no secrets of TLS" in text(log)


def test_a_long_one_takes_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keylog, "MAX_CONNECTIONS", 100)
    log = KeyLog()
    for number in range(250):
        log.add(f"CLIENT_RANDOM {number:064x} {MASTER}\n".encode(), "here")
    assert len(log) == 100
    assert "those of the first 150 were not kept" in text(log)
    assert log.has((249).to_bytes(32, "big"))
    lines = keylog._Lines("long")
    for _ in range(100):
        assert not list(lines.feed(b"y" * 65_536))
    assert len(lines.rest) == keylog.MAX_LINE + 1


# ── Blocks of a pcapng ───────────────────────────────────────────────────────────────

SAID = [(True, framed(call("one", 1))), (False, framed(reply("one", 1)))]
TLS_KEYS, SSH_KEYS = 0x544C534B, 0x5353484B


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    body += bytes(-len(body) % 4)
    size = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + size + body + size


def secrets(keys: bytes, order: str = "<", kind: int = TLS_KEYS, more: int = 0) -> bytes:
    return block(10, struct.pack(order + "II", kind, len(keys) + more) + keys, order)


def of(packet: Packet, order: str = "<") -> bytes:
    high, low = divmod(packet.time // 1000, 1 << 32)
    head = struct.pack(order + "IIIII", 0, high, low, len(packet.data), packet.length)
    return block(6, head + packet.data, order)


def written(*blocks: bytes, order: str = "<") -> bytes:
    begin = block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)
    begin += block(1, struct.pack(order + "HHI", 1, 0, 0), order)
    return begin + b"".join(blocks)


def pcapng(*blocks: bytes, order: str = "<") -> CaptureFile:
    data = written(*blocks, order=order)
    return CaptureFile(io.BufferedReader(io.BytesIO(data)), "x.pcapng")


@pytest.mark.parametrize("order", ["<", ">"])
def test_the_secrets_of_a_pcapng_are_used_by_themselves(order: str) -> None:
    sealed, keys = conversation(SAID)
    packets = talked(sealed)
    file = pcapng(secrets(keys, order), *(of(one, order) for one in packets), order=order)
    capture = read_packets(file)
    assert [one.method for one in capture.messages] == ["one", "one"]
    assert not capture.findings


def test_secrets_that_stand_behind_their_packets() -> None:
    """What waits is opened when they come; what has ended by then is said to be closed."""
    sealed, keys = conversation(SAID)
    packets = talked(sealed)
    for at in range(len(packets) + 1):
        parts = [of(one) for one in packets]
        file, pipeline = pcapng(*parts[:at], secrets(keys), *parts[at:]), Pipeline()
        pipeline.use_secrets_of(file)
        found = [one.method for batch in batches(file, pipeline) for one in batch]
        # The connection has ended with its second FIN, the last packet but one.
        assert found == (["one", "one"] if at < len(packets) - 1 else [])
        text = "\n".join(one.text for one in pipeline.findings)
        assert ("came behind what they would have opened" in text) is not bool(found)


def test_the_capture_itself_can_be_named_as_the_key_log(tmp_path: Path) -> None:
    sealed, keys = conversation(SAID)
    path = tmp_path / "behind.pcapng"
    # So many packets that they are not all read before the secrets are.
    idle = [of(one) for one in talked([(True, bytes(1000))] * 300)]
    path.write_bytes(written(*(of(one) for one in talked(sealed)), *idle, secrets(keys)))
    assert not read(path).messages
    assert [one.method for one in read(path, keys=path).messages] == ["one", "one"]


def test_other_secrets_and_bad_blocks_are_passed_over() -> None:
    sealed, keys = conversation(SAID)
    parts = [of(one) for one in talked(sealed)]
    for odd in (
        secrets(keys, kind=SSH_KEYS),
        secrets(keys, more=1000),
        block(10, b""),
        block(10, b"KSLT"),
        secrets(b"\xff" * 1000),
    ):
        capture = read_packets(pcapng(odd, *parts))
        assert not capture.messages
        assert [one.method for one in read_packets(pcapng(odd, secrets(keys), *parts)).messages]


def test_without_any_secret_little_waits_and_nothing_is_said() -> None:
    name = "13_aes256"
    pipeline = Pipeline()
    pipeline.use_secrets_of(pcapng())
    for _ in range(3):
        for packet in packets_of(name):
            pipeline.take(packet)
    pipeline.close()
    assert not [one for one in pipeline.findings if "TLS" in one.text]
    assert all(not flow.shut for flow in pipeline.flows)


def test_a_redacted_capture_stays_closed() -> None:
    sealed, keys = conversation(SAID)
    packets = talked(sealed)
    capture = read_packets(pcapng(secrets(keys), *map(of, packets)), redact=["*.*"])
    assert not capture.messages
    inside = {one[54:] for packet in packets if len(one := packet.data) > 54}
    assert not inside & {packet.data[54:] for packet in capture.packets}


def test_several_key_logs() -> None:
    paths = [keys_of("12_aes128"), keys_of("13_aes128")]
    for name in ("12_aes128", "13_aes128"):
        assert read(STORED / f"{name}.pcap", keys=paths).messages
