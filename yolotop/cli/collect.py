"""``yolotop collect``: the collector in the foreground, for systemd and containers.

Owns its options. It must not know how collecting works.
"""

from __future__ import annotations

from typing import Annotated

import typer

from yolotop.cli.options import ConfigOption, DataDirOption, places


def collect(
    ctx: typer.Context,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    owner_pid: Annotated[
        int | None,
        typer.Option(hidden=True, help="The process that started this one."),
    ] = None,
) -> None:
    """Run the collector in the foreground.

    It asks every deployment on its grid and writes down what came, until SIGTERM or
    Ctrl-C. SIGHUP reads the config again.
    """
    from yolotop.collect.run import run_collector

    where = places(ctx, config, data_dir)
    code = run_collector(
        config_path=where.config, data_dir=where.data_dir, owner_pid=owner_pid
    )
    raise typer.Exit(code)
