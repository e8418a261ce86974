"""Values 38 to 51: read exactly, or flagged with their text kept; nothing is guessed."""

from collections.abc import Callable

from ingestion.models import Normalization
from tests.ingestion.test_values import FLAG, MONEY, define_value, read_values

Table = list[tuple[str, str, str, dict[str, str | None]]]
BERLIN = "column: v, zone: Europe/Berlin"
VALUES: Table = [
    ("38 grouping of another country", MONEY, "column: v", {"1.234,56": FLAG, "1,234.56": FLAG}),
    ("38 grouping that is declared", MONEY, 'column: v, decimal: ",", group: "."', {"1.234,56": "1234.56", "1,234.56": FLAG}),
    ("39 signs", MONEY, "column: v", {"(12.00)": FLAG, "12.00-": FLAG, "+12": "12.00", "--5": FLAG}),
    ("39 signs that are declared", MONEY, "column: v, signs: [parentheses, trailing]", {"(12.00)": "-12.00", "12.00-": "-12.00"}),
    ("40 other notations", MONEY, "column: v", {"1e3": "1000.00", "0x1F": FLAG, "\uff11\uff12": FLAG, "1_000": FLAG, "infinity": FLAG}),
    ("41 long numbers", MONEY, "column: v", {"1234567890123456789012345": FLAG, "0.1234567890": FLAG, "-0": "0.00"}),
    ("41 long numbers where there is room", "type: decimal, digits: 38, places: 10", "column: v",
        {"1234567890123456789012345.1234567891": "1234567890123456789012345.1234567891"}),
    ("42 currencies", "type: text, choices: [EUR, JPY, KWD]", "column: v", {"": None, "XXX": FLAG, "JPY": "JPY", "eur": FLAG}),
    ("42 a third decimal", MONEY, "column: v", {"1.234": FLAG}),
    ("43 dates", "type: date", "column: v", {
        "03/04/2026": FLAG, "2026-02-29": FLAG, "2024-02-29": "2024-02-29", "2026-11-31": FLAG, "0001-01-01": "0001-01-01",
        "9999-12-31": "9999-12-31", "0000-01-01": FLAG, "10000-01-01": FLAG, "26-11-20": FLAG, "infinity": FLAG, "epoch": FLAG}),
    ("43 ambiguous dates", "type: date", 'column: v, parse: ["%d/%m/%Y", "%m/%d/%Y"]', {"03/04/2026": FLAG, "13/04/2026": "2026-04-13"}),
    ("43 times", "type: datetime", "column: v", {
        "2026-11-20T24:00:00": "2026-11-21T00:00:00Z", "2016-12-31T23:59:60": FLAG, "2026-11-20 25:00:00": FLAG,
        "9999-12-31T23:59:59": "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-14:00": FLAG, "0001-01-01T00:00:00+14:00": FLAG}),
    ("44 hours that a zone skips or repeats", "type: datetime", BERLIN, {
        "2026-03-29 01:59:59": "2026-03-29T00:59:59Z", "2026-03-29 02:30:00": FLAG, "2026-03-29 03:00:00": "2026-03-29T01:00:00Z",
        "2026-10-25 01:59:59": "2026-10-24T23:59:59Z", "2026-10-25 02:30:00": FLAG, "2026-10-25 03:00:00": "2026-10-25T02:00:00Z",
        "2026-10-25T02:30:00+02:00": "2026-10-25T00:30:00Z", "9999-12-31 23:59:59": "9999-12-31T22:59:59Z"}),
    ("44 a zone that shifts by half an hour", "type: datetime", "column: v, zone: Australia/Lord_Howe", {
        "2026-04-05 01:45:00": FLAG, "2026-04-05 02:15:00": "2026-04-04T15:45:00Z"}),
    ("45 leading zeros", "type: text", "column: v", {"007": "007"}),
    ("45 leading zeros of a number", "type: integer", "column: v", {"007": "7", "9223372036854775808": FLAG}),
    ("46 spaces are kept", "type: text", "column: v", {"a ": "a ", "a\u00a0": "a\u00a0", "a\u200db": "a\u200db"}),
    ("46 spaces are cut off where that is declared", "type: text", "column: v, clean: [ends]", {"a \u00a0": "a", "\u3000a": "a"}),
    ("47 letters that look alike", "type: text", "column: v", {"\u00e9": "\u00e9", "e\u0301": "e\u0301", "p\u0430y": "p\u0430y"}),
    ("48 right to left, 49 beyond the plane", "type: text", "column: v", {"\u202eabc": "\u202eabc", "\U0001f600": "\U0001f600"}),
    ("50 null words are words", "type: text", "column: v", {it: it for it in ("NULL", "N/A", "-", "nan", "None", "\\N")}),
    ("51 booleans", "type: boolean", "column: v", {"true": "true", "TRUE": "true", "yes": FLAG, "1": FLAG, "": None}),
]  # fmt: skip


def test_each_value_is_read_exactly_or_flagged(
    define: Callable[[str], object], deliver: Callable[..., Normalization]
) -> None:
    found: Table = []
    for number, field, mapping, becomes in VALUES:
        define_value(define, field, mapping)
        read = read_values(deliver, list(becomes))
        found.append((number, field, mapping, dict(zip(becomes, read, strict=True))))
    assert found == VALUES
