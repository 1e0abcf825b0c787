"""What a device signs, and the exporter that ties it to one connection (protocol page, section 3)."""

from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

EXPORTER_LABEL = b"EXPORTER-wardline-1"


def exporter(master: bytes, algorithm: hashes.HashAlgorithm) -> bytes:
    """32 bytes of the TLS exporter, from the exporter master secret of a connection."""
    empty = hashes.Hash(algorithm)
    nothing = empty.finalize()
    derived = _expand_label(algorithm, master, EXPORTER_LABEL, nothing, algorithm.digest_size)
    return _expand_label(algorithm, derived, b"exporter", nothing, 32)


def sign_in_bytes(challenge: bytes, exported: bytes, device: int) -> bytes:
    """What `Prove` signs."""
    return b"wardline/1 sign-in\0" + challenge + exported + device.to_bytes(8, "big")


def join_bytes(challenge: bytes, exported: bytes, code: str, device_key: bytes) -> bytes:
    """What `Join` signs."""
    hashed = hashlib.sha256(b"wardline/1 code\0" + code.encode()).digest()
    return b"wardline/1 join\0" + challenge + exported + hashed + device_key


def public_point(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The device key as the box wants it: 65 bytes."""
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def sign(key: ec.EllipticCurvePrivateKey, data: bytes) -> bytes:
    """A signature as the box wants it: r and s, 32 bytes each."""
    r, s = decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def _expand_label(algorithm: hashes.HashAlgorithm, secret: bytes, label: bytes, context: bytes, length: int) -> bytes:
    name = b"tls13 " + label
    info = length.to_bytes(2, "big") + bytes([len(name)]) + name + bytes([len(context)]) + context
    return HKDFExpand(algorithm=algorithm, length=length, info=info).derive(secret)
