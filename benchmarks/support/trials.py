"""Data cut in three, so that settings can be chosen without a look at the test: learnt from, chosen on, reported on."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import polars as pl
import scipy.sparse as sp

import penchant as pt
from penchant.testing import generated
from support.data import movielens_likes, needed, sequences

SHARE = 0.2
"Of the events, held out where a set is cut at random."
THIRD = 3
"Of the people of Gowalla one in so many is taken, so that a search takes minutes."
MADE = (3_000, 1_500, 90_000)
"Users, items and events of the made-up set."


class Trial(NamedTuple):
    """A dataset cut in three; all parts share their vocabularies."""

    learn: pt.Dataset
    "What is learnt from while settings are chosen: ``train`` without ``valid``."
    valid: sp.csr_array
    "What they are chosen on; users x items."
    train: pt.Dataset
    "What is learnt from for the report."
    test: sp.csr_array
    "What is reported on; nothing was chosen by it."


def trial(name: str, how: str, items: int | None = None) -> Trial:
    """Return a set cut in three, both times the same way.

    Args:
        name: ml-100k, gowalla, beauty, online-retail or generated.
        how: random holds out a fifth of the events, last each person's last; Gowalla has a published test part.
        items: only events of so many of the most frequent items are kept, in all three parts.
    """
    if name == "gowalla":
        parts = [sp.csr_array(sp.load_npz(needed(f"gowalla_{part}.npz")))[::THIRD] for part in ("train", "test")]
        train, test = pt.Dataset.from_matrix(parts[0]), parts[1]
    else:
        whole = {"ml-100k": movielens_likes, "beauty": beauty, "online-retail": retail, "generated": made}[name]()
        outer = halves(whole, how)
        train, test = outer.train, outer.test.matrix
    if items is not None:
        kept = np.zeros(train.n_items, np.bool_)
        kept[np.argsort(-train.support, kind="stable")[:items]] = True
        train = train.select(kept[train.column("item")])
        test = sp.csr_array(test @ sp.diags_array(kept.astype(np.float32)))
    inner = halves(train, how)
    return Trial(inner.train, wanted(inner.test.matrix), train, wanted(test))


def halves(data: pt.Dataset, how: str) -> Any:
    """Return a dataset cut in two, at random or before each person's last event."""
    return pt.split.leave_last_out(data) if how == "last" else pt.split.random(data, SHARE)


def wanted(matrix: Any) -> sp.csr_array:
    """Return a matrix of what is to be foreseen: its positive entries, in order."""
    out = sp.csr_array(matrix, dtype=np.float32, copy=True)
    out.data = (out.data > 0).astype(np.float32)
    out.eliminate_zeros()
    out.sort_indices()
    return out


def beauty() -> pt.Dataset:
    """Return the purchases of Amazon Beauty."""
    return sequences(needed("Beauty.txt").read_text(encoding="ascii"))


def retail() -> pt.Dataset:
    """Return who bought what in Online Retail, at the first time, without what nobody known bought."""
    names = {"CustomerID": "user", "StockCode": "item", "InvoiceDate": "at"}
    lines = pl.read_parquet(needed("online_retail.parquet")).rename(names)
    bought = lines.filter(pl.col("user").is_not_null() & (pl.col("Quantity") > 0)).select("user", "item", "at")
    first = bought.with_columns(pl.col("user", "item").cast(pl.String)).sort("at", maintain_order=True)
    return pt.Dataset.from_events(first.unique(["user", "item"], keep="first", maintain_order=True))


def made() -> pt.Dataset:
    """Return the made-up set."""
    return generated(*MADE)
