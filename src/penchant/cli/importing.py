"""``penchant import``: files of events or items into the store."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from penchant.cli.faults import Misuse, in_options
from penchant.cli.shown import people, say, warn
from penchant.cli.state import State, state_of
from penchant.core.errors import PenchantError, UnknownName

if TYPE_CHECKING:
    from penchant.core.progress import Progress
    from penchant.engine.importing import Imported
    from penchant.trust.gate import Gate

__all__ = [
    "EVENT_FIELDS",
    "ITEM_FIELDS",
    "Columns",
    "Constants",
    "Mapped",
    "Separator",
    "TimeFormat",
    "import_files",
    "mapped",
    "pairs",
    "read_options",
]

_STDIN = Path("-")

EVENT_FIELDS = ("user", "item", "at", "kind", "value", "id", "session", "channel", "replaces", "slate", "price")
ITEM_FIELDS = ("id", "title", "text", "categories", "price", "currency", "available", "published", "attributes")


Mapped = Annotated[
    list[str] | None, typer.Option("--map", metavar="FIELD=COLUMN", help="Which column feeds a field; repeat it.")
]
Constants = Annotated[
    list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="One value for all rows; repeat it.")
]
Columns = Annotated[str | None, typer.Option(metavar="A,B,C", help="The columns of a file without a head.")]
Separator = Annotated[str | None, typer.Option(metavar="TEXT", help="What parts the fields; found when not said.")]
TimeFormat = Annotated[str | None, typer.Option(metavar="TEXT", help="How times are written, as in %d/%m/%Y %H:%M.")]


def import_files(
    context: typer.Context,
    *,
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="PATH", help="CSV, Parquet or JSON Lines, gzip too; - reads standard input."),
    ] = None,
    query: Annotated[str | None, typer.Option(metavar="SQL", help="Take the rows of a query, and no file.")] = None,
    url: Annotated[
        str | None, typer.Option(metavar="URL", envvar="PENCHANT_SOURCE", help="The database that --query asks.")
    ] = None,
    form: Annotated[
        str | None, typer.Option("--as", metavar="NAME", help="What standard input holds: csv, jsonl, parquet.")
    ] = None,
    items: Annotated[bool, typer.Option("--items", help="The files hold items, not events.")] = False,
    mapping: Mapped = None,
    constants: Constants = None,
    columns: Columns = None,
    separator: Separator = None,
    time_format: TimeFormat = None,
    consent: Annotated[
        str | None, typer.Option(metavar="TEXT", help="All agreed to training and personalization; whence it is known.")
    ] = None,
    rejects: Annotated[
        Path | None, typer.Option(metavar="PATH", help="Where refused rows go; beside the file when not said.")
    ] = None,
) -> None:
    """Bring events, or with --items the catalogue, from files, standard input or a database."""
    from penchant.trust.gate import Gate

    state = state_of(context)
    sources = _sources(paths, query, url)
    if rejects is not None and len(sources) > 1:
        raise Misuse(f"--rejects names one file; got {len(sources)} inputs")
    if consent is not None and items:
        raise Misuse("--consent is about people; got it with --items")
    fields = ITEM_FIELDS if items else EVENT_FIELDS
    options = read_options(fields, mapping, constants, (columns, separator, time_format))
    options["rejects"] = "beside" if rejects is None else rejects
    with Gate.open(state.settings(), state.clock) as gate:
        for source in sources:
            try:
                with _opened(source, url, form, state.progress()) as rows:
                    own = options if rejects is not None else _beside(options, source, rows)
                    done = _import_one(gate, state, rows, own, items=items, consent=consent)
            except PenchantError as error:
                raise in_options(error) from error
            _tell(done, "items" if items else "events")
        if not items:
            _warn_unasked(gate)
    state.remark("next: penchant train")


def read_options(
    fields: Sequence[str],
    mapping: Sequence[str] | None,
    constants: Sequence[str] | None,
    form: tuple[str | None, str | None, str | None],
) -> dict[str, Any]:
    """Return what the readers are told of a file: which column is what, and its form (columns, separator, times).

    >>> read_options(("user", "at"), ["user=buyer"], None, ("buyer,when", None, None))["columns"]
    ['buyer', 'when']

    Raises:
        Misuse: as :func:`pairs`.
    """
    columns, separator, time_format = form
    return {
        **mapped(pairs("--map", mapping or [], fields)),
        "constants": pairs("--set", constants or [], fields),
        "columns": None if columns is None else columns.split(","),
        "separator": None if separator is None else separator.replace("\\t", "\t"),
        "time_format": time_format,
    }


def pairs(option: str, texts: Sequence[str], known: Sequence[str]) -> dict[str, str]:
    """Return what an option that may be repeated says of each field.

    >>> pairs("--map", ["user=CustomerID", "at=Date=Time"], ("user", "at"))
    {'user': 'CustomerID', 'at': 'Date=Time'}

    Raises:
        Misuse: a text is not ``field=...``, or names a field that is not known, or one twice.
    """
    found: dict[str, str] = {}
    for text in texts:
        field, sign, value = text.partition("=")
        if not sign or not field or not value:
            raise Misuse(f"{option} is not FIELD=...; got {text}; allowed: one of {', '.join(known)} before the =")
        if field not in known:
            raise Misuse(f"{option}: {UnknownName.of('field', field, known)}")
        if field in found:
            raise Misuse(f"{option} names {field} twice; got {found[field]} and {value}")
        found[field] = value
    return found


def mapped(names: dict[str, str]) -> dict[str, Any]:
    """Return the mapping as the readers take it: several columns of attributes are parted by commas.

    >>> mapped({"id": "sku", "attributes": "brand,size"})
    {'id': 'sku', 'attributes': ('brand', 'size')}
    """
    several = {name: tuple(filter(None, text.split(","))) for name, text in names.items() if name == "attributes"}
    return {**names, **{name: columns for name, columns in several.items() if "," in names[name]}}


def _sources(paths: Sequence[Path] | None, query: str | None, url: str | None) -> list[Path | str]:
    """Return where rows come from: files, or the text of a query."""
    if query is None:
        if not paths:
            raise Misuse("name a file, - for standard input, or --query; got none")
        if list(paths).count(_STDIN) > 1:
            raise Misuse("standard input can be read once; got - twice")
        return [*paths]
    if paths:
        raise Misuse(f"--query stands alone; got {paths[0]} too")
    if url is None:
        raise Misuse("--query needs the database that it asks: --url URL, or PENCHANT_SOURCE")
    return [query]


@contextmanager
def _opened(source: Path | str, url: str | None, form: str | None, progress: Progress) -> Iterator[Any]:
    """Yield a path or a table."""
    from penchant.engine.sources import query_table, spooled

    if isinstance(source, str):
        yield query_table(url or "", source, progress)
    elif source == _STDIN:
        with spooled(sys.stdin.buffer, form) as path:
            yield path
    else:
        yield source


def _beside(options: dict[str, Any], source: Path | str, rows: Any) -> dict[str, Any]:
    """Return where refused rows go when nobody said: beside the file, or here when there is none."""
    if isinstance(source, Path) and source != _STDIN:
        return options
    return {**options, "rejects": Path(f"{'query' if isinstance(source, str) else rows.stem}.rejects.csv")}


def _import_one(
    gate: Gate, state: State, path: Any, options: dict[str, Any], *, items: bool, consent: str | None
) -> Imported:
    from penchant.engine.importing import import_events, import_items
    from penchant.trust.access import SYSTEM

    if items:
        return import_items(gate, SYSTEM, path, mapping=options, progress=state.progress())
    settings = state.settings()
    return import_events(
        gate, SYSTEM, settings, path, clock=state.clock, mapping=options, consent=consent, progress=state.progress()
    )


def _tell(done: Imported, what: str) -> None:
    say(str(done.quality))
    if what == "items":
        say(f"  {done.added:,} items put into the catalogue")
        return
    say(f"  {done.added:,} events added, {done.duplicates:,} were in the store already; {people(done.users)}")
    if done.consenting:
        say(f"  consent of {people(done.consenting)} recorded")
    if done.refusing:
        say(f"  {people(done.refusing)} said no before, and that stays")


def _warn_unasked(gate: Gate) -> None:
    from penchant.trust.access import SYSTEM

    counts = gate.counts(SYSTEM)
    silent = {purpose: counts.users - agreed for purpose, agreed in counts.consenting.items()}
    if any(silent.values()):
        said = ", ".join(f"{n:,} to {purpose}" for purpose, n in silent.items() if n)
        warn(
            f"of {people(counts.users)} in the store, these have not agreed: {said}; their events are kept, not used "
            "for it; next: import with --consent TEXT, or penchant consent grant --all --basis TEXT"
        )
