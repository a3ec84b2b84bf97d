"""Every ranking metric at six lengths: Penchant beside ranx, RecTools, RecBole and LensKit, in one run.

``python benchmarks/evaluation.py`` takes about ten minutes on two quiet cores; ``--quick`` takes two. Every measurement
is a process of its own, in the library's own environment, which is made at first need. The slates are made up.
"""

from __future__ import annotations

import argparse
import json
import sys
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import scipy.sparse as sp

from penchant.evaluation.measure import RANKING, measure
from support.environments import Unavailable, folder
from support.machine import machine
from support.running import Failed, measured
from support.tables import markdown, shown, write_block

CUTS = [1, 5, 10, 20, 50, 100]
N_ITEMS, WANTED, FOUND = 100_000, 10, 0.03
"Items; how many of them each user wants; the share of slots that hold a wanted one."

USERS = {"ranx": 20_000, "lenskit": 5_000, "rectools": 100_000, "recbole": 100_000}
"Users a library is asked about where it takes long."

HEAD = ("who", "users", "prepare s", "seconds", "cpu s", "users/s", "of ours", "+MB", "metrics", "apart", "note")


def main() -> None:
    """Measure what was asked for and print one table."""
    options = parsed()
    homes = {users: made(users) for users in sorted({options.users, 100_000})}
    who = [(peer, min(USERS[peer], options.users), 100_000) for peer in options.peers]
    who += [("penchant", users, users) for users in homes]
    found: dict[tuple[str, int], list[dict[str, Any]]] = {(peer, users): [] for peer, users, _ in who}
    notes: dict[tuple[str, int], str] = {}
    for _, (peer, users, data) in product(range(options.repeat), who):
        print(f"{peer} {users:,} ...", file=sys.stderr, flush=True)
        job = {"peer": peer, "users": users, "cuts": CUTS, "threads": options.threads}
        paths = {name: str(homes[data] / name) for name in ("slates.npy", "wanted.npz")}
        job |= {"slates": paths["slates.npy"], "wanted": paths["wanted.npz"]}
        try:
            found[peer, users].append(measured(job, options.limit, module="peers.judge")[0])
        except (Failed, Unavailable) as error:
            notes[peer, users] = str(error)
    rows = [row(key, found, notes, homes[100_000]) for key in found]
    if options.json:
        figures = [{"who": peer, "users": users, "runs": runs} for (peer, users), runs in found.items()]
        Path(options.json).write_text(json.dumps({"machine": machine(), "rows": figures}, indent=1), encoding="utf-8")
    told = f"{machine()}; {options.threads} threads; medians of {options.repeat}; slates of 100"
    block = f"{told}\n\n{markdown(HEAD, [line for lines in rows for line in lines])}"
    print(f"\n{block}")
    if options.write:
        write_block(options.write, "evaluation", block)


def parsed() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--users", type=int, default=1_000_000, help="users Penchant is asked about at last")
    parser.add_argument("--peers", nargs="*", choices=USERS, default=list(USERS), help="libraries to compare with")
    parser.add_argument("--repeat", type=int, default=3, help="times everything is measured")
    parser.add_argument("--threads", type=int, default=2, help="threads for everybody")
    parser.add_argument("--limit", type=float, default=900.0, help="seconds after which a measurement is given up")
    parser.add_argument("--json", help="a file for all figures")
    parser.add_argument("--write", type=Path, help="a document whose block of this name is rewritten")
    parser.add_argument("--quick", action="store_true", help="once, and at most 100,000 users")
    options = parser.parse_args()
    if options.quick:
        options.users, options.repeat = 100_000, 1
    return options


def made(users: int) -> Path:
    """Return the folder of the slates and the wanted items of so many users, written at first need."""
    home = folder() / "data" / f"slates-{users}"
    if (home / "wanted.npz").exists():
        return home
    home.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    wanted = np.sort(rng.integers(0, N_ITEMS // WANTED, (users, WANTED), dtype=np.int32), axis=1) * WANTED
    wanted += np.arange(WANTED, dtype=np.int32)  # ten different items, one of each remainder
    wanted.sort(axis=1)
    slates = np.lib.format.open_memmap(home / "slates.npy", "w+", np.int32, (users, max(CUTS)))
    for start in range(0, users, 20_000):
        slates[start : start + 20_000] = slates_of(wanted[start : start + 20_000], rng)
    slates.flush()
    indptr = np.arange(users + 1, dtype=np.int64) * WANTED
    ones = np.ones(wanted.size, np.float32)
    matrix = sp.csr_matrix((ones, wanted.reshape(-1), indptr), shape=(users, N_ITEMS))
    sp.save_npz(home / "wanted.npz", matrix, compressed=False)
    return home


def slates_of(wanted: Any, rng: np.random.Generator) -> Any:
    """Return slates without doubles: items at even steps from a random one, some slots taken by wanted items."""
    n, k = len(wanted), max(CUTS)
    slates = (rng.integers(0, N_ITEMS, (n, 1)) + np.arange(k) * rng.choice([3, 7, 11, 13], (n, 1))) % N_ITEMS
    taken = (slates[:, :, None] == wanted[:, None, :]).any(axis=2)
    for place in range(WANTED):
        chosen = np.flatnonzero(rng.random(n) < FOUND * k / WANTED)
        slot = rng.integers(0, k // WANTED, len(chosen)) * WANTED + place
        free = ~(slates[chosen] == wanted[chosen, place, None]).any(axis=1) & ~taken[chosen, slot]
        slates[chosen[free], slot[free]] = wanted[chosen[free], place]
    return slates.astype(np.int32)


def row(key: tuple[str, int], found: dict[Any, list[dict[str, Any]]], notes: Any, home: Path) -> list[list[str]]:
    """Return the lines of one library: two for ours, without intervals and with them."""
    peer, users = key
    runs = found[key]
    if not runs:
        return [[peer, f"{users:,}", *[""] * 8, notes.get(key, "")]]
    ours = found["penchant", 100_000] or runs
    rate = 100_000 / median(run["seconds"] for run in ours)
    lines = []
    for prefix, note in (("", runs[0]["version"]), ("sure_", "with 1000 resamples")):
        if f"{prefix}seconds" not in runs[0]:
            continue
        seconds, cpu = (median(run[f"{prefix}{name}"] for run in runs) for name in ("seconds", "cpu"))
        speed = users / seconds
        memory = shown(median(run[f"{prefix}peak" if prefix else "mb"] for run in runs), ",.0f")
        cells = [
            peer,
            f"{users:,}",
            shown(median(run["prepare_seconds"] for run in runs), ".2f"),
            shown(seconds, ".3f"),
        ]
        cells += [shown(cpu, ".2f"), f"{speed:,.0f}", f"{speed / rate:.3f}", memory]
        text = f"{note}; MB: the peak of the process" if prefix else note
        lines.append([*cells, str(len(runs[0]["means"])), shown(apart(runs[0], home, users), ".1e"), text])
    return lines


def apart(theirs: dict[str, Any], home: Path, users: int) -> float | None:
    """Return how far their means are from ours at most, of the same users and the metrics that both have."""
    if users > 100_000:
        return None
    slates, wanted = np.load(home / "slates.npy", mmap_mode="r")[:users], sp.load_npz(home / "wanted.npz")[:users]
    common = [name for name in theirs["means"] if name.split("@")[0] in RANKING]
    ours = measure(slates, sp.csr_array(wanted), common, resamples=0)
    return max(abs(theirs["means"][name] - ours[name].value) for name in common)


if __name__ == "__main__":
    main()
