"""Workers and the server for programs give way to people, in the database, too."""

import os
import subprocess
import sys

import psycopg
import pytest
from django.db import connection

from ingestion.giving_way import let_session_give_way

SCRIPT = (
    "import os; from ingestion.giving_way import give_way; before = os.nice(0); give_way(3); print(os.nice(0) - before)"
)


def test_a_process_gives_way() -> None:
    assert subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True).stdout == "3\n"


def test_who_gives_way_already_goes_no_lower_than_there_is() -> None:
    script = (
        "import os; from ingestion import giving_way; os.nice(19); "
        "giving_way._lower = lambda process, niceness: print(niceness); giving_way.give_way(10)"
    )
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "19\n"


@pytest.mark.django_db
def test_a_session_gives_way() -> None:
    with psycopg.connect(**connection.get_connection_params()) as session:
        let_session_give_way(session, 4)

        assert os.getpriority(os.PRIO_PROCESS, session.info.backend_pid) == 4
