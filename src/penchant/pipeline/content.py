"""What items say about themselves: those whose title, text and categories are like others'."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np
import polars as pl
import scipy.sparse as sp
from msgspec import Struct

from penchant.core.arrays import Float32, Int32
from penchant.core.nouns import History, Item, TopK
from penchant.data.sparse import Matrix, matrix_of
from penchant.data.vocabulary import Vocabulary

__all__ = ["SOURCE", "Content", "Like"]

SOURCE = "content"
"What answers by content are said to be made by."

_CATEGORY = 2.0  # a category says about as much as a word that stands twice


class Content(Struct, frozen=True, eq=False):
    """A scorer that was never trained: the cosine between what items are called and described as.

    Words and categories count by how rare they are. A score is the sum over the liked items of the history, less those
    disliked; an item that shares nothing with them cannot be scored.

    >>> items = [Item("tea", "Green tea", categories=("drinks",)), Item("jam", "Plum jam")]
    >>> items += [Item("sencha", "Sencha tea"), Item("plum", "Dried plum")]
    >>> content = Content.of(Vocabulary.of([item.id for item in items]), items)
    >>> content.score(History.of([3])).round(2).tolist()  # jam, plum, sencha, tea: what is like green tea
    [nan, nan, 1.0, 1.0]
    >>> content.contributions(History.of([3, 0]), np.int32([2, 1])).round(2).tolist()
    [[1.0, 0.0], [0.0, 1.0]]

    Source: Salton and Buckley, "Term-Weighting Approaches in Automatic Text Retrieval", 1988 (log tf, idf, cosine).
    """

    personal: ClassVar[bool] = True
    base_code: ClassVar[str] = "content"

    items: Vocabulary
    "The items it knows, in code order."
    terms: Vocabulary
    "Words, and categories."
    rarity: Float32
    "float32[terms], the weight of each."
    vectors: Matrix
    "CSR float32[n_items, terms], rows of length 1, or 0 where nothing is known that others share."

    @classmethod
    def of(cls, items: Vocabulary, known: Iterable[Item]) -> Content:
        """Return the scorer of these items; of items of the vocabulary that are not among them nothing is known."""
        found = [(items.code(item.id), item) for item in known]
        found = [(code, item) for code, item in found if code >= 0]
        pairs = _counted([code for code, _ in found], [item for _, item in found])
        shared = pairs.filter(pl.len().over("term") > 1)  # a word that stands at one item alone links nothing
        terms = Vocabulary.of(shared["term"])
        column = terms.codes(shared["term"])
        spread = np.bincount(column, minlength=len(terms))
        rarity = (np.log((1 + len(items)) / (1 + spread)) + 1.0).astype(np.float32)
        weight = np.log1p(shared["times"].to_numpy()) * rarity[column]
        shape = (len(items), len(terms))
        return cls(items, terms, rarity, _unit(matrix_of(weight, column, shared["code"].to_numpy(), shape)))

    def vector(self, item: Item) -> Float32:
        """Return float32[terms] of length 1: what an item says, also one that is not in the vocabulary."""
        pairs = _counted([0], [item])
        column = self.terms.codes(pairs["term"])
        known = column >= 0
        weight = np.log1p(pairs["times"].to_numpy()[known]) * self.rarity[column[known]]
        row = _unit(matrix_of(weight, column[known], np.zeros(int(known.sum()), np.int32), (1, len(self.terms))))
        return np.asarray(row.toarray()[0], np.float32)

    def like(self, vector: Float32) -> Float32:
        """Return float32[n_items]: the cosine of every item with a vector; NaN where nothing is shared."""
        scores = np.asarray(self.vectors @ vector, np.float32)
        scores[scores == 0] = np.nan
        return scores

    def score(self, history: History) -> Float32:
        """Return float32[n_items]; NaN where it cannot say."""
        codes, signal, _ = _said(history)
        if not len(codes):
            return np.full(len(self.items), np.nan, np.float32)
        return self.like(np.asarray(self.vectors[codes].T @ signal, np.float32))

    def score_batch(self, histories: Any, k: int, exclude_seen: bool = True) -> TopK:
        """Return the best ``k`` items of every row of a CSR of histories."""
        csr = sp.csr_array(histories)
        top = TopK(np.full((csr.shape[0], k), -1, np.int32), np.full((csr.shape[0], k), np.nan, np.float32))
        for row in range(csr.shape[0]):
            own = slice(csr.indptr[row], csr.indptr[row + 1])
            scores = self.score(History.of(csr.indices[own], csr.data[own]))
            if exclude_seen:
                scores[csr.indices[own]] = np.nan
            able = np.flatnonzero(~np.isnan(scores))
            best = able[np.lexsort((able, -scores[able]))][:k]
            top.items[row, : len(best)], top.scores[row, : len(best)] = best, scores[best]
        return top

    def base(self, items: Int32) -> Float32:
        """Return float32[m] of zeros: without a history there is nothing to be like."""
        return np.zeros(len(items), np.float32)

    def contributions(self, history: History, items: Int32) -> Float32:
        """Return float32[m, len(history)]: what each entry adds; an item counts once, at its latest entry."""
        codes, signal, latest = _said(history)
        table = np.zeros((len(items), len(history)), np.float32)
        if len(codes):
            table[:, latest] = (self.vectors[items] @ self.vectors[codes].T).toarray() * signal
        return table


class Like(Struct, frozen=True, eq=False):
    """A scorer that compares with one item, known to the models or not.

    >>> items = [Item("a", "Green tea"), Item("b", "Black tea"), Item("c", "Coffee")]
    >>> like = Like.of(Content.of(Vocabulary.of("abc"), items), Item("new", "Rare tea"))
    >>> like.score(History.of([])).tolist(), like.base(np.int32([1])).tolist()
    ([1.0, 1.0, nan], [1.0])
    """

    personal: ClassVar[bool] = True
    base_code: ClassVar[str] = "page"

    scores: Float32
    "float32[n_items], the cosine of every item with it; NaN where nothing is shared."

    @classmethod
    def of(cls, content: Content, item: Item) -> Like:
        """Return the scorer of an item."""
        return cls(content.like(content.vector(item)))

    def score(self, history: History) -> Float32:
        """Return float32[n_items], whatever the history."""
        return self.scores

    def score_batch(self, histories: Any, k: int, exclude_seen: bool = True) -> TopK:
        """Return the same best ``k`` items for every history; nothing counts as seen."""
        able = np.flatnonzero(~np.isnan(self.scores))
        best = able[np.lexsort((able, -self.scores[able]))][:k].astype(np.int32)
        items = np.full(k, -1, np.int32)
        items[: len(best)] = best
        scores = np.full(k, np.nan, np.float32)
        scores[: len(best)] = self.scores[best]
        n = sp.csr_array(histories).shape[0]
        return TopK(np.tile(items, (n, 1)), np.tile(scores, (n, 1)))

    def base(self, items: Int32) -> Float32:
        """Return float32[m]: all of the score."""
        return self.scores[items]

    def contributions(self, history: History, items: Int32) -> Float32:
        """Return float32[m, len(history)] of zeros: no event is behind it."""
        return np.zeros((len(items), len(history)), np.float32)


def _said(history: History) -> tuple[Any, Float32, Any]:
    """Return distinct known items, what each says (1, 0 or -1), and its latest entry."""
    known = np.flatnonzero(history.items >= 0)[::-1]
    codes, first, place = np.unique(history.items[known], return_index=True, return_inverse=True)
    summed = np.bincount(place, weights=history.weights[known], minlength=len(codes))
    return codes, np.sign(summed).astype(np.float32), known[first]


def _counted(codes: list[int], items: list[Item]) -> pl.DataFrame:
    """Return code, term and times: how often each word and category stands at each item."""
    schema = {"code": pl.Int64(), "words": pl.String(), "group": pl.List(pl.String())}
    rows = [(code, f"{item.title} {item.text}", list(item.categories)) for code, item in zip(codes, items, strict=True)]
    table = pl.DataFrame(rows, schema=schema, orient="row")
    words = table.select("code", term=pl.col("words").str.to_lowercase().str.extract_all(r"[\p{L}\p{N}]+"))
    groups = table.select("code", term="group").explode("term").drop_nulls()
    counted = pl.concat(
        [
            words.explode("term").drop_nulls().select("code", "term", times=pl.lit(1.0)),
            groups.select("code", term=pl.lit("\x1f") + pl.col("term"), times=pl.lit(_CATEGORY)),
        ]
    )
    return counted.group_by("code", "term", maintain_order=True).agg(pl.col("times").sum())


def _unit(matrix: Matrix) -> Matrix:
    """Return the matrix with rows of length 1; rows of zeros stay."""
    length = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1))).ravel()
    matrix.data /= np.repeat(np.where(length > 0, length, 1.0), np.diff(matrix.indptr)).astype(np.float32)
    return matrix
