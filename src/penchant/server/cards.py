"""One item on the page, with its bar."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

from penchant.core.nouns import Reason
from penchant.engine.answers import Ranked
from penchant.server.bar import Bar, bar_of

__all__ = ["Card", "Listing", "cards_of", "headline", "price_of"]

_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£"}


class Card(Struct, frozen=True):
    """One item, ready to show.

    >>> bananas = Ranked("1095275", "Bananas", 1, 0.5, price=0.59, currency="USD")
    >>> Card("for-you-1095275", bananas, "$0.59", bar_of((), before=0.0, scale=1.0), new=True).ranked.title
    'Bananas'
    """

    id: str
    "Unique on the page."
    ranked: Ranked
    "The item."
    price: str
    "In words; empty when not known."
    bar: Bar
    "Its addends."
    new: bool
    "Whether it entered the list just now."
    why: str = ""
    "The reason told first, in words."


class Listing(Struct, frozen=True):
    """One list of items and its basis.

    >>> cards = cards_of("trending", [Ranked("1095275", "Bananas", 1, 0.5)], frozenset())
    >>> told = ("Not profiled: nobody's history was used", "popular", "9f2c55aa", "5d41402a")
    >>> Listing("trending", "Trending", "What is bought lately.", *told, "Nothing is trending.", cards).cards[0].id
    'trending-1095275'
    """

    id: str
    "The placement."
    title: str
    "Its heading."
    blurb: str
    "What it is."
    basis: str
    "On what it rests, in words."
    model: str
    "Which model answered."
    digest: str
    "The start of the model's digest."
    slate: str
    "The start of the slate's id."
    empty: str
    "What is said when there are no items."
    cards: tuple[Card, ...]
    "Best first."


def cards_of(placement: str, items: Sequence[Ranked], new: frozenset[str]) -> tuple[Card, ...]:
    """Return the cards of a list; their bars share one scale, so that they can be compared.

    >>> from penchant.core.nouns import Reason
    >>> items = [Ranked(f"item {n}", "Tea", n, 1 / n, (Reason("view", "cup", 1 / n),)) for n in (1, 2)]
    >>> [(card.id, card.bar.segments[0].width, card.new) for card in cards_of("for-you", items, frozenset(["item 2"]))]
    [('for-you-item-1', 1000.0, False), ('for-you-item-2', 500.0, True)]
    """
    before = max((_against(ranked) for ranked in items), default=0.0)
    after = max((_for(ranked) for ranked in items), default=0.0)
    return tuple(
        Card(
            id=f"{placement}-{re.sub(r'[^A-Za-z0-9]', '-', ranked.item)}",
            ranked=ranked,
            price=price_of(ranked.price, ranked.currency),
            bar=bar_of(ranked.reasons, before=before, scale=before + after),
            new=ranked.item in new,
            why=headline(ranked.reasons),
        )
        for ranked in items
    )


def headline(reasons: Sequence[Reason]) -> str:
    """Return the words of the reason to tell first: the strongest that is not about what others think.

    >>> popular, bought = Reason("popular", "", 0.5, "Popular"), Reason("purchase", "1", 0.3, "Because you bought Tea")
    >>> headline([popular, bought]), headline([popular]), headline([])
    ('Because you bought Tea', 'Popular', '')

    Args:
        reasons: strongest first. What speaks against the item is told first only when nothing speaks for it.
    """
    ordered = sorted(
        reasons, key=lambda reason: (reason.weight < 0, reason.code in ("popular", "average"), reason.code == "rest")
    )
    return ordered[0].text if ordered else ""


def price_of(price: float | None, currency: str | None) -> str:
    """Return a price as one reads it.

    >>> price_of(2.5, "USD"), price_of(2.5, "CHF"), price_of(2.5, None), price_of(None, "USD")
    ('$2.50', '2.50 CHF', '2.50', '')
    """
    if price is None:
        return ""
    sign = _SIGNS.get(currency or "")
    return f"{sign}{price:,.2f}" if sign else f"{price:,.2f} {currency or ''}".strip()


def _for(ranked: Ranked) -> float:
    return sum(reason.weight for reason in ranked.reasons if reason.weight > 0)


def _against(ranked: Ranked) -> float:
    return -sum(reason.weight for reason in ranked.reasons if reason.weight < 0)
