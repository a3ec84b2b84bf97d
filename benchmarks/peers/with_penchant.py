"""Penchant, asked in the same way as the others."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import scipy.sparse as sp

import penchant as pt
from peers.loss import implicit_loss
from peers.worker import Steps
from penchant.core.nouns import History
from penchant.models.factors import Factors
from penchant.models.learner import learner_from
from penchant.testing import checkerboard
from support.measuring import spending

PACKAGE = "penchant"
EPOCHS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20)
"Rounds that are tried, fewest first in the order of a bisection, until the loss is reached."


def prepare(matrix: sp.csr_matrix, job: dict[str, Any]) -> pt.Dataset:
    """Return the dataset of the matrix."""
    return pt.Dataset.from_matrix(matrix)


def fit(data: pt.Dataset, job: dict[str, Any]) -> Any:
    """Fit the learner of a name with the settings given."""
    return learner_from(job["learner"], job["settings"]).fit(data)


def rank(scorer: Any, data: pt.Dataset, users: Any, k: int) -> Any:
    """Return the lists of many people, whose histories are folded in: nothing of them is stored."""
    return scorer.score_batch(scorer.rows(data)[users], k).items


def one(scorer: Any, data: pt.Dataset, user: int, k: int) -> Any:
    """Return one person's list from their history."""
    row = slice(int(data.matrix.indptr[user]), int(data.matrix.indptr[user + 1]))
    items = data.matrix.indices[row].astype(np.int32)
    scores = scorer.score(History.of(items))
    scores[items] = -np.inf
    best = np.argpartition(-scores, k)[:k]
    return best[np.argsort(-scores[best])]


def beside(scorer: Any, data: pt.Dataset, job: dict[str, Any]) -> dict[str, Any]:
    """Return what ranking costs when the people's vectors are there already, and what is known of the loss."""
    if not isinstance(scorer, Factors):
        return {}
    rows = scorer.rows(data)[np.load(job["users"])]
    vectors = scorer.fold_in(rows)
    with spending() as spent:
        scorer.rank_vectors(vectors, rows, job["k"])
    return {"given_per_second": len(vectors) / spent.seconds} | equal_loss(scorer, data, job)


def equal_loss(scorer: Any, data: pt.Dataset, job: dict[str, Any]) -> dict[str, Any]:
    """Return the loss, and the fewest rounds, with their seconds, whose loss is that of a peer."""
    if "factors" not in job["settings"] or "unobserved" not in job["settings"]:
        return {}
    found = {"loss": _loss(scorer, data, job)}
    target = job.get("loss")
    if target is None:
        return found
    low, high = 0, len(EPOCHS)
    best: dict[str, Any] = {}
    while low < high:
        middle = (low + high) // 2
        learner = msgspec.structs.replace(scorer.learner, epochs=EPOCHS[middle])
        with spending() as spent:
            fitted = learner.fit(data)
        if _loss(fitted, data, job) <= target:
            high, best = middle, {"equal_epochs": EPOCHS[middle]}
            best |= {"equal_seconds": spent.seconds, "equal_cpu": spent.cpu_seconds}
        else:
            low = middle + 1
    return found | best


def _loss(scorer: Any, data: pt.Dataset, job: dict[str, Any]) -> float:
    factors = np.zeros((data.n_items, scorer.factors.shape[0]), np.float32)
    factors[scorer.candidates] = scorer.factors.T
    given = job["settings"]
    return implicit_loss(data.matrix, factors, 1.0 + given["alpha"], given["l2"])


STEPS = Steps(prepare, fit, rank, one, extra=beside)
MODELS = dict.fromkeys(("ials", "item-knn", "bpr", "ease", "slim"), STEPS)
checkerboard(4)  # the package is loaded before anything is measured
