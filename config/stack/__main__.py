"""`python -m config.stack up` serves the whole product; `run -- CMD` gives the servers to one command."""

import argparse
import os
import shlex
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from config.stack.process import Child, wait_until
from config.stack.servers import start_postgres, start_valkey
from config.stack.state import CHECKOUT, default_folder, free_port, write_env

QUEUES = ("ingest", "diff", "attribution", "training")


def start_servers(state: Path) -> tuple[list[Child], dict[str, str]]:
    """Start what no URL names; gives the children and the environment for everything else."""
    env = write_env(state)
    children = []
    if not os.environ.get("DATABASE_URL"):
        children.append(start_postgres(state))
    if not os.environ.get("REDIS_URL"):
        children.append(start_valkey(state))
    env = write_env(state) | dict(os.environ)
    env |= {"TIEOUT_STATE": str(state), "OMP_WAIT_POLICY": "PASSIVE", "REMAP_SIGTERM": "SIGQUIT"}
    return [child for child in children if child is not None], env


def run(state: Path, command: list[str]) -> int:
    """The servers, then the command; its exit code."""
    children, env = start_servers(state)
    try:
        return subprocess.run(command, env=env, check=False).returncode
    finally:
        _stop(children)


def up(state: Path, then: str, *, once: bool) -> int:
    """Everything; then a command; then serve until Ctrl-C, unless it is once."""
    children, env = start_servers(state)
    try:
        _manage(env, "migrate", "-v0")
        _manage(env, "collectstatic", "--noinput", "-v0")
        port = free_port()
        env["TIEOUT_URL"] = f"http://127.0.0.1:{port}"
        children += _processes(state, env, port)
        wait_until(lambda: _answers(f"{env['TIEOUT_URL']}/livez"), 60, children[-1])
        code = subprocess.run(shlex.split(then), env=env, check=False).returncode if then else 0
        if once or code:
            return code
        print(f"Serving at {env['TIEOUT_URL']} until Ctrl-C.", flush=True)
        return _serve(children)
    finally:
        _stop(children)


def _manage(env: dict[str, str], *arguments: str) -> None:
    subprocess.run([sys.executable, "manage.py", *arguments], env=env, cwd=CHECKOUT, check=True)


def _processes(state: Path, env: dict[str, str], port: int) -> list[Child]:
    """A worker a queue, beat, and the web server last."""
    logs = state / "logs"
    celery = [sys.executable, "-m", "celery", "-A", "config"]
    children = [
        Child(
            f"worker {queue}",
            [
                *celery,
                "worker",
                "-Q",
                queue,
                "-n",
                f"{queue}@tieout",
                "-c",
                "1",
                "-O",
                "fair",
                "--without-gossip",
                "--without-mingle",
            ],
            logs / f"worker-{queue}.log",
            env=env,
        )
        for queue in QUEUES
    ]
    children.append(
        Child("beat", [*celery, "beat", "-s", str(state / "beat"), "--pidfile="], logs / "beat.log", env=env)
    )
    web = [
        sys.executable, "-m", "gunicorn", "config.wsgi", "-k", "gthread", "-w", "2", "--threads", "4",
        "-b", f"127.0.0.1:{port}", "--max-requests", "20000", "--worker-tmp-dir", "/dev/shm" if Path("/dev/shm").is_dir() else str(state),
    ]  # fmt: skip
    children.append(Child("web", web, logs / "web.log", env=env))
    return children


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


def _serve(children: list[Child]) -> int:
    """Wait for Ctrl-C or SIGTERM; a child that ends by itself is named."""
    ending: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda got, _: ending.append(got))
    while not ending:
        for child in children:
            if not child.is_alive:
                print(f"{child.name} ended by itself. The end of its log, {child.log}:\n{child.tail()}", flush=True)
                return 1
        time.sleep(0.3)
    print("Stopping.", flush=True)
    return 0


def _stop(children: list[Child]) -> None:
    """Stop in reverse order; processes before servers, all processes at once."""
    for child in reversed(children):
        if child.is_alive and child.name not in ("PostgreSQL", "Valkey"):
            child.process.send_signal(child.stop_signal)
    for child in reversed(children):
        child.stop()


def main() -> int:
    """Read the arguments."""
    parser = argparse.ArgumentParser(prog="python -m config.stack")
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb in ("up", "run"):
        sub = verbs.add_parser(verb)
        sub.add_argument("--state", type=Path, default=default_folder())
        if verb == "up":
            sub.add_argument("--then", default="", help="a command to run once everything is up")
            sub.add_argument("--once", action="store_true", help="stop after that command")
        else:
            sub.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    try:
        if options.verb == "up":
            return up(options.state.resolve(), options.then, once=options.once)
        return run(options.state.resolve(), [part for part in options.command if part != "--"])
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
