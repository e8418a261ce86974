"""Credentials by name: a definition names an environment variable, never the secret itself."""

import os
from collections.abc import Mapping

from ingestion.connectors.offer import PullError

PREFIX = "TIEOUT_"  # so that a definition cannot send the server's own secrets elsewhere


def is_reference(given: object) -> bool:
    """Whether this names a variable that may be used: {env: TIEOUT_...}."""
    return isinstance(given, Mapping) and set(given) == {"env"} and str(given["env"]).startswith(PREFIX)


def secret(given: object) -> str:
    """The value of {env: NAME}. PullError names the variable, never a value."""
    if not isinstance(given, Mapping) or not is_reference(given):
        raise PullError(f"A credential is named by a variable, such as {{env: {PREFIX}MART_PASSWORD}}.")
    name = str(given["env"])
    if not (value := os.environ.get(name)):
        raise PullError(f"The environment variable {name} is not set for the workers. Set it, then pull again.")
    return value
