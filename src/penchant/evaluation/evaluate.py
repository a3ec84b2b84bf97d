"""Models side by side on one split: the same users, the same questions, the same resamples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from msgspec.structs import replace

from penchant.core.chance import generator
from penchant.core.progress import SILENT, Progress
from penchant.data.split import Split
from penchant.evaluation.answers import answers, check_threshold, said_of
from penchant.evaluation.calls import (
    chosen_baseline,
    chosen_metrics,
    chosen_task,
    expect_models,
    expect_split,
    seed_of,
)
from penchant.evaluation.context import Context
from penchant.evaluation.effects import Chance
from penchant.evaluation.lines import Lines
from penchant.evaluation.parities import check_parities, parities, parity_lines
from penchant.evaluation.ranking import rank, truth
from penchant.evaluation.report import Report
from penchant.evaluation.sampled import sampled
from penchant.evaluation.setups import Asked, setup_of
from penchant.evaluation.slices import columns, slices

__all__ = ["evaluate"]


def evaluate(
    scorers: Mapping[str, Any],
    split: Split,
    metrics: Sequence[str] | None = None,
    *,
    task: str | None = None,
    by: Sequence[str] = (),
    users: Any = None,
    baseline: str | None = None,
    resamples: int = 1000,
    rng: int | np.random.Generator = 0,
    seconds: Mapping[str, float] | None = None,
    progress: Progress = SILENT,
    batch: int = 4096,
    negatives: int | None = None,
    threshold: float = 0.0,
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
        metrics: such as ``ndcg@10``; every metric that needs no more than slates at 5, 10 and 20 when None. Also
            ``auc``, ``serendipity``, ``arp`` and ``aplt``, and ``diversity`` and ``calibration`` by the categories of
            the catalogue; parities between the groups that ``by`` makes, such as ``ndcg_parity@10``; and, by
            themselves, the metrics of ratings ``rmse``, ``mae``, ``accuracy``, ``f1`` and ``answered``.
        task: ``new`` asks for items the history does not hold and leaves seen items out of the slates; ``repeat`` asks
            for items it does hold and ranks these only; ``any`` asks for all items and leaves nothing out; ``rating``
            asks what each user says of each item rated in the test, of models that foresee that. When None it is
            ``rating`` if only ratings are measured, and else ``new``.
        by: columns to slice by, each value a slice with lines of its own: ``user.<column>`` of the table ``users``,
            ``item.<column>`` of the catalogue or its attributes; without a table, ``user.history`` (how many items a
            history holds), ``item.popularity`` (head or tail), and the cold starts ``user.cold`` and ``item.cold``.
        users: a table with the column user and what is known of each.
        baseline: the model the others are compared with; ``popular`` when it is there, else the first.
        resamples: bootstrap resamples, and sign assignments of the test; 0 for no intervals.
        rng: seed or generator of both.
        seconds: name to what fitting took, to be shown beside the metrics.
        progress: where to show that it is getting on.
        batch: users per call of ``score_batch``.
        negatives: None to rank the whole catalogue. A number ranks what a user wanted among so many other items drawn
            at random, as some papers do; every line then says "sampled", and metrics of slates alone are refused.
        threshold: above it a rating is a like, for ``accuracy`` and ``f1``.

    Raises:
        EmptyData: there is no scorer, no metric, or no user who counts.
        UnknownName: there is no such metric, task or baseline.
        MissingColumn: there is no column to slice by.
        InputError: there is no mapping of fitted models or no split, the split has a leak that it does not allow, a
            model has another vocabulary than the split, or does not foresee ratings where these are asked for, or a
            parameter is out of range.
    """
    expect_models(scorers)
    expect_split(split)
    against = chosen_baseline(scorers, baseline)
    chosen_for, texts = chosen_task(metrics, task)
    chosen = chosen_metrics(texts, negatives, chosen_for, resamples=resamples, batch=batch)
    check_parities(chosen, by)
    source, leaks = generator(rng), split.check()
    asked = Asked(task=chosen_for, baseline=against, resamples=resamples, seed=seed_of(rng), negatives=negatives)
    chance = Chance(against, resamples, source, sampled=negatives)
    learners = {name: scorer.learner for name, scorer in scorers.items()}
    if chosen_for == "rating":
        rated, answered = answers(scorers, split, by, users, batch=batch, progress=progress)
        check_threshold(chosen, answered.actual, threshold)
        lines = answered.lines(chosen, chance, threshold, seconds)
        asked = replace(asked, by=tuple(answered.parts), notes=said_of(chosen, answered.actual, threshold))
        return Report(tuple(lines), setup_of(split, rated.found, asked, learners, leaks))
    found = truth(split, chosen_for)
    if negatives is not None:
        found = sampled(found, negatives, source)
    parts = slices(split, found, by, users)
    longest = max(metric.k for metric in chosen)
    slates = {
        name: rank(scorer, split, found, longest, batch=batch, progress=progress, name=name)
        for name, scorer in scorers.items()
    }
    fair = parities(chosen)
    made = Lines(slates, [metric for metric in chosen if metric not in fair], Context(split, found), seconds)
    lines = made.whole(chance)
    lines += parity_lines([(made, columns(split, found, by, users))], fair, chance)
    for cut in parts.values():
        lines += made.sliced(cut, chance)
    return Report(tuple(lines), setup_of(split, found, replace(asked, by=tuple(parts)), learners, leaks))
