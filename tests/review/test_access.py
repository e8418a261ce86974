"""Who gets in where: each address by each role. A new address, or a new model in the admin, needs its line in access.txt.

Of an address: `address | let in by GET | by POST`, then `| by PUT | by PATCH | by DELETE` where it knows one of them. Of a model's lists and forms in the admin: `app.model | view | add | change | delete`.
Each role is a letter; `0` is nobody, `.` a method that the address does not know.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import AnonymousUser, User
from django.db import transaction
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver

from reconciliation.models import Run
from tests.things import make_things

LINES = Path(__file__).with_name("access.txt")
ROLES = {
    "A": "Analyst", "S": "Supervisor", "M": "Manager", "U": "Auditor", "D": "Administrator", "P": "API client",
    "n": "signed in without a role", "-": "anonymous",
}  # fmt: skip
STOCK = re.compile(
    r"\w+_(changelist|add|history|delete|change)"
)  # Django's pages of a model, which ask the model's rights
NOT_KNOWN, REFUSED = 405, (401, 403, 404)
TOKEN = "00000000-0000-0000-0000-000000000000"
NAMED = {
    r"alert-choices/\(\?P<event>[^)]*\)": "alert-choices/run.failed",
    r"store/\(\?P<code>[^)]*\)": "store/trade",
    r"gates/\(\?P<code>[^)]*\)": "gates/trades",
    "definitions/<slug:code>": "definitions/trades",
    "gates/<slug:code>": "gates/trades",
    r"\^definitions/\(\?P<code>[^)]*\)": "definitions/trades",
    r"<slug:kind>|\(\?P<kind>[^)]*\)": "reconciliation",
    r"<slug:code>|\(\?P<code>[^)]*\)": "left",
    r"<uuid:token>": TOKEN,
    r"\(\?P<app_label>[^)]*\)": "ingestion",
    r"\(\?P<url>\.\*\)|\^|\$|/\?": "",
}


def addresses(resolver: URLResolver, before: str = "") -> Iterator[str]:
    """Each address as its patterns spell it, but for the stock pages of the admin."""
    for it in resolver.url_patterns:
        spelt = before + str(it.pattern)
        if isinstance(it, URLResolver):
            yield from addresses(it, spelt)
        elif not _is_stock(it, spelt):
            yield spelt


def _is_stock(it: URLPattern, spelt: str) -> bool:
    return spelt.startswith("admin/") and bool(STOCK.fullmatch(it.name or "") or spelt.endswith("<path:object_id>/"))


def table() -> dict[str, list[str]]:
    """access.txt: the cells by address or model."""
    lines = (line.split(" | ") for line in LINES.read_text(encoding="utf-8").splitlines())
    return {name: cells for name, *cells in lines}


@pytest.fixture
def people(person: Callable[..., User]) -> dict[str, User | AnonymousUser]:
    """By letter; each may enter the admin, so that only the rights decide."""
    found = {letter: person(role) for letter, role in ROLES.items() if letter not in "n-"}
    found["n"] = User.objects.create_user("nobody")
    User.objects.update(is_staff=True)
    return {letter: User.objects.get(pk=user.pk) for letter, user in found.items()} | {"-": AnonymousUser()}


@pytest.fixture
def things(reconcile: Callable[..., Run], person: Callable[..., User]) -> dict[str, int]:
    """Ids of things that are there, by the word that stands before them in an address."""
    return make_things(reconcile, person("Supervisor", "proposer"))


def filled(address: str, things: Mapping[str, int]) -> str:
    """An address with what is there in place of its patterns."""
    kind = next((it for it in re.split(r"[/^]", address) if it in things), "")
    address = re.sub(r"<path:\w+>|<int:pk>|<id>|\(\?P<pk>[^)]*\)", str(things.get(kind, 1)), address)
    for pattern, text in NAMED.items():
        address = re.sub(pattern, text, address)
    return f"/{address}"


def test_every_address_and_every_model_of_the_admin_has_a_line() -> None:
    known = set(table())
    found = {*addresses(get_resolver()), *(it._meta.label_lower for it in admin.site._registry)}
    assert (sorted(found - known), sorted(known - found)) == ([], [])


def test_each_role_has_the_rights_in_the_admin_that_its_line_says(people: Mapping[str, User | AnonymousUser]) -> None:
    lines, request, wrong = table(), RequestFactory().get("/"), []
    for model, page in admin.site._registry.items():
        let_in = dict.fromkeys(("view", "add", "change", "delete"), "")
        for letter, request.user in people.items():
            for right in let_in:
                let_in[right] += letter if getattr(page, f"has_{right}_permission")(request) else ""
        cells = [letters or "0" for letters in let_in.values()]
        wrong += [] if cells == lines[model._meta.label_lower] else [" | ".join([model._meta.label_lower, *cells])]
    assert wrong == []


def test_each_role_gets_in_where_its_line_says(
    people: Mapping[str, User | AnonymousUser], things: dict[str, int], client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "django.template.backends.django.Template.render", lambda *_, **__: ""
    )  # who gets in, not the text
    monkeypatch.setattr("django.utils.log.request_logger.disabled", True)
    monkeypatch.setattr("django.contrib.auth.middleware.get_user", lambda request: people[request.headers["Who"]])
    given = {
        "action": "withdraw",
        "reconciliation": "trades",
        "date": "2026-11-20",
        "proposal": things["decisions"],
        "decision": things["decisions"],
    }
    lines, wrong = table(), []
    for address in addresses(get_resolver()):
        url = filled(address, things)
        cells = [_let_in(ask, url, it) for ask, it in ((client.get, {}), (client.post, given))]
        more = [_let_in(ask, url, given) for ask in (client.put, client.patch, client.delete)]
        cells += more if any(it != "." for it in more) else []
        wrong += [] if cells == lines[address] else [" | ".join([address, *cells])]
    assert wrong == []


def _let_in(ask: Callable[..., Any], url: str, given: Mapping[str, object]) -> str:
    found = {"M": _status(ask, url, given, "M")}
    if found["M"] == NOT_KNOWN:  # a method is unknown to everybody
        return "."
    found = {letter: found.get(letter) or _status(ask, url, given, letter) for letter in ROLES}
    assert not [status for status in found.values() if status >= 500], url
    if NOT_KNOWN in found.values():
        return "."
    return "".join(letter for letter, status in found.items() if status not in REFUSED) or "0"


def _status(ask: Callable[..., Any], url: str, given: Mapping[str, object], who: str) -> int:
    """What someone is answered, with nothing done; 401 for who is sent to sign in."""
    with transaction.atomic() if given else nullcontext():
        is_form = ask.__name__ in ("get", "post")  # type: ignore[attr-defined]
        headers = {"Who": who, "Idempotency-Key": "k"}
        answer = ask(url, given, headers=headers, **({} if is_form else {"content_type": "application/json"}))
        if given:
            transaction.set_rollback(True)
    is_sent_away = answer.status_code == 302 and answer.headers["Location"].startswith(("/sign-in/", "/admin/login/"))
    return 401 if is_sent_away else answer.status_code
