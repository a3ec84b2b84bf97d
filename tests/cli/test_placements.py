"""``penchant placements`` and ``penchant recommend-all``: from slates that were shown to figures, and a mail to all."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

import penchant as pt
from penchant.core.nouns import Event
from penchant.core.settings import load_settings
from penchant.engine.answers import Ask
from penchant.engine.engine import Engine
from penchant.trust.access import SYSTEM

from .conftest import Run


def show_and_click(people: int = 12) -> None:
    """Show slates; the first item of each is clicked, of every third bought two at a price of 10."""
    with Engine.open(load_settings(Path("penchant.toml"))) as engine:
        now = engine.clock.now()
        for number in range(people):
            slate = engine.recommend(SYSTEM, Ask(placement="for-you", user=f"u{number}", n=4))
            item = slate.items[0].item
            later = now + timedelta(minutes=1)
            done = [Event(f"u{number}", item, "click", later, slate=slate.slate)]
            if number % 3 == 0:
                done.append(Event(f"u{number}", item, "purchase", later, 2.0, price=10.0))
            assert engine.ingest(SYSTEM, done).accepted == len(done)


def test_a_report_says_what_was_shown_clicked_and_bought(shop: Path, run: Run) -> None:
    assert "no slate was shown since then" in run("placements", "report").out
    show_and_click()
    (found,) = json.loads(run("placements", "report", "--json").out)
    assert (found["placement"], found["units"], found["slates"], found["impressions"]) == ("for-you", 12, 12, 48)
    assert (found["clicks"], found["purchases"], found["revenue"]) == (12, 4, 80.0)
    assert found["ctr"]["value"] == 0.25
    assert found["ctr"]["why"] == "12 people or slates were counted, and 50 are needed"
    assert found["conversion"]["value"] == pytest.approx(4 / 48)
    assert found["earned"]["value"] == pytest.approx(80 / 48 * 1000)
    assert 0 < found["coverage"] <= 1
    told = run("placements", "report")
    assert (told.status, told.err) == (0, "")
    assert "25.00%  " in told.out
    assert "80.00" in told.out
    (day,) = json.loads(run("placements", "days", "--json").out)
    assert (day["impressions"], day["clicks"], day["ctr"]) == (48, 12, 0.25)
    assert day["day"] in run("placements", "days").out
    assert json.loads(run("placements", "report", "--since", "2100-01-01", "--json").out) == []


def test_an_export_can_be_evaluated_and_names_nobody(shop: Path, run: Run) -> None:
    show_and_click()
    for name in ("log.parquet", "log.csv"):
        assert run("placements", "export", name).out == f"{name}: 48 items shown, in 12 slates\n"
    table = pl.read_parquet("log.parquet")
    assert not {"user", "session"} & set(table.columns)
    assert not [text for text in table.select(pl.col(pl.String)).to_numpy().ravel().tolist() if text in ("u1", "u11")]
    logged = pt.Logged.from_frame(table, action="item", reward="clicked", propensity="propensity", unit="unit")
    assert (logged.rounds, logged.reward.sum()) == (48, 12.0)
    assert run("placements", "export", "none.csv", "--placement", "similar").out.startswith("none.csv: 0 items shown")


def test_a_mail_to_everybody(shop: Path, run: Run) -> None:
    ran = run("recommend-all", "--to", "mail.parquet", "--n", "3", "--experiment", "mail")
    assert (ran.status, ran.out) == (0, "mail.parquet: 480 rows, slates for 160 people\n")
    table = pl.read_parquet("mail.parquet")
    assert table["user"].n_unique() == 160
    assert table["slate"].n_unique() == 160
    assert table["reasons"].list.len().min() > 0
    (found,) = json.loads(run("placements", "report", "--json").out)
    assert found["slates"] == 160
    run("consent", "withdraw", "--all", "--purpose", "personalize")
    nobody = run("recommend-all", "--to", "mail.parquet")
    assert "mail.parquet: 0 rows" in nobody.out
    assert "nobody has agreed to personalization; next: penchant consent grant" in nobody.err
    assert pl.read_parquet("mail.parquet").columns == table.columns


def test_slips_are_said_in_one_line(shop: Path, run: Run) -> None:
    assert "the file has another form; got mail.csv" in run("recommend-all", "--to", "mail.csv").err
    assert "unknown placement; got for-yuo" in run("recommend-all", "--to", "m.parquet", "--placement", "for-yuo").err
    assert "since is no span of time and no date; got lately" in run("placements", "report", "--since", "lately").err
    assert "the file has another form; got log.txt" in run("placements", "export", "log.txt").err
    assert "the file cannot be written" in run("placements", "export", "no/where.csv").err
