"""A user study from end to end: what participants pick from, what two models make of it, and what came out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from msgspec import Struct

from penchant.core.clock import Clock, micros
from penchant.core.errors import InputError, UnknownName
from penchant.core.nouns import History, Query, Slate
from penchant.core.settings import PlacementSettings
from penchant.engine.recommending import Model
from penchant.evaluation.questionnaire import SIDES
from penchant.pipeline.run import explained
from penchant.trust.access import Actor, require
from penchant.trust.gate import Gate
from penchant.trust.participants import Card, Participant, Study

__all__ = ["OFFERED", "PICKS", "Studying"]

OFFERED = 24
"Items that a participant picks from."

PICKS = 3
"Items that a participant picks at least."

_BEST = 4 * OFFERED  # what everybody likes best, from which each is offered a part


class Studying(Struct, frozen=True, eq=False):
    """User studies over the models in charge.

    Participants say what they like on the page itself; nobody's stored history is asked.

    >>> from penchant.testing import shop
    >>> from penchant.trust.access import SYSTEM
    >>> with shop() as engine:
    ...     _ = engine.studies.create(SYSTEM, "tea", "ease", "popular", n=2)
    ...     token = engine.gate.studies.join("tea", terms="I agree that...", agreed=True)
    ...     offered = engine.studies.offered(token)
    ...     engine.studies.pick(token, ["assam", "ceylon", "jasmine"])
    ...     slates = engine.gate.studies.participant(token).slates
    >>> len(offered), [(card.title, card.why) for card in slates["a"]][0]
    (8, ('Sencha', 'Because of your pick of Jasmine'))
    """

    gate: Gate
    "Keeps who takes part."
    model: Callable[[], Model]
    "Returns what answers now."
    clock: Clock
    "Says when now is."

    def create(
        self, actor: Actor, name: str, a: str, b: str, *, n: int = 5, places: int = 1000, seed: int = 0
    ) -> Study:
        """Make a study of two models in charge; its page is open from now on.

        Raises:
            Forbidden: the actor is not an administrator.
            UnknownName: there is no such model among those in charge.
            InputError: the name is taken or cannot stand in an address, or a number is out of range.
        """
        require(actor, "admin")
        for model in (a, b):
            self._scorer(self.model(), model)
        return self.gate.studies.create(actor, name, a, b, n=n, places=places, seed=seed)

    def offered(self, token: str) -> tuple[Card, ...]:
        """Return the items that a participant can pick from: some of what is best liked, another part for each.

        Raises:
            NotFound: there is no such participant.
            NotReady: no models are trained.
        """
        who = self.gate.studies.participant(token)
        return self._offered(who, self.gate.studies.get(who.study))

    def pick(self, token: str, items: Sequence[str]) -> None:
        """Make both slates from what a participant likes, and remember them; the picks themselves are not stored.

        Raises:
            NotFound: there is no such participant.
            InputError: too few were picked, one was not offered, or a model knows nothing to go with them.
            NotReady: no models are trained.
            UnknownName: a model of the study is no longer in charge.
        """
        who = self.gate.studies.participant(token)
        if who.slates is not None:
            return
        study, model = self.gate.studies.get(who.study), self.model()
        offered = {card.item for card in self._offered(who, study)}
        picks, least = list(dict.fromkeys(items)), min(PICKS, len(offered))
        if len(picks) < least:
            raise InputError("too few were picked", got=len(picks), allowed=f"{least} or more", field="pick")
        unknown = next((item for item in picks if item not in offered), None)
        if unknown is not None:
            raise InputError("this was not offered", got=unknown, then="pick from the page", field="pick")
        slates = {side: self._slate(model, study, side, picks) for side in SIDES}
        self.gate.studies.show(token, model.bundle.digest, slates)

    def _offered(self, who: Participant, study: Study) -> tuple[Card, ...]:
        model = self.model()
        rng = np.random.default_rng([study.seed, 1, who.number])
        catalogue = model.catalogue
        able = np.flatnonzero(catalogue.available)
        scores = np.zeros(len(able))
        for scorer in model.bundle.scorers.values():
            if not scorer.personal:
                scores = np.nan_to_num(scorer.score(History.of([]))[able], nan=-np.inf)
                break
        best = able[np.argsort(-scores, kind="stable")[:_BEST]]
        chosen = rng.permutation(best)[:OFFERED]
        return tuple(Card(catalogue.item(int(code)).id, catalogue.title(int(code))) for code in chosen)

    def _slate(self, model: Model, study: Study, side: str, picks: Sequence[str]) -> tuple[Card, ...]:
        name = study.a if side == "a" else study.b
        self._scorer(model, name)
        stage = explained(PlacementSettings(blend={name: 1.0}), model.bundle.scorers, model.catalogue)
        now = self.clock.now()
        seconds = [micros(now) - 1_000_000 * back for back in range(len(picks), 0, -1)]
        history = History.of(model.bundle.items.codes(picks), [1.0] * len(picks), seconds, ("pick",) * len(picks))
        slate = stage(Query(study.n, "study", history, now), Slate.of())
        if not len(slate):
            raise InputError("there is nothing to show for these", then="pick others", field="pick")
        rows = zip(slate.items, slate.ids, slate.reasons, strict=True)
        return tuple(
            Card(item, model.catalogue.title(int(code)), reasons[0].text if reasons else "")
            for code, item, reasons in rows
        )

    @staticmethod
    def _scorer(model: Model, name: str) -> None:
        if name not in model.bundle.scorers:
            raise UnknownName.of("model", name, model.bundle.scorers, field="model")
