"""Answers: what a person accepted, changed and refused on the set-up page, as a definition."""

from collections.abc import Mapping
from typing import Any

from config.definitions.faults import BadDefinition, Fault
from config.definitions.yaml_text import read_yaml
from config.setup.draft import Draft
from ingestion.suggest.definition import Row, Table, compose, yaml_of

ADDED = 3  # rows in which a person may join columns that were left out


def rows_shown(draft: Draft, posted: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
    """The form's rows: the proposals, then empty ones; with what was posted in the place of what was proposed."""
    rows: list[dict[str, Any]] = [{**row, "use": True, "n": n} for n, row in enumerate(draft.found["rows"])]
    rows += [{"n": len(rows) + n, "use": False, "is_added": True} for n in range(ADDED)]
    for row in rows if posted is not None else ():
        row["use"] = f"use_{row['n']}" in (posted or {})
        for name in ("name", "type", "map_a", "map_b", "rule"):
            row[name] = (posted or {}).get(f"{name}_{row['n']}", row.get(name, ""))
    return rows


def tables_shown(draft: Draft, posted: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
    """The proposed references, used or not."""
    tables = [{**table, "n": n} for n, table in enumerate(draft.found["tables"])]
    for table in tables if posted is not None else ():
        table["use"] = f"table_{table['n']}" in (posted or {})
    return tables


def definition_of(draft: Draft, posted: Mapping[str, str]) -> tuple[str, str]:
    """The reconciliation's code and the definition's text; BadDefinition names the field whose text cannot be read."""
    faults: list[Fault] = []
    shown = [row for row in rows_shown(draft, posted) if row["use"]]
    rows = [row for it in shown if (row := _row(it, faults)) is not None]
    names = [row.name for row in rows]
    faults += [Fault(name, "two fields have this name") for name in sorted({it for it in names if names.count(it) > 1})]
    if not rows:
        faults.append(Fault("", "every field was refused; keep the key and at least one more"))
    if faults:
        raise BadDefinition(faults)
    code = posted.get("code", "").strip() or str(draft.found["name"])
    renamed = {draft.found["rows"][it["n"]]["name"]: it["name"] for it in shown if not it.get("is_added")}
    sides = {it["code"]: (it["file"], it["format"]) for it in draft.found["sides"]}
    return code, yaml_of(compose(code, sides, rows, _tables(draft, posted, renamed, rows)))


def _row(shown: Mapping[str, Any], faults: list[Fault]) -> Row | None:
    name = str(shown["name"]).strip()
    parts: list[dict[str, Any]] = []
    for what in ("type", "map_a", "map_b", "rule"):
        text = str(shown[what]).strip()
        try:
            found = read_yaml(f"it: {text or '{}'}").get("it")
        except BadDefinition as error:
            faults += [Fault(f"{name or 'a new field'}, {what}", fault.sentence) for fault in error.faults]
            continue
        if isinstance(found, dict) and (found or what == "rule"):
            parts.append(found)
        else:
            faults.append(Fault(f"{name or 'a new field'}, {what}", "write it as {name: value}"))
    return Row(name, *parts) if len(parts) == 4 else None


def _tables(draft: Draft, posted: Mapping[str, str], renamed: Mapping[str, str], rows: list[Row]) -> list[Table]:
    """The references that are used and whose fields are still there, at least two of them."""
    kept = {row.name for row in rows if not row.type_.get("key")}
    tables = []
    for it in tables_shown(draft, posted):
        parts = {renamed[name]: part for name, part in it["parts"].items() if renamed.get(name) in kept}
        by = renamed.get(it["by"], "")
        if it["use"] and by in parts and len(parts) > 1:
            tables.append(Table(by, it["code"], it["name"], parts))
    return tables
