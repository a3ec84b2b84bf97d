"""The figures of the data report, each beside a slow and obvious one over a list of rows."""

from __future__ import annotations

import math
import random
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp

import penchant as pt
from penchant.evaluation.datareport.drift import Shift, psi, smirnov
from penchant.evaluation.datareport.spread import Spread, lorenz, top_share
from penchant.evaluation.metrics.share import inequality

DAY = 86_400
START = datetime(2017, 1, 2, tzinfo=UTC)


def _rows(seed: int = 1, n: int = 4000) -> list[tuple[str, str, str, datetime, float]]:
    """Return rows of (user, item, kind, at, value), skewed, with copies, in no order."""
    rng = random.Random(seed)
    rows = []
    for _ in range(n):
        user, item = int(rng.paretovariate(0.8)) % 90, int(rng.paretovariate(0.6)) % 60
        at = START + timedelta(seconds=rng.randrange(90 * DAY) // 600 * 600)
        kind = rng.choice(["view", "view", "purchase", "wish"])
        rows.append((f"u{user}", f"i{item}", kind, at, rng.choice([1.0, 1.0, 2.0, -1.0])))
    rows += rng.sample(rows, 70)
    rng.shuffle(rows)
    return rows


def _table(rows: list[tuple[str, str, str, datetime, float]]) -> pl.DataFrame:
    schema = {
        "user": pl.String,
        "item": pl.String,
        "kind": pl.String,
        "at": pl.Datetime("us", "UTC"),
        "value": pl.Float64,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


@pytest.fixture(scope="module")
def rows() -> list[tuple[str, str, str, datetime, float]]:
    return _rows()


@pytest.fixture(scope="module")
def report(rows):
    return pt.data_report(_table(rows))


def test_the_size_is_what_counting_says(rows, report):
    size, times = report.size, [row[3] for row in rows]
    assert (size.events, size.users, size.items) == tuple(
        len(x) for x in (rows, {r[0] for r in rows}, {r[1] for r in rows})
    )
    assert size.pairs == len({row[:2] for row in rows})
    assert size.density == size.pairs / (size.users * size.items)
    assert size.moments == len(set(times))
    assert (size.first, size.last) == (min(times).isoformat(), max(times).isoformat())
    bound = max(times) - 0.2 * (max(times) - min(times))
    late = {row[0] for row in rows if row[3] > bound}
    assert size.recent == len(late)
    assert size.returning == len(late & {row[0] for row in rows if row[3] <= bound})


def test_kinds_are_told_with_their_values(rows, report):
    assert [kind.name for kind in report.kinds] == [name for name, _ in Counter(row[2] for row in rows).most_common()]
    for kind in report.kinds:
        own = [row for row in rows if row[2] == kind.name]
        values = [row[4] for row in own]
        assert (kind.events, kind.users, kind.items) == (len(own), len({r[0] for r in own}), len({r[1] for r in own}))
        assert (kind.low, kind.high, kind.distinct) == (min(values), max(values), len(set(values)))
        assert kind.mean == pytest.approx(sum(values) / len(values))
        assert kind.below == sum(value <= 0 for value in values)
    assert {kind.name: (kind.known, kind.weight) for kind in report.kinds} == {
        "view": (True, 1.0),
        "purchase": (True, 5.0),
        "wish": (False, 1.0),
    }


def test_the_timeline_counts_every_week_also_the_empty_ones():
    rows = [("a", "x", "view", START + timedelta(days=day), 1.0) for day in (0, 1, 15, 90)]
    line = pt.data_report(_table([*rows, ("a", "x", "purchase", START, 1.0)])).timeline
    assert (line.unit, line.starts[:2], len(line.starts)) == ("week", ("2017-01-02", "2017-01-09"), 13)
    assert line.counts["view"] == (2, 0, 1, *[0] * 9, 1)
    assert line.counts["purchase"] == (1, *[0] * 12)
    assert line.empty == 10


@pytest.mark.parametrize(
    ("days", "unit", "parts"),
    [(0, "hour", 1), (1, "hour", 25), (40, "day", 41), (700, "month", 24), (7000, "year", 20)],
)
def test_the_unit_of_the_timeline_fits_the_time(days, unit, parts):
    rows = [("a", "x", "view", START, 1.0), ("a", "x", "view", START + timedelta(days=days), 1.0)]
    line = pt.data_report(_table(rows)).timeline
    assert (line.unit, len(line.starts), sum(line.counts["view"])) == (unit, parts, 2)


def test_distributions_are_those_of_the_counts(rows, report):
    events = Counter(row[0] for row in rows)
    pairs = {row[:2] for row in rows}
    for spread, counts in (
        (report.users, events),
        (report.items, Counter(row[1] for row in rows)),
        (report.tastes, Counter(user for user, _ in pairs)),
        (report.audience, Counter(item for _, item in pairs)),
    ):
        ordered = sorted(counts.values())
        assert spread.n == len(ordered)
        assert spread.mean == pytest.approx(sum(ordered) / len(ordered))
        for name, share in {"min": 0, "p10": 0.1, "median": 0.5, "p90": 0.9, "max": 1}.items():
            assert spread.quantiles[name] == min(
                x for x in ordered if sum(y <= x for y in ordered) >= share * len(ordered)
            )
        for low, high, count in spread.bins:
            assert count == sum(low <= x <= high for x in ordered)
        assert sum(count for *_, count in spread.bins) == len(ordered)
        assert spread.once == ordered.count(1)


@given(st.lists(st.integers(1, 50), min_size=1, max_size=30))
@settings(max_examples=60, deadline=None)
def test_gini_is_half_the_mean_difference_of_two_over_the_mean(counts):
    n = len(counts)
    apart = sum(abs(x - y) for x in counts for y in counts) / (n * n)
    assert inequality(counts) == pytest.approx(apart / (2 * sum(counts) / n), abs=1e-12)
    for share in (0.01, 0.1, 0.2, 1.0):
        top = sorted(counts, reverse=True)[: math.ceil(round(share * n, 9))]
        assert top_share(counts, share) == pytest.approx(sum(top) / sum(counts))
    curve = lorenz(counts)
    assert curve[0] == (0.0, 0.0)
    assert curve[-1] == pytest.approx((1.0, 1.0))
    assert all(y >= x - 1e-12 for x, y in curve)


def test_nothing_counted_is_told_as_nothing():
    spread = Spread.of("events", [])
    assert (spread.n, spread.mean, spread.quantiles, spread.gini, spread.bins) == (0, 0.0, {}, 0.0, ())
    assert set(spread.top.values()) == {0.0}
    assert lorenz([]) == ()


def test_repeats_are_pairs_on_two_days(rows, report):
    for kind in ("view", "purchase", "wish"):
        own = [row for row in rows if row[2] == kind and row[4] > 0]
        days = defaultdict(list)
        for user, item, _, at, _ in own:
            days[user, item].append(at.date())
        again = {pair for pair, dates in days.items() if len(set(dates)) > 1}
        gaps = [(b - a).days for dates in days.values() for a, b in pairwise(sorted(set(dates)))]
        found = next(each for each in report.repeats if each.kind == kind)
        assert (found.pairs, found.repeated) == (len(days), len(again))
        assert found.rate == len(again) / len(days)
        assert found.events == pytest.approx(sum(d > min(dates) for dates in days.values() for d in dates) / len(own))
        assert found.users == pytest.approx(len({user for user, _ in again}) / len({row[0] for row in own}))
        assert found.days == pytest.approx(float(np.median(gaps)))


@pytest.mark.parametrize("idle", [30.0, 600.0])
def test_sessions_end_after_a_gap(rows, idle):
    found = pt.data_report(_table(rows), idle=idle).sessions
    times = defaultdict(list)
    for user, _, _, at, _ in rows:
        times[user].append(at)
    sessions = []
    for user, moments in times.items():
        moments.sort()
        own = [[moments[0]]]
        for a, b in pairwise(moments):
            if (b - a).total_seconds() > idle * 60:
                own.append([])
            own[-1].append(b)
        sessions += [(user, each) for each in own]
    assert found.n == len(sessions)
    assert found.length.quantiles["max"] == max(len(each) for _, each in sessions)
    assert found.single == pytest.approx(sum(len(each) == 1 for _, each in sessions) / len(sessions))
    several = Counter(user for user, _ in sessions)
    assert found.per_user.quantiles["median"] == sorted(several.values())[(len(several) + 1) // 2 - 1]
    assert found.minutes == pytest.approx(np.median([(s[-1] - s[0]).total_seconds() / 60 for _, s in sessions]))


def test_sessions_that_events_name_are_taken_as_they_are():
    rows = [("b", "x", 3, "s1"), ("a", "x", 1, "s1"), ("a", "y", 2, "s2"), ("a", "z", 90_000, "s1")]
    table = pl.DataFrame(rows, schema=["user", "item", "at", "session"], orient="row")
    found = pt.data_report(table).sessions
    assert (found.n, found.length.quantiles["max"]) == (3, 2)
    assert found.rule == "the session ids of the data, within a user"
    partly = table.with_columns(session=pl.when(pl.col("user") == "a").then("session"))
    assert "gap" in pt.data_report(partly).sessions.rule


def test_learnable_is_what_enough_users_touched(rows, report):
    liked = [row for row in rows if row[4] > 0]
    users = defaultdict(set)
    for user, item, *_ in liked:
        users[item].add(user)
    enough = {item for item, who in users.items() if len(who) >= 5}
    own = defaultdict(set)
    for user, item, *_ in liked:
        own[user] |= {item} & enough
    found = report.learnable
    assert (found.events, found.items) == (len(liked), len(enough))
    assert found.share == pytest.approx(sum(row[1] in enough for row in liked) / len(liked))
    assert found.pairing == sum(len(items) >= 2 for items in own.values())
    assert found.per_item == sorted(map(len, users.values()))[(len(users) + 1) // 2 - 1]
    assert found.ordered == sum(len({row[3] for row in liked if row[0] == user}) > 1 for user in own)


def test_duplicates_are_copies_beyond_the_first(rows, report):
    copies = {row: n - 1 for row, n in Counter(rows).items() if n > 1}
    found = report.suspicions[0]
    assert copies
    assert (found.name, found.events, found.users) == (
        "duplicates",
        sum(copies.values()),
        len({row[0] for row in copies}),
    )


def _ordinary(users: int = 40) -> list[tuple[str, str, str, datetime, float]]:
    rng = random.Random(3)
    return [
        (f"u{user}", f"i{rng.randrange(30)}", "view", START + timedelta(seconds=rng.randrange(60 * DAY)), 1.0)
        for user in range(users)
        for _ in range(40)
    ]


def _suspects(extra: list[tuple[str, str, str, datetime, float]]) -> dict[str, tuple[int, int]]:
    found = pt.data_report(_table(_ordinary() + extra)).suspicions
    return {each.name: (each.users, each.events) for each in found}


def test_people_are_not_suspect():
    assert _suspects([]) == dict.fromkeys(["duplicates", "rates", "large", "regular", "any"], (0, 0))


@pytest.mark.parametrize(("moments", "caught"), [(61, True), (60, False)])
def test_more_moments_a_minute_than_a_hand_can_make(moments, caught):
    rng = random.Random(4)
    offsets = [0, 60, *rng.sample(range(1, 60), moments - 2)] if moments < 61 else [*range(61)]
    fast = [("bot", "i1", "view", START + timedelta(seconds=n), 1.0) for n in offsets]
    assert _suspects(fast)["rates"] == ((1, moments) if caught else (0, 0))


def test_many_lines_of_one_receipt_are_no_rate():
    receipt = [("shopper", f"i{n}", "purchase", START, 1.0) for n in range(90)]
    assert _suspects(receipt)["rates"] == (0, 0)


def test_one_user_with_a_large_share_is_told():
    rng = random.Random(5)
    much = [("shop", f"i{n % 30}", "view", START + timedelta(seconds=rng.randrange(60 * DAY)), 1.0) for n in range(600)]
    assert _suspects(much)["large"] == (1, 600)
    assert _suspects(much[:300])["large"] == (0, 0), "9 times the mean is not 10 times"


def test_a_clock_is_told_from_a_person():
    rng = random.Random(6)
    even = [("clock", "i1", "view", START + timedelta(hours=n, seconds=rng.randrange(60)), 1.0) for n in range(21)]
    assert _suspects(even)["regular"] == (1, 21)
    assert _suspects(even)["any"] == (1, 21)
    assert _suspects(even[:20])["regular"] == (0, 0), "19 gaps are too few"


def test_psi_is_its_formula_and_symmetric():
    b, a = [30, 0, 70], [50, 20, 30]
    shares = [[(x + 0.5) / (sum(counts) + 1.5) for x in counts] for counts in (b, a)]
    expected = sum((y - x) * math.log(y / x) for x, y in zip(*shares, strict=True))
    assert psi(b, a) == pytest.approx(expected)
    assert psi(a, b) == pytest.approx(expected)


@given(st.lists(st.integers(0, 9), min_size=2, max_size=40), st.lists(st.integers(0, 9), min_size=2, max_size=40))
@settings(max_examples=60, deadline=None)
def test_the_distance_of_smirnov_is_the_largest_one(before, after):
    early, late = [[x for x in part if x] for part in ([1, *before], [1, *after])]
    distance, p = smirnov([1, *before], [1, *after])
    steps = [abs(sum(x <= at for x in early) / len(early) - sum(x <= at for x in late) / len(late)) for at in range(10)]
    assert distance == pytest.approx(max(steps))
    assert 0 <= p <= 1


def test_p_is_that_of_scipy_where_there_are_many():
    rng = np.random.default_rng(0)
    before, after = rng.geometric(0.01, 3000), rng.geometric(0.0105, 2500)
    distance, p = smirnov(before, after)
    theirs = ks_2samp(before, after, method="asymp")
    assert distance == pytest.approx(theirs.statistic)
    assert p == pytest.approx(theirs.pvalue, rel=0.05)


def test_the_level_needs_more_than_chance():
    """No change in 200 worlds: the index stays below its value of chance in most of them, and none is called drift."""
    rng = np.random.default_rng(7)
    shifts = [Shift.of("kinds", *(rng.multinomial(150, [0.1] * 10) for _ in range(2))) for _ in range(200)]
    assert 0.9 <= np.mean([shift.psi <= shift.chance for shift in shifts]) <= 0.99
    assert np.mean([shift.psi >= 0.10 for shift in shifts]) > 0.3, "the rule of thumb alone would cry wolf"
    assert np.mean([shift.level == "stable" for shift in shifts]) >= 0.9


def test_a_change_of_taste_is_found_and_placed():
    rng = random.Random(8)
    rows = []
    for day in range(80):
        for _ in range(50):
            item = rng.randrange(10) + (10 if day >= 60 else 0)
            kind = "purchase" if day >= 40 and rng.random() < 0.5 else "view"
            rows.append((f"u{rng.randrange(300)}", f"i{item}", kind, START + timedelta(days=day, minutes=5), 1.0))
    drift = pt.data_report(_table(rows)).drift
    levels = {(c.window, s.what): s.level for c in drift.changes for s in c.shifts}
    assert [(key, level) for key, level in levels.items() if level == "large"] == [
        ((3, "kinds"), "large"),
        ((4, "items"), "large"),
    ]
    assert [round(change.new, 2) for change in drift.changes] == [0.0, 0.0, 1.0]
    assert sum(window.events for window in drift.windows) == len(rows)
    assert drift.why is None


def test_a_gap_of_just_the_minutes_is_none_and_a_user_of_the_last_fifth_alone_has_no_past():
    minutes = {"a": [0, 30, 61], "b": [0, 100], "c": [95, 99]}
    rows = [
        (user, "x", "view", START + timedelta(minutes=at), 1.0) for user, all_at in minutes.items() for at in all_at
    ]
    report = pt.data_report(_table(rows))
    assert report.sessions.n == 2 + 2 + 1
    assert (report.size.recent, report.size.returning) == (2, 1)
