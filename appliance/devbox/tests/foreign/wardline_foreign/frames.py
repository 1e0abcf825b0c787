"""Frames of the control stream: four bytes of length, then protobuf (protocol page, section 2)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from .codec import Codec, Malformed
from .schema import parse

CLIENT_FRAME_MAX = 16384
BOX_FRAME_MAX = 131072


class Oversize(Malformed):
    """A length that the limits forbid."""


def codec() -> Codec:
    """The codec of the protocol's own file, which WARDLINE_PROTO names."""
    return Codec(parse(Path(os.environ["WARDLINE_PROTO"]).read_text(encoding="utf-8")))


def pack(body: bytes) -> bytes:
    """A frame with its length; refuses one that the box would close upon."""
    if not 0 < len(body) <= CLIENT_FRAME_MAX:
        raise Oversize(f"a frame of {len(body)} bytes")
    return len(body).to_bytes(4, "big") + body


def body_of(frame: dict[str, Any]) -> tuple[str | None, dict[str, Any]]:
    """Which body a frame has, and the body; None for one of a later version."""
    for name, value in frame.items():
        if name != "request":
            return name, value
    return None, {}


class Splitter:
    """Cuts the bytes of a stream into bodies of frames; refuses lengths of 0 and above the box's limit."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The frames that are whole now."""
        self._bytes += data
        whole = []
        while len(self._bytes) >= 4:
            size = int.from_bytes(self._bytes[:4], "big")
            if not 0 < size <= BOX_FRAME_MAX:
                raise Oversize(f"a frame of {size} bytes")
            if len(self._bytes) < 4 + size:
                break
            whole.append(bytes(self._bytes[4 : 4 + size]))
            del self._bytes[: 4 + size]
        return whole
