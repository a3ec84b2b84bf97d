"""Contract suites and data with known answers, for our pieces and for yours."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from penchant.testing.bandit import BanditWorld
from penchant.testing.generated import generated
from penchant.testing.learner import LEARNER_CHECKS, check_learner
from penchant.testing.stage import check_stage
from penchant.testing.worlds import bazaar, checkerboard

if TYPE_CHECKING:
    from penchant.testing.engine import shop
    from penchant.testing.store import check_store

__all__ = [
    "LEARNER_CHECKS",
    "BanditWorld",
    "bazaar",
    "check_learner",
    "check_stage",
    "check_store",
    "checkerboard",
    "generated",
    "shop",
]

_LATER = {"check_store": "penchant.testing.store", "shop": "penchant.testing.engine"}
"Names whose modules bring the database; who tests a model needs none."


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'penchant.testing' has no attribute {name!r}")
    return getattr(import_module(_LATER[name]), name)
