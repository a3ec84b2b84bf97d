"""A blend of learners on Beauty, with weights chosen on validation items: ``python benchmarks/blending.py``.

Every learner is fitted once, on all but the last two items of everybody. The weights with the most recall@10 on the
last item but one are chosen; the test items are ranked once, by these. Nothing else is tried on them.
"""

from __future__ import annotations

import argparse
import sys
from itertools import product
from pathlib import Path

from support.blended import PARTS, brought, cut, fitted, quality
from support.data import Missing
from support.machine import machine
from support.tables import markdown, shown, write_block

STEPS = (0.0, 0.1, 0.25, 0.5, 1.0)
"What each learner beside the first may weigh; the first weighs 1."


def main() -> None:
    """Search, measure, print the table, and write it when told where."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", type=Path, help="a document whose block is rewritten")
    options = parser.parse_args()
    learn, valid, test = cut()
    seen, asked = {}, {}
    for name in PARTS:
        print(f"{name} ...", file=sys.stderr, flush=True)
        scorer = fitted(learn, name)
        seen[name], asked[name] = brought(scorer, valid.history), brought(scorer, test.history)
        del scorer
    first, *others = PARTS
    found = {}
    for steps in product(STEPS, repeat=len(others)):
        weights = {first: 1.0} | dict(zip(others, steps, strict=True))
        found[steps] = (weights, quality(seen, weights, valid.wanted))
    weights, best = max(found.values(), key=lambda pair: pair[1]["recall@10"])
    alone, plain = found[(0.0,) * len(others)]
    lines = [("validation", alone, plain), ("validation", weights, best)]
    lines += [
        ("test", alone, quality(asked, alone, test.wanted)),
        ("test", weights, quality(asked, weights, test.wanted)),
    ]
    rows = [[part, said(w), *(shown(value, ".4f") for value in figures.values())] for part, w, figures in lines]
    block = (
        f"Measured by `benchmarks/blending.py` on {machine()}; {len(found)} sets of weights tried on validation.\n\n"
    )
    block += markdown(("items", "weights", "recall@10", "ndcg@10"), rows, left=2)
    print(block)
    if options.write:
        write_block(options.write, "blending", block)


def said(weights: dict[str, float]) -> str:
    """Return weights in a few words."""
    return " + ".join(f"{weight:g} {name}" for name, weight in weights.items() if weight)


if __name__ == "__main__":
    try:
        main()
    except Missing as missing:
        sys.exit(str(missing))
