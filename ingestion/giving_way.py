"""Giving way: processes and database sessions that others on the same machine go before."""

import contextlib
import os
import socket
from pathlib import Path

import psycopg
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

LOWEST = 19  # the niceness beyond which Linux knows none


def give_way(niceness: int) -> None:
    """Lower the claim of this process on the processor by so much, and that of its database sessions to come."""
    _lower(os.getpid(), min(os.nice(0) + niceness, LOWEST))
    connection_created.connect(_lower_session, weak=False, dispatch_uid="giving way")


def _lower_session(connection: BaseDatabaseWrapper, **_: object) -> None:
    let_session_give_way(connection.connection, os.getpriority(os.PRIO_PROCESS, 0))


def let_session_give_way(session: psycopg.Connection, niceness: int) -> None:
    """Lower the claim of a session's process to a niceness of 0 to 19, where its server runs on this machine and we may.

    PostgreSQL knows no priorities, and each of its processes is a session of the system: one that copies a million rows would
    count as much as the whole web.
    """
    process = session.info.backend_pid
    if _serves(process, session):
        _lower(process, niceness)


def _lower(process: int, niceness: int) -> None:
    """Give a process a niceness, and its session, too: where Linux groups processes by session, it shares the processor among the
    groups first (sched(7))."""
    with contextlib.suppress(OSError):  # somebody else's
        os.setpriority(os.PRIO_PROCESS, process, niceness)
    with contextlib.suppress(OSError):  # not grouped, or not Linux
        Path(f"/proc/{process}/autogroup").write_text(str(niceness), encoding="ascii")


def _serves(process: int, session: psycopg.Connection) -> bool:
    """Whether a process of this machine is the session's other end: PostgreSQL's title for it names our address."""
    try:
        with socket.socket(fileno=os.dup(session.fileno())) as end:
            host, port, *_ = end.getsockname()
        return f" {host}({port}) ".encode() in Path(f"/proc/{process}/cmdline").read_bytes()
    except (OSError, ValueError):  # no such process, or no port: a socket of the file system
        return False
