"""The contract of a learner and its scorer, as checks that anybody can run on a learner of their own."""

from __future__ import annotations

from penchant.models.learner import Learner
from penchant.testing.claim import Check
from penchant.testing.fitting import FITTING
from penchant.testing.forgetting import FORGETTING
from penchant.testing.saving import SAVING
from penchant.testing.scoring import ADDING, SCORING

__all__ = ["LEARNER_CHECKS", "check_learner"]

LEARNER_CHECKS: tuple[Check, ...] = (*FITTING, *SCORING, *ADDING, *SAVING, *FORGETTING)
"Every part of the contract, each a function of a learner."


def check_learner(learner: Learner, *, linear: bool = True) -> dict[str, str]:
    """Run the whole contract on one learner; it has to be registered under its name.

    >>> from penchant.models.popular import Popular
    >>> check_learner(Popular())["the_right_color"]
    'nothing in its scores depends on who asks'

    Args:
        learner: with hyper-parameters that suit a hundred people and fifty items.
        linear: whether scores are sums of contributions. Only a model that says it cannot explain itself may say no.

    Returns:
        The checks that do not apply, and why.

    Raises:
        AssertionError: the first promise that is broken.
    """
    checks = LEARNER_CHECKS if linear else tuple(check for check in LEARNER_CHECKS if check not in ADDING)
    reasons = {check.__name__.strip("_"): check(learner) for check in checks}
    return {name: why for name, why in reasons.items() if why is not None}
