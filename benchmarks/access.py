"""What checking, limiting and watching cost a request: ``python benchmarks/access.py``.

Microseconds of processor time, the least of several rounds; in the last rows several processes share one bucket.
"""

from __future__ import annotations

import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec

from penchant.core.exposure import AccessSettings
from penchant.engine.answers import Ask
from penchant.engine.engine import Engine
from penchant.engine.recommending import Model
from penchant.pipeline.run import explained
from penchant.server.meters import Meters
from penchant.testing import shop
from penchant.trust.access import SYSTEM
from penchant.trust.caller import Caller, client_of, networks_of
from penchant.trust.keys import Terms
from penchant.trust.rates import Buckets, Rate
from support.machine import machine
from support.tables import markdown

ROUNDS, TIMES = 7, 2_000
ORIGIN = "https://shop.example"


def main() -> None:
    """Measure and print the table."""
    rows: list[list[str]] = []
    with shop() as engine:
        settings = msgspec.structs.replace(engine.settings, access=AccessSettings(origins=(ORIGIN,)))
        with Engine.open(settings, engine.clock) as again:
            rows += checking(again)
            rows += watching(again)
    with tempfile.TemporaryDirectory() as folder:
        rows += sharing(Path(folder))
    print(f"Measured by `benchmarks/access.py` on {machine(('penchant', 'sqlalchemy', 'litestar'))}.\n")
    print(markdown(("what", "microseconds"), rows))


def spent(work: Callable[[], object], times: int = TIMES) -> float:
    """Return the microseconds that one call takes."""
    found = []
    for _ in range(ROUNDS):
        began = time.thread_time()
        for _ in range(times):
            work()
        found.append((time.thread_time() - began) / times * 1e6)
    return min(found)


def checking(engine: Engine) -> list[list[str]]:
    """Measure keys and sessions."""
    keys, place = engine.gate.keys, Caller("203.0.113.7", ORIGIN)
    made = {
        "a key": keys.create(SYSTEM, "plain", ["admin"]),
        "a key with a rate": keys.create(SYSTEM, "rated", ["admin"], Terms(rate="900000000/s")),
        "a key with 3 networks": keys.create(
            SYSTEM, "placed", ["admin"], Terms(networks=("10.0.0.0/8", "2001:db8::/32", "203.0.113.0/24"))
        ),
        "a public key with a rate": keys.create(SYSTEM, "page", [], Terms(rate="900000000/s", public=True)),
    }
    rows = [
        [f"checking {what}", f"{spent(partial(keys.authenticate, token, place)):.1f}"] for what, token in made.items()
    ]
    page = keys.authenticate(made["a public key with a rate"], place)
    session = engine.gate.sessions.open(page).session
    rows.append(["checking a session", f"{spent(lambda: engine.gate.sessions.check(page, session)):.1f}"])
    proxies = networks_of(("10.0.0.0/8",))
    forwarded = "198.51.100.1, 10.0.0.9"
    rows.append(["the client behind two proxies", f"{spent(lambda: client_of('10.0.0.2', forwarded, proxies)):.1f}"])
    return rows


def watching(engine: Engine) -> list[list[str]]:
    """Measure an answer that is watched, and the same one that is not."""
    ask = Ask(placement="for-you", user="ann", n=5)
    engine.recommend(SYSTEM, ask)
    watched = engine._model
    assert watched is not None
    bare = {
        name: explained(each, watched.bundle.scorers, watched.catalogue)
        for name, each in engine.settings.placements.items()
    }
    without: Model = msgspec.structs.replace(watched, pipelines=bare)
    rows = []
    for what, model in (("not watched", without), ("watched", watched)):
        engine._model = model
        rows.append([f"an answer, its stages {what}", f"{spent(lambda: engine.recommend(SYSTEM, ask), 300):.0f}"])
    engine.watching.listen(Meters().step)
    took = spent(lambda: engine.recommend(SYSTEM, ask), 300)
    rows.append(["an answer, its stages watched and counted", f"{took:.0f}"])
    return rows


def sharing(folder: Path) -> list[list[str]]:
    """Measure a bucket that processes share."""
    rows = []
    for processes in (1, 2, 4):
        with multiprocessing.get_context("spawn").Pool(processes) as pool:
            took = pool.starmap(taking, [(str(folder), 20_000)] * processes)
        what = "process takes" if processes == 1 else "processes take"
        rows.append([f"a bucket from which {processes} {what} at once", f"{statistics.mean(took):.1f}"])
    return rows


def taking(folder: str, times: int) -> float:
    """Return the microseconds that taking from one shared bucket takes."""
    buckets, rate = Buckets(Path(folder, "own", "keys")), Rate(900_000_000, 1.0)
    buckets.take("shop", rate)
    began = time.thread_time()
    for _ in range(times):
        buckets.take("shop", rate)
    return (time.thread_time() - began) / times * 1e6


if __name__ == "__main__":
    main()
