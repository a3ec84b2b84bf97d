"""How far off-policy estimates are from the truth: ``python benchmarks/offpolicy.py [--logs 20] [--rounds 100000]``.

Prints two tables. In the first the truth is known: made-up worlds of 30 actions and 5 features whose target policy is
drawn up from what earns more, the relative error |estimate - truth| / truth averaged over logs. In the second a policy
that was really run is the truth: Open Bandit, each policy's click rate foretold from the other's log and from its own;
there the truth itself is only known to the error beside it.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np
import polars as pl

import penchant as pt
from penchant.evaluation.offpolicy import estimators as by
from penchant.evaluation.offpolicy.estimate import ESTIMATORS
from penchant.testing import BanditWorld
from support.machine import machine
from support.tables import markdown

PUBLISHED = {"dm": 0.0744, "ips": 0.0095, "snips": 0.0067, "dr": 0.0062, "sndr": 0.0061}
"Relative errors published beside the Open Bandit Dataset: 20 synthetic logs, 100,000 rounds, 30 actions, 5 features."

DATA = Path(os.environ.get("PENCHANT_DATA", "."))


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--logs", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=100_000)
    asked = parser.parse_args()
    print(machine())
    print(
        f"\nMade-up worlds, {asked.logs} logs of {asked.rounds:,} rounds, relative error: mean (standard deviation)\n"
    )
    worlds = {
        "mild": BanditWorld(actions=30, rate=0.5),
        "far": BanditWorld(actions=30, rate=0.5, sharp=2.0),
        "tuning by slope, far": BanditWorld(actions=30, rate=0.5, sharp=2.0),
        "far, few logged chances": BanditWorld(actions=30, rate=0.5, sharp=2.0, logging=1.0),
    }
    columns = {
        name: synthetic(world, asked.logs, asked.rounds, "slope" if "slope" in name else "bound")
        for name, world in worlds.items()
    }
    rows = [[e, *(column[e] for column in columns.values()), str(PUBLISHED.get(e, ""))] for e in ESTIMATORS]
    print(markdown(["estimator", *columns, "published, another world"], rows))
    path = DATA / "open_bandit.parquet"
    if not path.exists():
        print("\nopen_bandit.parquet is not here: set PENCHANT_DATA to a directory that has it")
        return
    print("\nOpen Bandit: click rates foretold (relative error), `refused` where the log cannot tell\n")
    frame = pl.read_parquet(path)
    found = [real(frame, campaign, source, aim) for campaign in ("men", "women") for source, aim in PAIRS]
    print(markdown(["log, policy", "its click rate", "effective rounds", *ESTIMATORS], found))


PAIRS = (("random", "bts"), ("bts", "random"), ("random", "random"), ("bts", "bts"))


def synthetic(world: BanditWorld, logs: int, rounds: int, tuning: str) -> dict[str, str]:
    """Return the relative errors of every estimator; of what was refused, how often."""
    truth, rng = world.value, np.random.default_rng(0)
    errors: dict[str, list[float]] = {name: [] for name in ESTIMATORS}
    for _ in range(logs):
        draw = world.draw(rounds, rng)
        for line in pt.off_policy(draw.logged, draw.target, tuning=tuning, rng=rng).lines:
            if line.value is not None:
                errors[line.estimator].append(abs(line.value / truth - 1))
    return {
        name: f"{np.mean(found):.4f} ({np.std(found):.4f})" + (f", {logs - len(found)} refused" * (len(found) < logs))
        if found
        else "refused"
        for name, found in errors.items()
    }


def real(frame: pl.DataFrame, campaign: str, source: str, aim: str) -> list[str]:
    """Return the row of one policy's log asked about another.

    The aim's probabilities are how often it showed each item in each position, over the whole of its log; its own are
    even for ``random``.
    """
    log, other = (frame.filter(campaign=campaign, policy=name) for name in (source, aim))
    logged = pt.Logged.from_frame(
        log, action="item_id", reward="click", propensity="propensity_score", position="position"
    )
    assert logged.items is not None
    assert logged.position is not None
    shown = np.zeros((3, logged.n_actions))
    np.add.at(shown, (other["position"].to_numpy() - 1, logged.items.codes(other["item_id"].cast(pl.String))), 1)
    if aim == "random":
        shown[:] = 1
    target = (shown / shown.sum(axis=1, keepdims=True))[logged.position]
    clicks = other["click"].to_numpy()
    truth, error = clicks.mean(), clicks.std() / np.sqrt(len(clicks))
    report = pt.off_policy(logged, target)
    cells = [
        "refused" if line.value is None else f"{line.value:.4f} ({abs(line.value / truth - 1):.0%})"
        for line in report.lines
    ]
    assert report.overlap is not None
    plain = by.snips(logged.reward, target[np.arange(len(log)), logged.action] / logged.propensity).mean()
    refused = f"{report.overlap.ess:,.0f}" + (
        f" (snips would be {plain / truth - 1:+.0%})" if cells[2] == "refused" else ""
    )
    return [f"{campaign}: {source}, {aim}", f"{truth:.4f} (+-{error:.4f})", refused, *cells]


if __name__ == "__main__":
    main()
