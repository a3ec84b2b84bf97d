"""What tuning found, as a table, as JSON, as text and as lines for ``penchant.toml``."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from penchant.evaluation.line import number
from penchant.evaluation.report import Report
from penchant.evaluation.search import Trial

if TYPE_CHECKING:
    import polars as pl

__all__ = ["TuningReport", "toml", "winner"]


class TuningReport(Struct, frozen=True, eq=False):
    """What tuning found, and what it is worth on data that the search never saw.

    >>> from penchant.evaluation.setup import Setup
    >>> from penchant.evaluation.ranking import Users
    >>> from penchant.models.ease import EASE
    >>> setup = Setup("Temporal split.", "temporal", "new", Users(3, 2, 1, 0), 9, "default", 0, 0, {}, {}, {})
    >>> first, better = Trial("done", {}, (0.25, 0.35), 0.5), Trial("done", {"l2": 90.0}, (0.5, 0.375), 0.5)
    >>> about = {"metric": "ndcg@10", "space": {"l2": {"low": 1.0, "high": 100.0}}}
    >>> report = TuningReport(EASE(l2=90.0), EASE(), first, (better,), Report((), setup), about, 1.0)
    >>> print(report.toml())
    [models.ease]
    learner = "ease"
    l2 = 90.0
    >>> report.best, report.history.select("trial", "state", "value", "l2").rows()
    ({'l2': 90.0}, [(0, 'first', 0.3, None), (1, 'done', 0.4375, 90.0)])
    """

    learner: Any
    "The best learner: that of the settings the search began from, when no trial was better."
    began: Any
    "The learner that the search began from."
    first: Trial
    "What that one came to in the search."
    trials: tuple[Trial, ...]
    "All trials that came to an end, in the order they began."
    outer: Report
    "The one evaluation on the outer test side: tuned, default and popular, with intervals."
    about: dict[str, Any]
    "What was searched, where, on which data, by which metric and seed."
    seconds: float
    "What this call took; trials of former calls are not in it."

    def __repr__(self) -> str:
        return self.text

    @property
    def best(self) -> dict[str, Any]:
        """The best settings, field to value; empty when no trial beat those the search began from."""
        return dict(winner(self.first, self.trials).settings)

    @property
    def verdict(self) -> str | None:
        """Whether the tuned model is better, worse or cannot be told from the default on the metric it was tuned by.

        None when no trial beat the settings that the search began from.
        """
        mine = (line for line in self.outer.lines if line.model == "tuned" and line.name == self.about.get("metric"))
        return next((line.verdict for line in mine), None)

    @property
    def history(self) -> pl.DataFrame:
        """A polars table, one row a trial; row 0 is the settings that the search began from.

        Columns: trial (Int64), state (String), value (Float64, the mean over the windows that were looked at), windows
        (List(Float64)), seconds (Float64), why (String), and one for every field that was searched.
        """
        import polars as pl

        rows = []
        for index, trial in enumerate((self.first, *self.trials)):
            facts = {"trial": index, "state": trial.state if index else "first", "value": trial.value}
            more = {"windows": [*trial.windows], "seconds": trial.seconds, "why": trial.why}
            rows.append(facts | more | {name: trial.settings.get(name) for name in self.about.get("space", {})})
        kinds: dict[str, Any] = {"trial": pl.Int64, "state": pl.String, "value": pl.Float64}
        kinds |= {"windows": pl.List(pl.Float64), "seconds": pl.Float64, "why": pl.String}
        return pl.DataFrame(rows, schema_overrides=kinds, infer_schema_length=None)

    @property
    def text(self) -> str:
        """What was found in sentences, the outer table as Markdown, and the lines for the settings."""
        parts = [*self.sentences(), *self.outer.verdicts(), "", self.outer.markdown(), self.toml(), ""]
        return "\n".join(parts)

    def sentences(self) -> list[str]:
        """Return what the search did and found, in sentences; the verdicts are those of ``outer``."""
        metric, best = str(self.about.get("metric")), winner(self.first, self.trials)
        states = [trial.state for trial in self.trials]
        counts = ", ".join(f"{states.count(state)} {state}" for state in ("done", "stopped", "failed"))
        looks = f"{len(self.trials):,} trial{'s' * (len(self.trials) != 1)} ({counts})"
        began = number(self.first.value)
        if best is self.first:
            found = f"No trial beat the settings that the search began from: {metric} {began} in the search."
        else:
            found = (
                f"Best in the search: {metric} {number(best.value)} with "
                f"{', '.join(f'{name} = {value!r}' for name, value in best.settings.items())}; it began at {began}."
            )
        return [
            f"Tuned {self.learner.name} in {looks}.",
            found,
            "The best of many looks flatters itself. What to expect is below: one evaluation, on events that the "
            "search never saw.",
        ]

    def toml(self, name: str | None = None) -> str:
        """Return the tuned model as lines of ``penchant.toml``.

        Args:
            name: of the model in the settings; the learner's own when None.
        """
        return toml(self.learner, name)

    def json(self) -> str:
        """Return all of it as JSON, the best settings first."""
        document = {"best": self.best, **msgspec.to_builtins(self)}
        return msgspec.json.format(msgspec.json.encode(document), indent=2).decode()


def winner(first: Trial, trials: Iterable[Trial]) -> Trial:
    """Return the finished trial with the highest value, the first of equals.

    >>> first, low, high = (Trial("done", {}, (value,), 0.0) for value in (0.2, 0.2, 0.3))
    >>> winner(first, [low, high]) is high, winner(first, [low]) is first
    (True, True)
    >>> winner(first, [Trial("stopped", {}, (0.9,), 0.0)]) is first  # it looked at one window only
    True
    """
    return max((first, *(trial for trial in trials if trial.state == "done")), key=lambda trial: trial.value or 0.0)


def toml(learner: Any, name: str | None = None) -> str:
    """Return a learner as the table of ``penchant.toml`` that names its fields which are not at their defaults.

    >>> from penchant.models.itemknn import ItemKNN
    >>> print(toml(ItemKNN(k=20, similarity="bm25", mean=True), "alike"))
    [models.alike]
    learner = "item-knn"
    k = 20
    similarity = "bm25"
    mean = true
    """
    title = learner.name if name is None else name
    plain = title.replace("-", "").replace("_", "")
    lines = [f"[models.{title if plain.isalnum() and plain.isascii() else json.dumps(title)}]"]
    lines.append(f"learner = {json.dumps(learner.name)}")
    for field in msgspec.structs.fields(learner):
        value = getattr(learner, field.name)
        if value is not None and value != field.default:
            lines.append(f"{field.name} = {json.dumps(value)}")
    return "\n".join(lines)
