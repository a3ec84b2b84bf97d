"""How good the models are on the store's own events."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence

import polars as pl
from msgspec.structs import replace

from penchant.core.errors import EmptyData, InputError, UnknownName
from penchant.core.progress import SILENT, Progress
from penchant.core.settings import Settings
from penchant.data.split import Split
from penchant.engine.blends import blend_of, blends_of
from penchant.engine.plans import Plan, cut
from penchant.engine.reporting import catalogued
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
from penchant.trust.access import Actor
from penchant.trust.gate import Gate

__all__ = ["BASELINES", "BIASES", "FREQUENCY", "assess", "compare", "default_metrics", "measured", "tasks_of"]

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

    The catalogue gives titles to the examples, and with its categories the diversity of slates is measured too.

    >>> from penchant.testing import shop
    >>> from penchant.trust.access import SYSTEM
    >>> with shop() as engine:
    ...     reports = assess(engine.gate, SYSTEM, engine.settings, metrics=("ndcg@5",))
    >>> sorted(reports), [line.why for line in reports["new"].lines if line.model == "item-knn"]
    (['new', 'repeat'], ['11 users are too few to tell'])

    Args:
        gate: the door to the events.
        actor: who asks.
        settings: what to fit, and what a plan is made of.
        plan: how it is made; that of the settings when None.
        metrics: those of :func:`measured` when None.
        progress: told of the steps.

    Raises:
        EmptyData: nothing may be learnt from, or the split leaves a side empty.
    """
    chosen = Plan.of(settings.evaluation) if plan is None else plan
    data = catalogued(gate, consented_data(gate, actor, settings))
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
    ``repeat`` with what a person took most often, ``rating`` with the mean and the biases of person and item, and each
    with the baseline of the plan where it has that. A task
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
    _check_baseline(settings, plan, tasks, len(cuts))
    usual = metrics or measured(settings, plan, cuts[0].train.catalogue)
    wanted = tuple(dict.fromkeys((*usual, *plan.also)))
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


def measured(settings: Settings, plan: Plan, catalogue: pl.DataFrame | None = None) -> tuple[str, ...]:
    """Return what is measured when nothing is named; of a catalogue with categories the diversity too.

    >>> measured(Settings(), Plan(task="rating"))
    ('rmse', 'mae', 'answered')
    >>> measured(Settings(), Plan(), pl.DataFrame({"id": ["tea"], "categories": [["drinks"]]}))[-3:]
    ('diversity@5', 'diversity@10', 'diversity@20')
    """
    if plan.task == "rating":
        return DEFAULT_RATINGS
    names = default_metrics(settings)
    if plan.negatives is not None:
        return tuple(name for name in names if name.partition("@")[0] in SAMPLED)
    if catalogue is None or not isinstance(catalogue.schema.get("categories"), pl.List):
        return names
    varied = bool((catalogue["categories"].list.len() > 0).any())
    return names + tuple(f"diversity@{k}" for k in settings.evaluation.k if varied)


def _learners(settings: Settings, plan: Plan) -> dict[str, Learner]:
    return {name: learner_of(settings, name) for name in plan.models} if plan.models else recipes(settings)


def _one(split: Split, settings: Settings, plan: Plan, tasks: Tasks, progress: Progress) -> Work:
    """Return what evaluates a task on one split, each model being fitted once, with the placements that blend them."""
    learners = {name: learner for chosen in tasks.values() for name, learner in chosen.items()}
    train = split.train.filter(min_users=settings.train.min_users)
    scorers, seconds = fit_models(learners, train, rng=plan.seed, progress=progress)
    blends = blends_of(settings, learners, scorers, split.history)

    def work(task: str, metrics: Sequence[str]) -> Report:
        models = {name: scorers[name] for name in tasks[task]} | blends.get(task, {})
        return evaluate(
            models,
            split,
            metrics,
            task=task,
            by=plan.by,
            users=plan.users,
            baseline=_baseline(task, plan, models),
            resamples=plan.resamples,
            rng=plan.seed,
            seconds=seconds,
            progress=progress,
            negatives=plan.negatives,
            threshold=plan.threshold,
            examples=plan.examples,
            real_ids=plan.real_ids,
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
            baseline=_baseline(task, plan, tasks[task]),
            resamples=plan.resamples,
            rng=plan.seed,
            progress=progress,
            negatives=plan.negatives,
            threshold=plan.threshold,
            examples=plan.examples,
            real_ids=plan.real_ids,
            min_users=settings.train.min_users,
            timed=True,
        )

    return work


def _baseline(task: str, plan: Plan, models: Collection[str]) -> str | None:
    """Return what the models of a task are compared with: what the plan names where it is there, else its own."""
    if plan.baseline in models:
        return plan.baseline
    return BASELINES[task][0] if task in BASELINES else None


def _check_baseline(settings: Settings, plan: Plan, tasks: Tasks, splits: int) -> None:
    """Refuse a baseline that is neither a model nor a blend of one split before anything is fitted."""
    names = [name for chosen in tasks.values() for name in chosen]
    if splits == 1:
        names += [blend_of(name) for name, placement in settings.placements.items() if len(placement.blend) > 1]
    if plan.baseline is not None and plan.baseline not in names:
        raise UnknownName.of("baseline", plan.baseline, names, field="baseline")
