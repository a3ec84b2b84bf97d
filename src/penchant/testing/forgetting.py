"""What the contract says of people who come and go: the same bits as if they had never, or always, been there."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from penchant.core.errors import EmptyData, InputError, RetrainNeeded
from penchant.data.dataset import Dataset
from penchant.models.learner import Learner
from penchant.models.load import load
from penchant.models.scorer import Scorer
from penchant.testing.claim import Check, claim, refused, same_arrays
from penchant.testing.worlds import bazaar

__all__ = ["FORGETTING"]

_GROUPS = ([0], [3, 40, 87], list(range(45)))
"Who goes: one person, a few, half of everybody."


def _people_are_forgotten_exactly(learner: Learner) -> str | None:
    data = bazaar()
    scorer = learner.fit(data)
    if scorer.forgetting == "retrain":
        refused(lambda: scorer.without(data), RetrainNeeded, "forgetting without counts")
        return "it forgets by training again"
    for group in _GROUPS:
        gone = np.isin(data.column("user"), group)
        never = learner.fit(data.select(~gone))
        try:
            forgotten = scorer.without(data.select(gone))
        except RetrainNeeded as error:
            claim(_limit(learner) is not None, f"{error} - though there is no limit to the items")
            continue
        _same(forgotten, never, f"{len(group)} people forgotten")
        _same(forgotten.updated(data.select(gone)), scorer, f"{len(group)} people forgotten and back again")
    return None


def _people_are_added_exactly(learner: Learner) -> str | None:
    """Also in another vocabulary, and with items that were not known before."""
    whole = _with_newcomers(bazaar())
    new = whole.column("user") >= whole.n_users - 2
    before = _narrow(whole, ~new)
    scorer = learner.fit(before)
    if scorer.forgetting == "retrain":
        refused(lambda: scorer.updated(before), RetrainNeeded, "adding people without counts")
        return "it learns of people by training again"
    try:
        updated = scorer.updated(_narrow(whole, new))
    except RetrainNeeded as error:
        claim(_limit(learner) is not None, f"{error} - though there is no limit to the items")
        return None
    always = learner.fit(whole)
    claim(list(updated.items) == list(always.items), "the vocabulary is not that of all events")
    _same(updated, always, "two people with new items added")
    claim(updated.facts["events"] == whole.n_events, "the facts do not count the new events")
    return None


def _who_was_never_there_cannot_be_forgotten(learner: Learner) -> str | None:
    data = bazaar()
    scorer = learner.fit(data)
    if scorer.forgetting == "retrain":
        return "it forgets by training again"
    twice = Dataset.from_events(
        pl.concat([_frame(data), _frame(data).with_columns(user=pl.lit("twin ") + pl.col("user"))])
    )
    refused(lambda: scorer.without(twice), InputError, "forgetting more people than there are")
    refused(lambda: scorer.without(data), EmptyData, "forgetting everybody")
    matrix: Any = data.matrix
    refused(lambda: scorer.without(matrix), InputError, "forgetting a matrix")
    return None


def _a_saved_model_says_how_it_forgets(learner: Learner) -> None:
    data = bazaar()
    scorer = learner.fit(data)
    gone = data.column("user") == 5
    with tempfile.TemporaryDirectory() as folder:
        place = scorer.save(Path(folder) / "model")
        document = json.loads((place / "model.json").read_text(encoding="utf-8"))
        again = load(place)
        claim(document["forgetting"] == scorer.forgetting, "the saved model does not say how it forgets")
        claim(again.forgetting == scorer.forgetting, "a loaded model forgets in another way")
        if scorer.forgetting == "exact" and _limit(learner) is None:
            _same(again.without(data.select(gone)), scorer.without(data.select(gone)), "forgotten after loading")


def _same(one: Scorer, other: Scorer, what: str) -> None:
    same_arrays(one, other, what)
    claim(one.items == other.items, f"{what}: the vocabularies differ")
    claim((one.state is None) == (other.state is None), f"{what}: one keeps counts, the other does not")
    if one.state is not None and other.state is not None:
        claim(one.state.values() == other.state.values(), f"{what}: the counts differ")


def _limit(learner: Learner) -> int | None:
    limit = getattr(learner, "limit", lambda: None)()
    return None if limit is None or limit >= bazaar().n_items else limit


def _frame(data: Dataset) -> pl.DataFrame:
    return data.frame.select(
        user=data.users.series.gather(data.column("user")),
        item=data.items.series.gather(data.column("item")),
        at="at",
        kind=pl.col("kind").cast(pl.String),
        value="value",
    )


def _with_newcomers(data: Dataset) -> Dataset:
    """Return the data with two more people, who like items nobody knew and some that are known."""
    last = int(data.column("at").max())
    rows = [
        ("zoe", "item-0", 1.0, "purchase"),
        ("zoe", "item-003", 2.0, "purchase"),
        ("zoe", "item-zz", 1.0, "view"),
        ("zara", "item-003", 1.0, "dislike"),
        ("zara", "item-zz", 1.0, "purchase"),
    ]
    table = pl.DataFrame(rows, schema=["user", "item", "value", "kind"], orient="row")
    table = table.with_columns(at=pl.Series(last + np.arange(len(rows)) * 1_000_000))
    frame = _frame(data)
    catalogue = pl.DataFrame({"id": [*data.items, "item-0", "item-zz"]})
    both = pl.concat([frame, table.select(frame.columns).cast(frame.schema)])
    users = pl.DataFrame({"user": both["user"]})
    claim(users["user"].max() == "zoe", "the newcomers must come last")
    return Dataset.from_events(both, catalogue)


def _narrow(data: Dataset, rows: np.ndarray) -> Dataset:
    """Return some of the events, in a vocabulary of their own items; known items without events stay."""
    kept = data.select(rows)
    own = {data.items[int(code)] for code in np.unique(kept.column("item"))}
    known = {item for item in data.items if item not in ("item-0", "item-zz")} if len(own) > 5 else own
    return Dataset.from_events(_frame(kept), pl.DataFrame({"id": sorted(own | known)}))


FORGETTING: tuple[Check, ...] = (
    _people_are_forgotten_exactly,
    _people_are_added_exactly,
    _who_was_never_there_cannot_be_forgotten,
    _a_saved_model_says_how_it_forgets,
)
"The checks of forgetting and updating."
