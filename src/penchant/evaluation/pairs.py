"""Sets of pairs of a user and an item."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from penchant.core.arrays import Bool, Int32, Int64

__all__ = ["Pairs"]


class Pairs:
    """A set of (row, item) pairs, made for asking whether it holds many at once.

    >>> pairs = Pairs(sp.csr_array(np.array([[1, 0, 1], [0, 1, 0]])))
    >>> pairs.holds(np.array([0, 1]), np.int32([[2, 1], [1, -1]])).tolist()
    [[True, False], [True, False]]
    >>> pairs.counts.tolist()
    [2, 1]
    """

    def __init__(self, matrix: sp.csr_array) -> None:
        """Take the stored entries of a CSR, zeros too."""
        self.counts: Int64 = np.diff(matrix.indptr).astype(np.int64)
        self._width = matrix.shape[1]
        rows = np.repeat(np.arange(matrix.shape[0], dtype=np.int64), self.counts)
        self._keys: Int64 = np.sort(rows * self._width + matrix.indices)

    @classmethod
    def _of(cls, keys: Int64, n: int, width: int) -> Pairs:
        made = cls.__new__(cls)
        made.counts = np.bincount(keys // width, minlength=n).astype(np.int64)
        made._width, made._keys = width, keys
        return made

    @property
    def indptr(self) -> Int64:
        """int64[n + 1]: the items of row i are ``items[indptr[i] : indptr[i + 1]]``."""
        return np.concatenate([[0], np.cumsum(self.counts)])

    @property
    def items(self) -> Int32:
        """int32[pairs]: the items, row after row, ascending in each."""
        return (self._keys % self._width).astype(np.int32)

    @property
    def width(self) -> int:
        """How many items there are."""
        return self._width

    def only(self, items: Bool) -> Pairs:
        """Return the pairs whose item is in ``items`` (bool[width]); the rows stay.

        >>> Pairs(sp.csr_array(np.array([[1, 0, 1], [0, 1, 0]]))).only(np.array([True, True, False])).counts.tolist()
        [1, 1]
        """
        return Pairs._of(self._keys[items[self.items]], len(self.counts), self._width)

    def rows(self, rows: Int64) -> Pairs:
        """Return the pairs of some rows (ascending), which are numbered anew.

        >>> Pairs(sp.csr_array(np.array([[1, 0, 1], [0, 1, 0]]))).rows(np.array([1])).items.tolist()
        [1]
        """
        number = np.full(len(self.counts), -1, np.int64)
        number[rows] = np.arange(len(rows))
        place = number[self._keys // self._width]
        kept = place >= 0
        return Pairs._of(place[kept] * self._width + self._keys[kept] % self._width, len(rows), self._width)

    def holds(self, rows: Int64, items: Int32) -> Bool:
        """Return bool[n, k]: is (rows[i], items[i, j]) in the set? An item of -1 never is."""
        wanted = rows[:, None] * self._width + items
        if not len(self._keys):
            return np.zeros(items.shape, np.bool_)
        at = np.minimum(np.searchsorted(self._keys, wanted), len(self._keys) - 1)
        found: Bool = (self._keys[at] == wanted) & (items >= 0)
        return found
