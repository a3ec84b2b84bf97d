"""What is admitted, what is read, and that consent decides."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from math import inf, nan

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penchant.core.clock import FixedClock, micros
from penchant.core.errors import InputError, MissingColumn
from penchant.core.nouns import Event
from penchant.core.settings import ConsentSettings, Settings
from penchant.trust.access import SYSTEM
from penchant.trust.gate import Gate, Receipt
from penchant.trust.identity import derived, derived_all
from penchant.trust.purpose import Purpose

NOON = datetime(2017, 12, 31, 12)


def event(**other: object) -> Event:
    return Event(**{"user": "ann", "item": "tea", "kind": "view", "at": NOON, **other})


def table(*events: Event) -> pl.DataFrame:
    rows = [(e.user, e.item, e.kind, micros(e.at), float(e.value), e.session, e.channel) for e in events]
    names = {"user": pl.String, "item": pl.String, "kind": pl.String, "at": pl.Int64, "value": pl.Float64}
    return pl.DataFrame(rows, schema={**names, "session": pl.String, "channel": pl.String}, orient="row")


ALLOWED = "allowed: text of 1 to 512 characters without control characters"
BAD = [
    ({"user": ""}, "bad_id", "user is empty; allowed: text of 1 to 512 characters"),
    ({"item": "x" * 513}, "bad_id", "item has 513 characters"),
    ({"kind": ""}, "bad_id", "kind is empty"),
    ({"channel": ""}, "bad_id", "channel is empty"),
    ({"user": "a\nb"}, "bad_id", "user has a control character"),
    ({"item": "a\ud800"}, "bad_id", "item has a control character"),
    ({"user": 900}, "bad_id", "user is a int"),
    (
        {"id": ""},
        "bad_id",
        "id is empty; allowed: text of 1 to 512 characters without control characters, or leave it out",
    ),
    ({"session": "\x00"}, "bad_id", "session has a control character"),
    ({"at": datetime(9999, 12, 31)}, "bad_time", "at lies in the future; got 9999-12-31"),
    ({"at": datetime.max.replace(tzinfo=timezone(-timedelta(hours=9)))}, "bad_time", "at lies in the future"),
    ({"at": NOON + timedelta(days=1, microseconds=1)}, "bad_time", "at lies in the future"),
    ({"at": datetime(1969, 12, 31, 23, 59, 59)}, "bad_time", "at lies before 1970; got 1969-12-31 23:59:59"),
    ({"at": "now"}, "bad_time", "at is a str; allowed: a time"),
    ({"value": nan}, "bad_value", "value is not a finite number; got nan"),
    ({"value": -inf}, "bad_value", "value is not a finite number; got -inf"),
    ({"value": 10**400}, "bad_value", "value is not a finite number; got 1000"),
    ({"value": "1"}, "bad_value", "value is not a finite number; got 1"),
    ({"context": {"a": 1}}, "bad_context", "context holds what is not text"),
    ({"context": {"a": "\udfff"}}, "bad_context", "context holds what is not text"),
    ({"context": {"a": "x" * 20_000}}, "bad_context", "context has 20001 characters"),
    ({"context": []}, "bad_context", "context is a list"),
]


@pytest.mark.parametrize(("wrong", "code", "text"), BAD)
def test_a_bad_event_is_named_and_the_others_are_kept(
    wrong: dict[str, object], code: str, text: str, gate: Gate
) -> None:
    receipt = gate.admit(SYSTEM, [event(item="a"), event(**wrong), event(item="b")])
    assert (receipt.accepted, receipt.duplicates) == (2, 0)
    (rejection,) = receipt.rejected
    assert (rejection.index, rejection.code) == (1, code)
    assert rejection.message.startswith(text)
    assert gate.counts(SYSTEM).events == 2


def test_the_edges_are_admitted(gate: Gate) -> None:
    edges = [
        event(at=datetime(1970, 1, 1)),
        event(at=NOON + timedelta(days=1)),
        event(at=datetime(2017, 12, 31, 14, tzinfo=timezone(timedelta(hours=2)))),
        event(user="x" * 512, value=-2, context={"note": "two\nlines"}),
    ]
    assert gate.admit(SYSTEM, edges) == Receipt(4)
    assert gate.history(SYSTEM, Purpose.ACCESS, "ann").at == (0, micros(NOON), micros(NOON + timedelta(days=1)))


def test_a_retry_is_harmless_with_and_without_an_id(gate: Gate) -> None:
    batch = [event(), event(id="given", item="milk")]
    assert gate.admit(SYSTEM, batch) == Receipt(2)
    assert gate.admit(SYSTEM, batch) == Receipt(0, 2)
    assert gate.admit(SYSTEM, [event(), event(id="given", item="other")]) == Receipt(0, 2)
    assert gate.history(SYSTEM, Purpose.ACCESS, "ann").items == ("tea", "milk")


def test_nothing_to_admit_is_no_error(gate: Gate) -> None:
    assert gate.admit(SYSTEM, []) == Receipt(0)


def test_a_file_imported_twice_adds_nothing_but_its_equal_lines_are_two_events(gate: Gate) -> None:
    lines = table(event(), event(item="milk"), event(), event())
    assert gate.admit_table(SYSTEM, lines) == Receipt(4)
    assert gate.admit_table(SYSTEM, lines) == Receipt(0, 4)
    assert gate.admit(SYSTEM, [event()]) == Receipt(0, 1)


def test_given_ids_are_kept_and_others_derived(gate: Gate) -> None:
    lines = table(event(), event()).with_columns(id=pl.Series(["mine", None]), context=pl.lit('{"slate":"s1"}'))
    assert gate.admit_table(SYSTEM, lines) == Receipt(2)
    assert gate.admit(SYSTEM, [event(id="mine")]) == Receipt(0, 1)
    assert gate.admit(SYSTEM, [event()]) == Receipt(1), "the other line was the second of two repeats"


def test_times_with_and_without_a_zone_and_categories_are_taken(gate: Gate) -> None:
    base = table(event()).drop("session", "channel").with_columns(kind=pl.col("kind").cast(pl.Categorical), value=1)
    moments = [
        pl.lit(NOON),
        pl.lit(NOON.replace(tzinfo=UTC)),
        pl.lit(NOON).dt.cast_time_unit("ns"),
        pl.lit(NOON.replace(tzinfo=UTC)).dt.convert_time_zone("Asia/Tokyo"),
        pl.lit(micros(NOON)),
    ]
    receipts = [gate.admit_table(SYSTEM, base.with_columns(at=at)) for at in moments]
    assert receipts == [Receipt(1), *[Receipt(0, 1)] * 4]


BAD_TABLES = [
    ({"user": pl.lit(None, pl.String)}, r"a missing value; got 2 rows, first 0: "),
    ({"value": pl.Series([1.0, nan])}, r"a value that is not finite; got 1 rows, first 1: .*next: read the file"),
    ({"at": pl.Series([-1, 0])}, "a time before 1970 or in the future; got 1 rows, first 0"),
    ({"at": pl.lit(datetime(9999, 1, 1))}, "a time before 1970 or in the future"),
    ({"item": pl.Series(["a", ""])}, "an id that is empty or longer than 512"),
    ({"session": pl.Series(["a", "x" * 513])}, "an id that is empty or longer than 512"),
    ({"item": pl.Series(["a", "b\t"])}, "an id with a control character"),
    ({"at": pl.lit("yesterday")}, "a column has a type that cannot be used; (?s:.)*allowed: at: datetime"),
]


@pytest.mark.parametrize(("wrong", "text"), BAD_TABLES)
def test_a_bad_table_is_refused_whole(wrong: dict[str, pl.Expr], text: str, gate: Gate) -> None:
    with pytest.raises(InputError, match=text):
        gate.admit_table(SYSTEM, table(event(), event(item="milk")).with_columns(**wrong))
    assert gate.counts(SYSTEM).events == 0


def test_a_table_without_users_is_refused(gate: Gate) -> None:
    with pytest.raises(MissingColumn, match="the events have no column 'user'; got item, kind, at, value"):
        gate.admit_table(SYSTEM, table(event()).drop("user", "session", "channel"))


texts = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=8)
events_drawn = st.builds(
    Event,
    user=texts,
    item=texts,
    kind=texts,
    at=st.datetimes(datetime(1970, 1, 1), NOON),
    value=st.floats(allow_nan=False, allow_infinity=False),
    session=st.none() | texts,
    channel=texts,
)


@given(st.lists(events_drawn, min_size=1, max_size=20))
def test_one_event_and_a_table_derive_the_same_ids(drawn: list[Event]) -> None:
    ids = derived_all(table(*drawn)).to_list()
    assert len(set(ids)) == len(ids)
    seen: set[str] = set()
    for one, got in zip(drawn, ids, strict=True):
        if derived(one) not in seen:
            assert got == derived(one)
        seen.add(derived(one))


def test_ids_tell_fields_apart_but_not_zero_from_minus_zero() -> None:
    different = [event(), event(user="annt", item="ea"), event(session="s"), event(channel="s"), event(value=2)]
    assert len({derived(each) for each in different}) == 5
    assert derived(event(value=0.0)) == derived(event(value=-0.0)) == derived_all(table(event(value=-0.0)))[0]


def test_read_is_in_order_of_arrival_and_history_in_order_of_time(gate: Gate) -> None:
    gate.admit(
        SYSTEM, [event(item=name, at=NOON - timedelta(hours=age)) for name, age in (("b", 2), ("c", 1), ("a", 3))]
    )
    gate.consent.grant(SYSTEM, "ann", ["train", "personalize"], basis="form")
    read = gate.read(SYSTEM, Purpose.TRAIN)
    assert read["item"].to_list() == ["b", "c", "a"]
    assert read.columns == ["user", "item", "kind", "at", "value"]
    past = gate.history(SYSTEM, Purpose.PERSONALIZE, "ann", limit=2)
    assert (past.items, past.kinds, past.values) == (("b", "c"), ("view", "view"), (1.0, 1.0))


def test_an_event_is_in_the_next_answer(gate: Gate) -> None:
    gate.consent.grant(SYSTEM, "ann", ["personalize"], basis="form")
    for n in range(5):
        gate.admit(SYSTEM, [event(item=f"i{n}")])
        assert gate.history(SYSTEM, Purpose.PERSONALIZE, "ann").items[-1] == f"i{n}"


def test_everyones_data_is_not_for_access_and_a_history_has_a_limit(gate: Gate) -> None:
    with pytest.raises(InputError, match="everyone's data is not anyone's to access; got access; next: use history"):
        gate.read(SYSTEM, Purpose.ACCESS)
    with pytest.raises(InputError, match="limit is out of range; got 0; allowed: 1 or more"):
        gate.history(SYSTEM, Purpose.ACCESS, "ann", limit=0)


users = st.sampled_from(["ann", "bob", "cid", "dee"])
asked = st.sampled_from([Purpose.TRAIN, Purpose.PERSONALIZE])
answers = st.lists(st.tuples(users, asked, st.booleans()), max_size=12)


@settings(max_examples=12)
@given(default=st.booleans(), said=answers)
def test_every_read_obeys_the_last_answer(
    default: bool, said: list[tuple[str, Purpose, bool]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("gate") / "shop.db"
    chosen = Settings(store=f"sqlite:///{path}", consent=ConsentSettings(default=default))
    everyone = ["ann", "bob", "cid", "dee"]
    with Gate.create(chosen, FixedClock(NOON)) as gate:
        gate.admit(SYSTEM, [event(user=user) for user in everyone])
        oracle: dict[tuple[str, Purpose], bool] = {}
        for user, purpose, yes in said:
            (gate.consent.grant if yes else gate.consent.withdraw)(SYSTEM, user, [purpose], basis="form")
            oracle[user, purpose] = yes
        for purpose in (Purpose.TRAIN, Purpose.PERSONALIZE):
            allowed = [user for user in everyone if oracle.get((user, purpose), default)]
            assert gate.read(SYSTEM, purpose)["user"].to_list() == allowed
            assert [user for user in everyone if len(gate.history(SYSTEM, purpose, user))] == allowed
            assert [user for user in everyone if gate.permits(purpose, user)] == allowed
            assert gate.counts(SYSTEM).consenting[purpose.value] == len(allowed)
        assert all(len(gate.history(SYSTEM, Purpose.ACCESS, user)) == 1 for user in everyone)
        assert all(gate.permits(Purpose.ACCESS, user) for user in everyone)
