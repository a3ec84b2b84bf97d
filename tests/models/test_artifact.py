"""Directories that only look like saved models."""

from __future__ import annotations

from pathlib import Path

import pytest

from penchant.core.errors import ArtifactDamaged
from penchant.models.artifact import read_artifact


@pytest.mark.parametrize("beside", [True, False])
def test_a_manifest_that_does_not_list_the_model_is_damaged(tmp_path: Path, beside: bool) -> None:
    (tmp_path / "manifest.json").write_text('{"format": 1, "files": {}}')
    if beside:
        (tmp_path / "model.json").write_text("{}")
    with pytest.raises(ArtifactDamaged, match=r"a file of the saved model is not what was saved; got .*model\.json"):
        read_artifact(tmp_path)
