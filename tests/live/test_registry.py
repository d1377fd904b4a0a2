"""The registries: one in a file, and a real etcd where there is one; the same verbs in both."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pingpong import lab
from pingpong.errors import LiveError
from pingpong.live import registry as registry_module
from pingpong.live.registry import EtcdRegistry, FileRegistry, Registry, start_etcd
from pingpong.model import Endpoint

NO_ETCD = shutil.which("etcd") is None
needs_etcd = pytest.mark.skipif(NO_ETCD, reason="etcd is not installed")
KINDS = ["file", pytest.param("etcd", marks=needs_etcd)]

FIRST, SECOND = Endpoint("127.0.0.1", 9001), Endpoint("127.0.0.1", 9002)


@pytest.fixture
def registry(request: pytest.FixtureRequest) -> Iterator[Registry]:
    before = set(threading.enumerate())
    yield lab.registry(request.param)
    lab.close()
    assert set(threading.enumerate()) == before


def wait_until_found(registry: Registry, wanted: list[str]) -> None:
    while registry.find("Tea") != wanted:
        pass


@pytest.mark.parametrize("registry", KINDS, indirect=True)
def test_servers_come_and_go(registry: Registry) -> None:
    assert registry.find("Tea") == []
    second = registry.register("Tea", SECOND)
    first = registry.register("Tea", FIRST)
    registry.register("Teapots", FIRST)
    assert registry.find("Tea") == [str(FIRST), str(SECOND)]
    first.close()
    assert registry.find("Tea") == [str(SECOND)]
    first.close()
    second.abandon()
    assert registry.find("Tea") == [str(SECOND)]  # its lease has not ended
    registry.register("Tea", SECOND)  # it is there again, in a second life
    assert registry.find("Tea") == [str(SECOND)]


@pytest.mark.parametrize("registry", KINDS, indirect=True)
def test_a_lease_that_nobody_renews_ends(registry: Registry) -> None:
    registry.register("Tea", FIRST)
    brief = registry.register("Tea", SECOND, ttl=1)
    brief.abandon()
    wait_until_found(registry, [str(FIRST)])
    registry.revoke(brief.lease)  # too late, and no error


@pytest.mark.parametrize("registry", KINDS, indirect=True)
def test_a_lease_that_is_renewed_does_not(registry: Registry) -> None:
    kept = registry.register("Tea", FIRST, ttl=1)
    registry.register("Tea", SECOND, ttl=1).abandon()
    wait_until_found(registry, [str(FIRST)])
    registry.revoke(kept.lease)  # as when a machine slept
    assert not registry.keep_alive(kept.lease)
    wait_until_found(registry, [str(FIRST)])


@needs_etcd
def test_etcd_is_recorded_as_any_server_is() -> None:
    made = lab.registry("etcd")
    assert isinstance(made, EtcdRegistry)
    with lab.record(made.server) as wire:
        made.register("Tea", FIRST).close()
    lab.close()
    assert [one.method for one in wire.exchanges] == [
        f"POST /v3/{verb}" for verb in ("lease/grant", "kv/put", "lease/revoke")
    ]
    assert not made.server.is_open


@needs_etcd
def test_etcd_ends_with_whoever_started_it() -> None:
    program = """
from pingpong.live.registry import start_etcd
made = start_etcd()
print(made.server._folder, flush=True)
input()
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        folder = Path(process.stdout.readline().strip())
        assert folder.is_dir()
        process.send_signal(signal.SIGKILL)
    ends = time.monotonic() + 30
    while folder.exists():
        assert time.monotonic() < ends


@needs_etcd
def test_etcd_that_does_not_start_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = registry_module.GUARD.replace('"$@"', '"$@" --data-dir=/dev/null')
    monkeypatch.setattr(registry_module, "GUARD", elsewhere)
    with pytest.raises(LiveError, match=r"etcd did not start: .*/dev/null"):
        start_etcd()


def test_without_etcd_a_file_is_taken_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    made = lab.registry(private=False)
    assert isinstance(made, FileRegistry)
    assert made.how.startswith("a file, because there is no etcd here")
    with pytest.raises(LiveError, match="no etcd"):
        lab.registry("etcd", private=False)
    with pytest.raises(ValueError, match="want etcd or file"):
        lab.registry("zookeeper")
    lab.close()
