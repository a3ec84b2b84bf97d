"""From a question to an answer: whose history, which pipeline, which words."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from penchant.core.clock import micros
from penchant.core.errors import InputError, NotFound, NotReady, UnknownName
from penchant.core.nouns import History, Query, Slate
from penchant.core.protocols import Stage
from penchant.core.settings import EventSettings, PlacementSettings, Settings
from penchant.data.vocabulary import Vocabulary
from penchant.engine.answers import Answer, Ask, ModelName, Ranked, SessionEvent
from penchant.engine.bundle import Bundle
from penchant.engine.watching import Watching
from penchant.pipeline.catalogue import Catalogue
from penchant.pipeline.run import explained
from penchant.pipeline.watched import watched
from penchant.trust.access import Actor, require
from penchant.trust.gate import Gate
from penchant.trust.purpose import Purpose

__all__ = ["Model", "answer", "model_of"]

HISTORY = 10_000
"The newest events of a person that an answer takes into account."

PERSONALIZED, SESSION, PAGE, NON_PROFILING = "personalized", "session", "item", "non-profiling"


class Model(Struct, frozen=True, eq=False):
    """Everything in memory that answers: one bundle, its catalogue, and a pipeline per placement.

    >>> from tempfile import TemporaryDirectory
    >>> from penchant.engine.bundle import save_bundle
    >>> from penchant.models.popular import Popular
    >>> from penchant.testing import checkerboard
    >>> with TemporaryDirectory() as folder:
    ...     bundle = save_bundle({"trending": Popular().fit(checkerboard(4))}, folder)
    >>> model = model_of(bundle, Settings())
    >>> list(model.pipelines), model.catalogue.title(0)
    (['trending'], '0')
    """

    settings: Settings
    "Placements and the weights of kinds."
    bundle: Bundle
    "The scorers."
    catalogue: Catalogue
    "What is known of their items."
    pipelines: Mapping[str, Stage]
    "Placement name to its stages."
    missing: tuple[str, ...] = ()
    "Why a placement has no pipeline."
    watching: Watching = Watching()
    "Takes note of every step."


def model_of(bundle: Bundle, settings: Settings, watching: Watching | None = None) -> Model:
    """Return what answers from a bundle; a placement whose models are not in it is reported, not fatal.

    >>> from tempfile import TemporaryDirectory
    >>> from penchant.engine.bundle import save_bundle
    >>> from penchant.models.popular import Popular
    >>> from penchant.testing import checkerboard
    >>> with TemporaryDirectory() as folder:
    ...     bundle = save_bundle({"trending": Popular().fit(checkerboard(4))}, folder)
    >>> model = model_of(bundle, Settings())
    >>> list(model.pipelines), model.missing[0]
    (['trending'], 'placement for-you: a placement needs a model that is not trained; got ease; allowed: trending; \
next: train')
    """
    catalogue, watching = Catalogue(bundle.items), watching or Watching()
    pipelines: dict[str, Stage] = {}
    missing: list[str] = []
    for name, placement in settings.placements.items():
        try:
            pipelines[name] = watched(explained(placement, bundle.scorers, catalogue), watching)
        except NotReady as error:
            missing.append(f"placement {name}: {error}")
    return Model(settings, bundle, catalogue, pipelines, tuple(missing), watching)


def answer(model: Model, gate: Gate, actor: Actor, ask: Ask, now: datetime) -> Answer:
    """Return the slate for a question, with its basis; one that rests on nobody's history is called non-profiling.

    >>> from penchant.engine.bundle import load_bundle
    >>> from penchant.testing import shop
    >>> from penchant.trust.access import SYSTEM
    >>> with shop() as engine:
    ...     model = model_of(load_bundle(engine.gate.artifacts.promoted().path), engine.settings)
    ...     found = answer(model, engine.gate, SYSTEM, Ask(placement="buy-again", user="ann", n=1), engine.clock.now())
    >>> found.policy, found.items[0].item, found.model.name
    ('personalized', 'assam', 'buy-again')

    Raises:
        Forbidden: the actor lacks ``recommend:read``.
        UnknownName: there is no such placement.
        NotReady: the placement's models are not trained.
        InputError: the question contradicts itself or lacks what the placement needs.
        NotFound: the item on the page is not known.
    """
    require(actor, Purpose.PERSONALIZE.scope)
    _check(ask)
    placement = _placement(model.settings, ask.placement)
    if ask.placement not in model.pipelines:
        raise NotReady(
            "the placement has no trained model", got=ask.placement, then="run 'penchant train'", field="placement"
        )
    with model.watching.step("gate", "history", ask.placement) as told:
        history, policy = _history(model, gate, actor, ask)
        told(len(history))
    query = Query(ask.n, ask.placement, history, now, ask.context, ask.filters)
    slate = model.pipelines[ask.placement](query, Slate.of())
    asked = {part.source: part.factor for part in slate.parts} if len(slate) else {}
    names = asked or placement.blend  # when nothing passes the filters, no model is the one that answered
    if not any(model.bundle.scorers[name].personal for name in names):
        policy = NON_PROFILING
    name, digest = model.bundle.label(names)
    return Answer(uuid.uuid4().hex, ask.placement, policy, ModelName(name, digest), _ranked(slate, model.catalogue))


def _check(ask: Ask) -> None:
    if ask.user is not None and not ask.user.strip():
        raise InputError(
            "user is empty", allowed="a user id", then="leave it out for the answer for everybody", field="user"
        )
    low, high = ask.filters.price_min, ask.filters.price_max
    if low is not None and high is not None and low > high:
        raise InputError(
            "filters.price_min is above filters.price_max",
            got=f"{low:g} and {high:g}",
            allowed=f"at most {high:g}",
            field="filters.price_min",
        )


def _placement(settings: Settings, name: str) -> PlacementSettings:
    if name not in settings.placements:
        raise UnknownName.of("placement", name, settings.placements, field="placement")
    return settings.placements[name]


def _history(model: Model, gate: Gate, actor: Actor, ask: Ask) -> tuple[History, str]:
    """Return the history that may be used for a question, and the policy that this makes it."""
    if ask.user is not None and ask.session is not None:
        raise InputError(
            "a question has a user or a session, not both",
            got="both",
            allowed="user, session, or neither",
            then="send the session's events to /v1/events once the user is known",
            field="session",
        )
    items, settings = model.bundle.items, model.settings
    if _placement(settings, ask.placement).history == "item":
        return _page(items, ask), PAGE
    if ask.session is not None:
        return _session(items, settings.events, ask.session), SESSION if ask.session else NON_PROFILING
    if ask.user is None:
        return History.of([]), NON_PROFILING
    past = gate.history(actor, Purpose.PERSONALIZE, ask.user, HISTORY)
    weights = [settings.events.weigh(kind, value) for kind, value in zip(past.kinds, past.values, strict=True)]
    history = History.of(items.codes(past.items), weights, past.at, past.kinds)
    return history, PERSONALIZED if len(history) else NON_PROFILING


def _page(items: Vocabulary, ask: Ask) -> History:
    if ask.item is None:
        raise InputError(
            f"the placement {ask.placement!r} needs the item on the page",
            allowed="an item id",
            then='add "item" to the question',
            field="item",
        )
    code = items.code(ask.item)
    if code < 0:
        raise NotFound(
            "the models do not know this item",
            got=ask.item,
            then="put it in the catalogue, send events about it, and train",
            field="item",
        )
    return History.of([code], kinds=("page",))


def _session(items: Vocabulary, settings: EventSettings, events: Sequence[SessionEvent]) -> History:
    """Return a visit as a history, by its times; where one is missing, by its order, a second apart."""
    times = [micros(event.at) for event in events if event.at is not None]
    if len(times) < len(events):
        times = [second * 1_000_000 for second in range(len(events))]
    ordered = sorted(zip(times, events, strict=True), key=lambda pair: pair[0])
    return History.of(
        items.codes([event.item for _, event in ordered]),
        [settings.weigh(event.kind, event.value) for _, event in ordered],
        [at for at, _ in ordered],
        tuple(event.kind for _, event in ordered),
    )


def _ranked(slate: Slate, catalogue: Catalogue) -> tuple[Ranked, ...]:
    ranked: list[Ranked] = []
    for row, (code, score, reasons) in enumerate(zip(slate.items, slate.scores, slate.reasons, strict=True)):
        item = catalogue.item(int(code))
        ranked.append(
            Ranked(
                item=item.id,
                title=item.title,
                rank=row + 1,
                score=float(score),
                reasons=reasons,
                price=item.price,
                currency=item.currency,
                categories=item.categories,
            )
        )
    return tuple(ranked)
