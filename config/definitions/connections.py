"""Checking the `connection` of a source: only the keys that its kind has, and credentials by name alone."""

from collections.abc import Callable, Iterator, Mapping

from config.definitions.faults import Fault
from ingestion.connectors.credentials import PREFIX, is_reference
from ingestion.connectors.drop import PROTOCOLS
from ingestion.suggestion import nearest

KEYS: Mapping[str, tuple[str, ...]] = {
    "drop": ("url", "endpoint", "key", "secret"),
    "table": ("url", "query", "high_water", "timeout"),
    "api": ("url", "auth", "records", "paging", "since"),
    "push": ("count", "seconds"),
}
REJECTS = ("url", "endpoint", "key", "secret")  # where a source of any kind gets its rejects
NEEDED: Mapping[str, tuple[str, ...]] = {"drop": ("url",), "table": ("url", "query"), "api": ("url",)}


def connection_faults(place: str, kind: str, given: object) -> Iterator[Fault]:
    """What is wrong with a connection."""
    if not isinstance(given, Mapping):
        yield Fault(place, "a connection is a mapping such as {url: 'file:///data/in/*.csv'}")
        return
    known = (*KEYS.get(kind, ()), "rejects")
    if set(given) - {"rejects"} and kind not in KEYS:
        yield Fault(place, f"a source of kind {kind!r} has no connection but `rejects`: nothing is pulled from it")
        return
    for key, value in given.items():
        if key not in known:
            yield Fault(f"{place}.{key}", f"there is no key {key!r} for kind {kind!r}{nearest(key, known)}")
        elif key == "rejects":
            yield from _rejects_faults(f"{place}.rejects", value)
        elif check := CHECKS.get((kind, key)):
            yield from (Fault(f"{place}.{key}", sentence) for sentence in check(value))
    for key in NEEDED.get(kind, ()):
        if given.get(key) in (None, ""):
            yield Fault(place, f"kind {kind!r} needs {key!r}")


def _rejects_faults(place: str, given: object) -> Iterator[Fault]:
    if not isinstance(given, Mapping) or set(given) - set(REJECTS) or "url" not in given:
        yield Fault(
            place,
            "it is {url: 's3://bucket/folder/'} or {url: 'file://folder/'}, with key, secret, endpoint as for a drop",
        )
        return
    if any(sign in str(given["url"]) for sign in "*?[") or not str(given["url"]).startswith(("file://", "s3://")):
        yield Fault(f"{place}.url", "write it as file://folder/ or s3://bucket/folder/, without *")
    for key in ("url", "endpoint"):
        yield from (Fault(f"{place}.{key}", sentence) for sentence in _no_password(given.get(key, "")))
    for key in ("key", "secret"):
        if key in given:
            yield from (Fault(f"{place}.{key}", sentence) for sentence in _reference(given[key]))


def _reference(value: object) -> Iterator[str]:
    if not is_reference(value):
        yield f"a credential is the name of a variable, such as {{env: {PREFIX}NAME}}, never the secret itself"


def _drop_url(value: object) -> Iterator[str]:
    protocol, found, path = str(value).partition("://")
    if not found or protocol not in PROTOCOLS or not path:
        yield "write it as file:///folder/*.csv or s3://bucket/folder/*.csv"
    yield from _no_password(value)


def _no_password(value: object) -> Iterator[str]:
    """A fault where an address holds a user or a password: who may read the definition would read it, too."""
    protocol, _, place = str(value).partition("://")
    if protocol != "file" and "@" in place.partition("/")[0]:
        yield f"an address holds no user or password; name them by variables, such as {{env: {PREFIX}NAME}}"


def _high_water(value: object) -> Iterator[str]:
    if not isinstance(value, str):
        yield "it is the name of a column that the query gives"


def _query(value: object) -> Iterator[str]:
    if not str(value).strip().lower().startswith(("select", "with")):
        yield "it is one SELECT; for increments it compares its high-water column with :since"


def _seconds(value: object) -> Iterator[str]:
    if not isinstance(value, int) or not 1 <= value <= 86_400:
        yield "it is a whole number of seconds, at most 86400"


def _address(value: object) -> Iterator[str]:
    if not is_reference(value) and not str(value).startswith(("http://", "https://")):
        yield f"write it as https://host/path, or name a variable, such as {{env: {PREFIX}NAME}}"
    elif not is_reference(value):
        yield from _no_password(value)


def _auth(value: object) -> Iterator[str]:
    """One of bearer, basic, header; each secret by name."""
    shapes = {"bearer": (), "basic": ("user", "password"), "header": ("value",)}
    kind = next(iter(value), "") if isinstance(value, Mapping) and len(value) == 1 else ""
    if kind not in shapes:
        yield "it is one of {bearer: {env: ...}}, {basic: {user: ..., password: ...}}, {header: {name: ..., value: ...}}"
        return
    given = value[kind]  # type: ignore[index]
    if shapes[kind] and not isinstance(given, Mapping):
        yield f"{kind!r} is a mapping of {' and '.join(shapes[kind])}"
        return
    for secret in [given] if not shapes[kind] else [given.get(name) for name in shapes[kind]]:
        yield from _reference(secret)


def _paging(value: object) -> Iterator[str]:
    ways = ("page", "offset", "cursor", "link")
    if not isinstance(value, Mapping) or len(set(ways) & set(value)) != 1:
        yield "it has one of page: PARAM, offset: PARAM, cursor: {param: ..., next: PATH}, link: true"
        return
    cursor = value.get("cursor")
    if "cursor" in value and not (isinstance(cursor, Mapping) and {"param", "next"} == set(cursor)):
        yield "a cursor is {param: PARAM, next: path.in.the.page}"
    size = value.get("size")
    if "size" in value and not (isinstance(size, Mapping) and {"param", "value"} == set(size)):
        yield "a size is {param: PARAM, value: NUMBER}"
    for key in value:
        if key not in (*ways, "size", "first"):
            yield f"there is no key {key!r} here{nearest(key, (*ways, 'size', 'first'))}"


def _since(value: object) -> Iterator[str]:
    if not isinstance(value, Mapping) or set(value) != {"param", "field"}:
        yield "it is {param: PARAM, field: NAME}: the highest value of the field is the next pull's parameter"


def _count(value: object) -> Iterator[str]:
    if not isinstance(value, int) or not 1 <= value <= 10_000_000:
        yield "it is a number of records, at most 10000000"


CHECKS: Mapping[tuple[str, str], Callable[[object], Iterator[str]]] = {
    ("drop", "url"): _drop_url,
    ("drop", "endpoint"): _no_password,
    ("drop", "key"): _reference,
    ("drop", "secret"): _reference,
    ("table", "url"): _reference,
    ("table", "query"): _query,
    ("table", "high_water"): _high_water,
    ("table", "timeout"): _seconds,
    ("api", "url"): _address,
    ("api", "auth"): _auth,
    ("api", "paging"): _paging,
    ("api", "since"): _since,
    ("push", "count"): _count,
    ("push", "seconds"): _seconds,
}
