"""What cannot be removed is said, not hidden."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import pytest

from penchant.core.disk import discard


def test_a_directory_and_all_in_it_is_removed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "old" / "inner").mkdir(parents=True)
    (tmp_path / "old" / "inner" / "file").touch()
    assert discard(tmp_path / "old")
    assert discard(tmp_path / "never there")
    assert list(tmp_path.iterdir()) == []
    assert caplog.messages == []


def test_one_that_stays_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(shutil, "rmtree", lambda folder, *, ignore_errors: None)
    assert not discard(tmp_path)
    assert caplog.record_tuples == [
        (
            "penchant.core.disk",
            logging.WARNING,
            f"{tmp_path} could not be removed and takes up space; remove it by hand",
        )
    ]
