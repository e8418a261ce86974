"""Texts that go through spreadsheets: nothing in a file that we write runs, and what we wrote reads back the same."""

import re

NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
RISKY = ("=", "+", "-", "@", "\t", "\r", "\n")


def plain(value: object) -> str:
    """A value as text; empty for null."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def safe(value: object) -> str:
    """A text that no spreadsheet takes for a formula; a plain number stays one."""
    text = plain(value)
    risky = text.lstrip(" ")[:1] in ("=", "+", "-", "@", "\t", "\r") or text[:1] in ("\t", "\r", "\n")
    return f"'{text}" if risky and not NUMBER.fullmatch(text) else text


def quoted(value: object) -> str:
    """As `safe`, and a text that looks as if `safe` had made it is marked too, so that `restored` gives it back."""
    text = plain(value)
    return f"'{text}" if text[:1] == "'" and restored(text) != text else safe(text)


def restored(text: str) -> str:
    """The text that `quoted` was given."""
    return text[1:] if text[:1] == "'" and text[1:].lstrip(" ")[:1] in ("'", *RISKY) else text
