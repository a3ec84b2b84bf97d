"""Defaults beside settings tuned on validation data: ``python benchmarks/defaults.py --only item-knn gowalla``.

From the training part of every set a validation part is cut; a declared grid is searched on it, and the best is fitted
again on all of the training part. Defaults and tuned settings are then measured on the test part, once.
``--keep`` names a file of what was measured before; ``--write docs/reference/results.md`` puts the table there.
With ``--valid`` the test part is not looked at: that is for choosing defaults.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from penchant.models.learner import learner_from
from support.data import Missing
from support.grids import GRIDS, HOW, cut_of
from support.lists import quality
from support.machine import machine
from support.tables import markdown, shown, write_block
from support.trials import Trial, trial

HEAD = ("data", "learner", "cut", "chosen by the default", "tuned on validation")
HEAD = (*HEAD, "ndcg@10", "tuned", "ratio", "ndcg@20", "tuned", "ratio")
CHOSEN_BY = "ndcg@20"
PEOPLE = 3_000
"At most this many are asked, drawn evenly."

trials = cache(trial)


def main() -> None:
    """Search and measure what was asked for, print the table, and write it when told where."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", default=[], help="sets and learners to measure; all when not given")
    parser.add_argument("--keep", type=Path, help="figures of a search are read from this file, new ones added to it")
    parser.add_argument("--valid", action="store_true", help="compare on the validation part, not on the test part")
    parser.add_argument("--write", type=Path, help="a document whose block is rewritten")
    options = parser.parse_args()
    figures = []
    for learner, name in asked(options.only):
        print(f"{learner} {name} ...", file=sys.stderr, flush=True)
        figures.append(compared(learner, name, options))
    block = (
        f"Measured by `benchmarks/defaults.py` on {machine()}.\n\n{markdown(HEAD, list(map(line, figures)), left=5)}"
    )
    print(block)
    if options.write:
        write_block(options.write, "defaults", block)


def asked(words: list[str]) -> list[tuple[str, str]]:
    """Return the learners and sets that are asked for, in their order."""
    learners = [learner for learner in GRIDS if learner in words] or list(GRIDS)
    names = [name for name in HOW if name in words] or list(HOW)
    return [(learner, name) for learner in learners for name in names if name not in GRIDS[learner].without]


def compared(learner: str, name: str, options: argparse.Namespace) -> dict[str, Any]:
    """Return the figures of the default and of the tuned settings on the test part, or the validation part."""
    parts, keep = trials(name, *cut_of(learner, name)), options.keep
    found = {
        json.dumps(settings): kept(keep, [learner, name, "valid"], settings, parts)
        for settings in GRIDS[learner].settings()
    }
    best = json.loads(max(found, key=lambda key: float(found[key][CHOSEN_BY])))
    key = [learner, name, "valid" if options.valid else "test"]
    pair = {"default": kept(keep, key, {}, parts), "tuned": kept(keep, key, best, parts)}
    return {"learner": learner, "data": name, "settings": best} | pair


def kept(keep: Path | None, key: list[str], settings: dict[str, Any], parts: Trial) -> dict[str, Any]:
    """Return the figures of some settings on a part, measured now or read from what was kept; defaults always are."""
    known = json.loads(keep.read_text(encoding="utf-8")) if keep and keep.exists() else {}
    name = json.dumps([*key, settings])
    if name in known and settings:
        return dict(known[name])
    figures = measured(key[0], settings, parts, test=key[-1] == "test")
    if keep:
        known = json.loads(keep.read_text(encoding="utf-8")) if keep.exists() else {}
        keep.write_text(json.dumps(known | {name: figures}, indent=1), encoding="utf-8")
    return figures


def measured(learner: str, settings: dict[str, Any], parts: Trial, *, test: bool) -> dict[str, Any]:
    """Return NDCG@10 and @20 of a learner with some settings, what it chose itself, and the seconds of fitting."""
    data, held = (parts.train, parts.test) if test else (parts.learn, parts.valid)
    start = time.process_time()
    scorer = learner_from(learner, {"learner": learner} | settings).fit(data)
    seconds = time.process_time() - start
    people = np.flatnonzero((np.diff(held.indptr) > 0) & (np.diff(scorer.rows(data).indptr) > 0))
    people = people[np.unique(np.linspace(0, len(people) - 1, min(PEOPLE, len(people))).astype(np.int64))]
    items = scorer.score_batch(scorer.rows(data)[people], 20).items
    found = {"cpu seconds": seconds, "people": len(people), "chose": chose(scorer)}
    return found | {f"ndcg@{n}": quality(items[:, :n], held[people])[f"ndcg@{n}"] for n in (10, 20)}


def chose(scorer: Any) -> dict[str, float]:
    """Return the hyper-parameters that fitting settled itself."""
    fields = {field for field in scorer.learner.__struct_fields__ if getattr(scorer.learner, field) is None}
    known = scorer.facts | getattr(scorer, "settled", {})
    return {name: float(known[name]) for name in sorted(fields & known.keys())}


def line(figures: dict[str, Any]) -> list[str]:
    """Return a row of the table."""
    how, items = cut_of(figures["learner"], figures["data"])
    cut = f"{how}, {items:,} items" if items else how
    cells = [figures["data"], figures["learner"], cut, words(figures["default"]["chose"]), words(figures["settings"])]
    for metric in ("ndcg@10", "ndcg@20"):
        ours, tuned = figures["default"][metric], figures["tuned"][metric]
        cells += [shown(ours, ".4f"), shown(tuned, ".4f"), shown(ours / tuned, ".3f")]
    return cells


def words(settings: dict[str, Any]) -> str:
    """Return settings in a few words."""
    return ", ".join(f"{name}={value:.4g}" for name, value in settings.items())


if __name__ == "__main__":
    try:
        main()
    except Missing as missing:
        sys.exit(str(missing))
