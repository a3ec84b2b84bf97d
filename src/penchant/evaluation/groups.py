"""Users and items by what is known of them: the values of a column as groups."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import msgspec
import narwhals as nw
import numpy as np
import polars as pl
import scipy.sparse as sp
from msgspec import Struct

from penchant.core.arrays import Int64
from penchant.core.errors import InputError, MissingColumn
from penchant.data.dataset import Dataset
from penchant.data.vocabulary import Vocabulary
from penchant.evaluation.metrics.lists import long_tail

__all__ = [
    "KNOWN_ITEM",
    "KNOWN_USER",
    "MOST",
    "UNKNOWN",
    "Groups",
    "cold_groups",
    "grouped",
    "history_groups",
    "item_groups",
    "user_groups",
]

MOST = 50
"Groups that one column may make."

_FEW = 12
"A column of numbers with more values than this is cut into quarters."

KNOWN_ITEM = 10
"Users who must have touched an item for it to be known."

KNOWN_USER = 5
"Items that a history must hold for its user to be known."

_BANDS = (1, 2, 5, 10, 20, 50)
UNKNOWN = "unknown"
"The group of what a column says nothing of."


class Groups(Struct, frozen=True, eq=False):
    """Labels, and who is in which; one may be in several.

    >>> groups = grouped(pl.Series("country", ["SE", "NO", None, "SE"]))
    >>> groups.labels, groups.member.toarray().astype(int).tolist()
    (('NO', 'SE', 'unknown'), [[0, 1, 0], [1, 0, 0], [0, 0, 1], [0, 1, 0]])
    """

    labels: tuple[str, ...]
    "In the order in which they are shown."
    member: sp.csr_array
    "CSR bool[n, g]."

    def known(self) -> Groups:
        """Return the groups without that of what is not known.

        >>> grouped(pl.Series("country", ["SE", None])).known().labels
        ('SE',)
        """
        kept = [i for i, label in enumerate(self.labels) if label != UNKNOWN]
        return Groups(tuple(self.labels[i] for i in kept), sp.csc_array(self.member)[:, kept].tocsr())

    def of(self, group: int) -> Int64:
        """Return int64[...]: the members of a group, ascending."""
        return np.sort(sp.csc_array(self.member)[:, [group]].nonzero()[0]).astype(np.int64)


def grouped(column: pl.Series, *, most: int | None = MOST, unknown: bool = True) -> Groups:
    """Return the groups that a column makes: of equal values, of the entries of lists, or quarters of many numbers.

    A null is in the group ``unknown``, or in none. Numbers with more than 12 different values are cut at the quartiles.

    >>> grouped(pl.Series("price", [float(p) for p in range(20)])).labels
    ('0 to 4.75', '4.75 to 9.5', '9.5 to 14.25', '14.25 to 19')
    >>> groups = grouped(pl.Series("categories", [["tea"], ["tea", "gift"], []]))
    >>> groups.labels, groups.member.sum(axis=0).tolist()
    (('gift', 'tea', 'unknown'), [1, 2, 1])

    Raises:
        InputError: there are more than ``most`` groups, or the column holds neither texts, numbers, truths nor dates.
    """
    if column.dtype.is_numeric() and column.n_unique() > _FEW:
        return _quarters(column)
    frame = pl.DataFrame({"row": pl.int_range(len(column), eager=True), "value": column})
    if isinstance(column.dtype, pl.List | pl.Array):
        frame = frame.explode("value", empty_as_null=True, keep_nulls=True)
    if frame["value"].dtype.is_nested():
        raise InputError("a column makes no groups", got=f"{column.name}: {column.dtype}", then="choose one of texts")
    values = frame["value"].drop_nulls().unique().sort()
    if most is not None and len(values) > most:
        raise InputError(
            "a column makes too many groups",
            got=f"{column.name}: {len(values):,}",
            allowed=f"at most {most}",
            then="group its values first",
            field="by",
        )
    labels = [str(value) for value in values.cast(pl.String)]
    code = pl.col("value").cast(pl.String).replace_strict(labels, list(range(len(labels))), default=None)
    coded = frame.select("row", code=code.cast(pl.Int64))
    if unknown and coded["code"].null_count():
        coded = coded.with_columns(pl.col("code").fill_null(len(labels)))
        labels.append(UNKNOWN)
    coded = coded.drop_nulls().unique()
    return _members(coded["row"].to_numpy(), coded["code"].to_numpy(), len(column), labels)


def user_groups(users: Vocabulary, table: Any, column: str) -> Groups:
    """Return the groups of users by a column of a table that has a row for each, under ``user`` or ``id``.

    >>> table = pl.DataFrame({"user": ["ann", "bob"], "country": ["SE", "NO"]})
    >>> user_groups(Vocabulary.of(["ann", "bob", "cyd"]), table, "country").labels
    ('NO', 'SE', 'unknown')

    Raises:
        MissingColumn: the table has no such column, or none that names the user.
        InputError: the column makes no groups, or too many.
    """
    frame: pl.DataFrame = nw.from_native(table, eager_only=True).to_polars()
    name = "user" if "user" in frame.columns else "id"
    return grouped(_aligned(users, frame, name, column))


def item_groups(data: Dataset, column: str, *, most: int | None = MOST, unknown: bool = True) -> Groups:
    """Return the groups of items by a column of the catalogue, or by a key of its attributes; or by ``popularity``.

    Two columns need no catalogue: ``popularity`` are the head and the long tail of :func:`long_tail`, and ``cold``
    tells items that nobody has touched yet, and those of fewer than 10 users, from the known ones.

    >>> from penchant.data.dataset import Dataset
    >>> events = pl.DataFrame({"user": ["ann", "bob", "cyd"], "item": ["tea", "tea", "jam"], "at": [1, 2, 3]})
    >>> shop = pl.DataFrame({"id": ["tea", "jam"], "attributes": ['{"brand": "Elm"}', '{"brand": "Oak"}']})
    >>> data = Dataset.from_events(events, shop)
    >>> item_groups(data, "brand").labels, item_groups(data, "popularity").of(1).tolist()
    (('Elm', 'Oak'), [])

    Raises:
        MissingColumn: there is no catalogue, or it has no such column.
        InputError: the column makes no groups, or too many.
    """
    catalogue = data.catalogue
    if catalogue is not None and column not in catalogue.columns:
        catalogue = catalogue.with_columns(_attribute(catalogue, column))
    if column == "popularity" and (catalogue is None or column not in catalogue.columns):
        tail = long_tail(data.support).astype(np.int64)
        return _members(np.arange(len(tail)), tail, len(tail), ["head", "tail"])
    if column == "cold" and (catalogue is None or column not in catalogue.columns):
        return cold_groups(data.support, KNOWN_ITEM, "users")
    if catalogue is None:
        raise MissingColumn(f"there is no catalogue with a column {column!r}", then="bring items", field="by")
    if column not in catalogue.columns:
        raise MissingColumn(
            f"the catalogue has no column {column!r}, and no item an attribute of that name",
            got=", ".join([*catalogue.columns, *_attribute_names(catalogue)]),
            then=f"read it as an attribute: --map-item attributes={column}, or read_items(..., "
            f"attributes=[{column!r}])",
            field="by",
        )
    return grouped(_aligned(data.items, catalogue, "id", column), most=most, unknown=unknown)


def history_groups(lengths: Int64) -> Groups:
    """Return the groups of users by how many items their histories hold.

    >>> groups = history_groups(np.array([1, 3, 80, 4]))
    >>> groups.labels, groups.of(1).tolist()
    (('1', '2 to 4', '5 to 9', '10 to 19', '20 to 49', '50 or more'), [1, 3])
    """
    labels = [f"{a} to {b - 1}" if b - a > 1 else f"{a}" for a, b in pairwise(_BANDS)]
    place = np.searchsorted(_BANDS, lengths, side="right") - 1
    return _members(np.arange(len(lengths)), place.clip(min=0), len(lengths), [*labels, f"{_BANDS[-1]} or more"])


def cold_groups(counts: Int64, known: int, what: str) -> Groups:
    """Return what is new (0), cold (fewer than ``known``) and known, by how much has been seen of each.

    >>> groups = cold_groups(np.array([0, 3, 80]), 10, "users")
    >>> groups.labels, groups.of(1).tolist()
    (('new', 'cold (1 to 9 users)', 'known (10 users or more)'), [1])
    """
    labels = ["new", f"cold (1 to {known - 1} {what})", f"known ({known} {what} or more)"]
    return _members(np.arange(len(counts)), np.searchsorted((1, known), counts, side="right"), len(counts), labels)


def _attribute(catalogue: pl.DataFrame, key: str) -> list[pl.Series]:
    """Return the attribute of every item as a column; none when no item has it."""
    if catalogue.schema.get("attributes") != pl.String:
        return []
    values = [_object(text).get(key) for text in catalogue["attributes"].fill_null("{}")]
    if all(value is None or type(value) in (int, float) for value in values):
        column = pl.Series(key, values, dtype=pl.Float64, strict=False)
    else:
        column = pl.Series(key, [_text(value) for value in values], dtype=pl.String)
    return [] if column.null_count() == len(column) else [column]


def _attribute_names(catalogue: pl.DataFrame) -> list[str]:
    if catalogue.schema.get("attributes") != pl.String:
        return []
    return sorted({f"attributes: {key}" for text in catalogue["attributes"].drop_nulls() for key in _object(text)})


def _object(text: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.DecodeError:
        return {}


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else msgspec.json.encode(value).decode()


def _aligned(vocabulary: Vocabulary, table: pl.DataFrame, name: str, column: str) -> pl.Series:
    """Return the column in the order of a vocabulary, null where the table lacks an id; of doubles the last counts."""
    for needed in (name, column):
        if needed not in table.columns:
            raise MissingColumn(f"the table has no column {needed!r}", got=", ".join(table.columns), field="by")
    known = table.select(pl.col(name).cast(pl.String).alias("_id"), pl.col(column).alias("_value"))
    known = known.unique("_id", keep="last")
    asked = pl.DataFrame({"_id": vocabulary.series.cast(pl.String)})
    return asked.join(known, on="_id", how="left", maintain_order="left")["_value"].alias(column)


def _quarters(column: pl.Series) -> Groups:
    numbers = column.cast(pl.Float64).fill_nan(None).to_numpy()
    known = np.flatnonzero(~np.isnan(numbers))
    edges = np.unique(np.quantile(numbers[known], [0, 0.25, 0.5, 0.75, 1]))
    place = np.searchsorted(edges[1:-1], numbers[known], side="right")
    labels = [f"{a:g} to {b:g}" for a, b in pairwise(edges.tolist())]
    rows, codes = known, place
    if len(known) < len(numbers):
        rows = np.concatenate([known, np.flatnonzero(np.isnan(numbers))])
        codes = np.concatenate([place, np.full(len(numbers) - len(known), len(labels))])
        labels.append(UNKNOWN)
    return _members(rows, codes, len(column), labels)


def _members(rows: Any, codes: Any, n: int, labels: list[str]) -> Groups:
    ones = np.ones(len(rows), np.bool_)
    return Groups(tuple(labels), sp.csr_array((ones, (rows, codes)), shape=(n, len(labels))))
