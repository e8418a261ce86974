"""Checking the `connection` of a source: only the keys that its kind has, and credentials by name alone."""

from collections.abc import Callable, Iterator, Mapping

from config.definitions.faults import Fault
from ingestion.connectors.credentials import PREFIX, is_reference
from ingestion.connectors.drop import PROTOCOLS
from ingestion.suggestion import nearest

KEYS: Mapping[str, tuple[str, ...]] = {
    "drop": ("url", "endpoint", "key", "secret"),
    "table": ("url", "query", "high_water", "timeout"),
    "push": ("count", "seconds"),
}
NEEDED: Mapping[str, tuple[str, ...]] = {"drop": ("url",), "table": ("url", "query")}


def connection_faults(place: str, kind: str, given: object) -> Iterator[Fault]:
    """What is wrong with a connection."""
    if not isinstance(given, Mapping):
        yield Fault(place, "a connection is a mapping such as {url: 'file:///data/in/*.csv'}")
        return
    known = KEYS.get(kind, ())
    if given and not known:
        yield Fault(place, f"a source of kind {kind!r} has no connection: nothing is pulled from it")
        return
    for key, value in given.items():
        if key not in known:
            yield Fault(f"{place}.{key}", f"there is no key {key!r} for kind {kind!r}{nearest(key, known)}")
        elif check := CHECKS.get((kind, key)):
            yield from (Fault(f"{place}.{key}", sentence) for sentence in check(value))
    for key in NEEDED.get(kind, ()):
        if given.get(key) in (None, ""):
            yield Fault(place, f"kind {kind!r} needs {key!r}")


def _reference(value: object) -> Iterator[str]:
    if not is_reference(value):
        yield f"a credential is the name of a variable, such as {{env: {PREFIX}NAME}}, never the secret itself"


def _drop_url(value: object) -> Iterator[str]:
    protocol, found, path = str(value).partition("://")
    if not found or protocol not in PROTOCOLS or not path:
        yield "write it as file:///folder/*.csv or s3://bucket/folder/*.csv"


def _high_water(value: object) -> Iterator[str]:
    if not isinstance(value, str):
        yield "it is the name of a column that the query gives"


def _query(value: object) -> Iterator[str]:
    if not str(value).strip().lower().startswith(("select", "with")):
        yield "it is one SELECT; for increments it compares its high-water column with :since"


def _seconds(value: object) -> Iterator[str]:
    if not isinstance(value, int) or not 1 <= value <= 86_400:
        yield "it is a whole number of seconds, at most 86400"


def _count(value: object) -> Iterator[str]:
    if not isinstance(value, int) or not 1 <= value <= 10_000_000:
        yield "it is a number of records, at most 10000000"


CHECKS: Mapping[tuple[str, str], Callable[[object], Iterator[str]]] = {
    ("drop", "url"): _drop_url,
    ("drop", "key"): _reference,
    ("drop", "secret"): _reference,
    ("table", "url"): _reference,
    ("table", "query"): _query,
    ("table", "high_water"): _high_water,
    ("table", "timeout"): _seconds,
    ("push", "count"): _count,
    ("push", "seconds"): _seconds,
}
