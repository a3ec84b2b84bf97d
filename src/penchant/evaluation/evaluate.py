"""Models side by side on one split: the same users, the same questions, the same resamples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from penchant.core.arrays import Float64, Int32
from penchant.core.chance import generator
from penchant.core.errors import EmptyData, InputError, UnknownName
from penchant.core.progress import SILENT, Progress
from penchant.data.split import Split
from penchant.evaluation.interval import Effect, Inconclusive, compare, estimate, holm, resample_means, sign_flip
from penchant.evaluation.line import Line, Setup
from penchant.evaluation.metrics import USER_METRICS, Metric, coverage, novelty, parse_metrics, self_information
from penchant.evaluation.ranking import Ranker, Truth, hits, rank, truth
from penchant.evaluation.report import Report
from penchant.models.recipe import Recipe
from penchant.version import __version__

__all__ = ["evaluate"]

Effects = list[Effect | Inconclusive]

_TOGETHER = "one number for all slates together"
_NOTHING = "nothing is recommended, so there is nothing to be surprised by"
_NOT_BOTH = "the model or the baseline recommends nothing, so there is nothing to compare"


def evaluate(
    scorers: Mapping[str, Ranker],
    split: Split,
    metrics: Sequence[str] | None = None,
    *,
    task: str = "new",
    baseline: str | None = None,
    resamples: int = 1000,
    rng: int | np.random.Generator = 0,
    seconds: Mapping[str, float] | None = None,
    progress: Progress = SILENT,
    batch: int = 4096,
) -> Report:
    """Return how well each model foresees the test side of a split, and which differences are more than chance.

    Every model ranks the whole catalogue, once, for the same users: those who have a history and did anything in the
    test that the task asks for; the report counts the others.

    >>> from penchant.data.dataset import Dataset
    >>> from penchant.data.split import random
    >>> from penchant.models.itemknn import ItemKNN
    >>> from penchant.models.popular import Popular
    >>> split = random(Dataset.from_matrix(np.kron(np.eye(2), np.ones((30, 6)))), share=0.2, rng=0)  # two tastes
    >>> scorers = {"popular": Popular().fit(split.train), "item-knn": ItemKNN().fit(split.train)}
    >>> report = evaluate(scorers, split, ["ndcg@5", "recall@10"])
    >>> report.table.filter(metric="ndcg").select("model", "metric", "k", "value").rows()
    [('popular', 'ndcg', 5, 0.3...), ('item-knn', 'ndcg', 5, 1.0)]
    >>> report.verdicts()[0]
    'item-knn beats popular on ndcg@5 by 0.673 [0.595, 0.756]'

    Args:
        scorers: name to model, fitted on ``split.train``.
        split: what :mod:`penchant.data.split` makes.
        metrics: such as ``ndcg@10``; every metric at 5, 10 and 20 when None.
        task: ``new`` asks for items the history does not hold and leaves seen items out of the slates; ``repeat`` asks
            for items it does hold and ranks these only; ``any`` asks for all items and leaves nothing out.
        baseline: the model the others are compared with; ``popular`` when it is there, else the first.
        resamples: bootstrap resamples, and sign assignments of the test; 0 for no intervals.
        rng: seed or generator of both.
        seconds: name to what fitting took, to be shown beside the metrics.
        progress: where to show that it is getting on.
        batch: users per call of ``score_batch``.

    Raises:
        EmptyData: there is no scorer, no metric, or no user who counts.
        UnknownName: there is no such metric, task or baseline.
        InputError: there is no mapping of fitted models or no split, a model has another vocabulary than the split,
            or a parameter is out of range.
    """
    _expect_models(scorers)
    if not isinstance(split, Split):
        then = "penchant.split.temporal(data)"
        raise InputError("a Split is needed", got=type(split).__name__, then=then, field="split")
    _check(scorers, baseline, resamples, batch)
    generator(rng)
    chosen = parse_metrics(metrics)
    found = truth(split, task)
    longest = max(metric.k for metric in chosen)
    slates = {
        name: rank(scorer, split, found, longest, batch=batch, progress=progress, name=name)
        for name, scorer in scorers.items()
    }
    against = baseline or ("popular" if "popular" in scorers else next(iter(scorers)))
    lines = _lines(slates, chosen, found, _information(split), (against, resamples, rng, seconds or {}))
    setup = Setup(
        split=split.about,
        kind=split.kind,
        task=task,
        users=found.counted,
        items=len(split.history.items),
        baseline=against,
        resamples=resamples,
        seed=int(rng) if isinstance(rng, int | np.integer) else None,
        data={side: getattr(split, side).digest for side in ("train", "history", "test")},
        models={name: _recipe(scorer.learner) for name, scorer in scorers.items()},
        versions={"penchant": __version__, "numpy": np.__version__},
    )
    return Report(tuple(lines), setup)


def _expect_models(scorers: Any) -> None:
    """Raise InputError when this is no mapping of name to fitted model."""
    if not isinstance(scorers, Mapping):
        name = getattr(getattr(scorers, "learner", scorers), "name", "a name")
        raise InputError(
            "evaluate takes a mapping of name to model",
            got=type(scorers).__name__,
            allowed="one entry for each model to compare",
            then=f"evaluate({{{name!r}: ...}}, split)",
            field="scorers",
        )
    for name, scorer in scorers.items():
        kind = type(scorer).__name__
        if isinstance(scorer, Recipe):
            raise InputError(f"{kind} is not fitted", got=name, then=f"{kind}().fit(split.train)", field="scorers")
        if not hasattr(scorer, "score_batch"):
            raise InputError(
                f"{name} is not a model",
                got=kind,
                allowed="what fit returns, or anything with its score_batch, rows, items and learner",
                then="fit a learner on split.train",
                field="scorers",
            )


def _check(scorers: Mapping[str, Ranker], baseline: str | None, resamples: int, batch: int) -> None:
    if not scorers:
        raise EmptyData("there is no scorer to evaluate", allowed="a mapping of name to scorer", field="scorers")
    if baseline is not None and baseline not in scorers:
        raise UnknownName.of("baseline", baseline, scorers, field="baseline")
    if resamples < 0:
        raise InputError("resamples is out of range", got=resamples, allowed="0 or more", field="resamples")
    if batch < 1:
        raise InputError("batch is out of range", got=batch, allowed="1 or more", field="batch")


def _information(split: Split) -> Float64:
    active = int((np.diff(split.train.matrix.indptr) > 0).sum())
    return self_information(split.train.support, active)


def _recipe(learner: Any) -> dict[str, Any]:
    fields = msgspec.to_builtins(learner, enc_hook=repr) if isinstance(learner, msgspec.Struct) else {}
    return {"learner": type(learner).__name__, **fields}


def _lines(
    slates: Mapping[str, Int32],
    metrics: list[Metric],
    found: Truth,
    information: Float64,
    how: tuple[str, int, int | np.random.Generator, Mapping[str, float]],
) -> list[Line]:
    """Return a line for every model and metric, models in the order given."""
    against, resamples, rng, seconds = how
    paired = [metric for metric in metrics if metric.per_user]
    values = {name: _per_user(items, paired, found) for name, items in slates.items()}
    effects: dict[str, tuple[Effects, Effects]] = dict.fromkeys(slates, ([], []))
    if paired:
        effects = _effects(values, against, resamples, generator(rng))
    lines = []
    for name, items in slates.items():
        means, differences = map(iter, effects[name])
        for metric in metrics:
            if metric.per_user:
                mean, difference = next(means), next(differences, None)
            else:
                mean = _whole(_together(metric, items, information), _NOTHING)
                base = _together(metric, slates[against], information)
                difference = None if name == against else _whole(mean.value - base, _NOT_BOTH)
            lines.append(Line.of(name, metric, mean, difference, seconds.get(name)))
    return lines


def _per_user(items: Int32, metrics: list[Metric], found: Truth) -> Float64:
    """Return float64[n_users, n_metrics]."""
    where = hits(found, items)
    columns = [USER_METRICS[metric.name](where[:, : metric.k], found.wanted.counts) for metric in metrics]
    return np.stack(columns, axis=1) if columns else np.empty((len(items), 0))


def _together(metric: Metric, items: Int32, information: Float64) -> float:
    cut = items[:, : metric.k]
    return coverage(cut, len(information)) if metric.name == "coverage" else novelty(cut, information)


def _whole(value: float, otherwise: str) -> Inconclusive:
    """Return a number that no interval belongs to; where there is not even a number, ``otherwise`` says why."""
    return Inconclusive(value, otherwise if np.isnan(value) else _TOGETHER)


def _effects(
    values: Mapping[str, Float64], against: str, resamples: int, rng: np.random.Generator
) -> dict[str, tuple[Effects, Effects]]:
    """Return the means of every model and their differences from the baseline's (none for the baseline itself)."""
    width = values[against].shape[1]
    means = resample_means(np.concatenate(list(values.values()), axis=1), resamples=resamples, rng=rng)
    parts = dict(zip(values, np.split(means, len(values), axis=1), strict=True))
    others = [name for name in values if name != against]
    differences = {name: values[name] - values[against] for name in others}
    p = np.empty((0, width))
    if others:
        stacked = np.concatenate(list(differences.values()), axis=1)
        p = sign_flip(stacked, resamples=resamples, rng=rng).reshape(len(others), width)
        p = np.stack([holm(column) for column in p.T], axis=1)
    result: dict[str, tuple[Effects, Effects]] = {}
    for name, part in parts.items():
        own: Effects = [estimate(values[name][:, j], part[:, j]) for j in range(width)]
        versus: Effects = []
        if name != against:
            corrected, change = p[others.index(name)], part - parts[against]
            versus = [compare(differences[name][:, j], change[:, j], float(corrected[j])) for j in range(width)]
        result[name] = (own, versus)
    return result
