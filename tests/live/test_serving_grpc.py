"""The handler behind gRPC: grpcio in its own process, gone when we say."""

from __future__ import annotations

import os
import queue
import socket
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from places import ROOT

pytest.importorskip("grpc", reason="gRPC is spoken by grpcio")
pytest.importorskip("grpc_tools", reason="protoc comes with grpcio-tools")

from pingpong import lab
from pingpong.errors import IdlError, LiveError, PortTaken
from pingpong.live.grpc import GrpcClient, GrpcError, GrpcServer, connect_grpc, serving_grpc
from pingpong.live.idl.services import load_services
from pingpong.live.private import PrivateNetwork, unavailable
from pingpong.live.recording import recording
from pingpong.live.serving import serving

REASON = unavailable()
FOO = load_services(ROOT / "notebooks" / "idl" / "foo.proto")


class Dispatcher:
    """What it has to tell, by what it is about, comes from its test."""

    def __init__(self) -> None:
        self.lines: dict[str, queue.SimpleQueue[str | None]] = defaultdict(queue.SimpleQueue)

    def ping(self) -> str:
        return "pong"

    def login(self, username: str, password: str) -> str:
        if password == "raise":
            raise KeyError(username)
        if password == "wrong":
            raise GrpcError("UNAUTHENTICATED", "密码 wrong", [("tries-left", "2")])
        if password == "other":
            return 42  # type: ignore[return-value]  # what a handler may do
        return "登录成功!"

    def news(self, about: str) -> Iterator[str]:
        yield from iter(self.lines[about].get, None)


@pytest.fixture(autouse=True)
def closed_afterwards() -> Iterator[None]:
    yield
    lab.close()


@pytest.fixture(scope="module")
def server() -> Iterator[GrpcServer]:
    """One for the tests that only call: each process takes a third of a second."""
    with serving_grpc(FOO.PingPong, Dispatcher()) as made:
        yield made
    assert not made.is_open


@pytest.fixture(scope="module")
def client(server: GrpcServer) -> GrpcClient:
    return server.client()


@pytest.mark.parametrize("way", ["private", "tap"])
def test_a_conversation_as_it_is_recorded(way: str) -> None:
    if way == "private" and REASON is not None:
        pytest.skip(REASON)
    network = PrivateNetwork() if way == "private" else None
    handler = Dispatcher()
    with (
        serving_grpc(FOO.PingPong, handler, network=network) as server,
        recording(server, way=way) as wire,
        server.client(
            metadata={"trace-id": "abc"}, options={"grpc.primary_user_agent": "me"}
        ) as client,
    ):
        assert client.call("ping") == "pong"
        for _ in range(2):
            assert client.call("login", username="root", password="pwd") == "登录成功!"
        with pytest.raises(GrpcError):
            client.call("login", username="root", password="wrong")
        news = client.call("news", about="rpc")
        for text in ("one", "two"):
            handler.lines["rpc"].put(text)
            assert next(news) == text
            assert text.encode() in wire.received  # while its call goes on
        handler.lines["rpc"].put(None)
        assert list(news) == []
    if network is not None:
        network.close()
    assert wire.sent.startswith(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    assert str(server.address).encode() in wire.sent  # :authority, and no path of ours
    assert b"pingpong-" not in wire.sent
    assert b"\x08trace-id\x03abc" in wire.sent
    assert b"me grpc-python/" in wire.sent
    said = [(message.method.rpartition("/")[2], message.type.name) for message in wire.messages]
    assert said == [
        *(("ping", "CALL"), ("ping", "REPLY")),
        *(("login", "CALL"), ("login", "REPLY")) * 2,
        *(("login", "CALL"), ("login", "EXCEPTION")),
        *(("news", kind) for kind in ("CALL", "PART", "PART", "REPLY")),
    ]
    outcomes = [exchange.outcome.name for exchange in wire.exchanges]
    assert outcomes == [*("SUCCESS",) * 3, "APPLICATION_EXCEPTION", "SUCCESS"]
    assert wire.messages[4].body.plain == {1: "root", 2: "pwd"}
    assert not wire.capture.findings
    (flow,) = wire.capture.flows
    assert flow.server == server.address


def test_a_stream_that_its_client_leaves(server: GrpcServer, client: GrpcClient) -> None:
    lines = server._handler.lines  # type: ignore[attr-defined]
    news = client.call("news", about="left")
    lines["left"].put("one")
    assert next(news) == "one"
    news.close()
    assert client.call("ping") == "pong"
    with server.client() as other:
        news = other.call("news", about="closed")
        lines["closed"].put("one")
        assert next(news) == "one"
    with pytest.raises(LiveError, match="was broken off"):
        next(news)
    for about in ("left", "closed"):
        lines[about].put(None)


SHOUT = """
syntax = "proto3";
enum Kind { LOUD = 0; QUIET = 1; }
message One { string text = 1; Kind kind = 2; map<string, int32> counts = 3; repeated One more = 4;
  optional int64 big = 5; bytes raw = 6; }
message Empty {}
service Shout { rpc Up(stream One) returns (One); rpc Both(stream One) returns (stream One);
  rpc Same(One) returns (One); rpc Nothing(Empty) returns (Empty); }
service Other {}
"""


@pytest.fixture
def shout(tmp_path: Path) -> Any:
    (tmp_path / "shout.proto").write_text(SHOUT)
    return lab.load(tmp_path / "shout.proto").Shout


class Shout:
    def Up(self, ones: Iterator[Any]) -> dict[str, Any]:  # noqa: N802  # as in the .proto
        return {"text": " ".join(one["text"] for one in ones).upper()}

    def Both(self, ones: Iterator[Any]) -> Iterator[dict[str, Any]]:  # noqa: N802
        for one in ones:
            yield {"text": one["text"].upper()}

    def Same(self, **fields: Any) -> dict[str, Any]:  # noqa: N802
        return fields

    def Nothing(self) -> None:  # noqa: N802
        return None


def test_all_kinds_of_calls_and_of_values(shout: Any) -> None:
    said = [{"text": "a"}, {"text": "b"}]
    fields = {
        "text": "x",
        "kind": 1,
        "counts": {"a": 1},
        "more": [],
        "big": -(2**63),
        "raw": b"\0\xff",
    }
    with serving_grpc(shout, Shout()) as server, server.client() as client:
        assert client.call("Up", said)["text"] == "A B"
        assert [one["text"] for one in client.call("Both", iter(said))] == ["A", "B"]
        assert client.call("Same", **fields) == fields
        assert client.call("Same")["big"] is None  # was not sent, and can tell
        assert client.call("Same", more=[{"text": "y"}])["more"][0]["text"] == "y"
        assert client.call("Nothing") is None
        with pytest.raises(TypeError, match="Up takes a stream of requests"):
            client.call("Up", text="a")
        with pytest.raises(TypeError, match="Same takes its arguments by name"):
            client.call("Same", said)
        assert server.errors == []


@pytest.mark.parametrize(
    ("password", "code", "details", "kept"),
    [
        ("raise", "UNKNOWN", "Exception calling application: 'root'", "login: KeyError: 'root'"),
        ("wrong", "UNAUTHENTICATED", "密码 wrong", None),
        ("other", "UNKNOWN", "bad argument type", "login: TypeError"),
    ],
)
def test_how_a_call_can_end(
    server: GrpcServer, client: GrpcClient, password: str, code: str, details: str, kept: str | None
) -> None:
    server.errors.clear()
    with pytest.raises(GrpcError) as raised:
        client.call("login", username="root", password=password)
    assert raised.value.code == code
    assert details in raised.value.details
    assert [str(one)[: len(kept or "")] for one in server.errors] == ([kept] if kept else [])
    if password == "wrong":
        assert raised.value.metadata == [("tries-left", "2")]


def test_methods_and_arguments_that_are_not_there(client: GrpcClient, shout: Any) -> None:
    with pytest.raises(LiveError, match="has no method logout; it has ping, login, news"):
        client.call("logout")
    with pytest.raises(ValueError, match="user"):
        client.call("login", user="root")
    with pytest.raises(TypeError):
        client.call("login", username=42)
    assert client.call("login", username="root") == "登录成功!"  # nothing has to be sent
    with serving_grpc(FOO.PingPong, object()) as empty:
        with pytest.raises(GrpcError, match="UNIMPLEMENTED: the handler has no method ping"):
            empty.client().call("ping")
        with (
            connect_grpc(shout, empty.address) as other,
            pytest.raises(GrpcError, match="UNIMPLEMENTED: Method not found!"),
        ):
            other.call("Nothing")
        assert empty.errors == []


def test_a_deadline(server: GrpcServer) -> None:
    with (
        recording(server, way="tap") as wire,
        server.client(timeout_ms=50) as client,
        pytest.raises(GrpcError, match="DEADLINE_EXCEEDED"),
    ):
        list(client.call("news", about="nothing happens"))
    assert b"grpc-timeout" in wire.sent
    server._handler.lines["nothing happens"].put(None)  # type: ignore[attr-defined]


def test_nobody_is_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = taken.getsockname()
    with (
        connect_grpc(FOO.PingPong, address) as client,
        pytest.raises(LiveError, match=r"cannot connect to 127.*Is the server running"),
    ):
        client.call("ping")
    assert not client.is_open
    with pytest.raises(LiveError, match="this client is closed"):
        client.call("ping")


def test_who_is_there_speaks_something_else() -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        sock, _ = listener.accept()
        with sock:
            sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            while sock.recv(1000):
                pass

    thread = threading.Thread(target=answer)
    thread.start()
    with listener, connect_grpc(FOO.PingPong, listener.getsockname()) as client:
        with pytest.raises(GrpcError) as raised:
            client.call("ping")
        assert raised.value.code == "UNAVAILABLE"
        assert "pingpong-" not in str(raised.value)  # the name of a socket of ours
    thread.join()


def test_a_port_that_is_taken() -> None:
    thrift = lab.load(ROOT / "foo.thrift")
    with serving(thrift.PingPong, Dispatcher()) as server, pytest.raises(PortTaken):
        serving_grpc(FOO.PingPong, Dispatcher(), port=server.port)


def left_behind() -> tuple[list[threading.Thread], list[str], set[str]]:
    """What lives: threads, descriptors, children."""
    tasks = Path("/proc/self/task").glob("*/children")
    children = {child for task in tasks for child in task.read_text().split()}
    return threading.enumerate(), sorted(os.listdir("/proc/self/fd")), children


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="it counts in /proc")
def test_cycles_leave_no_thread_no_descriptor_no_process_and_no_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def cycle() -> None:
        with serving_grpc(FOO.PingPong, Dispatcher()) as server:
            assert server.client().call("ping") == "pong"  # nobody closes it
            assert len(list(tmp_path.iterdir())) == 2
        server.close()

    cycle()
    before = left_behind()
    cycle()
    assert left_behind() == before
    assert list(tmp_path.iterdir()) == []


def test_a_process_that_was_killed() -> None:
    with serving_grpc(FOO.PingPong, Dispatcher()) as server, server.client() as client:
        assert client.call("ping") == "pong"
        server._child._process.kill()
        with pytest.raises(GrpcError, match="UNAVAILABLE"):
            client.call("ping")
        client._child._process.kill()
        with pytest.raises(LiveError, match=r"its client ended|is closed"):
            client.call("ping")
    assert not server.is_open


def test_a_kernel_has_no_grpcio_and_leaves_nothing_when_killed(tmp_path: Path) -> None:
    code = f"""
import sys, tempfile
tempfile.tempdir = {str(tmp_path)!r}
from pingpong import lab
server = lab.serve_grpc(lab.load({str(ROOT / "notebooks" / "idl" / "foo.proto")!r}).PingPong, None,
                        port=0, private=False)
print("grpc" in sys.modules, server._child._process.pid, flush=True)
sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as kernel:
        assert kernel.stdout is not None
        is_here, child = kernel.stdout.readline().split()
        assert is_here == "False"
        watched = os.pidfd_open(int(child)) if hasattr(os, "pidfd_open") else None
        assert len(list(tmp_path.iterdir())) == 1
        kernel.kill()
    if watched is None:
        pytest.skip("nothing tells here when a process ends that is not a child")
    import select

    assert select.select([watched], [], [], 60)[0]
    os.close(watched)
    assert list(tmp_path.iterdir()) == []


def test_a_cell_run_again_replaces_the_server() -> None:
    first = lab.serve_grpc(FOO.PingPong, Dispatcher(), port=0)
    wire = lab.record(first)
    second = lab.serve_grpc(FOO.PingPong, Dispatcher(), port=0)
    assert not first.is_open
    assert not wire.is_running
    assert repr(second) == f"<GrpcServer of PingPong at {second.address}, open>"
    lab.close()
    assert not second.is_open


def test_without_the_packages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "grpc.py").write_text("raise ImportError('no grpc')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(LiveError, match=r'no grpc. Install it: pip install "pingpong\[relatives\]'):
        lab.serve_grpc(FOO.PingPong, Dispatcher(), port=0)
    monkeypatch.setitem(sys.modules, "google.protobuf", None)
    with pytest.raises(IdlError, match=r"pip install \"pingpong\[relatives\]"):
        lab.load(ROOT / "notebooks" / "idl" / "foo.proto")


@pytest.mark.parametrize(
    ("text", "reason"),
    [("service X {", "Reached end of input"), (b"\x0a\xff\0", "is no set of descriptors")],
)
def test_a_proto_that_is_none(tmp_path: Path, text: str | bytes, reason: str) -> None:
    path = tmp_path / "x.proto"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(IdlError, match=reason):
        lab.load(path)


def test_a_handler_sees_the_metadata_of_its_call() -> None:
    class Traced(Dispatcher):
        def ping(self) -> str:
            return str(peer.metadata.get("trace-id", "none"))

    with serving_grpc(FOO.PingPong, Traced()) as peer, peer.client() as client:
        client.metadata["trace-id"] = "abc"
        assert client.call("ping") == "abc"
        client.metadata.clear()
        assert client.call("ping") == "none"
        assert peer.metadata == {}  # no call is answered in this thread
