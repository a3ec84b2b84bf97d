"""Which settings of which learner are searched, and on which data; declared before anything is measured."""

from __future__ import annotations

from itertools import product
from typing import Any, NamedTuple

RIDGES = (15.0, 30.0, 60.0, 120.0, 250.0, 500.0)
DROPOUTS = (0.3, 0.5, 0.8)
SHRINKAGES = (0.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)


class Grid(NamedTuple):
    """Values of some fields, every combination of which is tried; all other fields keep their defaults."""

    values: dict[str, tuple[Any, ...]]
    dense: bool = False
    "Whether it takes a dense inverse or more, so that sets are cut to fewer items."
    last: bool = False
    "Whether every set is cut before each person's last event, since order matters."
    without: tuple[str, ...] = ()
    "Sets that are left out."

    def settings(self) -> list[dict[str, Any]]:
        """Return every combination."""
        return [dict(zip(self.values, chosen, strict=True)) for chosen in product(*self.values.values())]


DENSE, SPARSE = {"gowalla": 2_000, "beauty": 2_000}, {"gowalla": 10_000}
"To how many of the most frequent items a set is cut, so that a search takes minutes: dense learners, and others."
HOW = {"ml-100k": "random", "gowalla": "random", "beauty": "last", "online-retail": "random", "generated": "random"}
"The sets, and how each is cut; Gowalla's test part is the published one."

GRIDS = {
    "item-knn": Grid({"k": (100, 200), "shrinkage": SHRINKAGES}),
    "rp3-beta": Grid({"alpha": (0.3, 0.5, 0.7, 1.0), "beta": (0.1, 0.3, 0.5, 0.7)}),
    "slim": Grid({"l1": (0.0, 1.0, 5.0), "l2": (30.0, 100.0, 300.0, 900.0)}, dense=True),
    "ials": Grid({"unobserved": (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 50.0), "l2": (0.003, 0.01, 0.02)}),
    "sansa": Grid({"l2": RIDGES, "dropout": (0.0, *DROPOUTS)}),
    "ease": Grid({"l2": RIDGES}, dense=True),
    "edlae": Grid({"l2": RIDGES, "dropout": DROPOUTS}, dense=True),
    "rlae": Grid({"l2": RIDGES, "xi": (0.05, 0.1, 0.3)}, dense=True),
    "rdlae": Grid({"l2": RIDGES, "dropout": DROPOUTS, "xi": (0.1, 0.3)}, dense=True),
    "turbo-cf": Grid({"a": (0.4, 0.5, 0.6, 0.7), "s": (0.5, 0.7, 1.0)}),
    "gf-cf": Grid({"factors": (32, 64, 128, 256), "alpha": (0.1, 0.2, 0.3, 0.5)}),
    "pure-svd": Grid({"factors": (8, 16, 32, 64, 128, 256)}),
    "bpr": Grid({"l2": (0.001, 0.003, 0.01, 0.03), "learning_rate": (0.02, 0.05)}),
    "slist": Grid(
        {
            "l2": (3.0, 10.0, 30.0, 100.0, 300.0),
            "alpha": (0.2, 0.5, 0.8),
            "delta": (1.0, 5.0),
            "delta_inf": (2.0, 10.0),
        },
        dense=True,
        last=True,
        without=("gowalla",),
    ),
    "user-knn": Grid({"k": (50, 100, 200, 500), "shrinkage": (0.0, 3.0, 10.0)}),
}
"""By the learner's name. Values span the published ones; what is a matter of cost alone keeps its
default: the factors of iALS and BPR, the weights kept by SANSA, Turbo-CF and GF-CF."""


def cut_of(learner: str, name: str) -> tuple[str, int | None]:
    """Return how a set is cut for a learner, and to how many items."""
    grid = GRIDS[learner]
    return "last" if grid.last else HOW[name], (DENSE if grid.dense else SPARSE).get(name)
