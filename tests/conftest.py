"""What every test may use."""

from __future__ import annotations

import shutil

import pytest
from hypothesis import HealthCheck, settings

# The first example of a test may compile a kernel: a deadline would measure the compiler.
settings.register_profile("penchant", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("penchant")


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of Chromium; a test that asks for it skips, and says so, where there is none."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        path = shutil.which(name)
        if path:
            return path
    pytest.skip("no Chromium on this machine: apt-get install chromium")
