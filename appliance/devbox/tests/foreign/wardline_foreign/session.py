"""One connection of a device: the handshake's trust, hello, proof, and requests with their answers.

Protocol page, sections 1 to 3. Refuses to say a word on the stream before the chain was verified.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from . import errors, proofs, trust, wire
from .codec import Codec
from .errors import Closed, Refused
from .frames import body_of
from .link import Link, is_address
from .profile import Profile

CLIENT_NAME = "wardline-foreign 1.0"
VERSION = 1
ANSWER_PATIENCE = 20.0


@dataclass(frozen=True)
class Frame:
    """A frame of the box that no `ask` waits for."""

    request: int
    kind: str
    body: dict[str, Any]


class Session:
    """A connection that has said hello and has not proved itself yet."""

    def __init__(self, line: wire.Wire, codec: Codec) -> None:
        self.wire = line
        self.frames: deque[Frame] = deque()
        self.something = asyncio.Event()
        self.ended: Closed | None = None
        # What the box said last before it closed with REFUSED.
        self.last_refusal: Refused | None = None
        self.challenge = b""
        self._codec = codec
        self._request = 0
        self._asked: dict[int, asyncio.Future[tuple[str, dict[str, Any]]]] = {}
        line.on_frame = self._frame
        line.on_end = self._end

    async def hello(self, device: int) -> None:
        """Says hello; refuses a version that we did not offer."""
        hello = {"version_min": VERSION, "version_max": VERSION, "client": CLIENT_NAME, "device": device}
        kind, welcome = await self.ask("hello", hello)
        if kind != "welcome" or welcome.get("version") != VERSION or len(welcome.get("challenge", b"")) != 32:
            raise Closed(None, "the box's welcome is none")
        self.challenge = welcome["challenge"]

    async def prove(self, profile: Profile) -> tuple[str, dict[str, Any]]:
        """Proves the device; `signed_in` or `pin_needed`."""
        data = proofs.sign_in_bytes(self.challenge, self.wire.exporter, profile.device)
        signature = proofs.sign(profile.key(), data)
        return await self.ask("prove", {"device": profile.device, "signature": signature})

    async def join(self, profile: Profile, code: str, device_name: str, pin: str) -> tuple[str, dict[str, Any]]:
        """Redeems a code with the key that the profile keeps for it."""
        key = profile.key_for(code)
        point = proofs.public_point(key)
        signature = proofs.sign(key, proofs.join_bytes(self.challenge, self.wire.exporter, code, point))
        join = {"code": code, "device_key": point, "device_name": device_name, "pin": pin, "signature": signature}
        return await self.ask("join", join)

    async def ask(self, name: str, body: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """One request and its answer; raises Refused, or Closed when none comes."""
        request = self.send(name, body)
        answer: asyncio.Future[tuple[str, dict[str, Any]]] = asyncio.get_running_loop().create_future()
        self._asked[request] = answer
        try:
            kind, value = await asyncio.wait_for(answer, ANSWER_PATIENCE)
        except TimeoutError as error:
            self.wire.abandon()
            raise Closed(None, "the box does not answer") from error
        finally:
            self._asked.pop(request, None)
        if kind == "refused":
            raise Refused(value)
        return kind, value

    def send(self, name: str, body: dict[str, Any]) -> int:
        """Sends a request whose answer is read from `frames`; its number."""
        if self.ended is not None:
            raise self.ended
        self._request += 1
        self._write(self._request, name, body)
        return self._request

    def tell(self, name: str, body: dict[str, Any]) -> None:
        """Sends what is never answered."""
        if self.ended is None:
            self._write(0, name, body)

    def give_up_asking(self, why: Exception) -> None:
        """The session locked: what was asked may stay without an answer."""
        for answer in self._asked.values():
            if not answer.done():
                answer.set_exception(why)

    def _write(self, request: int, name: str, body: dict[str, Any]) -> None:
        self.wire.send(self._codec.encode("ClientFrame", {"request": request, name: body}))

    def _frame(self, data: bytes) -> None:
        frame = self._codec.decode("ServerFrame", data)
        request = frame.get("request", 0)
        kind, body = body_of(frame)
        if kind is None:
            return
        answer = self._asked.get(request)
        if kind == "refused" and (request == 0 or answer is not None):
            self.last_refusal = Refused(body)
        if request != 0 and answer is not None:
            if not answer.done():
                answer.set_result((kind, body))
            return
        self.frames.append(Frame(request, kind, body))
        self.something.set()

    def _end(self, code: int | None, why: str) -> None:
        self.ended = Closed(code, why)
        for answer in self._asked.values():
            if not answer.done():
                answer.set_exception(self.ended)
        self.something.set()


async def connect(profile: Profile, codec: Codec) -> Session:
    """A connection to the box that this profile joined, verified by the kept root."""
    root = x509.load_der_x509_certificate(profile.fact("root"))
    return await _connect(profile.fact("host"), profile.fact("port"), profile.fact("name"), root, profile.device, codec)


async def connect_by_link(link: Link, codec: Codec) -> tuple[Session, bytes]:
    """A connection to the box of a link, verified by the pinned root, and that root's DER."""
    session = await _connect(link.host, link.port, link.name, link.root, 0, codec)
    root = trust.pinned(session.wire.chain[1:], link.root)
    return session, root.public_bytes(Encoding.DER)


async def _connect(
    host: str, port: int, name: str, root: bytes | x509.Certificate, device: int, codec: Codec
) -> Session:
    line = await wire.dial(host, port, None if is_address(name) else name)
    try:
        leaf, *behind = line.chain
        anchor = trust.pinned(behind, root) if isinstance(root, bytes) else root
        trust.verify(leaf, behind, anchor, name)
    except BaseException:
        line.close(error_code=errors.DONE)
        line.abandon()
        raise
    session = Session(line, codec)
    try:
        await session.hello(device)
    except BaseException:
        line.abandon()
        raise
    return session



