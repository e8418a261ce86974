"""Why a model named a reason: its features and their weights, made anew on demand by the code that served the run."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Prefetch

from attribution.artifacts import kept_model
from attribution.cases import Chosen, load_cases, no_late
from attribution.context import context_of
from attribution.explaining import explain_cases
from attribution.models import Attribution, Candidate, ModelVersion
from ingestion.lake import AlteredFile
from reconciliation.models import Break, Run
from reconciliation.rules import Rules
from reconciliation.session import session

if TYPE_CHECKING:
    import pandas as pd

    from attribution.contributions import Weighed

SPOKE = "model:"
APART = 0.002  # of two confidences: what cutting to thousandths and the order of sums explain


@dataclass(frozen=True)
class Why:
    """What weighed in the word of a model on a difference; `refused` says why it cannot be told; `changed`: what is weighed is no
    longer what the model saw."""

    field: str
    version: int
    run: int
    weighed: "Weighed | None" = None
    refused: str = ""
    changed: bool = False


def speaks_by_model(assigned_by: str) -> bool:
    """Whether an attribution's speaker is a model."""
    return assigned_by.startswith(SPOKE)


def why(brk: Break) -> list[Why]:
    """One for each current difference of a break of which a model spoke, in the order of the differences."""
    said = list(_said(brk))
    if not said:
        return []
    told: dict[int, Why] = {}
    for version, run in {(it.assigned_by, it.run_id): it for it in said}:
        told |= _of_run(brk, version, run, [it for it in said if (it.assigned_by, it.run_id) == (version, run)])
    return [told[it.difference_id] for it in said]


def _said(brk: Break) -> Iterator[Attribution]:
    """What a model said last of each current difference."""
    candidates = Prefetch("candidates", Candidate.objects.order_by("rank"), to_attr="best")
    spoken = Attribution.objects.filter(
        difference__brk=brk, difference__current=True, assigned_by__startswith=SPOKE
    ).select_related("difference")
    last = spoken.order_by("difference_id", "-id").distinct("difference_id")
    yield from (it for it in last.prefetch_related(candidates) if it.best)


def _of_run(brk: Break, speaker: str, run_id: int, said: Sequence[Attribution]) -> dict[int, Why]:
    number = int(speaker.removeprefix(SPOKE))
    try:
        weighed = _weighed(brk, number, run_id, said)
    except AlteredFile as error:
        return {it.difference_id: Why(it.difference.field, number, run_id, refused=str(error)) for it in said}
    return {
        it.difference_id: Why(
            it.difference.field,
            number,
            run_id,
            found,
            "" if found else f"{it.difference.field} is not compared any more.",
            found is not None and abs(found.confidence - float(it.best[0].confidence)) > APART,  # type: ignore[attr-defined]
        )
        for it, found in zip(said, weighed, strict=True)
    }


def _weighed(brk: Break, number: int, run_id: int, said: Sequence[Attribution]) -> "list[Weighed | None]":
    """In the order of `said`; None for a difference that has no row."""
    version = ModelVersion.objects.filter(reconciliation=brk.reconciliation_id, version=number).first()
    if version is None:
        raise AlteredFile(f"Model {number} is no longer in the registry. Restore it from a backup.")
    model = kept_model(version)

    from attribution.contributions import weigh  # after the model: who has none waits for no library

    rows = _rows(brk, Run.objects.select_related("rule_set").get(pk=run_id), model.columns.habits)
    held = [it for it in said if it.difference_id in rows.index]
    if not held:
        return [None] * len(said)
    named = [_named([c.reason_id for c in it.best], model.reasons) for it in held]  # type: ignore[attr-defined]
    found = weigh(model, rows.loc[[it.difference_id for it in held]], named)
    of_difference = dict(zip([it.difference_id for it in held], found, strict=True))
    return [of_difference.get(it.difference_id) for it in said]


def _named(candidates: Sequence[str], known: Sequence[str]) -> tuple[str, str]:
    """The reason that was named and the next best; where there was one alone, any other."""
    first, *others = [*candidates, *known]
    return first, next(it for it in others if it != first)


def _rows(brk: Break, run: Run, habits: Sequence[str]) -> "pd.DataFrame":
    """The rows that the model sees, by difference."""
    from attribution.difference_rows import OF_RECORD, create_rows

    shape = brk.reconciliation.record_type.shape()
    with session(f"why-{brk.pk}") as (duck, _):
        load_cases(duck, Chosen("b.id = %s", [brk.pk], "d.current"), shape)
        no_late(duck)
        explain_cases(duck, shape, context_of(Rules(run.rule_set.document), shape))
        create_rows(duck, shape, [name.removeprefix(OF_RECORD) for name in habits if name != "field"])
        return duck.execute("SELECT *, unnest(ids) AS id FROM field_row").df().set_index("id")
