"""A device's state on disk: key, place among the deliveries, numbers, what it was sent and what it has to send.

One SQLite file in a directory that nobody else may read; every step that the page wants written before the next one is
a transaction of its own, synchronous to the disk. No PIN is ever in it.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from .errors import ProfileInUse

_TABLES = """
CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS told (device INTEGER PRIMARY KEY);
CREATE TABLE IF NOT EXISTS person (
    person INTEGER PRIMARY KEY, name TEXT, title TEXT, suspended INTEGER, administrator INTEGER);
CREATE TABLE IF NOT EXISTS conversation (
    conversation INTEGER PRIMARY KEY, kind INTEGER, title TEXT, last_sequence INTEGER, first_sequence INTEGER,
    purged INTEGER, unit INTEGER, archived INTEGER);
CREATE TABLE IF NOT EXISTS member (
    conversation INTEGER, person INTEGER, delivered INTEGER, read INTEGER,
    PRIMARY KEY (conversation, person)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS message (
    conversation INTEGER, sequence INTEGER, message BLOB, sender INTEGER, at INTEGER, text TEXT,
    PRIMARY KEY (conversation, sequence)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS outbox (
    place INTEGER PRIMARY KEY AUTOINCREMENT, message BLOB UNIQUE, conversation INTEGER, text TEXT, number INTEGER,
    failed INTEGER);
CREATE TABLE IF NOT EXISTS receipt (conversation INTEGER PRIMARY KEY, delivered INTEGER, read INTEGER);
"""


class Profile:
    """One device of one person. Refuses a directory that another process has open."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory.chmod(0o700)
        self._lock = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock)
            raise ProfileInUse("the profile is open elsewhere") from error
        path = directory / "device.sqlite3"
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        self.db = sqlite3.connect(path, isolation_level=None)
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.execute("PRAGMA synchronous = FULL")
        self.db.executescript(_TABLES)

    def close(self) -> None:
        """Lets go of the directory."""
        self.db.close()
        os.close(self._lock)

    # ------------------------------------------------------------------------------------------------------- facts

    def fact(self, name: str, otherwise: Any = None) -> Any:
        """A single value, or `otherwise`."""
        row = self.db.execute("SELECT value FROM fact WHERE name = ?", (name,)).fetchone()
        return otherwise if row is None else row[0]

    def keep(self, **facts: Any) -> None:
        """Keeps values, all or none; None forgets one."""
        with Transaction(self.db):
            for name, value in facts.items():
                if value is None:
                    self.db.execute("DELETE FROM fact WHERE name = ?", (name,))
                else:
                    self.db.execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", (name, value))

    @property
    def device(self) -> int:
        """The device's identifier; 0 before joining."""
        return int(self.fact("device", 0))

    def key(self) -> ec.EllipticCurvePrivateKey:
        """The device's key."""
        key = load_der_private_key(self.fact("key"), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        return key

    def key_for(self, code: str) -> ec.EllipticCurvePrivateKey:
        """The key to join with: the one that was made for this code, or a fresh one, on disk before it is used."""
        if self.fact("code") != code:
            fresh = ec.generate_private_key(ec.SECP256R1())
            der = fresh.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
            self.keep(key=der, code=code)
        return self.key()

    def new_devices(self, listed: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The devices among those listed that the person was not told of; forgets those that are listed no more."""
        told = {device for (device,) in self.db.execute("SELECT device FROM told")}
        present = {each["device"] for each in listed}
        with Transaction(self.db):
            self.db.executemany("DELETE FROM told WHERE device = ?", [(gone,) for gone in told - present])
        return [each for each in listed if each["device"] not in told]

    def told_of(self, device: int) -> None:
        """The person was shown this device."""
        self.db.execute("INSERT OR IGNORE INTO told VALUES (?)", (device,))

    def was_told_of(self, device: int) -> bool:
        """Whether the person was shown this device before."""
        return self.db.execute("SELECT 1 FROM told WHERE device = ?", (device,)).fetchone() is not None

    # ------------------------------------------------------------------------------------------------------ outbox

    def submit(self, message: bytes, conversation: int, text: str) -> None:
        """Writes a message down before anything else is done with it."""
        self.db.execute(
            "INSERT INTO outbox (message, conversation, text) VALUES (?, ?, ?)", (message, conversation, text)
        )

    def waiting(self) -> list[tuple[bytes, int, str, int | None]]:
        """What is to be sent, in the order to send it in: those with a number by number, then the others as written."""
        return self.db.execute(
            "SELECT message, conversation, text, number FROM outbox WHERE failed IS NULL"
            " ORDER BY number IS NULL, number, place"
        ).fetchall()

    def number(self, message: bytes, at_least: int) -> int:
        """Gives a message the next number, above every one ever given, and writes that down."""
        number = max(int(self.fact("last_number", 0)), at_least) + 1
        with Transaction(self.db):
            self.db.execute("INSERT OR REPLACE INTO fact VALUES ('last_number', ?)", (number,))
            self.db.execute("UPDATE outbox SET number = ? WHERE message = ?", (number, message))
        return number

    def unnumber(self, message: bytes | None = None) -> None:
        """Takes the number from one message, or from all: the next sending gives a fresh one."""
        self.db.execute("UPDATE outbox SET number = NULL WHERE ?1 IS NULL OR message = ?1", (message,))

    def fail(self, message: bytes, code: int) -> None:
        """The box will never take it; the text stays until the person knows."""
        self.db.execute("UPDATE outbox SET failed = ?, number = NULL WHERE message = ?", (code, message))

    def forget_submission(self, message: bytes) -> None:
        """Drops a message from the outbox: it was accepted, or the person knows that it failed."""
        self.db.execute("DELETE FROM outbox WHERE message = ?", (message,))

    def outgoing(self, message: bytes) -> tuple[int, str] | None:
        """Conversation and text of a message that is in the outbox."""
        row: tuple[int, str] | None = self.db.execute(
            "SELECT conversation, text FROM outbox WHERE message = ?", (message,)
        ).fetchone()
        return row

    # ---------------------------------------------------------------------------------------------------- receipts

    def raise_receipt(self, conversation: int, delivered: int, read: int) -> bool:
        """Raises this device's watermarks; False when they were as high before."""
        before = self.receipt(conversation)
        after = (max(before[0], delivered, read), max(before[1], read))
        if after == before:
            return False
        self.db.execute("INSERT OR REPLACE INTO receipt VALUES (?, ?, ?)", (conversation, *after))
        return True

    def receipt(self, conversation: int) -> tuple[int, int]:
        """`delivered` and `read` of a conversation."""
        row = self.db.execute(
            "SELECT delivered, read FROM receipt WHERE conversation = ?", (conversation,)
        ).fetchone()
        return (0, 0) if row is None else (row[0], row[1])

    def receipts(self) -> list[int]:
        """The conversations that have receipts."""
        return [conversation for (conversation,) in self.db.execute("SELECT conversation FROM receipt")]


class Transaction:
    """All or nothing, also within another one."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._outer = not db.in_transaction

    def __enter__(self) -> None:
        if self._outer:
            self._db.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if self._outer:
            self._db.execute("COMMIT" if kind is None else "ROLLBACK")
