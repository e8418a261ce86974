"""Values that people type: canonical, or refused in words."""

import pytest

from ingestion.shape import Leaf
from reconciliation.values import BadValue, canonical_value

AMOUNT = Leaf("amount", "amount", "f1", "decimal", digits=38, places=2)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("1" * 36 + ".25", "1" * 36 + ".25"),
        ("-" + "9" * 36, "-" + "9" * 36 + ".00"),
        ("0.5", "0.50"),
        ("1e3", "1000.00"),
    ],
)
def test_a_number_of_any_length_keeps_each_digit(text: str, canonical: str) -> None:
    assert canonical_value(AMOUNT, text) == canonical


@pytest.mark.parametrize("text", ["1" * 37, "9" * 59, "0.001", "1e70", "NaN", "twelve"])
def test_what_does_not_fit_is_refused_in_words(text: str) -> None:
    with pytest.raises(BadValue, match="does not fit|no number"):
        canonical_value(AMOUNT, text)
