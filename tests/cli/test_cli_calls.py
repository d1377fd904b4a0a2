"""``pingpong calls`` at the shell: what it prints, what it exits with."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from making import ADD, PING, PONG, Talk, call, framed, reply
from places import ROOT
from shell import BAD, run, written
from strangers import FOREIGN

from pingpong import cli, read
from pingpong.cli.calls import nanoseconds
from pingpong.model import Header, Outcome
from pingpong.wire.capturefile import write_capture

INCIDENT = str(ROOT / "captures" / "incident.pcap")


def test_calls(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "calls", INCIDENT)
    assert (code, err) == (cli.READ_ALL, "")
    rows = out.splitlines()
    assert len(rows) == 15
    assert rows[0].split() == [
        "#", "time", "client", "server", "call", "reply", "method", "outcome", "latency", "sent",
        "received",
    ]  # fmt: skip
    assert rows[8].split()[:7] == [
        "8", "2026-11-24T23:00:11.598259", "127.0.0.1:50004", "127.0.0.1:9090", "13", "15", "get",
    ]  # fmt: skip
    assert rows[8].endswith("the client read exchange 7's reply")
    assert rows[14].startswith("12 calls: 5 success, 1 declared exception, ")


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, Any]]:
    code, out, _ = run(capsys, "calls", INCIDENT, "--json", *arguments)
    assert code == cli.READ_ALL
    return [json.loads(row) for row in out.splitlines()]


def test_the_library_says_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    rows = said(capsys)
    assert [(row["number"], row["method"], row["outcome"]) for row in rows] == [
        (one.number, one.method, one.outcome.name) for one in read(INCIDENT).exchanges
    ]


CHOICES = {
    "--method g*": [2, 5, 6, 7, 8, 9, 11, 12],
    "--method ping --method seen": [3, 10],
    "--outcome failed": [6, 7, 8, 9, 10, 11],
    "--outcome late,out-of-sequence": [7, 8, 9],
    "--outcome ONEWAY --outcome LATE": [3, 7],
    "--slower 100ms": [7, 8],
    "--slower 0.4s": [7],
    "--where 1=7002": [5, 8],
    "--where get.1=7002 --outcome success": [5],
    "--where reply.0.2=bob --where 1=7004": [9, 12],
    "--sort latency --limit 3": [7, 8, 9],
    "--sort bytes --limit 2": [7, 2],
    "--sort time --limit 2": [1, 2],
    "--limit 2": [1, 2],
    "--limit 0": [],
    "--sort latency --limit 0": [],
    "--port 50004": [1, 2, 3],
    "--protocol compact": [],
}


@pytest.mark.parametrize("options", CHOICES)
def test_which_and_in_what_order(options: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "calls", INCIDENT, "--json", *options.split())
    assert [json.loads(row)["number"] for row in out.splitlines()] == CHOICES[options]
    assert code == (cli.NO_THRIFT if "compact" in options else cli.READ_ALL)


def test_what_is_not_shown_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    for options in (["--limit", "5"], ["--limit", "5", "--sort", "latency"]):
        out = run(capsys, "calls", INCIDENT, *options)[1].splitlines()
        assert out[6:8] == ["… 7 more calls, not shown", ""]


@pytest.mark.parametrize("options", [[], ["--sort", "time"]])
def test_a_terminal_gets_colours_and_the_same_words(
    options: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = run(capsys, "calls", INCIDENT, *options)[1]
    monkeypatch.setenv("COLUMNS", "250")  # nothing is left out
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    coloured = run(capsys, "calls", INCIDENT, *options)[1]
    assert "\x1b[1;31m 8  2026-" in coloured
    assert "\x1b[33m 6  2026-" in coloured
    assert re.sub("\x1b\\[[0-9;]*m", "", coloured) == plain


def test_names_come_from_the_idl(capsys: pytest.CaptureFixture[str]) -> None:
    idl = str(ROOT / "captures" / "shop.thrift")
    rows = said(capsys, "--idl", idl, "--where", "get.id=9999")
    assert [row["exception"] for row in rows] == ["NoSuchOrder"]
    assert [row["exception"] for row in said(capsys, "--where", "1=9999")] == ["1"]


def test_csv(capsys: pytest.CaptureFixture[str]) -> None:
    out = run(capsys, "calls", INCIDENT, "--csv")[1]
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [int(row["number"]) for row in rows] == list(range(1, 13))
    assert rows[6]["outcome"] == "LATE"
    assert float(rows[6]["latency"]) > 0.4


def test_totals(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "calls", INCIDENT, "--totals", "--limit", "1")
    assert code == cli.READ_ALL
    rows = out.splitlines()
    assert rows[0].split()[:3] == ["method", "calls", "failed"]
    assert rows[2].split()[:4] == ["get", "8", "5", "0"]
    assert rows[3].split()[:4] == ["all", "12", "6", "0"]
    assert rows[4] == "… 3 more methods, not shown"
    assert [row["method"] for row in said(capsys, "--totals", "--outcome", "late")] == ["get"]
    table = csv.DictReader(io.StringIO(run(capsys, "calls", INCIDENT, "--totals", "--csv")[1]))
    assert {row["method"]: row["calls"] for row in table} == {
        "get": "8", "of_customer": "2", "seen": "1", "ping": "1",
    }  # fmt: skip


def test_none_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "calls", INCIDENT, "--method", "nothing") == (0, "no call\n", "")
    assert run(capsys, "calls", INCIDENT, "--method", "nothing", "--json") == (0, "", "")


WRONG = {
    "--outcome slow": '"slow" is no outcome, want one of success, ',
    "--slower 10": '"10" is no time, want one as 300us, 10ms or 2s',
    "--slower -1ms": "expected one argument",
    "--where x": '"x" is no condition, want FIELD=VALUE',
    "--limit -1": '"-1" is no number',
    "--json --csv": "not allowed with argument",
}


@pytest.mark.parametrize("options", WRONG)
def test_wrong_words(options: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.run(["calls", INCIDENT, *options.split()])
    assert ended.value.code == cli.BAD
    assert WRONG[options] in capsys.readouterr().err


def test_times() -> None:
    assert [nanoseconds(text) for text in ("7ns", "300us", "1.5µs", "10ms", "2s", "1m")] == [
        7, 300_000, 1_500, 10_000_000, 2_000_000_000, 60_000_000_000,
    ]  # fmt: skip


def test_a_failed_call_is_not_bad_input(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = written(tmp_path, Talk().open().call(PING).fin(False).fin(True))
    code, out, err = run(capsys, "calls", path)
    assert (code, err) == (cli.READ_ALL, "")
    assert "closed by server" in out


@pytest.mark.parametrize("name", FOREIGN)
def test_no_thrift(name: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = str(tmp_path / "x.pcap")
    write_capture(path, Talk().open().call(FOREIGN[name]).close().packets)
    code, out, err = run(capsys, "calls", path)
    assert (code, out) == (cli.NO_THRIFT, "no call\n")
    assert "nothing known here" in err


@pytest.mark.parametrize("how", ["", "--json", "--csv", "--totals"])
@pytest.mark.parametrize("name", BAD)
def test_bad_input(name: str, how: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    make, sentence, _ = BAD[name]
    path = str(tmp_path / "x.pcap")
    make(path)
    code, _, err = run(capsys, "calls", path, *how.split())
    if name == "a length beyond what is there":
        return  # a framed message is listed by its length: nothing in it was looked at
    assert code == cli.BAD
    assert sentence in err


def test_many_connections_that_say_nothing_are_not_kept(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    one = Talk().open().call(framed(PING)).reply(framed(PONG)).call(framed(ADD)).close()
    packets = one.packets
    for port in range(50_100, 50_130):
        packets = packets + Talk(port).open().close().packets
    path = str(tmp_path / "x.pcap")
    write_capture(path, packets)
    code, out, _ = run(capsys, "calls", path)
    assert code == cli.READ_ALL
    assert "2 calls: 1 success, 1 closed by client" in out


# ── Data frames ──────────────────────────────────────────────────────────────────────


def test_parquet(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    path = tmp_path / "x.parquet"
    code, out, err = run(capsys, "calls", INCIDENT, "--arrow", str(path), "--outcome", "failed")
    assert (code, err) == (cli.READ_ALL, "")
    assert out == f"6 calls in {path}\n"
    table = parquet.read_table(path)
    rows = read(INCIDENT).exchanges.where(outcome="failed")
    assert table["number"].to_pylist() == [one.number for one in rows]
    assert table["outcome"].to_pylist() == [one.outcome.name for one in rows]
    assert table["latency_ns"].to_pylist() == [one.latency for one in rows]
    assert table["time"].cast("int64").to_pylist() == [one.time for one in rows]
    assert table["exception"].to_pylist() == ["1", None, None, None, "UNKNOWN_METHOD", None]


def test_an_arrow_table_of_anything(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    from pingpong import arrow, read_packets

    assert arrow.table([]).num_rows == 0
    odd = Talk().open().call(call("\udcff".encode("utf-8", "surrogatepass").decode("latin-1")))
    exchanges = read_packets(odd.packets).exchanges
    assert exchanges[0].call is not None
    exchanges[0].call.time = 1 << 70
    kept = exchanges[0].call.header
    where = (kept.type, kept.seqid, kept.strict, kept.span, kept.method_span)
    exchanges[0].call.header = Header("half \ud800", *where)
    made = arrow.table(exchanges)
    assert made["method"].to_pylist() == ["half \\ud800"]
    assert made["time"].null_count == 1
    assert made["outcome"].to_pylist() == [Outcome.WAITING.name]


def test_arrow_says_what_it_lacks(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(tmp_path / "x.parquet")
    code, _, err = run(capsys, "calls", INCIDENT, "--arrow", path, "--totals")
    assert code == cli.BAD
    assert "no --totals, --sort, --limit" in err
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    code, _, err = run(capsys, "calls", INCIDENT, "--arrow", path)
    assert code == cli.BAD
    assert 'pyarrow is not installed. It comes with: pip install "pingpong[arrow]"' in err
    assert not Path(path).exists()


def test_a_parquet_file_that_cannot_be_written(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    path = str(tmp_path / "no folder" / "x.parquet")
    code, _, err = run(capsys, "calls", INCIDENT, "--arrow", path)
    assert code == cli.BAD
    assert "cannot be written" in err


def test_pipelined_in_one_packet_is_listed_in_order(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    one = Talk().open().call(call("a", 1) + call("b", 2)).reply(reply("b", 2) + reply("a", 1))
    out = run(capsys, "calls", written(tmp_path, one), "--json")[1]
    assert [json.loads(row)["method"] for row in out.splitlines()] == ["a", "b"]
