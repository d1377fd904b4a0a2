"""``pingpong watch``: calls as they happen, and what they came to when it ends."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest
from making import foo
from networks import rights
from places import ROOT

from pingpong import cli
from pingpong.cli.watch import Until, follow
from pingpong.errors import NotAllowed
from pingpong.live import sniffing
from pingpong.live.serving import serving
from pingpong.wire.capturefile import open_capture

INCIDENT = ROOT / "captures" / "incident.pcap"
SECONDS = 120.0  # how long what comes may take


class Dispatcher:
    def ping(self) -> str:
        return "pong"


@contextmanager
def watching(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "pingpong", "watch", *arguments]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def lines_until(out: IO[bytes], word: bytes, meanwhile: Callable[[], object]) -> bytes:
    """What is printed, up to a line with ``word``; ``meanwhile`` is done as long as none is."""
    seen = b""
    deadline = time.monotonic() + SECONDS
    while word not in seen:
        assert time.monotonic() < deadline, seen
        meanwhile()
        if select.select([out], [], [], 0.05)[0]:
            seen += os.read(out.fileno(), 65536)
    return seen


def test_calls_are_shown_before_the_end_of_the_input() -> None:
    data = INCIDENT.read_bytes()
    with watching("-") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(data[:3000])
        process.stdin.flush()
        seen = lines_until(process.stdout, b"get", lambda: None)
        assert b"closed by server" not in seen  # that one is in the second half
        process.stdin.write(data[3000:])
        process.stdin.flush()
        seen += lines_until(process.stdout, b"closed by server", lambda: None)
        assert b"p50" not in seen
        process.send_signal(signal.SIGINT)
        rest, complaints = process.communicate(timeout=SECONDS)
    assert process.returncode == cli.READ_ALL
    assert "12 calls: 5 success" in (seen + rest).decode()
    assert complaints == b""


def test_the_end_of_the_input_ends_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["watch", str(INCIDENT), "--json"]) == cli.READ_ALL
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert cli.run(["calls", str(INCIDENT), "--json"]) == cli.READ_ALL
    same = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert sorted(rows, key=lambda row: row["number"]) == same


def test_only_the_calls_that_are_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["watch", str(INCIDENT), "--outcome", "failed", "--method", "get"]) == 0
    out = capsys.readouterr().out
    assert "5 calls: " in out
    assert "success" not in out


def test_bad_input_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "cut.pcap"
    path.write_bytes(INCIDENT.read_bytes()[:-10])
    assert cli.run(["watch", str(path)]) == cli.BAD
    said = capsys.readouterr()
    assert "the file is cut off" in said.err
    assert "12 calls" in said.out
    assert cli.run(["watch", str(path), "-i", "lo"]) == cli.BAD
    assert "a file has no interface" in capsys.readouterr().err


@pytest.mark.parametrize("step", [1, 7, 100, 5000])
def test_a_file_that_grows_is_followed(step: int, tmp_path: Path) -> None:
    """However it is cut while it is written, and from its very beginning."""
    data = INCIDENT.read_bytes()
    path = tmp_path / "x.pcap"
    path.write_bytes(b"")
    pieces = [data[at : at + step] for at in range(0, len(data), step)]

    def wait() -> bool:
        if not pieces:
            return False
        with path.open("ab") as file:
            file.write(pieces.pop(0))
        return True

    with follow(str(path), wait) as file, open_capture(INCIDENT) as whole:
        assert [packet.data for packet in file] == [packet.data for packet in whole]
        assert file.findings == []


def test_what_is_written_later_is_shown_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    data = INCIDENT.read_bytes()
    path = tmp_path / "x.pcap"
    with path.open("wb", buffering=0) as growing:
        growing.write(data[:10])  # not even its head
        with watching("--follow", str(path)) as process:
            assert process.stdout is not None
            growing.write(data[10:3000])
            seen = lines_until(process.stdout, b"get", lambda: None)
            assert b"closed by server" not in seen
            growing.write(data[3000:-5])
            seen += lines_until(process.stdout, b"closed by server", lambda: None)
            process.send_signal(signal.SIGINT)
            rest, complaints = process.communicate(timeout=SECONDS)
    assert process.returncode == cli.READ_ALL
    assert "12 calls: 5 success" in (seen + rest).decode()
    assert complaints == b""  # its last packet is still on its way


def test_a_file_that_is_written_anew_ends_it(tmp_path: Path) -> None:
    path = tmp_path / "x.pcap"
    path.write_bytes(INCIDENT.read_bytes())

    def wait() -> bool:
        path.write_bytes(INCIDENT.read_bytes()[:24])
        return True

    with follow(str(path), wait) as file:
        assert len(list(file)) > 50
        assert "it became shorter" in file.findings[0].text


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_waiting_for_the_head_can_be_ended(number: signal.Signals, tmp_path: Path) -> None:
    pipe = tmp_path / "x.pcap"
    os.mkfifo(pipe)
    # Opening returns once it reads: it waits for bytes that do not come.
    with watching(str(pipe)) as process, open(pipe, "wb", buffering=0):
        process.send_signal(number)
        out, complaints = process.communicate(timeout=SECONDS)
    assert (process.returncode, out) == (cli.NO_THRIFT, b"")
    assert complaints == b""


@rights
def test_an_interface() -> None:
    with (
        serving(foo().PingPong, Dispatcher()) as server,
        watching("-p", str(server.port)) as process,
        server.client() as client,
    ):
        assert process.stdout is not None
        # It listens some time after it was started.
        seen = lines_until(process.stdout, b"ping ", client.ping)
        process.send_signal(signal.SIGINT)
        rest, complaints = process.communicate(timeout=SECONDS)
    assert process.returncode == cli.READ_ALL
    assert b"success" in seen + rest
    told = complaints.decode().splitlines()
    assert told[0] == f"pingpong: Watching the loopback, port {server.port}; Ctrl-C ends it"
    # It may have begun between a call and its acknowledgement.
    assert all("the capture lost 17 bytes" in line for line in told[1:])


def test_without_the_right_it_says_which(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(interface: str) -> None:
        raise NotAllowed(f"no right to capture on {interface}", sniffing._HOW_TO_CAPTURE)

    monkeypatch.setattr(sniffing, "ScapySocket", refuse)
    assert cli.run(["watch", "-i", "eth0"]) == cli.BAD
    said = capsys.readouterr().err
    assert "no right to capture on eth0" in said
    if sys.platform.startswith("linux"):
        assert "tcpdump -i lo -U -w - | pingpong watch -" in said


def test_a_signal_ends_waiting_and_nothing_else() -> None:
    before = signal.getsignal(signal.SIGINT)
    with Until(None) as until:
        assert until(lambda: 42) == 42
        assert until(lambda: os.kill(os.getpid(), signal.SIGINT)) is None
        assert until(lambda: 42) is None
    with Until(None) as until:
        os.kill(os.getpid(), signal.SIGTERM)  # while something is done
        assert until(lambda: 42) is None
    assert signal.getsignal(signal.SIGINT) is before


def test_so_many_seconds() -> None:
    with Until(0.01) as until:
        assert until(lambda: select.select([], [], [], SECONDS)) is None
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0
