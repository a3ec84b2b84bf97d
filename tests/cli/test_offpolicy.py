"""``penchant off-policy``: the library's answers to a log in a file, its refusals, and what cannot be asked."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
import pytest

from penchant.evaluation.offpolicy.estimate import ESTIMATORS, off_policy
from penchant.evaluation.offpolicy.logged import Logged
from penchant.evaluation.offpolicy.report import OffPolicyReport
from penchant.evaluation.offpolicy.slates import SLATE_ESTIMATORS

TRUTH = 0.2 * 0.2 + 0.3 * 0.3 + 0.5 * 0.6
"What the policy asked about earns: it shows tea, jam and rye with 0.2, 0.3 and 0.5, which earn 0.2, 0.3 and 0.6."


@pytest.fixture
def log(empty):
    """Write 6,000 rounds of three things, drawn evenly, as CSV; return the same as arrays."""
    rng = np.random.default_rng(0)
    code = rng.integers(0, 3, 6000)
    frame = pl.DataFrame(
        {
            "shown": np.array(["tea", "jam", "rye"])[code],
            "clicked": (rng.random(6000) < np.array([0.2, 0.3, 0.6])[code]).astype(int),
            "chance": 1 / 3,
            "new": np.array([0.2, 0.3, 0.5])[code],
            "hour": rng.integers(0, 24, 6000),
            "device": np.array(["phone", "desk"])[rng.integers(0, 2, 6000)],
            "person": rng.integers(0, 2000, 6000),
        }
    )
    frame.write_csv("log.csv")
    Path("aim.csv").write_text("action,probability\ntea,0.2\nrye,0.5\njam,0.3\n", encoding="utf-8")
    return frame


NAMES = ("--action", "shown", "--reward", "clicked", "--propensity", "chance")


def _read(text: str) -> OffPolicyReport:
    return msgspec.json.decode(text, type=OffPolicyReport)


def test_a_file_of_probabilities_gives_every_estimator_with_intervals_and_diagnostics(log, run):
    ran = run("off-policy", "log.csv", *NAMES, "--probabilities", "aim.csv", "--json", "out.json")
    assert (ran.status, ran.err) == (0, "")
    report = _read(Path("out.json").read_text(encoding="utf-8"))
    assert [line.estimator for line in report.lines] == list(ESTIMATORS)
    assert all(line.low <= TRUTH <= line.high for line in report.lines if line.low is not None)
    assert report.best.verdict == "better"
    for text in (*ESTIMATORS, "effective rounds", "Overlap: the log is worth", "Tail of the weights", "it is better."):
        assert text in ran.out
    assert ran.out.endswith("written: out.json\n")


def test_it_says_what_the_library_says(log, run):
    options = ("--context", "hour,device", "--unit", "person", "--seed", "3")
    ran = run("off-policy", "log.csv", *NAMES, "--probabilities", "aim.csv", *options, "--json", "-")
    wide = log.with_columns(pl.col("person").cast(pl.String), phone=(pl.col("device") == "phone").cast(pl.Float64))
    names = {"action": "shown", "reward": "clicked", "propensity": "chance", "unit": "person"}
    logged = Logged.from_frame(wide, **names, context=("hour", "phone"))
    expected = off_policy(logged, [[0.3, 0.5, 0.2]], rng=3)  # jam, rye, tea
    assert [line.value for line in _read(ran.out).lines] == pytest.approx([line.value for line in expected.lines])
    assert _read(ran.out).overlap.rounds == expected.overlap.rounds < 2000


def test_a_column_of_probabilities_has_no_model(log, run):
    report = _read(run("off-policy", "log.csv", *NAMES, "--target", "new", "--json", "-").out)
    found = {line.estimator: line for line in report.lines}
    assert found["snips"].low <= TRUTH <= found["snips"].high
    assert found["dr"].value is None
    assert "it needs the policy's probability of every action" in found["dr"].why


def test_scores_are_a_policy_that_draws_by_them(log, run):
    Path("scores.csv").write_text("tea,jam,rye\n" + "0,1,5\n" * 6000, encoding="utf-8")
    greedy = _read(
        run("off-policy", "log.csv", *NAMES, "--scores", "scores.csv", "--temperature", "0", "--json", "-").out
    )
    assert greedy.best.low <= 0.6 <= greedy.best.high
    Path("few.jsonl").write_text(
        '{"action": "tea", "score": 0}\n{"action": "jam", "score": 0.405465}\n{"action": "rye", "score": 0.916291}\n',
        encoding="utf-8",
    )
    soft = _read(run("off-policy", "log.csv", *NAMES, "--scores", "few.jsonl", "--json", "-").out)
    exact = _read(run("off-policy", "log.csv", *NAMES, "--probabilities", "aim.csv", "--json", "-").out)
    assert soft.lines[0].value == pytest.approx(exact.lines[0].value, abs=1e-4)


def test_the_uniform_policy_is_that_of_an_even_log_and_forms_are_alike(log, run):
    log.write_parquet("log.parquet")
    log.write_ndjson("log.jsonl")
    Path("log.csv.gz").write_bytes(gzip.compress(Path("log.csv").read_bytes()))
    names = ("log.csv", "log.csv.gz", "log.parquet", "log.jsonl")
    reports = [_read(run("off-policy", name, *NAMES, "--policy", "uniform", "--json", "-").out) for name in names]
    assert reports[0].lines[0].value == pytest.approx(log["clicked"].mean())
    assert all(report.lines == reports[0].lines for report in reports)
    assert reports[0].best.verdict == "cannot tell"


def test_what_the_log_cannot_say_is_refused_with_the_reason(log, run):
    log.head(150).write_csv("short.csv")
    Path("aim.csv").write_text("action,probability\ntea,0.98\nrye,0.01\njam,0.01\n", encoding="utf-8")
    ran = run("off-policy", "short.csv", *NAMES, "--probabilities", "aim.csv", "--estimators", "ips,snips")
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.count("refused") == 2
    assert re.search(r"ips, snips: the log is worth \d+ rounds to this policy and 100 are needed", ran.out)


def test_slates_are_put_together_by_their_ids(empty, run):
    rng = np.random.default_rng(0)
    item = rng.integers(0, 2, (4000, 3))
    frame = pl.DataFrame(
        {
            "slate": np.repeat(np.arange(4000), 3),
            "slot": np.tile([1, 2, 3], 4000),
            "action": item.ravel(),
            "reward": (rng.random((4000, 3)) < 0.1 + 0.2 * item).astype(int).ravel(),
            "propensity": 0.5,
            "new": np.where(item, 0.7, 0.3).ravel(),
        }
    )
    frame.sample(fraction=1.0, shuffle=True, seed=1).write_csv("slates.csv")
    options = ("--slate", "slate", "--position", "slot")
    ran = run("off-policy", "slates.csv", *options, "--target", "new", "--json", "-")
    report = _read(ran.out)
    assert [line.estimator for line in report.lines] == list(SLATE_ESTIMATORS)
    assert report.rounds == 4000
    assert all(line.low <= 3 * (0.1 + 0.2 * 0.7) <= line.high for line in report.lines)
    even = _read(run("off-policy", "slates.csv", *options, "--policy", "uniform", "--json", "-").out)
    assert even.lines[0].value == pytest.approx(even.logged)
    frame[:-1].write_csv("torn.csv")
    ran = run("off-policy", "torn.csv", *options, "--target", "new")
    assert ran.err.startswith("error: the slates are not of one length; got 2 to 3 slots")
    pl.concat([frame, frame[:1]]).write_csv("twice.csv")
    assert (
        "two slots of a slate have one position; got slot"
        in run("off-policy", "twice.csv", *options, "--target", "new").err
    )


@pytest.mark.parametrize(
    ("args", "status", "text"),
    [
        ((), 2, "say which policy is asked about, by one of --policy, --target, --probabilities, --scores; got none"),
        (("--target", "new", "--policy", "uniform"), 2, "got --policy and --target"),
        (("--policy", "greedy"), 2, "--policy is uniform; got greedy"),
        (("--target", "new", "--slate", "hour"), 2, "--slate needs --position"),
        (
            ("--target", "new", "--chained", "hour"),
            2,
            "--chained and --target-chained are about slates; got no --slate",
        ),
        (("--scores", "aim.csv", "--slate", "hour", "--position", "hour"), 2, "of slates the policy is a column"),
        (("--target", "nex"), 1, "log.csv has no column 'nex'; got shown,"),
        (("--target", "hour"), 1, "target holds what is no probability; got 0.0 to 23.0; allowed: 0 to 1"),
        (("--target", "device"), 1, "target holds something that is no number"),
        (("--target", "new", "--propensity", "hour"), 1, "a propensity is no probability of something that happened"),
        (("--target", "new", "--reward", "device"), 1, "reward holds something that is no number"),
        (("--probabilities", "odd.csv"), 1, "the probabilities of a round do not add up to 1; got 0.8 in round 0"),
        (
            ("--probabilities", "few.csv"),
            1,
            "each action of the log needs one probability; got 0 of rye; allowed: a row for each of the 3 actions",
        ),
        (("--scores", "log.csv"), 1, "allowed: action and score, or a column an action, such as jam"),
        (("--policy", "uniform", "--estimators", "ipx"), 1, "unknown estimator; got ipx"),
        (("--policy", "uniform", "--level", "2"), 1, "level is out of range; got 2"),
        (("--scores", "scored.csv", "--temperature", "-1"), 1, "the temperature is out of range; got -1"),
    ],
)
def test_what_cannot_be_asked_is_said_in_a_line(log, run, args, status, text):
    Path("odd.csv").write_text("action,probability\ntea,0.1\nrye,0.4\njam,0.3\n", encoding="utf-8")
    Path("few.csv").write_text("action,probability\ntea,0.7\njam,0.3\n", encoding="utf-8")
    Path("scored.csv").write_text("action,score\ntea,1\nrye,2\njam,3\n", encoding="utf-8")
    ran = run("off-policy", "log.csv", *NAMES, *args)
    assert (ran.status, ran.out) == (status, "")
    assert text in ran.err
    assert ran.err.count("\n") == 1


def test_a_row_that_is_torn_stops_it(log, run):
    with Path("log.csv").open("a", encoding="utf-8") as file:
        file.write("tea,1\n")
    ran = run("off-policy", "log.csv", *NAMES, "--policy", "uniform")
    assert (ran.status, ran.out) == (1, "")
    assert "log.csv has rows that cannot be taken apart; got 1, the first in line 6002: " in ran.err
    assert "there is no such file" in run("off-policy", "lag.csv", "--policy", "uniform").err
