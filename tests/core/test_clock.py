"""Time: zones, microseconds, spans."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.core.clock import FixedClock, SystemClock, micros, parse_duration, utc
from penchant.core.errors import InputError

ZONES = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(9998, 1, 1), timezones=ZONES)


@given(MOMENTS)
def test_microseconds_are_exact_in_every_zone(at: datetime) -> None:
    assert datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros(at)) == at
    assert utc(at) == at
    assert utc(at).tzinfo is UTC


def test_a_time_without_a_zone_is_utc() -> None:
    assert micros(datetime(1969, 12, 31, 23, 59, 59, 999_999)) == -1
    assert utc(datetime(2017, 1, 1)) == datetime(2017, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1s", 1), ("2m", 120), ("12h", 43_200), ("28d", 2_419_200), ("2w", 1_209_600), ("0.5d", 43_200)],
)
def test_a_span_is_a_number_and_a_unit(text: str, seconds: int) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "d", "28", "28 days", "-1d", "0d", "nand", "infd", "1e300d", "1y", "28D"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_duration(text, field="test")
    wanted = (
        f"not a duration; got {text}; allowed: a positive number and a unit: s, m, h, d or w; next: write 28d or 12h"
    )
    assert str(caught.value) == wanted
    assert caught.value.field == "test"


def test_a_fixed_clock_moves_only_when_told() -> None:
    clock = FixedClock(datetime(2017, 1, 1, 2, tzinfo=timezone(timedelta(hours=2))))
    assert clock.now() == clock.now() == datetime(2017, 1, 1, tzinfo=UTC)
    clock.advance(timedelta(hours=1))
    assert clock.now().hour == 1


def test_the_systems_clock_knows_its_zone() -> None:
    before = datetime.now(UTC)
    assert before <= SystemClock().now() <= datetime.now(UTC)
    assert SystemClock().now().tzinfo is UTC
