"""The door to data frames: the ledger as Arrow tables and Parquet files.

    >>> import pingpong, pingpong.arrow                                   # doctest: +SKIP
    >>> table = pingpong.arrow.table(pingpong.read("trouble.pcap").exchanges)  # doctest: +SKIP
    >>> table.to_pandas()                                                 # doctest: +SKIP

One row per exchange, in the columns of ``pingpong calls --json``; but times are whole nanoseconds,
and their names say so, because a float could not hold them.  pyarrow is imported when it is needed:
``pip install "pingpong[arrow]"``.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, Final

from .errors import LiveError
from .model import Exchange
from .wire.newfile import NewFile

__all__ = ["table", "write"]

# Name and type of each column, in the order of ``_row``.
_COLUMNS: Final = (
    ("number", "int64"),
    ("time", "timestamp"),
    ("client", "string"),
    ("server", "string"),
    ("flow", "int64"),
    ("method", "string"),
    ("outcome", "string"),
    ("exception", "string"),
    ("latency_ns", "int64"),
    ("waited_ns", "int64"),
    ("call", "int64"),
    ("reply", "int64"),
    ("sent", "int64"),
    ("received", "int64"),
    ("why", "string"),
)

# How many rows are written at a time.
_ROWS: Final = 50_000

_I64: Final = 1 << 63


def table(exchanges: Iterable[Exchange]) -> Any:
    """A ``pyarrow.Table`` with a row per exchange.  Raises LiveError without pyarrow."""
    arrow = _pyarrow()
    return arrow.Table.from_batches([_batch(arrow, list(exchanges))], schema=_schema(arrow))


def write(path: str | os.PathLike[str] | NewFile, batches: Iterable[Iterable[Exchange]]) -> int:
    """Write exchanges to a Parquet file as they come, and return how many rows it has.

    Memory holds only some of them at a time.  The file appears whole or not at all.  Raises
    LiveError if pyarrow is not installed, and CaptureError if the file cannot be written: a file
    that was there before is then still there.
    """
    count = 0
    waiting: list[Exchange] = []
    with path if isinstance(path, NewFile) else NewFile(path) as out:
        arrow = _pyarrow()
        from pyarrow import parquet

        with parquet.ParquetWriter(out, _schema(arrow)) as writer:
            for batch in batches:
                waiting += batch
                if len(waiting) >= _ROWS:
                    writer.write_batch(_batch(arrow, waiting))
                    count += len(waiting)
                    waiting = []
            writer.write_batch(_batch(arrow, waiting))
        return count + len(waiting)


def _pyarrow() -> Any:
    try:
        import pyarrow
    except ImportError:
        raise LiveError(
            "pyarrow is not installed", 'It comes with: pip install "pingpong[arrow]"'
        ) from None
    return pyarrow


def _schema(arrow: Any) -> Any:
    kinds = {
        "int64": arrow.int64(),
        "string": arrow.string(),
        "timestamp": arrow.timestamp("ns", tz="UTC"),
    }
    return arrow.schema([(name, kinds[kind]) for name, kind in _COLUMNS])


def _batch(arrow: Any, exchanges: list[Exchange]) -> Any:
    rows = [_row(exchange) for exchange in exchanges]
    schema = _schema(arrow)
    columns = [
        arrow.array([row[at] for row in rows], type=field.type) for at, field in enumerate(schema)
    ]
    return arrow.record_batch(columns, schema=schema)


def _row(exchange: Exchange) -> tuple[object, ...]:
    first, call, reply = exchange.first, exchange.call, exchange.reply
    return (
        exchange.number,
        _number(first.time),
        str(first.client),
        str(first.server),
        first.flow,
        _text(first.method),
        exchange.outcome.name,
        _text(exchange.exception) or None,
        _number(exchange.latency),
        _number(exchange.waited),
        call.number if call else None,
        reply.number if reply else None,
        exchange.sent if call else None,
        exchange.received if exchange.has_received else None,
        exchange.why or None,
    )


def _number(number: int | None) -> int | None:
    """The number, or None if 64 bits cannot hold it: a capture file may claim any time."""
    return number if number is not None and -_I64 <= number < _I64 else None


def _text(text: str) -> str:
    """The text; half a surrogate pair, which JSON can hold and UTF-8 cannot, is escaped."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
