"""Proofs about two texts: form, encoding, truncation, letters, known codes."""

import unicodedata

from attribution.provers.evidence import Context, Difference
from attribution.provers.numbers import typed_apart

MISREAD = (("utf-8", "cp1252", "UTF-8 read as Windows-1252"), ("utf-8", "latin-1", "UTF-8 read as Latin-1"))
SHORTEST_CUT = 3


def text_form(d: Difference) -> str:
    """The same text in other case, spaces or punctuation."""
    a, b = d.value_a or "", d.value_b or ""
    if not a or not b:
        return ""
    if a.casefold() == b.casefold():
        return "The same text in other case."
    if "".join(a.split()) == "".join(b.split()):
        return "The same text with other spaces."
    if (bare := _bare(a)) and bare == _bare(b):
        return "The same text with other punctuation, spaces or case."
    return ""


def _bare(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(char for char in folded if char.isalnum() or unicodedata.category(char) == "Mn")


def encoding(d: Difference) -> str:
    """One text is the other read in the wrong encoding, once or twice."""
    a, b = d.value_a or "", d.value_b or ""
    if not a or not b or (a.isascii() and b.isascii()):
        return ""
    for right, wrong, words in MISREAD:
        for good, bad in ((a, b), (b, a)):
            misread = _misread(good, right, wrong)
            if misread == bad:
                return f"{words}: {good} became {bad}."
            if misread and _misread(misread, right, wrong) == bad:
                return f"{words} twice: {good} became {bad}."
    return ""


def _misread(text: str, right: str, wrong: str) -> str:
    try:
        return text.encode(right).decode(wrong)
    except (UnicodeEncodeError, UnicodeDecodeError):
        return ""


def truncation(d: Difference) -> str:
    """One text is the beginning of the other."""
    a, b = (d.value_a or "").rstrip(), (d.value_b or "").rstrip()
    if a == b or min(len(a), len(b)) < SHORTEST_CUT:
        return ""
    if a.startswith(b):
        return f"B is A cut to {len(b)} characters."
    if b.startswith(a):
        return f"A is B cut to {len(a)} characters."
    return ""


def letters(d: Difference) -> str:
    """Two neighbouring letters swapped, or one typed wrongly, missing or doubled."""
    a, b = d.value_a or "", d.value_b or ""
    return typed_apart(a, b, f"{a} became {b}", "letter") if len(a) >= 4 and len(b) >= 4 else ""


def translation(d: Difference, context: Context) -> str:
    """A known code of B's source for A's value."""
    known = context.translations.get(d.field, {})
    if d.value_a is not None and known.get(d.value_a) == d.value_b:
        return f"{d.value_b} is this source's code for {d.value_a}."
    return ""
