"""What a store is, and the whole of it into another database."""

from __future__ import annotations

from msgspec import Struct

from penchant.core.progress import SILENT, Progress
from penchant.store.copying import Copied, copy_all, held
from penchant.store.store import Store
from penchant.trust.access import Actor, require

__all__ = ["About", "Copied", "about", "copy_store"]


class About(Struct, frozen=True):
    """What a store is, for its operator.

    >>> About("/srv/shop.db", "SQLite", "3.50.0", "on disk").rows
    {}
    """

    place: str
    "Where it is, without a password."
    database: str
    "SQLite or PostgreSQL."
    version: str
    "That of the database."
    commits: str
    "'on disk', or what keeps an acknowledged event from being there after a power cut."
    rows: dict[str, int] = {}
    "Table to the rows in it."


def about(actor: Actor, store: Store) -> About:
    """Return what a store is and how much it holds.

    >>> from tempfile import TemporaryDirectory
    >>> from penchant.trust.access import SYSTEM
    >>> with TemporaryDirectory() as folder, Store.create(f"sqlite:///{folder}/shop.db") as store:
    ...     found = about(SYSTEM, store)
    >>> found.database, found.commits, found.rows["items"]
    ('SQLite', 'on disk', 0)

    Raises:
        Forbidden: the actor is not an administrator.
    """
    require(actor, "admin")
    facts = store._database.facts()
    return About(store._database.place, facts["database"], facts["version"], facts["commits"], held(store))


def copy_store(actor: Actor, source: str, target: str, progress: Progress = SILENT) -> tuple[Copied, ...]:
    """Copy the store at one URL into the new or empty database at another; return what was copied, table by table.

    >>> from tempfile import TemporaryDirectory
    >>> from penchant.trust.access import SYSTEM
    >>> with TemporaryDirectory() as folder:
    ...     a, b = f"sqlite:///{folder}/a.db", f"sqlite:///{folder}/b.db"
    ...     Store.create(a).close()
    ...     [copied.rows for copied in copy_store(SYSTEM, a, b) if copied.table in ("events", "counters")]
    [1, 0]

    Raises:
        Forbidden: the actor is not an administrator.
        StoreMissing: there is no store at the first URL.
        StoreError: the target holds something already, or one of both failed; then the target is as it was.
    """
    require(actor, "admin")
    with Store.open(source) as here, Store.create(target) as there:
        return copy_all(here, there, progress)
