"""A WebTransport session by aioquic: another hand's HTTP/3 and QPACK against a box.

    webtransport.py HOST PORT LEAF-HASH ORIGIN PATH

Prints the CONNECT's status; with 200, then the box's answer to a hello, in hexadecimal, and then
the code that the session closes with once the control stream has ended.
"""

from __future__ import annotations

import asyncio
import hashlib
import ssl
import sys

from aioquic.asyncio.client import connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.buffer import Buffer
from aioquic.h3.connection import H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import StreamDataReceived
from cryptography.hazmat.primitives.serialization import Encoding

# Frame 1: Hello, versions 1 to 1, client "aioquic".
HELLO = bytes.fromhex("00000011" "0801" "120d" "0801" "1001" "1a07" + b"aioquic".hex())
CLOSE_SESSION = 0x2843
PATIENCE = 8


class Browser(QuicConnectionProtocol):
    """One HTTP/3 connection, whose answers wait in queues."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.http = H3Connection(self._quic, enable_webtransport=True)
        self.status: asyncio.Queue[int] = asyncio.Queue()
        self.bytes: asyncio.Queue[bytes] = asyncio.Queue()
        self.closed: asyncio.Queue[int] = asyncio.Queue()
        self.control: int | None = None

    def quic_event_received(self, event):
        # aioquic takes what is answered on a session's stream for HTTP/3's own frames.
        if isinstance(event, StreamDataReceived) and event.stream_id == self.control:
            if event.data:
                self.bytes.put_nowait(event.data)
            return
        for each in self.http.handle_event(event):
            if isinstance(each, HeadersReceived):
                self.status.put_nowait(int(dict(each.headers)[b":status"]))
            elif isinstance(each, DataReceived) and each.data:
                capsule = Buffer(data=each.data)
                if capsule.pull_uint_var() == CLOSE_SESSION:
                    capsule.pull_uint_var()
                    self.closed.put_nowait(capsule.pull_uint32())


def leaf_hash(browser: Browser) -> str:
    """SHA-256 of the certificate that the box has shown: the whole of a browser's trust here."""
    shown = browser._quic.tls._peer_certificate  # aioquic shows it nowhere else
    return hashlib.sha256(shown.public_bytes(Encoding.DER)).hexdigest()


async def run(host: str, port: str, leaf: str, origin: str, path: str) -> None:
    configuration = QuicConfiguration(
        is_client=True,
        alpn_protocols=["h3"],
        max_datagram_frame_size=65536,
        verify_mode=ssl.CERT_NONE,
    )
    async with connect(host, int(port), configuration=configuration, create_protocol=Browser) as browser:
        if leaf_hash(browser) != leaf:
            raise SystemExit("another leaf")
        session = browser._quic.get_next_available_stream_id()
        browser.http.send_headers(
            session,
            [
                (b":method", b"CONNECT"),
                (b":scheme", b"https"),
                (b":authority", f"{host}:{port}".encode()),
                (b":path", path.encode()),
                (b":protocol", b"webtransport"),
                (b"origin", origin.encode()),
            ],
        )
        browser.transmit()
        status = await asyncio.wait_for(browser.status.get(), PATIENCE)
        print(status)
        if status != 200:
            return
        stream = browser.http.create_webtransport_stream(session)
        browser.control = stream
        browser._quic.send_stream_data(stream, HELLO)
        browser.transmit()
        print((await asyncio.wait_for(browser.bytes.get(), PATIENCE)).hex())
        browser._quic.send_stream_data(stream, b"", end_stream=True)
        browser.transmit()
        print(await asyncio.wait_for(browser.closed.get(), PATIENCE))


asyncio.run(run(*sys.argv[1:]))
