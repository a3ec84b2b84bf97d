"""Evaluation on leaking, sampled, session and several splits, and how many users would tell."""

from __future__ import annotations

import msgspec
import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.core.errors import EmptyData, InputError
from penchant.data.dataset import Dataset
from penchant.data.split import k_fold, random, rolling, sessions, temporal
from penchant.evaluation import sample
from penchant.evaluation.cross import cross_evaluate
from penchant.evaluation.evaluate import evaluate
from penchant.evaluation.interval import comparisons, resample_means
from penchant.evaluation.line import Line, cells, sentence
from penchant.evaluation.metrics import ndcg
from penchant.evaluation.power import users_needed
from penchant.evaluation.ranking import hits, rank, truth
from penchant.evaluation.report import Report
from penchant.evaluation.sample import Bundles
from penchant.evaluation.sampled import sampled
from penchant.models.itemknn import ItemKNN
from penchant.models.popular import Popular


@pytest.fixture
def events():
    """400 events of 30 people in 40 days."""
    rng = np.random.default_rng(5)
    taste = rng.integers(0, 2, 30)
    user = rng.integers(0, 30, 400)
    item = (rng.integers(0, 8, 400) + 8 * taste[user]).astype(str)
    at = rng.permutation(400) * 8_640_000_000
    return Dataset.from_events(pl.DataFrame({"user": user.astype(str), "item": item, "at": at}))


def test_a_split_that_leaks_is_refused_and_one_that_says_so_is_reported(events):
    made = random(events)
    scorers = {"popular": Popular().fit(made.train)}
    told = evaluate(scorers, made, ["hit@5"], task="any", resamples=0).about()
    assert sum("lets through" in text for text in told) == 2
    assert f"Leak 'future', which this way of splitting lets through: {made.leaks['future']}." in told
    with pytest.raises(InputError, match="models learn from what came after the test"):
        evaluate(scorers, msgspec.structs.replace(made, allow=("hindsight",)), ["hit@5"], resamples=0)
    with pytest.raises(InputError, match="people are asked from what they did after the test"):
        cross_evaluate({"popular": Popular()}, [msgspec.structs.replace(made, allow=("future",))], ["hit@5"])
    assert not evaluate(scorers, temporal(events, "9d"), ["hit@5"], task="any", resamples=0).setup.leaks


@pytest.mark.parametrize("task", ["new", "any"])
@given(seed=st.integers(0, 1000), negatives=st.integers(1, 14))
def test_sampled_ranks_are_the_full_ranking_cut_to_the_sample(task, seed, negatives, ranker, make_split):
    rng = np.random.default_rng(seed)
    history, test = (rng.random((6, 12)) < 0.3).astype(float), (rng.random((6, 12)) < 0.3).astype(float)
    history[0, 0], history[0, 1], test[0, 1] = 1, 0, 1
    split = make_split(history, test)
    scorer = ranker(split.train.items, lambda dense: np.random.default_rng(seed).random(dense.shape[1]))
    found = truth(split, task)
    among = sampled(found, negatives, np.random.default_rng(seed))
    full, cut = rank(scorer, split, found, 12), rank(scorer, split, among, 12)
    for row, user in enumerate(found.users):
        wanted = set(np.flatnonzero(found.wanted.holds(np.full(12, row), np.arange(12, dtype=np.int32)[:, None])[:, 0]))
        barred = wanted | (set(np.flatnonzero(history[user])) if task == "new" else set())
        shown = {i for i in range(12) if among.among.holds(np.array([row]), np.int32([[i]]))[0, 0]}
        assert wanted <= shown
        assert len(shown - wanted) == min(negatives, 12 - len(barred))
        assert not (shown - wanted) & barred
        assert [i for i in cut[row] if i >= 0] == [i for i in full[row] if i in shown]


def test_negatives_are_drawn_evenly(make_split):
    split = make_split(
        np.eye(4000, 6)[:, [0] * 1 + [1, 2, 3, 4, 5]] * 0 + np.eye(6)[0], np.tile(np.eye(6)[3], (4000, 1))
    )
    among = sampled(truth(split), 2, np.random.default_rng(0)).among
    drawn = np.bincount(among.items, minlength=6)
    assert drawn[[0, 3]].tolist() == [0, 4000]
    assert np.abs(drawn[[1, 2, 4, 5]] / 4000 - 0.5).max() < 0.04


def test_every_form_of_a_sampled_report_says_so(both, tastes, tmp_path):
    report = evaluate(both, tastes, ["ndcg@5", "auc@5"], negatives=5)
    full = evaluate(both, tastes, ["ndcg@5"])
    assert set(report.table["sampled"]) == {5}
    assert set(full.table["sampled"]) == {None}
    assert report.lines[0].value > full.lines[0].value
    assert all("(sampled, 5)" in text for text in report.verdicts())
    rows = [row for row in report.markdown().splitlines() if row.startswith(("| popular", "| taste"))]
    assert len(rows) == 4
    assert all("(sampled, 5)" in row for row in rows)
    assert any(text.startswith("Ranking: sampled.") for text in report.about())
    report.html(tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text()
    assert "ndcg@5 (sampled, 5)" in page
    assert "negatives=5" in page
    assert msgspec.json.decode(report.json(), type=Report).lines == report.lines


def test_a_sample_that_holds_everything_is_the_full_ranking(both, tastes):
    full, everything = (evaluate(both, tastes, ["ndcg@5", "auc@20"], negatives=n) for n in (None, 100))
    assert [line.value for line in full.lines] == pytest.approx([line.value for line in everything.lines])


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"negatives": 0}, "negatives is out of range; got 0; allowed: 1 or more"),
        ({"negatives": 5, "task": "repeat"}, "nothing is sampled for the task repeat; got 5"),
        ({"negatives": 5, "metrics": ["coverage@5"]}, "a metric has no meaning on a sample of the catalogue; got cov"),
    ],
)
def test_what_cannot_be_sampled_is_refused(both, tastes, options, text):
    with pytest.raises(InputError, match=text):
        evaluate(both, tastes, **options)


def test_session_steps_are_asked_one_by_one_and_people_drawn_whole(events):
    split = sessions(events, "20d", gap="3d")
    scorers = {"popular": Popular().fit(split.train), "knn": ItemKNN().fit(split.train)}
    report = evaluate(scorers, split, ["ndcg@5"], task="any")
    found = truth(split, "any")
    slates = rank(scorers["knn"], split, found, 5)
    line = next(line for line in report.lines if line.model == "knn")
    assert line.value == pytest.approx(ndcg(hits(found, slates), found.wanted.counts).mean())
    assert line.users == report.setup.people == len(set(split.units[found.users]))
    assert any(text.startswith(f"They are about {line.users} users") for text in report.about())


def test_people_of_several_rows_are_drawn_whole():
    rng = np.random.default_rng(0)
    units = np.repeat(np.arange(40), rng.integers(1, 6, 40))
    values = rng.random(40)[units][:, None]
    order = rng.permutation(len(units))
    drawn = Bundles.of(len(units), units=units[order]).sample(values[order])
    assert drawn.sums.shape == (40, 1)
    assert drawn.users().tolist() == [40.0]
    assert drawn.means() == pytest.approx(values.mean())
    source = np.random.default_rng(1)
    slow = []
    for _ in range(50):
        picked = np.bincount(source.integers(0, 40, 40), minlength=40)
        slow.append(np.average(values[:, 0], weights=picked[units]))
    assert resample_means(drawn, resamples=50, rng=1)[:, 0] == pytest.approx(slow)


def test_many_people_of_several_rows_stay_together_in_bundles(monkeypatch):
    monkeypatch.setattr(sample, "SINGLY", 50)
    monkeypatch.setattr(sample, "BUNDLES", 20)
    units = np.random.default_rng(0).permutation(np.repeat(np.arange(93), 3))
    bundles = Bundles.of(len(units), 0, units)
    whose = [set(units[part]) for part in np.split(bundles.users, bundles.starts[1:-1])]
    assert len(whose) == 20
    assert sorted(person for part in whose for person in part) == list(range(93))
    assert bundles.sample(np.ones((len(units), 1))).users().tolist() == [93.0]


def test_several_splits_are_pooled_by_row_and_sliced_by_split(events):
    splits = k_fold(events, 3)
    learners = {"popular": Popular(), "knn": ItemKNN()}
    report = cross_evaluate(learners, splits, ["ndcg@5", "coverage@5"], task="any")
    singles = [
        evaluate({n: x.fit(s.train) for n, x in learners.items()}, s, ["ndcg@5", "coverage@5"], task="any", resamples=0)
        for s in splits
    ]
    for model in learners:
        own = [next(x for x in one.lines if x.model == model and x.metric == "ndcg") for one in singles]
        rows = [one.setup.users.evaluated for one in singles]
        lines = {line.slice: line for line in report.lines if line.model == model and line.metric == "ndcg"}
        assert lines[None].value == pytest.approx(np.average([line.value for line in own], weights=rows))
        assert [lines[f"split = {i} of 3"].value for i in (1, 2, 3)] == pytest.approx([line.value for line in own])
        assert lines[None].users == 30
        wide = [next(x for x in one.lines if x.model == model and x.metric == "coverage").value for one in singles]
        pooled = next(line for line in report.lines if line.model == model and line.metric == "coverage")
        assert pooled.value == pytest.approx(np.mean(wide))
        assert pooled.low is None
    assert report.setup.users.evaluated == sum(one.setup.users.evaluated for one in singles)
    assert (report.setup.windows, report.setup.people) == (3, 30)
    assert sum(text.startswith("Split 2: Leak") for text in report.about()) == 2
    again = cross_evaluate(learners, k_fold(events, 3), ["ndcg@5", "coverage@5"], task="any")
    assert again.lines == report.lines


def test_rolling_windows_make_a_report(events, tmp_path):
    report = cross_evaluate({"popular": Popular(), "knn": ItemKNN()}, rolling(events, "5d", 3), ["ndcg@5"], task="any")
    assert not report.setup.leaks
    assert report.setup.kind == "rolling"
    report.html(tmp_path / "r.html")
    assert "penchant.cross_evaluate(learners, splits" in (tmp_path / "r.html").read_text()


def test_what_cannot_be_crossed_is_refused(events, both):
    learners, one = {"popular": Popular()}, temporal(events, "9d")
    with pytest.raises(InputError, match="several splits are needed; got Split"):
        cross_evaluate(learners, one)
    with pytest.raises(EmptyData, match="there is no split to evaluate on"):
        cross_evaluate(learners, [])
    with pytest.raises(InputError, match="cross_evaluate takes a mapping of name to learner; got list"):
        cross_evaluate([Popular()], [one])
    with pytest.raises(InputError, match="popular is no learner; got FakeRanker"):
        cross_evaluate(both, [one])
    with pytest.raises(InputError, match="the splits are not of one dataset"):
        cross_evaluate(learners, [one, random(Dataset.from_matrix(np.ones((4, 4))))])


def test_so_many_users_tell_the_difference_four_times_in_five():
    """The promise itself, by simulation: draw as many users as it says, and test each time."""
    rng = np.random.default_rng(0)
    pilot = rng.normal(0.0, 1.0, 200)
    pilot = (pilot - pilot.mean()) / pilot.std() + 0.1
    needed = users_needed(0.1, resample_means(pilot[:, None], resamples=4000)[:, 0], 200)
    assert 740 <= needed <= 830  # (1.960 + 0.842)^2 / 0.1^2 = 785
    draws = rng.normal(0.1, 1.0, (2000, needed))
    told = np.abs(draws.mean(axis=1)) > 1.96 * draws.std(axis=1) / np.sqrt(needed)
    assert abs(told.mean() - 0.8) < 0.04


def test_a_difference_of_nothing_needs_no_number_of_users():
    assert users_needed(0.0, np.array([0.1, -0.1]), 10) is None
    assert users_needed(0.1, np.array([0.1, 0.1]), 10) is None
    assert users_needed(1e-12, np.array([0.1, -0.1]), 10) is None
    assert users_needed(float("nan"), np.array([np.nan]), 10) is None


def test_what_p_calls_chance_is_not_told_whatever_the_interval():
    values = np.random.default_rng(0).normal(0.3, 1, (40, 1))
    means = resample_means(values, resamples=1000)
    unsure, sure = (comparisons(Bundles.of(40).sample(values), means, np.array([p]))[0] for p in (0.06, 0.04))
    assert unsure.verdict == "cannot tell"
    assert unsure.needed > 40
    assert sure.needed is None or sure.verdict == "cannot tell"


def test_sentences_say_who_beats_whom_or_how_many_would_tell():
    def said(**values):
        line = Line("knn", "map", 5, 0.2, verdict="cannot tell", users=100, **values)
        return sentence(line, "popular").partition(": ")[2], cells(line)[6]

    between = {"diff": 0.02, "diff_low": -0.01, "diff_high": 0.05}
    assert said(**between, needed=250) == (
        "the difference is 0.020 [-0.010, 0.050]; would need about 250 users",
        "cannot tell, needs about 250 users",
    )
    assert said(**between, needed=20_000) == (
        "the difference is 0.020 [-0.010, 0.050]; would need more than 100 times as many users",
        "cannot tell",
    )
    assert said(diff=0.02, diff_low=0.01, diff_high=0.05, p=0.08, needed=130)[0] == (
        "the difference is 0.020 [0.010, 0.050] with p 0.0800; would need about 130 users"
    )
    assert said(diff=0.0, diff_low=-0.001, diff_high=0.001, needed=10**6)[0] == (
        "the difference is 0.000 [-0.001, 0.001]; too small to matter: within 1% of 0.2000"
    )


def test_cold_starts_are_slices(ranker, make_split):
    history = np.zeros((40, 8))
    history[:, 0] = 1
    history[:5, 1:6] = 1
    test = np.zeros((40, 8))
    test[:, 7] = 1
    test[5:, 5] = 1
    split = make_split(history, test)
    table = evaluate(
        {"one": ranker(split.train.items, lambda _: np.arange(8.0))}, split, ["hit@1"], by=["user.cold", "item.cold"]
    ).table
    assert dict(table.drop_nulls("slice").select("slice", "users").rows()) == {
        "user.cold = cold (1 to 4 items)": 35,
        "user.cold = known (5 items or more)": 5,
        "item.cold = new": 40,
        "item.cold = cold (1 to 9 users)": 35,
    }


def test_slices_of_several_splits_are_those_of_each_together(events):
    learners, columns = {"popular": Popular(), "knn": ItemKNN()}, ["user.history", "item.popularity"]
    splits = k_fold(events, 2)
    report = cross_evaluate(learners, splits, ["ndcg@5", "arp@5", "coverage@5"], task="any", by=columns, rng=1)
    each = [
        evaluate({n: x.fit(s.train) for n, x in learners.items()}, s, ["ndcg@5", "arp@5"], task="any", by=columns)
        for s in splits
    ]
    names = {line.slice for one in each for line in one.lines if line.slice is not None}
    found = {(line.model, line.metric, line.slice): line for line in report.lines}
    assert names <= {line.slice for line in report.lines}
    wide = {line.slice for line in report.lines if line.metric == "coverage"}
    assert wide == {None, "split = 1 of 2", "split = 2 of 2"}
    for name in names:
        own = [
            line for one in each for line in one.lines if (line.model, line.metric, line.slice) == ("knn", "ndcg", name)
        ]
        if name.startswith("user.history"):  # each user is asked once a split, so that a slice counts by its users
            expected = np.average([line.value for line in own], weights=[line.users for line in own])
            assert found["knn", "ndcg", name].value == pytest.approx(expected)
        if name.startswith("item."):
            assert ("knn", "arp", name) not in found, "how popular slates are is no matter of what was wanted"
    assert report.setup.by == tuple(columns)
    with pytest.raises(InputError, match="by names no column; got 'history'"):
        cross_evaluate(learners, splits, ["ndcg@5"], by=["history"])


def test_what_fitting_took_is_told_when_asked(events):
    options = (k_fold(events, 2), ["hit@5"])
    assert {line.seconds for line in cross_evaluate({"popular": Popular()}, *options).lines} == {None}
    lines = cross_evaluate({"popular": Popular()}, *options, timed=True).lines
    assert all(line.seconds > 0 for line in lines)


def test_rare_items_are_not_learnt_and_still_wanted(events):
    few = cross_evaluate({"popular": Popular()}, k_fold(events, 2), ["coverage@16", "hit@16"], task="any", min_users=12)
    every = cross_evaluate({"popular": Popular()}, k_fold(events, 2), ["coverage@16", "hit@16"], task="any")
    assert few.lines[0].value < every.lines[0].value
    assert few.setup.users == every.setup.users
