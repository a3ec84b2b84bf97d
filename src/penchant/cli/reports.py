"""Evaluations as tables and sentences. Commands import this as they start, so it imports nothing heavy."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from penchant.cli.shown import say, show, table

if TYPE_CHECKING:
    from penchant.evaluation.line import Line
    from penchant.evaluation.report import Report

__all__ = ["SHOWN", "document", "show_reports"]

SHOWN = ("ndcg@10", "recall@20", "hit@10", "coverage@10")
"The metrics that tables show when none are named."

_P = re.compile(r" p: [^.]*\.$")
"The sentence about p-values, which the tables here do not show."

_TITLES = {
    "new": "New items: what the person had not had before",
    "repeat": "Repeats: what the person had before",
    "any": "All items: what comes next, had before or not",
    "rating": "Ratings: what the person says of an item",
}


def document(reports: Mapping[str, Report]) -> str:
    """Return the reports as one JSON document, task to report.

    >>> document({})
    '{}'
    """
    return msgspec.json.format(msgspec.json.encode(dict(reports)), indent=2).decode()


def show_reports(reports: Mapping[str, Report], shown: Sequence[str] = SHOWN) -> None:
    """Print a table for each task, the verdicts on the metrics shown, and what was measured.

    >>> from penchant.evaluation.line import Line, Setup
    >>> from penchant.evaluation.ranking import Users
    >>> from penchant.evaluation.report import Report
    >>> setup = Setup("Random split.", "random", "new", Users(3, 2, 1, 0), 9, "popular", 0, 0, {}, {}, {})
    >>> line = Line("ease", "ndcg", 10, 0.3, 0.2, 0.4, 0.012, 0.009, 0.015, 0.001, "better", seconds=1.5)
    >>> show_reports({"new": Report((line,), setup)})  # doctest: +ELLIPSIS
    New items: what the person had not had before...
    ease    0.3000 [0.2000, 0.4000]    1.50   better...
      ease beats popular on ndcg@10 by 0.012 [0.009, 0.015]
      Random split...
    """
    for task, report in reports.items():
        _show(task, report, [name for name in shown if any(line.name == name for line in report.lines)])


def _show(task: str, report: Report, shown: Sequence[str]) -> None:
    from penchant.evaluation.line import number, sentence

    lines: dict[str, dict[str, Line]] = {}
    for line in report.lines:
        lines.setdefault(line.model, {}).setdefault(line.name, line)  # all users come before any slice
    judged = next((name for name in shown if any(line.name == name and line.verdict for line in report.lines)), None)
    verdict = f"against {report.setup.baseline}" + (f" on {judged}" if judged else "")
    made = table("model", *shown, "fit s", verdict, title=_TITLES.get(task, task), right=(*shown, "fit s"))
    for model, found in lines.items():
        cells = [_cell(found.get(name)) for name in shown]
        against = found[judged].verdict if judged in found else None
        seconds = next(iter(found.values())).seconds
        made.add_row(model, *cells, number(seconds, 2), against or "-")
    show(made)
    told = [line for line in report.lines if line.verdict is not None and line.name in shown]
    short = [line for line in told if line.slice is None or " = " not in line.slice or line.name == judged]
    for line in short:
        say(f"  {sentence(line, report.setup.baseline)}")
    if len(short) < len(told):
        say(f"  {len(told) - len(short):,} more verdicts on slices, by the other metrics, are in what --json writes.")
    for text in report.about():
        say(f"  {_P.sub('', text)}")
    say("")


def _cell(line: Line | None) -> str:
    from penchant.evaluation.line import number

    if line is None:
        return "-"
    return number(line.value) if line.low is None else f"{number(line.value)} [{number(line.low)}, {number(line.high)}]"
