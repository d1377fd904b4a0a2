"""Dubbo with peers that others wrote: our small ones understand them, and so does the decoder.

    dubbo-py           a server of Dubbo 2 (PyPI)
    dubbo-ssl-python   a client of Dubbo 2 (PyPI)
    apache-dubbo       client and server of Triple (PyPI, Python 3.11 and later)

Two of them are called ``dubbo`` when they are imported, so each has an environment of its own:
PINGPONG_DUBBO_PEERS names a folder in which there is one for each, called as the package is.

    python -m venv peers/dubbo-py && peers/dubbo-py/bin/pip install dubbo-py     and so on

They speak on 127.0.0.1, in processes of their own; a Tap between them records.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pingpong.capture import Capture, read_packets
from pingpong.errors import LiveError
from pingpong.live.ours.dubbo import Dubbo
from pingpong.live.ours.speaking import connect_ours, serving_ours
from pingpong.live.relay import Relay
from pingpong.live.serving import dial, listen_on
from pingpong.live.tap import Tap, WatchedSocket
from pingpong.model import Endpoint, MessageType, Outcome

pytestmark = pytest.mark.once

VARIABLE = "PINGPONG_DUBBO_PEERS"
USERS = "com.thinkrpc.UserService"


def python_of(package: str) -> str:
    """The Python of the environment that has a package; the test is skipped without it."""
    folder = os.environ.get(VARIABLE)
    if not folder:
        pytest.skip(f"{VARIABLE} does not name a folder with environments of {package} and others")
    found = Path(folder, package, "bin", "python")
    if not found.exists():
        pytest.skip(f"{package} is not installed (looked for {found})")
    return str(found)


# Each prints a line once it listens, and ends when its standard input does.
DUBBO_PY = """
import sys
from dubbo import server

def login(username, password):
    if password == "wrong":
        raise ValueError("try again")
    return "登录成功!"

methods = {"com.thinkrpc.UserService": {"ping": lambda: "pong", "login": login}}
made = server._DubboServer(("127.0.0.1", 0), server._get_dubbo_request_handler(methods))
thread = server._ServerThread(made)
thread.start()
print(made.server_address[1], flush=True)
sys.stdin.read()
thread.stop()
"""
DUBBO_SSL = """
import sys
from dubbo_ssl.client import DubboClient

client = DubboClient("com.thinkrpc.UserService", "", host="127.0.0.1:" + sys.argv[1])
print(client.call("ping"), client.call("login", ("admin", "123456")), sep="\\n", flush=True)
"""
TRIPLE_SERVER = """
import sys, dubbo
from dubbo.configs import ServiceConfig
from dubbo.proxy.handlers import RpcMethodHandler, RpcServiceHandler

def ping(message):
    return b"pong:" + message

method = RpcMethodHandler.unary(method=ping, method_name="ping")
service = RpcServiceHandler(service_name="com.thinkrpc.UserService", method_handlers=[method])
port = int(sys.argv[1])
server = dubbo.Server(ServiceConfig(service_handler=service, host="127.0.0.1", port=port))
server.start()
print("listens", flush=True)
sys.stdin.read()
"""
TRIPLE_CLIENT = """
import os, sys, dubbo
from dubbo.configs import ReferenceConfig

url = f"tri://127.0.0.1:{sys.argv[1]}/com.thinkrpc.UserService"
ping = dubbo.Client(ReferenceConfig.from_url(url)).unary(method_name="ping")
for text in (b"one", b"two"):
    print(ping(text).decode(), flush=True)
os._exit(0)
"""


@contextmanager
def running(package: str, code: str, *arguments: str) -> Iterator[str]:
    """A peer that listens; what it says is the first line that it prints."""
    process = subprocess.Popen(
        [python_of(package), "-c", code, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        line = process.stdout.readline().strip()
        assert line, process.stderr.read()
        yield line
    finally:
        process.stdin.close()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
        process.stderr.close()


def printed(package: str, code: str, *arguments: str) -> list[str]:
    """What a peer that calls prints."""
    done = subprocess.run(
        [python_of(package), "-c", code, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@contextmanager
def recorded(target: Endpoint) -> Iterator[tuple[int, Tap]]:
    """A port that leads to ``target``, and what passes there."""
    tap = Tap()
    listener = listen_on("127.0.0.1", 0, None)
    port = listener.getsockname()[1]

    def pair(accepted: object) -> tuple[WatchedSocket, object]:
        outside = WatchedSocket(accepted, [tap], from_client=False)  # type: ignore[arg-type]
        inside = dial(target, None, []).sock
        return outside, inside

    relay = Relay("between Dubbo's peers", listener, pair)  # type: ignore[arg-type]
    try:
        yield port, tap
    finally:
        relay.close()


def capture_of(tap: Tap) -> Capture:
    return read_packets(tap.packets, name="peers")


def test_our_client_calls_dubbo_py() -> None:
    tap = Tap()
    with running("dubbo-py", DUBBO_PY) as port:
        server = ("127.0.0.1", int(port))
        with connect_ours(Dubbo(USERS), server, timeout_ms=20_000, watchers=[tap]) as client:
            assert client.call("ping") == "pong"
            assert client.call("login", username="admin", password="123456") == "登录成功!"
            with pytest.raises(LiveError, match="try again"):
                client.call("login", username="admin", password="wrong")
    capture = capture_of(tap)
    assert capture.findings == ()
    outcomes = [one.outcome for one in capture.exchanges]
    assert outcomes[:2] == [Outcome.SUCCESS, Outcome.SUCCESS]
    assert outcomes[2].failed


def test_our_server_is_called_by_dubbo_ssl_python() -> None:
    class Dispatcher:
        def ping(self) -> str:
            return "pong"

        def login(self, username: str, password: str) -> str:
            return f"{username}, {password}: 登录成功!"

    tap = Tap()
    with serving_ours(Dubbo(USERS), Dispatcher()) as server:
        server.watchers.append(tap)
        said = printed("dubbo-ssl-python", DUBBO_SSL, str(server.port))
    assert said == ["pong", "admin, 123456: 登录成功!"]
    capture = capture_of(tap)
    assert capture.findings == ()
    calls = [one.call for one in capture.exchanges if one.call is not None]
    assert [call.bare_method for call in calls] == ["ping", "login"]
    # It speaks as version 2.4.10 did: its answers have no attachments.
    assert [one.reply.metadata for one in capture.exchanges if one.reply is not None] == [(), ()]


def test_dubbo_py_and_dubbo_ssl_python_are_read() -> None:
    with (
        running("dubbo-py", DUBBO_PY) as port,
        recorded(Endpoint("127.0.0.1", int(port))) as (there, tap),
    ):
        assert printed("dubbo-ssl-python", DUBBO_SSL, str(there)) == ["pong", "登录成功!"]
    capture = capture_of(tap)
    assert capture.findings == ()
    assert [str(one.transport) for one in capture.messages] == ["dubbo"] * 4
    login = capture.exchanges[1].call
    assert login is not None
    # Ours writes what that client wrote: it speaks as 2.4.10 did, and says a group that is empty.
    old = Dubbo(USERS, dubbo="2.4.10", timeout=None)
    arguments = {"username": "admin", "password": "123456"}
    assert old.call(login.seqid, "login", arguments, {"group": ""}) == login.data


def test_triple_is_read() -> None:
    if sys.version_info < (3, 11):
        pytest.skip("apache-dubbo needs Python 3.11")
    listener = listen_on("127.0.0.1", 0, None)
    port = listener.getsockname()[1]
    listener.close()
    with (
        running("apache-dubbo", TRIPLE_SERVER, str(port)),
        recorded(Endpoint("127.0.0.1", port)) as (there, tap),
    ):
        assert printed("apache-dubbo", TRIPLE_CLIENT, str(there)) == ["pong:one", "pong:two"]
    capture = capture_of(tap)
    assert [one.outcome for one in capture.exchanges] == [Outcome.SUCCESS] * 2
    assert {one.service for one in capture.messages} == {USERS}
    assert [one.type for one in capture.messages] == [MessageType.CALL, MessageType.REPLY] * 2
