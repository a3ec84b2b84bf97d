"""The inverse by sweeps against LAPACK's in float64."""

from __future__ import annotations

import numpy as np
import pytest

from penchant.core.errors import InputError
from penchant.core.executor import LOCAL, LocalExecutor
from penchant.models.inverse import invert


def gram(n: int, seed: int = 0) -> np.ndarray:
    x = (np.random.default_rng(seed).random((2 * n, n)) < 0.1).astype(np.float32)
    return x.T @ x + 5.0 * np.eye(n, dtype=np.float32)


@pytest.mark.parametrize("n", [1, 2, 191, 192, 193, 255, 256, 257, 383, 384, 385, 449, 1300])
def test_it_is_the_inverse_on_both_sides_of_every_block_edge(n: int) -> None:
    whole = gram(n)
    matrix = np.triu(whole) + np.tril(np.full((n, n), 99, np.float32), -1)
    invert(matrix, LOCAL, "l2=5")
    wanted = np.linalg.inv(whole.astype(np.float64))
    np.testing.assert_allclose(np.triu(matrix), np.triu(wanted), atol=2e-6 * np.abs(wanted).max())


def test_the_bits_do_not_depend_on_the_number_of_threads() -> None:
    results = []
    for workers in (1, 2, 3):
        matrix = np.triu(gram(1300))
        invert(matrix, LocalExecutor(workers), "l2=5")
        results.append(np.triu(matrix).tobytes())
    assert len(set(results)) == 1


@pytest.mark.parametrize("at", [0, 300, 700])
def test_what_has_no_inverse_is_refused(at: int) -> None:
    matrix = gram(800)
    matrix[at + 1] = matrix[at]
    matrix[:, at + 1] = matrix[:, at]
    with pytest.raises(InputError, match=r"the ridge is too weak .* got l2=0; next: raise l2"):
        invert(matrix, LOCAL, "l2=0")
