"""The processes of the product: web, a worker a queue, beat."""

import sys
import urllib.error
import urllib.request
from pathlib import Path

from config.stack.process import Child
from config.stack.state import CHECKOUT

QUEUES = ("ingest", "diff", "attribution", "training")
ALSO = {"ingest": ",decisions", "training": ",alerts,exports"}  # what is rare shares a worker with what is rare
SERVED = ("PostgreSQL", "Valkey", "web")  # without one of these there is nothing to serve
SHARED_MEMORY = Path("/dev/shm")


def start_web(state: Path, env: dict[str, str], port: int) -> Child:
    """The web server. Its heartbeat files lie in memory: on a busy disk they would stop it."""
    heartbeat = SHARED_MEMORY if SHARED_MEMORY.is_dir() else state
    command = [
        sys.executable, "-m", "gunicorn", "config.wsgi", "-c", "python:config.web_server", "-b", f"127.0.0.1:{port}", "-k", "gthread", "-w", "4",
        "--threads", "2", "--preload", "--max-requests", "20000", "--graceful-timeout", "10", "--worker-tmp-dir", str(heartbeat),
        "--keep-alive", "75",  # two seconds, the default, close on a person's next click just as it comes
        "--no-control-socket",  # it would lie in the home folder, one for all checkouts
    ]  # fmt: skip
    return _child("web", command, state, env)


def start_worker(state: Path, env: dict[str, str], queue: str) -> Child:
    """The worker of one queue, a task at a time."""
    return _child(f"worker-{queue}", worker_command(queue), state, env)


def worker_command(queue: str) -> list[str]:
    """How a worker of a queue is started, here or by hand."""
    return [
        sys.executable, "-m", "celery", "-A", "config", "worker", "-Q", queue + ALSO.get(queue, ""), "-n", f"{queue}@tieout",
        "-c", "1", "-O", "fair", "--without-gossip", "--without-mingle",
    ]  # fmt: skip


def start_beat(state: Path, env: dict[str, str]) -> Child:
    """The clock that sends scheduled tasks."""
    command = [sys.executable, "-m", "celery", "-A", "config", "beat", "-s", str(state / "beat"), "--pidfile="]
    return _child("beat", command, state, env)


def _child(name: str, command: list[str], state: Path, env: dict[str, str]) -> Child:
    return Child(name, command, state / "logs" / f"{name}.log", env=env, cwd=CHECKOUT)


def answers(url: str) -> bool:
    """Whether an address gives 200."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
