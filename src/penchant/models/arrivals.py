"""Sessions that end while the shop is open: added to the index one by one."""

from __future__ import annotations

from typing import Any

import numpy as np
from msgspec.structs import replace

from penchant.core.executor import LOCAL
from penchant.core.nouns import History
from penchant.core.progress import SILENT
from penchant.kernels.sessionindex import Links, link_sessions
from penchant.models.sessions import Sessions
from penchant.models.vstan import SessionNeighbours

__all__ = ["Arrivals"]

_ENTRIES, _SESSIONS, _ITEMS = ("items", "steps", "previous", "owner"), ("indptr", "at"), ("head", "support")


class Arrivals:
    """An index of sessions that grows in memory. One thread adds; the scorers it gives are immutable, as all are.

    >>> from penchant.data.dataset import Dataset
    >>> from penchant.models.vstan import VSTAN
    >>> arrivals = Arrivals(VSTAN().fit(Dataset.from_matrix([[1, 1, 0]])))
    >>> before = arrivals.scorer
    >>> arrivals.add(History.of([0, 2]))
    >>> arrivals.scorer.score(History.of([0])).astype(str).tolist(), before.score(History.of([0])).astype(str).tolist()
    (['nan', '0.7261602', '0.7261602'], ['nan', '0.42888194', 'nan'])

    A session that ended after all others is appended in time in proportion to its items, the arrays doubling when they
    are full; one that comes late is put in its place in time in proportion to the index. Taking a scorer costs a copy
    of 8 bytes an item of the vocabulary; the sessions are shared. It is bit for bit what ``updated`` gives.
    """

    def __init__(self, scorer: SessionNeighbours) -> None:
        """Take the scorer to start from; it stays as it is."""
        self._scorer = scorer
        self._entries = self._sessions = 0
        self._parts: dict[str, Any] = {}
        self._start(scorer)

    def add(self, session: History) -> None:
        """Add a session that has ended; items the vocabulary does not know keep their place and say nothing."""
        one = _only(session)
        if not len(one):
            return
        if one.at[0] <= self._parts["at"][self._sessions - 1]:
            learner = self._scorer.learner
            both = self.scorer.state.plus(one, 1)
            self._start(learner.derive(self._scorer.items, both, LOCAL, SILENT))
            return
        start, stop = self._entries, self._entries + len(one.items)
        self._make_room(stop)
        parts = self._parts
        parts["items"][start:stop], parts["steps"][start:stop] = one.items, one.steps
        parts["at"][self._sessions], parts["indptr"][self._sessions + 1] = one.at[0], stop
        links = Links(parts["head"], parts["previous"], parts["owner"], parts["support"])
        link_sessions(self._sessions, parts["indptr"][: self._sessions + 2], parts["items"], links)
        self._entries, self._sessions = stop, self._sessions + 1

    @property
    def scorer(self) -> SessionNeighbours:
        """The scorer of all sessions so far; those that come later do not change it."""
        parts = {name: self._parts[name][: self._entries] for name in _ENTRIES}
        parts |= {name: self._parts[name].copy() for name in _ITEMS}
        indptr, at = self._parts["indptr"][: self._sessions + 1], self._parts["at"][: self._sessions]
        state = Sessions(indptr=indptr, items=parts.pop("items"), steps=parts.pop("steps"), at=at)
        candidates = np.flatnonzero(parts["support"]).astype(np.int32)
        return replace(self._scorer, state=state, candidates=candidates, **parts)

    def _start(self, scorer: SessionNeighbours) -> None:
        state = scorer.state
        self._scorer, self._entries, self._sessions = scorer, len(state.items), len(state)
        self._parts = {name: getattr(state, name) for name in ("indptr", "items", "steps", "at")}
        self._parts |= {name: np.array(getattr(scorer, name)) for name in ("previous", "owner", *_ITEMS)}

    def _make_room(self, entries: int) -> None:
        """Copy what is full into arrays of twice the length; what scorers hold of the old ones stays theirs."""
        for names, needed in ((_ENTRIES, entries), (_SESSIONS, self._sessions + 2)):
            for name in names:
                old = self._parts[name]
                if len(old) < needed:
                    self._parts[name] = np.concatenate([old, np.zeros(max(len(old), needed - len(old)), old.dtype)])


def _only(history: History) -> Sessions:
    """Return the one session of a history; none when nothing in it is known and liked."""
    items, weights = history.items[::-1], history.weights[::-1]
    named, steps, inverse = np.unique(items, return_index=True, return_inverse=True)
    liked = (named >= 0) & (np.bincount(inverse, weights=weights, minlength=len(named)) > 0)
    order = np.argsort(steps[liked])
    ends = [len(order)] if len(order) else []
    return Sessions(
        indptr=np.array([0, *ends], np.int64),
        items=named[liked][order].astype(np.int32),
        steps=steps[liked][order].astype(np.int32),
        at=history.at[-1:][: len(ends)].astype(np.int64),
    )
