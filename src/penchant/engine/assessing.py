"""How good the models are on the store's own events."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from penchant.core.arrays import Int32
from penchant.core.errors import EmptyData, InputError, UnknownName
from penchant.core.nouns import Query, Slate, TopK
from penchant.core.progress import SILENT, Progress
from penchant.core.protocols import Stage
from penchant.core.settings import PlacementSettings, Settings
from penchant.data.dataset import Dataset
from penchant.data.split import Split
from penchant.data.vocabulary import Vocabulary
from penchant.engine.plans import Plan, cut
from penchant.engine.reporting import stored_catalogue
from penchant.engine.training import consented_data, fit_models, recipes
from penchant.engine.tuning import learner_of
from penchant.evaluation.cross import cross_evaluate
from penchant.evaluation.evaluate import evaluate
from penchant.evaluation.metrics import DEFAULT_RATINGS
from penchant.evaluation.ranking import ASKED
from penchant.evaluation.report import Report
from penchant.evaluation.sampled import SAMPLED
from penchant.models.buyagain import BuyAgain
from penchant.models.learner import Learner
from penchant.models.matrixfactorization import MatrixFactorization
from penchant.models.scorer import Scorer
from penchant.pipeline.catalogue import Catalogue
from penchant.pipeline.run import ranked
from penchant.trust.access import Actor
from penchant.trust.gate import Gate

__all__ = [
    "BASELINES",
    "BIASES",
    "FREQUENCY",
    "PlacementRanker",
    "assess",
    "blends_of",
    "compare",
    "default_metrics",
    "measured",
    "tasks_of",
]

log = logging.getLogger(__name__)

FREQUENCY = "most-frequent"
"The baseline of the task repeat: what a person took most often."

BIASES = "biases"
"The baseline of the task rating: the mean, and what is usual of the item and of the person; no tastes."

BASELINES: dict[str, tuple[str, Learner]] = {
    "repeat": (FREQUENCY, BuyAgain(half_life=None, smoothing=None)),
    "rating": (BIASES, MatrixFactorization(factors=1, l2=100.0)),
}
"What a task brings for comparison: its name, and its recipe."

Tasks = Mapping[str, Mapping[str, Learner]]
Work = Callable[[str, Sequence[str]], Report]


def assess(
    gate: Gate,
    actor: Actor,
    settings: Settings,
    *,
    plan: Plan | None = None,
    metrics: tuple[str, ...] | None = None,
    progress: Progress = SILENT,
) -> dict[str, Report]:
    """Return a report per task of the events that people let us learn from; see :func:`compare`.

    >>> from penchant.testing import shop
    >>> from penchant.trust.access import SYSTEM
    >>> with shop() as engine:
    ...     reports = assess(engine.gate, SYSTEM, engine.settings, metrics=("ndcg@5",))
    >>> sorted(reports), [line.verdict for line in reports["new"].lines if line.model == "item-knn"]
    (['new', 'repeat'], ['better'])

    Raises:
        EmptyData: nothing may be learnt from, or the split leaves a side empty.
    """
    chosen = Plan.of(settings.evaluation) if plan is None else plan
    data = consented_data(gate, actor, settings)
    catalogue = stored_catalogue(gate) if _asks_catalogue(chosen, metrics or ()) else None
    if catalogue is not None:
        data = Dataset(data.users, data.items, data.frame, catalogue.table, data.weights)
    return compare(cut(data, chosen), settings, chosen, metrics=metrics, progress=progress)


def compare(
    cuts: Sequence[Split],
    settings: Settings,
    plan: Plan,
    *,
    metrics: tuple[str, ...] | None = None,
    progress: Progress = SILENT,
) -> dict[str, Report]:
    """Return a report per task: every model of the plan, and on one split every placement that blends several.

    Models learn from what each split lets them. The task ``new`` compares with the model ``popular`` (or the first),
    ``repeat`` with what a person took most often, ``rating`` with the mean and the biases of person and item. A task
    that nobody's test asks for is left out, unless it is the only one or was asked for.

    >>> from penchant.testing import checkerboard
    >>> plan = Plan(protocol="random", models=("popular", "item-knn"), resamples=0)
    >>> reports = compare(cut(checkerboard(20), plan), Settings(), plan, metrics=("hit@3",))
    >>> [(task, [(line.model, round(line.value, 2)) for line in report.lines]) for task, report in reports.items()]
    [('new', [('popular', 0.06), ('item-knn', 0.88)])]

    Raises:
        EmptyData: no task has anybody to ask.
        UnknownName: there is no such model, metric, task or leak.
        InputError: no model is for the task, or a split has a leak that is not allowed.
    """
    tasks = tasks_of(_learners(settings, plan), plan.task or ("any" if plan.protocol == "sessions" else None))
    wanted = metrics or measured(settings, plan)
    work = (
        _one(cuts[0], settings, plan, tasks, progress)
        if len(cuts) == 1
        else _many(cuts, settings, plan, tasks, progress)
    )
    reports: dict[str, Report] = {}
    missing: EmptyData | None = None
    for task in tasks:
        try:
            report = work(task, wanted)
        except EmptyData as error:
            if plan.task is not None:
                raise
            log.warning("the task %s is left out: %s", task, error)
            missing = error
            continue
        setup = replace(report.setup, notes=plan.notes + report.setup.notes)
        reports[task] = replace(report, setup=setup)
    if not reports and missing is not None:
        raise missing
    return reports


def tasks_of(learners: Mapping[str, Learner], task: str | None) -> dict[str, dict[str, Learner]]:
    """Return the learners of each task, with the baseline it brings; without a task each learner by its own.

    >>> from penchant.models.popular import Popular
    >>> {task: list(chosen) for task, chosen in tasks_of({"popular": Popular(), "again": BuyAgain()}, None).items()}
    {'new': ['popular'], 'repeat': ['again', 'most-frequent']}

    Raises:
        InputError: no learner is for the task.
        UnknownName: there is no such task.
    """
    if task is not None and task not in ASKED:
        raise UnknownName.of("task", task, ASKED, field="task")
    tasks: dict[str, dict[str, Learner]] = {}
    for name, learner in learners.items():
        rates = learner.task == "rating"
        own = task if task == "any" and not rates else learner.task
        if task is None and rates:
            log.warning("%s is left out: its task is rating, and slates are no measure of that", name)
        elif task in (None, own):
            tasks.setdefault(own, {})[name] = learner
        elif task == "rating":
            log.warning("%s is left out: it does not foresee ratings", name)
    if not tasks:
        then = "name one, such as matrix-factorization" if task == "rating" else "name one that is, or another task"
        raise InputError(
            f"no model is for the task {task or 'new or repeat'}", got=", ".join(learners), then=then, field="models"
        )
    for own, (name, baseline) in BASELINES.items():
        if own in tasks and baseline not in tasks[own].values():
            tasks[own][name] = baseline
    return {own: tasks[own] for own in ASKED if own in tasks}


def default_metrics(settings: Settings) -> tuple[str, ...]:
    """Return every metric at every k of the settings.

    >>> default_metrics(Settings())[:3]
    ('recall@5', 'precision@5', 'hit@5')
    """
    names = ("recall", "precision", "hit", "ndcg", "map", "mrr", "coverage", "novelty")
    return tuple(f"{name}@{k}" for k in settings.evaluation.k for name in names)


def measured(settings: Settings, plan: Plan) -> tuple[str, ...]:
    """Return what is measured when nothing is named.

    >>> measured(Settings(), Plan(task="rating"))
    ('rmse', 'mae', 'answered')
    """
    if plan.task == "rating":
        return DEFAULT_RATINGS
    names = default_metrics(settings)
    return names if plan.negatives is None else tuple(n for n in names if n.partition("@")[0] in SAMPLED)


def _learners(settings: Settings, plan: Plan) -> dict[str, Learner]:
    return {name: learner_of(settings, name) for name in plan.models} if plan.models else recipes(settings)


def _asks_catalogue(plan: Plan, metrics: Sequence[str]) -> bool:
    """Say whether anything is asked that only a catalogue can answer."""
    columns = [name for name in plan.by if name.startswith("item.")]
    plain = ("item.popularity", "item.cold")
    return bool(set(columns) - set(plain)) or any(name.startswith(("diversity", "calibration")) for name in metrics)


def _one(split: Split, settings: Settings, plan: Plan, tasks: Tasks, progress: Progress) -> Work:
    """Return what evaluates a task on one split, each model being fitted once, with the placements that blend them."""
    learners = {name: learner for chosen in tasks.values() for name, learner in chosen.items()}
    train = split.train.filter(min_users=settings.train.min_users)
    scorers, seconds = fit_models(learners, train, rng=plan.seed, progress=progress)
    blends = blends_of(settings, learners, scorers, split.history)

    def work(task: str, metrics: Sequence[str]) -> Report:
        return evaluate(
            {name: scorers[name] for name in tasks[task]} | blends.get(task, {}),
            split,
            metrics,
            task=task,
            by=plan.by,
            users=plan.users,
            baseline=_baseline(task),
            resamples=plan.resamples,
            rng=plan.seed,
            seconds=seconds,
            progress=progress,
            negatives=plan.negatives,
            threshold=plan.threshold,
        )

    return work


def _many(cuts: Sequence[Split], settings: Settings, plan: Plan, tasks: Tasks, progress: Progress) -> Work:
    """Return what evaluates a task on several splits, models fitted anew for each."""

    def work(task: str, metrics: Sequence[str]) -> Report:
        return cross_evaluate(
            tasks[task],
            cuts,
            metrics,
            task=task,
            by=plan.by,
            users=plan.users,
            baseline=_baseline(task),
            resamples=plan.resamples,
            rng=plan.seed,
            progress=progress,
            negatives=plan.negatives,
            threshold=plan.threshold,
            min_users=settings.train.min_users,
            timed=True,
        )

    return work


def _baseline(task: str) -> str | None:
    return BASELINES[task][0] if task in BASELINES else None


def blends_of(
    settings: Settings, learners: Mapping[str, Learner], scorers: Mapping[str, Scorer], history: Dataset
) -> dict[str, dict[str, Any]]:
    """Return the placements that blend several of these models, by the one task that all of these have.

    >>> from penchant.testing import checkerboard
    >>> learners = recipes(Settings(), ["ease", "popular"])
    >>> scorers, _ = fit_models(learners, checkerboard(8))
    >>> {task: list(blends) for task, blends in blends_of(Settings(), learners, scorers, checkerboard(8)).items()}
    {'new': ['for-you (blend)']}
    """
    found: dict[str, dict[str, Any]] = {}
    for name, placement in settings.placements.items():
        if len(placement.blend) > 1 and placement.history == "user" and placement.blend.keys() <= scorers.keys():
            own = {learners[source].task for source in placement.blend}
            if own == {"repeat"} or (own == {"new"} and placement.exclude_seen):
                found.setdefault(own.pop(), {})[f"{name} (blend)"] = PlacementRanker(placement, scorers, history)
    return found


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
