"""Ways to cut a dataset: what a model may learn from, and what it has to foresee."""

from penchant.data.split.bychance import k_fold, random, strong
from penchant.data.split.bysession import sessions
from penchant.data.split.cut import Split
from penchant.data.split.given import given
from penchant.data.split.leaks import LEAKS
from penchant.data.split.overtime import leave_last_out, rolling, temporal

__all__ = ["LEAKS", "Split", "given", "k_fold", "leave_last_out", "random", "rolling", "sessions", "strong", "temporal"]
