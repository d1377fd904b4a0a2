"""recording: the same conversation in three ways, whole, and nobody else's."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import thriftpy2
from networks import EACH_WAY, REFUSED, private
from places import ROOT
from thriftpy2.transport import TFramedTransportFactory

from pingpong.errors import CaptureError, LiveError, NotAllowed
from pingpong.live import recording as recording_module
from pingpong.live.private import PrivateNetwork
from pingpong.live.recording import WAYS, recording
from pingpong.live.serving import Server, serving
from pingpong.live.tap import Ends
from pingpong.model import Endpoint, MessageType

foo: Any = thriftpy2.load(str(ROOT / "foo.thrift"), module_name="pingpong_thrift")


class Dispatcher:
    def ping(self) -> str:
        return "pong"

    def login(self, username: str, password: str) -> str:
        return "x" * int(password) if password.isdigit() else "登录成功!"


@pytest.fixture
def start(network: PrivateNetwork | None) -> Any:
    def start(way: str, **options: Any) -> Server:
        inside = network if way == "private" else None
        return serving(foo.PingPong, Dispatcher(), network=inside, **options)

    return start


def test_who_is_the_server_is_known_though_it_speaks_first() -> None:
    with recording(port=50051, way="tap") as wire:
        line = Ends(Endpoint("127.0.0.1", 50001), Endpoint("127.0.0.1", 50051))
        for watcher in wire.watchers:  # of a connection that is older
            watcher.carried(line, False, b"late answer")
            watcher.carried(line, True, b"question")
    assert (wire.sent, wire.received) == (b"question", b"late answer")


@pytest.mark.parametrize("transport", [None, TFramedTransportFactory()])
def test_every_way_hears_the_same_messages(start: Any, transport: Any) -> None:
    heard = {}
    for way in WAYS:
        if way in REFUSED:
            continue
        with start(way, transport=transport) as server, recording(server, way=way) as wire:
            with server.client() as client:
                client.ping()
                client.login("root", "pwd")
            wire.stop()
        heard[way] = [(message.type, message.method, message.data) for message in wire.messages]
        assert wire.dropped == 0
        assert wire.way == way
    assert heard["tap"][0][:2] == (MessageType.CALL, "ping")
    assert len(heard["tap"]) == 4
    assert all(messages == heard["tap"] for messages in heard.values())


@pytest.mark.parametrize("way", EACH_WAY)
def test_what_was_said_is_there_while_it_runs(way: str, start: Any) -> None:
    with start(way) as server, recording(server, way=way) as wire, server.client() as client:
        for count in range(1, 11):
            client.ping()
            assert len(wire.messages) == 2 * count
            assert len(wire.exchanges) == count
        assert wire.is_running


@pytest.mark.parametrize("way", EACH_WAY)
def test_a_recording_that_stopped_hears_no_more(way: str, start: Any) -> None:
    with start(way) as server, server.client() as client:
        wire = recording(server, way=way)
        client.ping()
        wire.stop()
        client.ping()
        wire.stop()
        assert len(wire.messages) == 2
        assert not wire.is_running
        assert server.watchers == []


@pytest.mark.parametrize("way", EACH_WAY)
def test_twenty_clients_at_once_and_large_replies(way: str, start: Any) -> None:
    def call() -> None:
        with server.client() as client:
            for size in (0, 1, 100_000, 1_000_000):
                client.login("root", str(size))

    with start(way) as server, recording(server, way=way) as wire:
        threads = [threading.Thread(target=call) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert wire.dropped == 0
    capture = wire.capture
    assert len(capture.flows) == 20
    assert all(flow.lost == 0 and flow.opened and flow.ended == "FIN" for flow in capture.flows)
    assert len(capture.messages) == 160
    assert len(capture.exchanges) == 80
    assert len({packet.data for packet in wire.raw}) == len(wire.raw) or way == "tap"
    assert sum(message.size > 1_000_000 for message in capture.messages) == 20


@pytest.mark.parametrize("way", EACH_WAY)
def test_nobody_elses_packets(way: str, start: Any) -> None:
    with (
        start(way) as server,
        start(way) as other,
        recording(server, way=way) as wire,
        other.client() as client,
    ):
        client.ping()
    assert wire.raw == []


@pytest.mark.parametrize("way", EACH_WAY)
def test_scapy_has_the_same_packets(way: str, start: Any) -> None:
    with start(way) as server, recording(server, way=way) as wire, server.client() as client:
        client.login("root", "pwd")
        wire.stop()
    packets = wire.packets
    assert type(packets).__name__ == "PacketList"
    assert [bytes(packet.original) for packet in packets] == [packet.data for packet in wire.raw]
    assert [int(packet.time * 1_000_000_000) for packet in packets] == [
        packet.time for packet in wire.raw
    ]
    assert packets[0].sprintf("%TCP.flags%") == "S"


@pytest.mark.parametrize("way", EACH_WAY)
def test_a_saved_file_is_read_by_tshark(way: str, start: Any, tmp_path: Path) -> None:
    if shutil.which("tshark") is None:
        pytest.skip("tshark is not installed")
    with start(way) as server, recording(server, way=way) as wire, server.client() as client:
        client.ping()
        wire.stop()
    path = tmp_path / "x.pcap"
    wire.save(path)
    fields = ["-e", "tcp.flags.syn", "-e", "thrift.method", "-d"]
    done = subprocess.run(
        ["tshark", "-r", str(path), "-T", "fields", *fields, f"tcp.port=={server.port},thrift"],
        capture_output=True,
        text=True,
        check=True,
    )
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert len(rows) == len(wire.raw)
    assert [row[1] for row in rows if row[1]] == ["ping", "ping"]
    with pytest.raises(CaptureError):
        wire.save(tmp_path / "no folder" / "x.pcap")


@private
def test_200_cycles_leave_no_thread_no_descriptor_and_no_child() -> None:
    def cycle(network: PrivateNetwork) -> None:
        with serving(foo.PingPong, Dispatcher(), port=9000, network=network) as server:
            with recording(server) as wire, server.client() as client:
                assert client.ping() == "pong"
            assert len(wire.messages) == 2

    def state() -> tuple[Any, Any, Any]:
        children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
        return threading.enumerate(), sorted(os.listdir("/proc/self/fd")), children

    before = state()
    with PrivateNetwork() as network:
        cycle(network)
        inside = state()
        for _ in range(200):
            cycle(network)
        assert state() == inside
    assert state() == before


@private
def test_a_conversation_is_the_same_packets_every_time() -> None:
    seen = set()
    for _ in range(5):
        with (
            PrivateNetwork() as network,
            serving(foo.PingPong, Dispatcher(), port=9000, network=network) as server,
            recording(server) as wire,
        ):
            with server.client() as client:
                client.ping()
            wire.stop()
        seen.add(tuple((packet.data[34:38], packet.data[47]) for packet in wire.raw))
    (conversation,) = seen
    assert conversation[0] == ((50001).to_bytes(2, "big") + (9000).to_bytes(2, "big"), 2)


@pytest.mark.parametrize("where", EACH_WAY[:2])
def test_it_takes_the_best_way_and_says_which(start: Any, where: str) -> None:
    with start(where) as server, recording(server) as wire:
        assert wire.way == where
        assert list(wire.refused) == list(WAYS[: WAYS.index(where)])
    assert wire.how == recording_module.HOW[where]


def test_it_falls_back_to_the_tap_and_says_why(start: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise NotAllowed("no right to capture on lo", "Become root")

    monkeypatch.setattr(recording_module, "sniff_interface", refuse)
    with start("tap") as server, recording(server) as wire, server.client() as client:
        client.ping()
        assert wire.way == "tap"
        assert "made up" in wire.how
        assert "Become root" in wire.refused["sniff"]
        assert "private network" in wire.refused["private"]
        assert len(wire.messages) == 2
        with pytest.raises(NotAllowed, match="no right to capture"):
            recording(server, way="sniff")


@private
def test_asked_for_a_way_that_cannot_work(network: PrivateNetwork) -> None:
    with serving(foo.PingPong, Dispatcher()) as server:
        reason = r"not in a private network.*Start it there"
        with pytest.raises(LiveError, match=reason):
            recording(server, way="private")
    with serving(foo.PingPong, Dispatcher(), network=network) as server:
        reason = "no interface here sees"
        with pytest.raises(LiveError, match=reason):
            recording(server, way="sniff")
        with pytest.raises(LiveError, match=reason):
            recording(server, interface="lo")


def test_questions_that_make_no_sense() -> None:
    with pytest.raises(ValueError, match="want one of private, sniff, tap"):
        recording(port=9000, way="guess")
    with pytest.raises(ValueError, match='only "sniff" has'):
        recording(port=9000, way="tap", interface="lo")
    with pytest.raises(TypeError, match="needs a server, or a port"):
        recording()
    with pytest.raises(LiveError, match="cannot be resolved"):
        recording(host="a..b", port=9000)


@pytest.mark.parametrize("way", [each for each in EACH_WAY if each.values != ("private",)])
@pytest.mark.parametrize("host", [None, "localhost"])
def test_a_server_that_is_another_program(way: str, host: str | None) -> None:
    with serving(foo.PingPong, Dispatcher()) as theirs:
        wire = recording(host=host, port=theirs.port, way=way)
        with wire.client(foo.PingPong) as client:
            assert client.ping() == "pong"
            assert client.login("root", "pwd") == "登录成功!"
        wire.stop()
        assert theirs.watchers == []
    assert [message.method for message in wire.messages] == ["ping", "ping", "login", "login"]
    (flow,) = wire.capture.flows
    assert (flow.server, flow.ended) == (theirs.address, "FIN")


def test_it_shows_itself_as_its_capture_does(start: Any) -> None:
    with start("tap") as server, recording(server, way="tap") as wire:
        assert repr(wire) == f"<Recording of {server.address}, running>"
        with server.client() as client:
            client.ping()
    assert str(wire) == str(wire.capture)
    assert wire._repr_html_() == wire.capture._repr_html_()
    assert repr(wire).endswith("stopped>")


AS_NOBODY = """
import os, sys, threading
import thriftpy2
from pingpong.live.private import PrivateNetwork
from pingpong.live.recording import recording
from pingpong.live.serving import serving
foo = thriftpy2.load("foo.thrift", module_name="pingpong_thrift")

class Dispatcher:
    def ping(self): return "pong"
    def login(self, username, password): return "x" * int(password)

def run():
    with PrivateNetwork() as network:
        with serving(foo.PingPong, Dispatcher(), port=9000, network=network) as server:
            with recording(server) as wire:
                def call():
                    with server.client() as client:
                        client.ping()
                        client.login("root", "3000000")
                threads = [threading.Thread(target=call) for _ in range(10)]
                for thread in threads: thread.start()
                for thread in threads: thread.join()
    print(os.geteuid(), wire.way, len(wire.messages), wire.dropped)

run()
os.setgroups([])
os.setresgid(65534, 65534, 65534)
os.setresuid(65534, 65534, 65534)
sys.executable = PYTHON
run()
"""


@private
@pytest.mark.skipif(os.geteuid() != 0, reason="not root: the other tests are unprivileged already")
def test_nobody_records_without_rights() -> None:
    # The interpreter of the tests may lie where nobody may not look.
    interpreter = shutil.which("python3", path="/usr/bin:/usr/local/bin")
    if interpreter is None:
        pytest.skip("no Python outside the home folders, which nobody could run")
    done = subprocess.run(
        [sys.executable, "-c", AS_NOBODY.replace("PYTHON", repr(interpreter))],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == ["0 private 40 0", "65534 private 40 0"]
    assert done.stderr == ""


@private
def test_a_small_mtu_cuts_what_tcp_sends() -> None:
    """One segment a packet, as a wire carries them: not the large ones that a driver gives to
    its card."""
    with (
        PrivateNetwork() as network,
        serving(foo.PingPong, Dispatcher(), network=network) as server,
        recording(server, way="private") as wire,
    ):
        network.set_mtu(1500)
        with server.client() as client:
            assert client.login("root" * 2500, "10000") == "x" * 10_000
        wire.stop()
    assert max(len(packet.data) for packet in wire.raw) == 14 + 1500  # Ethernet and IP
    for message in wire.messages:
        assert len(message.packets) > 10_000 // 1500
