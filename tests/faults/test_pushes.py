"""Pushes that come at the same time, twice each."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from django.contrib.auth.models import User
from django.db import connections

from config.definitions.apply import apply_definition
from ingestion import lake
from ingestion.models import Delivery, OpenDelivery, Source
from ingestion.push import push, seal_open
from tests.conftest import DAY, DEFINITION
from tests.faults.conftest import meanwhile
from tests.review.test_api_push import record


def test_pushes_side_by_side_lose_and_double_nothing(
    committed: None, person: Callable[[str], User], tmp_path: Path
) -> None:
    apply_definition(DEFINITION.replace("  left:\n", "  left:\n    kind: push\n"), tmp_path)
    source, user = Source.objects.get(code="left"), person("API client")

    def one(number: int) -> int:
        try:
            body = json.dumps([record(f"K{number // 2}-{it}") for it in range(3)]).encode()
            return push(source=source, body=body, key=f"key{number // 2}", by=user, date=DAY).receipt.pk
        finally:
            connections.close_all()

    with ThreadPoolExecutor(max_workers=8) as pool:
        receipts = list(pool.map(one, range(40)))  # each push is sent twice
    assert len(set(receipts)) == 20
    delivery = seal_open(OpenDelivery.objects.get())
    lines = lake.local(delivery.path).read_text().splitlines()
    assert len({json.loads(line)["id"] for line in lines}) == len(lines) == 60


def test_two_who_seal_at_once_make_one_delivery(committed: None, person: Callable[[str], User], tmp_path: Path) -> None:
    apply_definition(DEFINITION.replace("  left:\n", "  left:\n    kind: push\n"), tmp_path)
    source, body = Source.objects.get(code="left"), json.dumps([record("K")]).encode()
    push(source=source, body=body, key="k", by=person("API client"), date=DAY)
    opened = OpenDelivery.objects.get()

    first: list[Delivery] = []
    done = meanwhile(lambda: first.append(seal_open(opened)), lambda: seal_open(opened))
    assert [done.result()] == first
    assert (Delivery.objects.count(), Delivery.objects.get().size > 0) == (1, True)
