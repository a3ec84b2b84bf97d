"""User studies: nobody is in one without a yes, and a no takes all of them out again."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from penchant.core.clock import Clock, micros
from penchant.core.errors import Forbidden, InputError, NotFound
from penchant.evaluation.questionnaire import CONSTRUCTS, SCALE, SIDES, Answers
from penchant.store.sql import dump, parse
from penchant.store.store import Store
from penchant.trust.access import Actor, require
from penchant.trust.moments import moment
from penchant.trust.participants import Card, Participant, Study, stands_first

__all__ = ["Studies"]

PREFERS = ("a", "b", "neither")
"What can be preferred."

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


class Studies:
    """The studies of one store. Participants are known by a token that only they have; what is stored is its SHA-256.

    >>> from tempfile import TemporaryDirectory
    >>> from penchant.core.clock import SystemClock
    >>> from penchant.trust.access import SYSTEM
    >>> with TemporaryDirectory() as folder, Store.create(f"sqlite:///{folder}/shop.db") as store:
    ...     studies = Studies(store, SystemClock())
    ...     _ = studies.create(SYSTEM, "tea", "ease", "popular", n=1)
    ...     token = studies.join("tea", terms="I agree that...", agreed=True)
    ...     studies.show(token, "9f2c", {"a": (Card("tea", "Tea"),), "b": (Card("jam", "Jam"),)})
    ...     studies.answer(token, "a", {side: dict.fromkeys(CONSTRUCTS, 4) for side in "ab"})
    ...     before = len(studies.answers(SYSTEM, "tea"))
    ...     studies.withdraw(token)
    ...     before, len(studies.answers(SYSTEM, "tea"))
    (1, 0)
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def create(
        self, actor: Actor, name: str, a: str, b: str, *, n: int = 5, places: int = 1000, seed: int = 0
    ) -> Study:
        """Make a study, which is open from now on.

        Raises:
            Forbidden: the actor is not an administrator.
            InputError: the name is taken or cannot stand in an address, or a number is out of range.
        """
        require(actor, "admin")
        if not _NAME.fullmatch(name):
            allowed = "1 to 64 of a-z, 0-9 and -, not - first"
            raise InputError("the name of a study stands in its address", got=name, allowed=allowed, field="name")
        if a == b:
            raise InputError("a study compares two models", got=f"{a} twice", then="name another", field="b")
        for key, value, low, high in (("n", n, 1, 20), ("places", places, 1, 1_000_000), ("seed", seed, 0, 2**31)):
            if not low <= value <= high:
                raise InputError(f"{key} is out of range", got=value, allowed=f"{low:,} to {high:,}", field=key)
        row = {"name": name, "a": a, "b": b, "n": n, "places": places, "seed": seed}
        if not self._store.studies.add({**row, "created": micros(self._clock.now())}):
            raise InputError("there is a study of this name", got=name, then="choose another", field="name")
        return self.get(name)

    def get(self, name: str) -> Study:
        """Return one study; it holds nothing personal, so this needs no scope.

        Raises:
            NotFound: there is none of that name.
        """
        row = self._store.studies.get(name)
        if row is None:
            raise NotFound("there is no such study", got=name, then="check the name")
        return _study(row)

    def list(self, actor: Actor) -> tuple[tuple[Study, int, int], ...]:
        """Return every study, oldest first, with how many take part and how many of them answered.

        Raises:
            Forbidden: the actor is not an administrator.
        """
        require(actor, "admin")
        found = (_study(row) for row in self._store.studies.all())
        return tuple((study, *self._store.studies.counts(study.name)) for study in found)

    def close(self, actor: Actor, name: str) -> None:
        """Let nobody else in; who is in can still answer or withdraw.

        Raises:
            Forbidden: the actor is not an administrator.
            NotFound: there is no such study.
        """
        require(actor, "admin")
        if not self._store.studies.close(name, micros(self._clock.now())):
            self.get(name)

    def answers(self, actor: Actor, name: str) -> tuple[Answers, ...]:
        """Return what the participants answered who take part now, in the order they joined.

        Raises:
            Forbidden: the actor is not an administrator.
            NotFound: there is no such study.
        """
        require(actor, "admin")
        self.get(name)
        people, ratings = self._store.studies.answers(name)
        said: dict[int, dict[str, dict[str, int]]] = {row.number: {side: {} for side in SIDES} for row in people}
        for row in ratings:
            said[row.number][row.slate][row.construct] = row.value
        return tuple(
            Answers(
                number=row.number,
                first=row.first,
                prefers=row.prefers,
                ratings={side: {name: said[row.number][side][name] for name in CONSTRUCTS} for side in SIDES},
                slates={side: [card.item for card in cards] for side, cards in _shown(row.slates).items()},
                bundle=row.bundle,
            )
            for row in people
        )

    def join(self, name: str, *, terms: str, agreed: bool) -> str:
        """Return the token of a new participant, who agreed to the terms; it cannot be had again.

        Raises:
            NotFound: there is no such study.
            InputError: they did not agree; nothing is stored then.
            Forbidden: the study takes nobody else.
        """
        study = self.get(name)
        if not agreed:
            raise InputError(
                "nobody takes part without agreeing", then="tick the box, or leave the page", field="agreed"
            )
        token = secrets.token_hex(24)
        row = {"id": _digest(token), "terms": _digest(terms), "agreed": micros(self._clock.now())}
        if self._store.studies.join(name, row, lambda number: stands_first(study.seed, number)) is None:
            raise Forbidden("the study takes nobody else", got=name, then="thank you for wanting to help")
        return token

    def participant(self, token: str) -> Participant:
        """Return how far the participant with a token is.

        Raises:
            NotFound: there is none, or they withdrew.
        """
        row = self._row(token)
        slates = None if row.slates is None else _shown(row.slates)
        return Participant(row.study, row.number, row.first, slates, row.prefers is not None)

    def show(self, token: str, bundle: str, slates: Mapping[str, tuple[Card, ...]]) -> None:
        """Remember what a participant is shown; what they were shown already stays.

        Raises:
            NotFound: there is no such participant.
        """
        self._row(token)
        self._store.studies.show(_digest(token), bundle, dump(dict(slates)))

    def answer(self, token: str, prefers: str, ratings: Mapping[str, Mapping[str, int]]) -> None:
        """Store all answers of a participant; what they answered already stays.

        Raises:
            NotFound: there is no such participant: without a yes nothing is stored.
            InputError: an answer is missing, or not one that can be given, or nothing was shown yet.
        """
        row = self._row(token)
        if row.slates is None:
            raise InputError("there are no lists to judge yet", then="pick what you like first", field="prefers")
        if prefers not in PREFERS:
            raise InputError("prefers is unknown", got=prefers, allowed=", ".join(PREFERS), field="prefers")
        values: dict[tuple[str, str], int] = {}
        for side in SIDES:
            for construct in CONSTRUCTS:
                value = ratings.get(side, {}).get(construct)
                if value not in SCALE:
                    name = f"{side}-{construct}"
                    raise InputError("an answer is missing", got=value, allowed="1 to 5", then="answer all", field=name)
                values[side, construct] = value
        self._store.studies.answer(_digest(token), prefers, values)

    def withdraw(self, token: str) -> None:
        """Remove a participant and everything they answered.

        Raises:
            NotFound: there is no such participant; they may have withdrawn before.
        """
        if not self._store.studies.erase(_digest(token)):
            raise _nobody()

    def _row(self, token: str) -> sa.Row[Any]:
        row = self._store.studies.participant(_digest(token))
        if row is None:
            raise _nobody()
        return row


def _shown(text: str) -> dict[str, tuple[Card, ...]]:
    return parse(text, dict[str, tuple[Card, ...]])


def _study(row: sa.Row[Any]) -> Study:
    return Study(
        name=row.name,
        a=row.a,
        b=row.b,
        n=row.n,
        places=row.places,
        seed=row.seed,
        created=moment(row.created),
        joined=row.joined,
        closed=None if row.closed is None else moment(row.closed),
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def _nobody() -> NotFound:
    return NotFound("nobody takes part under this address", then="they withdrew, or the address is not whole")
