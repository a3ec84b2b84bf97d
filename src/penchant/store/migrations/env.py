"""What Alembic runs around the steps; the connection, and its transaction, come from :mod:`penchant.store.migrate`."""

from __future__ import annotations

from alembic import context

from penchant.store.tables import METADATA

__all__ = ["run"]


def run() -> None:
    """Run the steps asked for, inside the caller's transaction."""
    context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
    with context.begin_transaction():
        context.run_migrations()


if __name__ == "env_py":  # the name Alembic loads this file under; an ordinary import runs nothing
    run()
