"""The proposed definition: as a document, and as YAML with the evidence beside what it speaks for."""

import json
import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ingestion.suggest.field import Document
from ingestion.suggest.names import words_of
from ingestion.suggest.suggestion import Suggestion
from ingestion.suggest.words import GROUP

WIDTH = 116
AMOUNTS = ("amount", "gross", "net", "balance")  # groups of words for a sum of money
PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*(?: [A-Za-z0-9_.]+)*")
ENDINGS = re.compile(r"(?:\.[A-Za-z][A-Za-z0-9]{1,7})+$")
BETWEEN = re.compile(r"_|(?<!\d)-|-(?!\d)")  # a date keeps its dashes
RESERVED = re.compile(r"true|false|null|y|n|yes|no|on|off|~", re.IGNORECASE)

Comments = Mapping[tuple[str, ...], Sequence[str]]


@dataclass(frozen=True)
class Row:
    """A field with its mapping on both sides and its compare rule, as a definition writes them."""

    name: str
    type_: Document
    map_a: Document
    map_b: Document
    rule: Document = field(default_factory=dict)


@dataclass(frozen=True)
class Table:
    """A reference table: the field `by` and those that it decides; `parts` maps them to attributes of type `code`."""

    by: str
    code: str
    name: str
    parts: Mapping[str, str]


def document_of(given: Suggestion) -> dict[str, object]:
    """The definition as `define` reads it."""
    rows = [Row(it.name, it.type_, it.map_a, it.map_b, it.rule) for it in given.fields]
    tables = [Table(it.by.name, it.code, it.name, it.parts) for it in given.references if it.is_proposed]
    sources = {code: (side.file, side.format_document()) for code, side in zip(given.codes, given.sides, strict=True)}
    return compose(given.name, sources, rows, tables)


def compose(
    name: str, sources: Mapping[str, tuple[str, Document]], rows: Sequence[Row], tables: Sequence[Table]
) -> dict[str, object]:
    """A definition of one reconciliation. `sources`: A's code, then B's, each with its file's name and format."""
    paths = {part: f"{table.name}.{attribute}" for table in tables for part, attribute in table.parts.items()}
    named = {table.by: table.name for table in tables}
    a, b = sources
    mappings = {
        a: {paths.get(row.name, row.name): dict(row.map_a) for row in rows},
        b: {paths.get(row.name, row.name): dict(row.map_b) for row in rows},
    }
    rules = {named.get(row.name) or paths.get(row.name, row.name): dict(row.rule) for row in rows if row.rule}
    reconciliation: dict[str, object] = {
        "a": a,
        "b": b,
        "match": {"on": [it.name for it in rows if it.type_.get("key")]},
    }
    if rules:
        reconciliation["compare"] = rules
    if money := _money([row for row in rows if row.name not in paths]):
        reconciliation["gate"] = money
    return {
        "record_types": _record_types(name, rows, tables),
        "sources": {
            code: {"label": title_of(file), "record_type": name, "format": dict(format_), "mapping": mappings[code]}
            for code, (file, format_) in sources.items()
        },
        "reconciliations": {name: reconciliation},
    }


def title_of(file: str) -> str:
    """A file's name as people read it: `trades_a-2026-11-20.csv.gz` is `Trades a 2026-11-20`."""
    words = " ".join(BETWEEN.sub(" ", ENDINGS.sub("", file)).split())
    return f"{words[:1].upper()}{words[1:]}" or file


def _money(rows: Sequence[Row]) -> dict[str, str]:
    """The fields of the amount and its currency, where they are called by other words than these two."""
    decimals = [row.name for row in rows if row.type_.get("type") == "decimal"]
    texts = [row.name for row in rows if row.type_.get("type") == "text" and not row.type_.get("key")]
    currency = next((it for it in texts if _means(it, ("currency",))), "")
    called = [it for it in decimals if _means(it, AMOUNTS)]
    amount = next(iter(called or (decimals if len(decimals) == 1 else [])), "")
    found = {"amount_field": amount, "currency_field": currency if amount else ""}
    return {key: name for key, name in found.items() if name and key != f"{name}_field"}


def _means(name: str, groups: Sequence[str]) -> bool:
    return any(GROUP.get(part) in groups for part in words_of(name))


def _record_types(name: str, rows: Sequence[Row], tables: Sequence[Table]) -> dict[str, object]:
    """The types that are referred to, then the record type itself with its references in the deciding field's place."""
    given = {row.name: dict(row.type_) for row in rows}
    inner = {part: table for table in tables for part in table.parts}
    types: dict[str, object] = {
        table.code: {
            "fields": {
                attribute: {**given[part], **({"key": True} if part == table.by else {})}
                for part, attribute in table.parts.items()
            }
        }
        for table in tables
    }
    fields: dict[str, object] = {}
    for code, document in given.items():
        if code not in inner:
            fields[code] = document
        elif code == inner[code].by:
            fields[inner[code].name] = {"type": "reference", "to": inner[code].code}
    return {**types, name: {"fields": fields}}


def definition_text(given: Suggestion, foot: Sequence[str] = ()) -> str:
    """The definition as YAML. `foot`: what the trial run said."""
    document = document_of(given)
    lines = [*_comment(_head(given), ""), *_block(document, (), _comments(given), "")]
    return "\n".join([*lines, *_comment(foot, "")]) + "\n"


def _head(given: Suggestion) -> list[str]:
    a, b = given.sides
    return [
        f"Proposed from {a.file} (A, {a.rows:,} rows) and {b.file} (B, {b.rows:,} rows). Read it, change it, apply it "
        "with `manage.py define`.",
        f"Evidence is of {given.compared:,} pairs of rows that share a key{_sampled(given)}; the key is measured on all rows.",
    ]


def _sampled(given: Suggestion) -> str:
    return "" if given.compared >= given.keys[0].common else f", a sample of {given.keys[0].common:,}"


def key_lines(given: Suggestion) -> list[str]:
    """The key's measures, and the candidates that were not taken."""
    lines = []
    for n, key in enumerate(given.keys[:4]):
        said = (
            f"{key.name}: {'about ' if key.thin > 1 else ''}{key.distinct_a:,} distinct in {key.rows_a:,} rows of A, {key.distinct_b:,} in {key.rows_b:,} "
            f"of B, {key.common:,} on both sides"
        )
        lines.append(("Key " if n == 0 else "Not the key: ") + said)
    return lines


def unpaired_lines(given: Suggestion) -> list[str]:
    """The columns left out, with the reason."""
    return [f"Left out: {it.column.letter.upper()}'s {it.column.name}: {it.reason}" for it in given.unpaired]


def _comments(given: Suggestion) -> Comments:
    found: dict[tuple[str, ...], list[str]] = {
        ("record_types", given.name): key_lines(given),
        ("sources",): unpaired_lines(given),
    }
    places = {it.name: (given.name, it.name) for it in given.fields}
    for reference in given.references:
        if reference.is_proposed:
            found["record_types", reference.code] = [f"Reference table: {said}" for said in reference.said()]
            places |= {name: (reference.code, part) for name, part in reference.parts.items()}
        else:
            found["record_types", given.name] += [f"No reference table: {said}" for said in reference.said()]
    for it in given.fields:
        code, name = places[it.name]
        notes = [f"{it.pair.a.name} and {it.pair.b.name}: " + "; ".join(said for said in it.why if said)]
        found["record_types", code, "fields", name] = notes + [f"But {sentence}" for sentence in it.against]
    return found


def _comment(sentences: Sequence[str], indent: str) -> list[str]:
    """Sentences as comment lines; marks that are not printable, such as line ends, become spaces."""
    lines = []
    for sentence in sentences:
        plain = "".join(mark if mark.isprintable() else " " for mark in sentence)
        lines += textwrap.wrap(
            plain,
            WIDTH - len(indent),
            initial_indent=f"{indent}# ",
            subsequent_indent=f"{indent}#   ",
            break_long_words=False,
        )
    return lines


def yaml_of(document: Mapping[str, object]) -> str:
    """A definition without comments."""
    return "\n".join(_block(document, (), {}, "")) + "\n"


def _block(document: Mapping[str, object], path: tuple[str, ...], comments: Comments, indent: str) -> list[str]:
    lines: list[str] = []
    for key, value in document.items():
        at = (*path, key)
        lines += _comment(comments.get(at, ()), indent)
        if isinstance(value, dict) and _opens(at, value):
            lines += [f"{indent}{_scalar(key)}:", *_block(value, at, comments, indent + "  ")]
        else:
            lines.append(f"{indent}{_scalar(key)}: {flow(value)}")
    return lines


def _opens(path: tuple[str, ...], value: Mapping[str, object]) -> bool:
    """Whether a mapping is written over several lines: all but a field, a mapping of one, a format, a rule."""
    return len(path) < 3 or path[-1] in ("fields", "mapping", "compare")


def flow(value: object) -> str:
    """A value as YAML in one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_scalar(str(key))}: {flow(it)}" for key, it in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(flow, value)) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else _scalar(str(value))


def _scalar(text: str) -> str:
    """A text that is read back as itself."""
    if PLAIN.fullmatch(text) and not RESERVED.fullmatch(text):
        return text
    return (
        json.dumps(text, ensure_ascii=False)
        .replace("\x7f", "\\x7f")
        .replace("\u2028", "\\L")
        .replace("\u2029", "\\P")
        .replace("\x85", "\\N")
    )
