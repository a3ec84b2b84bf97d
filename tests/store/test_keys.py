"""Keys of older stores stay as they were; replacing one is all or nothing; servers share one secret."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

import penchant.store.migrate as migrating
from penchant.core.errors import StoreError
from penchant.store.store import Store


def old_store(path: Path) -> None:
    """Make a store as version 0002 made it, with two keys in it."""
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(migrating._SCRIPTS))
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
        into = "INSERT INTO api_keys (id, name, hash, scopes, created, revoked)"
        row = f"{into} VALUES (?, 'shop', 'h', '[\"admin\"]', 1, ?)"
        connection.exec_driver_sql(row, ("a1", None))
        connection.exec_driver_sql(row, ("b2", 7))
    engine.dispose()


def test_keys_of_an_older_store_stay_as_they_were(tmp_path: Path) -> None:
    old_store(tmp_path / "shop.db")
    with Store.open(f"sqlite:///{tmp_path}/shop.db") as store:
        first, second = store.keys.all()
        assert tuple(first) == ("a1", "shop", "h", '["admin"]', 1, None, None, None, None, False, None, None)
        assert second.revoked == 7
        assert store.keys.replace("a1", {**_row("c3"), "family": "a1"}, until=9)
        assert not store.keys.replace("b2", _row("d4"), until=9), "it is revoked"
        assert [(row.id, row.expires, row.successor) for row in store.keys.all()] == [
            ("a1", 9, "c3"),
            ("b2", None, None),
            ("c3", None, None),
        ]


def _row(name: str) -> dict[str, object]:
    return {"id": name, "name": "shop", "hash": "h", "scopes": "[]", "created": 2, "public": False}


def test_a_successor_that_cannot_be_added_changes_nothing(tmp_path: Path) -> None:
    with Store.create(f"sqlite:///{tmp_path}/shop.db") as store:
        store.keys.add(_row("a1"))
        with pytest.raises(StoreError):
            store.keys.replace("a1", {**_row("b2"), "hash": None}, until=9)
        (row,) = store.keys.all()
        assert (row.expires, row.successor) == (None, None)


def test_servers_that_begin_at_once_share_one_secret(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/shop.db"
    Store.create(url).close()
    got: list[str] = []

    def begin(offered: str) -> None:
        with Store.open(url) as store:
            got.append(store.keys.secret("sessions", offered))

    threads = [threading.Thread(target=begin, args=(f"{number:02d}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 8
    assert len(set(got)) == 1
