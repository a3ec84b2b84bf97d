"""What to mind before one relies on an evaluation, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec import Struct

from penchant.evaluation.interval import FEWEST
from penchant.evaluation.outcome import Outcome
from penchant.evaluation.slices import LEAST

__all__ = ["Caution", "cautions"]

_TIED = 0.2
"Share of neighbouring slots with equal scores from which the catalogue's order says too much."

_LOST = 0.5
"Share of the users in the test who do not count, from which the figures are about few."

_REMEDIES = {
    "categories": "Give the data a catalogue with categories.",
    "groups": "Name a column with two groups or more of enough users.",
}
"What to do about a missing figure, by a word of the reason."

_NAMED = 5
"Names that a sentence lists, the others counted."


class Caution(Struct, frozen=True):
    """Something that makes an evaluation worth less than it seems.

    >>> Caution("single", "There is one model only.", "Add another.").code
    'single'
    """

    code: str
    "What kind it is."
    text: str
    "What there is to mind."
    then: str
    "What to do."


def cautions(found: Outcome) -> tuple[Caution, ...]:
    """Return what there is to mind, the gravest first.

    >>> from penchant.evaluation.line import Line
    >>> from penchant.evaluation.ranking import Users
    >>> from penchant.evaluation.setup import Setup
    >>> setup = Setup("Random split.", "random", "new", Users(3, 2, 1, 0), 9, "popular", 0, 0, {}, {}, {})
    >>> [caution.code for caution in cautions(Outcome((Line("popular", "hit", 5, 0.1),), setup))]
    ['few', 'intervals', 'single', 'titles']
    """
    return tuple(caution for rule in _RULES for caution in rule(found))


def _leaks(found: Outcome) -> Iterator[Caution]:
    for leak in found.setup.leaks:
        yield Caution("leak", leak, "Split in time, split.temporal, when the times of events mean something.")


def _sampled(found: Outcome) -> Iterator[Caution]:
    if found.setup.negatives is not None:
        text = (
            f"Items were ranked among {found.setup.negatives:,} sampled ones, not the whole catalogue: the figures are "
            "higher than those of full ranking and may put models in another order."
        )
        yield Caution("sampled", text, "Leave negatives out to rank the whole catalogue.")


def _few(found: Outcome) -> Iterator[Caution]:
    setup = found.setup
    people = setup.users.evaluated if setup.people is None else setup.people
    if people < LEAST:
        who = "1 user counts" if people == 1 else f"{people:,} users count"
        text = f"Only {who}; intervals of fewer than {LEAST} are wide, and of fewer than {FEWEST} there are none."
        yield Caution("few", text, "Hold out a longer part of the data, or bring more users.")


def _lost(found: Outcome) -> Iterator[Caution]:
    users = found.setup.users
    if users.test and users.evaluated < (1 - _LOST) * users.test:
        text = (
            f"The figures are about {users.evaluated / users.test:.0%} of the {_who(found)} in the test: "
            f"{users.without_history:,} have no history, {users.without_relevant:,} did nothing that the task asks for."
        )
        then = "Do not take them for all customers; who is new is served by models that need no history."
        yield Caution("lost", text, then)


def _intervals(found: Outcome) -> Iterator[Caution]:
    if not found.setup.resamples:
        text = "There are no intervals, so that nothing says which differences are more than chance."
        yield Caution("intervals", text, "Evaluate with resamples=1000, or evaluation.resamples in the settings.")


def _unmeasured(found: Outcome) -> Iterator[Caution]:
    """Metrics without a value, and such that some users have no value of (NaN)."""
    lacking: dict[str, list[str]] = {}
    why: dict[str, str] = {}
    for line in found.whole:
        if line.value is None:
            reason = why.setdefault(line.metric, line.why or "no user has a value")
            lacking.setdefault(reason, []).append(f"{line.model} on {line.label}")
    for reason, names in lacking.items():
        then = next((words for sign, words in _REMEDIES.items() if sign in reason), "See whether the model works.")
        yield Caution("unmeasured", f"Some figures are missing, {_listed(names)}: {reason}.", then)


def _empty(found: Outcome) -> Iterator[Caution]:
    for model, filled in found.filled.items():
        if filled.empty:
            whom = f"{filled.empty:,} of {filled.users:,} {_who(found)}"
            text = f"{model} could score no item for {whom}; each counts as a miss."
            yield Caution(
                "empty", text, "Give the placement a fallback, such as popular, or mend the model's NaN scores."
            )


def _short(found: Outcome) -> Iterator[Caution]:
    for model, filled in found.filled.items():
        if filled.short > filled.empty:
            whom = f"{filled.short - filled.empty:,} of {filled.users:,} {_who(found)}"
            text = f"{model} could not fill the slates of {whom}; empty slots count as misses."
            yield Caution("short", text, "Blend it with a model that can score every item.")


def _ties(found: Outcome) -> Iterator[Caution]:
    for model, filled in found.filled.items():
        if filled.tied is not None and filled.tied >= _TIED:
            text = (
                f"{filled.tied:.0%} of the neighbours in the slates of {model} have equal scores: there the order of "
                "the catalogue decides, not the model."
            )
            yield Caution("ties", text, "Blend it with another model, or take settings that tell more items apart.")


def _unanswered(found: Outcome) -> Iterator[Caution]:
    lines = [line for line in found.whole if line.metric == "answered" and line.value is not None and line.value < 1]
    if lines:
        names = _listed([f"{line.model} ({_share(1 - (line.value or 0.0))})" for line in lines])
        text = (
            f"Not all ratings could be foreseen; not answered: {names}. Errors are about the others alone, and "
            "differences about what both models foresaw."
        )
        yield Caution("unanswered", text, "Look at answered before you look at the errors.")


def _gaps(found: Outcome) -> Iterator[Caution]:
    for gap in found.examples.gaps() if found.examples else ():
        text = f"The reasons of {gap.model} for {gap.title} come to {gap.sum:.4f}, its score is {gap.score:.4f}."
        yield Caution("reasons", text, "Do not show them to anybody; check the model's contributions.")


def _unsteady(found: Outcome) -> Iterator[Caution]:
    """Models that beat the baseline over all splits, and lose to it in some."""
    for model in dict.fromkeys(line.model for line in found.of() if line.verdict == "better"):
        mine = [line for line in found.lines if line.model == model and (line.slice or "").startswith("split = ")]
        worse = [
            line for line in mine if str(line.measure) == found.head and (line.diff or 0.0) * line.measure.good < 0
        ]
        if worse:
            names = _listed([str(line.slice).replace(" = ", " ") for line in worse])
            text = f"{model} is better over all splits, but worse in {names}."
            yield Caution("unsteady", text, "Look at what was different then before you expect the same next month.")


def _thin(found: Outcome) -> Iterator[Caution]:
    thin = {line.part: line.users for line in found.lines if line.part and (line.users or 0) < LEAST}
    if thin:
        n = len(thin)
        what = "1 slice" if n == 1 else f"{n:,} slices"
        text = f"{what} of fewer than {LEAST} users cannot tell: {_listed([str(name) for name in thin])}."
        yield Caution("thin", text, "Take coarser slices, or more users.")


def _single(found: Outcome) -> Iterator[Caution]:
    if len({line.model for line in found.whole}) == 1:
        text = "There is one model only: a figure says little without another to compare it with."
        yield Caution("single", text, "Evaluate popular beside it.")


def _seed(found: Outcome) -> Iterator[Caution]:
    if found.setup.seed is None:
        text = "The chance came from a generator that was passed in, so that this cannot be repeated exactly."
        yield Caution("seed", text, "Pass a number as rng.")


def _times(found: Outcome) -> Iterator[Caution]:
    if found.timeline is not None and not found.timeline.timed:
        text = "All events have one time, so that nothing is known of before and after."
        yield Caution("times", text, "Bring the times of events, and split by them.")


def _titles(found: Outcome) -> Iterator[Caution]:
    if not found.setup.titles and found.setup.task != "rating":
        text = (
            "There is no catalogue with titles: items are called by their ids, and diversity has no categories to go "
            "by."
        )
        yield Caution("titles", text, "Import the catalogue, or pass items to Dataset.from_events.")


_RULES: tuple[Callable[[Outcome], Iterator[Caution]], ...] = (
    _leaks,
    _sampled,
    _few,
    _lost,
    _intervals,
    _empty,
    _short,
    _ties,
    _unanswered,
    _gaps,
    _unmeasured,
    _unsteady,
    _thin,
    _single,
    _seed,
    _times,
    _titles,
)


def _who(found: Outcome) -> str:
    return "users" if found.setup.people is None else "questions"


def _listed(names: list[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def _share(part: float) -> str:
    """Return a share in percent that does not read as none."""
    return f"{part:.1%}" if part >= 0.0005 else "below 0.1%"
