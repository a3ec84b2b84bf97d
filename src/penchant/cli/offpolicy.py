"""``penchant off-policy``: what another policy would have earned, told from a log of what was done."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from msgspec import Struct

from penchant.cli.evaluate import check_places
from penchant.cli.faults import Misuse
from penchant.cli.importing import Separator
from penchant.cli.results import deliver, file_of, tell
from penchant.cli.shown import say, show, table
from penchant.cli.state import State, state_of

if TYPE_CHECKING:
    import polars as pl

    from penchant.evaluation.offpolicy.report import OffPolicyLine, OffPolicyReport

__all__ = ["off_policy"]

_UNIFORM = "uniform"


class _Log(Struct, frozen=True):
    """The file, what its columns are, and the policy asked about."""

    path: Path
    action: str
    reward: str
    propensity: str
    position: str | None
    unit: str | None
    slate: str | None
    chained: str | None
    context: tuple[str, ...]
    target: str | None
    target_chained: str | None
    policy: str | None
    probabilities: Path | None
    scores: Path | None
    temperature: float
    separator: str | None


def off_policy(
    context: typer.Context,
    *,
    path: Annotated[Path, typer.Argument(metavar="LOG", help="CSV, Parquet or JSON Lines, gzip too; a row a round.")],
    action: Annotated[str, typer.Option(metavar="COLUMN", help="What was done.")] = "action",
    reward: Annotated[str, typer.Option(metavar="COLUMN", help="What came of it.")] = "reward",
    propensity: Annotated[str, typer.Option(metavar="COLUMN", help="The chance it was drawn with.")] = "propensity",
    position: Annotated[str | None, typer.Option(metavar="COLUMN", help="The slot it was shown in.")] = None,
    unit: Annotated[str | None, typer.Option(metavar="COLUMN", help="Whose round it is: the unit of chance.")] = None,
    known: Annotated[
        str | None, typer.Option("--context", metavar="A,B", help="Columns known before the draw, for the model.")
    ] = None,
    slate: Annotated[str | None, typer.Option(metavar="COLUMN", help="Rows are slots of these slates.")] = None,
    chained: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Of slates: the chance given the slots above.")
    ] = None,
    policy: Annotated[
        str | None, typer.Option(metavar="uniform", help="Ask about the policy that draws evenly.")
    ] = None,
    target: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="The chance the policy asked about gives to what was done.")
    ] = None,
    target_chained: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Of slates: the same given the slots above.")
    ] = None,
    probabilities: Annotated[
        Path | None, typer.Option(metavar="PATH", help="A file of its chances: action, probability; or a column each.")
    ] = None,
    scores: Annotated[
        Path | None, typer.Option(metavar="PATH", help="A file of scores it draws by: action, score; or a column each.")
    ] = None,
    temperature: Annotated[float, typer.Option(metavar="T", help="Of --scores; 0 always takes the best.")] = 1.0,
    estimators: Annotated[str | None, typer.Option(metavar="A,B", help="These only.")] = None,
    tuning: Annotated[str, typer.Option(metavar="NAME", help="How much is clipped: bound or slope.")] = "bound",
    level: Annotated[float, typer.Option(metavar="X", help="The share of intervals that hold the truth.")] = 0.95,
    seed: Annotated[int, typer.Option(metavar="N", help="Of the folds of the reward model.")] = 0,
    separator: Separator = None,
    json: Annotated[
        str | None, typer.Option(metavar="PATH", help="Write all of it as JSON; - prints only that.")
    ] = None,
) -> None:
    """Tell from a log what another policy would earn."""
    state = state_of(context)
    check_places(None, file_of(json))
    log = _Log(
        path, action, reward, propensity, position, unit, slate, chained, tuple(filter(None, (known or "").split(","))),
        target, target_chained, policy, probabilities, scores, temperature, separator,
    )  # fmt: skip
    _check(log)
    chosen = None if estimators is None else estimators.split(",")
    if slate is None:
        report = _of_rounds(state, log, {"estimators": chosen, "tuning": tuning, "level": level, "rng": seed})
    else:
        report = _of_slates(state, log, {"estimators": chosen, "level": level})
    tell(json, deliver(json, report.json, lambda: _show(report)))


def _check(log: _Log) -> None:
    """Refuse options that do not go together, before anything is read."""
    asked = {
        "--policy": log.policy,
        "--target": log.target,
        "--probabilities": log.probabilities,
        "--scores": log.scores,
    }
    said = [name for name, value in asked.items() if value is not None]
    if len(said) != 1:
        raise Misuse(
            f"say which policy is asked about, by one of {', '.join(asked)}; got {' and '.join(said) or 'none'}"
        )
    if log.policy not in (None, _UNIFORM):
        raise Misuse(
            f"--policy is uniform; got {log.policy}; any other goes into --target, --probabilities or --scores"
        )
    if log.slate is None:
        if log.chained is not None or log.target_chained is not None:
            raise Misuse("--chained and --target-chained are about slates; got no --slate")
        return
    if log.position is None:
        raise Misuse("--slate needs --position, the order of the slots; got none")
    if log.target is None and log.policy is None:
        raise Misuse(f"of slates the policy is a column: --target, or --policy uniform; got {said[0]}")
    if log.context:
        raise Misuse("--context is for the reward model, which slates have none of; got it with --slate")


def _of_rounds(state: State, log: _Log, how: dict[str, Any]) -> OffPolicyReport:
    from penchant.evaluation.offpolicy import estimate
    from penchant.evaluation.offpolicy.frames import in_numbers, uniform
    from penchant.evaluation.offpolicy.logged import Logged

    frame = _read(
        state, log, [log.action, log.reward, log.propensity, log.position, log.unit, log.target, *log.context]
    )
    wide = in_numbers(frame.select(log.context)) if log.context else None
    if wide is not None:
        frame = frame.drop(log.context).hstack(wide)
    logged = Logged.from_frame(
        frame,
        action=log.action,
        reward=log.reward,
        propensity=log.propensity,
        position=log.position,
        unit=log.unit,
        context=() if wide is None else wide.columns,
    )
    if log.target is not None:
        aim: Any = frame[log.target].to_numpy()
    elif log.policy is not None:
        aim = uniform(logged.n_actions)
    else:
        aim = _of_file(state, log, logged)
    with state.progress().step("estimating", 1):
        return estimate.off_policy(logged, aim, **how)


def _of_file(state: State, log: _Log, logged: Any) -> Any:
    """Return the probabilities of the policy that a file describes."""
    from penchant.core.errors import MissingColumn
    from penchant.data.fields import ids
    from penchant.data.tables import read_columns
    from penchant.evaluation.offpolicy.frames import scored, softmax

    place, value = (log.scores, "score") if log.scores is not None else (log.probabilities, "probability")
    how: dict[str, Any] = {"separator": log.separator, "progress": state.progress()}
    try:
        found = read_columns(place, ["action", value], **how)
        found = found.with_columns(ids(found["action"], "action").alias("action"))
    except MissingColumn as error:
        try:
            found = read_columns(place, list(logged.items), **how)
        except MissingColumn:
            allowed = f"action and {value}, or a column an action, such as {logged.items[0]}"
            raise MissingColumn(error.what, got=error.got, allowed=allowed, field=value) from error
    numbers = scored(found, logged.items, logged.rounds, value)
    return softmax(numbers, log.temperature) if log.scores is not None else numbers


def _of_slates(state: State, log: _Log, how: dict[str, Any]) -> OffPolicyReport:
    import numpy as np

    from penchant.evaluation.offpolicy.frames import slates_of
    from penchant.evaluation.offpolicy.slates import off_policy_slates

    columns = {
        "reward": log.reward,
        "propensity": log.propensity,
        "chained": log.chained,
        "target": log.target,
        "target_chained": log.target_chained,
    }
    named = {name: column for name, column in columns.items() if column is not None}
    slate, position = str(log.slate), str(log.position)
    extra = [log.action] if log.policy is not None else []
    frame = _read(state, log, [slate, position, log.unit, *extra, *named.values()])
    logged, other = slates_of(frame, slate, position, named, log.unit)
    aim = other.get("target")
    if aim is None:
        aim = np.full(logged.reward.shape, 1 / frame[log.action].n_unique())
    with state.progress().step("estimating", 1):
        return off_policy_slates(logged, aim, chained=other.get("target_chained"), **how)


def _read(state: State, log: _Log, columns: list[str | None]) -> pl.DataFrame:
    """Return the columns of the log; those of ids as text."""
    from penchant.data.fields import ids
    from penchant.data.tables import read_columns

    named = [column for column in columns if column is not None]
    frame = read_columns(log.path, named, separator=log.separator, progress=state.progress())
    texts = [column for column in (log.action, log.unit, log.slate) if column in frame.columns]
    return frame.with_columns(ids(frame[str(column)], str(column)).alias(str(column)) for column in texts)


def _show(report: OffPolicyReport) -> None:
    from penchant.evaluation.line import number

    heads = ("estimator", "value", "difference from the log", "effective rounds", "verdict")
    made = table(*heads, right=heads[1:4])
    for line in report.lines:
        ess = "-" if line.ess is None else f"{line.ess:,.0f}"
        made.add_row(
            line.estimator,
            _between(number(line.value), line.low, line.high),
            _between(number(line.diff), line.diff_low, line.diff_high),
            ess,
            "refused" if line.value is None else line.verdict,
        )
    show(made)
    say(f"  {report.verdict}")
    for text in (*report.about(), *_overlap(report), *_reasons(report.lines)):
        say(f"  {text}")


def _between(value: str, low: float | None, high: float | None) -> str:
    from penchant.evaluation.line import number

    return value if low is None else f"{value} [{number(low)}, {number(high)}]"


def _overlap(report: OffPolicyReport) -> list[str]:
    """Return the diagnostics that the sentences of the report leave out."""
    if report.overlap is None:
        return []
    shape = "none to speak of" if report.overlap.tail is None else f"{report.overlap.tail:.2f} (at most 0.5 may be)"
    told = [f"Tail of the weights: {shape}."]
    if report.overlap.unsupported is not None:
        told.append(f"On actions that the log says nothing of: {report.overlap.unsupported:.1%} of the policy.")
    return told


def _reasons(lines: tuple[OffPolicyLine, ...]) -> list[str]:
    """Return why estimators say nothing, those of one reason together."""
    reasons: dict[str, list[str]] = {}
    for line in lines:
        if line.why:
            reasons.setdefault(line.why, []).append(line.estimator)
    return [f"{', '.join(names)}: {why}." for why, names in reasons.items()]
