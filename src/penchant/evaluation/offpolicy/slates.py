"""What another policy's slates would have earned, told from logged slates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct

from penchant.core.arrays import Float64, Int32
from penchant.core.errors import EmptyData, InputError, UnknownName
from penchant.evaluation.offpolicy.average import by_unit
from penchant.evaluation.offpolicy.diagnostics import Overlap
from penchant.evaluation.offpolicy.estimate import Said, summed_up
from penchant.evaluation.offpolicy.estimators import ips, snips
from penchant.evaluation.offpolicy.logged import checked, column, probabilities
from penchant.evaluation.offpolicy.report import OffPolicyReport

__all__ = [
    "SLATE_ESTIMATORS",
    "LoggedSlates",
    "independent",
    "off_policy_slates",
    "pseudo_inverse",
    "reward_interaction",
    "slot_weights",
    "whole_slate",
]

SLATE_ESTIMATORS = ("independent", "reward-interaction", "pseudo-inverse", "whole-slate")
"From the strongest assumption about how slots bear on each other to none, but for the second and third, which differ."


class LoggedSlates(Struct, frozen=True, eq=False):
    """Slates that were drawn, with the probability of every item in its slot, and the reward of every slot.

    >>> slates = LoggedSlates(reward=[[1, 0], [0, 0]], propensity=[[0.5, 0.5], [0.25, 0.5]])
    >>> slates.reward.shape
    (2, 2)

    Raises:
        EmptyData: there is no slate.
        InputError: the arrays differ in shape, hold what is not finite, or a propensity is not in (0, 1].
    """

    reward: Float64
    "float64[n, k], what came of each slot. For a reward of the whole slate, put it in the last slot."
    propensity: Float64
    "float64[n, k], the probability of the item in its slot, whatever stands in the others, in (0, 1]."
    chained: Float64 | None = None
    "float64[n, k], its probability given the slots above; None when slots are drawn independently."
    unit: Int32 | None = None
    "int32[n], codes of the person or session a slate belongs to."

    def __post_init__(self) -> None:
        put = msgspec.structs.force_setattr
        reward = checked(self.reward, "reward", np.float64)
        if reward.ndim != 2 or not reward.size:
            raise EmptyData("the log has no slates", got=reward.shape, allowed="(n, k)", field="reward")
        put(self, "reward", reward)
        for name in ("propensity", "chained"):
            if getattr(self, name) is not None:
                put(self, name, probabilities(_same(getattr(self, name), name, reward), name))
        if self.unit is not None:
            put(self, "unit", column(self.unit, "unit", len(reward), np.int32))


def independent(reward: Float64, weight: Float64, *, normalized: bool = False) -> Float64:
    """Return float64[n]: sum over slots of w_k r_k, right when a slot's reward depends on its own item alone.

    >>> independent(np.array([[1.0, 1.0]]), np.array([[2.0, 0.5]])).tolist()
    [2.5]

    Args:
        reward: float64[n, k].
        weight: float64[n, k], the target's probability of the item in its slot over the logging policy's.
        normalized: make the weights of every slot average 1, as :func:`estimators.snips` does.

    Source: Li et al., "Offline Evaluation of Ranking Policies with Click Models", KDD 2018,
    section 4.2 (item-position).
    """
    return _added(reward, weight, normalized)


def reward_interaction(reward: Float64, chained: Float64, *, normalized: bool = False) -> Float64:
    """Return float64[n]: sum over slots of (c_1 ... c_k) r_k, right when people read from the top.

    A slot's reward may then depend on its item and those above, and on nothing below.

    >>> reward_interaction(np.array([[1.0, 1.0]]), np.array([[2.0, 0.5]])).tolist()
    [3.0]

    Args:
        reward: float64[n, k].
        chained: float64[n, k], the ratio of the probabilities of the item given those above it.
        normalized: make the weights of every slot average 1.

    Source: McInerney et al., "Counterfactual Evaluation of Slate Recommendations with Sequential Reward Interactions",
    KDD 2020, equations 10 and 11.
    """
    return _added(reward, np.cumprod(chained, axis=1, dtype=np.float64), normalized)


def whole_slate(reward: Float64, chained: Float64, *, normalized: bool = False) -> Float64:
    """Return float64[n]: the product of all ratios times the sum of all rewards; assumes nothing, and seldom says much.

    >>> whole_slate(np.array([[1.0, 1.0]]), np.array([[2.0, 0.5]])).tolist()
    [2.0]
    """
    return (snips if normalized else ips)(reward.sum(axis=1), np.prod(chained, axis=1))


def pseudo_inverse(reward: Float64, weight: Float64, *, normalized: bool = False) -> Float64:
    """Return float64[n]: slate weight times the sum of all rewards, right when the reward is a sum over slots.

    What each slot adds need not be seen. The slate's weight is 1 + sum over slots of (w_k - 1) when the logging policy
    draws slots independently; :func:`slot_weights` gives it for any other. It can be negative.

    >>> pseudo_inverse(np.array([[0.0, 1.0]]), np.array([[2.0, 0.5]])).tolist()
    [1.5]

    Args:
        reward: float64[n, k].
        weight: float64[n, k] of ratios, or float64[n] of slates.
        normalized: make the weights of the slates average 1.

    Source: Swaminathan et al., "Off-Policy Evaluation for Slate Recommendation", NeurIPS 2017, section 3; for slots
    drawn independently: Vlassis et al., "Control Variates for Slate Off-Policy Evaluation", NeurIPS 2021, section 2.
    """
    whole = weight if weight.ndim == 1 else 1 + (weight - 1).sum(axis=1)
    return (snips if normalized else ips)(reward.sum(axis=1), whole)


def slot_weights(action: Int32, target: Float64, slates: Int32, probability: Float64) -> Float64:
    """Return float64[n]: slate weights for :func:`pseudo_inverse` when slots are not drawn independently.

    With 1_s the vector that marks which item stands in which slot and G the mean of 1_s 1_s^T under the logging policy,
    the weight of a slate s is q^T G^+ 1_s, q being the target's mean of 1_s.

    >>> slates = np.int32([[0, 1], [1, 0]])  # the log shows both orders, and never an item twice
    >>> slot_weights(slates, np.array([[0.9, 0.1], [0.1, 0.9]]), slates, np.array([0.5, 0.5])).round(2).tolist()
    [1.8, 0.2]

    Args:
        action: int32[n, k], the items that were shown, codes below m.
        target: float64[k, m], or [n, k, m], the target's probability of every item in every slot.
        slates: int32[s, k], slates that the logging policy may show: all of them, or a large sample drawn from it.
        probability: float64[s], how often it does, adding up to 1.

    Source: Swaminathan et al., "Off-Policy Evaluation for Slate Recommendation", NeurIPS 2017, equation 5. The logging
    policy has to be the same in all rounds given; call it once a context. Memory is 24 (k m)^2 bytes, time O((k m)^3).
    """
    k, m = action.shape[1], target.shape[-1]
    marks = np.zeros((len(slates), k * m))
    marks[np.arange(len(slates))[:, None], np.arange(k) * m + slates] = 1
    inverse = np.linalg.pinv((marks * probability[:, None]).T @ marks, hermitian=True, rcond=1e-10)
    turned = target.reshape(-1, k * m) @ inverse
    rows = np.arange(len(action)) if len(turned) == len(action) else np.zeros(len(action), np.int64)
    weights: Float64 = turned[rows[:, None], np.arange(k) * m + action].sum(axis=1)
    return weights


def off_policy_slates(
    logged: LoggedSlates,
    target: Any,
    estimators: Sequence[str] | None = None,
    *,
    chained: Any = None,
    slate_weight: Any = None,
    normalized: bool = True,
    level: float = 0.95,
) -> OffPolicyReport:
    """Return what another policy's slates would have earned, told from logged slates; or why that cannot be told.

    >>> rng = np.random.default_rng(0)
    >>> items = rng.integers(0, 2, (4000, 3))  # each slot is drawn evenly from two items; the second earns more
    >>> logged = LoggedSlates(reward=rng.random((4000, 3)) < 0.1 + 0.2 * items, propensity=np.full((4000, 3), 0.5))
    >>> report = off_policy_slates(logged, np.where(items, 0.7, 0.3))  # the truth is 3 (0.1 + 0.2 x 0.7) = 0.72
    >>> report.table.select("estimator", "value", "verdict").rows()[0]
    ('independent', 0.7..., 'better')

    Args:
        logged: the slates.
        target: float64[n, k], the target policy's probability of each shown item in its slot.
        estimators: of ``SLATE_ESTIMATORS``; all when None.
        chained: float64[n, k], its probability given the slots above; ``target`` when None, for slots drawn
            independently.
        slate_weight: float64[n], what :func:`slot_weights` says, for pseudo-inverse; needed where the logging policy
            does not draw slots independently.
        normalized: make weights average 1. Less spread, and a bias that vanishes with the length of the log.
        level: the share of intervals that hold the truth.

    Returns:
        A report with a line an estimator. Each is judged by its own weights, in its worst slot.

    Raises:
        InputError: arrays do not fit each other, or hold what is no probability.
        UnknownName: there is no such estimator.
    """
    names = SLATE_ESTIMATORS if estimators is None else tuple(estimators)
    for name in names:
        if name not in SLATE_ESTIMATORS:
            raise UnknownName.of("estimator", str(name), SLATE_ESTIMATORS, field="estimators")
    if (chained is None) != (logged.chained is None):
        raise InputError(
            "one policy has probabilities given the slots above, and the other has not",
            then="give both, or neither when both draw slots independently",
            field="chained",
        )
    weight = _same(target, "target", logged.reward) / logged.propensity
    steps = weight
    if logged.chained is not None:
        steps = _same(chained, "chained", logged.reward) / logged.chained
    reward, total = logged.reward, logged.reward.sum(axis=1)
    lines = []
    for name in names:
        if name == "independent":
            made = independent(reward, weight, normalized=normalized)
            said = Said(made, _worst(weight, logged.unit), among=reward.shape[1])
        elif name == "reward-interaction":
            made = reward_interaction(reward, steps, normalized=normalized)
            upto = np.cumprod(steps, axis=1, dtype=np.float64)
            said = Said(made, _worst(upto, logged.unit), among=reward.shape[1])
        elif name == "whole-slate":
            said = Said(whole_slate(reward, steps, normalized=normalized), np.prod(steps, axis=1))
        else:
            whole = (
                1 + (weight - 1).sum(axis=1)
                if slate_weight is None
                else column(slate_weight, "slate_weight", len(total))
            )
            said = Said(pseudo_inverse(reward, whole, normalized=normalized), whole)
        lines.append(summed_up(name, said, total, None, level=level, unit=logged.unit))
    return OffPolicyReport(tuple(lines), float(total.mean()), len(total), level)


def _added(reward: Float64, weight: Float64, normalized: bool) -> Float64:
    """Return float64[n]: the sum over slots of their contributions."""
    one = snips if normalized else ips
    total = np.zeros(len(reward))
    for k in range(reward.shape[1]):
        total += one(reward[:, k], weight[:, k])
    return total


def _worst(weight: Float64, unit: Int32 | None) -> Float64:
    """Return the weights of the slot that the log says least about."""
    slots = weight.shape[1]
    overlaps = [Overlap.of(by_unit(weight[:, k], unit), among=slots) for k in range(slots)]
    refused = [k for k, each in enumerate(overlaps) if each.refusal]
    worst: Float64 = weight[:, refused[0] if refused else int(np.argmin([each.ess for each in overlaps]))]
    return worst


def _same(values: Any, name: str, reward: Float64) -> Float64:
    array: Float64 = checked(values, name, np.float64)
    if array.shape != reward.shape:
        raise InputError(
            f"{name} has another shape than reward", got=array.shape, allowed=str(reward.shape), field=name
        )
    if array.size and not (array.min() >= 0 and array.max() <= 1 + 1e-9):
        got = f"{array.min()} to {array.max()}"
        raise InputError(f"{name} holds what is no probability", got=got, allowed="0 to 1", field=name)
    return array
