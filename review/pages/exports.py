"""Exports: what to take along of a list or a run, how far it is, and the files."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_POST

from ingestion.person import person_of
from ingestion.ringing import ring_for
from review.downloads import as_download
from review.export_files import BadExport
from review.export_kinds import KINDS, OF_RUN
from review.exporting import MAY, ExportGone, ExportRefused, Wanted, ask_export, kind_of, take_file, visible_exports
from review.ids import id_of
from review.models import Export
from review.nul import NO_NUL
from review.pages.paged import page_of
from review.pages.posted import holds_nul

PAGE = 50
FORGOTTEN_SECONDS = 60  # after which a page says that no worker takes it
OTHERS = {"journey": "Signed journey"}


@dataclass(frozen=True)
class Row:
    """One line of the list."""

    made: Export
    title: str
    filters: str
    is_under_way: bool
    is_there: bool


def exports(request: HttpRequest) -> HttpResponse:
    """What was exported, newest first; while something is under way htmx asks every two seconds."""
    page, following = page_of(request, visible_exports(person_of(request)), PAGE)
    rows = [_row(it) for it in page]
    context = {
        "rows": rows,
        "next": following,
        "before": id_of(request.GET.get("before", "")),
        "is_active": any(it.is_under_way for it in rows),
        "ready": _ready(request, rows),
        "forgotten": next((it for it in rows if _is_forgotten(it.made)), None),
        "days": settings.EXPORT_LIFE.days,
    }
    response = render(request, "review/exports.html" + ("#list" if request.htmx else ""), context)  # type: ignore[attr-defined]
    response.headers["Vary"] = "HX-Request"
    return response


def _row(made: Export) -> Row:
    kind = KINDS.get(made.what)
    return Row(
        made=made,
        title=kind.title if kind else OTHERS.get(made.what, made.what),
        filters=", ".join(
            value if name == "q" else f"{name.replace('_', ' ')} {value}" for name, value in made.filters.items()
        ),
        is_under_way=made.state in Export.UNDER_WAY,
        is_there=bool(made.path) and made.expires_at is not None and made.expires_at > timezone.now(),
    )


def _ready(request: HttpRequest, rows: list[Row]) -> Row | None:
    """The user's newest export, when it has just been made: the line that says so."""
    mine = next((it for it in rows if it.made.asked_by_id == request.user.pk), None)
    if mine is None or not mine.is_there or mine.made.finished_at is None:
        return None
    return mine if (timezone.now() - mine.made.finished_at).total_seconds() < FORGOTTEN_SECONDS else None


def _is_forgotten(made: Export) -> bool:
    waits = (timezone.now() - made.asked_at).total_seconds()
    return made.state == Export.State.READY and waits > FORGOTTEN_SECONDS


@permission_required(MAY, raise_exception=True)
def choose(request: HttpRequest) -> HttpResponse:
    """The form: what, with which filters, columns, in which format."""
    given = {name: str(value) for name, value in request.GET.items() if name not in ("what", "format") and value}
    what = request.GET.get("what", "")
    refused = "" if what in KINDS else "Begin at a run, the queue, the quarantine or a list of stored records."
    return _form(request, Wanted(what, request.GET.get("format", "csv"), given), refused)


def _form(request: HttpRequest, wanted: Wanted, refused: str = "") -> HttpResponse:
    columns: list[str] = []
    if wanted.what in KINDS:
        try:
            columns = list(kind_of(wanted, person_of(request)).columns(person_of(request), wanted.filters))
        except (BadExport, ExportRefused) as error:
            refused = refused or str(error)
    context = {
        "refused": refused,
        "wanted": wanted,
        "kind": KINDS.get(wanted.what),
        "columns": [{"name": it, "is_on": not wanted.columns or it in wanted.columns} for it in columns],
        "formats": Export.Format.choices,
        "tabs": _tabs(wanted),
        "most": settings.EXPORT_ROWS,
        "days": settings.EXPORT_LIFE.days,
    }
    return render(request, "review/export_form.html", context, status=400 if refused else 200)


def _tabs(wanted: Wanted) -> list[dict[str, Any]]:
    """The tables of a run, one of which is chosen."""
    if wanted.what not in OF_RUN:
        return []
    run = {"run": wanted.filters.get("run", "")}
    return [
        {"title": kind.title, "query": urlencode({"what": what, **run}), "is_on": what == wanted.what}
        for what, kind in OF_RUN.items()
    ]


@require_POST
@permission_required(MAY, raise_exception=True)
def ask(request: HttpRequest) -> HttpResponse:
    """Ask for an export; its line stands in the list from then on."""
    wanted = _wanted(request.POST, request.POST.getlist("column"))
    if holds_nul(request):
        return _form(request, Wanted("", "csv"), NO_NUL)
    if not wanted.columns:
        return _form(request, wanted, "Choose at least one column.")
    try:
        asked = ask_export(wanted=wanted, by=person_of(request))
    except (BadExport, ExportRefused) as error:
        return _form(request, wanted, str(error))
    ring_for("make_export", asked.pk, queue=asked.queue)
    messages.success(request, f"Export {asked.pk} is being made. Its line says when it is ready.", extra_tags="ok")
    return redirect("exports")


def _wanted(given: Mapping[str, str], columns: list[str]) -> Wanted:
    own = ("what", "format", "column", "csrfmiddlewaretoken")
    filters = {name: value for name, value in given.items() if name not in own and value}
    return Wanted(given.get("what", ""), given.get("format", ""), filters, columns)


def download(request: HttpRequest, pk: int) -> HttpResponse | FileResponse:
    """The file, to who asked for it or may see every export."""
    made = get_object_or_404(visible_exports(person_of(request)), pk=pk)
    try:
        file = take_file(made, person_of(request))
    except ExportGone as error:
        messages.error(request, f"Export {made.pk}: {error}", extra_tags="bad")
        return redirect("exports")
    return as_download(made, file.open("rb"))
