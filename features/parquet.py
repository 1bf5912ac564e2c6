"""Parquet → rows, one row group at a time."""

import json
import math
from collections import deque
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from features.rows import BadRow, Cell, Header, RefusedFile, Row, Table

ROWS_AT_ONCE = 10_000  # of sixty columns: some 50 MB as Python values
ROW_GROUP_LIMIT = 2 << 30  # bytes unpacked; writers aim at 128 MB


def open_parquet(path: Path) -> Table:
    """A Parquet table, read through once so that a damaged one is refused before its first row is used.

    Its own types stand; moments are kept to the microsecond.
    """
    try:
        with pq.ParquetFile(path) as file:
            names, groups = file.schema_arrow.names, file.metadata
            sizes = [groups.row_group(number).total_byte_size for number in range(groups.num_row_groups)]
    except (pa.ArrowException, OSError, ValueError) as error:
        raise RefusedFile(path, f"damaged Parquet ({_one_line(error)}); export it again") from None
    if max(sizes, default=0) > ROW_GROUP_LIMIT:
        raise RefusedFile(path, f"a row group of {max(sizes)} bytes; write it with smaller row groups")
    header = Header.of(path, names, None)
    deque(_records(path), maxlen=0)
    return Table(path, header.columns, None, None, lambda: _rows(path, header))


def _rows(path: Path, header: Header) -> Iterator[Row | BadRow]:
    return header.sort(enumerate(_records(path), start=1))


def _records(path: Path) -> Iterator[Sequence[Cell]]:
    number = 0
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=ROWS_AT_ONCE):
                for record in zip(*map(_values, batch.columns), strict=True):
                    number += 1
                    yield [_cell(value) for value in record]
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:  # letters, or moments before year 1
        raise RefusedFile(path, f"damaged Parquet ({_one_line(error)}); export it again", number + 1) from None


def _values(column: Any) -> list[Any]:
    """Nanoseconds are cut to microseconds: Python's moments end there."""
    if pa.types.is_timestamp(column.type) and column.type.unit == "ns":
        column = column.cast(pa.timestamp("us", column.type.tz), safe=False)
    values: list[Any] = column.to_pylist()
    return values


def _cell(value: Any) -> Cell:
    match value:
        case float() if math.isnan(value):
            return None
        case None | str() | bool() | int() | float() | datetime() | date():
            return value
        case Decimal():
            return str(value)
        case time():
            return value.isoformat()
        case bytes():
            return value.decode("utf-8")
        case _:  # lists and structs of an API dump: one text, nothing lost
            return json.dumps(value, ensure_ascii=False, default=str)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
