"""Rows from a query and from what is piped in."""

from __future__ import annotations

import gzip
import io
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
import sqlalchemy as sa

from penchant.core.errors import EmptyData, InputError, UnknownName
from penchant.engine.sources import query_table, spooled


@pytest.fixture(params=["sqlite", "postgres"])
def till(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of somebody's database with two sales in it."""
    url = f"sqlite:///{tmp_path}/till.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE sales (buyer TEXT, sku INTEGER, day TEXT, paid NUMERIC, note TEXT)")
        connection.exec_driver_sql("INSERT INTO sales VALUES ('ann', 7, '2026-01-02', 2.50, NULL)")
        connection.exec_driver_sql("INSERT INTO sales VALUES ('Zoë', 8, '2026-01-03', 3, 'x')")
    engine.dispose()
    return url.replace("+psycopg", "")


def test_a_query_gives_a_table(till: str) -> None:
    query = "SELECT buyer AS user_id, sku, day, paid, note FROM sales ORDER BY sku"
    table = query_table(till, query)
    assert table.rows() == [("ann", 7, "2026-01-02", 2.5, None), ("Zoë", 8, "2026-01-03", 3.0, "x")]


def test_times_numbers_and_ids_of_postgres_are_understood(postgres_url: str) -> None:
    query = """SELECT '2026-01-02 03:04:05+02'::timestamptz AS a, '2026-01-02 03:04:05'::timestamp AS b,
        '2026-01-02'::date AS c, '6f1b2b1e-3c1e-4f43-9f6e-3d4f3d0f2a11'::uuid AS d, 1.5::numeric AS e, true AS f"""
    (row,) = query_table(postgres_url, query).rows()
    assert row[0] == datetime(2026, 1, 2, 1, 4, 5, tzinfo=UTC)
    assert row[1] == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert (str(row[2]), *row[3:]) == ("2026-01-02", "6f1b2b1e-3c1e-4f43-9f6e-3d4f3d0f2a11", 1.5, True)


def test_a_query_changes_nothing(till: str) -> None:
    with pytest.raises(
        InputError, match=r"the query returns no rows; got DELETE FROM|refuses the query; .* near .DELETE"
    ):
        query_table(till, "DELETE FROM sales")
    assert query_table(till, "SELECT count(*) AS n FROM sales").rows() == [(2,)]


def test_what_is_wrong_with_a_query_is_said_without_a_password(till: str) -> None:
    with pytest.raises(InputError, match=r"the database refuses the query; got .*nowhere"):
        query_table(till, "SELECT * FROM nowhere")
    with pytest.raises(EmptyData, match="the query finds no rows"):
        query_table(till, "SELECT * FROM sales WHERE sku = 0")
    for url in ("nonsense", "postgresql://me:secret-1@127.0.0.1:port/x", "mssql+pyodbc://me:secret-1@host/db"):
        with pytest.raises(InputError) as caught:
            query_table(url, "SELECT 1")
        assert "secret-1" not in str(caught.value)


CSV = b"user,item,at\nann,tea,2026-01-01\n"


def parquet() -> bytes:
    content = io.BytesIO()
    pl.DataFrame({"user": ["ann"]}).write_parquet(content)
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "name"),
    [(CSV, "stdin.csv"), (b'\xef\xbb\xbf {"user": "ann"}\n', "stdin.jsonl"), (parquet(), "stdin.parquet")],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_what_is_piped_in_is_recognized(content: bytes, name: str, pack: object) -> None:
    with spooled(io.BytesIO(pack(content))) as path:
        assert (path.name, path.read_bytes()) == (name, content)
    assert not path.exists()


def test_what_cannot_be_read_from_a_pipe_is_said() -> None:
    with pytest.raises(EmptyData, match="standard input is empty"), spooled(io.BytesIO(b" \n")):
        pass
    with (
        pytest.raises(InputError, match="gzip that is damaged or cut short"),
        spooled(io.BytesIO(gzip.compress(CSV)[:-9])),
    ):
        pass
    wanted = "unknown format; got xml; allowed: csv, jsonl, parquet"
    with pytest.raises(UnknownName, match=wanted), spooled(io.BytesIO(CSV), "xml"):
        pass
