"""Events and items, encoded: the one thing learners learn from."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cached_property
from typing import Any, cast

import narwhals as nw
import numpy as np
import polars as pl
import scipy.sparse as sp

from penchant.core.arrays import Bool, Float32, Int64
from penchant.core.errors import EmptyData, InputError, MissingColumn
from penchant.core.nouns import History
from penchant.data.sparse import Matrix, matrix_of
from penchant.data.vocabulary import Vocabulary

__all__ = ["Dataset"]

_NEEDED = ("user", "item", "at")


class Dataset:
    """Everything people did, encoded and in time order a person. Immutable.

    >>> events = pl.DataFrame({"user": ["ann", "bob", "ann"], "item": ["tea", "tea", "milk"], "at": [1, 2, 3]})
    >>> data = Dataset.from_events(events)
    >>> data.n_users, data.n_items, data.n_events
    (2, 2, 3)
    >>> data.matrix.toarray().tolist()  # rows ann, bob; columns milk, tea
    [[1.0, 1.0], [0.0, 1.0]]
    """

    def __init__(
        self,
        users: Vocabulary,
        items: Vocabulary,
        frame: pl.DataFrame,
        catalogue: pl.DataFrame | None = None,
        weights: Mapping[str, float] | None = None,
        *,
        matrix: Matrix | None = None,
    ) -> None:
        """Take an encoded frame: user, item (Int32), at (Int64 microseconds), kind, value, weight; by user, then at.

        Who has its matrix already gives it along.
        """
        self.users = users
        self.items = items
        self.frame = frame
        self.catalogue = catalogue
        self.weights = dict(weights or {})
        if matrix is not None:
            self.__dict__["matrix"] = matrix

    @classmethod
    def from_events(
        cls,
        events: Any,
        items: Any = None,
        *,
        weights: Mapping[str, float] | None = None,
        valued: tuple[str, ...] = ("rating",),
    ) -> Dataset:
        """Return the dataset of a table of events.

        Args:
            events: what ``read_events`` returns, or any pandas, polars or Arrow table with columns user, item, at
                (a datetime, or integer microseconds since 1970 UTC) and optionally kind (purchase when absent) and
                value (1).
            items: a table of the catalogue with column id; its items join the vocabulary even when nobody touched them.
            weights: kind to weight; 1 for kinds not named, and for all when None, but -1 for dislike.
            valued: kinds whose value multiplies the weight. For all others only the sign of the value counts.

        Raises:
            MissingColumn: user, item or at is absent.
            EmptyData: there are no events.
            InputError: an id is null or a column has a type that cannot be used.
        """
        table = _polars(getattr(events, "table", events))
        catalogue = None if items is None else _polars(getattr(items, "table", items))
        for name in _NEEDED:
            if name not in table.columns:
                raise MissingColumn(
                    f"the events have no column {name!r}",
                    got=", ".join(table.columns),
                    allowed="user, item, at, kind, value",
                    then="rename it, or read with read_events",
                )
        if table.is_empty():
            raise EmptyData("there are no events", then="check the file and its quality report")
        chosen = {"dislike": -1.0} if weights is None else dict(weights)
        table = _canonical(table, chosen, valued)
        known = (
            table["item"]
            if catalogue is None
            else pl.concat([table["item"], catalogue["id"].cast(pl.String).alias("item")])
        )
        users, vocabulary = Vocabulary.of(table["user"]), Vocabulary.of(known)
        frame = table.with_columns(
            user=pl.Series(users.codes(table["user"])), item=pl.Series(vocabulary.codes(table["item"]))
        ).sort("user", "at", maintain_order=True)
        return cls(users, vocabulary, frame, catalogue, chosen)

    @classmethod
    def from_matrix(cls, matrix: Any, users: Any = None, items: Any = None) -> Dataset:
        """Return the dataset of a users x items matrix; every stored entry becomes one event of that weight.

        Ids are the row and column numbers as text, unless given in the matrix's order.

        >>> Dataset.from_matrix(sp.csr_array([[1, 0], [2, 3]])).n_events
        3

        Raises:
            InputError: an entry is not finite, or the ids do not fit the shape.
        """
        csr = _canonical_matrix(matrix)
        value = csr.data
        if not np.isfinite(value).all():
            raise InputError("the matrix has an entry that is not finite", got=float(value[~np.isfinite(value)][0]))
        n_users, n_items = csr.shape
        frame = pl.DataFrame(
            {
                "user": np.repeat(np.arange(n_users, dtype=np.int32), np.diff(csr.indptr)),
                "item": csr.indices.astype(np.int32, copy=False),
                "at": np.zeros(csr.nnz, np.int64),
                "value": value.astype(np.float64),
                "weight": value,
            }
        ).with_columns(kind=pl.lit("purchase", pl.Categorical))
        return cls(_named(users, n_users, "users"), _named(items, n_items, "items"), frame, matrix=csr)

    @property
    def n_users(self) -> int:
        """How many users the vocabulary has."""
        return len(self.users)

    @property
    def n_items(self) -> int:
        """How many items the vocabulary has."""
        return len(self.items)

    @property
    def n_events(self) -> int:
        """How many events there are."""
        return self.frame.height

    def __repr__(self) -> str:
        return f"Dataset({self.n_users:,} users, {self.n_items:,} items, {self.n_events:,} events)"

    @cached_property
    def indptr(self) -> Int64:
        """int64[n_users + 1]: the events of user u are rows indptr[u] to indptr[u + 1]."""
        counts = np.bincount(self.column("user"), minlength=self.n_users)
        return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)

    @cached_property
    def matrix(self) -> Matrix:
        """CSR float32[n_users, n_items]: the sum of event weights; an entry that sums to 0 stays stored, as seen."""
        return self.csr(self.column("weight"))

    @cached_property
    def support(self) -> Int64:
        """int64[n_items]: how many users touched each item."""
        return np.bincount(self.matrix.indices, minlength=self.n_items)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the events and both vocabularies, as hex."""
        sha = hashlib.sha256()
        for vocabulary in (self.users, self.items):
            sha.update("\0".join(vocabulary).encode())
            sha.update(b"\1")
        for name in ("user", "item", "at", "weight"):
            sha.update(np.ascontiguousarray(self.column(name)).data)
        return sha.hexdigest()

    def column(self, name: str) -> Any:
        """Return a numeric column of the frame as a NumPy array."""
        return self.frame[name].to_numpy()

    def csr(self, weights: Float32) -> Matrix:
        """Return CSR float32[n_users, n_items]: ``weights`` (float32[n_events]) summed a user and item, zeros kept."""
        return matrix_of(weights, self.column("item"), self.column("user"), (self.n_users, self.n_items))

    def history(self, user: str) -> History:
        """Return what one user did; empty for a user who is not in the vocabulary.

        >>> data = Dataset.from_events(pl.DataFrame({"user": ["ann", "ann"], "item": ["tea", "milk"], "at": [1, 2]}))
        >>> data.history("ann").items.tolist()
        [1, 0]
        """
        return self.history_of(self.users.code(user))

    def history_of(self, code: int) -> History:
        """Return what the user of a code did; empty for -1."""
        start, stop = (self.indptr[code], self.indptr[code + 1]) if code >= 0 else (0, 0)
        part = self.frame[int(start) : int(stop)]
        return History(
            part["item"].to_numpy(),
            part["weight"].to_numpy(),
            part["at"].to_numpy(),
            tuple(part["kind"].cast(pl.String)),
        )

    def select(self, rows: Bool) -> Dataset:
        """Return the dataset of the events where ``rows`` (bool[n_events]) is true; the vocabularies stay."""
        return Dataset(self.users, self.items, self.frame.filter(pl.Series(rows)), self.catalogue, self.weights)

    def over(self, items: Vocabulary) -> Dataset:
        """Return the dataset with the codes of another vocabulary of items, which must hold all that events name.

        >>> data = Dataset.from_events(pl.DataFrame({"user": ["ann"], "item": ["tea"], "at": [1]}))
        >>> data.over(Vocabulary.of(["jam", "milk", "tea"])).column("item").tolist()
        [2]

        Raises:
            InputError: an item that occurs is not in it.
        """
        if items is self.items or items == self.items:
            return self
        codes = items.codes(self.items.series)[self.column("item")]
        if (codes < 0).any():
            unknown = self.items.ids(np.unique(self.column("item")[codes < 0])[:3])
            raise InputError(
                "the vocabulary lacks items of these events", got=", ".join(unknown), then="bring vocabulary.union(...)"
            )
        frame = self.frame.with_columns(item=pl.Series(codes, dtype=pl.Int32))
        return Dataset(self.users, items, frame, self.catalogue, self.weights)

    def filter(self, *, min_users: int = 1, min_items: int = 1) -> Dataset:
        """Return the events of items that ``min_users`` users touched, then of users with ``min_items`` such items.

        The vocabularies stay, so that codes keep their meaning.

        Raises:
            EmptyData: no user is left.
        """
        kept = self.select((self.support >= min_users)[self.column("item")])
        active = np.diff(kept.matrix.indptr) >= min_items
        kept = kept.select(active[kept.column("user")])
        if not kept.n_events:
            raise EmptyData(
                "no users are left after the filter",
                got=f"min_users={min_users}, min_items={min_items}",
                allowed=f"at most {int(self.support.max(initial=0))} users per item here",
                then="lower the thresholds or bring more events",
            )
        return kept


def _polars(table: Any) -> pl.DataFrame:
    """Return any pandas, polars or Arrow table as a polars frame."""
    if isinstance(table, pl.LazyFrame):
        return table.collect()
    try:
        frame: pl.DataFrame = nw.from_native(table, eager_only=True).to_polars()
        return frame
    except TypeError as error:
        raise InputError(
            "not a table",
            got=type(table).__name__,
            allowed="a pandas, polars or Arrow table",
            then="read a file with penchant.read_events",
        ) from error


def _canonical(table: pl.DataFrame, weights: Mapping[str, float], valued: tuple[str, ...]) -> pl.DataFrame:
    defaults = {"kind": pl.lit("purchase"), "value": pl.lit(1.0)}
    table = table.with_columns(**{name: value for name, value in defaults.items() if name not in table.columns})
    read = {
        "user": pl.col("user").cast(pl.String),
        "item": pl.col("item").cast(pl.String),
        "at": _moment(table.schema["at"]),
        "kind": pl.col("kind").cast(pl.Categorical),
        "value": pl.col("value").cast(pl.Float64),
    }
    try:
        table = table.select(**read)
    except pl.exceptions.PolarsError as error:
        raise _unusable(table, read) from error
    bad = table.null_count().row(0, named=True)
    if any(bad.values()) or not table["value"].is_finite().all():
        raise InputError(
            "the events have missing or non-finite values",
            got=", ".join(f"{k}: {v}" for k, v in bad.items() if v) or "a value that is not finite",
            then="read_events finds and reports such rows",
        )
    kinds = table["kind"].unique().cast(pl.String).to_list()
    each = (
        pl.col("kind")
        .cast(pl.String)
        .replace_strict({k: float(weights.get(k, 1.0)) for k in kinds}, return_dtype=pl.Float64)
    )
    times = (
        pl.when(pl.col("kind").cast(pl.String).is_in(valued)).then(pl.col("value")).otherwise(pl.col("value").sign())
    )
    return table.with_columns(weight=(each * times).cast(pl.Float32))


def _unusable(table: pl.DataFrame, read: Mapping[str, pl.Expr]) -> InputError:
    """Return the error that names the first column that cannot be read, by its type and first value."""
    name = next(name for name, expr in read.items() if not _can_read(table, expr))
    column = table[name].drop_nulls()
    shown = f"{column.dtype}, {str(column[0])[:40]!r}" if len(column) else str(column.dtype)
    allowed = {
        "at": "a datetime, or whole microseconds since 1970 UTC",
        "value": "a number",
        "kind": "text",
    }
    return InputError(
        f"the column {name!r} has a type that cannot be used",
        got=shown.splitlines()[0],
        allowed=allowed.get(name, "text or numbers"),
        then="let read_events understand it: Dataset.from_events(penchant.read_events(table))",
        field=name,
    )


def _can_read(table: pl.DataFrame, expr: pl.Expr) -> bool:
    try:
        table.select(expr)
    except pl.exceptions.PolarsError:
        return False
    return True


def _moment(dtype: pl.DataType) -> pl.Expr:
    if isinstance(dtype, pl.Datetime):
        at = pl.col("at") if dtype.time_zone is None else pl.col("at").dt.convert_time_zone("UTC")
        return at.dt.epoch("us")
    if dtype == pl.Date:
        return pl.col("at").cast(pl.Datetime("us")).dt.epoch("us")
    return pl.col("at").cast(pl.Int64)


def _canonical_matrix(matrix: Any) -> Matrix:
    """Return a copy as CSR float32 with ascending columns, none twice in a row."""
    csr = sp.csr_array(matrix, dtype=np.float32, copy=True)
    csr.sum_duplicates()
    return cast("Matrix", csr)


def _named(ids: Any, n: int, what: str) -> Vocabulary:
    if ids is None:
        return Vocabulary(pl.int_range(n, eager=True).cast(pl.String))
    names = list(ids)
    if len(names) != n or len(set(names)) != n:
        raise InputError(
            f"the {what} do not fit the matrix",
            got=f"{len(set(names))} distinct of {len(names)}",
            allowed=f"{n} distinct ids",
        )
    return Vocabulary(pl.Series(names, dtype=pl.String))
