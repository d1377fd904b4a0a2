"""How a diagnosis looks: text, HTML, JSON, and what ``pingpong diagnose`` prints and exits with."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from making import ACK, PING, PONG, RST, SYN, Talk, framed, packet
from pages import Page, squeezed
from views_samples import BOOM_HOSTILE, call

from pingpong import cli, read_packets, views
from pingpong.model import Packet
from pingpong.verdicts.diagnosis import Diagnosis
from pingpong.verdicts.verdict import Kind
from pingpong.views.diagnosis import MAX_GROUPS, diagnosis_lines, diagnosis_rows
from pingpong.views.html import MAX_HTML
from pingpong.views.text import plain
from pingpong.wire.capturefile import write_capture

MISMATCH = """\
error: framed client, unframed server
  The client speaks framed binary; the server closed 1 ms after the client's first 21 bytes and sent
  none: it speaks unframed binary.
  seen            the client's first bytes are 00 00 00 11 80 01 00 01 00 00 00 04 …: the length of
                  a frame, then a strict binary message
                  CALL ping, 21 bytes (message 3)
                  no byte from the server, then FIN from the server, FIN from the client
                  this server answered 1 call in unframed binary (connection 1 for one)
  what to change  Use TBufferedTransportFactory (thriftpy2; TBufferedTransport in Apache's) in the
                  client, or TFramedTransportFactory (thriftpy2; TFramedTransport in Apache's) in
                  the server.
  where           connection 2, 10.0.0.1:2 → 10.0.0.2:9090; the same for 2 more: 3, 4

all is well
  Nothing is wrong: 1 call in unframed binary, 1 answered.
  where           connection 1, 10.0.0.1:1 → 10.0.0.2:9090

4 connections, 4 calls"""


def packets_of(*talks: Talk) -> list[Packet]:
    """The packets of several connections, one after the other."""
    data = [one.data for talk in talks for one in talk.packets]
    return [packet(at, one) for at, one in enumerate(data, 1)]


def diagnosed(*talks: Talk) -> Diagnosis:
    return read_packets(packets_of(*talks)).diagnosis


def well(port: int) -> Talk:
    return Talk(port).open().call(PING).reply(PONG).close()


def ill(port: int) -> Talk:
    return Talk(port).open().call(framed(PING)).fin(False).fin(True)


HOSTILE = diagnosed(
    Talk(1).open().call(PING).reply(PONG).close(),
    Talk(2).open().call(BOOM_HOSTILE).fin(False).fin(True),
)


def test_as_the_shell_prints_it() -> None:
    lines = diagnosis_lines(diagnosed(well(1), ill(2), ill(3), ill(4)), exact=True)
    assert plain(lines) == MISMATCH


def test_without_what_differs_from_run_to_run() -> None:
    """Times, addresses and ports: a lesson's outputs are compared."""
    shown = str(diagnosed(well(1), ill(2)))
    assert "1 ms" not in shown
    assert "10.0.0" not in shown
    assert "the server closed after the client's first 21 bytes" in shown
    other = Talk(50_000).open().call(framed(PING)).fin(False).fin(True)
    assert str(diagnosed(well(7), other)) == shown


@pytest.mark.parametrize("width", [40, 80, 200])
def test_it_is_no_wider_than_asked(width: int) -> None:
    for line in plain(diagnosis_lines(HOSTILE, exact=True, width=width)).splitlines():
        assert len(line) <= width


@pytest.mark.parametrize("exact", [False, True])
def test_the_page_says_what_the_text_says(exact: bool) -> None:
    for diagnosis in (HOSTILE, diagnosed(well(1), ill(2)), diagnosed()):
        words = squeezed("".join(Page(views.html(diagnosis, exact=exact)).words))
        assert words == squeezed(views.text(diagnosis, exact=exact))


def test_what_was_captured_is_shown_and_not_obeyed() -> None:
    for text in (str(HOSTILE), "\n".join(diagnosis_rows(HOSTILE))):
        assert "evil" in text
        assert all(char.isprintable() or char == "\n" for char in text)
    page = HOSTILE._repr_html_()
    assert "<b>" not in page
    assert "\x1b" not in page


def test_a_row_of_json() -> None:
    rows = [json.loads(row) for row in diagnosis_rows(diagnosed(well(1), ill(2), ill(3)))]
    assert [row["kind"] for row in rows] == ["framed_on_unframed", "all_well"]
    first = rows[0]
    assert list(first) == [
        *("kind", "severity", "sentence", "evidence", "advice", "client", "server"),
        *("connections", "flows"),
    ]
    assert (first["severity"], first["connections"], first["flows"]) == ("error", 2, [2, 3])
    assert first["client"] == "10.0.0.1:2"
    assert json.loads(next(diagnosis_rows(HOSTILE)))["sentence"].count("\x1b") == 1


def test_what_is_left_out_is_told() -> None:
    talks = [Talk(port).open().call(call(b"m%d" % port, b"")).fin(False) for port in range(1, 60)]
    diagnosis = diagnosed(*talks)
    assert len(diagnosis) == 59
    assert f"… {59 - MAX_GROUPS} more verdicts, not shown" in str(diagnosis)
    page = diagnosis._repr_html_()
    assert len(page) < MAX_HTML
    left = 59 - len(re.findall("closed without an answer", page))
    assert f"… {left} more verdicts, not shown" in page
    assert "not shown" not in plain(diagnosis_lines(diagnosis, limit=None))


def test_nothing_to_say() -> None:
    assert str(diagnosed()) == "0 connections, 0 calls"


# ── pingpong diagnose ────────────────────────────────────────────────────────────────


def run(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, *talks: Talk, options: tuple[str, ...] = ()
) -> tuple[int, str, str]:
    path = tmp_path / "x.pcap"
    write_capture(path, packets_of(*talks))
    code = cli.run(["diagnose", str(path), *options])
    out, err = capsys.readouterr()
    return code, out, err


def test_trouble(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, out, err = run(capsys, tmp_path, well(1), ill(2), ill(3), ill(4))
    assert (code, out, err) == (cli.TROUBLE, MISMATCH + "\n", "")


def test_no_trouble(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, out, err = run(capsys, tmp_path, well(1))
    assert (code, err) == (cli.READ_ALL, "")
    assert out.startswith("all is well\n  Nothing is wrong: 1 call in unframed binary, 1 answered.")


def test_no_thrift_but_where_it_should_be(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    get = Talk(1).open().call(b"GET / HTTP/1.1\r\n\r\n").add(False, RST)
    code, out, err = run(capsys, tmp_path, get)
    assert (code, err) == (cli.NO_THRIFT, "pingpong: nothing known here in 1 connection\n")
    assert "The first bytes are the start of an HTTP GET request: no call that is read here." in out
    code, out, err = run(capsys, tmp_path, get, options=("-p", "9090"))
    assert (code, err) == (cli.TROUBLE, "")
    assert out.startswith("error: HTTP on one side\n")
    refused = Talk(2).add(True, SYN).add(False, RST | ACK)
    assert run(capsys, tmp_path, refused)[0] == cli.NO_THRIFT
    assert run(capsys, tmp_path, refused, options=("-p", "9090"))[0] == cli.TROUBLE


def test_json(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, out, err = run(capsys, tmp_path, well(1), ill(2), options=("--json",))
    assert (code, err) == (cli.TROUBLE, "")
    assert [json.loads(line)["kind"] for line in out.splitlines()] == [
        Kind.FRAMED_ON_UNFRAMED.name.lower(),
        Kind.ALL_WELL.name.lower(),
    ]


def test_a_file_that_goes_bad(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """What was read before has its verdicts; the file's own fault is told, and in the code."""
    path = tmp_path / "x.pcap"
    write_capture(path, packets_of(well(1)))
    path.write_bytes(path.read_bytes()[:-5])
    assert cli.run(["diagnose", str(path)]) == cli.BAD
    out, err = capsys.readouterr()
    assert "1 answered" in out
    assert err.startswith("pingpong: error: ")
    assert cli.run(["diagnose", str(tmp_path / "none.pcap")]) == cli.BAD


def test_the_help_tells_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.run(["diagnose", "--help"])
    out = capsys.readouterr().out
    assert "3 a client and a server are in trouble" in out
    assert max(map(len, out.splitlines())) <= 100
