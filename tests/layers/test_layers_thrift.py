"""The scapy layer: it builds what it dissects, believes no length, and is Thrift's twin.

What scapy's people would test themselves is in thrift.uts, in scapy's own way; here are the
witnesses, the hostile bytes and the costs.
"""

from __future__ import annotations

import copy
import io
import os
import pickle
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import thriftpy2
from hypothesis import given
from hypothesis import strategies as st
from scapy.config import conf
from scapy.layers.inet import IP, TCP
from scapy.packet import Packet, Padding, Raw, split_layers
from scapy.sendrecv import sniff
from scapy.sessions import TCPSession
from scapy.utils import rdpcap
from thriftpy2.protocol import binary
from thriftpy2.thrift import TMessageType
from thriftpy2.transport import memory

import pingpong
from pingpong.layers import thrift as layer
from pingpong.layers.thrift import (
    Thrift,
    ThriftEntry,
    ThriftField,
    ThriftFramed,
    ThriftList,
    ThriftMap,
    ThriftStruct,
    bind_thrift_port,
)
from pingpong.model import MESSAGE_TYPES
from pingpong.protocols.encodings.binary import BINARY, WIRE_TYPES, BinarySkipper

PING = bytes.fromhex("80010001 00000004 70696e67 00000001 00")
LOOK = bytes.fromhex(
    "80010001 00000004 6c6f6f6b 00000002 0c0001 020001 01 020002 00 080003 fffffffb"
    "0f0004 02 00000003 010001 040005 4004000000000000 00 00"
)
LOGIN = bytes.fromhex(
    "80010001 00000005 6c6f67696e 00000000 0b0001 00000004 726f6f74 0b0002 00000003 707764 00"
)


# thriftpy2 has types in part only.
TBinaryProtocol: Any = binary.TBinaryProtocol
TMemoryBuffer: Any = memory.TMemoryBuffer


def framed(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def plain(value: Any) -> Any:
    """A value of the layer as Python would hold it, like ``model.Value.plain``."""
    if isinstance(value, ThriftStruct):
        return {field.field_id: plain(field.value) for field in value.body}
    if isinstance(value, ThriftList):
        return [plain(item) for item in value.items]
    if isinstance(value, ThriftMap):
        return [(plain(entry.key), plain(entry.value)) for entry in value.entries]
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return value
    return value


def fields(message: Packet) -> dict[int, Any]:
    return {field.field_id: plain(field.value) for field in message.body}


def messages_in(packet: Packet) -> Iterator[Any]:
    one = packet.getlayer(Thrift)
    while isinstance(one, Thrift):
        yield one
        one = one.payload


def shown(packet: Packet) -> str:
    text = packet.show(dump=True)
    assert isinstance(text, str)
    return text


def rebuilt(message: Packet) -> bytes:
    """Built from its fields, not from the bytes that scapy kept."""
    clone = message.copy()
    clone.remove_payload()
    clone.clear_cache()
    return bytes(clone)


# ── scapy's own way ──────────────────────────────────────────────────────────────────


def test_the_campaign_passes(tmp_path: Path, root: Path) -> None:
    # What pip would write: scapy's loader asks for it.
    metadata = tmp_path / "pingpong-0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(
        "Metadata-Version: 2.4\nName: pingpong\nVersion: 0\nLicense-Expression: GPL-2.0-or-later\n"
    )
    (metadata / "top_level.txt").write_text("pingpong\n")
    path = root / "tests/layers/thrift.uts"
    paths = [str(tmp_path), str(root), os.environ.get("PYTHONPATH", "")]
    done = subprocess.run(
        [sys.executable, "-m", "scapy.tools.UTscapy", "-N", "-f", "text", "-t", str(path)],
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, paths)),
            "XDG_CONFIG_HOME": str(tmp_path),
            "XDG_CACHE_HOME": str(tmp_path),
        },
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    counted = re.search(r"PASSED=(\d+) FAILED=(\d+)", done.stdout + done.stderr)
    assert counted is not None
    tests = re.findall("(?m)^= ", path.read_text(encoding="utf-8"))
    assert (int(counted[1]), int(counted[2])) == (len(tests), 0)


def test_importing_the_layer_does_not_import_all_of_scapy() -> None:
    code = "import sys, pingpong.layers.thrift; print('scapy.all' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]


def test_the_file_says_what_scapy_lists() -> None:
    text = Path(layer.__file__).read_text(encoding="utf-8")
    assert re.search(r"^# scapy\.contrib\.description = .+$", text, re.M)
    assert re.search(r"^# scapy\.contrib\.status = loads$", text, re.M)


# ── Witnesses ────────────────────────────────────────────────────────────────────────

IDL = """
struct All {
    1: bool yes, 2: byte small, 3: i16 short, 4: i32 number, 5: i64 big, 6: double half,
    7: string text, 8: binary raw, 9: list<i32> numbers, 10: set<string> words,
    11: map<string, list<i64>> table, 12: list<bool> flags, 13: list<list<string>> deep,
    14: map<i32, double> ratios, 15: list<i32> empty, 16: optional All inner
    17: list<All> alls
}
service Witness { All echo(1: All all, 2: string name) }
"""
WITNESS = thriftpy2.load_fp(io.StringIO(IDL), "layer_witness_thrift")


def an_all(**more: Any) -> Any:
    values = {
        "yes": True,
        "small": -3,
        "short": -300,
        "number": 2**31 - 1,
        "big": -(2**63),
        "half": 2.5,
        "text": "登录成功!",
        "raw": b"\xff\x00",
        "numbers": [1, -2, 3],
        "words": {"one"},
        "table": {"a": [1, 2], "b": []},
        "flags": [True, False],
        "deep": [["x"], [], ["y", "z"]],
        "ratios": {7: 0.5},
        "empty": [],
    }
    return WITNESS.All(**{**values, **more})


def written(name: str, mtype: int, seqid: int, struct: Any) -> bytes:
    """A message as thriftpy2 writes it."""
    buffer = TMemoryBuffer()
    protocol = TBinaryProtocol(buffer)
    protocol.write_message_begin(name, mtype, seqid)
    struct.write(protocol)
    protocol.write_message_end()
    return bytes(buffer.getvalue())


ALL = {
    1: True,
    2: -3,
    3: -300,
    4: 2**31 - 1,
    5: -(2**63),
    6: 2.5,
    7: "登录成功!",
    8: b"\xff\x00",
    9: [1, -2, 3],
    10: ["one"],
    11: [("a", [1, 2]), ("b", [])],
    12: [True, False],
    13: [["x"], [], ["y", "z"]],
    14: [(7, 0.5)],
    15: [],
}


@pytest.mark.parametrize("wrap", [bytes, framed])
@pytest.mark.parametrize("mtype", [TMessageType.CALL, TMessageType.ONEWAY])
def test_what_thriftpy2_writes(wrap: Any, mtype: int) -> None:
    inner = an_all(inner=an_all(), alls=[an_all(), an_all()])
    data = wrap(written("echo", mtype, -7, WITNESS.Witness.echo_args(all=inner, name="n")))
    message = Thrift(data)
    assert (message.mtype, message.method, message.seqid) == (mtype, b"echo", -7)
    assert fields(message) == {1: {**ALL, 16: ALL, 17: [ALL, ALL]}, 2: "n"}
    assert bytes(message) == data
    assert rebuilt(message) == data


def test_thriftpy2_reads_what_the_layer_builds() -> None:
    one = ThriftField(field_id=7, value="text"), ThriftField(field_id=12, value=[True])
    two = ThriftField(field_id=11, value={"a": ThriftList(etype="I64", items=[1])})
    three = ThriftField(field_id=10, ttype="SET", value=["w"])
    message = Thrift(
        method="echo",
        seqid=5,
        body=[
            ThriftField(field_id=1, value=[*one, two, three]),
            ThriftField(field_id=2, value="name"),
        ],
    )
    protocol = TBinaryProtocol(TMemoryBuffer(bytes(message)))
    assert protocol.read_message_begin() == ("echo", TMessageType.CALL, 5)
    args = WITNESS.Witness.echo_args()
    args.read(protocol)
    assert args.name == "name"
    found = args.all
    assert (found.text, found.flags, found.table) == ("text", [True], {"a": [1]})
    assert set(found.words) == {"w"}


def read_whole_messages(path: Path) -> list[tuple[str, int, int, Any]]:
    return [(m.method, int(m.type), m.seqid, m.body.plain) for m in pingpong.read(path).messages]


@pytest.mark.parametrize(
    "name", ["01_bin_unframed", "02_bin_framed", "17_multiplexed", "18_pipelined_ooo", "28_deep40"]
)
def test_the_layer_and_the_pipeline_agree(edge_captures: Path, name: str) -> None:
    path = edge_captures / f"{name}.pcap"
    found = [message for packet in rdpcap(str(path)) for message in messages_in(packet)]
    listed = [(m.method.decode(), m.mtype, m.seqid, fields(m)) for m in found]
    key = lambda one: repr(one)  # noqa: E731  (the pipeline lists in the order of the ends)
    assert sorted(listed, key=key) == sorted(read_whole_messages(path), key=key)
    for message in found:
        assert rebuilt(message) == message.raw_packet_cache


@pytest.mark.parametrize(
    "name", ["01_bin_unframed", "02_bin_framed", "19_dribble4_unframed", "20_dribble4_framed"]
)
def test_tcp_session_and_the_pipeline_agree(edge_captures: Path, name: str) -> None:
    path = edge_captures / f"{name}.pcap"
    packets = sniff(offline=str(path), session=TCPSession)
    listed = [
        (m.method.decode(), m.mtype, m.seqid, fields(m)) for p in packets for m in messages_in(p)
    ]
    assert listed == read_whole_messages(path)


@pytest.mark.parametrize(
    "name",
    ["05_compact_unframed", "06_compact_framed", "10_theader_bin", "15_zlib", "14_http_vnd_json"],
)
def test_other_protocols_stay_raw(edge_captures: Path, name: str) -> None:
    packets = rdpcap(str(edge_captures / f"{name}.pcap"))
    assert len(packets) > 3
    assert not any(Thrift in packet for packet in packets)


# ── Building ─────────────────────────────────────────────────────────────────────────

VALUES: list[tuple[Any, str | None, str]] = [
    (True, None, "02 0001 01"),
    (-1, "I8", "03 0001 ff"),
    (1, "I16", "06 0001 0001"),
    (1, None, "08 0001 00000001"),
    (2**40, None, "0a 0001 0000010000000000"),
    (1, "DOUBLE", "04 0001 3ff0000000000000"),
    (2.5, None, "04 0001 4004000000000000"),
    ("登", None, "0b 0001 00000003 e799bb"),
    (bytearray(b"x"), None, "0b 0001 00000001 78"),
    (uuid.UUID(int=5), None, "10 0001 00000000000000000000000000000005"),
    ([1, 2**40], None, "0f 0001 0a 00000002 0000000000000001 0000010000000000"),
    ([], None, "0f 0001 0b 00000000"),
    ([[1]], "SET", "0e 0001 0f 00000001 08 00000001 00000001"),
    ([], "STRUCT", "0c 0001 00"),
    ([(1, "a")], "MAP", "0d 0001 08 0b 00000001 00000001 00000001 61"),
    ({}, None, "0d 0001 0b 0b 00000000"),
    ([ThriftEntry(key=1, value=2)], "MAP", "0d 0001 08 08 00000001 00000001 00000002"),
    ([ThriftField(value=True)], None, "0c 0001 02 0001 01 00"),
    ([[ThriftField(value=True)]], None, "0f 0001 0c 00000001 02 0001 01 00"),
    (None, None, "0b 0001 00000000"),
    *((None, t.name, "") for t in WIRE_TYPES if t),
]


@pytest.mark.parametrize(("value", "ttype", "data"), VALUES)
def test_values_are_built(value: Any, ttype: str | None, data: str) -> None:
    field = ThriftField(value=copy.deepcopy(value), ttype=ttype)
    built = bytes(Thrift(method="m", body=[field]))
    if data:
        assert bytes(field) == bytes.fromhex(data)
    message = Thrift(built)
    assert isinstance(message, Thrift)
    assert rebuilt(message) == built
    assert bytes(ThriftField(bytes(field))) == bytes(field)
    namespace = {**vars(layer), "UUID": uuid.UUID}
    assert bytes(eval(message.command(), namespace)) == built
    assert bytes(eval(Thrift(method="m", body=[field]).command(), namespace)) == built


@pytest.mark.parametrize(
    "part",
    [
        ThriftStruct(body=[ThriftField(value=1)]),
        ThriftList(items=["a", "b"]),
        ThriftMap(entries={1: ThriftStruct()}),
    ],
)
def test_a_part_alone_reads_itself(part: Packet) -> None:
    built = bytes(part)
    assert bytes(type(part)(built)) == built


def test_what_cannot_be_a_part_says_so() -> None:
    for part, data in ((ThriftField, b"\x08\0\1\0"), (ThriftList, b"\x08"), (ThriftEntry, b"x")):
        with pytest.raises(pingpong.DecodeError):
            part(data)


def test_a_value_that_does_not_fit_names_its_field() -> None:
    with pytest.raises(Exception, match="While building field 'value'"):
        bytes(ThriftField(ttype="I16", value=70_000))


def test_a_changed_value_is_built_however_deep_it_is() -> None:
    message = Thrift(LOOK)
    message.body[0].value.body[3].value.items[1] = True
    assert bytes(message) == LOOK.replace(b"\x03\1\0\1", b"\x03\1\1\1")


def test_odd_bytes_survive() -> None:
    # A BOOL of 2, the unused byte, an empty list of a type that is none, a frame too long.
    odd = "80017f01 00000001 6d 00000000 020001 02 0f0002 77 00000000 00"
    for data in (bytes.fromhex(odd), framed(bytes.fromhex(odd) + b"more")):
        message = Thrift(data)
        assert isinstance(message, Thrift)
        assert bytes(message) == data
    assert message.left_over == b"more"


def test_copies_and_pickles() -> None:
    message = IP(bytes(IP() / TCP() / ThriftFramed(method="m", body=[ThriftField(value=[1])])))
    for other in (message.copy(), copy.deepcopy(message), pickle.loads(pickle.dumps(message))):
        assert bytes(other) == bytes(message)
        assert other[Thrift].body[0].value.items == [1]
    assert '"method": "m"' in message[Thrift].json()


# ── Showing ──────────────────────────────────────────────────────────────────────────


def test_what_came_from_the_wire_is_escaped() -> None:
    evil = "\x1b[31m\n</pre>\u202e"
    message = Thrift(bytes(Thrift(method=evil, body=[ThriftField(value={evil: [evil]})])))
    for text in (shown(message), message.summary(), repr(message)):
        assert evil not in text
        assert not re.search("[\x00-\x09\x0b-\x1f\u202e]", text)


def test_nested_values_are_shown() -> None:
    text = shown(Thrift(bytes(Thrift(body=[ThriftField(value=[[ThriftField(value=2.5)]])]))))
    assert "ttype     = DOUBLE" in text
    assert "value     = 2.5" in text


# ── Hostile bytes ────────────────────────────────────────────────────────────────────


def on_tcp(data: bytes) -> Packet:
    return IP(bytes(IP() / TCP(sport=1234, dport=4321) / Raw(data)))


def check_hostile(data: bytes) -> None:
    alone = Thrift(data)
    assert isinstance(alone, Thrift | Raw)
    packet = on_tcp(data)
    assert bytes(packet[TCP].payload) == data
    for one in (packet, alone):
        one.summary()
        shown(one)
    for message in messages_in(packet):
        rebuilt(message)
    found = Thrift.tcp_reassemble(data, {}, {})
    assert found is None or bytes(found) == data
    assert bytes(Thrift.tcp_reassemble(data, {"tcp_end": True}, {})) == data


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    if data:
        check_hostile(data)


@given(
    st.sampled_from([LOOK, LOGIN, framed(LOOK), framed(LOGIN), PING + LOOK, framed(PING) + LOOK]),
    st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), max_size=4),
    st.integers(0, 200),
)
def test_mutated_messages(data: bytes, changes: list[tuple[int, int]], cut: int) -> None:
    mutated = bytearray(data)
    for at, byte in changes:
        mutated[at % len(mutated)] = byte
    check_hostile(bytes(mutated[: len(mutated) - cut % len(mutated)]))


def test_debugging_the_dissectors_raises_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conf, "debug_dissector", True)
    for data in (LOOK[:-1], LOOK[5:], framed(LOOK)[:-1], framed(LOOK[:-1]), b"\x80\x01", b"\0"):
        assert type(on_tcp(data)[TCP].payload) is Raw


def nested(depth: int) -> bytes:
    """A message that is ``depth`` structs deep."""
    return PING[:-1] + b"\x0c\0\1" * (depth - 1) + b"\0" * depth


def test_nesting_to_the_limit() -> None:
    message: Any = Thrift(nested(64))
    assert type(message) is Thrift
    assert rebuilt(message) == nested(64)
    assert shown(message).count("Thrift struct") == 63
    assert message == message.copy()
    for depth in (65, 100_000):
        assert Thrift(nested(depth)).layers() == [Raw]


def test_thousands_of_messages_in_one_segment() -> None:
    packet = on_tcp(PING * 3000)
    found = list(messages_in(packet))
    assert len(found) == conf.max_list_count
    assert packet.lastlayer().load == PING * (3000 - len(found))
    assert packet.summary().count("ping") == len(found)


# ── Streams ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("data", [PING, LOOK, framed(PING), framed(LOOK)])
def test_reassembly_waits_for_a_whole_message(data: bytes) -> None:
    metadata: dict[str, Any] = {}
    for stop in range(1, len(data)):
        assert Thrift.tcp_reassemble(data[:stop], metadata, {}) is None
    found = Thrift.tcp_reassemble(data, metadata, {})
    assert isinstance(found, Thrift)
    assert bytes(found) == data


def test_what_follows_a_message_is_padding_for_tcp_session() -> None:
    found = Thrift.tcp_reassemble(PING + LOOK + PING[:5], {}, {})
    assert found.layers() == [Thrift, Thrift, Padding]
    assert found.lastlayer().load == PING[:5]


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n",
        bytes.fromhex("80010001 7fffffff 70696e67"),
        bytes.fromhex("7fffffff 80010001 00000004 70696e67"),
        bytes.fromhex("80010001 00000001 6d 00000000 0b0001 7fffffff"),
        bytes.fromhex("80010001 00000001 6d 00000000 0f0001 08 ffffffff"),
        bytes.fromhex("80010001 00000001 6d 00000000 090001"),
        framed(LOOK[:-1]),
    ],
)
def test_what_never_becomes_a_message_is_given_back(data: bytes) -> None:
    found = Thrift.tcp_reassemble(data, {}, {})
    assert type(found) is Raw
    assert found.load == data


def test_a_message_without_end_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layer, "MAX_REASSEMBLED", 1000)
    data = bytes.fromhex("80010001 00000001 6d 00000000 0b0001 00100000") + bytes(1000)
    assert Thrift.tcp_reassemble(data[:1000], {}, {}) is None
    assert type(Thrift.tcp_reassemble(data, {}, {})) is Raw


@pytest.mark.usefixtures("plain_python")
def test_looking_again_goes_on_where_it_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    starts = 0

    class Counting(BinarySkipper):
        def __init__(self, *arguments: Any) -> None:
            nonlocal starts
            starts += 1
            super().__init__(*arguments)

    monkeypatch.setattr(
        type(BINARY), "skipper", lambda self, start, limits: Counting(start, limits)
    )
    data = bytes(Thrift(method="m", body=[ThriftField(value=["word"] * 500)]))
    metadata: dict[str, Any] = {}
    for stop in range(10, len(data), 10):
        assert Thrift.tcp_reassemble(data[:stop], metadata, {}) is None
    assert starts == 1


def segment(seq: int, data: bytes, flags: str = "PA") -> Packet:
    return IP(bytes(IP() / TCP(sport=1234, dport=4321, seq=seq, flags=flags) / Raw(data)))


def reassembled(packets: list[Packet]) -> list[tuple[bytes, dict[int, Any]]]:
    found = sniff(offline=packets, session=TCPSession)
    return [(m.method, fields(m)) for packet in found for m in messages_in(packet)]


@pytest.mark.parametrize("wrap", [bytes, framed])
@pytest.mark.parametrize("step", range(1, len(LOGIN) + 6))
def test_streams_do_not_depend_on_how_they_are_cut(wrap: Any, step: int) -> None:
    data = wrap(PING) + wrap(LOGIN) + wrap(PING)
    packets = [segment(999, b"", "S")]
    packets += [segment(1000 + at, data[at : at + step]) for at in range(0, len(data), step)]
    login = {1: "root", 2: "pwd"}
    assert reassembled(packets) == [(b"ping", {}), (b"login", login), (b"ping", {})]


def test_a_lost_segment_is_no_message() -> None:
    parts = [segment(1000, LOGIN[:24]), segment(1026, LOGIN[26:])]
    assert reassembled(parts) == []
    late = segment(1024, LOGIN[24:26])
    assert reassembled([*parts, late]) == [(b"login", {1: "root", 2: "pwd"})]


# ── Ports ────────────────────────────────────────────────────────────────────────────


def test_a_bound_port_comes_before_other_layers() -> None:
    before = TCP.payload_guess
    TCP.payload_guess = [({"dport": 4321}, Padding), *before]
    try:
        assert Thrift not in on_tcp(PING)
        bind_thrift_port(4321)
        bind_thrift_port(4321)
        assert Thrift in on_tcp(PING)
        split_layers(TCP, Thrift, dport=4321)
        split_layers(TCP, Thrift, sport=4321)
        assert Thrift not in on_tcp(PING)
    finally:
        TCP.payload_guess = before


def test_a_bound_port_makes_nothing_of_other_bytes() -> None:
    before = TCP.payload_guess
    bind_thrift_port(4321)
    try:
        assert type(on_tcp(b"GET / HTTP/1.1\r\n")[TCP].payload) is Raw
        assert type(on_tcp(LOGIN[9:])[TCP].payload) is Raw
    finally:
        TCP.payload_guess = before


def test_names_are_those_of_the_model() -> None:
    message: Any = Thrift(LOGIN)
    assert message.get_field("mtype").i2s == {m.value: m.name for m in MESSAGE_TYPES[1:5]}
    assert message.body[0].get_field("ttype").i2s == {t.value: t.name for t in WIRE_TYPES}
