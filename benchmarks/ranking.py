"""Measures ranking: everybody's lists against implicit in the same run, and what one request takes.

Run it as ``python benchmarks/ranking.py [all | one | graph | top | compile]...``; without a word it measures all five.
Needs implicit for the first and usearch for the third. Contestants take turns for several rounds, of which the best
counts, and time is that of the processor, so that what else the machine does matters little.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

from penchant import IALS
from penchant.core.blas import single_blas
from penchant.core.executor import LOCAL, blocks
from penchant.core.nouns import History
from penchant.data.sparse import rows_of
from penchant.data.vocabulary import Vocabulary
from penchant.kernels.layout import Best, Linear, Rows, Space
from penchant.kernels.panels import Panels, panels_of
from penchant.kernels.search import rank_panels
from penchant.kernels.topk import rank_dense, rank_sparse, top_k
from penchant.models.alternating import principal_axes
from penchant.models.ease import EASE
from penchant.models.factors import Factors
from penchant.models.itemknn import ItemKNN
from penchant.models.linear import DenseLinear, SparseLinear
from penchant.models.nearest import Nearest

K = 10
ROUNDS = 5


def taste(users: int, items: int, events: int, rng: np.random.Generator) -> Any:
    """Return CSR float32: people of 100 tastes, each with its own order of items, all with a few favourites of many."""
    ranks = np.minimum((items ** rng.random(events)).astype(np.int64), items) - 1
    user = rng.integers(0, users, events)
    own = rng.random(events) < 0.7
    orders = np.stack([rng.permutation(items) for _ in range(100)])
    item = np.where(own, orders[user % 100, ranks], ranks)
    matrix = sp.coo_array((np.ones(events, np.float32), (user, item)), shape=(users, items)).tocsr()
    matrix.data[:] = 1
    return matrix


def turns(contestants: dict[str, Callable[[], Any]], rounds: int = ROUNDS) -> dict[str, list[float]]:
    """Return the seconds of all processors that each takes in each round; the first call of each is not counted."""
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for turn in range(rounds + 1):
        for name, run in contestants.items():
            start = time.process_time()
            run()
            if turn:
                seconds[name].append(time.process_time() - start)
    return seconds


def ours(vectors: Any, panels: Panels, seen: Any) -> Best:
    """Rank as a scorer does: blocks of 128 rows over all threads."""
    codes = np.arange(len(panels.vectors), dtype=np.int32)
    best = Best(np.empty((len(vectors), K), np.int32), np.empty((len(vectors), K), np.float32))

    def part(block: tuple[int, int]) -> None:
        rows, own = rows_of(seen, *block), slice(*block)
        rows = Rows(rows.indptr, rows.indices, vectors[own])
        rank_panels(rows, panels, Space(codes, codes), True, Best(best.items[own], best.scores[own]))

    list(LOCAL.map(part, blocks(len(vectors), 128)))
    return best


def everybody() -> Iterator[str]:
    """Yield the table of recommend-all."""
    als = __import__("implicit.als", fromlist=["als"])
    yield "recommend-all, k=10, seen left out, vectors given; users a second of one core\n"
    yield "| vectors | items | axes | implicit | penchant | ratio | product alone | equal lists |"
    yield "|---|---|---|---|---|---|---|---|"
    for items, users, events in ((8_000, 4_096, 300_000), (27_000, 4_096, 600_000)):
        rng = np.random.default_rng(0)
        seen = taste(users, items, events, rng)
        for d in (64, 128):
            with single_blas():
                model = als.AlternatingLeastSquares(factors=d, iterations=4, num_threads=LOCAL.workers, random_state=1)
                model.fit(sp.csr_matrix(seen), show_progress=False)
            learnt = (np.array(model.user_factors), np.array(model.item_factors))
            noise = tuple(rng.normal(size=side.shape).astype(np.float32) for side in learnt)
            for name, (people, things) in (("learnt", learnt), ("Gaussian", noise)):
                model.user_factors, model.item_factors = people, things
                yield compared(name, model, (people, things), seen)


def compared(name: str, model: Any, sides: tuple[Any, Any], seen: Any) -> str:
    """Return one row: the peer, ours, and the product that a full scan cannot do without."""
    people, things = sides
    panels, own, numbers = panels_of(things), sp.csr_matrix(seen), np.arange(len(people))
    product = np.empty((256, len(things)), np.float32)

    def peer() -> Any:
        with single_blas():  # as its authors advise
            return model.recommend(numbers, own, N=K, filter_already_liked_items=True)[0]

    def bare() -> None:
        def part(block: tuple[int, int]) -> None:
            np.dot(people[slice(*block)], things.T, out=np.empty_like(product))

        list(LOCAL.map(part, blocks(len(people), 256)))

    runs = {"peer": peer, "ours": lambda: ours(people, panels, seen), "product": bare}
    rate = {run: len(people) / min(seconds) for run, seconds in turns(runs, 3).items()}
    equal = (peer() == ours(people, panels, seen).items).all(axis=1).mean()
    return (
        f"| {name} | {len(things):,} | {people.shape[1]} | {rate['peer']:,.0f} | {rate['ours']:,.0f} | "
        f"{rate['ours'] / rate['peer']:.1f} | {rate['product']:,.0f} | {equal:.2%} |"
    )


def spread(n: int, d: int, rng: np.random.Generator, *, even: bool) -> Any:
    """Return float32[n, d]: random vectors, of one length or with lengths that fall like those of learnt items."""
    vectors = rng.normal(size=(n, d)).astype(np.float32)
    return vectors if even else vectors * (np.float32(3) / (1 + np.arange(n, dtype=np.float32)[:, None]) ** 0.3)


def factors(n: int, rng: np.random.Generator, *, even: bool) -> Factors:
    """Return a scorer of 64 axes that needs no fitting."""
    vectors = spread(n, 64, rng, even=even)
    energy = principal_axes(vectors, LOCAL)[0].astype(np.float64)
    names, codes = Vocabulary.of([str(i) for i in range(n)]), np.arange(n, dtype=np.int32)
    return Factors(items=names, learner=IALS(unobserved=1.0), candidates=codes, factors=vectors.T, energy=energy)


def sparse(n: int, rng: np.random.Generator) -> SparseLinear:
    """Return a scorer with 100 neighbours an item, of which the popular are more often neighbours."""
    names, codes = Vocabulary.of([str(i) for i in range(n)]), np.arange(n, dtype=np.int32)
    near = np.minimum((n ** rng.random(100 * n)).astype(np.int32), n - 1)
    return SparseLinear(
        items=names,
        learner=ItemKNN(),
        candidates=codes,
        w_indptr=np.arange(0, 100 * n + 1, 100),
        w_indices=near,
        w_data=rng.random(100 * n).astype(np.float32),
    )


def dense(n: int, rng: np.random.Generator) -> DenseLinear:
    """Return a scorer with a full matrix."""
    names, codes = Vocabulary.of([str(i) for i in range(n)]), np.arange(n, dtype=np.int32)
    weights = rng.random((n, n), np.float32)
    return DenseLinear(items=names, learner=EASE(), candidates=codes, weights=weights)


def request() -> Iterator[str]:
    """Yield the table of single requests."""
    yield "one request: a history of 50 items, k=10, seen left out; milliseconds of processor time\n"
    yield "| scorer | items | median | p99 | with reasons | reading all memory of it once | first request |"
    yield "|---|---|---|---|---|---|---|"
    cases: list[tuple[str, int, Callable[..., Any]]] = [
        (name, n, make)
        for n in (100_000, 1_000_000)
        for name, make in (
            ("sparse linear", sparse),
            ("64 axes, falling lengths", lambda n, rng: factors(n, rng, even=False)),
            ("64 axes, Gaussian", lambda n, rng: factors(n, rng, even=True)),
        )
    ]
    for name, n, make in [("dense linear", 16_000, dense), *cases]:
        rng = np.random.default_rng(0)
        yield asked(name, make(n, rng), rng)


def asked(name: str, scorer: Any, rng: np.random.Generator) -> str:
    """Return one row: requests with other histories each time, and a scan of what a plain scan has to read."""
    n = scorer.n_items
    histories = [np.unique((n ** rng.random(60)).astype(np.int32) - 1)[:50] for _ in range(100)]
    first = timed(lambda: scorer._best(History.of(histories[0]), K, True))
    ready, whole = [], []
    read = scorer.panels.codes if isinstance(scorer, Factors) else np.zeros(n, np.float32)
    for codes in histories:
        ids = [str(code) for code in codes]
        ready.append(timed(lambda codes=codes: scorer._best(History.of(codes), K, True)))
        whole.append(timed(lambda ids=ids: scorer.recommend_one(ids, K)))
    numbers = read.reshape(-1).view(np.int32)
    scans = [timed(numbers.max) for _ in range(10)]
    shown = (np.median(ready), np.quantile(ready, 0.99), np.median(whole), np.median(scans), first)
    return f"| {name} | {n:,} | " + " | ".join(f"{1000 * seconds:.2f}" for seconds in shown) + " |"


def timed(run: Callable[[], Any]) -> float:
    """Return the seconds of the processor that one call takes in this thread, which does all of it."""
    start = time.thread_time()
    run()
    return time.thread_time() - start


def graph() -> Iterator[str]:
    """Yield the table of approximate lists, whose question the exact scan answers too."""
    yield "a graph of neighbours against the exact scan: 100 histories, k=10; milliseconds a history\n"
    yield "| vectors | items | expansion | build, s | graph | exact scan | recall |"
    yield "|---|---|---|---|---|---|---|"
    n = 20_000
    for name, even in (("falling lengths", False), ("Gaussian", True)):
        rng = np.random.default_rng(0)
        scorer = factors(n, rng, even=even)
        histories = sp.random_array((100, n), density=50 / n, format="csr", dtype=np.float32, rng=rng)
        start = time.perf_counter()
        built = Nearest.of(scorer)
        seconds = time.perf_counter() - start
        _ = scorer.score_batch(histories, K), built.score_batch(histories, K)
        exact = timed(lambda scorer=scorer, asked=histories: scorer.score_batch(asked, K))
        for expansion in (64, 256, 1024):
            built.graph.expansion_search = expansion
            index = Nearest(scorer, built.graph, expansion)
            spent = timed(lambda index=index, asked=histories: index.score_batch(asked, K))
            figures = f"{seconds:.0f} | {10 * spent:.2f} | {10 * exact:.2f} | {index.recall(histories, K):.1%}"
            yield f"| {name} | {n:,} | {expansion} | {figures} |"


def selection() -> Iterator[str]:
    """Yield the table of top-k alone."""
    yield "the best k of n numbers; microseconds\n"
    yield "| n | k | top_k | np.partition | np.max, which reads them once |"
    yield "|---|---|---|---|---|"
    for n in (100_000, 1_000_000):
        scores, codes = np.random.default_rng(0).normal(size=n).astype(np.float32), np.arange(n, dtype=np.int32)
        for k in (10, 100):
            items, values = np.empty(k, np.int32), np.empty(k, np.float32)
            runs: dict[str, Callable[[], Any]] = {
                "ours": lambda s=scores, c=codes, i=items, v=values: top_k(s, c, i, v),
                "partition": lambda s=scores, n=n, k=k: np.partition(s, n - k),
                "max": scores.max,
            }
            best = [1e6 * min(seconds) for seconds in turns(runs, 20).values()]
            yield f"| {n:,} | {k} | " + " | ".join(f"{one:.0f}" for one in best) + " |"


def compiling() -> Iterator[str]:
    """Yield what the first call of each kernel costs in a process with an empty cache."""
    yield "compiling, seconds of processor time, once a machine\n"
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, "first-calls"]
        run = subprocess.run(
            command, env=os.environ | {"NUMBA_CACHE_DIR": folder}, check=True, stdout=subprocess.PIPE, text=True
        )
    yield run.stdout.rstrip()


def first_calls() -> Iterator[str]:
    """Yield the processor seconds of the first calls in this process."""
    codes, table = np.arange(100, dtype=np.int32), np.random.default_rng(0).random((100, 100), np.float32)
    space, best = Space(codes, codes), Best(np.empty((2, 3), np.int32), np.empty((2, 3), np.float32))
    none = Rows(np.zeros(3, np.int64), np.zeros(0, np.int32), np.zeros(0, np.float32))
    two = Rows(none.indptr, none.indices, table[:2])
    for name, run in (
        ("top_k", lambda: top_k(table[0], codes, best.items[0], best.scores[0])),
        ("rank_panels", lambda: rank_panels(two, panels_of(table), space, True, best)),
        ("rank_dense", lambda: rank_dense(none, table, space, True, best)),
        ("rank_sparse", lambda: rank_sparse(none, Linear(none, table[0]), space, True, best)),
    ):
        start = time.process_time()
        run()
        yield f"{name} {time.process_time() - start:.1f}"


PARTS = {
    "all": everybody,
    "one": request,
    "graph": graph,
    "top": selection,
    "compile": compiling,
    "first-calls": first_calls,
}

if __name__ == "__main__":
    print(f"{Path(__file__).name}: {LOCAL.workers} threads, load {os.getloadavg()[0]:.1f}", file=sys.stderr)
    for word in sys.argv[1:] or list(PARTS)[:5]:
        for line in PARTS[word]():
            print(line, flush=True)
        print()
