"""The quarantine: rows that are no records, by source, date and reason; and what a person does with one."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import urlencode
from django.views.decorators.http import require_POST

from ingestion.deliveries import mapping_of, plan_normalization
from ingestion.file_format import FileFormat
from ingestion.models import Delivery, QuarantinedRow
from ingestion.normalize import column_position
from ingestion.person import person_of
from ingestion.quarantine import DISMISSED, OPEN, REPLAYED, STATES, WAITING, said_of, with_state
from ingestion.replay import Tried, cells_of_row
from ingestion.ringing import ring_for_normalizing
from reconciliation.visibility import visible_deliveries, visible_sources
from review.pages.paged import page_of
from review.quarantined import ALL, SHOWN_REASONS, Asked, BadFilter, counts_by_reason, narrowed, visible_rows
from review.repair_rules import CONFIRMS, REPAIRS, RepairRefused, allows, check_confirms, check_withdraws
from review.repairs import (
    confirm_repair,
    dismiss,
    read_again,
    repair,
    replay,
    try_repair,
    waiting_to_replay,
    withdraw_repair,
)  # fmt: skip

PAGE = 50
SHOWN_RAW = 100_000  # characters; the API gives a longer line whole
CELL = "cell:"  # a form's input of a cell is called so, then its place from 1
ROW = "review/quarantine/row.html"
VERBS = {
    OPEN: ("dismiss",), WAITING: ("confirm", "withdraw"), DISMISSED: ("withdraw",), REPLAYED: (), ALL: ("dismiss", "withdraw"),
}  # fmt: skip


@dataclass(frozen=True)
class Input:
    """One cell of the form: its column, the fields that are mapped from it, what came, and what stands there now."""

    place: int
    column: str
    fields: tuple[str, ...]
    was: str | None
    text: str

    @property
    def has_lines(self) -> bool:
        """Whether it needs several lines to be typed in."""
        return "\n" in self.text or "\r" in self.text


def quarantine(request: HttpRequest) -> HttpResponse:
    """The rows, newest first, with their counts by reason."""
    refused = ""
    try:
        asked = Asked.of(request.GET)
    except BadFilter as error:
        asked, refused = Asked(), str(error)
    rows = visible_rows(request.user)
    found = narrowed(rows, asked)
    page, following = page_of(request, with_state(found), PAGE)
    reasons = counts_by_reason(narrowed(rows, replace(asked, reason="")))
    counted = sum(count for _, count in reasons) if not asked.reason and len(reasons) < SHOWN_REASONS else None
    tabs = [_tab(rows, asked, state, counted) for state in (*STATES, ALL)]
    context = {
        "rows": page,
        "next": _query(asked, before=following) if following else "",
        "asked": asked,
        "filters": _query(asked),
        "refused": refused,
        "tabs": tabs,
        "total": next(tab["count"] for tab in tabs if tab["is_on"]),
        "reasons": [
            {"title": reason, "count": count, "query": _query(replace(asked, reason=reason))}
            for reason, count in reasons
        ],
        "any_reason": _query(replace(asked, reason="")),
        "sources": visible_sources(request.user).order_by("code"),
        "verbs": _verbs(request, asked) if page else [],
        "is_narrowed": bool(asked.source or asked.date or asked.reason),
    }
    return render(request, "review/quarantine.html", context)


def _verbs(request: HttpRequest, asked: Asked) -> list[tuple[str, str]]:
    """What the user may say of many rows of the state at once."""
    if not request.user.has_perm(REPAIRS):
        return []
    verbs = VERBS[asked.state]
    may_confirm = request.user.has_perm(CONFIRMS)
    return [(verb, verb.capitalize()) for verb in verbs if verb != "confirm" or may_confirm]


def _tab(rows: QuerySet[QuarantinedRow], asked: Asked, state: str, counted: int | None) -> dict[str, object]:
    """A tab of the states; `counted` are the rows of the one that is on, where they were counted already."""
    of_state, is_on = replace(asked, state=state), asked.state == state
    known = counted if is_on else None
    return {
        "title": state.capitalize(),
        "query": _query(of_state),
        "is_on": is_on,
        "count": None if state == ALL else known if known is not None else narrowed(rows, of_state).count(),
    }


def _query(asked: Asked, **more: int) -> str:
    given: dict[str, Any] = {
        "source": asked.source,
        "date": asked.date,
        "reason": asked.reason,
        "state": asked.state,
        **more,
    }
    return urlencode({name: value for name, value in given.items() if value and value != OPEN})


def visible_row(request: HttpRequest, pk: int) -> QuarantinedRow:
    """A row that the user may see, also one that a later reading made a record of; 404 for any other."""
    seen = QuarantinedRow.objects.filter(normalization__delivery__source__in=visible_sources(request.user))
    return get_object_or_404(seen.select_related("normalization__delivery__source", "normalization__mapping"), pk=pk)


def quarantined(request: HttpRequest, pk: int) -> HttpResponse:
    """One row, whole."""
    return render(request, ROW, _context(request, visible_row(request, pk)))


def _context(request: HttpRequest, row: QuarantinedRow, given: dict[str, str] | None = None) -> dict[str, Any]:
    said = list(said_of(row))
    standing = next((it for it in said if not it.withdrawn), None)
    came, delivery, user = cells_of_row(row), row.normalization.delivery, person_of(request)
    mapping = mapping_of(delivery)
    may = user.has_perm(REPAIRS)
    return {
        "row": row,
        "raw": row.raw[:SHOWN_RAW],
        "is_cut": len(row.raw) > SHOWN_RAW,
        "delivery": delivery,
        "said": said,
        "standing": standing,
        "inputs": _inputs(row, came.by_column, given or {}, mapping.document),
        "beyond": came.beyond,
        "may_repair": may and standing is None,
        "may_withdraw": allows(check_withdraws, standing, user),
        "may_confirm": allows(check_confirms, standing, user),
        "waiting": waiting_to_replay(delivery) if may else 0,
        "mapping": mapping,
        "is_older": mapping.pk != row.normalization.mapping_id,
        "may_define": user.has_perm("ingestion.change_mapping"),
        "may_read_again": user.has_perm("ingestion.add_delivery"),
    }


def _inputs(
    row: QuarantinedRow, came: Any, given: dict[str, str], document: dict[str, Any]  # noqa: ANN401
) -> list[Input]:  # fmt: skip
    format_ = FileFormat.from_document(row.normalization.format)
    fields: dict[int | None, list[str]] = {}
    for path, mapped in document.items():
        if mapped.get("column") is not None:
            fields.setdefault(column_position(format_, str(mapped["column"])), []).append(path)
    return [
        Input(place, column, tuple(fields.get(place - 1, ())), was, given.get(column, was or ""))
        for place, (column, was) in enumerate(came.items(), 1)
    ]


@require_POST
@permission_required(REPAIRS, raise_exception=True)
def answer_row(request: HttpRequest, pk: int) -> HttpResponse:
    """Try, repair, dismiss, confirm or withdraw."""
    row = visible_row(request, pk)
    cells, tried, refused, done = _cells(request, row), None, "", ""
    try:
        tried, done = _carried_out(request, row, cells)
    except RepairRefused as error:
        refused = str(error)
    if done and not request.htmx:  # type: ignore[attr-defined]
        messages.success(request, done, extra_tags="ok")
        return redirect("quarantined", row.pk)
    context = {**_context(request, row, cells), "refused": refused, "tried": tried, "done": done}
    return render(request, f"{ROW}#whole" if request.htmx else ROW, context)  # type: ignore[attr-defined]


def _cells(request: HttpRequest, row: QuarantinedRow) -> dict[str, str]:
    """What was typed in. A form ends every line with CR LF, which is no change where the cell has other line ends."""
    given = {}
    for place, (column, was) in enumerate(cells_of_row(row).by_column.items(), 1):
        text = request.POST.get(f"{CELL}{place}")
        if text is not None:
            given[column] = was if was is not None and _one_end(was) == _one_end(text) else _one_end(text)
    return given


def _one_end(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _carried_out(request: HttpRequest, row: QuarantinedRow, cells: dict[str, str]) -> tuple[Tried | None, str]:
    """What a trial found, or a sentence with what was done."""
    action, by, comment = request.POST.get("action", ""), request.user, request.POST.get("comment", "")
    standing = said_of(row).filter(withdrawn=False).first()
    if action == "try":
        return try_repair(row=row, cells=cells, by=by), ""  # type: ignore[arg-type]
    if action == "dismiss":
        return None, f"{dismiss(row=row, comment=comment, by=by).told}."  # type: ignore[arg-type]
    if action == "confirm" and standing is not None:
        return None, f"{confirm_repair(repair=standing, by=by).told}."  # type: ignore[arg-type]
    if action == "withdraw" and standing is not None:
        return None, f"{withdraw_repair(repair=standing, by=by).told}."  # type: ignore[arg-type]
    if action not in ("repair", "replay"):
        raise RepairRefused("There is nothing to do with this row any more. Look at it again.")
    said = repair(row=row, cells=cells, comment=comment, by=by)  # type: ignore[arg-type]
    if action == "repair" or said.confirmed_by_id is None:
        return None, f"{said.told}."
    return None, f"Repaired. {_replayed(request, row.normalization.delivery)}"


def _replayed(request: HttpRequest, delivery: Delivery) -> str:
    made = replay(delivery=delivery, by=person_of(request))
    ring_for_normalizing(plan_normalization(made))
    return f"Delivery {made.pk} holds what was repaired; the next run of {made.business_date} takes it."


@require_POST
@permission_required(REPAIRS, raise_exception=True)
def replay_delivery(request: HttpRequest, pk: int) -> HttpResponse:
    """Replay what was repaired of a delivery."""
    return _of_delivery(request, pk, _replayed)


@require_POST
@permission_required("ingestion.add_delivery", raise_exception=True)
def read_delivery_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Read a delivery by the current mapping."""
    return _of_delivery(request, pk, _read_again)


def _read_again(request: HttpRequest, delivery: Delivery) -> str:
    work = plan_normalization(read_again(delivery=delivery, by=person_of(request)))
    ring_for_normalizing(work)
    return (
        f"Delivery {delivery.pk} is read again by mapping {work.mapping.version}. Run its date again for the outcome."
    )


def _of_delivery(request: HttpRequest, pk: int, act: Callable[[HttpRequest, Delivery], str]) -> HttpResponse:
    delivery = get_object_or_404(visible_deliveries(request.user), pk=pk)
    try:
        messages.success(request, act(request, delivery), extra_tags="ok")
    except RepairRefused as error:
        messages.error(request, str(error), extra_tags="bad")
    return redirect("delivery", delivery.pk)
