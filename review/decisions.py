"""Decisions: what a person does with a break. The outcome follows at once, and a correction is written."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from attribution.classifier import band
from attribution.corrections import assign_reason, record_correction
from attribution.models import Reason
from ingestion import custody
from reconciliation.custody import seal_breaks
from reconciliation.gate import Condition
from reconciliation.inputs import mapped_names
from reconciliation.models import Break, GateRefusal, Member, Run
from reconciliation.rechecks import failed_checks
from reconciliation.rules import Rules, proposed
from reconciliation.session import session
from reconciliation.store.records import records_relation, store_relation
from reconciliation.store.tables import StoreRefusal
from reconciliation.values import BadValue, canonical_value
from review.models import Decision, DecisionValue, Waiver
from review.models.decision import PENDING
from review.recorded import record_decision, record_waiver

Action = Decision.Action
VOID = "The values changed since."
OLDER = "The store holds this record with a later business date. Reject this break."


class DecisionRefused(Exception):
    """A decision that cannot be; the text says what holds it, and what would help."""


class AlreadyDecided(DecisionRefused):
    """Someone else decided first, or the values changed since they were looked at."""


@transaction.atomic
def decide(
    *,
    brk: Break,
    action: str,
    by: User,
    reason: str = "",
    values: Mapping[str, str | None] | None = None,
    member: Member | None = None,
    comment: str = "",
    expected_fingerprint: str | None = None,
) -> Decision:
    """Approve, override or reject a break; under four eyes the first person proposes, and a second one who decides the same
    confirms.

    DecisionRefused names what holds it back; nothing is written then.
    """
    brk = _locked(brk.pk)
    check_right(brk, by, expected_fingerprint)
    check_action(action, reason, values or {})
    check_fit(brk, action, member, holds_audit=_holds_audit(brk, action))
    if (proposal := brk.decisions.filter(confirmed_by=None, withdrawn=False).first()) is not None:
        if proposal.fingerprint == brk.fingerprint:
            _confirms(proposal, action, reason, values or {}, member)
            return confirm(decision=proposal, by=by)
        _take_back(proposal, None, VOID)  # it was about other values
    if action == Action.OVERRIDE and reason == PENDING and not values:
        return _leave_pending(brk, by, comment)
    record = None if action == Action.REJECT else _record(brk, values or {}, member)
    if record is not None:
        _check(brk, record, _flagged(brk, record, values or {}, member))
    decision = _write(brk, action, by, reason, values or {}, member, comment, record)
    if decision.confirmed_by_id is not None:
        _carry_out(decision)
    return decision


def confirm(*, decision: Decision, by: User) -> Decision:
    """Confirm another person's proposal; its outcome follows. Where the values changed since, the proposal is void from then
    on, and AlreadyDecided says so."""
    with transaction.atomic():
        brk, decision = _open_proposal(decision)
        if not by.has_perm("review.change_decision"):
            raise DecisionRefused("A Supervisor or a Manager confirms a proposal.")
        if decision.proposed_by_id == by.pk:
            raise DecisionRefused("Nobody confirms their own proposal. Another person must.")
        if decision.fingerprint == brk.fingerprint:
            return _confirmed(decision, brk, by)
        _take_back(decision, None, VOID)
    raise AlreadyDecided(
        "The values changed since this was proposed, so the proposal is void. Look at the break again."
    )


@transaction.atomic
def withdraw(*, decision: Decision, by: User) -> Decision:
    """Take a proposal back: who made it, or who may confirm it. The break can be decided anew then."""
    _, decision = _open_proposal(decision)
    if decision.proposed_by_id != by.pk and not by.has_perm("review.change_decision"):
        raise DecisionRefused(f"{decision.proposed_by}, a Supervisor or a Manager withdraws this proposal.")
    _take_back(decision, by)
    return decision


def _open_proposal(decision: Decision) -> tuple[Break, Decision]:
    """The break and its proposal, both locked in that order; AlreadyDecided where it is none any more."""
    brk = _locked(decision.brk_id)
    decision = Decision.objects.select_for_update().get(pk=decision.pk)
    if decision.confirmed_by_id is not None or decision.withdrawn:
        raise AlreadyDecided("This proposal is no longer open.")
    return brk, decision


def _locked(pk: int) -> Break:
    """The break as it stands, after whoever works on it has ended. Locked without its run: joined, a break that a run took
    up meanwhile would not be found."""
    Break.objects.select_for_update().get(pk=pk)
    return Break.objects.select_related("reconciliation", "last_run").get(pk=pk)


def _confirmed(decision: Decision, brk: Break, by: User) -> Decision:
    if decision.record is not None:
        given = dict(decision.values.values_list("field", "value"))
        _check(brk, decision.record, _flagged(brk, decision.record, given, decision.chosen))
    decision.confirmed_by, decision.confirmed_at = by, timezone.now()
    decision.save(update_fields=["confirmed_by", "confirmed_at"])
    custody.seal([decision])
    _carry_out(decision)
    record_decision("decision.confirmed", decision, by, brk=brk)
    return decision


def _take_back(decision: Decision, by: User | None, because: str = "") -> None:
    decision.withdrawn = True
    decision.save(update_fields=["withdrawn"])
    custody.seal([decision])
    record_decision("decision.withdrawn", decision, by, because=because)


@transaction.atomic
def waive(*, brk: Break, condition: str, by: User, comment: str) -> Waiver:
    """Let one failed check of a break be, with a comment."""
    brk = Break.objects.select_for_update().get(pk=brk.pk)
    if not by.has_perm("review.waive_check"):
        raise DecisionRefused("Only a Manager waives a check.")
    if not comment.strip():
        raise DecisionRefused("A waiver needs a comment that says why.")
    held = condition.startswith("check:") and brk.refusals.filter(condition=condition, current=True).exists()
    if brk.state != Break.State.REVIEW or not held:
        raise DecisionRefused("No such check holds this break back.")
    waiver, is_new = Waiver.objects.get_or_create(
        brk=brk,
        condition=condition,
        fingerprint=brk.fingerprint,
        defaults={"comment": comment.strip(), "waived_by": by, "waived_at": timezone.now()},
    )
    custody.seal([waiver])
    if is_new:
        record_waiver(waiver, brk)
    return waiver


def may_decide(brk: Break, by: User) -> bool:
    """Whether a user has the right to decide a break that stands in review."""
    return by.has_perm("review.add_decision") and brk.state == Break.State.REVIEW


def check_right(brk: Break, by: User, expected: str | None) -> None:
    """DecisionRefused where this user may not decide the break, or not as it stands; `expected` is the fingerprint that was seen."""
    if not by.has_perm("review.add_decision"):
        raise DecisionRefused("Analysts, Supervisors and Managers decide breaks. Ask one of them.")
    if brk.state in (Break.State.APPROVED, Break.State.REJECTED):
        last = brk.decisions.filter(confirmed_by__isnull=False, undone_by=None).first()
        who = f" by {last.confirmed_by}, {last.get_action_display().lower()}" if last else ""
        raise AlreadyDecided(f"This break was decided already{who}.")
    if brk.state != Break.State.REVIEW:
        raise AlreadyDecided(f"This break is {brk.get_state_display().lower()}; there is nothing to decide.")
    if expected is not None and expected != brk.fingerprint:
        raise AlreadyDecided("The values changed since you opened this break. Look at it again.")


def _confirms(
    proposal: Decision, action: str, reason: str, values: Mapping[str, str | None], member: Member | None
) -> None:
    """Whether this is what another person proposed; AlreadyDecided where it is something else."""
    proposed = (
        proposal.action,
        proposal.reason,
        dict(proposal.values.values_list("field", "value")),
        proposal.chosen_id,
    )
    if proposed != (action, reason, dict(values), member.pk if member else None):
        raise AlreadyDecided(
            f"A proposal waits for a second person: {proposal.action} by {proposal.proposed_by}. "
            "Decide the same to confirm it, or withdraw it first on the page of the break."
        )


def check_action(action: str, reason: str, values: Mapping[str, str | None]) -> None:
    """DecisionRefused where no break could be decided so."""
    if action not in Action.values:
        raise DecisionRefused(f"There is no action {action!r}. There is approve, override and reject.")
    if reason and not Reason.objects.filter(code=reason, active=True).exists():
        raise DecisionRefused(f"There is no active reason {reason!r}.")
    if reason == "UNKNOWN":
        raise DecisionRefused("UNKNOWN is no reason. Name the reason, or leave it out.")
    if action == Action.OVERRIDE and not reason and not values:
        raise DecisionRefused("An override gives a reason, a value, or both.")


def check_fit(brk: Break, action: str, member: Member | None, *, holds_audit: bool) -> None:
    """DecisionRefused where this break cannot be decided so. `holds_audit`: it had passed, and an audit sent it back."""
    if member is not None and (member.brk_id != brk.pk or not member.current):
        raise DecisionRefused("That row does not stand in this break.")
    if action == Action.REJECT and holds_audit:
        raise DecisionRefused(
            "The store holds this record, since it had passed; a rejection would not take it out. Override what is wrong, "
            "or approve it as it is."
        )
    if brk.kind == Break.Kind.DUPLICATE and action != Action.REJECT and member is None:
        raise DecisionRefused("Name the row that is right: a duplicate has several.")


def _holds_audit(brk: Break, action: str) -> bool:
    return action == Action.REJECT and brk.refusals.filter(condition=GateRefusal.AUDIT, current=True).exists()


def _record(brk: Break, values: Mapping[str, str | None], member: Member | None) -> dict[str, str | None]:
    """The record that the decision would store: the proposed one, or the named row, with the values that were given."""
    shape = brk.reconciliation.record_type.shape()
    if member is not None:
        record = dict(member.record)
    else:
        record = _proposed(brk, {side: row.record for side, row in _first_rows(brk).items()})
    for name, text in values.items():
        try:
            leaf = shape.leaf(name)
            record[leaf.name] = canonical_value(leaf, text)
        except KeyError:
            raise DecisionRefused(f"The record has no field {name!r}.") from None
        except BadValue as error:
            raise DecisionRefused(f"{name}: {error}") from None
    for leaf in shape.key_leaves:
        if leaf.name in values and values[leaf.name] is not None:
            raise DecisionRefused(f"{leaf.name} is the key; it cannot be changed.")
    return record


def _first_rows(brk: Break) -> dict[str, Member]:
    return {row.side: row for row in brk.members.filter(current=True).order_by("-position")}


def _proposed(brk: Break, sides: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Of each leaf, the value of the side that the proposed record takes it from."""
    run, shape = brk.last_run, brk.reconciliation.record_type.shape()
    mapped = (mapped_names(run, "a", shape), mapped_names(run, "b", shape))
    return proposed(shape, Rules(run.rule_set.document), sides.get("a"), sides.get("b"), *mapped)


def _flagged(
    brk: Break, record: Mapping[str, str | None], values: Mapping[str, str | None], member: Member | None
) -> list[Condition]:
    """What a record would leave empty because the delivered value does not fit its field, and nobody gave another."""
    rows = {"a": member} if member is not None else _first_rows(brk)
    texts = _proposed(brk, {side: {name: row.raw.get(name, "") for name in row.flags} for side, row in rows.items()})
    given = {brk.reconciliation.record_type.shape().leaf(name).name for name in values}
    return flagged_conditions(texts, record, given)


def flagged_conditions(
    texts: Mapping[str, Any], record: Mapping[str, str | None], given: Collection[str]
) -> list[Condition]:
    """A condition for each delivered text, by leaf, that the record leaves empty and that nobody gave another value for."""
    return [
        Condition(f"flagged:{name}", f"{name} {text} does not fit its field.", holds=False)
        for name, text in texts.items()
        if text is not None and record.get(name) is None and name not in given
    ]


def _check(brk: Break, record: Mapping[str, str | None], flagged: list[Condition]) -> None:
    waived = set(brk.waivers.filter(fingerprint=brk.fingerprint).values_list("condition", flat=True))  # type: ignore[attr-defined]
    check_held([*flagged, *failed_checks(brk, record)], waived)


def check_held(conditions: Sequence[Condition], waived: Collection[str]) -> None:
    """DecisionRefused with what the gate holds against a record, but for what a Manager let be."""
    failed = [it for it in conditions if it.code not in waived]
    if failed:
        sentences = " ".join(it.sentence for it in failed)
        waivable = ", or let a Manager waive the check" if any(it.code.startswith("check:") for it in failed) else ""
        raise DecisionRefused(f"Held by the gate. {sentences} Override the value{waivable}.")


def _write(
    brk: Break,
    action: str,
    by: User,
    reason: str,
    values: Mapping[str, str | None],
    member: Member | None,
    comment: str,
    record: Mapping[str, str | None] | None,
) -> Decision:
    now = timezone.now()
    alone = not brk.reconciliation.four_eyes
    decision = Decision.objects.create(
        brk=brk,
        run=brk.last_run,
        fingerprint=brk.fingerprint,
        action=action,
        reason=reason,
        chosen=member,
        comment=comment,
        proposed_by=by,
        proposed_at=now,
        confirmed_by=by if alone else None,
        confirmed_at=now if alone else None,
        four_eyes=brk.reconciliation.four_eyes,
        record=record,
    )
    given = DecisionValue.objects.bulk_create(
        DecisionValue(decision=decision, field=field, value=value) for field, value in values.items()
    )
    custody.seal([decision])
    custody.seal(given)
    action = "decision.made" if alone else "decision.proposed"
    record_decision(action, decision, by, brk=brk, values=dict(values), row=member and str(member))
    return decision


def _carry_out(decision: Decision) -> None:
    """The outcome: the store or not, the rows' states, the reasons and corrections."""
    brk = decision.brk
    if decision.record is not None:
        _store(decision)
    _settle_rows(decision)
    brk.state = Break.State.REJECTED if decision.record is None else Break.State.APPROVED
    brk.closed_at, brk.closed_because = decision.confirmed_at, f"decision {decision.pk}"
    brk.reason = decision.reason or brk.reason
    brk.save(update_fields=["state", "closed_at", "closed_because", "reason"])
    who = decision.confirmed_by.get_username() if decision.confirmed_by else ""
    for difference in brk.differences.filter(current=True):
        record_correction(difference=difference, reason=decision.reason, by=who, decision=decision.pk, run=brk.last_run)
    seal_breaks([brk.pk])


def _store(decision: Decision) -> None:
    brk, run = decision.brk, decision.run
    shape = brk.reconciliation.record_type.shape()
    with session(f"decision-{decision.pk}") as (duck, _):
        records_relation(duck, shape, [(brk.key, brk.bucket, decision.record)], "approved")  # type: ignore[list-item]
        try:
            loaded = store_relation(
                duck,
                "approved",
                shape=shape,
                record_type=brk.reconciliation.record_type,
                run_id=run.pk,
                business_date=run.business_date,
                mapped=_mapped(run, shape),
                decision_id=decision.pk,
                bucket_range=(brk.bucket, brk.bucket),
            )
        except StoreRefusal as refusal:
            raise DecisionRefused(str(refusal)) from None
    if loaded.older:
        raise DecisionRefused(OLDER)


def _mapped(run: Run, shape: Any) -> frozenset[str]:  # noqa: ANN401
    return mapped_names(run, "a", shape) | mapped_names(run, "b", shape)


def _settle_rows(decision: Decision) -> None:
    """Stored or rejected; of a duplicate the named row is stored and the others stay duplicates."""
    if decision.record is None or decision.chosen_id is None:
        return  # the rows follow their break
    rows = decision.brk.members.filter(current=True)
    rows.exclude(pk=decision.chosen_id).update(state=Member.State.DUPLICATE)
    rows.filter(pk=decision.chosen_id).update(state=Member.State.WITH_BREAK)


def _leave_pending(brk: Break, by: User, comment: str) -> Decision:
    """Someone is looking into it: the reason says so, the break stays in review."""
    decision = Decision.objects.create(
        brk=brk, run=brk.last_run, fingerprint=brk.fingerprint, action=Action.OVERRIDE, reason=PENDING, comment=comment,
        proposed_by=by, proposed_at=timezone.now(), withdrawn=True,
    )  # fmt: skip
    custody.seal([decision])
    for difference in brk.differences.filter(current=True):
        assign_reason(difference=difference, reason=PENDING, by=by.get_username(), run=brk.last_run)
    brk.band = band(brk.confidence, PENDING) if brk.confidence is not None else ""
    brk.reason = PENDING
    brk.save(update_fields=["band", "reason"])
    seal_breaks([brk.pk])
    record_decision("decision.pending", decision, by, brk=brk)
    return decision
