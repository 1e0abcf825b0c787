"""Watermarks (protocol page, section 6): at most one in 200 ms for a conversation, the highest last."""

from __future__ import annotations

import asyncio

from .profile import Profile
from .session import Session

APART = 0.2


class Receipts:
    """Sends this device's watermarks."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._session: Session | None = None
        # Conversations that were told of less than 200 ms ago; True: there is more to tell.
        self._recent: dict[int, bool] = {}

    def start(self, session: Session) -> None:
        """A session delivers: nobody confirmed what was sent before, so the highest goes again."""
        self._session = session
        for conversation in self._profile.receipts():
            self._send(conversation)

    def stop(self) -> None:
        """Sends what was held back, and then no more."""
        for conversation in [each for each, more in self._recent.items() if more]:
            self._recent[conversation] = False
            self._write(conversation)
        self._session = None

    def raise_to(self, conversation: int, delivered: int, read: int) -> None:
        """Everything up to there is dealt with, or was seen."""
        if self._profile.raise_receipt(conversation, delivered, read):
            self._send(conversation)

    def _send(self, conversation: int) -> None:
        if conversation in self._recent:
            self._recent[conversation] = True
            return
        self._recent[conversation] = False
        self._write(conversation)
        asyncio.get_running_loop().call_later(APART, self._again, conversation)

    def _again(self, conversation: int) -> None:
        if self._recent.pop(conversation, False):
            self._send(conversation)

    def _write(self, conversation: int) -> None:
        delivered, read = self._profile.receipt(conversation)
        if self._session is not None and delivered:
            self._session.tell("receipt", {"conversation": conversation, "delivered": delivered, "read": read})
