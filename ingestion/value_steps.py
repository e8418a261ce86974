"""Which steps of a mapping changed a delivered text, one after the other, by the SQL that reads deliveries."""

from collections.abc import Iterator
from dataclasses import dataclass

import duckdb

from ingestion.errors import BadMapping
from ingestion.lookup import lookup
from ingestion.mapping import FieldMapping, word_of
from ingestion.sql_text import literal
from ingestion.value_sql import cleaned_sql

NAMES = {
    "ends": "trim", "collapse": "collapse spaces", "upper": "upper case", "lower": "lower case",
    "strip_accents": "strip accents",
}  # fmt: skip
LONGEST = 2000  # characters of a text that is followed step by step


@dataclass(frozen=True)
class ValueStep:
    """A step that changed a text: its place among the steps of the mapping, its name, and the text after it; None is empty."""

    place: str
    name: str
    after: str | None


def value_steps(mapping: FieldMapping, raw: str, value: str | None) -> list[ValueStep]:
    """The steps that changed the text on its way to the canonical value; empty where nothing did, or it cannot be told."""
    stages = list(_stages(mapping))
    if len(raw) > LONGEST:
        return []
    try:
        with lookup() as duck:
            columns = ", ".join(cleaned_sql(stage, literal(raw)) for _, _, stage in stages)
            texts = duck.execute(f"SELECT {columns}").fetchone() if stages else ()
    except (duckdb.Error, BadMapping):
        return []
    found, before = [], raw or None
    for (place, name, _), after in zip(stages, texts or (), strict=True):
        if after != before:
            found.append(ValueStep(place, name, after))
        before = after
    if before != value:
        found.append(ValueStep("read as", read_as(mapping), value))
    return found


def _stages(mapping: FieldMapping) -> Iterator[tuple[str, str, FieldMapping]]:
    """Each step with the mapping up to it: null words, cleaning in its order, code values."""
    only = {"path": mapping.path, "column": mapping.column, "null": mapping.null}
    if mapping.null:
        yield "null", "null words", FieldMapping(**only)  # type: ignore[arg-type]
    for number, step in enumerate(mapping.clean, 1):
        yield f"clean {number}", _named(step), FieldMapping(**only, clean=mapping.clean[:number])  # type: ignore[arg-type]
    if mapping.values is not None:
        yield "values", "value map", FieldMapping(**only, clean=mapping.clean, values=mapping.values)  # type: ignore[arg-type]


def _named(step: object) -> str:
    if not isinstance(step, dict):
        return NAMES.get(str(step), str(step))
    if "remove" in step:
        return f'remove "{word_of(step["remove"])}"'
    if "pad" in step:
        return f'pad to {step["pad"]} with "{word_of(step.get("with", "0"))}"'
    pattern, text = (word_of(part, "") for part in step["replace"])
    return f'replace {pattern} by "{text}"'


def read_as(mapping: FieldMapping) -> str:
    """How the cleaned text becomes a value: `date format %d.%m.%Y`, `decimal "," group "."`."""
    words = []
    if mapping.parse:
        words.append("date format " + " or ".join(mapping.parse))
    if mapping.zone != "UTC":
        words.append(f"zone {mapping.zone}")
    if mapping.decimal != "." or mapping.group:
        words.append(f'decimal "{mapping.decimal}"' + (f' group "{mapping.group}"' if mapping.group else ""))
    words += [
        f"{name} {given}"
        for name, given in (("factor", mapping.factor), ("round", mapping.round))
        if given not in ("", None)
    ]
    if mapping.percent != "keep":
        words.append("percent divided")
    return ", ".join(words) or "its field's type"
