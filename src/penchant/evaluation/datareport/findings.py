"""What a figure means for what one wants to do, said in a sentence that names the figure."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

__all__ = ["Finding", "Verdict"]

Verdict = Literal["yes", "with care", "no"]


class Finding(Struct, frozen=True):
    """One verdict, and the figures it rests on.

    >>> str(Finding("buy-again", "model", "no", "nothing is bought again", {"repeat rate": 0.0}))
    'buy-again: no. Nothing is bought again.'
    """

    subject: str
    "A model, a placement, a split, or a part of the data."
    about: Literal["model", "placement", "evaluation", "data"]
    "What the subject is."
    verdict: Verdict
    "Whether this data supports it; of data, whether it can be relied on."
    why: str
    "The reason, with its figures."
    figures: dict[str, float]
    "The figures by name."

    def __str__(self) -> str:
        return f"{self.subject}: {self.verdict}. {self.why[:1].upper()}{self.why[1:]}."
