"""Rows from where there is no file: a query to a database, and what is piped in."""

from __future__ import annotations

import gzip
import shutil
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO

import polars as pl
import sqlalchemy as sa

from penchant.core.clock import utc
from penchant.core.errors import EmptyData, InputError, UnknownName
from penchant.core.progress import SILENT, Progress

__all__ = ["FORMATS", "query_table", "spooled"]

FORMATS = ("csv", "jsonl", "parquet")
"What standard input may hold."

_ROWS = 50_000  # rows fetched at once
_PLAIN = (str, int, float, bool, type(None))


def query_table(url: str, query: str, progress: Progress = SILENT) -> pl.DataFrame:
    """Return the rows that a database answers a query with; nothing is changed there.

    Numbers stay numbers, times stay times (without a zone: UTC), anything else that is not text becomes text.

    >>> import sqlite3
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with sqlite3.connect(f"{folder}/till.db") as till:
    ...         _ = till.execute("CREATE TABLE sales (buyer TEXT, sku INTEGER, day TEXT)")
    ...         _ = till.execute("INSERT INTO sales VALUES ('ann', 7, '2017-12-01')")
    ...     till.close()
    ...     query_table(f"sqlite:///{folder}/till.db", "SELECT buyer AS user, sku AS item, day AS at FROM sales").rows()
    [('ann', 7, '2017-12-01')]

    Args:
        url: as SQLAlchemy reads it, such as ``postgresql://user:password@host/name`` or ``sqlite:///till.db``.
        query: one statement that returns rows.
        progress: told of the rows read.

    Raises:
        InputError: the URL cannot be used, its driver is not installed, or the database refuses the query.
        EmptyData: there are no rows.
    """
    engine = _engine(url)
    try:
        with engine.connect() as connection, progress.step("asking the database", 1) as advance:
            answer = connection.execution_options(stream_results=True, yield_per=_ROWS).exec_driver_sql(query)
            if not answer.returns_rows:
                raise InputError("the query returns no rows", got=query, allowed="a SELECT", field="query")
            names = list(answer.keys())
            parts = [_table(names, rows) for rows in answer.partitions()]
            advance(1)
            connection.rollback()
    except sa.exc.SQLAlchemyError as error:
        cause = getattr(error, "orig", None) or error
        raise InputError("the database refuses the query", got=str(cause).strip(), field="query") from error
    finally:
        engine.dispose()
    if not parts:
        raise EmptyData("the query finds no rows", got=query)
    return pl.concat(parts, how="vertical_relaxed")


def _engine(url: str) -> sa.Engine:
    kind = url.partition("://")[0]
    full = url.replace("postgresql://", "postgresql+psycopg://", 1) if kind == "postgresql" else url
    try:
        return sa.create_engine(full, hide_parameters=True)
    except (sa.exc.ArgumentError, ValueError) as error:
        allowed = "dialect://user:password@host/name, such as postgresql://shop@db/orders"
        raise InputError("the URL cannot be read", got=f"{kind[:20]}://...", allowed=allowed, field="url") from error
    except ModuleNotFoundError as error:
        then = "pip install it" if kind != "postgresql" else "pip install 'penchant[postgres]'"
        raise InputError("a driver is not installed", got=f"{kind}: {error.name}", then=then, field="url") from error


def _table(names: Sequence[str], rows: Sequence[Any]) -> pl.DataFrame:
    columns = zip(*rows, strict=True)
    return pl.DataFrame([_series(name, list(values)) for name, values in zip(names, columns, strict=True)])


def _series(name: str, values: list[Any]) -> pl.Series:
    """Return a column, in the one type that all its values have; else as text."""
    kinds = {type(value) for value in values} - {type(None)}
    if not kinds:
        return pl.Series(name, values, dtype=pl.String)
    if kinds <= {Decimal, int, float}:
        return pl.Series(name, values if kinds == {int} else [None if v is None else float(v) for v in values])
    if kinds == {datetime}:
        return pl.Series(name, [None if value is None else utc(value) for value in values])
    if len(kinds) == 1 and kinds <= {*_PLAIN, date}:
        return pl.Series(name, values)
    return pl.Series(name, [None if value is None else str(value) for value in values], dtype=pl.String)


@contextmanager
def spooled(stream: BinaryIO, form: str | None = None) -> Iterator[Path]:
    r"""Yield a file with what a stream holds, named for its form, gone on leaving; gzip is undone.

    >>> import io
    >>> with spooled(io.BytesIO(b'{"user": "ann", "item": "tea", "at": "2017-12-01"}\n')) as path:
    ...     path.name
    'stdin.jsonl'

    Args:
        stream: bytes.
        form: csv, jsonl or parquet; None finds it.

    Raises:
        EmptyData: there is nothing.
        InputError: it is gzip, and damaged.
        UnknownName: the form is not known.
    """
    if form is not None and form not in FORMATS:
        raise UnknownName.of("format", form, FORMATS, field="format")
    with tempfile.TemporaryDirectory(prefix="penchant-stdin-") as folder:
        place = Path(folder, "raw")
        with place.open("wb") as file:
            shutil.copyfileobj(stream, file, 1 << 20)
        with place.open("rb") as file:
            zipped = file.read(2) == b"\x1f\x8b"
        if zipped:
            place = _unzipped(place)
        with place.open("rb") as file:
            start = file.read(4096)
        if not start.strip():
            raise EmptyData("standard input is empty", then="pipe a file into it")
        yield place.rename(place.with_name(f"stdin.{form or _form(start)}"))


def _unzipped(place: Path) -> Path:
    target = place.with_name("plain")
    try:
        with gzip.open(place) as zipped, target.open("wb") as file:
            shutil.copyfileobj(zipped, file, 1 << 20)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError("standard input is gzip that is damaged or cut short", got=str(error)) from error
    return target


def _form(start: bytes) -> str:
    if start.startswith(b"PAR1"):
        return "parquet"
    return "jsonl" if start.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{") else "csv"
