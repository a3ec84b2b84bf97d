"""Penchant: recommendations you can account for.

>>> import penchant as pt
>>> sorted(pt.learners())
['buy-again', 'ease', 'edlae', 'ials', 'item-autoencoder', 'item-knn', 'popular', 'rdlae', 'rlae', 'rp3-beta', 'sansa']
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from penchant.version import __version__

if TYPE_CHECKING:
    from penchant.core.errors import PenchantError
    from penchant.core.nouns import Event, Item, Reason, Slate
    from penchant.data import split
    from penchant.data.dataset import Dataset
    from penchant.data.readers import read_events, read_items
    from penchant.data.vocabulary import Vocabulary
    from penchant.evaluation.evaluate import evaluate
    from penchant.models.buyagain import BuyAgain
    from penchant.models.ease import EASE
    from penchant.models.edlae import EDLAE
    from penchant.models.ials import IALS
    from penchant.models.itemautoencoder import ItemAutoencoder
    from penchant.models.itemknn import ItemKNN
    from penchant.models.learner import learners
    from penchant.models.load import load
    from penchant.models.popular import Popular
    from penchant.models.rdlae import RDLAE
    from penchant.models.rlae import RLAE
    from penchant.models.rp3beta import RP3Beta
    from penchant.models.sansa import SANSA

__all__ = [
    "EASE",
    "EDLAE",
    "IALS",
    "RDLAE",
    "RLAE",
    "SANSA",
    "BuyAgain",
    "Dataset",
    "Event",
    "Item",
    "ItemAutoencoder",
    "ItemKNN",
    "PenchantError",
    "Popular",
    "RP3Beta",
    "Reason",
    "Slate",
    "Vocabulary",
    "__version__",
    "evaluate",
    "learners",
    "load",
    "read_events",
    "read_items",
    "split",
]

_HOMES = {
    "EASE": "penchant.models.ease",
    "EDLAE": "penchant.models.edlae",
    "IALS": "penchant.models.ials",
    "RDLAE": "penchant.models.rdlae",
    "RLAE": "penchant.models.rlae",
    "SANSA": "penchant.models.sansa",
    "BuyAgain": "penchant.models.buyagain",
    "Dataset": "penchant.data.dataset",
    "Event": "penchant.core.nouns",
    "Item": "penchant.core.nouns",
    "ItemAutoencoder": "penchant.models.itemautoencoder",
    "ItemKNN": "penchant.models.itemknn",
    "PenchantError": "penchant.core.errors",
    "Popular": "penchant.models.popular",
    "RP3Beta": "penchant.models.rp3beta",
    "Reason": "penchant.core.nouns",
    "Slate": "penchant.core.nouns",
    "Vocabulary": "penchant.data.vocabulary",
    "evaluate": "penchant.evaluation.evaluate",
    "learners": "penchant.models.learner",
    "load": "penchant.models.load",
    "read_events": "penchant.data.readers",
    "read_items": "penchant.data.readers",
}
"Where each public name lives; it is imported when first asked for, so that importing the package stays cheap."


def __getattr__(name: str) -> Any:
    if name == "split":
        return import_module("penchant.data.split")
    if name not in _HOMES:
        raise AttributeError(f"module 'penchant' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
