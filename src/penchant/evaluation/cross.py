"""Learners side by side on several splits: fitted anew for each, judged on all of them together."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from msgspec import Struct, field
from msgspec.structs import replace

from penchant.core.arrays import Int32, Int64
from penchant.core.chance import generator
from penchant.core.errors import EmptyData, InputError
from penchant.core.progress import SILENT, Progress
from penchant.data.split import Split
from penchant.evaluation.answers import Answers, answers, check_threshold, said_of
from penchant.evaluation.calls import chosen_baseline, chosen_metrics, chosen_task, expect_split, seed_of
from penchant.evaluation.context import Context
from penchant.evaluation.effects import Chance
from penchant.evaluation.examples import Examples
from penchant.evaluation.filled import Filled, pooled
from penchant.evaluation.foreseen import RatedGallery
from penchant.evaluation.groups import Groups
from penchant.evaluation.interval import FEWEST
from penchant.evaluation.line import Line
from penchant.evaluation.lines import Lines
from penchant.evaluation.metrics.names import Metric
from penchant.evaluation.parities import check_parities, parities, parity_lines
from penchant.evaluation.pooled import Pooled
from penchant.evaluation.ranking import Truth, ranked, truth
from penchant.evaluation.report import Report
from penchant.evaluation.sampled import sampled
from penchant.evaluation.setup import Asked, setup_of_all
from penchant.evaluation.showing import Gallery, People
from penchant.evaluation.slices import Slice, columns, slices
from penchant.evaluation.timeline import timeline
from penchant.models.recipe import Recipe

__all__ = ["cross_evaluate"]


def cross_evaluate(
    learners: Mapping[str, Any],
    splits: Iterable[Split],
    metrics: Sequence[str] | None = None,
    *,
    task: str | None = None,
    by: Sequence[str] = (),
    users: Any = None,
    baseline: str | None = None,
    resamples: int = 1000,
    rng: int | np.random.Generator = 0,
    progress: Progress = SILENT,
    batch: int = 4096,
    negatives: int | None = None,
    threshold: float = 0.0,
    min_users: int = 1,
    timed: bool = False,
    examples: int = 3,
    real_ids: bool = False,
) -> Report:
    """Return how well learners foresee the test sides of several splits, each by a model fitted on its train side.

    A value is the mean over all users of all splits, so that a split counts by its users; who is in several splits is
    drawn whole, and so counts once in how sure one can be. Each split is a slice with lines of its own. ``coverage``,
    ``novelty`` and ``gini`` are means over splits, and have no lines in the slices of ``by``.

    >>> from penchant.data.dataset import Dataset
    >>> from penchant.data.split import k_fold
    >>> from penchant.models.itemknn import ItemKNN
    >>> from penchant.models.popular import Popular
    >>> data = Dataset.from_matrix(np.kron(np.eye(2), np.ones((30, 6))))  # two tastes
    >>> report = cross_evaluate({"popular": Popular(), "item-knn": ItemKNN()}, k_fold(data, 3), ["ndcg@5"])
    >>> report.verdicts()[0]
    'item-knn beats popular on ndcg@5 by 0.628 [0.589, 0.663]'
    >>> report.table.filter(model="item-knn")["slice"].to_list()
    [None, 'split = 1 of 3', 'split = 2 of 3', 'split = 3 of 3']

    Args:
        learners: name to learner.
        splits: such as :func:`penchant.split.rolling` and :func:`penchant.split.k_fold` make, of one dataset.
        metrics: as in :func:`evaluate`, and so are all others.
        task: what is asked for.
        by: columns to slice by, the users of all splits together.
        users: what is known of them.
        baseline: the learner the others are compared with.
        resamples: bootstrap resamples, and sign assignments.
        rng: seed or generator of fitting, and of both.
        progress: where to show that it is getting on.
        batch: users per call of ``score_batch``.
        negatives: how many items to sample, if any.
        threshold: above it a rating is a like.
        min_users: items that fewer users touched are not learnt.
        timed: tell what fitting took in all splits together, which no two runs agree on.
        examples: how many users of the last split to show.
        real_ids: call them by their ids.

    Raises:
        EmptyData: there is no learner, no split, no metric, or in one split no user who counts.
        UnknownName: there is no such metric, task or baseline.
        InputError: this is no mapping of learners, a split has a leak that it does not allow, the splits are not of
            one dataset, or a parameter is out of range.

    One model is held at a time. Memory is the slates of all splits, 4 bytes a slot.
    """
    _expect_learners(learners)
    cuts = _expect_splits(splits)
    against = chosen_baseline(learners, baseline)
    chosen_for, texts = chosen_task(metrics, task)
    chosen = chosen_metrics(texts, negatives, chosen_for, resamples=resamples, batch=batch)
    check_parities(chosen, by)
    leaks = [split.check() for split in cuts]
    source = generator(rng)
    asked = Asked(task=chosen_for, baseline=against, resamples=resamples, seed=seed_of(rng), negatives=negatives)
    chance = Chance(against, resamples, source, FEWEST, negatives)
    work = _Work(learners, chosen, asked, chance, by, users, batch, max(min_users, 1), progress)
    who = People(examples, rng, real_ids=real_ids)
    if chosen_for == "rating":
        found = work.ratings(cuts, threshold, who)
        asked = replace(asked, notes=found.notes, threshold=threshold)
    else:
        found = work.rankings(cuts, who)
    lines = found.lines if timed else [replace(line, seconds=None) for line in found.lines]
    setup = setup_of_all(cuts, found.truths, replace(asked, by=tuple(dict.fromkeys(by))), learners, leaks)
    return Report(tuple(lines), setup, timeline(cuts), found.filled, found.examples)


class _Found(Struct, frozen=True, eq=False):
    """What came of all splits together."""

    lines: list[Line]
    truths: list[Truth]
    notes: tuple[str, ...] = ()
    filled: dict[str, Filled] = {}
    examples: Examples | None = None


class _Work(Struct, frozen=True, eq=False):
    """Every learner fitted on every split, one after the other, and what it took in all."""

    learners: Mapping[str, Any]
    metrics: Sequence[Metric]
    asked: Asked
    chance: Chance
    by: Sequence[str]
    users: Any
    batch: int
    min_users: int
    progress: Progress
    seconds: dict[str, float] = field(default_factory=dict)

    def ratings(self, cuts: Sequence[Split], threshold: float, people: People) -> _Found:
        each, truths, shown = [], [], None
        for split in cuts:
            scorers = dict(self._fitted(split))
            asked, answered = answers(scorers, split, self.by, self.users, batch=self.batch, progress=self.progress)
            each.append(answered)
            truths.append(asked.found)
            if split is cuts[-1]:
                gallery = RatedGallery(split, asked, people)
                gallery.foresee(scorers, answered.foreseen)
                shown = gallery.examples(_last(cuts))
        together = Answers.beside(each)
        check_threshold(self.metrics, together.actual, threshold)
        lines = together.lines(self.metrics, self.chance, threshold, self.seconds)
        return _Found(lines, truths, said_of(self.metrics, together.actual, threshold), examples=shown)

    def rankings(self, cuts: Sequence[Split], people: People) -> _Found:
        fair = parities(self.metrics)
        kept = [metric for metric in self.metrics if metric not in fair]
        parts: list[tuple[Lines, dict[str, Groups]]] = []
        sliced: list[dict[str, list[Slice]]] = []
        filled: dict[str, list[Filled]] = {name: [] for name in self.learners}
        for split in cuts:
            found = truth(split, self.asked.task)
            if self.asked.negatives is not None:
                found = sampled(found, self.asked.negatives, self.chance.rng)
            gallery = Gallery(split, found, people if split is cuts[-1] else replace(people, n=0))
            context = Context(split, _with_people(found))
            made = Lines(self._slates(context, gallery, filled), kept, context, self.seconds)
            parts.append((made, columns(split, found, self.by, self.users)))
            sliced.append(slices(split, found, self.by, self.users))
        together = Pooled([made for made, _ in parts])
        lines = together.lines(self.chance) + parity_lines(parts, fair, self.chance)
        for column in dict.fromkeys(self.by):
            lines += together.sliced([cut[column] for cut in sliced], self.chance)
        return _Found(
            lines,
            [made.context.found for made, _ in parts],
            filled={name: pooled(each) for name, each in filled.items()},
            examples=gallery.examples(_last(cuts)),
        )

    def _fitted(self, split: Split) -> Iterator[tuple[str, Any]]:
        seed = int(self.chance.rng.integers(2**32))
        train = split.train if self.min_users == 1 else split.train.filter(min_users=self.min_users)
        for name, learner in self.learners.items():
            began = time.perf_counter()
            scorer = learner.fit(train, rng=seed, progress=self.progress)
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - began
            yield name, scorer

    def _slates(self, context: Context, gallery: Gallery, filled: dict[str, list[Filled]]) -> dict[str, Int32]:
        """Return the slates of each model, how full they were being noted, and shown to a few."""
        longest, split, slates = max(metric.k for metric in self.metrics), context.split, {}
        for name, scorer in self._fitted(split):
            given = ranked(scorer, split, context.found, longest, batch=self.batch, progress=self.progress, name=name)
            slates[name] = given.slates
            filled[name].append(given.filled(context.candidates))
            gallery.ask(name, scorer, given.slates)
        return slates


def _last(cuts: Sequence[Split]) -> str:
    return f" They are of split {len(cuts)} of {len(cuts)}, and so are the models."


def _with_people(found: Truth) -> Truth:
    units: Int64 = found.users if found.units is None else found.units
    return replace(found, units=units)


def _expect_learners(learners: Any) -> None:
    if not isinstance(learners, Mapping):
        raise InputError(
            "cross_evaluate takes a mapping of name to learner",
            got=type(learners).__name__,
            then="cross_evaluate({'popular': Popular()}, splits)",
            field="learners",
        )
    for name, learner in learners.items():
        if not isinstance(learner, Recipe):
            raise InputError(
                f"{name} is no learner",
                got=type(learner).__name__,
                allowed="what can be fitted anew on every split",
                then="pass the learner, not what fit returns",
                field="learners",
            )


def _expect_splits(splits: Any) -> list[Split]:
    if isinstance(splits, Split) or not isinstance(splits, Iterable):
        got = type(splits).__name__
        raise InputError("several splits are needed", got=got, then="penchant.split.rolling(data)", field="splits")
    cuts = list(splits)
    if not cuts:
        raise EmptyData("there is no split to evaluate on", then="penchant.split.rolling(data)", field="splits")
    for split in cuts:
        expect_split(split)
        same = split.history.items == cuts[0].history.items and (split.units is None) == (cuts[0].units is None)
        if not same or (split.units is None and split.history.users != cuts[0].history.users):
            raise InputError(
                "the splits are not of one dataset", then="split one dataset several times", field="splits"
            )
    return cuts
