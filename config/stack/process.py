"""Child processes in sessions of their own, with a log each, stopped by a signal of their own."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

STOP_SECONDS = 40


class Child:
    """One running child."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        log: Path,
        *,
        env: Mapping[str, str],
        stop: signal.Signals = signal.SIGTERM,
        user: int | None = None,
    ) -> None:
        self.name, self.stop_signal, self.log = name, stop, log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as out:
            extra = {} if user is None else {"user": user, "group": user_group(user), "extra_groups": []}
            self.process = subprocess.Popen(
                command, stdout=out, stderr=out, stdin=subprocess.DEVNULL, env=dict(env), start_new_session=True,
                cwd="/" if user is not None else None, **extra,  # type: ignore[call-overload]
            )  # fmt: skip

    @property
    def is_alive(self) -> bool:
        """Whether it still runs."""
        return self.process.poll() is None

    def stop(self) -> None:
        """Ask it to end; kill it when it does not."""
        if not self.is_alive:
            return
        self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def tail(self, lines: int = 15) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


def user_group(user: int) -> int:
    """The group of a user id."""
    import pwd

    return pwd.getpwuid(user).pw_gid


def wait_until(ready: object, seconds: float, child: Child) -> None:
    """Poll until `ready()`; RuntimeError with the child's log when it ends first or time is up."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if ready():  # type: ignore[operator]
            return
        if not child.is_alive:
            break
        time.sleep(0.05)
    raise RuntimeError(f"{child.name} did not start. The end of its log, {child.log}:\n{child.tail()}")
