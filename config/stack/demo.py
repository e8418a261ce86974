"""What the demo's sources are pulled from: an HTTP API of its own, and the names that its definition uses."""

import secrets
import sys
from pathlib import Path
from urllib.parse import urlsplit

from config.stack.process import Child
from config.stack.state import CHECKOUT, kept_port, read_env, write_env

CARRIER = CHECKOUT / "examples" / "every_source" / "carrier.py"
LOOPBACK = "127.0.0.1"


def name_demo(state: Path, env: dict[str, str]) -> None:
    """Keep the demo's addresses and its token in the state folder, and let sources call this machine.

    The caller holds the lock `starting`.
    """
    named = {
        "TIEOUT_DEMO_API": f"http://{LOOPBACK}:{kept_port(state, 'TIEOUT_DEMO_API')}/shipments",
        "TIEOUT_DEMO_TOKEN": read_env(state).get("TIEOUT_DEMO_TOKEN") or secrets.token_urlsafe(32),
        "MAIL_FOLDER": str(state / "mails"),  # nobody reads mails at example.org
        "TIEOUT_DEMO_MART": "postgresql+psycopg://" + env["DATABASE_URL"].partition("://")[2],
    }
    write_env(state, **named)
    opened = env.get("OUTBOUND_HOSTS", "")
    env |= named | {"OUTBOUND_HOSTS": f"{opened},{LOOPBACK}".strip(",")}


def start_carrier(state: Path, env: dict[str, str]) -> Child:
    """The HTTP API."""
    port = str(urlsplit(env["TIEOUT_DEMO_API"]).port)
    return Child("carrier", [sys.executable, str(CARRIER), port], state / "logs" / "carrier.log", env=env, cwd=CHECKOUT)
