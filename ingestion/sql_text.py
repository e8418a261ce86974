"""Quoting for DuckDB: the only two ways in which a name or a text enters its SQL."""


def literal(text: str) -> str:
    """A text as a quoted literal."""
    return "'" + text.replace("'", "''") + "'"


def quoted(name: str) -> str:
    """A name as a quoted identifier."""
    return '"' + name.replace('"', '""') + '"'
