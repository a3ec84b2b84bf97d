"""What items say about themselves, worked out when it is first asked for, and again when the catalogue has changed."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable

from penchant.core.errors import StoreError
from penchant.core.nouns import Item
from penchant.pipeline.catalogue import Catalogue
from penchant.pipeline.content import Content

__all__ = ["Contents", "Told"]

log = logging.getLogger(__name__)

Told = Callable[[], Iterable[Item]]
"Every item there is, with its text; the catalogue in memory is without."

_REST = 30.0
"Seconds between two workings-out at least."


class Contents:
    """The content of one catalogue. Changes are taken up in the background; until then the former content answers.

    >>> from penchant.core.nouns import Item
    >>> from penchant.data.vocabulary import Vocabulary
    >>> catalogue = Catalogue(Vocabulary.of(["a", "b"]), [Item("a", "Green tea"), Item("b", "Black tea")])
    >>> contents = Contents(catalogue)
    >>> contents.ready, len(contents.get().terms), contents.ready
    (False, 1, True)
    """

    def __init__(self, catalogue: Catalogue, told: Told | None = None) -> None:
        """Take the catalogue, and what tells the texts of items; without that, they are known by title and category."""
        self._catalogue = catalogue
        self._told = told
        self._content: Content | None = None
        self._version = -1
        self._made = 0.0
        self._lock = threading.Lock()

    @property
    def ready(self) -> bool:
        """Whether asking takes no time."""
        return self._content is not None

    def get(self) -> Content:
        """Return the content; the first time it is worked out while one waits."""
        if self._content is None:
            with self._lock:
                if self._content is None:
                    self._make()
        elif self._version != self._catalogue.version and time.monotonic() - self._made > _REST:
            self._made = time.monotonic()
            threading.Thread(target=self._again, name="penchant-content", daemon=True).start()
        assert self._content is not None  # noqa: S101
        return self._content

    def begin(self) -> None:
        """Begin to work it out in the background, so that a later question need not wait."""
        threading.Thread(target=self._again, name="penchant-content", daemon=True).start()

    def _again(self) -> None:
        with self._lock:
            if self._version != self._catalogue.version:
                self._make()

    def _make(self) -> None:
        began, version = time.perf_counter(), self._catalogue.version
        items, whole = self._items()
        self._content = Content.of(self._catalogue.vocabulary, items)
        self._version, self._made = version if whole else -1, time.monotonic()
        log.info(
            "content of %d items worked out in %.1f s", len(self._catalogue.vocabulary), time.perf_counter() - began
        )

    def _items(self) -> tuple[Iterable[Item], bool]:
        """Return all items, and whether with their texts: without the store, what is in memory must do for a while."""
        if self._told is not None:
            try:
                return self._told(), True
            except StoreError as error:
                log.warning("items are compared by their titles and categories until the store answers: %s", error)
        known = (self._catalogue.item(code) for code in range(len(self._catalogue.vocabulary)))
        return known, self._told is None
