"""Failures of the surroundings, in a sentence: what a person at the command line can mend."""

from django.db import OperationalError, ProgrammingError
from psycopg.errors import UndefinedColumn, UndefinedTable

from config.environment import BadSetting

MIGRATE = "The database does not have the tables of this version. Run `manage.py migrate` first, or `python -m config.stack up`."


def sentence_of(error: BaseException) -> str:
    """What to do about an error of the settings or the database; empty for any other error, which is a fault of ours."""
    if isinstance(error, BadSetting):
        return str(error)
    if isinstance(error, ProgrammingError) and isinstance(error.__cause__, UndefinedTable | UndefinedColumn):
        return MIGRATE
    if isinstance(error, OperationalError):
        told = str(error).strip().splitlines()
        return (
            f"The database does not answer: {told[0] if told else 'no reason given'}. Start it, or check DATABASE_URL."
        )
    return ""
