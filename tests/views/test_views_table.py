"""Tables of messages and of exchanges."""

from __future__ import annotations

import pytest
from making import PING
from views_samples import MESSAGES, crowd, lesson, odd

from pingpong.model import Endpoint, Limits, Message, Messages, Struct
from pingpong.protocols.encodings.binary import BINARY, BinaryProtocol
from pingpong.protocols.families.thrift.transports import UNFRAMED
from pingpong.views.listing import listing
from pingpong.views.table import (
    Table,
    exchange_table,
    lines,
    message_table,
)
from pingpong.views.text import STYLES, display_width, plain

MESSAGE_TABLE = """\
#  flow  type   method  seqid  bytes  protocol
─────────────────────────────────────────────────────
1     1  CALL   ping       42     17  binary unframed
2     1  REPLY  ping       42     28  binary unframed
3     1  CALL   login       0     39  binary unframed
4     1  REPLY  login       0     38  binary unframed"""

EXACT_MESSAGES = """\
#  2023-11-14 UTC   client          server         type   method  seqid  bytes  protocol
───────────────────────────────────────────────────────────────────────────────────────────────
1  22:13:20.004000  10.0.0.1:50001  10.0.0.2:9090  CALL   ping       42     17  binary unframed
2  22:13:20.006000  10.0.0.1:50001  10.0.0.2:9090  REPLY  ping       42     28  binary unframed"""

EXCHANGE_TABLE = """\
#  flow  method  arguments            outcome  result       sent  received
──────────────────────────────────────────────────────────────────────────
1     1  ping                         success  "pong"         17        28
2     1  login   1: "root", 2: "pwd"  success  "登录成功!"    39        38"""

# Method, outcome and result of every exchange of odd().
OUTCOMES = [
    ("ping", "success", '"pong"'),
    ("boom", "application exception", 'INTERNAL_ERROR (6) "Internal error"'),
    ("login", "declared exception", '1: {1: "who?"}'),
    ("log", "oneway", ""),
]


def drawn(table: Table, width: int | None = 100) -> str:
    return plain(lines(table, width))


def test_messages() -> None:
    assert drawn(message_table(lesson().messages)) == MESSAGE_TABLE


def test_messages_with_times_and_ends() -> None:
    got = drawn(message_table(lesson().messages, exact=True)).splitlines()
    assert got[:4] == EXACT_MESSAGES.splitlines()


def test_exchanges_align_beside_wide_characters() -> None:
    assert drawn(exchange_table(lesson().exchanges)) == EXCHANGE_TABLE


def test_outcomes_in_words() -> None:
    table = exchange_table(odd().exchanges)
    at = [table.titles.index(title) for title in ("method", "outcome", "result")]
    rows = [tuple(row[column].text for column in at) for row in table.rows]
    assert rows[: len(OUTCOMES)] == OUTCOMES


def test_latency_only_where_asked_for() -> None:
    assert "latency" not in exchange_table(lesson().exchanges).titles
    table = exchange_table(lesson().exchanges, exact=True)
    latency = table.titles.index("latency")
    assert [row[latency].text for row in table.rows] == ["2.00 ms", "1.00 ms"]


def test_a_long_table_says_how_many_rows_it_leaves_out() -> None:
    capture = crowd(60)
    assert drawn(message_table(capture.messages)).splitlines()[-1] == (
        "… 70 more messages, not shown"
    )
    assert drawn(exchange_table(capture.exchanges, limit=59)).splitlines()[-1] == (
        "… 1 more exchange, not shown"
    )
    assert len(message_table(capture.messages, limit=None).rows) == 120


def test_nothing() -> None:
    assert drawn(message_table(Messages([]), exact=True)).splitlines()[-1] == "no message"


@pytest.mark.parametrize("width", [60, 80, 100, None])
def test_numbers_are_never_cut(width: int | None) -> None:
    table = message_table(Messages([*MESSAGES.values()]))
    for line, message in zip(lines(table, width)[2:], MESSAGES.values(), strict=True):
        assert f" {message.size} " in plain([line])
        if width:
            assert display_width(plain([line])) <= width


class _Closed(BinaryProtocol):
    """Fails the test if somebody reads fields with it."""

    def read_struct(self, *_: object, **__: object) -> Struct:
        raise AssertionError("a listing reads no fields")


@pytest.mark.usefixtures("plain_python")
def test_a_listing_reads_no_fields() -> None:
    header = BINARY.read_header(PING, 0, len(PING), Limits())
    end = Endpoint("10.0.0.1", 1)
    message = Message(
        header=header,
        data=PING,
        protocol=_Closed(),
        transport=UNFRAMED,
        client=end,
        server=end,
        from_client=True,
        limits=Limits(),
    )
    for exact in (False, True):
        assert "ping" in drawn(message_table(Messages([message]), exact=exact))
    assert "ping" in plain(listing([message]))


@pytest.mark.parametrize("exact", [False, True])
def test_cells_are_printable_and_of_known_styles(exact: bool) -> None:
    capture = odd()
    for table in (
        message_table(capture.messages, exact=exact),
        exchange_table(capture.exchanges, exact=exact),
    ):
        for line in lines(table):
            assert plain([line]).isprintable()
            assert all(run.style in STYLES for run in line)
