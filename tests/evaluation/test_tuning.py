"""The search sees what it may, can be stopped and taken up, and is reported by data it never saw."""

from __future__ import annotations

import json
import logging
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import timedelta

import msgspec
import numpy as np
import polars as pl
import pytest

import penchant
from penchant.core.errors import EmptyData, InputError, MissingExtra, UnknownName
from penchant.data.dataset import Dataset
from penchant.data.split import temporal
from penchant.evaluation.evaluate import evaluate
from penchant.evaluation.nested import nested
from penchant.evaluation.report import Report
from penchant.evaluation.search import Trial, opened
from penchant.evaluation.tuning import tune
from penchant.models.buyagain import BuyAgain
from penchant.models.ease import EASE
from penchant.models.itemknn import ItemKNN
from penchant.models.learner import learners
from penchant.models.matrixfactorization import MatrixFactorization
from penchant.models.popular import Popular
from penchant.models.puresvd import PureSVD
from penchant.models.tunable import Tunable

DAY = 86_400 * 1_000_000
CUTS = {"test": "10d", "validation": "7d"}


def events(days: int = 70, people: int = 60, items: int = 70, rng: int = 0) -> pl.DataFrame:
    """Return a world of fashion: what is liked changes every other day, so that only the latest popularity counts."""
    source = np.random.default_rng(rng)
    rows = []
    for day in range(days):
        for person in source.choice(people, 12, replace=False):
            item = (day // 2 + source.integers(0, 6)) % items if source.random() < 0.9 else source.integers(items)
            rows.append((f"u{person}", f"i{item}", day * DAY + int(person)))
    return pl.DataFrame(rows, schema=["user", "item", "at"], orient="row")


@pytest.fixture(scope="module")
def world() -> Dataset:
    return Dataset.from_events(events())


def run(data: Dataset, **more: object) -> object:
    return tune("popular", data, "ndcg@5", **{"trials": 8, "resamples": 200, **CUTS, **more})  # type: ignore[arg-type]


def steps(report: object) -> list[tuple[object, ...]]:
    """Return all that a search did but for the time it took."""
    return [(t.state, t.settings, t.windows) for t in (report.first, *report.trials)]  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def found(world):
    return run(world)


def test_where_only_the_latest_counts_the_shortest_half_life_is_found(found):
    assert found.best == {"half_life": 1.0}
    assert found.learner == Popular(half_life=1.0)
    assert found.began == Popular()
    line = next(line for line in found.outer.lines if line.model == "tuned" and line.name == "ndcg@5")
    assert line.verdict == found.verdict == "better"
    assert line.low > 0.15


def test_the_number_reported_is_one_evaluation_on_what_was_put_away(world, found):
    split = temporal(world, "10d")
    scorers = {"default": Popular().fit(split.train), "tuned": Popular(half_life=1.0).fit(split.train)}
    expected = evaluate(scorers, split, ["ndcg@5"], baseline="default", resamples=200)
    mine = {(line.model, line.name): line for line in found.outer.lines}
    for line in expected.lines:
        own = mine[line.model, line.name]
        assert (own.value, own.low, own.high, own.diff_low) == (line.value, line.low, line.high, line.diff_low)
    assert found.outer.setup.data["test"] == split.test.digest


def test_a_trial_is_what_the_windows_say(world, found):
    _, inner = nested(world, "10d", "7d", 2)
    trial = next(trial for trial in found.trials if trial.state == "done")
    learner = Popular(**trial.settings)
    values = [
        evaluate({"it": learner.fit(window.train)}, window, ["ndcg@5"], resamples=0).lines[0].value for window in inner
    ]
    assert list(trial.windows) == values
    assert trial.value == pytest.approx(np.mean(values))


def test_windows_follow_each_other_backwards_within_the_outer_training_data(world):
    outer, inner = nested(world, "10d", "7d", 3)
    ends = [int(split.test.column("at").max()) for split in (outer, *inner)]
    begins = [int(split.test.column("at").min()) for split in (outer, *inner)]
    assert all(end < begin for end, begin in zip(ends[1:], begins[:-1], strict=True)), "no event is in two windows"
    for split in inner:
        assert split.train.column("at").max() < split.test.column("at").min()
    assert inner[0].train.n_events + inner[0].test.n_events == outer.train.n_events


def test_without_a_length_windows_leave_as_much_to_learn_from(world):
    _, inner = nested(world, timedelta(days=60), windows=3)
    spans = [int(np.ptp(split.test.column("at"))) / DAY for split in inner]
    assert all(1 < span < 2.5 for span in spans), "10 days before the cut, in four parts"
    assert len(nested(world, "10d")[1]) == 2


def test_what_was_put_away_has_no_part_in_the_search(found):
    """Turn the last ten days upside down: the same trials, another number at the end."""
    table = events()
    late = pl.col("at") > table["at"].max() - 10 * DAY
    turned = pl.when(late).then(pl.col("item").shuffle(seed=3)).otherwise(pl.col("item")).alias("item")
    # the same things in the same order of first appearance, and so the same vocabulary
    other = run(Dataset.from_events(table.with_columns(turned)))
    assert [t.settings for t in other.trials] == [t.settings for t in found.trials]
    assert [t.windows for t in other.trials] == [t.windows for t in found.trials]
    assert other.outer.lines[0].value != found.outer.lines[0].value


def test_a_trial_that_fell_behind_is_stopped_after_a_window(found):
    stopped = [trial for trial in found.trials if trial.state == "stopped"]
    assert stopped
    done = [trial.windows[0] for trial in found.trials if trial.state == "done"]
    for trial in stopped:
        assert len(trial.windows) == 1
        assert trial.windows[0] < np.median(done)
    assert all(trial.state == "done" for trial in found.trials[:5]), "no median before five trials"


def test_the_same_settings_are_not_fitted_twice(world, monkeypatch):
    fits = []
    monkeypatch.setattr(Popular, "_fit", lambda self, *a, _fit=Popular._fit: fits.append(self) or _fit(self, *a))
    report = run(world, trials=12)
    assert len({json.dumps(trial.settings) for trial in report.trials}) < 12
    assert max(fits.count(learner) for learner in fits if learner != Popular() and learner != report.learner) <= 2


def test_two_runs_with_one_seed_make_the_same_trials(world):
    def search(rng):
        return tune("pure-svd", world, "ndcg@5", trials=13, resamples=0, space=SPACE, rng=rng, windows=1, **CUTS)

    one, two, other = search(3), search(3), search(4)
    assert steps(one) == steps(two)
    assert [t.settings for t in one.trials] != [t.settings for t in other.trials]
    assert msgspec.structs.asdict(one.outer.lines[0]) | {"seconds": 0} == msgspec.structs.asdict(two.outer.lines[0]) | {
        "seconds": 0
    }
    assert search(np.random.default_rng(1)).about["rng"] == search(np.random.default_rng(1)).about["rng"]


SPACE = {"factors": Tunable(1, 12)}


KILLED = """
import os, sys
import polars as pl
from penchant.data.dataset import Dataset
from penchant.evaluation.tuning import tune
from penchant.models.popular import Popular
assert "optuna" not in sys.modules, "it is imported when it is used"
world, calls, fit = Dataset.from_events(pl.read_parquet(sys.argv[1])), [], Popular._fit
def deadly(self, *args):
    calls.append(self)
    return os._exit(9) if len(calls) == 8 else fit(self, *args)
Popular._fit = deadly
tune("popular", world, "ndcg@5", trials=8, test="10d", validation="7d", storage=sys.argv[2])
"""


def test_a_killed_study_is_taken_up_as_if_it_had_never_been_killed(world, found, tmp_path):
    whole, place = found, tmp_path / "study.db"
    events().write_parquet(tmp_path / "events.parquet")
    died = subprocess.run([sys.executable, "-c", KILLED, tmp_path / "events.parquet", place], check=False, timeout=300)
    assert died.returncode == 9
    resumed = run(world, storage=place)
    assert steps(resumed) == steps(whole)
    assert resumed.best == whole.best
    again = run(world, storage=str(place), trials=5)
    assert steps(again) == steps(whole), "eight there are, five were asked for: none is made"
    with closing(sqlite3.connect(place)) as connection:
        states = [row[0] for row in connection.execute("SELECT state FROM trials")]
    assert states.count("FAIL") == 1, "the one that was killed"


def test_a_study_about_something_else_is_not_taken_up(world, tmp_path):
    place = tmp_path / "study.db"
    run(world, storage=place, trials=1)
    for more, what in (
        ({"rng": 1}, "rng"),
        ({"space": {"half_life": Tunable(1, 9)}}, "space"),
        ({"test": "12d"}, "windows|test"),
        ({"validation": "5d"}, "windows"),
    ):
        with pytest.raises(InputError, match=f"the study was begun with another ({what})") as error:
            run(world, storage=place, trials=1, **more)
        assert "choose another name or another file" in str(error.value)
    with pytest.raises(InputError, match="begun with another metric; got 'hit@5' for popular; allowed: 'ndcg@5'"):
        tune("popular", world, "hit@5", trials=1, storage=place, **CUTS)
    other = tune("popular", world, "hit@5", trials=1, storage=place, name="by hits", resamples=0, **CUTS)
    assert len(other.trials) == 1


def test_no_trial_begins_after_the_time_is_over(world):
    report = run(world, seconds=1e-9)
    assert report.trials == ()
    assert report.best == {}
    assert report.verdict is None
    assert report.learner == Popular()
    assert {line.model for line in report.outer.lines} == {"default"}
    assert "No trial beat the settings that the search began from" in report.text


def test_popular_and_the_default_stand_beside(world):
    report = tune(BuyAgain(), world, "hit@5", trials=2, resamples=200, **CUTS)
    assert report.outer.setup.task == "repeat"
    assert report.outer.setup.baseline == "default"
    assert [line.model for line in report.outer.lines if line.metric == "hit"][:2] == ["default", "popular"]
    assert {line.name for line in report.outer.lines} == {"hit@5", "recall@5", "coverage@5"}


def test_a_field_that_depends_on_another_is_searched_with_it_only(world):
    report = tune(ItemKNN(), world, "hit@5", trials=9, resamples=0, windows=1, space=["similarity", "b"], **CUTS)
    seen = {trial.settings["similarity"] for trial in report.trials}
    assert len(seen) > 2
    for trial in report.trials:
        assert ("b" in trial.settings) == (trial.settings["similarity"] == "bm25")
    assert report.history["b"].dtype == pl.Float64


def test_settings_a_learner_refuses_fail_and_the_search_goes_on(world, monkeypatch):
    def picky(self, *args, _fit=Popular._fit):
        if self.half_life in (1.0, 3.0):
            raise InputError("this learner will not", got=self.half_life)
        return _fit(self, *args)

    monkeypatch.setattr(Popular, "_fit", picky)
    report = run(world)
    failed = [trial for trial in report.trials if trial.state == "failed"]
    assert failed
    assert all(trial.why.startswith("this learner will not") for trial in failed)
    assert report.best["half_life"] not in (1.0, 3.0)
    assert len(report.trials) == 8


def test_the_first_settings_that_cannot_be_fitted_are_an_error(world):
    with pytest.raises(InputError, match="max_items"):
        tune(EASE(max_items=0), world, trials=1, **CUTS)


def test_history_json_and_text(found):
    table = found.history
    assert table.columns == ["trial", "state", "value", "windows", "seconds", "why", "half_life"]
    assert table["trial"].to_list() == list(range(9))
    assert table.row(0)[:2] == (0, "first")
    assert table["windows"].dtype == pl.List(pl.Float64)
    document = json.loads(found.json())
    assert document["best"] == {"half_life": 1.0}
    assert document["about"]["metric"] == "ndcg@5"
    assert document["about"]["space"]["half_life"]["choices"][:2] == [None, 1.0]
    assert msgspec.convert(document["outer"], Report).lines == found.outer.lines
    assert msgspec.convert(document["trials"][0], Trial) == found.trials[0]
    text = found.text
    assert text == repr(found)
    assert "Best in the search: ndcg@5 0.3768 with half_life = 1.0; it began at 0.0079." in text
    assert "tuned beats default on ndcg@5 by 0.281" in text
    assert '[models.popular]\nlearner = "popular"\nhalf_life = 1.0\n' in text


def test_optuna_says_nothing_and_its_loudness_is_left_as_it_was(world, caplog, capsys):
    optuna = pytest.importorskip("optuna")
    before = optuna.logging.get_verbosity()
    with caplog.at_level(logging.DEBUG):
        run(world, trials=1)
    out = capsys.readouterr()
    assert (out.out, out.err) == ("", "")
    assert optuna.logging.get_verbosity() == before


def test_without_optuna_the_extra_is_named(world, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(MissingExtra) as error:
        run(world)
    assert str(error.value) == "optuna is not installed; next: pip install 'penchant[tune]'"


@pytest.mark.parametrize(
    ("args", "kind", "text"),
    [
        ({"learner": "populer"}, UnknownName, r"unknown learner; got populer; .*did you mean 'popular'\?"),
        ({"learner": Popular}, InputError, "tune takes a learner, or the name of one; got Popular"),
        ({"learner": 7}, InputError, "tune takes a learner, or the name of one; got int"),
        ({"learner": MatrixFactorization()}, InputError, "only what ranks can be tuned; got matrix-factorization"),
        ({"metric": "ndgc@10"}, UnknownName, r"did you mean 'ndcg'\?"),
        ({"metric": "coverage@10"}, InputError, "popular cannot be tuned by a metric of all slates together"),
        ({"space": ["half_live"]}, UnknownName, r"unknown field of Popular; .*did you mean 'half_life'\?"),
        ({"space": "window"}, InputError, r"window declares no space; got Popular; allowed: half_life"),
        ({"space": []}, InputError, "there is nothing to tune; got Popular, no field"),
        ({"space": {}}, InputError, "there is nothing to tune; got Popular, no field"),
        ({"space": {"half_life": (1, 2)}}, InputError, r"the space of half_life is none; got \(1, 2\)"),
        ({"space": {"half_life": Tunable(-1, 2)}}, InputError, "Popular: half_life is out of range; got -1.0"),
        ({"learner": PureSVD(), "space": {"factors": Tunable(0.5, 2)}}, InputError, "factors is a whole number"),
        ({"learner": ItemKNN(), "space": ["b"]}, InputError, "there is nothing to tune; got ItemKNN, b"),
        ({"trials": 0}, InputError, "trials is out of range; got 0; allowed: a whole number of 1 or more"),
        ({"windows": 0}, InputError, "windows is out of range"),
        ({"windows": 1.5}, InputError, "windows is out of range"),
        ({"seconds": 0}, InputError, "seconds is out of range; got 0; allowed: above 0, or None"),
        ({"rng": -1}, InputError, "rng is not a seed"),
        ({"data": [[1, 0]]}, InputError, "tune takes a Dataset"),
        ({"test": "soon"}, InputError, "not a place to cut at"),
        ({"validation": "soon"}, InputError, "soon"),
        ({"test": "70d"}, EmptyData, "the data is too short to tune on: test cannot be cut off"),
        ({"validation": "40d"}, EmptyData, "too short to tune on: window 2 of 2 cannot be cut off; .*fewer windows"),
        ({"data": Dataset.from_matrix(np.eye(3))}, EmptyData, "the data is too short to tune on: test cannot be cut"),
    ],
)
def test_what_cannot_be_tuned_is_said_before_any_work(world, args, kind, text, monkeypatch):
    monkeypatch.setattr(Popular, "_fit", lambda *_: pytest.fail("this should not have begun"))
    given = {"learner": "popular", "data": world, "metric": "ndcg@5", **CUTS, **args}
    with pytest.raises(kind, match=text):
        tune(given.pop("learner"), given.pop("data"), given.pop("metric"), **given)


@pytest.mark.parametrize("made", ["text", "database", "folder", "nowhere", "url"])
def test_a_file_that_is_no_study_is_left_alone(world, tmp_path, made):
    place = tmp_path / "kept.db"
    if made == "text":
        place.write_text("user,item\nann,tea\n" * 100, encoding="utf-8")
    elif made == "database":
        with closing(sqlite3.connect(place)) as connection:
            connection.execute("CREATE TABLE events (id)")
    elif made == "folder":
        place.mkdir()
    elif made == "nowhere":
        place = tmp_path / "not" / "there.db"
    else:
        place = f"sqlite:///{place}"
    before = place.read_bytes() if made in ("text", "database") else None
    text = {"nowhere": "there is no such folder", "url": "a study is kept in a file"}
    with pytest.raises(InputError, match=text.get(made, "the file cannot keep a study")) as error:
        run(world, storage=place)
    assert error.value.then
    if before is not None:
        assert place.read_bytes() == before


def test_every_learner_that_ranks_can_be_tuned_by_name():
    assert penchant.tune is tune
    assert {kind.task for kind in learners().values()} == {"new", "repeat", "rating"}


def test_a_study_that_another_process_takes_over_says_so_and_keeps_what_was_done(tmp_path):
    space, place = {"l2": Tunable(1.0, 100.0)}, tmp_path / "study.db"

    def attempt(settings, told):
        return Trial("done", settings, (settings["l2"],), 0.0)

    def overtaken(settings, told):
        with opened(space, seed=0, storage=place):
            return attempt(settings, told)

    with opened(space, seed=0, storage=place) as study:
        first = study.run(attempt)
        with pytest.raises(InputError, match=r"another process works on the same study; .* next: let one end first"):
            study.run(overtaken)
    with opened(space, seed=0, storage=place) as study:
        assert first in study.trials
