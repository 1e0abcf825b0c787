"""Reads wardline.proto: the file beside the protocol page is what the codec goes by, so the two cannot drift apart.

Refuses to guess: a line that it does not understand is an error.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

SCALARS = {"uint32", "uint64", "int64", "fixed64", "bool", "string", "bytes"}

_FIELD = re.compile(r"^(repeated |optional )?(\w+) (\w+) = (\d+);")
_VALUE = re.compile(r"^(\w+) = (\d+);")


@dataclass(frozen=True)
class Field:
    """One field of a message."""

    name: str
    number: int
    kind: str
    repeated: bool
    oneof: str | None


@dataclass
class Message:
    """One kind of message, its fields by number and by name."""

    name: str
    by_number: dict[int, Field] = field(default_factory=dict)
    by_name: dict[str, Field] = field(default_factory=dict)

    def add(self, added: Field) -> None:
        """Takes a field in; refuses one whose number or name is there already."""
        if added.number in self.by_number or added.name in self.by_name:
            raise ValueError(f"{self.name}.{added.name} is there twice")
        self.by_number[added.number] = added
        self.by_name[added.name] = added


@dataclass
class Schema:
    """Every message and every enumeration of the file."""

    messages: dict[str, Message] = field(default_factory=dict)
    enums: dict[str, dict[int, str]] = field(default_factory=dict)


def parse(text: str) -> Schema:
    """Reads the part of proto3 that wardline.proto uses; refuses anything else with ValueError."""
    schema = Schema()
    message: Message | None = None
    enum: dict[int, str] | None = None
    oneof: str | None = None
    for line in _statements(text):
        if line.startswith(("syntax ", "package ")):
            continue
        if opened := re.match(r"^(message|enum|oneof) (\w+) \{$", line):
            kind, name = opened.groups()
            if kind == "oneof":
                oneof = name
            elif kind == "enum":
                enum = schema.enums.setdefault(name, {})
            else:
                message = schema.messages.setdefault(name, Message(name))
        elif line == "}":
            if oneof is not None:
                oneof = None
            else:
                message = enum = None
        elif message is not None and (found := _FIELD.match(line)):
            label, kind, name, number = found.groups()
            # protobuf's own rule: what is optional is a oneof by itself, so its zero is on the wire too.
            alone = f"_{name}" if label == "optional " else oneof
            message.add(Field(name, int(number), kind, label == "repeated ", alone))
        elif enum is not None and (found := _VALUE.match(line)):
            enum[int(found.group(2))] = found.group(1)
        else:
            raise ValueError(f"not understood: {line}")
    _check(schema)
    return schema


def _statements(text: str) -> list[str]:
    """The file without comments, one statement or brace to an item."""
    bare = re.sub(r"//[^\n]*", "", text)
    bare = re.sub(r"([{};])", r"\1\n", bare)
    lines = (" ".join(line.split()) for line in bare.splitlines())
    return [line for line in lines if line]


def _check(schema: Schema) -> None:
    for message in schema.messages.values():
        for each in message.by_number.values():
            if each.kind not in SCALARS and each.kind not in schema.messages and each.kind not in schema.enums:
                raise ValueError(f"{message.name}.{each.name} is of an unknown kind, {each.kind}")
