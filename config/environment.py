"""The only readers of the environment. A malformed value stops the start, not the night run."""

import os
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

BASE_DIR = Path(__file__).resolve().parent.parent
STATE_DIR = Path(os.environ.get("TIEOUT_STATE") or BASE_DIR / "var")


class BadSetting(ValueError):
    """A setting that cannot be used; the text says which and why."""


def _state_file() -> dict[str, str]:
    """The pairs of the state folder's `env`, which the stack writes."""
    path = STATE_DIR / "env"
    if not path.is_file():
        return {}
    lines = (line.split("=", 1) for line in path.read_text().splitlines() if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip() for name, value in lines}


_STATE = _state_file()


def optional(name: str, default: str = "") -> str:
    """The variable, else the state folder's value, else the default."""
    return os.environ.get(name) or _STATE.get(name) or default


def required(name: str) -> str:
    """The variable, or a sentence that says how to get one."""
    if value := optional(name):
        return value
    raise BadSetting(
        f"{name} is not set, and {STATE_DIR / 'env'} does not hold it. "
        f"Set it, or run the command as: .venv/bin/python -m config.stack run -- COMMAND"
    )


def integer(name: str, default: int) -> int:
    """A whole number, or BadSetting."""
    text = optional(name, str(default))
    if not text.isascii() or not text.isdigit():
        raise BadSetting(f"{name} is {text!r}; it takes a whole number such as {default}.")
    return int(text)


def flag(name: str, *, default: bool) -> bool:
    """1 or 0, true or false."""
    text = optional(name, "1" if default else "0").lower()
    if text not in {"1", "0", "true", "false"}:
        raise BadSetting(f"{name} is {text!r}; it takes 1 or 0.")
    return text in {"1", "true"}


def words(name: str, default: str = "") -> list[str]:
    """Comma-separated words."""
    return [word.strip() for word in optional(name, default).split(",") if word.strip()]


def database(url: str, *, idle_seconds: int, keeps_statements: bool = True) -> dict[str, object]:
    """Django's settings of a postgresql:// URL. PostgreSQL ends a session whose transaction is idle for so many seconds,
    or whose machine is gone about as long; `?options=` in the URL wins over that. `keeps_statements`: sessions keep the plans of
    what every page asks."""
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"} or not parts.path.strip("/"):
        raise BadSetting(
            "DATABASE_URL is no PostgreSQL address. It looks like postgresql://user:password@host:5432/name."
        )
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.strip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        "OPTIONS": {
            "options": f"-c idle_in_transaction_session_timeout={idle_seconds}s -c tcp_keepalives_idle={idle_seconds} "
            "-c tcp_keepalives_interval=5 -c tcp_keepalives_count=3"
            f"{' -c plan_cache_mode=force_generic_plan' if keeps_statements else ''}",
            "prepare_threshold": 0 if keeps_statements else None,
            **dict(parse_qsl(parts.query)),
        },
    }
