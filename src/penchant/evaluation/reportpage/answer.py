"""The question an evaluation put, and its answer, in words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from penchant.evaluation.line import Line, number, sentence
from penchant.evaluation.metrics import Metric
from penchant.evaluation.outcome import Outcome
from penchant.evaluation.power import CHANCE

__all__ = ["PLAIN", "answer", "day", "models", "plain", "question", "title"]

PLAIN = {
    "hit": "the share of users who took at least one of the first {k} items",
    "recall": "of what a user took, the share that stood among the first {k}",
    "recall_capped": "of what a user took, the share among the first {k}, where more than {k} cannot be asked for",
    "precision": "of the first {k} items, the share that the user took",
    "ndcg": "how much of what a user took stood among the first {k}, the more the higher it stood; 1 is perfect",
    "map": "the precision at each item that a user took, averaged over the first {k}; 1 is perfect",
    "mrr": "one over the rank of the first item that the user took, 0 beyond {k}",
    "auc": "the chance that an item the user took stood above one they did not take",
    "serendipity": "the share of the first {k} that the user took and that mere popularity would not have shown",
    "diversity": "how unlike in their categories the first {k} items are; 1 is nothing in common",
    "calibration": "how far the categories of the first {k} are from those of the history; 0 is alike",
    "arp": "how many people had touched the first {k} items, on average",
    "aplt": "the share of the first {k} that is of the long tail",
    "coverage": "the share of the catalogue that anybody was shown among the first {k}",
    "novelty": "how many bits it takes to meet the first {k} items by chance; rare items have more",
    "gini": "how unevenly the first {k} places are dealt among the items; 0 is even",
    "ndcg_parity": "ndcg of the first {k} for the users who fare worst, over that for those who fare best; 1 is even",
    "ndcg_parity_of_providers": "ndcg of the first {k} for the items faring worst, over that of the best; 1 is even",
    "exposure_parity": "the attention an item of the least shown group gets among the first {k}, over that of the most "
    "shown; 1 is even",
    "exposure_parity_by_merit": "the attention a group gets for each time it was wanted, least over most; 1 is even",
    "rmse": "how far foreseen ratings are from those given, large errors weighing more; less is better",
    "mae": "how far foreseen ratings are from those given, on average; less is better",
    "accuracy": "the share of ratings that were rightly foreseen to be a like or none",
    "f1": "how well likes were found: 1 when all of them and nothing else were foreseen as likes",
    "answered": "the share of the ratings that a model could foresee at all",
}
"What a metric says, for people who do not know its name."

_ASKED = {
    "new": "Which items, new to them, will people take next?",
    "repeat": "Which of the items they know will people take again?",
    "any": "Which items will people take next?",
    "rating": "How will people rate items?",
}


def title(found: Outcome) -> str:
    """Return the question in one line.

    >>> from penchant.evaluation.ranking import Users
    >>> from penchant.evaluation.setup import Setup
    >>> setup = Setup("Random split.", "random", "new", Users(3, 2, 1, 0), 9, "popular", 0, 0, {}, {}, {})
    >>> title(Outcome((), setup))
    'Which items, new to them, will people take next?'
    """
    return _ASKED[found.setup.task]


def question(found: Outcome) -> list[tuple[str, str]]:
    """Return what was asked, of whom, against what, and what would count as better.

    >>> from penchant.evaluation.ranking import Users
    >>> from penchant.evaluation.setup import Setup
    >>> setup = Setup("Random split.", "random", "new", Users(3, 2, 1, 0), 9, "popular", 0, 0, {}, {}, {})
    >>> for name, text in question(Outcome((Line("popular", "hit", 5, 0.1),), setup)):
    ...     print(f"{name}: {text}")  # doctest: +ELLIPSIS
    Asked: Each model learnt from a part of the events, and had to name, best first, what people took in the part ...
    Of whom: 2 of 3 users in the test; the others had no history to ask from, or took nothing of the kind.
    Against: popular.
    Told by: hit@5: the share of users who took at least one of the first 5 items. The other metrics are below.
    Better means: there are no intervals, so that no difference can be told from chance.
    """
    setup, users = found.setup, found.setup.users
    who = "users" if setup.people is None else f"questions about {setup.people:,} users"
    did = "rated nothing" if setup.task == "rating" else "took nothing of the kind"
    rows = [
        ("Asked", f"{_when(found)}{_among(found)}."),
        (
            "Of whom",
            f"{users.evaluated:,} of {users.test:,} {who} in the test; the others had no history to ask from, or "
            f"{did}.",
        ),
        ("Against", f"{setup.baseline}{_recipe(found, setup.baseline)}."),
    ]
    if found.head is not None:
        rows.append(("Told by", f"{found.of()[0].label}: {plain(found.head)}. The other metrics are below."))
    rows.append(("Better means", _better(found)))
    return rows


def answer(found: Outcome) -> list[str]:
    """Return the verdicts on the metric told first, the short of it before the details.

    >>> from penchant.evaluation.ranking import Users
    >>> from penchant.evaluation.setup import Setup
    >>> setup = Setup("Random split.", "random", "new", Users(3, 2, 1, 0), 9, "popular", 0, 0, {}, {}, {})
    >>> base = Line("popular", "hit", 5, 0.2, 0.15, 0.25)
    >>> better = Line("ease", "hit", 5, 0.3, 0.2, 0.4, 0.1, 0.05, 0.2, 0.01, "better")
    >>> for text in answer(Outcome((base, better), setup)):
    ...     print(text)
    ease beats popular.
    ease beats popular on hit@5 by 0.100 [0.050, 0.200].
    Among the first 5 items of ease, 30 of 100 users [20, 40] found something they then took; of popular, 20 [15, 25].
    """
    base = found.setup.baseline
    lines = [line for line in found.of() if line.model != base]
    if not lines:
        values = [f"{line.model} has {line.name} {number(line.value)}{_interval(line)}" for line in found.of()]
        return ["There is nothing to compare: " + ("; ".join(values) or "no metric was measured") + "."]
    said = [_short(base, lines)]
    said += [_sentence(line, base) for line in lines if line.verdict is not None]
    if sum(line.verdict == "better" for line in lines) > 1:
        said.append(
            f"Each was compared with {base}, not with the others: which of those that beat it is best is not told here."
        )
    return said + _people(found)


def models(found: Outcome) -> list[tuple[str, str]]:
    """Return the models with their recipes, as one would write them in Python.

    >>> from penchant.evaluation.ranking import Users
    >>> from penchant.evaluation.setup import Setup
    >>> recipes = {"ease": {"learner": "EASE", "l2": 500.0}}
    >>> models(Outcome((), Setup("", "random", "new", Users(3, 2, 1, 0), 9, "ease", 0, 0, {}, recipes, {})))
    [('ease', 'EASE(l2=500.0)')]
    """
    return [
        (name, f"{recipe['learner']}({', '.join(f'{k}={v!r}' for k, v in recipe.items() if k != 'learner')})")
        for name, recipe in found.setup.models.items()
    ]


def plain(metric: str) -> str:
    """Return what a metric such as ndcg@10 says, in plain words.

    >>> plain("precision@5")
    'of the first 5 items, the share that the user took'
    """
    parsed = Metric.parse(metric)
    return PLAIN[parsed.name].format(k=parsed.k)


def day(at: int, span: int = 0) -> str:
    """Return microseconds since 1970 as a date, with hours where the whole ``span`` is only a few days.

    >>> day(0), day(0, 3_600_000_000)
    ('1970-01-01', '1970-01-01 00:00')
    """
    few = 0 < span < 4 * 86_400_000_000
    try:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)
    except OverflowError:
        return f"{at:,} us"
    return f"{moment:%Y-%m-%d %H:%M}" if few else f"{moment:%Y-%m-%d}"


def _when(found: Outcome) -> str:
    line = found.timeline
    had = "foresee how people rated items" if found.setup.task == "rating" else "name, best first, what people took"
    if found.setup.windows > 1:
        return (
            f"In {found.setup.windows:,} splits each model learnt anew from one part of the events, and had to {had} "
            "in the other"
        )
    if line is not None and line.timed and line.windows[0].apart:
        test = line.windows[0].side("test")
        span = line.ends - line.begins
        return (
            f"Each model learnt from what people did until {day(line.windows[0].side('train').last, span)}, and had to "
            f"{had.replace('people', 'they')} from {day(test.first, span)} to {day(test.last, span)}"
        )
    return f"Each model learnt from a part of the events, and had to {had} in the part kept apart"


def _among(found: Outcome) -> str:
    """Return what was ranked; nothing where ratings are foreseen."""
    setup = found.setup
    if setup.task == "rating":
        return ""
    if setup.negatives is None:
        return f", among all {setup.items:,} items"
    return f", among {setup.negatives:,} sampled items of {setup.items:,}"


def _better(found: Outcome) -> str:
    if not found.setup.resamples:
        return "there are no intervals, so that no difference can be told from chance."
    return (
        f"the 95% interval of a model's difference from {found.setup.baseline} excludes 0, and the chance of a "
        f"difference as large if there were none (p, corrected for the number of models) is {CHANCE:.0%} at most. "
        "Else the answer is that it cannot be told, and how many users it would take."
    )


def _recipe(found: Outcome, name: str) -> str:
    text = dict(models(found)).get(name)
    return f", which is {text}" if text else ""


def _sentence(line: Line, base: str) -> str:
    """Return the comparison of a line as a sentence of its own; a name at its beginning stays as it is."""
    said = sentence(line, base)
    return f"{said[0].upper() if line.verdict == 'cannot tell' else said[0]}{said[1:]}."


def _short(base: str, lines: Sequence[Line]) -> str:
    """Return who beats the baseline, to whom it loses, and of whom it cannot be told."""
    sides = {
        verdict: [line.model for line in lines if line.verdict == verdict]
        for verdict in ("better", "worse", "cannot tell", "higher", "lower")
    }
    said = []
    if sides["better"]:
        said.append(f"{_and(sides['better'])} {'beats' if len(sides['better']) == 1 else 'beat'} {base}.")
    elif sides["worse"] or sides["cannot tell"]:
        said.append(f"Nothing is shown to beat {base}.")
    if sides["worse"]:
        said.append(f"{base} beats {_and(sides['worse'])}.")
    if sides["cannot tell"]:
        said.append(f"{_and(sides['cannot tell'])} cannot be told from {base}.")
    for verdict in ("higher", "lower"):
        if sides[verdict]:
            said.append(f"{_and(sides[verdict])}: {verdict} than {base}, which is neither good nor bad in itself.")
    if not said:
        name = lines[0].name
        said = [f"Whether any model beats {base} cannot be told: {lines[0].why or f'{name} is not a metric of users'}."]
    return " ".join(said)


def _people(found: Outcome) -> list[str]:
    """Return hits as people of a hundred, where they were measured: what a manager can picture."""
    k = found.of()[0].k
    if f"hit@{k}" not in found.names or found.leader is None:
        return []
    hit = {line.model: line for line in found.of(f"hit@{k}") if line.low is not None}
    if not {found.leader, found.setup.baseline} <= hit.keys():
        return []
    best, base = hit[found.leader], hit[found.setup.baseline]
    who = "users" if found.setup.people is None else "questions"
    return [
        f"Among the first {k} items of {best.model}, {_hundred(best, f' of 100 {who}')} found something they then "
        f"took; of {base.model}, {_hundred(base)}."
    ]


def _hundred(line: Line, unit: str = "") -> str:
    value, low, high = (f"{100 * (x or 0.0):.3g}" for x in (line.value, line.low, line.high))
    return f"{value}{unit} [{low}, {high}]"


def _interval(line: Line) -> str:
    return "" if line.low is None else f" [{number(line.low)}, {number(line.high)}]"


def _and(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
