"""Down the chain: who answers when the first cannot, what a deadline leaves out, and what the answer says of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from penchant.core.clock import FixedClock
from penchant.core.errors import InputError, NotReady, StoreError
from penchant.core.nouns import Event, Filters, Item
from penchant.core.settings import PlacementSettings, Settings
from penchant.engine.answers import Answer, Ask, Fall, SessionEvent
from penchant.engine.engine import Engine
from penchant.pipeline.chain import Chain
from penchant.store.slates import Slates as StoredSlates
from penchant.trust.access import SYSTEM
from penchant.trust.purpose import Purpose

START = datetime(2017, 1, 1, tzinfo=UTC)


class Ticker:
    """A timer that stands still until somebody moves it."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def ticker(engine: Engine) -> Ticker:
    engine.timer = Ticker()
    return engine.timer


def ask(engine: Engine, **question: Any) -> Answer:
    return engine.recommend(SYSTEM, Ask(**{"placement": "for-you", "n": 5, **question}))


def ids(answer: Answer) -> list[str]:
    return [ranked.item for ranked in answer.items]


def grown(settings: Settings, **placements: PlacementSettings) -> Settings:
    return msgspec.structs.replace(settings, placements={**settings.placements, **placements})


def visit(engine: Engine, session: str, *items: str) -> None:
    engine.ingest(SYSTEM, [Event("", item, "view", engine.clock.now(), session=session) for item in items])


# -- who answers ----------------------------------------------------------------------------------------------------


def test_each_step_says_that_it_answered_and_why_those_before_it_did_not(engine: Engine) -> None:
    person = ask(engine, user="u1")
    assert (person.basis, person.policy, person.fallback) == ("personal", "personalized", ())
    cold = ask(engine, user="nobody", session=(SessionEvent("i6"),))
    assert (cold.basis, cold.policy) == ("session", "session")
    assert cold.fallback == (Fall("personal", "no_history"),)
    newcomer = "newcomer"  # what this one did is not known to any model, nor to the catalogue
    engine.set_consent(SYSTEM, newcomer, ["personalize"], granted=True, basis="form")
    engine.ingest(SYSTEM, [Event(newcomer, "unheard-of", "view", engine.clock.now())])
    both = ask(engine, user=newcomer, session=(SessionEvent("i6"),))
    assert (both.basis, both.policy, both.fallback) == ("session", "session", (Fall("personal", "nothing_found"),))
    assert both.items == cold.items, "with the reasons of the session"
    strange = ask(engine, user="nobody")
    assert (strange.basis, strange.policy, strange.model.name) == ("popular", "non-profiling", "popular")
    assert strange.fallback == (Fall("personal", "no_history"), Fall("content", "no_history"))
    assert ask(engine).fallback == (), "nobody was asked about"


def test_content_answers_where_the_models_know_nothing(settings: Settings, clock: FixedClock) -> None:
    """The blend needs a model that is not trained, so what remains is what the items say of themselves."""
    lost = PlacementSettings(blend={"ials": 1.0}, content=True, fallback={"popular": 1.0})
    with Engine.open(grown(settings, lost=lost), clock) as engine:
        answer = ask(engine, user="u1", placement="lost")
        assert (answer.basis, answer.policy, answer.model.name) == ("content", "personalized", "content")
        assert answer.fallback == (Fall("personal", "no_model"),)
        shown = ask(engine, placement="lost", session=(SessionEvent("i6"), SessionEvent("i10")))
        assert {item.categories for item in shown.items} == {("taste2",)}, "the category of what was viewed"
        for ranked in (*answer.items, *shown.items):
            assert sum(reason.weight for reason in ranked.reasons) == pytest.approx(ranked.score, rel=1e-4)
        nobody = ask(engine, placement="lost")
        assert (nobody.basis, nobody.policy) == ("popular", "non-profiling")
        readiness = engine.ready()
        assert (readiness.ready, readiness.status) == (True, "degraded")
        assert "placement lost: a placement needs a model that is not trained; got ials" in readiness.missing[0]


def test_a_placement_without_any_model_is_not_ready(settings: Settings, clock: FixedClock) -> None:
    with Engine.open(grown(settings, bare=PlacementSettings(blend={"ials": 1.0})), clock) as engine:
        assert (engine.ready().ready, engine.ready().status) == (False, "not ready")
        with pytest.raises(NotReady, match="the placement has no trained model; got bare"):
            ask(engine, placement="bare")


def test_new_words_in_the_catalogue_are_content_too(settings: Settings, clock: FixedClock) -> None:
    lost = PlacementSettings(blend={"ials": 1.0}, content=True, fallback={"popular": 1.0})
    with Engine.open(grown(settings, lost=lost), clock) as engine:
        engine.put_items(SYSTEM, [Item("i38", "Blue kettle"), Item("i39", "Small kettle")])
        answer = ask(engine, placement="lost", session=(SessionEvent("i38"),))
        assert ids(answer) == ["i39"]
        assert answer.items[0].reasons[0].text == "Like Blue kettle, which you looked at"


def test_an_item_that_is_new_to_the_models_has_similar_ones_by_what_it_is(engine: Engine) -> None:
    engine.put_items(SYSTEM, [Item("new", "New thing", categories=("taste3",))])
    answer = engine.similar(SYSTEM, "new", 5)
    assert (answer.basis, answer.policy, answer.model.name) == ("content", "item", "content")
    assert answer.fallback == (Fall("item", "no_model"),)
    assert {ranked.categories for ranked in answer.items} == {("taste3",)}
    for ranked in answer.items:
        (reason,) = ranked.reasons
        assert (reason.code, reason.evidence, reason.text) == ("page", "new", "Like New thing")
        assert reason.weight == pytest.approx(ranked.score)
    engine.put_items(SYSTEM, [Item("odd", "Unheard-of")])
    assert engine.similar(SYSTEM, "odd", 5).basis == "popular"


# -- sessions -------------------------------------------------------------------------------------------------------


def test_a_stored_session_is_asked_when_its_visitor_agreed_and_counts_at_once(engine: Engine) -> None:
    visit(engine, "s1", "i6")
    assert ask(engine, session="s1").fallback[0] == Fall("session", "no_history"), "nobody agreed"
    engine.gate.visits.answer(SYSTEM, "s1", ["personalize"], granted=True, basis="banner")
    first = ask(engine, session="s1")
    assert (first.policy, first.basis) == ("session", "session")
    visit(engine, "s1", "i10")
    evidence = {reason.evidence for ranked in ask(engine, session="s1").items for reason in ranked.reasons}
    assert {"i6", "i10"} <= evidence
    assert ask(engine, session="s2").policy == "non-profiling", "another visit is another's"
    engine.gate.visits.answer(SYSTEM, "s1", ["personalize"], granted=False, basis="banner")
    assert ask(engine, session="s1").policy == "non-profiling"


def test_who_signs_in_brings_the_session_along_so_far_as_both_agreed(engine: Engine) -> None:
    visit(engine, "s1", "i6", "i10")
    engine.gate.visits.link(SYSTEM, "s1", "new")
    assert ask(engine, user="new").policy == "non-profiling", "the person was not asked yet"
    engine.set_consent(SYSTEM, "new", ["personalize", "train"], granted=True, basis="form")
    answer = ask(engine, user="new")
    assert answer.policy == "personalized"
    assert [entry.item for entry in engine.history(SYSTEM, "new").events] == ["i10", "i6"]
    trained = engine.gate.read(SYSTEM, Purpose.TRAIN).filter(user="new")
    assert trained["item"].to_list() == ["i6", "i10"]
    engine.gate.visits.answer(SYSTEM, "s1", ["personalize", "train"], granted=False, basis="banner")
    assert ask(engine, user="new").policy == "non-profiling", "what was refused in the visit stays refused"
    assert engine.gate.read(SYSTEM, Purpose.TRAIN).filter(user="new").is_empty()


def test_an_impression_is_no_interest(engine: Engine) -> None:
    before = ask(engine, user="u1", n=40)
    shown = [Event("u1", item, "impression", engine.clock.now(), slate=before.slate) for item in ids(before)]
    trained = engine.gate.read(SYSTEM, Purpose.TRAIN).height
    assert engine.ingest(SYSTEM, shown).accepted == len(shown)
    assert ask(engine, user="u1", n=40).items == before.items
    assert engine.gate.read(SYSTEM, Purpose.TRAIN).height == trained


# -- deadlines ------------------------------------------------------------------------------------------------------


def test_in_time_nothing_is_skipped(engine: Engine, ticker: Ticker) -> None:
    with_deadline = ask(engine, user="u1", deadline_ms=50)
    assert with_deadline.skipped == ()
    assert with_deadline.items == ask(engine, user="u1").items


def test_a_history_that_came_late_leaves_the_popular_answer(
    engine: Engine, ticker: Ticker, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = engine.gate.history

    def slow(*args: Any) -> Any:
        ticker.at += 0.2
        return read(*args)

    monkeypatch.setattr(engine.gate, "history", slow)
    answer = ask(engine, user="u1", deadline_ms=100)
    assert (answer.basis, answer.policy) == ("popular", "non-profiling")
    assert answer.fallback == (Fall("personal", "late"), Fall("content", "late"))
    assert answer.skipped == ("personal", "content", "explain")
    assert answer.items
    assert all(ranked.reasons == () for ranked in answer.items)
    assert ask(engine, user="u1").skipped == (), "no deadline, no haste"


def test_a_history_that_does_not_come_is_given_up(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the real timer: a store that hangs holds the answer until its deadline and no longer."""
    free = threading.Event()
    ask(engine)  # the models are in memory
    monkeypatch.setattr(engine.gate, "history", lambda *args: free.wait(30))
    try:
        answer = ask(engine, user="u1", deadline_ms=1000)  # enough for the catalogue, also on a busy machine
    finally:
        free.set()
    assert answer.fallback[0] == Fall("personal", "late")
    assert answer.skipped[0] == "history"
    assert answer.policy == "non-profiling"
    assert answer.items


def test_a_catalogue_that_does_not_come_leaves_what_is_in_memory(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the real timer: a store that hangs before anything is read holds the answer until its deadline, too."""
    whole = ask(engine)
    free = threading.Event()
    monkeypatch.setattr(engine.gate.catalogue, "version", lambda: free.wait(30))
    try:
        answer = ask(engine, user="u1", deadline_ms=30)
        assert not free.is_set()
    finally:
        free.set()
    assert answer.fallback[0] == Fall("personal", "late")
    assert ids(answer) == ids(whole)


def test_a_late_answer_about_an_item_does_not_show_the_item(engine: Engine, ticker: Ticker) -> None:
    popular = ids(ask(engine, n=1))[0]

    class Gone(Ticker):
        def __call__(self) -> float:
            self.at += 1.0
            return self.at

    engine.timer = Gone()
    answer = ask(engine, placement="similar", item=popular, deadline_ms=1, n=40)
    assert answer.fallback[0] == Fall("item", "late")
    assert answer.items
    assert popular not in ids(answer)


def test_explaining_is_skipped_when_ranking_took_all_the_time(
    engine: Engine, ticker: Ticker, monkeypatch: pytest.MonkeyPatch
) -> None:
    rank = Chain.rank

    def slow(*args: Any) -> Any:
        ticker.at += 1.0
        return rank(*args)

    whole = ask(engine, user="u1")
    monkeypatch.setattr(Chain, "rank", slow)
    answer = ask(engine, user="u1", deadline_ms=100)
    assert (answer.basis, answer.skipped, answer.fallback) == ("personal", ("explain",), ())
    assert [(r.item, r.title, r.score) for r in answer.items] == [(r.item, r.title, r.score) for r in whole.items]


def test_re_ranking_is_skipped_when_it_is_late(
    settings: Settings, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = settings.placements["for-you"]
    mixed = msgspec.structs.replace(base, most_per_category=1, deadline_ms=100)
    with Engine.open(grown(settings, mixed=mixed), clock) as engine:
        ticker = Ticker()
        engine.timer = ticker
        spread = ask(engine, user="u1", placement="mixed", n=4)
        assert len({ranked.categories for ranked in spread.items}) == 4
        found = Chain.found

        def slow(*args: Any, **others: Any) -> Any:
            ticker.at += 1.0
            return found(*args, **others)

        monkeypatch.setattr(Chain, "found", slow)
        plain = ask(engine, user="u1", placement="mixed", n=4)
        assert plain.skipped == ("rerank", "explain")
        assert ids(plain) == ids(ask(engine, user="u1", n=4, deadline_ms=None))


@pytest.mark.parametrize("field", ["user", "session"])
@pytest.mark.parametrize("text", ["\x1fs1", "a\x00b", "x" * 513])
def test_nobody_asks_under_a_name_that_no_event_can_have(engine: Engine, field: str, text: str) -> None:
    visit(engine, "s1", "i6")
    with pytest.raises(InputError, match=f"{field} has"):
        ask(engine, **{field: text})


# -- a store that is down -------------------------------------------------------------------------------------------


def test_a_store_that_is_gone_leaves_the_answer_for_everybody(
    engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    visit(engine, "s1", "i6")
    engine.gate.visits.answer(SYSTEM, "s1", ["personalize"], granted=True, basis="banner")
    before = ask(engine, user="u1")
    assert before.policy == "personalized"
    moved = [path.rename(path.with_suffix(path.suffix + ".away")) for path in tmp_path.glob("shop.db*")]
    answer = ask(engine, user="u1")
    assert (answer.policy, answer.basis) == ("non-profiling", "popular")
    assert answer.fallback == (Fall("personal", "store_down"), Fall("content", "no_history"))
    assert answer.items == ask(engine, user=None).items
    assert ask(engine, session="s1").policy == "non-profiling", "consent is not known now"
    assert ask(engine, session=(SessionEvent("i6"),)).policy == "session", "what is sent along needs no store"
    readiness = engine.ready()
    assert (readiness.ready, readiness.status) == (True, "degraded")
    with pytest.raises(StoreError):
        engine.ingest(SYSTEM, [Event("u1", "i1", "view", engine.clock.now())])
    for path in moved:
        path.rename(path.with_suffix(""))
    assert ask(engine, user="u1").items == before.items
    assert engine.ready().status == "ready"


# -- the log of slates ----------------------------------------------------------------------------------------------


@pytest.fixture
def logged(engine: Engine) -> Iterator[Engine]:
    yield engine
    engine.slates.close()


def test_what_is_answered_is_logged_with_its_basis(logged: Engine) -> None:
    answer = ask(logged, user="u1", experiment="rail/b")
    hidden = ask(logged, user="u150")
    logged.slates.flush()
    table = logged.gate.slates.outcomes(SYSTEM, logged.clock.now())
    mine = table.filter(slate=answer.slate)
    assert mine["item"].to_list() == ids(answer)
    assert mine["position"].to_list() == [1, 2, 3, 4, 5]
    row = mine.row(0, named=True)
    assert (row["experiment"], row["basis"], row["digest"]) == ("rail/b", "personal", answer.model.digest)
    assert set(mine["propensity"]) == {1.0}
    with logged.gate._store._database.reading() as connection:
        users = dict(tuple(row) for row in connection.exec_driver_sql('SELECT id, "user" FROM slates'))
    assert users == {answer.slate: "u1", hidden.slate: None}


def test_a_full_queue_and_a_failing_store_lose_slates_and_no_answers(
    settings: Settings, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = msgspec.structs.replace(settings, slates=msgspec.structs.replace(settings.slates, waiting=3))
    with Engine.open(few, clock) as engine:
        with engine.slates._writing:  # the writer is held up
            for _ in range(5):
                engine.slates.offer(Ask(placement="for-you"), _answer(), clock.now())
            assert engine.slates.lost == 2

            def fails(*args: Any, **others: Any) -> None:
                raise StoreError("the store failed")

            monkeypatch.setattr(StoredSlates, "add", fails)
        engine.slates.flush()
        assert engine.slates.lost == 5
        assert ask(engine, user="u1").items


def _answer() -> Answer:
    return msgspec.convert(
        {"slate": "s", "placement": "for-you", "policy": "p", "model": {"name": "m", "digest": "d"}, "items": []},
        Answer,
    )


def test_only_the_share_that_the_settings_say_is_logged(settings: Settings, clock: FixedClock) -> None:
    some = msgspec.structs.replace(settings, slates=msgspec.structs.replace(settings.slates, log=0.0))
    with Engine.open(some, clock) as engine:
        ask(engine, user="u1")
        engine.slates.flush()
        assert engine.gate.slates.outcomes(SYSTEM, clock.now()).is_empty()


def test_filters_reach_every_step(engine: Engine) -> None:
    for question in ({"user": "u1"}, {"session": (SessionEvent("i6"),)}, {}):
        found = ask(engine, filters=Filters(exclude=("i5", "i9", "i13")), n=40, **question)
        assert not {"i5", "i9", "i13"} & set(ids(found))


def test_slates_go_when_they_were_kept_long_enough(engine: Engine, clock: FixedClock) -> None:
    old = ask(engine, user="u1")
    engine.slates.flush()
    clock.advance(timedelta(days=399))
    new = ask(engine)
    engine.slates.flush()
    engine.slates.prune()
    assert set(engine.gate.slates.outcomes(SYSTEM, START)["slate"]) == {old.slate, new.slate}
    clock.advance(timedelta(days=1, seconds=1))
    engine.slates.prune()
    assert set(engine.gate.slates.outcomes(SYSTEM, START)["slate"]) == {new.slate}
    with engine.gate._store._database.reading() as connection:
        assert connection.exec_driver_sql("SELECT COUNT(DISTINCT slate) FROM slate_items").scalar_one() == 1
