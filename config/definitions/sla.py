"""Checking until when people have to have decided: `sla`, a rule or a list of rules."""

from collections.abc import Iterator, Mapping

from config.definitions.faults import Fault
from reconciliation.due_times import MOST_DAYS, MOST_HOURS
from reconciliation.models import Break

KEYS = ("kind", "over", "hours", "business_days")
MOST = {"hours": MOST_HOURS, "business_days": MOST_DAYS}


def sla_faults(place: str, rule: Mapping[str, object]) -> Iterator[Fault]:
    """What is wrong with one rule, beside its limits and the names of its keys."""
    if "kind" in rule and rule["kind"] not in Break.Kind.values:
        yield Fault(f"{place}.kind", f"it is one of {', '.join(Break.Kind.values)}")
    given = [name for name in MOST if name in rule]
    if len(given) != 1:
        yield Fault(place, "a rule gives either hours or business_days")
    for name in given:
        value = rule[name]
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST[name]:
            yield Fault(f"{place}.{name}", f"it is a whole number from 1 to {MOST[name]:,}")
