"""What a device was told: people, conversations, messages (protocol page, section 4, Events).

Every change is applied so that twice is once. Returns what is to be shown, in the words of section 12.
"""

from __future__ import annotations

from typing import Any

from .profile import Profile, Transaction

Told = list[dict[str, Any]]


class Book:
    """Applies events to a profile."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._db = profile.db
        self._named: set[int] = set()

    def begin_snapshot(self) -> None:
        """From here on conversations are counted that the snapshot names."""
        self._named.clear()

    def end_snapshot(self) -> Told:
        """Forgets the conversations that the snapshot did not name."""
        known = [each for (each,) in self._db.execute("SELECT conversation FROM conversation")]
        return [told for each in known if each not in self._named for told in self._gone({"conversation": each})]

    def forget_messages(self) -> None:
        """The box has another past than this device: its sequences mean other messages now."""
        with Transaction(self._db):
            self._db.execute("DELETE FROM message")
            self._db.execute("DELETE FROM receipt")

    def apply(self, event: dict[str, Any]) -> Told:
        """Applies one event; one of a later version changes nothing."""
        for kind, value in event.items():
            return list(getattr(self, f"_{kind}")(value))
        return []

    def accepted(self, body: dict[str, Any]) -> Told:
        """A message of one's own has its place now; `Accepted` stands for its delivery, so it too may show a gap.
        Without a cursor it shows none: what is before it may still be delivered."""
        outgoing = self._profile.outgoing(body["message"])
        if outgoing is None:
            return []
        conversation, text = outgoing
        gap = self._gap(conversation, body["sequence"]) if body.get("cursor") else []
        self._keep_message(
            conversation, body["sequence"], body["message"], int(self._profile.fact("person")), body["at"], text
        )
        self._profile.forget_submission(body["message"])
        return gap

    def page(self, messages: list[dict[str, Any]]) -> Told:
        """Keeps a page of history; what of it is new to this device."""
        return [told for each in messages for told in self._message(each)]

    def conversation(self, identifier: int) -> dict[str, Any] | None:
        """A conversation as it is known."""
        row = self._db.execute(
            "SELECT kind, title, last_sequence, first_sequence, purged, unit, archived"
            " FROM conversation WHERE conversation = ?",
            (identifier,),
        ).fetchone()
        if row is None:
            return None
        members = self._db.execute(
            "SELECT person, delivered, read FROM member WHERE conversation = ? ORDER BY person", (identifier,)
        )
        return {
            "conversation": identifier,
            "kind": row[0],
            "title": row[1],
            "members": [{"person": p, "delivered": d, "read": r} for p, d, r in members],
            "last_sequence": row[2],
            "first_sequence": row[3],
            "purged": bool(row[4]),
            "unit": row[5] or None,
            "archived": bool(row[6]),
        }

    def conversations(self) -> list[dict[str, Any]]:
        """Every conversation that is known."""
        known = self._db.execute("SELECT conversation FROM conversation ORDER BY conversation").fetchall()
        return [found for (each,) in known if (found := self.conversation(each)) is not None]

    def messages(self, conversation: int) -> list[dict[str, Any]]:
        """What is kept of a conversation, in order."""
        rows = self._db.execute(
            "SELECT sequence, message, sender, at, text FROM message WHERE conversation = ? ORDER BY sequence",
            (conversation,),
        )
        names = ("sequence", "message", "sender", "at", "text")
        return [{"conversation": conversation, **dict(zip(names, row, strict=True))} for row in rows]

    def name_of(self, person: int) -> str | None:
        """Somebody's name."""
        row = self._db.execute("SELECT name FROM person WHERE person = ?", (person,)).fetchone()
        return None if row is None else str(row[0])

    # ------------------------------------------------------------------------------------------------------ events

    def _message(self, value: dict[str, Any]) -> Told:
        conversation, sequence = value["conversation"], value["sequence"]
        gap = self._gap(conversation, sequence)
        sender, text = value.get("sender", 0), value.get("text", "")
        if not self._keep_message(conversation, sequence, value["message"], sender, value.get("at", 0), text):
            return []
        return [*gap, {"event": "message", "text": "", "at": 0, "sender": 0, **value}]

    def _keep_message(self, conversation: int, sequence: int, name: bytes, sender: int, at: int, text: str) -> bool:
        """True when it is new; a message that lost its text loses it here too."""
        with Transaction(self._db):
            self._db.execute(
                "UPDATE conversation SET last_sequence = max(last_sequence, ?) WHERE conversation = ?",
                (sequence, conversation),
            )
            if text == "":
                self._db.execute(
                    "UPDATE message SET text = '' WHERE conversation = ? AND sequence = ?", (conversation, sequence)
                )
            kept = self._db.execute(
                "INSERT OR IGNORE INTO message VALUES (?, ?, ?, ?, ?, ?)",
                (conversation, sequence, name, sender, at, text),
            )
        return kept.rowcount == 1

    def _conversation(self, value: dict[str, Any]) -> Told:
        identifier = value["conversation"]
        self._named.add(identifier)
        with Transaction(self._db):
            self._db.execute(
                "INSERT OR REPLACE INTO conversation VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    identifier,
                    value.get("kind", 0),
                    value.get("title", ""),
                    value.get("last_sequence", 0),
                    value.get("first_sequence", 0),
                    value.get("purged", False),
                    value.get("unit", 0),
                    value.get("archived", False),
                ),
            )
            self._db.execute("DELETE FROM member WHERE conversation = ?", (identifier,))
            self._join(identifier, value.get("members", []))
            self._expire(identifier)
        return self._tell(identifier)

    def _conversation_changed(self, value: dict[str, Any]) -> Told:
        identifier = value["conversation"]
        if self.conversation(identifier) is None:
            return []
        with Transaction(self._db):
            self._join(identifier, value.get("joined", []))
            self._db.executemany(
                "DELETE FROM member WHERE conversation = ? AND person = ?",
                [(identifier, person) for person in value.get("left", [])],
            )
            self._db.execute(
                "UPDATE conversation SET first_sequence = max(first_sequence, ?), title = coalesce(?, title),"
                " archived = coalesce(?, archived) WHERE conversation = ?",
                (value.get("first_sequence", 0), value.get("title"), value.get("archived"), identifier),
            )
            if value.get("purged"):
                self._db.execute(
                    "UPDATE conversation SET purged = 1, title = '' WHERE conversation = ?", (identifier,)
                )
            self._expire(identifier)
        return self._tell(identifier)

    def _watermark(self, value: dict[str, Any]) -> Told:
        raised = self._db.execute(
            "UPDATE member SET delivered = max(delivered, ?), read = max(read, ?)"
            " WHERE conversation = ? AND person = ?",
            (value.get("delivered", 0), value.get("read", 0), value["conversation"], value["person"]),
        )
        if raised.rowcount == 0:
            return []
        return [{"event": "watermark", "delivered": 0, "read": 0, **value}]

    def _gone(self, value: dict[str, Any]) -> Told:
        identifier = value["conversation"]
        with Transaction(self._db):
            for table in ("conversation", "member", "message", "receipt"):
                self._db.execute(f"DELETE FROM {table} WHERE conversation = ?", (identifier,))
        return [{"event": "gone", "conversation": identifier}]

    def _person(self, value: dict[str, Any]) -> Told:
        flags = {"suspended": False, "administrator": False, "privacy_officer": False}
        posts = [{"charge_nurse": False, **each} for each in value.get("posts", [])]
        whole = {"name": "", "title": "", **flags, **value, "posts": posts}
        self._db.execute(
            "INSERT OR REPLACE INTO person VALUES (:person, :name, :title, :suspended, :administrator)", whole
        )
        return [{"event": "person", **whole}]

    def _unit(self, _: dict[str, Any]) -> Told:
        """Passed over: nothing here is called by its unit's name, and `ListUnits` has them all."""
        return []

    def _device_joined(self, value: dict[str, Any]) -> Told:
        if self._profile.was_told_of(value["device"]):
            return []
        self._profile.told_of(value["device"])
        return [{"event": "device_joined", "device": value["device"], "name": value.get("name", "")}]

    # ----------------------------------------------------------------------------------------------------- helpers

    def _gap(self, conversation: int, sequence: int) -> Told:
        highest = self._db.execute(
            "SELECT max(sequence) FROM message WHERE conversation = ?", (conversation,)
        ).fetchone()[0]
        first = self._db.execute(
            "SELECT first_sequence FROM conversation WHERE conversation = ?", (conversation,)
        ).fetchone()
        expected = max((highest or 0) + 1, first[0] if first else 1)
        if sequence <= expected:
            return []
        return [{"event": "gap", "conversation": conversation, "from": expected, "to": sequence - 1}]

    def _join(self, conversation: int, members: list[dict[str, Any]]) -> None:
        for each in members:
            self._db.execute(
                "INSERT INTO member VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
                " delivered = max(delivered, excluded.delivered), read = max(read, excluded.read)",
                (conversation, each["person"], each.get("delivered", 0), each.get("read", 0)),
            )

    def _expire(self, conversation: int) -> None:
        """Drops what this person may not read any more."""
        self._db.execute(
            "DELETE FROM message WHERE conversation = ?1 AND sequence <"
            " (SELECT first_sequence FROM conversation WHERE conversation = ?1)",
            (conversation,),
        )
        self._db.execute(
            "UPDATE message SET text = '' WHERE conversation = ?1 AND"
            " (SELECT purged FROM conversation WHERE conversation = ?1)",
            (conversation,),
        )

    def _tell(self, conversation: int) -> Told:
        known = self.conversation(conversation)
        return [] if known is None else [{"event": "conversation", **known}]
