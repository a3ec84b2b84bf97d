"""How arrays travel into kernels: few named bundles instead of many loose arrays."""

from __future__ import annotations

from typing import Any, NamedTuple, cast

import numpy as np

from penchant.core.arrays import Float32, Float64, Int32, Int64

__all__ = ["ZERO", "Best", "Elastic", "Likeness", "Linear", "Meets", "Rows", "Scale", "Side", "Space", "Square"]

ZERO = cast("int", np.int64(0))
"""Where a kernel's counter begins that it hands to others: for a literal 0 these would be compiled once more."""


class Rows(NamedTuple):
    """Rows of a sparse matrix (CSR).

    >>> import numpy as np
    >>> rows = Rows(np.int64([0, 2, 3]), np.int32([0, 4, 1]), np.float32([1, 1, 2]))
    >>> rows.indices[rows.indptr[0] : rows.indptr[1]].tolist()  # the columns of row 0
    [0, 4]
    """

    indptr: Int64
    "int64[b + 1], from 0."
    indices: Int32
    "int32[nnz], columns."
    data: Any
    "float32[nnz], or whole numbers where they count."


class Linear(NamedTuple):
    """A sparse item-item matrix, and what every score starts from.

    >>> import numpy as np
    >>> postings = Rows(np.int64([0, 1, 1]), np.int32([1]), np.float32([0.5]))  # item 0 in a history adds 0.5 to item 1
    >>> Linear(postings, base=np.float32([0, 0.25])).base.tolist()
    [0.0, 0.25]
    """

    postings: Rows
    "n rows over n columns."
    base: Float32
    "float32[n]."


class Space(NamedTuple):
    """The items a scorer can rank.

    >>> import numpy as np
    >>> space = Space(codes=np.int32([2, 5]), positions=np.int32([-1, -1, 0, -1, -1, 1]))
    >>> space.codes[space.positions[[2, 5]]].tolist()
    [2, 5]
    """

    codes: Int32
    "int32[n], ascending."
    positions: Int32
    "int32[n_items], the inverse: the place of an item in codes, -1 when it has none."


class Best(NamedTuple):
    """Where the best k of each row are written.

    >>> import numpy as np
    >>> from penchant.kernels.topk import top_k
    >>> best = Best(np.empty((1, 3), np.int32), np.empty((1, 3), np.float32))
    >>> top_k(np.float32([0.25, 0.75]), np.int32([3, 8]), best.items[0], best.scores[0])
    >>> best.items.tolist(), best.scores.tolist()
    ([[8, 3, -1]], [[0.75, 0.25, nan]])
    """

    items: Int32
    "int32[b, k], codes, best first; -1 in slots that stay empty."
    scores: Float32
    "float32[b, k]; NaN in slots that stay empty."


class Meets(NamedTuple):
    """Who holds each item, and where their later items stand: half of all meetings, each once.

    >>> import numpy as np
    >>> one = np.int32([1, 1])  # one person: items 0 and 1
    >>> meets = Meets(np.int64([0, 1, 2]), np.int64([0, 1]), np.int64([2, 2]), np.int32([0, 1]), one)
    >>> meets.items[meets.first[0] : meets.last[0]].tolist()  # what item 0 meets, itself first
    [0, 1]
    """

    indptr: Int64
    "int64[n + 1], the holders of each item."
    first: Int64
    "int64[nnz], for each holder where the item stands in ``items``."
    last: Int64
    "int64[nnz], where the holder's items end."
    items: Any
    "uint16[nnz], or int32 where there are more items than that holds: the items of all people, ascending a person."
    weights: Int32
    "int32[nnz], what each holder counts."


class Likeness(NamedTuple):
    """What turns how often two items meet into how similar they are.

    >>> import numpy as np
    >>> norms = np.sqrt(np.float64([4, 9]))
    >>> cosine = Likeness(norms, norms, shrinkage=0.0, union=False)
    >>> float(3 / (cosine.left[0] * cosine.right[1] + cosine.shrinkage))
    0.5
    """

    left: Float64
    "float64[n], the norm of an item of a history."
    right: Float64
    "float64[n], the norm of a candidate."
    shrinkage: float
    "0 or more, added to what is divided by."
    union: bool
    "Divide by left + right - count, the size of the union, instead of by left times right."


class Scale(NamedTuple):
    """What turns an inner product into a similarity: product / (norm norm + shrinkage).

    >>> import numpy as np
    >>> norms, shrinkage = Scale(np.float32([2, 3]), 4.0)
    >>> float(5 / (norms[0] * norms[1] + shrinkage))
    0.5
    """

    norms: Float32
    "float32[n]."
    shrinkage: float
    "0 or more."


class Side(NamedTuple):
    """The side of a factorization that stands still.

    >>> import numpy as np
    >>> vectors = np.float32([[1, 0], [1, 1]])
    >>> Side(vectors, 0.5 * (vectors.T @ vectors).astype(np.float64)).gram.tolist()
    [[1.0, 0.5], [0.5, 0.5]]
    """

    vectors: Float32
    "float32[m, d]."
    gram: Float64
    "float64[d, d]: unobserved weight times vectors' vectors."


class Square(NamedTuple):
    """A symmetric matrix of counts whose rows are read at random: all cells in float32, or else sparse rows.

    >>> import numpy as np
    >>> cells = np.float32([[3, 1], [1, 5]])
    >>> none = np.zeros(0, np.int64)
    >>> square = Square(none, none, none.astype(np.int32), none.astype(np.float32), cells, cells.diagonal())
    >>> square.diagonal.tolist(), len(square.dense)
    ([3.0, 5.0], 2)
    """

    indptr: Int64
    "int64[n + 1], from 0; empty where ``dense`` holds the cells."
    later: Int64
    "int64[n], where the columns after the diagonal begin in each row; the items are in the order of their row lengths."
    indices: Int32
    "int32[nnz], ascending columns of each row."
    data: Float32
    "float32[nnz]."
    dense: Float32
    "float32[n, n], C order; empty where the rows are sparse."
    diagonal: Float32
    "float32[n]."


class Elastic(NamedTuple):
    """An elastic net: what weights cost, and when to stop.

    >>> Elastic(l1=1.0, l2=5.0, tolerance=1e-4, epochs=100, k=50).l2
    5.0
    """

    l1: float
    "0 or more, times the sum of the weights."
    l2: float
    "0 or more, times half the sum of their squares."
    tolerance: float
    "The largest slope that may be left, as a share of the largest count."
    epochs: int
    "Rounds over the weights of an item at most."
    k: int
    "Weights kept an item."
