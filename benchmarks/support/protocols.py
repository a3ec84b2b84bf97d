"""How each public set is measured: the protocol of the paper its published values come from."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import polars as pl
import scipy.sparse as sp

import penchant as pt
from penchant.core.nouns import History
from support.data import movielens, needed, sequences
from support.lists import quality
from support.measuring import spending

SECOND = 1_000_000
FOLDS = 5


def measured(name: str, learner: Any) -> dict[str, float]:
    """Return the metrics of a learner on a set, the seconds of fitting and the megabytes it took at its peak."""
    return {
        "gowalla": gowalla,
        "beauty": beauty,
        "beauty, all learnt": partial(beauty, validation=True),
        "serenade": serenade,
        "ratings": ratings,
    }[name](learner)


def fitted(learner: Any, data: pt.Dataset) -> tuple[Any, dict[str, float]]:
    """Return the scorer, and what fitting it took beyond the data."""
    _ = data.matrix
    with spending() as spent:
        scorer = learner.fit(data)
    return scorer, {"seconds": spent.seconds, "megabytes": spent.megabytes}


def gowalla(learner: Any) -> dict[str, float]:
    """Measure on the split of LightGCN; full ranking, seen items left out; recall divides by test items."""
    train, test = (sp.csr_array(sp.load_npz(needed(f"gowalla_{part}.npz"))) for part in ("train", "test"))
    data = pt.Dataset.from_matrix(train)
    scorer, cost = fitted(learner, data)
    return cost | quality(scorer.score_batch(scorer.rows(data), 20).items, test)


def beauty(learner: Any, *, validation: bool = False) -> dict[str, float]:
    """Predict each person's last item from all before it, learning from all but the last two; full ranking.

    That is how the published values came about: the last item but one is for validation, and in the history of the
    test, though not in what is learnt from. With ``validation`` it is learnt from as well, as a shop would do.
    """
    split = pt.split.leave_last_out(sequences(needed("Beauty.txt").read_text(encoding="ascii")))
    train = split.train
    if not validation:
        kept = np.ones(train.n_events, np.bool_)
        kept[train.indptr[1:][np.diff(train.indptr) > 0] - 1] = False
        train = train.select(kept)
    scorer, cost = fitted(learner, train)
    return cost | quality(scorer.score_batch(scorer.rows(split.history), 10).items, split.test.matrix)


def serenade(learner: Any) -> dict[str, float]:
    """Predict every click of a test session but its first from those before it; repeats are legal."""
    frames = {}
    for part in ("train", "test"):
        frame = pl.read_csv(needed(f"serenade/{part}.txt"), separator="\t")
        names = {"SessionId": "user", "ItemId": "item", "Time": "at"}
        frames[part] = frame.rename(names).with_columns(pl.col("at") * SECOND, pl.col("user", "item").cast(pl.String))
    data = pt.Dataset.from_events(frames["train"].with_columns(pl.col("at").cast(pl.Int64)))
    scorer, cost = fitted(learner, data)
    ranks: list[float] = []
    for _, session in frames["test"].sort("at", maintain_order=True).group_by("user", maintain_order=True):
        codes, at = data.items.codes(session["item"]), session["at"].cast(pl.Int64).to_numpy()
        ranks += [_reciprocal(scorer, codes, at, place) for place in range(1, len(codes))]
    return cost | {"mrr@20": float(np.mean(ranks))}


def _reciprocal(scorer: Any, codes: Any, at: Any, place: int) -> float:
    """Return 1 / rank of the click at a place among the best 20 for those before it; 0 when it is not there."""
    known = codes[:place] >= 0
    if codes[place] < 0 or not known.any():
        return 0.0
    scores = np.nan_to_num(scorer.score(History.of(codes[:place][known], at=at[:place][known])), nan=-np.inf)
    rank = 1 + int((scores > scores[codes[place]]).sum())
    return 1.0 / rank if rank <= 20 and scores[codes[place]] > -np.inf else 0.0


def ratings(learner: Any) -> dict[str, float]:
    """Measure on five folds at random: the root of the mean squared error of the ratings held out."""
    table = movielens().with_columns(pl.col("user", "item").cast(pl.String), kind=pl.lit("rating"))
    fold = np.random.default_rng(0).permutation(table.height) % FOLDS
    errors, cost = [], {"seconds": 0.0, "megabytes": 0.0}
    for held in range(FOLDS):
        data = pt.Dataset.from_events(table.filter(pl.Series(fold != held)))
        scorer, spent = fitted(learner, data)
        cost = {"seconds": cost["seconds"] + spent["seconds"], "megabytes": max(cost["megabytes"], spent["megabytes"])}
        usual = float(data.column("value").mean())
        for (user,), asked in table.filter(pl.Series(fold == held)).group_by("user"):
            errors.append(_errors(scorer, data, str(user), asked, usual))
    return cost | {"rmse": float(np.sqrt(np.concatenate(errors).mean()))}


def _errors(scorer: Any, data: pt.Dataset, user: str, asked: pl.DataFrame, usual: float) -> Any:
    """Return the squared errors of one person's ratings; the mean rating stands where the model cannot say."""
    scores, codes = scorer.score(data.history(user)), data.items.codes(asked["item"])
    said = np.where(codes >= 0, scores[codes], np.nan)
    return (np.where(np.isnan(said), usual, said) - asked["value"].to_numpy()) ** 2
