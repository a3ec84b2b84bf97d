"""What a slate brought about, beside the slow and obvious way to say it: with late, doubled and unordered events."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import penchant as pt
from penchant.core.clock import FixedClock, micros
from penchant.core.errors import Forbidden
from penchant.core.measuring import AttributionSettings
from penchant.core.nouns import RETRACT, Event, Item
from penchant.core.settings import PlacementSettings, Settings
from penchant.store.tables import event_ids, superseded
from penchant.testing.postgres import PostgresServer
from penchant.trust.access import SYSTEM, Actor
from penchant.trust.gate import Gate
from penchant.trust.purpose import Purpose
from penchant.trust.slates import Served, Thing

START = datetime(2017, 12, 1, tzinfo=UTC)
CLICKS = {"click": 30, "view": 45}
PURCHASES = {"purchase": 120}
PRICES = {"tea": 2.0, "jam": 3.0}
PLACEMENTS = {
    "home": PlacementSettings(blend={"popular": 1.0}),
    "cart": PlacementSettings(blend={"popular": 1.0}, reported=True),
}
ATTRIBUTION = AttributionSettings(
    clicks={kind: f"{span}m" for kind, span in CLICKS.items()},
    purchases={kind: f"{span}m" for kind, span in PURCHASES.items()},
)


def at(minute: int) -> datetime:
    return START + timedelta(minutes=minute)


Measured = Callable[[], AbstractContextManager[Gate]]


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def measured(request: pytest.FixtureRequest) -> Measured:
    """What makes a fresh store, on either database, as often as it is asked."""

    @contextmanager
    def fresh() -> Iterator[str]:
        if request.param == "sqlite":
            with tempfile.TemporaryDirectory() as folder:
                yield f"sqlite:///{folder}/shop.db"
            return
        server: PostgresServer = request.getfixturevalue("postgres")
        url = server.database(like=request.getfixturevalue("postgres_store"))
        yield url
        server.drop(url)

    @contextmanager
    def made() -> Iterator[Gate]:
        with fresh() as url:
            chosen = Settings(store=url, placements=PLACEMENTS, attribution=ATTRIBUTION)
            with Gate.create(chosen, FixedClock(at(100_000))) as gate:
                gate.slates.settle()
                gate.catalogue.put(SYSTEM, [Item(name, name, price=price) for name, price in PRICES.items()])
                gate.consent.grant(SYSTEM, ["ann", "bob"], ["personalize"], basis="form")
                gate.visits.answer(SYSTEM, "s1", ["personalize"], granted=True, basis="banner")
                yield gate

    return made


def served(number: int, minute: int, who: str | None, items: Sequence[str], placement: str) -> Served:
    things = tuple(Thing(item, place, 1.0 / place) for place, item in enumerate(items, start=1))
    session = "s1" if who == "visitor" else None
    user = None if who == "visitor" else who
    return Served(f"s{number}", at(minute), placement, "p", "b", "m", "d", things, user=user, session=session)


USERS = ("ann", "bob", "eve", "visitor")  # eve never agreed
Row = tuple[str, str, str, float]


def oracle(  # noqa: PLR0912
    slates: Sequence[Served], events: Sequence[Event], linked: str | None
) -> tuple[set[Row], set[Any]]:
    """Return what is attributed (event, slate, item, revenue), and what was shown (slate, item), one by one."""

    def person(user: str | None) -> str | None:
        return linked if user == "visitor" and linked else user

    def whose(slate: Served) -> str | None:
        agreed = slate.user in ("ann", "bob")
        return "visitor" if slate.session else slate.user if agreed else None

    distinct = {event.id: event for event in reversed(events)}  # the first of an id stays
    shown: dict[tuple[str, str], tuple[datetime, int, Served]] = {}
    for slate in slates:
        for thing in slate.things:
            moments = [e.at for e in distinct.values() if e.slate == slate.slate and e.item == thing.item]
            if slate.placement == "cart" and not moments:
                continue
            moment = min(moments) if slate.placement == "cart" else slate.at
            shown[slate.slate, thing.item] = (moment, thing.position, slate)
    found: set[Row] = set()
    for event in distinct.values():
        span = timedelta(minutes=CLICKS.get(event.kind, PURCHASES.get(event.kind, 0)))
        if not span:
            continue
        price = PRICES.get(event.item, 0.0) if event.price is None else event.price
        if event.slate is not None:
            touch = shown.get((event.slate, event.item))
            if touch and event.at <= touch[0] + span:
                found.add((str(event.id), event.slate, event.item, event.value * price))
            continue
        if event.kind not in PURCHASES:
            continue
        best: tuple[Any, ...] | None = None
        for (name, item), (moment, position, slate) in shown.items():
            if item != event.item or moment > event.at or whose(slate) is None:
                continue
            if person(whose(slate)) != person(event.user or "visitor"):
                continue
            clicks = [
                c.at
                for c in distinct.values()
                if c.kind in CLICKS and (c.slate, c.item) == (name, item)
                if c.at <= moment + timedelta(minutes=CLICKS[c.kind]) and event.at - span <= c.at <= event.at
            ]
            if not clicks and moment < event.at - span:
                continue
            clicked = max(micros(c) for c in clicks) if clicks else -1
            key = (-clicked, -micros(moment), position, name)
            best = min(best, key) if best else key
        if best:
            found.add((str(event.id), best[3], event.item, event.value * price))
    return found, set(shown)


ITEMS = st.permutations(["tea", "jam", "rye"]).map(lambda items: items[:2])
SLATES = st.lists(
    st.tuples(st.integers(0, 200), st.sampled_from([*USERS, None]), ITEMS, st.sampled_from(sorted(PLACEMENTS))),
    max_size=5,
)
EVENTS = st.lists(
    st.tuples(
        st.sampled_from(USERS),
        st.sampled_from(["tea", "jam", "rye"]),
        st.sampled_from(["click", "view", "purchase", "purchase", "impression", "wish"]),
        st.integers(0, 400),
        st.sampled_from([1.0, 2.0, -1.0]),
        st.sampled_from([None, None, "s0", "s1", "s2", "s9"]),
        st.sampled_from([None, 9.0]),
        st.integers(0, 30),  # ids collide: a retry, or an id used twice
    ),
    max_size=12,
)


def events_of(rows: Sequence[tuple[Any, ...]]) -> list[Event]:
    return [
        Event(
            "" if user == "visitor" else user, item, kind, at(minute), value,
            id=f"e{number}", session="s1" if user == "visitor" else None, slate=slate, price=price,
        )
        for user, item, kind, minute, value, slate, price, number in rows
    ]  # fmt: skip


@settings(max_examples=60, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(
    asked=SLATES,
    rows=EVENTS,
    linked=st.sampled_from([None, "ann"]),
    first=st.booleans(),
    random=st.randoms(use_true_random=False),
)
def test_the_views_say_what_the_slow_way_says(
    measured: Measured, *, asked: list[Any], rows: list[Any], linked: str | None, first: bool, random: Any
) -> None:
    slates = [served(number, *row) for number, row in enumerate(asked)]
    events = events_of(rows)
    wanted, shown = oracle(slates, events, linked)
    with measured() as gate:
        if first:  # events that come before the slate they name is written are as good
            gate.admit(SYSTEM, events)
        gate.slates.log(SYSTEM, slates)
        gate.slates.log(SYSTEM, slates[:2])  # writing again changes nothing
        if linked:
            gate.visits.link(SYSTEM, "s1", linked)
        if not first:
            for event in events:
                gate.admit(SYSTEM, [event])
        gate.admit(SYSTEM, random.sample(events, len(events)) if not first else events)  # retries, in any order
        assert attributed(gate) == wanted
        table = gate.slates.outcomes(SYSTEM, START)
        assert {(row["slate"], row["item"]) for row in table.iter_rows(named=True)} == shown
        for row in table.iter_rows(named=True):
            theirs = [each for each in wanted if each[1:3] == (row["slate"], row["item"])]
            kinds = {event.id: event.kind for event in reversed(events)}
            assert row["clicked"] == any(kinds[each[0]] in CLICKS for each in theirs)
            assert row["bought"] == any(kinds[each[0]] in PURCHASES for each in theirs)
            bought = [each[3] for each in theirs if kinds[each[0]] in PURCHASES]
            assert row["revenue"] == pytest.approx(sum(bought))
        days = gate.slates.days(SYSTEM, START)
        assert days["impressions"].sum() == len(shown)
        assert days["revenue"].sum() == pytest.approx(table["revenue"].sum())
        sums = gate.slates.sums(SYSTEM, START)
        assert sum(each.sums["shown"] for each in sums) == len(shown)
        assert sum(each.sums["clicked"] for each in sums) == table["clicked"].sum()


def attributed(gate: Gate) -> set[Row]:
    with gate._store._database.reading() as connection:
        rows = connection.exec_driver_sql(
            "SELECT e.id, a.slate, a.item, a.revenue FROM v_attributed a JOIN events e ON e.seq = a.seq"
        ).fetchall()
    found = {tuple(row) for row in rows}
    assert len(found) == len(rows), "one event is attributed twice"
    return found


def test_a_no_ends_attribution_by_person_and_erasing_leaves_nothing(measured: Measured) -> None:
    with measured() as gate:
        gate.slates.log(SYSTEM, [served(0, 0, "ann", ["tea"], "home"), served(1, 0, "bob", ["tea"], "home")])
        gate.admit(SYSTEM, [Event(user, "tea", "purchase", at(5), id=user) for user in ("ann", "bob")])
        assert {row[0] for row in attributed(gate)} == {"ann", "bob"}
        gate.consent.withdraw(SYSTEM, "ann", ["personalize"], basis="letter")
        assert {row[0] for row in attributed(gate)} == {"bob"}
        gone = gate.erase(SYSTEM, "bob")
        assert gone == {"events": 1, "consent": 1, "slates": 1, "visits": 0}
        assert attributed(gate) == set()
        assert gate.slates.outcomes(SYSTEM, START)["slate"].to_list() == ["s0"]


def test_erasing_a_person_takes_their_visits_along(measured: Measured) -> None:
    with measured() as gate:
        gate.admit(
            SYSTEM, [Event("", "tea", "view", at(1), session="s1"), Event("", "jam", "view", at(1), session="s2")]
        )
        gate.slates.log(SYSTEM, [served(0, 0, "visitor", ["tea"], "home")])
        gate.visits.link(SYSTEM, "s1", "ann")
        assert gate.history(SYSTEM, Purpose.PERSONALIZE, "ann").items == ("tea",)
        assert gate.erase(SYSTEM, "ann") == {"events": 1, "consent": 2, "slates": 1, "visits": 1}
        assert gate.history(SYSTEM, Purpose.ACCESS, "ann").items == ()
        assert gate.counts(SYSTEM).events == 1, "the other visit stays"
        with gate._store._database.reading() as connection:
            for table in ("slates", "slate_items", "visits"):
                assert connection.exec_driver_sql(f"SELECT COUNT(*) FROM {table}").scalar_one() == 0, table


def test_what_was_taken_back_or_corrected_is_attributed_as_it_is_now(measured: Measured) -> None:
    with measured() as gate:
        gate.slates.log(SYSTEM, [served(0, 0, "ann", ["tea"], "home"), served(1, 0, "ann", ["jam"], "cart")])

        def send(kind: str, name: str, item: str, replaces: str | None = None, value: float = 1.0) -> None:
            slate = {"tea": "s0", "jam": "s1"}[item] if kind in ("click", "impression") else None
            event = Event("ann", item, kind, at(5), value, id=name, slate=slate, replaces=replaces)
            assert gate.admit(SYSTEM, [event]).accepted == 1

        send("click", "c", "tea")
        send("purchase", "p", "tea", value=3.0)
        send("impression", "i", "jam")
        assert attributed(gate) == {("c", "s0", "tea", 2.0), ("p", "s0", "tea", 6.0)}
        assert gate.slates.outcomes(SYSTEM, START)["slate"].to_list() == ["s0", "s1"]
        send("purchase", "p2", "tea", replaces="p")
        send(RETRACT, "r", "tea", replaces="c")
        send(RETRACT, "r2", "jam", replaces="i")
        assert attributed(gate) == {("p2", "s0", "tea", 2.0)}
        shown = gate.slates.outcomes(SYSTEM, START)
        assert shown.select("slate", "clicked", "bought", "revenue").rows() == [("s0", 0, 1, 2.0)]


def test_erasing_leaves_no_id_and_no_mark_of_what_was_taken_back(measured: Measured) -> None:
    def tea(user: str, name: str, replaces: str | None = None) -> Event:
        return Event(user, "tea", RETRACT if replaces else "view", at(1), id=name, replaces=replaces)

    with measured() as gate:
        gate.admit(SYSTEM, [tea("ann", "a1"), tea("ann", "a2", "a1"), tea("ann", "a3", "late"), tea("ann", "a4", "b9")])
        gate.admit(SYSTEM, [tea("bob", "b1"), tea("bob", "b2", "b1"), tea("bob", "b3", "b9"), tea("bob", "b4", "a1")])
        assert gate.erase(SYSTEM, "ann")["events"] == 4
        with gate._store._database.reading() as connection:
            assert connection.execute(sa.select(sa.func.count()).select_from(superseded)).scalar_one() == 4
            if connection.dialect.name == "postgresql":
                known = sa.select(event_ids.c.id, event_ids.c.seq.is_(None)).order_by(event_ids.c.id)
                theirs = [("b1", False), ("b2", False), ("b3", False), ("b4", False)]
                assert [tuple(row) for row in connection.execute(known)] == [("a1", True), *theirs, ("b9", True)]
        receipt = gate.admit(SYSTEM, [tea("ann", "a1"), tea("ann", "late"), tea("bob", "b9")])
        assert (receipt.accepted, receipt.duplicates) == (3, 0)
        assert gate.history(SYSTEM, Purpose.ACCESS, "ann").items == ("tea", "tea"), "nothing takes them back now"
        assert gate.history(SYSTEM, Purpose.ACCESS, "bob").items == (), "bob's were taken back, b9 before it came"


def test_who_did_not_agree_is_not_in_the_log_of_slates(measured: Measured) -> None:
    with measured() as gate:
        slates = [served(0, 0, "ann", ["tea"], "home"), served(1, 0, "eve", ["tea"], "home")]
        gate.slates.log(SYSTEM, [*slates, served(2, 0, "visitor", ["tea"], "home")])
        with gate._store._database.reading() as connection:
            users = connection.exec_driver_sql('SELECT "user" FROM slates ORDER BY id').scalars().all()
        assert users == ["ann", None, "\x1fs1"]


def test_who_may_not_read_counts_reads_no_figures(measured: Measured) -> None:
    with measured() as gate:
        for call in (gate.slates.days, gate.slates.sums, gate.slates.outcomes):
            with pytest.raises(Forbidden, match="metrics:read"):
                call(Actor("shop", frozenset({"recommend:read"})), START)


def test_days_are_those_of_utc(measured: Measured) -> None:
    with measured() as gate:
        gate.slates.log(
            SYSTEM, [served(0, 24 * 60 - 1, None, ["tea"], "home"), served(1, 24 * 60, None, ["tea", "jam"], "home")]
        )
        days = gate.slates.days(SYSTEM, START)
        assert days.select("day", "impressions", "coverage").rows() == [("2017-12-01", 1, 0.5), ("2017-12-02", 2, 1.0)]
        assert gate.slates.days(SYSTEM, at(24 * 60 + 1)).is_empty()


def test_a_uniform_logging_policy_can_be_evaluated_off_policy(measured: Measured) -> None:
    """A policy that draws one of three items at random; tea is clicked in half of the cases, the others never."""
    rng = np.random.default_rng(7)
    items, slates, clicks = ["jam", "rye", "tea"], [], []
    for number in range(600):
        item = items[int(rng.integers(3))]
        slates.append(
            Served(f"s{number}", at(number), "home", "p", "b", "random", "d", (Thing(item, 1, 0.0, propensity=1 / 3),))
        )
        if item == "tea" and rng.random() < 0.5:
            clicks.append(Event("eve", item, "click", at(number), slate=f"s{number}"))
    with measured() as gate:
        gate.slates.log(SYSTEM, slates)
        gate.admit(SYSTEM, clicks)
        frame = gate.slates.outcomes(SYSTEM, START, "home")
    logged = pt.Logged.from_frame(frame, action="item", reward="clicked", propensity="propensity", position="position")
    assert logged.rounds == 600
    always_tea = [[0.0, 0.0, 1.0]]
    report = pt.off_policy(logged, always_tea)
    line = next(each for each in report.lines if each.estimator == "snips")
    assert line.low is not None
    assert line.high is not None
    assert line.low < 0.5 < line.high
    assert logged.reward.mean() == pytest.approx(1 / 6, abs=0.05)
