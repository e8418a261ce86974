"""Walking through a JSON document of any length: only one value of it is in memory at a time."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TextIO

from ingestion.errors import UnreadableFile
from ingestion.readers.json_values import DECODER, MOST_COMMAS, is_too_full, kind_of
from ingestion.suggestion import nearest_end

BLOCK = 1 << 18  # characters
LARGEST_VALUE = 1 << 26  # characters
CUT = 16  # an error this near to the end of what was read may come from the cut
SPACE = " \t\n\r"
DEEPEST = 8  # objects that a list of records may stand in


@dataclass(frozen=True)
class Element:
    """A record of the document: the line it begins on, its text, its value."""

    line: int
    raw: str
    value: object


class Stream:
    """The text of a document with a place in it."""

    def __init__(self, file: TextIO) -> None:
        self._file, self._text, self._at, self._ended = file, "", 0, False
        self._line, self._counted = 1, 0

    @property
    def line(self) -> int:
        """The line of the place."""
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line

    def peek(self) -> str:
        """The next character that is no space; empty at the end."""
        while True:
            text, at = self._text, self._at
            while at < len(text) and text[at] in SPACE:
                at += 1
            self._at = at
            if at < len(text) or not self._more():
                return text[at : at + 1]

    def take(self, expected: str) -> str:
        """Go past one of the expected characters."""
        found = self.peek()
        if not found:
            raise UnreadableFile(
                f"The JSON ends on line {self.line} before it is complete. The file was cut; deliver it again whole."
            )
        if found not in expected:
            wanted = " or ".join(repr(it) for it in expected)
            raise UnreadableFile(f"Line {self.line} is no JSON: {wanted} was expected, but {found!r} stands there.")
        self._at += 1
        return found

    def element(self) -> Element:
        """The value at the place, with its text."""
        self.peek()
        line = self.line
        size = BLOCK
        while True:
            try:
                value, end = DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                if not self._is_cut(error):
                    raise self._broken(error, line) from None
            except RecursionError:
                raise UnreadableFile(f"The record on line {line} is nested too deeply to be read.") from None
            else:
                if end < len(self._text) or self._ended or not self._more(size):
                    raw, self._at = self._text[self._at : end], end
                    return Element(line, raw, value)
                continue
            if not self._more(size):
                raise UnreadableFile(
                    f"The JSON ends in the value that begins on line {line}. The file was cut; deliver it again whole."
                )
            size *= 2
            if len(self._text) - self._at > LARGEST_VALUE or is_too_full(self._text, self._at):
                raise UnreadableFile(
                    f"The value that begins on line {line} is longer than {LARGEST_VALUE:,} characters, or holds "
                    f"more than {MOST_COMMAS:,} values. If it holds the records, write `records:` with the path to their list."
                )

    def _is_cut(self, error: json.JSONDecodeError) -> bool:
        near = error.pos >= len(self._text) - CUT or error.msg.startswith("Unterminated string")
        return near and not (self._ended and error.pos < len(self._text) - CUT)

    def _broken(self, error: json.JSONDecodeError, line: int) -> UnreadableFile:
        at = line + self._text.count("\n", self._at, error.pos)
        column = error.pos - self._text.rfind("\n", 0, error.pos)
        shown = self._text[error.pos : error.pos + 20].split("\n")[0]
        return UnreadableFile(
            f"Line {at} is no JSON: {error.msg} at character {column}, where {shown!r} stands. Nothing of the file was taken."
        )

    def _more(self, size: int = BLOCK) -> bool:
        """Read on and forget what is behind the place; false at the end."""
        if self._ended:
            return False
        _ = self.line
        try:
            block = self._file.read(size)
        except UnicodeError as error:
            raise UnreadableFile(
                f"After line {self.line + self._text.count(chr(10), self._at)} the bytes are no {self._file.encoding}: "
                f"{getattr(error, 'reason', error)}. Write the right `encoding:`, or deliver the file again."
            ) from None
        self._text, self._at, self._counted = self._text[self._at :] + block, 0, 0
        self._ended = not block
        return bool(block)


def elements(stream: Stream, path: Sequence[str]) -> Iterator[Element]:
    """The records at a path, and then the rest of the document, which must be whole too."""
    yield from _at_path(stream, path, "")
    if stream.peek():
        raise UnreadableFile(
            f"There is more text after the end of the JSON on line {stream.line}. Deliver one list, or an object a line."
        )


def _at_path(stream: Stream, path: Sequence[str], where: str) -> Iterator[Element]:
    first = stream.peek()
    if first == "[":
        stream.take("[")
        yield from _each(stream, path, where)
    elif first == "{" and path:
        yield from _member(stream, path, where)
    else:
        yield from _single(stream, where, is_end=not path)


def _each(stream: Stream, path: Sequence[str], where: str) -> Iterator[Element]:
    if stream.peek() == "]":
        stream.take("]")
        return
    while True:
        if path:
            yield from _at_path(stream, path, where)
        else:
            yield stream.element()
        if stream.take(",]") == "]":
            return


def _member(stream: Stream, path: Sequence[str], where: str) -> Iterator[Element]:
    """The records under one name of an object; the other values are read over."""
    stream.take("{")
    names: list[str] = []
    here = f"{where}.{path[0]}".lstrip(".")
    while stream.peek() != "}":
        name = str(stream.element().value)
        stream.take(":")
        if name == path[0] and name in names:
            raise UnreadableFile(f"{here!r} stands a second time on line {stream.line}. One of the two would be lost.")
        names.append(name)
        if name == path[0]:
            yield from _at_path(stream, path[1:], here)
        else:
            stream.element()
        if stream.peek() != "}":
            stream.take(",}")
    stream.take("}")
    if path[0] not in names:
        raise UnreadableFile(f"The JSON has no {here!r}, which `records:` names{nearest_end(path[0], names)}")


def _single(stream: Stream, where: str, *, is_end: bool) -> Iterator[Element]:
    """An object where a list could stand is a list of one; null is an empty one."""
    found = stream.element()
    if found.value is None:
        return
    if not is_end or not isinstance(found.value, dict):
        at = f" at {where!r}" if where else ""
        raise UnreadableFile(
            f"The JSON has {kind_of(found.value)}{at} on line {found.line}, where a list of records is expected."
        )
    yield found


def list_of_objects(stream: Stream) -> tuple[str, ...] | None:
    """The path to the first list of objects inside an object, or to an empty list; None where there is none."""
    found = list(_lists(stream, (), []))
    return next((path for path, is_filled in found if is_filled), found[0][0] if found else None)


def _lists(stream: Stream, path: tuple[str, ...], ended: list[bool]) -> Iterator[tuple[tuple[str, ...], bool]]:
    stream.take("{")
    while stream.peek() != "}":
        here = (*path, str(stream.element().value))
        stream.take(":")
        first = stream.peek()
        if first == "[":
            stream.take("[")
            is_filled = stream.peek() == "{"
            if is_filled or stream.peek() == "]":
                yield here, is_filled
            if is_filled:
                ended.append(True)  # the list may be long; what follows is not looked at
                return
            _skip_list(stream)
        elif first == "{" and len(here) < DEEPEST:
            yield from _lists(stream, here, ended)
            if ended:
                return
        else:
            stream.element()
        if stream.peek() != "}":
            stream.take(",}")
    stream.take("}")


def _skip_list(stream: Stream) -> None:
    for _ in _each(stream, (), ""):
        pass
