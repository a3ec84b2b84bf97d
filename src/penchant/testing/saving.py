"""What the contract says of saved scorers: the same bits back, nothing half-written, nothing damaged accepted."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from penchant.core.errors import ArtifactDamaged, ArtifactError, ArtifactVersion
from penchant.models.artifact import FORMAT
from penchant.models.learner import Learner
from penchant.models.load import load
from penchant.models.scorer import Scorer
from penchant.testing.claim import Check, arrays_of, claim, refused, same_arrays, same_top
from penchant.testing.worlds import bazaar

__all__ = ["SAVING"]


def _what_is_saved_comes_back(learner: Learner) -> None:
    data = bazaar()
    with _saved(learner) as (scorer, place):
        again = load(place)
        claim(again.learner == learner, f"the learner comes back as {again.learner}")
        claim(type(again) is type(scorer), f"the scorer comes back as {type(again).__name__}")
        claim(again.items == scorer.items, "the vocabulary comes back changed")
        same_arrays(again, scorer, "saved and loaded")
        for exclude_seen in (True, False):
            first, second = (s.score_batch(s.rows(data), 10, exclude_seen) for s in (scorer, again))
            same_top(first, second, "saved and loaded")
        for user in list(data.users)[:10]:
            scores = [s.score(data.history(user)) for s in (scorer, again)]
            claim(scores[0].tobytes() == scores[1].tobytes(), f"{user}: saving changes the scores")


def _no_pickle_and_arrays_are_mapped(learner: Learner) -> None:
    with _saved(learner) as (_, place):
        for file in place.iterdir():
            claim(file.suffix in (".json", ".npy"), f"{file.name} is neither JSON nor an array")
            if file.suffix == ".npy":
                claim(np.load(file, allow_pickle=False).dtype != object, f"{file.name} holds objects")
        for name, values in arrays_of(load(place)).items():
            claim(values.size == 0 or _is_mapped(values), f"the array {name!r} is read whole instead of being mapped")


def _a_changed_byte_is_found(learner: Learner) -> None:
    """In every file, at its start, middle and end."""
    with _saved(learner) as (_, place):
        for file in sorted(place.iterdir()):
            raw = file.read_bytes()
            for at in {0, len(raw) // 2, len(raw) - 1}:
                file.write_bytes(raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :])
                error = refused(lambda: load(place), ArtifactError, f"a changed byte {at} of {file.name}")
                right = isinstance(error, ArtifactDamaged) and file.name in str(error)
                claim(right or file.name == "manifest.json", f"the error does not name {file.name}: {error}")
            file.write_bytes(raw)
        load(place)


def _an_absent_or_added_file_is_found(learner: Learner) -> None:
    with _saved(learner) as (_, place):
        for file in sorted(place.iterdir()):
            raw = file.read_bytes()
            file.unlink()
            refused(lambda: load(place), ArtifactError, f"a model without {file.name}")
            file.write_bytes(raw[:-1])
            refused(lambda: load(place), ArtifactError, f"a model with {file.name} cut short")
            file.write_bytes(raw)
        extra = place / "weights.pkl"
        extra.write_bytes(b"")
        error = refused(lambda: load(place), ArtifactDamaged, "a model with one file too many")
        claim(extra.name in str(error), "the error does not name the file that is too many")
        extra.unlink()
        load(place)


def _a_later_format_is_said(learner: Learner) -> None:
    with _saved(learner) as (_, place):
        manifest = place / "manifest.json"
        text = manifest.read_text(encoding="utf-8")
        manifest.write_text(text.replace(f'"format": {FORMAT}', f'"format": {FORMAT + 1}'), encoding="utf-8")
        error = refused(lambda: load(place), ArtifactVersion, "a model of a later format")
        claim(f"got {FORMAT + 1}; allowed: {FORMAT}" in str(error), f"the error does not state the formats: {error}")


def _nothing_is_overwritten_or_half_written(learner: Learner) -> None:
    with _saved(learner) as (scorer, place):
        before = {file.name: file.read_bytes() for file in place.iterdir()}
        refused(lambda: scorer.save(place), ArtifactError, "saving over a saved model")
        claim({file.name: file.read_bytes() for file in place.iterdir()} == before, "the saved model was changed")
        claim(list(place.parent.iterdir()) == [place], "something was left beside the saved model")
        blocked = place / "model.json" / "below a file"
        refused(lambda: scorer.save(blocked), ArtifactError, "saving below a file")
        claim({file.name: file.read_bytes() for file in place.iterdir()} == before, "the saved model was changed")
        refused(lambda: load(place.parent / "nothing"), ArtifactError, "a path with nothing there")


def _nobody_lives_in_the_files(learner: Learner) -> str | None:
    if learner.holds_people:
        return "it says that it holds people"
    with _saved(learner) as (_, place):
        for file in place.iterdir():
            claim(b"person-" not in file.read_bytes(), f"{file.name} holds ids of people")
    return None


@contextmanager
def _saved(learner: Learner) -> Iterator[tuple[Scorer, Path]]:
    """Fit on a small market and save; yield the scorer and where it lies."""
    with tempfile.TemporaryDirectory() as folder:
        scorer: Scorer = learner.fit(bazaar())
        yield scorer, scorer.save(Path(folder) / "model")


def _is_mapped(values: object) -> bool:
    while values is not None:
        if isinstance(values, np.memmap):
            return True
        values = getattr(values, "base", None)
    return False


SAVING: tuple[Check, ...] = (
    _what_is_saved_comes_back,
    _no_pickle_and_arrays_are_mapped,
    _a_changed_byte_is_found,
    _an_absent_or_added_file_is_found,
    _a_later_format_is_said,
    _nothing_is_overwritten_or_half_written,
    _nobody_lives_in_the_files,
)
"The checks of saved scorers."
