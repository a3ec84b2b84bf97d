"""The data of the benchmarks: public sets from PENCHANT_DATA, and made-up ones of any size."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
import scipy.sparse as sp

import penchant as pt
from penchant.testing import generated

SIZES = {
    "generated-1m": (20_000, 8_000, 1_000_000),
    "generated-5m": (60_000, 15_000, 5_000_000),
    "generated-20m": (140_000, 27_000, 20_000_000),
    "generated-100m": (1_000_000, 100_000, 100_000_000),
}
"Users, items and events of the made-up sets."
PUBLIC = {"ml-100k": "ml-100k/u.data", "gowalla": "gowalla_train.npz", "beauty": "Beauty.txt"}
"The file each public set begins with."
NAMES = (*PUBLIC, *SIZES)


class Missing(Exception):
    """The data is not at hand."""


class Cut(NamedTuple):
    """What is learnt from and what is held out, users x items, float32 ones."""

    train: sp.csr_array
    test: sp.csr_array


def needed(name: str) -> Path:
    """Return the path of a file of PENCHANT_DATA."""
    folder = Path(os.environ.get("PENCHANT_DATA") or Path(__file__).parents[3] / "shared" / "data")
    path = folder / name
    if not path.exists():
        raise Missing(f"{name} is not here: set PENCHANT_DATA to a directory that has it")
    return path


def cut(name: str) -> Cut:
    """Return a set as two binary matrices; Gowalla by its published split, the others by each person's last event."""
    if name == "gowalla":
        parts = (sp.csr_array(sp.load_npz(needed(f"gowalla_{part}.npz"))) for part in ("train", "test"))
        return Cut(*(_ones(part) for part in parts))
    if name == "ml-100k":
        split = pt.split.leave_last_out(movielens_likes())
        return Cut(_ones(split.train.matrix), _ones(split.test.matrix))
    if name == "beauty":
        whole = sequences(needed("Beauty.txt").read_text(encoding="ascii"))
        split = pt.split.leave_last_out(whole)
        return Cut(_ones(split.train.matrix), _ones(split.test.matrix))
    return last_out(generated(*SIZES[name]))


def last_out(data: pt.Dataset) -> Cut:
    """Return each person's events but the last, and the last; of people with one event nothing is held out."""
    ends = data.indptr[1:][np.diff(data.indptr) > 1] - 1
    held = np.zeros(data.n_events, bool)
    held[ends] = True
    user, item, shape = data.column("user"), data.column("item"), (data.n_users, data.n_items)
    ones = np.ones(data.n_events, np.float32)
    parts = (sp.csr_array((ones[rows], (user[rows], item[rows])), shape=shape) for rows in (~held, held))
    return Cut(*(_ones(part) for part in parts))


def movielens() -> pl.DataFrame:
    """Return MovieLens-100K as user, item, value and at, in the order of the file."""
    names = ["user", "item", "value", "at"]
    frame = pl.read_csv(needed("ml-100k/u.data"), separator="\t", has_header=False, new_columns=names)
    return frame.with_columns(pl.col("at") * 1_000_000)


def movielens_likes() -> pt.Dataset:
    """Return the ratings of 4 and 5 as likes."""
    return pt.Dataset.from_events(movielens().filter(pl.col("value") >= 4).with_columns(value=pl.lit(1.0)))


def sequences(text: str) -> pt.Dataset:
    """Return the dataset of lines ``user item item ...``, in the order of time; places in a line are days."""
    lines = [line.split() for line in text.splitlines() if line.strip()]
    day = 86_400 * 1_000_000
    return pt.Dataset.from_events(
        pl.DataFrame(
            {
                "user": [line[0] for line in lines for _ in line[1:]],
                "item": [item for line in lines for item in line[1:]],
                "at": [place * day for line in lines for place in range(len(line) - 1)],
            }
        )
    )


def _ones(matrix: sp.csr_array) -> sp.csr_array:
    """Return the matrix with ones for its positive entries, its columns in order and none twice."""
    out = sp.csr_array(matrix, dtype=np.float32, copy=True)
    out.sum_duplicates()
    out.data = (out.data > 0).astype(np.float32)
    out.eliminate_zeros()
    return out
