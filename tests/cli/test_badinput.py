"""Bad input at the command line: each gets a report that says so, or one line of what is wrong."""

from __future__ import annotations

import logging
from pathlib import Path

import msgspec
import pytest

from penchant.evaluation.report import Report

QUICK = ("--models", "popular,item-knn", "--json", "-")


def _read(text: str) -> dict[str, Report]:
    return msgspec.json.decode(text, type=dict[str, Report])


def _write(rows: list[tuple[str, str, int]]) -> None:
    lines = [f"{user},{item},2026-05-{day:02}" for user, item, day in rows]
    Path("events.csv").write_text("\n".join(["user,item,at", *lines]) + "\n", encoding="utf-8")


@pytest.fixture
def market(empty):
    """Write events of 40 people: ten things each on ten days, two tastes; none is more popular than another."""
    _write([(f"u{u}", f"i{2 * ((u // 2 + n) % 10) + u % 2}", 1 + n) for u in range(40) for n in range(10)])


def test_one_user_gets_a_value_and_no_interval(empty, run):
    _write([("ann", f"i{n}", 1 + n) for n in range(10)])
    ran = run("evaluate", "events.csv", "--test", "3d", *QUICK)
    assert ran.err.startswith("error: no users are left after the filter; got min_users=5")
    ran = run("evaluate", "events.csv", "--test", "3d", "--min-users", "1", *QUICK)
    assert (ran.status, ran.err) == (0, "")
    assert {line.why for line in _read(ran.out)["new"].lines if line.metric == "ndcg"} == {"there is only one user"}
    assert run("evaluate", "events.csv", "--min-users", "0").err.startswith("error: --min-users is 1 or more; got 0")


def test_one_item_leaves_nothing_new_to_foresee(empty, run):
    _write([(f"u{u}", "tea", 1 + n) for u in range(9) for n in range(10)])
    ran = run("evaluate", "events.csv", "--test", "3d", "--models", "popular")
    assert (ran.status, ran.out) == (1, "")
    assert "no user has anything to foresee; got 9 test users" in ran.err
    ran = run("evaluate", "events.csv", "--test", "3d", "--models", "popular", "--task", "any", "--json", "-")
    assert (ran.status, _read(ran.out)["any"].lines[0].value) == (0, 1.0)


def test_an_empty_test_and_one_moment_are_errors(market, run):
    ran = run("evaluate", "events.csv", "--test", "99d", *QUICK)
    assert "the train side of the split is empty; got 99d" in ran.err
    _write([(f"u{u}", f"i{n}", 1) for u in range(9) for n in range(9)])
    ran = run("evaluate", "events.csv", *QUICK)
    assert "all events have the same time, so there is no before and after" in ran.err
    ran = run("evaluate", "events.csv", "--protocol", "random", *QUICK)
    assert (ran.status, ran.err) == (0, "")


def test_users_without_test_items_are_counted(market, run):
    text = Path("events.csv").read_text(encoding="utf-8")
    Path("events.csv").write_text(
        text + "new,i1,2026-05-10\nquiet,i1,2026-05-01\nsame,i1,2026-05-01\nsame,i1,2026-05-10\n"
    )
    users = _read(run("evaluate", "events.csv", "--test", "3d", *QUICK).out)["new"].setup.users
    assert (users.test, users.evaluated, users.without_history, users.without_relevant) == (42, 40, 1, 1)


def test_ties_everywhere_give_the_same_report_twice(market, run):
    one, two = (_read(run("evaluate", "events.csv", "--test", "3d", *QUICK).out)["new"] for _ in range(2))
    values = [[(line.model, line.name, line.value, line.low) for line in report.lines] for report in (one, two)]
    assert values[0] == values[1]


def test_who_ranks_nothing_is_left_out_and_a_task_that_nobody_has_is(market, run, caplog):
    ran = run("evaluate", "events.csv", "--test", "3d", "--models", "popular,buy-again,matrix-factorization")
    assert ran.status == 0
    first, second = (record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING)
    assert first == "matrix-factorization is left out: its task is rating, and slates are no measure of that"
    assert second.startswith("the task repeat is left out: no user has anything to foresee; got 40 test")
    assert "Repeats" not in ran.out


def test_a_file_that_is_none_or_empty_is_a_line(empty, run):
    Path("events.csv").write_text("user,item,at\n", encoding="utf-8")
    for name, text in (("events.csv", "events.csv"), ("other.csv", "there is no such file")):
        ran = run("evaluate", name)
        assert (ran.status, ran.out, ran.err.count("\n")) == (1, "", 1)
        assert text in ran.err
