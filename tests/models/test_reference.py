"""Published values on public data, where the data is at hand."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import scipy.sparse as sp

import penchant as pt
from penchant.core.nouns import TopK

DATA = Path(os.environ.get("PENCHANT_DATA") or Path(__file__).parents[3] / "shared" / "data")


def needed(name: str) -> Path:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{name} is not here: set PENCHANT_DATA to a directory that has it")
    return path


def recall_and_ndcg(top: TopK, test: sp.csr_array, k: int) -> tuple[float, float]:
    """Return the means over users with a test item; recall divides by the number of test items."""
    discount = 1.0 / np.log2(np.arange(2, k + 2))
    recalls, gains = [], []
    for u in range(test.shape[0]):
        wanted = test.indices[test.indptr[u] : test.indptr[u + 1]]
        if len(wanted):
            hits = np.isin(top.items[u], wanted)
            recalls.append(hits.sum() / len(wanted))
            gains.append((hits * discount).sum() / discount[: min(k, len(wanted))].sum())
    return float(np.mean(recalls)), float(np.mean(gains))


def test_item_knn_reaches_the_published_values_on_gowalla() -> None:
    """Takes about 10 s. Published for ItemCF (cosine, k=100, mean-centred): recall@20 .1570, NDCG@20 .1214."""
    train, test = (sp.csr_array(sp.load_npz(needed(f"gowalla_{part}.npz"))) for part in ("train", "test"))
    assert (train.shape, train.nnz, test.nnz) == ((29_858, 40_981), 810_128, 217_242)
    data = pt.Dataset.from_matrix(train)
    top = pt.ItemKNN(k=100, mean=True).fit(data).score_batch(data.matrix, 20, exclude_seen=True)
    recall, ndcg = recall_and_ndcg(top, test, 20)
    assert recall == pytest.approx(0.1570, abs=0.003)
    assert ndcg == pytest.approx(0.1214, abs=0.003)


def test_ease_beats_popularity_on_movielens_and_sansa_comes_close_to_ease() -> None:
    """Leave-last-out, the 942 users with two ratings of 4 or 5, which are the likes; full ranking."""
    path = needed("ml-100k/u.data")
    names = ["user", "item", "value", "at"]
    frame = pl.read_csv(path, separator="\t", has_header=False, new_columns=names)
    liked = frame.filter(pl.col("value") >= 4).with_columns(pl.col("at") * 1_000_000, pl.lit(1.0).alias("value"))
    split = pt.split.leave_last_out(pt.Dataset.from_events(liked))
    assert datetime.fromtimestamp(split.train.column("at")[0] / 1e6, UTC).year in (1997, 1998)
    found = {}
    for name, learner in {"popular": pt.Popular(), "ease": pt.EASE(l2=300.0), "sansa": pt.SANSA(l2=300.0)}.items():
        scorer = learner.fit(split.train)
        top = scorer.score_batch(scorer.rows(split.history), 10, exclude_seen=True)
        found[name] = recall_and_ndcg(top, split.test.matrix, 10)[1]
    assert found["ease"] > 1.3 * found["popular"]
    assert found["sansa"] > 0.95 * found["ease"]
