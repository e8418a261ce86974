"""Proofs about two texts: form, encoding, truncation, letters, known codes."""

import unicodedata
from collections.abc import Callable

from attribution.provers.evidence import Context, Difference
from attribution.provers.numbers import SHORTEST, one_more_or_less, one_typed, swapped

MISREAD = (("utf-8", "cp1252", "UTF-8 read as Windows-1252"), ("utf-8", "latin-1", "UTF-8 read as Latin-1"))
SHORTEST_CUT = 3


def text_form(d: Difference) -> str:
    """The same text in other case, spaces or punctuation."""
    a, b = d.value_a or "", d.value_b or ""
    if not a or not b:
        return ""
    if a.casefold() == b.casefold():
        return "The same text in other case."
    if swapped(a, b, "letter"):
        return ""  # a slip that moves a space or a sign
    if _spaceless(a) == _spaceless(b):
        return "The same text with other spaces."
    if (bare := _bare(a)) and bare == _bare(b):
        return "The same text with other punctuation, spaces or case."
    return ""


def _spaceless(text: str) -> str:
    return "".join(text.split())


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
    """One text is the beginning of the other, which is cut within a word."""
    a, b = _ends(d)
    return "" if _is_word_end(a, b) else _cut(a, b)


def words_left_out(d: Difference) -> str:
    """One text is the other without its last words: cut there, or never written."""
    a, b = _ends(d)
    return _cut(a, b) if _is_word_end(a, b) else ""


def _ends(d: Difference) -> tuple[str, str]:
    return (d.value_a or "").rstrip(), (d.value_b or "").rstrip()


def _is_word_end(a: str, b: str) -> bool:
    longer, size = max(a, b, key=len), min(len(a), len(b))
    return not (longer[size - 1 : size].isalnum() and longer[size : size + 1].isalnum())


def _cut(a: str, b: str) -> str:
    if a == b or min(len(a), len(b)) < SHORTEST_CUT:
        return ""
    if a.startswith(b):
        return f"B is A cut to {len(b)} characters."
    if b.startswith(a):
        return f"A is B cut to {len(a)} characters."
    return ""


def letters_swapped(d: Difference) -> str:
    """Two neighbouring letters swapped."""
    return _slip(d, swapped)


def one_letter(d: Difference) -> str:
    """One letter or digit typed wrongly, missing or doubled; or another spelling, or the name of something else: a hint."""
    return _slip(d, one_typed) or _slip(d, one_typed, "digit") or _slip(d, one_more_or_less)


def _slip(d: Difference, made: Callable[[str, str, str], str], what: str = "letter") -> str:
    a, b = d.value_a or "", d.value_b or ""
    if abs(len(a) - len(b)) > 1 or min(len(a), len(b)) <= SHORTEST or a.casefold() == b.casefold():
        return ""
    if len(a) != len(b) and _spaceless(a) == _spaceless(b):
        return ""  # a space more or less is another form
    said = made(a, b, what)
    return f"{said}: {a} became {b}." if said else ""


def translation(d: Difference, context: Context) -> str:
    """A known code of B's source for A's value."""
    known = context.translations.get(d.field, {})
    if d.value_a is not None and known.get(d.value_a) == d.value_b:
        return f"{d.value_b} is this source's code for {d.value_a}."
    return ""
