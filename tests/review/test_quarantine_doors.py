"""The quarantine's doors: pages and REST, for who may, each with an answer in a sentence."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from ingestion.changes import Change
from ingestion.deliveries import normalize_delivery
from ingestion.models import AuditEvent, Delivery, Normalization, QuarantinedRow, Repair
from reconciliation.models import Reconciliation, Team
from review.repairs import dismiss
from review.tokens import make_token
from tests.conftest import DEFINITION, HEADER, problems, row
from tests.standing import standing_trades  # noqa: F401

HOSTILE = "B,<script>alert(1)</script>,5.00"
MENDED = ["B", "2026-11-20", "Acme", "DE", "5.00", "EUR"]
FORM = {f"cell:{place}": text for place, text in enumerate(MENDED, 1)}


@pytest.fixture
def broken(trades: Reconciliation, deliver: Callable[..., Normalization]) -> QuarantinedRow:
    """A row of too few cells beside one that is fine and one without a key."""
    deliver("left", "\n".join([HEADER, row("A"), HOSTILE, ",2026-11-20,Acme,DE,1.00,EUR"]) + "\n")
    return QuarantinedRow.objects.get(raw=HOSTILE)


def test_the_pages_show_and_repair_a_row(broken: QuarantinedRow, client: Client, person: Callable[[str], User]) -> None:
    address, answer = reverse("quarantined", args=[broken.pk]), reverse("answer_row", args=[broken.pk])
    assert client.get(reverse("quarantine")).status_code == client.get(address).status_code == 302
    client.force_login(person("Analyst"))
    listed = client.get(reverse("quarantine")).content.decode()
    assert "It has n cells where n were expected." in listed and "alert(1)&lt;/script&gt;" in listed
    only = client.get(
        f"{reverse('quarantine')}?reason=It+has+n+cells+where+n+were+expected.&source=left&date=2026-11-20"
    )
    assert len(only.context["rows"]) == 1
    assert "There is no state" in client.get(f"{reverse('quarantine')}?state=gone").content.decode()
    page = client.get(address).content.decode()
    assert f'<pre class="code">{HOSTILE.replace("<", "&lt;").replace(">", "&gt;")}</pre>' in page
    assert "It has 3 cells where 6 were expected." in page and 'value="&lt;script&gt;' in page
    refused = client.post(answer, {**FORM, "cell:1": "", "action": "repair", "comment": "why"}).content.decode()
    assert "is no record either. The key (id) is blank" in refused and 'value="Acme"' in refused  # what was typed stays
    tried = client.post(answer, {**FORM, "action": "try"}, headers={"HX-Request": "true"}).content.decode()
    assert "It would become" in tried and "<html" not in tried
    assert client.post(answer, {**FORM, "action": "replay", "comment": "why"}).status_code == 302
    made = Delivery.objects.get(replayed_from__isnull=False)
    shown = client.get(address).content.decode()
    assert f'Replayed as record 1 of\n  <a href="/deliveries/{made.pk}/">' in shown
    assert "The repaired rows of" in client.get(reverse("delivery", args=[made.pk])).content.decode()
    again = client.post(answer, {**FORM, "action": "dismiss", "comment": "why"}).content.decode()
    assert f"repaired by analyst and replayed as delivery {made.pk}" in again
    assert problems() == []


def test_a_row_offers_what_the_person_may_do(
    broken: QuarantinedRow, client: Client, person: Callable[..., User]
) -> None:
    people = [person("Analyst"), person("Analyst", "other"), person("Supervisor"), person("Auditor")]

    def offered(verb: str) -> list[bool]:
        found = []
        for one in people:
            client.force_login(one)
            found.append(f'value="{verb}"' in client.get(reverse("quarantined", args=[broken.pk])).content.decode())
        return found

    dismiss(row=broken, comment="why", by=people[0])
    assert (offered("withdraw"), offered("confirm")) == ([True, False, True, False], [False] * 4)
    Repair.objects.update(four_eyes=True, confirmed_by=None, confirmed_at=None)
    assert (offered("withdraw"), offered("confirm")) == ([True, False, True, False], [False, False, True, False])


def test_the_mapping_is_repaired_and_the_delivery_read_again(
    trades: Reconciliation, define: Callable[[str], list[Change]], deliver: Callable[..., Normalization],
    client: Client, person: Callable[[str], User],
) -> None:  # fmt: skip
    define(DEFINITION.replace("id: {type: text, key: true}", "id: {type: integer, key: true}"))
    deliver("left", f"{HEADER}\n{row('No 7')}\n")
    stuck = QuarantinedRow.objects.get()
    assert stuck.reason == "The key (id) does not fit its field."
    client.force_login(person("Supervisor"))
    assert "Read again by" not in client.get(reverse("quarantined", args=[stuck.pk])).content.decode()
    mended = DEFINITION.replace("id: {type: text, key: true}", "id: {type: integer, key: true}")
    define(mended.replace("id: {column: id}", "id: {column: id, clean: [{remove: 'No '}]}"))
    assert "Read again by mapping 2" in client.get(reverse("quarantined", args=[stuck.pk])).content.decode()
    client.post(reverse("read_again", args=[stuck.normalization.delivery_id]))
    done = normalize_delivery(Normalization.objects.get(mapping__version=2))
    assert (done.normalized, done.quarantined) == (1, 0)
    assert client.get(reverse("quarantine")).context["rows"] == []  # a record by now; its page stays
    assert client.get(reverse("quarantined", args=[stuck.pk])).status_code == 200


def test_a_reading_that_failed_is_tried_again_once(
    trades: Reconciliation, deliver: Callable[..., Normalization], client: Client, person: Callable[[str], User],
) -> None:  # fmt: skip
    work = deliver("left", f"{HEADER}\n{row('A')}\n")
    page, again = (reverse(name, args=[work.delivery_id]) for name in ("delivery", "read_again"))
    client.force_login(person("Supervisor"))
    assert "Read again" not in client.get(page).content.decode()
    Normalization.objects.update(state="failed", error="Given up after 5 attempts.")
    assert "Read again by mapping 1" in client.get(page).content.decode()
    for says in ("is read again by mapping 1", "or reads it just now"):  # the second one of a double click
        assert says in client.post(again, follow=True).content.decode()
    assert AuditEvent.objects.get(action="delivery.read_again").actor_name == "supervisor"
    assert normalize_delivery(Normalization.objects.get()).state == "done"


def test_line_ends_in_a_cell_are_no_change(
    trades: Reconciliation, deliver: Callable[..., Normalization], client: Client, person: Callable[[str], User]
) -> None:
    deliver("left", f'{HEADER}\n{row("A")}\n,2026-11-20,"Acme\nof the North",DE,1.00,EUR\n')
    stuck = QuarantinedRow.objects.get()
    client.force_login(person("Analyst"))
    assert "Acme\nof the North</textarea>" in client.get(reverse("quarantined", args=[stuck.pk])).content.decode()
    typed = {"cell:1": "B", "cell:3": "Acme\r\nof the North", "action": "repair", "comment": "why"}
    assert client.post(reverse("answer_row", args=[stuck.pk]), typed).status_code == 302
    assert [it.column for it in Repair.objects.get().cells.all() if it.is_changed] == ["id"]


@pytest.fixture
def ask(person: Callable[[str], User], client: Client) -> Callable[..., Any]:
    """A request with a token."""
    user = person("API client")

    def send(address: str, body: dict[str, Any] | None = None, *, key: str = "k", scope: str = "decide") -> Any:  # noqa: ANN401
        token = make_token(user=user, name=key + scope + address[-8:], scopes=["read", scope])
        headers = {"Authorization": f"Token {token}", "Idempotency-Key": key}
        if body is None:
            return client.get(f"/api/v1/{address}", headers=headers)
        return client.post(f"/api/v1/{address}", body, content_type="application/json", headers=headers)

    return send


def test_a_program_lists_repairs_and_replays(broken: QuarantinedRow, ask: Callable[..., Any]) -> None:
    found = ask("quarantine?source=left").json()["results"]
    assert [(it["line"], it["state"]) for it in found] == [(4, "open"), (3, "open")]
    assert ask("quarantine/counts").json()[0]["count"] == 1
    assert ask("quarantine?state=no").status_code == 400 and ask("quarantine/999").status_code == 404
    whole = ask(f"quarantine/{broken.pk}").json()
    assert (whole["raw"], whole["cells"]["id"], whole["cells"]["currency"]) == (HOSTILE, "B", None)
    cells = dict(zip(HEADER.split(","), MENDED, strict=True))
    answers, body = f"quarantine/{broken.pk}/answers", {"action": "repair", "cells": cells, "comment": "by hand"}
    assert ask(answers, {**body, "action": "try"}).json()["values"]["amount"] == "5.00"
    assert ask(answers, body, scope="read", key="r").status_code == 403
    assert "no column" in ask(answers, {**body, "cells": {"x": "1"}}, key="a").json()["detail"]
    assert ask(answers, {**body, "cells": {"id": 7, "day": None}}, key="b").status_code == 400
    said = ask(answers, body, key="c")
    assert said.status_code == 201 and said.json()["cells"][1] == {
        "column": "day", "was": "<script>alert(1)</script>", "value": "2026-11-20",
    }  # fmt: skip
    assert ask(answers, body, key="d").status_code == 409
    replays = f"deliveries/{broken.normalization.delivery_id}/replay"
    made = ask(replays, {}, key="e").json()
    assert ask(replays, {}, key="e").json() == made and ask(replays, {}, key="f").status_code == 400
    work = normalize_delivery(Delivery.objects.get(pk=made["delivery"]).normalizations.get())
    assert (work.normalized, work.quarantined) == (1, 0)
    other = QuarantinedRow.objects.exclude(pk=broken.pk).get()
    assert (
        ask(f"quarantine/{other.pk}/answers", {"action": "dismiss", "comment": "a total"}, key="g").status_code == 201
    )
    assert ask(f"quarantine/{other.pk}/answers", {"action": "withdraw"}, key="h").json()["withdrawn"] is True
    again = f"deliveries/{broken.normalization.delivery_id}/read-again"
    read = ask(again, {}, key="i", scope="deliver")
    assert read.status_code == 409 and "Mapping 1 has read delivery" in read.json()["detail"]
    Normalization.objects.filter(delivery=broken.normalization.delivery).update(state="failed")
    assert ask(again, {}, key="j", scope="deliver").json()["mapping"] == 1


def test_another_teams_rows_are_not_there(
    broken: QuarantinedRow,
    trades: Reconciliation,
    ask: Callable[..., Any],
    client: Client,
    person: Callable[[str], User],
) -> None:
    trades.team = Team.objects.create(code="others")
    trades.save()
    assert ask("quarantine").json()["results"] == []
    assert ask(f"quarantine/{broken.pk}/answers", {"action": "dismiss", "comment": "x"}).status_code == 404
    client.force_login(person("Analyst"))
    assert client.get(reverse("quarantined", args=[broken.pk])).status_code == 404
    assert (
        client.post(reverse("answer_row", args=[broken.pk]), {"action": "dismiss", "comment": "x"}).status_code == 404
    )
    assert client.post(reverse("replay", args=[broken.normalization.delivery_id])).status_code == 404
    assert not Repair.objects.exists()
