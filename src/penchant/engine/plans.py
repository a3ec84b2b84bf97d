"""How an evaluation is to be made: the protocol, what is asked of whom, and by which parts."""

from __future__ import annotations

from typing import Any, Self

from msgspec import Struct

from penchant.core.errors import InputError, UnknownName
from penchant.core.settings import EvaluationSettings
from penchant.data import split as by
from penchant.data.dataset import Dataset
from penchant.data.split import Split

__all__ = ["PROTOCOLS", "USED", "Plan", "cut"]

USED = {
    "temporal": ("test",),
    "rolling": ("test", "windows"),
    "leave-last-out": (),
    "random": ("share", "seed"),
    "k-fold": ("folds", "seed"),
    "strong": ("share", "seed"),
    "sessions": ("test", "gap"),
}
"The protocols, and what each of them is told."

PROTOCOLS = tuple(USED)


class Plan(Struct, frozen=True, kw_only=True):
    """What an evaluation is asked for, once settings and options are put together.

    >>> Plan.of(EvaluationSettings(test="7d"), protocol="rolling", windows=None).test
    '7d'
    """

    protocol: str = "temporal"
    "One of PROTOCOLS."
    test: str = "28d"
    "The last part, held out; of rolling windows, how long one is."
    windows: int = 4
    "How many windows."
    folds: int = 5
    "How many folds."
    share: float = 0.2
    "What is held out at random."
    gap: str = "30m"
    "What ends a session."
    seed: int = 0
    "Of what is cut at random, of fitting and of resampling."
    models: tuple[str, ...] = ()
    "Names of models; all of the settings when there is none."
    task: str | None = None
    "What is asked; every model its own task when None."
    baseline: str | None = None
    "The model the others are compared with, in each task that has it; that of the task when None."
    by: tuple[str, ...] = ()
    "Columns that slice."
    users: Any = None
    "A table of users."
    negatives: int | None = None
    "How many items to sample; None to rank all."
    allow: tuple[str, ...] = ()
    "Leaks that are let through."
    threshold: float = 0.0
    "Above it a rating is a like."
    resamples: int = 1000
    "Behind an interval."
    also: tuple[str, ...] = ()
    "Metrics beside those that are measured anyway."
    examples: int = 3
    "How many users each report shows with their slates."
    real_ids: bool = False
    "Whether these are called by their ids."
    notes: tuple[str, ...] = ()
    "What the report says of where the data came from."

    @classmethod
    def of(cls, settings: EvaluationSettings, **said: Any) -> Self:
        """Return the plan of the settings, but for what was said (and is not None).

        Raises:
            UnknownName: there is no such protocol.
        """
        names = ("protocol", "test", "windows", "folds", "share", "gap", "by", "threshold", "resamples")
        own = {name: getattr(settings, name) for name in names}
        made = cls(**own | {name: value for name, value in said.items() if value is not None})
        if made.protocol not in PROTOCOLS:
            raise UnknownName.of("protocol", made.protocol, PROTOCOLS, field="protocol")
        return made


def cut(data: Dataset, plan: Plan) -> tuple[Split, ...]:
    """Return the splits of a plan: several of rolling windows and of folds, else one.

    >>> import polars as pl
    >>> rows = pl.DataFrame({"user": ["ann"] * 9, "item": list("abcdefghi"), "at": range(9)})
    >>> data = Dataset.from_events(rows.with_columns(at=pl.col("at") * 86_400_000_000))
    >>> [split.test.n_events for split in cut(data, Plan(protocol="rolling", test="2d", windows=3))]
    [2, 2, 2]

    Raises:
        EmptyData, InputError: the data cannot be cut so.
        UnknownName: there is no such leak to allow.
    """
    if plan.protocol == "temporal":
        made: tuple[Split, ...] = (by.temporal(data, plan.test),)
    elif plan.protocol == "rolling":
        made = by.rolling(data, plan.test, plan.windows)
    elif plan.protocol == "leave-last-out":
        made = (by.leave_last_out(data),)
    elif plan.protocol == "random":
        made = (by.random(data, plan.share, plan.seed),)
    elif plan.protocol == "k-fold":
        made = by.k_fold(data, plan.folds, plan.seed)
    elif plan.protocol == "strong":
        made = (by.strong(data, plan.share, plan.share, plan.seed),)
    elif plan.protocol == "sessions":
        made = (by.sessions(data, plan.test, plan.gap),)
    else:
        raise InputError("this is no protocol", got=plan.protocol, allowed=", ".join(PROTOCOLS), field="protocol")
    return tuple(split.allowing(*plan.allow) for split in made)
