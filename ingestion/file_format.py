"""FileFormat: what is known of how a delivered file is read."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

MOST_COLUMNS = 5_000
NAMED_VALUES = ("json", "ndjson", "xml", "camt053")  # a value that is not there leaves no trace of its column


@dataclass(frozen=True)
class FileFormat:
    """How a file is read. `header` is a physical line, None where there is none; `columns` are distinct names.

    `skip` counts the physical lines before the header or, without one, before the first record. `footer_rows` counts
    the lines after the last record. `options` are what only this type has: a path to the records, a sheet, positions.
    """

    encoding: str
    delimiter: str
    quote: str
    header: int | None
    skip: int
    columns: tuple[str, ...]
    footer_rows: int = 0
    footer_sum: str = ""
    footer_count: bool = False
    notes: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    mismatches: tuple[str, ...] = ()  # control totals that the file itself holds and that are not those of its records
    type: str = "csv"
    options: Mapping[str, object] = field(default_factory=dict)

    def to_document(self) -> dict[str, object]:
        """As JSON."""
        return asdict(self)

    @classmethod
    def from_document(cls, document: Mapping[str, object]) -> "FileFormat":
        """From JSON."""
        given = dict(document)
        for name in ("columns", "notes", "questions", "mismatches"):
            given[name] = tuple(given.get(name, ()))  # type: ignore[arg-type]
        return cls(**given)  # type: ignore[arg-type]
