"""What a study found; apart from the study itself, for a server has no need of statistics."""

from __future__ import annotations

import polars as pl

from penchant.evaluation.study import StudyReport, answers_table, study_report
from penchant.trust.access import Actor
from penchant.trust.gate import Gate

__all__ = ["study_answers", "study_findings"]


def study_findings(gate: Gate, actor: Actor, name: str) -> StudyReport:
    """Return what a study found so far.

    >>> from penchant.testing import shop
    >>> from penchant.trust.access import SYSTEM
    >>> with shop() as engine:
    ...     _ = engine.studies.create(SYSTEM, "aisles", "popular", "ease", n=2, places=5)
    ...     study_findings(engine.gate, SYSTEM, "aisles").people
    0

    Raises:
        Forbidden: the actor is not an administrator.
        NotFound: there is no such study.
    """
    study = gate.studies.get(name)
    return study_report(name, study.a, study.b, gate.studies.answers(actor, name), rng=study.seed)


def study_answers(gate: Gate, actor: Actor, name: str) -> pl.DataFrame:
    """Return the answers of a study as a table, without tokens and times: a row a participant, slate and construct.

    >>> from penchant.testing import shop
    >>> from penchant.trust.access import SYSTEM
    >>> with shop() as engine:
    ...     _ = engine.studies.create(SYSTEM, "aisles", "popular", "ease", n=2, places=5)
    ...     study_answers(engine.gate, SYSTEM, "aisles").columns
    ['participant', 'model', 'place', 'construct', 'rating', 'prefers', 'items', 'bundle']

    Raises: as :func:`study_findings`.
    """
    study = gate.studies.get(name)
    return answers_table(study.a, study.b, gate.studies.answers(actor, name))
