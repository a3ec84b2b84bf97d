"""What items say about themselves, worked out when it is first asked for, and again when the catalogue has changed."""

from __future__ import annotations

import logging
import threading
import time

from penchant.pipeline.catalogue import Catalogue
from penchant.pipeline.content import Content

__all__ = ["Contents"]

log = logging.getLogger(__name__)

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

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
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
        self._content = Content.of(self._catalogue.vocabulary, self._catalogue.known())
        self._version, self._made = version, time.monotonic()
        log.info(
            "content of %d items worked out in %.1f s", len(self._catalogue.vocabulary), time.perf_counter() - began
        )
