"""What items say about themselves comes from the store, and without it from what is in memory."""

from __future__ import annotations

import logging
from collections.abc import Iterable

import pytest

from penchant.core.errors import StoreError
from penchant.core.nouns import Item
from penchant.data.vocabulary import Vocabulary
from penchant.engine.contents import Contents
from penchant.pipeline.catalogue import Catalogue

ITEMS = [Item("a", "Sencha", "green leaf"), Item("b", "Gyokuro", "green shade"), Item("c", "Jam", "red berries")]


def test_texts_are_compared_which_the_catalogue_in_memory_does_not_keep() -> None:
    contents = Contents(Catalogue(Vocabulary.of(["a", "b", "c"]), ITEMS), lambda: ITEMS)
    assert contents.get().terms.ids([0]) == ["green"]


def test_while_the_store_is_down_titles_must_do_until_it_answers(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    answers: list[Iterable[Item]] = []

    def told() -> Iterable[Item]:
        if not answers:
            raise StoreError("the store failed")
        return answers[0]

    contents = Contents(Catalogue(Vocabulary.of(["a", "b", "c"]), ITEMS), told)
    with caplog.at_level(logging.WARNING, logger="penchant"):
        assert len(contents.get().terms) == 0, "no word of a title stands twice"
    assert "until the store answers" in caplog.text
    answers.append(ITEMS)
    assert len(contents.get().terms) == 0, "not asked again at once"
    monkeypatch.setattr("penchant.engine.contents._REST", 0.0)
    contents.get()
    contents.begin()
    with contents._lock:
        pass
    while len(contents.get().terms) == 0:
        pass
    assert contents._version == contents._catalogue.version
