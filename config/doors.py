"""What the commands have in common: naming things, and giving reports."""

import datetime as dt
import json
from argparse import ArgumentTypeError
from pathlib import Path
from typing import TextIO

from django.contrib.auth.models import User
from django.core.management.base import CommandError

from ingestion.arrival import take_in
from ingestion.business_date import NoDate, given_date
from ingestion.control_totals import Declared
from ingestion.deliveries import Accepted
from ingestion.models import Source
from reconciliation.models import Reconciliation

COMMAND = "command"


def business_day(text: str) -> dt.date:
    """A date of the command line."""
    try:
        return given_date(text)
    except NoDate as error:
        raise ArgumentTypeError(str(error).removesuffix(".")) from None


def known_source(code: str) -> Source:
    """A source by its code, or a sentence with those that there are."""
    source = Source.objects.filter(code=code).first()
    if source is None:
        known = ", ".join(Source.objects.values_list("code", flat=True)) or "none; apply a definition first"
        raise CommandError(f"There is no source {code!r}. There is {known}.")
    return source


def known_reconciliation(code: str) -> Reconciliation:
    """A reconciliation by its code, or a sentence with those that there are."""
    found = Reconciliation.objects.filter(code=code).first()
    if found is None:
        known = ", ".join(Reconciliation.objects.values_list("code", flat=True)) or "none; apply a definition first"
        raise CommandError(f"There is no reconciliation {code!r}. There is {known}.")
    return found


def to_delivery(
    source: Source, file: Path, date: dt.date | None, by: str = "command", declared: Declared | None = None
) -> Accepted:
    """Take a file in under its own name; `declared` is what its manifest says."""
    return take_in(source=source, file=file, name=file.name, given=date, by=by, declared=declared)


def write_json(document: object, target: str | None, stdout: TextIO) -> None:
    """A report as JSON to a file, or to standard output for `-`."""
    if target is None:
        return
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    if target == "-":
        stdout.write(text)
        return
    try:
        Path(target).write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandError(
            f"Everything was done, but the report could not be written to {target}: {error.strerror}."
        ) from None


def acting_user(name: object) -> User:
    """The named user; else the only superuser; on a system without one, a user of the command line who cannot sign in."""
    if name:
        user = User.objects.filter(username=name).first()
        if user is None:
            known = ", ".join(User.objects.order_by("username").values_list("username", flat=True)[:12]) or "none"
            raise CommandError(f"There is no user {name!r}. There is {known}.")
        return user
    people = User.objects.filter(is_superuser=True, is_active=True).exclude(username=COMMAND)
    if len(people) > 1:
        raise CommandError("There are several superusers. Name the user with --user.")
    return people[0] if people else command_user()


def command_user() -> User:
    """The user in whose name the command line acts where no person is named; it cannot sign in."""
    user, is_new = User.objects.get_or_create(username=COMMAND, defaults={"is_superuser": True})
    if is_new:
        user.set_unusable_password()
        user.save()
    return user
