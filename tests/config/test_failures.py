"""What the surroundings lack is a sentence at the command line."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import DatabaseError, OperationalError, ProgrammingError, connection, transaction

from config.failures import MIGRATE, sentence_of
from config.logs import LEFT_OUT, OneLine
from tests.conftest import HEADER, row


@pytest.mark.parametrize(("python", "says"), [([], "SECRET_KEY is not set"), (["-S"], "This Python has no Django.")])
def test_a_command_says_what_its_surroundings_lack(tmp_path: Path, python: list[str], says: str) -> None:
    words = [sys.executable, *python, "manage.py", "verify"]
    ended = subprocess.run(
        words, env={"TIEOUT_STATE": str(tmp_path)}, cwd=settings.BASE_DIR, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith(says) and "Traceback" not in ended.stderr


@pytest.mark.django_db
def test_tables_that_are_not_there_ask_for_migrate() -> None:
    with pytest.raises(ProgrammingError) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT * FROM ingestion_nothing")
    assert sentence_of(caught.value) == MIGRATE


def test_a_database_that_is_away_is_named_and_a_fault_of_ours_is_not() -> None:
    told = sentence_of(OperationalError("connection refused\nIs the server running?"))
    assert told == "The database does not answer: connection refused. Start it, or check DATABASE_URL."
    assert sentence_of(ProgrammingError("syntax error")) == sentence_of(ValueError("x")) == ""


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TEMP TABLE kept (a int NOT NULL, b text); INSERT INTO kept VALUES (NULL, E'a secret\nof two lines')",
        "DO $$ BEGIN RAISE 'wrong' USING DETAIL = 'a secret'; END $$",
    ],
)
def test_a_traceback_in_the_log_quotes_no_row(statement: str) -> None:
    with pytest.raises(DatabaseError) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    told = OneLine().formatException(caught._excinfo)
    assert "Traceback" in told and LEFT_OUT in told and "secret" not in told and "of two lines" not in told


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["reconcile", "x", "--date", "soon"], "'soon' is no date such as 2026-11-20"),
        (["deliver", "x", "y", "--date", "20.11.2026"], "'20.11.2026' is no date such as 2026-11-20"),
        (["define"], "Name a definition file, or --export NAME."),
    ],
)
def test_a_wrong_argument_is_said(db: None, words: list[str], says: str) -> None:
    with pytest.raises(CommandError, match=says):
        call_command(*words)


def test_the_file_that_cannot_be_read_is_named(trades: object, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text(f"{HEADER}\n{row('A')}\n", encoding="utf-8")
    bad.touch()
    with pytest.raises(CommandError, match=r"bad\.csv: The file is empty \(0 bytes\)"):
        call_command("reconcile", "trades", a=good, b=bad)


def test_a_report_that_cannot_be_written_is_said(trades: object, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="Everything was done, but the report could not be written to"):
        call_command("reconcile", "trades", json=str(tmp_path / "nowhere" / "report.json"))
