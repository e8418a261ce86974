"""Check a signed journey."""

from argparse import ArgumentParser
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.core.management.base import CommandError

from config.command import QuickCommand
from review.journey_export import compare_with_database
from review.signed_journey import NoJourney, faults, key_id, parsed, read_public_key
from review.signing import NoSigningKey
from review.signing import public_key as own_key

LONGEST = 64 << 20  # bytes


class Command(QuickCommand):
    help = "Check a signed journey: offline, against a public key or this server's own; --database compares it with what stands there."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """FILE [--public-key FILE] [--database]."""
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--public-key", type=Path, metavar="FILE", help="PEM or base64; this server's own when left out"
        )
        parser.add_argument("--database", action="store_true", help="compare it with the database, too")

    def handle(self, *, file: Path, public_key: Path | None, database: bool, **_: object) -> None:
        """A line that it is valid, or a line for each thing that does not fit and exit code 1."""
        trusted = _key(public_key)
        try:
            document = parsed(_content(file))
        except NoJourney as error:
            raise CommandError(f"Not valid. {error}") from None
        wrong = faults(document, trusted)
        if database and not wrong:
            wrong, notes = compare_with_database(document)
            for note in notes:
                self.stdout.write(note)
        if wrong:
            raise CommandError("\n".join(["Not valid." if not database else "Not valid, or not as it stands.", *wrong]))
        told = document["journey"]
        self.stdout.write(
            f"Valid: {len(told['events'])} events of {told['key']} in {told['reconciliation']}, signed at {told['made_at']} for "
            f"{told['made_by']} with key {key_id(trusted)}."
        )


def _content(file: Path) -> bytes:
    try:
        if file.stat().st_size > LONGEST:
            raise CommandError(f"{file} is larger than a journey can be.")
        return file.read_bytes()
    except OSError as error:
        raise CommandError(f"{file} could not be read: {error.strerror}.") from None


def _key(file: Path | None) -> Ed25519PublicKey:
    try:
        return own_key() if file is None else read_public_key(_content(file).decode("ascii", "replace"))
    except NoSigningKey as error:
        raise CommandError(f"{error} Or name the public key of the server that signed it: --public-key FILE.") from None
    except ValueError as error:
        raise CommandError(f"{file}: {error}") from None
