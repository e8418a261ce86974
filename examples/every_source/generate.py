"""Writes what the sources of this example hand over, the differences in it planned. The same bytes each time.

python examples/every_source/generate.py [FOLDER]
"""

import csv
import gzip
import io
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path

DAY = "2026-11-20"
COUNT = 60
CENT = Decimal("0.01")
NAMES = ("Acme GmbH", "Ørsted Treasury", "Plain Ltd", "Banco Atlântico", "Müller AG")
Rows = Sequence[Mapping[str, str]]


def amount(n: int) -> Decimal:
    """An amount with cents, another for each n."""
    return (Decimal(n * n * 7919 % 48611) / 100 + n).quantize(CENT)


def takings() -> tuple[Rows, Rows]:
    """What the till rang up, and what the acquirer settled: a receipt lacks on each side, two digits are swapped."""
    till = [
        {"Receipt": f"R-{n:04}", "Day": "20.11.2026", "Card": "visa", "Amount": f"{amount(n)}".replace(".", ",")}
        for n in range(1, COUNT + 1)
    ]
    settled = [
        {"receipt": f"R-{n:04}", "taken": DAY, "card": "VISA", "amount": str(Decimal("91.55") if n == 7 else amount(n))}
        for n in range(2, COUNT + 2)
    ]
    till[6]["Amount"] = "19,55"
    return till, settled


def shipments() -> tuple[Rows, Rows]:
    """What the warehouse dispatched, and what the carrier moved: a weight in grams, one rounded, one never moved."""
    dispatched, moved = [], []
    for n in range(1, COUNT + 1):
        weight = Decimal(n * 37 % 900 + 250) / 1000
        row = {"id": str(n), "parcel": f"P{n:05}", "shipped": DAY, "weight_kg": f"{weight:.3f}", "cost": str(amount(n))}
        dispatched.append(row)
        told = weight * 1000 if n == 11 else round(weight, 1) if n == 20 else weight
        if n != 33:
            moved.append({**row, "weight_kg": f"{told:f}", "changed_at": f"{DAY}T18:{n % 60:02}:00Z"})
    return dispatched, [{key: value for key, value in row.items() if key != "id"} for row in moved]


def payouts() -> tuple[Rows, Rows]:
    """What the payroll program paid, and what the bank booked: a sign turned, one not booked yet."""
    paid = [
        {"reference": f"PAY-{n:04}", "payee": NAMES[n % len(NAMES)], "day": DAY, "amount": str(amount(n)), "currency": "EUR"}
        for n in range(1, COUNT + 1)
    ]  # fmt: skip
    return paid, [{**row, "is_credit": "yes" if n == 15 else ""} for n, row in enumerate(paid, 1) if n != 44]


def statement(booked: Rows) -> str:
    """The bank's entries as a camt.053 statement whose balances fit."""
    signed = [Decimal(row["amount"]) * (1 if row["is_credit"] else -1) for row in booked]
    opening = Decimal("100000.00")
    balances = (("OPBD", opening), ("CLBD", opening + sum(signed)))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08">'
        "<BkToCstmrStmt><GrpHdr><MsgId>EVERY-1</MsgId></GrpHdr><Stmt>\n<Id>2026-11-20</Id>"
        "<Acct><Id><IBAN>DE02120300000000202051</IBAN></Id></Acct>\n"
        + "".join(_balance(code, value) for code, value in balances)
        + "".join(_entries(booked))
        + "</Stmt></BkToCstmrStmt></Document>\n"
    )


def _balance(code: str, value: Decimal) -> str:
    return (
        f'<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">{value}</Amt>'
        f"<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>{DAY}</Dt></Dt></Bal>\n"
    )


def _entries(booked: Rows) -> Iterator[str]:
    for row in booked:
        sign = "CRDT" if row["is_credit"] else "DBIT"
        party = "Dbtr" if row["is_credit"] else "Cdtr"
        yield (
            f'<Ntry><Amt Ccy="{row["currency"]}">{row["amount"]}</Amt><CdtDbtInd>{sign}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>'
            f"<BookgDt><Dt>{row['day']}</Dt></BookgDt><ValDt><Dt>{row['day']}</Dt></ValDt><NtryDtls><TxDtls>"
            f"<Refs><EndToEndId>{row['reference']}</EndToEndId></Refs><RltdPties><{party}><Pty><Nm>{row['payee']}</Nm></Pty>"
            f"</{party}></RltdPties></TxDtls></NtryDtls></Ntry>\n"
        )


def text_of(rows: Rows, delimiter: str = ",") -> str:
    """Rows as CSV."""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def main(folder: Path) -> None:
    """Write everything."""
    till, settled = takings()
    dispatched, moved = shipments()
    paid, booked = payouts()
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in settled)
    (folder / "till.csv").write_text(text_of(till, ";"), encoding="cp1252")
    (folder / "settled_20261120.ndjson.gz").write_bytes(gzip.compress(lines.encode(), mtime=0))
    (folder / "dispatched.csv").write_text(text_of(dispatched), encoding="utf-8")
    (folder / "moved.json").write_text(json.dumps(moved, indent=1) + "\n", encoding="utf-8")
    (folder / "paid.json").write_text(json.dumps(paid, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / "booked.xml").write_text(statement(booked), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
