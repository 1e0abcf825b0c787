"""What can go wrong, as the person or the caller is told."""

from __future__ import annotations

from typing import Any

# Protocol page, section 8. Waiting and trying again is of no use with this device.
FINAL = {1, 6, 9, 10}
# The submission gets a fresh number and is sent again.
TRANSIENT = {3, 19, 21, 22, 23}

LOCKED, JOIN_CODE_INVALID, PIN_WRONG, ZONE, CURSOR_INVALID, SLOW_DOWN = 3, 4, 5, 11, 20, 21

# Protocol page, section 9.
DONE, DRAINING, SUPERSEDED, REVOKED, REFUSED, FULL = 0x10, 0x11, 0x12, 0x13, 0x14, 0x15
NUMBER_REUSED, TOO_SLOW = 0x104, 0x105
AT_FAULT = {0x100, 0x101, 0x102, 0x103, 0x104}


class Failure(Exception):
    """Something that ends an attempt; `kind` names it for a program."""

    kind = "failure"


class DamagedLink(Failure):
    """A join link that is not as the page says: nothing in it is guessed at."""

    kind = "damaged_link"


class Untrusted(Failure):
    """The box's certificates do not lead to the pinned root, or not for this name."""

    kind = "untrusted"


class BadPin(Failure):
    """A PIN that the box would refuse, told before it is asked."""

    kind = "bad_pin"


class BadText(Failure):
    """A text that the box would refuse, told before it is kept."""

    kind = "bad_text"


class ProfileInUse(Failure):
    """Another process has the profile open."""

    kind = "profile_in_use"


class NotOpen(Failure):
    """A request that needs a session while there is none."""

    kind = "not_open"


class Closed(Failure):
    """The connection ended: `code` is the box's, or None when the network or this side ended it."""

    kind = "closed"

    def __init__(self, code: int | None, why: str) -> None:
        super().__init__(why)
        self.code = code


class Refused(Failure):
    """The box's `Refused`."""

    kind = "refused"

    def __init__(self, body: dict[str, Any]) -> None:
        self.code: int = body.get("code", 0)
        self.advice: str = body.get("advice", "")
        self.retry_after: int = body.get("retry_after", 0)
        self.tries_left: int = body.get("tries_left", 0)
        super().__init__(f"refused with {self.code}")
