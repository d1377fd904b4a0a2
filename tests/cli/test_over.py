"""serve and call over gRPC and HTTP: what they print, and what they say when it does not work."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest
from places import ROOT
from shell import run

pytest.importorskip("grpc", reason="gRPC is spoken by grpcio")
pytest.importorskip("grpc_tools", reason="protoc comes with grpcio-tools")

HAS_HTTPCORE = find_spec("httpcore") is not None

SHOP = """
syntax = "proto3";
package shop;
enum Kind { LOUD = 0; QUIET = 1; }
message Q { int32 id = 1; string name = 2; repeated string tags = 3; Kind kind = 4; bytes raw = 5; }
message R { int32 n = 1; bytes b = 2; }
service Shop { rpc get(Q) returns (R); rpc many(stream Q) returns (stream R); }
"""


@contextmanager
def serving(*options: str) -> Iterator[str]:
    """``pingpong serve`` until Ctrl-C, on a port that is free: that port."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = str(one.getsockname()[1])
    command = [sys.executable, "-m", "pingpong", "serve", "--port", port, *options]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert re.fullmatch(
                r"\w+ listens on [\d.:]+, over (gRPC|HTTP); Ctrl-C stops it\n", line
            )
            yield port
            process.send_signal(signal.SIGINT)
            assert process.wait(120) == 0
        finally:
            process.kill()


def test_over_grpc(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The lessons' methods do what they do; somebody else's answer with an empty reply."""
    idl = tmp_path / "more.proto"
    lessons = (ROOT / "notebooks" / "idl" / "foo.proto").read_text()
    more = "rpc get(Q) returns (R); rpc many(stream Q) returns (stream R); }"
    idl.write_text(lessons.replace("}", more, 1) + SHOP.partition("package shop;")[2])
    idl.write_text(re.sub(r"service Shop .*", "", idl.read_text()))
    with serving("--over", "grpc", "--idl", str(idl)) as port:
        grpc = ("--over", "grpc", "--port", port)
        assert run(capsys, "call", "login", "root", "pwd", *grpc) == (0, "登录成功!\n", "")
        three = "".join(f"rpc: line {number}\n" for number in (1, 2, 3))
        assert run(capsys, "call", "PingPong/news", "rpc", *grpc) == (0, three, "")
        code, out, err = run(capsys, "call", "login", '{"username": "x"}', "--wire", *grpc)
        assert (code, err) == (0, "")
        assert 'CALL /pingpong.v1.PingPong/login username: "x"' in out
        assert "grpc-timeout" in out
        assert out.endswith("登录成功!\n")
        given = (*grpc, "--idl", str(idl))
        code, out, err = run(capsys, "call", "get", "-1", "n", '["a"]', "QUIET", "AA==", *given)
        assert (code, out, err) == (0, '{"n": 0, "b": ""}\n', "")
        word = "pingpong.v1.PingPong/many"
        code, out, err = run(capsys, "call", word, '{"id": 7}', "{}", "--wire", *given)
        assert (code, err) == (0, "")
        assert "PART /pingpong.v1.PingPong/many id: 7" in out
        other = tmp_path / "shop.proto"
        other.write_text(SHOP)
        code, _, err = run(capsys, "call", "get", "{}", *grpc, "--idl", str(other))
        assert code == 2
        assert "the server could not make the call: UNIMPLEMENTED: Method not found!" in err


def test_over_http(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("hypercorn", reason="HTTP is served by hypercorn")
    with serving("--over", "http") as port:
        for over in ("http", "http2"):
            http = ("--over", over, "--port", port)
            assert run(capsys, "call", "ping", *http) == (0, "pong\n", "")
            code, out, _ = run(capsys, "call", "login", "root", "pwd", "--wire", *http)
            assert code == 0
            assert 'CALL POST /login username: "root", password: "pwd"' in out
            code, _, err = run(capsys, "call", "login", '{"user": 1}', *http)
            assert code == 2
            assert "status 400" in err
        code, _, err = run(capsys, "call", "ping", "--over", "grpc", "--port", port)
        assert code == 2
        assert "did not answer as a gRPC server: Received http2 header with status: 404" in err


def test_what_cannot_be_done(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, two = tmp_path / "one.proto", tmp_path / "two.proto"
    one.write_text(SHOP)
    two.write_text(SHOP + "service Two { rpc get(Q) returns (R); }")
    none = tmp_path / "none.proto"
    none.write_text('syntax = "proto3";')
    grpc, http = ("--over", "grpc"), ("--over", "http")
    of_one, of_two = (*grpc, "--idl", str(one)), (*grpc, "--idl", str(two))
    for words, wanted in (
        (("call", "logout", *grpc), "has no method logout; it has ping, login, news"),
        (("call", "login", "root", *grpc), "login takes 2 arguments, not 1. Write: pingpong call"),
        (("call", "login", "root", *http), "login takes 2 arguments, not 1. Write: pingpong call"),
        (("call", "logout", *http), "has no method logout; it has ping, login"),
        (("call", "login", "{nonsense", *http), "these are no arguments of login: "),
        (("call", "get", "x", "", "[]", "LOUD", "", *of_one), "these are no arguments of get: "),
        (
            ("call", "get", '{"od": 1}', *of_one),
            "there is no field od; it has id, name, tags, kind, raw",
        ),
        (("call", "many", "1", *of_one), "It takes a stream: write each request as a JSON object"),
        (("call", "many", "1", *http, "--idl", str(one)), "a stream, which goes over gRPC only"),
        (("call", "get", *of_two), "2 services have a method get. Write shop.Shop/get or shop.Two"),
        (("call", "got", *of_two), "it has shop.Shop/get, shop.Shop/many, shop.Two/get"),
        (("call", "get", *grpc, "--idl", str(none)), "none.proto has no service"),
        (("call", "get", *grpc, "--idl", "nowhere.proto"), "No such file or directory"),
        (("call", "get", "--idl", str(one)), "With a .proto file, write --over grpc"),
        (("call", "ping", "--framed", *grpc), "--framed is a transport of Thrift's"),
        (("serve", *of_two), "has 2 services, and one can be served: shop.Shop, shop.Two"),
        (("serve", "--idl", str(one)), "With a .proto file, write --over grpc"),
        (("serve", *http, "--idl", str(one)), "has the lessons' two methods and needs no IDL"),
    ):
        if words[0] == "call" and "http" in words and not HAS_HTTPCORE:
            continue  # then this is all that is said
        code, out, err = run(capsys, *words)
        assert (code, out) == (2, ""), words
        assert wanted in err
        assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("over", "says", "wanted"),
    [
        ("grpc", b"HTTP/1.1 400 Bad Request\r\n\r\n", "did not answer as a gRPC server: "),
        ("grpc", b"", "a gRPC server: it said nothing within 0.2 seconds (--timeout)"),
        ("grpc", b"\0\0\0\4\0\0\0\0\0", "did not answer within 0.2 seconds. Does it speak gRPC"),
        ("http", b"", "an HTTP/1.1 server: it said nothing within 0.2 seconds (--timeout)"),
        ("http", b"\x80\x01 nonsense \r\n\r\n", "begins with 80 01 20 6e"),
        ("http", b"\xff\xfe \r\n\r\n", "which is nothing known here. Ways to call are"),
        ("thrift", b"\0\0\0\4\0\0\0\0\0", "HTTP/2 SETTINGS. HTTP/2 is called with --over grpc"),
        ("thrift", b"HTTP/1.1 400 Bad Request\r\n\r\n", "HTTP/1.1 is called with --over http"),
        ("thrift", b"\xff\xfe", "which is nothing known here. Ways to call are --over thrift"),
        ("http2", b"\0\0\0\4\0\0\0\0\0", "did not answer JSON: gRPC is called with --over grpc"),
        ("http", b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n<a/>", "the answer is no JSON"),
        ("http", b"HTTP/1.1 502 Bad\r\ncontent-length: 1\r\n\r\n\xff", r"status 502, \xff"),
        ("http2", b"HTTP/1.1 400 Bad Request\r\n\r\n", "HTTP/1.1 is called with --over http"),
    ],
)
def test_who_is_there_speaks_something_else(
    over: str, says: bytes, wanted: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if over.startswith("http") and not HAS_HTTPCORE:
        pytest.skip("HTTP is spoken by httpcore")

    def answer() -> None:
        sock, _ = listener.accept()
        with sock:
            sock.recv(1000)
            sock.sendall(says)
            while sock.recv(1000):
                pass

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(60)  # nobody may come, and then the test fails, and does not hang
        thread = threading.Thread(target=answer)
        thread.start()
        port = str(listener.getsockname()[1])
        timeout = "5" if says.endswith(b"\n") and over != "http2" else "0.2"
        code, out, err = run(
            capsys, "call", "ping", "--over", over, "--port", port, "--timeout", timeout
        )
        thread.join()
    assert (code, out) == (2, "")
    assert wanted in err
    assert err.count("\n") == 1
