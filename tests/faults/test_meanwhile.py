"""A person decides what a run takes up at this moment."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from django.contrib.auth.models import User
from django.db import connections, transaction

from reconciliation.models import Break, Run
from review.decisions import decide
from tests.conftest import row


def test_a_decision_waits_for_the_run_that_has_its_break(
    committed: None, reconcile: Callable[..., Run], person: Callable[[str], User]
) -> None:
    first = reconcile([row("A")], [row("A", "-10.00")])
    reconcile()
    brk, by = Break.objects.get(), person("Supervisor")
    assert brk.last_run_id != first.pk

    def reject() -> str:
        try:
            return decide(brk=brk, action="reject", by=by, comment="no").action
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Break.objects.update(last_run=first)  # as good as a third one
            waiting = pool.submit(reject)
            time.sleep(0.2)
        assert waiting.result() == "reject"
