"""The Predict page: which picture is next, what is being asked, what is pinned.

Owns the way from a wish to :class:`~yolotop.tui.actions.Actions`: the collector asks,
so that what is shown was measured like everything else. Nothing is asked before a
person says so. It must not know how an answer is drawn.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from textual.app import ComposeResult
from textual.getters import query_one
from textual.worker import Worker

from yolotop.config.baseline import Unreadable, from_document
from yolotop.errors import YolotopError
from yolotop.model import Baseline, Tolerance
from yolotop.text import clean
from yolotop.tui.marks import marks_of
from yolotop.tui.screens.confirm import Confirm
from yolotop.tui.screens.page import Page
from yolotop.tui.widgets.predict_tab import DRAWN, GOLDEN, PredictTab, Shot, called
from yolotop.tui.widgets.prompt import Purpose
from yolotop.view.golden import pin_lines

if TYPE_CHECKING:
    from PIL import Image

PICTURE: Final = Purpose(
    "picture", " picture ", "path of a JPEG or PNG file; enter sends it, esc leaves"
)
_MOST_PIXELS: Final = 50_000_000
"""As many as a probe may carry; what claims more is not decoded."""


class PredictPage(Page):
    """The page."""

    where: ClassVar[tuple[str, ...]] = ("predict", "page")

    sheet = query_one("#predict", PredictTab)

    def compose(self) -> ComposeResult:
        """One widget draws it all."""
        means = self.means
        yield PredictTab(
            means.look,
            name="predict",
            deployment=self.deployment,
            writable=not means.settings.read_only,
        )

    def on_mount(self) -> None:
        """Nothing is asked yet."""
        self._asking: Worker[None] | None = None
        self._opened: str | None = None
        self._known = False

    def enter(self) -> None:
        """See whether there is a golden picture."""
        if not self._known:
            self._known = True
            self.run_worker(self._look_for_golden(), group="look")

    async def _look_for_golden(self) -> None:
        try:
            settings = await self.means.actions.settings(self.deployment)
        except YolotopError:
            # What keeps the config file from being read is told where it matters.
            return
        image = next((each.value for each in settings if each.key == "image"), DRAWN)
        if image.strip("\"'") != DRAWN and GOLDEN not in self.sheet.choices:
            first, *others = self.sheet.choices
            self.sheet.choose(self.sheet.image, (first, GOLDEN, *others))

    # -- what a person can do ------------------------------------------------------

    def send(self) -> None:
        """Send the chosen picture; what is still being asked is given up."""
        self.back()
        self._asking = self.run_worker(self._ask(self.sheet.image), group="predict")

    def choose_next(self) -> None:
        """The next picture of those there are."""
        choices = self.sheet.choices
        index = choices.index(self.sheet.image) + 1
        self.sheet.choose(choices[index % len(choices)], choices)

    def open_file(self, text: str) -> None:
        """Choose a file, and send it."""
        if not text:
            return
        path = str(Path(text).expanduser().absolute())
        kept = [each for each in self.sheet.choices if each != self._opened]
        self._opened = path
        self.sheet.choose(path, (*(each for each in kept if each != path), path))
        self.send()

    def turn_raw(self) -> None:
        """The server's own answer, and back."""
        self.sheet.turn_raw()

    def back(self) -> bool:
        """Give up what is being asked; whether there was something."""
        if self._asking is None or self.sheet.asking_s is None:
            return False
        self._asking.cancel()
        self._asking = None
        self.sheet.settle(None)
        return True

    def pin(self) -> None:
        """Make the picture in sight the golden one, after a question."""
        shot = self.sheet.shot
        reason = why_not_pinned(shot)
        if shot is None or reason:
            self.notify(reason, severity="warning", markup=False, timeout=5)
            return
        path, document = shot.image, shot.result["baseline"]
        try:
            baseline = from_document(document)
        except Unreadable as error:
            self.notify(str(error), severity="warning", markup=False, timeout=5)
            return

        def done(answer: bool | None) -> None:
            if answer:
                self.run_worker(self._pin(path, document), group="act")

        title = f"Pin {called(path)} for {self.deployment}?"
        text = what_is_pinned(self.deployment, path, baseline)
        self.app.push_screen(Confirm(title, text, yes="pin"), done)

    # -- how it is done ------------------------------------------------------------

    async def _ask(self, image: str) -> None:
        self.sheet.ask()
        try:
            result = await self.means.actions.predict(self.deployment, image)
        except YolotopError as error:
            told = (error.title, error.message, error.hint)
            self.sheet.settle(Shot(image, error=told))
            return
        self.sheet.settle(await asyncio.to_thread(shot_of, image, result))

    async def _pin(self, path: str, baseline: object) -> None:
        assert isinstance(baseline, Mapping)
        try:
            await self.means.actions.pin(self.deployment, path, baseline)
        except YolotopError as error:
            self.notify(str(error), title=error.title, severity="error", markup=False)
        else:
            self.notify(
                f"{self.deployment}: pinned; the collector takes it up", markup=False
            )


def why_not_pinned(shot: Shot | None) -> str:
    """Why a picture cannot be the golden one; empty where it can."""
    if shot is None or shot.error is not None:
        return "Send a picture first: what is seen in it is what is expected then"
    if shot.image == DRAWN:
        return "A drawn picture is another one each time; send one from a file (o)"
    if shot.image == GOLDEN:
        return "This is the golden picture already; pin its file (o) for a new baseline"
    if shot.result.get("verdict") not in ("ok", "slow", "changed"):
        return "Only a good answer can be expected from now on"
    if not isinstance(shot.result.get("baseline"), Mapping):
        return "The collector that runs is an older one; restart it to pin"
    return ""


def what_is_pinned(deployment: str, path: str, baseline: Baseline) -> str:
    """What a person agrees to: picture, answer and model."""
    lines = [
        f"{deployment} is asked with {called(path)} from now on.",
        "Each answer is compared with this one:",
        "",
        *(f"{what:<6} {text}" for what, text in pin_lines(baseline, Tolerance())),
        "",
        "The config file is changed, and a file is written beside it.",
    ]
    return "\n".join(lines)


def shot_of(image: str, result: Mapping[str, object]) -> Shot:
    """What came back, with its picture decoded; takes milliseconds, so in a thread."""
    told = result.get("image")
    about = told if isinstance(told, Mapping) else {}
    picture = _decoded(about.get("jpeg"))
    size = picture.size if picture is not None else (0, 0)
    width, height = about.get("width"), about.get("height")
    if isinstance(width, int) and isinstance(height, int) and min(width, height) > 0:
        size = (width, height)
    error = None
    if picture is None and not result.get("verdict"):
        said = clean(str(result.get("message") or "the answer holds nothing to show"))
        error = ("Nothing came back", said, "")
    return Shot(image, result, picture, marks_of(result), size, error)


def _decoded(encoded: object) -> Image.Image | None:
    """The picture in the answer; ``None`` for what is none or claims to be huge."""
    if not isinstance(encoded, str):
        return None
    from PIL import Image, UnidentifiedImageError

    try:
        raw = base64.b64decode(encoded, validate=True)
        picture = Image.open(io.BytesIO(raw), formats=("JPEG", "PNG"))
        if picture.width * picture.height > _MOST_PIXELS:
            return None
        return picture.convert("RGB")
    except (binascii.Error, UnidentifiedImageError, OSError, ValueError):
        return None
