"""Published values on public data, and the settings that reach them; none of them was chosen on test data here."""

from __future__ import annotations

from typing import Any, NamedTuple

FULL = {"max_items": None}
"All items are candidates."
RECENT = {"delta_inf": 5.0}
"What an item of the history counts: exp(-age / 5), age in places from its end."
COSINE = {"k": 12_101, "delta_inf": 2.0, "shrinkage": 2.0}
"Chosen on the validation items; the publication does not say its own."
SLIM = {"l1": 29_858 * 0.005 * 1e-6, "l2": 29_858 * 0.005}
"Published per person (alpha .005, share of l1 1e-6); here of the sum over people."


VSTAN = {"k": 100, "sample_size": 500, "last": 2, "l_spw": None, "l_inh": 2.0}
"Chosen on the validation sessions."


class Row(NamedTuple):
    """A published value, and how to get it here."""

    data: str
    label: str
    learner: str
    "Its name in penchant.learners(); a row whose learner is not there is skipped."
    settings: dict[str, Any]
    published: dict[str, float | None]
    "Metric to value; None where nothing was published."
    heavy: bool = False
    "Takes many gigabytes and minutes; measured only when asked."


def _gowalla(label: str, learner: str, settings: dict[str, Any], values: str = "", heavy: bool = False) -> Row:
    recall, ndcg = (float(value) for value in values.split("/")) if values else (None, None)
    return Row("gowalla", label, learner, settings, {"recall@20": recall, "ndcg@20": ndcg}, heavy)


def _beauty(label: str, learner: str, settings: dict[str, Any], values: str = "") -> Row:
    recall, ndcg = (float(value) for value in values.split("/")) if values else (None, None)
    return Row("beauty", label, learner, settings, {"recall@10": recall, "ndcg@10": ndcg})


ROWS = (
    _gowalla("Popular", "popular", {}),
    _gowalla("ItemCF", "item-knn", {"k": 100, "mean": True}, ".1570/.1214"),
    _gowalla("SLIM", "slim", SLIM, ".1699/.1382"),
    _gowalla("EASE", "ease", {"l2": 80.0} | FULL, ".1765/.1467", heavy=True),
    _gowalla("EDLAE", "edlae", {"l2": 60.0, "dropout": 0.8} | FULL, heavy=True),
    _gowalla("RLAE", "rlae", {"l2": 80.0, "xi": 0.09} | FULL, heavy=True),
    _gowalla("RDLAE", "rdlae", {"l2": 80.0, "dropout": 0.8, "xi": 0.09} | FULL, heavy=True),
    _gowalla("iALS", "ials", {"factors": 128}),
    _gowalla("SANSA", "sansa", {}),
    _gowalla("UserKNN", "user-knn", {"k": 100}),
    _gowalla("BPR", "bpr", {}),
    _gowalla("RP3beta", "rp3-beta", {}),
    _gowalla("PureSVD", "pure-svd", {}),
    _gowalla("Turbo-CF", "turbo-cf", {"a": 0.6, "s": 0.7}, ".1835/.1513"),
    _gowalla("GF-CF", "gf-cf", {"factors": 256, "alpha": 0.2}, ".1849/.1518"),
    _gowalla("ChebyCF", "cheby-cf", {"factors": 512, "alpha": 0.2, "beta": 0.4, "phi": 1.5}, ".1941/.1616"),
    _beauty("Popular", "popular", {}),
    _beauty("item cosine + recency", "item-knn", COSINE, ".0659/.0400"),
    _beauty("EASE", "ease", {"l2": 10.0} | FULL),
    _beauty("EASE + recency", "ease", {"l2": 10.0} | FULL | RECENT, ".0721/.0433"),
    _beauty("iALS", "ials", {}),
    _beauty("SLIST", "slist", {"l2": 10.0, "alpha": 0.2, "delta": 1.0, "delta_inf": 2.0}, ".0840/.0541"),
    *(
        Row("beauty, all learnt", label, name, settings, {"recall@10": None, "ndcg@10": None})
        for label, name, settings in (
            ("EASE + recency", "ease", {"l2": 10.0} | FULL | RECENT),
            ("SLIST", "slist", {"l2": 10.0, "alpha": 0.2, "delta": 1.0, "delta_inf": 2.0}),
        )
    ),
    Row("serenade", "V-STAN", "vstan", VSTAN, {"mrr@20": 0.3401}),
    Row("ratings", "biased factorization", "matrix-factorization", {}, {"rmse": 0.934}),
)
"One table for all settings: data, name, learner, settings, published recall/NDCG, whether it is heavy."
