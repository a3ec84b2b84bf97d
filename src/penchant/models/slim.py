"""SLIM: every item is explained by a few others, none of which may count against it."""

from __future__ import annotations

import logging
from typing import Annotated, Any, ClassVar

import numpy as np
import scipy.sparse as sp
from msgspec import Meta

from penchant.core.arrays import Float32, Int32
from penchant.core.executor import Executor, blocks
from penchant.core.progress import Progress
from penchant.data.vocabulary import Vocabulary
from penchant.kernels.autoencoder import mirror_block
from penchant.kernels.layout import Elastic, Square
from penchant.kernels.slim import regress_block
from penchant.models.autoencoder import ridge_for
from penchant.models.counting import Cooccurrence, CountsItems
from penchant.models.gram import Gram
from penchant.models.linear import SparseLinear
from penchant.models.tunable import HALF_LIVES, Tunable

__all__ = ["SLIM"]

log = logging.getLogger(__name__)

_BLOCK = 32
_L1 = 0.5
_ROWS = 256
_MOST = 2**32
"Bytes of a square of float32 beyond which rows stay sparse."


class SLIM(CountsItems, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sparse linear methods: min 1/2 |X - XW|^2 + l2/2 |W|^2 + l1 |W|_1 with W >= 0 and nothing on its diagonal.

    >>> from penchant.testing import checkerboard
    >>> SLIM(l1=0.1, l2=1.0).fit(checkerboard(10)).recommend_one(["1", "3"], n=2).ids
    ('5', '7')

    What is known from elsewhere for the mean over people instead of the sum translates: an elastic net with ``alpha``
    and ``l1_ratio`` over n_users rows is ``l1 = alpha l1_ratio n_users`` and ``l2 = alpha (1 - l1_ratio) n_users``.

    Memory is 4 n^2 bytes for n items while fitting where most pairs meet, else 8 bytes a pair that meets and about 40
    to sort them, 4 m^2 a thread for the m items admitted for one candidate, and 8 bytes a weight after. Time is that of
    counting, and for each candidate m^2 a round over its weights and once the pairs among what it meets; with ``l1``
    near 0 most of what a candidate meets is admitted, with larger ones few.

    Source: Ning and Karypis, "SLIM: Sparse Linear Methods for Top-N Recommender Systems", ICDM 2011;
    coordinate descent on the Gram matrix: Friedman, Hastie and Tibshirani, "Regularization Paths for Generalized
    Linear Models via Coordinate Descent", JSS 2010.
    """

    name: ClassVar[str] = "slim"
    scorer: ClassVar[type[SparseLinear]] = SparseLinear

    l1: Annotated[float, Meta(ge=0), Tunable(choices=(None, 0.1, 1.0, 10.0, 100.0))] | None = None
    "What a weight costs in any case: fewer weights. None: 0.5, half a person."
    l2: Annotated[float, Meta(ge=0), Tunable(1, 10_000, log=True)] | None = None
    "What large weights cost. None: half of what EASE takes, which is chosen from how many people the items have."
    max_items: Annotated[int, Meta(ge=1)] | None = None
    "How many of the most frequent items are candidates; None for all. The others score NaN."
    k: Annotated[int, Meta(ge=1)] | None = None
    "Weights kept per candidate, the strongest. None: all."
    epochs: Annotated[int, Meta(ge=1)] = 500
    "Rounds over the weights of a candidate at most."
    tolerance: Annotated[float, Meta(gt=0, lt=1)] = 1e-3
    "The largest slope that may be left where there should be none, as a share of the candidate's largest count."
    half_life: Annotated[float, Meta(gt=0), HALF_LIVES] | None = None
    "Days after which an event of the asker's history counts half; None: time is nothing."
    delta_inf: Annotated[float, Meta(gt=0)] | None = None
    "Events after which one of the asker's history counts 1/e; None: position is nothing."

    def limit(self) -> int | None:
        """Return how many of the most frequent items are modelled; None for all."""
        return self.max_items

    def derive(self, items: Vocabulary, state: Cooccurrence, executor: Executor, progress: Progress) -> SparseLinear:
        """Return the scorer of these counts."""
        elastic = self._elastic(state)
        (gram, order), n = _square(state.gram, executor), state.gram.size

        def solve(block: tuple[int, int]) -> tuple[int, Any]:
            return block[1] - block[0], regress_block(*block, gram, elastic)

        parts = []
        with progress.step("regressing items on items", n, "items") as advance:
            for done, part in executor.map(solve, blocks(n, _BLOCK)):
                parts.append(part)
                advance(done)
        lengths, indices, values, slopes = (np.concatenate(part) for part in zip(*parts, strict=True))
        _expect_done(slopes, elastic)
        cells: Any = (values, (order[indices], order[np.repeat(np.arange(n), lengths)]))
        weights = sp.csr_array(cells, shape=(n, n))
        weights.sort_indices()
        return SparseLinear(
            items=items,
            learner=self,
            candidates=state.codes,
            w_indptr=weights.indptr.astype(np.int64),
            w_indices=weights.indices.astype(np.int32),
            w_data=weights.data,
            half_life=self.half_life,
            delta_inf=self.delta_inf,
            facts={"l1": elastic.l1, "l2": elastic.l2},
        )

    def _elastic(self, state: Cooccurrence) -> Elastic:
        l2 = 0.5 * ridge_for(state) if self.l2 is None else float(self.l2)
        l1 = _L1 if self.l1 is None else float(self.l1)
        return Elastic(l1, l2, self.tolerance, self.epochs, len(state.codes) if self.k is None else self.k)


def _square(gram: Gram, executor: Executor) -> tuple[Square, Int32]:
    """Return the counts as whole rows, and which item is where: sparse rows are sorted by their lengths."""
    n, none = gram.size, np.zeros(0, np.int64)
    row, diagonal = none.astype(np.int32), gram.diagonal().astype(np.float32)
    if gram.is_packed and 4 * n**2 <= _MOST:
        dense = gram.spread(executor)
        for _ in executor.map(lambda part: mirror_block(*part, dense), blocks(n, _ROWS)):
            pass
        return Square(none, none, row, none.astype(np.float32), dense, diagonal), np.arange(n, dtype=np.int32)
    upper = gram.upper().tocoo()
    met = np.bincount(upper.row, minlength=n) + np.bincount(upper.col, minlength=n)
    order = np.argsort(met, kind="stable").astype(np.int32)
    place = np.argsort(order).astype(np.int32)
    one, other, off = place[upper.row], place[upper.col], upper.row != upper.col
    values = upper.data.astype(np.float32)
    parts: Any = (
        np.concatenate([values, values[off]]),
        (np.concatenate([one, other[off]]), np.concatenate([other, one[off]])),
    )
    rows = sp.csr_array(parts, shape=(n, n))
    rows.sort_indices()
    before = np.bincount(np.maximum(one, other), minlength=n)  # the diagonal and what is before it
    indptr = rows.indptr.astype(np.int64)
    empty = np.zeros((0, 0), np.float32)
    return Square(indptr, indptr[:-1] + before, rows.indices.astype(np.int32), rows.data, empty, diagonal[order]), order


def _expect_done(slopes: Float32, elastic: Elastic) -> None:
    short = int(np.count_nonzero(slopes > elastic.tolerance))
    if short:
        log.warning(
            "%s of %s items have not settled after %s epochs; the largest slope left is %.1e of a count",
            f"{short:,}",
            f"{len(slopes):,}",
            elastic.epochs,
            float(slopes.max()),
        )
