"""serving: thriftpy2's own machinery, with a life that begins and ends when we say."""

from __future__ import annotations

import gc
import os
import socket
import threading
from typing import Any

import pytest
import thriftpy2
from places import ROOT
from thriftpy2.contrib.tracking import TrackerBase
from thriftpy2.contrib.tracking.tracker import ctx
from thriftpy2.protocol import TBinaryProtocolFactory, TCompactProtocolFactory, TJSONProtocolFactory
from thriftpy2.rpc import make_client, make_server
from thriftpy2.transport import (
    TBufferedTransportFactory,
    TFramedTransportFactory,
    TTransportException,
)

from pingpong.errors import HostNotLocal, LiveError, PortTaken
from pingpong.live import serving as serving_module
from pingpong.live.serving import connect, serving

FOO = str(ROOT / "foo.thrift")
foo: Any = thriftpy2.load(FOO, module_name="pingpong_thrift")


class Dispatcher:
    def ping(self) -> str:
        return "pong"

    def login(self, username: str, password: str) -> str:
        if password == "raise":
            raise KeyError(username)
        if password == "exit":
            raise SystemExit(1)
        if password.isdigit():
            return "x" * int(password)
        return "登录成功!"


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def test_a_plain_connection_for_bytes_that_no_client_sends() -> None:
    with serving(foo.PingPong, Dispatcher()) as server, server.connect(5000) as sock:
        sock.sendall(bytes.fromhex("80010001 00000004 70696e67 00000000 00"))
        assert sock.recv(1) == b"\x80"
    with pytest.raises(LiveError, match="cannot connect"):
        server.connect(5000)


def test_the_articles_own_code_works_in_a_thread() -> None:
    port = free_port()
    pingpong_thrift = thriftpy2.load(FOO, module_name="pingpong_thrift")
    server: Any = make_server(pingpong_thrift.PingPong, Dispatcher(), "127.0.0.1", port)
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        while True:
            try:
                client = make_client(pingpong_thrift.PingPong, "127.0.0.1", port)
                break
            except TTransportException:  # it does not listen yet: what serving() mends
                assert thread.is_alive()
        assert client.ping() == "pong"
        assert client.login("root", "pwd") == "登录成功!"
        client.close()
    finally:
        server.close()
        socket.create_connection(("127.0.0.1", port)).close()  # it wakes only then
        thread.join()
        server.trans.close()


@pytest.mark.parametrize(
    "protocol", [TBinaryProtocolFactory, TCompactProtocolFactory, TJSONProtocolFactory]
)
@pytest.mark.parametrize("transport", [TBufferedTransportFactory, TFramedTransportFactory])
def test_every_protocol_in_every_transport(protocol: Any, transport: Any) -> None:
    with serving(foo.PingPong, Dispatcher(), protocol=protocol(), transport=transport()) as server:
        with server.client() as client:
            assert client.ping() == "pong"
            assert client.login("root", "pwd") == "登录成功!"
        assert server.errors == []


def test_thriftpy2s_own_client_is_served() -> None:
    with serving(foo.PingPong, Dispatcher()) as server:
        client = make_client(foo.PingPong, server.host, server.port)
        assert client.ping() == "pong"
        client.close()


def test_200_cycles_leave_no_thread_and_no_descriptor() -> None:
    def cycle() -> None:
        with serving(foo.PingPong, Dispatcher()) as server, server.client() as client:
            assert client.ping() == "pong"

    cycle()
    threads, descriptors = threading.enumerate(), sorted(os.listdir("/proc/self/fd"))
    for _ in range(200):
        cycle()
    assert threading.enumerate() == threads
    assert sorted(os.listdir("/proc/self/fd")) == descriptors


def test_closing_twice_and_with_clients_still_open() -> None:
    server = serving(foo.PingPong, Dispatcher())
    clients = [server.client() for _ in range(5)]
    assert [client.ping() for client in clients] == ["pong"] * 5
    server.close()
    server.close()
    assert not server.is_open
    with pytest.raises(TTransportException, match="closed"):
        clients[0].ping()
    with pytest.raises(LiveError, match="cannot connect"):
        server.client()


def test_a_forgotten_client_does_not_keep_a_descriptor() -> None:
    with serving(foo.PingPong, Dispatcher()) as server:
        server.client().ping()
    gc.collect()  # an unclosed socket would warn, and warnings are errors


def test_the_port_is_free_again_at_once() -> None:
    with serving(foo.PingPong, Dispatcher()) as server, server.client() as client:
        client.ping()
    with serving(foo.PingPong, Dispatcher(), port=server.port) as again, again.client() as client:
        assert client.ping() == "pong"


def test_a_port_that_is_taken_says_what_to_do() -> None:
    with serving(foo.PingPong, Dispatcher()) as server:
        port = server.port
        with pytest.raises(PortTaken, match=rf"port {port} of 127\.0\.0\.1 is taken.*another"):
            serving(foo.PingPong, Dispatcher(), port=port)


def test_a_port_is_not_shared_with_a_server_of_thriftpy2s() -> None:
    port = free_port()
    theirs: Any = make_server(foo.PingPong, Dispatcher(), "127.0.0.1", port).trans
    theirs.listen()
    try:
        with pytest.raises(PortTaken):
            serving(foo.PingPong, Dispatcher(), port=port)
    finally:
        theirs.close()


@pytest.mark.parametrize(
    ("host", "reason"),
    [
        ("192.0.2.1", "no loopback address"),
        ("0.0.0.0", "no loopback address"),
        ("::", "no loopback address"),
        ("a..b", "cannot be resolved"),
    ],
)
def test_a_host_that_is_not_this_machines_loopback(host: str, reason: str) -> None:
    with pytest.raises(HostNotLocal, match=reason):
        serving(foo.PingPong, Dispatcher(), host=host)


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_that_is_none(port: int) -> None:
    with pytest.raises(ValueError, match="want 0 to 65535"):
        serving(foo.PingPong, Dispatcher(), port=port)


def test_nobody_listens_there() -> None:
    port = free_port()
    with pytest.raises(LiveError, match=f"127.0.0.1:{port}.*Is the server running"):
        connect(foo.PingPong, ("127.0.0.1", port))


@pytest.mark.parametrize(
    ("password", "error"), [("raise", "KeyError: 'root'"), ("exit", "SystemExit: 1")]
)
def test_what_a_handler_raises_is_kept_and_not_printed(
    password: str, error: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with serving(foo.PingPong, Dispatcher()) as server:
        with server.client() as client, pytest.raises(TTransportException):
            client.login("root", password)
        with server.client() as client:
            assert client.ping() == "pong"
    (failure,) = server.errors
    assert str(failure) == f"login: {error}"
    assert failure.method == "login"
    assert "in login" in failure.traceback
    assert capfd.readouterr() == ("", "")


def test_bytes_that_are_no_message_are_kept_as_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    with serving(foo.PingPong, Dispatcher()) as server:
        with socket.create_connection(server.address) as sock:
            sock.sendall(b"\x80\x02\x00\x01 not a version of Thrift's")
            assert sock.recv(100) == b""
        (failure,) = server.errors
        assert failure.method is None
        assert str(failure).startswith("reading a message: ")
    assert capfd.readouterr() == ("", "")


def test_a_client_that_breaks_off_is_no_error(capfd: pytest.CaptureFixture[str]) -> None:
    with serving(foo.PingPong, Dispatcher()) as server:
        sock = socket.create_connection(server.address)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        sock.sendall(b"\x80\x01")
        sock.close()  # with a RST
        with server.client() as client:
            client.ping()
    assert server.errors == []
    assert capfd.readouterr() == ("", "")


def test_an_idle_connection_is_never_dropped() -> None:
    with serving(foo.PingPong, Dispatcher()) as server, server.client() as client:
        client.ping()
        (connection,) = server._connections.values()
        assert connection.sock.gettimeout() is None
        assert client._connection.sock.gettimeout() is None


def test_a_client_waits_as_long_as_it_was_told() -> None:
    release = threading.Event()

    class Slow(Dispatcher):
        def ping(self) -> str:
            release.wait()
            return "pong"

    with serving(foo.PingPong, Slow()) as server:
        client = server.client(timeout_ms=20)
        with pytest.raises(TimeoutError):
            client.ping()
        release.set()


def test_a_handler_that_does_not_return_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving_module, "PATIENCE", 0.01)
    monkeypatch.setattr(serving_module, "CLIENT_PATIENCE", 0.01)
    entered, release = threading.Event(), threading.Event()

    class Stuck(Dispatcher):
        def ping(self) -> str:
            entered.set()
            release.wait()
            return "pong"

    server = serving(foo.PingPong, Stuck())
    client = server.client()
    client._send("ping")
    entered.wait()
    (thread,) = server._connections
    server.close()
    assert "did not return" in str(server.errors[0])
    release.set()
    thread.join()


def test_a_handler_may_close_its_own_server() -> None:
    class Last(Dispatcher):
        def ping(self) -> str:
            server.close()
            return "pong"

    server = serving(foo.PingPong, Last())
    (client,) = [server.client()]
    with pytest.raises((TTransportException, OSError)):
        client.ping()
    client.close()
    assert not server.is_open


def test_what_goes_wrong_in_closing_leaves_no_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    server = serving(foo.PingPong, Dispatcher())
    client = server.client()

    def fail() -> None:
        raise RuntimeError("in between")

    with monkeypatch.context() as patched:
        patched.setattr(client, "close", fail)
        with pytest.raises(RuntimeError):
            server.close()
    client.close()
    assert server._acceptor._waker.fileno() == server._acceptor._alarm.fileno() == -1


def test_many_threads_close_a_client_at_once() -> None:
    with serving(foo.PingPong, Dispatcher()) as server:
        for _ in range(50):
            client = server.client()
            start = threading.Barrier(4)
            errors: list[BaseException] = []

            def close(
                client: Any = client,
                start: threading.Barrier = start,
                errors: list[BaseException] = errors,
            ) -> None:
                start.wait()
                try:
                    client.close()
                except BaseException as error:
                    errors.append(error)

            threads = [threading.Thread(target=close) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert errors == []
            assert not client.is_open


def test_twenty_clients_at_once_with_large_replies() -> None:
    with serving(foo.PingPong, Dispatcher()) as server:
        replies: list[int] = []

        def call() -> None:
            with server.client() as client:
                replies.extend(len(client.login("root", "100000")) for _ in range(3))

        threads = [threading.Thread(target=call) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert replies == [100_000] * 60


def test_it_says_what_it_is() -> None:
    with serving(foo.PingPong, Dispatcher()) as server, server.client() as client:
        assert repr(server) == f"<Server of PingPong at 127.0.0.1:{server.port}, open>"
        assert repr(client) == f"<Client of PingPong at 127.0.0.1:{server.port}>"
    assert repr(server).endswith("closed>")


def test_a_trace_id_goes_on_to_the_second_server() -> None:
    tracker = TrackerBase("front", "back")
    seen: list[tuple[str, str]] = []

    class Back(Dispatcher):
        def ping(self) -> str:
            seen.append((ctx.header.request_id, ctx.header.seq))
            return "pong"

    with serving(foo.PingPong, Back(), tracker=tracker) as back:

        class Front(Dispatcher):
            def ping(self) -> str:
                seen.append((ctx.header.request_id, ctx.header.seq))
                with back.client(tracker=tracker) as client:
                    return str(client.ping())

        with serving(foo.PingPong, Front(), tracker=tracker) as front:
            for _ in range(2):
                with front.client(tracker=tracker) as client:
                    assert client.ping() == "pong"
                    with pytest.raises(TTransportException):
                        client.login("ann", "raise")
            assert [str(error) for error in front.errors] == ["login: KeyError: 'ann'"] * 2
            with front.client() as plain:  # who does not track is served as well
                assert plain.login("root", "pwd") == "登录成功!"
    assert [seq for _, seq in seen] == ["1", "1.1", "3", "3.1"]
    assert seen[0][0] == seen[1][0] != seen[2][0] == seen[3][0]
