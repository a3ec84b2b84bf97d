"""Whether new models may take over: both are asked about the newest span of events, which neither has learnt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct

from penchant.core.errors import EmptyData
from penchant.core.nouns import TopK
from penchant.core.progress import SILENT, Progress
from penchant.core.settings import PlacementSettings, Settings
from penchant.data.dataset import Dataset
from penchant.data.split import Split, temporal
from penchant.data.vocabulary import Vocabulary
from penchant.engine.assessing import PlacementRanker
from penchant.engine.training import fit_models, recipes
from penchant.evaluation.evaluate import evaluate
from penchant.evaluation.line import Line
from penchant.evaluation.ranking import Ranker
from penchant.models.learner import Learner
from penchant.models.scorer import Scorer

__all__ = ["Abroad", "Champion", "Verdict", "challenge"]

CHAMPION, CHALLENGER = "champion", "challenger"


class Verdict(Struct, frozen=True, kw_only=True):
    """What the comparison of the models in charge with the new ones came to.

    >>> Verdict(promote=True, why="nothing is in charge yet").challenger is None
    True
    """

    promote: bool
    "Whether the new ones take over."
    why: str
    "In words."
    placement: str = ""
    "What was asked."
    metric: str = ""
    "How it was judged."
    champion: float | None = None
    "What the models in charge reached; None when they were not asked."
    challenger: float | None = None
    "What the new ones reached."
    low: float | None = None
    "Lower end of the 95% interval of the difference."
    high: float | None = None
    "Upper end."
    users: int = 0
    "How many people were asked about."


class Champion(Struct, frozen=True, eq=False):
    """The models in charge, as far as a comparison needs them.

    >>> Champion({}, None).newest is None
    True
    """

    scorers: Mapping[str, Scorer]
    "Name to model."
    newest: int | None
    "The time of the newest event they learnt, in microseconds; None when that is not known."


class Abroad(Struct, frozen=True, eq=False):
    """A model that is asked in another vocabulary than its own: what it does not know it neither reads nor ranks.

    >>> from penchant.models.popular import Popular
    >>> from penchant.testing import checkerboard
    >>> asked = Abroad(Popular().fit(checkerboard(4)), Vocabulary.of(["3", "2", "9"]))
    >>> data = Dataset.from_matrix([[1.0, 0.0, 1.0]], items=["2", "3", "9"])
    >>> asked.score_batch(asked.rows(data), 3).items.tolist()  # of its four items, 3 is left: 2 was seen
    [[-1, -1, 1]]
    """

    ranker: Ranker
    "The model."
    items: Vocabulary
    "The items it is asked about."

    @property
    def learner(self) -> Any:
        """The recipe it was made with."""
        return self.ranker.learner

    def rows(self, data: Dataset) -> Any:
        """Return the histories of a dataset as the model reads them, without items it does not know."""
        known = self.ranker.items.codes(data.items.series) >= 0
        return self.ranker.rows(data.select(known[data.column("item")]).over(self.ranker.items))

    def score_batch(self, histories: Any, k: int, *, exclude_seen: bool = True) -> TopK:
        """Return the best ``k`` items of every row; -1 for items that are not asked about."""
        own = self.ranker.items
        top = self.ranker.score_batch(histories, min(k, len(own)), exclude_seen=exclude_seen)
        there = self.items.codes(own.series)
        found = TopK(np.full((len(top.items), k), -1, np.int32), np.full((len(top.items), k), np.nan, np.float32))
        found.items[:, : top.items.shape[1]] = np.where(top.items >= 0, there[top.items], -1)
        found.scores[:, : top.items.shape[1]] = np.where(found.items[:, : top.items.shape[1]] >= 0, top.scores, np.nan)
        return found


def challenge(settings: Settings, data: Dataset, champion: Champion | None, *, progress: Progress = SILENT) -> Verdict:
    """Return whether models with the recipes of the settings may take over from those in charge.

    The last ``worker.newest`` of the events is held out, and both are asked what people did in it. The new recipes
    learn from what came before. The models in charge are asked as they are when they learnt nothing of the span;
    otherwise their recipes learn from the same events as the new ones, and when these are the same recipes there is
    nothing to compare. The new ones take over unless they are significantly worse, or below ``worker.floor``.

    >>> from penchant.engine.training import consented_data
    >>> from penchant.testing import shop
    >>> from penchant.trust.access import SYSTEM
    >>> with shop() as engine:
    ...     data = consented_data(engine.gate, SYSTEM, engine.settings)
    >>> verdict = challenge(engine.settings, data, None)
    >>> verdict.promote, verdict.why.startswith("the newest 1d of the events cannot be judged by")
    (True, True)
    """
    rule = settings.worker
    placement = settings.placements[rule.placement]
    try:
        return _measured(settings, placement, data, champion, progress)
    except EmptyData as error:
        said = f"the newest {rule.newest} of the events cannot be judged by: {error}"
        return Verdict(promote=not rule.floor, why=said, placement=rule.placement, metric=rule.metric)


def _measured(
    settings: Settings, placement: PlacementSettings, data: Dataset, champion: Champion | None, progress: Progress
) -> Verdict:
    rule = settings.worker
    split = _sampled(temporal(data, test=rule.newest), rule.users)
    names = tuple(dict.fromkeys([*placement.blend, *placement.fallback]))
    learners = recipes(settings, names)
    known = split.train.filter(min_users=settings.train.min_users)
    new, _ = fit_models(learners, known, progress=progress)
    asked: dict[str, Ranker] = {CHALLENGER: _ranker(placement, new, split.history)}
    other, alone = _rival(champion, learners, known, split, progress)
    if other is not None:
        asked = {CHAMPION: _abroad(placement, other, split.history), **asked}
    report = evaluate(
        asked,
        split,
        [rule.metric],
        task="new" if placement.exclude_seen else "any",
        baseline=CHAMPION if other is not None else CHALLENGER,
        resamples=settings.evaluation.resamples,
        progress=progress,
    )
    lines = {line.model: line for line in report.lines}
    line = lines[CHALLENGER]
    promote, why = _ruled(line, alone, rule.metric, rule.floor)
    return Verdict(
        promote=promote,
        why=why,
        placement=rule.placement,
        metric=rule.metric,
        champion=lines[CHAMPION].value if CHAMPION in lines else None,
        challenger=line.value,
        low=line.diff_low,
        high=line.diff_high,
        users=line.users or 0,
    )


def _ruled(line: Line, alone: str, metric: str, floor: float) -> tuple[bool, str]:
    """Return whether the new models take over, and why; ``alone`` says why they were compared with nothing."""
    reached = f"{metric} is " + ("nothing" if line.value is None else f"{line.value:.4f}")
    if floor and (line.value is None or line.value < floor):
        return False, f"{reached}, and worker.floor asks for {floor:g}"
    if alone:
        return True, f"{reached}; {alone}"
    if line.verdict == "worse":
        return False, f"{reached}, significantly worse than what is in charge"
    said = "significantly better than" if line.verdict == "better" else "not significantly worse than"
    return True, f"{reached}, {said} what is in charge"


def _rival(
    champion: Champion | None, learners: Mapping[str, Learner], known: Dataset, split: Split, progress: Progress
) -> tuple[Mapping[str, Scorer] | None, str]:
    """Return the models in charge, or their recipes fitted without the span; or None, and why nothing is compared."""
    if champion is None:
        return None, "nothing is in charge yet"
    missing = [name for name in learners if name not in champion.scorers]
    if missing:
        return None, f"what is in charge has no {', '.join(missing)}"
    if champion.newest is not None and champion.newest < int(split.test.column("at").min()):
        return champion.scorers, ""
    own = {name: champion.scorers[name].learner for name in learners}
    if own == dict(learners):
        return None, "the recipes are those in charge, which have learnt of the newest events already"
    fitted, _ = fit_models({name: _learner(recipe) for name, recipe in own.items()}, known, progress=progress)
    return fitted, ""


def _learner(recipe: Any) -> Learner:
    if not isinstance(recipe, Learner):
        raise TypeError(f"{recipe!r} cannot be fitted")
    return recipe


def _ranker(placement: PlacementSettings, scorers: Mapping[str, Scorer], history: Dataset) -> Ranker:
    """Return what answers at the placement; one model alone is asked directly, which is faster."""
    if len(placement.blend) == 1:
        return next(scorers[name] for name in placement.blend)
    return PlacementRanker(placement, scorers, history)


def _abroad(placement: PlacementSettings, scorers: Mapping[str, Scorer], history: Dataset) -> Ranker:
    """Return what the models in charge answer at the placement, in the vocabulary of the split."""
    items = next(iter(scorers.values())).items
    if items == history.items:
        return _ranker(placement, scorers, history)
    known = items.codes(history.items.series) >= 0
    own = history.select(known[history.column("item")]).over(items)
    if not own.n_events:
        raise EmptyData("the models in charge know none of the items in the histories")
    return Abroad(_ranker(placement, scorers, own), history.items)


def _sampled(split: Split, most: int) -> Split:
    """Return the split with so many of its test users at most, drawn by chance, the same each time."""
    users = np.intersect1d(split.test.column("user"), split.history.column("user"))
    if len(users) <= most:
        return split
    chosen = np.random.default_rng(0).choice(users, most, replace=False)
    test = split.test.select(np.isin(split.test.column("user"), chosen))
    return msgspec.structs.replace(split, test=test)
