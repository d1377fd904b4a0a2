"""The shell's door: what it prints, what it exits with, and that no traceback leaves it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from everything import BINARY_RICH as RICH
from making import ADD, PING, PONG, Talk
from places import KIT, ROOT
from shell import BAD, run, written
from strangers import FOREIGN

from pingpong import __version__, cli, is_compiled, read
from pingpong.live.private import unavailable
from pingpong.protocols.encodings.binary import write_header
from pingpong.wire.capturefile import write_capture

CAPTURE = str(ROOT / "captures" / "ping_login.pcap")
FRAMED = str(ROOT / "captures" / "ping_login_framed.pcap")


# ── show, messages ───────────────────────────────────────────────────────────────────


def test_show(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "show", CAPTURE)
    assert (code, err) == (0, "")
    assert 'CALL login 1: "root", 2: "pwd"' in out
    assert 'REPLY login "登录成功!"' in out
    assert "12 packets, 1 connection, 4 messages, 2 exchanges" in out


def test_show_a_message(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "show", FRAMED, "--message", "4")
    assert (code, err) == (0, "")
    shown = bytes.fromhex(
        "".join(line[6:29].replace("·", "") for line in out.splitlines()[2:] if line[4:6] == "  ")
        .replace(" ", "")
    )  # fmt: skip
    assert shown == read(FRAMED).messages[3].data


def test_show_a_message_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "show", CAPTURE, "--message", "9")
    assert code == 2
    assert err == f"pingpong: error: {CAPTURE}: there is no message 9\n"


def test_show_what_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = written(tmp_path, Talk().open().call(PING).close())
    assert run(capsys, "show", path, "-p", "9090")[0] == cli.READ_ALL
    assert run(capsys, "show", path, "-p", "9091")[0] == cli.NO_THRIFT
    assert run(capsys, "messages", path, "--protocol", "compact")[0] == cli.NO_THRIFT
    code, _, err = run(capsys, "show", path, "--protocol", "binary", "--transport", "framed")
    assert code == cli.BAD
    assert "frame length at offset 0: is -2147418111" in err
    code, _, err = run(capsys, "show", path, "--max-message", "10")
    assert code == cli.BAD
    assert "want at most 10" in err


def test_show_json(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "show", FRAMED, "--json")
    assert (code, err) == (0, "")
    rows = [json.loads(line) for line in out.splitlines()]
    assert [(row["type"], row["method"], row["seqid"], row["size"]) for row in rows] == [
        ("CALL", "ping", 0, 21),
        ("REPLY", "ping", 0, 32),
        ("CALL", "login", 0, 43),
        ("REPLY", "login", 0, 42),
    ]
    login = rows[2]
    assert (login["protocol"], login["transport"]) == ("binary", "framed")
    assert login["server"] == "127.0.0.1:9000"
    assert [
        (f["id"], f["type"], f["value"], f["offset"], f["length"]) for f in login["fields"]
    ] == [(1, "STRING", "root", 21, 11), (2, "STRING", "pwd", 32, 10)]
    assert rows[3]["fields"][0]["value"] == "登录成功!"


def test_messages(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "messages", CAPTURE)
    assert (code, err) == (0, "")
    rows = [line.split() for line in out.splitlines()]
    assert " ".join(rows[0]) == "time client server protocol method type seqid size"
    assert [row[-4:] for row in rows[1:]] == [
        ["ping", "CALL", "0", "17"],
        ["ping", "REPLY", "0", "28"],
        ["login", "CALL", "0", "39"],
        ["login", "REPLY", "0", "38"],
    ]
    code, out, _ = run(capsys, "messages", CAPTURE, "--json")
    assert code == 0
    assert "fields" not in json.loads(out.splitlines()[0])


def test_messages_decodes_nothing_that_it_does_not_show(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from pingpong.protocols.encodings.binary import BinaryProtocol

    def refuse(*_: object) -> None:
        raise AssertionError("a struct was read")

    monkeypatch.setattr(BinaryProtocol, "read_struct", refuse)
    assert run(capsys, "messages", CAPTURE)[0] == 0
    assert run(capsys, "messages", FRAMED, "--json")[0] == 0


def test_long_captures_are_cut_and_say_so(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    talk = Talk().open()
    for _ in range(100):
        talk.call(PING).reply(PONG)
    path = written(tmp_path, talk)
    _, out, _ = run(capsys, "show", path)
    assert "more packets, not shown; --all shows them" in out
    assert "… 40 more exchanges, not shown; --all shows them" in out
    assert "203 packets, 1 connection, 200 messages, 100 exchanges" in out
    _, out, _ = run(capsys, "show", path, "--all")
    assert out.count("CALL ping") == 100
    assert "not shown" not in out


@pytest.mark.parametrize("name", FOREIGN)
def test_no_thrift(name: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = written(tmp_path, Talk().open().call(FOREIGN[name]).close())
    code, _, err = run(capsys, "messages", path)
    assert code == 1
    assert "nothing known here in 1 connection" in err
    assert "flow 1, 10.0.0.1:50001 to 10.0.0.2:9090: begins with" in err


def test_standard_input(tmp_path: Path) -> None:
    done = _pingpong("messages", "-", stdin=Path(CAPTURE).read_bytes())
    assert done.returncode == 0
    assert done.stdout.count(b"login") == 2


def test_who_stops_reading_is_not_told_of_it() -> None:
    """`pingpong messages x | head -1`: no traceback, whatever the timing."""
    command = f'"{sys.executable}" -m pingpong show --json "{CAPTURE}" | head -c 1'
    done = subprocess.run(command, shell=True, cwd=ROOT, capture_output=True, check=True)
    assert done.stderr == b""


# ── With an interface ────────────────────────────────────────────────────────────────

IDL = str(ROOT / "foo.thrift")

# What another version of foo.thrift might say.
SKEWED = """\
service PingPong {
    i32 ping(),
    string login(1: string username, 3: required string token)
}
"""
SKEW = [
    "PingPong.ping, result: is STRING, and the IDL says i32 (message 2, offset 16)",
    "PingPong.login, argument 2: is STRING, and the IDL has no such field (message 3, offset 28)",
    "PingPong.login, argument 3: is missing, want the required string token (message 3, offset 38)",
]


def test_show_with_names(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "show", CAPTURE, "--idl", IDL)
    assert (code, err) == (0, "")
    assert 'username: "root", password: "pwd"' in out
    assert "differ" not in out
    code, out, err = run(capsys, "show", CAPTURE, "--idl", IDL, "--json")
    assert (code, err) == (0, "")
    rows = [json.loads(line) for line in out.splitlines()]
    assert [field["name"] for row in rows for field in row["fields"]] == [
        "success",
        "username",
        "password",
        "success",
    ]
    code, out, err = run(capsys, "show", CAPTURE, "--idl", IDL, "--message", "3")
    assert (code, err) == (0, "")
    assert "1 username   An argument." in out


def test_show_where_the_wire_differs(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "skewed.thrift"
    path.write_text(SKEWED)
    code, out, err = run(capsys, "show", CAPTURE, "--idl", str(path))
    assert code == 0
    assert err == f"pingpong: warning: the wire differs from {path} in 3 ways, listed above\n"
    table = out.partition("Where wire and IDL differ\n\n")[2].splitlines()
    assert [line.split("  ")[0] for line in table[2:5]] == [one.partition(":")[0] for one in SKEW]
    code, out, err = run(capsys, "show", CAPTURE, "--idl", str(path), "--json")
    assert code == 0
    assert err == "".join(f"pingpong: warning: {one}\n" for one in SKEW)
    rows = [json.loads(line) for line in out.splitlines()]
    assert [
        (row["number"], one["difference"], one["offset"])
        for row in rows
        for one in row.get("findings", ())
    ] == [(2, "type", 16), (3, "unknown field", 28), (3, "missing", 38)]
    code, out, err = run(capsys, "show", CAPTURE, "--idl", str(path), "--message", "3")
    assert code == 0
    assert "≠ IDL: no such field" in out
    assert err.count("pingpong: warning: message 3: PingPong.login, argument") == 2


def test_pasted_bytes_with_names(capsys: pytest.CaptureFixture[str]) -> None:
    login = read(CAPTURE).messages[2].data.hex(" ")
    code, out, err = run(capsys, "explain", "--idl", IDL, *login.split())
    assert (code, err) == (0, "")
    assert "2 password" in out
    assert run(capsys, "explain", "--idl", "none.thrift", *login.split())[0] == cli.BAD


def test_a_bad_interface(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "bad.thrift"
    path.write_text("struct A {\n  1: Nothing a\n}\n")
    code, out, err = run(capsys, "show", CAPTURE, "--idl", str(path))
    assert (code, out) == (cli.BAD, "")
    assert err == f"pingpong: error: {path}:2:6: no type is called Nothing\n"


def test_an_include_elsewhere(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside" / "base.thrift").write_text(Path(IDL).read_text())
    path = tmp_path / "x.thrift"
    path.write_text('include "base.thrift"\nservice Other extends base.PingPong {}\n')
    code, out, err = run(capsys, "show", CAPTURE, "--idl", str(path))
    # Without it, nothing is known of login, and nothing that it holds is against the IDL.
    said = "the included file base.thrift is not there, so the types in it are not known"
    assert (code, err) == (0, f"pingpong: warning: {path}:1:9: {said}\n")
    assert "username" not in out
    inside = str(tmp_path / "inside")
    code, out, err = run(capsys, "show", CAPTURE, "--idl", str(path), "--include", inside)
    assert (code, err) == (0, "")
    assert 'username: "root"' in out


def test_a_struct_with_names(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    shop = str(KIT / "idl" / "shop.thrift")
    path = tmp_path / "item.bin"
    path.write_bytes(bytes.fromhex("0b0001 00000001 61  080003 00000006  080005 00000001 00"))
    code, out, err = run(capsys, "struct", str(path), "--idl", shop, "--type", "Item")
    assert code == 0
    assert out.startswith("struct Item, 23 bytes, binary\n")
    assert "3 colour" in out
    assert "6 BLUE" in out
    wanted = "Item, field 5 at offset 15: is I32, and the IDL has no such field"
    assert err == f"pingpong: warning: {wanted}\n"
    code, out, _ = run(capsys, "struct", str(path), "--idl", shop, "--type", "Item", "--json")
    row = json.loads(out)
    assert [one.get("name") for one in row["fields"]] == ["name", "colour", None]
    assert row["fields"][1]["label"] == "BLUE"
    for arguments, wrong in (
        (["--idl", shop], "idl needs struct, the name of one: Item, Order"),
        (["--idl", shop, "--type", "Nothing"], "has no struct 'Nothing'; it has Item"),
        (["--type", "Item"], "the struct 'Item' of which idl?"),
    ):
        code, out, err = run(capsys, "struct", str(path), *arguments)
        assert (code, out) == (cli.BAD, "")
        assert wrong in err


# ── Bad input ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("how", [["show"], ["show", "--json"], ["messages"]], ids=" ".join)
@pytest.mark.parametrize("name", BAD)
def test_bad_input(
    name: str, how: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A sentence, what was read before, exit code 2."""
    make, sentence, count = BAD[name]
    path = str(tmp_path / "x.pcap")
    make(path)
    code, out, err = run(capsys, *how, path)
    assert sum(out.count(f'"type": "{kind}"') for kind in ("CALL", "REPLY")) == (
        count if "--json" in how else 0
    )
    if how == ["messages"] and name == "a length beyond what is there":
        return  # a framed message is listed by its length: nothing in it was looked at
    assert code == 2
    assert sentence in err
    assert err.startswith("pingpong: ")


def test_a_file_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "show", "nothing.pcap")
    assert (code, out) == (2, "")
    assert err == "pingpong: error: nothing.pcap: cannot be opened: No such file or directory\n"


def test_hostile_bytes_are_escaped(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """What a terminal would obey is shown instead."""
    evil = "\x1b[31mred\x07\n\u202e".encode()
    call = write_header(evil, 1, 0) + bytes.fromhex("0b0001") + len(evil).to_bytes(4, "big")
    path = written(tmp_path, Talk().open().call(call + evil + b"\0").call(PING))
    for how in (["show"], ["show", "--message", "1"], ["show", "--json"], ["messages"]):
        _, out, err = run(capsys, *how, path)
        for char in "\x1b\x07\u202e":
            assert char not in out + err
    assert "\\x1b[31mred" in run(capsys, "show", path)[1]


def test_everything_is_shown_of_a_rich_message(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = written(tmp_path, Talk().open().call(RICH))
    _, out, _ = run(capsys, "show", "--json", path)
    (row,) = [json.loads(line) for line in out.splitlines()]
    assert [field["type"] for field in row["fields"]] == [
        "LIST", "MAP", "SET", "MAP", "MAP", "UUID",
    ]  # fmt: skip


# ── serve, call, demo, record ────────────────────────────────────────────────────────


def _pingpong(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "pingpong", *arguments]
    return subprocess.run(command, cwd=ROOT, input=stdin, capture_output=True, check=False)


@contextmanager
def _background(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A command that runs until Ctrl-C, and ends well with it."""
    command = [sys.executable, "-m", "pingpong", *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        try:
            yield process
            process.send_signal(signal.SIGINT)
            assert process.wait(120) == 0
        finally:
            process.kill()


@pytest.fixture
def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture(params=[[], ["--framed"]], ids=["unframed", "framed"])
def served(request: pytest.FixtureRequest, free_port: int) -> Iterator[list[str]]:
    """A server in another process; the options that a client of it needs."""
    options = ["--port", str(free_port), *request.param]
    with _background("serve", *options) as server:
        assert server.stdout is not None
        assert b"PingPong listens on 127.0.0.1:" in server.stdout.readline()
        yield options


def test_serve_and_call(served: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "call", "ping", *served) == (0, "pong\n", "")
    assert run(capsys, "call", "login", "root", "pwd", *served) == (0, "登录成功!\n", "")
    code, out, err = run(capsys, "call", "login", "root", "pwd", "--wire", *served)
    assert (code, err) == (0, "")
    assert "made up" in out
    assert 'CALL login 1: "root", 2: "pwd"' in out
    assert "70 77 64" in out
    assert out.endswith("登录成功!\n")


def test_call_wrongly(capsys: pytest.CaptureFixture[str], free_port: int) -> None:
    code, _, err = run(capsys, "call", "ping", "--port", str(free_port))
    assert code == 2
    assert f"cannot connect to 127.0.0.1:{free_port}" in err
    code, _, err = run(capsys, "call", "login", "root")
    assert code == 2
    assert "login takes 2 arguments, not 1. Write: pingpong call login username password" in err
    code, _, err = run(capsys, "call", "logout")
    assert code == 2
    assert "the service has no method logout; it has ping, login" in err


def test_call_with_the_wrong_transport(
    served: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    other = [option for option in served if option != "--framed"]
    if other == served:
        other = [*served, "--framed"]
    code, _, err = run(capsys, "call", "ping", "--timeout", "2", *other)
    assert code == 2
    assert "framed Thrift server" in err
    assert "it closed the connection and said nothing" in err


def test_a_port_that_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, _, err = run(capsys, "serve", "--port", str(taken.getsockname()[1]))
    assert code == 2
    assert "is taken" in err


def test_demo(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "demo.pcap"
    code, out, err = run(capsys, "demo", "--save", str(path))
    assert (code, err) == (0, "")
    for message in read(path).messages:
        assert message.method in out
    if unavailable() is None:
        assert "private network" in out
        assert read(path).findings == ()


def test_record_says_what_it_lacks(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, _, err = run(capsys, "record", str(tmp_path / "x.pcap"), "-i", "no-such-interface")
    assert code == 2
    assert "no-such-interface" in err
    code, _, err = run(capsys, "record", str(tmp_path / "no" / "x.pcap"))
    assert code == 2
    assert "cannot be written: No such file or directory" in err


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="sniffing needs root")
def test_record(served: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.pcap"
    options = [option for option in served if option != "--framed"]
    with _background("record", str(path), *options) as recorder:
        assert recorder.stdout is not None
        if not recorder.stdout.readline():
            pytest.skip("root may not sniff here")
        assert run(capsys, "call", "ping", *served)[0] == 0
    assert [m.method for m in read(path).messages] == ["ping", "ping"]


# ── Help ─────────────────────────────────────────────────────────────────────────────

COMMANDS = ["lab", "demo", "serve", "call", "record", "show", "messages"]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_and_a_word_in_the_readme(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.run([name, "--help"])
    assert ended.value.code == 0
    assert f"usage: pingpong {name}" in capsys.readouterr().out
    assert f"pingpong {name}" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_version_says_what_runs(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.run(["--version"])
    how = "compiled" if is_compiled() else "plain Python (no C compiler built it)"
    assert capsys.readouterr().out == f"pingpong {__version__}, {how}\n"


def test_wrong_words(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["nonsense"], [], ["serve", "--port", "70000"], ["call", "x", "--timeout", "0"]):
        with pytest.raises(SystemExit) as ended:
            cli.run(words)
        assert ended.value.code == 2
        assert "Traceback" not in capsys.readouterr().err


def test_add_is_not_forgotten(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = written(tmp_path, Talk().open().call(ADD))
    code, out, _ = run(capsys, "show", path)
    assert code == 0
    assert "still waiting" in out


# ── explain ──────────────────────────────────────────────────────────────────────────


def test_explain_a_number(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "explain", "--", "-2147418111")
    assert code == cli.READ_ALL
    assert out.startswith("-2147418111 = 80 01 00 01\n")
    assert "framed transport in the client" in out
    assert err == ""


def test_explain_a_line_of_a_log(capsys: pytest.CaptureFixture[str]) -> None:
    line = "Frame size (1213486160) larger than max length (16384000)!"
    code, out, _ = run(capsys, "explain", line)
    assert code == cli.READ_ALL
    assert '1213486160 = 48 54 54 50 "HTTP"' in out
    assert "likely causes" in out


def test_explain_bytes_and_what_is_no_message(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "explain", (PING + PONG).hex(" "))
    assert code == cli.READ_ALL
    assert out.count("method name  ") == 2
    code, out, _ = run(capsys, "explain", "16 03 01 02 00 01 00 01 fc 03 03 ec")
    assert code == cli.READ_ALL
    assert "no Thrift message here" in out
    assert "TLS" in out


def test_explain_a_packet_from_standard_input(tmp_path: Path) -> None:
    data = Talk().open().call(PING).packets[-1].data
    rows = [f"0x{at:04x}:  {data[at : at + 16].hex(' ', 2)}" for at in range(0, len(data), 16)]
    done = _pingpong("explain", stdin="\n".join(rows).encode())
    assert done.returncode == cli.READ_ALL, done.stderr
    assert b"CALL ping, seqid 42" in done.stdout


def test_explain_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "explain", "good morning")[0] == cli.NO_THRIFT


@pytest.mark.parametrize("command", ["show", "messages", "calls", "diagnose"])
def test_all_of_http(command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = b"GET /index.html HTTP/1.1\r\nHost: a\r\n\r\n"
    page = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\n<p>x"
    talk = Talk().open().call(asked).reply(page).fin(False).fin(True)
    write_capture(tmp_path / "page.pcap", talk.packets)
    named = "1 call in HTTP" if command == "diagnose" else "GET /index.html"
    for also in ([], ["--http"]):
        out = run(capsys, command, str(tmp_path / "page.pcap"), *also)[1]
        assert (named in out) == bool(also), out
