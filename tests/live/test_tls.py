"""TLS: thriftpy2 inside, what a stranger sees outside, and what a key log opens."""

from __future__ import annotations

import os
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import thriftpy2
from hypothesis import given
from hypothesis import strategies as st
from places import ROOT
from thriftpy2.rpc import make_client
from thriftpy2.transport import TTransportException

from pingpong import read_packets
from pingpong.errors import LiveError
from pingpong.live.private import PrivateNetwork, unavailable
from pingpong.live.recording import Recording, recording
from pingpong.live.serving import connect, serving
from pingpong.live.streams import pieces_of
from pingpong.live.tap import Ends, Tap
from pingpong.live.tls import make_certificate
from pingpong.live.tls_records import read_records
from pingpong.model import Endpoint, Packet

pytest.importorskip("cryptography", reason="TLS is made and read with cryptography")

foo: Any = thriftpy2.load(str(ROOT / "foo.thrift"), module_name="pingpong_thrift")
REASON = unavailable()
VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]
CERTIFICATE, KEY = make_certificate()
LINE = Ends(Endpoint("127.0.0.1", 50001), Endpoint("127.0.0.1", 9000))


class Dispatcher:
    def ping(self) -> str:
        return "pong"

    def login(self, username: str, password: str) -> str:
        return username * 1000 if password == "1000" else "登录成功!"


@pytest.fixture
def server_side(tmp_path: Path) -> ssl.SSLContext:
    pem = tmp_path / "server.pem"
    pem.write_text(KEY + CERTIFICATE)
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(pem)
    return made


def client_side(version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> ssl.SSLContext:
    made = ssl.create_default_context(cadata=CERTIFICATE)
    made.maximum_version = version
    return made


@pytest.fixture(params=["private", "tap"])
def record(request: pytest.FixtureRequest) -> Any:
    """Makes a TLS server and a recording of it, in one of two ways."""
    way = request.param
    if way == "private" and REASON is not None:
        pytest.skip(REASON)
    opened: list[Any] = []

    def start(tls: ssl.SSLContext) -> tuple[Any, Recording]:
        network = PrivateNetwork() if way == "private" else None
        server = serving(foo.PingPong, Dispatcher(), tls=tls, network=network)
        wire = recording(server, way=way)
        opened.extend([wire, server, *([network] if network else [])])
        return server, wire

    yield start
    for one in opened:
        (one.stop if isinstance(one, Recording) else one.close)()


Record = Callable[[ssl.SSLContext], tuple[Any, Recording]]


# ── A stranger sees nothing; who has the key log sees all ────────────────────────────


@pytest.mark.parametrize("version", VERSIONS)
def test_the_call_is_hidden_and_the_key_log_opens_it(
    version: ssl.TLSVersion, record: Record, server_side: ssl.SSLContext, tmp_path: Path
) -> None:
    key_log = tmp_path / "keys.log"
    client_context = client_side(version)
    client_context.keylog_filename = str(key_log)
    server, wire = record(server_side)
    with server.client(tls=client_context) as client:
        assert client.ping() == "pong"
        assert client.login("root", "pwd") == "登录成功!"
        large = "x" * 2_000
        assert client.login(large, "1000") == large * 1000
    wire.stop()
    assert server.errors == []

    # A stranger.
    assert not wire.messages
    # Three letters are in any 16 MB by chance.
    for hidden in (b"\x00\x00\x03pwd", b"\x00\x00\x04root", b"login", "登录成功!".encode()):
        assert hidden not in wire.sent + wire.received
    assert b"localhost" in wire.sent  # the server's name
    certificate = ssl.PEM_cert_to_DER_cert(CERTIFICATE)
    assert (certificate in wire.received) is (version is ssl.TLSVersion.TLSv1_2)
    closed = wire.tls_records()
    assert b"".join(one.data for one in closed if one.from_client) == wire.sent
    assert b"".join(one.data for one in closed if not one.from_client) == wire.received
    assert [one.content for one in closed] == [None] * len(closed)

    # Who has the key log.
    opened = wire.tls_records(key_log)
    assert [one.data for one in opened] == [one.data for one in closed]
    assert all(one.names for one in opened)
    for by_client, method in ((True, b"\x05login"), (False, b"\x05login")):
        said = b"".join(one.content or b"" for one in opened if one.from_client is by_client)
        assert said.startswith(b"\x80\x01\x00")
        assert said.count(method) == 2
        assert said.count(large.encode()) == (1 if by_client else 1000)

    # And reads the calls as if they had not been encrypted.
    methods = [one.method for one in wire.use_keys(key_log).messages]
    assert methods == ["ping", "ping", "login", "login", "login", "login"]
    assert not wire.use_keys(None).messages


def test_the_same_records_at_the_socket_and_in_the_network(
    record: Record, server_side: ssl.SSLContext
) -> None:
    server_side.num_tickets = 0
    server, wire = record(server_side)
    with server.client(tls=client_side()) as client:
        client.ping()
    wire.stop()
    sizes = [(one.from_client, one.size) for one in wire.tls_records()[-4:-2]]
    assert sizes == [(True, 17 + 22), (False, 28 + 22)]  # RFC 8446, 5.2: head 5, type 1, tag 16
    assert str(wire.tls_records()[-4]) == (
        "client → server     39 bytes  application data    not readable"
    )


# ── Ends that do not agree ───────────────────────────────────────────────────────────


def test_thriftpy2s_own_client_is_served(server_side: ssl.SSLContext) -> None:
    with serving(foo.PingPong, Dispatcher(), tls=server_side) as server:
        # It sends no name: its host is an address.
        client = make_client(foo.PingPong, "127.0.0.1", server.port, ssl_context=client_side())
        assert client.login("root", "pwd") == "登录成功!"
        client.close()
    assert server.errors == []


def test_a_client_that_does_not_trust_the_certificate(server_side: ssl.SSLContext) -> None:
    with serving(foo.PingPong, Dispatcher(), tls=server_side) as server:
        with pytest.raises(LiveError, match="no TLS with 127") as caught:
            server.client(tls=ssl.create_default_context())
        assert isinstance(caught.value.__cause__, ssl.SSLCertVerificationError)
        with server.client(tls=client_side()) as client:
            assert client.ping() == "pong"
    # The server was told why, too.
    assert [type(failure.error) for failure in server.errors] == [ssl.SSLError]


def test_a_certificate_for_another_name(server_side: ssl.SSLContext) -> None:
    with (
        serving(foo.PingPong, Dispatcher(), tls=server_side) as server,
        pytest.raises(LiveError, match="not valid for"),
    ):
        connect(foo.PingPong, server.address, tls=client_side(), server_name="bank.example")


def test_a_plain_client_and_a_server_with_tls(server_side: ssl.SSLContext) -> None:
    with serving(foo.PingPong, Dispatcher(), tls=server_side) as server:
        with server.client() as client, pytest.raises(Exception, match=r".") as caught:
            client.ping()
        assert not isinstance(caught.value, LiveError)
    assert isinstance(server.errors[0].error, ssl.SSLError)


def test_a_client_with_tls_and_a_plain_server() -> None:
    with (
        serving(foo.PingPong, Dispatcher()) as server,
        pytest.raises(LiveError, match="Does the server speak TLS"),
    ):
        server.client(tls=client_side())


# ── Its life ─────────────────────────────────────────────────────────────────────────


def test_50_cycles_leave_no_thread_and_no_descriptor(server_side: ssl.SSLContext) -> None:
    def cycle() -> None:
        with (
            serving(foo.PingPong, Dispatcher(), tls=server_side) as server,
            server.client(tls=client_side()) as client,
        ):
            assert client.ping() == "pong"
        assert server.errors == []

    cycle()
    threads, descriptors = threading.enumerate(), sorted(os.listdir("/proc/self/fd"))
    for _ in range(50):
        cycle()
    assert threading.enumerate() == threads
    assert sorted(os.listdir("/proc/self/fd")) == descriptors


def test_the_server_goes_first(record: Record, server_side: ssl.SSLContext) -> None:
    server, _ = record(server_side)
    client = server.client(tls=client_side())
    assert client.is_open
    assert client.ping() == "pong"
    server.close()
    assert not client.is_open
    with pytest.raises(TTransportException, match="closed"):
        client.ping()
    assert server.errors == []


# ── Records, without a network ───────────────────────────────────────────────────────


def packets_of(*said: tuple[bool, bytes]) -> list[Packet]:
    tap = Tap()
    tap.opened(LINE)
    for from_client, data in said:
        tap.carried(LINE, from_client, data)
    return tap.packets


@pytest.fixture(scope="module")
def conversation(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[tuple[bool, bytes]], Path]:
    """What both ends said in two calls over TLS, record by record, and the key log."""
    folder = tmp_path_factory.mktemp("tls")
    (folder / "server.pem").write_text(KEY + CERTIFICATE)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(folder / "server.pem")
    mine = client_side()
    mine.keylog_filename = str(folder / "keys.log")
    with (
        serving(foo.PingPong, Dispatcher(), tls=tls) as server,
        recording(server, way="tap") as wire,
        server.client(tls=mine) as client,
    ):
        client.ping()
        client.login("root", "pwd")
    return [(one.from_client, one.data) for one in wire.tls_records()], folder / "keys.log"


def contents(packets: list[Packet], key_log: Path) -> list[bytes]:
    opened = read_records(packets, key_log)
    return [one.content for one in opened if one.content is not None]


def test_it_does_not_matter_how_records_were_cut(
    conversation: tuple[list[tuple[bool, bytes]], Path],
) -> None:
    said, key_log = conversation
    whole = contents(packets_of(*said), key_log)
    assert [len(one) for one in whole] == [17, 28, 39, 38]
    for step in (1, 3, 5, 6, 100):
        pieces = [
            (by_client, data[at : at + step])
            for by_client, data in said
            for at in range(0, len(data), step)
        ]
        assert contents(packets_of(*pieces), key_log) == whole


def test_a_changed_bit_closes_a_record_and_what_follows(
    conversation: tuple[list[tuple[bool, bytes]], Path],
) -> None:
    said, key_log = conversation
    sizes = [len(data) for _, data in said]
    login = max(at for at, size in enumerate(sizes) if size == 39 + 22)
    by_client, data = said[login]
    forged = data[:20] + bytes([data[20] ^ 1]) + data[21:]
    packets = packets_of(*said[:login], (by_client, forged), *said[login + 1 :])
    assert [len(one) for one in contents(packets, key_log)] == [17, 28]
    assert len(read_records(packets, key_log)) == len(said)


def test_behind_a_loss_nothing_is_made_up(
    conversation: tuple[list[tuple[bool, bytes]], Path],
) -> None:
    said, key_log = conversation
    packets = packets_of(*said)
    # The packet of the call of login; its ACK came.
    lost = next(one for one in packets if said[-4][1] in one.data)
    rest = [one for one in packets if one is not lost]
    # The reply is whole: each direction has keys and numbers of its own.
    assert [len(one) for one in contents(rest, key_log)] == [17, 28, 38]


def test_another_connections_secrets_open_nothing(
    conversation: tuple[list[tuple[bool, bytes]], Path], tmp_path: Path
) -> None:
    said, key_log = conversation
    other = tmp_path / "other.log"
    lines = key_log.read_text().splitlines()
    other.write_text("".join(f"{line.split()[0]} {'00' * 32} {'11' * 48}\n" for line in lines[1:]))
    assert contents(packets_of(*said), other) == []


def test_a_key_log_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(LiveError, match="cannot be read"):
        read_records([], tmp_path / "none.log")


@given(st.lists(st.tuples(st.booleans(), st.binary(min_size=1, max_size=60)), max_size=8))
def test_hostile_bytes_never_raise(said: list[tuple[bool, bytes]]) -> None:
    read_records(packets_of(*said))
    heads = [
        (by_client, b"\x16\x03\x03" + len(data).to_bytes(2, "big") + data)
        for by_client, data in said
    ]
    packets = packets_of(*heads)
    assert [one.data for one in read_records(packets)] == [data for _, data in heads]


def test_pieces_are_the_bytes_of_each_direction() -> None:
    packets = packets_of((True, b"one"), (False, b"two"), (True, b"three"))
    said = [(one.from_client, one.data) for one in pieces_of(packets)]
    assert said == [(True, b"one"), (False, b"two"), (True, b"three")]
    assert [one.data for one in pieces_of([*packets[:3], *packets[5:]])] == [b"two", b"", b"three"]
    assert read_packets(packets).flows[0].sent == 8
