"""How to make an evaluation again: the command, the call, the versions."""

from __future__ import annotations

from penchant.evaluation.outcome import Outcome
from penchant.evaluation.reportpage.answer import models

__all__ = ["call", "steps"]


def call(found: Outcome) -> str:
    """Return the call that makes the figures again.

    >>> from penchant.evaluation.line import Line
    >>> from penchant.evaluation.ranking import Users
    >>> from penchant.evaluation.setup import Setup
    >>> recipes = {"ease": {"learner": "EASE", "l2": 500.0}}
    >>> setup = Setup("By hand.", "random", "new", Users(3, 2, 1, 0), 9, "ease", 0, 7, {}, recipes, {})
    >>> print(call(Outcome((Line("ease", "hit", 5, 0.1),), setup)))
    split = ...  # By hand.
    scorers = {
        'ease': EASE(l2=500.0).fit(split.train),
    }
    report = penchant.evaluate(scorers, split, ['hit@5'],
        task='new', baseline='ease', resamples=0, rng=7)
    """
    setup = found.setup
    one = setup.windows == 1
    what, cut, fit = ("scorers", "split", ".fit(split.train)") if one else ("learners", "splits", "")
    lines = [f"{cut} = ...  # {' '.join(setup.split.split())}", f"{what} = {{"]
    for name, recipe in models(found):
        blend = recipe.startswith("PlacementSettings(")
        lines.append(f"    # {name!r}: the placement {recipe}" if blend else f"    {name!r}: {recipe}{fit},")
    made = "evaluate" if one else "cross_evaluate"
    lines += ["}", f"report = penchant.{made}({what}, {cut}, {list(found.names)},", f"    {_options(found)})"]
    return "\n".join(lines)


def steps(found: Outcome) -> list[str]:
    """Return what else one has to know: seeds and what is not recorded.

    >>> from penchant.evaluation.ranking import Users
    >>> from penchant.evaluation.setup import Setup
    >>> setup = Setup("By hand.", "random", "new", Users(3, 2, 1, 0), 9, "ease", 0, 7, {}, {}, {})
    >>> steps(Outcome((), setup))[0]
    'Seed of the resamples, the tests and the choice of examples: 7.'
    """
    setup = found.setup
    seed = "a generator that was passed in, whose state is not known" if setup.seed is None else str(setup.seed)
    told = [f"Seed of the resamples, the tests and the choice of examples: {seed}."]
    if setup.windows > 1:
        told.append("The same seed is behind the fits.")
    else:
        told.append(
            "Models are given fitted: the seed of a fit is that of whoever fitted them (in penchant evaluate this one)."
        )
    if setup.command is not None:
        told.append("The settings file of the command says the rest, such as what train.min_users leaves out of train.")
    return [*told, "The data are the same when the digests are. Split them in the same way and compare these first."]


def _options(found: Outcome) -> str:
    setup = found.setup
    rng = "..." if setup.seed is None else setup.seed
    options = f"task={setup.task!r}, baseline={setup.baseline!r}, resamples={setup.resamples}, rng={rng}"
    if setup.by:
        options += f", by={list(setup.by)}"
    known = ("user.history", "user.cold")
    options += ", users=..." if any(name.startswith("user.") and name not in known for name in setup.by) else ""
    options += "" if setup.threshold is None else f", threshold={setup.threshold:g}"
    return options if setup.negatives is None else f"{options}, negatives={setup.negatives}"
