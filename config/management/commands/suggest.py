"""Propose a definition from two files."""

import sys
from argparse import ArgumentParser
from pathlib import Path

import duckdb
from django.core.management.base import CommandError

from config.command import QuickCommand
from config.definitions.check import CODE, NO_CODE
from config.doors import write_json
from config.suggesting import propose, report_document, report_lines, taken_codes
from ingestion.errors import IngestionError


class Command(QuickCommand):
    help = "Propose a whole definition from two files, with the evidence for each part. Nothing is delivered or stored."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """A B, and where the definition goes."""
        parser.add_argument("a", type=Path, help="a file of source A")
        parser.add_argument("b", type=Path, help="a file of source B")
        parser.add_argument(
            "--to", type=Path, metavar="FILE", help="write the definition to a file that `define` accepts"
        )
        parser.add_argument("--name", default="", help="code of the reconciliation, from the file names if not given")
        parser.add_argument("--json", metavar="OUT", help="write the proposal as JSON to a file, or - for here")

    def handle(self, *, a: Path, b: Path, to: Path | None, name: str, json: str | None, **_: object) -> None:
        """Say what is proposed and why; exit 0 only with a definition."""
        if name and not CODE.fullmatch(name):
            raise CommandError(f"{name!r} is no code; {NO_CODE}.")
        try:
            proposal = propose(a, b, name=name, taken=taken_codes())
        except IngestionError as error:
            raise CommandError(str(error)) from None
        except duckdb.Error as error:
            raise CommandError(f"The files could not be compared: {str(error).splitlines()[0]}") from error
        write_json(report_document(proposal), json, sys.stdout)
        if json == "-":
            return
        self.stdout.write("\n".join(report_lines(proposal)))
        if to is None:
            return
        try:
            to.write_text(proposal.text(), encoding="utf-8")
        except OSError as error:
            raise CommandError(f"{to} could not be written: {error.strerror}. Name another file with --to.") from None
        found = proposal.suggestion
        self.stdout.write(
            f"\nWritten to {to}. Next: manage.py define {to}, then manage.py reconcile {found.name} --a {a} --b {b}"
        )
