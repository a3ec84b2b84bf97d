"""A small shop, open for business: a store, consents, a catalogue and trained models, for tests and examples."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from tempfile import TemporaryDirectory

import polars as pl

from penchant.core.clock import FixedClock, micros
from penchant.core.nouns import Item
from penchant.core.settings import Settings, TrainSettings
from penchant.engine.engine import Engine
from penchant.engine.training import train
from penchant.trust.access import SYSTEM
from penchant.trust.gate import Gate
from penchant.trust.purpose import Purpose

__all__ = ["shop"]

_TEA = ("assam", "ceylon", "jasmine", "sencha")
_COFFEE = ("espresso", "filter", "lungo", "mocha")
_PEOPLE = ("ann", "bob", "cat", "dan", "eve", "fay", "guy", "hal", "ida", "jon", "kim", "leo")
_DAY = 86_400_000_000


@contextmanager
def shop() -> Iterator[Engine]:
    """Yield an engine over a trained shop of twelve people and eight items; all of it is gone on leaving.

    Every other person, from Ann on, drinks tea, the others coffee; each bought three of the four items of their taste
    in autumn 2017, and Ann bought her Assam again. All agreed to training and personalization but Leo, who was never
    asked. It is noon of December 31, and stays so.

    >>> from penchant.engine.answers import Ask
    >>> with shop() as engine:
    ...     answer = engine.recommend(SYSTEM, Ask(placement="for-you", user="ann", n=1))
    >>> answer.policy, answer.items[0].title, answer.items[0].reasons[0].text
    ('personalized', 'Sencha', 'Because you bought Jasmine')
    """
    with TemporaryDirectory() as folder:
        settings = Settings(
            store=f"sqlite:///{folder}/shop.db", artifacts=f"{folder}/artifacts", train=TrainSettings(min_users=1)
        )
        clock = FixedClock(datetime(2017, 12, 31, 12, tzinfo=UTC))
        with Gate.create(settings, clock) as gate:
            gate.admit_table(SYSTEM, _events(micros(clock.now())))
            gate.catalogue.put(SYSTEM, _items())
            gate.consent.grant(SYSTEM, _PEOPLE[:-1], [use for use in Purpose if use.asked], basis="made up")
            train(gate, SYSTEM, settings)
        with Engine.open(settings, clock) as engine:
            yield engine


def _events(now: int) -> pl.DataFrame:
    """Return what people bought, twenty days apart; each leaves out the item before the one they began with."""
    rows = [
        (user, (_TEA, _COFFEE)[n % 2][(n // 2 + turn) % 4], now - (60 - 20 * turn) * _DAY)
        for n, user in enumerate(_PEOPLE)
        for turn in range(3)
    ]
    rows.append(("ann", "assam", now - 10 * _DAY))
    table = pl.DataFrame(rows, schema=["user", "item", "at"], orient="row")
    return table.with_columns(kind=pl.lit("purchase"), value=pl.lit(1.0))


def _items() -> list[Item]:
    return [
        Item(name, name.capitalize(), categories=(category,), price=3.0 + 0.5 * place, currency="EUR")
        for category, names in (("tea", _TEA), ("coffee", _COFFEE))
        for place, name in enumerate(names)
    ]
