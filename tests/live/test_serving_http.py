"""The handler behind HTTP: hypercorn and httpcore, with a life that begins and ends when we say."""

from __future__ import annotations

import os
import socket
import sys
import threading
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("hypercorn", reason="HTTP is served by hypercorn")
pytest.importorskip("h2", reason="HTTP/2 is called with h2")

from pingpong import lab
from pingpong.errors import LiveError, PortTaken
from pingpong.live.http import HttpServer, JsonApp, serving_http
from pingpong.live.private import PrivateNetwork, unavailable
from pingpong.live.recording import recording

REASON = unavailable()


class Dispatcher:
    secret = 3

    def ping(self) -> str:
        return "pong"

    def login(self, username: str, password: str) -> str:
        if password == "raise":
            raise KeyError(username)
        return "登录成功!"

    def strange(self) -> object:
        return object()


@pytest.fixture(autouse=True)
def closed_afterwards() -> Iterator[None]:
    yield
    lab.close()


@pytest.fixture(params=["private", "tap"])
def recorded(request: pytest.FixtureRequest) -> Iterator[tuple[HttpServer, Any]]:
    way = request.param
    if way == "private" and REASON is not None:
        pytest.skip(REASON)
    network = PrivateNetwork() if way == "private" else None
    with serving_http(Dispatcher(), network=network) as server, recording(server, way=way) as wire:
        yield server, wire
    if network is not None:
        network.close()


CALL = (
    "POST /login HTTP/1.1\r\nHost: {}\r\ncontent-type: application/json\r\n"
    'Content-Length: 36\r\n\r\n{{"username":"root","password":"pwd"}}'
)
ANSWER = (
    "HTTP/1.1 200 \r\ncontent-type: application/json\r\ncontent-length: 15\r\n\r\n" + '"登录成功!"'
)


def test_every_byte_of_a_call_over_http_1_1(recorded: tuple[HttpServer, Any]) -> None:
    server, wire = recorded
    with server.client() as client:
        for _ in range(3):
            assert client.call("login", username="root", password="pwd") == "登录成功!"
    assert wire.sent.decode() == 3 * CALL.format(server.address)
    assert wire.received.decode() == 3 * ANSWER
    assert len(wire.capture.flows) == 1  # the connection is kept


def test_http_2_sends_its_headers_once(recorded: tuple[HttpServer, Any]) -> None:
    server, wire = recorded
    sizes = []
    with server.client(http2=True) as client:
        for _ in range(4):
            before = len(wire.sent), len(wire.received)
            assert client.call("login", username="root", password="pwd") == "登录成功!"
            sizes.append((len(wire.sent) - before[0], len(wire.received) - before[1]))
    assert wire.sent.startswith(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    first, second, third, fourth = sizes
    assert first[0] > second[0]
    assert first[1] > second[1]
    assert second == third == fourth
    assert wire.sent.count(b"application/json") == 0  # it is Huffman coded


def test_headers_of_the_callers(recorded: tuple[HttpServer, Any]) -> None:
    server, wire = recorded
    with server.client(headers={"user-agent": "a lesson"}) as client:
        client.call("ping")
    assert b"user-agent: a lesson\r\n" in wire.sent


def test_what_can_go_wrong() -> None:
    with serving_http(Dispatcher()) as server, server.client() as client:
        for method, arguments, status in (
            ("nope", {}, 404),
            ("secret", {}, 404),
            ("__init__", {}, 404),
            ("login", {"username": "root"}, 400),
            ("login", {"username": "root", "password": "raise"}, 500),
            ("strange", {}, 500),
        ):
            with pytest.raises(LiveError, match=f"status {status}"):
                client.call(method, **arguments)
        assert client.call("ping") == "pong"  # the connection lives on
    assert [failure.method for failure in server.errors] == ["login", "strange"]
    assert "KeyError" in str(server.errors[0])


@pytest.mark.parametrize("body", [b"{", b"[1]", b"3", b"\xff", b"[" * 10_000, b'{"a": 1}'])
def test_bodies_that_are_no_arguments(body: bytes) -> None:
    status, answer = JsonApp(Dispatcher()).answer("ping", body)
    assert status == 400
    assert answer.startswith(b'{"error":')


def test_any_other_client_is_served() -> None:
    with serving_http(Dispatcher()) as server:
        request = urllib.request.Request(f"http://{server.address}/ping", b"{}")
        with urllib.request.urlopen(request) as answer:
            assert answer.read() == b'"pong"'


def test_30_cycles_leave_no_thread_and_no_descriptor() -> None:
    def cycle() -> None:
        with serving_http(Dispatcher()) as server:
            for http2 in (False, True):
                assert server.client(http2=http2).call("ping") == "pong"  # nobody closes it
            left_open = socket.create_connection(server.address)
            left_open.close()
        assert server.errors == []
        assert not server.is_open
        server.close()

    cycle()
    threads, descriptors = threading.enumerate(), sorted(os.listdir("/proc/self/fd"))
    for _ in range(30):
        cycle()
    assert threading.enumerate() == threads
    assert sorted(os.listdir("/proc/self/fd")) == descriptors


def test_nobody_is_there() -> None:
    server = serving_http(Dispatcher())
    with server.client() as client:
        assert client.call("ping") == "pong"
    late = server.client()
    server.close()
    with pytest.raises(LiveError, match="POST http://127"):
        late.call("ping")


def test_a_port_that_is_taken() -> None:
    with serving_http(Dispatcher()) as server, pytest.raises(PortTaken):
        serving_http(Dispatcher(), port=server.port)


def test_without_the_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pingpong.live.http", None)
    with pytest.raises(LiveError, match=r"pip install \"pingpong\[lab\]\""):
        lab.serve_http(Dispatcher())


def test_a_cell_run_again_replaces_the_server() -> None:
    first = lab.serve_http(Dispatcher(), port=0)
    wire = lab.record(first)
    second = lab.serve_http(Dispatcher(), port=0)
    assert not first.is_open
    assert not wire.is_running
    assert repr(second) == f"<HttpServer at {second.address}, open>"
    lab.close()
    assert not second.is_open
