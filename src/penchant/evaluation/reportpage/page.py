"""The report of an evaluation as a page."""

from __future__ import annotations

from penchant.evaluation.examples import AVERAGES, Shown
from penchant.evaluation.line import Line, cells, number
from penchant.evaluation.outcome import Outcome
from penchant.evaluation.pictures.document import document
from penchant.evaluation.pictures.picture import Picture
from penchant.evaluation.reportpage.again import call, steps
from penchant.evaluation.reportpage.answer import answer, day, models, plain, question, title
from penchant.evaluation.reportpage.cautions import cautions
from penchant.evaluation.reportpage.rows import heads, parts
from penchant.evaluation.reportpage.views import against_time, against_variety, by_k, in_time
from penchant.evaluation.setup import about

__all__ = ["pictures", "render"]

_HISTORY = "user.history"

_STYLE = """\
.answer { border-left: .25rem solid var(--s0); padding: .1rem 0 .1rem 1rem; margin: 1rem 0; }
.answer .short { font-size: 1.15rem; font-weight: 600; }
.cautions { border-left: .25rem solid var(--care); padding: .1rem 0 .1rem 1rem; list-style: none; margin: 1rem 0; }
.cautions li { margin: .5rem 0; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1rem; max-width: 60rem; }
dt { font-weight: 600; } dd { margin: 0; overflow-wrap: anywhere; }
td.why { color: var(--soft); white-space: normal; font-size: .85rem; min-width: 13rem; }
code, pre { font-size: .85rem; }
pre { background: var(--tint); padding: .8rem 1rem; overflow-x: auto; border-radius: .4rem; }
.digest { font-family: ui-monospace, monospace; font-size: .8rem; }
.two { display: grid; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); gap: 1rem 2rem; }
.two > * { min-width: 0; }
.two table { width: 100%; } .two td, .two th { white-space: normal; }
.answer ul { padding-left: 1.2rem; }
.reasons { font-weight: 400; margin: .15rem 0 0; padding: 0; list-style: none; font-size: .85rem; color: var(--soft); }
.reasons li { display: flex; gap: .6rem; justify-content: space-between; }
.reasons li span:first-child { overflow-wrap: anywhere; } .reasons li span:last-child { white-space: nowrap; }
.hit { color: var(--good); font-weight: 600; white-space: nowrap; }
tr.taken { background: var(--tint); }
tbody.group th[colspan] { padding-top: 1rem; color: var(--soft); font-weight: 400; white-space: normal; }
@media (max-width: 40rem) { dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .6rem; } }
@media print { .two { grid-template-columns: 1fr 1fr; } pre { white-space: pre-wrap; }
  td, th { padding: .15rem .4rem; } }
"""


def render(found: Outcome) -> str:
    """Return the page: one HTML document with its style and its charts inside.

    >>> from penchant.evaluation.ranking import Users
    >>> from penchant.evaluation.setup import Setup
    >>> setup = Setup("Random <split>.", "random", "new", Users(3, 2, 1, 0), 9, "popular", 0, 0, {}, {}, {})
    >>> lines = Line("ease", "hit", 5, 0.3, 0.2, 0.4), Line("popular", "hit", 5, 0.1, 0.1, 0.1)
    >>> page = render(Outcome(lines, setup))
    >>> "[0.2000, 0.4000]" in page, "Random &lt;split&gt;." in page
    (True, True)
    """
    whole = found.whole
    heading = title(found)
    head = f"{found.head}" if found.head else ""
    return document(
        "reportpage/page.html.j2",
        f"Evaluation: {heading}",
        _STYLE,
        found=found,
        title=heading,
        lead=found.setup.split.partition(". ")[0].rstrip(".") + "." if found.setup.windows > 1 else found.setup.split,
        question=question(found),
        answer=answer(found),
        cautions=cautions(found),
        about=list(about(found.setup)),
        time=None if found.timeline is None else in_time(found.timeline),
        sides=_sides(found),
        head=heads(found),
        head_rows=_table(found.of()),
        head_name=head,
        pictures=pictures(found),
        groups=[(name, plain(name), _table(found.of(name))) for name in found.names],
        slices=_table(tuple(line for line in found.lines if line.part and str(line.measure) == head)),
        people=_people(found),
        told=_told(found),
        rated=found.setup.task == "rating",
        models=models(found),
        seconds={line.model: number(line.seconds, 2) for line in whole},
        call=call(found),
        steps=steps(found),
    )


def pictures(found: Outcome) -> list[Picture]:
    """Return the charts of the figures, each drawn or saying why it is not.

    >>> from penchant.evaluation.ranking import Users
    >>> from penchant.evaluation.setup import Setup
    >>> setup = Setup("Random split.", "random", "new", Users(3, 2, 1, 0), 9, "popular", 0, 0, {}, {}, {})
    >>> for picture in pictures(Outcome((Line("popular", "hit", 5, 0.1),), setup)):
    ...     print(f"{picture.title}: {picture.why}")
    hit by k, the length of the slate: hit was measured at one k only, 5; ask for hit at several.
    By segment: nothing was sliced; ask for slices (by=, --by) such as item.popularity or a column of users.
    By history length: how many items the history holds: not measured; ask for the slices user.history (by=, --by).
    Accuracy against diversity: neither diversity nor coverage was measured; ask for coverage@10.
    Fit time against accuracy: nobody measured how long fitting took; pass seconds= to evaluate.
    """
    if not found.whole or found.head is None:
        return []
    columns = list(dict.fromkeys(line.part.partition(" = ")[0] for line in found.lines if line.part))
    segments = [parts(found, column) for column in columns if column != _HISTORY] or [
        Picture(
            title="By segment",
            why="nothing was sliced; ask for slices (by=, --by) such as item.popularity or a column of users.",
        )
    ]
    history = parts(found, _HISTORY)
    if _HISTORY not in columns:
        history = Picture(title=history.title, why=f"not measured; ask for the slices {_HISTORY} (by=, --by).")
    metric = found.head.partition("@")[0]
    return [by_k(found, metric), *segments, history, against_variety(found), against_time(found)]


def _table(lines: tuple[Line, ...]) -> list[tuple[Line, list[str]]]:
    return [(line, cells(line)) for line in lines]


def _sides(found: Outcome) -> list[list[str]]:
    """Return the rows of the table of sides."""
    line = found.timeline
    if line is None:
        return []
    span = line.ends - line.begins
    several = len(line.windows) > 1
    return [
        [
            f"{n} {side.name}" if several else side.name,
            f"{side.events:,}",
            f"{side.users:,}",
            f"{side.items:,}",
            day(side.first, span) if line.timed else "-",
            day(side.last, span) if line.timed else "-",
            side.digest[:16],
        ]
        for n, part in enumerate(line.windows, 1)
        for side in part.sides
    ]


def _people(found: Outcome) -> list[tuple[object, tuple[Shown, ...]]]:
    """Return each person shown, before and after: by the baseline, and by the model with the best first metric.

    Of one model of ratings before is what its averages say alone.
    """
    if found.examples is None:
        return []
    alone = [] if found.leader or found.setup.task != "rating" else [AVERAGES]
    shown = [*alone, found.setup.baseline, *([found.leader] if found.leader else [])]
    return [(person, person.of(*shown)) for person in found.examples.people]


def _told(found: Outcome) -> str:
    """Return what before and after are."""
    if found.leader:
        return (
            f"Before: {found.setup.baseline}, the baseline. After: {found.leader}, whose {found.head} is the "
            f"{found.most}; whether it is really better, the verdicts say."
        )
    if found.setup.task == "rating":
        return f"Before: what each item is rated on average. After: {found.setup.baseline}, which knows the history."
    return f"There is one model, {found.setup.baseline}, and nothing to put it beside."
