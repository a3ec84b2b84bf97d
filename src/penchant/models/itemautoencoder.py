"""ItemAutoencoder: the linear autoencoder that this catalogue and this machine allow."""

from __future__ import annotations

import logging
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from msgspec import Meta
from msgspec.structs import replace

from penchant.core.executor import Executor
from penchant.core.memory import free_memory
from penchant.core.progress import Progress
from penchant.data.dataset import Dataset
from penchant.models.counting import CountsItems
from penchant.models.edlae import EDLAE
from penchant.models.learner import Learner
from penchant.models.linear import DenseLinear
from penchant.models.sansa import SANSA
from penchant.models.scorer import Scorer
from penchant.models.tunable import HALF_LIVES, Tunable

__all__ = ["ItemAutoencoder"]

log = logging.getLogger(__name__)

_LARGEST = 30_000
"Items beyond which the n^3 operations of an inverse take too long on a few processors."
_PER_CELL = 8
"Bytes a cell of the dense inverse takes with the counts beside it."


class ItemAutoencoder(Learner, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Predicts every history from itself: by a dense inverse where that fits, by a sparse one where it does not.

    Dense is :class:`penchant.models.edlae.EDLAE` (EASE without dropout), sparse is
    :class:`penchant.models.sansa.SANSA`. Dense is chosen for at most 30,000 liked items whose 8 n^2 bytes are at most
    half of the memory that is free. The log says why, the facts of the scorer keep the choice and the reason, and
    loading, forgetting and updating go by them. Set ``solver`` to have the same choice on every machine.

    >>> from penchant.testing import checkerboard
    >>> scorer = ItemAutoencoder(l2=1.0).fit(checkerboard(10))
    >>> scorer.facts["solver"], scorer.recommend_one(["0", "2", "4"], n=2).ids
    ('dense', ('6', '8'))

    Memory and time are those of the one that is chosen.
    """

    name: ClassVar[str] = "item-autoencoder"
    scorer: ClassVar[type[Scorer]] = DenseLinear

    solver: Literal["auto", "dense", "sparse"] = "auto"
    "Which inverse: dense, sparse, or the one that fits."
    l2: Annotated[float, Meta(gt=0), Tunable(1, 10_000, log=True)] | None = None
    "Ridge strength. None: chosen from how many people the items have."
    dropout: Annotated[float, Meta(ge=0, lt=1), Tunable(0, 0.9)] = 0.3
    "Share p of the inputs that drop out: adds p / (1 - p) times an item's count to its ridge; 0 is EASE."
    forgetting: Literal["exact", "retrain"] = "exact"
    "Whether counts are kept beside the weights where they fit: exact keeps them, retrain saves their room."
    half_life: Annotated[float, Meta(gt=0), HALF_LIVES] | None = None
    "Days after which an event of the asker's history counts half; None: time is nothing."
    delta_inf: Annotated[float, Meta(gt=0)] | None = None
    "Events after which one of the asker's history counts 1/e; None: position is nothing."

    def settled(self, facts: dict[str, Any]) -> Learner:
        """Return the learner that was chosen."""
        return self._chosen(str(facts["solver"]))

    def recount(self, scorer: Any, people: Dataset, sign: int, executor: Executor, progress: Progress) -> Any:
        """Return the scorer with people added (sign 1) or taken out (sign -1), by the solver it has."""
        changed = self.settled(scorer.facts).recount(scorer, people, sign, executor, progress)
        return self._own(changed, scorer.facts["solver"], scorer.facts["reason"])

    def revise(self, scorer: Any, gone: Dataset, come: Dataset, executor: Executor, progress: Progress) -> Any:
        """Return the scorer with some people taken out and others added, by the solver it has."""
        changed = self.settled(scorer.facts).revise(scorer, gone, come, executor, progress)
        return self._own(changed, scorer.facts["solver"], scorer.facts["reason"])

    def _fit(self, data: Dataset, rng: np.random.Generator, executor: Executor, progress: Progress) -> Any:
        n = int(np.count_nonzero(np.bincount(data.matrix.indices[data.matrix.data > 0])))
        solver, reason = (self.solver, "as asked") if self.solver != "auto" else _choice(n, free_memory())
        log.info("%s: %s inverse for %s items: %s", self.name, solver, f"{n:,}", reason)
        return self._own(self._chosen(solver)._fit(data, rng, executor, progress), solver, reason)

    def _own(self, scorer: Any, solver: str, reason: str) -> Any:
        return replace(scorer, learner=self, facts=scorer.facts | {"solver": solver, "reason": reason})

    def _chosen(self, solver: str) -> CountsItems:
        shared: dict[str, Any] = {
            "l2": self.l2,
            "dropout": self.dropout,
            "forgetting": self.forgetting,
            "half_life": self.half_life,
            "delta_inf": self.delta_inf,
        }
        return EDLAE(max_items=None, **shared) if solver == "dense" else SANSA(**shared)


def _choice(n: int, free: int | None) -> tuple[str, str]:
    """Return which solver suits n items when so many bytes are free, and why."""
    needed = _PER_CELL * n * n
    if n > _LARGEST:
        return "sparse", f"more than {_LARGEST:,} items"
    if free is None:
        return "dense", f"at most {_LARGEST:,} items, and free memory is unknown"
    have = f"{needed / 1e9:.2f} GB needed, {free / 1e9:.2f} GB free"
    return ("dense", have) if 2 * needed <= free else ("sparse", f"{have}, of which half may be taken")
