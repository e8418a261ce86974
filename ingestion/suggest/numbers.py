"""NumberStyle: how a column writes numbers, found from its values."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ingestion.sql_text import literal

READ = 200  # values by which two styles are told apart
FITS = 0.9  # the share of a column's values that a style must read
MARKS = (
    (".", ""),
    (",", ""),
    (".", ","),
    (",", "."),
    (",", " "),
    (".", " "),
    (".", "'"),
    (",", "\u00a0"),
    (",", "\u202f"),
)
SUFFIX = r"^([+-]?[0-9.,']*[0-9])[^0-9].*$"
PREFIX = r"^[^0-9+.-]+"
_UNIT = re.compile(r"([+-]?[\d.,']*\d)( [^\d\s.,%+-][^\d]*|[^\d\s.,%+-][^\d]+|[^\w\s.,%+()-])")
_MONEY = re.compile(r"([^\w\s.,%+()-]|[A-Z]{3} |[A-Z]{1,2}\$) ?([+-]?[\d.,']*\d)")
_SHAPES = {
    (point, group): re.compile(
        (rf"(?:[1-9]\d{{0,2}}(?:{re.escape(group)}\d{{3}})+|\d+)" if group else r"\d*")
        + rf"(?:(?<=\d){re.escape(point)}\d*|{re.escape(point)}\d+|(?<=\d))(?:[eE][+-]?\d{{1,3}})?%?"
    )
    for point, group in MARKS
}


@dataclass(frozen=True)
class NumberStyle:
    """Decimal and grouping mark; whether a unit follows (`suffix`) or a currency precedes (`prefix`); places of the sign."""

    decimal: str = "."
    group: str = ""
    unit: str = ""
    signs: tuple[str, ...] = ()
    percent: bool = False

    def mapping(self) -> dict[str, object]:
        """The mapping steps that read it."""
        steps: dict[str, object] = {}
        if self.unit:
            steps["clean"] = [{"replace": [PREFIX, ""] if self.unit == "prefix" else [SUFFIX, "\\1"]}]
        if self.decimal != ".":
            steps["decimal"] = self.decimal
        if self.group:
            steps["group"] = self.group
        if self.signs:
            steps["signs"] = list(self.signs)
        return steps

    def sql(self, text: str) -> str:
        """SQL of the number as a double; null where the text is none."""
        return f"TRY_CAST({self.text_sql(text)} AS DOUBLE)"

    def text_sql(self, text: str) -> str:
        """SQL of the number as a plain text with a point."""
        text = f"trim({text})"
        if self.unit == "prefix":
            text = f"regexp_replace({text}, {literal(PREFIX)}, '')"
        if self.unit == "suffix":
            text = f"regexp_replace({text}, {literal(SUFFIX)}, '\\1')"
        if self.group:
            text = f"replace({text}, {literal(self.group)}, '')"
        if self.decimal != ".":
            text = f"replace({text}, {literal(self.decimal)}, '.')"
        if "parentheses" in self.signs:
            text = f"regexp_replace({text}, '^\\((.*)\\)$', '-\\1')"
        if "trailing" in self.signs:
            text = f"regexp_replace({text}, '^([^-]*)-$', '-\\1')"
        return f"rtrim({text}, '%')"

    def shown(self) -> str:
        """In words for a person."""
        words = [f"decimal {self.decimal!r}"] + ([f"group {self.group!r}"] if self.group else [])
        return ", ".join(words + ([f"with a {self.unit}"] if self.unit else []))

    def plain(self, text: str) -> str:
        """A value that this style reads, as a plain number."""
        if self.unit == "prefix":
            text = re.sub(PREFIX, "", text)
        if self.unit == "suffix":
            text = re.sub(SUFFIX, r"\1", text)
        text = text.strip().rstrip("%").strip("()+- ")
        return (text.replace(self.group, "") if self.group else text).replace(self.decimal, ".")


def number_styles(values: Mapping[str, int]) -> tuple[NumberStyle, ...]:
    """The styles that read nearly all of a column's values (value to rows), the likeliest first."""
    total = sum(values.values())
    if not total:
        return ()
    bare, unit = _without_unit(values)
    signs = _signs(bare)
    cores = {_core(text, signs): 0 for text in bare}
    for text, times in bare.items():
        cores[_core(text, signs)] += times
    shares = {
        marks: sum(times for text, times in cores.items() if _SHAPES[marks].fullmatch(text)) / total for marks in MARKS
    }
    best = max(shares.values())
    percent = sum(times for text, times in values.items() if text.endswith("%")) > 0
    found = [marks for marks in MARKS if shares[marks] >= max(FITS, best - 0.005)]
    found = [marks for marks in found if not marks[1] or shares[marks] > shares[marks[0], ""]]
    ordered = _ordered(found, list(cores))
    return _distinct([NumberStyle(*marks, unit, signs, percent) for marks in ordered], list(values)[:READ])


def _distinct(styles: list[NumberStyle], texts: list[str]) -> tuple[NumberStyle, ...]:
    """The first of the styles that read every value alike."""
    readings = {style: tuple(style.plain(text) for text in texts) for style in styles}
    return tuple(it for n, it in enumerate(styles) if readings[it] not in [readings[other] for other in styles[:n]])


def _ordered(found: list[tuple[str, str]], texts: list[str]) -> list[tuple[str, str]]:
    """The plain style first, unless every value that has a mark has it before exactly three digits."""
    grouped = [text for text in texts if "," in text or "." in text]
    if grouped and all(re.fullmatch(r"\d{1,3}(?:,\d{3})+", text) for text in grouped):
        found = sorted(found, key=lambda marks: marks != (".", ","))
    return found


def _core(text: str, signs: tuple[str, ...]) -> str:
    text = text.strip()
    if signs:
        text = text.strip("()").removesuffix("-")
    return text.lstrip("+-")


def _signs(values: Mapping[str, int]) -> tuple[str, ...]:
    found = []
    if any(re.fullmatch(r"\([\d.,' ]+\)", text) for text in values):
        found.append("parentheses")
    if any(re.fullmatch(r"[\d.,' ]*\d-", text) for text in values):
        found.append("trailing")
    return tuple(found)


def _without_unit(values: Mapping[str, int]) -> tuple[dict[str, int], str]:
    """The numbers of values that carry one of a few units or currencies, and where it stands."""
    for kind, pattern, number in (("suffix", _UNIT, 1), ("prefix", _MONEY, 2)):
        found = {text: pattern.fullmatch(text.strip()) for text in values}
        units = {match[3 - number].strip().lower() for match in found.values() if match}
        having = sum(values[text] for text, match in found.items() if match)
        if not 0 < len(units) <= 20 or having * 10 < sum(values.values()):
            continue
        bare: dict[str, int] = {}
        for text, match in found.items():
            bare[match[number] if match else text] = bare.get(match[number] if match else text, 0) + values[text]
        return bare, kind
    return dict(values), ""
