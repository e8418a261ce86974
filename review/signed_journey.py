"""A journey as a signed document, and its check. Nothing here asks the database: who has the file and the public key can check it.

The signature is Ed25519 (RFC 8032) over the member `journey` as canonical JSON: keys sorted, no spaces, UTF-8, whole numbers only,
which for such documents is also RFC 8785. Each event bears its own sha256 and that of the event before it, so that a check can
name the one that does not fit.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

FORMAT = "tieout-journey/1"
ALGORITHM = "Ed25519"
OVER = "the member `journey` as canonical JSON: keys sorted, no spaces, UTF-8"
MEMBERS = {"format": str, "journey": dict, "signature": dict}
SIGNED = ("algorithm", "key", "over", "public_key", "value")
TOLD = {"reconciliation": str, "key": str, "made_at": str, "made_by": str, "state": str, "events": list, "stored": dict}


class NoJourney(ValueError):
    """A file that is no signed journey; the text says what is wrong with it."""


def canonical(value: object) -> bytes:
    """The bytes that are hashed and signed. Given are texts, whole numbers, booleans, nulls, lists and objects."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def chained(events: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The events numbered from 1, each with the sha256 of the one before it and its own."""
    made: list[dict[str, Any]] = []
    for number, event in enumerate(events, 1):
        linked = {**event, "number": number, "previous": made[-1]["sha256"] if made else ""}
        made.append({**linked, "sha256": _sha256(linked)})
    return made


def signed(journey: Mapping[str, Any], key: Ed25519PrivateKey) -> dict[str, Any]:
    """The document; `journey` has its events chained."""
    public = key.public_key()
    signature = {
        "algorithm": ALGORITHM,
        "key": key_id(public),
        "over": OVER,
        "public_key": _text(_raw(public)),
        "value": _text(key.sign(canonical(journey))),
    }
    return {"format": FORMAT, "journey": dict(journey), "signature": signature}


def parsed(content: bytes) -> dict[str, Any]:
    """The document of a file; NoJourney says why it is none."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NoJourney(f"The file is no UTF-8 text: byte {error.start + 1:,} does not fit. It was damaged.") from None
    try:
        document = json.loads(text, object_pairs_hook=_once, parse_float=_refused, parse_constant=_refused)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno:,}, column {error.colno:,}"
        if text.strip() and error.pos >= len(text.rstrip()) or "Unterminated" in error.msg:
            raise NoJourney(f"The file ends too early, at {place}. It was cut off; get it again.") from None
        raise NoJourney(f"The file is no JSON: {error.msg} at {place}.") from None
    except RecursionError:
        raise NoJourney("The file is no journey: it nests too deeply.") from None
    except ValueError as error:
        raise NoJourney(str(error) if isinstance(error, NoJourney) else f"The file is no journey: {error}.") from None
    _shaped(document)
    return document


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise NoJourney(f"The file names {twice[:80]!r} twice in one object; Tieout never does.")
    return found


def _refused(text: str) -> object:
    raise NoJourney(f"The file holds the number {text[:40]}; a journey holds whole ones only.")


def _shaped(document: object) -> None:
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise NoJourney(f"This is no signed journey: its member 'format' is not {FORMAT!r}.")
    if extra := sorted(set(document) - set(MEMBERS)):
        raise NoJourney(f"The member {extra[0][:80]!r} is not signed. It was added.")
    _members(document, MEMBERS, "the file")
    _members(document["journey"], TOLD, "the journey")
    _members(document["signature"], dict.fromkeys(SIGNED, str), "the signature")
    if not all(isinstance(event, dict) for event in document["journey"]["events"]):
        raise NoJourney("An event is no object. The file was damaged.")


def _members(given: Mapping[str, Any], wanted: Mapping[str, type], where: str) -> None:
    for name, kind in wanted.items():
        if not isinstance(given.get(name), kind):
            raise NoJourney(f"The member {name!r} of {where} is missing or is something else. The file was damaged.")


def faults(document: Mapping[str, Any], trusted: Ed25519PublicKey | None = None) -> list[str]:
    """A sentence for each thing that does not fit; none where the document is as it was signed. `trusted` is the key that must
    have signed it; without one, the key that the document itself names."""
    broken = _broken_events(document["journey"]["events"])
    return broken + _broken_signature(document, trusted, is_told=bool(broken))


def _broken_events(events: Sequence[Mapping[str, Any]]) -> list[str]:
    told: list[str] = []
    previous: Any = ""
    for number, event in enumerate(events, 1):
        name = f"Event {number} ({str(event.get('title', ''))[:80]})"
        content = {key: value for key, value in event.items() if key != "sha256"}
        if _sha256(content) != event.get("sha256"):
            told.append(f"{name} was changed after it was signed.")
        elif event.get("number") != number:
            told.append(f"{name} stands in the place of another: it was signed as event {event.get('number')}.")
        elif event.get("previous") != previous:
            told.append(f"{name} does not follow the event before it: one was changed, taken out or put in.")
        previous = event.get("sha256")
    return told


def _broken_signature(document: Mapping[str, Any], trusted: Ed25519PublicKey | None, *, is_told: bool) -> list[str]:
    signature = document["signature"]
    if signature["algorithm"] != ALGORITHM:
        return [f"The signature is {signature['algorithm'][:40]!r}; Tieout signs with {ALGORITHM}."]
    if signature["over"] != OVER:
        return ["The signature says that it is over something else than Tieout signs."]
    try:
        named = Ed25519PublicKey.from_public_bytes(_bytes(signature["public_key"]))
        value = _bytes(signature["value"])
    except ValueError:
        return ["The signature or its public key is no base64 of the right length. The file was damaged."]
    if signature["key"] != key_id(named):
        return ["The signature names another key than the one that it carries."]
    if trusted is not None and _raw(trusted) != _raw(named):
        return [f"It was signed with key {key_id(named)}, and not with {key_id(trusted)}. Who made it is not known."]
    try:
        named.verify(value, canonical(document["journey"]))
    except InvalidSignature:
        where = "" if is_told else " The events fit each other, so it is the heading, the stored values, or all of it."
        return [f"The signature does not fit: something was changed after it was signed.{where}"]
    return []


def read_public_key(text: str) -> Ed25519PublicKey:
    """A public key from PEM or from the base64 of its 32 bytes; ValueError with a sentence."""
    try:
        if "BEGIN" not in text:
            return Ed25519PublicKey.from_public_bytes(_bytes(text.strip()))
        found = load_pem_public_key(text.encode())
    except ValueError:
        raise ValueError("That is no public key. Give its PEM, or the base64 of its 32 bytes.") from None
    if not isinstance(found, Ed25519PublicKey):
        raise ValueError(f"That is a public key of another kind. Tieout signs with {ALGORITHM}.")
    return found


def key_id(public: Ed25519PublicKey) -> str:
    """A short name of a key: the beginning of the sha256 of its 32 bytes."""
    return hashlib.sha256(_raw(public)).hexdigest()[:16]


def public_text(public: Ed25519PublicKey) -> str:
    """A public key as the base64 of its 32 bytes."""
    return _text(_raw(public))


def pem(public: Ed25519PublicKey) -> str:
    """A public key as other programs read it."""
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def _raw(public: Ed25519PublicKey) -> bytes:
    return public.public_bytes(Encoding.Raw, PublicFormat.Raw)


def _sha256(value: object) -> str:
    return hashlib.sha256(canonical(value)).hexdigest()


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _bytes(text: str) -> bytes:
    """The bytes of base64 as `_text` writes it: of the several spellings that decode to the same, one is taken."""
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("no base64") from None
    if _text(content) != text:
        raise ValueError("no base64 as it is written")
    return content
