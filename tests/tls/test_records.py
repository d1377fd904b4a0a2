"""TLS with a key log: what is inside is read as if it had not been encrypted, or why not.

OpenSSL writes the records of what is stored and of what is wrapped; tshark opens them as well.
"""

from __future__ import annotations

import json
import re
import shutil
import ssl
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

pytest.importorskip("cryptography", reason="TLS is opened with cryptography")

import http2s
import relatives
from making import call, framed, reply
from shell import run
from tls_talks import (
    CIPHERS,
    EARLY_TAKEN,
    NAMES,
    STORED,
    Said,
    Sealer,
    conversation,
    handshake,
    keys_of,
    packets_of,
    record,
    records_of,
    talked,
    wrapped,
)

from pingpong import read, read_packets
from pingpong.capture import Capture, Pipeline
from pingpong.errors import KeyLogError
from pingpong.model import Chunk, Gap, Message, Outcome, Packet
from pingpong.tls import KeyLog, Opener, records
from pingpong.verdicts.verdict import Kind
from pingpong.wire.streams import Piece

FOO = [
    *((1, "CALL", "ping"), (1, "REPLY", "ping")),
    *((1, "CALL", "login"), (1, "REPLY", "login")),
    *((1, "CALL", "login"), (1, "REPLY", "login")),
]
TWO = [(1, "CALL", "alpha"), (1, "REPLY", "alpha"), (1, "CALL", "beta"), (1, "REPLY", "beta")]
HELD = {
    "12_aes128": ("TLS 1.2 (TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256)", FOO),
    "12_aes256": ("TLS 1.2 (TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384)", FOO),
    "12_cbc": ("", []),
    "12_ccm": ("TLS 1.2 (TLS_RSA_WITH_AES_128_CCM)", FOO),
    "12_ccm8": ("TLS 1.2 (TLS_RSA_WITH_AES_256_CCM_8)", FOO),
    "12_chacha": ("TLS 1.2 (TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256)", FOO),
    "12_renegotiated": ("TLS 1.2 (TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384)", TWO),
    "12_resumed": (
        "TLS 1.2 (TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384)",
        [
            (1, "CALL", "alpha"),
            *((2, "REPLY", "alpha"), (2, "CALL", "beta"), (2, "REPLY", "beta")),
        ],
    ),
    "12_rsa": ("TLS 1.2 (TLS_RSA_WITH_AES_128_GCM_SHA256)", FOO),
    "13_aes128": ("TLS 1.3 (TLS_AES_128_GCM_SHA256)", TWO),
    "13_aes256": ("TLS 1.3 (TLS_AES_256_GCM_SHA384)", FOO),
    "13_chacha": ("TLS 1.3 (TLS_CHACHA20_POLY1305_SHA256)", TWO),
    "13_early": (
        "TLS 1.3 (TLS_AES_256_GCM_SHA384)",
        [
            *((1, "CALL", "alpha"), (2, "CALL", "gamma"), (2, "REPLY", "alpha")),
            *((2, "REPLY", "beta"), (2, "CALL", "beta")),
        ],
    ),
    "13_early_refused": (
        "TLS 1.3 (TLS_AES_256_GCM_SHA384)",
        [
            *((1, "CALL", "alpha"), (2, "REPLY", "alpha")),
            *((2, "REPLY", "beta"), (2, "CALL", "beta")),
        ],
    ),
    "13_hello_retry": ("TLS 1.3 (TLS_AES_256_GCM_SHA384)", TWO),
    "13_key_update": (
        "TLS 1.3 (TLS_AES_256_GCM_SHA384)",
        [
            *((1, "CALL", "alpha"), (1, "REPLY", "alpha"), (1, "REPLY", "beta")),
            *((1, "CALL", "beta"), (1, "CALL", "gamma")),
        ],
    ),
    "http2": (
        "TLS 1.3 (TLS_AES_256_GCM_SHA384)",
        [
            *((1, "CALL", "GET /login.json"), (1, "REPLY", "GET /login.json")),
            *((2, "CALL", "GET /none"), (2, "EXCEPTION", "GET /none")),
        ],
    ),
}


def told(messages: Iterable[Message]) -> list[tuple[int, str, str]]:
    return [(one.flow, one.type.name, one.method) for one in messages]


def texts(capture: Capture) -> str:
    return "\n".join(one.text for one in capture.findings)


def log_of(lines: bytes) -> KeyLog:
    log = KeyLog()
    log.add(lines, "here")
    return log


def plain_of(packets: list[Packet], log: KeyLog) -> dict[bool, bytes]:
    """What was inside of the first connection, by direction."""
    out = {True: b"", False: b""}
    opener = Opener(log, lambda data: 0).connection(True)
    from pingpong.wire.link import Peeler
    from pingpong.wire.streams import Connections

    peeler, connections = Peeler(), Connections()
    for packet in packets:
        segment = peeler.segment(packet)
        assert segment is not None
        connection, _ = connections.of(segment)
        if connection.flow.number != 1:
            break
        for by_client, pieces in zip((True, False), connection.add(segment)[:2], strict=True):
            opener.feed(by_client, pieces)
    opener.close()
    for by_client, piece in opener.opened:
        assert isinstance(piece, Chunk)
        assert piece.offset == len(out[by_client])
        out[by_client] += piece.data
    return out


# ── What OpenSSL wrote ───────────────────────────────────────────────────────────────


def test_every_stored_capture_has_its_answer() -> None:
    assert sorted(HELD) == NAMES


@pytest.mark.parametrize("name", HELD)
def test_what_is_stored_is_opened(name: str) -> None:
    words, messages = HELD[name]
    capture = read(STORED / f"{name}.pcap", keys=keys_of(name))
    assert told(capture.messages) == messages
    assert capture.flows[0].tls == words
    assert all(one.tls for one in capture.messages)
    assert not [one for one in capture.messages if one.findings]
    # The packets are those in which records end; they come in order.
    for one in capture.messages:
        packet = capture.steps[one.packets[-1] - 1].packet
        assert packet is not None
        assert packet.time == one.end_time
    # A stranger sees nothing.
    closed = read(STORED / f"{name}.pcap")
    assert not closed.messages
    assert closed.flows[0].tls == closed.flows[0].shut == ""


@pytest.mark.once
@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is the witness")
@pytest.mark.parametrize("name", ["12_chacha", "13_hello_retry", "13_key_update"])
def test_tshark_opens_the_same_bytes(name: str) -> None:
    port = packets_of(name)[0].data[36:38]
    done = subprocess.run(
        [
            *("tshark", "-r", str(STORED / f"{name}.pcap"), "-q"),
            *("-o", f"tls.keylog_file:{keys_of(name)}"),
            *("-d", f"tcp.port=={int.from_bytes(port, 'big')},tls", "-z", "follow,tls,raw,0"),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    out = {True: b"", False: b""}
    for line in done.stdout.splitlines():
        if re.fullmatch(r"\t?[0-9a-f]+", line):
            out[not line.startswith("\t")] += bytes.fromhex(line.strip())
    log = KeyLog()
    log.read(keys_of(name))
    # Which of its nodes is the client, tshark decides by who speaks first inside.
    assert sorted(plain_of(packets_of(name), log).values()) == sorted(out.values())
    assert any(out.values())


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("grpc_py_rich", ssl.TLSVersion.TLSv1_3),
        ("grpc_py_stream", ssl.TLSVersion.TLSv1_2),
        ("h2_nghttp", ssl.TLSVersion.TLSv1_3),
        ("dubbo2_java_rich", ssl.TLSVersion.TLSv1_2),
    ],
)
def test_any_family_is_read_as_without(name: str, version: ssl.TLSVersion, tmp_path: Path) -> None:
    """The same conversation, once as it is and once inside OpenSSL's records."""
    path = relatives.path_of("relatives", name)
    said = http2s.conversations(path)[0]
    sealed, keys = wrapped(said, tmp_path, version)
    bare = read_packets(talked(said))
    opened = read_packets(talked(sealed), keys=keys)
    assert bare.messages
    assert [one.data for one in opened.messages] == [one.data for one in bare.messages]
    assert [one.layout for one in opened.messages] == [one.layout for one in bare.messages]
    assert [one.offset for one in opened.messages] == [one.offset for one in bare.messages]
    assert [one.outcome for one in opened.exchanges] == [one.outcome for one in bare.exchanges]
    assert opened.diagnosis.is_trouble == bare.diagnosis.is_trouble
    small = read_packets(talked(sealed, 501), keys=keys)
    assert [one.data for one in small.messages] == [one.data for one in bare.messages]


# ── How it was cut, and what was lost ────────────────────────────────────────────────

SAID: list[Said] = [
    (True, framed(call("one", 1))),
    (False, framed(reply("one", 1))),
    (True, framed(call("two", 2)) + framed(call("three", 3))),
    (False, framed(reply("two", 2))),
    (False, framed(reply("three", 3))),
    (True, framed(call("four", 4))[:9]),
    (True, framed(call("four", 4))[9:]),
    (False, framed(reply("four", 4))),
]
PLAIN = [
    *((1, "CALL", "one"), (1, "REPLY", "one"), (1, "CALL", "two"), (1, "CALL", "three")),
    *((1, "REPLY", "two"), (1, "REPLY", "three"), (1, "CALL", "four"), (1, "REPLY", "four")),
]


@pytest.mark.parametrize("suite", CIPHERS)
def test_each_suite_of_tls_13(suite: int) -> None:
    sealed, keys = conversation(SAID, suite=suite)
    assert told(read_packets(talked(sealed), keys=log_of(keys)).messages) == PLAIN


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 6, 7, 11, 13, 21, 22, 23, 29, 64])
def test_how_it_was_cut_does_not_matter(size: int) -> None:
    sealed, keys = conversation(SAID)
    assert told(read_packets(talked(sealed, size), keys=log_of(keys)).messages) == PLAIN


@pytest.mark.parametrize("name", ["12_aes128", "13_chacha", "13_early"])
def test_segments_of_any_size(name: str) -> None:
    for at, said in enumerate(http2s.conversations(STORED / f"{name}.pcap")):
        log = KeyLog()
        log.read(keys_of(name))
        wanted = [(kind, method) for flow, kind, method in HELD[name][1] if flow == at + 1]
        for size in (1, 5, 100):
            got = read_packets(talked(said, size), keys=log).messages
            assert sorted((one.type.name, one.method) for one in got) == sorted(wanted)


def test_several_records_in_a_segment_and_padding() -> None:
    sealer = Sealer()
    sent = b"".join(
        sealer.data(True, data, padding)[1]
        for data, padding in (
            (framed(call("one", 1))[:3], 0),
            (b"", 40),
            (framed(call("one", 1))[3:], 1000),
            (framed(call("two", 2)), 1),
        )
    )
    sealed = [*sealer.hellos(), *sealer.handshakes(), (True, sent)]
    got = read_packets(talked(sealed), keys=log_of(sealer.keys)).messages
    assert told(got) == [(1, "CALL", "one"), (1, "CALL", "two")]


def _without(packets: list[Packet], gone: range) -> list[Packet]:
    return [one for one in packets if one.number not in gone]


@pytest.mark.parametrize("name", ["12_aes128", "13_key_update", "http2"])
def test_any_packet_may_be_lost(name: str) -> None:
    """What is told is told by the tags: less than before, and nothing else."""
    packets = packets_of(name)
    messages = read_packets(packets, keys=keys_of(name)).messages
    whole = {(one.flow, one.from_client, one.data) for one in messages}
    most = 0
    for number in range(1, len(packets) + 1):
        capture = read_packets(_without(packets, range(number, number + 1)), keys=keys_of(name))
        for one in capture.messages:
            if not one.cut and not one.gaps and one.header.method:
                assert (
                    one.type.name == "EVENT"
                    or "http2" in name
                    or ((one.flow, one.from_client, one.data) in whole)
                )
        most = max(most, len(capture.messages))
    assert most == len(messages)


def test_it_goes_on_behind_a_loss() -> None:
    said = [(True, framed(call(f"method{at}", at))) for at in range(40)]
    sealed, keys = conversation(said)
    packets = talked(sealed)
    at = len(packets) - 3 - 30
    for gone in (range(at, at + 1), range(at, at + 7)):
        capture = read_packets(_without(packets, gone), keys=log_of(keys))
        lost = {f"method{one - 8}" for one in gone}
        wanted = [f"method{one}" for one in range(40) if f"method{one}" not in lost]
        assert [one.method for one in capture.messages] == wanted
        assert capture.flows[0].lost
        assert not capture.flows[0].shut


def test_a_loss_is_told_as_without_tls() -> None:
    """The same packet of the same conversation is lost, with TLS around it and without."""
    sealed, keys = conversation(SAID)
    bare, opened = talked(SAID), talked(sealed)
    around = len(sealed) - len(SAID)
    for number in range(4, len(bare) + 1):
        told = []
        for packets, gone in ((bare, number), (opened, number + around)):
            capture = read_packets(_without(packets, range(gone, gone + 1)), keys=log_of(keys))
            told.append([(one.method, one.outcome) for one in capture.exchanges])
        # The half of a message that goes on behind a loss is cut here, and may be whole there.
        assert told[0] == told[1] or number in (9, 10), number


def test_behind_a_loss_a_key_update_is_found() -> None:
    sealer = Sealer()
    sealed = [*sealer.hellos(), *sealer.handshakes(), sealer.data(True, framed(call("one", 1)))]
    sealed += [sealer.update(True), sealer.data(True, framed(call("two", 2)))]
    sealed += [sealer.data(True, framed(call("three", 3)))]
    packets = talked(sealed)
    capture = read_packets(_without(packets, range(9, 10)), keys=log_of(sealer.keys))
    assert [one.method for one in capture.messages] == ["one", "two", "three"]


def test_the_length_of_what_is_lost_is_not_believed() -> None:
    """The bytes on the wire are more than those inside: no filler of that length is put there."""
    big = framed(call("a" * 50, 1) + b"")
    said = [(True, big[:30]), (True, big[30:]), (True, framed(call("two", 2)))]
    sealed, keys = conversation(said)
    capture = read_packets(_without(talked(sealed), range(9, 10)), keys=log_of(keys))
    assert [one.method for one in capture.messages if not one.cut] == ["two"]
    assert not [one for one in capture.messages if one.gaps]


def test_hostile_losses_cost_a_bounded_number_of_tries() -> None:
    sealed, keys = conversation([(True, b"x" * 40) for _ in range(300)])
    log = log_of(keys)
    opener = Opener(log, lambda data: 0)
    tls = opener.connection(True)
    offset = {True: 0, False: 0}
    for at, (by_client, data) in enumerate(sealed):
        pieces: list[Piece] = [Chunk(offset[by_client], data)]
        offset[by_client] += len(data)
        if at > 4:
            # Wrong bytes behind a loss that could hide thousands of records.
            pieces = [
                Gap(offset[by_client], 1 << 20),
                Chunk(offset[by_client], data[:5] + bytes(len(data) - 5)),
            ]
            opener.effort = min(opener.effort, 1 << 20)
        tls.feed(by_client, pieces)
    assert opener.effort < 1 << 20  # it was spent, and no more than that


# ── What cannot be opened ────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["12_aes128", "13_aes128", "http2"])
def test_the_secret_that_is_missing_is_named(name: str) -> None:
    lines = Path(keys_of(name)).read_bytes().splitlines(keepends=True)
    for label in sorted({line.split()[0] for line in lines}):
        left = b"".join(line for line in lines if line.split()[0] != label)
        capture = read_packets(
            packets_of(name), keys=log_of(left + b"CLIENT_RANDOM %b %b\n" % (b"0" * 64, b"0" * 96))
        )
        said = texts(capture)
        if b"HANDSHAKE" in label:
            # Nothing but certificates is in it.
            assert told(capture.messages) == HELD[name][1]
            assert not any(flow.shut for flow in capture.flows)
            continue
        assert label.decode() in said
        assert re.search(r"for client random [0-9a-f]{64}", said)
        assert len(capture.messages) < len(HELD[name][1])


def test_with_one_end_alone_the_other_is_lost_and_not_silent() -> None:
    name = "13_aes128"
    lines = Path(keys_of(name)).read_bytes().splitlines(keepends=True)
    left = b"".join(line for line in lines if b"SERVER_TRAFFIC" not in line)
    capture = read_packets(packets_of(name), keys=log_of(left))
    assert [one.method for one in capture.messages] == ["alpha", "beta"]
    assert {one.outcome for one in capture.exchanges} == {Outcome.UNREADABLE}
    assert "opened in part: from the server" in texts(capture)


@pytest.mark.parametrize(
    ("label", "how", "why"),
    [
        (b"CLIENT_TRAFFIC_SECRET_0", "gone", "the client's TLS was not opened: no CLIENT_"),
        (b"SERVER_TRAFFIC_SECRET_0", "gone", "the server's TLS was not opened: no SERVER_"),
        (b"SERVER_TRAFFIC_SECRET_0", "wrong", "the server's TLS was not opened: a wrong SERVER_"),
    ],
)
def test_what_is_shut_is_no_loss_of_the_capture(label: bytes, how: str, why: str) -> None:
    name = "13_aes128"
    lines = Path(keys_of(name)).read_bytes().splitlines(keepends=True)
    if how == "gone":
        lines = [one for one in lines if not one.startswith(label)]
    else:
        lines = [one[:-9] + b"00000000\n" if one.startswith(label) else one for one in lines]
    capture = read_packets(packets_of(name), keys=log_of(b"".join(lines)))
    assert {flow.lost for flow in capture.flows} == {0}
    assert capture.exchanges
    assert all(one.why.startswith(why) for one in capture.exchanges)
    kinds = {one.kind for one in capture.diagnosis.verdicts}
    assert Kind.OPENED_IN_PART in kinds
    assert not kinds & {Kind.LOST_PACKETS, Kind.UNREADABLE}


@pytest.mark.parametrize("name", [name for name in HELD if HELD[name][1]])
def test_a_wrong_secret_is_said_and_shows_nothing(name: str) -> None:
    lines = Path(keys_of(name)).read_bytes().splitlines()
    wrong = b"".join(
        b"%b %b %b\n" % (label, random, b"ab" * (len(secret) // 2))
        for label, random, secret in (line.split() for line in lines)
    )
    capture = read_packets(packets_of(name), keys=log_of(wrong))
    assert not capture.messages
    assert "the tag of the first record does not agree" in texts(capture)


def test_a_suite_without_tags_is_named() -> None:
    capture = read(STORED / "12_cbc.pcap", keys=keys_of("12_cbc"))
    assert "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA (0xc013) is no AEAD" in texts(capture)


@pytest.mark.parametrize(
    ("version", "said"),
    [(b"\3\1", "TLS 1.0 connection"), (b"\3\2", "TLS 1.1 connection"), (b"\3\0", "SSL 3.0 conn")],
)
def test_older_versions_are_named(version: bytes, said: str) -> None:
    sealer = Sealer()
    client = sealer.hellos()[0]
    server = version + bytes(32) + b"\0\0\x2f\0"
    sealed = [client, (False, record(22, handshake(2, server)))]
    capture = read_packets(talked(sealed), keys=log_of(sealer.keys))
    assert said in texts(capture)
    assert "no AEAD" in texts(capture)


@pytest.mark.parametrize("name", ["12_aes128", "13_aes128"])
def test_without_its_handshake(name: str) -> None:
    packets = packets_of(name)
    for first in range(5, len(packets)):
        capture = read_packets(packets[first:], keys=keys_of(name))
        assert not capture.messages
        held = [one for one in packets[first:] if len(one.data) > 70]
        if len(held) > 3:
            assert "its handshake is not in the capture" in texts(capture)


def test_lost_hellos_are_said() -> None:
    packets = packets_of("13_aes256")
    for number in (4, 6):
        capture = read_packets(
            _without(packets, range(number, number + 1)), keys=keys_of("13_aes256")
        )
        assert not capture.messages
        assert "handshake" in texts(capture)


def test_alerts_that_tell_of_a_fault_are_told() -> None:
    sealer = Sealer()
    sealed = [*sealer.hellos(), *sealer.handshakes()]
    sealed += [sealer.data(True, framed(call("one", 1)))]
    sealed += [(True, sealer.seal("CLIENT_TRAFFIC_SECRET_0", b"\2\x30", 21))]
    capture = read_packets(talked(sealed), keys=log_of(sealer.keys))
    assert "the client sent the TLS alert unknown_ca (48)" in texts(capture)


@pytest.mark.parametrize("taken", [True, False, None])
def test_early_data_counts_if_the_server_takes_it(taken: bool | None) -> None:
    sealer = Sealer()
    early = sealer.seal("CLIENT_EARLY_TRAFFIC_SECRET", framed(call("early", 1)), 23)
    end = sealer.seal("CLIENT_EARLY_TRAFFIC_SECRET", handshake(5, b""), 22)
    client, server = sealer.hellos(early=True)
    said, finished = sealer.handshakes(*((EARLY_TAKEN,) if taken else ()))
    sealed = [client, (True, early), server, said]
    sealed += [(True, end)] if taken else []
    sealed += [finished, sealer.data(True, framed(call("later", 2)))]
    lines = sealer.keys
    if taken is None:
        lines = b"".join(one for one in lines.splitlines(True) if b"EARLY" not in one)
    capture = read_packets(talked(sealed), keys=log_of(lines))
    methods = [one.method for one in capture.messages]
    assert methods == (["early", "later"] if taken else ["later"])
    notes = "the server did not take the client's early data" in texts(capture)
    assert notes is (taken is False)


def test_early_data_whose_secret_is_missing_is_a_loss() -> None:
    sealer = Sealer()
    early = sealer.seal("CLIENT_EARLY_TRAFFIC_SECRET", framed(call("early", 1)), 23)
    end = sealer.seal("CLIENT_EARLY_TRAFFIC_SECRET", handshake(5, b""), 22)
    client, server = sealer.hellos(early=True)
    said, finished = sealer.handshakes(EARLY_TAKEN)
    sealed = [client, (True, early), server, said, (True, end), finished]
    sealed += [sealer.data(True, framed(call("later", 2)))]
    lines = b"".join(one for one in sealer.keys.splitlines(True) if b"EARLY" not in one)
    capture = read_packets(talked(sealed), keys=log_of(lines))
    assert [one.method for one in capture.messages] == ["later"]
    assert capture.flows[0].from_client.lost


# ── When secrets come ────────────────────────────────────────────────────────────────


def test_secrets_that_come_later_open_what_waits() -> None:
    sealed, keys = conversation(SAID)
    packets = talked(sealed)
    for late in range(1, len(packets)):
        log = KeyLog()
        pipeline = Pipeline(keys=log)
        found: list[Message] = []
        for packet in packets:
            if packet.number == late:
                log.add(keys, "later")
            found += pipeline.take(packet)
        found += pipeline.close().messages
        assert sorted(told(found)) == sorted(PLAIN)


def test_a_key_log_that_grows_is_read_on(tmp_path: Path) -> None:
    sealed, keys = conversation(SAID)
    packets = talked(sealed)
    path = tmp_path / "keys.log"
    path.write_bytes(b"# nothing yet\n" + keys[:100])
    log = KeyLog()
    log.read(str(path))
    pipeline = Pipeline(keys=log)
    found: list[Message] = []
    for packet in packets:
        if packet.number == 9:
            with path.open("ab") as file:
                file.write(keys[100:])
        found += pipeline.take(packet)
    assert told(found) == PLAIN
    assert not pipeline.of_packets


def test_what_waits_is_bounded() -> None:
    sealer = Sealer()
    sealed = [*sealer.hellos(), *sealer.handshakes()]
    sealed += [sealer.data(True, bytes(16_000)) for _ in range(40)]
    log = log_of(b"CLIENT_RANDOM %b %b\n" % (b"0" * 64, b"0" * 96))
    pipeline = Pipeline(keys=log)
    most = 0
    for packet in talked(sealed, 1400)[:-3]:
        pipeline.take(packet)
        most = max(most, pipeline._waiting)
    assert most < 2 * records.MAX_HELD
    log.add(sealer.keys, "much later")
    pipeline.close()
    said = "\n".join(one.text for one in pipeline.findings)
    assert "came when too much waited for it" in said
    assert "secrets of a connection came behind what they would have opened" in said


def test_keys_and_redaction_do_not_go_together() -> None:
    sealed, keys = conversation(SAID)
    with pytest.raises(ValueError, match="stays hidden"):
        read_packets(talked(sealed), keys=log_of(keys), redact=["*.*"])


def test_behind_a_proxy_header() -> None:
    sealed, keys = conversation(SAID)
    line = b"PROXY TCP4 203.0.113.7 192.0.2.1 51234 9090\r\n"
    for said in ([(True, line), *sealed], [(True, line + sealed[0][1]), *sealed[1:]]):
        for size in (0, 1, 7):
            capture = read_packets(talked(said, size), keys=log_of(keys))
            assert told(capture.messages) == PLAIN
            assert str(capture.messages[0].proxied) == "203.0.113.7:51234"


def test_who_began_is_told_by_the_hello() -> None:
    """Without a SYN the ends are guessed by their ports; the hello knows better."""
    sealed, keys = conversation(SAID)
    turned = [(not by_client, data) for by_client, data in sealed]
    packets = talked(turned)[3:]
    capture = read_packets(packets, keys=log_of(keys))
    assert told(capture.messages) == PLAIN
    assert capture.flows[0].client.port == 9090


# ── What is no TLS, and what is broken ───────────────────────────────────────────────


def test_other_connections_are_read_as_without_keys() -> None:
    packets = talked(SAID)
    with_keys = read_packets(packets, keys=KeyLog())
    assert told(with_keys.messages) == told(read_packets(packets).messages) == PLAIN
    assert all(not one.tls for one in with_keys.messages)


@pytest.mark.parametrize("name", ["13_aes128", "12_aes128"])
def test_a_changed_byte_is_never_shown(name: str) -> None:
    said = http2s.conversations(STORED / f"{name}.pcap")[0]
    log = KeyLog()
    log.read(keys_of(name))
    whole = {one.data for one in read_packets(talked(said), keys=log).messages}
    for at, (by_client, data) in enumerate(said):
        if len(data) > 400:
            continue
        for place in range(at % 7, len(data), 17):
            changed = bytearray(data)
            changed[place] ^= 0x55
            mutant = [*said[:at], (by_client, bytes(changed)), *said[at + 1 :]]
            for one in read_packets(talked(mutant), keys=log).messages:
                assert one.data in whole


# ── The doors ────────────────────────────────────────────────────────────────────────


def test_all_doors_tell_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    names = [name for name in HELD if HELD[name][1]]
    for name in names:
        path, keys = str(STORED / f"{name}.pcap"), ["--keys", keys_of(name)]
        capture = read(path, keys=keys_of(name))
        code, out, _ = run(capsys, "messages", path, "--json", *keys)
        rows = [json.loads(line) for line in out.splitlines()]
        assert (code, [row["number"] for row in rows]) == (
            0,
            [one.number for one in capture.messages],
        )
        assert {row["tls"] for row in rows} == {one.tls for one in capture.messages}
        code, out, _ = run(capsys, "calls", path, "--json", *keys)
        rows = [json.loads(line) for line in out.splitlines()]
        assert code == 0
        assert sorted((row["method"], row["outcome"]) for row in rows) == sorted(
            (one.method, one.outcome.name) for one in capture.exchanges
        )
        code, out, _ = run(capsys, "show", path, *keys)
        assert code == 0
        assert f"{len(capture.messages)} message" in out
        code, out, _ = run(capsys, "show", path, "--message", "1", *keys)
        assert f"in {capture.messages[0].tls}" in " ".join(out.split())
        code, _, _ = run(capsys, "diagnose", path, *keys)
        assert code == (3 if capture.diagnosis.is_trouble else 0)


def test_the_shell_says_what_it_cannot_open(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = str(STORED / "13_aes128.pcap")
    wrong = keys_of("12_aes128")
    for door in ("messages", "calls", "show"):
        code, _, said = run(capsys, door, path, "--keys", wrong)
        assert (code, "has no CLIENT_TRAFFIC_SECRET_0, nor anything else" in said) == (1, True)
    code, out, _ = run(capsys, "diagnose", path, "--keys", wrong)
    assert code == 1
    assert "it was not opened" in out
    code, _, said = run(capsys, "calls", path, "--keys", path)
    assert code == 2
    assert "is no key log" in said
    with pytest.raises(SystemExit):
        run(capsys, "redact", path, str(tmp_path / "x"), "--field", "*.1", "--keys", wrong)


def test_a_redacted_file_has_nothing_of_it(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = tmp_path / "out.pcap"
    run(capsys, "redact", str(STORED / "13_aes128.pcap"), str(out), "--field", "*.*")
    assert not read(out, keys=keys_of("13_aes128")).messages


def test_records_one_by_one_or_all_at_once() -> None:
    sealed, keys = conversation(SAID)
    ones = [(by_client, one) for by_client, data in sealed for one in records_of(data)]
    assert read_packets(talked(ones), keys=log_of(keys)).messages[0].method == "one"


def test_the_ciphers_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pingpong.tls.ciphers.why_not", lambda: "No module named 'cryptography'")
    with pytest.raises(KeyLogError, match=r"pingpong\[tls\]"):
        read_packets(talked(SAID), keys=KeyLog())
