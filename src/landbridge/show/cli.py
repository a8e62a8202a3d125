"""The command line: the root of all verbs; heavy imports stay inside the verbs so that help is instant."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from landbridge import __version__
from landbridge.errors import LandbridgeError
from landbridge.show import cli_map, running
from landbridge.show.cli_atlas import atlas_app, facts
from landbridge.show.cli_backtest import backtest, sensitivity
from landbridge.show.cli_calibrate import calibrate
from landbridge.show.cli_dependence import dependence, exposure
from landbridge.show.cli_flows import assign, select
from landbridge.show.cli_invest import appraise, cashflow, design, plan
from landbridge.show.cli_power import game, power
from landbridge.show.cli_results import compare, crossing, export, passages, report, rerun, run, targets
from landbridge.show.cli_routes import routes
from landbridge.show.cli_skim import skim
from landbridge.show.cli_stress import stress
from landbridge.show.cli_study import ensemble, study_app
from landbridge.show.cli_terminal import terminal
from landbridge.show.cli_trade import trade_app
from landbridge.show.cli_validate import validate

__all__ = ["app", "main"]

app = typer.Typer(
    name="landbridge",
    help="Plan Eurasia's overland freight corridors from one atlas of sourced facts.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for verb in (
    run, passages, compare, crossing, report, targets, validate, calibrate, backtest, sensitivity, routes, skim,
    assign, select, game, power, stress, dependence, exposure, cashflow, design, appraise, plan, terminal, facts,
):  # fmt: skip
    app.command()(verb)
app.add_typer(atlas_app, name="atlas")
app.add_typer(trade_app, name="trade")
app.add_typer(study_app, name="study")


def main() -> None:
    """Run the command line; errors a user can mend are one message and exit code 1."""
    try:
        app(standalone_mode=True, prog_name="landbridge")
    except LandbridgeError as error:
        sys.stderr.write(f"landbridge: {error}\n")
        sys.exit(1)


def _show_version(value: bool) -> None:
    if value:
        typer.echo(f"landbridge {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    del version


app.command()(cli_map.serve)
app.command()(running.cluster)
app.command()(ensemble)
app.command()(rerun)
app.command()(export)
