"""What the supervisor does: give the servers to one command, or serve the whole product."""

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from config.stack.demo import name_demo, start_carrier
from config.stack.locks import FolderLock, starting
from config.stack.process import Child, end_all, ending_with_parent, wait_until
from config.stack.product import QUEUES, SERVED, answers, start_beat, start_programs_web, start_web, start_worker
from config.stack.servers import servers
from config.stack.signals import interrupt, signals_to
from config.stack.state import CHECKOUT, kept_port, read_env, write_env


def run(state: Path, command: list[str], *, volatile: bool) -> int:
    """The servers, then the command; its exit code, as a shell gives it."""
    with signals_to(interrupt), servers(state, volatile=volatile) as (_, env):
        return _follow(command, env)


def _follow(command: list[str], env: dict[str, str]) -> int:
    """Run in the foreground. A terminal sends its Ctrl-C to the command too; other signals are handed on."""
    try:
        process = subprocess.Popen(command, env=env, preexec_fn=ending_with_parent(signal.SIGTERM))
    except FileNotFoundError:
        print(f"There is no program {command[0]}.", file=sys.stderr)
        return 127
    except PermissionError:
        print(f"{command[0]} is not a program that may be run.", file=sys.stderr)
        return 126

    def hand_on(number: int, _: object) -> None:
        if number != signal.SIGINT or not os.isatty(0):
            process.send_signal(number)

    with signals_to(hand_on):
        return _exit_code(process.wait())


def _exit_code(code: int) -> int:
    return 128 - code if code < 0 else code


def up(state: Path, then: str, *, once: bool, demo: bool = False) -> int:
    """Everything; then a command; then serve until Ctrl-C, unless it is once or the command fails.

    `demo`: also what the demo's sources are pulled from.
    """
    with signals_to(interrupt), _alone(state), servers(state) as (started, env):
        _prepare(env)
        urls = _addresses(state)
        env |= urls
        with starting(state):
            write_env(state, **urls)
            if demo:
                name_demo(state, env)
        processes: list[Child] = []
        try:
            if demo:
                processes.append(start_carrier(state, env))
            _start(processes, state, env)
            code = _call(shlex.split(then), env) if then else 0
            if once or code:
                return code
            print(f"Serving at {urls['TIEOUT_URL']} until Ctrl-C. Logs: {state / 'logs'}", flush=True)
            print(f"Programs push to {urls['TIEOUT_API_URL']}, which gives way to people.", flush=True)
            return _serve(state, [*started, *processes])
        finally:
            print("Stopping.", flush=True)
            end_all(processes)


def _addresses(state: Path) -> dict[str, str]:
    """Where people and programs find the product: the addresses of last time, where they are free."""
    return {name: f"http://127.0.0.1:{kept_port(state, name)}" for name in ("TIEOUT_URL", "TIEOUT_API_URL")}


@contextmanager
def _alone(state: Path) -> Iterator[None]:
    """One `up` for each state folder."""
    lock = FolderLock(state, "up")
    try:
        if not lock.try_alone():
            place = read_env(state).get("TIEOUT_URL", "an address it has not chosen yet")
            raise RuntimeError(f"Tieout is up already, at {place}. Stop it there, or name another folder: --state DIR")
        yield
    finally:
        lock.close()


def _prepare(env: dict[str, str]) -> None:
    """Tables and static files, side by side; RuntimeError when one fails."""
    commands = (["migrate", "-v0"], ["collectstatic", "--noinput", "-v0"])
    tasks = [
        subprocess.Popen(
            [sys.executable, "manage.py", *command], env=env, cwd=CHECKOUT, start_new_session=True,
            preexec_fn=ending_with_parent(signal.SIGTERM),
        )
        for command in commands
    ]  # fmt: skip
    failed = [command[0] for command, task in zip(commands, tasks, strict=True) if task.wait()]
    if failed:
        raise RuntimeError(f"{' and '.join(failed)} failed; its words stand above.")


def _start(processes: list[Child], state: Path, env: dict[str, str]) -> None:
    """Web, workers, beat. Each joins `processes` as soon as it runs."""
    processes.append(web := start_web(state, env))
    processes.append(programs := start_programs_web(state, env))
    for queue in QUEUES:
        processes.append(start_worker(state, env, queue))
    processes.append(start_beat(state, env))
    for name, server in (("TIEOUT_URL", web), ("TIEOUT_API_URL", programs)):
        wait_until(partial(answers, f"{env[name]}/livez"), 60, server)


def _call(command: list[str], env: dict[str, str]) -> int:
    """Run the command beside the product; ends it when we are to end."""
    process = subprocess.Popen(
        command, env=env, cwd=CHECKOUT, start_new_session=True, preexec_fn=ending_with_parent(signal.SIGTERM)
    )
    try:
        return _exit_code(process.wait())
    except KeyboardInterrupt:
        process.terminate()
        process.wait()
        raise


def _serve(state: Path, children: list[Child]) -> int:
    """Wait for Ctrl-C. A worker that ends is told; without web or a server there is nothing left to serve."""
    told: set[str] = set()
    try:
        while True:
            for child in children:
                if not child.is_alive and child.name not in told:
                    told.add(child.name)
                    print(_last_words(state, child), flush=True)
            if told & set(SERVED):
                return 1
            time.sleep(0.3)
    except KeyboardInterrupt:
        return 0


def _last_words(state: Path, child: Child) -> str:
    text = f"{child.name} ended by itself. The end of its log, {child.log}:\n{child.tail()}"
    if child.name in SERVED:
        return text
    again = shlex.join([sys.executable, "-m", "config.stack", "run", "--state", str(state), "--", *child.command])
    return f"{text}\nIts work waits. Start it again in another terminal: {again}"
