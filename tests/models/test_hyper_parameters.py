"""Hyper-parameters are checked when a learner is fitted, and refused in words."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

import penchant as pt
from penchant.core.errors import InputError
from penchant.core.wording import Complaint, complaint
from penchant.testing import checkerboard

DATA = checkerboard(4)
POSITIVE = "a number > 0"


@pytest.mark.parametrize(
    ("learner", "changed", "field", "text"),
    [
        (pt.EASE(), {"l2": -1}, "l2", f"EASE: l2 is out of range; got -1; allowed: {POSITIVE}"),
        (pt.EASE(), {"l2": "seven"}, "l2", "EASE: l2 has the wrong type; got seven; allowed: a number or null"),
        (pt.IALS(), {"alpha": None}, "alpha", "IALS: alpha has the wrong type; got None; allowed: a number"),
        (pt.EASE(), {"l2": float("nan")}, "l2", "EASE cannot have this l2; got nan; allowed: a finite number"),
        (pt.EASE(), {"half_life": 0.0}, "half_life", f"EASE: half_life is out of range; got 0.0; allowed: {POSITIVE}"),
        (
            pt.EASE(),
            {"max_items": 2.5},
            "max_items",
            "EASE: max_items has the wrong type; got 2.5; allowed: a whole number or null",
        ),
        (
            pt.ItemKNN(),
            {"similarity": "bm26"},
            "similarity",
            "ItemKNN: similarity is not one of its values; got bm26; allowed: asymmetric, bm25, cosine, jaccard, tfidf",
        ),
    ],
)
def test_what_is_out_of_range_is_named(learner: Any, changed: dict[str, Any], field: str, text: str) -> None:
    with pytest.raises(InputError) as refusal:
        msgspec.structs.replace(learner, **changed).fit(DATA)
    assert str(refusal.value) == text
    assert refusal.value.field == field


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Expected `int` <= 512 - at `$.factors`", Complaint("factors", "is out of range", "a whole number <= 512")),
        ("Expected `bool`, got `str` - at `$.a.b`", Complaint("a.b", "has the wrong type", "true or false")),
        ("Expected `array`, got `str`", Complaint("", "has the wrong type", "a list")),
        ("A new kind of complaint - at `$.x`", Complaint("x", "cannot be used: A new kind of complaint", None)),
    ],
)
def test_complaints_are_taken_apart(text: str, said: Complaint) -> None:
    assert complaint(text) == said
