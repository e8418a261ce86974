"""Where one can look: every address that answers GET, filled with what stands in the database. What walks over all pages takes
its way from here, so that a new page is measured, bounded and looked at as soon as it is there."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.contrib import admin
from django.db.models import IntegerField, Max, Min, Model, QuerySet
from django.urls import URLResolver, get_resolver, reverse
from django.utils.http import urlencode

from attribution.models import Draw, ModelVersion, SecondOpinion, Training
from ingestion.models import Alert, Delivery, MappingProposal, QuarantinedRow, Receipt, RecordType
from reconciliation.models import Break, Reconciliation, Run
from review.models import BulkAnswer, BulkDecision, Decision, Export, Incident, SavedView

Query = Mapping[str, object]
PAGE, PART, REST, ADMIN = "page", "part", "rest", "admin"
FILES = {
    "export_journey",
    "export_file",
    "bulk_results",
    "statement",
    "admin:definition_file",
    "api-export-file",
    "schema",
    "api-signed-journey",
    "public_key",
}  # fmt: skip - read whole, once, and no page that somebody waits for
ELSEWHERE = {
    "login": "for who is not signed in", "setup_draft": "a draft's own test", "upload_preview": "an upload's own test",
    "admin:upload_preview": "an upload's own test", "admin:login": "refused", "admin:autocomplete": "no admin page has it",
    "admin:jsi18n": "words for scripts", "bulk_preview": "of who asked for it alone", "None": "health, metrics, and what is not there", "admin:None": "what is not there",
}  # fmt: skip
PARTIAL = {"bell"}
POSTED = {
    "logout",
    "choose_bulk",
    "choose_rows",
    "train_model",
    "ask_export",
    "read_alerts",
    "choose_export",
    "choose_look",
}  # these know no GET, or none without a query
QUEUES: Sequence[Query] = (
    {}, {"state": "all"}, {"state": "waiting"}, {"state": "passed"}, {"state": "rejected"}, {"reason": "SIGN_FLIP"}, {"kind": "missing_in_a"},
    {"band": "UNKNOWN"}, {"assigned": "me"}, {"age": "1d"}, {"age": "old"}, {"kind": "differing", "age": "7d"}, {"key": "nothing"},
    {"q": "reason:UNKNOWN amount>1000 age>2d"}, {"q": "state:all proof:no field:amount"}, {"q": "state:held"},
)  # fmt: skip


@dataclass(frozen=True)
class Place:
    """An address, the name of its pattern, and what it is: a page, a part of one, REST, or a page of the admin."""

    name: str
    url: str
    kind: str = PAGE


def places(each: int = 3, breaks: Sequence[Break] = ()) -> Iterator[Place]:
    """Every list, and of everything that has a page of its own up to `each`, evenly from the first to the last; or these breaks."""
    drawn = _drawn(each)
    drawn[Break] = list(breaks) or drawn[Break]
    yield from _lists(drawn)
    yield from _details(drawn)
    yield from _rest(drawn)
    yield from _admin(each)


def patterns() -> Iterator[tuple[str, str]]:
    """The name of each pattern, and the address as it spells it."""
    return _patterns(get_resolver())


def _patterns(resolver: URLResolver, space: str = "", before: str = "") -> Iterator[tuple[str, str]]:
    for it in resolver.url_patterns:
        spelt = before + str(it.pattern)
        if isinstance(it, URLResolver):
            yield from _patterns(it, f"{space}{it.namespace}:" if it.namespace else space, spelt)
        else:
            yield f"{space}{it.name}", spelt


def drawn_from(rows: QuerySet, each: int) -> list:
    """Rows evenly spaced by id."""
    if not isinstance(rows.model._meta.pk, IntegerField):
        return list(rows.order_by("pk")[:each])
    ends = rows.aggregate(low=Min("pk"), high=Max("pk"))
    if ends["low"] is None:
        return []
    step = max(1, (ends["high"] - ends["low"]) // max(1, each - 1))
    marks = range(ends["low"], ends["high"] + 1, step)
    found = (rows.filter(pk__gte=mark).order_by("pk").first() for mark in marks)
    return list({it.pk: it for it in found if it is not None}.values())


Drawn = Mapping[type[Model], list]


def _drawn(each: int) -> dict[type[Model], list]:
    models = (
        Break, Run, Delivery, QuarantinedRow, Reconciliation, RecordType, ModelVersion, SecondOpinion, Training,
        MappingProposal, Receipt, BulkAnswer, BulkDecision, Decision, Export, Incident, Alert, SavedView,
    )  # fmt: skip
    audits = Draw.objects.filter(purpose=Draw.Purpose.AUDIT)
    return {model: drawn_from(model.objects.all(), each) for model in models} | {Draw: drawn_from(audits, each)}


def _lists(drawn: Drawn) -> Iterator[Place]:
    for name, spelt in patterns():
        if not re.search(r"<|admin|api/|None", spelt + name) and name not in {*FILES, *ELSEWHERE, *POSTED}:
            yield Place(name, reverse(name), PART if name in PARTIAL else PAGE)
    runs, breaks = drawn[Run], drawn[Break]
    for query in [*QUEUES, *({"run": it.pk} for it in runs[-2:]), *({"key": it.key[:4]} for it in breaks[:2])]:
        yield _asked("queue", query)
    for kind, state in (("", "all"), ("", "open"), ("", "mapping")):
        yield _asked("quarantine", {"state": state, "kind": kind})
    for brk in breaks:
        yield _asked("journey", {"reconciliation": brk.reconciliation.code, "key": brk.key})
        yield _asked("search", {"list": 1, "key": brk.key[: len(brk.key) // 2 + 1]})
    yield _asked("journey", {"key": "nothing"})
    yield from (
        Place("api-rejects", f"{reverse('api-rejects', args=[it.source.code])}?date={it.business_date}", REST)
        for it in drawn[Delivery][:1]
    )
    yield from (_asked("audit", query) for query in ({"kind": "decision.made"}, {"by": "load"}, {"object": "run"}))
    yield from (
        _asked("choose_export", {"what": what, "run": it.pk})
        for it in runs[-1:]
        for what in ("records", "breaks", "differences")
    )
    yield _asked("choose_export", {"what": "queue"})


def _asked(name: str, query: Query, kind: str = PAGE) -> Place:
    return Place(
        name, f"{reverse(name)}?{urlencode({key: value for key, value in query.items() if value != ''})}", kind
    )


DETAILS: Mapping[str, type[Model]] = {
    "break": Break, "next_break": Break, "run": Run, "delivery": Delivery, "changes": Delivery, "quarantined": QuarantinedRow, "model": ModelVersion,
    "blind_audit": Draw, "second_opinion": SecondOpinion, "bulk": BulkDecision, "incident": Incident, "bulk_answer": BulkAnswer,
    "statement": Run, "assign": Break, "bulk_results": BulkDecision, "export_file": Export,
}  # fmt: skip
PARTS: Mapping[str, type[Model]] = {"preview": Break, "people": Break, "why": Break, "similar": Break}


def _details(drawn: Drawn) -> Iterator[Place]:
    for names_of, kind in ((DETAILS, PAGE), (PARTS, PART)):
        for name, model in names_of.items():
            yield from (Place(name, reverse(name, args=[it.pk]), kind) for it in drawn[model])
    for it in drawn[Reconciliation]:
        yield Place("set_up_history", reverse("set_up_history", args=["reconciliation", it.pk]))


API_LISTS: Mapping[str, Sequence[Query]] = {
    "api-run-list": ({}, {"limit": 1000}), "api-delivery-list": ({},), "api-quarantine-list": ({},), "api-quarantine-counts": ({},), "api-quarantine-answer-list": ({},),
    "api-proposal-list": ({},), "api-export-list": ({},), "api-audit-list": ({},), "api-incident-list": ({},), "api-bulk-list": ({},),
    "api-model-list": ({},), "api-training-list": ({},), "api-second-opinion-list": ({},), "api-blind-audit-list": ({},),
    "api-gates": ({},), "api-alert-list": ({},), "api-alert-choices": ({},), "api-definitions": ({},), "api-work": ({},), "api-arrivals": ({},), "api-reconciliations": ({},),
    "api-sources": ({},), "api-reasons": ({},), "api-export-columns": ({"what": "queue"},), "api-break-counts": ({}, {"q": "state:all"}), "api-decision-list": ({}, {"standing": "proposed"}), "api-public-key": ({},), "schema": ({},),
    "api-queue-views": ({},), "api-queue-look": ({},),
    "api-break-list": ({}, {"state": "review"}, {"kind": "gate", "state": "review"}, {"band": "UNKNOWN"}, {"state": "approved"}),
}  # fmt: skip
API_DETAILS: Mapping[str, type[Model]] = {
    "api-run-detail": Run, "api-run-statement": Run, "api-run-summary": Run, "api-delivery-detail": Delivery,
    "api-delivery-changes": Delivery, "api-quarantine-detail": QuarantinedRow, "api-proposal-detail": MappingProposal,
    "api-export-detail": Export, "api-export-file": Export, "api-incident-detail": Incident, "api-bulk-detail": BulkDecision,
    "api-bulk-rows": BulkDecision, "api-quarantine-answer-detail": BulkAnswer, "api-quarantine-answer-rows": BulkAnswer, "api-model-detail": ModelVersion, "api-training-detail": Training,
    "api-second-opinion-detail": SecondOpinion, "api-break-detail": Break, "api-break-similar": Break, "api-break-why": Break,
    "api-blind-audit-detail": Draw, "api-receipt": Receipt, "api-alert-detail": Alert, "api-comments": Break, "api-break-gate": Break,
    "api-break-assignees": Break, "api-break-mentions": Break, "api-decision-detail": Decision, "api-queue-view": SavedView,
}  # fmt: skip


def _rest(drawn: Drawn) -> Iterator[Place]:
    for name, queries in API_LISTS.items():
        yield from (_asked(name, query, REST) for query in queries)
    for name, model in API_DETAILS.items():
        yield from (Place(name, reverse(name, args=[it.pk]), REST) for it in drawn[model])
    for name, model in (("api-stored", RecordType), ("api-gate", Reconciliation), ("api-definition", Reconciliation)):
        yield from (Place(name, reverse(name, args=[it.code]), REST) for it in drawn[model])
    for it in drawn[Reconciliation]:
        yield _asked("api-figures", {"reconciliation": it.code}, REST)
        yield Place("api-set-up-history", reverse("api-set-up-history", args=["reconciliation", it.pk]), REST)
    for brk in drawn[Break]:
        asked = {"reconciliation": brk.reconciliation.code, "key": brk.key}
        yield from (_asked(name, asked, REST) for name in ("api-journey", "api-signed-journey"))
        yield _asked("api-search", {"key": brk.key[: len(brk.key) // 2 + 1]}, REST)
        yield _asked("api-break-list", {"key": brk.key}, REST)


STOCK = re.compile(r"admin:(\w+)_(changelist|add|history|delete|change)")


def _admin(each: int) -> Iterator[Place]:
    """The admin's own pages, and each model's list and a page of up to `each` of its rows."""
    for name in ("index", "definitions", "upload", "password_change_done"):
        yield Place(f"admin:{name}", reverse(f"admin:{name}"), ADMIN)
    for it in Reconciliation.objects.all()[:each]:
        yield Place("admin:definition", reverse("admin:definition", args=[it.code]), ADMIN)
        yield Place("admin:definition_file", reverse("admin:definition_file", args=[it.code]), ADMIN)
    for it in drawn_from(RecordType.objects.all(), each):
        yield Place(
            "admin:ingestion_recordtype_stored", reverse("admin:ingestion_recordtype_stored", args=[it.pk]), ADMIN
        )
    for it in drawn_from(Run.objects.all(), each):
        yield Place(
            "admin:reconciliation_run_followed", reverse("admin:reconciliation_run_followed", args=[it.pk]), PART
        )
    for label in ("ingestion", "reconciliation", "review", "attribution", "auth"):
        yield Place("admin:app_list", reverse("admin:app_list", args=[label]), ADMIN)
    for model in admin.site._registry:
        stem = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        yield Place(f"{stem}_changelist", reverse(f"{stem}_changelist"), ADMIN)
        for row in drawn_from(model._default_manager.all(), min(each, 5)):
            yield Place(f"{stem}_change", reverse(f"{stem}_change", args=[row.pk]), ADMIN)
            yield Place(f"{stem}_history", reverse(f"{stem}_history", args=[row.pk]), ADMIN)
