"""Whom people prefer: the sign test, its interval, and what both come to in words."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import bdtr

from penchant.core.errors import InputError
from penchant.evaluation.interval import Effect, Inconclusive

__all__ = ["preference", "told"]


def preference(outcomes: Any, *, level: float = 0.95) -> Effect | Inconclusive:
    """Return by how much more people prefer ``a`` than ``b``, of those with a preference: the sign test, with interval.

    54% for ``a`` and 46% for ``b`` is a lead of 0.08. Who prefers neither is left out. An outcome a person, not a
    click: clicks of one person are not independent.

    >>> found = preference([1] * 60 + [-1] * 40 + [0] * 100)
    >>> round(found.value, 3), round(found.low, 3), round(found.high, 3), round(found.p, 4)
    (0.2, 0.004, 0.385, 0.046)
    >>> preference([0, 0]).why
    'nobody has a preference'

    Args:
        outcomes: one number a person: above 0 prefers ``a``, below 0 ``b``; what :meth:`Interleaved.credit` returns.
        level: the share of such intervals that hold the truth.

    Returns:
        The lead, (wins of a - wins of b) / (both), with p of the sign test. The interval holds the leads that the same
        test does not reject, so that the two never contradict each other.

    Raises:
        InputError: ``level`` is not between 0 and 1, or an outcome is not a finite number.

    Source: mid-p, which counts half of the probability of what was observed: Lancaster, "Significance Tests in Discrete
    Distributions", JASA 1961; Berry and Armitage, "Mid-P Confidence Intervals: A Brief Review", The Statistician 1995,
    whose coverage is near ``level`` where the exact interval of Clopper and Pearson covers more.
    """
    from scipy.optimize import brentq  # servers load this module and ask it nothing: it takes as long as they do

    if not 0 < level < 1:
        raise InputError("level is out of range", got=level, allowed="between 0 and 1", field="level")
    numbers = np.asarray(outcomes, np.float64).ravel()
    if not np.isfinite(numbers).all():
        raise InputError("an outcome is not a finite number", allowed="above 0, below 0, or 0", field="outcomes")
    wins, losses = int((numbers > 0).sum()), int((numbers < 0).sum())
    n = wins + losses
    if not n:
        return Inconclusive(0.0, "nobody has a preference")
    rest = (1 - level) / 2
    high = 1.0 if not losses else brentq(lambda p: _at_most(wins, n, p) - rest, 0.0, 1.0, xtol=1e-12)
    low = 0.0 if not wins else brentq(lambda p: _at_most(losses, n, 1 - p) - rest, 0.0, 1.0, xtol=1e-12)
    p = min(1.0, 2 * _at_most(min(wins, losses), n, 0.5))
    return Effect((wins - losses) / n, 2 * float(low) - 1, 2 * float(high) - 1, p)


def told(a: str, b: str, lead: Effect | Inconclusive, who: str, more: str = "") -> str:
    """Return in words which of two is preferred, the better one first.

    >>> told("popular", "ease", preference([-1] * 60 + [1] * 40), "100 of 200 users")
    'ease is preferred to popular by 60% [50, 69] of those with a preference (100 of 200 users; p 0.046)'
    >>> told("popular", "ease", preference([0]), "0 of 200 users")
    'cannot tell whether popular or ease is preferred: nobody has a preference (0 of 200 users)'

    Args:
        a: what the lead is of.
        b: what it is over.
        lead: what :func:`preference` says.
        who: how many have a preference, in words.
        more: what is added when nothing can be told.
    """
    if isinstance(lead, Inconclusive):
        return f"cannot tell whether {a} or {b} is preferred: {lead.why} ({who})"
    if lead.verdict == "cannot tell":
        prefer = f"{_shares(lead)} of those with a preference prefer {a}"
        return f"cannot tell whether {a} or {b} is preferred: {prefer} ({who}{more})"
    if lead.verdict == "worse":
        a, b, lead = b, a, Effect(-lead.value, -lead.high, -lead.low, lead.p)
    p = "" if lead.p is None else "; p < 0.001" if lead.p < 0.001 else f"; p {lead.p:.2g}"
    return f"{a} is preferred to {b} by {_shares(lead)} of those with a preference ({who}{p})"


def _shares(lead: Effect) -> str:
    value, low, high = (f"{50 * (1 + each):.0f}" for each in (lead.value, lead.low, lead.high))
    return f"{value}% [{low}, {high}]"


def _at_most(count: int, n: int, share: float) -> float:
    """Return the probability of fewer than ``count`` of ``n``, and half of that of ``count``."""
    below = bdtr(count - 1, n, share) if count else 0.0
    return float(below + bdtr(count, n, share)) / 2
