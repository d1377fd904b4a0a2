"""Several files: printed in order, whole, the same for any number of jobs; nothing stays behind."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from making import PING, PONG, Talk

from pingpong import cli
from pingpong.cli.several import each, together
from pingpong.wire.capturefile import write_capture


@pytest.fixture
def files(tmp_path: Path, root: Path) -> list[str]:
    """Five captures, one of them large, one cut, one without Thrift; and one that is not there."""
    paths = [str(root / "captures" / "ping_login.pcap")]
    long = Talk().open()
    for _ in range(3000):
        long.call(PING).reply(PONG)
    for name, talk in (
        ("long", long),
        ("foreign", Talk().open().call(b"SSH-2.0-OpenSSH_9.2\r\n").close()),
        ("short", Talk().open().call(PING).close()),
    ):
        paths.append(str(tmp_path / f"{name}.pcap"))
        write_capture(paths[-1], talk.packets)
    cut = tmp_path / "cut.pcap"
    cut.write_bytes(Path(paths[0]).read_bytes()[:-5])
    return [*paths, str(cut), str(tmp_path / "nothing.pcap")]


@pytest.mark.parametrize("what", [["messages"], ["messages", "--json"], ["show", "--json"]])
def test_it_does_not_depend_on_the_jobs(
    what: list[str], files: list[str], capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    said = []
    for jobs in ("1", "2", "9"):
        code = cli.run([*what, *files, "--jobs", jobs])
        said.append((code, *capfdbinary.readouterr()))
    assert said[0] == said[1] == said[2]
    code, out, err = said[0]
    assert code == cli.BAD
    assert b"cut.pcap: packet at offset" in err
    assert b"nothing.pcap: cannot be opened" in err
    assert b"foreign.pcap: nothing known here" in err
    if "--json" in what:
        names = [json.loads(line)["file"] for line in out.splitlines()]
        assert list(dict.fromkeys(names)) == [files[0], files[1], files[3], files[4]]
        assert names.count(files[1]) == 6000
    else:
        headings = [line for line in out.decode().splitlines() if line.endswith(".pcap:")]
        assert headings == [f"{path}:" for path in files[:5]]


def test_show_draws_one_file_at_a_time(
    files: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["show", *files[:2]]) == cli.BAD
    assert "with --json only" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("codes", "code"), [([0, 0], 0), ([0, 1], 0), ([1, 1], 1), ([1, 2], 2), ([0, 2, 1], 2)]
)
def test_the_exit_code_of_all(codes: list[int], code: int) -> None:
    assert together(codes) == code


@pytest.mark.skipif(os.name != "posix", reason="no limits here")
@pytest.mark.parametrize("how", ["full", "no folder"])
def test_no_line_is_lost_where_there_is_no_room_to_keep_it(
    how: str, files: list[str], tmp_path: Path
) -> None:
    """A process whose lines find no room waits for its turn."""
    command = [sys.executable, "-m", "pingpong", "messages", files[0], files[1], files[1], files[0]]
    whole = subprocess.run([*command, "--jobs", "1"], capture_output=True, check=True)
    environment = dict(os.environ)
    limit = ""
    if how == "full":
        limit = "import resource as r; r.setrlimit(r.RLIMIT_FSIZE, (9999, 9999)); "
    else:
        environment["TMPDIR"] = str(tmp_path / "gone")
    run = f"{limit}import sys; from pingpong.cli import run; sys.exit(run(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", run, *command[3:], "--jobs", "2"],
        env=environment, capture_output=True, check=True,
    )  # fmt: skip
    assert done.stdout == whole.stdout
    assert (b"no room in a temporary file" in done.stderr) == (how == "full")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_kill_leaves_no_temporary_file_and_no_process(tmp_path: Path, files: list[str]) -> None:
    pipe = tmp_path / "one.pcap"
    os.mkfifo(pipe)
    spool = tmp_path / "spool"
    spool.mkdir()
    program = subprocess.Popen(
        [sys.executable, "-m", "pingpong", "messages", str(pipe), files[1], "--jobs", "2"],
        env={**os.environ, "TMPDIR": str(spool)},
        stdout=subprocess.DEVNULL,
    )
    with open(pipe, "wb", buffering=0) as writer:
        program.kill()
        program.wait()
        assert list(spool.iterdir()) == []
        # Its lines are for nobody now: who finds that out, ends.
        data = Path(files[1]).read_bytes()
        writer.write(data + data[24:] * 100)  # as much of it as it takes
        with pytest.raises(BrokenPipeError):
            writer.write(data)


def ends_badly(how: str, path: str, report: object) -> int:
    if how == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "raised":
        raise ZeroDivisionError(path)
    return 0


@pytest.mark.parametrize(("how", "words"), [("killed", "signal 9"), ("raised", "exit code 70")])
def test_a_process_that_ends_badly_is_told(
    how: str, words: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert each(partial(ends_badly, how), ["one", "two"], 2) == cli.BAD
    err = capfd.readouterr().err
    assert f"error: one: its process ended with {words}" in err
    assert f"error: two: its process ended with {words}" in err


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_all_of_it(number: signal.Signals, tmp_path: Path, root: Path) -> None:
    """The files are pipes to which nobody says all: each process waits for more."""
    pipes = [tmp_path / "one.pcap", tmp_path / "two.pcap"]
    for pipe in pipes:
        os.mkfifo(pipe)
    spool = tmp_path / "spool"
    spool.mkdir()
    program = subprocess.Popen(
        [sys.executable, "-m", "pingpong", "messages", *map(str, pipes), "--jobs", "2"],
        env={**os.environ, "TMPDIR": str(spool)},
        stdout=subprocess.DEVNULL,
    )
    head = (root / "captures" / "ping_login.pcap").read_bytes()[:200]
    # Opening returns once somebody reads: both processes run.
    writers = [os.fdopen(os.open(pipe, os.O_WRONLY), "wb", buffering=0) for pipe in pipes]
    try:
        for writer in writers:
            writer.write(head)
        program.send_signal(number)
        assert program.wait() == 130
        assert list(spool.iterdir()) == [], "no temporary file is left"
        for writer in writers:
            with pytest.raises(BrokenPipeError):
                writer.write(bytes(1 << 20))  # nobody reads any more
    finally:
        program.kill()
        program.wait()
        for writer in writers:
            writer.close()
        shutil.rmtree(spool)
