"""FieldMapping: how one source column becomes one leaf."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ingestion.errors import BadMapping

KEYS = (
    "column", "value", "null", "clean", "parse", "zone", "decimal", "group", "percent", "factor", "round", "values",
    "others", "signs",
)  # fmt: skip
CLEANING = ("ends", "collapse", "upper", "lower", "strip_accents")
SIGNS = ("parentheses", "trailing")


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
    values: Mapping[str, str] | None = None
    others: str = "keep"
    signs: tuple[str, ...] = ()

    @classmethod
    def from_document(cls, path: str, document: Mapping[str, object]) -> "FieldMapping":
        """From the definition's mapping of a field."""
        given = {key: value for key, value in document.items() if key in KEYS}
        if unknown := set(document) - set(KEYS):
            raise BadMapping(f"{path}: there is no mapping step {sorted(unknown)[0]!r}.")
        for name in ("null", "parse", "signs"):
            given[name] = _several(given.get(name))
        given["clean"] = tuple(given.get("clean") or ())  # type: ignore[arg-type]
        for name in ("value", "factor"):
            if given.get(name) is not None:
                given[name] = str(given[name])
        if given.get("group") == "none":
            given["group"] = ""
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
            words.append(f"decimal {self.decimal}" + (f" group {self.group}" if self.group else ""))
        words += [step if isinstance(step, str) else next(iter(step)) for step in self.clean]  # type: ignore[call-overload]
        if self.values is not None:
            words.append("code values")
        for name in ("factor", "round"):
            if getattr(self, name) not in ("", None):
                words.append(f"{name} {getattr(self, name)}")
        return ", ".join(words) or "taken as it is"


def _several(given: object) -> tuple[str, ...]:
    if given is None:
        return ()
    if isinstance(given, Sequence) and not isinstance(given, str):
        return tuple(str(word) for word in given)
    return (str(given),)
