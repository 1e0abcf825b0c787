"""Who the box is (protocol page, section 1, Trust)."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from .errors import Untrusted
from .link import is_address


def pinned(behind: Sequence[x509.Certificate], root: bytes) -> x509.Certificate:
    """The certificate behind the leaf that the link names; refuses a chain without it."""
    for certificate in behind:
        if hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest() == root:
            return certificate
    raise Untrusted("this is not the facility that the link names")


def verify(leaf: x509.Certificate, behind: Sequence[x509.Certificate], root: x509.Certificate, name: str) -> None:
    """RFC 5280 with one trust anchor, for one name; refuses with Untrusted."""
    subject: x509.GeneralName
    if is_address(name):
        subject = x509.IPAddress(ipaddress.ip_address(name))
    else:
        subject = x509.DNSName(name)
    verifier = PolicyBuilder().store(Store([root])).build_server_verifier(subject)
    try:
        verifier.verify(leaf, [each for each in behind if each != root])
    except VerificationError as error:
        raise Untrusted("the box's certificate does not hold") from error
