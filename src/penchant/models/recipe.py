"""What a scorer keeps of the learner that made it."""

from __future__ import annotations

from typing import Any, ClassVar

from msgspec import Struct

from penchant.core.errors import RetrainNeeded

__all__ = ["Recipe", "retrain_needed"]


class Recipe(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A named, frozen set of hyper-parameters; every learner is one.

    >>> from penchant.models.popular import Popular
    >>> isinstance(Popular(), Recipe), Popular().name
    (True, 'popular')
    """

    name: ClassVar[str]
    "What it is registered as."

    def recount(self, scorer: Any, people: Any, sign: int, executor: Any, progress: Any) -> Any:
        """Return the scorer with people added (sign 1) or taken out (sign -1), bit for bit as if trained that way.

        Raises:
            RetrainNeeded: this kind of model cannot.
        """
        raise retrain_needed(self.name)

    def revise(self, scorer: Any, gone: Any, come: Any, executor: Any, progress: Any) -> Any:
        """Return the scorer with some people taken out and others added, bit for bit as if trained that way.

        Raises:
            RetrainNeeded: this kind of model cannot.
        """
        raise retrain_needed(self.name)


def retrain_needed(name: str) -> RetrainNeeded:
    """Return the error of a model that keeps no counts.

    >>> retrain_needed("ials")
    RetrainNeeded('this model keeps no counts to change; got ials; next: fit again without these people, or with them')
    """
    return RetrainNeeded(
        "this model keeps no counts to change", got=name, then="fit again without these people, or with them"
    )
