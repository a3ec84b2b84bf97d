"""The store's catalogue beside the events that are evaluated."""

from __future__ import annotations

import msgspec
import polars as pl

from penchant.core.settings import Settings
from penchant.data.dataset import Dataset
from penchant.data.split import Split
from penchant.engine.reporting import item_table
from penchant.trust.gate import Gate

__all__ = ["described", "known_items", "variety"]


def known_items(gate: Gate) -> pl.DataFrame | None:
    """Return the catalogue of the store, with the columns of :func:`penchant.read_items`; None when it is empty.

    >>> from penchant.testing import shop
    >>> with shop() as engine:
    ...     known_items(engine.gate).select("id", "title").height
    8
    """
    items, _ = gate.catalogue.changed()
    return item_table(items).table if items else None


def described(split: Split, catalogue: pl.DataFrame | None) -> Split:
    """Return the split with a catalogue beside its events; what models learnt from stays what it was.

    >>> import penchant as pt
    >>> from penchant.testing import checkerboard
    >>> split = described(pt.split.random(checkerboard(4)), pl.DataFrame({"id": ["0"], "title": ["Tea"]}))
    >>> split.train.catalogue.row(0), split.history is split.train
    (('0', 'Tea'), True)
    """
    if catalogue is None:
        return split
    train, history, test = (
        Dataset(side.users, side.items, side.frame, catalogue, side.weights, matrix=side.matrix)
        for side in (split.train, split.history, split.test)
    )
    same = split.history is split.train
    return msgspec.structs.replace(split, train=train, history=train if same else history, test=test)


def variety(settings: Settings, catalogue: pl.DataFrame | None) -> tuple[str, ...]:
    """Return diversity at every k of the settings, where categories say what is alike; else nothing.

    >>> variety(Settings(), pl.DataFrame({"id": ["tea"], "categories": [["drinks"]]})), variety(Settings(), None)
    (('diversity@5', 'diversity@10', 'diversity@20'), ())
    """
    if catalogue is None or not (catalogue["categories"].list.len() > 0).any():
        return ()
    return tuple(f"diversity@{k}" for k in settings.evaluation.k)
