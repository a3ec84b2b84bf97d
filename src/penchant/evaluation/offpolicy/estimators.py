"""Estimators of what a policy is worth: arrays in, what each round contributes out.

Every estimator returns float64[n], and its estimate is their mean. Those that are ratios return their linearization:
its mean is the ratio exactly, and its spread is that of the delta method, so that one interval serves all of them.

``reward`` is float64[n]; ``weight`` is float64[n], the target policy's probability of the action that was taken over
the logging policy's; ``predicted`` is float64[n], a model's reward of the action that was taken; ``expected`` is
float64[n], the model's mean reward over the actions of the target policy. Time and memory are O(n).
"""

from __future__ import annotations

import numpy as np

from penchant.core.arrays import Float64

__all__ = ["clipped_ips", "dm", "dr", "dros", "ips", "shrunk", "sndr", "snips", "switch_dr"]


def ips(reward: Float64, weight: Float64) -> Float64:
    """Return w r: unbiased when the propensities are right and the log tries all that the target does.

    >>> ips(np.array([1.0, 0.0]), np.array([0.5, 2.0])).mean()
    np.float64(0.25)

    Source: Horvitz and Thompson, "A Generalization of Sampling Without Replacement from a Finite Universe", JASA 1952.
    """
    return weight * reward


def clipped_ips(reward: Float64, weight: Float64, tau: float) -> Float64:
    """Return min(w, tau) r: no round counts for more than ``tau``. Biased towards 0, by at most what is cut off.

    >>> clipped_ips(np.array([1.0, 1.0]), np.array([0.5, 9.0]), 2.0).tolist()
    [0.5, 2.0]

    Source: Ionides, "Truncated Importance Sampling", Journal of Computational and Graphical Statistics 2008.
    """
    return np.minimum(weight, tau) * reward


def snips(reward: Float64, weight: Float64) -> Float64:
    """Return v + w (r - v) / mean(w) with v = sum(w r) / sum(w): weights that do not average 1 are made to.

    A constant added to every reward is added to the estimate, and it never leaves the range of the rewards.

    >>> snips(np.array([1.0, 0.0]), np.array([0.5, 1.0])).mean().round(4)
    np.float64(0.3333)

    Source: Swaminathan and Joachims, "The Self-Normalized Estimator for Counterfactual Learning", NeurIPS 2015, eq. 9.
    """
    return _ratio(reward, weight)


def dm(expected: Float64) -> Float64:
    """Return the model's word: exact when the model is, and off by as much as the model is, however long the log.

    >>> dm(np.array([0.25, 0.75])).mean()
    np.float64(0.5)

    Source: Beygelzimer and Langford, "The Offset Tree for Learning with Partial Labels", KDD 2009, section 1.
    """
    return np.asarray(expected, np.float64)


def dr(reward: Float64, weight: Float64, predicted: Float64, expected: Float64) -> Float64:
    """Return expected + w (r - predicted): unbiased when either the propensities or the model are right.

    >>> dr(np.array([1.0, 0.0]), np.array([0.5, 2.0]), np.array([1.0, 0.0]), np.array([0.2, 0.4])).mean().round(4)
    np.float64(0.3)

    Source: Dudík, Langford and Li, "Doubly Robust Policy Evaluation and Learning", ICML 2011, eq. 2.
    """
    return expected + weight * (reward - predicted)


def sndr(reward: Float64, weight: Float64, predicted: Float64, expected: Float64) -> Float64:
    """Return :func:`dr` with the correction divided by the mean weight.

    >>> sndr(np.array([1.0, 0.0]), np.array([0.5, 1.0]), np.zeros(2), np.zeros(2)).mean().round(4)
    np.float64(0.3333)

    Source: Thomas and Brunskill, "Data-Efficient Off-Policy Policy Evaluation for Reinforcement Learning", ICML 2016,
    section 5 (the weighted doubly robust estimator), for one step.
    """
    return expected + _ratio(reward - predicted, weight)


def switch_dr(reward: Float64, weight: Float64, predicted: Float64, expected: Float64, tau: float) -> Float64:
    """Return :func:`dr` with the correction left out where w > tau, so that the model alone speaks there.

    >>> ones, zeros = np.ones(2), np.zeros(2)
    >>> switch_dr(ones, np.array([0.5, 9.0]), zeros, zeros, 2.0).tolist()
    [0.5, 0.0]

    Source: Wang, Agarwal and Dudík, "Optimal and Adaptive Off-policy Evaluation in Contextual Bandits", ICML 2017,
    section 4, in the doubly robust form.
    """
    return expected + np.where(weight <= tau, weight, 0.0) * (reward - predicted)


def dros(reward: Float64, weight: Float64, predicted: Float64, expected: Float64, lam: float) -> Float64:
    """Return :func:`dr` with weights shrunk by :func:`shrunk`: 0 gives the model alone, infinity the whole correction.

    >>> ones, zeros = np.ones(2), np.zeros(2)
    >>> dros(ones, np.array([1.0, 3.0]), zeros, zeros, 9.0).tolist()
    [0.9, 1.5]

    Source: Su et al., "Doubly Robust Off-policy Evaluation with Shrinkage", ICML 2020, section 3.1 (optimistic).
    """
    return expected + shrunk(weight, lam) * (reward - predicted)


def shrunk(weight: Float64, lam: float) -> Float64:
    """Return lam w / (w^2 + lam): small weights are kept, and none is above sqrt(lam) / 2.

    >>> shrunk(np.array([1.0, 3.0, 100.0]), 9.0).round(2).tolist()
    [0.9, 1.5, 0.09]
    """
    if np.isinf(lam):
        return weight
    if lam == 0:
        return np.zeros_like(weight)
    small: Float64 = lam * weight / (weight * weight + lam)
    return small


def _ratio(value: Float64, weight: Float64) -> Float64:
    """Return the linearization of sum(w v) / sum(w); NaN where nothing has weight."""
    mean = float(weight.mean())
    if mean == 0:
        return np.full(len(weight), np.nan)
    share: Float64 = weight / mean
    ratio = float((share * value).mean())
    return ratio + share * (value - ratio)
