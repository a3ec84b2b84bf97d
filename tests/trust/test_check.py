"""What may enter the log: the short way for ordinary events says what the long way says."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from penchant.core.clock import micros
from penchant.core.nouns import RETRACT, Event
from penchant.trust import check

NOON = datetime(2017, 1, 1, 12, tzinfo=UTC)

texts = st.sampled_from(["tea", "", "a" * 512, "a" * 513, "tab\t", "\ud800", "é", 5, RETRACT, "view"])
maybe = st.none() | texts
events = st.builds(
    Event,
    user=texts,
    item=texts,
    kind=texts,
    at=st.sampled_from([NOON, datetime(2030, 1, 1, tzinfo=UTC)]),
    value=st.sampled_from([1.0, 0.0, -2.5, float("nan"), float("inf"), 3, True]),
    id=maybe,
    session=maybe,
    channel=texts,
    slate=maybe,
    replaces=maybe,
    price=st.none() | st.sampled_from([2.5, -1.0, float("nan")]),
    context=st.sampled_from([{}, {"page": "home"}, {"a": "x" * 20_000}]),
)


@given(events)
def test_the_short_way_finds_what_the_long_way_finds(event):
    short, plain = check.fault(event, micros(NOON)), check._plain
    try:
        check._plain = lambda _event: False
        assert check.fault(event, micros(NOON)) == short
    finally:
        check._plain = plain


ordinary = st.text("abc é", min_size=1, max_size=20)


@given(ordinary, ordinary, st.sampled_from(["view", "purchase"]), st.none() | ordinary)
def test_ordinary_events_go_the_short_way(user, item, kind, session):
    event = Event(user, item, kind, NOON, session=session)
    assert check._plain(event)
    assert check.fault(event, micros(NOON)) is None
