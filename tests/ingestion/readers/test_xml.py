"""XML goes the whole way, or is refused whole; what it declares is never followed."""

from pathlib import Path

import pytest

from ingestion.deliveries import NeedsDecision
from ingestion.errors import MissingColumn, UnreadableFile
from ingestion.framing import Located
from ingestion.models import QuarantinedRow
from ingestion.readers import xml_stream
from tests.ingestion.readers.conftest import Payments, quarantined

RECORDS = [
    "<p><id>T1</id><day>2026-11-20</day><amount>10.00</amount><note>one</note></p>",
    "<p><id>T2</id><day>2026-11-21</day><amount>-20.50</amount><note>two</note></p>",
    "<p><id>T3</id><day>2026-11-22</day><amount>0.10</amount><note>Zoë</note></p>",
]
DOCUMENT = "<payments>\n" + "\n".join(RECORDS) + "\n</payments>\n"
BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>\n'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1", "cp1252"])
def test_every_encoding_gives_the_same(payments: Payments, encoding: str) -> None:
    payments.define()
    declared = "" if encoding == "utf-16" else f'<?xml version="1.0" encoding="{encoding}"?>'
    work = payments.deliver((declared + DOCUMENT).encode(encoding))
    assert (work.received, work.normalized, work.format["type"]) == (3, 3, "xml")
    assert payments.located(3) == Located(4, RECORDS[2])


def test_it_reconciles_as_csv_does(payments: Payments) -> None:
    payments.define()
    payments.deliver(DOCUMENT)
    assert payments.run()["records"]["matched"] == 3
    assert payments.received("T3") == ("A: line 4 received from Left", RECORDS[2])


@pytest.mark.parametrize("records", ["body/list/p", "root/body/list/p", "body.list.p"])
def test_namespaces_attributes_and_nested_elements(payments: Payments, records: str) -> None:
    payments.define(f"{{type: xml, records: {records}}}", amount="sum.value")
    work = payments.deliver(
        '<x:root xmlns:x="urn:one" xmlns="urn:two"><head><id>H</id></head><body><list count="1"><x:p kind="k">'
        '<id>T1</id><day/><sum currency="EUR"><value>10.00</value></sum><note>a</note><note>b</note>'
        "<text>some <b>bold</b> words</text></x:p></list></body></x:root>"
    )
    assert (work.normalized, work.flagged_values) == (1, 0)
    assert work.format["columns"] == [
        "@kind", "id", "day", "sum.@currency", "sum.value", "note", "note_2", "text.b", "text",
    ]  # fmt: skip


def test_a_path_that_is_not_plain_is_asked_about(payments: Payments) -> None:
    payments.define()
    document = f"<root><head/><body>{DOCUMENT}</body></root>"
    with pytest.raises(NeedsDecision, match="write `records: root/body/payments/p` in the format"):
        payments.deliver(document)
    assert payments.deliver(document, accept=True).normalized == 3


def test_a_record_without_a_key_is_kept_with_its_place(payments: Payments) -> None:
    payments.define("{records: p}")
    work = payments.deliver(DOCUMENT.replace("<id>T2</id>", ""))
    assert quarantined(work) == [(2, 3, "The key (id) is blank.")]
    assert work.quarantined_rows.get().raw == RECORDS[1].replace("<id>T2</id>", "")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (BOMB + DOCUMENT.replace("one", "&b;"), "document type or entity declaration on line 1"),
        ('<!DOCTYPE x SYSTEM "file:///etc/passwd">' + DOCUMENT, "document type or entity declaration on line 1"),
        (DOCUMENT.replace("one", "&nothing;"), "not well formed on line 2, character 64: undefined entity"),
        (DOCUMENT[:-20], "not well formed on line 4, character 66: unclosed token"),
        (DOCUMENT.replace("</note></p>\n<p><id>T2", "</p>\n<p><id>T2"), "not well formed on line 2"),
        (DOCUMENT.encode().replace("ë".encode(), b"\xeb"), "not well formed on line 4"),
        ("<a>" * 300 + "</a>" * 300, "nested more than 200 deep on line 1"),
        (DOCUMENT.replace("<p>", "<q>").replace("</p>", "</q>"), "no element at 'payments/p', where `records:` expects it; 'q' stands there"),
        ('<?xml version="1.0" encoding="no-such"?>' + DOCUMENT, "cannot be decoded near line 1: unknown encoding: no-such"),
    ],
)  # fmt: skip
def test_a_broken_document_is_refused_whole(payments: Payments, content: str | bytes, says: str) -> None:
    payments.define("{type: xml, records: payments/p}")
    with pytest.raises(UnreadableFile) as caught:
        payments.deliver(content)
    assert says in str(caught.value)
    assert not QuarantinedRow.objects.exists()


def test_a_record_without_end_is_not_taken_into_memory(payments: Payments, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xml_stream, "MOST_ELEMENTS", 100)
    monkeypatch.setattr(xml_stream, "LARGEST_RECORD", 1 << 20)
    payments.define("{type: xml, records: p}")
    for content, says in (
        ("<a><p>" + "<b/>" * 101 + "</p></a>", "The record on line 1 has more than 100 elements"),
        ("<a><p>" + "x" * (2 << 20), "An XML record is longer than 1,048,576 bytes"),
        ("<a><p b='" + "x" * (2 << 20), "A tag on line 1 is longer than 1,048,576 bytes"),
    ):
        with pytest.raises(UnreadableFile, match=says):
            payments.deliver(content)


def test_nothing_repeated_needs_a_path(payments: Payments) -> None:
    payments.define()
    with pytest.raises(UnreadableFile, match="Write `records:` with the path"):
        payments.deliver("<a><b>1</b></a>")


def test_a_list_without_records_is_a_delivery_of_nothing(payments: Payments) -> None:
    payments.define("{type: xml, records: payments/p}")
    work = payments.deliver("<payments></payments>")
    assert (work.received, work.notes) == (0, ["The file holds no record."])


def test_a_column_that_no_record_has_may_be_declared(payments: Payments) -> None:
    payments.define("{type: xml, records: p}")
    content = DOCUMENT.replace("<note>", "<memo>").replace("</note>", "</memo>")
    with pytest.raises(MissingColumn, match=r"write `optional: \[note\]` in the format"):
        payments.deliver(content)
    payments.define("{type: xml, records: p, optional: [note]}")
    assert payments.deliver(content).normalized == 3


def test_a_record_over_many_blocks_keeps_its_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xml_stream, "BLOCK", 11)
    path = tmp_path / "payments.xml"
    path.write_text(DOCUMENT, encoding="utf-8")
    found = list(xml_stream.records(xml_stream.XmlStream(path), lambda here: here[1:] == ("p",)))
    assert [it.raw for it in found] == RECORDS
    assert [(it.line, it.cells["note"]) for it in found] == [(2, "one"), (3, "two"), (4, "Zoë")]
