"""A screen in front of another, which is answered once, and goes when it is itself the one in front."""

from __future__ import annotations

from typing import TypeVar

from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen

__all__ = ["FrontScreen"]

Answer = TypeVar("Answer")


class FrontScreen(ModalScreen[Answer]):
    """Whatever stands in front of a screen here.

    Textual 8 pops whichever screen is in front, and sets the result of this one
    a second time when it is dismissed twice (an Enter or a click too many, or
    work that ends below the key sheet): the wrong screen goes, or the
    application ends. Here the first answer counts, and waits until all that came
    in front of this screen has gone.
    """

    _answer: tuple[Answer | None] | None = None
    _gone = False

    @property
    def answered(self) -> bool:
        """Whether it goes, or has gone."""
        return self._answer is not None

    def dismiss(self, result: Answer | None = None) -> AwaitComplete:
        """Go, with this answer; another one is too late."""
        if self._answer is None:
            self._answer = (result,)
        return self._go()

    def on_screen_resume(self) -> None:
        """What came in front of it has gone."""
        if self._answer is not None:
            self._go()

    def _go(self) -> AwaitComplete:
        if self._answer is None or self._gone or self.app.screen is not self:
            return AwaitComplete()
        self._gone = True
        for waiting in self._result_callbacks:
            if waiting.future is not None and waiting.future.done():
                # Who has asked was ended in the meantime.
                waiting.future = None
        going: AwaitComplete = super().dismiss(self._answer[0])
        return going
