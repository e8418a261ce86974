"""The set-up page: upload two files, look at what is proposed, accept, change or refuse each, apply, run."""

import datetime as dt
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from config.definitions.faults import BadDefinition, Fault
from config.definitions.permitted import define_as
from config.definitions.yaml_text import read_yaml
from config.pipeline import ring
from config.setup.answers import definition_of, rows_shown, tables_shown
from config.setup.draft import Draft, draft_of, drop_draft, make_draft
from config.suggesting import trial_document, try_document
from ingestion.arrival import take_in
from ingestion.business_date import given_date
from ingestion.errors import IngestionError
from reconciliation.models import Reconciliation, Run
from reconciliation.runs import start_run
from review.navigation import SETS_UP


def _admin(request: HttpRequest) -> User:
    user = request.user
    if not isinstance(user, User) or not user.has_perms(SETS_UP):
        raise PermissionDenied
    return user


def start(request: HttpRequest) -> HttpResponse:
    """Two files; POST proposes for them."""
    user = _admin(request)
    if request.method != "POST":
        return render(request, "setup/start.html")
    a, b = request.FILES.get("a"), request.FILES.get("b")
    if a is None or b is None:
        return _refused(request, "Choose a file for each side.")
    try:
        draft = make_draft(a=a, b=b, by=user.get_username())
    except IngestionError as error:
        return _refused(request, str(error))
    return redirect("setup_draft", draft.token)


def _refused(request: HttpRequest, sentence: str) -> HttpResponse:
    messages.error(request, sentence, extra_tags="bad")
    return render(request, "setup/start.html", status=400)


def draft(request: HttpRequest, token: UUID) -> HttpResponse:
    """What is proposed, each with its evidence."""
    return _page(request, _own(token, _admin(request)), None, {})


def _own(token: UUID, user: User) -> Draft:
    found = draft_of(token, user.get_username())
    if found is None:
        raise Http404("There is no such draft; it was applied, or is more than a day old.")
    return found


@require_POST
def answer(request: HttpRequest, token: UUID) -> HttpResponse:
    """Try the answers on the files and show them as a definition, or apply them and start the run."""
    user = _admin(request)
    found = _own(token, user)
    posted = {name: str(value) for name, value in request.POST.items()}
    try:
        code, text = definition_of(found, posted)
        if posted.get("action") != "apply":
            return _page(request, found, posted, {"definition": text, **_tried(user, found, text)})
        run = _applied(user, found, code, text, given_date(posted.get("date", "")))
    except BadDefinition as bad:
        return _page(request, found, posted, {"faults": bad.faults})
    except (IngestionError, ValueError) as error:
        return _page(request, found, posted, {"sentence": str(error)})
    drop_draft(found)
    ring(run)
    messages.success(request, f"{code} is set up, and its first run has started.")
    return redirect("run", run.pk)


def _tried(user: User, found: Draft, text: str) -> dict[str, Any]:
    """What the definition with the changes makes of the files; BadDefinition where it could not be applied."""
    with tempfile.TemporaryDirectory() as folder:
        define_as(user, text, Path(folder), dry_run=True)
    return {"would": trial_document(try_document(read_yaml(text), found.files)), "is_changed": True}


@transaction.atomic
def _applied(user: User, found: Draft, code: str, text: str, date: dt.date) -> Run:
    """Define, deliver both files, ask for a run; all or nothing."""
    with tempfile.TemporaryDirectory() as folder:
        define_as(user, text, Path(folder), dry_run=False)
    reconciliation = Reconciliation.objects.select_related("a", "b").get(code=code)
    for source, file in zip((reconciliation.a, reconciliation.b), found.files, strict=True):
        take_in(source=source, file=file, name=file.name, given=date, by=user.get_username())
    return start_run(reconciliation=reconciliation, business_date=date, by=user.get_username())


def _faults_of(row: Mapping[str, Any], faults: Sequence[Fault]) -> list[str]:
    """What is wrong with a row's field, for beside it."""
    name = str(row.get("name") or "")
    return [str(it) for it in faults if name and name in it.place.replace(",", ".").split(".")]


def _page(
    request: HttpRequest, found: Draft, posted: Mapping[str, str] | None, more: Mapping[str, Any]
) -> HttpResponse:
    rows = [row | {"faults": _faults_of(row, more.get("faults", ()))} for row in rows_shown(found, posted)]
    context = {
        "draft": found,
        "found": found.found,
        "a": found.found["sides"][0],
        "b": found.found["sides"][1],
        "rows": rows,
        "joined": sum(bool(row["use"]) for row in rows),
        "weak": sum(bool(row.get("is_weak")) for row in rows),
        "tables": tables_shown(found, posted),
        "code": (posted or {}).get("code") or found.found["name"],
        "date": (posted or {}).get("date") or timezone.now().date().isoformat(),
        **more,
    }
    context.setdefault("would", found.found["would_match"])
    context["would_match"] = f"{context['would']['share']:.1%}"
    is_wrong = "faults" in more or "sentence" in more
    return render(request, "setup/draft.html", context, status=400 if is_wrong else 200)
