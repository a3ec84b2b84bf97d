"""Penchant's models beside those of other libraries: the same data, threads and metric, in turn, in one run.

``python benchmarks/models.py`` measures everything in about 25 minutes on two quiet cores; ``--quick`` takes a few.
Every measurement is a process of its own, in the library's own environment, which is made at first need.
"""

from __future__ import annotations

import argparse
import json
import sys
from importlib.metadata import version
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import scipy.sparse as sp

import penchant as pt
from peers.loss import implicit_loss
from support.data import NAMES, Missing, cut
from support.environments import PEERS, Unavailable, folder
from support.lists import quality
from support.machine import machine
from support.pairs import EVENTS, PAIRS, Pair
from support.running import Failed, measured
from support.tables import markdown, shown, write_block

QUICK = {"data": ["ml-100k", "generated-1m"], "models": ["ials-64", "item-knn", "ease"], "repeat": 1}
K, COMMON, RANKED, SINGLES = 20, 2_000, 20_000, 200
"Length of the lists; people whose lists are compared; people ranked for speed; single requests."
HEAD = ("data", "model", "who", "fit s", "of ours", "cpu s", "first s", "fit +MB", "users/s", "of ours", "single ms")
HEAD = (*HEAD, f"recall@{K}", f"ndcg@{K}", "note")


def main() -> None:
    """Measure what was asked for and print one table."""
    options = parsed()
    rows: list[dict[str, Any]] = []
    for name in options.data or NAMES:
        pairs = [(label, PAIRS[label]) for label in options.models if name in PAIRS[label].data or options.data]
        if (name == "generated-100m" and not options.data) or not pairs:
            continue
        try:
            prepared = kept(name)
        except Missing as missing:
            print(f"{name}: {missing}", file=sys.stderr)
            continue
        for label, pair in pairs:
            rows += compared(name, prepared, (label, pair), options)
    if options.keep:
        rows = merged(Path(options.keep), rows)
    told = f"{machine()}; {options.threads} threads; medians of {options.repeat}, single runs from 5 M events on"
    block = f"{told}; versions: {versions(rows)}\n\n{markdown(HEAD, [line(row, rows) for row in rows], left=3)}"
    print(f"\n{block}")
    if options.write:
        write_block(options.write, "models", block)


def parsed() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", nargs="+", choices=NAMES, help="sets to measure on; all when not given")
    parser.add_argument("--models", nargs="+", choices=PAIRS, default=list(PAIRS), help="models to compare")
    parser.add_argument("--peers", nargs="*", choices=PEERS, default=list(PEERS), help="libraries to compare with")
    parser.add_argument("--repeat", type=int, default=3, help="times everything is measured; once from 5 M events on")
    parser.add_argument("--threads", type=int, default=2, help="threads for everybody")
    parser.add_argument("--limit", type=float, default=300.0, help="seconds after which a measurement is given up")
    parser.add_argument("--keep", help="a file that holds the figures of earlier runs, and then these too")
    parser.add_argument("--write", type=Path, help="a document whose block of this name is rewritten")
    parser.add_argument("--quick", action="store_true", help="two sets, three models, once")
    options = parser.parse_args()
    if options.quick:
        vars(options).update(QUICK)
    return options


def merged(path: Path, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows of a file with these in the place of those that they measure again, and write them."""
    found = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    table = {(row["data"], row["model"], row["who"]): row for row in [*found, *rows]}
    order = sorted(table, key=lambda key: (NAMES.index(key[0]), list(PAIRS).index(key[1])))
    path.write_text(json.dumps([table[key] for key in order], indent=1), encoding="utf-8")
    return [table[key] for key in order]


def kept(name: str) -> Path:
    """Return the folder of a set's matrices and users, written at first need."""
    home = folder() / "data" / name
    if not (home / "users.npy").exists():
        home.mkdir(parents=True, exist_ok=True)
        train, test = cut(name)
        sp.save_npz(home / "train.npz", sp.csr_matrix(train), compressed=False)
        sp.save_npz(home / "test.npz", sp.csr_matrix(test), compressed=False)
        known = np.flatnonzero((np.diff(test.indptr) > 0) & (np.diff(train.indptr) > 0))
        np.save(home / "users.npy", np.random.default_rng(0).permutation(known)[:RANKED])
    return home


def compared(name: str, home: Path, named: tuple[str, Pair], options: argparse.Namespace) -> list[dict[str, Any]]:
    """Return a row for Penchant and one for each peer; the repeats go round everybody in turn."""
    label, pair = named
    who = ["penchant", *(p for p, most in pair.peers.items() if p in options.peers and EVENTS[name] <= most * 1.1)]
    found: dict[str, list[dict[str, Any]]] = {peer: [] for peer in who}
    notes: dict[str, str] = {}
    if pair.learner not in pt.learners():
        notes["penchant"] = f"no learner {pair.learner!r} yet"
    test = sp.csr_array(sp.load_npz(home / "test.npz"))
    repeats = 1 if EVENTS[name] >= 5_000_000 else options.repeat
    loss: float | None = None
    for _, peer in product(range(repeats), [*who[1:], who[0]]):
        if peer in notes:
            continue
        print(f"{name} {label} {peer} ...", file=sys.stderr, flush=True)
        try:
            figures, arrays = measured(job(home, peer, pair, options) | {"loss": loss}, options.limit)
        except (Failed, Unavailable) as error:
            notes[peer] = str(error)
            continue
        if peer == "implicit" and pair.model == "ials" and loss is None:
            loss = figures["loss"] = objective(home, arrays["item_factors"], pair)
        users = np.load(home / "users.npy")[:COMMON]
        found[peer].append(figures | quality(arrays["lists"][: len(users)], test[users]))
    return [{"data": name, "model": label, "who": p, "note": notes.get(p, "")} | middle(found[p]) for p in who]


def job(home: Path, peer: str, pair: Pair, options: argparse.Namespace) -> dict[str, Any]:
    """Return what a worker is told."""
    given = pair.ours if peer == "penchant" else pair.theirs | pair.change.get(peer, {})
    paths = {"data": str(home / "train.npz"), "users": str(home / "users.npy")}
    told = {"peer": peer, "model": pair.model, "learner": pair.learner, "settings": given, "k": K}
    return told | paths | {"threads": options.threads, "singles": SINGLES}


def objective(home: Path, factors: Any, pair: Pair) -> float:
    """Return the loss of a peer's item vectors, by the code that computes ours."""
    train = sp.csr_array(sp.load_npz(home / "train.npz"))
    return implicit_loss(train, factors, 1.0 + pair.ours["alpha"], pair.ours["l2"])


def middle(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the median of every figure of the repeats."""
    out: dict[str, Any] = {}
    for name in dict.fromkeys(name for figures in found for name in figures):
        values = [figures[name] for figures in found if figures.get(name) is not None]
        out[name] = median(values) if values and not isinstance(values[0], str) else next(iter(values), None)
    return out


def line(row: dict[str, Any], rows: list[dict[str, Any]]) -> list[str]:
    """Return a row of the table; "of ours" is the peer's figure divided by Penchant's."""
    ours = next(r for r in rows if (r["data"], r["model"], r["who"]) == (row["data"], row["model"], "penchant"))
    ratio = {f: row[f] / ours[f] if row.get(f) and ours.get(f) else None for f in ("fit_seconds", "users_per_second")}
    cells = [row["data"], row["model"], row["who"], shown(row.get("fit_seconds")), shown(ratio["fit_seconds"], ".2f")]
    cells += [shown(row.get("fit_cpu")), shown(row.get("first_seconds"), ".2f"), shown(row.get("fit_mb"), ",.0f")]
    cells += [shown(row.get("users_per_second"), ",.0f"), shown(ratio["users_per_second"], ".2f")]
    cells += [shown(row.get("single_ms")), shown(row.get(f"recall@{K}"), ".4f"), shown(row.get(f"ndcg@{K}"), ".4f")]
    return [*cells, said(row)]


def said(row: dict[str, Any]) -> str:
    """Return what a row has to say beside its figures."""
    parts = [row["note"]] if row["note"] else []
    if row.get("given_per_second") is not None:
        parts.append(f"{row['given_per_second']:,.0f} users/s from vectors at hand")
    if row.get("loss") is not None:
        parts.append(f"loss {row['loss']:.4f}")
    if row.get("equal_seconds") is not None:
        took = f"{row['equal_seconds']:.3g} s, {row['equal_cpu']:.3g} cpu s"
        parts.append(f"implicit's loss after {row['equal_epochs']:.0f} rounds, {took}")
    return "; ".join(parts)


def versions(rows: list[dict[str, Any]]) -> str:
    """Return the version of everybody who was measured."""
    found = {row["who"]: row["version"] for row in rows if row.get("version")}
    return ", ".join(f"{who} {number}" for who, number in ({"scipy": version("scipy")} | found).items())


if __name__ == "__main__":
    main()
