"""Independent calls side by side: while one waits for the database or the disk, the other computes."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connection, connections

T = TypeVar("T")


def side_by_side(calls: Sequence[Callable[[], T]], *, at_once: int = 2) -> list[T]:
    """The results in order; the first error is raised after every call has ended.

    At most `at_once` run at a time. Each call has a thread and a database connection of its own. Inside a transaction, which other connections cannot
    see, they run one after the other.
    """
    if len(calls) < 2 or connection.in_atomic_block:
        return [call() for call in calls]
    with ThreadPoolExecutor(max_workers=at_once) as pool:
        running = [pool.submit(_alone, call) for call in calls]
    return [it.result() for it in running]


def _alone(call: Callable[[], T]) -> T:
    try:
        return call()
    finally:
        connections.close_all()
