"""Events of higher apps reach the same targets as alerts of deliveries, once."""

from collections.abc import Callable

from django.contrib.auth.models import User
from django.core import mail
from django.test import Client

from ingestion.alerts import put_target, raise_event
from ingestion.clock import database_now
from ingestion.models import Alert, Notice, Source
from ingestion.notices import document, send_notice, to_send
from reconciliation.models import Reconciliation, Team


def test_an_event_is_told_once_to_who_hears_of_its_sources(
    trades: Reconciliation, define: Callable[[str], object], staff: Callable[[str], User], client: Client
) -> None:
    left, right, now = trades.a, trades.b, database_now()
    other = Source.objects.create(code="other", record_type=left.record_type)
    for code, sources in (("all", []), ("mine", [left, right]), ("other", [other])):
        put_target(code=code, kind="email", address=f"{code}@example.com", sources=sources)
    sentence = "The gate of trades closed: 9 of 20 audited records were wrong."
    given = {"event": "gate.closed", "mark": "trades 1", "sentence": sentence, "sources": [left, right], "now": now}
    alert = raise_event(**given)
    assert alert is not None and raise_event(**given) is None
    assert [send_notice(pk, now) for pk in to_send(now)] == [True, True]
    assert [it.to for it in mail.outbox] == [["all@example.com"], ["mine@example.com"]]
    assert mail.outbox[0].subject == f"Tieout: {sentence.removesuffix('.')}"
    assert mail.outbox[0].body.startswith(sentence)
    assert document(Notice.objects.first())["event"] == "gate.closed"
    raise_event(**{**given, "mark": "trades 2"})
    assert Alert.objects.count() == 2

    staff("Auditor")
    assert sentence.removesuffix(".") in client.get("/admin/ingestion/alert/").content.decode()
    assert client.get(f"/admin/ingestion/alert/{alert.pk}/change/").status_code == 200
    client.logout()
    staff("Analyst")
    Reconciliation.objects.update(team=Team.objects.create(code="others"))
    assert sentence.removesuffix(".") not in client.get("/admin/ingestion/alert/").content.decode()
