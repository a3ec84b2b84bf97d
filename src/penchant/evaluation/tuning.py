"""Tuning that does not fool itself: the search sees the outer training data only, the number comes from the rest."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from penchant.core.chance import generator
from penchant.core.errors import InputError, PenchantError
from penchant.core.progress import SILENT, Progress
from penchant.data.dataset import Dataset
from penchant.data.split import Split
from penchant.evaluation.evaluate import evaluate
from penchant.evaluation.metrics import USER_METRICS, parse_metrics
from penchant.evaluation.nested import nested
from penchant.evaluation.ranking import TASKS
from penchant.evaluation.report import Report
from penchant.evaluation.search import Study, Told, Trial, opened
from penchant.evaluation.tuned import TuningReport, winner
from penchant.models.learner import Learner, learner_from
from penchant.models.popular import Popular
from penchant.models.tunable import Tunable, searched

__all__ = ["tune"]

BESIDE = ("recall", "hit", "coverage")
"Metrics that the outer evaluation reports beside the one that was searched by."


def tune(
    learner: Learner | str,
    data: Dataset,
    metric: str = "ndcg@10",
    *,
    trials: int = 50,
    seconds: float | None = None,
    storage: str | Path | None = None,
    name: str | None = None,
    space: Mapping[str, Tunable] | Sequence[str] | None = None,
    test: str | timedelta | date = "28d",
    validation: str | timedelta | None = None,
    windows: int = 2,
    min_users: int = 1,
    resamples: int = 1000,
    rng: int | np.random.Generator = 0,
    progress: Progress = SILENT,
) -> TuningReport:
    """Search the hyper-parameters of a learner, and say what the best are worth on data the search never saw.

    The end of the data, ``test``, is put away first. The search sees what came before, cut again into ``windows``
    that follow each other: a trial learns from what lies before a window and has to foresee it, the latest window
    first, and its value is the mean. After each window but the last it is stopped when its mean so far is below the
    median of the trials before it. At the end the best settings, those the search began from and ``popular`` are fitted
    on all that came before ``test`` and evaluated on it, once, with intervals.

    What a trial tries depends on ``rng`` and on the trials before it only: without ``seconds``, two runs make the same
    trials, and so does a run that was killed and taken up again from ``storage``.

    >>> from penchant.testing.worlds import bazaar
    >>> report = tune("pure-svd", bazaar(), "hit@5", trials=3, test="7d", space={"factors": Tunable(1, 10)})
    >>> report.best, len(report.history)
    ({'factors': 6}, 4)
    >>> [line.model for line in report.outer.lines if line.metric == "hit"]
    ['default', 'popular', 'tuned']

    Args:
        learner: where to begin, or the name of one.
        data: all events.
        metric: a metric of users, such as ``ndcg@10`` or ``recall@20``.
        trials: how many there shall be in all, those that ``storage`` holds already among them.
        seconds: no trial begins later than this; None for no limit.
        storage: an SQLite file that keeps the study; None keeps it in memory.
        name: of the study in the file; that of the learner when None.
        space: field to where it is searched, or only the names of fields; all that the learner declares when None.
        test: what is put away, as :func:`penchant.data.split.temporal` takes it.
        validation: the length of each window. When None, that of ``test``, or as much less as leaves an equal part
            of the data to learn from before the earliest window.
        windows: how many; 1 never stops a trial early.
        min_users: items that fewer users touched are not learnt.
        resamples: behind the intervals of the outer evaluation.
        rng: seed of the search, the fits and the resamples. A generator gives one.
        progress: told how far it is.

    Raises:
        MissingExtra: Optuna is not installed.
        UnknownName: there is no such learner, metric or field.
        InputError: the space is empty or out of bounds, the learner's task is no ranking, the storage holds something
            else, or an argument is out of range.
        EmptyData: the data is too short to be cut so often.

    Source: TPE: Bergstra et al., "Algorithms for Hyper-Parameter Optimization", NeurIPS 2011, sec. 4; the median rule:
    Golovin et al., "Google Vizier", KDD 2017, sec. 3.2.2; nesting: Cawley and Talbot, "On Over-fitting in Model
    Selection and Subsequent Selection Bias in Performance Evaluation", JMLR 2010, sec. 5.
    """
    began = time.perf_counter()
    start = _learner(learner)
    where, by = searched(start, space), _metric(metric, start)
    _in_range(trials=(trials, 1), windows=(windows, 1), min_users=(min_users, 1), resamples=(resamples, 0))
    if seconds is not None and not seconds > 0:
        raise InputError("seconds is out of range", got=seconds, allowed="above 0, or None", field="seconds")
    chance = generator(rng)
    seed = int(rng) if isinstance(rng, int | np.integer) else int(chance.integers(2**31))
    outer, inner = nested(data, test, validation, windows, task=start.task, min_users=min_users)
    judge = _Judge(start, tuple(inner), by, seed, progress)
    about = judge.about() | {"data": data.digest, "test": outer.about, "space": where}
    about = msgspec.json.decode(msgspec.json.encode(about))
    with opened(where, seed=seed, storage=storage, name=name or start.name) as study:
        study.agree(about)
        first = _search(study, judge, trials, math.inf if seconds is None else began + seconds)
        tried = study.trials
    best = replace(start, **winner(first, tried).settings)
    report = judge.outer(best, outer, resamples)
    return TuningReport(best, start, first, tried, report, about, time.perf_counter() - began)


class _Judge(Struct, frozen=True, eq=False):
    """What a trial is measured by."""

    start: Learner
    windows: tuple[Split, ...]
    metric: str
    seed: int
    progress: Progress

    def about(self) -> dict[str, Any]:
        """Return what makes one search comparable with another."""
        return {
            "learner": self.start.name,
            "settings": msgspec.to_builtins(self.start),
            "metric": self.metric,
            "task": self.start.task,
            "windows": [window.about for window in self.windows],
            "rng": self.seed,
        }

    def first(self) -> Trial:
        """Return what the settings to begin from come to."""
        began = time.perf_counter()
        return Trial("done", {}, tuple(self._values(self.start)), time.perf_counter() - began)

    def attempt(self, settings: dict[str, Any], told: Told) -> Trial:
        """Return what other settings come to; a learner that refuses them has failed, and the search goes on."""
        began = time.perf_counter()
        values: list[float] = []
        state, why = "done", None
        try:
            for value in self._values(replace(self.start, **settings)):
                values.append(value)
                more = told(float(np.mean(values)), len(values) - 1)
                if len(values) < len(self.windows) and not more:
                    state = "stopped"
                    break
        except (PenchantError, MemoryError) as error:
            state, why = "failed", str(error) or type(error).__name__
        return Trial(state, settings, tuple(values), time.perf_counter() - began, why)

    def _values(self, learner: Learner) -> Iterator[float]:
        for window in self.windows:
            scorer = learner.fit(window.train, rng=self.seed, progress=self.progress)
            task = self.start.task
            report = evaluate(
                {"trial": scorer}, window, [self.metric], task=task, resamples=0, examples=0, progress=self.progress
            )
            yield float(report.lines[0].value or 0.0)

    def outer(self, best: Learner, split: Split, resamples: int) -> Report:
        """Return the one evaluation on what the search never saw."""
        learners: dict[str, Learner] = {"default": self.start}
        for name, learner in (("popular", Popular()), ("tuned", best)):
            if learner != self.start:
                learners[name] = learner
        scorers, seconds = {}, {}
        for name, learner in learners.items():
            began = time.perf_counter()
            scorers[name] = learner.fit(split.train, rng=self.seed, progress=self.progress)
            seconds[name] = time.perf_counter() - began
        k = parse_metrics([self.metric])[0].k
        return evaluate(
            scorers,
            split,
            tuple(dict.fromkeys((self.metric, *(f"{name}@{k}" for name in BESIDE)))),
            task=self.start.task,
            baseline="default",
            resamples=resamples,
            rng=self.seed,
            seconds=seconds,
            progress=self.progress,
        )


def _search(study: Study, judge: _Judge, trials: int, deadline: float) -> Trial:
    """Make the trials that are missing, until there are enough or it is too late; return what it began from."""
    first = study.first or judge.first()
    study.begin(first)
    missing = trials - len(study.trials)
    with judge.progress.step(f"tuning {judge.start.name}", max(missing, 1), "trials") as advance:
        for _ in range(missing):
            if time.perf_counter() > deadline:
                break
            study.run(lambda settings, told: _repeated(study, settings, told) or judge.attempt(settings, told))
            advance(1)
    return first


def _repeated(study: Study, settings: dict[str, Any], told: Told) -> Trial | None:
    """Return what the same settings came to before, if they were tried: nothing is fitted twice."""
    before = next((trial for trial in study.trials if trial.settings == settings), None)
    if before is None:
        return None
    for window in range(len(before.windows)):
        told(float(np.mean(before.windows[: window + 1])), window)
    return replace(before, seconds=0.0)


def _learner(learner: Any) -> Learner:
    found = learner_from(learner, {}) if isinstance(learner, str) else learner
    if not isinstance(found, Learner):
        raise InputError(
            "tune takes a learner, or the name of one",
            got=getattr(learner, "__name__", type(learner).__name__),
            then="write tune('ease', data) or tune(EASE(), data)",
            field="learner",
        )
    found.check()
    if found.task not in TASKS:
        raise InputError(
            "only what ranks can be tuned",
            got=f"{found.name}, whose task is {found.task}",
            allowed=f"learners whose task is {' or '.join(TASKS)}",
            field="learner",
        )
    return found


def _metric(metric: str, learner: Learner) -> str:
    parsed = parse_metrics([metric])[0]
    if parsed.name not in USER_METRICS:
        raise InputError(
            f"{learner.name} cannot be tuned by a metric of all slates together",
            got=str(parsed),
            allowed=", ".join(USER_METRICS),
            field="metric",
        )
    return str(parsed)


def _in_range(**limits: tuple[Any, int]) -> None:
    for name, (value, least) in limits.items():
        if not isinstance(value, int) or value < least:
            allowed = f"a whole number of {least} or more"
            raise InputError(f"{name} is out of range", got=value, allowed=allowed, field=name)
