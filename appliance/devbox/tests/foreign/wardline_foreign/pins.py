"""What makes a PIN (protocol page, section 3): checked before the box is asked, which has the last word."""

from __future__ import annotations

import re
import unicodedata

from .errors import BadPin

_ROWS = ("1234567890", "qwertyuiop", "qwertzuiop", "azertyuiop", "asdfghjkl", "zxcvbnm", "yxcvbnm")
_COMMON = ("password", "passwort", "letmein", "welcome", "iloveyou", "admin", "wardline", "hospital")


def typed(pin: str) -> str:
    """The one form that a PIN is sent in."""
    return unicodedata.normalize("NFC", pin)


def check(pin: str) -> None:
    """Refuses a PIN that is too short, too long or too common."""
    if len(pin) < 6:
        raise BadPin("a PIN has six characters at least")
    if len(pin.encode()) > 64:
        raise BadPin("a PIN has 64 bytes at most")
    if _repeats(pin) or _runs(pin) or _date(pin) or _known(pin.lower()):
        raise BadPin("that PIN is one of the first that anybody tries")


def _repeats(pin: str) -> bool:
    return any((pin[:size] * len(pin))[: len(pin)] == pin for size in (1, 2, 3))


def _runs(pin: str) -> bool:
    digits = pin in ("1234567890" * 7) or pin in ("0987654321" * 7)
    steps = {ord(after) - ord(before) for before, after in zip(pin, pin[1:], strict=False)}
    return digits or steps in ({1}, {-1})


def _date(pin: str) -> bool:
    if not re.fullmatch(r"[0-9]{8}", pin):
        return False
    orders = ((pin[:4], pin[4:6], pin[6:]), (pin[4:], pin[2:4], pin[:2]), (pin[4:], pin[:2], pin[2:4]))
    return any(1900 <= int(y) <= 2099 and 1 <= int(m) <= 12 and 1 <= int(d) <= 31 for y, m, d in orders)


def _known(pin: str) -> bool:
    word = pin.rstrip("0123456789")
    return word in _COMMON or len(word) >= 5 and any(word in row for row in _ROWS)
