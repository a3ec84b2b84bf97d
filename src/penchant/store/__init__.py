"""The database: tables, migrations, and reads and writes of whole sets. Only :mod:`penchant.trust` may ask it."""

from penchant.store.store import Store

__all__ = ["Store"]
