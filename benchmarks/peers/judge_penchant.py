"""Penchant: measure, without intervals and with them."""

from __future__ import annotations

from typing import Any

import scipy.sparse as sp

from penchant.evaluation.measure import measure

PACKAGE = "penchant"
NAMES = ("recall", "recall_capped", "precision", "hit", "ndcg", "map", "mrr")


def prepare(slates: Any, wanted: sp.csr_matrix, cuts: list[int]) -> tuple[Any, ...]:
    """Return the arrays as they are."""
    return slates, sp.csr_array(wanted), [f"{name}@{k}" for name in NAMES for k in cuts]


def judge(prepared: tuple[Any, ...]) -> dict[str, float]:
    """Return the means."""
    return {name: effect.value for name, effect in measure(*prepared, resamples=0).items()}


def sure(prepared: tuple[Any, ...]) -> Any:
    """Return the means with intervals of 1000 resamples."""
    return measure(*prepared, resamples=1000)
