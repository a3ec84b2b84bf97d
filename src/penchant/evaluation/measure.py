"""Slates in, numbers out: every ranking metric of every user in one pass, with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import scipy.sparse as sp

from penchant.core.arrays import Float64, Int32, Int64
from penchant.core.chance import generator
from penchant.core.errors import InputError
from penchant.core.executor import LOCAL, blocks
from penchant.evaluation.interval import Effect, Inconclusive, estimates, resample_means
from penchant.evaluation.metrics.names import Metric, parse_metrics
from penchant.evaluation.metrics.ranking import USER_METRICS
from penchant.evaluation.pairs import Pairs
from penchant.evaluation.sample import Bundles
from penchant.kernels.slates import COLUMNS, Depths, Wanted, measure_slates

__all__ = ["RANKING", "measure", "per_user"]

RANKING = (*USER_METRICS, "auc")
"The metrics that need slates and what was wanted, and nothing else."

_DEFAULT = tuple(f"{name}@{k}" for name in USER_METRICS for k in (5, 10, 20))
_BLOCK = 8192


def measure(
    slates: Any,
    wanted: Any,
    metrics: Sequence[str] | None = None,
    *,
    resamples: int = 1000,
    rng: int | np.random.Generator = 0,
) -> dict[str, Effect | Inconclusive]:
    """Return the ranking metrics of slates, wherever they come from, with 95% intervals over users.

    Users who wanted nothing do not count; of an item that stands in a slate twice the first counts.

    >>> wanted = sp.csr_array(np.array([[0, 1, 0, 1], [1, 0, 0, 0], [0, 0, 0, 0]]))
    >>> found = measure(np.int32([[1, 3], [2, -1], [0, 1]]), wanted, ["recall@2", "mrr@2"])
    >>> round(found["recall@2"].value, 2), round(found["recall@2"].low, 2), round(found["recall@2"].high, 2)
    (0.5, 0.09, 0.91)

    Args:
        slates: int[n_users, k], item codes best first, -1 for an empty slot.
        wanted: CSR [n_users, n_items], an entry for each item a user wanted.
        metrics: such as ``ndcg@10``, any of RANKING; all but auc at 5, 10 and 20 when None. A k beyond the slates
            counts what they lack as empty.
        resamples: bootstrap resamples; 0 for no intervals.
        rng: their seed or generator.

    Raises:
        InputError: the shapes do not fit, an item does not exist, or a metric needs more than slates.
        UnknownName: there is no such metric.

    Memory is slates, 8 bytes for each user and metric, 8 bytes an entry of ``wanted`` and 50 MB; time O(n_users k),
    plus O(resamples m) times 16,384, or times the users when they are at most 32,768. See
    :class:`penchant.evaluation.sample.Bundles` for the intervals.
    """
    chosen = parse_metrics(_DEFAULT if metrics is None else metrics)
    for metric in chosen:
        if metric.name not in RANKING:
            raise InputError(
                "a metric needs more than slates", got=str(metric), allowed=", ".join(RANKING), then="use evaluate"
            )
    rows = sp.csr_array(wanted)
    ranks = np.asarray(slates)
    _check(ranks, rows)
    able = np.diff(rows.indptr) > 0
    if not able.all():
        ranks, rows = ranks[able], rows[able]
    if not rows.has_canonical_format:
        rows = rows.copy()
        rows.sum_duplicates()
    pairs = Wanted(rows.indptr.astype(np.int64), rows.indices.astype(np.int32), np.full(len(ranks), rows.shape[1]))
    source = generator(rng)
    sample = Bundles.of(len(ranks), source).sample(_measured(ranks.astype(np.int32, copy=False), pairs, chosen))
    means = resample_means(sample, resamples=resamples, rng=source)
    return dict(zip(map(str, chosen), estimates(sample, means), strict=True))


def per_user(slates: Int32, wanted: Pairs, metrics: Sequence[Metric], candidates: Int64) -> Float64:
    """Return float64[n_users, m]: each of these ranking metrics, of each user.

    >>> wanted = Pairs(sp.csr_array(np.array([[0, 1, 0, 1], [1, 0, 0, 0]])))
    >>> ask = [Metric("recall", 2), Metric("auc", 2)]
    >>> per_user(np.int32([[1, 2], [2, -1]]), wanted, ask, np.array([4, 4])).round(3).tolist()
    [[0.5, 0.625], [0.0, 0.333]]

    Args:
        slates: int32[n_users, k], -1 for an empty slot.
        wanted: row i is about slate i.
        metrics: any of RANKING.
        candidates: int64[n_users], items that might have stood in each slate.
    """
    return _measured(slates, Wanted(wanted.indptr, wanted.items, candidates), metrics, wanted.width)


def _measured(slates: Int32, wanted: Wanted, metrics: Sequence[Metric], n_items: int = 0) -> Float64:
    cuts = np.unique([metric.k for metric in metrics]).astype(np.int64)
    columns = np.full((len(COLUMNS), len(cuts)), -1, np.int64)
    for column, metric in enumerate(metrics):
        columns[COLUMNS.index(metric.name), np.searchsorted(cuts, metric.k)] = column
    gains = 1 / np.log2(np.arange(2, cuts.max(initial=0) + 2))
    depths = Depths(cuts, columns, gains, np.concatenate([[0.0], np.cumsum(gains)]))
    out = np.empty((len(slates), len(metrics)))
    width = max(n_items, int(wanted.candidates.max(initial=0)))
    work = partial(_measure, slates, wanted, depths, (width, out))
    list(LOCAL.map(work, blocks(len(slates), _BLOCK)))
    return out


def _measure(slates: Int32, wanted: Wanted, depths: Depths, room: tuple[int, Float64], block: tuple[int, int]) -> None:
    (start, stop), (width, out) = block, room
    own = Wanted(wanted.indptr[start : stop + 1], wanted.items, wanted.candidates[start:stop])
    if int(slates[start:stop].max(initial=-1)) >= width or int(slates[start:stop].min(initial=0)) < -1:
        raise InputError("a slate holds an item that does not exist", allowed=f"-1 to {width - 1}", field="slates")
    measure_slates(slates[start:stop], own, depths, np.zeros((width + 63) // 64, np.uint64), out[start:stop])


def _check(slates: Any, wanted: Any) -> None:
    if slates.ndim != 2 or len(slates) != wanted.shape[0] or not np.issubdtype(slates.dtype, np.integer):
        raise InputError(
            "slates and wanted items do not fit",
            got=f"slates {slates.dtype} {slates.shape}, wanted {wanted.shape}",
            allowed="whole numbers, one row of slates for each row of wanted",
            field="slates",
        )
