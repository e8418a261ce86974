"""What a person may have meant: the nearest word, or the words that there are."""

from collections.abc import Sequence

import pytest

from ingestion.suggestion import nearest_end


@pytest.mark.parametrize(
    ("known", "end"),
    [(["state", "kind"], "; did you mean 'state'?"), (["b", "a"], "; there is a, b."), ([], ".")],
)
def test_a_sentence_ends_with_one_mark(known: Sequence[str], end: str) -> None:
    assert nearest_end("stat", known) == end
