"""Session neighbours: accuracy on Serenade's sessions, and what asking and adding a session costs.

    python benchmarks/sessions.py [directory of the public data]

Settings are chosen on the validation sessions, one field after the other; the test sessions are asked once. Times are
those of one thread, at Serenade's size and on generated sessions.
"""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from msgspec.structs import replace

import penchant as pt
from penchant.core.nouns import History
from penchant.models.arrivals import Arrivals
from penchant.models.vstan import SessionNeighbours

GRID: dict[str, list[Any]] = {
    "k": [50, 100, 200, 500],
    "sample_size": [200, 500, 1000, 1500],
    "last": [2, 3, 4, 6, 9],
    "l_spw": [1.0, 2.0, 4.0, None],
    "l_snh": [7.0, 30.0, None],
    "l_inh": [1.0, 2.0, 3.0, 5.0, None],
    "l_ipw": [1.0, 2.0, 4.0, None],
    "l_idf": [0.0, 1.0, 2.0, 5.0],
}


def serenade(folder: Path, part: str) -> pl.DataFrame:
    """Return the clicks of one part, by session and time."""
    columns = {"SessionId": pl.String, "ItemId": pl.String, "Time": pl.Float64}
    frame = pl.read_csv(folder / "serenade" / f"{part}.txt", separator="\t", schema_overrides=columns)
    frame = frame.select(user="SessionId", item="ItemId", at=(pl.col("Time") * 1e6).cast(pl.Int64))
    return frame.sort("user", "at", maintain_order=True)


def beginnings(frame: pl.DataFrame) -> tuple[pt.Dataset, list[str]]:
    """Return every beginning of every session as a user of its own, and what came next."""
    rows, following = [], []
    for _, part in frame.group_by("user", maintain_order=True):
        items, at = part["item"].to_list(), part["at"].to_list()
        for end in range(1, len(items)):
            rows += [(f"{len(following):06}", items[p], at[p]) for p in range(end)]
            following.append(items[end])
    return pt.Dataset.from_events(pl.DataFrame(rows, schema=["user", "item", "at"], orient="row")), following


def accuracy(scorer: SessionNeighbours, asked: pt.Dataset, following: list[str]) -> tuple[float, float]:
    """Return MRR@20 and HR@20 of the next item at every position; nothing is filtered."""
    top = scorer.score_batch(scorer.rows(asked), 20, exclude_seen=False)
    found = (top.items == scorer.items.codes(following)[:, None]) & (top.items >= 0)
    hit = found.any(axis=1)
    return float(np.where(hit, 1 / (1 + found.argmax(axis=1)), 0.0).mean()), float(hit.mean())


def chosen(scorer: SessionNeighbours, asked: pt.Dataset, following: list[str]) -> pt.VSTAN:
    """Return the best settings on validation sessions, two rounds over the grid."""
    learner = pt.VSTAN()
    for _ in range(2):
        for field, values in GRID.items():
            tried = [replace(learner, **{field: value}) for value in values]
            learner = max(tried, key=lambda one: accuracy(replace(scorer, learner=one), asked, following)[0])
    return learner


def milliseconds(act: Callable[[Any], object], over: list[Any]) -> str:
    """Return the median, 90th and 99th percentile of what one call takes, in processor time of this thread."""
    taken = []
    for one in over:
        start = time.thread_time()
        act(one)
        taken.append(1e3 * (time.thread_time() - start))
    return " / ".join(f"{t:.3f}" for t in np.percentile(taken, [50, 90, 99]))


def generated(n: int, items: int = 100_000) -> pt.Dataset:
    """Return n sessions of five clicks on items of power-law popularity, by the minute."""
    rng = np.random.default_rng(0)
    item = (items * rng.random(5 * n) ** 3).astype(np.int32)
    user = np.repeat(np.arange(n), 5)
    at = (user * 60 + np.tile(np.arange(5), n)) * 1_000_000
    return pt.Dataset.from_events(pl.DataFrame({"user": user, "item": item, "at": at}))


def costs(name: str, data: pt.Dataset) -> None:
    """Print what fitting, asking and adding a session cost on this data."""
    start = time.perf_counter()
    learner = pt.VSTAN(k=500, sample_size=1500)
    scorer = learner.fit(data)
    fitted = time.perf_counter() - start
    rng = np.random.default_rng(1)
    histories = [data.history_of(int(u)) for u in rng.integers(0, data.n_users, 500)]
    newest = int(scorer.state.at[-1])
    late = [
        History(h.items, h.weights, newest + 1_000_000 * (n + 1) + np.arange(len(h))) for n, h in enumerate(histories)
    ]
    rows = [scorer.rows(data)[u : u + 1] for u in rng.integers(0, data.n_users, 500)]
    ids = [data.items.ids(h.items) for h in late[:20]]
    new = [
        pt.Dataset.from_events(pl.DataFrame({"user": ["new"] * len(i), "item": i, "at": h.at}))
        for i, h in zip(ids, late, strict=False)
    ]
    arrivals = Arrivals(scorer)
    arrivals.add(late[0])
    for act in (scorer.score, scorer.updated):
        act(histories[0] if act == scorer.score else new[0])
    print(f"{name}: {len(scorer.state):,} sessions, {len(scorer.owner):,} entries, {scorer.n_items:,} items")
    print(f"  fit                      {fitted:.2f} s")
    print(f"  score, all items         {milliseconds(scorer.score, histories)} ms (median / p90 / p99)")
    print(f"  best 21 of one           {milliseconds(lambda row: scorer.score_batch(row, 21, False), rows)} ms")
    print(f"  scorer.updated, one      {milliseconds(scorer.updated, new)} ms")
    print(f"  Arrivals.add, one        {milliseconds(arrivals.add, late[1:])} ms")
    print(f"  Arrivals.scorer          {milliseconds(lambda _: arrivals.scorer, late[:100])} ms")


def main() -> None:
    """Print both tables."""
    default = os.environ.get("PENCHANT_DATA") or Path(__file__).parents[2] / "shared" / "data"
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else default)
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    train = pt.Dataset.from_events(serenade(folder, "train"))
    valid, test = (beginnings(serenade(folder, part)) for part in ("valid", "test"))
    scorer = pt.VSTAN().fit(train)
    best = chosen(scorer, *valid)
    print("Serenade, next item, MRR@20 / HR@20    valid           test   (VMIS-kNN, published: .3401 on test)")
    for learner in (best, pt.VSTAN()):
        parts = [accuracy(replace(scorer, learner=learner), *part) for part in (valid, test)]
        print(f"  {learner!r}: " + "   ".join(f"{mrr:.4f} / {hr:.4f}" for mrr, hr in parts))
    costs("Serenade", train)
    costs("generated", generated(200_000))


if __name__ == "__main__":
    main()
