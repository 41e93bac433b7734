"""For how long a deployment is left alone, or that this ends now.

Owns the question's look and its keys. Whom it is about was chosen when the key was
pressed and stands in the title: a list that moves meanwhile cannot change it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from yolotop.view import format as fmt
from yolotop.view.until import FORMS, as_instant, parse_until

SPANS: Final = (("15m", "15 min"), ("1h", "1 h"), ("4h", "4 h"))
END: Final = ""
"""What :meth:`yolotop.tui.actions.Actions.maintain` takes for the end."""


class Maintain(ModalScreen[str | None]):
    """The question; dismissed with the end as the collector takes it, or ``None``.

    ``until_at`` is when the maintenance it is in ends.
    """

    AUTO_FOCUS = "#for-15m"
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(str(number), f"choose({span!r})", label)
            for number, (span, label) in enumerate(SPANS, 1)
        ),
        Binding("u", "until", "until"),
        Binding("e", "end", "end"),
        Binding("escape", "cancel", "cancel"),
        Binding("q", "cancel", show=False),
        Binding("left", "app.focus_previous", show=False),
        Binding("right", "app.focus_next", show=False),
        # Before the field sees them: there is nothing above or below in it.
        Binding("up,shift+tab", "app.focus_previous", show=False, priority=True),
        Binding("down,tab", "app.focus_next", show=False, priority=True),
    ]

    def __init__(
        self, name: str, until_at: float | None, now: Callable[[], float]
    ) -> None:
        super().__init__()
        self._deployment = name
        self._until_at = until_at
        self._now = now

    def compose(self) -> ComposeResult:
        """A sheet: spans, a field for any other end, and the end now."""
        with Vertical(classes="sheet") as sheet:
            sheet.border_title = Content(f"Maintenance: {self._deployment}")
            sheet.border_subtitle = "esc cancel"
            yield Static(Content(self._explained()))
            with Horizontal(classes="buttons"):
                for number, (span, label) in enumerate(SPANS, 1):
                    yield Button(
                        Content(f"{label} ({number})"), id=f"for-{span}", compact=True
                    )
                if self._until_at is not None:
                    yield Button("end it now (e)", id="end", compact=True)
            with Vertical(classes="field", id="row-until"):
                with Horizontal(classes="field-row"):
                    yield Static("Until (u)", classes="field-name")
                    field = Input(placeholder=FORMS, id="until", classes="-quiet")
                    field.cursor_blink = False
                    yield field
                yield Static("", classes="field-error", markup=False)

    def _explained(self) -> str:
        if self._until_at is None:
            return (
                "It is not asked meanwhile, and the time counts neither for nor "
                "against it. For how long?"
            )
        until = fmt.until(self._until_at, since=self._now())
        return f"It is in maintenance {until}. Until when instead?"

    # -- keys and buttons ----------------------------------------------------------

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """By mouse or enter."""
        chosen = event.button.id or ""
        if chosen == "end":
            self.action_end()
        else:
            self.action_choose(chosen.removeprefix("for-"))

    def action_choose(self, span: str) -> None:
        """For so long from now on."""
        self.dismiss(span)

    def action_until(self) -> None:
        """To the field."""
        self.query_one("#until", Input).focus()

    def action_end(self) -> None:
        """Now; where it is in none there is nothing to end."""
        if self._until_at is not None:
            self.dismiss(END)

    def action_cancel(self) -> None:
        """As it was."""
        self.dismiss(None)

    @on(Input.Changed)
    def _edited(self) -> None:
        self._wrong("")

    @on(Input.Submitted)
    def _until(self, event: Input.Submitted) -> None:
        try:
            at = parse_until(event.value, self._now())
        except ValueError as error:
            self._wrong(str(error))
        else:
            self.dismiss(as_instant(at))

    def _wrong(self, text: str) -> None:
        row = self.query_one("#row-until", Vertical)
        row.set_class(bool(text), "-wrong")
        row.query_one(".field-error", Static).update(Content(text))
