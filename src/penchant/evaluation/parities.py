"""Parity between groups of users, and of items, as lines of a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import scipy.sparse as sp
from msgspec.structs import replace

from penchant.core.arrays import Float64, Int32
from penchant.core.errors import InputError
from penchant.evaluation.context import Context
from penchant.evaluation.effects import Chance
from penchant.evaluation.groups import Groups
from penchant.evaluation.line import Line
from penchant.evaluation.lines import Lines
from penchant.evaluation.measure import per_user
from penchant.evaluation.metrics.names import PARITIES, Metric
from penchant.evaluation.pairs import Pairs
from penchant.evaluation.ratios import Part, Tally, compared
from penchant.evaluation.slices import LEAST

__all__ = ["check_parities", "parities", "parity_lines", "tally"]

Parts = Sequence[tuple[Lines, Mapping[str, Groups]]]


def parities(metrics: Sequence[Metric]) -> list[Metric]:
    """Return the metrics that compare groups.

    >>> [str(metric) for metric in parities([Metric("ndcg", 10), Metric("ndcg_parity", 10)])]
    ['ndcg_parity@10']
    """
    return [metric for metric in metrics if metric.name in PARITIES]


def check_parities(metrics: Sequence[Metric], by: Sequence[str]) -> None:
    """Raise InputError when groups are to be compared and no column says which.

    >>> check_parities([Metric("ndcg_parity", 10)], ["item.brand"])
    Traceback (most recent call last):
        ...
    penchant.core.errors.InputError: ndcg_parity compares groups of users, and none are named; got item.brand; \
allowed: a column of users in by; next: by=['user.country'], with a table of users
    """
    example = {"user": "by=['user.country'], with a table of users", "item": "by=['item.brand'], with a catalogue"}
    for metric in parities(metrics):
        side = PARITIES[metric.name]
        if not _columns(metric, by):
            raise InputError(
                f"{metric.name} compares groups of {side}s, and none are named",
                got=", ".join(by) or "no column",
                allowed=f"a column of {side}s in by",
                then=example[side],
                field="by",
            )


def parity_lines(parts: Parts, metrics: Sequence[Metric], chance: Chance) -> list[Line]:
    """Return a line for every parity, column of its side, and model, of the splits given, all of them together.

    >>> from penchant.data.dataset import Dataset
    >>> from penchant.data.split import Split
    >>> from penchant.evaluation.ranking import truth
    >>> from penchant.evaluation.slices import columns
    >>> past, later = Dataset.from_matrix([[1, 1, 0], [1, 0, 0]]), Dataset.from_matrix([[0, 0, 1], [0, 1, 0]])
    >>> split = Split(past, past, later, "temporal", "By hand.")
    >>> context = Context(split, truth(split))
    >>> made = Lines({"one": np.int32([[2, -1], [2, 1]])}, [], context)
    >>> parts = [(made, columns(split, context.found, ["user.history"]))]
    >>> line = parity_lines(parts, [Metric("ndcg_parity", 2)], Chance("one", 0, np.random.default_rng()))[0]
    >>> line.label, round(line.value, 4)  # 1 for who has two items, 0.6309 for who has one
    ('ndcg_parity@2 for groups of user.history', 0.6309)
    """
    careful = replace(chance, least=LEAST)
    first = parts[0][0]
    units = None
    if len(parts) > 1 or first.context.found.units is not None:
        units = np.concatenate([np.asarray(made.context.found.units) for made, _ in parts])
    lines = []
    for metric in metrics:
        for column in _columns(metric, list(parts[0][1])):
            tallies = {name: _together(metric, column, name, parts) for name in first.slates}
            base = tallies[chance.against]
            pairs = {name: (mine, base) for name, mine in tallies.items() if name != chance.against}
            part = Part(tallies, pairs, units)
            found = compared([part], careful, "parity")[0]
            users = len(base.over) if units is None else len(np.unique(units))
            for name, (mean, difference) in found.items():
                line = Line.of(name, metric, mean, difference, first.seconds.get(name), users=users)
                lines.append(replace(line, slice=f"groups of {column}"))
    return lines


def tally(metric: Metric, slates: Int32, context: Context, groups: Groups) -> Tally:
    """Return what each user's slate adds to the figure of each group; who or what is not known is in none.

    >>> from penchant.data.dataset import Dataset
    >>> from penchant.data.split import Split
    >>> from penchant.evaluation.ranking import truth
    >>> past, later = Dataset.from_matrix([[1, 0, 0]]), Dataset.from_matrix([[0, 0, 1]])
    >>> split = Split(past, past, later, "temporal", "By hand.")
    >>> two = Groups(("a", "b"), sp.csr_array(np.array([[1, 0], [1, 0], [0, 1]], bool)))
    >>> found = tally(Metric("exposure_parity", 2), np.int32([[1, 2]]), Context(split, truth(split)), two)
    >>> found.over.round(3).tolist(), found.of.tolist()  # a attracts 1 with two items, b 0.631 with one
    ([[1.0, 0.631]], [[2.0, 1.0]])
    """
    items, wanted = slates[:, : metric.k], context.found.wanted
    member = groups.known().member.toarray().astype(np.bool_)
    if metric.name == "ndcg_parity":
        own = member.astype(np.float64)
        return Tally(_ndcg(metric.k, items, wanted, context)[:, None] * own, own)
    if metric.name == "ndcg_parity_of_providers":
        return _of_providers(metric.k, items, context, member)
    given = np.stack([_attention(items, member[:, group]) for group in range(member.shape[1])], axis=1)
    if metric.name == "exposure_parity":
        return Tally(given, np.tile(member.sum(axis=0, dtype=np.float64), (len(items), 1)))
    ones = np.ones(len(wanted.items))
    asked = sp.csr_array((ones, wanted.items, wanted.indptr), shape=(len(items), wanted.width))
    return Tally(given, np.asarray(asked @ member.astype(np.float64)))


def _together(metric: Metric, column: str, model: str, parts: Parts) -> Tally:
    each = [tally(metric, made.slates[model], made.context, groups[column]) for made, groups in parts]
    return Tally(np.concatenate([one.over for one in each]), np.concatenate([one.of for one in each]))


def _columns(metric: Metric, by: Sequence[str]) -> list[str]:
    return [column for column in by if column.startswith(f"{PARITIES[metric.name]}.")]


def _ndcg(k: int, items: Int32, wanted: Pairs, context: Context) -> Float64:
    return per_user(items, wanted, [Metric("ndcg", k)], context.candidates)[:, 0]


def _of_providers(k: int, items: Int32, context: Context, member: np.ndarray) -> Tally:
    over, of = np.zeros((len(items), member.shape[1])), np.zeros((len(items), member.shape[1]))
    for group in range(member.shape[1]):
        only = context.found.wanted.only(member[:, group])
        rows = np.flatnonzero(only.counts)
        of[rows, group] = 1.0
        metric = [Metric("ndcg", k)]
        over[rows, group] = per_user(items[rows], only.rows(rows), metric, context.candidates[rows])[:, 0]
    return Tally(over, of)


def _attention(items: Int32, member: np.ndarray) -> Float64:
    """Return float64[n]: the attention that each slate gives to the items of a group."""
    gains = 1 / np.log2(np.arange(2, items.shape[1] + 2))
    given: Float64 = ((items >= 0) & member[items]) @ gains
    return given
