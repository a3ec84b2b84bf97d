"""Penchant: recommendations you can account for.

>>> import penchant as pt
>>> pt.learners()["ease"]
<class 'penchant.models.ease.EASE'>
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
    from penchant.evaluation.cross import cross_evaluate
    from penchant.evaluation.datareport.report import data_report
    from penchant.evaluation.evaluate import evaluate
    from penchant.evaluation.interleaving import interleave, team_draft
    from penchant.evaluation.measure import measure
    from penchant.evaluation.offpolicy.estimate import off_policy
    from penchant.evaluation.offpolicy.logged import Logged
    from penchant.evaluation.offpolicy.slates import LoggedSlates, off_policy_slates
    from penchant.evaluation.preference import preference
    from penchant.evaluation.tuning import tune
    from penchant.models.bpr import BPR
    from penchant.models.buyagain import BuyAgain
    from penchant.models.chebycf import ChebyCF
    from penchant.models.ease import EASE
    from penchant.models.edlae import EDLAE
    from penchant.models.gfcf import GFCF
    from penchant.models.ials import IALS
    from penchant.models.itemautoencoder import ItemAutoencoder
    from penchant.models.itemknn import ItemKNN
    from penchant.models.learner import learners
    from penchant.models.load import load
    from penchant.models.matrixfactorization import MatrixFactorization
    from penchant.models.popular import Popular
    from penchant.models.puresvd import PureSVD
    from penchant.models.rdlae import RDLAE
    from penchant.models.rlae import RLAE
    from penchant.models.rp3beta import RP3Beta
    from penchant.models.sansa import SANSA
    from penchant.models.slim import SLIM
    from penchant.models.slist import SLIST
    from penchant.models.trending import Trending
    from penchant.models.tunable import Tunable
    from penchant.models.turbocf import TurboCF
    from penchant.models.userknn import UserKNN
    from penchant.models.vstan import VSTAN

__all__ = [
    "BPR",
    "EASE",
    "EDLAE",
    "GFCF",
    "IALS",
    "RDLAE",
    "RLAE",
    "SANSA",
    "SLIM",
    "SLIST",
    "VSTAN",
    "BuyAgain",
    "ChebyCF",
    "Dataset",
    "Event",
    "Item",
    "ItemAutoencoder",
    "ItemKNN",
    "Logged",
    "LoggedSlates",
    "MatrixFactorization",
    "PenchantError",
    "Popular",
    "PureSVD",
    "RP3Beta",
    "Reason",
    "Slate",
    "Trending",
    "Tunable",
    "TurboCF",
    "UserKNN",
    "Vocabulary",
    "__version__",
    "cross_evaluate",
    "data_report",
    "evaluate",
    "interleave",
    "learners",
    "load",
    "measure",
    "off_policy",
    "off_policy_slates",
    "preference",
    "read_events",
    "read_items",
    "split",
    "team_draft",
    "tune",
]

_HOMES = {
    "BPR": "penchant.models.bpr",
    "EASE": "penchant.models.ease",
    "EDLAE": "penchant.models.edlae",
    "GFCF": "penchant.models.gfcf",
    "IALS": "penchant.models.ials",
    "RDLAE": "penchant.models.rdlae",
    "RLAE": "penchant.models.rlae",
    "VSTAN": "penchant.models.vstan",
    "SLIM": "penchant.models.slim",
    "SANSA": "penchant.models.sansa",
    "BuyAgain": "penchant.models.buyagain",
    "ChebyCF": "penchant.models.chebycf",
    "Dataset": "penchant.data.dataset",
    "Event": "penchant.core.nouns",
    "Item": "penchant.core.nouns",
    "ItemAutoencoder": "penchant.models.itemautoencoder",
    "ItemKNN": "penchant.models.itemknn",
    "Logged": "penchant.evaluation.offpolicy.logged",
    "LoggedSlates": "penchant.evaluation.offpolicy.slates",
    "MatrixFactorization": "penchant.models.matrixfactorization",
    "PenchantError": "penchant.core.errors",
    "Popular": "penchant.models.popular",
    "RP3Beta": "penchant.models.rp3beta",
    "PureSVD": "penchant.models.puresvd",
    "Reason": "penchant.core.nouns",
    "SLIST": "penchant.models.slist",
    "Slate": "penchant.core.nouns",
    "UserKNN": "penchant.models.userknn",
    "Trending": "penchant.models.trending",
    "Tunable": "penchant.models.tunable",
    "TurboCF": "penchant.models.turbocf",
    "Vocabulary": "penchant.data.vocabulary",
    "data_report": "penchant.evaluation.datareport.report",
    "cross_evaluate": "penchant.evaluation.cross",
    "evaluate": "penchant.evaluation.evaluate",
    "interleave": "penchant.evaluation.interleaving",
    "learners": "penchant.models.learner",
    "load": "penchant.models.load",
    "off_policy": "penchant.evaluation.offpolicy.estimate",
    "off_policy_slates": "penchant.evaluation.offpolicy.slates",
    "measure": "penchant.evaluation.measure",
    "read_events": "penchant.data.readers",
    "read_items": "penchant.data.readers",
    "tune": "penchant.evaluation.tuning",
    "preference": "penchant.evaluation.preference",
    "team_draft": "penchant.evaluation.interleaving",
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
