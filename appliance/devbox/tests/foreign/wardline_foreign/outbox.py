"""Sending (protocol page, section 5): numbers, retries, and one message of a conversation at a time."""

from __future__ import annotations

import asyncio
import os
import random
from typing import Any

from . import errors
from .book import Book, Told
from .errors import BadText, Refused
from .profile import Profile, Transaction
from .session import ANSWER_PATIENCE, Session

TEXT_MAX = 8192


class Outbox:
    """Sends what the profile has waiting, over whatever session there is."""

    def __init__(self, profile: Profile, book: Book) -> None:
        self._profile = profile
        self._book = book
        self._session: Session | None = None
        self._box_number = 0
        self._under_way: dict[int, tuple[bytes, int, asyncio.TimerHandle]] = {}
        self._not_before = 0.0
        self._attempts = 0

    def write(self, conversation: int, text: str) -> bytes:
        """Keeps a message for sending and gives its name; refuses what the box would never take."""
        size = len(text.encode())
        if size > TEXT_MAX:
            raise BadText("the text is too long")
        if size == 0:
            raise BadText("the text is empty")
        message = os.urandom(16)
        self._profile.submit(message, conversation, text)
        self.pump()
        return message

    def start(self, session: Session, box_number: int) -> None:
        """A session was signed in: what has a number goes again with it, then the rest."""
        self.stop()
        self._session = session
        self._box_number = box_number
        self._not_before = 0.0
        self.pump()

    def stop(self) -> None:
        """The session is gone or locked."""
        self._session = None
        for _, _, patience in self._under_way.values():
            patience.cancel()
        self._under_way.clear()

    def pump(self) -> None:
        """Sends what may be sent now."""
        loop = asyncio.get_running_loop()
        session = self._session
        if session is None or session.ended is not None or loop.time() < self._not_before:
            return
        busy = {conversation for _, conversation, _ in self._under_way.values()}
        for message, conversation, text, number in self._profile.waiting():
            if conversation in busy:
                continue
            busy.add(conversation)
            if number is None:
                number = self._profile.number(message, self._box_number)
            submit = {"number": number, "message": message, "conversation": conversation, "text": text}
            request = session.send("submit", submit)
            patience = loop.call_later(ANSWER_PATIENCE, session.wire.abandon)
            self._under_way[request] = (message, conversation, patience)

    def is_mine(self, request: int) -> bool:
        """Whether a frame answers one of our submissions."""
        return request in self._under_way

    def accepted(self, request: int, body: dict[str, Any]) -> Told:
        """The box has a message on its disk."""
        message = self._done(request)
        self._attempts = 0
        if message is None or message != body.get("message"):
            return []
        gap = self._book.accepted(body)
        names = ("message", "conversation", "sequence", "at")
        return [*gap, {"event": "accepted", **{name: body.get(name, 0) for name in names}}]

    def refused(self, request: int, body: dict[str, Any]) -> Told:
        """The box declined: for a moment, or for ever."""
        under_way = self._under_way.get(request)
        message = self._done(request)
        if under_way is None or message is None:
            return []
        refused = Refused(body)
        told = {"message": message, "code": refused.code, "advice": refused.advice}
        if refused.code not in errors.TRANSIENT:
            self._profile.fail(message, refused.code)
            return [{"event": "failed", "conversation": under_way[1], **told}]
        with Transaction(self._profile.db):
            self._profile.unnumber(message)
        if refused.code != errors.LOCKED:
            self._wait(refused.retry_after)
        return [{"event": "delayed", **told}]

    def _done(self, request: int) -> bytes | None:
        under_way = self._under_way.pop(request, None)
        if under_way is None:
            return None
        under_way[2].cancel()
        return under_way[0]

    def _wait(self, retry_after: int) -> None:
        """Nothing is sent for as long as the box wants, and a little longer; the page has no time for a code without
        `retry_after`, so that of a lost connection serves."""
        if retry_after:
            seconds = retry_after / 1000 * random.uniform(1.0, 1.25)
        else:
            seconds = random.uniform(0.2, min(10.0, 0.4 * 2**self._attempts))
            self._attempts += 1
        loop = asyncio.get_running_loop()
        self._not_before = loop.time() + seconds
        loop.call_at(self._not_before + 0.001, self.pump)
