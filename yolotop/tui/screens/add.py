"""The form that registers an endpoint: filled in, tested for real, then saved.

Owns the form. What the server is, the collector finds out with a few GETs, when the
address was entered; the dialect that was found stands in its field, to be corrected.
The test is a trial that the collector carries out too, so what is shown was measured as
everything else is: it sends an image, so nobody but a person starts it. Saving without
a good test is possible, but only by a second press that says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.css.query import NoMatches
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static
from textual.worker import Worker

from yolotop.errors import ConfigError, YolotopError
from yolotop.judge.words import count_detections
from yolotop.text import clean
from yolotop.tui.actions import Actions, fields_of
from yolotop.tui.ink import Look, Row, Span
from yolotop.tui.screens.help import content_of
from yolotop.view import format as fmt

FIELDS: Final = (
    ("name", "Name", "dock-cam"),
    ("url", "URL", "http://10.0.4.7:8000"),
    ("api_key", "Key", "env:NAME or file:PATH, never the key itself"),
    ("dialect", "Server", "found out from the URL; yours wins"),
    ("model", "Model", "what the server calls it, where it wants to know"),
    ("region", "Region", "optional"),
    ("group", "Group", "optional"),
)
_GOOD: Final = frozenset({"ok", "slow", "cold"})


_NEEDED: Final = {
    "name": "what it is to be called",
    "url": "where it answers, such as http://10.0.4.7:8000",
}
"""What nothing can be saved without."""


def verdict_rows(results: Sequence[Mapping[str, object]], look: Look) -> list[Row]:
    """What a trial found: one line for each question that was asked."""
    rows: list[Row] = []
    for result in results:
        verdict = str(result.get("verdict", ""))
        good = verdict in _GOOD
        role = "up" if verdict == "ok" else "degraded" if good else "down"
        sign = ("+" if good else "x") if look.plain else ("♥" if good else "✖")
        late = result.get("latency_ms")
        seen = result.get("detections")
        facts = [
            fmt.ms(late, plain=look.plain) if isinstance(late, int | float) else "",
            count_detections(seen) if isinstance(seen, int) else "",
            f"HTTP {result['http_status']}" if result.get("http_status") else "",
        ]
        rows.append(
            (
                Span(f"{sign} ", role),
                Span(f"{result.get('kind', '')!s:<8} ", "dim"),
                Span(f"{verdict:<7}", role),
                Span(f" {look.dot} ".join(fact for fact in facts if fact), "bright"),
            )
        )
        message = result.get("message")
        if message and not good:
            rows.append((Span(f"  {clean(str(message))}", "down"),))
    return rows


def finding_rows(found: Mapping[str, object], look: Look) -> list[Row]:
    """What a server was taken for, and why."""
    dialect = found.get("dialect")
    why = found.get("why")
    reasons = [clean(str(one)) for one in why] if isinstance(why, list) else []
    if not isinstance(dialect, str):
        return [
            (Span("not a server that is known here", "degraded"),),
            *((Span(f"  {reason}", "dim"),) for reason in reasons),
            (Span("  its kind can be named under Server", "faint"),),
        ]
    sign = "+" if look.plain else "●"
    sure = found.get("sure") is True
    said = "" if sure else " (a guess)"
    rows: list[Row] = [
        (
            Span(f"{sign} ", "up" if sure else "degraded"),
            Span(clean(dialect), "bright"),
            Span(said, "degraded"),
        ),
        *((Span(f"  {reason}", "dim"),) for reason in reasons),
    ]
    models = found.get("models")
    if isinstance(models, list) and len(models) > 1:
        names = ", ".join(clean(str(model)) for model in models[:8])
        rows.append((Span(f"  models: {names}; name one", "degraded"),))
    unsaid = found.get("unsaid")
    rows += [
        (Span(f"  yours to say: {clean(str(one))}", "degraded"),)
        for one in (unsaid if isinstance(unsaid, list) else ())
    ]
    if found.get("wants_key"):
        wanted = clean(str(found["wants_key"]))
        rows.append((Span(f"  it wants a key ({wanted})", "degraded"),))
    return rows


def doubtful_rows(found: Mapping[str, object], look: Look) -> list[Row]:
    """What was found, where it is a guess or leaves something to be said."""
    plain = found.get("sure") and not found.get("unsaid") and not found.get("wants_key")
    return [] if plain else finding_rows(found, look)


class AddDeployment(ModalScreen[str | None]):
    """The form; dismissed with the name that was saved, or ``None``."""

    AUTO_FOCUS = "#field-name"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "cancel"),
        # Before the fields see them: what is typed next must not land in the old one.
        Binding("up,shift+tab", "app.focus_previous", show=False, priority=True),
        Binding("down,tab", "app.focus_next", show=False, priority=True),
        Binding("ctrl+t", "test", "test"),
        Binding("ctrl+s", "save", "save"),
    ]

    def __init__(self, actions: Actions, look: Look) -> None:
        super().__init__()
        self._actions = actions
        self._look = look
        self._tested: dict[str, object] | None = None
        self._warned: dict[str, object] | None = None
        self._trial: Worker[None] | None = None
        self._found: dict[str, object] = {}
        self._found_at: dict[str, object] | None = None

    def compose(self) -> ComposeResult:
        """Fields, what the test found, buttons."""
        with VerticalScroll(classes="sheet") as sheet:
            sheet.can_focus = False
            sheet.border_title = "Add a deployment"
            sheet.border_subtitle = "ctrl+t test · ctrl+s save · esc cancel"
            for key, label, hint in FIELDS:
                with Vertical(classes="field", id=f"row-{key}"):
                    with Horizontal(classes="field-row"):
                        yield Static(label, classes="field-name")
                        field = Input(
                            placeholder=hint, id=f"field-{key}", classes="-quiet"
                        )
                        field.cursor_blink = False
                        yield field
                    yield Static("", classes="field-error", markup=False)
            yield Static("", id="verdict")
            with Horizontal(classes="buttons"):
                yield Button("Test", id="test", compact=True)
                yield Button("Save", id="save", compact=True)
                yield Button("Cancel", id="cancel", compact=True)

    def on_mount(self) -> None:
        """Say what comes."""
        self._say(
            (Span("The test asks the endpoint once, as the collector will:", "faint"),),
            (Span("is it alive, and what does it see?", "faint"),),
        )

    @property
    def table(self) -> dict[str, object]:
        """What was filled in, as a table of the config file."""
        values = {
            key: self.query_one(f"#field-{key}", Input).value.strip()
            for key, _, _ in FIELDS
        }
        said: dict[str, object] = {key: text for key, text in values.items() if text}
        settings = self._found.get("settings")
        if isinstance(settings, dict) and self._taken_for(said):
            # Paths and tensors that were found; what was typed goes before them.
            said = {**settings, **said}
        return said

    def _taken_for(self, said: Mapping[str, object]) -> bool:
        """Whether what was found is about what stands in the form."""
        if self._found_at != _address(said):
            return False
        # Another model of that server may have other inputs.
        model = said.get("model")
        return said.get("dialect") == self._found.get("dialect") and (
            model is None or model == _told(self._found).get("model", model)
        )

    # -- keys and buttons ----------------------------------------------------------

    @on(Input.Changed)
    def _edited(self, event: Input.Changed) -> None:
        self._wrong((event.input.id or "").removeprefix("field-"), "")

    @on(Input.Submitted)
    def _next(self, event: Input.Submitted) -> None:
        # Enter walks down; below the last field there is the test.
        keys = [key for key, _, _ in FIELDS]
        key = (event.input.id or "").removeprefix("field-")
        if key in ("url", "api_key", "model") and self.table.get("url"):
            self.run_worker(self._recognise(), group="recognise", exclusive=True)
        index = keys.index(key)
        below = "#test" if index + 1 == len(keys) else f"#field-{keys[index + 1]}"
        self.query_one(below).focus()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """By mouse or enter."""
        match event.button.id:
            case "test":
                self.action_test()
            case "save":
                self.action_save()
            case _:
                self.action_cancel()

    def action_cancel(self) -> None:
        """Leave nothing behind."""
        self.dismiss(None)

    def action_test(self) -> None:
        """Ask the endpoint as it is filled in now; a running test is given up."""
        if self._trial is not None:
            self._trial.cancel()
        self._trial = self.run_worker(self._test(self.table), group="trial")

    def action_save(self) -> None:
        """Write it, if it was tested; else ask to press again."""
        table = self.table
        missing = [key for key in _NEEDED if key not in table]
        if missing:
            for key in missing:
                self._wrong(key, _NEEDED[key])
            self.query_one(f"#field-{missing[0]}").focus()
            return
        if table not in (self._tested, self._warned):
            self._warned = table
            self._label("Save anyway")
            self._say((Span("This was not tested as it stands.", "degraded"),),
                      (Span("Test it, or press Save anyway.", "dim"),))  # fmt: skip
            return
        self.run_worker(self._save(table), group="save", exclusive=True)

    # -- what they do --------------------------------------------------------------

    async def _test(self, table: dict[str, object]) -> None:
        self._clear()
        if not self._taken_for(table) and await self._recognise():
            table = self.table
        doubts = doubtful_rows(self._found, self._look) if self._found else []
        self._say(*doubts, (Span("asking…", "accent"),))
        try:
            results = await self._actions.trial(table)
        except YolotopError as error:
            self._show_error(error)
            return
        rows = verdict_rows(results, self._look)
        good = bool(results) and all(row.get("verdict") in _GOOD for row in results)
        self._say(*(() if good else doubts), *rows)
        if good:
            self._tested = table
        else:
            self._warned = table
        self._label("Save" if good else "Save anyway")
        self.query_one("#save" if good else "#test").focus()

    async def _recognise(self) -> bool:
        """Find out what is there, once for each address and model; was anything?"""
        table = self.table
        address, before = _address(table), _told(self._found)
        model = table.get("model")
        same_model = model is None or model == before.get("model", model)
        if self._found_at == address and same_model:
            return self._found.get("dialect") is not None
        if "dialect" in table and self._found_at is None:
            return True
        self._say((Span("looking what it is…", "accent"),))
        try:
            # A name is not needed to look, and may not have been thought of yet.
            asked = address if model is None else {**address, "model": model}
            found = await self._actions.recognise({"name": "?", **asked})
        except YolotopError as error:
            self._show_error(error)
            return False
        self._found, self._found_at = found, address
        self._say(*finding_rows(found, self._look))
        for key in ("dialect", "model"):
            value, was = _told(found).get(key), before.get(key)
            field = self.query_one(f"#field-{key}", Input)
            # What somebody has written over a guess stays.
            if isinstance(value, str) and field.value.strip() in ("", was):
                field.value = clean(value)
        return isinstance(found.get("dialect"), str)

    async def _save(self, table: dict[str, object]) -> None:
        try:
            await self._actions.add(table)
        except YolotopError as error:
            self._show_error(error)
            return
        self.dismiss(str(table.get("name", "")))

    def _show_error(self, error: YolotopError) -> None:
        self._clear()
        found = fields_of(error) if isinstance(error, ConfigError) else {}
        mine = {key: text for key, text in found.items() if self._wrong(key, text)}
        if mine:
            self._say()
            self.query_one(f"#field-{next(iter(mine))}").focus()
        else:
            self._say((Span(f"{error.title}:", "down"),),
                      (Span(error.message, "text"),),
                      (Span(error.hint, "dim"),))  # fmt: skip

    def _clear(self) -> None:
        for key, _, _ in FIELDS:
            self._wrong(key, "")

    def _wrong(self, key: str, text: str) -> bool:
        try:
            row = self.query_one(f"#row-{key}", Vertical)
        except NoMatches:
            return False
        row.set_class(bool(text), "-wrong")
        row.query_one(".field-error", Static).update(Content(text))
        return True

    def _say(self, *rows: Row) -> None:
        text = Content("\n").join(content_of(row) for row in rows)
        self.query_one("#verdict", Static).update(text)

    def _label(self, text: str) -> None:
        button = self.query_one("#save", Button)
        button.label = text
        # A new label alone keeps the old width, and wraps out of sight.
        button.refresh(layout=True)


def _told(found: Mapping[str, object]) -> dict[str, object]:
    """What was found, as lines of a deployment's table."""
    settings = found.get("settings")
    told = dict(settings) if isinstance(settings, dict) else {}
    if found.get("dialect") is not None:
        told["dialect"] = found["dialect"]
    return told


def _address(table: Mapping[str, object]) -> dict[str, object]:
    """What a recognition depends on."""
    return {key: table[key] for key in ("url", "api_key") if key in table}
