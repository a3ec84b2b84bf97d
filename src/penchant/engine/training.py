"""From the events that may be learnt from to models that answer."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

import polars as pl

from penchant.core.disk import discard
from penchant.core.errors import EmptyData
from penchant.core.progress import SILENT, Progress
from penchant.core.settings import Settings
from penchant.data.dataset import Dataset
from penchant.engine.bundle import Bundle, save_bundle
from penchant.models.learner import Learner, learner_from
from penchant.models.scorer import Scorer
from penchant.trust.access import Actor
from penchant.trust.gate import Gate
from penchant.trust.purpose import Purpose

__all__ = ["consented_data", "fit_models", "learnt", "recipes", "retain", "served", "train", "usable_events"]

log = logging.getLogger(__name__)


def usable_events(gate: Gate, actor: Actor) -> pl.DataFrame:
    """Return the table of all events that people let us learn from, in order of arrival.

    >>> from penchant.testing import shop
    >>> from penchant.trust.access import SYSTEM
    >>> with shop() as engine:
    ...     usable_events(engine.gate, SYSTEM).shape
    (34, 5)

    Raises:
        EmptyData: there are none.
    """
    events = gate.read(actor, Purpose.TRAIN)
    if events.is_empty():
        stored = gate.counts(actor).events
        raise EmptyData(
            "there are no events that may be learnt from",
            got=f"{stored:,} events stored, none of them of a person who consented to training",
            then="import events with --consent, grant consent, or set consent.default",
        )
    return events


def consented_data(gate: Gate, actor: Actor, settings: Settings) -> Dataset:
    """Return the dataset of all events that people let us learn from.

    >>> from penchant.testing import shop
    >>> from penchant.trust.access import SYSTEM
    >>> with shop() as engine:
    ...     engine.gate.counts(SYSTEM).users, consented_data(engine.gate, SYSTEM, engine.settings)
    (12, Dataset(11 users, 8 items, 34 events))

    Raises:
        EmptyData: there are none.
    """
    events = usable_events(gate, actor)
    return Dataset.from_events(events, weights=settings.events.weights, valued=settings.events.valued)


def recipes(settings: Settings, names: Iterable[str] | None = None) -> dict[str, Learner]:
    """Return the learners that the settings name, or those of ``names``.

    >>> sorted(recipes(Settings(), ["popular"]))
    ['popular']
    """
    chosen = settings.models if names is None else {name: settings.models[name] for name in names}
    return {name: learner_from(name, config) for name, config in chosen.items()}


def served(settings: Settings) -> tuple[str, ...]:
    """Return the names of the models that some placement asks.

    >>> served(Settings())
    ('ease', 'popular', 'buy-again', 'item-knn', 'trending')
    """
    blends = [blend for p in settings.placements.values() for blend in (p.blend, p.fallback)]
    return tuple(dict.fromkeys(name for blend in blends for name in blend))


def fit_models(
    learners: Mapping[str, Learner], data: Dataset, *, rng: int = 0, progress: Progress = SILENT
) -> tuple[dict[str, Scorer], dict[str, float]]:
    """Return the fitted scorers and the seconds that each fit took.

    >>> from penchant.testing import checkerboard
    >>> scorers, seconds = fit_models(recipes(Settings(), ["popular", "item-knn"]), checkerboard(4))
    >>> scorers["item-knn"].recommend_one(["0"]).ids, list(seconds)
    (('2',), ['popular', 'item-knn'])
    """
    scorers: dict[str, Scorer] = {}
    seconds: dict[str, float] = {}
    for name, learner in learners.items():
        began = time.perf_counter()
        scorers[name] = learner.fit(data, rng=rng, progress=progress)
        seconds[name] = time.perf_counter() - began
        log.info("fitted %s in %.1f s", name, seconds[name])
    return scorers, seconds


def train(gate: Gate, actor: Actor, settings: Settings, *, progress: Progress = SILENT) -> Bundle:
    """Fit the models that placements ask, save them as a bundle, and put it in charge.

    >>> from penchant.testing import shop
    >>> from penchant.trust.access import SYSTEM
    >>> with shop() as engine:
    ...     before = engine.ready().model
    ...     again = train(engine.gate, SYSTEM, engine.settings)
    >>> again.digest == before, list(again.scorers)  # the same events give the same models, bit for bit
    (True, ['ease', 'popular', 'buy-again', 'item-knn', 'trending'])

    Raises:
        EmptyData: nothing may be learnt from, or nothing is left of it after ``train.min_users``.
    """
    began = time.perf_counter()
    whole = consented_data(gate, actor, settings)
    data = whole.filter(min_users=settings.train.min_users)
    scorers, _ = fit_models(recipes(settings, served(settings)), data, progress=progress)
    bundle = save_bundle(scorers, settings.artifacts)
    facts = {**learnt(whole), "seconds": time.perf_counter() - began}
    gate.artifacts.record(actor, bundle.digest, bundle.path, models=bundle.digests, metrics=facts)
    gate.artifacts.promote(actor, bundle.digest, by="penchant train")
    retain(gate, actor, settings)
    return bundle


def learnt(data: Dataset) -> dict[str, int]:
    """Return what is remembered of the events behind a bundle: how many, and when the newest was.

    >>> import polars as pl
    >>> learnt(Dataset.from_events(pl.DataFrame({"user": ["ann", "bob"], "item": ["tea", "jam"], "at": [1, 7]})))
    {'rows': 2, 'newest': 7}
    """
    return {"rows": data.n_events, "newest": int(data.column("at").max())}


def retain(gate: Gate, actor: Actor, settings: Settings) -> None:
    """Forget bundles beyond ``train.keep``, and remove their files; never the one in charge or the one before it.

    >>> from penchant.testing import shop
    >>> from penchant.trust.access import SYSTEM
    >>> with shop() as engine:
    ...     retain(engine.gate, SYSTEM, engine.settings)
    ...     len(engine.gate.artifacts.list())
    1
    """
    for old in gate.artifacts.forget(actor, settings.train.keep):
        discard(Path(settings.artifacts) / Path(old.path).name)
