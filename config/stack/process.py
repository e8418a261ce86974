"""Child processes in sessions of their own, with a log each, that never outlive the supervisor."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from config.stack.signals import signals_to

STOP_SECONDS = 40  # a worker may end the task in its hands, for which it has 30
LOG_BYTES = 10_000_000
PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None

Account = tuple[int, int]  # user id, group id


def ending_with_parent(number: signal.Signals) -> Callable[[], None]:
    """What a child calls before it becomes its program: on Linux it then gets the signal when we die, even by SIGKILL."""

    def ask() -> None:
        if _LIBC is not None:
            _LIBC.prctl(PR_SET_PDEATHSIG, int(number))

    return ask


def rights_of(account: Account | None) -> dict[str, object]:
    """The arguments of subprocess that drop to an account; none keeps ours."""
    return {} if account is None else {"user": account[0], "group": account[1], "extra_groups": []}


class Child:
    """One running child: its name for people, its process, its log, the signal that ends it in order."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        log: Path,
        *,
        env: Mapping[str, str],
        cwd: Path,
        stop: signal.Signals = signal.SIGTERM,
        account: Account | None = None,
    ) -> None:
        self.name, self.stop_signal, self.log, self.command = name, stop, log, command
        with _opened(log) as out:
            self.process: subprocess.Popen[bytes] = subprocess.Popen(
                command, stdout=out, stderr=out, stdin=subprocess.DEVNULL, env=dict(env), cwd=cwd,
                start_new_session=True, preexec_fn=ending_with_parent(stop), **rights_of(account),
            )  # type: ignore[call-overload]  # fmt: skip

    @property
    def is_alive(self) -> bool:
        """Whether it still runs."""
        return self.process.poll() is None

    def ask_to_end(self) -> None:
        """Send its signal."""
        if self.is_alive:
            self.process.send_signal(self.stop_signal)

    def end(self) -> None:
        """Ask it to end and wait; kill it and what it started when it stays."""
        self.ask_to_end()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def tail(self, lines: int = 15) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


def _opened(log: Path) -> BinaryIO:
    """A log to append to; a long one of earlier starts is set aside."""
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > LOG_BYTES:
        log.replace(log.with_suffix(".old"))
    return log.open("ab")


def end_all(children: Sequence[Child]) -> None:
    """End them in reverse order, all asked before the first is waited for. Nothing interrupts this."""
    with signals_to(lambda *_: None):
        for child in reversed(children):
            child.ask_to_end()
        for child in reversed(children):
            child.end()


def wait_until(ready: Callable[[], bool], seconds: float, child: Child) -> None:
    """Poll until `ready()`; RuntimeError with the child's log when it ends first or time is up."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if ready():
            return
        if not child.is_alive:
            break
        time.sleep(0.05)
    raise RuntimeError(f"{child.name} did not start. The end of its log, {child.log}:\n{child.tail()}")


def command_line(pid: int) -> str:
    """The program and arguments of a process; empty when it is gone or only waits to be reaped."""
    if Path("/proc/self").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""
    told = subprocess.run(["ps", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return told.stdout.strip()
