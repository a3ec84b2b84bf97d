"""The doctor finds what is wrong with a deployment, and says what to mend."""

from __future__ import annotations

import json
import os
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from penchant.cli import main
from penchant.core.clock import FixedClock, SystemClock
from penchant.core.nouns import Event
from penchant.core.settings import Settings, load_settings
from penchant.engine.doctor import examine
from penchant.engine.exposed import files
from penchant.engine.finding import Finding
from penchant.trust.access import SYSTEM
from penchant.trust.gate import Gate
from penchant.trust.keys import Terms

NOW = datetime.now(UTC)
"When these tests were read; what is compared with the clock to the minute is made from the clock."


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return deployment(tmp_path, "")


def deployment(folder: Path, text: str) -> Path:
    place = folder / "penchant.toml"
    place.write_text(text, encoding="utf-8")
    (folder / "artifacts").mkdir(exist_ok=True)
    Gate.create(load_settings(place), SystemClock()).close()
    return place


def found(place: Path, about: str) -> list[Finding]:
    return [finding for finding in examine(place) if finding.what.startswith(about)]


def worst(place: Path, about: str, text: str) -> Finding:
    (finding,) = [each for each in found(place, about) if text in each.what]
    return finding


def test_a_store_that_is_not_there_or_older(place: Path) -> None:
    assert worst(place, "store", "can be read and written, version 0006").level == "ok"
    (place.parent / "penchant.db").unlink()
    finding = worst(place, "store", "there is no store")
    assert (finding.level, "penchant init" in finding.then) == ("fail", True)


def test_a_store_that_cannot_be_written_to(place: Path) -> None:
    database = sqlite3.connect(place.parent / "penchant.db")
    database.execute("PRAGMA journal_mode=DELETE")
    database.execute("BEGIN EXCLUSIVE")
    database.execute("UPDATE alembic_version SET version_num = '0006'")
    database.close()
    (place.parent / "penchant.db").write_bytes(b"SQLite format 3\x00" + bytes(100))
    assert "fail" in {finding.level for finding in found(place, "store")}


def test_files_that_others_may_read_or_change(place: Path) -> None:
    assert [finding.level for finding in found(place, "files")] == ["ok"]
    (place.parent / "penchant.db").chmod(0o644)
    place.chmod(0o666)
    (place.parent / "artifacts").chmod(0o777)
    levels = {finding.then.split()[1]: finding.level for finding in found(place, "files")}
    assert levels == {"600": "warn", "o-w": "warn"}
    assert len(found(place, "files")) == 3


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("postgresql://shop@db/penchant", False),
        ("postgresql://shop@/penchant?host=/run/postgresql", False),
        ("postgresql://shop:hush@db/penchant", True),
        ("postgresql://db/penchant?user=shop&password=hush", True),
    ],
)
def test_settings_that_others_may_read_matter_when_they_hold_a_password(tmp_path: Path, url: str, told: bool) -> None:
    place = tmp_path / "penchant.toml"
    place.write_text("")
    place.chmod(0o644)
    found = files(place, Settings(store=url, artifacts=str(tmp_path)))
    assert [finding.level for finding in found] == (["warn"] if told else ["ok"])


def test_keys(place: Path) -> None:
    assert worst(place, "keys", "none, so nobody can call").level == "warn"
    with Gate.open(load_settings(place), SystemClock()) as gate:
        gate.keys.create(SYSTEM, "endless", ["admin"])
        gate.keys.create(SYSTEM, "short", ["admin"], Terms(lasts=timedelta(days=3, hours=1)))
        rotated = gate.keys.create(SYSTEM, "replaced", ["admin"], Terms(lasts=timedelta(days=3)))
        gate.keys.rotate(SYSTEM, rotated.split("_")[1], timedelta(days=1))
        gate.keys.create(SYSTEM, "long", ["admin"], Terms(lasts=timedelta(days=90)))
        gate.keys.create(SYSTEM, "page", [], Terms(public=True))
    assert worst(place, "keys", "in force").what == "keys: 6 in force"
    assert worst(place, "keys", "1 without an end").then.startswith("make new ones with")
    ending = [finding for finding in found(place, "keys") if "nothing replaces it" in finding.what]
    assert len(ending) == 2, "the short one, and the one that replaces another and is as short"
    assert "ends in 3 days" in ending[0].what
    assert worst(place, "keys", "no page may use it").then == "name the origins of your pages in access.origins"
    assert worst(place, "keys", "has no rate").level == "warn"


def test_who_reaches_it(tmp_path: Path) -> None:
    def server(text: str) -> list[tuple[str, str]]:
        place = deployment(tmp_path, text)
        return [(finding.level, finding.what) for finding in found(place, "server")]

    assert server("") == [("ok", "server: listens on 127.0.0.1, which only this machine reaches")]
    ((level, what),) = server('server = {host = "0.0.0.0"}')
    assert (level, "without encryption of its own" in what) == ("warn", True)
    ((level, what),) = server('server = {host = "0.0.0.0", trusted_proxies = ["10.0.0.2"]}')
    assert (level, "behind 1 trusted prox" in what) == ("ok", True)
    assert server('server = {trusted_proxies = ["0.0.0.0/0"]}')[1][0] == "fail"
    assert "every page on the web" in server('access = {origins = ["*"]}')[1][1]
    assert "is not encrypted" in server('access = {origins = ["http://shop.example", "http://localhost:3000"]}')[1][1]


def test_certificates(tmp_path: Path) -> None:
    authority = trustme.CA()
    place = deployment(tmp_path, 'tls = {certificate = "shop.pem", private_key = "shop.key"}')

    def issue(**more: object) -> Finding:
        issued = authority.issue_cert("shop.example", **more)  # type: ignore[arg-type]
        (tmp_path / "shop.pem").write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        (tmp_path / "shop.key").write_bytes(issued.private_key_pem.bytes())
        (tmp_path / "shop.key").chmod(0o600)
        (finding,) = found(place, "tls")
        return finding

    assert found(place, "tls")[0].level == "fail"
    now = datetime.now(UTC)
    year = issue(not_after=now + timedelta(days=200, hours=5))
    assert (year.level, year.what) == ("ok", "tls: version 1.2 and later; the certificate ends in 200 days")
    week = issue(not_after=now + timedelta(days=7, hours=5))
    assert (week.level, week.what) == ("warn", "tls: the certificate ends in 7 days")
    old = issue(not_before=now - timedelta(days=9), not_after=now - timedelta(days=1))
    assert (old.level, "certificate has expired" in old.what) == ("fail", True)
    (tmp_path / "shop.key").chmod(0o644)
    assert "can be read or changed by others" in found(place, "tls")[0].what


def test_a_clock_that_went_back(place: Path) -> None:
    assert worst(place, "clock", "nothing was written in the future").level == "ok"
    with Gate.open(load_settings(place), FixedClock(datetime.now(UTC) + timedelta(days=300))) as gate:
        gate.admit(SYSTEM, [Event("ann", "tea", "view", NOW)])
    finding = worst(place, "clock", "the last event was written 7,")
    assert "hours in the future of this machine" in finding.what
    assert (finding.level, "NTP" in finding.then) == ("fail", True)


def test_it_speaks_json_and_its_status_tells(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["--settings", str(place), "doctor", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert status == 1, "nothing is trained"
    assert told["ok"] is False
    assert {"level", "what", "then"} == set(told["findings"][0])
    assert any(finding["level"] == "fail" and "penchant train" in finding["then"] for finding in told["findings"])


def test_nothing_is_changed_by_looking_at_a_store_that_is_there(place: Path) -> None:
    before = {path.name: path.stat().st_mode for path in place.parent.iterdir() if path.suffix in (".db", ".toml")}
    examine(place)
    assert {name: os.stat(place.parent / name).st_mode for name in before} == before
