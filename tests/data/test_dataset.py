"""The dataset beside the obvious version of itself."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from penchant.core.errors import EmptyData, InputError, MissingColumn
from penchant.data.dataset import Dataset
from penchant.data.vocabulary import Vocabulary

WEIGHTS = {"view": 1.0, "purchase": 5.0, "dislike": -5.0}

rows = st.lists(
    st.tuples(
        st.sampled_from(["ann", "bob", "cat"]),
        st.sampled_from(["tea", "milk", "jam", "rye"]),
        st.integers(0, 9),
        st.sampled_from(["view", "purchase", "rating", "dislike"]),
        st.sampled_from([-2.0, 0.0, 0.5, 1.0, 4.0]),
    ),
    min_size=1,
    max_size=40,
)


def frame(events) -> pl.DataFrame:
    return pl.DataFrame(events, schema=["user", "item", "at", "kind", "value"], orient="row")


def weight(kind: str, value: float) -> float:
    return WEIGHTS.get(kind, 1.0) * (value if kind == "rating" else float(np.sign(value)))


@given(rows)
def test_the_matrix_is_the_sum_of_weights_with_every_touched_item_stored(events):
    data = Dataset.from_events(frame(events), weights=WEIGHTS)
    oracle: dict[tuple[str, str], float] = {}
    for user, item, _, kind, value in events:
        oracle[user, item] = oracle.get((user, item), 0.0) + weight(kind, value)
    coo = data.matrix.tocoo()
    got = {
        (data.users.ids([u])[0], data.items.ids([i])[0]): float(w)
        for u, i, w in zip(coo.row, coo.col, coo.data, strict=True)
    }
    assert got == pytest.approx(oracle)
    assert data.matrix.dtype == np.float32
    touched = {item: len({u for u, i, *_ in events if i == item}) for item in data.items}
    assert dict(zip(data.items, data.support.tolist(), strict=True)) == touched


@given(rows)
def test_histories_are_in_time_order_and_ties_keep_their_order(events):
    data = Dataset.from_events(frame(events), weights=WEIGHTS)
    for user in data.users:
        mine = sorted((event for event in events if event[0] == user), key=lambda event: event[2])
        history = data.history(user)
        assert data.items.ids(history.items) == [item for _, item, *_ in mine]
        assert history.at.tolist() == [at for _, _, at, *_ in mine]
        assert history.kinds == tuple(kind for *_, kind, _ in mine)
        assert history.weights.tolist() == [weight(kind, value) for *_, kind, value in mine]
    assert len(data.history("nobody")) == 0


@given(rows, st.integers(1, 3), st.integers(1, 3))
def test_filter_drops_rare_items_then_idle_users(events, min_users, min_items):
    data = Dataset.from_events(frame(events))
    touched = {item: {u for u, i, *_ in events if i == item} for item in data.items}
    left = [event for event in events if len(touched[event[1]]) >= min_users]
    basket = {user: {i for u, i, *_ in left if u == user} for user in data.users}
    left = [event for event in left if len(basket[event[0]]) >= min_items]
    if not left:
        with pytest.raises(EmptyData, match="no users are left after the filter; got min_users="):
            data.filter(min_users=min_users, min_items=min_items)
        return
    kept = data.filter(min_users=min_users, min_items=min_items)
    assert kept.n_events == len(left)
    assert kept.items == data.items
    assert sorted(kept.users.ids(kept.column("user"))) == sorted(user for user, *_ in left)


@given(rows, st.randoms(use_true_random=False))
def test_the_digest_forgets_the_order_between_users_but_not_a_weight(events, random):
    data = Dataset.from_events(frame(events))
    queues = {user: [event for event in events if event[0] == user] for user in data.users}
    mixed = []
    while any(queues.values()):
        mixed.append(queues[random.choice([user for user, left in queues.items() if left])].pop(0))
    assert Dataset.from_events(frame(mixed)).digest == data.digest
    user, item, at, _, value = events[0]
    changed = [(user, item, at, "rating", value + 7.0), *events[1:]]
    assert Dataset.from_events(frame(changed)).digest != data.digest


def test_pandas_polars_and_arrow_make_one_dataset():
    table = pl.DataFrame(
        {"user": ["ann", "bob"], "item": ["tea", "tea"], "at": ["2017-01-01", "2017-01-02"], "value": [1.0, 2.0]}
    ).with_columns(pl.col("at").str.to_datetime())
    native = pd.DataFrame({name: table[name].to_list() for name in table.columns})
    tables = [table, table.lazy(), table.to_arrow(), native, pa.table({n: table[n].to_list() for n in table.columns})]
    assert len({Dataset.from_events(each).digest for each in tables}) == 1


@given(st.lists(st.lists(st.sampled_from([0.0, 1.0, 2.5]), min_size=3, max_size=3), min_size=1, max_size=5))
def test_a_matrix_survives_the_journey(dense):
    matrix = np.array(dense, np.float32)
    data = Dataset.from_matrix(matrix)
    assert np.array_equal(data.matrix.toarray(), matrix)
    assert (data.n_users, data.n_items) == matrix.shape
    assert list(data.users) == [str(i) for i in range(len(dense))]


def test_a_matrix_takes_ids_and_refuses_wrong_ones():
    data = Dataset.from_matrix(sp.csr_array([[0, 1]]), users=["ann"], items=["tea", "milk"])
    assert data.items.ids(data.history("ann").items) == ["milk"]
    with pytest.raises(
        InputError, match="the items do not fit the matrix; got 1 distinct of 2; allowed: 2 distinct ids"
    ):
        Dataset.from_matrix(np.ones((1, 2)), items=["tea", "tea"])
    with pytest.raises(InputError, match="the matrix has an entry that is not finite; got nan"):
        Dataset.from_matrix(np.array([[np.nan]]))


def test_the_catalogue_joins_the_vocabulary():
    events = pl.DataFrame({"user": ["ann"], "item": ["tea"], "at": [1]})
    data = Dataset.from_events(events, pl.DataFrame({"id": ["jam"], "title": ["Jam"]}))
    assert list(data.items) == ["jam", "tea"]


@pytest.mark.parametrize(
    ("table", "kind", "text"),
    [
        (
            {"user": ["ann"], "item": ["tea"]},
            MissingColumn,
            "the events have no column 'at'; got user, item; allowed: user, item, at, kind, value; "
            "next: rename it, or read with read_events",
        ),
        (
            {"user": [], "item": [], "at": []},
            EmptyData,
            "there are no events; next: check the file and its quality report",
        ),
        (
            {"user": ["ann", None], "item": ["tea", "tea"], "at": [1, 2]},
            InputError,
            "the events have missing or non-finite values; got user: 1; next: read_events finds and reports such rows",
        ),
        (
            {"user": ["ann"], "item": ["tea"], "at": [1], "value": [float("inf")]},
            InputError,
            "the events have missing or non-finite values; got a value that is not finite; "
            "next: read_events finds and reports such rows",
        ),
    ],
)
def test_bad_tables_are_refused(table, kind, text):
    with pytest.raises(kind) as caught:
        Dataset.from_events(pl.DataFrame(table))
    assert str(caught.value) == text


def test_a_thing_that_is_no_table_is_refused():
    with pytest.raises(InputError, match="not a table; got dict; allowed: a pandas, polars or Arrow table"):
        Dataset.from_events({"user": ["ann"]})


@pytest.mark.parametrize(
    ("column", "values", "got", "allowed"),
    [
        (
            "at",
            ["2017-01-01", "soon\nor later"],
            "String, '2017-01-01'",
            "a datetime, or whole microseconds since 1970 UTC",
        ),
        ("value", ["many", "1"], "String, 'many'", "a number"),
        ("user", [[1], [2]], "List(Int64)", "text or numbers"),
    ],
)
def test_a_column_of_another_type_is_named_in_one_line(column, values, got, allowed):
    columns = {"user": ["ann", "bob"], "item": ["tea", "jam"], "at": [1, 2]}
    with pytest.raises(InputError) as caught:
        Dataset.from_events(pl.DataFrame(columns | {column: values}))
    text = str(caught.value)
    assert text.startswith(f"the column {column!r} has a type that cannot be used; got {got}")
    assert text.endswith(
        f"; allowed: {allowed}; next: let read_events understand it: Dataset.from_events(penchant.read_events(table))"
    )
    assert "\n" not in text


def test_a_matrix_is_taken_as_it_is_and_not_shared() -> None:
    whole = sp.csr_array(([1.0, 2.0, 0.0, 4.0], [1, 1, 0, 2], [0, 2, 4]), shape=(2, 3))
    before = whole.copy()
    data = Dataset.from_matrix(whole)
    assert (whole.data.tolist(), whole.indices.tolist()) == (before.data.tolist(), before.indices.tolist())
    whole.data[:] = 9.0
    assert data.matrix.toarray().tolist() == [[0.0, 3.0, 0.0], [0.0, 0.0, 4.0]]
    assert data.matrix.dtype == np.float32
    assert data.support.tolist() == [1, 1, 1]  # the stored 0 counts as seen
    assert data.digest == Dataset(data.users, data.items, data.frame).digest
    assert (data.matrix != data.csr(data.column("weight"))).nnz == 0


def test_a_vocabulary_that_lacks_an_item_of_the_events_is_refused_by_name() -> None:
    data = Dataset.from_matrix([[1.0, 1.0]], items=["jam", "tea"])
    with pytest.raises(InputError, match="the vocabulary lacks items of these events; got tea; next: bring vocabulary"):
        data.over(Vocabulary.of(["jam"]))
