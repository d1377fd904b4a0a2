"""private: a network of one's own, and a child that never outlives its parent."""

from __future__ import annotations

import errno
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from places import ROOT

from pingpong.errors import LiveError, NotAllowed
from pingpong.live import private
from pingpong.live.private import PrivateNetwork, unavailable

REASON = unavailable()
pytestmark = pytest.mark.skipif(REASON is not None, reason=str(REASON))


def python(script: str, **options: object) -> subprocess.Popen[str]:
    """A Python of its own, in the checkout."""
    return subprocess.Popen(  # type: ignore[call-overload, no-any-return]  # options are free
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
        **options,
    )


def wait_for_end(pid: int) -> bool:
    """Wait, at most two minutes, until that process has ended."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], 120)[0])
    finally:
        os.close(handle)


def test_sockets_made_inside_meet_inside_and_nowhere_else() -> None:
    with PrivateNetwork() as network, socket.socket() as outside:
        outside.bind(("127.0.0.1", 0))  # a port that is taken outside is free inside
        listener = network.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.bind(outside.getsockname())
        listener.listen()
        client = network.client_socket("127.0.0.1")
        client.connect(listener.getsockname())
        accepted, address = listener.accept()
        assert address == ("127.0.0.1", 50001)
        accepted.sendall(b"hello")
        assert client.recv(100) == b"hello"
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(listener.getsockname())
        for each in (listener, client, accepted):
            each.close()


def test_clients_leave_from_the_same_ports_every_time() -> None:
    for _ in range(2):
        with PrivateNetwork() as network:
            made = [network.client_socket("127.0.0.1") for _ in range(3)]
            assert [sock.getsockname()[1] for sock in made] == [50001, 50002, 50003]
            for sock in made:
                sock.close()


def test_a_client_port_that_is_taken_is_passed_over() -> None:
    with PrivateNetwork() as network, network.socket(socket.AF_INET, socket.SOCK_STREAM) as taken:
        taken.bind(("127.0.0.1", 50001))
        with network.client_socket("127.0.0.1") as client:
            assert client.getsockname()[1] == 50002


def test_what_is_handed_over_is_not_inherited() -> None:
    with PrivateNetwork() as network, network.socket(socket.AF_INET6, socket.SOCK_DGRAM) as made:
        assert made.family == socket.AF_INET6
        assert made.type == socket.SOCK_DGRAM
        assert not made.get_inheritable()


def test_the_child_holds_nothing_of_its_parents() -> None:
    with open(__file__), PrivateNetwork() as network:
        open_files = {
            os.readlink(f"/proc/{network.pid}/fd/{number}")
            for number in os.listdir(f"/proc/{network.pid}/fd")
        }
        assert {name.partition(":")[0] for name in open_files} == {"/dev/null", "socket"}
        assert len(open_files) == 2
        assert os.readlink(f"/proc/{network.pid}/cwd") == "/"
        assert os.getsid(network.pid) == network.pid


def test_the_mtu_can_be_set() -> None:
    with PrivateNetwork() as network:
        network.set_mtu(1500)
        with network.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.setsockopt(socket.IPPROTO_IP, 10, 2)  # IP_MTU_DISCOVER: never fragment
            with pytest.raises(OSError, match=os.strerror(errno.EMSGSIZE)):
                sock.sendto(bytes(1473), ("127.0.0.1", 9))
        with pytest.raises(OSError, match="set the MTU"):
            network.set_mtu(-1)


def test_a_request_that_the_kernel_refuses_does_not_end_the_network() -> None:
    with PrivateNetwork() as network:
        with pytest.raises(OSError, match="make a socket"):
            network.socket(9999, socket.SOCK_STREAM)
        network.socket(socket.AF_INET, socket.SOCK_STREAM).close()


def test_after_close_there_are_no_new_sockets_and_no_child() -> None:
    network = PrivateNetwork()
    kept = network.socket(socket.AF_INET, socket.SOCK_STREAM)
    network.close()
    network.close()
    assert wait_for_end(network.pid)
    kept.bind(("127.0.0.1", 9000))  # it still lives in its network
    kept.close()
    with pytest.raises(LiveError, match="is closed"):
        network.socket(socket.AF_INET, socket.SOCK_STREAM)


def test_a_network_that_nobody_holds_any_more_ends() -> None:
    pid = PrivateNetwork().pid
    assert wait_for_end(pid)


def test_a_child_that_was_killed_is_an_error() -> None:
    with PrivateNetwork() as network:
        os.kill(network.pid, signal.SIGKILL)
        assert wait_for_end(network.pid)
        with pytest.raises((LiveError, OSError)):
            network.socket(socket.AF_INET, socket.SOCK_STREAM)


def children() -> set[int]:
    """The children of this process, zombies too; other tests may have left one that helps them."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue  # it has just ended
        if int(text.rpartition(")")[2].split()[1]) == os.getpid():
            found.add(int(path.parent.name))
    return found


def test_many_networks_leave_nothing() -> None:
    PrivateNetwork().close()
    before, born = sorted(os.listdir("/proc/self/fd")), children()
    for _ in range(20):
        PrivateNetwork().close()
    assert sorted(os.listdir("/proc/self/fd")) == before
    assert children() <= born


def test_many_threads_may_ask_at_once() -> None:
    made: list[int] = []

    def ask() -> None:
        for _ in range(10):
            with network.client_socket("127.0.0.1") as sock:
                made.append(sock.getsockname()[1])

    with PrivateNetwork() as network:
        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(made) == list(range(50001, 50081))


HOLD = """
import signal
from pingpong.live.private import PrivateNetwork
# A process that was started in the background has inherited to ignore it.
signal.signal(signal.SIGINT, signal.default_int_handler)
network = PrivateNetwork()
try:
    print(network.pid, flush=True)
    input()
except KeyboardInterrupt:
    import socket
    network.socket(socket.AF_INET, socket.SOCK_STREAM).close()
    print("still there", flush=True)
    input()
"""


def test_a_killed_parent_leaves_no_child() -> None:
    with python(HOLD) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        os.kill(pid, 0)  # it is there
        parent.kill()
        assert wait_for_end(pid)


def test_ctrl_c_in_the_terminal_is_not_for_the_child() -> None:
    with python(HOLD, start_new_session=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        os.killpg(parent.pid, signal.SIGINT)
        assert parent.stdout.readline() == "still there\n"
        parent.kill()
        assert wait_for_end(pid)


WITHOUT_NAMESPACES = """
import ctypes, os
user = os.geteuid()
assert ctypes.CDLL(None).unshare(0x10000000) == 0
for path, text in [("self/setgroups", "deny"), ("self/uid_map", f"0 {user} 1"),
                   ("sys/user/max_user_namespaces", "0"), ("sys/user/max_net_namespaces", "0")]:
    with open(f"/proc/{path}", "w") as file:
        file.write(text)
from pingpong.live.private import unavailable
print(unavailable(), flush=True)
"""


def test_where_namespaces_are_off_it_says_so_and_what_to_do() -> None:
    with python(WITHOUT_NAMESPACES) as child:
        said, _ = child.communicate()
    assert "user.max_user_namespaces is 0" in said
    assert "sysctl user.max_user_namespaces=" in said


@pytest.mark.parametrize(
    ("settings", "number", "said"),
    [
        ({"kernel/unprivileged_userns_clone": "0"}, errno.EPERM, "for root only"),
        ({"kernel/apparmor_restrict_unprivileged_userns": "1"}, errno.EACCES, "AppArmor"),
        ({}, errno.EPERM, "step: unshare.*Docker"),
        ({}, errno.ENOSPC, "as many namespaces as are allowed"),
        ({}, errno.EINVAL, "Invalid argument"),
    ],
)
def test_each_refusal_has_its_reason(
    settings: dict[str, str], number: int, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(private, "_setting", lambda path: settings.get(path, ""))
    with pytest.raises(NotAllowed, match=said):
        raise private._not_allowed(number, "unshare")


def test_a_python_that_cannot_be_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(ROOT / "no such python"))
    assert "cannot be run" in str(unavailable())


def test_another_system_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert "needs Linux" in str(unavailable())


AS_NOBODY = """
import os, sys
from pingpong.live import private
os.setgroups([])
os.setresgid(65534, 65534, 65534)
os.setresuid(65534, 65534, 65534)
sys.executable = PYTHON
print(private.unavailable(), flush=True)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="not root: the other tests are unprivileged already")
def test_nobody_needs_no_rights() -> None:
    # The interpreter of the tests may lie where nobody may not look.
    interpreter = shutil.which("python3", path="/usr/bin:/usr/local/bin")
    if interpreter is None:
        pytest.skip("no Python outside the home folders, which nobody could run")
    with python(AS_NOBODY.replace("PYTHON", repr(interpreter))) as child:
        said, _ = child.communicate()
    assert said == "None\n"
