"""Events of a file in place of those of the store: the options that say how it is read, and the reading."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from msgspec import Struct
from msgspec.structs import replace

from penchant.cli.faults import Misuse
from penchant.cli.importing import (
    EVENT_FIELDS,
    ITEM_FIELDS,
    Columns,
    Constants,
    Mapped,
    Separator,
    TimeFormat,
    mapped,
    pairs,
    read_options,
)
from penchant.cli.state import State

if TYPE_CHECKING:
    from penchant.core.settings import Settings
    from penchant.data.catalogue import Items
    from penchant.data.dataset import Dataset
    from penchant.data.readers import Events

__all__ = ["EventFile", "MinUsers", "only_with_file", "reads_file"]

File = Annotated[
    Path | None,
    typer.Argument(metavar="[FILE]", help="CSV, Parquet or JSON Lines, gzip too; the store when left out."),
]
Catalogue = Annotated[
    Path | None, typer.Option("--items", metavar="PATH", help="A file of the catalogue, to go with FILE.")
]
CatalogueMapped = Annotated[
    list[str] | None, typer.Option("--map-item", metavar="FIELD=COLUMN", help="The same of the catalogue.")
]
MinUsers = Annotated[int | None, typer.Option(metavar="N", help="Items that fewer users touched are not learnt.")]

_NAMES = {"constants": "--set", "columns": "--columns", "separator": "--separator", "time_format": "--time-format"}


def reads_file(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the argument FILE and the options that say how it is read, and it what they describe, as ``file``.

    >>> @reads_file
    ... def count(context: typer.Context, *, file: EventFile) -> None: ...
    >>> list(inspect.signature(count).parameters)[:4]
    ['context', 'path', 'items', 'mapping']
    """
    own = [one for one in inspect.signature(command, eval_str=True).parameters.values() if one.name != "file"]
    path, *options = inspect.signature(_described, eval_str=True).parameters.values()
    parameters = sorted([path, *own, *options], key=lambda one: one.kind)  # what stands by its place comes first

    @wraps(command)
    def run(**given: Any) -> None:
        described = {one.name: given.pop(one.name) for one in (path, *options)}
        command(**given, file=_described(**described))

    vars(run)["__signature__"] = inspect.Signature(parameters)
    run.__annotations__ = {one.name: one.annotation for one in parameters}
    return run


def _described(
    *,
    path: File = None,
    items: Catalogue = None,
    mapping: Mapped = None,
    item_mapping: CatalogueMapped = None,
    constants: Constants = None,
    columns: Columns = None,
    separator: Separator = None,
    time_format: TimeFormat = None,
) -> EventFile:
    said = {"mapping": mapping, "constants": constants, "columns": columns, "separator": separator}
    return EventFile.of(path, items, item_mapping, said | {"time_format": time_format})


class EventFile(Struct, frozen=True):
    """A file of events, and how it is to be read.

    >>> EventFile.of(Path("orders.csv"), None, None, {"mapping": ["user=buyer"]}).options["user"]
    'buyer'
    """

    path: Path | None
    "Where it is; None for the store."
    items: Path | None
    "Where its catalogue is."
    options: dict[str, Any]
    "What the reader of events is told."
    described: dict[str, Any]
    "What the reader of items is told."

    @classmethod
    def of(
        cls, path: Path | None, items: Path | None, item_mapping: list[str] | None, said: dict[str, Any]
    ) -> EventFile:
        """Return the file that the options of a command describe.

        Args:
            path: the file.
            items: the file of its catalogue.
            item_mapping: what ``--map-item`` said.
            said: what ``mapping``, ``constants``, ``columns``, ``separator`` and ``time_format`` said.

        Raises:
            Misuse: an option cannot be understood, or is about a file and none is named.
        """
        form = (said.get("columns"), said.get("separator"), said.get("time_format"))
        options = read_options(EVENT_FIELDS, said.get("mapping"), said.get("constants"), form)
        described = mapped(pairs("--map-item", item_mapping or [], ITEM_FIELDS))
        if path is None:
            only_with_file(options, items, described)
        elif described and items is None:
            raise Misuse("--map-item is about the catalogue; got no --items")
        return cls(path, items, options, described)

    def settings(self, state: State, min_users: int | None = None) -> Settings:
        """Return the settings: of the file of settings when there is one, which only the store cannot do without."""
        from penchant.core.settings import Settings

        settings = Settings() if self.path is not None and not state.path.exists() else state.settings()
        if min_users is None:
            return settings
        if min_users < 1:
            raise Misuse(f"--min-users is 1 or more; got {min_users}")
        return replace(settings, train=replace(settings.train, min_users=min_users))

    def read(self, state: State, path: Path | None = None) -> tuple[Events, Items | None]:
        """Return the events of the file, or of another one of its form, and its catalogue."""
        from penchant.data.readers import read_events, read_items

        progress = state.progress()
        events = read_events(path or self.path, rejects=False, progress=progress, **self.options)
        if self.items is None:
            return events, None
        return events, read_items(self.items, rejects=False, progress=progress, **self.described)

    def dataset(self, state: State, settings: Settings, path: Path | None = None) -> tuple[Dataset, str]:
        """Return the dataset of the file, or of another one of its form, and what a report says of where it is from."""
        from penchant.data.dataset import Dataset

        events, items = self.read(state, path)
        kinds = settings.events
        data = Dataset.from_events(events, items, weights=kinds.weights, valued=kinds.valued)
        name, quality = (path or self.path or Path()).name, events.quality
        shop = ""
        if items is not None and self.items is not None:
            shop = f" and {items.quality.accepted:,} of {items.quality.read:,} rows of {self.items.name}"
        return data, (
            f"Data: {quality.accepted:,} of {quality.read:,} rows of {name}{shop}, brought by whoever asked, who "
            "answers for the consent of these people. Nothing of it was stored."
        )


def only_with_file(options: dict[str, Any], items: Path | None, described: dict[str, Any]) -> None:
    """Refuse options about a file when there is none, rather than leave them unheard.

    >>> only_with_file({"columns": None}, None, {})

    Raises:
        Misuse: there is such an option.
    """
    said = [_NAMES.get(name, "--map") for name, value in options.items() if value]
    said += ["--items"] * (items is not None) + ["--map-item"] * bool(described)
    if said:
        raise Misuse(f"{said[0]} is about a file, and none is named; got no FILE")
