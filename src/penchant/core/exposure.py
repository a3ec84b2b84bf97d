"""Settings of what a server shows to the outside: to browsers, to networks, to those who watch it."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from msgspec import Struct

from penchant.core.clock import parse_duration
from penchant.core.errors import InputError, SettingsError

__all__ = [
    "AccessSettings",
    "LimitSettings",
    "ObserveSettings",
    "TlsSettings",
    "check_exposure",
    "with_environment",
]

_ORIGIN = re.compile(r"https?://[a-z0-9.\-\[\]:]+", re.ASCII)
_LOGS = ("text", "json")
_TLS = ("1.2", "1.3")


class AccessSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Who may ask from web pages, and for how long a visitor's session lasts.

    >>> AccessSettings().origins  # no page of another origin may ask
    ()
    """

    origins: tuple[str, ...] = ()
    'Origins whose pages may ask from browsers (CORS), such as https://shop.example; "*" lets every page ask.'
    session_life: str = "1d"
    "How long a visitor's session lasts."
    session_kinds: tuple[str, ...] = ("view", "impression", "click", "add_to_cart", "dislike")
    "Kinds of event that a public key may send; what costs money or counts as a rating is sent by a server."
    counters: str = ""
    "Folder of the counters of rate limits; empty for one beside the store, or in the temporary folder for PostgreSQL."


class TlsSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Encryption by the server itself.

    >>> TlsSettings(certificate="shop.pem", private_key="shop.key").on
    True
    """

    certificate: str = ""
    "PEM file of the certificate and its chain; empty for plain HTTP. Relative to the file that says it."
    private_key: str = ""
    "PEM file of its key, which only its owner may read."
    minimum: str = "1.2"
    "The oldest version of TLS that is spoken: 1.2 or 1.3."

    @property
    def on(self) -> bool:
        """Whether the server speaks TLS."""
        return bool(self.certificate)


class LimitSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Sizes and times of requests.

    >>> LimitSettings().max_query
    4096
    """

    max_headers: int = 16_384
    "Bytes of the headers of a request, its first line among them."
    max_query: int = 4_096
    "Bytes behind the ? of an address."
    max_connections: int = 2_000
    "Connections that a process holds open at once."
    receive: str = "30s"
    "How long the headers may take to arrive, and then the body."
    idle: str = "5s"
    "How long a connection is kept open without a request."


class ObserveSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What those who watch are told.

    >>> ObserveSettings().logs
    'text'
    """

    logs: str = "text"
    "Lines of the log: text, or json for one object a line."
    otlp: str = ""
    "Where traces go, as http://collector:4318; empty for OTEL_EXPORTER_OTLP_ENDPOINT, and nowhere without it."
    service: str = "penchant"
    "What this deployment is called in traces."


def check_exposure(
    access: AccessSettings, tls: TlsSettings, limits: LimitSettings, observe: ObserveSettings, proxies: tuple[str, ...]
) -> None:
    """Return when these settings make sense.

    >>> check_exposure(AccessSettings(("shop.example",)), TlsSettings(), LimitSettings(), ObserveSettings(), ())
    Traceback (most recent call last):
        ...
    penchant.core.errors.SettingsError: access.origins holds what is no origin; got shop.example; \
allowed: a scheme and a host in small letters, such as https://shop.example, or *

    Raises:
        SettingsError: one of them cannot be.
    """
    for origin in access.origins:
        if origin != "*" and not _ORIGIN.fullmatch(origin):
            allowed = "a scheme and a host in small letters, such as https://shop.example, or *"
            raise SettingsError("access.origins holds what is no origin", got=origin, allowed=allowed)
    for proxy in proxies:
        _check_network(proxy)
    if bool(tls.certificate) != bool(tls.private_key):
        raise SettingsError(
            "tls.certificate and tls.private_key belong together",
            got="one of them",
            allowed="both or neither",
            then="name the other, too",
        )
    _one_of("tls.minimum", tls.minimum, _TLS)
    _one_of("observe.logs", observe.logs, _LOGS)
    if observe.otlp and urlsplit(observe.otlp).scheme not in ("http", "https"):
        raise SettingsError("observe.otlp is no address", got=observe.otlp, allowed="http://host:4318, or https://")
    for name, value in (("access.session_life", access.session_life), ("limits.receive", limits.receive)):
        _duration(name, value)
    _duration("limits.idle", limits.idle)
    sizes = {
        "max_headers": limits.max_headers,
        "max_query": limits.max_query,
        "max_connections": limits.max_connections,
    }
    for name, size in sizes.items():
        if size < 1:
            raise SettingsError(f"limits.{name} is too small", got=size, allowed="1 or more")


def with_environment(observe: ObserveSettings, environment: Mapping[str, str]) -> ObserveSettings:
    """Return the settings with what OpenTelemetry's own variables say where the file says nothing.

    >>> with_environment(ObserveSettings(), {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}).otlp
    'http://collector:4318'
    """
    service = environment.get("OTEL_SERVICE_NAME") if observe.service == ObserveSettings().service else None
    otlp = observe.otlp or environment.get("OTEL_EXPORTER_OTLP_ENDPOINT", "")
    return ObserveSettings(observe.logs, otlp, service or observe.service)


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise SettingsError(f"{name} is unknown", got=value, allowed=", ".join(allowed))


def _duration(name: str, value: str) -> None:
    try:
        parse_duration(value, field=name)
    except InputError as error:
        raise SettingsError(f"{name} is not a duration", got=value, allowed=error.allowed, then=error.then) from error


def _check_network(text: str) -> None:
    try:
        ipaddress.ip_network(text)
    except ValueError as error:
        allowed = "addresses, and networks such as 10.0.0.0/8"
        raise SettingsError("server.trusted_proxies holds what is no network", got=text, allowed=allowed) from error
