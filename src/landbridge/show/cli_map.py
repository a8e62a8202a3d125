"""The verb of the map: serve."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["serve"]


def serve(
    folder: Annotated[
        Path, typer.Argument(metavar="[DIR]", help="A results folder, or a folder that holds some.")
    ] = Path("results"),
    port: Annotated[int, typer.Option(help="Port; 0 takes a free one.", min=0, max=65535)] = 8400,
    host: Annotated[str, typer.Option(help="An address of this machine; others are refused.")] = "127.0.0.1",
    open_browser: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
) -> None:
    """Show results on the map and compute what-ifs, in the browser, on this machine only."""
    from landbridge.show.web.serve import serve as run

    run(folder, host=host, port=port, open_browser=open_browser)
