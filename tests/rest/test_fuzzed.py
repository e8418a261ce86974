"""Whatever a program sends, the API answers as its document says, and never with a 500. Each operation is tried with inputs made
from the document, right ones and wrong ones, the same in each run of the suite. `FUZZED=300` tries so many of each."""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from django.contrib.auth.models import User
from django.core import signals
from django.core.handlers.wsgi import WSGIHandler
from django.db import close_old_connections, transaction
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS, load_all_checks

from reconciliation.models import Run
from review.tokens import SCOPES, make_token
from tests.conftest import DAY, define_trades, make_person, reconcile_rows
from tests.standing import lake_folder  # noqa: F401 - the world's
from tests.things import make_things

EXAMPLES = int(os.environ.get("FUZZED", "4"))
DOCUMENT = schemathesis.openapi.from_dict(SchemaGenerator().get_schema(request=None, public=True))
DOCUMENT.app = WSGIHandler()
OPERATIONS = {it.ok().label: it.ok() for it in DOCUMENT.get_all_operations()}
PROMISES = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance")
KNOWN = {
    "reconciliation": "trades",
    "source": "left",
    "reason": "SIGN_FLIP",
    "assignee": "proposer",
    "date": str(DAY),
    "key": "A",
}
CODES = {"sources": "left", "store": "trade", "gates": "trades", "reconciliations": "trades", "definitions": "trades"}
load_all_checks()
Things = Mapping[str, int]


@pytest.fixture(scope="module")
def world(once: Callable[[Callable[[Path], Any]], Any]) -> tuple[Things, str]:
    """What is there, and a token that may do everything."""

    def make(folder: Path) -> tuple[Things, str]:
        trades = define_trades(folder)

        def reconcile(left: list[str], right: list[str]) -> Run:
            return reconcile_rows(trades, folder, left, right)

        things = make_things(reconcile, make_person("Supervisor", "proposer"))
        user = User.objects.create_superuser("program")
        return things, make_token(user=user, name="fuzzed", scopes=list(SCOPES))

    return once(make)


@pytest.fixture(autouse=True)
def _one_connection() -> Iterator[None]:
    """A request closes no connection in whose transaction the test is."""
    ends = (signals.request_started, signals.request_finished)
    for it in ends:
        it.disconnect(close_old_connections)
    yield
    for it in ends:
        it.connect(close_old_connections)


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_each_answer_is_one_that_the_document_names(db: None, world: tuple[Things, str], name: str) -> None:
    (things, token), operation = world, OPERATIONS[name]
    headers = {"Authorization": f"Token {token}"}
    modes = st.sampled_from([GenerationMode.POSITIVE, GenerationMode.NEGATIVE])

    @given(st.data())
    @settings(
        max_examples=EXAMPLES, derandomize=EXAMPLES < 100, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    def answers(data: st.DataObject) -> None:
        case = data.draw(operation.as_strategy(data.draw(modes)))
        _point(case, things, lambda: data.draw(st.integers(0, 3)) > 0)
        with transaction.atomic():
            response = case.call(headers=headers)
            transaction.set_rollback(True)
        case.validate_response(response, checks=[CHECKS.get_one(it) for it in PROMISES])

    answers()


def _point(case: Case, things: Things, points: Callable[[], bool]) -> None:
    """Mostly at what is there: made up numbers and codes would find nothing."""
    words = case.operation.path.split("/")
    named: dict[str, Any] = {"id": next((things[it] for it in words if it in things), 1)}
    named["code"] = next((code for it, code in CODES.items() if it in words), "")
    for place, values in ((case.path_parameters, named), (case.query, KNOWN), (case.body, KNOWN)):
        if isinstance(place, dict):
            place |= {key: value for key, value in values.items() if key in place and points()}
