"""The whole line, from packets to exchanges: on captures made here, on those recorded by
other projects, and against tshark."""

from __future__ import annotations

import csv
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from making import ADD, PING, PONG, SUM, Talk, ethernet, framed, ipv4, packet, udp
from strangers import FOREIGN

from pingpong import check_cover, explain, read, read_packets
from pingpong.capture import Capture
from pingpong.model import MessageType, Packet, Severity
from pingpong.protocols.encodings.binary import write_header, write_struct
from pingpong.wire.capturefile import write_capture
from pingpong.wire.link import RST


def talk(wrap: bool = False) -> Talk:
    one = Talk().open()
    for payload, by_client in ((PING, True), (PONG, False), (ADD, True), (SUM, False)):
        one.send(by_client, framed(payload) if wrap else payload)
    return one.close()


def told(capture: Capture) -> list[tuple[str, str, int, bytes]]:
    return [(m.method, m.type.name, m.seqid, m.data) for m in capture.messages]


@pytest.mark.parametrize("wrap", [False, True], ids=["unframed", "framed"])
def test_a_conversation(wrap: bool) -> None:
    capture = read_packets(talk(wrap).packets)
    assert [(m.type.name, m.method, m.body.plain) for m in capture.messages] == [
        ("CALL", "ping", {}),
        ("REPLY", "ping", {0: "pong"}),
        ("CALL", "add", {1: 2, 2: 40}),
        ("REPLY", "add", {0: 42}),
    ]
    assert [(e.method, e.outcome.name, e.latency) for e in capture.exchanges] == [
        ("ping", "SUCCESS", 1_000_000),
        ("add", "SUCCESS", 1_000_000),
    ]
    (flow,) = capture.flows
    assert flow.detection is not None
    assert flow.detection.transport == ("framed" if wrap else "unframed")
    assert capture.findings == ()
    steps = {step.packet.number: step for step in capture.steps if step.packet}
    for message in capture.messages:
        assert message in steps[message.packets[-1]].messages
        assert str(message.client) == "10.0.0.1:50001"
        assert message.from_client == (message.type is MessageType.CALL)


@pytest.mark.parametrize("wrap", [False, True], ids=["unframed", "framed"])
@pytest.mark.parametrize("size", range(1, 50))
def test_every_cut_of_every_stream_gives_the_same_messages(wrap: bool, size: int) -> None:
    whole = read_packets(talk(wrap).packets)
    one = Talk().open()
    for message in whole.messages:
        for at in range(0, message.size, size):
            one.send(message.from_client, message.data[at : at + size])
    assert told(read_packets(one.close().packets)) == told(whole)


@given(st.randoms(use_true_random=False))
def test_order_and_duplicates_do_not_matter(chance: random.Random) -> None:
    """Packets of one direction in any order, some twice: the same messages."""
    packets = talk().packets
    order = [1, 2, 3]
    rest = [number for number in range(4, len(packets) + 1) if packets[number - 1].length > 54]
    rest += chance.sample(rest, 2)
    chance.shuffle(rest)
    shuffled = [packet(at, packets[n - 1].data) for at, n in enumerate(order + rest, 1)]
    assert sorted(told(read_packets(shuffled))) == sorted(told(read_packets(packets)))


def test_what_each_end_did_and_when() -> None:
    one = Talk().open().call(PING).reply(PONG).fin(False).add(True, RST)
    packets = one.packets
    (flow,) = read_packets(packets).flows
    client, server = flow.from_client, flow.from_server
    assert (flow.began, flow.last) == (packets[0].time, packets[-1].time)
    assert (client.first, client.from_start, client.last) == (PING, True, packets[3].time)
    assert (client.syn, client.fin, client.rst) == (packets[0].time, -1, packets[-1].time)
    assert (server.first, server.from_start, server.last) == (PONG, True, packets[4].time)
    assert (server.syn, server.fin, server.rst) == (packets[1].time, packets[5].time, -1)
    assert flow.detection in (client.detection, server.detection)


def test_what_an_end_did_stays_with_it_when_the_ends_were_guessed_wrongly() -> None:
    """The server has the higher port, and the capture begins in mid-stream."""
    one = Talk(port=1024, server_port=9090).call(PING).reply(PONG)
    (flow,) = read_packets(one.packets).flows
    assert (flow.client.port, flow.from_client.first) == (1024, PING)
    assert (flow.server.port, flow.from_server.first) == (9090, PONG)
    assert not flow.from_client.from_start


def test_first_bytes_stop_where_some_were_lost() -> None:
    one = Talk().open().call(PING[:4]).skip(True, 4).call(PING[8:]).close()
    (flow,) = read_packets(one.packets).flows
    assert flow.from_client.first == PING[:4]
    long = Talk().open().call(PING * 30)
    assert read_packets(long.packets).flows[0].from_client.first == (PING * 30)[:256]


def test_a_port_that_is_used_again() -> None:
    first, second = talk(), Talk(start=77_000).open().call(PING).reply(PONG)
    packets = [packet(n, p.data) for n, p in enumerate(first.packets + second.packets, 1)]
    capture = read_packets(packets)
    assert [m.flow for m in capture.messages] == [1, 1, 1, 1, 2, 2]


def test_who_is_the_client_in_mid_stream_is_told_by_the_calls() -> None:
    """Without a SYN the higher port is taken for the client's, until a CALL says otherwise."""
    one = Talk(port=80, server_port=9090).call(PING).reply(PONG)
    capture = read_packets(one.packets)
    assert str(capture.flows[0].client) == "10.0.0.1:80"
    assert [str(m.server) for m in capture.messages] == ["10.0.0.2:9090"] * 2
    assert (capture.flows[0].sent, capture.flows[0].received) == (len(PING), len(PONG))


def test_a_client_and_a_server_that_speak_differently() -> None:
    one = Talk().open().call(PING).reply(framed(PONG)).close()
    capture = read_packets(one.packets)
    assert [f.text for f in capture.findings] == [
        "flow 1: the client speaks unframed, the server framed"
    ]


def test_another_version_is_told() -> None:
    one = Talk().open().call(b"\x80\x02" + PING[2:]).close()
    capture = read_packets(one.packets)
    assert len(capture.messages) == 0
    assert [(f.text, f.severity) for f in capture.findings] == [
        (
            "flow 1, from the client: version at offset 0: is 0x8002, want 0x8001",
            Severity.ERROR,
        )
    ]


@pytest.mark.parametrize("name", FOREIGN)
def test_what_is_not_thrift_is_not_called_it(name: str) -> None:
    capture = read_packets(Talk().open().call(FOREIGN[name]).close().packets)
    assert len(capture.messages) == 0
    assert capture.findings == ()
    detection = capture.flows[0].detection
    assert detection is not None
    assert detection.transport is None
    assert detection.evidence.startswith("begins with ")


def test_packets_of_other_kinds_are_steps_without_a_flow() -> None:
    capture = read_packets([packet(1, bytes(60))])
    assert [step.flow for step in capture.steps] == [None, None]
    assert len(capture.packets) == 1


def datagrams(*payloads: bytes) -> Capture:
    return read_packets(
        packet(number, ethernet(ipv4(udp(50001, 6831, payload), 17)))
        for number, payload in enumerate(payloads, 1)
    )


def test_datagrams_hold_whole_messages() -> None:
    capture = datagrams(PING, PING + ADD, framed(ADD))
    assert [(m.method, m.transport) for m in capture.messages] == [
        ("ping", "datagram"),
        ("ping", "datagram"),
        ("add", "datagram"),
        ("add", "framed"),
    ]
    (flow,) = capture.flows
    assert flow.protocol == 17
    assert flow.sent == len(PING) * 2 + len(ADD) + len(framed(ADD))
    for message in capture.messages:
        check_cover(explain(message), len(message.data))


COMPACT_ADD = bytes.fromhex("8221 01 03 616464 15 04 15 50 00".replace(" ", ""))
OLD_ADD = bytes.fromhex("00000003 616464 01 00000001".replace(" ", "")) + ADD[15:]
DATAGRAMS = {"binary": ADD, "binary-old": OLD_ADD, "compact": COMPACT_ADD}


@pytest.mark.parametrize("protocol", DATAGRAMS)
def test_a_datagram_of_each_protocol(protocol: str) -> None:
    (message,) = datagrams(DATAGRAMS[protocol]).messages
    assert (message.protocol.name, message.transport) == (protocol, "datagram")
    assert (message.method, message.seqid, message.body.plain) == ("add", 1, {1: 2, 2: 40})
    check_cover(explain(message), len(message.data))


def test_what_is_left_over_in_a_datagram_is_told() -> None:
    capture = datagrams(PING + b"?")
    assert [message.method for message in capture.messages] == ["ping"]
    assert "packet 1: the 1 byte at stream offset 17" in capture.findings[0].text


@pytest.mark.parametrize("payload", [b"x", PING[:-1], b"GET /", bytes(40)])
def test_a_datagram_that_holds_more_or_less_is_not_thrift(payload: bytes) -> None:
    capture = datagrams(payload, payload)
    assert len(capture.messages) == 0
    assert capture.findings == ()
    detection = capture.flows[0].detection
    assert detection is not None
    assert detection.transport is None


def test_a_broken_datagram_among_good_ones_is_told() -> None:
    capture = datagrams(PING, ADD[:-1])
    assert [m.method for m in capture.messages] == ["ping", "add"]
    assert "message cut off" in capture.messages[1].findings[0].text


def test_a_lost_reply_segment() -> None:
    one = Talk().open().call(PING).skip(False, 10).reply(PONG[10:]).call(ADD).reply(SUM)
    capture = read_packets(one.packets)
    assert [m.method for m in capture.messages if m.type is MessageType.REPLY] == ["add"]
    assert "skipped 18 bytes before stream offset 28" in capture.findings[0].text
    assert capture.flows[0].lost == 10


def test_the_file_and_its_findings(tmp_path: Path) -> None:
    path = tmp_path / "x.pcap"
    write_capture(path, talk().packets)
    path.write_bytes(path.read_bytes()[:-5])
    capture = read(path)
    assert len(capture.messages) == 4
    assert "the file is cut off after packet 9" in capture.findings[0].text
    assert capture.name == str(path)


# ── Captures recorded by other projects ──────────────────────────────────────────────

REAL = (
    "calc-service-binary",
    "ipv6_thrift",
    "thrift_echo_binary",
    "thrift_integration",
    "thrift_tutorial",
    "thrift_tutorial_framed_transport",
)


def listed(path: Path) -> dict[str, list[tuple[int, int, str, int, int]]]:
    """messages.tsv by capture: frame, TCP stream, method, type, seqid."""
    rows: dict[str, list[tuple[int, int, str, int, int]]] = {}
    name = ""
    for row in csv.reader(path.read_text().splitlines(), delimiter="\t"):
        if row and row[0].startswith("#"):
            name = row[0].removeprefix("# ").removesuffix(".pcap")
            rows[name] = []
        elif row:
            frame, stream, methods, types, seqids = row
            for method, mtype, seqid in zip(
                methods.split(","), types.split(","), seqids.split(","), strict=True
            ):
                rows[name].append((int(frame), int(stream), method, int(mtype, 16), int(seqid)))
    return rows


@pytest.mark.parametrize("name", REAL)
def test_real_captures_read_as_tshark_reads_them(name: str, real_captures: Path) -> None:
    capture = read(real_captures / f"{name}.pcap")
    got = [(m.packets[-1], m.flow - 1, m.method, int(m.type), m.seqid) for m in capture.messages]
    assert got == listed(real_captures / "messages.tsv")[name]
    assert capture.findings == ()
    for message in capture.messages:
        assert message.findings == ()
        check_cover(explain(message), message.size)
        header = message.header
        again = write_header(header.method.encode(), header.type, header.seqid)
        assert message.data[header.span.start :] == again + write_struct(message.body)


def test_the_tutorial_says_what_it_is_known_to_say(real_captures: Path) -> None:
    for name in ("thrift_tutorial", "thrift_tutorial_framed_transport"):
        capture = read(real_captures / f"{name}.pcap")
        calls = [m for m in capture.messages if m.type is MessageType.CALL]
        assert (len(calls), len(capture.messages) - len(calls)) == (17, 15)
        said = {
            (e.method, repr(e.call.body.plain), repr(e.reply.body.plain))
            for e in capture.exchanges
            if e.call and e.reply
        }
        assert ("add", "{1: 1, 2: 1}", "{0: 2}") in said
        assert ("add_doubles", "{1: 1.2, 2: 1.3}", "{0: 2.5}") in said
        assert ("echo_string", "{1: 'hello'}", "{0: 'hello'}") in said
        outcomes = [(e.method, e.outcome.name) for e in capture.exchanges]
        assert outcomes.count(("zip", "ONEWAY")) == 2
        assert outcomes.count(("calculate", "DECLARED_EXCEPTION")) == 1


# ── Hostile captures ─────────────────────────────────────────────────────────────────


@settings(max_examples=200)
@given(
    st.integers(0, 8),
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=6),
    st.booleans(),
)
def test_any_mutation_of_any_packet(which: int, changes: list[tuple[int, int]], wrap: bool) -> None:
    packets = talk(wrap).packets
    data = bytearray(packets[which].data)
    for at, byte in changes:
        data[at % len(data)] = byte
    packets[which] = Packet(which + 1, packets[which].time, 1, bytes(data), len(data))
    capture = read_packets(packets)
    for message in capture.messages:
        check_cover(explain(message), message.size)
        assert message.body is not None
    assert len(capture.exchanges) <= len(capture.messages)


def test_tracing_headers_stand_before_messages() -> None:
    """After the reserved call, a struct may stand before each message, in either transport."""
    header = bytes.fromhex("0b0001 00000001 7a 00".replace(" ", ""))
    asked = write_header(b"__thriftpy_tracing_method_name__v2", 1, 0) + b"\0"
    agreed = write_header(b"__thriftpy_tracing_method_name__v2", 2, 0) + b"\0"
    for wrap in (bytes, framed):
        one = Talk().open().call(wrap(asked)).reply(wrap(agreed))
        one.call(wrap(header + ADD)).reply(wrap(b"\0" + SUM)).call(wrap(PING)).reply(wrap(PONG))
        for size in (1, 7, 1000):
            capture = read_packets(recut(one.close(), size))
            told_of = [(m.method, m.body.plain) for m in capture.messages][2:]
            assert told_of == [
                ("add", {1: 2, 2: 40}), ("add", {0: 42}), ("ping", {}), ("ping", {0: "pong"}),
            ]  # fmt: skip
            # Those before had one, and who waits for it takes these for it.
            texts = [finding.text for finding in capture.findings]
            assert [text.partition(" at ")[0] for text in texts] == ["no tracing header"] * 2
            for message in capture.messages:
                check_cover(explain(message), len(message.data))


def recut(talk: Talk, size: int) -> list[Packet]:
    """The same bytes in segments of ``size``."""
    again = Talk().open()
    for step in read_packets(talk.packets).steps:
        payload = step.segment.payload if step.segment else b""
        for at in range(0, len(payload), size):
            again.send(step.from_client, payload[at : at + size])
    return again.packets


# ── What the user says ───────────────────────────────────────────────────────────────

OLD_ADD = bytes.fromhex("00000003 616464 01 00000001 08 0001 00000002 00".replace(" ", ""))


def test_only_the_connections_of_a_port() -> None:
    talks = [Talk(50001 + n, server_port=port).open() for n, port in enumerate((9090, 9091, 9092))]
    packets = [one for each in talks for one in each.call(PING).packets]
    capture = read_packets(packets, ports=[9091, 50003])
    assert [flow.server.port for flow in capture.flows] == [9091, 9092]
    assert len(capture.messages) == 2


@pytest.mark.parametrize(
    ("payload", "told"),
    [
        (OLD_ADD, {"protocol": "binary-old"}),
        (framed(OLD_ADD), {"transport": "framed"}),
        (PING, {"protocol": "binary", "transport": "unframed"}),
        (b"POST / HTTP/1.1\r\nContent-Length: 17\r\n\r\n" + PING, {"transport": "http"}),
    ],
)
def test_what_is_told_is_read_so(payload: bytes, told: dict[str, str]) -> None:
    capture = read_packets(Talk().open().call(payload).packets, **told)  # type: ignore[arg-type]
    (message,) = capture.messages
    assert told.get("protocol", message.protocol.name) == message.protocol.name
    assert told.get("transport", message.transport) == message.transport
    assert message.findings == ()


def test_what_is_told_wrongly_is_not_read() -> None:
    packets = Talk().open().call(PING).packets
    assert len(read_packets(packets, protocol="compact").messages) == 0
    assert len(read_packets(packets, transport="framed").messages) == 0
    wrong = read_packets(packets, protocol="compact", transport="framed")
    assert len(wrong.messages) == 0
    assert "frame length at offset 0: is -2147418111" in wrong.findings[0].text


@pytest.mark.parametrize("told", [{"protocol": "soap"}, {"transport": "pigeon"}])
def test_names_that_are_none(told: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="want one of"):
        read_packets([], **told)  # type: ignore[arg-type]


def test_a_message_in_mid_stream_needs_more_than_one_byte_of_magic() -> None:
    """82 and a type are in any data: a message has to follow, or the stream to end there."""
    chance = bytes.fromhex("82 21 05 01 78 00")  # CALL x, seqid 5, no fields
    talk = Talk()
    talk.call(b"noise" + chance + b"more noise")
    assert len(read_packets(talk.packets).messages) == 0
    talk = Talk()
    talk.call(b"noise" + chance + chance)
    assert len(read_packets(talk.packets).messages) == 2


def test_sasl_that_wraps_its_content_is_known_and_not_read() -> None:
    def step(status: int, payload: bytes) -> bytes:
        return bytes((status,)) + len(payload).to_bytes(4, "big") + payload

    talk = Talk().open().call(step(1, b"GSSAPI") + step(2, b"token"))
    talk.reply(step(2, b"challenge") + step(5, b"")).call(step(5, b""))
    for _ in range(3):
        talk.call(framed(b"\x05\x04\x06\xff wrapped")).reply(framed(b"\x05\x04\x07\xff wrapped"))
    capture = read_packets(talk.close().packets)
    assert len(capture.messages) == 0
    detection = capture.flows[0].detection
    assert detection is not None
    assert detection.transport == "sasl"
    assert detection.protocol is None
    assert "SASL-wrapped content, which cannot be read" in detection.evidence
    assert "token" not in detection.evidence


def test_a_frame_whose_transform_is_not_undone_is_told() -> None:
    head = bytes.fromhex("0fff 0000 00000001 0001 02 01 03 00")  # compact, one transform: snappy
    talk = Talk().open().call(framed(head + b"snappy bytes"))
    capture = read_packets(talk.close().packets)
    assert len(capture.messages) == 0
    assert "transform at offset" in capture.findings[0].text
    assert "snappy" in capture.findings[0].text
    assert capture.flows[0].detection is not None
    assert capture.flows[0].detection.transport == "theader"
