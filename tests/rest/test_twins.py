"""All that a page can do, a token with the scope can: each address of a page names its twins in the API, or says why there is none.

A line of twins.txt: `address | METHOD twin scope, ...`, or `address | - why there is none`; `*` ends the beginning of many."""

from collections.abc import Iterator
from pathlib import Path

from django.urls import get_resolver, resolve
from drf_spectacular.generators import SchemaGenerator

from review.api.permissions import HasScope
from tests.review.test_access import addresses

API = "/api/v1/"
VALUES = {"{id}": "1", "{code}": "x", "{event}": "run.failed", "{kind}": "source"}


def lines() -> dict[str, str]:
    """What is said of each address."""
    text = Path(__file__).with_name("twins.txt").read_text(encoding="utf-8")
    return dict(line.split(" | ", 1) if " | " in line else ("", line[2:]) for line in text.splitlines())


def twins() -> Iterator[tuple[str, str, str, str]]:
    """Address, method, twin and scope."""
    for address, said in lines().items():
        if not said.startswith("- "):  # which is followed by why there is none
            yield from ((address, *it.split(" ")) for it in said.split(", "))  # type: ignore[misc]


def test_each_address_of_a_page_has_a_line_and_each_line_an_address() -> None:
    pages = {it for it in addresses(get_resolver()) if not it.startswith("api/")}
    said = set(lines())
    many = [it[:-1] for it in said if it.endswith("*")]
    missing = {it for it in pages - said if not any(it.startswith(beginning) for beginning in many)}
    assert (sorted(missing), sorted(it for it in said - pages if not it.endswith("*"))) == ([], [])


def test_each_twin_is_in_the_document_and_needs_the_scope_that_is_said() -> None:
    paths = SchemaGenerator().get_schema(request=None, public=True)["paths"]
    for address, method, twin, scope in twins():
        assert method.lower() in paths.get(f"{API}{twin}/", {}), (address, method, twin)
        path = twin
        for name, value in VALUES.items():
            path = path.replace(name, value)
        view = resolve(f"{API}{path}").func.cls  # type: ignore[attr-defined]
        needed = getattr(view, "reads" if method == "GET" else "scope", "read")
        assert HasScope in view.permission_classes and needed == scope, (address, twin, needed)
