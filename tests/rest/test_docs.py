"""What the documentation says of the API is there."""

import re
from pathlib import Path

from django.urls import resolve

from review.api.nowhere import NoSuchAddress
from review.tokens import SCOPES

DOCS = Path(__file__).parents[2] / "docs"
NAMED = re.compile(r"(?:\$TIEOUT|/api/v1)/([a-z][\w/.-]*\w)")


def test_each_address_that_the_docs_name_is_there() -> None:
    texts = [file.read_text(encoding="utf-8").replace("/N", "/1") for file in DOCS.glob("*.md")]
    found = {path for text in texts for path in NAMED.findall(text)}
    nowhere = NoSuchAddress.as_view().cls  # type: ignore[attr-defined]
    assert len(found) > 40
    assert [it for it in sorted(found) if resolve(f"/api/v1/{it}").func.cls is nowhere] == []  # type: ignore[attr-defined]


def test_each_scope_is_explained() -> None:
    text = (DOCS / "api.md").read_text(encoding="utf-8")
    assert [it for it in SCOPES if f"| `{it}` |" not in text] == []
