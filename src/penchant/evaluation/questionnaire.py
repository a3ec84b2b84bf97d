"""What participants of a study are asked, and what one of them said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

__all__ = ["CONSTRUCTS", "SCALE", "SIDES", "Answers"]

CONSTRUCTS = {
    "quality": "The items in this list fit my taste.",
    "diversity": "The items in this list are different from each other.",
    "novelty": "This list shows me things that I would not have come across myself.",
    "transparency": "I can see why these items are in this list.",
    "control": "What I picked decides what this list holds.",
    "trust": "I would rely on this list when I choose something.",
    "satisfaction": "All in all, I am pleased with this list.",
}
"What a list is judged by, and the statement that people agree with or not."

SCALE = {1: "disagree strongly", 2: "disagree", 3: "neither", 4: "agree", 5: "agree strongly"}
"The points of the scale, in words."

SIDES = ("a", "b")
"The two slates."


class Answers(Struct, frozen=True):
    """What one participant saw and said.

    >>> ratings = {"a": {"trust": 2}, "b": {"trust": 4}}
    >>> Answers(number=0, first="b", prefers="b", ratings=ratings).chose_first
    True
    """

    number: int
    "The how manieth who agreed."
    first: str
    "The slate that stood first: a or b."
    prefers: str
    "a, b or neither."
    ratings: Mapping[str, Mapping[str, int]]
    "Slate to construct to the point of the scale."
    slates: Mapping[str, Sequence[str]] = {}
    "Slate to the item ids in it, best first."
    bundle: str = ""
    "Digest of the models that made the slates."

    @property
    def chose_first(self) -> bool:
        """Whether the slate that stood first is the one preferred."""
        return self.prefers == self.first
