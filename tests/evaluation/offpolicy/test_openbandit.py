"""Open Bandit, where the data is at hand: two policies were really run, and each foretells the other or is refused."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import penchant as pt
from penchant.evaluation.offpolicy.report import OffPolicyReport

DATA = Path(os.environ.get("PENCHANT_DATA") or Path(__file__).parents[4] / "shared" / "data")


def asked(campaign: str, source: str, aim: str) -> tuple[OffPolicyReport, float, float]:
    """Return what the log of one policy says of the other, that one's click rate, and the standard error of it."""
    path = DATA / "open_bandit.parquet"
    if not path.exists():
        pytest.skip("open_bandit.parquet is not here: set PENCHANT_DATA to a directory that has it")
    frame = pl.read_parquet(path)
    log, other = (frame.filter(campaign=campaign, policy=name) for name in (source, aim))
    names = {"action": "item_id", "reward": "click", "propensity": "propensity_score", "position": "position"}
    logged = pt.Logged.from_frame(log, **names)
    assert logged.items is not None
    shown = np.zeros((3, logged.n_actions))
    np.add.at(shown, (other["position"].to_numpy() - 1, logged.items.codes(other["item_id"].cast(pl.String))), 1)
    shown = np.ones_like(shown) if aim == "random" else shown
    target = (shown / shown.sum(axis=1, keepdims=True))[logged.position]
    clicks = other["click"].to_numpy()
    return pt.off_policy(logged, target), clicks.mean(), clicks.std() / np.sqrt(len(clicks))


@pytest.mark.parametrize("campaign", ["men", "women"])
def test_the_random_log_foretells_the_bandits_click_rate_within_what_both_are_known_to(campaign):
    report, truth, error = asked(campaign, "random", "bts")
    for line in report.lines:
        assert line.value == pytest.approx(truth, abs=2.5 * np.hypot(error, error * np.sqrt(10_000 / 2_800)))
    assert report.overlap is not None
    assert report.overlap.refusal is None


@pytest.mark.parametrize("campaign", ["men", "women"])
def test_a_log_foretells_the_policy_that_wrote_it(campaign):
    report, truth, _ = asked(campaign, "random", "random")
    for line in report.lines:
        assert line.value == pytest.approx(truth, rel=0.02)
        assert line.verdict == "cannot tell"


def test_the_log_of_a_bandit_that_all_but_settled_is_refused():
    report, _, _ = asked("women", "bts", "random")
    assert report.overlap is not None
    assert report.overlap.ess < 5  # of 10,000 rounds; one propensity is 1e-6
    assert {line.value for line in report.lines if line.estimator != "dm"} == {None}
    assert "rounds to this policy and 100 are needed" in report.verdict
