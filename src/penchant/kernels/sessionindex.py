"""An index of sessions: how it lies in memory, and how sessions are linked into it."""

from __future__ import annotations

from typing import NamedTuple

from numba import njit

from penchant.core.arrays import Float32, Int32, Int64

__all__ = ["MOST", "Asker", "Fade", "Index", "Links", "link_sessions"]

MOST = 60
"Items of an asker that can be told apart: one bit each."


class Links(NamedTuple):
    """For every entry of the sessions the entry before it that holds the same item.

    >>> import numpy as np
    >>> links = Links(np.full(2, -1, np.int32), np.empty(3, np.int32), np.empty(3, np.int32), np.zeros(2, np.int32))
    >>> link_sessions(0, np.int64([0, 2, 3]), np.int32([0, 1, 1]), links)  # two sessions: items 0 and 1; item 1
    >>> links.head.tolist(), links.previous.tolist(), links.owner.tolist(), links.support.tolist()
    ([0, 2], [-1, -1, 1], [0, 0, 1], [1, 2])
    """

    head: Int32
    "int32[n_items], the newest entry that holds each item; -1 for none."
    previous: Int32
    "int32[nnz], the next older entry of the same item; -1 for none."
    owner: Int32
    "int32[nnz], the session of each entry."
    support: Int32
    "int32[n_items], how many sessions hold each item."


class Index(NamedTuple):
    """Sessions from the oldest to the newest, each from its latest item back.

    >>> import numpy as np
    >>> links = Links(np.int32([0]), np.int32([-1]), np.int32([0]), np.int32([1]))
    >>> Index(links, np.int64([0, 1]), np.int32([0]), np.int32([0]), np.int64([7])).at.tolist()
    [7]
    """

    links: Links
    "Where each item occurs."
    indptr: Int64
    "int64[n + 1]."
    items: Int32
    "int32[nnz], distinct items of each session, the latest first."
    steps: Int32
    "int32[nnz], how many events of the session came after the item's last."
    at: Int64
    "int64[n], microseconds of the last event."


class Fade(NamedTuple):
    """How much counts of what is far away, and how many sessions take part.

    >>> import numpy as np
    >>> far = np.inf
    >>> Fade(k=100, sample_size=500, last=9, asker=2.0, age=far, inside=5.0, shared=far, idf=1.0, current=True).last
    9
    """

    k: int
    "Sessions that are taken as neighbours."
    sample_size: int
    "Sessions they are chosen of: the most recent that share an item."
    last: int
    "Events of the asker's session that count."
    asker: float
    "Events after which an item of the asker counts 1/e."
    age: float
    "Microseconds after which a session counts 1/e."
    inside: float
    "Events between a neighbour's item and the shared one, at which the item counts 1/e."
    shared: float
    "Events of the asker since the shared item, at which a neighbour counts 1/e."
    idf: float
    "How much more a rare item counts."
    current: bool
    "Whether the item of the asker's latest event is scored."


class Asker(NamedTuple):
    """The session that is asked with.

    >>> import numpy as np
    >>> Asker(np.int32([3, 8]), np.float32([1, 0.25])).codes.tolist()  # item 8, then item 3
    [3, 8]
    """

    codes: Int32
    "int32[m], distinct items, ascending."
    signal: Float32
    "float32[m], 4 to the power of minus the number of events since; not above 0 says nothing."


@njit(nogil=True, cache=True)
def link_sessions(start: int, indptr: Int64, items: Int32, links: Links) -> None:
    """Link the sessions from ``start`` on, which are newer than those that are linked; the links are written.

    >>> import numpy as np
    >>> links = Links(np.full(2, -1, np.int32), np.empty(3, np.int32), np.empty(3, np.int32), np.zeros(2, np.int32))
    >>> link_sessions(0, np.int64([0, 2, 3]), np.int32([0, 1, 1]), links)
    >>> links.previous.tolist()  # the second session's item 1 stood before at entry 1
    [-1, -1, 1]

    Args:
        start: the first session to link.
        indptr: int64[n + 1], where sessions begin.
        items: int32[nnz], distinct items of each.
        links: long enough for them; written.
    """
    for session in range(start, len(indptr) - 1):
        for entry in range(indptr[session], indptr[session + 1]):
            item = items[entry]
            links.owner[entry] = session
            links.previous[entry] = links.head[item]
            links.head[item] = entry
            links.support[item] += 1
