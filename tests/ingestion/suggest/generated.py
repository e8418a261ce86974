"""Seeded pairs of files: the same records written by two systems, with the truth of which column is which."""

import csv
import datetime as dt
import io
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

Write = Callable[[object], str]
NAMES = {
    "id": (("DealRef", "transaction_id"), ("TradeID", "txn_ref"), ("Referenz", "id")),
    "booked": (("TradeDate", "trd_dt"), ("Handelstag", "trade_date"), ("BookingDate", "booked")),
    "settled": (("ValueDate", "sett_dt"), ("Valuta Datum", "settlement_date"), ("SettlDate", "settled_on")),
    "party": (("Counterparty", "cpty_nm"), ("Gegenpartei", "counterparty"), ("ClientName", "customer")),
    "country": (("Country", "ctry"), ("Land", "country_code"), ("Nation", "country")),
    "side": (("Side", "buy_sell"), ("KV", "direction"), ("B/S", "side")),
    "currency": (("Ccy", "currency"), ("Waehrung", "curr"), ("CCY", "ccy_code")),
    "amount": (("Amount", "amt"), ("Betrag", "amount"), ("Notional", "trade_value")),
    "rate": (("Rate", "fx_rate"), ("Kurs", "rate"), ("Price", "px")),
    "quantity": (("Qty", "quantity"), ("Menge", "units"), ("Shares", "nbr_of_shares")),
    "status": (("Status", "trade_status"), ("Zustand", "state"), ("Stat", "status_cd")),
    "trader": (("Trader", "usr"), ("Haendler", "trader_id"), ("Dealer", "dealer_code")),
    "book": (("Book", "book_cd"), ("Portfolio", "portf"), ("BookName", "bk")),
    "time": (("EntryTime", "created_at"), ("Zeit", "ts"), ("Timestamp", "entered")),
    "fee": (("Fee", "commission"), ("Gebuehr", "fee_amt"), ("Charges", "fees")),
    "share": (("Pct", "share"), ("Anteil", "ratio"), ("Weight", "wgt")),
    "live": (("Active", "is_live"), ("Aktiv", "live_flag"), ("Live", "enabled")),
    "account": (("Account", "acct_no"), ("Konto", "account_number"), ("Acc", "acct")),
    "note": (("Comment", "remark"), ("Bemerkung", "note_txt"), ("Memo", "free_text")),
    "lot": (("Lots", "lot_cnt"), ("Stueck", "lots"), ("Pieces", "piece_cnt")),
}
PARTIES = (
    "Meridian Capital Partners", "Banco do Atlântico", "Ørsted Treasury A/S", "Hudson River Bank", "Müller Handels AG",
    "Société du Lac", "Northwind Traders", "Plain Ltd", "Kestrel & Sons", "Ocean-Line Shipping", "Tartan Re", "Delta One",
)  # fmt: skip
COUNTRIES = {
    "DE": "Germany", "PT": "Portugal", "DK": "Denmark", "US": "United States", "FR": "France", "CH": "Switzerland",
    "GB": "United Kingdom", "JP": "Japan", "NL": "Netherlands", "IT": "Italy", "ES": "Spain", "SE": "Sweden",
}  # fmt: skip
STATUS = {"NEW": "1", "DONE": "2", "CANCELLED": "3", "AMENDED": "4"}
BOOKS = ("SPOT", "RATES", "OPTIONS", "CREDIT", "EQ-DELTA")
DAYS = ("%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%Y%m%d", "%d-%b-%Y", "%d %B %Y", "%Y/%m/%d", "%d.%m.%y")


@dataclass(frozen=True)
class Generated:
    """Two texts and what is true of them: A's header to B's, and the key."""

    a: str
    b: str
    pairs: dict[str, str]
    key: tuple[str, str]
    rows: int
    said: list[str] = field(default_factory=list)


def generate(
    seed: int, *, columns: int = 12, rows: int = 400, names: str = "alike", noise: float = 0.03, extra: int = 2
) -> Generated:
    """`names`: same, alike (other words, other language, abbreviated) or none (nothing in common)."""
    chance = random.Random(seed)
    chosen = ["id", *chance.sample([name for name in NAMES if name != "id"], columns - 1)]
    records = [_record(chance, n) for n in range(rows)]
    writers, said = _writers(chance)
    other = [dict(record) for record in records if chance.random() > 0.02]
    mine = [record for record in records if chance.random() > 0.02]
    for record in other:
        for name in chosen[1:]:
            if chance.random() < noise:
                record[name] = _record(chance, chance.randrange(rows))[name]
    other.append(dict(other[0]))
    chance.shuffle(other)
    headers = _headers(chance, chosen, names)
    text_a = _text(
        chance, mine, chosen, [headers[n][0] for n in chosen], [writers[n][0] for n in chosen], ",", extra, "a"
    )
    text_b = _text(
        chance, other, chosen, [headers[n][1] for n in chosen], [writers[n][1] for n in chosen], ";", extra, "b"
    )
    return Generated(text_a, text_b, {headers[n][0]: headers[n][1] for n in chosen}, headers["id"], rows, said)


def _record(chance: random.Random, n: int) -> dict[str, object]:
    booked = dt.date(2024, 1, 1) + dt.timedelta(days=chance.randrange(300))
    party = chance.randrange(len(PARTIES))
    return {
        "id": 8_840_000 + 7 * n,
        "booked": booked,
        "settled": booked + dt.timedelta(days=chance.choice((1, 2, 2, 2, 3))),
        "party": PARTIES[party],
        "country": list(COUNTRIES)[party],
        "side": chance.choice(("BUY", "SELL")),
        "currency": chance.choice(("EUR", "USD", "GBP", "JPY", "CHF")),
        "amount": round(chance.uniform(10, 2_000_000), 2),
        "rate": round(chance.uniform(0.5, 160), 6),
        "quantity": chance.randrange(1, 5000),
        "status": chance.choice(list(STATUS)),
        "trader": f"{chance.choice('abcdefghij')}.{chance.choice(('keller', 'raman', 'ito', 'weber', 'novak'))}",
        "book": chance.choice(BOOKS),
        "time": dt.datetime(2024, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=chance.randrange(25_000_000)),
        "fee": round(chance.uniform(0.01, 90), 2),
        "share": chance.randrange(1, 1000) / 1000,
        "live": chance.random() < 0.7,
        "account": f"{chance.randrange(10**5):08d}",
        "note": chance.choice(("late fill", "see mail", "ok", "checked by phone")) if chance.random() < 0.15 else None,
        "lot": chance.choice((1, 2, 5, 10, 20, 50)),
    }


def _plain(value: object) -> str:
    return "" if value is None else str(value)


def _number(places: int, *, comma: bool) -> Write:
    def write(value: object) -> str:
        text = f"{value:,.{places}f}"
        return text.replace(",", "_").replace(".", ",").replace("_", ".") if comma else text.replace(",", "")

    return write


def _day(pattern: str) -> Write:
    return lambda value: value.strftime(pattern)  # type: ignore[attr-defined]


SAME = (_plain, _plain)
IDS: list[tuple[Write, Write]] = [
    SAME,
    (lambda n: f"FX-{n}", lambda n: f"fx{n}"),
    (lambda n: f"{n:010d}", _plain),  # type: ignore[str-format]
    (lambda n: f"FX/{n}", lambda n: f"FX-{n}"),
    (lambda n: f"TRD{n}", _plain),
]


def _writers(chance: random.Random) -> tuple[dict[str, tuple[Write, Write]], list[str]]:
    """How A and B write each column."""
    day_a, day_b = chance.choice(("%Y-%m-%d", *DAYS)), chance.choice(DAYS)
    comma = chance.random() < 0.5
    cents = chance.random() < 0.5
    nothing = chance.choice(("", "N/A", "NULL", "\\N"))
    found: dict[str, tuple[Write, Write]] = {
        "id": chance.choice(IDS),
        "booked": (_day(day_a), _day(day_b)),
        "settled": (_day(day_a), _day(day_b)),
        "party": (_plain, chance.choice((_plain, lambda it: it.upper(), lambda it: it.replace(" ", "  ").lower()))),  # type: ignore[attr-defined]
        "country": (_plain, chance.choice((_plain, lambda it: COUNTRIES[it]))),  # type: ignore[index]
        "side": chance.choice((SAME, (lambda it: it[0], _plain), (_plain, lambda it: "KV"[it == "SELL"]))),  # type: ignore[index]
        "amount": (_plain, (lambda it: str(round(it * 100))) if cents else _number(2, comma=comma)),  # type: ignore[operator]
        "rate": (_plain, _number(chance.choice((6, 4)), comma=comma)),
        "fee": (lambda it: f"{it:.2f}", _number(2, comma=comma)),
        "status": (_plain, chance.choice((_plain, lambda it: STATUS[it]))),  # type: ignore[index]
        "time": (
            lambda it: it.strftime("%Y-%m-%d %H:%M:%S"),  # type: ignore[attr-defined]
            chance.choice((lambda it: it.strftime("%d.%m.%Y %H:%M:%S"), lambda it: it.strftime("%Y-%m-%dT%H:%M:%SZ"))),  # type: ignore[attr-defined]
        ),
        "share": (_plain, chance.choice((_plain, lambda it: f"{it * 100:.1f}%"))),  # type: ignore[operator]
        "live": (lambda it: "true" if it else "false", chance.choice((lambda it: "Y" if it else "N", lambda it: str(int(bool(it)))))),
        "account": (_plain, chance.choice((_plain, lambda it: it.lstrip("0") or "0"))),  # type: ignore[attr-defined]
        "note": (_plain, lambda it: nothing if it is None else str(it)),
        "trader": (_plain, chance.choice((_plain, lambda it: it.upper()))),  # type: ignore[attr-defined]
    }  # fmt: skip
    return {name: found.get(name, SAME) for name in NAMES}, [day_a, day_b, f"comma {comma}", f"cents {cents}", nothing]


def _headers(chance: random.Random, chosen: Sequence[str], names: str) -> dict[str, tuple[str, str]]:
    if names == "same":
        return {name: (name, name) for name in chosen}
    if names == "none":
        codes = chance.sample(range(100, 999), 2 * len(chosen))
        return {name: (f"F{codes[2 * n]}", f"col{codes[2 * n + 1]}x") for n, name in enumerate(chosen)}
    return {name: chance.choice(NAMES[name]) for name in chosen}


def _text(
    chance: random.Random, records: Sequence[dict[str, object]], chosen: Sequence[str], headers: Sequence[str],
    writers: Sequence[Write], delimiter: str, extra: int, letter: str,
) -> str:  # fmt: skip
    """The records in a shuffled order of columns, with columns that the other side does not have."""
    columns: list[tuple[str, list[str]]] = [
        (header, [write(record[name]) for record in records])
        for name, header, write in zip(chosen, headers, writers, strict=True)
    ]
    for n in range(extra):
        made = [str(chance.randrange(10**6)) if n % 2 else chance.choice(("x1", "x2", "x3")) for _ in records]
        columns.append((f"{'pq'[letter == 'b']}{chance.randrange(100)}z{n}", made))
    chance.shuffle(columns)
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
    writer.writerow([header for header, _ in columns])
    writer.writerows(zip(*(values for _, values in columns), strict=True))
    return out.getvalue()
