"""RecBole: EASE, which it fits when the model is made; data goes through its files."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.data.interaction import Interaction
from recbole.utils import get_model

from peers.worker import Steps

PACKAGE = "recbole"
BATCH = 256


def prepare(matrix: sp.csr_matrix, job: dict[str, Any]) -> dict[str, Any]:
    """Write its file of pairs and read it the way it does; everything is for training."""
    torch.set_num_threads(job["threads"])
    folder = Path(tempfile.mkdtemp(prefix="recbole-"))
    (folder / "given").mkdir()
    coo = matrix.tocoo()
    pairs = np.stack([coo.row, coo.col], axis=1)
    np.savetxt(folder / "given" / "given.inter", pairs, "%d", "\t", header="user_id:token\titem_id:token", comments="")
    config = Config(
        model="EASE",
        dataset="given",
        config_dict={
            "data_path": str(folder),
            "load_col": {"inter": ["user_id", "item_id"]},
            "reg_weight": job["settings"]["l2"],
            "eval_args": {"split": {"RS": [1, 0, 0]}, "order": "RO", "group_by": "none", "mode": "full"},
            "use_gpu": False,
            "show_progress": False,
            "state": "WARNING",
            "checkpoint_dir": str(folder),
        },
    )
    dataset = create_dataset(config)
    train, _, _ = data_preparation(config, dataset)
    return {"config": config, "dataset": train.dataset, "matrix": matrix}


def fit(data: dict[str, Any], job: dict[str, Any]) -> Any:
    """Fit EASE."""
    return get_model("EASE")(data["config"], data["dataset"])


def rank(model: Any, data: dict[str, Any], users: Any, k: int) -> Any:
    """Return the lists of many people, scored by full_sort_predict in batches."""
    dataset, lists = data["dataset"], np.full((len(users), k), -1, np.int32)
    tokens = np.array([-1, *(int(token) for token in dataset.field2id_token["item_id"][1:])], np.int64)
    inner, known = dataset.field2token_id["user_id"], dataset.field2token_id["item_id"]
    rows = [row for row, user in enumerate(users.tolist()) if str(user) in inner]
    for start in range(0, len(rows), BATCH):
        part = rows[start : start + BATCH]
        batch = Interaction({"user_id": torch.tensor([inner[str(users[row])] for row in part])})
        scores = model.full_sort_predict(batch).view(len(part), -1)
        scores[:, 0] = -torch.inf
        for place, row in enumerate(part):
            scores[place, [known[str(item)] for item in data["matrix"][users[row]].indices]] = -torch.inf
        lists[part] = tokens[scores.topk(k).indices.numpy()]
    return lists


MODELS = {"ease": Steps(prepare, fit, rank, most_users=2_000)}
