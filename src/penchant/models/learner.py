"""What every learner shares: checked hyper-parameters, one way to be fitted, a registry by name."""

from __future__ import annotations

import math
from abc import abstractmethod
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, ClassVar

import msgspec
import numpy as np
from msgspec import inspect

from penchant.core.chance import generator
from penchant.core.decoding import convert
from penchant.core.errors import EmptyData, InputError, UnknownName
from penchant.core.executor import LOCAL, Executor
from penchant.core.progress import SILENT, Progress
from penchant.core.wording import complaint
from penchant.data.dataset import Dataset
from penchant.data.expected import expect_dataset
from penchant.models.recipe import Recipe
from penchant.models.scorer import Scorer

__all__ = ["Learner", "learner_from", "learners"]

GROUP = "penchant.learners"
"The entry-point group that learners register in, ours and others'."


class Learner(Recipe, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A recipe: a frozen struct whose fields are its hyper-parameters; ``fit`` makes a scorer of data.

    >>> from penchant.models.popular import Popularity
    >>> from penchant.testing import checkerboard
    >>> class Alike(Learner, frozen=True, kw_only=True):
    ...     name: ClassVar[str] = "alike"
    ...     scorer: ClassVar[type[Scorer]] = Popularity
    ...     score: float = 0.5
    ...     def _fit(self, data, rng, executor, progress):
    ...         items, one = np.arange(data.n_items, dtype=np.int32), np.full(data.n_items, self.score, np.float32)
    ...         return Popularity(items=data.items, learner=self, candidates=items, popularity=one)
    >>> Alike(score=0.25).fit(checkerboard(4)).recommend_one(["0"], n=2).scores.tolist()
    [0.25, 0.25]
    """

    scorer: ClassVar[type[Scorer]]
    "What fitting returns, unless :meth:`kind` says otherwise."
    task: ClassVar[str] = "new"
    "What it is for: new items; repeat, what a person had before; rating, what they would say of an item."
    holds_people: ClassVar[bool] = False
    "Whether the scorer holds people's data, so that erasing a person means fitting again."

    def __repr__(self) -> str:
        changed = {
            field.name: getattr(self, field.name)
            for field in msgspec.structs.fields(self)
            if field.required or getattr(self, field.name) != field.default
        }
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in changed.items())})"

    def fit(
        self,
        data: Dataset,
        *,
        rng: int | np.random.Generator = 0,
        executor: Executor = LOCAL,
        progress: Progress = SILENT,
    ) -> Any:
        """Return the scorer learnt from ``data``.

        Args:
            data: the events to learn from.
            rng: a seed or a generator; the same seed gives the same scorer, whatever the number of threads.
            executor: where the work runs.
            progress: told how far it is.

        Raises:
            InputError: a hyper-parameter is out of its range, ``data`` is no dataset, or ``rng`` no seed.
            EmptyData: no event says that anybody liked anything.
        """
        self.check()
        expect_dataset(data, "fit")
        chance = generator(rng)
        if not (data.matrix.data > 0).any():
            raise EmptyData(
                f"{type(self).__name__} has nothing to learn from",
                got=repr(data),
                allowed="at least one event with a positive weight",
                then="check the weights of the event kinds",
            )
        scorer = self._fit(data, chance, executor, progress)
        facts = {"data": data.digest, "users": data.n_users, "items": data.n_items, "events": data.n_events}
        return msgspec.structs.replace(scorer, facts=scorer.facts | facts)

    def kind(self) -> type[Scorer]:
        """Return the type of the scorer that these hyper-parameters lead to; it reads a saved one."""
        return self.scorer

    def settled(self, facts: dict[str, Any]) -> Learner:
        """Return the learner that does the work, given the facts of a scorer: itself, unless fitting chose one."""
        return self

    def check(self) -> None:
        """Raise InputError when a hyper-parameter has a value it may not have."""
        kind, fields = type(self).__name__, msgspec.structs.asdict(self)
        for name, value in fields.items():
            if isinstance(value, float) and not math.isfinite(value):
                raise InputError(f"{kind} cannot have this {name}", got=value, allowed="a finite number", field=name)
        try:
            convert(fields, type(self))
        except msgspec.ValidationError as error:
            said = complaint(str(error))
            got = fields.get(said.path, self)
            raise InputError(
                f"{kind}: {said.path or 'a hyper-parameter'} {said.fault}",
                got=got if isinstance(got, str) else repr(got),
                allowed=said.allowed or _choices(type(self), said.path),
                field=said.path or None,
            ) from error

    @abstractmethod
    def _fit(self, data: Dataset, rng: np.random.Generator, executor: Executor, progress: Progress) -> Scorer:
        """Do the work of :meth:`fit` on checked input."""


def _choices(kind: type[Learner], name: str) -> str | None:
    """Return the values that a field of a fixed set may have, in words."""
    struct = inspect.type_info(kind)
    fields = struct.fields if isinstance(struct, inspect.StructType) else ()
    choice = next((field.type for field in fields if field.name == name), None)
    return ", ".join(map(str, choice.values)) if isinstance(choice, inspect.LiteralType) else None


@cache
def learners() -> dict[str, type[Learner]]:
    """Return every learner there is, ours and those of installed packages, by name.

    >>> learners()["item-knn"].name
    'item-knn'
    """
    return {name: learner_named(name) for name in known_learners()}


@cache
def learner_named(name: str) -> type[Learner]:
    """Return one learner, without importing the others.

    >>> learner_named("item-knn").name
    'item-knn'

    Raises:
        KeyError: there is none of this name.
    """
    learner: type[Learner] = _points()[name].load()
    return learner


def known_learners() -> tuple[str, ...]:
    """Return the names of all learners.

    >>> known_learners()[:2]
    ('bpr', 'buy-again')
    """
    return tuple(_points())


@cache
def _points() -> dict[str, EntryPoint]:
    return {point.name: point for point in sorted(entry_points(group=GROUP), key=lambda p: p.name)}


def learner_from(name: str, config: dict[str, Any]) -> Learner:
    """Return the learner that a settings table ``[models.<name>]`` describes.

    >>> learner_from("ease", {"learner": "ease", "l2": 250})
    EASE(l2=250.0)
    >>> learner_from("mine", {"learner": "ease", "lambda": 1})
    Traceback (most recent call last):
        ...
    penchant.core.errors.InputError: [models.mine] is not a ease; got {'lambda': 1}; \
allowed: forgetting, l2, max_items, k, half_life, delta_inf; next: Object contains unknown field `lambda`
    """
    fields = {key: value for key, value in config.items() if key != "learner"}
    kind = str(config.get("learner", name))
    if kind not in known_learners():
        raise UnknownName.of("learner", kind, known_learners(), field=f"models.{name}.learner")
    try:
        return convert(fields, learner_named(kind))
    except msgspec.ValidationError as error:
        known = ", ".join(f.name for f in msgspec.structs.fields(learner_named(kind)))
        raise InputError(f"[models.{name}] is not a {kind}", got=fields, allowed=known, then=str(error)) from error
