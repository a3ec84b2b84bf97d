"""What an answer says it rests on, and who may ask for one."""

from __future__ import annotations

import pytest

from penchant.core.errors import Forbidden
from penchant.engine.answers import Ask
from penchant.engine.engine import Engine
from penchant.trust.access import SYSTEM, Actor

WRITER = Actor("writer", frozenset({"events:write", "consent:write"}))


@pytest.mark.parametrize(
    ("placement", "policy"),
    [("for-you", "personalized"), ("buy-again", "personalized"), ("trending", "non-profiling")],
)
def test_only_a_slate_that_rests_on_the_history_is_called_personalized(
    engine: Engine, placement: str, policy: str
) -> None:
    answer = engine.recommend(SYSTEM, Ask(placement=placement, user="u1"))
    assert answer.policy == policy
    codes = {reason.code for ranked in answer.items for reason in ranked.reasons}
    assert (codes == {"popular"}) == (policy == "non-profiling")


@pytest.mark.parametrize("asked", [{"user": "u1"}, {"session": ()}, {}])
def test_nobody_answers_an_actor_without_the_scope(engine: Engine, asked: dict[str, object]) -> None:
    with pytest.raises(Forbidden, match="recommend:read"):
        engine.recommend(WRITER, Ask(placement="trending", **asked))


def test_consent_is_not_recorded_when_its_state_may_not_be_told(engine: Engine) -> None:
    with pytest.raises(Forbidden, match="users:read"):
        engine.set_consent(WRITER, "u1", ["personalize"], granted=False, basis="form")
    assert engine.history(SYSTEM, "u1", 1).consent["personalize"]
