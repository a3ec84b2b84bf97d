"""A bundle: the models trained together, in one directory, with one digest."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from penchant.core.decoding import decode
from penchant.core.disk import flush, scratch
from penchant.core.errors import ArtifactDamaged, ArtifactError
from penchant.data.vocabulary import Vocabulary
from penchant.engine.stamps import read_stamp, settled, write_stamp
from penchant.models.artifact import read_artifact
from penchant.models.load import scorer_of
from penchant.models.scorer import Scorer

__all__ = ["Bundle", "load_bundle", "place_of", "save_bundle"]

_LIST = "bundle.json"


class Bundle(Struct, frozen=True, eq=False):
    """Scorers over one vocabulary, as they lie on disk.

    >>> from tempfile import TemporaryDirectory
    >>> from penchant.models.popular import Popular
    >>> from penchant.testing import checkerboard
    >>> with TemporaryDirectory() as folder:
    ...     bundle = save_bundle({"popular": Popular().fit(checkerboard(4))}, folder)
    >>> len(bundle.items), bundle.label({"popular": 1.0}) == ("popular", bundle.digests["popular"])
    (4, True)
    """

    digest: str
    "SHA-256 over the names and digests of its models, as hex."
    path: str
    "Its directory."
    scorers: dict[str, Scorer]
    "Name to scorer; the arrays are memory-mapped."
    digests: dict[str, str]
    "Name to the digest of the model."

    @property
    def items(self) -> Vocabulary:
        """The vocabulary that all its scorers share."""
        return next(iter(self.scorers.values())).items

    def label(self, names: Mapping[str, float]) -> tuple[str, str]:
        """Return the name and digest under which a blend of these models is spoken of."""
        known = [name for name in names if name in self.digests]
        if len(known) == 1:
            return known[0], self.digests[known[0]]
        return "+".join(known), _digest({name: self.digests[name] for name in known})


def save_bundle(scorers: Mapping[str, Scorer], folder: str | Path) -> Bundle:
    """Write the scorers into a directory below ``folder`` that is named by their digest, and read them back.

    Training the same models on the same data twice gives the same directory; a damaged one is replaced.

    >>> from tempfile import TemporaryDirectory
    >>> from penchant.models.popular import Popular
    >>> from penchant.testing import checkerboard
    >>> with TemporaryDirectory() as folder:
    ...     first, second = (save_bundle({"popular": Popular().fit(checkerboard(4))}, folder) for _ in range(2))
    ...     first.path == second.path, [path.name == first.digest[:16] for path in Path(folder).iterdir()]
    (True, [True])

    Raises:
        ArtifactError: the directory cannot be written.
    """
    root = Path(folder)
    try:
        with scratch(root) as place:
            for name, scorer in scorers.items():
                scorer.save(place / name)
            digests = {name: read_artifact(place / name).digest for name in scorers}
            target = root / _digest(digests)[:16]
            (place / _LIST).write_bytes(msgspec.json.format(msgspec.json.encode(digests)))
            if target.exists() and not _sound(target):
                shutil.rmtree(target)
            flush(place / _LIST)
            flush(place)
            if not target.exists():
                os.replace(place, target)
        flush(root)
        flush(root.parent)  # who promotes the bundle next relies on finding it after a power cut
    except OSError as error:
        raise ArtifactError(
            "the models cannot be written", got=f"{root}: {error}", then="check the path and free space"
        ) from error
    return load_bundle(target)


def load_bundle(path: str | Path, *, whole: bool = False) -> Bundle:
    """Return the bundle in a directory, every byte of it checked.

    What was checked on this machine before, and was not touched since, is not read again: see
    :mod:`penchant.engine.stamps`.

    >>> from tempfile import TemporaryDirectory
    >>> from penchant.models.popular import Popular
    >>> from penchant.testing import checkerboard
    >>> with TemporaryDirectory() as folder:
    ...     saved = save_bundle({"popular": Popular().fit(checkerboard(4))}, folder)
    ...     again = load_bundle(saved.path)
    >>> again.digest == saved.digest, again.scorers["popular"].recommend_one(["0"], n=2).ids
    (True, ('1', '2'))

    Args:
        path: the directory.
        whole: read every byte again, whatever was checked before.

    Raises:
        ArtifactError: there is no bundle.
        ArtifactDamaged: a byte of it is not what was saved.
    """
    place = Path(path)
    digests = _listed(place)
    known = None if whole else read_stamp(place)
    fresh = settled(place) if known is None else None
    scorers: dict[str, Scorer] = {}
    first: Scorer | None = None
    for name, digest in digests.items():
        artifact = read_artifact(place / name, whole=known is None)
        if artifact.digest != digest:
            raise ArtifactDamaged(
                "a model of the bundle is not the one that was trained with it",
                got=f"{place / name}: {artifact.digest[:12]}",
                allowed=digest[:12],
                then="train again",
            )
        scorers[name] = scorer_of(artifact, first)
        first = first or scorers[name]
    bundle = Bundle(_digest(digests), str(place), scorers, digests)
    if fresh is not None:
        write_stamp(place, bundle.digest, fresh)
    return bundle


def _listed(place: Path) -> dict[str, str]:
    try:
        return decode((place / _LIST).read_bytes(), dict[str, str])
    except (OSError, msgspec.MsgspecError) as error:
        raise ArtifactError("there is no bundle of models here", got=str(place), then="run 'penchant train'") from error


def place_of(recorded: str, folder: str | Path) -> Path:
    """Return where a recorded bundle lies: in the folder of the settings, also after the shop was moved or copied.

    >>> place_of("/gone/artifacts/9f2c", "/gone/too")
    PosixPath('/gone/artifacts/9f2c')
    """
    here = Path(folder) / Path(recorded).name
    return here if here.exists() else Path(recorded)


def _sound(place: Path) -> bool:
    try:
        load_bundle(place)
    except ArtifactError:
        return False
    return True


def _digest(digests: Mapping[str, str]) -> str:
    return hashlib.sha256("".join(f"{n}={d}\n" for n, d in sorted(digests.items())).encode()).hexdigest()
