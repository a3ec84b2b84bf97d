"""An evaluation by parts: the parts are what they say, and their lines are those of an evaluation of them alone."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest

from penchant.core.errors import InputError, MissingColumn
from penchant.data.dataset import Dataset
from penchant.data.split import Split
from penchant.evaluation.evaluate import evaluate
from penchant.evaluation.groups import grouped, history_groups, item_groups
from penchant.evaluation.line import sentence
from penchant.evaluation.metrics import LIST_METRICS, SLATE_METRICS, USER_METRICS
from penchant.evaluation.ranking import truth
from penchant.evaluation.slices import slices


def lines_of(report, part, model="taste"):
    return {line.name: line for line in report.lines if line.slice == part and line.model == model}


@pytest.fixture
def towns():
    """Users 0 to 39 live in Oslo, 40 to 58 in Rome, and of the last nobody knows."""
    return pl.DataFrame({"user": [str(u) for u in range(59)], "town": ["Oslo"] * 40 + ["Rome"] * 19})


def test_a_slice_of_users_is_an_evaluation_of_these_users(both, tastes, towns, make_split):
    names = ["ndcg@5", "hit@2", "coverage@5"]
    report = evaluate(both, tastes, names, by=["user.town"], users=towns)
    assert report.setup.by == ("user.town",)
    parts = list(dict.fromkeys(line.slice for line in report.lines))
    assert parts == [None, "user.town = Oslo", "user.town = Rome", "user.town = unknown"]
    history, test = (side.matrix.toarray() for side in (tastes.history, tastes.test))
    history[40:], test[40:] = 0, 0
    alone = evaluate(both, make_split(history, test, tastes.train.matrix.toarray()), names)
    for name, line in lines_of(report, "user.town = Oslo").items():
        there = lines_of(alone, None)[name]
        assert (line.value, line.diff, line.users) == (pytest.approx(there.value), pytest.approx(there.diff), 40)
        assert line.verdict == there.verdict
    assert lines_of(report, None)["ndcg@5"].users == 60


def test_slices_of_few_users_cannot_tell(both, tastes, towns):
    report = evaluate(both, tastes, ["ndcg@5"], by=["user.town"], users=towns)
    rome, unknown = (lines_of(report, f"user.town = {town}")["ndcg@5"] for town in ("Rome", "unknown"))
    assert (rome.verdict, rome.low, rome.why) == ("cannot tell", None, "19 users are too few to tell")
    assert rome.value > 0
    assert unknown.why == "there is only one user"
    text = "cannot tell taste from popular on ndcg@5 for user.town = Rome: 19 users are too few to tell"
    assert text in report.verdicts()
    assert any("Slices: user.town" in line for line in report.about())


def test_slicing_changes_nothing_of_the_whole(both, tastes):
    plain = evaluate(both, tastes, ["ndcg@5", "novelty@5"])
    cut = evaluate(both, tastes, ["ndcg@5", "novelty@5"], by=["user.history", "item.popularity"])
    assert [line for line in cut.lines if line.slice is None] == list(plain.lines)


def test_p_is_corrected_for_all_slices_of_a_column(both, tastes):
    halves = pl.DataFrame({"user": [str(u) for u in range(60)], "half": [u % 2 for u in range(60)]})
    report = evaluate(both, tastes, ["mrr@10"], by=["user.half"], users=halves)
    for half in (0, 1):
        line = lines_of(report, f"user.half = {half}")["mrr@10"]
        assert line.p == pytest.approx(2 / 1001)
        assert line.verdict == "better"


def test_a_slice_of_items_wants_only_these(ranker, make_split):
    split = make_split([[1, 1, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0]], [[0, 0, 1, 1, 0, 0], [0, 1, 0, 0, 1, 1]])
    scorer = ranker(split.train.items, lambda _: np.array([9, 8, 7, 6, 5, 4.0]))
    report = evaluate({"one": scorer}, split, ["recall@2", "mrr@3", "coverage@2", "arp@2"], by=["item.popularity"])
    head, tail = (lines_of(report, f"item.popularity = {kind}", "one") for kind in ("head", "tail"))
    # items 0 and 1 are the head; only user 1 wants one of them, and gets it first
    assert {name: (line.value, line.users) for name, line in head.items()} == {"recall@2": (1.0, 1), "mrr@3": (1.0, 1)}
    # user 0 is shown 2, 3 and wants both; user 1 is shown 1, 2, 3 and wants 4, 5
    assert {name: (line.value, line.users) for name, line in tail.items()} == {"recall@2": (0.5, 2), "mrr@3": (0.5, 2)}


def test_an_item_of_two_categories_is_in_both_slices():
    events = pl.DataFrame({"user": ["a", "b", "a", "b"], "item": ["x", "y", "y", "z"], "at": [1, 2, 3, 4]})
    items = pl.DataFrame(
        {"id": ["x", "y", "z"], "categories": [["tea"], ["tea", "gift"], []], "brand": ["E", None, "F"]}
    )
    data = Dataset.from_events(events, items)
    past, later = data.select(data.column("at") < 3), data.select(data.column("at") >= 3)
    split = Split(past, past, later, "temporal", "By hand.")
    found = slices(split, truth(split), ["item.categories", "item.brand"])
    named = {part.name: part.rows.tolist() for cut in found.values() for part in cut}
    assert named == {
        "item.categories = gift": [0],
        "item.categories = tea": [0],
        "item.categories = unknown": [1],
        "item.brand = F": [1],
        "item.brand = unknown": [0],
    }


def test_attributes_of_any_name_make_slices():
    """As others' files have them: with spaces, dots and umlauts in their names; numbers are cut into quarters."""
    events = pl.DataFrame({"user": ["a", "b", "c"], "item": ["x", "y", "z"], "at": [1, 2, 3]})
    given = [
        '{"Farbe (außen)":"rot","a.b":true}',
        '{"Farbe (außen)":null,"a.b":false}',
        '{"Farbe (au\\u00dfen)":"blau"}',
    ]
    items = pl.DataFrame({"id": ["x", "y", "z"], "attributes": given})
    data = Dataset.from_events(events, items)
    assert item_groups(data, "Farbe (außen)").labels == ("blau", "rot", "unknown")
    assert item_groups(data, "a.b").labels == ("false", "true", "unknown")
    many = [f"i{i:02}" for i in range(60)]
    sizes = pl.DataFrame({"id": many, "attributes": [f'{{"size": {i}}}' for i in range(60)]})
    events = pl.DataFrame({"user": many, "item": many, "at": range(60)})
    assert item_groups(Dataset.from_events(events, sizes), "size").labels[0] == "0 to 14.75"
    with pytest.raises(MissingColumn) as error:
        item_groups(data, "Farbe")
    assert "no item an attribute of that name; got id, " in str(error.value)
    assert "attributes: Farbe (außen), attributes: a.b; next: read it as an attribute: --map-item" in str(error.value)


def test_groups_of_numbers_truths_and_lengths():
    many = grouped(pl.Series("price", [*range(100), None]))
    assert many.labels == ("0 to 24.75", "24.75 to 49.5", "49.5 to 74.25", "74.25 to 99", "unknown")
    assert many.member.sum(axis=0).tolist() == [25, 25, 25, 25, 1]
    assert grouped(pl.Series("adult", [True, False, None])).labels == ("false", "true", "unknown")
    assert grouped(pl.Series("stars", [5, 3, 5])).labels == ("3", "5")
    lengths = history_groups(np.array([1, 2, 4, 5, 49, 50, 999]))
    assert lengths.member.indices.tolist() == [0, 1, 1, 2, 4, 5, 5]


def test_slips_are_said(both, tastes, towns):
    slips = {
        "by is a text; got user.town; allowed: a list; next: write ['user.town']": {"by": "user.town"},
        "by names no column; got 'town'; allowed: user.<column> or item.<column>, such as user.history or "
        "item.popularity": {"by": ["town"]},
        "nothing is known of users but their history, no 'town'; next: pass users=, a table with the columns user and "
        "town": {"by": ["user.town"]},
        "the table has no column 'age'; got user, town": {"by": ["user.age"], "users": towns},
        "there is no catalogue with a column 'brand'; next: bring items": {"by": ["item.brand"]},
    }
    for text, options in slips.items():
        with pytest.raises((InputError, MissingColumn)) as error:
            evaluate(both, tastes, ["ndcg@5"], **options)
        assert str(error.value) == text
    with pytest.raises(InputError, match="a column makes too many groups; got name: 60; allowed: at most 50"):
        grouped(pl.Series("name", [str(i) for i in range(60)]))


def test_metrics_of_slates_come_with_intervals_and_words_of_their_own(ranker):
    rng = np.random.default_rng(4)
    matrix = (rng.random((80, 16)) < 0.3) * (rng.random(16) + 0.2)
    at = rng.integers(0, 100, (80, 16))
    rows, cols = np.nonzero(matrix)
    events = pl.DataFrame(
        {"user": [f"u{r:02}" for r in rows], "item": [f"i{c:02}" for c in cols], "at": at[rows, cols]}
    )
    items = pl.DataFrame({"id": [f"i{c:02}" for c in range(16)], "categories": [[f"c{c % 3}"] for c in range(16)]})
    data = Dataset.from_events(events, items)
    past, later = data.select(data.column("at") < 60), data.select(data.column("at") >= 60)
    split = Split(past, past, later, "temporal", "By hand.")
    support = past.support.astype(float)
    models = {"popular": ranker(data.items, lambda _: support), "rare": ranker(data.items, lambda _: -support)}
    report = evaluate(models, split, [f"{name}@4" for name in (*SLATE_METRICS, *LIST_METRICS, "ndcg")])
    lines = lines_of(report, None, "rare")
    assert all(line.low < line.value < line.high for name, line in lines.items() if name.split("@")[0] in SLATE_METRICS)
    assert (lines["arp@4"].verdict, lines["aplt@4"].verdict) == ("lower", "higher")
    assert lines["calibration@4"].verdict in ("better", "worse", "cannot tell")
    assert lines["gini@4"].verdict is None
    assert lines_of(report, None, "popular")["serendipity@4"].value == 0  # it is the plain model
    assert sentence(lines["arp@4"], "popular").startswith("rare is lower than popular on arp@4 by ")
    held = truth(split)
    assert lines["ndcg@4"].users == len(held.users)
    assert set(USER_METRICS).isdisjoint(SLATE_METRICS)


def test_less_is_better_in_calibration():
    from penchant.evaluation.interval import Effect
    from penchant.evaluation.line import Line
    from penchant.evaluation.metrics import Metric

    line = Line.of("a", Metric("calibration", 5), Effect(1.0, 0.9, 1.1), Effect(-0.2, -0.3, -0.1, 0.01))
    assert line.verdict == "better"
    assert sentence(line, "b") == "a beats b on calibration@5 by 0.200 [0.100, 0.300]"


def test_without_categories_the_report_says_so(both, tastes):
    report = evaluate(both, tastes, ["diversity@5", "calibration@5", "auc@5"])
    for name in ("diversity@5", "calibration@5"):
        line = lines_of(report, None, "popular")[name]
        assert (line.value, line.why) == (None, "the catalogue has no categories")
    assert not math.isnan(lines_of(report, None)["auc@5"].value)
    with pytest.raises(MissingColumn):
        item_groups(tastes.train, "categories")
