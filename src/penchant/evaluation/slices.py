"""Parts of the users, and of what they wanted, by a column of either."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals as nw
import numpy as np
from msgspec import Struct

from penchant.core.arrays import Bool, Int64
from penchant.core.errors import InputError
from penchant.data.split import Split
from penchant.evaluation.groups import KNOWN_USER, Groups, cold_groups, history_groups, item_groups, user_groups
from penchant.evaluation.ranking import Truth

__all__ = ["LEAST", "Slice", "columns", "slices"]

LEAST = 30
"Users below which a slice says nothing: percentile intervals of so few cover too little."


class Slice(Struct, frozen=True, eq=False):
    """Users, or wanted items, that are looked at by themselves.

    >>> Slice("user.country", "SE", np.array([0, 4]), None).name
    'user.country = SE'
    """

    column: str
    "user.<column> or item.<column>."
    label: str
    "The value."
    rows: Int64
    "int64[...], ascending: which of the users who count are in it."
    items: Bool | None
    "bool[n_items]: the wanted items that count; None for all."

    @property
    def name(self) -> str:
        """The column and its value."""
        return f"{self.column} = {self.label}"


def slices(split: Split, found: Truth, by: Sequence[str], users: Any = None) -> dict[str, list[Slice]]:
    """Return the slices of each column named in ``by``; a slice without users is left out.

    ``user.<column>`` takes users by a column of ``users``, or, as ``user.history``, by how many items their history
    holds, and as ``user.cold``, by whether these are fewer than 5. ``item.<column>`` takes the wanted items by a column
    of the catalogue or a key of its attributes, or, as ``item.popularity``, by head and long tail, and as
    ``item.cold``, by whether nobody, few or many touched them in train: users count who wanted any of them, and only
    these are wanted.

    >>> from penchant.data.dataset import Dataset
    >>> from penchant.evaluation.ranking import truth
    >>> past = Dataset.from_matrix([[1, 1, 0, 0], [1, 0, 0, 0]])
    >>> later = Dataset.from_matrix([[0, 0, 1, 0], [0, 1, 0, 1]])
    >>> split = Split(past, past, later, "temporal", "By hand.")
    >>> parts = slices(split, truth(split), ["user.history", "item.popularity"])
    >>> [(part.name, part.rows.tolist()) for part in parts["user.history"]]
    [('user.history = 1', [1]), ('user.history = 2 to 4', [0])]
    >>> [(part.name, part.rows.tolist()) for part in parts["item.popularity"]]
    [('item.popularity = head', [1]), ('item.popularity = tail', [0, 1])]

    Raises:
        InputError: a name is neither ``user.`` nor ``item.`` and a column, or the column makes no groups or too many.
        MissingColumn: there is no such column.
    """
    parts: dict[str, list[Slice]] = {}
    for name, made in columns(split, found, by, users).items():
        cut = [_slice(found, name, made, group) for group in range(len(made.labels))]
        parts[name] = [part for part in cut if len(part.rows)]
    return parts


def columns(split: Split, found: Truth, by: Sequence[str], users: Any = None) -> dict[str, Groups]:
    """Return the groups that each column named in ``by`` makes: of the users who count, or of all items.

    >>> from penchant.data.dataset import Dataset
    >>> from penchant.evaluation.ranking import truth
    >>> past, later = Dataset.from_matrix([[1, 1, 0, 0]]), Dataset.from_matrix([[0, 0, 1, 0]])
    >>> split = Split(past, past, later, "temporal", "By hand.")
    >>> columns(split, truth(split), ["item.popularity"])["item.popularity"].labels
    ('head', 'tail')

    Raises:
        InputError: a name is neither ``user.`` nor ``item.`` and a column, or the column makes no groups or too many.
        MissingColumn: there is no such column.
    """
    if isinstance(by, str):
        raise InputError("by is a text", got=by, allowed="a list", then=f"write [{by!r}]", field="by")
    found_groups: dict[str, Groups] = {}
    for name in dict.fromkeys(by):
        side, _, column = str(name).partition(".")
        if side not in ("user", "item") or not column:
            allowed = "user.<column> or item.<column>, such as user.history or item.popularity"
            raise InputError("by names no column", got=repr(name), allowed=allowed, field="by")
        of_users = side == "user"
        found_groups[name] = _of_users(split, found, column, users) if of_users else item_groups(split.train, column)
    return found_groups


def _of_users(split: Split, found: Truth, column: str, table: Any) -> Groups:
    if table is None or column not in _names(table):
        if column == "history":
            return history_groups(found.had.counts)
        if column == "cold":
            return cold_groups(found.had.counts, KNOWN_USER, "items")
    if table is None:
        then = "pass users=, a table with the columns user and " + column
        raise InputError(f"nothing is known of users but their history, no {column!r}", then=then, field="by")
    groups = user_groups(split.history.users, table, column)
    return Groups(groups.labels, groups.member[found.users])


def _names(table: Any) -> list[str]:
    return list(nw.from_native(table, eager_only=True).columns)


def _slice(found: Truth, name: str, groups: Groups, group: int) -> Slice:
    members = groups.of(group)
    if name.startswith("user."):
        return Slice(name, groups.labels[group], members, None)
    items = np.zeros(found.wanted.width, np.bool_)
    items[members] = True
    return Slice(name, groups.labels[group], np.flatnonzero(found.wanted.only(items).counts), items)
