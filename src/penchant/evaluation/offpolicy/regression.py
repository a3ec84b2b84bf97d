"""A model of the reward of every action, asked only of rounds it has not learnt from."""

from __future__ import annotations

import numpy as np
from msgspec import Struct

from penchant.core.arrays import Float64, Int64
from penchant.core.executor import blocks
from penchant.evaluation.offpolicy.logged import Logged
from penchant.evaluation.offpolicy.target import Target

__all__ = ["Answers", "RewardModel", "given"]

_CELLS = 4_000_000
"Rounds times actions held at once."


class Answers(Struct, frozen=True, eq=False):
    """What a model says of every round.

    >>> Answers(np.array([0.5]), np.array([0.4])).expected.tolist()
    [0.4]
    """

    predicted: Float64
    "float64[n], the reward of the action that was taken."
    expected: Float64
    "float64[n], the mean reward over the actions of the target policy."


class RewardModel(Struct, frozen=True):
    """Ridge regression of the reward on the context: one line for all actions, and what each action adds to it.

    Rounds are dealt into folds (whole units, where the log names them), and each fold is asked of the model that
    learnt from the others. How far an action's own line is drawn to the common one is chosen among ``l2`` by the
    squared error on rounds not learnt from. Without a context an action's line is its shrunken mean.

    >>> rng = np.random.default_rng(0)
    >>> action = rng.integers(0, 2, 4000).astype(np.int32)
    >>> logged = Logged(action, reward=(rng.random(4000) < 0.2 + 0.5 * action), propensity=np.full(4000, 0.5))
    >>> answers = RewardModel().answers(logged, Target.of([[0.0, 1.0]], logged), rng=0)
    >>> answers.expected.mean().round(2), answers.predicted[action == 0].mean().round(2)
    (np.float64(0.7), np.float64(0.2))

    Source: cross-fitting: Chernozhukov et al., "Double/Debiased Machine Learning", Econometrics Journal 2018,
    definition 3.1. Memory is 8 n (d + 8) bytes and blocks of 32 MB, time O(n d^2 + folds m d^3 + n m d), d the
    width of context and positions, m the actions.
    """

    folds: int = 3
    "Parts the rounds are dealt into."
    l2: tuple[float, ...] = (1.0, 10.0, 100.0, 1000.0)
    "Ridge strengths to choose from, in rounds: an action met so often is half its own, half the common line's."

    def answers(self, logged: Logged, target: Target, rng: int | np.random.Generator = 0) -> Answers:
        """Return what models say of the rounds they did not learn from, for the actions taken and for the target."""
        features = _features(logged)
        fold = _deal(logged, self.folds, np.random.default_rng(rng))
        common = np.stack([_ridge(features[fold != f], logged.reward[fold != f], 1.0) for f in range(self.folds)])
        rest = logged.reward - np.einsum("nd,nd->n", features, common[fold])
        lines = self._lines(features, logged, fold, common)
        own = np.stack([np.einsum("nd,nd->n", features, one[fold, logged.action]) for one in lines])
        best = int(((rest - own) ** 2).sum(axis=1).argmin())
        whole = common[:, None] + lines[best]
        low, high = float(logged.reward.min()), float(logged.reward.max())
        expected = np.empty(logged.rounds)
        for f in range(self.folds):
            members = np.flatnonzero(fold == f)
            for start, stop in blocks(len(members), max(1, _CELLS // logged.n_actions)):
                part = members[start:stop]
                said = np.clip(features[part] @ whole[f].T, low, high)
                expected[part] = np.einsum("nm,nm->n", target.rows(part), said)
        return Answers(np.clip(logged.reward - rest + own[best], low, high), expected)

    def _lines(self, features: Float64, logged: Logged, fold: Int64, common: Float64) -> Float64:
        """Return float64[len(l2), folds, m, d]: what each action adds to the common line, learnt without the fold."""
        width = features.shape[1]
        lines = np.zeros((len(self.l2), self.folds, logged.n_actions, width))
        order = np.argsort(logged.action, kind="stable")
        ends = np.cumsum(np.bincount(logged.action, minlength=logged.n_actions))
        for action, members in enumerate(np.split(order, ends[:-1])):
            for f in range(self.folds):
                part = members[fold[members] != f]
                if len(part):
                    own = features[part]
                    values, vectors = np.linalg.eigh(own.T @ own)
                    turned = vectors.T @ (own.T @ (logged.reward[part] - own @ common[f]))
                    for i, l2 in enumerate(self.l2):
                        lines[i, f, action] = vectors @ (turned / (np.maximum(values, 0) + l2))
        return lines


def given(said: Float64, logged: Logged, target: Target) -> Answers:
    """Return the answers of a model of one's own, which must not have learnt from these rounds.

    >>> logged = Logged([0, 1], reward=[1, 0], propensity=[0.5, 0.5])
    >>> given(np.array([[0.2, 0.6]]), logged, Target.of([[0.5, 0.5]], logged)).expected.tolist()
    [0.4, 0.4]

    Args:
        said: float64[n, m], or [1, m] when the context makes no difference.
        logged: the rounds.
        target: the policy.
    """
    rows = np.broadcast_to(said, (logged.rounds, logged.n_actions))
    expected = np.empty(logged.rounds)
    for start, stop in blocks(logged.rounds, max(1, _CELLS // logged.n_actions)):
        expected[start:stop] = np.einsum("nm,nm->n", target.rows(slice(start, stop)), rows[start:stop])
    return Answers(rows[np.arange(logged.rounds), logged.action], expected)


def _features(logged: Logged) -> Float64:
    """Return float64[n, d]: 1, the context with mean 0 and spread 1, and a column for every position but the first."""
    columns: list[Float64] = [np.ones((logged.rounds, 1))]
    if logged.context is not None:
        context = logged.context.astype(np.float64)
        spread = context.std(axis=0)
        columns.append((context - context.mean(axis=0)) / np.where(spread > 0, spread, 1.0))
    if logged.position is not None:
        columns.append(np.equal.outer(logged.position, np.unique(logged.position)[1:]).astype(np.float64))
    return np.concatenate(columns, axis=1)


def _deal(logged: Logged, folds: int, rng: np.random.Generator) -> Int64:
    """Return int64[n]: the fold of every round; rounds of one unit share theirs."""
    _, unit = np.unique(np.arange(logged.rounds) if logged.unit is None else logged.unit, return_inverse=True)
    n = int(unit.max()) + 1
    fold: Int64 = (rng.permutation(n) % folds)[unit]
    return fold


def _ridge(features: Float64, target: Float64, l2: float) -> Float64:
    """Return float64[d]; the first column, of ones, is not drawn to 0."""
    penalty = np.full(features.shape[1], l2)
    penalty[0] = 1e-9
    return np.asarray(np.linalg.solve(features.T @ features + np.diag(penalty), features.T @ target), np.float64)
