"""The embedded Valkey of a state folder."""

import time
from pathlib import Path
from typing import Any

import redis

from config.stack.process import Child, wait_until
from config.stack.programs import valkey_program
from config.stack.state import kept_port, last_port, listens, write_env

PATIENCE_SECONDS = 20


def start_valkey(state: Path) -> Child | None:
    """Start it over the folder's data and keep REDIS_URL; None when a live one of this folder is there."""
    folder = state / "redis"
    folder.mkdir(parents=True, exist_ok=True)
    if _lives(folder, last_port(state, "REDIS_URL")):
        return None
    port = kept_port(state, "REDIS_URL")
    command = [
        str(valkey_program()), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder),
        "--save", "", "--appendonly", "yes",  # every write is kept, so a restart forgets no task
        "--maxmemory-policy", "noeviction",  # a queue loses nothing silently
    ]  # fmt: skip
    child = Child("Valkey", command, state / "logs" / "valkey.log", env={"PATH": "/usr/bin:/bin"}, cwd=folder)
    try:
        wait_until(lambda: _serves(folder, port), PATIENCE_SECONDS, child)
    except RuntimeError:
        child.end()
        raise
    write_env(state, REDIS_URL=f"redis://127.0.0.1:{port}/0")
    return child


def _lives(folder: Path, port: int | None) -> bool:
    """Whether the server of last time still serves this folder; waits while it reads its data or ends."""
    if not port:
        return False
    end = time.monotonic() + PATIENCE_SECONDS
    while listens(port) and time.monotonic() < end:
        try:
            return _served_folder(port) == folder.resolve()
        except (redis.BusyLoadingError, redis.ConnectionError):
            time.sleep(0.1)
        except redis.RedisError:
            return False  # another kind of server took the port
    return False


def _serves(folder: Path, port: int) -> bool:
    try:
        return _served_folder(port) == folder.resolve()
    except redis.RedisError:
        return False


def _served_folder(port: int) -> Path:
    """The data folder of the Valkey on this port; RedisError while it is not ready, or is something else."""
    options: dict[str, Any] = {"socket_timeout": 2, "socket_connect_timeout": 2, "decode_responses": True}
    with redis.Redis(port=port, **options) as client:
        client.ping()
        return Path(client.config_get("dir")["dir"]).resolve()
