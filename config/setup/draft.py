"""Draft: two uploaded files and what is proposed for them, kept in the lake until it is applied or a day old."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile

from config.suggesting import Proposal, propose, report_document, taken_codes
from ingestion import staging
from ingestion.suggest.definition import flow
from ingestion.suggest.field import FieldProposal
from ingestion.suggest.references import Reference

AREA = "setup"
NAME = re.compile(r"[^\w.\- ]+")


@dataclass(frozen=True)
class Draft:
    """`files`: A's and B's; `found`: the proposal as `suggest --json` gives it, with what the page's form needs."""

    token: UUID
    files: tuple[Path, Path]
    found: Mapping[str, Any]


def make_draft(*, a: UploadedFile, b: UploadedFile, by: str) -> Draft:
    """Keep two files and propose; IngestionError says why nothing can be, and nothing is kept then."""
    token, folder = staging.begin(AREA)
    try:
        files = keep(a, folder / "a"), keep(b, folder / "b")
        proposal = propose(*files, taken=taken_codes())
        found = {"by": by, "files": [str(it.relative_to(folder)) for it in files], **_document(proposal)}
        staging.note(folder, found)
    except BaseException:
        staging.drop(AREA, token)
        raise
    return Draft(token, files, found)


def draft_of(token: UUID, by: str) -> Draft | None:
    """A person's own draft; none where it is another's or gone."""
    found = staging.noted(AREA, token, by)
    if found is None:
        return None
    a, b = (staging.folder_of(AREA, token) / name for name in found["files"])
    return Draft(token, (a, b), found)


def drop_draft(draft: Draft) -> None:
    """Remove a draft with its files."""
    staging.drop(AREA, draft.token)


def keep(upload: UploadedFile, folder: Path) -> Path:
    """The bytes under the file's own name, since names of sources come from it."""
    folder.mkdir()
    target = folder / (NAME.sub("_", Path(str(upload.name)).name).strip(". ")[:120] or "file")
    staging.put(upload, target)
    return target


def _document(proposal: Proposal) -> dict[str, Any]:
    """The report, and each field and reference as the form shows them."""
    found = proposal.suggestion
    sides = [
        {"code": code, "file": side.file, "rows": side.rows, "format": side.format_document()}
        for code, side in zip(found.codes, found.sides, strict=True)
    ]
    return {
        **report_document(proposal),
        "rows": [_row(it) for it in found.fields],
        "tables": [_table(it) for it in found.references],
        "sides": sides,
        "compared": found.compared,
    }


def _row(it: FieldProposal) -> dict[str, Any]:
    a, b, evidence = it.pair.a, it.pair.b, it.pair.evidence
    return {
        "name": it.name,
        "a": a.name,
        "b": b.name,
        "no_a": a.position + 1,
        "no_b": b.position + 1,
        "example_a": it.example[0],
        "example_b": it.example[1],
        "kind_a": a.kind,
        "kind_b": b.kind,
        "share": f"{evidence.share:.1%}",
        "is_weak": evidence.beyond_chance < 0.5,
        "type": flow(it.type_),
        "map_a": flow(it.map_a),
        "map_b": flow(it.map_b),
        "rule": flow(it.rule) if it.rule else "",
        "why": [said for said in it.why if said],
        "against": list(it.against),
    }


def _table(it: Reference) -> dict[str, Any]:
    return {
        "by": it.by.name, "code": it.code, "name": it.name, "parts": it.parts, "said": it.said(), "use": it.is_proposed,
    }  # fmt: skip
