"""What a break's page tells beside its values, and how one comes from it to the next one."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from attribution.models import Attribution
from ingestion.audit_chain import chain_now
from reconciliation.models import Break, Run
from review.decisions import decide
from review.models import Preference
from tests.conftest import DAY, row
from tests.standing import lake_folder, standing_trades  # noqa: F401

LEFT = [row("A", "5.00"), row("B", "7.00"), row("C", "8.00"), row("D", "10.25"), row("E", "1.00")]
RIGHT = [row("A", "-5.00"), row("B", "-7.00"), row("C", "93.10"), row("E", "-1.00")]


@pytest.fixture(scope="module")
def run(standing: Callable[..., Run]) -> Run:
    """Three turned signs, one unexplained, one missing in B."""
    return standing(LEFT, RIGHT)


def of_key(key: str) -> Break:
    """The newest break of a key."""
    return Break.objects.filter(key=key).latest("pk")


def page_of(client: Client, key: str) -> str:
    """A break's page, its spaces made one."""
    return " ".join(client.get(of_key(key).get_absolute_url()).content.decode().split())


def test_the_keys_other_breaks_stand_with_what_was_decided(
    run: Run, reconcile: Callable[..., Run], client: Client, person: Callable[..., User]
) -> None:
    analyst = person("Analyst")
    client.force_login(analyst)
    assert "This key before" not in page_of(client, "A")
    first = of_key("A")
    reconcile([row("A", "6.00")], [row("A", "6.00")], DAY + dt.timedelta(days=1))
    reconcile([row("A", "6.00")], [row("A", "-6.00")], DAY + dt.timedelta(days=2))
    assert of_key("A").pk != first.pk
    decide(brk=of_key("A"), action="override", by=analyst, reason="TIMING_LAG", comment="the bank was late")
    page = page_of(client, "A")
    assert "This key before" in page and "2 breaks, newest first" in page
    assert (
        f'href="{first.get_absolute_url()}"' in page and "the bank was late" in page and 'aria-current="true"' in page
    )
    assert "analyst says TIMING_LAG." in page


def test_a_break_of_which_nothing_is_said_yet_is_shown(run: Run, client: Client, person: Callable[..., User]) -> None:
    """While a run goes on, its breaks stand before anything explained them."""
    client.force_login(person("Supervisor"))
    brk = Break.objects.filter(kind="differing", state="review")[0]
    Attribution.objects.filter(difference__brk=brk).delete()
    Break.objects.filter(pk=brk.pk).update(state="in_flight")
    for url in (f"/breaks/{brk.pk}/", f"/journey/?reconciliation={brk.reconciliation.code}&key={brk.key}"):
        assert client.get(url).status_code == 200, url


def test_the_audit_trail_is_for_who_reads_the_log(run: Run, client: Client, person: Callable[..., User]) -> None:
    decide(brk=of_key("A"), action="approve", by=person("Supervisor"), comment="as agreed")
    chain_now()
    client.force_login(person("Auditor"))
    page = page_of(client, "A")
    assert 'aria-label="Audit trail"' in page and "Decision made" in page
    assert f"{reverse('audit')}?kind=break&amp;object={of_key('A').pk}" in page
    client.force_login(person("Analyst"))
    assert 'aria-label="Audit trail"' not in page_of(client, "A")


def test_the_gate_tells_what_holds_and_what_does_not(run: Run, client: Client, person: Callable[..., User]) -> None:
    client.force_login(person("Analyst"))
    page = page_of(client, "A")
    assert "amount: SIGN_FLIP is an error, not functional" in page
    assert "Nothing in the record is flagged" in page and "The record check holds" in page
    assert "This kind of break always goes to a person." in page_of(client, "D")


def test_several_differences_are_told_apart_and_those_without_a_proof_together(
    run: Run, reconcile: Callable[..., Run], client: Client, person: Callable[..., User]
) -> None:
    reconcile([row("F", "5.00", "2026-11-20", "Alpha")], [row("F", "-5.00", "2026-01-07", "Omega")])
    client.force_login(person("Analyst"))
    page = page_of(client, "F")
    assert "amount: B is A with the sign turned." in page
    assert "Nothing turns A&#x27;s day and party into B&#x27;s." in page


def test_next_and_previous_follow_the_queue_as_it_was_filtered(
    run: Run, client: Client, person: Callable[..., User]
) -> None:
    client.force_login(person("Analyst"))

    def after(key: str, **query: str) -> str:
        answer = client.get(reverse("next_break", args=[of_key(key).pk]), query)
        assert answer.status_code == 302
        return answer.headers["Location"]

    sought = {"order": "oldest", "reason": "SIGN_FLIP"}
    kept = "?reason=SIGN_FLIP&order=oldest"
    assert after("A", **sought) == f"{of_key('B').get_absolute_url()}{kept}"
    assert after("E", way="previous", **sought) == f"{of_key('B').get_absolute_url()}{kept}"
    assert after("E", **sought) == f"{of_key('E').get_absolute_url()}{kept}"  # the last one
    assert "This was the last one of the queue." in page_of(client, "E")
    assert after("A", order="oldest") == f"{of_key('B').get_absolute_url()}?order=oldest"
    after("A", q="colour:red")
    assert "colour" in page_of(client, "A")  # a query that cannot be read is named
    for query in ({"way": "sideways"}, {"order": "nonsense"}, {"run": "x"}, {"after": "1_2"}, {"order": "amount"}):
        assert after("A", **query).startswith("/breaks/")


def test_next_like_this_skips_what_is_decided_and_comes_round(
    run: Run, client: Client, person: Callable[..., User]
) -> None:
    analyst = person("Analyst")
    client.force_login(analyst)

    def alike(key: str) -> str:
        answer = client.get(reverse("next_break", args=[of_key(key).pk]), {"way": "similar"}, follow=True)
        return str(answer.context["brk"].key)

    decide(brk=of_key("B"), action="reject", by=analyst)
    assert {alike("A"), alike("E")} == {"A", "E"}  # round, and never a C, which is UNKNOWN
    assert alike("B") in ("A", "E")  # from what is decided, on to what is open
    assert alike("C") == "C"
    answer = client.get(reverse("next_break", args=[of_key("D").pk]), {"way": "similar"}, follow=True)
    assert "No other open break is like this one" in answer.content.decode()


def test_who_set_something_finds_it_wherever_they_sign_in(
    db: None, client: Client, person: Callable[..., User]
) -> None:
    analyst = person("Analyst")
    client.force_login(analyst)
    page = client.get(reverse("queue")).content.decode()
    assert "data-keys" not in page and "data-density" not in page
    answer = client.post(reverse("preferences"), {"density": "compact", "next": "/runs/?state=done"})
    assert answer.headers["Location"] == "/runs/?state=done"
    elsewhere = Client()
    elsewhere.force_login(analyst)
    for browser in (client, elsewhere):
        page = browser.get(reverse("queue")).content.decode()
        assert 'data-keys="off"' in page and 'data-density="compact"' in page
    assert str(Preference.objects.get()) == "analyst: Compact, no keys"


def test_a_wrong_preference_is_refused_and_leads_nowhere_else(
    db: None, client: Client, person: Callable[..., User]
) -> None:
    client.force_login(person("Analyst"))
    answer = client.post(reverse("preferences"), {"density": "tiny"})
    assert answer.status_code == 400 and "Rows are roomy or compact." in answer.content.decode()
    assert not Preference.objects.exists()
    answer = client.post(
        reverse("preferences"), {"density": "roomy", "keys": "on", "next": "https://elsewhere.example/"}
    )
    assert answer.headers["Location"] == reverse("preferences")
