"""What people said of two slates side by side, and what of it is more than chance."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np
import polars as pl
from msgspec import Struct
from scipy.special import stdtrit

from penchant.core.arrays import Float64
from penchant.evaluation.interval import Effect, Inconclusive, holm, sign_flip
from penchant.evaluation.preference import preference, told
from penchant.evaluation.questionnaire import CONSTRUCTS, SIDES, Answers

__all__ = [
    "StudyLine",
    "StudyReport",
    "answers_table",
    "mean_difference",
    "study_report",
]

_RESAMPLES = 9999


class StudyLine(Struct, frozen=True):
    """One construct.

    >>> StudyLine("trust", 3.1, 3.9, Effect(-0.8, -1.2, -0.4, 0.002)).verdict
    'worse'
    """

    construct: str
    "A key of CONSTRUCTS."
    a: float
    "Mean rating of ``a``, 1 to 5."
    b: float
    "Mean rating of ``b``."
    difference: Effect | Inconclusive
    "``a`` less ``b``, paired by participant; its p allows for all constructs having been looked at."

    @property
    def verdict(self) -> str:
        """'better' or 'worse', of ``a``: both the interval and the corrected p must say so; else 'cannot tell'."""
        p = self.difference.p if isinstance(self.difference, Effect) else None
        return "cannot tell" if p is None or p >= 0.05 else self.difference.verdict


class StudyReport(Struct, frozen=True):
    """What a study found.

    >>> ratings = {"a": dict.fromkeys(CONSTRUCTS, 2), "b": dict.fromkeys(CONSTRUCTS, 4)}
    >>> people = [Answers(n, "ab"[n % 2], "b", ratings) for n in range(10)]
    >>> print(study_report("tea", "popular", "ease", people).sentences()[0])
    ease is preferred to popular by 100% [74, 100] of those with a preference (10 of 10 participants; p < 0.001)
    """

    name: str
    "Of the study."
    a: str
    "The model behind the one slate."
    b: str
    "The model behind the other."
    people: int
    "Participants who answered."
    lines: tuple[StudyLine, ...]
    "A line per construct."
    lead: Effect | Inconclusive
    "By how much more participants prefer ``a`` than ``b``, of those with a preference."
    place: Effect | Inconclusive
    "The same of the slate that stood first against the other: far from 0, the place decided more than the slates."
    voting: int
    "Participants who prefer one of the two."

    def sentences(self) -> tuple[str, ...]:
        """Return what was found, in words."""
        said = [told(self.a, self.b, self.lead, f"{self.voting:,} of {self.people:,} participants")]
        for line in self.lines:
            if line.verdict != "cannot tell" and isinstance(line.difference, Effect):
                size = abs(line.difference.value)
                better, worse = (self.a, self.b) if line.verdict == "better" else (self.b, self.a)
                said.append(f"{better} is rated above {worse} on {line.construct}, by {size:.2f} points of 5")
        if self.place.verdict != "cannot tell":
            where = "first" if self.place.verdict == "better" else "second"
            said.append(f"warning: the slate that stood {where} was preferred, whichever it was")
        return tuple(said)

    @property
    def verdict(self) -> str:
        """'better' or 'worse', of ``a``, by what participants prefer as a whole; or 'cannot tell'."""
        return self.lead.verdict

    def json(self) -> str:
        """Return all of it as JSON."""
        return msgspec.json.encode({**msgspec.to_builtins(self), "sentences": self.sentences()}).decode()


def mean_difference(differences: Float64, *, level: float = 0.95) -> Effect | Inconclusive:
    """Return the mean of paired differences with Student's interval: for few people and few different values.

    >>> found = mean_difference(np.array([1.0, 2.0, 0.0, 1.0, 1.0]))
    >>> found.value, round(found.low, 3), round(found.high, 3)
    (1.0, 0.122, 1.878)
    >>> mean_difference(np.array([1.0])).why
    'there is only one participant'

    Source: Student, "The Probable Error of a Mean", Biometrika 1908.
    """
    n = len(differences)
    if n < 2:
        return Inconclusive(float(differences.sum()), "there is only one participant" if n else "nobody answered")
    mean, spread = float(differences.mean()), float(differences.std(ddof=1))
    if not spread:
        same = "all participants differ by the same amount" if mean else "no participant rates them differently"
        return Inconclusive(mean, same)
    half = float(stdtrit(n - 1, (1 + level) / 2)) * spread / math.sqrt(n)
    return Effect(mean, mean - half, mean + half)


def study_report(
    name: str, a: str, b: str, people: Sequence[Answers], *, level: float = 0.95, rng: int | np.random.Generator = 0
) -> StudyReport:
    """Return what the participants of a study said of its two slates.

    What they judge a slate by are seven constructs of ResQue; the statements that stand for them are our own.

    >>> ratings = [{"a": dict.fromkeys(CONSTRUCTS, 3 + n % 2), "b": dict.fromkeys(CONSTRUCTS, 2)} for n in range(12)]
    >>> people = [Answers(n, "ab"[n % 2], "a", each) for n, each in enumerate(ratings)]
    >>> report = study_report("tea", "ease", "popular", people)
    >>> report.lines[0].a, report.lines[0].b, report.lines[0].verdict, report.place.verdict
    (3.5, 2.0, 'better', 'cannot tell')

    Args:
        name: of the study.
        a: the model behind the one slate.
        b: the model behind the other.
        people: those who answered, each once.
        level: the share of the intervals that hold the truth.
        rng: seed or generator of the random signs behind p.

    Source: Pu, Chen and Hu, "A User-Centric Evaluation Framework for Recommender Systems", RecSys 2011.
    """
    ratings = np.array(
        [[[person.ratings[side][construct] for construct in CONSTRUCTS] for side in SIDES] for person in people],
        np.float64,
    ).reshape(-1, len(SIDES), len(CONSTRUCTS))
    differences = ratings[:, 0] - ratings[:, 1]
    found = [mean_difference(column, level=level) for column in differences.T]
    p = holm(sign_flip(differences, resamples=_RESAMPLES, rng=rng)) if len(people) else np.ones(len(CONSTRUCTS))
    means = ratings.mean(axis=0) if len(people) else np.full((len(SIDES), len(CONSTRUCTS)), np.nan)
    lines = tuple(
        StudyLine(construct, float(means[0, k]), float(means[1, k]), _with_p(found[k], float(p[k])))
        for k, construct in enumerate(CONSTRUCTS)
    )
    votes = np.array([(person.prefers == "a") - (person.prefers == "b") for person in people], np.int64)
    sign = np.array([1 if person.first == "a" else -1 for person in people], np.int64)
    lead, place = preference(votes, level=level), preference(votes * sign, level=level)
    return StudyReport(name, a, b, len(people), lines, lead=lead, place=place, voting=int((votes != 0).sum()))


def answers_table(a: str, b: str, people: Sequence[Answers]) -> pl.DataFrame:
    """Return the answers as a table: a row for each participant, slate and construct.

    >>> person = Answers(3, "b", "neither", {"a": {"trust": 2}, "b": {"trust": 4}}, {"a": ["tea"], "b": ["jam"]})
    >>> answers_table("ease", "popular", [person]).select("participant", "model", "place", "rating", "items").rows()
    [(4, 'ease', 2, 2, '["tea"]'), (4, 'popular', 1, 4, '["jam"]')]
    """
    models = dict(zip(SIDES, (a, b), strict=True))
    rows = [
        (
            person.number + 1,
            models[side],
            1 if side == person.first else 2,
            construct,
            value,
            models.get(person.prefers, person.prefers),
            msgspec.json.encode(list(person.slates.get(side, ()))).decode(),
            person.bundle,
        )
        for person in people
        for side in SIDES
        for construct, value in person.ratings[side].items()
    ]
    names = ["participant", "model", "place", "construct", "rating", "prefers", "items", "bundle"]
    kinds = [pl.Int64, pl.String, pl.Int64, pl.String, pl.Int64, pl.String, pl.String, pl.String]
    return pl.DataFrame(rows, schema=dict(zip(names, kinds, strict=True)), orient="row")


def _with_p(found: Effect | Inconclusive, p: float) -> Effect | Inconclusive:
    return msgspec.structs.replace(found, p=p) if isinstance(found, Effect) else found
