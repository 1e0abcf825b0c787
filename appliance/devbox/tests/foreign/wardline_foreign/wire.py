"""One QUIC connection with its control stream, on aioquic (protocol page, sections 1, 2 and 9).

aioquic has no TLS exporter, does not notice a stateless reset, and tells of a close only when its draining period is
over: all three are here.
"""

from __future__ import annotations

import asyncio
import hmac
import socket
import ssl
from collections.abc import Callable
from typing import Any

from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.quic import events
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from aioquic.quic.packet import QuicProtocolVersion
from aioquic.tls import CipherSuite, Direction, Epoch, cipher_suite_hash
from cryptography import x509

from . import errors, proofs
from .errors import Closed
from .frames import Splitter, pack

ALPN = "wardline/1"
CONNECT_PATIENCE = 5.0
PING_AFTER = 10.0
ACK_PATIENCE = 15.0
GOODBYE_PATIENCE = 0.5

# A close with one of the application's codes; None when the network, the stack or a reset ended it.
EndOfWire = Callable[[int | None, str], None]
FrameBytes = Callable[[bytes], None]


class _Connection(QuicConnection):
    """Catches the exporter master secret, which aioquic itself has no use for."""

    exported: bytes | None = None

    def _update_traffic_key(
        self, direction: Direction, epoch: Epoch, cipher_suite: CipherSuite, secret: bytes
    ) -> None:
        # The first 1-RTT key is set up when the transcript ends with the server's Finished and the master secret was
        # just extracted: what RFC 8446, section 7.1 derives "exp master" from. The second one is later, past ours.
        if epoch == Epoch.ONE_RTT and self.exported is None:
            assert self.tls.key_schedule is not None
            master = self.tls.key_schedule.derive_secret(b"exp master")
            self.exported = proofs.exporter(master, cipher_suite_hash(cipher_suite))
        super()._update_traffic_key(direction, epoch, cipher_suite, secret)

    def is_stateless_reset(self, datagram: bytes) -> bool:
        """Whether a datagram ends with a reset token of the other end (RFC 9000, section 10.3.1)."""
        known = [self._peer_cid, *self._peer_cid_available]
        tokens = [each.stateless_reset_token for each in known if each.stateless_reset_token]
        return len(datagram) >= 21 and any(hmac.compare_digest(datagram[-16:], each) for each in tokens)


class Wire(QuicConnectionProtocol):
    """A connection to a box. Hands whole frames to `on_frame`, and its end to `on_end`, once."""

    def __init__(self, connection: _Connection) -> None:
        super().__init__(connection)
        self.on_frame: FrameBytes = lambda body: None
        self.on_end: EndOfWire = lambda code, why: None
        self._connection = connection
        self._splitter = Splitter()
        self._stream: int | None = None
        # The box reads no more of the stream: its close is on the way.
        self._unwanted = False
        self._ended = asyncio.Event()
        self._shaken = self._loop.create_future()
        self._ping: int = 0
        self._ping_sent: float | None = None
        self._heard = self._loop.time()
        self._watch: asyncio.Task[None] | None = None

    @property
    def exporter(self) -> bytes:
        """The exporter's bytes; only after the handshake."""
        assert self._connection.exported is not None
        return self._connection.exported

    @property
    def chain(self) -> list[x509.Certificate]:
        """What the box sent: its leaf first. Not verified yet."""
        tls = self._connection.tls
        assert tls._peer_certificate is not None
        return [tls._peer_certificate, *tls._peer_certificate_chain]

    async def shake_hands(self, address: Any) -> None:
        """The handshake; refuses with Closed when the box is not there or will not have it."""
        self.connect(address)
        try:
            await asyncio.wait_for(asyncio.shield(self._shaken), CONNECT_PATIENCE)
        except TimeoutError as error:
            self._end(None, "the box does not answer")
            raise Closed(None, "the box does not answer") from error
        self._watch = asyncio.create_task(self._keep_alive())

    def send(self, body: bytes) -> None:
        """Sends one frame; the first one opens the control stream."""
        if self._ended.is_set() or self._unwanted:
            return
        if self._stream is None:
            self._stream = self._quic.get_next_available_stream_id()
        self._quic.send_stream_data(self._stream, pack(body))
        self._expect_acknowledgement()
        self.transmit()

    async def leave(self) -> None:
        """Ends our side of the stream and waits a little for the box's close, so that what was sent is done."""
        if self._stream is not None and not self._ended.is_set():
            if not self._unwanted:
                self._quic.send_stream_data(self._stream, b"", end_stream=True)
                self.transmit()
            try:
                await asyncio.wait_for(self._ended.wait(), GOODBYE_PATIENCE)
            except TimeoutError:
                pass
        self.close(error_code=errors.DONE)
        self._end(None, "left")

    def abandon(self) -> None:
        """Goes without a word, as a phone does that walks out of the building."""
        self._end(None, "abandoned")

    # ------------------------------------------------------------------------------------------- called by aioquic

    def datagram_received(self, data: bytes | str, addr: Any) -> None:
        """A datagram: a stateless reset, or aioquic's."""
        if self._ended.is_set():
            return
        assert isinstance(data, bytes)
        self._heard = self._loop.time()
        if self._connection.is_stateless_reset(data):
            self._end(None, "the box has started anew")
            return
        super().datagram_received(data, addr)
        closing = self._connection._close_event
        if closing is not None:
            self._close_seen(closing)

    def quic_event_received(self, event: events.QuicEvent) -> None:
        """What aioquic has to say."""
        if isinstance(event, events.HandshakeCompleted):
            if not self._shaken.done():
                self._shaken.set_result(None)
        elif isinstance(event, events.StreamDataReceived) and event.stream_id == self._stream:
            try:
                for body in self._splitter.feed(event.data):
                    self.on_frame(body)
            except ValueError:
                self.close(error_code=errors.DONE)
                self._end(None, "the box sent what is no frame")
        elif isinstance(event, events.StopSendingReceived):
            self._unwanted = True
        elif isinstance(event, events.PingAcknowledged):
            self._ping_sent = None
        elif isinstance(event, events.ConnectionTerminated):
            self._close_seen(event)

    def _close_seen(self, event: events.ConnectionTerminated) -> None:
        # frame_type is None for an application's close alone. The reason is another end's text: it is not passed on.
        code = event.error_code if event.frame_type is None else None
        self._end(code, f"closed with {event.error_code:#x}")

    # --------------------------------------------------------------------------------------------------- liveness

    def _expect_acknowledgement(self) -> None:
        if self._ping_sent is None:
            self._ping += 1
            self._ping_sent = self._loop.time()
            self._quic.send_ping(self._ping)

    async def _keep_alive(self) -> None:
        while not self._ended.is_set():
            await asyncio.sleep(1.0)
            now = self._loop.time()
            if self._ping_sent is not None and now - self._ping_sent > ACK_PATIENCE:
                self.close(error_code=errors.DONE)
                self._end(None, "the box does not answer any more")
            elif now - self._heard > PING_AFTER and self._ping_sent is None:
                self._expect_acknowledgement()
                self.transmit()

    def _end(self, code: int | None, why: str) -> None:
        if self._ended.is_set():
            return
        self._ended.set()
        if self._timer is not None:
            self._timer.cancel()
        if self._watch is not None:
            self._watch.cancel()
        if not self._shaken.done():
            self._shaken.set_exception(Closed(code, why))
            self._shaken.exception()
        if self._transport is not None:
            self._transport.close()
        self.on_end(code, why)


async def dial(host: str, port: int, name: str | None) -> Wire:
    """A connection past its handshake, whose chain nobody has verified yet; `name` goes as SNI.

    The chain is looked at by `trust`, before a byte of ours is on the stream. aioquic checks the handshake's own
    signature whatever `verify_mode` says.
    """
    configuration = QuicConfiguration(
        alpn_protocols=[ALPN],
        is_client=True,
        server_name=name,
        verify_mode=ssl.CERT_NONE,
        idle_timeout=60.0,
        supported_versions=[QuicProtocolVersion.VERSION_1],
    )
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
        family, _, _, _, address = found[0]
        any_port = ("::", 0) if family == socket.AF_INET6 else ("0.0.0.0", 0)
        _, wire = await loop.create_datagram_endpoint(
            lambda: Wire(_Connection(configuration=configuration)), local_addr=any_port, family=family
        )
    except OSError as error:
        raise Closed(None, "the network is not there") from error
    await wire.shake_hands(address)
    return wire

