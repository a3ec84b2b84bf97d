"""What off-policy evaluation found, as a table, as JSON, as text and as sentences."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Self

import msgspec
from msgspec import Struct

from penchant.evaluation.interval import Effect, Inconclusive
from penchant.evaluation.line import number
from penchant.evaluation.offpolicy.diagnostics import Overlap

if TYPE_CHECKING:
    import polars as pl

__all__ = ["OffPolicyLine", "OffPolicyReport"]

_TRUSTED = ("dr", "sndr", "snips", "ips", "dros", "switch-dr", "clipped-ips")
_TRUSTED_SLATES = ("reward-interaction", "pseudo-inverse", "independent", "whole-slate")


class OffPolicyLine(Struct, frozen=True):
    """What one estimator says.

    >>> import numpy as np
    >>> OffPolicyLine.of("ips", Effect(0.3, 0.2, 0.4), Effect(0.1, 0.05, 0.15), Overlap.of(np.ones(200))).verdict
    'better'
    """

    estimator: str
    "Its name."
    value: float | None
    "The target policy's mean reward a round; None where the estimate is refused."
    low: float | None = None
    "Lower end of the interval."
    high: float | None = None
    "Upper end."
    diff: float | None = None
    "The value minus the logging policy's."
    diff_low: float | None = None
    "Lower end of the interval of the difference."
    diff_high: float | None = None
    "Upper end."
    verdict: str = "cannot tell"
    "better or worse than the logging policy, or cannot tell."
    ess: float | None = None
    "Effective rounds of the weights it uses; None for a model alone."
    setting: float | None = None
    "The tau or lambda it settled for; None when nothing is clipped."
    bias: float = 0.0
    "The most that clipping may have shifted it; the interval allows for it."
    why: str | None = None
    "Why there is no estimate or no interval."

    @classmethod
    def of(
        cls,
        estimator: str,
        mean: Effect | Inconclusive,
        difference: Effect | Inconclusive,
        overlap: Overlap | None,
        *,
        setting: float | None = None,
        bias: float = 0.0,
    ) -> Self:
        """Return the line of a mean and its difference from the logging policy's."""
        sure = isinstance(mean, Effect) and isinstance(difference, Effect)
        why = next((each.why for each in (mean, difference) if isinstance(each, Inconclusive)), None)
        return cls(
            estimator=estimator,
            value=None if math.isnan(mean.value) else mean.value,
            low=mean.low if isinstance(mean, Effect) else None,
            high=mean.high if isinstance(mean, Effect) else None,
            diff=None if math.isnan(difference.value) else difference.value,
            diff_low=difference.low if isinstance(difference, Effect) else None,
            diff_high=difference.high if isinstance(difference, Effect) else None,
            verdict=difference.verdict if sure else "cannot tell",
            ess=None if overlap is None else overlap.ess,
            setting=setting,
            bias=bias,
            why=why,
        )


class OffPolicyReport(Struct, frozen=True, eq=False):
    """What off-policy evaluation found.

    >>> line = OffPolicyLine("dr", 0.3, 0.2, 0.4, 0.1, 0.05, 0.15, "better", 500.0)
    >>> OffPolicyReport((line,), 0.2, 1000, 0.95).verdict
    'By dr the policy earns 0.3000 [0.2000, 0.4000] a round, 0.1000 [0.0500, 0.1500] more than the logging policy: ...'
    """

    lines: tuple[OffPolicyLine, ...]
    "A line for every estimator, in the order asked for."
    logged: float
    "The logging policy's own mean reward a round."
    rounds: int
    "Rounds or slates in the log."
    level: float
    "The share of intervals that hold the truth, where the log can speak for the policy."
    overlap: Overlap | None = None
    "How much of the log bears on the policy, by the weights as they are."

    def __repr__(self) -> str:
        return self.markdown()

    @property
    def table(self) -> pl.DataFrame:
        """A polars table, one row an estimator; its columns are the fields of :class:`OffPolicyLine`."""
        import polars as pl

        texts = ("estimator", "verdict", "why")
        names = OffPolicyLine.__struct_fields__
        schema = {name: pl.String if name in texts else pl.Float64 for name in names}
        return pl.DataFrame([msgspec.structs.asdict(line) for line in self.lines], schema=schema)

    @property
    def best(self) -> OffPolicyLine:
        """The line to go by: of those with an interval, that whose assumptions are mildest; without any, the first."""
        sure = {line.estimator: line for line in self.lines if line.diff_low is not None}
        order = (*_TRUSTED, *_TRUSTED_SLATES)
        return next((sure[name] for name in order if name in sure), self.lines[0])

    @property
    def verdict(self) -> str:
        """The answer in one sentence."""
        return _sentence(self.best)

    def verdicts(self) -> list[str]:
        """Return a sentence for every estimator."""
        return [_sentence(line) for line in self.lines]

    def about(self) -> list[str]:
        """Return sentences that say what was measured and what the intervals mean."""
        notes = [f"The logging policy earned {self.logged:.4g} a round in {self.rounds:,} rounds."]
        if self.overlap is not None:
            notes.append(
                f"Overlap: the log is worth {self.overlap.ess:,.0f} of its {self.overlap.rounds:,} rounds to this "
                f"policy; the heaviest has {self.overlap.largest:.2%} of all weight, and the mean weight is "
                f"{self.overlap.mean:.3f} (1 is due)."
            )
        notes.append(
            f"Intervals: {self.level:.0%}, from the spread of what each round contributes, corrected for skewness; "
            "where weights are clipped they are widened by the most that clipping may hide. A model alone (dm) has "
            "none: its error is not chance."
        )
        said = {line.estimator: line for line in self.lines}
        dm, best = said.get("dm"), self.best
        ends = (best.low, best.high) if best.low is not None and best.high is not None else (-math.inf, math.inf)
        if dm and dm.value is not None and not ends[0] <= dm.value <= ends[1]:
            notes.append(f"The reward model says {dm.value:.4g}, outside of {best.estimator}'s interval: it errs.")
        return notes

    def json(self) -> str:
        """Return the report as JSON; ``msgspec.json.decode(text, type=OffPolicyReport)`` reads it back."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2).decode()

    def markdown(self) -> str:
        """Return the table and the sentences as Markdown."""
        interval = f"{self.level:.0%} interval"
        head = ["estimator", "value", interval, "difference", interval, "effective rounds", "verdict"]
        rows = [head, ["---", "---:", "---:", "---:", "---:", "---:", "---"], *map(_cells, self.lines)]
        table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
        notes = [self.verdict, *self.about()]
        reasons: dict[str, list[str]] = {}
        for line in self.lines:
            reasons.setdefault(line.why or "", []).append(line.estimator)
        notes += [f"{', '.join(names)}: {why}." for why, names in reasons.items() if why]
        return f"{table}\n\n" + "\n".join(f"- {note}" for note in notes) + "\n"


def _cells(line: OffPolicyLine) -> list[str]:
    return [
        line.estimator,
        number(line.value),
        _ends(line.low, line.high),
        number(line.diff),
        _ends(line.diff_low, line.diff_high),
        "-" if line.ess is None else f"{line.ess:,.0f}",
        line.verdict,
    ]


def _ends(low: float | None, high: float | None) -> str:
    return "-" if low is None else f"[{number(low)}, {number(high)}]"


def _sentence(line: OffPolicyLine) -> str:
    """Return in words what an estimator says of the target policy beside the logging policy."""
    if line.diff is None or line.diff_low is None or line.diff_high is None:
        return f"By {line.estimator} one cannot tell: {line.why}."
    earns = f"By {line.estimator} the policy earns {number(line.value)} {_ends(line.low, line.high)} a round"
    if line.verdict == "worse":
        less = f"{number(-line.diff)} {_ends(-line.diff_high, -line.diff_low)} less"
        return f"{earns}, {less} than the logging policy: it is worse."
    more = f"{number(line.diff)} {_ends(line.diff_low, line.diff_high)}"
    if line.verdict == "better":
        return f"{earns}, {more} more than the logging policy: it is better."
    return f"{earns}; the difference from the logging policy is {more}: one cannot tell which is better."
