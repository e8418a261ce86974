"""Exporting in the background: asked for in a page or by the API, made by a worker, kept for a time, recorded for good."""

import datetime as dt
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from ingestion import custody, lake
from ingestion.alerts import raise_event
from ingestion.audit_log import record_event
from ingestion.suggestion import nearest_end
from ingestion.work import claim, fail, finish, give_back, heartbeat
from reconciliation.models import Run
from reconciliation.visibility import sight_of
from review.export_files import SHEET_ROWS, BadExport, Line, write_table
from review.export_kinds import KINDS, Kind
from review.exports import export
from review.models import Export

MAY, SEES_ALL = "review.add_export", "review.see_every_export"
SAME_WITHIN = dt.timedelta(minutes=1)
AT_ONCE = 5  # exports of one person that are under way
SAID_EVERY = 2.0  # seconds between two words of how far it is
LOOKED_EVERY = 1000  # lines


class ExportRefused(Exception):
    """An export that this user may not ask for, or not now; the text says why."""


class ExportGone(Exception):
    """A file that cannot be had; the text says why, and what to do."""


@dataclass(frozen=True)
class Wanted:
    """What is asked for. Filters are as the page has them; no columns means all of them."""

    what: str
    format: str
    filters: Mapping[str, str] = field(default_factory=dict)
    columns: Sequence[str] = ()


def ask_export(*, wanted: Wanted, by: User) -> Export:
    """Ask for an export; the queue takes it. The same asked twice within a minute is the one under way or made already.

    ExportRefused where the user may not, BadExport names what cannot be.
    """
    if not by.has_perm(MAY):
        raise ExportRefused("Exporting needs a role. Ask an Administrator.")
    kind = kind_of(wanted, by)
    filters = {name: wanted.filters[name] for name in kind.filters if wanted.filters.get(name)}
    columns = _columns(kind.columns(by, filters), wanted.columns)
    with transaction.atomic():
        User.objects.select_for_update().get(pk=by.pk)  # a double click waits here, and finds the first one
        mine, now = Export.objects.filter(asked_by=by), timezone.now()
        same = mine.filter(what=wanted.what, format=wanted.format, filters=filters, columns=columns)
        if (
            found := same.filter(asked_at__gt=now - SAME_WITHIN).exclude(state=Export.State.FAILED).first()
        ) is not None:
            return found
        if mine.filter(state__in=Export.UNDER_WAY).count() >= AT_ONCE:
            raise ExportRefused(f"{AT_ONCE} of your exports are under way. Wait until one has ended.")
        asked = Export.objects.create(
            queue="exports", what=wanted.what, format=wanted.format, filters=filters, columns=columns, asked_by=by,
            asked_at=now,
        )  # fmt: skip
        custody.seal([asked])
        told = {"what": asked.what, "format": asked.format, "filters": asked.filters, "columns": columns}
        record_event("export.asked", of=asked, by=by, after=told)
    return asked


def kind_of(wanted: Wanted, by: User) -> Kind:
    """The kind of table, where there is one and the user may see such things; BadExport or ExportRefused."""
    if (kind := KINDS.get(wanted.what)) is None:
        raise BadExport(f"There is no export {wanted.what[:40]!r}; there is {', '.join(KINDS)}.")
    if wanted.format not in Export.Format.values:
        raise BadExport(f"There is no format {wanted.format[:20]!r}; there is {', '.join(Export.Format.values)}.")
    if not by.has_perm(kind.right):
        raise ExportRefused(f"You may not see what this would hold ({kind.title.lower()}). Ask an Administrator.")
    if unknown := [name for name in wanted.filters if name not in kind.filters]:
        raise BadExport(
            f"An export of {wanted.what} has no filter {unknown[0][:40]!r}{nearest_end(unknown[0], kind.filters)}"
        )
    if missing := [name for name in kind.needs if not wanted.filters.get(name)]:
        raise BadExport(f"Say which {missing[0].replace('_', ' ')}.")
    return kind


def _columns(there: Sequence[str], chosen: Sequence[str]) -> list[str]:
    if unknown := [name for name in chosen if name not in there]:
        raise BadExport(f"There is no column {unknown[0][:83]!r}{nearest_end(unknown[0], there)}")
    return [name for name in there if name in chosen] if chosen else list(there)


def carry_out(asked: Export) -> None:
    """Claim an export and make its file. Nothing happens where another worker has it, or it has ended; what was begun by one
    that went silent is made anew."""
    work = claim(asked)
    if work is None:
        return
    folder = lake.work_folder(f"export-{work.pk}")
    try:
        with heartbeat(work):
            _make(work, folder / f"export.{work.format}")
    except (BadExport, ExportRefused) as refused:
        fail(work, str(refused))
    except BaseException as error:
        give_back(work, error)
        raise
    finally:
        lake.discard(folder)


def _make(work: Export, made: Path) -> None:
    most = min(settings.EXPORT_ROWS, SHEET_ROWS) if work.format == Export.Format.XLSX else settings.EXPORT_ROWS
    by = User.objects.get(pk=work.asked_by_id)
    seen, lines = sight_of(by), _lines(work, by)
    rows = write_table(made, lambda: (work.columns, _counted(work, islice(lines, most))))
    is_cut = next(lines, None) is not None
    size = made.stat().st_size
    name, sha256 = lake.keep(made, f"exports/{work.pk}-{work.fence}.{work.format}")
    with transaction.atomic():
        expires = timezone.now() + settings.EXPORT_LIFE
        finish(work, rows=rows, is_cut=is_cut, size=size, sha256=sha256, path=name, expires_at=expires, seen=seen)
        record_event("export.made", of=work, by=work.asked_by, after={"rows": rows, "size": size, "sha256": sha256})
        raise_event(
            event="export.ready", mark=f"export {work.pk}", person=work.asked_by, link="/exports/",
            sentence=f"Export {work.pk} is ready: {rows:,} line{'' if rows == 1 else 's'} as {work.format}.", now=timezone.now(),
        )  # fmt: skip


def _lines(work: Export, by: User) -> Iterator[Line]:
    """The chosen columns of what the asker may see now."""
    kind = kind_of(Wanted(work.what, work.format, work.filters), by)
    there = list(kind.columns(by, work.filters))
    places = [there.index(name) for name in _columns(there, work.columns)]
    if len(places) == len(there):
        return iter(kind.lines(by, work.filters))
    return ([line[place] for place in places] for line in kind.lines(by, work.filters))


def _counted(work: Export, lines: Iterator[Line]) -> Iterator[Line]:
    """The lines, with a word in the row every few seconds of how many there were."""
    said = time.monotonic()
    for count, line in enumerate(lines, 1):
        if count % LOOKED_EVERY == 0 and time.monotonic() - said > SAID_EVERY:
            said = time.monotonic()
            with transaction.atomic():
                if Export.objects.filter(pk=work.pk, fence=work.fence, state=Export.State.RUNNING).update(rows=count):
                    custody.seal([work])
        yield line


def export_here(what: str, run: Run, target: Path, by: User) -> Export:
    """Write a table of a run to a file outside of the lake, whole, and record it. BadExport as `export`."""
    rows = export(what, run, target)
    return record_export(Wanted(what, target.suffix[1:].lower(), {"run": str(run.pk)}), target, rows, by)


def record_export(wanted: Wanted, file: Path, rows: int, by: User) -> Export:
    """Write down that a file left, which the lake does not keep."""
    now = timezone.now()
    with transaction.atomic():
        made = Export.objects.create(
            queue="", state=Export.State.DONE, started_at=now, finished_at=now, what=wanted.what, format=wanted.format,
            filters=dict(wanted.filters), columns=list(wanted.columns), asked_by=by, asked_at=now, rows=rows,
            size=file.stat().st_size, sha256=lake.sha256_of(file),
        )  # fmt: skip
        custody.seal([made])
        told = {"what": made.what, "format": made.format, "filters": made.filters, "rows": rows, "sha256": made.sha256}
        record_event("export.made", of=made, by=by, after=told)
    return made


def visible_exports(user: User) -> QuerySet[Export]:
    """One's own, newest first; those of everybody with the right to see them."""
    rows = Export.objects.select_related("asked_by").order_by("-id")
    return rows if user.has_perm(SEES_ALL) else rows.filter(asked_by=user.pk)


def take_file(made: Export, by: User) -> Path:
    """The file for a person to take, which is recorded; ExportGone where there is none to have, or it is of what the person no
    longer sees."""
    file = _file_of(made)
    if not by.has_perm(SEES_ALL):
        _check_seen(made, by)
    record_event("export.downloaded", of=made, by=by, after={"sha256": made.sha256})
    return file


def _check_seen(made: Export, by: User) -> None:
    """Who left a team leaves its files: the run or the record type is looked for anew, and a file of no run is for who sees no
    less than when it was made."""
    try:
        kind = kind_of(Wanted(made.what, made.format, made.filters), by)
        kind.columns(by, made.filters)
    except (BadExport, ExportRefused) as refused:
        raise ExportGone(f"You may no longer see what it holds. {refused}") from None
    if not kind.is_of_run and (made.seen is None or not set(made.seen) <= set(sight_of(by))):
        raise ExportGone("You may no longer see all that it holds. Ask for the export again.")


def _file_of(made: Export) -> Path:
    if made.state != Export.State.DONE:
        raise ExportGone("This export has not been made yet." if made.state in Export.UNDER_WAY else made.error)
    if not made.path:
        raise ExportGone("This file was written elsewhere; Tieout keeps only its hash.")
    if made.removed_at is not None or made.expires_at is None or made.expires_at <= timezone.now():
        raise ExportGone("This file has expired. Ask for the export again.")
    try:
        return lake.checked(made.path, made.sha256)
    except lake.AlteredFile:
        raise ExportGone("This file is no longer the one that was made. Ask for the export again.") from None


def forget_expired(now: dt.datetime) -> int:
    """Remove the files whose time is over. Gives how many."""
    over = Export.objects.filter(expires_at__lte=now, removed_at=None).exclude(path="")
    for made in over:
        lake.local(made.path).unlink(missing_ok=True)
        with transaction.atomic():
            Export.objects.filter(pk=made.pk).update(removed_at=now)
            custody.seal([made])
    return len(over)
