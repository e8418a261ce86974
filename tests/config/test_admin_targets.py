"""A target of alerts is tested from its page: what the other side says is said there, and the test is recorded."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client
from django.urls import reverse

from ingestion.models import AlertTarget, AuditEvent, Notice


@pytest.mark.django_db
def test_a_test_is_sent_and_its_result_is_said(client: Client, staff: Callable[[str], User]) -> None:
    desk = AlertTarget.objects.create(code="desk", kind="email", address="desk@example.org")
    away = AlertTarget.objects.create(
        code="pager", kind="webhook", address="https://pager.example.org/", secret="TIEOUT_X"
    )
    tests = [reverse("admin:ingestion_alerttarget_test", args=[it.pk]) for it in (desk, away)]
    staff("Auditor")
    assert client.post(tests[0]).status_code == 403
    staff("Administrator")
    page = reverse("admin:ingestion_alerttarget_change", args=[desk.pk])
    assert "Send a test" in client.get(page).content.decode()
    answer = client.post(tests[0], follow=True)
    assert [str(it) for it in answer.context["messages"]] == ["desk@example.org took the test."]
    assert mail.outbox[0].to == ["desk@example.org"] and "sends a test" in mail.outbox[0].subject
    (said,) = client.post(tests[1], follow=True).context["messages"]
    assert str(said).startswith("The test did not reach https://pager.example.org/. ")
    told = AuditEvent.objects.filter(action="target.tested").order_by("id").values_list("after__result", flat=True)
    assert len(told) == 2 and told[0] == "sent" and told[1] != "sent"
    assert not Notice.objects.exists()
