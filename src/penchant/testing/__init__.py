"""Contract suites and data with known answers, for our pieces and for yours."""

from penchant.testing.worlds import checkerboard

__all__ = ["checkerboard"]
