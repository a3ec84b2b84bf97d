"""What a deployment shows to the outside: who may read its files, who reaches it, with which keys, over what."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from penchant.core.clock import utc
from penchant.core.errors import SettingsError
from penchant.core.settings import Settings
from penchant.engine.finding import Finding, days
from penchant.trust.caller import networks_of
from penchant.trust.condition import file_of
from penchant.trust.keys import Key
from penchant.trust.tls import ends

__all__ = ["LOCAL_HOSTS", "files", "keys", "reach"]

LOCAL_HOSTS = ("127.0.0.1", "::1", "localhost")
"Addresses that only this machine reaches."

SOON = timedelta(days=14)
"Before an end, when it is time to say so."


_PASSWORD = re.compile(r"://[^/@]*:[^@]*@|[?&]password=")
"What a URL of a database holds when it holds a password."


def files(place: Path, settings: Settings) -> Iterator[Finding]:
    """Yield what is wrong with who may read and change the files of a deployment; one ok when nothing is.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     place = Path(folder, "penchant.toml")
    ...     _ = place.write_text(""), place.chmod(0o666)
    ...     [finding.level for finding in files(place, Settings(artifacts=folder))]
    ['warn']
    """
    found = list(_open_to_others(place, settings))
    yield from found or [Finding("ok", "files: nobody else may read the store or change what is served")]


def _open_to_others(place: Path, settings: Settings) -> Iterator[Finding]:
    store = file_of(settings.store)
    held = [] if store is None else [store, Path(f"{store}-wal")]
    for path in held:
        if _mode(path) & 0o077:
            what = f"files: others may read {path}, which holds what people did"
            yield Finding("warn", what, f"chmod 600 {path}")
    secret = _PASSWORD.search(settings.store) is not None
    for path in (place, Path(settings.artifacts)):
        if _mode(path) & 0o002:
            yield Finding("warn", f"files: others may change {path}", f"chmod o-w {path}")
        elif path is place and secret and _mode(path) & 0o004:
            yield Finding("warn", f"files: others may read {path}, which holds a password", f"chmod 600 {path}")


def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode
    except OSError:
        return 0


def keys(held: Sequence[Key], settings: Settings, now: datetime) -> Iterator[Finding]:
    """Yield what is found of the keys.

    >>> [finding.what for finding in keys([], Settings(), datetime(2017, 12, 31))]
    ['keys: none, so nobody can call the server']
    """
    working = [key for key in held if key.works(now)]
    if not working:
        yield Finding("warn", "keys: none, so nobody can call the server", "run 'penchant keys create'")
        return
    yield Finding("ok", f"keys: {len(working)} in force")
    endless = [key.id for key in working if key.expires is None and not key.public]
    if endless:
        what = f"keys: {len(endless)} without an end ({', '.join(endless[:5])}{', ...' if len(endless) > 5 else ''})"
        yield Finding("warn", what, "make new ones with 'penchant keys create --expires 90d', and revoke these")
    for key in working:
        left = None if key.expires is None else utc(key.expires) - utc(now)
        if left is not None and left < SOON and key.successor is None:
            then = f"run 'penchant keys rotate {key.id}'"
            yield Finding("warn", f"keys: {key.id} ends in {days(left)}, and nothing replaces it", then)
    public = [key for key in working if key.public]
    if public and not settings.access.origins:
        what = "keys: there is a public key, and no page may use it"
        yield Finding("warn", what, "name the origins of your pages in access.origins")
    for key in public:
        if key.rate is None:
            then = "make a new one with 'penchant keys create --public --rate 120/m'"
            yield Finding("warn", f"keys: the public key {key.id} has no rate, so anybody may ask without end", then)


def reach(settings: Settings, now: datetime) -> Iterator[Finding]:
    """Yield what is found of who reaches the server and how.

    >>> [finding.level for finding in reach(Settings(), datetime(2017, 12, 31))]
    ['ok']
    """
    host, proxies = settings.server.host, settings.server.trusted_proxies
    if settings.tls.on:
        yield _certificate(settings, now)
    elif host in LOCAL_HOSTS:
        yield Finding("ok", f"server: listens on {host}, which only this machine reaches")
    elif proxies:
        yield Finding("ok", f"server: listens on {host} without TLS, behind {len(proxies)} trusted proxies or networks")
    else:
        what = f"server: listens on {host}, which other machines reach, without encryption of its own"
        yield Finding("warn", what, "set tls.certificate and tls.private_key, or put a proxy with TLS before it")
    if any(network.prefixlen == 0 for network in networks_of(proxies)):
        what = "server: trusted_proxies holds the whole world, so anybody may say they are anybody"
        yield Finding("fail", what, "name the addresses of your own proxies")
    if "*" in settings.access.origins:
        what = 'server: access.origins is "*", so every page on the web may ask'
        yield Finding("warn", what, "name the origins of your own pages")
    for origin in settings.access.origins:
        local = origin.startswith(("http://localhost", "http://127.0.0.1", "http://[::1]"))
        if origin.startswith("http://") and not local:
            yield Finding("warn", f"server: {origin} is not encrypted, so others may change its pages", "use https")


def _certificate(settings: Settings, now: datetime) -> Finding:
    try:
        left = ends(settings.tls) - utc(now)
    except SettingsError as error:
        return Finding("fail", f"tls: {error}", error.then or "")
    if left < SOON:
        return Finding("warn", f"tls: the certificate ends in {days(left)}", "renew it, and start the server again")
    return Finding("ok", f"tls: version {settings.tls.minimum} and later; the certificate ends in {days(left)}")
