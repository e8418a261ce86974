"""SQL that folds a text as a compare rule says: case, ends, spaces, punctuation, accents."""

import sys
from functools import cache

from ingestion.sql_text import literal

IGNORABLE = ("case", "ends", "spaces", "punctuation", "accents")
WHITE = r"[\s\p{Z}\x{0B}\x{1C}-\x{1F}\x{85}]"


@cache
def _full_folds() -> tuple[str, str, tuple[tuple[str, str], ...]]:
    """Where Unicode full case folding is not the lower case: one-to-one as two strings, one-to-many as pairs."""
    single, many = {}, []
    for point in range(128, sys.maxunicode + 1):
        char = chr(point)
        folded = char.casefold()
        if folded == char.lower() and len(folded) == 1:
            continue
        if len(folded) == 1:
            single[char] = folded
        else:
            many.append((char, folded))
    return "".join(single), "".join(single.values()), tuple(many)


def folded_sql(text: str, ignore: tuple[str, ...]) -> str:
    """The folded text, for comparison only."""
    if "accents" in ignore:
        text = f"strip_accents({text})"
    if "case" in ignore:
        text = _case(text)
    if "punctuation" in ignore:
        text = f"regexp_replace({text}, '\\p{{P}}+', '', 'g')"
    if "spaces" in ignore:
        return f"regexp_replace({text}, {literal(WHITE + '+')}, '', 'g')"
    if "ends" in ignore:
        return f"regexp_replace({text}, {literal(f'^{WHITE}+|{WHITE}+$')}, '', 'g')"
    return text


def _case(text: str) -> str:
    """Cheap where lower() is the full folding; the other folds only for texts that hold such a character."""
    source, target, many = _full_folds()
    special = f"[{source}{''.join(char for char, _ in many)}]"
    full = text
    for char, folded in many:
        full = f"replace({full}, {literal(char)}, {literal(folded)})"
    full = f"translate(lower({full}), {literal(source)}, {literal(target)})"
    return f"CASE WHEN regexp_matches({text}, {literal(special)}) THEN {full} ELSE lower({text}) END"
