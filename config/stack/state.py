"""The state folder of a checkout: data of the embedded servers, and `env` with the key, URLs and ports."""

import base64
import os
import secrets
import socket
from pathlib import Path
from urllib.parse import urlsplit

CHECKOUT = Path(__file__).resolve().parent.parent.parent


def default_folder() -> Path:
    """The folder that TIEOUT_STATE names, else `var/` of the checkout."""
    return Path(os.environ.get("TIEOUT_STATE") or CHECKOUT / "var")


def listens(port: int) -> bool:
    """Whether somebody accepts connections on this port of the loopback."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    """A port of the loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def last_port(state: Path, name: str) -> int | None:
    """The port in the URL that `env` keeps under this name."""
    return urlsplit(read_env(state).get(name, "")).port


def kept_port(state: Path, name: str) -> int:
    """The port of last time if nobody took it meanwhile, else a free one."""
    port = last_port(state, name)
    return port if port and not listens(port) else free_port()


def read_env(state: Path) -> dict[str, str]:
    """The pairs of the state folder's `env`."""
    path = state / "env"
    if not path.is_file():
        return {}
    return dict(line.split("=", 1) for line in path.read_text().splitlines() if "=" in line)


def write_env(state: Path, **values: str) -> dict[str, str]:
    """Keep pairs in `env`, readable by the owner alone; gives all of them. The secret keys are made once.

    The caller holds the lock `starting`, else two could write at once.
    """
    state.mkdir(parents=True, exist_ok=True)
    kept = read_env(state) | values
    kept.setdefault("SECRET_KEY", secrets.token_urlsafe(50))
    kept.setdefault("SIGNING_KEY", base64.b64encode(secrets.token_bytes(32)).decode())
    path = state / "env"
    fresh = path.with_suffix(".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write("".join(f"{name}={value}\n" for name, value in sorted(kept.items())))
    fresh.replace(path)
    return kept
