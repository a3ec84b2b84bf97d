"""The rows of user studies: what is compared, who takes part, what they answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa

from penchant.store.database import Database
from penchant.store.sql import insert
from penchant.store.tables import participants, ratings, studies

__all__ = ["Studies"]


class Studies:
    """The tables studies, participants and ratings of one store.

    >>> from tempfile import TemporaryDirectory
    >>> from penchant.store.store import Store
    >>> study = {"name": "tea", "a": "ease", "b": "popular", "n": 5, "places": 9, "seed": 0, "created": 1}
    >>> with TemporaryDirectory() as folder, Store.create(f"sqlite:///{folder}/shop.db") as store:
    ...     _ = store.studies.add(study)
    ...     _ = store.studies.join("tea", {"id": "5d41", "terms": "9f2c", "agreed": 2}, lambda number: "ab"[number % 2])
    ...     _ = store.studies.answer("5d41", "b", {("a", "trust"): 2, ("b", "trust"): 4})
    ...     before = store.studies.participant("5d41").first, len(store.studies.answers("tea")[1])
    ...     before, store.studies.erase("5d41"), store.studies.answers("tea")
    (('a', 2), True, ([], []))
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, row: Mapping[str, Any]) -> bool:
        """Add a study (name, a, b, n, places, seed, created); return False when there is one of that name."""
        with self._database.writing() as connection:
            statement = insert(connection, studies).on_conflict_do_nothing().returning(studies.c.name)
            return connection.execute(statement, {**row, "joined": 0, "closed": None}).first() is not None

    def get(self, name: str) -> sa.Row[Any] | None:
        """Return one study, or None."""
        with self._database.asking() as connection:
            return connection.execute(sa.select(studies).where(studies.c.name == name)).first()

    def all(self) -> list[sa.Row[Any]]:
        """Return every study, oldest first."""
        with self._database.asking() as connection:
            return list(connection.execute(sa.select(studies).order_by(studies.c.created, studies.c.name)).fetchall())

    def close(self, name: str, at: int) -> bool:
        """Let nobody else in, from the first moment this was said; return whether there is such a study."""
        moment = sa.func.coalesce(studies.c.closed, at)
        with self._database.writing() as connection:
            statement = sa.update(studies).where(studies.c.name == name).values(closed=moment)
            return bool(connection.execute(statement).rowcount)

    def join(self, name: str, row: Mapping[str, Any], first: Callable[[int], str]) -> int | None:
        """Add a participant (id, terms, agreed); return their number, or None when the study is closed or full.

        Args:
            name: the study.
            row: who, and what they agreed to.
            first: from the number, counted from 0 and never given twice, to the slate that they see first.
        """
        free = (studies.c.name == name) & studies.c.closed.is_(None) & (studies.c.joined < studies.c.places)
        counted = sa.update(studies).where(free).values(joined=studies.c.joined + 1).returning(studies.c.joined)
        with self._database.writing() as connection:
            joined = connection.execute(counted).scalar_one_or_none()
            if joined is None:
                return None
            number = int(joined) - 1
            added = {**row, "study": name, "number": number, "first": first(number)}
            connection.execute(sa.insert(participants), added)
        return number

    def participant(self, key: str) -> sa.Row[Any] | None:
        """Return one participant, or None."""
        with self._database.asking() as connection:
            return connection.execute(sa.select(participants).where(participants.c.id == key)).first()

    def show(self, key: str, bundle: str, slates: str) -> bool:
        """Remember what a participant is shown, once; return whether this was it."""
        new = (participants.c.id == key) & participants.c.slates.is_(None)
        with self._database.writing() as connection:
            statement = sa.update(participants).where(new).values(bundle=bundle, slates=slates)
            return bool(connection.execute(statement).rowcount)

    def answer(self, key: str, prefers: str, values: Mapping[tuple[str, str], int]) -> bool:
        """Add all answers of a participant, once: (slate, construct) to value; return whether this was it."""
        new = (participants.c.id == key) & participants.c.prefers.is_(None)
        rows = [
            {"participant": key, "slate": slate, "construct": construct, "value": value}
            for (slate, construct), value in values.items()
        ]
        with self._database.writing() as connection:
            if not connection.execute(sa.update(participants).where(new).values(prefers=prefers)).rowcount:
                return False
            connection.execute(sa.insert(ratings), rows)
        return True

    def erase(self, key: str) -> bool:
        """Remove a participant and all they answered; return whether there was one."""
        with self._database.writing() as connection:
            connection.execute(sa.delete(ratings).where(ratings.c.participant == key))
            return bool(connection.execute(sa.delete(participants).where(participants.c.id == key)).rowcount)

    def counts(self, name: str) -> tuple[int, int]:
        """Return how many take part in a study now, and how many of them answered."""
        asked = sa.select(sa.func.count(), sa.func.count(participants.c.prefers)).where(participants.c.study == name)
        with self._database.asking() as connection:
            total, answered = connection.execute(asked).one()
        return int(total), int(answered)

    def answers(self, name: str) -> tuple[list[Any], list[Any]]:
        """Return who answered, and their ratings.

        Returns:
            Rows of number, first, bundle, slates, prefers; and rows of number, slate, construct, value.
        """
        done = (participants.c.study == name) & participants.c.prefers.is_not(None)
        p = participants.c
        who = sa.select(p.number, p.first, p.bundle, p.slates, p.prefers).where(done).order_by(p.number)
        said = sa.select(p.number, ratings.c.slate, ratings.c.construct, ratings.c.value)
        said = (
            said.join_from(participants, ratings).where(done).order_by(p.number, ratings.c.construct, ratings.c.slate)
        )
        with self._database.reading() as connection:
            return [*connection.execute(who)], [*connection.execute(said)]
