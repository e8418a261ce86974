"""The state folder of a checkout: data of the embedded servers, and `env` with the key, URLs and ports."""

import hashlib
import os
import secrets
import socket
import tempfile
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent.parent


def default_folder() -> Path:
    """`var/` of the checkout."""
    return Path(os.environ.get("TIEOUT_STATE") or CHECKOUT / "var")


def server_folder(state: Path) -> Path:
    """Where PostgreSQL's data lies: in the state folder, or, for root, where its unprivileged user can reach it."""
    if os.geteuid() != 0:
        return state
    mark = hashlib.sha256(str(state.resolve()).encode()).hexdigest()[:12]
    return (
        Path("/var/tmp") / f"tieout-{mark}"
        if Path("/var/tmp").is_dir()
        else Path(tempfile.gettempdir()) / f"tieout-{mark}"
    )


def free_port() -> int:
    """A port of the loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def read_env(state: Path) -> dict[str, str]:
    """The pairs of the state folder's `env`."""
    path = state / "env"
    if not path.is_file():
        return {}
    return dict(line.split("=", 1) for line in path.read_text().splitlines() if "=" in line)


def write_env(state: Path, **values: str) -> dict[str, str]:
    """Keep pairs in `env`, readable by the owner alone; gives all of them. The secret key is made once."""
    state.mkdir(parents=True, exist_ok=True)
    kept = read_env(state) | values
    kept.setdefault("SECRET_KEY", secrets.token_urlsafe(50))
    path = state / "env"
    fresh = path.with_suffix(".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write("".join(f"{name}={value}\n" for name, value in sorted(kept.items())))
    fresh.replace(path)
    return kept
