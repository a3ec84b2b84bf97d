"""Log lines as JSON, one an event, without personal data: no paths, no ids of people, no bodies, no addresses."""

from __future__ import annotations

import logging
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from types import TracebackType

import msgspec

__all__ = ["LOGGER", "REQUEST", "JsonLines", "json_lines", "log_crash", "log_line"]

REQUEST: ContextVar[str | None] = ContextVar("request", default=None)
"The id of the request that is being answered, also in the threads that work on it."

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
    where = _where(error.__traceback__)
    log_line(logging.ERROR, "crash", request=request_id, kind=type(error).__name__, where=where)


class JsonLines(logging.Formatter):
    """Makes one JSON object of every line of the log, whoever wrote it: time, level and logger, then what was said.

    A line that is written while a request is answered carries its id.

    Of an exception it keeps the kind and the place. Its text may quote what a person sent.

    >>> said = '{"event":"request","status":200}'
    >>> record = logging.LogRecord("penchant.server", logging.INFO, "", 0, said, None, None)
    >>> record.created = 0.0
    >>> print(JsonLines().format(record))
    {"time":"1970-01-01T00:00:00Z","level":"info","logger":"penchant.server","event":"request","status":200}
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        text = record.getMessage()
        if record.name == LOGGER.name:
            line |= msgspec.json.decode(text)
        else:
            line["message"] = text
        if (request := REQUEST.get()) is not None:
            line.setdefault("request", request)
        if record.exc_info and record.exc_info[1] is not None:
            line |= {"kind": type(record.exc_info[1]).__name__, "where": _where(record.exc_info[2])}
        return msgspec.json.encode(line).decode()


def json_lines() -> None:
    """Write the log as JSON from now on, one line a request among it.

    >>> handler, root = logging.NullHandler(), logging.getLogger()
    >>> root.addHandler(handler)
    >>> level, formats = LOGGER.level, [each.formatter for each in root.handlers]
    >>> json_lines()
    >>> type(handler.formatter).__name__, LOGGER.isEnabledFor(logging.INFO)
    ('JsonLines', True)
    >>> for each, before in zip(root.handlers, formats):
    ...     each.setFormatter(before)
    >>> root.removeHandler(handler); LOGGER.setLevel(level)
    """
    LOGGER.setLevel(logging.INFO)
    for handler in logging.getLogger().handlers:
        handler.setFormatter(JsonLines())


def _where(trace: TracebackType | None) -> str:
    frames = traceback.extract_tb(trace)
    return " < ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in reversed(frames[-12:]))
