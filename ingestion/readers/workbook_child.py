"""A process of its own that reads a workbook: whatever it holds, memory, time and files are limited here.

python -I workbook_child.py FILE sheets | sample SHEET | rows SHEET

`sheets` prints the sheets as a line of JSON; the others print what is odd in a sheet as one, then each row as one. A
sample is the first rows and the last one, and nothing odd.
A refusal is a line {"refused": sentence}. It imports nothing of ours, so that it starts fast and holds no secret.
"""

import datetime as dt
import json
import re
import resource
import sys
import zipfile
from collections.abc import Iterator
from decimal import Decimal

from defusedxml.ElementTree import fromstring
from python_calamine import CalamineSheet, CalamineWorkbook

MEMORY = 1 << 30  # bytes of address space
SECONDS = 120
ENTRIES = 2_000
INFLATED = 400 << 20  # bytes, all entries together
RATIO, RATIO_FROM = 150, 16 << 20  # how much smaller an entry may be packed, and from which size it matters
BLOCK = 1 << 20
LIST = 4 << 20  # bytes of the list of sheets
SAMPLE = 500  # rows
FAULTS = 100_000  # cells with errors or without values; beyond it the sheet is no table
MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
STRICT = "{http://purl.oclc.org/ooxml/spreadsheetml/main}"
STRICT_RELATION = "{http://purl.oclc.org/ooxml/officeDocument/relationships}id"
_P = rb"(?:\w+:)?"  # a prefix of a namespace
_CELL = re.compile(rb"<" + _P + rb"c\s([^>]*)>")
_ERROR = re.compile(
    rb"""<%bc\s([^>]*\bt=["']e["'][^>]*)>(?:<%bf[^>]*?(?:/>|>[^<]*</%bf>))?\s*<%bv>([^<]*)<""" % (_P, _P, _P, _P)
)
_UNCOMPUTED = re.compile(
    rb"<%bc\s([^>]*)>\s*<%bf\b(?:[^>]*/>|[^>]*>[^<]*</%bf>)\s*(<%bv\s*/>|<%bv>\s*</%bv>)?\s*</%bc>"
    % (_P, _P, _P, _P, _P, _P, _P)
)
_FORMULA = re.compile(rb"<%bf[\s>/]" % _P)
_HIDDEN = re.compile(rb"""<%brow\b[^>]*\bhidden=["'](?:1|true)["']""" % _P)
_MERGED = re.compile(rb"""mergeCell\s[^>]*\bref=["']([A-Z]{1,3}\d{1,7}(?::[A-Z]{1,3}\d{1,7})?)["']""")
_PLACE = re.compile(rb"""\br=["']([A-Z]{1,3}\d{1,7})["']""")
_TEXT = re.compile(rb"""\bt=["']str["']""")


class Refused(Exception):
    """A sentence for a person."""


def main(path: str, what: str, sheet: str) -> None:
    """Print what is asked for."""
    _limit()
    try:
        with zipfile.ZipFile(path) as archive:
            _count(archive)
            parts = {name: part for name, part, _ in _parts(archive)}
            if what == "sheets":
                _say({"sheets": list(_sheets(archive))})
            else:
                _scan(archive)
                _say(_facts(archive, parts[sheet]) if what == "rows" else {})
                _print_rows(CalamineWorkbook.from_path(path).get_sheet_by_name(sheet), what)
    except Refused as refusal:
        _say({"refused": str(refusal)})
    except MemoryError:
        _say(
            {"refused": f"The workbook needs more than {MEMORY >> 20:,} MB to be read. Deliver it in parts, or as CSV."}
        )
    except (zipfile.BadZipFile, EOFError, OSError, ValueError, KeyError, NotImplementedError, RuntimeError) as error:
        _say(
            {
                "refused": f"The workbook is damaged: {' '.join(str(error).split())[:200]}. Save it again, and deliver it again."
            }
        )
    except Exception as error:  # noqa: BLE001 - whatever a library makes of a hostile file
        _say(
            {
                "refused": f"The workbook cannot be read ({type(error).__name__}: {str(error)[:200]}). Save it again as xlsx."
            }
        )


def _limit() -> None:
    for what, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(what)
        resource.setrlimit(what, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def _say(document: object) -> None:
    sys.stdout.write(json.dumps(document) + "\n")


def _count(archive: zipfile.ZipFile) -> None:
    entries = archive.infolist()
    if len(entries) > ENTRIES:
        raise Refused(
            f"The workbook has {len(entries):,} parts, more than {ENTRIES:,}. Save its sheet as a new workbook."
        )
    if len({it.filename for it in entries}) < len(entries):
        raise Refused("The workbook has two parts of one name, so it can be read in two ways. Save it again.")
    if any(it.flag_bits & 1 for it in entries):
        raise Refused("The workbook is locked with a password. Save it without one, and deliver it again.")


def _scan(archive: zipfile.ZipFile) -> None:
    """Inflate every entry once, without keeping it, and refuse what is a bomb."""
    total = 0
    for entry in archive.infolist():
        size = 0
        with archive.open(entry) as part:
            while block := part.read(BLOCK):
                size, total = size + len(block), total + len(block)
                if total > INFLATED:
                    raise Refused(
                        f"The workbook inflates to more than {INFLATED >> 20:,} MB. Deliver it in parts, or as CSV."
                    )
                if size > RATIO_FROM and size > RATIO * max(entry.compress_size, 1):
                    raise Refused(
                        f"Part {entry.filename!r} inflates to more than {RATIO} times its size, as bombs do. Deliver it as CSV."
                    )


def _small(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as part:
        text = part.read(LIST + 1)
    if len(text) > LIST:
        raise Refused(f"Part {name!r} is larger than {LIST >> 20} MB. Save the sheet as a new workbook.")
    return text


def _parts(archive: zipfile.ZipFile) -> Iterator[tuple[str, str, bool]]:
    """The name, XML part and visibility of each sheet that has cells (a chart has none)."""
    targets = {
        it.get("Id"): str(it.get("Target"))
        for it in fromstring(_small(archive, "xl/_rels/workbook.xml.rels"), forbid_dtd=True)
        if str(it.get("Type")).endswith("/worksheet")
    }
    root = fromstring(_small(archive, "xl/workbook.xml"), forbid_dtd=True)
    for sheet in [*root.iter(f"{MAIN}sheet"), *root.iter(f"{STRICT}sheet")]:
        target = targets.get(sheet.get(RELATION) or sheet.get(STRICT_RELATION))
        if target is not None:
            part = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
            yield str(sheet.get("name")), part, sheet.get("state", "visible") == "visible"


def _sheets(archive: zipfile.ZipFile) -> Iterator[dict[str, object]]:
    for name, part, is_visible in _parts(archive):
        with archive.open(part) as file:
            is_filled = bool(_CELL.search(file.read(BLOCK)))
        yield {"name": name, "visible": is_visible, "filled": is_filled}


def _pieces(archive: zipfile.ZipFile, part: str) -> Iterator[bytes]:
    """A sheet's XML in pieces that end with a row."""
    rest = b""
    with archive.open(part) as file:
        while block := file.read(BLOCK):
            rest += block
            cut = rest.rfind(b"row>") + 4
            if cut > 4:
                yield rest[:cut]
                rest = rest[cut:]
    yield rest


def _facts(archive: zipfile.ZipFile, part: str) -> dict[str, object]:
    """What the reading of values passes over: errors, formulas and those without a value, merged cells, hidden rows."""
    facts: dict[str, object] = {"errors": {}, "uncomputed": [], "merged": [], "formulas": 0, "hidden": 0}
    for piece in _pieces(archive, part):
        _look_at(piece, facts)
    return facts


def _look_at(piece: bytes, facts: dict[str, object]) -> None:
    errors, uncomputed, merged = facts["errors"], facts["uncomputed"], facts["merged"]
    assert isinstance(errors, dict) and isinstance(uncomputed, list) and isinstance(merged, list)
    if b't="e"' in piece or b"t='e'" in piece:
        for match in _ERROR.finditer(piece):
            errors[_place(match[1])] = match[2].decode("utf-8", "replace")
    if (b"<f" in piece or b":f" in piece) and (formulas := len(_FORMULA.findall(piece))):
        facts["formulas"] = int(str(facts["formulas"])) + formulas
        for match in _UNCOMPUTED.finditer(piece):
            if match[2] is None or not _TEXT.search(match[1]):
                uncomputed.append(_place(match[1]))
    if b"hidden" in piece:
        facts["hidden"] = int(str(facts["hidden"])) + len(_HIDDEN.findall(piece))
    if b"mergeCell" in piece:
        merged += [match[1].decode() for match in _MERGED.finditer(piece)]
    if len(errors) + len(uncomputed) + len(merged) > FAULTS:
        raise Refused(
            f"More than {FAULTS:,} cells of the sheet hold errors or formulas without a value. Mend it first."
        )


def _place(attributes: bytes) -> str:
    if match := _PLACE.search(attributes):
        return match[1].decode()
    raise Refused("A cell with an error or without a value does not say where it stands. Save the workbook again.")


def _print_rows(sheet: CalamineSheet, what: str) -> None:
    if sheet.start is None:
        return
    first, left = sheet.start
    rows = sheet.to_python(skip_empty_area=True)
    numbers = range(len(rows)) if what == "rows" or len(rows) <= SAMPLE else [*range(SAMPLE), len(rows) - 1]
    for number in numbers:
        _say([number + first + 1, *[""] * left, *map(_text, rows[number])])


def _text(value: object) -> str:
    """The exact shortest text of a value, dates as ISO 8601."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        shown = repr(value)
        return shown.removesuffix(".0") if "e" not in shown else f"{Decimal(shown):f}"
    if isinstance(value, dt.timedelta):
        minutes, seconds = divmod(int(value.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
    return value.isoformat()  # type: ignore[attr-defined]


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else "")
