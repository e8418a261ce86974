"""One database that all tests start from: the migrations run once for each state that they are in, and each test process, of this run
and of later ones, copies what they left."""

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

ROOT = Path(__file__).resolve().parent.parent
PREFIX = "migrated_"
LOCK = 0x7470
IMPORT = re.compile(
    r"^from ((?:ingestion|reconciliation|attribution|review|config)[\w.]*) import ([\w, ]+)", re.MULTILINE
)


def migrated_template(url: str) -> str:
    """The name of a database on the server of `url` in which all migrations ran; made where it is not there yet."""
    name = PREFIX + _state()
    with psycopg.connect(_of(url, "postgres"), autocommit=True) as server:
        server.execute("SELECT pg_advisory_lock(%s)", [LOCK])  # two test processes begin at once
        found = [
            it for (it,) in server.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", [PREFIX + "%"])
        ]
        if name not in found:
            for old in found:
                server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(old)))
            making = name + "_making"
            server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(making)))
            _migrate(_of(url, making))
            server.execute(
                sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(making), sql.Identifier(name))
            )
    return name


def _state() -> str:
    """A digest of every migration, of the modules that they take SQL from, and of what runs them."""
    migrations = list(ROOT.glob("*/migrations/*.py"))
    digest = hashlib.sha256()
    for path in sorted({*migrations, *_taken(migrations), ROOT / "constraints.txt", ROOT / "config/settings.py"}):
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def _taken(migrations: Iterable[Path]) -> Iterator[Path]:
    for path in migrations:
        for module, names in IMPORT.findall(path.read_text(encoding="utf-8")):
            place = ROOT.joinpath(*module.split("."))
            parts = (place / name.strip() for name in names.split(","))
            yield from (
                it for it in (place.with_suffix(".py"), *(part.with_suffix(".py") for part in parts)) if it.is_file()
            )


def _of(url: str, database: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


def _migrate(url: str) -> None:
    command = [sys.executable, "manage.py", "migrate", "-v0"]
    subprocess.run(command, cwd=ROOT, env={**os.environ, "DATABASE_URL": url}, check=True)
