"""Evaluations as tables and sentences. Commands import this as they start, so it imports nothing heavy."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from penchant.cli.shown import say, show, table

if TYPE_CHECKING:
    import typer

    from penchant.evaluation.line import Line
    from penchant.evaluation.report import Report

__all__ = ["SHOWN", "command_of", "document", "show_reports", "write_forms"]

SHOWN = ("ndcg@10", "recall@20", "hit@10", "coverage@10")
"The metrics that tables show when none are named."

_PLACES = ("json", "html", "plot", "markdown", "latex")
"Options that say where results go, and nothing about what they are."

_TOLD = ("leak", "sampled", "titles")
"Warnings that the sentences above say already, or that concern the page alone."

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


def command_of(context: typer.Context, settings: Path) -> str:
    """Return the command as one would type it again, without where its results were written.

    >>> import typer
    >>> from penchant.cli.app import COMMANDS
    >>> command = COMMANDS.get_command(typer.Context(COMMANDS), "evaluate")
    >>> asked = command.make_context("evaluate", ["--test", "14d", "--html", "report.html"])
    >>> command_of(asked, Path("penchant.toml"))
    'penchant evaluate --test 14d'
    """
    words = ["penchant", *([] if settings == Path("penchant.toml") else ["--settings", str(settings)])]
    words.append(str(context.info_name))
    for parameter in context.command.params:
        value = context.params.get(parameter.name or "")
        if parameter.name in _PLACES or value is None or value == parameter.get_default(context):
            continue
        for part in value if isinstance(value, list | tuple) else [value]:
            option = [] if parameter.param_type_name == "argument" else [max(parameter.opts, key=len)]
            words += option if part is True else [*option, str(part)]
    return shlex.join(words)


def write_forms(
    report: Report,
    places: Mapping[str, Path | None],
    shown: Sequence[str],
    suffix: str = "",
    *,
    quiet: Collection[str] = (),
) -> list[Path]:
    """Write a report in each form that a place was named for, and return the places.

    >>> from tempfile import TemporaryDirectory
    >>> from penchant.evaluation.line import Line
    >>> from penchant.evaluation.ranking import Users
    >>> from penchant.evaluation.report import Report
    >>> from penchant.evaluation.setup import Setup
    >>> setup = Setup("Random split.", "random", "new", Users(3, 2, 1, 0), 9, "popular", 0, 0, {}, {}, {})
    >>> report = Report((Line("popular", "hit", 5, 0.1),), setup)
    >>> with TemporaryDirectory() as folder:
    ...     made = write_forms(report, {"latex": Path(folder, "table.tex"), "html": None}, ["hit@5"], "-new")
    ...     [place.name for place in made], made[0].read_text().count("begin{")
    (['table-new.tex'], 1)

    Args:
        report: what was found.
        places: html, plot, markdown and latex, to the file of each.
        shown: the metrics of the tables, those that the report has; a plot shows the first.
        suffix: put behind the name of each file.
        quiet: columns whose slices the tables leave to the page.

    Raises:
        InputError: a file cannot be written.
    """
    from penchant.evaluation.page import write

    metrics = [name for name in shown if name in report.names]
    by = [column for column in report.setup.by if column not in quiet]
    ways: dict[str, Callable[[Path], None]] = {
        "html": report.html,
        "plot": lambda path: report.plot(path, shown[0]),
        "markdown": lambda path: write(path, report.markdown(metrics, by).encode()),
        "latex": lambda path: write(path, report.latex(metrics, by).encode()),
    }
    written = []
    for form, place in places.items():
        if place is not None:
            written.append(place.with_stem(f"{place.stem}{suffix}"))
            ways[form](written[-1])
    return written


def show_reports(reports: Mapping[str, Report], shown: Sequence[str] = SHOWN, quiet: Collection[str] = ()) -> None:
    """Print a table for each task, the verdicts on the metrics shown, and what was measured.

    Of slices the verdicts on the first metric that has any are printed, but for the columns in ``quiet``.

    >>> from penchant.evaluation.line import Line
    >>> from penchant.evaluation.setup import Setup
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
        _show(task, report, [name for name in shown if name in report.names], quiet)


def _show(task: str, report: Report, shown: Sequence[str], quiet: Collection[str]) -> None:
    from penchant.evaluation.line import number, sentence

    lines: dict[str, dict[str, Line]] = {}
    for line in report.lines:
        lines.setdefault(line.model, {}).setdefault(str(line.measure), line)  # all users come before any slice
    judged = next((name for name in shown if any(line.verdict for line in report.of(name))), None)
    verdict = f"against {report.setup.baseline}" + (f" on {judged}" if judged else "")
    heads = [report.of(name)[0].name for name in shown]
    made = table("model", *heads, "fit s", verdict, title=_TITLES.get(task, task), right=(*heads, "fit s"))
    for model, found in lines.items():
        cells = [_cell(found.get(name)) for name in shown]
        against = found[judged].verdict if judged in found else None
        seconds = next(iter(found.values())).seconds
        made.add_row(model, *cells, number(seconds, 2), against or "-")
    show(made)
    told = [line for line in report.lines if line.verdict is not None and str(line.measure) in shown]
    told = [line for line in told if line.part is None or line.part.partition(" = ")[0] not in quiet]
    short = [line for line in told if line.part is None or str(line.measure) == judged]
    for line in short:
        say(f"  {sentence(line, report.setup.baseline)}")
    if len(short) < len(told):
        say(f"  {len(told) - len(short):,} more verdicts on slices, by the other metrics, are in what --json writes.")
    for text in report.about():
        say(f"  {_P.sub('', text)}")
    for caution in report.cautions():
        if caution.code not in _TOLD:
            say(f"  mind: {caution.text} {caution.then}")
    say("")


def _cell(line: Line | None) -> str:
    from penchant.evaluation.line import number

    if line is None:
        return "-"
    return number(line.value) if line.low is None else f"{number(line.value)} [{number(line.low)}, {number(line.high)}]"
