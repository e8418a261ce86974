"""JSON values as cells: every number with its exact text, nothing guessed, nested objects as `a.b`."""

import json
from collections.abc import Iterator

MOST_COMMAS = 1 << 20  # each may be a value of a hundred bytes in memory


class Number(str):
    """A number as it is written."""

    __slots__ = ()


class Unfit:
    """A value that no record may hold, and why."""

    __slots__ = ("reason",)

    def __init__(self, reason: str) -> None:
        self.reason = reason


class UnfitRecord(ValueError):
    """A record that holds an unfit value; its text says why."""


def _pairs(pairs: list[tuple[str, object]]) -> object:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    names = [name for name, _ in pairs]
    twice = next(name for name in names if names.count(name) > 1)
    return Unfit(f"The key {twice!r} stands twice in one object, so one of its values would be lost.")


def _constant(name: str) -> object:
    return Unfit(f"{name} is no number of JSON. Write null where there is no value.")


DECODER = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_float=Number, parse_int=Number, parse_constant=_constant
)  # fmt: skip


def is_too_full(text: str, start: int = 0) -> bool:
    """Whether a text may hold so many values that to read it would take the memory of all others."""
    return len(text) - start > MOST_COMMAS and text.count(",", start) > MOST_COMMAS


def flat(record: object) -> dict[str, str]:
    """Names and texts of a record's values. UnfitRecord says why it is no record."""
    if isinstance(record, Unfit):
        raise UnfitRecord(record.reason)
    if not isinstance(record, dict):
        raise UnfitRecord(f"It is {kind_of(record)}, where an object with names and values is expected.")
    cells: dict[str, str] = {}
    for name, value in record.items():
        if isinstance(value, str):
            _put(cells, name, value)
        elif isinstance(value, dict) and value:
            for inner, text in flat(value).items():
                _put(cells, f"{name}.{inner}", text)
        else:
            _put(cells, name, text_of(value))
    return cells


def _put(cells: dict[str, str], name: str, text: str) -> None:
    if name in cells:
        raise UnfitRecord(f"The column {name!r} stands twice, once as a name with a point and once nested.")
    cells[name] = text


def text_of(value: object) -> str:
    """The text of a value that is no object: empty for null, a list as JSON."""
    if value is None or value == {}:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str) else "".join(_written(value))


def _written(value: object) -> Iterator[str]:
    """JSON again, with the numbers as they were."""
    if isinstance(value, Unfit):
        raise UnfitRecord(value.reason)
    if isinstance(value, Number):
        yield value
    elif isinstance(value, dict):
        parts = (f"{json.dumps(name, ensure_ascii=False)}: {''.join(_written(it))}" for name, it in value.items())
        yield "{" + ", ".join(parts) + "}"
    elif isinstance(value, list):
        yield "[" + ", ".join("".join(_written(it)) for it in value) + "]"
    else:
        yield json.dumps(value, ensure_ascii=False)


def kind_of(value: object) -> str:
    """What a value is, for a sentence."""
    if isinstance(value, Number):
        return "a number"
    if isinstance(value, str):
        return "a text"
    if isinstance(value, dict):
        return "an object"
    return "a list" if isinstance(value, list) else "no value" if value is None else "true or false"
