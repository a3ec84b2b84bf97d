"""The objective of Hu, Koren and Volinsky, computed by one code for everybody's item vectors."""

from __future__ import annotations

from typing import Any

import numpy as np


def implicit_loss(matrix: Any, items: Any, confidence: float, l2: float, sample: int = 2_000) -> float:
    """Return the mean loss a person for these item vectors, each person's vector being the best there is for them.

    The loss is the sum over observed pairs of c (1 - w.h)^2, over all others of (w.h)^2, and l2 times the squares of
    all vectors; c is ``confidence``. Solved in float64 for the first ``sample`` people; the items' squares count in
    proportion.
    """
    wide = np.asarray(items, np.float64)
    gram = wide.T @ wide
    ridge = l2 * np.eye(gram.shape[0])
    n = min(matrix.shape[0], sample)
    total = n / matrix.shape[0] * l2 * float((wide**2).sum())
    for user in range(n):
        held = wide[matrix.indices[matrix.indptr[user] : matrix.indptr[user + 1]]]
        system = gram + (confidence - 1) * (held.T @ held)
        vector = np.linalg.solve(system + ridge, confidence * held.sum(axis=0))
        # With the best vector the quadratic form is c n - b.w: what is observed, less what is explained.
        total += confidence * len(held) - confidence * float(held.sum(axis=0) @ vector)
    return total / n
