"""Saved models: a directory of JSON and memory-mappable arrays, with a SHA-256 for every file. No pickle."""

from __future__ import annotations

import hashlib
import shutil
import uuid
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl
from msgspec import Struct
from numpy.typing import NDArray

from penchant.core.disk import flush
from penchant.core.errors import ArtifactDamaged, ArtifactError, ArtifactVersion
from penchant.version import __version__

__all__ = ["FORMAT", "Artifact", "pack", "read_artifact", "unpack", "write_artifact"]

FORMAT = 1
"The version of the layout that this code writes."

_MANIFEST, _MODEL, _ARRAY = "manifest.json", "model.json", ".npy"


class Artifact(Struct, frozen=True, eq=False):
    """What a saved model's directory holds, checked.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     artifact = read_artifact(write_artifact(Path(folder, "m"), {"learner": "none"}, {"w": np.arange(3)}))
    >>> artifact.document["learner"], artifact.arrays["w"].tolist(), len(artifact.digest)
    ('none', [0, 1, 2], 64)
    """

    digest: str
    "SHA-256 of the manifest, as hex: the identity of the model."
    document: dict[str, Any]
    "The contents of model.json."
    arrays: dict[str, NDArray[Any]]
    "The arrays by name, memory-mapped read-only."


def write_artifact(path: str | Path, document: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> Path:
    """Write a directory under a temporary name, flush it to disk, then rename it: it is there whole or not at all.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     place = write_artifact(Path(folder, "m"), {"learner": "none"}, {"w": np.arange(3)})
    ...     sorted(path.name for path in place.iterdir())
    ['manifest.json', 'model.json', 'w.npy']

    Raises:
        ArtifactError: the path exists already, or its parent cannot be written.
    """
    target = Path(path)
    if target.exists():
        raise ArtifactError(
            "there is something at this path already", got=str(target), then="choose another path or remove it"
        )
    scratch = target.with_name(f".{target.name}.{uuid.uuid4().hex}.tmp")
    try:
        scratch.mkdir(parents=True)
        for name, array in arrays.items():
            np.save(scratch / f"{name}.npy", array, allow_pickle=False)
        model = {"format": FORMAT, "penchant": __version__, **document}
        (scratch / _MODEL).write_bytes(msgspec.json.format(msgspec.json.encode(model)))
        names = sorted(p.name for p in scratch.iterdir())
        manifest = {"format": FORMAT, "files": {name: _sha256(scratch / name) for name in names}}
        (scratch / _MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest)))
        for file in (*scratch.iterdir(), scratch):
            flush(file)
        scratch.rename(target)
        flush(target.parent)
    except OSError as error:
        raise ArtifactError(
            "the model cannot be written", got=f"{target}: {error}", then="check the path and free space"
        ) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return target


def read_artifact(path: str | Path, *, whole: bool = True) -> Artifact:
    """Return what a saved model's directory holds, after checking every byte against the manifest.

    Who knows that the arrays were checked and not touched since says ``whole=False``: then all but their bytes is.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     place = write_artifact(Path(folder, "m"), {"learner": "none"}, {"w": np.arange(3)})
    ...     _ = (place / "notes.txt").write_text("not of this model")
    ...     read_artifact(place)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    penchant.core.errors.ArtifactDamaged: a file of the saved model is not what was saved; got ...notes.txt; ...

    Raises:
        ArtifactError: there is no saved model at the path.
        ArtifactDamaged: a file is absent, added or changed.
        ArtifactVersion: a later version of Penchant wrote it.
    """
    place = Path(path)
    try:
        raw = (place / _MANIFEST).read_bytes()
    except OSError as error:
        raise ArtifactError(
            "there is no saved model here", got=str(place), allowed="a directory that save() wrote"
        ) from error
    try:
        manifest = msgspec.json.decode(raw)
        version, files = manifest["format"], dict(manifest["files"])
    except (msgspec.DecodeError, KeyError, TypeError, ValueError) as error:
        raise _damaged(place, _MANIFEST) from error
    if version != FORMAT:
        raise ArtifactVersion(
            "this saved model has another format",
            got=version,
            allowed=str(FORMAT),
            then="upgrade penchant, or train again",
        )
    present = {p.name for p in place.iterdir()} - {_MANIFEST}
    for name in sorted((present ^ set(files)) | ({_MODEL} - set(files))):
        raise _damaged(place, name)
    for name, sha in files.items():
        known = not whole and name.endswith(_ARRAY)
        if not (place / name).is_file() or not (known or _sha256(place / name) == sha):
            raise _damaged(place, name)
    arrays = {
        Path(name).stem: np.load(place / name, mmap_mode="r", allow_pickle=False)
        for name in files
        if name.endswith(_ARRAY)
    }
    document = msgspec.json.decode((place / _MODEL).read_bytes())
    return Artifact(hashlib.sha256(raw).hexdigest(), document, arrays)


def pack(ids: pl.Series) -> dict[str, NDArray[Any]]:
    """Return ids as two arrays: UTF-8 bytes and offsets.

    >>> unpack(pack(pl.Series(["tea", "", "milk"]))).to_list()
    ['tea', '', 'milk']
    """
    parts = [text.encode() for text in ids]
    offsets = np.concatenate([[0], np.cumsum([len(p) for p in parts], dtype=np.int64)]).astype(np.int64)
    return {"ids_utf8": np.frombuffer(b"".join(parts), dtype=np.uint8), "ids_offsets": offsets}


def unpack(arrays: dict[str, NDArray[Any]]) -> pl.Series:
    """Return the ids that :func:`pack` packed, and take the two arrays out of ``arrays``.

    >>> arrays = pack(pl.Series(["tea", "milk"])) | {"w": np.arange(2)}
    >>> unpack(arrays).to_list(), list(arrays)
    (['tea', 'milk'], ['w'])
    """
    text, offsets = arrays.pop("ids_utf8").tobytes(), arrays.pop("ids_offsets").tolist()
    return pl.Series([text[a:b].decode() for a, b in pairwise(offsets)], dtype=pl.String)


def _damaged(place: Path, name: str) -> ArtifactDamaged:
    return ArtifactDamaged(
        "a file of the saved model is not what was saved",
        got=str(place / name),
        allowed=f"the bytes that {_MANIFEST} lists",
        then="restore it from a backup, or train again",
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
