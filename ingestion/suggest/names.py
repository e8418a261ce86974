"""How alike two column names are: their words, in any case, joined anyhow, abbreviated, translated or meaning the same."""

import re
import unicodedata
from difflib import SequenceMatcher
from functools import cache

from ingestion.suggest.words import GROUP

PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
UNNAMED = re.compile(r"column_\d+(_\d+)?")


@cache
def words_of(name: str) -> tuple[str, ...]:
    """The words of a name: `HospitalName`, `hospital-name` and `HOSPITAL NAME` are hospital and name."""
    name = name.replace("ß", "ss").replace("ä", "ae").replace("ö", "oe").replace("ü", "ue")
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    found = [part.lower().removesuffix("'s") for part in PART.findall(plain)]
    return tuple(word for part in found for word in _split(part))


def _split(word: str) -> tuple[str, ...]:
    """`zipcode` is zip and code: a word made of two known ones, unless it is known itself."""
    if word in GROUP or len(word) < 6:
        return (word,)
    for cut in range(3, len(word) - 2):
        if word[:cut] in GROUP and word[cut:] in GROUP:
            return (word[:cut], word[cut:])
    return (word,)


@cache
def name_likeness(a: str, b: str) -> float:
    """From 0 (nothing in common) to 1 (the same words)."""
    if UNNAMED.fullmatch(a) or UNNAMED.fullmatch(b):
        return 0.0
    left, right = words_of(a), words_of(b)
    if not left or not right:
        return float(a.strip().lower() == b.strip().lower())
    if "".join(left) == "".join(right):
        return 1.0
    found = sum(max(word_likeness(x, y) for y in right) for x in left)
    found += sum(max(word_likeness(x, y) for x in left) for y in right)
    return min(found / (len(left) + len(right)), 0.98)


@cache
def word_likeness(a: str, b: str) -> float:
    """Of two words: the same, one meaning, one abbreviating or beginning the other, or nearly spelled alike."""
    if a == b:
        return 1.0
    if a.isdigit() or b.isdigit():
        return 0.0
    if a.rstrip("s") == b.rstrip("s"):
        return 0.95
    if GROUP.get(a, a) == GROUP.get(b, b):
        return 0.85
    short, long_ = sorted((a, b), key=len)
    if len(short) >= 2 and long_.startswith(short):
        return 0.75
    if len(short) >= 2 and short[0] == long_[0] and _skips(short, long_):
        return 0.6
    ratio = SequenceMatcher(None, a, b).ratio()
    return ratio * 0.8 if ratio > 0.75 else 0.0


def _skips(short: str, long_: str) -> bool:
    """Whether a word is left when letters of the other are dropped: `cpty` of `counterparty`."""
    letters = iter(long_)
    return all(letter in letters for letter in short)
