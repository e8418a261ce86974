"""Ids as addresses, forms and commands give them."""

LONGEST = 18  # digits that a bigint surely holds


def id_of(text: str) -> int:
    """The number; 0, which no row has, for what can be none."""
    return int(text) if is_number(text) else 0


def is_number(text: str, longest: int = LONGEST) -> bool:
    """Whether it is a whole number of so many digits at most, 0 to 9 alone."""
    return text.isascii() and text.isdigit() and len(text) <= longest
