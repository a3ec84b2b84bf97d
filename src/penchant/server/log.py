"""Log lines as JSON, one an event, without personal data: no paths, no ids of people, no bodies, no addresses."""

from __future__ import annotations

import logging
import traceback

import msgspec

__all__ = ["LOGGER", "log_crash", "log_line"]

LOGGER = logging.getLogger("penchant.server")
"Where all lines go; configure it like any other logger."


def log_line(level: int, event: str, **fields: str | int | float | None) -> None:
    """Write one line of JSON.

    >>> log_line(logging.DEBUG, "request", route="/healthz", status=200)
    """
    if LOGGER.isEnabledFor(level):
        LOGGER.log(level, msgspec.json.encode({"event": event, **fields}).decode())


def log_crash(request_id: str, error: BaseException) -> None:
    """Write where an unexpected exception came from. Its text is left out: it may quote what a person sent.

    >>> log_crash("r1", ValueError("user 900"))
    """
    frames = traceback.extract_tb(error.__traceback__)
    where = " < ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in reversed(frames[-12:]))
    log_line(logging.ERROR, "crash", request=request_id, kind=type(error).__name__, where=where)
