"""The ``yolotop`` command: its families, and how any of them ends.

Owns the list of commands, the options before them and the exit codes. It must not know
how a command works: each module imports what is heavy inside its functions, so that
``yolotop --version`` stays quick and ``yolotop check`` never loads the terminal.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from yolotop import __version__
from yolotop.cli import (
    add,
    check,
    collect,
    configure,
    deployments,
    failure,
    golden,
    history,
)
from yolotop.cli.bench import bench
from yolotop.cli.demo import demo
from yolotop.cli.options import ConfigOption, DataDirOption
from yolotop.cli.places import Places
from yolotop.cli.serve import serve
from yolotop.cli.stop import stop
from yolotop.cli.web import web
from yolotop.cli.wishes import (
    LowBandwidthOption,
    NoMouseOption,
    RangeOption,
    ReadOnlyOption,
    RefreshOption,
    SymbolsOption,
    ThemeOption,
    ViewOption,
    wishes,
)
from yolotop.errors import ExitCode, YolotopError


@contextmanager
def _plain_words() -> Iterator[None]:
    """Say what a value must be, without the words of the library that read it."""
    try:
        yield
    except typer.BadParameter as error:
        said = error.message.removeprefix("Value error, ")
        said = said.partition(", unable to parse")[0]
        error.message = said.replace("Input should be", "it must be")
        raise


class Program(TyperGroup):
    """The group of all commands; every error with a cure becomes an exit code."""

    def make_context(self, *args: Any, **kwargs: Any) -> Any:  # typer's types moved
        """Read the words before the command."""
        with _plain_words():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: Any) -> Any:
        """Run the command, telling errors the way this program tells them."""
        try:
            with _plain_words():
                return super().invoke(ctx)
        except YolotopError as error:
            failure.tell(error)
            raise typer.Exit(error.exit_code) from None
        except (KeyboardInterrupt, typer.Abort):
            raise typer.Exit(ExitCode.INTERRUPTED) from None
        except BrokenPipeError:
            failure.hush_stdout()
            raise typer.Exit(failure.CLOSED_PIPE) from None


app = typer.Typer(
    name="yolotop",
    cls=Program,
    help="The terminal monitor for deployed YOLO models. Without a command: the "
    "terminal.",
    invoke_without_command=True,
    no_args_is_help=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"yolotop {__version__}")
        raise typer.Exit


@app.callback()
def main(
    ctx: typer.Context,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    range_: RangeOption = None,
    theme: ThemeOption = None,
    view: ViewOption = None,
    symbols: SymbolsOption = None,
    no_mouse: NoMouseOption = False,
    read_only: ReadOnlyOption = False,
    refresh: RefreshOption = None,
    low_bandwidth: LowBandwidthOption = False,
    version: Annotated[  # noqa: ARG001 - the callback does it
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Open the terminal unless a command follows."""
    ctx.obj = Places(config=config, data_dir=data_dir)
    if ctx.invoked_subcommand is not None:
        return
    from yolotop.cli.terminal import run_terminal

    said = wishes(
        range_=range_,
        theme=theme,
        view=view,
        symbols=symbols,
        no_mouse=no_mouse,
        read_only=read_only,
        refresh=refresh,
        low_bandwidth=low_bandwidth,
    )
    code = run_terminal(config_path=config, data_dir=data_dir, wishes=said)
    raise typer.Exit(code)


app.command()(demo)
app.command()(serve)
app.command()(web)
app.command()(check.check)
app.command()(bench)
app.command()(history.status)
app.command()(history.logs)
app.command()(add.add)
app.command("list")(deployments.list_)
app.command()(deployments.remove)
app.command()(collect.collect)
app.command()(stop)
app.add_typer(golden.app, name="golden")
app.add_typer(configure.app, name="config")
