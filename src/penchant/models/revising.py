"""A model brought up to date from what changed, in place of all there is."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from penchant.core.errors import RetrainNeeded
from penchant.core.executor import LOCAL, Executor
from penchant.core.progress import SILENT, Progress
from penchant.data.dataset import Dataset
from penchant.data.expected import expect_dataset

__all__ = ["revised"]


def revised(
    scorer: Any,
    gone: Dataset,
    come: Dataset,
    whole: Dataset,
    *,
    executor: Executor = LOCAL,
    progress: Progress = SILENT,
) -> Any:
    """Return the scorer trained on ``whole``, bit for bit and with its facts, from what changed since this one.

    >>> import numpy as np
    >>> from penchant.models.itemknn import ItemKNN
    >>> from penchant.testing import bazaar
    >>> whole, cut = bazaar(), 50 * 86_400_000_000
    >>> early, busy = whole.select(whole.column("at") < cut), whole.column("user")[whole.column("at") >= cut]
    >>> gone, come = (data.select(np.isin(data.column("user"), busy)) for data in (early, whole))
    >>> found, trained = revised(ItemKNN().fit(early), gone, come, whole), ItemKNN().fit(whole)
    >>> found.w_data.tobytes() == trained.w_data.tobytes(), found.facts == trained.facts
    (True, True)

    Args:
        scorer: the model as it was.
        gone: what it learnt of those who did something since, or of whom something is not used any more.
        come: what is to be learnt of the same people, and of new ones.
        whole: everything to be learnt from: ``come``, and those of whom nothing changed.
        executor: where the work runs.
        progress: told how far it is.

    Raises:
        RetrainNeeded: the model keeps no counts, or items came or went whose pairs were not counted.
        InputError: those who go are not all in the model with these events.
    """
    for people in (gone, come, whole):
        expect_dataset(people, "revised", "history")
    found = scorer.learner.revise(scorer, gone, come, executor, progress)
    if found.items != whole.items:
        raise RetrainNeeded("items left the data", got=f"{len(found.items) - len(whole.items):,}", then="fit again")
    facts = {"data": whole.digest, "users": whole.n_users, "items": whole.n_items, "events": whole.n_events}
    return replace(found, facts=found.facts | facts)
