"""The ledger in words: rows for people, JSON lines, CSV, totals."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from making import EXCEPTION, PING, PONG, RST, Talk, call, message, packet, reply, said
from places import ROOT
from views_samples import HOSTILE, odd
from views_samples import call as sample_call

from pingpong import views
from pingpong.calls.totals import MAX_METHODS, Totals
from pingpong.capture import read, read_packets
from pingpong.model import Exchange, Outcome
from pingpong.views.json import Rows, total_rows
from pingpong.views.ledger import (
    CSV_COLUMNS,
    CSV_TOTALS,
    CallLister,
    csv_rows,
    csv_totals,
    sum_line,
    totals_table,
)
from pingpong.views.listing import FAR, Lister
from pingpong.views.one_line import OUTCOMES
from pingpong.views.table import lines
from pingpong.views.text import clock, display_width, plain


def trouble() -> list[Exchange]:
    """A call of several outcomes each, at fixed times."""
    one = Talk(50001).open().call(PING).reply(PONG)
    one.call(call("user")).reply(reply("user", body="0c 0001 00 00"))
    one.call(call("gone")).reply(said("gone", EXCEPTION, body="08 0002 00000001 00"))
    one.call(call("slow")).call(call("user")).reply(reply("slow")).reply(reply("user"))
    other = Talk(50002).open().call(PING).add(False, RST)
    both = [packet(at, each.data) for at, each in enumerate(one.packets + other.packets, 1)]
    return [*read_packets(both).exchanges]


ROWS = """\
#  time                        client          server         call  reply  method  outcome                latency  sent  received
1  2023-11-14T22:13:20.004000  10.0.0.1:50001  10.0.0.2:9090     1      2  ping    success                1.00 ms    17        28
2  2023-11-14T22:13:20.006000  10.0.0.1:50001  10.0.0.2:9090     3      4  user    declared exception     1.00 ms    17        21  field 1
3  2023-11-14T22:13:20.008000  10.0.0.1:50001  10.0.0.2:9090     5      6  gone    application exception  1.00 ms    17        24  UNKNOWN_METHOD
4  2023-11-14T22:13:20.010000  10.0.0.1:50001  10.0.0.2:9090     7      9  slow    late reply             2.00 ms    17        24  the client had sent its next call
5  2023-11-14T22:13:20.011000  10.0.0.1:50001  10.0.0.2:9090     8     10  user    out of sequence        2.00 ms    17        24  the client read exchange 4's reply
6  2023-11-14T22:13:20.017000  10.0.0.1:50002  10.0.0.2:9090    11         ping    reset by server                   17            after 1.00 ms
"""  # noqa: E501


def test_rows() -> None:
    lister = CallLister(trouble())
    assert f"{lister.heading()}\n{lister.rows(trouble())}" == ROWS


@pytest.mark.parametrize("room", range(80, 161, 10))
def test_rows_fit_a_terminal(room: int) -> None:
    long = call("com.shop." + "orders." * 20 + "get")
    found = [*trouble(), *read_packets(Talk().open().call(long).packets).exchanges]
    lister = CallLister(found, (), room)
    lines = f"{lister.heading()}\n{lister.rows(found)}".splitlines()
    assert max(map(display_width, lines)) <= room
    text = "\n".join(lines)
    for word in ("outcome", "latency", "UNKNOWN_METHOD", "read exchange 4's reply", "1.00 ms"):
        assert word in text
    assert ("10.0.0.2:9090" in text) == ("server" in lines[0])
    assert ("  17  " in text) == ("sent" in lines[0])
    messages = [one.first for one in found]
    other = Lister(messages, room)
    lines = f"{other.heading()}\n{other.rows(messages)}".splitlines()
    assert max(map(display_width, lines)) <= room
    assert "22:13:20.004000" in lines[1]


def test_every_outcome_has_words() -> None:
    assert set(OUTCOMES) == set(Outcome)
    assert len(set(OUTCOMES.values())) == len(Outcome)


def test_json_rows_and_csv_rows_say_the_same() -> None:
    exchanges = trouble()
    parsed = [json.loads(row) for row in Rows().exchanges(exchanges).splitlines()]
    assert all(tuple(row) == CSV_COLUMNS for row in parsed)
    assert parsed[3] == {
        "number": 4,
        "time": 1700000000.010,
        "client": "10.0.0.1:50001",
        "server": "10.0.0.2:9090",
        "flow": 1,
        "method": "slow",
        "outcome": "LATE",
        "exception": None,
        "latency": 0.002,
        "waited": 0.002,
        "call": 7,
        "reply": 9,
        "sent": 17,
        "received": 24,
        "why": "the client had sent its next call",
    }
    read_back = list(csv.reader(io.StringIO(csv_rows(exchanges))))
    for row, cells in zip(parsed, read_back, strict=True):
        for value, cell in zip(row.values(), cells, strict=True):
            is_time = isinstance(value, float)
            assert (float(cell) if is_time else cell) == (
                value if is_time else "" if value is None else str(value)
            )


def shown(exchanges: list[Exchange]) -> list[str]:
    return [CallLister(exchanges).rows(exchanges), csv_rows(exchanges), Rows().exchanges(exchanges)]


def test_nothing_from_the_wire_reaches_a_terminal() -> None:
    one = Talk().open().call(HOSTILE).reply(sample_call(b"\x1b[2J\n", b"", 2))
    for text in shown([*read_packets(one.packets).exchanges]) + shown([*odd().exchanges]):
        assert all(line.isprintable() for line in text.splitlines())
        assert len(text.splitlines()) == text.count("\n")


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "＝cmd", '=HYPERLINK("x","y")'])
def test_a_spreadsheet_takes_no_name_for_a_formula(name: str) -> None:
    one = Talk().open().call(call(name)).reply(reply(name))
    exchanges = read_packets(one.packets).exchanges
    (row,) = csv.reader(io.StringIO(csv_rows([*exchanges])))
    assert row[5] == "'" + name
    (total,) = csv.reader(io.StringIO(csv_totals(exchanges.totals())))
    assert total[0] == "'" + name
    assert json.loads(Rows().exchange(exchanges[0]))["method"] == name


def test_a_comma_a_quote_and_a_line_end_stay_in_their_cell() -> None:
    name = 'a,"b"\r\nc'
    (row,) = csv.reader(
        io.StringIO(csv_rows([*read_packets(Talk().open().call(call(name)).packets).exchanges]))
    )
    assert row[5] == 'a,"b"\\r\\nc'


TOTALS = """\
method  calls  failed  unclear      p50      p90      p99  slowest  sent  received
──────────────────────────────────────────────────────────────────────────────────
ping        2       1        0  1.00 ms  1.00 ms  1.00 ms  1.00 ms    34        28
user        2       2        0  1.00 ms  2.00 ms  2.00 ms  2.00 ms    34        45
gone        1       1        0  1.00 ms  1.00 ms  1.00 ms  1.00 ms    17        24
slow        1       1        0  2.00 ms  2.00 ms  2.00 ms  2.00 ms    17        24
all         6       5        0  1.00 ms  2.00 ms  2.00 ms  2.00 ms   102       121"""


def totals() -> Totals:
    made = Totals()
    made.add(trouble())
    return made


def test_totals() -> None:
    assert plain(lines(totals_table(totals(), exact=True))) == TOTALS
    assert sum_line(totals()) == (
        "6 calls: 1 success, 1 declared exception, 1 application exception, 1 reset by server, "
        "1 late reply, 1 out of sequence"
    )
    assert sum_line(Totals()) == "no call"


def test_totals_show_themselves_without_times() -> None:
    assert "p50" not in str(totals())
    assert "slow" in str(totals())
    assert "<td" in views.html(totals())
    assert "2.00 ms" in views.text(totals(), exact=True)
    assert "2.00 ms" in views.html(totals(), exact=True)


def test_totals_for_programs() -> None:
    rows: list[dict[str, Any]] = [json.loads(row) for row in total_rows(totals()).splitlines()]
    assert rows[1] == {
        "method": "user",
        "calls": 2,
        "failed": 2,
        "unclear": 0,
        "outcomes": {"DECLARED_EXCEPTION": 1, "OUT_OF_SEQUENCE": 1},
        "p50": 0.001000448,  # to 0.4 %
        "p90": 0.002,
        "p99": 0.002,
        "slowest": 0.002,
        "sent": 34,
        "received": 45,
    }
    cells = list(csv.reader(io.StringIO(csv_totals(totals()))))
    assert [len(row) for row in cells] == [len(CSV_TOTALS)] * 4
    assert [row[0] for row in cells] == ["ping", "user", "gone", "slow"]


def test_methods_beyond_the_limit_are_one_row() -> None:
    one = Talk().open()
    for at in range(MAX_METHODS + 2):
        one.call(said(f"m{at}", 4))
    many = read_packets(one.packets).exchanges.totals()
    drawn = plain(lines(totals_table(many, limit=None)))
    assert "(other methods)" in drawn
    assert json.loads(total_rows(many).splitlines()[-1])["method"] is None
    assert "… 463 more methods, not shown" in str(many)


def test_a_table_says_why_before_what() -> None:
    capture = read(ROOT / "captures" / "incident.pcap")
    wide = views.text(capture.exchanges, width=160)
    assert "the client read exchange 7's reply; {1: 7002" in wide
    assert "the client read exchange 7's reply" in views.text(capture.exchanges[7], width=160)
    assert "after" not in str(capture.exchanges)
    assert "after 189 µs" in views.text(capture.exchanges, exact=True)


@pytest.mark.parametrize("time", [-(10**18), -5, 0, FAR - 1, FAR, 2**70])
def test_any_time_is_shown_as_in_the_list_of_messages(time: int) -> None:
    one = message(PING, time=time, end_time=time)
    row = CallLister([Exchange(1, one)]).row(Exchange(1, one))
    when = clock(time).replace(" ", "T")
    assert f"  {when}  " in row
    assert Lister([one]).row(one).startswith(f"{when}  ")
