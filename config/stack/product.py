"""The processes of the product: web, a worker a queue, beat."""

import sys
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

from config.stack.process import Child
from config.stack.state import CHECKOUT

QUEUES = ("ingest", "diff", "attribution", "training")
ALSO = {"ingest": ",decisions", "training": ",alerts,exports"}  # what is rare shares a worker with what is rare
SERVED = ("PostgreSQL", "Valkey", "web")  # without one of these there is nothing to serve
PROGRAMS_NICENESS = "2"  # between people, 0, and workers, 10
SHARED_MEMORY = Path("/dev/shm")


def start_web(state: Path, env: dict[str, str]) -> Child:
    """The web server that people use, at TIEOUT_URL."""
    return _child("web", _serving(state, env["TIEOUT_URL"], processes=4), state, env)


def start_programs_web(state: Path, env: dict[str, str]) -> Child:
    """The same server once more, at TIEOUT_API_URL, for programs that push: it gives way to the one that people wait for."""
    command = _serving(state, env["TIEOUT_API_URL"], processes=2)
    return _child("web-programs", command, state, env | {"WEB_NICENESS": PROGRAMS_NICENESS})


def _serving(state: Path, url: str, *, processes: int) -> list[str]:
    """How a web server is started. Its heartbeat files lie in memory: on a busy disk they would stop it."""
    heartbeat = SHARED_MEMORY if SHARED_MEMORY.is_dir() else state
    return [
        sys.executable, "-m", "gunicorn", "config.wsgi", "-c", "python:config.web_server", "-b", urlsplit(url).netloc, "-k", "gthread",
        "-w", str(processes), "--threads", "4", "--preload", "--max-requests", "20000", "--graceful-timeout", "10", "--worker-tmp-dir", str(heartbeat),
        "--keep-alive", "75",  # two seconds, the default, close on a person's next click just as it comes
        "--no-control-socket",  # it would lie in the home folder, one for all checkouts
    ]  # fmt: skip


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
