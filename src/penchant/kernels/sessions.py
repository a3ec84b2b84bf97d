"""Sessions like the one that is asked: found over an index that is linked from the newest session back."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from penchant.core.arrays import Float64, Int32, Int64
from penchant.kernels.layout import Best, Rows
from penchant.kernels.sessionindex import Asker, Fade, Index
from penchant.kernels.topk import top_k

__all__ = ["add_sessions", "part_sessions", "rank_sessions"]


@njit(nogil=True, cache=True)
def _asked(asker: Asker, last: int, items: Int32, behind: Int32) -> Any:
    """Write the items that are asked with, the latest first, and how far back they lie; return how many there are."""
    size = 0
    codes, signal = asker
    for p in range(len(codes)):
        if not signal[p] > 0:
            continue
        back = max(np.int32(round(-0.5 * np.log2(signal[p]))), np.int32(0))
        if back >= last or (size == last and back >= behind[size - 1]):
            continue
        at = size if size < last else size - 1
        size = min(size + 1, last)
        while at > 0 and behind[at - 1] > back:
            items[at], behind[at] = items[at - 1], behind[at - 1]
            at -= 1
        items[at], behind[at] = codes[p], back
    return size


@njit(nogil=True, cache=True)
def _recent(items: Int32, index: Index, found: Int32, shared: Int64) -> Any:
    """Write the most recent sessions that share an item, and a bit for each item they share; return how many."""
    entry = index.links.head[items]
    for n in range(len(found)):
        newest = -1
        for q in range(len(entry)):
            if entry[q] >= 0 and index.links.owner[entry[q]] > newest:
                newest = index.links.owner[entry[q]]
        if newest < 0:
            return n
        found[n], shared[n] = newest, 0
        for q in range(len(entry)):
            if entry[q] >= 0 and index.links.owner[entry[q]] == newest:
                shared[n] |= np.int64(1) << q
                entry[q] = index.links.previous[entry[q]]
    return len(found)


@njit(nogil=True, cache=True)
def _weigh(shared: int, says: Float64) -> Any:
    total = 0.0
    for q in range(len(says)):
        if shared >> q & 1:
            total += says[q]
    return total


@njit(nogil=True, cache=True)
def _neighbours(asker: Asker, index: Index, fade: Fade) -> Any:
    """Return items of the asker, what each says, and of each neighbour the session, shared items and factor.

    The similarity of a neighbour is its factor times what the shared items say. Last comes the item that the asker is
    at, unless that is scored or several may be it; -1 for none.
    """
    items, behind = np.empty(fade.last, np.int32), np.empty(fade.last, np.int32)
    size = _asked(asker, fade.last, items, behind)
    items, says = items[:size], np.exp(-behind[:size] / fade.asker)
    found, shared = np.empty(fade.sample_size, np.int32), np.empty(fade.sample_size, np.int64)
    count = _recent(items, index, found, shared)
    factor, likeness = np.empty(count, np.float64), np.empty(count, np.float32)
    norm = np.sqrt((says * says).sum())
    for n in range(count):
        session = found[n]
        age = index.at[-1] - index.at[session]
        length = index.indptr[session + 1] - index.indptr[session]
        factor[n] = np.exp(-age / fade.age) / (norm * np.sqrt(length))
        likeness[n] = factor[n] * _weigh(shared[n], says)
    near, unused = np.empty(min(fade.k, count), np.int32), np.empty(min(fade.k, count), np.float32)
    top_k(likeness, np.arange(count).astype(np.int32), near, unused)
    for n in near:
        latest = 0
        while not shared[n] >> latest & 1:
            latest += 1
        factor[n] *= np.exp(-behind[latest] / fade.shared)
    alone = size > 0 and behind[0] == 0 and (size == 1 or behind[1] > 0)
    here = items[0] if alone and not fade.current else -1
    return items, says, found[near], shared[near], factor[near], here


@njit(nogil=True, cache=True)
def _middle(session: int, items: Int32, index: Index) -> Any:
    """Return the step of the latest item of a session that the asker shares."""
    for entry in range(index.indptr[session], index.indptr[session + 1]):
        for item in items:
            if item == index.items[entry]:
                return index.steps[entry]
    return 0


@njit(nogil=True, cache=True)
def _worth(entry: int, middle: int, index: Index, fade: Fade) -> Any:
    """Return what an item of a neighbour counts beside the neighbour's similarity."""
    rarity = np.log((len(index.indptr) - 1) / index.links.support[index.items[entry]])
    return np.exp(-abs(index.steps[entry] - middle) / fade.inside) * (1.0 + fade.idf * rarity)


@njit(nogil=True, cache=True)
def add_sessions(asker: Asker, index: Index, fade: Fade, out: Float64) -> Any:
    """Add the scores of one session to ``out`` (float64[n_items], 0 before); return the items that got one, ascending.

    >>> from penchant.kernels.sessionindex import Links
    >>> links = Links(np.full(3, -1, np.int32), np.empty(4, np.int32), np.empty(4, np.int32), np.zeros(3, np.int32))
    >>> indptr, items, steps = np.int64([0, 2, 4]), np.int32([1, 0, 2, 0]), np.int32([0, 1, 0, 1])
    >>> from penchant.kernels.sessionindex import link_sessions
    >>> link_sessions(0, indptr, items, links)
    >>> index = Index(links, indptr, items, steps, np.int64([0, 10]))
    >>> fade, out = Fade(5, 5, 9, np.inf, 10.0, np.inf, np.inf, 0.0, True), np.zeros(3)
    >>> asker = Asker(np.int32([0]), np.float32([1]))
    >>> add_sessions(asker, index, fade, out).tolist(), (out * 2**0.5).round(2).tolist()
    ([0, 1, 2], [1.37, 0.37, 1.0])

    Args:
        asker: the session.
        index: the sessions.
        fade: how they count.
        out: written.
    """
    items, says, near, shared, factor, here = _neighbours(asker, index, fade)
    room = 0
    for session in near:
        room += index.indptr[session + 1] - index.indptr[session]
    reached = np.empty(room, np.int32)
    size = 0
    for n in range(len(near)):
        middle = _middle(near[n], items, index)
        likeness = factor[n] * _weigh(shared[n], says)
        for entry in range(index.indptr[near[n]], index.indptr[near[n] + 1]):
            item = index.items[entry]
            if item != here:
                reached[size] = item
                size += 1
                out[item] += likeness * _worth(entry, middle, index, fade)
    return np.unique(reached[:size])


@njit(nogil=True, cache=True)
def part_sessions(asker: Asker, index: Index, fade: Fade, rows: Int32, out: Float64) -> None:
    """Add to ``out`` what each item of one session adds to the score of some items.

    >>> from penchant.kernels.sessionindex import Links
    >>> links = Links(np.int32([1, 0]), np.int32([-1, -1]), np.int32([0, 0]), np.int32([1, 1]))
    >>> index = Index(links, np.int64([0, 2]), np.int32([1, 0]), np.int32([0, 1]), np.int64([0]))
    >>> fade, out = Fade(5, 5, 9, np.inf, np.inf, np.inf, np.inf, 0.0, True), np.zeros((1, 2))
    >>> part_sessions(Asker(np.int32([0, 1]), np.float32([0.25, 1])), index, fade, np.int32([-1, 0]), out)
    >>> out.round(2).tolist()  # each of two shared items 1 / (sqrt(2) sqrt(2))
    [[0.5, 0.5]]

    Args:
        asker: the session.
        index: the sessions.
        fade: how they count.
        rows: int32[n_items], the row of each item in ``out``; -1 for those not asked for.
        out: float64[r, m], 0 before; written.
    """
    items, says, near, shared, factor, _ = _neighbours(asker, index, fade)
    column = np.searchsorted(asker.codes, items)
    for n in range(len(near)):
        middle = _middle(near[n], items, index)
        for entry in range(index.indptr[near[n]], index.indptr[near[n] + 1]):
            row = rows[index.items[entry]]
            if row < 0:
                continue
            worth = factor[n] * _worth(entry, middle, index, fade)
            for q in range(len(items)):
                if shared[n] >> q & 1:
                    out[row, column[q]] += says[q] * worth


@njit(nogil=True, cache=True)
def rank_sessions(rows: Rows, index: Index, fade: Fade, exclude_seen: bool, best: Best) -> None:
    """Score sessions and keep the best; an item that no neighbour holds cannot be ranked.

    >>> from penchant.kernels.sessionindex import Links
    >>> links = Links(np.int32([1, 0]), np.int32([-1, -1]), np.int32([0, 0]), np.int32([1, 1]))
    >>> index = Index(links, np.int64([0, 2]), np.int32([1, 0]), np.int32([0, 1]), np.int64([0]))
    >>> fade = Fade(5, 5, 9, np.inf, np.inf, np.inf, np.inf, 0.0, True)
    >>> rows, best = Rows(np.int64([0, 1]), np.int32([0]), np.float32([1])), Best(np.int32([[0]]), np.float32([[0]]))
    >>> rank_sessions(rows, index, fade, True, best)
    >>> best.items.tolist()
    [[1]]

    Args:
        rows: b sessions over item codes, data is the signal as in :class:`Asker`.
        index: the sessions to find neighbours in.
        fade: how they count.
        exclude_seen: leave out the row's own items.
        best: written.
    """
    out = np.zeros(len(index.links.head), np.float64)
    for r in range(len(rows.indptr) - 1):
        own = rows.indices[rows.indptr[r] : rows.indptr[r + 1]]
        asker = Asker(own, rows.data[rows.indptr[r] : rows.indptr[r + 1]])
        reached = add_sessions(asker, index, fade, out)
        scores = out[reached].astype(np.float32)
        out[reached] = 0
        if exclude_seen:
            for item in own:
                at = np.searchsorted(reached, item)
                if at < len(reached) and reached[at] == item:
                    scores[at] = np.nan
        top_k(scores, reached, best.items[r], best.scores[r])
