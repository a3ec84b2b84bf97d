"""Ids to codes and back, for any ids."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.core.errors import InputError
from penchant.data.vocabulary import Vocabulary

words = st.text(st.characters(exclude_categories=("Cs",)), max_size=8)


@given(st.lists(words), st.lists(words))
def test_codes_and_ids_are_inverse(known, asked):
    vocabulary = Vocabulary.of(known)
    assert len(vocabulary) == len(set(known))
    assert vocabulary.ids(np.arange(len(vocabulary))) == sorted(set(known), key=str.encode)
    assert vocabulary.ids(vocabulary.codes(known)) == known
    oracle = {word: code for code, word in enumerate(vocabulary)}
    assert vocabulary.codes(asked).tolist() == [oracle.get(word, -1) for word in asked]
    assert vocabulary.codes(asked).dtype == np.int32


@given(st.lists(words, min_size=1))
def test_order_of_arrival_does_not_matter(known):
    assert Vocabulary.of(known) == Vocabulary.of(known[::-1])
    assert hash(Vocabulary.of(known)) == hash(Vocabulary.of(pl.Series(known[::-1])))


def test_many_ids_take_the_same_codes_as_few():
    ids = pl.Series([f"i{i % 1500}" for i in range(5000)] + ["unknown"])
    vocabulary = Vocabulary.of(ids.head(5000))
    assert vocabulary.codes(ids).tolist() == vocabulary.codes(ids.to_list()).tolist()


def test_lookups_of_one_and_of_none():
    vocabulary = Vocabulary.of(["tea", "milk"])
    assert [vocabulary.code("tea"), vocabulary.code("jam")] == [1, -1]
    assert "jam" not in vocabulary
    assert vocabulary.codes([]).tolist() == []
    assert vocabulary.ids([]) == []
    assert repr(vocabulary) == "Vocabulary(2 ids)"


def test_a_code_outside_is_an_index_error():
    with pytest.raises(IndexError, match=r"codes must lie in \[0, 1\), got -1 to 0"):
        Vocabulary.of(["tea"]).ids([0, -1])


def test_an_id_that_is_not_text_is_refused():
    with pytest.raises(
        InputError, match=r"(?s)an id is not a string; got .*; allowed: str; next: convert ids with str\(\)"
    ):
        Vocabulary.of(["tea", 5])


@pytest.mark.parametrize(("asked", "got"), [(slice(1, 2), "slice(1, 2, None)"), ("tea", "'tea'"), ([0], "[0]")])
def test_one_code_gives_one_id_and_nothing_else_does(asked, got):
    ids = Vocabulary.of(["tea", "milk"])
    assert (ids[0], ids[np.int32(1)]) == ("milk", "tea")
    with pytest.raises(InputError) as caught:
        ids[asked]
    assert str(caught.value) == (
        f"a vocabulary is asked for one code; got {got}; allowed: int; "
        "next: vocabulary.ids([...]) for several codes, vocabulary.code(id) for the code of an id"
    )
    with pytest.raises(IndexError, match=r"codes must lie in \[0, 2\), got -1 to -1"):
        ids[-1]
