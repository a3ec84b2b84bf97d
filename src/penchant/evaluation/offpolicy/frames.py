"""Logs and policies out of tables: slates by their ids, policies by scores of actions."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from penchant.core.arrays import Float64
from penchant.core.errors import EmptyData, InputError, MissingColumn
from penchant.data.vocabulary import Vocabulary
from penchant.evaluation.groups import MOST, grouped
from penchant.evaluation.offpolicy.logged import checked
from penchant.evaluation.offpolicy.slates import LoggedSlates

__all__ = ["in_numbers", "scored", "slates_of", "softmax", "uniform"]


def uniform(actions: int) -> Float64:
    """Return float64[1, m]: the policy that draws every action alike.

    >>> uniform(4).tolist()
    [[0.25, 0.25, 0.25, 0.25]]
    """
    return np.full((1, actions), 1 / actions)


def softmax(scores: Any, temperature: float = 1.0) -> Float64:
    """Return float64[n, m]: the policy that draws by exp(score / temperature); at 0 the best action always.

    Of several best ones each is drawn as often.

    >>> softmax([[0.0, np.log(3)]]).round(2).tolist(), softmax([[1.0, 2.0, 2.0]], 0.0).tolist()
    ([[0.25, 0.75]], [[0.0, 0.5, 0.5]])

    Raises:
        InputError: a score is not finite, or the temperature is below 0.
    """
    table: Float64 = checked(scores, "scores", np.float64)
    if not temperature >= 0:
        raise InputError(
            "the temperature is out of range", got=temperature, allowed="0 or more", then="use 1", field="temperature"
        )
    over = table - table.max(axis=1, keepdims=True)
    weight = (over == 0).astype(np.float64) if temperature == 0 else np.exp(over / temperature)
    shares: Float64 = weight / weight.sum(axis=1, keepdims=True)
    return shares


def scored(table: pl.DataFrame, actions: Vocabulary, rounds: int, value: str = "score") -> Float64:
    """Return float64[1, m] or [n, m] of what a table says of every action, in the order of a log's actions.

    The table has the columns ``action`` and ``value``, a row an action, for a policy that looks at nothing; or a column
    an action, and a row a round.

    >>> actions = Vocabulary.of(["fig", "pear"])
    >>> scored(pl.DataFrame({"action": ["pear", "fig"], "score": [2, 1]}), actions, 9).tolist()
    [[1.0, 2.0]]
    >>> scored(pl.DataFrame({"pear": [1, 0], "fig": [0, 1]}), actions, 2).tolist()
    [[0.0, 1.0], [1.0, 0.0]]

    Raises:
        MissingColumn: it has neither form.
        InputError: an action of the log is missing, or is there twice, or there are not as many rows as rounds.
    """
    if {"action", value} <= set(table.columns):
        codes = actions.codes(table["action"].cast(pl.String))
        counts = np.bincount(codes[codes >= 0], minlength=len(actions))
        if (counts != 1).any():
            wrong = int(np.flatnonzero(counts != 1)[0])
            raise InputError(
                f"each action of the log needs one {value}",
                got=f"{counts[wrong]:,} of {actions[wrong]}",
                allowed=f"a row for each of the {len(actions):,} actions",
                field=value,
            )
        row = np.empty((1, len(actions)))
        row[0, codes[codes >= 0]] = table[value].to_numpy()[codes >= 0]
        return row
    missing = [action for action in actions if action not in table.columns]
    if missing:
        raise MissingColumn(
            f"the table has neither the columns action and {value} nor one for each action",
            got=", ".join(table.columns[:8]),
            allowed=f"action and {value}, or a column an action, such as {missing[0]}",
            field=value,
        )
    if table.height != rounds:
        raise InputError(
            f"a table with a column an action needs one row of {value} for each round",
            got=f"{table.height:,}",
            allowed=f"{rounds:,}",
            field=value,
        )
    return table.select(list(actions)).to_numpy().astype(np.float64)


def in_numbers(table: pl.DataFrame) -> pl.DataFrame:
    """Return a table whose columns of text became one of 0 and 1 for each of their values but the first.

    >>> in_numbers(pl.DataFrame({"hour": [9, 17], "device": ["phone", "desk"]})).to_dict(as_series=False)
    {'hour': [9, 17], 'device = phone': [1.0, 0.0]}

    Raises:
        InputError: a column of text has more than 50 values.
    """
    columns = []
    for column in table:
        if column.dtype.is_numeric() or column.dtype == pl.Boolean:
            columns.append(column)
            continue
        groups = grouped(column, most=MOST)
        member = groups.member.toarray().astype(np.float64)
        columns += [pl.Series(f"{column.name} = {label}", member[:, i]) for i, label in enumerate(groups.labels) if i]
    return pl.DataFrame(columns)


def slates_of(
    frame: pl.DataFrame, slate: str, position: str, columns: dict[str, str], unit: str | None = None
) -> tuple[LoggedSlates, dict[str, Float64]]:
    """Return logged slates of a table with a row a slot, and each other column named as float64[n, k].

    >>> rows = {"slate": ["b", "a", "a", "b"], "slot": [2, 1, 2, 1], "click": [0, 1, 0, 0], "p": [0.5, 0.5, 0.25, 0.5],
    ...         "new": [0.1, 0.2, 0.3, 0.4]}
    >>> names = {"reward": "click", "propensity": "p", "target": "new"}
    >>> logged, other = slates_of(pl.DataFrame(rows), "slate", "slot", names)
    >>> logged.reward.tolist(), other["target"].tolist()  # slate a, then b, each from the top
    ([[1.0, 0.0], [0.0, 0.0]], [[0.2, 0.3], [0.4, 0.1]])

    Args:
        frame: the table.
        slate: column of the ids of slates.
        position: column that orders the slots of a slate, from the top.
        columns: what each column is: ``reward``, ``propensity``, and where there are, ``chained``, ``target`` and
            ``target_chained``.
        unit: column of persons or sessions.

    Raises:
        InputError: the slates are not of one length, two slots have one position, or a slate has two persons.
        EmptyData: there is no row.
    """
    if frame.is_empty():
        raise EmptyData("the log has no slates", field=slate)
    if frame.select(pl.struct(slate, position).is_duplicated().any()).item():
        raise InputError(
            "two slots of a slate have one position", got=position, then="number the slots", field=position
        )
    lengths = frame.group_by(slate).len()["len"]
    if lengths.n_unique() > 1:
        raise InputError(
            "the slates are not of one length",
            got=f"{int(lengths.to_numpy().min())} to {int(lengths.to_numpy().max())} slots",
            allowed="as many slots in each",
            then="evaluate the slates of each length by themselves",
            field=slate,
        )
    ordered, k = frame.sort(slate, position), int(lengths[0])
    tables = {name: ordered[column].to_numpy().reshape(-1, k) for name, column in columns.items()}
    units = None
    if unit is not None:
        codes = np.unique(ordered[unit].cast(pl.String).to_numpy(), return_inverse=True)[1].reshape(-1, k)
        if (codes != codes[:, :1]).any():
            raise InputError("a slate is of two persons", got=unit, then="check the column", field=unit)
        units = codes[:, 0].astype(np.int32)
    own = {name: tables.pop(name) for name in ("reward", "propensity", "chained") if name in tables}
    return LoggedSlates(**own, unit=units), {name: checked(table, name, np.float64) for name, table in tables.items()}
