"""What the contract says of scorers: one history and many, sums, what is seen, what is unknown, ids."""

from __future__ import annotations

from functools import partial

import numpy as np
import polars as pl
import scipy.sparse as sp

from penchant.core.arrays import Float32, Int32
from penchant.core.errors import InputError, NotFound
from penchant.core.nouns import History
from penchant.data.dataset import Dataset
from penchant.models.learner import Learner
from penchant.testing.claim import Check, claim, refused
from penchant.testing.worlds import bazaar

__all__ = ["ADDING", "SCORING"]


def _one_history_scores_as_in_a_batch(learner: Learner) -> None:
    data = bazaar()
    scorer = learner.fit(data)
    top = scorer.score_batch(scorer.rows(data), scorer.n_items, exclude_seen=False)
    claim(top.items.dtype == np.int32 and top.scores.dtype == np.float32, "a batch is int32 and float32")
    for row, user in enumerate(data.users):
        scores = scorer.score(data.history(user))
        claim(scores.dtype == np.float32 and scores.shape == (data.n_items,), "score returns float32[n_items]")
        can = np.flatnonzero(~np.isnan(scores))
        order = can[np.lexsort((can, -_by_code(top.items[row], top.scores[row], data.n_items)[can]))]
        claim(set(top.items[row][: len(can)]) == set(can), f"{user}: batch and score can score other items")
        claim((top.items[row][len(can) :] == -1).all(), f"{user}: the batch ranks an item that score says NaN of")
        claim(np.isnan(top.scores[row][len(can) :]).all(), f"{user}: an empty slot of the batch has a score")
        claim(np.array_equal(top.items[row][: len(can)], order), f"{user}: equal scores are not in code order")
        near = np.allclose(top.scores[row][: len(can)], scores[order], rtol=1e-5, atol=1e-6)
        claim(
            near,
            f"{user}: batch and score differ by {np.abs(top.scores[row][: len(can)] - scores[order]).max(initial=0)}",
        )


def _what_is_seen_is_left_out(learner: Learner) -> None:
    """Also what was disliked, and what weighs nothing."""
    data = bazaar()
    scorer = learner.fit(data)
    rows = scorer.rows(data)
    claim((rows.data == 0).any(), "rows(data) loses the stored zeros, which count as seen")
    k = scorer.n_items
    new, every = (scorer.score_batch(rows, k, exclude_seen=flag) for flag in (True, False))
    for row in range(data.n_users):
        seen = rows.indices[rows.indptr[row] : rows.indptr[row + 1]]
        kept = [i for i in every.items[row] if i >= 0 and i not in set(seen)]
        claim(new.items[row][: len(kept)].tolist() == kept, f"row {row}: leaving out changes more than what is seen")
        claim((new.items[row][len(kept) :] == -1).all(), f"row {row}: something seen is recommended")


def _a_batch_takes_any_k_and_any_matrix(learner: Learner) -> None:
    data = bazaar()
    scorer = learner.fit(data)
    rows = scorer.rows(data)
    few, many = scorer.score_batch(rows, 3), scorer.score_batch(rows, 3 * scorer.n_items)
    claim(many.items.shape == (data.n_users, 3 * scorer.n_items), "k beyond the catalogue changes the shape")
    claim((many.items[:, scorer.n_items :] == -1).all(), "more items than there are")
    claim(np.array_equal(few.items, many.items[:, :3]), "the best three depend on k")
    claim(scorer.score_batch(rows[:0], 3).items.shape == (0, 3), "no histories, no rows")
    mixed = sp.csr_array((rows.data[::-1], rows.indices[::-1], _reversed(rows.indptr)), shape=rows.shape)
    before = mixed.indices.copy()
    claim(np.array_equal(scorer.score_batch(mixed, 3).items, few.items[::-1]), "the order of columns matters")
    claim(np.array_equal(mixed.indices, before), "the matrix that was given is changed")
    refused(lambda: scorer.score_batch(rows, 0), InputError, "k=0")
    refused(lambda: scorer.score_batch(rows[:, :5], 3), InputError, "a matrix with too few columns")


def _what_is_unknown_says_nothing(learner: Learner) -> None:
    scorer = learner.fit(bazaar())
    empty, unknown = scorer.score(History.of([])), scorer.score(History.of([-1, -1]))
    claim(np.array_equal(empty, unknown, equal_nan=True), "unknown items say something")
    known = scorer.score(History.of([0, 3, 1]))
    for what, history in {
        "an unknown item": History.of([-1, 0, 3, 1], at=[0, 0, 1_000_000, 2_000_000]),
        "an entry of weight 0": History.of([9, 0, 3, 1], [0, 1, 1, 1], [0, 0, 1_000_000, 2_000_000]),
    }.items():
        near = np.allclose(scorer.score(history), known, rtol=1e-6, equal_nan=True)
        claim(near, f"{what} at the start of a history changes the scores")


def _another_vocabulary_is_translated(learner: Learner) -> None:
    data = bazaar()
    scorer = learner.fit(data)
    frame = data.frame.select(
        user=data.users.series.gather(data.column("user")),
        item=data.items.series.gather(data.column("item")),
        at="at",
        kind=pl.col("kind").cast(pl.String),
        value="value",
    )
    odd = pl.DataFrame({"user": "person-000", "item": "a stranger", "at": [0], "kind": "view", "value": 1.0})
    other = Dataset.from_events(pl.concat([frame.filter(pl.col("item") != "item-001"), odd], how="vertical_relaxed"))
    rows, own = scorer.rows(other), scorer.rows(data).toarray()
    claim(rows.shape == (other.n_users, scorer.n_items), "rows(data) does not have the scorer's columns")
    own[:, data.items.code("item-001")] = 0
    kept = [data.users.code(user) for user in other.users]
    if not scorer.fades:
        claim(np.allclose(rows.toarray(), own[kept]), "rows(data) of another vocabulary puts weights in wrong columns")
    table = scorer.recommend(other, 3)
    claim(set(table["item"]) <= set(scorer.items), "an item is recommended that the scorer does not know")


def _ids_agree_with_arrays(learner: Learner) -> None:
    data = bazaar()
    scorer = learner.fit(data)
    for exclude_seen in (True, False):
        table = scorer.recommend(data, 4, exclude_seen=exclude_seen)
        top = scorer.score_batch(scorer.rows(data), 4, exclude_seen)
        claim(table.columns == ["user", "item", "score", "rank"], f"the table has the columns {table.columns}")
        for user, part in table.group_by("user"):
            row = data.users.code(str(user[0]))
            ids = scorer.items.ids(top.items[row][top.items[row] >= 0])
            claim(part["item"].to_list() == ids, f"{user}: table and arrays differ")
            claim(part["rank"].to_list() == list(range(1, len(ids) + 1)), f"{user}: ranks are not 1, 2, 3...")
        claim(table.height == (top.items >= 0).sum(), "the table has other rows than the arrays")
        ids = ["item-000", "nobody knows this", "item-005"]
        slate = scorer.recommend_one(ids, 4, exclude_seen=exclude_seen)
        codes = scorer.items.codes(ids)
        alone = scorer.score(History.of(codes))
        alone[codes[codes >= 0]] = np.nan if exclude_seen else alone[codes[codes >= 0]]
        claim(np.array_equal(slate.scores, alone[slate.items]), "recommend_one has other scores than score")
        best = np.sort(alone[~np.isnan(alone)])[::-1][:4]
        claim(np.array_equal(slate.scores, best), "recommend_one does not give the best")
        claim(slate.ids == tuple(scorer.items.ids(slate.items)), "recommend_one has ids of other items")
    refused(lambda: scorer.recommend_one("item-000"), InputError, "one id instead of a list")
    refused(lambda: scorer.recommend_one(["item-000"], n=0), InputError, "n=0")
    refused(lambda: scorer.explain(["item-000"], "nobody knows this"), NotFound, "an unknown item to explain")
    for code in np.flatnonzero(np.isnan(scorer.score(History.of([0]))))[-1:]:
        unsaid = scorer.items.ids([code])[0]
        refused(partial(scorer.explain, ["item-000"], unsaid), InputError, f"{unsaid}, which has no score, to explain")


def _contributions_sum_to_the_score(learner: Learner) -> None:
    data = bazaar()
    scorer = learner.fit(data)
    every = np.arange(scorer.n_items, dtype=np.int32)
    histories = [data.history(user) for user in data.users]
    histories += [History.of([]), History.of([-1]), History.of([3, -1, 3, 5, 3], [1, 1, 0, -1, 2])]
    histories += [History.of([46, 45]), History.of([0, 0], [1, -1])]
    for at, history in enumerate(histories):
        table, score = scorer.contributions(history, every), scorer.score(history)
        claim(table.shape == (scorer.n_items, len(history)), f"contributions have the shape {table.shape}")
        base = scorer.base(every)
        total = base + table.sum(axis=1, dtype=np.float64)
        cannot = np.isnan(score)
        if len(history):
            claim(np.array_equal(np.isnan(total), cannot), f"history {at}: NaN in the score is not NaN in its addends")
        size = np.abs(np.nan_to_num(base)) + np.abs(np.nan_to_num(table)).sum(axis=1)
        off = np.abs(total - score)[~cannot] > 1e-4 * size[~cannot] + 1e-7
        claim(not off.any(), f"history {at}: base and contributions do not sum to the score of {np.flatnonzero(off)}")
        claim(not np.nan_to_num(table[:, history.items < 0]).any(), f"history {at}: an unknown item contributes")
    asked = scorer.contributions(histories[0], np.array([-1], np.int32))
    claim(np.isnan(asked).all(), "an item of code -1 has contributions")


def _reasons_sum_to_the_score(learner: Learner) -> None:
    scorer = learner.fit(bazaar())
    ids = ["item-000", "item-002", "nobody knows this", "item-000"]
    slate = scorer.recommend_one(ids, 5, exclude_seen=False)
    claim(len(slate), "nothing is recommended for the two most wanted items")
    for item, score, reasons in zip(slate.ids, slate.scores, slate.reasons, strict=True):
        weights = [reason.weight for reason in reasons]
        size = sum(map(abs, weights))
        claim(abs(sum(weights) - score) <= 1e-4 * size + 1e-7, f"the reasons for {item} do not sum to its score")
        claim(weights == sorted(weights, key=abs, reverse=True), f"the reasons for {item} are not strongest first")
        claim(scorer.explain(ids, item) == reasons, f"explain gives other reasons for {item} than recommend_one")
        strangers = {r.evidence for r in reasons} - {*ids[:2], ""}
        claim(not strangers, f"the reasons for {item} rest on what is not in the history: {strangers}")


def _by_code(items: Int32, scores: Float32, n: int) -> Float32:
    """Return float32[n]: the scores by item code."""
    out = np.full(n, np.nan, np.float32)
    out[items[items >= 0]] = scores[items >= 0]
    return out


def _reversed(indptr: Int32) -> Int32:
    return np.asarray(indptr[-1] - indptr[::-1], np.int32)


SCORING: tuple[Check, ...] = (
    _one_history_scores_as_in_a_batch,
    _what_is_seen_is_left_out,
    _a_batch_takes_any_k_and_any_matrix,
    _what_is_unknown_says_nothing,
    _another_vocabulary_is_translated,
    _ids_agree_with_arrays,
)
"The checks of scores and ids."

ADDING: tuple[Check, ...] = (
    _contributions_sum_to_the_score,
    _reasons_sum_to_the_score,
)
"The checks of what scores are made of; a model that cannot explain itself is spared them."
