"""Which models are compared with whose, on what, with which settings."""

from __future__ import annotations

from typing import Any, NamedTuple

SMALL = ("ml-100k", "beauty", "gowalla", "generated-1m")
MADE = ("generated-1m", "generated-5m", "generated-20m")
EVENTS = {"ml-100k": 55_000, "beauty": 176_000, "gowalla": 810_000, "generated-1m": 1_000_000}
EVENTS |= {"generated-5m": 5_000_000, "generated-20m": 20_000_000, "generated-100m": 100_000_000}


class Pair(NamedTuple):
    """A model as Penchant has it, and the same model elsewhere."""

    model: str
    "What peers' adapters call it."
    learner: str
    "Its name in penchant.learners()."
    ours: dict[str, Any]
    "Settings for Penchant."
    theirs: dict[str, Any]
    "Settings for all peers, in the adapters' words."
    peers: dict[str, int]
    "Who is measured, and up to how many events; beyond that it takes too long."
    data: tuple[str, ...]
    "Where it is compared unless told otherwise."
    change: dict[str, dict[str, Any]] = {}
    "Settings that differ for one peer."


def ials(factors: int) -> Pair:
    """Return iALS with the objective of Hu, Koren and Volinsky: confidence 10 for what was observed, 1 elsewhere.

    implicit's alpha is the whole confidence of an observed pair; ours and LensKit's is what it has above 1.
    """
    shared = {"factors": factors, "l2": 0.05, "epochs": 15}
    ours = shared | {"alpha": 9.0, "unobserved": 1.0, "frequency_scaling": 0.0}
    peers = {"implicit": 100_000_000, "lenskit": 1_000_000} if factors == 64 else {"implicit": 100_000_000}
    data = (*SMALL, *MADE[1:]) if factors == 64 else MADE
    return Pair("ials", "ials", ours, shared | {"alpha": 9.0}, peers, data, {"implicit": {"alpha": 10.0}})


PAIRS = {
    "ials-64": ials(64),
    "ials-128": ials(128),
    "item-knn": Pair(
        "item-knn",
        "item-knn",
        {"k": 100, "shrinkage": 0.0},
        {"k": 100},
        {"implicit": 100_000_000, "lenskit": 200_000},
        (*SMALL, *MADE[1:]),
    ),
    "ease": Pair(
        "ease",
        "ease",
        {"l2": 100.0},
        {"l2": 100.0},
        {"lenskit": 1_000_000, "rectools": 1_000_000, "recbole": 1_000_000, "cornac": 1_000_000},
        ("ml-100k", "generated-1m"),
    ),
    "bpr": Pair(
        "bpr",
        "bpr",
        {"factors": 64, "epochs": 20},
        {"factors": 64, "epochs": 20},
        {"implicit": 20_000_000, "cornac": 1_000_000},
        ("ml-100k", "gowalla", "generated-1m"),
    ),
    "slim": Pair(
        "slim",
        "slim",
        {"l1": 1.0, "l2": 1.0},
        {"l1": 1.0, "l2": 1.0, "epochs": 100},
        {"lenskit": 1_000_000},
        ("ml-100k", "beauty"),
    ),
}
