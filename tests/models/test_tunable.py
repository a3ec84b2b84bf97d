"""Every learner says where to look for good values, within the bounds of its fields; what is no space is refused."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
import pytest
from msgspec import Meta

from penchant.core.errors import InputError, UnknownName
from penchant.models.ease import EASE
from penchant.models.learner import Learner, learners
from penchant.models.tunable import Tunable, settled, tunables, whole

FIELDS = [(kind, name) for kind in learners().values() for name in tunables(kind)]


class Odd(EASE, frozen=True, kw_only=True):
    kind_of: Annotated[Literal["a", "b"] | None, Tunable()] = None
    sure: Annotated[bool, Tunable()] = False
    many: Annotated[int, Meta(ge=1), Tunable(1, 9)] | None = None
    plain: int = 3


@pytest.mark.parametrize("kind", learners().values(), ids=lambda kind: kind.name)
def test_every_learner_says_what_can_be_tuned(kind: type[Learner]) -> None:
    assert tunables(kind)


@pytest.mark.parametrize(("kind", "name"), FIELDS, ids=[f"{kind.name}-{name}" for kind, name in FIELDS])
def test_a_space_lies_within_the_bounds_of_its_field_and_holds_the_default(kind: type[Learner], name: str) -> None:
    space = tunables(kind)[name]
    default = next(field.default for field in msgspec.structs.fields(kind) if field.name == name)
    for value in space.values():
        kind(**{name: value}).check()
        assert not whole(kind, name) or value is None or isinstance(value, int), f"{name} is whole, {value} is not"
    if space.choices:
        assert default in space.choices
        assert None not in space.choices or default is None, "a settings file cannot say None, only leave it out"
    elif default is not None:
        assert space.low <= default <= space.high
    if space.when:
        other, *values = space.when
        assert set(values) <= set(tunables(kind)[other].choices)


def test_few_values_follow_from_the_type() -> None:
    found = tunables(Odd)
    assert found["kind_of"].choices == ("a", "b")
    assert found["sure"].choices == (False, True)
    assert found["many"] == Tunable(1, 9)
    assert "plain" not in found
    assert whole(Odd, "many")
    assert list(found)[:2] == ["l2", "half_life"], "fields of the parent come first"


@pytest.mark.parametrize(
    ("args", "text"),
    [
        ({"low": 1}, "a space has two ends, or choices"),
        ({"low": 1, "high": 2, "choices": (1,)}, "a space has two ends, or choices"),
        ({"low": 2, "high": 2}, "a space is empty; got 2 to 2; allowed: low below high"),
        ({"low": float("nan"), "high": 2}, "a space is empty"),
        ({"low": 0, "high": 2, "log": True}, "a space on a logarithmic scale begins above 0"),
        ({"log": True}, "a space on a logarithmic scale begins above 0"),
    ],
)
def test_what_is_no_space_is_refused(args: dict[str, object], text: str) -> None:
    with pytest.raises(InputError) as error:
        Tunable(**args)  # type: ignore[arg-type]
    assert str(error.value).startswith(text)


def test_a_field_without_few_values_needs_ends() -> None:
    with pytest.raises(InputError, match=r"the space of plain is empty.*write Tunable\(low, high\)"):
        settled(Odd, "plain", Tunable())
    with pytest.raises(UnknownName, match=r"unknown field of Odd; got plian; .*did you mean 'plain'\?"):
        settled(Odd, "plian", Tunable(1, 2))
    with pytest.raises(UnknownName, match="unknown field of Odd; got nothing"):
        settled(Odd, "plain", Tunable(1, 2, when=("nothing", 1)))
