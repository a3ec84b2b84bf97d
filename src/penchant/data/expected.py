"""What a call wants of its data, said to who brings something else."""

from __future__ import annotations

from typing import Any

import scipy.sparse as sp

from penchant.core.errors import InputError
from penchant.data.dataset import Dataset

__all__ = ["expect_dataset"]


def expect_dataset(data: Any, call: str, side: str = "train") -> None:
    """Raise InputError when ``data`` is no dataset, and say how to make one of it.

    >>> expect_dataset([[1, 0]], "fit")
    Traceback (most recent call last):
        ...
    penchant.core.errors.InputError: fit takes a Dataset; got list; next: fit(Dataset.from_matrix(...))

    Args:
        data: what was brought.
        call: the name of the method, as it was called.
        side: the side of a split that would do.
    """
    if isinstance(data, Dataset):
        return
    if isinstance(getattr(data, side, None), Dataset):
        then = f"{call}(split.{side})"
    elif sp.issparse(data) or isinstance(data, list | tuple) or type(data).__name__ in ("ndarray", "matrix"):
        then = f"{call}(Dataset.from_matrix(...))"
    elif isinstance(data, str) or hasattr(data, "__fspath__"):
        then = f"{call}(Dataset.from_events(penchant.read_events(...)))"
    else:
        then = f"{call}(Dataset.from_events(...))"
    raise InputError(f"{call} takes a Dataset", got=type(data).__name__, then=then, field="data")
