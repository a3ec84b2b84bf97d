"""Disks that are full, read-only or damaged: writes are refused in plain words, and nothing acknowledged is lost."""

from __future__ import annotations

import random
import resource
import shutil
import tempfile
from pathlib import Path

import pytest

from penchant.core.clock import SystemClock
from penchant.core.errors import PenchantError
from penchant.testing.postgres import PostgresServer
from penchant.trust.gate import Gate

from .conftest import Totals
from .disks import fill, fragile_disk, run, small_disk
from .ledger import Found, check, check_whole, sound
from .load import Load
from .served import Server, make_shop, serving, settings_of, until

EVENT = {"id": "refused", "user": "u1", "item": "i1", "kind": "view", "at": "2026-01-01T10:00:00Z"}


def refuses(server: Server, load: Load) -> None:
    """Check that writes are refused in plain words while questions are answered."""
    then = load.refused + 3
    until(lambda: load.refused >= then or bool(load.wrong), "the first refusals")
    answer = server.post("/v1/events", EVENT)
    assert (answer.status_code, answer.json()["code"]) == (503, "store_failed")
    assert server.ask().status_code == 200
    assert not load.wrong, load.wrong[:5]


def ended_plainly(server: Server) -> bool:
    """Return whether a server ended, and then saying why in one line, with no traceback."""
    if not server.ended:
        return False
    last = server.log.strip().splitlines()[-1]
    assert last.startswith("error: "), server.log[-2000:]
    return True


@pytest.mark.chaos
def test_a_full_disk_refuses_events_until_there_is_room(folder: Path, seed: str, totals: Totals) -> None:
    with small_disk(folder, 32):
        key, store = make_shop(folder), settings_of(folder).store
        with serving(folder, key) as server:
            load = Load(server, seed)
            with load.running():
                load.goes_on()
                filler = fill(folder)
                refuses(server, load)
                check(load, store)
                filler.unlink()
                load.goes_on()
                filler = fill(folder)
                refuses(server, load)
                server.kill()
                server.start(ready=False)
                if not ended_plainly(server):
                    assert server.ask().status_code in (200, 503)
                    server.kill()
                filler.unlink()
                server.start()
                load.goes_on()
            totals.add(load, check(load, store))
        assert sound(store) == "ok"


@pytest.mark.chaos
def test_a_limit_on_the_size_of_files_refuses_events_until_it_is_lifted(
    folder: Path, key: str, seed: str, totals: Totals
) -> None:
    store = settings_of(folder).store
    with serving(folder, key) as server:
        load = Load(server, seed)
        with load.running():
            load.goes_on()
            size = (folder / "shop.db-wal").stat().st_size
            _, hard = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)
            resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (size + 50_000, hard))
            refuses(server, load)
            check(load, store)
            resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (hard, hard))
            load.goes_on()
        totals.add(load, check(load, store))
    assert sound(store) == "ok"


@pytest.mark.chaos
def test_a_full_disk_under_postgresql_refuses_events_until_there_is_room(
    folder: Path, seed: str, totals: Totals, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)  # PostgreSQL runs as another user
        disk = Path(place, "disk")
        with small_disk(disk, 320):
            disk.chmod(0o777)
            monkeypatch.setattr(tempfile, "tempdir", str(disk))
            server_of = PostgresServer(min_wal_size="32MB", max_wal_size="64MB")
            monkeypatch.undo()
            with server_of as postgres:
                store = postgres.database()
                key = make_shop(folder, store)
                with serving(folder, key) as server:
                    load = Load(server, seed, writers=4)
                    with load.running():
                        load.goes_on()
                        filler = fill(disk)
                        refuses(server, load)
                        filler.unlink()
                        if not _runs(postgres):
                            postgres.stop()
                            postgres.start()
                        load.goes_on()
                        check(load, store)
                    totals.add(load, check(load, store))


def _runs(postgres: PostgresServer) -> bool:
    assert postgres._process is not None
    return postgres._process.poll() is None


@pytest.mark.chaos
def test_a_disk_that_turns_read_only_refuses_events_until_it_is_mended(
    folder: Path, tmp_path: Path, seed: str, totals: Totals
) -> None:
    with fragile_disk(folder, tmp_path / "image", 64) as disk:
        key, store = make_shop(folder), settings_of(folder).store
        with serving(folder, key) as server:
            load = Load(server, seed)
            with load.running():
                load.goes_on()
                disk.fail()
                refuses(server, load)
                server.kill()
                disk.mend()
                server.start()
                load.goes_on()
            totals.add(load, check(load, store))
        assert sound(store) == "ok"


@pytest.mark.chaos
def test_a_server_on_a_read_only_disk_says_so_and_starts_when_it_can_write(
    folder: Path, seed: str, totals: Totals
) -> None:
    with small_disk(folder, 32):
        key, store = make_shop(folder), settings_of(folder).store
        with serving(folder, key) as server:
            load = Load(server, seed)
            with load.running():
                load.goes_on()
                server.kill()
                run("mount", "-o", "remount,ro", folder)
                server.start(ready=False)
                if not ended_plainly(server):
                    answer = server.post("/v1/events", EVENT)
                    assert (answer.status_code, answer.json()["code"]) == (503, "store_failed")
                    server.kill()
                run("mount", "-o", "remount,rw", folder)
                server.start()
                load.goes_on()
            totals.add(load, check(load, store))
        assert sound(store) == "ok"


@pytest.mark.chaos
def test_a_log_cut_short_loses_whole_batches_of_its_end_and_nothing_else(
    folder: Path, key: str, seed: str, tmp_path: Path
) -> None:
    """What a broken disk took is gone, but never half of a batch; and sending all again brings it back."""
    chance = random.Random(seed)
    with serving(folder, key) as server:
        load = Load(server, seed)
        with load.running():
            load.goes_on(10)
            server.kill()
        whole, size = folder / "shop.db-wal", (folder / "shop.db-wal").stat().st_size
        assert size < 1000 * 4096, "nothing of it is in the main file yet"
        lost = 0
        for number, cut in enumerate([0, size - 1, *(chance.randrange(size) for _ in range(8))]):
            store = f"sqlite:///{tmp_path}/{number}/shop.db"
            shutil.copytree(folder, tmp_path / str(number))
            with (tmp_path / str(number) / whole.name).open("r+b") as log:
                log.truncate(cut)
            assert sound(store) == "ok"
            ids = {row.id for row in Found(store, seed).rows}
            check_whole(load, ids)
            lost += len(load.promised() - ids)
        assert lost > 0
        with whole.open("r+b") as log:
            log.truncate(size // 2)
        server.start()
        for name in load.acknowledged:
            receipt = server.post("/v1/events", list(load.sent[name])).json()
            assert receipt["rejected"] == []
            assert receipt["accepted"] in (0, len(load.sent[name]))
        check(load, settings_of(folder).store)
        assert server.stop() == 0


@pytest.mark.parametrize("place", ["the beginning", "the middle"])
def test_a_damaged_file_is_named_in_plain_words(folder: Path, key: str, place: str) -> None:
    file = folder / "shop.db"
    with file.open("r+b") as store:
        store.seek(0 if place == "the beginning" else 4096 * 2)
        store.write(b"\xff" * 4096)
    if place == "the beginning":
        with pytest.raises(PenchantError, match=r"the store failed; got .*shop.db: file is not a database"):
            Gate.open(settings_of(folder), SystemClock())
        return
    server = Server(folder, key)
    try:
        server.start(ready=False)
        if not ended_plainly(server):
            assert {server.ask().status_code, server.post("/v1/events", EVENT).status_code} <= {200, 202, 503}
    finally:
        if not server.ended:
            server.kill()
