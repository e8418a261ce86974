"""Side: one of the two files, its format detected, its rows loaded as text."""

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import duckdb

from ingestion.detection import NUMBER_OR_DATE, SAMPLE, decode_sample
from ingestion.errors import UnreadableFile
from ingestion.file_format import FileFormat
from ingestion.files import detect, frame
from ingestion.framing import Framed, cells_of
from ingestion.normalize import source_sql
from ingestion.unpacking import unpacked

WIDEST = 250  # columns; every one is held against every one of the other file
SAMPLED = 20_000  # rows that columns are profiled on
ONE_COLUMN = (
    "The file has one column only, and a record needs a key and something to compare. "
    "If its columns are cut by another mark than , ; tab or |, write a definition with that delimiter."
)
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")


@dataclass(frozen=True)
class Side:
    """A file. Its rows stand in `raw_<letter>` as `__n`, c0, c1 ...; some of them in `sample_<letter>`."""

    letter: str
    file: str
    path: Path
    format_: FileFormat
    framed: Framed
    rows: int
    sampled: int

    @property
    def raw(self) -> str:
        """The relation of all rows."""
        return f"raw_{self.letter}"

    @property
    def sample(self) -> str:
        """The relation of the sampled rows."""
        return f"sample_{self.letter}"

    def format_document(self) -> dict[str, object]:
        """The format as a definition writes it: what was detected, and whatever would be asked otherwise."""
        found = self.format_
        if found.type != "csv":
            header = {"header": found.header or False} if found.type == "excel" and found.questions else {}
            return {"type": found.type, **found.options, **header}
        document: dict[str, object] = {"type": "csv", "delimiter": found.delimiter}
        if found.encoding not in ("utf-8", "utf-8-sig"):
            document["encoding"] = found.encoding
        if found.header is None:
            document["header"] = False
        elif found.questions or found.skip:
            document["header"] = found.header
        if found.footer_rows:
            document["footer"] = {"rows": found.footer_rows}
        return document


def read_side(duck: duckdb.DuckDBPyConnection, letter: str, path: Path, folder: Path) -> Side:
    """Detect and load a file. UnreadableFile names the file and says why nothing can be proposed from it."""
    try:
        return _read(duck, letter, path, folder)
    except UnreadableFile as error:
        raise UnreadableFile(f"{path.name}: {error}") from None


def _read(duck: duckdb.DuckDBPyConnection, letter: str, path: Path, folder: Path) -> Side:
    if not path.is_file():
        raise UnreadableFile(f"There is no file {path}.")
    folder = folder / letter
    folder.mkdir()
    plain = unpacked(path, folder)
    detected = detect(plain, {})
    if detected.type == "csv":
        _refuse_binary(plain)
    format_ = _with_true_header(plain, detected)
    if len(format_.columns) > WIDEST:
        raise UnreadableFile(
            f"The file has {len(format_.columns):,} columns; proposals are made for at most {WIDEST}. "
            "Take out the columns that are not compared, or write the definition by hand."
        )
    framed, format_ = frame(plain, format_, folder)
    if len(format_.columns) < 2:
        raise UnreadableFile(ONE_COLUMN)
    try:
        duck.execute(f"CREATE TABLE raw_{letter} AS SELECT * FROM {source_sql(framed, format_)}")
    except duckdb.InvalidInputException as error:
        raise UnreadableFile(f"The rows could not be read: {str(error).splitlines()[0]}") from None
    rows = int(duck.execute(f"SELECT count(*) FROM raw_{letter}").fetchall()[0][0])
    if not rows:
        rejected = f" ({len(framed.rejected)} lines are broken)" if framed.rejected else ""
        raise UnreadableFile(f"The file has a header and no rows{rejected}. Name one with rows to learn from.")
    return Side(letter, path.name, path, format_, framed, rows, _sample(duck, letter, rows))


def _refuse_binary(path: Path) -> None:
    with path.open("rb") as file:
        block = file.read(1 << 16)
    wide = block[:2] in (b"\xff\xfe", b"\xfe\xff") or block.count(b"\0") > len(block) // 4
    text = block.decode("latin-1")
    if not wide and len(_CONTROL.findall(text)) * 10 > len(text) > 0:
        raise UnreadableFile("The file is binary, no text with rows. Name a delimited text file.")


def _sample(duck: duckdb.DuckDBPyConnection, letter: str, rows: int) -> int:
    """The same rows each time: every k-th by a hash of its number."""
    step = max(rows // SAMPLED, 1)
    where = f" WHERE hash(__n) % {step} = 0" if step > 1 else ""
    duck.execute(f"CREATE TABLE sample_{letter} AS SELECT * FROM raw_{letter}{where}")
    return int(duck.execute(f"SELECT count(*) FROM sample_{letter}").fetchall()[0][0])


def _with_true_header(path: Path, format_: FileFormat) -> FileFormat:
    """No header where the first row looks like the rows below it: a number among numbers, a value that comes again."""
    if format_.header is None or format_.type != "csv":
        return format_
    with path.open("rb") as file:
        lines = decode_sample(file.read(SAMPLE), format_.encoding).splitlines()
    rows = [cells_of(line, format_) for line in lines[format_.header - 1 : format_.header + 500] if line.strip()]
    width = len(format_.columns)
    first, below = rows[0], [row for row in rows[1:] if len(row) == width]
    if len(first) != width or not below:
        return format_
    votes = sum(_is_value_of(first[n], [row[n].strip() for row in below]) for n in range(width))
    named = sum(_is_name_over(first[n], [row[n].strip() for row in below]) for n in range(width))
    if votes == 0 or votes <= named:
        return format_
    return detect(path, {"header": False, "skip": format_.header - 1, "delimiter": format_.delimiter})


def _is_value_of(cell: str, below: list[str]) -> bool:
    cell = cell.strip()
    filled = [text for text in below if text]
    if not cell or not filled:
        return False
    numbers = sum(bool(NUMBER_OR_DATE.fullmatch(text)) for text in filled)
    if numbers * 10 >= len(filled) * 9:
        return bool(NUMBER_OR_DATE.fullmatch(cell))
    return Counter(filled)[cell] * 20 >= len(filled) and Counter(filled)[cell] > 1


def _is_name_over(cell: str, below: list[str]) -> bool:
    """A cell with letters over a column of numbers."""
    filled = [text for text in below if text]
    numbers = sum(bool(NUMBER_OR_DATE.fullmatch(text)) for text in filled)
    return (
        bool(filled)
        and numbers * 10 >= len(filled) * 9
        and bool(cell.strip())
        and not NUMBER_OR_DATE.fullmatch(cell.strip())
    )
