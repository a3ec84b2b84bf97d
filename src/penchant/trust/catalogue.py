"""The items that can be recommended. Nothing here is about a person, so reading needs no scope."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import polars as pl
import sqlalchemy as sa

from penchant.core.clock import micros
from penchant.core.decoding import convert
from penchant.core.errors import InputError, MissingColumn
from penchant.core.nouns import Item
from penchant.store.sql import dump, parse
from penchant.store.store import Store
from penchant.trust.access import Actor, require
from penchant.trust.check import LONGEST, flaw
from penchant.trust.moments import moment

__all__ = ["Catalogue"]

_CURRENCY = re.compile(r"[A-Z]{3}")
_SURROGATE = re.compile("[\ud800-\udfff]")
_FIELDS = ("id", "title", "text", "categories", "price", "currency", "available", "published", "attributes")


class Catalogue:
    """The items of one store.

    >>> from tempfile import TemporaryDirectory
    >>> from penchant.trust.access import SYSTEM
    >>> with TemporaryDirectory() as folder, Store.create(f"sqlite:///{folder}/shop.db") as store:
    ...     catalogue = Catalogue(store)
    ...     version = catalogue.put(SYSTEM, [Item("tea", "Tea"), Item("milk", "Milk")])
    ...     _ = catalogue.put(SYSTEM, [Item("tea", "Green tea", price=2.5)])
    ...     [item.title for item in catalogue.changed(since=version)[0]]
    ['Green tea']
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def put(self, actor: Actor, items: Sequence[Item]) -> int:
        """Add or replace items, all of them or, on an error, none; return the catalogue's version after it.

        Raises:
            Forbidden: the actor lacks ``items:write``.
            InputError: an item cannot be used, or its id stands twice; the text names its index and field.
        """
        require(actor, "items:write")
        _check_distinct(items)
        return self._store.items.put([_row(index, item) for index, item in enumerate(items)])

    def put_table(self, actor: Actor, table: pl.DataFrame) -> int:
        """Add or replace the items of a table, all of them or none; return the catalogue's version after it.

        Args:
            actor: who imports.
            table: id, title (str); optionally text (str), categories (list of str), price (number), currency (str),
                available (bool), published (Datetime), attributes (struct, or str of a JSON object); a null is nothing.

        Raises:
            Forbidden: the actor lacks ``items:write``.
            MissingColumn: there is no id or no title.
            InputError: a column is not known, or an item cannot be used; the text names its index and field.
        """
        return self.put(actor, _items(table))

    def changed(self, since: int = 0) -> tuple[list[Item], int]:
        """Return the items put after version ``since``, in order of id, and the version now; 0 gives all items."""
        rows, version = self._store.items.changed(since)
        return [_item(row) for row in rows], version

    def shown(self, since: int = 0) -> Iterator[Item]:
        """Yield the items put after version ``since``, without text, publication and attributes, in order of id."""
        groups: dict[str, tuple[str, ...]] = {}
        for rows in self._store.items.shown(since):
            for key, title, categories, price, currency, available in rows:
                if categories not in groups:
                    groups[categories] = parse(categories, tuple[str, ...])
                yield Item(
                    key,
                    title,
                    categories=groups[categories],
                    price=price,
                    currency=currency,
                    available=bool(available),
                )

    def version(self) -> int:
        """Return the version of the catalogue: it grows with every put."""
        return self._store.items.version()

    def get(self, item: str) -> Item | None:
        """Return one item, or None when it is not in the catalogue."""
        row = self._store.items.get(item)
        return None if row is None else _item(row)

    def available(self, actor: Actor) -> int:
        """Return how many items can be had.

        Raises:
            Forbidden: the actor lacks ``metrics:read``.
        """
        require(actor, "metrics:read")
        return self._store.items.available()

    def count(self) -> int:
        """Return how many items there are."""
        return self._store.items.count()


def _check_distinct(items: Sequence[Item]) -> None:
    first: dict[str, int] = {}
    for index, item in enumerate(items):
        if first.setdefault(item.id, index) != index:
            got, field = f"{item.id}, as item {first[item.id]}", f"[{index}].id"
            raise InputError(f"item {index}: id stands twice", got=got, then="keep one of them", field=field)


def _row(index: int, item: Item) -> dict[str, Any]:
    def bad(field: str, what: str, allowed: str) -> InputError:
        got = getattr(item, field)
        return InputError(f"item {index}: {field} {what}", got=got, allowed=allowed, field=field)

    wrong = flaw(item.id)
    if wrong:
        raise bad("id", wrong, f"1 to {LONGEST} characters without control characters")
    if not isinstance(item.title, str) or not item.title.strip():
        raise bad("title", "is empty", "what a person reads")
    for field, texts in {"title": (item.title,), "text": (item.text,), "categories": item.categories}.items():
        for text in texts:
            if not isinstance(text, str) or "\x00" in text or (not text.isascii() and _SURROGATE.search(text)):
                raise bad(field, "holds what is not text", "text")
    if item.price is not None and not (math.isfinite(item.price) and item.price >= 0):
        raise bad("price", "is out of range", "a finite number, 0 or more")
    if item.currency is not None and not _CURRENCY.fullmatch(item.currency):
        raise bad("currency", "is not a currency", "three capital letters (ISO 4217), such as EUR")
    return {
        "id": item.id,
        "title": item.title,
        "text": item.text,
        "categories": dump(item.categories),
        "price": item.price,
        "currency": item.currency,
        "available": item.available,
        "published": None if item.published is None else micros(item.published),
        "attributes": dump(item.attributes),
    }


def _item(row: sa.Row[Any]) -> Item:
    return Item(
        id=row.id,
        title=row.title,
        text=row.text,
        categories=parse(row.categories, tuple[str, ...]),
        price=row.price,
        currency=row.currency,
        available=bool(row.available),
        published=None if row.published is None else moment(row.published),
        attributes=parse(row.attributes, dict[str, Any]),
    )


def _items(table: pl.DataFrame) -> list[Item]:
    for name in ("id", "title"):
        if name not in table.columns:
            raise MissingColumn(f"the items have no column {name!r}", got=", ".join(table.columns), allowed="id, title")
    unknown = [name for name in table.columns if name not in _FIELDS]
    if unknown:
        raise InputError(
            "the items have a column that is not known",
            got=", ".join(unknown),
            allowed=", ".join(_FIELDS),
            then="put other columns in attributes, a struct",
        )
    return [_of(index, values) for index, values in enumerate(table.iter_rows(named=True))]


def _of(index: int, values: dict[str, Any]) -> Item:
    """Return the item of a table's row; a null is the field's default."""
    given = {name: value for name, value in values.items() if value is not None}
    try:
        said = given.get("attributes")
        if said is not None:
            fields = parse(said, dict[str, Any]) if isinstance(said, str) else dict(said)
            given["attributes"] = {name: value for name, value in fields.items() if value is not None}
        return convert({"id": "", "title": "", **given}, Item)
    except (msgspec.DecodeError, TypeError, ValueError) as error:
        raise InputError(f"item {index} cannot be used", got=str(error), allowed="the fields of an item") from error
