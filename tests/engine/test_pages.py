"""Pages of a slate, slates of a page, lists put in order, and a mail to everybody."""

from __future__ import annotations

import base64
import itertools
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl
import pytest

from penchant.core.clock import FixedClock
from penchant.core.errors import Forbidden, InputError, UnknownName
from penchant.core.nouns import Event, Filters
from penchant.core.settings import PlacementSettings, Settings
from penchant.engine import everyone
from penchant.engine.answers import Answer, Ask, SessionEvent
from penchant.engine.engine import Engine
from penchant.engine.everyone import Mailing
from penchant.engine.pages import Page, Part
from penchant.engine.ranking import RankAsk
from penchant.engine.training import train
from penchant.trust.access import SYSTEM, Actor

QUESTIONS: tuple[dict[str, Any], ...] = (
    {"user": "u1"},
    {"user": "u150"},
    {},
    {"session": (SessionEvent("i6"), SessionEvent("i11"))},
    {"user": "u1", "placement": "trending"},
    {"user": "u1", "placement": "buy-again"},
    {"user": "u1", "placement": "blended"},
    {"item": "i7", "placement": "similar"},
    {"user": "u2", "filters": Filters(exclude=("i4", "i5"), price_max=25.0)},
)


def asked(n: int, **question: Any) -> Ask:
    return Ask(**{"placement": "for-you", "n": n, **question})


def ids(answer: Answer) -> list[str]:
    return [ranked.item for ranked in answer.items]


def pages(engine: Engine, ask: Ask) -> list[Answer]:
    found = [engine.recommend(SYSTEM, ask)]
    while found[-1].next is not None:
        found.append(engine.recommend(SYSTEM, msgspec.structs.replace(ask, cursor=found[-1].next)))
    return found


@pytest.mark.parametrize("question", QUESTIONS, ids=str)
def test_the_pages_are_the_long_slate_in_parts(engine: Engine, question: dict[str, Any]) -> None:
    whole = engine.recommend(SYSTEM, asked(1000, **question))
    assert whole.next is None
    for n in (1, 3, 7, 40):
        found = pages(engine, asked(n, **question))
        parts = [ranked for page in found for ranked in page.items]
        assert [(r.item, r.rank, r.score) for r in parts] == [(r.item, r.rank, r.score) for r in whole.items]
        assert [len(page.items) for page in found[:-1]] == [n] * (len(found) - 1)
        assert len({page.slate for page in found}) == len(found), "every page is a slate of its own"
        assert {(page.basis, page.policy) for page in found} == {(whole.basis, whole.policy)}


def test_nothing_repeats_or_drops_while_models_are_swapped_and_the_history_grows(
    engine: Engine, clock: FixedClock
) -> None:
    rng = np.random.default_rng(11)
    whole = set(ids(engine.recommend(SYSTEM, asked(1000, user="u1"))))
    ask, seen, bought = asked(4, user="u1"), [], set()
    for turn in itertools.count():
        page = engine.recommend(SYSTEM, ask)
        seen += ids(page)
        if page.next is None:
            break
        ask = msgspec.structs.replace(ask, cursor=page.next)
        item = f"i{rng.integers(1, 38)}"  # what is bought is not new any more, wherever it stands
        engine.ingest(SYSTEM, [Event("u1", item, "purchase", clock.now(), id=f"b{turn}")])
        bought.add(item)
        if turn in (1, 3):
            others = [Event(f"u{n}", f"i{(n + turn) % 38}", "purchase", clock.now()) for n in range(2, 60)]
            engine.ingest(SYSTEM, others)
            before = engine.ready().model
            train(engine.gate, SYSTEM, engine.settings)
            assert engine.ready().model != before
    assert len(seen) == len(set(seen))
    assert whole - bought <= set(seen) <= whole


def test_pages_go_on_without_the_history_once_consent_is_withdrawn(engine: Engine) -> None:
    first = engine.recommend(SYSTEM, asked(5, user="u1"))
    engine.set_consent(SYSTEM, "u1", ["personalize"], granted=False, basis="letter")
    second = engine.recommend(SYSTEM, asked(5, user="u1", cursor=first.next))
    assert (second.policy, second.basis) == ("non-profiling", "popular")
    assert second.items
    assert not set(ids(first)) & set(ids(second))
    engine.set_consent(SYSTEM, "u1", ["personalize"], granted=True, basis="form")
    third = engine.recommend(SYSTEM, asked(5, user="u1", cursor=second.next))
    assert third.basis == "popular", "later pages do not go back up the chain"
    assert not (set(ids(first)) | set(ids(second))) & set(ids(third))


def test_a_cursor_that_was_changed_or_is_another_questions_is_refused(engine: Engine) -> None:
    cursor = str(engine.recommend(SYSTEM, asked(3, user="u1")).next)
    raw = bytearray(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    for place in range(len(raw)):
        changed = bytes([*raw[:place], raw[place] ^ 1, *raw[place + 1 :]])
        with pytest.raises(InputError, match="the cursor is not one that was handed out") as caught:
            engine.recommend(SYSTEM, asked(3, user="u1", cursor=base64.urlsafe_b64encode(changed).decode()))
        assert caught.value.field == "cursor"
    for wrong in ("", "é", "a", "AAAA", cursor[:-2]):
        with pytest.raises(InputError, match="the cursor is not one that was handed out"):
            engine.recommend(SYSTEM, asked(3, user="u1", cursor=wrong))
    for other in ({"user": "u2"}, {"placement": "trending"}, {"filters": Filters(price_max=3.0)}, {"user": None}):
        with pytest.raises(InputError, match="the cursor belongs to another question"):
            engine.recommend(SYSTEM, asked(3, **{"user": "u1", "cursor": cursor, **other}))
    again = engine.recommend(SYSTEM, asked(9, user="u1", cursor=cursor, experiment="b", context={"page": "2"}))
    assert again.items, "how many, and what it belongs to, may change from page to page"


def test_a_session_that_is_sent_along_may_grow_from_page_to_page(engine: Engine) -> None:
    first = engine.recommend(SYSTEM, asked(5, session=(SessionEvent("i6"),)))
    grown = (SessionEvent("i6"), SessionEvent("i10"))
    second = engine.recommend(SYSTEM, asked(5, session=grown, cursor=first.next))
    assert second.items
    assert not set(ids(first)) & set(ids(second))


def test_pages_end_after_a_thousand_items(
    settings: Settings, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("penchant.engine.cursor.MAX_N", 12)
    monkeypatch.setattr("penchant.engine.recommending.MAX_N", 12)
    with Engine.open(settings, clock) as engine:
        assert [len(page.items) for page in pages(engine, asked(5, user="u1"))] == [5, 5, 2]


# -- several placements ---------------------------------------------------------------------------------------------


def page_of(*parts: Part, **who: Any) -> Page:
    return Page(placements=parts, **who)


@pytest.mark.parametrize("who", [{"user": "u1"}, {"user": "u150"}, {}, {"session": (SessionEvent("i6"),)}], ids=str)
def test_no_item_stands_in_two_slates_of_a_page(engine: Engine, who: dict[str, Any]) -> None:
    parts = tuple(Part(placement=name, n=n) for name, n in (("for-you", 6), ("trending", 8), ("blended", 5)))
    similar = Part(placement="similar", item="i7", n=4)
    found = engine.page(SYSTEM, page_of(*parts, similar, **who))
    shown = [item for slate in found.slates for item in ids(slate)]
    assert len(shown) == len(set(shown)) == 6 + 8 + 5 + 4
    alone = engine.recommend(SYSTEM, asked(6, **who))
    assert found.slates[0].items == alone.items, "the first of a page is as if it stood alone"
    second = engine.recommend(SYSTEM, asked(8, placement="trending", filters=Filters(exclude=tuple(ids(alone))), **who))
    assert found.slates[1].items == second.items, "the others get the best of what is left"
    for slate, part in zip(found.slates, (*parts, similar), strict=True):
        if slate.next is not None:
            more = asked(50, placement=part.placement, item=part.item, cursor=slate.next, **who)
            assert not set(ids(engine.recommend(SYSTEM, more))) & set(shown)


def test_a_page_reads_the_history_once(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []
    read = engine.gate.history
    monkeypatch.setattr(engine.gate, "history", lambda *args: calls.append(args) or read(*args))
    engine.page(SYSTEM, page_of(Part(placement="for-you"), Part(placement="buy-again"), user="u1"))
    assert len(calls) == 1


def test_every_slate_of_a_page_is_logged(engine: Engine) -> None:
    found = engine.page(SYSTEM, page_of(Part(placement="for-you"), Part(placement="trending"), user="u1"))
    engine.slates.flush()
    table = engine.gate.slates.outcomes(SYSTEM, engine.clock.now())
    assert set(table["slate"]) == {slate.slate for slate in found.slates}
    assert table["unit"].n_unique() == 1, "one person is one unit of chance"


# -- a list that is given -------------------------------------------------------------------------------------------


def test_a_given_list_comes_back_in_order_and_whole(engine: Engine) -> None:
    newest = engine.history(SYSTEM, "u1", 1).events[0].item
    given = ("i0", "no-such", "i9", "i2", newest, "i9", "i38")
    found = engine.rank(SYSTEM, RankAsk(placement="for-you", items=given, user="u1"))
    placed = ids(found.slate)
    assert sorted((*placed, *found.unranked)) == sorted(set(given))
    assert found.unranked == ("no-such",)
    assert {"i0", newest} <= set(placed), "what is sold out or known already stays in a list that was given"
    scores = [ranked.score for ranked in found.slate.items]
    assert scores == sorted(scores, reverse=True)
    free = engine.recommend(SYSTEM, asked(1000, user="u1"))
    order = [item for item in ids(free) if item in placed]
    assert [item for item in placed if item in order] == order, "the order is that of the placement"
    assert (found.slate.policy, found.slate.basis) == ("personalized", "personal")
    nobody = engine.rank(SYSTEM, RankAsk(placement="for-you", items=given))
    assert nobody.slate.policy == "non-profiling"
    assert ids(nobody.slate) != placed


# -- everybody ------------------------------------------------------------------------------------------------------


def test_the_mail_to_everybody_is_what_each_would_get_alone(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(everyone, "CHUNK", 30)  # several parts
    path = tmp_path / "mail.parquet"
    for placement, n in (("for-you", 5), ("buy-again", 3), ("blended", 40)):
        done = engine.recommend_everyone(SYSTEM, Mailing(placement=placement, n=n), path)
        table = pl.read_parquet(path)
        assert (done.people, done.rows) == (table["user"].n_unique(), table.height)
        assert done.people + done.empty == 100, "all who agreed, and nobody else"
        assert table["user"].to_list() == sorted(table["user"]), "in order"
        assert table.group_by("slate").agg(pl.col("user").n_unique())["user"].max() == 1
        for key, rows in table.group_by("user", maintain_order=True):
            alone = engine.recommend(SYSTEM, Ask(placement=placement, user=str(key[0]), n=n))
            assert rows["item"].to_list() == ids(alone)
            assert rows["score"].to_list() == [ranked.score for ranked in alone.items], "bit for bit"
            reasons = [[msgspec.structs.asdict(reason) for reason in ranked.reasons] for ranked in alone.items]
            assert rows["reasons"].to_list() == reasons
            assert set(rows["policy"]) == {alone.policy}
    assert [each.name for each in tmp_path.iterdir() if "mail" in each.name] == ["mail.parquet"]


def test_the_mail_is_logged_with_the_slate_ids_of_the_file(engine: Engine, tmp_path: Path) -> None:
    engine.recommend_everyone(SYSTEM, Mailing(placement="for-you", n=2, experiment="mail"), tmp_path / "mail.parquet")
    table = pl.read_parquet(tmp_path / "mail.parquet")
    log = engine.gate.slates.outcomes(SYSTEM, engine.clock.now())
    assert set(log["slate"]) == set(table["slate"])
    assert log.sort("slate", "position")["item"].to_list() == table.sort("slate", "rank")["item"].to_list()
    assert set(log["experiment"]) == {"mail"}


def test_a_mail_that_fails_leaves_the_file_of_before(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(everyone, "CHUNK", 30)
    path = tmp_path / "mail.parquet"
    path.write_bytes(b"of before")
    read, calls = engine.gate.people, []

    def breaks(*args: Any) -> Any:
        for users in read(*args):
            calls.append(users)
            if len(calls) == 3:
                raise KeyboardInterrupt
            yield users

    monkeypatch.setattr(engine.gate, "people", breaks)
    with pytest.raises(KeyboardInterrupt):
        engine.recommend_everyone(SYSTEM, Mailing(placement="for-you"), path)
    assert path.read_bytes() == b"of before"
    assert [each.name for each in tmp_path.iterdir() if "mail" in each.name] == ["mail.parquet"]
    assert engine.gate.slates.outcomes(SYSTEM, engine.clock.now()).is_empty(), "what was not sent is not logged"


def test_a_mail_that_cannot_be_made_says_why(engine: Engine, tmp_path: Path) -> None:
    def mail(path: Path = tmp_path / "mail.parquet", actor: Actor = SYSTEM, **other: Any) -> None:
        engine.recommend_everyone(actor, Mailing(**{"placement": "for-you", **other}), path)

    with pytest.raises(UnknownName, match="unknown placement; got for-yuo"):
        mail(placement="for-yuo")
    with pytest.raises(InputError, match="the placement 'similar' needs the item on the page"):
        mail(placement="similar")
    with pytest.raises(InputError, match="n is out of range; got 0"):
        mail(n=0)
    with pytest.raises(InputError, match="the file cannot be written"):
        mail(tmp_path / "nowhere" / "mail.parquet")
    with pytest.raises(Forbidden, match="users:read"):
        mail(actor=Actor("shop", frozenset({"recommend:read"})))
    assert not list(tmp_path.glob("*mail*"))


def test_spread_slates_hold_every_category_before_one_comes_thrice(settings: Settings, clock: FixedClock) -> None:
    base = settings.placements["for-you"]
    mixed: PlacementSettings = msgspec.structs.replace(base, most_per_category=2)
    chosen = msgspec.structs.replace(settings, placements={**settings.placements, "mixed": mixed})
    visit = (SessionEvent("i6"),)
    with Engine.open(chosen, clock) as engine:
        slate = engine.recommend(
            SYSTEM, asked(8, session=visit, placement="mixed", filters=Filters(exclude=("i38", "i39")))
        )
        counts = pl.Series([item.categories[0] for item in slate.items]).value_counts()["count"].to_list()
        assert counts == [2, 2, 2, 2]
        assert len(engine.recommend(SYSTEM, asked(30, session=visit, placement="mixed")).items) >= 24, "never shorter"
        found = pages(engine, asked(6, session=visit, placement="mixed"))
        seen = [item for page in found for item in ids(page)]
        assert len(seen) == len(set(seen))
        assert set(seen) == set(ids(engine.recommend(SYSTEM, asked(1000, session=visit))))
