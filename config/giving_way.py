"""Giving way: a process that others on the same machine go before."""

import contextlib
import os
from pathlib import Path

AUTOGROUP = Path("/proc/self/autogroup")


def give_way(niceness: int) -> None:
    """Lower this process's claim on the processor, 0 to 19.

    Linux shares the processor among sessions first where it groups them, and within a session by niceness (sched(7)).
    """
    os.nice(niceness)
    with contextlib.suppress(OSError):  # not grouped, or not Linux
        AUTOGROUP.write_text(str(niceness), encoding="ascii")
