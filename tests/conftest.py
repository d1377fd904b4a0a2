"""What tests share: where things are, what the machine must have, how examples are drawn."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest
from hypothesis import settings
from places import ROOT, SHARED

from pingpong import is_compiled
from pingpong.live.private import PrivateNetwork, unavailable

# The same examples on every run: a red run must mean that the change broke something.  New ones
# are for search.py, which names its profile.
settings.register_profile("same", derandomize=True, database=None, deadline=None, max_examples=100)
settings.register_profile("search", database=None, deadline=None, max_examples=300)
settings.load_profile("same")


class _OnlyPlainDoctests:
    """Leaves out the doctests of what is compiled here: pytest reads those of plain Python only.
    Where nothing is compiled, they run."""

    @staticmethod
    def pytest_ignore_collect(collection_path: Path) -> bool | None:
        if collection_path.suffix != ".py" or "pingpong" not in collection_path.parts:
            return None
        compiled = collection_path.parent.glob(f"{collection_path.stem}.*.so")
        return True if any(compiled) else None


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(_OnlyPlainDoctests())
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell has what it starts in the background ignore Ctrl-C, and so would the programs
        # that tests start and interrupt.
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _folder(path: Path, what: str) -> Path:
    if not path.is_dir():
        pytest.skip(f"{what} are not on this machine (looked in {path})")
    return path


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def real_captures() -> Path:
    """Captures recorded by other projects.  They lie beside the checkout, not in it."""
    return _folder(SHARED / "captures/real", "the captures of other projects")


@pytest.fixture(scope="session")
def edge_captures() -> Path:
    """Captures of the hard cases, beside the checkout."""
    return _folder(SHARED / "captures/edge", "the captures of hard cases")


@pytest.fixture(scope="session")
def foreign() -> list[Path]:
    """Captures of other people, as many as one has."""
    from strangers import ENDINGS, HOLD_THRIFT, VARIABLE

    name = os.environ.get(VARIABLE)
    if not name:
        pytest.skip(
            f"{VARIABLE} names no folder of captures (those of Wireshark, nDPI and tcpdump, from "
            "apt-get source --download-only wireshark ndpi tcpdump, unpacked)"
        )
    found = [path for path in sorted(Path(name).rglob("*")) if path.name.endswith(ENDINGS)]
    found = [path for path in found if path.is_file() and path.name not in HOLD_THRIFT]
    assert found, f"no capture in {VARIABLE}, {name}"
    return found


@pytest.fixture(scope="module")
def network() -> Iterator[PrivateNetwork | None]:
    """A network of one's own, where the machine lets us have one."""
    if unavailable():
        yield None
        return
    with PrivateNetwork() as made:
        yield made


@pytest.fixture
def plain_python() -> None:
    """For a test that looks inside, or puts something else there: compiled classes let nobody."""
    if is_compiled():
        pytest.skip("pingpong is compiled here; this looks inside of plain Python")


@pytest.fixture(scope="session")
def tshark() -> str:
    """Where tshark is; skips without it."""
    found = shutil.which("tshark")
    if found is None:
        pytest.skip("tshark is not installed")
    return found


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A copy of the lessons with all that they read, for a test that writes into it."""
    target = tmp_path / "course"
    for name in ("notebooks", "captures"):
        shutil.copytree(ROOT / name, target / name)
    shutil.copy(ROOT / "foo.thrift", target)
    return target / "notebooks"


class RunAsNobody(Protocol):
    def __call__(self, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]: ...


@pytest.fixture
def as_nobody(tmp_path: Path) -> RunAsNobody:
    """Runs Python as the user ``nobody`` in a folder below ``tmp_path``, which becomes theirs.

    Skips without root: then every test runs unprivileged anyhow.
    """
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("only root can become nobody")
    import pwd

    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        pytest.skip("this machine has no user nobody")

    # pytest makes its folders for root alone; nobody must be able to pass through them.
    for parent in tmp_path.parents[:2]:
        parent.chmod(parent.stat().st_mode | 0o011)
    packages = [path for path in sys.path if path.endswith("site-packages")]
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PYTHONPATH": os.pathsep.join([str(ROOT), *packages]),
    }

    def run(python: str, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [python, *arguments],
            cwd=cwd,
            env=environment,
            user=nobody.pw_uid,
            group=nobody.pw_gid,
            extra_groups=[],
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def works(python: str) -> bool:
        try:
            done = run(python, "-c", "import pingpong, scapy, thriftpy2", cwd=tmp_path)
        except OSError:
            return False
        return done.returncode == 0

    # Where root's Python lies in root's home, the system's of the same version serves.
    system = f"/usr/bin/python{sys.version_info[0]}.{sys.version_info[1]}"
    python = next((python for python in (sys.executable, system) if works(python)), None)
    if python is None:
        pytest.skip(f"nobody may run neither {sys.executable} with its packages nor {system}")

    def run_as_nobody(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        for path in (tmp_path, *tmp_path.rglob("*")):
            os.chown(path, nobody.pw_uid, nobody.pw_gid)
        return run(python, *arguments, cwd=cwd)

    return run_as_nobody
