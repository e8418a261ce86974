"""Handing in a file: upload it, look at what it would become, accept or discard it. The pages and the admin are two doors."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRedirect

from ingestion.business_date import given_date
from ingestion.control_totals import Declared
from ingestion.errors import IngestionError
from ingestion.models import Delivery, Source
from ingestion.person import person_of
from ingestion.preview import previewed
from ingestion.ringing import ring_for_normalizing
from ingestion.uploads import (
    Settled,
    Upload,
    accept_upload,
    all_staged,
    bytes_of,
    discard_upload,
    held_already,
    stage,
    staged,
)
from reconciliation.visibility import visible_sources
from review.dry_run import dry_run
from review.ids import is_number

View = Callable[..., HttpResponse]
SETTLED = "That upload is settled already: it was accepted, discarded, or is more than a day old."


@dataclass(frozen=True)
class Door:
    """Where the same views stand: their templates' folder, the prefix of their addresses' names, the page of a delivery,
    and what else every page there shows."""

    folder: str
    prefix: str
    delivery: str
    deliveries: str
    context: Callable[[HttpRequest], dict[str, Any]]

    def url(self, name: str, *args: object) -> str:
        """The address of one of the views."""
        return reverse(f"{self.prefix}{name}", args=args)

    def page(self, request: HttpRequest, name: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
        """A page of this door."""
        given = {**self.context(request), "upload_url": self.url("upload"), **context}
        return render(request, f"{self.folder}/{name}.html", given, status=status)


PAGES = Door("review", "", "delivery", "deliveries", lambda _: {})


def upload_urls(door: Door, wrap: Callable[[View], View] = lambda view: view) -> list[URLPattern]:
    """The addresses of a door's views."""
    return [
        path("upload/", wrap(start), {"door": door}, name="upload"),
        path("upload/<uuid:token>/", wrap(show), {"door": door}, name="upload_preview"),
        path("upload/<uuid:token>/accept/", wrap(accept), {"door": door}, name="upload_accept"),
        path("upload/<uuid:token>/discard/", wrap(discard), {"door": door}, name="upload_discard"),
    ]


def start(request: HttpRequest, door: Door) -> HttpResponse:
    """A form for files, with those that wait; POST keeps them aside, and leads to the preview of one or to the list of several."""
    sources = list(_sources(request))
    if request.method != "POST":
        return door.page(request, "upload", _form(request, door, sources, request.GET.get("source", "")))
    code, date, files = request.POST.get("source", ""), request.POST.get("date", ""), request.FILES.getlist("file")
    kept, refused = _kept_aside(request, next((it for it in sources if it.code == code), None), files, date)
    if not kept:
        return _refused(request, door, refused, _form(request, door, sources, code, date))
    if request.htmx and request.POST.get("listed"):  # type: ignore[attr-defined]
        return render(request, "review/upload/kept.html", {"it": _waiting(request, door, sources, kept)[0]})
    for sentence in refused:
        messages.error(request, sentence, extra_tags="bad")
    url = door.url("upload_preview", kept[0].token) if len(files) == 1 else door.url("upload")
    return HttpResponseClientRedirect(url) if request.htmx else redirect(url)  # type: ignore[attr-defined]


def _kept_aside(
    request: HttpRequest, source: Source | None, files: Sequence[UploadedFile], date: str
) -> tuple[list[Upload], list[str]]:
    """The files that were kept, and a sentence for each that was not."""
    kept: list[Upload] = []
    refused: list[str] = []
    for file in files or (None,):
        try:
            kept.append(_stage(request, source, file, date))
        except IngestionError as error:
            refused.append(str(error))
    return kept, list(dict.fromkeys(refused))


def _stage(request: HttpRequest, source: Source | None, file: UploadedFile | None, date: str) -> Upload:
    if source is None:
        raise IngestionError("Choose the source that the file is of.")
    if file is None:
        raise IngestionError("Choose a file.")
    given, by = given_date(date) if date else None, person_of(request).get_username()
    return stage(
        source=source, upload=file, given=given, by=by, sent=request.POST.get("sha256", ""), declared=_declared(request)
    )


@dataclass(frozen=True)
class Waiting:
    """An upload that waits for its maker's answer; `held` is an earlier delivery of the same bytes, `held_url` its page."""

    upload: Upload
    source: Source
    url: str
    held: Delivery | None
    held_url: str


def _waiting(request: HttpRequest, door: Door, sources: Sequence[Source], uploads: Sequence[Upload]) -> list[Waiting]:
    by_id = {it.pk: it for it in sources}
    same = Delivery.objects.filter(sha256__in=[it.sha256 for it in uploads], source__in=by_id).order_by("id")
    held = {it.sha256: it for it in same.select_related("source")} if uploads else {}
    return [
        Waiting(
            it, by_id[it.source_id], door.url("upload_preview", it.token), (before := held.get(it.sha256)),
            reverse(door.delivery, args=[before.pk]) if before else "",
        )
        for it in uploads
        if it.source_id in by_id
    ]  # fmt: skip


def _sources(request: HttpRequest) -> Any:  # noqa: ANN401
    """The sources that the user may deliver to."""
    if not request.user.has_perm("ingestion.add_delivery"):
        raise PermissionDenied
    return visible_sources(request.user).order_by("code")


def _form(request: HttpRequest, door: Door, sources: list[Source], code: str, date: str = "") -> dict[str, Any]:
    waiting = _waiting(request, door, sources, all_staged(person_of(request).get_username()))
    return {"sources": sources, "code": code, "date": date, "most": settings.UPLOAD_BYTES, "waiting": waiting}


def _declared(request: HttpRequest) -> Declared | None:
    """What the manifest says: a count, and sums such as `amount=1234.50`, apart by commas or spaces."""
    count = request.POST.get("records", "").strip()
    if count and not is_number(count):
        raise IngestionError(f"{count[:40]!r} is no number of records.")
    sums = request.POST.get("sums", "").replace(",", " ").split()
    return Declared.given(int(count) if count else None, sums)


def _refused(request: HttpRequest, door: Door, sentences: Sequence[str], context: dict[str, Any]) -> HttpResponse:
    sentence = " ".join(sentences)
    if request.htmx:  # type: ignore[attr-defined]
        return render(request, "review/upload/refused.html", {"sentence": sentence}, status=400)
    return door.page(request, "upload", {**context, "sentence": sentence}, status=400)


def show(request: HttpRequest, token: UUID, door: Door) -> HttpResponse:
    """What the file would become."""
    kept, source = _kept(request, token)
    if kept is None or source is None:
        return _settled(request)
    try:
        with bytes_of(kept) as file, previewed(file, source.current_mapping(), kept.declared) as (found, records):
            tried = dry_run(kept, source, found, records)
    except Settled:
        return _settled(request)
    held = held_already(kept, [it.pk for it in _sources(request)])
    context = {
        "upload": kept,
        "source": source,
        "found": found,
        "tried": tried,
        "former_url": reverse(door.delivery, args=[tried.former.pk]) if tried and tried.former else "",
        "held": [(it, reverse(door.delivery, args=[it.pk])) for it in held],
        "same": next((it for it in held if (it.source_id, it.business_date) == (source.pk, kept.date)), None),
        "accept_url": door.url("upload_accept", token),
        "discard_url": door.url("upload_discard", token),
    }
    return door.page(request, "upload_preview", context)


def _settled(request: HttpRequest) -> HttpResponse:
    return render(request, "404.html", {"sentence": SETTLED}, status=404)


def _kept(request: HttpRequest, token: UUID) -> tuple[Upload | None, Source | None]:
    """The user's own upload with its source, where that may still be seen."""
    sources = _sources(request)
    kept = staged(token, person_of(request).get_username())
    return kept, None if kept is None else sources.filter(pk=kept.source_id).first()


@require_POST
def accept(request: HttpRequest, token: UUID, door: Door) -> HttpResponse:
    """Make it a delivery and have it read."""
    kept, source = _kept(request, token)
    if kept is None or source is None:
        messages.warning(request, SETTLED, extra_tags="warn")
        return redirect(door.deliveries)
    try:
        accepted, work = accept_upload(kept, source)
    except IngestionError as error:
        messages.error(request, str(error), extra_tags="bad")
        return redirect(door.url("upload"))
    ring_for_normalizing(work)
    pk = accepted.delivery.pk
    said = "was accepted; its rows are read now" if accepted.is_new else "has the same bytes; nothing was added"
    messages.success(request, f"Delivery {pk} {said}.", extra_tags="ok")
    return redirect(door.delivery, pk)


@require_POST
def discard(request: HttpRequest, token: UUID, door: Door) -> HttpResponse:
    """Forget it."""
    kept, _ = _kept(request, token)
    if kept is not None:
        discard_upload(kept)
        messages.success(request, f"Discarded {kept.name}. Nothing was stored.", extra_tags="ok")
    return redirect(door.url("upload"))
