"""The numbers of a model as a table for a terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from attribution.models import ModelVersion
from attribution.promotion import verdict_of


def model_line(model: ModelVersion) -> str:
    """One line: what it is, what it learned from, how good it was."""
    told = model.metrics
    return (
        f"{model.version:>4}  {model.state:10}{model.labels:>8,} labels  {model.first_day} to {model.last_day}  "
        f"accuracy {told['accuracy']:.3f}  calibration error {told['calibration_error']:.3f}  {model.artifact_sha256[:12]}"
    )


def model_table(model: ModelVersion) -> str:
    """What it learned from, and what it said of later labels, beside the provers."""
    told, provers = model.metrics, model.metrics["provers"]
    habits = ", ".join(model.habits) or "none"
    lines = [
        f"{model}, {model.state}, {model.labels:,} labels, {model.first_day} to {model.last_day}; habits of {habits}",
        "",
        f"On the last {told['labels']:,} labels   {'model':>8}{'provers':>10}",
        f"Right reason          {told['accuracy'] * 100:>10.1f} %{provers['accuracy'] * 100:>8.1f} %",
        f"Would pass            {_share(told['gate'], 'passes')}{_share(provers['gate'], 'passes')}",
        f"  an error among them {_count(told['gate'], 'errors')}{_count(provers['gate'], 'errors')}",
        f"  another reason      {_count(told['gate'], 'other_reason')}{_count(provers['gate'], 'other_reason')}",
        f"Log loss              {told['log_loss']:>10.3f}",
        f"Calibration error     {told['calibration_error']:>10.3f}",
        "",
        f"{'Reason':24}{'labels':>8}   {'precision (95 %)':24}{'recall (95 %)':24}",
        *(_reason(name, it, model.label_counts) for name, it in told["reasons"].items()),
    ]
    rule = [f"  {'holds' if it.holds else 'fails':8}{it.sentence}" for it in verdict_of(model).conditions]
    return "\n".join([*lines, "", "The rule of promotion", *rule, ""])


def _share(gate: Mapping[str, Any], name: str) -> str:
    return f"{gate[name] / gate['labels'] * 100:>8.1f} %" if gate["labels"] else f"{'-':>10}"


def _count(gate: Mapping[str, Any], name: str) -> str:
    return f"{gate[name]:>8,}  "


def _reason(name: str, it: Mapping[str, Any], counts: Mapping[str, int]) -> str:
    return f"{name:24}{counts.get(name, 0):>8,}   {_interval(it['precision']):24}{_interval(it['recall']):24}".rstrip()


def _interval(share: Sequence[float] | None) -> str:
    if share is None:
        return "-"
    found, low, high = share
    return f"{found * 100:.0f} % ({low * 100:.0f} to {high * 100:.0f} %)"
