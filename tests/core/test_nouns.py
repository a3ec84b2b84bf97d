"""Events, items, histories and slates."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import numpy as np
import polars as pl
import pytest

from penchant.core.errors import InputError
from penchant.core.nouns import Event, Filters, History, Item, Part, Reason, Slate


def slate() -> Slate:
    reasons = tuple((Reason("view", str(i), float(i)),) for i in (3, 1, 2))
    return Slate(
        np.int32([3, 1, 2]), np.float32([3, 1, 2]), reasons, (Part("ease", 1.0),), ("three", "one", "two")
    )  # fmt: skip


@pytest.mark.parametrize("rows", [[2, 0], np.array([2, 0]), np.int32([2, 0]), [-1, 0]])
def test_take_by_rows_keeps_everything_together(rows: object) -> None:
    part = slate().take(rows)
    assert part.items.tolist() == [2, 3]
    assert part.scores.tolist() == [2.0, 3.0]
    assert [r[0].evidence for r in part.reasons] == ["2", "3"]
    assert part.ids == ("two", "three")
    assert part.parts == (Part("ease", 1.0),)


def test_take_by_mask_and_of_nothing() -> None:
    assert slate().take(np.array([False, True, True])).ids == ("one", "two")
    assert len(slate().take(np.zeros(3, np.bool_))) == 0
    empty = Slate.of().take(np.zeros(0, np.bool_))
    assert (empty.items.dtype, empty.scores.dtype, empty.reasons, empty.ids) == (np.int32, np.float32, (), ())


def test_take_leaves_the_slate_as_it_is() -> None:
    whole = slate()
    whole.take([0]).items[0] = 9
    assert whole.items.tolist() == [3, 1, 2]


def test_a_slate_as_a_table() -> None:
    table = slate().table()
    assert table.schema == {"item": pl.String, "score": pl.Float32, "rank": pl.Int32}
    assert table.rows() == [("three", 3.0, 1), ("one", 1.0, 2), ("two", 2.0, 3)]
    assert Slate.of().table().schema == table.schema


def test_a_history_from_sequences() -> None:
    history = History.of([4, -1], [2.0, -1.0], [5, 9], ("view", "dislike"))
    assert (history.items.dtype, history.weights.dtype, history.at.dtype) == (np.int32, np.float32, np.int64)
    assert (len(history), history.at.tolist(), history.kinds) == (2, [5, 9], ("view", "dislike"))
    assert len(History.of([])) == 0
    assert History.of([7, 8]).at.tolist() == [0, 1_000_000]


def test_events_and_items_refuse_fields_they_do_not_have() -> None:
    with pytest.raises(msgspec.ValidationError, match="unknown field `prize`"):
        msgspec.json.decode(b'{"id": "a", "title": "A", "prize": 1}', type=Item)
    with pytest.raises(msgspec.ValidationError, match=r"Expected `str`, got `int` - at `\$.user`"):
        msgspec.convert({"user": 900, "item": "a", "kind": "view", "at": datetime(2017, 1, 1)}, Event)
    with pytest.raises(msgspec.ValidationError, match="unknown field `colour`"):
        msgspec.convert({"colour": "red"}, Filters)


def test_an_event_travels_through_json() -> None:
    event = Event("900", "tea", "view", datetime(2017, 1, 1, tzinfo=UTC), context={"page": "home"})
    raw = msgspec.json.encode(event)
    assert msgspec.json.decode(raw, type=Event) == event
    assert b"channel" not in raw


def test_nouns_cannot_be_changed() -> None:
    for noun in (slate(), History.of([1]), Item("a", "A"), Reason("view", "a", 1.0)):
        with pytest.raises(AttributeError):
            setattr(noun, noun.__struct_fields__[0], None)


def test_a_slate_shows_its_lines() -> None:
    told = Reason("history", "4", 0.25, "because of tea")
    shown = msgspec.structs.replace(slate(), reasons=((Reason("history", "4", -0.25),), (told,), ()))
    assert repr(shown).splitlines() == [
        " 1  three  3.0000  history 4 -0.2500",
        " 2  one    1.0000  because of tea",
        " 3  two    2.0000",
    ]
    assert repr(Slate.of([7], [0.5])) == " 1  item 7  0.5000"
    assert repr(Slate.of()) == "an empty slate"


def test_a_long_slate_shows_twenty_lines() -> None:
    lines = repr(Slate.of(range(1021), np.zeros(1021))).splitlines()
    assert len(lines) == 21
    assert lines[-2:] == ["20  item 19  0.0000", "... and 1,001 more"]


def test_a_slate_yields_ids_with_scores() -> None:
    assert list(slate()) == [("three", 3.0), ("one", 1.0), ("two", 2.0)]
    assert list(Slate.of()) == []
    with pytest.raises(InputError) as refusal:
        iter(Slate.of([7], [0.5]))
    assert str(refusal.value) == ("a slate without ids cannot be iterated over; got 1 codes; next: explain it first")
