"""A device that stays connected: signs in, is delivered to, sends, and comes back by itself where the page lets it.

Refuses to come back when it was superseded, revoked, or refused for good.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any

from . import errors, pins
from . import session as sessions
from .book import Book, Told
from .codec import Codec
from .errors import Closed, Failure, NotOpen, Refused, Untrusted
from .link import parse_link
from .outbox import Outbox
from .profile import Profile, Transaction
from .receipts import Receipts
from .session import Frame, Session

HELD = 10.0
FAULTS = 5

# The states of a client, as `state` has them.
OFFLINE, PIN_NEEDED, SIGNED_IN, CAUGHT_UP, ENDED = "offline", "pin_needed", "signed_in", "caught_up", "ended"


class Client:
    """One profile's client. `tell` is called with each event, after it is on disk."""

    def __init__(self, profile: Profile, codec: Codec, tell: Callable[[dict[str, Any]], None]) -> None:
        self.state = OFFLINE
        self._profile = profile
        self._codec = codec
        self._tell = tell
        self._book = Book(profile)
        self._outbox = Outbox(profile, self._book)
        self._receipts = Receipts(profile)
        self._session: Session | None = None
        self._sync = 0
        self._delivering = False
        self._snapshot = False
        self._faults = 0
        self._attempts = 0
        self._retry_after = 0
        self._running: asyncio.Task[None] | None = None

    @property
    def book(self) -> Book:
        """What this device knows."""
        return self._book

    # ------------------------------------------------------------------------------------------------ the person's

    async def join(self, link_text: str, pin: str, device_name: str) -> None:
        """Makes this profile a device; refuses a damaged link, a box that is not the pinned one, and a bad PIN."""
        if self._profile.device:
            raise NotOpen("this profile is a device already")
        link = parse_link(link_text)
        pin = pins.typed(pin)
        pins.check(pin)
        session, root = await sessions.connect_by_link(link, self._codec)
        try:
            self._profile.keep(host=link.host, port=link.port, name=link.name, root=root)
            self._session = session
            kind, body = await session.join(self._profile, link.code, device_name, pin)
        except Refused as refused:
            if refused.code != errors.PIN_WRONG:
                await session.wire.leave()
                raise
            # The box had enrolled this key before: the connection goes on, and wants the PIN.
            self._pin_needed({"tries_left": refused.tries_left})
            self._running = asyncio.create_task(self._run(session))
            raise
        except BaseException:
            session.wire.abandon()
            raise
        if kind == "signed_in":
            self._signed_in(session, body)
        else:
            self._pin_needed(body)
        self._running = asyncio.create_task(self._run(session))

    def open(self) -> None:
        """Connects a profile that joined before, and stays connected."""
        if not self._profile.device:
            raise NotOpen("this profile is no device yet")
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run(None))

    async def unlock(self, pin: str) -> None:
        """Gives the PIN that the box asked for."""
        session = self._session
        if session is None or self.state != PIN_NEEDED:
            raise NotOpen("no PIN is wanted")
        kind, body = await session.ask("unlock", {"pin": pins.typed(pin)})
        if kind == "signed_in":
            self._signed_in(session, body)

    def send(self, conversation: int, text: str) -> bytes:
        """Keeps a message and sends it as soon as it can; its name."""
        return self._outbox.write(conversation, text)

    def read(self, conversation: int, sequence: int) -> None:
        """The person has seen everything up to there."""
        self._receipts.raise_to(conversation, 0, sequence)

    async def ask(self, name: str, body: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """Any other request; refuses without a session."""
        if self._session is None or self.state not in (SIGNED_IN, CAUGHT_UP):
            raise NotOpen("not signed in")
        kind, answer = await self._session.ask(name, body)
        if kind == "opened":
            self._tell_all(self._book.apply({"conversation": answer["conversation"]}))
        elif kind == "history_page":
            # What was missing is known now; it is not told as if it had just come.
            with Transaction(self._profile.db):
                found = self._book.page(answer.get("messages", []))
            # Who entered a channel has nothing newer that would confirm it.
            self._confirm(found)
        return kind, answer

    async def leave(self) -> None:
        """Says goodbye and stays away."""
        self._receipts.stop()
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
        if self._session is not None:
            await self._session.wire.leave()
        self._lost()

    # ------------------------------------------------------------------------------------------------- connections

    async def _run(self, session: Session | None) -> None:
        """Connects again and again, until there is a reason not to."""
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            failure: Failure
            try:
                await self._one_connection(session)
            except Failure as caught:
                failure = caught
            self._lost()
            session = None
            if loop.time() - began >= HELD:
                self._attempts = self._faults = 0
            ended = self._why_not_again(failure)
            if ended is not None:
                self.state = ENDED
                self._tell({"event": "ended", **ended})
                return
            seconds = self._patience(failure)
            self._tell(
                {
                    "event": "reconnecting",
                    "after_ms": int(seconds * 1000),
                    "why": str(failure),
                    "untrusted": isinstance(failure, Untrusted),
                }
            )
            await asyncio.sleep(seconds)

    async def _one_connection(self, session: Session | None) -> None:
        """One connection to its end, which is always a Failure."""
        if session is None:
            session = await sessions.connect(self._profile, self._codec)
            self._session = session
            try:
                kind, body = await session.prove(self._profile)
            except Refused as refused:
                # A proof is made once a connection: whatever was refused, this one is of no use any more.
                session.wire.abandon()
                raise refused
            if kind == "signed_in":
                self._signed_in(session, body)
            else:
                self._pin_needed(body)
        while True:
            await session.something.wait()
            session.something.clear()
            try:
                self._take(session)
            except (KeyError, ValueError, OverflowError) as error:
                session.wire.abandon()
                raise Closed(None, "the box sent what means nothing") from error
            if session.ended is not None and not session.frames:
                if session.ended.code == errors.REFUSED and session.last_refusal is not None:
                    raise session.last_refusal
                raise session.ended

    def _lost(self) -> None:
        self._outbox.stop()
        self._receipts.stop()
        self._session = None
        self.state = OFFLINE

    def _why_not_again(self, failure: Failure) -> dict[str, Any] | None:
        """Why this client must not connect again by itself; None when it may."""
        if isinstance(failure, Refused) and failure.code in errors.FINAL:
            return {"why": "refused", "code": failure.code, "advice": failure.advice}
        if not self._profile.device:
            return {"why": "not_joined"}
        if not isinstance(failure, Closed):
            return None
        if failure.code == errors.SUPERSEDED:
            return {"why": "superseded"}
        if failure.code == errors.REVOKED:
            return {"why": "revoked"}
        if failure.code in errors.AT_FAULT:
            self._faults += 1
            if failure.code == errors.NUMBER_REUSED:
                self._profile.unnumber()
            if self._faults >= FAULTS:
                return {"why": "at_fault"}
        return None

    def _patience(self, failure: Failure) -> float:
        """How long to wait before the next attempt (protocol page, section 9)."""
        draining, self._retry_after = self._retry_after, 0
        if isinstance(failure, Closed) and failure.code == errors.DRAINING and draining:
            return draining / 1000 * random.uniform(1.0, 2.0)
        if isinstance(failure, Refused) and failure.retry_after:
            return failure.retry_after / 1000 * random.uniform(1.0, 1.25)
        bound = min(10.0, 0.4 * 2**self._attempts)
        self._attempts += 1
        return random.uniform(0.2, bound)

    # ------------------------------------------------------------------------------------------------------ states

    def _pin_needed(self, body: dict[str, Any]) -> None:
        self.state = PIN_NEEDED
        self._tell({"event": "pin_needed", "tries_left": body.get("tries_left", 0)})

    def _signed_in(self, session: Session, body: dict[str, Any]) -> None:
        self._profile.keep(device=body["device"], person=body["person"], code=None)
        self.state = SIGNED_IN
        self._tell(
            {
                "event": "connected",
                "device": body["device"],
                "person": body["person"],
                "name": body.get("name", ""),
                "administrator": body.get("administrator", False),
                "session_ends": body.get("session_ends", 0),
            }
        )
        for device in self._profile.new_devices(body.get("devices", [])):
            if device["device"] != body["device"]:
                self._tell({"event": "device_joined", "device": device["device"], "name": device.get("name", "")})
            self._profile.told_of(device["device"])
        self._start_delivery(session)
        self._outbox.start(session, body.get("last_number", 0))
        self._receipts.start(session)

    def _start_delivery(self, session: Session) -> None:
        self._delivering = False
        self._sync = session.send("sync", {"cursor": self._profile.fact("cursor", b"")})

    # -------------------------------------------------------------------------------------------------- the frames

    def _take(self, session: Session) -> None:
        """Deals with everything that is there in one step to the disk; tells of it and confirms it afterwards."""
        told: Told = []
        with Transaction(self._profile.db):
            while session.frames:
                told += self._frame(session, session.frames.popleft())
        self._tell_all(told)
        self._confirm(told)
        self._outbox.pump()

    def _frame(self, session: Session, frame: Frame) -> Told:
        kind, body = frame.kind, frame.body
        if kind == "delivery":
            return self._delivery(body)
        if kind == "accepted":
            told = self._outbox.accepted(frame.request, body)
            self._keep_cursor(body)
            return told
        if kind == "sync_started" and frame.request in (0, self._sync):
            self._delivering = True
            self._snapshot = body.get("snapshot", False)
            if self._snapshot:
                self._book.begin_snapshot()
                return [{"event": "snapshot"}]
        elif kind == "synced" and self._delivering:
            return self._synced(body)
        elif kind == "refused":
            return self._refused(session, frame)
        elif kind == "locked":
            self._outbox.stop()
            self._receipts.stop()
            self._delivering = False
            session.give_up_asking(NotOpen("the session locked"))
            self.state = PIN_NEEDED
            return [{"event": "locked", "tries_left": body.get("tries_left", 0)}]
        elif kind == "draining":
            self._retry_after = body.get("retry_after", 0)
        return []

    def _delivery(self, body: dict[str, Any]) -> Told:
        if not self._delivering:
            return []
        told = self._book.apply(body.get("event", {}))
        self._keep_cursor(body)
        return told

    def _synced(self, body: dict[str, Any]) -> Told:
        told: Told = []
        if self._snapshot:
            told += self._book.end_snapshot()
            self._snapshot = False
        self._keep_cursor(body)
        self.state = CAUGHT_UP
        return [*told, {"event": "caught_up"}]

    def _refused(self, session: Session, frame: Frame) -> Told:
        if self._outbox.is_mine(frame.request):
            return self._outbox.refused(frame.request, frame.body)
        if frame.request != self._sync:
            return []
        refused = Refused(frame.body)
        if refused.code == errors.CURSOR_INVALID:
            self._book.forget_messages()
            self._profile.keep(cursor=None)
            self._start_delivery(session)
        elif refused.code != errors.LOCKED:
            seconds = self._patience(refused)
            asyncio.get_running_loop().call_later(seconds, self._sync_again, session)
        return []

    def _sync_again(self, session: Session) -> None:
        if session is self._session and session.ended is None and self.state == SIGNED_IN:
            self._start_delivery(session)

    def _keep_cursor(self, body: dict[str, Any]) -> None:
        cursor = body.get("cursor", b"")
        if cursor and not self._snapshot:
            self._profile.keep(cursor=cursor)

    def _confirm(self, told: Told) -> None:
        """What is on disk was dealt with. One's own messages need no receipt."""
        me = self._profile.fact("person")
        for each in told:
            if each["event"] == "message" and each["sender"] != me:
                self._receipts.raise_to(each["conversation"], each["sequence"], 0)

    def _tell_all(self, told: Told) -> None:
        for each in told:
            self._tell(each)


