"""Products in place on parts of a matrix."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.core.blas import subtract_product


@given(st.integers(0, 40), st.integers(0, 40), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_a_product_is_taken_from_a_part_and_the_rest_stays(m: int, n: int, k: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    whole, left, right = (rng.integers(-9, 9, shape).astype(np.float32) for shape in ((50, 60), (k, m + 3), (k, n + 2)))
    wanted = whole.copy()
    wanted[4 : 4 + m, 7 : 7 + n] -= left[:, 1 : 1 + m].T @ right[:, 2:]  # whole numbers, so that float32 is exact
    subtract_product(whole[4 : 4 + m, 7 : 7 + n], left[:, 1 : 1 + m], right[:, 2:])
    np.testing.assert_array_equal(whole, wanted)


@pytest.mark.parametrize(
    ("out", "left", "right"),
    [((2, 3), (4, 2), (5, 3)), ((2, 3), (4, 3), (4, 3)), ((2, 3), (4, 2), (4, 2))],
)
def test_shapes_that_do_not_fit_are_refused(
    out: tuple[int, int], left: tuple[int, int], right: tuple[int, int]
) -> None:
    with pytest.raises(ValueError, match="shapes"):
        subtract_product(np.zeros(out, np.float32), np.zeros(left, np.float32), np.zeros(right, np.float32))


def test_rows_that_do_not_lie_side_by_side_are_refused() -> None:
    square = np.zeros((3, 3), np.float32)
    with pytest.raises(ValueError, match="strides"):
        subtract_product(square.T, square, square)
