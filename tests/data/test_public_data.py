"""Public datasets, where they lie beside the repository; set PENCHANT_DATA to say where."""

import os
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from penchant.data import split
from penchant.data.dataset import Dataset
from penchant.data.readers import read_events, read_items

FOLDER = Path(os.environ.get("PENCHANT_DATA") or Path(__file__).parents[3] / "shared" / "data")


def public(name: str) -> Path:
    if not (FOLDER / name).exists():
        pytest.skip(f"{name} is not in PENCHANT_DATA")
    return FOLDER / name


def test_online_retail_and_its_lines_without_a_customer(tmp_path):
    events = read_events(
        public("online_retail.parquet"),
        user="CustomerID",
        item="StockCode",
        at="InvoiceDate",
        value="Quantity",
        session="InvoiceNo",
        rejects=tmp_path / "rejects.csv",
    )
    quality = events.quality
    assert (quality.read, quality.accepted, quality.rejected) == (541_909, 406_829, 135_080)
    assert quality.by_reason == {"missing_user": 135_080}
    assert quality.rejects["line"][0] == 623
    assert pl.scan_csv(tmp_path / "rejects.csv").select(pl.len()).collect().item() == 135_080
    assert events.table["user"].n_unique() == 4_372
    assert events.table.row(0)[:2] == ("17850", "85123A")
    assert events.table["at"][0] == datetime(2010, 12, 1, 8, 26, tzinfo=UTC)
    assert (events.table["value"] < 0).any()


def test_movielens_ratings_and_titles():
    path = public("ml-100k/u.data")
    events = read_events(path, separator="\t", columns=["user", "item", "value", "at"], constants={"kind": "rating"})
    assert (events.quality.read, events.quality.rejected) == (100_000, 0)
    data = Dataset.from_events(events)
    assert (data.n_users, data.n_items) == (943, 1_682)
    assert data.matrix.data.min() == 1.0
    assert data.matrix.data.max() == 5.0
    assert split.leave_last_out(data).test.n_events == 943
    columns = ["id", "title", "published", *(f"c{i}" for i in range(21))]
    items = read_items(public("ml-100k/u.item"), separator="|", columns=columns)
    assert items.quality.read == 1_682
    assert items.table.row(0, named=True)["title"] == "Toy Story (1995)"
    assert items.table["published"][0] == datetime(1995, 1, 1, tzinfo=UTC)
    assert set(items.quality.by_reason) == {"bad_encoding"}


def test_serenade_sessions():
    events = read_events(public("serenade/train.txt"), user="SessionId", item="ItemId", at="Time")
    assert (events.quality.read, events.quality.rejected) == (113_601, 0)
    assert events.table["at"][0] == datetime(2020, 6, 16, 20, 1, 58, tzinfo=UTC)
