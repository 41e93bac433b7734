"""What can be done on the tabs Predict and Code.

Owns the way from a key to the page in sight. It must not know what a page does.
"""

from __future__ import annotations

from textual import on
from textual.getters import query_one

from yolotop.tui.screens.code_page import CodePage
from yolotop.tui.screens.predict_page import PICTURE, PredictPage
from yolotop.tui.screens.watching import Watching
from yolotop.tui.widgets.prompt import Prompt


class PredictDeeds(Watching):
    """Actions on the pages."""

    predict_page = query_one(PredictPage)
    code_page = query_one(CodePage)

    def action_predict_send(self) -> None:
        """Send the chosen picture."""
        self.predict_page.send()

    def action_predict_next(self) -> None:
        """Choose the next picture."""
        self.predict_page.choose_next()

    def action_predict_open(self) -> None:
        """Ask for a file where the hints are."""
        self.prompt.open(PICTURE)
        self.share_out()

    @on(Prompt.Kept)
    def _picture_kept(self, event: Prompt.Kept) -> None:
        if event.purpose is PICTURE:
            self.share_out()
            self.focus_home()
            self.predict_page.open_file(event.text)

    def action_predict_pin(self) -> None:
        """Pin the picture in sight."""
        self.predict_page.pin()

    def action_predict_raw(self) -> None:
        """The server's own answer, and back."""
        self.predict_page.turn_raw()

    def action_code_turn(self, by: int) -> None:
        """Another language."""
        self.code_page.sheet.turn(by)

    def action_code_choose(self, index: int) -> None:
        """This language."""
        self.code_page.sheet.choose(index)

    def action_code_copy(self) -> None:
        """The code to the clipboard."""
        snippet = self.code_page.sheet.snippet
        if snippet is not None:
            self.copy(snippet.text, f"{snippet.title} code")

    def action_code_write(self) -> None:
        """The code into a new file."""
        snippet = self.code_page.sheet.snippet
        if snippet is not None:
            self.save(snippet.text, snippet.file_name)
