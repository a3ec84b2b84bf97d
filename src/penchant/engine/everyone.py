"""Recommendations for everybody who agreed, into one file: a mail to all, worked out in parts."""

from __future__ import annotations

import os
import uuid
from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import polars as pl
from msgspec import Struct

from penchant.core.disk import discard
from penchant.core.errors import InputError
from penchant.core.executor import LOCAL, blocks
from penchant.core.nouns import Filters
from penchant.core.progress import SILENT, Progress
from penchant.engine.answers import MAX_N, Answer, Ask
from penchant.engine.deadline import Deadline
from penchant.engine.histories import Histories
from penchant.engine.recommending import Model, answered
from penchant.engine.slatelog import sampled
from penchant.trust.access import Actor
from penchant.trust.gate import Gate
from penchant.trust.purpose import Purpose
from penchant.trust.slates import Served, Thing

__all__ = ["SCHEMA", "Everyone", "Mailing", "recommend_everyone"]

CHUNK = 2_000
"People whose answers are in memory at once."

SCHEMA: dict[str, Any] = {
    **dict.fromkeys(("user", "slate", "placement", "policy", "basis", "model", "digest"), pl.String()),
    "rank": pl.Int32(),
    **dict.fromkeys(("item", "title"), pl.String()),
    "score": pl.Float64(),
    "reasons": pl.List(
        pl.Struct({"code": pl.String(), "evidence": pl.String(), "weight": pl.Float64(), "text": pl.String()})
    ),
}
"Columns of the file: a row an item; those of one person stand together, best first."


class Mailing(Struct, frozen=True, kw_only=True):
    """What is worked out for everybody.

    >>> Mailing(placement="for-you").n
    10
    """

    placement: str
    "The name of a placement in the settings; it must not need an item on the page."
    n: int = 10
    "Items a person."
    filters: Filters = Filters()
    "What the slates may hold."
    experiment: str | None = None
    "What the answers belong to."


class Everyone(Struct, frozen=True):
    """What came of it.

    >>> Everyone(people=2, rows=20, empty=0).people
    2
    """

    people: int
    "People who got a slate."
    rows: int
    "Items in the file."
    empty: int
    "People for whom nothing was found; they are not in the file."


def recommend_everyone(
    model: Model, gate: Gate, actor: Actor, mailing: Mailing, path: Path, *, now: datetime, progress: Progress = SILENT
) -> Everyone:
    """Write the slates of everybody who agreed to personalizing into a Parquet file, whole or not at all.

    Each person's slate is the one that a single question would get, bit for bit, since the same stages work it out,
    in threads. Memory holds the answers of some thousand people at once. Once the file is there, its slates are
    logged as others are.

    >>> from tempfile import TemporaryDirectory
    >>> from penchant.testing import shop
    >>> from penchant.trust.access import SYSTEM
    >>> with shop() as engine, TemporaryDirectory() as folder:
    ...     path = Path(folder, "mail.parquet")
    ...     done = engine.recommend_everyone(SYSTEM, Mailing(placement="for-you", n=2), path)
    ...     first = pl.read_parquet(path).row(0, named=True)
    >>> done, (first["user"], first["title"], first["reasons"][0]["text"])
    (Everyone(people=11, rows=22, empty=0), ('ann', 'Sencha', 'Because you bought Jasmine'))

    Args:
        model: what answers.
        gate: the door to who agreed.
        actor: who asks; needs ``recommend:read`` and ``users:read``.
        mailing: what is wanted.
        path: the file; one that is there is replaced.
        now: the moment of asking.
        progress: told of the people done.

    Raises:
        Forbidden: the actor lacks a scope.
        InputError: n is out of range, the placement needs an item, or the file cannot be written.
        UnknownName: there is no such placement.
        NotReady: its models are not trained.
    """
    if not 1 <= mailing.n <= MAX_N:
        raise InputError("n is out of range", got=mailing.n, allowed=f"1 to {MAX_N}", field="n")
    total = gate.consenting(actor, Purpose.PERSONALIZE)
    scratch = path.with_name(f".{path.name}.{uuid.uuid4().hex}.parts")
    try:
        scratch.mkdir()
        done = _parts(model, gate, actor, mailing, _Work(scratch, now, total, progress))
        whole = scratch / "whole.parquet"
        if done.rows:
            pl.scan_parquet(scratch / "part-*.parquet").sink_parquet(whole)
        else:
            pl.DataFrame(schema=SCHEMA).write_parquet(whole)
        with whole.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(whole, path)
        _log(gate, actor, model, mailing, _Work(scratch, now, total, progress))
    except OSError as error:
        raise InputError(
            "the file cannot be written", got=f"{path}: {error.strerror or error}", then="check the path and free space"
        ) from error
    finally:
        if scratch.exists():
            discard(scratch)
    return done


class _Work(Struct, frozen=True, eq=False):
    scratch: Path
    now: datetime
    total: int
    progress: Progress


def _parts(model: Model, gate: Gate, actor: Actor, mailing: Mailing, work: _Work) -> Everyone:
    """Write a file for every chunk of people."""
    people = rows = empty = 0
    with work.progress.step(f"answering {mailing.placement}", work.total, "people") as advance:
        for number, users in enumerate(gate.people(actor, Purpose.PERSONALIZE, CHUNK)):
            answers = _answers(model, gate, actor, mailing, users=users, now=work.now)
            table = _table(users, answers)
            if table.height:
                table.write_parquet(work.scratch / f"part-{number:08}.parquet")
            found = sum(bool(answer.items) for answer in answers)
            people, rows, empty = people + found, rows + table.height, empty + len(answers) - found
            advance(len(users))
    return Everyone(people, rows, empty)


def _answers(
    model: Model, gate: Gate, actor: Actor, mailing: Mailing, *, users: Sequence[str], now: datetime
) -> list[Answer]:
    def some(block: tuple[int, int]) -> list[Answer]:
        histories = Histories(gate, actor, Deadline(0, float))
        return [answered(model, histories, actor, _ask(mailing, user), now) for user in users[slice(*block)]]

    return [answer for part in LOCAL.map(some, blocks(len(users), 64)) for answer in part]


def _ask(mailing: Mailing, user: str) -> Ask:
    return Ask(
        placement=mailing.placement,
        user=user,
        n=mailing.n,
        filters=mailing.filters,
        experiment=mailing.experiment,
    )


def _table(users: Sequence[str], answers: Sequence[Answer]) -> pl.DataFrame:
    rows = [
        (
            *(
                user,
                answer.slate,
                answer.placement,
                answer.policy,
                answer.basis,
                answer.model.name,
                answer.model.digest,
            ),
            *(each.rank, each.item, each.title, each.score),
            [{"code": r.code, "evidence": r.evidence, "weight": r.weight, "text": r.text} for r in each.reasons],
        )
        for user, answer in zip(users, answers, strict=True)
        for each in answer.items
    ]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def _log(gate: Gate, actor: Actor, model: Model, mailing: Mailing, work: _Work) -> None:
    """Log the slates of the file, part by part, so far as the settings have slates logged."""
    share = model.settings.slates.log
    named = ("placement", "policy", "basis", "model", "digest")
    for part in sorted(work.scratch.glob("part-*.parquet")):
        slates = []
        table = pl.read_parquet(part, columns=["slate", "user", *named, "item", "rank", "score"])
        for key, rows in groupby(table.iter_rows(), key=itemgetter(slice(0, 2 + len(named)))):
            facts = dict(zip(("slate", "user", *named), key, strict=True))
            things = tuple(Thing(*row[-3:]) for row in rows)
            if sampled(facts["slate"], share):
                slates.append(Served(at=work.now, things=things, experiment=mailing.experiment, **facts))
        gate.slates.log(actor, slates)
