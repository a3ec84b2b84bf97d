"""New models from new events: from what changed where a model keeps counts, from all of it where it does not."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping

import numpy as np
import polars as pl
from msgspec import Struct

from penchant.core.errors import EmptyData, InputError, RetrainNeeded
from penchant.core.progress import SILENT, Progress
from penchant.core.settings import Settings
from penchant.data.dataset import Dataset
from penchant.models.learner import Learner
from penchant.models.revising import revised
from penchant.models.scorer import Scorer

__all__ = ["Change", "change_of", "refit"]

log = logging.getLogger(__name__)

MOST = 0.3
"The share of people beyond which counting the changes is no less work than counting all."


class Change(Struct, frozen=True, eq=False):
    """What changed between the data that some models learnt and the data of now.

    >>> from penchant.testing import checkerboard
    >>> board = checkerboard(4)
    >>> Change(board.digest, board, board).share
    1.0
    """

    before: str
    "The digest of what the models learnt."
    gone: Dataset
    "What they learnt of the people of whom anything changed."
    come: Dataset
    "What is to be learnt of these people now, and of new ones."

    @property
    def share(self) -> float:
        """The share of people of whom anything changed."""
        users = self.come.column("user")
        return len(np.unique(users)) / max(1, self.come.n_users)


def change_of(events: pl.DataFrame, now: Dataset, rows: int, settings: Settings) -> Change | None:
    """Return what changed since the first ``rows`` events were learnt; None when there is nothing to compare.

    >>> at = pl.Series([1, 2, 3, 4])
    >>> events = pl.DataFrame({"user": ["ann", "bob", "eve", "ann"], "item": ["tea", "tea", "jam", "jam"], "at": at})
    >>> events = events.with_columns(kind=pl.lit("purchase"), value=pl.lit(1.0))
    >>> from penchant.core.settings import TrainSettings
    >>> every = Settings(train=TrainSettings(min_users=1))
    >>> change = change_of(events, Dataset.from_events(events), 3, every)
    >>> change.gone.n_events, change.come.n_events  # of Ann alone
    (1, 2)

    Args:
        events: user, item, at, kind, value; all events that may be learnt from, in order of arrival.
        now: the dataset of them, before rare items are left out.
        rows: how many of them there were then.
        settings: weights of kinds, and which items are too rare.
    """
    if not 0 < rows <= events.height:
        return None
    try:
        then = Dataset.from_events(events.head(rows), weights=settings.events.weights, valued=settings.events.valued)
        old, new = (data.filter(min_users=settings.train.min_users) for data in (then, now))
    except EmptyData:
        return None
    other = _flipped(then, now, settings.train.min_users)
    people = set(events["user"].slice(rows).unique()) | set(now.users.ids(np.unique(now.column("user")[other])))
    gone, come = (_of(data, people) for data in (old, new))
    return Change(old.digest, gone, come)


def refit(
    learners: Mapping[str, Learner],
    data: Dataset,
    old: Mapping[str, Scorer],
    change: Change | None,
    *,
    progress: Progress = SILENT,
) -> tuple[dict[str, Scorer], dict[str, str]]:
    """Return the scorers that fitting on ``data`` gives, bit for bit, and how each was made: kept, updated or fitted.

    >>> from penchant.models.itemknn import ItemKNN
    >>> from penchant.testing import checkerboard
    >>> board, learners = checkerboard(6), {"item-knn": ItemKNN()}
    >>> scorers, how = refit(learners, board, {}, None)
    >>> how, refit(learners, board, scorers, None)[1]
    ({'item-knn': 'fitted'}, {'item-knn': 'kept'})

    Args:
        learners: name to recipe.
        data: all that is to be learnt from.
        old: name to the model in charge.
        change: what changed since those were trained; None when that is not known.
        progress: told how far it is.
    """
    scorers: dict[str, Scorer] = {}
    how: dict[str, str] = {}
    for name, learner in learners.items():
        began = time.perf_counter()
        known = old.get(name)
        found, word = None, "fitted"
        if known is not None and known.learner == learner:
            found, word = _from(known, data, change, progress)
        scorers[name], how[name] = (learner.fit(data, progress=progress), "fitted") if found is None else (found, word)
        log.info("%s %s in %.1f s", how[name], name, time.perf_counter() - began)
    return scorers, how


def _from(known: Scorer, data: Dataset, change: Change | None, progress: Progress) -> tuple[Scorer | None, str]:
    """Return the model of ``data`` made from the one in charge, and how; None where it has to be fitted."""
    learnt = known.facts.get("data")
    if learnt == data.digest:
        return known, "kept"
    if change is None or learnt != change.before or known.forgetting != "exact" or change.share > MOST:
        return None, "fitted"
    try:
        return revised(known, change.gone, change.come, data, progress=progress), "updated"
    except (RetrainNeeded, InputError) as error:
        log.info("%s is fitted again: %s", known.learner.name, error)
        return None, "fitted"


def _flipped(then: Dataset, now: Dataset, least: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return bool[events of now]: those of items that were too rare and are not any more, or the other way round."""
    kept = np.zeros(now.n_items, np.bool_)
    codes = now.items.codes(then.items.series)
    kept[codes[codes >= 0]] = (then.support >= least)[codes >= 0]
    flipped: np.ndarray[tuple[int], np.dtype[np.bool_]] = (kept != (now.support >= least))[now.column("item")]
    return flipped


def _of(data: Dataset, people: set[str]) -> Dataset:
    codes = data.users.codes(sorted(people))
    return data.select(np.isin(data.column("user"), codes[codes >= 0]))
