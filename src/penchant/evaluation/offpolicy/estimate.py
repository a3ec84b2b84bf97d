"""What another policy would have earned in the rounds of a log."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from msgspec import Struct

from penchant.core.arrays import Float64, Int32
from penchant.core.chance import generator
from penchant.core.errors import EmptyData, InputError, UnknownName
from penchant.evaluation.interval import Effect, Inconclusive
from penchant.evaluation.offpolicy import estimators as by
from penchant.evaluation.offpolicy.average import average, by_unit
from penchant.evaluation.offpolicy.diagnostics import Overlap, unsupported
from penchant.evaluation.offpolicy.logged import Logged, checked
from penchant.evaluation.offpolicy.regression import Answers, RewardModel, given
from penchant.evaluation.offpolicy.report import OffPolicyLine, OffPolicyReport
from penchant.evaluation.offpolicy.target import Target
from penchant.evaluation.offpolicy.tuning import TUNINGS, Candidate, cuts, settle, shrinkages

__all__ = ["ESTIMATORS", "Said", "off_policy", "summed_up"]

ESTIMATORS = ("ips", "clipped-ips", "snips", "dm", "dr", "sndr", "switch-dr", "dros")
"The estimators there are, in the order they are reported."

_MODELLED = ("dm", "dr", "sndr", "switch-dr", "dros")
_MODEL_ALONE = "a model's error is not chance, so that no interval covers it"
_NEEDS_ALL = "it needs the policy's probability of every action, and only that of the actions taken is known"


class Said(Struct, frozen=True, eq=False):
    """What an estimator makes of the rounds, before anything is said about it.

    >>> Said(np.array([0.0, 0.5]), np.array([1.0, 0.5])).setting is None
    True
    """

    contributions: Float64
    "float64[n], whose mean is the estimate."
    weight: Float64 | None
    "float64[n], the weights it uses; None for a model alone."
    setting: float | None = None
    "Its tau or lambda."
    low: float = 0.0
    "How far the truth may lie below for clipping's sake."
    high: float = 0.0
    "How far above."
    whole: Float64 | None = None
    "float64[n], the weights before clipping, where they were clipped."
    among: int = 1
    "How many columns of weights, one a slot, the weights are the worst of."


class Evidence(Struct, frozen=True, eq=False):
    """The rounds as the estimators see them.

    >>> Evidence(np.array([1.0]), np.array([0.5]), (0.0, 1.0), "bound").answers is None
    True
    """

    reward: Float64
    weight: Float64
    span: tuple[float, float]
    tuning: str
    answers: Answers | None = None


def off_policy(
    logged: Logged,
    target: Any,
    estimators: Sequence[str] | None = None,
    *,
    model: RewardModel | Any = RewardModel(),  # noqa: B008  a frozen recipe
    tuning: str = "bound",
    span: tuple[float, float] | None = None,
    level: float = 0.95,
    rng: int | np.random.Generator = 0,
) -> OffPolicyReport:
    """Return what another policy would have earned, told from the log, with intervals; or why that cannot be told.

    >>> rng = np.random.default_rng(0)
    >>> action = rng.integers(0, 2, 5000)  # drawn evenly; the second action earns 0.6, the first 0.2
    >>> logged = Logged(action, reward=rng.random(5000) < 0.2 + 0.4 * action, propensity=np.full(5000, 0.5))
    >>> report = off_policy(logged, [[0.1, 0.9]])  # the truth is 0.56
    >>> report.table.filter(estimator="dr").select("value", "low", "high").row(0)
    (0.55..., 0.54..., 0.57...)
    >>> report.verdict
    'By dr the policy earns 0.55... a round, 0.1... more than the logging policy: it is better.'

    Args:
        logged: the rounds, with the probability of what was done.
        target: probabilities of the policy asked about: float[n, m], a row a round; [1, m] for one that looks at
            nothing; or [n], of the actions that were taken, with which no reward model can be asked.
        estimators: of ``ESTIMATORS``; all that can be had when None.
        model: how to foresee rewards (:class:`RewardModel`), or float[n, m] (or [1, m]) of a model of one's own, which
            must not have learnt from these rounds.
        tuning: ``bound`` clips as much as makes the most that clipping may hide, squared, and the variance together
            least; ``slope`` clips until the estimate moves by more than its noise (:func:`tuning.slope`).
        span: the least and the greatest reward there can be; those in the log when None.
        level: the share of intervals that hold the truth.
        rng: seed or generator, of the folds of the reward model.

    Returns:
        A report with a line an estimator. A line is refused, with its reason, when the log cannot speak for the policy:
        see :mod:`penchant.evaluation.offpolicy.diagnostics` for the limits.

    Raises:
        InputError: the target does not fit the log or is no policy, or a parameter is out of range.
        UnknownName: there is no such estimator or tuning.

    Memory is 8 n (d + 15) bytes beside the target, time O(n d^2 + n m d); without a model O(n log n).
    """
    chosen = _chosen(estimators, tuning, level)
    policy = Target.of(target, logged)
    weight = policy.chosen / logged.propensity
    nothing = None
    if policy.whole:
        nothing = unsupported(logged.action, logged.propensity, policy.chosen, policy.share)
    answers = None
    if policy.whole and set(chosen) & set(_MODELLED):
        answers = _answers(model, logged, policy, rng)
    evidence = Evidence(logged.reward, weight, _span(span, logged.reward), tuning, answers)
    lines = []
    for name in chosen:
        if name in _MODELLED and answers is None:
            lines.append(OffPolicyLine(name, None, why=_NEEDS_ALL))
        else:
            lines.append(summed_up(name, _HOW[name](evidence), logged.reward, nothing, level=level, unit=logged.unit))
    overlap = Overlap.of(by_unit(weight, logged.unit), nothing)
    return OffPolicyReport(tuple(lines), float(logged.reward.mean()), logged.rounds, level, overlap)


def summed_up(
    name: str,
    said: Said,
    reward: Float64,
    nothing: float | None,
    *,
    level: float = 0.95,
    unit: Int32 | None = None,
) -> OffPolicyLine:
    """Return the line of an estimator: its mean and the difference from the log's, or why there is none.

    >>> said = Said(np.tile([0.0, 1.0], 200), np.ones(400))
    >>> summed_up("ips", said, np.tile([0.0, 0.0, 1.0, 0.0], 100), None).verdict
    'better'

    Args:
        name: of the estimator.
        said: what it made of the rounds.
        reward: float64[n], what the logging policy earned.
        nothing: the share of the policy on actions the log says nothing of.
        level: of the intervals.
        unit: int32[n], what the unit of chance is; every round when None.
    """
    overlap = None
    if said.weight is not None:
        whole = None if said.whole is None else by_unit(said.whole, unit)
        overlap = Overlap.of(by_unit(said.weight, unit), nothing, whole=whole, among=said.among)
    own, change = by_unit(said.contributions, unit), by_unit(said.contributions - reward, unit)
    refusal = _refusal(said, own, overlap, nothing, unit)
    if refusal:
        none = Inconclusive(float("nan"), refusal)
        return OffPolicyLine.of(name, none, none, overlap, setting=said.setting)
    if overlap is None:
        value, diff = (Inconclusive(float(each.mean()), _MODEL_ALONE) for each in (own, change))
        return OffPolicyLine.of(name, value, diff, None)
    widened = [_widened(average(each, level=level), said.low, said.high) for each in (own, change)]
    if isinstance(widened[0], Inconclusive):  # the log's own rewards, many and alike, would hide how few decide
        widened[1] = Inconclusive(widened[1].value, widened[0].why)
    bias = max(said.low, said.high)
    return OffPolicyLine.of(name, widened[0], widened[1], overlap, setting=said.setting, bias=bias)


def _refusal(
    said: Said, own: Float64, overlap: Overlap | None, nothing: float | None, unit: Int32 | None
) -> str | None:
    """Return why nothing is said; clipping that leaves no interval does not save what is refused without it."""
    if overlap is None or overlap.refusal or said.whole is None or isinstance(average(own), Effect):
        return None if overlap is None else overlap.refusal
    return Overlap.of(by_unit(said.whole, unit), nothing, among=said.among).refusal


def _widened(effect: Effect | Inconclusive, low: float, high: float) -> Effect | Inconclusive:
    if isinstance(effect, Inconclusive):
        return effect
    return Effect(effect.value, effect.low - low, effect.high + high)


def _chosen(names: Sequence[str] | None, tuning: str, level: float) -> tuple[str, ...]:
    chosen = ESTIMATORS if names is None else (names,) if isinstance(names, str) else tuple(names)
    for name in chosen:
        if name not in ESTIMATORS:
            raise UnknownName.of("estimator", str(name), ESTIMATORS, field="estimators")
    if not chosen:
        raise EmptyData("there is no estimator", allowed=", ".join(ESTIMATORS), field="estimators")
    if tuning not in TUNINGS:
        raise UnknownName.of("tuning", tuning, TUNINGS, field="tuning")
    if not 0 < level < 1:
        raise InputError("level is out of range", got=level, allowed="between 0 and 1", field="level")
    return chosen


def _span(span: tuple[float, float] | None, reward: Float64) -> tuple[float, float]:
    low, high = float(reward.min()), float(reward.max())
    if span is None:
        return low, high
    if not span[0] <= low <= high <= span[1]:
        allowed = f"at most {low:g} and at least {high:g}, which the log holds"
        raise InputError("span does not hold every reward", got=span, allowed=allowed, field="span")
    return span


def _answers(model: RewardModel | Any, logged: Logged, policy: Target, rng: Any) -> Answers:
    if isinstance(model, RewardModel):
        return model.answers(logged, policy, generator(rng))
    said = checked(model, "model", np.float64)
    if said.shape not in {(logged.rounds, logged.n_actions), (1, logged.n_actions)}:
        raise InputError(
            "the rewards of the model have another shape than the log",
            got=said.shape,
            allowed=f"({logged.rounds}, {logged.n_actions}) or (1, {logged.n_actions})",
            field="model",
        )
    return given(said, logged, policy)


def _asked(seen: Evidence) -> Answers:
    assert seen.answers is not None  # noqa: S101  whoever needs a model was left out without one
    return seen.answers


def _doubly(how: Callable[..., Float64], seen: Evidence) -> Said:
    said = _asked(seen)
    return Said(how(seen.reward, seen.weight, said.predicted, said.expected), seen.weight)


def _clipped(seen: Evidence) -> Said:
    candidates = (
        Candidate(tau, np.minimum(seen.weight, tau), by.clipped_ips(seen.reward, seen.weight, tau))
        for tau in cuts(seen.weight).tolist()
    )
    low, high = seen.span
    return _settled(seen, candidates, -min(low, 0.0), max(high, 0.0))


def _switched(seen: Evidence) -> Said:
    said, weight = _asked(seen), seen.weight
    candidates = (
        Candidate(
            tau,
            np.where(weight <= tau, weight, 0.0),
            by.switch_dr(seen.reward, weight, said.predicted, said.expected, tau),
        )
        for tau in cuts(weight).tolist()
    )
    return _settled(seen, candidates, seen.span[1] - seen.span[0], seen.span[1] - seen.span[0])


def _shrunk(seen: Evidence) -> Said:
    said, weight = _asked(seen), seen.weight
    candidates = (
        Candidate(lam, by.shrunk(weight, lam), by.dros(seen.reward, weight, said.predicted, said.expected, lam))
        for lam in shrinkages(weight).tolist()
    )
    return _settled(seen, candidates, seen.span[1] - seen.span[0], seen.span[1] - seen.span[0])


def _settled(seen: Evidence, candidates: Iterable[Candidate], low: float, high: float) -> Said:
    """Return the candidate that may be relied on and settles best; without any such, what settles best of all."""
    tried = list(candidates)
    sound = [Overlap.of(each.weight, whole=seen.weight).refusal is None for each in tried]
    chosen, lost = settle(tried, max(low, high), seen.tuning, sound)
    setting = None if chosen is tried[0] else chosen.setting
    return Said(chosen.contributions, chosen.weight, setting, lost * low, lost * high, seen.weight)


_HOW: dict[str, Callable[[Evidence], Said]] = {
    "ips": lambda seen: Said(by.ips(seen.reward, seen.weight), seen.weight),
    "clipped-ips": _clipped,
    "snips": lambda seen: Said(by.snips(seen.reward, seen.weight), seen.weight),
    "dm": lambda seen: Said(by.dm(_asked(seen).expected), None),
    "dr": lambda seen: _doubly(by.dr, seen),
    "sndr": lambda seen: _doubly(by.sndr, seen),
    "switch-dr": _switched,
    "dros": _shrunk,
}
