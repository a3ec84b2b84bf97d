"""How arrays travel into kernels: few named bundles instead of many loose arrays."""

from __future__ import annotations

from typing import NamedTuple

from penchant.core.arrays import Float32, Float64, Int32, Int64

__all__ = ["Best", "Linear", "Rows", "Scale", "Side", "Space"]


class Rows(NamedTuple):
    """Rows of a sparse matrix (CSR)."""

    indptr: Int64
    "int64[b + 1], from 0."
    indices: Int32
    "int32[nnz], columns."
    data: Float32
    "float32[nnz]."


class Linear(NamedTuple):
    """A sparse item-item matrix, and what every score starts from."""

    postings: Rows
    "n rows over n columns."
    base: Float32
    "float32[n]."


class Space(NamedTuple):
    """The items a scorer can rank."""

    codes: Int32
    "int32[n], ascending."
    positions: Int32
    "int32[n_items], the inverse: the place of an item in codes, -1 when it has none."


class Best(NamedTuple):
    """Where the best k of each row are written."""

    items: Int32
    "int32[b, k], codes, best first; -1 in slots that stay empty."
    scores: Float32
    "float32[b, k]; NaN in slots that stay empty."


class Scale(NamedTuple):
    """What turns an inner product into a similarity: product / (norm norm + shrinkage)."""

    norms: Float32
    "float32[n]."
    shrinkage: float
    "0 or more."


class Side(NamedTuple):
    """The side of a factorization that stands still."""

    vectors: Float32
    "float32[m, d]."
    gram: Float64
    "float64[d, d]: unobserved weight times vectors' vectors."
