"""The format of a source: its keys and values are checked with their place, and it comes out as it went in."""

from collections.abc import Callable

import pytest

from config.definitions.export import export_definition
from config.definitions.faults import BadDefinition
from config.definitions.yaml_text import read_yaml
from reconciliation.models import Reconciliation
from tests.conftest import DEFINITION

Define = Callable[[str], object]


def with_format(text: str) -> str:
    """The definition with a format for the right source."""
    return DEFINITION.replace("mapping: *mapping", f"mapping: *mapping, format: {text}")


@pytest.mark.parametrize(
    ("format_", "says"),
    [
        ("{type: exel}", "sources.right.format.type: there is no type 'exel'; did you mean 'excel'?"),
        ("{sheeet: A}", "sources.right.format.sheeet: there is no key 'sheeet' here; did you mean 'sheet'?"),
        ("{type: json, record: a}", "format.record: there is no key 'record' for type 'json'; did you mean 'records'?"),
        ("{type: parquet, delimiter: ';'}", "format.delimiter: there is no key 'delimiter' for type 'parquet'"),
        ("{type: fixed}", "sources.right.format: type 'fixed' needs 'columns', such as"),
        ("{type: fixed, columns: {id: [0, 4]}}", "format.columns: column 'id' is [start, length], both whole numbers from 1"),
        ("{type: fixed, columns: {id: 4}}", "format.columns: column 'id' is [start, length]"),
        ("{type: fixed, columns: {id: [1, 4], day: [4, 8]}}", "format.columns: columns 'id' and 'day' overlap at position 4"),
        ("{type: excel, header: 0}", "format.header: it is the number of the header's row, from 1, or false"),
        ("{type: excel, sheet: [A]}", "format.sheet: it is the name of a sheet, or its position from 1"),
        ("{type: xml, records: ''}", "format.records: it is a path of names, such as data.items"),
        ("{type: ndjson, optional: memo}", "format.optional: it is a list of columns"),
        ("{encoding: utf-9}", "format.encoding: there is no encoding 'utf-9'"),
        ("{delimiter: ab}", "format.delimiter: it is one character"),
        ("{skip: -1}", "format.skip: it is a number of lines"),
        ("{footer: 1}", "format.footer: it is a mapping such as {rows: 1"),
        ("csv", "sources.right.format: a format is a mapping"),
    ],
)  # fmt: skip
def test_a_wrong_format_has_its_place(define: Define, format_: str, says: str) -> None:
    with pytest.raises(BadDefinition) as caught:
        define(with_format(format_))
    assert says in str(caught.value)


@pytest.mark.parametrize(
    "format_",
    [
        "{type: fixed, columns: {id: [1, 8], day: [9, 10]}, skip: 1}",
        "{type: json, records: data.items, optional: [memo]}",
        "{type: excel, sheet: Trades, header: 3}",
        "{type: excel, sheet: 2, header: false}",
        "{type: xml, records: trades/trade}",
    ],
)
def test_it_is_exported_as_it_was_defined(define: Define, format_: str) -> None:
    define(with_format(format_))
    text = export_definition(Reconciliation.objects.get())
    assert read_yaml(text)["sources"]["right"]["format"] == read_yaml(f"x: {format_}")["x"]  # type: ignore[index]
    assert define(text) == []
