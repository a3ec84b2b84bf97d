"""Puts the commands together."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from penchant.cli import (
    consent,
    data,
    demo,
    doctor,
    evaluate,
    importing,
    init,
    keys,
    models,
    offpolicy,
    placements,
    recommend,
    recommendall,
    serve,
    store,
    study,
    train,
    tune,
    worker,
)
from penchant.cli.shown import say
from penchant.cli.state import State
from penchant.version import __version__

__all__ = ["APP", "COMMANDS"]

APP = typer.Typer(
    name="penchant",
    help="Recommendations you can account for.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        say(f"penchant {__version__}")
        raise typer.Exit


@APP.callback(invoke_without_command=True)
def penchant(
    context: typer.Context,
    *,
    settings: Annotated[
        Path, typer.Option(metavar="PATH", envvar="PENCHANT_SETTINGS", help="The settings file.")
    ] = Path("penchant.toml"),
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say results and errors only; show no bars.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Write log lines on standard error.")] = False,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which.")] = False,
) -> None:
    """Recommendations you can account for."""
    context.obj = State(settings, quiet, verbose)
    context.obj.log()
    if context.invoked_subcommand is None:
        say(context.get_help())


APP.command()(init.init)
APP.command()(demo.demo)
APP.command(name="import")(importing.import_files)
APP.add_typer(data.APP, name="data")
APP.command()(train.train)
APP.command()(worker.worker)
APP.add_typer(models.APP, name="models")
APP.command()(evaluate.evaluate)
APP.command()(tune.tune)
APP.command(name="off-policy")(offpolicy.off_policy)
APP.command()(recommend.recommend)
APP.command(name="recommend-all")(recommendall.recommend_all)
APP.add_typer(placements.APP, name="placements")
APP.command()(serve.serve)
APP.add_typer(keys.APP, name="keys")
APP.add_typer(consent.APP, name="consent")
APP.add_typer(store.APP, name="store")
APP.add_typer(study.APP, name="study")
APP.command()(doctor.doctor)

COMMANDS = typer.main.get_command(APP)
"What runs."
