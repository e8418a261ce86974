"""camt.053: the entries of bank statements, whatever the version of the schema. `CdtDbtInd` carries the sign."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from pathlib import Path

from ingestion.errors import UnreadableFile
from ingestion.file_format import FileFormat
from ingestion.framing import FileRow
from ingestion.readers.reader import Reading, sampled
from ingestion.readers.statements import Balance, Statement
from ingestion.readers.xml_stream import Found, Path_, XmlStream, local, records

COLUMNS = (
    "account", "statement", "sequence", "entry", "booking_date", "value_date", "amount", "currency", "direction",
    "reversal", "status", "reference", "end_to_end_id", "counterparty", "counterparty_account", "information",
)  # fmt: skip
OPENING, CLOSING = ("OPBD", "PRCD"), ("CLBD",)
NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053."
DETAILS = "NtryDtls.TxDtls."
PARTIES = {"CRDT": ("Dbtr", "Cdtr"), "DBIT": ("Cdtr", "Dbtr")}


def detect(path: Path, declared: Mapping[str, object]) -> FileFormat:
    """The columns that every entry has, then the elements of the first ones by their paths."""
    format_ = FileFormat("", "", "", None, 0, COLUMNS, notes=tuple(_namespace_notes(path)), type="camt053")
    return replace(format_, columns=sampled(sys.modules[__name__], path, format_))


def _namespace_notes(path: Path) -> Iterator[str]:
    """Whether the elements belong to another standard than their names say."""
    for event in XmlStream(path).events():
        namespace = event.name.removeprefix("{").rpartition("}")[0]
        if event.kind == "start" and local(event.name) == "BkToCstmrStmt":
            if not namespace.startswith(NAMESPACE):
                yield f"The namespace is {namespace or 'missing'}, not {NAMESPACE}*; the elements are read by their names."
            return


def rows(path: Path, format_: FileFormat, reading: Reading) -> Iterator[FileRow]:
    """The entries in the order of the file; each statement's balance is a note."""
    statements: list[tuple[int, Statement]] = []
    for found in records(XmlStream(path), _is_part):
        if not statements or statements[-1][0] != found.parent:
            statements.append((found.parent, Statement(name=str(len(statements) + 1))))
        statement = statements[-1][1]
        if found.path[-1] == "Ntry":
            yield _entry(found, statement, reading)
        else:
            _describe(statement, found)
    if not statements:
        raise UnreadableFile(
            "The XML has no statement (BkToCstmrStmt/Stmt), so it is no camt.053. Write `type: xml` with a `records:` path, "
            "or deliver the statement."
        )
    reading.balance([statement for _, statement in statements])


def _is_part(path: Path_) -> bool:
    return path[-3:-1] == ("BkToCstmrStmt", "Stmt")


def _describe(statement: Statement, found: Found) -> None:
    """What an element before the entries says of the statement."""
    cells, name = found.cells, found.path[-1]
    if name == "Id":
        statement.name = cells["Id"]
    elif name == "LglSeqNb" or name == "ElctrncSeqNb" and not statement.number:
        statement.number = cells[name]
    elif name == "Acct":
        statement.account = cells.get("Id.IBAN") or cells.get("Id.Othr.Id") or ""
    elif name == "TxsSummry":
        statement.declared = cells.get("TtlNtries.NbOfNtries", "").strip()
    elif name == "Bal":
        code, balance = cells.get("Tp.CdOrPrtry.Cd"), _balance(cells)
        if code in OPENING and statement.opening is None:
            statement.opening = balance
        elif code in CLOSING:
            statement.closing = balance


def _balance(cells: Mapping[str, str]) -> Balance | None:
    amount = _amount(cells)
    return None if amount is None else Balance(amount, cells.get("Amt.@Ccy", ""))


def _amount(cells: Mapping[str, str]) -> Decimal | None:
    """The signed amount; None where amount or sign cannot be read."""
    sign = {"CRDT": 1, "DBIT": -1}.get(cells.get("CdtDbtInd", "").strip())
    try:
        amount = Decimal(cells.get("Amt", "").strip())
    except InvalidOperation:
        return None
    return sign * amount if sign and amount.is_finite() else None


def _entry(found: Found, statement: Statement, reading: Reading) -> FileRow:
    cells = found.cells
    amount = _amount(cells)
    statement.position += 1
    if amount is None:
        statement.unread += 1
        shown = f"amount {cells.get('Amt', '')!r} and CdtDbtInd {cells.get('CdtDbtInd', '')!r}"
        return FileRow(found.line, found.raw, None, f"An entry needs a number and CRDT or DBIT; it has {shown}.")
    status = cells.get("Sts.Cd") or cells.get("Sts", "")
    if status in ("", "BOOK"):
        statement.add(amount, cells.get("Amt.@Ccy", ""))
    given = {
        "account": statement.account,
        "statement": statement.name,
        "sequence": statement.number,
        "entry": str(statement.position),
        "amount": f"{amount:f}",
        "status": status,
        **_named(cells),
    }
    return FileRow(found.line, found.raw, reading.cells({**cells, **given}))


def _named(cells: Mapping[str, str]) -> dict[str, str]:
    """The columns that an entry has under other names in the schema."""
    direction = cells["CdtDbtInd"].strip()
    return {
        "booking_date": _date(cells, "BookgDt"),
        "value_date": _date(cells, "ValDt"),
        "currency": cells.get("Amt.@Ccy", ""),
        "direction": direction,
        "reversal": cells.get("RvslInd", "false"),
        "reference": cells.get("AcctSvcrRef") or cells.get("NtryRef", ""),
        "end_to_end_id": cells.get(f"{DETAILS}Refs.EndToEndId", ""),
        "counterparty": _party(cells, direction, "Nm", "Pty.Nm"),
        "counterparty_account": _party(cells, direction, "Acct.Id.IBAN", "Acct.Id.Othr.Id"),
        "information": _information(cells),
    }


def _date(cells: Mapping[str, str], name: str) -> str:
    return cells.get(f"{name}.Dt") or cells.get(f"{name}.DtTm", "")[:10]


def _party(cells: Mapping[str, str], direction: str, *names: str) -> str:
    """Who stands on the other side: the debtor of a credit, the creditor of a debit; else the one that is named."""
    for party in PARTIES[direction]:
        for name in names:
            joint = "" if name.startswith("Acct") else "."
            if text := cells.get(f"{DETAILS}RltdPties.{party}{joint}{name}"):
                return text
    return ""


def _information(cells: Mapping[str, str]) -> str:
    texts = [text for name, text in cells.items() if name.startswith(f"{DETAILS}RmtInf.Ustrd")]
    return "\n".join(texts) or cells.get("AddtlNtryInf", "")
