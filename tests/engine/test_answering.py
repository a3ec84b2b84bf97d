"""What the engine answers: at once, from what may be used, with reasons that add up."""

from __future__ import annotations

from datetime import timedelta

import pytest

from penchant.core.clock import FixedClock
from penchant.core.errors import Forbidden, InputError, NotFound, Unauthorized, UnknownName
from penchant.core.nouns import Event, Filters, Item
from penchant.engine.answers import Answer, Ask, SessionEvent
from penchant.engine.engine import Engine
from penchant.trust.access import SYSTEM, Actor

USER_PLACEMENTS = ("for-you", "buy-again", "trending", "blended")


def slate(engine: Engine, user: str | None = "u1", placement: str = "for-you", **other: object) -> Answer:
    return engine.recommend(SYSTEM, Ask(placement=placement, user=user, **{"n": 10, **other}))


def ids(answer: Answer) -> list[str]:
    return [ranked.item for ranked in answer.items]


def event(engine: Engine, item: str, kind: str = "purchase", user: str = "u1", value: float = 1.0) -> Event:
    return Event(user, item, kind, engine.clock.now(), value)


def evidence(answer: Answer) -> set[str]:
    return {reason.evidence for ranked in answer.items for reason in ranked.reasons}


def test_an_event_is_part_of_the_next_answer(engine: Engine) -> None:
    first = ids(slate(engine))[0]
    receipt = engine.ingest(SYSTEM, [event(engine, first)])
    assert (receipt.accepted, receipt.duplicates, receipt.rejected) == (1, 0, ())
    after = slate(engine)
    assert first not in ids(after), "what was bought is no longer new"
    again = slate(engine, placement="buy-again", n=40)
    assert first in ids(again)
    newest = engine.history(SYSTEM, "u1", 1).events[0]
    assert (newest.item, newest.kind, newest.at) == (first, "purchase", engine.clock.now())


def test_the_first_event_of_a_new_person_who_agreed_counts_at_once(engine: Engine) -> None:
    assert slate(engine, "new").policy == "non-profiling"
    engine.set_consent(SYSTEM, "new", ["personalize"], granted=True, basis="form")
    engine.ingest(SYSTEM, [event(engine, "i5", user="new")])
    answer = slate(engine, "new")
    assert answer.policy == "personalized"
    assert "i5" in evidence(answer)
    assert all(int(item[1:]) % 4 == 1 for item in ids(answer)[:5]), "the tastes of who buys i5"


def test_the_same_event_twice_counts_once(engine: Engine) -> None:
    bought = event(engine, "i4")
    assert engine.ingest(SYSTEM, [bought]).accepted == 1
    before = slate(engine)
    assert engine.ingest(SYSTEM, [bought]).duplicates == 1
    assert slate(engine).items == before.items


@pytest.mark.parametrize("user", ["u110", "u150", "nobody", None])
def test_who_did_not_agree_gets_the_slate_for_everybody(engine: Engine, user: str | None) -> None:
    answer, everybody = slate(engine, user), slate(engine, None)
    assert answer.policy == "non-profiling"
    assert answer.items == everybody.items
    assert answer.model.name == "popular"
    assert {reason.code for ranked in answer.items for reason in ranked.reasons} == {"popular"}


def test_withdrawn_consent_holds_at_once_and_so_does_a_new_one(engine: Engine) -> None:
    before = slate(engine)
    assert before.policy == "personalized"
    assert engine.set_consent(SYSTEM, "u1", ["personalize"], granted=False, basis="asked to stop") == {
        "train": True,
        "personalize": False,
    }
    assert slate(engine).policy == "non-profiling"
    assert slate(engine, placement="buy-again").items == ()
    engine.set_consent(SYSTEM, "u1", ["personalize"], granted=True, basis="came back")
    assert slate(engine).items == before.items


def test_changes_of_the_catalogue_hold_at_once(engine: Engine) -> None:
    first, second = ids(slate(engine))[:2]
    engine.put_items(SYSTEM, [Item(first, "Gone", available=False), Item(second, "Renamed", price=7.5, currency="EUR")])
    after = slate(engine)
    assert first not in ids(after)
    assert (after.items[0].item, after.items[0].title, after.items[0].price, after.items[0].currency) == (
        second,
        "Renamed",
        7.5,
        "EUR",
    )
    engine.put_items(SYSTEM, [Item(first, "Back")])
    assert ids(slate(engine))[0] == first


def test_what_cannot_be_had_is_in_no_slate(engine: Engine) -> None:
    for placement in USER_PLACEMENTS:
        assert "i0" not in ids(slate(engine, placement=placement, n=100)), placement


def test_items_outside_the_catalogue_are_called_by_their_id(engine: Engine) -> None:
    answer = slate(engine, placement="trending", filters=Filters(include=("i38", "i39")))
    assert {ranked.item: ranked.title for ranked in answer.items} == {"i38": "i38", "i39": "i39"}


@pytest.mark.parametrize("placement", USER_PLACEMENTS)
def test_reasons_sum_to_the_score_for_everybody(engine: Engine, placement: str) -> None:
    checked = 0
    for number in range(160):
        answer = slate(engine, f"u{number}", placement)
        limit = engine.settings.placements[placement].reasons
        for ranked in answer.items:
            total = sum(reason.weight for reason in ranked.reasons)
            assert total == pytest.approx(ranked.score, rel=1e-4, abs=1e-7), (number, ranked)
            assert 0 < len(ranked.reasons) <= limit + 1
            assert all(reason.text for reason in ranked.reasons)
            checked += 1
        assert [ranked.rank for ranked in answer.items] == list(range(1, len(answer.items) + 1))
        scores = [ranked.score for ranked in answer.items]
        assert scores == sorted(scores, reverse=True)
    assert checked > 500


def test_reasons_sum_to_the_score_for_every_item_on_the_page(engine: Engine) -> None:
    for number in range(40):
        answer = engine.similar(SYSTEM, f"i{number}", 20)
        assert answer.policy == "item"
        assert f"i{number}" not in ids(answer), "an item is not like itself"
        for ranked in answer.items:
            total = sum(reason.weight for reason in ranked.reasons)
            assert total == pytest.approx(ranked.score, rel=1e-4, abs=1e-7)


@pytest.mark.parametrize("placement", USER_PLACEMENTS)
def test_filters_hold(engine: Engine, placement: str) -> None:
    everything = slate(engine, placement=placement, n=100)
    known = [ranked for ranked in everything.items if ranked.price is not None]
    assert len(known) > 8
    cases = {
        Filters(categories=("taste1", "taste2")): lambda r: bool({"taste1", "taste2"} & set(r.categories)),
        Filters(exclude_categories=("taste1",)): lambda r: "taste1" not in r.categories,
        Filters(price_min=10.0, price_max=20.0): lambda r: r.price is not None and 10.0 <= r.price <= 20.0,
        Filters(include=(known[3].item, known[1].item, "no such")): lambda r: r.item in (known[1].item, known[3].item),
        Filters(exclude=(known[0].item,)): lambda r: r.item != known[0].item,
        Filters(categories=("no such",)): lambda r: False,
    }
    for filters, keeps in cases.items():
        narrowed = slate(engine, placement=placement, n=100, filters=filters)
        assert sorted(ids(narrowed)) == sorted(r.item for r in everything.items if keeps(r)), filters


def test_a_session_is_used_and_not_stored(engine: Engine) -> None:
    visit = (Event("visitor", "i6", "view", engine.clock.now()), Event("visitor", "i10", "view", engine.clock.now()))
    answer = slate(engine, None, session=visit)
    assert answer.policy == "session"
    assert {"i6", "i10"} <= evidence(answer)
    assert not {"i6", "i10"} & set(ids(answer))
    assert engine.history(SYSTEM, "visitor").events == ()
    assert slate(engine, None, session=()).policy == "non-profiling"


def test_a_dislike_leaves_the_slate_and_pulls_its_neighbors_down(engine: Engine) -> None:
    def scores() -> dict[str, float]:
        return {ranked.item: ranked.score for ranked in slate(engine, "fresh", n=100).items}

    engine.set_consent(SYSTEM, "fresh", ["personalize"], granted=True, basis="form")
    engine.ingest(SYSTEM, [event(engine, "i5", user="fresh")])
    before = scores()
    engine.ingest(SYSTEM, [event(engine, "i9", "dislike", "fresh")])
    after = scores()
    assert "i9" in before
    assert "i9" not in after
    own = [item for item in after if int(item[1:]) % 4 == 1]
    others = [item for item in after if int(item[1:]) % 4 != 1]
    fell = [before[item] - after[item] for item in own]
    assert sum(fell) / len(fell) > 0.01
    assert sum(fell) / len(fell) > sum(before[item] - after[item] for item in others) / len(others)
    answer = slate(engine, "fresh", n=100)
    said = [reason for ranked in answer.items for reason in ranked.reasons if reason.code == "dislike"]
    assert said
    assert min(reason.weight for reason in said) < 0
    assert {reason.text for reason in said} == {"You were not interested in Thing 9"}


def test_every_answer_says_what_it_rests_on(engine: Engine) -> None:
    first, second = slate(engine), slate(engine)
    assert first.slate != second.slate
    assert first.items == second.items
    assert (first.placement, first.model.name) == ("for-you", "ease+popular")
    assert len(first.model.digest) == 64


def test_the_similar_items_of_a_taste_are_of_that_taste(engine: Engine) -> None:
    assert {int(item[1:]) % 4 for item in ids(engine.similar(SYSTEM, "i7", 5))} == {3}


def test_what_cannot_be_answered_says_why(engine: Engine) -> None:
    with pytest.raises(
        UnknownName, match=r"unknown placement; got for-yuo; allowed: blended.*did you mean 'for-you'\?"
    ):
        slate(engine, placement="for-yuo")
    with pytest.raises(NotFound, match=r"the models do not know this item; got no-such; next: put it in the catalogue"):
        engine.similar(SYSTEM, "no-such")
    with pytest.raises(InputError, match=r"the placement 'similar' needs the item on the page; allowed: an item id"):
        slate(engine, placement="similar")
    for n in (0, -1, 1001):
        with pytest.raises(InputError, match=rf"n is out of range; got {n}; allowed: 1 to 1000"):
            slate(engine, n=n)
    with pytest.raises(InputError, match=r"n is out of range; got 0; allowed: 1 or more"):
        engine.history(SYSTEM, "u1", 0)


def test_who_may_not_is_told_what_is_missing(engine: Engine) -> None:
    shop = Actor("shop", frozenset({"recommend:read"}))
    assert engine.recommend(shop, Ask(placement="for-you", user="u1")).items
    with pytest.raises(Forbidden, match=r"'shop' may not send events; got scopes: recommend:read"):
        engine.ingest(shop, [event(engine, "i1")])
    with pytest.raises(Forbidden, match="may not read what a person did"):
        engine.history(shop, "u1")
    with pytest.raises(Unauthorized, match="a key is needed"):
        engine.authenticate(None)
    with pytest.raises(Unauthorized, match="the key is not known"):
        engine.authenticate("pk_nonsense")
    token = engine.gate.keys.create(SYSTEM, "shop", ["recommend:read"])
    assert engine.authenticate(token) == shop


def test_a_future_event_is_rejected_and_the_others_are_kept(engine: Engine, clock: FixedClock) -> None:
    late = Event("u1", "i1", "view", clock.now() + timedelta(days=2))
    receipt = engine.ingest(SYSTEM, [late, event(engine, "i1", "view")])
    assert (receipt.accepted, [(r.index, r.code) for r in receipt.rejected]) == (1, [(0, "bad_time")])
    clock.advance(timedelta(days=2))
    assert engine.ingest(SYSTEM, [late]).accepted == 1


def test_the_history_is_shown_whatever_was_agreed(engine: Engine) -> None:
    shown = engine.history(SYSTEM, "u150", 5)
    assert shown.consent == {"train": False, "personalize": False}
    assert len(shown.events) == 5
    assert [entry.at for entry in shown.events] == sorted((entry.at for entry in shown.events), reverse=True)
    assert all(entry.title == f"Thing {entry.item[1:]}" for entry in shown.events if int(entry.item[1:]) < 38)


def test_the_busiest_come_first(engine: Engine) -> None:
    users = engine.users(SYSTEM, 3)
    counts = [len(engine.history(SYSTEM, user, 1000).events) for user in users]
    assert counts == sorted(counts, reverse=True)
    assert len(engine.users(SYSTEM, 1000)) == 160


def test_a_session_needs_no_user_and_no_times(engine: Engine) -> None:
    bare = slate(engine, None, session=(SessionEvent("i6"), SessionEvent("i10", "purchase")))
    timed = (
        SessionEvent("i10", "purchase", engine.clock.now()),
        SessionEvent("i6", at=engine.clock.now() - timedelta(seconds=1)),
    )
    assert bare.policy == "session"
    assert [(r.item, r.score) for r in bare.items] == [
        (r.item, pytest.approx(r.score)) for r in slate(engine, None, session=timed).items
    ]


@pytest.mark.parametrize("placement", USER_PLACEMENTS)
@pytest.mark.parametrize("asked", [{"user": "u1"}, {"user": "u150"}, {"user": None, "session": (SessionEvent("i6"),)}])
def test_a_slate_that_the_filters_empty_rests_on_what_was_asked(
    engine: Engine, placement: str, asked: dict[str, object]
) -> None:
    full = slate(engine, placement=placement, **asked)
    empty = slate(engine, placement=placement, filters=Filters(categories=("nope",)), **asked)
    assert not empty.items
    assert empty.policy == full.policy
    named = "+".join(engine.settings.placements[placement].blend)
    assert empty.model.name == named
    if full.policy != "non-profiling":  # without a history, only the popular ones of a blend have something to say
        assert (full.model.name, full.model.digest) == (named, empty.model.digest)


def test_a_question_that_contradicts_itself_is_refused(engine: Engine) -> None:
    with pytest.raises(InputError, match=r"^filters.price_min is above filters.price_max; got 3 and 2; ") as caught:
        slate(engine, filters=Filters(price_min=3.0, price_max=2.0))
    assert caught.value.field == "filters.price_min"
    assert slate(engine, filters=Filters(price_min=3.0, price_max=3.0)).items
    for user in ("", " "):
        with pytest.raises(InputError, match=r"^user is empty; "):
            slate(engine, user)
