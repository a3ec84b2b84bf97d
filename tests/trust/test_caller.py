"""Who asks, when proxies stand between."""

from __future__ import annotations

import pytest

from penchant.trust.caller import client_of, networks_of

PROXIES = networks_of(("10.0.0.0/8", "2001:db8:ffff::/48"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("198.51.100.1", "6.6.6.6", "198.51.100.1"),  # not a proxy of ours: it may say what it likes
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "6.6.6.6, 198.51.100.1", "198.51.100.1"),  # what stands before was sent by the client
        ("10.0.0.1", "198.51.100.1, 10.0.0.9", "198.51.100.1"),
        ("10.0.0.1", "2001:db8::5, 2001:db8:ffff::1", "2001:db8::5"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "unknown", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1, <script>, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),  # a proxy itself asks
        ("10.0.0.1", "198.51.100.1:4711", "10.0.0.1"),
        (None, "198.51.100.1", None),
    ],
)
def test_only_what_a_trusted_proxy_says_is_believed(peer: str | None, forwarded: str, client: str | None) -> None:
    assert client_of(peer, forwarded, PROXIES) == client


def test_without_proxies_the_header_means_nothing() -> None:
    assert client_of("10.0.0.1", "198.51.100.1", ()) == "10.0.0.1"


def test_an_endless_header_is_not_read_to_its_beginning() -> None:
    assert client_of("10.0.0.1", ",".join(["1.1.1.1", *["10.0.0.2"] * 100_000]), PROXIES) == "10.0.0.2"
