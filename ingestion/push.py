"""Taking pushed records: each push is kept at once under a receipt, and gathers in an open delivery until it is sealed."""

import datetime as dt
import hashlib
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from ingestion import lake
from ingestion.arrival import take_in
from ingestion.errors import IngestionError
from ingestion.models import Delivery, OpenDelivery, Receipt, Source
from ingestion.prepared import kept_rows

MOST = 10_000  # records a push
SEAL_AT = 1_000_000  # records; the default of a source's `connection: {count: ...}`
SEAL_AFTER = 900  # seconds; the default of `connection: {seconds: ...}`
PATIENCE = 5  # times that another push may seal first
_BLANK = " \t\r\n"


class PushRefused(IngestionError):
    """A push of which nothing was taken; the sentence says which record and why."""


class KeyReused(PushRefused):
    """The Idempotency-Key stands for another push."""


@dataclass(frozen=True)
class Pushed:
    """A receipt, and whether this push was new."""

    receipt: Receipt
    is_new: bool


def lines_of(body: bytes) -> list[str]:
    """The records of a JSON array or of NDJSON, each as it was written, on one line. PushRefused names the first bad one."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PushRefused(f"The body is no UTF-8: byte {error.start + 1} cannot be read. Send it as UTF-8.") from None
    found = list(_records(text))
    if not found:
        raise PushRefused("The body holds no record. Send a JSON array of objects, or an object a line.")
    return found


def _records(text: str) -> Iterator[str]:
    """Slices of the text, so that a number keeps every digit."""
    decode, end, number = json.JSONDecoder(parse_int=str, parse_float=str).raw_decode, len(text), 0
    is_array = text.lstrip(_BLANK).startswith("[")
    at = text.index("[") + 1 if is_array else 0
    while (at := _after(text, at, _BLANK)) < end and text[at] != "]":
        number += 1
        if number > MOST:
            raise PushRefused(f"A push has at most {MOST:,} records. Send the rest in another one.")
        if text[at] != "{":
            raise PushRefused(f'Record {number} is no JSON object. Each record is one, such as {{"id": "A"}}.')
        try:
            _, stop = decode(text, at)
        except (json.JSONDecodeError, RecursionError) as error:
            raise PushRefused(f"Record {number} is no JSON: {getattr(error, 'msg', 'nested too deeply')}.") from None
        yield text[at:stop].replace("\n", " ").replace("\r", " ")
        at = _after(text, stop, _BLANK)
        if is_array and at < end and text[at] == ",":
            at += 1
        elif is_array and (at >= end or text[at] != "]"):
            raise PushRefused(f"After record {number} the array is neither continued by a comma nor closed.")
    if is_array and (at >= end or text[_after(text, at + 1, _BLANK) :]):
        raise PushRefused("The array is not closed, or something follows it.")


def _after(text: str, at: int, signs: str) -> int:
    while at < len(text) and text[at] in signs:
        at += 1
    return at


def push(*, source: Source, body: bytes, key: str, by: User, date: dt.date | None = None) -> Pushed:
    """Keep pushed records under a receipt. The same key and body again give the same receipt; PushRefused takes nothing."""
    if source.kind != Source.Kind.PUSH:
        raise PushRefused(f"{source.code} is of kind {source.kind}. Records are pushed to a source of kind push.")
    digest, lines = hashlib.sha256(body).hexdigest(), lines_of(body)
    date = date or timezone.now().date()
    for _ in range(PATIENCE):
        with suppress(IntegrityError):  # it came twice at this moment, or another push opened the delivery first
            if (receipt := _keep(source, lines, digest, key, by, date)) is not None:
                return Pushed(receipt, is_new=True)
            if (known := _known(source, by, key, digest)) is not None:
                return Pushed(known, is_new=False)
            with transaction.atomic():
                OpenDelivery.objects.create(source=source, business_date=date, opened_at=timezone.now())
                if (receipt := _keep(source, lines, digest, key, by, date)) is not None:
                    return Pushed(receipt, is_new=True)
    raise PushRefused("Too many pushes came at once. Send this one again with the same key.")


def _known(source: Source, by: User, key: str, digest: str) -> Receipt | None:
    found = Receipt.objects.filter(source=source, user=by, key=key).defer("lines").first()
    if found is not None and found.sha256 != digest:
        raise KeyReused("This Idempotency-Key was used for another push.")
    return found


_KEEP = """
    WITH opened AS (
        UPDATE ingestion_opendelivery SET records = records + %(count)s
        WHERE source_id = %(source)s AND business_date = %(date)s AND sealed_at IS NULL AND NOT EXISTS (
            SELECT FROM ingestion_receipt WHERE source_id = %(source)s AND user_id = %(by)s AND key = %(key)s)
        RETURNING id, opened_at, records)
    INSERT INTO ingestion_receipt (source_id, open_delivery_id, user_id, key, sha256, first, records, received_at, lines)
    SELECT %(source)s, id, %(by)s, %(key)s, %(sha256)s, records - %(count)s + 1, %(count)s, %(now)s, %(lines)s FROM opened
    RETURNING id, open_delivery_id, (SELECT opened_at FROM opened), (SELECT records FROM opened)
"""


def _keep(source: Source, lines: list[str], digest: str, key: str, by: User, date: dt.date) -> Receipt | None:
    """Count the records and keep them, in one statement, since hundreds of pushes come a second: the open delivery stays
    locked until its end, so that no two take the same numbers. None where nothing is open, or the key is known."""
    now, count = timezone.now(), len(lines)
    given: dict[str, Any] = {
        "count": count, "source": source.pk, "date": date, "by": by.pk, "key": key, "sha256": digest, "now": now,
        "lines": "\n".join(lines) + "\n",
    }  # fmt: skip
    if not (kept := kept_rows(_KEEP, given)):
        return None
    found = kept[0]
    opened = OpenDelivery(pk=found[1], source=source, business_date=date, opened_at=found[2], records=found[3])
    return Receipt(
        pk=found[0], source=source, open_delivery=opened, user=by, key=key, sha256=digest, first=found[3] - count + 1,
        records=count, received_at=now,
    )  # fmt: skip


def is_full(opened: OpenDelivery) -> bool:
    """Whether the source's count is reached."""
    return opened.records >= int(opened.source.connection.get("count") or SEAL_AT)


def due_to_seal(now: dt.datetime) -> list[OpenDelivery]:
    """Open deliveries whose time is over or whose count is reached, and sealed ones that never became a delivery."""
    standing = OpenDelivery.objects.filter(Q(sealed_at=None) | Q(delivery=None)).select_related("source")
    return [it for it in standing if it.sealed_at or is_full(it) or now - it.opened_at >= _patience(it.source)]


def _patience(source: Source) -> dt.timedelta:
    return dt.timedelta(seconds=int(source.connection.get("seconds") or SEAL_AFTER))


def seal_open(opened: OpenDelivery) -> Delivery:
    """End the gathering and make it a delivery; a second call gives the same one, also one that comes meanwhile."""
    with transaction.atomic():
        opened = _locked(opened)
        if opened.sealed_at is None:  # first of all, so that further pushes gather elsewhere and wait for nothing
            opened.sealed_at = timezone.now()
            opened.save(update_fields=["sealed_at"])
    with transaction.atomic():
        opened = _locked(opened)
        if opened.delivery is None:
            opened.delivery = _deliver(opened)
            opened.save(update_fields=["delivery"])
            opened.receipts.update(lines="")
        return opened.delivery


def _locked(opened: OpenDelivery) -> OpenDelivery:
    """As it stands, after whoever seals it has ended. Locked without its delivery: joined, that would be as it was before."""
    return OpenDelivery.objects.select_for_update().get(pk=opened.pk)


def _deliver(opened: OpenDelivery) -> Delivery:
    folder = lake.work_folder(f"push-{opened.pk}")
    try:
        file = folder / "bytes"
        with file.open("w", encoding="utf-8", newline="") as whole:
            for lines in opened.receipts.order_by("first").values_list("lines", flat=True).iterator(chunk_size=500):
                whole.write(lines)
        name = f"push-{opened.pk}.ndjson"
        return take_in(source=opened.source, file=file, name=name, given=opened.business_date, by="push").delivery
    finally:
        lake.discard(folder)


def place_of(receipt: Receipt) -> tuple[int, int]:
    """The numbers of a receipt's first and last record in its delivery."""
    return receipt.first, receipt.first + receipt.records - 1
