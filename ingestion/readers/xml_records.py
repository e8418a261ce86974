"""XML: the elements at a path are the records. The document is well formed to its end, or it is refused."""

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path

from ingestion.errors import UnreadableFile
from ingestion.file_format import FileFormat
from ingestion.framing import FileRow
from ingestion.readers.reader import Reading, sampled, steps
from ingestion.readers.xml_stream import Path_, XmlStream, local, records
from ingestion.suggestion import nearest_end

SAMPLED_EVENTS = 20_000


def detect(path: Path, declared: Mapping[str, object]) -> FileFormat:
    """The path to the records, which a person confirms where it is not plain, and their columns."""
    given, questions = declared.get("records"), list[str]()
    if given is None:
        given, is_plain = _found_path(path)
        if not is_plain:
            questions = [
                f"The element {given!r} seems to be the record; write `records: {given}` in the format, or deliver with "
                "--accept."
            ]
    options = {"records": str(given)}
    format_ = FileFormat("", "", "", None, 0, (), questions=tuple(questions), type="xml", options=options)
    return replace(format_, columns=sampled(sys.modules[__name__], path, format_))


def _found_path(path: Path) -> tuple[str, bool]:
    """The highest element that stands more than once in its parent, and whether the root holds nothing else."""
    here: list[str] = []
    siblings: list[Counter[str]] = [Counter()]
    repeated: dict[Path_, None] = {}
    top: set[str] = set()
    for event in islice(XmlStream(path).events(), SAMPLED_EVENTS):
        if event.kind == "start":
            name = local(event.name)
            siblings[-1][name] += 1
            here.append(name)
            if len(here) == 2:
                top.add(name)
            if siblings[-1][name] > 1:
                repeated[tuple(here)] = None
            siblings.append(Counter())
        elif event.kind == "end":
            here.pop()
            siblings.pop()
    if not repeated:
        raise UnreadableFile(
            "No element of the XML stands more than once, so it does not show which one is the record. Write `records:` "
            "with the path to it, such as trades/trade."
        )
    found = min(repeated, key=len)
    return "/".join(found), len(found) == 2 and len(top) == 1


def rows(path: Path, format_: FileFormat, reading: Reading) -> Iterator[FileRow]:
    """The elements at the path; it may be written with or without the root's name."""
    wanted, seen = steps(format_.options.get("records")), Counter[Path_]()
    count = 0
    for count, found in enumerate(records(XmlStream(path), _at(wanted, seen)), 1):  # noqa: B007 - the last one counts
        yield FileRow(found.line, found.raw, reading.cells(found.cells))
    if not count:
        _refuse_other_name(wanted, seen)


def _at(wanted: Path_, seen: Counter[Path_]) -> Callable[[Path_], bool]:
    def is_record(here: Path_) -> bool:
        if here in seen or len(seen) < SAMPLED_EVENTS:
            seen[here] += 1
        return _is_at(here, wanted)

    return is_record


def _refuse_other_name(wanted: Path_, seen: Counter[Path_]) -> None:
    """An empty list is one; but where other elements stand again and again, the path is wrong or the record renamed."""
    has_parent = any(_is_at(it, wanted[:-1]) for it in seen)
    beside = [it[-1] for it, count in seen.items() if _is_at(it[:-1], wanted[:-1]) and count > 1]
    if has_parent and not beside:
        return
    shown, names = "/".join(wanted), ["/".join(it[1:]) or it[0] for it in seen]
    hint = f"; {beside[0]!r} stands there." if beside else nearest_end(shown, names)
    raise UnreadableFile(f"The XML has no element at {shown!r}, where `records:` expects it{hint}")


def _is_at(here: Path_, wanted: Path_) -> bool:
    return wanted in (here, here[1:])
