"""The embedded PostgreSQL of a state folder, in the foreground as our own child."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from config.stack.process import Account, Child, command_line, rights_of, wait_until
from config.stack.programs import postgres_account, postgres_home, postgres_programs
from config.stack.state import free_port, kept_port, write_env

DATABASE = "tieout"
ENVIRONMENT = {"LC_ALL": "C", "PATH": "/usr/bin:/bin"}  # the locale is the cluster's, not the caller's
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # a socket's path has a length limit; TCP has none
    "max_connections": "100",  # web threads, workers and a person's psql, many times over
    "shared_buffers": "512MB",  # the tables of a million records; 128 MB to 1 GB load equally fast
    "max_wal_size": "4GB",  # a bulk load of millions ends before a checkpoint is forced
    "checkpoint_timeout": "15min",  # and before one is due
    "maintenance_work_mem": "256MB",  # indexes are built after the first load, in memory
    "work_mem": "32MB",  # hash joins of a range stay in memory
    "wal_compression": "off",  # pglz, the only one built in, took 27 % longer to load and index a million rows
    "jit": "off",  # not built in
}
VOLATILE = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",  # it would find tables empty that an open transaction fills, and plans would be made for that
}  # for data that may be lost
PATIENCE_SECONDS = 60
ATTEMPTS = 3


def start_postgres(state: Path, *, volatile: bool) -> Child | None:
    """Start it over the folder's data and keep DATABASE_URL; None when a live one of this folder is there.

    `volatile` trades safety after a crash of the machine for speed. RuntimeError when it cannot start.
    """
    account = postgres_account()
    home = postgres_home(state, account)
    data = home / "data"
    if (port := live_port(data)) is not None:
        write_env(state, DATABASE_URL=_url(port))
        return None
    if account is not None:
        account = home.stat().st_uid, home.stat().st_gid  # older data may belong to somebody else than `nobody`
    programs = postgres_programs(home, account)
    _make_cluster(programs, data, account)
    child, port = _start(state, programs, data, account, SETTINGS | (VOLATILE if volatile else {}))
    try:
        _make_database(programs, port)
    except RuntimeError:
        child.end()
        raise
    write_env(state, DATABASE_URL=_url(port))
    return child


def _url(port: int) -> str:
    return f"postgresql://app@127.0.0.1:{port}/{DATABASE}"


def live_port(data: Path) -> int | None:
    """The port of this folder's running server, waited for while it starts or stops; None when there is none."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        lines = _lock_lines(data)
        if not lines:
            return None
        if str(data) not in command_line(int(lines[0])):
            _forget_stale_lock(data, int(lines[0]))
            return None
        if lines[7:8] == ["ready"]:
            return int(lines[3])
        time.sleep(0.1)
    raise RuntimeError(f"The PostgreSQL of {data} neither starts nor stops. End process {lines[0]}, then start again.")


def _lock_lines(data: Path) -> list[str]:
    try:
        return [line.strip() for line in (data / "postmaster.pid").read_text().splitlines()]
    except OSError:
        return []


def _forget_stale_lock(data: Path, pid: int) -> None:
    """Remove a lock whose number now belongs to another process, or to a dead one that nobody reaps.

    A lock whose number is free stays: PostgreSQL removes it, after making sure that no old process of it is left.
    """
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return
    except PermissionError:
        pass
    (data / "postmaster.pid").unlink(missing_ok=True)


def _make_cluster(programs: Path, data: Path, account: Account | None) -> None:
    """An empty cluster, made aside first, so that a half-made one is never taken for a whole."""
    if data.exists():
        return
    fresh = data.with_name("fresh")
    shutil.rmtree(fresh, ignore_errors=True)
    _call(
        [
            str(programs / "initdb"), "-D", str(fresh), "-U", "app", "-E", "UTF8", "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8", "--locale=C", "--auth-local=trust", "--auth-host=trust", "--no-sync",
        ],
        account,
    )  # fmt: skip
    fresh.rename(data)


def _start(
    state: Path, programs: Path, data: Path, account: Account | None, settings: dict[str, str]
) -> tuple[Child, int]:
    """Start and wait; once more with another port when the port was taken or old processes were still ending."""
    port = kept_port(state, "DATABASE_URL")
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    for attempt in range(1, ATTEMPTS + 1):
        command = [str(programs / "postgres"), "-D", str(data), "-p", str(port), *options]
        child = Child(
            "PostgreSQL", command, state / "logs" / "postgres.log",
            env=ENVIRONMENT, cwd=Path("/"), stop=signal.SIGINT, account=account,  # SIGINT ends clients; SIGTERM waits for them
        )  # fmt: skip
        try:
            wait_until(lambda pid=child.process.pid: _is_ready(data, pid), PATIENCE_SECONDS, child)  # type: ignore[misc]
            break
        except RuntimeError:
            child.end()
            if attempt == ATTEMPTS:
                raise
            time.sleep(1)
            port = free_port()
    return child, port


def _is_ready(data: Path, pid: int) -> bool:
    lines = _lock_lines(data)
    return lines[:1] == [str(pid)] and lines[7:8] == ["ready"]


def _make_database(programs: Path, port: int) -> None:
    reach = ["-h", "127.0.0.1", "-p", str(port), "-U", "app"]
    there = f"SELECT 1 FROM pg_database WHERE datname = '{DATABASE}'"
    if not _call([str(programs / "psql"), *reach, "-d", "postgres", "-Atc", there]).strip():
        _call([str(programs / "createdb"), *reach, DATABASE])


def _call(command: list[str], account: Account | None = None) -> str:
    """What a PostgreSQL program prints; RuntimeError with its complaint when it fails."""
    told = subprocess.run(
        command, env=ENVIRONMENT, cwd="/", capture_output=True, text=True, check=False, **rights_of(account)
    )  # type: ignore[call-overload]
    if told.returncode:
        raise RuntimeError(f"{Path(command[0]).name} failed: {told.stderr.strip()}")
    return str(told.stdout)
