"""A cache that may be away: what is not cached is read where it comes from, and nothing fails."""

import logging
from typing import Any

from django.core.cache import cache

log = logging.getLogger(__name__)


def keep_loosely(key: str, value: Any, seconds: int) -> None:  # noqa: ANN401 - what JSON has
    """Cache a value for so long, if the cache is there."""
    try:
        cache.set(key, value, seconds)
    except Exception as error:  # noqa: BLE001 - every client raises its own
        log.warning("%s was not cached: %s", key, error)


def find_loosely(key: str) -> Any:  # noqa: ANN401
    """The cached value; None where there is none, or no cache."""
    try:
        return cache.get(key)
    except Exception as error:  # noqa: BLE001
        log.warning("The cache is away: %s", error)
        return None
