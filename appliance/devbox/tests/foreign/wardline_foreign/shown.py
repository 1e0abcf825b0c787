"""Texts as they may be shown: what somebody typed is hostile (protocol page, at the top)."""

from __future__ import annotations

import unicodedata

_TURNS = {0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)}
_BREAKS = {"\n", "\r", "\v", "\f", "\x85", "\u2028", "\u2029"}


def on_one_line(text: str) -> str:
    """The text without control characters and without what turns the reading direction; a line break is a visible sign,
    so that nothing in a text can pass for the next message."""
    text = text.replace("\r\n", "\n")
    return "".join("⏎" if each in _BREAKS else each for each in text if each in _BREAKS or _harmless(each))


def _harmless(each: str) -> bool:
    return unicodedata.category(each) not in ("Cc", "Cs") and ord(each) not in _TURNS
