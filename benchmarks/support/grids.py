"""Which settings of which learner are searched, and on which data; declared before anything is measured."""

from __future__ import annotations

from itertools import product
from typing import Any, NamedTuple

from support.trials import FEWER

RIDGES = (3.0, 10.0, 30.0, 60.0, 120.0, 250.0, 500.0, 1000.0)
DROPOUTS = (0.1, 0.3, 0.5, 0.8)
SHRINKAGES = (0.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)


class Grid(NamedTuple):
    """Values of some fields, every combination of which is tried; all other fields keep their defaults."""

    values: dict[str, tuple[Any, ...]]
    fewer: tuple[str, ...] = ()
    "Sets that are cut to the most frequent items."
    last: bool = False
    "Whether every set is cut before each person's last event, since order matters."
    without: tuple[str, ...] = ()
    "Sets that are left out."

    def settings(self) -> list[dict[str, Any]]:
        """Return every combination."""
        return [dict(zip(self.values, chosen, strict=True)) for chosen in product(*self.values.values())]


DENSE = ("gowalla", "beauty")
"An inverse of all items of these takes too long to be searched."
HOW = {"ml-100k": "random", "gowalla": "random", "beauty": "last", "online-retail": "random", "generated": "random"}
"The sets, and how each is cut; Gowalla's test part is the published one."

GRIDS = {
    "item-knn": Grid({"k": (50, 100, 200), "shrinkage": SHRINKAGES}),
    "rp3-beta": Grid({"alpha": (0.3, 0.5, 0.7, 1.0), "beta": (0.1, 0.3, 0.5, 0.7), "k": (100, 200)}),
    "slim": Grid({"l1": (0.0, 0.3, 1.0, 3.0), "l2": (10.0, 30.0, 100.0, 200.0, 400.0, 800.0)}, DENSE),
    "ials": Grid(
        {
            "unobserved": (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 50.0),
            "l2": (0.001, 0.003, 0.01),
            "factors": (64,),
        }
    ),
    "sansa": Grid({"l2": RIDGES, "dropout": (0.0, *DROPOUTS[1:])}),
    "ease": Grid({"l2": RIDGES}, DENSE),
    "edlae": Grid({"l2": RIDGES, "dropout": DROPOUTS}, DENSE),
    "rlae": Grid({"l2": RIDGES, "xi": (0.05, 0.1, 0.3, 0.5)}, DENSE),
    "rdlae": Grid({"l2": RIDGES[1:], "dropout": DROPOUTS[1:], "xi": (0.05, 0.1, 0.3)}, DENSE),
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
        DENSE,
        last=True,
        without=("gowalla",),
    ),
    "user-knn": Grid({"k": (50, 100, 200, 500), "shrinkage": (0.0, 3.0, 10.0, 30.0)}),
}
"By the learner's name. Published settings lie within; sizes (factors of iALS and BPR) are a matter of cost, and stay."


def cut_of(learner: str, name: str) -> tuple[str, int | None]:
    """Return how a set is cut for a learner, and to how many items."""
    grid = GRIDS[learner]
    return "last" if grid.last else HOW[name], FEWER if name in grid.fewer else None
