"""How good the models are on the store's own events."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct

from penchant.core.arrays import Int32
from penchant.core.errors import InputError
from penchant.core.nouns import Query, Slate, TopK
from penchant.core.progress import SILENT, Progress
from penchant.core.protocols import Stage
from penchant.core.settings import PlacementSettings, Settings
from penchant.data.dataset import Dataset
from penchant.data.split import temporal
from penchant.data.vocabulary import Vocabulary
from penchant.engine.catalogued import described, known_items, variety
from penchant.engine.training import consented_data, fit_models, recipes
from penchant.evaluation.evaluate import evaluate
from penchant.evaluation.report import Report
from penchant.models.buyagain import BuyAgain
from penchant.models.learner import Learner
from penchant.models.scorer import Scorer
from penchant.pipeline.catalogue import Catalogue
from penchant.pipeline.explain import Explain, Words
from penchant.pipeline.run import ranked
from penchant.trust.access import Actor
from penchant.trust.gate import Gate

__all__ = ["PlacementRanker", "assess", "default_metrics"]

log = logging.getLogger(__name__)

FREQUENCY = "most-frequent"
"The baseline of the task repeat: what a person took most often."


def assess(
    gate: Gate,
    actor: Actor,
    settings: Settings,
    *,
    metrics: tuple[str, ...] | None = None,
    also: tuple[str, ...] = (),
    by: tuple[str, ...] = (),
    examples: int = 3,
    real_ids: bool = False,
    progress: Progress = SILENT,
) -> dict[str, Report]:
    """Return a report per task: every configured model, and every placement that blends several, on a temporal split.

    The last ``evaluation.test`` of the events is held out; models learn from what came before. The task ``new``
    compares with the model ``popular`` (or the first), the task ``repeat`` with what a person took most often. The
    catalogue gives titles to the examples, and with its categories the diversity of slates is measured too.

    >>> from penchant.testing import shop
    >>> from penchant.trust.access import SYSTEM
    >>> with shop() as engine:
    ...     reports = assess(engine.gate, SYSTEM, engine.settings, metrics=("ndcg@5",))
    >>> sorted(reports), [line.verdict for line in reports["new"].lines if line.model == "item-knn"]
    (['new', 'repeat'], ['better'])

    Args:
        gate: the door to the events.
        actor: who asks.
        settings: what to fit, and what is held out.
        metrics: those of :func:`default_metrics` when None.
        also: metrics beside these.
        by: columns to slice by.
        examples: how many users to show in each report.
        real_ids: call them by their ids.
        progress: told of the steps.

    Raises:
        EmptyData: nothing may be learnt from, or the split leaves a side empty.
    """
    split = temporal(consented_data(gate, actor, settings), test=settings.evaluation.test)
    learners = recipes(settings) | {FREQUENCY: BuyAgain(half_life=None, smoothing=None)}
    scorers, seconds = fit_models(learners, split.train.filter(min_users=settings.train.min_users), progress=progress)
    blends = {
        f"{name} (blend)": PlacementRanker(placement, scorers, split.history)
        for name, placement in settings.placements.items()
        if len(placement.blend) > 1 and placement.history == "user"
    }
    catalogue = known_items(gate)
    split = described(split, catalogue)
    chosen_metrics = metrics or (*default_metrics(settings), *variety(settings, catalogue))
    reports: dict[str, Report] = {}
    for task, chosen in _tasks(learners, scorers, blends).items():
        reports[task] = evaluate(
            chosen,
            split,
            tuple(dict.fromkeys((*chosen_metrics, *also))),
            task=task,
            by=by,
            baseline=FREQUENCY if task == "repeat" else None,
            resamples=settings.evaluation.resamples,
            seconds=seconds,
            progress=progress,
            examples=examples,
            real_ids=real_ids,
        )
    return reports


def default_metrics(settings: Settings) -> tuple[str, ...]:
    """Return every metric at every k of the settings.

    >>> default_metrics(Settings())[:3]
    ('recall@5', 'precision@5', 'hit@5')
    """
    names = ("recall", "precision", "hit", "ndcg", "map", "mrr", "coverage", "novelty")
    return tuple(f"{name}@{k}" for k in settings.evaluation.k for name in names)


def _tasks(
    learners: Mapping[str, Learner], scorers: Mapping[str, Scorer], blends: Mapping[str, PlacementRanker]
) -> dict[str, dict[str, Any]]:
    tasks: dict[str, dict[str, Any]] = {"new": {}, "repeat": {}}
    for name, learner in learners.items():
        if learner.task in tasks:
            tasks[learner.task][name] = scorers[name]
        else:
            log.warning("%s is left out: its task is %s, and slates are no measure of that", name, learner.task)
    for name, blend in blends.items():
        own = {learners[source].task for source in blend.placement.blend}
        if own == {"repeat"} or (own == {"new"} and blend.placement.exclude_seen):
            tasks[own.pop()][name] = blend
    return {task: chosen for task, chosen in tasks.items() if chosen.keys() - {FREQUENCY}}


class _Askers(Struct, frozen=True, eq=False):
    """The users of a dataset as rows that can be chosen from, their histories whole."""

    data: Dataset
    users: Int32

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.users), self.data.n_items

    def __getitem__(self, rows: Any) -> _Askers:
        return _Askers(self.data, self.users[rows])


class PlacementRanker(Struct, frozen=True, eq=False):
    """A placement as something that can be evaluated: the very pipeline that answers, asked for every user.

    Items the catalogue marks as unavailable are not left out: what was available then is not known.

    >>> from penchant.models.itemknn import ItemKNN
    >>> from penchant.testing import checkerboard
    >>> board, placement = checkerboard(8), PlacementSettings(blend={"item-knn": 1.0}, exclude_seen=False)
    >>> ranker = PlacementRanker(placement, {"item-knn": ItemKNN().fit(board)}, board)
    >>> ranker.score_batch(ranker.rows(board)[[0, 3]], 2).items.tolist()  # the best two for users 0 and 3
    [[0, 2], [1, 3]]
    """

    placement: PlacementSettings
    "What answers."
    scorers: Mapping[str, Scorer]
    "The fitted models it blends."
    history: Dataset
    "Brings the vocabulary."

    @property
    def items(self) -> Vocabulary:
        """The items it ranks."""
        return self.history.items

    @property
    def learner(self) -> PlacementSettings:
        """What it was made from."""
        return self.placement

    def explained(self, query: Query, items: Int32, catalogue: Catalogue, limit: int | None = None) -> Slate:
        """Return these items (int32[m]) with their scores for a query, and the addends of each in words.

        >>> from penchant.core.nouns import History
        >>> from penchant.models.itemknn import ItemKNN
        >>> from penchant.testing import checkerboard
        >>> board, placement = checkerboard(8), PlacementSettings(blend={"item-knn": 1.0})
        >>> ranker = PlacementRanker(placement, {"item-knn": ItemKNN().fit(board)}, board)
        >>> query = Query(2, "evaluation", History.of([0], kinds=("view",)), datetime(2017, 12, 31, tzinfo=UTC))
        >>> slate = ranker.explained(query, np.int32([4]), Catalogue(board.items))
        >>> slate.reasons[0][0].text, bool(np.isclose(slate.reasons[0][0].weight, slate.scores[0]))
        ('Because you looked at 0', True)

        Raises:
            InputError: the placement has no score for one of them.
        """
        whole = msgspec.structs.replace(query, n=len(self.items))
        slate = ranked(self.placement, self.scorers, Catalogue(self.items))(whole, Slate.of())
        place = {int(item): row for row, item in enumerate(slate.items)}
        missing = [int(item) for item in items if int(item) not in place]
        if missing:
            raise InputError("the placement has no score for an item", got=self.items.ids(missing)[0])
        slate = slate.take([place[int(item)] for item in items])
        slate = Explain(self.scorers, catalogue, limit)(query, slate)
        return Words(catalogue)(query, slate)

    def rows(self, data: Dataset) -> _Askers:
        """Return the users of a dataset, to be asked by their whole histories."""
        return _Askers(data, np.arange(data.n_users, dtype=np.int32))

    def score_batch(self, histories: _Askers, k: int, *, exclude_seen: bool = True) -> TopK:
        """Return the best ``k`` items of every user; what the placement leaves out stays out."""
        stage: Stage = ranked(self.placement, self.scorers, Catalogue(self.items))
        top = TopK(
            np.full((len(histories.users), k), -1, np.int32), np.full((len(histories.users), k), np.nan, np.float32)
        )
        now = datetime.fromtimestamp(int(self.history.column("at").max()) / 1e6, UTC)
        for row, user in enumerate(histories.users):
            query = Query(k, "evaluation", histories.data.history_of(int(user)), now)
            slate = stage(query, Slate.of())
            top.items[row, : len(slate)] = slate.items
            top.scores[row, : len(slate)] = slate.scores
        return top
