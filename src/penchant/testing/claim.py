"""What the contract suites are made of: claims, comparisons, and arrays found by looking."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from penchant.core.errors import PenchantError
from penchant.core.nouns import TopK
from penchant.data.dataset import Dataset
from penchant.models.learner import Learner
from penchant.models.scorer import Scorer

__all__ = ["Check", "arrays_of", "claim", "is_personal", "refused", "same_arrays", "same_top"]

E = TypeVar("E", bound=PenchantError)

Check = Callable[[Learner], str | None]
"One part of the contract: fails with an AssertionError; returns None, or in words why it does not apply."


def claim(holds: object, what: str) -> None:
    """Fail with ``what`` unless ``holds``; works under ``python -O`` too.

    >>> claim(1 < 2, "one is less than two")
    """
    if not holds:
        raise AssertionError(what)


def refused(act: Callable[[], Any], error: type[E], what: str) -> E:
    """Return the error with which ``act`` refuses; fail when it does not, or with another error.

    >>> from penchant.core.clock import parse_duration
    >>> from penchant.core.errors import InputError
    >>> refused(lambda: parse_duration("soon"), InputError, "a word as a duration").got
    'soon'
    """
    try:
        act()
    except error as found:
        claim(str(found), f"{what} is refused without a word")
        return found
    except Exception as other:
        raise AssertionError(f"{what} must raise {error.__name__}, not {type(other).__name__}: {other}") from other
    raise AssertionError(f"{what} must raise {error.__name__}, and is accepted")


def arrays_of(scorer: Scorer) -> dict[str, NDArray[Any]]:
    """Return the arrays among a scorer's fields.

    >>> from penchant.models.popular import Popular
    >>> from penchant.testing.worlds import checkerboard
    >>> sorted(arrays_of(Popular(forgetting="retrain").fit(checkerboard(4))))
    ['candidates', 'popularity']
    """
    fields = {name: getattr(scorer, name) for name in scorer.__struct_fields__}
    found = {name: value for name, value in fields.items() if isinstance(value, np.ndarray)}
    return found | {f"state {name}": value for name, value in (scorer.state.arrays() if scorer.state else {}).items()}


def same_arrays(one: Scorer, other: Scorer, what: str) -> None:
    """Fail unless the arrays of both scorers are the same bit for bit.

    >>> from penchant.models.popular import Popular
    >>> from penchant.testing.worlds import checkerboard
    >>> scorer = Popular().fit(checkerboard(4))
    >>> same_arrays(scorer, Popular().fit(checkerboard(4)), "fitted twice")
    >>> same_arrays(scorer, Popular().fit(checkerboard(6)), "fitted on other data")
    Traceback (most recent call last):
        ...
    AssertionError: fitted on other data: the array 'candidates' differs
    """
    first, second = arrays_of(one), arrays_of(other)
    claim(first.keys() == second.keys(), f"{what}: the scorers have other arrays, {sorted(first)} and {sorted(second)}")
    for name, value in first.items():
        claim(
            value.dtype == second[name].dtype
            and value.shape == second[name].shape
            and value.tobytes() == second[name].tobytes(),
            f"{what}: the array {name!r} differs",
        )


def same_top(one: TopK, other: TopK, what: str) -> None:
    """Fail unless both hold the same items and scores bit for bit.

    >>> one, other = (TopK(np.int32([[3, 1]]), np.float32([[0.5, score]])) for score in (0.25, 0.125))
    >>> same_top(one, other, "two ways of asking")
    Traceback (most recent call last):
        ...
    AssertionError: two ways of asking: the scores differ
    """
    claim(np.array_equal(one.items, other.items), f"{what}: the items differ")
    claim(np.array_equal(one.scores, other.scores, equal_nan=True), f"{what}: the scores differ")


def is_personal(scorer: Scorer, data: Dataset) -> bool:
    """Return whether the history adds to any score: found by asking for the contributions of everybody.

    >>> from penchant.models.ease import EASE
    >>> from penchant.models.popular import Popular
    >>> from penchant.testing.worlds import checkerboard
    >>> board = checkerboard(4)
    >>> is_personal(EASE().fit(board), board), is_personal(Popular().fit(board), board)
    (True, False)
    """
    every = np.arange(scorer.n_items, dtype=np.int32)
    return any(np.nan_to_num(scorer.contributions(data.history(user), every)).any() for user in data.users)
