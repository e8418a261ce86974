"""Walking through XML of any length: declarations that could hide something are refused, one record is in memory."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple
from xml.parsers.expat import errors

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, XMLParser

from ingestion.errors import UnreadableFile

BLOCK = 1 << 18  # bytes
DEEPEST = 200
MOST_ELEMENTS = 50_000  # in a record
LARGEST_RECORD = 1 << 26  # bytes
INSTANCE = "{http://www.w3.org/2001/XMLSchema-instance}"  # how the XML is written, not what it says

Path_ = tuple[str, ...]


class Event(NamedTuple):
    """A start (with attributes), an end, or a text of an element, and where it stands: line and byte."""

    kind: str
    name: str
    line: int
    at: int
    attributes: Mapping[str, str] = MappingProxyType({})


@dataclass
class Found:
    """A record: its path from the root, the byte its parent begins at, its line, raw text, and texts by name."""

    path: Path_
    parent: int
    line: int
    at: int
    cells: dict[str, str] = field(default_factory=dict)
    raw: str = ""


class _Target:
    """What the parser calls; gathers the events of a block."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.place: Callable[[], tuple[int, int]] = lambda: (1, 0)

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        kept = {local(name): value for name, value in attributes.items() if not name.startswith(INSTANCE)}
        self.events.append(Event("start", tag, *self.place(), kept))

    def end(self, tag: str) -> None:
        self.events.append(Event("end", tag, *self.place()))

    def data(self, text: str) -> None:
        self.events.append(Event("text", text, 0, 0))

    def close(self) -> None:
        """Nothing is built."""


def local(tag: str) -> str:
    """A name without its namespace."""
    return tag.rpartition("}")[2]


class XmlStream:
    """The events of a file, and its bytes from the place that is still wanted."""

    def __init__(self, path: Path) -> None:
        self._path, self._window, self._base = path, b"", 0
        self.keep: int | None = None
        self.encoding = "utf-8"

    def events(self) -> Iterator[Event]:
        """Starts, ends and texts; UnreadableFile at the first fault, with its place."""
        target = _Target()
        parser = XMLParser(target=target, forbid_dtd=True)
        expat = parser.parser
        expat.XmlDeclHandler = lambda _version, encoding, _standalone: self._declared(encoding)
        target.place = lambda: (expat.CurrentLineNumber, expat.CurrentByteIndex)
        quiet = 0
        with self._path.open("rb") as file:
            while block := file.read(BLOCK):
                if not self._base and not self._window and block.startswith((b"\xff\xfe", b"\xfe\xff")):
                    self.encoding = "utf-16"
                self._take(block)
                _guarded(lambda given=block: parser.feed(given), expat)  # type: ignore[misc]
                quiet = 0 if target.events else quiet + len(block)
                if quiet > LARGEST_RECORD:
                    raise UnreadableFile(
                        f"A tag on line {expat.CurrentLineNumber} is longer than {LARGEST_RECORD:,} bytes."
                    )
                yield from target.events
                target.events.clear()
            _guarded(parser.close, expat)
            yield from target.events

    def _declared(self, encoding: str | None) -> None:
        if encoding and self.encoding == "utf-8":
            self.encoding = encoding

    def _take(self, block: bytes) -> None:
        end = self._base + len(self._window)
        start = end if self.keep is None else self.keep
        if end - start > LARGEST_RECORD:
            raise UnreadableFile(
                f"An XML record is longer than {LARGEST_RECORD:,} bytes. Write `records:` with the path to one record."
            )
        self._window, self._base = self._window[start - self._base :] + block, start

    def raw(self, start: int, end: int) -> str:
        """The text from a byte to the end of the tag that begins at another."""
        closing = self._window.find(b">", end - self._base) + 1
        closing += closing and (closing - (start - self._base)) % 2 if self.encoding.startswith("utf-16") else 0
        return self._window[start - self._base : closing].decode(_python_name(self.encoding, self._window), "replace")


def _python_name(encoding: str, window: bytes) -> str:
    if encoding != "utf-16":
        return encoding
    return "utf-16-be" if window[:1] in (b"\0", b"\xfe") else "utf-16-le"


def _guarded(step: Callable[[], object], expat: object) -> None:
    """Run a step of the parser; whatever it refuses is a sentence with its place."""
    line = getattr(expat, "CurrentLineNumber", 1)
    try:
        step()
    except ParseError as error:
        at, column = error.position
        raise UnreadableFile(
            f"The XML is not well formed on line {at}, character {column + 1}: {errors.messages.get(error.code, error)}. "
            "Nothing of the file was taken; deliver it again whole."
        ) from None
    except DefusedXmlException:
        line = getattr(expat, "CurrentLineNumber", line)
        raise UnreadableFile(
            f"The XML has a document type or entity declaration on line {line}, and what it declares could read other "
            "files or grow without end. Deliver it without (no DOCTYPE)."
        ) from None
    except (LookupError, ValueError) as error:
        raise UnreadableFile(f"The XML cannot be decoded near line {line}: {error}. Deliver it as UTF-8.") from None


def records(stream: XmlStream, is_record: Callable[[Path_], bool]) -> Iterator[Found]:
    """Every element that is a record. Nested elements become `a.b`, attributes `a.@b`, the second `a` of one is `a_2`."""
    path: list[str] = []
    starts: list[int] = []
    builder: _Builder | None = None
    for event in stream.events():
        if event.kind == "start":
            path.append(local(event.name))
            if len(path) > DEEPEST:
                raise UnreadableFile(f"The XML is nested more than {DEEPEST} deep on line {event.line}.")
            if builder is not None and builder.is_full:
                raise UnreadableFile(
                    f"The record on line {builder.found.line} has more than {MOST_ELEMENTS:,} elements. Write `records:` with the "
                    "path to one record."
                )
            if builder is not None:
                builder.start(path[-1], event.attributes)
            elif is_record(tuple(path)):
                parent = starts[-1] if starts else -1
                builder = _Builder(Found(tuple(path), parent, event.line, event.at), event.attributes)
                stream.keep = event.at
            starts.append(event.at)
        elif event.kind == "end":
            if builder is not None and builder.end():
                found, builder, stream.keep = builder.found, None, None
                found.raw = stream.raw(found.at, event.at)
                yield found
            path.pop()
            starts.pop()
        elif builder is not None:
            builder.text(event.name)


@dataclass
class _Open:
    """An element that is not closed yet."""

    name: str
    texts: list[str] = field(default_factory=list)
    children: dict[str, int] = field(default_factory=dict)


class _Builder:
    """Gathers the texts of a record by their names."""

    def __init__(self, found: Found, attributes: Mapping[str, str]) -> None:
        self.found = found
        self._open = [_Open("")]
        self._elements = 0
        self._attributes(attributes)

    @property
    def is_full(self) -> bool:
        """Whether it has as many elements as a record may have."""
        return self._elements >= MOST_ELEMENTS

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """A nested element."""
        self._elements += 1
        parent = self._open[-1]
        count, label = parent.children.get(name, 0) + 1, name
        while label in parent.children:
            count, label = count + 1, f"{name}_{count}"
        parent.children |= {name: count, label: 1}
        self._open.append(_Open(f"{parent.name}.{label}" if parent.name else label))
        self._attributes(attributes)

    def text(self, text: str) -> None:
        """A piece of the innermost element's text."""
        self._open[-1].texts.append(text)

    def end(self) -> bool:
        """Close the innermost element; whether it was the record itself."""
        closed = self._open.pop()
        text = "".join(closed.texts)
        if closed.children:
            text = text.strip()
        if text or not closed.children and closed.name:
            self._put(closed.name or self.found.path[-1], text)
        return not self._open

    def _attributes(self, attributes: Mapping[str, str]) -> None:
        name = self._open[-1].name
        for attribute, value in attributes.items():
            self._put(f"{name}.@{attribute}" if name else f"@{attribute}", value)

    def _put(self, name: str, text: str) -> None:
        while name in self.found.cells:
            name += "_text"
        self.found.cells[name] = text
