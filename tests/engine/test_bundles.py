"""Trained bundles: the same data gives the same bytes, a promotion is picked up, damage never answers."""

from __future__ import annotations

import os
import shutil
import threading
from datetime import timedelta
from pathlib import Path

import msgspec
import polars as pl
import pytest

from penchant.core.clock import FixedClock, micros
from penchant.core.errors import ArtifactDamaged, ArtifactError, EmptyData, NotReady
from penchant.core.nouns import Event
from penchant.core.settings import PlacementSettings, Settings, TrainSettings
from penchant.engine.answers import Ask
from penchant.engine.bundle import Bundle, load_bundle, save_bundle
from penchant.engine.engine import Engine
from penchant.engine.keeper import Swap
from penchant.engine.recommending import answer
from penchant.engine.training import train
from penchant.models.artifact import read_artifact
from penchant.trust.access import SYSTEM
from penchant.trust.artifacts import Artifact
from penchant.trust.gate import Gate
from penchant.trust.purpose import Purpose


def retrain(settings: Settings, clock: FixedClock, events: int = 400, tag: str = "more") -> str:
    """Add events, train in an engine of another process's kind, and return the digest now in charge."""
    with Engine.open(settings, clock) as other:
        rows = [Event(f"u{n % 100}", f"i{n % 40}", "purchase", clock.now(), id=f"{tag}-{n}") for n in range(events)]
        assert other.ingest(SYSTEM, rows).accepted == events
        return train(other.gate, SYSTEM, settings).digest


def flip(path: Path, place: int = -1) -> None:
    raw = bytearray(path.read_bytes())
    raw[place] ^= 0x01
    path.write_bytes(bytes(raw))


def arrays(bundle: Path) -> list[Path]:
    return sorted(path for path in bundle.rglob("*") if path.is_file() and path.suffix != ".json")


def test_training_twice_on_the_same_data_gives_the_same_bundle(engine: Engine) -> None:
    first = engine.ready().model
    again = train(engine.gate, SYSTEM, engine.settings)
    assert again.digest == first
    once_more = train(engine.gate, SYSTEM, engine.settings)
    assert (once_more.digest, once_more.path) == (again.digest, again.path)


def test_other_data_gives_another_bundle_and_it_is_picked_up(
    engine: Engine, settings: Settings, clock: FixedClock
) -> None:
    before = engine.recommend(SYSTEM, Ask(placement="trending"))
    digest = retrain(settings, clock)
    after = engine.recommend(SYSTEM, Ask(placement="trending"))
    assert engine.ready().model == digest
    assert after.model.digest != before.model.digest


def test_a_slow_question_does_not_bring_an_older_bundle_back(
    engine: Engine, settings: Settings, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.ready()
    promoted, loaded = engine.gate.artifacts.promoted, []
    asked, go_on = threading.Event(), threading.Event()

    def slow() -> Artifact | None:
        found = promoted()
        if threading.current_thread().name == "slow":
            asked.set()
            assert go_on.wait(10)
        return found

    def load(place: Path) -> Bundle:
        loaded.append(place.name)
        return load_bundle(place)

    monkeypatch.setattr(engine.gate.artifacts, "promoted", slow)
    monkeypatch.setattr("penchant.engine.keeper.load_bundle", load)
    first, second = (threading.Thread(target=engine.ready, name=name) for name in ("slow", "quick"))
    first.start()
    assert asked.wait(10)
    digest = retrain(settings, clock)
    second.start()
    second.join(0.5)  # it is done by then, unless it rightly waits for the slow one
    go_on.set()
    first.join()
    second.join()
    assert loaded == [digest[:16]], "the new bundle once, the old one not again"


def test_a_bundle_knows_what_it_was_made_of(engine: Engine) -> None:
    bundle = train(engine.gate, SYSTEM, engine.settings)
    facts = bundle.scorers["ease"].facts
    assert facts["users"] == 130, "those who agreed to training and nobody else"
    assert facts["items"] == 40
    assert set(bundle.scorers) == {"ease", "popular", "buy-again", "item-knn", "trending"}
    record = engine.gate.artifacts.promoted()
    assert record is not None
    assert (record.digest, record.path) == (bundle.digest, bundle.path)


def test_nobody_who_did_not_agree_is_learnt_from(settings: Settings, clock: FixedClock) -> None:
    with Engine.open(settings, clock) as engine:
        before = engine.ready().model
        bought = [Event("u150", f"i{n % 40}", "purchase", clock.now(), id=f"no-{n}") for n in range(300)]
        assert engine.ingest(SYSTEM, bought).accepted == 300
        assert train(engine.gate, SYSTEM, settings).digest == before
        engine.set_consent(SYSTEM, "u150", ["train"], granted=True, basis="form")
        assert train(engine.gate, SYSTEM, settings).digest != before


@pytest.mark.parametrize("file", ["array", "model.json", "bundle.json"])
def test_a_damaged_new_bundle_leaves_the_old_one_answering(
    engine: Engine, settings: Settings, clock: FixedClock, file: str
) -> None:
    before = engine.recommend(SYSTEM, Ask(placement="for-you", user="u1", n=5))
    digest = retrain(settings, clock)
    bundle = Path(settings.artifacts) / digest[:16]
    flip(arrays(bundle)[0] if file == "array" else next(bundle.rglob(file)), place=20)
    after = engine.recommend(SYSTEM, Ask(placement="for-you", user="u1", n=5))
    assert after.model == before.model
    readiness = engine.ready()
    assert readiness.ready, "the bundle before it answers every placement"
    assert readiness.model != digest
    (why,) = readiness.missing
    assert "next:" in why
    clock.advance(timedelta(seconds=1))
    with Engine.open(settings, clock) as other:
        assert train(other.gate, SYSTEM, settings).digest == digest, "the damaged one is made anew"
    assert engine.ready().model == digest
    assert engine.ready().missing == ()


def test_a_damaged_bundle_alone_answers_nothing_and_says_why(settings: Settings, clock: FixedClock) -> None:
    retrain(settings, clock)
    for bundle in Path(settings.artifacts).iterdir():
        flip(arrays(bundle)[0])
    with Engine.open(settings, clock) as engine:
        with pytest.raises(ArtifactDamaged, match=r"got .*; .*next: "):
            engine.recommend(SYSTEM, Ask(placement="for-you"))
        readiness = engine.ready()
    assert (readiness.ready, readiness.model) == (False, None)
    assert len(readiness.missing) == 1


def test_a_damaged_newest_bundle_leaves_the_newest_sound_one_to_answer_after_a_start(
    settings: Settings, clock: FixedClock
) -> None:
    first = retrain(settings, clock)
    clock.advance(timedelta(seconds=1))
    second = retrain(settings, clock, tag="again")
    flip(arrays(Path(settings.artifacts) / second[:16])[0])
    heard: list[Swap] = []
    with Engine.open(settings, clock) as engine:
        engine.models.listen(heard.append)
        assert engine.recommend(SYSTEM, Ask(placement="for-you", user="u1")).items
        readiness = engine.ready()
    assert (readiness.ready, readiness.model) == (True, first)
    (why,) = readiness.missing
    assert why.startswith(f"the promoted bundle {second[:12]} cannot be used: a file of the saved model is not")
    assert why.endswith(f"; bundle {first[:12]} answers in its place")
    assert [(swap.digest, swap.taken) for swap in heard] == [(second, False)]


def test_a_bundle_that_was_mended_in_place_is_taken_up(
    settings: Settings, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = retrain(settings, clock)
    broken = arrays(Path(settings.artifacts) / digest[:16])[0]
    flip(broken)
    monkeypatch.setattr("penchant.engine.keeper.RETRY", -1.0)
    with Engine.open(settings, clock) as engine:
        assert engine.ready().model != digest
        flip(broken)
        assert (engine.ready().model, engine.ready().missing) == (digest, ())


def test_a_bundle_that_is_not_the_recorded_one_is_refused(engine: Engine, settings: Settings) -> None:
    bundle = engine.models.current().bundle
    engine.gate.artifacts.record(SYSTEM, "cd" * 32, bundle.path, models={}, metrics={})
    engine.gate.artifacts.promote(SYSTEM, "cd" * 32)
    readiness = engine.ready()
    assert readiness.model == bundle.digest
    assert "the bundle is not the one that was recorded" in readiness.missing[0]
    assert engine.gate.artifacts.rollback(SYSTEM) == ("cd" * 32, bundle.digest)
    assert engine.ready().missing == ()


def test_what_was_read_whole_once_is_not_read_again_until_it_is_touched(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[bool] = []

    def reading(path: Path, *, whole: bool = True) -> object:
        read.append(whole)
        return read_artifact(path, whole=whole)

    monkeypatch.setattr("penchant.engine.bundle.read_artifact", reading)
    place = Path(engine.models.current().bundle.path)
    load_bundle(place)
    load_bundle(place)
    assert not any(read[-5:])
    load_bundle(place, whole=True)
    assert all(read[-5:])
    os.utime(arrays(place)[0])
    load_bundle(place)
    assert all(read[-5:])
    flip(arrays(place)[0])
    with pytest.raises(ArtifactDamaged):
        load_bundle(place)


def test_a_watched_model_is_swapped_without_a_question(settings: Settings, clock: FixedClock) -> None:
    with Engine.open(settings, clock) as engine:
        swapped = threading.Event()
        engine.models.watch()
        before = engine.models.current()
        engine.models.listen(lambda swap: swap.digest != before.bundle.digest and swapped.set())
        digest = retrain(settings, clock)
        assert swapped.wait(30)
        assert engine.models.current().bundle.digest == digest != before.bundle.digest
        assert answer(before, engine.gate, SYSTEM, Ask(placement="trending"), clock.now()).items, "who holds it goes on"


def test_a_swap_keeps_what_is_known_of_the_same_items(settings: Settings, clock: FixedClock) -> None:
    with Engine.open(settings, clock) as engine:
        before = engine.models.current()
        retrain(settings, clock)
        after = engine.models.current()
        assert after is not before
        assert after.catalogue is before.catalogue
        known = after.catalogue.item(0)
        engine.put_items(SYSTEM, [msgspec.structs.replace(known, title="Another title")])
        assert engine.models.current().catalogue.title(0) == "Another title"


def test_a_bundle_that_is_gone_is_said_to_be_gone(settings: Settings, clock: FixedClock, tmp_path: Path) -> None:
    settings = msgspec.structs.replace(settings, store=f"sqlite:///{tmp_path}/new.db")
    with Gate.create(settings, clock) as gate:
        engine = Engine(settings, gate, clock)
        engine.gate.artifacts.record(SYSTEM, "ab" * 32, str(tmp_path / "nowhere"), models={}, metrics={})
        engine.gate.artifacts.promote(SYSTEM, "ab" * 32)
        with pytest.raises(
            ArtifactError, match=r"there is no bundle of models here; got .*nowhere; next: run 'penchant"
        ):
            engine.recommend(SYSTEM, Ask(placement="for-you"))


def test_before_training_nothing_is_ready(tmp_path: Path, clock: FixedClock) -> None:
    settings = msgspec.structs.replace(
        Settings(), store=f"sqlite:///{tmp_path}/new.db", artifacts=str(tmp_path / "artifacts")
    )
    with Gate.create(settings, clock) as gate:
        engine = Engine(settings, gate, clock)
        with pytest.raises(NotReady, match="no models are trained yet; next: run 'penchant train'"):
            engine.recommend(SYSTEM, Ask(placement="for-you"))
        assert engine.ready().missing == ("no bundle of models is trained; run 'penchant train'",)
        with pytest.raises(EmptyData, match=r"no events that may be learnt from; got 0 events stored"):
            train(gate, SYSTEM, settings)
        gate.admit(SYSTEM, [Event("ann", "tea", "purchase", clock.now())])
        with pytest.raises(EmptyData, match=r"got 1 events stored, none of them of a person who consented"):
            train(gate, SYSTEM, settings)
        gate.consent.grant(SYSTEM, "ann", [Purpose.TRAIN], basis="form")
        with pytest.raises(EmptyData):
            train(gate, SYSTEM, settings)
    assert not (tmp_path / "artifacts").exists(), "nothing half-written"


def test_a_placement_without_its_model_is_missing_and_the_others_answer(settings: Settings, clock: FixedClock) -> None:
    more = {**settings.placements, "odd": PlacementSettings(blend={"ials": 1.0})}
    with Engine.open(msgspec.structs.replace(settings, placements=more), clock) as engine:
        readiness = engine.ready()
        assert not readiness.ready
        assert "odd" in readiness.missing[0]
        with pytest.raises(NotReady, match=r"the placement has no trained model; got odd; next: run 'penchant train'"):
            engine.recommend(SYSTEM, Ask(placement="odd", user="u1"))
        assert engine.recommend(SYSTEM, Ask(placement="for-you", user="u1")).items


def test_a_model_swapped_for_another_is_refused(settings: Settings, clock: FixedClock) -> None:
    with Engine.open(settings, clock) as engine:
        one = train(engine.gate, SYSTEM, settings)
    other = save_bundle({name: one.scorers[name] for name in ("popular", "trending")}, settings.artifacts)
    (Path(other.path) / "popular").rename(Path(other.path) / "held")
    (Path(other.path) / "trending").rename(Path(other.path) / "popular")
    (Path(other.path) / "held").rename(Path(other.path) / "trending")
    with pytest.raises(ArtifactDamaged, match=r"is not the one that was trained with it; got .*; next: train again"):
        load_bundle(other.path)


def test_a_copied_shop_uses_and_removes_its_own_models(settings: Settings, clock: FixedClock, tmp_path: Path) -> None:
    """The copy records where the first one's models lie; it must neither need nor touch them."""
    other = tmp_path / "moved"
    shutil.copytree(Path(settings.artifacts), other / "artifacts")
    shutil.copy(tmp_path / "shop.db", other / "shop.db")
    there = msgspec.structs.replace(
        settings, store=f"sqlite:///{other}/shop.db", artifacts=f"{other}/artifacts", train=TrainSettings(keep=1)
    )
    before = sorted(Path(settings.artifacts).rglob("*"))
    first = next((other / "artifacts").iterdir())
    retrain(there, clock)
    assert first.exists(), "the one before the one in charge stays, so that there is something to roll back to"
    retrain(there, clock, tag="again")
    assert not first.exists()
    assert sorted(Path(settings.artifacts).rglob("*")) == before
    shutil.rmtree(settings.artifacts)
    with Engine.open(there, clock) as engine:
        assert engine.ready().ready


def test_people_can_see_their_data_without_a_model(settings: Settings, clock: FixedClock) -> None:
    for path in arrays(Path(settings.artifacts)):
        flip(path)
    with Engine.open(settings, clock) as engine:
        shown = engine.history(SYSTEM, "u1", 3)
    assert len(shown.events) == 3
    assert all(entry.title.startswith("Thing") or entry.item in ("i38", "i39") for entry in shown.events)


def test_an_old_bundle_that_cannot_be_removed_is_said(
    settings: Settings, clock: FixedClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (old,) = Path(settings.artifacts).iterdir()
    settings = msgspec.structs.replace(settings, train=TrainSettings(keep=1))
    monkeypatch.setattr(shutil, "rmtree", lambda *_, **__: None)
    retrain(settings, clock)
    retrain(settings, clock, tag="again")
    assert f"{old} could not be removed and takes up space; remove it by hand" in caplog.messages


def test_only_so_many_bundles_are_kept_and_the_one_in_charge_always(settings: Settings, clock: FixedClock) -> None:
    settings = msgspec.structs.replace(settings, train=TrainSettings(keep=2))
    digests = []
    for n in range(3):
        with Gate.open(settings, clock) as gate:
            rows = pl.DataFrame(
                {
                    "user": [f"u{k}" for k in range(60)],
                    "item": [f"i{n}"] * 60,
                    "kind": ["purchase"] * 60,
                    "at": [micros(clock.now()) - n - 1] * 60,
                    "value": [1.0] * 60,
                }
            )
            gate.admit_table(SYSTEM, rows)
            digests.append(train(gate, SYSTEM, settings).digest)
        clock.advance(timedelta(seconds=1))
    left = {path.name for path in Path(settings.artifacts).iterdir()}
    assert left == {digest[:16] for digest in digests[1:]}
    with Engine.open(settings, clock) as engine:
        assert engine.ready().model == digests[-1]
