"""What texts such as ``ndcg@10`` name."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from penchant.core.errors import EmptyData, InputError, UnknownName
from penchant.evaluation.metrics.ranking import USER_METRICS

__all__ = [
    "DEFAULT_METRICS",
    "DEFAULT_RATINGS",
    "LIST_METRICS",
    "PARITIES",
    "RATING_METRICS",
    "SLATE_METRICS",
    "Metric",
    "parse_metrics",
]

LIST_METRICS = ("coverage", "novelty", "gini")
"The metrics that have one value for all slates together."

SLATE_METRICS = ("auc", "serendipity", "diversity", "arp", "aplt", "calibration")
"The metrics of a user that need more than hits: the catalogue, the train side or the history."

PARITIES = {
    "ndcg_parity": "user",
    "ndcg_parity_of_providers": "item",
    "exposure_parity": "item",
    "exposure_parity_by_merit": "item",
}
"The metrics that compare groups, to whose groups these are: of users, or of items."

RATING_METRICS = ("rmse", "mae", "accuracy", "f1", "answered")
"The metrics of what people say of items; they need no length."

DEFAULT_RATINGS = ("rmse", "mae", "answered")
"The metrics of ratings that need no threshold."

_KNOWN = (*USER_METRICS, *SLATE_METRICS, *LIST_METRICS, *PARITIES, *RATING_METRICS)
_GOOD = {
    **dict.fromkeys((*USER_METRICS, "auc", "serendipity", *PARITIES, "accuracy", "f1", "answered"), 1),
    **dict.fromkeys(("calibration", "rmse", "mae"), -1),
}
"Which way is better: up, down, or, for all others, neither."

_ELSEWHERE = {
    "hit_rate": "hit",
    "hitrate": "hit",
    "hit_ratio": "hit",
    "hr": "hit",
    "average_precision": "map",
    "mean_average_precision": "map",
    "mean_reciprocal_rank": "mrr",
    "reciprocal_rank": "mrr",
    "ild": "diversity",
    "intra_list_diversity": "diversity",
    "catalog_coverage": "coverage",
    "item_coverage": "coverage",
    "kl": "calibration",
    "popularity": "arp",
    "mean_absolute_error": "mae",
    "root_mean_squared_error": "rmse",
    "f1_score": "f1",
    "disparate_treatment": "exposure_parity_by_merit",
}
"What other tools call a metric, to the one name it has here."


class Metric(Struct, frozen=True):
    """A metric at a length of slate.

    >>> Metric.parse("ndcg@10"), Metric.parse("rmse").good
    (Metric(name='ndcg', k=10), -1)
    >>> str(Metric("map", 5)), str(Metric("rmse"))
    ('map@5', 'rmse')
    """

    name: str
    "A key of USER_METRICS or PARITIES, or one of SLATE_METRICS, LIST_METRICS or RATING_METRICS."
    k: int = 0
    "How many of the first ranks count, 1 or more; 0 for a metric of ratings."

    def __str__(self) -> str:
        return f"{self.name}@{self.k}" if self.k else self.name

    @property
    def per_user(self) -> bool:
        """Whether it has a value for each user."""
        return self.name not in LIST_METRICS

    @property
    def good(self) -> int:
        """1 where more is better, -1 where less is, 0 where neither is: more popular items are just more popular."""
        return _GOOD.get(self.name, 0)

    @classmethod
    def parse(cls, text: str) -> Metric:
        """Return the metric that a text such as ``ndcg@10`` names.

        Raises:
            UnknownName: there is no such metric.
            InputError: the k is missing or is not a number from 1 up, or stands where no slate is.
        """
        name, at, k = text.partition("@")
        if name not in _KNOWN:
            raise _unknown(name)
        if name in RATING_METRICS:
            if at:
                then = f"write {name}"
                raise InputError("a metric of ratings has no length of slate", got=text, then=then, field="metrics")
            return cls(name)
        if not (k.isascii() and k.isdigit() and int(k) > 0):
            raise InputError(
                "a metric needs the length of the slate",
                got=text,
                allowed="a whole number from 1 up after an @",
                then=f"write {name}@10",
                field="metrics",
            )
        return cls(name, int(k))


DEFAULT_METRICS = tuple(f"{name}@{k}" for name in (*USER_METRICS, *LIST_METRICS) for k in (5, 10, 20))
"Every metric that needs no more than slates, at 5, 10 and 20."


def parse_metrics(texts: Iterable[str] | None) -> list[Metric]:
    """Return the metrics that the texts name, each once, in the order of first mention; DEFAULT_METRICS for None.

    >>> [str(m) for m in parse_metrics(["ndcg@10", "hit@5", "ndcg@10"])]
    ['ndcg@10', 'hit@5']

    Raises:
        EmptyData: no metric is named.
        InputError: a single text is given instead of a list, or a text is no metric.
    """
    if isinstance(texts, str):
        raise InputError("metrics is a text", got=texts, allowed="a list", then=f"write [{texts!r}]", field="metrics")
    if texts is not None and not isinstance(texts, Iterable):
        then = "write ['ndcg@10'], or pass None for all"
        raise InputError("metrics is no list", got=repr(texts), allowed="a list of str", then=then, field="metrics")
    found = [Metric.parse(text) for text in (DEFAULT_METRICS if texts is None else texts)]
    if not found:
        raise EmptyData("there is no metric to compute", then="name some, or pass None for all", field="metrics")
    return list(dict.fromkeys(found))


def _unknown(name: str) -> UnknownName:
    ours = _ELSEWHERE.get(name.lower().replace("-", "_"))
    if ours is None:
        return UnknownName.of("metric", name, _KNOWN, field="metrics")
    then = f"did you mean {ours!r}?"
    return UnknownName("unknown metric", got=name, allowed=", ".join(sorted(_KNOWN)), then=then, field="metrics")
