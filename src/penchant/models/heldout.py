"""Choosing how many singular vectors to keep: learnt from most of the likes, judged by the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from penchant.core.arrays import Float32, Int64
from penchant.core.executor import Executor, blocks
from penchant.data.sparse import Matrix, matrix_of, row_numbers

__all__ = ["MOST", "Held", "best_rank", "hold_out", "ranks"]

MOST = 256
"At most this many vectors are kept where nothing else was asked for."
SHARE, PEOPLE, LENGTH = 0.1, 4_000, 20
"Of the likes how many are held out; at most how many people are asked; how long their lists are."


class Held(NamedTuple):
    """Likes cut in two at random, and whom to ask.

    >>> one, other = (matrix_of([1], [column], [0], (1, 2)) for column in (0, 1))
    >>> Held(one, other, np.int64([0])).people.tolist()
    [0]
    """

    learn: Matrix
    "CSR float32[users, n]: what is learnt from."
    wanted: Matrix
    "CSR float32[users, n]: what is to be foreseen."
    people: Int64
    "int64[b], rows with something in both parts; drawn evenly."


def hold_out(matrix: Matrix, rng: np.random.Generator) -> Held:
    """Return a matrix of likes cut in two, a tenth of its entries held out.

    >>> from penchant.testing import checkerboard
    >>> held = hold_out(checkerboard(10).matrix, np.random.default_rng(0))
    >>> held.learn.nnz + held.wanted.nnz == checkerboard(10).matrix.nnz
    True
    """
    mine, user = rng.random(matrix.nnz) >= SHARE, row_numbers(matrix)
    learn, wanted = (
        matrix_of(np.ones(np.count_nonzero(part), np.float32), matrix.indices[part], user[part], matrix.shape)
        for part in (mine, ~mine)
    )
    people = np.flatnonzero((np.diff(learn.indptr) > 0) & (np.diff(wanted.indptr) > 0))
    drawn = np.unique(np.linspace(0, max(len(people) - 1, 0), min(PEOPLE, len(people))).astype(np.int64))
    return Held(learn, wanted, people[drawn])


def ranks(most: int) -> list[int]:
    """Return the numbers of singular vectors that are tried: 8 times powers of the root of 2, up to the most.

    >>> ranks(40), ranks(5)
    ([8, 11, 16, 22, 32, 40], [5])
    """
    steps = [int(8 * 2 ** (i / 2)) for i in range(64)]
    return [rank for rank in steps if rank < most] + [most]


def best_rank(
    held: Held, sides: tuple[Float32, Float32], start: Callable[[Matrix], Any] | None, executor: Executor
) -> int:
    """Return with how many of the factors the people asked find most of what was held out, by NDCG@20.

    Memory is 16 n bytes for each of 64 people in a thread; time is 2 d n for each, and n for each rank tried.

    >>> from penchant.core.executor import LOCAL
    >>> from penchant.testing import checkerboard
    >>> held = hold_out(checkerboard(40).matrix, np.random.default_rng(0))
    >>> noise = np.random.default_rng(1).normal(0, 0.1, (38, 40))
    >>> ways = np.concatenate([np.tile(np.eye(2), 20), noise])  # of odd and even items, and nothing
    >>> best_rank(held, (np.float32(ways.T), np.float32(ways)), None, LOCAL) < 38
    True

    Args:
        held: likes cut in two.
        sides: float32[n, d] and float32[d, n], whose product maps a history to scores; the leading ones first.
        start: gives the scores that histories, CSR float32[b, n], begin with; None: 0.
        executor: where the work runs.
    """
    left, right = sides
    tried = ranks(left.shape[1])

    def part(block: tuple[int, int]) -> Any:
        rows: Any = held.learn[held.people[slice(*block)]]
        wanted = held.wanted[held.people[slice(*block)]].toarray() > 0
        scores = np.zeros(rows.shape, np.float32) if start is None else np.asarray(start(rows), np.float32)
        seen, found, done = rows.toarray() > 0, [], 0
        for rank in tried:
            scores += (rows @ left[:, done:rank]) @ right[done:rank]
            found.append(_ndcg(np.where(seen, -np.inf, scores), wanted))
            done = rank
        return np.array(found)

    total = sum(executor.map(part, blocks(len(held.people), 64)), np.zeros(len(tried)))
    return tried[int(np.argmax(total))]


def _ndcg(scores: Any, wanted: Any) -> float:
    """Return the summed NDCG@20 of rows of scores."""
    k = min(LENGTH, scores.shape[1])
    best = np.argpartition(-scores, k - 1, axis=1)[:, :k]
    order = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1, kind="stable")
    best = np.take_along_axis(best, order, axis=1)
    gain = 1.0 / np.log2(np.arange(k) + 2.0)
    most = np.cumsum(gain)[np.minimum(wanted.sum(axis=1), k) - 1]
    return float(((np.take_along_axis(wanted, best, axis=1) * gain).sum(axis=1) / most).sum())
