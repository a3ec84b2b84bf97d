"""Where a request comes from: the address of whoever asks, also behind proxies, and the networks it lies in."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from functools import lru_cache

from msgspec import Struct

from penchant.core.errors import InputError

__all__ = ["NOWHERE", "Caller", "Network", "client_of", "networks_of", "place_of", "within"]

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_HOPS = 32  # proxies that are looked through at most


class Caller(Struct, frozen=True):
    """Where a request comes from.

    >>> Caller("203.0.113.7").origin is None
    True
    """

    address: str | None = None
    "The client's address; None when there is none, as on a Unix socket."
    origin: str | None = None
    "The Origin header, as browsers send it; None when it is absent."


NOWHERE = Caller()
"Somebody in this process, or somebody whose address is not known."


@lru_cache(256)
def networks_of(texts: Sequence[str], field: str | None = None) -> tuple[Network, ...]:
    """Return networks and single addresses as networks.

    >>> [str(network) for network in networks_of(("10.0.0.0/8", "2001:db8::1"))]
    ['10.0.0.0/8', '2001:db8::1/128']
    >>> networks_of(("10.0.0.1/8",))
    Traceback (most recent call last):
        ...
    penchant.core.errors.InputError: not a network; got 10.0.0.1/8; \
allowed: an address, or a network such as 10.0.0.0/8 or 2001:db8::/32

    Args:
        texts: a tuple; what it gave is remembered.
        field: what an error says is meant.

    Raises:
        InputError: one is neither, or has bits set beside its mask.
    """
    found: list[Network] = []
    for text in texts:
        try:
            found.append(ipaddress.ip_network(text))
        except ValueError as error:
            allowed = "an address, or a network such as 10.0.0.0/8 or 2001:db8::/32"
            raise InputError("not a network", got=text, allowed=allowed, field=field) from error
    return tuple(found)


@lru_cache(4096)
def _address(text: str) -> Address | None:
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


def within(address: str | None, networks: Iterable[Network]) -> bool:
    """Return whether an address lies in one of the networks; IPv4 written as IPv6 counts as IPv4.

    >>> within("::ffff:10.2.3.4", networks_of(("10.0.0.0/8",))), within(None, networks_of(("0.0.0.0/0",)))
    (True, False)
    """
    found = None if address is None else _address(address)
    return found is not None and any(found.version == net.version and found in net for net in networks)


def client_of(peer: str | None, forwarded: str, trusted: Sequence[Network]) -> str | None:
    """Return the address of the client.

    Only what a trusted proxy says is believed: from the peer backwards through X-Forwarded-For, the first address
    that is not a trusted proxy's is the client's. What stands before it may be invented, and is not looked at.

    >>> proxies = networks_of(("10.0.0.0/8",))
    >>> client_of("10.0.0.2", "6.6.6.6, 203.0.113.7, 10.0.0.9", proxies)
    '203.0.113.7'
    >>> client_of("203.0.113.7", "6.6.6.6", proxies)  # the peer is no proxy of ours, so it speaks for itself
    '203.0.113.7'

    Args:
        peer: the other end of the connection.
        forwarded: the X-Forwarded-For headers, joined by commas.
        trusted: the networks of one's own proxies.
    """
    client = peer
    if not forwarded or not trusted:
        return client
    for hop in reversed(forwarded.split(",")[-_HOPS:]):
        if not within(client, trusted):
            break
        found = _address(hop.strip())
        if found is None:  # a proxy of ours that says what is no address is the last we know of
            break
        client = str(found)
    return client


def place_of(address: str | None) -> str:
    """Return what counts as one place for a limit: an IPv4 address, or the 64 bits of IPv6 that one line is given.

    >>> place_of("203.0.113.7"), place_of("2001:db8:1:2:3:4:5:6"), place_of(None)
    ('203.0.113.7', '2001:db8:1:2::', 'nowhere')
    """
    found = None if address is None else _address(address)
    if found is None:
        return "nowhere"
    if isinstance(found, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Address(int(found) >> 64 << 64))
    return str(found)
