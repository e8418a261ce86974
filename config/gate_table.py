"""Where a gate stands, as lines for a terminal."""

from attribution.guard import Standing, percent
from attribution.statistics.audit_test import TRIPS


def gate_lines(found: Standing) -> str:
    """The bound in force, what the audits say, and why the gate was moved last."""
    promised = (
        f"the budget is {percent(found.promised)}"
        if found.has_budget
        else f"its confidence says {percent(found.promised)}"
    )
    bound = (
        "closed, nothing passes"
        if found.bound is None
        else f"at most {percent(found.bound)} of what passes may be wrong"
    )
    lines = [
        f"Gate {found.state}: {bound}; {promised}.",
        f"Audits of this window: {found.answers:,} settled, {found.wrong:,} wrong, evidence {found.evidence:.1f} ({TRIPS:.0f} moves the gate); "
        f"{found.waiting:,} wait.",
    ]
    if found.step is not None:
        by = f" by {found.step.by}" if found.step.by else ""
        lines.append(f"{found.step.get_kind_display()} {found.step.at:%Y-%m-%d %H:%M}{by}: {found.step.because}")
    return "\n".join(lines)
