"""Repairs: what a person does with a quarantined row. The raw line stays; the repaired row becomes a record of a delivery."""

from collections.abc import Mapping

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from ingestion import custody, lake
from ingestion.audit_log import record_event
from ingestion.deliveries import mapping_of, plan_normalization
from ingestion.errors import IngestionError
from ingestion.models import Delivery, Normalization, QuarantinedRow, Repair, RepairedCell, Source
from ingestion.quarantine import said_of
from ingestion.replay import Tried, cells_of_row, deliver_repaired, holder_of, try_cells
from ingestion.work import retry
from review.nul import NO_NUL
from review.recorded import changed_cells, only_user, record_repair
from review.repair_rules import (
    AlreadySaid,
    RepairRefused,
    check_comment,
    check_confirms,
    check_right,
    check_unsaid,
    check_withdraws,
    needing_second,
)

Action = Repair.Action


def try_repair(*, row: QuarantinedRow, cells: Mapping[str, str], by: User) -> Tried:
    """What the mapping would make of a row with these cells; nothing is written.

    `cells` are texts by column; a column that is left out keeps what the raw line has there.
    """
    check_right(by)
    return _tried(row, _whole(row, cells))


@transaction.atomic
def repair(*, row: QuarantinedRow, cells: Mapping[str, str], comment: str, by: User) -> Repair:
    """Give a row other cells, so that it is a record. Under four eyes the first person proposes, and a second one who
    repairs it the same confirms.

    `cells` are texts by column; a column that is left out keeps what the raw line has there.
    """
    row = _locked(row)
    check_right(by)
    check_comment(comment)
    whole = _whole(row, cells)
    standing = said_of(row).filter(withdrawn=False).first()
    if standing is not None and standing.confirmed_by_id is None and _same(standing, whole):
        return confirm_repair(repair=standing, by=by)
    check_unsaid(standing)
    tried = _tried(row, whole)
    if tried.reason:
        raise RepairRefused(f"With these values it is no record either. {tried.reason}")
    _is_its_own(row, tried.key)
    return _write(row, Action.REPAIR, comment, by, whole)


@transaction.atomic
def dismiss(*, row: QuarantinedRow, comment: str, by: User) -> Repair:
    """Say that a row is no record, and why."""
    row = _locked(row)
    check_right(by)
    check_comment(comment)
    standing = said_of(row).filter(withdrawn=False).first()
    if standing is not None and standing.confirmed_by_id is None and standing.action == Action.DISMISS:
        return confirm_repair(repair=standing, by=by)
    check_unsaid(standing)
    return _write(row, Action.DISMISS, comment, by, {})


@transaction.atomic
def confirm_repair(*, repair: Repair, by: User) -> Repair:
    """Confirm another person's proposal."""
    repair = _locked_repair(repair)
    check_confirms(repair, by)
    repair.confirmed_by, repair.confirmed_at = by, timezone.now()
    repair.save(update_fields=["confirmed_by", "confirmed_at"])
    custody.seal([repair])
    record_repair("repair.confirmed", repair, repair.row, by)
    return repair


@transaction.atomic
def withdraw_repair(*, repair: Repair, by: User) -> Repair:
    """Take back what was said of a row, so that it is open again. What was replayed stays."""
    repair = _locked_repair(repair)
    check_withdraws(repair, by)
    repair.withdrawn = True
    repair.save(update_fields=["withdrawn"])
    custody.seal([repair])
    record_repair("repair.withdrawn", repair, repair.row, by)
    return repair


@transaction.atomic
def replay(*, delivery: Delivery, by: User) -> Delivery:
    """Make a delivery of the repaired rows of a delivery that were not replayed yet. The next run of the date takes it."""
    check_right(by)
    delivery = Delivery.objects.select_for_update(of=("self",)).select_related("source").get(pk=delivery.pk)
    repairs = list(_waiting(delivery))
    if not repairs:
        raise RepairRefused(f"No repaired row of delivery {delivery.pk} waits to be replayed. Repair one first.")
    _no_later_picture(delivery)
    try:
        made = deliver_repaired(delivery, repairs, by.get_username())
    except IngestionError as error:
        raise RepairRefused(str(error)) from None
    for number, one in enumerate(repairs, 1):
        one.delivery, one.record_number = made, number
    Repair.objects.bulk_update(repairs, ["delivery", "record_number"])
    custody.seal(repairs)
    plan_normalization(made)
    after = {"rows": len(repairs), "delivery": made.pk}
    record_event("rows.replayed", of=delivery, by=by, reconciliation=only_user(delivery.source), after=after)
    return made


def read_again(*, delivery: Delivery, by: User) -> Delivery:
    """Have a delivery read by its source's current mapping, after the mapping was repaired, or the cause of a failure mended."""
    if not by.has_perm("ingestion.add_delivery"):
        raise RepairRefused(
            "Analysts, Supervisors, Managers and Administrators have a delivery read again. Ask one of them."
        )
    if not lake.local(delivery.path).exists():
        raise RepairRefused(
            f"The raw bytes of delivery {delivery.pk} are no longer kept, so it cannot be read again. Repair its rows."
        )
    current, reading = delivery.source.current_mapping(), mapping_of(delivery)
    if reading.pk != current.pk:
        raise RepairRefused(
            f"Mapping {current.version} is for the columns of later deliveries; delivery {delivery.pk} stays as mapping "
            f"{reading.version} read it. Repair its rows."
        )
    with transaction.atomic():
        Delivery.objects.select_for_update().get(pk=delivery.pk)
        if delivery.normalizations.filter(mapping=current).exclude(state=Normalization.State.FAILED).exists():
            raise AlreadySaid(
                f"Mapping {current.version} has read delivery {delivery.pk}, or reads it just now; it would read the same again. "
                "Change the mapping first."
            )
        retry(plan_normalization(delivery))
        record_event("delivery.read_again", of=delivery, by=by, reconciliation=only_user(delivery.source))
    return delivery


def waiting_to_replay(delivery: Delivery) -> int:
    """How many repaired rows of a delivery wait to be replayed."""
    return _waiting(delivery).count()


def _waiting(delivery: Delivery) -> QuerySet[Repair]:
    standing = Repair.objects.filter(
        row__normalization__delivery=delivery, action=Action.REPAIR, withdrawn=False, confirmed_by__isnull=False,
        delivery=None,
    )  # fmt: skip
    return standing.select_related("row").prefetch_related("cells").order_by("row__record_number")


def _locked(row: QuarantinedRow) -> QuarantinedRow:
    """The row, after whoever works on its delivery has ended."""
    Delivery.objects.select_for_update().get(pk=row.normalization.delivery_id)
    return QuarantinedRow.objects.select_related("normalization__delivery__source").get(pk=row.pk)


def _locked_repair(repair: Repair) -> Repair:
    """The repair as it stands, after whoever replays its delivery has ended."""
    _locked(repair.row)
    return Repair.objects.select_for_update().get(pk=repair.pk)


def _whole(row: QuarantinedRow, given: Mapping[str, str]) -> dict[str, str]:
    """Every cell of the row: what was given, else what the raw line has."""
    as_came = cells_of_row(row).by_column
    for column, text in given.items():
        if column not in as_came:
            raise RepairRefused(f"The file has no column {column!r}. It has {', '.join(list(as_came)[:20])}.")
        if "\0" in text or "\x01" in text:
            raise RepairRefused(NO_NUL)
    return {column: given.get(column, was or "") for column, was in as_came.items()}


def _tried(row: QuarantinedRow, cells: Mapping[str, str]) -> Tried:
    try:
        return try_cells(mapping_of(row.normalization.delivery), cells)
    except IngestionError as error:
        raise RepairRefused(str(error)) from None


def _is_its_own(row: QuarantinedRow, key: str) -> None:
    delivery = row.normalization.delivery
    _no_later_picture(delivery)
    holder = holder_of(delivery, key)
    if holder is not None:
        raise RepairRefused(
            f"Delivery {holder.pk} holds the record {key} already, and the repaired row would replace it. Give the row its "
            "own key, or dismiss it."
        )


def _no_later_picture(delivery: Delivery) -> None:
    """Under snapshots a later complete picture speaks for every record of the date."""
    later = Delivery.objects.filter(
        source=delivery.source_id, business_date=delivery.business_date, pk__gt=delivery.pk, replayed_from=None
    )
    if delivery.source.delivers == Source.Delivers.SNAPSHOT and (newest := later.order_by("-pk").first()):
        raise RepairRefused(
            f"Delivery {newest.pk} is a later complete picture of {delivery.business_date}, so this row no longer counts. "
            "Dismiss it."
        )


def _same(standing: Repair, cells: Mapping[str, str]) -> bool:
    return standing.action == Action.REPAIR and {it.column: it.value for it in standing.cells.all()} == cells


def _write(row: QuarantinedRow, action: str, comment: str, by: User, cells: Mapping[str, str]) -> Repair:
    now, source = timezone.now(), row.normalization.delivery.source_id
    second = bool(needing_second([source]))
    said = Repair.objects.create(
        row=row, action=action, comment=comment.strip(), proposed_by=by, proposed_at=now, four_eyes=second,
        confirmed_by=None if second else by, confirmed_at=None if second else now,
    )  # fmt: skip
    was = cells_of_row(row).by_column if cells else {}
    RepairedCell.objects.bulk_create(
        RepairedCell(repair=said, position=position, column=column, was=was[column], value=text)
        for position, (column, text) in enumerate(cells.items(), 1)
    )
    custody.seal([said])
    action = "repair.proposed" if second else "repair.made"
    record_repair(action, said, row, by, **({"cells": changed_cells(was, cells)} if cells else {}))
    return said
