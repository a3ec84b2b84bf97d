"""How much is clipped, switched or shrunk."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from penchant.evaluation.offpolicy.tuning import Candidate, cuts, lost, settle, shrinkages, slope


@given(st.lists(st.tuples(st.floats(-1, 1), st.floats(0.01, 1)), min_size=1, max_size=8))
def test_slope_is_the_last_whose_interval_meets_all_before(pairs):
    values, errors = (np.array(column) for column in zip(*pairs, strict=True))
    best = 0
    for i in range(len(values)):
        low = max(v - 2 * e for v, e in zip(values[: i + 1], errors[: i + 1], strict=True))
        high = min(v + 2 * e for v, e in zip(values[: i + 1], errors[: i + 1], strict=True))
        if low <= high:
            best = i
    assert slope(values, errors) == best


def test_candidates_begin_with_none_clipped_and_clip_more_and_more():
    weight = np.random.default_rng(0).exponential(size=1000)
    thresholds, strengths = cuts(weight), shrinkages(weight)
    assert thresholds[0] == weight.max()
    assert (np.diff(thresholds) < 0).all()
    assert np.isinf(strengths[0])
    assert (np.diff(strengths[1:]) < 0).all()
    assert cuts(np.ones(10)).tolist() == [1.0]


def candidates() -> list[Candidate]:
    weight = np.repeat([0.5, 1.5, 8.0], [60, 39, 1])
    return [Candidate(tau, np.minimum(weight, tau), np.minimum(weight, tau)) for tau in (8.0, 2.0, 0.6)]


def test_the_further_off_clipping_may_lead_the_less_is_clipped():
    chosen = [settle(candidates(), reach)[0].setting for reach in (0.0, 0.5, 5.0)]
    assert chosen == [0.6, 2.0, 8.0]


def test_what_may_not_be_relied_on_is_not_chosen_unless_nothing_else_is_there():
    assert settle(candidates(), 5.0, sound=[False, True, True])[0].setting == 2.0
    assert settle(candidates(), 5.0, sound=[False, False, False])[0].setting == 8.0
    first = settle(candidates(), 5.0, "slope")[0].setting
    after = settle(candidates(), 5.0, "slope", [tau != first for tau in (8.0, 2.0, 0.6)])[0].setting
    assert after != first


def test_what_is_set_aside_is_never_less_than_nothing_and_never_too_little():
    assert lost(np.array([1.1, 1.05, 0.9])).round(2).tolist() == [0.0, 0.05, 0.2]
    assert lost(np.array([0.8, 0.78])).round(2).tolist() == [0.0, 0.22]
