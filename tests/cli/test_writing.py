"""What commands do to files, pipes and streams: nothing is lost, nothing left behind, no traceback.

Where a right is missing in the tests, or a disk is not full, something stands for it: a source of
packets in place of scapy's, a limit of this process's own files in place of the disk's.
"""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from making import PING, PONG, Talk
from places import ROOT

from pingpong import cli, read
from pingpong.errors import CaptureError, NotAllowed, OutputError
from pingpong.live import sniffing
from pingpong.live.recording import recording
from pingpong.live.sniffing import Captured
from pingpong.wire.capturefile import write_capture
from pingpong.wire.newfile import NewFile

CAPTURE: Final = str(ROOT / "captures" / "ping_login.pcap")
SECONDS: Final = 30.0

on_posix = pytest.mark.skipif(os.name != "posix", reason="no such files here")
on_linux = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = cli.run(list(arguments))
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    return code, out, err


def shell(command: str, cwd: Path, **more: Any) -> subprocess.CompletedProcess[bytes]:
    """A command line, in which "pingpong" is this one."""
    pingpong = f'"{sys.executable}" -m pingpong '
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    line = command.replace("pingpong ", pingpong)
    return subprocess.run(
        line, shell=True, cwd=cwd, env=environment, capture_output=True, check=False, **more
    )


# ── A new file ───────────────────────────────────────────────────────────────────────


def test_it_appears_at_the_end_and_only_its_owner_sees_it_before(tmp_path: Path) -> None:
    path = tmp_path / "x"
    with NewFile(path) as out:
        out.write(b"abc")
        out.flush()
        (part,) = tmp_path.iterdir()
        assert part.name.startswith("x.")
        assert part.name.endswith(".part")
        assert stat.S_IMODE(part.stat().st_mode) == 0o600
    assert path.read_bytes() == b"abc"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("keep", [False, True])
def test_what_is_raised_leaves_what_was_there_or_what_is_whole(tmp_path: Path, keep: bool) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"before")

    def interrupted() -> None:
        with NewFile(path, keep=keep) as out:
            out.write(b"whole")
            out.mark()
            out.write(b" and a half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_bytes() == (b"whole" if keep else b"before")
    assert list(tmp_path.iterdir()) == [path]


def test_without_force_nothing_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"before")
    with pytest.raises(CaptureError, match="x exists: --force replaces it"):
        NewFile(path, force=False)
    path.unlink()
    out = NewFile(path, force=False)
    out.write(b"mine")
    path.write_bytes(b"somebody else's")
    with pytest.raises(CaptureError, match="came to be meanwhile") as caught:
        out.close()
    assert path.read_bytes() == b"somebody else's"
    (part,) = set(tmp_path.iterdir()) - {path}
    assert part.read_bytes() == b"mine"
    assert str(part) in str(caught.value)


@on_posix
@pytest.mark.parametrize("way", ["itself", "hard link", "symbolic link", "another spelling"])
def test_what_is_read_is_never_written(tmp_path: Path, way: str) -> None:
    path, other = tmp_path / "x", tmp_path / "y"
    path.write_bytes(b"before")
    if way == "itself":
        other = path
    elif way == "hard link":
        other.hardlink_to(path)
    elif way == "symbolic link":
        other.symlink_to(path)
    else:
        other = tmp_path / ".." / tmp_path.name / "x"
    with pytest.raises(CaptureError, match="is the file that is read"):
        NewFile(other, reads=str(path))
    assert path.read_bytes() == b"before"


@on_posix
def test_a_link_is_followed_and_stays(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    real.write_bytes(b"before")
    link.symlink_to("real")
    with NewFile(link) as out:
        out.write(b"after")
    assert link.is_symlink()
    assert real.read_bytes() == b"after"
    real.unlink()
    with pytest.raises(CaptureError, match=r"is a link to .*real, which is not there"):
        NewFile(link, force=False)
    with NewFile(link) as out:
        out.write(b"anew")
    assert (link.is_symlink(), real.read_bytes()) == (True, b"anew")


@on_posix
def test_a_pipe_and_a_device_are_written_into_and_stay(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    for path in (pipe, Path(os.devnull)):
        with NewFile(path, force=False) as out:
            out.write(b"abc")
        assert not path.is_file()
    assert os.read(reader, 10) == b"abc"
    os.close(reader)
    with pytest.raises(CaptureError, match="is a folder"):
        NewFile(tmp_path)


@on_posix
@pytest.mark.parametrize(("there", "read", "mode"), [
    (None, 0o600, 0o600), (0o600, 0o644, 0o600), (0o640, None, 0o640), (None, None, 0o644),
])  # fmt: skip
def test_who_may_read_it(tmp_path: Path, there: int | None, read: int | None, mode: int) -> None:
    path, source = tmp_path / "x", tmp_path / "source"
    for one, bits in ((path, there), (source, read)):
        if bits is not None:
            one.touch()
            one.chmod(bits)
    before = os.umask(0o022)
    try:
        with NewFile(path, reads=str(source) if read is not None else "") as out:
            out.write(b"abc")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == mode


@pytest.mark.parametrize("name", ["no folder/x", "x" * 300, "x\0y"])
def test_no_such_place(tmp_path: Path, name: str) -> None:
    with pytest.raises(CaptureError, match="cannot be written") as caught:
        NewFile(tmp_path / name)
    assert not isinstance(caught.value, OutputError)  # another name helps


def test_the_longest_name_has_room_for_its_part(tmp_path: Path) -> None:
    path = tmp_path / ("ä" * 127)
    with NewFile(path):
        pass
    assert list(tmp_path.iterdir()) == [path]


@on_linux
def test_a_full_disk(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="/dev/full: cannot be written: No space left"):
        write_capture("/dev/full", Talk().open().packets)


def test_a_notebook_writes_its_capture_anew_and_nothing_else(tmp_path: Path) -> None:
    path, text = tmp_path / "x.pcap", tmp_path / "foo.thrift"
    text.write_text("struct A {}")
    with recording(port=9, way="tap") as wire:
        wire.save(path)
        wire.save(path)
        with pytest.raises(CaptureError, match=r"not replaced: .*foo\.thrift: is not a capture"):
            wire.save(text)
    assert text.read_text() == "struct A {}"


# ── record ───────────────────────────────────────────────────────────────────────────


class Packets:
    """A source of packets, at the end of which somebody presses Ctrl-C, or something happens."""

    link = 1

    def __init__(self, *ends: Callable[[], object]) -> None:
        talk = Talk().open().call(PING).reply(PONG)
        self._packets = list(talk.packets)
        self._ends = list(ends)
        self._wake, self._alarm = os.pipe()
        os.write(self._alarm, b"!")

    def fileno(self) -> int:
        return self._wake

    def read(self) -> Iterator[Captured]:
        if self._packets:
            packet = self._packets.pop(0)
            yield Captured(packet.time, packet.length, packet.data)
        elif self._ends:
            self._ends.pop(0)()

    def drops(self) -> int:
        return 0

    def close(self) -> None:
        os.close(self._wake)
        os.close(self._alarm)


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Have ``record`` take its packets from here."""

    def use(*ends: Callable[[], object]) -> None:
        monkeypatch.setattr(sniffing, "ScapySocket", lambda interface: Packets(*ends))

    return use


def send(number: int) -> Callable[[], object]:
    return lambda: os.kill(os.getpid(), number)


@on_posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_record_until_a_signal(
    number: int, source: Callable[..., None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.pcap"
    source(send(number))
    code, out, err = run(capsys, "record", str(path), "-i", "lo", "-p", "9090")
    assert (code, err) == (0, "")
    assert out.splitlines()[1] == f"5 packets, 2 messages in {path}"
    assert [m.method for m in read(path).messages] == ["ping", "ping"]
    assert list(tmp_path.iterdir()) == [path]


def test_record_writes_as_it_goes(
    source: Callable[..., None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What kill -9 would leave: everything, in a file that says what it is."""
    seen: list[int] = []

    def look() -> None:
        (part,) = tmp_path.glob("x.pcap.*.part")
        seen.append(len(read(part).packets))
        assert read(part).findings == ()
        send(signal.SIGINT)()

    source(look)
    assert run(capsys, "record", str(tmp_path / "x.pcap"), "-i", "lo", "-p", "9090")[0] == 0
    assert seen == [5]


def test_record_without_the_right_touches_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(interface: str) -> None:
        raise NotAllowed(f"no right to capture on {interface}")

    monkeypatch.setattr(sniffing, "ScapySocket", refuse)
    path = tmp_path / "k.pcap"
    path.write_bytes(b"before")
    for more in ((), ("--force",)):
        code, _, err = run(capsys, "record", str(path), *more)
        assert (code, path.read_bytes()) == (cli.BAD, b"before")
        assert "no right to capture" in err
    assert list(tmp_path.iterdir()) == [path]


def test_record_replaces_only_with_force(
    source: Callable[..., None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "k.pcap"
    path.write_bytes(b"before")
    source(send(signal.SIGINT))
    code, out, err = run(capsys, "record", str(path), "-i", "lo", "-p", "9090")
    assert (code, out) == (cli.BAD, "")
    assert err == f"pingpong: error: {path} exists: --force replaces it\n"
    assert path.read_bytes() == b"before"
    assert run(capsys, "record", str(path), "-i", "lo", "-p", "9090", "--force")[0] == 0
    assert len(read(path).messages) == 2


def test_record_keeps_what_came_before_the_interface_went(
    source: Callable[..., None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def gone() -> None:
        raise OSError(100, "Network is down")

    source(gone)
    path = tmp_path / "x.pcap"
    code, out, err = run(capsys, "record", str(path), "-i", "lo", "-p", "9090")
    assert code == cli.BAD
    assert "the capture broke off: Network is down" in err
    assert f"5 packets, 2 messages in {path}" in out


# ── redact ───────────────────────────────────────────────────────────────────────────


def test_redact_never_onto_itself(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path, link = tmp_path / "x.pcap", tmp_path / "y.pcap"
    data = Path(CAPTURE).read_bytes()
    path.write_bytes(data)
    link.hardlink_to(path)
    for out in (path, link):
        code, _, err = run(capsys, "redact", str(path), str(out), "-f", "login.2")
        assert code == cli.BAD
        assert "is the file that is read" in err
    assert path.read_bytes() == data
    assert sorted(tmp_path.iterdir()) == [path, link]


@on_posix
def test_redact_leaves_no_copy_of_what_comes_through_a_pipe(tmp_path: Path) -> None:
    """While it waits for the rest, nothing in the folder of temporary files has a name."""
    spool = tmp_path / "spool"
    spool.mkdir()
    data = Path(CAPTURE).read_bytes()
    command = [sys.executable, "-m", "pingpong", "redact", "-", "out.pcap", "-f", "login.2"]
    environment = {**os.environ, "TMPDIR": str(spool), "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdin=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        # More than the pipe holds: it reads, so its temporary file is there.
        process.stdin.write(data + data[24:] * 100)
        process.stdin.flush()
        assert list(spool.iterdir()) == []
        process.kill()
    assert list(spool.iterdir()) == []
    assert not (tmp_path / "out.pcap").exists()
    assert all(b"pwd" not in path.read_bytes() for path in tmp_path.glob("*.part"))


@on_posix
def test_redact_through_pipes(tmp_path: Path) -> None:
    file = shell(f'pingpong redact "{CAPTURE}" out.pcap -f login.2', tmp_path)
    assert file.returncode == 0
    for command in (
        f'pingpong redact - - -f login.2 < "{CAPTURE}"',
        f'pingpong redact "{CAPTURE}" /dev/stdout -f login.2 | cat',
        f'cat "{CAPTURE}" | pingpong redact /dev/stdin - -f login.2',
        f'pingpong redact "{CAPTURE}" /dev/stdout -f login.2 > x; cat x',
    ):
        done = shell(command, tmp_path)
        assert done.stdout == (tmp_path / "out.pcap").read_bytes(), command
        assert b"login.2: 1 value masked" in done.stderr


def test_redact_writes_names_so_that_they_can_be_read(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "a\nb\x1b[31m.pcap"
    code, out, _ = run(capsys, "redact", CAPTURE, str(path), "-f", "login.2")
    assert code == 0
    assert path.exists()
    assert "\x1b" not in out
    assert out.splitlines()[0].endswith("12 packets, as many as before")


# ── Streams, signals and exit codes ──────────────────────────────────────────────────

COMMANDS: Final = [
    f'pingpong show "{CAPTURE}"',
    f'pingpong show --json "{CAPTURE}"',
    f'pingpong show -m 3 "{CAPTURE}"',
    f'pingpong messages "{CAPTURE}" "{CAPTURE}"',
    f'pingpong calls --csv "{CAPTURE}"',
    f'pingpong diagnose "{CAPTURE}"',
    "pingpong explain 80010001",
    "pingpong --help",
    "pingpong --version",
    f'pingpong redact "{CAPTURE}" - -f login.2',
]


@on_linux
@pytest.mark.parametrize(
    ("command", "where"),
    [*[(one, ">/dev/full") for one in COMMANDS], *[(one, ">&-") for one in COMMANDS[::4]]],
)
def test_standard_output_that_takes_nothing(command: str, where: str, tmp_path: Path) -> None:
    done = shell(f"{command} {where}", tmp_path)
    assert done.returncode == cli.UNABLE, done.stderr
    (line,) = done.stderr.decode().splitlines()
    assert line.startswith("pingpong: error: standard output")


@on_posix
@pytest.mark.parametrize("command", [COMMANDS[0], COMMANDS[3]])
def test_standard_error_that_takes_nothing(command: str, tmp_path: Path) -> None:
    for where in ("2>&-", "2>/dev/full") if os.path.exists("/dev/full") else ("2>&-",):
        done = shell(f"{command} {where}", tmp_path)
        assert (done.returncode, done.stderr) == (0, b""), where
    assert shell("pingpong show nosuch 2>&-", tmp_path).returncode == cli.BAD


@on_posix
@pytest.mark.parametrize(
    "command", ["show -", "messages -", "watch -", "explain", "struct -", "redact - x -f a"]
)
def test_standard_input_that_is_closed(command: str, tmp_path: Path) -> None:
    done = shell(f"pingpong {command} <&-", tmp_path)
    assert done.returncode == cli.UNABLE
    assert done.stderr == b"pingpong: error: standard input: is closed\n"
    assert list(tmp_path.iterdir()) == []


@on_posix
def test_who_stops_reading_gets_what_other_commands_give(tmp_path: Path) -> None:
    long = tmp_path / "x.pcap"
    talk = Talk().open()
    for _ in range(3000):
        talk.call(PING).reply(PONG)
    write_capture(long, talk.packets)
    for command in ("messages", "show --json", "calls", "messages x.pcap"):
        done = shell(f"(pingpong {command} x.pcap; echo $? >code) | head -n 1", tmp_path)
        assert done.stderr == b""
        assert (tmp_path / "code").read_text() == f"{cli.NOBODY_READS}\n"


@pytest.mark.parametrize(
    ("raised", "code", "words"),
    [
        (MemoryError(), cli.UNABLE, "there is no memory left"),
        (OSError(5, "Input/output error", "x"), cli.UNABLE, "x: Input/output error"),
        (OutputError("x is full"), cli.UNABLE, "x is full"),
        (CaptureError("x is bad"), cli.BAD, "x is bad"),
        (KeyboardInterrupt(), cli.INTERRUPTED, ""),
        (BrokenPipeError(), cli.NOBODY_READS, ""),
    ],
)
def test_the_exit_code_says_what_it_was(
    raised: BaseException,
    code: int,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise raised

    monkeypatch.setattr("pingpong.cli.show.open_capture", fail)
    got, out, err = run(capsys, "show", CAPTURE)
    assert (got, out) == (code, "")
    assert err == (f"pingpong: error: {words}" + err.partition(words)[2] if words else "")


def test_a_fault_of_ours_is_not_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("pingpong.cli.show.open_capture", lambda path: 1 / 0)
    assert cli.run(["show", CAPTURE]) == cli.BROKEN
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_every_command_says_its_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    for name in (
        *("lab", "demo", "serve", "call", "record", "show", "messages", "calls", "diagnose"),
        *("watch", "struct", "explain", "redact"),
    ):
        with pytest.raises(SystemExit):
            cli.run([name, "--help"])
        assert capsys.readouterr().out.count("exit codes: 0 done") == 1, name


def test_signals_are_as_before_afterwards(capsys: pytest.CaptureFixture[str]) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    run(capsys, "messages", CAPTURE)
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


@on_posix
def test_sigterm_leaves_nothing_half_done(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "pingpong.redaction.packets.Rewriter.packet", lambda *_: send(signal.SIGTERM)()
    )
    code, _, err = run(capsys, "redact", CAPTURE, str(tmp_path / "x.pcap"), "-f", "login.2")
    assert (code, err) == (cli.INTERRUPTED, "")
    assert list(tmp_path.iterdir()) == []


# ── show ─────────────────────────────────────────────────────────────────────────────


def test_one_message_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    code, whole, _ = run(capsys, "show", CAPTURE, "--json")
    assert code == 0
    code, out, err = run(capsys, "show", CAPTURE, "--json", "-m", "3")
    assert (code, err) == (0, "")
    assert out.splitlines() == whole.splitlines()[2:3]
    code, out, err = run(capsys, "show", CAPTURE, CAPTURE, "--json", "-m", "3")
    assert (code, out.count('"number": 3')) == (0, 2)
    code, out, err = run(capsys, "show", CAPTURE, "--json", "-m", "9")
    assert (code, out) == (cli.BAD, "")
    assert err == f"pingpong: error: {CAPTURE}: there is no message 9\n"


def test_every_view_has_the_numbers_that_are_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    out = run(capsys, "show", CAPTURE)[1].splitlines()
    assert any(line.endswith('#4 REPLY login "登录成功!"') for line in out)
    heads = next(line for line in out if line.startswith("#")).split()
    row = next(line for line in out if line.startswith("2 ")).split()
    assert dict(zip(heads[:5], row, strict=False)) == {
        "#": "2", "flow": "1", "call": "3", "reply": "4", "method": "login",
    }  # fmt: skip
