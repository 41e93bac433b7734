"""``yolotop golden set``, ``show`` and ``clear``: an answer pinned by a person.

Owns what is shown and asked before a baseline is written. It must not know how an
answer is compared, or how the files are edited.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from yolotop.cli import out
from yolotop.cli.check import find, how_to_begin
from yolotop.cli.options import (
    ConfigOption,
    DataDirOption,
    JsonOption,
    YesOption,
    places,
)
from yolotop.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from yolotop.model import Baseline, Deployment, Detection, Sample
    from yolotop.probe.prober import Shown

app = typer.Typer(
    help="Pin the right answer to an image, and compare with it from then on.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Which deployment.")]


@app.command("set")
def set_(
    ctx: typer.Context,
    name: NameArgument,
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="A JPEG or PNG file.")],
    yes: YesOption = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Send the image, show the answer, and pin it if you say so.

    Exit codes: 0 pinned, 1 not pinned, 2 usage or config.
    """
    from yolotop.config.pin import pin
    from yolotop.judge.canary import baseline_of

    path, deployment = _registered(ctx, name, config, data_dir)
    if not yes:
        _check_somebody_there("--yes pins without asking")
    asked = _as_asked(deployment, image)
    shown, sample = _send(asked)
    prediction = sample.answer.prediction
    if prediction is None or not sample.verdict.ok:
        out.narrate(f"{name}: {sample.verdict.message}")
        out.narrate("Nothing was pinned: only a right answer can be expected again")
        raise typer.Exit(ExitCode.UNHEALTHY)
    baseline = baseline_of(
        prediction,
        image_sha256=shown.frame.sha256,
        pinned_at=sample.answer.started_at,
    )
    if sys.stderr.isatty():
        _draw(shown, sample)
    _show(baseline, deployment)
    question = f"Pin this answer for {name} in {path}?"
    if not yes and not typer.confirm(question, err=True):
        out.narrate("Nothing was changed")
        raise typer.Exit(ExitCode.UNHEALTHY)
    file = pin(path, name, asked.image, baseline)
    out.narrate(f"Pinned {name} in {file}; every answer is compared with it now")


@app.command()
def show(
    ctx: typer.Context,
    name: NameArgument,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    json: JsonOption = False,
) -> None:
    """Print the pinned answer; exit 1 if there is none."""
    from yolotop.config.baseline import document_of

    _, deployment = _registered(ctx, name, config, data_dir)
    golden = deployment.golden
    if golden is None:
        if json:
            out.data("null")
        out.narrate(
            f"{name} has no baseline; `yolotop golden set {name} IMAGE` pins one"
        )
        raise typer.Exit(ExitCode.UNHEALTHY)
    if golden.fault:
        if json:
            out.data("null")
        out.narrate(f"{golden.fault}; `yolotop golden set {name} IMAGE` pins it anew")
        raise typer.Exit(ExitCode.UNHEALTHY)
    if json:
        out.data(out.as_json(document_of(golden, deployment.name)))
        return
    _show(golden, deployment)


@app.command()
def clear(
    ctx: typer.Context,
    name: NameArgument,
    yes: YesOption = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Forget the pinned answer; the image is still sent."""
    from yolotop.config.pin import unpin

    path, deployment = _registered(ctx, name, config, data_dir)
    if deployment.golden is None:
        out.narrate(f"{name} has no baseline")
        raise typer.Exit(ExitCode.UNHEALTHY)
    if not yes:
        _check_somebody_there("--yes forgets it without asking")
        if not typer.confirm(f"Forget the baseline of {name} in {path}?", err=True):
            out.narrate("Nothing was changed")
            raise typer.Exit(ExitCode.UNHEALTHY)
    unpin(path, name)
    out.narrate(f"{name} is compared with nothing now; its image is sent as before")


def _registered(
    ctx: typer.Context, name: str, config: Path | None, data_dir: Path | None
) -> tuple[Path, Deployment]:
    found = places(ctx, config, data_dir).load()
    deployment = find(found, name)
    if found.path is None:
        raise UsageError("There is no config file", hint=how_to_begin(found))
    return found.path, deployment


def _check_somebody_there(cure: str) -> None:
    if not sys.stdin.isatty():
        raise UsageError(
            "There is nobody to ask: standard input is not a terminal", hint=cure
        )


def _as_asked(deployment: Deployment, image: Path) -> Deployment:
    """Asked with that image, compared with nothing that was pinned before."""
    from yolotop.config.load import absolute

    return replace(
        deployment,
        image=str(absolute(image)),
        golden=None,
        expect=replace(deployment.expect, drawn=False),
    )


def _send(deployment: Deployment) -> tuple[Shown, Sample]:
    from yolotop.cli.asking import show_image
    from yolotop.probe.frames import FrameError
    from yolotop.text import clean

    def waiting(sample: Sample, pause_s: float) -> None:
        name = sample.answer.deployment
        out.narrate(f"{name}: {sample.verdict.message}; again in {pause_s:.0f} s")

    try:
        return asyncio.run(show_image(deployment, waiting=waiting))
    except FrameError as error:
        raise UsageError(
            clean(str(error), limit=400), hint="Name a JPEG or PNG file"
        ) from None


def _draw(shown: Shown, sample: Sample) -> None:
    from yolotop.cli.drawing import drawn
    from yolotop.collect.showing import showing
    from yolotop.probe.preview import preview

    result = showing(shown, sample, source=shown.frame.name)
    # Not through the gate for text: the sequences are our own.
    typer.echo(drawn(result, preview(shown.frame).jpeg), err=True)


def _show(baseline: Baseline, deployment: Deployment) -> None:
    from datetime import UTC, datetime

    from yolotop.view.golden import pin_lines

    if baseline.detections:
        _table(baseline.detections)
    at = datetime.fromtimestamp(baseline.pinned_at, UTC)
    lines = [
        ("image", deployment.image if deployment.golden is baseline else ""),
        ("answered", f"{at:%Y-%m-%d %H:%M:%S} UTC"),
        *pin_lines(baseline, deployment.tolerance, deployment.conf),
    ]
    for what, text in lines:
        if text:
            out.narrate(f"{what + ':':<9} {text}")


def _table(detections: Sequence[Detection]) -> None:
    from yolotop.view.format import NOTHING

    rows: list[list[str | out.Cell]] = []
    for each in detections:
        box = ", ".join(f"{edge:.0f}" for edge in each.box or ())
        more = [
            f"{each.share:.1%} of the image" if each.share is not None else "",
            f"outline of {len(each.outline)}" if each.outline else "",
            f"{len(each.keypoints)} keypoints" if each.keypoints else "",
        ]
        sure = NOTHING if each.confidence is None else f"{each.confidence:.2f}"
        told = "; ".join(part for part in (box, *more) if part)
        rows.append([each.label, sure, told or NOTHING])
    out.table(
        ["label", "confidence", "x1, y1, x2, y2"], rows, right=frozenset({"confidence"})
    )
