"""Learners side by side on several splits: fitted anew for each, judged on all of them together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from penchant.core.arrays import Int64
from penchant.core.chance import generator
from penchant.core.errors import EmptyData, InputError
from penchant.core.progress import SILENT, Progress
from penchant.data.split import Split
from penchant.evaluation.calls import (
    VERSIONS,
    chosen_baseline,
    chosen_metrics,
    expect_split,
    recipe,
    seed_of,
    told,
)
from penchant.evaluation.context import Context
from penchant.evaluation.effects import Chance
from penchant.evaluation.filled import Filled, pooled
from penchant.evaluation.lines import Lines
from penchant.evaluation.pooled import Pooled
from penchant.evaluation.ranking import Truth, Users, ranked, truth
from penchant.evaluation.report import Report
from penchant.evaluation.sampled import sampled
from penchant.evaluation.setup import Setup
from penchant.evaluation.showing import Gallery, titled
from penchant.evaluation.timeline import timeline
from penchant.models.recipe import Recipe

__all__ = ["cross_evaluate"]


def cross_evaluate(
    learners: Mapping[str, Any],
    splits: Iterable[Split],
    metrics: Sequence[str] | None = None,
    *,
    task: str = "new",
    baseline: str | None = None,
    resamples: int = 1000,
    rng: int | np.random.Generator = 0,
    progress: Progress = SILENT,
    batch: int = 4096,
    negatives: int | None = None,
    examples: int = 3,
    real_ids: bool = False,
) -> Report:
    """Return how well learners foresee the test sides of several splits, each by a model fitted on its train side.

    A value is the mean over all users of all splits, so that a split counts by its users; who is in several splits is
    drawn whole, and so counts once in how sure one can be. Each split is a slice with lines of its own. ``coverage``,
    ``novelty`` and ``gini`` are means over splits.

    >>> from penchant.data.dataset import Dataset
    >>> from penchant.data.split import k_fold
    >>> from penchant.models.itemknn import ItemKNN
    >>> from penchant.models.popular import Popular
    >>> data = Dataset.from_matrix(np.kron(np.eye(2), np.ones((30, 6))))  # two tastes
    >>> report = cross_evaluate({"popular": Popular(), "item-knn": ItemKNN()}, k_fold(data, 3), ["ndcg@5"])
    >>> report.verdicts()[0]
    'item-knn beats popular on ndcg@5 by 0.628 [0.590, 0.662]'
    >>> report.table.filter(model="item-knn")["slice"].to_list()
    [None, 'split = 1 of 3', 'split = 2 of 3', 'split = 3 of 3']

    Args:
        learners: name to learner.
        splits: such as :func:`penchant.split.rolling` and :func:`penchant.split.k_fold` make, of one dataset.
        metrics: as in :func:`evaluate`, and so are all others.
        task: what is asked for.
        baseline: the learner the others are compared with.
        resamples: bootstrap resamples, and sign assignments.
        rng: seed or generator of fitting, and of both.
        progress: where to show that it is getting on.
        batch: users per call of ``score_batch``.
        negatives: how many items to sample, if any.
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
    chosen = chosen_metrics(metrics, negatives, task, resamples=resamples, batch=batch)
    leaks = [split.check() for split in cuts]
    source = generator(rng)
    longest = max(metric.k for metric in chosen)
    parts: list[Lines] = []
    filled: dict[str, list[Filled]] = {name: [] for name in learners}
    for split in cuts:
        found = truth(split, task) if negatives is None else sampled(truth(split, task), negatives, source)
        seed = int(source.integers(2**32))
        slates, context = {}, Context(split, _with_people(found))
        gallery = Gallery(split, found, examples if split is cuts[-1] else 0, rng, real_ids=real_ids)
        for name, learner in learners.items():
            scorer = learner.fit(split.train, rng=seed, progress=progress)
            made = ranked(scorer, split, found, longest, batch=batch, progress=progress, name=name)
            slates[name] = made.slates
            filled[name].append(made.filled(context.candidates))
            gallery.ask(name, scorer, made.slates)
        parts.append(Lines(slates, chosen, context))
    lines = Pooled(parts).lines(Chance(against, resamples, source, sampled=negatives))
    people = np.concatenate([part.context.found.units for part in parts])
    setup = Setup(
        split=f"{len(cuts):,} splits, models fitted anew for each. {' '.join(split.about for split in cuts)}",
        kind=cuts[0].kind,
        task=task,
        users=_added([part.context.found.counted for part in parts]),
        items=len(cuts[0].history.items),
        baseline=against,
        resamples=resamples,
        seed=seed_of(rng),
        data={
            f"{i} {side}": getattr(split, side).digest
            for i, split in enumerate(cuts, 1)
            for side in ("train", "history", "test")
        },
        models={name: recipe(learner) for name, learner in learners.items()},
        versions=VERSIONS,
        leaks=tuple(f"Split {i}: {text}" for i, found in enumerate(leaks, 1) for text in told(found)),
        negatives=negatives,
        people=len(np.unique(people)),
        windows=len(cuts),
        titles=titled(cuts[-1]),
    )
    note = f" They are of split {len(cuts)} of {len(cuts)}, and so are the models."
    full = {name: pooled(found) for name, found in filled.items()}
    return Report(tuple(lines), setup, timeline(cuts), full, gallery.examples(note))


def _with_people(found: Truth) -> Truth:
    units: Int64 = found.users if found.units is None else found.units
    return msgspec.structs.replace(found, units=units)


def _added(counts: Sequence[Users]) -> Users:
    columns = zip(*(msgspec.structs.astuple(count) for count in counts), strict=True)
    return Users(*(sum(column) for column in columns))


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
