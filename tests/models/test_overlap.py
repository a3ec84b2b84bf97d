"""What two people share by chance, against a simulation of it."""

from __future__ import annotations

import numpy as np
import pytest

from penchant.data.dataset import Dataset
from penchant.models.interactions import liked
from penchant.models.overlap import overlap_in, overlap_of


def test_it_is_what_two_random_people_share() -> None:
    rng = np.random.default_rng(0)
    shared = [len(np.intersect1d(*(rng.choice(50, 10, replace=False) for _ in range(2)))) for _ in range(4000)]
    assert overlap_of(users=300, items=50, likes=3000) == pytest.approx(np.mean(shared), rel=0.05)


def test_who_and_what_nobody_likes_does_not_count() -> None:
    x = np.zeros((7, 9))
    x[:4, :5] = 1
    x[6, 7] = -1
    matrix, _ = liked(Dataset.from_matrix(x))
    assert overlap_in(matrix) == overlap_of(users=4, items=5, likes=20) == 5.0
