"""tap: bytes at a socket become packets that every reader of packets takes."""

from __future__ import annotations

import socket
from typing import Any

import pytest
import thriftpy2
from places import ROOT
from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Ether

from pingpong.capture import read_packets
from pingpong.live.serving import serving
from pingpong.live.tap import MAX_PAYLOAD, Ends, Tap, WatchedSocket
from pingpong.model import Endpoint
from pingpong.wire.link import Peeler

foo: Any = thriftpy2.load(str(ROOT / "foo.thrift"), module_name="pingpong_thrift")
LINE = Ends(Endpoint("127.0.0.1", 50001), Endpoint("127.0.0.1", 9000))


class Dispatcher:
    def ping(self) -> str:
        return "pong"

    def login(self, username: str, password: str) -> str:
        return "x" * int(password)


def rows(tap: Tap) -> list[tuple[str, str, int, int, int]]:
    """Who speaks, flags, seq, ack, size of each packet, as scapy reads it."""
    found = []
    for packet in tap.packets:
        read = Ether(packet.data)
        who = "client" if read[TCP].dport == 9000 else "server"
        tcp = read[TCP]
        found.append((who, str(tcp.flags), tcp.seq, tcp.ack, len(tcp.payload)))
    return found


def test_a_whole_connection_has_consistent_numbers() -> None:
    tap = Tap()
    tap.opened(LINE)
    tap.carried(LINE, True, b"call")
    tap.carried(LINE, False, b"answer")
    tap.ended(LINE, True)
    tap.ended(LINE, False)
    assert rows(tap) == [
        ("client", "S", 0, 0, 0),
        ("server", "SA", 0, 1, 0),
        ("client", "A", 1, 1, 0),
        ("client", "PA", 1, 1, 4),
        ("server", "A", 1, 5, 0),
        ("server", "PA", 1, 5, 6),
        ("client", "A", 5, 7, 0),
        ("client", "FA", 5, 7, 0),
        ("server", "A", 7, 6, 0),
        ("server", "FA", 7, 6, 0),
        ("client", "A", 6, 8, 0),
    ]
    assert [packet.number for packet in tap.packets] == list(range(1, 12))
    (flow,) = read_packets(tap.packets).flows
    assert (flow.client, flow.server) == LINE
    assert (flow.opened, flow.ended, flow.sent, flow.received, flow.lost) == (True, "FIN", 4, 6, 0)


def test_a_connection_that_was_there_before_has_no_handshake() -> None:
    tap = Tap()
    tap.carried(LINE, False, b"answer")
    tap.ended(LINE, False, reset=True)
    assert rows(tap) == [
        ("server", "PA", 1, 1, 6),
        ("client", "A", 1, 7, 0),
        ("server", "RA", 7, 1, 0),
    ]


def test_large_data_is_cut_and_nothing_is_lost() -> None:
    data = bytes(range(256)) * 1000
    tap = Tap()
    tap.opened(LINE)
    tap.carried(LINE, False, data)
    segments = [Peeler().segment(packet) for packet in tap.packets]
    sent = [segment.payload for segment in segments if segment is not None and segment.payload]
    assert b"".join(sent) == data
    assert max(map(len, sent)) == MAX_PAYLOAD
    assert read_packets(tap.packets).flows[0].lost == 0


@pytest.mark.parametrize("payload", [b"odd", b"even"])
def test_the_checksums_are_right(payload: bytes) -> None:
    tap = Tap()
    tap.carried(LINE, True, payload)
    read = Ether(tap.packets[0].data)
    claimed = (read[IP].chksum, read[TCP].chksum)
    del read[IP].chksum, read[TCP].chksum
    again = Ether(bytes(read))
    assert (again[IP].chksum, again[TCP].chksum) == claimed


def test_ipv6() -> None:
    tap = Tap()
    tap.carried(Ends(Endpoint("::1", 50001), Endpoint("::1", 9000)), True, b"call")
    segment = Peeler().segment(tap.packets[0])
    assert segment is not None
    assert segment.payload == b"call"
    assert segment.target == bytes(15) + b"\x01" + (9000).to_bytes(2, "big")


def test_after_stop_nothing_is_kept() -> None:
    tap = Tap()
    tap.stop()
    tap.opened(LINE)
    assert tap.packets == []


def test_a_server_tells_of_every_client_and_of_both_ends() -> None:
    tap = Tap()
    with serving(foo.PingPong, Dispatcher()) as server:
        server.watchers.append(tap)
        for _ in range(3):
            with server.client() as client:
                client.ping()
                client.login("root", "100000")
    capture = read_packets(tap.packets)
    assert [flow.ended for flow in capture.flows] == ["FIN"] * 3
    assert [flow.lost for flow in capture.flows] == [0] * 3
    assert [message.method for message in capture.messages] == [
        "ping",
        "ping",
        "login",
        "login",
    ] * 3
    assert not capture.findings


def test_a_server_that_closes_first_does_not_speak_for_its_client() -> None:
    tap = Tap()
    with serving(foo.PingPong, Dispatcher()) as server:
        server.watchers.append(tap)
        server.client().ping()
    ends = [row for row in rows_of(tap, server.port) if "F" in row]
    assert ends == ["server FA"]


def rows_of(tap: Tap, port: int) -> list[str]:
    read = [Ether(packet.data)[TCP] for packet in tap.packets]
    return [f"{'client' if tcp.dport == port else 'server'} {tcp.flags}" for tcp in read]


def test_a_reset_is_told_as_one() -> None:
    tap = Tap()
    with serving(foo.PingPong, Dispatcher()) as server:
        server.watchers.append(tap)
        with server.client() as client:
            client.ping()
            client._connection.sock.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0"
            )
            client._connection.sock.close()
            (thread,) = server._connections or [None]
            if thread is not None:
                thread.join()
    assert "client RA" in rows_of(tap, server.port)


def test_a_clients_socket_can_be_tapped_too() -> None:
    tap = Tap()
    here, there = pair()
    with there:
        watched = WatchedSocket(here, [tap], from_client=True)
        watched.write(b"call")
        assert there.recv(10) == b"call"
        there.sendall(b"answer")
        assert watched.read(10) == b"answer"
        there.shutdown(socket.SHUT_WR)
        watched.finish(1)
    (flow,) = read_packets(tap.packets).flows
    assert flow.client == watched.line.client
    assert (flow.opened, flow.ended, flow.sent, flow.received) == (True, "FIN", 4, 6)


def pair() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        return client, listener.accept()[0]
