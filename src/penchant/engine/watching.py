"""Takes note of every step of an answer: for counters, for traces, and for whoever asks how one answer came about."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from types import TracebackType
from typing import Any

from msgspec import Struct

from penchant.core.nouns import Query, Slate
from penchant.core.protocols import Stage
from penchant.engine.answers import Answer
from penchant.pipeline.watched import Name

__all__ = ["Debugged", "Step", "Watching"]

_STEPS: ContextVar[list[Step] | None] = ContextVar("steps", default=None)
_DEPTH: ContextVar[int] = ContextVar("depth", default=0)

Listener = Callable[["Step", str], None]
Told = Callable[[int], None]
Spans = Callable[[str, dict[str, str | int]], AbstractContextManager[Any]]


class Step(Struct, frozen=True):
    """One step of an answer.

    >>> Step("filter", "seen", 0.04, before=100, after=97).ms
    0.04
    """

    stage: str
    "Its kind: gate (the history is read), retrieve, blend, sift, filter, rank, rerank, explain."
    detail: str
    "Which one of its kind: the model, the filter."
    ms: float
    "Milliseconds, those of the steps within it among them."
    before: int
    "Candidates that came in."
    after: int
    "Candidates that were left; of the gate, events that were read."
    depth: int = 0
    "How many steps it lies within."


class Debugged(Struct, frozen=True):
    """An answer, and how it came about.

    >>> from penchant.testing import shop
    >>> from penchant.trust.access import SYSTEM
    >>> from penchant.engine.answers import Ask
    >>> with shop() as engine:
    ...     debugged = engine.debug(SYSTEM, Ask(placement="for-you", user="ann", n=1))
    >>> [(step.stage, step.detail) for step in debugged.steps][:2], debugged.history
    ([('gate', 'history'), ('retrieve', 'ease')], 4)
    """

    answer: Answer
    "What was answered."
    ms: float
    "Milliseconds in all."
    history: int
    "Events of the person, visit or page that were taken into account."
    steps: tuple[Step, ...]
    "In the order in which they ended; a step stands behind those within it."


class Watching:
    """The watch of an engine. Listeners are told of each step and its placement; nobody's name is part of it.

    >>> watching, seen = Watching(), []
    >>> watching.listen(lambda step, placement: seen.append((step.stage, step.after, placement)))
    >>> with watching.step("gate", "history", "for-you") as told:
    ...     told(17)
    >>> seen
    [('gate', 17, 'for-you')]
    """

    def __init__(self) -> None:
        self._listeners: tuple[Listener, ...] = ()
        self._spans: Spans | None = None

    def listen(self, listener: Listener) -> None:
        """Tell somebody of every step from now on."""
        self._listeners = (*self._listeners, listener)

    def trace(self, spans: Spans | None) -> None:
        """Put every step into a span from now on: a function of a name and attributes that gives a context."""
        self._spans = spans

    def __call__(self, name: Name, stage: Stage, query: Query, slate: Slate, /) -> Slate:
        """Run a stage of a pipeline and take note of it."""
        with self.step(name.stage, name.detail, query.placement, len(slate)) as told:
            found = stage(query, slate)
            told(len(found))
        return found

    def step(self, stage: str, detail: str, placement: str, before: int = 0) -> AbstractContextManager[Told]:
        """Take note of what is done inside; gives what takes the number of things that are left."""
        taken = _Taken(self._listeners, stage, detail, placement, before)
        return taken if self._spans is None else self._spanned(taken, self._spans)

    @contextmanager
    def _spanned(self, taken: _Taken, spans: Spans) -> Iterator[Told]:
        label = f"{taken.stage} {taken.detail}".rstrip()
        with taken, spans(label, {"penchant.placement": taken.placement, "penchant.before": taken.before}) as span:
            yield taken.told
            span.set_attribute("penchant.after", taken.after)

    @contextmanager
    def recorded(self) -> Iterator[list[Step]]:
        """Yield the list of the steps that are taken inside, in this thread."""
        steps: list[Step] = []
        token = _STEPS.set(steps)
        try:
            yield steps
        finally:
            _STEPS.reset(token)


class _Taken:
    """One step while it is taken; a class, for every answer takes a dozen of them."""

    __slots__ = ("after", "before", "detail", "listeners", "placement", "stage", "started", "token")

    def __init__(self, listeners: tuple[Listener, ...], stage: str, detail: str, placement: str, before: int) -> None:
        self.listeners, self.stage, self.detail = listeners, stage, detail
        self.placement, self.before, self.after = placement, before, 0

    def told(self, left: int) -> None:
        self.after = left

    def __enter__(self) -> Told:
        self.token = _DEPTH.set(_DEPTH.get() + 1)
        self.started = time.perf_counter()
        return self.told

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        ms = (time.perf_counter() - self.started) * 1000
        _DEPTH.reset(self.token)
        done = Step(self.stage, self.detail, ms, self.before, self.after, _DEPTH.get())
        steps = _STEPS.get()
        if steps is not None:
            steps.append(done)
        for listener in self.listeners:
            listener(done, self.placement)
