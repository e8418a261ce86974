"""A file handed in on a page or in the admin: looked at before it is a delivery, and the same bytes when it is one."""

import datetime as dt
import hashlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from config.tasks import normalize
from config.tidying import tidy
from ingestion import lake, staging
from ingestion.models import Delivery, Normalization
from ingestion.uploads import bytes_of, staged
from reconciliation.models import Reconciliation, Team
from tests.conftest import DAY, HEADER, Deliver, problems, row
from tests.standing import standing_trades  # noqa: F401

HOSTILE_NAMES = (
    "../../etc/passwd", "..\\..\\boot.ini", "a\r\nX: y.csv", "\u202egnp.csv", "<img src=x>.csv", "n" * 400,
)  # fmt: skip
BODY = f"{HEADER}\n{row('A')}\n{row('B', 'ten')}\nC,short\n".encode()
Upload = Callable[..., Any]
PAGE = pytest.mark.parametrize("prefix", [""], indirect=True)  # the admin's views are the same


@pytest.fixture(params=["", "admin:"], ids=["page", "admin"])
def prefix(request: pytest.FixtureRequest) -> str:
    """The two doors: names of the addresses."""
    return str(request.param)


@pytest.fixture
def upload(trades: Reconciliation, staff: Callable[[str], User], client: Client, prefix: str) -> Upload:
    """Post the form as an Analyst."""
    staff("Analyst")

    def post(body: bytes = BODY, name: str = "left.csv", headers: dict[str, str] | None = None, **given: str) -> Any:  # noqa: ANN401
        form = {"source": "left", "date": str(DAY), "file": SimpleUploadedFile(name, body), **given}
        return client.post(reverse(f"{prefix}upload"), form, headers=headers)

    return post


def staged_folders() -> Iterator[Path]:
    return lake.local("uploads").glob("*")


def test_a_preview_shows_what_it_would_become_and_stores_nothing(
    upload: Upload, client: Client, prefix: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    assert 'enctype="multipart/form-data"' in client.get(reverse(f"{prefix}upload")).content.decode()
    address = upload().headers["Location"]
    with django_assert_max_num_queries(12):
        shown = client.get(address)
    found, page = shown.context["found"], shown.content.decode()
    assert (found.format.encoding, found.format.delimiter, found.format.header) == ("utf-8", ",", 1)
    assert (found.counts.received, found.counts.normalized, found.counts.quarantined) == (3, 2, 1)
    assert [(it.number, it.field, it.text) for it in found.flags] == [(2, "amount", "ten")]
    assert "No number of at most 18 digits with 2 places." in page and "It has 2 cells where 6 were expected." in page
    assert found.columns[2] == ("party", "party.name") and "Acme" in page
    assert hashlib.sha256(BODY).hexdigest() in page
    assert not Delivery.objects.exists()


def test_an_accepted_upload_is_a_delivery_of_the_same_bytes(upload: Upload, client: Client, prefix: str) -> None:
    address = upload().headers["Location"]
    answer = client.post(address + "accept/")
    delivery = Delivery.objects.get()
    name = "admin:ingestion_delivery_change" if prefix else "delivery"
    assert answer.headers["Location"] == reverse(name, args=[delivery.pk])
    assert (delivery.sha256, delivery.size) == (hashlib.sha256(BODY).hexdigest(), len(BODY))
    assert lake.local(delivery.path).read_bytes() == BODY
    assert (delivery.received_by, delivery.file_name, delivery.business_date) == ("analyst", "left.csv", DAY)
    normalize(Normalization.objects.get().pk)
    assert Normalization.objects.get().flagged_values == 1
    assert list(staged_folders()) == []
    assert client.post(address + "accept/").status_code == 302
    again = client.get(address)
    assert again.status_code == 404 and "That upload is settled already: it was accepted" in again.content.decode()
    assert Delivery.objects.count() == 1 and problems() == []


@PAGE
def test_a_discarded_upload_leaves_nothing(upload: Upload, client: Client) -> None:
    address = upload().headers["Location"]
    page = client.post(address + "discard/", follow=True).content.decode()
    assert "Discarded left.csv." in page
    assert list(staged_folders()) == [] and not Delivery.objects.exists()


@PAGE
def test_a_dry_run_counts_what_would_change(upload: Upload, client: Client, deliver: Deliver) -> None:
    first = client.get(upload().headers["Location"]).context["tried"]
    assert first.former is None and {title: n for title, n, _ in first.rows}["New"] == 2
    held = deliver("left", "\n".join([HEADER, row("A"), row("B", "7.00"), row("Z")]) + "\n").delivery
    shown = client.get(upload().headers["Location"])
    tried = shown.context["tried"]
    assert (tried.former, tried.supersedes) == (held, True)
    assert {title: n for title, n, _ in tried.rows} == {"New": 0, "Changed": 1, "Same": 1, "Error": 1, "Left out": 1}
    assert [(it.kind, it.key) for it in tried.records] == [("changed", "B")]
    assert "which it would supersede" in " ".join(shown.content.decode().split())
    later = client.get(upload(date="2026-11-24").headers["Location"]).context["tried"]
    assert (later.former, later.supersedes) == (held, False)


def test_several_files_wait_until_they_are_answered(
    upload: Upload, client: Client, prefix: str, deliver: Deliver
) -> None:
    held = deliver("left", BODY.decode()).delivery
    files = [SimpleUploadedFile("one.csv", BODY), SimpleUploadedFile("two.csv", BODY + b"D,short\n")]
    listed = upload(file=files)
    assert listed.headers["Location"] == reverse(f"{prefix}upload")
    waiting = client.get(listed.headers["Location"]).context["waiting"]
    assert {(it.upload.name, it.held) for it in waiting} == {("one.csv", held), ("two.csv", None)}
    part = upload(headers={"HX-Request": "true"}, listed="1").content.decode()
    assert hashlib.sha256(BODY).hexdigest() in part and f"delivery {held.pk}</a>" in part and "<html" not in part
    client.post(waiting[0].url + "discard/")
    assert len(client.get(reverse(f"{prefix}upload")).context["waiting"]) == 2
    client.force_login(User.objects.create_superuser("another"))
    assert client.get(reverse(f"{prefix}upload")).context["waiting"] == []


@PAGE
def test_the_same_bytes_are_told_with_when_by_whom_and_where(
    upload: Upload, client: Client, deliver: Deliver, prefix: str
) -> None:
    first = deliver("left", BODY.decode()).delivery
    Delivery.objects.filter(pk=first.pk).update(received_by="night_job")
    shown = client.get(upload(name="again.csv", date="2026-11-21").headers["Location"])
    page = " ".join(shown.content.decode().split())
    assert f">delivery {first.pk}</a> of Left, 20 Nov 2026, as left.csv, on" in page and "by night_job" in page
    address = upload(name="again.csv").headers["Location"]
    assert "Accepting it adds nothing." in client.get(address).content.decode()
    assert "nothing was added" in client.post(address + "accept/", follow=True).content.decode()
    assert Delivery.objects.count() == 1


@PAGE
def test_what_is_asked_is_answered_by_accepting(upload: Upload, client: Client) -> None:
    body = f"Report of today\n\n{HEADER}\n{row('A')}\n".encode()
    address = upload(body).headers["Location"]
    asked = client.get(address).context["found"].questions
    assert asked and "write `" in asked[0]
    client.post(address + "accept/")
    normalize(Normalization.objects.get().pk)
    done = Normalization.objects.get()
    assert (done.state, done.received, done.normalized) == ("done", 1, 1)
    assert problems() == []


@PAGE
@pytest.mark.parametrize(
    ("body", "sentence", "may_be_accepted"),
    [
        (b"", "The file is empty (0 bytes)", False),
        (b"PK\x03\x04nothing", "", False),
        (b"id,day\nA,2026-11-20\n", "It has id, day.", True),
    ],
    ids=["empty", "archive", "without a column"],
)
def test_what_cannot_be_read_says_why(
    upload: Upload, client: Client, body: bytes, sentence: str, may_be_accepted: bool
) -> None:
    shown = client.get(upload(body).headers["Location"])
    assert shown.context["found"].error and sentence in shown.content.decode()
    assert shown.context["found"].may_be_accepted is may_be_accepted
    assert ("accept/" in shown.content.decode()) is may_be_accepted


@PAGE
def test_a_form_that_lacks_something_says_what(upload: Upload) -> None:
    for given, sentence in (
        ({"source": "nobody"}, "Choose the source"),
        ({"file": ""}, "Choose a file."),
        ({"date": "20.11.2026"}, "is no date such as 2026-11-20"),
        ({"sha256": "0" * 64}, "but 0000"),
    ):
        answer = upload(**given)
        assert (answer.status_code, sentence in answer.content.decode()) == (400, True)
        part = upload(headers={"HX-Request": "true"}, **given)
        assert part.status_code == 400 and part.content.decode().strip().startswith("<p class=")
    digest = hashlib.sha256(BODY).hexdigest()
    assert upload(headers={"HX-Request": "true"}, sha256=digest).headers["HX-Redirect"]


@PAGE
def test_a_hostile_name_is_only_a_name(upload: Upload, client: Client, lake: Path) -> None:
    for name in HOSTILE_NAMES:
        address = upload(BODY + name[:9].encode() + b"\n", name).headers["Location"]
        assert b"<img src=x>" not in client.get(address).content
        client.post(address + "accept/")
        kept = Delivery.objects.latest("pk")
        assert len(kept.file_name) <= 255 and not set("/\\\r\n\u202e") & set(kept.file_name)
    assert Delivery.objects.count() == len(HOSTILE_NAMES)
    kept_in = {it.parent for it in (lake / "deliveries").rglob("*") if it.is_file()}
    assert kept_in == {lake / "deliveries" / "left" / str(DAY)}


@PAGE
def test_a_file_over_the_cap_is_refused_before_it_is_read(
    upload: Upload, settings: Settings, client: Client, prefix: str
) -> None:
    settings.UPLOAD_BYTES = 1000
    answer = upload(BODY + b"x" * 100_000)
    assert answer.status_code == 413 and "The body has more than" in answer.content.decode()
    part = upload(BODY + b"x" * 100_000, headers={"HX-Request": "true"})
    assert part.status_code == 413 and b"<html" not in part.content
    assert list(staged_folders()) == []


@PAGE
def test_a_full_disk_refuses_before_anything_is_read(upload: Upload, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=100_000))
    answer = upload(BODY + b"x" * 100_000)
    assert answer.status_code == 507 and "The disk has no room for that." in answer.content.decode()
    assert list(staged_folders()) == []


@PAGE
def test_an_upload_is_its_maker_s_own_and_of_a_source_that_is_seen(
    upload: Upload, client: Client, person: Callable[..., User], trades: Reconciliation
) -> None:
    address = upload().headers["Location"]
    client.force_login(person("Supervisor", "another"))
    assert client.get(address).status_code == 404
    assert client.post(address + "accept/").status_code == 302 and not Delivery.objects.exists()
    client.post(address + "discard/")
    assert len(list(staged_folders())) == 1
    client.force_login(person("Auditor"))
    for url in (reverse("upload"), address, address + "accept/"):
        assert client.post(url).status_code in (403, 405)
    client.force_login(User.objects.get(username="analyst"))
    trades.team = Team.objects.create(code="others")
    trades.save()
    assert client.get(address).status_code == 404
    assert upload().status_code == 400
    client.logout()
    assert client.get(address).headers["Location"].startswith("/sign-in/")


@PAGE
def test_changed_bytes_are_never_accepted(upload: Upload, client: Client) -> None:
    address = upload().headers["Location"]
    (folder,) = staged_folders()
    (folder / "bytes").write_bytes(BODY.replace(b"10.00", b"99.00"))
    assert "were changed" in client.post(address + "accept/", follow=True).content.decode()
    assert not Delivery.objects.exists()


@PAGE
def test_whoever_settles_it_meanwhile_takes_its_bytes_from_nobody(upload: Upload, client: Client) -> None:
    address = upload().headers["Location"]
    (folder,) = staged_folders()
    kept = staged(UUID(folder.name), "analyst")
    assert kept is not None
    with bytes_of(kept) as file:
        (folder / "bytes").unlink()  # as another click does
        assert file.read_bytes() == BODY
    assert client.get(address).status_code == 404
    assert "accepted or discarded meanwhile" in client.post(address + "accept/", follow=True).content.decode()
    assert not Delivery.objects.exists()


@PAGE
def test_what_nobody_accepts_is_gone_after_a_day(
    upload: Upload, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = upload().headers["Location"]
    now, who = time.time(), User.objects.get(pk=client.session["_auth_user_id"])
    monkeypatch.setattr(time, "time", lambda: now + staging.KEPT_SECONDS + 60)
    client.force_login(who)  # the session has ended, too
    assert client.get(address).status_code == 404
    (left,) = staged_folders()
    assert tidy(dt.datetime.fromtimestamp(now + 2 * staging.KEPT_SECONDS, dt.UTC)) == [f"uploads/{left.name}"]
    assert list(staged_folders()) == []


@PAGE
def test_a_large_file_is_previewed_by_its_beginning(
    upload: Upload, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingestion.preview.LOOKED_AT", 10)
    body = "\n".join([HEADER, *(row(f"K{n}") for n in range(100))]).encode()
    address = upload(body).headers["Location"]
    found = client.get(address).context["found"]
    assert (found.counts.received, found.is_whole, len(found.rows)) == (10, False, 50)
    client.post(address + "accept/")
    normalize(Normalization.objects.get().pk)
    assert Normalization.objects.get().normalized == 100
