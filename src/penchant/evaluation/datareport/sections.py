"""The report as tables of text, which every form of it shows."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from penchant.evaluation.datareport import thresholds as limit
from penchant.evaluation.datareport.facts import Facts
from penchant.evaluation.datareport.findings import Finding
from penchant.evaluation.datareport.spread import Spread

__all__ = ["Section", "lead", "sections", "verdicts"]

_ABOUT = {"evaluation": "Splits", "model": "Models", "placement": "Placements", "data": "The data itself"}
_EMPTY_ROW = "-"

_MEASURES = (
    "PSI = sum (a - b) ln(a / b) over the shares of the bins, which are the kinds; the items with at least "
    f"{limit.PSI_COUNT} events in both windows together, and all others; tenths of the users' activity.",
    f"Below {limit.PSI_MODERATE:.2f} it is stable, from {limit.PSI_LARGE:.2f} large (Lewis 1994; Siddiqi 2006). "
    "Chance: what it stays below in 95 of 100 cases when nothing changes, (1/n + 1/m) chi2(bins - 1) (Yurdakul and "
    "Naranjo 2020); a smaller one is stable.",
    "KS: the largest distance of the cumulative distributions of events per item, or per user, with its p (an upper "
    "bound, for counts have ties). New: share of the events about items that the window before had none of.",
)


class Section(Struct, frozen=True):
    """A table with a title and what one should know to read it.

    >>> Section("Kinds", ("kind", "events"), (("view", "3"),)).rows
    (('view', '3'),)
    """

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()
    "Sentences below it."
    words: tuple[int, ...] = (0,)
    "Columns of text; the others are numbers."


def lead(facts: Facts) -> str:
    """Return the whole in one sentence.

    >>> import penchant as pt
    >>> from penchant.testing import checkerboard
    >>> lead(pt.data_report(checkerboard(8)))
    '32 events of 8 users and 8 items, all at 1970-01-01 00:00 (UTC); 50.0% of all pairs are filled.'
    """
    size = facts.size
    first, last = (moment[:16].replace("T", " ") for moment in (size.first, size.last))
    when = f"all at {first} (UTC)" if size.moments == 1 else f"{first} to {last} (UTC)"
    filled = f"{size.density:.3g}" if size.density < 1e-4 else f"{size.density:.2%}" if size.density < 0.1 else None
    filled = f"{100 * size.density:.2g}%" if filled and size.density < 1e-4 else filled or f"{size.density:.1%}"
    users, items = _many(size.users, "user"), _many(size.items, "item")
    return f"{_many(size.events, 'event')} of {users} and {items}, {when}; {filled} of all pairs are filled."


def verdicts(findings: Sequence[Finding]) -> list[Section]:
    """Return the verdicts, a table for what they are about.

    >>> [section.title for section in verdicts([Finding("drift", "data", "with care", "it drifts", {})])]
    ['The data itself']
    """
    return [
        Section(
            title,
            ("subject", "verdict", "why"),
            tuple((each.subject, each.verdict, each.why) for each in findings if each.about == about),
            words=(0, 1, 2),
        )
        for about, title in _ABOUT.items()
        if any(each.about == about for each in findings)
    ]


def sections(facts: Facts) -> list[Section]:
    """Return the figures, a table for each part.

    >>> import penchant as pt
    >>> from penchant.testing import checkerboard
    >>> [section.title for section in sections(pt.data_report(checkerboard(8)))][:3]
    ['Size', 'Kinds of event', 'Activity']
    """
    made = [_reading(facts), _size(facts), _kinds(facts), _activity(facts), _tail(facts), _repeats(facts)]
    made += [_sessions(facts), _suspicions(facts), _catalogue(facts), _drift(facts)]
    return [section for section in made if section is not None]


def _many(n: int, what: str) -> str:
    return f"1 {what}" if n == 1 else f"{n:,} {what}s"


def _reading(facts: Facts) -> Section | None:
    read = facts.reading
    if read is None:
        return None
    rows = [("read", f"{read.read:,}"), ("accepted", f"{read.accepted:,}")]
    rows += [(f"refused: {reason}", f"{count:,}") for reason, count in read.reasons.items()]
    return Section("Rows", ("rows", "number"), tuple(rows), read.notes)


def _size(facts: Facts) -> Section:
    size = facts.size
    rows = (
        ("events", f"{size.events:,}"),
        ("users with events", f"{size.users:,}"),
        ("items with events", f"{size.items:,}"),
        ("pairs of user and item", f"{size.pairs:,}"),
        ("sparsity: 1 - pairs / (users x items)", f"{1 - size.density:.4%}"),
        ("days from first to last", f"{size.days:,.1f}"),
        ("different times", f"{size.moments:,}"),
        (f"parts of the time without events ({facts.timeline.unit}s)", f"{facts.timeline.empty:,}"),
        ("users of the last fifth of the time", f"{size.recent:,}"),
        ("of them known before", f"{size.returning:,}"),
    )
    return Section("Size", ("figure", "value"), rows)


def _kinds(facts: Facts) -> Section:
    heads = ("kind", "events", "share", "users", "items", "weight", "least value", "mean", "greatest", "0 or less")
    rows = tuple(
        (
            kind.name + ("" if kind.known else " (no weight set)"),
            *(f"{kind.events:,}", f"{kind.share:.1%}", f"{kind.users:,}", f"{kind.items:,}", f"{kind.weight:g}"),
            *(f"{kind.low:,.6g}", f"{kind.mean:,.4g}", f"{kind.high:,.6g}", f"{kind.below:,}"),
        )
        for kind in facts.kinds
    )
    return Section("Kinds of event", heads, rows)


def _activity(facts: Facts) -> Section:
    spreads = (facts.users, facts.tastes, facts.items, facts.audience)
    heads = ("count", "of", "mean", "least", "10%", "25%", "median", "75%", "90%", "99%", "greatest", "just 1")
    note = "10%: the smallest count that at least 10% of them do not exceed; the others likewise."
    return Section("Activity", heads, tuple(map(_quantiles, spreads)), (note,))


def _quantiles(spread: Spread) -> tuple[str, ...]:
    numbers = (f"{value:,}" for value in spread.quantiles.values())
    return (spread.what, f"{spread.n:,}", f"{spread.mean:,.1f}", *numbers, f"{spread.once:,}")


def _tail(facts: Facts) -> Section:
    rows = tuple(
        (name, f"{spread.gini:.3f}", *(f"{share:.1%}" for share in spread.top.values()))
        for name, spread in {"items": facts.items, "users": facts.users}.items()
    )
    note = "Gini: 0 when all have as many events, near 1 when one has all. The shares are of the events."
    return Section("Long tail", ("of", "Gini", "top 1%", "top 10%", "top 20%"), rows, (note,))


def _repeats(facts: Facts) -> Section | None:
    if not facts.repeats:
        return None
    rows = tuple(
        (
            *(each.kind, f"{each.pairs:,}", f"{each.repeated:,}", _percent(each.rate), _percent(each.events)),
            *(_percent(each.users), _EMPTY_ROW if each.days is None else f"{each.days:,.1f}"),
        )
        for each in facts.repeats
    )
    heads = ("kind", "pairs", "repeated", "repeat rate", "of events", "of users", "median days between")
    note = "A pair of user and item is repeated when it has events on two days (UTC) or more."
    return Section("Repeats", heads, rows, (note,))


def _sessions(facts: Facts) -> Section:
    found = facts.sessions
    heads = ("count", "of", "mean", "least", "10%", "25%", "median", "75%", "90%", "99%", "greatest", "just 1")
    notes = (
        f"Rule: {found.rule}.",
        f"{found.one:.1%} of the users have one session, {found.single:.1%} of the sessions one event; the median "
        f"session lasts {found.minutes:,.1f} minutes.",
    )
    return Section("Sessions", heads, tuple(map(_quantiles, (found.length, found.per_user))), notes)


def _suspicions(facts: Facts) -> Section:
    rows = tuple((each.name, f"{each.users:,}", f"{each.events:,}", f"{each.share:.2%}") for each in facts.suspicions)
    rules = (f"{each.name}: {each.rule}." for each in facts.suspicions)
    note = "A rule is a reason to look, not a proof: a wholesale customer is large, and a standing order is regular."
    return Section("Duplicates and machines", ("found", "users", "events", "of events"), rows, (*rules, note))


def _catalogue(facts: Facts) -> Section | None:
    told = facts.catalogue
    if told is None:
        return None
    rows = (
        ("items", f"{told.items:,}", ""),
        ("without any event", f"{told.untouched:,}", _share(told.untouched, told.items)),
        ("not available", f"{told.unavailable:,}", _share(told.unavailable, told.items)),
        *((f"without {each.field}", f"{each.missing:,}", f"{each.share:.1%}") for each in told.fields),
    )
    events = f"{told.unknown_events:.2%} of the events are about items that it lacks ({told.unknown:,} items)."
    note = "A title that is the id, an empty text and no category count as missing."
    return Section("Catalogue", ("items", "number", "of items"), rows, (events, note))


def _percent(share: float) -> str:
    return f"{share:.2%}" if 0 < share < 0.001 else f"{share:.1%}"


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else _EMPTY_ROW


def _drift(facts: Facts) -> Section:
    drift = facts.drift
    begins = {number: window.start[:10] for number, window in enumerate(drift.windows, 1)}
    names = {"kinds": "kinds", "items": "item popularity", "activity": "events per user"}
    rows = tuple(
        (
            f"{change.window} from {begins[change.window]}",
            names[shift.what],
            *(f"{shift.psi:.3f}", f"{shift.chance:.3f}", f"{shift.bins:,}", shift.level),
            *(_EMPTY_ROW if shift.ks is None else f"{shift.ks:.3f}", _p(shift.p), f"{change.new:.1%}"),
        )
        for change in drift.changes
        for shift in change.shifts
    )
    notes: tuple[str, ...] = (f"Not compared: {drift.why}.",) if drift.why else ()
    if drift.windows:
        notes = (f"{len(drift.windows)} windows of equal length, each beside the one before it.", *_MEASURES, *notes)
    heads = ("window", "distribution", "PSI", "chance", "bins", "level", "KS", "p", "new")
    return Section("Drift", heads, rows, notes, words=(0, 1, 5))


def _p(p: float | None) -> str:
    return _EMPTY_ROW if p is None else "< 0.0001" if p < 1e-4 else f"{p:.4f}"
