"""The registry of models: what there is, what is in charge, and whether every byte of it is still what was saved."""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec import Struct

from penchant.core.decoding import decode
from penchant.core.errors import ArtifactError, InputError, NotFound
from penchant.core.settings import Settings
from penchant.engine.bundle import Bundle, load_bundle, place_of
from penchant.trust.access import Actor
from penchant.trust.artifacts import Artifact, Promotion
from penchant.trust.gate import Gate

__all__ = ["Checked", "Entry", "check", "chosen", "entries", "promote", "rollback"]

SHORT = 12
"Characters of a digest that are shown."


class Entry(Struct, frozen=True):
    """One bundle, as the registry shows it.

    >>> from datetime import datetime
    >>> Entry(Artifact("ab12", "artifacts/ab12", datetime(2017, 12, 31)), 0).promotion is None
    True
    """

    artifact: Artifact
    "What was recorded of it."
    size: int
    "Bytes on disk; 0 when it is not there."
    promotion: Promotion | None = None
    "When it was last put in service, by whom and why; None when it never was."
    forgetting: str = ""
    "exact when people can be taken out of all its models without training again, else retrain; empty when unread."


class Checked(Struct, frozen=True):
    """Whether a bundle is sound.

    >>> Checked("ab12").fault
    ''
    """

    digest: str
    "Which."
    fault: str = ""
    "What is wrong with it; empty when every byte is what was saved."


def entries(gate: Gate, settings: Settings) -> list[Entry]:
    """Return every bundle, newest first.

    >>> from penchant.testing import shop
    >>> with shop() as engine:
    ...     (entry,) = entries(engine.gate, engine.settings)
    >>> entry.promotion.by, entry.forgetting, entry.size > 0
    ('penchant train', 'retrain', True)
    """
    latest: dict[str, Promotion] = {}
    for promotion in reversed(gate.artifacts.promotions(1000)):
        latest[promotion.digest] = promotion
    found = []
    for artifact in gate.artifacts.list():
        place = place_of(artifact.path, settings.artifacts)
        size = sum(path.stat().st_size for path in place.rglob("*") if path.is_file())
        found.append(Entry(artifact, size, latest.get(artifact.digest), _forgetting(place)))
    return found


def chosen(gate: Gate, start: str) -> Artifact:
    """Return the bundle whose digest begins so.

    >>> from penchant.testing import shop
    >>> with shop() as engine:
    ...     artifact = chosen(engine.gate, engine.gate.artifacts.promoted().digest[:6])
    ...     artifact.promoted is not None
    True

    Raises:
        NotFound: there is none.
        InputError: several begin so, or the beginning is too short.
    """
    if len(start) < 4:
        raise InputError("the digest is too short", got=start, allowed="4 characters or more", field="digest")
    found = [artifact for artifact in gate.artifacts.list() if artifact.digest.startswith(start)]
    if not found:
        raise NotFound("no such bundle", got=start, then="'penchant models' shows those that there are")
    if len(found) > 1:
        allowed = ", ".join(artifact.digest[:SHORT] for artifact in found)
        raise InputError("several digests begin so", got=start, allowed=allowed, field="digest")
    return found[0]


def check(gate: Gate, settings: Settings, artifact: Artifact) -> Checked:
    """Return whether every byte of a bundle is what was saved; all of them are read, whatever was checked before.

    >>> from penchant.testing import shop
    >>> with shop() as engine:
    ...     check(engine.gate, engine.settings, engine.gate.artifacts.promoted()).fault
    ''
    """
    try:
        _sound(settings, artifact)
    except ArtifactError as error:
        return Checked(artifact.digest, str(error))
    return Checked(artifact.digest)


def promote(gate: Gate, actor: Actor, settings: Settings, start: str, *, by: str) -> Artifact:
    """Put a bundle in charge after reading every byte of it; return it.

    >>> from penchant.testing import shop
    >>> from penchant.trust.access import SYSTEM
    >>> with shop() as engine:
    ...     digest = engine.gate.artifacts.promoted().digest
    ...     promote(engine.gate, SYSTEM, engine.settings, digest[:8], by="ann").digest == digest
    True

    Raises:
        NotFound: there is none whose digest begins so.
        ArtifactError: it is not there or damaged; what is in charge stays.
    """
    artifact = chosen(gate, start)
    _sound(settings, artifact)
    gate.artifacts.promote(actor, artifact.digest, by=by, why="by hand")
    return artifact


def rollback(gate: Gate, actor: Actor, settings: Settings) -> tuple[str, str]:
    """Put the bundle that was in charge before back; return the digest that goes and the one that comes.

    >>> from penchant.testing import shop
    >>> from penchant.trust.access import SYSTEM
    >>> with shop() as engine:
    ...     rollback(engine.gate, SYSTEM, engine.settings)
    Traceback (most recent call last):
        ...
    penchant.core.errors.NotFound: there is no bundle to roll back to; next: 'penchant models' shows those that \
there are

    Raises:
        NotFound: there is none before.
        ArtifactError: it is not there or damaged; what is in charge stays.
    """
    before = gate.artifacts.before()
    if before is not None:
        _sound(settings, before)
    return gate.artifacts.rollback(actor)


def _sound(settings: Settings, artifact: Artifact) -> Bundle:
    bundle = load_bundle(place_of(artifact.path, settings.artifacts), whole=True)
    if bundle.digest != artifact.digest:
        raise ArtifactError(
            "the bundle is not the one that was recorded",
            got=bundle.digest[:SHORT],
            allowed=artifact.digest[:SHORT],
            then="restore it from a backup, or train again",
        )
    return bundle


def _forgetting(place: Path) -> str:
    """Return how people are taken out of the models of a bundle, the least exact way of them."""
    try:
        told = [decode(path.read_bytes(), _Told) for path in place.glob("*/model.json")]
    except (OSError, msgspec.MsgspecError):
        return ""
    return "" if not told else "exact" if {each.forgetting for each in told} == {"exact"} else "retrain"


class _Told(Struct, frozen=True):
    forgetting: str = "retrain"
