"""lab: cells are run twice, out of order, and kernels are killed."""

from __future__ import annotations

import gc
import inspect
import linecache
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import thriftpy2
from places import ROOT

from pingpong import lab
from pingpong.errors import IdlError, LiveError, NotAllowed, PortTaken
from pingpong.live.private import unavailable
from pingpong.live.serving import serving

FOO = ROOT / "foo.thrift"
foo: Any = thriftpy2.load(str(FOO), module_name="pingpong_thrift")
REASON = unavailable()
private = pytest.mark.skipif(REASON is not None, reason=str(REASON))


class Dispatcher:
    def ping(self) -> str:
        return "pong"

    def login(self, username: str, password: str) -> str:
        return "登录成功!"


@pytest.fixture(autouse=True)
def closed_afterwards() -> Iterator[None]:
    yield
    lab.close()


def test_cells_one_after_the_other() -> None:
    server = lab.serve(foo.PingPong, Dispatcher(), port=0)
    wire = lab.record(server)
    client = server.client()
    assert client.ping() == "pong"
    client.close()
    wire.stop()
    assert [message.method for message in wire.messages] == ["ping", "ping"]
    assert wire.packets[3].lastlayer().method == b"ping"  # scapy knows Thrift


@pytest.mark.parametrize("port", [0, 9000])
def test_a_cell_run_again_replaces_what_it_made(port: int) -> None:
    if REASON is not None and port:
        pytest.skip(REASON)  # only in a private network is every port free

    def cell() -> tuple[Any, Any]:
        server = lab.serve(foo.PingPong, Dispatcher(), port=port)
        wire = lab.record(server)
        server.client().ping()  # a client that nobody closes
        return server, wire

    first_server, first_wire = cell()
    threads, descriptors = len(threading.enumerate()), len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        server, wire = cell()
    assert not first_server.is_open
    assert not first_wire.is_running
    assert len(first_wire.messages) == 2
    assert server.is_open
    assert wire.is_running
    assert len(threading.enumerate()) == threads
    assert len(os.listdir("/proc/self/fd")) == descriptors
    gc.collect()


def test_the_recording_cell_alone_run_again() -> None:
    server = lab.serve(foo.PingPong, Dispatcher(), port=0)
    first = lab.record(server)
    with server.client() as client:
        client.ping()
    second = lab.record(server)
    assert not first.is_running
    with server.client() as client:
        client.ping()
    assert (len(first.messages), len(second.messages)) == (2, 2)


@private
def test_servers_on_two_ports_live_side_by_side_in_one_network() -> None:
    one = lab.serve(foo.PingPong, Dispatcher(), port=9000)
    two = lab.serve(foo.PingPong, Dispatcher(), port=9001)
    assert one.is_open
    assert one.network is two.network
    assert repr(one) == "<Server of PingPong at 127.0.0.1:9000, open>"
    wires = [lab.record(one), lab.record(two)]
    assert [wire.is_running for wire in wires] == [True, True]


@private
def test_private_or_not_is_for_the_caller_to_say() -> None:
    assert lab.serve(foo.PingPong, Dispatcher(), port=0, private=True).network is not None
    assert lab.serve(foo.PingPong, Dispatcher(), port=0, private=False).network is None


def test_without_a_private_network_it_serves_on_the_machines_loopback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    server = lab.serve(foo.PingPong, Dispatcher(), port=0)
    assert server.network is None
    with server.client() as client:
        assert client.ping() == "pong"
    with pytest.raises(NotAllowed, match="needs Linux"):
        lab.serve(foo.PingPong, Dispatcher(), private=True)


def test_a_port_that_another_program_has_is_not_taken_from_it() -> None:
    with serving(foo.PingPong, Dispatcher()) as theirs:
        with pytest.raises(PortTaken):
            lab.serve(foo.PingPong, Dispatcher(), port=theirs.port, private=False)
        assert theirs.is_open


def test_with_blocks_work_too() -> None:
    with (
        lab.serve(foo.PingPong, Dispatcher(), port=0) as server,
        lab.record(server) as wire,
        server.client() as client,
    ):
        client.ping()
    assert not server.is_open
    assert len(wire.exchanges) == 1


def test_close_closes_all_and_what_comes_next_begins_anew() -> None:
    server = lab.serve(foo.PingPong, Dispatcher(), port=0)
    wire = lab.record(server)
    lab.close()
    lab.close()
    assert not server.is_open
    assert not wire.is_running
    with pytest.raises(LiveError):
        server.client()
    with lab.serve(foo.PingPong, Dispatcher(), port=0).client() as client:
        assert client.ping() == "pong"


NOTEBOOK = """
import os, sys, thriftpy2
from pingpong import lab
foo = thriftpy2.load("foo.thrift", module_name="pingpong_thrift")
class Dispatcher:
    def ping(self): return "pong"
server = lab.serve(foo.PingPong, Dispatcher(), port=0)
wire = lab.record(server)
client = server.client()
client.ping()
print(server.network.pid if server.network else 0, flush=True)
"""


def test_python_ends_without_a_word_and_leaves_no_child() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", NOTEBOOK],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr == ""
    pid = int(done.stdout)
    if pid:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_load_says_what_is_wrong() -> None:
    assert lab.load(FOO).PingPong.thrift_services == ["ping", "login"]
    with pytest.raises(IdlError):
        lab.load("none.thrift")


def test_the_source_that_ran() -> None:
    source = lab.show_source(Dispatcher.ping)
    assert str(source) == repr(source) == 'def ping(self) -> str:\n    return "pong"'
    assert str(lab.show_source(Dispatcher)) == inspect.getsource(Dispatcher).rstrip()
    assert "&quot;pong&quot;" in source._repr_html_()
    assert source._repr_html_().startswith("<pre")


CELL = """
x = 1

@staticmethod_of_nothing
class InACell:
    "A class that only a cell has."

    def ping(self):
        return "<b>pong</b>"

y = 2
"""


def test_the_source_of_a_class_in_a_cell() -> None:
    name = "<a cell>"
    linecache.cache[name] = (len(CELL), None, CELL.splitlines(True), name)
    try:
        made: dict[str, Any] = {
            "__name__": "no_such_module",
            "staticmethod_of_nothing": lambda each: each,
        }
        exec(compile(CELL, name, "exec"), made)
        source = lab.show_source(made["InACell"])
    finally:
        del linecache.cache[name]
    assert str(source) == CELL.split("x = 1")[1].split("y = 2")[0].strip()
    assert "&lt;b&gt;" in source._repr_html_()


def test_what_has_no_source() -> None:
    for thing in (len, foo.PingPong, 3):
        with pytest.raises(TypeError, match="has no Python source"):
            lab.show_source(thing)
