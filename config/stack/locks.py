"""Who uses a state folder now: locks that the kernel drops when their holder dies, however it dies."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class FolderLock:
    """One lock file of a state folder. Held shared by many or alone by one; closing it lets go."""

    def __init__(self, state: Path, name: str) -> None:
        state.mkdir(parents=True, exist_ok=True)
        self._file = os.open(state / f"{name}.lock", os.O_RDWR | os.O_CREAT, 0o600)

    def try_alone(self) -> bool:
        """Take it alone if nobody else holds it; says whether that worked."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def alone(self) -> None:
        """Wait until nobody else holds it, then take it alone."""
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def shared(self) -> None:
        """Hold it beside others."""
        fcntl.flock(self._file, fcntl.LOCK_SH)

    def close(self) -> None:
        """Let go."""
        os.close(self._file)


@contextmanager
def starting(state: Path) -> Iterator[None]:
    """One at a time: starting and stopping the servers of a state folder."""
    lock = FolderLock(state, "starting")
    try:
        lock.alone()
        yield
    finally:
        lock.close()
