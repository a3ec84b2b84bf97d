"""Saved scorers, read back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from penchant.core.errors import ArtifactVersion
from penchant.data.vocabulary import Vocabulary
from penchant.models.artifact import Artifact, read_artifact, unpack
from penchant.models.counting import Counting
from penchant.models.learner import known_learners, learner_from
from penchant.models.scorer import Scorer
from penchant.models.state import STATE

__all__ = ["load", "scorer_of"]


def load(path: str | Path) -> Scorer:
    """Return the scorer saved at ``path``; its arrays are memory-mapped, and every byte is checked first.

    >>> import penchant as pt
    >>> from tempfile import TemporaryDirectory
    >>> from penchant.testing import checkerboard
    >>> with TemporaryDirectory() as folder:
    ...     saved = pt.EASE(l2=1.0).fit(checkerboard(10)).save(Path(folder, "ease"))
    ...     pt.load(saved).learner
    EASE(l2=1.0)

    Raises:
        ArtifactError: there is no saved model at the path.
        ArtifactDamaged: a byte is not what was saved.
        ArtifactVersion: the learner or format is not known here.
    """
    return scorer_of(read_artifact(path))


def scorer_of(artifact: Artifact, like: Scorer | None = None) -> Scorer:
    """Return the scorer that a checked artifact describes; it shares the vocabulary of ``like`` where that is the same.

    >>> from tempfile import TemporaryDirectory
    >>> from penchant.models.popular import Popular
    >>> from penchant.testing import checkerboard
    >>> with TemporaryDirectory() as folder:
    ...     scorer = scorer_of(read_artifact(Popular().fit(checkerboard(4)).save(Path(folder, "popular"))))
    >>> scorer.learner, list(scorer.items)
    (Popular(), ['0', '1', '2', '3'])
    """
    document, arrays = artifact.document, dict(artifact.arrays)
    name = document["learner"]
    if name not in known_learners():
        raise ArtifactVersion(
            "this model was made by a learner that is not installed", got=name, allowed=", ".join(known_learners())
        )
    learner = learner_from(name, document["settings"])
    items = _vocabulary(arrays, like)
    counts = {key.removeprefix(STATE): np.asarray(arrays.pop(key)) for key in list(arrays) if key.startswith(STATE)}
    worker = learner.settled(document["facts"])
    state = worker.state(**counts, **document["state"]) if isinstance(worker, Counting) and counts else None
    values = {key: np.asarray(value) for key, value in arrays.items()} | document["values"]
    return worker.kind()(items=items, learner=learner, facts=document["facts"], state=state, **values)


def _vocabulary(arrays: dict[str, Any], like: Scorer | None) -> Vocabulary:
    """Return the vocabulary whose packed ids are among the arrays, and take them out."""
    items = Vocabulary(unpack(arrays))
    return like.items if like is not None and like.items == items else items
