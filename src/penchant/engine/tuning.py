"""Better hyper-parameters for the store's own events."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from penchant.core.errors import UnknownName
from penchant.core.progress import SILENT, Progress
from penchant.core.settings import Settings
from penchant.data.dataset import Dataset
from penchant.engine.reporting import catalogued
from penchant.engine.training import consented_data
from penchant.evaluation.tuned import TuningReport
from penchant.evaluation.tuning import tune
from penchant.models.learner import Learner, known_learners, learner_from
from penchant.trust.access import Actor
from penchant.trust.gate import Gate

__all__ = ["learner_of", "tune_events", "tune_model"]


def learner_of(settings: Settings, model: str) -> Learner:
    """Return the learner of a model that the settings name, or else the learner of that name as it is.

    >>> learner_of(Settings(), "ease"), learner_of(Settings(), "slim")
    (EASE(half_life=90.0), SLIM())

    Raises:
        UnknownName: there is neither.
    """
    if model not in settings.models and model not in known_learners():
        raise UnknownName.of("model", model, {*settings.models, *known_learners()}, field="model")
    return learner_from(model, settings.models.get(model, {}))


def tune_model(
    gate: Gate,
    actor: Actor,
    settings: Settings,
    model: str,
    *,
    metric: str = "ndcg@10",
    trials: int = 50,
    seconds: float | None = None,
    fields: Sequence[str] = (),
    windows: int = 2,
    storage: Path | None = None,
    rng: int = 0,
    progress: Progress = SILENT,
) -> TuningReport:
    """Tune a model on the events that people let us learn from; see :func:`penchant.evaluation.tuning.tune`.

    The last ``evaluation.test`` of the events is what the search never sees.

    >>> from penchant.testing import shop
    >>> from penchant.trust.access import SYSTEM
    >>> with shop() as engine:
    ...     report = tune_model(engine.gate, SYSTEM, engine.settings, "popular", metric="hit@3", trials=2, windows=1)
    >>> [trial.settings for trial in report.trials], report.toml("trending").splitlines()[0]
    ([{'half_life': 14.0}, {'half_life': 3.0}], '[models.trending]')

    Raises:
        UnknownName: there is no such model, metric or field.
        EmptyData: nothing may be learnt from, or the data is too short.
    """
    data = catalogued(gate, consented_data(gate, actor, settings))
    return tune_events(
        data,
        settings,
        model,
        metric=metric,
        trials=trials,
        seconds=seconds,
        fields=fields,
        windows=windows,
        storage=storage,
        rng=rng,
        progress=progress,
    )


def tune_events(
    data: Dataset,
    settings: Settings,
    model: str,
    *,
    metric: str = "ndcg@10",
    trials: int = 50,
    seconds: float | None = None,
    fields: Sequence[str] = (),
    windows: int = 2,
    storage: Path | None = None,
    rng: int = 0,
    progress: Progress = SILENT,
) -> TuningReport:
    """Tune a model of the settings on events from anywhere; see :func:`penchant.evaluation.tuning.tune`.

    >>> from penchant.core.settings import TrainSettings
    >>> from penchant.testing.worlds import bazaar
    >>> settings = Settings(train=TrainSettings(min_users=1))
    >>> len(tune_events(bazaar(), settings, "popular", metric="hit@3", trials=2, windows=1).trials)
    2

    Raises:
        UnknownName: there is no such model, metric or field.
        EmptyData: the data is too short.
    """
    return tune(
        learner_of(settings, model),
        data,
        metric,
        trials=trials,
        seconds=seconds,
        windows=windows,
        storage=storage,
        name=model,
        space=list(fields) or None,
        test=settings.evaluation.test,
        min_users=settings.train.min_users,
        resamples=settings.evaluation.resamples,
        rng=rng,
        progress=progress,
    )
