"""The server's signing key: kept in the environment or the state folder, shown to nobody; its public half is for everybody."""

import base64
import binascii

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings

HELP = "Set SIGNING_KEY to the base64 of 32 random bytes (`openssl rand -base64 32`), the same in every process."


class NoSigningKey(Exception):
    """This server cannot sign; the text says what to do. It never holds the key."""


def signing_key() -> Ed25519PrivateKey:
    """The private key."""
    if not settings.SIGNING_KEY:
        raise NoSigningKey(f"This server has no signing key. {HELP}")
    try:
        return Ed25519PrivateKey.from_private_bytes(base64.b64decode(settings.SIGNING_KEY, validate=True))
    except (binascii.Error, ValueError):
        raise NoSigningKey(f"The signing key of this server is no base64 of 32 bytes. {HELP}") from None


def public_key() -> Ed25519PublicKey:
    """The public half, which checks what this server signed."""
    return signing_key().public_key()
