"""What a user study is, who takes part in it, and what they see first."""

from __future__ import annotations

from datetime import datetime

import numpy as np
from msgspec import Struct

from penchant.evaluation.questionnaire import SIDES

__all__ = ["Card", "Participant", "Study", "stands_first"]

_BLOCK = 4  # participants after whom both orders have been shown equally often


class Study(Struct, frozen=True):
    """Two models that are shown side by side.

    >>> Study("tea", "ease", "popular", 5, 100, 0, datetime(2017, 12, 31)).open
    True
    """

    name: str
    "As in the address of its page."
    a: str
    "The model that makes the one slate."
    b: str
    "The model that makes the other."
    n: int
    "Items in a slate."
    places: int
    "How many people may take part."
    seed: int
    "Of the order in which the slates are shown."
    created: datetime
    "When it was made."
    joined: int = 0
    "How many ever agreed to take part."
    closed: datetime | None = None
    "When it stopped taking people."

    @property
    def open(self) -> bool:
        """Whether somebody else can still take part."""
        return self.closed is None and self.joined < self.places


class Card(Struct, frozen=True):
    """One item of a slate as a participant saw it.

    >>> Card("tea", "Green tea").why
    ''
    """

    item: str
    "Its id."
    title: str
    "What is read."
    why: str = ""
    "The strongest reason, in words."


class Participant(Struct, frozen=True):
    """How far somebody is in a study.

    >>> Participant("tea", 0, "b").answered
    False
    """

    study: str
    "Its name."
    number: int
    "The how manieth who agreed, from 0."
    first: str
    "Which slate stands first: a or b."
    slates: dict[str, tuple[Card, ...]] | None = None
    "What is shown; None before it is known what they like."
    answered: bool = False
    "Whether they are through."


def stands_first(seed: int, number: int) -> str:
    """Return which slate a participant sees first: chance, but each as often in every four participants.

    >>> [stands_first(0, number) for number in range(8)]
    ['a', 'a', 'b', 'b', 'b', 'a', 'a', 'b']

    Source: permuted blocks; Matts and Lachin, "Properties of Permuted-Block Randomization in Clinical Trials", 1988.
    """
    block, place = divmod(number, _BLOCK)
    order = np.random.default_rng([seed, block]).permutation(_BLOCK)
    return SIDES[int(order[place]) % 2]
