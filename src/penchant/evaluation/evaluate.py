"""Models side by side on one split: the same users, the same questions, the same resamples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from penchant.core.chance import generator
from penchant.core.progress import SILENT, Progress
from penchant.data.split import Split
from penchant.evaluation.calls import (
    VERSIONS,
    chosen_baseline,
    chosen_metrics,
    expect_models,
    expect_split,
    recipe,
    seed_of,
    told,
)
from penchant.evaluation.context import Context
from penchant.evaluation.effects import Chance
from penchant.evaluation.lines import Lines
from penchant.evaluation.ranking import Ranker, ranked, truth
from penchant.evaluation.report import Report
from penchant.evaluation.sampled import sampled
from penchant.evaluation.setup import Setup
from penchant.evaluation.showing import Gallery, titled
from penchant.evaluation.slices import slices
from penchant.evaluation.timeline import timeline

__all__ = ["evaluate"]


def evaluate(
    scorers: Mapping[str, Ranker],
    split: Split,
    metrics: Sequence[str] | None = None,
    *,
    task: str = "new",
    by: Sequence[str] = (),
    users: Any = None,
    baseline: str | None = None,
    resamples: int = 1000,
    rng: int | np.random.Generator = 0,
    seconds: Mapping[str, float] | None = None,
    progress: Progress = SILENT,
    batch: int = 4096,
    negatives: int | None = None,
    examples: int = 3,
    real_ids: bool = False,
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
            the catalogue.
        task: ``new`` asks for items the history does not hold and leaves seen items out of the slates; ``repeat`` asks
            for items it does hold and ranks these only; ``any`` asks for all items and leaves nothing out.
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
        examples: how many users to show with their slates and reasons; 0 for none.
        real_ids: call them by their ids. A report travels; without this they are numbered.

    Raises:
        EmptyData: there is no scorer, no metric, or no user who counts.
        UnknownName: there is no such metric, task or baseline.
        MissingColumn: there is no column to slice by.
        InputError: there is no mapping of fitted models or no split, the split has a leak that it does not allow, a
            model has another vocabulary than the split, or a parameter is out of range.
    """
    expect_models(scorers)
    expect_split(split)
    against = chosen_baseline(scorers, baseline)
    chosen = chosen_metrics(metrics, negatives, task, resamples=resamples, batch=batch)
    source, leaks = generator(rng), split.check()
    found = truth(split, task)
    if negatives is not None:
        found = sampled(found, negatives, source)
    parts = slices(split, found, by, users)
    longest = max(metric.k for metric in chosen)
    gallery = Gallery(split, found, examples, rng, real_ids=real_ids)
    context = Context(split, found)
    slates, filled = {}, {}
    for name, scorer in scorers.items():
        made = ranked(scorer, split, found, longest, batch=batch, progress=progress, name=name)
        slates[name], filled[name] = made.slates, made.filled(context.candidates)
        gallery.ask(name, scorer, made.slates)
    chance = Chance(against, resamples, source, sampled=negatives)
    table = Lines(slates, chosen, context, seconds)
    lines = table.whole(chance)
    for cut in parts.values():
        lines += table.sliced(cut, chance)
    setup = Setup(
        split=split.about,
        kind=split.kind,
        task=task,
        users=found.counted,
        items=len(split.history.items),
        baseline=against,
        resamples=resamples,
        seed=seed_of(rng),
        data={side: getattr(split, side).digest for side in ("train", "history", "test")},
        models={name: recipe(scorer.learner) for name, scorer in scorers.items()},
        versions=VERSIONS,
        by=tuple(parts),
        leaks=told(leaks),
        negatives=negatives,
        people=None if found.units is None else len(np.unique(found.units)),
        titles=titled(split),
    )
    return Report(tuple(lines), setup, timeline([split]), filled, gallery.examples())
