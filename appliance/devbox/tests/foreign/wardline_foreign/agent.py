"""The client as lines of JSON.

A request is `{"id": 1, "do": "send", …}`; its answer bears the same `id` and has `done` or `failed`. Lines with `event`
come unasked, in the words of the protocol page's section 12. Identifiers and names of messages are hexadecimal.
Ends at a request that it does not know; writes no PIN, and no text but the messages themselves.
"""

from __future__ import annotations

import asyncio
import json
import os
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .client import Client
from .errors import Failure, Refused
from .frames import codec
from .link import parse_link
from .profile import Profile
from .shown import on_one_line

_IDENTIFIERS = {"conversation", "person", "device", "sender", "people", "add", "remove", "after", "unit"}
_SHOWN = ("text", "title", "name")


# Takes a line, its end included.
Out = Callable[[str], None]


class Agent:
    """Does what the lines say."""

    def __init__(self, directory: Path, out: Out) -> None:
        self._out = out
        self._profile = Profile(directory)
        self._client = Client(self._profile, codec(), self._write)

    async def serve(self, lines: asyncio.StreamReader) -> None:
        """Answers every request as it is done; ends with the input, without a goodbye to the box."""
        running: set[asyncio.Task[None]] = set()
        while line := await lines.readline():
            task = asyncio.create_task(self._answer(json.loads(line)))
            running.add(task)
            task.add_done_callback(running.discard)

    async def _answer(self, request: dict[str, Any]) -> None:
        identifier = request.pop("id")
        try:
            done = await self._do(request.pop("do"), _from_json(request))
        except Refused as refused:
            fields = ("code", "advice", "retry_after", "tries_left")
            failed = {"kind": refused.kind, **{name: getattr(refused, name) for name in fields}}
            self._write({"id": identifier, "failed": failed})
        except Failure as failure:
            self._write({"id": identifier, "failed": {"kind": failure.kind, "why": str(failure)}})
        except Exception:
            # A fault of this program: it must not look like a box that stays silent.
            traceback.print_exc()
            os._exit(70)
        else:
            self._write({"id": identifier, "done": done})

    def _write(self, line: dict[str, Any]) -> None:
        self._out(json.dumps(_to_json(line)) + "\n")

    async def _people(self) -> list[dict[str, Any]]:
        people: list[dict[str, Any]] = []
        while True:
            after = people[-1]["person"] if people else 0
            _, page = await self._client.ask("list_people", {"after": after})
            people += page.get("people", [])
            if page.get("end") or not page.get("people"):
                return people

    async def _do(self, what: str, values: dict[str, Any]) -> Any:
        client = self._client
        if what == "read_link":
            link = parse_link(values["link"])
            return {"host": link.host, "port": link.port, "name": link.name, "code": link.code}
        if what == "join":
            await client.join(values["link"], values["pin"], values["device_name"])
            return {"device": self._profile.device}
        if what == "open":
            return client.open()
        if what == "unlock":
            return await client.unlock(values["pin"])
        if what == "send":
            return {"message": client.send(values["conversation"], values["text"])}
        if what == "read":
            return client.read(values["conversation"], values["sequence"])
        if what == "state":
            return {"state": client.state, "device": self._profile.device}
        if what == "conversations":
            return client.book.conversations()
        if what == "messages":
            return client.book.messages(values["conversation"])
        if what == "people":
            return await self._people()
        if what == "leave":
            return await client.leave()
        if what == "ask":
            kind, answer = await client.ask(values["name"], _from_json(values["body"]))
            return {kind: answer}
        raise KeyError(f"no such request: {what}")


def refuse(failure: Failure, out: Out) -> None:
    """Says why there is no agent."""
    out(json.dumps({"failed": {"kind": failure.kind, "why": str(failure)}}) + "\n")


def _from_json(values: dict[str, Any]) -> dict[str, Any]:
    def read(name: str, value: Any) -> Any:
        if name in _IDENTIFIERS:
            return [int(each, 16) for each in value] if isinstance(value, list) else int(value, 16)
        return value

    return {name: read(name, value) for name, value in values.items()}


def _to_json(value: Any, name: str = "") -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list):
        return [_to_json(each, name) for each in value]
    if isinstance(value, dict):
        shown = {f"{each}_shown": on_one_line(value[each]) for each in _SHOWN if isinstance(value.get(each), str)}
        return {**{each: _to_json(inner, each) for each, inner in value.items()}, **shown}
    if name in _IDENTIFIERS and isinstance(value, int):
        return f"{value:016x}"
    return value
