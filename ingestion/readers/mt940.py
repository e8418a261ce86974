"""MT940: the statement lines (`:61:`) of bank statements, each with its `:86:`."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mt940 import models, tags
from mt940.options import Options

from ingestion.detection import SAMPLE, text_encoding
from ingestion.errors import UnreadableFile
from ingestion.file_format import FileFormat
from ingestion.framing import FileRow, physical_lines
from ingestion.readers.reader import Reading
from ingestion.readers.statements import Balance, Statement

COLUMNS = (
    "account", "statement", "sequence", "entry", "booking_date", "value_date", "amount", "currency", "direction",
    "reversal", "type", "reference", "customer_reference", "bank_reference", "details", "information",
)  # fmt: skip
MOST_LINES = 1_000  # of a tag; the standard has six
_TAG = re.compile(r"(?:\{1:.*\{4:)?\s*:(\d{2}[A-Z]?|NS):(.*)")
_ENVELOPE = re.compile(r"\{1:.*|-|-\}.*")
_LINE = tags.Statement()
_BALANCES = {"60F": tags.FinalOpeningBalance(), "60M": tags.IntermediateOpeningBalance(),
             "62F": tags.FinalClosingBalance(), "62M": tags.IntermediateClosingBalance()}  # fmt: skip


@dataclass
class _Tag:
    """A tag with the lines that belong to it."""

    name: str
    line: int
    raw: list[str]
    value: list[str]
    bad: str = ""


@dataclass
class _Walk:
    """Where the walk through the file stands."""

    reading: Reading
    ended: list[Statement] = field(default_factory=list)
    statement: Statement | None = None
    reference: str = ""
    began: int = 1
    held: tuple[_Tag, list[_Tag]] | None = None  # a statement line and its information
    is_closed: bool = False


def detect(path: Path, declared: Mapping[str, object]) -> FileFormat:
    """The columns are always the same."""
    with path.open("rb") as file:
        sample = file.read(SAMPLE)
    encoding, notes = text_encoding(path, sample, declared)
    return FileFormat(encoding, "", "", None, 0, COLUMNS, notes=tuple(notes), type="mt940")


def rows(path: Path, format_: FileFormat, reading: Reading) -> Iterator[FileRow]:
    """The statement lines in the order of the file; each statement's balance is a note."""
    walk = _Walk(reading)
    for tag in _tags(path, format_):
        if walk.held and tag.name in ("86", "NS") and not walk.is_closed:
            walk.held[1].append(tag)
            continue
        if walk.held:
            yield _entry(walk)
        _take(walk, tag)
    if walk.held:
        yield _entry(walk)
    _end(walk)
    if not walk.ended:
        raise UnreadableFile(
            "The file has no statement of MT940: no line begins with :20: or :61:. Deliver it again whole."
        )
    reading.balance(walk.ended)


def _tags(path: Path, format_: FileFormat) -> Iterator[_Tag]:
    """The tags of the file; lines without one belong to the tag before."""
    open_: _Tag | None = None
    for number, text, bad in physical_lines(path, format_):
        if match := _TAG.match(text):
            if open_ is not None:
                yield open_
            open_ = _Tag(match[1], number, [text], [match[2]], bad)
        elif open_ is not None and text.strip() and not _ENVELOPE.fullmatch(text.strip()):
            if len(open_.raw) > MOST_LINES:
                raise UnreadableFile(
                    f"The tag on line {open_.line} goes on for more than {MOST_LINES:,} lines, so this is no MT940."
                )
            open_.raw.append(text)
            open_.value.append(text)
            open_.bad = open_.bad or bad
    if open_ is not None:
        yield open_


def _take(walk: _Walk, tag: _Tag) -> None:
    """What a tag says of the statement."""
    value = tag.value[0].strip()
    if tag.name == "20" or walk.statement is None:
        _end(walk)
        walk.statement, walk.began, walk.is_closed = Statement(name=str(len(walk.ended) + 1)), tag.line, False
        walk.reference = value if tag.name == "20" else ""
    statement = walk.statement
    if tag.name == "61":
        walk.held = (tag, [])
    elif tag.name == "25":
        _name_account(walk, tag, value)
    elif tag.name in ("28", "28C"):
        statement.number = value
    elif tag.name in _BALANCES:
        _balance(walk, tag)


def _name_account(walk: _Walk, tag: _Tag, value: str) -> None:
    assert walk.statement is not None
    if walk.statement.account:
        walk.reading.notes.append(
            f"Line {tag.line} names an account a second time in one statement; the first one counts."
        )
    else:
        walk.statement.account = value


def _balance(walk: _Walk, tag: _Tag) -> None:
    assert walk.statement is not None
    balance = _read_balance(tag)
    if balance is None:
        walk.reading.notes.append(f"Line {tag.line} is no balance that can be read: {tag.raw[0][:80]!r}.")
    if tag.name.startswith("60"):
        walk.statement.opening = balance
    else:
        walk.statement.closing, walk.is_closed = balance, True


def _read_balance(tag: _Tag) -> Balance | None:
    match = _BALANCES[tag.name].re.fullmatch(tag.value[0].strip())
    if match is None:
        return None
    try:
        amount = models.Amount(match["amount"], match["status"], match["currency"], options=Options.all())
    except ArithmeticError:
        return None
    return Balance(amount.amount, match["currency"])


def _end(walk: _Walk) -> None:
    """The statement is complete; one that opened has to close."""
    statement = walk.statement
    if statement is None:
        return
    if statement.opening is not None and not walk.is_closed:
        raise UnreadableFile(
            f"The statement that begins on line {walk.began} has an opening balance but no closing one (:62F: or :62M:). "
            "The file was cut; deliver it again whole."
        )
    shown = " of account ".join(filter(None, (statement.number, statement.account)))
    statement.name += f" ({shown})" if shown else ""
    walk.ended.append(statement)
    walk.statement = None


def _entry(walk: _Walk) -> FileRow:
    """The row of the held statement line."""
    assert walk.held is not None and walk.statement is not None
    (tag, informed), statement = walk.held, walk.statement
    walk.held = None
    statement.position += 1
    raw = "\n".join(line for it in (tag, *informed) for line in it.raw)
    bad = next((it.bad for it in (tag, *informed) if it.bad), "")
    read = None if bad else _read(tag)
    if read is None:
        statement.unread += 1
        return FileRow(tag.line, raw, None, bad or "The :61: line does not say date, sign and amount as MT940 does.")
    amount = read["amount"].amount
    currency = statement.opening.currency if statement.opening else ""
    statement.add(amount, currency)
    status = str(read["status"]).upper()
    cells = {
        "account": statement.account,
        "statement": statement.number.partition("/")[0],
        "sequence": statement.number.partition("/")[2],
        "entry": str(statement.position),
        "booking_date": str(read.get("entry_date") or ""),
        "value_date": str(read["date"]),
        "amount": f"{amount:f}",
        "currency": currency,
        "direction": "DBIT" if amount < 0 or amount == 0 and status in ("D", "RC") else "CRDT",
        "reversal": "true" if status.startswith("R") else "false",
        "type": read["id"] or "",
        "reference": walk.reference,
        "customer_reference": (read["customer_reference"] or "").strip(),
        "bank_reference": read["bank_reference"] or "",
        "details": read["extra_details"] or "",
        "information": "\n".join("\n".join(it.value) for it in informed),
    }
    return FileRow(tag.line, raw, walk.reading.cells(cells))


def _read(tag: _Tag) -> dict[str, Any] | None:
    """The parts of a statement line; None where it is none."""
    first, *more = tag.value
    match = _LINE.re.match("\n".join(filter(None, (first.strip(), " ".join(more)))))
    if match is None:
        return None
    try:
        return _LINE(models.Transactions(options=Options.all()), match.groupdict())
    except (ValueError, ArithmeticError):
        return None
