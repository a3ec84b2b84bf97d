"""Models side by side on one split: the same users, the same questions, the same resamples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from msgspec import Struct
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
from penchant.evaluation.examples import Examples
from penchant.evaluation.filled import Filled
from penchant.evaluation.foreseen import RatedGallery
from penchant.evaluation.interval import FEWEST
from penchant.evaluation.line import Line
from penchant.evaluation.lines import Lines
from penchant.evaluation.metrics.names import Metric
from penchant.evaluation.parities import check_parities, parities, parity_lines
from penchant.evaluation.ranking import Truth, ranked, truth
from penchant.evaluation.report import Report
from penchant.evaluation.sampled import sampled
from penchant.evaluation.setup import Asked, setup_of
from penchant.evaluation.showing import Gallery, People
from penchant.evaluation.slices import columns, slices
from penchant.evaluation.timeline import timeline

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
    'item-knn beats popular on ndcg@5 by 0.673 [0.591, 0.757]'

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
        examples: how many users to show with their slates and reasons; 0 for none.
        real_ids: call them by their ids. A report travels; without this they are numbered.

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
    chance = Chance(against, resamples, source, FEWEST, negatives)
    who = People(examples, rng, real_ids=real_ids)
    work = _Work(split, chosen, chance, by, users, seconds, progress, batch, who)
    found = work.ratings(scorers, threshold) if chosen_for == "rating" else work.rankings(scorers, chosen_for)
    if chosen_for == "rating":
        asked = replace(asked, notes=found.notes, threshold=threshold)
    learners = {name: scorer.learner for name, scorer in scorers.items()}
    setup = setup_of(split, found.truth, replace(asked, by=found.by), learners, leaks)
    return Report(tuple(found.lines), setup, timeline([split]), found.filled, found.examples)


class _Found(Struct, frozen=True, eq=False):
    """What came of it."""

    lines: list[Line]
    truth: Truth
    by: tuple[str, ...]
    notes: tuple[str, ...] = ()
    filled: dict[str, Filled] = {}
    examples: Examples | None = None


class _Work(Struct, frozen=True, eq=False):
    """What is done with the models, once everything is checked."""

    split: Split
    metrics: Sequence[Metric]
    chance: Chance
    by: Sequence[str]
    users: Any
    seconds: Mapping[str, float] | None
    progress: Progress
    batch: int
    people: People

    def ratings(self, raters: Mapping[str, Any], threshold: float) -> _Found:
        asked, answered = answers(raters, self.split, self.by, self.users, batch=self.batch, progress=self.progress)
        check_threshold(self.metrics, answered.actual, threshold)
        gallery = RatedGallery(self.split, asked, self.people)
        gallery.foresee(raters, answered.foreseen)
        lines = answered.lines(self.metrics, self.chance, threshold, self.seconds)
        notes = said_of(self.metrics, answered.actual, threshold)
        return _Found(lines, asked.found, tuple(answered.parts), notes, examples=gallery.examples())

    def rankings(self, scorers: Mapping[str, Any], task: str) -> _Found:
        split, found = self.split, truth(self.split, task)
        if self.chance.sampled is not None:
            found = sampled(found, self.chance.sampled, self.chance.rng)
        parts = slices(split, found, self.by, self.users)
        longest = max(metric.k for metric in self.metrics)
        gallery, context = Gallery(split, found, self.people), Context(split, found)
        slates, filled = {}, {}
        for name, scorer in scorers.items():
            given = ranked(scorer, split, found, longest, batch=self.batch, progress=self.progress, name=name)
            slates[name], filled[name] = given.slates, given.filled(context.candidates)
            gallery.ask(name, scorer, given.slates)
        fair = parities(self.metrics)
        made = Lines(slates, [metric for metric in self.metrics if metric not in fair], context, self.seconds)
        lines = made.whole(self.chance)
        lines += parity_lines([(made, columns(split, found, self.by, self.users))], fair, self.chance)
        for cut in parts.values():
            lines += made.sliced(cut, self.chance)
        return _Found(lines, found, tuple(parts), filled=filled, examples=gallery.examples())
