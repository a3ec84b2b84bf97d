"""One line a model and metric, and what it says in words."""

from __future__ import annotations

import math

from msgspec import Struct

from penchant.evaluation.interval import Effect, Inconclusive, Judged
from penchant.evaluation.metrics import PARITIES, Metric

__all__ = ["Line", "cells", "number", "sentence"]


_SAME = ("better", "worse", "cannot tell")
_VERDICTS = {
    good: dict(zip(_SAME, words, strict=True))
    for good, words in {1: _SAME, -1: ("worse", "better", _SAME[2]), 0: ("higher", "lower", _SAME[2])}.items()
}
"What an effect above, below or about 0 is called, by which way of a metric is good."

_THAN = {"better": "beats", "worse": "beats", "higher": "is higher than", "lower": "is lower than"}

_FAR = 100
"A difference that takes this many times as many users is said to be out of reach."

_SMALL = 0.01
"A difference that is surely below this share of the baseline's value is said not to matter."


class Line(Struct, frozen=True):
    """One metric of one model, and how it differs from the baseline's."""

    model: str
    "Its name in the mapping that was evaluated."
    metric: str
    "The metric's name, without its k."
    k: int
    "How many ranks counted; 0 for a metric of ratings."
    value: float | None
    "The mean over users; None when there is nothing to average."
    low: float | None = None
    "Lower end of the 95% interval of the value; None when there is none."
    high: float | None = None
    "Upper end."
    diff: float | None = None
    "The value minus the baseline's; None for the baseline itself."
    diff_low: float | None = None
    "Lower end of the 95% interval of the difference."
    diff_high: float | None = None
    "Upper end."
    p: float | None = None
    "Of the difference, by paired sign flips, Holm-corrected over the models compared on this metric."
    verdict: str | None = None
    """better, worse or cannot tell; higher or lower where more is not better in itself; None for the baseline and for
    metrics of all slates together."""
    why: str | None = None
    "Why an interval is missing."
    seconds: float | None = None
    "What fitting took, as far as it was told."
    slice: str | None = None
    """The part of users or wanted items it is about, such as user.country = SE; of a parity the groups it compares,
    such as groups of user.country; None for all."""
    users: int | None = None
    "How many users it is about."
    needed: int | None = None
    "Where it cannot tell: about how many users would, were the difference what it seems."
    sampled: int | None = None
    "How many unwanted items each user's wanted ones were ranked among; None for the whole catalogue."

    @classmethod
    def of(
        cls,
        model: str,
        metric: Metric,
        mean: Effect | Inconclusive,
        difference: Effect | Judged | Inconclusive | None,
        seconds: float | None = None,
        *,
        users: int | None = None,
    ) -> Line:
        """Return the line of a mean and its difference from the baseline's.

        >>> Line.of("ease", Metric("hit", 5), Effect(0.3, 0.2, 0.4), Effect(0.1, 0.05, 0.2, p=0.01)).verdict
        'better'
        """
        low, high, why = _ends(mean)
        diff_low, diff_high, why_not = _ends(difference)
        p = difference.p if isinstance(difference, Effect | Judged) else None
        return cls(
            model=model,
            metric=metric.name,
            k=metric.k,
            value=None if math.isnan(mean.value) else mean.value,
            low=low,
            high=high,
            diff=None if difference is None or math.isnan(difference.value) else difference.value,
            diff_low=diff_low,
            diff_high=diff_high,
            p=p,
            verdict=_VERDICTS[metric.good][difference.verdict] if difference is not None and metric.per_user else None,
            why=why_not or why,
            seconds=seconds,
            users=users,
            needed=difference.needed if isinstance(difference, Effect | Judged) else None,
        )

    @property
    def measure(self) -> Metric:
        """The metric with its k, whether items were sampled or not.

        >>> str(Line("ease", "ndcg", 10, 0.1, sampled=100).measure), Line("biases", "rmse", 0, 0.9).measure.good
        ('ndcg@10', -1)
        """
        return Metric(self.metric, self.k)

    @property
    def name(self) -> str:
        """The metric with its k if it has one, such as ndcg@10; of a sample it says so: ndcg@10 (sampled, 100)."""
        return str(self.measure) if self.sampled is None else f"{self.measure} (sampled, {self.sampled:,})"

    @property
    def part(self) -> str | None:
        """The slice; None for all users, between whose groups a parity compares.

        >>> Line("ease", "ndcg_parity", 10, 0.8, slice="groups of user.country").part is None
        True
        """
        return None if self.metric in PARITIES else self.slice

    @property
    def label(self) -> str:
        """The metric with its k, and what part it is about: ndcg@10 for user.country = SE."""
        return self.name if self.slice is None else f"{self.name} for {self.slice}"


def number(value: float | None, digits: int = 4) -> str:
    """Return a number as people read it, or a dash.

    >>> number(0.01234), number(None), number(-0.00001)
    ('0.0123', '-', '0.0000')
    """
    return "-" if value is None else f"{value:z.{digits}f}"


def cells(line: Line) -> list[str]:
    """Return the seven cells of a line: model, metric, value, interval, difference with interval, p, verdict.

    >>> cells(Line("ease", "hit", 5, 0.3, 0.2, 0.4, 0.1, 0.05, 0.15, 0.001, "better"))
    ['ease', 'hit@5', '0.3000', '[0.2000, 0.4000]', '0.1000 [0.0500, 0.1500]', '0.0010', 'better']
    """
    return [
        line.model,
        line.label,
        number(line.value),
        "-" if line.low is None else f"[{number(line.low)}, {number(line.high)}]",
        number(line.diff) if line.diff_low is None else _spread(line.diff, line.diff_low, line.diff_high, digits=4),
        number(line.p),
        f"{line.verdict or '-'}{f', needs about {line.needed:,} users' if line.needed and not _far(line) else ''}",
    ]


def _ends(effect: Effect | Judged | Inconclusive | None) -> tuple[float | None, float | None, str | None]:
    if isinstance(effect, Effect):
        return effect.low, effect.high, None
    return None, None, None if effect is None else effect.why


def _spread(value: float | None, low: float | None, high: float | None, digits: int = 3) -> str:
    """Return a value with its interval, in enough digits that an end which is not 0 does not read as 0."""
    if low is not None and high is not None and low * high > 0:
        digits = min(max(digits, -math.floor(math.log10(min(abs(low), abs(high))))), 9)
    return f"{number(value, digits)} [{number(low, digits)}, {number(high, digits)}]"


def sentence(line: Line, baseline: str) -> str:
    """Return the comparison of a line in words.

    >>> tested = {"diff": -0.1, "p": 0.004, "why": "it is a difference of extremes"}
    >>> sentence(Line("knn", "ndcg_parity", 5, 0.8, verdict="worse", **tested), "popular")
    'popular beats knn on ndcg_parity@5 by 0.100 (p 0.0040)'
    >>> sentence(Line("knn", "ndcg_parity", 5, 0.8, verdict="cannot tell", **tested | {"p": 0.4}), "popular")
    'cannot tell knn from popular on ndcg_parity@5: the difference is -0.100 (p 0.4000)'

    >>> sentence(Line("knn", "hit", 5, 0.2, diff=-0.1, diff_low=-0.2, diff_high=-0.05, verdict="worse"), "popular")
    'popular beats knn on hit@5 by 0.100 [0.050, 0.200]'
    >>> unsure = {"diff": 0.01, "diff_low": -0.01, "diff_high": 0.03, "verdict": "cannot tell", "needed": 800}
    >>> sentence(Line("knn", "hit", 5, 0.2, **unsure, users=400), "popular")
    'cannot tell knn from popular on hit@5: the difference is 0.010 [-0.010, 0.030]; would need about 800 users'
    >>> sentence(Line("knn", "hit", 5, 0.2, diff=0.001, diff_low=0.0002, diff_high=0.002, verdict="better"), "popular")
    'knn beats popular on hit@5 by 0.0010 [0.0002, 0.0020]'
    """
    spread, reason = _by(line), line.why
    if line.verdict in _THAN:
        first, second = (baseline, line.model) if line.verdict == "worse" else (line.model, baseline)
        return f"{first} {_THAN[line.verdict]} {second} on {line.label} by {spread}"
    if line.diff_low is not None or line.p is not None:
        reason = f"the difference is {spread}{_why_not(line)}"
    return f"cannot tell {line.model} from {baseline} on {line.label}: {reason}"


def _by(line: Line) -> str:
    """Return the difference with what is known of chance; of one that can be told, its size."""
    value, low, high = line.diff, line.diff_low, line.diff_high
    if line.verdict in _THAN and value is not None and value < 0:
        value, low, high = -value, None if high is None else -high, None if low is None else -low
    if low is None and line.p is not None:
        return f"{number(value, 3)} (p {number(line.p)})"
    return _spread(value, low, high)


def _why_not(line: Line) -> str:
    """Return what stands in the way of a verdict, and how many users would help."""
    low, high, p = line.diff_low or 0.0, line.diff_high or 0.0, line.p
    words = f" with p {number(p)}" if low * high > 0 and p is not None else ""
    if line.value is not None and line.diff is not None and line.diff_low is not None:
        base = abs(line.value - line.diff)
        if max(abs(low), abs(high)) < _SMALL * base:
            return f"{words}; too small to matter: within {_SMALL:.0%} of {number(base)}"
    if line.needed is None:
        return words
    many = f"more than {_FAR} times as many users" if _far(line) else f"about {line.needed:,} users"
    return f"{words}; would need {many}"


def _far(line: Line) -> bool:
    return line.needed is not None and line.users is not None and line.needed > _FAR * line.users
