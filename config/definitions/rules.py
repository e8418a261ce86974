"""Checking the rules of a reconciliation: what is matched and compared, whose value stands, what the gate asks for."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from attribution.provers.registry import PROVERS
from config.definitions.faults import Fault
from config.definitions.sla import KEYS as SLA
from config.definitions.sla import sla_faults
from ingestion.errors import BadMapping
from ingestion.shape import Leaf
from ingestion.suggestion import nearest
from ingestion.value_sql import check_pattern
from reconciliation.engine.rules import CompareRule
from reconciliation.values import BadValue, canonical_value

Document = Mapping[str, object]
MATCH = ("on", "one_sided", "wait", "group")
LONGEST_WAIT = 60
GATE = (
    "confidence", "budget", "max_auto_amount", "max_auto_difference", "amount_field", "currency_field", "checks", "audit_rate",
    "audit_floor",
)  # fmt: skip
MOST_AUDITS = 10_000
BUDGETS = ("0.10", "0.05", "0.02", "0.01", "none")
CHECKS = {
    "not_null": (),
    "between": ("min", "max"),
    "in": ("values",),
    "regex": ("pattern",),
    "before": ("other",),
    "known": (),
}
NUMBERS, DAYS = ("integer", "decimal"), ("date", "datetime")
COMPARED: Mapping[str, tuple[str, ...]] = {
    "absolute": NUMBERS, "relative": NUMBERS, "basis_points": NUMBERS, "days": DAYS, "business_days": DAYS,
    "ignore": ("text",),
}  # fmt: skip
NEEDED = ("values", "pattern", "other")
PROVER = ("reason", "confidence", "active")
LARGEST_LIMIT = Decimal(10) ** 28


@dataclass(frozen=True)
class RecordFields:
    """What a record type's rules may name: its fields, and its leaves by mapping path."""

    record_type: str
    keys: Sequence[str]
    references: Mapping[str, Sequence[str]]  # to the paths of their keys
    leaves: Mapping[str, Leaf]

    @property
    def names(self) -> list[str]:
        """Every name, in order."""
        return list(dict.fromkeys([*self.references, *self.leaves]))

    def leaf(self, name: str) -> Leaf | None:
        """The one value that a name stands for; None for a reference with a composite key."""
        keys = self.references.get(name, ())
        return self.leaves.get(keys[0] if len(keys) == 1 else name)

    def unknown(self, place: str, name: object) -> Iterator[Fault]:
        """A fault where there is no such field."""
        if name not in self.names:
            sentence = f"record type {self.record_type!r} has no field {name!r}{nearest(str(name), self.names)}"
            yield Fault(place, sentence)


def rule_faults(place: str, document: Document, fields: RecordFields, reasons: Iterable[str]) -> Iterator[Fault]:
    """What is wrong with a reconciliation's rules."""
    yield from _match(f"{place}.match", _mapping(document, "match"), fields)
    yield from _compare(f"{place}.compare", _mapping(document, "compare"), fields)
    for name, side in _mapping(document, "authority").items():
        yield from fields.unknown(f"{place}.authority.{name}", name)
        if side not in ("a", "b"):
            yield Fault(f"{place}.authority.{name}", "the authority is a or b")
    yield from _gate(f"{place}.gate", _mapping(document, "gate"), fields)
    for number, rule in enumerate(document.get("sla") or []):  # type: ignore[var-annotated, arg-type]
        yield from unknown_keys(f"{place}.sla[{number}]", rule, SLA)
        yield from _limits(f"{place}.sla[{number}].over", rule.get("over"))
        yield from sla_faults(f"{place}.sla[{number}]", rule)
    yield from _provers(f"{place}.provers", _mapping(document, "provers"), list(reasons))


def unknown_keys(place: str, document: Document, known: Iterable[str]) -> Iterator[Fault]:
    """A fault for each key that there is not, with the one that may be meant."""
    for key in document:
        if key not in known:
            yield Fault(f"{place}.{key}".strip("."), f"there is no key {key!r} here{nearest(key, known)}")


def _mapping(document: Document, key: str) -> Document:
    return document.get(key) or {}  # type: ignore[return-value]


def _match(place: str, match: Document, fields: RecordFields) -> Iterator[Fault]:
    yield from unknown_keys(place, match, MATCH)
    on = match.get("on")
    if on is not None and sorted(map(str, on)) != sorted(fields.keys):  # type: ignore[call-overload]
        yield Fault(f"{place}.on", f"the records are matched on their key fields: {', '.join(fields.keys)}")
    if match.get("one_sided", "both") not in ("both", "a", "b"):
        yield Fault(f"{place}.one_sided", "it is both, a or b")
    wait = match.get("wait", 0)
    if isinstance(wait, bool) or not isinstance(wait, int) or not 0 <= wait <= LONGEST_WAIT:
        yield Fault(f"{place}.wait", f"it is a whole number of business days, at most {LONGEST_WAIT}")


def _compare(place: str, compare: Document, fields: RecordFields) -> Iterator[Fault]:
    for name, rule in compare.items():
        yield from fields.unknown(f"{place}.{name}", name)
        whole = next((it for it, keys in fields.references.items() if len(keys) > 1 and name in keys), None)
        if whole is not None:
            yield Fault(f"{place}.{name}", f"the key of {whole!r} is compared as a whole; write {whole!r}")
        try:
            CompareRule.from_document(rule)  # type: ignore[arg-type]
        except ValueError as error:
            yield Fault(f"{place}.{name}", str(error))
            continue
        kinds = {leaf.kind for path, leaf in fields.leaves.items() if path in (name, *fields.references.get(name, ()))}
        for key in rule:  # type: ignore[attr-defined]
            if kinds and key in COMPARED and not kinds & {*COMPARED[key]}:
                yield Fault(
                    f"{place}.{name}.{key}",
                    f"it is for {' and '.join(COMPARED[key])} fields, and {name!r} is {' and '.join(kinds)}",
                )


def _gate(place: str, gate: Document, fields: RecordFields) -> Iterator[Fault]:
    yield from unknown_keys(place, gate, GATE)
    if "confidence" in gate and not _is_share(gate["confidence"]):
        yield Fault(f"{place}.confidence", 'it is a decimal between 0 and 1, such as "0.90"')
    if gate.get("budget", "none") not in BUDGETS:
        yield Fault(f"{place}.budget", f"it is one of {', '.join(BUDGETS)}")
    yield from _audits(place, gate)
    for key in ("max_auto_amount", "max_auto_difference"):
        yield from _limits(f"{place}.{key}", gate.get(key))
    for key, kinds in (("amount_field", ("decimal", "integer")), ("currency_field", ("text",))):
        if key not in gate:
            continue
        yield from fields.unknown(f"{place}.{key}", gate[key])
        leaf = fields.leaf(str(gate[key]))
        if leaf is not None and leaf.kind not in kinds:
            yield Fault(f"{place}.{key}", f"it names a field of type {' or '.join(kinds)}")
    for number, check in enumerate(gate.get("checks") or []):  # type: ignore[var-annotated, arg-type]
        yield from _check(f"{place}.checks[{number}]", check, fields)


def _audits(place: str, gate: Document) -> Iterator[Fault]:
    rate, floor = gate.get("audit_rate", "0.10"), gate.get("audit_floor", 12)
    if not _is_share(rate):
        yield Fault(f"{place}.audit_rate", 'it is a decimal between 0 and 1, such as "0.10"')
    elif isinstance(floor, bool) or not isinstance(floor, int) or not 0 <= floor <= MOST_AUDITS:
        yield Fault(f"{place}.audit_floor", f"it is a whole number of records a run, at most {MOST_AUDITS:,}")
    elif not floor and not Decimal(str(rate)) and gate.get("budget", "none") != "none":
        yield Fault(
            f"{place}.audit_rate", "a gate with an error budget needs audits; only they show that it still holds"
        )


def _limits(place: str, given: object) -> Iterator[Fault]:
    limits = given if isinstance(given, Mapping) else {} if given is None else {"": given}
    for currency, limit in limits.items():
        try:
            fits = 0 <= Decimal(str(limit)) < LARGEST_LIMIT and not isinstance(limit, bool)
        except InvalidOperation:
            fits = False
        if not fits:
            yield Fault(f"{place}.{currency}".strip("."), f'it is an amount such as "1000000", not {limit!r}')


def _check(place: str, check: Document, fields: RecordFields) -> Iterator[Fault]:
    if "field" not in check or "rule" not in check:
        yield Fault(place, "a check names a field and a rule")
        return
    yield from fields.unknown(place, check["field"])
    rule = str(check["rule"])
    if rule not in CHECKS:
        yield Fault(f"{place}.rule", f"there is no rule {rule!r}{nearest(rule, CHECKS)}")
        return
    yield from unknown_keys(place, check, ("field", "rule", *CHECKS[rule]))
    for word in NEEDED:
        if word in CHECKS[rule] and not check.get(word):
            yield Fault(place, f"rule {rule!r} needs {word!r}")
    if rule == "between" and not ({"min", "max"} & set(check)):
        yield Fault(place, "rule 'between' needs min, max or both")
    if check["field"] in fields.names:
        yield from _arguments(place, rule, check, fields)


def _arguments(place: str, rule: str, check: Document, fields: RecordFields) -> Iterator[Fault]:
    name, leaf = str(check["field"]), fields.leaf(str(check["field"]))
    if leaf is None and rule == "not_null":
        return
    if leaf is None:
        keys = " or ".join(map(repr, fields.references[name]))
        yield Fault(place, f"{name!r} has a key of several parts; write {keys}")
    elif rule == "known" and not any(leaf.path in keys for keys in fields.references.values() if len(keys) == 1):
        yield Fault(place, f"rule 'known' asks whether a reference is known, and {name!r} is none")
    elif rule == "before":
        yield from _before(place, leaf, check.get("other"), fields)
    elif rule == "regex" and "pattern" in check:
        yield from _pattern(f"{place}.pattern", str(check["pattern"]))
    else:
        words = [(key, check[key]) for key in ("min", "max") if key in check]
        words += [("values", word) for word in check.get("values") or ()]  # type: ignore[attr-defined]
        for key, word in words:
            yield from _value(f"{place}.{key}", leaf, word, is_bound=key != "values")


def _before(place: str, leaf: Leaf, other: object, fields: RecordFields) -> Iterator[Fault]:
    if other is not None:
        yield from fields.unknown(f"{place}.other", other)
        second = fields.leaf(str(other))
        for one in (leaf, second):
            if one is not None and one.kind not in ("date", "datetime"):
                yield Fault(place, f"rule 'before' compares two dates, and {one.path!r} is none")


def _pattern(place: str, pattern: str) -> Iterator[Fault]:
    try:
        check_pattern(pattern)
    except BadMapping as error:
        yield Fault(place, str(error))


def _value(place: str, leaf: Leaf, word: object, *, is_bound: bool) -> Iterator[Fault]:
    """A bound may have more places than the field; a value has to be one of the field's own."""
    try:
        if is_bound and leaf.kind in ("decimal", "integer"):
            if not abs(Decimal(str(word))) < LARGEST_LIMIT:
                raise BadValue(f"{word!r} is too large.")
        elif is_bound and leaf.kind not in ("date", "datetime"):
            raise BadValue("only numbers and dates lie between others.")
        else:
            canonical_value(leaf, str(word).lower() if isinstance(word, bool) else str(word))
    except InvalidOperation:
        yield Fault(place, f"{word!r} is no number such as 1234.50.")
    except BadValue as error:
        yield Fault(place, str(error))


def _provers(place: str, provers: Document, reasons: list[str]) -> Iterator[Fault]:
    codes = [prover.code for prover in PROVERS]
    for code, given in provers.items():
        if code not in codes:
            yield Fault(f"{place}.{code}", f"there is no prover {code!r}{nearest(code, codes)}")
        assert isinstance(given, Mapping)
        yield from unknown_keys(f"{place}.{code}", given, PROVER)
        if "reason" in given and given["reason"] not in reasons:
            sentence = f"there is no reason {given['reason']!r}{nearest(str(given['reason']), reasons)}"
            yield Fault(f"{place}.{code}.reason", sentence)
        if "confidence" in given and not _is_share(given["confidence"]):
            yield Fault(f"{place}.{code}.confidence", 'it is a decimal between 0 and 1, such as "0.90"')


def _is_share(text: object) -> bool:
    try:
        return 0 <= Decimal(str(text)) <= 1
    except InvalidOperation:
        return False
