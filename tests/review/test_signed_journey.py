"""A signed journey: what a third party can check, and how each thing that does not fit is named."""

import base64
import json
import re
import subprocess
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import fixtures

from ingestion.models import AuditEvent
from reconciliation.models import Break, Difference, Reconciliation, Run, Team
from review.decisions import decide
from review.journey_export import sign_journey
from review.models import Export
from review.signed_journey import canonical, chained, pem, public_text, signed
from review.signing import public_key
from tests.conftest import define_trades, make_person, reconcile_rows, row
from tests.standing import lake_folder  # noqa: F401

Change = Callable[[dict], None]


def sign(folder: Path) -> bytes:
    """The signed journey of a key that a person approved; its texts hold signs of other scripts."""
    trades = define_trades(folder)
    reconcile_rows(trades, folder, [row("\u00c4-7", "5.00")], [row("\u00c4-7", "77.00")])
    decide(brk=Break.objects.get(), action="approve", by=make_person("Supervisor"), comment='as "\u65e5\u672c" said')
    return sign_journey(reconciliation=trades, key="\u00c4-7", by=make_person("Analyst"))[1]


@pytest.fixture(scope="module")
def content(once: Callable[[Callable[[Path], bytes]], bytes]) -> bytes:
    """What was signed."""
    return once(sign)


@pytest.fixture
def file(content: bytes, db: None, tmp_path: Path) -> Path:
    """A file of it."""
    target = tmp_path / "journey.json"
    target.write_bytes(content)
    return target


def check(file: Path, **options: object) -> str:
    """What the command says; its sentence when it refuses."""
    said = StringIO()
    try:
        call_command("verify_journey", file, stdout=said, **options)
    except CommandError as error:
        return str(error)
    return said.getvalue()


def changed(file: Path, change: Change) -> Path:
    """The file with its document changed."""
    document = json.loads(file.read_bytes())
    change(document)
    file.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    return file


def test_a_journey_as_it_was_signed_is_valid(file: Path) -> None:
    assert check(file).startswith("Valid: ") and " events of \u00c4-7 in trades, signed at " in check(file)
    assert check(file, database=True).startswith("Valid: ")
    assert check(changed(file, lambda _: None)).startswith("Valid: ")  # written by another program


def test_it_is_checked_without_a_database(file: Path, tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    for text in (pem(public_key()), public_text(public_key())):
        key.write_text(text)
        apart = {
            "SECRET_KEY": "x",
            "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
            "REDIS_URL": "redis://127.0.0.1:1/0",
        }
        done = subprocess.run(
            [sys.executable, "manage.py", "verify_journey", str(file), "--public-key", str(key)],
            cwd=django_settings.BASE_DIR, env={**apart, "TIEOUT_STATE": str(tmp_path)}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "") and done.stdout.startswith("Valid: ")


def test_the_recipe_of_the_docs_checks_it(file: Path, tmp_path: Path) -> None:
    page = (Path(django_settings.BASE_DIR) / "docs" / "journeys.md").read_text(encoding="utf-8")
    (recipe,) = re.findall(r"```python\n(.*?)```", page, re.S)
    (tmp_path / "check.py").write_text(recipe, encoding="utf-8")
    command = [sys.executable, str(tmp_path / "check.py"), str(file), public_text(public_key())]
    assert subprocess.run(command, capture_output=True, text=True, check=False).returncode == 0
    changed(file, lambda it: it["journey"]["stored"].update(amount="6.00"))
    assert subprocess.run(command, capture_output=True, text=True, check=False).returncode != 0


def _swap(document: dict) -> None:
    events = document["journey"]["events"]
    events[1], events[2] = events[2], events[1]


def _edit(document: dict) -> None:
    document["journey"]["events"][1]["who"] = "somebody else"


def _leave_out(document: dict) -> None:
    del document["journey"]["events"][1]


def _rebuild(document: dict) -> None:
    """As a forger does who knows how the events are chained."""
    journey = document["journey"]
    bare = [{k: v for k, v in it.items() if k not in ("number", "previous", "sha256")} for it in journey["events"]]
    bare[0]["title"] = "forged"
    journey["events"] = chained(bare)


def _sign_again(document: dict) -> None:
    document.update(signed(document["journey"], Ed25519PrivateKey.generate()))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (_edit, r"Event 2 \(.*\) was changed after it was signed\."),
        (_swap, r"Event 2 \(.*\) stands in the place of another: it was signed as event 3\."),
        (_leave_out, r"Event 2 \(.*\) stands in the place of another: it was signed as event 3\."),
        (lambda it: it["journey"]["events"].pop(), "The signature does not fit"),
        (_rebuild, "The signature does not fit"),
        (lambda it: it["journey"]["stored"].update(amount="6.00"), "the heading, the stored values, or all of it"),
        (_sign_again, r"It was signed with key [0-9a-f]{16}, and not with [0-9a-f]{16}\. Who made it is not known\."),
        (lambda it: it["signature"].update(key="0" * 16), "names another key than the one that it carries"),
        (lambda it: it["signature"].update(value="x"), "no base64 of the right length"),
        (lambda it: it["signature"].update(public_key=base64.b64encode(b"short").decode()), "no base64 of the right length"),
        (lambda it: it["signature"].update(algorithm="none"), "The signature is 'none'; Tieout signs with Ed25519."),
        (lambda it: it["signature"].update(over="something"), "over something else than Tieout signs"),
        (lambda it: it.update(more="x"), "The member 'more' is not signed. It was added."),
        (lambda it: it.pop("signature"), "The member 'signature' of the file is missing"),
        (lambda it: it["journey"].pop("events"), "The member 'events' of the journey is missing"),
        (lambda it: it["journey"].update(events=[1]), "An event is no object"),
        (lambda it: it.update(format="other"), "This is no signed journey"),
        (lambda it: it["journey"].update(state=1.5), "The file holds the number 1.5; a journey holds whole ones only."),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(file: Path, change: Change, sentence: str) -> None:
    said = check(changed(file, change))
    assert said.startswith("Not valid.") and re.search(sentence, said), said


def test_any_changed_byte_is_seen(file: Path) -> None:
    whole = file.read_bytes()
    for place in range(0, len(whole), max(1, len(whole) // 150)):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        same = _loaded(file.read_bytes()) == json.loads(whole)  # a blank between two members
        assert check(file).startswith("Valid" if same else "Not valid."), place


def _loaded(content: bytes) -> object:
    try:
        return json.loads(content)
    except ValueError:
        return None


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is no JSON"),
        (b"key;value\n", "The file is no JSON: Expecting value at line 1, column 1."),
        (b"\xff\xfe", "The file is no UTF-8 text: byte 1 does not fit."),
        (b"[]", "This is no signed journey"),
        (b'{"format": "tieout-journey/1", "format": "x"}', "names 'format' twice"),
        (b'{"a": NaN}', "The file holds the number NaN"),
        (b"[" * 200_000, "too"),
        (b'{"a": ' + b"1" * 5000 + b"}", "The file is no journey"),
    ],
)
def test_what_is_no_journey_is_said(tmp_path: Path, content: bytes, sentence: str) -> None:
    target = tmp_path / "x.json"
    target.write_bytes(content)
    said = check(target)
    assert said.startswith("Not valid.") and sentence in said, said


def test_a_file_that_was_cut_off_is_said(file: Path) -> None:
    whole = file.read_bytes()
    for length in (len(whole) // 3, len(whole) // 2, len(whole) - 4):
        file.write_bytes(whole[:length])
        assert "ends too early" in check(file) or "UTF-8" in check(file)
    assert "could not be read" in check(file.with_name("nothing.json"))


def test_what_the_database_says_otherwise_is_named(file: Path, reconcile: Callable[..., Run]) -> None:
    Difference.objects.update(value_b="78.00")
    assert re.search(
        r"Event \d+ \(Break opened: differing\) reads otherwise in the database: changes\.", check(file, database=True)
    )
    Difference.objects.update(value_b="77.00")
    reconcile([row("\u00c4-7", "6.00")], None)
    assert "The database has " in check(file, database=True) and "Valid: " in check(file, database=True)
    Break.objects.all().update(key="other")
    assert "is not in the database." in check(file, database=True)
    Reconciliation.objects.update(code="other")
    assert "The database has no reconciliation 'trades'." in check(file, database=True)


def test_the_page_and_the_api_give_it_and_it_is_recorded(
    file: Path, client: Client, person: Callable[..., User]
) -> None:
    client.force_login(User.objects.get(username="analyst"))
    asked = {"reconciliation": "trades", "key": "\u00c4-7"}
    answers = [client.post("/journey/export/", asked), client.get("/api/v1/journey/signed", asked)]
    for answer in answers:
        file.write_bytes(answer.content)
        assert check(file).startswith("Valid: ")
    exports = Export.objects.filter(what="journey")
    assert [it.filters for it in exports] == [{"reconciliation": "trades", "key": "\u00c4-7"}] * 3
    assert exports[0].sha256 == answers[1].headers["X-Content-SHA256"]
    assert AuditEvent.objects.filter(action="export.made", actor_name="analyst").count() == 3
    page = client.get("/journey/", asked).content.decode()
    key = client.get("/api/v1/journey/public-key").json()
    assert key["key"] in page and client.get("/journey/public-key.pem").content.decode() == key["pem"]
    assert "No row with this key" in client.post("/journey/export/", asked | {"key": "x"}, follow=True).content.decode()
    assert client.get("/api/v1/journey/signed", asked | {"key": "x"}).status_code == 404
    Reconciliation.objects.update(team=Team.objects.create(code="desk"))
    assert client.post("/journey/export/", asked).status_code == 404
    assert client.get("/api/v1/journey/signed", asked).status_code == 404


def test_the_key_is_never_shown(
    file: Path, client: Client, person: Callable[..., User], settings: fixtures.Settings
) -> None:
    client.force_login(User.objects.get(username="analyst"))
    for key, sentence in (
        ("", "has no signing key"),
        ("bm8gMzIgYnl0ZXM=", "is no base64 of 32 bytes"),
        ("%%no-key%%", "is no base64"),
    ):
        settings.SIGNING_KEY = key
        answer = client.post("/journey/export/", {"reconciliation": "trades", "key": "\u00c4-7"}, follow=True)
        page = answer.content.decode()
        assert sentence in page and (not key or key not in page)
        assert client.get("/api/v1/journey/signed?reconciliation=trades&key=\u00c4-7").status_code == 503
        assert client.get("/journey/public-key.pem").status_code == 404
        assert "Export signed JSON" not in client.get("/journey/?key=\u00c4-7").content.decode()
        assert "name the public key" in check(file)


def test_canonical_json_is_what_the_docs_say() -> None:
    assert canonical({"b": [1, None, True], "a": "\u00e9\n"}) == '{"a":"\u00e9\\n","b":[1,null,true]}'.encode()
