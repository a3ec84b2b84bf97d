"""How the server process is set up: connections with limits, TLS, and nothing believed that was not checked."""

from __future__ import annotations

from typing import Any

from penchant.core.clock import parse_duration
from penchant.core.settings import Settings
from penchant.server.wire import wire_of
from penchant.trust.tls import tls_context

__all__ = ["hosting"]


def hosting(settings: Settings) -> dict[str, Any]:
    """Return uvicorn's options for these settings.

    >>> options = hosting(Settings())
    >>> options["timeout_keep_alive"], options["proxy_headers"]
    (5.0, False)

    Raises:
        SettingsError: the certificate or its key cannot be used, or others may read the key.
    """
    options: dict[str, Any] = {
        "http": wire_of(settings.limits),
        "timeout_keep_alive": parse_duration(settings.limits.idle).total_seconds(),
        "proxy_headers": False,  # the edge looks at them, for the proxies that the settings name
        "date_header": True,
    }
    if settings.tls.on:
        context = tls_context(settings.tls)
        options["ssl_context_factory"] = lambda _config, _default: context
    return options
