"""Suggesting: a definition proposed from two files and tried on them. Needs no database, writes nothing but work files."""

import tempfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import DatabaseError

from ingestion.files import detect, frame
from ingestion.models import RecordType, Source
from ingestion.suggest.definition import definition_text, document_of, key_lines, unpaired_lines
from ingestion.suggest.field import FieldProposal, quoted
from ingestion.suggest.suggestion import Suggestion, suggest
from ingestion.unpacking import unpacked
from reconciliation.models import Reconciliation
from reconciliation.trial import Trial, TrialSide, shape_of, try_out

MANY_TIMES = 5  # lonely keys a common one, from which on a file looks like a part of the other


@dataclass(frozen=True)
class Proposal:
    """A suggestion whose fields carry what the trial run found against them."""

    suggestion: Suggestion
    trial: Trial

    @property
    def document(self) -> dict[str, object]:
        """The definition as `define` reads it."""
        return document_of(self.suggestion)

    def text(self) -> str:
        """The definition as YAML with its evidence."""
        return definition_text(self.suggestion, trial_lines(self.trial))


def propose(a: Path, b: Path, *, name: str = "", taken: Collection[str] = ()) -> Proposal:
    """Suggest and try. IngestionError says in a sentence why nothing can be proposed."""
    threads, memory = settings.ENGINE_THREADS, settings.ENGINE_MEMORY
    with tempfile.TemporaryDirectory(prefix="suggest-") as work:
        folder = Path(work)
        found = suggest(a, b, folder, name=name, taken=taken, threads=threads, memory=memory)
        trial = _tried(found, document_of(found), folder)
    return Proposal(
        replace(found, fields=[_with_differences(it, found.compared_as(it), trial) for it in found.fields]), trial
    )


def taken_codes() -> set[str]:
    """The codes that stand for something already; none where the database cannot be asked."""
    try:
        return {
            code
            for model in (RecordType, Source, Reconciliation)
            for code in model.objects.values_list("code", flat=True)
        }
    except DatabaseError:
        return set()


def _tried(found: Suggestion, document: Mapping[str, Any], folder: Path) -> Trial:
    sides = [
        TrialSide(side.framed, side.format_, document["sources"][code]["mapping"])
        for code, side in zip(found.codes, found.sides, strict=True)
    ]
    return _run(document, sides, folder)


def try_document(document: Mapping[str, Any], files: Sequence[Path]) -> Trial:
    """What a checked definition of one reconciliation makes of two files, A's and B's. IngestionError as in a delivery."""
    with tempfile.TemporaryDirectory(prefix="trial-") as work:
        sides = []
        reconciliation = next(iter(document["reconciliations"].values()))
        for letter, file in zip("ab", files, strict=True):
            source = document["sources"][reconciliation[letter]]
            folder = Path(work) / letter
            folder.mkdir()
            raw = unpacked(file, folder)
            wanted = [it["column"] for it in source["mapping"].values() if "column" in it]
            framed, format_ = frame(raw, detect(raw, source.get("format") or {}), folder, wanted)
            sides.append(TrialSide(framed, format_, source["mapping"]))
        return _run(document, sides, Path(work))


def _run(document: Mapping[str, Any], sides: Sequence[TrialSide], folder: Path) -> Trial:
    types = {code: record_type["fields"] for code, record_type in document["record_types"].items()}
    reconciliation = next(iter(document["reconciliations"].values()))
    name = document["sources"][reconciliation["a"]]["record_type"]
    threads, memory = settings.ENGINE_THREADS, settings.ENGINE_MEMORY
    shape, rules = shape_of(name, types[name], types), reconciliation.get("compare") or {}
    return try_out(sides[0], sides[1], shape, rules, folder, threads=threads, memory=memory)


def _with_differences(field: FieldProposal, name: str, trial: Trial) -> FieldProposal:
    differing = trial.cells.get(name, 0)
    if not differing:
        return field
    shown = "; ".join(f"{key}: {quoted(left)} and {quoted(right)}" for key, left, right in trial.examples[name])
    return replace(field, against=(*field.against, f"{differing:,} of {trial.common:,} keys differ, such as {shown}"))


def trial_lines(trial: Trial) -> list[str]:
    """What the run on the files found."""
    lines = [
        f"Would match {trial.share:.1%} of {trial.common:,} common keys: {trial.matched:,} match, {trial.differing:,} "
        f"differ. Only in A {trial.only_a:,}, only in B {trial.only_b:,}, more than once {trial.duplicate:,}."
    ]
    for code, part, other, lonely in (("a", "A", "B", trial.only_b), ("b", "B", "A", trial.only_a)):
        if lonely > MANY_TIMES * max(trial.common, 1):
            lines.append(
                f"{other} has many keys that {part} has not. If {part} is meant to be a part of {other}, write "
                f"`one_sided: {code}` in the match: {other}'s lonely keys are counted then, and are no breaks."
            )
    for letter, side in (("A", trial.side_a), ("B", trial.side_b)):
        if side.quarantined or side.flagged_values:
            lines.append(
                f"Of {side.received:,} rows of {letter}, {side.quarantined:,} would be quarantined (broken, or without a "
                f"key), and {side.flagged_values:,} values would be flagged since they do not fit their type."
            )
    return lines


def report_lines(given: Proposal) -> list[str]:
    """The proposal for a terminal: key, fields with evidence, what is left out, the trial run."""
    found = given.suggestion
    a, b = found.sides
    lines = [f"A: {a.file}, {_format(a.format_document())}, {a.rows:,} rows"]
    lines += [f"B: {b.file}, {_format(b.format_document())}, {b.rows:,} rows", "", *key_lines(found), ""]
    widths = [max(len(row[n]) for row in _rows(found)) for n in range(4)]
    for row, field in zip(_rows(found), ["", *found.fields], strict=True):
        lines.append("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        if isinstance(field, FieldProposal):
            lines += [f"    {sentence}" for sentence in field.why if sentence]
            lines += [f"    but {sentence}" for sentence in field.against]
    lines += [""] if found.references else []
    for it in found.references:
        title = f"Reference table {it.name}" if it.is_proposed else "No reference table"
        lines += [f"{title}: {said}" for said in it.said()]
    return [*lines, "", *unpaired_lines(found), "", *trial_lines(given.trial)]


def _rows(found: Suggestion) -> list[tuple[str, str, str, str]]:
    rows = [("FIELD", "TYPE", "COLUMN OF A", "COLUMN OF B")]
    rows += [(found.path_of(it), _type(it), it.pair.a.name[:40], it.pair.b.name[:40]) for it in found.fields]
    return rows


def _type(field: FieldProposal) -> str:
    size = f"({field.type_['digits']},{field.type_['places']})" if "digits" in field.type_ else ""
    return f"{field.type_['type']}{size}" + (", key" if field.pair.is_key else "")


def _format(document: Mapping[str, object]) -> str:
    told = {key: value for key, value in document.items() if key != "type"}
    return ", ".join([str(document["type"]), *(f"{key} {value!r}" for key, value in told.items())])


def report_document(given: Proposal) -> dict[str, object]:
    """The proposal as JSON: the definition, the evidence of each field, what is left out, the trial run."""
    found, trial = given.suggestion, given.trial
    return {
        "name": found.name,
        "definition": given.document,
        "keys": [{"columns": key.name, "common": key.common, "in_a": key.distinct_a, "in_b": key.distinct_b} for key in found.keys],
        "fields": [
            {"name": found.path_of(it), "a": it.pair.a.name, "b": it.pair.b.name, "why": list(it.why), "against": list(it.against)}
            for it in found.fields
        ],
        "references": [
            {"by": it.by.name, "decides": [one.field.name for one in it.attributes], "proposed": it.is_proposed, "why": it.said()}
            for it in found.references
        ],
        "left_out": [{"side": it.column.letter, "column": it.column.name, "reason": it.reason} for it in found.unpaired],
        "would_match": trial_document(trial),
    }  # fmt: skip


def trial_document(trial: Trial) -> dict[str, object]:
    """What came out, as JSON."""
    return {
        "share": round(trial.share, 4), "matched": trial.matched, "differing": trial.differing, "common": trial.common,
        "only_a": trial.only_a, "only_b": trial.only_b, "duplicate": trial.duplicate, "differences": dict(trial.cells),
        "flagged": trial.side_a.flagged_values + trial.side_b.flagged_values,
        "quarantined": trial.side_a.quarantined + trial.side_b.quarantined,
    }  # fmt: skip
