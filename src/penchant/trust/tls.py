"""Encryption by the server itself: the certificate and its key, checked before anything is served."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from pathlib import Path

from penchant.core.errors import SettingsError
from penchant.core.exposure import TlsSettings

__all__ = ["check_private", "ends", "tls_context"]

_OTHERS = 0o027  # what others, and more than reading what the group, may do with a file


def check_private(path: Path, name: str) -> None:
    """Return when a file can be read by its owner and at most its group.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     key = Path(folder, "shop.key")
    ...     _ = key.write_text("..."), key.chmod(0o604)
    ...     check_private(key, "tls.private_key")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    penchant.core.errors.SettingsError: tls.private_key can be read or changed by others; got .../shop.key (mode 604); \
allowed: mode 600, 400 or 640; next: chmod 600 .../shop.key

    Raises:
        SettingsError: it is not there, or others may read or change it.
    """
    try:
        mode = path.stat().st_mode & 0o777
    except OSError as error:
        raise SettingsError(f"{name} cannot be read", got=f"{path}: {error.strerror}", then="check the path") from error
    if mode & _OTHERS:
        raise SettingsError(
            f"{name} can be read or changed by others",
            got=f"{path} (mode {mode:o})",
            allowed="mode 600, 400 or 640",
            then=f"chmod 600 {path}",
        )


def tls_context(tls: TlsSettings) -> ssl.SSLContext:
    """Return what a server with this certificate speaks.

    >>> tls_context(TlsSettings("no.pem", "no.key"))
    Traceback (most recent call last):
        ...
    penchant.core.errors.SettingsError: tls.private_key cannot be read; got no.key: No such file or directory; \
next: check the path

    Raises:
        SettingsError: the certificate or its key cannot be used, or others may read the key.
    """
    check_private(Path(tls.private_key), "tls.private_key")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3 if tls.minimum == "1.3" else ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:  # an empty password, so that a key that needs one is an error and not a question on a terminal
        context.load_cert_chain(tls.certificate, tls.private_key, password="")
    except (OSError, ValueError) as error:
        then = "name the PEM files of a certificate and of its own key, which has no password"
        raise SettingsError("tls.certificate cannot be used", got=f"{tls.certificate}: {error}", then=then) from error
    return context


def ends(tls: TlsSettings) -> datetime:
    """Return when a certificate ends, by shaking hands with it in memory.

    >>> ends(TlsSettings("no.pem", "no.key"))
    Traceback (most recent call last):
        ...
    penchant.core.errors.SettingsError: tls.private_key cannot be read; got no.key: No such file or directory; \
next: check the path

    Raises:
        SettingsError: it cannot be used, has ended, or is not valid yet.
    """
    server, client = tls_context(tls), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # it is its own authority here: only its dates are asked
    client.load_verify_locations(tls.certificate)
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    asking = client.wrap_bio(back, there)
    answering = server.wrap_bio(there, back, server_side=True)
    for _ in range(4):  # flights of a handshake
        for side in (asking, answering):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLCertVerificationError as error:
                then = "get a new certificate, or set the clock"
                raise SettingsError("tls.certificate is not valid", got=error.verify_message, then=then) from error
    found = asking.getpeercert() or {}
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(found["notAfter"])), UTC)
