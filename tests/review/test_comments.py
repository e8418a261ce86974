"""Comments: who may, what is refused, what stays, who is called, and what each door shows."""

from collections.abc import Callable
from secrets import token_hex
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from ingestion import custody
from ingestion.models import Alert, AuditEvent
from reconciliation.models import Break, Reconciliation, Run, Team
from reconciliation.scoping import put_scope
from review.comments import CommentRefused, add_comment, people_who_see, withdraw_comment
from review.models import Comment
from review.rights import who_sees
from review.tokens import make_token
from tests.conftest import row
from tests.standing import lake_folder  # noqa: F401
from tests.test_straight_path import problems


@pytest.fixture(scope="module")
def made(standing: Callable[..., Run]) -> Run:
    """A turned sign."""
    return standing([row("A", "10.00")], [row("A", "-10.00")])


@pytest.fixture
def sign(made: Run, db: None) -> Break:
    """That break."""
    return Break.objects.get(key="A")


@pytest.fixture
def apart(sign: Break, trades: Reconciliation, person: Callable[..., User]) -> tuple[User, User]:
    """One of the team that the break belongs to, and one of another team."""
    team, other = Team.objects.create(code="fx"), Team.objects.create(code="bonds")
    Reconciliation.objects.filter(pk=trades.pk).update(team=team)
    trades.refresh_from_db()
    custody.seal([trades])
    ann, bob = person("Analyst", "ann"), person("Analyst", "bob")
    team.members.add(ann)
    other.members.add(bob)
    return ann, bob


def test_a_comment_is_corrected_or_withdrawn_but_never_changed(sign: Break, person: Callable[..., User]) -> None:
    ann, max_ = person("Analyst", "ann"), person("Manager", "max")
    first = add_comment(brk=sign, by=ann, text=" The bank says 12.00.\r\nAsked by phone, @max. ")
    assert first.text == "The bank says 12.00.\nAsked by phone, @max." and first.mentions.get() == max_
    alert = Alert.objects.get(event="comment.mention")
    assert (alert.person, alert.link) == (
        max_,
        f"/breaks/{sign.pk}/#comment-{first.pk}",
    ) and "bank" not in alert.sentence
    second = add_comment(brk=sign, by=ann, text="The bank says 10.00.", corrects=first)
    with pytest.raises(CommentRefused, match="withdrawn or corrected already"):
        add_comment(brk=sign, by=ann, text="No, 11.00.", corrects=first)
    with pytest.raises(CommentRefused, match="Nobody corrects what another person said"):
        add_comment(brk=sign, by=max_, text="No, 11.00.", corrects=second)
    withdraw_comment(comment=second, by=max_)
    with pytest.raises(CommentRefused, match="withdrawn already"):
        withdraw_comment(comment=second, by=ann)
    for change in ({"text": "x"}, {"withdrawn_by": ann}):
        with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
            Comment.objects.filter(pk=second.pk).update(**change)
    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
        Comment.objects.filter(pk=first.pk)._raw_delete("default")
    events = AuditEvent.objects.filter(action__startswith="comment.").order_by("pk")
    assert [it.action for it in events] == ["comment.written", "comment.written", "comment.withdrawn"]
    assert events[1].after == {"comment": second.pk, "text": "The bank says 10.00.", "corrects": first.pk}
    assert problems() == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("  \n", "empty comment"),
        ("a\0b", "NUL"),
        ("x" * 2001, "at most 2,000 characters; this one has 2,001"),
        ("ask @nobody", "Nobody who may see this break is called @nobody"),
        (" ".join(f"@p{n}" for n in range(11)), "at most 10 people"),
    ],
)
def test_a_refusal_says_why(sign: Break, person: Callable[..., User], text: str, says: str) -> None:
    with pytest.raises(CommentRefused, match=says):
        add_comment(brk=sign, by=person("Analyst"), text=text)
    assert not Comment.objects.exists()


def test_auditors_read_along(sign: Break, person: Callable[..., User]) -> None:
    with pytest.raises(CommentRefused, match="Analysts, Supervisors and Managers comment"):
        add_comment(brk=sign, by=person("Auditor"), text="hm")


def test_a_double_click_says_it_once_and_nobody_floods(sign: Break, person: Callable[..., User]) -> None:
    ann = person("Analyst", "ann")
    assert add_comment(brk=sign, by=ann, text="0") == add_comment(brk=sign, by=ann, text="0")
    for n in range(1, 10):
        add_comment(brk=sign, by=ann, text=str(n))
    with pytest.raises(CommentRefused, match="10 comments within a minute"):
        add_comment(brk=sign, by=ann, text="10")
    add_comment(brk=sign, by=person("Supervisor"), text="10")


def test_only_who_may_see_the_break_is_called(
    sign: Break, apart: tuple[User, User], person: Callable[..., User]
) -> None:
    ann, bob = apart
    sign.refresh_from_db()
    ann_again = User.objects.get(pk=ann.pk)
    said = add_comment(brk=sign, by=ann_again, text="Mail a@bob.example, then ask @Ann. Twice: @ann")
    assert [it.username for it in said.mentions.all()] == ["ann"]
    with pytest.raises(CommentRefused, match="Nobody who may see this break is called @bob"):
        add_comment(brk=sign, by=ann_again, text="@bob look")
    person("Auditor", "abe")
    assert people_who_see(sign, "a") == ["abe", "ann"] and people_who_see(sign, "b") == []


@pytest.mark.parametrize("has_team", [False, True])
@pytest.mark.parametrize("has_scope", [False, True])
def test_who_sees_a_break_is_the_same_asked_of_all_and_of_each(
    has_team: bool, has_scope: bool, apart: tuple[User, User], sign: Break, person: Callable[..., User]
) -> None:
    for role in ("Auditor", "Manager"):
        person(role, role.lower())
    User.objects.create_user("nobody")
    User.objects.create_superuser("root")
    if not has_team:
        Reconciliation.objects.update(team=None)
    if has_scope:
        put_scope(reconciliation=Reconciliation.objects.get(), field="party", granted={"bonds": ["Acme"]})
    brk = Break.objects.get(pk=sign.pk)
    seeing = [it for it in User.objects.all() if Break.objects.visible_to(it).filter(pk=brk.pk).exists()]
    assert set(User.objects.filter(who_sees(brk))) == set(seeing)
    with CaptureQueriesContext(connection) as asked:
        people_who_see(brk, "a")
    assert len(asked) == 1


def test_the_page_says_it_safely_and_keeps_a_withdrawn_text_for_auditors(
    sign: Break, client: Client, person: Callable[..., User]
) -> None:
    ann, url = person("Analyst", "ann"), reverse("comment", args=[sign.pk])
    person("Supervisor", "sam")
    client.force_login(ann)
    assert client.post(url, {"text": "<b>wrong</b> amount, @sam."}).headers["Location"].endswith("#comments")
    page = client.get(sign.get_absolute_url()).content.decode()
    assert '&lt;b&gt;wrong&lt;/b&gt; amount, <span class="at">@sam</span>.' in page
    refused = client.post(url, {"text": "ask @nobody <i>"})
    assert refused.status_code == 400 and "called @nobody" in refused.content.decode()
    assert "ask @nobody &lt;i&gt;</textarea>" in refused.content.decode(), "what was written is still there"
    said = Comment.objects.get()
    steps = reverse("journey") + f"?reconciliation=trades&key={sign.key}"
    assert f'id="said-{said.pk}"' in (page := client.get(steps).content.decode()) and "&lt;b&gt;wrong&lt;/b&gt;" in page
    part = client.post(reverse("take_comment_back", args=[said.pk]), headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part and "Withdrawn by ann" in part and "amount" not in part
    assert "Comment withdrawn" in (page := client.get(steps).content.decode()) and "wrong" not in page
    client.force_login(person("Auditor"))
    audited = client.get(sign.get_absolute_url()).content.decode()
    assert "Kept for auditors" in audited and "&lt;b&gt;wrong" in audited and "<textarea" not in audited


def test_names_are_completed_for_who_may_see_the_break(
    sign: Break, apart: tuple[User, User], client: Client, person: Callable[..., User]
) -> None:
    ann, bob = apart
    url = reverse("people", args=[sign.pk])
    client.force_login(ann)
    assert 'data-name="ann"' in client.get(url, {"text": "look, @a"}).content.decode()
    for text in ("look, @b", "b", "@", "%@", "\0@b"):
        assert "bob" not in client.get(url, {"text": text}).content.decode()
    client.force_login(bob)
    assert client.get(url, {"text": "@a"}).status_code == 404


def test_programs_comment_too(sign: Break, client: Client, person: Callable[..., User]) -> None:
    by = person("API client", "robot")
    headers = {"Authorization": f"Token {make_token(user=by, name='t', scopes=['decide', 'read'])}"}
    url = f"/api/v1/breaks/{sign.pk}/comments"

    def post(to: str, **given: str) -> Any:  # noqa: ANN401
        key = headers | {"Idempotency-Key": token_hex(8)}
        return client.post(to, given, content_type="application/json", headers=key)

    made = post(url, text="Seen.")
    assert (made.status_code, made.json()["written_by"], made.json()["mentions"]) == (201, "robot", [])
    bad = post(url, text="@nobody")
    assert (bad.status_code, "called @nobody" in bad.json()["detail"]) == (400, True)
    gone = post(f"/api/v1/comments/{made.json()['id']}/withdraw")
    assert gone.status_code == 201 and gone.json()["text"] is None
    assert [it["withdrawn_by"] for it in client.get(url, headers=headers).json()] == ["robot"]
