"""FieldMapping: how one source column becomes one leaf."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from ingestion.errors import BadMapping
from ingestion.suggestion import nearest

KEYS = (
    "column", "value", "null", "clean", "parse", "zone", "decimal", "group", "percent", "factor", "round", "values",
    "others", "signs",
)  # fmt: skip
PLAIN_STEPS = ("ends", "collapse", "upper", "lower", "strip_accents")
STEPS = {"remove": ("remove",), "pad": ("pad", "with"), "replace": ("replace",)}
CHOICES = {"percent": ("keep", "divide"), "others": ("keep", "flag"), "signs": ("parentheses", "trailing")}
MARKS = {"point": ".", "comma": ",", "space": " ", "none": ""}
FACTOR_DIGITS = 18
LARGEST_PAD = 1000


@dataclass(frozen=True)
class FieldMapping:
    """One leaf's column (or constant) with its null words, cleaning, parsing and code values.

    `signs` is ours: which other places of the minus sign are read (parentheses, trailing).
    """

    path: str
    column: str | None = None
    value: str | None = None
    null: tuple[str, ...] = ()
    clean: tuple[object, ...] = ()
    parse: tuple[str, ...] = ()
    zone: str = "UTC"
    decimal: str = "."
    group: str = ""
    percent: str = "keep"
    factor: str = ""
    round: int | None = None
    values: Mapping[str, str | None] | None = None
    others: str = "keep"
    signs: tuple[str, ...] = ()

    @classmethod
    def from_document(cls, path: str, document: Mapping[str, object]) -> "FieldMapping":
        """From the definition's mapping of a field."""
        for key in document:
            if key not in KEYS:
                raise BadMapping(f"{path}: there is no mapping step {key!r}{nearest(str(key), KEYS)}")
        given = {key: value for key, value in document.items() if value is not None}
        for name in ("null", "parse", "signs"):
            given[name] = _several(document.get(name))
        given["clean"] = _steps(document.get("clean"))
        for name, known in CHOICES.items():
            for word in _several(given.get(name, ())):
                _one_of(name, word, known)
        for name in ("column", "value", "zone"):
            if name in document:
                given[name] = word_of(document[name], "")
        given["decimal"], given["group"] = _marks(document.get("decimal", "."), document.get("group", ""))
        given["factor"] = _factor(document.get("factor"))
        given["round"] = _whole("round", document.get("round"), 38)
        given["values"] = _values(document.get("values"))
        return cls(path=path, **given)  # type: ignore[arg-type]

    @property
    def is_taken_as_is(self) -> bool:
        """Whether nothing is done to the text before it is typed; an empty text is empty."""
        return not self.null and not self.clean and self.values is None

    def shown(self) -> str:
        """What is done to the column, in a few words for a person."""
        words = []
        if self.parse:
            words.append("pattern " + " or ".join(self.parse))
        if self.decimal != "." or self.group:
            words.append(f'decimal "{self.decimal}"' + (f' group "{self.group}"' if self.group else ""))
        words += [step if isinstance(step, str) else next(iter(step)) for step in self.clean]  # type: ignore[call-overload]
        if self.values is not None:
            words.append("code values")
        for name in ("factor", "round"):
            if getattr(self, name) not in ("", None):
                words.append(f"{name} {getattr(self, name)}")
        return ", ".join(words) or "taken as it is"


def word_of(given: object, nothing: str = "null") -> str:
    """A word as the file has it: YAML's true, false and null are words too where a text is meant."""
    if given is None:
        return nothing
    if isinstance(given, Mapping | list | tuple):
        raise BadMapping(f"{given!r} is no single text")
    return str(given).lower() if isinstance(given, bool) else str(given)


def _several(given: object) -> tuple[str, ...]:
    if given is None:
        return ()
    if isinstance(given, Sequence) and not isinstance(given, str):
        return tuple(word_of(word) for word in given)
    return (word_of(given),)


def _one_of(name: str, word: object, known: Collection[str]) -> None:
    if word not in known:
        raise BadMapping(f"there is no {name} {word!r}{nearest(str(word), known)}")


def _steps(given: object) -> tuple[object, ...]:
    """The cleaning steps in order, each checked; a single step needs no list."""
    steps = () if given is None else tuple(given) if isinstance(given, list | tuple) else (given,)
    for step in steps:
        if not isinstance(step, Mapping):
            _one_of("cleaning step", step, (*PLAIN_STEPS, *STEPS))
            if step in STEPS:
                raise BadMapping(f"the cleaning step {step!r} needs a value, such as {{{step}: ...}}")
        else:
            _step(step)
    return steps


def _step(step: Mapping[str, object]) -> None:
    name = next((name for name in STEPS if name in step), None)
    if name is None:
        return _one_of("cleaning step", next(iter(step), ""), (*PLAIN_STEPS, *STEPS))
    for key in step:
        if key not in STEPS[name]:
            raise BadMapping(f"the cleaning step {name!r} has no {key!r}{nearest(str(key), STEPS[name])}")
    if name == "replace":
        both = step["replace"]
        if not isinstance(both, list | tuple) or len(both) != 2:
            raise BadMapping("replace takes a list of two: [RE2 pattern, text]")
    elif word_of(step[name], "") == "":
        raise BadMapping(f"the cleaning step {name!r} needs a value")
    if name == "pad" and (not _whole("pad", step["pad"], LARGEST_PAD) or len(word_of(step.get("with", "0"))) != 1):
        raise BadMapping("pad takes a width of at least 1, and one character with which it fills up")
    return None


def _whole(name: str, given: object, largest: int) -> int | None:
    if given is None:
        return None
    text = str(given)
    if not (text.isascii() and text.isdigit()) or int(text[:9]) > largest:
        raise BadMapping(f"{name} is a whole number from 0 to {largest}, not {given!r}")
    return int(text)


def _marks(decimal: object, group: object) -> tuple[str, str]:
    """The decimal mark and the grouping mark, one character each; no grouping is an empty text."""
    point, apart = (MARKS.get(str(mark), mark) for mark in (decimal, "none" if group is None else group))
    for name, mark, sizes in (("decimal", point, (1,)), ("group", apart, (0, 1))):
        if not isinstance(mark, str) or len(mark) not in sizes or (mark.isalnum() and mark.isascii()):
            raise BadMapping(f"{name} is one mark such as a point or a comma, not {mark!r}")
    if point == apart:
        raise BadMapping(f"decimal and group are both {point!r}; numbers could not be read")
    return str(point), str(apart)


def _factor(given: object) -> str:
    """An exact decimal, as text; empty for none."""
    if given is None:
        return ""
    try:
        value = Decimal(word_of(given))
    except InvalidOperation:
        raise BadMapping(f'factor is an exact decimal such as "0.01", not {given!r}') from None
    if not value or not value.is_finite() or len(f"{abs(value):f}".replace(".", "")) > FACTOR_DIGITS:
        raise BadMapping(f"factor is a decimal other than zero, of at most {FACTOR_DIGITS} digits; it is {given!r}")
    return f"{value:f}"


def _values(given: object) -> Mapping[str, str | None] | None:
    """Texts by code; a code may stand for nothing (null)."""
    if given is None:
        return None
    if not isinstance(given, Mapping):
        raise BadMapping("values are a mapping such as {B: BUY, S: SELL}")
    return {str(code): None if text is None else word_of(text) for code, text in given.items()}


def field_mappings(document: Mapping[str, Mapping[str, object]]) -> dict[str, FieldMapping]:
    """The fields' mappings of a source's mapping, by path. BadMapping where one cannot be."""
    return {path: FieldMapping.from_document(path, given) for path, given in document.items()}
