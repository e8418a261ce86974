"""What a person may have meant."""

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?`, or the words that there are."""
    known = list(known)
    near = get_close_matches(word, known, n=1, cutoff=0.6)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; there is {', '.join(sorted(known)[:12])}" if known else ""


def nearest_end(word: str, known: Iterable[str]) -> str:
    """The same as the end of a sentence, with the one mark that ends it."""
    end = nearest(word, known)
    return end if end.endswith("?") else f"{end}."
