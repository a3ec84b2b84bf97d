"""Every step a placement can answer by, and what is done with a slate that was found."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import msgspec
from msgspec import Struct

from penchant.core.errors import NotReady
from penchant.core.nouns import Query, Slate
from penchant.core.protocols import Scorer, Stage
from penchant.core.settings import PlacementSettings
from penchant.pipeline.catalogue import Catalogue
from penchant.pipeline.content import SOURCE
from penchant.pipeline.explain import ALIKE, Explain, Words
from penchant.pipeline.filters import Given
from penchant.pipeline.rank import Rank
from penchant.pipeline.retrieve import Retrieve
from penchant.pipeline.run import blend_of, filters_of
from penchant.pipeline.sift import Sift
from penchant.pipeline.spread import DEEP, Spread
from penchant.pipeline.watched import Watch, watched

__all__ = ["Chain", "chain_of"]


class Chain(Struct, frozen=True, eq=False, dict=True):
    """The stages of a placement, apart, so that one that is late or has no model can be left out.

    >>> from datetime import datetime
    >>> from penchant.core.nouns import History
    >>> from penchant.models.popular import Popular
    >>> from penchant.testing import checkerboard
    >>> board = checkerboard(4)
    >>> placement = PlacementSettings(blend={"ease": 1.0}, fallback={"popular": 1.0})
    >>> chain = chain_of(placement, {"popular": Popular().fit(board)}, Catalogue(board.items))
    >>> chain.blend is None, chain.missing  # what is there answers
    (True, 'a placement needs a model that is not trained; got ease; allowed: popular; next: train')
    >>> query = Query(2, "for-you", History.of([]), datetime(2017, 12, 31))
    >>> chain.rank(query, chain.found(chain.fallback, query)).items.tolist()
    [0, 1]
    """

    settings: PlacementSettings
    "What the settings say."
    scorers: Mapping[str, Scorer]
    "All models there are."
    catalogue: Catalogue
    "What is known of items."
    blend: Stage | None
    "Asks the models of the blend; None when one of them is missing."
    fallback: Stage | None
    "Asks those of the fallback; None when there is none, or one of them is missing."
    missing: str | None = None
    "Which model is missing, in words."
    watch: Watch | None = None
    "Takes note of every stage."

    @property
    def personal(self) -> bool:
        """Whether the blend asks for a history at all; true also when its models are missing."""
        known = [self.scorers[name] for name in self.settings.blend if name in self.scorers]
        return self.blend is None or any(getattr(scorer, "personal", True) for scorer in known)

    def found(self, source: Stage, query: Query, *, given: bool = False) -> Slate:
        """Return the best that a source finds and that may be shown, enough to rank; with ``given``, all asked for."""
        found = source(query, Slate.of())
        return self._given(query, found) if given else self._sift(query, found)

    def content(self, scorer: Scorer, source: str) -> Stage:
        """Return the stage that asks a scorer by content."""
        return self._watched(Retrieve(source, scorer))

    def rank(self, query: Query, slate: Slate) -> Slate:
        """Return the best of a slate."""
        return self._rank(query, slate)

    def rerank(self, query: Query, slate: Slate) -> Slate:
        """Return the best of a slate, spread over categories; like :meth:`rank` where nothing says how."""
        return self._spread(query, slate) if self.settings.most_per_category else self._rank(query, slate)

    def explain(self, query: Query, slate: Slate, scorers: Mapping[str, Scorer]) -> Slate:
        """Return the slate with ids and with reasons in words."""
        reasons = self._reasons if scorers is self.scorers else self._reasons_of(scorers)
        told = reasons(query, slate)
        alike = any(part.source == SOURCE for part in slate.parts)
        return self._alike(query, told) if alike else self._words(query, told)

    def named(self, slate: Slate) -> Slate:
        """Return the slate with ids, and no reasons."""
        return msgspec.structs.replace(slate, ids=tuple(self.catalogue.vocabulary.ids(slate.items)))

    def _watched(self, stage: Stage) -> Stage:
        return stage if self.watch is None else watched(stage, self.watch)

    def _reasons_of(self, scorers: Mapping[str, Scorer]) -> Stage:
        return self._watched(Explain(scorers, self.catalogue, self.settings.reasons))

    @cached_property
    def _sift(self) -> Stage:
        deep = DEEP if self.settings.most_per_category else 0
        return self._watched(Sift(filters_of(self.settings, self.catalogue), deep))

    @cached_property
    def _given(self) -> Stage:
        return self._watched(Given(self.catalogue))

    @cached_property
    def _rank(self) -> Stage:
        return self._watched(Rank())

    @cached_property
    def _spread(self) -> Stage:
        return self._watched(Spread(self.catalogue, self.settings.most_per_category))

    @cached_property
    def _reasons(self) -> Stage:
        return self._reasons_of(self.scorers)

    @cached_property
    def _words(self) -> Stage:
        return self._watched(Words(self.catalogue))

    @cached_property
    def _alike(self) -> Stage:
        return self._watched(Words(self.catalogue, ALIKE))


def chain_of(
    placement: PlacementSettings, scorers: Mapping[str, Scorer], catalogue: Catalogue, watch: Watch | None = None
) -> Chain:
    """Return the chain of a placement.

    >>> from penchant.models.popular import Popular
    >>> from penchant.testing import checkerboard
    >>> board = checkerboard(4)
    >>> scorers = {"popular": Popular().fit(board)}
    >>> chain_of(PlacementSettings(blend={"popular": 1.0}), scorers, Catalogue(board.items)).personal
    False

    Raises:
        NotReady: no step of it has its models.
    """
    blend, missing = _try(placement.blend, scorers)
    fallback, lost = _try(placement.fallback, scorers) if placement.fallback else (None, None)
    if missing is not None and fallback is None:
        raise missing
    first = missing or lost
    if watch is not None:
        blend, fallback = (None if stage is None else watched(stage, watch) for stage in (blend, fallback))
    return Chain(placement, scorers, catalogue, blend, fallback, None if first is None else str(first), watch)


def _try(weights: Mapping[str, float], scorers: Mapping[str, Scorer]) -> tuple[Stage | None, NotReady | None]:
    try:
        return blend_of(weights, scorers), None
    except NotReady as error:
        return None, error
