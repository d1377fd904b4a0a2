"""SASL: tables of bytes and meanings, captures, then hostile bytes."""

from __future__ import annotations

import random
import sys
import types
from pathlib import Path
from typing import Any

import pytest
from driving import begins_of, drive, drive_all, methods, other_streams, protocol_at, streams
from hypothesis import given
from hypothesis import strategies as st
from making import ADD, PONG, framed
from surrounding import SECRET, step
from thrift.transport.TTransport import TMemoryBuffer, TSaslClientTransport

from pingpong.model import DEFAULT_LIMITS
from pingpong.protocols.families.thrift.sasl import WRAPPED, SaslTransport, begins, describe

CLIENT = step(1, b"PLAIN") + step(2, SECRET) + framed(ADD) + framed(ADD)
SERVER = step(2, b"more") + step(5) + framed(PONG)


def test_a_client() -> None:
    done = drive_all(SaslTransport, CLIENT)
    assert (done.error, done.left) == ("", 0)
    assert [(unit.protocol, unit.start, unit.what) for unit in done.units] == [
        ("", 10, "SASL START, mechanism PLAIN"),
        ("", 13, "SASL OK, 8 bytes"),
        ("binary", 4, ""),
        ("binary", 4, ""),
    ]
    assert methods(done.units) == ["add", "add"]
    assert describe(done.units[2].data, 4)[0][:3] == (4, "frame length", "30")


def test_a_server() -> None:
    done = drive_all(SaslTransport, SERVER)
    assert [unit.what for unit in done.units] == ["SASL OK, 4 bytes", "SASL COMPLETE", ""]
    assert methods(done.units) == ["ping"]


def test_what_proves_who_somebody_is_is_not_told() -> None:
    for status in (2, 5):
        (unit,) = drive_all(SaslTransport, step(status, SECRET)).units
        assert "pwd" not in unit.what
        assert "bob" not in unit.what


@pytest.mark.parametrize(("status", "name"), [(3, "BAD"), (4, "ERROR")])
def test_a_refusal_is_a_finding(status: int, name: str) -> None:
    (unit,) = drive_all(SaslTransport, step(status, b"who are you")).units
    assert unit.what == f'SASL {name}, "who are you"'
    assert unit.findings == (f'the negotiation failed: SASL {name}, "who are you"',)


def test_wrapped_frames_are_passed_over() -> None:
    token = bytes.fromhex("0504 06ff 0000 0000 0000 0000 1234 5678") + ADD
    wrapped, plain = drive_all(SaslTransport, step(5) + framed(token) + framed(ADD)).units[1:]
    assert (wrapped.protocol, wrapped.what, wrapped.findings) == ("", WRAPPED, ())
    assert plain.protocol == "binary"


def test_a_capture_may_begin_behind_the_negotiation() -> None:
    assert methods(drive_all(SaslTransport, framed(ADD) + framed(PONG)).units) == ["add", "ping"]


REFUSED = {
    "a status": ("07 00000000", "SASL status at offset 0: is 7, want one of 1 START, 2 OK, 3 BAD, "
    "4 ERROR, 5 COMPLETE"),
    "a length": ("02 7fffffff", "SASL payload length at offset 1: is 2147483647, want at most "
    "1048576"),
    "an empty frame": ("00 000000", "frame length at offset 0: is 0, want 1 or more"),
    "a step behind COMPLETE": ("05 00000000 02 00000001 61", "frame length at offset 0: is "
    "33554432, want at most 16384000"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    text, error = REFUSED[name]
    assert drive_all(SaslTransport, bytes.fromhex(text)).error == error


def test_what_is_there_of_a_cut_frame_is_kept() -> None:
    rest = drive(SaslTransport(DEFAULT_LIMITS, protocol_at), step(5) + framed(ADD)[:-3]).rest
    assert rest is not None
    assert (rest.data, rest.start, rest.protocol) == (framed(ADD)[:-3], 4, "binary")
    assert drive(SaslTransport(DEFAULT_LIMITS, protocol_at), step(2, SECRET)[:-1]).rest is None


def test_lost_bytes_are_known_to_lie_inside_a_frame_only() -> None:
    transport = SaslTransport(DEFAULT_LIMITS, protocol_at)
    assert transport.known_until(bytearray(framed(ADD)), 20) == 34
    assert transport.frame_stop(bytearray(framed(ADD)), 20) == 34
    assert transport.known_until(bytearray(step(2, SECRET)), 8) == 0


# ── Telling it from others ───────────────────────────────────────────────────────────

BEGINS = {
    "a client": (CLIENT, True),
    "a client, cut in the name": (CLIENT[:8], None),
    "a client, cut in the length": (CLIENT[:3], None),
    "no mechanism": (step(1, b"HELLO"), False),
    "no name": (step(1, b"hello"), False),
    "a name too long": (step(1, b"A" * 200), False),
    "a server": (SERVER, True),
    "a server, cut": (SERVER[:-29], None),
    "a server, COMPLETE at once": (step(5) + framed(PONG), True),
    "a server, wrapped": (step(5) + framed(b"\x05\x04" + PONG), False),
    "a server, and no frame": (step(5) + b"\x01", False),
    "SOCKS": (bytes.fromhex("05 00 05 00 00 01 00000000 0000"), False),
    "nothing": (b"", None),
}


@pytest.mark.parametrize("name", BEGINS)
def test_begins(name: str) -> None:
    data, wanted = BEGINS[name]
    assert begins_of(begins, data) is wanted


def test_nothing_else_begins_like_it(edge_captures: Path) -> None:
    count = 0
    for name, data in other_streams(edge_captures, ("16_",)):
        assert begins_of(begins, data) is not True, name
        count += 1
    assert count > 100


# ── Witnesses ────────────────────────────────────────────────────────────────────────


class _Plain:
    """Stands in for puresasl's client: TSaslClientTransport wants one, and frames by itself."""

    mechanism = "PLAIN"
    complete = True

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def process(self, challenge: bytes | None = None) -> bytes:
        return SECRET

    def wrap(self, data: bytes) -> bytes:
        return data

    def dispose(self) -> None:
        pass


class _Wire(TMemoryBuffer):  # type: ignore[misc]  # thrift has no types
    """Answers COMPLETE, and keeps what is sent."""

    def __init__(self) -> None:
        super().__init__(step(5))
        self.sent = b""

    def write(self, data: bytes) -> None:
        self.sent += data


def test_what_apache_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    module: Any = types.ModuleType("puresasl.client")
    module.SASLClient = _Plain
    monkeypatch.setitem(sys.modules, "puresasl", types.ModuleType("puresasl"))
    monkeypatch.setitem(sys.modules, "puresasl.client", module)
    wire = _Wire()
    theirs = TSaslClientTransport(wire, "host", "service", mechanism="PLAIN")
    theirs.open()
    for _ in range(2):
        theirs.write(ADD)
        theirs.flush()
    assert wire.sent == CLIENT
    assert begins_of(begins, wire.sent)


def test_capture(edge_captures: Path) -> None:
    found = streams(edge_captures / "16_sasl_framed.pcap")
    client = drive_all(SaslTransport, found[1, "client"])
    server = drive_all(SaslTransport, found[1, "server"])
    assert [unit.what for unit in client.units] == [
        "SASL START, mechanism PLAIN",
        "SASL COMPLETE, 8 bytes",
        "",
    ]
    assert [unit.what for unit in server.units] == ["SASL COMPLETE", ""]
    assert methods(client.units) == methods(server.units) == ["add"]
    assert begins_of(begins, found[1, "client"])
    assert begins_of(begins, found[1, "server"])


# ── Hostile bytes ────────────────────────────────────────────────────────────────────


@given(st.sampled_from([CLIENT, SERVER]), st.integers(0, 2**32 - 1))
def test_mutated_bytes_do_no_harm(data: bytes, seed: int) -> None:
    rng = random.Random(seed)
    mutated = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        place = rng.randrange(len(mutated))
        mutated[place] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
    drive_all(SaslTransport, bytes(mutated))
    begins_of(begins, bytes(mutated))


@given(st.binary(max_size=100))
def test_any_bytes_do_no_harm(data: bytes) -> None:
    drive_all(SaslTransport, data)
    begins_of(begins, data)
