"""A made-up world in which one policy writes a log, and another's value is known."""

from __future__ import annotations

import numpy as np
from msgspec import Struct

from penchant.core.arrays import Float64
from penchant.evaluation.offpolicy.logged import Logged

__all__ = ["BanditWorld", "Draw"]

_CONTEXTS = 200_000
"Contexts over which a policy's value is averaged; its error is then a few hundredths of a percent."


class Draw(Struct, frozen=True, eq=False):
    """A log, with what only the maker of the world knows.

    >>> draw = BanditWorld(actions=4).draw(10)
    >>> draw.target.sum(axis=1).round(6).tolist() == [1.0] * 10
    True
    """

    logged: Logged
    "The rounds."
    target: Float64
    "float64[n, actions], what the other policy would do."
    truth: Float64
    "float64[n, actions], the mean reward of every action."


class BanditWorld(Struct, frozen=True):
    """Contexts are normal, rewards are clicks whose log odds are linear in the context, both policies are softmaxes.

    >>> world = BanditWorld(actions=4)
    >>> draw = world.draw(1000, rng=0)
    >>> draw.logged.rounds, draw.target.shape
    (1000, (1000, 4))
    >>> round(world.value, 2), round(world.logged_value, 2)  # the target policy goes after clicks
    (0.29, 0.26)
    """

    actions: int = 10
    "How many actions there are."
    dims: int = 5
    "Width of the context."
    rate: float = 0.2
    "The click rate of an action in the middle."
    logging: float = 0.3
    "How sharply the logging policy prefers; 0 for even chances."
    sharp: float = 0.5
    "How sharply the target policy prefers what earns more."
    seed: int = 0
    "Of the world."

    def draw(self, n: int, rng: int | np.random.Generator = 0) -> Draw:
        """Return ``n`` rounds of the logging policy."""
        chance = np.random.default_rng(rng)
        context = chance.normal(size=(n, self.dims))
        propensity, target, truth = self._at(context)
        action = (propensity.cumsum(axis=1) < chance.random((n, 1))).sum(axis=1).clip(0, self.actions - 1)
        taken = np.arange(n), action
        reward = chance.random(n) < truth[taken]
        logged = Logged(
            action.astype(np.int32),
            reward=reward.astype(np.float64),
            propensity=propensity[taken],
            context=context.astype(np.float32),
            n_actions=self.actions,
        )
        return Draw(logged, target, truth)

    @property
    def value(self) -> float:
        """The target policy's mean reward, over contexts of their own."""
        _, target, truth = self._at(np.random.default_rng([self.seed, 1]).normal(size=(_CONTEXTS, self.dims)))
        return float(np.einsum("nm,nm->n", target, truth).mean())

    @property
    def logged_value(self) -> float:
        """The logging policy's mean reward."""
        propensity, _, truth = self._at(np.random.default_rng([self.seed, 1]).normal(size=(_CONTEXTS, self.dims)))
        return float(np.einsum("nm,nm->n", propensity, truth).mean())

    def _at(self, context: Float64) -> tuple[Float64, Float64, Float64]:
        """Return float64[n, actions] three times: propensities, the target's probabilities, mean rewards."""
        chance = np.random.default_rng(self.seed)
        pull = chance.normal(size=(self.dims, self.actions)) / np.sqrt(self.dims)
        liked, tried = chance.normal(size=self.actions), chance.normal(size=(self.dims, self.actions))
        odds = context @ pull + 0.5 * liked
        truth = 1 / (1 + (1 - self.rate) / self.rate * np.exp(-odds))
        return _softmax(self.logging * context @ tried / np.sqrt(self.dims)), _softmax(self.sharp * odds), truth


def _softmax(scores: Float64) -> Float64:
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares: Float64 = raised / raised.sum(axis=1, keepdims=True)
    return shares
