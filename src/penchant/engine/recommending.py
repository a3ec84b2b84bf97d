"""From a question to an answer: whose history, which pipeline, which words."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime

import msgspec
from msgspec import Struct

from penchant.core.errors import InputError, NotReady, UnknownName
from penchant.core.nouns import Slate
from penchant.core.settings import PlacementSettings, Settings
from penchant.engine.answers import MAX_N, Answer, Ask, ModelName, Ranked
from penchant.engine.bundle import Bundle
from penchant.engine.contents import Contents, Told
from penchant.engine.cursor import Cursor, read_cursor, write_cursor
from penchant.engine.deadline import Deadline
from penchant.engine.histories import Histories
from penchant.engine.walking import Found, Way, walk
from penchant.engine.watching import Watching
from penchant.pipeline.catalogue import Catalogue
from penchant.pipeline.chain import Chain, chain_of
from penchant.pipeline.content import SOURCE
from penchant.trust.access import Actor, require
from penchant.trust.check import LONGEST, flaw
from penchant.trust.gate import Gate
from penchant.trust.purpose import Purpose

__all__ = ["Model", "answer", "answered", "model_of", "placement_of"]


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
    pipelines: Mapping[str, Chain]
    "Placement name to its stages."
    contents: Contents
    "What items say about themselves."
    missing: tuple[str, ...] = ()
    "Why a placement has no pipeline, or not all of it."
    watching: Watching = Watching()
    "Takes note of every step."


def model_of(
    bundle: Bundle,
    settings: Settings,
    told: Told | None = None,
    watching: Watching | None = None,
    before: Model | None = None,
) -> Model:
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

    Args:
        bundle: the scorers.
        settings: placements and the weights of kinds.
        told: asked for all items with their texts, when items are compared by what they are.
        watching: takes note of every step.
        before: what answered so far; when its items are the same, what is known of them is kept.
    """
    watching = watching or Watching()
    if before is not None and before.catalogue.vocabulary == bundle.items:
        catalogue, contents = before.catalogue, before.contents
    else:
        catalogue = Catalogue(bundle.items)
        contents = Contents(catalogue, told)
    pipelines: dict[str, Chain] = {}
    missing: list[str] = []
    for name, placement in settings.placements.items():
        try:
            pipelines[name] = chain_of(placement, bundle.scorers, catalogue, watching)
            if pipelines[name].missing:
                missing.append(f"placement {name}: {pipelines[name].missing}")
        except NotReady as error:
            missing.append(f"placement {name}: {error}")
    return Model(settings, bundle, catalogue, pipelines, contents, tuple(missing), watching)


def answer(
    model: Model,
    gate: Gate,
    actor: Actor,
    ask: Ask,
    now: datetime,
) -> Answer:
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
    return answered(model, Histories(gate, actor, Deadline(0, float)), actor, ask, now)


def answered(
    model: Model,
    histories: Histories,
    actor: Actor,
    ask: Ask,
    now: datetime,
    *,
    hidden: tuple[str, ...] = (),
    given: bool = False,
) -> Answer:
    """Return the slate for a question whose histories are at hand, without what is ``hidden``.

    With ``given`` all items that the filters include are wanted, those seen or sold out too.

    >>> from penchant.engine.bundle import load_bundle
    >>> from penchant.testing import shop
    >>> from penchant.trust.access import SYSTEM
    >>> with shop() as engine:
    ...     model = model_of(load_bundle(engine.gate.artifacts.promoted().path), engine.settings)
    ...     histories = Histories(engine.gate, SYSTEM, Deadline(0, engine.timer))
    ...     ask = Ask(placement="trending", n=1)
    ...     first = answered(model, histories, SYSTEM, ask, engine.clock.now())
    ...     other = answered(model, histories, SYSTEM, ask, engine.clock.now(), hidden=("assam",))
    >>> first.items[0].item, other.items[0].item
    ('assam', 'jasmine')

    Errors are those of :func:`answer`.
    """
    require(actor, Purpose.PERSONALIZE.scope)
    _check(ask)
    placement_of(model.settings, ask.placement)
    if ask.placement not in model.pipelines:
        raise NotReady(
            "the placement has no trained model", got=ask.placement, then="run 'penchant train'", field="placement"
        )
    cursor = read_cursor(ask) or Cursor("", "", 0, ())
    shown = (*hidden, *cursor.shown)
    way = Way(
        chain=model.pipelines[ask.placement],
        items=model.catalogue.vocabulary,
        events=model.settings.events,
        contents=model.contents,
        basis=cursor.basis,
        n=min(ask.n, MAX_N - len(cursor.shown)),
        now=now,
        watching=model.watching,
        given=given,
    )
    asked = msgspec.structs.replace(ask.filters, exclude=ask.filters.exclude + shown) if shown else ask.filters
    found = walk(way, histories, ask, asked)
    return _answer(model, ask, slate_id(now), found, (cursor.position, shown))


def slate_id(now: datetime) -> str:
    """Return an id no other slate has; later ones stand behind earlier ones, so that a log grows at its end.

    Ids all over the log would dirty a page of it each, and writing slates would take twice as long.

    >>> from datetime import UTC, datetime
    >>> first, later = slate_id(datetime(2017, 12, 30, tzinfo=UTC)), slate_id(datetime(2017, 12, 31, tzinfo=UTC))
    >>> first < later, len(first), slate_id(datetime(2017, 12, 31, tzinfo=UTC)) == later
    (True, 32, False)
    """
    return f"{int(now.timestamp() * 1000):012x}{secrets.token_hex(10)}"


def _answer(model: Model, ask: Ask, key: str, found: Found, pages: tuple[int, tuple[str, ...]]) -> Answer:
    before, shown = pages
    now = found.slate.ids
    following = None
    if found.more:
        following = write_cursor(ask, found.basis, before + len(now), tuple(dict.fromkeys((*shown, *now))))
    return Answer(
        key,
        ask.placement,
        found.policy,
        _named(model, ask.placement, found),
        _ranked(found.slate, model.catalogue, before),
        basis=found.basis,
        fallback=found.falls,
        skipped=found.skipped,
        next=following,
        experiment=ask.experiment,
    )


def _named(model: Model, placement: str, found: Found) -> ModelName:
    """Return who answered; when nothing passes the filters, no model is the one that did."""
    if found.basis == SOURCE and len(found.slate):
        return ModelName(SOURCE, model.bundle.digest)
    asked = {part.source: part.factor for part in found.slate.parts} if len(found.slate) else {}
    return ModelName(*model.bundle.label(asked or model.settings.placements[placement].blend))


def _check(ask: Ask) -> None:
    if ask.user is not None and not ask.user.strip():
        raise InputError(
            "user is empty", allowed="a user id", then="leave it out for the answer for everybody", field="user"
        )
    for field, text in (("user", ask.user), ("session", ask.session)):
        wrong = flaw(text) if isinstance(text, str) else None
        if wrong:
            raise InputError(
                f"{field} {wrong}", allowed=f"text of 1 to {LONGEST} characters without control characters", field=field
            )
    low, high = ask.filters.price_min, ask.filters.price_max
    if low is not None and high is not None and low > high:
        raise InputError(
            "filters.price_min is above filters.price_max",
            got=f"{low:g} and {high:g}",
            allowed=f"at most {high:g}",
            field="filters.price_min",
        )


def placement_of(settings: Settings, name: str) -> PlacementSettings:
    """Return the settings of a placement.

    >>> placement_of(Settings(), "trending").blend
    {'trending': 1.0}

    Raises:
        UnknownName: there is no such placement.
    """
    if name not in settings.placements:
        raise UnknownName.of("placement", name, settings.placements, field="placement")
    return settings.placements[name]


def _ranked(slate: Slate, catalogue: Catalogue, before: int) -> tuple[Ranked, ...]:
    ranked: list[Ranked] = []
    all_reasons = slate.reasons or ((),) * len(slate)
    rows = zip(slate.items.tolist(), slate.ids, slate.scores.tolist(), all_reasons, strict=True)
    for rank, (code, key, score, reasons) in enumerate(rows, start=before + 1):
        item = catalogue.item(code, key)
        ranked.append(
            Ranked(
                item=item.id,
                title=item.title,
                rank=rank,
                score=score,
                reasons=reasons,
                price=item.price,
                currency=item.currency,
                categories=item.categories,
            )
        )
    return tuple(ranked)
