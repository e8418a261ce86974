"""Quoting for DuckDB: the only ways in which a name, a text or a path enters its SQL."""

from pathlib import Path


def literal(text: str) -> str:
    """A text as a quoted literal."""
    return "'" + text.replace("'", "''") + "'"


def quoted(name: str) -> str:
    """A name as a quoted identifier."""
    return '"' + name.replace('"', '""') + '"'


def parquet(path: Path) -> str:
    """The SQL text of a Parquet file, or of every part in a folder of them, as `read_parquet` takes it."""
    return literal(str(path / "**" / "*.parquet" if path.is_dir() else path))
