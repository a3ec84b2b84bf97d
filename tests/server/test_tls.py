"""The server speaks TLS with a certificate of one's own, and refuses what would make that worthless."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import msgspec
import pytest
import trustme

from penchant.core.errors import SettingsError
from penchant.core.exposure import TlsSettings
from penchant.core.settings import ServerSettings
from penchant.engine.engine import Engine
from penchant.server.app import create_app
from penchant.server.run import running
from penchant.trust.tls import tls_context


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def tls(authority: trustme.CA, tmp_path: Path) -> TlsSettings:
    issued = authority.issue_cert("127.0.0.1")
    certificate, key = tmp_path / "shop.pem", tmp_path / "shop.key"
    certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    key.write_bytes(issued.private_key_pem.bytes())
    key.chmod(0o600)
    return TlsSettings(str(certificate), str(key), "1.3")


@pytest.fixture
def url(engine: Engine, tls: TlsSettings) -> Iterator[str]:
    with (
        Engine.open(msgspec.structs.replace(engine.settings, tls=tls), engine.clock) as secured,
        running(create_app(secured)) as url,
    ):
        yield url.replace("http:", "https:")


def context(authority: trustme.CA) -> ssl.SSLContext:
    made = ssl.create_default_context()
    authority.configure_trust(made)
    return made


def test_it_speaks_tls_and_says_that_it_always_will(url: str, authority: trustme.CA) -> None:
    answer = httpx.get(f"{url}/healthz", verify=context(authority))
    assert answer.status_code == 200
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


def test_an_older_version_is_not_spoken(url: str, authority: trustme.CA) -> None:
    old = context(authority)
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/healthz", verify=old)


def test_plain_http_does_not_get_an_answer(url: str) -> None:
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{url.replace('https:', 'http:')}/healthz")


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o660, 0o602])
def test_a_key_that_others_may_read_or_change_is_refused(tls: TlsSettings, mode: int) -> None:
    Path(tls.private_key).chmod(mode)
    with pytest.raises(SettingsError, match=r"tls.private_key can be read or changed by others; got .*next: chmod 600"):
        tls_context(tls)


@pytest.mark.parametrize("mode", [0o400, 0o600, 0o640])
def test_a_key_that_the_owner_keeps_is_taken(tls: TlsSettings, mode: int) -> None:
    Path(tls.private_key).chmod(mode)
    assert tls_context(tls).minimum_version == ssl.TLSVersion.TLSv1_3


def test_a_certificate_that_cannot_be_used_is_named(tls: TlsSettings, authority: trustme.CA, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    other.write_bytes(authority.issue_cert("shop.example").cert_chain_pems[0].bytes())
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("no certificate")
    for certificate in (other, nonsense, tmp_path / "absent.pem"):
        with pytest.raises(SettingsError, match=r"tls.certificate cannot be used; got "):
            tls_context(TlsSettings(str(certificate), tls.private_key))


def test_behind_a_proxy_that_speaks_tls_browsers_are_told_too(engine: Engine) -> None:
    said = {"X-Forwarded-Proto": "https"}
    for proxies, told in ((("127.0.0.1",), True), ((), False), (("10.0.0.0/8",), False)):
        server = ServerSettings(trusted_proxies=proxies)
        settings = msgspec.structs.replace(engine.settings, server=server)
        with Engine.open(settings, engine.clock) as behind, running(create_app(behind)) as url:
            answer = httpx.get(f"{url}/healthz", headers=said)
        assert ("strict-transport-security" in answer.headers) is told
