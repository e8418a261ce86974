"""Draft: two uploaded files and what is proposed for them, kept in the lake until it is applied or a day old."""

import json
import re
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from django.core.files.uploadedfile import UploadedFile

from config.suggesting import Proposal, propose, report_document, taken_codes
from ingestion import lake
from ingestion.suggest.definition import flow

KEPT_SECONDS = 24 * 3600
NAME = re.compile(r"[^\w.\- ]+")


@dataclass(frozen=True)
class Draft:
    """`files`: A's and B's; `found`: the proposal as `suggest --json` gives it, with what the page's form needs."""

    token: UUID
    files: tuple[Path, Path]
    found: Mapping[str, Any]


def make_draft(*, a: UploadedFile, b: UploadedFile, by: str) -> Draft:
    """Keep two files and propose; IngestionError says why nothing can be, and nothing is kept then."""
    _tidy()
    token = uuid4()
    folder = _folder(token)
    folder.mkdir(parents=True)
    try:
        files = _keep(a, folder / "a"), _keep(b, folder / "b")
        proposal = propose(*files, taken=taken_codes())
        found = {"by": by, "files": [str(it.relative_to(folder)) for it in files], **_document(proposal)}
        (folder / "proposal.json").write_text(json.dumps(found, ensure_ascii=False), encoding="utf-8")
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return Draft(token, files, found)


def draft_of(token: UUID, by: str) -> Draft | None:
    """A person's own draft; none where it is another's or gone."""
    folder = _folder(token)
    try:
        found = json.loads((folder / "proposal.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    a, b = found["files"]
    return Draft(token, (folder / a, folder / b), found) if found["by"] == by else None


def drop_draft(draft: Draft) -> None:
    """Remove a draft with its files."""
    shutil.rmtree(_folder(draft.token), ignore_errors=True)


def _folder(token: UUID) -> Path:
    return lake.local("setup") / str(token)


def _tidy() -> None:
    for folder in lake.local("setup").glob("*"):
        if time.time() - folder.stat().st_mtime > KEPT_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)


def _keep(upload: UploadedFile, folder: Path) -> Path:
    """The bytes under the file's own name, since names of sources come from it."""
    folder.mkdir()
    target = folder / (NAME.sub("_", Path(str(upload.name)).name).strip(". ")[:120] or "file")
    with target.open("wb") as file:
        for block in upload.chunks():
            file.write(block)
    return target


def _document(proposal: Proposal) -> dict[str, Any]:
    """The report, and each field and reference as the form shows them."""
    found = proposal.suggestion
    rows = [
        {
            "name": it.name,
            "a": it.pair.a.name,
            "b": it.pair.b.name,
            "no_a": it.pair.a.position + 1,
            "no_b": it.pair.b.position + 1,
            "example_a": (it.pair.a.examples or [""])[0],
            "example_b": (it.pair.b.examples or [""])[0],
            "kind_a": it.pair.a.kind,
            "kind_b": it.pair.b.kind,
            "share": f"{it.pair.evidence.share:.1%}",
            "is_weak": it.pair.evidence.beyond_chance < 0.5,
            "type": flow(it.type_),
            "map_a": flow(it.map_a),
            "map_b": flow(it.map_b),
            "rule": flow(it.rule) if it.rule else "",
            "why": [said for said in it.why if said],
            "against": list(it.against),
        }
        for it in found.fields
    ]
    tables = [
        {
            "by": it.by.name,
            "code": it.code,
            "name": it.name,
            "parts": it.parts,
            "said": it.said(),
            "use": it.is_proposed,
        }
        for it in found.references
    ]
    sides = [
        {"code": code, "file": side.file, "rows": side.rows, "format": side.format_document()}
        for code, side in zip(found.codes, found.sides, strict=True)
    ]
    return {**report_document(proposal), "rows": rows, "tables": tables, "sides": sides, "compared": found.compared}
