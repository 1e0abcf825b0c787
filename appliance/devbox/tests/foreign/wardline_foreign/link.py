"""Join links (protocol page, section 1)."""

from __future__ import annotations

import base64
import ipaddress
import re
from dataclasses import dataclass

from .errors import DamagedLink

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LINK_MAX = 1024
# Unicode's White_Space: dropped around a link and within a code.
BLANKS = "\t\n\v\f\r \x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"

_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}")
_PORT = re.compile(r"[0-9]+")


@dataclass(frozen=True)
class Link:
    """Where a box is, what it is known by, and the code that lets one in."""

    host: str
    port: int
    name: str
    code: str
    root: bytes


def parse_link(text: str) -> Link:
    """Reads a link; refuses with DamagedLink whatever the page does not allow, and mends nothing."""
    text = text.strip(BLANKS)
    if len(text.encode()) > LINK_MAX:
        raise DamagedLink("the link is too long")
    if text[:11].lower() != "wardline://":
        raise DamagedLink("this is no Wardline link")
    place, joined, query = text[11:].partition("/join?")
    if not joined:
        raise DamagedLink("the link has no code")
    host, port = _place(place)
    parts: dict[str, str] = {}
    for part in query.split("&"):
        key, equals, value = part.partition("=")
        if not equals:
            raise DamagedLink("a part of the link has no value")
        if key in ("code", "root", "name"):
            if key in parts:
                raise DamagedLink(f"{key} is there twice")
            parts[key] = value
    if "code" not in parts or "root" not in parts:
        raise DamagedLink("a part of the link is missing")
    name = _name(parts["name"]) if "name" in parts else host
    return Link(host, port, name, normal_code(parts["code"]), _root(parts["root"]))


def normal_code(text: str) -> str:
    """The ten characters of a join code; refuses what is no Crockford base 32."""
    code = "".join(each for each in text.upper() if each not in BLANKS + "-")
    code = code.replace("O", "0").replace("I", "1").replace("L", "1")
    if len(code) != 10 or any(each not in CROCKFORD for each in code):
        raise DamagedLink("the code is damaged")
    return code


def is_address(name: str) -> bool:
    """Whether a name is an IP address."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _place(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not _PORT.fullmatch(port) or not 1 <= int(port) <= 65535:
        raise DamagedLink("the port is damaged")
    if host.startswith("[") and host.endswith("]"):
        try:
            return str(ipaddress.IPv6Address(host[1:-1])), int(port)
        except ValueError as error:
            raise DamagedLink("the address is damaged") from error
    return _dns_or_v4(host), int(port)


def _name(text: str) -> str:
    if is_address(text) and "%" not in text:
        return text
    return _dns_or_v4(text)


def _dns_or_v4(text: str) -> str:
    if not _HOST.fullmatch(text):
        raise DamagedLink("the host is damaged")
    return text


def _root(text: str) -> bytes:
    if not re.fullmatch(r"[A-Za-z0-9_-]{43}", text):
        raise DamagedLink("the root is damaged")
    root = base64.urlsafe_b64decode(text + "=")
    # 43 characters have two bits too many: they are zero, or a character was mistyped.
    if base64.urlsafe_b64encode(root).rstrip(b"=").decode() != text:
        raise DamagedLink("the root is damaged")
    return root
