"""Placements that blend several models, as something that can be evaluated beside these."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct

from penchant.core.arrays import Int32
from penchant.core.errors import InputError
from penchant.core.nouns import Query, Slate, TopK
from penchant.core.protocols import Stage
from penchant.core.settings import PlacementSettings, Settings
from penchant.data.dataset import Dataset
from penchant.data.vocabulary import Vocabulary
from penchant.models.learner import Learner
from penchant.models.scorer import Scorer
from penchant.pipeline.catalogue import Catalogue
from penchant.pipeline.explain import Explain, Words
from penchant.pipeline.run import ranked

__all__ = ["PlacementRanker", "blend_of", "blends_of"]


def blend_of(placement: str) -> str:
    """Return what the blend of a placement is called in reports.

    >>> blend_of("for-you")
    'for-you (blend)'
    """
    return f"{placement} (blend)"


def blends_of(
    settings: Settings, learners: Mapping[str, Learner], scorers: Mapping[str, Scorer], history: Dataset
) -> dict[str, dict[str, Any]]:
    """Return the placements that blend several of these models, by the one task that all of these have.

    >>> from penchant.testing import checkerboard
    >>> from penchant.engine.training import fit_models, recipes
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
                found.setdefault(own.pop(), {})[blend_of(name)] = PlacementRanker(placement, scorers, history)
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
