"""What a command costs: wall and CPU seconds of the client and of the database server, and the client's peak memory."""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import django
from django.db import connection

django.setup()


@dataclass(frozen=True)
class Cost:
    """Seconds and megabytes."""

    wall: float
    client: float
    server: float
    peak: float

    @property
    def cpu(self) -> float:
        """CPU seconds of both."""
        return self.client + self.server


def cost_of(command: Sequence[str]) -> Cost:
    """Run a command to its end."""
    before, server = resource.getrusage(resource.RUSAGE_CHILDREN), server_seconds()
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    wall = time.monotonic() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    client = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(wall, client, server_seconds() - server, used.ru_maxrss / 1024)


def server_seconds() -> float:
    """CPU seconds that the database server's processes have used so far, ended ones included; 0 where it is elsewhere."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        backend = cursor.fetchone()[0]
    try:
        parent = int(_stat(backend)[1])
    except FileNotFoundError:
        return 0.0
    ticks = sum(map(int, _stat(parent)[11:15]))
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                stat = _stat(int(process.name))
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(stat[1]) == parent:
                ticks += int(stat[11]) + int(stat[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on (proc(5))."""
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()


def told_by(command: Sequence[str]) -> dict[str, Any]:
    """What a fresh process measured of itself, as JSON on its last line."""
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def manage(*arguments: str) -> list[str]:
    """A management command."""
    return [sys.executable, "manage.py", *arguments]
