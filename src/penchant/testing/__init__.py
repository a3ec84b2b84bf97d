"""Contract suites and data with known answers, for our pieces and for yours."""

from penchant.testing.learner import LEARNER_CHECKS, check_learner
from penchant.testing.stage import check_stage
from penchant.testing.worlds import bazaar, checkerboard

__all__ = ["LEARNER_CHECKS", "bazaar", "check_learner", "check_stage", "checkerboard"]
