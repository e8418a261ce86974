"""Definitions in the admin: pasted or uploaded, checked as `manage.py define` does, applied, shown and downloaded."""

from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from config.definitions.export import export_definition
from config.definitions.faults import BadDefinition, Fault
from config.definitions.permitted import define_as, may_define
from config.definitions.yaml_text import SIZE_CAP
from ingestion.person import person_of
from reconciliation.models import Reconciliation

PAGE = "admin/definitions.html"
SEES = "reconciliation.view_reconciliation"
MOST_FILES = 20


def definition_urls(site: AdminSite) -> list[URLPattern]:
    """The pages' addresses, behind the admin's sign-in."""
    view: Callable[..., Any] = site.admin_view
    return [
        path("definitions/", view(definitions), {"site": site}, name="definitions"),
        path("definitions/<slug:code>/", view(definition), {"site": site}, name="definition"),
        path("definitions/<slug:code>.yaml", view(download), name="definition_file"),
    ]


def definitions(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """What is defined, with versions; POST checks a definition, or applies it."""
    if not request.user.has_perm(SEES):
        raise PermissionDenied
    if request.method == "POST":
        return _posted(request, site)
    return _page(request, site, {"text": ""})


def _posted(request: HttpRequest, site: AdminSite) -> HttpResponse:
    if not may_define(person_of(request)):
        raise PermissionDenied
    text, applies = "", request.POST.get("action") == "apply"
    try:
        text = _given(request)
        with TemporaryDirectory() as folder:
            _put_tables(request, Path(folder))
            said = define_as(person_of(request), text, Path(folder), dry_run=not applies)
    except BadDefinition as bad:
        return _page(request, site, {"text": text or request.POST.get("text", ""), "faults": bad.faults})
    if applies and not request.htmx:  # type: ignore[attr-defined]
        for line in map(str, said) if said else ["Nothing to change."]:
            messages.success(request, line)
        return redirect("admin:definitions")
    return _page(request, site, {"text": text, "said": said, "was_applied": applies, "was_checked": True})


def _given(request: HttpRequest) -> str:
    """The uploaded file, else the pasted text."""
    file = request.FILES.get("file")
    if file is None:
        text = request.POST.get("text", "")
        if not text.strip():
            raise BadDefinition([Fault("", "there is no definition; paste one or choose a file")])
        return text.replace("\r\n", "\n")
    if (file.size or 0) > SIZE_CAP:
        raise BadDefinition([Fault(str(file.name), f"the file has more than {SIZE_CAP:,} bytes")])
    try:
        return file.read().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadDefinition([Fault(str(file.name), "the file is no UTF-8 text")]) from None


def _put_tables(request: HttpRequest, folder: Path) -> None:
    """The value tables that the definition names stand beside it, as they do on a disk."""
    files = request.FILES.getlist("tables")
    if len(files) > MOST_FILES or sum(file.size or 0 for file in files) > SIZE_CAP:
        raise BadDefinition([Fault("", f"the value tables are more than {MOST_FILES} files or {SIZE_CAP:,} bytes")])
    for file in files:
        (folder / Path(str(file.name)).name).write_bytes(file.read())


def _page(request: HttpRequest, site: AdminSite, more: dict[str, Any]) -> HttpResponse:
    context = {
        **site.each_context(request),
        "title": "Definitions",
        "defined": defined(request),
        "may_define": may_define(person_of(request)),
        **more,
    }
    return TemplateResponse(request, PAGE + ("#answer" if request.htmx else ""), context)  # type: ignore[attr-defined]


def defined(request: HttpRequest) -> Sequence[Reconciliation]:
    """The user's reconciliations with the versions of their parts."""
    versions = {
        "rules_version": Max("rule_sets__version"),
        "a_version": Max("a__mappings__version"),
        "b_version": Max("b__mappings__version"),
    }
    visible = Reconciliation.objects.visible_to(request.user).annotate(**versions)
    return list(visible.select_related("a__record_type", "b", "team").order_by("code"))


def _visible(request: HttpRequest, code: str) -> Reconciliation:
    if not request.user.has_perm(SEES):
        raise PermissionDenied
    return get_object_or_404(Reconciliation.objects.visible_to(request.user).select_related("a", "b"), code=code)


def definition(request: HttpRequest, site: AdminSite, code: str) -> HttpResponse:
    """One definition as it stands, ready to be changed."""
    reconciliation = _visible(request, code)
    return _page(request, site, {"text": export_definition(reconciliation), "shown": reconciliation})


def download(request: HttpRequest, code: str) -> HttpResponse:
    """One definition as a file."""
    answer = HttpResponse(export_definition(_visible(request, code)), content_type="application/yaml; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{code}.yaml"'
    return answer
