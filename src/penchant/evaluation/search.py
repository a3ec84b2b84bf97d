"""A search that can be stopped and taken up again: Optuna's studies, and what we ask of them.

Optuna is an extra and is imported when a study is opened. What a trial looks at depends on the seed and the trials that
finished before it, and on nothing else, so a study that was stopped goes on as if it never had been.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import Struct

from penchant.core.errors import InputError, MissingExtra, PenchantError
from penchant.models.tunable import Tunable

__all__ = ["Study", "Trial", "opened"]

STARTUP = 5
"Trials that are finished before one is stopped early."

Told = Callable[[float, int], bool]
"Takes a mean and the number of the window after which it was, and says whether the trial may go on."


class Trial(Struct, frozen=True):
    """One look at one set of hyper-parameters.

    >>> Trial("done", {"l2": 120.0}, (0.31, 0.29), 1.5).value
    0.3
    """

    state: str
    "done; stopped, because it fell behind; failed, because the learner refused."
    settings: dict[str, Any]
    "Field to value, of the fields that were searched."
    windows: tuple[float, ...]
    "The metric in every window that was looked at, the latest first."
    seconds: float
    "What it took."
    why: str | None = None
    "Why it failed."

    @property
    def value(self) -> float | None:
        """The mean over the windows; None when there is none."""
        return float(np.mean(self.windows)) if self.windows else None


class Study:
    """The trials of one search; see :func:`opened`.

    >>> with opened({"l2": Tunable(1.0, 100.0, log=True)}, seed=0) as study:
    ...     trial = study.run(lambda settings, told: Trial("done", settings, (settings["l2"],), 0.0))
    ...     (trial.state, trial == study.trials[0])
    ('done', True)
    """

    def __init__(self, optuna: Any, study: Any, space: Mapping[str, Tunable], seed: int) -> None:
        """Take Optuna, a study of its, what is searched, and the seed."""
        self._optuna, self._study, self._space, self._seed = optuna, study, space, seed

    @property
    def trials(self) -> tuple[Trial, ...]:
        """Every trial that came to an end, in the order they began."""
        found = (trial.user_attrs.get("trial") for trial in self._study.get_trials(deepcopy=False))
        return tuple(_trial(each) for each in found if each is not None)

    @property
    def first(self) -> Trial | None:
        """What the settings that the search began from came to, once it is known."""
        found = self._study.user_attrs.get("first")
        return None if found is None else _trial(found)

    def begin(self, trial: Trial) -> None:
        """Note what the settings that the search began from came to."""
        self._study.set_user_attr("first", _plain(trial))

    def run(self, attempt: Callable[[dict[str, Any], Told], Trial]) -> Trial:
        """Let the sampler choose settings, attempt them, and return what came of it.

        Raises:
            InputError: another process works on the same study.
        """
        seed = np.random.SeedSequence([self._seed, len(self.trials)]).generate_state(1)[0]
        self._study.sampler = self._optuna.samplers.TPESampler(seed=int(seed), constant_liar=False)
        asked = self._study.ask()

        def told(mean: float, window: int) -> bool:
            asked.report(mean, window)
            return not asked.should_prune()

        trial = attempt(_suggested(asked, self._space), told)
        states = self._optuna.trial.TrialState
        try:
            asked.set_user_attr("trial", _plain(trial))
            if trial.state == "done":
                self._study.tell(asked, trial.value)
            else:
                self._study.tell(asked, state=states.PRUNED if trial.state == "stopped" else states.FAIL)
        except (ValueError, self._optuna.exceptions.UpdateFinishedTrialError) as error:
            raise InputError(
                "another process works on the same study", got=self._study.study_name, then="let one end first"
            ) from error
        return trial

    def agree(self, facts: Mapping[str, Any]) -> None:
        """Note what the study is about, or see that it is about the same.

        Raises:
            InputError: it is about something else.
        """
        before = self._study.user_attrs.get("about")
        if before is None:
            self._study.set_user_attr("about", dict(facts))
        for name, value in facts.items() if before is not None else ():
            if before.get(name) != value:
                raise InputError(
                    f"the study was begun with another {name}",
                    got=f"{value!r} for {self._study.study_name}",
                    allowed=repr(before.get(name)),
                    then="choose another name or another file for the study",
                    field="storage",
                )

    def abandon(self) -> None:
        """Close trials that an interrupted process left open; they count for nothing."""
        states = self._optuna.trial.TrialState
        for trial in self._study.get_trials(deepcopy=False, states=(states.RUNNING,)):
            self._study.tell(trial.number, state=states.FAIL)


@contextmanager
def opened(
    space: Mapping[str, Tunable], *, seed: int, storage: str | Path | None = None, name: str = "tuning"
) -> Iterator[Study]:
    """Open a study, in memory or in an SQLite file, where it is made when it is not there.

    >>> with opened({"k": Tunable(1, 9)}, seed=0) as study:
    ...     study.trials
    ()

    Args:
        space: field to where it is searched; whole ends mean whole numbers.
        seed: of the sampler.
        storage: the file; None for memory.
        name: of the study in the file, which may hold several.

    Raises:
        MissingExtra: Optuna is not installed.
        InputError: the file is something else, or cannot be written.
    """
    if find_spec("optuna") is None:
        raise MissingExtra.of("tune", "optuna")
    optuna = import_module("optuna")
    with _quiet(optuna), _stored(optuna, storage) as where:
        made = optuna.create_study(
            storage=where,
            study_name=name,
            direction="maximize",
            load_if_exists=True,
            pruner=optuna.pruners.MedianPruner(n_startup_trials=STARTUP),
        )
        study = Study(optuna, made, space, seed)
        study.abandon()
        yield study


@contextmanager
def _quiet(optuna: Any) -> Iterator[None]:
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)


@contextmanager
def _stored(optuna: Any, storage: str | Path | None) -> Iterator[Any]:
    """Yield what Optuna keeps trials in."""
    if storage is None:
        yield None
        return
    path = Path(storage)
    _check_file(path)
    try:
        store = optuna.storages.RDBStorage(f"sqlite:///{path.absolute()}")
    except Exception as error:
        raise _refused(path, str(error)) from error
    try:
        yield store
    finally:
        store.remove_session()
        store.engine.dispose()


def _check_file(path: Path) -> None:
    """Raise InputError unless a study can be kept there; a database of something else is left as it is."""
    if str(path).startswith("sqlite:"):
        raise InputError("a study is kept in a file", got=str(path), then="give its path, not a URL", field="storage")
    if not path.absolute().parent.is_dir():
        then = "make the folder, or choose another path"
        raise InputError("there is no such folder", got=str(path.parent), then=then, field="storage")
    if path.is_dir():
        raise _refused(path, "a folder")
    if not path.exists() or not path.stat().st_size:
        return
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except sqlite3.Error as error:
        raise _refused(path, str(error)) from error
    if not {"studies", "trials", "version_info"} <= tables:
        raise _refused(path, "a database of something else")


def _refused(path: Path, why: str) -> PenchantError:
    first = why.strip().partition("\n")[0]
    return InputError(
        "the file cannot keep a study",
        got=f"{path}: {first}",
        allowed="a file that tuning made, or one that is not there yet",
        then="choose another path",
        field="storage",
    )


def _suggested(trial: Any, space: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the sampler suggests, fields that depend on others last, numbers in four digits."""
    chosen: dict[str, Any] = {}
    for name, where in sorted(space.items(), key=lambda item: bool(item[1].when)):
        if where.when and where.when[0] in chosen and chosen[where.when[0]] not in where.when[1:]:
            continue
        if where.choices:
            chosen[name] = trial.suggest_categorical(name, where.choices)
        elif isinstance(where.low, int):
            chosen[name] = trial.suggest_int(name, where.low, where.high, log=where.log)
        else:
            value = float(f"{trial.suggest_float(name, where.low, where.high, log=where.log):.4g}")
            chosen[name] = min(max(value, where.low), where.high)
    return {name: chosen[name] for name in space if name in chosen}


def _plain(trial: Trial) -> dict[str, Any]:
    return {name: getattr(trial, name) for name in trial.__struct_fields__}


def _trial(found: Mapping[str, Any]) -> Trial:
    return Trial(**{**found, "windows": tuple(found["windows"])})
