"""The servers that one command needs, shared between the commands of a state folder."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from config.stack.locks import FolderLock, starting
from config.stack.postgres import start_postgres
from config.stack.process import Child, end_all
from config.stack.state import last_port, listens, read_env, write_env
from config.stack.valkey import start_valkey


@contextmanager
def servers(state: Path, *, volatile: bool = False) -> Iterator[tuple[list[Child], dict[str, str]]]:
    """Servers for what no URL names: the children that we started, and the environment for everything else.

    Live servers of the folder are used and left running. Our own end with us, after the last command that uses them.
    """
    use = FolderLock(state, "servers")
    children: list[Child] = []
    try:
        with starting(state):
            if use.try_alone() and _any_listens(state):
                time.sleep(0.5)  # left by a killed command, and about to end
            use.shared()
            _start(state, children, volatile=volatile)
        yield children, environment(state)
    finally:
        _end(state, use, children)
        use.close()


def _any_listens(state: Path) -> bool:
    ports = (last_port(state, name) for name in ("DATABASE_URL", "REDIS_URL"))
    return any(port and listens(port) for port in ports)


def _start(state: Path, children: list[Child], *, volatile: bool) -> None:
    """Start what is missing. A server joins `children` as soon as it runs, so that a failure of the next ends it."""
    write_env(state)
    if not os.environ.get("DATABASE_URL") and (postgres := start_postgres(state, volatile=volatile)):
        children.append(postgres)
    if not os.environ.get("REDIS_URL") and (valkey := start_valkey(state)):
        children.append(valkey)


def environment(state: Path) -> dict[str, str]:
    """Ours, with the folder's key and URLs where ours names none."""
    named = {name: value for name, value in os.environ.items() if value}
    return read_env(state) | named | {
        "TIEOUT_STATE": str(state),
        "OMP_WAIT_POLICY": "PASSIVE",  # spinning threads slow each other down on few cores
        "REMAP_SIGTERM": "SIGQUIT",  # a worker gives its task back instead of waiting for its end
    }  # fmt: skip


def _end(state: Path, use: FolderLock, children: list[Child]) -> None:
    if not children:
        return
    with starting(state):
        if not use.try_alone():
            print("Other commands use these servers; waiting for them. Ctrl-C ends the servers now.", file=sys.stderr)
            with suppress(KeyboardInterrupt):
                use.alone()
        end_all(children)
