"""From a number for each user to means, differences from the baseline, and what may be said of both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from msgspec import Struct

from penchant.core.arrays import Float64, Int64
from penchant.evaluation.interval import Effect, Inconclusive, comparisons, estimates, holm, resample_means, sign_flip
from penchant.evaluation.sample import Bundles, Sample

__all__ = ["Chance", "Effects", "effects"]

Effects = list[Effect | Inconclusive]


class Chance(Struct, frozen=True):
    """How chance is asked.

    >>> Chance("popular", 1000, np.random.default_rng(0)).least
    2
    """

    against: str
    "The baseline."
    resamples: int
    "Bootstrap resamples, and sign assignments."
    rng: np.random.Generator
    "Of both."
    least: int = 2
    "With fewer users it cannot tell."
    sampled: int | None = None
    "How many unwanted items the slates were ranked among; None for the whole catalogue."


class _Drawn(Struct, frozen=True, eq=False):
    """The samples of each model and of each difference, with what chance makes of them."""

    own: dict[str, tuple[Sample, Float64]]
    versus: dict[str, tuple[Sample, Float64]]
    p: Float64


def effects(
    parts: Sequence[Mapping[str, Float64]], chance: Chance, units: Sequence[Int64 | None] | None = None
) -> list[dict[str, tuple[Effects, Effects]]]:
    """Return, a part of the users, each model's means and its differences from the baseline (none for itself).

    A part maps model to float64[n_users, m]; a NaN is no value, and a difference needs a value of both models. p values
    are corrected for all models and parts that are compared on a metric. ``units`` says of each part which person its
    rows are about (int64[n_users]), where one has several; people are drawn whole.

    >>> one = np.array([[0.1], [0.2], [0.3]] * 3)
    >>> part = {"popular": one, "ease": one + [[0.2], [0.3], [0.2]] * 3}
    >>> means, differences = effects([part], Chance("popular", 1000, np.random.default_rng(0)))[0]["ease"]
    >>> round(means[0].value, 3), round(differences[0].value, 3), differences[0].verdict
    (0.433, 0.233, 'better')
    """
    people = [None] * len(parts) if units is None else units
    drawn = [_drawn(values, chance, whose) for values, whose in zip(parts, people, strict=True)]
    raw = np.concatenate([part.p for part in drawn]) if drawn else np.empty((0, 0))
    corrected = np.stack([holm(column) for column in raw.T], axis=1) if raw.size else raw
    result, row = [], 0
    for part in drawn:
        found: dict[str, tuple[Effects, Effects]] = {}
        for name, (sample, means) in part.own.items():
            versus: Effects = []
            if name in part.versus:
                difference, change = part.versus[name]
                versus = comparisons(difference, change, corrected[row], least=chance.least)
                row += 1
            found[name] = (estimates(sample, means, least=chance.least), versus)
        result.append(found)
    return result


def _drawn(values: Mapping[str, Float64], chance: Chance, units: Int64 | None) -> _Drawn:
    against = chance.against
    others = [name for name in values if name != against]
    bundles = Bundles.of(len(values[against]), chance.rng, units)
    own = {name: bundles.sample(column) for name, column in values.items()}
    versus = {name: bundles.sample(values[name] - values[against]) for name in others}
    samples = [*own.values(), *versus.values()]
    means = resample_means(Sample.beside(samples), resamples=chance.resamples, rng=chance.rng)
    split = np.split(means, len(samples), axis=1)
    p = np.empty((0, values[against].shape[1]))
    if others:
        flipped = sign_flip(Sample.beside(versus.values()), resamples=chance.resamples, rng=chance.rng)
        p = flipped.reshape(len(others), -1)
    return _Drawn(
        {name: (own[name], part) for name, part in zip(own, split[: len(own)], strict=True)},
        {name: (versus[name], part) for name, part in zip(versus, split[len(own) :], strict=True)},
        p,
    )
