"""What evaluations ask of their arguments, and what they write down of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import numpy as np

from penchant.core.errors import EmptyData, InputError, UnknownName
from penchant.data.split import Split
from penchant.evaluation.metrics.names import DEFAULT_RATINGS, RATING_METRICS, Metric, parse_metrics
from penchant.evaluation.ranking import ASKED
from penchant.evaluation.sampled import SAMPLED, check_sampled
from penchant.models.recipe import Recipe
from penchant.version import __version__

__all__ = [
    "VERSIONS",
    "chosen_baseline",
    "chosen_metrics",
    "chosen_task",
    "expect_models",
    "expect_split",
    "recipe",
    "seed_of",
    "told",
]

VERSIONS = {"penchant": __version__, "numpy": np.__version__}


def expect_models(scorers: Any) -> None:
    """Raise InputError when this is no mapping of name to fitted model.

    >>> from penchant.models.popular import Popular
    >>> expect_models({"popular": Popular()})
    Traceback (most recent call last):
        ...
    penchant.core.errors.InputError: Popular is not fitted; got popular; next: Popular().fit(split.train)
    """
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


def expect_split(split: Any) -> None:
    """Raise InputError when this is no split.

    >>> expect_split(None)
    Traceback (most recent call last):
        ...
    penchant.core.errors.InputError: a Split is needed; got NoneType; next: penchant.split.temporal(data)
    """
    if not isinstance(split, Split):
        then = "penchant.split.temporal(data)"
        raise InputError("a Split is needed", got=type(split).__name__, then=then, field="split")


def chosen_baseline(models: Mapping[str, Any], baseline: str | None) -> str:
    """Return the model the others are compared with: the one named, ``popular`` when it is there, else the first.

    >>> chosen_baseline({"ease": 1, "popular": 2}, None)
    'popular'

    Raises:
        EmptyData: there is no model.
        UnknownName: there is no such model.
    """
    if not models:
        raise EmptyData("there is no scorer to evaluate", allowed="a mapping of name to scorer", field="scorers")
    if baseline is not None and baseline not in models:
        raise UnknownName.of("baseline", baseline, models, field="baseline")
    return baseline or ("popular" if "popular" in models else next(iter(models)))


def chosen_task(metrics: Iterable[str] | None, task: str | None) -> tuple[str, list[str] | None]:
    """Return the task, and the metrics as texts: without a task, ``rating`` when nothing but ratings is measured.

    >>> chosen_task(["rmse"], None), chosen_task(["ndcg@10"], None), chosen_task(None, "any")
    (('rating', ['rmse']), ('new', ['ndcg@10']), ('any', None))

    Raises:
        UnknownName: there is no such task or metric.
        InputError: metrics of slates and of ratings are asked for together, or those of another task.
    """
    if task is not None and task not in ASKED:
        raise UnknownName.of("task", str(task), ASKED, field="task")
    if metrics is None:
        return task or "new", None
    named = parse_metrics(metrics)
    ratings = [str(metric) for metric in named if metric.name in RATING_METRICS]
    others = [str(metric) for metric in named if metric.name not in RATING_METRICS]
    found = task or ("rating" if ratings and not others else "new")
    wrong = others if found == "rating" else ratings
    if wrong:
        of, right = ("slates", "rating metrics") if found == "rating" else ("ratings", "metrics of slates")
        raise InputError(
            f"a metric of {of} has no meaning for the task {found}",
            got=", ".join(wrong),
            allowed=f"{right}: {', '.join(RATING_METRICS if found == 'rating' else ('ndcg@10', 'recall@20', '...'))}",
            then="evaluate twice, once for the slates and once with task='rating'",
            field="metrics",
        )
    return found, [str(metric) for metric in named]


def chosen_metrics(
    metrics: Iterable[str] | None, negatives: int | None, task: str, *, resamples: int, batch: int
) -> list[Metric]:
    """Return the metrics to compute, those that a sample allows when there is one, and check the other numbers.

    >>> [str(metric) for metric in chosen_metrics(["hit@5"], None, "new", resamples=0, batch=1)]
    ['hit@5']

    Raises:
        EmptyData, UnknownName: see :func:`parse_metrics`.
        InputError: a number is out of range, or a metric cannot be measured on a sample.
    """
    if resamples < 0:
        raise InputError("resamples is out of range", got=resamples, allowed="0 or more", field="resamples")
    if batch < 1:
        raise InputError("batch is out of range", got=batch, allowed="1 or more", field="batch")
    if negatives is not None and task == "rating":
        then = "leave it out: ratings are foreseen one by one, and nothing is ranked"
        raise InputError("nothing is sampled for the task rating", got=negatives, then=then, field="negatives")
    if negatives is None:
        return parse_metrics(DEFAULT_RATINGS if metrics is None and task == "rating" else metrics)
    chosen = parse_metrics([f"{name}@{k}" for name in SAMPLED for k in (5, 10, 20)] if metrics is None else metrics)
    check_sampled(chosen, negatives, task)
    return chosen


def recipe(learner: Any) -> dict[str, Any]:
    """Return the name of a learner and its hyper-parameters.

    >>> from penchant.models.itemknn import ItemKNN
    >>> recipe(ItemKNN(k=5))["k"]
    5
    """
    fields = msgspec.to_builtins(learner, enc_hook=repr) if isinstance(learner, msgspec.Struct) else {}
    return {"learner": type(learner).__name__, **fields}


def seed_of(rng: Any) -> int | None:
    """Return the seed, or None when a generator was given.

    >>> seed_of(7), seed_of(np.random.default_rng(7))
    (7, None)
    """
    return int(rng) if isinstance(rng, int | np.integer) else None


def told(leaks: Mapping[str, str]) -> tuple[str, ...]:
    """Return what a report says of the leaks of a split.

    >>> told({"future": "1 of 2 training events is later than the first event to foresee"})
    ("Leak 'future', which this way of splitting lets through: 1 of 2 training events is later than the first event to \
foresee.",)
    """
    return tuple(f"Leak {name!r}, which this way of splitting lets through: {words}." for name, words in leaks.items())
