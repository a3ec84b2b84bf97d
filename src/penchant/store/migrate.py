"""Brings a database to the newest schema, or says why it cannot be brought there.

Alembic is imported when there is something to bring: a server that starts on a store of its own schema need not wait.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from penchant.core.errors import StoreError, StoreVersion

__all__ = ["migrate", "newest", "upgrade", "version"]

_SCRIPTS = Path(__file__).parent / "migrations"


def newest() -> str:
    """Return the newest schema this code knows.

    >>> newest()
    '0006'
    """
    return max(path.stem[1:5] for path in (_SCRIPTS / "versions").glob("v[0-9]*.py"))


def version(connection: sa.Connection) -> str | None:
    """Return the schema a database says it has; None when it says nothing.

    >>> engine = sa.create_engine("sqlite://")
    >>> with engine.begin() as connection:
    ...     before = version(connection)
    ...     migrate(connection, fresh=True)
    ...     before, version(connection)
    (None, '0006')
    >>> engine.dispose()
    """
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def migrate(connection: sa.Connection, *, fresh: bool) -> None:
    """Bring the database forward inside the caller's transaction; does nothing when it is there already.

    >>> engine = sa.create_engine("sqlite://")
    >>> with engine.begin() as connection:
    ...     migrate(connection, fresh=True)
    ...     sa.inspect(connection).get_table_names()[:4]
    ['alembic_version', 'api_keys', 'artifacts', 'consent']
    >>> engine.dispose()

    Args:
        connection: in a transaction that can write.
        fresh: whether an empty database may become a store.

    Raises:
        StoreVersion: the schema is one this code does not know.
        StoreError: the database is not a store.
    """
    found = version(connection)
    if found == newest():
        return
    if found is None:
        tables = sa.inspect(connection).get_table_names()
        if tables or not fresh:
            raise StoreError(
                "the database is not a Penchant store",
                got=f"tables: {', '.join(tables) or 'none'}",
                allowed="a database made by 'penchant init'",
                then="check 'store' in penchant.toml",
            )
    from alembic.script import ScriptDirectory

    known = {script.revision for script in ScriptDirectory(str(_SCRIPTS)).walk_revisions()}
    if found is not None and found not in known:
        raise StoreVersion(
            "the store is from a newer version of Penchant",
            got=f"schema {found}",
            allowed=f"up to schema {newest()}",
            then="upgrade Penchant; the store was not touched",
        )
    upgrade(connection)


def upgrade(connection: sa.Connection, revision: str = "head") -> None:
    """Run the steps up to a schema, inside the caller's transaction.

    >>> engine = sa.create_engine("sqlite://")
    >>> with engine.begin() as connection:
    ...     upgrade(connection, "0001")
    ...     version(connection)
    '0001'
    >>> engine.dispose()
    """
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
