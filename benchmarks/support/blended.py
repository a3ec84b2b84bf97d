"""Several learners as one on Beauty: their lists, each scaled to 1 at its best item, weighted and added up."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp

import penchant as pt
from penchant.models.learner import learner_from
from support.data import needed, sequences

DEPTH = 100
"Items that each learner brings; one that it does not bring gets nothing from it."
K = 10
PARTS: dict[str, tuple[str, dict[str, Any]]] = {
    "SLIST": ("slist", {"l2": 10.0, "alpha": 0.2, "delta": 1.0, "delta_inf": 2.0}),
    "EASE": ("ease", {"l2": 10.0, "max_items": None, "delta_inf": 5.0}),
    "ItemKNN": ("item-knn", {"k": 12_101, "delta_inf": 2.0, "shrinkage": 2.0}),
    "RP3beta": ("rp3-beta", {}),
}


class Asked(NamedTuple):
    """Whose next item is asked for, from what, and which it was."""

    history: pt.Dataset
    wanted: sp.csr_array


def cut() -> tuple[pt.Dataset, Asked, Asked]:
    """Return what is learnt from, all but the last two items of everybody; the validation, and the test."""
    split = pt.split.leave_last_out(sequences(needed("Beauty.txt").read_text(encoding="ascii")))
    train = split.train
    last = np.zeros(train.n_events, np.bool_)
    last[train.indptr[1:][np.diff(train.indptr) > 0] - 1] = True
    learn = train.select(~last)
    return learn, Asked(learn, train.select(last).matrix), Asked(split.history, split.test.matrix)


def brought(scorer: Any, history: pt.Dataset) -> sp.csr_array:
    """Return CSR float32[users, items]: the best items of everybody, scaled to 1 at the best."""
    best = scorer.score_batch(scorer.rows(history), DEPTH)
    known = best.items >= 0
    scores = np.where(known, best.scores, 0) / np.maximum(np.abs(best.scores[:, :1]), 1e-12)
    rows = np.broadcast_to(np.arange(len(best.items))[:, None], known.shape)[known]
    shape = (len(best.items), history.matrix.shape[1])
    return sp.csr_array((scores[known].astype(np.float32), (rows, best.items[known])), shape=shape)


def quality(lists: dict[str, sp.csr_array], weights: dict[str, float], wanted: sp.csr_array) -> dict[str, float]:
    """Return recall@10 and NDCG@10 of the weighted sum, where everybody wanted one item; a tie counts as lost."""
    total = sp.csr_array(sum(weight * lists[name] for name, weight in weights.items() if weight))
    people = np.flatnonzero(np.diff(wanted.indptr) == 1)
    items = wanted.indices[wanted.indptr[people]]
    total = total[people]
    got = np.asarray(total[np.arange(len(people)), items]).ravel()
    row = np.repeat(np.arange(len(people)), np.diff(total.indptr))
    rank = np.bincount(row[total.data >= got[row]], minlength=len(people))
    gain = np.where((got > 0) & (rank <= K), 1 / np.log2(rank + 1.0).clip(1), 0)
    return {f"recall@{K}": float((gain > 0).mean()), f"ndcg@{K}": float(gain.mean())}


def fitted(learn: pt.Dataset, name: str) -> Any:
    """Return the scorer of one of the parts."""
    learner, settings = PARTS[name]
    return learner_from(name, {"learner": learner} | settings).fit(learn)
