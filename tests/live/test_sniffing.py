"""sniffing: every packet of the wanted server once, and of nobody else."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest
from networks import NO_SNIFFING, rights
from places import ROOT

from pingpong.errors import LiveError
from pingpong.live.private import PrivateNetwork, unavailable
from pingpong.live.sniffing import Marker, Ring, ScapySocket, sniff_interface, sniff_network
from pingpong.model import Packet
from pingpong.wire.link import ACK, SYN, TCP, Peeler

NO_NETWORK = unavailable()
private = pytest.mark.skipif(NO_NETWORK is not None, reason=str(NO_NETWORK))


@pytest.fixture
def network() -> Iterator[PrivateNetwork]:
    with PrivateNetwork() as made:
        yield made


def talk(
    network: PrivateNetwork | None, address: tuple[str, int], data: bytes
) -> tuple[tuple[str, int], list[bytes]]:
    """Say ``data`` to an echo and hear it again.  The server's address, and what was heard."""
    make = socket.socket if network is None else network.socket
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with make(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen()
        found = listener.getsockname()[:2]
        heard = []
        with make(family, socket.SOCK_STREAM) as client:
            client.connect(listener.getsockname())
            with listener.accept()[0] as accepted:
                for speaker, listening in ((client, accepted), (accepted, client)):
                    speaker.sendall(data)
                    got = b""
                    while len(got) < len(data):
                        got += listening.recv(1 << 20)
                    heard.append(got)
        return found, heard


def payloads(packets: list[Packet], port: int) -> list[bytes]:
    """What went to the port and what came from it, put together as it was captured.

    A busy kernel may send a segment again, even on a loopback: that one counts once.
    """
    peeler = Peeler()
    both = [bytearray(), bytearray()]
    behind: dict[bytes, int] = {}  # where each end's next byte stands
    for packet in packets:
        segment = peeler.segment(packet)
        assert segment is not None
        assert segment.protocol == TCP
        ports = [int.from_bytes(end[-2:], "big") for end in (segment.target, segment.source)]
        assert port in ports
        ends = segment.source + segment.target
        if segment.flags & SYN:
            behind[ends] = segment.seq + 1
        elif segment.payload:
            old = (behind[ends] - segment.seq) & 0xFFFFFFFF
            assert old <= len(segment.payload) or old < 1 << 31, "a segment is missing"
            both[ports.index(port)] += segment.payload[old:]
            behind[ends] += len(segment.payload[old:])
    assert peeler.findings == []
    return [bytes(one) for one in both]


@private
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_each_packet_once_and_in_order(network: PrivateNetwork, host: str) -> None:
    sniffer = sniff_network(network, host, 9000)
    talk(network, (host, 9000), b"hello")
    sniffer.stop()
    packets = sniffer.packets
    assert payloads(packets, 9000) == [b"hello", b"hello"]
    flags = [segment.flags for packet in packets if (segment := Peeler().segment(packet))]
    assert flags[:3] == [SYN, SYN | ACK, ACK]
    assert [packet.number for packet in packets] == list(range(1, len(packets) + 1))
    assert [packet.time for packet in packets] == sorted(packet.time for packet in packets)
    assert {packet.link for packet in packets} == {1}
    assert all(packet.length == len(packet.data) for packet in packets)
    assert sniffer.dropped == 0


@private
def test_what_was_sent_is_there_while_it_runs(network: PrivateNetwork) -> None:
    sniffer = sniff_network(network, None, 9000)
    assert sniffer.packets == []
    counts = []
    for _ in range(20):
        talk(network, ("127.0.0.1", 9000), b"x")
        counts.append(payloads(sniffer.packets, 9000)[0].count(b"x"))
    sniffer.stop()
    assert counts == list(range(1, 21))


@private
def test_nobody_elses_packets_are_kept(network: PrivateNetwork) -> None:
    sniffer = sniff_network(network, "127.0.0.1", 9000)
    talk(network, ("127.0.0.1", 9001), b"another port")
    talk(network, ("127.0.0.2", 9000), b"another host")
    with network.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.sendto(b"another protocol", ("127.0.0.1", 9000))
    sniffer.stop()
    assert sniffer.packets == []


@private
def test_more_than_the_ring_holds(network: PrivateNetwork) -> None:
    data = random.Random(1).randbytes(1 << 20) * 4
    sniffer = sniff_network(network, None, 9000)
    for _ in range(2 * Ring.BLOCK_SIZE * Ring.BLOCKS // (2 * len(data))):
        talk_in_parts(network, data)
    sniffer.stop()
    assert sniffer.dropped == 0
    said, heard = payloads(sniffer.packets, 9000)
    assert said == data * (len(said) // len(data))
    assert len(said) == 2 * Ring.BLOCK_SIZE * Ring.BLOCKS // 2
    assert heard == b""


def talk_in_parts(network: PrivateNetwork, data: bytes) -> None:
    """One way only, in parts that a socket's buffer holds."""
    with network.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", 9000))
        listener.listen()
        with network.client_socket("127.0.0.1") as client:
            client.connect(("127.0.0.1", 9000))
            with listener.accept()[0] as accepted:
                for start in range(0, len(data), 1 << 16):
                    client.sendall(data[start : start + (1 << 16)])
                    left = min(1 << 16, len(data) - start)
                    while left:
                        left -= len(accepted.recv(left))


@private
def test_a_ring_that_overflows_counts_what_it_drops(network: PrivateNetwork) -> None:
    ring = Ring(network.socket(socket.AF_PACKET, socket.SOCK_RAW, 0), "lo")
    for _ in range(Ring.BLOCKS + 4):  # nobody takes anything out
        talk_in_parts(network, bytes(1 << 20))
    kept = sum(len(captured.data) for captured in ring.read())
    assert 0 < kept <= Ring.BLOCK_SIZE * Ring.BLOCKS
    assert ring.drops() > 0
    assert ring.drops() == 0  # each is counted once
    ring.close()


@private
def test_stopping_twice_leaves_nothing(network: PrivateNetwork) -> None:
    sniff_network(network, None, 9000).stop()
    before = sorted(os.listdir("/proc/self/fd"))
    sniffer = sniff_network(network, None, 9000)
    sniffer.stop()
    sniffer.stop()
    assert sniffer.packets == []
    assert sorted(os.listdir("/proc/self/fd")) == before


@private
def test_a_capture_that_goes_blind_says_so_and_leaves_nothing(
    network: PrivateNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pingpong.live.sniffing.MARKER_SECONDS", 0.01)
    before = sorted(os.listdir("/proc/self/fd"))
    sniffer = sniff_network(network, None, 9000)
    monkeypatch.setattr(Marker, "is_in", lambda self, data: False)
    with pytest.raises(LiveError, match="does not see"):
        sniffer.stop()
    assert sorted(os.listdir("/proc/self/fd")) == before


@private
def test_an_interface_that_goes_away_is_told_to_who_asks(
    network: PrivateNetwork, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def gone(_: Ring) -> None:
        raise OSError(100, "Network is down")

    sniffer = sniff_network(network, None, 9000)
    talk(network, ("127.0.0.1", 9000), b"hello")
    before = len(sniffer.packets)
    monkeypatch.setattr(Ring, "read", gone)
    talk(network, ("127.0.0.1", 9000), b"hello")
    with pytest.raises(LiveError, match="broke off: Network is down"):
        sniffer.stop()
    assert len(sniffer.packets) == before > 0
    assert capfd.readouterr() == ("", "")


@rights
@pytest.mark.parametrize("host", ["127.0.0.1", None])
def test_scapy_on_the_real_loopback(host: str | None) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    data = random.Random(2).randbytes(60_000)  # as much as a socket takes at once
    sniffer = sniff_interface(None, host, port)
    talk(None, ("127.0.0.1", port), data)
    while_running = payloads(sniffer.packets, port)
    sniffer.stop()
    assert while_running == [data, data]
    assert payloads(sniffer.packets, port) == [data, data]
    assert sniffer.dropped == 0


@rights
def test_scapys_socket_leaves_nothing() -> None:
    before = sorted(os.listdir("/proc/self/fd"))
    source = ScapySocket("lo")
    assert source.link == 1
    assert source.drops() == 0
    source.close()
    assert sorted(os.listdir("/proc/self/fd")) == before


def test_an_interface_that_is_not_there() -> None:
    if NO_SNIFFING is not None:
        pytest.skip(NO_SNIFFING)
    with pytest.raises(LiveError, match=r"cannot capture on nosuch0.*Is there such an interface"):
        sniff_interface("nosuch0", None, 9000)


WITHOUT_RIGHTS = """
import os
import random
from pingpong.live.sniffing import sniff_interface
from pingpong.errors import NotAllowed
from scapy.config import conf
from scapy.layers import inet, inet6, l2
if os.geteuid() == 0:
    os.setgroups([])
    os.setresgid(65534, 65534, 65534)
    os.setresuid(65534, 65534, 65534)
try:
    sniff_interface(None, None, 9000)
except NotAllowed as error:
    print(error, error.__cause__)
"""


def test_without_rights_the_caller_is_told() -> None:
    if NO_SNIFFING is None and os.geteuid() != 0:
        pytest.skip("this user may capture and cannot become one who may not")
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_RIGHTS],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("no right to capture on lo")
    assert "CAP_NET_RAW" in done.stdout
