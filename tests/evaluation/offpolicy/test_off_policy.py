"""The whole: estimates with intervals where the log can tell, and reasons where it cannot."""

from __future__ import annotations

import msgspec
import numpy as np
import polars as pl
import pytest

import penchant as pt
from penchant.core.errors import EmptyData, InputError, UnknownName
from penchant.evaluation.offpolicy.estimate import ESTIMATORS
from penchant.evaluation.offpolicy.regression import RewardModel
from penchant.evaluation.offpolicy.report import OffPolicyReport
from penchant.testing import BanditWorld

WORLD = BanditWorld(sharp=1.0)
WEIGHTED = [name for name in ESTIMATORS if name != "dm"]


@pytest.fixture(scope="module")
def report() -> OffPolicyReport:
    draw = WORLD.draw(5000, 1)
    return pt.off_policy(draw.logged, draw.target)


def test_every_estimator_is_near_the_truth_and_sees_that_the_policy_is_better(report):
    truth = WORLD.value
    lines = {line.estimator: line for line in report.lines}
    assert tuple(lines) == ESTIMATORS
    for name in WEIGHTED:
        line = lines[name]
        assert line.low < truth < line.high, name
        assert line.verdict == "better"
        assert line.value - line.diff == pytest.approx(report.logged)
        assert 1000 < line.ess < 5000
    assert lines["dm"].value == pytest.approx(truth, abs=0.05)
    assert (lines["dm"].low, lines["dm"].verdict) == (None, "cannot tell")
    assert lines["dm"].why == "a model's error is not chance, so that no interval covers it"


def test_the_report_reads_as_table_text_and_json(report):
    assert report.table.shape == (8, 12)
    assert report.table.schema["low"] == pl.Float64
    back = msgspec.json.decode(report.json(), type=OffPolicyReport)
    assert (back.lines, back.overlap) == (report.lines, report.overlap)
    assert report.best.estimator == "dr"
    assert report.verdict.startswith("By dr the policy earns 0.3")
    assert report.verdict.endswith("more than the logging policy: it is better.")
    text = report.markdown()
    assert text.count("\n| ") == 9
    for part in (
        "The logging policy earned 0.",
        "Overlap: the log is worth 2,",
        "Intervals: 95%",
        "- dm: a model's error",
    ):
        assert part in text
    assert len(report.verdicts()) == 8
    assert (
        report.verdicts()[3] == "By dm one cannot tell: a model's error is not chance, so that no interval covers it."
    )


def test_it_says_worse_when_it_is_and_that_it_cannot_tell_when_it_cannot():
    draw = WORLD.draw(5000, 2)
    worst = np.eye(WORLD.actions)[draw.truth.argmin(axis=1)] * 0.5 + 0.5 / WORLD.actions
    worse = pt.off_policy(draw.logged, worst, ["dr"])
    assert worse.lines[0].verdict == "worse"
    assert " less than the logging policy: it is worse." in worse.verdict
    even = pt.off_policy(draw.logged, np.full((1, WORLD.actions), 1 / WORLD.actions), ["snips"])
    assert even.lines[0].verdict == "cannot tell"
    assert even.verdict.endswith("one cannot tell which is better.")


def test_asked_for_the_logging_policy_it_gives_the_mean_reward_and_no_difference():
    rng = np.random.default_rng(0)
    logged = pt.Logged(rng.integers(0, 4, 800), reward=rng.random(800) < 0.3, propensity=np.full(800, 0.25))
    report = pt.off_policy(logged, np.full((1, 4), 0.25), ["ips", "snips", "clipped-ips"])
    for line in report.lines:
        assert line.value == pytest.approx(logged.reward.mean())
        assert line.low is not None
        assert line.diff == pytest.approx(0, abs=1e-12)
        assert line.why == "every round contributes the same"


def test_the_truth_as_a_model_gives_the_truth():
    draw = WORLD.draw(2000, 3)
    report = pt.off_policy(draw.logged, draw.target, ["dm", "dr"], model=draw.truth)
    assert report.lines[0].value == pytest.approx((draw.target * draw.truth).sum(axis=1).mean())
    assert report.lines[1].value == pytest.approx(WORLD.value, abs=0.03)


def test_the_seed_decides_the_folds_and_nothing_else_does():
    draw = WORLD.draw(1000, 4)
    one, again, other = (pt.off_policy(draw.logged, draw.target, rng=seed) for seed in (1, 1, 2))
    assert one.lines == again.lines
    assert one.lines != other.lines
    assert one.lines[0] == other.lines[0]  # ips has no folds


def test_known_only_for_the_actions_taken_a_policy_has_no_model_and_says_so():
    draw = WORLD.draw(3000, 5)
    taken = draw.target[np.arange(3000), draw.logged.action]
    bare, whole = pt.off_policy(draw.logged, taken), pt.off_policy(draw.logged, draw.target)
    lines = {line.estimator: line for line in bare.lines}
    assert lines["dr"].value is None
    assert lines["dr"].why.startswith("it needs the policy's probability of every action")
    assert [lines[name] for name in ("ips", "snips")] == [whole.lines[0], whole.lines[2]]
    assert bare.best.estimator == "snips"


def refused(logged: pt.Logged, target: np.ndarray) -> str:
    """Return the one reason for which every weighted estimate is refused."""
    report = pt.off_policy(logged, target)
    for line in report.lines:
        if line.estimator != "dm":
            assert (line.value, line.low, line.diff, line.verdict) == (None, None, None, "cannot tell"), line.estimator
    (why,) = {line.why for line in report.lines if line.estimator != "dm"}
    assert why in report.verdict
    assert "one cannot tell" in report.verdict
    return why


def test_a_policy_that_does_what_the_log_never_did_is_refused():
    rng = np.random.default_rng(0)
    logged = pt.Logged(rng.integers(0, 2, 5000), reward=rng.random(5000), propensity=np.full(5000, 0.5), n_actions=3)
    assert refused(logged, np.array([[0.4, 0.4, 0.2]])).startswith("20% of the policy is on actions that the log says")


def test_a_log_without_chance_is_refused():
    draw = WORLD.draw(5000, 0)
    certain = msgspec.structs.replace(draw.logged, propensity=np.ones(5000))
    assert "of the policy is on actions that the log says nothing of" in refused(certain, draw.target)


def test_a_log_without_chance_is_refused_also_when_little_is_known_of_the_policy():
    draw = WORLD.draw(5000, 0)
    certain = msgspec.structs.replace(draw.logged, propensity=np.ones(5000))
    line = pt.off_policy(certain, draw.target[np.arange(5000), draw.logged.action], ["ips"]).lines[0]
    assert line.value is None
    assert "the weights average 0." in line.why


def test_propensities_of_another_policy_are_refused():
    draw = WORLD.draw(5000, 0)
    other = msgspec.structs.replace(draw.logged, propensity=np.full(5000, 0.5 / WORLD.actions))
    assert refused(other, draw.target).startswith("the weights average 1.9")


def test_a_short_log_is_refused():
    draw = WORLD.draw(90, 0)
    for line in pt.off_policy(draw.logged, draw.target, WEIGHTED).lines:
        assert line.value is None
        assert "rounds to this policy and 100 are needed: log more rounds" in line.why


def test_too_few_rewards_have_an_estimate_without_an_interval():
    draw = BanditWorld(rate=0.002).draw(2000, 3)
    line = pt.off_policy(draw.logged, draw.target, ["ips"]).lines[0]
    assert line.value is not None
    assert (line.low, line.diff_low, line.verdict) == (None, None, "cannot tell")
    assert "rounds decide it, and 10 are needed" in line.why


def test_where_weights_are_too_heavy_clipping_answers_and_allows_for_what_it_hides():
    world = BanditWorld(logging=4.0, sharp=1.0)
    draw = world.draw(20_000, 1)
    lines = {line.estimator: line for line in pt.off_policy(draw.logged, draw.target).lines}
    assert lines["ips"].value is None
    for name in ("clipped-ips", "switch-dr", "dros"):
        line = lines[name]
        assert line.setting is not None
        assert line.bias > 0
        assert line.low < world.value < line.high
    clipped = lines["clipped-ips"]
    assert clipped.value - clipped.low < clipped.bias < clipped.high - clipped.value  # it can only have taken away


def test_a_wider_span_of_rewards_allows_for_more():
    draw = BanditWorld(logging=4.0, sharp=1.0).draw(5000, 1)
    narrow, wide = (pt.off_policy(draw.logged, draw.target, ["dros"], span=s).lines[0] for s in ((0, 1), (0, 3)))
    assert wide.high - wide.low > narrow.high - narrow.low


def test_both_tunings_can_be_asked_for_and_slope_clips_more():
    draw = BanditWorld(logging=1.5, sharp=1.0).draw(5000, 1)
    bound, slope = (pt.off_policy(draw.logged, draw.target, ["dros"], tuning=t).lines[0] for t in ("bound", "slope"))
    assert slope.setting < (bound.setting or np.inf)


def test_rounds_of_one_person_count_as_one_when_it_is_named():
    draw = WORLD.draw(2000, 6)
    log = draw.logged
    twice = {name: np.repeat(getattr(log, name), 2, axis=0) for name in ("action", "reward", "propensity", "context")}
    unit = np.repeat(np.arange(2000), 2).astype(np.int32)
    once = pt.off_policy(log, draw.target, ["snips"]).lines[0]
    same = pt.off_policy(pt.Logged(**twice, unit=unit), np.repeat(draw.target, 2, axis=0), ["snips"]).lines[0]
    fooled = pt.off_policy(pt.Logged(**twice), np.repeat(draw.target, 2, axis=0), ["snips"]).lines[0]
    assert (same.low, same.high, same.ess) == pytest.approx((once.low, once.high, once.ess))
    assert fooled.high - fooled.low < 0.8 * (once.high - once.low)


@pytest.mark.parametrize(
    ("how", "kind", "text"),
    [
        ({"estimators": ["ipz"]}, UnknownName, "unknown estimator; got ipz; allowed: clipped-ips, dm, dr, dros, ips"),
        ({"estimators": []}, EmptyData, "there is no estimator"),
        ({"tuning": "lepski"}, UnknownName, "unknown tuning; got lepski; allowed: bound, slope"),
        ({"level": 1.0}, InputError, "level is out of range; got 1.0"),
        ({"span": (0, 0.5)}, InputError, "span does not hold every reward; got (0, 0.5)"),
        (
            {"model": np.ones((3, 10))},
            InputError,
            "the rewards of the model have another shape than the log; got (3, 10)",
        ),
        ({"model": np.full((1, 10), np.nan)}, InputError, "model is not finite"),
        ({"rng": -1}, InputError, "rng is not a seed"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_words(how, kind, text):
    draw = WORLD.draw(200, 0)
    with pytest.raises(kind) as error:
        pt.off_policy(draw.logged, draw.target, **how)
    assert str(error.value).startswith(text)


def test_one_estimator_may_be_named_alone_and_one_round_does_not_break_it():
    logged = pt.Logged([0], reward=[1.0], propensity=[0.5], n_actions=2)
    report = pt.off_policy(logged, [[0.5, 0.5]], "ips")
    assert [line.estimator for line in report.lines] == ["ips"]
    assert "the log is worth 1 rounds" in report.lines[0].why
    all_of_them = pt.off_policy(logged, [[0.5, 0.5]], model=RewardModel(folds=2))
    assert {line.value for line in all_of_them.lines if line.estimator != "dm"} == {None}
