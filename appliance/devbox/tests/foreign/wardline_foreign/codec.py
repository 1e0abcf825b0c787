"""Protobuf to dictionaries and back, by the schema.

A message is a dictionary of the fields that were on the wire; `get` knows what an absent one means. Unknown fields are
ignored. Refuses bytes that are no protobuf, strings that are no UTF-8 and numbers out of range with Malformed.
"""

from __future__ import annotations

import struct
from typing import Any

from .schema import Field, Schema

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5


class Malformed(ValueError):
    """Bytes that are not a message of the schema."""


class Codec:
    """Encodes and decodes the messages of one schema."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema

    def encode(self, name: str, value: dict[str, Any]) -> bytes:
        """The bytes of a message; refuses fields that the schema does not have."""
        message = self.schema.messages[name]
        unknown = set(value) - set(message.by_name)
        if unknown:
            raise KeyError(f"{name} has no {sorted(unknown)}")
        out = bytearray()
        for number in sorted(message.by_number):
            field = message.by_number[number]
            if field.name not in value:
                continue
            item = value[field.name]
            if field.repeated:
                out += self._encode_repeated(field, item)
            elif field.oneof is not None or field.kind in self.schema.messages or item not in (0, "", b"", False):
                out += self._encode_one(field, item)
        return bytes(out)

    def decode(self, name: str, data: bytes) -> dict[str, Any]:
        """What the bytes mean; refuses those that mean nothing."""
        value: dict[str, Any] = {}
        self._decode_into(name, data, value)
        return value

    def _encode_repeated(self, field: Field, items: list[Any]) -> bytes:
        if field.kind == "fixed64":
            body = b"".join(struct.pack("<Q", item) for item in items)
            return _varint(field.number << 3 | LENGTH) + _varint(len(body)) + body if body else b""
        return b"".join(self._encode_one(field, item) for item in items)

    def _encode_one(self, field: Field, item: Any) -> bytes:
        if field.kind == "fixed64":
            return _varint(field.number << 3 | FIXED64) + struct.pack("<Q", item)
        if field.kind == "string":
            body = str(item).encode()
        elif field.kind == "bytes":
            body = bytes(item)
        elif field.kind in self.schema.messages:
            body = self.encode(field.kind, item)
        else:
            return _varint(field.number << 3 | VARINT) + _varint(int(item) & 0xFFFF_FFFF_FFFF_FFFF)
        return _varint(field.number << 3 | LENGTH) + _varint(len(body)) + body

    def _decode_into(self, name: str, data: bytes, value: dict[str, Any]) -> None:
        message = self.schema.messages[name]
        at = 0
        while at < len(data):
            tag, at = _read_varint(data, at)
            number, wire = tag >> 3, tag & 7
            raw, at = _read_raw(data, at, wire)
            field = message.by_number.get(number)
            if number == 0:
                raise Malformed("field 0")
            if field is not None:
                self._take(message.by_number.values(), field, wire, raw, value)

    def _take(self, fields: Any, field: Field, wire: int, raw: Any, value: dict[str, Any]) -> None:
        if field.repeated and field.kind == "fixed64" and wire == LENGTH:
            if len(raw) % 8:
                raise Malformed("half an identifier")
            value.setdefault(field.name, []).extend(each for (each,) in struct.iter_unpack("<Q", raw))
            return
        if wire != self._wire(field):
            return
        if field.oneof is not None:
            for other in fields:
                if other.oneof == field.oneof and other is not field:
                    value.pop(other.name, None)
        if field.kind in self.schema.messages:
            inner = {} if field.repeated else value.get(field.name, {})
            self._decode_into(field.kind, raw, inner)
            decoded: Any = inner
        else:
            decoded = _scalar(field.kind, raw)
        if field.repeated:
            value.setdefault(field.name, []).append(decoded)
        else:
            value[field.name] = decoded

    def _wire(self, field: Field) -> int:
        if field.kind == "fixed64":
            return FIXED64
        return LENGTH if field.kind in ("string", "bytes") or field.kind in self.schema.messages else VARINT


def _scalar(kind: str, raw: Any) -> Any:
    if kind == "string":
        try:
            return raw.decode()
        except UnicodeDecodeError as error:
            raise Malformed("a string that is no UTF-8") from error
    if kind == "bool":
        return raw != 0
    if kind == "uint32":
        return raw & 0xFFFF_FFFF
    if kind == "int64" and raw >= 1 << 63:
        return raw - (1 << 64)
    return raw


def _varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for index in range(10):
        if at + index >= len(data):
            raise Malformed("half a number")
        byte = data[at + index]
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, at + index + 1
    raise Malformed("a number that does not end")


def _read_raw(data: bytes, at: int, wire: int) -> tuple[Any, int]:
    if wire == VARINT:
        return _read_varint(data, at)
    if wire == LENGTH:
        size, at = _read_varint(data, at)
    elif wire in (FIXED64, FIXED32):
        size = 8 if wire == FIXED64 else 4
    else:
        raise Malformed(f"wire type {wire}")
    if at + size > len(data):
        raise Malformed("less than was announced")
    raw = data[at : at + size]
    if wire == FIXED64:
        return struct.unpack("<Q", raw)[0], at + size
    return raw, at + size
