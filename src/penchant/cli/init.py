"""``penchant init``: a place to work in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import penchant.core.settings as core
from penchant.cli.shown import say
from penchant.cli.state import State, state_of
from penchant.core.disk import flush
from penchant.core.errors import SettingsError
from penchant.core.settings import Settings, load_settings

if TYPE_CHECKING:
    from penchant.trust.gate import Gate

__all__ = ["DEFAULT", "init"]

DEFAULT = Path(core.__file__).with_name("penchant.toml")
"The settings that ship, every key with its meaning."

_NEXT = """\
next:
  penchant import orders.csv --map user=CustomerID --map item=StockCode --map at=InvoiceDate
  penchant train
  penchant serve"""

_CURL = """\
  curl -s http://{host}:{port}/v1/recommendations \\
    -H "Authorization: Bearer {token}" -H 'Content-Type: application/json' \\
    -d '{{"placement": "for-you", "n": 5}}'"""


def init(
    context: typer.Context,
    *,
    folder: Annotated[Path, typer.Argument(metavar="[FOLDER]", help="Where; made when it is not there.")] = Path("."),
    store: Annotated[
        str | None, typer.Option(metavar="URL", help="The database; the file penchant.db when not said.")
    ] = None,
) -> None:
    """Write a commented penchant.toml, an empty store and a key."""
    from penchant.trust.access import SYSTEM
    from penchant.trust.gate import Gate

    state = state_of(context)
    target = folder / state.path
    if _write_settings(target, store):
        say(f"{target}: written, every setting with its meaning")
    else:
        say(f"{target}: is there already and was left as it is")
    settings = load_settings(target)
    with Gate.create(settings, state.clock) as gate:
        say(f"{gate.about(SYSTEM).place}: the store is ready")
        _key(gate, state, settings.server.host, settings.server.port)
    enter = "" if folder == Path(".") else f"  cd {folder}\n"
    state.remark(_NEXT.replace("next:\n", f"next:\n{enter}"))


def _write_settings(target: Path, store: str | None) -> bool:
    """Write the settings that ship; return False when there are some already."""
    if target.exists():
        return False
    text = DEFAULT.read_text(encoding="utf-8")
    if store is not None:
        text = text.replace(f'store = "{Settings().store}"', f"store = {json.dumps(store)}", 1)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("x", encoding="utf-8") as file:
            file.write(text)
        flush(target)
        flush(target.parent)
    except OSError as error:
        raise SettingsError(
            "the settings cannot be written",
            got=f"{target}: {error.strerror or error}",
            then="choose a folder that can be written to",
        ) from error
    return True


def _key(gate: Gate, state: State, host: str, port: int) -> None:
    from penchant.trust.access import SYSTEM

    held = [key for key in gate.keys.list(SYSTEM) if key.revoked is None]
    if held:
        say(f"keys: {len(held)} in force; 'penchant keys create' makes another")
        return
    token = gate.keys.create(SYSTEM, "admin", ["admin"])
    say(f"key, shown this once, allows everything: {token}")
    state.remark("once the server runs:\n" + _CURL.format(host=host, port=port, token=token))
