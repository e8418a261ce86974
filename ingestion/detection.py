"""Detecting the format of a delimited file: encoding, delimiter, header. What is declared wins and answers its question."""

import codecs
import csv
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from ingestion.errors import UnreadableFile
from ingestion.file_format import MOST_COLUMNS, FileFormat

SAMPLE = 1 << 20
ENCODING_BLOCK = 1 << 24  # bytes
LONGEST_LINE = 1 << 26  # bytes
UNDEFINED_IN_CP1252 = (0x81, 0x8D, 0x8F, 0x90, 0x9D)
DELIMITERS = (",", ";", "\t", "|")
MAGIC = {
    b"PK\x03\x04": "a ZIP archive (or an Excel workbook)",
    b"PAR1": "a Parquet file",
    b"%PDF": "a PDF document",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
}
INVISIBLE = str.maketrans(
    "",
    "",
    "\u200b\u200c\u200d\u2060\ufeff\u00ad\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u061c",
)
PREAMBLE = "The header seems to stand on line {line}; write `header: {line}` in the format, or deliver with --accept."
NO_HEADER = "The first line looks like a record, not a header; write `header: false` (or `header: 1`) in the format, or deliver with --accept."
TWICE = (
    "A header stands twice, and both columns are kept under distinct names; write `header: {line}` in the format to confirm, or "
    "deliver with --accept."
)
TOTAL = "The last line looks like a total; write `footer: {rows: 1}` in the format, or deliver with --accept."
NUMBER_OR_DATE = re.compile(r"[+-]?[\d.,]*\d[\d.,]*%?|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}")


def detect(path: Path, declared: Mapping[str, object]) -> FileFormat:
    """The format of a file's bytes. UnreadableFile says why there is none; `questions` say what a person must settle."""
    with path.open("rb") as file:
        sample = file.read(SAMPLE)
    _refuse_other_kinds(sample)
    encoding, notes = text_encoding(path, sample, declared)
    text = decode_sample(sample, encoding)
    lines = text.splitlines()
    if not any(line.strip() for line in lines):
        raise UnreadableFile(
            "The file has no header and no rows: it holds only blank lines. Deliver it again with its rows."
        )
    delimiter = str(declared.get("delimiter") or _delimiter(lines))
    quote = str(declared.get("quote") or '"')
    draft = FileFormat(encoding, delimiter, quote, None, 0, (), notes=tuple(notes))
    return with_header(draft, lines, declared)


def _refuse_other_kinds(sample: bytes) -> None:
    if not sample:
        raise UnreadableFile("The file is empty (0 bytes). Deliver it again with its rows.")
    for magic, what in MAGIC.items():
        if sample.startswith(magic):
            raise UnreadableFile(
                f"The file is {what}, whatever its name says. Deliver the delimited text that it was made from."
            )


def text_encoding(path: Path, sample: bytes, declared: Mapping[str, object]) -> tuple[str, list[str]]:
    """The declared encoding, else what the bytes say, and notes on how that was found. UnreadableFile where the declared one is none."""
    if given := declared.get("encoding"):
        return known_encoding(str(given)), []
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if sample.startswith(mark):
            return name, [f"Encoding {name}, by its byte order mark."]
    if sample.count(b"\0") > len(sample) // 4:
        name = "utf-16-le" if sample[1:2] == b"\0" else "utf-16-be"
        return name, [f"Encoding {name}, by its zero bytes."]
    return _by_bytes(path)


def known_encoding(name: str) -> str:
    """The usual name of a declared encoding; UnreadableFile where it is none of texts."""
    try:
        found = codecs.lookup(name).name
        "".encode(found)  # refused by what is no encoding of texts, such as base64
        return found
    except LookupError:
        raise UnreadableFile(f"There is no encoding {name!r}. Write one such as utf-8, cp1252 or latin-1.") from None


def _by_bytes(path: Path) -> tuple[str, list[str]]:
    """UTF-8 unless it fails on most lines with bytes above 127; then Windows-1252, which has the printable ones."""
    good = bad = 0
    is_undefined = False
    for block in _whole_lines(path):
        if block.isascii():
            continue
        fit, unfit = _fitting_lines(block)
        good, bad = good + fit, bad + unfit
        is_undefined = is_undefined or any(byte in block for byte in UNDEFINED_IN_CP1252)
    if not bad:
        return "utf-8", []
    if good:
        return "utf-8", [f"Encoding utf-8, but {bad} lines hold bytes that are not; those rows are quarantined."]
    name = "latin-1" if is_undefined else "cp1252"
    return name, [f"Encoding {name}: the bytes above 127 are no UTF-8."]


def _whole_lines(path: Path) -> Iterator[bytes]:
    """The bytes in blocks that end where a line ends, so that a file of any size takes little memory."""
    kept = b""
    with path.open("rb") as file:
        while block := file.read(ENCODING_BLOCK):
            end = block.rfind(b"\n") + 1
            if not end and len(kept) < LONGEST_LINE:
                kept += block
                continue
            end = end or len(block)  # a line of this length is refused when it is read
            yield kept + block[:end]
            kept = block[end:]
    yield kept


def _fitting_lines(block: bytes) -> tuple[int, int]:
    """How many lines with bytes above 127 are UTF-8, and how many are not; of a block that is, one stands for all."""
    with suppress(UnicodeDecodeError):
        block.decode()
        return 1, 0
    fits = [_is_utf8(line) for line in block.split(b"\n") if not line.isascii()]
    return sum(fits), len(fits) - sum(fits)


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def decode_sample(sample: bytes, encoding: str) -> str:
    """The text of a first block, cut where a character was cut."""
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    return decoder.decode(sample, final=False)


def _delimiter(lines: list[str]) -> str:
    """The mark that cuts most lines into the same number of parts, at least two."""
    shown = [line for line in lines[:200] if line.strip()]
    best, best_score = ",", 0.0
    for mark in DELIMITERS:
        counts = Counter(len(_cut(line, mark)) for line in shown)
        width, times = max(counts.items(), key=lambda pair: (pair[0] > 1, pair[1], pair[0]))
        score = times / len(shown) * min(width - 1, 3) if width > 1 else 0.0
        if score > best_score:
            best, best_score = mark, score
    return best


def _cut(line: str, delimiter: str, quote: str = '"') -> list[str]:
    csv.field_size_limit(1 << 30)
    try:
        return next(csv.reader([line], delimiter=delimiter, quotechar=quote), [])
    except csv.Error:
        return line.split(delimiter)


def with_header(draft: FileFormat, lines: list[str], declared: Mapping[str, object]) -> FileFormat:
    """A draft with its header, columns and footer, as declared or as the lines look; `questions` where nothing declared settles a
    doubt. UnreadableFile where the file ends before the line that is declared to be the first."""
    skip, given = int(str(declared.get("skip") or 0)), declared.get("header")
    _check_length(lines, max(skip + 1, int(str(given or 0))))
    found, has_preamble, totals = _find_header(draft, lines, skip)
    header = found if given is None else (None if given is False else int(str(given)))
    questions = []
    if given is None and has_preamble and not skip:
        questions.append(PREAMBLE.format(line=found))
    if given is None and header is not None and _looks_like_record(_cut(lines[header - 1], draft.delimiter)):
        questions.append(NO_HEADER)
        header = None
    first = (header or skip + 1) - 1
    columns, notes = _names(_record_at(lines, first, draft), has_header=header is not None)
    if given is None and any("stands twice" in note for note in notes):
        questions.append(TWICE.format(line=found))
    if totals and not declared.get("footer"):
        questions.append(TOTAL)
    return replace(
        _with_footer(draft, declared.get("footer"), totals), header=header, skip=first if header is None else header - 1,
        columns=columns, notes=(*draft.notes, *notes), questions=tuple(questions),
    )  # fmt: skip


def _check_length(lines: list[str], wanted: int) -> None:
    if wanted > len(lines):
        raise UnreadableFile(
            f"The file has {len(lines)} lines, but its format looks for its first one on line {wanted}."
        )


def _with_footer(draft: FileFormat, declared: object, found: int) -> FileFormat:
    """The footer that is declared, else so many lines of totals."""
    if not isinstance(declared, Mapping) or not declared:
        return replace(draft, footer_rows=found, footer_sum="", footer_count=False)
    return replace(
        draft,
        footer_rows=int(str(declared.get("rows", 1))),
        footer_sum=str(declared.get("sum") or ""),
        footer_count=bool(declared.get("count")),
    )


def _find_header(draft: FileFormat, lines: list[str], skip: int) -> tuple[int, bool, int]:
    """The physical line of the header, whether other lines stand before it, and how many footer lines there are."""
    widths = [len(_cut(line, draft.delimiter)) if line.strip() else 0 for line in lines[:500]]
    usual = max((w for w in widths if w), key=widths.count)
    first = next((i for i, w in enumerate(widths) if i >= skip and w), skip)
    if widths[first] >= 2 or usual < 2:
        return first + 1, False, 0
    header = next((i for i, w in enumerate(widths) if i >= skip and w >= 2 and w == usual), first)
    filled = [line for line in lines if line.strip()]
    total = 1 if filled and re.match(r"\W*(grand )?total\b", filled[-1], re.IGNORECASE) else 0
    return header + 1, header > first, total


def _looks_like_record(cells: list[str]) -> bool:
    filled = [cell.strip() for cell in cells if cell.strip()]
    return bool(filled) and sum(bool(NUMBER_OR_DATE.fullmatch(cell)) for cell in filled) * 2 > len(filled)


def _record_at(lines: list[str], first: int, draft: FileFormat) -> list[str]:
    """The cells of the record that starts on a line, which may go on over quoted line ends."""
    reader = csv.reader((line + "\n" for line in lines[first:]), delimiter=draft.delimiter, quotechar=draft.quote)
    try:
        return next(reader, [])
    except csv.Error:
        return _cut(lines[first], draft.delimiter)


def _names(cells: list[str], *, has_header: bool) -> tuple[tuple[str, ...], list[str]]:
    """Distinct column names: trimmed headers, `column_n` for blank ones, `name_2` for the second of a name."""
    if len(cells) > MOST_COLUMNS:
        raise UnreadableFile(
            f"Its first line has {len(cells):,} columns, more than {MOST_COLUMNS:,}. Check the delimiter, or leave some out."
        )
    if not has_header:
        names = tuple(f"column_{n}" for n in range(1, len(cells) + 1))
        return names, ["No header: the columns are column_1, column_2 ..."]
    return _distinct(cells)


def _distinct(cells: list[str]) -> tuple[tuple[str, ...], list[str]]:
    """The names of a header, and what is to be said of them."""
    names: dict[str, int] = {}  # each with the number that the next of its name may have
    notes = []
    for number, cell in enumerate(cells, 1):
        if "\0" in cell:
            raise UnreadableFile(
                "The header holds NUL bytes, so the file is no text. Deliver the text it was made from."
            )
        name = " ".join(cell.translate(INVISIBLE).split()) or f"column_{number}"
        if cell.translate(INVISIBLE) != cell:
            notes.append(f"Header {name!r} has characters that cannot be seen; they were left out.")
        if name in names:
            while (again := f"{name}_{names[name]}") in names:
                names[name] += 1
            notes.append(f"Header {name!r} stands twice; the second one is called {again!r}.")
            name = again
        names[name] = 2
    return tuple(names), notes
