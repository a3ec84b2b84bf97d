"""Choosing people to show, and asking models what they would have shown them."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from msgspec import Struct

from penchant.core.arrays import Int32, Int64
from penchant.core.chance import generator
from penchant.core.errors import InputError
from penchant.core.nouns import Item, Part, Query, Slate
from penchant.data.split import Split
from penchant.evaluation.examples import Example, Examples, Given, Shown
from penchant.evaluation.ranking import Truth
from penchant.pipeline.catalogue import Catalogue
from penchant.pipeline.explain import Explain, Words

__all__ = ["REASONS", "Gallery", "People", "chosen", "titled"]

REASONS = 3
"Reasons an item, the rest of them together."

_SLOTS, _RECENT, _WANTED = 10, 8, 12
_SILENT = "this model does not say what its scores are made of"


def chosen(lengths: Int64, n: int, rng: np.random.Generator) -> Int64:
    """Return int64[n]: rows of people spread evenly over the lengths of histories (int64[m]), shortest first.

    The i-th of n is drawn by lot from those whose history is as long as that at the quantile i / (n + 1).

    >>> chosen(np.array([9, 1, 5, 5, 7, 2, 3]), 3, np.random.default_rng(0)).tolist()
    [6, 3, 4]
    """
    order, n = np.argsort(lengths, kind="stable"), min(n, len(lengths))
    rows: list[int] = []
    for i in range(1, n + 1):
        left = order[~np.isin(order, rows)]
        at = int(lengths[order[int((len(order) - 1) * i / (n + 1) + 0.5)]])
        near = np.abs(lengths[left] - at)
        rows.append(int(rng.choice(left[near == near.min()])))
    return np.array(sorted(rows, key=lambda row: (int(lengths[row]), row)), np.int64)


class People(Struct, frozen=True):
    """Whom to show.

    >>> People(3, 0).real_ids
    False

    Raises:
        InputError: ``n`` is no number of people.
    """

    n: int
    "How many; 0 for nobody."
    rng: Any
    "Seed of the choice, or a generator, which is not advanced."
    real_ids: bool = False
    "Call them by their ids."

    def __post_init__(self) -> None:
        if not isinstance(self.n, int) or self.n < 0:
            raise InputError("examples is out of range", got=self.n, allowed="0 or more", field="examples")


class Gallery:
    """People of a split who are shown, and what each model gave them.

    >>> from penchant.evaluation.ranking import rank, truth
    >>> from penchant.models.itemknn import ItemKNN
    >>> from penchant.testing import checkerboard
    >>> import penchant as pt
    >>> split = pt.split.random(checkerboard(20), rng=0)
    >>> found, scorer = truth(split), ItemKNN().fit(split.train)
    >>> gallery = Gallery(split, found, People(2, 0))
    >>> gallery.ask("item-knn", scorer, rank(scorer, split, found, 5))
    >>> person = gallery.examples().people[0]
    >>> person.user, person.place, all(item.adds_up for item in person.slates[0].items)
    ('user 1', 7, True)
    """

    def __init__(self, split: Split, found: Truth, people: People) -> None:
        """Choose the people."""
        self.split, self.found, self.real_ids = split, found, people.real_ids
        self.rows = chosen(found.had.counts, people.n, copy.deepcopy(generator(people.rng)))
        self.slates: dict[int, list[Shown]] = {int(row): [] for row in self.rows}
        self.names: dict[str, str] = {}

    def ask(self, name: str, scorer: Any, slates: Int32) -> None:
        """Keep the slates (int32[m, k], of all users who count) that a model gave these people, with its reasons."""
        for row in self.slates:
            items = slates[row, :_SLOTS]
            given, why = self._given(name, scorer, row, items[items >= 0])
            self.slates[row].append(Shown(name, tuple(given), why))

    def examples(self, note: str = "") -> Examples | None:
        """Return the people with their slates; None when nobody was asked for."""
        if not len(self.rows):
            return None
        people = [self._person(number, int(row)) for number, row in enumerate(self.rows, 1)]
        who = "Users" if self.found.units is None else "Questions"
        where = ", ".join(person.quantile for person in people)
        rule = (
            f"{who} that count were ordered by how many items their history holds; the {len(people)} shown are drawn "
            f"by lot from those at {where} of that order, before any model was asked.{note}"
        )
        return Examples(rule, tuple(people), self.real_ids)

    def _person(self, number: int, row: int) -> Example:
        user = int(self.found.users[row])
        history = self.split.history.history_of(user)
        latest = list(dict.fromkeys(history.items[::-1].tolist()))
        wanted = self.found.wanted.rows(np.array([row])).items
        name = self.split.history.users.ids([user])[0] if self.real_ids else f"user {number}"
        return Example(
            user=name,
            place=len(latest),
            quantile=f"{number}/{len(self.rows) + 1}",
            history=self._titles(latest[:_RECENT]),
            events=len(history),
            wanted=self._titles(wanted[:_WANTED]),
            more=max(0, len(wanted) - _WANTED),
            slates=tuple(self.slates[row]),
        )

    def _given(self, name: str, scorer: Any, row: int, items: Int32) -> tuple[list[Given], str | None]:
        """Return items as a model gives them to a person, and why there are no reasons."""
        scores, reasons, why = self._explained(name, scorer, row, items)
        taken = self.found.wanted.holds(np.array([row]), items[None])[0].tolist()
        parts = zip(self._titles(items), scores, taken, reasons, strict=True)
        return [Given(title, score, hit, addends) for title, score, hit, addends in parts], why

    def _explained(
        self, name: str, scorer: Any, row: int, items: Int32
    ) -> tuple[list[float | None], list[tuple[Any, ...]], str | None]:
        """Return score and reasons of every item, or why there are none."""
        history = self.split.history.history_of(int(self.found.users[row]))
        if not len(items):
            return [], [], None
        now = datetime.fromtimestamp(int(history.at.max()) / 1e6, UTC)
        query = Query(len(items), "evaluation", history, now)
        catalogue = self._catalogue([*items.tolist(), *history.items.tolist()])
        if hasattr(scorer, "explained"):
            slate = scorer.explained(query, items, catalogue, REASONS)
        elif all(hasattr(scorer, part) for part in ("score", "base", "contributions", "base_code")):
            slate = Slate(items, scorer.score(history)[items], parts=(Part(name, 1.0),))
            slate = Explain({name: scorer}, catalogue, REASONS)(query, slate)
            slate = Words(catalogue)(query, slate)
        else:
            return [None] * len(items), [()] * len(items), _SILENT
        return [float(score) for score in slate.scores], list(slate.reasons), None

    def _titles(self, items: Any) -> tuple[str, ...]:
        codes = [int(item) for item in items]
        self._learn(codes)
        return tuple(self.names.get(key, key) for key in self.split.history.items.ids(codes))

    def _catalogue(self, codes: Iterable[int]) -> Catalogue:
        """Return a catalogue that knows the titles of these items."""
        vocabulary = self.split.history.items
        ids = vocabulary.ids(sorted(set(codes)))
        self._learn(codes)
        return Catalogue(vocabulary, [Item(key, self.names.get(key, key)) for key in ids])

    @cached_property
    def _known(self) -> pl.DataFrame | None:
        """Columns id and title of the catalogue; None without titles."""
        table = self.split.train.catalogue
        if table is None or not titled(self.split):
            return None
        return table.select(pl.col("id").cast(pl.String), pl.col("title").cast(pl.String)).drop_nulls()

    def _learn(self, codes: Iterable[int]) -> None:
        """Look up the titles of these items."""
        if self._known is None:
            return
        wanted = [key for key in self.split.history.items.ids(sorted(set(codes))) if key not in self.names]
        rows = self._known.filter(pl.col("id").is_in(wanted)).rows()
        self.names |= dict.fromkeys(wanted, "") | dict(rows)
        self.names = {key: title or key for key, title in self.names.items()}


def titled(split: Split) -> bool:
    """Return whether the data of a split has a catalogue with titles.

    >>> import penchant as pt
    >>> from penchant.testing import checkerboard
    >>> titled(pt.split.random(checkerboard(8)))
    False
    """
    catalogue = split.train.catalogue
    return catalogue is not None and {"id", "title"} <= set(catalogue.columns)
