"""What penchant.toml may say, and what is said back when it may not."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from penchant.core.errors import InputError, SettingsError
from penchant.core.settings import PlacementSettings, Settings, load_settings, settings_from


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "penchant.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_an_empty_file_means_the_defaults(tmp_path: Path) -> None:
    settings = load_settings(written(tmp_path, ""))
    assert settings.server == Settings().server
    assert settings.consent.default is False
    assert settings.placements == Settings().placements


def test_relative_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    settings = load_settings(written(tmp_path, 'store = "sqlite:///data/my.db"\nartifacts = "models"'))
    assert settings.store == f"sqlite:///{tmp_path.resolve()}/data/my.db"
    assert settings.artifacts == str(tmp_path.resolve() / "models")


@pytest.mark.parametrize("url", ["sqlite:////var/lib/penchant.db", "postgresql+psycopg://db/penchant"])
def test_absolute_places_stay(tmp_path: Path, url: str) -> None:
    settings = load_settings(written(tmp_path, f'store = "{url}"\nartifacts = "/srv/models"'))
    assert (settings.store, settings.artifacts) == (url, "/srv/models")


def test_an_absent_file_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(tmp_path / "none.toml")
    assert str(caught.value) == f"there are no settings; got {tmp_path / 'none.toml'}; next: run 'penchant init'"


@pytest.mark.parametrize("text", [b"store = ", b'store = "\xff\xfe"', b"[server", b"\x00"])
def test_what_is_not_toml_is_said(tmp_path: Path, text: bytes) -> None:
    path = written(tmp_path, text)
    with pytest.raises(SettingsError, match="the settings cannot be read; got ") as caught:
        load_settings(path)
    assert str(path) in str(caught.value)
    assert str(caught.value).endswith("allowed: TOML")


def test_a_directory_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="the settings cannot be read"):
        load_settings(tmp_path)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ({"sotre": "x"}, "unknown key; got sotre; allowed: store, artifacts, events, consent, train, worker, "),
        (
            {"server": {"prot": 1}},
            "got server.prot; allowed: host, port, workers, max_batch, max_body; next: did you mean 'port'?",
        ),
        (
            {"placements": {"for-you": {"blend": {"ease": 1.0}, "exclude_sen": True}}},
            "got placements.for-you.exclude_sen; allowed: ",
        ),
        ({"zzzz": 1}, "unknown key; got zzzz"),
        ({"server": 8080}, "a table is needed; got server = 8080; allowed: [server]"),
        ({"placements": {"home": 3}}, "a table is needed; got placements.home = 3; allowed: [placements.home]"),
        (
            {"server": {"port": "http"}},
            'server.port has the wrong type; got "http"; allowed: a whole number',
        ),
        ({"store": 5}, "store has the wrong type; got 5; allowed: a string"),
        ({"consent": {"default": 1}}, "consent.default has the wrong type; got 1; allowed: true or false"),
        ({"evaluation": {"k": [5, "a"]}}, 'evaluation.k[1] has the wrong type; got "a"; allowed: a whole number'),
        ({"models": {"a": 3}}, 'models.* has the wrong type; got {"a": 3}; allowed: a table'),
        (
            {"placements": {"home": {"blend": 3}}},
            'placements.*.blend has the wrong type; got {"home": {"blend": 3}}; allowed: a table',
        ),
        (
            {"placements": {"home": {}}},
            "placements.* cannot be used: Object missing required field `blend`; got {\"home\": {}}",
        ),
        ({"server": {"port": 0}}, "server.port is too small; got 0; allowed: 1 or more"),
        ({"evaluation": {"k": []}}, "evaluation.k is too small; got 0; allowed: 1 or more"),
        ({"evaluation": {"resamples": 0}}, "evaluation.resamples is too small; got 0; allowed: 1 or more"),
        ({"train": {"keep": -1}}, "train.keep is too small; got -1; allowed: 1 or more"),
        (
            {"placements": {"home": {"blend": {"ease": 1.0}, "history": "world"}}},
            "placements.home.history is unknown; got world; allowed: user, item",
        ),
        (
            {"placements": {"home": {"blend": {"mine": 1.0}}}},
            "placements.home asks for a model that is not there; got mine; allowed: ",
        ),
        (
            {"placements": {"home": {"blend": {"ease": 1.0}, "fallback": {"mine": 1.0}}}},
            "next: add a table [models.mine]",
        ),
    ],
)  # fmt: skip
def test_what_may_not_be_said_is_said_back(raw: dict[str, object], text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        settings_from(raw, base=Path("/srv"))
    assert text in str(caught.value)


@pytest.mark.parametrize("raw", [{"placements": 3}, {"placements": [1]}, {"models": "ease"}])
def test_a_group_of_tables_has_to_be_one(raw: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match=r"^(placements|models) has the wrong type; got .*; allowed: a table$"):
        settings_from(raw, base=Path("/srv"))


@pytest.mark.parametrize("raw", [{"evaluation": {"test": "soon"}}, {"events": {"future": "-1d"}}])
def test_a_span_that_is_none_names_its_key(raw: dict[str, dict[str, str]]) -> None:
    with pytest.raises(InputError) as caught:
        settings_from(raw, base=Path("/srv"))
    ((section, keys),) = raw.items()
    assert caught.value.field == f"{section}.{next(iter(keys))}"


def test_the_defaults_pass_their_own_checks() -> None:
    raw = msgspec.to_builtins(Settings())
    assert settings_from(raw, base=Path("/srv")).placements["for-you"] == Settings().placements["for-you"]
    assert PlacementSettings(blend={"ease": 1.0}).history == "user"
