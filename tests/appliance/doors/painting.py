"""A real console at the other end of a websocket: what it paints, and keys for it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

import aiohttp

from tests.appliance.doors.standing import Browsing

PATIENCE = 60.0


class Painted:
    """One page's terminal."""

    def __init__(self, websocket: aiohttp.ClientWebSocketResponse) -> None:
        self.websocket = websocket
        self._painted = b""
        self._row = 0
        """Where the cursor stands."""

    @classmethod
    async def opened(cls, browser: Browsing) -> Painted:
        """A console of this browser."""
        url = f"{browser.standing.origin}/ws?width=120&height=40"
        websocket = await browser.session.ws_connect(url, headers=browser.own)
        # As the page does when its terminal is there.
        await websocket.send_json(["resize", {"width": 120, "height": 40}])
        return cls(websocket)

    @property
    def text(self) -> str:
        """Without colours and places."""
        return re.sub(r"\x1b\[[0-?]*[ -/]*[@-~]", "", self._painted.decode("utf-8", "replace"))

    async def reads(self, *words: str) -> None:
        """Wait until all of it was painted, and forget it."""
        await self._until(lambda: all(one in self.text for one in words))
        self._painted = b""

    async def types(self, *texts: str) -> None:
        """What is typed into each of some fields, with the key at its end that leads to the next. An Escape alone
        would be taken together with what follows."""
        # The page says that it has the focus. A screen is painted before it takes keys.
        await self.websocket.send_json(["focus"])
        await asyncio.sleep(0.5)
        for number, text in enumerate(texts):
            self._painted = b""
            await self._keys(text[:-1])
            if number == len(texts) - 1:
                await self._keys(text[-1])
                return
            # Keys that come before the next field has the focus are still of this one.
            shown = {text[:-1], "•" * len(text[:-1])}
            await self._until(lambda shown=shown: any(one in self.text for one in shown))
            row = self._row
            await self._keys(text[-1])
            await self._until(lambda row=row: self._row != row)

    async def _keys(self, text: str) -> None:
        for letter in text:
            await self.websocket.send_json(["stdin", letter])
            await asyncio.sleep(0.01)

    async def _until(self, holds: Callable[[], bool]) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                while not holds():
                    message = await self.websocket.receive()
                    assert message.type in {aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT}, self.text[-2000:]
                    if message.type is aiohttp.WSMsgType.BINARY:
                        self._painted += message.data
                        if stands := re.search(rb"\x1b\[([0-9]+);[0-9]+H$", message.data):
                            self._row = int(stands[1])
        except TimeoutError:
            raise AssertionError(self.text[-2000:]) from None

    async def close(self) -> None:
        """The page goes."""
        await self.websocket.close()
