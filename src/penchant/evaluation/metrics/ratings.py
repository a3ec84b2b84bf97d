"""How far predictions are from what people said: ratings, and likes.

Each metric takes two arrays of pairs and returns one number over the pairs that have both: a NaN on either side means
that there is nothing to compare, and leaves the pair out. :func:`answered` tells how many were left; a figure without
it can be had by answering the easy pairs alone. NaN when no pair is left.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from penchant.core.arrays import Float64
from penchant.core.errors import InputError

__all__ = ["accuracy", "answered", "f1", "mae", "rmse"]


def rmse(predicted: Any, actual: Any) -> float:
    """Return the root of the mean squared error: in units of the rating, and large errors weigh most.

    >>> rmse([3.0, 5.0, np.nan], [4.0, 5.0, 1.0])
    0.7071067811865476

    Args:
        predicted: float[n], NaN where the model cannot say.
        actual: float[n].

    Raises:
        InputError: the arrays have different lengths.

    Source: Herlocker et al., "Evaluating Collaborative Filtering Recommender Systems", TOIS 2004, section 4.1.
    """
    error = _errors(predicted, actual)
    return float(np.sqrt(np.mean(error * error))) if error.size else float("nan")


def mae(predicted: Any, actual: Any) -> float:
    """Return the mean absolute error: by how much a rating is missed, in units of the rating.

    >>> mae([3.0, 5.0, np.nan], [4.0, 5.0, 1.0])
    0.5

    Args:
        predicted: float[n], NaN where the model cannot say.
        actual: float[n].

    Raises:
        InputError: the arrays have different lengths.

    Source: Herlocker et al., "Evaluating Collaborative Filtering Recommender Systems", TOIS 2004, section 4.1.
    """
    error = _errors(predicted, actual)
    return float(np.mean(np.abs(error))) if error.size else float("nan")


def accuracy(scores: Any, liked: Any, *, threshold: float = 0.0) -> float:
    """Return the share of likes and dislikes that are told right: a score above ``threshold`` says "likes".

    >>> accuracy([0.8, -0.1, 0.3, np.nan], [True, False, False, True]).__round__(4)
    0.6667

    Args:
        scores: float[n], NaN where the model cannot say.
        liked: bool[n]; or float[n] with NaN where nobody knows.
        threshold: a score as high as this is a "dislikes".

    Raises:
        InputError: the arrays have different lengths.

    Source: Manning, Raghavan and Schütze, "Introduction to Information Retrieval", 2008, section 8.3.
    """
    said, true = _sides(scores, liked)
    return float(((said > threshold) == (true > 0)).mean()) if said.size else float("nan")


def f1(scores: Any, liked: Any, *, threshold: float = 0.0) -> float:
    """Return 2 right "likes" / (said "likes" + real likes), the harmonic mean of their precision and recall.

    NaN when nobody likes anything and the model says so, for then there is nothing to find.

    >>> f1([0.8, -0.1, 0.3, np.nan], [True, False, False, True]).__round__(4)
    0.6667

    Args:
        scores: float[n], NaN where the model cannot say.
        liked: bool[n]; or float[n] with NaN where nobody knows.
        threshold: a score as high as this is a "dislikes".

    Raises:
        InputError: the arrays have different lengths.

    Source: van Rijsbergen, "Information Retrieval", 1979, chapter 7; Manning, Raghavan and Schütze, "Introduction to
    Information Retrieval", 2008, equation 8.6.
    """
    said, true = _sides(scores, liked)
    positive, real = said > threshold, true > 0
    total = int(positive.sum() + real.sum())
    return float(2 * (positive & real).sum() / total) if total else float("nan")


def answered(predicted: Any, actual: Any) -> float:
    """Return the share of pairs with a known answer for which the model has one too. NaN when none is known.

    >>> answered([3.0, np.nan, 2.0, 1.0], [4.0, 1.0, 2.0, np.nan]).__round__(4)
    0.6667

    Raises:
        InputError: the arrays have different lengths.

    Source: Herlocker et al., "Evaluating Collaborative Filtering Recommender Systems", TOIS 2004 (coverage).
    """
    said, true = _pair(predicted, actual)
    known = ~np.isnan(true)
    return float((~np.isnan(said[known])).mean()) if known.any() else float("nan")


def _errors(predicted: Any, actual: Any) -> Float64:
    said, true = _sides(predicted, actual)
    return said - true


def _sides(predicted: Any, actual: Any) -> tuple[Float64, Float64]:
    """Return both sides of the pairs that have both."""
    said, true = _pair(predicted, actual)
    both = ~(np.isnan(said) | np.isnan(true))
    return said[both], true[both]


def _pair(predicted: Any, actual: Any) -> tuple[Float64, Float64]:
    said, true = np.asarray(predicted, np.float64), np.asarray(actual, np.float64)
    if said.shape != true.shape or said.ndim != 1:
        raise InputError(
            "predictions and answers do not pair up",
            got=f"shapes {said.shape} and {true.shape}",
            allowed="two arrays of one length",
            field="predicted",
        )
    return said, true
