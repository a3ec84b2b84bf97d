"""Stages in a row, and the row that the settings of a placement describe."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from penchant.core.errors import NotReady
from penchant.core.nouns import Query, Slate
from penchant.core.protocols import Scorer, Stage
from penchant.core.settings import PlacementSettings
from penchant.pipeline.blend import Blend, Fallback
from penchant.pipeline.catalogue import Catalogue
from penchant.pipeline.explain import Explain, Words
from penchant.pipeline.filters import Available, Categories, Disliked, Given, Price, Seen
from penchant.pipeline.rank import Rank
from penchant.pipeline.retrieve import Retrieve
from penchant.pipeline.sift import Sift

__all__ = ["Pipeline", "blend_of", "explained", "filters_of", "ranked"]


class Pipeline(Struct, frozen=True, eq=False):
    """Stages in a row; itself a stage.

    >>> from datetime import datetime
    >>> from penchant.core.nouns import History
    >>> query = Query(1, "for-you", History.of([5]), datetime(2017, 12, 31))
    >>> Pipeline((Seen(), Rank()))(query, Slate.of([4, 5, 6], [0.7, 0.8, 0.9])).items.tolist()
    [6]
    """

    stages: tuple[Stage, ...]
    "Each works on what the one before it returned."

    def __call__(self, query: Query, slate: Slate, /) -> Slate:
        """Return the slate after all stages."""
        for stage in self.stages:
            slate = stage(query, slate)
        return slate


def ranked(placement: PlacementSettings, scorers: Mapping[str, Scorer], catalogue: Catalogue) -> Stage:
    """Return the pipeline of a placement up to the ranked slate.

    >>> from datetime import datetime
    >>> from penchant.core.nouns import History
    >>> from penchant.models.itemknn import ItemKNN
    >>> from penchant.models.popular import Popular
    >>> from penchant.testing import checkerboard
    >>> board, now = checkerboard(6), datetime(2017, 12, 31)
    >>> scorers = {"item-knn": ItemKNN().fit(board), "popular": Popular().fit(board)}
    >>> placement = PlacementSettings(blend={"item-knn": 1.0}, fallback={"popular": 1.0})
    >>> stage = ranked(placement, scorers, Catalogue(board.items))
    >>> stage(Query(2, "for-you", History.of([0]), now), Slate.of()).items.tolist()
    [2, 4]
    >>> stage(Query(2, "for-you", History.of([]), now), Slate.of()).items.tolist()  # nothing is known: the fallback
    [0, 1]

    Raises:
        NotReady: a model the placement blends is not among the scorers.
    """
    stages = (Sift(filters_of(placement, catalogue)), Rank())
    first = Pipeline((blend_of(placement.blend, scorers), *stages))
    if not placement.fallback:
        return first
    return Fallback(first, Pipeline((blend_of(placement.fallback, scorers), *stages)))


def filters_of(placement: PlacementSettings, catalogue: Catalogue) -> tuple[Stage, ...]:
    """Return the filters of a placement: what a slate of it may not hold.

    >>> from penchant.data.vocabulary import Vocabulary
    >>> placement = PlacementSettings(blend={"ease": 1.0}, exclude_seen=False)
    >>> [type(stage).__name__ for stage in filters_of(placement, Catalogue(Vocabulary.of(["tea"])))]
    ['Disliked', 'Available', 'Categories', 'Price', 'Given']
    """
    return (
        *((Seen(),) if placement.exclude_seen else ()),
        Disliked(),
        Available(catalogue),
        Categories(catalogue),
        Price(catalogue),
        Given(catalogue),
    )


def explained(placement: PlacementSettings, scorers: Mapping[str, Scorer], catalogue: Catalogue) -> Stage:
    """Return the whole pipeline of a placement: :func:`ranked`, then reasons, then words.

    >>> from datetime import datetime
    >>> from penchant.core.nouns import History
    >>> from penchant.models.itemknn import ItemKNN
    >>> from penchant.models.popular import Popular
    >>> from penchant.testing import checkerboard
    >>> board, now = checkerboard(6), datetime(2017, 12, 31)
    >>> scorers = {"item-knn": ItemKNN().fit(board), "popular": Popular().fit(board)}
    >>> placement = PlacementSettings(blend={"item-knn": 1.0}, fallback={"popular": 1.0})
    >>> stage = explained(placement, scorers, Catalogue(board.items))
    >>> slate = stage(Query(2, "for-you", History.of([0], kinds=("view",)), now), Slate.of())
    >>> slate.ids, slate.reasons[0][0].text
    (('2', '4'), 'Because you looked at 0')
    """
    explain = Explain(scorers, catalogue, placement.reasons)
    return Pipeline((ranked(placement, scorers, catalogue), explain, Words(catalogue)))


def blend_of(weights: Mapping[str, float], scorers: Mapping[str, Scorer]) -> Stage:
    """Return the stage that asks the models of a blend.

    >>> from penchant.models.popular import Popular
    >>> from penchant.testing import checkerboard
    >>> blend_of({"popular": 1.0}, {"popular": Popular().fit(checkerboard(4))}).source
    'popular'

    Raises:
        NotReady: a model of it is not among the scorers.
    """
    for name in weights:
        if name not in scorers:
            allowed = ", ".join(scorers) or "none is trained"
            raise NotReady("a placement needs a model that is not trained", got=name, allowed=allowed, then="train")
    stages = tuple((Retrieve(name, scorers[name]), weight) for name, weight in weights.items())
    if len(stages) == 1 and stages[0][1] == 1.0:
        return stages[0][0]
    return Blend(stages)
