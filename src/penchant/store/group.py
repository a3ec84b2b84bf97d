"""Group commit: those who write at once share a transaction, and so one wait for the disk."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence

from penchant.core.errors import Busy, StoreError
from penchant.store.database import Row

__all__ = ["Group"]

_MOST = 20_000  # rows in one transaction, so that nobody waits long for others' rows

Write = Callable[[Sequence[Sequence[Row]]], list[int]]
"Writes batches in one transaction; returns how many rows of each were new."


class _Ticket:
    """One caller's rows, and what became of them."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = rows
        self.accepted = 0
        self.error: Exception | None = None
        self.done = False
        self.turn = threading.Event()


class Group:
    """A queue of writes without a thread of its own: whoever finds nobody writing writes for all who wait.

    Each caller returns when its own rows are on disk. When a shared transaction fails, every batch of it is tried by
    itself, so that one caller's fault is not another's.

    >>> group = Group(lambda batches: [len(batch) for batch in batches], waiting=2)
    >>> group.add([{"id": "e1"}])
    1
    """

    def __init__(self, write: Write, waiting: int) -> None:
        """Take what writes batches, and how many rows may wait."""
        self._write = write
        self._waiting = waiting
        self._lock = threading.Lock()
        self._queue: deque[_Ticket] = deque()
        self._rows = 0
        self._led = False

    def add(self, rows: Sequence[Row]) -> int:
        """Write rows, with those of others; return how many were new, once they are on disk.

        Raises:
            Busy: more rows wait than may; then these were not kept.
            StoreError: they could not be written; then none of these was kept.
        """
        ticket = _Ticket(rows)
        with self._lock:
            if self._queue and self._rows + len(rows) > self._waiting:
                raise Busy(
                    "the store has more to write than it can keep up with",
                    got=f"{self._rows:,} events waiting",
                    allowed=f"{self._waiting:,}",
                    then="send these again in a second; none of them was kept",
                )
            self._queue.append(ticket)
            self._rows += len(rows)
            lead = not self._led
            self._led = True
        if not lead:
            self._wait(ticket)
        if not ticket.done:
            self._lead()
        if ticket.error is not None:
            raise ticket.error
        return ticket.accepted

    @property
    def waits(self) -> int:
        """How many rows wait for their turn, those that are being written not among them."""
        return self._rows

    def _wait(self, ticket: _Ticket) -> None:
        """Wait until one's rows are written, or it is one's turn to write; who is interrupted leaves the queue."""
        try:
            ticket.turn.wait()
        except BaseException:
            with self._lock:
                if ticket in self._queue:
                    self._queue.remove(ticket)
                    self._rows -= len(ticket.rows)
                    if ticket.turn.is_set():
                        self._hand_on()
            raise

    def _lead(self) -> None:
        """Write what waits, one's own rows first of all, and hand the lead to the next who waits."""
        with self._lock:
            group = self._take()
        try:
            self._settle(group)
        finally:
            with self._lock:
                self._hand_on()
            for ticket in group:
                ticket.done = True
                ticket.turn.set()

    def _hand_on(self) -> None:
        self._led = bool(self._queue)
        if self._queue:
            self._queue[0].turn.set()

    def _take(self) -> list[_Ticket]:
        group: list[_Ticket] = []
        size = 0
        while self._queue and (not group or size + len(self._queue[0].rows) <= _MOST):
            ticket = self._queue.popleft()
            group.append(ticket)
            size += len(ticket.rows)
        self._rows -= size
        return group

    def _settle(self, group: list[_Ticket]) -> None:
        if len(group) == 1:
            self._alone(group[0])
            return
        try:
            accepted = self._write([ticket.rows for ticket in group])
        except Exception:  # noqa: BLE001 - whose fault it is shows when each is tried alone
            for ticket in group:
                self._alone(ticket)
        except BaseException:
            for ticket in group:
                ticket.error = StoreError("the write was interrupted", then="send these events again")
            raise
        else:
            for ticket, number in zip(group, accepted, strict=True):
                ticket.accepted = number

    def _alone(self, ticket: _Ticket) -> None:
        try:
            (ticket.accepted,) = self._write([ticket.rows])
        except Exception as error:  # noqa: BLE001 - raised where the caller of these rows waits
            ticket.error = error
