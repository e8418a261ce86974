"""Bodies that cannot be are refused by every address alike: as JSON, with a status that the document names, and nothing is done."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from ingestion.models import AuditEvent
from review.tokens import SCOPES, make_token

JSON = "application/json"
BODIES = {
    "no JSON": (b"{", JSON, 400),
    "a NUL in a text": (b'{"a": "\\u0000"}', JSON, 400),
    "a NUL in a name": (b'{"a\\u0000": 1}', JSON, 400),
    "a name twice": (b'{"a": 1, "a": 2}', JSON, 400),
    "no number of JSON": (b'{"a": NaN}', JSON, 400),
    "a number of 5,000 digits": (b'{"a": %s}' % (b"9" * 5000), JSON, 400),
    "no UTF-8": (b'{"a": "\xff"}', JSON, 400),
    "deep": (b"[" * 100_000, JSON, 400),
    "text": (b"a=1", "text/plain", 415),
}  # fmt: skip
PATHS = SchemaGenerator().get_schema(request=None, public=True)["paths"]
TAKING = [
    path
    for path, operations in PATHS.items()
    if JSON in operations.get("post", {}).get("requestBody", {}).get("content", {})
    and not path.endswith("/records/")  # which keeps what is pushed as it is, and quarantines
]


@pytest.fixture
def program(db: None) -> dict[str, str]:
    """The headers of a program that may do everything."""
    user = User.objects.create_superuser("program")
    return {"Authorization": f"Token {make_token(user=user, name='t', scopes=list(SCOPES))}", "Idempotency-Key": "1"}


@pytest.mark.parametrize("what", BODIES)
def test_no_address_takes_it(program: dict[str, str], client: Client, what: str) -> None:
    body, kind, status = BODIES[what]
    before, wrong = AuditEvent.objects.count(), []
    for path in TAKING:
        answer = client.post(path.format(id=1, code="x", kind="x", event="x"), body, kind, headers=program)
        is_there = answer.status_code != 404  # what is not there is said before the body is read
        if is_there and (answer.status_code, answer["Content-Type"], bool(answer.json())) != (status, JSON, True):
            wrong.append((path, answer.status_code))
    assert (wrong, AuditEvent.objects.count()) == ([], before) and len(TAKING) > 20


def test_an_unknown_parameter_is_refused_by_every_address_that_is_there(
    program: dict[str, str], client: Client
) -> None:
    wrong = []
    for path, operations in PATHS.items():
        for method in operations:
            address = f"{path.format(id=1, code='x', kind='x', event='run.failed')}?unheard=1"
            answer = client.generic(method.upper(), address, b"{}", JSON, headers=program)
            if answer.status_code not in (400, 415) or "unheard" not in str(answer.json()):
                wrong.append((method, path, answer.status_code))
    assert wrong == []


def test_a_value_that_a_parameter_has_not_is_refused_by_every_list(program: dict[str, str], client: Client) -> None:
    wrong, asked = [], 0
    for path, operations in PATHS.items():
        for parameter in operations.get("get", {}).get("parameters", []) if "{" not in path else []:
            if "enum" in parameter["schema"]:
                asked += 1
                answer = client.get(path, {parameter["name"]: "unheard"}, headers=program)
                if answer.status_code != 400 or "'unheard'" not in answer.json().get("detail", ""):
                    wrong.append((path, parameter["name"], answer.status_code))
    assert wrong == [] and asked > 6


def test_a_post_without_a_key_is_told_of_that_first(program: dict[str, str], client: Client) -> None:
    wrong, bare = [], {"Authorization": program["Authorization"]}
    posts = [path for path, operations in PATHS.items() if "post" in operations]
    for path in posts:
        for key in ({}, {"Idempotency-Key": "k" * 201}):
            answer = client.post(path.format(id=999, code="x", kind="x", event="x"), b"{}", JSON, headers=bare | key)
            if answer.status_code != 400 or "Idempotency-Key" not in answer.json()["detail"]:
                wrong.append((path, answer.status_code))
    assert wrong == [] and len(posts) > 25
