"""Bulk decisions: each row as `decide` would decide it, once, with its own result; undone as a whole."""

import datetime as dt
from collections.abc import Callable, Mapping

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.http import QueryDict
from django.utils import timezone

from attribution.models import Attribution, Correction
from ingestion import custody
from ingestion.models import AuditEvent
from ingestion.work import LostClaim, claim, silent
from reconciliation.conservation import conservation
from reconciliation.models import Break, Reconciliation, Run, Team
from reconciliation.store.current import stored_versions
from review.bulk.bulks import BulkConflict, BulkRefused, start_bulk, undo_bulk, visible_bulks
from review.bulk.selecting import BadSelection, NotAllVisible, Picked, choose_filtered, choose_rows
from review.bulk.working import work_on
from review.decisions import AlreadyDecided, DecisionRefused, decide, waive
from review.models import BulkDecision, BulkPreview, BulkRow, Decision
from tests.conftest import DAY, problems, row
from tests.standing import lake_folder  # noqa: F401

LEFT = [row("SIGN", "10.00"), row("SAME", "20.00"), row("OTHER", "30.00", party="Beta", country="FR"),
        row("THIRD", "40.00", party="Beta", country="IT"), row("TWICE"), row("TWICE"), row("HIGH", "5000.00"),
        row("ONLY-A"), row("FLAG", "ten"), row("MATCH")]  # fmt: skip
RIGHT = [row("SIGN", "-10.00"), row("SAME", "-20.00"), row("OTHER", "31.00", party="Beta", country="FR"),
         row("THIRD", "41.00", party="Beta", country="IT"), row("HIGH", "5000.00"), row("ONLY-B"), row("FLAG", "11.00"),
         row("MATCH")]  # fmt: skip


@pytest.fixture(scope="module")
def made(standing: Callable[..., Run]) -> Run:
    """Breaks of every kind; two records contradict each other about Beta."""
    return standing(LEFT, RIGHT)


@pytest.fixture
def run(made: Run, db: None) -> Run:
    """The run that found them."""
    return made


def chosen(by: User, **filters: str) -> BulkPreview:
    """A preview of a filter of the queue."""
    query = QueryDict(mutable=True)
    query.update(filters)
    return choose_filtered(query=query, by=by)


def carried_out(
    by: User, action: str = "approve", *, filters: Mapping[str, str] | None = None, **more: str
) -> BulkDecision:
    """Choose by a filter, start, and let a worker do it."""
    bulk = start_bulk(preview=chosen(by, **(filters or {"state": "all"})), action=action, by=by, **more)
    assert not work_on(bulk)
    bulk.refresh_from_db()
    return bulk


def told(key: str) -> tuple[object, ...]:
    """What became of a key, without ids and times."""
    brk = Break.objects.filter(key=key).latest("id")
    decision = brk.decisions.exclude(withdrawn=True).first()
    said = Attribution.objects.filter(difference__brk=brk, current=True).order_by("difference__field")
    labels = Correction.objects.filter(difference__brk=brk, active=True).order_by("difference__field")
    stored = [
        {name: value for name, value in it.items() if name not in ("_id", "_decision", "_valid_from", "_valid_to")}
        for it in stored_versions(brk.reconciliation.record_type, key)
    ]
    events = AuditEvent.objects.filter(kind="break", object_id=brk.pk).order_by("pk")
    return (
        brk.state, brk.reason, brk.band, bool(brk.closed_at),
        decision and (decision.action, decision.reason, decision.comment, decision.record, bool(decision.confirmed_by)),
        list(said.values_list("reason_id", "functional", "confidence", "proof", "assigned_by")),
        [(it.action, it.actor_name, it.run, it.reconciliation, {**it.after, "decision": 0}) for it in events],  # type: ignore[dict-item]
        list(labels.values_list("reason_id", "predicted", "confirmed_by", "before__reason_id")), stored,
    )  # fmt: skip


@pytest.mark.parametrize(
    "given",
    [
        {"action": "approve"},
        {"action": "override", "reason": "FX_VARIANCE"},
        {"action": "override", "reason": "PENDING_INVESTIGATION"},
        {"action": "reject", "reason": "MANUAL_ENTRY_ERR"},
    ],
)
@pytest.mark.parametrize("four_eyes", [False, True])
def test_each_row_is_decided_as_if_alone(
    run: Run, trades: Reconciliation, person: Callable[..., User], given: dict[str, str], four_eyes: bool  # noqa: FBT001
) -> None:  # fmt: skip
    Reconciliation.objects.update(four_eyes=four_eyes)
    custody.seal([trades])
    high = Break.objects.get(key="HIGH")
    waive(brk=high, condition="check:amount:between", by=person("Manager"), comment="agreed")
    by, keys = person("Supervisor"), list(Break.objects.order_by("bucket", "pk").values_list("key", flat=True))
    alone, refused = {}, {}
    with transaction.atomic():
        for key in keys:
            try:
                decide(brk=Break.objects.get(key=key), by=by, comment="so", **given)  # type: ignore[arg-type]
            except DecisionRefused as error:
                refused[key] = str(error)
        alone = {key: told(key) for key in keys}
        transaction.set_rollback(True)
    bulk = carried_out(by, comment="so", **given)
    assert {key: told(key) for key in keys} == alone
    assert dict(bulk.results.filter(state="refused").values_list("brk__key", "said")) == refused
    assert (bulk.state, bulk.done, bulk.refused) == ("done", len(keys) - len(refused), len(refused))
    assert problems() == []
    conservation(run)


def test_a_second_person_confirms_what_a_bulk_proposed(
    run: Run, trades: Reconciliation, person: Callable[..., User]
) -> None:
    Reconciliation.objects.update(four_eyes=True)
    custody.seal([trades])
    proposed = carried_out(person("Analyst"), filters={"key": "S"})
    assert proposed.done == 2 and set(Break.objects.filter(key__startswith="S").values_list("state", flat=True)) == {
        "review"
    }
    again = carried_out(person("Supervisor", "proposer"), "reject", filters={"key": "S"})
    assert again.refused == 2 and "A proposal waits for a second person" in again.results.first().said  # type: ignore[union-attr]
    confirmed = carried_out(person("Manager"), filters={"key": "S"})
    assert confirmed.done == 2 and Decision.objects.filter(confirmed_by__username="manager").count() == 2
    assert list(confirmed.results.values_list("decision", flat=True)) == list(
        proposed.results.values_list("decision", flat=True)
    )
    assert Break.objects.filter(key__startswith="S", state="approved").count() == 2
    assert problems() == []


def test_a_bulk_is_undone_by_who_made_it_at_once_and_later_by_who_may(run: Run, person: Callable[..., User]) -> None:
    analyst, before = person("Analyst"), {it.key: told(it.key) for it in Break.objects.all()}
    bulk = carried_out(analyst, "override", reason="FX_VARIANCE")
    assert bulk.done >= 6
    with pytest.raises(BulkRefused, match="Only analyst undoes it in the first 10 seconds"):
        undo_bulk(bulk=bulk, by=person("Analyst", "other"))
    Decision.objects.update(
        confirmed_at=timezone.now() - dt.timedelta(seconds=60)
    )  # the first rows are older than the last
    custody.seal(Decision.objects.all())
    undoing = undo_bulk(bulk=bulk, by=analyst)
    with pytest.raises(BulkConflict, match="being undone already"):
        undo_bulk(bulk=bulk, by=analyst)
    assert not work_on(undoing)
    undoing.refresh_from_db()
    assert (undoing.done, undoing.refused) == (bulk.done, 0)
    assert {it.key: told(it.key)[:4] for it in Break.objects.all()} == {key: it[:4] for key, it in before.items()}
    assert not Correction.objects.standing().exists() and problems() == []
    with pytest.raises(BulkConflict, match="Nothing of it stands any more"):
        undo_bulk(bulk=bulk, by=analyst)


def test_later_a_bulk_is_undone_with_a_right_and_a_comment(run: Run, person: Callable[..., User]) -> None:
    analyst, manager = person("Analyst"), person("Manager")
    bulk = carried_out(analyst, filters={"key": "S"})
    BulkDecision.objects.update(finished_at=timezone.now() - dt.timedelta(seconds=11))
    custody.seal([bulk])
    bulk.refresh_from_db()
    with pytest.raises(BulkRefused, match="later a Supervisor or a Manager"):
        undo_bulk(bulk=bulk, by=analyst, comment="wrong")
    with pytest.raises(BulkRefused, match="Say in a comment why"):
        undo_bulk(bulk=bulk, by=manager, comment=" ")
    undoing = undo_bulk(bulk=bulk, by=manager, comment="wrong bank")
    work_on(undoing)
    assert set(Decision.objects.values_list("undone_by__username", "undo_comment")) == {("manager", "wrong bank")}
    assert problems() == []


def test_proposals_of_a_bulk_are_withdrawn_with_it(
    run: Run, trades: Reconciliation, person: Callable[..., User]
) -> None:
    Reconciliation.objects.update(four_eyes=True)
    custody.seal([trades])
    analyst = person("Analyst")
    bulk = carried_out(analyst, filters={"key": "S"})
    work_on(undo_bulk(bulk=bulk, by=analyst))
    assert set(Decision.objects.values_list("withdrawn", flat=True)) == {True} and problems() == []


def test_the_first_of_many_that_spoke_of_a_reference_is_undone_without_the_others(
    run: Run, trades: Reconciliation, person: Callable[..., User]
) -> None:
    manager = person("Manager")
    bulk = carried_out(manager, filters={"key": "S"})  # both say that Acme is in DE, as the matched record did
    from review.undoing import undo

    undo(decision=bulk.results.earliest("position").decision, by=manager)  # type: ignore[arg-type]
    assert problems() == [] and Break.objects.filter(state="approved").count() == 1


def test_two_overlapping_bulks_decide_each_row_once(run: Run, person: Callable[..., User]) -> None:
    one, two = person("Analyst", "one"), person("Analyst", "two")
    first = start_bulk(preview=chosen(one, key="S"), action="approve", by=one)
    second = start_bulk(preview=chosen(two), action="reject", by=two)
    work_on(first)
    work_on(second)
    said = dict(second.results.values_list("brk__key", "said"))
    assert said["SIGN"] == said["SAME"] and "decided already by one: approved, " in said["SIGN"]
    assert Decision.objects.filter(brk__key__startswith="S").count() == 2
    assert problems() == []


def test_values_that_changed_since_the_preview_are_refused(
    run: Run, person: Callable[..., User], reconcile: Callable[..., Run]
) -> None:
    by = person("Analyst")
    bulk = start_bulk(preview=chosen(by, key="S"), action="approve", by=by)
    reconcile([row("SIGN", "12.00")], [row("SIGN", "-12.00")], DAY + dt.timedelta(days=1))
    work_on(bulk)
    said = dict(bulk.results.values_list("brk__key", "said"))
    assert said == {"SIGN": "The values changed since you opened this break. Look at it again.", "SAME": ""}
    assert problems() == []


def test_a_start_that_comes_twice_starts_once(run: Run, person: Callable[..., User]) -> None:
    by = person("Analyst")
    preview = chosen(by)
    first = start_bulk(preview=preview, action="approve", by=by)
    assert start_bulk(preview=preview, action="reject", by=by) == first and BulkDecision.objects.count() == 1


def test_a_result_is_written_once(run: Run, person: Callable[..., User]) -> None:
    bulk = carried_out(person("Analyst"), filters={"key": "S"})
    with pytest.raises(IntegrityError, match="of a row of a bulk decision is written once"), transaction.atomic():
        bulk.results.update(said="something else", state="refused")
    with pytest.raises(IntegrityError, match="bulk_row_once_per_break"), transaction.atomic():
        BulkRow.objects.create(bulk=bulk, position=99, brk=Break.objects.get(key="SIGN"), fingerprint="")
    with pytest.raises(IntegrityError, match="bulk_decision_done_is_whole"), transaction.atomic():
        BulkDecision.objects.update(rows=3)


def test_who_took_it_over_is_not_disturbed(
    run: Run, person: Callable[..., User], monkeypatch: pytest.MonkeyPatch
) -> None:
    by = person("Analyst")
    bulk = start_bulk(preview=chosen(by), action="approve", by=by)
    plain = claim

    def overtaken(work: BulkDecision) -> BulkDecision | None:
        mine = plain(work)
        BulkDecision.objects.filter(pk=work.pk).update(fence=99)
        return mine

    monkeypatch.setattr("review.bulk.working.claim", overtaken)
    with pytest.raises(LostClaim), transaction.atomic():
        work_on(bulk)
    assert not Decision.objects.exists() and set(bulk.results.values_list("state", flat=True)) == {"waiting"}


def test_it_gives_way_and_goes_on(run: Run, person: Callable[..., User], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("review.bulk.working.CHUNK", 2)
    by = person("Analyst")
    bulk = start_bulk(preview=chosen(by, state="all"), action="reject", by=by)
    turns = 0
    while work_on(bulk, seconds=0):
        turns += 1
        bulk.refresh_from_db()
        assert bulk.settled == min(2 * turns, bulk.rows) and bulk.attempts == 0
        assert silent(BulkDecision, timezone.now()) == [bulk.pk]
    bulk.refresh_from_db()
    assert turns >= 4 and bulk.state == "done" and problems() == []


def test_what_cannot_be_chosen_or_started(
    run: Run, trades: Reconciliation, person: Callable[..., User], monkeypatch: pytest.MonkeyPatch
) -> None:
    by = person("Analyst")
    for filters, fault in (({"reson": "X"}, "did you mean 'reason'|'reson'"), ({"key": "ZZ"}, "No break stands there")):
        with pytest.raises(BadSelection, match=fault):
            chosen(by, **filters)
    with pytest.raises(BadSelection, match="No break was chosen"):
        choose_rows(picked=[], by=by)
    with pytest.raises(NotAllVisible):
        choose_rows(picked=[Picked(Break.objects.latest("id").pk), Picked(10**12)], by=by)
    with monkeypatch.context() as patched:
        patched.setattr("review.bulk.selecting.MOST", 2)
        with pytest.raises(BadSelection, match="one bulk takes at most 2. Narrow the filter"):
            chosen(by)
    preview = chosen(by)
    for given, fault in (
        ({"action": "burn"}, "There is no action 'burn'"),
        ({"action": "override"}, "An override gives a reason"),
        ({"action": "approve", "comment": "a\0"}, "NUL"),
    ):
        with pytest.raises(BulkRefused, match=fault):
            start_bulk(preview=preview, by=by, **given)
    with pytest.raises(BulkRefused, match="Analysts, Supervisors and Managers"):
        start_bulk(preview=preview, action="approve", by=person("Auditor"))
    monkeypatch.setattr("review.bulk.bulks.TYPED_FROM", 2)
    with pytest.raises(BulkRefused, match="Type the number"):
        start_bulk(preview=preview, action="approve", by=by, typed="7")
    assert start_bulk(preview=preview, action="approve", by=by, typed=f" {len(preview.chosen)} ").rows == len(
        preview.chosen
    )


def test_another_desk_is_not_touched(run: Run, trades: Reconciliation, person: Callable[..., User]) -> None:
    inside, outside = person("Analyst", "inside"), person("Manager", "outside")
    bulk = start_bulk(preview=chosen(inside, key="S"), action="approve", by=inside)
    team = Team.objects.create(code="desk")
    Reconciliation.objects.update(team=team)
    custody.seal([team, trades])
    work_on(bulk)
    assert set(bulk.results.values_list("said", flat=True)) == {
        "This break is not among those that you may see any more."
    }
    team.members.add(inside)
    assert list(visible_bulks(inside)) == [bulk] and not visible_bulks(outside).exists()
    with pytest.raises(NotAllVisible):
        choose_rows(picked=[Picked(Break.objects.latest("id").pk)], by=outside)


def test_a_row_that_somebody_decides_meanwhile_says_so(run: Run, person: Callable[..., User]) -> None:
    one, two = person("Analyst", "one"), person("Analyst", "two")
    bulk = start_bulk(preview=chosen(one, key="SIGN"), action="approve", by=one)
    decide(brk=Break.objects.get(key="SIGN"), action="reject", by=two)
    work_on(bulk)
    assert "decided already by two: rejected, " in bulk.results.get().said
    with pytest.raises(AlreadyDecided):
        decide(brk=Break.objects.get(key="SIGN"), action="approve", by=one)
