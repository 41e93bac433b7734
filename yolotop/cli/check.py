"""``yolotop check``: ask now, print the verdicts, exit with the truth.

Owns which deployments are asked and how verdicts are shown. It must not know how a
probe is taken or judged.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from yolotop.cli import out
from yolotop.cli.options import ConfigOption, DataDirOption, JsonOption, places
from yolotop.cli.places import Places
from yolotop.cli.serve import EngineChoice
from yolotop.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from yolotop.config.schema import Config
    from yolotop.model import Deployment, Sample

STYLES = {
    "ok": "green",
    "slow": "yellow",
    "cold": "cyan",
    "changed": "yellow",
    "wrong": "bold red",
    "failed": "bold red",
}


def check(
    ctx: typer.Context,
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]...", help="Deployments to ask. Without: all."),
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Ask this endpoint, which need not be known."),
    ] = None,
    api_key: Annotated[
        str | None,
        typer.Option(
            metavar="REF", help="With --url: where its key is, env:NAME or file:PATH."
        ),
    ] = None,
    reference: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="Run this model here on the same image and show what differs: a file "
            "(.pt takes the yolo extra), or shapes or shapes2.",
        ),
    ] = None,
    image: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="With --reference: the image. Without: the deployment's own.",
        ),
    ] = None,
    conf: Annotated[
        float | None,
        typer.Option(min=0.01, max=1.0, help="With --reference: of both sides."),
    ] = None,
    iou: Annotated[
        float | None,
        typer.Option(min=0.0, max=0.95, help="With --reference: of both sides."),
    ] = None,
    imgsz: Annotated[
        int | None,
        typer.Option(min=32, max=1280, help="With --reference: of both sides."),
    ] = None,
    engine: Annotated[
        EngineChoice | None,
        typer.Option(
            help="With --reference: what runs it. [default: ultralytics if installed]",
            show_default=False,
        ),
    ] = None,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    json: JsonOption = False,
) -> None:
    """Ask now and judge; exit 0 if all are healthy.

    Exit codes: 0 all healthy, 1 some not, 2 usage or config. A scale-to-zero endpoint
    that is starting up is asked again for as long as its cold start may take. With
    --reference: 0 the same within the tolerance, 1 different.
    """
    chosen = _choose(places(ctx, config, data_dir), names or [], url, api_key)
    if reference is not None:
        from yolotop.cli.reference import compare

        code = compare(
            _only_one(chosen, names, url),
            reference,
            image=image,
            conf=conf,
            iou=iou,
            imgsz=imgsz,
            engine=engine or EngineChoice.AUTO,
            json=json,
        )
        raise typer.Exit(code)
    if (image, conf, iou, imgsz, engine) != (None,) * 5:
        raise UsageError(
            "--image, --conf, --iou, --imgsz and --engine go with --reference",
            hint="A deployment's own settings are in the config file",
        )
    samples = probe_now(chosen)
    if json:
        from yolotop.view.status import sample_json

        out.data(out.as_json([sample_json(sample) for sample in samples]))
    else:
        show(samples)
    healthy = all(sample.verdict.ok for sample in samples)
    raise typer.Exit(ExitCode.OK if healthy else ExitCode.UNHEALTHY)


def probe_now(deployments: Sequence[Deployment]) -> list[Sample]:
    """Both questions to each, with a word on stderr while one is starting up."""
    from yolotop.cli.asking import ask

    def waiting(sample: Sample, pause_s: float) -> None:
        name = sample.answer.deployment
        out.narrate(f"{name}: {sample.verdict.message}; again in {pause_s:.0f} s")

    return asyncio.run(ask(deployments, waiting=waiting))


def show(samples: Sequence[Sample]) -> None:
    """The verdicts as a table on stdout."""
    from yolotop.view import format as shown

    rows: list[list[str | out.Cell]] = []
    for sample in samples:
        answer, verdict = sample.answer, sample.verdict
        outcome = verdict.outcome.value
        status = answer.http_status
        rows.append(
            [
                answer.deployment,
                answer.kind.value,
                out.Cell(outcome, STYLES[outcome]),
                shown.NOTHING if status is None else str(status),
                shown.ms(answer.latency_ms),
                verdict.message,
            ]
        )
    out.table(
        ["deployment", "probe", "verdict", "http", "latency", "message"],
        rows,
        right=frozenset({"http", "latency"}),
    )


def _choose(
    where: Places, names: Sequence[str], url: str | None, api_key: str | None
) -> list[Deployment]:
    if url is not None:
        if names:
            raise UsageError(
                "--url and names cannot stand together",
                hint="Ask one endpoint by --url, or registered ones by name",
            )
        return [_unregistered(where, url, api_key)]
    if api_key is not None:
        raise UsageError(
            "--api-key goes with --url", hint="Registered deployments have their own"
        )
    config = where.load()
    if names:
        return [find(config, name) for name in dict.fromkeys(names)]
    chosen = [deployment for deployment in config.deployments if not deployment.paused]
    for deployment in config.deployments:
        if deployment.paused:
            out.narrate(f"{deployment.name}: paused, not asked (name it to ask it)")
    if not chosen:
        raise UsageError("There is no deployment to check", hint=how_to_begin(config))
    return chosen


def _only_one(
    chosen: Sequence[Deployment], names: Sequence[str] | None, url: str | None
) -> Deployment:
    if len(chosen) != 1 or not (names or url):
        raise UsageError(
            "--reference compares one deployment", hint="yolotop check NAME --reference"
        )
    return chosen[0]


def find(config: Config, name: str) -> Deployment:
    """The deployment of that name, or a usage error that offers the nearest."""
    found = config.deployment(name)
    if found is not None:
        return found
    from yolotop.config.problems import nearest, quoted

    known = [deployment.name for deployment in config.deployments]
    raise UsageError(
        f"There is no deployment {quoted(name)}",
        hint=nearest(name, known).capitalize() if known else how_to_begin(config),
    )


def how_to_begin(config: Config) -> str:
    """What to do when nothing is registered."""
    if config.path is not None:
        return f"Add one to {config.path} with `yolotop add URL`"
    return "No config file was found; create one with `yolotop add URL`"


def _unregistered(where: Places, url: str, api_key: str | None) -> Deployment:
    from urllib.parse import urlsplit

    from yolotop.config.deployment import deployment_from_table
    from yolotop.text import clean

    # Without a scheme urlsplit finds no host; the reader below says so.
    try:
        name = clean(urlsplit(url).netloc.rpartition("@")[2], limit=64)
    except ValueError:
        name = ""
    table: dict[str, object] = {"name": name or "endpoint", "url": url}
    if api_key is not None:
        table["api_key"] = api_key
    known = where.load()
    return deployment_from_table(
        table, known.defaults, "the command line", presets=known.presets
    )
