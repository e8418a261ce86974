"""Ids as addresses, forms and commands give them."""

LONGEST = 18  # digits that a bigint surely holds


def id_of(text: str) -> int:
    """The number; 0, which no row has, for what can be none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= LONGEST else 0
