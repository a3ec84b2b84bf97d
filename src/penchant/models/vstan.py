"""VSTAN: what people took who did the like just now."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from msgspec import Meta

from penchant.core.arrays import Float32, Float64, Int32, Int64
from penchant.core.errors import EmptyData
from penchant.core.executor import Executor
from penchant.core.progress import Progress
from penchant.data.dataset import Dataset
from penchant.data.vocabulary import Vocabulary
from penchant.kernels.layout import Best, Rows, Space
from penchant.kernels.sessionindex import MOST, Asker, Fade, Index, Links, link_sessions
from penchant.kernels.sessions import add_sessions, part_sessions, rank_sessions
from penchant.models.aging import DAY
from penchant.models.counting import Counting
from penchant.models.scorer import Scorer
from penchant.models.sessions import Sessions
from penchant.models.tunable import Tunable

__all__ = ["VSTAN", "SessionNeighbours"]


class SessionNeighbours(Scorer, frozen=True, eq=False, kw_only=True):
    """An index of sessions: what is asked is compared with the most recent of them that share an item.

    >>> import polars as pl
    >>> from penchant.core.nouns import History
    >>> rows = [("a", "tea", 1), ("a", "jam", 2), ("b", "tea", 3), ("b", "rye", 4)]
    >>> data = Dataset.from_events(pl.DataFrame(rows, schema=["user", "item", "at"], orient="row"))
    >>> scorer = VSTAN(l_inh=None, l_idf=0.0, current=True).fit(data)
    >>> scorer.score(History.of(data.items.codes(["tea"]))).astype(str).tolist()  # 1 / sqrt(2) a session
    ['0.70710677', '0.70710677', '1.4142135']
    >>> asked = History.of(data.items.codes(["jam", "tea"])), data.items.codes(["rye"])
    >>> scorer.contributions(*asked).astype(str).tolist()
    [['0.0', '0.6045902']]
    """

    learner: VSTAN
    "Says how far what counts."
    state: Sessions
    "The sessions. They are the index, so they are always kept."
    head: Int32
    "int32[n_items], as in :class:`penchant.kernels.sessionindex.Links`."
    previous: Int32
    "int32[nnz], as there."
    owner: Int32
    "int32[nnz], as there."
    support: Int32
    "int32[n_items], as there."

    @property
    def fades(self) -> bool:
        """Whether the order of a history matters: it does."""
        return True

    @property
    def index(self) -> Index:
        """The sessions as the kernels take them."""
        links, own = Links(self.head, self.previous, self.owner, self.support), self.state
        return Index(links, own.indptr, own.items, own.steps, own.at)

    def _age(self, at: Int64, latest: Any, behind: Any) -> Float64:
        return np.exp2(-2.0 * np.asarray(behind))

    def _signal(self, weights: Float32) -> Float32:
        """Return the weights: a liking so many events back is 1/4 to their number, give or take a third of it.

        All that an item did earlier cannot add up to half a step, so its last event can be read from the sum.
        """
        return weights

    def _score(self, codes: Int32, signal: Float32) -> Float32:
        out = np.zeros(self.n_items, np.float64)
        reached = add_sessions(Asker(codes, signal), self.index, self.learner.fade(), out)
        scores = np.full(self.n_items, np.nan, np.float32)
        scores[reached] = out[reached]
        return scores[self.candidates]

    def _addends(self, codes: Int32, signal: Float32, items: Int32) -> Float32:
        rows, asked = np.full(self.n_items, -1, np.int32), np.unique(items[items >= 0])
        rows[asked] = np.arange(len(asked))
        out = np.zeros((len(asked) + 1, len(codes)), np.float64)
        part_sessions(Asker(codes, signal), self.index, self.learner.fade(), rows, out)
        return out[np.where(items >= 0, rows[items], -1)].astype(np.float32)

    def _rank(self, rows: Rows, space: Space, exclude_seen: bool, best: Best) -> None:
        rank_sessions(rows, self.index, self.learner.fade(), exclude_seen, best)


class VSTAN(Counting, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Session neighbours: the sessions most like the asker's, recent ones first, say what comes next. No training.

    Of the ``sample_size`` most recent sessions that share an item, the k most similar score their items:

        w_i = exp(-events of s since i / l_spw)
        sim(s, n) = sum over shared i of w_i / (|w| sqrt(|n|)) * exp(-age of n / l_snh)
        score(j) = sum over n of sim(s, n) * exp(-|events in n from j to the latest shared item| / l_inh)
                   * (1 + l_idf ln(sessions / sessions with j)) * exp(-events of s since the latest shared item / l_ipw)

    Age is counted back from the newest session of the index, which scales all scores alike. All that one user of the
    data did is one session, unless ``idle`` cuts it: of anonymous sessions give the session's id as the user. Repeats
    are legal: ask with ``exclude_seen=False``. ``updated`` adds sessions and ``without`` takes them out, exactly;
    :class:`penchant.models.arrivals.Arrivals` adds them one by one as they end.

    >>> import polars as pl
    >>> rows = [("a", "tea", 1), ("a", "jam", 2), ("b", "tea", 3), ("b", "rye", 4)]
    >>> data = Dataset.from_events(pl.DataFrame(rows, schema=["user", "item", "at"], orient="row"))
    >>> VSTAN().fit(data).recommend_one(["jam"], n=3, exclude_seen=False).ids
    ('tea',)

    Memory is 16 bytes an item of a session, 16 a session and 8 an item; fitting takes time in proportion, asking
    sample_size * last steps and the items of k sessions, whatever the number of sessions.

    Source: Ludewig et al., "Empirical Analysis of Session-Based Recommendation Algorithms", UMUAI 2021, after
    Garg et al., "Sequence and Time Aware Neighborhood for Session-based Recommendations", SIGIR 2019;
    the index: Kersbergen et al., "Serenade: Low-Latency Session-Based Recommendation in e-Commerce at Scale",
    SIGMOD 2022, whose sample the merge of the items' sessions from the newest back finds without a heap.
    """

    name: ClassVar[str] = "vstan"
    scorer: ClassVar[type[SessionNeighbours]] = SessionNeighbours
    state: ClassVar[type[Sessions]] = Sessions
    holds_people: ClassVar[bool] = True

    forgetting: Literal["exact"] = "exact"
    "The sessions are the model, so they are always kept."
    k: Annotated[int, Meta(ge=1), Tunable(20, 1000, log=True)] = 100
    "Sessions that score."
    sample_size: Annotated[int, Meta(ge=1), Tunable(100, 5000, log=True)] = 500
    "Sessions they are chosen of: the most recent that share an item (m)."
    last: Annotated[int, Meta(ge=1, le=MOST), Tunable(3, 60, log=True)] = 9
    "Events of the asker's session that count, from the latest back."
    l_spw: Annotated[float, Meta(gt=0), Tunable(0.5, 50, log=True)] | None = 2.0
    "Events after which an item of the asker's session counts 1/e when sessions are compared; None: all count alike."
    l_snh: Annotated[float, Meta(gt=0)] | None = None
    "Days after which a session counts 1/e; None: age is nothing."
    l_inh: Annotated[float, Meta(gt=0), Tunable(0.5, 50, log=True)] | None = 2.0
    "Events between an item of a neighbour and the shared one at which it counts 1/e; None: distance is nothing."
    l_ipw: Annotated[float, Meta(gt=0)] | None = None
    "Events since the latest shared item after which a neighbour counts 1/e; None: all count alike."
    l_idf: Annotated[float, Meta(ge=0), Tunable(0, 10)] = 1.0
    "How much more rare items count; 0: all count alike."
    current: bool = False
    "Whether the item of the asker's latest event is scored; where reloads are no events it never comes next."
    idle: Annotated[float, Meta(gt=0)] | None = None
    "Minutes without an event after which a user's next event begins another session; None: one session a user."

    def fade(self) -> Fade:
        """Return the hyper-parameters as the kernels take them.

        >>> VSTAN(k=7, l_snh=1.0, l_ipw=None).fade()[:2], VSTAN(l_snh=1.0).fade().age
        ((7, 500), 86400000000.0)
        """
        age = None if self.l_snh is None else self.l_snh * DAY
        asker, age, inside, shared = (
            np.inf if far is None else far for far in (self.l_spw, age, self.l_inh, self.l_ipw)
        )
        return Fade(self.k, self.sample_size, self.last, asker, age, inside, shared, self.l_idf, self.current)

    def count(self, data: Dataset, limit: int | None, executor: Executor, progress: Progress) -> Sessions:
        """Return the sessions of a dataset."""
        return Sessions.of(data, self.idle)

    def trim(self, state: Sessions) -> Sessions:
        """Return the sessions, which must be some."""
        if not len(state):
            raise EmptyData("nobody is left to learn from", got="no session in which anybody liked anything")
        return state

    def derive(self, items: Vocabulary, state: Sessions, executor: Executor, progress: Progress) -> SessionNeighbours:
        """Return the index of these sessions."""
        n, entries = len(items), len(state.items)
        links = Links(
            np.full(n, -1, np.int32), np.empty(entries, np.int32), np.empty(entries, np.int32), np.zeros(n, np.int32)
        )
        link_sessions(0, state.indptr, state.items, links)
        return SessionNeighbours(
            items=items,
            learner=self,
            candidates=np.flatnonzero(links.support).astype(np.int32),
            state=state,
            head=links.head,
            previous=links.previous,
            owner=links.owner,
            support=links.support,
        )
