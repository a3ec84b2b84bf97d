"""The settings that ship say every key, in words, at its default."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from penchant.cli.init import DEFAULT
from penchant.core.errors import SettingsError
from penchant.core.settings import PlacementSettings, Settings, settings_from
from penchant.models.learner import learner_from

TEXT = DEFAULT.read_text(encoding="utf-8")


def test_the_shipped_settings_are_the_defaults(tmp_path):
    assert msgspec.convert(tomllib.loads(TEXT), Settings) == Settings()
    decoded = settings_from(tomllib.loads(TEXT), base=tmp_path)
    assert decoded == settings_from({}, base=tmp_path)


def _keys(kind: Any, prefix: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for field in msgspec.structs.fields(kind):
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            yield from _keys(field.type, (*prefix, field.name))
        else:
            yield (*prefix, field.name)


def test_every_key_stands_there():
    raw = tomllib.loads(TEXT)
    for path in _keys(Settings):
        place = raw
        for name in path:
            assert name in place, ".".join(path)
            place = place[name]
    assert set(raw["placements"]["for-you"]) == {field.name for field in msgspec.structs.fields(PlacementSettings)}


def test_every_key_and_table_has_a_comment_above():
    lines = TEXT.splitlines()
    for number, line in enumerate(lines):
        key = re.match(r"(#: )?[\w-]+ = |\[", line)
        if key is None:
            continue
        above = lines[number - 1]
        shared = re.match(r"[\w-]+ = ", above) and _table(lines, number).startswith("[placements.")
        assert re.match(r"# \w", above) or shared, f"line {number + 1} is not explained: {line}"


def _table(lines: list[str], number: int) -> str:
    return next(line for line in reversed(lines[:number]) if line.startswith("["))


def test_the_hyper_parameters_shown_are_the_defaults():
    shown = tomllib.loads(TEXT.replace("\n#: ", "\n"))["models"]
    assert sum(len(config) for config in shown.values()) > 14
    for name, config in shown.items():
        assert learner_from(name, config) == learner_from(name, Settings().models[name]), name


@pytest.mark.parametrize("key", ["stoer = 'x'", "[server]\nhsot = 'x'", "[placements.p]\nblend = {}\nreason = 1"])
def test_unknown_keys_are_refused(key, tmp_path):
    with pytest.raises(SettingsError, match=r"unknown key; got .*; allowed: .*; next: did you mean"):
        settings_from(tomllib.loads(key), base=tmp_path)
