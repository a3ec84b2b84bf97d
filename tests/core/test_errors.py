"""The tree of errors and the four parts of their texts."""

from __future__ import annotations

import inspect

import pytest

from penchant.core import errors
from penchant.core.errors import InputError, MissingExtra, PenchantError, UnknownName


def drawn() -> list[tuple[str, int]]:
    """Return (name, depth) of every class drawn in the docstring."""
    text = inspect.getdoc(errors) or ""
    found = [("PenchantError", 0)]
    for line in text.splitlines():
        head, mark, rest = line.partition("── ")
        if mark:
            found.append((rest.split()[0], 1 + head.count("│")))
    return found


def test_the_tree_in_the_docstring_is_the_tree_of_classes() -> None:
    path: list[str] = []
    for name, _ in drawn():
        kind = getattr(errors, name)
        depth = len(kind.__mro__) - len(PenchantError.__mro__)
        parent = kind.__mro__[1].__name__
        path = [*path[:depth], name]
        assert depth == 0 or path[depth - 1] == parent, f"{name} is drawn below {path[depth - 1]}, not {parent}"
    assert {name for name, _ in drawn()} == {
        name for name, kind in vars(errors).items() if inspect.isclass(kind) and issubclass(kind, PenchantError)
    }
    assert sorted(name for name, _ in drawn()) == sorted(errors.__all__)


def test_every_error_has_a_code_of_its_own_and_a_sentence() -> None:
    kinds = [getattr(errors, name) for name in errors.__all__]
    assert len({kind.code for kind in kinds}) == len(kinds)
    assert all(kind.__doc__ for kind in kinds)


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        ({}, "n is wrong"),
        ({"got": 0}, "n is wrong; got 0"),
        ({"got": ""}, "n is wrong; got "),
        ({"got": "x", "then": "ask again"}, "n is wrong; got x; next: ask again"),
        ({"allowed": "1 or more"}, "n is wrong; allowed: 1 or more"),
        ({"got": [1], "allowed": "a number", "then": "stop"}, "n is wrong; got [1]; allowed: a number; next: stop"),
    ],
)
def test_a_text_has_the_parts_that_are_known(parts: dict[str, object], text: str) -> None:
    error = PenchantError("n is wrong", field="n", **parts)
    assert str(error) == text
    assert error.field == "n"
    assert (error.got, error.allowed, error.then) == tuple(parts.get(name) for name in ("got", "allowed", "then"))


def test_a_giant_value_is_cut_and_its_size_said() -> None:
    text = str(InputError("a line is too long", got="a" * 5_000_000))
    assert text == "a line is too long; got " + "a" * 200 + "... (5,000,000 characters)"
    assert str(InputError("short enough", got="a" * 200)).endswith("a" * 200)


def test_an_unknown_name_lists_what_is_known_and_the_nearest() -> None:
    error = UnknownName.of("metric", "recal", {"recall", "ndcg"}, field="metrics")
    assert str(error) == "unknown metric; got recal; allowed: ndcg, recall; next: did you mean 'recall'?"
    assert error.field == "metrics"
    assert str(UnknownName.of("metric", "zzz", [])) == "unknown metric; got zzz; allowed: none exist"


def test_a_missing_extra_names_the_line_that_installs_it() -> None:
    text = str(MissingExtra.of("plot", "matplotlib"))
    assert text == "matplotlib is not installed; next: pip install 'penchant[plot]'"
