"""What the benchmark scripts compute, beside the slow and obvious version of it."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import msgspec
import numpy as np
import pytest
import scipy.sparse as sp

import accuracy
import models
import penchant as pt
import scaling
from peers.loss import implicit_loss
from penchant.testing import generated
from support.data import SIZES, cut, last_out, sequences
from support.lists import hits_of, quality
from support.measuring import megabytes, spending
from support.pairs import EVENTS, PAIRS
from support.published import ROWS
from support.tables import markdown, replaced, write_block


def oracle(items: np.ndarray, wanted: sp.csr_array) -> dict[str, float]:
    k = items.shape[1]
    recalls, gains, ranks = [], [], []
    for row, asked in zip(items.tolist(), wanted.toarray().astype(bool), strict=True):
        likes = set(np.flatnonzero(asked).tolist())
        if likes:
            places = [place for place, item in enumerate(row) if item in likes]
            recalls.append(len(places) / len(likes))
            ideal = sum(1 / math.log2(place + 2) for place in range(min(k, len(likes))))
            gains.append(sum(1 / math.log2(place + 2) for place in places) / ideal)
            ranks.append(1 / (places[0] + 1) if places else 0.0)
    means = {"recall": recalls, "ndcg": gains, "mrr": ranks}
    return {f"{name}@{k}": float(np.mean(values)) for name, values in means.items()}


def test_the_metrics_of_lists_are_those_of_the_definition() -> None:
    source = np.random.default_rng(3)
    wanted = sp.csr_array((source.random((40, 25)) < 0.1).astype(np.float32))
    items = np.stack([source.permutation(25)[:7] for _ in range(40)]).astype(np.int32)
    items[5, 3:] = -1
    items[9] = -1
    assert (np.diff(wanted.indptr) == 0).any()
    assert quality(items, wanted) == pytest.approx(oracle(items, wanted))


def test_an_empty_slot_is_no_hit_even_for_the_last_item() -> None:
    hits, counts = hits_of(np.array([[-1, 1], [2, -1]]), sp.csr_array([[0, 0, 1], [0, 0, 1]]))
    assert hits.tolist() == [[False, False], [True, False]]
    assert counts.tolist() == [1, 1]


def test_lines_of_items_become_sequences_in_their_order() -> None:
    data = sequences("u1 tea milk tea\nu2 bread\n\n")
    assert (data.n_users, data.n_items, data.n_events) == (2, 3, 4)
    assert data.items.ids(data.history("u1").items) == ["tea", "milk", "tea"]
    split = pt.split.leave_last_out(data)
    assert split.test.n_events == 1
    assert data.items.ids(split.test.column("item")) == ["tea"]


def test_the_last_event_of_each_person_is_held_out_and_no_other() -> None:
    data = generated(50, 60, 200, rng=4)
    train, test = last_out(data)
    for user in range(50):
        items = data.history_of(user).items
        held = items[-1:] if len(items) > 1 else items[:0]
        assert sorted(test.indices[test.indptr[user] : test.indptr[user + 1]]) == sorted(held)
        assert sorted(train.indices[train.indptr[user] : train.indptr[user + 1]]) == sorted(set(items) - set(held))


def test_beauty_has_the_counts_of_the_literature() -> None:
    try:
        train, test = cut("beauty")
    except Exception as missing:
        if type(missing).__name__ != "Missing":
            raise
        pytest.skip(str(missing))
    assert (train.shape, train.nnz + test.nnz, test.nnz) == ((22_363, 12_101), 198_502, 22_363)


def test_the_loss_is_the_sum_over_all_pairs() -> None:
    source = np.random.default_rng(0)
    matrix = sp.csr_array((source.random((6, 9)) < 0.4).astype(np.float32))
    items, c, l2 = source.normal(size=(9, 3)).astype(np.float32), 10.0, 0.5
    total = l2 * float((items.astype(float) ** 2).sum())
    for row in matrix.toarray():
        weight = np.where(row > 0, c, 1.0)
        h = items.astype(float)
        w = np.linalg.solve((h.T * weight) @ h + l2 * np.eye(3), h.T @ (weight * row))
        total += float((weight * (row - h @ w) ** 2).sum() + l2 * w @ w)
    assert implicit_loss(matrix, items, c, l2) == pytest.approx(total / 6)


def test_a_table_is_padded_and_its_block_rewritten(tmp_path: Path) -> None:
    table = markdown(("name", "n"), [("a", "1"), ("longer", "23")])
    assert table == "| name   |   n |\n| ------ | --: |\n| a      |   1 |\n| longer |  23 |"
    assert replaced("x\n<!-- t:begin -->\nold\n<!-- t:end -->\ny\n", "t", "new") == (
        "x\n<!-- t:begin -->\nnew\n<!-- t:end -->\ny\n"
    )
    path = tmp_path / "results.md"
    write_block(path, "t", "one")
    write_block(path, "t", "two")
    assert path.read_text() == "# Results\n\n<!-- t:begin -->\ntwo\n<!-- t:end -->\n"


def test_spending_sees_memory_that_was_given_back() -> None:
    with spending() as spent:
        block = np.ones(64 * 2**17)
        del block
    assert spent.seconds > 0
    assert megabytes("VmRSS") > 10
    assert 48 < spent.megabytes < 200


def test_every_pair_and_row_names_settings_its_learner_has() -> None:
    """A learner that is not there yet cannot be checked; one that is must take what it is given."""
    for pair in PAIRS.values():
        assert set(pair.data) <= {*EVENTS}
        assert set(SIZES) <= {*EVENTS}
        if pair.learner in pt.learners():
            pt.learners()[pair.learner](**pair.ours).check()
    for row in ROWS:
        kind = pt.learners().get(row.learner)
        if kind and set(row.settings) <= {field.name for field in msgspec.structs.fields(kind)}:
            kind(**row.settings).check()


def test_a_row_that_cannot_be_measured_says_why() -> None:
    options = argparse.Namespace(heavy=False, keep=None, limit=1.0)
    row = ROWS[0]
    assert accuracy.found(row._replace(learner="nobody"), options) == {"why": "not there yet"}
    assert accuracy.found(row._replace(heavy=True), options) == {"why": "heavy: run with --heavy"}
    assert "mirrors" in accuracy.found(row._replace(settings={"mirrors": 2}), options)["why"]
    assert accuracy.lines(row, {"why": "not there yet"})[0][-3:] == ["not there yet", "", ""]


def test_the_difference_is_relative_to_what_was_published() -> None:
    row = ROWS[0]._replace(published={"recall@20": 0.2}, settings={"l2": 149.29, "k": 3})
    assert accuracy.lines(row, {"recall@20": 0.21, "seconds": 1.25, "megabytes": 1234.5}) == [
        ["gowalla", "Popular", "l2=149.3, k=3", "recall@20", "0.2000", "0.2100", "+5.0%", "1.2", "1,234"]
    ]


def test_figures_of_repeats_become_their_median_and_ratios_are_against_ours() -> None:
    ours = {"data": "d", "model": "m", "who": "penchant", "note": ""} | models.middle(
        [{"fit_seconds": 1.0, "single_ms": None}, {"fit_seconds": 4.0}, {"fit_seconds": 2.0, "version": "1"}]
    )
    peer = {"data": "d", "model": "m", "who": "implicit", "note": "slow"} | models.middle([{"fit_seconds": 5.0}])
    assert ours["fit_seconds"] == 2.0
    assert ours["single_ms"] is None
    assert models.line(peer, [ours, peer])[:5] == ["d", "m", "implicit", "5", "2.50"]
    assert models.line(peer, [ours, peer])[-1] == "slow"


def test_growth_is_against_the_smallest_size_and_is_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shape = {"learner": "ials", "users": 10, "items": 5, "data_mb": 100.0, "fit_mb": 50.0}
    rows = [shape | {"events": 1_000_000, "seconds": 2.0}, shape | {"events": 4_000_000, "seconds": 16.0}]
    assert scaling.line(rows[1], rows)[4:] == ["16.0", "4.00", "50", "100", "150", "2.00"]
    scaling.slopes(rows)
    assert "to the power of 1.50" in capsys.readouterr().out
    scaling.draw(rows, tmp_path / "assets" / "scaling.svg")
    assert (tmp_path / "assets" / "scaling.svg").read_text().count("ials") > 0
