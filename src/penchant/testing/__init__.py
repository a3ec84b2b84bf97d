"""Contract suites and data with known answers, for our pieces and for yours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penchant.testing.learner import LEARNER_CHECKS, check_learner
from penchant.testing.stage import check_stage
from penchant.testing.worlds import bazaar, checkerboard

if TYPE_CHECKING:
    from penchant.testing.store import check_store

__all__ = ["LEARNER_CHECKS", "bazaar", "check_learner", "check_stage", "check_store", "checkerboard"]


def __getattr__(name: str) -> Any:
    if name != "check_store":
        raise AttributeError(f"module 'penchant.testing' has no attribute {name!r}")
    from penchant.testing.store import check_store  # brings the database; who tests a model needs none

    return check_store
