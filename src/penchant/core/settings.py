"""``penchant.toml``, decoded once into one frozen struct and passed down."""

from __future__ import annotations

import difflib
import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, field

from penchant.core.clock import parse_duration
from penchant.core.decoding import convert
from penchant.core.errors import SettingsError
from penchant.core.exposure import (
    AccessSettings,
    LimitSettings,
    ObserveSettings,
    TlsSettings,
    check_exposure,
    with_environment,
)
from penchant.core.measuring import AttributionSettings, SlateSettings, check_measuring
from penchant.core.wording import complaint

__all__ = [
    "AttributionSettings",
    "ConsentSettings",
    "EvaluationSettings",
    "EventSettings",
    "PlacementSettings",
    "ServerSettings",
    "Settings",
    "SlateSettings",
    "TrainSettings",
    "WorkerSettings",
    "load_settings",
]


class _Section(Struct, frozen=True, forbid_unknown_fields=True):
    """A table of the file; an unknown key in it is refused."""


class EventSettings(_Section, frozen=True):
    """What kinds of event mean."""

    weights: dict[str, float] = field(
        default_factory=lambda: {"view": 1.0, "add_to_cart": 3.0, "purchase": 5.0, "rating": 1.0, "dislike": -5.0}
    )
    "Kind to weight; below 0 is a dislike. A kind that is not named weighs 1."
    valued: tuple[str, ...] = ("rating",)
    "Kinds whose value multiplies the weight. For all others only the sign of the value counts."
    future: str = "1d"
    "How far ahead of the clock an event may lie before it is refused."
    waiting: int = 100_000
    "Events that may wait to be written, in one process, before more are refused as busy."

    def weigh(self, kinds: Sequence[str], values: Sequence[float]) -> list[float]:
        """Return what each event weighs.

        >>> EventSettings().weigh(("purchase", "purchase", "rating", "wish"), (3.0, -1.0, 4.0, 1.0))
        [5.0, -5.0, 4.0, 1.0]
        """
        weights, valued = self.weights, self.valued
        return [
            weights.get(kind, 1.0) * (value if kind in valued else 1.0 if value > 0 else -1.0 if value < 0 else 0.0)
            for kind, value in zip(kinds, values, strict=True)
        ]


class ConsentSettings(_Section, frozen=True):
    """Who may be personalized for when nothing is recorded.

    >>> ConsentSettings().default  # without a yes on record nobody is profiled
    False
    """

    default: bool = False
    "Whether a person who was never asked counts as having said yes."


class TrainSettings(_Section, frozen=True):
    """How the data is cut before models are fitted.

    >>> TrainSettings(min_users=2)
    TrainSettings(min_users=2, keep=5)
    """

    min_users: int = 5
    "Items that fewer users touched are not learnt."
    keep: int = 5
    "Trained bundles kept on disk."


class WorkerSettings(_Section, frozen=True):
    """How ``penchant worker`` keeps the models up to date.

    >>> WorkerSettings(every="1h").placement
    'for-you'
    """

    every: str = "1d"
    "From the end of one training to the beginning of the next."
    jitter: str = "5m"
    "Up to so much is added by chance, so that many deployments do not begin at once."
    newest: str = "1d"
    "The newest part of the events, by which new models and those in charge are compared before a promotion."
    placement: str = "for-you"
    "The placement that is asked in the comparison."
    metric: str = "ndcg@10"
    "What decides: new models are promoted unless they are significantly worse by it."
    floor: float = 0.0
    "What the metric must reach at least; 0 asks for nothing."
    users: int = 1000
    "People asked about in the comparison, at most."
    lease: str = "1m"
    "How long after a worker was killed another may take over."


class EvaluationSettings(_Section, frozen=True):
    """How models are compared.

    >>> EvaluationSettings(test="7d")
    EvaluationSettings(test='7d', k=(5, 10, 20), resamples=1000, protocol='temporal', windows=4, folds=5, share=0.2, \
gap='30m', by=(), threshold=0.0)
    """

    test: str = "28d"
    "The last part of the data, held out; of rolling windows, how long one is."
    k: tuple[int, ...] = (5, 10, 20)
    "List lengths that metrics are computed at."
    resamples: int = 1000
    "Bootstrap resamples behind an interval."
    protocol: str = "temporal"
    "How events are cut: temporal, rolling, leave-last-out, random, k-fold, strong or sessions."
    windows: int = 4
    "How many windows are rolled."
    folds: int = 5
    "Into how many folds events are dealt."
    share: float = 0.2
    "The share held out at random: of the events; of strong, of the people and of what each of them did."
    gap: str = "30m"
    "A session ends when nothing is done for longer than this."
    by: tuple[str, ...] = ()
    "Columns that slice an evaluation, such as user.history."
    threshold: float = 0.0
    "Above it a rating is a like."


class ServerSettings(_Section, frozen=True):
    """Where the server listens, and what one request may bring.

    >>> ServerSettings(port=9000).host  # other machines reach it only when the settings say so
    '127.0.0.1'
    """

    host: str = "127.0.0.1"
    "The address; 127.0.0.1 answers this machine only."
    port: int = 8080
    "The port."
    workers: int = 1
    "Processes that share the port."
    max_batch: int = 10_000
    "Events or items in one request."
    max_body: int = 16 * 1024 * 1024
    "Bytes in one request, unpacked."
    trusted_proxies: tuple[str, ...] = ()
    "Addresses and networks of one's own proxies, whose X-Forwarded-For is believed."


class PlacementSettings(_Section, frozen=True):
    """One place where a slate is shown.

    >>> PlacementSettings(blend={"ease": 1.0, "popular": 0.3}, fallback={"popular": 1.0}).exclude_seen
    True
    """

    blend: dict[str, float]
    "Model name to weight. Of several, each model's scores are scaled to 1 at its best candidate, then added up."
    history: str = "user"
    "Whose history is asked: 'user' what the person did, 'item' the item on the page."
    exclude_seen: bool = True
    "Leave out what is in the history already."
    fallback: dict[str, float] = field(default_factory=dict)
    "The blend used when the first cannot say anything: no history, or none that may be used."
    reasons: int = 5
    "Reasons given per item; the others are added up in one."
    content: bool = False
    "Before the fallback, show items whose title, text and categories are like those of the history."
    most_per_category: int = 0
    "Items of one category in a slate at most, so far as there are others; 0 for any number."
    deadline_ms: int = 0
    "Milliseconds after which steps of an answer that are late are skipped; 0 for no limit."
    reported: bool = False
    "Whether the page reports what it shows by impression events; if not, what was served is taken for shown."


def _default_models() -> dict[str, dict[str, Any]]:
    return {
        "ease": {"learner": "ease", "half_life": 90.0},
        "item-knn": {"learner": "item-knn"},
        "ials": {"learner": "ials"},
        "buy-again": {"learner": "buy-again"},
        "popular": {"learner": "popular", "half_life": 14.0},
        "trending": {"learner": "popular", "half_life": 3.0},
    }


def _default_placements() -> dict[str, PlacementSettings]:
    return {
        "for-you": PlacementSettings(blend={"ease": 1.0, "popular": 0.3}, content=True, fallback={"popular": 1.0}),
        "buy-again": PlacementSettings(blend={"buy-again": 1.0}, exclude_seen=False),
        "similar": PlacementSettings(blend={"item-knn": 1.0}, history="item", content=True, fallback={"popular": 1.0}),
        "trending": PlacementSettings(blend={"trending": 1.0}, exclude_seen=False),
    }


class Settings(_Section, frozen=True):
    """Everything that can be configured.

    >>> Settings().server.host
    '127.0.0.1'
    """

    store: str = "sqlite:///penchant.db"
    "URL of the database; a relative path is relative to the file that says it."
    artifacts: str = "artifacts"
    "Directory of trained models; relative to the file that says it."
    events: EventSettings = EventSettings()
    consent: ConsentSettings = ConsentSettings()
    train: TrainSettings = TrainSettings()
    worker: WorkerSettings = WorkerSettings()
    evaluation: EvaluationSettings = EvaluationSettings()
    server: ServerSettings = ServerSettings()
    access: AccessSettings = AccessSettings()
    tls: TlsSettings = TlsSettings()
    limits: LimitSettings = LimitSettings()
    observe: ObserveSettings = ObserveSettings()
    slates: SlateSettings = SlateSettings()
    attribution: AttributionSettings = AttributionSettings()
    models: dict[str, dict[str, Any]] = field(default_factory=_default_models)
    "Model name to learner and its hyper-parameters."
    placements: dict[str, PlacementSettings] = field(default_factory=_default_placements)
    "Placement name to what answers there."


def load_settings(path: str | Path) -> Settings:
    """Return the settings a TOML file says, checked, with its relative paths made absolute.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     place = Path(folder, "penchant.toml")
    ...     _ = place.write_text("server = {port = 9000}")
    ...     settings = load_settings(place)
    >>> settings.server.port, settings.artifacts == str(place.parent.resolve() / "artifacts")
    (9000, True)

    Raises:
        SettingsError: the file is absent, is not TOML, has an unknown key, or a value that is not allowed.
    """
    source = Path(path)
    try:
        raw = msgspec.toml.decode(source.read_bytes())
    except FileNotFoundError as error:
        raise SettingsError("there are no settings", got=str(source), then="run 'penchant init'") from error
    except (msgspec.DecodeError, UnicodeDecodeError, OSError) as error:
        raise SettingsError("the settings cannot be read", got=f"{source}: {error}", allowed="TOML") from error
    found = settings_from(raw, base=source.resolve().parent)
    return msgspec.structs.replace(found, observe=with_environment(found.observe, os.environ))


def settings_from(raw: dict[str, Any], *, base: Path) -> Settings:
    """Return the settings of a decoded table; relative paths are taken from ``base``.

    >>> settings_from({"server": {"prot": 80}}, base=Path("."))
    Traceback (most recent call last):
        ...
    penchant.core.errors.SettingsError: unknown key; got server.prot; allowed: host, port, workers, max_batch, \
max_body, trusted_proxies; next: did you mean 'port'?
    """
    _check_keys(raw, Settings, "")
    placements = raw.get("placements", {})
    for name, placement in placements.items() if isinstance(placements, dict) else ():
        _check_keys(placement, PlacementSettings, f"placements.{name}.")
    try:
        settings = convert(raw, Settings)
    except msgspec.ValidationError as error:
        raise _wrong(str(error), raw) from error
    _check_values(settings)
    return _absolute(settings, base)


def _absolute(settings: Settings, base: Path) -> Settings:
    access, tls = settings.access, settings.tls
    certificate, key = (str(base / name) if name else "" for name in (tls.certificate, tls.private_key))
    return msgspec.structs.replace(
        settings,
        store=_absolute_url(settings.store, base),
        artifacts=str(base / settings.artifacts),
        access=msgspec.structs.replace(access, counters=str(base / access.counters) if access.counters else ""),
        tls=msgspec.structs.replace(tls, certificate=certificate, private_key=key),
    )


def _wrong(text: str, raw: dict[str, Any]) -> SettingsError:
    """Return the error for a decoder's complaint about a value; under a key that it does not name, * stands for it."""
    found = complaint(text)
    value: Any = raw
    for index, key in re.findall(r"\[(\d+)\]|([^.\[\]]+)", found.path):
        inside = isinstance(value, dict) and key in value
        value = value[int(index)] if index and isinstance(value, list) else value[key] if inside else value
    name = found.path.replace("[...]", ".*") or "a setting"
    got = json.dumps(value, default=str, ensure_ascii=False)
    allowed = found.allowed and found.allowed.replace("an object", "a table")
    return SettingsError(f"{name} {found.fault}", got=got, allowed=allowed)


def _check_keys(raw: Any, kind: type[Struct], prefix: str) -> None:
    if not isinstance(raw, dict):
        raise SettingsError(
            "a table is needed", got=f"{prefix.rstrip('.')} = {raw!r}", allowed=f"[{prefix.rstrip('.')}]"
        )
    known = {f.name: f.type for f in msgspec.structs.fields(kind)}
    for key, value in raw.items():
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            then = f"did you mean {near[0]!r}?" if near else None
            raise SettingsError("unknown key", got=f"{prefix}{key}", allowed=", ".join(known), then=then)
        inner = known[key]
        if isinstance(inner, type) and issubclass(inner, Struct):
            _check_keys(value, inner, f"{prefix}{key}.")


def _check_values(settings: Settings) -> None:
    parse_duration(settings.events.future, field="events.future")
    parse_duration(settings.evaluation.test, field="evaluation.test")
    for name in ("every", "jitter", "newest", "lease"):
        parse_duration(getattr(settings.worker, name), field=f"worker.{name}")
    check_exposure(settings.access, settings.tls, settings.limits, settings.observe, settings.server.trusted_proxies)
    limits = {
        "evaluation.k": min(settings.evaluation.k, default=0),
        "evaluation.resamples": settings.evaluation.resamples,
        "train.min_users": settings.train.min_users,
        "train.keep": settings.train.keep,
        "worker.users": settings.worker.users,
        "server.port": settings.server.port,
        "server.workers": settings.server.workers,
        "events.waiting": settings.events.waiting,
    }
    for name, value in limits.items():
        if value < 1:
            raise SettingsError(f"{name} is too small", got=value, allowed="1 or more")
    check_measuring(settings.slates, settings.attribution)
    if "content" in settings.models:
        raise SettingsError("a model has a name that is taken", got="models.content", then="call it otherwise")
    for name, placement in settings.placements.items():
        for key in ("deadline_ms", "most_per_category"):
            if getattr(placement, key) < 0:
                raise SettingsError(f"placements.{name}.{key} is negative", allowed="0 or more")
        if placement.history not in ("user", "item"):
            raise SettingsError(f"placements.{name}.history is unknown", got=placement.history, allowed="user, item")
        for model in (*placement.blend, *placement.fallback):
            if model not in settings.models:
                raise SettingsError(
                    f"placements.{name} asks for a model that is not there",
                    got=model,
                    allowed=", ".join(settings.models),
                    then=f"add a table [models.{model}]",
                )


def _absolute_url(url: str, base: Path) -> str:
    prefix = "sqlite:///"
    if not url.startswith(prefix) or url.startswith(prefix + "/"):
        return url
    return f"{prefix}{base / url.removeprefix(prefix)}"
