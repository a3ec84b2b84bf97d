"""What may be said of figures that are ratios of sums over users: errors of ratings, shares of likes, parities.

Such a figure is no mean of a number a user. Users are drawn all the same, with all that they add above and below the
line, and the figure is worked out anew from what was drawn.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from penchant.core.arrays import Float64, Int64
from penchant.evaluation.effects import Chance
from penchant.evaluation.ends import skewed_ends, tails
from penchant.evaluation.extremes import parity_ends
from penchant.evaluation.interval import Effect, Inconclusive, Judged, holm, resample_means, too_few
from penchant.evaluation.power import users_needed
from penchant.evaluation.sample import Bundles, Sample, coins

__all__ = ["EXTREMES", "JOINS", "Part", "Tally", "compared", "swapped"]

_LEVEL = 0.95
_SAME = "all users have the same value"

EXTREMES = "no interval is known that holds a difference of two extremes as often as it says; p is exact"
"Why the difference of two parities has none."

Told = tuple[Effect | Inconclusive, Effect | Judged | Inconclusive | None]


class Tally(Struct, frozen=True, eq=False):
    """What every row of an evaluation adds to a figure, above the line and below, in each group.

    >>> errors = np.array([0.5, 1.0, 1.5])
    >>> Tally.of_rows(errors**2, np.ones(3)).figure("root").__round__(3)
    1.08
    """

    over: Float64
    "float64[n, g]."
    of: Float64
    "float64[n, g]."

    @classmethod
    def of_rows(cls, over: Any, of: Any) -> Tally:
        """Return the tally of one group, from two float64[n]."""
        return cls(np.asarray(over, np.float64)[:, None], np.asarray(of, np.float64)[:, None])

    def figure(self, join: str) -> float:
        """Return the figure of all rows together; NaN when there is nothing below the line."""
        return float(JOINS[join](_ratio(self.over.sum(axis=0), self.of.sum(axis=0))))

    def rows(self, which: Any) -> Tally:
        """Return the tally of some rows."""
        return Tally(self.over[which], self.of[which])


class Part(Struct, frozen=True, eq=False):
    """Some rows, as every model did on them.

    >>> mine, theirs = (Tally.of_rows(np.full(3, each), np.ones(3)) for each in (1.0, 2.0))
    >>> Part({"mine": mine, "theirs": theirs}, {"mine": (mine, theirs)}).people(mine)
    3
    """

    own: Mapping[str, Tally]
    "Model to its tally."
    pairs: Mapping[str, tuple[Tally, Tally]]
    "Model to its tally and the baseline's, of what both say something about; the baseline is not in it."
    units: Int64 | None = None
    "int64[n]: which person each row is about, when one has several; None when each is another."

    def people(self, tally: Tally, group: int | None = None) -> int:
        """Return how many people a tally holds something of, in one group or in any."""
        there = tally.of > 0 if group is None else tally.of[:, [group]] > 0
        rows = np.flatnonzero(there.any(axis=1))
        return len(rows) if self.units is None else len(np.unique(self.units[rows]))


def compared(parts: Sequence[Part], chance: Chance, join: str) -> list[dict[str, Told]]:
    """Return, a part, every model's figure and its difference from the baseline's (None for itself).

    Intervals are percentiles of the bootstrap over users, expanded for few (:func:`tails`). Two figures differ: of a
    root (RMSE), which a few users with large errors decide, the ends are the roots of those that :func:`skewed_ends`
    gives of the mean square; of a parity see :func:`parity_ends`, and the difference of two has a test and no interval.
    p values are those of :func:`swapped`, corrected for all models and parts.

    >>> rng = np.random.default_rng(0)
    >>> base, other = (Tally.of_rows(rng.normal(0, each, 300) ** 2, np.ones(300)) for each in (1.0, 0.8))
    >>> part = Part({"base": base, "other": other}, {"other": (other, base)})
    >>> figure, difference = compared([part], Chance("base", 1000, rng), "root")[0]["other"]
    >>> round(figure.value, 2), round(difference.value, 2), difference.verdict
    (0.78, -0.24, 'worse')

    Args:
        parts: of the evaluation, such as its slices; all of them with the same models.
        chance: how chance is asked.
        join: a key of JOINS, how the ratios of the groups make one figure.

    Memory is 8 bytes a user (or bundle), group, model and side, time O(resamples) times as much.
    """
    drawn = [_drawn(part, chance, join) for part in parts]
    raw = np.array([p for part in drawn for p in part.p.values()])
    corrected = iter(holm(raw) if len(raw) else raw)
    result = []
    for part in drawn:
        p = {name: float(next(corrected)) for name in part.p}
        result.append(
            {name: (part.figure(name), part.difference(name, p[name]) if name in p else None) for name in part.part.own}
        )
    return result


class _Drawn(Struct, frozen=True, eq=False):
    """A part with what the resamples make of every tally."""

    part: Part
    chance: Chance
    join: str
    ratios: dict[int, Float64]
    sums: dict[int, tuple[Float64, Float64]]
    p: dict[str, float]

    def figure(self, name: str) -> Effect | Inconclusive:
        tally = self.part.own[name]
        value = tally.figure(self.join)
        if why := self._refused([tally]):
            return Inconclusive(value, why)
        ratios = self.ratios[id(tally)]
        if self.join == "parity":
            return parity_ends(_ratio(tally.over.sum(axis=0), tally.of.sum(axis=0)), ratios)
        if self.join == "root":
            return _root(value, *self.sums[id(tally)])
        return _between(value, JOINS[self.join](ratios), _SAME, self.part.people(tally))

    def difference(self, name: str, p: float) -> Effect | Judged | Inconclusive:
        one, other = self.part.pairs[name]
        value = one.figure(self.join) - other.figure(self.join)
        if why := self._refused([one, other]):
            return Inconclusive(value, why)
        means = JOINS[self.join](self.ratios[id(one)]) - JOINS[self.join](self.ratios[id(other)])
        same = "all users differ by the same amount" if value else "no user has a different value"
        found: Effect | Judged | Inconclusive = _between(value, means, same, self.part.people(one))
        if isinstance(found, Inconclusive):
            return found
        found = Judged(value, p, EXTREMES) if self.join == "parity" else replace(found, p=p)
        if found.verdict != "cannot tell":
            return found
        return replace(found, needed=users_needed(value, means, self.part.people(one)))

    def _refused(self, tallies: Sequence[Tally]) -> str:
        """Return why nothing is said beyond the value; nothing when it may be."""
        for tally in tallies:
            if why := too_few(self.part.people(tally), self.chance.least):
                return why
            if self.join == "parity":
                there = np.flatnonzero((tally.of > 0).any(axis=0))
                if len(there) < 2:
                    return "there are not two groups to compare"
                least = min(self.part.people(tally, int(group)) for group in there)
                if least < self.chance.least:
                    return f"a group has {least} user{'s' * (least != 1)}, too few to tell"
        few = self.chance.resamples * (1 - _LEVEL) < 2 - 1e-9
        return f"{self.chance.resamples} resamples are too few for an interval" if few else ""


def _drawn(part: Part, chance: Chance, join: str) -> _Drawn:
    tallies = {
        id(tally): tally for tally in (*part.own.values(), *(each for pair in part.pairs.values() for each in pair))
    }
    n = len(next(iter(tallies.values())).over)
    bundles = Bundles.of(n, chance.rng, part.units)
    sums = {key: (bundles.sample(tally.over).sums, bundles.sample(tally.of).sums) for key, tally in tallies.items()}
    flat = np.concatenate([side for both in sums.values() for side in both], axis=1)
    means = resample_means(Sample(flat, np.ones((len(flat), 1))), resamples=chance.resamples, rng=chance.rng)
    groups = flat.shape[1] // (2 * len(sums))
    split = means.reshape(len(means), len(sums), 2, groups)
    ratios = {key: _ratio(split[:, i, 0], split[:, i, 1]) for i, key in enumerate(sums)}
    p = {
        name: swapped(np.hstack(sums[id(one)]), np.hstack(sums[id(other)]), chance, join)
        for name, (one, other) in part.pairs.items()
    }
    return _Drawn(part, chance, join, ratios, sums, p)


def swapped(one: Float64, other: Float64, chance: Chance, join: str) -> float:
    """Return how often two models of which nobody knows which is which differ as much as these (two-sided).

    When two models are equally good, what a user adds to the one might as well have been added to the other. So the
    two are exchanged for every user by the toss of a coin, and both figures are worked out anew.

    >>> errors = np.array([[0.1, 1], [0.2, 1], [0.1, 1], [0.3, 1], [0.2, 1], [0.1, 1], [0.2, 1]])
    >>> swapped(errors, errors * [3, 1], Chance("base", 999, np.random.default_rng(0)), "root").__round__(3)
    0.019

    Args:
        one: float64[users, 2 g], above the line in each group, then below.
        other: the same of the other model.
        chance: brings the number of tosses, and the generator.
        join: a key of JOINS.

    Source: Smucker, Allan and Carterette, "A Comparison of Statistical Significance Tests for Information Retrieval
    Evaluation", CIKM 2007, section 3.1, for a figure that is no mean; the tosses that came out are added to the random
    ones: Phipson and Smyth, "Permutation P-values Should Never Be Zero", 2010.
    """
    figure = JOINS[join]

    def gap(first: Float64, both: Float64) -> Float64:
        second = both - first
        half = first.shape[-1] // 2
        pair = [figure(_ratio(side[..., :half], side[..., half:])) for side in (first, second)]
        return np.abs(pair[0] - pair[1])

    change, base, both = one - other, other.sum(axis=0), (one + other).sum(axis=0)
    observed = float(gap(one.sum(axis=0), both)) * (1 - 1e-9)
    if np.isnan(observed):
        return 1.0
    extreme = 0
    for heads in coins(chance.resamples, len(one), chance.rng):
        extreme += int((~(gap(heads @ change + base, both) < observed)).sum())
    return (1 + extreme) / (1 + chance.resamples)


def _root(value: float, over: Float64, of: Float64) -> Effect | Inconclusive:
    """Return the root of a ratio of sums, from what each unit (float64[n, 1]) adds above the line and below."""
    squares = value * value
    parts = squares + (over - squares * of)[:, 0] / of.mean()
    if np.isnan(value) or np.ptp(parts) <= 1e-12 * max(1.0, float(np.abs(parts).max())):
        return Inconclusive(value, _SAME)
    low, high = skewed_ends(parts)
    return Effect(value, math.sqrt(max(low, 0.0)), math.sqrt(high))


def _between(value: float, means: Float64, same: str, people: int) -> Effect | Inconclusive:
    known = means[~np.isnan(means)]
    if not len(known) or np.isnan(value):
        return Inconclusive(value, "no user has a value")
    if np.ptp(known) <= 1e-12 * max(1.0, float(np.abs(known).max())):
        return Inconclusive(value, same)
    rest = tails(people, level=_LEVEL)
    low, high = np.quantile(known, [rest, 1 - rest])
    return Effect(value, float(low), float(high))


def _ratio(part: Float64, whole: Float64) -> Float64:
    out: Float64 = np.full(np.shape(part), np.nan)
    np.divide(part, whole, out=out, where=whole > 0)
    return out


def _parity(ratios: Float64) -> Float64:
    known = ~np.isnan(ratios)
    most = np.where(known, ratios, -np.inf).max(axis=-1)
    least = np.where(known, ratios, np.inf).min(axis=-1)
    return _ratio(np.where(known.sum(axis=-1) > 1, least, np.nan), np.where(most > 0, most, 0.0))


JOINS: dict[str, Callable[[Float64], Float64]] = {
    "mean": lambda ratios: ratios[..., 0],
    "root": lambda ratios: np.sqrt(ratios[..., 0]),
    "parity": _parity,
}
"How the ratios of the groups (float64[..., g]) make one figure."
